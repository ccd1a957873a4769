/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stages beside the FIR filter, each against a plain loop in C and against
 * scipy, MNE or numpy, which a Python program runs on the same samples in the
 * same run. One thread; 64 channels, F32LE. An argument picks the rows that
 * have it in their name. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "fir.h"
#include "iir.h"
#include "peer.h"
#include "sample-rig.h"

#define N_BUFFERS 16
#define N_FRAMES (N_BUFFERS * FRAMES)
#define DOWN 4
#define HALF (10 * DOWN)

/* As fast as the compiler makes a plain loop on this machine. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define PLAIN                                                                  \
  __attribute__ ((optimize ("O3"), noinline,                                   \
      target_clones ("arch=x86-64-v4", "arch=x86-64-v3", "default"))) static
#else
#define PLAIN __attribute__ ((noinline)) static
#endif

static gfloat *plain_in, *plain_out;
static const gchar *wanted = "";

typedef struct
{
  Rig rig;
  guint frames;
  const gchar *peer;
  void (*loop) (const gfloat *in, gfloat *out);
} Pair;

/* ---- plain loops ---- */

static EegIirDesign design;

PLAIN void
loop_iir (const gfloat *in, gfloat *out)
{
  static gdouble z0[EEG_IIR_MAX_SECTIONS][CHANNELS];
  static gdouble z1[EEG_IIR_MAX_SECTIONS][CHANNELS];
  gdouble x[CHANNELS];
  gsize f, s, c;

  for (f = 0; f < N_FRAMES; f++) {
    for (c = 0; c < CHANNELS; c++)
      x[c] = in[f * CHANNELS + c];
    for (s = 0; s < design.n_sections; s++) {
      const EegIirSection k = design.sections[s];

      for (c = 0; c < CHANNELS; c++) {
        gdouble y = k.b[0] * x[c] + z0[s][c];

        z0[s][c] = k.b[1] * x[c] - k.a[0] * y + z1[s][c];
        z1[s][c] = k.b[2] * x[c] - k.a[1] * y;
        x[c] = y;
      }
    }
    for (c = 0; c < CHANNELS; c++)
      out[f * CHANNELS + c] = x[c];
  }
}

PLAIN void
loop_average (const gfloat *in, gfloat *out)
{
  gsize f, c;

  for (f = 0; f < N_FRAMES; f++, in += CHANNELS, out += CHANNELS) {
    gdouble mean = 0;

    for (c = 0; c < CHANNELS; c++)
      mean += in[c];
    mean /= CHANNELS;
    for (c = 0; c < CHANNELS; c++)
      out[c] = in[c] - mean;
  }
}

static guint from[CHANNELS];
static gint minus[CHANNELS];

PLAIN void
loop_bipolar (const gfloat *in, gfloat *out)
{
  gsize f, c;

  for (f = 0; f < N_FRAMES; f++, in += CHANNELS, out += CHANNELS / 2) {
    for (c = 0; c < CHANNELS / 2; c++)
      out[c] = in[from[c]] - in[minus[c]];
  }
}

PLAIN void
loop_select (const gfloat *in, gfloat *out)
{
  gsize f, c;

  for (f = 0; f < N_FRAMES; f++, in += CHANNELS, out += CHANNELS / 2) {
    for (c = 0; c < CHANNELS / 2; c++)
      out[c] = in[from[c]];
  }
}

PLAIN void
loop_copy (const gfloat *in, gfloat *out)
{
  gsize i;

  for (i = 0; i < N_FRAMES * CHANNELS; i++)
    out[i] = in[i];
}

static gdouble gains[CHANNELS], offsets[CHANNELS];

PLAIN void
loop_counts (const gfloat *in, gfloat *out)
{
  gint32 *counts = (gint32 *) out;
  gsize f, c;

  for (f = 0; f < N_FRAMES; f++, in += CHANNELS, counts += CHANNELS) {
    for (c = 0; c < CHANNELS; c++) {
      gdouble count = rint ((in[c] - offsets[c]) / gains[c]);

      count = count > G_MININT32 ? count : G_MININT32;
      counts[c] = count < G_MAXINT32 ? count : G_MAXINT32;
    }
  }
}

