/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:gsteegcompressor
 * @title: GstEegCompressor and GstEegDecompressor
 * @short_description: what all compressions have in common
 *
 * The properties of the chunk for encoders, and of bounded and rescued output
 * for decoders, on top of #GstEegChunkCodec.
 */
#include "gsteegcompressor.h"

#include <string.h>

#include "adaptive/adaptive.h"

#define MIN_CHUNK_SIZE 1024
#define MAX_CHUNK_SIZE (100 * 1024 * 1024)
/* One of those that decoders step over; 0x184D2A5E has seek tables. */
#define LABEL_FRAME_MAGIC 0x184D2A5Bu
#define DEFAULT_CHUNK_SIZE (256 * 1024)
#define DEFAULT_CHUNK_DURATION 0
#define DEFAULT_MAX_OUTPUT_BYTES 0
#define DEFAULT_SALVAGE FALSE

/* Compressors */

enum
{
  PROP_0,
  PROP_CHUNK_SIZE,
  PROP_CHUNK_DURATION,
  PROP_ADAPTIVE,
  PROP_MAX_LATENCY,
  PROP_MEMORY_LIMIT,
  PROP_LEVEL = 100 /* installed by the encoders */
};

/* Of adaptive=true: below, fixed costs and the loss of ratio are high; beyond,
 * nothing is gained. Both are powers of two. */
#define MIN_ADAPTIVE_SIZE (16 * 1024)
#define MAX_ADAPTIVE_SIZE (4 * 1024 * 1024)

typedef struct
{
  /* object lock */
  guint64 chunk_size;
  GstClockTime chunk_duration;
  gboolean adaptive;
  GstClockTime max_latency;
  guint64 memory_limit;
  gint level;
  gsize largest_size; /* with adaptive, from start to stop, else 0 */

  /* from start to stop */
  gsize active_chunk_size; /* without adaptive, else 0 */
  EegAdaptive sizes;       /* of whoever pushes; its size is atomic */
} GstEegCompressorPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (GstEegCompressor, gst_eeg_compressor,
    GST_TYPE_EEG_CHUNK_CODEC)

#define PRIVATE(self)                                                          \
  ((GstEegCompressorPrivate *) gst_eeg_compressor_get_instance_private (self))

/**
 * gst_eeg_compressor_get_chunk_size:
 * @compressor: a compressor
 *
 * Returns: most bytes of a chunk, inside the limits that start() checks
 */
gsize
gst_eeg_compressor_get_chunk_size (GstEegCompressor *compressor)
{
  guint64 size;

  g_return_val_if_fail (GST_IS_EEG_COMPRESSOR (compressor), 0);

  GST_OBJECT_LOCK (compressor);
  size = PRIVATE (compressor)->chunk_size;
  if (PRIVATE (compressor)->adaptive)
    size = PRIVATE (compressor)->largest_size > 0
        ? PRIVATE (compressor)->largest_size
        : MAX_ADAPTIVE_SIZE;
  GST_OBJECT_UNLOCK (compressor);
  return (gsize) CLAMP (size, MIN_CHUNK_SIZE, MAX_CHUNK_SIZE);
}

/**
 * gst_eeg_compressor_get_level:
 * @compressor: a compressor
 *
 * Returns: the level as it is now
 */
gint
gst_eeg_compressor_get_level (GstEegCompressor *compressor)
{
  gint level;

  g_return_val_if_fail (GST_IS_EEG_COMPRESSOR (compressor), 0);

  GST_OBJECT_LOCK (compressor);
  level = PRIVATE (compressor)->level;
  GST_OBJECT_UNLOCK (compressor);
  return level;
}

static gboolean
gst_eeg_compressor_prepare (GstEegChunkCodec *codec, GstEegChunkJob *job,
    GError **error)
{
  job->values[GST_EEG_COMPRESSOR_VALUE_LEVEL] =
      (guint64) (gint64) gst_eeg_compressor_get_level (
          GST_EEG_COMPRESSOR (codec));
  return TRUE;
}

