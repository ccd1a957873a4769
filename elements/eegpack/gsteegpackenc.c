/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-eegpackenc
 * @title: eegpackenc
 * @short_description: codes samples without loss in the EEGPack format
 *
 * Takes streams of one or several sample rates, one request pad (`sink_0`,
 * `sink_1`, ...) for each, and writes one file: blocks that can be decoded on
 * their own, the channel tables, markers, gaps and an index. Samples come back
 * bit by bit, floats too. What edfdemux knows of its file is kept, so that
 * edfmux can write it again.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 eegsrc num-samples=25000 ! eegpackenc ! \
 *     filesink location=night.eegpack
 * ]|
 *
 * - Caps: application/x-eeg-raw of any format in, application/x-eegpack out.
 * - Latency: a block, 1 s when live. Memory: see estimate().
 * - GAP events and jumps of the time stamps stay gaps: a block ends, and the
 *   next one says where it begins.
 * - FLUSH drops what is held and begins a new file; EOS sends it, with the
 *   index.
 * - Caps may change until the header is written; then it is an error.
 * - Checkpoints: takes part with one pad. A block ends where a barrier comes.
 * - Parts (see #GstEegPart), with one pad: the file ends where the barrier
 *   comes, and another one begins whose header has the time of that place. The
 *   label is a marker of the whole recording behind the header.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsteegpackenc.h"

#include <gst/base/gstbytereader.h>
#include <gst/base/gstbytewriter.h>
#include <gst/eeg/gsteegedfrecord.h>
#include <stdio.h>
#include <string.h>

#include "gsteegedf.h"
#include "gsteegpackcommon.h"

GST_DEBUG_CATEGORY_STATIC (gst_eeg_pack_enc_debug);
#define GST_CAT_DEFAULT gst_eeg_pack_enc_debug

/* Without DISCONT, time stamps may differ that much from the sample counter. */
#define JITTER (40 * GST_MSECOND)
/* Samples per channel of a block, of the fastest stream, unless it is live. */
#define BLOCK_FRAMES 8192
#define LIVE_DURATION GST_SECOND
/* Input that a pad may hold until the others have caught up, beyond one
 * buffer. */
#define BACKLOG_BYTES (4 * 1024 * 1024)
/* Blocks of which an index chunk tells, and where a barrier comes at most that
 * wait for one: they have to be saved. */
#define INDEX_ENTRIES 4096
#define BARRIER_ENTRIES 512
/* Most samples of a recording: sums of what counts them stay in range. */
#define MAX_INDEX (G_GUINT64_CONSTANT (1) << 56)
/* Markers that wait for a block; more leave without one. */
#define MAX_WAITING 16384

/*
 * A saved state of the input (little-endian): u8 version, u8 flags, u64 origin,
 * i64 base, u64 next index, u64 position, u64 end of the last gap, i64 last EDF
 * record; SHA-256 of the header of a file that has begun; markers and records
 * that wait. Of the output, of such a file: u64 offset of the next byte, u64
 * that of the last index, and an index chunk of the blocks since that.
 */
#define STATE_VERSION 1
#define STATE_BEGUN 1
#define STATE_BASE 2
#define STATE_NEXT 4
#define HASH_SIZE 32
/* Of the input, so that the rest fits beside it. */
#define MAX_STATE (64 * 1024)

typedef enum
{
  GST_EEG_PACK_EFFORT_FAST = EEG_EEGPACK_FAST,
  GST_EEG_PACK_EFFORT_NORMAL = EEG_EEGPACK_NORMAL,
  GST_EEG_PACK_EFFORT_BEST = EEG_EEGPACK_BEST
} GstEegPackEffort;

enum
{
  PROP_0,
  PROP_EFFORT,
  PROP_BLOCK_DURATION
};

#define DEFAULT_EFFORT GST_EEG_PACK_EFFORT_NORMAL
#define DEFAULT_BLOCK_DURATION 0

/* Under the object lock */
struct settings
{
  GstEegPackEffort effort;
  GstClockTime block_duration;
};

/* What decides how a stream is cut and how much memory that needs */
typedef struct
{
  eeg_eegpack_format format; /* EEG_EEGPACK_FORMATS: not known yet */
  guint32 channels;
  guint32 rate_num, rate_den;
  guint32 max_frames; /* of a block */
  /* frames of the fastest stream to frames of this one */
  guint64 ratio_num, ratio_den;
} Shape;

/* What blocks need, of all streams; never changed while a job has it. */
typedef struct
{
  gint ref_count; /* atomic */
  guint n_streams;
  Shape *shapes;
} Layout;

typedef struct
{
  gint64 time;
  gint64 duration; /* or -1 */
  gchar *text;
  GstClockTime when; /* it goes with the block that ends behind this time */
} Marker;

typedef enum
{
  KIND_BLOCK,  /* or only what comes before one */
  KIND_HEADER, /* of a file that begins: it is what comes before */
  KIND_BARRIER,
  KIND_END /* of a file; `totals` are known */
} JobKind;

/* What goes with a block to its worker and behind it. */
typedef struct
{
  JobKind kind;
  Layout *layout;
  eeg_eegpack_buffer before; /* chunks before the block's */
  guint64 *totals;
} Extra;

/* --- pad ----------------------------------------------------------------- */

#define GST_TYPE_EEG_PACK_ENC_PAD (gst_eeg_pack_enc_pad_get_type ())
G_DECLARE_FINAL_TYPE (GstEegPackEncPad, gst_eeg_pack_enc_pad, GST,
    EEG_PACK_ENC_PAD, GstPad)

struct _GstEegPackEncPad
{
  GstPad parent;

  /* under the element's input lock */
  GQueue queue; /* of buffers and events */
  gsize queued; /* bytes of the buffers */
  gboolean active;
  gboolean flushing;
  gboolean released;
  gboolean got_eos;

  /* under the element's object lock */
  Shape shape;

  /* of the thread that feeds */
  guint number;
  GstEegInfo info;
  GstStructure *recording;
  GstSegment segment;
  gboolean new_segment;
  GstBuffer *buffer;
  GstMapInfo map;
  guint64 index; /* of the next sample in buffer, since stream time 0 */
  gsize frame;   /* its position in buffer */
  gsize frames;  /* samples left in buffer */
  gboolean have_base;
  gint64 base; /* index - buffer offset */
  gboolean have_next;
  guint64 next_index; /* behind the last buffer */
  gboolean resumed;   /* these are from before a barrier, and no buffer came */
  guint64 gap_end;    /* index behind the last GAP event, 0 without one */
  gboolean eos;
  gboolean complete;

  /* the block that is being filled */
  GstMemory *slab;
  GstMapInfo slab_map;
  GstBuffer *whole; /* or one that came as a block */
  guint64 first;
  guint32 filled;
  guint64 window_end; /* index at which it must end */
  gboolean ready;     /* it has ended */
  guint64 position;   /* index behind all that is known */
  GArray *markers;    /* of Marker */
  GPtrArray *records; /* of GstEegEdfRecord */
};

G_DEFINE_TYPE (GstEegPackEncPad, gst_eeg_pack_enc_pad, GST_TYPE_PAD)

static void
clear_marker (gpointer item)
{
  g_free (((Marker *) item)->text);
}

static void
pad_drop_buffer (GstEegPackEncPad *pad)
{
  if (pad->buffer != NULL) {
    gst_buffer_unmap (pad->buffer, &pad->map);
    gst_clear_buffer (&pad->buffer);
  }
  pad->frames = 0;
}

static void
pad_drop_slab (GstEegPackEncPad *pad)
{
  if (pad->slab != NULL) {
    gst_memory_unmap (pad->slab, &pad->slab_map);
    g_clear_pointer (&pad->slab, gst_memory_unref);
  }
  gst_clear_buffer (&pad->whole);
  pad->filled = 0;
  pad->ready = FALSE;
}

/* Forgets the stream; caps, segment and recording stay. */
static void
pad_reset (GstEegPackEncPad *pad)
{
  pad_drop_buffer (pad);
  pad_drop_slab (pad);
  pad->have_base = pad->have_next = pad->resumed = FALSE;
  pad->gap_end = pad->position = 0;
  pad->complete = FALSE;
  g_array_set_size (pad->markers, 0);
  g_ptr_array_set_size (pad->records, 0);
}

/* Under the input lock, if others know the pad: moves what the queue holds to
 * `taken`, which is freed without the lock. */
static void
pad_take_queue (GstEegPackEncPad *pad, GQueue *taken)
{
  gpointer item;

  while ((item = g_queue_pop_head (&pad->queue)) != NULL)
    g_queue_push_tail (taken, item);
  pad->queued = 0;
}

static void
free_queue (GQueue *taken)
{
  g_queue_clear_full (taken, (GDestroyNotify) gst_mini_object_unref);
}

static void
gst_eeg_pack_enc_pad_finalize (GObject *object)
{
  GstEegPackEncPad *pad = GST_EEG_PACK_ENC_PAD (object);

  free_queue (&pad->queue);
  pad_drop_buffer (pad);
  pad_drop_slab (pad);
  g_clear_pointer (&pad->recording, gst_structure_free);
  g_array_unref (pad->markers);
  g_ptr_array_unref (pad->records);
  gst_eeg_info_clear (&pad->info);
  G_OBJECT_CLASS (gst_eeg_pack_enc_pad_parent_class)->finalize (object);
}

static void
gst_eeg_pack_enc_pad_class_init (GstEegPackEncPadClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = gst_eeg_pack_enc_pad_finalize;
}

static void
gst_eeg_pack_enc_pad_init (GstEegPackEncPad *pad)
{
  g_queue_init (&pad->queue);
  gst_eeg_info_init (&pad->info);
  gst_segment_init (&pad->segment, GST_FORMAT_UNDEFINED);
  pad->shape.format = EEG_EEGPACK_FORMATS;
  pad->markers = g_array_new (FALSE, FALSE, sizeof (Marker));
  g_array_set_clear_func (pad->markers, clear_marker);
  pad->records = g_ptr_array_new_with_free_func (
      (GDestroyNotify) gst_eeg_edf_record_unref);
}

/* --- encoder ------------------------------------------------------------- */

/*
 * Locking: the pads' streaming threads meet under `lock`, which guards the
 * queues of all pads and what of the element is marked so. One thread at a time
 * feeds: it holds the token `feeding`, not the lock, while it works on what the
 * queues hold and hands blocks to the base class; the others leave their
 * buffers in the queues and go, or wait while these are long. The object lock
 * guards the settings and what estimate() reads, and is held for nothing else.
 * emit() and finish() run in order on the side that pushes; `pushed` is theirs.
 */
struct _GstEegPackEnc
{
  GstEegChunkCodec parent;

  GMutex lock;
  GCond cond;
  GPtrArray *pads;     /* lock; of GstEegPackEncPad, released ones too */
  gboolean feeding;    /* lock */
  guint flushing_pads; /* lock */
  gboolean begun;      /* lock; the header is on its way */
  gboolean ended;      /* lock */
  gboolean refused;    /* lock; an error about caps was posted */
  gint broken;         /* atomic; an error was sent */
  guint pad_number;    /* lock */

  struct settings settings; /* object lock */
  gboolean live;            /* object lock */

  /* of the thread that feeds */
  Layout *layout;
  GstEegAllocator *allocator;
  gint64 last_record;  /* number of the newest EDF record */
  gboolean announced;  /* the stream has started downstream */
  guint64 origin;      /* index at which the file begins, of one pad */
  gboolean resumed;    /* a file that has begun goes on, and nothing came yet */
  GBytes *saved;       /* lock; of a pad that is still to come */
  gboolean is_damaged; /* what was saved is */
  guint8 header_hash[HASH_SIZE];

  struct
  {
    GstBuffer *label; /* goes behind the header */
    guint64 offset;   /* of what is pushed next */
    guint64 index;    /* where the last index begins, or 0 */
    eeg_eegpack_entry *entries;
    guint n_entries;
    guint n_streams;
    guint64 totals[EEG_EEGPACK_MAX_STREAMS];
  } pushed;
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink_%u",
    GST_PAD_SINK, GST_PAD_REQUEST,
    GST_STATIC_CAPS (
        GST_EEG_RAW_CAPS_MAKE (GST_EEG_FORMATS_ALL, "{ counts, voltage }")));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS ("application/x-eegpack"));