/* More where both sides only copy memory, which others use too. */
static guint loop_rounds = 31;

static gsize piece_frames;
static gfloat *piece; /* memory of the same kind as that of a buffer */

/* Copies buffer by buffer into one piece after the other. */
PLAIN void
loop_batch (const gfloat *in, gfloat *out)
{
  gsize f, n, filled = 0;

  for (f = 0; f < N_FRAMES; f += n) {
    n = MIN (piece_frames - filled, FRAMES - f % FRAMES);
    memcpy (piece + filled * CHANNELS, in + f * CHANNELS,
        n * CHANNELS * sizeof *piece);
    filled = (filled + n) % piece_frames;
  }
}

static gdouble scan_low[CHANNELS], scan_high[CHANNELS];

/* What eegvalidate looks for, in windows of a second. */
PLAIN void
loop_validate (const gfloat *in, gfloat *out)
{
  static gdouble origin[CHANNELS], low[CHANNELS], high[CHANNELS];
  static gdouble sum[CHANNELS], square[CHANNELS], run[CHANNELS];
  static gdouble bad[CHANNELS], outside[CHANNELS], clipped[CHANNELS];
  static gdouble tones[4][CHANNELS];
  const gdouble a = 2 * cos (2 * G_PI * 50 / RATE);
  const gdouble b = 2 * cos (2 * G_PI * 60 / RATE);
  gsize f, c;

  for (f = 0; f < N_FRAMES; f++, in += CHANNELS) {
    if (f % RATE == 0) {
      for (c = 0; c < CHANNELS; c++) {
        out[c] = sum[c] + square[c] + tones[0][c] + tones[2][c] + bad[c]
            + outside[c] + clipped[c] + low[c] + high[c];
        origin[c] = in[c];
        low[c] = INFINITY;
        high[c] = -INFINITY;
        sum[c] = square[c] = 0;
        tones[0][c] = tones[1][c] = tones[2][c] = tones[3][c] = 0;
      }
    }
    for (c = 0; c < CHANNELS; c++) {
      gdouble v = in[c], good = v - v == 0;
      gdouble y = v - v == 0 ? v - origin[c] : 0;
      gdouble first = a * tones[0][c] - tones[1][c] + y;
      gdouble second = b * tones[2][c] - tones[3][c] + y;
      gdouble is_out = v < scan_low[c] ? 1 : v > scan_high[c] ? 1 : 0;
      gdouble is_rail = v <= scan_low[c] ? 1 : v >= scan_high[c] ? 1 : 0;

      bad[c] += 1 - good;
      low[c] = v < low[c] ? v : low[c];
      high[c] = v > high[c] ? v : high[c];
      sum[c] += y;
      square[c] += y * y;
      outside[c] += is_out;
      run[c] = (run[c] + 1) * is_rail;
      clipped[c] += run[c] >= 3 ? 1 : 0;
      tones[1][c] = tones[0][c];
      tones[0][c] = first;
      tones[3][c] = tones[2][c];
      tones[2][c] = second;
    }
  }
}

/* What eegstats says of windows of a second, with transforms of 1024 points by
 * two, of one channel after the other. */
#define POINTS 1024
static gdouble hann[RATE], roots[POINTS];

PLAIN void
transform (gdouble *re, gdouble *im)
{
  gsize i, j, k, m, size;

  for (i = 1, j = 0; i < POINTS; i++) {
    gsize bit = POINTS / 2;

    for (; j & bit; bit /= 2)
      j ^= bit;
    j ^= bit;
    if (i < j) {
      gdouble t = re[i];

      re[i] = re[j];
      re[j] = t;
      t = im[i];
      im[i] = im[j];
      im[j] = t;
    }
  }
  for (size = 2; size <= POINTS; size *= 2)
    for (i = 0; i < POINTS; i += size)
      for (k = 0; k < size / 2; k++) {
        const gdouble c = roots[2 * (k * (POINTS / size))];
        const gdouble d = roots[2 * (k * (POINTS / size)) + 1];
        gdouble tr, ti;

        j = i + k;
        m = j + size / 2;
        tr = re[m] * c - im[m] * d;
        ti = re[m] * d + im[m] * c;
        re[m] = re[j] - tr;
        im[m] = im[j] - ti;
        re[j] += tr;
        im[j] += ti;
      }
}

