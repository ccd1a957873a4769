/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-lz4dec
 * @title: lz4dec
 * @short_description: decompresses LZ4 files
 *
 * Reads files of LZ4 frames, with skippable frames between. Frames that say how
 * much they hold, up to 4 MiB, are decoded in parallel; others as they come, in
 * bounded memory.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 filesrc location=night.edf.lz4 ! lz4dec ! edfdemux ! fakesink
 * ]|
 *
 * - Caps: `application/x-lz4` in; out, the `original-caps` if there are any.
 * - Latency: a frame that is decoded in parallel is waited for, else none.
 * - Serialized events leave behind the data before them.
 * - FLUSH drops what is held. Damage and a missing end are a STREAM/DECODE
 *   error and give no EOS, unless `salvage` is set.
 */
#include "gstlz4dec.h"

#include "lz4walk.h"

#include <lz4frame.h>
#include <string.h>

GST_DEBUG_CATEGORY_STATIC (gst_eeg_lz4_dec_debug);
#define GST_CAT_DEFAULT gst_eeg_lz4_dec_debug

/* Frames up to this size are decoded in one piece. */
#define MAX_JOB_OUTPUT (4 * 1024 * 1024)
#define MAX_JOB_INPUT (MAX_JOB_OUTPUT + 65536)

struct _GstEegLz4Dec
{
  GstEegDecompressor parent;

  /* streaming thread */
  LZ4F_dctx *stream;
  gboolean got_header; /* of the frame at hand */
  EegLz4walkHeader header;
  gsize walked;
  guint64 frames;
};

/*
 * Locking: none of its own; everything about threads is the base class's
 * business.
 */

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS ("application/x-lz4"));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

G_DEFINE_TYPE_WITH_CODE (GstEegLz4Dec, gst_eeg_lz4_dec,
    GST_TYPE_EEG_DECOMPRESSOR,
    GST_DEBUG_CATEGORY_INIT (gst_eeg_lz4_dec_debug, "lz4dec", 0, "lz4 decoder"))
GST_ELEMENT_REGISTER_DEFINE (lz4dec, "lz4dec", GST_RANK_MARGINAL,
    GST_TYPE_EEG_LZ4_DEC)

static void
gst_eeg_lz4_dec_limits (GstEegChunkCodec *codec, GstEegChunkLimits *limits)
{
  limits->max_input = MAX_JOB_INPUT;
  limits->max_output = MAX_JOB_OUTPUT;
  limits->context_bytes = 16 * 1024;
  /* a large frame's block, its output and the window */
  limits->extra_bytes = 2 * 4 * 1024 * 1024 + 256 * 1024;
}

static gpointer
gst_eeg_lz4_dec_worker_new (GstEegChunkCodec *codec, GError **error)
{
  LZ4F_dctx *context = NULL;

  if (LZ4F_isError (LZ4F_createDecompressionContext (&context, LZ4F_VERSION)))
    return NULL;
  return context;
}

static void
gst_eeg_lz4_dec_worker_free (GstEegChunkCodec *codec, gpointer worker)
{
  LZ4F_freeDecompressionContext (worker);
}

static gboolean
gst_eeg_lz4_dec_start (GstEegChunkCodec *codec, GError **error)
{
  GstEegLz4Dec *self = GST_EEG_LZ4_DEC (codec);

  self->stream = gst_eeg_lz4_dec_worker_new (codec, error);
  return self->stream != NULL;
}

static void
gst_eeg_lz4_dec_stop (GstEegChunkCodec *codec)
{
  GstEegLz4Dec *self = GST_EEG_LZ4_DEC (codec);

  if (self->stream != NULL)
    LZ4F_freeDecompressionContext (self->stream);
  self->stream = NULL;
}

static void
gst_eeg_lz4_dec_reset (GstEegChunkCodec *codec)
{
  GstEegLz4Dec *self = GST_EEG_LZ4_DEC (codec);

  if (self->stream != NULL)
    LZ4F_resetDecompressionContext (self->stream);
  self->got_header = FALSE;
  self->walked = 0;
  self->frames = 0;
}

static const guint8 magic[] = { 0x04, 0x22, 0x4d, 0x18 };

/* Distance to the next magic number at 1 or behind. */
static gsize
find_next (const guint8 *data, gsize size)
{
  gsize i;

  for (i = 1; i + sizeof magic <= size; i++)
    if (memcmp (data + i, magic, sizeof magic) == 0)
      return i;
  return size;
}

