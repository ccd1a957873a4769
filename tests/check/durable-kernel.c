/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/check/gstcheck.h>

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "durable.h"
#include "fault-io.h"

#define SECOND G_GUINT64_CONSTANT (1000000000)

static gchar *folder;
static gchar *path;
static gchar *part;

static void
setup (void)
{
  folder = g_dir_make_tmp ("gsteeg-durable-XXXXXX", NULL);
  fail_unless (folder != NULL);
  path = g_build_filename (folder, "night.edf", NULL);
  part = g_strconcat (path, ".part", NULL);
  fault_io_reset ();
}

static void
teardown (void)
{
  fault_io_reset ();
  g_unlink (path);
  g_unlink (part);
  fail_unless_equals_int (g_rmdir (folder), 0);
  g_free (part);
  g_free (path);
  g_free (folder);
}

static EegDurableFile *
open_file (EegDurableMode mode)
{
  EegDurableFile *file;
  int error;

  fail_unless_equals_int (eeg_durable_open (path, mode, &file, &error),
      EEG_DURABLE_OK);
  return file;
}

static void
expect_open (EegDurableMode mode, EegDurableResult result)
{
  EegDurableFile *file;
  int error;

  fail_unless_equals_int (eeg_durable_open (path, mode, &file, &error), result);
  fail_unless (file == NULL);
}

static EegDurableResult
write_text (EegDurableFile *file, const gchar *text)
{
  struct iovec piece = { (gpointer) text, strlen (text) };
  guint64 written;

  return eeg_durable_write (file, &piece, 1, &written);
}

static void
close_file (EegDurableFile *file)
{
  EegDurableCounts last;
  int error;

  fail_unless_equals_int (eeg_durable_close (file, &last, &error),
      EEG_DURABLE_OK);
  fail_unless_equals_int (error, 0);
}

static void
expect_content (const gchar *name, const gchar *content)
{
  gchar *data;
  gsize size;

  fail_unless (g_file_get_contents (name, &data, &size, NULL), "no %s", name);
  assert_equals_string (data, content);
  g_free (data);
}

GST_START_TEST (test_write_and_finish)
{
  EegDurableFile *file = open_file (EEG_DURABLE_NEW);
  struct iovec pieces[] = { { (gpointer) "one ", 4 }, { (gpointer) "", 0 },
    { (gpointer) "two ", 4 } };
  EegDurableCounts counts;
  guint64 written;

  fail_unless_equals_int (eeg_durable_write (file, pieces, 3, &written),
      EEG_DURABLE_OK);
  fail_unless_equals_uint64 (written, 8);
  fail_unless_equals_int (write_text (file, "three"), EEG_DURABLE_OK);
  eeg_durable_get_counts (file, &counts);
  fail_unless_equals_uint64 (counts.size, 13);
  fail_unless_equals_uint64 (counts.safe, 0);
  fail_unless_equals_uint64 (counts.unsafe, 13);
  /* what is written is there for all, at once */
  expect_content (part, "one two three");
  fail_if (g_file_test (path, G_FILE_TEST_EXISTS));

  eeg_durable_seek (file, 4);
  fail_unless_equals_int (write_text (file, "TWO"), EEG_DURABLE_OK);
  eeg_durable_get_counts (file, &counts);
  fail_unless_equals_uint64 (counts.size, 13);
  fail_unless_equals_uint64 (counts.unsafe, 16);

  fail_unless_equals_int (eeg_durable_finish (file), EEG_DURABLE_OK);
  eeg_durable_get_counts (file, &counts);
  fail_unless_equals_uint64 (counts.safe, 13);
  fail_unless_equals_uint64 (counts.unsafe, 0);
  fail_unless_equals_uint64 (counts.syncs, 1);
  expect_content (path, "one TWO three");
  fail_if (g_file_test (part, G_FILE_TEST_EXISTS));
  close_file (file);
  fail_unless_equals_int (fault_io_count (FAULT_IO_DATASYNC), 1);
  /* of the folder, when the part came and when it was renamed */
  fail_unless_equals_int (fault_io_count (FAULT_IO_FSYNC), 2);
}

