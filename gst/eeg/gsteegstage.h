/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_STAGE_H__
#define __GST_EEG_STAGE_H__

#include <gst/eeg/eeg-prelude.h>
#include <gst/eeg/gsteegpart.h>

G_BEGIN_DECLS

/**
 * GstEegStageKind:
 * @GST_EEG_STAGE_KIND_PASS_THROUGH: changes nothing, as core's `identity`
 * @GST_EEG_STAGE_KIND_ACQUISITION: delivers samples
 * @GST_EEG_STAGE_KIND_TRANSFORM: samples to samples
 * @GST_EEG_STAGE_KIND_INSPECTION: looks at samples
 * @GST_EEG_STAGE_KIND_CONTAINER: samples to a container or back
 * @GST_EEG_STAGE_KIND_COMPRESSION: compresses
 * @GST_EEG_STAGE_KIND_DECOMPRESSION: undoes a compression
 * @GST_EEG_STAGE_KIND_ENCRYPTION: encrypts
 * @GST_EEG_STAGE_KIND_DECRYPTION: undoes an encryption
 * @GST_EEG_STAGE_KIND_CHECKSUM: computes a digest, passes bytes on
 * @GST_EEG_STAGE_KIND_STORAGE: stores bytes
 *
 * What a stage does, as far as the order of stages is concerned.
 */
typedef enum
{
  GST_EEG_STAGE_KIND_PASS_THROUGH = 0,
  GST_EEG_STAGE_KIND_ACQUISITION,
  GST_EEG_STAGE_KIND_TRANSFORM,
  GST_EEG_STAGE_KIND_INSPECTION,
  GST_EEG_STAGE_KIND_CONTAINER,
  GST_EEG_STAGE_KIND_COMPRESSION,
  GST_EEG_STAGE_KIND_DECOMPRESSION,
  GST_EEG_STAGE_KIND_ENCRYPTION,
  GST_EEG_STAGE_KIND_DECRYPTION,
  GST_EEG_STAGE_KIND_CHECKSUM,
  GST_EEG_STAGE_KIND_STORAGE
} GstEegStageKind;

#define GST_TYPE_EEG_STAGE_KIND (gst_eeg_stage_kind_get_type ())
GST_EEG_API
GType gst_eeg_stage_kind_get_type (void);

GST_EEG_API
const gchar *gst_eeg_stage_kind_to_string (GstEegStageKind kind);

typedef struct _GstEegEstimate GstEegEstimate;

/**
 * GstEegEstimate:
 * @memory_bytes: bound of the memory held for the stream, exact for ours
 * @threads: threads that the stage starts, beyond the one that calls it
 * @output_bytes: bytes that come out, or %G_MAXUINT64 if unknown
 * @duration: time needed, or %GST_CLOCK_TIME_NONE if nothing was measured yet
 * @unknown_stages: elements of a merged estimate that could not be asked
 *
 * What a stage needs for a given amount of input.
 */
struct _GstEegEstimate
{
  guint64 memory_bytes;
  guint threads;
  guint64 output_bytes;
  GstClockTime duration;
  guint unknown_stages;

  /*< private >*/
  gpointer _gst_reserved[GST_PADDING];
};

#define GST_TYPE_EEG_STAGE (gst_eeg_stage_get_type ())
GST_EEG_API
G_DECLARE_INTERFACE (GstEegStage, gst_eeg_stage, GST, EEG_STAGE, GstElement)

/**
 * GstEegStageInterface:
 * @parent: parent
 * @get_kind: what the stage does; constant for an object
 * @estimate: fills the estimate for @input_bytes of input and the current
 *     settings; may be called in any state and from any thread
 * @stateless: %TRUE for a stage that keeps nothing from one buffer to the next
 *     and so needs no state saved; such a stage leaves the next three %NULL
 * @save_state: a versioned blob from which @restore_state continues; called on
 *     the streaming thread, between two buffers
 * @restore_state: takes a blob of @save_state, for the stream that comes next;
 *     called in READY to PAUSED. %NULL: forgets one that no stream took
 * @look_back: samples of input before a position that the stage must see again
 *     to continue there; 0 if @save_state holds all
 * @can_resume: whether the stage can save its state with the settings that it
 *     has; appends to the string what its output depends on beside input and
 *     properties, a library's version for example. Any state, any thread; %NULL
 *     if it always can and it depends on nothing else
 * @get_part_support: what it does where a part ends, with its settings; any
 *     state, any thread. %NULL: stages that make no file of their own pass,
 *     all others know nothing of parts
 * @set_part: it stands before a sink that makes parts, the first of which is
 *     @part (the stage copies it), or no longer does (%NULL). Called before
 *     READY to PAUSED of the stage, which takes it when its stream begins
 * @get_checkpoint_location: of a sink, the file that it stores checkpoints in
 *     with the settings that it has, or %NULL; to be freed with g_free(). Any
 *     state, any thread; %NULL if it never does
 *
 * The interface of every element of this project. An implementing class must
 * also override the property `stats`.
 */
struct _GstEegStageInterface
{
  GTypeInterface parent;

  GstEegStageKind (*get_kind) (GstEegStage *stage);
  gboolean (*estimate) (GstEegStage *stage, guint64 input_bytes,
      GstEegEstimate *estimate);

  gboolean stateless;
  GBytes *(*save_state) (GstEegStage *stage, GError **error);
  gboolean (*restore_state) (GstEegStage *stage, GBytes *state, GError **error);
  guint64 (*look_back) (GstEegStage *stage);
  gboolean (
      *can_resume) (GstEegStage *stage, GString *depends_on, GError **error);
  GstEegPartSupport (*get_part_support) (GstEegStage *stage);
  void (*set_part) (GstEegStage *stage, const GstEegPart *part);
  gchar *(*get_checkpoint_location) (GstEegStage *stage);

