/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:gsteegbarrier
 * @title: GstEegBarrier
 * @short_description: one place of the stream at which all stages save
 *
 * A source puts the serialized event `eeg-barrier` between two buffers. It
 * travels with the data, in order; each stage adds to the object inside what it
 * needs to go on from there, then passes the event on. When it reaches the
 * sink, the object holds the state of the whole pipeline at one place of the
 * stream, though nothing stopped. The sink stores it once all bytes before it
 * are on disk.
 *
 * The object is the same in all copies of the event; the event's structure
 * cannot be written behind a tee.
 *
 * No samples are stored. A stage whose next output depends on samples before
 * the barrier lets it pass later: behind the first output that does not (see
 * #GstEegStageInterface.look_back). So what is behind that stage has its
 * barrier later in the stream, and a recording that goes on, with the source
 * where it sent the barrier, finds all samples again that it needs; each stage
 * throws away what it gives before the place where the barrier left it.
 *
 * An application asks for a barrier by the event `eeg-barrier-request`, sent to
 * the pipeline. The source sends one at the next place where it can.
 */
#include "gsteegbarrier.h"

#include <string.h>

#define BARRIER_NAME "eeg-barrier"
#define REQUEST_NAME "eeg-barrier-request"
#define BYTES_NAME "eeg-input-bytes"

/* Of an input as bytes: u64 position, size, mtime, device, inode,
 * little-endian; head and tail. */
#define INPUT_SIZE (5 * 8 + 2 * GST_EEG_BARRIER_HASH_SIZE)

typedef struct
{
  GstEegStage *stage; /* compared only */
  GBytes *state;
  gchar *settings;
} Saved;

typedef struct
{
  GstEegStage *stage;
  GstEegPart part;
} NextPart;

struct _GstEegBarrier
{
  gint refs;
  guint64 id;
  guint64 sample_index;

  GMutex lock; /* for what follows */
  gboolean has_input;
  GstEegBarrierInput input;
  GstClockTime interval;
  GArray *saved; /* the source's is the first one */
  gchar *failure;
  gboolean ends_part;
  GArray *next_parts;
};

G_DEFINE_BOXED_TYPE (GstEegBarrier, gst_eeg_barrier, gst_eeg_barrier_ref,
    gst_eeg_barrier_unref)

static void
clear_next_part (gpointer data)
{
  gst_object_unref (((NextPart *) data)->stage);
}

static void
clear_saved (gpointer data)
{
  Saved *saved = data;

  g_bytes_unref (saved->state);
  g_free (saved->settings);
  gst_object_unref (saved->stage);
}

/**
 * gst_eeg_barrier_new:
 * @id: grows from barrier to barrier of a recording
 * @sample_index: samples per channel before the barrier, lost ones counted; 0
 *     of a stream of bytes
 *
 * Returns: (transfer full): a barrier without any state
 */
GstEegBarrier *
gst_eeg_barrier_new (guint64 id, guint64 sample_index)
{
  GstEegBarrier *barrier = g_new0 (GstEegBarrier, 1);

  barrier->refs = 1;
  barrier->id = id;
  barrier->sample_index = sample_index;
  barrier->interval = GST_CLOCK_TIME_NONE;
  g_mutex_init (&barrier->lock);
  barrier->saved = g_array_new (FALSE, FALSE, sizeof (Saved));
  g_array_set_clear_func (barrier->saved, clear_saved);
  barrier->next_parts = g_array_new (FALSE, FALSE, sizeof (NextPart));
  g_array_set_clear_func (barrier->next_parts, clear_next_part);
  return barrier;
}

/**
 * gst_eeg_barrier_ref:
 * @barrier: a barrier
 *
 * Returns: (transfer full): @barrier
 */
GstEegBarrier *
gst_eeg_barrier_ref (GstEegBarrier *barrier)
{
  g_return_val_if_fail (barrier != NULL, NULL);

  g_atomic_int_inc (&barrier->refs);
  return barrier;
}

/**
 * gst_eeg_barrier_unref:
 * @barrier: (transfer full): a barrier
 */
void
gst_eeg_barrier_unref (GstEegBarrier *barrier)
{
  g_return_if_fail (barrier != NULL);

  if (!g_atomic_int_dec_and_test (&barrier->refs))
    return;
  g_array_unref (barrier->saved);
  g_array_unref (barrier->next_parts);
  g_free (barrier->input.path);
  g_free (barrier->failure);
  g_mutex_clear (&barrier->lock);
  g_free (barrier);
}

/**
 * gst_eeg_barrier_get_id:
 * @barrier: a barrier
 *
 * Returns: its number, which grows in a recording
 */
guint64
gst_eeg_barrier_get_id (const GstEegBarrier *barrier)
{
  g_return_val_if_fail (barrier != NULL, 0);

  return barrier->id;
}

/**
 * gst_eeg_barrier_get_sample_index:
 * @barrier: a barrier
 *
 * Returns: samples per channel before it, lost ones counted
 */
guint64
gst_eeg_barrier_get_sample_index (const GstEegBarrier *barrier)
{
  g_return_val_if_fail (barrier != NULL, 0);

  return barrier->sample_index;
}

/**
 * gst_eeg_barrier_set_input:
 * @barrier: a barrier
 * @input: (transfer none): what the source reads
 */
void
gst_eeg_barrier_set_input (GstEegBarrier *barrier,
    const GstEegBarrierInput *input)
{
  g_return_if_fail (barrier != NULL);
  g_return_if_fail (input != NULL);

  g_mutex_lock (&barrier->lock);
  g_free (barrier->input.path);
  barrier->input = *input;
  barrier->input.path = g_strdup (input->path);
  barrier->has_input = TRUE;
  g_mutex_unlock (&barrier->lock);
}

/**
 * gst_eeg_barrier_get_input:
 * @barrier: a barrier
 * @input: (out caller-allocates): what the source reads; the path is to be
 *     freed with g_free()
 *
 * Returns: whether the source said what it reads
 */
gboolean
gst_eeg_barrier_get_input (GstEegBarrier *barrier, GstEegBarrierInput *input)
{
  gboolean has_input;

  g_return_val_if_fail (barrier != NULL, FALSE);
  g_return_val_if_fail (input != NULL, FALSE);

  g_mutex_lock (&barrier->lock);
  has_input = barrier->has_input;
  *input = barrier->input;
  input->path = g_strdup (barrier->input.path);
  g_mutex_unlock (&barrier->lock);
  return has_input;
}

/**
 * gst_eeg_barrier_set_interval:
 * @barrier: a barrier that was not sent yet
 * @interval: time from one barrier of the source to the next,
 *     %GST_CLOCK_TIME_NONE if it counts something else
 *
 * Barriers of several sources belong together by their numbers, so that they
 * have to keep pace.
 */
void
gst_eeg_barrier_set_interval (GstEegBarrier *barrier, GstClockTime interval)
{
  g_return_if_fail (barrier != NULL);

  g_mutex_lock (&barrier->lock);
  barrier->interval = interval;
  g_mutex_unlock (&barrier->lock);
}

static const Saved *
find_saved (GstEegBarrier *barrier, GstEegStage *stage)
{
  guint i;

  for (i = 0; i < barrier->saved->len; i++) {
    const Saved *saved = &g_array_index (barrier->saved, Saved, i);

    if (saved->stage == stage)
      return saved;
  }
  return NULL;
}

/**
 * gst_eeg_barrier_add_stage:
 * @barrier: a barrier
 * @stage: the stage at which it arrived
 *
 * Lets @stage save its state and says with what settings. To be called where
 * all that came before the barrier has left the stage, or is part of what it
 * saves. If it cannot save, the barrier fails; the event is passed on all the
 * same.
 *
 * Returns: whether the state is saved
 */
gboolean
gst_eeg_barrier_add_stage (GstEegBarrier *barrier, GstEegStage *stage)
{
  GError *error = NULL;
  Saved saved = { NULL, NULL, NULL };

  g_return_val_if_fail (barrier != NULL, FALSE);
  g_return_val_if_fail (GST_IS_EEG_STAGE (stage), FALSE);

  saved.state = gst_eeg_stage_save_state (stage, &error);
  if (saved.state == NULL) {
    gst_eeg_barrier_fail (barrier, stage,
        error != NULL ? error->message : "no reason");
    g_clear_error (&error);
    return FALSE;
  }
  saved.stage = gst_object_ref (stage);
  saved.settings = gst_eeg_barrier_ends_part (barrier)
      ? gst_eeg_stage_describe_part_output (stage, NULL)
      : gst_eeg_stage_describe_output (stage, NULL);
  if (saved.settings == NULL)
    saved.settings = g_strdup ("");
  g_mutex_lock (&barrier->lock);
  g_array_append_val (barrier->saved, saved);
  g_mutex_unlock (&barrier->lock);
  return TRUE;
}

/**
 * gst_eeg_barrier_fail:
 * @barrier: a barrier
 * @stage: the stage that cannot save
 * @reason: why not
 *
 * The states of this barrier will not be stored. The first reason stays.
 */
void
gst_eeg_barrier_fail (GstEegBarrier *barrier, GstEegStage *stage,
    const gchar *reason)
{
  g_return_if_fail (barrier != NULL);
  g_return_if_fail (GST_IS_EEG_STAGE (stage));
  g_return_if_fail (reason != NULL);

  g_mutex_lock (&barrier->lock);
  if (barrier->failure == NULL)
    barrier->failure =
        g_strdup_printf ("%s: %s", GST_OBJECT_NAME (stage), reason);
  g_mutex_unlock (&barrier->lock);
}

/**
 * gst_eeg_barrier_merge:
 * @barrier: a barrier
 * @other: one of another source, or @barrier itself
 * @stage: where they come together
 *
 * Adds what the stages on the way of @other have saved. @barrier fails if
 * @other did, or if the two sources cannot keep pace.
 */
void
gst_eeg_barrier_merge (GstEegBarrier *barrier, GstEegBarrier *other,
    GstEegStage *stage)
{
  gchar *failure, *text;
  gboolean ends_part;
  GstClockTime interval;
  GArray *saved;
  guint i;

  g_return_if_fail (barrier != NULL && other != NULL);
  g_return_if_fail (GST_IS_EEG_STAGE (stage));

  if (barrier == other)
    return;
  saved = g_array_new (FALSE, FALSE, sizeof (Saved));
  g_array_set_clear_func (saved, clear_saved);
  g_mutex_lock (&other->lock);
  for (i = 0; i < other->saved->len; i++) {
    Saved copy = g_array_index (other->saved, Saved, i);

    gst_object_ref (copy.stage);
    g_bytes_ref (copy.state);
    copy.settings = g_strdup (copy.settings);
    g_array_append_val (saved, copy);
  }
  failure = g_strdup (other->failure);
  ends_part = other->ends_part;
  interval = other->interval;
  g_mutex_unlock (&other->lock);

  g_mutex_lock (&barrier->lock);
  barrier->ends_part |= ends_part;
  if (failure == NULL && barrier->saved->len > 0 && saved->len > 0
      && (barrier->interval != interval
          || !GST_CLOCK_TIME_IS_VALID (interval))) {
    text = GST_CLOCK_TIME_IS_VALID (interval)
            && GST_CLOCK_TIME_IS_VALID (barrier->interval)
        ? g_strdup_printf ("%" GST_TIME_FORMAT " and %" GST_TIME_FORMAT,
            GST_TIME_ARGS (barrier->interval), GST_TIME_ARGS (interval))
        : g_strdup ("one of them not by time");
    failure = g_strdup_printf (
        "%s: barriers of %s and %s come at different intervals, %s",
        GST_OBJECT_NAME (stage),
        GST_OBJECT_NAME (g_array_index (barrier->saved, Saved, 0).stage),
        GST_OBJECT_NAME (g_array_index (saved, Saved, 0).stage), text);
    g_free (text);
  }
  for (i = 0; i < saved->len; i++) {
    Saved *from = &g_array_index (saved, Saved, i);

    if (find_saved (barrier, from->stage) != NULL)
      continue;
    g_array_append_val (barrier->saved, *from);
    from->stage = gst_object_ref (from->stage);
    from->state = g_bytes_ref (from->state);
    from->settings = NULL;
  }
  if (barrier->failure == NULL)
    barrier->failure = g_steal_pointer (&failure);
  g_mutex_unlock (&barrier->lock);
  g_free (failure);
  g_array_unref (saved);
}

/**
 * gst_eeg_barrier_get_state:
 * @barrier: a barrier
 * @stage: a stage
 *
 * Returns: (transfer full) (nullable): what @stage saved, or %NULL if the
 *     barrier did not come by it
 */
GBytes *
gst_eeg_barrier_get_state (GstEegBarrier *barrier, GstEegStage *stage)
{
  const Saved *saved;
  GBytes *state = NULL;

  g_return_val_if_fail (barrier != NULL, NULL);
  g_return_val_if_fail (GST_IS_EEG_STAGE (stage), NULL);

  g_mutex_lock (&barrier->lock);
  saved = find_saved (barrier, stage);
  if (saved != NULL)
    state = g_bytes_ref (saved->state);
  g_mutex_unlock (&barrier->lock);
  return state;
}

/**
 * gst_eeg_barrier_get_settings:
 * @barrier: a barrier
 * @stage: a stage
 *
 * Returns: (transfer full) (nullable): what gst_eeg_stage_describe_output()
 * said
 *     when @stage saved its state, or %NULL if the barrier did not come by it
 */
gchar *
gst_eeg_barrier_get_settings (GstEegBarrier *barrier, GstEegStage *stage)
{
  const Saved *saved;
  gchar *settings = NULL;

  g_return_val_if_fail (barrier != NULL, NULL);
  g_return_val_if_fail (GST_IS_EEG_STAGE (stage), NULL);

  g_mutex_lock (&barrier->lock);
  saved = find_saved (barrier, stage);
  if (saved != NULL)
    settings = g_strdup (saved->settings);
  g_mutex_unlock (&barrier->lock);
  return settings;
}

/**
 * gst_eeg_barrier_get_failure:
 * @barrier: a barrier
 *
 * Returns: (transfer full) (nullable): which stage could not save and why, or
 *     %NULL if all could so far
 */
gchar *
gst_eeg_barrier_get_failure (GstEegBarrier *barrier)
{
  gchar *failure;

  g_return_val_if_fail (barrier != NULL, NULL);

  g_mutex_lock (&barrier->lock);
  failure = g_strdup (barrier->failure);
  g_mutex_unlock (&barrier->lock);
  return failure;
}

/**
 * gst_eeg_barrier_set_ends_part:
 * @barrier: a barrier that was not sent yet
 *
 * What follows belongs to another part of the recording, see #GstEegPart.
 */
void
gst_eeg_barrier_set_ends_part (GstEegBarrier *barrier)
{
  g_return_if_fail (barrier != NULL);

  g_mutex_lock (&barrier->lock);
  barrier->ends_part = TRUE;
  g_mutex_unlock (&barrier->lock);
}

/**
 * gst_eeg_barrier_ends_part:
 * @barrier: a barrier
 *
 * Returns: whether what follows belongs to another part of the recording
 */
gboolean
gst_eeg_barrier_ends_part (GstEegBarrier *barrier)
{
  gboolean ends_part;

  g_return_val_if_fail (barrier != NULL, FALSE);

  g_mutex_lock (&barrier->lock);
  ends_part = barrier->ends_part;
  g_mutex_unlock (&barrier->lock);
  return ends_part;
}

/**
 * gst_eeg_barrier_set_next_part:
 * @barrier: a barrier that ends a part
 * @stage: the stage that writes the label
 * @part: (transfer none): what follows
 *
 * Called by the stage that writes the label: nobody else knows the digest of
 * the part that ends. Behind a tee each branch may have such a stage.
 */
void
gst_eeg_barrier_set_next_part (GstEegBarrier *barrier, GstEegStage *stage,
    const GstEegPart *part)
{
  NextPart next = { NULL };

  g_return_if_fail (barrier != NULL && part != NULL);
  g_return_if_fail (GST_IS_EEG_STAGE (stage));

  next.stage = gst_object_ref (stage);
  next.part = *part;
  g_mutex_lock (&barrier->lock);
  g_array_append_val (barrier->next_parts, next);
  g_mutex_unlock (&barrier->lock);
}

/**
 * gst_eeg_barrier_get_next_part:
 * @barrier: a barrier
 * @stage: a stage
 * @part: (out caller-allocates): what follows
 *
 * Returns: whether @stage wrote a label and will write the next one
 */
gboolean
gst_eeg_barrier_get_next_part (GstEegBarrier *barrier, GstEegStage *stage,
    GstEegPart *part)
{
  gboolean found = FALSE;
  guint i;

  g_return_val_if_fail (barrier != NULL && part != NULL, FALSE);
  g_return_val_if_fail (GST_IS_EEG_STAGE (stage), FALSE);

  g_mutex_lock (&barrier->lock);
  for (i = 0; i < barrier->next_parts->len && !found; i++) {
    const NextPart *next = &g_array_index (barrier->next_parts, NextPart, i);

    found = next->stage == stage;
    if (found)
      *part = next->part;
  }
  g_mutex_unlock (&barrier->lock);
  return found;
}

/**
 * gst_eeg_event_new_barrier:
 * @barrier: (transfer none): what the stages add to
 *
 * Returns: (transfer full): a serialized downstream event
 */
GstEvent *
gst_eeg_event_new_barrier (GstEegBarrier *barrier)
{
  g_return_val_if_fail (barrier != NULL, NULL);

  return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
      gst_structure_new (BARRIER_NAME, "id", G_TYPE_UINT64, barrier->id,
          "barrier", GST_TYPE_EEG_BARRIER, barrier, NULL));
}

