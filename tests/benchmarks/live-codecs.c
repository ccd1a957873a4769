/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * 8 channels at 250 Hz, live, compressed, encrypted and summed: the CPU time
 * that it takes, and the worker threads that were started for it, which shall
 * be none. An argument is the seconds to run.
 */
#include <gst/gst.h>
#include <glib/gstdio.h>
#include <stdlib.h>

#include "benchmark.h"

#define LINE(compression)                                                                  \
  "eegsrc driver=synthetic channels=8 rate=250/1 is-live=true format=S24LE ! " compression \
  " name=compression ! "                                                                   \
  "aesgcmenc name=encryption segment-size=4096 ! blake3sum ! "                             \
  "fakesink sync=false"
#define BACKEND(compression)                                                   \
  "eegsrc ! " compression " ! aesgcmenc ! blake3sum ! fakesink"

static const struct
{
  const char *line, *backend, *name, *threads;
} lines[] = {
  { LINE ("zstdenc chunk-duration=1000000000"), BACKEND ("zstdenc"),
      "live CPU time through compression, encryption and checksum",
      "worker threads started for it" },
  { LINE ("eegpackenc"), BACKEND ("eegpackenc"),
      "live CPU time with eegpackenc as the compression",
      "worker threads started for that" },
};

static guint
count_threads (GstElement *pipeline, const gchar *name)
{
  GstElement *element = gst_bin_get_by_name (GST_BIN (pipeline), name);
  GstStructure *stats;
  guint threads = G_MAXUINT;

  g_object_get (element, "stats", &stats, NULL);
  gst_structure_get_uint (stats, "threads-started", &threads);
  gst_structure_free (stats);
  gst_object_unref (element);
  return threads;
}

static gboolean
measure (guint line, const gchar *key_file, double seconds)
{
  struct bench_row row = {
    .name = lines[line].name,
    .data = "synthetic EEG, 8 channels at 250 Hz",
    .packing = "S24LE in buffers of 20 ms",
    .backend = lines[line].backend,
    .target = 1.0,
    .direction = BENCH_AT_MOST,
  };
  GstElement *pipeline = gst_parse_launch (lines[line].line, NULL), *element;
  double cpu, start;
  gboolean reached;

  if (pipeline == NULL)
    return FALSE;
  element = gst_bin_get_by_name (GST_BIN (pipeline), "encryption");
  g_object_set (element, "key-file", key_file, NULL);
  gst_object_unref (element);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  /* until every page was touched */
  g_usleep (2 * G_USEC_PER_SEC);

  cpu = bench_cpu_now ();
  start = bench_now ();
  g_usleep ((gulong) (seconds * G_USEC_PER_SEC));
  cpu = bench_cpu_now () - cpu;
  start = bench_now () - start;
  reached = bench_report (&row, 100.0 * cpu / start, "% of a core");
  row.name = lines[line].threads;
  row.target = 0.0;
  reached &= bench_report (&row,
      count_threads (pipeline, "compression")
          + count_threads (pipeline, "encryption"),
      "threads");
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  return reached;
}

int
main (int argc, char **argv)
{
  gchar key[32], *path = NULL;
  gboolean reached = TRUE;
  double seconds;
  guint i;
  gint fd;

  gst_init (&argc, &argv);
  seconds = argc > 1 ? MAX (atoi (argv[1]), 1) : 20;
  for (i = 0; i < sizeof key; i++)
    key[i] = (gchar) g_random_int ();
  fd = g_file_open_tmp ("gsteeg-bench-XXXXXX", &path, NULL);
  if (fd < 0 || !g_close (fd, NULL)
      || !g_file_set_contents_full (path, key, sizeof key,
          G_FILE_SET_CONTENTS_NONE, 0600, NULL))
    return 1;
  for (i = 0; i < G_N_ELEMENTS (lines); i++)
    reached = measure (i, path, seconds) && reached;
  remove (path);
  g_free (path);
  return reached ? 0 : 1;
}
