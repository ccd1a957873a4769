/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "edf-file.h"
#include "edf-run.h"

/* A file of two rates: 3 records of 0.5 s, 0.25 s after the header's start */
static const EdfFileSignal plus_signals[] = {
  { "EEG Cz", "AgAgCl", "uV", "-100", "100", "-1000", "1000", "HP:0.1Hz", 4 },
  { "Temp", "", "degC", "34", "40", "-2048", "2047", "", 1 },
  { "EDF Annotations", "", "", "-1", "1", "-32768", "32767", "", 20 },
  { "EOG", "", "uV", "100", "-100", "-1000", "1000", "LP:75Hz", 4 },
};
#define PLUS_RECORDS 3
#define PLUS_HEADER (256 * 5)
#define PLUS_RECORD (2 * (4 + 1 + 20 + 4))

static GByteArray *
make_plus (const gchar *reserved, const gchar *const times[PLUS_RECORDS])
{
  const EdfFile f = { .reserved = reserved,
    .records = "3",
    .duration = "0.5",
    .signals = plus_signals,
    .n_signals = G_N_ELEMENTS (plus_signals) };
  GByteArray *file = edf_file_new (&f);
  guint r, i;

  for (r = 0; r < PLUS_RECORDS; r++) {
    gchar lists[41];
    gint n;

    for (i = 0; i < 4; i++)
      edf_file_sample (file, FALSE, 100 * r + i);
    edf_file_sample (file, FALSE, -30000 + (gint) r);
    n = g_snprintf (lists, sizeof lists,
        "+%s\x14\x14%c+%u.3\x15%u\x14mark %u\x14", times[r], 0, r, r, r);
    edf_file_annotations (file, 40, lists, n);
    for (i = 0; i < 4; i++)
      edf_file_sample (file, FALSE, -(gint) (100 * r + i));
  }
  return file;
}

static const gchar *const even_times[PLUS_RECORDS] = { "0.25", "0.75", "1.25" };
static const gchar *const gap_times[PLUS_RECORDS] = { "0.25", "0.75", "3.5" };

typedef struct
{
  GstElement *element;
  GstBus *bus;
  GstHarness *in;
  GPtrArray *out;
} Demux;

static void
pad_added (GstElement *element, GstPad *pad, gpointer data)
{
  Demux *d = data;

  g_ptr_array_add (d->out,
      gst_harness_new_with_element (element, NULL, GST_PAD_NAME (pad)));
}

static Demux *
demux_new (void)
{
  Demux *d = g_new0 (Demux, 1);

  d->element = gst_element_factory_make ("edfdemux", NULL);
  gst_object_ref_sink (d->element);
  d->bus = gst_bus_new ();
  gst_element_set_bus (d->element, d->bus);
  d->out =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_harness_teardown);
  g_signal_connect (d->element, "pad-added", G_CALLBACK (pad_added), d);
  d->in = gst_harness_new_with_element (d->element, "sink", NULL);
  gst_harness_set_src_caps_str (d->in, "application/x-edf");
  return d;
}

static void
demux_free (Demux *d)
{
  gst_element_set_bus (d->element, NULL);
  g_ptr_array_unref (d->out);
  gst_harness_teardown (d->in);
  gst_object_unref (d->bus);
  gst_object_unref (d->element);
  g_free (d);
}

/* Pushes bytes in pieces of a size; the flow return of the last one */
static GstFlowReturn
demux_push (Demux *d, const guint8 *data, gsize size, gsize piece)
{
  GstFlowReturn ret = GST_FLOW_OK;
  gsize at;

  for (at = 0; at < size && ret == GST_FLOW_OK; at += piece) {
    gsize n = MIN (piece, size - at);

    ret = gst_harness_push (d->in, gst_buffer_new_memdup (data + at, n));
  }
  return ret;
}

