/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_CHECKPOINT_H__
#define __GST_EEG_CHECKPOINT_H__

#include <gst/eeg/eeg-prelude.h>
#include <gst/eeg/gsteegbarrier.h>

G_BEGIN_DECLS

/**
 * GstEegCheckpointGeneration:
 * @GST_EEG_CHECKPOINT_GENERATION_NEWEST: the one that was stored last
 * @GST_EEG_CHECKPOINT_GENERATION_PREVIOUS: the one before it
 *
 * Which of the two checkpoints that a sidecar holds.
 */
typedef enum
{
  GST_EEG_CHECKPOINT_GENERATION_NEWEST = 0,
  GST_EEG_CHECKPOINT_GENERATION_PREVIOUS
} GstEegCheckpointGeneration;

#define GST_TYPE_EEG_CHECKPOINT_GENERATION                                     \
  (gst_eeg_checkpoint_generation_get_type ())
GST_EEG_API
GType gst_eeg_checkpoint_generation_get_type (void);

/**
 * GstEegCheckpoint:
 *
 * What a recording can go on from. The object is opaque, immutable and
 * reference-counted; any thread may use it.
 */
typedef struct _GstEegCheckpoint GstEegCheckpoint;

#define GST_TYPE_EEG_CHECKPOINT (gst_eeg_checkpoint_get_type ())
GST_EEG_API
GType gst_eeg_checkpoint_get_type (void);

GST_EEG_API
GstEegCheckpoint *gst_eeg_checkpoint_load (const gchar *path,
    GstEegCheckpointGeneration generation, GError **error);

GST_EEG_API
GPtrArray *gst_eeg_checkpoint_list (const gchar *path, GError **error);

GST_EEG_API
GstEegCheckpoint *gst_eeg_checkpoint_ref (GstEegCheckpoint *checkpoint);

GST_EEG_API
void gst_eeg_checkpoint_unref (GstEegCheckpoint *checkpoint);

GST_EEG_API
guint64 gst_eeg_checkpoint_get_id (const GstEegCheckpoint *checkpoint);

GST_EEG_API
gint64 gst_eeg_checkpoint_get_time (const GstEegCheckpoint *checkpoint);

GST_EEG_API
guint64 gst_eeg_checkpoint_get_sample_index (
    const GstEegCheckpoint *checkpoint);

GST_EEG_API
guint64 gst_eeg_checkpoint_get_look_back (const GstEegCheckpoint *checkpoint);

GST_EEG_API
gchar *gst_eeg_checkpoint_get_recording (const GstEegCheckpoint *checkpoint);

GST_EEG_API
guint gst_eeg_checkpoint_get_part (const GstEegCheckpoint *checkpoint);

GST_EEG_API
gboolean gst_eeg_checkpoint_is_complete (const GstEegCheckpoint *checkpoint);

GST_EEG_API
guint gst_eeg_checkpoint_get_retries (const GstEegCheckpoint *checkpoint);

GST_EEG_API
const gchar *gst_eeg_checkpoint_get_cpu_path (
    const GstEegCheckpoint *checkpoint);

GST_EEG_API
const guint8 *gst_eeg_checkpoint_get_settings (
    const GstEegCheckpoint *checkpoint);

GST_EEG_API
const GstEegBarrierInput *gst_eeg_checkpoint_get_input (
    const GstEegCheckpoint *checkpoint);

GST_EEG_API
const gchar *gst_eeg_checkpoint_get_output_path (
    const GstEegCheckpoint *checkpoint);

GST_EEG_API
guint64 gst_eeg_checkpoint_get_output_length (
    const GstEegCheckpoint *checkpoint);

GST_EEG_API
void gst_eeg_checkpoint_get_output_file (const GstEegCheckpoint *checkpoint,
    guint64 *device, guint64 *inode);

GST_EEG_API
const guint8 *gst_eeg_checkpoint_get_output_tail (
    const GstEegCheckpoint *checkpoint);

GST_EEG_API
guint gst_eeg_checkpoint_get_n_stages (const GstEegCheckpoint *checkpoint);

GST_EEG_API
const gchar *gst_eeg_checkpoint_get_stage_name (const GstEegCheckpoint
                                                    *checkpoint,
    guint index);

GST_EEG_API
const gchar *gst_eeg_checkpoint_get_stage_factory (const GstEegCheckpoint
                                                       *checkpoint,
    guint index);

GST_EEG_API
const gchar *gst_eeg_checkpoint_get_stage_settings (const GstEegCheckpoint
                                                        *checkpoint,
    guint index);

GST_EEG_API
gsize gst_eeg_checkpoint_get_stage_state_size (const GstEegCheckpoint
                                                   *checkpoint,
    guint index);

GST_EEG_API
gboolean gst_eeg_checkpoint_unwind (const gchar *path, guint64 id,
    GError **error);

GST_EEG_API
gboolean gst_eeg_unwind (GstElement *pipeline, guint64 id, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstEegCheckpoint, gst_eeg_checkpoint_unref)

G_END_DECLS

#endif /* __GST_EEG_CHECKPOINT_H__ */
