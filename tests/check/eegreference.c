/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "eeg-samples.h"

static const gchar *const labels[] = { "Fp1", "C3", "C4", "A-1", "EOG",
  "Status", "A2", NULL };
#define CHANNELS 7

static GstCaps *
make_caps (GstEegFormat format, gint bad, const gchar *odd_unit)
{
  GstEegChannels *plain = samples_table (CHANNELS, labels), *table;
  GstEegChannel rows[CHANNELS];

  for (guint i = 0; i < CHANNELS; i++) {
    rows[i] = *gst_eeg_channels_get (plain, i);
    rows[i].bad = (gint) i == bad;
  }
  if (odd_unit != NULL)
    rows[1].unit = odd_unit;
  rows[2].physical_min = 500; /* negative polarity */
  rows[2].physical_max = -500;
  rows[2].calibration_text = "500     -500    -32768  32767   ";
  table = gst_eeg_channels_new (rows, CHANNELS);
  gst_eeg_channels_unref (plain);
  return samples_caps (format, 250, 1, CHANNELS, table);
}

static GstHarness *
make_harness (const gchar *line, GstEegFormat format, gint bad)
{
  GstHarness *h = gst_harness_new_parse (line);

  gst_harness_set_src_caps (h, make_caps (format, bad, NULL));
  return h;
}

/* One output channel: weights of the input channels, over their sum. */
typedef struct
{
  const gchar *line;
  gint bad;
  const gchar *result;
  guint n;
  gint plus[CHANNELS + 1];
  const gchar *minus[CHANNELS + 1]; /* digits of channels, their mean; or "" */
} Case;

static const Case cases[] = {
  { "eegreference", -1,
      "Fp1-AVG:eeg,C3-AVG:eeg,C4-AVG:eeg,A-1-AVG:eeg,EOG:eog,Status:trigger,"
      "A2-AVG:eeg",
      7, { 0, 1, 2, 3, 4, 5, 6 },
      { "01236", "01236", "01236", "01236", "", "", "01236" } },
  { "eegreference", 1,
      "Fp1-AVG:eeg,C3:eeg!,C4-AVG:eeg,A-1-AVG:eeg,EOG:eog,Status:trigger,"
      "A2-AVG:eeg",
      7, { 0, 1, 2, 3, 4, 5, 6 },
      { "0236", "", "0236", "0236", "", "", "0236" } },
  { "eegreference channels=A2", -1,
      "Fp1-A2:eeg,C3-A2:eeg,C4-A2:eeg,A-1-A2:eeg,EOG:eog,Status:trigger,"
      "A2-A2:eeg",
      7, { 0, 1, 2, 3, 4, 5, 6 }, { "6", "6", "6", "6", "", "", "6" } },
  { "eegreference channels=\"A-1, A2\" relabel=false", -1,
      "Fp1:eeg,C3:eeg,C4:eeg,A-1:eeg,EOG:eog,Status:trigger,A2:eeg", 7,
      { 0, 1, 2, 3, 4, 5, 6 }, { "36", "36", "36", "36", "", "", "36" } },
  { "eegreference channels=A-1,A2", -1,
      "Fp1-REF:eeg,C3-REF:eeg,C4-REF:eeg,A-1-REF:eeg,EOG:eog,Status:trigger,"
      "A2-REF:eeg",
      7, { 0, 1, 2, 3, 4, 5, 6 }, { "36", "36", "36", "36", "", "", "36" } },
  /* the bad one is no part of it */
  { "eegreference channels=A-1,A2", 3,
      "Fp1-A2:eeg,C3-A2:eeg,C4-A2:eeg,A-1:eeg!,EOG:eog,Status:trigger,"
      "A2-A2:eeg",
      7, { 0, 1, 2, 3, 4, 5, 6 }, { "6", "6", "6", "", "", "", "6" } },
  { "eegreference bipolar=\"Fp1-C3, C3 - A-1\"", -1,
      "Fp1-C3:eeg,C3-A-1:eeg,C4:eeg,EOG:eog,Status:trigger,A2:eeg", 6,
      { 0, 1, 2, 4, 5, 6 }, { "1", "3", "", "", "", "" } },
  { "eegreference bipolar=C4-C3,Fp1-C3,EOG-A2,A-1-A2 relabel=false", 1,
      "C4:eeg!,Fp1:eeg!,EOG:eog,A-1:eeg,Status:trigger", 5, { 2, 0, 4, 3, 5 },
      { "1", "1", "6", "6", "" } },
};

