/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-zstdenc
 * @title: zstdenc
 * @short_description: compresses with zstd in parallel chunks
 *
 * Each chunk becomes one complete zstd frame with content size and checksum, so
 * that a file that breaks off loses its last chunk only. `zstd -d` reads the
 * result.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 eegsrc num-samples=25000 ! edfmux ! zstdenc ! \
 *     filesink location=night.edf.zst
 * ]|
 *
 * - Caps: any in; `application/x-zstd` out, with the input's as
 *   `original-caps`.
 * - Latency: a chunk; set `chunk-duration` to bound it when live.
 * - GAP and other serialized events end the chunk and keep their place.
 * - FLUSH drops what is held; EOS sends it. No input gives one empty frame.
 */
#include "gstzstdenc.h"

#include <string.h>

#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <zstd_errors.h>

GST_DEBUG_CATEGORY_STATIC (gst_eeg_zstd_enc_debug);
#define GST_CAT_DEFAULT gst_eeg_zstd_enc_debug

enum
{
  PROP_0,
  PROP_SEEK_TABLE
};

#define DEFAULT_LEVEL 3
#define MIN_LEVEL -100
#define MAX_LEVEL 22
#define DEFAULT_SEEK_TABLE FALSE

/* From this level on, a chunk is compressed in steps of so many bytes, between
 * which it may be given up. */
#define SLOW_LEVEL 10
#define STEP_BYTES ((gsize) 1024 * 1024)

/* The seekable format's own limit. */
#define MAX_SEEK_FRAMES 0x8000000
#define SEEK_TABLE_MAGIC 0x8F92EAB1u
#define SEEK_FRAME_MAGIC 0x184D2A5Eu
#define SEEK_ENTRY_SIZE 12
/* The low half of the XXH64 of no bytes. */
#define EMPTY_HASH 0x51D8E999u

struct settings
{
  gboolean seek_table;
};

struct _GstEegZstdEnc
{
  GstEegCompressor parent;

  struct settings settings; /* object lock */

  gboolean seek_table;    /* from start to stop */
  GByteArray *seek_index; /* of the side that pushes, in order */
};

/*
 * Locking: the object lock guards the settings and is held for nothing else.
 * Everything about threads is the base class's business.
 */

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS ("application/x-zstd"));

G_DEFINE_TYPE_WITH_CODE (GstEegZstdEnc, gst_eeg_zstd_enc,
    GST_TYPE_EEG_COMPRESSOR,
    GST_DEBUG_CATEGORY_INIT (gst_eeg_zstd_enc_debug, "zstdenc", 0,
        "zstd encoder"))
GST_ELEMENT_REGISTER_DEFINE (zstdenc, "zstdenc", GST_RANK_NONE,
    GST_TYPE_EEG_ZSTD_ENC)

static gsize
gst_eeg_zstd_enc_bound (GstEegChunkCodec *codec, gsize size)
{
  return ZSTD_compressBound (size);
}

/* In one call a job cannot be given up, and here that takes a second or more;
 * in steps the library copies, which only matters at high speed. */
static gboolean
is_long_job (gsize size, gint level)
{
  return level >= SLOW_LEVEL && size > STEP_BYTES;
}

static void
gst_eeg_zstd_enc_limits (GstEegChunkCodec *codec, GstEegChunkLimits *limits)
{
  GstEegCompressor *compressor = GST_EEG_COMPRESSOR (codec);
  gsize size = gst_eeg_compressor_get_chunk_size (compressor);
  gint level = gst_eeg_compressor_get_level (compressor);
  ZSTD_compressionParameters parameters = ZSTD_getCParams (level, size, 0);

  limits->max_input = size;
  limits->max_output = ZSTD_compressBound (size);
  limits->context_bytes = is_long_job (size, level)
      ? ZSTD_estimateCStreamSize_usingCParams (parameters)
      : ZSTD_estimateCCtxSize_usingCParams (parameters);
}

