/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "eeg-samples.h"

#define F32 GST_EEG_FORMAT_F32LE

static GstHarness *
make_harness (const gchar *line, GstEegFormat format, gint rate_n, gint rate_d,
    guint channels)
{
  GstHarness *h = gst_harness_new_parse (line);

  gst_harness_set_src_caps (h,
      samples_caps (format, rate_n, rate_d, channels, NULL));
  return h;
}

/* Pulls one buffer and checks that it is this piece, with the right content. */
static void
check_piece (GstHarness *h, GstEegFormat format, guint channels, guint64 from,
    guint64 to, gboolean discont)
{
  gsize size = gst_eeg_format_get_bytes (format);
  GstCaps *caps = gst_pad_get_current_caps (h->sinkpad);
  GstBuffer *buffer = gst_harness_try_pull (h);
  guint8 expected[8];
  GstEegInfo info;
  GstMapInfo map;
  guint64 i;
  guint c;

  fail_unless (buffer != NULL, "no piece from %" G_GUINT64_FORMAT, from);
  gst_eeg_info_init (&info);
  fail_unless (gst_eeg_info_from_caps (&info, caps));
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), from);
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET_END (buffer), to);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer),
      gst_eeg_info_samples_to_time (&info, from));
  fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer)
          + GST_BUFFER_DURATION (buffer),
      gst_eeg_info_samples_to_time (&info, to));
  fail_unless_equals_int (GST_BUFFER_IS_DISCONT (buffer) != 0, discont);
  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  fail_unless_equals_uint64 (map.size, (to - from) * channels * size);
  for (i = from; i < to; i++)
    for (c = 0; c < channels; c++) {
      samples_write (expected, format, samples_at (i, c));
      fail_unless (memcmp (map.data + ((i - from) * channels + c) * size,
                       expected, size)
              == 0,
          "sample %" G_GUINT64_FORMAT " of channel %u", i, c);
    }
  gst_buffer_unmap (buffer, &map);
  gst_buffer_unref (buffer);
  gst_eeg_info_clear (&info);
  gst_caps_unref (caps);
}

/* Pushes samples in buffers of `step`, 0 for sizes that change. */
static void
push (GstHarness *h, GstEegFormat format, guint channels, guint64 from,
    guint64 n, guint step)
{
  guint64 done = 0;
  guint size = 1;

  while (done < n) {
    guint now;

    size = step > 0 ? step : size * 7 % 97 + 1;
    now = MIN (size, n - done);
    fail_unless_equals_int (gst_harness_push (h,
                                samples_buffer (format, channels, from + done,
                                    now)),
        GST_FLOW_OK);
    done += now;
  }
}

/* ---- sizes ---- */

static const struct
{
  GstEegFormat format;
  guint channels;
} layouts[] = {
  { GST_EEG_FORMAT_S16LE, 1 },
  { GST_EEG_FORMAT_S24LE, 5 },
  { GST_EEG_FORMAT_S32LE, 3 },
  { GST_EEG_FORMAT_F32LE, 8 },
  { GST_EEG_FORMAT_F64LE, 2 },
};

GST_START_TEST (test_samples)
{
  static const guint lengths[] = { 1, 10, 97, 500 };
  static const guint steps[] = { 0, 1, 64, 601 };
  const guint total = 601;
  guint l, s;

  for (l = 0; l < G_N_ELEMENTS (lengths); l++)
    for (s = 0; s < G_N_ELEMENTS (steps); s++) {
      gchar *line = g_strdup_printf ("eegbatch samples=%u", lengths[l]);
      GstHarness *h = make_harness (line, layouts[__i__].format, 250, 1,
          layouts[__i__].channels);
      guint64 at;

      push (h, layouts[__i__].format, layouts[__i__].channels, 1000, total,
          steps[s]);
      for (at = 0; at + lengths[l] <= total; at += lengths[l])
        check_piece (h, layouts[__i__].format, layouts[__i__].channels,
            1000 + at, 1000 + at + lengths[l], at == 0);
      fail_unless (gst_harness_try_pull (h) == NULL);
      gst_harness_push_event (h, gst_event_new_eos ());
      if (at < total)
        check_piece (h, layouts[__i__].format, layouts[__i__].channels,
            1000 + at, 1000 + total, at == 0);
      fail_unless (gst_harness_try_pull (h) == NULL);
      gst_harness_teardown (h);
      g_free (line);
    }
}

