/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:gsteegchunkcodec
 * @title: GstEegChunkCodec
 * @short_description: base class of codecs and ciphers that work in chunks
 *
 * Cuts its input in chunks, works on them with several threads, and pushes the
 * results in order; everything else that travels downstream keeps its place
 * among them. The output depends on the input, the settings and the chunk size
 * only, never on the number of threads or, as long as no chunk is cut by
 * duration, on how the input was split.
 *
 * - Caps: encoders wrap the input caps as `original-caps`, decoders unwrap
 *   them. The order of stages is checked when caps arrive.
 * - Segments: a BYTES segment is replaced, since the bytes are others; a
 *   segment that moves is an error of encoders. Other formats pass.
 * - Serialized events end the chunk of an encoder whose chunks may end
 *   anywhere, and so keep their exact place. Where cells have a fixed size, an
 *   event leaves behind the cell in which it came.
 * - FLUSH drops all that is held; an encoder then begins a new stream, with a
 *   new header. So does a STREAM_START of another stream.
 * - EOS sends what is held. Behind a source that announces its true end, an EOS
 *   without that announcement writes no final mark, and a decoder never turns a
 *   missing final mark into EOS.
 * - Barriers (see #GstEegBarrier) end the chunk of an encoder. A decoder that
 *   takes part lets them leave behind the unit in which they came, and steps
 *   over what that is beyond them when it goes on.
 * - SEEKING is answered with no; positions and durations in bytes are unknown.
 *
 * Locking: three threads meet here. The streaming thread (sink pad's stream
 * lock) cuts and submits; the source pad's task pops, in order, and pushes;
 * workers belong to the ring. The ring's lock orders them all: an item belongs
 * to the streaming thread until it is submitted, to a worker while it runs, to
 * the task from pop to release. When the ring is empty the task is past its
 * last push, so the streaming thread may push too, and everything of the
 * pushing side is its own. The object lock guards the settings, and the ring's
 * pointer where other threads read it; it is never held while another lock is
 * taken but the ring's, which is a leaf.
 */
#include "gsteegchunkcodec.h"

#include <string.h>

#include <gst/eeg/gsteegallocator.h>
#include <gst/eeg/gsteegbarrier.h>
#include <gst/eeg/gsteegevent.h>
#include <gst/eeg/gsteegmarkermeta.h>
#include <gst/eeg/gsteegpart.h>

#include "digest.h"
#include "jobring.h"

GST_DEBUG_CATEGORY_STATIC (gst_eeg_chunk_codec_debug);
#define GST_CAT_DEFAULT gst_eeg_chunk_codec_debug

enum
{
  PROP_0,
  PROP_THREADS,
  PROP_STATS
};

#define DEFAULT_THREADS 0
#define MAX_THREADS 64
#define MAX_AUTOMATIC_THREADS 4

/* Output of stream() in one buffer at most. */
#define STREAM_OUTPUT_BYTES (256 * 1024)
/* Input that is not copied together, of classes that take pieces: up to this
 * many runs of at least this many bytes each. */
#define MAX_PIECES 16
#define PIECE_BYTES (32 * 1024)
/* Such a run's block has at most the size of this many chunks. */
#define MAX_HELD_CHUNKS 8
/* Input that is gathered at once when parse() does not say how much it needs.
 */
#define PARSE_STEP_BYTES 4096

/* A job is done by the thread that cut it, without a hand-off, when it is
 * expected to take at most this long and the jobs come at a distance of at
 * least INLINE_IDLE times that: then threads gain nothing. A live source's
 * thread has more patience, for it has nothing else to do. */
#define INLINE_TIME (500 * GST_USECOND)
#define INLINE_TIME_LIVE (5 * GST_MSECOND)
#define INLINE_BYTES (64 * 1024) /* while no job was measured yet */
#define INLINE_BYTES_LIVE (1024 * 1024)
#define INLINE_IDLE 4
#define BUSY_JOBS 4 /* jobs in a row that came faster than that */

/* For tests only: random pauses in the workers, in microseconds. */
#define DELAY_VARIABLE "GSTEEG_TEST_JOB_DELAY_US"

/*
 * A saved state: u8 version, u8 whether a part begins here, so that there is
 * nothing to go on with, 6 bytes 0, then (little-endian u64) bytes of input
 * where its segment is, input bytes and jobs of the stream, offset of the next
 * output byte, bytes of output. Of a class with restore() also u64 bytes to
 * step over, u32 size of what save_input() gave, that, and what save_output()
 * gave.
 */
#define STATE_VERSION 1
#define STATE_SIZE 48
#define STATE_SIZE_MORE (STATE_SIZE + 12)
/* All states of a pipeline have to go into 256 KiB. */
#define MAX_STATE (96 * 1024)

/* A flow return as the ring's code, which is never 0. */
#define CODE_FROM_FLOW(flow) ((int) (flow) < 0 ? (int) (flow) : -1000)

typedef enum
{
  ITEM_NONE,
  ITEM_JOB,
  ITEM_BUFFER, /* pushed as it is */
  ITEM_EVENT,
  ITEM_FINISH, /* the trailer is made and pushed */
  ITEM_LABEL,  /* the label of a part is made and pushed */
  ITEM_LOST,   /* damage that was stepped over */
  ITEM_ERROR   /* posted in its place */
} ItemKind;

/* Bytes of a buffer, used where they lie. */
typedef struct
{
  GstBuffer *buffer; /* kept whole, so that its pool gets it back whole */
  GstMemory *memory;
  GstMapInfo map;
} ItemInput;

/* How far the input is at some place of the stream. */
typedef struct
{
  guint64 position;
  guint64 bytes;
  guint64 jobs;
  guint64 skip;  /* bytes behind it that belong before it */
  GBytes *input; /* of save_input(), or NULL */
} InputMark;

/* A barrier in the middle of a decoder's unit */
typedef struct
{
  GstEvent *event;
  guint64 position; /* where a BYTES segment behind it has to start */
  guint64 bytes;    /* input before it */
} Held;

typedef struct
{
  GstEegChunkJob job; /* first: subclasses are given its address */
  ItemKind kind;
  GstEegChunkCodec *codec;

  /* Input: gathered in the item's own slab, or bytes of buffers. What is
   * copied has the same place in the slab as in the job. */
  GstMemory *slab;
  GstMapInfo slab_map;
  ItemInput inputs[MAX_PIECES];
  guint n_inputs;
  GstEegChunkPiece pieces[MAX_PIECES];
  guint n_pieces;
  gsize capacity;
  gsize fill;
  GstClockTime last_pts; /* of the buffer that the last byte came from */
  GstClockTime end;      /* time stamp behind the last byte, if known */

  GstMemory *out;
  GstMapInfo out_map;

  GstBuffer *markers; /* carries the metas of swallowed buffers, no data */
  GstBuffer *buffer;
  GstEvent *event;
  InputMark mark;  /* where the event came */
  GstEegPart part; /* that begins, of a label */
  GQueue events;   /* to leave behind the job */
  GError *error;
} Item;

struct settings
{
  guint threads;
  GstClockTime chunk_duration;
  gboolean salvage;
  guint64 max_output_bytes;
};

/* Of the streaming thread. */
struct state
{
  gboolean got_caps;
  gboolean sent_caps;
  gboolean order_checked;
  gboolean order_wrong;
  gboolean got_segment;
  gboolean got_eos;   /* atomic: the src task looks at it */
  gboolean flow_told; /* atomic: upstream or the application knows of a flow
                         that is neither error nor flushing */
  gboolean begun;
  gboolean complete; /* the source announced its true end */
  gboolean failed;   /* an error is on its way through the ring */
  gboolean live;
  gchar *stream_id;
  GstCaps *caps;
  GstSegment segment;
  guint32 segment_seqnum;
  guint64 position;     /* where the next BYTES segment has to start */
  guint64 stream_bytes; /* input since begin */
  guint64 stream_jobs;  /* jobs since begin */
  gboolean resumed;     /* these go on where a process before was */
  guint64 resumed_at;   /* offset of the first output byte */
  gboolean caught_up;   /* with what was before that */
  guint64 n_parts;      /* of the recording, that have ended */

  Item *current; /* acquired, being filled */
  GstBuffer *markers;
  gboolean task_started;

  /* pace of the jobs */
  GstClockTime last_submit;
  guint busy_jobs;

  /* decoders */
  GstMemory *fifo; /* input that parse() wants more of */
  GstMapInfo fifo_map;
  gsize fifo_fill;
  gboolean more; /* parse() asked for more than it was shown */
  gsize need;    /* bytes that it asked for; 0: any */
  guint64 skip;
  GQueue barriers; /* of Held */
  gboolean streaming;
  GstMemory *stream_out;
  GstMapInfo stream_map;
  gsize stream_fill;
  GstClockTime pts; /* of the buffer that holds the next unit */
};

/* Of whoever pushes: the task, or the streaming thread while the ring is
 * empty. */
struct push_state
{
  guint64 offset; /* of the next output byte, lost ones counted */
  guint64 pushed; /* bytes of the stream that came out */
  gboolean discont;
  GstClockTime pts_end; /* of what was pushed last */
  guint64 lost_units;
  guint64 lost_input;
  guint64 lost_output;
  InputMark mark; /* of the event at hand */
  /* parts of a recording */
  gboolean begins_part; /* at the barrier at hand */
  GstEegPart part;      /* which the next label is for */
  gpointer hash;        /* of what was pushed of it; NULL: not needed */
};

typedef struct
{
  GstPad *sink_pad; /* NULL: the element's own pads */
  GstPad *src_pad;  /* the same */
  GstTask *task;    /* without a source pad; object lock */
  GRecMutex task_lock;

  struct settings settings; /* object lock */
  GBytes *restore;          /* object lock; taken at start */
  GstEegPart *part;         /* the same; NULL: no parts */

  /* from start to stop; the ring's pointer also under the object lock */
  struct settings active;
  gboolean makes_parts;
  gboolean makes_labels;
  EegJobRing *ring;
  guint n_threads; /* 1: no worker, everything inline */
  guint n_workers;
  guint n_slots;
  gpointer *contexts; /* n_workers + 1, each of one thread; last: inline */
  GstEegAllocator *in_allocator;
  GstEegAllocator *out_allocator;

  struct state state;
  struct push_state push;

  GstEegStageCounters counters;
  guint64 blocks;         /* relaxed atomic */
  guint32 ns_per_kib;     /* relaxed atomic; of process(), smoothed */
  guint64 retired_reused; /* relaxed atomic; of allocators that are gone */
} GstEegChunkCodecPrivate;

static void gst_eeg_chunk_codec_stage_init (GstEegStageInterface *iface);

G_DEFINE_ABSTRACT_TYPE_WITH_CODE (GstEegChunkCodec, gst_eeg_chunk_codec,
    GST_TYPE_ELEMENT,
    G_ADD_PRIVATE (GstEegChunkCodec) G_IMPLEMENT_INTERFACE (GST_TYPE_EEG_STAGE,
        gst_eeg_chunk_codec_stage_init)
        GST_DEBUG_CATEGORY_INIT (gst_eeg_chunk_codec_debug, "eegchunkcodec", 0,
            "EEG chunk codec base class"))

#define PRIVATE(self)                                                          \
  ((GstEegChunkCodecPrivate *) gst_eeg_chunk_codec_get_instance_private (self))
#define CLASS(self) GST_EEG_CHUNK_CODEC_GET_CLASS (self)

static gboolean
is_encoder (GstEegChunkCodec *self)
{
  return CLASS (self)->bound != NULL;
}

/* The end of the input came in the middle of something. */
static void
set_truncated_error (GstEegChunkCodec *self, GError **error)
{
  g_set_error_literal (error, GST_STREAM_ERROR,
      CLASS (self)->kind == GST_EEG_STAGE_KIND_DECRYPTION
          ? GST_STREAM_ERROR_DECRYPT
          : GST_STREAM_ERROR_DECODE,
      "The stream is cut short: its end is missing.");
}

/* Memory */

static void
replace_allocator (GstEegChunkCodec *self, GstEegAllocator **allocator,
    gsize size)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  GstEegAllocator *old, *new_allocator = NULL;
  guint64 reused = 0;

  if (size > 0)
    new_allocator = gst_eeg_allocator_new (size, 0);
  GST_OBJECT_LOCK (self);
  old = *allocator;
  *allocator = new_allocator;
  GST_OBJECT_UNLOCK (self);
  if (old != NULL) {
    gst_eeg_allocator_get_counts (old, NULL, NULL, &reused);
    __atomic_fetch_add (&priv->retired_reused, reused, __ATOMIC_RELAXED);
    gst_object_unref (old);
  }
}

/* Makes sure that @memory, mapped as @map for writing, has room for @size
 * bytes; what it held is gone. */
static gboolean
ensure_slab (GstEegChunkCodec *self, GstEegAllocator **allocator,
    GstMemory **memory, GstMapInfo *map, gsize size)
{
  GstMemory *new_memory;

  size = MAX (size, 1);
  if (*memory != NULL && (*memory)->maxsize >= size)
    return TRUE;
  if (*memory != NULL) {
    gst_memory_unmap (*memory, map);
    g_clear_pointer (memory, gst_memory_unref);
  }
  if (*allocator == NULL || gst_eeg_allocator_get_slab_size (*allocator) < size)
    replace_allocator (self, allocator, size);
  if (gst_eeg_allocator_acquire (*allocator,
          gst_eeg_allocator_get_slab_size (*allocator), FALSE, &new_memory)
      != GST_FLOW_OK)
    return FALSE;
  if (!gst_memory_map (new_memory, map, GST_MAP_READWRITE)) {
    gst_memory_unref (new_memory);
    return FALSE;
  }
  *memory = new_memory;
  return TRUE;
}

static void
free_slab (GstMemory **memory, GstMapInfo *map)
{
  if (*memory != NULL) {
    gst_memory_unmap (*memory, map);
    g_clear_pointer (memory, gst_memory_unref);
  }
}

static void
set_memory_error (GError **error, gsize size)
{
  g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED,
      "Could not allocate a block of %" G_GSIZE_FORMAT " bytes.", size);
}

/* Items */

/* Ready for the next use; slabs are kept. */
static void
item_reset (Item *item)
{
  GstEvent *event;

  if (item->job.user_free != NULL && item->job.user_data != NULL)
    item->job.user_free (item->job.user_data);
  memset (&item->job, 0, sizeof item->job);
  item->kind = ITEM_NONE;
  while (item->n_inputs > 0) {
    ItemInput *input = &item->inputs[--item->n_inputs];

    gst_memory_unmap (input->memory, &input->map);
    gst_memory_unref (input->memory);
    gst_buffer_unref (input->buffer);
  }
  item->n_pieces = 0;
  item->capacity = item->fill = 0;
  gst_clear_buffer (&item->markers);
  gst_clear_buffer (&item->buffer);
  gst_clear_event (&item->event);
  g_clear_pointer (&item->mark.input, g_bytes_unref);
  while ((event = g_queue_pop_head (&item->events)))
    gst_event_unref (event);
  g_clear_error (&item->error);
}

static void
add_piece (Item *item, const guint8 *data, gsize size)
{
  GstEegChunkPiece *last = &item->pieces[MAX (item->n_pieces, 1) - 1];

  if (item->n_pieces > 0 && last->data + last->size == data) {
    last->size += size;
  } else {
    g_assert (item->n_pieces < MAX_PIECES);
    item->pieces[item->n_pieces++] = (GstEegChunkPiece){ data, size };
  }
  item->fill += size;
}

