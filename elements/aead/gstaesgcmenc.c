/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-aesgcmenc
 * @title: aesgcmenc
 * @short_description: encrypts any bytes with AES-256-GCM
 *
 * Encrypts to the AES-GCM-HKDF streaming format of Google's Tink, with empty
 * associated data: segments that are sealed each with its place in the stream
 * and with a mark of the end, so that a reader notices any change, also a
 * missing end.
 *
 * |[
 * gst-launch-1.0 filesrc location=night.edf ! zstdenc ! \
 *     aesgcmenc key-file=key ! filesink location=night.edf.zst.tink
 * ]|
 *
 * Any caps come in, `application/x-tink-aes-gcm-hkdf` with the input's caps as
 * `original-caps` goes out. A segment leaves when it is full and one more byte
 * or the end is known: with #GstEegAesGcmEnc:segment-size 1048576 up to that
 * much input waits in memory, and is lost in a crash; 4096 suits live streams.
 * A flush, a new stream and a restart begin a new file with fresh randomness.
 * EOS writes the final segment, unless a source of this project did not reach
 * its true end.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstaesgcmenc.h"

#include "gstaesgcmcommon.h"

GST_DEBUG_CATEGORY_STATIC (gst_eeg_aes_gcm_enc_debug);
#define GST_CAT_DEFAULT gst_eeg_aes_gcm_enc_debug

enum
{
  PROP_0,
  PROP_KEY_FILE,
  PROP_SEGMENT_SIZE
};

enum
{
  SIGNAL_REQUEST_KEY,
  N_SIGNALS
};

#define DEFAULT_SEGMENT_SIZE (1024 * 1024)

struct settings
{
  gchar *key_file;
  guint segment_size;
  gboolean segment_size_set;
};

struct state
{
  EegTinkKeys *keys;
  guint32 segment_size;
  GstAeadFile *file;
  guint64 next_segment;
};

struct _GstEegAesGcmEnc
{
  GstEegChunkCodec parent;

  /* Locking: the object lock guards settings and active_segment_size; state
   * belongs to the streaming thread, and to start and stop. */
  struct settings settings;
  guint32 active_segment_size; /* 0 while stopped */
  struct state state;
};

static guint signals[N_SIGNALS];

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (GST_AES_GCM_MEDIA_TYPE));

G_DEFINE_FINAL_TYPE_WITH_CODE (GstEegAesGcmEnc, gst_eeg_aes_gcm_enc,
    GST_TYPE_EEG_CHUNK_CODEC,
    GST_DEBUG_CATEGORY_INIT (gst_eeg_aes_gcm_enc_debug, "aesgcmenc", 0,
        "AES-256-GCM encoder"))
GST_ELEMENT_REGISTER_DEFINE (aesgcmenc, "aesgcmenc", GST_RANK_NONE,
    GST_TYPE_EEG_AES_GCM_ENC)

/* How many segments hold @size bytes from segment @first on. */
static guint64
count_segments (guint32 segment_size, guint64 first, gsize size)
{
  gsize capacity = segment_size - EEG_AEAD_TAG_SIZE;
  gsize n = size + (first == 0 ? EEG_TINK_HEADER_SIZE : 0);

  return MAX (1, n / capacity + (n % capacity != 0));
}

static void
gst_eeg_aes_gcm_enc_limits (GstEegChunkCodec *codec, GstEegChunkLimits *limits)
{
  GstEegAesGcmEnc *self = GST_EEG_AES_GCM_ENC (codec);
  gsize segment_size;

  GST_OBJECT_LOCK (self);
  segment_size = self->active_segment_size ? self->active_segment_size
                                           : self->settings.segment_size;
  GST_OBJECT_UNLOCK (self);

  segment_size = CLAMP (segment_size, EEG_TINK_MIN_SEGMENT_SIZE,
      EEG_TINK_MAX_SEGMENT_SIZE);
  limits->max_output = gst_aes_gcm_batch (segment_size) * segment_size;
  limits->max_input =
      gst_aes_gcm_batch (segment_size) * (segment_size - EEG_AEAD_TAG_SIZE);
  limits->context_bytes = sizeof (GstAeadWorker) + 1024;
  limits->extra_bytes = sizeof (EegTinkKeys) + sizeof (GstAeadFile);
}

