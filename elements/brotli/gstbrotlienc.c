/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-brotlienc
 * @title: brotlienc
 * @short_description: compresses with brotli
 *
 * Writes one brotli stream, flushed after each chunk, since tools refuse
 * concatenated ones. It has no checksum: put a sum beside it. `brotli -d` reads
 * the result. One thread compresses, whatever `threads` says.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 eegsrc num-samples=25000 ! edfmux ! brotlienc ! \
 *     filesink location=night.edf.br
 * ]|
 *
 * - Caps: any in; `application/x-brotli` out, with the input's as
 *   `original-caps`.
 * - Latency: a chunk; set `chunk-duration` to bound it when live.
 * - GAP and other serialized events end the chunk and keep their place.
 * - FLUSH drops what is held; EOS sends it. No input gives an empty, valid
 *   file.
 */
#include "gstbrotlienc.h"

#include <brotli/encode.h>

GST_DEBUG_CATEGORY_STATIC (gst_eeg_brotli_enc_debug);
#define GST_CAT_DEFAULT gst_eeg_brotli_enc_debug

#define DEFAULT_QUALITY 5
#define WINDOW_LOG 22
/* What a flush can cost beyond the library's own bound. */
#define FLUSH_BYTES 64
/* Input between two looks at whether the chunk is still wanted. */
#define STEP_BYTES ((gsize) 256 * 1024)

struct _GstEegBrotliEnc
{
  GstEegCompressor parent;

  gint active_quality; /* from start to stop */

  BrotliEncoderState *stream; /* of the job under way */
};

/* Locking: none here; settings and threads are the base classes' business. */

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS ("application/x-brotli"));

G_DEFINE_TYPE_WITH_CODE (GstEegBrotliEnc, gst_eeg_brotli_enc,
    GST_TYPE_EEG_COMPRESSOR,
    GST_DEBUG_CATEGORY_INIT (gst_eeg_brotli_enc_debug, "brotlienc", 0,
        "brotli encoder"))
GST_ELEMENT_REGISTER_DEFINE (brotlienc, "brotlienc", GST_RANK_NONE,
    GST_TYPE_EEG_BROTLI_ENC)

static gsize
gst_eeg_brotli_enc_bound (GstEegChunkCodec *codec, gsize size)
{
  return BrotliEncoderMaxCompressedSize (size) + size / 1024 + FLUSH_BYTES;
}

static void
gst_eeg_brotli_enc_limits (GstEegChunkCodec *codec, GstEegChunkLimits *limits)
{
  limits->max_input =
      gst_eeg_compressor_get_chunk_size (GST_EEG_COMPRESSOR (codec));
  limits->max_output = gst_eeg_brotli_enc_bound (codec, limits->max_input);
  /* ring buffer, hash tables and commands at their largest */
  limits->extra_bytes = ((gsize) 64 << 20) + 4 * limits->max_input;
}

static gboolean
gst_eeg_brotli_enc_start (GstEegChunkCodec *codec, GError **error)
{
  GstEegBrotliEnc *self = GST_EEG_BROTLI_ENC (codec);

  self->active_quality =
      gst_eeg_compressor_get_level (GST_EEG_COMPRESSOR (codec));
  return GST_EEG_CHUNK_CODEC_CLASS (gst_eeg_brotli_enc_parent_class)
      ->start (codec, error);
}

static void
gst_eeg_brotli_enc_reset (GstEegChunkCodec *codec)
{
  g_clear_pointer (&GST_EEG_BROTLI_ENC (codec)->stream,
      BrotliEncoderDestroyInstance);
}

static gboolean
gst_eeg_brotli_enc_begin (GstEegChunkCodec *codec, GstBuffer **header,
    GError **error)
{
  GstEegBrotliEnc *self = GST_EEG_BROTLI_ENC (codec);

  gst_eeg_brotli_enc_reset (codec);
  self->stream = BrotliEncoderCreateInstance (NULL, NULL, NULL);
  if (self->stream == NULL) {
    g_set_error_literal (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
        "Could not create a brotli encoder.");
    return FALSE;
  }
  BrotliEncoderSetParameter (self->stream, BROTLI_PARAM_QUALITY,
      (guint32) self->active_quality);
  BrotliEncoderSetParameter (self->stream, BROTLI_PARAM_LGWIN, WINDOW_LOG);
  return TRUE;
}

static gboolean
gst_eeg_brotli_enc_process (GstEegChunkCodec *codec, gpointer worker,
    GstEegChunkJob *job, GError **error)
{
  GstEegBrotliEnc *self = GST_EEG_BROTLI_ENC (codec);
  BrotliEncoderOperation end =
      job->last ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_FLUSH;
  const guint8 *in = job->data;
  guint8 *out = job->out;
  gsize left = job->size, out_left = job->out_capacity, in_left;
  BROTLI_BOOL ok;

  do {
    in_left = MIN (left, STEP_BYTES);
    left -= in_left;
    do {
      ok = BrotliEncoderCompressStream (self->stream,
          left > 0 ? BROTLI_OPERATION_PROCESS : end, &in_left, &in, &out_left,
          &out, NULL);
    } while (ok && out_left > 0
        && (in_left > 0 || BrotliEncoderHasMoreOutput (self->stream)));
    ok = ok && in_left == 0 && !BrotliEncoderHasMoreOutput (self->stream);
  } while (ok && left > 0 && !gst_eeg_chunk_job_is_cancelled (job));
  if (!ok || left > 0) {
    g_set_error_literal (error, GST_STREAM_ERROR, GST_STREAM_ERROR_ENCODE,
        "brotli could not compress.");
    return FALSE;
  }
  job->out_size = job->out_capacity - out_left;
  return TRUE;
}

static void
gst_eeg_brotli_enc_class_init (GstEegBrotliEncClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstEegChunkCodecClass *codec_class = GST_EEG_CHUNK_CODEC_CLASS (klass);

  codec_class->media_type = "application/x-brotli";
  codec_class->sequential = TRUE;
  codec_class->limits = gst_eeg_brotli_enc_limits;
  codec_class->start = gst_eeg_brotli_enc_start;
  codec_class->reset = gst_eeg_brotli_enc_reset;
  codec_class->begin = gst_eeg_brotli_enc_begin;
  codec_class->bound = gst_eeg_brotli_enc_bound;
  codec_class->process = gst_eeg_brotli_enc_process;

  /**
   * GstEegBrotliEnc:quality:
   *
   * Compression quality.
   */
  gst_eeg_compressor_class_install_level (GST_EEG_COMPRESSOR_CLASS (klass),
      g_param_spec_int ("quality", "Quality",
          "Compression quality, 0 (fastest) to 11 (smallest)", 0, 11,
          DEFAULT_QUALITY,
          G_PARAM_READWRITE | G_PARAM_CONSTRUCT | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "brotli encoder",
      "Codec/Encoder/Compressor",
      "Compresses a stream into one brotli stream, flushed after each chunk",
      "gst-plugins-eeg developers");
}

static void
gst_eeg_brotli_enc_init (GstEegBrotliEnc *self)
{
}
