/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/check/gstcheck.h>
#include <gst/eeg/eeg.h>

static GstEegChannels *
make_table (const gchar *first_label)
{
  GstEegChannel rows[2] = {
    { .label = first_label,
        .type = GST_EEG_CHANNEL_TYPE_EEG,
        .unit = "uV",
        .transducer = "Ag/AgCl",
        .physical_min = -187500.0,
        .physical_max = 187500.0,
        .digital_min = -8388608,
        .digital_max = 8388607,
        .calibration_text = "-187500 187500  -83886088388607 ",
        .source_index = 0 },
    { .label = NULL, .source_index = 7 },
  };

  return gst_eeg_channels_new (rows, 2);
}

GST_START_TEST (test_rows_are_copied)
{
  GstEegChannels *table = make_table ("Fp1");
  const GstEegChannel *row = gst_eeg_channels_get (table, 0);

  assert_equals_int (gst_eeg_channels_get_size (table), 2);
  assert_equals_string (row->label, "Fp1");
  assert_equals_string (row->unit, "uV");
  assert_equals_string (row->transducer, "Ag/AgCl");
  assert_equals_string (row->calibration_text,
      "-187500 187500  -83886088388607 ");
  row = gst_eeg_channels_get (table, 1);
  assert_equals_string (row->label, "");
  assert_equals_string (row->unit, "");
  assert_equals_int (row->source_index, 7);
  assert_equals_int (gst_eeg_channels_find (table, "Fp1"), 0);
  assert_equals_int (gst_eeg_channels_find (table, ""), 1);
  assert_equals_int (gst_eeg_channels_find (table, "fp1"), -1);
  gst_eeg_channels_unref (table);
}

GST_END_TEST;

GST_START_TEST (test_equality_sees_every_field)
{
  GstEegChannel row = { .label = "C3",
    .type = GST_EEG_CHANNEL_TYPE_EEG,
    .unit = "uV",
    .transducer = "t",
    .physical_min = -1.0,
    .physical_max = 1.0,
    .digital_min = -2,
    .digital_max = 2,
    .bad = FALSE,
    .calibration_text = "c",
    .source_index = 3 };
  GstEegChannels *a = gst_eeg_channels_new (&row, 1);
  gint field;

  for (field = -1; field < 10; field++) {
    GstEegChannel other = row;
    GstEegChannels *b;

    switch (field) {
      case 0:
        other.label = "C4";
        break;
      case 1:
        other.type = GST_EEG_CHANNEL_TYPE_EMG;
        break;
      case 2:
        other.unit = "mV";
        break;
      case 3:
        other.transducer = "";
        break;
      case 4:
        other.physical_min = -1.5;
        break;
      case 5:
        other.physical_max = 1.5;
        break;
      case 6:
        other.digital_min = -3;
        break;
      case 7:
        other.digital_max = 3;
        break;
      case 8:
        other.bad = TRUE;
        break;
      case 9:
        other.source_index = 4;
        break;
    }
    b = gst_eeg_channels_new (&other, 1);
    fail_unless (gst_eeg_channels_is_equal (a, b) == (field == -1),
        "field %d makes no difference", field);
    fail_unless ((gst_eeg_channels_get_hash (a)
                     == gst_eeg_channels_get_hash (b))
            == (field == -1),
        "field %d is not in the hash", field);
    gst_eeg_channels_unref (b);
  }
  gst_eeg_channels_unref (a);
}

GST_END_TEST;

GST_START_TEST (test_caps_field)
{
  GstEegChannels *table = make_table ("Fp1");
  GstEegChannels *same = make_table ("Fp1");
  GstEegChannels *other = make_table ("Fp2");
  GstCaps *a = gst_caps_new_simple ("application/x-eeg-raw", "channel-table",
      GST_TYPE_EEG_CHANNELS, table, NULL);
  GstCaps *b = gst_caps_new_simple ("application/x-eeg-raw", "channel-table",
      GST_TYPE_EEG_CHANNELS, same, NULL);
  GstCaps *c = gst_caps_new_simple ("application/x-eeg-raw", "channel-table",
      GST_TYPE_EEG_CHANNELS, other, NULL);
  GstCaps *any = gst_caps_new_empty_simple ("application/x-eeg-raw");
  GstCaps *i;
  gchar *text;

  fail_unless (gst_caps_is_fixed (a));
  fail_unless (gst_caps_is_equal (a, b));
  fail_unless (gst_caps_can_intersect (a, b));
  fail_if (gst_caps_is_equal (a, c));
  fail_if (gst_caps_can_intersect (a, c));
  i = gst_caps_intersect (a, any);
  fail_unless (gst_caps_is_equal (i, a));
  gst_caps_unref (i);

  text = gst_caps_to_string (a);
  fail_if (strstr (text, "Fp1") != NULL, "labels in %s", text);
  g_free (text);

  gst_caps_unref (a);
  gst_caps_unref (b);
  gst_caps_unref (c);
  gst_caps_unref (any);
  gst_eeg_channels_unref (table);
  gst_eeg_channels_unref (same);
  gst_eeg_channels_unref (other);
}

