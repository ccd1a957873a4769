/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* firfilter at lengths from 31 to 165001 taps: against audiofirfilter's FFT
 * mode by time per sample, against MNE and scipy on float64, for long kernels
 * against overlap-save with FFTW in doubles (option `fftw`), and against real
 * time. One thread. Arguments pick lengths in taps, or `live`; the live rows
 * take GSTEEG_BENCH_SECONDS, 60 by default, each. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifdef HAVE_FFTW
#include <fftw3.h>
#endif

#include "fir.h"
#include "peer.h"
#include "sample-rig.h"

#define N_BUFFERS 64
#define N_FRAMES ((gsize) N_BUFFERS * FRAMES)
#define AUDIO_CHANNELS 8
#define ROUNDS 5

static Peer python;
static gchar **wanted; /* the arguments */

typedef struct
{
  Rig ours, theirs;
  guint taps;
  gchar *work; /* of the peer */
  double *kernel;
  size_t n_taps;
} Bench;

static double
run_ours (void *data)
{
  return rig_push (&((Bench *) data)->ours, N_BUFFERS, FRAMES);
}

static double
run_audio (void *data)
{
  return rig_push (&((Bench *) data)->theirs, N_BUFFERS,
      FRAMES * CHANNELS / AUDIO_CHANNELS);
}

static double
run_peer (void *data)
{
  return peer_run (&python, ((Bench *) data)->work);
}

static gboolean
is_wanted (const gchar *name)
{
  return wanted[0] == NULL
      || g_strv_contains ((const gchar *const *) wanted, name);
}

/* A low-pass at 40 Hz as steep as this length allows. */
static GstElement *
make_filter (guint taps, const gchar *latency, guint rate)
{
  GstElement *element = gst_element_factory_make ("firfilter", NULL);

  gst_util_set_object_arg (G_OBJECT (element), "mode", "low-pass");
  gst_util_set_object_arg (G_OBJECT (element), "latency", latency);
  g_object_set (element, "high", 40.0, "taps", taps, "transition",
      3.3 * rate / taps, NULL);
  return element;
}

/* ---- audiofirfilter ---- */

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
  g_object_set (element, "low-latency", FALSE, "kernel", array, "latency",
      (guint64) n / 2, NULL);
  g_value_array_free (array);
}
G_GNUC_END_IGNORE_DEPRECATIONS

static bool
compare_audio (Bench *bench, struct bench_row *row)
{
  GstElement *element = gst_element_factory_make ("audiofirfilter", NULL);
  gchar *name;
  bool ok = true;

  if (element == NULL)
    return true;
  set_audio_kernel (element, bench->kernel, bench->n_taps);
  rig_init (&bench->theirs, element,
      gst_caps_new_simple ("audio/x-raw", "format", G_TYPE_STRING, "F32LE",
          "rate", G_TYPE_INT, RATE, "channels", G_TYPE_INT, AUDIO_CHANNELS,
          "layout", G_TYPE_STRING, "interleaved", "channel-mask",
          GST_TYPE_BITMASK, (guint64) 0, NULL));
  run_audio (bench);
  if (bench->theirs.bytes_out > 0) {
    name = g_strdup_printf ("firfilter %u taps / audiofirfilter", bench->taps);
    row->name = name;
    row->data = "noise-64ch / noise-8ch";
    row->target = 3;
    ok = bench_compare (row, run_ours, run_audio, bench);
    row->data = "noise-64ch";
    g_free (name);
  } else {
    fprintf (stderr, "audiofirfilter gives nothing at %u taps\n", bench->taps);
  }
  rig_clear (&bench->theirs);
  return ok;
}

static bool
compare_peer (Bench *bench, struct bench_row *row, const gchar *peer,
    gdouble target)
{
  gchar *name = g_strdup_printf ("firfilter %u taps / %s", bench->taps,
      strcmp (peer, "mne") == 0 ? "mne.filter.filter_data"
                                : "scipy.signal.oaconvolve");
  bool ok = true;

  bench->work = g_strdup_printf ("%s %u", peer, bench->taps);
  if (run_peer (bench) < 0) {
    fprintf (stderr, "skipped: %s\n", name);
  } else {
    row->name = name;
    row->target = target;
    ok = bench_compare (row, run_ours, run_peer, bench);
  }
  g_free (bench->work);
  g_free (name);
  return ok;
}

