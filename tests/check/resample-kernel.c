/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The polyphase filter against its definition; splits, builds and saved states
 * bit by bit; and that no value of a trigger channel vanishes. */
#include <gst/check/gstcheck.h>

#include <math.h>
#include <string.h>

#include "resample.h"

typedef struct
{
  guint up, down, half, channels, frames, first;
  eeg_resample_format format;
  eeg_resample_edge edge;
} Case;

static const Case cases[] = {
  { 1, 4, 40, 3, 1000, 0, EEG_RESAMPLE_F64, EEG_RESAMPLE_HOLD },
  { 1, 4, 40, 64, 700, 3, EEG_RESAMPLE_F32, EEG_RESAMPLE_HOLD },
  { 1, 2, 2, 1, 100, 1, EEG_RESAMPLE_F64, EEG_RESAMPLE_ZERO },
  { 3, 2, 30, 9, 500, 1, EEG_RESAMPLE_F64, EEG_RESAMPLE_ZERO },
  { 5, 1, 5, 8, 60, 0, EEG_RESAMPLE_F32, EEG_RESAMPLE_HOLD },
  { 3, 2, 3, 2, 50, 0, EEG_RESAMPLE_F64, EEG_RESAMPLE_HOLD },
  { 16, 125, 1250, 17, 3000, 77, EEG_RESAMPLE_F64, EEG_RESAMPLE_HOLD },
  { 39, 80, 800, 130, 400, 79, EEG_RESAMPLE_F32, EEG_RESAMPLE_HOLD },
  { 1, 1000, 10000, 2, 5000, 999, EEG_RESAMPLE_F64, EEG_RESAMPLE_HOLD },
  { 1000, 999, 1000, 2, 90, 998, EEG_RESAMPLE_F64, EEG_RESAMPLE_HOLD },
  { 7, 3, 70, 5, 1, 0, EEG_RESAMPLE_F64, EEG_RESAMPLE_HOLD },
};

static gdouble *
make_taps (guint half)
{
  gdouble *taps = g_new (gdouble, 2 * half + 1);

  for (guint i = 0; i <= 2 * half; i++)
    taps[i] = cos (i * 0.37) / (1 + fabs ((gdouble) i - half));
  return taps;
}

static gdouble
sample_at (gint64 f, guint c)
{
  guint64 noise = ((guint64) f * 67 + c + 1) * 6364136223846793005ull;

  return (gfloat) (100000 + 50 * sin (f * 0.1 + c)
      + (gdouble) (noise >> 40) / (1 << 20));
}

static gpointer
make_input (const Case *k)
{
  gsize n = k->frames * k->channels;
  gpointer data = g_malloc (n * (k->format == EEG_RESAMPLE_F32 ? 4 : 8));

  for (gsize i = 0; i < n; i++) {
    gdouble v = sample_at (i / k->channels, i % k->channels);

    if (k->format == EEG_RESAMPLE_F32)
      ((gfloat *) data)[i] = v;
    else
      ((gdouble *) data)[i] = v;
  }
  return data;
}

static eeg_resample *
make_resample (const Case *k, const eeg_resample_kind *kinds, eeg_cpu cpu)
{
  gdouble *taps = make_taps (k->half);
  eeg_resample_config config = { .channels = k->channels,
    .format = k->format,
    .edge = k->edge,
    .up = k->up,
    .down = k->down,
    .taps = taps,
    .half = k->half,
    .kinds = kinds,
    .cpu = cpu };
  eeg_resample *r = eeg_resample_new (&config);

  g_free (taps);
  fail_unless (r != NULL);
  fail_unless_equals_int (eeg_resample_get_cpu (r), cpu);
  eeg_resample_start (r, k->first);
  return r;
}

/* All output, with input in steps of `step` (0: steps that change) and the end
 * in small ones too. */
