/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/eeg/eeg.h>

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "fault-io.h"

#define MIB (1024 * 1024)

static gchar *folder;
static gchar *path;
static gchar *part;
static gchar *sidecar;
static gchar *older;

static void
setup (void)
{
  folder = g_dir_make_tmp ("gsteeg-filesink-XXXXXX", NULL);
  fail_unless (folder != NULL);
  path = g_build_filename (folder, "night.edf", NULL);
  part = g_strconcat (path, ".part", NULL);
  sidecar = g_strconcat (path, ".checkpoint", NULL);
  older = g_strconcat (sidecar, ".old", NULL);
  fault_io_reset ();
}

static void
teardown (void)
{
  fault_io_reset ();
  g_unlink (path);
  g_unlink (part);
  g_unlink (sidecar);
  g_unlink (older);
  fail_unless_equals_int (g_rmdir (folder), 0);
  g_free (older);
  g_free (sidecar);
  g_free (part);
  g_free (path);
  g_free (folder);
}

/* --- helpers ------------------------------------------------------------- */

static GstHarness *
make_harness (const gchar *settings, GstBus **bus)
{
  gchar *line = g_strdup_printf ("eegfilesink location=%s %s", path, settings);
  GstElement *element = gst_parse_launch (line, NULL);
  GstHarness *h;

  fail_unless (element != NULL);
  *bus = gst_bus_new ();
  gst_element_set_bus (element, *bus);
  h = gst_harness_new_with_element (element, "sink", NULL);
  gst_harness_set_src_caps_str (h, "application/x-edf");
  gst_object_unref (element);
  g_free (line);
  return h;
}

static void
drop_harness (GstHarness *h, GstBus *bus)
{
  gst_element_set_bus (h->element, NULL);
  gst_bus_set_flushing (bus, TRUE);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

static GstFlowReturn
push_text (GstHarness *h, const gchar *text)
{
  return gst_harness_push (h, gst_buffer_new_memdup (text, strlen (text)));
}

static void
expect_content (const gchar *name, const gchar *content)
{
  gchar *data;

  fail_unless (g_file_get_contents (name, &data, NULL, NULL), "no %s", name);
  assert_equals_string (data, content);
  g_free (data);
}

static void
expect_error (GstBus *bus, GQuark domain, gint code, const gchar *word)
{
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  GError *error = NULL;

  fail_unless (message != NULL, "no error");
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, domain, code), "%s %d: %s",
      g_quark_to_string (error->domain), error->code, error->message);
  fail_unless (strstr (error->message, word) != NULL, "%s", error->message);
  g_error_free (error);
  gst_message_unref (message);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message == NULL, "a second error");
}

static guint64
get_stat (GstElement *element, const gchar *field)
{
  GstStructure *stats;
  guint64 value = 0;

  g_object_get (element, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, field, &value), "no %s", field);
  gst_structure_free (stats);
  return value;
}

static void
expect_refusal (const gchar *location, const gchar *settings, gint code,
    const gchar *word)
{
  gchar *line =
      g_strdup_printf ("eegfilesink location=%s %s", location, settings);
  GstElement *element = gst_parse_launch (line, NULL);
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (element, bus);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  expect_error (bus, GST_RESOURCE_ERROR, code, word);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
  g_free (line);
}

/* Plays to the end; TRUE if that was EOS. */
static gboolean
run (const gchar *line)
{
  GError *error = NULL;
  GstElement *pipeline = gst_parse_launch (line, &error);
  GstMessage *message;
  GstBus *bus;
  gboolean eos;

  fail_unless (error == NULL && pipeline != NULL, "%s", line);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND,
      GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  fail_unless (message != NULL, "%s: timeout", line);
  eos = GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
  return eos;
}

/* --- recording ----------------------------------------------------------- */

