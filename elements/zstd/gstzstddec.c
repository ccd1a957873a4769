/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-zstddec
 * @title: zstddec
 * @short_description: decompresses zstd files
 *
 * Reads zstd files from anywhere: one frame or many, of any size, with
 * skippable frames between. Frames that say how much they hold, up to 4 MiB,
 * are decoded in parallel; larger ones are decoded as they come, in bounded
 * memory.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 filesrc location=night.edf.zst ! zstddec ! edfdemux ! fakesink
 * ]|
 *
 * - Caps: `application/x-zstd` in; out, the `original-caps` if there are any.
 * - Latency: a frame that is decoded in parallel is waited for, else none.
 * - GAP and other serialized events leave behind the frames before them.
 * - FLUSH drops what is held. A file that ends inside a frame is a
 *   STREAM/DECODE error and gives no EOS; so is any other damage, unless
 *   `salvage` is set.
 * - What a frame in one piece holds is pushed after its checksum was verified;
 *   of larger frames the checksum is verified when they end.
 */
#include "gstzstddec.h"

#include "zstdframe.h"

#include <zstd.h>

GST_DEBUG_CATEGORY_STATIC (gst_eeg_zstd_dec_debug);
#define GST_CAT_DEFAULT gst_eeg_zstd_dec_debug

enum
{
  PROP_0,
  PROP_MAX_WINDOW_LOG
};

#define DEFAULT_MAX_WINDOW_LOG 27
#define MIN_WINDOW_LOG 10
#define MAX_WINDOW_LOG 31

/* Frames up to this size are decoded in one piece. */
#define MAX_JOB_OUTPUT (4 * 1024 * 1024)
/* Frames that are here at once and hold no more than this go into one job: each
 * on its own is hardly worth the hand-off to another thread. */
#define BATCH_OUTPUT (1024 * 1024)

struct _GstEegZstdDec
{
  GstEegDecompressor parent;

  guint max_window_log; /* object lock */

  /* streaming thread */
  guint active_window_log;
  ZSTD_DCtx *stream;
  gboolean got_header; /* of the frame at hand */
  EegZstdframeHeader header;
  gsize walked;
  guint64 frames;
};

/*
 * Locking: the object lock guards max_window_log and is held for nothing else.
 * Everything about threads is the base class's business.
 */

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS ("application/x-zstd"));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

G_DEFINE_TYPE_WITH_CODE (GstEegZstdDec, gst_eeg_zstd_dec,
    GST_TYPE_EEG_DECOMPRESSOR,
    GST_DEBUG_CATEGORY_INIT (gst_eeg_zstd_dec_debug, "zstddec", 0,
        "zstd decoder"))
GST_ELEMENT_REGISTER_DEFINE (zstddec, "zstddec", GST_RANK_MARGINAL,
    GST_TYPE_EEG_ZSTD_DEC)

static void
gst_eeg_zstd_dec_limits (GstEegChunkCodec *codec, GstEegChunkLimits *limits)
{
  GstEegZstdDec *self = GST_EEG_ZSTD_DEC (codec);
  guint window_log;

  GST_OBJECT_LOCK (self);
  window_log = self->max_window_log;
  GST_OBJECT_UNLOCK (self);
  limits->max_input = ZSTD_compressBound (MAX_JOB_OUTPUT);
  limits->max_output = MAX_JOB_OUTPUT;
  limits->context_bytes = 256 * 1024;
  /* the window of a large frame, and two blocks */
  limits->extra_bytes = ((gsize) 1 << window_log) + 512 * 1024;
}

static gboolean
gst_eeg_zstd_dec_start (GstEegChunkCodec *codec, GError **error)
{
  GstEegZstdDec *self = GST_EEG_ZSTD_DEC (codec);

  GST_OBJECT_LOCK (self);
  self->active_window_log = self->max_window_log;
  GST_OBJECT_UNLOCK (self);
  self->stream = ZSTD_createDCtx ();
  if (self->stream == NULL)
    return FALSE;
  ZSTD_DCtx_setParameter (self->stream, ZSTD_d_windowLogMax,
      (int) self->active_window_log);
  return TRUE;
}

static void
gst_eeg_zstd_dec_stop (GstEegChunkCodec *codec)
{
  g_clear_pointer (&GST_EEG_ZSTD_DEC (codec)->stream, ZSTD_freeDCtx);
}

static void
gst_eeg_zstd_dec_reset (GstEegChunkCodec *codec)
{
  GstEegZstdDec *self = GST_EEG_ZSTD_DEC (codec);

  if (self->stream != NULL)
    ZSTD_DCtx_reset (self->stream, ZSTD_reset_session_only);
  self->got_header = FALSE;
  self->walked = 0;
  self->frames = 0;
}

