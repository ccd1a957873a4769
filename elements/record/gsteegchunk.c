/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-eegchunk
 * @title: eegchunk
 * @short_description: lets a byte source of others take part in checkpoints
 *
 * Stands behind a source of bytes that can be read at any position, `filesrc`
 * for example, and makes it one from which a recording can go on: it sends a
 * barrier every #GstEegChunk:checkpoint-interval bytes, when an application
 * asks for one (gst_eeg_event_new_barrier_request()) and at the end, and begins
 * where the checkpoint says.
 *
 * |[
 * gst-launch-1.0 filesrc location=night.edf ! eegchunk ! zstdenc ! \
 *     eegfilesink checkpoint=true location=night.edf.zst
 * ]|
 *
 * The input must be the same when it is read again: its size, its time of
 * change and the BLAKE3 of its first and last 64 KiB are compared, and anything
 * else is refused. Another device or inode, as of a copy that kept its time,
 * only warns.
 *
 * - Caps: any; those of upstream if it has fixed ones.
 * - Only pull mode. Latency: none. Memory: one block of 256 KiB.
 * - Gives out any bytes of the input on request, once more
 *   (gst_eeg_query_new_input_bytes()).
 * - Sends `eeg-complete` before EOS, when it has read to the end.
 * - Answers the SEEKING query with no: what is behind it goes through once.
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsteegchunk.h"

#include <string.h>
#include <sys/stat.h>

#include <gst/eeg/eeg.h>

#include "digest.h"

GST_DEBUG_CATEGORY_STATIC (gst_eeg_chunk_debug);
#define GST_CAT_DEFAULT gst_eeg_chunk_debug

enum
{
  PROP_0,
  PROP_CHECKPOINT_INTERVAL,
  PROP_STATS
};

#define DEFAULT_CHECKPOINT_INTERVAL (64 * 1024 * 1024)

#define BLOCK_SIZE (256 * 1024)
/* Of each end of the input, to recognise it. */
#define SAMPLE_SIZE (64 * 1024)

/*
 * A saved state: u8 version, 7 bytes 0, then (little-endian) u64 position, id
 * of the barrier, size, mtime, device, inode, interval; head and tail.
 */
#define STATE_VERSION 1
#define STATE_SIZE (64 + 2 * GST_EEG_BARRIER_HASH_SIZE)

struct settings
{
  guint64 checkpoint_interval;
};

/* Of the task, and of whoever starts it while it is stopped. */
struct state
{
  gboolean begun;
  guint64 interval;
  guint64 id; /* of the last barrier */
  GstEegBarrierInput input;
  guint64 barrier_at; /* position of the last barrier */
  gboolean resumed;   /* there, and none was sent since */
};

/* Locking: the sink pad's stream lock, held by its task, protects `state`. The
 * object lock, a leaf, protects `settings`, `restore`, `position`,
 * `request` and `part_request`. */
struct _GstEegChunk
{
  GstElement parent;

  GstPad *sink_pad;
  GstPad *src_pad;

  struct settings settings;
  GBytes *restore;      /* to go on from, taken when the stream begins */
  guint64 position;     /* of the next byte */
  gint part_wanted;     /* atomic: the next barrier is to end a part */
  guint32 request;      /* of barriers, the last one's number */
  guint64 part_request; /* the last part whose end was asked for */
  gint requested;       /* atomic: a barrier, behind the next block */
  struct state state;

