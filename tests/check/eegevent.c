/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/eeg/eeg.h>

GST_START_TEST (test_recording_sticks)
{
  GstHarness *h = gst_harness_new_parse ("queue ! identity");
  GstEvent *event;
  gint n_recording = 0;

  gst_harness_set_src_caps_str (h, "application/x-eeg-raw");
  gst_harness_push_event (h,
      gst_eeg_event_new_recording (gst_structure_new ("anything",
          GST_EEG_RECORDING_PATIENT, G_TYPE_STRING, "X X X X", NULL)));
  gst_harness_push (h, gst_buffer_new ());
  gst_buffer_unref (gst_harness_pull (h));
  while ((event = gst_harness_try_pull_event (h))) {
    if (gst_eeg_event_is_recording (event)) {
      assert_equals_string (gst_structure_get_string (gst_event_get_structure (
                                                          event),
                                GST_EEG_RECORDING_PATIENT),
          "X X X X");
      n_recording++;
    }
    gst_event_unref (event);
  }
  assert_equals_int (n_recording, 1);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_complete)
{
  GstEvent *event = gst_eeg_event_new_complete (G_MAXUINT64 - 1);
  GstEvent *eos = gst_event_new_eos ();
  guint64 samples = 0;

  fail_unless (GST_EVENT_IS_SERIALIZED (event));
  fail_if (GST_EVENT_IS_STICKY (event));
  fail_unless (gst_eeg_event_parse_complete (event, &samples));
  fail_unless_equals_uint64 (samples, G_MAXUINT64 - 1);
  fail_if (gst_eeg_event_parse_complete (eos, NULL));
  gst_event_unref (event);
  gst_event_unref (eos);
}

GST_END_TEST;

GST_START_TEST (test_kernel)
{
  const gdouble taps[] = { 0.25, 0.5, 0.25 };
  GstEvent *event = gst_eeg_event_new_kernel (G_MAXUINT64 - 1, taps, 3, 1);
  GstEvent *eos = gst_event_new_eos ();
  guint64 sample = 0;
  gint64 delay = 0;
  GBytes *bytes;
  gsize size;

  fail_unless (GST_EVENT_IS_SERIALIZED (event));
  fail_if (GST_EVENT_IS_STICKY (event));
  fail_unless (gst_eeg_event_parse_kernel (event, &sample, &bytes, &delay));
  fail_unless_equals_uint64 (sample, G_MAXUINT64 - 1);
  fail_unless_equals_int64 (delay, 1);
  fail_unless (
      memcmp (g_bytes_get_data (bytes, &size), taps, sizeof taps) == 0);
  fail_unless_equals_int (size, sizeof taps);
  g_bytes_unref (bytes);
  fail_unless (gst_eeg_event_parse_kernel (event, NULL, NULL, NULL));
  gst_event_unref (event);

  event = gst_eeg_event_new_kernel (0, taps, 1, -7);
  fail_unless (gst_eeg_event_parse_kernel (event, NULL, NULL, &delay));
  fail_unless_equals_int64 (delay, -1);
  fail_if (gst_eeg_event_parse_kernel (eos, NULL, NULL, NULL));
  gst_event_unref (event);
  gst_event_unref (eos);

  /* another's event of that name */
  event = gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
      gst_structure_new ("eeg-kernel", "taps", G_TYPE_INT, 3, NULL));
  fail_if (gst_eeg_event_parse_kernel (event, NULL, NULL, NULL));
  gst_event_unref (event);
}

GST_END_TEST;

GST_START_TEST (test_loss)
{
  GstElement *element = gst_element_factory_make ("identity", NULL);
  GstMessage *message =
      gst_eeg_message_new_loss (GST_OBJECT (element), 250, 3, "overrun");
  GstMessage *eos = gst_message_new_eos (GST_OBJECT (element));
  guint64 lost_first = 0, count = 0;
  const gchar *reason = NULL;

  fail_unless (
      gst_eeg_message_parse_loss (message, &lost_first, &count, &reason));
  fail_unless_equals_uint64 (lost_first, 250);
  fail_unless_equals_uint64 (count, 3);
  assert_equals_string (reason, "overrun");
  fail_if (gst_eeg_message_parse_loss (eos, NULL, NULL, NULL));
  gst_message_unref (message);
  gst_message_unref (eos);
  gst_object_unref (element);
}

GST_END_TEST;