static gpointer
gst_eeg_zstd_dec_worker_new (GstEegChunkCodec *codec, GError **error)
{
  return ZSTD_createDCtx ();
}

static void
gst_eeg_zstd_dec_worker_free (GstEegChunkCodec *codec, gpointer worker)
{
  ZSTD_freeDCtx (worker);
}

/* Damage at @data. */
static GstEegChunkParse
damaged (GstEegZstdDec *self, const guint8 *data, gsize size, gboolean eos,
    GstEegChunkUnit *unit, GError **error)
{
  self->got_header = FALSE;
  return gst_eeg_decompressor_skip_damage (GST_EEG_DECOMPRESSOR (self),
      eeg_zstdframe_find (data, size, 1), 4, size, eos, unit, error);
}

/* Adds frames to @unit that follow it and are whole. */
static void
add_frames (GstEegZstdDec *self, const guint8 *data, gsize size,
    GstEegChunkUnit *unit)
{
  EegZstdframeHeader header;
  gsize need;

  while (unit->size < size && unit->out_size < BATCH_OUTPUT) {
    const guint8 *frame = data + unit->size;
    gsize left = size - (gsize) unit->size, walked = 0;

    if (eeg_zstdframe_read_header (frame, left, &header, &need)
            != EEG_ZSTDFRAME_OK
        || header.skippable
        || header.content_size > BATCH_OUTPUT - unit->out_size
        || eeg_zstdframe_walk (frame, left, &header, &walked, &need)
            != EEG_ZSTDFRAME_OK
        || walked > ZSTD_compressBound (BATCH_OUTPUT))
      return;
    self->frames++;
    unit->size += walked;
    unit->out_size += (gsize) header.content_size;
  }
}

static GstEegChunkParse
gst_eeg_zstd_dec_parse (GstEegChunkCodec *codec, const guint8 *data, gsize size,
    gboolean eos, GstEegChunkUnit *unit, GError **error)
{
  GstEegZstdDec *self = GST_EEG_ZSTD_DEC (codec);
  EegZstdframeResult result;
  gsize need = 0;

  if (size == 0) {
    if (!eos || self->frames > 0)
      return GST_EEG_CHUNK_PARSE_MORE;
    gst_eeg_decompressor_set_damaged (GST_EEG_DECOMPRESSOR (codec),
        error); /* an empty file is none of zstd's */
    return GST_EEG_CHUNK_PARSE_ERROR;
  }
  if (!self->got_header) {
    result = eeg_zstdframe_read_header (data, size, &self->header, &need);
    if (result == EEG_ZSTDFRAME_MORE && !eos) {
      unit->size = need;
      return GST_EEG_CHUNK_PARSE_MORE;
    }
    if (result != EEG_ZSTDFRAME_OK)
      return damaged (self, data, size, eos, unit, error);
    self->frames++;
    if (self->header.skippable) {
      unit->size = self->header.skip_size;
      return GST_EEG_CHUNK_PARSE_SKIP;
    }
    if (self->header.window_size > (guint64) 1 << self->active_window_log
        && self->header.content_size > MAX_JOB_OUTPUT) {
      g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE,
          "The zstd data needs a window of %" G_GUINT64_FORMAT
          " bytes, but max-window-log allows 2^%u.",
          self->header.window_size, self->active_window_log);
      return GST_EEG_CHUNK_PARSE_ERROR;
    }
    if (self->header.content_size > MAX_JOB_OUTPUT)
      return GST_EEG_CHUNK_PARSE_STREAM;
    self->got_header = TRUE;
    self->walked = 0;
  }

  result = eeg_zstdframe_walk (data, size, &self->header, &self->walked, &need);
  /* More blocks than such a frame needs: then it is not kept in memory. */
  if (result != EEG_ZSTDFRAME_BAD
      && MAX (need, self->walked) > ZSTD_compressBound (MAX_JOB_OUTPUT)) {
    self->got_header = FALSE;
    return GST_EEG_CHUNK_PARSE_STREAM;
  }
  if (result == EEG_ZSTDFRAME_MORE && !eos) {
    unit->size = need;
    return GST_EEG_CHUNK_PARSE_MORE;
  }
  if (result != EEG_ZSTDFRAME_OK)
    return damaged (self, data, size, eos, unit, error);
  self->got_header = FALSE;
  unit->size = self->walked;
  unit->out_size = (gsize) self->header.content_size;
  /* when salvaging, damage costs one frame */
  if (!gst_eeg_chunk_codec_get_salvage (codec))
    add_frames (self, data, size, unit);
  return GST_EEG_CHUNK_PARSE_JOB;
}

