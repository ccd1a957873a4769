/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_CHECKPOINTER_H__
#define __GST_EEG_CHECKPOINTER_H__

#include <gst/eeg/eeg.h>

#include "checkpoint.h"
#include "durable.h"

G_BEGIN_DECLS

/*
 * What a sink needs to know of the pipeline before it, for its checkpoints.
 * Errors are set as they shall be posted.
 */

/*
 * Finds all stages that a barrier comes by on its way to @sink_pad, the nearest
 * first. NULL with @error set if there is an element that holds state and cannot
 * save it, or no source that can go on.
 */
GPtrArray *gst_eeg_checkpointer_find_stages (GstPad *sink_pad, GError **error);

/*
 * Makes the checkpoint of a barrier, or with no @barrier the one before the
 * stream. Its output is still to be filled in, but for the path. NULL with
 * @error set if a stage did not add its state.
 */
EegCheckpoint *gst_eeg_checkpointer_make (GPtrArray *stages,
    GstEegBarrier *barrier, const guint8 *recording, const gchar *path,
    GError **error);

/* Fills in the end of the first @length bytes of @file. */
gboolean gst_eeg_checkpointer_set_output (EegCheckpoint *checkpoint,
    EegDurableFile *file, guint64 length);

/* Is @file as long as the checkpoint says, and does it end as it says there? */
gboolean gst_eeg_checkpointer_fits_file (const EegCheckpoint *checkpoint,
    EegDurableFile *file);

/* The same of a finished file, which may not be any longer. */
gboolean gst_eeg_checkpointer_fits_path (const EegCheckpoint *checkpoint,
    const gchar *path);

/* FALSE with @error set if these are other stages, or other settings, than at
 * the checkpoint. */
gboolean gst_eeg_checkpointer_compare (const EegCheckpoint *checkpoint,
    GPtrArray *stages, GError **error);

/* Hands their states to the stages, which were compared. */
gboolean gst_eeg_checkpointer_restore (const EegCheckpoint *checkpoint,
    GPtrArray *stages, GError **error);

G_END_DECLS

#endif /* __GST_EEG_CHECKPOINTER_H__ */
