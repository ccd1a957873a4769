/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "eeg-samples.h"

#define CHANNELS 19
#define RATE 250

static GstHarness *
make_harness (const gchar *line, GstEegFormat format)
{
  GstHarness *h = gst_harness_new_parse (line);

  gst_harness_set_src_caps (h,
      samples_caps (format, RATE, 1, CHANNELS, samples_table (CHANNELS, NULL)));
  return h;
}

/* The recursion itself, from the coefficients that the element tells. */
static void
filter_reference (GstElement *element, gdouble *x, guint n, gboolean steady)
{
  GValue sections = G_VALUE_INIT;
  guint s, i, k;

  g_value_init (&sections, GST_TYPE_ARRAY);
  g_object_get_property (G_OBJECT (element), "sections", &sections);
  fail_unless (gst_value_array_get_size (&sections) > 0);
  for (s = 0; s < gst_value_array_get_size (&sections); s++) {
    const GValue *row = gst_value_array_get_value (&sections, s);
    gdouble c[6], z0 = 0, z1 = 0;

    fail_unless_equals_int (gst_value_array_get_size (row), 6);
    for (k = 0; k < 6; k++)
      c[k] = g_value_get_double (gst_value_array_get_value (row, k));
    fail_unless (c[3] == 1.0);
    if (steady) {
      gdouble y = x[0] * (c[0] + c[1] + c[2]) / (1 + c[4] + c[5]);

      z1 = c[2] * x[0] - c[5] * y;
      z0 = c[1] * x[0] - c[4] * y + z1;
    }
    for (i = 0; i < n; i++) {
      gdouble y = c[0] * x[i] + z0;

      z0 = c[1] * x[i] - c[4] * y + z1;
      z1 = c[2] * x[i] - c[5] * y;
      x[i] = y;
    }
  }
  g_value_unset (&sections);
}

static void
check_line (const gchar *line, GstEegFormat format, gboolean steady)
{
  const guint n = 2500;
  GstHarness *h = make_harness (line, format);
  GstElement *element = samples_element (h);
  gdouble *x = g_new (gdouble, n);
  Samples out;
  guint c, i;

  samples_init (&out);
  samples_push (h, &out, format, CHANNELS, 0, n, 0);
  fail_unless_equals_uint64 (out.next, n);
  for (c = 0; c < CHANNELS; c++) {
    for (i = 0; i < n; i++)
      x[i] = samples_at (i, c);
    if (c % 8 != 7)
      filter_reference (element, x, n, steady);
    for (i = 0; i < n; i++) {
      gdouble y = format == GST_EEG_FORMAT_F32LE
          ? ((gfloat *) out.bytes->data)[i * CHANNELS + c]
          : ((gdouble *) out.bytes->data)[i * CHANNELS + c];

      if (c % 8 == 7)
        fail_unless (y == x[i], "%s: a status word was changed", line);
      else
        fail_unless (fabs (y - x[i])
                <= (format == GST_EEG_FORMAT_F32LE ? 1e-3 : 1e-7),
            "%s: channel %u, sample %u: %g, not %g", line, c, i, y, x[i]);
    }
  }
  samples_clear (&out);
  g_free (x);
  gst_object_unref (element);
  gst_harness_teardown (h);
}

GST_START_TEST (test_output)
{
  check_line ("iirfilter", GST_EEG_FORMAT_F32LE, TRUE);
  check_line ("iirfilter", GST_EEG_FORMAT_F64LE, TRUE);
  check_line ("iirfilter initial=zero", GST_EEG_FORMAT_F64LE, FALSE);
  check_line ("iirfilter mode=low-pass order=7", GST_EEG_FORMAT_F64LE, TRUE);
  check_line ("iirfilter mode=high-pass order=1", GST_EEG_FORMAT_F64LE, TRUE);
  check_line ("iirfilter mode=band-stop low=48 high=52 design=chebyshev2",
      GST_EEG_FORMAT_F64LE, TRUE);
  check_line ("iirfilter design=chebyshev1 ripple=1", GST_EEG_FORMAT_F32LE,
      TRUE);
  check_line ("iirfilter mode=low-pass design=bessel order=12",
      GST_EEG_FORMAT_F64LE, TRUE);
  check_line ("iirfilter mode=notch notch=50,100", GST_EEG_FORMAT_F64LE, TRUE);
  check_line ("iirfilter notch=\"50, 60, 100\" quality=10",
      GST_EEG_FORMAT_F64LE, TRUE);
}