static gboolean
gst_eeg_aes_gcm_enc_start (GstEegChunkCodec *codec, GError **error)
{
  GstEegAesGcmEnc *self = GST_EEG_AES_GCM_ENC (codec);
  struct state *st = &self->state;
  struct settings settings;
  guint32 of_key;
  gboolean ok = FALSE;

  GST_OBJECT_LOCK (self);
  settings = self->settings;
  settings.key_file = g_strdup (settings.key_file);
  GST_OBJECT_UNLOCK (self);

  if (!gst_aead_check_cipher (EEG_AEAD_AES_256_GCM, error)
      || !gst_aes_gcm_check_segment_size (settings.segment_size, error))
    goto done;
  st->keys = gst_aes_gcm_load_keys (GST_ELEMENT_CAST (self), settings.key_file,
      signals[SIGNAL_REQUEST_KEY], GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_NOT_FOUND, error);
  if (st->keys == NULL)
    goto done;

  of_key = st->keys->keys[0].segment_size;
  if (of_key != 0 && settings.segment_size_set
      && of_key != settings.segment_size) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "segment-size is %u, but the keyset's primary key is for segments of "
        "%u bytes.",
        settings.segment_size, of_key);
    goto done;
  }
  st->segment_size = of_key != 0 ? of_key : settings.segment_size;
  GST_OBJECT_LOCK (self);
  self->active_segment_size = st->segment_size;
  GST_OBJECT_UNLOCK (self);
  ok = TRUE;

done:
  g_free (settings.key_file);
  return ok;
}

static void
gst_eeg_aes_gcm_enc_stop (GstEegChunkCodec *codec)
{
  GstEegAesGcmEnc *self = GST_EEG_AES_GCM_ENC (codec);
  struct state *st = &self->state;

  g_clear_pointer (&st->keys, eeg_tink_keys_free);
  g_clear_pointer (&st->file, gst_aead_file_unref);
  GST_OBJECT_LOCK (self);
  self->active_segment_size = 0;
  GST_OBJECT_UNLOCK (self);
}

static gpointer
gst_eeg_aes_gcm_enc_worker_new (GstEegChunkCodec *codec, GError **error)
{
  return gst_aead_worker_new (EEG_AEAD_AES_256_GCM, EEG_AEAD_SEAL, error);
}

static void
gst_eeg_aes_gcm_enc_worker_free (GstEegChunkCodec *codec, gpointer worker)
{
  gst_aead_worker_free (worker);
}

/* Every stream gets a salt, a nonce prefix and so a key of its own. */
static gboolean
gst_eeg_aes_gcm_enc_begin (GstEegChunkCodec *codec, GstBuffer **header,
    GError **error)
{
  GstEegAesGcmEnc *self = GST_EEG_AES_GCM_ENC (codec);
  struct state *st = &self->state;
  const EegTinkKey *key = &st->keys->keys[0];
  guint8 bytes[EEG_TINK_HEADER_SIZE];

  g_clear_pointer (&st->file, gst_aead_file_unref);
  st->file = gst_aead_file_new ();
  if (st->file == NULL) {
    g_set_error_literal (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED,
        "No memory for a key.");
    return FALSE;
  }
  st->file->segment_size = st->segment_size;
  eeg_tink_header_generate (&st->file->header);
  eeg_tink_derive_key (&st->file->header, key->ikm, key->ikm_size, NULL, 0,
      st->file->key->data);
  st->next_segment = 0;

  eeg_tink_header_write (&st->file->header, bytes);
  *header = gst_buffer_new_memdup (bytes, sizeof bytes);
  return TRUE;
}

