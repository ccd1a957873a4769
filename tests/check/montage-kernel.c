/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Selections, means and differences: every build against a plain loop, bit by
 * bit, with memory of exact sizes. */
#include <gst/check/gstcheck.h>

#include <math.h>
#include <string.h>

#include "montage.h"

static const guint counts[] = { 1, 2, 7, 8, 9, 16, 19, 64, 67, 4096 };

static void
fill (guint8 *data, gsize size, guint32 seed)
{
  for (gsize i = 0; i < size; i++) {
    seed = seed * 1664525 + 1013904223;
    data[i] = seed >> 24;
  }
}

static void
check_select (gsize bytes, guint in, guint out, eeg_cpu cpu, gboolean in_place)
{
  const gsize frames = 5;
  guint *from = g_new (guint, out);
  guint8 *x = g_malloc (frames * in * bytes);
  guint8 *kept = g_malloc (frames * in * bytes);
  guint8 *y = in_place ? x : g_malloc (frames * out * bytes);
  eeg_montage *montage;

  for (guint c = 0; c < out; c++)
    from[c] = (c * 31 + 5) % in;
  fill (x, frames * in * bytes, bytes + in);
  memcpy (kept, x, frames * in * bytes);
  montage = eeg_montage_new_select (bytes, in, from, out, cpu);
  fail_unless (montage != NULL);
  fail_unless_equals_int (eeg_montage_get_cpu (montage), cpu);
  fail_unless_equals_int (eeg_montage_is_identity (montage),
      in == 1 && out == 1);
  eeg_montage_run (montage, x, y, frames);
  for (gsize f = 0; f < frames; f++)
    for (guint c = 0; c < out; c++)
      fail_unless (memcmp (y + (f * out + c) * bytes,
                       kept + (f * in + from[c]) * bytes, bytes)
              == 0,
          "%d bytes, frame %d, channel %u of %u", (gint) bytes, (gint) f, c,
          out);
  eeg_montage_free (montage);
  if (!in_place)
    g_free (y);
  g_free (x);
  g_free (kept);
  g_free (from);
}

GST_START_TEST (test_select)
{
  static const gsize sizes[] = { 2, 3, 4, 8 };

  if (!eeg_cpu_supports (__i__))
    return;
  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
    for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
      for (guint k = 0; k < G_N_ELEMENTS (counts); k++) {
        check_select (sizes[s], counts[i], counts[k], __i__, FALSE);
        if (i == k)
          check_select (sizes[s], counts[i], counts[k], __i__, TRUE);
      }
}

GST_END_TEST;

static gdouble
value_at (gsize i)
{
  guint32 noise = (guint32) i * 2654435761u;

  return 1e5 + (gint32) noise / 3e4;
}

/* As the header says: sums by c % 8, then by halves. */
static gdouble
mean_of (const gdouble *x, const bool *used, guint channels)
{
  gdouble sum[8] = { 0 };
  guint n = 0;

  for (guint c = 0; c < channels; c++) {
    if (used[c]) {
      sum[c % 8] += x[c];
      n++;
    }
  }
  return (((sum[0] + sum[4]) + (sum[2] + sum[6]))
             + ((sum[1] + sum[5]) + (sum[3] + sum[7])))
      / n;
}

static void
check_mean (eeg_montage_format format, guint channels, eeg_cpu cpu,
    gboolean in_place)
{
  const gsize frames = 9, size = format == EEG_MONTAGE_F32 ? 4 : 8;
  gdouble *frame = g_new (gdouble, channels);
  bool *used = g_new (bool, channels), *changed = g_new (bool, channels);
  guint8 *x = g_malloc (frames * channels * size);
  guint8 *kept = g_malloc (frames * channels * size);
  guint8 *y = in_place ? x : g_malloc (frames * channels * size);
  eeg_montage *montage;

  for (guint c = 0; c < channels; c++) {
    used[c] = c % 3 != 1;
    changed[c] = c % 5 != 2;
  }
  for (gsize i = 0; i < frames * channels; i++) {
    gdouble v = value_at (i);

    /* what is not used may hold anything */
    if (i % channels % 3 == 1)
      v = i % 2 ? NAN : -INFINITY;
    if (format == EEG_MONTAGE_F32)
      ((gfloat *) x)[i] = v;
    else
      ((gdouble *) x)[i] = v;
  }
  memcpy (kept, x, frames * channels * size);
  montage = eeg_montage_new_mean (format, channels, used, changed, cpu);
  fail_unless (montage != NULL);
  fail_unless_equals_int (eeg_montage_get_cpu (montage), cpu);
  eeg_montage_run (montage, x, y, frames);
  for (gsize f = 0; f < frames; f++) {
    gdouble mean;

    for (guint c = 0; c < channels; c++)
      frame[c] = format == EEG_MONTAGE_F32
          ? ((gfloat *) kept)[f * channels + c]
          : ((gdouble *) kept)[f * channels + c];
    mean = mean_of (frame, used, channels);
    for (guint c = 0; c < channels; c++) {
      gsize i = f * channels + c;
      gdouble got =
          format == EEG_MONTAGE_F32 ? ((gfloat *) y)[i] : ((gdouble *) y)[i];
      gdouble expected = format == EEG_MONTAGE_F32 ? (gfloat) (frame[c] - mean)
                                                   : frame[c] - mean;

      if (!changed[c])
        fail_unless (memcmp (y + i * size, kept + i * size, size) == 0);
      else if (isnan (frame[c]))
        fail_unless (isnan (got));
      else
        fail_unless (got == expected,
            "%u channels, frame %d, channel %u: %.17g"
            " not %.17g",
            channels, (gint) f, c, got, expected);
    }
  }
  eeg_montage_free (montage);
  if (!in_place)
    g_free (y);
  g_free (x);
  g_free (kept);
  g_free (frame);
  g_free (used);
  g_free (changed);
}

