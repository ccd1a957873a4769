/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counts to values and back: every build against a plain loop, bit by bit. */
#include <gst/check/gstcheck.h>

#include "convert.h"
#include "quantize.h"

#include <math.h>
#include <string.h>

static const guint in_size[] = { 2, 3, 4 };
static const guint out_size[] = { 4, 8 };

static gint32
read_count (eeg_convert_counts in, const guint8 *p)
{
  switch (in) {
    case EEG_CONVERT_S16LE:
      return (gint16) GST_READ_UINT16_LE (p);
    case EEG_CONVERT_S24LE:
      return (gint32) (GST_READ_UINT24_LE (p) << 8) >> 8;
    default:
      return (gint32) GST_READ_UINT32_LE (p);
  }
}

static void
fill (guint8 *data, gsize size, guint32 seed)
{
  for (gsize i = 0; i < size; i++) {
    seed = seed * 1664525 + 1013904223;
    data[i] = seed >> 24;
  }
}

static void
check_run (eeg_convert_counts in, eeg_convert_values out, guint channels,
    gsize frames, eeg_cpu cpu, gboolean in_place)
{
  gsize samples = channels * frames;
  gdouble *gain = g_new (gdouble, channels);
  gdouble *offset = g_new (gdouble, channels);
  /* exact sizes, so that checkers see a read or write beyond the end */
  guint8 *src = g_malloc (MAX (samples * in_size[in], 1));
  guint8 *kept = g_malloc (MAX (samples * in_size[in], 1));
  guint8 *dst = in_place ? src : g_malloc (MAX (samples * out_size[out], 1));
  eeg_convert *convert;

  for (guint c = 0; c < channels; c++) {
    gain[c] = (c % 3 == 1 ? -0.0223517 : 0.03125) * (1.0 + c / 7.0);
    offset[c] = c % 2 ? 0.0 : 1234.5678 / (c + 1);
  }
  fill (src, samples * in_size[in], 7 + channels);
  memcpy (kept, src, samples * in_size[in]);

  convert = eeg_convert_new (in, out, gain, offset, channels, cpu);
  fail_unless (convert != NULL);
  fail_unless_equals_int (eeg_convert_get_cpu (convert), cpu);
  eeg_convert_run (convert, dst, src, frames);

  for (gsize i = 0; i < samples; i++) {
    gdouble product =
        (gdouble) read_count (in, kept + i * in_size[in]) * gain[i % channels];
    gdouble value = product + offset[i % channels];

    if (out == EEG_CONVERT_F32LE) {
      guint32 bits;
      gfloat rounded = (gfloat) value;

      memcpy (&bits, &rounded, 4);
      fail_unless_equals_int_hex (GST_READ_UINT32_LE (dst + i * 4), bits);
    } else {
      guint64 bits;

      memcpy (&bits, &value, 8);
      fail_unless_equals_uint64_hex (GST_READ_UINT64_LE (dst + i * 8), bits);
    }
  }
  if (!in_place)
    fail_unless (memcmp (src, kept, samples * in_size[in]) == 0);

  eeg_convert_free (convert);
  if (!in_place)
    g_free (dst);
  g_free (src);
  g_free (kept);
  g_free (gain);
  g_free (offset);
}

GST_START_TEST (test_every_build)
{
  static const guint channels[] = { 1, 2, 3, 7, 8, 9, 16, 64, 73, 129 };
  static const gsize frames[] = { 0, 1, 2, 5, 31, 64 };

  for (eeg_cpu cpu = 0; cpu < EEG_CPU_COUNT; cpu++) {
    if (!eeg_cpu_supports (cpu))
      continue;
    GST_INFO ("build %s", eeg_cpu_name (cpu));
    for (guint in = 0; in < 3; in++)
      for (guint out = 0; out < 2; out++)
        for (guint c = 0; c < G_N_ELEMENTS (channels); c++)
          for (guint f = 0; f < G_N_ELEMENTS (frames); f++)
            check_run (in, out, channels[c], frames[f], cpu, FALSE);
    for (guint c = 0; c < G_N_ELEMENTS (channels); c++)
      check_run (EEG_CONVERT_S32LE, EEG_CONVERT_F32LE, channels[c], 57, cpu,
          TRUE);
  }
}
GST_END_TEST;

GST_START_TEST (test_every_24_bit_code_survives_f32)
{
  /* with the gain of a 24-bit amplifier, no two codes become one float */
  gdouble gain = 4.5 / 24 / 8388607 * 1e6, offset = 0;
  eeg_convert *convert = eeg_convert_new (EEG_CONVERT_S32LE, EEG_CONVERT_F32LE,
      &gain, &offset, 1, eeg_cpu_choose ());
  const gint32 step = 4096;
  gint32 *codes = g_new (gint32, step);
  gfloat *values = g_new (gfloat, step);
  gfloat last = -G_MAXFLOAT;

  for (gint32 first = -8388608; first < 8388608; first += step) {
    for (gint i = 0; i < step; i++)
      codes[i] = GINT32_TO_LE (first + i);
    eeg_convert_run (convert, values, codes, step);
    for (gint i = 0; i < step; i++) {
      if (!(values[i] > last) || lrint (values[i] / gain) != first + i)
        g_error ("code %d is lost", first + i);
      last = values[i];
    }
  }
  g_free (codes);
  g_free (values);
  eeg_convert_free (convert);
}
GST_END_TEST;