static GByteArray *
run (eeg_resample *r, const Case *k, const guint8 *in, guint step)
{
  gsize size = k->channels * (k->format == EEG_RESAMPLE_F32 ? 4 : 8);
  GByteArray *out = g_byte_array_new ();
  guint done = 0, next = 1, got;

  while (done < k->frames) {
    guint n = MIN (step ? step : next, k->frames - done);
    gsize ready = eeg_resample_get_ready (r, n);
    guint8 *part = g_malloc (MAX (ready * size, 1));

    fail_unless_equals_int (eeg_resample_process (r, in + done * size, n, part),
        ready);
    g_byte_array_append (out, part, ready * size);
    g_free (part);
    done += n;
    next = next * 7 % 97 + 1;
  }
  do {
    guint8 *part = g_malloc (3 * size);

    got = eeg_resample_drain (r, part, 3);
    g_byte_array_append (out, part, got * size);
    g_free (part);
  } while (got > 0);
  return out;
}

GST_START_TEST (test_definition)
{
  const Case *k = &cases[__i__];
  gdouble *taps = make_taps (k->half);
  guint8 *in = make_input (k);
  eeg_resample *r = make_resample (k, NULL, EEG_CPU_BASE);
  GByteArray *out = run (r, k, in, 0);
  guint64 due = 0, m;
  gdouble sum_of_taps = 0;
  guint c, j;

  for (j = 0; j <= 2 * k->half; j++)
    sum_of_taps += fabs (taps[j]);
  while (k->first + due * k->down < (guint64) k->frames * k->up)
    due++;
  fail_unless_equals_int (out->len,
      due * k->channels * (k->format == EEG_RESAMPLE_F32 ? 4 : 8));
  for (m = 0; m < due; m++)
    for (c = 0; c < k->channels; c++) {
      long double sum = 0;
      gdouble got = k->format == EEG_RESAMPLE_F32
          ? ((gfloat *) out->data)[m * k->channels + c]
          : ((gdouble *) out->data)[m * k->channels + c];

      for (j = 0; j <= 2 * k->half; j++) {
        gint64 at = (gint64) (k->first + m * k->down + k->half) - j;
        gint64 f;

        if (at % (gint64) k->up != 0)
          continue;
        f = at / (gint64) k->up;
        if (k->edge == EEG_RESAMPLE_ZERO && (f < 0 || f >= k->frames))
          continue;
        sum +=
            (long double) taps[j] * sample_at (CLAMP (f, 0, k->frames - 1), c);
      }
      fail_unless (fabsl (sum - got) < sum_of_taps * 1e5
                  * (k->format == EEG_RESAMPLE_F32 ? 1e-7 : 1e-14),
          "case %d, output %d, channel %u: %.17g, not %.17Lg", __i__, (gint) m,
          c, got, sum);
    }
  g_byte_array_unref (out);
  eeg_resample_free (r);
  g_free (in);
  g_free (taps);
}

GST_END_TEST;

/* However the input is cut, and on every CPU; a run again gives it again. */
GST_START_TEST (test_same_bytes)
{
  static const guint steps[] = { 1, 3, 64, 100000, 0 };
  const Case *k = &cases[__i__];
  guint8 *in = make_input (k);
  GByteArray *whole = NULL;

  for (eeg_cpu cpu = 0; cpu < EEG_CPU_COUNT; cpu++) {
    eeg_resample *r;

    if (!eeg_cpu_supports (cpu))
      continue;
    r = make_resample (k, NULL, cpu);
    for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
      GByteArray *out;

      eeg_resample_start (r, k->first);
      out = run (r, k, in, steps[i]);
      if (whole == NULL)
        whole = g_byte_array_ref (out);
      fail_unless_equals_int (out->len, whole->len);
      fail_unless (memcmp (out->data, whole->data, out->len) == 0,
          "case %d, %s, steps of %u", __i__, eeg_cpu_name (cpu), steps[i]);
      g_byte_array_unref (out);
    }
    eeg_resample_free (r);
  }
  g_byte_array_unref (whole);
  g_free (in);
}

GST_END_TEST;

