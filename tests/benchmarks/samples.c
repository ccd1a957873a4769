/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sample stages: rawtovoltage against memcpy(), firfilter against a bare
 * loop of its kernel and against audiofirfilter. One thread. */
#include <gst/eeg/eeg.h>

#include <math.h>
#include <string.h>

#include "benchmark.h"
#include "convert.h"
#include "fir.h"
#include "sample-rig.h"

#define AUDIO_CHANNELS 8
/* beyond every cache */
#define N_BUFFERS (256 * 1024 * 1024 / BUFFER_BYTES)
/* of one call of a filter */
#define N_FILTERED 16
#define N_TAPS 101

static guint8 *copy;

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

  fill_arena (FALSE, N_BUFFERS);
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

  fill_arena (TRUE, N_BUFFERS);
  if (!eeg_fir_design (&spec, &taps, &n_taps, message))
    return false;
  kernel =
      eeg_fir_kernel_new (taps, n_taps, EEG_FIR_DELAY_AUTO, EEG_FIR_NO_LATENCY);
  filters.stream = eeg_fir_stream_new (kernel, &config, 0);
  element = gst_element_factory_make ("firfilter", NULL);
  g_object_set (element, "low", 1.0, "high", 40.0, "taps", N_TAPS, NULL);
  rig_init (&filters.ours, element,
      eeg_caps (GST_EEG_FORMAT_F32LE, GST_EEG_DOMAIN_VOLTAGE));
  ok = bench_compare (&loop_row, run_firfilter, run_loop, &filters);

  fill_arena (TRUE, N_BUFFERS);
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
