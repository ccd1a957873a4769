/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The numbers are compared with scipy's in tests/interop; here is what happens
 * to the stream. */
#include "eeg-samples.h"

#define CHANNELS 9
#define STATUS 7

static GstCaps *
make_caps (GstEegFormat format, gint rate_n, gint rate_d)
{
  return samples_caps (format, rate_n, rate_d, CHANNELS,
      samples_table (CHANNELS, NULL));
}

static GstHarness *
make_harness (const gchar *line, GstEegFormat format)
{
  GstHarness *h = gst_harness_new_parse (line);

  gst_harness_set_src_caps (h, make_caps (format, 1000, 1));
  return h;
}

static void
check_same (const Samples *a, const Samples *b, const gchar *what)
{
  fail_unless_equals_int (a->bytes->len, b->bytes->len);
  fail_unless (memcmp (a->bytes->data, b->bytes->data, a->bytes->len) == 0,
      "%s", what);
}

static void
check_rate (GstHarness *h, gint rate_n, gint rate_d)
{
  GstCaps *caps = gst_pad_get_current_caps (h->sinkpad);
  GstEegInfo info;

  gst_eeg_info_init (&info);
  fail_unless (gst_eeg_info_from_caps (&info, caps));
  fail_unless_equals_int (info.rate_n, rate_n);
  fail_unless_equals_int (info.rate_d, rate_d);
  fail_unless_equals_int (info.channels, CHANNELS);
  fail_unless (info.channel_table != NULL);
  gst_eeg_info_clear (&info);
  gst_caps_unref (caps);
}

static const struct
{
  const gchar *line;
  gint rate_n, rate_d;
  guint64 from, to; /* of the output, for input 12345 to 14345 */
} rates[] = {
  { "eegdecimate rate=250/1", 250, 1, 3087, 3587 },
  { "eegdecimate rate=128/1", 128, 1, 1581, 1837 },
  { "eegdecimate rate=975/2", 975, 2, 6019, 6994 },
  { "eegdecimate rate=64/5", 64, 5, 159, 184 },
  { "eegdecimate rate=3000/1", 3000, 1, 37035, 43035 },
  { "eegdecimate rate=250/1 half-length=1 initial=zero beta=0", 250, 1, 3087,
      3587 },
  { "eegdecimate rate=1000/3 half-length=50", 1000, 3, 4115, 4782 },
};

/* Every split of the input gives the same bytes, on the grid of the new rate,
 * and all of them by EOS. */
GST_START_TEST (test_grid_and_splits)
{
  static const guint steps[] = { 2000, 1, 64, 0 };
  static const GstEegFormat formats[] = { GST_EEG_FORMAT_F32LE,
    GST_EEG_FORMAT_F64LE };

  for (guint k = 0; k < 2; k++) {
    Samples out[G_N_ELEMENTS (steps)];

    for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
      GstHarness *h = make_harness (rates[__i__].line, formats[k]);

      samples_init (&out[i]);
      samples_push (h, &out[i], formats[k], CHANNELS, 12345, 2000, steps[i]);
      gst_harness_push_event (h, gst_event_new_eos ());
      samples_pull (&out[i], h);
      check_rate (h, rates[__i__].rate_n, rates[__i__].rate_d);
      fail_unless_equals_uint64 (out[i].first, rates[__i__].from);
      fail_unless_equals_uint64 (out[i].next, rates[__i__].to);
      fail_unless_equals_int (out[i].disconts, 1);
      check_same (&out[i], &out[0], rates[__i__].line);
      gst_harness_teardown (h);
    }
    for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
      samples_clear (&out[i]);
  }
}

GST_END_TEST;

/* An output sample leaves with the input sample that lies the declared latency
 * after it. */
GST_START_TEST (test_latency)
{
  GstHarness *h = make_harness ("eegdecimate rate=250/1 half-length=3",
      GST_EEG_FORMAT_F32LE);
  guint i;

  gst_harness_set_upstream_latency (h, 5 * GST_MSECOND);
  fail_unless_equals_uint64 (gst_harness_query_latency (h), 17 * GST_MSECOND);
  for (i = 0; i < 100; i++) {
    gst_harness_push (h, samples_buffer (GST_EEG_FORMAT_F32LE, CHANNELS, i, 1));
    fail_unless_equals_int (gst_harness_buffers_received (h),
        i < 12 ? 0 : (i - 12) / 4 + 1);
  }
  gst_harness_teardown (h);

  /* none where nothing is done */
  h = make_harness ("eegdecimate", GST_EEG_FORMAT_F32LE);
  fail_unless_equals_uint64 (gst_harness_query_latency (h), 0);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_same_rate)
{
  static const gchar *const lines[] = { "eegdecimate",
    "eegdecimate rate=1000/1" };

  for (guint i = 0; i < 2; i++) {
    GstHarness *h = make_harness (lines[i], GST_EEG_FORMAT_F32LE);
    GstBuffer *buffer = samples_buffer (GST_EEG_FORMAT_F32LE, CHANNELS, 0, 10);

    gst_buffer_ref (buffer);
    fail_unless (gst_harness_push_and_pull (h, buffer) == buffer);
    gst_buffer_unref (buffer);
    gst_buffer_unref (buffer);
    gst_harness_teardown (h);
  }
}

