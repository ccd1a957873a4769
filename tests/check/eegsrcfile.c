/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "eegsrc-run.h"

#include "edf-file.h"
#include "edf.h"

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

static gchar *directory;

static void
setup (void)
{
  directory = g_dir_make_tmp ("eegsrcfile-XXXXXX", NULL);
  fail_unless (directory != NULL);
}

static void
teardown (void)
{
  GDir *dir = g_dir_open (directory, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (dir)) != NULL) {
    gchar *path = g_build_filename (directory, name, NULL);

    g_remove (path);
    g_free (path);
  }
  g_dir_close (dir);
  g_rmdir (directory);
  g_clear_pointer (&directory, g_free);
}

static gchar *
save (const gchar *name, gconstpointer data, gsize size)
{
  gchar *path = g_build_filename (directory, name, NULL);

  fail_unless (g_file_set_contents (path, data, size, NULL));
  return path;
}

/* A line with %s for the path */
static gchar *
line_for (const gchar *format, const gchar *path)
{
  gchar **parts = g_strsplit (format, "%s", 2);
  gchar *line = g_strjoinv (path, parts);

  g_strfreev (parts);
  return line;
}

static Run *
run_file (const gchar *format, const gchar *path)
{
  gchar *line = line_for (format, path);
  Run *run = run_whole (line);

  g_free (line);
  return run;
}

static void
expect_file_error (const gchar *path, GQuark domain, gint code,
    const gchar *words)
{
  gchar *line = g_strdup_printf ("eegsrc location=%s", path);

  expect_error (line, domain, code, words);
  g_free (line);
}

static const Marker *
marker_at (Run *run, guint i)
{
  fail_unless (i < run->markers->len, "only %u markers", run->markers->len);
  return &g_array_index (run->markers, Marker, i);
}

static void
check_marker (Run *run, guint i, GstClockTime time, GstClockTime duration,
    const gchar *text)
{
  const Marker *m = marker_at (run, i);

  fail_unless_equals_uint64 (m->time, time);
  fail_unless_equals_uint64 (m->duration, duration);
  fail_unless_equals_string (m->text, text);
}

/* --- files made here ----------------------------------------------------- */

static const EdfFileSignal two_signals[] = {
  { "Fp1", "cup", "uV", "-100", "100", "-1000", "1000", "HP:0.1Hz", 4 },
  { "Fp2", "cup", "uV", "-200", "200", "-1000", "1000", "", 4 },
};

static gint32
value_at (guint channel, guint sample)
{
  /* 1000 is the declared limit; these go far beyond */
  return (gint32) ((sample * 7919 + channel * 104729) % 60000) - 30000;
}

static GByteArray *
two_signal_file (const gchar *records, guint n)
{
  const EdfFile file = { .records = records,
    .duration = "1",
    .signals = two_signals,
    .n_signals = 2 };
  GByteArray *bytes = edf_file_new (&file);
  guint r, c, i;

  for (r = 0; r < n; r++) {
    for (c = 0; c < 2; c++) {
      for (i = 0; i < 4; i++)
        edf_file_sample (bytes, FALSE, value_at (c, r * 4 + i));
    }
  }
  return bytes;
}

GST_START_TEST (test_counts)
{
  static const struct
  {
    const gchar *line;
    guint size;
  } cases[] = {
    { "eegsrc location=%s", 4 },
    { "eegsrc location=%s format=S16LE", 2 },
    { "eegsrc location=%s format=S24LE", 3 },
    { "eegsrc location=%s buffer-time=0 ! application/x-eeg-raw,format=S16LE",
        2 },
    { "eegsrc location=%s buffer-time=1250000000", 4 },
    { "eegsrc driver=file location=%s rate=4/1 is-live=true num-samples=12",
        4 },
  };
  GByteArray *bytes = two_signal_file ("10", 10);
  gchar *path = save ("a.edf", bytes->data, bytes->len);
  guint k;

  for (k = 0; k < G_N_ELEMENTS (cases); k++) {
    Run *run = run_file (cases[k].line, path);
    guint size = cases[k].size, frames, i, c;
    gint64 duration;

    frames = k == 5 ? 12 : 40;
    fail_unless_equals_uint64 (run->data->len, frames * 2 * size);
    for (i = 0; i < frames; i++) {
      for (c = 0; c < 2; c++) {
        const guint8 *p = run->data->data + (i * 2 + c) * size;
        gint32 v = size == 2 ? (gint16) GST_READ_UINT16_LE (p)
            : size == 3      ? (gint32) (GST_READ_UINT24_LE (p) << 8) >> 8
                             : (gint32) GST_READ_UINT32_LE (p);

        fail_unless_equals_int (v, value_at (c, i));
      }
    }
    run_check_stamps (run, 4, 1);
    fail_unless_equals_int64 (run_completed (run), frames);
    fail_unless (
        gst_element_query_duration (run->pipeline, GST_FORMAT_TIME, &duration));
    fail_unless_equals_int64 (duration, frames * (gint64) GST_SECOND / 4);
    run_free (run);
  }
  g_free (path);
  g_byte_array_unref (bytes);
}
GST_END_TEST;

