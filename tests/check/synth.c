/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/check/gstcheck.h>

#include "synth.h"

#include <math.h>
#include <string.h>
#include <zstd.h>

static const enum eeg_synth_format formats[] = { EEG_SYNTH_S16LE,
  EEG_SYNTH_S24LE, EEG_SYNTH_S32LE };

static gint32
read_sample (const guint8 *data, enum eeg_synth_format format)
{
  switch (format) {
    case EEG_SYNTH_S16LE:
      return (gint16) GST_READ_UINT16_LE (data);
    case EEG_SYNTH_S24LE:
      return (gint32) (GST_READ_UINT24_LE (data) << 8) >> 8;
    default:
      return (gint32) GST_READ_UINT32_LE (data);
  }
}

static gint32 *
render (guint64 seed, guint channels, guint rate, gsize frames)
{
  eeg_synth *synth = eeg_synth_new (seed, channels, rate, 1);
  gint32 *data = g_new (gint32, frames * channels);

  fail_unless (synth != NULL);
  eeg_synth_render (synth, EEG_SYNTH_S32LE, 0, frames, data);
  eeg_synth_free (synth);
  return data;
}

GST_START_TEST (test_limits)
{
  eeg_synth *synth;

  fail_unless (eeg_synth_new (0, 0, 250, 1) == NULL);
  fail_unless (eeg_synth_new (0, EEG_SYNTH_MAX_CHANNELS + 1, 250, 1) == NULL);
  fail_unless (eeg_synth_new (0, G_MAXUINT32, 250, 1) == NULL);
  fail_unless (eeg_synth_new (0, 8, 0, 1) == NULL);
  fail_unless (eeg_synth_new (0, 8, 250, 0) == NULL);

  synth = eeg_synth_new (0, EEG_SYNTH_MAX_CHANNELS, G_MAXINT32, 1);
  fail_unless (synth != NULL);
  eeg_synth_free (synth);
  synth = eeg_synth_new (0, 1, 1, G_MAXINT32);
  fail_unless (synth != NULL);
  eeg_synth_free (synth);
  eeg_synth_free (NULL);
}
GST_END_TEST;

/* Any split and any order of calls gives the bytes of one call. */
GST_START_TEST (test_splits)
{
  static const struct
  {
    guint channels, rate_n, rate_d;
    guint64 first;
  } cases[] = { { 1, 250, 1, 0 }, { 8, 250, 1, 777 }, { 19, 64, 5, 100000 },
    { 64, 2048, 1, G_GUINT64_CONSTANT (1) << 36 } };
  const gsize frames = 1500;
  GRand *rand = g_rand_new_with_seed (20);
  guint i, f;

  for (i = 0; i < G_N_ELEMENTS (cases); i++) {
    eeg_synth *synth =
        eeg_synth_new (42, cases[i].channels, cases[i].rate_n, cases[i].rate_d);

    for (f = 0; f < G_N_ELEMENTS (formats); f++) {
      gsize size = cases[i].channels * eeg_synth_sample_size (formats[f]);
      guint8 *whole = g_malloc (frames * size);
      guint8 *parts = g_malloc0 (frames * size);
      gsize at = 0;
      guint k;

      eeg_synth_render (synth, formats[f], cases[i].first, frames, whole);
      while (at < frames) {
        gsize n = g_rand_int_range (rand, 1, 150);

        n = MIN (n, frames - at);
        eeg_synth_render (synth, formats[f], cases[i].first + at, n,
            parts + at * size);
        at += n;
      }
      fail_unless (memcmp (whole, parts, frames * size) == 0);

      for (k = 0; k < 300; k++) {
        at = g_rand_int_range (rand, 0, frames);
        eeg_synth_render (synth, formats[f], cases[i].first + at, 1,
            parts + at * size);
      }
      fail_unless (memcmp (whole, parts, frames * size) == 0);
      g_free (whole);
      g_free (parts);
    }
    eeg_synth_free (synth);
  }
  g_rand_free (rand);
}
GST_END_TEST;