/* The same bytes as core's filesink, with the header completed at the end. */
GST_START_TEST (test_as_filesink)
{
  static const gchar *const chains[] = {
    "eegsrc num-samples=5000 ! edfmux",
    /* of unknown length: the muxer comes back to its header */
    "eegsrc num-buffers=7 loop=true num-samples=1111 ! edfmux",
    "eegsrc num-samples=100000 ! edfmux ! zstdenc ! blake3sum",
    "eegsrc num-samples=0 ! edfmux",
    "eegsrc num-samples=3000 ! edfmux ! queue",
  };
  gchar *other = g_build_filename (folder, "other", NULL);
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (chains); i++) {
    gchar *line, *ours, *theirs;
    gsize our_size, their_size;

    line = g_strdup_printf ("%s ! filesink location=%s", chains[i], other);
    fail_unless (run (line), "%s", line);
    g_free (line);
    line = g_strdup_printf ("%s ! eegfilesink sync-bytes=5000 location=%s",
        chains[i], path);
    fail_unless (run (line), "%s", line);
    fail_unless (g_file_get_contents (other, &theirs, &their_size, NULL));
    fail_unless (g_file_get_contents (path, &ours, &our_size, NULL));
    fail_if (g_file_test (part, G_FILE_TEST_EXISTS));
    fail_unless (our_size == their_size && memcmp (ours, theirs, our_size) == 0,
        "%s: other bytes", line);
    g_free (ours);
    g_free (theirs);
    g_free (line);
    g_unlink (path);
    g_unlink (other);
  }
  g_free (other);
}

GST_END_TEST;

GST_START_TEST (test_part_until_eos)
{
  GstBus *bus;
  GstHarness *h = make_harness ("", &bus);
  GstStructure *stats;
  gboolean finished;

  fail_unless_equals_int (push_text (h, "one "), GST_FLOW_OK);
  expect_content (part, "one ");
  fail_if (g_file_test (path, G_FILE_TEST_EXISTS));
  fail_unless_equals_uint64 (get_stat (h->element, "bytes-written"), 4);
  fail_unless_equals_uint64 (get_stat (h->element, "bytes-safe"), 0);
  fail_unless_equals_uint64 (get_stat (h->element, "bytes-unsafe"), 4);
  fail_unless_equals_int (push_text (h, "two"), GST_FLOW_OK);
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  expect_content (path, "one two");
  fail_if (g_file_test (part, G_FILE_TEST_EXISTS));
  fail_unless_equals_uint64 (get_stat (h->element, "bytes-safe"), 7);
  fail_unless_equals_uint64 (get_stat (h->element, "bytes-unsafe"), 0);
  fail_unless_equals_uint64 (get_stat (h->element, "bytes-in"), 7);
  fail_unless_equals_uint64 (get_stat (h->element, "bytes-out"), 7);
  fail_unless_equals_uint64 (get_stat (h->element, "buffers-out"), 2);
  /* of the base class */
  fail_unless_equals_uint64 (get_stat (h->element, "rendered"), 2);
  g_object_get (h->element, "stats", &stats, NULL);
  fail_unless (gst_structure_get_boolean (stats, "finished", &finished));
  fail_unless (finished);
  gst_structure_free (stats);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL);
  drop_harness (h, bus);
}

GST_END_TEST;

GST_START_TEST (test_stopped_before_eos)
{
  GstBus *bus;
  GstHarness *h = make_harness ("", &bus);
  GstElement *element = gst_object_ref (h->element);

  fail_unless_equals_int (push_text (h, "half"), GST_FLOW_OK);
  drop_harness (h, bus);
  expect_content (part, "half");
  fail_if (g_file_test (path, G_FILE_TEST_EXISTS));
  /* what is known stays known, and the rest was brought to disk */
  fail_unless_equals_uint64 (get_stat (element, "bytes-safe"), 4);
  gst_object_unref (element);

  /* nothing came: nothing stays */
  g_unlink (part);
  h = make_harness ("", &bus);
  fail_unless (g_file_test (part, G_FILE_TEST_EXISTS));
  drop_harness (h, bus);
  fail_if (g_file_test (part, G_FILE_TEST_EXISTS));
}

