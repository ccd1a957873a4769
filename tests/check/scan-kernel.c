/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Moments, tones and counts: every build against a plain loop in long double,
 * and every split of the input against one call, bit by bit. */
#include <gst/check/gstcheck.h>

#include <math.h>
#include <string.h>

#include "scan.h"

#define FRAMES 1000
#define TONE_A 0.05
#define TONE_B 0.123456

static const guint counts[] = { 1, 2, 7, 8, 9, 16, 19, 64, 67, 4096 };

/* Channel c: an offset, two tones and noise; in some of them values that are no
 * numbers, and rails at +-1000. */
static gdouble
sample_at (gsize frame, guint channel)
{
  guint32 noise = (frame * 131 + channel * 7 + 1) * 2654435761u;
  gdouble value = 100 * (channel % 5)
      + 20 * sin (2 * G_PI * TONE_A * frame + channel)
      + 5 * sin (2 * G_PI * TONE_B * frame) + (noise >> 8) / 16777216.0;

  switch (channel % 11) {
    case 1:
      return frame % 97 == 3 ? NAN : value;
    case 2:
      return frame % 101 == 7 ? -INFINITY : value;
    case 3:
      return frame % 50 < 4 ? 1000 : value;
    case 4:
      return frame % 50 < 2 ? -1000 : value;
    case 5:
      return frame >= FRAMES - 10 ? 1e6 : value;
    case 6:
      return NAN;
    case 7:
      return 3.25;
    default:
      return value;
  }
}

static gpointer
make_samples (guint channels, eeg_scan_format format)
{
  gsize n = (gsize) FRAMES * channels, i;
  gdouble *wide = g_new (gdouble, n);
  gfloat *narrow = g_new (gfloat, n);

  for (i = 0; i < n; i++)
    narrow[i] = wide[i] = sample_at (i / channels, i % channels);
  if (format == EEG_SCAN_F32) {
    g_free (wide);
    return narrow;
  }
  g_free (narrow);
  return wide;
}

static gdouble
read_sample (gconstpointer in, eeg_scan_format format, gsize i)
{
  return format == EEG_SCAN_F32 ? ((const gfloat *) in)[i]
                                : ((const gdouble *) in)[i];
}

static eeg_scan *
make_scan (guint channels, eeg_scan_format format, guint n_tones,
    gboolean limits, eeg_cpu cpu)
{
  gdouble *low = g_new (gdouble, 4 * channels);
  eeg_scan_config config = { .channels = channels,
    .format = format,
    .clip_samples = 3,
    .n_tones = n_tones,
    .tones = { TONE_A, TONE_B },
    .cpu = cpu };
  eeg_scan *scan;
  guint c;

  for (c = 0; c < channels; c++) {
    low[c] = -800;
    low[channels + c] = 2000;
    low[2 * channels + c] = -1000;
    low[3 * channels + c] = 1000;
  }
  if (limits) {
    config.low = low;
    config.high = low + channels;
    config.rail_low = low + 2 * channels;
    config.rail_high = low + 3 * channels;
  }
  scan = eeg_scan_new (&config);
  g_free (low);
  fail_unless (scan != NULL);
  fail_unless_equals_int (eeg_scan_get_cpu (scan), cpu);
  fail_unless (eeg_scan_get_size (scan) > channels * 8);
  return scan;
}

static void
check_close (const gchar *what, guint channel, gdouble got,
    long double expected, long double scale)
{
  fail_unless (fabsl (got - expected) <= 1e-11L * scale,
      "%s of channel %u: %.17g, not %.17g", what, channel, got,
      (gdouble) expected);
}