/* Adds bytes as a copy. */
static gboolean
add_copy (GstEegChunkCodec *self, Item *item, const guint8 *data, gsize size)
{
  if (!ensure_slab (self, &PRIVATE (self)->in_allocator, &item->slab,
          &item->slab_map, item->capacity))
    return FALSE;
  memcpy (item->slab_map.data + item->fill, data, size);
  add_piece (item, item->slab_map.data + item->fill, size);
  return TRUE;
}

/* Adds bytes of a buffer where they lie. FALSE if they cannot be read. */
static gboolean
add_reference (Item *item, GstBuffer *buffer, GstMemory *memory, gsize offset,
    gsize size)
{
  ItemInput *input = &item->inputs[item->n_inputs];

  if (!gst_memory_map (memory, &input->map, GST_MAP_READ))
    return FALSE;
  input->buffer = gst_buffer_ref (buffer);
  input->memory = gst_memory_ref (memory);
  item->n_inputs++;
  add_piece (item, input->map.data + offset, size);
  return TRUE;
}

/* Copies the last @size bytes of the input. */
static void
copy_rest (const Item *item, guint8 *out, gsize size)
{
  guint i;

  for (i = item->n_pieces; size > 0;) {
    const GstEegChunkPiece *piece = &item->pieces[--i];
    gsize n = MIN (size, piece->size);

    size -= n;
    memcpy (out + size, piece->data + piece->size - n, n);
  }
}

static void
ring_clear (void *data, void *user_data)
{
  item_reset (data);
}

static gpointer
get_context (GstEegChunkCodec *self, guint worker, GError **error)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  GstEegChunkCodecClass *klass = CLASS (self);

  if (priv->contexts[worker] == NULL && klass->worker_new != NULL) {
    priv->contexts[worker] = klass->worker_new (self, error);
    if (priv->contexts[worker] == NULL && error != NULL && *error == NULL)
      g_set_error_literal (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
          "Could not create a coding context.");
  }
  return priv->contexts[worker];
}

/* Any worker. */
static int
run_job (void *data, unsigned worker, void *user_data)
{
  Item *item = data;
  GstEegChunkCodec *self = user_data;
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  GstEegChunkCodecClass *klass = CLASS (self);
  GstEegChunkJob *job = &item->job;
  GstClockTime start = gst_util_get_timestamp ();
  gpointer context = get_context (self, worker, &item->error);
  gboolean ok;
  guint32 old, rate;

  ok = (context != NULL || klass->worker_new == NULL)
      && klass->process (self, context, job, &item->error);
  job->elapsed = gst_util_get_timestamp () - start;
  if (!ok && item->error == NULL)
    g_set_error_literal (&item->error, GST_STREAM_ERROR,
        is_encoder (self) ? GST_STREAM_ERROR_ENCODE : GST_STREAM_ERROR_DECODE,
        "Could not process the data.");

  gst_eeg_stage_count (&priv->counters.busy_ns, job->elapsed);
  if (job->size >= 64) {
    rate = (guint32) MIN (job->elapsed * 1024 / job->size, G_MAXINT32);
    old = __atomic_load_n (&priv->ns_per_kib, __ATOMIC_RELAXED);
    __atomic_store_n (&priv->ns_per_kib,
        old == 0 ? MAX (rate, 1) : MAX ((guint32) ((old * 7ull + rate) / 8), 1),
        __ATOMIC_RELAXED);
  }
  /* a damaged unit is no failure when salvaging: what comes after it counts */
  return ok || priv->active.salvage ? 0 : 1;
}

/* Pushing side */

static gboolean
send_downstream (GstEegChunkCodec *self, GstEvent *event)
{
  if (CLASS (self)->push_event != NULL)
    return CLASS (self)->push_event (self, event);
  return gst_pad_push_event (PRIVATE (self)->src_pad, event);
}

static void
post_error (GstEegChunkCodec *self, const GError *error, const gchar *debug)
{
  gst_eeg_stage_count (&PRIVATE (self)->counters.errors, 1);
  gst_element_message_full (GST_ELEMENT_CAST (self), GST_MESSAGE_ERROR,
      error->domain, error->code, g_strdup (error->message), g_strdup (debug),
      __FILE__, GST_FUNCTION, __LINE__);
}

/* What the next part's label will say of this one. */
static void
hash_output (GstEegChunkCodec *self, GstBuffer *buffer)
{
  struct push_state *push = &PRIVATE (self)->push;
  guint i, n = gst_buffer_n_memory (buffer);

  for (i = 0; i < n; i++) {
    GstMemory *memory = gst_buffer_peek_memory (buffer, i);
    GstMapInfo map;

    /* it is ours, so that it can be read */
    if (!gst_memory_map (memory, &map, GST_MAP_READ))
      continue;
    push->part.digest->update (push->hash, map.data, map.size);
    gst_memory_unmap (memory, &map);
  }
}

/* transfer full; @job: where the buffer came from, else NULL */
static GstFlowReturn
push_buffer (GstEegChunkCodec *self, const GstEegChunkJob *job,
    GstBuffer *buffer)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  struct push_state *push = &priv->push;
  gsize size = buffer != NULL ? gst_buffer_get_size (buffer) : 0;

  if (priv->active.max_output_bytes > 0
      && size > priv->active.max_output_bytes - push->pushed) {
    gst_clear_buffer (&buffer);
    gst_eeg_stage_count (&priv->counters.errors, 1);
    GST_ELEMENT_ERROR (self, STREAM, DECODE,
        ("The stream decodes to more than %" G_GUINT64_FORMAT " bytes.",
            priv->active.max_output_bytes),
        ("%" G_GUINT64_FORMAT " bytes were pushed", push->pushed));
    return GST_FLOW_ERROR;
  }
  push->pushed += size;
  if (push->hash != NULL)
    hash_output (self, buffer);
  if (CLASS (self)->push != NULL) {
    push->offset += size;
    return CLASS (self)->push (self, job, buffer);
  }
  GST_BUFFER_OFFSET (buffer) = push->offset;
  push->offset += size;
  GST_BUFFER_OFFSET_END (buffer) = push->offset;
  if (push->discont) {
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
    push->discont = FALSE;
  }
  if (GST_BUFFER_PTS_IS_VALID (buffer)) {
    push->pts_end = GST_BUFFER_PTS (buffer);
    if (GST_BUFFER_DURATION_IS_VALID (buffer))
      push->pts_end += GST_BUFFER_DURATION (buffer);
  }
  gst_eeg_stage_count_out (&priv->counters, size, 0);
  return gst_pad_push (priv->src_pad, buffer);
}

/* @input bytes did not verify; @output bytes of what they held are lost, 0 if
 * nobody knows how many. */
static GstFlowReturn
push_lost (GstEegChunkCodec *self, guint64 offset, guint64 input,
    guint64 output, const gchar *reason)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  struct push_state *push = &priv->push;
  GstEvent *gap;

  push->lost_units++;
  push->lost_input += input;
  push->lost_output += output;
  GST_WARNING_OBJECT (self,
      "lost %" G_GUINT64_FORMAT " bytes of input at %" G_GUINT64_FORMAT ": %s",
      input, offset, reason);
  gst_element_post_message (GST_ELEMENT_CAST (self),
      gst_message_new_element (GST_OBJECT_CAST (self),
          gst_structure_new ("eeg-salvage", "offset", G_TYPE_UINT64, offset,
              "bytes-lost", G_TYPE_UINT64, input, "output-offset",
              G_TYPE_UINT64, push->offset, "output-lost", G_TYPE_UINT64, output,
              "total-units-lost", G_TYPE_UINT64, push->lost_units,
              "total-bytes-lost", G_TYPE_UINT64, push->lost_input,
              "total-output-lost", G_TYPE_UINT64, push->lost_output,
              "total-output", G_TYPE_UINT64, push->pushed, "reason",
              G_TYPE_STRING, reason, NULL)));
  if (CLASS (self)->push != NULL)
    return GST_FLOW_OK; /* knows from what comes next what is missing */
  /* bytes have no time of their own: the gap says where they are missing */
  gap =
      gst_event_new_gap (GST_CLOCK_TIME_IS_VALID (push->pts_end) ? push->pts_end
                                                                 : push->offset,
          GST_CLOCK_TIME_NONE);
  gst_structure_set (gst_event_writable_structure (gap), "offset",
      G_TYPE_UINT64, push->offset, "bytes", G_TYPE_UINT64, output, NULL);
  push->offset += output;
  push->discont = TRUE;
  send_downstream (self, gap);
  return GST_FLOW_OK;
}

/* The job's output as a buffer, or NULL if it is empty. A slab that is mostly
 * empty is not given away for a few bytes. */
static GstBuffer *
take_output (GstEegChunkCodec *self, Item *item)
{
  GstEegChunkJob *job = &item->job;
  GstBuffer *buffer;

  if (job->out_size == 0)
    return NULL;
  if (job->out_size < item->out->maxsize / 4) {
    buffer = gst_buffer_new_allocate (NULL, job->out_size, NULL);
    gst_buffer_fill (buffer, 0, item->out_map.data, job->out_size);
  } else {
    GstMemory *memory = g_steal_pointer (&item->out);

    gst_memory_unmap (memory, &item->out_map);
    gst_memory_resize (memory, 0, job->out_size);
    buffer = gst_buffer_new ();
    gst_buffer_append_memory (buffer, memory);
  }
  GST_BUFFER_PTS (buffer) = job->pts;
  GST_BUFFER_DURATION (buffer) = job->duration;
  if (item->markers != NULL)
    gst_buffer_copy_eeg_marker_meta (item->markers, buffer);
  return buffer;
}

static GstFlowReturn
push_job (GstEegChunkCodec *self, Item *item)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  GstEegChunkCodecClass *klass = CLASS (self);
  GstFlowReturn flow = GST_FLOW_OK;
  GstEegChunkJob *job = &item->job;
  GstBuffer *buffer = take_output (self, item);

  __atomic_fetch_add (&priv->blocks, 1, __ATOMIC_RELAXED);
  if (item->error == NULL && klass->emit != NULL
      && !klass->emit (self, job, &buffer, &item->error)) {
    gst_clear_buffer (&buffer);
    post_error (self, item->error, NULL);
    return GST_FLOW_ERROR;
  }
  if (buffer != NULL || (klass->push != NULL && item->error == NULL))
    flow = push_buffer (self, job, buffer);
  if (flow == GST_FLOW_OK && item->error == NULL && klass->pushed != NULL)
    klass->pushed (self, job);
  if (item->error != NULL && flow == GST_FLOW_OK) {
    if (priv->active.salvage && item->error->domain == GST_STREAM_ERROR) {
      flow = push_lost (self, job->offset, job->size,
          job->out_capacity - job->out_size, item->error->message);
    } else {
      gchar *debug = g_strdup_printf ("%" G_GSIZE_FORMAT
                                      " bytes of input at %" G_GUINT64_FORMAT,
          job->size, job->offset);

      post_error (self, item->error, debug);
      g_free (debug);
      flow = GST_FLOW_ERROR;
    }
  }
  return flow;
}

static GstFlowReturn
push_trailer (GstEegChunkCodec *self)
{
  GError *error = NULL;
  GstBuffer *trailer = NULL;

  if (!CLASS (self)->finish (self, &trailer, &error)) {
    post_error (self, error, "at the end of the stream");
    g_clear_error (&error);
    return GST_FLOW_ERROR;
  }
  return trailer != NULL ? push_buffer (self, NULL, trailer) : GST_FLOW_OK;
}

/* Before the first byte of a part. */
static GstFlowReturn
push_label (GstEegChunkCodec *self, const GstEegPart *begun)
{
  struct push_state *push = &PRIVATE (self)->push;
  gchar *text;
  GstBuffer *label;

  if (CLASS (self)->begin_part != NULL) {
    push->part.first = begun->first;
    push->part.origin = begun->origin;
  }
  send_downstream (self, gst_eeg_event_new_part (&push->part));
  text = gst_eeg_part_to_text (&push->part);
  label = CLASS (self)->label (self, text);
  g_free (text);
  if (label == NULL)
    return GST_FLOW_OK;
  GST_BUFFER_FLAG_SET (label, GST_BUFFER_FLAG_HEADER);
  return push_buffer (self, NULL, label);
}

/* All of the part was pushed. */
static void
end_pushed_part (GstEegChunkCodec *self, GstEegBarrier *barrier)
{
  struct push_state *push = &PRIVATE (self)->push;

  push->begins_part = TRUE;
  push->part.number++;
  if (CLASS (self)->begin_part != NULL)
    push->part.first = GST_EEG_PART_UNKNOWN;
  else if (push->part.first != GST_EEG_PART_UNKNOWN)
    push->part.first += push->mark.bytes;
  if (push->hash != NULL) {
    /* one without a byte makes no file: the next one follows what is there */
    if (push->pushed > 0) {
      push->part.link = GST_EEG_PART_LINK_FOLLOWS;
      push->part.digest->final (push->hash, push->part.previous);
      push->part.digest->init (push->hash);
    }
    gst_eeg_barrier_set_next_part (barrier, GST_EEG_STAGE (self), &push->part);
  }
  push->mark.bytes = push->mark.jobs = 0;
  push->offset = push->pushed = 0;
}

/* All before the event was pushed: a barrier finds here what it has to. */
static gboolean
push_event (GstEegChunkCodec *self, GstEvent *event, const InputMark *mark)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  GstEegBarrier *barrier;

  if (gst_eeg_event_parse_barrier (event, &barrier)) {
    priv->push.mark = *mark;
    if (priv->makes_parts && gst_eeg_barrier_ends_part (barrier))
      end_pushed_part (self, barrier);
    gst_eeg_barrier_add_stage (barrier, GST_EEG_STAGE (self));
    priv->push.begins_part = FALSE;
    priv->push.mark.input = NULL;
  }
  return send_downstream (self, event);
}

/* Pushes what the item holds and makes it ready for the next use. */
static GstFlowReturn
push_item (GstEegChunkCodec *self, Item *item)
{
  GstFlowReturn flow = GST_FLOW_OK;
  GstEvent *event;

  switch (item->kind) {
    case ITEM_JOB:
      flow = push_job (self, item);
      break;
    case ITEM_BUFFER:
      flow = push_buffer (self, NULL, g_steal_pointer (&item->buffer));
      break;
    case ITEM_EVENT:
      push_event (self, g_steal_pointer (&item->event), &item->mark);
      break;
    case ITEM_FINISH:
      flow = push_trailer (self);
      break;
    case ITEM_LABEL:
      flow = push_label (self, &item->part);
      break;
    case ITEM_LOST:
      flow = push_lost (self, item->job.offset, item->job.size,
          item->job.out_size, "damaged input");
      break;
    case ITEM_ERROR:
      post_error (self, item->error, NULL);
      flow = GST_FLOW_ERROR;
      break;
    case ITEM_NONE:
      break;
  }
  while (flow == GST_FLOW_OK && (event = g_queue_pop_head (&item->events)))
    push_event (self, event, &item->mark);
  item_reset (item);
  return flow;
}

/* Posts that nothing is linked downstream, unless it is known already. */
static void
tell_flow (GstEegChunkCodec *self, GstFlowReturn flow)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);

  if (flow != GST_FLOW_NOT_LINKED && flow != GST_FLOW_NOT_NEGOTIATED)
    return;
  if (__atomic_exchange_n (&priv->state.flow_told, TRUE, __ATOMIC_SEQ_CST))
    return;
  gst_eeg_stage_count (&priv->counters.errors, 1);
  GST_ELEMENT_FLOW_ERROR (self, flow);
}