GST_END_TEST;

GST_START_TEST (test_nothing_is_overwritten)
{
  EegDurableFile *file;

  fail_unless (g_file_set_contents (path, "old", -1, NULL));
  expect_open (EEG_DURABLE_NEW, EEG_DURABLE_EXISTS);
  fail_if (g_file_test (part, G_FILE_TEST_EXISTS));
  expect_content (path, "old");
  g_unlink (path);

  fail_unless (g_file_set_contents (part, "half", -1, NULL));
  expect_open (EEG_DURABLE_NEW, EEG_DURABLE_UNFINISHED);
  expect_content (part, "half");
  g_unlink (part);

  /* one that comes up while the file is written */
  file = open_file (EEG_DURABLE_NEW);
  fail_unless_equals_int (write_text (file, "new"), EEG_DURABLE_OK);
  fail_unless (g_file_set_contents (path, "old", -1, NULL));
  fail_unless_equals_int (eeg_durable_finish (file), EEG_DURABLE_RENAME);
  fail_unless_equals_int (eeg_durable_get_errno (file), EEXIST);
  {
    EegDurableCounts last;
    int error;

    fail_unless_equals_int (eeg_durable_close (file, &last, &error),
        EEG_DURABLE_RENAME);
    fail_unless_equals_int (error, EEXIST);
  }
  expect_content (path, "old");
  expect_content (part, "new");

  file = open_file (EEG_DURABLE_OVERWRITE);
  expect_content (part, "");
  expect_content (path, "old");
  fail_unless_equals_int (write_text (file, "newer"), EEG_DURABLE_OK);
  fail_unless_equals_int (eeg_durable_finish (file), EEG_DURABLE_OK);
  close_file (file);
  expect_content (path, "newer");
}

GST_END_TEST;

GST_START_TEST (test_no_regular_file)
{
  fail_unless_equals_int (g_mkdir (path, 0777), 0);
  expect_open (EEG_DURABLE_NEW, EEG_DURABLE_NO_FILE);
  expect_open (EEG_DURABLE_OVERWRITE, EEG_DURABLE_NO_FILE);
  g_rmdir (path);

  fail_unless_equals_int (symlink ("elsewhere", part), 0);
  expect_open (EEG_DURABLE_OVERWRITE, EEG_DURABLE_NO_FILE);
  g_unlink (part);
  fail_unless_equals_int (mkfifo (part, 0666), 0);
  expect_open (EEG_DURABLE_OVERWRITE, EEG_DURABLE_NO_FILE);
  g_unlink (part);
}

GST_END_TEST;

GST_START_TEST (test_second_writer)
{
  EegDurableFile *file = open_file (EEG_DURABLE_NEW);

  expect_open (EEG_DURABLE_NEW, EEG_DURABLE_LOCKED);
  fail_unless_equals_int (write_text (file, "mine"), EEG_DURABLE_OK);
  expect_open (EEG_DURABLE_OVERWRITE, EEG_DURABLE_LOCKED);
  expect_content (part, "mine");
  close_file (file);
  /* what was written stays */
  expect_content (part, "mine");
  expect_open (EEG_DURABLE_NEW, EEG_DURABLE_UNFINISHED);
}

GST_END_TEST;

GST_START_TEST (test_unused_part_goes)
{
  close_file (open_file (EEG_DURABLE_NEW));
  fail_if (g_file_test (part, G_FILE_TEST_EXISTS));
}

GST_END_TEST;

GST_START_TEST (test_open_fails)
{
  gchar *missing = g_build_filename (folder, "no", "night.edf", NULL);
  EegDurableFile *file;
  int error;

  fail_unless_equals_int (eeg_durable_open (missing, EEG_DURABLE_NEW, &file,
                              &error),
      EEG_DURABLE_OPEN);
  fail_unless_equals_int (error, ENOENT);
  g_free (missing);

  /* a file that nobody could find after a power cut */
  fault_io_fail (FAULT_IO_FSYNC, 1, EIO);
  fail_unless_equals_int (eeg_durable_open (path, EEG_DURABLE_NEW, &file,
                              &error),
      EEG_DURABLE_OPEN);
  fail_unless_equals_int (error, EIO);
  fail_if (g_file_test (part, G_FILE_TEST_EXISTS));
}