PLAIN void
loop_stats (const gfloat *in, gfloat *out)
{
  static gdouble re[POINTS], im[POINTS];
  gsize start, c, i, k;

  for (start = 0; start + RATE <= N_FRAMES; start += RATE)
    for (c = 0; c < CHANNELS; c++) {
      const gfloat *x = in + start * CHANNELS + c;
      gdouble sum = 0, square = 0, low = x[0], high = x[0], power[8] = { 0 };

      for (i = 0; i < RATE; i++) {
        const gdouble v = x[i * CHANNELS];

        sum += v;
        square += v * v;
        low = v < low ? v : low;
        high = v > high ? v : high;
      }
      for (i = 0; i < RATE; i++)
        re[i] = (x[i * CHANNELS] - sum / RATE) * hann[i];
      memset (re + RATE, 0, (POINTS - RATE) * sizeof *re);
      memset (im, 0, sizeof im);
      transform (re, im);
      for (k = 1; k <= POINTS / 2; k++) {
        const gdouble f = (gdouble) k * RATE / POINTS;
        const gdouble p = re[k] * re[k] + im[k] * im[k];

        power[f < 4      ? 0
                : f < 8  ? 1
                : f < 13 ? 2
                : f < 30 ? 3
                : f < 45 ? 4
                : f < 49 ? 5
                : f < 51 ? 6
                         : 7] += p;
      }
      out[c] = sum + square + low + high + power[0] + power[1] + power[2]
          + power[3] + power[4] + power[6] / (power[5] + power[7]);
    }
}

static gdouble taps[2 * HALF + 1];

/* Without the ends, where there is less to do. */
PLAIN void
loop_decimate (const gfloat *in, gfloat *out)
{
  gsize m, k, c;

  for (m = HALF / DOWN; m < (N_FRAMES - HALF) / DOWN; m++) {
    const gfloat *x = in + (m * DOWN - HALF) * CHANNELS;
    gdouble sum[CHANNELS] = { 0 };

    for (k = 0; k <= 2 * HALF; k++, x += CHANNELS) {
      for (c = 0; c < CHANNELS; c++)
        sum[c] += taps[k] * x[c];
    }
    for (c = 0; c < CHANNELS; c++)
      out[m * CHANNELS + c] = sum[c];
  }
}

/* ---- the two sides ---- */

static double
run_element (void *data)
{
  /* elements that work in place find the same samples each time */
  memcpy (arena, plain_in, (gsize) N_BUFFERS * BUFFER_BYTES);
  return rig_push (&((Pair *) data)->rig, N_BUFFERS, ((Pair *) data)->frames);
}

static double
run_loop (void *data)
{
  double start;

  /* the same memory in the same state */
  memcpy (arena, plain_in, (gsize) N_BUFFERS * BUFFER_BYTES);
  start = bench_now ();
  ((Pair *) data)->loop ((const gfloat *) arena, plain_out);
  return bench_now () - start;
}

static Peer python;

static double
run_peer (void *data)
{
  return peer_run (&python, ((Pair *) data)->peer);
}

