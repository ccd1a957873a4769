/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/check/gstcheck.h>

#include <math.h>
#include <string.h>

#include "iir.h"

#define CHANNELS 19
#define FRAMES 3000

static const EegIirSpec band_pass = { EEG_IIR_BUTTERWORTH, EEG_IIR_BAND_PASS, 4,
  250.0, 1.0, 40.0, 0.0, 0.0 };

static EegIir *
make_filter (const EegIirSpec *spec, const bool *filtered)
{
  EegIir *iir = eeg_iir_new (CHANNELS, filtered, eeg_cpu_choose ());
  EegIirDesign design;

  fail_unless (eeg_iir_design (spec, &design) == NULL);
  eeg_iir_set_design (iir, &design);
  return iir;
}

static float *
make_noise (void)
{
  float *samples = g_new (float, FRAMES *CHANNELS);
  guint32 state = 1;
  gint i;

  for (i = 0; i < FRAMES * CHANNELS; i++) {
    state = state * 1664525u + 1013904223u;
    samples[i] = (gint32) state / 65536.0f + 100000.0f;
  }
  return samples;
}

/* The textbook recursion, one channel at a time, in long double. */
static void
filter_reference (const EegIirDesign *d, const float *in, gint channel,
    long double *out)
{
  long double z[EEG_IIR_MAX_SECTIONS][2];
  double steady[EEG_IIR_MAX_SECTIONS][2];
  gint f;
  gsize s;

  eeg_iir_steady_state (d, steady);
  for (s = 0; s < d->n_sections; s++) {
    z[s][0] = (long double) steady[s][0] * in[channel];
    z[s][1] = (long double) steady[s][1] * in[channel];
  }
  for (f = 0; f < FRAMES; f++) {
    long double x = in[f * CHANNELS + channel];

    for (s = 0; s < d->n_sections; s++) {
      const EegIirSection *c = &d->sections[s];
      long double y = c->b[0] * x + z[s][0];

      z[s][0] = c->b[1] * x - c->a[0] * y + z[s][1];
      z[s][1] = c->b[2] * x - c->a[1] * y;
      x = y;
    }
    out[f] = x;
  }
}

GST_START_TEST (test_against_reference)
{
  float *in = make_noise ();
  float *out = g_new (float, FRAMES *CHANNELS);
  long double *expected = g_new (long double, FRAMES);
  EegIir *iir = make_filter (&band_pass, NULL);
  EegIirDesign design;
  gint c, f;

  fail_unless (eeg_iir_design (&band_pass, &design) == NULL);
  eeg_iir_process_f32 (iir, in, out, FRAMES);
  for (c = 0; c < CHANNELS; c++) {
    filter_reference (&design, in, c, expected);
    for (f = 0; f < FRAMES; f++)
      fail_unless (fabsl (expected[f] - out[f * CHANNELS + c]) < 0.01L,
          "channel %d, frame %d", c, f);
  }
  eeg_iir_free (iir);
  g_free (in);
  g_free (out);
  g_free (expected);
}

GST_END_TEST;

GST_START_TEST (test_constant_input_starts_steady)
{
  static const EegIirSpec low_pass = { EEG_IIR_CHEBYSHEV_2, EEG_IIR_LOW_PASS, 5,
    250.0, 0.0, 40.0, 0.0, 40.0 };
  double samples[200 * CHANNELS];
  EegIir *iir = make_filter (&low_pass, NULL);
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (samples); i++)
    samples[i] = 5000.0;
  eeg_iir_process_f64 (iir, samples, samples, 200);
  for (i = 0; i < G_N_ELEMENTS (samples); i++)
    fail_unless (fabs (samples[i] - 5000.0) < 1e-7, "sample %d", (gint) i);
  eeg_iir_free (iir);
}

GST_END_TEST;