GST_START_TEST (test_limits)
{
  gdouble one = 1;

  fail_unless (eeg_convert_new (EEG_CONVERT_S16LE, EEG_CONVERT_F32LE, &one,
                   &one, 0, EEG_CPU_BASE)
      == NULL);
  fail_unless (eeg_convert_new (EEG_CONVERT_S16LE, EEG_CONVERT_F32LE, &one,
                   &one, 65537, EEG_CPU_BASE)
      == NULL);
  eeg_convert_free (NULL);
  fail_unless (eeg_quantize_new (EEG_CONVERT_F32LE, EEG_CONVERT_S16LE, &one,
                   &one, 0, EEG_CPU_BASE)
      == NULL);
  fail_unless (eeg_quantize_new (EEG_CONVERT_F32LE, EEG_CONVERT_S16LE, &one,
                   &one, 65537, EEG_CPU_BASE)
      == NULL);
  eeg_quantize_free (NULL);
}
GST_END_TEST;

GST_START_TEST (test_choice_of_build)
{
  g_setenv ("GSTEEG_CPU", "base", TRUE);
  fail_unless_equals_int (eeg_cpu_choose (), EEG_CPU_BASE);
  g_setenv ("GSTEEG_CPU", "avx2", TRUE);
  fail_unless (eeg_cpu_choose () <= EEG_CPU_AVX2);
  g_setenv ("GSTEEG_CPU", "nonsense", TRUE);
  fail_unless (eeg_cpu_supports (eeg_cpu_choose ()));
  g_unsetenv ("GSTEEG_CPU");
  for (eeg_cpu cpu = eeg_cpu_choose () + 1; cpu < EEG_CPU_COUNT; cpu++)
    fail_if (eeg_cpu_supports (cpu));
  fail_unless_equals_string (eeg_cpu_name (EEG_CPU_AVX512), "avx512");
}
GST_END_TEST;

/* Values that are whole counts, halfway cases, the edges of each format, what
 * is far beyond, and what is no number. */
static gdouble
make_value (guint i, guint bits)
{
  const gdouble limit = ldexp (1.0, (gint) bits - 1);
  const gdouble odd[] = { 0.0, -0.0, 0.5, 1.5, 2.5, -0.5, -1.5, limit - 1.0,
    limit - 0.5, limit - 0.75, limit, limit + 0.5, -limit, -limit - 0.5,
    -limit - 0.75, -limit - 1.0, 4503599627370496.5, -9007199254740993.0, 1e30,
    -1e30, 1e300, -1e300, INFINITY, -INFINITY, NAN, -NAN, 5e-324, 2147483647.5,
    -2147483648.5 };

  /* mostly blocks in which all fits */
  if (i / 1024 % 2 == 1 && i % 5 == 0)
    return odd[i / 5 % G_N_ELEMENTS (odd)];
  return (gdouble) (i * 7 % 65521) / 4.0 - 8190.0;
}

static void
check_quantize (eeg_convert_values in, eeg_convert_counts out, guint channels,
    gsize frames, eeg_cpu cpu, gboolean in_place)
{
  gsize samples = channels * frames;
  guint bits = 8 * in_size[out];
  gdouble max = ldexp (1.0, (gint) bits - 1) - 1.0;
  gdouble *gain = g_new (gdouble, channels);
  gdouble *offset = g_new (gdouble, channels);
  guint8 *src = g_malloc (MAX (samples * out_size[in], 1));
  guint8 *dst = in_place ? src : g_malloc (MAX (samples * in_size[out], 1));
  gint32 *expected = g_new (gint32, MAX (samples, 1));
  guint64 misfits = 0;
  eeg_quantize *quantize;

  for (guint c = 0; c < channels; c++) {
    gain[c] = c % 3 == 1 ? -0.0223517 : c % 3 == 2 ? 1.0 / 3 : 1.0;
    offset[c] = c % 3 == 0 ? 0.0 : 1234.5678 / (c + 1);
  }
  for (gsize i = 0; i < samples; i++) {
    gdouble value = make_value (i, bits), count;

    if (in == EEG_CONVERT_F32LE) {
      gfloat narrow = (gfloat) value;

      memcpy (src + 4 * i, &narrow, 4);
      value = narrow;
    } else {
      memcpy (src + 8 * i, &value, 8);
    }
    count = nearbyint ((value - offset[i % channels]) / gain[i % channels]);
    if (isnan (count))
      expected[i] = 0;
    else
      expected[i] = count > max ? max : count < -max - 1 ? -max - 1 : count;
    misfits += isnan (count) || count > max || count < -max - 1;
  }
  quantize = eeg_quantize_new (in, out, gain, offset, channels, cpu);
  fail_unless (quantize != NULL);
  fail_unless_equals_int (eeg_quantize_get_cpu (quantize), cpu);
  fail_unless (
      eeg_quantize_get_memory (quantize) >= 2 * channels * sizeof (gdouble));
  fail_unless_equals_uint64 (eeg_quantize_run (quantize, dst, src, frames),
      misfits);
  for (gsize i = 0; i < samples; i++)
    if (read_count (out, dst + i * in_size[out]) != expected[i])
      g_error ("sample %u of %u channels: %d, not %d", (guint) i, channels,
          read_count (out, dst + i * in_size[out]), expected[i]);
  eeg_quantize_free (quantize);
  if (!in_place)
    g_free (dst);
  g_free (src);
  g_free (expected);
  g_free (gain);
  g_free (offset);
}

