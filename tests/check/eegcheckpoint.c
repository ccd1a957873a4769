/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/eeg/eeg.h>

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "checkpoint.h"
#include "durable.h"

#define INTERVAL 100000
#define INPUT_SIZE (10 * INTERVAL + 777)
/* Where a bad sample is, of those that the sample chain records. */
#define BAD_SAMPLE 9100

typedef struct
{
  const gchar *line; /* with %s for the folder */
  gint error_after;
  gboolean has_losses; /* of the element "source" */
} Chain;

static const Chain byte_chain = {
  "filesrc location=%s/in ! eegchunk checkpoint-interval=100000 ! "
  "lz4enc threads=2 chunk-size=65536 ! queue ! identity name=check ! "
  "eegfilesink name=sink checkpoint=true location=%s/out",
  13
};

static const Chain sample_chain = {
  "eegsrc num-samples=20000 channels=8 checkpoint-interval=1000 "
  "buffer-time=400000000 ! rawtovoltage name=volts ! "
  "firfilter mode=band-pass low=1 high=40 taps=301 ! edfmux ! "
  "zstdenc chunk-size=65536 ! blake3sum location=%s/out.b3 ! "
  "identity name=check ! eegfilesink name=sink checkpoint=true "
  "location=%s/out",
  15
};

/* Of a file, so that the container knows from the start how long it gets. */
static const Chain file_chain = {
  "eegsrc location=%s/in.edf checkpoint-interval=1000 "
  "buffer-time=400000000 name=source ! edfmux ! identity name=check ! "
  "eegfilesink name=sink checkpoint=true location=%s/out",
  15
};

/* Blocks that end at barriers, and an index of them at the end. */
static const Chain pack_chain = {
  "eegsrc num-samples=20000 channels=8 checkpoint-interval=1000 "
  "buffer-time=400000000 name=source ! "
  "rawtovoltage ! firfilter mode=band-pass low=1 high=40 taps=301 ! "
  "eegpackenc threads=2 ! blake3sum location=%s/out.b3 ! "
  "identity name=check ! eegfilesink name=sink checkpoint=true "
  "location=%s/out",
  15, TRUE
};

static gchar *folder, *sidecar, *old, *out, *part;

static void
setup (void)
{
  folder = g_dir_make_tmp ("gsteeg-checkpoint-XXXXXX", NULL);
  fail_unless (folder != NULL);
  out = g_build_filename (folder, "out", NULL);
  part = g_strconcat (out, ".part", NULL);
  sidecar = g_strconcat (out, ".checkpoint", NULL);
  old = g_strconcat (sidecar, ".old", NULL);
}

static void
teardown (void)
{
  gchar *in = g_build_filename (folder, "in", NULL);
  gchar *sum = g_build_filename (folder, "out.b3", NULL);

  g_unlink (in);
  g_unlink (sum);
  g_unlink (out);
  g_unlink (part);
  g_unlink (sidecar);
  g_unlink (old);
  fail_unless_equals_int (g_rmdir (folder), 0);
  g_free (sum);
  g_free (in);
  g_free (old);
  g_free (sidecar);
  g_free (part);
  g_free (out);
  g_free (folder);
}

/* --- reading ------------------------------------------------------------- */

static EegCheckpointStage stages[] = {
  { (char *) "sum", (char *) "blake3sum", (char *) "",
      (uint8_t *) "\0state\xff", 7 },
  { (char *) "source", (char *) "eegsrc", (char *) "rate=250/1", NULL, 0 },
};

/* Of an output that holds @length letters. */
static EegCheckpoint
make (guint64 id, guint64 length)
{
  EegCheckpoint c = { .id = id,
    .time = G_GINT64_CONSTANT (1700000000123456),
    .sample_index = 5000,
    .look_back = 66000,
    .recording = { 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 1, 2, 3, 4,
        5, 6, 7, 8 },
    .settings = { 4, 5 },
    .cpu_path = (char *) "avx2",
    .input = { (char *) "night.bdf", 11, 22, 33, 44, 55, { 5 }, { 6 } },
    .output = { out, length, 8, 9, { 10 } },
    .stages = stages,
    .n_stages = G_N_ELEMENTS (stages),
    .retries = 3 };
  gchar *text = g_strnfill (length, 'x');
  int fd;

  fail_unless (g_file_set_contents (part, text, length, NULL));
  fd = g_open (part, O_RDONLY, 0);
  fail_unless (eeg_checkpoint_hash_tail (fd, length, c.output.tail));
  close (fd);
  g_free (text);
  return c;
}

static void
store (guint64 id, guint64 length, gboolean complete)
{
  EegCheckpoint c = make (id, length);

  c.complete = complete;
  fail_unless_equals_int (eeg_checkpoint_store (sidecar, &c),
      EEG_CHECKPOINT_OK);
}

static void
expect_id (GstEegCheckpointGeneration generation, guint64 id)
{
  GError *error = NULL;
  GstEegCheckpoint *c = gst_eeg_checkpoint_load (sidecar, generation, &error);

  fail_unless (c != NULL, "%s", error != NULL ? error->message : "");
  fail_unless_equals_uint64 (gst_eeg_checkpoint_get_id (c), id);
  gst_eeg_checkpoint_unref (c);
}

static void
expect_error (GError **error, gint code, const gchar *word)
{
  fail_unless (g_error_matches (*error, GST_RESOURCE_ERROR, code), "%s",
      *error != NULL ? (*error)->message : "no error");
  fail_unless (strstr ((*error)->message, word) != NULL, "%s",
      (*error)->message);
  g_clear_error (error);
}