GST_END_TEST;

/* An EOS behind a source of ours that failed is no end. */
GST_START_TEST (test_source_fails)
{
  gchar *line = g_strdup_printf ("eegsrc name=src num-samples=5000 ! "
                                 "eegfilesink location=%s",
      path);
  GstElement *pipeline = gst_parse_launch (line, NULL);
  GstElement *src = gst_bin_get_by_name (GST_BIN (pipeline), "src");
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;

  gst_child_proxy_set (GST_CHILD_PROXY (src), "driver::fail-at",
      G_GUINT64_CONSTANT (2000), NULL);
  gst_object_unref (src);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND,
      GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  fail_unless (
      message != NULL && GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR);
  gst_message_unref (message);
  message =
      gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND, GST_MESSAGE_WARNING);
  fail_unless (message != NULL, "no warning");
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
  g_free (line);
  fail_unless (g_file_test (part, G_FILE_TEST_EXISTS));
  fail_if (g_file_test (path, G_FILE_TEST_EXISTS));
}

GST_END_TEST;

GST_START_TEST (test_many_memories)
{
  GstBus *bus;
  GstHarness *h = make_harness ("sync-bytes=7", &bus);
  GstBuffer *buffer = gst_buffer_new ();
  GString *all = g_string_new (NULL);
  gint i, k;

  for (i = 0; i < 16; i++) {
    gchar *text = g_strdup_printf ("memory %d ", i);

    g_string_append (all, text);
    gst_buffer_append_memory (buffer,
        gst_memory_new_wrapped (0, text, strlen (text), 0, strlen (text), text,
            g_free));
  }
  for (k = 0; k < 2; k++)
    fail_unless_equals_int (gst_harness_push (h, gst_buffer_ref (buffer)),
        GST_FLOW_OK);
  fail_unless_equals_int (gst_harness_push (h, gst_buffer_new ()), GST_FLOW_OK);
  gst_buffer_unref (buffer);
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  g_string_append_len (all, all->str, all->len);
  expect_content (path, all->str);
  g_string_free (all, TRUE);
  drop_harness (h, bus);
}

GST_END_TEST;

/* --- refusals ------------------------------------------------------------ */

GST_START_TEST (test_refusals)
{
  gchar *missing = g_build_filename (folder, "no", "night.edf", NULL);
  GstBus *bus;
  GstHarness *h;

  expect_refusal ("\"\"", "", GST_RESOURCE_ERROR_NOT_FOUND, "location");
  expect_refusal (missing, "", GST_RESOURCE_ERROR_OPEN_WRITE, "night.edf");
  expect_refusal (folder, "overwrite=true", GST_RESOURCE_ERROR_OPEN_WRITE,
      "than a file");
  g_free (missing);
  missing = g_strconcat (folder, ".part", NULL);
  fail_if (g_file_test (missing, G_FILE_TEST_EXISTS));
  g_free (missing);

  /* a folder that nobody can write to, not even root */
  if (geteuid () != 0)
    g_chmod (folder, 0555);
  expect_refusal (geteuid () != 0 ? path : "/proc/night.edf", "",
      GST_RESOURCE_ERROR_OPEN_WRITE, "cannot be opened");
  g_chmod (folder, 0755);

  fail_unless (g_file_set_contents (path, "old", -1, NULL));
  expect_refusal (path, "", GST_RESOURCE_ERROR_OPEN_WRITE, "exists");
  expect_content (path, "old");
  g_unlink (path);

  h = make_harness ("", &bus);
  fail_unless_equals_int (push_text (h, "mine"), GST_FLOW_OK);
  expect_refusal (path, "", GST_RESOURCE_ERROR_BUSY, "another one");
  expect_refusal (path, "overwrite=true", GST_RESOURCE_ERROR_BUSY,
      "another one");
  expect_content (part, "mine");
  drop_harness (h, bus);

  expect_refusal (path, "", GST_RESOURCE_ERROR_OPEN_WRITE, "unfinished");
  expect_content (part, "mine");

  fault_io_fail (FAULT_IO_FSYNC, 1, ENOSPC);
  expect_refusal (path, "overwrite=true", GST_RESOURCE_ERROR_NO_SPACE_LEFT,
      "no space");
}

