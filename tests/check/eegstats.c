/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where and when statistics come; that they are right is what
 * interop/test-eegstats.py and welch-kernel.c check. */
#include "eeg-samples.h"

#define F64 GST_EEG_FORMAT_F64LE
#define CHANNELS 8

typedef struct
{
  GstHarness *h;
  GstElement *element;
  GstBus *bus;
} Rig;

static void
rig_init (Rig *rig, const gchar *line, GstEegFormat format, gint rate_n,
    gint rate_d, guint channels)
{
  rig->h = gst_harness_new_parse (line);
  rig->element = samples_element (rig->h);
  rig->bus = gst_bus_new ();
  gst_element_set_bus (rig->element, rig->bus);
  gst_harness_set_src_caps (rig->h,
      samples_caps (format, rate_n, rate_d, channels,
          samples_table (channels, NULL)));
}

static void
rig_clear (Rig *rig)
{
  gst_element_set_bus (rig->element, NULL);
  gst_object_unref (rig->bus);
  gst_object_unref (rig->element);
  gst_harness_teardown (rig->h);
}

/* transfer full, NULL if there are no more */
static GstEegStatistics *
pop (Rig *rig)
{
  GstMessage *message;

  while ((message = gst_bus_pop_filtered (rig->bus, GST_MESSAGE_ELEMENT))) {
    GstEegStatistics *s = gst_eeg_message_parse_statistics (message);

    gst_message_unref (message);
    if (s != NULL)
      return s;
  }
  return NULL;
}

static void
expect (Rig *rig, guint64 from, guint64 n)
{
  GstEegStatistics *s = pop (rig);

  fail_unless (s != NULL, "none from %u", (guint) from);
  fail_unless_equals_uint64 (gst_eeg_statistics_get_first (s), from);
  fail_unless_equals_uint64 (gst_eeg_statistics_get_count (s), n);
  gst_eeg_statistics_unref (s);
}

static void
expect_none (Rig *rig)
{
  fail_unless (pop (rig) == NULL);
}

static gboolean
is_equal (const GstEegStatistics *a, const GstEegStatistics *b)
{
  guint c, n = gst_eeg_statistics_get_size (a);

  if (gst_eeg_statistics_get_first (a) != gst_eeg_statistics_get_first (b)
      || gst_eeg_statistics_get_time (a) != gst_eeg_statistics_get_time (b)
      || gst_eeg_statistics_get_duration (a)
          != gst_eeg_statistics_get_duration (b)
      || n != gst_eeg_statistics_get_size (b))
    return FALSE;
  for (c = 0; c < n; c++)
    if (memcmp (gst_eeg_statistics_get (a, c), gst_eeg_statistics_get (b, c),
            sizeof (GstEegChannelStatistics))
        != 0)
      return FALSE;
  return TRUE;
}

static void
push (Rig *rig, GstEegFormat format, guint64 from, guint n)
{
  fail_unless_equals_int (gst_harness_push (rig->h,
                              samples_buffer (format, CHANNELS, from, n)),
      GST_FLOW_OK);
}

static void
drop_all (Rig *rig)
{
  GstBuffer *buffer;

  while ((buffer = gst_harness_try_pull (rig->h)) != NULL)
    gst_buffer_unref (buffer);
}

/* The same statistics however input is cut: as messages, as metas on the buffer
 * in which the window ends, and the last one as a property. */