GST_START_TEST (test_metadata)
{
  GByteArray *bytes = two_signal_file ("1", 1);
  gchar *path = save ("a.edf", bytes->data, bytes->len);
  Run *run = run_file ("eegsrc location=%s", path);
  const GstStructure *s;
  const GstEegChannel *c;
  GstEegInfo info;
  GstCaps *caps;

  gst_event_parse_caps (run_find_event (run, GST_EVENT_CAPS, 0), &caps);
  gst_eeg_info_init (&info);
  fail_unless (gst_eeg_info_from_caps (&info, caps));
  c = gst_eeg_channels_get (info.channel_table, 1);
  fail_unless_equals_string (c->label, "Fp2");
  fail_unless_equals_string (c->transducer, "cup");
  fail_unless_equals_string (c->calibration_text,
      "-200    200     -1000   1000    ");
  gst_eeg_info_clear (&info);
  s = gst_event_get_structure (
      run_find_event (run, GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, 0));
  fail_unless_equals_string (gst_structure_get_string (s,
                                 GST_EEG_RECORDING_PATIENT),
      "P1 F 02-MAY-1951 Some_Body");
  run_free (run);
  g_free (path);
  g_byte_array_unref (bytes);
}
GST_END_TEST;

#define ANNOTATION_SAMPLES 40
static const EdfFileSignal annotated_signals[] = {
  { "C3", "", "uV", "-100", "100", "-1000", "1000", "", 10 },
  { "EDF Annotations", "", "", "-1", "1", "-32768", "32767", "",
      ANNOTATION_SAMPLES },
};

/* lists: one string with its length per record */
static gchar *
annotated_file (const gchar *name, const gchar *reserved,
    const gchar *const *lists, const gsize *lengths, guint n)
{
  gchar records[9];
  const EdfFile file = { .reserved = reserved,
    .records = records,
    .duration = "1",
    .signals = annotated_signals,
    .n_signals = 2 };
  GByteArray *bytes;
  gchar *path;
  guint r, i;

  g_snprintf (records, sizeof records, "%u", n);
  bytes = edf_file_new (&file);
  for (r = 0; r < n; r++) {
    for (i = 0; i < 10; i++)
      edf_file_sample (bytes, FALSE, r * 10 + i);
    edf_file_annotations (bytes, 2 * ANNOTATION_SAMPLES, lists[r], lengths[r]);
  }
  path = save (name, bytes->data, bytes->len);
  g_byte_array_unref (bytes);
  return path;
}

#define N(text) (sizeof (text) - 1)

/* Recording starts 0.25 s after the header's second. */
#define R0 "+0.25\024\024\0+0.55\0250.5\024first\024\0+2.3\024ahead\024"
#define R1 "+1.25\024\024\0+1.25\024on it\024"
#define R2 "+2.25\024\024\0+3.249\024last\024\0+0.1\024before\024\0"

