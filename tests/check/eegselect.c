/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "eeg-samples.h"

static const gchar *const labels[] = { "EEG Fp1-Ref", "EEG C3-Ref",
  "EEG C4-Ref", "EOG left", "Status", "odd,one", NULL };
#define CHANNELS 6

static GstHarness *
make_harness (const gchar *line, GstEegFormat format)
{
  GstHarness *h = gst_harness_new_parse (line);

  gst_harness_set_src_caps (h,
      samples_caps (format, 250, 1, CHANNELS,
          samples_table (CHANNELS, labels)));
  return h;
}

/* Pushes some samples; output channel i is input channel from[i]. */
static void
check_samples (GstHarness *h, GstEegFormat format, guint64 start,
    const gint *from, guint n)
{
  gsize size = gst_eeg_format_get_bytes (format);
  guint frames = 100, i, c;
  guint8 expected[8];
  Samples out;

  samples_init (&out);
  samples_push (h, &out, format, CHANNELS, start, frames, 0);
  fail_unless_equals_int (out.bytes->len, frames * n * size);
  fail_unless_equals_uint64 (out.first, start);
  for (i = 0; i < frames; i++)
    for (c = 0; c < n; c++) {
      samples_write (expected, format, samples_at (start + i, from[c]));
      fail_unless (memcmp (out.bytes->data + (i * n + c) * size, expected, size)
              == 0,
          "sample %u of channel %u", i, c);
    }
  samples_clear (&out);
}

static const struct
{
  const gchar *properties;
  const gchar *result;
  gint from[CHANNELS];
  guint n;
} cases[] = {
  { "",
      "EEG Fp1-Ref:eeg,EEG C3-Ref:eeg,EEG C4-Ref:eeg,EOG left:eog,"
      "Status:trigger,odd,one:eeg",
      { 0, 1, 2, 3, 4, 5 }, 6 },
  { "channels=\"EEG C4-Ref, EEG*\"",
      "EEG C4-Ref:eeg,EEG Fp1-Ref:eeg,EEG C3-Ref:eeg", { 2, 0, 1 }, 3 },
  { "channels=\"*,Status\" drop=\"EEG*,nothing*\"",
      "EOG left:eog,Status:trigger,odd,one:eeg", { 3, 4, 5 }, 3 },
  { "channels=odd\\\\,one", "odd,one:eeg", { 5 }, 1 },
  { "channels=EEG* rename=\"EEG *-Ref=*\"", "Fp1:eeg,C3:eeg,C4:eeg",
      { 0, 1, 2 }, 3 },
  { "channels=EEG* rename=\"EEG *-Ref=*, EEG C3-Ref=Cz\"",
      "Fp1:eeg,Cz:eeg,C4:eeg", { 0, 1, 2 }, 3 },
  { "channels=\"EEG C?-Ref,Status\" types=\"EEG*=emg,Status=unknown\"",
      "EEG C3-Ref:emg,EEG C4-Ref:emg,Status:unknown", { 1, 2, 4 }, 3 },
  { "channels=EEG* bad=* good=\"EEG C3*\"",
      "EEG Fp1-Ref:eeg!,EEG C3-Ref:eeg,EEG C4-Ref:eeg!", { 0, 1, 2 }, 3 },
  { "bad=Status rename=\"EOG left=HEOG\"",
      "EEG Fp1-Ref:eeg,EEG C3-Ref:eeg,EEG C4-Ref:eeg,HEOG:eog,"
      "Status:trigger!,odd,one:eeg",
      { 0, 1, 2, 3, 4, 5 }, 6 },
};

GST_START_TEST (test_cases)
{
  static const GstEegFormat formats[] = { GST_EEG_FORMAT_S16LE,
    GST_EEG_FORMAT_S24LE, GST_EEG_FORMAT_S32LE, GST_EEG_FORMAT_F32LE,
    GST_EEG_FORMAT_F64LE };
  gchar *line = g_strdup_printf ("eegselect %s", cases[__i__].properties);

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    GstHarness *h = make_harness (line, formats[i]);

    check_samples (h, formats[i], 1000, cases[__i__].from, cases[__i__].n);
    samples_check_labels (h, cases[__i__].result, TRUE);
    gst_harness_teardown (h);
  }
  g_free (line);
}

