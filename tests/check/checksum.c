/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/eeg/eeg.h>

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#define TEXT "The quick brown fox jumps over the lazy dog"

static const struct
{
  const gchar *element;
  const gchar *of_text;
  const gchar *of_nothing;
} sums[] = {
  { "blake3sum",
      "2f1514181aadccd913abd94cfa592701a5686ab23f8df1dff1b74710febc6d4a",
      "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262" },
  { "sha256sum",
      "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592",
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
  { "sha512sum",
      "07e547d9586f6a73f73fbac0435ed76951218fb7d0c8d788a309d785436bbb64"
      "2e93a252a954f23912547d1e8a3b5ed6e1bfd7097821233fa0538f3db854fee6",
      "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
      "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e" },
};

static GstHarness *
make_harness (gint which)
{
  GstHarness *h = gst_harness_new (sums[which].element);

  gst_harness_set_src_caps_str (h, "application/x-edf");
  return h;
}

static GstBuffer *
make_buffer (gconstpointer data, gsize size)
{
  return size > 0 ? gst_buffer_new_memdup (data, size) : gst_buffer_new ();
}

static void
check_digest (GstHarness *h, const gchar *expected)
{
  gchar *digest = NULL;

  g_object_get (h->element, "digest", &digest, NULL);
  assert_equals_string (digest, expected);
  g_free (digest);
}

static GstBus *
add_bus (GstHarness *h)
{
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (h->element, bus);
  return bus;
}

static void
drop_bus (GstHarness *h, GstBus *bus)
{
  gst_element_set_bus (h->element, NULL);
  gst_bus_set_flushing (bus, TRUE);
  gst_object_unref (bus);
}

/* The one error on the bus; its text must hold both words. */
static void
expect_error (GstBus *bus, GQuark domain, gint code, const gchar *word,
    const gchar *other_word)
{
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  GError *error = NULL;

  fail_unless (message != NULL, "no error was posted");
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, domain, code), "%s", error->message);
  fail_unless (strstr (error->message, word) != NULL, "no '%s' in: %s", word,
      error->message);
  fail_unless (strstr (error->message, other_word) != NULL, "no '%s' in: %s",
      other_word, error->message);
  g_error_free (error);
  gst_message_unref (message);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL,
      "more than one error");
}

static gboolean
saw_eos (GstHarness *h)
{
  GstEvent *event;
  gboolean eos = FALSE;

  while ((event = gst_harness_try_pull_event (h)) != NULL) {
    eos = eos || GST_EVENT_TYPE (event) == GST_EVENT_EOS;
    gst_event_unref (event);
  }
  return eos;
}

GST_START_TEST (test_digest_and_message)
{
  GstHarness *h = make_harness (__i__);
  GstBus *bus = add_bus (h);
  GstBuffer *in = make_buffer (TEXT, strlen (TEXT)), *out;
  GstMessage *message;
  const GstStructure *fields;
  guint64 bytes = 0;

  out = gst_harness_push_and_pull (h, in);
  fail_unless (out == in, "the buffer was not passed on");
  gst_buffer_unref (out);
  check_digest (h, NULL);
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless (saw_eos (h));
  check_digest (h, sums[__i__].of_text);

  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT);
  fail_unless (message != NULL);
  fields = gst_message_get_structure (message);
  assert_equals_string (gst_structure_get_name (fields), "eeg-digest");
  assert_equals_string (gst_structure_get_string (fields, "digest"),
      sums[__i__].of_text);
  fail_unless (gst_structure_get_uint64 (fields, "bytes", &bytes));
  fail_unless_equals_uint64 (bytes, strlen (TEXT));
  gst_message_unref (message);
  drop_bus (h, bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_any_split)
{
  gsize first, size = strlen (TEXT);

  for (first = 0; first <= size; first++) {
    GstHarness *h = make_harness (__i__);
    GstBuffer *two = make_buffer (TEXT, first);

    gst_buffer_append (two, make_buffer (&TEXT[first], (size - first) / 2));
    gst_harness_push (h, two);
    gst_harness_push (h,
        make_buffer (&TEXT[first + (size - first) / 2],
            size - first - (size - first) / 2));
    gst_harness_push_event (h, gst_event_new_eos ());
    check_digest (h, sums[__i__].of_text);
    gst_harness_teardown (h);
  }
}

GST_END_TEST;