/* Bytes behind the frames stay as they are, for every width. */
GST_START_TEST (test_bounds)
{
  guint channels, f;

  for (channels = 1; channels <= 18; channels++) {
    eeg_synth *synth = eeg_synth_new (1, channels, 500, 1);

    for (f = 0; f < G_N_ELEMENTS (formats); f++) {
      gsize size = 70 * channels * eeg_synth_sample_size (formats[f]);
      guint8 *data = g_malloc (size); /* exact, for the address sanitizer */

      eeg_synth_render (synth, formats[f], 3, 70, data);
      g_free (data);
    }
    eeg_synth_free (synth);
  }
}
GST_END_TEST;

/* S24LE holds the counts of S32LE, S16LE a quarter of them without offset. */
GST_START_TEST (test_formats_agree)
{
  const guint channels = 21, frames = 2000;
  eeg_synth *synth = eeg_synth_new (9, channels, 500, 1);
  guint8 *data[3];
  guint f, c, i;

  for (f = 0; f < 3; f++) {
    data[f] = g_malloc (frames * channels * eeg_synth_sample_size (formats[f]));
    eeg_synth_render (synth, formats[f], 0, frames, data[f]);
  }
  for (c = 0; c < channels; c++) {
    gint32 offset = 0;

    for (i = 0; i < frames; i++) {
      guint at = i * channels + c;
      gint32 s16 = read_sample (data[0] + 2 * at, EEG_SYNTH_S16LE);
      gint32 s24 = read_sample (data[1] + 3 * at, EEG_SYNTH_S24LE);
      gint32 s32 = read_sample (data[2] + 4 * at, EEG_SYNTH_S32LE);

      fail_unless_equals_int (s24, s32);
      if (i == 0)
        offset = s32 - 4 * s16;
      fail_unless (ABS (s32 - offset - 4 * s16) <= 4);
    }
  }
  for (f = 0; f < 3; f++)
    g_free (data[f]);
  eeg_synth_free (synth);
}
GST_END_TEST;

GST_START_TEST (test_seeds)
{
  gint32 *a = render (1, 8, 250, 1000), *b = render (2, 8, 250, 1000);
  gint32 *c = render (1, 8, 250, 1000);
  guint i, equal = 0;

  for (i = 0; i < 8000; i++)
    equal += a[i] == b[i];
  fail_unless (equal < 10, "%u of 8000 samples are equal", equal);
  fail_unless (memcmp (a, c, 8000 * sizeof *a) == 0);
  g_free (a);
  g_free (b);
  g_free (c);
}
GST_END_TEST;

/* The file a recorder writes from it must compress as real EEG does. */
GST_START_TEST (test_compressibility)
{
  static const struct
  {
    guint channels, rate;
  } cases[] = { { 8, 250 }, { 64, 250 }, { 8, 1000 }, { 64, 1000 },
    { 64, 2048 } };
  guint i, seed;

  for (i = 0; i < G_N_ELEMENTS (cases); i++) {
    for (seed = 0; seed < 3; seed++) {
      eeg_synth *synth =
          eeg_synth_new (seed, cases[i].channels, cases[i].rate, 1);
      gsize frames = 3 * 1024 * 1024 / 3 / cases[i].channels;
      gsize size = frames * cases[i].channels * 3;
      gsize bound = ZSTD_compressBound (size), packed;
      guint8 *data = g_malloc (size), *out = g_malloc (bound);
      gdouble ratio;

      eeg_synth_render (synth, EEG_SYNTH_S24LE, 0, frames, data);
      packed = ZSTD_compress (out, bound, data, size, 3);
      fail_if (ZSTD_isError (packed));
      ratio = (gdouble) size / (gdouble) packed;
      GST_INFO ("%u channels, %u Hz, seed %u: %.3f", cases[i].channels,
          cases[i].rate, seed, ratio);
      fail_unless (ratio >= 1.05 && ratio <= 1.4,
          "%u channels at %u Hz, seed %u: ratio %.3f", cases[i].channels,
          cases[i].rate, seed, ratio);
      g_free (data);
      g_free (out);
      eeg_synth_free (synth);
    }
  }
}
GST_END_TEST;