/* All samples of a stream, all its markers as text */
static void
collect (GstHarness *h, GByteArray *samples, GString *markers)
{
  GstBuffer *buffer;

  while ((buffer = gst_harness_try_pull (h)) != NULL) {
    GstEegMarkerMeta *m;
    gpointer iter = NULL;
    GstMapInfo map;

    gst_buffer_map (buffer, &map, GST_MAP_READ);
    g_byte_array_append (samples, map.data, map.size);
    gst_buffer_unmap (buffer, &map);
    while ((m = gst_buffer_iterate_eeg_marker_meta (buffer, &iter)) != NULL)
      g_string_append_printf (markers,
          "%" G_GUINT64_FORMAT " %" G_GINT64_FORMAT " %s;", m->time / 1000000,
          GST_CLOCK_TIME_IS_VALID (m->duration)
              ? (gint64) (m->duration / 1000000)
              : -1,
          m->text);
    gst_buffer_unref (buffer);
  }
}

static gboolean
has_event (GstHarness *h, GstEventType type)
{
  GstEvent *event;
  gboolean found = FALSE;

  while ((event = gst_harness_try_pull_event (h)) != NULL) {
    found |= GST_EVENT_TYPE (event) == type;
    gst_event_unref (event);
  }
  return found;
}

GST_START_TEST (test_streams)
{
  static const gsize pieces[] = { 1, 7, 256, PLUS_HEADER, 100000 };
  GByteArray *file = make_plus ("EDF+C", even_times);
  guint k;

  for (k = 0; k < G_N_ELEMENTS (pieces); k++) {
    Demux *d = demux_new ();
    GByteArray *fast = g_byte_array_new (), *slow = g_byte_array_new ();
    GString *markers = g_string_new (NULL), *again = g_string_new (NULL);
    GstHarness *h;
    GstEvent *event;
    const GstStructure *s;
    GstCaps *caps;
    GstEegInfo info;
    EdfRunResult r = { 0 };
    gint64 start;
    guint i;

    fail_unless_equals_int (demux_push (d, file->data, file->len, pieces[k]),
        GST_FLOW_OK);
    fail_unless (gst_harness_push_event (d->in, gst_event_new_eos ()));
    fail_unless_equals_int (d->out->len, 2);

    h = g_ptr_array_index (d->out, 0);
    caps = gst_pad_get_current_caps (h->sinkpad);
    gst_eeg_info_init (&info);
    fail_unless (gst_eeg_info_from_caps (&info, caps));
    fail_unless_equals_int (info.rate_n, 8);
    fail_unless_equals_int (info.channels, 2);
    fail_unless_equals_int (info.format, GST_EEG_FORMAT_S16LE);
    fail_unless_equals_string (gst_eeg_channels_get (info.channel_table, 1)
                                   ->label,
        "EOG");
    fail_unless_equals_int (gst_eeg_channels_get (info.channel_table, 1)
                                ->source_index,
        3);
    gst_eeg_info_clear (&info);
    gst_caps_unref (caps);
    event = gst_pad_get_sticky_event (h->sinkpad,
        GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, 0);
    fail_unless (event != NULL && gst_eeg_event_is_recording (event));
    s = gst_event_get_structure (event);
    fail_unless_equals_string (gst_structure_get_string (s,
                                   GST_EEG_RECORDING_PATIENT),
        "P1 F 02-MAY-1951 Some_Body");
    fail_unless (
        gst_structure_get_int64 (s, GST_EEG_RECORDING_START_TIME, &start));
    fail_unless_equals_int64 (start, 1554994207 * GST_SECOND + GST_SECOND / 4);
    gst_event_unref (event);
    fail_unless (has_event (h, GST_EVENT_EOS));

    collect (h, fast, markers);
    fail_unless_equals_int (fast->len, 3 * 4 * 2 * 2);
    for (i = 0; i < 12; i++) {
      gint expect = 100 * (i / 4) + i % 4;

      fail_unless_equals_int ((gint16) GST_READ_UINT16_LE (fast->data + 4 * i),
          expect);
      fail_unless_equals_int ((gint16) GST_READ_UINT16_LE (
                                  fast->data + 4 * i + 2),
          -expect);
    }
    fail_unless_equals_string (markers->str,
        "50 0 mark 0;1050 1000 mark 1;2050 2000 mark 2;");
    collect (g_ptr_array_index (d->out, 1), slow, again);
    fail_unless_equals_int (slow->len, 3 * 2);
    /* outside the declared range, and not clipped */
    fail_unless_equals_int ((gint16) GST_READ_UINT16_LE (slow->data), -30000);
    fail_unless_equals_string (markers->str, again->str);

    edf_run_drain (&r, d->bus);
    fail_unless_equals_int (r.errors + r.warnings, 0);
    g_string_free (markers, TRUE);
    g_string_free (again, TRUE);
    g_byte_array_unref (fast);
    g_byte_array_unref (slow);
    demux_free (d);
  }
  g_byte_array_unref (file);
}

