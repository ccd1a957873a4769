/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The files of a recording: what is somebody else's is never written over, and
 * no recording takes the checkpoints of another one for its own.
 */

#include <gst/check/gstcheck.h>
#include <gst/eeg/eeg.h>

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PRECIOUS "what nobody may lose\n"

static gchar *folder;

static void
remove_all (const gchar *path)
{
  GDir *dir = g_dir_open (path, 0, NULL);
  const gchar *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    gchar *one = g_build_filename (path, name, NULL);

    remove_all (one);
    g_free (one);
  }
  if (dir != NULL)
    g_dir_close (dir);
  g_remove (path);
}

static void
setup (void)
{
  folder = g_dir_make_tmp ("gsteeg-files-XXXXXX", NULL);
  fail_unless (folder != NULL);
  fail_unless_equals_int (chdir (folder), 0);
}

static void
teardown (void)
{
  fail_unless_equals_int (chdir ("/"), 0);
  remove_all (folder);
  g_free (folder);
}

/* --- helpers ------------------------------------------------------------- */

/* Plays to the end. NULL after EOS, else the error's text. */
static gchar *
run (const gchar *line, gint error_after)
{
  GError *error = NULL;
  GstElement *pipeline = gst_parse_launch (line, &error), *check;
  GstMessage *message;
  gchar *text = NULL;
  GstBus *bus;

  fail_unless (error == NULL && pipeline != NULL, "%s", line);
  check = gst_bin_get_by_name (GST_BIN (pipeline), "check");
  if (check != NULL) {
    g_object_set (check, "error-after", error_after, NULL);
    gst_object_unref (check);
  }
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND,
      GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  fail_unless (message != NULL, "%s: timeout", line);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, NULL);
    text = g_strdup (error->message);
    g_error_free (error);
  }
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
  return text;
}

static void
expect_end (const gchar *line)
{
  gchar *text = run (line, -1);

  fail_unless (text == NULL, "%s", text);
}

static void
expect_refusal (const gchar *line, const gchar *words)
{
  gchar *text = run (line, -1);

  fail_unless (text != NULL && strstr (text, words) != NULL, "%s: %s", line,
      text);
  g_free (text);
}

/* Stops behind some barriers. */
static void
interrupt (const gchar *line, gint error_after)
{
  gchar *text = run (line, error_after);

  fail_unless (text != NULL);
  g_free (text);
}

static void
write_text (const gchar *path, const gchar *text)
{
  fail_unless (g_file_set_contents (path, text, -1, NULL));
}

static void
expect_text (const gchar *path, const gchar *text)
{
  gchar *data;

  fail_unless (g_file_get_contents (path, &data, NULL, NULL), "no %s", path);
  assert_equals_string (data, text);
  g_free (data);
}