static gsize
gst_eeg_aes_gcm_enc_capacity (GstEegChunkCodec *codec)
{
  struct state *st = &GST_EEG_AES_GCM_ENC (codec)->state;
  gsize size = gst_aes_gcm_batch (st->segment_size)
      * ((gsize) st->segment_size - EEG_AEAD_TAG_SIZE);

  return st->next_segment == 0 ? size - EEG_TINK_HEADER_SIZE : size;
}

static gsize
gst_eeg_aes_gcm_enc_cut (GstEegChunkCodec *codec, gsize size)
{
  struct state *st = &GST_EEG_AES_GCM_ENC (codec)->state;
  gsize capacity = st->segment_size - EEG_AEAD_TAG_SIZE;
  gsize header = st->next_segment == 0 ? EEG_TINK_HEADER_SIZE : 0;
  gsize cells = (size + header) / capacity;

  return cells > 0 ? cells * capacity - header : 0;
}

static gsize
gst_eeg_aes_gcm_enc_bound (GstEegChunkCodec *codec, gsize size)
{
  struct state *st = &GST_EEG_AES_GCM_ENC (codec)->state;

  return size
      + EEG_AEAD_TAG_SIZE
      * count_segments (st->segment_size, st->next_segment, size);
}

static gboolean
gst_eeg_aes_gcm_enc_prepare (GstEegChunkCodec *codec, GstEegChunkJob *job,
    GError **error)
{
  struct state *st = &GST_EEG_AES_GCM_ENC (codec)->state;
  guint64 n = count_segments (st->segment_size, st->next_segment, job->size);

  if (n > EEG_TINK_MAX_SEGMENTS - st->next_segment) {
    g_set_error_literal (error, GST_STREAM_ERROR, GST_STREAM_ERROR_ENCODE,
        "The stream has more segments than the format can count; use a larger "
        "segment-size.");
    return FALSE;
  }
  job->values[GST_AEAD_VALUE_FIRST] = st->next_segment;
  job->user_data = gst_aead_file_ref (st->file);
  job->user_free = (GDestroyNotify) gst_aead_file_unref;
  st->next_segment += n;
  return TRUE;
}

static gboolean
gst_eeg_aes_gcm_enc_process (GstEegChunkCodec *codec, gpointer worker,
    GstEegChunkJob *job, GError **error)
{
  const GstAeadFile *file = job->user_data;
  GstAeadWorker *self = worker;
  EegAeadPiece *pieces = g_newa (EegAeadPiece, job->n_pieces);
  EegAeadReader reader = gst_aead_read_job (job, pieces);

  if (gst_aead_worker_use (self, file))
    job->out_size = eeg_tink_seal (self->context, &file->header,
        file->segment_size, job->values[GST_AEAD_VALUE_FIRST], job->last,
        &reader, job->size, job->out);
  if (job->out_size > 0)
    return TRUE;
  g_set_error_literal (error, GST_STREAM_ERROR, GST_STREAM_ERROR_ENCODE,
      "The cipher failed.");
  return FALSE;
}