GST_END_TEST;

/* Whole records come out of a file that is cut anywhere. */
GST_START_TEST (test_cut)
{
  GByteArray *file = make_plus ("EDF+C", even_times);
  gsize cut;

  for (cut = 0; cut < file->len; cut++) {
    Demux *d = demux_new ();
    EdfRunResult r = { 0 };
    guint records = cut < PLUS_HEADER ? 0 : (cut - PLUS_HEADER) / PLUS_RECORD;

    demux_push (d, file->data, cut, 1000);
    gst_harness_push_event (d->in, gst_event_new_eos ());
    edf_run_drain (&r, d->bus);
    if (cut < PLUS_HEADER) {
      fail_unless_equals_int (r.errors, 1);
      fail_unless (r.domain == GST_STREAM_ERROR);
      fail_unless_equals_int (r.code,
          cut == 0 ? GST_STREAM_ERROR_WRONG_TYPE : GST_STREAM_ERROR_DEMUX);
      fail_unless_equals_int (d->out->len, 0);
    } else {
      GByteArray *samples = g_byte_array_new ();
      GString *markers = g_string_new (NULL);
      GstHarness *h = g_ptr_array_index (d->out, 0);
      guint i, n = 0;

      fail_unless_equals_int (r.errors, 0);
      fail_unless_equals_int (r.warnings, 1);
      fail_unless (has_event (h, GST_EVENT_EOS));
      collect (h, samples, markers);
      fail_unless_equals_int (samples->len, records * 16);
      for (i = 0; i < markers->len; i++)
        n += markers->str[i] == ';';
      fail_unless_equals_int (n, records);
      g_byte_array_unref (samples);
      g_string_free (markers, TRUE);
    }
    demux_free (d);
  }
  g_byte_array_unref (file);
}

GST_END_TEST;

GST_START_TEST (test_lies)
{
  static const struct
  {
    gsize offset;
    const gchar *bytes;
    gint code;
  } lies[] = {
    { 0, "RIFF", GST_STREAM_ERROR_WRONG_TYPE },
    { 184, "99999999", GST_STREAM_ERROR_DEMUX },
    { 236, "many    ", GST_STREAM_ERROR_DEMUX },
    { 244, "-1      ", GST_STREAM_ERROR_DEMUX },
    { 244, "0       ", GST_STREAM_ERROR_DEMUX },
    { 252, "1e9 ", GST_STREAM_ERROR_DEMUX },
    { 252, "0   ", GST_STREAM_ERROR_DEMUX },
    { 252, "9999", GST_STREAM_ERROR_DEMUX },
    /* digital minimum of the first signal: 4 signals before it have 16 + 80 + 8
     * + 8 + 8 characters */
    { 256 + 4 * 120, "1000    ", GST_STREAM_ERROR_DEMUX },
    { 256 + 4 * 216, "99999999", GST_STREAM_ERROR_DEMUX },
    { 256 + 4 * 216, "-5      ", GST_STREAM_ERROR_DEMUX },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (lies); i++) {
    GByteArray *file = make_plus ("EDF+C", even_times);
    EdfRunResult r = { 0 }, piped;
    Demux *d = demux_new ();
    gchar *path;

    memcpy (file->data + lies[i].offset, lies[i].bytes, strlen (lies[i].bytes));
    fail_unless_equals_int (demux_push (d, file->data, file->len, 500),
        GST_FLOW_ERROR);
    gst_harness_push_event (d->in, gst_event_new_eos ());
    edf_run_drain (&r, d->bus);
    fail_unless_equals_int (r.errors, 1);
    fail_unless (r.domain == GST_STREAM_ERROR);
    fail_unless_equals_int (r.code, lies[i].code);
    demux_free (d);

    /* and in pull mode */
    path = edf_run_write ("lie.edf", file);
    edf_run (&piped, "filesrc location=%s ! edfdemux ! fakesink", path);
    fail_unless_equals_string (piped.text, r.text);
    g_remove (path);
    g_free (path);
    g_byte_array_unref (file);
  }
}