GST_END_TEST;

GST_START_TEST (test_again)
{
  GstBus *bus;
  GstHarness *h = make_harness ("overwrite=true", &bus);
  gint i;

  for (i = 0; i < 3; i++) {
    gchar *text = g_strdup_printf ("take %d", i);

    fail_unless_equals_int (push_text (h, text), GST_FLOW_OK);
    if (i != 1) {
      fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
      expect_content (path, text);
    }
    g_free (text);
    gst_element_set_state (h->element, GST_STATE_READY);
    if (i == 1) {
      expect_content (part, "take 1");
      expect_content (path, "take 0");
    }
    if (i < 2) {
      gst_element_set_state (h->element, GST_STATE_PLAYING);
      gst_harness_push_event (h, gst_event_new_stream_start ("again"));
      gst_harness_set_src_caps_str (h, "application/x-edf");
    }
  }
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL);

  g_object_set (h->element, "overwrite", FALSE, NULL);
  fail_unless_equals_int (gst_element_set_state (h->element, GST_STATE_PLAYING),
      GST_STATE_CHANGE_FAILURE);
  expect_error (bus, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE,
      "exists");
  expect_content (path, "take 2");
  drop_harness (h, bus);
}

GST_END_TEST;

/* --- order --------------------------------------------------------------- */

static void
push_bytes_segment (GstHarness *h, guint64 start)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  segment.start = segment.time = segment.position = start;
  fail_unless (gst_harness_push_event (h, gst_event_new_segment (&segment)));
}

GST_START_TEST (test_positions)
{
  GstQuery *query = gst_query_new_seeking (GST_FORMAT_BYTES);
  gint64 position;
  gboolean seekable;
  GstBus *bus;
  GstHarness *h = make_harness ("", &bus);

  fail_unless (gst_pad_peer_query (h->srcpad, query));
  gst_query_parse_seeking (query, NULL, &seekable, NULL, NULL);
  fail_unless (seekable);
  gst_query_unref (query);

  push_bytes_segment (h, 0);
  fail_unless_equals_int (push_text (h, "one two three"), GST_FLOW_OK);
  push_bytes_segment (h, 4);
  fail_unless_equals_int (push_text (h, "TWO"), GST_FLOW_OK);
  push_bytes_segment (h, 13);
  fail_unless_equals_int (push_text (h, " four"), GST_FLOW_OK);
  expect_content (part, "one TWO three four");
  fail_unless (
      gst_pad_peer_query_position (h->srcpad, GST_FORMAT_BYTES, &position));
  fail_unless_equals_int64 (position, 18);

  push_bytes_segment (h, 19);
  fail_unless_equals_int (push_text (h, "six"), GST_FLOW_ERROR);
  expect_error (bus, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SEEK, "hole");
  fail_unless_equals_int (push_text (h, "seven"), GST_FLOW_ERROR);
  fail_if (gst_harness_push_event (h, gst_event_new_eos ()));
  drop_harness (h, bus);
  expect_content (part, "one TWO three four");
}

GST_END_TEST;