GST_START_TEST (test_split_makes_no_difference)
{
  float *in = make_noise ();
  float *whole = g_new (float, FRAMES *CHANNELS);
  float *parts = g_new (float, FRAMES *CHANNELS);
  EegIir *a = make_filter (&band_pass, NULL);
  EegIir *b = make_filter (&band_pass, NULL);
  gint done = 0, step = 1;

  eeg_iir_process_f32 (a, in, whole, FRAMES);
  memcpy (parts, in, FRAMES * CHANNELS * sizeof *in);
  while (done < FRAMES) {
    gint n = MIN (step, FRAMES - done);

    eeg_iir_process_f32 (b, parts + done * CHANNELS, parts + done * CHANNELS,
        n);
    done += n;
    step = step * 7 % 97 + 1;
  }
  fail_unless (memcmp (whole, parts, FRAMES * CHANNELS * sizeof *in) == 0);
  eeg_iir_free (a);
  eeg_iir_free (b);
  g_free (in);
  g_free (whole);
  g_free (parts);
}

GST_END_TEST;

/* All numbers of sections and of channels, in every build: those with fused
 * multiply-add give the same bytes, and base is close to them. */
GST_START_TEST (test_builds)
{
  static const gint channels[] = { 1, 2, 7, 8, 9, 16, 17, 31, 32, 33, 64, 100 };
  float *in = make_noise ();
  guint i, order;

  for (i = 0; i < G_N_ELEMENTS (channels); i++) {
    for (order = 1; order <= EEG_IIR_MAX_ORDER; order += 3) {
      const gsize frames = 60, n = frames * channels[i];
      const EegIirSpec spec = { EEG_IIR_BUTTERWORTH, EEG_IIR_HIGH_PASS, order,
        250.0, 20, 0, 0.0, 0.0 };
      float *out[EEG_CPU_COUNT] = { NULL };
      EegIirDesign design;
      eeg_cpu cpu;
      gsize k;

      fail_unless (eeg_iir_design (&spec, &design) == NULL);
      for (cpu = 0; cpu < EEG_CPU_COUNT; cpu++) {
        EegIir *iir;

        if (!eeg_cpu_supports (cpu))
          continue;
        iir = eeg_iir_new (channels[i], NULL, cpu);
        fail_unless_equals_int (eeg_iir_get_cpu (iir), cpu);
        eeg_iir_set_design (iir, &design);
        out[cpu] = g_memdup2 (in, n * sizeof *in);
        eeg_iir_process_f32 (iir, out[cpu], out[cpu], frames);
        eeg_iir_free (iir);
        if (cpu > EEG_CPU_AVX2 && out[EEG_CPU_AVX2] != NULL)
          fail_unless (
              memcmp (out[cpu], out[EEG_CPU_AVX2], n * sizeof *in) == 0);
        for (k = 0; k < n; k++)
          fail_unless (fabsf (out[cpu][k] - out[EEG_CPU_BASE][k]) <= 0.01f,
              "%s, %d channels, order %u", eeg_cpu_name (cpu), channels[i],
              order);
      }
      for (cpu = 0; cpu < EEG_CPU_COUNT; cpu++)
        g_free (out[cpu]);
    }
  }
  g_free (in);
}

GST_END_TEST;

GST_START_TEST (test_other_channels_pass)
{
  bool filtered[CHANNELS];
  float *in = make_noise ();
  float *out = g_new (float, FRAMES *CHANNELS);
  EegIir *iir;
  gint c, f;

  for (c = 0; c < CHANNELS; c++)
    filtered[c] = c % 3 != 0;
  in[3] = -0.0f;
  in[3 + CHANNELS] = INFINITY;
  iir = make_filter (&band_pass, filtered);
  eeg_iir_process_f32 (iir, in, out, FRAMES);
  for (c = 0; c < CHANNELS; c++) {
    gboolean same = TRUE;

    for (f = 0; f < FRAMES; f++)
      same = same
          && memcmp (&in[f * CHANNELS + c], &out[f * CHANNELS + c], sizeof *in)
              == 0;
    fail_unless (same == !filtered[c], "channel %d", c);
  }
  eeg_iir_free (iir);
  g_free (in);
  g_free (out);
}

GST_END_TEST;