/* Power at one frequency, in squared counts. */
static gdouble
power_at (const gint32 *data, guint channels, guint channel, gsize frames,
    gdouble cycles_per_sample)
{
  gdouble mean = 0, re = 0, im = 0;
  gsize i;

  for (i = 0; i < frames; i++)
    mean += data[i * channels + channel];
  mean /= frames;
  for (i = 0; i < frames; i++) {
    gdouble window = 1 - cos (2 * G_PI * (i + 0.5) / frames);
    gdouble x = window * (data[i * channels + channel] - mean);

    re += x * cos (2 * G_PI * cycles_per_sample * i);
    im += x * sin (2 * G_PI * cycles_per_sample * i);
  }
  return (re * re + im * im) / ((gdouble) frames * frames);
}

static gdouble
band_power (const gint32 *data, guint channel, gdouble low, gdouble high)
{
  gdouble sum = 0, f;
  guint n = 0;

  for (f = low; f < high; f += 0.1, n++)
    sum += power_at (data, 64, channel, 15000, f / 250);
  return sum / n;
}

GST_START_TEST (test_looks_like_eeg)
{
  const guint channels = 64, rate = 250, frames = 15000;
  gint32 *data = render (0, channels, rate, frames);
  eeg_synth *synth = eeg_synth_new (0, channels, rate, 1);
  guint c, large_offsets = 0, other = 0;
  const guint fp1 = 0, o1 = 6;
  gdouble slow, fast, alpha, beside, mains, no_mains;
  gint32 fp1_max = G_MININT32, o1_max = G_MININT32;
  gdouble fp1_mean = 0, o1_mean = 0;

  for (c = 0; c < channels; c++) {
    gdouble mean = 0, square = 0, rms;
    guint i;

    for (i = 0; i < frames; i++)
      mean += data[i * channels + c];
    mean /= frames;
    for (i = 0; i < frames; i++) {
      gdouble x = data[i * channels + c] - mean;

      square += x * x;
    }
    rms = sqrt (square / frames) / 32; /* microvolts */
    fail_unless (rms > 5 && rms < 80, "channel %u: %.1f uV", c, rms);
    fail_unless (fabs (mean) < 105e3 * 32, "channel %u: %.0f", c, mean);
    large_offsets += fabs (mean) > 20e3 * 32;
  }
  fail_unless (large_offsets >= 10);

  /* 1/f */
  slow = band_power (data, o1, 1, 3);
  fast = band_power (data, o1, 30, 40);
  fail_unless (slow > 4 * fast, "%g at 1-3 Hz, %g at 30-40 Hz", slow, fast);
  /* alpha above its neighbourhood, strongest behind */
  alpha = band_power (data, o1, 9, 11);
  beside = band_power (data, o1, 14, 18);
  fail_unless (alpha > 4 * beside, "%g at 10 Hz, %g at 16 Hz", alpha, beside);
  /* mains */
  mains = no_mains = 0;
  for (c = 0; c < channels; c++) {
    mains += power_at (data, channels, c, frames, 50.0 / rate);
    no_mains += power_at (data, channels, c, frames, 52.0 / rate);
  }
  fail_unless (mains > 100 * no_mains, "%g, beside it %g", mains, no_mains);
  /* blinks: upward peaks in front */
  for (c = 0; c < frames; c++) {
    fp1_mean += (gdouble) data[c * channels + fp1] / frames;
    o1_mean += (gdouble) data[c * channels + o1] / frames;
    fp1_max = MAX (fp1_max, data[c * channels + fp1]);
    o1_max = MAX (o1_max, data[c * channels + o1]);
  }
  fail_unless (fp1_max - fp1_mean > 100 * 32);
  fail_unless (fp1_max - fp1_mean > 1.3 * (o1_max - o1_mean));

  /* every channel its own calibration, in numbers that a header can hold */
  for (c = 0; c < channels; c++) {
    struct eeg_synth_channel a, b;

    eeg_synth_get_channel (synth, c, EEG_SYNTH_S24LE, &a);
    fail_unless (strlen (a.physical_min) <= 8);
    fail_unless (strlen (a.physical_max) <= 8);
    fail_unless_equals_int (a.digital_min, -8388608);
    fail_unless_equals_int (a.digital_max, 8388607);
    fail_unless (
        fabs (g_ascii_strtod (a.physical_max, NULL) / 262144 - 1) < 0.011);
    eeg_synth_get_channel (synth, c, EEG_SYNTH_S16LE, &b);
    fail_unless (strlen (b.physical_min) <= 8);
    fail_unless (strlen (b.physical_max) <= 8);
    fail_unless_equals_int (b.digital_min, -32768);
    fail_unless_equals_int (b.digital_max, 32767);
    /* both ranges say the same gain */
    fail_unless (fabs ((g_ascii_strtod (b.physical_max, NULL)
                           - g_ascii_strtod (b.physical_min, NULL))
                         / 65535
                         / ((g_ascii_strtod (a.physical_max, NULL)
                                - g_ascii_strtod (a.physical_min, NULL))
                             / 16777215)
                     - 4)
        < 1e-4);
    if (c > 0) {
      eeg_synth_get_channel (synth, 0, EEG_SYNTH_S24LE, &b);
      other += strcmp (a.physical_max, b.physical_max) != 0;
      fail_if (strcmp (a.label, b.label) == 0);
    }
  }
  fail_unless (other > channels / 2);

  eeg_synth_free (synth);
  g_free (data);
}
GST_END_TEST;