GST_START_TEST (test_flush)
{
  GstBus *bus;
  GstHarness *h = make_harness ("", &bus);
  GstMessage *message;

  /* before anything was written it changes nothing */
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  push_bytes_segment (h, 0);
  fail_unless_equals_int (push_text (h, "text"), GST_FLOW_OK);
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  push_bytes_segment (h, 0);
  fail_unless_equals_int (push_text (h, "TEXT"), GST_FLOW_ERROR);
  expect_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "anew");
  drop_harness (h, bus);
  expect_content (part, "text");
  g_unlink (part);

  /* and an EOS behind it does not call the rest whole */
  h = make_harness ("", &bus);
  push_bytes_segment (h, 0);
  fail_unless_equals_int (push_text (h, "text"), GST_FLOW_OK);
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  push_bytes_segment (h, 0);
  gst_harness_push_event (h, gst_event_new_eos ());
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  fail_unless (message != NULL);
  gst_message_unref (message);
  drop_harness (h, bus);
  expect_content (part, "text");
}

GST_END_TEST;

/* --- the disk ------------------------------------------------------------ */

GST_START_TEST (test_disk_full)
{
  GstBus *bus;
  GstHarness *h = make_harness ("", &bus);
  GstMessage *message;
  const GstStructure *details;
  guint64 written;

  fail_unless_equals_int (push_text (h, "good"), GST_FLOW_OK);
  fault_io_shorten_write (1, 3);
  fault_io_fail (FAULT_IO_WRITE, 2, ENOSPC);
  fail_unless_equals_int (push_text (h, "12345"), GST_FLOW_ERROR);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_parse_error_details (message, &details);
  fail_unless (gst_structure_get_uint64 (details, "bytes-written", &written));
  fail_unless_equals_uint64 (written, 7);
  gst_bus_post (bus, message);
  expect_error (bus, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
      "no space left");
  fail_unless_equals_int (push_text (h, "more"), GST_FLOW_ERROR);
  fail_if (gst_harness_push_event (h, gst_event_new_eos ()));
  fail_unless_equals_uint64 (get_stat (h->element, "errors"), 1);
  gst_element_set_state (h->element, GST_STATE_NULL);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL);
  drop_harness (h, bus);
  expect_content (part, "good123");
  fail_if (g_file_test (path, G_FILE_TEST_EXISTS));
}

GST_END_TEST;

GST_START_TEST (test_sync_fails)
{
  GstBus *bus;
  GstHarness *h = make_harness ("", &bus);

  fail_unless_equals_int (push_text (h, "text"), GST_FLOW_OK);
  fault_io_fail (FAULT_IO_DATASYNC, 1, EIO);
  fail_if (gst_harness_push_event (h, gst_event_new_eos ()));
  expect_error (bus, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SYNC, "disk");
  fail_unless_equals_uint64 (get_stat (h->element, "bytes-safe"), 0);
  fail_unless_equals_uint64 (get_stat (h->element, "bytes-unsafe"), 4);
  drop_harness (h, bus);
  expect_content (part, "text");
  fail_if (g_file_test (path, G_FILE_TEST_EXISTS));
  g_unlink (part);

  /* beside the stream: the next buffer finds out */
  h = make_harness ("sync-bytes=4", &bus);
  fault_io_fail (FAULT_IO_DATASYNC, 1, ENOSPC);
  fail_unless_equals_int (push_text (h, "text"), GST_FLOW_OK);
  while (push_text (h, "more") == GST_FLOW_OK)
    g_usleep (1000);
  expect_error (bus, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
      "no space left");
  drop_harness (h, bus);
  g_unlink (part);

  /* when nothing more comes: at the latest when it stops */
  h = make_harness ("", &bus);
  fail_unless_equals_int (push_text (h, "text"), GST_FLOW_OK);
  fault_io_fail (FAULT_IO_DATASYNC, 1, EIO);
  gst_element_set_state (h->element, GST_STATE_READY);
  expect_error (bus, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SYNC, "disk");
  drop_harness (h, bus);
}

GST_END_TEST;