GST_START_TEST (test_annotations)
{
  static const gchar *const lists[] = { R0, R1, R2 };
  static const gsize lengths[] = { N (R0), N (R1), N (R2) };
  static const gchar *const lines[] = { "eegsrc location=%s",
    "eegsrc location=%s buffer-time=0",
    "eegsrc location=%s buffer-time=300000000" };
  static const guint64 came_with[][5] = { { 0, 0, 10, 20, 20 },
    { 0, 3, 10, 20, 29 }, { 0, 3, 9, 18, 27 } };
  gchar *path = annotated_file ("a.edf", "EDF+C", lists, lengths, 3);
  guint i, k;

  for (i = 0; i < G_N_ELEMENTS (lines); i++) {
    Run *run = run_file (lines[i], path);
    gint64 start;

    fail_unless_equals_int (run->markers->len, 5);
    /* in the order of buffers; one that is not in its record comes with the
     * record's first sample */
    for (k = 0; k < 5; k++)
      fail_unless_equals_uint64 (marker_at (run, k)->buffer, came_with[i][k]);
    if (i == 1) {
      check_marker (run, 0, 2050 * GST_MSECOND, GST_CLOCK_TIME_NONE, "ahead");
      check_marker (run, 1, 300 * GST_MSECOND, 500 * GST_MSECOND, "first");
      check_marker (run, 2, GST_SECOND, GST_CLOCK_TIME_NONE, "on it");
      check_marker (run, 3, 0, GST_CLOCK_TIME_NONE, "before");
      check_marker (run, 4, 2999 * GST_MSECOND, GST_CLOCK_TIME_NONE, "last");
    }
    fail_unless (
        gst_structure_get_int64 (gst_event_get_structure (run_find_event (run,
                                     GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, 0)),
            GST_EEG_RECORDING_START_TIME, &start));
    fail_unless_equals_int64 (start % GST_SECOND, 250 * GST_MSECOND);

    /* a seek finds those that begin from there on */
    seek_and_collect (run, GST_FORMAT_DEFAULT, GST_SEEK_FLAG_FLUSH, 4, 29);
    fail_unless_equals_int (run->markers->len, 2);
    check_marker (run, 0, GST_SECOND, GST_CLOCK_TIME_NONE, "on it");
    check_marker (run, 1, 0, GST_CLOCK_TIME_NONE, "before");
    run_free (run);
  }
  g_free (path);
}
GST_END_TEST;

GST_START_TEST (test_loop_moves_markers)
{
  static const gchar *const lists[] = { R0, R1, R2 };
  static const gsize lengths[] = { N (R0), N (R1), N (R2) };
  gchar *path = annotated_file ("a.edf", "EDF+C", lists, lengths, 3);
  Run *run =
      run_file ("eegsrc location=%s loop=true buffer-time=0 num-buffers=60",
          path);

  fail_unless_equals_int (run->markers->len, 10);
  check_marker (run, 6, 3300 * GST_MSECOND, 500 * GST_MSECOND, "first");
  fail_unless_equals_uint64 (marker_at (run, 6)->buffer, 33);
  run_free (run);
  g_free (path);
}
GST_END_TEST;

/* Records at 0, 1, 5.4 and 6.4 s, the third with a jump of 3.4 s before it */
GST_START_TEST (test_gap)
{
#define D0 "+0\024\024"
#define D1 "+1\024\024\0+1.95\024before\024"
#define D2 "+5.4\024\024\0+5.4\024after\024"
#define D3 "+6.4\024\024"
  static const gchar *const lists[] = { D0, D1, D2, D3 };
  static const gsize lengths[] = { N (D0), N (D1), N (D2), N (D3) };
  gchar *path = annotated_file ("a.edf", "EDF+D", lists, lengths, 4);
  Run *run = run_file ("eegsrc location=%s buffer-time=1500000000", path);
  static const Block expected[] = { { 0, 15, 0, 0, TRUE }, { 15, 5 },
    { 54, 15, 0, 0, TRUE }, { 69, 5 } };
  GstClockTime start, duration;
  GstEvent *event;
  gint64 total;
  guint i;

  fail_unless_equals_int (run->blocks->len, G_N_ELEMENTS (expected));
  for (i = 0; i < G_N_ELEMENTS (expected); i++) {
    Block *b = &g_array_index (run->blocks, Block, i);

    fail_unless_equals_uint64 (b->first, expected[i].first);
    fail_unless_equals_uint64 (b->frames, expected[i].frames);
    fail_unless_equals_int (b->discont, expected[i].discont);
  }
  run_check_stamps (run, 10, 1);
  for (i = 0; i < 40; i++)
    fail_unless_equals_int ((gint32) GST_READ_UINT32_LE (
                                run->data->data + 4 * i),
        i);
  event = run_find_event (run, GST_EVENT_GAP, 0);
  fail_unless (event != NULL);
  gst_event_parse_gap (event, &start, &duration);
  fail_unless_equals_uint64 (start, 2 * GST_SECOND);
  fail_unless_equals_uint64 (duration, 3400 * GST_MSECOND);
  fail_unless (run_find_event (run, GST_EVENT_GAP, 1) == NULL);
  /* a gap that the file declares is no loss */
  fail_unless_equals_uint64 (run_stat (run, "lost"), 0);
  for (i = 0; i < run->messages->len; i++)
    fail_if (gst_eeg_message_parse_loss (g_ptr_array_index (run->messages, i),
        NULL, NULL, NULL));
  fail_unless_equals_int64 (run_completed (run), 74);
  fail_unless (
      gst_element_query_duration (run->pipeline, GST_FORMAT_DEFAULT, &total));
  fail_unless_equals_int64 (total, 74);
  fail_unless_equals_int (run->markers->len, 2);
  check_marker (run, 1, 5400 * GST_MSECOND, GST_CLOCK_TIME_NONE, "after");
  fail_unless_equals_uint64 (marker_at (run, 1)->buffer, 54);

  /* into the gap: what comes next is behind it */
  seek_and_collect (run, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
      3 * (gint64) GST_SECOND, -1);
  fail_unless_equals_uint64 (g_array_index (run->blocks, Block, 0).first, 54);
  fail_unless_equals_int (run->data->len, 20 * 4);
  /* to the end inside the gap */
  seek_and_collect (run, GST_FORMAT_DEFAULT, GST_SEEK_FLAG_FLUSH, 18, 30);
  fail_unless_equals_int (run->data->len, 2 * 4);
  run_free (run);

  /* as the same file when it says that it has no gaps */
  g_free (path);
  path = annotated_file ("b.edf", "EDF+C", lists, lengths, 4);
  run = run_file ("eegsrc location=%s", path);
  fail_unless_equals_int64 (run_completed (run), 40);
  fail_unless (run_find_event (run, GST_EVENT_GAP, 0) == NULL);
  run_free (run);
  g_free (path);
}
GST_END_TEST;