  GstEegStageCounters counters;
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static void gst_eeg_chunk_stage_init (GstEegStageInterface *iface);

#define gst_eeg_chunk_parent_class parent_class
G_DEFINE_TYPE_WITH_CODE (GstEegChunk, gst_eeg_chunk, GST_TYPE_ELEMENT,
    G_IMPLEMENT_INTERFACE (GST_TYPE_EEG_STAGE, gst_eeg_chunk_stage_init)
        GST_DEBUG_CATEGORY_INIT (gst_eeg_chunk_debug, "eegchunk", 0,
            "EEG checkpoints of byte sources"))
GST_ELEMENT_REGISTER_DEFINE (eegchunk, "eegchunk", GST_RANK_NONE,
    GST_TYPE_EEG_CHUNK);

/* --- the input ----------------------------------------------------------- */

static GstFlowReturn
fail (GstEegChunk *self)
{
  gst_eeg_stage_count (&self->counters.errors, 1);
  return GST_FLOW_ERROR;
}

/* All of @size bytes, or an error. */
static GstFlowReturn
pull (GstEegChunk *self, guint64 position, gsize size, GstBuffer **buffer)
{
  GstFlowReturn flow;
  gsize got;
  gint64 end;

  *buffer = NULL;
  flow = gst_pad_pull_range (self->sink_pad, position, (guint) size, buffer);
  if (flow == GST_FLOW_OK && (got = gst_buffer_get_size (*buffer)) < size)
    flow = GST_FLOW_EOS;
  if (flow == GST_FLOW_EOS) {
    gst_clear_buffer (buffer);
    /* the application has ended the source, which gives out nothing more */
    if (self->state.begun
        && gst_pad_peer_query_duration (self->sink_pad, GST_FORMAT_BYTES, &end)
        && end >= 0 && (guint64) end >= self->state.input.size)
      return flow;
    GST_ELEMENT_ERROR (self, RESOURCE, READ,
        ("The input became shorter while it was read."),
        ("%" G_GSIZE_FORMAT " bytes at %" G_GUINT64_FORMAT
         " are not there any more",
            size, position));
    return fail (self);
  }
  /* upstream has posted its errors */
  return flow;
}

static GstFlowReturn
hash_range (GstEegChunk *self, guint64 position, gsize size, guint8 *hash)
{
  const EegDigestKernel *kernel = eeg_digest_find ("blake3", NULL);
  gpointer digest = g_malloc (kernel->state_size);
  GstFlowReturn flow = GST_FLOW_OK;
  GstBuffer *buffer = NULL;
  GstMapInfo map;

  kernel->init (digest);
  if (size > 0)
    flow = pull (self, position, size, &buffer);
  if (buffer != NULL) {
    if (gst_buffer_map (buffer, &map, GST_MAP_READ)) {
      kernel->update (digest, map.data, map.size);
      gst_buffer_unmap (buffer, &map);
    } else {
      GST_ELEMENT_ERROR (self, RESOURCE, FAILED, ("Could not read a buffer."),
          (NULL));
      flow = fail (self);
    }
    gst_buffer_unref (buffer);
  }
  kernel->final (digest, hash);
  g_free (digest);
  return flow;
}

/* What the system knows of the file, if it is one. */
static void
find_file (GstEegChunk *self, GstEegBarrierInput *input)
{
  GstQuery *query = gst_query_new_uri ();
  gchar *uri = NULL;
  struct stat s;

  if (gst_pad_peer_query (self->sink_pad, query))
    gst_query_parse_uri (query, &uri);
  gst_query_unref (query);
  if (uri != NULL)
    input->path = g_filename_from_uri (uri, NULL, NULL);
  g_free (uri);
  if (input->path == NULL || stat (input->path, &s) < 0)
    return;
  input->mtime =
      (gint64) s.st_mtim.tv_sec * 1000000000 + (gint64) s.st_mtim.tv_nsec;
  input->device = s.st_dev;
  input->inode = s.st_ino;
}

static GstFlowReturn
identify_input (GstEegChunk *self)
{
  GstEegBarrierInput *input = &self->state.input;
  GstFlowReturn flow;
  gint64 size;
  gsize sample;

  if (!gst_pad_peer_query_duration (self->sink_pad, GST_FORMAT_BYTES, &size)
      || size < 0) {
    GST_ELEMENT_ERROR (self, RESOURCE, READ,
        ("The size of the input is not known."), (NULL));
    return fail (self);
  }
  input->size = (guint64) size;
  find_file (self, input);
  sample = (gsize) MIN (input->size, SAMPLE_SIZE);
  flow = hash_range (self, 0, sample, input->head);
  if (flow == GST_FLOW_OK)
    flow = hash_range (self, input->size - sample, sample, input->tail);
  return flow;
}

/* --- going on ------------------------------------------------------------ */

static void
read_input (const guint8 *blob, GstEegBarrierInput *input)
{
  memset (input, 0, sizeof *input);
  input->position = GST_READ_UINT64_LE (blob + 8);
  input->size = GST_READ_UINT64_LE (blob + 24);
  input->mtime = (gint64) GST_READ_UINT64_LE (blob + 32);
  input->device = GST_READ_UINT64_LE (blob + 40);
  input->inode = GST_READ_UINT64_LE (blob + 48);
  memcpy (input->head, blob + 64, sizeof input->head);
  memcpy (input->tail, blob + 64 + sizeof input->head, sizeof input->tail);
}

static GstFlowReturn
resume (GstEegChunk *self, GBytes *restore)
{
  struct state *state = &self->state;
  const guint8 *blob = g_bytes_get_data (restore, NULL);
  const gchar *difference;
  GstEegBarrierInput then;

  read_input (blob, &then);
  difference = gst_eeg_barrier_input_find_difference (&then, &state->input);
  if (difference != NULL) {
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
        ("The input %s since the checkpoint, so nothing can be continued.",
            difference),
        ("%s", state->input.path != NULL ? state->input.path : "no file"));
    return fail (self);
  }
  if (then.device != state->input.device || then.inode != state->input.inode)
    GST_WARNING_OBJECT (self,
        "the input is another file than at the checkpoint, with the same "
        "size, time and ends");
  state->input.position = state->barrier_at = then.position;
  state->resumed = TRUE;
  state->id = GST_READ_UINT64_LE (blob + 16);
  GST_INFO_OBJECT (self, "going on at byte %" G_GUINT64_FORMAT,
      state->input.position);
  return GST_FLOW_OK;
}