static void
check_channel (const eeg_scan *scan, gconstpointer in, eeg_scan_format format,
    guint channels, guint c, guint n_tones, gboolean limits)
{
  static const gdouble tones[] = { TONE_A, TONE_B };
  long double sum = 0, square = 0, mean, re, im;
  gdouble min = INFINITY, max = -INFINITY, origin;
  eeg_scan_moments got;
  eeg_scan_counts n = { 0 }, got_n;
  guint64 good = 0;
  guint run = 0, t;
  gsize f;

  origin = read_sample (in, format, c);
  for (f = 0; f < FRAMES; f++) {
    gdouble v = read_sample (in, format, f * channels + c);

    if (!isfinite (v)) {
      n.not_finite++;
      run = 0;
      continue;
    }
    good++;
    sum += v;
    min = MIN (min, v);
    max = MAX (max, v);
    n.outside += limits && (v < -800 || v > 2000);
    run = fabs (v) >= 1000 ? run + 1 : 0;
    n.clipped += limits && run >= 3;
  }
  eeg_scan_get_counts (scan, c, &got_n);
  fail_unless_equals_uint64 (got_n.not_finite, n.not_finite);
  fail_unless_equals_uint64 (got_n.outside, n.outside);
  fail_unless_equals_uint64 (got_n.clipped, n.clipped);
  eeg_scan_get_moments (scan, c, &got);
  fail_unless_equals_uint64 (got.frames, good);
  if (good == 0)
    return;
  mean = sum / good;
  for (f = 0; f < FRAMES; f++) {
    gdouble v = read_sample (in, format, f * channels + c);

    if (isfinite (v))
      square += (v - mean) * (v - mean);
  }
  fail_unless (got.min == min && got.max == max);
  check_close ("mean", c, got.mean, mean, fabsl (mean) + 1);
  check_close ("variance", c, got.variance, square / good,
      square / good + (mean - origin) * (mean - origin) + 1);
  for (t = 0; t < n_tones && n.not_finite == 0; t++) {
    re = im = 0;
    for (f = 0; f < FRAMES; f++) {
      gdouble v = read_sample (in, format, f * channels + c);

      re += (v - mean) * cosl (2 * G_PI * tones[t] * f);
      im += (v - mean) * sinl (2 * G_PI * tones[t] * f);
    }
    check_close ("tone", c, got.tones[t],
        2 * (re * re + im * im) / ((long double) FRAMES * FRAMES),
        square / good + 1);
  }
}

GST_START_TEST (test_against_plain)
{
  const eeg_scan_format format = __i__ % 2;
  const eeg_cpu cpu = __i__ / 2;
  guint i, n_tones, limits, c;

  if (!eeg_cpu_supports (cpu))
    return;
  for (i = 0; i < G_N_ELEMENTS (counts); i++) {
    gpointer in = make_samples (counts[i], format);

    for (n_tones = 0; n_tones <= 2; n_tones++)
      for (limits = 0; limits <= 1; limits++) {
        eeg_scan *scan = make_scan (counts[i], format, n_tones, limits, cpu);

        eeg_scan_add (scan, in, FRAMES);
        for (c = 0; c < MIN (counts[i], 100); c++)
          check_channel (scan, in, format, counts[i], c, n_tones, limits);
        eeg_scan_free (scan);
        if (counts[i] > 100 && !(n_tones == 2 && limits == 0))
          break;
      }
    g_free (in);
  }
}

GST_END_TEST;

/* One call, many calls, another CPU: the same bits. */
GST_START_TEST (test_splits)
{
  const eeg_scan_format format = __i__ % 2;
  const gsize size = format == EEG_SCAN_F32 ? 4 : 8;
  const guint channels = 19;
  gpointer in = make_samples (channels, format);
  eeg_scan *whole = make_scan (channels, format, 2, TRUE, EEG_CPU_BASE);
  eeg_cpu cpu;

  eeg_scan_add (whole, in, FRAMES);
  for (cpu = 0; cpu < EEG_CPU_COUNT; cpu++) {
    eeg_scan *scan;
    guint8 *odd;
    gsize done, step = 1;
    guint c;

    if (!eeg_cpu_supports (cpu))
      continue;
    scan = make_scan (channels, format, 2, TRUE, cpu);
    /* where no sample is aligned */
    odd = g_malloc (FRAMES * channels * size + 1);
    memcpy (odd + 1, in, FRAMES * channels * size);
    for (done = 0; done < FRAMES; done += step) {
      step = MIN (step * 7 % 301 + 1, FRAMES - done);
      eeg_scan_add (scan, odd + 1 + done * channels * size, step);
    }
    for (c = 0; c < channels; c++) {
      eeg_scan_moments a = { 0 }, b = { 0 };
      eeg_scan_counts m, n;

      eeg_scan_get_moments (whole, c, &a);
      eeg_scan_get_moments (scan, c, &b);
      fail_unless (memcmp (&a, &b, sizeof a) == 0, "channel %u", c);
      eeg_scan_get_counts (whole, c, &m);
      eeg_scan_get_counts (scan, c, &n);
      fail_unless (memcmp (&m, &n, sizeof m) == 0);
    }
    eeg_scan_free (scan);
    g_free (odd);
  }
  eeg_scan_free (whole);
  g_free (in);
}