static gboolean
gst_eeg_zstd_enc_start (GstEegChunkCodec *codec, GError **error)
{
  GstEegZstdEnc *self = GST_EEG_ZSTD_ENC (codec);

  if (!GST_EEG_CHUNK_CODEC_CLASS (gst_eeg_zstd_enc_parent_class)
           ->start (codec, error))
    return FALSE;
  GST_OBJECT_LOCK (self);
  self->seek_table = self->settings.seek_table;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static void
gst_eeg_zstd_enc_reset (GstEegChunkCodec *codec)
{
  g_byte_array_set_size (GST_EEG_ZSTD_ENC (codec)->seek_index, 0);
}

static gpointer
gst_eeg_zstd_enc_worker_new (GstEegChunkCodec *codec, GError **error)
{
  return ZSTD_createCCtx ();
}

static void
gst_eeg_zstd_enc_worker_free (GstEegChunkCodec *codec, gpointer worker)
{
  ZSTD_freeCCtx (worker);
}

/* Returns what ZSTD_compress2() does. What comes out depends on the input and
 * the level alone, since every step has the same size. */
static gsize
compress_in_steps (ZSTD_CCtx *context, GstEegChunkJob *job)
{
  ZSTD_inBuffer in = { job->data, 0, 0 };
  ZSTD_outBuffer out = { job->out, job->out_capacity, 0 };
  gsize left;

  ZSTD_CCtx_reset (context, ZSTD_reset_session_only);
  ZSTD_CCtx_setPledgedSrcSize (context, job->size);
  do {
    in.size += MIN (STEP_BYTES, job->size - in.size);
    left = ZSTD_compressStream2 (context, &out, &in,
        in.size < job->size ? ZSTD_e_continue : ZSTD_e_end);
    if (ZSTD_isError (left))
      break;
  } while ((in.pos < job->size || left > 0) && out.pos < out.size
      && !gst_eeg_chunk_job_is_cancelled (job));
  if (!ZSTD_isError (left)) {
    if (in.pos == job->size && left == 0)
      return out.pos;
    left = (gsize) -ZSTD_error_dstSize_tooSmall;
  }
  /* the next job begins anew */
  ZSTD_CCtx_reset (context, ZSTD_reset_session_only);
  return left;
}

static gboolean
gst_eeg_zstd_enc_process (GstEegChunkCodec *codec, gpointer worker,
    GstEegChunkJob *job, GError **error)
{
  ZSTD_CCtx *context = worker;
  gsize size;

  ZSTD_CCtx_setParameter (context, ZSTD_c_compressionLevel,
      (int) (gint64) job->values[GST_EEG_COMPRESSOR_VALUE_LEVEL]);
  ZSTD_CCtx_setParameter (context, ZSTD_c_checksumFlag, 1);
  if (is_long_job (job->size,
          (int) (gint64) job->values[GST_EEG_COMPRESSOR_VALUE_LEVEL]))
    size = compress_in_steps (context, job);
  else
    size = ZSTD_compress2 (context, job->out, job->out_capacity, job->data,
        job->size);
  if (ZSTD_isError (size)) {
    g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_ENCODE,
        "zstd could not compress: %s.", ZSTD_getErrorName (size));
    return FALSE;
  }
  job->out_size = size;
  return TRUE;
}

/* Notes the sizes of the frame, and the low half of the hash that ends it. */
static gboolean
gst_eeg_zstd_enc_emit (GstEegChunkCodec *codec, GstEegChunkJob *job,
    GstBuffer **buffer, GError **error)
{
  GstEegZstdEnc *self = GST_EEG_ZSTD_ENC (codec);
  guint8 entry[SEEK_ENTRY_SIZE];

  if (!self->seek_table)
    return TRUE;
  if (self->seek_index->len / SEEK_ENTRY_SIZE >= MAX_SEEK_FRAMES) {
    g_set_error_literal (error, GST_STREAM_ERROR, GST_STREAM_ERROR_ENCODE,
        "The stream has too many chunks for a seek table; use a larger "
        "chunk-size.");
    return FALSE;
  }
  GST_WRITE_UINT32_LE (entry, (guint32) job->out_size);
  GST_WRITE_UINT32_LE (entry + 4, (guint32) job->size);
  gst_buffer_extract (*buffer, job->out_size - 4, entry + 8, 4);
  g_byte_array_append (self->seek_index, entry, sizeof entry);
  return TRUE;
}

static gboolean
gst_eeg_zstd_enc_finish (GstEegChunkCodec *codec, GstBuffer **trailer,
    GError **error)
{
  GstEegZstdEnc *self = GST_EEG_ZSTD_ENC (codec);
  guint index_size = self->seek_index->len;
  gsize size = 8 + (gsize) index_size + 9;
  guint8 *data;

  if (!self->seek_table)
    return TRUE;
  data = g_malloc (size);
  GST_WRITE_UINT32_LE (data, SEEK_FRAME_MAGIC);
  GST_WRITE_UINT32_LE (data + 4, (guint32) (size - 8));
  if (index_size > 0)
    memcpy (data + 8, self->seek_index->data, index_size);
  GST_WRITE_UINT32_LE (data + 8 + index_size, index_size / SEEK_ENTRY_SIZE);
  data[12 + index_size] = 0x80; /* entries have a checksum */
  GST_WRITE_UINT32_LE (data + 13 + index_size, SEEK_TABLE_MAGIC);
  *trailer = gst_buffer_new_wrapped (data, size);
  g_byte_array_set_size (self->seek_index, 0);
  return TRUE;
}

/* The table counts all frames, so that the others are found where they are. */
static GstBuffer *
gst_eeg_zstd_enc_label (GstEegChunkCodec *codec, const gchar *text)
{
  GstEegZstdEnc *self = GST_EEG_ZSTD_ENC (codec);
  GstBuffer *label = gst_eeg_compressor_make_skippable_label (text);
  guint8 entry[SEEK_ENTRY_SIZE] = { 0 };

  if (self->seek_table) {
    GST_WRITE_UINT32_LE (entry, (guint32) gst_buffer_get_size (label));
    GST_WRITE_UINT32_LE (entry + 8, EMPTY_HASH);
    g_byte_array_append (self->seek_index, entry, sizeof entry);
  }
  return label;
}