static gboolean
exists (const gchar *path)
{
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static void
expect_same (const gchar *a, const gchar *b)
{
  gchar *x, *y;
  gsize n, m;

  fail_unless (g_file_get_contents (a, &x, &n, NULL), "no %s", a);
  fail_unless (g_file_get_contents (b, &y, &m, NULL), "no %s", b);
  fail_unless_equals_uint64 (n, m);
  fail_unless (memcmp (x, y, n) == 0);
  g_free (x);
  g_free (y);
}

static void
make_input (const gchar *path)
{
  gchar *data = g_malloc (100000);
  gsize i;

  for (i = 0; i < 100000; i++)
    data[i] = (gchar) (path[0] ^ (i * i >> 7));
  fail_unless (g_file_set_contents (path, data, 100000, NULL));
  g_free (data);
}

#define FROM(input)                                                            \
  "filesrc location=" input " ! eegchunk checkpoint-interval=10000 ! "         \
  "identity name=check ! "
#define TO(output) "eegfilesink checkpoint=true location=" output " "

/* --- files of others ----------------------------------------------------- */

typedef struct
{
  const gchar *line;
  const gchar *words;
  const gchar *untouched;
} Clash;

static const Clash clashes[] = {
  /* a sidecar in the place of something else */
  { FROM ("in") TO ("out checkpoint-location=notes"), "has no checkpoints",
      "notes" },
  { FROM ("in") TO ("out checkpoint-location=notes overwrite=true"),
      "has no checkpoints", "notes" },
  { FROM ("in") TO ("out checkpoint-location=memo"), "has no checkpoints",
      "memo.old" },
  { FROM ("in") TO ("out checkpoint-location=folder"), "has no checkpoints",
      NULL },
  { FROM ("in") TO ("out checkpoint-location=notes rotate-bytes=20000"),
      "has no checkpoints", "notes" },
  /* of what is recorded */
  { FROM ("in") TO ("out checkpoint-location=out"), "over the recording",
      NULL },
  { FROM ("in") TO ("out checkpoint-location=folder/../out.part"),
      "over the recording", NULL },
  { FROM ("in") TO ("notes.old checkpoint-location=notes"),
      "over the recording", "notes" },
  { FROM ("in") TO ("out rotate-bytes=20000 checkpoint-location=out-012"),
      "over the recording", NULL },
  /* of what is recorded from */
  { FROM ("in") TO ("out checkpoint-location=in"), "recorded from", NULL },
  { FROM ("in") TO ("out checkpoint-location=link"), "recorded from", NULL },
  { FROM ("in.tmp") TO ("out checkpoint-location=in"), "recorded from",
      "in.tmp" },
  { "eegsrc location=eeg checkpoint-interval=100 ! edfmux ! " TO (
        "out checkpoint-location=eeg"),
      "recorded from", NULL },
  /* the output in that place */
  { FROM ("in") TO ("in overwrite=true"), "recorded from", NULL },
  { FROM ("lost.part") TO ("lost overwrite=true"), "recorded from",
      "lost.part" },
  { FROM ("in") "eegfilesink location=link overwrite=true", "recorded from",
      NULL },
  { "eegsrc location=eeg ! edfmux ! eegfilesink overwrite=true location=eeg",
      "recorded from", NULL },
  { FROM ("in-002") TO ("in overwrite=true rotate-bytes=20000"),
      "recorded from", "in-002" },
  /* two sinks with one sidecar */
  { FROM ("in") "tee name=t ! queue ! " TO (
        "out checkpoint-location=both") "t. ! queue ! " TO ("out2 "
                                                            "checkpoint-location=./both"),
      "the same checkpoint-location", NULL },
};

GST_START_TEST (test_clashes)
{
  const Clash *clash = &clashes[__i__];

  make_input ("in");
  expect_end ("filesrc location=in ! filesink location=in-reference");
  expect_end ("eegsrc num-samples=2000 ! edfmux ! filesink location=eeg");
  expect_end ("filesrc location=eeg ! filesink location=eeg-reference");
  write_text ("notes", PRECIOUS);
  write_text ("memo.old", PRECIOUS);
  write_text ("lost.part", PRECIOUS);
  write_text ("in-002", PRECIOUS);
  write_text ("in.tmp", PRECIOUS);
  fail_unless_equals_int (symlink ("in", "link"), 0);
  fail_unless_equals_int (g_mkdir ("folder", 0700), 0);

  expect_refusal (clash->line, clash->words);
  if (clash->untouched != NULL)
    expect_text (clash->untouched, PRECIOUS);
  expect_same ("in", "in-reference");
  expect_same ("eeg", "eeg-reference");
  fail_if (exists ("out") || exists ("out-001"));
}

GST_END_TEST;

/* A name that is long enough for the output, and not for what is beside it. */
GST_START_TEST (test_long_names)
{
  static const gsize lengths[] = { 255, 250, 246, 241, 240 };
  gchar *name, *line;
  guint i;

  make_input ("in");
  for (i = 0; i < G_N_ELEMENTS (lengths); i++) {
    name = g_strnfill (lengths[i], 'n');
    line = g_strdup_printf (FROM ("in") TO ("%s"), name);
    if (lengths[i] + strlen (".checkpoint.old") > 255)
      expect_refusal (line, "name too long");
    else
      expect_end (line);
    fail_unless (exists (name) == (i == 4));
    g_free (line);
    g_free (name);
  }
}

GST_END_TEST;

/* Put in the place of the file while that is written, something is not given
 * its name. */
GST_START_TEST (test_replaced)
{
  make_input ("in");
  expect_refusal (FROM ("in") "blake3sum location=out.part ! " TO ("out"),
      "removed or replaced");
  fail_if (exists ("out"));
}

GST_END_TEST;

/* In a folder that all may write to, others may have put a file in our way, to
 * read what is recorded, or to choose what it goes on from. */
GST_START_TEST (test_planted)
{
  static const gchar *const names[] = { "out.part", "out.checkpoint",
    "out.checkpoint.old" };
  guint i;

  /* only root may act for somebody else */
  if (geteuid () != 0)
    return;
  make_input ("in");
  fail_unless_equals_int (g_mkdir ("all", 0777), 0);
  fail_unless_equals_int (g_chmod ("all", 01777), 0);
  fail_unless_equals_int (chdir ("all"), 0);
  for (i = 0; i < G_N_ELEMENTS (names); i++) {
    write_text (names[i], i > 0 ? "EEGCKPT1" : "");
    fail_unless_equals_int (g_chmod (names[i], 0666), 0);
    fail_unless_equals_int (chown (names[i], 65534, 65534), 0);
    expect_refusal (FROM ("../in") TO ("out"), "somebody else");
    fail_unless_equals_int (g_unlink (names[i]), 0);
  }
  /* where only we may write, it is ours to decide who does */
  fail_unless_equals_int (g_chmod (".", 0755), 0);
  write_text ("out.part", "");
  fail_unless_equals_int (chown ("out.part", 65534, 65534), 0);
  expect_end (FROM ("../in") TO ("out"));
  fail_unless_equals_int (chdir (".."), 0);
}

GST_END_TEST;

/* --- recordings that meet ------------------------------------------------ */

GST_START_TEST (test_one_sidecar)
{
  const gchar *a = FROM ("in") TO ("a checkpoint-location=common");
  const gchar *b = FROM ("in") TO ("b checkpoint-location=common");

  make_input ("in");
  interrupt (a, 7);
  fail_unless (exists ("a.part"));
  expect_refusal (b, "the checkpoints of \"a\"");
  expect_refusal (FROM ("in") TO ("b checkpoint-location=common "
                                  "overwrite=true"),
      "the checkpoints of \"a\"");
  expect_refusal (FROM ("in") TO ("b checkpoint-location=common "
                                  "rotate-bytes=20000"),
      "without parts");
  fail_if (exists ("b") || exists ("b.part"));
  /* goes on, and is whole: then the sidecar may be another one's */
  expect_end (a);
  expect_same ("in", "a");
  interrupt (b, 7);
  expect_end (b);
  expect_same ("in", "b");
}

GST_END_TEST;

/* The first checkpoint of another recording fits to any output, as it says that
 * nothing is there. */
GST_START_TEST (test_foreign_sidecar)
{
  GStatBuf info;

  make_input ("in");
  make_input ("other");
  interrupt (FROM ("in") TO ("a"), 7);
  fail_unless (g_stat ("a.part", &info) == 0 && info.st_size >= 50000);
  interrupt (FROM ("other") TO ("b"), 2);
  fail_unless_equals_int (g_rename ("b.checkpoint", "a.checkpoint"), 0);
  fail_unless_equals_int (g_rename ("b.checkpoint.old", "a.checkpoint.old"), 0);
  fail_unless_equals_int (g_unlink ("a.checkpoint"), 0);
  expect_refusal (FROM ("in") TO ("a"), "another recording");
  fail_unless (g_stat ("a.part", &info) == 0 && info.st_size >= 50000);
}

GST_END_TEST;

/* A recording that was called otherwise goes on with its sidecar. */
GST_START_TEST (test_renamed)
{
  make_input ("in");
  interrupt (FROM ("in") TO ("a"), 7);
  fail_unless_equals_int (g_rename ("a.part", "b.part"), 0);
  fail_unless_equals_int (g_rename ("a.checkpoint", "b.checkpoint"), 0);
  expect_end (FROM ("in") TO ("b"));
  expect_same ("in", "b");
}

GST_END_TEST;

/* Where files lie may change, also those of several sinks. */
GST_START_TEST (test_moved)
{
  make_input ("in");
  fail_unless_equals_int (g_mkdir ("here", 0700), 0);
  fail_unless_equals_int (chdir ("here"), 0);
  interrupt (FROM ("../in") "tee name=t ! queue ! " TO (
                 "1") "t. ! queue ! " TO ("2"),
      7);
  fail_unless_equals_int (chdir (".."), 0);
  fail_unless_equals_int (g_rename ("here", "there"), 0);
  expect_end (FROM ("in") "tee name=t ! queue ! " TO (
      "there/1") "t. ! queue ! " TO ("there/2"));
  expect_same ("in", "there/1");
  expect_same ("in", "there/2");
}

GST_END_TEST;

/* --- ends ---------------------------------------------------------------- */

/* A recording of nothing is whole, too, and stays so. */
GST_START_TEST (test_empty)
{
  write_text ("in", "");
  expect_end (FROM ("in") TO ("out"));
  expect_text ("out", "");
  expect_end (FROM ("in") TO ("out"));
  expect_end (FROM ("in") "zstdenc ! " TO ("out2"));
  expect_end (FROM ("in") "zstdenc ! " TO ("out2"));
}

GST_END_TEST;

/* A byte source that the application ends did not become shorter. */
GST_START_TEST (test_ended_by_application)
{
  GstElement *pipeline, *check;
  GstMessage *message;
  GstBus *bus;

  make_input ("in");
  pipeline = gst_parse_launch (FROM ("in") TO ("out"), NULL);
  check = gst_bin_get_by_name (GST_BIN (pipeline), "check");
  g_object_set (check, "sleep-time", 20000, NULL);
  gst_object_unref (check);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (!exists ("out.checkpoint.old"))
    g_usleep (1000);
  gst_element_send_event (pipeline, gst_event_new_eos ());
  /* it says that the recording is not whole, then it is over */
  message = gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND,
      GST_MESSAGE_ERROR | GST_MESSAGE_WARNING | GST_MESSAGE_EOS);
  fail_unless (message != NULL);
  fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_WARNING);
  gst_message_unref (message);
  message = gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND,
      GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  fail_unless (message != NULL);
  fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
  fail_if (exists ("out"));
  expect_end (FROM ("in") TO ("out"));
  expect_same ("in", "out");
}