static gboolean
gst_eeg_zstd_dec_process (GstEegChunkCodec *codec, gpointer worker,
    GstEegChunkJob *job, GError **error)
{
  gsize read = 0;

  do {
    const guint8 *frame = job->data + read;
    gsize size = ZSTD_findFrameCompressedSize (frame, job->size - read);
    guint64 expected = ZSTD_getFrameContentSize (frame, job->size - read);

    if (ZSTD_isError (size) || expected > job->out_capacity - job->out_size
        || ZSTD_decompressDCtx (worker, job->out + job->out_size,
               (gsize) expected, frame, size)
            != expected) {
      gst_eeg_decompressor_set_damaged (GST_EEG_DECOMPRESSOR (codec), error);
      return FALSE;
    }
    read += size;
    job->out_size += (gsize) expected;
  } while (read < job->size);
  return TRUE;
}

static GstEegChunkStream
gst_eeg_zstd_dec_stream (GstEegChunkCodec *codec, const guint8 *data,
    gsize size, gsize *consumed, guint8 *out, gsize out_capacity,
    gsize *produced, GError **error)
{
  GstEegZstdDec *self = GST_EEG_ZSTD_DEC (codec);
  ZSTD_inBuffer in = { data, size, 0 };
  ZSTD_outBuffer output = { out, out_capacity, 0 };
  gsize result = ZSTD_decompressStream (self->stream, &output, &in);

  *consumed = in.pos;
  *produced = output.pos;
  if (ZSTD_isError (result)) {
    ZSTD_DCtx_reset (self->stream, ZSTD_reset_session_only);
    gst_eeg_decompressor_set_damaged (GST_EEG_DECOMPRESSOR (codec), error);
    return GST_EEG_CHUNK_STREAM_ERROR;
  }
  return result == 0 ? GST_EEG_CHUNK_STREAM_END : GST_EEG_CHUNK_STREAM_MORE;
}

static void
gst_eeg_zstd_dec_set_property (GObject *object, guint prop_id,
    const GValue *value, GParamSpec *pspec)
{
  GstEegZstdDec *self = GST_EEG_ZSTD_DEC (object);

  switch (prop_id) {
    case PROP_MAX_WINDOW_LOG:
      GST_OBJECT_LOCK (self);
      self->max_window_log = g_value_get_uint (value);
      GST_OBJECT_UNLOCK (self);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
}

static void
gst_eeg_zstd_dec_get_property (GObject *object, guint prop_id, GValue *value,
    GParamSpec *pspec)
{
  GstEegZstdDec *self = GST_EEG_ZSTD_DEC (object);

  switch (prop_id) {
    case PROP_MAX_WINDOW_LOG:
      GST_OBJECT_LOCK (self);
      g_value_set_uint (value, self->max_window_log);
      GST_OBJECT_UNLOCK (self);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
}

static void
gst_eeg_zstd_dec_class_init (GstEegZstdDecClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstEegChunkCodecClass *codec_class = GST_EEG_CHUNK_CODEC_CLASS (klass);

  object_class->set_property = gst_eeg_zstd_dec_set_property;
  object_class->get_property = gst_eeg_zstd_dec_get_property;
  codec_class->media_type = "application/x-zstd";
  GST_EEG_DECOMPRESSOR_CLASS (klass)->format = "zstd";
  codec_class->limits = gst_eeg_zstd_dec_limits;
  codec_class->start = gst_eeg_zstd_dec_start;
  codec_class->stop = gst_eeg_zstd_dec_stop;
  codec_class->reset = gst_eeg_zstd_dec_reset;
  codec_class->worker_new = gst_eeg_zstd_dec_worker_new;
  codec_class->worker_free = gst_eeg_zstd_dec_worker_free;
  codec_class->parse = gst_eeg_zstd_dec_parse;
  codec_class->process = gst_eeg_zstd_dec_process;
  codec_class->stream = gst_eeg_zstd_dec_stream;

  /**
   * GstEegZstdDec:max-window-log:
   *
   * Binary logarithm of the largest window, in bytes, that a frame may need:
   * what it asks for is memory of this process.
   */
  g_object_class_install_property (object_class, PROP_MAX_WINDOW_LOG,
      g_param_spec_uint ("max-window-log", "Maximum window",
          "Binary logarithm of the largest window in bytes, 10 to 31",
          MIN_WINDOW_LOG, MAX_WINDOW_LOG, DEFAULT_MAX_WINDOW_LOG,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "zstd decoder",
      "Codec/Decoder/Decompressor",
      "Decompresses zstd files, frames in parallel where their sizes are known",
      "gst-plugins-eeg developers");
}

static void
gst_eeg_zstd_dec_init (GstEegZstdDec *self)
{
  self->max_window_log = DEFAULT_MAX_WINDOW_LOG;
}
