/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes in memory through an element, for benchmarks. */
#ifndef __GST_EEG_BENCHMARK_PIPELINE_H__
#define __GST_EEG_BENCHMARK_PIPELINE_H__

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>

#include "benchmark.h"
#include "play.h"

/* The data goes in by buffers of this size, as a file is read by large blocks:
 * most chunks lie in one of them. */
#ifndef BENCH_BUFFER_SIZE
#define BENCH_BUFFER_SIZE (4 * 1024 * 1024)
#endif

#define BENCH_BDF_LINE                                                         \
  "eegsrc driver=synthetic channels=64 rate=1000/1 format=S24LE "              \
  "num-samples=250000 ! edfmux ! appsink name=sink sync=false"

/* Plays @in @passes times as one stream through @element, to nowhere or into
 * @out. @key_file is for ciphers. The seconds it took, negative after an
 * error. */
static inline double
bench_play (const gchar *element, guint threads, const gchar *key_file,
    const GByteArray *in, guint passes, GByteArray *out)
{
  gchar *launch = g_strdup_printf ("appsrc name=src format=bytes max-bytes=0 "
                                   "! %s name=codec threads=%u ! %s",
      element, threads,
      out ? "appsink name=sink sync=false"
          : "fakesink sync=false enable-last-sample=false");
  GstElement *pipeline = gst_parse_launch (launch, NULL);
  GstElement *src = gst_bin_get_by_name (GST_BIN (pipeline), "src");
  GstElement *codec = gst_bin_get_by_name (GST_BIN (pipeline), "codec");
  static const gchar *const secrets[] = { "key-file", "passphrase-file" };
  double start;
  gsize pos;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (secrets); i++)
    if (g_object_class_find_property (G_OBJECT_GET_CLASS (codec), secrets[i]))
      g_object_set (codec, secrets[i], key_file, NULL);
  gst_object_unref (codec);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  start = bench_now ();
  for (; passes > 0; passes--)
    for (pos = 0; pos < in->len; pos += BENCH_BUFFER_SIZE) {
      gsize size = MIN (BENCH_BUFFER_SIZE, in->len - pos);

      gst_app_src_push_buffer (GST_APP_SRC (src),
          gst_buffer_new_wrapped_full (GST_MEMORY_FLAG_READONLY, in->data + pos,
              size, 0, size, NULL, NULL));
    }
  gst_app_src_end_of_stream (GST_APP_SRC (src));
  if (out != NULL) {
    GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
    GstSample *sample;

    while ((sample = gst_app_sink_pull_sample (GST_APP_SINK (sink)))) {
      GstMapInfo map;

      gst_buffer_map (gst_sample_get_buffer (sample), &map, GST_MAP_READ);
      g_byte_array_append (out, map.data, (guint) map.size);
      gst_buffer_unmap (gst_sample_get_buffer (sample), &map);
      gst_sample_unref (sample);
    }
    gst_object_unref (sink);
  }
  gst_object_unref (src);
  g_free (launch);
  return bench_finish (pipeline, start);
}

/* BDF of 64 channels with 24 bits, 48 MB. */
static inline GByteArray *
bench_make_bdf (void)
{
  GstElement *pipeline = gst_parse_launch (BENCH_BDF_LINE, NULL);
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GByteArray *data = g_byte_array_new ();
  GstSample *sample;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while ((sample = gst_app_sink_pull_sample (GST_APP_SINK (sink)))) {
    GstMapInfo map;

    gst_buffer_map (gst_sample_get_buffer (sample), &map, GST_MAP_READ);
    g_byte_array_append (data, map.data, (guint) map.size);
    gst_buffer_unmap (gst_sample_get_buffer (sample), &map);
    gst_sample_unref (sample);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (sink);
  gst_object_unref (pipeline);
  return data;
}

#endif
