/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-chacha20poly1305enc
 * @title: chacha20poly1305enc
 * @short_description: encrypts any bytes to age files
 *
 * Encrypts with ChaCha20-Poly1305 to the file format age v1, for one or several
 * public keys (X25519) or for a passphrase (scrypt). With public keys a
 * recorder holds nothing that opens its files.
 *
 * |[
 * gst-launch-1.0 filesrc location=night.edf ! zstdenc ! \
 *     chacha20poly1305enc recipients-file=hospital.pub ! \
 *     filesink location=night.edf.zst.age
 * ]|
 *
 * Any caps come in, `application/x-age` with the input's caps as
 * `original-caps` goes out. A cell of 65536 bytes leaves when it is full and
 * one more byte or the end is known: that much waits in memory, and is lost in
 * a crash. A flush, a new stream and a restart begin a new file with fresh
 * randomness. EOS writes the final cell, unless a source of this project did
 * not reach its true end.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstchacha20poly1305enc.h"

#include "gstagecommon.h"

GST_DEBUG_CATEGORY_STATIC (gst_eeg_chacha20_poly1305_enc_debug);
#define GST_CAT_DEFAULT gst_eeg_chacha20_poly1305_enc_debug

enum
{
  PROP_0,
  PROP_RECIPIENTS,
  PROP_RECIPIENTS_FILE,
  PROP_PASSPHRASE_FILE,
  PROP_WORK_FACTOR
};

enum
{
  SIGNAL_REQUEST_PASSPHRASE,
  N_SIGNALS
};

struct settings
{
  gchar *recipients;
  gchar *recipients_file;
  gchar *passphrase_file;
  guint work_factor;
};

struct state
{
  EegAgeRecipients recipients;
  EegAeadSecret *passphrase; /* NULL with recipients */
  guint work_factor;
  GstAeadFile *file;
  guint64 next_cell;
};

struct _GstEegChacha20Poly1305Enc
{
  GstEegChunkCodec parent;

  /* Locking: the object lock guards settings; state belongs to the streaming
   * thread, and to start and stop. */
  struct settings settings;
  struct state state;
};

static guint signals[N_SIGNALS];

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (GST_AGE_MEDIA_TYPE));

G_DEFINE_FINAL_TYPE_WITH_CODE (GstEegChacha20Poly1305Enc,
    gst_eeg_chacha20_poly1305_enc, GST_TYPE_EEG_CHUNK_CODEC,
    GST_DEBUG_CATEGORY_INIT (gst_eeg_chacha20_poly1305_enc_debug,
        "chacha20poly1305enc", 0, "ChaCha20-Poly1305 encoder"))
GST_ELEMENT_REGISTER_DEFINE (chacha20poly1305enc, "chacha20poly1305enc",
    GST_RANK_NONE, GST_TYPE_EEG_CHACHA20_POLY1305_ENC)

/* How many cells hold @size bytes. */
static guint64
count_cells (gsize size)
{
  return MAX (1, size / EEG_AGE_CELL_SIZE + (size % EEG_AGE_CELL_SIZE != 0));
}

static void
gst_eeg_chacha20_poly1305_enc_limits (GstEegChunkCodec *codec,
    GstEegChunkLimits *limits)
{
  GstEegChacha20Poly1305Enc *self = GST_EEG_CHACHA20_POLY1305_ENC (codec);

  limits->max_input = GST_AGE_BATCH * EEG_AGE_CELL_SIZE;
  limits->max_output = GST_AGE_BATCH * EEG_AGE_SEALED_CELL_SIZE;
  limits->context_bytes = sizeof (GstAeadWorker) + 1024;
  limits->extra_bytes = sizeof (struct state) + sizeof (GstAeadFile);
  /* while a header is made */
  GST_OBJECT_LOCK (self);
  if (self->settings.recipients == NULL
      && self->settings.recipients_file == NULL
      && self->settings.work_factor <= EEG_AGE_MAX_WORK_FACTOR)
    limits->extra_bytes += (gsize) 1024 << self->settings.work_factor;
  GST_OBJECT_UNLOCK (self);
}