GST_START_TEST (test_rename_fails)
{
  GstBus *bus;
  GstHarness *h = make_harness ("", &bus);

  fail_unless_equals_int (push_text (h, "text"), GST_FLOW_OK);
  fail_unless (g_file_set_contents (path, "theirs", -1, NULL));
  fail_if (gst_harness_push_event (h, gst_event_new_eos ()));
  expect_error (bus, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE, "came up");
  drop_harness (h, bus);
  expect_content (path, "theirs");
  expect_content (part, "text");
}

GST_END_TEST;

GST_START_TEST (test_sync_after)
{
  GstBus *bus;
  GstHarness *h = make_harness ("sync-time=0", &bus);
  GstBuffer *buffer = gst_buffer_new_memdup ("text", 4);

  fail_unless_equals_int (push_text (h, "some "), GST_FLOW_OK);
  fail_unless_equals_int (fault_io_count (FAULT_IO_DATASYNC), 0);
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_SYNC_AFTER);
  fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
  fail_unless_equals_uint64 (get_stat (h->element, "bytes-safe"), 9);
  fail_unless_equals_uint64 (get_stat (h->element, "syncs"), 1);
  drop_harness (h, bus);
}

GST_END_TEST;

static gpointer
push_late (gpointer data)
{
  return GINT_TO_POINTER (push_text (data, "1234567890ABCDE"));
}

static gpointer
push_on (gpointer data)
{
  GstFlowReturn flow;

  do {
    flow = push_text (data, "12345");
  } while (flow == GST_FLOW_OK);
  return GINT_TO_POINTER (flow);
}

/* The disk is slower than the stream: a pause and a stop do not wait for it,
 * and a pause loses nothing. */
GST_START_TEST (test_slow_disk)
{
  GstBus *bus;
  GstHarness *h = make_harness ("sync-bytes=10 sync-time=0", &bus);
  GThread *thread;
  GstFlowReturn flow;

  fault_io_hold (FAULT_IO_DATASYNC);
  fail_unless_equals_int (push_text (h, "1234567890"), GST_FLOW_OK);
  thread = g_thread_new ("push", push_late, h);
  while (get_stat (h->element, "bytes-written") < 20)
    g_usleep (1000);
  fail_unless_equals_uint64 (get_stat (h->element, "bytes-unsafe"), 20);
  gst_element_set_state (h->element, GST_STATE_PAUSED);
  gst_element_set_state (h->element, GST_STATE_PLAYING);
  g_usleep (20000);
  fail_unless_equals_uint64 (get_stat (h->element, "bytes-written"), 20);
  fault_io_release (FAULT_IO_DATASYNC);
  flow = GPOINTER_TO_INT (g_thread_join (thread));
  fail_unless_equals_int (flow, GST_FLOW_OK);
  expect_content (part, "12345678901234567890ABCDE");

  /* flushed while it waits */
  fail_unless_equals_int (gst_element_get_state (h->element, NULL, NULL,
                              GST_CLOCK_TIME_NONE),
      GST_STATE_CHANGE_SUCCESS);
  fault_io_hold (FAULT_IO_DATASYNC);
  thread = g_thread_new ("push", push_on, h);
  fault_io_wait_held (FAULT_IO_DATASYNC);
  while (get_stat (h->element, "bytes-unsafe") < 20)
    g_usleep (1000);
  gst_harness_push_event (h, gst_event_new_flush_start ());
  flow = GPOINTER_TO_INT (g_thread_join (thread));
  fail_unless_equals_int (flow, GST_FLOW_FLUSHING);
  fault_io_release (FAULT_IO_DATASYNC);
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL);
  drop_harness (h, bus);
}

GST_END_TEST;

/* A checkpoint is stored before the barrier of the next one is passed, so no
 * more than two intervals can get lost; a pause does not wait for it. */
