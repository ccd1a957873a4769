/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Band powers: every build against sums of sines and cosines in long double,
 * and every split of the input against one call, bit by bit. */
#include <gst/check/gstcheck.h>

#include <math.h>
#include <string.h>

#include "welch.h"

#define FRAMES 400
#define N_BANDS 4

static const gdouble low[N_BANDS] = { 0, 0.02, 0.1, 0.25 };
static const gdouble high[N_BANDS] = { 1, 0.1, 0.3, 0.25 };

/* Tones and noise; channels are as different in size as they may be. */
static gdouble
sample_at (gsize frame, guint channel)
{
  static const gdouble sizes[] = { 1, 1e-6, 1e9, 30, 0 };
  guint32 noise = (frame * 131 + channel * 7 + 1) * 2654435761u;

  return sizes[channel % 5]
      * (100 + sin (2 * G_PI * 0.05 * frame + channel)
          + 0.1 * sin (2 * G_PI * 0.2 * frame) + (noise >> 8) / 16777216.0);
}

static gpointer
make_samples (guint channels, eeg_welch_format format)
{
  gsize n = (gsize) FRAMES * channels, i;
  gfloat *narrow = g_new (gfloat, n);
  gdouble *wide = g_new (gdouble, n);

  for (i = 0; i < n; i++)
    narrow[i] = wide[i] = sample_at (i / channels, i % channels);
  if (format == EEG_WELCH_F32) {
    g_free (wide);
    return narrow;
  }
  g_free (narrow);
  return wide;
}

static gdouble
read_sample (gconstpointer in, eeg_welch_format format, gsize i)
{
  return format == EEG_WELCH_F32 ? ((const gfloat *) in)[i]
                                 : ((const gdouble *) in)[i];
}

static eeg_welch *
make_welch (guint channels, eeg_welch_format format, gsize segment, eeg_cpu cpu)
{
  eeg_welch_config config = { .channels = channels,
    .format = format,
    .segment = segment,
    .n_bands = N_BANDS,
    .cpu = cpu };
  eeg_welch *welch;

  memcpy (config.low, low, sizeof low);
  memcpy (config.high, high, sizeof high);
  welch = eeg_welch_new (&config);
  fail_unless (welch != NULL);
  fail_unless_equals_int (eeg_welch_get_cpu (welch), cpu);
  fail_unless (eeg_welch_get_size (welch) > channels * segment * 8);
  return welch;
}

/* The power of every bin of one channel, by the definition. */
static void
plain_power (gconstpointer in, eeg_welch_format format, guint channels, guint c,
    gsize segment, gsize points, long double *power)
{
  const gsize step = segment - segment / 2;
  long double window_power = 0, re, im, mean, w;
  guint n_segments = 0;
  gsize start, k, i;

  memset (power, 0, (points / 2 + 1) * sizeof *power);
  for (i = 0; i < segment; i++) {
    w = 0.5L - 0.5L * cosl (2 * (long double) G_PI * i / segment);
    window_power += w * w;
  }
  for (start = 0; start + segment <= FRAMES; start += step, n_segments++) {
    for (mean = 0, i = 0; i < segment; i++)
      mean += read_sample (in, format, (start + i) * channels + c);
    mean /= segment;
    for (k = 0; k <= points / 2; k++) {
      for (re = im = 0, i = 0; i < segment; i++) {
        long double x =
            read_sample (in, format, (start + i) * channels + c) - mean;

        x *= 0.5L - 0.5L * cosl (2 * (long double) G_PI * i / segment);
        re += x * cosl (2 * (long double) G_PI * (k * i % points) / points);
        im += x * sinl (2 * (long double) G_PI * (k * i % points) / points);
      }
      power[k] += (re * re + im * im) * (k == 0 || k == points / 2 ? 1 : 2);
    }
  }
  for (k = 0; k <= points / 2; k++)
    power[k] /= points * window_power * n_segments;
}

static const struct
{
  guint channels;
  gsize segment, points;
} cases[] = {
  { 1, 64, 64 },
  { 7, 100, 128 },
  { 8, 2, 64 },
  { 9, 63, 64 },
  { 17, 129, 256 },
};

GST_START_TEST (test_against_plain)
{
  const guint channels = cases[__i__].channels;
  const gsize segment = cases[__i__].segment, points = cases[__i__].points;
  long double *power = g_new (long double, points / 2 + 1);
  eeg_welch_format format;
  eeg_cpu cpu;
  guint c, b;
  gsize k;

  for (format = EEG_WELCH_F32; format <= EEG_WELCH_F64; format++) {
    gpointer in = make_samples (channels, format);
    eeg_welch *builds[EEG_CPU_COUNT] = { NULL };

    for (cpu = 0; cpu < EEG_CPU_COUNT; cpu++) {
      if (!eeg_cpu_supports (cpu))
        continue;
      builds[cpu] = make_welch (channels, format, segment, cpu);
      fail_unless_equals_int (eeg_welch_get_points (builds[cpu]), points);
      eeg_welch_add (builds[cpu], in, FRAMES);
      fail_unless_equals_uint64 (eeg_welch_get_segments (builds[cpu]),
          (FRAMES - segment) / (segment - segment / 2) + 1);
    }
    for (c = 0; c < channels; c += 1 + channels / 8) {
      plain_power (in, format, channels, c, segment, points, power);
      for (b = 0; b < N_BANDS; b++) {
        long double expected = 0;

        for (k = 0; k <= points / 2; k++)
          if (k >= low[b] * points && k < high[b] * points)
            expected += power[k];
        for (cpu = 0; cpu < EEG_CPU_COUNT; cpu++) {
          gdouble got;

          if (builds[cpu] == NULL)
            continue;
          got = eeg_welch_get_power (builds[cpu], c, b);
          /* what the mean has lost in the samples is not the kernel's */
          fail_unless (fabsl (got - expected) <= 1e-10L * expected,
              "%s, channel %u, band %u: %.17g, not %.17g", eeg_cpu_name (cpu),
              c, b, got, (gdouble) expected);
        }
      }
    }
    for (cpu = 0; cpu < EEG_CPU_COUNT; cpu++)
      eeg_welch_free (builds[cpu]);
    g_free (in);
  }
  g_free (power);
}