GST_START_TEST (test_fields)
{
  const GstEegBarrierInput *input;
  EegCheckpoint content = make (42, 500);
  guint64 device, inode;
  GstEegCheckpoint *c, *same;
  gchar *recording;

  content.part = 7;
  fail_unless_equals_int (eeg_checkpoint_store (sidecar, &content),
      EEG_CHECKPOINT_OK);
  c = gst_eeg_checkpoint_load (sidecar, GST_EEG_CHECKPOINT_GENERATION_NEWEST,
      NULL);
  fail_unless (c != NULL);
  fail_unless_equals_uint64 (gst_eeg_checkpoint_get_id (c), 42);
  fail_unless_equals_int64 (gst_eeg_checkpoint_get_time (c), 1700000000123456);
  fail_unless_equals_uint64 (gst_eeg_checkpoint_get_sample_index (c), 5000);
  fail_unless_equals_uint64 (gst_eeg_checkpoint_get_look_back (c), 66000);
  recording = gst_eeg_checkpoint_get_recording (c);
  fail_unless_equals_string (recording, "12345678-9abc-def0-0102-030405060708");
  g_free (recording);
  fail_unless_equals_int (gst_eeg_checkpoint_get_part (c), 7);
  fail_if (gst_eeg_checkpoint_is_complete (c));
  fail_unless_equals_int (gst_eeg_checkpoint_get_retries (c), 3);
  fail_unless_equals_int (gst_eeg_checkpoint_get_settings (c)[1], 5);
  fail_unless_equals_string (gst_eeg_checkpoint_get_cpu_path (c), "avx2");
  input = gst_eeg_checkpoint_get_input (c);
  fail_unless_equals_string (input->path, "night.bdf");
  fail_unless_equals_uint64 (input->position, 11);
  fail_unless_equals_uint64 (input->size, 22);
  fail_unless_equals_int64 (input->mtime, 33);
  fail_unless_equals_uint64 (input->device, 44);
  fail_unless_equals_uint64 (input->inode, 55);
  fail_unless_equals_int (input->head[0], 5);
  fail_unless_equals_int (input->tail[0], 6);
  fail_unless_equals_string (gst_eeg_checkpoint_get_output_path (c), out);
  fail_unless_equals_uint64 (gst_eeg_checkpoint_get_output_length (c), 500);
  gst_eeg_checkpoint_get_output_file (c, &device, &inode);
  fail_unless_equals_uint64 (device, 8);
  fail_unless_equals_uint64 (inode, 9);
  fail_unless (gst_eeg_checkpoint_get_output_tail (c) != NULL);
  fail_unless_equals_int (gst_eeg_checkpoint_get_n_stages (c), 2);
  fail_unless_equals_string (gst_eeg_checkpoint_get_stage_name (c, 0), "sum");
  fail_unless_equals_string (gst_eeg_checkpoint_get_stage_factory (c, 1),
      "eegsrc");
  fail_unless_equals_string (gst_eeg_checkpoint_get_stage_settings (c, 1),
      "rate=250/1");
  fail_unless_equals_uint64 (gst_eeg_checkpoint_get_stage_state_size (c, 0), 7);
  same = g_boxed_copy (GST_TYPE_EEG_CHECKPOINT, c);
  fail_unless (same == c);
  gst_eeg_checkpoint_unref (same);
  gst_eeg_checkpoint_unref (c);
}

GST_END_TEST;

GST_START_TEST (test_list)
{
  GError *error = NULL;
  GPtrArray *list;

  fail_unless (gst_eeg_checkpoint_list (sidecar, &error) == NULL);
  expect_error (&error, GST_RESOURCE_ERROR_NOT_FOUND, "out.checkpoint");

  store (1, 10, FALSE);
  list = gst_eeg_checkpoint_list (sidecar, &error);
  fail_unless (list != NULL && list->len == 1);
  g_ptr_array_unref (list);

  store (2, 20, FALSE);
  list = gst_eeg_checkpoint_list (sidecar, &error);
  fail_unless (list != NULL && list->len == 2);
  fail_unless_equals_uint64 (gst_eeg_checkpoint_get_id (list->pdata[0]), 2);
  fail_unless_equals_uint64 (gst_eeg_checkpoint_get_id (list->pdata[1]), 1);
  g_ptr_array_unref (list);
}

GST_END_TEST;

/* Cut at any byte, or with a bit wrong anywhere, the newest one is no
 * checkpoint, and the one before it is. */
GST_START_TEST (test_damage)
{
  GError *error = NULL;
  GPtrArray *list;
  FILE *file;
  gchar *data;
  gsize size, i;

  store (1, 10, FALSE);
  store (2, 20, FALSE);
  fail_unless (g_file_get_contents (sidecar, &data, &size, NULL));
  for (i = 0; i < 9 * size; i += i < size ? 1 : 5) {
    gsize n = i < size ? i : size;

    if (i >= size)
      data[(i - size) / 8] ^= 1 << ((i - size) % 8);
    /* without the syncs of g_file_set_contents() */
    file = g_fopen (sidecar, "wb");
    fail_unless (file != NULL && fwrite (data, 1, n, file) == n);
    fail_unless_equals_int (fclose (file), 0);
    fail_unless (gst_eeg_checkpoint_load (sidecar,
                     GST_EEG_CHECKPOINT_GENERATION_NEWEST, &error)
        == NULL);
    expect_error (&error, GST_RESOURCE_ERROR_SETTINGS, "damaged");
    list = gst_eeg_checkpoint_list (sidecar, &error);
    fail_unless (list != NULL && list->len == 1);
    fail_unless_equals_uint64 (gst_eeg_checkpoint_get_id (list->pdata[0]), 1);
    g_ptr_array_unref (list);
    if (i >= size)
      data[(i - size) / 8] ^= 1 << ((i - size) % 8);
  }
  /* both */
  fail_unless (g_file_set_contents (old, data, size - 1, NULL));
  fail_unless (g_file_set_contents (sidecar, data, size - 1, NULL));
  fail_unless (gst_eeg_checkpoint_list (sidecar, &error) == NULL);
  expect_error (&error, GST_RESOURCE_ERROR_SETTINGS, "damaged");
  g_free (data);
}

GST_END_TEST;

/* --- going back without a pipeline --------------------------------------- */

