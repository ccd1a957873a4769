/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/eeg/eeg.h>

#include <string.h>

#define CHANNELS 3

static GstCaps *
make_caps (GstEegFormat format, gint32 digital_max)
{
  GstEegChannel rows[CHANNELS] = {
    { .label = "C3",
        .type = GST_EEG_CHANNEL_TYPE_EEG,
        .unit = "uV",
        .physical_min = -3276.8,
        .physical_max = 3276.7,
        .digital_min = -32768,
        .digital_max = 32767 },
    { .label = "inverted",
        .type = GST_EEG_CHANNEL_TYPE_EEG,
        .unit = "uV",
        .physical_min = 100,
        .physical_max = -100,
        .digital_min = 0,
        .digital_max = 1000 },
    { .label = "Status",
        .type = GST_EEG_CHANNEL_TYPE_TRIGGER,
        .physical_min = -8388608,
        .physical_max = 8388607,
        .digital_min = -8388608,
        .digital_max = digital_max },
  };
  GstEegChannels *table = gst_eeg_channels_new (rows, CHANNELS);
  GstEegInfo info;
  GstCaps *caps;

  gst_eeg_info_init (&info);
  gst_eeg_info_set (&info, format, GST_EEG_DOMAIN_COUNTS, 250, 1, CHANNELS,
      table);
  caps = gst_eeg_info_to_caps (&info);
  gst_eeg_info_clear (&info);
  gst_eeg_channels_unref (table);
  return caps;
}

static void
write_count (guint8 *p, GstEegFormat format, gint32 count)
{
  guint i;

  for (i = 0; i < gst_eeg_format_get_bytes (format); i++)
    p[i] = (guint32) count >> (8 * i);
}

static GstBuffer *
make_buffer (GstEegFormat format, const gint32 *counts, gsize n)
{
  guint bytes = gst_eeg_format_get_bytes (format);
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, n * bytes, NULL);
  GstMapInfo map;
  gsize i;

  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
  for (i = 0; i < n; i++)
    write_count (map.data + i * bytes, format, counts[i]);
  gst_buffer_unmap (buffer, &map);
  return buffer;
}

static const gint32 counts[] = { -32768, 0, -8388608, 32767, 1000, 8388607, 0,
  500, 1, 123, -77, 65536, 40, 2000, 5 };

static gdouble
expected_value (gsize i)
{
  switch (i % CHANNELS) {
    case 0:
      return counts[i] * (6553.5 / 65535.0)
          + (-3276.8 - (6553.5 / 65535.0) * -32768.0);
    case 1:
      return counts[i] * (-200.0 / 1000.0) + 100.0;
    default:
      return counts[i];
  }
}

static void
check_format (GstEegFormat in, const gchar *out)
{
  GstHarness *h = gst_harness_new ("rawtovoltage");
  gchar *caps = g_strdup_printf ("application/x-eeg-raw, format=%s", out);
  GstBuffer *buffer;
  GstMapInfo map;
  gsize i, n = G_N_ELEMENTS (counts);
  gboolean wide = strcmp (out, "F64LE") == 0;

  gst_harness_set_src_caps (h, make_caps (in, 8388607));
  gst_harness_set_sink_caps_str (h, caps);
  buffer =
      make_buffer (in, counts, in == GST_EEG_FORMAT_S16LE ? 2 * CHANNELS : n);
  if (in == GST_EEG_FORMAT_S16LE)
    n = 2;
  GST_BUFFER_OFFSET (buffer) = 750;
  buffer = gst_harness_push_and_pull (h, buffer);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), 3 * GST_SECOND);
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), 750);
  fail_unless (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT));
  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  for (i = 0; i < n; i++) {
    if (wide)
      fail_unless (ABS (((gdouble *) map.data)[i] - expected_value (i)) < 1e-9,
          "sample %d is %g", (gint) i, ((gdouble *) map.data)[i]);
    else
      fail_unless (((gfloat *) map.data)[i] == (gfloat) expected_value (i),
          "sample %d is %g", (gint) i, ((gfloat *) map.data)[i]);
  }
  gst_buffer_unmap (buffer, &map);
  gst_buffer_unref (buffer);
  g_free (caps);
  gst_harness_teardown (h);
}

GST_START_TEST (test_formats)
{
  check_format (GST_EEG_FORMAT_S16LE, "F32LE");
  check_format (GST_EEG_FORMAT_S24LE, "F32LE");
  check_format (GST_EEG_FORMAT_S32LE, "F32LE");
  check_format (GST_EEG_FORMAT_S16LE, "F64LE");
  check_format (GST_EEG_FORMAT_S24LE, "F64LE");
  check_format (GST_EEG_FORMAT_S32LE, "F64LE");
}

