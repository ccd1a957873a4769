/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the benchmarks of sample stages share: an element between two pads of
 * ours, fed with buffers of the arena's memory. */
#ifndef __GST_EEG_SAMPLE_RIG_H__
#define __GST_EEG_SAMPLE_RIG_H__

#include <gst/eeg/eeg.h>

#include "benchmark.h"

#define RATE 1000
#define CHANNELS 64
#define FRAMES 4096
#define BUFFER_BYTES (FRAMES * CHANNELS * 4)

static guint8 *arena;

/* An element between two pads of ours. Buffers are made of the arena's memory
 * and thrown away behind it. */
typedef struct
{
  GstElement *element;
  GstPad *src, *sink;
  guint64 frames;
  gsize bytes_out;
} Rig;

static GstFlowReturn
take_buffer (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  Rig *rig = gst_pad_get_element_private (pad);

  rig->bytes_out += gst_buffer_get_size (buffer);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static void
rig_init (Rig *rig, GstElement *element, GstCaps *caps)
{
  GstPad *pad;
  GstSegment segment;

  rig->element = gst_object_ref_sink (element);
  rig->frames = 0;
  rig->src = gst_pad_new ("src", GST_PAD_SRC);
  rig->sink = gst_pad_new ("sink", GST_PAD_SINK);
  gst_pad_set_element_private (rig->sink, rig);
  gst_pad_set_chain_function (rig->sink, take_buffer);
  gst_pad_set_active (rig->src, TRUE);
  gst_pad_set_active (rig->sink, TRUE);
  pad = gst_element_get_static_pad (element, "sink");
  gst_pad_link (rig->src, pad);
  gst_object_unref (pad);
  pad = gst_element_get_static_pad (element, "src");
  gst_pad_link (pad, rig->sink);
  gst_object_unref (pad);
  gst_element_set_state (element, GST_STATE_PLAYING);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (rig->src, gst_event_new_stream_start ("benchmark"));
  gst_pad_push_event (rig->src, gst_event_new_caps (caps));
  gst_pad_push_event (rig->src, gst_event_new_segment (&segment));
  gst_caps_unref (caps);
}

static void
rig_clear (Rig *rig)
{
  gst_element_set_state (rig->element, GST_STATE_NULL);
  gst_object_unref (rig->src);
  gst_object_unref (rig->sink);
  gst_object_unref (rig->element);
}

static double
rig_push (Rig *rig, guint n_buffers, guint frames)
{
  double start;
  guint i;

  start = bench_now ();
  for (i = 0; i < n_buffers; i++) {
    GstBuffer *buffer = gst_buffer_new ();

    gst_buffer_append_memory (buffer,
        gst_memory_new_wrapped (0, arena + (gsize) i * BUFFER_BYTES,
            BUFFER_BYTES, 0, BUFFER_BYTES, NULL, NULL));
    GST_BUFFER_OFFSET (buffer) = rig->frames;
    GST_BUFFER_PTS (buffer) =
        gst_util_uint64_scale (rig->frames, GST_SECOND, RATE);
    rig->frames += frames;
    GST_BUFFER_OFFSET_END (buffer) = rig->frames;
    GST_BUFFER_DURATION (buffer) =
        gst_util_uint64_scale (frames, GST_SECOND, RATE);
    if (gst_pad_push (rig->src, buffer) != GST_FLOW_OK)
      return -1;
  }
  return bench_now () - start;
}

static GstCaps *
eeg_caps_of (GstEegFormat format, GstEegDomain domain, guint channels,
    guint rate)
{
  GstEegChannel *rows = g_new (GstEegChannel, channels);
  gchar (*labels)[8] = g_malloc ((gsize) channels * 8);
  GstEegChannels *table;
  GstEegInfo info;
  GstCaps *caps;
  guint i;

  for (i = 0; i < channels; i++) {
    g_snprintf (labels[i], sizeof labels[i], "C%u", i);
    rows[i] = (GstEegChannel){ .label = labels[i],
      .type = GST_EEG_CHANNEL_TYPE_EEG,
      .unit = "uV",
      .physical_min = -187500 - (gdouble) i,
      .physical_max = 187500,
      .digital_min = -8388608,
      .digital_max = 8388607 };
  }
  table = gst_eeg_channels_new (rows, channels);
  gst_eeg_info_init (&info);
  gst_eeg_info_set (&info, format, domain, rate, 1, channels, table);
  caps = gst_eeg_info_to_caps (&info);
  gst_eeg_info_clear (&info);
  gst_eeg_channels_unref (table);
  g_free (rows);
  g_free (labels);
  return caps;
}

static inline GstCaps *
eeg_caps (GstEegFormat format, GstEegDomain domain)
{
  return eeg_caps_of (format, domain, CHANNELS, RATE);
}

static void
fill_arena (gboolean floats, guint n_buffers)
{
  gsize i, n = (gsize) n_buffers * BUFFER_BYTES / 4;

  for (i = 0; i < n; i++) {
    guint32 noise = (guint32) (i * 2654435761u);

    if (floats)
      ((gfloat *) arena)[i] = (gfloat) (gint32) noise / 1e7f;
    else
      ((gint32 *) arena)[i] = (gint32) noise >> 8;
  }
}

#endif /* __GST_EEG_SAMPLE_RIG_H__ */
