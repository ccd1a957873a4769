/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Live latency: 8 channels at 250 Hz in buffers of one sample (4 ms) through
 * calibration and filter into an application. Each buffer is due at an instant
 * that its time stamp and the pipeline's latency tell; a control thread wakes
 * at the same instants and does nothing. What the chain costs is how much later
 * than that thread a buffer arrives.
 *
 *   live-latency [SECONDS]
 */
#include <stdlib.h>
#include <time.h>

#include <gst/app/gstappsink.h>
#include <gst/gst.h>

#include "benchmark.h"

#define PERIOD (4 * GST_MSECOND)
#define WARM_UP 250 /* buffers */

#define LINE                                                                   \
  "eegsrc driver=synthetic is-live=true channels=8 rate=250/1 "                \
  "buffer-time=4000000 ! rawtovoltage ! "                                      \
  "firfilter mode=band-pass low=1 high=40 taps=101 ! "                         \
  "appsink name=sink sync=false"

struct control
{
  GstClock *clock;
  GstClockTime base_time;
  guint64 first;
  guint n;
  double *late;
  double cpu;
};

static double
thread_cpu_now (void)
{
  struct timespec t;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &t);
  return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

static gpointer
run_control (gpointer user_data)
{
  struct control *control = user_data;
  guint i;

  for (i = 0; i < control->n; i++) {
    GstClockTime due = control->base_time + (control->first + i) * PERIOD;
    GstClockID id = gst_clock_new_single_shot_id (control->clock, due);

    gst_clock_id_wait (id, NULL);
    control->late[i] =
        ((double) gst_clock_get_time (control->clock) - (double) due)
        / GST_SECOND;
    gst_clock_id_unref (id);
  }
  control->cpu = thread_cpu_now ();
  return NULL;
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
    .name = "live latency, p99 beyond a thread that only wakes up",
    .data = "synthetic EEG, 8 channels at 250 Hz",
    .packing = "S32LE in buffers of 4 ms",
    .backend = "eegsrc ! rawtovoltage ! firfilter ! appsink",
    .target = 1.0,
    .direction = BENCH_AT_MOST,
  };
  GstElement *pipeline, *sink;
  GstClockTime latency = 0;
  struct control control = { NULL };
  double *excess, cpu, start, p50, p99;
  guint n, i, compared = 0;
  GstSample *sample;
  GstQuery *query;
  GstPad *pad;
  GThread *thread = NULL;
  gboolean reached;

  gst_init (&argc, &argv);
  n = 250 * (argc > 1 ? MAX (atoi (argv[1]), 1) : 20);
  pipeline = gst_parse_launch (LINE, NULL);
  if (pipeline == NULL)
    return 1;
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  excess = g_new (double, n);
  control.late = g_new0 (double, n);
  control.n = n;
  gst_element_set_state (pipeline, GST_STATE_PLAYING);

  /* until the filter is full and every page was touched */
  for (i = 0; i < WARM_UP; i++) {
    sample = gst_app_sink_pull_sample (GST_APP_SINK (sink));
    if (sample == NULL) {
      fprintf (stderr, "the pipeline stopped\n");
      return 1;
    }
    gst_sample_unref (sample);
  }
  /* asked of the filter: a sink that does not synchronise says 0 */
  query = gst_query_new_latency ();
  pad = gst_element_get_static_pad (sink, "sink");
  if (!gst_pad_peer_query (pad, query)) {
    fprintf (stderr, "the filter does not tell its latency\n");
    return 1;
  }
  gst_query_parse_latency (query, NULL, &latency, NULL);
  gst_object_unref (pad);
  gst_query_unref (query);

  control.clock = gst_element_get_clock (pipeline);
  control.base_time = gst_element_get_base_time (pipeline);
  cpu = bench_cpu_now ();
  start = bench_now ();
  for (i = 0; i < n; i++) {
    GstBuffer *buffer;
    GstClockTime due, now;
    guint64 instant;

    sample = gst_app_sink_pull_sample (GST_APP_SINK (sink));
    now = gst_clock_get_time (control.clock) - control.base_time;
    if (sample == NULL)
      break;
    buffer = gst_sample_get_buffer (sample);
    due = GST_BUFFER_PTS (buffer) + latency;
    instant = (due + PERIOD / 2) / PERIOD;
    gst_sample_unref (sample);
    if (thread == NULL) {
      control.first = instant + 1;
      thread = g_thread_new ("control", run_control, &control);
      continue;
    }
    if (instant < control.first || instant - control.first >= n)
      continue;
    excess[compared] = ((double) now - (double) due) / GST_SECOND;
    compared++;
  }
  cpu = bench_cpu_now () - cpu;
  start = bench_now () - start;
  if (thread == NULL || compared == 0) {
    fprintf (stderr, "the pipeline stopped\n");
    return 1;
  }
  g_thread_join (thread);
  cpu -= control.cpu;
  /* buffers come in order and none is lost: the k-th is the k-th instant */
  for (i = 0; i < compared; i++)
    excess[i] -= control.late[i];

  p99 = percentile (excess, compared, 0.99) * 1e3;
  p50 = percentile (excess, compared, 0.5) * 1e3;
  row.rounds = compared;
  reached = bench_report (&row, p99, "ms");
  row.name = "live latency, median beyond a thread that only wakes up";
  reached = bench_report (&row, p50, "ms") && reached;
  row.name = "live CPU time of the chain";
  row.target = 2.0;
  reached = bench_report (&row, 100.0 * cpu / start, "% of a core") && reached;

  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (control.clock);
  gst_object_unref (sink);
  gst_object_unref (pipeline);
  g_free (excess);
  g_free (control.late);
  return reached ? 0 : 1;
}