static gboolean
add_recipients (struct state *st, const gchar *text, gsize size,
    gchar separator, const gchar *path, GError **error)
{
  gsize item = 0;
  gsize before = st->recipients.n_recipients;
  EegAgeResult result =
      eeg_age_recipients_parse (&st->recipients, text, size, separator, &item);

  if (result == EEG_AGE_OK && st->recipients.n_recipients == before)
    result = EEG_AGE_NO_KEYS;
  if (result == EEG_AGE_OK)
    return TRUE;
  if (path != NULL)
    gst_age_set_key_error (error, GST_RESOURCE_ERROR,
        GST_RESOURCE_ERROR_NOT_FOUND, path, result,
        result == EEG_AGE_BAD_KEY_FILE ? item : 0);
  else
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "recipients cannot be used: %s (item %" G_GSIZE_FORMAT ").",
        eeg_age_result_text (result), MAX (item, 1));
  return FALSE;
}

static gboolean
load_recipients (GstEegChacha20Poly1305Enc *self,
    const struct settings *settings, GError **error)
{
  struct state *st = &self->state;

  if (settings->recipients != NULL
      && !add_recipients (st, settings->recipients,
          strlen (settings->recipients), ',', NULL, error))
    return FALSE;
  if (settings->recipients_file != NULL) {
    /* no secret, but whatever the path names is read within bounds */
    EegAeadSecret *text =
        eeg_aead_secret_new_from_file (settings->recipients_file,
            EEG_AGE_MAX_KEY_FILE_SIZE, NULL);
    gboolean ok;

    if (text == NULL) {
      g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
          "The recipients in \"%s\" could not be read: %s.",
          settings->recipients_file, g_strerror (errno));
      return FALSE;
    }
    ok = add_recipients (st, (const gchar *) text->data, text->size, '\n',
        settings->recipients_file, error);
    eeg_aead_secret_free (text);
    return ok;
  }
  return TRUE;
}

static gboolean
gst_eeg_chacha20_poly1305_enc_start (GstEegChunkCodec *codec, GError **error)
{
  GstEegChacha20Poly1305Enc *self = GST_EEG_CHACHA20_POLY1305_ENC (codec);
  struct state *st = &self->state;
  struct settings settings;
  gboolean ok = FALSE;

  GST_OBJECT_LOCK (self);
  settings = self->settings;
  settings.recipients = g_strdup (settings.recipients);
  settings.recipients_file = g_strdup (settings.recipients_file);
  settings.passphrase_file = g_strdup (settings.passphrase_file);
  GST_OBJECT_UNLOCK (self);

  st->recipients.n_recipients = 0;
  st->work_factor = settings.work_factor;
  if (!gst_aead_check_cipher (EEG_AEAD_CHACHA20_POLY1305, error))
    goto done;
  if (settings.work_factor < EEG_AGE_MIN_WORK_FACTOR
      || settings.work_factor > EEG_AGE_DEFAULT_MAX_WORK_FACTOR) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "work-factor is %u, but must be from %u to %u.", settings.work_factor,
        EEG_AGE_MIN_WORK_FACTOR, EEG_AGE_DEFAULT_MAX_WORK_FACTOR);
    goto done;
  }
  if (settings.recipients != NULL || settings.recipients_file != NULL) {
    if (settings.passphrase_file != NULL) {
      g_set_error_literal (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
          "An age file is for recipients or for a passphrase, not for both.");
      goto done;
    }
    ok = load_recipients (self, &settings, error);
    goto done;
  }
  st->passphrase = gst_age_load_passphrase (GST_ELEMENT_CAST (self),
      settings.passphrase_file, signals[SIGNAL_REQUEST_PASSPHRASE],
      GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND, error);
  ok = st->passphrase != NULL;
  if (!ok && *error == NULL)
    g_set_error_literal (error, GST_RESOURCE_ERROR,
        GST_RESOURCE_ERROR_NOT_FOUND,
        "There is nobody to encrypt for: set recipients, recipients-file or "
        "passphrase-file, or answer request-passphrase.");

