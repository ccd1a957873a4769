/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/check/gstcheck.h>
#include <gst/eeg/eeg.h>

#include <string.h>

static GstEegStatistics *
make_statistics (guint n)
{
  GstEegChannelStatistics *rows = g_new0 (GstEegChannelStatistics, MAX (n, 1));
  GstEegStatistics *statistics;
  guint c, b;

  for (c = 0; c < n; c++) {
    rows[c].samples = 100 + c;
    rows[c].mean = -1.5 - c;
    rows[c].rms = 1 / 3.0;
    rows[c].peak_to_peak = 1e300;
    for (b = 0; b < GST_EEG_N_BANDS; b++)
      rows[c].bands[b] = b + c / 10.0;
    rows[c].mains_ratio = 0.25;
  }
  statistics =
      gst_eeg_statistics_new (1000, 250, 4 * GST_SECOND, GST_SECOND, rows, n);
  g_free (rows);
  return statistics;
}

static void
check_statistics (const GstEegStatistics *s, guint n)
{
  GstEegStatistics *other = make_statistics (n);
  guint c;

  fail_unless_equals_uint64 (gst_eeg_statistics_get_first (s), 1000);
  fail_unless_equals_uint64 (gst_eeg_statistics_get_count (s), 250);
  fail_unless_equals_uint64 (gst_eeg_statistics_get_time (s), 4 * GST_SECOND);
  fail_unless_equals_uint64 (gst_eeg_statistics_get_duration (s), GST_SECOND);
  fail_unless_equals_int (gst_eeg_statistics_get_size (s), n);
  for (c = 0; c < n; c++)
    fail_unless (
        memcmp (gst_eeg_statistics_get (s, c),
            gst_eeg_statistics_get (other, c), sizeof (GstEegChannelStatistics))
        == 0);
  gst_eeg_statistics_unref (other);
}

GST_START_TEST (test_message)
{
  static const guint counts[] = { 0, 1, 5 };
  GstEegStatistics *s = make_statistics (counts[__i__]), *parsed;
  GstMessage *message = gst_eeg_message_new_statistics (NULL, s);
  gchar *text = gst_structure_to_string (gst_message_get_structure (message));

  check_statistics (s, counts[__i__]);
  parsed = gst_eeg_message_parse_statistics (message);
  fail_unless (parsed != NULL, "%s", text);
  check_statistics (parsed, counts[__i__]);
  gst_eeg_statistics_unref (parsed);
  gst_eeg_statistics_unref (s);
  gst_message_unref (message);
  g_free (text);
}

GST_END_TEST;

/* Messages that only look like one. */
GST_START_TEST (test_wrong_message)
{
  static const gchar *const lines[] = { "something-else",
    "eeg-statistics, first=(guint64)1",
    "eeg-statistics, first=(guint64)1, count=(guint64)1, time=(guint64)1, "
    "duration=(guint64)1, samples=(guint64)< 1, 2 >, mean=(double)< 1 >",
    "eeg-statistics, first=(guint64)1, count=(guint64)1, time=(guint64)1, "
    "duration=(guint64)1, samples=(string)< a, b >" };
  GstMessage *message = gst_message_new_element (NULL,
      gst_structure_from_string (lines[__i__], NULL));

  fail_unless (gst_eeg_message_parse_statistics (message) == NULL);
  gst_message_unref (message);
  message = gst_message_new_eos (NULL);
  fail_unless (gst_eeg_message_parse_statistics (message) == NULL);
  gst_message_unref (message);
}

GST_END_TEST;

static guint
count_metas (GstBuffer *buffer)
{
  GstEegStatisticsMeta *meta;
  gpointer state = NULL;
  guint n = 0;

  while ((meta = gst_buffer_iterate_eeg_statistics_meta (buffer, &state))) {
    check_statistics (meta->statistics, 2);
    n++;
  }
  return n;
}

/* Copies have it; of fragments only the one that holds the end. */
GST_START_TEST (test_meta)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 100, NULL), *other;
  GstEegStatistics *s = make_statistics (2);
  static const struct
  {
    gsize offset, size;
    guint n;
  } regions[] = { { 0, 100, 2 }, { 0, -1, 2 }, { 0, 99, 0 }, { 50, 50, 2 },
    { 50, 49, 0 }, { 50, -1, 2 }, { 99, 1, 2 } };
  guint i;

  gst_buffer_add_eeg_statistics_meta (buffer, s);
  gst_buffer_add_eeg_statistics_meta (buffer, s);
  gst_eeg_statistics_unref (s);
  other = gst_buffer_copy (buffer);
  fail_unless_equals_int (count_metas (other), 2);
  gst_buffer_unref (other);
  for (i = 0; i < G_N_ELEMENTS (regions); i++) {
    other = gst_buffer_copy_region (buffer, GST_BUFFER_COPY_ALL,
        regions[i].offset, regions[i].size);
    fail_unless_equals_int (count_metas (other), regions[i].n);
    gst_buffer_unref (other);
  }
  gst_buffer_unref (buffer);
}

GST_END_TEST;

GST_START_TEST (test_bands)
{
  GEnumClass *klass = g_type_class_ref (GST_TYPE_EEG_BAND);
  gdouble low, high, before = 0.5;
  guint b;

  fail_unless_equals_int (klass->n_values, GST_EEG_N_BANDS);
  for (b = 0; b < GST_EEG_N_BANDS; b++) {
    gst_eeg_band_get_limits (b, &low, &high);
    fail_unless (low == before && high > low);
    before = high;
    fail_unless_equals_string (gst_eeg_band_to_string (b),
        g_enum_get_value (klass, b)->value_nick);
  }
  g_type_class_unref (klass);
}

GST_END_TEST;

GST_START_TEST (test_boxed)
{
  GstEegStatistics *s = make_statistics (3);
  GValue value = G_VALUE_INIT;

  g_value_init (&value, GST_TYPE_EEG_STATISTICS);
  g_value_set_boxed (&value, s);
  fail_unless (g_value_get_boxed (&value) == s);
  gst_eeg_statistics_unref (s);
  check_statistics (g_value_get_boxed (&value), 3);
  g_value_unset (&value);
}

GST_END_TEST;

static Suite *
eegstatistics_suite (void)
{
  Suite *s = suite_create ("eegstatistics");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_message, 0, 3);
  tcase_add_loop_test (tc, test_wrong_message, 0, 4);
  tcase_add_test (tc, test_meta);
  tcase_add_test (tc, test_bands);
  tcase_add_test (tc, test_boxed);
  return s;
}

GST_CHECK_MAIN (eegstatistics);