/* Times that cannot be right: records follow each other directly. */
GST_START_TEST (test_gap_with_bad_times)
{
#define B1 "+0.2\024\024"
#define B2 "nonsense"
#define B3 "+3\024\024"
#define B4 "+9000000000\024\024"
  static const gchar *const lists[] = { D0, B1, B2, B3, B4 };
  static const gsize lengths[] = { N (D0), N (B1), N (B2), N (B3), N (B4) };
  gchar *path = annotated_file ("a.edf", "EDF+D", lists, lengths, 4);
  Run *run = run_file ("eegsrc location=%s", path);

  fail_unless_equals_int64 (run_completed (run), 40);
  fail_unless (run_find_event (run, GST_EVENT_GAP, 0) == NULL);
  run_free (run);
  g_free (path);

  /* a gap of centuries is one all the same */
  path = annotated_file ("b.edf", "EDF+D", lists, lengths, 5);
  run = run_file ("eegsrc location=%s", path);
  fail_unless_equals_uint64 (run_frames (run), 50);
  fail_unless_equals_int64 (run_completed (run),
      G_GINT64_CONSTANT (90000000000) + 10);
  run_free (run);
  g_free (path);
}
GST_END_TEST;

static const EdfFileSignal status_signals[] = {
  { "A1", "", "uV", "-262144", "262143", "-8388608", "8388607", "", 8 },
  { "Status", "", "Boolean", "-8388608", "8388607", "-8388608", "8388607",
      "No filtering", 8 },
};

