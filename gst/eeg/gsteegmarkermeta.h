/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_MARKER_META_H__
#define __GST_EEG_MARKER_META_H__

#include <gst/eeg/eeg-prelude.h>

G_BEGIN_DECLS

typedef struct _GstEegMarkerMeta GstEegMarkerMeta;

/**
 * GstEegMarkerMeta:
 * @meta: parent
 * @time: stream time of the marker; may lie outside the buffer
 * @duration: its duration, or %GST_CLOCK_TIME_NONE
 * @text: its text, UTF-8
 *
 * An annotation. Its time is absolute, so that stages which re-stamp or
 * decimate leave it right.
 */
struct _GstEegMarkerMeta
{
  GstMeta meta;

  GstClockTime time;
  GstClockTime duration;
  gchar *text;
};

#define GST_EEG_MARKER_META_API_TYPE (gst_eeg_marker_meta_api_get_type ())
GST_EEG_API
GType gst_eeg_marker_meta_api_get_type (void);

#define GST_EEG_MARKER_META_INFO (gst_eeg_marker_meta_get_info ())
GST_EEG_API
const GstMetaInfo *gst_eeg_marker_meta_get_info (void);

GST_EEG_API
GstEegMarkerMeta *gst_buffer_add_eeg_marker_meta (GstBuffer *buffer,
    GstClockTime time, GstClockTime duration, const gchar *text);

GST_EEG_API
GstEegMarkerMeta *gst_buffer_iterate_eeg_marker_meta (GstBuffer *buffer,
    gpointer *state);

GST_EEG_API
guint gst_buffer_copy_eeg_marker_meta (GstBuffer *src, GstBuffer *dest);

G_END_DECLS

#endif /* __GST_EEG_MARKER_META_H__ */