GST_END_TEST;

static const struct
{
  gint rate_n, rate_d;
  GstClockTime duration;
} durations[] = {
  { 250, 1, GST_SECOND },
  { 64, 5, 100 * GST_MSECOND },
  { 64, 5, GST_SECOND },
  { 975, 2, 10 * GST_MSECOND },
  { 1000, 3, 33333333 },
  { 1000, 1, 1 },
  { 1, 3, GST_SECOND },
  { 30000, 1, 1001 * GST_USECOND },
  { 12345, 677, 12345678901 },
};

/* Sample i belongs to the piece in whose time it falls, exactly. */
static guint64
piece_of (guint64 i, gint rate_n, gint rate_d, GstClockTime duration)
{
  __extension__ typedef unsigned __int128 wide;

  return (wide) i * rate_d * GST_SECOND / ((wide) rate_n * duration);
}

GST_START_TEST (test_durations)
{
  const gint rate_n = durations[__i__].rate_n, rate_d = durations[__i__].rate_d;
  const GstClockTime duration = durations[__i__].duration;
  static const guint64 starts[] = { 0, 1000000007 };
  static const guint steps[] = { 0, 50 };
  const guint64 total = 300;
  guint f, s;

  for (f = 0; f < G_N_ELEMENTS (starts); f++)
    for (s = 0; s < G_N_ELEMENTS (steps); s++) {
      gchar *line =
          g_strdup_printf ("eegbatch duration=%" G_GUINT64_FORMAT, duration);
      GstHarness *h = make_harness (line, F32, rate_n, rate_d, 2);
      guint64 at = 0, end;

      push (h, F32, 2, starts[f], total, steps[s]);
      gst_harness_push_event (h, gst_event_new_eos ());
      while (at < total) {
        guint64 piece = piece_of (at, rate_n, rate_d, duration);

        for (end = at + 1;
             end < total && piece_of (end, rate_n, rate_d, duration) == piece;
             end++)
          ;
        check_piece (h, F32, 2, starts[f] + at, starts[f] + end, at == 0);
        at = end;
      }
      fail_unless (gst_harness_try_pull (h) == NULL);
      gst_harness_teardown (h);
      g_free (line);
    }
}

GST_END_TEST;

/* samples goes before duration; without either, and when not enabled, the
 * buffers that come go on. */