GST_START_TEST (test_status)
{
  /* rising bits at 3, 8 (first sample of a record), 13, 15 and 17; 24 is the
   * same value as before, with upper bits that do not count */
  static const gint32 status[32] = { 5, 5, 5, 7, 7, 0, 0, 0, 1, 1, 1, 0, 0, 2,
    2, 258, 258, 259, 259, 1, 1, 1, 0, 0, 0x10000, 0x10000, 0, 0, 0, 0, 0, 0 };
  static const struct
  {
    guint sample;
    const gchar *text;
  } expected[] = { { 3, "Trigger 7" }, { 8, "Trigger 1" }, { 13, "Trigger 2" },
    { 15, "Trigger 258" }, { 17, "Trigger 259" } };
  static const gchar *const lines[] = { "eegsrc location=%s",
    "eegsrc location=%s buffer-time=0",
    "eegsrc location=%s buffer-time=400000000" };
  const EdfFile file = { .bdf = TRUE,
    .reserved = "24BIT",
    .records = "4",
    .duration = "1",
    .signals = status_signals,
    .n_signals = 2 };
  GByteArray *bytes = edf_file_new (&file);
  gchar *path;
  guint r, i, k;
  gint64 from;

  for (r = 0; r < 4; r++) {
    for (i = 0; i < 8; i++)
      edf_file_sample (bytes, TRUE, -(gint32) (r * 8 + i));
    for (i = 0; i < 8; i++)
      edf_file_sample (bytes, TRUE, status[r * 8 + i]);
  }
  path = save ("a.bdf", bytes->data, bytes->len);
  g_byte_array_unref (bytes);

  for (k = 0; k < G_N_ELEMENTS (lines); k++) {
    Run *run = run_file (lines[k], path);

    fail_unless_equals_int (run->markers->len, G_N_ELEMENTS (expected));
    for (i = 0; i < G_N_ELEMENTS (expected); i++)
      check_marker (run, i, expected[i].sample * GST_SECOND / 8,
          GST_CLOCK_TIME_NONE, expected[i].text);
    for (i = 0; i < 32; i++) {
      fail_unless_equals_int ((gint32) GST_READ_UINT32_LE (
                                  run->data->data + 8 * i),
          -(gint32) i);
      fail_unless_equals_int ((gint32) GST_READ_UINT32_LE (
                                  run->data->data + 8 * i + 4),
          status[i]);
    }
    /* from anywhere, the same markers */
    for (from = 0; from < 32; from++) {
      guint n = 0;

      seek_and_collect (run, GST_FORMAT_DEFAULT, GST_SEEK_FLAG_FLUSH, from, -1);
      for (i = 0; i < G_N_ELEMENTS (expected); i++) {
        if (expected[i].sample >= from)
          check_marker (run, n++, expected[i].sample * GST_SECOND / 8,
              GST_CLOCK_TIME_NONE, expected[i].text);
      }
      fail_unless_equals_int (run->markers->len, n);
    }
    run_free (run);
  }
  g_free (path);
}
GST_END_TEST;

static const EdfFileSignal mixed_signals[] = {
  { "EEG A", "", "uV", "-100", "100", "-1000", "1000", "", 20 },
  { "Temp", "", "degC", "30", "40", "-1000", "1000", "", 2 },
  { "EEG B", "", "uV", "-100", "100", "-1000", "1000", "", 20 },
  { "Light", "", "lux", "0", "40", "-1000", "1000", "", 128 },
};

GST_START_TEST (test_mixed_rates)
{
  const EdfFile file = { .records = "3",
    .duration = "10",
    .signals = mixed_signals,
    .n_signals = 4 };
  GByteArray *bytes = edf_file_new (&file);
  const GstStructure *s;
  const GValue *streams;
  gboolean selected;
  gchar *path, *line;
  guint r, c, i;
  gint n, d;
  Run *run;

  for (r = 0; r < 3; r++) {
    for (c = 0; c < 4; c++) {
      for (i = 0; i < mixed_signals[c].samples; i++)
        edf_file_sample (bytes, FALSE, c * 1000 + i);
    }
  }
  path = save ("a.edf", bytes->data, bytes->len);
  g_byte_array_unref (bytes);

  run = run_file ("eegsrc location=%s", path);
  fail_unless_equals_int64 (run_completed (run), 60);
  run_check_stamps (run, 2, 1);
  fail_unless_equals_int ((gint32) GST_READ_UINT32_LE (run->data->data + 4),
      2000);
  s = gst_message_get_structure (g_ptr_array_index (run->messages, 0));
  fail_unless (gst_structure_has_name (s, "eeg-streams"));
  streams = gst_structure_get_value (s, "streams");
  fail_unless_equals_int (gst_value_array_get_size (streams), 3);
  s = gst_value_get_structure (gst_value_array_get_value (streams, 0));
  fail_unless (gst_structure_get_boolean (s, "selected", &selected));
  fail_unless (selected);
  s = gst_value_get_structure (gst_value_array_get_value (streams, 2));
  fail_unless (gst_structure_get_fraction (s, "rate", &n, &d));
  fail_unless_equals_int (n, 64);
  fail_unless_equals_int (d, 5);
  run_free (run);

  run = run_file ("eegsrc location=%s rate=64/5", path);
  fail_unless_equals_int64 (run_completed (run), 384);
  run_check_stamps (run, 64, 5);
  run_free (run);

  line = g_strdup_printf ("eegsrc location=%s rate=7/1", path);
  expect_error (line, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, "64/5");
  g_free (line);
  g_free (path);
}
GST_END_TEST;

