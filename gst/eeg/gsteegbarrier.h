/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_BARRIER_H__
#define __GST_EEG_BARRIER_H__

#include <gst/eeg/eeg-prelude.h>
#include <gst/eeg/gsteegpart.h>
#include <gst/eeg/gsteegstage.h>

G_BEGIN_DECLS

/**
 * GST_EEG_BARRIER_HASH_SIZE:
 *
 * Bytes of a BLAKE3 or SHA-256 digest.
 */
#define GST_EEG_BARRIER_HASH_SIZE 32

typedef struct _GstEegBarrierInput GstEegBarrierInput;

/**
 * GstEegBarrierInput:
 * @path: (nullable): file that the source reads
 * @position: bytes of it that went before the barrier, or %G_MAXUINT64 if the
 *     source is no file
 * @size: bytes of the file
 * @mtime: when it was changed last, nanoseconds since 1970
 * @device: number of its file system
 * @inode: its number there
 * @head: hash of its first 64 KiB, BLAKE3 or SHA-256 as the source likes
 * @tail: the same of its last 64 KiB
 *
 * What the source reads, and how far it is.
 */
struct _GstEegBarrierInput
{
  gchar *path;
  guint64 position;
  guint64 size;
  gint64 mtime;
  guint64 device;
  guint64 inode;
  guint8 head[GST_EEG_BARRIER_HASH_SIZE];
  guint8 tail[GST_EEG_BARRIER_HASH_SIZE];

  /*< private >*/
  gpointer _gst_reserved[GST_PADDING];
};

GST_EEG_API
const gchar *gst_eeg_barrier_input_find_difference (const GstEegBarrierInput
                                                        *then,
    const GstEegBarrierInput *now);

GST_EEG_API
GBytes *gst_eeg_barrier_input_to_bytes (const GstEegBarrierInput *input);

GST_EEG_API
gboolean gst_eeg_barrier_input_from_bytes (GstEegBarrierInput *input,
    gconstpointer data, gsize size);

/**
 * GstEegBarrier:
 *
 * Collects the states of all stages at one place of the stream. The object is
 * opaque, reference-counted and may be used from any thread.
 */
typedef struct _GstEegBarrier GstEegBarrier;

#define GST_TYPE_EEG_BARRIER (gst_eeg_barrier_get_type ())
GST_EEG_API
GType gst_eeg_barrier_get_type (void);

GST_EEG_API
GstEegBarrier *gst_eeg_barrier_new (guint64 id, guint64 sample_index);

GST_EEG_API
GstEegBarrier *gst_eeg_barrier_ref (GstEegBarrier *barrier);

GST_EEG_API
void gst_eeg_barrier_unref (GstEegBarrier *barrier);

GST_EEG_API
guint64 gst_eeg_barrier_get_id (const GstEegBarrier *barrier);

GST_EEG_API
guint64 gst_eeg_barrier_get_sample_index (const GstEegBarrier *barrier);

GST_EEG_API
void gst_eeg_barrier_set_input (GstEegBarrier *barrier,
    const GstEegBarrierInput *input);

GST_EEG_API
gboolean gst_eeg_barrier_get_input (GstEegBarrier *barrier,
    GstEegBarrierInput *input);

GST_EEG_API
void gst_eeg_barrier_set_interval (GstEegBarrier *barrier,
    GstClockTime interval);

GST_EEG_API
void gst_eeg_barrier_merge (GstEegBarrier *barrier, GstEegBarrier *other,
    GstEegStage *stage);

GST_EEG_API
gboolean gst_eeg_barrier_add_stage (GstEegBarrier *barrier, GstEegStage *stage);

GST_EEG_API
void gst_eeg_barrier_fail (GstEegBarrier *barrier, GstEegStage *stage,
    const gchar *reason);

GST_EEG_API
GBytes *gst_eeg_barrier_get_state (GstEegBarrier *barrier, GstEegStage *stage);

GST_EEG_API
gchar *gst_eeg_barrier_get_settings (GstEegBarrier *barrier,
    GstEegStage *stage);

GST_EEG_API
gchar *gst_eeg_barrier_get_failure (GstEegBarrier *barrier);

GST_EEG_API
void gst_eeg_barrier_set_ends_part (GstEegBarrier *barrier);

GST_EEG_API
gboolean gst_eeg_barrier_ends_part (GstEegBarrier *barrier);

GST_EEG_API
void gst_eeg_barrier_set_next_part (GstEegBarrier *barrier, GstEegStage *stage,
    const GstEegPart *part);

GST_EEG_API
gboolean gst_eeg_barrier_get_next_part (GstEegBarrier *barrier,
    GstEegStage *stage, GstEegPart *part);

GST_EEG_API
GstEvent *gst_eeg_event_new_barrier (GstEegBarrier *barrier);

GST_EEG_API
gboolean gst_eeg_event_parse_barrier (GstEvent *event, GstEegBarrier **barrier);

GST_EEG_API
GstEvent *gst_eeg_event_new_barrier_request (void);

GST_EEG_API
gboolean gst_eeg_event_is_barrier_request (GstEvent *event);

GST_EEG_API
GstQuery *gst_eeg_query_new_input_bytes (guint64 offset, guint size);

GST_EEG_API
gboolean gst_eeg_query_parse_input_bytes (GstQuery *query, guint64 *offset,
    guint *size);

GST_EEG_API
void gst_eeg_query_set_input_bytes (GstQuery *query, GstBuffer *buffer);

GST_EEG_API
GstBuffer *gst_eeg_query_get_input_bytes (GstQuery *query);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstEegBarrier, gst_eeg_barrier_unref)

G_END_DECLS

#endif /* __GST_EEG_BARRIER_H__ */
