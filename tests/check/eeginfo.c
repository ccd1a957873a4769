/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/check/gstcheck.h>
#include <gst/eeg/eeg.h>

GST_START_TEST (test_caps_round_trip)
{
  static const GstEegFormat formats[] = { GST_EEG_FORMAT_S16LE,
    GST_EEG_FORMAT_S24LE, GST_EEG_FORMAT_S32LE, GST_EEG_FORMAT_F32LE,
    GST_EEG_FORMAT_F64LE };
  static const guint bytes[] = { 2, 3, 4, 4, 8 };
  GstEegChannel rows[3] = { { .label = "a" }, { .label = "b" },
    { .label = "c" } };
  GstEegChannels *table = gst_eeg_channels_new (rows, 3);
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (formats); i++) {
    GstEegInfo info, back;
    GstCaps *caps;

    gst_eeg_info_init (&info);
    gst_eeg_info_init (&back);
    gst_eeg_info_set (&info, formats[i], GST_EEG_DOMAIN_COUNTS, 128, 10, 3,
        i % 2 ? table : NULL);
    assert_equals_int (info.rate_n, 64);
    assert_equals_int (info.rate_d, 5);
    assert_equals_int (info.bytes_per_sample, bytes[i]);
    assert_equals_int (info.bytes_per_frame, 3 * bytes[i]);
    caps = gst_eeg_info_to_caps (&info);
    fail_unless (gst_caps_is_fixed (caps));
    fail_unless (gst_eeg_info_from_caps (&back, caps));
    fail_unless (gst_eeg_info_is_equal (&info, &back));
    back.domain = GST_EEG_DOMAIN_VOLTAGE;
    fail_if (gst_eeg_info_is_equal (&info, &back));
    gst_caps_unref (caps);
    gst_eeg_info_clear (&info);
    gst_eeg_info_clear (&back);
  }
  gst_eeg_channels_unref (table);
}

GST_END_TEST;

GST_START_TEST (test_caps_that_are_refused)
{
  static const gchar *const lines[] = {
    "audio/x-raw, format=S16LE, rate=(fraction)1/1, channels=1, domain=counts",
    "application/x-eeg-raw, rate=(fraction)1/1, channels=1, domain=counts",
    "application/x-eeg-raw, format=S8, rate=(fraction)1/1, channels=1, "
    "domain=counts",
    "application/x-eeg-raw, format=S16LE, rate=250, channels=1, domain=counts",
    "application/x-eeg-raw, format=S16LE, rate=(fraction)0/1, channels=1, "
    "domain=counts",
    "application/x-eeg-raw, format=S16LE, rate=(fraction)-5/1, channels=1, "
    "domain=counts",
    "application/x-eeg-raw, format=S16LE, rate=(fraction)1/1, channels=0, "
    "domain=counts",
    "application/x-eeg-raw, format=S16LE, rate=(fraction)1/1, "
    "channels=1000000000, domain=counts",
    "application/x-eeg-raw, format=S16LE, rate=(fraction)1/1, channels=1",
    "application/x-eeg-raw, format=S16LE, rate=(fraction)1/1, channels=1, "
    "domain=volts",
    "application/x-eeg-raw, format=S16LE, rate=(fraction)1/1, channels=1, "
    "domain=counts, layout=planar",
    "application/x-eeg-raw, format={S16LE,S24LE}, rate=(fraction)1/1, "
    "channels=1, domain=counts",
  };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (lines); i++) {
    GstCaps *caps = gst_caps_from_string (lines[i]);
    GstEegInfo info;

    fail_unless (caps != NULL);
    gst_eeg_info_init (&info);
    fail_if (gst_eeg_info_from_caps (&info, caps), "took %s", lines[i]);
    assert_equals_int (info.channels, 0);
    gst_caps_unref (caps);
  }
}

GST_END_TEST;

GST_START_TEST (test_table_of_other_size_is_refused)
{
  GstEegChannel row = { .label = "a" };
  GstEegChannels *table = gst_eeg_channels_new (&row, 1);
  GstCaps *caps = gst_caps_from_string ("application/x-eeg-raw, format=S16LE, "
                                        "rate=(fraction)1/1, channels=2, "
                                        "domain=counts");
  GstEegInfo info;

  gst_caps_set_simple (caps, "channel-table", GST_TYPE_EEG_CHANNELS, table,
      NULL);
  gst_eeg_info_init (&info);
  fail_if (gst_eeg_info_from_caps (&info, caps));
  gst_caps_unref (caps);
  gst_eeg_channels_unref (table);
}

GST_END_TEST;

