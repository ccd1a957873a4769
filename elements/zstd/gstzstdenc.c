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

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <zstd_errors.h>

#include "zstdframe.h"

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
/* The output is read in such pieces, to find its frames. */
#define READ_BYTES ((gsize) 1024 * 1024)
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

/* Notes the sizes of a frame, and the low half of the hash that ends it. */
static gboolean
note_frame (GstEegZstdEnc *self, guint32 size, guint32 content_size,
    guint32 hash, GError **error)
{
  guint8 entry[SEEK_ENTRY_SIZE];

  if (self->seek_index->len / SEEK_ENTRY_SIZE >= MAX_SEEK_FRAMES) {
    g_set_error_literal (error, GST_STREAM_ERROR, GST_STREAM_ERROR_ENCODE,
        "The stream has too many chunks for a seek table; use a larger "
        "chunk-size.");
    return FALSE;
  }
  GST_WRITE_UINT32_LE (entry, size);
  GST_WRITE_UINT32_LE (entry + 4, content_size);
  GST_WRITE_UINT32_LE (entry + 8, hash);
  g_byte_array_append (self->seek_index, entry, sizeof entry);
  return TRUE;
}

static gboolean
gst_eeg_zstd_enc_emit (GstEegChunkCodec *codec, GstEegChunkJob *job,
    GstBuffer **buffer, GError **error)
{
  GstEegZstdEnc *self = GST_EEG_ZSTD_ENC (codec);
  guint8 hash[4];

  if (!self->seek_table)
    return TRUE;
  gst_buffer_extract (*buffer, job->out_size - 4, hash, sizeof hash);
  return note_frame (self, (guint32) job->out_size, (guint32) job->size,
      GST_READ_UINT32_LE (hash), error);
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

  /* the first one always fits */
  if (self->seek_table)
    note_frame (self, (guint32) gst_buffer_get_size (label), 0, EMPTY_HASH,
        NULL);
  return label;
}

/* What this element wrote before, as far as it has to read it. */
struct output
{
  GstEegZstdEnc *self;
  int fd;
};

/* Gives up when the element is to stop: on a slow disk it may take long. */
static ssize_t
read_output (void *user_data, uint8_t *data, size_t size, uint64_t at)
{
  struct output *output = user_data;
  GstPad *pad = gst_element_get_static_pad (GST_ELEMENT (output->self), "sink");
  gboolean flushing = GST_PAD_IS_FLUSHING (pad);
  ssize_t n;

  gst_object_unref (pad);
  if (flushing) {
    errno = ECANCELED;
    return -1;
  }
  do {
    n = pread (output->fd, data, size, (off_t) at);
  } while (n < 0 && errno == EINTR);
  return n;
}

/* The frames of @input bytes in all fill the file up to where the reader
 * ends. */
static gboolean
read_frames (GstEegZstdEnc *self, EegZstdframeReader *reader, guint64 input,
    const gchar *path, GError **error)
{
  EegZstdframeResult result = EEG_ZSTDFRAME_OK;
  guint64 content = 0;

  while (reader->at < reader->end && result == EEG_ZSTDFRAME_OK) {
    guint64 at = reader->at;
    EegZstdframeEntry entry;

    result = eeg_zstdframe_reader_next (reader, &entry);
    if (result == EEG_ZSTDFRAME_IO)
      break;
    if (result == EEG_ZSTDFRAME_OK
        && (entry.skippable || !entry.has_checksum || entry.size > G_MAXUINT32
            || entry.content_size > G_MAXUINT32))
      result = EEG_ZSTDFRAME_BAD;
    if (result != EEG_ZSTDFRAME_OK) {
      g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
          "%s cannot go on: \"%s\" holds something else than the frames that "
          "it wrote, at byte %" G_GUINT64_FORMAT ".",
          GST_OBJECT_NAME (self), path, at);
      return FALSE;
    }
    content += entry.content_size;
    if (!note_frame (self, (guint32) entry.size, (guint32) entry.content_size,
            entry.checksum, error))
      return FALSE;
  }
  if (result == EEG_ZSTDFRAME_IO) {
    if (errno != ECANCELED)
      g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
          "%s cannot go on: \"%s\" cannot be read: %s.", GST_OBJECT_NAME (self),
          path, g_strerror (errno));
    return FALSE;
  }
  if (content == input)
    return TRUE;
  g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
      "%s cannot go on: the frames in \"%s\" hold %" G_GUINT64_FORMAT
      " bytes, not the %" G_GUINT64_FORMAT " that were compressed.",
      GST_OBJECT_NAME (self), path, content, input);
  return FALSE;
}

/* The table grows with the recording, so that no checkpoint has it: what is in
 * it is in the output, too. */
static gboolean
gst_eeg_zstd_enc_resume (GstEegChunkCodec *codec, guint64 input, guint64 output,
    GError **error)
{
  GstEegZstdEnc *self = GST_EEG_ZSTD_ENC (codec);
  struct output file = { self, -1 };
  GstPad *src_pad;
  EegZstdframeReader reader;
  guint8 *window;
  guint64 size = 0;
  gchar *path, *display;
  gboolean ok = FALSE;

  if (!self->seek_table || output == 0)
    return TRUE;
  src_pad = gst_element_get_static_pad (GST_ELEMENT (self), "src");
  path =
      gst_eeg_stage_find_output (GST_EEG_STAGE (self), src_pad, &size, error);
  gst_object_unref (src_pad);
  if (path == NULL)
    return FALSE;
  display = g_filename_display_name (path);
  file.fd = open (path, O_RDONLY | O_CLOEXEC);
  if (file.fd < 0) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ,
        "%s cannot go on: \"%s\" cannot be read: %s.", GST_OBJECT_NAME (self),
        display, g_strerror (errno));
  } else if (size < output) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "%s cannot go on: \"%s\" has %" G_GUINT64_FORMAT
        " bytes, not the %" G_GUINT64_FORMAT " that were written.",
        GST_OBJECT_NAME (self), display, size, output);
  } else {
    window = g_malloc (READ_BYTES);
    eeg_zstdframe_reader_init (&reader, read_output, &file, output, window,
        READ_BYTES);
    g_byte_array_set_size (self->seek_index, 0);
    ok = read_frames (self, &reader, input, display, error);
    g_free (window);
    GST_DEBUG_OBJECT (self, "%u frames in %" G_GUINT64_FORMAT " bytes",
        self->seek_index->len / SEEK_ENTRY_SIZE, output);
  }
  if (file.fd >= 0)
    close (file.fd);
  g_free (display);
  g_free (path);
  return ok;
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
  codec_class->resume = gst_eeg_zstd_enc_resume;
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