static void
reset (GstEegChunk *self)
{
  g_free (self->state.input.path);
  memset (&self->state, 0, sizeof self->state);
}

/* Upstream is open; nothing is sent yet. FALSE after an error. */
static gboolean
prepare (GstEegChunk *self)
{
  struct state *state = &self->state;
  GstFlowReturn flow;
  GBytes *restore;

  reset (self);
  g_atomic_int_set (&self->part_wanted, FALSE);
  gst_eeg_stage_counters_reset (&self->counters);
  g_atomic_int_set (&self->requested, FALSE);
  GST_OBJECT_LOCK (self);
  self->request = GST_SEQNUM_INVALID;
  self->part_request = 0;
  state->interval = self->settings.checkpoint_interval;
  restore = g_steal_pointer (&self->restore);
  GST_OBJECT_UNLOCK (self);
  flow = identify_input (self);
  if (flow == GST_FLOW_OK && restore != NULL)
    flow = resume (self, restore);
  g_clear_pointer (&restore, g_bytes_unref);
  GST_OBJECT_LOCK (self);
  self->position = state->input.position;
  GST_OBJECT_UNLOCK (self);
  if (flow != GST_FLOW_OK)
    reset (self);
  return flow == GST_FLOW_OK;
}

static void
begin (GstEegChunk *self)
{
  struct state *state = &self->state;
  GstSegment segment;
  gchar *id;
  GstCaps *caps;

  state->begun = TRUE;
  id = gst_pad_create_stream_id (self->src_pad, GST_ELEMENT (self), NULL);
  gst_pad_push_event (self->src_pad, gst_event_new_stream_start (id));
  g_free (id);
  caps = gst_pad_peer_query_caps (self->sink_pad, NULL);
  if (gst_caps_is_fixed (caps))
    gst_pad_push_event (self->src_pad, gst_event_new_caps (caps));
  gst_caps_unref (caps);
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  segment.start = segment.time = segment.position = state->input.position;
  gst_pad_push_event (self->src_pad, gst_event_new_segment (&segment));
}

/* --- the stream ---------------------------------------------------------- */

static void
send_barrier (GstEegChunk *self)
{
  struct state *state = &self->state;
  GstEegBarrier *barrier;

  state->resumed = FALSE;
  barrier = gst_eeg_barrier_new (++state->id, 0);
  state->barrier_at = state->input.position;
  /* nothing comes behind the end */
  if (state->input.position < state->input.size
      && g_atomic_int_compare_and_exchange (&self->part_wanted, TRUE, FALSE))
    gst_eeg_barrier_set_ends_part (barrier);
  gst_eeg_barrier_set_input (barrier, &state->input);
  gst_eeg_barrier_add_stage (barrier, GST_EEG_STAGE (self));
  gst_pad_push_event (self->src_pad, gst_eeg_event_new_barrier (barrier));
  gst_eeg_barrier_unref (barrier);
}

static GstFlowReturn
send_block (GstEegChunk *self)
{
  struct state *state = &self->state;
  guint64 position = state->input.position;
  guint64 left = state->input.size - position;
  gsize size = (gsize) MIN (left, BLOCK_SIZE);
  GstFlowReturn flow;
  GstBuffer *buffer;

  if (state->interval > 0)
    size = (gsize) MIN (size, state->interval - position % state->interval);
  flow = pull (self, position, size, &buffer);
  if (flow != GST_FLOW_OK)
    return flow;
  /* upstream may give out the same one twice */
  buffer = gst_buffer_make_writable (buffer);
  GST_BUFFER_OFFSET (buffer) = position;
  GST_BUFFER_OFFSET_END (buffer) = position + size;
  gst_eeg_stage_count_in (&self->counters, size, 0);
  gst_eeg_stage_count_out (&self->counters, size, 0);
  state->input.position += size;
  GST_OBJECT_LOCK (self);
  self->position = state->input.position;
  GST_OBJECT_UNLOCK (self);
  flow = gst_pad_push (self->src_pad, buffer);
  if (flow == GST_FLOW_OK
      && (g_atomic_int_and ((guint *) &self->requested, 0)
          || (state->interval > 0
              && state->input.position % state->interval == 0)))
    send_barrier (self);
  return flow;
}