static void
pause_task (GstEegChunkCodec *self)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);

  if (priv->src_pad != NULL) {
    gst_pad_pause_task (priv->src_pad);
    return;
  }
  /* one that is being stopped is not paused instead */
  GST_OBJECT_LOCK (self);
  if (priv->task != NULL)
    gst_task_pause (priv->task);
  GST_OBJECT_UNLOCK (self);
}

/* The task that pushes: the source pad's, or without one the element's. */
static void
src_loop (gpointer user_data)
{
  GstEegChunkCodec *self = user_data;
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  GstFlowReturn flow;
  Item *item;
  int result;

  item = eeg_jobring_pop (priv->ring, &result);
  if (item == NULL) {
    GST_LOG_OBJECT (self, "pausing: %d", result);
    pause_task (self);
    return;
  }
  flow = push_item (self, item);
  if (flow != GST_FLOW_OK) {
    GST_DEBUG_OBJECT (self, "pausing: %s", gst_flow_get_name (flow));
    eeg_jobring_close (priv->ring, CODE_FROM_FLOW (flow));
    eeg_jobring_release (priv->ring);
    /* upstream learns it from its next buffer, unless there is none. After
     * close: handle_eos() looks at the ring after it has set got_eos. */
    if (__atomic_load_n (&priv->state.got_eos, __ATOMIC_SEQ_CST))
      tell_flow (self, flow);
    pause_task (self);
    return;
  }
  eeg_jobring_release (priv->ring);
}

static void
start_task (GstEegChunkCodec *self)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  GstTask *task;
  gchar *name;

  if (priv->src_pad != NULL) {
    gst_pad_start_task (priv->src_pad, src_loop, self, NULL);
    return;
  }
  task = gst_task_new (src_loop, self, NULL);
  gst_task_set_lock (task, &priv->task_lock);
  name = g_strdup_printf ("%s:src", GST_OBJECT_NAME (self));
  gst_object_set_name (GST_OBJECT_CAST (task), name);
  g_free (name);
  GST_OBJECT_LOCK (self);
  priv->task = task;
  gst_task_start (task);
  GST_OBJECT_UNLOCK (self);
}

/* The ring is closed: the task waits for nothing in here. */
static void
stop_task (GstEegChunkCodec *self)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  GstTask *task;

  if (priv->src_pad != NULL) {
    gst_pad_stop_task (priv->src_pad);
    return;
  }
  GST_OBJECT_LOCK (self);
  task = g_steal_pointer (&priv->task);
  if (task != NULL)
    gst_task_stop (task);
  GST_OBJECT_UNLOCK (self);
  if (task != NULL) {
    gst_task_join (task);
    gst_object_unref (task);
  }
}

/* Streaming thread: items into the ring */

static GstFlowReturn
flow_of_ring (GstEegChunkCodec *self)
{
  return (GstFlowReturn) eeg_jobring_code (PRIVATE (self)->ring);
}

static void
close_ring (GstEegChunkCodec *self, GstFlowReturn flow)
{
  eeg_jobring_close (PRIVATE (self)->ring, CODE_FROM_FLOW (flow));
}

/* From threads that the ring may be taken away from. */
static void
close_ring_flushing (GstEegChunkCodec *self)
{
  GST_OBJECT_LOCK (self);
  if (PRIVATE (self)->ring != NULL)
    close_ring (self, GST_FLOW_FLUSHING);
  GST_OBJECT_UNLOCK (self);
}

static GstFlowReturn
submit_to_ring (GstEegChunkCodec *self, gboolean is_job)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);

  /* if the pad is being deactivated at this moment, stop() stops the task */
  if (!priv->state.task_started) {
    priv->state.task_started = TRUE;
    start_task (self);
  }
  return (GstFlowReturn) eeg_jobring_submit (priv->ring, is_job);
}

/* The item to work with, with its lasting fields set. NULL when closed. */
static Item *
acquire_item (GstEegChunkCodec *self, GstFlowReturn *flow)
{
  int code = 0;
  Item *item = eeg_jobring_acquire (PRIVATE (self)->ring, &code);

  if (item != NULL)
    item->codec = self;
  else
    *flow = (GstFlowReturn) code;
  return item;
}

/* Sends an item that is no job: at once if nothing is before it. */
static GstFlowReturn
send_mark (GstEegChunkCodec *self, Item *item)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  GstFlowReturn flow;

  if (!eeg_jobring_is_empty (priv->ring))
    return submit_to_ring (self, FALSE);
  flow = push_item (self, item);
  if (flow == GST_FLOW_ERROR)
    close_ring (self, flow);
  return flow;
}

/* transfer full */
static GstFlowReturn
send_error (GstEegChunkCodec *self, GError *error)
{
  GstFlowReturn flow = GST_FLOW_OK;
  Item *item = acquire_item (self, &flow);

  PRIVATE (self)->state.failed = TRUE;
  PRIVATE (self)->state.current = NULL;
  if (item == NULL) {
    g_error_free (error);
    return flow;
  }
  item_reset (item);
  item->kind = ITEM_ERROR;
  item->error = error;
  return send_mark (self, item);
}

/* Is the job better done here and now than by a worker? */
static gboolean
is_inline_job (GstEegChunkCodec *self, gsize size)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  struct state *st = &priv->state;
  guint32 ns_per_kib;
  GstClockTime now, distance, cost;

  if (priv->n_threads == 1)
    return TRUE;
  now = gst_util_get_timestamp ();
  distance = GST_CLOCK_TIME_IS_VALID (st->last_submit) ? now - st->last_submit
                                                       : GST_CLOCK_TIME_NONE;
  st->last_submit = now;
  ns_per_kib = __atomic_load_n (&priv->ns_per_kib, __ATOMIC_RELAXED);
  if (ns_per_kib == 0)
    return size <= (st->live ? INLINE_BYTES_LIVE : INLINE_BYTES)
        && eeg_jobring_is_empty (priv->ring);

  cost = gst_util_uint64_scale (size, ns_per_kib, 1024);
  if (distance >= INLINE_IDLE * cost)
    st->busy_jobs = 0;
  else if (st->busy_jobs < BUSY_JOBS)
    st->busy_jobs++;
  return st->busy_jobs < BUSY_JOBS
      && cost <= (st->live ? INLINE_TIME_LIVE : INLINE_TIME)
      && eeg_jobring_is_empty (priv->ring);
}

static void
take_markers (GstEegChunkCodec *self, GstBuffer **markers)
{
  struct state *st = &PRIVATE (self)->state;

  if (st->markers == NULL)
    return;
  if (*markers == NULL) {
    *markers = g_steal_pointer (&st->markers);
  } else {
    gst_buffer_copy_eeg_marker_meta (st->markers, *markers);
    gst_clear_buffer (&st->markers);
  }
}

static void
keep_markers (GstEegChunkCodec *self, GstBuffer *buffer)
{
  struct state *st = &PRIVATE (self)->state;
  gpointer iterator = NULL;

  if (gst_buffer_iterate_eeg_marker_meta (buffer, &iterator) == NULL)
    return;
  if (st->markers == NULL)
    st->markers = gst_buffer_new ();
  gst_buffer_copy_eeg_marker_meta (buffer, st->markers);
}

/* Sends a job whose input and out_capacity are set. */
static GstFlowReturn
send_job (GstEegChunkCodec *self, Item *item)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  GstEegChunkCodecClass *klass = CLASS (self);
  struct state *st = &priv->state;
  GstEegChunkJob *job = &item->job;
  GstFlowReturn flow;
  GError *error = NULL;

  st->current = NULL;
  item->kind = ITEM_JOB;
  st->stream_jobs++;
  take_markers (self, &item->markers);
  if (!ensure_slab (self, &priv->out_allocator, &item->out, &item->out_map,
          job->out_capacity)) {
    set_memory_error (&error, job->out_capacity);
    return send_error (self, error);
  }
  job->out = item->out_map.data;
  if (klass->prepare != NULL && !klass->prepare (self, job, &error))
    return send_error (self, error);

  if (!is_inline_job (self, job->size))
    return submit_to_ring (self, TRUE);
  run_job (item, priv->n_workers, self);
  if (eeg_jobring_code (priv->ring) != 0) {
    /* it may have been given up, which is no error */
    item_reset (item);
    return flow_of_ring (self);
  }
  flow = push_item (self, item);
  if (flow == GST_FLOW_ERROR)
    close_ring (self, flow);
  return flow;
}

/* What the subclass has to say of its input where a barrier is. transfer
 * full */
static GBytes *
save_input (GstEegChunkCodec *self, GstEvent *event)
{
  GstEegBarrier *barrier;
  GError *error = NULL;
  GBytes *input;

  if (CLASS (self)->save_input == NULL
      || !gst_eeg_event_parse_barrier (event, &barrier))
    return NULL;
  input = CLASS (self)->save_input (self, &error);
  if (input == NULL) {
    gst_eeg_barrier_fail (barrier, GST_EEG_STAGE (self), error->message);
    g_error_free (error);
  }
  return input;
}

/* transfer full, of the mark's input too; behind all that was sent before. */
static gboolean
send_marked_event (GstEegChunkCodec *self, GstEvent *event, InputMark mark)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  GstFlowReturn flow = GST_FLOW_OK;
  Item *item;

  if (eeg_jobring_code (priv->ring) == 0 && eeg_jobring_is_empty (priv->ring)) {
    gboolean sent = push_event (self, event, &mark);

    g_clear_pointer (&mark.input, g_bytes_unref);
    return sent;
  }
  item = acquire_item (self, &flow);
  if (item == NULL) {
    GST_DEBUG_OBJECT (self, "dropping %s event: %s",
        GST_EVENT_TYPE_NAME (event), gst_flow_get_name (flow));
    g_clear_pointer (&mark.input, g_bytes_unref);
    gst_event_unref (event);
    return FALSE;
  }
  item->kind = ITEM_EVENT;
  item->event = event;
  item->mark = mark;
  return submit_to_ring (self, FALSE) == GST_FLOW_OK;
}

/* transfer full; sends the event behind all that was sent before. */
static gboolean
send_event (GstEegChunkCodec *self, GstEvent *event)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  const struct state *st = &priv->state;
  InputMark mark = { st->position, st->stream_bytes, st->stream_jobs, 0, NULL };

  if (priv->state.current != NULL) {
    /* cells cannot be cut: it leaves behind them */
    g_queue_push_tail (&priv->state.current->events, event);
    return TRUE;
  }
  mark.input = save_input (self, event);
  return send_marked_event (self, event, mark);
}

/* Streaming thread: stream begins and ends */

static GstCaps *
make_src_caps (GstEegChunkCodec *self, GstCaps *in)
{
  GstCaps *caps;

  if (!is_encoder (self)) {
    const GstStructure *s = in != NULL ? gst_caps_get_structure (in, 0) : NULL;
    const GValue *original =
        s != NULL ? gst_structure_get_value (s, "original-caps") : NULL;

    if (original == NULL || !GST_VALUE_HOLDS_CAPS (original))
      return NULL;
    caps = gst_caps_copy (gst_value_get_caps (original));
    if (!gst_caps_is_fixed (caps))
      gst_clear_caps (&caps);
    return caps;
  }
  caps = gst_caps_new_empty_simple (CLASS (self)->media_type);
  if (in != NULL)
    gst_caps_set_simple (caps, "original-caps", GST_TYPE_CAPS, in, NULL);
  return caps;
}

/* transfer full */
static GList *
get_sink_pads (GstEegChunkCodec *self)
{
  GList *pads, *l;

  GST_OBJECT_LOCK (self);
  pads = g_list_copy (GST_ELEMENT_CAST (self)->sinkpads);
  for (l = pads; l != NULL; l = l->next)
    gst_object_ref (l->data);
  GST_OBJECT_UNLOCK (self);
  return pads;
}

static gboolean
check_upstream (GstEegChunkCodec *self)
{
  GList *pads = get_sink_pads (self), *l;
  gboolean ok = TRUE;

  for (l = pads; l != NULL && ok; l = l->next)
    ok = gst_eeg_stage_check_upstream (GST_EEG_STAGE (self), l->data);
  g_list_free_full (pads, gst_object_unref);
  return ok;
}

/* Does a source upstream announce its true end? */
static gboolean
source_completes (GstEegChunkCodec *self)
{
  GList *pads = get_sink_pads (self), *l;
  gboolean completes = FALSE;

  for (l = pads; l != NULL && !completes; l = l->next)
    completes = gst_eeg_stage_source_completes (l->data);
  g_list_free_full (pads, gst_object_unref);
  return completes;
}

static gboolean
is_upstream_live (GstEegChunkCodec *self)
{
  GList *pads = get_sink_pads (self), *l;
  gboolean live = FALSE;

  for (l = pads; l != NULL && !live; l = l->next) {
    GstQuery *query = gst_query_new_latency ();

    if (gst_pad_peer_query (l->data, query))
      gst_query_parse_latency (query, &live, NULL, NULL);
    gst_query_unref (query);
  }
  g_list_free_full (pads, gst_object_unref);
  return live;
}

static gboolean
check_order (GstEegChunkCodec *self)
{
  struct state *st = &PRIVATE (self)->state;

  if (st->order_wrong)
    return FALSE;
  if (!check_upstream (self)) {
    gst_eeg_stage_count (&PRIVATE (self)->counters.errors, 1);
    st->order_wrong = TRUE;
    close_ring (self, GST_FLOW_NOT_NEGOTIATED);
    return FALSE;
  }
  st->order_checked = TRUE;
  return TRUE;
}

/* For input without caps: the order is still checked, and an encoder still
 * says what it makes. */
static gboolean
ensure_caps (GstEegChunkCodec *self)
{
  struct state *st = &PRIVATE (self)->state;

  if (!st->order_checked && !check_order (self))
    return FALSE;
  if (is_encoder (self) && !st->sent_caps) {
    GstCaps *caps = make_src_caps (self, NULL);

    st->sent_caps = TRUE;
    send_event (self, gst_event_new_caps (caps));
    gst_caps_unref (caps);
  }
  return TRUE;
}

static GstFlowReturn
begin_stream (GstEegChunkCodec *self)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  struct state *st = &priv->state;
  GstFlowReturn flow = GST_FLOW_OK;
  GstBuffer *header = NULL;
  GError *error = NULL;
  Item *item;

  st->begun = TRUE;
  if (!st->resumed)
    st->stream_bytes = st->stream_jobs = 0;
  st->live = is_upstream_live (self);

  if (priv->makes_labels) {
    item = acquire_item (self, &flow);
    if (item == NULL)
      return flow;
    item->kind = ITEM_LABEL;
    if (CLASS (self)->begin_part != NULL) {
      GST_OBJECT_LOCK (self);
      item->part = *priv->part;
      GST_OBJECT_UNLOCK (self);
      CLASS (self)->begin_part (self, &item->part);
    }
    flow = send_mark (self, item);
    if (flow != GST_FLOW_OK)
      return flow;
  }
  if (CLASS (self)->begin == NULL)
    return GST_FLOW_OK;
  if (!CLASS (self)->begin (self, &header, &error))
    return send_error (self, error);
  if (header == NULL)
    return GST_FLOW_OK;
  item = acquire_item (self, &flow);
  if (item == NULL) {
    gst_buffer_unref (header);
    return flow;
  }
  GST_BUFFER_FLAG_SET (header, GST_BUFFER_FLAG_HEADER);
  item->kind = ITEM_BUFFER;
  item->buffer = header;
  return send_mark (self, item);
}

/* Sends the chunk under construction; @size bytes of it, or all. The rest, less
 * than a cell, begins the next one. */
