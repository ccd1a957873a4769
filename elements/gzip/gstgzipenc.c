/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-gzipenc
 * @title: gzipenc
 * @short_description: compresses with gzip in parallel chunks
 *
 * Each chunk becomes one complete gzip member with its CRC, so that a file that
 * breaks off loses its last chunk only. `gzip -d` and `pigz -d` read the
 * result.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 eegsrc num-samples=25000 ! edfmux ! gzipenc ! \
 *     filesink location=night.edf.gz
 * ]|
 *
 * - Caps: any in; `application/x-gzip` out, with the input's as
 *   `original-caps`.
 * - Latency: a chunk; set `chunk-duration` to bound it when live.
 * - GAP and other serialized events end the chunk and keep their place.
 * - FLUSH drops what is held; EOS sends it. No input gives an empty, valid
 *   file.
 */
#include "gstgzipenc.h"

#include <string.h>

#ifdef HAVE_LIBDEFLATE
#include <libdeflate.h>
#else
#include <zlib.h>
#endif

GST_DEBUG_CATEGORY_STATIC (gst_eeg_gzip_enc_debug);
#define GST_CAT_DEFAULT gst_eeg_gzip_enc_debug

#define DEFAULT_LEVEL 6

struct _GstEegGzipEnc
{
  GstEegCompressor parent;
};

/* Locking: none here; settings and threads are the base classes' business. */

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS ("application/x-gzip"));

G_DEFINE_TYPE_WITH_CODE (GstEegGzipEnc, gst_eeg_gzip_enc,
    GST_TYPE_EEG_COMPRESSOR,
    GST_DEBUG_CATEGORY_INIT (gst_eeg_gzip_enc_debug, "gzipenc", 0,
        "gzip encoder"))
GST_ELEMENT_REGISTER_DEFINE (gzipenc, "gzipenc", GST_RANK_NONE,
    GST_TYPE_EEG_GZIP_ENC)

typedef struct
{
  gint level;
#ifdef HAVE_LIBDEFLATE
  struct libdeflate_compressor *compressor;
#else
  z_stream stream;
  gboolean ready;
#endif
} Worker;

static gsize
gst_eeg_gzip_enc_bound (GstEegChunkCodec *codec, gsize size)
{
#ifdef HAVE_LIBDEFLATE
  return libdeflate_gzip_compress_bound (NULL, size);
#else
  /* header and trailer of gzip are 12 bytes more than zlib's */
  return compressBound (size) + 12;
#endif
}

static void
gst_eeg_gzip_enc_limits (GstEegChunkCodec *codec, GstEegChunkLimits *limits)
{
  limits->max_input =
      gst_eeg_compressor_get_chunk_size (GST_EEG_COMPRESSOR (codec));
  limits->max_output = gst_eeg_gzip_enc_bound (codec, limits->max_input);
  /* the most that a level of either library takes, rounded up */
  limits->context_bytes = 9 * 1024 * 1024;
}

static gpointer
gst_eeg_gzip_enc_worker_new (GstEegChunkCodec *codec, GError **error)
{
  return g_new0 (Worker, 1);
}

static void
worker_clear (Worker *worker)
{
#ifdef HAVE_LIBDEFLATE
  if (worker->compressor != NULL)
    libdeflate_free_compressor (worker->compressor);
  worker->compressor = NULL;
#else
  if (worker->ready)
    deflateEnd (&worker->stream);
  worker->ready = FALSE;
#endif
}

static void
gst_eeg_gzip_enc_worker_free (GstEegChunkCodec *codec, gpointer worker)
{
  worker_clear (worker);
  g_free (worker);
}

