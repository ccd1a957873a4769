/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pipelines that run to their end, for benchmarks. */
#ifndef __GST_EEG_BENCHMARK_PLAY_H__
#define __GST_EEG_BENCHMARK_PLAY_H__

#include <gst/gst.h>

#include "benchmark.h"

/* Waits for the end of a pipeline that runs, and frees it. The seconds since
 * @start, negative after an error, which is printed. transfer full pipeline */
static inline double
bench_finish (GstElement *pipeline, double start)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  double seconds = bench_now () - start;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    GError *error = NULL;

    gst_message_parse_error (message, &error, NULL);
    fprintf (stderr, "%s\n", error->message);
    g_error_free (error);
    seconds = -1.0;
  }
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
  return seconds;
}

/* The seconds that a line takes, negative after an error. transfer full line */
static inline double
bench_play_line (gchar *line)
{
  GstElement *pipeline = gst_parse_launch (line, NULL);
  double start = bench_now ();

  g_free (line);
  if (pipeline == NULL)
    return -1.0;
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  return bench_finish (pipeline, start);
}

#endif /* __GST_EEG_BENCHMARK_PLAY_H__ */