static void
check_samples (GstHarness *h, const Case *c, GstEegFormat format, guint64 start,
    guint step)
{
  Samples out;
  guint i, k, m, frames = 100;

  samples_init (&out);
  samples_push (h, &out, format, CHANNELS, start, frames, step);
  samples_check_labels (h, c->result, TRUE);
  fail_unless_equals_int (out.bytes->len,
      frames * c->n * gst_eeg_format_get_bytes (format));
  for (i = 0; i < frames; i++)
    for (k = 0; k < c->n; k++) {
      gdouble expected = samples_at (start + i, c->plus[k]), sum = 0, got;
      guint n = strlen (c->minus[k]);

      for (m = 0; m < n; m++)
        sum += samples_at (start + i, c->minus[k][m] - '0');
      if (n > 0)
        expected -= sum / n;
      if (format == GST_EEG_FORMAT_F32LE) {
        expected = (gfloat) expected;
        got = ((gfloat *) out.bytes->data)[i * c->n + k];
      } else {
        got = ((gdouble *) out.bytes->data)[i * c->n + k];
      }
      fail_unless (got == expected, "sample %u of channel %u: %g, not %g", i, k,
          got, expected);
    }
  samples_clear (&out);
}

GST_START_TEST (test_cases)
{
  static const GstEegFormat formats[] = { GST_EEG_FORMAT_F32LE,
    GST_EEG_FORMAT_F64LE };
  static const guint steps[] = { 1, 100, 0 };

  for (guint i = 0; i < 2; i++) {
    GstHarness *h =
        make_harness (cases[__i__].line, formats[i], cases[__i__].bad);

    for (guint k = 0; k < G_N_ELEMENTS (steps); k++)
      check_samples (h, &cases[__i__], formats[i], 100 * k, steps[k]);
    gst_harness_teardown (h);
  }
}

GST_END_TEST;

static const gchar *const bad[] = { "channels=Cz", "channels=A2,Cz",
  "bipolar=Fp1", "bipolar=Fp1-Cz", "bipolar=Cz-Fp1", "bipolar=Fp1-C3,Cz-Fp1",
  "channels=C3 bipolar=Fp1-C4", "channels=Fp1" };

GST_START_TEST (test_bad_settings)
{
  gchar *line = g_strdup_printf ("eegreference %s", bad[__i__]);
  GstHarness *h = gst_harness_new_parse (line);
  GstElement *element = samples_element (h);
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (element, bus);
  gst_harness_set_src_caps (h, make_caps (GST_EEG_FORMAT_F32LE, 0, NULL));
  fail_unless_equals_int (gst_harness_push (h,
                              samples_buffer (GST_EEG_FORMAT_F32LE, CHANNELS, 0,
                                  10)),
      GST_FLOW_NOT_NEGOTIATED);
  samples_check_message (bus, GST_MESSAGE_ERROR, GST_LIBRARY_ERROR,
      GST_LIBRARY_ERROR_SETTINGS);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
  gst_harness_teardown (h);
  g_free (line);
}

GST_END_TEST;

/* uV and the two micro signs are one unit; mV is another. */
GST_START_TEST (test_units)
{
  static const struct
  {
    const gchar *unit;
    gboolean good;
  } units[] = { { "\302\265V", TRUE }, { "\316\274V", TRUE }, { "mV", FALSE },
    { "V", FALSE }, { "", FALSE } };

  for (guint i = 0; i < G_N_ELEMENTS (units); i++) {
    GstHarness *h = gst_harness_new ("eegreference");
    GstFlowReturn ret;

    gst_harness_set_src_caps (h,
        make_caps (GST_EEG_FORMAT_F32LE, -1, units[i].unit));
    ret = gst_harness_push (h,
        samples_buffer (GST_EEG_FORMAT_F32LE, CHANNELS, 0, 10));
    fail_unless_equals_int (ret,
        units[i].good ? GST_FLOW_OK : GST_FLOW_NOT_NEGOTIATED);
    gst_harness_teardown (h);
  }
}

GST_END_TEST;

