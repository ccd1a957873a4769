/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-lz4enc
 * @title: lz4enc
 * @short_description: compresses with LZ4 in parallel chunks
 *
 * Each chunk becomes one complete LZ4 frame with content size and checksum, so
 * that a file that breaks off loses its last chunk only. `lz4 -d` reads it.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 eegsrc num-samples=25000 ! edfmux ! lz4enc ! \
 *     filesink location=night.edf.lz4
 * ]|
 *
 * - Caps: any in; `application/x-lz4` out, with the input's as
 *   `original-caps`.
 * - Latency: a chunk; set `chunk-duration` to bound it when live.
 * - GAP and other serialized events end the chunk and keep their place.
 * - FLUSH drops what is held; EOS sends it. No input gives an empty, valid
 *   file.
 */
#include "gstlz4enc.h"

#include <lz4.h>
#include <lz4frame.h>
#include <lz4hc.h>

GST_DEBUG_CATEGORY_STATIC (gst_eeg_lz4_enc_debug);
#define GST_CAT_DEFAULT gst_eeg_lz4_enc_debug

#define DEFAULT_LEVEL 0

struct _GstEegLz4Enc
{
  GstEegCompressor parent;
};

/* Locking: none here; settings and threads are the base classes' business. */

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS ("application/x-lz4"));

G_DEFINE_TYPE_WITH_CODE (GstEegLz4Enc, gst_eeg_lz4_enc, GST_TYPE_EEG_COMPRESSOR,
    GST_DEBUG_CATEGORY_INIT (gst_eeg_lz4_enc_debug, "lz4enc", 0, "lz4 encoder"))
GST_ELEMENT_REGISTER_DEFINE (lz4enc, "lz4enc", GST_RANK_NONE,
    GST_TYPE_EEG_LZ4_ENC)

static LZ4F_preferences_t
make_preferences (gsize size, gint level)
{
  LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;

  /* one block if that is possible */
  preferences.frameInfo.blockSizeID = size <= 64 * 1024 ? LZ4F_max64KB
      : size <= 256 * 1024                              ? LZ4F_max256KB
      : size <= 1024 * 1024                             ? LZ4F_max1MB
                                                        : LZ4F_max4MB;
  preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
  preferences.frameInfo.contentSize = size;
  preferences.compressionLevel = level;
  return preferences;
}

static gsize
gst_eeg_lz4_enc_bound (GstEegChunkCodec *codec, gsize size)
{
  LZ4F_preferences_t preferences = make_preferences (size, 0);

  return LZ4F_compressFrameBound (size, &preferences);
}

static void
gst_eeg_lz4_enc_limits (GstEegChunkCodec *codec, GstEegChunkLimits *limits)
{
  limits->max_input =
      gst_eeg_compressor_get_chunk_size (GST_EEG_COMPRESSOR (codec));
  limits->max_output = gst_eeg_lz4_enc_bound (codec, limits->max_input);
  /* made for each chunk */
  limits->context_bytes =
      gst_eeg_compressor_get_level (GST_EEG_COMPRESSOR (codec))
          < LZ4HC_CLEVEL_MIN
      ? sizeof (LZ4_stream_t)
      : sizeof (LZ4_streamHC_t);
}

static gboolean
gst_eeg_lz4_enc_process (GstEegChunkCodec *codec, gpointer worker,
    GstEegChunkJob *job, GError **error)
{
  LZ4F_preferences_t preferences = make_preferences (job->size,
      (gint) (gint64) job->values[GST_EEG_COMPRESSOR_VALUE_LEVEL]);
  gsize size = LZ4F_compressFrame (job->out, job->out_capacity, job->data,
      job->size, &preferences);

  if (LZ4F_isError (size)) {
    g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_ENCODE,
        "LZ4 could not compress: %s.", LZ4F_getErrorName (size));
    return FALSE;
  }
  job->out_size = size;
  return TRUE;
}

static GstBuffer *
gst_eeg_lz4_enc_label (GstEegChunkCodec *codec, const gchar *text)
{
  return gst_eeg_compressor_make_skippable_label (text);
}

static void
gst_eeg_lz4_enc_class_init (GstEegLz4EncClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstEegChunkCodecClass *codec_class = GST_EEG_CHUNK_CODEC_CLASS (klass);

  codec_class->media_type = "application/x-lz4";
  codec_class->library = LZ4_versionString ();
  codec_class->limits = gst_eeg_lz4_enc_limits;
  codec_class->bound = gst_eeg_lz4_enc_bound;
  codec_class->label = gst_eeg_lz4_enc_label;
  codec_class->process = gst_eeg_lz4_enc_process;

  /**
   * GstEegLz4Enc:level:
   *
   * Compression level, used from the next chunk on.
   */
  gst_eeg_compressor_class_install_level (GST_EEG_COMPRESSOR_CLASS (klass),
      g_param_spec_int ("level", "Level",
          "Compression level, -100 (fastest) to 12 (smallest)", -100, 12,
          DEFAULT_LEVEL,
          G_PARAM_READWRITE | G_PARAM_CONSTRUCT | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_PLAYING));

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "lz4 encoder",
      "Codec/Encoder/Compressor",
      "Compresses a stream into LZ4 frames, one per chunk, in parallel",
      "gst-plugins-eeg developers");
}

static void
gst_eeg_lz4_enc_init (GstEegLz4Enc *self)
{
}