static void
loop (gpointer user_data)
{
  GstEegChunk *self = user_data;
  struct state *state = &self->state;
  GstFlowReturn flow = GST_FLOW_EOS;

  if (!state->begun)
    begin (self);
  if (state->input.position < state->input.size) {
    flow = send_block (self);
  } else {
    /* one at the end, so that the sink can tell this pipeline by it */
    if (state->interval > 0
        && (state->resumed || state->id == 0
            || state->input.position != state->barrier_at))
      send_barrier (self);
    gst_pad_push_event (self->src_pad, gst_eeg_event_new_complete (0));
  }
  if (flow == GST_FLOW_OK)
    return;

  GST_DEBUG_OBJECT (self, "pausing: %s", gst_flow_get_name (flow));
  gst_pad_pause_task (self->sink_pad);
  if (flow == GST_FLOW_NOT_LINKED || flow == GST_FLOW_NOT_NEGOTIATED) {
    fail (self);
    GST_ELEMENT_FLOW_ERROR (self, flow);
  }
  /* also after an error, as sources do: without `eeg-complete` it is no end */
  if (flow != GST_FLOW_FLUSHING)
    gst_pad_push_event (self->src_pad, gst_event_new_eos ());
}

/* --- pads ---------------------------------------------------------------- */

static GstFlowReturn
refuse_push (GstEegChunk *self)
{
  GST_ELEMENT_ERROR (self, CORE, PAD,
      ("The source cannot be read at any position, so nothing can be continued "
       "from it."),
      ("upstream has no pull mode"));
  return fail (self);
}

static gboolean
sink_activate (GstPad *pad, GstObject *parent)
{
  GstQuery *query = gst_query_new_scheduling ();
  gboolean answered = gst_pad_peer_query (pad, query);
  gboolean can_pull = answered
      && gst_query_has_scheduling_mode_with_flags (query, GST_PAD_MODE_PULL,
          GST_SCHEDULING_FLAG_SEEKABLE);

  gst_query_unref (query);
  if (answered && !can_pull) {
    refuse_push (GST_EEG_CHUNK (parent));
    return FALSE;
  }
  /* nobody is there, or says nothing: it shows with the first bytes */
  return gst_pad_activate_mode (pad,
      can_pull ? GST_PAD_MODE_PULL : GST_PAD_MODE_PUSH, TRUE);
}

static gboolean
sink_activate_mode (GstPad *pad, GstObject *parent, GstPadMode mode,
    gboolean active)
{
  GstEegChunk *self = GST_EEG_CHUNK (parent);
  gboolean ok;

  if (mode != GST_PAD_MODE_PULL)
    return TRUE;
  /* refused here, the pipeline does not even start */
  if (active)
    return prepare (self) && gst_pad_start_task (pad, loop, self, NULL);
  ok = gst_pad_stop_task (pad);
  reset (self);
  return ok;
}

static GstFlowReturn
sink_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  gst_buffer_unref (buffer);
  return refuse_push (GST_EEG_CHUNK (parent));
}

/* Each branch of the pipeline brings the same one. */
static void
take_request (GstEegChunk *self, GstEvent *event)
{
  gboolean is_new;

  GST_OBJECT_LOCK (self);
  is_new = self->request != gst_event_get_seqnum (event);
  self->request = gst_event_get_seqnum (event);
  GST_OBJECT_UNLOCK (self);
  if (is_new)
    g_atomic_int_set (&self->requested, TRUE);
}

/* Each sink asks for the end of a part when it has enough; the first one
 * counts. */
static void
take_part_request (GstEegChunk *self, guint64 number)
{
  gboolean is_new;

  GST_OBJECT_LOCK (self);
  is_new = number > self->part_request;
  self->part_request = MAX (self->part_request, number);
  GST_OBJECT_UNLOCK (self);
  if (is_new)
    g_atomic_int_set (&self->part_wanted, TRUE);
}

