/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-brotlidec
 * @title: brotlidec
 * @short_description: decompresses brotli files
 *
 * Reads a brotli stream as it comes, in bounded memory. Brotli has no checksum,
 * so damage may go unnoticed: put a sum beside it. Large windows are refused.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 filesrc location=night.edf.br ! brotlidec ! edfdemux ! \
 *     fakesink
 * ]|
 *
 * - Caps: `application/x-brotli` in; out, the `original-caps` if there are any.
 * - Latency: none.
 * - Serialized events leave behind the data before them.
 * - FLUSH drops what is held. Damage and a missing end are a STREAM/DECODE
 *   error and give no EOS, unless `salvage` is set.
 */
#include "gstbrotlidec.h"

#include <brotli/decode.h>

GST_DEBUG_CATEGORY_STATIC (gst_eeg_brotli_dec_debug);
#define GST_CAT_DEFAULT gst_eeg_brotli_dec_debug

struct _GstEegBrotliDec
{
  GstEegDecompressor parent;

  /* streaming thread */
  BrotliDecoderState *stream;
  guint streams;
};

/*
 * Locking: none of its own; everything about threads is the base class's
 * business.
 */

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS ("application/x-brotli"));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

G_DEFINE_TYPE_WITH_CODE (GstEegBrotliDec, gst_eeg_brotli_dec,
    GST_TYPE_EEG_DECOMPRESSOR,
    GST_DEBUG_CATEGORY_INIT (gst_eeg_brotli_dec_debug, "brotlidec", 0,
        "brotli decoder"))
GST_ELEMENT_REGISTER_DEFINE (brotlidec, "brotlidec", GST_RANK_MARGINAL,
    GST_TYPE_EEG_BROTLI_DEC)

static void
gst_eeg_brotli_dec_limits (GstEegChunkCodec *codec, GstEegChunkLimits *limits)
{
  limits->max_input = 8192;
  limits->extra_bytes = ((gsize) 1 << 25) + 1024 * 1024; /* ring, tables */
}

static void
gst_eeg_brotli_dec_reset (GstEegChunkCodec *codec)
{
  GstEegBrotliDec *self = GST_EEG_BROTLI_DEC (codec);

  g_clear_pointer (&self->stream, BrotliDecoderDestroyInstance);
  self->streams = 0;
}

static GstEegChunkParse
gst_eeg_brotli_dec_parse (GstEegChunkCodec *codec, const guint8 *data,
    gsize size, gboolean eos, GstEegChunkUnit *unit, GError **error)
{
  GstEegBrotliDec *self = GST_EEG_BROTLI_DEC (codec);

  if (size == 0 && (!eos || self->streams > 0))
    return GST_EEG_CHUNK_PARSE_MORE;
  if (size > 0 && self->streams == 0) {
    self->stream = BrotliDecoderCreateInstance (NULL, NULL, NULL);
    if (self->stream == NULL) {
      g_set_error_literal (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
          "Could not create a brotli decoder.");
      return GST_EEG_CHUNK_PARSE_ERROR;
    }
    self->streams++;
    return GST_EEG_CHUNK_PARSE_STREAM;
  }
  /* an empty file, or something behind the one stream */
  if (size > 0 && gst_eeg_chunk_codec_get_salvage (codec)) {
    unit->size = size;
    return GST_EEG_CHUNK_PARSE_LOST;
  }
  gst_eeg_decompressor_set_damaged (GST_EEG_DECOMPRESSOR (codec), error);
  return GST_EEG_CHUNK_PARSE_ERROR;
}

static GstEegChunkStream
gst_eeg_brotli_dec_stream (GstEegChunkCodec *codec, const guint8 *data,
    gsize size, gsize *consumed, guint8 *out, gsize out_capacity,
    gsize *produced, GError **error)
{
  GstEegBrotliDec *self = GST_EEG_BROTLI_DEC (codec);
  gsize in_left = size, out_left = out_capacity;
  BrotliDecoderResult result = BrotliDecoderDecompressStream (self->stream,
      &in_left, &data, &out_left, &out, NULL);

  *consumed = size - in_left;
  *produced = out_capacity - out_left;
  switch (result) {
    case BROTLI_DECODER_RESULT_SUCCESS:
      return GST_EEG_CHUNK_STREAM_END;
    case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT:
    case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT:
      return GST_EEG_CHUNK_STREAM_MORE;
    default:
      gst_eeg_decompressor_set_damaged (GST_EEG_DECOMPRESSOR (codec), error);
      return GST_EEG_CHUNK_STREAM_ERROR;
  }
}

static void
gst_eeg_brotli_dec_class_init (GstEegBrotliDecClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstEegChunkCodecClass *codec_class = GST_EEG_CHUNK_CODEC_CLASS (klass);

  codec_class->media_type = "application/x-brotli";
  GST_EEG_DECOMPRESSOR_CLASS (klass)->format = "brotli";
  codec_class->limits = gst_eeg_brotli_dec_limits;
  codec_class->reset = gst_eeg_brotli_dec_reset;
  codec_class->parse = gst_eeg_brotli_dec_parse;
  codec_class->stream = gst_eeg_brotli_dec_stream;

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "brotli decoder",
      "Codec/Decoder/Decompressor", "Decompresses brotli files",
      "gst-plugins-eeg developers");
}

static void
gst_eeg_brotli_dec_init (GstEegBrotliDec *self)
{
}