G_DEFINE_TYPE_WITH_CODE (GstEegPackEnc, gst_eeg_pack_enc,
    GST_TYPE_EEG_CHUNK_CODEC,
    GST_DEBUG_CATEGORY_INIT (gst_eeg_pack_enc_debug, "eegpackenc", 0,
        "EEGPack encoder"))
GST_ELEMENT_REGISTER_DEFINE (eegpackenc, "eegpackenc", GST_RANK_NONE,
    GST_TYPE_EEG_PACK_ENC)

#define GST_TYPE_EEG_PACK_EFFORT (gst_eeg_pack_effort_get_type ())
static GType
gst_eeg_pack_effort_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { GST_EEG_PACK_EFFORT_FAST, "Short predictors, each channel alone",
        "fast" },
    { GST_EEG_PACK_EFFORT_NORMAL,
        "Longer predictors, and from up to 4 other channels", "normal" },
    { GST_EEG_PACK_EFFORT_BEST,
        "Predictors that adapt too, and from up to 8 other channels", "best" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type)) {
    GType new_type = g_enum_register_static ("GstEegPackEffort", values);

    g_once_init_leave (&type, new_type);
  }
  return type;
}

/* --- how streams are cut ------------------------------------------------- */

/* Frames of the fastest stream in a block, and most frames of all others, which
 * are cut at the same times: so no reader has to wait long for one of them.
 * Returns 0 for rates that cannot be brought together. */
static guint32
cut_streams (Shape *shapes, guint n, GstClockTime duration)
{
  const Shape *fastest = &shapes[0];
  guint64 frames;
  guint i;

  for (i = 1; i < n; i++)
    if ((guint64) shapes[i].rate_num * fastest->rate_den
        > (guint64) fastest->rate_num * shapes[i].rate_den)
      fastest = &shapes[i];
  frames = duration == 0 ? BLOCK_FRAMES
                         : gst_util_uint64_scale_round (duration,
                             fastest->rate_num, fastest->rate_den * GST_SECOND);
  frames = CLAMP (frames, 1, EEG_EEGPACK_MAX_FRAMES);

  for (i = 0; i < n; i++) {
    Shape *s = &shapes[i];
    guint64 num = (guint64) s->rate_num * fastest->rate_den;
    guint64 den = (guint64) s->rate_den * fastest->rate_num;
    guint64 a = num, b = den;

    while (b != 0) {
      guint64 rest = a % b;

      a = b;
      b = rest;
    }
    s->ratio_num = num / a;
    s->ratio_den = den / a;
  }
  for (; frames > 0; frames /= 2) {
    gboolean fits = TRUE;

    for (i = 0; i < n; i++) {
      Shape *s = &shapes[i];

      s->max_frames = (guint32) MAX (1,
          gst_util_uint64_scale_ceil (frames, s->ratio_num, s->ratio_den));
      fits = fits
          && eeg_eegpack_block_fits (s->format, s->channels, s->max_frames);
    }
    if (fits)
      break;
  }
  return (guint32) frames;
}

static gsize
frame_bytes (const Shape *s)
{
  return (gsize) s->channels * eeg_eegpack_sample_size (s->format);
}

static gsize
block_bound (const Shape *s, guint32 frames)
{
  return EEG_EEGPACK_DATA_OVERHEAD
      + eeg_eegpack_bound (s->format, s->channels, frames);
}

static GstClockTime
effective_duration (GstClockTime block_duration, gboolean live)
{
  return block_duration == 0 && live ? LIVE_DURATION : block_duration;
}

static Layout *
layout_ref (Layout *layout)
{
  g_atomic_int_inc (&layout->ref_count);
  return layout;
}

static void
layout_unref (Layout *layout)
{
  if (!g_atomic_int_dec_and_test (&layout->ref_count))
    return;
  g_free (layout->shapes);
  g_free (layout);
}

static void
extra_free (gpointer data)
{
  Extra *extra = data;

  eeg_eegpack_buffer_clear (&extra->before);
  g_free (extra->totals);
  layout_unref (extra->layout);
  g_free (extra);
}

/* --- jobs ---------------------------------------------------------------- */

enum
{
  VALUE_STREAM,
  VALUE_FIRST,
  VALUE_FRAMES,
  VALUE_EFFORT
};

/* A worker's encoders, one for each stream. */
typedef struct
{
  Layout *layout;
  eeg_eegpack_encoder **encoders;
} Worker;

static void
worker_clear (Worker *worker)
{
  guint i;

  if (worker->layout == NULL)
    return;
  for (i = 0; i < worker->layout->n_streams; i++)
    eeg_eegpack_encoder_free (worker->encoders[i]);
  g_clear_pointer (&worker->encoders, g_free);
  g_clear_pointer (&worker->layout, layout_unref);
}

static gpointer
gst_eeg_pack_enc_worker_new (GstEegChunkCodec *codec, GError **error)
{
  return g_new0 (Worker, 1);
}

static void
gst_eeg_pack_enc_worker_free (GstEegChunkCodec *codec, gpointer data)
{
  worker_clear (data);
  g_free (data);
}

static gboolean
gst_eeg_pack_enc_process (GstEegChunkCodec *codec, gpointer data,
    GstEegChunkJob *job, GError **error)
{
  Worker *worker = data;
  const Extra *extra = job->user_data;
  guint stream = (guint) job->values[VALUE_STREAM];
  guint32 frames = (guint32) job->values[VALUE_FRAMES];
  const Shape *shape;
  gsize at, size;

  if (frames == 0)
    return TRUE;
  if (worker->layout != extra->layout) {
    worker_clear (worker);
    worker->layout = layout_ref (extra->layout);
    worker->encoders =
        g_new0 (eeg_eegpack_encoder *, worker->layout->n_streams);
  }
  shape = &worker->layout->shapes[stream];
  if (worker->encoders[stream] == NULL)
    worker->encoders[stream] = eeg_eegpack_encoder_new (shape->format,
        shape->channels, shape->max_frames, eeg_cpu_choose ());
  if (worker->encoders[stream] == NULL) {
    g_set_error_literal (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED,
        "Could not allocate an encoder.");
    return FALSE;
  }
  at = eeg_eegpack_open_data (job->out, stream, job->values[VALUE_FIRST],
      frames);
  size = eeg_eegpack_encode (worker->encoders[stream],
      (eeg_eegpack_effort) job->values[VALUE_EFFORT], job->data, frames,
      job->out + at);
  job->out_size = eeg_eegpack_close_data (job->out, at, size);
  return TRUE;
}

static GstMemory *
wrap_chunks (eeg_eegpack_buffer *chunks)
{
  GstMemory *memory = gst_memory_new_wrapped (0, chunks->data, chunks->size, 0,
      chunks->size, chunks->data, free);

  memset (chunks, 0, sizeof *chunks);
  return memory;
}

static void
set_write_error (GError **error)
{
  g_set_error_literal (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED,
      "Could not allocate a chunk of the file.");
}

/* Appends an index of the blocks since the last one to a buffer. */
static gboolean
write_index (GstEegPackEnc *self, GstBuffer *buffer, gboolean is_last,
    GError **error)
{
  eeg_eegpack_buffer out = { 0 };
  guint64 at = self->pushed.offset;

  if (!eeg_eegpack_write_index (&out, self->pushed.index, self->pushed.totals,
          self->pushed.n_streams, self->pushed.entries, self->pushed.n_entries)
      || (is_last && !eeg_eegpack_write_end (&out, at, at + out.size))) {
    eeg_eegpack_buffer_clear (&out);
    set_write_error (error);
    return FALSE;
  }
  self->pushed.index = at;
  self->pushed.n_entries = 0;
  self->pushed.offset += out.size;
  gst_buffer_append_memory (buffer, wrap_chunks (&out));
  return TRUE;
}

/* What a file has told of itself is forgotten. */
static void
reset_pushed (GstEegPackEnc *self)
{
  eeg_eegpack_entry *entries = self->pushed.entries;

  gst_clear_buffer (&self->pushed.label);
  memset (&self->pushed, 0, sizeof self->pushed);
  self->pushed.entries = entries;
}

/* In order: what stands around the block, and where it stands. */
static gboolean
gst_eeg_pack_enc_emit (GstEegChunkCodec *codec, GstEegChunkJob *job,
    GstBuffer **buffer, GError **error)
{
  GstEegPackEnc *self = GST_EEG_PACK_ENC (codec);
  Extra *extra = job->user_data;
  guint stream = (guint) job->values[VALUE_STREAM], i;
  guint32 frames = (guint32) job->values[VALUE_FRAMES];
  guint most = extra->kind == KIND_BARRIER ? BARRIER_ENTRIES : INDEX_ENTRIES;

  if (extra->before.size > 0) {
    if (*buffer == NULL)
      *buffer = gst_buffer_new ();
    self->pushed.offset += extra->before.size;
    gst_buffer_prepend_memory (*buffer, wrap_chunks (&extra->before));
  }
  if (extra->kind == KIND_HEADER) {
    self->pushed.n_streams = extra->layout->n_streams;
    GST_BUFFER_FLAG_SET (*buffer, GST_BUFFER_FLAG_HEADER);
    if (self->pushed.label != NULL) {
      self->pushed.offset += gst_buffer_get_size (self->pushed.label);
      *buffer =
          gst_buffer_append (*buffer, g_steal_pointer (&self->pushed.label));
    }
  }
  for (i = 0; extra->totals != NULL && i < self->pushed.n_streams; i++)
    self->pushed.totals[i] = MAX (self->pushed.totals[i], extra->totals[i]);
  if (frames > 0) {
    self->pushed.entries[self->pushed.n_entries++] =
        (eeg_eegpack_entry){ stream, self->pushed.offset,
          job->values[VALUE_FIRST], frames };
    self->pushed.totals[stream] = job->values[VALUE_FIRST] + frames;
    self->pushed.offset += job->out_size;
    gst_eeg_stage_count (&gst_eeg_chunk_codec_get_counters (codec)->samples_out,
        frames);
  }
  if (self->pushed.n_entries < most)
    return TRUE;
  if (*buffer == NULL)
    *buffer = gst_buffer_new ();
  return write_index (self, *buffer, FALSE, error);
}

static gboolean
gst_eeg_pack_enc_finish (GstEegChunkCodec *codec, GstBuffer **trailer,
    GError **error)
{
  GstEegPackEnc *self = GST_EEG_PACK_ENC (codec);
  gboolean ok;

  if (self->pushed.n_streams == 0)
    return TRUE;
  *trailer = gst_buffer_new ();
  ok = write_index (self, *trailer, TRUE, error);
  if (!ok)
    gst_clear_buffer (trailer);
  /* another part of the recording begins anew */
  reset_pushed (self);
  return ok;
}

/* The label of a part is a marker at its beginning, and comes behind the
 * header, which is on its way. */
static GstBuffer *
gst_eeg_pack_enc_label (GstEegChunkCodec *codec, const gchar *text)
{
  GstEegPackEnc *self = GST_EEG_PACK_ENC (codec);
  eeg_eegpack_marker marker = { EEG_EEGPACK_NO_STREAM, 0, -1, text,
    strlen (text) };
  eeg_eegpack_buffer out = { 0 };

  if (!eeg_eegpack_write_markers (&out, &marker, 1))
    g_error ("no memory for a label");
  self->pushed.label = gst_buffer_new ();
  gst_buffer_append_memory (self->pushed.label, wrap_chunks (&out));
  return NULL;
}

/* --- feeding: input ------------------------------------------------------ */

/* Nothing is taken any more; the error is posted behind what was sent. */
static gboolean
fail (GstEegPackEnc *self, GError *error)
{
  g_atomic_int_set (&self->broken, TRUE);
  return gst_eeg_chunk_codec_fail (GST_EEG_CHUNK_CODEC (self), error);
}

#define FAIL(self, domain, code, ...)                                          \
  fail (self,                                                                  \
      g_error_new (GST_##domain##_ERROR, GST_##domain##_ERROR_##code,          \
          __VA_ARGS__))