GST_START_TEST (test_every_build_back)
{
  static const guint channels[] = { 1, 2, 3, 7, 8, 9, 64, 73, 129 };
  static const gsize frames[] = { 0, 1, 2, 31, 500 };

  for (eeg_cpu cpu = 0; cpu < EEG_CPU_COUNT; cpu++) {
    if (!eeg_cpu_supports (cpu))
      continue;
    for (guint c = 0; c < G_N_ELEMENTS (channels); c++) {
      for (guint in = 0; in < 2; in++)
        for (guint out = 0; out < 3; out++)
          for (guint f = 0; f < G_N_ELEMENTS (frames); f++)
            check_quantize (in, out, channels[c], frames[f], cpu, FALSE);
      check_quantize (EEG_CONVERT_F32LE, EEG_CONVERT_S32LE, channels[c], 570,
          cpu, TRUE);
    }
    check_quantize (EEG_CONVERT_F32LE, EEG_CONVERT_S32LE, 4096, 3, cpu, TRUE);
    check_quantize (EEG_CONVERT_F64LE, EEG_CONVERT_S24LE, 4096, 3, cpu, FALSE);
  }
}
GST_END_TEST;

/* There and back by a number of bits; `step` is 1 for every count there is. */
static void
check_there_and_back (guint bits, gint64 step, eeg_convert_values values)
{
  /* limits as amplifiers and files declare them, and two negative polarities */
  static const struct
  {
    gdouble physical_min, physical_max;
  } ranges[] = { { -187500, 187499.97764825827 }, { -3276.8, 3276.7 },
    { -262144, 262143.96875 }, { 819.2, -819.175 }, { -1, 1 }, { 1e-6, -1e-6 },
    { -1e9, 1e9 } };
  const gsize n = 65536;
  const gint64 limit = G_GINT64_CONSTANT (1) << (bits - 1);
  gint32 *counts = g_new (gint32, n), *back = g_new (gint32, n);
  gdouble *work = g_new (gdouble, n);

  for (guint r = 0; r < G_N_ELEMENTS (ranges); r++) {
    gdouble gain = (ranges[r].physical_max - ranges[r].physical_min)
        / (gdouble) (2 * limit - 1);
    gdouble offset = ranges[r].physical_min + gain * (gdouble) limit;
    eeg_convert *there = eeg_convert_new (EEG_CONVERT_S32LE, values, &gain,
        &offset, 1, eeg_cpu_choose ());
    eeg_quantize *again = eeg_quantize_new (values, EEG_CONVERT_S32LE, &gain,
        &offset, 1, eeg_cpu_choose ());

    for (gint64 at = -limit; at < limit; at += step * (gint64) n) {
      gsize used = 0;

      for (; used < n && at + step * (gint64) used < limit; used++)
        counts[used] = (gint32) (at + step * (gint64) used);
      eeg_convert_run (there, work, counts, used);
      fail_unless_equals_uint64 (eeg_quantize_run (again, back, work, used), 0);
      fail_unless (memcmp (counts, back, used * sizeof *counts) == 0,
          "range %u, counts from %d", r, (gint) at);
    }
    eeg_convert_free (there);
    eeg_quantize_free (again);
  }
  g_free (counts);
  g_free (back);
  g_free (work);
}

GST_START_TEST (test_every_count_comes_back)
{
  check_there_and_back (16, 1, EEG_CONVERT_F32LE);
  check_there_and_back (16, 1, EEG_CONVERT_F64LE);
  check_there_and_back (24, 1, EEG_CONVERT_F32LE);
  check_there_and_back (24, 1, EEG_CONVERT_F64LE);
  /* a prime, so that the lowest bits vary */
  check_there_and_back (32, 241, EEG_CONVERT_F64LE);
}
GST_END_TEST;

static Suite *
convert_kernel_suite (void)
{
  Suite *suite = suite_create ("convert-kernel");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_every_build);
  tcase_add_test (tcase, test_every_24_bit_code_survives_f32);
  tcase_add_test (tcase, test_every_build_back);
  tcase_add_test (tcase, test_every_count_comes_back);
  tcase_add_test (tcase, test_limits);
  tcase_add_test (tcase, test_choice_of_build);
  return suite;
}

GST_CHECK_MAIN (convert_kernel);