GST_START_TEST (test_unwind_file)
{
  GError *error = NULL;
  gchar *data;
  gsize size;
  int fd;

  store (1, 100000, FALSE);
  store (2, 200000, FALSE);
  fail_if (gst_eeg_checkpoint_unwind (sidecar, 3, &error));
  expect_error (&error, GST_RESOURCE_ERROR_NOT_FOUND, "there is: 2, 1");
  expect_id (GST_EEG_CHECKPOINT_GENERATION_NEWEST, 2);

  /* a recorder has it */
  fd = g_open (part, O_RDWR, 0);
  fail_unless_equals_int (flock (fd, LOCK_EX | LOCK_NB), 0);
  fail_if (gst_eeg_checkpoint_unwind (sidecar, 1, &error));
  expect_error (&error, GST_RESOURCE_ERROR_BUSY, "being recorded to");
  close (fd);

  /* another file */
  fail_unless (g_file_get_contents (part, &data, &size, NULL));
  data[99999] ^= 1;
  fail_unless (g_file_set_contents (part, data, size, NULL));
  fail_if (gst_eeg_checkpoint_unwind (sidecar, 1, &error));
  expect_error (&error, GST_RESOURCE_ERROR_SETTINGS, "other bytes");
  fail_unless (g_file_set_contents (part, data, 99999, NULL));
  fail_if (gst_eeg_checkpoint_unwind (sidecar, 1, &error));
  expect_error (&error, GST_RESOURCE_ERROR_SETTINGS, "shorter");
  g_unlink (part);
  fail_if (gst_eeg_checkpoint_unwind (sidecar, 1, &error));
  expect_error (&error, GST_RESOURCE_ERROR_NOT_FOUND, "out");
  expect_id (GST_EEG_CHECKPOINT_GENERATION_NEWEST, 2);

  data[99999] ^= 1;
  fail_unless (g_file_set_contents (part, data, size, NULL));
  g_free (data);
  fail_unless (gst_eeg_checkpoint_unwind (sidecar, 2, NULL));
  expect_id (GST_EEG_CHECKPOINT_GENERATION_NEWEST, 2);
  expect_id (GST_EEG_CHECKPOINT_GENERATION_PREVIOUS, 1);
  fail_unless (gst_eeg_checkpoint_unwind (sidecar, 1, NULL));
  expect_id (GST_EEG_CHECKPOINT_GENERATION_NEWEST, 1);
  fail_unless (gst_eeg_checkpoint_load (sidecar,
                   GST_EEG_CHECKPOINT_GENERATION_PREVIOUS, &error)
      == NULL);
  expect_error (&error, GST_RESOURCE_ERROR_NOT_FOUND, "");
  /* there is no way forward */
  fail_if (gst_eeg_checkpoint_unwind (sidecar, 2, &error));
  expect_error (&error, GST_RESOURCE_ERROR_NOT_FOUND, "there is: 1");
  fail_unless (gst_eeg_checkpoint_unwind (sidecar, 1, NULL));
}

GST_END_TEST;

/* Of a damaged newest one nothing is known, and it does not stay. */
GST_START_TEST (test_unwind_damaged)
{
  store (1, 100, FALSE);
  store (2, 200, FALSE);
  fail_unless (g_file_set_contents (sidecar, "damaged", 7, NULL));
  fail_unless (gst_eeg_checkpoint_unwind (sidecar, 1, NULL));
  expect_id (GST_EEG_CHECKPOINT_GENERATION_NEWEST, 1);
  fail_if (g_file_test (old, G_FILE_TEST_EXISTS));
}

GST_END_TEST;

/* A finished recording becomes one that goes on. */
GST_START_TEST (test_unwind_complete)
{
  store (1, 100, FALSE);
  store (2, 200, TRUE);
  fail_unless_equals_int (g_rename (part, out), 0);
  fail_unless (gst_eeg_checkpoint_unwind (sidecar, 2, NULL));
  fail_unless (g_file_test (out, G_FILE_TEST_EXISTS));
  expect_id (GST_EEG_CHECKPOINT_GENERATION_NEWEST, 2);
  fail_unless (gst_eeg_checkpoint_unwind (sidecar, 1, NULL));
  expect_id (GST_EEG_CHECKPOINT_GENERATION_NEWEST, 1);
  fail_if (g_file_test (out, G_FILE_TEST_EXISTS));
  fail_unless (g_file_test (part, G_FILE_TEST_EXISTS));

  /* both have the id of the last barrier: back to before the end */
  store (3, 300, FALSE);
  store (3, 300, TRUE);
  fail_unless (gst_eeg_checkpoint_unwind (sidecar, 3, NULL));
  expect_id (GST_EEG_CHECKPOINT_GENERATION_NEWEST, 3);
  fail_if (g_file_test (old, G_FILE_TEST_EXISTS));
}

GST_END_TEST;

/* --- going back with a pipeline ------------------------------------------ */

static void
make_input (void)
{
  gchar *path = g_build_filename (folder, "in", NULL);
  guint8 *data = g_malloc (INPUT_SIZE);
  guint i, x = 1;

  for (i = 0; i < INPUT_SIZE; i++) {
    x = x * 1103515245 + 12345;
    data[i] = (guint8) (x >> 16) & 15;
  }
  fail_unless (g_file_set_contents (path, (gchar *) data, INPUT_SIZE, NULL));
  g_free (data);
  g_free (path);
}

static GstElement *
make_pipeline (const Chain *chain)
{
  gchar *line = g_strdup_printf (chain->line, folder, folder);
  GstElement *pipeline = gst_parse_launch (line, NULL);
  GstElement *source;

  fail_unless (pipeline != NULL);
  g_free (line);
  /* to name the driver in the line leaks it in GStreamer 1.22 */
  if (chain->has_losses) {
    source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
    gst_child_proxy_set (GST_CHILD_PROXY (source), "driver::loss-rate", 0.0002,
        "driver::loss-burst", 300, NULL);
    gst_object_unref (source);
  }
  return pipeline;
}