GST_END_TEST;

/* One call or many, aligned or not: the same bits; so after a new start. */
GST_START_TEST (test_splits)
{
  const eeg_welch_format format = __i__;
  const gsize size = format == EEG_WELCH_F32 ? 4 : 8;
  const guint channels = 19;
  gpointer in = make_samples (channels, format);
  eeg_cpu cpu = eeg_cpu_choose ();
  eeg_welch *whole = make_welch (channels, format, 100, cpu);
  eeg_welch *parts = make_welch (channels, format, 100, cpu);
  guint8 *odd = g_malloc (FRAMES * channels * size + 1);
  guint round, c, b;

  eeg_welch_add (whole, in, FRAMES);
  memcpy (odd + 1, in, FRAMES * channels * size);
  for (round = 0; round < 2; round++) {
    gsize done, step = 1;

    eeg_welch_start (parts);
    fail_unless (eeg_welch_get_power (parts, 0, 0) == 0);
    for (done = 0; done < FRAMES; done += step) {
      step = MIN (step * 7 % 97 + 1, FRAMES - done);
      eeg_welch_add (parts, odd + 1 + done * channels * size, step);
    }
    for (c = 0; c < channels; c++)
      for (b = 0; b < N_BANDS; b++)
        fail_unless (eeg_welch_get_power (whole, c, b)
            == eeg_welch_get_power (parts, c, b));
  }
  eeg_welch_free (whole);
  eeg_welch_free (parts);
  g_free (odd);
  g_free (in);
}

GST_END_TEST;

/* What is no number counts as the mean, and harms no other channel. */
GST_START_TEST (test_not_finite)
{
  const guint channels = 16;
  gdouble *in = make_samples (channels, EEG_WELCH_F64);
  eeg_welch *clean =
      make_welch (channels, EEG_WELCH_F64, 100, eeg_cpu_choose ());
  eeg_welch *odd = make_welch (channels, EEG_WELCH_F64, 100, eeg_cpu_choose ());
  guint c, f;

  eeg_welch_add (clean, in, FRAMES);
  in[5 * channels] = NAN;
  in[6 * channels] = INFINITY;
  for (f = 0; f < FRAMES; f++)
    in[f * channels + 1] = NAN;
  eeg_welch_add (odd, in, FRAMES);
  fail_unless (eeg_welch_get_power (odd, 1, 0) == 0);
  fail_unless (
      fabs (eeg_welch_get_power (odd, 0, 0) / eeg_welch_get_power (clean, 0, 0)
          - 1)
      < 0.1);
  for (c = 2; c < channels; c++)
    fail_unless (fabs (eeg_welch_get_power (odd, c, 0)
                     - eeg_welch_get_power (clean, c, 0))
        <= 1e-12 * eeg_welch_get_power (clean, c, 0));
  eeg_welch_free (clean);
  eeg_welch_free (odd);
  g_free (in);
}

GST_END_TEST;

GST_START_TEST (test_refused)
{
  static const eeg_welch_config bad[] = {
    { .channels = 0, .segment = 10, .n_bands = 1 },
    { .channels = EEG_WELCH_MAX_CHANNELS + 1, .segment = 10, .n_bands = 1 },
    { .channels = 1, .segment = 1, .n_bands = 1 },
    { .channels = 1, .segment = EEG_WELCH_MAX_SEGMENT + 1, .n_bands = 1 },
    { .channels = 1, .segment = 10, .n_bands = 0 },
    { .channels = 1, .segment = 10, .n_bands = EEG_WELCH_MAX_BANDS + 1 },
    { .channels = 1, .segment = 10, .n_bands = 1, .low = { -0.1 } },
    { .channels = 1, .segment = 10, .n_bands = 1, .low = { 0.2 } },
    { .channels = 1, .segment = 10, .n_bands = 1, .high = { NAN } },
  };

  fail_unless (eeg_welch_new (&bad[__i__]) == NULL);
  eeg_welch_free (NULL);
}

GST_END_TEST;

static Suite *
welch_kernel_suite (void)
{
  Suite *s = suite_create ("welch-kernel");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_against_plain, 0, G_N_ELEMENTS (cases));
  tcase_add_loop_test (tc, test_splits, 0, 2);
  tcase_add_test (tc, test_not_finite);
  tcase_add_loop_test (tc, test_refused, 0, 9);
  return s;
}

GST_CHECK_MAIN (welch_kernel);