static gboolean
gst_eeg_zstd_enc_can_resume (GstEegChunkCodec *codec, GError **error)
{
  gboolean seek_table;

  GST_OBJECT_LOCK (codec);
  seek_table = GST_EEG_ZSTD_ENC (codec)->settings.seek_table;
  GST_OBJECT_UNLOCK (codec);
  if (seek_table) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "%s cannot go on in the middle of its stream: seek-table=true "
        "remembers all chunks",
        GST_OBJECT_NAME (codec));
    return FALSE;
  }
  return GST_EEG_CHUNK_CODEC_CLASS (gst_eeg_zstd_enc_parent_class)
      ->can_resume (codec, error);
}

static void
gst_eeg_zstd_enc_set_property (GObject *object, guint prop_id,
    const GValue *value, GParamSpec *pspec)
{
  switch (prop_id) {
    case PROP_SEEK_TABLE:
      GST_OBJECT_LOCK (object);
      GST_EEG_ZSTD_ENC (object)->settings.seek_table =
          g_value_get_boolean (value);
      GST_OBJECT_UNLOCK (object);
      break;
    default:
      G_OBJECT_CLASS (gst_eeg_zstd_enc_parent_class)
          ->set_property (object, prop_id, value, pspec);
      break;
  }
}

static void
gst_eeg_zstd_enc_get_property (GObject *object, guint prop_id, GValue *value,
    GParamSpec *pspec)
{
  switch (prop_id) {
    case PROP_SEEK_TABLE:
      GST_OBJECT_LOCK (object);
      g_value_set_boolean (value,
          GST_EEG_ZSTD_ENC (object)->settings.seek_table);
      GST_OBJECT_UNLOCK (object);
      break;
    default:
      G_OBJECT_CLASS (gst_eeg_zstd_enc_parent_class)
          ->get_property (object, prop_id, value, pspec);
      break;
  }
}

static void
gst_eeg_zstd_enc_finalize (GObject *object)
{
  g_byte_array_unref (GST_EEG_ZSTD_ENC (object)->seek_index);
  G_OBJECT_CLASS (gst_eeg_zstd_enc_parent_class)->finalize (object);
}

static void
gst_eeg_zstd_enc_class_init (GstEegZstdEncClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstEegChunkCodecClass *codec_class = GST_EEG_CHUNK_CODEC_CLASS (klass);

  object_class->set_property = gst_eeg_zstd_enc_set_property;
  object_class->get_property = gst_eeg_zstd_enc_get_property;
  object_class->finalize = gst_eeg_zstd_enc_finalize;
  codec_class->media_type = "application/x-zstd";
  codec_class->library = ZSTD_versionString ();
  codec_class->can_resume = gst_eeg_zstd_enc_can_resume;
  codec_class->limits = gst_eeg_zstd_enc_limits;
  codec_class->start = gst_eeg_zstd_enc_start;
  codec_class->reset = gst_eeg_zstd_enc_reset;
  codec_class->worker_new = gst_eeg_zstd_enc_worker_new;
  codec_class->worker_free = gst_eeg_zstd_enc_worker_free;
  codec_class->bound = gst_eeg_zstd_enc_bound;
  codec_class->label = gst_eeg_zstd_enc_label;
  codec_class->process = gst_eeg_zstd_enc_process;
  codec_class->emit = gst_eeg_zstd_enc_emit;
  codec_class->finish = gst_eeg_zstd_enc_finish;

  /**
   * GstEegZstdEnc:level:
   *
   * Compression level, used from the next chunk on. Its window never passes
   * 128 MiB (2^27), which every decoder accepts.
   */
  gst_eeg_compressor_class_install_level (GST_EEG_COMPRESSOR_CLASS (klass),
      g_param_spec_int ("level", "Level",
          "Compression level, -100 (fastest) to 22 (smallest)", MIN_LEVEL,
          MAX_LEVEL, DEFAULT_LEVEL,
          G_PARAM_READWRITE | G_PARAM_CONSTRUCT | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_PLAYING));

  /**
   * GstEegZstdEnc:seek-table:
   *
   * Whether the table of the zstd seekable format is written at the end, in a
   * frame that other decoders skip.
   */
  g_object_class_install_property (object_class, PROP_SEEK_TABLE,
      g_param_spec_boolean ("seek-table", "Seek table",
          "Write the seek table of the zstd seekable format at the end",
          DEFAULT_SEEK_TABLE,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "zstd encoder",
      "Codec/Encoder/Compressor",
      "Compresses a stream into zstd frames, one per chunk, in parallel",
      "gst-plugins-eeg developers");
}

static void
gst_eeg_zstd_enc_init (GstEegZstdEnc *self)
{
  self->settings.seek_table = DEFAULT_SEEK_TABLE;
  self->seek_index = g_byte_array_new ();
}