static gsize
gst_eeg_compressor_capacity (GstEegChunkCodec *codec)
{
  GstEegCompressorPrivate *priv = PRIVATE (GST_EEG_COMPRESSOR (codec));

  return priv->active_chunk_size > 0 ? priv->active_chunk_size
                                     : eeg_adaptive_size (&priv->sizes);
}

static void
post_size (GstEegCompressor *self, const EegAdaptiveChange *change)
{
  GST_DEBUG_OBJECT (self, "chunks of %" G_GSIZE_FORMAT " bytes: %s",
      change->size, eeg_adaptive_reason_text (change->reason));
  gst_element_post_message (GST_ELEMENT_CAST (self),
      gst_message_new_element (GST_OBJECT_CAST (self),
          gst_structure_new ("eeg-chunk-size", "chunk-size", G_TYPE_UINT64,
              (guint64) change->size, "previous", G_TYPE_UINT64,
              (guint64) change->previous, "reason", G_TYPE_STRING,
              eeg_adaptive_reason_text (change->reason), "ratio", G_TYPE_DOUBLE,
              change->ratio, "bytes-per-second", G_TYPE_DOUBLE,
              change->bytes_per_second, NULL)));
}

static void
gst_eeg_compressor_pushed (GstEegChunkCodec *codec, const GstEegChunkJob *job)
{
  GstEegCompressorPrivate *priv = PRIVATE (GST_EEG_COMPRESSOR (codec));
  EegAdaptiveChunk chunk = { job->size, job->out_size, job->elapsed };
  EegAdaptiveChange change;

  if (priv->active_chunk_size != 0)
    return;
  if (GST_CLOCK_TIME_IS_VALID (job->duration))
    chunk.span_ns = job->duration;
  chunk.time_ns = gst_util_get_timestamp ();
  chunk.starved = gst_eeg_chunk_codec_get_starved (codec);
  if (eeg_adaptive_add (&priv->sizes, &chunk, &change))
    post_size (GST_EEG_COMPRESSOR (codec), &change);
}

/* The largest size whose ring stays within the limit, by what estimate() says
 * of it; 0 if there is none. */
static gsize
find_largest_size (GstEegCompressor *self, guint64 memory_limit)
{
  GstEegCompressorPrivate *priv = PRIVATE (self);
  GstEegEstimate estimate;
  gsize size;

  for (size = MAX_ADAPTIVE_SIZE; size >= MIN_ADAPTIVE_SIZE; size /= 2) {
    GST_OBJECT_LOCK (self);
    priv->largest_size = size;
    GST_OBJECT_UNLOCK (self);
    if (memory_limit == 0
        || (gst_eeg_stage_estimate (GST_EEG_STAGE (self), 0, &estimate)
            && estimate.memory_bytes <= memory_limit))
      return size;
  }
  return 0;
}

static gboolean
start_adaptive (GstEegCompressor *self, gsize start, GstClockTime max_latency,
    guint64 memory_limit, GError **error)
{
  GstEegCompressorPrivate *priv = PRIVATE (self);
  gsize largest = find_largest_size (self, memory_limit);
  EegAdaptiveChange change = { 0 };

  if (largest == 0) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "memory-limit is %" G_GUINT64_FORMAT
        " bytes: too few for chunks of %d bytes.",
        memory_limit, MIN_ADAPTIVE_SIZE);
    return FALSE;
  }
  eeg_adaptive_init (&priv->sizes, start, MIN_ADAPTIVE_SIZE, largest,
      max_latency);
  change.size = eeg_adaptive_size (&priv->sizes);
  change.previous = start;
  change.reason = EEG_ADAPTIVE_MEMORY;
  if (change.size < start && largest < MAX_ADAPTIVE_SIZE)
    post_size (self, &change);
  return TRUE;
}