static GstFlowReturn
end_chunk (GstEegChunkCodec *self, gsize size, gboolean last)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  struct state *st = &priv->state;
  Item *item = st->current, *next;
  GstEegChunkJob *job = &item->job;
  GstFlowReturn flow = GST_FLOW_OK;
  gsize rest = item->fill - size;
  guint8 *rest_data = NULL;
  GstClockTime end = item->end, rest_pts = GST_CLOCK_TIME_NONE;

  /* an empty stream's one job has a slab without a byte in it */
  if (item->n_pieces == 0)
    add_piece (item, item->slab_map.data, 0);
  job->pieces = item->pieces;
  job->n_pieces = item->n_pieces;
  job->data = item->n_pieces == 1 ? item->pieces[0].data : NULL;
  job->size = size;
  job->last = last;
  job->out_capacity = CLASS (self)->bound (self, size);
  if (GST_CLOCK_TIME_IS_VALID (job->pts) && GST_CLOCK_TIME_IS_VALID (end)
      && end >= job->pts) {
    job->duration = end - job->pts;
    if (rest > 0) {
      job->duration = gst_util_uint64_scale (job->duration, size, item->fill);
      rest_pts = job->pts + job->duration;
      if (GST_CLOCK_TIME_IS_VALID (item->last_pts))
        rest_pts = MIN (rest_pts, item->last_pts);
    }
  }
  if (rest > 0) {
    rest_data = g_malloc (rest);
    copy_rest (item, rest_data, rest);
  }
  flow = send_job (self, item);
  if (rest == 0)
    return flow;

  if (flow == GST_FLOW_OK && (next = acquire_item (self, &flow)) != NULL) {
    next->capacity = CLASS (self)->capacity (self);
    if (next->capacity < rest || !add_copy (self, next, rest_data, rest)) {
      GError *error = NULL;

      set_memory_error (&error, next->capacity);
      flow = send_error (self, error);
    } else {
      next->job.offset = st->stream_bytes - rest;
      next->job.pts = next->last_pts = rest_pts;
      next->job.duration = GST_CLOCK_TIME_NONE;
      next->end = end;
      st->current = next;
    }
  }
  g_free (rest_data);
  return flow;
}

/* Sends the whole cells of the chunk under construction, but for the last one:
 * it may be the last of all. */
static GstFlowReturn
send_whole_cells (GstEegChunkCodec *self)
{
  struct state *st = &PRIVATE (self)->state;
  gsize size;

  if (st->current == NULL || st->current->fill == 0
      || CLASS (self)->cut == NULL)
    return GST_FLOW_OK;
  size = CLASS (self)->cut (self, st->current->fill - 1);
  return size > 0 ? end_chunk (self, size, FALSE) : GST_FLOW_OK;
}

/* Before an event: ends the chunk where that is allowed. */
static GstFlowReturn
end_chunk_for_event (GstEegChunkCodec *self)
{
  struct state *st = &PRIVATE (self)->state;

  if (st->current == NULL)
    return GST_FLOW_OK;
  if (CLASS (self)->hold_back)
    return send_whole_cells (self);
  return end_chunk (self, st->current->fill, FALSE);
}

/* The stream is over; a final mark is written only if it is whole. */
static GstFlowReturn
finish_stream (GstEegChunkCodec *self, gboolean complete)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  GstEegChunkCodecClass *klass = CLASS (self);
  struct state *st = &priv->state;
  GstFlowReturn flow = GST_FLOW_OK;
  Item *item;

  if (!st->begun) {
    /* a part without a byte in it is none, but for the only one */
    if (!complete || st->n_parts > 0)
      return GST_FLOW_OK;
    flow = begin_stream (self);
  }
  if (flow == GST_FLOW_OK && !st->failed) {
    if (st->current != NULL) {
      flow = end_chunk (self, st->current->fill, complete);
    } else if (complete && klass->capacity != NULL
        && (st->stream_jobs == 0 || klass->sequential)) {
      /* an empty stream is a valid file too; a sequential codec's end is its
       * last job */
      item = acquire_item (self, &flow);
      if (item != NULL) {
        item->job.pts = item->job.duration = GST_CLOCK_TIME_NONE;
        item->job.offset = st->stream_bytes;
        item->end = GST_CLOCK_TIME_NONE;
        if (ensure_slab (self, &priv->in_allocator, &item->slab,
                &item->slab_map, 1)) {
          st->current = item;
          flow = end_chunk (self, 0, TRUE);
        }
      }
    }
  }
  if (flow == GST_FLOW_OK && complete && !st->failed && klass->finish != NULL) {
    item = acquire_item (self, &flow);
    if (item != NULL) {
      item->kind = ITEM_FINISH;
      flow = send_mark (self, item);
    }
  }
  st->begun = FALSE;
  return flow;
}

/* A part of the recording ends, and another one may begin: the coded stream
 * ends here as it would at the end of all. */
static gboolean
end_part (GstEegChunkCodec *self, GstEvent *event)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  gboolean ok = !priv->state.begun || finish_stream (self, TRUE) == GST_FLOW_OK;

  priv->state.n_parts++;
  /* one that depends on what was before is made new with the next part */
  if (ok && CLASS (self)->sequential)
    ok = eeg_jobring_wait_empty (priv->ring) == 0;
  priv->state.resumed = FALSE;
  if (ok)
    return send_event (self, event);
  gst_event_unref (event);
  return FALSE;
}

/* Streaming thread: encoders */

static GstFlowReturn
open_chunk (GstEegChunkCodec *self)
{
  struct state *st = &PRIVATE (self)->state;
  GstFlowReturn flow = GST_FLOW_OK;
  Item *item = acquire_item (self, &flow);

  if (item == NULL)
    return flow;
  item->capacity = CLASS (self)->capacity (self);
  item->job.offset = st->stream_bytes;
  item->job.pts = item->job.duration = GST_CLOCK_TIME_NONE;
  item->last_pts = item->end = GST_CLOCK_TIME_NONE;
  st->current = item;
  return GST_FLOW_OK;
}

/* May the next @n of @left bytes of the buffer be used where they lie? */
static gboolean
may_be_held (GstEegChunkCodec *self, const Item *item, GstBuffer *buffer,
    GstMemory *memory, gsize n, gsize left)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  GstEegChunkCodecClass *klass = CLASS (self);

  /* a chunk that lies in one piece, and can leave at once */
  if (n == item->capacity && (left > n || !klass->hold_back))
    return TRUE;
  /* An unfinished chunk waits for more input, so that it must not keep what
   * upstream may need to make that. Blocks that are mostly empty, or much
   * larger than a chunk, would hold a multiple of what they are worth. */
  return klass->takes_pieces && n >= PIECE_BYTES
      && memory->size >= memory->maxsize / 2
      && memory->maxsize / MAX_HELD_CHUNKS <= item->capacity
      && item->n_pieces + 2 < MAX_PIECES && !priv->state.live
      && priv->active.chunk_duration == 0 && buffer->pool == NULL
      && !(GST_IS_EEG_ALLOCATOR (memory->allocator)
          && gst_eeg_allocator_get_max_slabs (
                 GST_EEG_ALLOCATOR (memory->allocator))
              > 0);
}

/* Takes @size bytes at @offset of @memory, mapped as @map, which began at @pts
 * in all of the @total bytes of @buffer. */
static GstFlowReturn
gather (GstEegChunkCodec *self, GstBuffer *buffer, GstMemory *memory,
    const GstMapInfo *map, gsize offset_in_buffer, gsize total)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  GstEegChunkCodecClass *klass = CLASS (self);
  struct state *st = &priv->state;
  GstClockTime pts = GST_BUFFER_PTS (buffer);
  GstClockTime duration = GST_BUFFER_DURATION (buffer);
  GstFlowReturn flow = GST_FLOW_OK;
  gsize pos = 0;

  while (pos < map->size && flow == GST_FLOW_OK) {
    gsize left = map->size - pos, n;
    Item *item = st->current;

    /* there is more, so this one is not the last */
    if (item != NULL && item->fill == item->capacity) {
      flow = end_chunk (self, item->fill, FALSE);
      continue;
    }
    if (item == NULL) {
      flow = open_chunk (self);
      if (flow != GST_FLOW_OK)
        break;
      item = st->current;
    }
    /* a header has none, what comes behind it has */
    if (!GST_CLOCK_TIME_IS_VALID (item->job.pts)
        && GST_CLOCK_TIME_IS_VALID (pts)) {
      item->job.pts = pts;
      /* what a cipher gets may be of use only as a whole */
      if (GST_CLOCK_TIME_IS_VALID (duration) && !klass->hold_back)
        item->job.pts +=
            gst_util_uint64_scale (duration, offset_in_buffer + pos, total);
    }

    n = MIN (left, item->capacity - item->fill);
    if (!(may_be_held (self, item, buffer, memory, n, left)
            && add_reference (item, buffer, memory, pos, n))
        && !add_copy (self, item, map->data + pos, n)) {
      GError *error = NULL;

      set_memory_error (&error, item->capacity);
      st->current = NULL;
      return send_error (self, error);
    }
    pos += n;
    st->stream_bytes += n;
    item->last_pts = pts;
    if (GST_CLOCK_TIME_IS_VALID (pts) && GST_CLOCK_TIME_IS_VALID (duration))
      item->end =
          pts + gst_util_uint64_scale (duration, offset_in_buffer + pos, total);
    else if (GST_CLOCK_TIME_IS_VALID (pts))
      item->end = pts;
    if (!klass->hold_back && item->fill == item->capacity)
      flow = end_chunk (self, item->fill, FALSE);
  }
  return flow;
}

static GstFlowReturn
encode_buffer (GstEegChunkCodec *self, GstBuffer *buffer)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  struct state *st = &priv->state;
  gsize total = gst_buffer_get_size (buffer), done = 0;
  GstFlowReturn flow = GST_FLOW_OK;
  guint i, n = gst_buffer_n_memory (buffer);
  Item *item;

  keep_markers (self, buffer);
  if (total > 0 && !st->begun)
    flow = begin_stream (self);
  for (i = 0; i < n && flow == GST_FLOW_OK && !st->failed; i++) {
    GstMemory *memory = gst_buffer_peek_memory (buffer, i);
    GstMapInfo map;

    if (!gst_memory_map (memory, &map, GST_MAP_READ)) {
      gst_eeg_stage_count (&priv->counters.errors, 1);
      GST_ELEMENT_ERROR (self, RESOURCE, FAILED, ("Could not read a buffer."),
          ("memory %u of %u", i, n));
      close_ring (self, GST_FLOW_ERROR);
      return GST_FLOW_ERROR;
    }
    flow = gather (self, buffer, memory, &map, done, total);
    done += map.size;
    gst_memory_unmap (memory, &map);
  }
  if (flow != GST_FLOW_OK || st->failed)
    return flow;

  item = st->current;
  if (item == NULL)
    return GST_FLOW_OK;
  if (priv->active.chunk_duration > 0 && !CLASS (self)->hold_back
      && GST_CLOCK_TIME_IS_VALID (item->job.pts)
      && GST_CLOCK_TIME_IS_VALID (item->end)
      && item->end >= item->job.pts + priv->active.chunk_duration)
    return end_chunk (self, item->fill, FALSE);
  /* live data does not wait until a batch of cells is full */
  if (CLASS (self)->hold_back && (st->live || priv->active.chunk_duration > 0))
    return send_whole_cells (self);
  return GST_FLOW_OK;
}

/* Streaming thread: decoders */

/* What is left to decode: first the bytes kept from before, then those of the
 * buffer at hand. */
typedef struct
{
  GstBuffer *buffer; /* NULL at the end of the stream */
  GstMemory *memory;
  const guint8 *data;
  gsize size;
} Input;

static gboolean
grow_fifo (GstEegChunkCodec *self, gsize size)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  struct state *st = &priv->state;
  GstMemory *old = NULL;
  GstMapInfo old_map;
  gboolean ok;

  if (st->fifo != NULL && st->fifo->maxsize >= size)
    return TRUE;
  /* at once what parse() asked for, else doubled, so that a unit whose size
   * shows late is not copied each time */
  if (st->need >= size)
    size = st->need;
  else if (st->fifo != NULL)
    size = MAX (size, 2 * st->fifo->maxsize);
  size = MAX (size, 2 * PARSE_STEP_BYTES);
  if (st->fifo_fill > 0) {
    old = g_steal_pointer (&st->fifo);
    old_map = st->fifo_map;
  }
  ok = ensure_slab (self, &priv->in_allocator, &st->fifo, &st->fifo_map, size);
  if (old != NULL) {
    if (ok)
      memcpy (st->fifo_map.data, old_map.data, st->fifo_fill);
    gst_memory_unmap (old, &old_map);
    gst_memory_unref (old);
  }
  return ok;
}

/* Moves up to @size bytes of @in into the fifo. */
static gboolean
fill_fifo (GstEegChunkCodec *self, Input *in, gsize size)
{
  struct state *st = &PRIVATE (self)->state;

  size = MIN (size, in->size);
  if (!grow_fifo (self, st->fifo_fill + size))
    return FALSE;
  memcpy (st->fifo_map.data + st->fifo_fill, in->data, size);
  st->fifo_fill += size;
  in->data += size;
  in->size -= size;
  return TRUE;
}

/* Steps over @size bytes, which are there. */
static void
consume (GstEegChunkCodec *self, Input *in, gsize size)
{
  struct state *st = &PRIVATE (self)->state;

  st->stream_bytes += size;
  if (st->fifo_fill > 0) {
    gsize n = MIN (size, st->fifo_fill);

    st->fifo_fill -= n;
    memmove (st->fifo_map.data, st->fifo_map.data + n, st->fifo_fill);
    size -= n;
  }
  if (size > 0) {
    in->data += size;
    in->size -= size;
  }
}

static GstFlowReturn
decode_job (GstEegChunkCodec *self, Input *in, const GstEegChunkUnit *unit)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  struct state *st = &priv->state;
  GstFlowReturn flow = GST_FLOW_OK;
  Item *item = acquire_item (self, &flow);
  GError *error = NULL;
  gsize size = (gsize) unit->size;

  if (item == NULL)
    return flow;
  item->job.offset = st->stream_bytes;
  item->job.pts = st->pts;
  item->job.duration = GST_CLOCK_TIME_NONE;
  st->pts = GST_CLOCK_TIME_NONE;
  if (st->fifo_fill == size && size > 0) {
    /* the item's slab and the fifo change places */
    GstMemory *memory = item->slab;
    GstMapInfo map = item->slab_map;

    item->slab = st->fifo;
    item->slab_map = st->fifo_map;
    st->fifo = memory;
    st->fifo_map = map;
    st->fifo_fill = 0;
    st->stream_bytes += size;
    add_piece (item, item->slab_map.data, size);
  } else if (st->fifo_fill == 0 && in->buffer != NULL
      && add_reference (item, in->buffer, in->memory,
          in->memory->size - in->size, size)) {
    consume (self, in, size);
  } else {
    item->capacity = size;
    /* at the end of the stream there may be a unit without bytes */
    if (!ensure_slab (self, &priv->in_allocator, &item->slab, &item->slab_map,
            size)
        || (size > 0
            && !add_copy (self, item,
                st->fifo_fill > 0 ? st->fifo_map.data : in->data, size))) {
      set_memory_error (&error, size);
      return send_error (self, error);
    }
    if (size == 0)
      add_piece (item, item->slab_map.data, 0);
    consume (self, in, size);
  }
  item->job.pieces = item->pieces;
  item->job.n_pieces = item->n_pieces;
  item->job.data = item->pieces[0].data;
  item->job.size = size;
  item->job.out_capacity = unit->out_size;
  item->job.last = unit->last;
  return send_job (self, item);
}