GST_END_TEST;

GST_START_TEST (test_works_in_place)
{
  GstHarness *h = gst_harness_new ("rawtovoltage");
  GstBuffer *buffer, *out;
  GstMemory *memory;

  gst_harness_set_src_caps (h, make_caps (GST_EEG_FORMAT_S32LE, 8388607));
  buffer = make_buffer (GST_EEG_FORMAT_S32LE, counts, 15);
  memory = gst_buffer_peek_memory (buffer, 0);
  out = gst_harness_push_and_pull (h, buffer);
  fail_unless (out == buffer);
  fail_unless (gst_buffer_peek_memory (out, 0) == memory);
  gst_buffer_unref (out);

  /* what somebody else still holds stays as it is */
  buffer = make_buffer (GST_EEG_FORMAT_S32LE, counts, 15);
  gst_buffer_ref (buffer);
  out = gst_harness_push_and_pull (h, buffer);
  fail_unless (out != buffer);
  fail_unless (gst_buffer_memcmp (buffer, 0, counts, sizeof counts) == 0);
  gst_buffer_unref (out);
  gst_buffer_unref (buffer);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_wide_range_prefers_double)
{
  GstHarness *h = gst_harness_new ("rawtovoltage");
  GstCaps *caps;

  gst_harness_set_src_caps (h, make_caps (GST_EEG_FORMAT_S32LE, G_MAXINT32));
  gst_buffer_unref (gst_harness_push_and_pull (h,
      make_buffer (GST_EEG_FORMAT_S32LE, counts, 15)));
  caps = gst_pad_get_current_caps (h->sinkpad);
  assert_equals_string (gst_structure_get_string (gst_caps_get_structure (caps,
                                                      0),
                            "format"),
      "F64LE");
  gst_caps_unref (caps);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* of the first channel, in the caps that come out */
static void
check_limits (GstHarness *h, gdouble min, gdouble max)
{
  GstCaps *caps = gst_pad_get_current_caps (h->sinkpad);
  const GstEegChannel *channel;
  GstEegInfo info;

  gst_eeg_info_init (&info);
  fail_unless (gst_eeg_info_from_caps (&info, caps));
  channel = gst_eeg_channels_get (info.channel_table, 0);
  fail_unless (channel->physical_min == min && channel->physical_max == max,
      "%g to %g", channel->physical_min, channel->physical_max);
  gst_eeg_info_clear (&info);
  gst_caps_unref (caps);
}

GST_START_TEST (test_scale_is_hot)
{
  GstHarness *h = gst_harness_new ("rawtovoltage");
  static const gdouble scales[] = { 0.0, 0.5, -2.0, 0.0 };
  GstEvent *event;
  gsize i;

  gst_harness_set_src_caps (h, make_caps (GST_EEG_FORMAT_S32LE, 8388607));
  for (i = 0; i < G_N_ELEMENTS (scales); i++) {
    GstBuffer *out;
    gfloat values[15];

    g_object_set (h->element, "scale", scales[i], NULL);
    out = gst_harness_push_and_pull (h,
        make_buffer (GST_EEG_FORMAT_S32LE, counts, 15));
    gst_buffer_extract (out, 0, values, sizeof values);
    if (scales[i] == 0.0)
      fail_unless (values[3] == (gfloat) expected_value (3));
    else
      fail_unless (values[3] == (gfloat) (scales[i] * counts[3]));
    fail_unless (values[5] == counts[5], "the trigger channel was scaled");
    gst_buffer_unref (out);
    /* a recording need not end for it */
    check_limits (h, -3276.8, 3276.7);
  }
  for (i = 0; (event = gst_harness_try_pull_event (h)) != NULL;
       gst_event_unref (event))
    i += GST_EVENT_TYPE (event) == GST_EVENT_CAPS;
  fail_unless_equals_int (i, 1);
  /* the range is that of the scale when new caps come */
  g_object_set (h->element, "scale", 0.5, NULL);
  gst_harness_set_src_caps (h, make_caps (GST_EEG_FORMAT_S24LE, 8388607));
  gst_buffer_unref (gst_harness_push_and_pull (h,
      make_buffer (GST_EEG_FORMAT_S24LE, counts, 15)));
  check_limits (h, -16384, 16383.5);
  gst_harness_teardown (h);
}

GST_END_TEST;

static void
check_error (GstHarness *h, GstCaps *caps, GstBuffer *buffer, GQuark domain,
    gint code)
{
  GstBus *bus = gst_bus_new ();
  GstMessage *message;
  GError *error = NULL;

  gst_element_set_bus (h->element, bus);
  gst_harness_set_src_caps (h, caps);
  fail_if (gst_harness_push (h, buffer) == GST_FLOW_OK);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL, "no error was posted");
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, domain, code), "%s", error->message);
  g_error_free (error);
  gst_message_unref (message);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL,
      "more than one error");
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
}

