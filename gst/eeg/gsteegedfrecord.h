/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What edfdemux tells edfmux about a data record beyond samples and markers:
 * the very bytes of its annotations, and the markers made from them. As long as
 * those markers arrive unchanged, the muxer writes the same bytes again. In the
 * library because a meta is registered once in a process; not installed. */

#ifndef __GST_EEG_EDF_RECORD_H__
#define __GST_EEG_EDF_RECORD_H__

#include <gst/eeg/eeg-prelude.h>

G_BEGIN_DECLS

typedef struct
{
  GstClockTime time;
  GstClockTime duration;
  gchar *text;
  gboolean derived; /* from the Status signal, not from an annotation */
} GstEegEdfMarker;

/* Refcounted, and never changed once it is on a buffer */
typedef struct
{
  gint ref_count;      /* atomic */
  guint64 number;      /* of the record in its file */
  GstClockTime start;  /* stream time of its first sample */
  guint8 *annotations; /* bytes of all annotation signals, in their order */
  gsize size;
  GArray *markers; /* of GstEegEdfMarker */
} GstEegEdfRecord;

GST_EEG_API
GstEegEdfRecord *gst_eeg_edf_record_new (guint64 number, GstClockTime start,
    gsize annotation_bytes);
GST_EEG_API
GstEegEdfRecord *gst_eeg_edf_record_ref (GstEegEdfRecord *record);
GST_EEG_API
void gst_eeg_edf_record_unref (GstEegEdfRecord *record);
GST_EEG_API
void gst_eeg_edf_record_add_marker (GstEegEdfRecord *record, GstClockTime time,
    GstClockTime duration, const gchar *text, gboolean derived);

typedef struct
{
  GstMeta meta;

  GstEegEdfRecord *record;
} GstEegEdfRecordMeta;

GST_EEG_API
GType gst_eeg_edf_record_meta_api_get_type (void);
GST_EEG_API
const GstMetaInfo *gst_eeg_edf_record_meta_get_info (void);

GST_EEG_API
void gst_buffer_add_eeg_edf_record_meta (GstBuffer *buffer,
    GstEegEdfRecord *record);
GST_EEG_API
GstEegEdfRecord *gst_buffer_iterate_eeg_edf_record (GstBuffer *buffer,
    gpointer *state);

G_END_DECLS

#endif /* __GST_EEG_EDF_RECORD_H__ */
