/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-gzipdec
 * @title: gzipdec
 * @short_description: decompresses gzip files
 *
 * Reads gzip files of one or many members, as they come, in bounded memory.
 * The CRC of a member is verified at its end.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 filesrc location=night.edf.gz ! gzipdec ! edfdemux ! fakesink
 * ]|
 *
 * - Caps: `application/x-gzip` in; out, the `original-caps` if there are any.
 * - Latency: none.
 * - Serialized events leave behind the data before them.
 * - FLUSH drops what is held. Damage and a missing end are a STREAM/DECODE
 *   error and give no EOS, unless `salvage` is set.
 */
#include "gstgzipdec.h"

#include <string.h>
#include <zlib.h>

GST_DEBUG_CATEGORY_STATIC (gst_eeg_gzip_dec_debug);
#define GST_CAT_DEFAULT gst_eeg_gzip_dec_debug

struct _GstEegGzipDec
{
  GstEegDecompressor parent;

  /* streaming thread */
  z_stream stream;
  gboolean ready;
  guint64 members;
};

/*
 * Locking: none of its own; everything about threads is the base class's
 * business.
 */

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS ("application/x-gzip"));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

G_DEFINE_TYPE_WITH_CODE (GstEegGzipDec, gst_eeg_gzip_dec,
    GST_TYPE_EEG_DECOMPRESSOR,
    GST_DEBUG_CATEGORY_INIT (gst_eeg_gzip_dec_debug, "gzipdec", 0,
        "gzip decoder"))
GST_ELEMENT_REGISTER_DEFINE (gzipdec, "gzipdec", GST_RANK_MARGINAL,
    GST_TYPE_EEG_GZIP_DEC)

static void
gst_eeg_gzip_dec_limits (GstEegChunkCodec *codec, GstEegChunkLimits *limits)
{
  limits->max_input = 8192;
  limits->extra_bytes = 64 * 1024; /* window and tables */
}

static gboolean
gst_eeg_gzip_dec_start (GstEegChunkCodec *codec, GError **error)
{
  GstEegGzipDec *self = GST_EEG_GZIP_DEC (codec);

  memset (&self->stream, 0, sizeof self->stream);
  self->ready = inflateInit2 (&self->stream, 15 + 16) == Z_OK; /* gzip only */
  return self->ready;
}

static void
gst_eeg_gzip_dec_stop (GstEegChunkCodec *codec)
{
  GstEegGzipDec *self = GST_EEG_GZIP_DEC (codec);

  if (self->ready)
    inflateEnd (&self->stream);
  self->ready = FALSE;
}

static void
gst_eeg_gzip_dec_reset (GstEegChunkCodec *codec)
{
  GstEegGzipDec *self = GST_EEG_GZIP_DEC (codec);

  if (self->ready)
    inflateReset (&self->stream);
  self->members = 0;
}

static const guint8 magic[] = { 0x1f, 0x8b, 0x08 };

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
gst_eeg_gzip_dec_parse (GstEegChunkCodec *codec, const guint8 *data, gsize size,
    gboolean eos, GstEegChunkUnit *unit, GError **error)
{
  GstEegGzipDec *self = GST_EEG_GZIP_DEC (codec);

  if (size == 0) {
    if (!eos || self->members > 0)
      return GST_EEG_CHUNK_PARSE_MORE;
    gst_eeg_decompressor_set_damaged (GST_EEG_DECOMPRESSOR (codec),
        error); /* an empty file is none of gzip's */
    return GST_EEG_CHUNK_PARSE_ERROR;
  }
  /* padding of tapes, which gzip ignores too */
  if (self->members > 0 && data[0] == 0) {
    while (unit->size < size && data[unit->size] == 0)
      unit->size++;
    return GST_EEG_CHUNK_PARSE_SKIP;
  }
  if (size < 3 && !eos) {
    unit->size = 3;
    return GST_EEG_CHUNK_PARSE_MORE;
  }
  if (size < 3 || data[0] != 0x1f || data[1] != 0x8b || data[2] != 8)
    return gst_eeg_decompressor_skip_damage (GST_EEG_DECOMPRESSOR (codec),
        find_next (data, size), sizeof magic, size, eos, unit, error);
  self->members++;
  return GST_EEG_CHUNK_PARSE_STREAM;
}

static GstEegChunkStream
gst_eeg_gzip_dec_stream (GstEegChunkCodec *codec, const guint8 *data,
    gsize size, gsize *consumed, guint8 *out, gsize out_capacity,
    gsize *produced, GError **error)
{
  GstEegGzipDec *self = GST_EEG_GZIP_DEC (codec);
  z_stream *stream = &self->stream;
  gint result;

  size = MIN (size, G_MAXINT32);
  stream->next_in = (Bytef *) data;
  stream->avail_in = (uInt) size;
  stream->next_out = out;
  stream->avail_out = (uInt) out_capacity;
  result = inflate (stream, Z_NO_FLUSH);
  *consumed = size - stream->avail_in;
  *produced = out_capacity - stream->avail_out;
  switch (result) {
    case Z_STREAM_END:
      inflateReset (stream);
      return GST_EEG_CHUNK_STREAM_END;
    case Z_OK:
    case Z_BUF_ERROR: /* no input or no room: no error */
      return GST_EEG_CHUNK_STREAM_MORE;
    default:
      inflateReset (stream);
      gst_eeg_decompressor_set_damaged (GST_EEG_DECOMPRESSOR (codec), error);
      return GST_EEG_CHUNK_STREAM_ERROR;
  }
}

static void
gst_eeg_gzip_dec_class_init (GstEegGzipDecClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstEegChunkCodecClass *codec_class = GST_EEG_CHUNK_CODEC_CLASS (klass);

  codec_class->media_type = "application/x-gzip";
  GST_EEG_DECOMPRESSOR_CLASS (klass)->format = "gzip";
  codec_class->limits = gst_eeg_gzip_dec_limits;
  codec_class->start = gst_eeg_gzip_dec_start;
  codec_class->stop = gst_eeg_gzip_dec_stop;
  codec_class->reset = gst_eeg_gzip_dec_reset;
  codec_class->parse = gst_eeg_gzip_dec_parse;
  codec_class->stream = gst_eeg_gzip_dec_stream;

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "gzip decoder",
      "Codec/Decoder/Decompressor",
      "Decompresses gzip files of one or many members",
      "gst-plugins-eeg developers");
}

static void
gst_eeg_gzip_dec_init (GstEegGzipDec *self)
{
}