GST_START_TEST (test_slow_checkpoints)
{
  gchar *line = g_strdup_printf ("eegsrc num-samples=10000 channels=1 "
                                 "checkpoint-interval=1000 ! edfmux ! "
                                 "eegfilesink name=sink checkpoint=true "
                                 "location=%s",
      path);
  GstElement *pipeline, *sink;
  GstMessage *message;
  GStatBuf s;
  guint64 record;
  GstBus *bus;

  fail_unless (run (line));
  fail_unless (g_stat (path, &s) == 0);
  /* one each second, behind a header of 256 bytes for itself and each signal */
  record = ((guint64) s.st_size - 768) / 40;
  g_unlink (path);
  g_unlink (sidecar);
  g_unlink (older);

  pipeline = gst_parse_launch (line, NULL);
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  bus = gst_element_get_bus (pipeline);
  fault_io_hold (FAULT_IO_DATASYNC);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  fault_io_wait_held (FAULT_IO_DATASYNC);
  while (get_stat (sink, "bytes-written") < 768 + 8 * record)
    g_usleep (1000);
  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  fail_unless_equals_int (gst_element_get_state (pipeline, NULL, NULL,
                              10 * GST_SECOND),
      GST_STATE_CHANGE_SUCCESS);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_usleep (50000);
  fail_unless_equals_uint64 (get_stat (sink, "bytes-written"),
      768 + 8 * record);
  fail_unless_equals_uint64 (get_stat (sink, "checkpoints"), 0);
  fault_io_release (FAULT_IO_DATASYNC);
  message = gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND,
      GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  fail_unless (
      message != NULL && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS);
  gst_message_unref (message);
  /* all of them, the end with the last one */
  fail_unless (get_stat (sink, "checkpoints") >= 10);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (sink);
  gst_object_unref (pipeline);
  g_free (line);
}

GST_END_TEST;

/* --- what can get lost --------------------------------------------------- */

static gboolean
pop_bound (GstBus *bus, GstClockTime timeout, guint64 *bytes,
    GstClockTime *time)
{
  GstMessage *message;

  while ((message =
              gst_bus_timed_pop_filtered (bus, timeout, GST_MESSAGE_ELEMENT))) {
    gboolean found = gst_eeg_message_parse_loss_bound (message, bytes, time);

    gst_message_unref (message);
    if (found)
      return TRUE;
  }
  return FALSE;
}

GST_START_TEST (test_loss_bound)
{
  GstBus *bus;
  GstHarness *h = make_harness ("sync-bytes=1000000", &bus);
  GstClockTime time;
  guint64 bytes;

  fail_if (pop_bound (bus, 0, &bytes, &time));
  fail_unless_equals_int (push_text (h, "one"), GST_FLOW_OK);
  fail_unless (pop_bound (bus, 0, &bytes, &time));
  fail_unless_equals_uint64 (bytes, 2000000);
  fail_unless_equals_int (push_text (h, "two"), GST_FLOW_OK);
  fail_if (pop_bound (bus, 0, &bytes, &time));
  g_object_set (h->element, "sync-bytes", (guint64) 5000, NULL);
  fail_unless_equals_int (push_text (h, "three"), GST_FLOW_OK);
  fail_unless (pop_bound (bus, 0, &bytes, &time));
  fail_unless_equals_uint64 (bytes, 10000);
  g_object_set (h->element, "sync-bytes", (guint64) 0, NULL);
  fail_unless_equals_int (push_text (h, "four"), GST_FLOW_OK);
  fail_unless (pop_bound (bus, 0, &bytes, &time));
  fail_unless_equals_uint64 (bytes, G_MAXUINT64);
  drop_harness (h, bus);
}

GST_END_TEST;