static GstMessageType
play (GstElement *pipeline)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessageType type;
  GstMessage *message;

  /* what followed the error of the run before */
  while ((message = gst_bus_pop (bus)) != NULL)
    gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND,
      GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  fail_unless (message != NULL, "neither end nor error");
  type = GST_MESSAGE_TYPE (message);
  gst_message_unref (message);
  gst_object_unref (bus);
  return type;
}

static void
drop_pipeline (GstElement *pipeline)
{
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

/* What an uninterrupted run writes. */
static gchar *
make_reference (const Chain *chain, gsize *size)
{
  GstElement *pipeline;
  gchar *data;

  make_input ();
  pipeline = make_pipeline (chain);
  fail_unless_equals_int (play (pipeline), GST_MESSAGE_EOS);
  drop_pipeline (pipeline);
  fail_unless (g_file_get_contents (out, &data, size, NULL));
  g_unlink (out);
  g_unlink (sidecar);
  g_unlink (old);
  return data;
}

/* Plays until the check fails, in READY, with two checkpoints behind the
 * beginning: those that are left. */
static GPtrArray *
fail_late (GstElement *pipeline, const Chain *chain)
{
  GstElement *check = gst_bin_get_by_name (GST_BIN (pipeline), "check");
  GPtrArray *list;

  g_object_set (check, "error-after", chain->error_after, "sleep-time", 2000,
      NULL);
  fail_unless_equals_int (play (pipeline), GST_MESSAGE_ERROR);
  fail_unless_equals_int (gst_element_set_state (pipeline, GST_STATE_READY),
      GST_STATE_CHANGE_SUCCESS);
  g_object_set (check, "error-after", -1, "sleep-time", 0, NULL);
  gst_object_unref (check);
  list = gst_eeg_checkpoint_list (sidecar, NULL);
  fail_unless (list != NULL && list->len == 2);
  fail_unless (gst_eeg_checkpoint_get_id (list->pdata[0])
      > gst_eeg_checkpoint_get_id (list->pdata[1]));
  return list;
}

typedef struct
{
  GstHarness *validator;
  GQueue waiting; /* buffers that it has not seen */
  guint64 samples;
  gint late; /* atomic: a checkpoint behind the bad sample is stored */
  gint failed;
} Validation;

static GstPadProbeReturn
validate_late (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Validation *v = user_data;
  GstBuffer *buffer = gst_buffer_copy_deep (GST_PAD_PROBE_INFO_BUFFER (info));
  guint n = (guint) (gst_buffer_get_size (buffer) / (8 * sizeof (gfloat)));
  const gfloat nan = NAN;

  if (v->samples == 0)
    gst_harness_set_src_caps (v->validator, gst_pad_get_current_caps (pad));
  /* not in what is recorded: it stands for what one only sees later */
  if (v->samples <= BAD_SAMPLE && v->samples + n > BAD_SAMPLE)
    gst_buffer_fill (buffer, (BAD_SAMPLE - v->samples) * 8 * sizeof (gfloat),
        &nan, sizeof nan);
  v->samples += n;
  g_queue_push_tail (&v->waiting, buffer);
  while (g_atomic_int_get (&v->late) && !g_atomic_int_get (&v->failed)) {
    buffer = g_queue_pop_head (&v->waiting);
    fail_unless (buffer != NULL, "the check finds nothing");
    if (gst_harness_push (v->validator, buffer) != GST_FLOW_OK)
      g_atomic_int_set (&v->failed, TRUE);
  }
  return GST_PAD_PROBE_OK;
}

static GstBusSyncReply
watch_checkpoints (GstBus *bus, GstMessage *message, gpointer user_data)
{
  const GstStructure *s = gst_message_get_structure (message);
  guint64 index;

  if (s != NULL && gst_structure_has_name (s, "eeg-checkpoint")
      && gst_structure_get_uint64 (s, "sample-index", &index)
      && index > BAD_SAMPLE)
    g_atomic_int_set (&((Validation *) user_data)->late, TRUE);
  return GST_BUS_PASS;
}

/* Runs until the check fails; in READY then. */
static void
run_validation (GstElement *pipeline)
{
  Validation v = { .validator = gst_harness_new_parse (
                       "eegvalidate checks=non-finite on-fail=error") };
  GstElement *volts = gst_bin_get_by_name (GST_BIN (pipeline), "volts");
  GstElement *check = gst_bin_get_by_name (GST_BIN (pipeline), "check");
  GstPad *pad = gst_element_get_static_pad (volts, "src");
  GstBus *bus = gst_element_get_bus (pipeline);
  gulong probe;

  g_queue_init (&v.waiting);
  gst_bus_set_sync_handler (bus, watch_checkpoints, &v, NULL);
  probe = gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, validate_late, &v,
      NULL);
  g_object_set (check, "sleep-time", 20000, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (!g_atomic_int_get (&v.failed))
    g_usleep (1000);
  gst_element_set_state (pipeline, GST_STATE_READY);
  gst_pad_remove_probe (pad, probe);
  gst_bus_set_sync_handler (bus, NULL, NULL, NULL);
  g_object_set (check, "sleep-time", 0, NULL);
  g_queue_clear_full (&v.waiting, (GDestroyNotify) gst_buffer_unref);
  gst_harness_teardown (v.validator);
  gst_object_unref (bus);
  gst_object_unref (pad);
  gst_object_unref (check);
  gst_object_unref (volts);
}

/* A check that runs behind the recording fails when the bad sample is recorded,
 * and in a checkpoint; the one before it is the last one that is good. */
static GPtrArray *
fail_validation (GstElement *pipeline, const Chain *chain)
{
  while (TRUE) {
    GstEegCheckpoint *c;
    GPtrArray *list;

    run_validation (pipeline);
    list = gst_eeg_checkpoint_list (sidecar, NULL);
    fail_unless (list != NULL && list->len == 2);
    c = list->pdata[0];
    fail_unless (gst_eeg_checkpoint_get_sample_index (c) > BAD_SAMPLE);
    c = list->pdata[1];
    if (gst_eeg_checkpoint_get_sample_index (c) <= BAD_SAMPLE)
      return list;
    /* a machine that is busy stored another one before all stood still */
    g_ptr_array_unref (list);
    gst_element_set_state (pipeline, GST_STATE_NULL);
    g_unlink (part);
    g_unlink (sidecar);
    g_unlink (old);
  }
}

typedef struct
{
  const Chain *chain;
  GPtrArray *(*fail_by) (GstElement *pipeline, const Chain *chain);
  guint back;    /* to which checkpoint, from the newest one */
  gboolean anew; /* by another pipeline than the one that failed */
} Unwind;

/* In the chain of samples a filter begins again before the checkpoint, and a
 * sum goes on. */
static const Unwind unwinds[] = {
  { &byte_chain, fail_late, 0, FALSE },
  { &byte_chain, fail_late, 1, FALSE },
  { &byte_chain, fail_late, 1, TRUE },
  { &sample_chain, fail_late, 0, FALSE },
  { &sample_chain, fail_late, 1, FALSE },
  { &sample_chain, fail_late, 1, TRUE },
  { &sample_chain, fail_validation, 1, FALSE },
  { &sample_chain, fail_validation, 1, TRUE },
  { &pack_chain, fail_late, 0, FALSE },
  { &pack_chain, fail_late, 1, FALSE },
  { &pack_chain, fail_late, 1, TRUE },
};

GST_START_TEST (test_unwind)
{
  const Unwind *unwind = &unwinds[__i__];
  GstElement *pipeline;
  gchar *reference, *data;
  gsize reference_size, size;
  GError *error = NULL;
  GPtrArray *list;
  guint64 id, length;
  GStatBuf info;

  reference = make_reference (unwind->chain, &reference_size);
  pipeline = make_pipeline (unwind->chain);
  list = unwind->fail_by (pipeline, unwind->chain);
  id = gst_eeg_checkpoint_get_id (list->pdata[unwind->back]);
  length = gst_eeg_checkpoint_get_output_length (list->pdata[unwind->back]);
  g_ptr_array_unref (list);
  if (unwind->anew) {
    drop_pipeline (pipeline);
    pipeline = make_pipeline (unwind->chain);
  }

  fail_if (gst_eeg_unwind (pipeline, 1000, &error));
  expect_error (&error, GST_RESOURCE_ERROR_NOT_FOUND, "there is: ");
  fail_unless (gst_eeg_unwind (pipeline, id, &error), "%s",
      error != NULL ? error->message : "");
  fail_unless_equals_int (gst_element_get_state (pipeline, NULL, NULL,
                              20 * GST_SECOND),
      GST_STATE_CHANGE_SUCCESS);
  fail_unless_equals_int (g_stat (part, &info), 0);
  fail_unless_equals_uint64 (info.st_size, length);
  fail_unless_equals_int (play (pipeline), GST_MESSAGE_EOS);
  drop_pipeline (pipeline);

  fail_unless (g_file_get_contents (out, &data, &size, NULL));
  fail_unless_equals_uint64 (size, reference_size);
  fail_unless (memcmp (data, reference, size) == 0);
  g_free (data);
  g_free (reference);
}

GST_END_TEST;

/* From PLAYING, at any time, to the beginning, where there always is one. */
GST_START_TEST (test_unwind_while_playing)
{
  GstElement *pipeline, *check;
  gchar *reference, *data;
  gsize reference_size, size;
  GError *error = NULL;
  GPtrArray *list;
  GStatBuf info;
  guint64 id;

  reference = make_reference (&byte_chain, &reference_size);
  pipeline = make_pipeline (&byte_chain);
  check = gst_bin_get_by_name (GST_BIN (pipeline), "check");
  /* so slow that no checkpoint is stored between the list and the unwinding */
  g_object_set (check, "sleep-time", 300000, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  fail_unless_equals_int (gst_element_get_state (pipeline, NULL, NULL,
                              20 * GST_SECOND),
      GST_STATE_CHANGE_SUCCESS);
  /* of a recording without a byte nothing stays */
  while (g_stat (part, &info) < 0 || info.st_size == 0)
    g_usleep (1000);
  list = gst_eeg_checkpoint_list (sidecar, NULL);
  fail_unless (list != NULL);
  id = gst_eeg_checkpoint_get_id (list->pdata[0]);
  g_ptr_array_unref (list);
  fail_unless (gst_eeg_unwind (pipeline, id, &error), "%s",
      error != NULL ? error->message : "");
  g_object_set (check, "sleep-time", 0, NULL);
  gst_object_unref (check);
  fail_unless_equals_int (play (pipeline), GST_MESSAGE_EOS);
  drop_pipeline (pipeline);
  fail_unless (g_file_get_contents (out, &data, &size, NULL));
  fail_unless_equals_uint64 (size, reference_size);
  fail_unless (memcmp (data, reference, size) == 0);
  g_free (data);
  g_free (reference);
}

GST_END_TEST;

/* All parts of a sink, in order; none is unfinished. Removes them. */
static GByteArray *
take_parts (const gchar *name)
{
  GByteArray *all = g_byte_array_new ();
  gboolean more = TRUE;
  guint i;

  for (i = 1; more; i++) {
    gchar *path = g_strdup_printf ("%s/%s-%03u.x", folder, name, i);
    gchar *unfinished = g_strconcat (path, ".part", NULL), *data;
    gsize size;

    fail_if (g_file_test (unfinished, G_FILE_TEST_EXISTS), "%s", unfinished);
    more = g_file_get_contents (path, &data, &size, NULL);
    if (more) {
      g_byte_array_append (all, (guint8 *) data, size);
      g_free (data);
    }
    g_unlink (path);
    g_free (unfinished);
    g_free (path);
  }
  return all;
}

/* Two sinks that cut their parts at the same places go back to the same one. */
GST_START_TEST (test_unwind_parts_of_two_sinks)
{
  static const gchar *const names[] = { "out", "other" };
  gchar *line = g_strdup_printf (
      "filesrc location=%s/in ! eegchunk checkpoint-interval=100000 ! "
      "identity name=check ! tee name=t ! queue max-size-bytes=70000 ! "
      "eegfilesink checkpoint=true rotate-bytes=150000 location=%s/out.x t. ! "
      "queue max-size-bytes=200000 ! identity sleep-time=3000 ! eegfilesink "
      "checkpoint=true rotate-bytes=1000000000 location=%s/other.x",
      folder, folder, folder);
  gchar *in = g_build_filename (folder, "in", NULL), *input;
  gchar *own = g_build_filename (folder, "out.x.checkpoint", NULL);
  GstElement *pipeline, *check;
  GError *error = NULL;
  GPtrArray *list;
  guint64 id;
  gsize size;
  guint i;

  make_input ();
  pipeline = gst_parse_launch (line, NULL);
  check = gst_bin_get_by_name (GST_BIN (pipeline), "check");
  g_object_set (check, "error-after", 10, "sleep-time", 10000, NULL);
  fail_unless_equals_int (play (pipeline), GST_MESSAGE_ERROR);
  gst_element_set_state (pipeline, GST_STATE_READY);
  g_object_set (check, "error-after", -1, "sleep-time", 0, NULL);
  gst_object_unref (check);

  list = gst_eeg_checkpoint_list (own, NULL);
  fail_unless (list != NULL && list->len == 2);
  id = gst_eeg_checkpoint_get_id (list->pdata[1]);
  fail_unless (gst_eeg_checkpoint_get_part (list->pdata[0]) > 1);
  g_ptr_array_unref (list);
  fail_unless (gst_eeg_unwind (pipeline, id, &error), "%s",
      error != NULL ? error->message : "");
  fail_unless_equals_int (play (pipeline), GST_MESSAGE_EOS);
  drop_pipeline (pipeline);

  fail_unless (g_file_get_contents (in, &input, &size, NULL));
  for (i = 0; i < G_N_ELEMENTS (names); i++) {
    GByteArray *all = take_parts (names[i]);
    gchar *path = g_strdup_printf ("%s/%s.x.checkpoint", folder, names[i]);
    gchar *older = g_strconcat (path, ".old", NULL);

    fail_unless_equals_uint64 (all->len, size);
    fail_unless (memcmp (all->data, input, size) == 0);
    g_byte_array_unref (all);
    g_unlink (path);
    g_unlink (older);
    g_free (path);
    g_free (older);
  }
  g_free (input);
  g_free (in);
  g_free (own);
  g_free (line);
}

GST_END_TEST;

GST_START_TEST (test_unwind_refused)
{
  GstElement *pipeline = gst_parse_launch ("fakesrc ! fakesink", NULL);
  GError *error = NULL;

  fail_if (gst_eeg_unwind (pipeline, 1, &error));
  fail_unless (
      g_error_matches (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS));
  g_clear_error (&error);
  gst_object_unref (pipeline);
  pipeline = gst_parse_launch ("fakesrc ! eegfilesink location=x", NULL);
  fail_if (gst_eeg_unwind (pipeline, 1, &error));
  fail_unless (
      g_error_matches (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS));
  g_clear_error (&error);
  gst_object_unref (pipeline);
}

GST_END_TEST;

/* --- a chunk that cannot be passed --------------------------------------- */

static void
check_given_up (GstElement *pipeline, const gchar *words)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;
  GError *error = NULL;

  fail_unless_equals_int (gst_element_set_state (pipeline, GST_STATE_PLAYING),
      GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (
      g_error_matches (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED));
  fail_unless (strstr (error->message, words) != NULL, "%s", error->message);
  g_error_free (error);
  gst_message_unref (message);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL);
  gst_object_unref (bus);
}

GST_START_TEST (test_poison_chunk)
{
  GstElement *pipeline, *check, *sink;
  gchar *reference, *data, *words;
  gsize reference_size, size;
  GPtrArray *list;
  guint64 id;
  guint i;

  reference = make_reference (&byte_chain, &reference_size);
  pipeline = make_pipeline (&byte_chain);
  list = fail_late (pipeline, &byte_chain);
  id = gst_eeg_checkpoint_get_id (list->pdata[0]);
  g_ptr_array_unref (list);
  words = g_strdup_printf ("Chunk %" G_GUINT64_FORMAT " ", id + 1);

  check = gst_bin_get_by_name (GST_BIN (pipeline), "check");
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_object_set (sink, "max-retries", 3, NULL);
  g_object_set (check, "error-after", 1, NULL);
  for (i = 0; i < 3; i++) {
    fail_unless_equals_int (play (pipeline), GST_MESSAGE_ERROR);
    gst_element_set_state (pipeline, GST_STATE_NULL);
    list = gst_eeg_checkpoint_list (sidecar, NULL);
    fail_unless_equals_uint64 (gst_eeg_checkpoint_get_id (list->pdata[0]), id);
    fail_unless_equals_int (gst_eeg_checkpoint_get_retries (list->pdata[0]),
        i + 1);
    g_ptr_array_unref (list);
  }
  check_given_up (pipeline, words);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  /* it does not count once more */
  check_given_up (pipeline, words);
  gst_element_set_state (pipeline, GST_STATE_NULL);

  /* what was wrong is over, and one more try is allowed */
  g_object_set (sink, "max-retries", 4, NULL);
  g_object_set (check, "error-after", -1, NULL);
  fail_unless_equals_int (play (pipeline), GST_MESSAGE_EOS);
  gst_object_unref (check);
  gst_object_unref (sink);
  drop_pipeline (pipeline);
  fail_unless (g_file_get_contents (out, &data, &size, NULL));
  fail_unless_equals_uint64 (size, reference_size);
  fail_unless (memcmp (data, reference, size) == 0);
  g_free (words);
  g_free (data);
  g_free (reference);
}

GST_END_TEST;

/* --- barriers of a pipeline that plays ----------------------------------- */

static const Chain slow_chains[] = {
  { "filesrc location=%s/in ! eegchunk checkpoint-interval=100000000 "
    "! identity sleep-time=500000 ! "
    "lz4enc chunk-size=65536 ! eegfilesink name=sink checkpoint=true "
    "sync-time=50000000 location=%s/out",
      -1 },
  { "eegsrc num-samples=1000000 channels=2 checkpoint-interval=1000000 "
    "buffer-time=40000000 ! identity sleep-time=1000 ! edfmux ! "
    "gzipenc chunk-size=65536 ! blake3sum location=%s/out.b3 ! "
    "eegfilesink name=sink checkpoint=true location=%s/out",
      -1 },
};

/* The id of the next checkpoint within @timeout; 0: there was none. */
static guint64
wait_for_checkpoint (GstBus *bus, GstClockTime timeout)
{
  GstClockTime end = gst_util_get_timestamp () + timeout;
  guint64 id = 0;

  while (id == 0) {
    GstClockTime now = gst_util_get_timestamp ();
    GstMessage *message = gst_bus_timed_pop_filtered (bus,
        now < end ? end - now : 0, GST_MESSAGE_ELEMENT | GST_MESSAGE_ERROR);
    const GstStructure *s;

    if (message == NULL)
      break;
    fail_unless (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR,
        "%" GST_PTR_FORMAT, message);
    s = gst_message_get_structure (message);
    if (gst_structure_has_name (s, "eeg-checkpoint"))
      fail_unless (gst_structure_get_uint64 (s, "id", &id));
    gst_message_unref (message);
  }
  return id;
}

/* An application asks, and there is one checkpoint for it, also where the event
 * comes to the source by several ways. */
GST_START_TEST (test_requested)
{
  GstElement *pipeline;
  GstBus *bus;
  guint64 last = 0;
  guint i;

  make_input ();
  pipeline = make_pipeline (&slow_chains[__i__]);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  fail_unless_equals_int (gst_element_get_state (pipeline, NULL, NULL,
                              20 * GST_SECOND),
      GST_STATE_CHANGE_SUCCESS);
  /* the one at the start of the recording, if there is one */
  while (wait_for_checkpoint (bus, 200 * GST_MSECOND) != 0) {
  }
  for (i = 0; i < 2; i++) {
    GstEvent *event = gst_eeg_event_new_barrier_request ();
    guint64 id;

    fail_unless (gst_element_send_event (pipeline, gst_event_ref (event)));
    id = wait_for_checkpoint (bus, 20 * GST_SECOND);
    fail_unless (id > last, "request %u: checkpoint %" G_GUINT64_FORMAT, i, id);
    last = id;
    /* as by another branch that was slower; the file would come to its end */
    if (__i__ == 1)
      gst_element_send_event (pipeline, gst_event_ref (event));
    id = wait_for_checkpoint (bus, 150 * GST_MSECOND);
    fail_unless (id == 0, "a second checkpoint for request %u", i);
    gst_event_unref (event);
  }
  gst_object_unref (bus);
  drop_pipeline (pipeline);
}

GST_END_TEST;

/* What is linked while the pipeline plays is looked at with the next
 * barrier. */
GST_START_TEST (test_late_branch)
{
  static const Chain chain = {
    "eegsrc num-samples=1000000 channels=2 checkpoint-interval=500 "
    "buffer-time=40000000 ! identity sleep-time=1000 ! edfmux ! "
    "blake3sum location=%s/out.b3 ! tee name=t ! queue ! "
    "eegfilesink name=sink checkpoint=true location=%s/out",
    -1
  };
  GstElement *pipeline = make_pipeline (&chain);
  GstElement *tee = gst_bin_get_by_name (GST_BIN (pipeline), "t");
  GstBus *bus = gst_element_get_bus (pipeline);
  GstElement *branch;
  GstMessage *message;
  GError *error = NULL;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  fail_unless (wait_for_checkpoint (bus, 20 * GST_SECOND) > 0);
  branch = gst_parse_bin_from_description (
      "queue leaky=downstream name=late-queue ! "
      "fakesink async=false name=late-sink",
      TRUE, NULL);
  fail_unless (branch != NULL);
  gst_bin_add (GST_BIN (pipeline), branch);
  gst_element_sync_state_with_parent (branch);
  fail_unless (gst_element_link (tee, branch));
  message =
      gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND, GST_MESSAGE_ERROR);
  fail_unless (message != NULL, "the branch was not noticed");
  gst_message_parse_error (message, &error, NULL);
  fail_unless (strstr (error->message, "late-") != NULL, "%s", error->message);
  g_error_free (error);
  gst_message_unref (message);
  gst_object_unref (bus);
  gst_object_unref (tee);
  drop_pipeline (pipeline);
}