/* ---- FFTW ---- */

#ifdef HAVE_FFTW
/* Overlap-save, channel by channel, blocks of @size. */
typedef struct
{
  gsize size;
  double *block;
  fftw_complex *spectrum, *kernel;
  fftw_plan forward, backward;
} OverlapSave;

static double *planar_in, *planar_out;
static OverlapSave overlap_save;

static void
overlap_save_init (OverlapSave *o, gsize size, const double *taps, gsize n)
{
  gsize i;

  o->size = size;
  o->block = fftw_alloc_real (size);
  o->spectrum = fftw_alloc_complex (size / 2 + 1);
  o->kernel = fftw_alloc_complex (size / 2 + 1);
  o->forward =
      fftw_plan_dft_r2c_1d ((int) size, o->block, o->spectrum, FFTW_MEASURE);
  o->backward =
      fftw_plan_dft_c2r_1d ((int) size, o->spectrum, o->block, FFTW_MEASURE);
  memset (o->block, 0, size * sizeof (double));
  for (i = 0; i < n; i++)
    o->block[i] = taps[i] / (double) size;
  fftw_execute (o->forward);
  memcpy (o->kernel, o->spectrum, (size / 2 + 1) * sizeof (fftw_complex));
}

static void
overlap_save_clear (OverlapSave *o)
{
  fftw_destroy_plan (o->forward);
  fftw_destroy_plan (o->backward);
  fftw_free (o->block);
  fftw_free (o->spectrum);
  fftw_free (o->kernel);
}

static double
run_overlap_save (void *data)
{
  const OverlapSave *o = &overlap_save;
  const gsize n_taps = ((Bench *) data)->n_taps;
  const gsize step = o->size - (n_taps - 1);
  double start = bench_now ();
  gsize c, at, i;

  for (c = 0; c < CHANNELS; c++) {
    const double *in = planar_in + c * N_FRAMES;
    double *out = planar_out + c * N_FRAMES;

    for (at = 0; at < N_FRAMES; at += step) {
      gsize before = MIN (at, n_taps - 1);
      gsize n = MIN (step, N_FRAMES - at);

      memset (o->block, 0, (n_taps - 1 - before) * sizeof (double));
      memcpy (o->block + (n_taps - 1 - before), in + at - before,
          (before + n) * sizeof (double));
      memset (o->block + n_taps - 1 + n, 0,
          (o->size - (n_taps - 1) - n) * sizeof (double));
      fftw_execute (o->forward);
      for (i = 0; i <= o->size / 2; i++) {
        double re = o->spectrum[i][0], im = o->spectrum[i][1];

        o->spectrum[i][0] = re * o->kernel[i][0] - im * o->kernel[i][1];
        o->spectrum[i][1] = re * o->kernel[i][1] + im * o->kernel[i][0];
      }
      fftw_execute (o->backward);
      memcpy (out + at, o->block + n_taps - 1, n * sizeof (double));
    }
  }
  return bench_now () - start;
}

/* The block size at which FFTW is fastest, found first. */
static void
find_block (Bench *bench)
{
  gsize size = 1, best = 0, limit;
  double fastest = G_MAXDOUBLE;

  while (size < 2 * bench->n_taps)
    size *= 2;
  for (limit = 16 * size; size < limit; size *= 2) {
    double seconds;

    /* one that holds all there is at once is long enough */
    if (best > 0 && size / 2 >= N_FRAMES + bench->n_taps)
      break;

    overlap_save_init (&overlap_save, size, bench->kernel, bench->n_taps);
    run_overlap_save (bench);
    seconds = run_overlap_save (bench);
    overlap_save_clear (&overlap_save);
    if (seconds < fastest) {
      fastest = seconds;
      best = size;
    }
  }
  overlap_save_init (&overlap_save, best, bench->kernel, bench->n_taps);
}