GST_START_TEST (test_as_they_are)
{
  static const gchar *const lines[] = { "eegbatch",
    "eegbatch samples=100 enabled=false" };
  guint i;
  GstHarness *h;

  for (i = 0; i < G_N_ELEMENTS (lines); i++) {
    GstBuffer *buffer = samples_buffer (F32, 2, 0, 70), *out;

    h = make_harness (lines[i], F32, 250, 1, 2);
    gst_harness_push (h, samples_buffer (F32, 2, 0, 70));
    gst_buffer_unref (gst_harness_pull (h));
    GST_BUFFER_OFFSET (buffer) = 70;
    GST_BUFFER_OFFSET_END (buffer) = 140;
    GST_BUFFER_PTS (buffer) = 280 * GST_MSECOND;
    GST_BUFFER_DURATION (buffer) = 280 * GST_MSECOND;
    gst_buffer_ref (buffer);
    out = gst_harness_push_and_pull (h, buffer);
    fail_unless (out == buffer);
    gst_buffer_unref (out);
    gst_buffer_unref (buffer);
    gst_harness_teardown (h);
  }
  h = make_harness ("eegbatch samples=30 duration=1000000000", F32, 250, 1, 2);
  push (h, F32, 2, 0, 60, 60);
  check_piece (h, F32, 2, 0, 30, TRUE);
  check_piece (h, F32, 2, 30, 60, FALSE);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* ---- memory ---- */

GST_START_TEST (test_no_copy)
{
  GstHarness *h = make_harness ("eegbatch samples=40", F32, 250, 1, 4);
  const guint8 *data;
  GstBuffer *in = samples_buffer (F32, 4, 0, 100), *out;
  GstMapInfo map, piece;
  guint i;

  /* 0-40 and 40-80 lie in the first buffer, 80-120 does not */
  fail_unless (gst_buffer_map (in, &map, GST_MAP_READ));
  data = map.data;
  gst_harness_push (h, gst_buffer_ref (in));
  for (i = 0; i < 2; i++) {
    out = gst_harness_pull (h);
    fail_unless (gst_buffer_map (out, &piece, GST_MAP_READ));
    fail_unless (piece.data == data + i * 40 * 16);
    gst_buffer_unmap (out, &piece);
    gst_buffer_unref (out);
  }
  fail_unless (gst_harness_try_pull (h) == NULL);
  gst_buffer_unmap (in, &map);
  /* what is held is no part of what came */
  fail_unless_equals_int (GST_MINI_OBJECT_REFCOUNT_VALUE (in), 1);
  gst_buffer_unref (in);

  gst_harness_push (h, samples_buffer (F32, 4, 100, 20));
  out = gst_harness_pull (h);
  fail_unless_equals_int (gst_buffer_n_memory (out), 1);
  gst_buffer_unref (out);

  /* a buffer that is a piece is that piece, though somebody else has it too */
  in = samples_buffer (F32, 4, 120, 40);
  GST_BUFFER_PTS (in) = 480 * GST_MSECOND;
  GST_BUFFER_DURATION (in) = 160 * GST_MSECOND;
  gst_buffer_ref (in);
  out = gst_harness_push_and_pull (h, in);
  fail_unless (out == in);
  gst_buffer_unref (in);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* A stage that works in place leaves memory alone that its input shares. */
GST_START_TEST (test_shared_memory)
{
  GstBufferPool *pool = gst_eeg_buffer_pool_new (NULL, 100 * 16, 0, 0);
  guint round;

  fail_unless (gst_buffer_pool_set_active (pool, TRUE));
  for (round = 0; round < 2; round++) {
    GstHarness *h = make_harness ("eegbatch samples=40 ! iirfilter low=1 "
                                  "high=40",
        F32, 250, 1, 4);
    GstBuffer *in = samples_buffer (F32, 4, 0, 100), *out;
    GstMapInfo map, piece;
    guint8 *kept;

    if (round == 1) {
      /* the same in a slab of ours */
      fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &out, NULL),
          GST_FLOW_OK);
      gst_buffer_map (in, &map, GST_MAP_READ);
      gst_buffer_fill (out, 0, map.data, map.size);
      gst_buffer_unmap (in, &map);
      GST_BUFFER_OFFSET (out) = 0;
      gst_buffer_unref (in);
      in = out;
    }
    gst_buffer_map (in, &map, GST_MAP_READ);
    kept = g_memdup2 (map.data, map.size);
    gst_harness_push (h, gst_buffer_ref (in));
    while ((out = gst_harness_try_pull (h)) != NULL) {
      gst_buffer_map (out, &piece, GST_MAP_READ);
      fail_unless (piece.data + piece.size <= map.data
          || piece.data >= map.data + map.size);
      gst_buffer_unmap (out, &piece);
      gst_buffer_unref (out);
    }
    fail_unless (memcmp (kept, map.data, map.size) == 0);
    gst_buffer_unmap (in, &map);
    gst_buffer_unref (in);
    g_free (kept);
    gst_harness_teardown (h);
  }
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
}

GST_END_TEST;

static GstBuffer *
stress_buffer (GstHarness *h, gpointer data)
{
  guint64 *next = data;
  GstBuffer *buffer = samples_buffer (F32, 2, *next, 37);

  *next += 37;
  return buffer;
}

/* Sizes change from other threads while buffers flow: every sample comes out
 * once. */