done:
  g_free (settings.recipients);
  g_free (settings.recipients_file);
  g_free (settings.passphrase_file);
  return ok;
}

static void
gst_eeg_chacha20_poly1305_enc_stop (GstEegChunkCodec *codec)
{
  struct state *st = &GST_EEG_CHACHA20_POLY1305_ENC (codec)->state;

  g_clear_pointer (&st->passphrase, eeg_aead_secret_free);
  g_clear_pointer (&st->file, gst_aead_file_unref);
}

static gpointer
gst_eeg_chacha20_poly1305_enc_worker_new (GstEegChunkCodec *codec,
    GError **error)
{
  return gst_aead_worker_new (EEG_AEAD_CHACHA20_POLY1305, EEG_AEAD_SEAL, error);
}

static void
gst_eeg_chacha20_poly1305_enc_worker_free (GstEegChunkCodec *codec,
    gpointer worker)
{
  gst_aead_worker_free (worker);
}

/* Every stream gets a file key, a nonce and ephemeral shares of its own. */
static gboolean
gst_eeg_chacha20_poly1305_enc_begin (GstEegChunkCodec *codec,
    GstBuffer **header, GError **error)
{
  struct state *st = &GST_EEG_CHACHA20_POLY1305_ENC (codec)->state;
  EegAeadSecret *file_key = eeg_aead_secret_new (EEG_AGE_FILE_KEY_SIZE);
  gsize size = EEG_AGE_PASSPHRASE_HEADER_SIZE;
  guint8 *bytes;

  g_clear_pointer (&st->file, gst_aead_file_unref);
  st->file = gst_aead_file_new ();
  if (st->file == NULL || file_key == NULL) {
    eeg_aead_secret_free (file_key);
    g_set_error_literal (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED,
        "No memory for a key.");
    return FALSE;
  }
  if (st->passphrase == NULL)
    size = eeg_age_header_size (st->recipients.n_recipients);
  bytes = g_malloc (size + EEG_AGE_NONCE_SIZE);
  eeg_age_random (file_key->data, EEG_AGE_FILE_KEY_SIZE);
  size = st->passphrase != NULL
      ? eeg_age_header_write_passphrase (st->passphrase, st->work_factor,
          file_key->data, bytes)
      : eeg_age_header_write (&st->recipients, file_key->data, bytes);
  if (size == 0) {
    g_set_error_literal (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED,
        st->passphrase != NULL ? "No memory for this work-factor."
                               : "A recipient is no usable public key.");
  } else {
    eeg_age_random (bytes + size, EEG_AGE_NONCE_SIZE);
    eeg_age_payload_key (file_key->data, bytes + size, st->file->key->data);
    *header = gst_buffer_new_memdup (bytes, size + EEG_AGE_NONCE_SIZE);
    st->next_cell = 0;
  }
  g_free (bytes);
  eeg_aead_secret_free (file_key);
  return size > 0;
}

static gsize
gst_eeg_chacha20_poly1305_enc_capacity (GstEegChunkCodec *codec)
{
  return GST_AGE_BATCH * EEG_AGE_CELL_SIZE;
}

static gsize
gst_eeg_chacha20_poly1305_enc_cut (GstEegChunkCodec *codec, gsize size)
{
  return size / EEG_AGE_CELL_SIZE * EEG_AGE_CELL_SIZE;
}

static gsize
gst_eeg_chacha20_poly1305_enc_bound (GstEegChunkCodec *codec, gsize size)
{
  return size + EEG_AEAD_TAG_SIZE * count_cells (size);
}