/* transfer full for caps, of F32LE */
static bool
bench_caps (GstCaps *caps, guint channels, const gchar *line, const gchar *what,
    const gchar *peer, const gchar *peer_name, gdouble target,
    void (*loop) (const gfloat *in, gfloat *out))
{
  Pair pair = { .frames = FRAMES * CHANNELS / channels,
    .loop = loop,
    .peer = peer };
  gchar *data = g_strdup_printf ("noise-%uch", channels);
  gchar *loop_name = g_strdup_printf ("%s / plain loop", what);
  gchar *scipy_name = g_strdup_printf ("%s / %s", what, peer_name);
  struct bench_row row = { .name = loop_name,
    .data = data,
    .packing = "F32LE",
    .threads = 1,
    .backend = eeg_cpu_name (eeg_cpu_choose ()),
    .target = 0.9,
    .direction = BENCH_AT_LEAST,
    .rounds = loop_rounds,
    .bytes = (guint64) N_BUFFERS * BUFFER_BYTES };
  GstElement *element;
  bool ok;

  if (strstr (what, wanted) == NULL) {
    gst_caps_unref (caps);
    g_free (data);
    g_free (loop_name);
    g_free (scipy_name);
    return true;
  }
  element = gst_parse_launch (line, NULL);
  if (element == NULL) {
    fprintf (stderr, "%s: no such element\n", what);
    gst_caps_unref (caps);
    g_free (data);
    g_free (loop_name);
    g_free (scipy_name);
    return false;
  }
  fill_arena (TRUE, N_BUFFERS);
  memcpy (plain_in, arena, (gsize) N_BUFFERS * BUFFER_BYTES);
  rig_init (&pair.rig, element, caps);
  ok = bench_compare (&row, run_element, run_loop, &pair);
  row.name = scipy_name;
  row.target = target;
  row.rounds = 5;
  if (run_peer (&pair) < 0)
    fprintf (stderr, "%s: not installed\n", scipy_name);
  else
    ok &= bench_compare (&row, run_element, run_peer, &pair);
  rig_clear (&pair.rig);
  g_free (data);
  g_free (loop_name);
  g_free (scipy_name);
  return ok;
}

static bool
bench_stage (const gchar *line, const gchar *what, const gchar *peer,
    const gchar *peer_name, gdouble target,
    void (*loop) (const gfloat *in, gfloat *out))
{
  return bench_caps (eeg_caps (GST_EEG_FORMAT_F32LE, GST_EEG_DOMAIN_VOLTAGE),
      CHANNELS, line, what, peer, peer_name, target, loop);
}

/* eegtoaudio and audiotoeeg, which have fewer channels than the others. */
static bool
bench_audio (void)
{
  const guint channels = CHANNELS / 2;
  GstEegInfo info;
  GstCaps *eeg, *audio;
  bool ok;

  gst_eeg_info_init (&info);
  gst_eeg_info_set (&info, GST_EEG_FORMAT_F32LE, GST_EEG_DOMAIN_VOLTAGE, RATE,
      1, channels, NULL);
  eeg = gst_eeg_info_to_caps (&info);
  gst_eeg_info_clear (&info);
  audio = gst_caps_new_simple ("audio/x-raw", "format", G_TYPE_STRING, "F32LE",
      "rate", G_TYPE_INT, RATE, "channels", G_TYPE_INT, channels, "layout",
      G_TYPE_STRING, "interleaved", "channel-mask", GST_TYPE_BITMASK,
      (guint64) 0, NULL);
  ok = bench_caps (eeg, channels, "eegtoaudio", "eegtoaudio", "copy",
      "numpy copy", 5, loop_copy);
  ok &= bench_caps (audio, channels, "audiotoeeg", "audiotoeeg", "copy",
      "numpy copy", 5, loop_copy);
  return ok;
}