GST_END_TEST;

static void
wait_for_syncs (EegDurableFile *file, guint64 n)
{
  EegDurableCounts counts;

  do {
    g_usleep (1000);
    eeg_durable_get_counts (file, &counts);
  } while (counts.syncs < n);
  fail_unless_equals_uint64 (counts.syncs, n);
}

GST_START_TEST (test_interval)
{
  EegDurableFile *file = open_file (EEG_DURABLE_NEW);
  EegDurableCounts counts;

  /* by bytes */
  eeg_durable_set_interval (file, 10, 0);
  fail_unless_equals_int (write_text (file, "123456789"), EEG_DURABLE_OK);
  fail_unless_equals_int (fault_io_count (FAULT_IO_DATASYNC), 0);
  fail_unless_equals_int (write_text (file, "0"), EEG_DURABLE_OK);
  wait_for_syncs (file, 1);
  eeg_durable_get_counts (file, &counts);
  fail_unless_equals_uint64 (counts.safe, 10);
  fail_unless_equals_uint64 (counts.unsafe, 0);

  /* by time, also when nothing more comes */
  eeg_durable_set_interval (file, 0, SECOND / 100);
  fail_unless_equals_int (write_text (file, "1"), EEG_DURABLE_OK);
  wait_for_syncs (file, 2);
  eeg_durable_get_counts (file, &counts);
  fail_unless_equals_uint64 (counts.safe, 11);

  /* at once for what waits already */
  eeg_durable_set_interval (file, 0, 0);
  fail_unless_equals_int (write_text (file, "2"), EEG_DURABLE_OK);
  fail_unless_equals_int (fault_io_count (FAULT_IO_DATASYNC), 2);
  eeg_durable_set_interval (file, 1, 0);
  wait_for_syncs (file, 3);

  /* on request, and not without need */
  eeg_durable_set_interval (file, 0, 0);
  fail_unless_equals_int (eeg_durable_sync (file), EEG_DURABLE_OK);
  fail_unless_equals_int (fault_io_count (FAULT_IO_DATASYNC), 3);
  fail_unless_equals_int (write_text (file, "3"), EEG_DURABLE_OK);
  fail_unless_equals_int (eeg_durable_sync (file), EEG_DURABLE_OK);
  fail_unless_equals_int (fault_io_count (FAULT_IO_DATASYNC), 4);
  close_file (file);
}

GST_END_TEST;

static gpointer
write_25_bytes (gpointer data)
{
  struct iovec piece = { (gpointer) "1234567890123456789012345", 25 };
  guint64 written;

  fail_unless_equals_int (eeg_durable_write (data, &piece, 1, &written),
      EEG_DURABLE_OK);
  return NULL;
}

GST_START_TEST (test_no_more_than_twice_the_interval_is_unsafe)
{
  EegDurableFile *file = open_file (EEG_DURABLE_NEW);
  EegDurableCounts counts;
  GThread *thread;

  eeg_durable_set_interval (file, 10, 0);
  fault_io_hold (FAULT_IO_DATASYNC);
  thread = g_thread_new ("writer", write_25_bytes, file);
  do {
    g_usleep (1000);
    eeg_durable_get_counts (file, &counts);
  } while (counts.size < 20);
  g_usleep (20000);
  eeg_durable_get_counts (file, &counts);
  fail_unless_equals_uint64 (counts.size, 20);
  fail_unless_equals_uint64 (counts.safe, 0);
  fail_unless_equals_uint64 (counts.unsafe, 20);
  fault_io_release (FAULT_IO_DATASYNC);
  g_thread_join (thread);
  close_file (file);
  expect_content (part, "1234567890123456789012345");
}

GST_END_TEST;

