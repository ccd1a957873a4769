/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gsteegedfrecord.h"

static void
clear_marker (gpointer item)
{
  g_free (((GstEegEdfMarker *) item)->text);
}

/* transfer full; the annotation bytes are still to be filled in */
GstEegEdfRecord *
gst_eeg_edf_record_new (guint64 number, GstClockTime start,
    gsize annotation_bytes)
{
  GstEegEdfRecord *record = g_new0 (GstEegEdfRecord, 1);

  record->ref_count = 1;
  record->number = number;
  record->start = start;
  record->annotations = g_malloc (annotation_bytes);
  record->size = annotation_bytes;
  record->markers = g_array_new (FALSE, FALSE, sizeof (GstEegEdfMarker));
  g_array_set_clear_func (record->markers, clear_marker);
  return record;
}

GstEegEdfRecord *
gst_eeg_edf_record_ref (GstEegEdfRecord *record)
{
  g_atomic_int_inc (&record->ref_count);
  return record;
}

void
gst_eeg_edf_record_unref (GstEegEdfRecord *record)
{
  if (!g_atomic_int_dec_and_test (&record->ref_count))
    return;
  g_free (record->annotations);
  g_array_unref (record->markers);
  g_free (record);
}

void
gst_eeg_edf_record_add_marker (GstEegEdfRecord *record, GstClockTime time,
    GstClockTime duration, const gchar *text, gboolean derived)
{
  GstEegEdfMarker marker = { time, duration, g_strdup (text), derived };

  g_array_append_val (record->markers, marker);
}

GType
gst_eeg_edf_record_meta_api_get_type (void)
{
  static gsize type = 0;
  static const gchar *tags[] = { NULL };

  if (g_once_init_enter (&type)) {
    GType new_type =
        gst_meta_api_type_register ("GstEegEdfRecordMetaAPI", tags);

    g_once_init_leave (&type, new_type);
  }
  return type;
}

static gboolean
gst_eeg_edf_record_meta_init (GstMeta *meta, gpointer params, GstBuffer *buffer)
{
  ((GstEegEdfRecordMeta *) meta)->record = NULL;
  return TRUE;
}

static void
gst_eeg_edf_record_meta_free (GstMeta *meta, GstBuffer *buffer)
{
  g_clear_pointer (&((GstEegEdfRecordMeta *) meta)->record,
      gst_eeg_edf_record_unref);
}

/* Each fragment of a cut buffer keeps it: the muxer knows records by number. */
static gboolean
gst_eeg_edf_record_meta_transform (GstBuffer *dest, GstMeta *meta,
    GstBuffer *buffer, GQuark type, gpointer data)
{
  gst_buffer_add_eeg_edf_record_meta (dest,
      ((GstEegEdfRecordMeta *) meta)->record);
  return TRUE;
}

const GstMetaInfo *
gst_eeg_edf_record_meta_get_info (void)
{
  static const GstMetaInfo *info = NULL;

  if (g_once_init_enter ((GstMetaInfo **) &info)) {
    const GstMetaInfo *new_info =
        gst_meta_register (gst_eeg_edf_record_meta_api_get_type (),
            "GstEegEdfRecordMeta", sizeof (GstEegEdfRecordMeta),
            gst_eeg_edf_record_meta_init, gst_eeg_edf_record_meta_free,
            gst_eeg_edf_record_meta_transform);

    g_once_init_leave ((GstMetaInfo **) &info, (GstMetaInfo *) new_info);
  }
  return info;
}

void
gst_buffer_add_eeg_edf_record_meta (GstBuffer *buffer, GstEegEdfRecord *record)
{
  GstEegEdfRecordMeta *meta =
      (GstEegEdfRecordMeta *) gst_buffer_add_meta (buffer,
          gst_eeg_edf_record_meta_get_info (), NULL);

  meta->record = gst_eeg_edf_record_ref (record);
}

/* transfer none; NULL: no more */
GstEegEdfRecord *
gst_buffer_iterate_eeg_edf_record (GstBuffer *buffer, gpointer *state)
{
  GstEegEdfRecordMeta *meta =
      (GstEegEdfRecordMeta *) gst_buffer_iterate_meta_filtered (buffer, state,
          gst_eeg_edf_record_meta_api_get_type ());

  return meta != NULL ? meta->record : NULL;
}