GST_END_TEST;

/* Pushes a status channel that is 0 but at `at`; returns how many outputs
 * differ, and the time of the first. */
static guint
push_trigger (guint at, GstClockTime *time, guint64 *value)
{
  GstHarness *h = make_harness ("eegdecimate rate=125/1", GST_EEG_FORMAT_F32LE);
  guint i, n = 400, seen = 0;
  GstBuffer *buffer;

  for (i = 0; i < n; i += 40) {
    GstMapInfo map;
    guint k;

    buffer = samples_buffer (GST_EEG_FORMAT_F32LE, CHANNELS, i, 40);
    gst_buffer_map (buffer, &map, GST_MAP_WRITE);
    for (k = 0; k < 40; k++)
      ((gfloat *) map.data)[k * CHANNELS + STATUS] = i + k == at ? 65280 : 0;
    gst_buffer_unmap (buffer, &map);
    gst_harness_push (h, buffer);
  }
  gst_harness_push_event (h, gst_event_new_eos ());
  while ((buffer = gst_harness_try_pull (h)) != NULL) {
    GstMapInfo map;
    guint k;

    gst_buffer_map (buffer, &map, GST_MAP_READ);
    for (k = 0; k < map.size / CHANNELS / 4; k++) {
      gfloat v = ((gfloat *) map.data)[k * CHANNELS + STATUS];

      if (v == 0)
        continue;
      if (seen++ == 0) {
        *time = GST_BUFFER_PTS (buffer) + k * 8 * GST_MSECOND;
        *value = v;
      }
    }
    gst_buffer_unmap (buffer, &map);
    gst_buffer_unref (buffer);
  }
  gst_harness_teardown (h);
  return seen;
}

GST_START_TEST (test_triggers)
{
  for (guint at = 0; at < 400; at += 13) {
    GstClockTime time = 0;
    guint64 value = 0;

    fail_unless_equals_int (push_trigger (at, &time, &value), 1);
    fail_unless_equals_uint64 (value, 65280);
    /* at the first output sample from its time on */
    fail_unless_equals_uint64 (time, MIN ((at + 7) / 8, 49) * 8 * GST_MSECOND);
  }
}

GST_END_TEST;

