/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_PARTS_H__
#define __GST_EEG_PARTS_H__

#include <gst/eeg/eeg.h>

#include "checkpoint.h"

G_BEGIN_DECLS

/*
 * What a sink that cuts its recording into parts needs to know of the pipeline
 * before it, and of the parts that are there already.
 */

/* The newest part on disk. */
typedef struct
{
  guint64 number; /* 0: there is none */
  gboolean unfinished;
  gint64 written; /* when it was last, microseconds since 1970 */
} GstEegPartsFound;

/*
 * Finds all stages before @sink_pad, the nearest first. NULL with @error set if
 * one cannot end a part, nobody sends barriers, or there is a cipher and no
 * place for a label before it. *@is_live: the source cannot give out anything
 * twice.
 */
GPtrArray *gst_eeg_parts_find_stages (GstPad *sink_pad, gboolean *is_live,
    GError **error);

/* Tells the stages what the first part is, and one of them to write labels;
 * NULL: that there are no parts any more. */
void gst_eeg_parts_tell (GPtrArray *stages, const GstEegPart *part);

/* Looks for parts by the name of @location, whole ones and others. */
gboolean gst_eeg_parts_find_last (const gchar *location,
    GstEegPartsFound *found, GError **error);

/* Throws away what is there of parts behind @number, but for whole ones. */
void gst_eeg_parts_remove_unfinished (const gchar *location, guint64 number);

/* The stage of @stages that writes labels, or NULL. */
GstEegStage *gst_eeg_parts_find_label_stage (GPtrArray *stages);

/* Writes to a checkpoint which part comes next, as a state of @sink. */
gboolean gst_eeg_parts_save (EegCheckpoint *checkpoint, GstElement *sink,
    const GstEegPart *next);

/* Reads that. FALSE with the reason: it is not there, or not of this version.
 */
gboolean gst_eeg_parts_restore (const EegCheckpoint *checkpoint,
    GstEegPart *next, const gchar **reason);

G_END_DECLS

#endif /* __GST_EEG_PARTS_H__ */