/* A sync that hangs is in the bound before it is over. */
GST_START_TEST (test_loss_bound_of_hanging_disk)
{
  GstBus *bus;
  GstHarness *h = make_harness ("sync-time=1000000", &bus);
  GstClockTime time = 0, later;
  guint64 bytes;
  guint i;

  gst_harness_set_upstream_latency (h, 100 * GST_MSECOND);
  fault_io_hold (FAULT_IO_DATASYNC);
  fail_unless_equals_int (push_text (h, "one"), GST_FLOW_OK);
  fail_unless (pop_bound (bus, 0, &bytes, &time));
  fail_unless (time < 250 * GST_MSECOND);
  fault_io_wait_held (FAULT_IO_DATASYNC);
  g_usleep (300000);
  fail_unless_equals_int (push_text (h, "two"), GST_FLOW_OK);
  fail_unless (pop_bound (bus, 0, &bytes, &later), "nothing says so");
  fail_unless (later >= 700 * GST_MSECOND);
  /* not with each buffer */
  for (i = 0; i < 20; i++) {
    g_usleep (1000);
    fail_unless_equals_int (push_text (h, "three"), GST_FLOW_OK);
  }
  fail_if (pop_bound (bus, 0, &bytes, &time) && time < later);
  fail_if (pop_bound (bus, 0, &bytes, &time));
  fault_io_release (FAULT_IO_DATASYNC);
  drop_harness (h, bus);
}

GST_END_TEST;

static GstClockTime
first_time_bound (const gchar *chain)
{
  gchar *line = g_strdup_printf ("%s ! eegfilesink overwrite=true "
                                 "sync-time=50000000 location=%s",
      chain, path);
  GstElement *pipeline = gst_parse_launch (line, NULL);
  GstBus *bus = gst_element_get_bus (pipeline);
  GstClockTime time = 0;
  guint64 bytes;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  fail_unless (pop_bound (bus, 20 * GST_SECOND, &bytes, &time), "%s", line);
  fail_unless_equals_uint64 (bytes, 2 * 64 * MIB);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
  g_free (line);
  return time;
}

/* Live: the latencies of the stages count, and also a chunk that says nothing
 * about its time. What is not live can be read again. */
GST_START_TEST (test_loss_bound_in_time)
{
  GstClockTime time;

  time = first_time_bound ("eegsrc is-live=true buffer-time=20000000 ! "
                           "edfmux record-duration=100000000");
  fail_unless (time >= 170 * GST_MSECOND && time < 10 * GST_SECOND,
      "%" GST_TIME_FORMAT, GST_TIME_ARGS (time));
  /* 16 KiB of 8 channels at 1000 Hz are half a second */
  time = first_time_bound ("eegsrc is-live=true buffer-time=20000000 "
                           "rate=1000/1 ! lz4enc chunk-size=16384");
  fail_unless (time >= 550 * GST_MSECOND && time < 10 * GST_SECOND,
      "%" GST_TIME_FORMAT, GST_TIME_ARGS (time));
  time = first_time_bound ("eegsrc num-samples=100000 ! edfmux");
  fail_unless_equals_uint64 (time, GST_CLOCK_TIME_NONE);
}

GST_END_TEST;

static Suite *
eegfilesink_suite (void)
{
  Suite *s = suite_create ("eegfilesink");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_as_filesink);
  tcase_add_test (tc, test_part_until_eos);
  tcase_add_test (tc, test_stopped_before_eos);
  tcase_add_test (tc, test_source_fails);
  tcase_add_test (tc, test_many_memories);
  tcase_add_test (tc, test_refusals);
  tcase_add_test (tc, test_again);
  tcase_add_test (tc, test_positions);
  tcase_add_test (tc, test_flush);
  tcase_add_test (tc, test_disk_full);
  tcase_add_test (tc, test_sync_fails);
  tcase_add_test (tc, test_rename_fails);
  tcase_add_test (tc, test_sync_after);
  tcase_add_test (tc, test_slow_disk);
  tcase_add_test (tc, test_slow_checkpoints);
  tcase_add_test (tc, test_loss_bound);
  tcase_add_test (tc, test_loss_bound_of_hanging_disk);
  tcase_add_test (tc, test_loss_bound_in_time);
  return s;
}

GST_CHECK_MAIN (eegfilesink);