/* A channel of each kind through 1:8; returns what came out of channel 1. */
static GArray *
run_trigger (eeg_resample_kind kind, const gdouble *values, guint n,
    guint *dropped)
{
  const Case k = { 1, 8, 16, 3, n, 0, EEG_RESAMPLE_F64, EEG_RESAMPLE_HOLD };
  const eeg_resample_kind kinds[] = { EEG_RESAMPLE_SIGNAL, kind,
    EEG_RESAMPLE_SIGNAL };
  eeg_resample *r = make_resample (&k, kinds, eeg_cpu_choose ());
  gdouble *in = g_new0 (gdouble, n * 3);
  GArray *result = g_array_new (FALSE, FALSE, sizeof (gdouble));
  GByteArray *out;

  for (guint i = 0; i < n; i++)
    in[i * 3 + 1] = values[i];
  out = run (r, &k, (guint8 *) in, 5);
  for (guint i = 0; i < out->len / 24; i++)
    g_array_append_val (result, ((gdouble *) out->data)[i * 3 + 1]);
  if (dropped != NULL)
    *dropped = eeg_resample_get_dropped (r);
  g_byte_array_unref (out);
  g_free (in);
  eeg_resample_free (r);
  return result;
}

static void
check_values (GArray *got, guint start, const gdouble *expected, guint n)
{
  for (guint i = 0; i < n; i++)
    fail_unless (g_array_index (got, gdouble, start + i) == expected[i],
        "output %u is %g, not %g", start + i,
        g_array_index (got, gdouble, start + i), expected[i]);
  g_array_unref (got);
}

/* A trigger of one sample at every place, also the first and the last one. */
GST_START_TEST (test_short_trigger)
{
  const guint n = 83;
  static const eeg_resample_kind kinds[] = { EEG_RESAMPLE_TRIGGER,
    EEG_RESAMPLE_OTHER };

  for (guint kind = 0; kind < 2; kind++)
    for (guint at = 0; at < n; at++) {
      gdouble values[83] = { 0 };
      GArray *got;
      guint seen = 0, where = 0;

      values[at] = 5;
      got = run_trigger (kinds[kind], values, n, NULL);
      fail_unless_equals_int (got->len, 11);
      for (guint i = 0; i < got->len; i++)
        if (g_array_index (got, gdouble, i) != 0) {
          fail_unless (g_array_index (got, gdouble, i) == 5);
          seen++;
          where = i;
        }
      fail_unless_equals_int (seen, 1);
      /* not before its time, where there is an output sample after it */
      fail_unless_equals_int (where, MIN ((at + 7) / 8, 10));
      g_array_unref (got);
    }
}

GST_END_TEST;

GST_START_TEST (test_trigger_order)
{
  gdouble values[200] = { 0 };
  const gdouble queued[] = { 0, 0, 1, 0, 2, 3, 0, 9, 9 };
  const gdouble picked[] = { 0, 0, 1, 0, 0, 0, 0, 9, 9 };
  guint dropped, i;

  /* three in one window, then rest, then a level */
  values[9] = 1;
  values[11] = 2;
  values[12] = 3;
  for (i = 52; i < 200; i++)
    values[i] = 9;
  check_values (run_trigger (EEG_RESAMPLE_TRIGGER, values, 200, &dropped), 0,
      queued, G_N_ELEMENTS (queued));
  fail_unless_equals_int (dropped, 0);
  check_values (run_trigger (EEG_RESAMPLE_OTHER, values, 200, NULL), 0, picked,
      G_N_ELEMENTS (picked));

  /* more than may wait: the newest stay, and the rest is counted */
  for (i = 0; i < 200; i++)
    values[i] = i < 100 ? i + 1 : 7;
  g_array_unref (run_trigger (EEG_RESAMPLE_TRIGGER, values, 200, &dropped));
  fail_unless (dropped > 70 && dropped < 90, "%u were dropped", dropped);
  {
    GArray *got = run_trigger (EEG_RESAMPLE_TRIGGER, values, 200, NULL);

    fail_unless (g_array_index (got, gdouble, got->len - 1) == 7);
    fail_unless (g_array_index (got, gdouble, got->len - 4) == 7);
    g_array_unref (got);
  }
  /* NaN is a value like any other, and equals itself */
  for (i = 0; i < 200; i++)
    values[i] = NAN;
  g_array_unref (run_trigger (EEG_RESAMPLE_TRIGGER, values, 200, &dropped));
  fail_unless_equals_int (dropped, 0);
}