GST_START_TEST (test_dropped)
{
  GstHarness *h = make_harness ("eegdecimate rate=125/1", GST_EEG_FORMAT_F64LE);
  GstElement *element = samples_element (h);
  guint64 dropped;
  Samples out;

  /* the signal of this channel changes with each sample */
  samples_init (&out);
  samples_push (h, &out, GST_EEG_FORMAT_F64LE, CHANNELS, 0, 1000, 100);
  g_object_get (element, "dropped", &dropped, NULL);
  fail_unless (dropped > 700 && dropped < 1000);
  samples_clear (&out);
  gst_object_unref (element);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* Markers keep their absolute times, whichever buffer they are on. */
GST_START_TEST (test_markers)
{
  GstHarness *h = make_harness ("eegdecimate rate=125/1", GST_EEG_FORMAT_F32LE);
  GstBuffer *buffer;
  guint i, found = 0;

  for (i = 0; i < 30; i++) {
    gchar *text = g_strdup_printf ("%u", i);

    buffer = samples_buffer (GST_EEG_FORMAT_F32LE, CHANNELS, i * 7, 7);
    gst_buffer_add_eeg_marker_meta (buffer, (i * 7 + 3) * GST_MSECOND,
        GST_MSECOND, text);
    gst_harness_push (h, buffer);
    g_free (text);
  }
  gst_harness_push_event (h, gst_event_new_eos ());
  while ((buffer = gst_harness_try_pull (h)) != NULL) {
    GstEegMarkerMeta *marker;
    gpointer state = NULL;

    while ((marker = gst_buffer_iterate_eeg_marker_meta (buffer, &state))) {
      guint number = g_ascii_strtoull (marker->text, NULL, 10);

      fail_unless_equals_uint64 (marker->time, (number * 7 + 3) * GST_MSECOND);
      fail_unless_equals_uint64 (marker->duration, GST_MSECOND);
      found++;
    }
    gst_buffer_unref (buffer);
  }
  fail_unless_equals_int (found, 30);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* What ends a run drains it; the next one is on the same grid. */
GST_START_TEST (test_runs)
{
  GstHarness *h = make_harness ("eegdecimate rate=300/1", GST_EEG_FORMAT_F64LE);
  GstSegment segment;
  Samples fresh, out;
  GstEvent *event;

  /* the reference: alone */
  samples_init (&fresh);
  samples_push (h, &fresh, GST_EEG_FORMAT_F64LE, CHANNELS, 5001, 500, 100);
  gst_harness_push_event (h, gst_event_new_eos ());
  samples_pull (&fresh, h);
  gst_harness_teardown (h);
  fail_unless_equals_uint64 (fresh.first, 1501);
  fail_unless_equals_uint64 (fresh.next, 1651);

  /* behind others: a jump, then a gap */
  h = make_harness ("eegdecimate rate=300/1", GST_EEG_FORMAT_F64LE);
  samples_init (&out);
  samples_push (h, &out, GST_EEG_FORMAT_F64LE, CHANNELS, 0, 500, 100);
  samples_push (h, &out, GST_EEG_FORMAT_F64LE, CHANNELS, 5001, 500, 100);
  fail_unless_equals_int (out.disconts, 2);
  while (gst_harness_events_in_queue (h) > 0)
    gst_event_unref (gst_harness_pull_event (h));
  gst_harness_push_event (h,
      gst_event_new_gap (5501 * GST_MSECOND, GST_SECOND));
  /* before the gap, all that was held */
  samples_pull (&out, h);
  fail_unless_equals_uint64 (out.next, 1651);
  event = gst_harness_pull_event (h);
  fail_unless_equals_int (GST_EVENT_TYPE (event), GST_EVENT_GAP);
  gst_event_unref (event);
  g_byte_array_remove_range (out.bytes, 0, 150 * CHANNELS * 8);
  check_same (&out, &fresh, "behind a jump");

  /* a flush drops what is held */
  samples_push (h, &out, GST_EEG_FORMAT_F64LE, CHANNELS, 7000, 500, 100);
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  samples_clear (&out);
  samples_init (&out);
  samples_pull (&out, h);
  fail_unless_equals_int (out.buffers, 0);
  samples_push (h, &out, GST_EEG_FORMAT_F64LE, CHANNELS, 5001, 500, 0);
  gst_harness_push_event (h, gst_event_new_eos ());
  samples_pull (&out, h);
  check_same (&out, &fresh, "behind a flush");
  samples_clear (&fresh);
  samples_clear (&out);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_other_caps)
{
  GstHarness *h = make_harness ("eegdecimate rate=100/1", GST_EEG_FORMAT_F64LE);
  Samples out;

  samples_init (&out);
  samples_push (h, &out, GST_EEG_FORMAT_F64LE, CHANNELS, 0, 500, 0);
  gst_harness_set_src_caps (h, make_caps (GST_EEG_FORMAT_F64LE, 500, 1));
  samples_push (h, &out, GST_EEG_FORMAT_F64LE, CHANNELS, 250, 500, 0);
  gst_harness_push_event (h, gst_event_new_eos ());
  samples_pull (&out, h);
  /* half a second, then a second from there on, at 100 Hz */
  fail_unless_equals_uint64 (out.next, 150);
  fail_unless_equals_int (out.bytes->len, CHANNELS * 150 * 8);
  samples_clear (&out);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* What was held before a change of the rate comes at the old one. */
static void
check_drained (GstHarness *h, guint64 from, guint64 to, gint rate)
{
  GstBuffer *buffer = gst_harness_pull (h);

  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), from);
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET_END (buffer), to);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), from * GST_SECOND / rate);
  gst_buffer_unref (buffer);
}

/* Counts the designs that were done when caps came. */
static void
count_designs (GstDebugCategory *category, GstDebugLevel level,
    const gchar *file, const gchar *function, gint line, GObject *object,
    GstDebugMessage *message, gpointer data)
{
  if (g_str_has_prefix (gst_debug_message_get (message),
          "designing the filter"))
    ++*(guint *) data;
}

