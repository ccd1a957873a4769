/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* eegpackdec as an element: the first byte of the input chooses how the rest is
 * cut and treated, and whether checksums are made right first, so that damage
 * comes further than to them. */
#include <gst/gst.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "eegpack.h"

#define MAX_OUTPUT (1 << 20)
/* Large blocks only take time. */
#define MAX_SAMPLES 65536

static gsize total;

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);
int LLVMFuzzerInitialize (int *argc, char ***argv);

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  gst_init (argc, argv);
  return 0;
}

/* FALSE: the header asks for more than a fuzzer has time for. */
static gboolean
prepare (guint8 *data, gsize size, gboolean repair)
{
  gsize at = EEG_EEGPACK_MAGIC_SIZE;

  while (at + EEG_EEGPACK_CHUNK_HEAD + EEG_EEGPACK_CHUNK_TAIL <= size) {
    guint32 n, sum;
    guint k;

    memcpy (&n, data + at + 4, 4);
    n = GUINT32_FROM_LE (n);

    if (n > size - at - EEG_EEGPACK_CHUNK_HEAD - EEG_EEGPACK_CHUNK_TAIL)
      break;
    if (data[at + 3] == EEG_EEGPACK_CHUNK_HEADER) {
      eeg_eegpack_header *header =
          eeg_eegpack_parse_header (data + at + EEG_EEGPACK_CHUNK_HEAD, n);
      gboolean small = TRUE;

      for (guint i = 0; header != NULL && i < header->n_streams; i++)
        small = small
            && (guint64) header->streams[i].channels
                    * header->streams[i].max_frames
                <= MAX_SAMPLES;
      eeg_eegpack_header_free (header);
      if (!small)
        return FALSE;
    }
    n += EEG_EEGPACK_CHUNK_HEAD;
    sum = eeg_eegpack_crc32c (0, data + at, n);
    for (k = 0; repair && k < 4; k++)
      data[at + n + k] = (guint8) (sum >> (8 * k));
    at += n + EEG_EEGPACK_CHUNK_TAIL;
  }
  return TRUE;
}

static GstFlowReturn
chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  total += gst_buffer_get_size (buffer);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static void
pad_added (GstElement *element, GstPad *pad, gpointer user_data)
{
  GstPad *sink = gst_pad_new (NULL, GST_PAD_SINK);

  gst_pad_set_chain_function (sink, chain);
  gst_pad_set_active (sink, TRUE);
  gst_pad_link (pad, sink);
  g_ptr_array_add (user_data, sink);
}

int
LLVMFuzzerTestOneInput (const uint8_t *input, size_t size)
{
  GstElement *element;
  GPtrArray *sinks;
  GstPad *src, *peer;
  GstSegment segment;
  guint8 options, *data;
  gsize step, at;
  GstCaps *caps;

  if (size == 0)
    return 0;
  options = input[0];
  size--;
  data = g_memdup2 (input + 1, size);
  element = gst_element_factory_make ("eegpackdec", NULL);
  if (element == NULL || !prepare (data, size, options & 4)) {
    gst_clear_object (&element);
    g_free (data);
    return 0;
  }
  total = 0;
  step = options & 2 ? 3 : 1 << 20;
  sinks = g_ptr_array_new ();
  g_object_set (element, "threads", 1, "salvage", (options & 1) != 0,
      "max-output-bytes", (guint64) MAX_OUTPUT, NULL);
  g_signal_connect (element, "pad-added", G_CALLBACK (pad_added), sinks);
  src = gst_pad_new (NULL, GST_PAD_SRC);
  gst_pad_set_active (src, TRUE);
  peer = gst_element_get_static_pad (element, "sink");
  gst_pad_link (src, peer);
  gst_object_unref (peer);
  gst_element_set_state (element, GST_STATE_PLAYING);
  caps = gst_caps_new_empty_simple ("application/x-eegpack");
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_pad_push_event (src, gst_event_new_stream_start ("fuzz"));
  gst_pad_push_event (src, gst_event_new_caps (caps));
  gst_pad_push_event (src, gst_event_new_segment (&segment));
  gst_caps_unref (caps);
  for (at = 0; at < size; at += step)
    if (gst_pad_push (src,
            gst_buffer_new_memdup (data + at, MIN (step, size - at)))
        != GST_FLOW_OK)
      break;
  gst_pad_push_event (src, gst_event_new_eos ());
  if (total > MAX_OUTPUT)
    abort ();
  gst_element_set_state (element, GST_STATE_NULL);
  gst_object_unref (src);
  gst_object_unref (element);
  for (at = 0; at < sinks->len; at++) {
    gst_pad_set_active (g_ptr_array_index (sinks, at), FALSE);
    gst_object_unref (g_ptr_array_index (sinks, at));
  }
  g_ptr_array_unref (sinks);
  g_free (data);
  return 0;
}