GST_END_TEST;

/* --- runs that come to nothing ------------------------------------------- */

static void
make_file (void)
{
  gchar *line = g_strdup_printf ("eegsrc num-samples=10000 channels=4 ! edfmux "
                                 "! filesink location=%s/in.edf",
      folder);
  GstElement *pipeline = gst_parse_launch (line, NULL);

  fail_unless_equals_int (play (pipeline), GST_MESSAGE_EOS);
  drop_pipeline (pipeline);
  g_free (line);
}

static void
remove_file (void)
{
  gchar *path = g_build_filename (folder, "in.edf", NULL);

  fail_unless_equals_int (g_unlink (path), 0);
  g_free (path);
}

static void
expect_output (const gchar *reference, gsize reference_size)
{
  gchar *data;
  gsize size;

  fail_unless (g_file_get_contents (out, &data, &size, NULL));
  fail_unless_equals_uint64 (size, reference_size);
  fail_unless (memcmp (data, reference, size) == 0);
  g_free (data);
}

/* Ended by the application, the container completes its header with what it has
 * by then; the run that goes on must not take that for what it wrote. */
GST_START_TEST (test_ended_by_application)
{
  GstElement *pipeline, *check;
  gsize reference_size;
  gchar *reference;
  GstBus *bus;
  GstMessage *message;

  make_file ();
  reference = make_reference (&file_chain, &reference_size);
  pipeline = make_pipeline (&file_chain);
  check = gst_bin_get_by_name (GST_BIN (pipeline), "check");
  g_object_set (check, "sleep-time", 10000, NULL);
  gst_object_unref (check);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (!g_file_test (old, G_FILE_TEST_EXISTS))
    g_usleep (1000);
  gst_element_send_event (pipeline, gst_event_new_eos ());
  message = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND,
      GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  fail_unless (message != NULL);
  fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
  gst_message_unref (message);
  gst_object_unref (bus);
  drop_pipeline (pipeline);
  fail_if (g_file_test (out, G_FILE_TEST_EXISTS));

  pipeline = make_pipeline (&file_chain);
  fail_unless_equals_int (play (pipeline), GST_MESSAGE_EOS);
  drop_pipeline (pipeline);
  expect_output (reference, reference_size);
  g_free (reference);
  remove_file ();
}