GST_START_TEST (test_loss_bound)
{
  GstElement *element = gst_element_factory_make ("identity", NULL);
  GstMessage *message =
      gst_eeg_message_new_loss_bound (GST_OBJECT (element), 4096, GST_SECOND);
  GstMessage *loss =
      gst_eeg_message_new_loss (GST_OBJECT (element), 250, 3, "overrun");
  GstClockTime time = 0;
  guint64 bytes = 0;

  fail_unless (gst_eeg_message_parse_loss_bound (message, &bytes, &time));
  fail_unless_equals_uint64 (bytes, 4096);
  fail_unless_equals_uint64 (time, GST_SECOND);
  fail_unless (gst_eeg_message_parse_loss_bound (message, NULL, NULL));
  fail_if (gst_eeg_message_parse_loss_bound (loss, &bytes, &time));
  gst_message_unref (message);
  gst_message_unref (loss);
  gst_object_unref (element);
}

GST_END_TEST;

/* Cuts a marked buffer at every place: no marker is lost or doubled. */
GST_START_TEST (test_markers_survive_cuts)
{
  static const GstClockTime times[] = { 0, 999, 1000, 1001, 1500, 1999, 2000,
    5000 };
  gsize cut, i;

  for (cut = 1; cut < 100; cut++) {
    GstBuffer *whole = gst_buffer_new_allocate (NULL, 100, NULL);
    GstBuffer *parts[2];
    guint seen[G_N_ELEMENTS (times)] = { 0 };
    gint p;

    GST_BUFFER_PTS (whole) = 1000;
    GST_BUFFER_DURATION (whole) = 1000;
    for (i = 0; i < G_N_ELEMENTS (times); i++)
      gst_buffer_add_eeg_marker_meta (whole, times[i], i, "blink");
    parts[0] = gst_buffer_copy_region (whole, GST_BUFFER_COPY_ALL, 0, cut);
    parts[1] = gst_buffer_copy_region (whole, GST_BUFFER_COPY_ALL, cut, -1);
    for (p = 0; p < 2; p++) {
      GstEegMarkerMeta *marker;
      gpointer state = NULL;

      while ((marker = gst_buffer_iterate_eeg_marker_meta (parts[p], &state))) {
        gboolean late = marker->time >= 1000 + cut * 10;

        fail_unless (late == (p == 1), "cut %d, time %d in part %d", (gint) cut,
            (gint) marker->time, p);
        assert_equals_string (marker->text, "blink");
        seen[marker->duration]++;
      }
      gst_buffer_unref (parts[p]);
    }
    for (i = 0; i < G_N_ELEMENTS (times); i++)
      assert_equals_int (seen[i], 1);
    gst_buffer_unref (whole);
  }
}

GST_END_TEST;

GST_START_TEST (test_markers_pass_elements)
{
  GstHarness *h = gst_harness_new_parse ("queue ! identity ! tee ! queue");
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 8, NULL);
  GstBuffer *other = gst_buffer_new ();

  gst_harness_set_src_caps_str (h, "application/x-eeg-raw");
  gst_buffer_add_eeg_marker_meta (buffer, 5, GST_CLOCK_TIME_NONE, "one");
  gst_buffer_add_eeg_marker_meta (buffer, 6, 7, "two");
  buffer = gst_harness_push_and_pull (h, buffer);
  assert_equals_int (gst_buffer_copy_eeg_marker_meta (buffer, other), 2);
  assert_equals_int (gst_buffer_get_n_meta (other,
                         GST_EEG_MARKER_META_API_TYPE),
      2);
  gst_buffer_unref (buffer);
  gst_buffer_unref (other);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_segment_again)
{
  GstSegment segment, other;
  GstEvent *event, *same;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_segment_init (&other, GST_FORMAT_BYTES);
  other.start = 1;
  event = gst_event_new_segment (&segment);
  same = gst_event_new_segment (&segment);
  fail_unless (gst_eeg_event_repeats_segment (event,
      gst_event_get_seqnum (event), &segment));
  fail_if (gst_eeg_event_repeats_segment (event, gst_event_get_seqnum (event),
      &other));
  /* a muxer that goes back to its header sends one of its own */
  fail_if (gst_eeg_event_repeats_segment (same, gst_event_get_seqnum (event),
      &segment));
  fail_if (gst_eeg_event_repeats_segment (event, GST_SEQNUM_INVALID, &segment));
  gst_event_unref (event);
  gst_event_unref (same);
}

GST_END_TEST;

static Suite *
eegevent_suite (void)
{
  Suite *s = suite_create ("eegevent");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_recording_sticks);
  tcase_add_test (tc, test_complete);
  tcase_add_test (tc, test_kernel);
  tcase_add_test (tc, test_loss);
  tcase_add_test (tc, test_loss_bound);
  tcase_add_test (tc, test_markers_survive_cuts);
  tcase_add_test (tc, test_markers_pass_elements);
  tcase_add_test (tc, test_segment_again);
  return s;
}

GST_CHECK_MAIN (eegevent);