GST_END_TEST;

GST_START_TEST (test_gap)
{
  GByteArray *file = make_plus ("EDF+D", gap_times);
  Demux *d = demux_new ();
  GstHarness *h;
  GstBuffer *buffer;
  GstEvent *event;
  gboolean gap = FALSE;

  demux_push (d, file->data, file->len, 999);
  h = g_ptr_array_index (d->out, 0);
  buffer = gst_harness_pull (h);
  fail_unless (GST_BUFFER_IS_DISCONT (buffer));
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), 0);
  gst_buffer_unref (buffer);
  buffer = gst_harness_pull (h);
  fail_if (GST_BUFFER_IS_DISCONT (buffer));
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), 4);
  gst_buffer_unref (buffer);
  buffer = gst_harness_pull (h);
  fail_unless (GST_BUFFER_IS_DISCONT (buffer));
  /* 3.25 s after the first sample */
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), 26);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), 3250 * GST_MSECOND);
  gst_buffer_unref (buffer);
  while ((event = gst_harness_try_pull_event (h)) != NULL) {
    if (GST_EVENT_TYPE (event) == GST_EVENT_GAP) {
      GstClockTime time, duration;

      gst_event_parse_gap (event, &time, &duration);
      fail_unless_equals_uint64 (time, GST_SECOND);
      fail_unless_equals_uint64 (duration, 2250 * GST_MSECOND);
      gap = TRUE;
    }
    gst_event_unref (event);
  }
  fail_unless (gap);
  demux_free (d);
  g_byte_array_unref (file);
}

GST_END_TEST;

GST_START_TEST (test_triggers)
{
  static const EdfFileSignal signals[] = {
    { "A1", "", "uV", "-262144", "262143", "-8388608", "8388607", "", 8 },
    { "Status", "", "Boolean", "-8388608", "8388607", "-8388608", "8388607", "",
        8 },
  };
  static const gint32 status[] = { 0x10000, 0x10000, 0x10005, 0x10005, 0x10001,
    0x10003, 0, -1 };
  const EdfFile f = { .bdf = TRUE,
    .reserved = "24BIT",
    .records = "1",
    .duration = "1",
    .signals = signals,
    .n_signals = 2 };
  GByteArray *file = edf_file_new (&f), *samples = g_byte_array_new ();
  GString *markers = g_string_new (NULL);
  Demux *d = demux_new ();
  guint i;

  for (i = 0; i < 8; i++)
    edf_file_sample (file, TRUE, -8388608 + (gint) i);
  for (i = 0; i < 8; i++)
    edf_file_sample (file, TRUE, status[i]);
  demux_push (d, file->data, file->len, 999);
  collect (g_ptr_array_index (d->out, 0), samples, markers);
  fail_unless_equals_string (markers->str,
      "250 -1 Trigger 5;625 -1 Trigger 3;875 -1 Trigger 65535;");
  for (i = 0; i < 8; i++)
    fail_unless_equals_int (GST_READ_UINT24_LE (samples->data + 6 * i + 3),
        status[i] & 0xffffff);
  demux_free (d);
  g_string_free (markers, TRUE);
  g_byte_array_unref (samples);
  g_byte_array_unref (file);
}

GST_END_TEST;