/**
 * gst_eeg_event_parse_barrier:
 * @event: any event
 * @barrier: (out) (optional) (transfer none): its barrier, valid as long as
 *     @event
 *
 * Returns: whether @event is an `eeg-barrier` event
 */
gboolean
gst_eeg_event_parse_barrier (GstEvent *event, GstEegBarrier **barrier)
{
  const GValue *value;

  g_return_val_if_fail (GST_IS_EVENT (event), FALSE);

  if (GST_EVENT_TYPE (event) != GST_EVENT_CUSTOM_DOWNSTREAM
      || !gst_event_has_name (event, BARRIER_NAME))
    return FALSE;
  value = gst_structure_get_value (gst_event_get_structure (event), "barrier");
  if (value == NULL || !G_VALUE_HOLDS (value, GST_TYPE_EEG_BARRIER))
    return FALSE;
  if (barrier != NULL)
    *barrier = g_value_get_boxed (value);
  return TRUE;
}

/**
 * gst_eeg_event_new_barrier_request:
 *
 * To be sent to the pipeline, or to a sink. The source sends a barrier at the
 * next place where it can: eegsrc where a record of its file ends, eegchunk
 * behind its next block. The barrier ends a chunk of the encoders, so that the
 * bytes depend on it.
 *
 * Returns: (transfer full): an upstream event
 */