GST_START_TEST (test_record_counts)
{
  GByteArray *bytes = two_signal_file ("-1", 3);
  gchar *path;
  Run *run;

  /* still being recorded, and cut inside a record */
  path = save ("a.edf", bytes->data, bytes->len - 3);
  run = run_file ("eegsrc location=%s", path);
  fail_unless_equals_int64 (run_completed (run), 8);
  run_free (run);
  g_free (path);
  g_byte_array_unref (bytes);

  /* more than the header says */
  bytes = two_signal_file ("2", 3);
  path = save ("b.edf", bytes->data, bytes->len);
  run = run_file ("eegsrc location=%s", path);
  fail_unless_equals_int64 (run_completed (run), 8);
  run_free (run);
  g_free (path);
  g_byte_array_unref (bytes);

  /* none at all */
  bytes = two_signal_file ("0", 0);
  path = save ("c.edf", bytes->data, bytes->len);
  run = run_file ("eegsrc location=%s", path);
  fail_unless_equals_int64 (run_completed (run), 0);
  run_free (run);
  g_free (path);
  g_byte_array_unref (bytes);
}
GST_END_TEST;

/* All whole records come out, then it is an error. */
GST_START_TEST (test_truncated)
{
  GByteArray *bytes = two_signal_file ("10", 10);
  gchar *path = save ("a.edf", bytes->data, bytes->len - 40);
  gchar *line = g_strdup_printf ("eegsrc location=%s", path);
  Run *run;
  GstMessage *message;
  GError *error = NULL;

  run = run_new (line);
  gst_element_set_state (run->pipeline, GST_STATE_PLAYING);
  message = run_wait (run, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (
      g_error_matches (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ));
  fail_unless (strstr (error->message, "7 whole") != NULL, "%s",
      error->message);
  g_error_free (error);
  gst_message_unref (message);
  gst_element_set_state (run->pipeline, GST_STATE_READY);
  fail_unless_equals_uint64 (run_frames (run), 28);
  fail_unless_equals_int64 (run_completed (run), -1);
  run_free (run);

  /* whoever asks for no more than there is gets it */
  g_free (line);
  line = g_strdup_printf ("eegsrc location=%s num-samples=28", path);
  run = run_whole (line);
  fail_unless_equals_int64 (run_completed (run), 28);
  run_free (run);
  g_free (line);
  g_free (path);
  g_byte_array_unref (bytes);
}
GST_END_TEST;

/* Becomes shorter while it is read. */
GST_START_TEST (test_shrinks)
{
  GByteArray *bytes = two_signal_file ("9999", 9999);
  gchar *path = save ("a.edf", bytes->data, bytes->len);
  gchar *line = g_strdup_printf ("eegsrc location=%s", path);
  Run *run = run_new (line);
  GstMessage *message;
  GError *error;

  run_to (run, GST_STATE_PAUSED);
  fail_unless_equals_int (truncate (path, 1000), 0);
  fail_unless (gst_element_seek (run->pipeline, 1.0, GST_FORMAT_DEFAULT,
      GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET, 39000, GST_SEEK_TYPE_SET, -1));
  gst_element_set_state (run->pipeline, GST_STATE_PLAYING);
  message = run_wait (run, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  fail_unless (message != NULL);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, NULL);
    fail_unless (
        g_error_matches (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ));
    g_error_free (error);
    gst_element_set_state (run->pipeline, GST_STATE_READY);
    fail_unless_equals_int64 (run_completed (run), -1);
  }
  gst_message_unref (message);
  run_free (run);
  g_free (line);
  g_free (path);
  g_byte_array_unref (bytes);
}
GST_END_TEST;