GST_END_TEST;

GST_START_TEST (test_type_rule)
{
  static const struct
  {
    const gchar *label, *unit;
    GstEegChannelType type;
  } cases[] = {
    { "EEG Fpz-Cz", "uV", GST_EEG_CHANNEL_TYPE_EEG },
    { "A1", "uV", GST_EEG_CHANNEL_TYPE_EEG },
    { "SEEG LA1", "\302\265V", GST_EEG_CHANNEL_TYPE_EEG },
    { "EOG horizontal", "uV", GST_EEG_CHANNEL_TYPE_EOG },
    { "VEOG", "mV", GST_EEG_CHANNEL_TYPE_EOG },
    { "EMG submental", "uV", GST_EEG_CHANNEL_TYPE_EMG },
    { "EKG", "mV", GST_EEG_CHANNEL_TYPE_ECG },
    { "ecg ii", "V", GST_EEG_CHANNEL_TYPE_ECG },
    { "Status", "Boolean", GST_EEG_CHANNEL_TYPE_TRIGGER },
    { "STI 014", "V", GST_EEG_CHANNEL_TYPE_TRIGGER },
    { "Event marker", "", GST_EEG_CHANNEL_TYPE_TRIGGER },
    { "Temp rectal", "DegC", GST_EEG_CHANNEL_TYPE_UNKNOWN },
    { "Fp1", "", GST_EEG_CHANNEL_TYPE_UNKNOWN },
    { "STIM", "uV", GST_EEG_CHANNEL_TYPE_EEG },
  };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++)
    fail_unless (gst_eeg_channel_type_guess (cases[i].label, cases[i].unit)
            == cases[i].type,
        "'%s' in '%s' has the wrong type", cases[i].label, cases[i].unit);
  fail_if (gst_eeg_channel_type_is_signal (GST_EEG_CHANNEL_TYPE_TRIGGER));
  fail_if (gst_eeg_channel_type_is_signal (GST_EEG_CHANNEL_TYPE_UNKNOWN));
  fail_unless (gst_eeg_channel_type_is_signal (GST_EEG_CHANNEL_TYPE_EOG));
}

GST_END_TEST;

GST_START_TEST (test_calibration)
{
  GstEegChannel c = { .physical_min = 8711,
    .physical_max = -8711,
    .digital_min = -32768,
    .digital_max = 32767 };
  gdouble gain, offset;

  fail_unless (gst_eeg_channel_get_calibration (&c, &gain, &offset));
  assert_equals_float (gain, -17422.0 / 65535.0);
  fail_unless (ABS (gain * -32768 + offset - 8711) < 1e-9);

  c.digital_max = c.digital_min;
  fail_if (gst_eeg_channel_get_calibration (&c, &gain, &offset));
  assert_equals_float (gain, 0.0);
  c.digital_max = 1;
  c.physical_max = c.physical_min;
  fail_if (gst_eeg_channel_get_calibration (&c, &gain, &offset));
  c.physical_max = G_MAXDOUBLE;
  c.physical_min = -G_MAXDOUBLE;
  fail_if (gst_eeg_channel_get_calibration (&c, &gain, &offset));

  /* the full 32-bit range does not overflow */
  c.physical_min = -1;
  c.physical_max = 1;
  c.digital_min = G_MININT32;
  c.digital_max = G_MAXINT32;
  fail_unless (gst_eeg_channel_get_calibration (&c, &gain, &offset));
  assert_equals_float (gain, 2.0 / 4294967295.0);
}

GST_END_TEST;

static Suite *
eegchannels_suite (void)
{
  Suite *s = suite_create ("eegchannels");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_rows_are_copied);
  tcase_add_test (tc, test_equality_sees_every_field);
  tcase_add_test (tc, test_caps_field);
  tcase_add_test (tc, test_type_rule);
  tcase_add_test (tc, test_calibration);
  return s;
}

GST_CHECK_MAIN (eegchannels);