GST_END_TEST;

static const gchar *const bad[] = { "channels=Cz", "channels=EMG*", "drop=*",
  "drop=\"EEG C9\"", "rename=Cz=C1", "rename=Status", "rename=a=b=c",
  "types=Status=wrong", "types=Cz=eeg", "bad=Cz", "good=Cz" };

GST_START_TEST (test_bad_settings)
{
  gchar *line = g_strdup_printf ("eegselect %s", bad[__i__]);
  GstHarness *h = gst_harness_new_parse (line);
  GstElement *element = samples_element (h);
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (element, bus);
  gst_harness_set_src_caps (h,
      samples_caps (GST_EEG_FORMAT_F32LE, 250, 1, CHANNELS,
          samples_table (CHANNELS, labels)));
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

GST_START_TEST (test_without_table)
{
  GstHarness *h = gst_harness_new ("eegselect");
  GstBus *bus = gst_bus_new ();
  GstBuffer *buffer, *out;

  gst_harness_set_src_caps (h,
      samples_caps (GST_EEG_FORMAT_F32LE, 250, 1, 3, NULL));
  buffer = samples_buffer (GST_EEG_FORMAT_F32LE, 3, 0, 10);
  out = gst_harness_push_and_pull (h, buffer);
  fail_unless (out == buffer);
  gst_buffer_unref (out);
  gst_element_set_bus (h->element, bus);
  g_object_set (h->element, "drop", "E1", NULL);
  samples_check_message (bus, GST_MESSAGE_WARNING, GST_LIBRARY_ERROR,
      GST_LIBRARY_ERROR_SETTINGS);
  out = gst_harness_push_and_pull (h,
      samples_buffer (GST_EEG_FORMAT_F32LE, 3, 10, 10));
  gst_buffer_unref (out);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* Where only the table changes, the same buffer goes on, shared or not. */
GST_START_TEST (test_no_copy)
{
  GstHarness *h = make_harness ("eegselect bad=EEG* rename=\"EEG *-Ref=*\"",
      GST_EEG_FORMAT_S24LE);
  GstBuffer *buffer = samples_buffer (GST_EEG_FORMAT_S24LE, CHANNELS, 0, 10);
  GstBuffer *out;

  gst_buffer_ref (buffer);
  out = gst_harness_push_and_pull (h, buffer);
  fail_unless (out == buffer);
  gst_buffer_unref (out);
  gst_buffer_unref (buffer);
  samples_check_labels (h, "Fp1,C3,C4,EOG left,Status,odd,one", FALSE);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_hot)
{
  static const gint all[] = { 0, 1, 2, 3, 4, 5 }, one[] = { 4 },
                    three[] = { 5, 4, 3 };
  GstHarness *h = make_harness ("eegselect", GST_EEG_FORMAT_F64LE);
  GstElement *element = samples_element (h);
  GstBus *bus = gst_bus_new ();
  gchar *text;

  gst_element_set_bus (element, bus);
  check_samples (h, GST_EEG_FORMAT_F64LE, 0, all, 6);
  g_object_set (element, "channels", "Status", NULL);
  check_samples (h, GST_EEG_FORMAT_F64LE, 100, one, 1);
  samples_check_labels (h, "Status", FALSE);

  /* two that are only right together */
  g_object_set (element, "channels", "odd*,Status,EOG*,EEG*", "drop", "EEG*",
      "bad", "EOG left", NULL);
  check_samples (h, GST_EEG_FORMAT_F64LE, 200, three, 3);
  samples_check_labels (h, "odd,one:eeg,Status:trigger,EOG left:eog!", TRUE);

  /* what does not fit stays as it was */
  g_object_set (element, "channels", "Status", "drop", "Status", NULL);
  samples_check_message (bus, GST_MESSAGE_WARNING, GST_LIBRARY_ERROR,
      GST_LIBRARY_ERROR_SETTINGS);
  g_object_get (element, "drop", &text, NULL);
  fail_unless_equals_string (text, "EEG*");
  g_free (text);
  check_samples (h, GST_EEG_FORMAT_F64LE, 300, three, 3);

  /* other caps, to which the settings do not apply */
  gst_harness_set_src_caps (h,
      samples_caps (GST_EEG_FORMAT_F64LE, 250, 1, 3, samples_table (3, NULL)));
  gst_harness_push (h, samples_buffer (GST_EEG_FORMAT_F64LE, 3, 400, 10));
  samples_check_message (bus, GST_MESSAGE_ERROR, GST_LIBRARY_ERROR,
      GST_LIBRARY_ERROR_SETTINGS);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* Settings made before the caps are checked when these come. */
GST_START_TEST (test_stamps_and_markers)
{
  GstHarness *h =
      make_harness ("eegselect channels=Status", GST_EEG_FORMAT_S32LE);
  GstBuffer *buffer = samples_buffer (GST_EEG_FORMAT_S32LE, CHANNELS, 500, 10);

  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_GAP);
  gst_buffer_add_eeg_marker_meta (buffer, 7, 8, "blink");
  buffer = gst_harness_push_and_pull (h, buffer);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), 2 * GST_SECOND);
  fail_unless_equals_uint64 (GST_BUFFER_DURATION (buffer), 40 * GST_MSECOND);
  fail_unless (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP));
  fail_unless_equals_int (gst_buffer_get_n_meta (buffer,
                              GST_EEG_MARKER_META_API_TYPE),
      1);
  gst_buffer_unref (buffer);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_many_channels)
{
  GstHarness *h = gst_harness_new ("eegselect");
  GstBuffer *out;
  gfloat value;
  guint i;

  g_object_set (h->element, "channels", "E4094,*", "drop", "Status*", NULL);
  gst_harness_set_src_caps (h,
      samples_caps (GST_EEG_FORMAT_F32LE, 100, 3, 4096,
          samples_table (4096, NULL)));
  out = gst_harness_push_and_pull (h,
      samples_buffer (GST_EEG_FORMAT_F32LE, 4096, 0, 3));
  fail_unless_equals_int (gst_buffer_get_size (out), 3 * 4 * 4096 / 8 * 7);
  for (i = 0; i < 3; i++) {
    gst_buffer_extract (out, i * 4 * 4096 / 8 * 7, &value, 4);
    fail_unless (value == samples_at (i, 4094));
  }
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_contract)
{
  GstHarness *h =
      make_harness ("eegselect channels=EEG*", GST_EEG_FORMAT_F32LE);
  GstElement *element = samples_element (h);
  static const gint from[] = { 0, 1, 2 };
  GstEegEstimate estimate;
  gint round;

  gst_harness_set_upstream_latency (h, GST_MSECOND);
  for (round = 0; round < 3; round++) {
    check_samples (h, GST_EEG_FORMAT_F32LE, 0, from, 3);
    gst_element_set_state (h->element,
        round == 1 ? GST_STATE_NULL : GST_STATE_READY);
    gst_element_set_state (h->element, GST_STATE_PLAYING);
    gst_harness_set_src_caps (h,
        samples_caps (GST_EEG_FORMAT_F32LE, 250, 1, CHANNELS,
            samples_table (CHANNELS, labels)));
  }
  check_samples (h, GST_EEG_FORMAT_F32LE, 0, from, 3);
  fail_unless_equals_uint64 (gst_harness_query_latency (h), GST_MSECOND);
  fail_unless (gst_eeg_stage_can_save_state (GST_EEG_STAGE (element)));
  fail_unless (
      gst_eeg_stage_estimate (GST_EEG_STAGE (element), 600, &estimate));
  fail_unless_equals_uint64 (estimate.output_bytes, 300);
  fail_unless (estimate.memory_bytes > 0);
  gst_object_unref (element);
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
eegselect_suite (void)
{
  Suite *s = suite_create ("eegselect");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_cases, 0, G_N_ELEMENTS (cases));
  tcase_add_loop_test (tc, test_bad_settings, 0, G_N_ELEMENTS (bad));
  tcase_add_test (tc, test_without_table);
  tcase_add_test (tc, test_no_copy);
  tcase_add_test (tc, test_hot);
  tcase_add_test (tc, test_stamps_and_markers);
  tcase_add_test (tc, test_many_channels);
  tcase_add_test (tc, test_contract);
  return s;
}

GST_CHECK_MAIN (eegselect);