GST_START_TEST (test_errors)
{
  GByteArray *bytes = two_signal_file ("1", 1);
  static const struct
  {
    gsize offset;
    const gchar *text;
    const gchar *words;
  } lies[] = {
    { 184, "768     ", NULL },    /* header size that is right */
    { 184, "1024    ", "valid" }, /* header size */
    { 252, "0   ", "valid" },     /* no signals */
    { 252, "9999", "valid" },     /* far too many for the header size */
    { 252, "10^9", "valid" },
    { 244, "-1      ", "valid" }, /* record duration */
    { 244, "nan     ", "valid" },
    /* digital minimum of the first signal, then samples per record */
    { 256 + 2 * (16 + 80 + 8 + 8 + 8), "1000    ", "valid" },
    { 256 + 2 * (16 + 80 + 8 + 8 + 8 + 8 + 8 + 80), "-5      ", "valid" },
    { 256 + 2 * (16 + 80 + 8 + 8 + 8 + 8 + 8 + 80), "99999999", "valid" },
  };
  const GQuark stream = GST_STREAM_ERROR, resource = GST_RESOURCE_ERROR;
  gchar *path = g_build_filename (directory, "missing.edf", NULL);
  gsize size;
  guint i;

  expect_file_error (path, resource, GST_RESOURCE_ERROR_NOT_FOUND,
      "missing.edf");
  g_free (path);
  expect_file_error (directory, resource, GST_RESOURCE_ERROR_OPEN_READ,
      "regular");

  path = save ("empty.edf", "", 0);
  expect_file_error (path, stream, GST_STREAM_ERROR_WRONG_TYPE, "empty");
  if (geteuid () != 0) {
    g_chmod (path, 0);
    expect_file_error (path, resource, GST_RESOURCE_ERROR_OPEN_READ, NULL);
  }
  g_free (path);

  path = g_build_filename (directory, "fifo.edf", NULL);
  fail_unless_equals_int (mkfifo (path, 0600), 0);
  expect_file_error (path, resource, GST_RESOURCE_ERROR_OPEN_READ, "regular");
  g_free (path);

  path = save ("text.edf",
      "This is a text and no EDF file, but it is long enough to hold one.", 66);
  expect_file_error (path, stream, GST_STREAM_ERROR_WRONG_TYPE, "neither");
  g_free (path);

  /* cut anywhere in the header */
  for (size = 1; size < 768; size += size < 16 ? 1 : 83) {
    Run *run;
    GstMessage *message;
    gchar *line;

    path = save ("cut.edf", bytes->data, size);
    line = g_strdup_printf ("eegsrc location=%s", path);
    run = run_new (line);
    gst_element_set_state (run->pipeline, GST_STATE_PLAYING);
    message = run_wait (run, GST_MESSAGE_ERROR);
    fail_unless (message != NULL);
    gst_message_unref (message);
    run_free (run);
    if (size >= 256)
      expect_file_error (path, stream, GST_STREAM_ERROR_DEMUX,
          "inside its header");
    g_free (line);
    g_free (path);
  }

  for (i = 0; i < G_N_ELEMENTS (lies); i++) {
    GByteArray *lying = g_byte_array_new ();

    g_byte_array_append (lying, bytes->data, bytes->len);
    memcpy (lying->data + lies[i].offset, lies[i].text, strlen (lies[i].text));
    path = save ("lie.edf", lying->data, lying->len);
    if (lies[i].words == NULL)
      run_free (run_file ("eegsrc location=%s", path));
    else
      expect_file_error (path, stream, GST_STREAM_ERROR_DEMUX, lies[i].words);
    g_free (path);
    g_byte_array_unref (lying);
  }
  g_byte_array_unref (bytes);
}
GST_END_TEST;

GST_START_TEST (test_annotations_only)
{
  const EdfFile file = { .reserved = "EDF+C",
    .records = "1",
    .duration = "0",
    .signals = annotated_signals + 1,
    .n_signals = 1 };
  GByteArray *bytes = edf_file_new (&file);
  gchar *path;

  edf_file_annotations (bytes, 2 * ANNOTATION_SAMPLES, D0, N (D0));
  path = save ("a.edf", bytes->data, bytes->len);
  expect_file_error (path, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX,
      "annotations only");
  g_free (path);
  g_byte_array_unref (bytes);
}
GST_END_TEST;

GST_START_TEST (test_format_too_narrow)
{
  const EdfFile file = { .bdf = TRUE,
    .records = "0",
    .duration = "1",
    .signals = status_signals,
    .n_signals = 2 };
  GByteArray *bytes = edf_file_new (&file);
  gchar *path = save ("a.bdf", bytes->data, bytes->len);
  gchar *line = g_strdup_printf ("eegsrc location=%s format=S16LE", path);

  expect_error (line, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, "S16LE");
  g_free (line);
  g_free (path);
  g_byte_array_unref (bytes);
}
GST_END_TEST;