GST_START_TEST (test_stress)
{
  GstHarness *h = gst_harness_new ("eegbatch");
  GstCaps *caps = samples_caps (F32, 250, 1, 2, NULL);
  GValue samples = G_VALUE_INIT, duration = G_VALUE_INIT;
  GstHarnessThread *threads[3];
  GstSegment segment;
  guint64 next = 0, at = 0;
  GstBuffer *buffer;
  guint i;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_set_src_caps (h, gst_caps_ref (caps));
  g_value_init (&samples, G_TYPE_UINT);
  g_value_set_uint (&samples, 16);
  g_value_init (&duration, G_TYPE_UINT64);
  g_value_set_uint64 (&duration, 123456789);
  threads[0] = gst_harness_stress_push_buffer_with_cb_start (h, caps, &segment,
      stress_buffer, &next, NULL);
  threads[1] =
      gst_harness_stress_property_start_full (h, "samples", &samples, 900);
  threads[2] =
      gst_harness_stress_property_start_full (h, "duration", &duration, 700);
  for (i = 0; i < 60; i++) {
    g_object_set (h->element, "samples", i % 3 * 50, "enabled", i % 7 != 3,
        NULL);
    g_usleep (2000);
  }
  for (i = 0; i < 3; i++)
    gst_harness_stress_thread_stop (threads[2 - i]);
  gst_harness_push_event (h, gst_event_new_eos ());
  while ((buffer = gst_harness_try_pull (h)) != NULL) {
    GstMapInfo map;
    gsize k;

    fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), at);
    gst_buffer_map (buffer, &map, GST_MAP_READ);
    for (k = 0; k < map.size / 8; k++, at++)
      fail_unless (((gfloat *) map.data)[2 * k] == samples_at (at, 0));
    gst_buffer_unmap (buffer, &map);
    gst_buffer_unref (buffer);
  }
  fail_unless_equals_uint64 (at, next);
  g_value_unset (&samples);
  g_value_unset (&duration);
  gst_caps_unref (caps);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_lists)
{
  GstHarness *h = make_harness ("eegbatch samples=25", F32, 250, 1, 2);
  GstBufferList *list = gst_buffer_list_new ();
  guint i;

  for (i = 0; i < 10; i++)
    gst_buffer_list_add (list, samples_buffer (F32, 2, i * 10, 10));
  fail_unless_equals_int (gst_pad_push_list (h->srcpad, list), GST_FLOW_OK);
  fail_unless_equals_int (gst_harness_buffers_in_queue (h), 4);
  for (i = 0; i < 4; i++)
    check_piece (h, F32, 2, i * 25, i * 25 + 25, i == 0);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* ---- ends of runs ---- */

GST_START_TEST (test_runs)
{
  GstHarness *h = make_harness ("eegbatch samples=30", F32, 250, 1, 2);
  GstSegment segment;
  GstEvent *event;
  GstBuffer *buffer;

  /* a jump of the offset */
  push (h, F32, 2, 0, 40, 10);
  push (h, F32, 2, 100, 70, 20);
  check_piece (h, F32, 2, 0, 30, TRUE);
  check_piece (h, F32, 2, 30, 40, FALSE);
  check_piece (h, F32, 2, 100, 130, TRUE);
  check_piece (h, F32, 2, 130, 160, FALSE);

  /* DISCONT, at the very sample that was expected */
  buffer = samples_buffer (F32, 2, 170, 30);
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  gst_harness_push (h, buffer);
  check_piece (h, F32, 2, 160, 170, FALSE);
  check_piece (h, F32, 2, 170, 200, TRUE);

  /* a gap: what is held goes before it */
  while ((event = gst_harness_try_pull_event (h)) != NULL)
    gst_event_unref (event);
  push (h, F32, 2, 200, 10, 10);
  fail_unless (gst_harness_try_pull (h) == NULL);
  gst_harness_push_event (h, gst_event_new_gap (840 * GST_MSECOND, 40000000));
  check_piece (h, F32, 2, 200, 210, FALSE);
  event = gst_harness_try_pull_event (h);
  fail_unless_equals_int (GST_EVENT_TYPE (event), GST_EVENT_GAP);
  gst_event_unref (event);
  push (h, F32, 2, 220, 35, 5);
  check_piece (h, F32, 2, 220, 250, TRUE);

  /* another segment */
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = segment.time = GST_SECOND;
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  check_piece (h, F32, 2, 250, 255, FALSE);

  /* other caps */
  push (h, F32, 2, 255, 5, 5);
  gst_harness_set_src_caps (h,
      samples_caps (GST_EEG_FORMAT_S24LE, 100, 3, 3, NULL));
  buffer = gst_harness_try_pull (h);
  fail_unless (buffer != NULL);
  fail_unless_equals_uint64 (gst_buffer_get_size (buffer), 5 * 2 * 4);
  gst_buffer_unref (buffer);
  push (h, GST_EEG_FORMAT_S24LE, 3, 260, 31, 31);
  check_piece (h, GST_EEG_FORMAT_S24LE, 3, 260, 290, FALSE);

  /* a flush drops what is held */
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  fail_unless (gst_harness_try_pull (h) == NULL);
  push (h, GST_EEG_FORMAT_S24LE, 3, 1000, 30, 4);
  check_piece (h, GST_EEG_FORMAT_S24LE, 3, 1000, 1030, TRUE);
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless (gst_harness_try_pull (h) == NULL);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* ---- markers and flags ---- */

/* Each marker once, in the piece that holds its time, however input was cut. */
GST_START_TEST (test_markers)
{
  static const gint rates[][2] = { { 250, 1 }, { 3, 1 }, { 64, 5 }, { 975, 2 },
    { 1000, 7 } };
  static const guint steps[] = { 1, 2, 7, 10, 33, 300 };
  const guint total = 300;
  guint s, i, found = 0;
  GstEegInfo info;

  gst_eeg_info_init (&info);
  gst_eeg_info_set (&info, F32, GST_EEG_DOMAIN_VOLTAGE, rates[__i__][0],
      rates[__i__][1], 2, NULL);
  for (s = 0; s < G_N_ELEMENTS (steps); s++) {
    GstHarness *h = make_harness ("eegbatch samples=10", F32, rates[__i__][0],
        rates[__i__][1], 2);
    GstBuffer *buffer;

    for (i = 0; i < total; i += steps[s]) {
      guint k, n = MIN (steps[s], total - i);

      buffer = samples_buffer (F32, 2, i, n);
      gst_eeg_info_stamp_buffer (&info, buffer, i, n);
      for (k = 0; k < n; k++) {
        gst_buffer_add_eeg_marker_meta (buffer,
            gst_eeg_info_samples_to_time (&info, i + k), k, "on");
        gst_buffer_add_eeg_marker_meta (buffer,
            gst_eeg_info_samples_to_time (&info, i + k + 1) - 1, k, "before");
      }
      gst_harness_push (h, buffer);
    }
    gst_harness_push_event (h, gst_event_new_eos ());
    found = 0;
    while ((buffer = gst_harness_try_pull (h)) != NULL) {
      GstEegMarkerMeta *marker;
      gpointer state = NULL;

      while ((marker = gst_buffer_iterate_eeg_marker_meta (buffer, &state))) {
        fail_unless (marker->time >= GST_BUFFER_PTS (buffer));
        fail_unless (marker->time
            < GST_BUFFER_PTS (buffer) + GST_BUFFER_DURATION (buffer));
        found++;
      }
      gst_buffer_unref (buffer);
    }
    fail_unless_equals_int (found, 2 * total);
    gst_harness_teardown (h);
  }
}

GST_END_TEST;

/* Markers outside their buffer, and on a buffer without samples. */
GST_START_TEST (test_odd_markers)
{
  GstHarness *h = make_harness ("eegbatch samples=10", F32, 1000, 1, 2);
  GstBuffer *buffer = samples_buffer (F32, 2, 1000, 25);
  static const guint expected[] = { 1, 0, 1, 1 };
  guint i;

  gst_buffer_add_eeg_marker_meta (buffer, 0, 0, "long ago");
  gst_buffer_add_eeg_marker_meta (buffer, 9 * GST_SECOND, 0, "to come");
  gst_harness_push (h, buffer);
  gst_harness_push (h, samples_buffer (F32, 2, 1025, 5));
  buffer = samples_buffer (F32, 2, 1030, 0);
  gst_buffer_add_eeg_marker_meta (buffer, 1030 * GST_MSECOND, 0, "alone");
  gst_harness_push (h, buffer);
  fail_unless_equals_int (gst_harness_buffers_in_queue (h), 3);
  gst_harness_push (h, samples_buffer (F32, 2, 1030, 10));
  for (i = 0; i < G_N_ELEMENTS (expected); i++) {
    buffer = gst_harness_pull (h);
    fail_unless_equals_int (gst_buffer_get_n_meta (buffer,
                                GST_EEG_MARKER_META_API_TYPE),
        expected[i]);
    fail_unless_equals_int (gst_buffer_get_size (buffer), 80);
    gst_buffer_unref (buffer);
  }
  /* none comes any more: the marker does */
  buffer = samples_buffer (F32, 2, 1040, 0);
  gst_buffer_add_eeg_marker_meta (buffer, 1040 * GST_MSECOND, 0, "last");
  gst_harness_push (h, buffer);
  gst_harness_push_event (h, gst_event_new_eos ());
  buffer = gst_harness_try_pull (h);
  fail_unless (buffer != NULL);
  fail_unless_equals_int (gst_buffer_get_size (buffer), 0);
  fail_unless_equals_int (gst_buffer_get_n_meta (buffer,
                              GST_EEG_MARKER_META_API_TYPE),
      1);
  gst_buffer_unref (buffer);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_flags)
{
  static const GstBufferFlags flags[] = { GST_BUFFER_FLAG_GAP, 0,
    GST_BUFFER_FLAG_GAP, GST_BUFFER_FLAG_GAP, 0, GST_BUFFER_FLAG_CORRUPTED };
  static const GstBufferFlags expected[] = { GST_BUFFER_FLAG_GAP, 0, 0,
    GST_BUFFER_FLAG_GAP, GST_BUFFER_FLAG_GAP, 0, GST_BUFFER_FLAG_CORRUPTED,
    GST_BUFFER_FLAG_CORRUPTED };
  GstHarness *h = make_harness ("eegbatch samples=15", F32, 250, 1, 2);
  GstBuffer *buffer;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (flags); i++) {
    buffer = samples_buffer (F32, 2, i * 20, 20);
    GST_BUFFER_FLAG_SET (buffer, flags[i]);
    gst_harness_push (h, buffer);
  }
  for (i = 0; i < G_N_ELEMENTS (expected); i++) {
    buffer = gst_harness_pull (h);
    fail_unless_equals_int (GST_BUFFER_FLAGS (buffer)
            & (GST_BUFFER_FLAG_GAP | GST_BUFFER_FLAG_CORRUPTED),
        expected[i]);
    gst_buffer_unref (buffer);
  }
  gst_harness_teardown (h);
}

GST_END_TEST;

/* ---- latency, settings, state ---- */

GST_START_TEST (test_latency)
{
  static const struct
  {
    const gchar *line;
    guint samples;
  } cases[] = { { "eegbatch", 0 }, { "eegbatch samples=1", 0 },
    { "eegbatch samples=65", 64 }, { "eegbatch duration=100000000", 1 },
    { "eegbatch samples=65 enabled=false", 0 } };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++) {
    GstHarness *h = make_harness (cases[i].line, F32, 64, 5, 2);
    GstElement *element = samples_element (h);

    gst_harness_set_upstream_latency (h, GST_MSECOND);
    fail_unless_equals_uint64 (gst_harness_query_latency (h),
        GST_MSECOND
            + gst_util_uint64_scale (cases[i].samples, 5 * GST_SECOND, 64));
    fail_unless_equals_uint64 (gst_eeg_stage_look_back (
                                   GST_EEG_STAGE (element)),
        i == 4 ? 64 : cases[i].samples);
    gst_object_unref (element);
    gst_harness_teardown (h);
  }
}