GST_END_TEST;

/* From a saved state and the samples of the look-back the output goes on. */
GST_START_TEST (test_state)
{
  const Case k = { 3, 8, 80, 3, 600, 0, EEG_RESAMPLE_F64, EEG_RESAMPLE_HOLD };
  const eeg_resample_kind kinds[] = { EEG_RESAMPLE_SIGNAL, EEG_RESAMPLE_TRIGGER,
    EEG_RESAMPLE_OTHER };
  gdouble *in = make_input (&k);
  guint at;

  for (at = 64; at < 600; at += 77) {
    eeg_resample *a = make_resample (&k, kinds, eeg_cpu_choose ());
    eeg_resample *b = make_resample (&k, kinds, eeg_cpu_choose ());
    gsize size = eeg_resample_state_size (a);
    guint8 *state = g_malloc (size);
    gdouble whole[300 * 3], rest[300 * 3];
    guint start = at - MIN (at, eeg_resample_get_look_back (a));
    guint64 m = (start * 3 + 7) / 8;
    gsize n, ready, again;

    ready = eeg_resample_process (a, in, at, whole);
    eeg_resample_save_state (a, state);
    n = eeg_resample_process (a, in + at * 3, 600 - at, whole);
    n += eeg_resample_drain (a, whole + n * 3, 300 - n);

    eeg_resample_start (b, m * 8 - start * 3);
    again = eeg_resample_process (b, in + start * 3, at - start, rest);
    fail_unless_equals_uint64 (m + again, ready);
    fail_unless (eeg_resample_load_state (b, state, size));
    again = eeg_resample_process (b, in + at * 3, 600 - at, rest);
    again += eeg_resample_drain (b, rest + again * 3, 300 - again);
    fail_unless_equals_int (again, n);
    fail_unless (memcmp (whole, rest, n * 24) == 0, "saved at %u", at);

    fail_if (eeg_resample_load_state (b, state, size - 1));
    state[8] = EEG_RESAMPLE_QUEUE + 1;
    fail_if (eeg_resample_load_state (b, state, size));
    g_free (state);
    eeg_resample_free (a);
    eeg_resample_free (b);
  }
  g_free (in);
}

GST_END_TEST;

GST_START_TEST (test_limits)
{
  const gdouble taps[9] = { 0 };
  eeg_resample_config config = { .channels = 1,
    .up = 2,
    .down = 3,
    .taps = taps,
    .half = 4 };
  eeg_resample *r = eeg_resample_new (&config);

  fail_unless (r != NULL);
  fail_unless_equals_int (eeg_resample_get_delay (r), 2);
  fail_unless_equals_int (eeg_resample_drain (r, NULL, 10), 0);
  fail_unless (eeg_resample_get_size (r) > 256 * 8 * 8);
  eeg_resample_free (r);
  config.half = 2;
  fail_unless (eeg_resample_new (&config) == NULL);
  config.half = 4;
  config.up = 0;
  fail_unless (eeg_resample_new (&config) == NULL);
  config.up = 2;
  config.channels = 0;
  fail_unless (eeg_resample_new (&config) == NULL);
  config.channels = 65537;
  fail_unless (eeg_resample_new (&config) == NULL);
  eeg_resample_free (NULL);
}

GST_END_TEST;

static Suite *
resample_kernel_suite (void)
{
  Suite *s = suite_create ("resample-kernel");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_definition, 0, G_N_ELEMENTS (cases));
  tcase_add_loop_test (tc, test_same_bytes, 0, G_N_ELEMENTS (cases));
  tcase_add_test (tc, test_short_trigger);
  tcase_add_test (tc, test_trigger_order);
  tcase_add_test (tc, test_state);
  tcase_add_test (tc, test_limits);
  return s;
}

GST_CHECK_MAIN (resample_kernel);