static gboolean
gst_eeg_compressor_start (GstEegChunkCodec *codec, GError **error)
{
  GstEegCompressor *self = GST_EEG_COMPRESSOR (codec);
  GstEegCompressorPrivate *priv = PRIVATE (self);
  guint64 size, memory_limit;
  GstClockTime max_latency;
  gboolean adaptive;

  GST_OBJECT_LOCK (self);
  size = priv->chunk_size;
  adaptive = priv->adaptive;
  max_latency = priv->max_latency;
  memory_limit = priv->memory_limit;
  priv->largest_size = 0;
  GST_OBJECT_UNLOCK (self);
  if (size < MIN_CHUNK_SIZE || size > MAX_CHUNK_SIZE) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "chunk-size is %" G_GUINT64_FORMAT
        " bytes, but has to be from %d to %d.",
        size, MIN_CHUNK_SIZE, MAX_CHUNK_SIZE);
    return FALSE;
  }
  priv->active_chunk_size = adaptive ? 0 : (gsize) size;
  return !adaptive
      || start_adaptive (self, (gsize) size, max_latency, memory_limit, error);
}

/* Each chunk is a frame of its own, so that a file goes on behind any. */
static gboolean
gst_eeg_compressor_can_resume (GstEegChunkCodec *codec, GError **error)
{
  GstEegCompressorPrivate *priv = PRIVATE (GST_EEG_COMPRESSOR (codec));
  const gchar *reason = NULL;

  GST_OBJECT_LOCK (codec);
  if (priv->adaptive)
    reason = "adaptive=true chooses chunks by time and speed";
  else if (priv->chunk_duration > 0)
    reason = "chunk-duration cuts chunks by how the input is split";
  GST_OBJECT_UNLOCK (codec);
  if (GST_EEG_CHUNK_CODEC_GET_CLASS (codec)->sequential)
    reason = "its chunks depend on each other";
  if (reason == NULL)
    return TRUE;
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
      "%s cannot go on in the middle of its stream: %s",
      GST_OBJECT_NAME (codec), reason);
  return FALSE;
}