GST_START_TEST (test_no_calibration)
{
  GstHarness *h = gst_harness_new ("rawtovoltage");
  GstCaps *caps = gst_caps_from_string (
      "application/x-eeg-raw, format=S32LE, rate=(fraction)250/1, channels=3, "
      "layout=interleaved, domain=counts");

  check_error (h, gst_caps_ref (caps),
      make_buffer (GST_EEG_FORMAT_S32LE, counts, 15), GST_CORE_ERROR,
      GST_CORE_ERROR_NEGOTIATION);
  gst_harness_teardown (h);

  /* a scale makes up for a missing table */
  h = gst_harness_new ("rawtovoltage");
  g_object_set (h->element, "scale", 0.25, NULL);
  gst_harness_set_src_caps (h, caps);
  gst_buffer_unref (gst_harness_push_and_pull (h,
      make_buffer (GST_EEG_FORMAT_S32LE, counts, 15)));
  gst_harness_teardown (h);

  h = gst_harness_new ("rawtovoltage");
  check_error (h, make_caps (GST_EEG_FORMAT_S32LE, -8388608),
      make_buffer (GST_EEG_FORMAT_S32LE, counts, 15), GST_CORE_ERROR,
      GST_CORE_ERROR_NEGOTIATION);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_broken_frames)
{
  GstHarness *h = gst_harness_new ("rawtovoltage");

  check_error (h, make_caps (GST_EEG_FORMAT_S32LE, 8388607),
      make_buffer (GST_EEG_FORMAT_S32LE, counts, 14), GST_STREAM_ERROR,
      GST_STREAM_ERROR_FORMAT);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_stamps_follow_offsets)
{
  GstHarness *h = gst_harness_new ("rawtovoltage");
  static const guint64 offsets[] = { 0, 5, 10, 100, 105 };
  static const gboolean jumps[] = { TRUE, FALSE, FALSE, TRUE, FALSE };
  gsize i;

  gst_harness_set_src_caps (h, make_caps (GST_EEG_FORMAT_S24LE, 8388607));
  for (i = 0; i < G_N_ELEMENTS (offsets); i++) {
    GstBuffer *buffer = make_buffer (GST_EEG_FORMAT_S24LE, counts, 15);

    GST_BUFFER_OFFSET (buffer) = offsets[i];
    gst_buffer_add_eeg_marker_meta (buffer, 1, GST_CLOCK_TIME_NONE, "m");
    buffer = gst_harness_push_and_pull (h, buffer);
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), offsets[i]);
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET_END (buffer), offsets[i] + 5);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer),
        offsets[i] * 4 * GST_MSECOND);
    fail_unless (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT)
            == jumps[i],
        "buffer %d", (gint) i);
    assert_equals_int (gst_buffer_get_n_meta (buffer,
                           GST_EEG_MARKER_META_API_TYPE),
        1);
    gst_buffer_unref (buffer);
  }
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_restart_and_stats)
{
  GstElement *e = gst_element_factory_make ("rawtovoltage", NULL);
  GstHarness *h = gst_harness_new_with_element (e, "sink", "src");
  GstStructure *stats = NULL;
  guint64 samples = 0;
  gint round;

  for (round = 0; round < 3; round++) {
    gst_harness_play (h);
    gst_harness_set_src_caps (h, make_caps (GST_EEG_FORMAT_S32LE, 8388607));
    gst_buffer_unref (gst_harness_push_and_pull (h,
        make_buffer (GST_EEG_FORMAT_S32LE, counts, 15)));
    g_object_get (e, "stats", &stats, NULL);
    fail_unless (gst_structure_get_uint64 (stats, "samples-out", &samples));
    fail_unless_equals_uint64 (samples, 5);
    gst_structure_free (stats);
    gst_element_set_state (e, round == 1 ? GST_STATE_NULL : GST_STATE_READY);
  }
  gst_harness_teardown (h);
  gst_object_unref (e);
}

GST_END_TEST;

static Suite *
rawtovoltage_suite (void)
{
  Suite *s = suite_create ("rawtovoltage");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_formats);
  tcase_add_test (tc, test_works_in_place);
  tcase_add_test (tc, test_wide_range_prefers_double);
  tcase_add_test (tc, test_scale_is_hot);
  tcase_add_test (tc, test_no_calibration);
  tcase_add_test (tc, test_broken_frames);
  tcase_add_test (tc, test_stamps_follow_offsets);
  tcase_add_test (tc, test_restart_and_stats);
  return s;
}

GST_CHECK_MAIN (rawtovoltage);