GST_END_TEST;

GST_START_TEST (test_split_makes_no_difference)
{
  static const guint steps[] = { 3000, 1, 256, 1024, 0 };
  Samples out[G_N_ELEMENTS (steps)];
  guint i;

  for (i = 0; i < G_N_ELEMENTS (steps); i++) {
    GstHarness *h = make_harness ("iirfilter notch=50", GST_EEG_FORMAT_F32LE);

    samples_init (&out[i]);
    samples_push (h, &out[i], GST_EEG_FORMAT_F32LE, CHANNELS, 0, 3000,
        steps[i]);
    gst_harness_teardown (h);
    fail_unless_equals_int (out[i].bytes->len, out[0].bytes->len);
    fail_unless (memcmp (out[i].bytes->data, out[0].bytes->data,
                     out[0].bytes->len)
            == 0,
        "buffers of %u", steps[i]);
  }
  for (i = 0; i < G_N_ELEMENTS (steps); i++)
    samples_clear (&out[i]);
}

GST_END_TEST;

/* Same memory out as in, also with 1 and with 4,096 channels. */
GST_START_TEST (test_in_place)
{
  static const gint channels[] = { 1, 3, 4096 };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (channels); i++) {
    GstHarness *h = gst_harness_new ("iirfilter");
    GstBuffer *buffer, *out;
    GstMemory *memory;

    gst_harness_set_src_caps (h,
        samples_caps (GST_EEG_FORMAT_F64LE, 487, 2, channels[i], NULL));
    buffer = samples_buffer (GST_EEG_FORMAT_F64LE, channels[i], 0, 50);
    memory = gst_buffer_peek_memory (buffer, 0);
    out = gst_harness_push_and_pull (h, buffer);
    fail_unless (gst_buffer_peek_memory (out, 0) == memory);
    gst_buffer_unref (out);
    gst_harness_teardown (h);
  }
}

GST_END_TEST;