int
main (int argc, char **argv)
{
  const gsize size = (gsize) N_BUFFERS * BUFFER_BYTES;
  const EegIirSpec spec = { .family = EEG_IIR_BUTTERWORTH,
    .band = EEG_IIR_BAND_PASS,
    .order = 4,
    .rate = RATE,
    .low = 1,
    .high = 40 };
  const gdouble cutoff = 1.0 / DOWN;
  GString *picks = g_string_new ("eegselect channels=");
  GString *pairs = g_string_new ("eegreference bipolar=");
  gchar *path = NULL;
  GstEegInfo info;
  GstCaps *caps;
  bool ok = true;
  guint c;
  gint fd;

  gst_init (&argc, &argv);
  if (argc > 1)
    wanted = argv[1];
  arena = aligned_alloc (64, size);
  plain_in = aligned_alloc (64, size);
  plain_out = aligned_alloc (64, size);
  memset (plain_out, 0, size);
  fill_arena (TRUE, N_BUFFERS);
  fd = g_file_open_tmp ("stages-XXXXXX", &path, NULL);
  if (fd < 0 || write (fd, arena, size) != (gssize) size
      || !peer_start (&python, "stages-peer.py", path, CHANNELS, RATE))
    return 1;
  close (fd);

  eeg_iir_design (&spec, &design);
  eeg_fir_firwin (taps, 2 * HALF + 1, &cutoff, 1, true, EEG_FIR_KAISER, 5.0);

  ok &= bench_stage ("iirfilter low=1 high=40", "iirfilter, 4 sections",
      "iirfilter", "scipy sosfilt", 5, loop_iir);
  ok &= bench_stage ("eegreference", "eegreference, average", "average",
      "MNE set_eeg_reference", 5, loop_average);
  for (c = 0; c < CHANNELS / 2; c++) {
    from[c] = 2 * c;
    minus[c] = 2 * c + 1;
    g_string_append_printf (pairs, "%sC%u-C%u", c > 0 ? "," : "", 2 * c,
        2 * c + 1);
  }
  ok &= bench_stage (pairs->str, "eegreference, 32 pairs", "bipolar",
      "MNE set_bipolar_reference", 5, loop_bipolar);
  ok &= bench_stage ("eegdecimate rate=250/1", "eegdecimate, 1000 to 250 Hz",
      "eegdecimate", "scipy resample_poly", 5, loop_decimate);
  for (c = 0; c < CHANNELS / 2; c++) {
    from[c] = (c * 31 + 5) % CHANNELS;
    g_string_append_printf (picks, "%sC%u", c > 0 ? "," : "", from[c]);
  }
  ok &= bench_stage (picks->str, "eegselect, 32 of 64", "eegselect",
      "numpy take", 1, loop_select);
  piece = aligned_alloc (64, 4 * BUFFER_BYTES);
  piece_frames = 1000;
  ok &= bench_stage ("eegbatch samples=1000", "eegbatch, 4096 to 1000 samples",
      "cut", "numpy array_split, copied", 1, loop_batch);
  piece_frames = 4 * FRAMES;
  loop_rounds = 101;
  ok &=
      bench_stage ("eegbatch samples=16384", "eegbatch, 4096 to 16384 samples",
          "join", "numpy concatenate", 1, loop_batch);
  loop_rounds = 31;

  caps = eeg_caps (GST_EEG_FORMAT_F32LE, GST_EEG_DOMAIN_VOLTAGE);
  gst_eeg_info_init (&info);
  gst_eeg_info_from_caps (&info, caps);
  for (c = 0; c < CHANNELS; c++)
    gst_eeg_channel_get_calibration (gst_eeg_channels_get (info.channel_table,
                                         c),
        &gains[c], &offsets[c]);
  gst_eeg_info_clear (&info);
  gst_caps_unref (caps);
  ok &= bench_stage ("voltagetoraw", "voltagetoraw, F32LE to S32LE",
      "voltagetoraw", "numpy", 5, loop_counts);
  ok &= bench_audio ();

  for (c = 0; c < RATE; c++)
    hann[c] = 0.5 - 0.5 * cos (2 * G_PI * c / RATE);
  for (c = 0; c < POINTS / 2; c++) {
    roots[2 * c] = cos (2 * G_PI * c / POINTS);
    roots[2 * c + 1] = -sin (2 * G_PI * c / POINTS);
  }
  for (c = 0; c < CHANNELS; c++) {
    scan_low[c] = -187500 - (gdouble) c;
    scan_high[c] = 187500;
  }
  ok &= bench_stage ("eegvalidate", "eegvalidate, all checks", "validate",
      "numpy", 5, loop_validate);
  ok &= bench_stage ("eegstats", "eegstats, windows of 1000 samples", "stats",
      "numpy and scipy welch", 5, loop_stats);

  peer_stop (&python);
  g_unlink (path);
  g_free (path);
  g_string_free (picks, TRUE);
  g_string_free (pairs, TRUE);
  free (arena);
  free (plain_in);
  free (plain_out);
  free (piece);
  return ok ? 0 : 1;
}