/* What the channels do not share is noise of about 1 uV, independent from
 * channel to channel: the second difference leaves little else. */
GST_START_TEST (test_independent_noise)
{
  const guint channels = 4, frames = 100000;
  gint32 *data = render (3, channels, 16384, frames);
  gdouble sum[4][4] = { { 0 } };
  guint i, a, b;

  for (i = 2; i < frames; i++) {
    gdouble d[4];

    for (a = 0; a < channels; a++) {
      const gint32 *x = data + i * channels + a;

      d[a] = x[0] - 2.0 * x[-(gint) channels] + x[-2 * (gint) channels];
    }
    for (a = 0; a < channels; a++) {
      for (b = 0; b < channels; b++)
        sum[a][b] += d[a] * d[b];
    }
  }
  for (a = 0; a < channels; a++) {
    /* the second difference of white noise has six times its power */
    gdouble rms = sqrt (sum[a][a] / frames / 6) / 32;

    fail_unless (rms > 0.5 && rms < 4, "channel %u: %.2f uV", a, rms);
    for (b = 0; b < a; b++) {
      gdouble r = sum[a][b] / sqrt (sum[a][a] * sum[b][b]);

      fail_unless (fabs (r) < 0.7, "%u and %u correlate by %.3f", a, b, r);
    }
  }
  g_free (data);
}
GST_END_TEST;

/* Nothing above half the rate is folded down. */
GST_START_TEST (test_no_aliases)
{
  const guint frames = 6000;
  gint32 *data = render (0, 1, 90, frames);
  gdouble at, beside;

  /* 50 Hz would appear at 40 Hz */
  at = power_at (data, 1, 0, frames, 40.0 / 90);
  beside = power_at (data, 1, 0, frames, 42.0 / 90);
  fail_unless (at < 100 * beside, "%g, beside it %g", at, beside);
  g_free (data);
}
GST_END_TEST;

static Suite *
synth_suite (void)
{
  Suite *s = suite_create ("synth");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_limits);
  tcase_add_test (tc, test_splits);
  tcase_add_test (tc, test_bounds);
  tcase_add_test (tc, test_formats_agree);
  tcase_add_test (tc, test_seeds);
  tcase_add_test (tc, test_compressibility);
  tcase_add_test (tc, test_looks_like_eeg);
  tcase_add_test (tc, test_independent_noise);
  tcase_add_test (tc, test_no_aliases);
  return s;
}

GST_CHECK_MAIN (synth);