GST_START_TEST (test_mean)
{
  if (!eeg_cpu_supports (__i__))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    for (guint in_place = 0; in_place < 2; in_place++) {
      check_mean (EEG_MONTAGE_F32, counts[i], __i__, in_place);
      check_mean (EEG_MONTAGE_F64, counts[i], __i__, in_place);
    }
}

GST_END_TEST;

static void
check_difference (eeg_montage_format format, guint in, guint out, eeg_cpu cpu,
    gboolean in_place)
{
  const gsize frames = 6, size = format == EEG_MONTAGE_F32 ? 4 : 8;
  guint *from = g_new (guint, out);
  gint *minus = g_new (gint, out);
  guint8 *x = g_malloc (frames * in * size);
  guint8 *kept = g_malloc (frames * in * size);
  guint8 *y = in_place ? x : g_malloc (frames * out * size);
  eeg_montage *montage;

  for (guint c = 0; c < out; c++) {
    from[c] = (c * 7 + 3) % in;
    minus[c] = c % 4 == 3 ? -1 : (gint) ((c * 13 + 1) % in);
  }
  for (gsize i = 0; i < frames * in; i++) {
    if (format == EEG_MONTAGE_F32)
      ((gfloat *) x)[i] = value_at (i);
    else
      ((gdouble *) x)[i] = value_at (i);
  }
  memcpy (kept, x, frames * in * size);
  montage = eeg_montage_new_difference (format, in, from, minus, out, cpu);
  fail_unless (montage != NULL);
  eeg_montage_run (montage, x, y, frames);
  for (gsize f = 0; f < frames; f++)
    for (guint c = 0; c < out; c++) {
      gsize i = f * out + c, a = f * in + from[c], b = f * in + minus[c];

      if (minus[c] < 0)
        fail_unless (memcmp (y + i * size, kept + a * size, size) == 0);
      else if (format == EEG_MONTAGE_F32)
        fail_unless (((gfloat *) y)[i]
            == (gfloat) ((gdouble) ((gfloat *) kept)[a]
                - ((gfloat *) kept)[b]));
      else
        fail_unless (((gdouble *) y)[i]
            == ((gdouble *) kept)[a] - ((gdouble *) kept)[b]);
    }
  eeg_montage_free (montage);
  if (!in_place)
    g_free (y);
  g_free (x);
  g_free (kept);
  g_free (from);
  g_free (minus);
}

GST_START_TEST (test_difference)
{
  if (!eeg_cpu_supports (__i__))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    for (guint k = 0; k < G_N_ELEMENTS (counts); k++) {
      check_difference (EEG_MONTAGE_F32, counts[i], counts[k], __i__, FALSE);
      check_difference (EEG_MONTAGE_F64, counts[i], counts[k], __i__, FALSE);
      if (i == k)
        check_difference (EEG_MONTAGE_F32, counts[i], counts[k], __i__, TRUE);
    }
}

GST_END_TEST;

GST_START_TEST (test_limits)
{
  const guint from[2] = { 0, 2 };
  const gint minus[2] = { 1, -1 }, far[2] = { 2, -1 };
  const bool none[2] = { false, false }, both[2] = { true, true };
  eeg_montage *montage;

  fail_unless (eeg_montage_new_select (4, 2, from, 2, 0) == NULL);
  fail_unless (eeg_montage_new_select (5, 3, from, 2, 0) == NULL);
  fail_unless (eeg_montage_new_select (4, 0, from, 2, 0) == NULL);
  fail_unless (eeg_montage_new_select (4, 3, from, 0, 0) == NULL);
  fail_unless (eeg_montage_new_select (4, 65537, from, 2, 0) == NULL);
  fail_unless (
      eeg_montage_new_mean (EEG_MONTAGE_F32, 2, none, both, 0) == NULL);
  fail_unless (
      eeg_montage_new_difference (EEG_MONTAGE_F32, 2, from, minus, 2, 0)
      == NULL);
  fail_unless (
      eeg_montage_new_difference (EEG_MONTAGE_F32, 2, from, far, 1, 0) == NULL);
  montage = eeg_montage_new_mean (EEG_MONTAGE_F32, 2, both, none, 0);
  fail_unless (eeg_montage_is_identity (montage));
  fail_unless (eeg_montage_get_size (montage) > 2 * 8);
  eeg_montage_free (montage);
  eeg_montage_free (NULL);
}

GST_END_TEST;

static Suite *
montage_kernel_suite (void)
{
  Suite *s = suite_create ("montage-kernel");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_select, 0, EEG_CPU_COUNT);
  tcase_add_loop_test (tc, test_mean, 0, EEG_CPU_COUNT);
  tcase_add_loop_test (tc, test_difference, 0, EEG_CPU_COUNT);
  tcase_add_test (tc, test_limits);
  return s;
}

GST_CHECK_MAIN (montage_kernel);