static gboolean
src_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  guint64 number;

  if (gst_eeg_event_is_barrier_request (event)) {
    take_request (GST_EEG_CHUNK (parent), event);
    gst_event_unref (event);
    return TRUE;
  }
  if (GST_EVENT_TYPE (event) == GST_EVENT_SEEK) {
    gst_event_unref (event);
    return FALSE;
  }
  if (gst_eeg_event_parse_part_request (event, &number)) {
    take_part_request (GST_EEG_CHUNK (parent), number);
    gst_event_unref (event);
    return TRUE;
  }
  return gst_pad_event_default (pad, parent, event);
}

/* Whoever asks has a stream from us, so the input is open. */
static gboolean
answer_input_bytes (GstEegChunk *self, GstQuery *query, guint64 offset,
    guint size)
{
  GstBuffer *buffer = NULL;
  GstFlowReturn flow =
      gst_pad_pull_range (self->sink_pad, offset, size, &buffer);

  if (flow != GST_FLOW_OK)
    return FALSE;
  gst_eeg_query_set_input_bytes (query, buffer);
  gst_buffer_unref (buffer);
  return TRUE;
}

static gboolean
src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstEegChunk *self = GST_EEG_CHUNK (parent);
  GstFormat format;
  guint64 position;
  guint size;

  if (gst_eeg_stage_answer_query (GST_EEG_STAGE (self), pad, query))
    return TRUE;
  if (gst_eeg_query_parse_input_bytes (query, &position, &size))
    return answer_input_bytes (self, query, position, size);
  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_SEEKING:
      gst_query_parse_seeking (query, &format, NULL, NULL, NULL);
      gst_query_set_seeking (query, format, FALSE, 0, -1);
      return TRUE;
    case GST_QUERY_POSITION:
      gst_query_parse_position (query, &format, NULL);
      if (format != GST_FORMAT_BYTES)
        return FALSE;
      GST_OBJECT_LOCK (self);
      position = self->position;
      GST_OBJECT_UNLOCK (self);
      gst_query_set_position (query, format, (gint64) position);
      return TRUE;
    case GST_QUERY_SCHEDULING:
      gst_query_set_scheduling (query, GST_SCHEDULING_FLAG_SEQUENTIAL, 1, -1,
          0);
      gst_query_add_scheduling_mode (query, GST_PAD_MODE_PUSH);
      return TRUE;
    default:
      return gst_pad_query_default (pad, parent, query);
  }
}

/* --- stage --------------------------------------------------------------- */

static GstEegStageKind
gst_eeg_chunk_get_kind (GstEegStage *stage)
{
  return GST_EEG_STAGE_KIND_ACQUISITION;
}

static gboolean
gst_eeg_chunk_estimate (GstEegStage *stage, guint64 input_bytes,
    GstEegEstimate *estimate)
{
  estimate->memory_bytes = BLOCK_SIZE;
  estimate->threads = 1;
  estimate->output_bytes = input_bytes;
  return TRUE;
}

/* The interval decides where chunks end. */
static gboolean
gst_eeg_chunk_can_resume (GstEegStage *stage, GString *depends_on,
    GError **error)
{
  GST_OBJECT_LOCK (stage);
  g_string_append_printf (depends_on, "checkpoint-interval=%" G_GUINT64_FORMAT,
      GST_EEG_CHUNK (stage)->settings.checkpoint_interval);
  GST_OBJECT_UNLOCK (stage);
  return TRUE;
}

static GBytes *
gst_eeg_chunk_save_state (GstEegStage *stage, GError **error)
{
  const struct state *state = &GST_EEG_CHUNK (stage)->state;
  const GstEegBarrierInput *input = &state->input;
  guint8 *blob;

  if (!state->begun) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_STATE_CHANGE,
        "%s has no stream whose state could be saved", GST_OBJECT_NAME (stage));
    return NULL;
  }
  blob = g_malloc0 (STATE_SIZE);
  blob[0] = STATE_VERSION;
  GST_WRITE_UINT64_LE (blob + 8, input->position);
  GST_WRITE_UINT64_LE (blob + 16, state->id);
  GST_WRITE_UINT64_LE (blob + 24, input->size);
  GST_WRITE_UINT64_LE (blob + 32, (guint64) input->mtime);
  GST_WRITE_UINT64_LE (blob + 40, input->device);
  GST_WRITE_UINT64_LE (blob + 48, input->inode);
  GST_WRITE_UINT64_LE (blob + 56, state->interval);
  memcpy (blob + 64, input->head, sizeof input->head);
  memcpy (blob + 64 + sizeof input->head, input->tail, sizeof input->tail);
  return g_bytes_new_take (blob, STATE_SIZE);
}