GST_START_TEST (test_splits)
{
  static const guint steps[] = { 2000, 1, 7, 125, 251, 1000 };
  GstEegStatistics *first_run[8] = { NULL };
  const guint window = 250, total = 2000;
  guint s, i;

  for (s = 0; s < G_N_ELEMENTS (steps); s++) {
    GstEegStatistics *last;
    GstBuffer *buffer;
    guint n = 0;
    Rig rig;

    rig_init (&rig, "eegstats segment=400000000", GST_EEG_FORMAT_F32LE, 250, 1,
        CHANNELS);
    for (i = 0; i < total; i += steps[s])
      push (&rig, GST_EEG_FORMAT_F32LE, 500 + i, MIN (steps[s], total - i));
    while ((buffer = gst_harness_try_pull (rig.h)) != NULL) {
      guint64 begin = GST_BUFFER_OFFSET (buffer);
      guint64 end = GST_BUFFER_OFFSET_END (buffer);
      GstEegStatisticsMeta *meta;
      gpointer state = NULL;

      for (i = 0;
           (meta = gst_buffer_iterate_eeg_statistics_meta (buffer, &state));
           i++) {
        guint64 at = gst_eeg_statistics_get_first (meta->statistics) + window;
        GstEegStatistics *posted = pop (&rig);

        fail_unless (begin < at && at <= end);
        fail_unless (posted != NULL && is_equal (posted, meta->statistics));
        if (s == 0)
          first_run[n] = gst_eeg_statistics_ref (posted);
        else
          fail_unless (is_equal (first_run[n], posted));
        gst_eeg_statistics_unref (posted);
        n++;
      }
      fail_unless_equals_int (i, (end - 500) / window - (begin - 500) / window);
      gst_buffer_unref (buffer);
    }
    fail_unless_equals_int (n, total / window);
    expect_none (&rig);
    g_object_get (rig.element, "statistics", &last, NULL);
    fail_unless (is_equal (first_run[n - 1], last));
    gst_eeg_statistics_unref (last);
    rig_clear (&rig);
  }
  for (i = 0; i < G_N_ELEMENTS (first_run); i++)
    gst_eeg_statistics_unref (first_run[i]);
}

GST_END_TEST;

/* A sine of known size: all of it is in its band. */
GST_START_TEST (test_sine)
{
  static const gdouble frequencies[] = { 2, 6, 10, 20, 35, 50, 60 };
  const guint n = 2000;
  guint f, i, b;

  for (f = 0; f < G_N_ELEMENTS (frequencies); f++) {
    gdouble *data = g_new (gdouble, n);
    const GstEegChannelStatistics *row;
    GstEegStatistics *s;
    GstBuffer *buffer;
    Rig rig;

    for (i = 0; i < n; i++)
      data[i] = 7 + 5 * sin (2 * G_PI * frequencies[f] * i / 1000);
    rig_init (&rig, "eegstats window=2000000000", F64, 1000, 1, 1);
    buffer = gst_buffer_new_wrapped (data, n * sizeof *data);
    GST_BUFFER_OFFSET (buffer) = 0;
    gst_harness_push (rig.h, buffer);
    s = pop (&rig);
    fail_unless (s != NULL);
    row = gst_eeg_statistics_get (s, 0);
    fail_unless_equals_uint64 (row->samples, n);
    fail_unless (fabs (row->mean - 7) < 1e-9);
    fail_unless (fabs (row->rms - sqrt (49 + 12.5)) < 1e-9);
    fail_unless (fabs (row->peak_to_peak - 10) < 0.1);
    for (b = 0; b < GST_EEG_N_BANDS; b++)
      fail_unless (fabs (row->bands[b] - (b == f ? 12.5 : 0)) < 0.05,
          "%g Hz, %s: %g", frequencies[f], gst_eeg_band_to_string (b),
          row->bands[b]);
    fail_unless (fabs (row->mains_ratio - (f >= 5)) < 0.05);
    gst_eeg_statistics_unref (s);
    rig_clear (&rig);
  }
}

GST_END_TEST;