GstEvent *
gst_eeg_event_new_barrier_request (void)
{
  return gst_event_new_custom (GST_EVENT_CUSTOM_UPSTREAM,
      gst_structure_new_empty (REQUEST_NAME));
}

/**
 * gst_eeg_event_is_barrier_request:
 * @event: any event
 *
 * A request comes to a source once by each branch of the pipeline; the copies
 * have the same sequence number.
 *
 * Returns: whether @event is an `eeg-barrier-request` event
 */
gboolean
gst_eeg_event_is_barrier_request (GstEvent *event)
{
  g_return_val_if_fail (GST_IS_EVENT (event), FALSE);

  return GST_EVENT_TYPE (event) == GST_EVENT_CUSTOM_UPSTREAM
      && gst_event_has_name (event, REQUEST_NAME);
}

/* --- input --------------------------------------------------------------- */

/**
 * gst_eeg_query_new_input_bytes:
 * @offset: position in the input
 * @size: bytes from there on
 *
 * Asks the source that sends the barriers for some bytes of its input, at once
 * and whatever its position is. For a stage that goes on in the middle of a
 * file and has to see its header again: that is neither stored, as it may hold
 * names, nor is it sent again. Of use only where nothing between the two
 * changes the bytes.
 *
 * Returns: (transfer full): an upstream query
 */