/* A gap begins a run, a steady one: an offset makes no step after it. */
GST_START_TEST (test_runs)
{
  GstHarness *h =
      make_harness ("iirfilter mode=high-pass low=1", GST_EEG_FORMAT_F64LE);
  Samples fresh, out;

  samples_init (&fresh);
  samples_push (h, &fresh, GST_EEG_FORMAT_F64LE, CHANNELS, 5000, 500, 100);
  samples_init (&out);
  /* a jump */
  samples_push (h, &out, GST_EEG_FORMAT_F64LE, CHANNELS, 100, 500, 100);
  samples_push (h, &out, GST_EEG_FORMAT_F64LE, CHANNELS, 5000, 500, 100);
  fail_unless_equals_int (out.disconts, 2);
  fail_unless (memcmp (out.bytes->data + 500 * CHANNELS * 8, fresh.bytes->data,
                   fresh.bytes->len)
      == 0);
  /* a flush */
  samples_clear (&out);
  samples_init (&out);
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  {
    GstSegment segment;

    gst_segment_init (&segment, GST_FORMAT_TIME);
    gst_harness_push_event (h, gst_event_new_segment (&segment));
  }
  samples_push (h, &out, GST_EEG_FORMAT_F64LE, CHANNELS, 5000, 500, 100);
  fail_unless (
      memcmp (out.bytes->data, fresh.bytes->data, fresh.bytes->len) == 0);
  /* a GAP event, which passes */
  samples_clear (&out);
  samples_init (&out);
  while (gst_harness_events_in_queue (h) > 0)
    gst_event_unref (gst_harness_pull_event (h));
  gst_harness_push_event (h, gst_event_new_gap (22 * GST_SECOND, GST_SECOND));
  {
    GstEvent *event = gst_harness_pull_event (h);

    fail_unless_equals_int (GST_EVENT_TYPE (event), GST_EVENT_GAP);
    gst_event_unref (event);
  }
  samples_push (h, &out, GST_EEG_FORMAT_F64LE, CHANNELS, 5000, 500, 100);
  fail_unless (
      memcmp (out.bytes->data, fresh.bytes->data, fresh.bytes->len) == 0);
  samples_clear (&fresh);
  samples_clear (&out);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* Other caps begin a run too, at the new rate. */
GST_START_TEST (test_other_caps)
{
  GstHarness *h = make_harness ("iirfilter", GST_EEG_FORMAT_F32LE);
  GstHarness *fresh = gst_harness_new ("iirfilter");
  Samples out, expected;

  samples_init (&out);
  samples_init (&expected);
  samples_push (h, &out, GST_EEG_FORMAT_F32LE, CHANNELS, 0, 300, 0);
  g_byte_array_set_size (out.bytes, 0);
  gst_harness_set_src_caps (h,
      samples_caps (GST_EEG_FORMAT_F64LE, 1000, 3, 2, NULL));
  gst_harness_set_src_caps (fresh,
      samples_caps (GST_EEG_FORMAT_F64LE, 1000, 3, 2, NULL));
  samples_push (h, &out, GST_EEG_FORMAT_F64LE, 2, 300, 300, 0);
  samples_push (fresh, &expected, GST_EEG_FORMAT_F64LE, 2, 300, 300, 0);
  fail_unless_equals_int (out.bytes->len, expected.bytes->len);
  fail_unless (
      memcmp (out.bytes->data, expected.bytes->data, out.bytes->len) == 0);
  samples_clear (&out);
  samples_clear (&expected);
  gst_harness_teardown (h);
  gst_harness_teardown (fresh);
}

GST_END_TEST;

GST_START_TEST (test_hot)
{
  GstHarness *h =
      make_harness ("iirfilter mode=high-pass low=0.1", GST_EEG_FORMAT_F64LE);
  GstElement *element = samples_element (h);
  GstBus *bus = gst_bus_new ();
  Samples out;
  gdouble low, high;

  gst_element_set_bus (element, bus);
  samples_init (&out);
  samples_push (h, &out, GST_EEG_FORMAT_F64LE, CHANNELS, 0, 1000, 100);
  /* two properties that are only right together */
  g_object_set (element, "low", 50.0, "high", 60.0, NULL);
  samples_push (h, &out, GST_EEG_FORMAT_F64LE, CHANNELS, 1000, 1000, 100);
  fail_unless_equals_uint64 (out.next, 2000);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING) == NULL);
  /* what cannot be met stays */
  g_object_set (element, "low", 125.0, NULL);
  samples_check_message (bus, GST_MESSAGE_WARNING, GST_LIBRARY_ERROR,
      GST_LIBRARY_ERROR_SETTINGS);
  g_object_set (element, "notch", "50,x", NULL);
  samples_check_message (bus, GST_MESSAGE_WARNING, GST_LIBRARY_ERROR,
      GST_LIBRARY_ERROR_SETTINGS);
  g_object_set (element, "order", 13, NULL);
  samples_check_message (bus, GST_MESSAGE_WARNING, GST_LIBRARY_ERROR,
      GST_LIBRARY_ERROR_SETTINGS);
  g_object_get (element, "low", &low, "high", &high, NULL);
  fail_unless (low == 50.0 && high == 60.0);

  /* other numbers of sections, nothing lost */
  g_object_set (element, "order", 9, "notch", "50,100", NULL);
  samples_push (h, &out, GST_EEG_FORMAT_F64LE, CHANNELS, 2000, 100, 10);
  g_object_set (element, "mode", 4, NULL);
  samples_push (h, &out, GST_EEG_FORMAT_F64LE, CHANNELS, 2100, 100, 10);
  fail_unless_equals_uint64 (out.next, 2200);
  fail_unless_equals_int (out.disconts, 1);

  /* off: the same buffer, untouched */
  g_object_set (element, "enabled", FALSE, NULL);
  {
    GstBuffer *buffer =
        samples_buffer (GST_EEG_FORMAT_F64LE, CHANNELS, 2200, 10);
    GstBuffer *copy = gst_buffer_copy_deep (buffer), *same;
    GstMapInfo map;

    same = gst_harness_push_and_pull (h, buffer);
    fail_unless (same == buffer);
    gst_buffer_map (copy, &map, GST_MAP_READ);
    fail_unless (gst_buffer_memcmp (same, 0, map.data, map.size) == 0);
    gst_buffer_unmap (copy, &map);
    gst_buffer_unref (copy);
    gst_buffer_unref (same);
  }
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
  samples_clear (&out);
  gst_harness_teardown (h);
}