static gboolean
gst_eeg_chacha20_poly1305_enc_prepare (GstEegChunkCodec *codec,
    GstEegChunkJob *job, GError **error)
{
  struct state *st = &GST_EEG_CHACHA20_POLY1305_ENC (codec)->state;

  job->values[GST_AEAD_VALUE_FIRST] = st->next_cell;
  job->user_data = gst_aead_file_ref (st->file);
  job->user_free = (GDestroyNotify) gst_aead_file_unref;
  st->next_cell += count_cells (job->size);
  return TRUE;
}

static gboolean
gst_eeg_chacha20_poly1305_enc_process (GstEegChunkCodec *codec, gpointer worker,
    GstEegChunkJob *job, GError **error)
{
  GstAeadWorker *self = worker;
  EegAeadPiece *pieces = g_newa (EegAeadPiece, job->n_pieces);
  EegAeadReader reader = gst_aead_read_job (job, pieces);

  if (gst_aead_worker_use (self, job->user_data))
    job->out_size =
        eeg_age_seal (self->context, job->values[GST_AEAD_VALUE_FIRST],
            job->last, &reader, job->size, job->out);
  if (job->out_size > 0)
    return TRUE;
  g_set_error_literal (error, GST_STREAM_ERROR, GST_STREAM_ERROR_ENCODE,
      "The cipher failed.");
  return FALSE;
}

static gchar **
string_setting (GstEegChacha20Poly1305Enc *self, guint prop_id)
{
  switch (prop_id) {
    case PROP_RECIPIENTS:
      return &self->settings.recipients;
    case PROP_RECIPIENTS_FILE:
      return &self->settings.recipients_file;
    case PROP_PASSPHRASE_FILE:
      return &self->settings.passphrase_file;
    default:
      return NULL;
  }
}