GST_START_TEST (test_state_continues)
{
  float *in = make_noise ();
  float *whole = g_new (float, FRAMES *CHANNELS);
  float *parts = g_new (float, FRAMES *CHANNELS);
  EegIir *a = make_filter (&band_pass, NULL);
  EegIir *b = make_filter (&band_pass, NULL);
  gsize size = eeg_iir_state_size (a);
  guint8 *state = g_malloc (size);

  eeg_iir_process_f32 (a, in, whole, FRAMES);
  eeg_iir_restart (a, true);
  eeg_iir_process_f32 (a, in, parts, 1234);
  eeg_iir_save_state (a, state);
  fail_unless (eeg_iir_load_state (b, state, size));
  eeg_iir_process_f32 (b, in + 1234 * CHANNELS, parts + 1234 * CHANNELS,
      FRAMES - 1234);
  fail_unless (memcmp (whole, parts, FRAMES * CHANNELS * sizeof *in) == 0);

  fail_if (eeg_iir_load_state (b, state, size - 1));
  state[0] ^= 1;
  fail_if (eeg_iir_load_state (b, state, size));
  eeg_iir_free (a);
  eeg_iir_free (b);
  g_free (in);
  g_free (whole);
  g_free (parts);
  g_free (state);
}

GST_END_TEST;

/* A change of the cut-off under a large offset makes no step. */
GST_START_TEST (test_change_of_design)
{
  static const EegIirSpec slow = { EEG_IIR_BUTTERWORTH, EEG_IIR_HIGH_PASS, 4,
    250.0, 0.1, 0, 0.0, 0.0 };
  static const EegIirSpec fast = { EEG_IIR_BUTTERWORTH, EEG_IIR_HIGH_PASS, 4,
    250.0, 5, 0, 0.0, 0.0 };
  double *samples = g_new (double, 3000 * CHANNELS);
  EegIir *iir = make_filter (&slow, NULL);
  EegIirDesign design;
  gint i;

  for (i = 0; i < 3000 * CHANNELS; i++)
    samples[i] = 100000.0;
  eeg_iir_process_f64 (iir, samples, samples, 1000);
  fail_unless (eeg_iir_design (&fast, &design) == NULL);
  eeg_iir_set_design (iir, &design);
  eeg_iir_process_f64 (iir, samples + 1000 * CHANNELS,
      samples + 1000 * CHANNELS, 1000);
  /* there and back again before a frame came */
  fail_unless (eeg_iir_design (&slow, &design) == NULL);
  eeg_iir_set_design (iir, &design);
  fail_unless (eeg_iir_design (&fast, &design) == NULL);
  eeg_iir_set_design (iir, &design);
  eeg_iir_process_f64 (iir, samples + 2000 * CHANNELS,
      samples + 2000 * CHANNELS, 1000);
  for (i = 0; i < 3000 * CHANNELS; i++)
    fail_unless (fabs (samples[i]) < 1e-3, "sample %d is %g", i, samples[i]);
  eeg_iir_free (iir);
  g_free (samples);
}

GST_END_TEST;

/* One NaN or infinity spoils one channel for 1024 frames at most, and where
 * the buffers were cut makes no difference. */
GST_START_TEST (test_not_finite)
{
  float *in = make_noise ();
  float *out = g_new (float, FRAMES *CHANNELS);
  float *parts = g_new (float, FRAMES *CHANNELS);
  EegIir *iir = make_filter (&band_pass, NULL);
  gint c, f;

  in[100 * CHANNELS + 3] = NAN;
  in[1200 * CHANNELS + 7] = INFINITY;
  in[2048 * CHANNELS + 7] = -INFINITY; /* where it would start anew */
  eeg_iir_process_f32 (iir, in, out, FRAMES);
  for (f = 0; f < FRAMES; f++) {
    for (c = 0; c < CHANNELS; c++) {
      gboolean spoilt =
          (c == 3 && f >= 100 && f < 1024) || (c == 7 && f >= 1200);

      fail_unless ((isfinite (out[f * CHANNELS + c]) == 0) == spoilt,
          "channel %d, frame %d: %g", c, f, out[f * CHANNELS + c]);
    }
  }
  eeg_iir_restart (iir, true);
  for (f = 0; f < FRAMES; f += 100)
    eeg_iir_process_f32 (iir, in + f * CHANNELS, parts + f * CHANNELS, 100);
  fail_unless (memcmp (out, parts, FRAMES * CHANNELS * sizeof *in) == 0);
  eeg_iir_free (iir);
  g_free (in);
  g_free (out);
  g_free (parts);
}

GST_END_TEST;