static gpointer
write_until_flushing (gpointer data)
{
  struct iovec piece = { (gpointer) "123456789012345", 15 };
  guint64 written;

  fail_unless_equals_int (eeg_durable_write (data, &piece, 1, &written),
      EEG_DURABLE_OK);
  fail_unless_equals_int (eeg_durable_write (data, &piece, 1, &written),
      EEG_DURABLE_FLUSHING);
  return GUINT_TO_POINTER ((guint) written);
}

GST_START_TEST (test_flushing_ends_a_wait)
{
  EegDurableFile *file = open_file (EEG_DURABLE_NEW);
  guint64 written;
  GThread *thread;
  struct iovec rest;

  eeg_durable_set_interval (file, 10, 0);
  fault_io_hold (FAULT_IO_DATASYNC);
  thread = g_thread_new ("writer", write_until_flushing, file);
  fault_io_wait_held (FAULT_IO_DATASYNC);
  g_usleep (20000);
  eeg_durable_set_flushing (file, TRUE);
  written = GPOINTER_TO_UINT (g_thread_join (thread));
  fail_unless_equals_uint64 (written, 5);
  fail_unless_equals_int (eeg_durable_sync (file), EEG_DURABLE_FLUSHING);
  eeg_durable_set_flushing (file, FALSE);
  fault_io_release (FAULT_IO_DATASYNC);
  rest.iov_base = (gpointer) "6789012345";
  rest.iov_len = 10;
  fail_unless_equals_int (eeg_durable_write (file, &rest, 1, &written),
      EEG_DURABLE_OK);
  close_file (file);
  expect_content (part, "123456789012345123456789012345");
}

GST_END_TEST;

GST_START_TEST (test_short_writes)
{
  EegDurableFile *file = open_file (EEG_DURABLE_NEW);
  struct iovec pieces[200];
  GString *all = g_string_new (NULL);
  guint64 written;
  gint i;

  for (i = 0; i < 200; i++) {
    gchar *text = g_strdup_printf ("%d ", i);

    g_string_append (all, text);
    pieces[i].iov_base = text;
    pieces[i].iov_len = strlen (text);
  }
  fault_io_shorten_write (1, 1);
  fail_unless_equals_int (eeg_durable_write (file, pieces, 200, &written),
      EEG_DURABLE_OK);
  fail_unless_equals_uint64 (written, all->len);
  close_file (file);
  expect_content (part, all->str);
  for (i = 0; i < 200; i++)
    g_free (pieces[i].iov_base);
  g_string_free (all, TRUE);
}

GST_END_TEST;

/* An interrupted call is none; all others are the end. */
GST_START_TEST (test_write_fails)
{
  EegDurableFile *file = open_file (EEG_DURABLE_NEW);
  EegDurableCounts counts;
  EegDurableCounts last;
  int error;

  fault_io_fail (FAULT_IO_WRITE, 1, EINTR);
  fail_unless_equals_int (write_text (file, "good "), EEG_DURABLE_OK);
  fault_io_fail (FAULT_IO_WRITE, 1, ENOSPC);
  fail_unless_equals_int (write_text (file, "bad"), EEG_DURABLE_WRITE);
  fail_unless_equals_int (eeg_durable_get_errno (file), ENOSPC);
  fail_unless_equals_int (write_text (file, "late"), EEG_DURABLE_WRITE);
  fail_unless_equals_int (eeg_durable_sync (file), EEG_DURABLE_WRITE);
  fail_unless_equals_int (eeg_durable_finish (file), EEG_DURABLE_WRITE);
  eeg_durable_get_counts (file, &counts);
  fail_unless_equals_uint64 (counts.size, 5);
  fail_unless_equals_int (eeg_durable_close (file, &last, &error),
      EEG_DURABLE_WRITE);
  fail_unless_equals_int (error, ENOSPC);
  expect_content (part, "good ");
  fail_if (g_file_test (path, G_FILE_TEST_EXISTS));
}

GST_END_TEST;

/* A second fsync may succeed without having written anything: the first error
 * stays, and there is no second one. */