static GstClockTime
pad_time (const GstEegPackEncPad *pad, guint64 samples)
{
  return gst_eeg_info_samples_to_time (&pad->info, samples);
}

static void
add_marker (GstEegPackEncPad *pad, GstClockTime time, GstClockTime duration,
    const gchar *text)
{
  Marker marker = { (gint64) MIN (time, G_MAXINT64),
    GST_CLOCK_TIME_IS_VALID (duration) ? (gint64) MIN (duration, G_MAXINT64 - 1)
                                       : -1,
    g_strdup (text), time };

  g_array_append_val (pad->markers, marker);
}

/* A marker from an EDF record stays with that record, wherever its time lies:
 * so the record can be written again. */
static void
bind_markers (GstEegPackEncPad *pad, guint from, const GstEegEdfRecord *record)
{
  guint i, k;

  for (i = 0; i < record->markers->len; i++) {
    const GstEegEdfMarker *r =
        &g_array_index (record->markers, GstEegEdfMarker, i);

    for (k = from; k < pad->markers->len; k++) {
      Marker *m = &g_array_index (pad->markers, Marker, k);

      if (m->time == (gint64) r->time && strcmp (m->text, r->text) == 0)
        m->when = record->start;
    }
  }
}

/* Numbers the buffer's first sample. FALSE: it lies before what was taken. */
static gboolean
place_buffer (GstEegPackEncPad *pad, GstBuffer *buffer, gboolean *outside)
{
  GstClockTime pts = GST_BUFFER_PTS (buffer), time = GST_CLOCK_TIME_NONE;
  gboolean discont = GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  gint64 jitter =
      (gint64) gst_eeg_info_time_to_samples (&pad->info, JITTER) + 1;
  guint64 index, offset = GST_BUFFER_OFFSET (buffer);

  *outside = FALSE;
  /* where it goes on, a source says again how it began */
  if (pad->resumed)
    discont = FALSE;
  else if (pad->new_segment)
    pad->have_base = FALSE;
  pad->new_segment = pad->resumed = FALSE;
  if (GST_CLOCK_TIME_IS_VALID (pts)) {
    time = gst_segment_to_stream_time (&pad->segment, GST_FORMAT_TIME, pts);
    *outside = !GST_CLOCK_TIME_IS_VALID (time);
  }
  if (*outside)
    return TRUE;

  if (!GST_CLOCK_TIME_IS_VALID (time)) {
    index = pad->have_next ? pad->next_index : 0;
  } else {
    index = gst_eeg_info_time_to_samples (&pad->info, time);
    if (offset != GST_BUFFER_OFFSET_NONE && offset <= G_MAXINT64) {
      /* the counter is exact, the time stamp says where it begins */
      if (!pad->have_base
          || ABS ((gint64) offset + pad->base - (gint64) index) > jitter) {
        pad->base = (gint64) index - (gint64) offset;
        pad->have_base = TRUE;
      }
      index = (guint64) ((gint64) offset + pad->base);
    } else if (pad->have_next && !discont
        && ABS ((gint64) index - (gint64) pad->next_index) <= jitter) {
      index = pad->next_index;
    }
  }
  if (pad->have_next && index < pad->next_index) {
    if (pad->next_index - index > (guint64) jitter)
      return FALSE;
    index = pad->next_index;
    pad->have_base = FALSE;
  }
  pad->index = index;
  return TRUE;
}

/* transfer full; FALSE after an error */
static gboolean
take_buffer (GstEegPackEnc *self, GstEegPackEncPad *pad, GstBuffer *buffer)
{
  GstEegStageCounters *counters =
      gst_eeg_chunk_codec_get_counters (GST_EEG_CHUNK_CODEC (self));
  gsize size = gst_buffer_get_size (buffer);
  GstEegMarkerMeta *meta;
  GstEegEdfRecord *record;
  gpointer iter = NULL;
  gboolean outside;
  guint before = pad->markers->len;

  while ((meta = gst_buffer_iterate_eeg_marker_meta (buffer, &iter)) != NULL)
    add_marker (pad, meta->time, meta->duration, meta->text);
  iter = NULL;
  while ((record = gst_buffer_iterate_eeg_edf_record (buffer, &iter)) != NULL) {
    bind_markers (pad, before, record);
    /* they come on every pad, and on each part of a buffer */
    if (pad->number == 0 && record->number <= G_MAXINT64
        && (gint64) record->number > self->last_record) {
      self->last_record = (gint64) record->number;
      g_ptr_array_add (pad->records, gst_eeg_edf_record_ref (record));
    }
  }
  if (size % pad->info.bytes_per_frame != 0) {
    gst_buffer_unref (buffer);
    return FAIL (self, STREAM, ENCODE, "A buffer ends inside a sample.");
  }
  pad->buffer = buffer;
  if (size > 0 && !place_buffer (pad, buffer, &outside)) {
    gst_clear_buffer (&pad->buffer);
    return FAIL (self, STREAM, ENCODE,
        "Time runs backwards on %s: one recording cannot hold that.",
        GST_OBJECT_NAME (pad));
  }
  if (size == 0 || outside) {
    gst_clear_buffer (&pad->buffer);
    return TRUE;
  }
  if (pad->index > MAX_INDEX
      || gst_util_uint64_scale (pad->index,
             self->layout->shapes[pad->number].ratio_den,
             self->layout->shapes[pad->number].ratio_num)
          > MAX_INDEX) {
    gst_clear_buffer (&pad->buffer);
    return FAIL (self, STREAM, ENCODE, "A sample has a number beyond all.");
  }
  if (!gst_buffer_map (buffer, &pad->map, GST_MAP_READ)) {
    gst_clear_buffer (&pad->buffer);
    return FAIL (self, RESOURCE, FAILED, "Could not read a buffer.");
  }
  pad->frame = 0;
  pad->frames = size / pad->info.bytes_per_frame;
  if (pad->have_next)
    gst_eeg_stage_count (&counters->lost, pad->index - pad->next_index);
  pad->next_index = pad->index + pad->frames;
  pad->have_next = TRUE;
  gst_eeg_stage_count_in (counters, size, pad->frames);
  return TRUE;
}

static void
take_gap (GstEegPackEncPad *pad, GstEvent *event)
{
  GstClockTime start, duration, time;

  gst_event_parse_gap (event, &start, &duration);
  if (pad->segment.format != GST_FORMAT_TIME
      || !GST_CLOCK_TIME_IS_VALID (duration))
    return;
  time = gst_segment_to_stream_time (&pad->segment, GST_FORMAT_TIME,
      start + duration);
  if (!GST_CLOCK_TIME_IS_VALID (time)
      || pad->info.format == GST_EEG_FORMAT_UNKNOWN)
    return;
  pad->gap_end =
      MAX (pad->gap_end, gst_eeg_info_time_to_samples (&pad->info, time));
  if (pad->gap_end > pad->position) {
    /* nothing more of it will come before that */
    pad->ready = pad->filled > 0;
    pad->position = pad->gap_end;
  }
}

/* A filter changed while the file is being written: the header cannot say so
 * any more. */
static void
announce_prefilter (GstEegPackEncPad *pad, const GstStructure *recording)
{
  const GValue *array =
      gst_structure_get_value (recording, GST_EEG_RECORDING_PREFILTER);
  const GValue *old = pad->recording != NULL
      ? gst_structure_get_value (pad->recording, GST_EEG_RECORDING_PREFILTER)
      : NULL;
  GPtrArray *said;
  guint i;

  if (array == NULL || !GST_VALUE_HOLDS_ARRAY (array)
      || (old != NULL && gst_value_compare (array, old) == GST_VALUE_EQUAL))
    return;
  said = g_ptr_array_new ();
  for (i = 0; i < gst_value_array_get_size (array); i++) {
    const GValue *v = gst_value_array_get_value (array, i);
    const gchar *text = G_VALUE_HOLDS_STRING (v) ? g_value_get_string (v) : "";

    if (text != NULL && *text != '\0'
        && !g_ptr_array_find_with_equal_func (said, text, g_str_equal, NULL)) {
      gchar *marker = g_strdup_printf ("Prefilter: %s", text);

      add_marker (pad, pad_time (pad, pad->position), GST_CLOCK_TIME_NONE,
          marker);
      g_free (marker);
      g_ptr_array_add (said, (gpointer) text);
    }
  }
  g_ptr_array_unref (said);
}

/* What an event says about the stream, without what depends on its place */
static gboolean
take_sticky (GstEegPackEnc *self, GstEegPackEncPad *pad, GstEvent *event)
{
  const GstSegment *segment;
  GstEegInfo info;
  GstCaps *caps;
  gboolean same;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS:
      gst_event_parse_caps (event, &caps);
      gst_eeg_info_init (&info);
      if (!gst_eeg_info_from_caps (&info, caps)) {
        gst_eeg_info_clear (&info);
        return FAIL (self, CORE, NEGOTIATION, "%s cannot take these samples.",
            GST_OBJECT_NAME (pad));
      }
      same = gst_eeg_info_is_equal (&info, &pad->info);
      if (!same && !self->begun)
        gst_eeg_info_copy_into (&info, &pad->info);
      gst_eeg_info_clear (&info);
      if (!same && self->begun)
        return FAIL (self, CORE, NEGOTIATION,
            "The samples on %s changed their form after the header was "
            "written.",
            GST_OBJECT_NAME (pad));
      break;
    case GST_EVENT_SEGMENT:
      gst_event_parse_segment (event, &segment);
      if (segment->format != GST_FORMAT_TIME)
        return FAIL (self, STREAM, FORMAT, "%s needs a segment in TIME.",
            GST_OBJECT_NAME (pad));
      gst_segment_copy_into (segment, &pad->segment);
      pad->new_segment = TRUE;
      break;
    default:
      if (!gst_eeg_event_is_recording (event))
        break;
      if (self->begun)
        announce_prefilter (pad, gst_event_get_structure (event));
      g_clear_pointer (&pad->recording, gst_structure_free);
      pad->recording = gst_structure_copy (gst_event_get_structure (event));
      break;
  }
  return TRUE;
}

static gboolean take_barrier (GstEegPackEnc *self, GstEegPackEncPad *pad,
    GstEvent *event);

/* transfer full */
static gboolean
take_event (GstEegPackEnc *self, GstEegPackEncPad *pad, GstEvent *event)
{
  gboolean ok = TRUE;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_GAP:
      take_gap (pad, event);
      break;
    case GST_EVENT_EOS:
      pad->eos = TRUE;
      pad->ready = pad->filled > 0;
      break;
    case GST_EVENT_CUSTOM_DOWNSTREAM:
      if (gst_eeg_event_parse_complete (event, NULL)) {
        pad->complete = TRUE;
        break;
      }
      if (gst_eeg_event_parse_barrier (event, NULL))
        return take_barrier (self, pad, event);
      return gst_eeg_chunk_codec_take_event (GST_EEG_CHUNK_CODEC (self), event);
    default:
      ok = take_sticky (self, pad, event);
      break;
  }
  gst_event_unref (event);
  return ok;
}

/* --- feeding: blocks ----------------------------------------------------- */

/* Frames of this stream before window k of the fastest one */
static guint64
window_start (const GstEegPackEnc *self, const Shape *s, guint64 k)
{
  return gst_util_uint64_scale_ceil (k, s->ratio_num, s->ratio_den);
}

/* Where the block that begins with a frame must end */
static guint64
find_window_end (GstEegPackEnc *self, GstEegPackEncPad *pad)
{
  guint64 index = pad->index - self->origin;
  const Shape *s = &self->layout->shapes[pad->number];
  const Shape *fastest = s;
  guint64 frames, k;
  guint i;

  for (i = 0; i < self->layout->n_streams; i++)
    if (self->layout->shapes[i].ratio_num == self->layout->shapes[i].ratio_den)
      fastest = &self->layout->shapes[i];
  frames = fastest->max_frames;
  k = gst_util_uint64_scale (index, s->ratio_den, s->ratio_num) / frames;
  while (k > 0 && window_start (self, s, k * frames) > index)
    k--;
  while (window_start (self, s, (k + 1) * frames) <= index)
    k++;
  return self->origin + window_start (self, s, (k + 1) * frames);
}