GST_END_TEST;

/* States that were handed to the stages in a run that failed before its stream
 * began are not where a later run begins, which begins anew. */
GST_START_TEST (test_states_are_forgotten)
{
  GstElement *pipeline, *sink, *source;
  gsize reference_size;
  gchar *reference, *location;
  gboolean anew_by_overwrite = __i__ == 1;

  make_file ();
  reference = make_reference (&file_chain, &reference_size);
  pipeline = make_pipeline (&file_chain);
  g_ptr_array_unref (fail_late (pipeline, &file_chain));
  gst_element_set_state (pipeline, GST_STATE_NULL);

  source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  g_object_get (source, "location", &location, NULL);
  g_object_set (source, "location", "/nowhere/in.edf", NULL);
  fail_unless_equals_int (play (pipeline), GST_MESSAGE_ERROR);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_object_set (source, "location", location, NULL);
  g_free (location);
  gst_object_unref (source);

  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  if (anew_by_overwrite) {
    g_object_set (sink, "overwrite", TRUE, NULL);
  } else {
    g_object_set (sink, "checkpoint", FALSE, NULL);
    g_unlink (part);
  }
  gst_object_unref (sink);
  fail_unless_equals_int (play (pipeline), GST_MESSAGE_EOS);
  drop_pipeline (pipeline);
  expect_output (reference, reference_size);
  g_free (reference);
  remove_file ();
}