GST_START_TEST (test_flush)
{
  GByteArray *file = make_plus ("EDF+C", even_times);
  GByteArray *samples = g_byte_array_new ();
  GString *markers = g_string_new (NULL);
  Demux *d = demux_new ();
  GstSegment segment;
  GstHarness *h;
  GstBuffer *buffer;

  demux_push (d, file->data, PLUS_HEADER + PLUS_RECORD + 5, 100);
  h = g_ptr_array_index (d->out, 0);
  collect (h, samples, markers);
  fail_unless_equals_int (samples->len, 16);

  /* on with the third record, from the middle of the second */
  gst_harness_push_event (d->in, gst_event_new_flush_start ());
  gst_harness_push_event (d->in, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  segment.start = PLUS_HEADER + PLUS_RECORD + 9;
  gst_harness_push_event (d->in, gst_event_new_segment (&segment));
  demux_push (d, file->data + segment.start, file->len - segment.start, 10);
  buffer = gst_harness_pull (h);
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), 8);
  fail_unless (GST_BUFFER_IS_DISCONT (buffer));
  gst_buffer_unref (buffer);
  fail_unless (gst_harness_try_pull (h) == NULL);

  /* and from the start, with the header */
  gst_harness_push_event (d->in, gst_event_new_flush_start ());
  gst_harness_push_event (d->in, gst_event_new_flush_stop (TRUE));
  segment.start = 0;
  gst_harness_push_event (d->in, gst_event_new_segment (&segment));
  demux_push (d, file->data, file->len, 10);
  g_byte_array_set_size (samples, 0);
  collect (h, samples, markers);
  fail_unless_equals_int (samples->len, 48);
  fail_unless_equals_int (d->out->len, 2);
  demux_free (d);
  g_string_free (markers, TRUE);
  g_byte_array_unref (samples);
  g_byte_array_unref (file);
}

GST_END_TEST;

/* --- in pipelines -------------------------------------------------------- */

static void
check_seek (GstElement *pipeline, GstElement *sink, GstClockTime start,
    GstClockTime stop, guint64 offset, guint64 offset_end)
{
  GstSample *sample = NULL;
  GstBuffer *buffer;

  fail_unless (gst_element_seek (pipeline, 1.0, GST_FORMAT_TIME,
      GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE, GST_SEEK_TYPE_SET, start,
      GST_CLOCK_TIME_IS_VALID (stop) ? GST_SEEK_TYPE_SET : GST_SEEK_TYPE_NONE,
      stop));
  fail_unless_equals_int (gst_element_get_state (pipeline, NULL, NULL,
                              20 * GST_SECOND),
      GST_STATE_CHANGE_SUCCESS);
  g_object_get (sink, "last-sample", &sample, NULL);
  fail_unless (sample != NULL);
  buffer = gst_sample_get_buffer (sample);
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), offset);
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET_END (buffer), offset_end);
  fail_unless (GST_BUFFER_IS_DISCONT (buffer));
  gst_sample_unref (sample);
}

GST_START_TEST (test_seek)
{
  static const gchar *const lines[] = {
    "filesrc location=%s ! edfdemux name=d ! queue ! fakesink name=s "
    "sync=false d. ! queue ! fakesink sync=false",
    "filesrc location=%s ! queue ! edfdemux name=d ! queue ! "
    "fakesink name=s sync=false d. ! queue ! fakesink sync=false",
  };
  guint i;

  for (i = 0; i < 3; i++) {
    /* gaps can be searched in pull mode only */
    gboolean gaps = i == 2;
    GByteArray *file =
        make_plus (gaps ? "EDF+D" : "EDF+C", gaps ? gap_times : even_times);
    gchar *path = edf_run_write ("seek.edf", file);
    gchar *line = g_strdup_printf (lines[gaps ? 0 : i], path);
    GstElement *pipeline = gst_parse_launch (line, NULL);
    GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "s");
    gint64 value;

    gst_element_set_state (pipeline, GST_STATE_PAUSED);
    fail_unless_equals_int (gst_element_get_state (pipeline, NULL, NULL,
                                20 * GST_SECOND),
        GST_STATE_CHANGE_SUCCESS);
    fail_unless (
        gst_element_query_duration (pipeline, GST_FORMAT_TIME, &value));
    fail_unless_equals_uint64 (value,
        gaps ? 3750 * GST_MSECOND : 1500 * GST_MSECOND);
    if (gaps) {
      check_seek (pipeline, sink, 3500 * GST_MSECOND, -1, 28, 30);
      check_seek (pipeline, sink, 625 * GST_MSECOND, -1, 5, 8);
      /* in the gap: what follows */
      check_seek (pipeline, sink, 2000 * GST_MSECOND, -1, 26, 30);
    } else {
      check_seek (pipeline, sink, 625 * GST_MSECOND, -1, 5, 12);
      check_seek (pipeline, sink, 0, 250 * GST_MSECOND, 0, 2);
      check_seek (pipeline, sink, 1250 * GST_MSECOND, -1, 10, 12);
    }
    gst_element_set_state (pipeline, GST_STATE_NULL);
    gst_object_unref (sink);
    gst_object_unref (pipeline);
    g_remove (path);
    g_free (line);
    g_free (path);
    g_byte_array_unref (file);
  }
}