/* Pushes what stream() has made so far. */
static GstFlowReturn
push_stream_output (GstEegChunkCodec *self)
{
  struct state *st = &PRIVATE (self)->state;
  GstFlowReturn flow;
  GstBuffer *buffer;

  if (st->stream_fill == 0)
    return GST_FLOW_OK;
  if (st->stream_fill < st->stream_out->maxsize / 4) {
    buffer = gst_buffer_new_allocate (NULL, st->stream_fill, NULL);
    gst_buffer_fill (buffer, 0, st->stream_map.data, st->stream_fill);
  } else {
    gst_memory_unmap (st->stream_out, &st->stream_map);
    gst_memory_resize (st->stream_out, 0, st->stream_fill);
    buffer = gst_buffer_new ();
    gst_buffer_append_memory (buffer, g_steal_pointer (&st->stream_out));
  }
  st->stream_fill = 0;
  GST_BUFFER_PTS (buffer) = st->pts;
  st->pts = GST_CLOCK_TIME_NONE;
  if (st->markers != NULL) {
    gst_buffer_copy_eeg_marker_meta (st->markers, buffer);
    gst_clear_buffer (&st->markers);
  }
  flow = push_buffer (self, NULL, buffer);
  if (flow == GST_FLOW_ERROR)
    close_ring (self, flow);
  return flow;
}

/* Lets stream() work until the unit or the input ends. */
static GstFlowReturn
decode_stream (GstEegChunkCodec *self, Input *in)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  struct state *st = &priv->state;
  GstFlowReturn flow = (GstFlowReturn) eeg_jobring_wait_empty (priv->ring);

  while (flow == GST_FLOW_OK && st->streaming) {
    const guint8 *data = st->fifo_fill > 0 ? st->fifo_map.data : in->data;
    gsize size = st->fifo_fill > 0 ? st->fifo_fill : in->size;
    gsize consumed = 0, produced = 0;
    GError *error = NULL;
    GstEegChunkStream result;
    GstClockTime start;
    gboolean full;

    if (!ensure_slab (self, &priv->out_allocator, &st->stream_out,
            &st->stream_map, STREAM_OUTPUT_BYTES)) {
      set_memory_error (&error, STREAM_OUTPUT_BYTES);
      return send_error (self, error);
    }
    start = gst_util_get_timestamp ();
    result = CLASS (self)->stream (self, data, size, &consumed,
        st->stream_map.data + st->stream_fill,
        STREAM_OUTPUT_BYTES - st->stream_fill, &produced, &error);
    gst_eeg_stage_count (&priv->counters.busy_ns,
        gst_util_get_timestamp () - start);
    st->stream_fill += produced;
    consume (self, in, consumed);
    full = st->stream_fill == STREAM_OUTPUT_BYTES;

    if (result == GST_EEG_CHUNK_STREAM_END) {
      __atomic_fetch_add (&priv->blocks, 1, __ATOMIC_RELAXED);
      st->streaming = FALSE;
    }
    if (full || result != GST_EEG_CHUNK_STREAM_MORE
        || st->fifo_fill + in->size == 0)
      flow = push_stream_output (self);
    if (flow != GST_FLOW_OK) {
      g_clear_error (&error);
      break;
    }
    if (result == GST_EEG_CHUNK_STREAM_ERROR) {
      st->streaming = FALSE;
      if (priv->active.salvage && error->domain == GST_STREAM_ERROR) {
        /* the same bytes would give the same error for ever */
        if (consumed == 0 && st->fifo_fill + in->size > 0)
          consume (self, in, 1);
        flow = push_lost (self, st->stream_bytes, 0, 0, error->message);
        g_clear_error (&error);
        break;
      }
      return send_error (self, error);
    }
    if (result == GST_EEG_CHUNK_STREAM_MORE && !full) {
      if (st->fifo_fill + in->size > 0 && consumed + produced > 0)
        continue;
      if (st->fifo_fill + in->size == 0 && in->buffer != NULL)
        break; /* all consumed, more will come */
      if (in->buffer == NULL)
        set_truncated_error (self, &error);
      else
        g_set_error_literal (&error, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE,
            "The stream cannot be decoded.");
      st->streaming = FALSE;
      if (priv->active.salvage && in->buffer == NULL) {
        flow = push_lost (self, st->stream_bytes, 0, 0, error->message);
        g_clear_error (&error);
        break;
      }
      return send_error (self, error);
    }
  }
  return flow;
}

static void
free_held (gpointer data)
{
  gst_event_unref (((Held *) data)->event);
  g_free (data);
}

/* Lets barriers leave that came before the end of the last unit; at the end of
 * the stream, all. */
static void
release_barriers (GstEegChunkCodec *self, gboolean is_end)
{
  struct state *st = &PRIVATE (self)->state;
  Held *held;

  while ((held = g_queue_peek_head (&st->barriers)) != NULL) {
    InputMark mark = { held->position, held->bytes, st->stream_jobs, 0, NULL };
    GstEegBarrier *barrier;
    GError *error = NULL;

    if (!is_end
        && (st->skip > 0 || st->streaming || st->stream_bytes < held->bytes))
      return;
    mark.input = CLASS (self)->save_input (self, &error);
    if (mark.input == NULL && error == NULL && !is_end)
      return;
    if (mark.input == NULL) {
      gst_eeg_event_parse_barrier (held->event, &barrier);
      gst_eeg_barrier_fail (barrier, GST_EEG_STAGE (self),
          error != NULL ? error->message : "the input ends before its end");
      g_clear_error (&error);
    }
    mark.skip = st->stream_bytes - MIN (st->stream_bytes, held->bytes);
    send_marked_event (self, gst_event_ref (held->event), mark);
    free_held (g_queue_pop_head (&st->barriers));
  }
}

/* transfer full; a barrier between two buffers of a decoder that takes part */
static void
hold_barrier (GstEegChunkCodec *self, GstEvent *event)
{
  struct state *st = &PRIVATE (self)->state;
  Held *held = g_new (Held, 1);

  held->event = event;
  held->position = st->position;
  held->bytes = st->stream_bytes + st->fifo_fill;
  g_queue_push_tail (&st->barriers, held);
  release_barriers (self, FALSE);
}

static GstFlowReturn
decode_lost (GstEegChunkCodec *self, Input *in, const GstEegChunkUnit *unit)
{
  struct state *st = &PRIVATE (self)->state;
  GstFlowReturn flow = GST_FLOW_OK;
  Item *item = acquire_item (self, &flow);

  if (item == NULL)
    return flow;
  item->kind = ITEM_LOST;
  item->job.offset = st->stream_bytes;
  item->job.size = (gsize) unit->size;
  item->job.out_size = unit->out_size;
  st->skip = unit->size;
  return send_mark (self, item);
}

/* Decodes as far as the input goes; at the end of the stream, in->buffer is
 * NULL. */
static GstFlowReturn
decode (GstEegChunkCodec *self, Input *in)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  GstEegChunkCodecClass *klass = CLASS (self);
  struct state *st = &priv->state;
  gboolean eos = in->buffer == NULL;
  GstFlowReturn flow = GST_FLOW_OK;

  while (flow == GST_FLOW_OK && !st->failed) {
    GstEegChunkUnit unit;
    GError *error = NULL;
    const guint8 *data;
    gsize size;

    if (!g_queue_is_empty (&st->barriers))
      release_barriers (self, FALSE);
    if (st->skip > 0) {
      gsize n = (gsize) MIN (st->skip, st->fifo_fill + in->size);

      consume (self, in, n);
      st->skip -= n;
      if (st->skip > 0) {
        if (!eos)
          break;
        st->skip = 0;
        set_truncated_error (self, &error);
        if (!priv->active.salvage)
          return send_error (self, error);
        g_clear_error (&error);
      }
      continue;
    }
    if (st->streaming) {
      if (!eos && st->fifo_fill + in->size == 0)
        break;
      flow = decode_stream (self, in);
      if (st->streaming)
        break;
      continue;
    }

    if (!eos && st->fifo_fill + in->size == 0)
      break;
    /* what parse() wants in one piece is gathered, but no more than that, so
     * that the next unit can be used where it lies */
    if (st->fifo_fill > 0 && in->size > 0 && st->more) {
      gsize want = st->need > st->fifo_fill ? st->need - st->fifo_fill
                                            : PARSE_STEP_BYTES;

      if (!fill_fifo (self, in, want)) {
        set_memory_error (&error, st->fifo_fill + want);
        return send_error (self, error);
      }
    }
    data = st->fifo_fill > 0 ? st->fifo_map.data : in->data;
    size = st->fifo_fill > 0 ? st->fifo_fill : in->size;
    if (!eos && size < st->need) {
      if (st->fifo_fill == 0 && !fill_fifo (self, in, in->size)) {
        set_memory_error (&error, in->size);
        return send_error (self, error);
      }
      break;
    }

    memset (&unit, 0, sizeof unit);
    switch (klass->parse (self, data, size, eos, &unit, &error)) {
      case GST_EEG_CHUNK_PARSE_MORE:
        st->more = TRUE;
        st->need = (gsize) MIN (unit.size, G_MAXSSIZE);
        if (eos) {
          if (size == 0)
            return GST_FLOW_OK;
          if (priv->active.salvage) {
            unit.size = size;
            unit.out_size = 0;
            flow = decode_lost (self, in, &unit);
            break;
          }
          set_truncated_error (self, &error);
          return send_error (self, error);
        }
        if (st->need <= size)
          st->need = 0;
        /* the fifo only holds what parse() asked for */
        if (st->fifo_fill == 0) {
          if (!fill_fifo (self, in, in->size)) {
            set_memory_error (&error, in->size);
            return send_error (self, error);
          }
        }
        if (in->size == 0)
          return GST_FLOW_OK;
        continue;
      case GST_EEG_CHUNK_PARSE_SKIP:
        st->skip = unit.size;
        break;
      case GST_EEG_CHUNK_PARSE_JOB:
        flow = decode_job (self, in, &unit);
        break;
      case GST_EEG_CHUNK_PARSE_STREAM:
        st->streaming = TRUE;
        break;
      case GST_EEG_CHUNK_PARSE_LOST:
        flow = decode_lost (self, in, &unit);
        break;
      case GST_EEG_CHUNK_PARSE_ERROR:
        return send_error (self, error);
    }
    st->more = FALSE;
    st->need = 0;
  }
  return flow;
}

static GstFlowReturn
decode_buffer (GstEegChunkCodec *self, GstBuffer *buffer)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  struct state *st = &priv->state;
  GstFlowReturn flow = GST_FLOW_OK;
  guint i, n = gst_buffer_n_memory (buffer);

  keep_markers (self, buffer);
  if (!st->begun)
    flow = begin_stream (self);
  /* a unit that began in the buffer before keeps that one's time */
  if (GST_BUFFER_PTS_IS_VALID (buffer) && st->segment.format == GST_FORMAT_TIME
      && (st->fifo_fill == 0 || !GST_CLOCK_TIME_IS_VALID (st->pts)))
    st->pts = GST_BUFFER_PTS (buffer);
  for (i = 0; i < n && flow == GST_FLOW_OK && !st->failed; i++) {
    Input in = { buffer, gst_buffer_peek_memory (buffer, i), NULL, 0 };
    GstMapInfo map;

    if (!gst_memory_map (in.memory, &map, GST_MAP_READ)) {
      gst_eeg_stage_count (&priv->counters.errors, 1);
      GST_ELEMENT_ERROR (self, RESOURCE, FAILED, ("Could not read a buffer."),
          ("memory %u of %u", i, n));
      close_ring (self, GST_FLOW_ERROR);
      return GST_FLOW_ERROR;
    }
    in.data = map.data;
    in.size = map.size;
    flow = decode (self, &in);
    gst_memory_unmap (in.memory, &map);
  }
  return flow;
}

/* Streaming thread: pad functions */

static GstFlowReturn
sink_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstEegChunkCodec *self = GST_EEG_CHUNK_CODEC (parent);
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  struct state *st = &priv->state;
  GstFlowReturn flow = flow_of_ring (self);
  gsize size = gst_buffer_get_size (buffer);

  if (flow == GST_FLOW_OK && st->got_eos)
    flow = GST_FLOW_EOS;
  if (flow == GST_FLOW_OK && !st->failed) {
    gst_eeg_stage_count_in (&priv->counters, size, 0);
    st->position += size;
    flow = is_encoder (self) ? encode_buffer (self, buffer)
                             : decode_buffer (self, buffer);
  }
  gst_buffer_unref (buffer);
  if (flow != GST_FLOW_OK)
    __atomic_store_n (&st->flow_told, TRUE, __ATOMIC_SEQ_CST);
  return flow;
}

static void
reset_parts (GstEegChunkCodec *self)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  struct push_state *push = &priv->push;

  GST_OBJECT_LOCK (self);
  if (priv->makes_parts && priv->part != NULL)
    push->part = *priv->part;
  GST_OBJECT_UNLOCK (self);
  if (push->part.number > 0)
    priv->state.n_parts = push->part.number - 1;
  if (!priv->makes_labels)
    return;
  /* what was not said is that nothing was before */
  push->part.is_bytes = CLASS (self)->begin_part == NULL;
  push->hash = g_malloc (push->part.digest->state_size);
  push->part.digest->init (push->hash);
}

/* All that is known of the stream is forgotten. No job is out. */
static void
reset_stream (GstEegChunkCodec *self)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  struct state *st = &priv->state;

  st->current = NULL;
  st->begun = FALSE;
  st->complete = FALSE;
  st->failed = FALSE;
  __atomic_store_n (&st->got_eos, FALSE, __ATOMIC_SEQ_CST);
  __atomic_store_n (&st->flow_told, FALSE, __ATOMIC_SEQ_CST);
  st->got_segment = FALSE;
  gst_segment_init (&st->segment, GST_FORMAT_UNDEFINED);
  st->position = 0;
  st->stream_bytes = st->stream_jobs = 0;
  st->resumed = FALSE;
  st->resumed_at = 0;
  st->caught_up = FALSE;
  st->n_parts = 0;
  gst_clear_buffer (&st->markers);
  st->last_submit = GST_CLOCK_TIME_NONE;
  st->busy_jobs = 0;
  st->fifo_fill = 0;
  st->more = FALSE;
  st->need = 0;
  st->skip = 0;
  g_queue_clear_full (&st->barriers, free_held);
  st->streaming = FALSE;
  st->stream_fill = 0;
  st->pts = GST_CLOCK_TIME_NONE;
  g_free (priv->push.hash);
  memset (&priv->push, 0, sizeof priv->push);
  priv->push.discont = TRUE;
  priv->push.pts_end = GST_CLOCK_TIME_NONE;
  reset_parts (self);
  if (CLASS (self)->reset != NULL)
    CLASS (self)->reset (self);
}

static void
flush_stop (GstEegChunkCodec *self)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);

  stop_task (self);
  priv->state.task_started = FALSE;
  eeg_jobring_reset (priv->ring);
  reset_stream (self);
  /* caps are sticky: the order was checked, and stays */
  if (priv->state.order_wrong)
    close_ring (self, GST_FLOW_NOT_NEGOTIATED);
}