GST_START_TEST (test_nothing_and_flush_and_restart)
{
  GstElement *e = gst_element_factory_make (sums[__i__].element, NULL);
  gint round;

  for (round = 0; round < 3; round++) {
    GstHarness *h = gst_harness_new_with_element (e, "sink", "src");
    GstSegment segment;

    gst_harness_play (h);
    gst_harness_set_src_caps_str (h, "application/x-edf");
    gst_harness_push (h, make_buffer ("rubbish", 7));
    gst_harness_push_event (h, gst_event_new_flush_start ());
    gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
    gst_segment_init (&segment, GST_FORMAT_TIME);
    gst_harness_push_event (h, gst_event_new_segment (&segment));
    if (round > 0)
      gst_harness_push (h, make_buffer (TEXT, strlen (TEXT)));
    gst_harness_push_event (h, gst_event_new_eos ());
    check_digest (h, round > 0 ? sums[__i__].of_text : sums[__i__].of_nothing);
    gst_harness_teardown (h);
  }
  gst_object_unref (e);
}

GST_END_TEST;

GST_START_TEST (test_sidecar)
{
  gchar *folder = g_dir_make_tmp ("checksum-XXXXXX", NULL);
  gchar *path = g_build_filename (folder, "night.edf.sum", NULL);
  gchar *text = NULL, *expected;
  GstHarness *h = make_harness (__i__);

  gst_element_set_state (h->element, GST_STATE_READY);
  g_object_set (h->element, "location", path, NULL);
  gst_harness_play (h);
  gst_harness_set_src_caps_str (h, "application/x-edf");
  gst_harness_push (h, make_buffer (TEXT, strlen (TEXT)));
  fail_if (g_file_test (path, G_FILE_TEST_EXISTS), "written before EOS");
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless (g_file_get_contents (path, &text, NULL, NULL));
  expected = g_strdup_printf ("%s  night.edf\n", sums[__i__].of_text);
  assert_equals_string (text, expected);
  g_free (expected);
  g_free (text);
  gst_harness_teardown (h);

  /* what was written is what is checked */
  h = gst_harness_new (sums[__i__].element);
  gst_element_set_state (h->element, GST_STATE_READY);
  g_object_set (h->element, "check-file", path, NULL);
  gst_harness_play (h);
  gst_harness_set_src_caps_str (h, "application/x-edf");
  gst_harness_push (h, make_buffer (TEXT, strlen (TEXT)));
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless (saw_eos (h));
  gst_harness_teardown (h);

  g_unlink (path);
  g_rmdir (folder);
  g_free (path);
  g_free (folder);
}

GST_END_TEST;

GST_START_TEST (test_mismatch)
{
  GstHarness *h = make_harness (__i__);
  GstBus *bus = add_bus (h);

  g_object_set (h->element, "expected", sums[__i__].of_text, NULL);
  gst_harness_push (h, make_buffer (TEXT, strlen (TEXT) - 1));
  gst_harness_push (h, make_buffer ("", 0));
  gst_harness_push (h, make_buffer ("c", 1));
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_if (saw_eos (h), "EOS passed as success");
  expect_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE,
      sums[__i__].of_text, "was expected");
  drop_bus (h, bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* A source element of ours that this test pretends to have upstream. */
static gboolean
answer_stage_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) == GST_QUERY_CUSTOM
      && gst_structure_has_name (gst_query_get_structure (query),
          "eeg-stage")) {
    gst_structure_set (gst_query_writable_structure (query), "source-completes",
        G_TYPE_BOOLEAN, TRUE, NULL);
    return TRUE;
  }
  return gst_pad_query_default (pad, parent, query);
}

GST_START_TEST (test_broken_stream_has_no_sidecar)
{
  gchar *folder = g_dir_make_tmp ("checksum-XXXXXX", NULL);
  gchar *path = g_build_filename (folder, "night.sum", NULL);
  gint complete;

  for (complete = 0; complete < 2; complete++) {
    GstHarness *h = gst_harness_new (sums[__i__].element);

    gst_pad_set_query_function (h->srcpad, answer_stage_query);
    gst_element_set_state (h->element, GST_STATE_READY);
    g_object_set (h->element, "location", path, NULL);
    gst_harness_play (h);
    gst_harness_set_src_caps_str (h, "application/x-edf");
    gst_harness_push (h, make_buffer (TEXT, strlen (TEXT)));
    if (complete)
      gst_harness_push_event (h, gst_eeg_event_new_complete (1));
    gst_harness_push_event (h, gst_event_new_eos ());
    fail_unless (g_file_test (path, G_FILE_TEST_EXISTS) == complete);
    check_digest (h, complete ? sums[__i__].of_text : NULL);
    gst_harness_teardown (h);
  }
  g_unlink (path);
  g_rmdir (folder);
  g_free (path);
  g_free (folder);
}