  /*< private >*/
  gpointer _gst_reserved[GST_PADDING];
};

GST_EEG_API
GstEegStageKind gst_eeg_stage_get_kind (GstEegStage *stage);

GST_EEG_API
gboolean gst_eeg_stage_estimate (GstEegStage *stage, guint64 input_bytes,
    GstEegEstimate *estimate);

GST_EEG_API
gboolean gst_eeg_stage_can_save_state (GstEegStage *stage);

GST_EEG_API
GBytes *gst_eeg_stage_save_state (GstEegStage *stage, GError **error);

GST_EEG_API
gboolean gst_eeg_stage_restore_state (GstEegStage *stage, GBytes *state,
    GError **error);

GST_EEG_API
gboolean gst_eeg_stage_keep_state (GstEegStage *stage, GBytes **place,
    GBytes *state, gboolean is_valid, GError **error);

GST_EEG_API
guint64 gst_eeg_stage_look_back (GstEegStage *stage);

GST_EEG_API
gchar *gst_eeg_stage_describe_output (GstEegStage *stage, GError **error);

GST_EEG_API
gchar *gst_eeg_stage_get_checkpoint_location (GstEegStage *stage);

GST_EEG_API
gboolean gst_eeg_estimate (GstBin *bin, guint64 input_bytes,
    GstEegEstimate *estimate);

/* Counters */

typedef struct _GstEegStageCounters GstEegStageCounters;

/**
 * GstEegStageCounters:
 * @buffers_in: buffers received
 * @buffers_out: buffers pushed
 * @bytes_in: bytes received
 * @bytes_out: bytes pushed
 * @samples_in: samples per channel received, 0 for byte streams
 * @samples_out: samples per channel pushed, 0 for byte streams
 * @lost: samples per channel that were lost
 * @errors: errors posted
 * @busy_ns: nanoseconds of work, over all threads
 *
 * The counters behind `stats`. Only touched with relaxed atomics, through
 * gst_eeg_stage_counters_add() and its kin: no lock on the hot path.
 */
struct _GstEegStageCounters
{
  guint64 buffers_in;
  guint64 buffers_out;
  guint64 bytes_in;
  guint64 bytes_out;
  guint64 samples_in;
  guint64 samples_out;
  guint64 lost;
  guint64 errors;
  guint64 busy_ns;
};

/**
 * gst_eeg_stage_count:
 * @counter: a field of a #GstEegStageCounters
 * @amount: what to add
 */
static inline void
gst_eeg_stage_count (guint64 *counter, guint64 amount)
{
  __atomic_fetch_add (counter, amount, __ATOMIC_RELAXED);
}

/**
 * gst_eeg_stage_count_in:
 * @counters: counters
 * @bytes: bytes of one received buffer
 * @samples: samples per channel in it, 0 for byte streams
 */
static inline void
gst_eeg_stage_count_in (GstEegStageCounters *counters, guint64 bytes,
    guint64 samples)
{
  gst_eeg_stage_count (&counters->buffers_in, 1);
  gst_eeg_stage_count (&counters->bytes_in, bytes);
  if (samples > 0)
    gst_eeg_stage_count (&counters->samples_in, samples);
}

/**
 * gst_eeg_stage_count_out:
 * @counters: counters
 * @bytes: bytes of one pushed buffer
 * @samples: samples per channel in it, 0 for byte streams
 */
static inline void
gst_eeg_stage_count_out (GstEegStageCounters *counters, guint64 bytes,
    guint64 samples)
{
  gst_eeg_stage_count (&counters->buffers_out, 1);
  gst_eeg_stage_count (&counters->bytes_out, bytes);
  if (samples > 0)
    gst_eeg_stage_count (&counters->samples_out, samples);
}

GST_EEG_API
void gst_eeg_stage_counters_get (const GstEegStageCounters *counters,
    GstEegStageCounters *values);

GST_EEG_API
void gst_eeg_stage_counters_reset (GstEegStageCounters *counters);

GST_EEG_API
GstStructure *gst_eeg_stage_counters_to_structure (const GstEegStageCounters
                                                       *counters,
    GstEegStageKind kind);

/* Parts */

GST_EEG_API
GstEegPartSupport gst_eeg_stage_get_part_support (GstEegStage *stage);

GST_EEG_API
void gst_eeg_stage_set_part (GstEegStage *stage, const GstEegPart *part);

GST_EEG_API
gchar *gst_eeg_stage_describe_part_output (GstEegStage *stage, GError **error);

/* Order of stages */

GST_EEG_API
gboolean gst_eeg_check_order (const GstEegStageKind *kinds, guint n_kinds,
    guint *first, guint *second, const gchar **reason);

GST_EEG_API
gboolean gst_eeg_stage_check_upstream (GstEegStage *stage, GstPad *sink_pad);

GST_EEG_API
gboolean gst_eeg_stage_source_completes (GstPad *sink_pad);

GST_EEG_API
gchar *gst_eeg_stage_get_source_name (GstPad *sink_pad);

GST_EEG_API
gboolean gst_eeg_stage_answer_query (GstEegStage *stage, GstPad *src_pad,
    GstQuery *query);

/* Output of before */

GST_EEG_API
gchar *gst_eeg_stage_find_output (GstEegStage *stage, GstPad *src_pad,
    guint64 *size, GError **error);

GST_EEG_API
gboolean gst_eeg_query_is_output (GstQuery *query);

GST_EEG_API
void gst_eeg_query_set_output (GstQuery *query, const gchar *path,
    guint64 size);

G_END_DECLS

#endif /* __GST_EEG_STAGE_H__ */