static gboolean
handle_caps (GstEegChunkCodec *self, GstEvent *event)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  struct state *st = &priv->state;
  GError *error = NULL;
  GstCaps *caps, *src_caps;
  gboolean ok = TRUE;

  gst_event_parse_caps (event, &caps);
  if (st->got_caps && st->caps != NULL && gst_caps_is_equal (caps, st->caps)) {
    gst_event_unref (event);
    return TRUE;
  }
  if (!check_order (self) || end_chunk_for_event (self) != GST_FLOW_OK) {
    gst_event_unref (event);
    return FALSE;
  }
  if (CLASS (self)->set_caps != NULL
      && !CLASS (self)->set_caps (self, caps, &error)) {
    if (error == NULL)
      g_set_error_literal (&error, GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION,
          "The stream has caps that cannot be handled.");
    post_error (self, error, NULL);
    g_clear_error (&error);
    gst_event_unref (event);
    return FALSE;
  }
  st->got_caps = TRUE;
  gst_caps_replace (&st->caps, caps);
  src_caps = make_src_caps (self, caps);
  if (src_caps != NULL) {
    st->sent_caps = TRUE;
    ok = send_event (self, gst_event_new_caps (src_caps));
    gst_caps_unref (src_caps);
  }
  gst_event_unref (event);
  return ok;
}

/* Whether @segment moves in the stream: what is written for it would then not
 * be where it belongs. */
static gboolean
moves (GstEegChunkCodec *self, const GstSegment *segment)
{
  struct state *st = &PRIVATE (self)->state;

  if (segment->rate < 0)
    return TRUE;
  if (!st->got_segment || segment->format != st->segment.format || !st->begun)
    return FALSE;
  if (segment->format == GST_FORMAT_BYTES)
    return segment->start != st->position;
  return segment->start < st->segment.start
      && segment->base <= st->segment.base;
}

static void
init_bytes_segment (GstEegChunkCodec *self, GstSegment *segment)
{
  guint64 start = PRIVATE (self)->state.resumed_at;

  gst_segment_init (segment, GST_FORMAT_BYTES);
  segment->start = segment->time = segment->position = start;
}

/* Before a sink may write: what more there is to know of the output before.
 * FALSE after an error, which is on its way, and when it is over. */
static gboolean
catch_up (GstEegChunkCodec *self)
{
  struct state *st = &PRIVATE (self)->state;
  GError *error = NULL;

  if (st->failed)
    return FALSE;
  if (!st->resumed || st->caught_up || CLASS (self)->resume == NULL)
    return TRUE;
  st->caught_up =
      CLASS (self)->resume (self, st->stream_bytes, st->resumed_at, &error);
  if (error != NULL)
    send_error (self, error);
  return st->caught_up;
}

static gboolean
handle_segment (GstEegChunkCodec *self, GstEvent *event)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  struct state *st = &priv->state;
  const GstSegment *segment;
  GstSegment bytes;
  gboolean is_first;

  gst_event_parse_segment (event, &segment);
  if (st->got_segment
      && gst_eeg_event_repeats_segment (event, st->segment_seqnum,
          &st->segment)) {
    gst_event_unref (event);
    return TRUE;
  }
  if (!ensure_caps (self)) {
    gst_event_unref (event);
    return FALSE;
  }
  if (moves (self, segment)) {
    GST_INFO_OBJECT (self, "refusing %" GST_SEGMENT_FORMAT, segment);
    gst_event_unref (event);
    if (!st->failed && end_chunk_for_event (self) == GST_FLOW_OK)
      send_error (self,
          g_error_new_literal (GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
              is_encoder (self)
                  ? "The stream goes back, and what was coded cannot be "
                    "changed any more; use a muxer setting that writes in "
                    "order."
                  : "The stream goes back, and cannot be decoded from there."));
    return FALSE;
  }
  is_first = !st->got_segment || st->segment.format != segment->format;
  if (end_chunk_for_event (self) != GST_FLOW_OK || !catch_up (self)) {
    gst_event_unref (event);
    return FALSE;
  }
  st->got_segment = TRUE;
  st->segment_seqnum = gst_event_get_seqnum (event);
  gst_segment_copy_into (segment, &st->segment);
  if (segment->format != GST_FORMAT_BYTES)
    return send_event (self, event);

  /* the coded bytes have positions of their own */
  if (!st->begun)
    st->position = segment->start;
  if (!is_first) {
    gst_event_unref (event);
    return TRUE;
  }
  init_bytes_segment (self, &bytes);
  bytes.rate = segment->rate;
  bytes.applied_rate = segment->applied_rate;
  {
    GstEvent *new_event = gst_event_new_segment (&bytes);

    gst_event_set_seqnum (new_event, gst_event_get_seqnum (event));
    gst_event_unref (event);
    return send_event (self, new_event);
  }
}

/* The end of a stream, by EOS or because another one starts. */
static gboolean
end_stream (GstEegChunkCodec *self)
{
  struct state *st = &PRIVATE (self)->state;
  GstFlowReturn flow;

  if (st->failed || st->stream_id == NULL)
    return !st->failed;
  /* a source without data may end without a segment */
  if (!st->got_segment) {
    GstSegment bytes;

    if (!ensure_caps (self) || !catch_up (self))
      return FALSE;
    init_bytes_segment (self, &bytes);
    st->got_segment = TRUE;
    st->segment_seqnum = GST_SEQNUM_INVALID;
    gst_segment_copy_into (&bytes, &st->segment);
    send_event (self, gst_event_new_segment (&bytes));
  }
  if (is_encoder (self)) {
    gboolean complete = st->complete || !source_completes (self);

    if (!complete)
      GST_WARNING_OBJECT (self,
          "the source did not reach its end: writing no final mark");
    flow = finish_stream (self, complete);
  } else {
    Input in = { NULL, NULL, NULL, 0 };

    flow = decode (self, &in);
    if (flow == GST_FLOW_OK && !st->failed)
      release_barriers (self, TRUE);
    st->begun = FALSE;
  }
  /* no chain function returns it any more */
  tell_flow (self, flow);
  return flow == GST_FLOW_OK && !st->failed;
}

static gboolean
handle_eos (GstEegChunkCodec *self, GstEvent *event)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  struct state *st = &priv->state;
  GstFlowReturn flow = flow_of_ring (self);

  if (flow == GST_FLOW_OK && !st->got_eos) {
    gboolean sent;

    if (!end_stream (self) && flow_of_ring (self) != GST_FLOW_EOS) {
      /* never EOS after an error: what was written is not whole */
      GST_DEBUG_OBJECT (self, "not passing on EOS");
      tell_flow (self, flow_of_ring (self));
      gst_event_unref (event);
      return FALSE;
    }
    __atomic_store_n (&st->got_eos, TRUE, __ATOMIC_SEQ_CST);
    sent = send_event (self, event);
    tell_flow (self, flow_of_ring (self));
    return sent;
  }
  tell_flow (self, flow);
  if (flow == GST_FLOW_EOS || flow == GST_FLOW_NOT_LINKED
      || flow == GST_FLOW_OK)
    return send_downstream (self, event);
  GST_DEBUG_OBJECT (self, "not passing on EOS: %s", gst_flow_get_name (flow));
  gst_event_unref (event);
  return FALSE;
}

static gboolean
handle_stream_start (GstEegChunkCodec *self, GstEvent *event)
{
  struct state *st = &PRIVATE (self)->state;
  const gchar *id;

  gst_event_parse_stream_start (event, &id);
  /* an event that is only sent again changes nothing */
  if (st->stream_id != NULL
      && (st->got_eos || g_strcmp0 (id, st->stream_id) != 0)) {
    if (st->begun && !end_stream (self)) {
      gst_event_unref (event);
      return FALSE;
    }
    if (eeg_jobring_wait_empty (PRIVATE (self)->ring) != 0) {
      gst_event_unref (event);
      return FALSE;
    }
    reset_stream (self);
  }
  g_free (st->stream_id);
  st->stream_id = g_strdup (id);
  return send_event (self, event);
}

static gboolean
take_event (GstEegChunkCodec *self, GstEvent *event)
{
  struct state *st = &PRIVATE (self)->state;
  GstEegBarrier *barrier;

  GST_DEBUG_OBJECT (self, "%" GST_PTR_FORMAT, event);
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_FLUSH_START:
      close_ring_flushing (self);
      return send_downstream (self, event);
    case GST_EVENT_FLUSH_STOP:
      flush_stop (self);
      return send_downstream (self, event);
    case GST_EVENT_STREAM_START:
      return handle_stream_start (self, event);
    case GST_EVENT_CAPS:
      return handle_caps (self, event);
    case GST_EVENT_SEGMENT:
      return handle_segment (self, event);
    case GST_EVENT_EOS:
      return handle_eos (self, event);
    case GST_EVENT_CUSTOM_DOWNSTREAM:
      if (gst_eeg_event_parse_complete (event, NULL))
        st->complete = TRUE;
      else if (PRIVATE (self)->makes_parts
          && gst_eeg_event_parse_barrier (event, &barrier)
          && gst_eeg_barrier_ends_part (barrier) && !st->failed)
        return end_part (self, event);
      else if (!is_encoder (self) && CLASS (self)->restore != NULL
          && gst_eeg_event_parse_barrier (event, NULL) && !st->failed) {
        hold_barrier (self, event);
        return TRUE;
      }
      break;
    default:
      break;
  }
  if (!GST_EVENT_IS_SERIALIZED (event))
    return send_downstream (self, event);
  /* the end is announced right before EOS, which ends the chunk itself */
  if (is_encoder (self) && !gst_eeg_event_parse_complete (event, NULL)
      && end_chunk_for_event (self) != GST_FLOW_OK) {
    gst_event_unref (event);
    return FALSE;
  }
  return send_event (self, event);
}

static gboolean
sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  return take_event (GST_EEG_CHUNK_CODEC (parent), event);
}

static gboolean
sink_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstEegChunkCodec *self = GST_EEG_CHUNK_CODEC (parent);
  GstEegChunkCodecPrivate *priv = PRIVATE (self);

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_ALLOCATION:
      return FALSE; /* any memory will do */
    case GST_QUERY_CAPS:
    case GST_QUERY_ACCEPT_CAPS:
      return gst_pad_query_default (pad, parent, query);
    case GST_QUERY_SEEKING: {
      /* a muxer asks whether it may go back: not in what is coded, whatever
       * the sink can do */
      GstFormat format;

      gst_query_parse_seeking (query, &format, NULL, NULL, NULL);
      gst_query_set_seeking (query, format, FALSE, 0, -1);
      return TRUE;
    }
    default:
      break;
  }
  /* what is behind has this element's bytes, not those of one before it */
  if (gst_eeg_query_is_output (query))
    return FALSE;
  if (GST_QUERY_IS_SERIALIZED (query)) {
    /* answered in its place: behind all that was sent before */
    if (priv->src_pad == NULL || eeg_jobring_wait_empty (priv->ring) != 0)
      return FALSE;
    return gst_pad_peer_query (priv->src_pad, query);
  }
  return gst_pad_query_default (pad, parent, query);
}

static gboolean
query_latency (GstEegChunkCodec *self, GstQuery *query)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  GstClockTime min, max, own;
  gboolean live;

  if (priv->sink_pad != NULL ? !gst_pad_peer_query (priv->sink_pad, query)
                             : !gst_pad_query_default (priv->src_pad,
                                 GST_OBJECT_CAST (self), query))
    return FALSE;
  gst_query_parse_latency (query, &live, &min, &max);
  if (CLASS (self)->latency != NULL) {
    own = CLASS (self)->latency (self, live);
  } else {
    GST_OBJECT_LOCK (self);
    own = is_encoder (self) ? priv->settings.chunk_duration : 0;
    GST_OBJECT_UNLOCK (self);
  }
  if (live && own > 0) {
    /* a chunk leaves when it is full; without a duration nobody knows when */
    min += own;
    if (GST_CLOCK_TIME_IS_VALID (max))
      max += own;
    gst_query_set_latency (query, live, min, max);
  }
  return TRUE;
}

static gboolean
src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstEegChunkCodec *self = GST_EEG_CHUNK_CODEC (parent);
  GstFormat format;

  if (gst_eeg_stage_answer_query (GST_EEG_STAGE (self), pad, query))
    return TRUE;
  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_SEEKING:
      gst_query_parse_seeking (query, &format, NULL, NULL, NULL);
      gst_query_set_seeking (query, format, FALSE, 0, -1);
      return TRUE;
    case GST_QUERY_POSITION:
      gst_query_parse_position (query, &format, NULL);
      if (format == GST_FORMAT_BYTES)
        return FALSE;
      break;
    case GST_QUERY_DURATION:
      /* coded and plain bytes are not the same number */
      gst_query_parse_duration (query, &format, NULL);
      if (format == GST_FORMAT_BYTES)
        return FALSE;
      break;
    case GST_QUERY_CONVERT:
      return FALSE;
    case GST_QUERY_LATENCY:
      return query_latency (self, query);
    default:
      break;
  }
  return gst_pad_query_default (pad, parent, query);
}

static gboolean
src_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_SEEK) {
    GstFormat format;
    gint64 start;
    GstSeekType start_type;
    gdouble rate;

    gst_event_parse_seek (event, &rate, &format, NULL, &start_type, &start,
        NULL, NULL);
    /* 0 is the one byte position that is the same on both sides */
    if (format == GST_FORMAT_BYTES
        && (rate < 0 || start_type != GST_SEEK_TYPE_SET || start != 0)) {
      gst_event_unref (event);
      return FALSE;
    }
  }
  return gst_pad_event_default (pad, parent, event);
}

static gboolean
src_activate_mode (GstPad *pad, GstObject *parent, GstPadMode mode,
    gboolean active)
{
  GstEegChunkCodec *self = GST_EEG_CHUNK_CODEC (parent);

  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  if (active)
    return TRUE;
  close_ring_flushing (self);
  return gst_pad_stop_task (pad);
}

/* States */

static guint
count_threads (GstEegChunkCodec *self, guint threads)
{
  if (threads == 0)
    threads = MIN (g_get_num_processors (), MAX_AUTOMATIC_THREADS);
  if (CLASS (self)->process == NULL)
    return 1;
  /* one worker beside the thread that cuts and the one that pushes */
  return threads;
}

/* With threads: two items for each, so that a worker need not wait while a
 * result is pushed in its turn, one that is cut, one that is pushed. */
static guint
count_slots (GstEegChunkCodec *self, guint threads)
{
  if (threads == 1)
    return 1;
  return (CLASS (self)->sequential ? 1 : 2 * threads) + 2;
}

/* Goes on where a process before was, if it was handed in. */
static gboolean
resume (GstEegChunkCodec *self, GError **error)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  struct state *st = &priv->state;
  gboolean begins_part, ok = TRUE;
  const guint8 *blob;
  GBytes *restore;
  gsize size;

  GST_OBJECT_LOCK (self);
  restore = g_steal_pointer (&priv->restore);
  GST_OBJECT_UNLOCK (self);
  if (restore == NULL)
    return TRUE;
  /* its size was checked when it came */
  blob = g_bytes_get_data (restore, &size);
  begins_part = blob[1] != 0;
  if (!begins_part) {
    st->resumed = TRUE;
    st->position = GST_READ_UINT64_LE (blob + 8);
    st->stream_bytes = GST_READ_UINT64_LE (blob + 16);
    st->stream_jobs = GST_READ_UINT64_LE (blob + 24);
    st->resumed_at = priv->push.offset = GST_READ_UINT64_LE (blob + 32);
    priv->push.pushed = GST_READ_UINT64_LE (blob + 40);
  }
  if (CLASS (self)->restore != NULL) {
    gsize input_size = GST_READ_UINT32_LE (blob + STATE_SIZE + 8);
    const guint8 *output = blob + STATE_SIZE_MORE + input_size;

    if (!begins_part)
      st->skip = GST_READ_UINT64_LE (blob + STATE_SIZE);
    ok = CLASS (self)->restore (self, blob + STATE_SIZE_MORE, input_size,
        output, (gsize) (blob + size - output));
  }
  g_bytes_unref (restore);
  if (!ok) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "What was saved is no state of this version for %s.",
        GST_OBJECT_NAME (self));
    return FALSE;
  }
  GST_DEBUG_OBJECT (self, "going on behind %" G_GUINT64_FORMAT " bytes",
      st->stream_bytes);
  return TRUE;
}