GST_END_TEST;

/* A new window forgets moments, not how long a rail lasts; counts are cleared
 * by themselves. */
GST_START_TEST (test_windows)
{
  static const gdouble low[] = { -1 }, high[] = { 1 };
  eeg_scan_config config = { .channels = 1,
    .format = EEG_SCAN_F64,
    .low = low,
    .high = high,
    .rail_low = low,
    .rail_high = high,
    .clip_samples = 3,
    .cpu = eeg_cpu_choose () };
  static const gdouble earlier[] = { 0.5, 1, 1 }, later[] = { 1, 0.25, 2 };
  eeg_scan *scan = eeg_scan_new (&config);
  eeg_scan_moments m;
  eeg_scan_counts n;

  eeg_scan_add (scan, earlier, 3);
  fail_if (eeg_scan_has_counts (scan));
  eeg_scan_start (scan);
  eeg_scan_get_moments (scan, 0, &m);
  fail_unless_equals_uint64 (m.frames, 0);
  eeg_scan_add (scan, later, 3);
  fail_unless (eeg_scan_has_counts (scan));
  eeg_scan_get_counts (scan, 0, &n);
  fail_unless (n.clipped == 1 && n.outside == 1 && n.not_finite == 0);
  eeg_scan_get_moments (scan, 0, &m);
  fail_unless (m.min == 0.25 && m.max == 2 && m.frames == 3);
  eeg_scan_clear_counts (scan);
  fail_if (eeg_scan_has_counts (scan));
  eeg_scan_get_moments (scan, 0, &m);
  fail_unless_equals_uint64 (m.frames, 3);
  eeg_scan_add (scan, earlier + 1, 2);
  eeg_scan_get_counts (scan, 0, &n);
  fail_unless (n.clipped == 1 && n.outside == 0);
  eeg_scan_reset (scan);
  fail_if (eeg_scan_has_counts (scan));
  eeg_scan_add (scan, earlier + 1, 2);
  fail_if (eeg_scan_has_counts (scan));
  eeg_scan_free (scan);
}

GST_END_TEST;

/* The share of a pure tone is 1, whatever the offset; that of noise is
 * small. */
GST_START_TEST (test_share)
{
  eeg_scan_config config = { .channels = 2,
    .format = EEG_SCAN_F64,
    .n_tones = 1,
    .tones = { 0.2 },
    .cpu = eeg_cpu_choose () };
  gdouble in[2 * 500];
  eeg_scan_moments m;
  eeg_scan *scan;
  guint i;

  for (i = 0; i < 500; i++) {
    in[2 * i] = 1e6 + 3 * sin (2 * G_PI * 0.2 * i + 1);
    in[2 * i + 1] = (guint32) (i * i * 2654435761u) / 4294967296.0;
  }
  scan = eeg_scan_new (&config);
  eeg_scan_add (scan, in, 500);
  eeg_scan_get_moments (scan, 0, &m);
  fail_unless (fabs (m.variance - 4.5) < 1e-8);
  fail_unless (fabs (m.tones[0] - 4.5) < 1e-8);
  eeg_scan_get_moments (scan, 1, &m);
  fail_unless (m.tones[0] / m.variance < 0.1);
  eeg_scan_free (scan);
}

GST_END_TEST;

GST_START_TEST (test_refused)
{
  static const eeg_scan_config bad[] = { { .channels = 0 },
    { .channels = EEG_SCAN_MAX_CHANNELS + 1 }, { .channels = 1, .n_tones = 3 },
    { .channels = 1, .n_tones = 1, .tones = { 0.5 } },
    { .channels = 1, .n_tones = 1, .tones = { NAN } },
    { .channels = 1, .n_tones = 2, .tones = { 0.1, 0 } } };

  fail_unless (eeg_scan_new (&bad[__i__]) == NULL);
  eeg_scan_free (NULL);
}

GST_END_TEST;

static Suite *
scan_kernel_suite (void)
{
  Suite *s = suite_create ("scan-kernel");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_against_plain, 0, 2 * EEG_CPU_COUNT);
  tcase_add_loop_test (tc, test_splits, 0, 2);
  tcase_add_test (tc, test_windows);
  tcase_add_test (tc, test_share);
  tcase_add_loop_test (tc, test_refused, 0, 6);
  return s;
}

GST_CHECK_MAIN (scan_kernel);