GstQuery *
gst_eeg_query_new_input_bytes (guint64 offset, guint size)
{
  return gst_query_new_custom (GST_QUERY_CUSTOM,
      gst_structure_new (BYTES_NAME, "offset", G_TYPE_UINT64, offset, "size",
          G_TYPE_UINT, size, NULL));
}

/**
 * gst_eeg_query_parse_input_bytes:
 * @query: any query
 * @offset: (out): position in the input
 * @size: (out): bytes from there on
 *
 * Returns: whether @query is an `eeg-input-bytes` query
 */
gboolean
gst_eeg_query_parse_input_bytes (GstQuery *query, guint64 *offset, guint *size)
{
  const GstStructure *s;

  g_return_val_if_fail (GST_IS_QUERY (query), FALSE);
  g_return_val_if_fail (offset != NULL && size != NULL, FALSE);

  if (GST_QUERY_TYPE (query) != GST_QUERY_CUSTOM)
    return FALSE;
  s = gst_query_get_structure (query);
  return gst_structure_has_name (s, BYTES_NAME)
      && gst_structure_get (s, "offset", G_TYPE_UINT64, offset, "size",
          G_TYPE_UINT, size, NULL);
}

/**
 * gst_eeg_query_set_input_bytes:
 * @query: an `eeg-input-bytes` query
 * @buffer: (transfer none): the bytes; fewer where the input ends
 */
