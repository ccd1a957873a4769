/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_CHECKPOINTER_H__
#define __GST_EEG_CHECKPOINTER_H__

#include <gst/eeg/eeg.h>

#include "checkpoint.h"
#include "durable.h"

G_BEGIN_DECLS

/* In place of a factory: what the sink itself saved, behind all stages. */
#define GST_EEG_CHECKPOINTER_PARTS "parts"

/*
 * What a sink needs to know of the pipeline before it, for its checkpoints.
 * Errors are set as they shall be posted.
 */

/*
 * Finds all stages that a barrier comes by on its way to @sink_pad, the nearest
 * first, and with them capsfilters, on which their output may depend. NULL with
 * @error set if there is an element that holds state and cannot save it, or no
 * source that can go on. With @parts, whether they can save their states is not
 * looked at.
 */
GPtrArray *gst_eeg_checkpointer_find_stages (GstPad *sink_pad, gboolean parts,
    GError **error);

/* Whether a source sends barriers without being asked. */
gboolean gst_eeg_checkpointer_sends_barriers (GstEegStage *stage);

/* Do source pads of a stage come when it has seen its file? */
gboolean gst_eeg_checkpointer_is_demuxer (GstElement *element);

/*
 * Finds all elements without an output behind the tees that feed @sink_pad, its
 * own one too. NULL with @error set if there is a pad that is not linked.
 */
GPtrArray *gst_eeg_checkpointer_find_sinks (GstPad *sink_pad, GError **error);

/* Makes the identity of a recording: a random UUID (RFC 4122, version 4). */
void gst_eeg_checkpointer_make_recording (guint8 *recording);

/*
 * Makes the checkpoint of a barrier, or with no @barrier the one before the
 * stream. Its output is still to be filled in, but for the path. NULL with
 * @error set if a stage did not add its state. @parts: it is where a part
 * begins. Without @stages it says nothing of them.
 */
EegCheckpoint *gst_eeg_checkpointer_make (GPtrArray *stages, gboolean parts,
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

/* Is this of a recording in parts by a source that cannot give anything again?
 * It says nothing of stages then. */
gboolean gst_eeg_checkpointer_is_live (const EegCheckpoint *checkpoint);

/* FALSE with @error set if these are other stages, or other settings, than at
 * the checkpoint. */
gboolean gst_eeg_checkpointer_compare (const EegCheckpoint *checkpoint,
    GPtrArray *stages, gboolean parts, GError **error);

/* Hands their states to the stages, which were compared; at the end of the last
 * part only to those that do not end parts: the source looks at its input once
 * more. */
gboolean gst_eeg_checkpointer_restore (const EegCheckpoint *checkpoint,
    GPtrArray *stages, gboolean at_end, GError **error);

G_END_DECLS

#endif /* __GST_EEG_CHECKPOINTER_H__ */