GST_END_TEST;

/* A checksum is no secret: a state that says what cannot be is refused where it
 * can be told. */
typedef struct
{
  const Chain *chain;
  const gchar *factory;
  gsize at; /* of a number in its state */
  guint64 number;
  const gchar *words;
} Lie;

static const Lie lies[] = {
  /* would write over what is recorded */
  { &byte_chain, "lz4enc", 32, 0, "another byte" },
  { &byte_chain, "lz4enc", 32, 1000, "another byte" },
  /* would be at its end at once */
  { &file_chain, "eegsrc", 8, 10001, "ends at 10000" },
  { &file_chain, "eegsrc", 8, G_MAXINT64, "ends at 10000" },
};

static void
tell_lie (const Lie *lie)
{
  EegCheckpoint *c;
  gsize i, j;

  g_unlink (old);
  fail_unless_equals_int (eeg_checkpoint_load (sidecar, EEG_CHECKPOINT_NEWEST,
                              &c),
      EEG_CHECKPOINT_OK);
  for (i = 0; i < c->n_stages; i++)
    if (strcmp (c->stages[i].factory, lie->factory) == 0)
      for (j = 0; j < 8; j++)
        c->stages[i].state[lie->at + j] = (guint8) (lie->number >> (8 * j));
  fail_unless_equals_int (eeg_checkpoint_update (sidecar, c),
      EEG_CHECKPOINT_OK);
  eeg_checkpoint_free (c);
}