static gboolean
open_block (GstEegPackEnc *self, GstEegPackEncPad *pad)
{
  pad->first = pad->index;
  pad->window_end = find_window_end (self, pad);
  if (pad->frame == 0 && pad->frames == pad->window_end - pad->index
      && gst_buffer_n_memory (pad->buffer) == 1) {
    /* nothing of it would be left: no need to copy it */
    pad->whole =
        gst_buffer_copy_region (pad->buffer, GST_BUFFER_COPY_MEMORY, 0, -1);
    return TRUE;
  }
  if (pad->slab == NULL) {
    if (gst_eeg_allocator_acquire (self->allocator,
            gst_eeg_allocator_get_slab_size (self->allocator), FALSE,
            &pad->slab)
        != GST_FLOW_OK)
      pad->slab = NULL;
    if (pad->slab != NULL
        && !gst_memory_map (pad->slab, &pad->slab_map, GST_MAP_WRITE))
      g_clear_pointer (&pad->slab, gst_memory_unref);
    if (pad->slab == NULL)
      return FAIL (self, RESOURCE, FAILED, "Could not allocate a block.");
  }
  return TRUE;
}

/* Moves samples from the buffer into blocks, until one of both ends. */
static gboolean
fill_block (GstEegPackEnc *self, GstEegPackEncPad *pad)
{
  gsize size = pad->info.bytes_per_frame, n;

  if (pad->filled > 0 && pad->index != pad->first + pad->filled) {
    pad->ready = TRUE;
    return TRUE;
  }
  if (pad->filled == 0 && !open_block (self, pad))
    return FALSE;
  n = (gsize) MIN (pad->frames, pad->window_end - pad->index);
  if (pad->whole == NULL)
    memcpy (pad->slab_map.data + pad->filled * size,
        pad->map.data + pad->frame * size, n * size);
  pad->filled += (guint32) n;
  pad->frame += n;
  pad->frames -= n;
  pad->index += n;
  pad->position = MAX (pad->position, pad->index);
  pad->ready = pad->index == pad->window_end;
  if (pad->frames == 0)
    pad_drop_buffer (pad);
  return TRUE;
}

/* The records that begin before a time; the rest waits. What comes later in a
 * recording in parts is in no file that an EDF file could be made of again. */
static gboolean
write_records (GstEegPackEnc *self, GstEegPackEncPad *pad, GstClockTime end,
    eeg_eegpack_buffer *out)
{
  eeg_eegpack_record *records = g_new0 (eeg_eegpack_record, pad->records->len);
  eeg_eegpack_buffer *markers = g_new0 (eeg_eegpack_buffer, pad->records->len);
  gboolean ok = TRUE;
  guint n, i, k;

  for (n = 0; n < pad->records->len; n++) {
    const GstEegEdfRecord *r = g_ptr_array_index (pad->records, n);

    if (r->start >= end || self->origin > 0)
      break;
    for (k = 0; k < r->markers->len; k++) {
      const GstEegEdfMarker *m =
          &g_array_index (r->markers, GstEegEdfMarker, k);
      eeg_eegpack_marker marker = { m->derived ? 0 : EEG_EEGPACK_NO_STREAM,
        (gint64) m->time,
        GST_CLOCK_TIME_IS_VALID (m->duration) ? (gint64) m->duration : -1,
        m->text, strlen (m->text) };

      ok = ok && eeg_eegpack_put_marker (&markers[n], &marker);
    }
    records[n].number = r->number;
    records[n].time = (gint64) r->start;
    records[n].annotations_size = r->size;
    if (!gst_eeg_pack_is_only_time (r->annotations, r->size, &records[n].onset))
      records[n].annotations = r->annotations;
    records[n].markers = markers[n].data;
    records[n].markers_size = markers[n].size;
  }
  ok = ok && eeg_eegpack_write_records (out, records, n);
  for (i = 0; i < n; i++)
    eeg_eegpack_buffer_clear (&markers[i]);
  g_free (markers);
  g_free (records);
  if (self->origin > 0)
    n = pad->records->len;
  if (n > 0)
    g_ptr_array_remove_range (pad->records, 0, n);
  return ok;
}

/* The markers of a time; what comes later waits, so that the place of a marker
 * does not depend on how samples came in buffers. */
static gboolean
write_markers (GstEegPackEnc *self, GstEegPackEncPad *pad, GstClockTime end,
    eeg_eegpack_buffer *out)
{
  eeg_eegpack_marker *markers = g_new (eeg_eegpack_marker, pad->markers->len);
  gint64 origin = (gint64) pad_time (pad, self->origin);
  guint n = 0, i, kept = 0;
  gboolean ok;

  for (i = 0; i < pad->markers->len; i++) {
    const Marker *m = &g_array_index (pad->markers, Marker, i);

    if (m->when < end)
      markers[n++] = (eeg_eegpack_marker){ self->layout->n_streams == 1
            ? EEG_EEGPACK_NO_STREAM
            : pad->number,
        m->time - origin, m->duration, m->text, strlen (m->text) };
  }
  ok = eeg_eegpack_write_markers (out, markers, n);
  for (i = 0; i < pad->markers->len; i++) {
    Marker *m = &g_array_index (pad->markers, Marker, i);

    if (m->when < end)
      g_clear_pointer (&m->text, g_free);
    else
      g_array_index (pad->markers, Marker, kept++) = *m;
  }
  for (i = kept; i < pad->markers->len; i++)
    g_array_index (pad->markers, Marker, i).text = NULL;
  g_array_set_size (pad->markers, kept);
  g_free (markers);
  return ok;
}

/* Sends a job without a block; `totals` are taken. */
static GstFlowReturn
send_mark (GstEegPackEnc *self, JobKind kind, eeg_eegpack_buffer *before,
    guint64 *totals)
{
  GstEegChunkJob job = { 0 };
  Extra *extra = g_new0 (Extra, 1);

  extra->kind = kind;
  extra->layout = layout_ref (self->layout);
  if (before != NULL)
    extra->before = *before;
  extra->totals = totals;
  job.user_data = extra;
  job.user_free = extra_free;
  job.pts = job.duration = GST_CLOCK_TIME_NONE;
  return gst_eeg_chunk_codec_take_job (GST_EEG_CHUNK_CODEC (self), &job, NULL);
}

/* Sends the pad's block, or only its markers if there is none. */
static GstFlowReturn
send_block (GstEegPackEnc *self, GstEegPackEncPad *pad)
{
  const Shape *shape = &self->layout->shapes[pad->number];
  GstClockTime end = pad->filled > 0 ? pad_time (pad, pad->first + pad->filled)
                                     : GST_CLOCK_TIME_NONE;
  GstEegChunkJob job = { 0 };
  Extra *extra = g_new0 (Extra, 1);
  GstBuffer *input = NULL;

  extra->layout = layout_ref (self->layout);
  if (!write_records (self, pad, end, &extra->before)
      || !write_markers (self, pad, end, &extra->before)) {
    extra_free (extra);
    pad_drop_slab (pad);
    FAIL (self, RESOURCE, FAILED, "Could not allocate a chunk of the file.");
    return GST_FLOW_ERROR;
  }
  job.user_data = extra;
  job.user_free = extra_free;
  job.pts = job.duration = GST_CLOCK_TIME_NONE;
  job.values[VALUE_STREAM] = pad->number;
  if (pad->filled > 0) {
    GST_OBJECT_LOCK (self);
    job.values[VALUE_EFFORT] = self->settings.effort;
    GST_OBJECT_UNLOCK (self);
    job.values[VALUE_FIRST] = pad->first - self->origin;
    job.values[VALUE_FRAMES] = pad->filled;
    job.pts = pad_time (pad, pad->first);
    job.duration = end - job.pts;
    job.out_capacity = block_bound (shape, pad->filled);
    input = g_steal_pointer (&pad->whole);
    if (input == NULL) {
      input = gst_buffer_new ();
      gst_memory_unmap (pad->slab, &pad->slab_map);
      gst_memory_resize (pad->slab, 0, pad->filled * pad->info.bytes_per_frame);
      gst_buffer_append_memory (input, g_steal_pointer (&pad->slab));
    }
    pad->filled = 0;
  }
  pad->ready = FALSE;
  return gst_eeg_chunk_codec_take_job (GST_EEG_CHUNK_CODEC (self), &job, input);
}

/* --- feeding: the file --------------------------------------------------- */

static gboolean
is_live (GstEegPackEnc *self)
{
  gboolean live = FALSE;
  guint i;

  for (i = 0; i < self->pads->len && !live; i++) {
    GstEegPackEncPad *pad = g_ptr_array_index (self->pads, i);
    GstQuery *query = gst_query_new_latency ();

    if (pad->number < self->layout->n_streams
        && gst_pad_peer_query (GST_PAD (pad), query))
      gst_query_parse_latency (query, &live, NULL, NULL);
    gst_query_unref (query);
  }
  return live;
}

/* What is said of the recording in this file. transfer full */
static GstStructure *
make_recording (GstEegPackEnc *self, const GstEegPackEncPad *pad)
{
  GstStructure *recording;
  gint64 start;

  if (pad->recording == NULL)
    return NULL;
  recording = gst_structure_copy (pad->recording);
  if (self->origin == 0)
    return recording;
  if (gst_structure_get_int64 (recording, GST_EEG_RECORDING_START_TIME, &start))
    gst_structure_set (recording, GST_EEG_RECORDING_START_TIME, G_TYPE_INT64,
        start + (gint64) pad_time (pad, self->origin), NULL);
  /* a header that says when another file began */
  gst_structure_remove_field (recording, GST_EEG_EDF_RECORDING_HEADER);
  return recording;
}

static gboolean
write_header (GstEegPackEnc *self, eeg_eegpack_buffer *out)
{
  eeg_eegpack_header *header = calloc (1, sizeof *header);
  Layout *layout = self->layout;
  gsize size = HASH_SIZE;
  GChecksum *checksum;
  gboolean ok = FALSE;
  guint i, n = 0;

  if (header != NULL)
    header->streams = calloc (layout->n_streams, sizeof *header->streams);
  if (header != NULL && header->streams != NULL) {
    header->n_streams = layout->n_streams;
    for (i = 0; i < self->pads->len; i++) {
      GstEegPackEncPad *pad = g_ptr_array_index (self->pads, i);

      if (pad->number < layout->n_streams) {
        GstStructure *recording = make_recording (self, pad);

        gst_eeg_pack_describe (header, n, &pad->info, recording,
            layout->shapes[n].max_frames);
        g_clear_pointer (&recording, gst_structure_free);
        n++;
      }
    }
    ok = eeg_eegpack_write_header (out, header);
  }
  eeg_eegpack_header_free (header);
  if (!ok) {
    eeg_eegpack_buffer_clear (out);
    return FAIL (self, STREAM, ENCODE,
        "The channel tables are too large for a header.");
  }
  checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_checksum_update (checksum, out->data, (gssize) out->size);
  g_checksum_get_digest (checksum, self->header_hash, &size);
  g_checksum_free (checksum);
  return TRUE;
}

static void
start_stream (GstEegPackEnc *self)
{
  GstEegChunkCodec *codec = GST_EEG_CHUNK_CODEC (self);
  GstEegPackEncPad *first = g_ptr_array_index (self->pads, 0);
  gchar *upstream = gst_pad_get_stream_id (GST_PAD (first));
  gchar *id =
      g_strdup_printf ("%s/eegpack", upstream != NULL ? upstream : "none");
  GstEvent *event = gst_event_new_stream_start (id), *sticky;
  GstSegment segment;
  guint group_id;

  self->announced = TRUE;
  sticky =
      gst_pad_get_sticky_event (GST_PAD (first), GST_EVENT_STREAM_START, 0);
  if (sticky != NULL && gst_event_parse_group_id (sticky, &group_id))
    gst_event_set_group_id (event, group_id);
  g_clear_pointer (&sticky, gst_event_unref);
  g_free (id);
  g_free (upstream);
  gst_eeg_chunk_codec_take_event (codec, event);
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_eeg_chunk_codec_take_event (codec, gst_event_new_segment (&segment));
}

static GstFlowReturn get_flow (GstEegPackEnc *self);

