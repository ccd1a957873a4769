/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * eeg-appsink [RECORDING]: an application that takes calibrated samples out of
 * a pipeline and prints the root mean square of each channel.
 *
 * Build: cc eeg-appsink.c $(pkg-config --cflags --libs gsteeg-1.0
 * gstreamer-app-1.0) -lm
 */
#include <math.h>
#include <stdio.h>

#include <gst/app/gstappsink.h>
#include <gst/gst.h>

#include <gst/eeg/eeg.h>

static void
add_squares (GstSample *sample, const GstEegInfo *info, gdouble *squares)
{
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  const gfloat *values;
  GstMapInfo map;
  gsize i;

  if (!gst_buffer_map (buffer, &map, GST_MAP_READ))
    return;
  values = (const gfloat *) map.data;
  for (i = 0; i < map.size / sizeof (gfloat); i++)
    squares[i % info->channels] += (gdouble) values[i] * values[i];
  gst_buffer_unmap (buffer, &map);
}

int
main (int argc, char **argv)
{
  GstElement *pipeline, *source, *sink;
  GstSample *sample;
  GstMessage *message;
  GstBus *bus;
  GError *error = NULL;
  GstEegInfo info;
  gdouble *squares = NULL;
  guint64 frames = 0;
  int status = 0;
  gint c;

  gst_init (&argc, &argv);
  pipeline = gst_parse_launch ("eegsrc name=source ! rawtovoltage ! "
                               "application/x-eeg-raw,format=F32LE ! "
                               "appsink name=sink sync=false",
      &error);
  if (error != NULL) {
    fprintf (stderr, "error: %s\n", error->message);
    return 1;
  }
  source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  if (argc > 1) {
    g_object_set (source, "location", argv[1], NULL);
  } else {
    gst_util_set_object_arg (G_OBJECT (source), "driver", "synthetic");
    gst_util_set_object_arg (G_OBJECT (source), "num-samples", "2500");
  }

  gst_eeg_info_init (&info);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (;;) {
    sample =
        gst_app_sink_try_pull_sample (GST_APP_SINK (sink), GST_SECOND / 10);
    if (sample == NULL) {
      /* none yet, or the end, or an error */
      message = gst_bus_timed_pop_filtered (bus, GST_SECOND / 100,
          GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
      if (message != NULL)
        break;
      continue;
    }
    if (squares == NULL) {
      /* the caps say what the samples are, the table what the channels are */
      gst_eeg_info_from_caps (&info, gst_sample_get_caps (sample));
      squares = g_new0 (gdouble, info.channels);
    }
    add_squares (sample, &info, squares);
    frames += gst_buffer_get_size (gst_sample_get_buffer (sample))
        / info.bytes_per_frame;
    gst_sample_unref (sample);
  }

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, NULL);
    fprintf (stderr, "error: %s\n", error->message);
    g_error_free (error);
    status = 1;
  }
  gst_message_unref (message);
  for (c = 0; squares != NULL && c < info.channels; c++) {
    const GstEegChannel *channel = gst_eeg_channels_get (info.channel_table, c);

    printf ("%s: %.3f %s\n", channel->label, sqrt (squares[c] / frames),
        channel->unit);
  }

  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_eeg_info_clear (&info);
  g_free (squares);
  gst_object_unref (bus);
  gst_object_unref (sink);
  gst_object_unref (source);
  gst_object_unref (pipeline);
  return status;
}