static gboolean
gst_eeg_chunk_restore_state (GstEegStage *stage, GBytes *state, GError **error)
{
  GstEegChunk *self = GST_EEG_CHUNK (stage);
  gsize size;
  const guint8 *blob;
  gboolean is_damaged;

  if (state == NULL)
    return gst_eeg_stage_keep_state (stage, &self->restore, NULL, TRUE, error);
  blob = g_bytes_get_data (state, &size);
  is_damaged = size != STATE_SIZE || blob[0] != STATE_VERSION
      || GST_READ_UINT64_LE (blob + 8) > GST_READ_UINT64_LE (blob + 24);
  return gst_eeg_stage_keep_state (stage, &self->restore, state, !is_damaged,
      error);
}

static void
gst_eeg_chunk_stage_init (GstEegStageInterface *iface)
{
  iface->get_kind = gst_eeg_chunk_get_kind;
  iface->estimate = gst_eeg_chunk_estimate;
  iface->can_resume = gst_eeg_chunk_can_resume;
  iface->save_state = gst_eeg_chunk_save_state;
  iface->restore_state = gst_eeg_chunk_restore_state;
}

/* --- properties ---------------------------------------------------------- */

static void
gst_eeg_chunk_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstEegChunk *self = GST_EEG_CHUNK (object);

  switch (id) {
    case PROP_CHECKPOINT_INTERVAL:
      GST_OBJECT_LOCK (self);
      self->settings.checkpoint_interval = g_value_get_uint64 (value);
      GST_OBJECT_UNLOCK (self);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
}

static void
gst_eeg_chunk_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstEegChunk *self = GST_EEG_CHUNK (object);

  switch (id) {
    case PROP_CHECKPOINT_INTERVAL:
      GST_OBJECT_LOCK (self);
      g_value_set_uint64 (value, self->settings.checkpoint_interval);
      GST_OBJECT_UNLOCK (self);
      break;
    case PROP_STATS:
      g_value_take_boxed (value,
          gst_eeg_stage_counters_to_structure (&self->counters,
              GST_EEG_STAGE_KIND_ACQUISITION));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
}

static void
gst_eeg_chunk_finalize (GObject *object)
{
  g_clear_pointer (&GST_EEG_CHUNK (object)->restore, g_bytes_unref);
  G_OBJECT_CLASS (parent_class)->finalize (object);
}

static void
gst_eeg_chunk_class_init (GstEegChunkClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  object_class->set_property = gst_eeg_chunk_set_property;
  object_class->get_property = gst_eeg_chunk_get_property;
  object_class->finalize = gst_eeg_chunk_finalize;

  /**
   * GstEegChunk:checkpoint-interval:
   *
   * Bytes from one barrier to the next; 0: none. Encoders end a chunk there, so
   * that their output depends on it.
   */
  g_object_class_install_property (object_class, PROP_CHECKPOINT_INTERVAL,
      g_param_spec_uint64 ("checkpoint-interval", "Checkpoint interval",
          "Bytes from one checkpoint to the next; encoders end a chunk there "
          "(0: none)",
          0, G_MAXUINT64, DEFAULT_CHECKPOINT_INTERVAL,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));
  g_object_class_override_property (object_class, PROP_STATS, "stats");

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "EEG checkpoint source",
      "Generic/Bytes", "Lets a byte source of others take part in checkpoints",
      "gst-plugins-eeg developers");
}

static void
gst_eeg_chunk_init (GstEegChunk *self)
{
  self->settings.checkpoint_interval = DEFAULT_CHECKPOINT_INTERVAL;

  self->sink_pad = gst_pad_new_from_static_template (&sink_template, "sink");
  gst_pad_set_activate_function (self->sink_pad, sink_activate);
  gst_pad_set_activatemode_function (self->sink_pad, sink_activate_mode);
  gst_pad_set_chain_function (self->sink_pad, sink_chain);
  gst_element_add_pad (GST_ELEMENT (self), self->sink_pad);
  self->src_pad = gst_pad_new_from_static_template (&src_template, "src");
  gst_pad_set_event_function (self->src_pad, src_event);
  gst_pad_set_query_function (self->src_pad, src_query);
  gst_element_add_pad (GST_ELEMENT (self), self->src_pad);
}