void
gst_eeg_query_set_input_bytes (GstQuery *query, GstBuffer *buffer)
{
  g_return_if_fail (GST_IS_QUERY (query));
  g_return_if_fail (GST_IS_BUFFER (buffer));

  gst_structure_set (gst_query_writable_structure (query), "bytes",
      GST_TYPE_BUFFER, buffer, NULL);
}

/**
 * gst_eeg_query_get_input_bytes:
 * @query: an `eeg-input-bytes` query that was answered
 *
 * Returns: (transfer full) (nullable): the bytes, or %NULL if nobody knew them
 */
GstBuffer *
gst_eeg_query_get_input_bytes (GstQuery *query)
{
  GstBuffer *buffer = NULL;

  g_return_val_if_fail (GST_IS_QUERY (query), NULL);

  gst_structure_get (gst_query_get_structure (query), "bytes", GST_TYPE_BUFFER,
      &buffer, NULL);
  return buffer;
}

/**
 * gst_eeg_barrier_input_find_difference:
 * @then: an input at a barrier
 * @now: the same, as it is found again
 *
 * Path, device and inode may differ: a copy that kept its time is as good.
 *
 * Returns: (nullable) (transfer none): %NULL if it is the same input, or what
 *     differs, to be put behind "The input"
 */
const gchar *
gst_eeg_barrier_input_find_difference (const GstEegBarrierInput *then,
    const GstEegBarrierInput *now)
{
  g_return_val_if_fail (then != NULL, NULL);
  g_return_val_if_fail (now != NULL, NULL);

  if (then->size != now->size)
    return "has another size";
  if (then->mtime != now->mtime)
    return "was changed";
  if (memcmp (then->head, now->head, sizeof now->head) != 0)
    return "begins with other bytes";
  if (memcmp (then->tail, now->tail, sizeof now->tail) != 0)
    return "ends with other bytes";
  return NULL;
}