/* Windows begin where a run does; what a gap cuts off has no statistics. */
GST_START_TEST (test_runs)
{
  GstSegment segment;
  Rig rig;

  rig_init (&rig, "eegstats", F64, 250, 1, CHANNELS);
  push (&rig, F64, 0, 600);
  expect (&rig, 0, 250);
  expect (&rig, 250, 250);
  push (&rig, F64, 700, 400);
  expect (&rig, 700, 250);
  gst_harness_push_event (rig.h,
      gst_event_new_gap (4400 * GST_MSECOND, 4 * GST_MSECOND));
  push (&rig, F64, 1101, 249);
  expect_none (&rig);
  push (&rig, F64, 1350, 1);
  expect (&rig, 1101, 250);
  push (&rig, F64, 1351, 200);
  gst_harness_push_event (rig.h, gst_event_new_flush_start ());
  gst_harness_push_event (rig.h, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (rig.h, gst_event_new_segment (&segment));
  push (&rig, F64, 0, 100);
  expect_none (&rig);
  push (&rig, F64, 100, 150);
  expect (&rig, 0, 250);
  gst_harness_push_event (rig.h, gst_event_new_eos ());
  expect_none (&rig);
  rig_clear (&rig);
}

GST_END_TEST;

/* Buffers in which no window ends go on as they are; latency is none. */
GST_START_TEST (test_no_copy)
{
  GstBuffer *buffer, *out;
  guint i;
  Rig rig;

  rig_init (&rig, "eegstats", F64, 250, 1, CHANNELS);
  for (i = 0; i < 2; i++) {
    buffer = samples_buffer (F64, CHANNELS, i * 125, 125);
    GST_BUFFER_PTS (buffer) = i * 500 * GST_MSECOND;
    GST_BUFFER_DURATION (buffer) = 500 * GST_MSECOND;
    if (i == 0)
      GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
    gst_buffer_ref (buffer);
    out = gst_harness_push_and_pull (rig.h, buffer);
    fail_unless_equals_int (out == buffer, i == 0);
    fail_unless (
        gst_buffer_peek_memory (out, 0) == gst_buffer_peek_memory (buffer, 0));
    gst_buffer_unref (out);
    gst_buffer_unref (buffer);
  }
  fail_unless_equals_uint64 (gst_harness_query_latency (rig.h), 0);
  rig_clear (&rig);
}

GST_END_TEST;

/* Behind filters that hold samples back and write to other buffers, or give
 * fewer samples, all statistics still come out, once each. */
GST_START_TEST (test_behind)
{
  static const gchar *const behind[] = { "firfilter mode=low-pass high=30",
    "eegdecimate rate=50/1", "eegbatch samples=100", "iirfilter" };
  guint f, i;

  for (f = 0; f < G_N_ELEMENTS (behind); f++) {
    gchar *line = g_strdup_printf ("eegstats name=stats ! %s", behind[f]);
    GstHarness *h = gst_harness_new_parse (line);
    guint64 seen = 0;
    GstBuffer *buffer;

    gst_harness_set_src_caps (h,
        samples_caps (GST_EEG_FORMAT_F32LE, 250, 1, CHANNELS, NULL));
    for (i = 0; i < 2000; i += 40)
      gst_harness_push (h,
          samples_buffer (GST_EEG_FORMAT_F32LE, CHANNELS, i, 40));
    gst_harness_push_event (h, gst_event_new_eos ());
    while ((buffer = gst_harness_try_pull (h)) != NULL) {
      GstEegStatisticsMeta *meta;
      gpointer state = NULL;

      while ((meta = gst_buffer_iterate_eeg_statistics_meta (buffer, &state))) {
        fail_unless_equals_uint64 (gst_eeg_statistics_get_first (
                                       meta->statistics),
            seen);
        seen += 250;
      }
      gst_buffer_unref (buffer);
    }
    fail_unless_equals_uint64 (seen, 2000);
    gst_harness_teardown (h);
    g_free (line);
  }
}
GST_END_TEST;

GST_START_TEST (test_quiet)
{
  GstEegStatistics *s;
  gpointer state = NULL;
  GstBuffer *buffer;
  Rig rig;

  rig_init (&rig, "eegstats messages=false meta=false", F64, 250, 1, CHANNELS);
  g_object_get (rig.element, "statistics", &s, NULL);
  fail_unless (s == NULL);
  push (&rig, F64, 0, 250);
  expect_none (&rig);
  buffer = gst_harness_pull (rig.h);
  fail_unless (gst_buffer_iterate_eeg_statistics_meta (buffer, &state) == NULL);
  gst_buffer_unref (buffer);
  g_object_get (rig.element, "statistics", &s, NULL);
  fail_unless (s != NULL);
  gst_eeg_statistics_unref (s);
  gst_element_set_state (rig.element, GST_STATE_READY);
  gst_element_set_state (rig.element, GST_STATE_PAUSED);
  g_object_get (rig.element, "statistics", &s, NULL);
  fail_unless (s == NULL);
  rig_clear (&rig);
}

GST_END_TEST;

/* An eegbatch behind it leaves each window's statistics where they were. */
GST_START_TEST (test_cut)
{
  GstHarness *h = gst_harness_new_parse ("eegstats ! eegbatch samples=60");
  GstBuffer *buffer;
  guint i, n = 0;

  gst_harness_set_src_caps (h, samples_caps (F64, 250, 1, CHANNELS, NULL));
  gst_harness_push (h, samples_buffer (F64, CHANNELS, 0, 250));
  gst_harness_push (h, samples_buffer (F64, CHANNELS, 250, 250));
  gst_harness_push (h, samples_buffer (F64, CHANNELS, 500, 40));
  for (i = 0; (buffer = gst_harness_try_pull (h)) != NULL; i++) {
    GstEegStatisticsMeta *meta;
    gpointer state = NULL;

    while ((meta = gst_buffer_iterate_eeg_statistics_meta (buffer, &state))) {
      fail_unless (i == 4 || i == 8);
      n++;
    }
    gst_buffer_unref (buffer);
  }
  fail_unless_equals_int (i, 9);
  fail_unless_equals_int (n, 2);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_hot)
{
  guint64 window;
  Rig rig;

  rig_init (&rig, "eegstats", F64, 250, 1, CHANNELS);
  push (&rig, F64, 0, 300);
  expect (&rig, 0, 250);
  g_object_set (rig.element, "window", 2 * GST_SECOND, "segment", GST_SECOND,
      NULL);
  push (&rig, F64, 300, 499);
  expect_none (&rig);
  push (&rig, F64, 799, 1);
  expect (&rig, 300, 500);
  drop_all (&rig);

  g_object_set (rig.element, "segment", 3 * GST_SECOND, NULL);
  samples_check_message (rig.bus, GST_MESSAGE_WARNING, GST_LIBRARY_ERROR,
      GST_LIBRARY_ERROR_SETTINGS);
  /* right only together */
  g_object_set (rig.element, "segment", GST_SECOND / 2, "window",
      GST_SECOND / 2, NULL);
  push (&rig, F64, 800, 125);
  expect (&rig, 800, 125);
  g_object_set (rig.element, "window", (guint64) 5, NULL);
  samples_check_message (rig.bus, GST_MESSAGE_WARNING, GST_LIBRARY_ERROR,
      GST_LIBRARY_ERROR_SETTINGS);
  g_object_get (rig.element, "window", &window, NULL);
  fail_unless_equals_uint64 (window, GST_SECOND / 2);
  g_object_set (rig.element, "enabled", FALSE, NULL);
  push (&rig, F64, 925, 1000);
  expect_none (&rig);
  rig_clear (&rig);
}

GST_END_TEST;

static const gchar *const bad[] = { "segment=2000000000", "window=4000000",
  "segment=1", "segment=18446744073709551615" };

GST_START_TEST (test_bad_settings)
{
  gchar *line = g_strdup_printf ("eegstats %s", bad[__i__]);
  GstElement *element;
  GstBus *bus;
  Rig rig;

  rig_init (&rig, line, F64, 250, 1, CHANNELS);
  fail_unless_equals_int (gst_harness_push (rig.h,
                              samples_buffer (F64, CHANNELS, 0, 10)),
      GST_FLOW_NOT_NEGOTIATED);
  samples_check_message (rig.bus, GST_MESSAGE_ERROR, GST_LIBRARY_ERROR,
      GST_LIBRARY_ERROR_SETTINGS);
  rig_clear (&rig);
  g_free (line);

  element = gst_element_factory_make ("eegstats", NULL);
  gst_object_ref_sink (element);
  bus = gst_bus_new ();
  gst_element_set_bus (element, bus);
  g_object_set (element, "mains-frequency", -50.0, NULL);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  samples_check_message (bus, GST_MESSAGE_ERROR, GST_LIBRARY_ERROR,
      GST_LIBRARY_ERROR_SETTINGS);
  gst_element_set_bus (element, NULL);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
}

GST_END_TEST;

/* Windows go on where they were counted. */
GST_START_TEST (test_state)
{
  GError *error = NULL;
  GBytes *state;
  Rig rig;

  rig_init (&rig, "eegstats", F64, 250, 1, CHANNELS);
  push (&rig, F64, 40, 600);
  state = gst_eeg_stage_save_state (GST_EEG_STAGE (rig.element), NULL);
  fail_unless_equals_uint64 (gst_eeg_stage_look_back (
                                 GST_EEG_STAGE (rig.element)),
      249);
  rig_clear (&rig);

  rig.h = gst_harness_new_parse ("eegstats");
  rig.element = samples_element (rig.h);
  rig.bus = gst_bus_new ();
  gst_element_set_bus (rig.element, rig.bus);
  fail_unless (
      gst_eeg_stage_restore_state (GST_EEG_STAGE (rig.element), state, &error));
  gst_harness_set_src_caps (rig.h, samples_caps (F64, 250, 1, CHANNELS, NULL));
  push (&rig, F64, 640, 500);
  /* that from 540 was cut off, and came before */
  expect (&rig, 790, 250);
  expect_none (&rig);
  rig_clear (&rig);
  g_bytes_unref (state);
}

GST_END_TEST;

/* Channels that are no numbers, or without samples that are; many channels. */
GST_START_TEST (test_many_channels)
{
  const guint channels = 4096, n = 20;
  gdouble *data = g_new (gdouble, n * channels);
  GstEegStatistics *s;
  GstBuffer *buffer;
  guint i;
  Rig rig;

  for (i = 0; i < n * channels; i++)
    data[i] = i % channels == 5 ? NAN : i / channels % 2 ? 3 : 1;
  rig_init (&rig, "eegstats window=60000000", F64, 1000, 3, channels);
  buffer = gst_buffer_new_wrapped (data, n * channels * sizeof *data);
  GST_BUFFER_OFFSET (buffer) = 0;
  gst_harness_push (rig.h, buffer);
  s = pop (&rig);
  fail_unless (s != NULL);
  fail_unless_equals_int (gst_eeg_statistics_get_size (s), channels);
  for (i = 0; i < channels; i++) {
    const GstEegChannelStatistics *row = gst_eeg_statistics_get (s, i);

    fail_unless_equals_uint64 (row->samples, i == 5 ? 0 : n);
    fail_unless_equals_float (row->mean, i == 5 ? 0 : 2);
    fail_unless_equals_float (row->peak_to_peak, i == 5 ? 0 : 2);
  }
  gst_eeg_statistics_unref (s);
  rig_clear (&rig);
}

GST_END_TEST;

static Suite *
eegstats_suite (void)
{
  Suite *s = suite_create ("eegstats");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_splits);
  tcase_add_test (tc, test_sine);
  tcase_add_test (tc, test_runs);
  tcase_add_test (tc, test_behind);
  tcase_add_test (tc, test_no_copy);
  tcase_add_test (tc, test_quiet);
  tcase_add_test (tc, test_cut);
  tcase_add_test (tc, test_hot);
  tcase_add_loop_test (tc, test_bad_settings, 0, G_N_ELEMENTS (bad));
  tcase_add_test (tc, test_state);
  tcase_add_test (tc, test_many_channels);
  return s;
}

GST_CHECK_MAIN (eegstats);