static gboolean
gst_eeg_gzip_enc_process (GstEegChunkCodec *codec, gpointer data,
    GstEegChunkJob *job, GError **error)
{
  Worker *worker = data;
  gint level = (gint) job->values[GST_EEG_COMPRESSOR_VALUE_LEVEL];

  if (level != worker->level) {
    worker_clear (worker);
    worker->level = level;
  }
#ifdef HAVE_LIBDEFLATE
  if (worker->compressor == NULL)
    worker->compressor = libdeflate_alloc_compressor (level);
  if (worker->compressor != NULL)
    job->out_size = libdeflate_gzip_compress (worker->compressor, job->data,
        job->size, job->out, job->out_capacity);
#else
  if (worker->ready)
    deflateReset (&worker->stream);
  else /* 16: a gzip header */
    worker->ready = deflateInit2 (&worker->stream, MIN (level, 9), Z_DEFLATED,
                        15 + 16, 8, Z_DEFAULT_STRATEGY)
        == Z_OK;
  if (worker->ready) {
    gz_header header = { .os = 255 };

    deflateSetHeader (&worker->stream, &header);
    worker->stream.next_in = (Bytef *) job->data;
    worker->stream.avail_in = (uInt) job->size;
    worker->stream.next_out = job->out;
    worker->stream.avail_out = (uInt) job->out_capacity;
    if (deflate (&worker->stream, Z_FINISH) == Z_STREAM_END)
      job->out_size = job->out_capacity - worker->stream.avail_out;
  }
#endif
  if (job->out_size == 0) {
    g_set_error_literal (error, GST_STREAM_ERROR, GST_STREAM_ERROR_ENCODE,
        "gzip could not compress.");
    return FALSE;
  }
  return TRUE;
}

/* A member without data, with the label as its comment (RFC 1952). */
static GstBuffer *
gst_eeg_gzip_enc_label (GstEegChunkCodec *codec, const gchar *text)
{
  static const guint8 head[] = { 0x1f, 0x8b, 8, 0x10, 0, 0, 0, 0, 0, 255 };
  static const guint8 end[] = { 3, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
  GByteArray *member = g_byte_array_new ();
  gsize size;
  guint8 *data;

  g_byte_array_append (member, head, sizeof head);
  g_byte_array_append (member, (const guint8 *) text, strlen (text) + 1);
  g_byte_array_append (member, end, sizeof end);
  data = g_byte_array_steal (member, &size);
  g_byte_array_unref (member);
  return gst_buffer_new_wrapped (data, size);
}

static void
gst_eeg_gzip_enc_class_init (GstEegGzipEncClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstEegChunkCodecClass *codec_class = GST_EEG_CHUNK_CODEC_CLASS (klass);

  codec_class->media_type = "application/x-gzip";
#ifdef HAVE_LIBDEFLATE
  codec_class->library = "libdeflate-" LIBDEFLATE_VERSION_STRING;
#else
  codec_class->library = zlibVersion ();
#endif
  codec_class->limits = gst_eeg_gzip_enc_limits;
  codec_class->worker_new = gst_eeg_gzip_enc_worker_new;
  codec_class->worker_free = gst_eeg_gzip_enc_worker_free;
  codec_class->bound = gst_eeg_gzip_enc_bound;
  codec_class->label = gst_eeg_gzip_enc_label;
  codec_class->process = gst_eeg_gzip_enc_process;

  /**
   * GstEegGzipEnc:level:
   *
   * Compression level, used from the next chunk on; without libdeflate, levels
   * above 9 are 9.
   */
  gst_eeg_compressor_class_install_level (GST_EEG_COMPRESSOR_CLASS (klass),
      g_param_spec_int ("level", "Level",
          "Compression level, 1 (fastest) to 12 (smallest)", 1, 12,
          DEFAULT_LEVEL,
          G_PARAM_READWRITE | G_PARAM_CONSTRUCT | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_PLAYING));

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "gzip encoder",
      "Codec/Encoder/Compressor",
      "Compresses a stream into gzip members, one per chunk, in parallel",
      "gst-plugins-eeg developers");
}

static void
gst_eeg_gzip_enc_init (GstEegGzipEnc *self)
{
}