static GstEegChunkParse
gst_eeg_lz4_dec_parse (GstEegChunkCodec *codec, const guint8 *data, gsize size,
    gboolean eos, GstEegChunkUnit *unit, GError **error)
{
  GstEegLz4Dec *self = GST_EEG_LZ4_DEC (codec);
  EegLz4walkResult result;
  gsize need = 0;

  if (size == 0) {
    if (!eos || self->frames > 0)
      return GST_EEG_CHUNK_PARSE_MORE;
    gst_eeg_decompressor_set_damaged (GST_EEG_DECOMPRESSOR (codec),
        error); /* an empty file is none of lz4's */
    return GST_EEG_CHUNK_PARSE_ERROR;
  }
  if (!self->got_header) {
    result = eeg_lz4walk_read_header (data, size, &self->header, &need);
    if (result == EEG_LZ4WALK_MORE && !eos) {
      unit->size = need;
      return GST_EEG_CHUNK_PARSE_MORE;
    }
    if (result != EEG_LZ4WALK_OK)
      return gst_eeg_decompressor_skip_damage (GST_EEG_DECOMPRESSOR (codec),
          find_next (data, size), sizeof magic, size, eos, unit, error);
    self->frames++;
    if (self->header.skippable) {
      unit->size = self->header.skip_size;
      return GST_EEG_CHUNK_PARSE_SKIP;
    }
    if (self->header.content_size > MAX_JOB_OUTPUT)
      return GST_EEG_CHUNK_PARSE_STREAM;
    self->got_header = TRUE;
    self->walked = 0;
  }

  result = eeg_lz4walk_walk (data, size, &self->header, &self->walked, &need);
  /* More blocks than such a frame needs: then it is not kept in memory. */
  if (result != EEG_LZ4WALK_BAD && MAX (need, self->walked) > MAX_JOB_INPUT) {
    self->got_header = FALSE;
    return GST_EEG_CHUNK_PARSE_STREAM;
  }
  if (result == EEG_LZ4WALK_MORE && !eos) {
    unit->size = need;
    return GST_EEG_CHUNK_PARSE_MORE;
  }
  self->got_header = FALSE;
  if (result != EEG_LZ4WALK_OK)
    return gst_eeg_decompressor_skip_damage (GST_EEG_DECOMPRESSOR (codec),
        find_next (data, size), sizeof magic, size, eos, unit, error);
  unit->size = self->walked;
  unit->out_size = (gsize) self->header.content_size;
  return GST_EEG_CHUNK_PARSE_JOB;
}

static gboolean
gst_eeg_lz4_dec_process (GstEegChunkCodec *codec, gpointer worker,
    GstEegChunkJob *job, GError **error)
{
  /* the whole output stays where it is: no copy of the window is needed */
  const LZ4F_decompressOptions_t options = { .stableDst = 1 };
  gsize done = 0, read = 0, result;

  do {
    gsize produced = job->out_capacity - done, consumed = job->size - read;

    result = LZ4F_decompress (worker, job->out + done, &produced,
        job->data + read, &consumed, &options);
    done += produced;
    read += consumed;
    if (LZ4F_isError (result) || (result != 0 && produced + consumed == 0)) {
      LZ4F_resetDecompressionContext (worker);
      gst_eeg_decompressor_set_damaged (GST_EEG_DECOMPRESSOR (codec), error);
      return FALSE;
    }
  } while (result != 0);
  if (done != job->out_capacity || read != job->size) {
    gst_eeg_decompressor_set_damaged (GST_EEG_DECOMPRESSOR (codec), error);
    return FALSE;
  }
  job->out_size = done;
  return TRUE;
}

static GstEegChunkStream
gst_eeg_lz4_dec_stream (GstEegChunkCodec *codec, const guint8 *data, gsize size,
    gsize *consumed, guint8 *out, gsize out_capacity, gsize *produced,
    GError **error)
{
  GstEegLz4Dec *self = GST_EEG_LZ4_DEC (codec);
  gsize result;

  *consumed = size;
  *produced = out_capacity;
  result = LZ4F_decompress (self->stream, out, produced, data, consumed, NULL);
  if (LZ4F_isError (result)) {
    LZ4F_resetDecompressionContext (self->stream);
    *produced = 0;
    gst_eeg_decompressor_set_damaged (GST_EEG_DECOMPRESSOR (codec), error);
    return GST_EEG_CHUNK_STREAM_ERROR;
  }
  return result == 0 ? GST_EEG_CHUNK_STREAM_END : GST_EEG_CHUNK_STREAM_MORE;
}

static void
gst_eeg_lz4_dec_class_init (GstEegLz4DecClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstEegChunkCodecClass *codec_class = GST_EEG_CHUNK_CODEC_CLASS (klass);

  codec_class->media_type = "application/x-lz4";
  GST_EEG_DECOMPRESSOR_CLASS (klass)->format = "lz4";
  codec_class->limits = gst_eeg_lz4_dec_limits;
  codec_class->start = gst_eeg_lz4_dec_start;
  codec_class->stop = gst_eeg_lz4_dec_stop;
  codec_class->reset = gst_eeg_lz4_dec_reset;
  codec_class->worker_new = gst_eeg_lz4_dec_worker_new;
  codec_class->worker_free = gst_eeg_lz4_dec_worker_free;
  codec_class->parse = gst_eeg_lz4_dec_parse;
  codec_class->process = gst_eeg_lz4_dec_process;
  codec_class->stream = gst_eeg_lz4_dec_stream;

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "lz4 decoder",
      "Codec/Decoder/Decompressor",
      "Decompresses LZ4 files, frames in parallel where their sizes are known",
      "gst-plugins-eeg developers");
}

static void
gst_eeg_lz4_dec_init (GstEegLz4Dec *self)
{
}