static void
gst_eeg_aes_gcm_enc_set_property (GObject *object, guint prop_id,
    const GValue *value, GParamSpec *pspec)
{
  GstEegAesGcmEnc *self = GST_EEG_AES_GCM_ENC (object);

  GST_OBJECT_LOCK (self);
  switch (prop_id) {
    case PROP_KEY_FILE:
      g_free (self->settings.key_file);
      self->settings.key_file = g_value_dup_string (value);
      break;
    case PROP_SEGMENT_SIZE:
      self->settings.segment_size = g_value_get_uint (value);
      self->settings.segment_size_set = TRUE;
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_eeg_aes_gcm_enc_get_property (GObject *object, guint prop_id, GValue *value,
    GParamSpec *pspec)
{
  GstEegAesGcmEnc *self = GST_EEG_AES_GCM_ENC (object);

  GST_OBJECT_LOCK (self);
  switch (prop_id) {
    case PROP_KEY_FILE:
      g_value_set_string (value, self->settings.key_file);
      break;
    case PROP_SEGMENT_SIZE:
      g_value_set_uint (value, self->settings.segment_size);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_eeg_aes_gcm_enc_finalize (GObject *object)
{
  GstEegAesGcmEnc *self = GST_EEG_AES_GCM_ENC (object);

  g_free (self->settings.key_file);
  G_OBJECT_CLASS (gst_eeg_aes_gcm_enc_parent_class)->finalize (object);
}

static void
gst_eeg_aes_gcm_enc_class_init (GstEegAesGcmEncClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstEegChunkCodecClass *codec_class = GST_EEG_CHUNK_CODEC_CLASS (klass);

  object_class->set_property = gst_eeg_aes_gcm_enc_set_property;
  object_class->get_property = gst_eeg_aes_gcm_enc_get_property;
  object_class->finalize = gst_eeg_aes_gcm_enc_finalize;

  /**
   * GstEegAesGcmEnc:key-file:
   *
   * File with the key: 32 raw bytes, 64 hexadecimal digits with or without a
   * line end, or a cleartext Tink JSON keyset, whose primary key encrypts.
   */
  g_object_class_install_property (object_class, PROP_KEY_FILE,
      g_param_spec_string ("key-file", "Key file",
          "File with the key: 32 bytes, 64 hexadecimal digits or a Tink JSON "
          "keyset",
          NULL,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));

  /**
   * GstEegAesGcmEnc:segment-size:
   *
   * Bytes of an encrypted segment, 57 to 104857600. It is not in the file:
   * the reader must know it. 4096 and 1048576 are those of Tink's templates,
   * which #aesgcmdec finds by itself. A keyset tells its own.
   */
  g_object_class_install_property (object_class, PROP_SEGMENT_SIZE,
      g_param_spec_uint ("segment-size", "Segment size",
          "Bytes of an encrypted segment (57 to 104857600; 4096 for live "
          "streams); a keyset tells its own",
          0, G_MAXUINT, DEFAULT_SEGMENT_SIZE,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));

  /**
   * GstEegAesGcmEnc::request-key:
   * @element: the element
   *
   * Asks for the key from READY to PAUSED, if #GstEegAesGcmEnc:key-file is not
   * set.
   *
   * Returns: (transfer full) (nullable): what a key file would hold
   */
  signals[SIGNAL_REQUEST_KEY] =
      g_signal_new ("request-key", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST,
          0, NULL, NULL, NULL, G_TYPE_BYTES, 0);

  gst_element_class_set_static_metadata (element_class, "AES-256-GCM encoder",
      "Codec/Encoder", "Encrypts bytes in Tink's AES-GCM-HKDF streaming format",
      "gst-plugins-eeg developers");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);

  codec_class->kind = GST_EEG_STAGE_KIND_ENCRYPTION;
  codec_class->media_type = GST_AES_GCM_MEDIA_TYPE;
  codec_class->hold_back = TRUE;
  codec_class->takes_pieces = TRUE;
  codec_class->limits = gst_eeg_aes_gcm_enc_limits;
  codec_class->start = gst_eeg_aes_gcm_enc_start;
  codec_class->stop = gst_eeg_aes_gcm_enc_stop;
  codec_class->worker_new = gst_eeg_aes_gcm_enc_worker_new;
  codec_class->worker_free = gst_eeg_aes_gcm_enc_worker_free;
  codec_class->begin = gst_eeg_aes_gcm_enc_begin;
  codec_class->capacity = gst_eeg_aes_gcm_enc_capacity;
  codec_class->cut = gst_eeg_aes_gcm_enc_cut;
  codec_class->bound = gst_eeg_aes_gcm_enc_bound;
  codec_class->prepare = gst_eeg_aes_gcm_enc_prepare;
  codec_class->process = gst_eeg_aes_gcm_enc_process;
}

static void
gst_eeg_aes_gcm_enc_init (GstEegAesGcmEnc *self)
{
  self->settings.segment_size = DEFAULT_SEGMENT_SIZE;
}