/**
 * gst_eeg_barrier_input_to_bytes:
 * @input: an input
 *
 * Returns: (transfer full): all but the path, for the state of a source
 */
GBytes *
gst_eeg_barrier_input_to_bytes (const GstEegBarrierInput *input)
{
  guint8 *data;

  g_return_val_if_fail (input != NULL, NULL);

  data = g_malloc (INPUT_SIZE);
  GST_WRITE_UINT64_LE (data, input->position);
  GST_WRITE_UINT64_LE (data + 8, input->size);
  GST_WRITE_UINT64_LE (data + 16, (guint64) input->mtime);
  GST_WRITE_UINT64_LE (data + 24, input->device);
  GST_WRITE_UINT64_LE (data + 32, input->inode);
  memcpy (data + 40, input->head, sizeof input->head);
  memcpy (data + 40 + sizeof input->head, input->tail, sizeof input->tail);
  return g_bytes_new_take (data, INPUT_SIZE);
}

/**
 * gst_eeg_barrier_input_from_bytes:
 * @input: (out caller-allocates): the input, without a path
 * @data: (array length=size) (element-type guint8): what
 *     gst_eeg_barrier_input_to_bytes() gave
 * @size: bytes of it
 *
 * Returns: whether @data is of an input
 */
gboolean
gst_eeg_barrier_input_from_bytes (GstEegBarrierInput *input, gconstpointer data,
    gsize size)
{
  const guint8 *from = data;

  g_return_val_if_fail (input != NULL, FALSE);

  memset (input, 0, sizeof *input);
  if (size != INPUT_SIZE)
    return FALSE;
  input->position = GST_READ_UINT64_LE (from);
  input->size = GST_READ_UINT64_LE (from + 8);
  input->mtime = (gint64) GST_READ_UINT64_LE (from + 16);
  input->device = GST_READ_UINT64_LE (from + 24);
  input->inode = GST_READ_UINT64_LE (from + 32);
  memcpy (input->head, from + 40, sizeof input->head);
  memcpy (input->tail, from + 40 + sizeof input->head, sizeof input->tail);
  return TRUE;
}