/* A hyphen in labels may leave two readings, which backslashes tell apart. */
GST_START_TEST (test_ambiguous_pairs)
{
  static const gchar *const names[] = { "a", "b-c", "a-b", "c", NULL };
  static const struct
  {
    const gchar *bipolar, *result;
  } pairs[] = { { "a-b-c", NULL }, { "a-b\\-c", "a-b-c,a-b,c" },
    { "a\\-b-c", "a-b-c,a,b-c" } };

  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++) {
    GstHarness *h = gst_harness_new ("eegreference");
    GstFlowReturn ret;

    g_object_set (h->element, "bipolar", pairs[i].bipolar, NULL);
    gst_harness_set_src_caps (h,
        samples_caps (GST_EEG_FORMAT_F32LE, 250, 1, 4,
            samples_table (4, names)));
    ret = gst_harness_push (h, samples_buffer (GST_EEG_FORMAT_F32LE, 4, 0, 10));
    fail_unless_equals_int (ret,
        pairs[i].result ? GST_FLOW_OK : GST_FLOW_NOT_NEGOTIATED);
    if (pairs[i].result != NULL)
      samples_check_labels (h, pairs[i].result, FALSE);
    gst_harness_teardown (h);
  }
}

GST_END_TEST;

/* No value that lay inside the limits lies outside the new ones. */
GST_START_TEST (test_limits)
{
  GstHarness *h =
      make_harness ("eegreference channels=C4", GST_EEG_FORMAT_F32LE, -1);
  const GstEegChannel *row;
  GstEegInfo info;
  GstCaps *caps;

  gst_buffer_unref (gst_harness_push_and_pull (h,
      samples_buffer (GST_EEG_FORMAT_F32LE, CHANNELS, 0, 10)));
  caps = gst_pad_get_current_caps (h->sinkpad);
  gst_eeg_info_init (&info);
  fail_unless (gst_eeg_info_from_caps (&info, caps));
  row = gst_eeg_channels_get (info.channel_table, 0);
  fail_unless (row->physical_min == -1500 && row->physical_max == 1500);
  row = gst_eeg_channels_get (info.channel_table, 2);
  fail_unless (row->physical_min == -1000 && row->physical_max == 1000);
  fail_unless_equals_string (row->calibration_text, "");
  row = gst_eeg_channels_get (info.channel_table, 4);
  fail_unless (row->physical_min == -1000 && row->physical_max == 1000);
  fail_unless_equals_int (row->source_index, 4);
  gst_eeg_info_clear (&info);
  gst_caps_unref (caps);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_hot)
{
  GstHarness *h = make_harness ("eegreference", GST_EEG_FORMAT_F64LE, -1);
  GstElement *element = samples_element (h);
  GstBus *bus = gst_bus_new ();
  gchar *text;

  gst_element_set_bus (element, bus);
  check_samples (h, &cases[0], GST_EEG_FORMAT_F64LE, 0, 0);
  g_object_set (element, "channels", "A2", NULL);
  check_samples (h, &cases[2], GST_EEG_FORMAT_F64LE, 100, 0);
  g_object_set (element, "channels", "Cz", NULL);
  samples_check_message (bus, GST_MESSAGE_WARNING, GST_LIBRARY_ERROR,
      GST_LIBRARY_ERROR_SETTINGS);
  g_object_get (element, "channels", &text, NULL);
  fail_unless_equals_string (text, "A2");
  g_free (text);
  check_samples (h, &cases[2], GST_EEG_FORMAT_F64LE, 200, 0);
  g_object_set (element, "channels", "A-1,A2", "relabel", FALSE, NULL);
  check_samples (h, &cases[3], GST_EEG_FORMAT_F64LE, 300, 0);
  /* the same caps, other samples */
  g_object_set (element, "channels", "A-1", NULL);
  {
    Case one = cases[3];

    for (guint i = 0; i < CHANNELS; i++)
      one.minus[i] = one.minus[i][0] ? "3" : "";
    check_samples (h, &one, GST_EEG_FORMAT_F64LE, 400, 0);
  }
  g_object_set (element, "channels", NULL, "relabel", TRUE, "bipolar",
      "Fp1-C3,C3-A-1", NULL);
  check_samples (h, &cases[6], GST_EEG_FORMAT_F64LE, 500, 0);
  g_object_set (element, "bipolar", "", NULL);
  check_samples (h, &cases[0], GST_EEG_FORMAT_F64LE, 600, 0);

  /* a channel becomes bad in the middle of the stream */
  gst_harness_set_src_caps (h, make_caps (GST_EEG_FORMAT_F64LE, 1, NULL));
  check_samples (h, &cases[1], GST_EEG_FORMAT_F64LE, 700, 0);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ANY) == NULL
      || !gst_bus_have_pending (bus));
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_memory)
{
  GstHarness *h = make_harness ("eegreference", GST_EEG_FORMAT_F32LE, -1);
  GstBuffer *buffer = samples_buffer (GST_EEG_FORMAT_F32LE, CHANNELS, 0, 10);
  GstMemory *memory = gst_buffer_peek_memory (buffer, 0), *last = NULL;
  guint i, same = 0;

  buffer = gst_harness_push_and_pull (h, buffer);
  fail_unless (gst_buffer_peek_memory (buffer, 0) == memory);
  gst_buffer_unref (buffer);
  gst_harness_teardown (h);

  /* of another size: from slabs that are used again */
  h = make_harness ("eegreference bipolar=Fp1-C3", GST_EEG_FORMAT_F32LE, -1);
  for (i = 0; i < 20; i++) {
    buffer = gst_harness_push_and_pull (h,
        samples_buffer (GST_EEG_FORMAT_F32LE, CHANNELS, i * 10, 10));
    memory = gst_buffer_peek_memory (buffer, 0);
    fail_unless (GST_IS_EEG_ALLOCATOR (memory->allocator));
    same += memory == last;
    last = memory;
    gst_buffer_unref (buffer);
  }
  fail_unless (same >= 18);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_without_table)
{
  static const gint channels[] = { 1, 2, 4096 };

  for (guint i = 0; i < G_N_ELEMENTS (channels); i++) {
    GstHarness *h = gst_harness_new ("eegreference");
    GstBuffer *out;
    gdouble sum = 0, *x;
    GstMapInfo map;
    gint c;

    gst_harness_set_src_caps (h,
        samples_caps (GST_EEG_FORMAT_F64LE, 487, 2, channels[i], NULL));
    out = gst_harness_push_and_pull (h,
        samples_buffer (GST_EEG_FORMAT_F64LE, channels[i], 0, 1));
    gst_buffer_map (out, &map, GST_MAP_READ);
    x = (gdouble *) map.data;
    for (c = 0; c < channels[i]; c++)
      sum += x[c];
    fail_unless (fabs (sum) < 1e-6);
    gst_buffer_unmap (out, &map);
    gst_buffer_unref (out);
    g_object_set (h->element, "channels", "E1", NULL);
    gst_buffer_unref (gst_harness_push_and_pull (h,
        samples_buffer (GST_EEG_FORMAT_F64LE, channels[i], 1, 1)));
    gst_harness_teardown (h);
  }
}