/* Every pad has samples, or ended: the header says all that is known. */
static gboolean
begin (GstEegPackEnc *self)
{
  guint8 saved_hash[HASH_SIZE];
  eeg_eegpack_buffer header = { 0 };
  GstClockTime duration;
  Layout *layout;
  gsize most = 1;
  gboolean live, resumed = self->resumed;
  guint i, n = 0;

  g_clear_pointer (&self->layout, layout_unref);
  memcpy (saved_hash, self->header_hash, HASH_SIZE);
  self->layout = layout = g_new0 (Layout, 1);
  layout->ref_count = 1;
  layout->shapes = g_new0 (Shape, self->pads->len);
  for (i = 0; i < self->pads->len; i++) {
    GstEegPackEncPad *pad = g_ptr_array_index (self->pads, i);

    pad->number = G_MAXUINT;
    /* one that ended without ever having caps leaves nothing */
    if (pad->info.format == GST_EEG_FORMAT_UNKNOWN) {
      if (!pad->eos)
        return FAIL (self, CORE, NEGOTIATION,
            "Samples came before their caps.");
      continue;
    }
    layout->shapes[n] = (Shape){ gst_eeg_pack_format (pad->info.format),
      (guint32) pad->info.channels, (guint32) pad->info.rate_n,
      (guint32) pad->info.rate_d, 0, 1, 1 };
    pad->number = n++;
  }
  layout->n_streams = n;
  if (n > EEG_EEGPACK_MAX_STREAMS)
    return FAIL (self, STREAM, ENCODE, "A file holds at most %d streams.",
        EEG_EEGPACK_MAX_STREAMS);
  if (n > 0) {
    live = is_live (self);
    GST_OBJECT_LOCK (self);
    self->live = live;
    duration = effective_duration (self->settings.block_duration, live);
    GST_OBJECT_UNLOCK (self);
    if (cut_streams (layout->shapes, n, duration) == 0)
      return FAIL (self, STREAM, ENCODE,
          "A block cannot hold one sample of all channels.");
    for (i = 0; i < n; i++)
      most = MAX (most,
          frame_bytes (&layout->shapes[i]) * layout->shapes[i].max_frames);
    g_clear_object (&self->allocator);
    self->allocator = gst_eeg_allocator_new (most, 0);
    if (!write_header (self, &header))
      return FALSE;
  }
  self->resumed = FALSE;
  if (self->is_damaged) {
    eeg_eegpack_buffer_clear (&header);
    return FAIL (self, RESOURCE, SETTINGS,
        "What was saved is no state of this version for %s.",
        GST_OBJECT_NAME (self));
  }
  if (resumed
      && (n == 0 || memcmp (saved_hash, self->header_hash, HASH_SIZE) != 0)) {
    eeg_eegpack_buffer_clear (&header);
    return FAIL (self, RESOURCE, SETTINGS,
        "The header of the file would be another one than at the checkpoint.");
  }
  if (!self->announced)
    start_stream (self);
  if (gst_eeg_chunk_codec_begin (GST_EEG_CHUNK_CODEC (self)) != GST_FLOW_OK
      || resumed || n == 0) {
    eeg_eegpack_buffer_clear (&header);
    return get_flow (self) == GST_FLOW_OK;
  }
  /* before the first block is full: a recorder that dies leaves a file */
  return send_mark (self, KIND_HEADER, &header, NULL) == GST_FLOW_OK;
}

/* Behind the last sample of the pad: what was lost after it belongs to the next
 * part. */
static guint64
get_part_end (const GstEegPackEnc *self, const GstEegPackEncPad *pad)
{
  return pad->have_next ? MAX (pad->next_index, self->origin) : self->origin;
}

/* What the index says of the length of all streams; transfer full */
static guint64 *
make_totals (GstEegPackEnc *self, gboolean is_part)
{
  guint64 *totals = g_new0 (guint64, MAX (self->layout->n_streams, 1));
  guint i;

  for (i = 0; i < self->pads->len; i++) {
    const GstEegPackEncPad *pad = g_ptr_array_index (self->pads, i);

    if (pad->number < self->layout->n_streams)
      totals[pad->number] = (is_part ? get_part_end (self, pad)
                                     : MAX (pad->position, self->origin))
          - self->origin;
  }
  return totals;
}

/* All have ended, and all blocks are sent; no file has begun where the end
 * comes right behind that of the last part. */
static void
finish (GstEegPackEnc *self)
{
  GstEegChunkCodec *codec = GST_EEG_CHUNK_CODEC (self);
  gboolean complete = TRUE, any = FALSE;
  guint64 samples = 0;
  guint i;

  for (i = 0; i < self->pads->len; i++) {
    GstEegPackEncPad *pad = g_ptr_array_index (self->pads, i);

    if (self->begun && pad->number >= self->layout->n_streams)
      continue;
    if (self->begun && (pad->markers->len > 0 || pad->records->len > 0))
      send_block (self, pad);
    if (pad->have_next && pad->position > pad->next_index)
      gst_eeg_stage_count (&gst_eeg_chunk_codec_get_counters (codec)->lost,
          pad->position - pad->next_index);
    samples = MAX (samples, pad->position);
    any = any || pad->complete;
    complete = complete
        && (pad->complete || !gst_eeg_stage_source_completes (GST_PAD (pad)));
  }
  if (!self->announced)
    start_stream (self);
  if (self->begun && self->layout->n_streams > 0)
    send_mark (self, KIND_END, NULL, make_totals (self, FALSE));
  if (any && complete)
    gst_eeg_chunk_codec_take_event (codec,
        gst_eeg_event_new_complete (samples));
  gst_eeg_chunk_codec_take_event (codec, gst_event_new_eos ());
}

/* --- feeding: barriers --------------------------------------------------- */

/* NULL: there is not exactly one */
static GstEegPackEncPad *
get_only_pad (GstEegPackEnc *self)
{
  GstEegPackEncPad *pad = NULL;

  g_mutex_lock (&self->lock);
  if (self->pads->len == 1)
    pad = g_ptr_array_index (self->pads, 0);
  g_mutex_unlock (&self->lock);
  return pad;
}

static gboolean
can_resume (GstEegPackEnc *self, GError **error)
{
  guint n;

  GST_OBJECT_LOCK (self);
  n = GST_ELEMENT_CAST (self)->numsinkpads;
  GST_OBJECT_UNLOCK (self);
  if (n <= 1)
    return TRUE;
  g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_NOT_IMPLEMENTED,
      "%s has %u pads, and can only go on with one", GST_OBJECT_NAME (self), n);
  return FALSE;
}

/* transfer full; all samples before it are in blocks, if there is only one
 * pad. */
static gboolean
take_barrier (GstEegPackEnc *self, GstEegPackEncPad *pad, GstEvent *event)
{
  GstEegChunkCodec *codec = GST_EEG_CHUNK_CODEC (self);
  gboolean begun = self->begun, ends_part;

  if (get_only_pad (self) != pad)
    return gst_eeg_chunk_codec_take_event (codec, event);
  /* a file that goes on has its header */
  if (!begun && self->resumed) {
    begun = begin (self);
    if (!begun) {
      gst_event_unref (event);
      return FALSE;
    }
  }
  ends_part = gst_eeg_chunk_codec_ends_part (codec, event);
  if (begun)
    send_mark (self, ends_part ? KIND_END : KIND_BARRIER, NULL,
        ends_part ? make_totals (self, TRUE) : NULL);
  if (begun && ends_part) {
    self->origin = get_part_end (self, pad);
    begun = FALSE;
  }
  g_mutex_lock (&self->lock);
  self->begun = begun;
  g_mutex_unlock (&self->lock);
  return gst_eeg_chunk_codec_take_event (codec, event);
}

static void
put_text (GstByteWriter *to, const gchar *text)
{
  gsize size = strlen (text);

  gst_byte_writer_put_uint32_le (to, (guint32) size);
  gst_byte_writer_put_data (to, (const guint8 *) text, (guint) size);
}

/* transfer full; NULL if there is none */
static gchar *
get_text (GstByteReader *from)
{
  const guint8 *text;
  guint32 size;

  if (!gst_byte_reader_get_uint32_le (from, &size)
      || !gst_byte_reader_get_data (from, size, &text)
      || memchr (text, 0, size) != NULL)
    return NULL;
  return g_strndup ((const gchar *) text, size);
}

static void
save_markers (GstByteWriter *to, const GstEegPackEncPad *pad)
{
  guint i;

  gst_byte_writer_put_uint32_le (to, pad->markers->len);
  for (i = 0; i < pad->markers->len; i++) {
    const Marker *m = &g_array_index (pad->markers, Marker, i);

    gst_byte_writer_put_int64_le (to, m->time);
    gst_byte_writer_put_int64_le (to, m->duration);
    gst_byte_writer_put_uint64_le (to, m->when);
    put_text (to, m->text);
  }
}

static gboolean
restore_markers (GstByteReader *from, GstEegPackEncPad *pad)
{
  guint32 n;
  gboolean ok = gst_byte_reader_get_uint32_le (from, &n);

  for (; ok && n > 0; n--) {
    Marker m;

    ok = gst_byte_reader_get_int64_le (from, &m.time)
        && gst_byte_reader_get_int64_le (from, &m.duration)
        && gst_byte_reader_get_uint64_le (from, &m.when)
        && (m.text = get_text (from)) != NULL;
    if (ok)
      g_array_append_val (pad->markers, m);
  }
  return ok;
}

static void
save_records (GstByteWriter *to, const GstEegPackEncPad *pad)
{
  guint i, k;

  gst_byte_writer_put_uint32_le (to, pad->records->len);
  for (i = 0; i < pad->records->len; i++) {
    const GstEegEdfRecord *r = g_ptr_array_index (pad->records, i);

    gst_byte_writer_put_uint64_le (to, r->number);
    gst_byte_writer_put_uint64_le (to, r->start);
    gst_byte_writer_put_uint32_le (to, (guint32) r->size);
    if (r->size > 0)
      gst_byte_writer_put_data (to, r->annotations, (guint) r->size);
    gst_byte_writer_put_uint32_le (to, r->markers->len);
    for (k = 0; k < r->markers->len; k++) {
      const GstEegEdfMarker *m =
          &g_array_index (r->markers, GstEegEdfMarker, k);

      gst_byte_writer_put_uint64_le (to, m->time);
      gst_byte_writer_put_uint64_le (to, m->duration);
      gst_byte_writer_put_uint8 (to, m->derived);
      put_text (to, m->text);
    }
  }
}

static gboolean
restore_record (GstByteReader *from, GstEegPackEncPad *pad)
{
  const guint8 *annotations = NULL;
  guint64 number, start, time, duration;
  GstEegEdfRecord *r;
  guint32 size, n;
  guint8 derived;
  gboolean ok = TRUE;

  if (!gst_byte_reader_get_uint64_le (from, &number)
      || !gst_byte_reader_get_uint64_le (from, &start)
      || !gst_byte_reader_get_uint32_le (from, &size)
      || (size > 0 && !gst_byte_reader_get_data (from, size, &annotations))
      || !gst_byte_reader_get_uint32_le (from, &n))
    return FALSE;
  r = gst_eeg_edf_record_new (number, start, size);
  if (size > 0)
    memcpy (r->annotations, annotations, size);
  g_ptr_array_add (pad->records, r);
  for (; ok && n > 0; n--) {
    gchar *text = NULL;

    ok = gst_byte_reader_get_uint64_le (from, &time)
        && gst_byte_reader_get_uint64_le (from, &duration)
        && gst_byte_reader_get_uint8 (from, &derived)
        && (text = get_text (from)) != NULL;
    if (ok)
      gst_eeg_edf_record_add_marker (r, time, duration, text, derived != 0);
    g_free (text);
  }
  return ok;
}

static gboolean
restore_records (GstByteReader *from, GstEegPackEncPad *pad)
{
  guint32 n;
  gboolean ok = gst_byte_reader_get_uint32_le (from, &n);

  for (; ok && n > 0; n--)
    ok = restore_record (from, pad);
  return ok;
}