GST_END_TEST;

GST_START_TEST (test_refusals)
{
  static const struct
  {
    const gchar *property, *value;
    GQuark (*domain) (void);
    gint code;
  } cases[] = {
    { "expected", "abc", gst_library_error_quark, GST_LIBRARY_ERROR_SETTINGS },
    { "expected", "zz", gst_library_error_quark, GST_LIBRARY_ERROR_SETTINGS },
    { "location", "/nonexistent/folder/x.sum", gst_resource_error_quark,
        GST_RESOURCE_ERROR_OPEN_WRITE },
    { "location", "/tmp", gst_resource_error_quark,
        GST_RESOURCE_ERROR_OPEN_WRITE },
    { "location", "/tmp/nosuffix", gst_library_error_quark,
        GST_LIBRARY_ERROR_SETTINGS },
    { "check-file", "/nonexistent.sum", gst_resource_error_quark,
        GST_RESOURCE_ERROR_NOT_FOUND },
    { "check-file", "/dev/null", gst_resource_error_quark,
        GST_RESOURCE_ERROR_READ },
  };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++) {
    GstElement *e = gst_element_factory_make (sums[__i__].element, NULL);
    GstBus *bus = gst_bus_new ();

    gst_element_set_bus (e, bus);
    g_object_set (e, cases[i].property, cases[i].value, NULL);
    fail_unless_equals_int (gst_element_set_state (e, GST_STATE_PAUSED),
        GST_STATE_CHANGE_FAILURE);
    expect_error (bus, cases[i].domain (), cases[i].code, "", "");
    gst_element_set_state (e, GST_STATE_NULL);
    gst_element_set_bus (e, NULL);
    gst_object_unref (bus);
    gst_object_unref (e);
  }
}

GST_END_TEST;