GST_START_TEST (test_sync_fails_for_good)
{
  EegDurableFile *file = open_file (EEG_DURABLE_NEW);
  EegDurableCounts counts;
  EegDurableCounts last;
  int error;

  fail_unless_equals_int (write_text (file, "text"), EEG_DURABLE_OK);
  fault_io_fail (FAULT_IO_DATASYNC, 1, EIO);
  fail_unless_equals_int (eeg_durable_sync (file), EEG_DURABLE_SYNC);
  fail_unless_equals_int (write_text (file, "late"), EEG_DURABLE_SYNC);
  fail_unless_equals_int (eeg_durable_sync (file), EEG_DURABLE_SYNC);
  fail_unless_equals_int (eeg_durable_finish (file), EEG_DURABLE_SYNC);
  eeg_durable_get_counts (file, &counts);
  fail_unless_equals_uint64 (counts.size, 4);
  fail_unless_equals_uint64 (counts.safe, 0);
  fail_unless_equals_uint64 (counts.unsafe, 4);
  fail_unless_equals_int (eeg_durable_close (file, &last, &error),
      EEG_DURABLE_SYNC);
  fail_unless_equals_int (error, EIO);
  fail_unless_equals_int (fault_io_count (FAULT_IO_DATASYNC), 1);
  fail_if (g_file_test (path, G_FILE_TEST_EXISTS));
}

GST_END_TEST;

GST_START_TEST (test_rename_fails)
{
  EegDurableFile *file = open_file (EEG_DURABLE_NEW);
  EegDurableCounts last;
  int error;

  /* what cannot rename without overwriting, can link */
  fail_unless_equals_int (write_text (file, "text"), EEG_DURABLE_OK);
  fault_io_fail (FAULT_IO_RENAME, 1, EINVAL);
  fail_unless_equals_int (eeg_durable_finish (file), EEG_DURABLE_OK);
  close_file (file);
  expect_content (path, "text");
  fail_if (g_file_test (part, G_FILE_TEST_EXISTS));
  g_unlink (path);

  file = open_file (EEG_DURABLE_NEW);
  fail_unless_equals_int (write_text (file, "text"), EEG_DURABLE_OK);
  fault_io_fail (FAULT_IO_RENAME, 1, EACCES);
  fail_unless_equals_int (eeg_durable_finish (file), EEG_DURABLE_RENAME);
  fail_unless_equals_int (eeg_durable_close (file, &last, &error),
      EEG_DURABLE_RENAME);
  fail_unless_equals_int (error, EACCES);
  expect_content (part, "text");
  g_unlink (part);

  /* the folder's sync behind the rename */
  file = open_file (EEG_DURABLE_NEW);
  fault_io_fail (FAULT_IO_FSYNC, 1, EIO);
  fail_unless_equals_int (eeg_durable_finish (file), EEG_DURABLE_RENAME);
  fail_unless_equals_int (eeg_durable_close (file, &last, &error),
      EEG_DURABLE_RENAME);
}

GST_END_TEST;

GST_START_TEST (test_no_holes)
{
  EegDurableFile *file = open_file (EEG_DURABLE_NEW);
  EegDurableCounts last;
  int error;

  fail_unless_equals_int (write_text (file, "text"), EEG_DURABLE_OK);
  eeg_durable_seek (file, 5);
  fail_unless_equals_int (write_text (file, "more"), EEG_DURABLE_HOLE);
  fail_unless_equals_int (eeg_durable_close (file, &last, &error),
      EEG_DURABLE_HOLE);
  expect_content (part, "text");
}

GST_END_TEST;