static GBytes *
gst_eeg_pack_enc_save_input (GstEegChunkCodec *codec, GError **error)
{
  GstEegPackEnc *self = GST_EEG_PACK_ENC (codec);
  const GstEegPackEncPad *pad = get_only_pad (self);
  GstByteWriter w;
  guint8 *blob;
  guint size;

  if (pad == NULL) {
    if (can_resume (self, error))
      g_set_error_literal (error, GST_CORE_ERROR, GST_CORE_ERROR_PAD,
          "a pad was released");
    return NULL;
  }
  gst_byte_writer_init (&w);
  gst_byte_writer_put_uint8 (&w, STATE_VERSION);
  gst_byte_writer_put_uint8 (&w,
      (self->begun ? STATE_BEGUN : 0) | (pad->have_base ? STATE_BASE : 0)
          | (pad->have_next ? STATE_NEXT : 0));
  gst_byte_writer_put_uint64_le (&w, self->origin);
  gst_byte_writer_put_int64_le (&w, pad->base);
  gst_byte_writer_put_uint64_le (&w, pad->next_index);
  gst_byte_writer_put_uint64_le (&w, pad->position);
  gst_byte_writer_put_uint64_le (&w, pad->gap_end);
  gst_byte_writer_put_int64_le (&w, self->last_record);
  gst_byte_writer_put_data (&w, self->header_hash, HASH_SIZE);
  save_markers (&w, pad);
  save_records (&w, pad);
  size = gst_byte_writer_get_pos (&w);
  blob = gst_byte_writer_reset_and_get_data (&w);
  if (size <= MAX_STATE)
    return g_bytes_new_take (blob, size);
  g_free (blob);
  g_set_error_literal (error, GST_CORE_ERROR, GST_CORE_ERROR_TOO_LAZY,
      "too many markers wait for their block");
  return NULL;
}

static GBytes *
gst_eeg_pack_enc_save_output (GstEegChunkCodec *codec, GError **error)
{
  GstEegPackEnc *self = GST_EEG_PACK_ENC (codec);
  eeg_eegpack_buffer index = { 0 };
  GstByteWriter w;
  guint size;

  if (self->pushed.n_streams == 0)
    return g_bytes_new_static (NULL, 0);
  if (!eeg_eegpack_write_index (&index, 0, self->pushed.totals,
          self->pushed.n_streams, self->pushed.entries,
          self->pushed.n_entries)) {
    eeg_eegpack_buffer_clear (&index);
    set_write_error (error);
    return NULL;
  }
  gst_byte_writer_init (&w);
  gst_byte_writer_put_uint64_le (&w, self->pushed.offset);
  gst_byte_writer_put_uint64_le (&w, self->pushed.index);
  gst_byte_writer_put_data (&w, index.data, (guint) index.size);
  eeg_eegpack_buffer_clear (&index);
  size = gst_byte_writer_get_pos (&w);
  return g_bytes_new_take (gst_byte_writer_reset_and_get_data (&w), size);
}

static gboolean
restore_output (GstEegPackEnc *self, const guint8 *data, gsize size)
{
  eeg_eegpack_result result = EEG_EEGPACK_MORE;
  eeg_eegpack_entry entry = { 0 };
  eeg_eegpack_chunk chunk;
  guint64 previous;
  gsize at;

  if (size < 16
      || eeg_eegpack_get_chunk (data + 16, size - 16, 0, &chunk)
          != EEG_EEGPACK_OK
      || chunk.size != size - 16 || chunk.type != EEG_EEGPACK_CHUNK_INDEX
      || !eeg_eegpack_parse_index (chunk.payload, chunk.payload_size, &at,
          &previous, self->pushed.totals, 1))
    return FALSE;
  self->pushed.offset = GST_READ_UINT64_LE (data);
  self->pushed.index = GST_READ_UINT64_LE (data + 8);
  self->pushed.n_streams = 1;
  while (self->pushed.n_entries < INDEX_ENTRIES
      && (result = eeg_eegpack_parse_entry (chunk.payload, chunk.payload_size,
              &at, 1, &entry))
          == EEG_EEGPACK_OK)
    self->pushed.entries[self->pushed.n_entries++] = entry;
  return result == EEG_EEGPACK_MORE;
}

static gboolean
restore_input (GstEegPackEnc *self, GstEegPackEncPad *pad, const guint8 *data,
    gsize size)
{
  const guint8 *hash = NULL;
  guint8 version, flags = 0;
  GstByteReader r;

  gst_byte_reader_init (&r, data, (guint) size);
  if (!gst_byte_reader_get_uint8 (&r, &version) || version != STATE_VERSION
      || !gst_byte_reader_get_uint8 (&r, &flags)
      || !gst_byte_reader_get_uint64_le (&r, &self->origin)
      || !gst_byte_reader_get_int64_le (&r, &pad->base)
      || !gst_byte_reader_get_uint64_le (&r, &pad->next_index)
      || !gst_byte_reader_get_uint64_le (&r, &pad->position)
      || !gst_byte_reader_get_uint64_le (&r, &pad->gap_end)
      || !gst_byte_reader_get_int64_le (&r, &self->last_record)
      || !gst_byte_reader_get_data (&r, HASH_SIZE, &hash)
      || !restore_markers (&r, pad) || !restore_records (&r, pad)
      || gst_byte_reader_get_remaining (&r) > 0)
    return FALSE;
  if (pad->next_index > MAX_INDEX || pad->position > G_MAXINT64
      || pad->gap_end > G_MAXINT64 || self->origin > pad->next_index
      || pad->position < self->origin)
    return FALSE;
  memcpy (self->header_hash, hash, HASH_SIZE);
  pad->have_base = (flags & STATE_BASE) != 0;
  pad->have_next = (flags & STATE_NEXT) != 0;
  pad->resumed = pad->have_next;
  self->resumed = (flags & STATE_BEGUN) != 0;
  return TRUE;
}

static gboolean
gst_eeg_pack_enc_restore (GstEegChunkCodec *codec, const guint8 *input,
    gsize input_size, const guint8 *output, gsize output_size)
{
  GstEegPackEnc *self = GST_EEG_PACK_ENC (codec);
  GstEegPackEncPad *pad = get_only_pad (self);

  if (output_size > 0 && !restore_output (self, output, output_size))
    return FALSE;
  if (pad != NULL)
    return restore_input (self, pad, input, input_size);
  /* behind a demuxer that has no pads yet */
  g_mutex_lock (&self->lock);
  self->saved = g_bytes_new (input, input_size);
  g_mutex_unlock (&self->lock);
  return TRUE;
}

static void
gst_eeg_pack_enc_begin_part (GstEegChunkCodec *codec, GstEegPart *part)
{
  GstEegPackEnc *self = GST_EEG_PACK_ENC (codec);
  const GstEegPackEncPad *pad = get_only_pad (self);
  guint64 base = 0;

  part->first = GST_EEG_PART_UNKNOWN;
  if (pad == NULL || pad->info.rate_n == 0)
    return;
  if (part->link == GST_EEG_PART_LINK_FIRST && pad->recording != NULL)
    gst_structure_get_int64 (pad->recording, GST_EEG_RECORDING_START_TIME,
        &part->origin);
  /* where the source began anew, it also counts anew */
  if (part->link == GST_EEG_PART_LINK_INTERRUPTED)
    base = gst_eeg_part_count_before (part, pad->recording, pad->info.rate_n,
        pad->info.rate_d);
  if (base != GST_EEG_PART_UNKNOWN)
    part->first = base + self->origin;
}

/* --- feeding: order ------------------------------------------------------ */

/* The block that stands next in the file: the one that ends first, whatever the
 * order in which the pads' threads came. NULL while that is not known. */
static GstEegPackEncPad *
choose_block (GstEegPackEnc *self)
{
  GstEegPackEncPad *best = NULL;
  GstClockTime end = 0;
  guint i;

  for (i = 0; i < self->pads->len; i++) {
    GstEegPackEncPad *pad = g_ptr_array_index (self->pads, i);
    GstClockTime time;

    if (!pad->ready)
      continue;
    time = pad_time (pad, pad->first + pad->filled);
    if (best == NULL || time < end) {
      best = pad;
      end = time;
    }
  }
  for (i = 0; best != NULL && i < self->pads->len; i++) {
    GstEegPackEncPad *pad = g_ptr_array_index (self->pads, i);
    GstClockTime time;

    if (pad->ready || pad->eos || pad->number >= self->layout->n_streams)
      continue;
    time = pad_time (pad, pad->position);
    if (time < end
        || (time == end && pad->filled > 0 && pad->number < best->number))
      return NULL;
  }
  return best;
}

static gboolean
is_barrier (GstMiniObject *item)
{
  return GST_IS_EVENT (item)
      && gst_eeg_event_parse_barrier (GST_EVENT_CAST (item), NULL);
}

/* Works on what the queue of a pad holds. Locked; returns whether there was
 * anything to do. */
static gboolean
feed_pad (GstEegPackEnc *self, GstEegPackEncPad *pad)
{
  GstMiniObject *item = NULL;

  if (pad->ready || pad->eos)
    return FALSE;
  if (pad->buffer == NULL) {
    item = g_queue_peek_head (&pad->queue);
    if (item == NULL && pad->released) {
      pad->eos = TRUE;
      pad->ready = pad->filled > 0;
      return TRUE;
    }
    if (item == NULL || (GST_IS_BUFFER (item) && !self->begun))
      return FALSE;
    if (pad->filled > 0 && self->pads->len == 1 && is_barrier (item)) {
      /* behind the block that ends here */
      pad->ready = TRUE;
      return TRUE;
    }
    g_queue_pop_head (&pad->queue);
    if (GST_IS_BUFFER (item))
      pad->queued -= gst_buffer_get_size (GST_BUFFER_CAST (item));
  }
  g_mutex_unlock (&self->lock);
  if (item == NULL) {
    fill_block (self, pad);
  } else if (GST_IS_BUFFER (item)) {
    if (pad->number >= self->layout->n_streams)
      gst_mini_object_unref (item);
    else if (take_buffer (self, pad, GST_BUFFER_CAST (item))
        && self->layout->n_streams == 1 && pad->markers->len >= MAX_WAITING
        && pad->filled == 0)
      send_block (self, pad);
  } else {
    take_event (self, pad, GST_EVENT_CAST (item));
  }
  g_mutex_lock (&self->lock);
  return TRUE;
}

/* Locked. Does every pad have samples, or has it ended? */
static gboolean
can_begin (GstEegPackEnc *self)
{
  guint i;

  for (i = 0; i < self->pads->len; i++) {
    GstEegPackEncPad *pad = g_ptr_array_index (self->pads, i);

    if (!pad->eos && g_queue_is_empty (&pad->queue))
      return FALSE;
  }
  return self->pads->len > 0;
}

/* Locked. All have ended, and no part begins where there is nothing for it. */
static gboolean
ends_with_part (GstEegPackEnc *self)
{
  guint i;

  if (self->begun
      || gst_eeg_chunk_codec_get_n_parts (GST_EEG_CHUNK_CODEC (self)) == 0)
    return FALSE;
  for (i = 0; i < self->pads->len; i++) {
    GstEegPackEncPad *pad = g_ptr_array_index (self->pads, i);

    if (!pad->eos || pad->markers->len > 0)
      return FALSE;
  }
  return TRUE;
}

/* Locked. After an error nothing more is taken; only the end is passed on, as
 * the base class sees fit. */
static void
drop_input (GstEegPackEnc *self)
{
  gboolean all_ended = !self->ended && !self->refused;
  GQueue taken = G_QUEUE_INIT;
  guint i;

  for (i = 0; i < self->pads->len; i++) {
    GstEegPackEncPad *pad = g_ptr_array_index (self->pads, i);

    pad_take_queue (pad, &taken);
    all_ended = all_ended && (pad->got_eos || pad->released);
  }
  self->ended = self->ended || all_ended;
  g_mutex_unlock (&self->lock);
  free_queue (&taken);
  if (all_ended)
    gst_eeg_chunk_codec_take_event (GST_EEG_CHUNK_CODEC (self),
        gst_event_new_eos ());
  g_mutex_lock (&self->lock);
}

static GstFlowReturn
get_flow (GstEegPackEnc *self)
{
  GstFlowReturn flow =
      gst_eeg_chunk_codec_get_flow (GST_EEG_CHUNK_CODEC (self));

  if (flow == GST_FLOW_OK && self->refused)
    return GST_FLOW_NOT_NEGOTIATED;
  if (flow == GST_FLOW_OK && g_atomic_int_get (&self->broken))
    return GST_FLOW_ERROR;
  return flow;
}