GST_START_TEST (test_bad_settings)
{
  static const EegIirSpec specs[] = {
    { EEG_IIR_BUTTERWORTH, EEG_IIR_BAND_PASS, 0, 250, 1, 40, 0, 0 },
    { EEG_IIR_BUTTERWORTH, EEG_IIR_BAND_PASS, 13, 250, 1, 40, 0, 0 },
    { EEG_IIR_BUTTERWORTH, EEG_IIR_BAND_PASS, 4, 250, 40, 1, 0, 0 },
    { EEG_IIR_BUTTERWORTH, EEG_IIR_BAND_PASS, 4, 250, 40, 40, 0, 0 },
    { EEG_IIR_BUTTERWORTH, EEG_IIR_LOW_PASS, 4, 250, 0, 125, 0, 0 },
    { EEG_IIR_BUTTERWORTH, EEG_IIR_LOW_PASS, 4, 250, 0, -1, 0, 0 },
    { EEG_IIR_BUTTERWORTH, EEG_IIR_HIGH_PASS, 4, 250, 0, 0, 0, 0 },
    { EEG_IIR_BUTTERWORTH, EEG_IIR_HIGH_PASS, 4, 0, 1, 0, 0, 0 },
    { EEG_IIR_BUTTERWORTH, EEG_IIR_HIGH_PASS, 4, NAN, 1, 0, 0, 0 },
    { EEG_IIR_BUTTERWORTH, EEG_IIR_HIGH_PASS, 4, 250, NAN, 0, 0, 0 },
    { EEG_IIR_CHEBYSHEV_1, EEG_IIR_LOW_PASS, 4, 250, 0, 40, 0, 0 },
    { EEG_IIR_CHEBYSHEV_2, EEG_IIR_LOW_PASS, 4, 250, 0, 40, 0, -3 },
    { EEG_IIR_CHEBYSHEV_2, EEG_IIR_LOW_PASS, 4, 250, 0, 40, 0, INFINITY },
  };
  EegIirDesign design;
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (specs); i++)
    fail_unless (eeg_iir_design (&specs[i], &design) != NULL, "took spec %d",
        (gint) i);
  fail_unless (eeg_iir_design_notch (250, 125, 30, &design) != NULL);
  fail_unless (eeg_iir_design_notch (250, 50, 0, &design) != NULL);
  fail_unless (eeg_iir_design_notch (250, NAN, 30, &design) != NULL);
  fail_unless (eeg_iir_design_notch (250, 50, 30, &design) == NULL);
}

GST_END_TEST;

/* Extreme but legal settings end in coefficients or an error, never in a
 * crash; -3 dB stands at the edges of a Butterworth filter. */
GST_START_TEST (test_edges)
{
  gint family, band, order;
  gdouble low;

  for (family = 0; family < 4; family++) {
    for (band = 0; band < 4; band++) {
      for (order = 1; order <= EEG_IIR_MAX_ORDER; order++) {
        for (low = 1e-9; low < 100; low *= 10) {
          EegIirSpec spec = { family, band, order, 1000, low, low * 4, 1.0,
            40.0 };
          EegIirDesign design;
          gdouble re, im;

          if (eeg_iir_design (&spec, &design) != NULL || family != 0
              || low < 1e-2)
            continue;
          eeg_iir_response (&design, 1000, band == 0 ? low * 4 : low, &re, &im);
          fail_unless (fabs (hypot (re, im) - G_SQRT2 / 2) < 1e-3,
              "band %d, order %d, low %g: %g", band, order, low,
              hypot (re, im));
        }
      }
    }
  }
}

GST_END_TEST;

static Suite *
iir_kernel_suite (void)
{
  Suite *s = suite_create ("iir-kernel");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_against_reference);
  tcase_add_test (tc, test_constant_input_starts_steady);
  tcase_add_test (tc, test_split_makes_no_difference);
  tcase_add_test (tc, test_builds);
  tcase_add_test (tc, test_other_channels_pass);
  tcase_add_test (tc, test_state_continues);
  tcase_add_test (tc, test_change_of_design);
  tcase_add_test (tc, test_not_finite);
  tcase_add_test (tc, test_bad_settings);
  tcase_add_test (tc, test_edges);
  return s;
}

GST_CHECK_MAIN (iir_kernel);
