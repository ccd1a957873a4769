/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sample stages: rawtovoltage against memcpy(), firfilter against a bare
 * loop of its kernel and against audiofirfilter. One thread. */
#include <gst/eeg/eeg.h>

#include <math.h>
#include <string.h>

#include "benchmark.h"
#include "convert.h"
#include "fir.h"

#define RATE 1000
#define CHANNELS 64
#define AUDIO_CHANNELS 8
#define FRAMES 4096
#define BUFFER_BYTES (FRAMES * CHANNELS * 4)
/* beyond every cache */
#define N_BUFFERS (256 * 1024 * 1024 / BUFFER_BYTES)
/* of one call of a filter */
#define N_FILTERED 16
#define N_TAPS 101

static guint8 *arena, *copy;

/* An element between two pads of ours. Buffers are made of the arena's memory
 * and thrown away behind it. */
typedef struct
{
  GstElement *element;
  GstPad *src, *sink;
  guint64 frames;
  gsize bytes_out;
} Rig;

static GstFlowReturn
take_buffer (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  Rig *rig = gst_pad_get_element_private (pad);

  rig->bytes_out += gst_buffer_get_size (buffer);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static void
rig_init (Rig *rig, GstElement *element, GstCaps *caps)
{
  GstPad *pad;
  GstSegment segment;

  rig->element = gst_object_ref_sink (element);
  rig->frames = 0;
  rig->src = gst_pad_new ("src", GST_PAD_SRC);
  rig->sink = gst_pad_new ("sink", GST_PAD_SINK);
  gst_pad_set_element_private (rig->sink, rig);
  gst_pad_set_chain_function (rig->sink, take_buffer);
  gst_pad_set_active (rig->src, TRUE);
  gst_pad_set_active (rig->sink, TRUE);
  pad = gst_element_get_static_pad (element, "sink");
  gst_pad_link (rig->src, pad);
  gst_object_unref (pad);
  pad = gst_element_get_static_pad (element, "src");
  gst_pad_link (pad, rig->sink);
  gst_object_unref (pad);
  gst_element_set_state (element, GST_STATE_PLAYING);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (rig->src, gst_event_new_stream_start ("benchmark"));
  gst_pad_push_event (rig->src, gst_event_new_caps (caps));
  gst_pad_push_event (rig->src, gst_event_new_segment (&segment));
  gst_caps_unref (caps);
}

static void
rig_clear (Rig *rig)
{
  gst_element_set_state (rig->element, GST_STATE_NULL);
  gst_object_unref (rig->src);
  gst_object_unref (rig->sink);
  gst_object_unref (rig->element);
}

static double
rig_push (Rig *rig, guint n_buffers, guint frames)
{
  double start;
  guint i;

  start = bench_now ();
  for (i = 0; i < n_buffers; i++) {
    GstBuffer *buffer = gst_buffer_new ();

    gst_buffer_append_memory (buffer,
        gst_memory_new_wrapped (0, arena + (gsize) i * BUFFER_BYTES,
            BUFFER_BYTES, 0, BUFFER_BYTES, NULL, NULL));
    GST_BUFFER_OFFSET (buffer) = rig->frames;
    GST_BUFFER_PTS (buffer) =
        gst_util_uint64_scale (rig->frames, GST_SECOND, RATE);
    rig->frames += frames;
    GST_BUFFER_OFFSET_END (buffer) = rig->frames;
    GST_BUFFER_DURATION (buffer) =
        gst_util_uint64_scale (frames, GST_SECOND, RATE);
    if (gst_pad_push (rig->src, buffer) != GST_FLOW_OK)
      return -1;
  }
  return bench_now () - start;
}

static GstCaps *
eeg_caps (GstEegFormat format, GstEegDomain domain)
{
  GstEegChannel rows[CHANNELS];
  GstEegChannels *table;
  GstEegInfo info;
  GstCaps *caps;
  guint i;

  for (i = 0; i < CHANNELS; i++)
    rows[i] = (GstEegChannel){ .label = "C3",
      .type = GST_EEG_CHANNEL_TYPE_EEG,
      .unit = "uV",
      .physical_min = -187500 - (gdouble) i,
      .physical_max = 187500,
      .digital_min = -8388608,
      .digital_max = 8388607 };
  table = gst_eeg_channels_new (rows, CHANNELS);
  gst_eeg_info_init (&info);
  gst_eeg_info_set (&info, format, domain, RATE, 1, CHANNELS, table);
  caps = gst_eeg_info_to_caps (&info);
  gst_eeg_info_clear (&info);
  gst_eeg_channels_unref (table);
  return caps;
}

static void
fill_arena (gboolean floats)
{
  gsize i, n = (gsize) N_BUFFERS * BUFFER_BYTES / 4;

  for (i = 0; i < n; i++) {
    guint32 noise = (guint32) (i * 2654435761u);

    if (floats)
      ((gfloat *) arena)[i] = (gfloat) (gint32) noise / 1e7f;
    else
      ((gint32 *) arena)[i] = (gint32) noise >> 8;
  }
}

/* ---- rawtovoltage ---- */

static double
run_rawtovoltage (void *data)
{
  return rig_push (data, N_BUFFERS, FRAMES);
}

static double
run_memcpy (void *data)
{
  double start = bench_now ();
  guint i;

  for (i = 0; i < N_BUFFERS; i++)
    memcpy (copy + (gsize) i * BUFFER_BYTES, arena + (gsize) i * BUFFER_BYTES,
        BUFFER_BYTES);
  return bench_now () - start;
}

static bool
bench_rawtovoltage (void)
{
  struct bench_row row = { .name = "rawtovoltage",
    .data = "noise-64ch",
    .packing = "S32LE to F32LE",
    .threads = 1,
    .backend = eeg_cpu_name (eeg_cpu_choose ()),
    .target = 1.5,
    .direction = BENCH_AT_MOST,
    .bytes = (guint64) N_BUFFERS * BUFFER_BYTES };
  Rig rig = { 0 };
  bool ok;

  fill_arena (FALSE);
  rig_init (&rig, gst_element_factory_make ("rawtovoltage", NULL),
      eeg_caps (GST_EEG_FORMAT_S32LE, GST_EEG_DOMAIN_COUNTS));
  ok = bench_compare (&row, run_rawtovoltage, run_memcpy, &rig);
  rig_clear (&rig);
  return ok;
}

/* ---- firfilter ---- */

typedef struct
{
  Rig ours, theirs;
  eeg_fir_stream *stream;
} Filters;

static double
run_firfilter (void *data)
{
  return rig_push (&((Filters *) data)->ours, N_FILTERED, FRAMES);
}

static double
run_loop (void *data)
{
  eeg_fir_stream *stream = ((Filters *) data)->stream;
  double start = bench_now ();
  guint i;

  for (i = 0; i < N_FILTERED; i++) {
    guint8 *samples = arena + (gsize) i * BUFFER_BYTES;

    eeg_fir_stream_process (stream, samples, FRAMES, samples);
  }
  return bench_now () - start;
}

static double
run_audiofirfilter (void *data)
{
  return rig_push (&((Filters *) data)->theirs, N_FILTERED,
      FRAMES * CHANNELS / AUDIO_CHANNELS);
}

G_GNUC_BEGIN_IGNORE_DEPRECATIONS
static void
set_audio_kernel (GstElement *element, const double *taps, gsize n)
{
  GValueArray *array = g_value_array_new (n);
  GValue value = G_VALUE_INIT;
  gsize i;

  g_value_init (&value, G_TYPE_DOUBLE);
  for (i = 0; i < n; i++) {
    g_value_set_double (&value, taps[i]);
    g_value_array_append (array, &value);
  }
  g_object_set (element, "kernel", array, "latency", (guint64) n / 2, NULL);
  g_value_array_free (array);
}
G_GNUC_END_IGNORE_DEPRECATIONS

/* Multiply-adds in a second that the machine's vectors can do: as many as fit,
 * on registers, none waiting for another. */
typedef double Wide __attribute__ ((vector_size (64)));

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
__attribute__ ((optimize ("O3", "fp-contract=fast"),
    target_clones ("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#endif
static double
multiply_add_peak (void)
{
  enum
  {
    CHAINS = 12
  };
  Wide sum[CHAINS], factor = { 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5 };
  const gint64 n = 4 * 1000 * 1000;
  double start, seconds;
  volatile double used = 0;
  gint64 i;
  gint k;

  _Pragma ("GCC unroll 16") for (k = 0; k < CHAINS; k++) sum[k] =
      factor * (double) k;
  start = bench_now ();
  for (i = 0; i < n; i++) {
    _Pragma ("GCC unroll 16") for (k = 0; k < CHAINS; k++) sum[k] =
        sum[k] * factor + factor;
    /* keeps the loop from being folded */
    __asm__ volatile("" : "+m"(factor));
  }
  seconds = bench_now () - start;
  _Pragma ("GCC unroll 16") for (k = 0; k < CHAINS; k++) used += sum[k][0];
  (void) used;
  return (double) n * CHAINS * 8 / seconds;
}

static bool
bench_firfilter (void)
{
  const guint64 bytes = (guint64) N_FILTERED * BUFFER_BYTES;
  struct bench_row loop_row = { .name = "firfilter 101 taps / its bare loop",
    .data = "noise-64ch",
    .packing = "F32LE",
    .threads = 1,
    .backend = eeg_cpu_name (eeg_cpu_choose ()),
    .target = 0.9,
    .direction = BENCH_AT_LEAST,
    .bytes = bytes };
  struct bench_row audio_row = { .name = "firfilter 101 taps / audiofirfilter",
    .data = "noise-64ch / noise-8ch",
    .packing = "F32LE",
    .threads = 1,
    .backend = eeg_cpu_name (eeg_cpu_choose ()),
    .target = 3,
    .direction = BENCH_AT_LEAST,
    .bytes = bytes };
  eeg_fir_spec spec = { .response = EEG_FIR_BAND_PASS,
    .rate = RATE,
    .low = 1,
    .high = 40,
    .taps = N_TAPS };
  eeg_fir_config config = { .channels = CHANNELS,
    .format = EEG_FIR_F32,
    .cpu = eeg_cpu_choose () };
  char message[EEG_FIR_MESSAGE_SIZE];
  GstElement *element;
  eeg_fir_kernel *kernel;
  double *taps;
  size_t n_taps;
  Filters filters = { 0 };
  bool ok;

  fill_arena (TRUE);
  if (!eeg_fir_design (&spec, &taps, &n_taps, message))
    return false;
  kernel = eeg_fir_kernel_new (taps, n_taps, EEG_FIR_DELAY_AUTO);
  filters.stream = eeg_fir_stream_new (kernel, &config, 0);
  element = gst_element_factory_make ("firfilter", NULL);
  g_object_set (element, "low", 1.0, "high", 40.0, "taps", N_TAPS, NULL);
  rig_init (&filters.ours, element,
      eeg_caps (GST_EEG_FORMAT_F32LE, GST_EEG_DOMAIN_VOLTAGE));
  ok = bench_compare (&loop_row, run_firfilter, run_loop, &filters);

  fill_arena (TRUE);
  element = gst_element_factory_make ("audiofirfilter", NULL);
  if (element != NULL) {
    set_audio_kernel (element, taps, n_taps);
    rig_init (&filters.theirs, element,
        gst_caps_new_simple ("audio/x-raw", "format", G_TYPE_STRING, "F32LE",
            "rate", G_TYPE_INT, RATE, "channels", G_TYPE_INT, AUDIO_CHANNELS,
            "layout", G_TYPE_STRING, "interleaved", "channel-mask",
            GST_TYPE_BITMASK, (guint64) 0, NULL));
    ok &=
        bench_compare (&audio_row, run_firfilter, run_audiofirfilter, &filters);
    rig_clear (&filters.theirs);
  }

  {
    struct bench_row peak_row = {
      .name = "firfilter 101 taps / multiply-add peak",
      .data = "noise-64ch",
      .packing = "F32LE",
      .threads = 1,
      .backend = eeg_cpu_name (eeg_cpu_choose ()),
      .target = 0.5,
      .direction = BENCH_AT_LEAST,
      .rounds = 7,
    };
    double ratios[7];
    guint i;

    for (i = 0; i < G_N_ELEMENTS (ratios); i++) {
      double peak = multiply_add_peak ();

      ratios[i] = (double) N_FILTERED * FRAMES * CHANNELS * N_TAPS
          / run_firfilter (&filters) / peak;
    }
    ok &= bench_report (&peak_row, bench_median (ratios, G_N_ELEMENTS (ratios)),
        "taps applied / multiply-adds");
  }

  rig_clear (&filters.ours);
  eeg_fir_stream_free (filters.stream);
  eeg_fir_kernel_unref (kernel);
  free (taps);
  return ok;
}

int
main (int argc, char **argv)
{
  bool ok = true;

  gst_init (&argc, &argv);
  arena = aligned_alloc (64, (gsize) N_BUFFERS * BUFFER_BYTES);
  copy = aligned_alloc (64, (gsize) N_BUFFERS * BUFFER_BYTES);
  memset (copy, 0, (gsize) N_BUFFERS * BUFFER_BYTES);
  ok &= bench_rawtovoltage ();
  ok &= bench_firfilter ();
  free (arena);
  free (copy);
  return ok ? 0 : 1;
}