static void stop (GstEegChunkCodec *self);

static gboolean
start (GstEegChunkCodec *self)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  GstEegChunkCodecClass *klass = CLASS (self);
  EegJobRingSettings ring_settings = { 0 };
  const gchar *delay = g_getenv (DELAY_VARIABLE);
  GError *error = NULL;
  EegJobRing *ring;

  GST_OBJECT_LOCK (self);
  priv->active = priv->settings;
  /* what a decoder makes is no file */
  priv->makes_parts = priv->part != NULL && is_encoder (self);
  priv->makes_labels = priv->makes_parts && priv->part->digest != NULL;
  GST_OBJECT_UNLOCK (self);

  if (klass->start != NULL && !klass->start (self, &error)) {
    if (error == NULL)
      g_set_error_literal (&error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
          "Could not start.");
    post_error (self, error, NULL);
    g_clear_error (&error);
    if (klass->stop != NULL)
      klass->stop (self);
    return FALSE;
  }

  priv->n_threads = count_threads (self, priv->active.threads);
  priv->n_slots = count_slots (self, priv->n_threads);
  priv->n_workers = klass->sequential ? 1 : priv->n_threads;
  ring_settings.item_size = sizeof (Item);
  ring_settings.slots = priv->n_slots;
  ring_settings.threads = priv->n_workers;
  ring_settings.run = run_job;
  ring_settings.clear = ring_clear;
  ring_settings.user_data = self;
  if (delay != NULL)
    ring_settings.max_delay_us =
        (unsigned) MIN (g_ascii_strtoull (delay, NULL, 10), 1000000);
  ring = eeg_jobring_new (&ring_settings);
  if (ring == NULL) {
    GST_ELEMENT_ERROR (self, RESOURCE, FAILED,
        ("Could not allocate the ring of jobs."), (NULL));
    if (klass->stop != NULL)
      klass->stop (self);
    return FALSE;
  }
  priv->contexts = g_new0 (gpointer, priv->n_workers + 1);
  __atomic_store_n (&priv->ns_per_kib, 0, __ATOMIC_RELAXED);
  __atomic_store_n (&priv->blocks, 0, __ATOMIC_RELAXED);
  __atomic_store_n (&priv->retired_reused, 0, __ATOMIC_RELAXED);
  gst_eeg_stage_counters_reset (&priv->counters);
  GST_OBJECT_LOCK (self);
  priv->ring = ring;
  GST_OBJECT_UNLOCK (self);
  reset_stream (self);
  if (!resume (self, &error)) {
    post_error (self, error, NULL);
    g_clear_error (&error);
    stop (self);
    return FALSE;
  }
  GST_INFO_OBJECT (self, "%u threads, %u slots", priv->n_threads,
      priv->n_slots);
  return TRUE;
}

static void
gst_eeg_chunk_codec_set_part (GstEegStage *stage, const GstEegPart *part)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (GST_EEG_CHUNK_CODEC (stage));
  GstEegPart *copy = part != NULL ? gst_eeg_part_copy (part) : NULL;

  GST_OBJECT_LOCK (stage);
  g_free (priv->part);
  priv->part = copy;
  GST_OBJECT_UNLOCK (stage);
}

static void
stop (GstEegChunkCodec *self)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  struct state *st = &priv->state;
  EegJobRing *ring;
  guint i;

  ring = priv->ring;
  if (ring == NULL)
    return;

  eeg_jobring_close (ring, CODE_FROM_FLOW (GST_FLOW_FLUSHING));
  /* it may have been started while the pad was deactivated */
  stop_task (self);
  /* waits for jobs under way, which ask the ring whether to give up */
  eeg_jobring_reset (ring);
  GST_OBJECT_LOCK (self);
  priv->ring = NULL;
  GST_OBJECT_UNLOCK (self);
  reset_stream (self);
  for (i = 0; i < priv->n_slots; i++) {
    Item *item = eeg_jobring_item (ring, i);

    free_slab (&item->slab, &item->slab_map);
    free_slab (&item->out, &item->out_map);
  }
  eeg_jobring_free (ring);
  for (i = 0; i <= priv->n_workers; i++)
    if (priv->contexts[i] != NULL)
      CLASS (self)->worker_free (self, priv->contexts[i]);
  g_clear_pointer (&priv->contexts, g_free);
  free_slab (&st->fifo, &st->fifo_map);
  free_slab (&st->stream_out, &st->stream_map);
  replace_allocator (self, &priv->in_allocator, 0);
  replace_allocator (self, &priv->out_allocator, 0);
  g_clear_pointer (&st->stream_id, g_free);
  gst_clear_caps (&st->caps);
  memset (st, 0, sizeof *st);
  g_clear_pointer (&priv->push.hash, g_free);
  priv->makes_parts = priv->makes_labels = FALSE;
  gst_eeg_chunk_codec_set_part (GST_EEG_STAGE (self), NULL);
  if (CLASS (self)->stop != NULL)
    CLASS (self)->stop (self);
}

static GstStateChangeReturn
gst_eeg_chunk_codec_change_state (GstElement *element,
    GstStateChange transition)
{
  GstEegChunkCodec *self = GST_EEG_CHUNK_CODEC (element);
  GstStateChangeReturn ret;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !start (self))
    return GST_STATE_CHANGE_FAILURE;
  ret = GST_ELEMENT_CLASS (gst_eeg_chunk_codec_parent_class)
            ->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY
      || (transition == GST_STATE_CHANGE_READY_TO_PAUSED
          && ret == GST_STATE_CHANGE_FAILURE))
    stop (self);
  return ret;
}

/* Stage */

static GstEegStageKind
gst_eeg_chunk_codec_get_kind (GstEegStage *stage)
{
  return CLASS (stage)->kind;
}

static gboolean
gst_eeg_chunk_codec_estimate (GstEegStage *stage, guint64 input_bytes,
    GstEegEstimate *estimate)
{
  GstEegChunkCodec *self = GST_EEG_CHUNK_CODEC (stage);
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  GstEegChunkCodecClass *klass = CLASS (self);
  GstEegChunkLimits limits = { 0 };
  GstEegStageCounters counted;
  guint threads, slots, contexts;

  GST_OBJECT_LOCK (self);
  threads = count_threads (self, priv->settings.threads);
  GST_OBJECT_UNLOCK (self);
  slots = count_slots (self, threads);
  if (klass->limits != NULL)
    klass->limits (self, &limits);
  /* pieces may keep blocks of twice their size */
  if (klass->takes_pieces)
    limits.max_input *= 2;

  /* the inline context comes on top of the workers' */
  contexts = threads == 1 ? 1 : klass->sequential ? 2 : threads + 1;
  estimate->memory_bytes =
      (guint64) slots * ((guint64) limits.max_input + limits.max_output)
      + (guint64) contexts * limits.context_bytes + limits.extra_bytes;
  if (klass->parse != NULL)
    estimate->memory_bytes += limits.max_input; /* the next unit */
  if (klass->stream != NULL)
    estimate->memory_bytes += STREAM_OUTPUT_BYTES;
  estimate->threads = threads == 1 ? 0 : (klass->sequential ? 1 : threads) + 1;

  gst_eeg_stage_counters_get (&priv->counters, &counted);
  if (counted.bytes_in > 0 && counted.bytes_out > 0) {
    estimate->output_bytes = gst_util_uint64_scale (input_bytes,
        counted.bytes_out, counted.bytes_in);
    estimate->duration =
        gst_util_uint64_scale (input_bytes, counted.busy_ns, counted.bytes_in);
    if (!klass->sequential)
      estimate->duration /= threads;
  }
  return TRUE;
}

static gboolean
gst_eeg_chunk_codec_can_resume (GstEegStage *stage, GString *depends_on,
    GError **error)
{
  GstEegChunkCodecClass *klass = CLASS (stage);

  if (klass->library != NULL)
    g_string_append_printf (depends_on, " library=%s", klass->library);
  if (klass->can_resume == NULL) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_NOT_IMPLEMENTED,
        "%s cannot go on in the middle of its stream", GST_OBJECT_NAME (stage));
    return FALSE;
  }
  return klass->can_resume (GST_EEG_CHUNK_CODEC (stage), error);
}

/* The thread that pushes, between two pushes. */
static GBytes *
gst_eeg_chunk_codec_save_state (GstEegStage *stage, GError **error)
{
  GstEegChunkCodec *self = GST_EEG_CHUNK_CODEC (stage);
  const struct push_state *push = &PRIVATE (self)->push;
  GstEegChunkCodecClass *klass = CLASS (self);
  GBytes *output = NULL;
  gsize size = STATE_SIZE, input_size = 0, output_size = 0;
  guint8 *blob;

  if (!push->begins_part) {
    GString *ignored = g_string_new (NULL);
    gboolean ok = gst_eeg_chunk_codec_can_resume (stage, ignored, error);

    g_string_free (ignored, TRUE);
    if (!ok)
      return NULL;
  }
  if (klass->restore != NULL) {
    /* its reason was told */
    if (push->mark.input == NULL) {
      g_set_error_literal (error, GST_CORE_ERROR, GST_CORE_ERROR_TOO_LAZY,
          "its input cannot be saved");
      return NULL;
    }
    output = klass->save_output (self, error);
    if (output == NULL)
      return NULL;
    input_size = g_bytes_get_size (push->mark.input);
    output_size = g_bytes_get_size (output);
    size = STATE_SIZE_MORE + input_size + output_size;
    if (size > MAX_STATE) {
      g_bytes_unref (output);
      g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_TOO_LAZY,
          "%" G_GSIZE_FORMAT " bytes would have to be saved, and %d can be",
          size, MAX_STATE);
      return NULL;
    }
  }
  blob = g_malloc0 (size);
  blob[0] = STATE_VERSION;
  blob[1] = push->begins_part;
  GST_WRITE_UINT64_LE (blob + 8, push->mark.position);
  GST_WRITE_UINT64_LE (blob + 16, push->mark.bytes);
  GST_WRITE_UINT64_LE (blob + 24, push->mark.jobs);
  GST_WRITE_UINT64_LE (blob + 32, push->offset);
  GST_WRITE_UINT64_LE (blob + 40, push->pushed);
  if (output != NULL) {
    GST_WRITE_UINT64_LE (blob + STATE_SIZE, push->mark.skip);
    GST_WRITE_UINT32_LE (blob + STATE_SIZE + 8, (guint32) input_size);
    /* neither need have a byte */
    if (input_size > 0)
      memcpy (blob + STATE_SIZE_MORE, g_bytes_get_data (push->mark.input, NULL),
          input_size);
    if (output_size > 0)
      memcpy (blob + STATE_SIZE_MORE + input_size,
          g_bytes_get_data (output, NULL), output_size);
    g_bytes_unref (output);
  }
  return g_bytes_new_take (blob, size);
}

static gboolean
gst_eeg_chunk_codec_restore_state (GstEegStage *stage, GBytes *state,
    GError **error)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (GST_EEG_CHUNK_CODEC (stage));
  gboolean has_more = CLASS (stage)->restore != NULL;
  const guint8 *blob;
  gboolean is_damaged;
  gsize size;

  if (state == NULL)
    return gst_eeg_stage_keep_state (stage, &priv->restore, NULL, TRUE, error);
  blob = g_bytes_get_data (state, &size);
  is_damaged = (has_more ? size < STATE_SIZE_MORE || size > MAX_STATE
                         : size != STATE_SIZE)
      || blob[0] != STATE_VERSION;
  if (!is_damaged && has_more)
    is_damaged =
        GST_READ_UINT32_LE (blob + STATE_SIZE + 8) > size - STATE_SIZE_MORE;
  /* of a part that begins nothing is needed */
  if (!is_damaged && blob[1] && !has_more)
    state = NULL;
  return gst_eeg_stage_keep_state (stage, &priv->restore, state, !is_damaged,
      error);
}

static GstEegPartSupport
gst_eeg_chunk_codec_get_part_support (GstEegStage *stage)
{
  GstEegChunkCodecClass *klass = CLASS (stage);
  guint n;

  GST_OBJECT_LOCK (stage);
  n = GST_ELEMENT_CAST (stage)->numsinkpads;
  GST_OBJECT_UNLOCK (stage);
  if (klass->bound == NULL && klass->restore != NULL)
    return GST_EEG_PART_SUPPORT_PASSES;
  /* one that is handed its jobs must know itself what to do */
  if (klass->bound == NULL
      || (klass->capacity == NULL && klass->begin_part == NULL) || n > 1)
    return GST_EEG_PART_SUPPORT_NONE;
  return klass->label != NULL ? GST_EEG_PART_SUPPORT_LABELS
                              : GST_EEG_PART_SUPPORT_ENDS;
}

static void
gst_eeg_chunk_codec_stage_init (GstEegStageInterface *iface)
{
  iface->get_kind = gst_eeg_chunk_codec_get_kind;
  iface->estimate = gst_eeg_chunk_codec_estimate;
  iface->can_resume = gst_eeg_chunk_codec_can_resume;
  iface->save_state = gst_eeg_chunk_codec_save_state;
  iface->restore_state = gst_eeg_chunk_codec_restore_state;
  iface->get_part_support = gst_eeg_chunk_codec_get_part_support;
  iface->set_part = gst_eeg_chunk_codec_set_part;
}

static GstStructure *
make_stats (GstEegChunkCodec *self)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (self);
  EegJobRingCounters ring = { 0 };
  guint64 reused = 0, one_reused;
  guint size = 0, one_size;
  GstStructure *s =
      gst_eeg_stage_counters_to_structure (&priv->counters, CLASS (self)->kind);

  GST_OBJECT_LOCK (self);
  if (priv->ring != NULL)
    eeg_jobring_get_counters (priv->ring, &ring);
  if (priv->in_allocator != NULL) {
    gst_eeg_allocator_get_counts (priv->in_allocator, &one_size, NULL,
        &one_reused);
    size += one_size;
    reused += one_reused;
  }
  if (priv->out_allocator != NULL) {
    gst_eeg_allocator_get_counts (priv->out_allocator, &one_size, NULL,
        &one_reused);
    size += one_size;
    reused += one_reused;
  }
  GST_OBJECT_UNLOCK (self);
  reused += __atomic_load_n (&priv->retired_reused, __ATOMIC_RELAXED);
  gst_structure_set (s, "blocks", G_TYPE_UINT64,
      __atomic_load_n (&priv->blocks, __ATOMIC_RELAXED), "pool-size",
      G_TYPE_UINT, size, "pool-reused", G_TYPE_UINT64, reused,
      "queue-high-water", G_TYPE_UINT, ring.high_water, "threads-started",
      G_TYPE_UINT, ring.threads_started, "queue-waits", G_TYPE_UINT64,
      ring.producer_waits, NULL);
  return s;
}

/* For subclasses */

/**
 * gst_eeg_chunk_codec_take_event:
 * @codec: an encoder with request sink pads
 * @event: (transfer full): an event of the merged input
 *
 * Does with an event what the base class does on a sink pad of its own. FLUSH
 * events may come while another thread is inside; all others, and jobs, come
 * from one thread at a time.
 *
 * Returns: whether it was handled
 */