GST_START_TEST (test_lies)
{
  const Lie *lie = &lies[__i__];
  GstElement *pipeline;
  GstMessage *message;
  GError *error = NULL;
  GstBus *bus;

  make_input ();
  make_file ();
  pipeline = make_pipeline (lie->chain);
  g_ptr_array_unref (fail_late (pipeline, lie->chain));
  drop_pipeline (pipeline);
  tell_lie (lie);
  pipeline = make_pipeline (lie->chain);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND,
      GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  fail_unless (
      message != NULL && GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  gst_message_unref (message);
  gst_object_unref (bus);
  drop_pipeline (pipeline);
  expect_error (&error, GST_RESOURCE_ERROR_SETTINGS, lie->words);
  fail_if (g_file_test (out, G_FILE_TEST_EXISTS));
  remove_file ();
}

GST_END_TEST;

static Suite *
eegcheckpoint_suite (void)
{
  Suite *s = suite_create ("eegcheckpoint");
  TCase *tc = tcase_create ("checkpoint");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, 60);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_fields);
  tcase_add_test (tc, test_list);
  tcase_add_test (tc, test_damage);
  tcase_add_test (tc, test_unwind_file);
  tcase_add_test (tc, test_unwind_damaged);
  tcase_add_test (tc, test_unwind_complete);
  tcase_add_loop_test (tc, test_unwind, 0, G_N_ELEMENTS (unwinds));
  tcase_add_test (tc, test_unwind_while_playing);
  tcase_add_test (tc, test_unwind_parts_of_two_sinks);
  tcase_add_test (tc, test_unwind_refused);
  tcase_add_test (tc, test_poison_chunk);
  tcase_add_loop_test (tc, test_requested, 0, G_N_ELEMENTS (slow_chains));
  tcase_add_test (tc, test_late_branch);
  tcase_add_test (tc, test_ended_by_application);
  tcase_add_loop_test (tc, test_states_are_forgotten, 0, 2);
  tcase_add_loop_test (tc, test_lies, 0, G_N_ELEMENTS (lies));
  return s;
}

GST_CHECK_MAIN (eegcheckpoint);