/* --- real recordings ----------------------------------------------------- */

static const gchar *const recordings[] = { "short_psg.edf",
  "biosemi_72ch_2048hz.bdf", "ieeg_139ch_512hz.edf",
  "subsecond_1ch_128hz_698s.edf", "uneven_rates_100_12.8hz.edf",
  "duplicate_labels_3ch_250hz.edf" };

static gint
compare_markers (gconstpointer a, gconstpointer b)
{
  const Marker *x = a, *y = b;

  if (x->time != y->time)
    return x->time < y->time ? -1 : 1;
  return strcmp (x->text, y->text);
}

/* Every rate of every file, whatever the buffers: the decoder's samples. */
GST_START_TEST (test_recordings)
{
  const gchar *shared = g_getenv ("GSTEEG_SHARED_DIR");
  static const guint64 buffer_times[] = { GST_CLOCK_TIME_NONE, 123456789,
    10 * GST_SECOND };
  gchar *path, *data;
  gsize size, needed;
  EegEdfHeader *header;
  gchar reason[200];
  guint group, i;

  if (shared == NULL) {
    g_print ("skipped: GSTEEG_SHARED_DIR is not set\n");
    return;
  }
  path = g_build_filename (shared, "recordings", recordings[__i__], NULL);
  fail_unless (g_file_get_contents (path, &data, &size, NULL), "%s", path);
  fail_unless_equals_int (eeg_edf_header_parse ((guint8 *) data, size, &header,
                              &needed, reason, sizeof reason),
      EEG_EDF_OK);

  for (group = 0; group < header->num_groups; group++) {
    const EegEdfGroup *g = &header->groups[group];
    gsize record = (gsize) g->num_channels * g->samples_per_record * 4;
    guint64 n = eeg_edf_records_in_file (header, size), r;
    GByteArray *expected = g_byte_array_new ();
    GArray *markers = NULL;

    g_byte_array_set_size (expected, n * record);
    for (r = 0; r < n; r++)
      eeg_edf_decode (header, group,
          (guint8 *) data + header->header_size + r * header->record_size, 0,
          g->samples_per_record, EEG_EDF_SAMPLE_S32,
          expected->data + r * record);
    for (i = 0; i < G_N_ELEMENTS (buffer_times); i++) {
      gchar *line =
          g_strdup_printf ("eegsrc location=%s buffer-time=%" G_GUINT64_FORMAT
                           " rate=%d/%d",
              path, buffer_times[i], (gint) g->rate.num, (gint) g->rate.den);
      Run *run = run_whole (line);
      guint m;

      fail_unless_equals_data (run->data, expected);
      run_check_stamps (run, g->rate.num, g->rate.den);
      fail_unless_equals_int64 (run_completed (run), run_frames (run));
      g_array_sort (run->markers, compare_markers);
      if (markers == NULL) {
        markers = g_array_ref (run->markers);
      } else {
        fail_unless_equals_int (run->markers->len, markers->len);
        for (m = 0; m < markers->len; m++)
          fail_unless (compare_markers (&g_array_index (markers, Marker, m),
                           &g_array_index (run->markers, Marker, m))
              == 0);
      }
      g_free (line);
      run_free (run);
    }
    g_array_unref (markers);
    g_byte_array_unref (expected);
  }
  eeg_edf_header_free (header);
  g_free (data);
  g_free (path);
}
GST_END_TEST;

static Suite *
eegsrcfile_suite (void)
{
  Suite *s = suite_create ("eegsrcfile");
  TCase *tc = tcase_create ("files");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_counts);
  tcase_add_test (tc, test_metadata);
  tcase_add_test (tc, test_annotations);
  tcase_add_test (tc, test_loop_moves_markers);
  tcase_add_test (tc, test_gap);
  tcase_add_test (tc, test_gap_with_bad_times);
  tcase_add_test (tc, test_status);
  tcase_add_test (tc, test_mixed_rates);
  tcase_add_test (tc, test_record_counts);
  tcase_add_test (tc, test_truncated);
  tcase_add_test (tc, test_shrinks);
  tcase_add_test (tc, test_errors);
  tcase_add_test (tc, test_annotations_only);
  tcase_add_test (tc, test_format_too_narrow);

  tc = tcase_create ("recordings");
  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_recordings, 0, G_N_ELEMENTS (recordings));
  return s;
}

GST_CHECK_MAIN (eegsrcfile);