/* Locked, with the token: does all that can be done now. */
static void
feed (GstEegPackEnc *self)
{
  gboolean progress = TRUE;

  while (progress && self->flushing_pads == 0) {
    GstEegPackEncPad *pad;
    gboolean all_ended = TRUE;
    guint i;

    if (get_flow (self) != GST_FLOW_OK) {
      drop_input (self);
      break;
    }
    progress = FALSE;
    for (i = 0; i < self->pads->len; i++) {
      pad = g_ptr_array_index (self->pads, i);
      progress = feed_pad (self, pad) || progress;
      all_ended = all_ended && pad->eos && !pad->ready;
    }
    if (progress && !self->begun)
      continue;
    if (!self->begun && !ends_with_part (self) && can_begin (self)) {
      /* from here on no pad can be added */
      self->begun = TRUE;
      g_mutex_unlock (&self->lock);
      progress = begin (self);
      g_mutex_lock (&self->lock);
      self->begun = progress;
      continue;
    }
    while (self->begun && (pad = choose_block (self)) != NULL) {
      g_mutex_unlock (&self->lock);
      send_block (self, pad);
      g_mutex_lock (&self->lock);
      progress = TRUE;
    }
    if (!progress && all_ended && !self->ended
        && (self->begun || ends_with_part (self))) {
      self->ended = TRUE;
      g_mutex_unlock (&self->lock);
      finish (self);
      g_mutex_lock (&self->lock);
    }
  }
}

static gboolean
is_backlog (GstEegPackEncPad *pad)
{
  return pad->queued > BACKLOG_BYTES && g_queue_get_length (&pad->queue) > 1;
}

static gboolean
is_shut (const GstEegPackEncPad *pad)
{
  return !pad->active || pad->flushing;
}

/* Puts something into the pad's queue and works, or lets others work. transfer
 * full */
static GstFlowReturn
enqueue (GstEegPackEnc *self, GstEegPackEncPad *pad, GstMiniObject *item)
{
  GstFlowReturn flow = GST_FLOW_OK;

  g_mutex_lock (&self->lock);
  /* another pad is being flushed, and all begin anew after it */
  while (self->flushing_pads > 0 && !is_shut (pad))
    g_cond_wait (&self->cond, &self->lock);
  if (is_shut (pad))
    flow = GST_FLOW_FLUSHING;
  else if (pad->got_eos)
    flow = GST_FLOW_EOS;
  if (flow != GST_FLOW_OK) {
    g_mutex_unlock (&self->lock);
    gst_mini_object_unref (item);
    return flow;
  }
  if (GST_IS_BUFFER (item))
    pad->queued += gst_buffer_get_size (GST_BUFFER_CAST (item));
  else if (GST_EVENT_TYPE (item) == GST_EVENT_EOS)
    pad->got_eos = TRUE;
  g_queue_push_tail (&pad->queue, item);

  for (;;) {
    if (!self->feeding) {
      self->feeding = TRUE;
      feed (self);
      self->feeding = FALSE;
      g_cond_broadcast (&self->cond);
    }
    flow = is_shut (pad) ? GST_FLOW_FLUSHING : get_flow (self);
    if (flow != GST_FLOW_OK || !is_backlog (pad))
      break;
    g_cond_wait (&self->cond, &self->lock);
  }
  g_mutex_unlock (&self->lock);
  return flow;
}

/* --- pads ---------------------------------------------------------------- */

static GstFlowReturn
gst_eeg_pack_enc_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  return enqueue (GST_EEG_PACK_ENC (parent), GST_EEG_PACK_ENC_PAD (pad),
      GST_MINI_OBJECT_CAST (buffer));
}

static void
flush_start (GstEegPackEnc *self, GstEegPackEncPad *pad, GstEvent *event)
{
  gboolean first;

  g_mutex_lock (&self->lock);
  first = self->flushing_pads == 0;
  if (!pad->flushing)
    self->flushing_pads++;
  pad->flushing = TRUE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  if (first)
    gst_eeg_chunk_codec_take_event (GST_EEG_CHUNK_CODEC (self), event);
  else
    gst_event_unref (event);
}

/* Locked; transfer full: the pads, to work on them without the lock. */
static GPtrArray *
list_pads (GstEegPackEnc *self)
{
  GPtrArray *pads = g_ptr_array_new_with_free_func (gst_object_unref);
  guint i;

  for (i = 0; i < self->pads->len; i++)
    g_ptr_array_add (pads, gst_object_ref (g_ptr_array_index (self->pads, i)));
  return pads;
}

/* Waits for the token `feeding` and takes it. */
static void
take_token (GstEegPackEnc *self)
{
  g_mutex_lock (&self->lock);
  while (self->feeding)
    g_cond_wait (&self->cond, &self->lock);
  self->feeding = TRUE;
  g_mutex_unlock (&self->lock);
}

static void
give_token (GstEegPackEnc *self)
{
  g_mutex_lock (&self->lock);
  self->feeding = FALSE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}

/* Of the thread that feeds: another file begins. */
static void
forget_file (GstEegPackEnc *self)
{
  self->last_record = -1;
  self->origin = 0;
  self->announced = self->resumed = self->is_damaged = FALSE;
  g_mutex_lock (&self->lock);
  g_clear_pointer (&self->saved, g_bytes_unref);
  g_mutex_unlock (&self->lock);
}

/* With the token, unlocked. All pads forget their stream; a new file begins. */
static void
begin_anew (GstEegPackEnc *self)
{
  GPtrArray *pads;
  guint i;

  g_mutex_lock (&self->lock);
  pads = list_pads (self);
  g_mutex_unlock (&self->lock);
  for (i = 0; i < pads->len; i++)
    pad_reset (g_ptr_array_index (pads, i));
  g_ptr_array_unref (pads);
  forget_file (self);
  g_mutex_lock (&self->lock);
  self->begun = self->ended = FALSE;
  g_mutex_unlock (&self->lock);
}

/* The last pad that is no longer flushed begins a new file. */
static void
flush_stop (GstEegPackEnc *self, GstEegPackEncPad *pad, GstEvent *event)
{
  GQueue taken = G_QUEUE_INIT;
  gboolean last;
  GList *l;

  take_token (self);
  g_mutex_lock (&self->lock);
  pad_take_queue (pad, &taken);
  pad->eos = pad->got_eos = FALSE;
  last = self->flushing_pads == (pad->flushing ? 1 : 0);
  g_mutex_unlock (&self->lock);

  /* what is sticky is not sent again */
  for (l = taken.head; l != NULL; l = l->next)
    if (GST_IS_EVENT (l->data) && GST_EVENT_IS_STICKY (l->data)
        && GST_EVENT_TYPE (l->data) != GST_EVENT_EOS)
      take_sticky (self, pad, GST_EVENT_CAST (l->data));
  free_queue (&taken);
  if (last) {
    begin_anew (self);
    g_atomic_int_set (&self->broken, FALSE);
    gst_eeg_chunk_codec_take_event (GST_EEG_CHUNK_CODEC (self), event);
  } else {
    gst_event_unref (event);
  }
  g_mutex_lock (&self->lock);
  if (pad->flushing)
    self->flushing_pads--;
  pad->flushing = FALSE;
  g_mutex_unlock (&self->lock);
  give_token (self);
}

/* Caps are looked at when they arrive, so that upstream learns what is wrong
 * with them, and again in their place. */
static gboolean
check_caps (GstEegPackEnc *self, GstEegPackEncPad *pad, GstEvent *event)
{
  GstEegInfo info;
  GstCaps *caps;
  gboolean ok;

  gst_event_parse_caps (event, &caps);
  gst_eeg_info_init (&info);
  ok = gst_eeg_info_from_caps (&info, caps);
  if (ok) {
    GST_OBJECT_LOCK (self);
    pad->shape =
        (Shape){ gst_eeg_pack_format (info.format), (guint32) info.channels,
          (guint32) info.rate_n, (guint32) info.rate_d, 0, 1, 1 };
    GST_OBJECT_UNLOCK (self);
    ok = gst_eeg_stage_check_upstream (GST_EEG_STAGE (self), GST_PAD (pad));
  } else {
    GST_ELEMENT_ERROR (self, CORE, NEGOTIATION,
        ("%s cannot take these samples.", GST_OBJECT_NAME (pad)),
        ("%" GST_PTR_FORMAT, caps));
  }
  gst_eeg_info_clear (&info);
  if (!ok) {
    gst_eeg_stage_count (&gst_eeg_chunk_codec_get_counters (
                             GST_EEG_CHUNK_CODEC (self))
                              ->errors,
        1);
    g_mutex_lock (&self->lock);
    self->refused = TRUE;
    g_cond_broadcast (&self->cond);
    g_mutex_unlock (&self->lock);
  }
  return ok;
}

static gboolean
gst_eeg_pack_enc_sink_event (GstPad *gst_pad, GstObject *parent,
    GstEvent *event)
{
  GstEegPackEnc *self = GST_EEG_PACK_ENC (parent);
  GstEegPackEncPad *pad = GST_EEG_PACK_ENC_PAD (gst_pad);
  GstFlowReturn flow;
  gboolean another;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_FLUSH_START:
      flush_start (self, pad, event);
      return TRUE;
    case GST_EVENT_FLUSH_STOP:
      flush_stop (self, pad, event);
      return TRUE;
    case GST_EVENT_STREAM_START:
      /* another stream after the end of one begins another file */
      g_mutex_lock (&self->lock);
      another = pad->got_eos;
      g_mutex_unlock (&self->lock);
      if (another) {
        take_token (self);
        g_mutex_lock (&self->lock);
        pad->got_eos = pad->eos = FALSE;
        another = self->ended;
        g_mutex_unlock (&self->lock);
        if (another)
          begin_anew (self);
        give_token (self);
      }
      gst_event_unref (event);
      return TRUE;
    case GST_EVENT_CAPS:
      if (!check_caps (self, pad, event)) {
        gst_event_unref (event);
        return FALSE;
      }
      break;
    default:
      if (!GST_EVENT_IS_SERIALIZED (event)) {
        gst_event_unref (event);
        return TRUE;
      }
      break;
  }
  flow = enqueue (self, pad, GST_MINI_OBJECT_CAST (event));
  return flow == GST_FLOW_OK || flow == GST_FLOW_EOS;
}

static gboolean
gst_eeg_pack_enc_sink_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstFormat format;

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_SEEKING:
      gst_query_parse_seeking (query, &format, NULL, NULL, NULL);
      gst_query_set_seeking (query, format, FALSE, 0, -1);
      return TRUE;
    default:
      /* any memory will do, and blocks wait for nobody */
      if (GST_QUERY_IS_SERIALIZED (query))
        return FALSE;
      return gst_pad_query_default (pad, parent, query);
  }
}

static gboolean
gst_eeg_pack_enc_activate_mode (GstPad *gst_pad, GstObject *parent,
    GstPadMode mode, gboolean active)
{
  GstEegPackEnc *self = (GstEegPackEnc *) parent;
  GstEegPackEncPad *pad = GST_EEG_PACK_ENC_PAD (gst_pad);

  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  if (self == NULL) {
    /* before it is added; nobody else knows it yet */
    pad->active = active;
    return TRUE;
  }
  g_mutex_lock (&self->lock);
  pad->active = active;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  return TRUE;
}

