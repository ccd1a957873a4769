/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/check/gstcheck.h>

#include "edf-file.h"
#include "gsteegedf.h"

static const EdfFileSignal signals[] = {
  { "EEG Fp1", "AgAgCl", "uV", "-3276.8", "3276.7", "-32768", "32767",
      "HP:0.1Hz", 250 },
  { "Temp", "", "degC", "34", "40", "-2048", "2047", "", 1 },
  { "EOG \351", "", "uV", "200", "-200", "-2048", "2047", "LP:75Hz", 250 },
  { "EDF Annotations", "", "", "-1", "1", "-32768", "32767", "", 30 },
};

static EegEdfHeader *
parse (const EdfFile *file)
{
  GByteArray *bytes = edf_file_new (file);
  EegEdfHeader *header = NULL;
  gchar reason[200];
  gsize needed;

  fail_unless_equals_int (eeg_edf_header_parse (bytes->data, bytes->len,
                              &header, &needed, reason, sizeof reason),
      EEG_EDF_OK);
  g_byte_array_unref (bytes);
  return header;
}

GST_START_TEST (test_channels)
{
  const EdfFile file = { .reserved = "EDF+C",
    .records = "1",
    .duration = "1",
    .signals = signals,
    .n_signals = G_N_ELEMENTS (signals) };
  EegEdfHeader *header = parse (&file);
  GstEegChannels *table = gst_eeg_edf_get_channels (header, 0);
  const GstEegChannel *c;
  gdouble gain, offset;

  fail_unless_equals_int (gst_eeg_channels_get_size (table), 2);
  c = gst_eeg_channels_get (table, 0);
  fail_unless_equals_string (c->label, "EEG Fp1");
  fail_unless_equals_string (c->transducer, "AgAgCl");
  fail_unless_equals_string (c->unit, "uV");
  fail_unless_equals_int (c->type, GST_EEG_CHANNEL_TYPE_EEG);
  fail_unless_equals_string (c->calibration_text,
      "-3276.8 3276.7  -32768  32767   ");
  fail_unless_equals_int (c->source_index, 0);
  fail_unless (gst_eeg_channel_get_calibration (c, &gain, &offset));
  fail_unless_equals_float (c->physical_min, -3276.8);

  c = gst_eeg_channels_get (table, 1);
  fail_unless_equals_string (c->label, "EOG \303\251");
  fail_unless_equals_int (c->type, GST_EEG_CHANNEL_TYPE_EOG);
  fail_unless_equals_float (c->physical_min, 200);
  fail_unless_equals_float (c->physical_max, -200);
  fail_unless_equals_int (c->source_index, 2);
  gst_eeg_channels_unref (table);

  table = gst_eeg_edf_get_channels (header, 1);
  fail_unless_equals_int (gst_eeg_channels_get_size (table), 1);
  fail_unless_equals_int (gst_eeg_channels_get (table, 0)->type,
      GST_EEG_CHANNEL_TYPE_UNKNOWN);
  gst_eeg_channels_unref (table);
  eeg_edf_header_free (header);
}
GST_END_TEST;

GST_START_TEST (test_status_is_trigger)
{
  static const EdfFileSignal bdf_signals[] = {
    { "A1", "", "uV", "-262144", "262143", "-8388608", "8388607", "", 4 },
    { "Status", "", "Boolean", "-8388608", "8388607", "-8388608", "8388607",
        "No filtering", 4 },
  };
  const EdfFile file = { .bdf = TRUE,
    .reserved = "24BIT",
    .records = "1",
    .duration = "1",
    .signals = bdf_signals,
    .n_signals = 2 };
  EegEdfHeader *header = parse (&file);
  GstEegChannels *table = gst_eeg_edf_get_channels (header, 0);

  fail_unless_equals_int (gst_eeg_channels_get (table, 0)->type,
      GST_EEG_CHANNEL_TYPE_EEG);
  fail_unless_equals_int (gst_eeg_channels_get (table, 1)->type,
      GST_EEG_CHANNEL_TYPE_TRIGGER);
  gst_eeg_channels_unref (table);
  eeg_edf_header_free (header);
}
GST_END_TEST;

GST_START_TEST (test_recording)
{
  EdfFile file = { .reserved = "EDF+C",
    .records = "1",
    .duration = "1",
    .signals = signals,
    .n_signals = G_N_ELEMENTS (signals) };
  EegEdfHeader *header = parse (&file);
  GstStructure *s = gst_eeg_edf_get_recording (header, 0, 250 * GST_MSECOND);
  const GValue *prefilter;
  gint64 start;

  fail_unless_equals_string (gst_structure_get_string (s,
                                 GST_EEG_RECORDING_PATIENT),
      "P1 F 02-MAY-1951 Some_Body");
  fail_unless_equals_string (gst_structure_get_string (s,
                                 GST_EEG_RECORDING_RECORDING),
      "Startdate 11-APR-2019 E1 T1 amplifier");
  fail_unless_equals_string (gst_structure_get_string (s,
                                 GST_EEG_RECORDING_RECORD_DURATION),
      "1");
  fail_unless (
      gst_structure_get_int64 (s, GST_EEG_RECORDING_START_TIME, &start));
  /* date -u -d 2019-04-11T14:50:07 +%s */
  fail_unless_equals_int64 (start,
      G_GINT64_CONSTANT (1554994207) * GST_SECOND + 250 * GST_MSECOND);
  prefilter = gst_structure_get_value (s, GST_EEG_RECORDING_PREFILTER);
  fail_unless_equals_int (gst_value_array_get_size (prefilter), 2);
  fail_unless_equals_string (g_value_get_string (
                                 gst_value_array_get_value (prefilter, 1)),
      "LP:75Hz");
  gst_structure_free (s);
  eeg_edf_header_free (header);

  file.start_time = "XX.XX.XX";
  header = parse (&file);
  s = gst_eeg_edf_get_recording (header, 0, 0);
  fail_if (gst_structure_has_field (s, GST_EEG_RECORDING_START_TIME));
  gst_structure_free (s);
  eeg_edf_header_free (header);
}
GST_END_TEST;

static Suite *
eegedf_suite (void)
{
  Suite *s = suite_create ("eegedf");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_channels);
  tcase_add_test (tc, test_status_is_trigger);
  tcase_add_test (tc, test_recording);
  return s;
}

GST_CHECK_MAIN (eegedf);
