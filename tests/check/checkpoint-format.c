/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dlfcn.h>
#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "checkpoint.h"

/* What the store asks of the system, in order: f(ile), d(irectory), r(ename).
 * These stand before those of libc, as the store is linked in statically. */
static gchar calls[64];

static void
note_call (gchar call)
{
  gsize n = strlen (calls);

  if (n + 1 < sizeof calls)
    calls[n] = call;
}

int
fsync (int fd)
{
  int (*next) (int) = (int (*) (int)) dlsym (RTLD_NEXT, "fsync");
  struct stat info;

  note_call (fstat (fd, &info) == 0 && S_ISDIR (info.st_mode) ? 'd' : 'f');
  return next (fd);
}

int
rename (const char *from, const char *to)
{
  int (*next) (const char *, const char *) =
      (int (*) (const char *, const char *)) dlsym (RTLD_NEXT, "rename");

  note_call ('r');
  return next (from, to);
}

static gchar *folder, *path;

static void
setup (void)
{
  folder = g_dir_make_tmp ("checkpoint-XXXXXX", NULL);
  fail_unless (folder != NULL);
  path = g_build_filename (folder, "night.edf.eegckpt", NULL);
}

static void
teardown (void)
{
  g_chmod (folder, 0700);
  eeg_checkpoint_remove (path);
  g_rmdir (folder);
  g_free (folder);
  g_free (path);
}

static EegCheckpointStage stages[] = {
  { (char *) "source", (char *) "eegsrc", (char *) "rate=250/1", NULL, 0 },
  { (char *) "sum", (char *) "blake3sum", (char *) "",
      (uint8_t *) "\0state\xff", 7 },
};

static EegCheckpoint
make (guint64 id)
{
  EegCheckpoint c = { .id = id,
    .time = -5,
    .sample_index = G_GUINT64_CONSTANT (0x123456789a),
    .look_back = 66000,
    .recording = { 1, 2, 3 },
    .part = 7,
    .complete = true,
    .settings = { 4, 5 },
    .cpu_path = (char *) "avx2",
    .input = { (char *) "night.bdf", EEG_CHECKPOINT_NONE, 1, 2, 3, 4, { 5 },
        { 6 } },
    .output = { (char *) "n\xc3\xa4ht.edf", 7, 8, 9, { 10 } },
    .stages = stages,
    .n_stages = G_N_ELEMENTS (stages) };

  return c;
}

GST_START_TEST (test_round_trip)
{
  EegCheckpoint c = make (42), *r;
  guint8 *data, *again;
  gsize size, again_size;

  fail_unless_equals_int (eeg_checkpoint_format (&c, &data, &size),
      EEG_CHECKPOINT_OK);
  fail_unless_equals_int (eeg_checkpoint_parse (data, size, &r),
      EEG_CHECKPOINT_OK);
  fail_unless_equals_uint64 (r->id, 42);
  fail_unless_equals_int64 (r->time, -5);
  fail_unless_equals_uint64 (r->sample_index, c.sample_index);
  fail_unless_equals_uint64 (r->look_back, 66000);
  fail_unless (memcmp (r->recording, c.recording, 16) == 0);
  fail_unless_equals_int (r->part, 7);
  fail_unless (r->complete);
  fail_unless (memcmp (r->settings, c.settings, 32) == 0);
  fail_unless_equals_string (r->cpu_path, "avx2");
  fail_unless_equals_string (r->input.path, "night.bdf");
  fail_unless_equals_uint64 (r->input.position, EEG_CHECKPOINT_NONE);
  fail_unless_equals_uint64 (r->input.inode, 4);
  fail_unless_equals_int (r->input.tail[0], 6);
  fail_unless_equals_string (r->output.path, "n\xc3\xa4ht.edf");
  fail_unless_equals_uint64 (r->output.length, 7);
  fail_unless_equals_int (r->output.tail[0], 10);
  fail_unless_equals_int (r->n_stages, 2);
  fail_unless_equals_string (r->stages[0].settings, "rate=250/1");
  fail_unless_equals_string (r->stages[1].factory, "blake3sum");
  fail_unless_equals_int (r->stages[1].state_size, 7);
  fail_unless (memcmp (r->stages[1].state, "\0state\xff", 7) == 0);
  fail_unless_equals_int (eeg_checkpoint_format (r, &again, &again_size),
      EEG_CHECKPOINT_OK);
  fail_unless (size == again_size && memcmp (data, again, size) == 0);
  eeg_checkpoint_free (r);
  free (again);
  free (data);
}

GST_END_TEST;

/* No cut and no flipped bit gives a checkpoint. */
GST_START_TEST (test_damage)
{
  EegCheckpoint c = make (1), *r;
  guint8 *data;
  gsize size;

  eeg_checkpoint_format (&c, &data, &size);
  for (gsize i = 0; i < size; i++) {
    /* memory of its own, so that reading behind it is found */
    guint8 *cut = g_memdup2 (data, i);

    fail_unless_equals_int (eeg_checkpoint_parse (cut, i, &r),
        EEG_CHECKPOINT_DAMAGED);
    fail_unless (r == NULL);
    g_free (cut);
  }
  for (gsize i = 0; i < 8 * size; i++) {
    data[i / 8] ^= 1 << (i % 8);
    fail_unless_equals_int (eeg_checkpoint_parse (data, size, &r),
        EEG_CHECKPOINT_DAMAGED);
    fail_unless (r == NULL);
    data[i / 8] ^= 1 << (i % 8);
  }
  free (data);
}

GST_END_TEST;

