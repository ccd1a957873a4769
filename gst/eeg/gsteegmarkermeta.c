/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:gsteegmarkermeta
 * @title: GstEegMarkerMeta
 * @short_description: annotations on buffers
 *
 * Markers sit on the buffer where they fall. When a buffer is cut, a marker
 * goes to the fragment that holds its time: the first fragment also keeps those
 * before the buffer, the last one those after it, so that no cut loses or
 * doubles a marker. This takes time stamps as stream time, which holds for
 * `application/x-eeg-raw` behind elements of this project.
 */
#include "gsteegmarkermeta.h"

GType
gst_eeg_marker_meta_api_get_type (void)
{
  static gsize type = 0;
  static const gchar *tags[] = { NULL };

  if (g_once_init_enter (&type)) {
    GType new_type = gst_meta_api_type_register ("GstEegMarkerMetaAPI", tags);

    g_once_init_leave (&type, new_type);
  }
  return type;
}

static gboolean
gst_eeg_marker_meta_init (GstMeta *meta, gpointer params, GstBuffer *buffer)
{
  GstEegMarkerMeta *marker = (GstEegMarkerMeta *) meta;

  marker->time = GST_CLOCK_TIME_NONE;
  marker->duration = GST_CLOCK_TIME_NONE;
  marker->text = NULL;
  return TRUE;
}

static void
gst_eeg_marker_meta_free (GstMeta *meta, GstBuffer *buffer)
{
  GstEegMarkerMeta *marker = (GstEegMarkerMeta *) meta;

  g_clear_pointer (&marker->text, g_free);
}

/* Does the fragment of size bytes at offset of buffer hold the marker? */
static gboolean
fragment_holds (const GstEegMarkerMeta *marker, GstBuffer *buffer, gsize offset,
    gsize size)
{
  gsize total = gst_buffer_get_size (buffer);
  GstClockTime pts = GST_BUFFER_PTS (buffer);
  GstClockTime duration = GST_BUFFER_DURATION (buffer);
  gboolean is_first = offset == 0;
  gboolean is_last = size == (gsize) -1 || size >= total - MIN (offset, total);

  if (is_first && is_last)
    return TRUE;
  if (!GST_CLOCK_TIME_IS_VALID (pts) || !GST_CLOCK_TIME_IS_VALID (duration)
      || total == 0)
    return is_first;
  if (!is_first
      && marker->time < pts + gst_util_uint64_scale (duration, offset, total))
    return FALSE;
  return is_last
      || marker->time
      < pts + gst_util_uint64_scale (duration, offset + size, total);
}

static gboolean
gst_eeg_marker_meta_transform (GstBuffer *dest, GstMeta *meta,
    GstBuffer *buffer, GQuark type, gpointer data)
{
  GstEegMarkerMeta *marker = (GstEegMarkerMeta *) meta;

  if (GST_META_TRANSFORM_IS_COPY (type)) {
    GstMetaTransformCopy *copy = data;

    if (copy->region
        && !fragment_holds (marker, buffer, copy->offset, copy->size))
      return TRUE;
  }
  gst_buffer_add_eeg_marker_meta (dest, marker->time, marker->duration,
      marker->text);
  return TRUE;
}

const GstMetaInfo *
gst_eeg_marker_meta_get_info (void)
{
  static const GstMetaInfo *info = NULL;

  if (g_once_init_enter ((GstMetaInfo **) &info)) {
    const GstMetaInfo *new_info =
        gst_meta_register (GST_EEG_MARKER_META_API_TYPE, "GstEegMarkerMeta",
            sizeof (GstEegMarkerMeta), gst_eeg_marker_meta_init,
            gst_eeg_marker_meta_free, gst_eeg_marker_meta_transform);

    g_once_init_leave ((GstMetaInfo **) &info, (GstMetaInfo *) new_info);
  }
  return info;
}

/**
 * gst_buffer_add_eeg_marker_meta:
 * @buffer: a writable buffer
 * @time: stream time of the marker
 * @duration: its duration, or %GST_CLOCK_TIME_NONE
 * @text: its text, UTF-8; copied
 *
 * Returns: (transfer none): the new meta
 */
GstEegMarkerMeta *
gst_buffer_add_eeg_marker_meta (GstBuffer *buffer, GstClockTime time,
    GstClockTime duration, const gchar *text)
{
  GstEegMarkerMeta *marker;

  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);
  g_return_val_if_fail (text != NULL, NULL);

  marker = (GstEegMarkerMeta *) gst_buffer_add_meta (buffer,
      GST_EEG_MARKER_META_INFO, NULL);
  marker->time = time;
  marker->duration = duration;
  marker->text = g_strdup (text);
  return marker;
}

/**
 * gst_buffer_iterate_eeg_marker_meta:
 * @buffer: a buffer
 * @state: (inout): %NULL at first, then what the last call left
 *
 * Returns: (transfer none) (nullable): the next marker, in no fixed order
 */
GstEegMarkerMeta *
gst_buffer_iterate_eeg_marker_meta (GstBuffer *buffer, gpointer *state)
{
  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);
  g_return_val_if_fail (state != NULL, NULL);

  return (GstEegMarkerMeta *) gst_buffer_iterate_meta_filtered (buffer, state,
      GST_EEG_MARKER_META_API_TYPE);
}

/**
 * gst_buffer_copy_eeg_marker_meta:
 * @src: the buffer that a stage swallows
 * @dest: the writable buffer that is pushed next
 *
 * Copies all markers of @src to @dest.
 *
 * Returns: how many
 */
guint
gst_buffer_copy_eeg_marker_meta (GstBuffer *src, GstBuffer *dest)
{
  GstEegMarkerMeta *marker;
  gpointer state = NULL;
  guint n_markers = 0;

  g_return_val_if_fail (GST_IS_BUFFER (src) && GST_IS_BUFFER (dest), 0);

  while ((marker = gst_buffer_iterate_eeg_marker_meta (src, &state))) {
    gst_buffer_add_eeg_marker_meta (dest, marker->time, marker->duration,
        marker->text);
    n_markers++;
  }
  return n_markers;
}