GST_START_TEST (test_time_is_exact)
{
  static const gint rates[][2] = { { 64, 5 }, { 250, 1 }, { 999, 2 },
    { 2048, 1 }, { 30000, 1 }, { 1000, 3 }, { 1, 1 }, { 16384, 1 } };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (rates); i++) {
    GstEegInfo info;
    guint64 n, step = 1;

    gst_eeg_info_init (&info);
    gst_eeg_info_set (&info, GST_EEG_FORMAT_S16LE, GST_EEG_DOMAIN_COUNTS,
        rates[i][0], rates[i][1], 1, NULL);
    for (n = 0; n < G_GUINT64_CONSTANT (1) << 34; n += step, step += 7919)
      fail_unless_equals_uint64 (gst_eeg_info_time_to_samples (&info,
                                     gst_eeg_info_samples_to_time (&info, n)),
          n);
  }
}

GST_END_TEST;

GST_START_TEST (test_signals)
{
  const GstEegChannel rows[] = {
    { .label = "C3", .type = GST_EEG_CHANNEL_TYPE_EEG },
    { .label = "Status", .type = GST_EEG_CHANNEL_TYPE_TRIGGER },
    { .label = "Temp", .type = GST_EEG_CHANNEL_TYPE_UNKNOWN },
    { .label = "ECG", .type = GST_EEG_CHANNEL_TYPE_ECG },
  };
  GstEegChannels *table = gst_eeg_channels_new (rows, G_N_ELEMENTS (rows));
  GstEegInfo info;
  guint i;

  gst_eeg_info_init (&info);
  gst_eeg_info_set (&info, GST_EEG_FORMAT_F32LE, GST_EEG_DOMAIN_VOLTAGE, 250, 1,
      G_N_ELEMENTS (rows), table);
  for (i = 0; i < G_N_ELEMENTS (rows); i++)
    fail_unless_equals_int (gst_eeg_info_is_signal (&info, i),
        i == 0 || i == 3);
  gst_eeg_info_clear (&info);
  /* without a table all are */
  gst_eeg_info_set (&info, GST_EEG_FORMAT_F32LE, GST_EEG_DOMAIN_VOLTAGE, 250, 1,
      2, NULL);
  fail_unless (gst_eeg_info_is_signal (&info, 1));
  gst_eeg_info_clear (&info);
  gst_eeg_channels_unref (table);
}

GST_END_TEST;

GST_START_TEST (test_convert_and_stamp)
{
  GstEegInfo info;
  GstBuffer *a = gst_buffer_new (), *b = gst_buffer_new ();
  gint64 value;

  gst_eeg_info_init (&info);
  gst_eeg_info_set (&info, GST_EEG_FORMAT_S24LE, GST_EEG_DOMAIN_COUNTS, 64, 5,
      10, NULL);
  fail_unless (gst_eeg_info_convert (&info, GST_FORMAT_BYTES, 30 * 64,
      GST_FORMAT_TIME, &value));
  fail_unless_equals_int64 (value, 5 * GST_SECOND);
  fail_unless (gst_eeg_info_convert (&info, GST_FORMAT_TIME, 5 * GST_SECOND,
      GST_FORMAT_DEFAULT, &value));
  fail_unless_equals_int64 (value, 64);
  fail_unless (gst_eeg_info_convert (&info, GST_FORMAT_DEFAULT, 64,
      GST_FORMAT_BYTES, &value));
  fail_unless_equals_int64 (value, 30 * 64);
  fail_if (gst_eeg_info_convert (&info, GST_FORMAT_DEFAULT, G_MAXINT64,
      GST_FORMAT_BYTES, &value));
  fail_if (gst_eeg_info_convert (&info, GST_FORMAT_PERCENT, 1, GST_FORMAT_BYTES,
      &value));

  gst_eeg_info_stamp_buffer (&info, a, 7, 9);
  gst_eeg_info_stamp_buffer (&info, b, 16, 3);
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (a), 7);
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET_END (a), 16);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (a) + GST_BUFFER_DURATION (a),
      GST_BUFFER_PTS (b));
  fail_unless_equals_uint64 (GST_BUFFER_PTS (b), 1250 * GST_MSECOND);
  gst_buffer_unref (a);
  gst_buffer_unref (b);
}

GST_END_TEST;

static Suite *
eeginfo_suite (void)
{
  Suite *s = suite_create ("eeginfo");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_caps_round_trip);
  tcase_add_test (tc, test_caps_that_are_refused);
  tcase_add_test (tc, test_table_of_other_size_is_refused);
  tcase_add_test (tc, test_time_is_exact);
  tcase_add_test (tc, test_signals);
  tcase_add_test (tc, test_convert_and_stamp);
  return s;
}

GST_CHECK_MAIN (eeginfo);