GST_END_TEST;

GST_START_TEST (test_contract)
{
  GstHarness *h =
      make_harness (cases[6].line, GST_EEG_FORMAT_F32LE, cases[6].bad);
  GstElement *element = samples_element (h);
  GstEegEstimate estimate;

  gst_harness_set_upstream_latency (h, GST_MSECOND);
  for (guint round = 0; round < 3; round++) {
    check_samples (h, &cases[6], GST_EEG_FORMAT_F32LE, 0, 0);
    gst_element_set_state (h->element,
        round == 1 ? GST_STATE_NULL : GST_STATE_READY);
    gst_element_set_state (h->element, GST_STATE_PLAYING);
    gst_harness_set_src_caps (h,
        make_caps (GST_EEG_FORMAT_F32LE, cases[6].bad, NULL));
  }
  check_samples (h, &cases[6], GST_EEG_FORMAT_F32LE, 0, 0);
  fail_unless_equals_uint64 (gst_harness_query_latency (h), GST_MSECOND);
  fail_unless (gst_eeg_stage_can_save_state (GST_EEG_STAGE (element)));
  fail_unless (
      gst_eeg_stage_estimate (GST_EEG_STAGE (element), 7000, &estimate));
  fail_unless_equals_uint64 (estimate.output_bytes, 6000);
  gst_object_unref (element);
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
eegreference_suite (void)
{
  Suite *s = suite_create ("eegreference");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_cases, 0, G_N_ELEMENTS (cases));
  tcase_add_loop_test (tc, test_bad_settings, 0, G_N_ELEMENTS (bad));
  tcase_add_test (tc, test_units);
  tcase_add_test (tc, test_ambiguous_pairs);
  tcase_add_test (tc, test_limits);
  tcase_add_test (tc, test_hot);
  tcase_add_test (tc, test_memory);
  tcase_add_test (tc, test_without_table);
  tcase_add_test (tc, test_contract);
  return s;
}

GST_CHECK_MAIN (eegreference);