GST_START_TEST (test_bytes_that_come_twice)
{
  GstHarness *h = gst_harness_new (sums[__i__].element);
  GstBus *bus = add_bus (h);
  GstQuery *query = gst_query_new_seeking (GST_FORMAT_BYTES);
  GstSegment segment;
  gboolean seekable = TRUE;

  gst_harness_set_src_caps_str (h, "application/x-edf");
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  gst_harness_push (h, make_buffer (TEXT, strlen (TEXT)));
  fail_unless (gst_pad_peer_query (h->sinkpad, query));
  gst_query_parse_seeking (query, NULL, &seekable, NULL, NULL);
  fail_if (seekable);
  gst_query_unref (query);

  segment.start = 8;
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  fail_unless_equals_int (gst_harness_push (h, make_buffer ("12345678", 8)),
      GST_FLOW_ERROR);
  expect_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "order", "");
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_if (saw_eos (h));
  drop_bus (h, bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_switched_off)
{
  GstHarness *h = make_harness (__i__);
  GstBus *bus = add_bus (h);
  GstMessage *message;

  gst_harness_push (h, make_buffer (TEXT, 5));
  g_object_set (h->element, "enabled", FALSE, NULL);
  gst_harness_push (h, make_buffer (TEXT, 5));
  g_object_set (h->element, "enabled", TRUE, NULL);
  gst_harness_push (h, make_buffer (TEXT, 5));
  gst_harness_push_event (h, gst_event_new_eos ());
  check_digest (h, NULL);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  fail_unless (message != NULL, "nothing said that there is no checksum");
  gst_message_unref (message);
  drop_bus (h, bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_saved_state_continues)
{
  gsize cut, size = strlen (TEXT);

  for (cut = 0; cut <= size; cut++) {
    GstHarness *a = make_harness (__i__);
    GstHarness *b = gst_harness_new (sums[__i__].element);
    GError *error = NULL;
    GBytes *state, *broken;

    gst_harness_push (a, make_buffer (TEXT, cut));
    state = gst_eeg_stage_save_state (GST_EEG_STAGE (a->element), &error);
    fail_unless (state != NULL && error == NULL);
    gst_harness_teardown (a);

    broken = g_bytes_new_from_bytes (state, 0, g_bytes_get_size (state) - 1);
    fail_if (gst_eeg_stage_restore_state (GST_EEG_STAGE (b->element), broken,
        &error));
    g_clear_error (&error);
    g_bytes_unref (broken);

    fail_unless (gst_eeg_stage_restore_state (GST_EEG_STAGE (b->element), state,
        &error));
    gst_harness_set_src_caps_str (b, "application/x-edf");
    gst_harness_push (b, make_buffer (&TEXT[cut], size - cut));
    gst_harness_push_event (b, gst_event_new_eos ());
    check_digest (b, sums[__i__].of_text);
    g_bytes_unref (state);
    gst_harness_teardown (b);
  }
}

GST_END_TEST;

/* A file for the test to write in, and the element READY to be set up. */
static gchar *
make_path (gchar **folder, const gchar *name)
{
  *folder = g_dir_make_tmp ("checksum-XXXXXX", NULL);
  fail_unless (*folder != NULL);
  return g_build_filename (*folder, name, NULL);
}

static void
remove_path (gchar *path, gchar *folder)
{
  g_unlink (path);
  g_rmdir (folder);
  g_free (path);
  g_free (folder);
}

static GstHarness *
make_ready (gint which)
{
  GstHarness *h = gst_harness_new (sums[which].element);

  gst_element_set_state (h->element, GST_STATE_READY);
  return h;
}

static void
play_text (GstHarness *h)
{
  gst_harness_play (h);
  gst_harness_set_src_caps_str (h, "application/x-edf");
  gst_harness_push (h, make_buffer (TEXT, strlen (TEXT)));
}

/* The memories of a buffer go by as they are, never merged. */
GST_START_TEST (test_no_copy)
{
  GstHarness *h = make_harness (__i__);
  GstBuffer *in = make_buffer (TEXT, 10), *out;
  GstMemory *memories[3];
  guint i;

  gst_buffer_append (in, make_buffer (&TEXT[10], 20));
  gst_buffer_append (in, make_buffer (&TEXT[30], strlen (TEXT) - 30));
  /* somebody else has it too, so it may not be written */
  gst_buffer_ref (in);
  for (i = 0; i < 3; i++)
    memories[i] = gst_buffer_peek_memory (in, i);
  out = gst_harness_push_and_pull (h, in);
  fail_unless (out == in);
  fail_unless_equals_int (gst_buffer_n_memory (out), 3);
  for (i = 0; i < 3; i++)
    fail_unless (gst_buffer_peek_memory (out, i) == memories[i]);
  gst_buffer_unref (out);
  gst_buffer_unref (in);
  gst_harness_push_event (h, gst_event_new_eos ());
  check_digest (h, sums[__i__].of_text);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* The sidecar has the permissions of any new file, and nothing else stays. */
GST_START_TEST (test_sidecar_mode)
{
  gchar *folder, *path = make_path (&folder, "night.sum");
  GstHarness *h = make_ready (__i__);
  mode_t mask = umask (027);
  const gchar *name;
  GStatBuf info;
  GDir *dir;

  g_object_set (h->element, "location", path, NULL);
  play_text (h);
  gst_harness_push_event (h, gst_event_new_eos ());
  umask (mask);
  fail_unless_equals_int (g_stat (path, &info), 0);
  fail_unless_equals_int (info.st_mode & 0777, 0640);
  dir = g_dir_open (folder, 0, NULL);
  while ((name = g_dir_read_name (dir)) != NULL)
    assert_equals_string (name, "night.sum");
  g_dir_close (dir);
  gst_harness_teardown (h);
  remove_path (path, folder);
}

GST_END_TEST;

/* The folder goes away while the stream runs: an error at EOS, once. */
GST_START_TEST (test_sidecar_fails)
{
  gchar *folder, *path = make_path (&folder, "night.sum");
  GstHarness *h = make_ready (__i__);
  GstBus *bus = add_bus (h);

  g_object_set (h->element, "location", path, NULL);
  play_text (h);
  fail_unless_equals_int (g_rmdir (folder), 0);
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_if (saw_eos (h), "EOS passed as success");
  expect_error (bus, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE, "night.sum",
      "");
  drop_bus (h, bus);
  gst_harness_teardown (h);
  g_free (path);
  g_free (folder);
}

GST_END_TEST;

/* A stream that is not the expected one gets no sidecar. */
GST_START_TEST (test_mismatch_has_no_sidecar)
{
  gchar *folder, *path = make_path (&folder, "night.sum");
  GstHarness *h = make_ready (__i__);
  GstBus *bus = add_bus (h);

  g_object_set (h->element, "location", path, "expected",
      sums[__i__].of_nothing, NULL);
  play_text (h);
  gst_harness_push_event (h, gst_event_new_eos ());
  expect_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE,
      sums[__i__].of_text, sums[__i__].of_nothing);
  fail_if (g_file_test (path, G_FILE_TEST_EXISTS));
  drop_bus (h, bus);
  gst_harness_teardown (h);
  remove_path (path, folder);
}

GST_END_TEST;

/* Which line of a check file counts. */
GST_START_TEST (test_check_file)
{
  static const struct
  {
    /* @R: the right digest, @W: the wrong one */
    const gchar *lines;
    const gchar *listed_name;
    gboolean starts;
    gboolean matches;
  } cases[] = {
    { "@R  night\n", NULL, TRUE, TRUE },
    { "@R  renamed.edf\n", NULL, TRUE, TRUE },
    { "@R *folder/night\n", NULL, TRUE, TRUE },
    { "@W  other\n@R  night\n", NULL, TRUE, TRUE },
    { "@R  other\n@W  night\n", NULL, TRUE, FALSE },
    { "@W  night\n", NULL, TRUE, FALSE },
    { "@R  a\n@W  b\n", NULL, FALSE, FALSE },
    { "@R  a\n@W  b\n", "a", TRUE, TRUE },
    { "@R  a\n@W  b\n", "b", TRUE, FALSE },
    { "@R  a\n", "b", FALSE, FALSE },
    { "@R  night\n@W  night\n", NULL, FALSE, FALSE },
    { "rubbish\n", NULL, FALSE, FALSE },
  };
  gchar *folder, *path = make_path (&folder, "night.sum");
  guint i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++) {
    GstElement *e = gst_element_factory_make (sums[__i__].element, NULL);
    GString *text = g_string_new (cases[i].lines);
    GstBus *bus = gst_bus_new ();
    GstHarness *h;

    g_string_replace (text, "@R", sums[__i__].of_text, 0);
    g_string_replace (text, "@W", sums[__i__].of_nothing, 0);
    fail_unless (g_file_set_contents (path, text->str, text->len, NULL));
    gst_element_set_bus (e, bus);
    g_object_set (e, "check-file", path, "listed-name", cases[i].listed_name,
        NULL);
    if (!cases[i].starts) {
      fail_unless_equals_int (gst_element_set_state (e, GST_STATE_PAUSED),
          GST_STATE_CHANGE_FAILURE);
      expect_error (bus, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
          "night.sum", "");
    } else {
      h = gst_harness_new_with_element (e, "sink", "src");
      play_text (h);
      gst_harness_push_event (h, gst_event_new_eos ());
      fail_unless (saw_eos (h) == cases[i].matches, "case %u", i);
      if (!cases[i].matches)
        expect_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE,
            sums[__i__].of_text, sums[__i__].of_nothing);
      gst_harness_teardown (h);
    }
    gst_element_set_state (e, GST_STATE_NULL);
    gst_element_set_bus (e, NULL);
    gst_object_unref (bus);
    gst_object_unref (e);
    g_string_free (text, TRUE);
  }
  remove_path (path, folder);
}

