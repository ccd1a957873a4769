/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The checksum elements: in memory against their library in a bare loop over
 * the same buffers, and as a whole program (start-up of gst-launch-1.0 and its
 * registry included) against the tool that people would use instead, both
 * reading the same file.
 *
 * All sides work in one thread and wait for nothing, so what counts is their
 * CPU time, which is that of the wall clock on an idle core and does not
 * depend on what else the machine does.
 */
#include "benchmark.h"

#include <blake3.h>
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <string.h>
#include <sys/resource.h>

/* beyond the caches */
#define MEMORY_SIZE ((gsize) 256 << 20)
/* so large that the start-up of gst-launch-1.0, 10 ms, hardly counts */
#define FILE_SIZE ((gsize) 1 << 30)

struct memory_run
{
  guint8 *data;
  gsize size;
  gsize buffer_size;
  GstBuffer **buffers;
  guint num_buffers;
};

struct file_run
{
  gchar **ours;
  gchar **reference;
};

/* Any bytes do: no digest depends on them in time. */
static void
fill (guint8 *data, gsize size)
{
  guint64 x = 88172645463325252u;

  for (gsize i = 0; i + 8 <= size; i += 8) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    memcpy (data + i, &x, 8);
  }
}

static GstFlowReturn
drop_buffer (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static double
run_element (void *user_data)
{
  struct memory_run *run = user_data;
  GstElement *element = gst_element_factory_make ("blake3sum", NULL);
  GstPad *src = gst_pad_new ("src", GST_PAD_SRC);
  GstPad *sink = gst_pad_new ("sink", GST_PAD_SINK);
  GstPad *element_sink, *element_src;
  GstSegment segment;
  gchar *digest = NULL;
  double seconds = -1.0;

  if (element == NULL)
    goto done;
  element_sink = gst_element_get_static_pad (element, "sink");
  element_src = gst_element_get_static_pad (element, "src");
  gst_pad_set_chain_function (sink, drop_buffer);
  gst_pad_link (src, element_sink);
  gst_pad_link (element_src, sink);
  gst_object_unref (element_sink);
  gst_object_unref (element_src);
  gst_pad_set_active (sink, TRUE);
  gst_element_set_state (element, GST_STATE_PLAYING);
  gst_pad_set_active (src, TRUE);
  gst_pad_push_event (src, gst_event_new_stream_start ("benchmark"));
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_pad_push_event (src, gst_event_new_segment (&segment));

  seconds = bench_cpu_now ();
  for (guint i = 0; i < run->num_buffers; i++) {
    if (gst_pad_push (src, gst_buffer_ref (run->buffers[i])) != GST_FLOW_OK) {
      seconds = -1.0;
      goto stop;
    }
  }
  gst_pad_push_event (src, gst_event_new_eos ());
  seconds = bench_cpu_now () - seconds;
  g_object_get (element, "digest", &digest, NULL);
  if (digest == NULL)
    seconds = -1.0;
  g_free (digest);

stop:
  gst_pad_set_active (src, FALSE);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_pad_set_active (sink, FALSE);
  gst_object_unref (element);
done:
  gst_object_unref (src);
  gst_object_unref (sink);
  return seconds;
}

static double
run_hasher (void *user_data)
{
  const struct memory_run *run = user_data;
  guint8 digest[BLAKE3_OUT_LEN];
  blake3_hasher hasher;
  double start = bench_cpu_now ();

  blake3_hasher_init (&hasher);
  for (gsize at = 0; at < run->size; at += run->buffer_size)
    blake3_hasher_update (&hasher, run->data + at, run->buffer_size);
  blake3_hasher_finalize (&hasher, digest, sizeof digest);
  return bench_cpu_now () - start;
}

static bool
compare_in_memory (void)
{
  /* segments of a cipher, chunks of a codec, what filesrc reads */
  static const gsize sizes[] = { 1 << 20, 1 << 18, 1 << 12 };
  struct memory_run run = { .size = MEMORY_SIZE };
  bool reached = true;

  run.data = g_malloc (MEMORY_SIZE);
  fill (run.data, MEMORY_SIZE);
  for (guint k = 0; k < G_N_ELEMENTS (sizes); k++) {
    gchar *packing =
        g_strdup_printf ("buffers of %" G_GSIZE_FORMAT " bytes", sizes[k]);
    struct bench_row row = { .name = "blake3sum-element",
      .data = "pseudo-random bytes in memory",
      .packing = packing,
      .threads = 1,
      .backend = "blake3_hasher_update",
      .target = 0.97,
      .direction = BENCH_AT_LEAST,
      .rounds = 15 };

    run.buffer_size = sizes[k];
    run.num_buffers = MEMORY_SIZE / sizes[k];
    run.size = run.num_buffers * sizes[k];
    row.bytes = run.size;
    run.buffers = g_new (GstBuffer *, run.num_buffers);
    for (guint i = 0; i < run.num_buffers; i++)
      run.buffers[i] = gst_buffer_new_wrapped_full (GST_MEMORY_FLAG_READONLY,
          run.data + i * sizes[k], sizes[k], 0, sizes[k], NULL, NULL);
    reached = bench_compare (&row, run_element, run_hasher, &run) && reached;
    for (guint i = 0; i < run.num_buffers; i++)
      gst_buffer_unref (run.buffers[i]);
    g_free (run.buffers);
    g_free (packing);
  }
  g_free (run.data);
  return reached;
}

/* CPU time of all programs that ran and ended so far. */
static double
children_now (void)
{
  struct rusage usage;

  getrusage (RUSAGE_CHILDREN, &usage);
  return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
      + 1e-6 * (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static double
run_program (gchar **argv)
{
  double start = children_now ();
  GError *error = NULL;
  gint status;

  if (!g_spawn_sync (NULL, argv, NULL,
          G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL,
          NULL, &status, &error)
      || !g_spawn_check_wait_status (status, &error)) {
    fprintf (stderr, "%s: %s\n", argv[0], error->message);
    g_error_free (error);
    return -1.0;
  }
  return children_now () - start;
}

static double
run_launch (void *user_data)
{
  return run_program (((struct file_run *) user_data)->ours);
}

static double
run_tool (void *user_data)
{
  return run_program (((struct file_run *) user_data)->reference);
}

static bool
compare_programs (void)
{
  static const struct
  {
    const char *element;
    double target;
    const char *tool[4];
  } rows[] = {
    { "blake3sum", 1.0, { "b3sum", "--num-threads", "1", NULL } },
    { "sha256sum", 0.97, { "openssl", "dgst", "-sha256", NULL } },
    { "sha512sum", 0.97, { "openssl", "dgst", "-sha512", NULL } },
  };
  /* in memory where there is such a file system: the disk is not asked */
  gchar *path = g_file_test ("/dev/shm", G_FILE_TEST_IS_DIR)
      ? g_strdup ("/dev/shm/bench-checksum-XXXXXX")
      : g_build_filename (g_get_tmp_dir (), "bench-checksum-XXXXXX", NULL);
  gint fd = g_mkstemp (path);
  guint8 *data = g_malloc (FILE_SIZE);
  gchar *location = NULL;
  GError *error = NULL;
  bool reached = true;

  if (fd < 0) {
    perror (path);
    return false;
  }
  g_close (fd, NULL);
  fill (data, FILE_SIZE);
  if (!g_file_set_contents_full (path, (const gchar *) data, FILE_SIZE,
          G_FILE_SET_CONTENTS_NONE, 0600, &error)) {
    fprintf (stderr, "%s\n", error->message);
    g_error_free (error);
    reached = false;
    goto done;
  }
  g_clear_pointer (&data, g_free);
  location = g_strdup_printf ("location=%s", path);

  for (guint k = 0; k < G_N_ELEMENTS (rows); k++) {
    const gchar *ours[] = { "gst-launch-1.0", "-q", "filesrc", location,
      "blocksize=65536", "!", rows[k].element, "!", "fakesink", NULL };
    const gchar *tool[5] = { NULL };
    struct file_run run = { (gchar **) ours, (gchar **) tool };
    struct bench_row row = { .name = rows[k].element,
      .data = "1 GiB of pseudo-random bytes",
      .packing = "file",
      .threads = 1,
      .backend = rows[k].tool[0],
      .target = rows[k].target,
      .direction = BENCH_AT_LEAST,
      .bytes = FILE_SIZE };
    gchar *program = g_find_program_in_path (rows[k].tool[0]);
    guint n = 0;

    if (program == NULL) {
      fprintf (stderr, "%s left out: no %s\n", rows[k].element,
          rows[k].tool[0]);
      continue;
    }
    g_free (program);
    for (; rows[k].tool[n] != NULL; n++)
      tool[n] = rows[k].tool[n];
    tool[n] = path;
    reached = bench_compare (&row, run_launch, run_tool, &run) && reached;
  }

done:
  remove (path);
  g_free (path);
  g_free (location);
  g_free (data);
  return reached;
}

int
main (int argc, char **argv)
{
  bool reached;

  gst_init (&argc, &argv);
  reached = compare_in_memory ();
  reached = compare_programs () && reached;
  return reached ? 0 : 1;
}