gboolean
gst_eeg_chunk_codec_take_event (GstEegChunkCodec *codec, GstEvent *event)
{
  g_return_val_if_fail (GST_IS_EEG_CHUNK_CODEC (codec), FALSE);
  g_return_val_if_fail (GST_IS_EVENT (event), FALSE);

  return take_event (codec, event);
}

/* An encoder with several pads has no chain function that could return @flow to
 * the one who sent too much: what downstream said has to last until the end,
 * which tells it. */
static GstFlowReturn
keep_flow (GstEegChunkCodec *self, GstFlowReturn flow)
{
  if (flow != GST_FLOW_OK)
    close_ring (self, flow);
  return flow;
}

/**
 * gst_eeg_chunk_codec_begin:
 * @codec: an encoder with request sink pads
 *
 * Sends the header, as the first job would. A segment came before.
 *
 * Returns: as a chain function
 */
GstFlowReturn
gst_eeg_chunk_codec_begin (GstEegChunkCodec *codec)
{
  GstFlowReturn flow;

  g_return_val_if_fail (is_encoder (codec), GST_FLOW_ERROR);

  flow = flow_of_ring (codec);
  if (flow == GST_FLOW_OK && !PRIVATE (codec)->state.begun)
    flow = keep_flow (codec, begin_stream (codec));
  return flow;
}

/**
 * gst_eeg_chunk_codec_take_job:
 * @codec: an encoder with request sink pads
 * @job: time, size of the output, values and user data of the job; the rest is
 *     set here. The user data is taken in any case
 * @input: (transfer full) (nullable): its input, all in one memory; it is given
 *     back when the job is over
 *
 * Sends a job; waits while the ring is full. A segment came before.
 *
 * Returns: as a chain function; errors of jobs come later
 */
GstFlowReturn
gst_eeg_chunk_codec_take_job (GstEegChunkCodec *codec,
    const GstEegChunkJob *job, GstBuffer *input)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (codec);
  struct state *st = &priv->state;
  GstFlowReturn flow = flow_of_ring (codec);
  gsize size = input != NULL ? gst_buffer_get_size (input) : 0;
  GError *error = NULL;
  Item *item = NULL;

  g_return_val_if_fail (is_encoder (codec), GST_FLOW_ERROR);
  g_return_val_if_fail (input == NULL || gst_buffer_n_memory (input) == 1,
      GST_FLOW_ERROR);

  if (flow == GST_FLOW_OK && st->failed)
    flow = GST_FLOW_ERROR;
  if (flow == GST_FLOW_OK && !st->begun)
    flow = begin_stream (codec);
  if (flow == GST_FLOW_OK && !st->failed)
    item = acquire_item (codec, &flow);
  if (item == NULL) {
    if (job->user_free != NULL && job->user_data != NULL)
      job->user_free (job->user_data);
    gst_clear_buffer (&input);
    return flow == GST_FLOW_OK ? GST_FLOW_ERROR : flow;
  }
  item->job.pts = job->pts;
  item->job.duration = job->duration;
  item->job.out_capacity = job->out_capacity;
  memcpy (item->job.values, job->values, sizeof job->values);
  item->job.user_data = job->user_data;
  item->job.user_free = job->user_free;
  item->job.offset = st->stream_bytes;
  if (size > 0 ? !add_reference (item, input, gst_buffer_peek_memory (input, 0),
          0, size)
               : !ensure_slab (codec, &priv->in_allocator, &item->slab,
                   &item->slab_map, 1)) {
    gst_clear_buffer (&input);
    set_memory_error (&error, size);
    return send_error (codec, error);
  }
  if (size == 0)
    add_piece (item, item->slab_map.data, 0);
  gst_clear_buffer (&input);
  item->job.pieces = item->pieces;
  item->job.n_pieces = 1;
  item->job.data = item->pieces[0].data;
  item->job.size = size;
  st->stream_bytes += size;
  return keep_flow (codec, send_job (codec, item));
}

/**
 * gst_eeg_chunk_codec_ends_part:
 * @codec: an encoder with request sink pads
 * @event: an event of its input
 *
 * Returns: whether @event ends a part of the recording: then all that belongs
 *     to the part has to be sent before it
 */
gboolean
gst_eeg_chunk_codec_ends_part (GstEegChunkCodec *codec, GstEvent *event)
{
  GstEegBarrier *barrier;

  g_return_val_if_fail (GST_IS_EEG_CHUNK_CODEC (codec), FALSE);

  return PRIVATE (codec)->makes_parts
      && gst_eeg_event_parse_barrier (event, &barrier)
      && gst_eeg_barrier_ends_part (barrier);
}

/**
 * gst_eeg_chunk_codec_get_n_parts:
 * @codec: an encoder with request sink pads
 *
 * From the thread that sends jobs.
 *
 * Returns: parts of the recording that have ended, 0 if none are made
 */
guint64
gst_eeg_chunk_codec_get_n_parts (GstEegChunkCodec *codec)
{
  g_return_val_if_fail (GST_IS_EEG_CHUNK_CODEC (codec), 0);

  return PRIVATE (codec)->state.n_parts;
}

/**
 * gst_eeg_chunk_codec_close:
 * @codec: a codec
 *
 * Lets everything that waits return FLUSHING until the next FLUSH_STOP or
 * READY to PAUSED. From any thread, as when a pad of the element's own is
 * deactivated.
 */
void
gst_eeg_chunk_codec_close (GstEegChunkCodec *codec)
{
  g_return_if_fail (GST_IS_EEG_CHUNK_CODEC (codec));

  close_ring_flushing (codec);
}

/**
 * gst_eeg_chunk_codec_get_flow:
 * @codec: a codec that was started
 *
 * Returns: what the next input would be answered
 */
GstFlowReturn
gst_eeg_chunk_codec_get_flow (GstEegChunkCodec *codec)
{
  g_return_val_if_fail (GST_IS_EEG_CHUNK_CODEC (codec), GST_FLOW_ERROR);

  return flow_of_ring (codec);
}

/**
 * gst_eeg_chunk_codec_fail:
 * @codec: an encoder with request sink pads
 * @error: (transfer full): the error
 *
 * Posts an error behind all that was sent before; from the thread that sends
 * jobs. Nothing is taken any more.
 *
 * Returns: %FALSE
 */
gboolean
gst_eeg_chunk_codec_fail (GstEegChunkCodec *codec, GError *error)
{
  g_return_val_if_fail (GST_IS_EEG_CHUNK_CODEC (codec), FALSE);

  if (PRIVATE (codec)->state.failed)
    g_error_free (error);
  else
    send_error (codec, error);
  return FALSE;
}

/**
 * gst_eeg_chunk_codec_get_counters: (skip)
 * @codec: a codec with pads of its own
 *
 * Returns: (transfer none): the counters, to count what passes those pads
 */
GstEegStageCounters *
gst_eeg_chunk_codec_get_counters (GstEegChunkCodec *codec)
{
  g_return_val_if_fail (GST_IS_EEG_CHUNK_CODEC (codec), NULL);

  return &PRIVATE (codec)->counters;
}

/**
 * gst_eeg_chunk_job_is_cancelled:
 * @job: a job under way
 *
 * For a job that takes long: asks whether its result is still wanted.
 *
 * Returns: whether process() may give up
 */
gboolean
gst_eeg_chunk_job_is_cancelled (const GstEegChunkJob *job)
{
  const Item *item = (const Item *) job;

  return eeg_jobring_code (PRIVATE (item->codec)->ring) != 0;
}

/**
 * gst_eeg_chunk_codec_get_threads:
 * @codec: a codec
 *
 * Returns: threads that work on jobs with the current settings: 1 for the
 *     streaming thread alone
 */
guint
gst_eeg_chunk_codec_get_threads (GstEegChunkCodec *codec)
{
  guint threads;

  g_return_val_if_fail (GST_IS_EEG_CHUNK_CODEC (codec), 1);

  GST_OBJECT_LOCK (codec);
  threads = count_threads (codec, PRIVATE (codec)->settings.threads);
  GST_OBJECT_UNLOCK (codec);
  return threads;
}

/**
 * gst_eeg_chunk_codec_get_starved:
 * @codec: a codec that is started
 *
 * For pushed().
 *
 * Returns: how often a worker had nothing to do while a push waited, since the
 *     start
 */
guint64
gst_eeg_chunk_codec_get_starved (GstEegChunkCodec *codec)
{
  EegJobRingCounters counters;

  g_return_val_if_fail (GST_IS_EEG_CHUNK_CODEC (codec), 0);
  g_return_val_if_fail (PRIVATE (codec)->ring != NULL, 0);

  eeg_jobring_get_counters (PRIVATE (codec)->ring, &counters);
  return counters.starved;
}

/**
 * gst_eeg_chunk_codec_set_chunk_duration:
 * @codec: an encoder
 * @duration: stream time after which a chunk ends, 0 for never; an encoder of
 *     cells sends whole cells at once if it is not 0
 *
 * Used from the next READY to PAUSED on.
 */
void
gst_eeg_chunk_codec_set_chunk_duration (GstEegChunkCodec *codec,
    GstClockTime duration)
{
  g_return_if_fail (GST_IS_EEG_CHUNK_CODEC (codec));

  GST_OBJECT_LOCK (codec);
  PRIVATE (codec)->settings.chunk_duration = duration;
  GST_OBJECT_UNLOCK (codec);
}

/**
 * gst_eeg_chunk_codec_set_salvage:
 * @codec: a decoder
 * @salvage: whether damage becomes gaps instead of an error
 *
 * A job whose process() fails with a #GstStreamError is then replaced by a GAP
 * event and an element message `eeg-salvage`, and parse() may answer
 * %GST_EEG_CHUNK_PARSE_LOST. Used from the next READY to PAUSED on.
 */
void
gst_eeg_chunk_codec_set_salvage (GstEegChunkCodec *codec, gboolean salvage)
{
  g_return_if_fail (GST_IS_EEG_CHUNK_CODEC (codec));

  GST_OBJECT_LOCK (codec);
  PRIVATE (codec)->settings.salvage = salvage;
  GST_OBJECT_UNLOCK (codec);
}

/**
 * gst_eeg_chunk_codec_get_salvage:
 * @codec: a decoder
 *
 * Returns: whether damage becomes gaps instead of an error
 */
gboolean
gst_eeg_chunk_codec_get_salvage (GstEegChunkCodec *codec)
{
  gboolean salvage;

  g_return_val_if_fail (GST_IS_EEG_CHUNK_CODEC (codec), FALSE);

  GST_OBJECT_LOCK (codec);
  salvage = PRIVATE (codec)->settings.salvage;
  GST_OBJECT_UNLOCK (codec);
  return salvage;
}

/**
 * gst_eeg_chunk_codec_set_max_output_bytes:
 * @codec: a decoder
 * @max_output_bytes: bytes of output at which a stream becomes an error, 0 for
 *     no limit
 *
 * Used from the next READY to PAUSED on.
 */
void
gst_eeg_chunk_codec_set_max_output_bytes (GstEegChunkCodec *codec,
    guint64 max_output_bytes)
{
  g_return_if_fail (GST_IS_EEG_CHUNK_CODEC (codec));

  GST_OBJECT_LOCK (codec);
  PRIVATE (codec)->settings.max_output_bytes = max_output_bytes;
  GST_OBJECT_UNLOCK (codec);
}

/* Properties */

static void
gst_eeg_chunk_codec_set_property (GObject *object, guint prop_id,
    const GValue *value, GParamSpec *pspec)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (GST_EEG_CHUNK_CODEC (object));

  switch (prop_id) {
    case PROP_THREADS:
      GST_OBJECT_LOCK (object);
      priv->settings.threads = g_value_get_uint (value);
      GST_OBJECT_UNLOCK (object);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
}

static void
gst_eeg_chunk_codec_get_property (GObject *object, guint prop_id, GValue *value,
    GParamSpec *pspec)
{
  GstEegChunkCodec *self = GST_EEG_CHUNK_CODEC (object);

  switch (prop_id) {
    case PROP_THREADS:
      GST_OBJECT_LOCK (object);
      g_value_set_uint (value, PRIVATE (self)->settings.threads);
      GST_OBJECT_UNLOCK (object);
      break;
    case PROP_STATS:
      g_value_take_boxed (value, make_stats (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
}

static GstPad *
add_pad (GstEegChunkCodec *self, const gchar *name)
{
  GstElement *element = GST_ELEMENT_CAST (self);
  GstPadTemplate *templ =
      gst_element_class_get_pad_template (GST_ELEMENT_GET_CLASS (self), name);
  GstPad *pad;

  if (templ == NULL)
    return NULL;
  pad = gst_pad_new_from_template (templ, name);
  gst_element_add_pad (element, pad);
  return pad;
}

static void
gst_eeg_chunk_codec_constructed (GObject *object)
{
  GstEegChunkCodec *self = GST_EEG_CHUNK_CODEC (object);
  GstEegChunkCodecPrivate *priv = PRIVATE (self);

  G_OBJECT_CLASS (gst_eeg_chunk_codec_parent_class)->constructed (object);

  priv->sink_pad = add_pad (self, "sink");
  if (priv->sink_pad != NULL) {
    gst_pad_set_chain_function (priv->sink_pad, sink_chain);
    gst_pad_set_event_function (priv->sink_pad, sink_event);
    gst_pad_set_query_function (priv->sink_pad, sink_query);
  }
  priv->src_pad = add_pad (self, "src");
  if (priv->src_pad == NULL)
    return;
  gst_pad_set_event_function (priv->src_pad, src_event);
  gst_pad_set_query_function (priv->src_pad, src_query);
  gst_pad_set_activatemode_function (priv->src_pad, src_activate_mode);
  gst_pad_use_fixed_caps (priv->src_pad);
}

static void
gst_eeg_chunk_codec_finalize (GObject *object)
{
  GstEegChunkCodecPrivate *priv = PRIVATE (GST_EEG_CHUNK_CODEC (object));

  g_rec_mutex_clear (&priv->task_lock);
  g_clear_pointer (&priv->restore, g_bytes_unref);
  g_clear_pointer (&priv->part, g_free);
  G_OBJECT_CLASS (gst_eeg_chunk_codec_parent_class)->finalize (object);
}

static void
gst_eeg_chunk_codec_class_init (GstEegChunkCodecClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  object_class->constructed = gst_eeg_chunk_codec_constructed;
  object_class->set_property = gst_eeg_chunk_codec_set_property;
  object_class->get_property = gst_eeg_chunk_codec_get_property;
  object_class->finalize = gst_eeg_chunk_codec_finalize;
  element_class->change_state = gst_eeg_chunk_codec_change_state;

  /**
   * GstEegChunkCodec:threads:
   *
   * Threads that work on chunks; 0 takes the number of processors, at most 4;
   * 1 works in the streaming thread. The output is the same for any number.
   */
  g_object_class_install_property (object_class, PROP_THREADS,
      g_param_spec_uint ("threads", "Threads",
          "Threads that work on chunks, 0 to 64; 0: as many as processors, at "
          "most 4; 1: only the streaming thread",
          0, MAX_THREADS, DEFAULT_THREADS,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));
  g_object_class_override_property (object_class, PROP_STATS, "stats");

  gst_type_mark_as_plugin_api (GST_TYPE_EEG_CHUNK_CODEC, 0);
}

static void
gst_eeg_chunk_codec_init (GstEegChunkCodec *self)
{
  g_rec_mutex_init (&PRIVATE (self)->task_lock);
  PRIVATE (self)->settings.threads = DEFAULT_THREADS;
}