GST_END_TEST;

/* While the stream runs, rubbish is refused with a warning and a digest is
 * taken. */
GST_START_TEST (test_expected_is_hot)
{
  GstHarness *h = make_harness (__i__);
  GstBus *bus = add_bus (h);
  gchar *expected = NULL, *upper = g_ascii_strup (sums[__i__].of_text, -1);
  GstMessage *message;

  gst_harness_push (h, make_buffer (TEXT, strlen (TEXT)));
  g_object_set (h->element, "expected", upper, NULL);
  g_object_set (h->element, "expected", "rubbish", NULL);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  fail_unless (message != NULL, "rubbish was taken");
  gst_message_unref (message);
  g_object_get (h->element, "expected", &expected, NULL);
  assert_equals_string (expected, upper);
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless (saw_eos (h));

  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT);
  fail_unless (message != NULL);
  fail_unless (
      gst_structure_has_field_typed (gst_message_get_structure (message),
          "matches", G_TYPE_BOOLEAN));
  gst_message_unref (message);
  g_free (expected);
  g_free (upper);
  drop_bus (h, bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* Only in order: nobody may pull or seek. */
GST_START_TEST (test_scheduling_and_seek)
{
  GstHarness *h = make_harness (__i__);
  GstQuery *query = gst_query_new_scheduling ();

  fail_unless (gst_pad_peer_query (h->sinkpad, query));
  fail_unless (gst_query_has_scheduling_mode (query, GST_PAD_MODE_PUSH));
  fail_if (gst_query_has_scheduling_mode (query, GST_PAD_MODE_PULL));
  gst_query_unref (query);

  gst_harness_push (h, make_buffer (TEXT, strlen (TEXT)));
  fail_if (gst_harness_push_upstream_event (h,
      gst_event_new_seek (1.0, GST_FORMAT_BYTES, GST_SEEK_FLAG_FLUSH,
          GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_NONE, -1)));
  gst_harness_push_event (h, gst_event_new_eos ());
  check_digest (h, sums[__i__].of_text);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* Off from first to last: nothing is said, a muxer may go back. */
GST_START_TEST (test_always_off)
{
  GstHarness *h = gst_harness_new (sums[__i__].element);
  GstBus *bus = add_bus (h);
  GstSegment segment;
  GstBuffer *in = make_buffer (TEXT, 5), *out;

  g_object_set (h->element, "enabled", FALSE, NULL);
  gst_harness_set_src_caps_str (h, "application/x-edf");
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  out = gst_harness_push_and_pull (h, in);
  fail_unless (out == in);
  gst_buffer_unref (out);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  fail_unless_equals_int (gst_harness_push (h, make_buffer (TEXT, 5)),
      GST_FLOW_OK);
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless (saw_eos (h));
  check_digest (h, NULL);
  fail_unless (
      gst_bus_pop_filtered (bus,
          GST_MESSAGE_ERROR | GST_MESSAGE_WARNING | GST_MESSAGE_ELEMENT)
      == NULL);
  drop_bus (h, bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_stats_and_estimate)
{
  GstHarness *h = make_harness (__i__);
  GstEegEstimate estimate;
  GstStructure *stats = NULL;
  guint64 bytes = 0, pushed = 0;

  gst_harness_push (h, make_buffer (TEXT, 5));
  gst_harness_push (h, make_buffer (TEXT, 6));
  g_object_get (h->element, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, "bytes-in", &bytes));
  fail_unless_equals_uint64 (bytes, 11);
  fail_unless (gst_structure_get_uint64 (stats, "buffers-out", &pushed));
  fail_unless_equals_uint64 (pushed, 2);
  assert_equals_string (gst_structure_get_string (stats, "kind"), "checksum");
  gst_structure_free (stats);

  fail_unless (gst_eeg_stage_can_save_state (GST_EEG_STAGE (h->element)));
  fail_unless (
      gst_eeg_stage_estimate (GST_EEG_STAGE (h->element), 1000, &estimate));
  fail_unless_equals_uint64 (estimate.output_bytes, 1000);
  fail_unless_equals_int (estimate.threads, 0);
  fail_unless (estimate.memory_bytes < 64 * 1024);
  fail_unless (estimate.duration != GST_CLOCK_TIME_NONE);
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
checksum_suite (void)
{
  Suite *s = suite_create ("checksum");
  TCase *tc = tcase_create ("general");
  gint n = G_N_ELEMENTS (sums);

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_digest_and_message, 0, n);
  tcase_add_loop_test (tc, test_any_split, 0, n);
  tcase_add_loop_test (tc, test_nothing_and_flush_and_restart, 0, n);
  tcase_add_loop_test (tc, test_sidecar, 0, n);
  tcase_add_loop_test (tc, test_mismatch, 0, n);
  tcase_add_loop_test (tc, test_broken_stream_has_no_sidecar, 0, n);
  tcase_add_loop_test (tc, test_refusals, 0, n);
  tcase_add_loop_test (tc, test_bytes_that_come_twice, 0, n);
  tcase_add_loop_test (tc, test_switched_off, 0, n);
  tcase_add_loop_test (tc, test_saved_state_continues, 0, n);
  tcase_add_loop_test (tc, test_no_copy, 0, n);
  tcase_add_loop_test (tc, test_sidecar_mode, 0, n);
  tcase_add_loop_test (tc, test_sidecar_fails, 0, n);
  tcase_add_loop_test (tc, test_mismatch_has_no_sidecar, 0, n);
  tcase_add_loop_test (tc, test_check_file, 0, n);
  tcase_add_loop_test (tc, test_expected_is_hot, 0, n);
  tcase_add_loop_test (tc, test_scheduling_and_seek, 0, n);
  tcase_add_loop_test (tc, test_always_off, 0, n);
  tcase_add_loop_test (tc, test_stats_and_estimate, 0, n);
  return s;
}

GST_CHECK_MAIN (checksum);