static void
gst_eeg_compressor_set_property (GObject *object, guint prop_id,
    const GValue *value, GParamSpec *pspec)
{
  GstEegCompressorPrivate *priv = PRIVATE (GST_EEG_COMPRESSOR (object));
  GstClockTime duration;

  switch (prop_id) {
    case PROP_CHUNK_SIZE:
      GST_OBJECT_LOCK (object);
      priv->chunk_size = g_value_get_uint64 (value);
      GST_OBJECT_UNLOCK (object);
      break;
    case PROP_CHUNK_DURATION:
      duration = g_value_get_uint64 (value);
      GST_OBJECT_LOCK (object);
      priv->chunk_duration = duration;
      GST_OBJECT_UNLOCK (object);
      gst_eeg_chunk_codec_set_chunk_duration (GST_EEG_CHUNK_CODEC (object),
          duration);
      break;
    case PROP_ADAPTIVE:
      GST_OBJECT_LOCK (object);
      priv->adaptive = g_value_get_boolean (value);
      GST_OBJECT_UNLOCK (object);
      break;
    case PROP_MAX_LATENCY:
      GST_OBJECT_LOCK (object);
      priv->max_latency = g_value_get_uint64 (value);
      GST_OBJECT_UNLOCK (object);
      break;
    case PROP_MEMORY_LIMIT:
      GST_OBJECT_LOCK (object);
      priv->memory_limit = g_value_get_uint64 (value);
      GST_OBJECT_UNLOCK (object);
      break;
    case PROP_LEVEL:
      GST_OBJECT_LOCK (object);
      priv->level = g_value_get_int (value);
      GST_OBJECT_UNLOCK (object);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
}

static void
gst_eeg_compressor_get_property (GObject *object, guint prop_id, GValue *value,
    GParamSpec *pspec)
{
  GstEegCompressorPrivate *priv = PRIVATE (GST_EEG_COMPRESSOR (object));

  GST_OBJECT_LOCK (object);
  switch (prop_id) {
    case PROP_CHUNK_SIZE:
      g_value_set_uint64 (value, priv->chunk_size);
      break;
    case PROP_CHUNK_DURATION:
      g_value_set_uint64 (value, priv->chunk_duration);
      break;
    case PROP_ADAPTIVE:
      g_value_set_boolean (value, priv->adaptive);
      break;
    case PROP_MAX_LATENCY:
      g_value_set_uint64 (value, priv->max_latency);
      break;
    case PROP_MEMORY_LIMIT:
      g_value_set_uint64 (value, priv->memory_limit);
      break;
    case PROP_LEVEL:
      g_value_set_int (value, priv->level);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (object);
}

/**
 * gst_eeg_compressor_make_skippable_label:
 * @text: the label of a part
 *
 * Returns: (transfer full): a skippable frame of zstd and LZ4 with @text in it
 */
GstBuffer *
gst_eeg_compressor_make_skippable_label (const gchar *text)
{
  gsize size;
  guint8 *frame;

  g_return_val_if_fail (text != NULL, NULL);

  size = strlen (text);
  frame = g_malloc (8 + size);
  GST_WRITE_UINT32_LE (frame, LABEL_FRAME_MAGIC);
  GST_WRITE_UINT32_LE (frame + 4, (guint32) size);
  memcpy (frame + 8, text, size);
  return gst_buffer_new_wrapped (frame, 8 + size);
}

/**
 * gst_eeg_compressor_class_install_level:
 * @klass: the class of an encoder, whose own properties have numbers below 100
 * @level: (transfer floating): an int, writable and set when it is constructed
 *
 * Gives the encoder its property for the level, under the name that is usual
 * for it. If it has a set_property() of its own, that chains up.
 */
void
gst_eeg_compressor_class_install_level (GstEegCompressorClass *klass,
    GParamSpec *level)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  g_return_if_fail (GST_IS_EEG_COMPRESSOR_CLASS (klass));
  g_return_if_fail (G_IS_PARAM_SPEC_INT (level));
  g_return_if_fail ((level->flags & G_PARAM_CONSTRUCT) != 0);

  /* a class does not inherit these */
  if (object_class->set_property == NULL)
    object_class->set_property = gst_eeg_compressor_set_property;
  if (object_class->get_property == NULL)
    object_class->get_property = gst_eeg_compressor_get_property;
  g_object_class_install_property (object_class, PROP_LEVEL, level);
}

static void
gst_eeg_compressor_class_init (GstEegCompressorClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstEegChunkCodecClass *codec_class = GST_EEG_CHUNK_CODEC_CLASS (klass);

  object_class->set_property = gst_eeg_compressor_set_property;
  object_class->get_property = gst_eeg_compressor_get_property;
  codec_class->kind = GST_EEG_STAGE_KIND_COMPRESSION;
  codec_class->start = gst_eeg_compressor_start;
  codec_class->can_resume = gst_eeg_compressor_can_resume;
  codec_class->capacity = gst_eeg_compressor_capacity;
  codec_class->prepare = gst_eeg_compressor_prepare;
  codec_class->pushed = gst_eeg_compressor_pushed;

  /**
   * GstEegCompressor:chunk-size:
   *
   * Bytes of input in a chunk, each of which is coded on its own. Larger chunks
   * compress better, smaller ones lose less when a recording breaks off. Values
   * outside 1 KiB to 100 MiB are refused when the element starts.
   */
  g_object_class_install_property (object_class, PROP_CHUNK_SIZE,
      g_param_spec_uint64 ("chunk-size", "Chunk size",
          "Bytes of input in a chunk, 1024 to 104857600", 0, G_MAXUINT64,
          DEFAULT_CHUNK_SIZE,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));

  /**
   * GstEegCompressor:chunk-duration:
   *
   * Stream time after which a chunk ends though it is not full; 0 for never.
   * With it, the output depends on how the input was split into buffers.
   */
  g_object_class_install_property (object_class, PROP_CHUNK_DURATION,
      g_param_spec_uint64 ("chunk-duration", "Chunk duration",
          "Stream time in nanoseconds after which a chunk ends even if it is "
          "not full, 0: never",
          0, G_MAXINT64, DEFAULT_CHUNK_DURATION,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));

  /**
   * GstEegCompressor:adaptive:
   *
   * Whether the size of chunks follows what they gain: it begins with
   * #GstEegCompressor:chunk-size and moves between 16 KiB and 4 MiB. Each
   * change is an element message `eeg-chunk-size` {chunk-size, previous,
   * reason, ratio, bytes-per-second}. The output then depends on timing, so
   * that two runs differ.
   */
  g_object_class_install_property (object_class, PROP_ADAPTIVE,
      g_param_spec_boolean ("adaptive", "Adaptive",
          "Let the size of chunks follow speed and ratio; the output then "
          "differs from run to run",
          FALSE,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));

  /**
   * GstEegCompressor:max-latency:
   *
   * With #GstEegCompressor:adaptive, the most stream time that a chunk may
   * span: a larger one is followed by smaller ones. It is the time that waits
   * in a chunk, and what a crash can lose. #GstEegCompressor:chunk-duration
   * holds for the first chunk too.
   */
  g_object_class_install_property (object_class, PROP_MAX_LATENCY,
      g_param_spec_uint64 ("max-latency", "Maximum latency",
          "With adaptive, most stream time in nanoseconds that a chunk may "
          "span, 0: no limit",
          0, G_MAXINT64, 0,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));

  /**
   * GstEegCompressor:memory-limit:
   *
   * With #GstEegCompressor:adaptive, the most memory that chunks on their way
   * may take, as estimate() counts it.
   */
  g_object_class_install_property (object_class, PROP_MEMORY_LIMIT,
      g_param_spec_uint64 ("memory-limit", "Memory limit",
          "With adaptive, most bytes of memory for all chunks on their way, 0: "
          "no limit",
          0, G_MAXINT64, 0,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));

  gst_type_mark_as_plugin_api (GST_TYPE_EEG_COMPRESSOR, 0);
}

static void
gst_eeg_compressor_init (GstEegCompressor *self)
{
  PRIVATE (self)->chunk_size = DEFAULT_CHUNK_SIZE;
  PRIVATE (self)->chunk_duration = DEFAULT_CHUNK_DURATION;
}

/* Decompressors */

enum
{
  PROP_DEC_0,
  PROP_MAX_OUTPUT_BYTES,
  PROP_SALVAGE
};

typedef struct
{
  guint64 max_output_bytes; /* object lock */
} GstEegDecompressorPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (GstEegDecompressor, gst_eeg_decompressor,
    GST_TYPE_EEG_CHUNK_CODEC)

static GstEegDecompressorPrivate *
decompressor_private (GObject *object)
{
  return gst_eeg_decompressor_get_instance_private (
      GST_EEG_DECOMPRESSOR (object));
}

static void
gst_eeg_decompressor_set_property (GObject *object, guint prop_id,
    const GValue *value, GParamSpec *pspec)
{
  GstEegChunkCodec *codec = GST_EEG_CHUNK_CODEC (object);

  switch (prop_id) {
    case PROP_MAX_OUTPUT_BYTES:
      GST_OBJECT_LOCK (object);
      decompressor_private (object)->max_output_bytes =
          g_value_get_uint64 (value);
      GST_OBJECT_UNLOCK (object);
      gst_eeg_chunk_codec_set_max_output_bytes (codec,
          g_value_get_uint64 (value));
      break;
    case PROP_SALVAGE:
      gst_eeg_chunk_codec_set_salvage (codec, g_value_get_boolean (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
}

static void
gst_eeg_decompressor_get_property (GObject *object, guint prop_id,
    GValue *value, GParamSpec *pspec)
{
  switch (prop_id) {
    case PROP_MAX_OUTPUT_BYTES:
      GST_OBJECT_LOCK (object);
      g_value_set_uint64 (value,
          decompressor_private (object)->max_output_bytes);
      GST_OBJECT_UNLOCK (object);
      break;
    case PROP_SALVAGE:
      g_value_set_boolean (value,
          gst_eeg_chunk_codec_get_salvage (GST_EEG_CHUNK_CODEC (object)));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
}

static void
gst_eeg_decompressor_class_init (GstEegDecompressorClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->set_property = gst_eeg_decompressor_set_property;
  object_class->get_property = gst_eeg_decompressor_get_property;
  GST_EEG_CHUNK_CODEC_CLASS (klass)->kind = GST_EEG_STAGE_KIND_DECOMPRESSION;

  /**
   * GstEegDecompressor:max-output-bytes:
   *
   * A stream that decodes to more bytes is an error: a bound for input of which
   * nobody knows whether it was made to fill the disk.
   */
  g_object_class_install_property (object_class, PROP_MAX_OUTPUT_BYTES,
      g_param_spec_uint64 ("max-output-bytes", "Maximum output",
          "Bytes that a stream may decode to, 0: no limit", 0, G_MAXINT64,
          DEFAULT_MAX_OUTPUT_BYTES,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));

  /**
   * GstEegDecompressor:salvage:
   *
   * Whether damaged chunks are left out instead of being an error: each becomes
   * a GAP event and an element message `eeg-salvage` with counts.
   */
  g_object_class_install_property (object_class, PROP_SALVAGE,
      g_param_spec_boolean ("salvage", "Salvage",
          "Replace damaged chunks by GAP events and go on, instead of an error",
          DEFAULT_SALVAGE,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));

  gst_type_mark_as_plugin_api (GST_TYPE_EEG_DECOMPRESSOR, 0);
}

static void
gst_eeg_decompressor_init (GstEegDecompressor *self)
{
  decompressor_private (G_OBJECT (self))->max_output_bytes =
      DEFAULT_MAX_OUTPUT_BYTES;
}

/**
 * gst_eeg_decompressor_set_damaged:
 * @decompressor: a decompressor
 * @error: (out) (optional): where to put the error
 *
 * Sets the one error of data that cannot be decoded.
 */
void
gst_eeg_decompressor_set_damaged (GstEegDecompressor *decompressor,
    GError **error)
{
  g_return_if_fail (GST_IS_EEG_DECOMPRESSOR (decompressor));

  g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE,
      "The %s data is damaged or truncated.",
      GST_EEG_DECOMPRESSOR_GET_CLASS (decompressor)->format);
}

/**
 * gst_eeg_decompressor_skip_damage:
 * @decompressor: a decompressor
 * @next: distance to the next magic number, from 1 on; @size if there is none
 * @magic_size: bytes of a magic number
 * @size: bytes that parse() was shown, above 0
 * @eos: whether there will be no more
 * @unit: (out): how much is lost
 * @error: (out): the error, unless damage is stepped over
 *
 * What parse() returns at damage: an error, or, when salvaging, what lies
 * before the next frame is lost.
 *
 * Returns: %GST_EEG_CHUNK_PARSE_ERROR or %GST_EEG_CHUNK_PARSE_LOST
 */
GstEegChunkParse
gst_eeg_decompressor_skip_damage (GstEegDecompressor *decompressor, gsize next,
    gsize magic_size, gsize size, gboolean eos, GstEegChunkUnit *unit,
    GError **error)
{
  g_return_val_if_fail (GST_IS_EEG_DECOMPRESSOR (decompressor),
      GST_EEG_CHUNK_PARSE_ERROR);

  if (!gst_eeg_chunk_codec_get_salvage (GST_EEG_CHUNK_CODEC (decompressor))) {
    gst_eeg_decompressor_set_damaged (decompressor, error);
    return GST_EEG_CHUNK_PARSE_ERROR;
  }
  /* the first bytes of a magic number may be here already */
  if (next == size && !eos && size >= magic_size)
    next = size - (magic_size - 1);
  unit->size = MAX (next, 1);
  return GST_EEG_CHUNK_PARSE_LOST;
}