GST_START_TEST (test_hot)
{
  GstHarness *h;
  GstElement *element;
  GstBus *bus = gst_bus_new ();
  gint n = 0, d = 0;
  guint designs = 0;
  Samples out;

  gst_debug_set_active (TRUE);
  gst_debug_set_threshold_for_name ("eegdecimate", GST_LEVEL_INFO);
  gst_debug_add_log_function (count_designs, &designs, NULL);
  h = make_harness ("eegdecimate rate=250/1", GST_EEG_FORMAT_F64LE);
  element = samples_element (h);
  gst_element_set_bus (element, bus);
  samples_init (&out);
  samples_push (h, &out, GST_EEG_FORMAT_F64LE, CHANNELS, 0, 1000, 100);
  fail_unless_equals_int (designs, 1);
  /* the same rate by another filter: no sample missing or doubled */
  g_object_set (element, "half-length", 20, "beta", 9.0, NULL);
  samples_push (h, &out, GST_EEG_FORMAT_F64LE, CHANNELS, 1000, 1000, 100);
  fail_unless_equals_uint64 (out.next, 500 - 20);
  fail_unless_equals_int (out.disconts, 1);
  /* another rate */
  gst_util_set_object_arg (G_OBJECT (element), "rate", "500/1");
  gst_harness_push (h,
      samples_buffer (GST_EEG_FORMAT_F64LE, CHANNELS, 2000, 100));
  check_drained (h, 480, 500, 250);
  samples_push (h, &out, GST_EEG_FORMAT_F64LE, CHANNELS, 2100, 900, 100);
  check_rate (h, 500, 1);
  fail_unless_equals_int (out.bytes->len / CHANNELS / 8, 480 + 500 - 20);
  fail_unless_equals_uint64 (out.next, 1500 - 20);
  /* the thread that set them did that */
  fail_unless_equals_int (designs, 1);
  gst_debug_remove_log_function (count_designs);
  gst_debug_unset_threshold_for_name ("eegdecimate");
  while (gst_bus_have_pending (bus)) {
    GstMessage *message = gst_bus_pop (bus);

    fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_LATENCY);
    gst_message_unref (message);
  }

  /* what cannot be met stays */
  gst_util_set_object_arg (G_OBJECT (element), "rate", "2147483647/2147483629");
  samples_check_message (bus, GST_MESSAGE_WARNING, GST_LIBRARY_ERROR,
      GST_LIBRARY_ERROR_SETTINGS);
  g_object_set (element, "half-length", 0, NULL);
  samples_check_message (bus, GST_MESSAGE_WARNING, GST_LIBRARY_ERROR,
      GST_LIBRARY_ERROR_SETTINGS);
  gst_object_unref (element);
  element = samples_element (h);
  {
    GValue rate = G_VALUE_INIT;

    g_value_init (&rate, GST_TYPE_FRACTION);
    g_object_get_property (G_OBJECT (element), "rate", &rate);
    n = gst_value_get_fraction_numerator (&rate);
    d = gst_value_get_fraction_denominator (&rate);
    g_value_unset (&rate);
  }
  fail_unless (n == 500 && d == 1);
  samples_push (h, &out, GST_EEG_FORMAT_F64LE, CHANNELS, 3000, 100, 10);
  fail_unless_equals_uint64 (out.next, 1550 - 20);

  /* and no change at all: buffers pass, after what was held */
  gst_util_set_object_arg (G_OBJECT (element), "rate", "0/1");
  gst_harness_push (h,
      samples_buffer (GST_EEG_FORMAT_F64LE, CHANNELS, 3100, 10));
  check_drained (h, 1530, 1550, 500);
  out.next = 3100;
  samples_push (h, &out, GST_EEG_FORMAT_F64LE, CHANNELS, 3110, 90, 10);
  check_rate (h, 1000, 1);
  fail_unless_equals_uint64 (out.next, 3200);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
  samples_clear (&out);
  gst_harness_teardown (h);
}

GST_END_TEST;

static const gchar *const bad[] = { "half-length=0", "half-length=1001",
  "beta=-1", "beta=501", "rate=2147483647/2147483629", "rate=1/2147483647" };