GST_END_TEST;

GST_START_TEST (test_hot)
{
  GstHarness *h = make_harness ("eegbatch samples=30", F32, 250, 1, 2);
  GstElement *element = samples_element (h);
  GstBus *bus = gst_bus_new ();
  guint samples;

  gst_element_set_bus (element, bus);
  push (h, F32, 2, 0, 40, 20);
  check_piece (h, F32, 2, 0, 30, TRUE);
  g_object_set (element, "samples", 8, NULL);
  fail_unless (gst_harness_try_pull (h) == NULL);
  push (h, F32, 2, 40, 20, 20);
  check_piece (h, F32, 2, 30, 40, FALSE);
  check_piece (h, F32, 2, 40, 48, FALSE);
  check_piece (h, F32, 2, 48, 56, FALSE);
  g_object_set (element, "samples", 0, "duration", 20 * GST_MSECOND, NULL);
  push (h, F32, 2, 60, 12, 12);
  check_piece (h, F32, 2, 56, 60, FALSE);
  check_piece (h, F32, 2, 60, 65, FALSE);
  check_piece (h, F32, 2, 65, 70, FALSE);
  g_object_set (element, "enabled", FALSE, NULL);
  push (h, F32, 2, 72, 20, 20);
  check_piece (h, F32, 2, 70, 72, FALSE);
  gst_buffer_unref (gst_harness_pull (h));
  g_object_set (element, "enabled", TRUE, NULL);

  /* what cannot be met */
  g_object_set (element, "samples", G_MAXUINT, NULL);
  samples_check_message (bus, GST_MESSAGE_WARNING, GST_LIBRARY_ERROR,
      GST_LIBRARY_ERROR_SETTINGS);
  g_object_set (element, "duration", G_MAXUINT64, NULL);
  samples_check_message (bus, GST_MESSAGE_WARNING, GST_LIBRARY_ERROR,
      GST_LIBRARY_ERROR_SETTINGS);
  g_object_get (element, "samples", &samples, NULL);
  fail_unless_equals_int (samples, 0);
  push (h, F32, 2, 92, 5, 5);
  check_piece (h, F32, 2, 92, 97, FALSE);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_too_long)
{
  GstHarness *h = gst_harness_new_parse ("eegbatch samples=300000000");
  GstElement *element = samples_element (h);
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (element, bus);
  gst_harness_set_src_caps (h, samples_caps (F32, 250, 1, 2, NULL));
  fail_unless_equals_int (gst_harness_push (h, samples_buffer (F32, 2, 0, 10)),
      GST_FLOW_NOT_NEGOTIATED);
  samples_check_message (bus, GST_MESSAGE_ERROR, GST_LIBRARY_ERROR,
      GST_LIBRARY_ERROR_SETTINGS);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_many_channels)
{
  GstHarness *h =
      make_harness ("eegbatch samples=5", GST_EEG_FORMAT_F64LE, 100, 3, 4096);

  push (h, GST_EEG_FORMAT_F64LE, 4096, 0, 12, 4);
  check_piece (h, GST_EEG_FORMAT_F64LE, 4096, 0, 5, TRUE);
  check_piece (h, GST_EEG_FORMAT_F64LE, 4096, 5, 10, FALSE);
  gst_harness_push_event (h, gst_event_new_eos ());
  check_piece (h, GST_EEG_FORMAT_F64LE, 4096, 10, 12, FALSE);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_stats)
{
  GstHarness *h = make_harness ("eegbatch samples=30", F32, 250, 1, 2);
  GstElement *element = samples_element (h);
  guint64 in, out, samples_in, samples_out;
  GstEegEstimate estimate;
  GstStructure *stats;

  push (h, F32, 2, 0, 100, 50);
  g_object_get (element, "stats", &stats, NULL);
  fail_unless (gst_structure_get (stats, "buffers-in", G_TYPE_UINT64, &in,
      "buffers-out", G_TYPE_UINT64, &out, "samples-in", G_TYPE_UINT64,
      &samples_in, "samples-out", G_TYPE_UINT64, &samples_out, NULL));
  fail_unless_equals_uint64 (in, 2);
  fail_unless_equals_uint64 (out, 3);
  fail_unless_equals_uint64 (samples_in, 100);
  fail_unless_equals_uint64 (samples_out, 90);
  gst_structure_free (stats);
  fail_unless (
      gst_eeg_stage_estimate (GST_EEG_STAGE (element), 1000, &estimate));
  fail_unless (estimate.memory_bytes >= 30 * 8);
  gst_object_unref (element);
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
eegbatch_suite (void)
{
  Suite *s = suite_create ("eegbatch");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_samples, 0, G_N_ELEMENTS (layouts));
  tcase_add_loop_test (tc, test_durations, 0, G_N_ELEMENTS (durations));
  tcase_add_test (tc, test_as_they_are);
  tcase_add_test (tc, test_no_copy);
  tcase_add_test (tc, test_shared_memory);
  tcase_add_test (tc, test_stress);
  tcase_add_test (tc, test_lists);
  tcase_add_test (tc, test_runs);
  tcase_add_loop_test (tc, test_markers, 0, 5);
  tcase_add_test (tc, test_odd_markers);
  tcase_add_test (tc, test_flags);
  tcase_add_test (tc, test_latency);
  tcase_add_test (tc, test_hot);
  tcase_add_test (tc, test_too_long);
  tcase_add_test (tc, test_many_channels);
  tcase_add_test (tc, test_stats);
  return s;
}

GST_CHECK_MAIN (eegbatch);