static void
gst_eeg_chacha20_poly1305_enc_set_property (GObject *object, guint prop_id,
    const GValue *value, GParamSpec *pspec)
{
  GstEegChacha20Poly1305Enc *self = GST_EEG_CHACHA20_POLY1305_ENC (object);
  gchar **string = string_setting (self, prop_id);

  GST_OBJECT_LOCK (self);
  if (string != NULL) {
    g_free (*string);
    *string = g_value_dup_string (value);
  } else if (prop_id == PROP_WORK_FACTOR) {
    self->settings.work_factor = g_value_get_uint (value);
  } else {
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_eeg_chacha20_poly1305_enc_get_property (GObject *object, guint prop_id,
    GValue *value, GParamSpec *pspec)
{
  GstEegChacha20Poly1305Enc *self = GST_EEG_CHACHA20_POLY1305_ENC (object);
  gchar **string = string_setting (self, prop_id);

  GST_OBJECT_LOCK (self);
  if (string != NULL)
    g_value_set_string (value, *string);
  else if (prop_id == PROP_WORK_FACTOR)
    g_value_set_uint (value, self->settings.work_factor);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
  GST_OBJECT_UNLOCK (self);
}

static void
gst_eeg_chacha20_poly1305_enc_finalize (GObject *object)
{
  GstEegChacha20Poly1305Enc *self = GST_EEG_CHACHA20_POLY1305_ENC (object);

  g_free (self->settings.recipients);
  g_free (self->settings.recipients_file);
  g_free (self->settings.passphrase_file);
  G_OBJECT_CLASS (gst_eeg_chacha20_poly1305_enc_parent_class)
      ->finalize (object);
}

static void
gst_eeg_chacha20_poly1305_enc_class_init (GstEegChacha20Poly1305EncClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstEegChunkCodecClass *codec_class = GST_EEG_CHUNK_CODEC_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
      | (GParamFlags) GST_PARAM_MUTABLE_READY;

  object_class->set_property = gst_eeg_chacha20_poly1305_enc_set_property;
  object_class->get_property = gst_eeg_chacha20_poly1305_enc_get_property;
  object_class->finalize = gst_eeg_chacha20_poly1305_enc_finalize;

  /**
   * GstEegChacha20Poly1305Enc:recipients:
   *
   * Public keys as `age-keygen` prints them, `age1...`, with commas between
   * them. Any one of their identities opens the file. At most 64 together with
   * those of #GstEegChacha20Poly1305Enc:recipients-file.
   */
  g_object_class_install_property (object_class, PROP_RECIPIENTS,
      g_param_spec_string ("recipients", "Recipients",
          "Public keys, age1..., with commas between them", NULL, flags));

  /**
   * GstEegChacha20Poly1305Enc:recipients-file:
   *
   * File with a public key in each line; empty lines and those that begin with
   * `#` are left out.
   */
  g_object_class_install_property (object_class, PROP_RECIPIENTS_FILE,
      g_param_spec_string ("recipients-file", "Recipients file",
          "File with a public key, age1..., in each line", NULL, flags));

  /**
   * GstEegChacha20Poly1305Enc:passphrase-file:
   *
   * File with one line, the passphrase; not together with recipients.
   */
  g_object_class_install_property (object_class, PROP_PASSPHRASE_FILE,
      g_param_spec_string ("passphrase-file", "Passphrase file",
          "File with the passphrase in its one line; not with recipients", NULL,
          flags));

  /**
   * GstEegChacha20Poly1305Enc:work-factor:
   *
   * How hard a passphrase is to guess: scrypt takes 2^work-factor KiB of
   * memory, and for 18 about a second, to write a header and to open it.
   */
  g_object_class_install_property (object_class, PROP_WORK_FACTOR,
      g_param_spec_uint ("work-factor", "Work factor",
          "Logarithm of the cost of trying a passphrase, 1 to 22: 18 takes 256 "
          "MiB and about a second",
          0, G_MAXUINT, EEG_AGE_DEFAULT_WORK_FACTOR, flags));

  /**
   * GstEegChacha20Poly1305Enc::request-passphrase:
   * @element: the element
   *
   * Asks for the passphrase from READY to PAUSED, if neither recipients nor a
   * passphrase file are set.
   *
   * Returns: (transfer full) (nullable): what a passphrase file would hold
   */
  signals[SIGNAL_REQUEST_PASSPHRASE] =
      g_signal_new ("request-passphrase", G_TYPE_FROM_CLASS (klass),
          G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_BYTES, 0);

  gst_element_class_set_static_metadata (element_class,
      "ChaCha20-Poly1305 encoder", "Codec/Encoder",
      "Encrypts bytes to age files, for public keys or a passphrase",
      "gst-plugins-eeg developers");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);

  codec_class->kind = GST_EEG_STAGE_KIND_ENCRYPTION;
  codec_class->media_type = GST_AGE_MEDIA_TYPE;
  codec_class->hold_back = TRUE;
  codec_class->takes_pieces = TRUE;
  codec_class->limits = gst_eeg_chacha20_poly1305_enc_limits;
  codec_class->start = gst_eeg_chacha20_poly1305_enc_start;
  codec_class->stop = gst_eeg_chacha20_poly1305_enc_stop;
  codec_class->worker_new = gst_eeg_chacha20_poly1305_enc_worker_new;
  codec_class->worker_free = gst_eeg_chacha20_poly1305_enc_worker_free;
  codec_class->begin = gst_eeg_chacha20_poly1305_enc_begin;
  codec_class->capacity = gst_eeg_chacha20_poly1305_enc_capacity;
  codec_class->cut = gst_eeg_chacha20_poly1305_enc_cut;
  codec_class->bound = gst_eeg_chacha20_poly1305_enc_bound;
  codec_class->prepare = gst_eeg_chacha20_poly1305_enc_prepare;
  codec_class->process = gst_eeg_chacha20_poly1305_enc_process;
}

static void
gst_eeg_chacha20_poly1305_enc_init (GstEegChacha20Poly1305Enc *self)
{
  self->settings.work_factor = EEG_AGE_DEFAULT_WORK_FACTOR;
}