GST_START_TEST (test_limits)
{
  EegCheckpoint c = make (1);
  EegCheckpointStage big = { (char *) "a", (char *) "b", (char *) "c", NULL,
    0 };
  gchar *text = g_strnfill (EEG_CHECKPOINT_MAX_TEXT + 1, 'x');
  guint8 *data;
  gsize size, others;

  c.stages = &big;
  c.n_stages = 1;
  fail_unless_equals_int (eeg_checkpoint_format (&c, &data, &others),
      EEG_CHECKPOINT_OK);
  free (data);
  big.state = g_malloc0 (EEG_CHECKPOINT_MAX_SIZE);
  big.state_size = EEG_CHECKPOINT_MAX_SIZE - others;
  fail_unless_equals_int (eeg_checkpoint_format (&c, &data, &size),
      EEG_CHECKPOINT_OK);
  fail_unless_equals_int (size, 256 * 1024 - 1);
  free (data);
  big.state_size++;
  fail_unless_equals_int (eeg_checkpoint_format (&c, &data, &size),
      EEG_CHECKPOINT_TOO_LARGE);
  fail_unless (data == NULL);
  big.state_size = 0;
  big.name = text;
  fail_unless_equals_int (eeg_checkpoint_format (&c, &data, &size),
      EEG_CHECKPOINT_TOO_LARGE);
  g_free (big.state);
  g_free (text);
}

GST_END_TEST;

static void
check_loads (EegCheckpointGeneration generation, guint64 id)
{
  EegCheckpoint *r;

  fail_unless_equals_int (eeg_checkpoint_load (path, generation, &r),
      EEG_CHECKPOINT_OK);
  fail_unless_equals_uint64 (r->id, id);
  eeg_checkpoint_free (r);
}

static void
store (guint64 id)
{
  EegCheckpoint c = make (id);

  fail_unless_equals_int (eeg_checkpoint_store (path, &c), EEG_CHECKPOINT_OK);
}

GST_START_TEST (test_generations)
{
  gchar *temporary = g_strconcat (path, ".tmp", NULL);
  EegCheckpoint *r;
  GStatBuf info;

  fail_unless_equals_int (eeg_checkpoint_load (path, EEG_CHECKPOINT_NEWEST, &r),
      EEG_CHECKPOINT_MISSING);
  store (1);
  check_loads (EEG_CHECKPOINT_NEWEST, 1);
  fail_unless_equals_int (eeg_checkpoint_load (path, EEG_CHECKPOINT_PREVIOUS,
                              &r),
      EEG_CHECKPOINT_MISSING);
  /* what a store left that was killed is no obstacle */
  fail_unless (g_file_set_contents (temporary, "half", 4, NULL));
  store (2);
  store (3);
  check_loads (EEG_CHECKPOINT_NEWEST, 3);
  check_loads (EEG_CHECKPOINT_PREVIOUS, 2);
  fail_unless (!g_file_test (temporary, G_FILE_TEST_EXISTS));
  fail_unless_equals_int (g_stat (path, &info), 0);
  fail_unless_equals_int (info.st_mode & 07777, 0600);

  fail_unless (g_file_set_contents (path, "damaged", 7, NULL));
  fail_unless_equals_int (eeg_checkpoint_load (path, EEG_CHECKPOINT_NEWEST, &r),
      EEG_CHECKPOINT_DAMAGED);
  check_loads (EEG_CHECKPOINT_PREVIOUS, 2);
  store (4);
  check_loads (EEG_CHECKPOINT_NEWEST, 4);
  check_loads (EEG_CHECKPOINT_PREVIOUS, 2);

  fail_unless_equals_int (eeg_checkpoint_remove (path), EEG_CHECKPOINT_OK);
  fail_unless_equals_int (eeg_checkpoint_load (path, EEG_CHECKPOINT_NEWEST, &r),
      EEG_CHECKPOINT_MISSING);
  fail_unless_equals_int (eeg_checkpoint_load (path, EEG_CHECKPOINT_PREVIOUS,
                              &r),
      EEG_CHECKPOINT_MISSING);
  g_free (temporary);
}

GST_END_TEST;

/* A folder stands where the temporary file goes: nothing is lost. */
GST_START_TEST (test_store_fails)
{
  gchar *temporary = g_strconcat (path, ".tmp", NULL);
  EegCheckpoint c = make (3);

  store (1);
  store (2);
  fail_unless_equals_int (g_mkdir (temporary, 0700), 0);
  fail_unless_equals_int (eeg_checkpoint_store (path, &c), EEG_CHECKPOINT_IO);
  check_loads (EEG_CHECKPOINT_NEWEST, 2);
  check_loads (EEG_CHECKPOINT_PREVIOUS, 1);
  fail_unless_equals_int (g_rmdir (temporary), 0);
  g_free (temporary);
}

GST_END_TEST;

/* The new one is on disk before it gets its name, and its name is on disk
 * before the store returns. */
GST_START_TEST (test_order)
{
  memset (calls, 0, sizeof calls);
  store (1);
  fail_unless_equals_string (calls, "frd");
  memset (calls, 0, sizeof calls);
  store (2);
  fail_unless_equals_string (calls, "frrd");
}

GST_END_TEST;

static Suite *
checkpoint_format_suite (void)
{
  Suite *s = suite_create ("checkpoint-format");
  TCase *tc = tcase_create ("checkpoint");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_round_trip);
  tcase_add_test (tc, test_damage);
  tcase_add_test (tc, test_limits);
  tcase_add_test (tc, test_generations);
  tcase_add_test (tc, test_store_fails);
  tcase_add_test (tc, test_order);
  return s;
}

GST_CHECK_MAIN (checkpoint_format);