static bool
compare_fftw (Bench *bench, struct bench_row *row)
{
  static const gchar *const latencies[] = { "block", "none" };
  static const gdouble targets[] = { 0.8, 0.3 };
  bool ok = true;
  gsize i, c;

  planar_in = g_new (double, N_FRAMES *CHANNELS);
  planar_out = g_new0 (double, N_FRAMES *CHANNELS);
  for (i = 0; i < N_FRAMES; i++)
    for (c = 0; c < CHANNELS; c++)
      planar_in[c * N_FRAMES + i] = ((gfloat *) arena)[i * CHANNELS + c];
  find_block (bench);
  for (i = 0; i < G_N_ELEMENTS (latencies); i++) {
    gchar *name = g_strdup_printf ("firfilter %u taps, latency=%s / "
                                   "overlap-save of %" G_GSIZE_FORMAT,
        bench->taps, latencies[i], overlap_save.size);

    rig_clear (&bench->ours);
    rig_init (&bench->ours, make_filter (bench->taps, latencies[i], RATE),
        eeg_caps (GST_EEG_FORMAT_F32LE, GST_EEG_DOMAIN_VOLTAGE));
    row->name = name;
    row->target = targets[i];
    ok &= bench_compare (row, run_ours, run_overlap_save, bench);
    g_free (name);
  }
  overlap_save_clear (&overlap_save);
  g_free (planar_in);
  g_free (planar_out);
  return ok;
}
#endif

static bool
bench_length (guint taps)
{
  struct bench_row row = { .data = "noise-64ch",
    .packing = "F32LE, buffers of 4096 frames, latency=block",
    .threads = 1,
    .backend = eeg_cpu_name (eeg_cpu_choose ()),
    .direction = BENCH_AT_LEAST,
    .rounds = ROUNDS,
    .bytes = (guint64) N_BUFFERS * BUFFER_BYTES };
  eeg_fir_spec spec = { .response = EEG_FIR_LOW_PASS,
    .rate = RATE,
    .high = 40,
    .taps = taps,
    .transition = 3.3 * RATE / taps };
  char message[EEG_FIR_MESSAGE_SIZE];
  Bench bench = { .taps = taps };
  bool ok = true;

  if (!eeg_fir_design (&spec, &bench.kernel, &bench.n_taps, message)) {
    fprintf (stderr, "%u taps: %s\n", taps, message);
    return false;
  }
  fill_arena (TRUE, N_BUFFERS);
  rig_init (&bench.ours, make_filter (taps, "block", RATE),
      eeg_caps (GST_EEG_FORMAT_F32LE, GST_EEG_DOMAIN_VOLTAGE));
  ok &= compare_audio (&bench, &row);
  fill_arena (TRUE, N_BUFFERS);
  ok &= compare_peer (&bench, &row, "mne", 4);
  ok &= compare_peer (&bench, &row, "oaconvolve", 8);
#ifdef HAVE_FFTW
  fill_arena (TRUE, N_BUFFERS);
  if (taps > 1001)
    ok &= compare_fftw (&bench, &row);
#endif
  rig_clear (&bench.ours);
  free (bench.kernel);
  return ok;
}

/* ---- real time ---- */

/* Buffers come when they are due; one that is done later than @slack after the
 * next was due is an overrun: so much a source's pool has to bridge. */