GST_END_TEST;

/* A launch line links a pad that comes later only once. */
static void
link_first (GstElement *demux, GstPad *pad, gpointer sink)
{
  GstPad *sink_pad;

  if (strcmp (GST_PAD_NAME (pad), "src_0") != 0)
    return;
  sink_pad = gst_element_get_static_pad (sink, "sink");
  fail_unless_equals_int (gst_pad_link (pad, sink_pad), GST_PAD_LINK_OK);
  gst_object_unref (sink_pad);
}

GST_START_TEST (test_restart)
{
  GByteArray *file = make_plus ("EDF+C", even_times);
  gchar *path = edf_run_write ("restart.edf", file);
  guint pass;

  for (pass = 0; pass < 2; pass++) {
    gchar *line = g_strdup_printf ("filesrc location=%s ! %s edfdemux name=d "
                                   "fakesink name=s",
        path, pass ? "queue !" : "");
    GstElement *pipeline = gst_parse_launch (line, NULL);
    GstElement *demux = gst_bin_get_by_name (GST_BIN (pipeline), "d");
    GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "s");
    guint i;

    g_signal_connect (demux, "pad-added", G_CALLBACK (link_first), sink);
    for (i = 0; i < 4; i++) {
      EdfRunResult r;
      GstStructure *stats;
      guint64 samples;

      edf_run_pipeline (pipeline, &r);
      fail_unless (r.errors + r.warnings == 0, "%s", r.text);
      fail_unless (r.eos);
      g_object_get (demux, "stats", &stats, NULL);
      fail_unless (gst_structure_get_uint64 (stats, "samples-out", &samples));
      fail_unless_equals_uint64 (samples, 12 + 3);
      gst_structure_free (stats);
      if (i % 2)
        gst_element_set_state (pipeline, GST_STATE_NULL);
    }
    gst_element_set_state (pipeline, GST_STATE_NULL);
    gst_object_unref (demux);
    gst_object_unref (sink);
    gst_object_unref (pipeline);
    g_free (line);
  }
  g_remove (path);
  g_free (path);
  g_byte_array_unref (file);
}

GST_END_TEST;

GST_START_TEST (test_bad_input)
{
  GByteArray *file = make_plus ("EDF+C", even_times);
  gchar *path = edf_run_write ("bad.edf", file);
  EdfRunResult r;

  /* nothing linked to the pads */
  edf_run (&r, "filesrc location=%s ! edfdemux", path);
  fail_unless_equals_int (r.errors, 1);
  fail_unless (r.domain == GST_STREAM_ERROR);
  fail_unless_equals_int (r.code, GST_STREAM_ERROR_FAILED);

  /* empty */
  g_byte_array_set_size (file, 0);
  g_free (path);
  path = edf_run_write ("bad.edf", file);
  edf_run (&r, "filesrc location=%s ! edfdemux ! fakesink", path);
  fail_unless_equals_int (r.errors, 1);
  fail_unless (r.domain == GST_STREAM_ERROR);

  g_remove (path);
  g_free (path);
  g_byte_array_unref (file);
}

GST_END_TEST;

static Suite *
edfdemux_suite (void)
{
  Suite *s = suite_create ("edfdemux");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_streams);
  tcase_add_test (tc, test_cut);
  tcase_add_test (tc, test_lies);
  tcase_add_test (tc, test_gap);
  tcase_add_test (tc, test_triggers);
  tcase_add_test (tc, test_flush);
  tcase_add_test (tc, test_seek);
  tcase_add_test (tc, test_restart);
  tcase_add_test (tc, test_bad_input);
  return s;
}

GST_CHECK_MAIN (edfdemux);