GST_END_TEST;

static const gchar *const bad_before_caps[] = { "order=0", "order=13",
  "low=40 high=40", "low=-1", "mode=notch", "mode=notch notch=-50",
  "notch=50,,60,no", "notch=1,2,3,4,5,6,7,8,9,10,11,12,13",
  "notch=50 quality=0", "design=chebyshev1 ripple=0",
  "design=chebyshev2 attenuation=-3" };

GST_START_TEST (test_bad_settings)
{
  gchar *line = g_strdup_printf ("iirfilter %s", bad_before_caps[__i__]);
  GstElement *element = gst_parse_launch (line, NULL);
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (element, bus);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  samples_check_message (bus, GST_MESSAGE_ERROR, GST_LIBRARY_ERROR,
      GST_LIBRARY_ERROR_SETTINGS);
  gst_element_set_bus (element, NULL);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
  g_free (line);
}

GST_END_TEST;

/* Only the rate shows that these are wrong. */
static const gchar *const bad_at_rate[] = { "mode=low-pass high=125",
  "high=1000", "mode=notch notch=50,125" };

GST_START_TEST (test_bad_at_rate)
{
  gchar *line = g_strdup_printf ("iirfilter %s", bad_at_rate[__i__]);
  GstHarness *h = gst_harness_new_parse (line);
  GstElement *element = samples_element (h);
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (element, bus);
  gst_harness_set_src_caps (h,
      samples_caps (GST_EEG_FORMAT_F32LE, RATE, 1, 2, NULL));
  fail_unless_equals_int (gst_harness_push (h,
                              samples_buffer (GST_EEG_FORMAT_F32LE, 2, 0, 10)),
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

GST_START_TEST (test_restart)
{
  GstHarness *h = make_harness ("iirfilter", GST_EEG_FORMAT_F32LE);
  Samples out[3];
  guint i;

  for (i = 0; i < 3; i++) {
    samples_init (&out[i]);
    samples_push (h, &out[i], GST_EEG_FORMAT_F32LE, CHANNELS, 0, 300, 0);
    fail_unless (
        memcmp (out[i].bytes->data, out[0].bytes->data, out[0].bytes->len)
        == 0);
    gst_element_set_state (h->element,
        i == 1 ? GST_STATE_NULL : GST_STATE_READY);
    gst_element_set_state (h->element, GST_STATE_PLAYING);
    gst_harness_set_src_caps (h,
        samples_caps (GST_EEG_FORMAT_F32LE, RATE, 1, CHANNELS,
            samples_table (CHANNELS, NULL)));
  }
  for (i = 0; i < 3; i++)
    samples_clear (&out[i]);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_latency_and_estimate)
{
  GstHarness *h = make_harness ("iirfilter", GST_EEG_FORMAT_F32LE);
  GstElement *element = samples_element (h);
  GstEegEstimate estimate;
  Samples out;

  samples_init (&out);
  gst_harness_set_upstream_latency (h, 7 * GST_MSECOND);
  samples_push (h, &out, GST_EEG_FORMAT_F32LE, CHANNELS, 0, 100, 10);
  fail_unless_equals_uint64 (gst_harness_query_latency (h), 7 * GST_MSECOND);
  fail_unless (
      gst_eeg_stage_estimate (GST_EEG_STAGE (element), 1000, &estimate));
  fail_unless (estimate.memory_bytes > CHANNELS * 8 * 16);
  fail_unless_equals_uint64 (estimate.output_bytes, 1000);
  samples_clear (&out);
  gst_object_unref (element);
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
iirfilter_suite (void)
{
  Suite *s = suite_create ("iirfilter");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_output);
  tcase_add_test (tc, test_split_makes_no_difference);
  tcase_add_test (tc, test_in_place);
  tcase_add_test (tc, test_runs);
  tcase_add_test (tc, test_other_caps);
  tcase_add_test (tc, test_hot);
  tcase_add_loop_test (tc, test_bad_settings, 0,
      G_N_ELEMENTS (bad_before_caps));
  tcase_add_loop_test (tc, test_bad_at_rate, 0, G_N_ELEMENTS (bad_at_rate));
  tcase_add_test (tc, test_restart);
  tcase_add_test (tc, test_latency_and_estimate);
  return s;
}

GST_CHECK_MAIN (iirfilter);