GST_END_TEST;

/* How long a part is goes by the time of the samples, however fast they come;
 * the header, which comes first, has none. */
GST_START_TEST (test_rotate_time)
{
  expect_end ("eegsrc num-samples=25000 rate=250/1 checkpoint-interval=250 "
              "buffer-time=1000000000 ! edfmux record-duration=1000000000 ! "
              "identity sleep-time=1000 ! eegfilesink rotate-time=10000000000 "
              "location=out.edf");
  fail_unless (exists ("out-002.edf") && exists ("out-003.edf"));
  fail_if (exists ("out-011.edf"));
}

GST_END_TEST;

static Suite *
recordingfiles_suite (void)
{
  Suite *s = suite_create ("recordingfiles");
  TCase *tc = tcase_create ("files");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, 60);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_loop_test (tc, test_clashes, 0, G_N_ELEMENTS (clashes));
  tcase_add_test (tc, test_long_names);
  tcase_add_test (tc, test_replaced);
  tcase_add_test (tc, test_planted);
  tcase_add_test (tc, test_one_sidecar);
  tcase_add_test (tc, test_foreign_sidecar);
  tcase_add_test (tc, test_renamed);
  tcase_add_test (tc, test_moved);
  tcase_add_test (tc, test_empty);
  tcase_add_test (tc, test_ended_by_application);
  tcase_add_test (tc, test_rotate_time);
  return s;
}

GST_CHECK_MAIN (recordingfiles);