GST_START_TEST (test_continue)
{
  EegDurableFile *file = open_file (EEG_DURABLE_CONTINUE);
  EegDurableCounts counts;
  guint64 device, inode;
  gchar text[4] = "";

  fail_unless_equals_int (write_text (file, "one two three"), EEG_DURABLE_OK);
  fail_unless_equals_int (pread (eeg_durable_get_fd (file), text, 3, 4), 3);
  assert_equals_string (text, "two");
  fail_unless (eeg_durable_identify (file, &device, &inode));
  close_file (file);

  file = open_file (EEG_DURABLE_CONTINUE);
  eeg_durable_get_counts (file, &counts);
  fail_unless_equals_uint64 (counts.size, 13);
  fail_unless_equals_uint64 (counts.safe, 0);
  fail_unless_equals_int (eeg_durable_truncate (file, 8), EEG_DURABLE_OK);
  eeg_durable_get_counts (file, &counts);
  fail_unless_equals_uint64 (counts.size, 8);
  fail_unless_equals_uint64 (counts.safe, 8);
  fail_unless_equals_int (write_text (file, "3"), EEG_DURABLE_OK);
  fail_unless_equals_int (eeg_durable_finish (file), EEG_DURABLE_OK);
  close_file (file);
  expect_content (path, "one two 3");
  expect_open (EEG_DURABLE_CONTINUE, EEG_DURABLE_EXISTS);
}

GST_END_TEST;

static GString *marks;

static void
note_mark (EegDurableFile *file, void *user_data, void *mark, bool reached)
{
  EegDurableCounts counts;

  eeg_durable_get_counts (file, &counts);
  g_string_append_printf (marks, "%s%s ", (gchar *) mark,
      reached ? "" : " dropped");
  if (reached && strcmp (mark, "A") != 0)
    fail_unless_equals_uint64 (counts.safe, counts.size);
}

static gpointer
release_late (gpointer data)
{
  g_usleep (50000);
  fault_io_release (FAULT_IO_DATASYNC);
  return NULL;
}

GST_START_TEST (test_marks)
{
  EegDurableFile *file = open_file (EEG_DURABLE_NEW);
  EegDurableCounts last;
  int error;

  marks = g_string_new (NULL);
  eeg_durable_set_mark_func (file, note_mark, NULL);
  eeg_durable_mark (file, (gpointer) "empty");
  fail_unless_equals_int (eeg_durable_sync (file), EEG_DURABLE_OK);
  fail_unless_equals_int (write_text (file, "text"), EEG_DURABLE_OK);
  /* without an interval or a wait for it */
  eeg_durable_mark (file, (gpointer) "first");
  wait_for_syncs (file, 1);
  fail_unless_equals_int (eeg_durable_sync (file), EEG_DURABLE_OK);
  assert_equals_string (marks->str, "empty first ");

  /* a later one takes the place of one that waits */
  fault_io_hold (FAULT_IO_DATASYNC);
  fail_unless_equals_int (write_text (file, "text"), EEG_DURABLE_OK);
  eeg_durable_mark (file, (gpointer) "second");
  fault_io_wait_held (FAULT_IO_DATASYNC);
  eeg_durable_mark (file, (gpointer) "third");
  eeg_durable_mark (file, (gpointer) "fourth");
  fault_io_release (FAULT_IO_DATASYNC);
  fail_unless_equals_int (eeg_durable_sync (file), EEG_DURABLE_OK);
  assert_equals_string (marks->str,
      "empty first third dropped second dropped fourth ");

  /* but not that of one whose sync runs, when more was written for it */
  g_string_truncate (marks, 0);
  fault_io_hold (FAULT_IO_DATASYNC);
  fail_unless_equals_int (write_text (file, "text"), EEG_DURABLE_OK);
  eeg_durable_mark (file, (gpointer) "A");
  fault_io_wait_held (FAULT_IO_DATASYNC);
  fail_unless_equals_int (write_text (file, "text"), EEG_DURABLE_OK);
  eeg_durable_mark (file, (gpointer) "B");
  fault_io_release (FAULT_IO_DATASYNC);
  fail_unless_equals_int (eeg_durable_sync (file), EEG_DURABLE_OK);
  assert_equals_string (marks->str, "A B ");

  /* a wait for them, until the disk is done, or flushing */
  fail_unless_equals_int (eeg_durable_await_marks (file), EEG_DURABLE_OK);
  g_string_truncate (marks, 0);
  fault_io_hold (FAULT_IO_DATASYNC);
  fail_unless_equals_int (write_text (file, "text"), EEG_DURABLE_OK);
  eeg_durable_mark (file, (gpointer) "awaited");
  eeg_durable_set_flushing (file, true);
  fail_unless_equals_int (eeg_durable_await_marks (file), EEG_DURABLE_FLUSHING);
  eeg_durable_set_flushing (file, false);
  fault_io_wait_held (FAULT_IO_DATASYNC);
  g_thread_unref (g_thread_new ("release", release_late, NULL));
  fail_unless_equals_int (eeg_durable_await_marks (file), EEG_DURABLE_OK);
  assert_equals_string (marks->str, "awaited ");

  g_string_truncate (marks, 0);
  fail_unless_equals_int (write_text (file, "text"), EEG_DURABLE_OK);
  fault_io_fail (FAULT_IO_DATASYNC, 1, EIO);
  eeg_durable_mark (file, (gpointer) "fifth");
  fail_unless_equals_int (eeg_durable_await_marks (file), EEG_DURABLE_SYNC);
  fail_unless_equals_int (eeg_durable_sync (file), EEG_DURABLE_SYNC);
  eeg_durable_mark (file, (gpointer) "sixth");
  fail_unless_equals_int (eeg_durable_close (file, &last, &error),
      EEG_DURABLE_SYNC);
  fail_unless (strstr (marks->str, "fifth dropped") != NULL);
  fail_unless (strstr (marks->str, "sixth dropped") != NULL);
  g_string_free (marks, TRUE);
}

