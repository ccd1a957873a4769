/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What checkpoints cost in latency: 8 channels at 250 Hz in buffers of one
 * sample (4 ms), let go by the clock, through calibration and filter into BDF
 * on disk, with a checkpoint each second and without. What counts is when a
 * buffer and all that it caused is done, down to the disk, against a control
 * thread that wakes at the same instants and does nothing. A live source cannot
 * give samples again and has no checkpoints of this kind: a pace behind a
 * source that can stands for it.
 *
 *   live-checkpoint [SECONDS]
 */
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <stdlib.h>

#include "benchmark.h"

#define PERIOD (4 * GST_MSECOND)
#define WARM_UP 300 /* buffers */
#define ROUNDS 4    /* of each side, in turns */

#define LINE                                                                   \
  "eegsrc channels=8 rate=250/1 buffer-time=4000000 num-samples=%u "           \
  "checkpoint-interval=250 ! identity sync=true ! rawtovoltage name=first ! "  \
  "firfilter mode=band-pass low=1 high=40 taps=101 ! edfmux ! "                \
  "eegfilesink name=sink checkpoint=%s sync-time=%s location=%s/out"

struct run
{
  GstElement *pipeline;
  GstPadChainFunction chain;
  GstClock *clock;
  GstClockTime base_time;
  guint n; /* buffers that are measured */
  guint seen;
  double *late;
  double *control;
};

static struct run run;

static double
get_lateness (GstClockTime due)
{
  return ((double) gst_clock_get_time (run.clock) - (double) due) / GST_SECOND;
}

static GstClockTime
get_due (guint i)
{
  return run.base_time + (WARM_UP + i) * PERIOD;
}

/* In the place of the chain function behind the pace. */
static GstFlowReturn
timed_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstFlowReturn flow = run.chain (pad, parent, buffer);

  if (run.seen >= WARM_UP && run.seen - WARM_UP < run.n)
    run.late[run.seen - WARM_UP] = get_lateness (get_due (run.seen - WARM_UP));
  run.seen++;
  return flow;
}

static gpointer
run_control (gpointer user_data)
{
  guint i;

  for (i = 0; i < run.n; i++) {
    GstClockID id = gst_clock_new_single_shot_id (run.clock, get_due (i));

    gst_clock_id_wait (id, NULL);
    run.control[i] = get_lateness (get_due (i));
    gst_clock_id_unref (id);
  }
  return NULL;
}

static void
remove_files (const gchar *folder)
{
  static const gchar *const names[] = { "out", "out.part", "out.checkpoint",
    "out.checkpoint.old" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (names); i++) {
    gchar *path = g_build_filename (folder, names[i], NULL);

    g_unlink (path);
    g_free (path);
  }
}

/* Fills @late with what was beyond the control thread. FALSE after an error. */
static gboolean
play (const gchar *folder, gboolean checkpoint, guint n, double *late)
{
  gchar *line = g_strdup_printf (LINE, WARM_UP + n + 1,
      checkpoint ? "true" : "false", "1000000000", folder);
  GstElement *first, *sink;
  GstMessage *message;
  guint64 stored = 0;
  GThread *thread;
  GstStructure *s;
  gboolean ok;
  GstBus *bus;
  GstPad *pad;
  guint i;

  remove_files (folder);
  run.pipeline = gst_parse_launch (line, NULL);
  g_free (line);
  if (run.pipeline == NULL)
    return FALSE;
  first = gst_bin_get_by_name (GST_BIN (run.pipeline), "first");
  sink = gst_bin_get_by_name (GST_BIN (run.pipeline), "sink");
  pad = gst_element_get_static_pad (first, "sink");
  bus = gst_element_get_bus (run.pipeline);
  run.chain = GST_PAD_CHAINFUNC (pad);
  run.n = n;
  run.seen = 0;
  run.late = late;
  run.control = g_new0 (double, n);
  gst_pad_set_chain_function (pad, timed_chain);

  /* a pace begins when the clock does, and the sink waits for its first
   * bytes */
  run.clock = gst_system_clock_obtain ();
  gst_pipeline_use_clock (GST_PIPELINE (run.pipeline), run.clock);
  gst_element_set_start_time (run.pipeline, GST_CLOCK_TIME_NONE);
  run.base_time = gst_clock_get_time (run.clock) + 50 * GST_MSECOND;
  gst_element_set_base_time (run.pipeline, run.base_time);
  g_object_set (sink, "async", FALSE, NULL);
  gst_element_set_state (run.pipeline, GST_STATE_PLAYING);
  thread = g_thread_new ("control", run_control, NULL);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  ok = GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
  gst_message_unref (message);
  g_thread_join (thread);
  g_object_get (sink, "stats", &s, NULL);
  ok = ok && gst_structure_get_uint64 (s, "checkpoints", &stored);
  gst_structure_free (s);
  /* one a second; those of the filter's delay and of the end may be missing */
  if (ok && checkpoint && stored + 3 < n / 250) {
    fprintf (stderr, "only %" G_GUINT64_FORMAT " checkpoints\n", stored);
    ok = FALSE;
  }
  gst_element_set_state (run.pipeline, GST_STATE_NULL);
  for (i = 0; i < n; i++)
    late[i] -= run.control[i];
  g_free (run.control);
  gst_object_unref (run.clock);
  gst_object_unref (bus);
  gst_object_unref (pad);
  gst_object_unref (first);
  gst_object_unref (sink);
  gst_object_unref (run.pipeline);
  remove_files (folder);
  return ok;
}

static double
percentile (double *values, guint n, double share)
{
  qsort (values, n, sizeof (double), bench_compare_doubles);
  return values[MIN ((guint) (share * n), n - 1)];
}

int
main (int argc, char **argv)
{
  struct bench_row row = {
    .name = "live checkpoints each second: p99 of the latency beyond that "
            "without",
    .data = "synthetic EEG, 8 channels at 250 Hz",
    .packing = "BDF of buffers of 4 ms",
    .backend = "rawtovoltage ! firfilter ! edfmux ! eegfilesink",
    .target = 1.0,
    .direction = BENCH_AT_MOST,
  };
  gchar *folder = g_dir_make_tmp ("gsteeg-bench-XXXXXX", NULL);
  double *late[2], with, without;
  gboolean ok = folder != NULL;
  guint n, i;

  gst_init (&argc, &argv);
  n = 250 * (argc > 1 ? MAX (atoi (argv[1]), 4) : 48) / (2 * ROUNDS);
  for (i = 0; i < 2; i++)
    late[i] = g_new0 (double, n *ROUNDS);
  for (i = 0; i < 2 * ROUNDS && ok; i++)
    ok = play (folder, i % 2, n, late[i % 2] + n * (i / 2));
  if (!ok) {
    fprintf (stderr, "the pipeline stopped\n");
    return 1;
  }
  without = percentile (late[0], n * ROUNDS, 0.99) * 1e3;
  with = percentile (late[1], n * ROUNDS, 0.99) * 1e3;
  row.rounds = n * ROUNDS;
  ok = bench_report (&row, with - without, "ms");
  row.name = "live recording with checkpoints, p99 beyond a thread that only "
             "wakes up";
  row.target = 0.0;
  row.direction = BENCH_AT_LEAST;
  bench_report (&row, with, "ms");
  row.name = "live recording without, p99 beyond a thread that only wakes up";
  bench_report (&row, without, "ms");
  g_rmdir (folder);
  g_free (folder);
  g_free (late[0]);
  g_free (late[1]);
  return ok ? 0 : 1;
}