static GstPad *
gst_eeg_pack_enc_request_new_pad (GstElement *element, GstPadTemplate *template,
    const gchar *name, const GstCaps *caps)
{
  GstEegPackEnc *self = GST_EEG_PACK_ENC (element);
  GstPad *pad;
  gchar *own = NULL;
  guint number;

  g_mutex_lock (&self->lock);
  if (self->begun) {
    g_mutex_unlock (&self->lock);
    GST_WARNING_OBJECT (self, "no new pad: the header is written");
    return NULL;
  }
  if (name == NULL || sscanf (name, "sink_%u", &number) != 1)
    name = own = g_strdup_printf ("sink_%u", self->pad_number++);
  else
    self->pad_number = MAX (self->pad_number, number + 1);
  pad = g_object_new (GST_TYPE_EEG_PACK_ENC_PAD, "name", name, "direction",
      GST_PAD_SINK, "template", template, NULL);
  g_free (own);
  gst_object_ref_sink (pad);
  gst_pad_set_chain_function (pad, gst_eeg_pack_enc_chain);
  gst_pad_set_event_function (pad, gst_eeg_pack_enc_sink_event);
  gst_pad_set_query_function (pad, gst_eeg_pack_enc_sink_query);
  gst_pad_set_activatemode_function (pad, gst_eeg_pack_enc_activate_mode);
  g_ptr_array_add (self->pads, gst_object_ref (pad));
  if (self->saved != NULL) {
    gsize size;
    gconstpointer data = g_bytes_get_data (self->saved, &size);

    self->is_damaged =
        !restore_input (self, GST_EEG_PACK_ENC_PAD (pad), data, size);
    g_clear_pointer (&self->saved, g_bytes_unref);
  }
  g_mutex_unlock (&self->lock);
  if (GST_STATE (element) > GST_STATE_READY
      || GST_STATE_NEXT (element) == GST_STATE_PAUSED)
    gst_pad_set_active (pad, TRUE);
  if (!gst_element_add_pad (element, pad)) {
    g_mutex_lock (&self->lock);
    g_ptr_array_remove (self->pads, pad);
    g_mutex_unlock (&self->lock);
    gst_clear_object (&pad);
  } else {
    /* the element has it */
    gst_object_unref (pad);
  }
  return pad;
}

static void
gst_eeg_pack_enc_release_pad (GstElement *element, GstPad *gst_pad)
{
  GstEegPackEnc *self = GST_EEG_PACK_ENC (element);
  GstEegPackEncPad *pad = GST_EEG_PACK_ENC_PAD (gst_pad);

  gst_object_ref (pad);
  gst_pad_set_active (gst_pad, FALSE);
  g_mutex_lock (&self->lock);
  pad->released = TRUE;
  if (pad->flushing)
    self->flushing_pads--;
  pad->flushing = FALSE;
  if (!self->feeding) {
    if (!self->begun) {
      g_ptr_array_remove (self->pads, pad);
    } else {
      /* the others need not wait for it any more */
      self->feeding = TRUE;
      feed (self);
      self->feeding = FALSE;
    }
  }
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  gst_element_remove_pad (element, gst_pad);
  gst_object_unref (pad);
}

/* --- codec --------------------------------------------------------------- */

/* Forgets all but the pads. No thread streams; unlocked. */
static void
forget (GstEegPackEnc *self)
{
  GQueue taken = G_QUEUE_INIT;
  GPtrArray *pads;
  guint i;

  g_mutex_lock (&self->lock);
  pads = list_pads (self);
  for (i = pads->len; i > 0; i--) {
    GstEegPackEncPad *pad = g_ptr_array_index (pads, i - 1);

    pad_take_queue (pad, &taken);
    pad->eos = pad->got_eos = pad->flushing = FALSE;
    if (pad->released)
      g_ptr_array_remove_index (self->pads, i - 1);
  }
  self->begun = self->ended = self->refused = FALSE;
  self->flushing_pads = 0;
  g_mutex_unlock (&self->lock);
  g_atomic_int_set (&self->broken, FALSE);

  free_queue (&taken);
  for (i = 0; i < pads->len; i++) {
    GstEegPackEncPad *pad = g_ptr_array_index (pads, i);

    pad_reset (pad);
    gst_segment_init (&pad->segment, GST_FORMAT_UNDEFINED);
    g_clear_pointer (&pad->recording, gst_structure_free);
    gst_eeg_info_clear (&pad->info);
  }
  g_ptr_array_unref (pads);
  forget_file (self);
  g_clear_pointer (&self->layout, layout_unref);
  g_clear_object (&self->allocator);
}

static gboolean
gst_eeg_pack_enc_start (GstEegChunkCodec *codec, GError **error)
{
  GstEegPackEnc *self = GST_EEG_PACK_ENC (codec);

  forget (self);
  self->pushed.entries = g_new (eeg_eegpack_entry, INDEX_ENTRIES);
  return TRUE;
}

static void
gst_eeg_pack_enc_stop (GstEegChunkCodec *codec)
{
  GstEegPackEnc *self = GST_EEG_PACK_ENC (codec);
  guint i;

  forget (self);
  g_mutex_lock (&self->lock);
  GST_OBJECT_LOCK (self);
  self->live = FALSE;
  for (i = 0; i < self->pads->len; i++)
    ((GstEegPackEncPad *) g_ptr_array_index (self->pads, i))->shape.format =
        EEG_EEGPACK_FORMATS;
  GST_OBJECT_UNLOCK (self);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&self->pushed.entries, g_free);
}

static void
gst_eeg_pack_enc_reset (GstEegChunkCodec *codec)
{
  reset_pushed (GST_EEG_PACK_ENC (codec));
}

static gboolean
gst_eeg_pack_enc_can_resume (GstEegChunkCodec *codec, GError **error)
{
  return can_resume (GST_EEG_PACK_ENC (codec), error);
}

static gsize
gst_eeg_pack_enc_bound (GstEegChunkCodec *codec, gsize size)
{
  /* each job says for itself */
  return size;
}

static GstClockTime
gst_eeg_pack_enc_latency (GstEegChunkCodec *codec, gboolean live)
{
  GstEegPackEnc *self = GST_EEG_PACK_ENC (codec);
  GstClockTime duration;

  GST_OBJECT_LOCK (self);
  duration = effective_duration (self->settings.block_duration, live);
  GST_OBJECT_UNLOCK (self);
  return duration;
}

static void
gst_eeg_pack_enc_limits (GstEegChunkCodec *codec, GstEegChunkLimits *limits)
{
  GstEegPackEnc *self = GST_EEG_PACK_ENC (codec);
  GArray *shapes = g_array_new (FALSE, TRUE, sizeof (Shape));
  GstClockTime duration;
  GList *l;
  guint i;

  GST_OBJECT_LOCK (self);
  for (l = GST_ELEMENT_CAST (self)->sinkpads; l != NULL; l = l->next) {
    GstEegPackEncPad *pad = l->data;

    if (pad->shape.format != EEG_EEGPACK_FORMATS)
      g_array_append_val (shapes, pad->shape);
  }
  duration = effective_duration (self->settings.block_duration, self->live);
  GST_OBJECT_UNLOCK (self);
  limits->extra_bytes = INDEX_ENTRIES * sizeof (eeg_eegpack_entry);
  if (shapes->len > 0
      && cut_streams ((Shape *) shapes->data, shapes->len, duration) > 0) {
    for (i = 0; i < shapes->len; i++) {
      const Shape *s = &g_array_index (shapes, Shape, i);

      limits->max_input =
          MAX (limits->max_input, frame_bytes (s) * s->max_frames);
      limits->max_output =
          MAX (limits->max_output, block_bound (s, s->max_frames));
      limits->context_bytes +=
          eeg_eegpack_encoder_memory (s->format, s->channels, s->max_frames);
    }
    /* a block of each is being filled, and what waits for the others */
    limits->extra_bytes += shapes->len * limits->max_input;
    if (shapes->len > 1)
      limits->extra_bytes += shapes->len * (gsize) BACKLOG_BYTES;
  }
  g_array_unref (shapes);
}

/* --- properties ---------------------------------------------------------- */

static void
gst_eeg_pack_enc_set_property (GObject *object, guint prop_id,
    const GValue *value, GParamSpec *pspec)
{
  GstEegPackEnc *self = GST_EEG_PACK_ENC (object);

  GST_OBJECT_LOCK (self);
  switch (prop_id) {
    case PROP_EFFORT:
      self->settings.effort = g_value_get_enum (value);
      break;
    case PROP_BLOCK_DURATION:
      self->settings.block_duration = g_value_get_uint64 (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_eeg_pack_enc_get_property (GObject *object, guint prop_id, GValue *value,
    GParamSpec *pspec)
{
  GstEegPackEnc *self = GST_EEG_PACK_ENC (object);

  GST_OBJECT_LOCK (self);
  switch (prop_id) {
    case PROP_EFFORT:
      g_value_set_enum (value, self->settings.effort);
      break;
    case PROP_BLOCK_DURATION:
      g_value_set_uint64 (value, self->settings.block_duration);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_eeg_pack_enc_finalize (GObject *object)
{
  GstEegPackEnc *self = GST_EEG_PACK_ENC (object);

  forget (self);
  g_ptr_array_unref (self->pads);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
  G_OBJECT_CLASS (gst_eeg_pack_enc_parent_class)->finalize (object);
}

static void
gst_eeg_pack_enc_class_init (GstEegPackEncClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstEegChunkCodecClass *codec_class = GST_EEG_CHUNK_CODEC_CLASS (klass);

  object_class->set_property = gst_eeg_pack_enc_set_property;
  object_class->get_property = gst_eeg_pack_enc_get_property;
  object_class->finalize = gst_eeg_pack_enc_finalize;

  /**
   * GstEegPackEnc:effort:
   *
   * How much work goes into a block. A change holds from the next block on.
   */
  g_object_class_install_property (object_class, PROP_EFFORT,
      g_param_spec_enum ("effort", "Effort",
          "How much work goes into a block; a change holds from the next one "
          "on",
          GST_TYPE_EEG_PACK_EFFORT, DEFAULT_EFFORT,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_PLAYING));

  /**
   * GstEegPackEnc:block-duration:
   *
   * Time that a block spans, rounded to whole samples of the fastest stream and
   * cut to what a block may hold (2^20 samples per channel, 2^25 in all).
   */
  g_object_class_install_property (object_class, PROP_BLOCK_DURATION,
      g_param_spec_uint64 ("block-duration", "Block duration",
          "Time in nanoseconds that a block spans, 0: 1 s behind a live source, "
          "else 8192 samples per channel of the fastest stream",
          0, G_MAXINT64, DEFAULT_BLOCK_DURATION,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));
  gst_type_mark_as_plugin_api (GST_TYPE_EEG_PACK_EFFORT, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_EEG_PACK_ENC_PAD, 0);

  gst_element_class_add_static_pad_template_with_gtype (element_class,
      &sink_template, GST_TYPE_EEG_PACK_ENC_PAD);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "EEGPack encoder",
      "Codec/Encoder/Muxer", "Codes EEG samples without loss",
      "gst-plugins-eeg developers");
  element_class->request_new_pad = gst_eeg_pack_enc_request_new_pad;
  element_class->release_pad = gst_eeg_pack_enc_release_pad;

  codec_class->kind = GST_EEG_STAGE_KIND_COMPRESSION;
  codec_class->media_type = "application/x-eegpack";
  codec_class->start = gst_eeg_pack_enc_start;
  codec_class->library = PACKAGE_VERSION;
  codec_class->can_resume = gst_eeg_pack_enc_can_resume;
  codec_class->save_input = gst_eeg_pack_enc_save_input;
  codec_class->save_output = gst_eeg_pack_enc_save_output;
  codec_class->restore = gst_eeg_pack_enc_restore;
  codec_class->label = gst_eeg_pack_enc_label;
  codec_class->begin_part = gst_eeg_pack_enc_begin_part;
  codec_class->stop = gst_eeg_pack_enc_stop;
  codec_class->reset = gst_eeg_pack_enc_reset;
  codec_class->limits = gst_eeg_pack_enc_limits;
  codec_class->latency = gst_eeg_pack_enc_latency;
  codec_class->worker_new = gst_eeg_pack_enc_worker_new;
  codec_class->worker_free = gst_eeg_pack_enc_worker_free;
  codec_class->bound = gst_eeg_pack_enc_bound;
  codec_class->process = gst_eeg_pack_enc_process;
  codec_class->emit = gst_eeg_pack_enc_emit;
  codec_class->finish = gst_eeg_pack_enc_finish;
}

static void
gst_eeg_pack_enc_init (GstEegPackEnc *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  self->pads = g_ptr_array_new_with_free_func (gst_object_unref);
  self->settings.effort = DEFAULT_EFFORT;
  self->settings.block_duration = DEFAULT_BLOCK_DURATION;
}