static bool
bench_live (guint channels, guint rate, guint taps, guint frames,
    const gchar *latency)
{
  const gchar *text = g_getenv ("GSTEEG_BENCH_SECONDS");
  const gdouble seconds = text != NULL ? g_ascii_strtod (text, NULL) : 60;
  const gdouble period = (gdouble) frames / rate, slack = 0.1;
  const gsize n_buffers = (gsize) (seconds / period);
  const gsize size = (gsize) frames * channels * 4;
  gchar *packing = g_strdup_printf ("F32LE, %u channels at %u Hz, buffers of "
                                    "%g ms, latency=%s, %g s",
      channels, rate, 1000 * period, latency, seconds);
  gchar *names[] = {
    g_strdup_printf ("firfilter %u taps live, CPU time", taps),
    g_strdup_printf ("firfilter %u taps live, buffers later than 100 ms", taps),
  };
  struct bench_row row = { .data = "noise",
    .packing = packing,
    .threads = 1,
    .backend = eeg_cpu_name (eeg_cpu_choose ()),
    .direction = BENCH_AT_MOST };
  GstBufferPool *pool = gst_eeg_buffer_pool_new (NULL, size, 4, 0);
  guint overruns = 0;
  double cpu, start;
  bool ok = true;
  Rig rig;
  gsize i;

  rig_init (&rig, make_filter (taps, latency, rate),
      eeg_caps_of (GST_EEG_FORMAT_F32LE, GST_EEG_DOMAIN_VOLTAGE, channels,
          rate));
  gst_buffer_pool_set_active (pool, TRUE);
  cpu = bench_cpu_now ();
  start = bench_now ();
  for (i = 0; i < n_buffers; i++) {
    double due = start + (double) (i + 1) * period, now = bench_now ();
    GstBuffer *buffer;

    if (now < due) {
      double wait = due - now;
      struct timespec t = { (time_t) wait,
        (long) ((wait - floor (wait)) * 1e9) };

      nanosleep (&t, NULL);
    }
    if (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL) != GST_FLOW_OK)
      return false;
    gst_buffer_fill (buffer, 0, arena + (i * size) % (16u << 20), size);
    GST_BUFFER_OFFSET (buffer) = rig.frames;
    GST_BUFFER_PTS (buffer) =
        gst_util_uint64_scale (rig.frames, GST_SECOND, rate);
    rig.frames += frames;
    GST_BUFFER_OFFSET_END (buffer) = rig.frames;
    GST_BUFFER_DURATION (buffer) =
        gst_util_uint64_scale (frames, GST_SECOND, rate);
    if (gst_pad_push (rig.src, buffer) != GST_FLOW_OK)
      return false;
    if (bench_now () > due + slack)
      overruns++;
  }
  cpu = (bench_cpu_now () - cpu) / (bench_now () - start);
  row.name = names[0];
  row.target = 50;
  ok &= bench_report (&row, 100 * cpu, "% of a core");
  row.name = names[1];
  row.target = 0;
  ok &= bench_report (&row, overruns, "buffers");
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
  rig_clear (&rig);
  g_free (packing);
  g_free (names[0]);
  g_free (names[1]);
  return ok;
}

int
main (int argc, char **argv)
{
  static const guint lengths[] = { 31, 101, 331, 1001, 3301, 33001, 165001 };
  const gsize size = (gsize) N_BUFFERS * BUFFER_BYTES;
  gchar *path = NULL, *name;
  bool ok = true;
  gsize i;
  gint fd;

  gst_init (&argc, &argv);
  wanted = argv + 1;
  arena = aligned_alloc (64, size);
  fill_arena (TRUE, N_BUFFERS);
  fd = g_file_open_tmp ("fir-XXXXXX", &path, NULL);
  if (fd < 0 || write (fd, arena, size) != (gssize) size)
    return 1;
  close (fd);
  if (!peer_start (&python, "fir-peer.py", path, CHANNELS, RATE))
    fprintf (stderr, "skipped: no Python for MNE and scipy\n");
  for (i = 0; i < G_N_ELEMENTS (lengths); i++) {
    name = g_strdup_printf ("%u", lengths[i]);
    if (is_wanted (name))
      ok &= bench_length (lengths[i]);
    g_free (name);
  }
  peer_stop (&python);
  g_unlink (path);
  g_free (path);
  if (is_wanted ("live")) {
    fill_arena (TRUE, N_BUFFERS);
    ok &= bench_live (384, 30000, 1001, 30, "none");
    ok &= bench_live (64, 5000, 165001, 20, "none");
  }
  free (arena);
  return ok ? 0 : 1;
}