GST_END_TEST;

/* Without the check before it, the signal would end the process. The limit is
 * one that the test's own log does not reach. */
GST_START_TEST (test_file_size_limit)
{
  const gsize room = 1000000;
  EegDurableFile *file = open_file (EEG_DURABLE_NEW);
  struct rlimit old, limit;
  gchar *text = g_strnfill (room - 3, 'x');
  gchar *content;
  gsize size;
  EegDurableCounts last;
  int error;

  fail_unless_equals_int (getrlimit (RLIMIT_FSIZE, &old), 0);
  limit = old;
  limit.rlim_cur = room;
  fail_unless_equals_int (setrlimit (RLIMIT_FSIZE, &limit), 0);
  fail_unless_equals_int (write_text (file, text), EEG_DURABLE_OK);
  fail_unless_equals_int (write_text (file, "1234"), EEG_DURABLE_WRITE);
  fail_unless_equals_int (eeg_durable_get_errno (file), EFBIG);
  fail_unless_equals_int (setrlimit (RLIMIT_FSIZE, &old), 0);
  fail_unless_equals_int (eeg_durable_close (file, &last, &error),
      EEG_DURABLE_WRITE);
  fail_unless (g_file_get_contents (part, &content, &size, NULL));
  fail_unless_equals_uint64 (size, room);
  assert_equals_string (content + room - 3, "123");
  g_free (content);
  g_free (text);
}

GST_END_TEST;

static Suite *
durable_suite (void)
{
  Suite *s = suite_create ("durable-kernel");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_write_and_finish);
  tcase_add_test (tc, test_nothing_is_overwritten);
  tcase_add_test (tc, test_no_regular_file);
  tcase_add_test (tc, test_second_writer);
  tcase_add_test (tc, test_unused_part_goes);
  tcase_add_test (tc, test_open_fails);
  tcase_add_test (tc, test_interval);
  tcase_add_test (tc, test_no_more_than_twice_the_interval_is_unsafe);
  tcase_add_test (tc, test_flushing_ends_a_wait);
  tcase_add_test (tc, test_short_writes);
  tcase_add_test (tc, test_write_fails);
  tcase_add_test (tc, test_sync_fails_for_good);
  tcase_add_test (tc, test_rename_fails);
  tcase_add_test (tc, test_no_holes);
  tcase_add_test (tc, test_continue);
  tcase_add_test (tc, test_marks);
  tcase_add_test (tc, test_file_size_limit);
  return s;
}

GST_CHECK_MAIN (durable);