GST_START_TEST (test_bad_settings)
{
  gchar *line = g_strdup_printf ("eegdecimate %s", bad[__i__]);
  GstElement *element = gst_parse_launch (line, NULL);
  GstBus *bus = gst_bus_new ();
  GstHarness *h = NULL;

  gst_object_ref_sink (element);
  gst_element_set_bus (element, bus);
  if (__i__ < 4) {
    fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
        GST_STATE_CHANGE_FAILURE);
  } else {
    h = gst_harness_new_with_element (element, "sink", "src");
    gst_element_set_bus (element, bus);
    gst_harness_set_src_caps (h, make_caps (GST_EEG_FORMAT_F32LE, 1000, 1));
    fail_unless_equals_int (gst_harness_push (h,
                                samples_buffer (GST_EEG_FORMAT_F32LE, CHANNELS,
                                    0, 10)),
        GST_FLOW_NOT_NEGOTIATED);
  }
  samples_check_message (bus, GST_MESSAGE_ERROR, GST_LIBRARY_ERROR,
      GST_LIBRARY_ERROR_SETTINGS);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  if (h != NULL)
    gst_harness_teardown (h);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_object_unref (element);
  g_free (line);
}

GST_END_TEST;

GST_START_TEST (test_contract)
{
  GstHarness *h = make_harness ("eegdecimate rate=250/1", GST_EEG_FORMAT_F32LE);
  GstElement *element = samples_element (h);
  GstEegEstimate estimate;
  Samples out[3];
  guint i;

  for (i = 0; i < 3; i++) {
    samples_init (&out[i]);
    samples_push (h, &out[i], GST_EEG_FORMAT_F32LE, CHANNELS, 0, 4040, 40);
    fail_unless_equals_uint64 (out[i].next, 1000);
    check_same (&out[i], &out[0], "a restart");
    fail_unless (
        gst_eeg_stage_estimate (GST_EEG_STAGE (element), 40400, &estimate));
    fail_unless_equals_uint64 (estimate.output_bytes, 10000);
    fail_unless (estimate.memory_bytes > 256 * 16 * 8);
    gst_element_set_state (h->element,
        i == 1 ? GST_STATE_NULL : GST_STATE_READY);
    gst_element_set_state (h->element, GST_STATE_PLAYING);
    gst_harness_set_src_caps (h, make_caps (GST_EEG_FORMAT_F32LE, 1000, 1));
  }
  for (i = 0; i < 3; i++)
    samples_clear (&out[i]);
  fail_unless (gst_eeg_stage_can_save_state (GST_EEG_STAGE (element)));
  gst_object_unref (element);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* One channel and 4,096 of them: a constant stays what it is. */
GST_START_TEST (test_many_channels)
{
  static const gint channels[] = { 1, 4096 };

  for (guint k = 0; k < 2; k++) {
    GstHarness *h = gst_harness_new_parse ("eegdecimate rate=487/2");
    GstBuffer *buffer;
    GstMapInfo map;
    gsize i;

    gst_harness_set_src_caps (h,
        samples_caps (GST_EEG_FORMAT_F64LE, 487, 1, channels[k], NULL));
    buffer = gst_buffer_new_allocate (NULL, 50 * 8 * channels[k], NULL);
    gst_buffer_map (buffer, &map, GST_MAP_WRITE);
    for (i = 0; i < map.size / 8; i++)
      ((gdouble *) map.data)[i] = 100000 + (gint) (i % channels[k]);
    gst_buffer_unmap (buffer, &map);
    gst_harness_push (h, buffer);
    gst_harness_push_event (h, gst_event_new_eos ());
    while ((buffer = gst_harness_try_pull (h)) != NULL) {
      gst_buffer_map (buffer, &map, GST_MAP_READ);
      for (i = 0; i < map.size / 8; i++)
        fail_unless (fabs (((gdouble *) map.data)[i]
                         - (100000 + (gint) (i % channels[k])))
            < 1e-6);
      gst_buffer_unmap (buffer, &map);
      gst_buffer_unref (buffer);
    }
    gst_harness_teardown (h);
  }
}

GST_END_TEST;

static Suite *
eegdecimate_suite (void)
{
  Suite *s = suite_create ("eegdecimate");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_grid_and_splits, 0, G_N_ELEMENTS (rates));
  tcase_add_test (tc, test_latency);
  tcase_add_test (tc, test_same_rate);
  tcase_add_test (tc, test_triggers);
  tcase_add_test (tc, test_dropped);
  tcase_add_test (tc, test_markers);
  tcase_add_test (tc, test_runs);
  tcase_add_test (tc, test_other_caps);
  tcase_add_test (tc, test_hot);
  tcase_add_loop_test (tc, test_bad_settings, 0, G_N_ELEMENTS (bad));
  tcase_add_test (tc, test_contract);
  tcase_add_test (tc, test_many_channels);
  return s;
}

GST_CHECK_MAIN (eegdecimate);
