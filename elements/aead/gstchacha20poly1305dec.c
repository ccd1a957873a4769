/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-chacha20poly1305dec
 * @title: chacha20poly1305dec
 * @short_description: decrypts age files
 *
 * Decrypts the file format age v1 with identities (X25519) or a passphrase
 * (scrypt), binary or ASCII armored.
 *
 * |[
 * gst-launch-1.0 filesrc location=night.edf.zst.age blocksize=1048576 ! \
 *     chacha20poly1305dec identity-file=key.txt ! zstddec ! \
 *     filesink location=night.edf
 * ]|
 *
 * Only bytes that were verified leave, in order. Any change, also a missing
 * end, is one STREAM/DECRYPT error; what left before it is an authentic
 * beginning of the stream. With #GstEegChacha20Poly1305Dec:salvage what still
 * verifies leaves in its place, and each damaged cell becomes a GAP event and
 * an element message `eeg-salvage` with counts; at the end `eeg-salvage-end`
 * tells in `end-authenticated` whether the genuine end was there.
 *
 * A cell of 65536 bytes leaves as soon as it is complete. A flush and a new
 * stream begin with a header. Output caps are the `original-caps`, if any.
 * Armor is decoded by the streaming thread and cannot be salvaged.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstchacha20poly1305dec.h"

#include "gstagecommon.h"

#include <string.h>

GST_DEBUG_CATEGORY_STATIC (gst_eeg_chacha20_poly1305_dec_debug);
#define GST_CAT_DEFAULT gst_eeg_chacha20_poly1305_dec_debug

enum
{
  PROP_0,
  PROP_IDENTITY_FILE,
  PROP_PASSPHRASE_FILE,
  PROP_MAX_WORK_FACTOR,
  PROP_SALVAGE
};

enum
{
  SIGNAL_REQUEST_IDENTITY,
  SIGNAL_REQUEST_PASSPHRASE,
  N_SIGNALS
};

#define DEFAULT_SALVAGE FALSE

/* Of armored input: a header and the first cell, and a line on top. */
#define BINARY_BYTES                                                           \
  (EEG_AGE_MAX_HEADER_SIZE + EEG_AGE_NONCE_SIZE + EEG_AGE_SEALED_CELL_SIZE     \
      + EEG_AGE_ARMOR_BYTES)

struct settings
{
  gchar *identity_file;
  gchar *passphrase_file;
  guint max_work_factor;
};

struct state
{
  EegAgeIdentities *identities;
  EegAeadSecret *passphrase;
  guint max_work_factor;
  gboolean salvage;

  enum
  {
    EXPECT_START, /* armor, or a header */
    EXPECT_HEADER,
    EXPECT_CELLS,
    EXPECT_ARMOR,
    EXPECT_NOTHING
  } expect;
  GstAeadFile *file;
  guint64 next_cell;

  /* armored input */
  EegAgeArmor armor;
  guint8 *binary; /* decoded, not yet used; BINARY_BYTES */
  gsize binary_fill;
  GstAeadWorker *opener;
};

struct _GstEegChacha20Poly1305Dec
{
  GstEegChunkCodec parent;

  /* Locking: the object lock guards settings; state belongs to the streaming
   * thread, and to start and stop; ended to whoever pushes, and to the
   * streaming thread while no jobs are out. */
  struct settings settings;
  struct state state;
  gboolean ended;
};

static guint signals[N_SIGNALS];

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (GST_AGE_MEDIA_TYPE));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

G_DEFINE_FINAL_TYPE_WITH_CODE (GstEegChacha20Poly1305Dec,
    gst_eeg_chacha20_poly1305_dec, GST_TYPE_EEG_CHUNK_CODEC,
    GST_DEBUG_CATEGORY_INIT (gst_eeg_chacha20_poly1305_dec_debug,
        "chacha20poly1305dec", 0, "ChaCha20-Poly1305 decoder"))
/* without a key nobody can use it, so it is never plugged automatically */
GST_ELEMENT_REGISTER_DEFINE (chacha20poly1305dec, "chacha20poly1305dec",
    GST_RANK_NONE, GST_TYPE_EEG_CHACHA20_POLY1305_DEC)

static void
set_decrypt_error (GError **error)
{
  g_set_error_literal (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT,
      "The stream does not verify: it was changed.");
}

static void
gst_eeg_chacha20_poly1305_dec_limits (GstEegChunkCodec *codec,
    GstEegChunkLimits *limits)
{
  GstEegChacha20Poly1305Dec *self = GST_EEG_CHACHA20_POLY1305_DEC (codec);

  limits->max_input = MAX (GST_AGE_BATCH * EEG_AGE_SEALED_CELL_SIZE,
      EEG_AGE_MAX_HEADER_SIZE + EEG_AGE_NONCE_SIZE);
  limits->max_output = GST_AGE_BATCH * EEG_AGE_CELL_SIZE;
  limits->context_bytes = sizeof (GstAeadWorker) + 1024;
  limits->extra_bytes = sizeof (struct state) + sizeof (GstAeadFile)
      + sizeof (EegAgeIdentities) + BINARY_BYTES;
  /* while a header is opened */
  GST_OBJECT_LOCK (self);
  if ((self->settings.passphrase_file != NULL
          || self->settings.identity_file == NULL)
      && self->settings.max_work_factor <= EEG_AGE_MAX_WORK_FACTOR)
    limits->extra_bytes += (gsize) 1024 << self->settings.max_work_factor;
  GST_OBJECT_UNLOCK (self);
}

static gboolean
load_identities (GstEegChacha20Poly1305Dec *self, const gchar *path,
    GError **error)
{
  GstElement *element = GST_ELEMENT_CAST (self);
  EegAgeResult result;
  EegAeadSecret *secret;
  gsize line = 0;

  secret = path != NULL
      ? gst_aead_read_file (element, path, EEG_AGE_MAX_KEY_FILE_SIZE,
          GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT_NOKEY, error)
      : gst_aead_request (element, signals[SIGNAL_REQUEST_IDENTITY]);
  if (secret == NULL)
    return path == NULL;
  result = eeg_age_identities_parse (secret, &self->state.identities, &line);
  eeg_aead_secret_free (secret);
  if (result == EEG_AGE_OK)
    return TRUE;
  gst_age_set_key_error (error, GST_STREAM_ERROR,
      GST_STREAM_ERROR_DECRYPT_NOKEY, path, result,
      result == EEG_AGE_BAD_KEY_FILE ? line : 0);
  return FALSE;
}

static gboolean
load_keys (GstEegChacha20Poly1305Dec *self, const struct settings *settings,
    GError **error)
{
  struct state *st = &self->state;
  gboolean any_file =
      settings->identity_file != NULL || settings->passphrase_file != NULL;

  /* an application is asked only if no file is named */
  if ((settings->identity_file != NULL || !any_file)
      && !load_identities (self, settings->identity_file, error))
    return FALSE;
  if (settings->passphrase_file != NULL
      || (!any_file && st->identities == NULL)) {
    st->passphrase = gst_age_load_passphrase (GST_ELEMENT_CAST (self),
        settings->passphrase_file, signals[SIGNAL_REQUEST_PASSPHRASE],
        GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT_NOKEY, error);
    if (*error != NULL)
      return FALSE;
  }
  if (st->identities == NULL && st->passphrase == NULL) {
    g_set_error_literal (error, GST_STREAM_ERROR,
        GST_STREAM_ERROR_DECRYPT_NOKEY,
        "There is no key: set identity-file or passphrase-file, or answer "
        "request-identity or request-passphrase.");
    return FALSE;
  }
  return TRUE;
}

static gboolean
gst_eeg_chacha20_poly1305_dec_start (GstEegChunkCodec *codec, GError **error)
{
  GstEegChacha20Poly1305Dec *self = GST_EEG_CHACHA20_POLY1305_DEC (codec);
  struct state *st = &self->state;
  struct settings settings;
  gboolean ok = FALSE;

  GST_OBJECT_LOCK (self);
  settings = self->settings;
  settings.identity_file = g_strdup (settings.identity_file);
  settings.passphrase_file = g_strdup (settings.passphrase_file);
  GST_OBJECT_UNLOCK (self);

  st->salvage = gst_eeg_chunk_codec_get_salvage (codec);
  st->max_work_factor = settings.max_work_factor;
  st->expect = EXPECT_START;
  if (settings.max_work_factor < EEG_AGE_MIN_WORK_FACTOR
      || settings.max_work_factor > EEG_AGE_MAX_WORK_FACTOR) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "max-work-factor is %u, but must be from %u to %u.",
        settings.max_work_factor, EEG_AGE_MIN_WORK_FACTOR,
        EEG_AGE_MAX_WORK_FACTOR);
    goto done;
  }
  st->opener =
      gst_aead_worker_new (EEG_AEAD_CHACHA20_POLY1305, EEG_AEAD_OPEN, error);
  ok = st->opener != NULL && load_keys (self, &settings, error);

done:
  g_free (settings.identity_file);
  g_free (settings.passphrase_file);
  return ok;
}

static void
gst_eeg_chacha20_poly1305_dec_reset (GstEegChunkCodec *codec)
{
  GstEegChacha20Poly1305Dec *self = GST_EEG_CHACHA20_POLY1305_DEC (codec);
  struct state *st = &self->state;

  st->expect = EXPECT_START;
  st->next_cell = 0;
  st->binary_fill = 0;
  memset (&st->armor, 0, sizeof st->armor);
  g_clear_pointer (&st->file, gst_aead_file_unref);
  self->ended = FALSE;
}

static void
gst_eeg_chacha20_poly1305_dec_stop (GstEegChunkCodec *codec)
{
  struct state *st = &GST_EEG_CHACHA20_POLY1305_DEC (codec)->state;

  gst_eeg_chacha20_poly1305_dec_reset (codec);
  g_clear_pointer (&st->identities, eeg_age_identities_free);
  g_clear_pointer (&st->passphrase, eeg_aead_secret_free);
  g_clear_pointer (&st->opener, gst_aead_worker_free);
  g_clear_pointer (&st->binary, g_free);
}

static gpointer
gst_eeg_chacha20_poly1305_dec_worker_new (GstEegChunkCodec *codec,
    GError **error)
{
  return gst_aead_worker_new (EEG_AEAD_CHACHA20_POLY1305, EEG_AEAD_OPEN, error);
}

static void
gst_eeg_chacha20_poly1305_dec_worker_free (GstEegChunkCodec *codec,
    gpointer worker)
{
  gst_aead_worker_free (worker);
}

static void
set_header_error (EegAgeResult result, GError **error)
{
  switch (result) {
    case EEG_AGE_NO_MEMORY:
      g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED,
          "The file cannot be opened: %s.", eeg_age_result_text (result));
      break;
    case EEG_AGE_NEEDS_IDENTITY:
    case EEG_AGE_NEEDS_PASSPHRASE:
      g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT_NOKEY,
          "The file cannot be opened: %s.", eeg_age_result_text (result));
      break;
    default:
      g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT,
          "The file cannot be opened: %s.", eeg_age_result_text (result));
      break;
  }
}

/* Opens the header and takes the nonce behind it: their size, or 0 if more is
 * needed or the error is set. */
static gsize
open_header (GstEegChacha20Poly1305Dec *self, const guint8 *data, gsize size,
    GError **error)
{
  struct state *st = &self->state;
  EegAgeHeader *header = g_new (EegAgeHeader, 1);
  EegAeadSecret *file_key = NULL;
  EegAgeResult result = eeg_age_header_parse (header, data, size);
  gsize used = 0;

  if (result == EEG_AGE_MORE
      || (result == EEG_AGE_OK && size < header->size + EEG_AGE_NONCE_SIZE))
    goto done;
  if (result == EEG_AGE_OK) {
    file_key = eeg_aead_secret_new (EEG_AGE_FILE_KEY_SIZE);
    st->file = gst_aead_file_new ();
    result = file_key == NULL || st->file == NULL
        ? EEG_AGE_NO_MEMORY
        : eeg_age_header_unwrap (header, data, st->identities, st->passphrase,
            st->max_work_factor, file_key->data);
  }
  if (result != EEG_AGE_OK) {
    set_header_error (result, error);
    goto done;
  }
  eeg_age_payload_key (file_key->data, data + header->size,
      st->file->key->data);
  used = header->size + EEG_AGE_NONCE_SIZE;

done:
  eeg_aead_secret_free (file_key);
  g_free (header);
  return used;
}

static GstEegChunkParse
parse_header (GstEegChacha20Poly1305Dec *self, const guint8 *data, gsize size,
    gboolean eos, GstEegChunkUnit *unit, GError **error)
{
  gsize used = open_header (self, data, size, error);

  if (used > 0) {
    self->state.expect = EXPECT_CELLS;
    unit->size = used;
    return GST_EEG_CHUNK_PARSE_SKIP;
  }
  if (error != NULL && *error != NULL)
    return GST_EEG_CHUNK_PARSE_ERROR;
  if (eos) {
    gst_aead_set_truncated_error (error);
    return GST_EEG_CHUNK_PARSE_ERROR;
  }
  return GST_EEG_CHUNK_PARSE_MORE;
}

/* A full cell may be the last one; process() finds out, so that nothing needs
 * to wait for the byte behind it. */
static GstEegChunkParse
parse_cells (GstEegChacha20Poly1305Dec *self, gsize size, gboolean eos,
    GstEegChunkUnit *unit)
{
  struct state *st = &self->state;
  gsize n;

  if (size < EEG_AGE_SEALED_CELL_SIZE) {
    if (!eos) {
      unit->size = EEG_AGE_SEALED_CELL_SIZE;
      return GST_EEG_CHUNK_PARSE_MORE;
    }
    /* also without any byte: emit() then knows whether the end was there */
    unit->size = size;
    unit->out_size = size > EEG_AEAD_TAG_SIZE ? size - EEG_AEAD_TAG_SIZE : 0;
    unit->last = TRUE;
    st->expect = EXPECT_NOTHING;
    return GST_EEG_CHUNK_PARSE_JOB;
  }
  n = MIN (size / EEG_AGE_SEALED_CELL_SIZE, st->salvage ? 1 : GST_AGE_BATCH);
  unit->size = n * EEG_AGE_SEALED_CELL_SIZE;
  unit->out_size = n * EEG_AGE_CELL_SIZE;
  return GST_EEG_CHUNK_PARSE_JOB;
}

static GstEegChunkParse
gst_eeg_chacha20_poly1305_dec_parse (GstEegChunkCodec *codec,
    const guint8 *data, gsize size, gboolean eos, GstEegChunkUnit *unit,
    GError **error)
{
  GstEegChacha20Poly1305Dec *self = GST_EEG_CHACHA20_POLY1305_DEC (codec);
  struct state *st = &self->state;
  gint armored;

  switch (st->expect) {
    case EXPECT_START:
      armored = eeg_age_armor_detect (data, size);
      if (armored > 0) {
        if (st->binary == NULL)
          st->binary = g_malloc (BINARY_BYTES);
        st->expect = EXPECT_ARMOR;
        return GST_EEG_CHUNK_PARSE_STREAM;
      }
      if (armored < 0 && !eos)
        return GST_EEG_CHUNK_PARSE_MORE;
      st->expect = EXPECT_HEADER;
      return parse_header (self, data, size, eos, unit, error);
    case EXPECT_HEADER:
      return parse_header (self, data, size, eos, unit, error);
    case EXPECT_CELLS:
      return parse_cells (self, size, eos, unit);
    case EXPECT_ARMOR:
    case EXPECT_NOTHING:
      break;
  }
  return GST_EEG_CHUNK_PARSE_MORE;
}

static gboolean
gst_eeg_chacha20_poly1305_dec_prepare (GstEegChunkCodec *codec,
    GstEegChunkJob *job, GError **error)
{
  struct state *st = &GST_EEG_CHACHA20_POLY1305_DEC (codec)->state;

  job->values[GST_AEAD_VALUE_FIRST] = st->next_cell;
  job->user_data = gst_aead_file_ref (st->file);
  job->user_free = (GDestroyNotify) gst_aead_file_unref;
  st->next_cell += job->size / EEG_AGE_SEALED_CELL_SIZE;
  return TRUE;
}

static gboolean
gst_eeg_chacha20_poly1305_dec_process (GstEegChunkCodec *codec, gpointer worker,
    GstEegChunkJob *job, GError **error)
{
  GstAeadWorker *self = worker;
  EegAeadPiece *pieces = g_newa (EegAeadPiece, job->n_pieces);
  EegAeadReader reader = gst_aead_read_job (job, pieces);
  bool ended = false;
  gsize opened = 0, done = 0;

  if (job->size == 0)
    return TRUE;
  if (gst_aead_worker_use (self, job->user_data))
    done = eeg_age_open (self->context, job->values[GST_AEAD_VALUE_FIRST],
        job->last, &reader, job->size, job->out, &opened, &ended);
  job->out_size = opened;
  job->values[GST_AEAD_VALUE_ENDED] = ended;
  if (done == job->size)
    return TRUE;
  if (job->last)
    gst_aead_set_last_error (error);
  else
    set_decrypt_error (error);
  return FALSE;
}

static gboolean
gst_eeg_chacha20_poly1305_dec_emit (GstEegChunkCodec *codec,
    GstEegChunkJob *job, GstBuffer **buffer, GError **error)
{
  GstEegChacha20Poly1305Dec *self = GST_EEG_CHACHA20_POLY1305_DEC (codec);

  if (gst_aead_emit (GST_ELEMENT_CAST (self), job, self->state.salvage,
          &self->ended, error))
    return TRUE;
  if (error != NULL && *error == NULL)
    set_decrypt_error (error);
  return FALSE;
}

/* Opens a cell of the decoded armor into @out. */
static gboolean
open_armored_cell (GstEegChacha20Poly1305Dec *self, gsize size, gboolean final,
    guint8 *out, gsize *opened, GError **error)
{
  struct state *st = &self->state;
  EegAeadPiece piece = { st->binary, size };
  EegAeadReader reader = { &piece, 1, 0 };
  bool ended = false;

  if (self->ended || !gst_aead_worker_use (st->opener, st->file)
      || eeg_age_open (st->opener->context, st->next_cell, final, &reader, size,
             out, opened, &ended)
          != size
      || (final && !ended)) {
    if (final)
      gst_aead_set_last_error (error);
    else
      set_decrypt_error (error);
    return FALSE;
  }
  self->ended = ended;
  st->next_cell++;
  st->binary_fill -= size;
  memmove (st->binary, st->binary + size, st->binary_fill);
  return TRUE;
}

/* The rest of an armored file, once its armor is complete. */
static GstEegChunkStream
finish_armored (GstEegChacha20Poly1305Dec *self, guint8 *out, gsize *produced,
    GError **error)
{
  struct state *st = &self->state;
  gsize opened = 0;

  if (st->file == NULL || (st->binary_fill == 0 && !self->ended)) {
    gst_aead_set_truncated_error (error);
    return GST_EEG_CHUNK_STREAM_ERROR;
  }
  if (st->binary_fill > 0
      && !open_armored_cell (self, st->binary_fill, TRUE, out, &opened, error))
    return GST_EEG_CHUNK_STREAM_ERROR;
  *produced += opened;
  return GST_EEG_CHUNK_STREAM_END;
}

/* Armored input, in order. Called without input only at its end, or while there
 * was no room for the output. */
static GstEegChunkStream
gst_eeg_chacha20_poly1305_dec_stream (GstEegChunkCodec *codec,
    const guint8 *data, gsize size, gsize *consumed, guint8 *out,
    gsize out_capacity, gsize *produced, GError **error)
{
  GstEegChacha20Poly1305Dec *self = GST_EEG_CHACHA20_POLY1305_DEC (codec);
  struct state *st = &self->state;
  gsize taken, made, used;

  for (;;) {
    if (st->file == NULL && st->binary_fill > 0) {
      used = open_header (self, st->binary, st->binary_fill, error);
      if (error != NULL && *error != NULL)
        goto failed;
      st->binary_fill -= used;
      memmove (st->binary, st->binary + used, st->binary_fill);
    }
    while (st->file != NULL && st->binary_fill >= EEG_AGE_SEALED_CELL_SIZE) {
      if (out_capacity - *produced < EEG_AGE_CELL_SIZE)
        return GST_EEG_CHUNK_STREAM_MORE;
      made = 0;
      if (!open_armored_cell (self, EEG_AGE_SEALED_CELL_SIZE, FALSE,
              out + *produced, &made, error))
        goto failed;
      *produced += made;
    }
    if (*consumed == size)
      break;
    taken = made = 0;
    if (!eeg_age_armor_decode (&st->armor, data + *consumed, size - *consumed,
            &taken, st->binary + st->binary_fill,
            BINARY_BYTES - st->binary_fill, &made)) {
      g_set_error_literal (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT,
          "The ASCII armor is damaged.");
      goto failed;
    }
    *consumed += taken;
    st->binary_fill += made;
    if (taken + made == 0)
      break;
  }
  if (size > 0 || !eeg_age_armor_finish (&st->armor))
    return GST_EEG_CHUNK_STREAM_MORE;
  if (out_capacity - *produced < EEG_AGE_CELL_SIZE)
    return GST_EEG_CHUNK_STREAM_MORE;
  st->expect = EXPECT_NOTHING;
  return finish_armored (self, out + *produced, produced, error);

failed:
  st->expect = EXPECT_NOTHING;
  return GST_EEG_CHUNK_STREAM_ERROR;
}

static gchar **
string_setting (GstEegChacha20Poly1305Dec *self, guint prop_id)
{
  switch (prop_id) {
    case PROP_IDENTITY_FILE:
      return &self->settings.identity_file;
    case PROP_PASSPHRASE_FILE:
      return &self->settings.passphrase_file;
    default:
      return NULL;
  }
}

static void
gst_eeg_chacha20_poly1305_dec_set_property (GObject *object, guint prop_id,
    const GValue *value, GParamSpec *pspec)
{
  GstEegChacha20Poly1305Dec *self = GST_EEG_CHACHA20_POLY1305_DEC (object);
  gchar **string = string_setting (self, prop_id);

  if (prop_id == PROP_SALVAGE) {
    gst_eeg_chunk_codec_set_salvage (GST_EEG_CHUNK_CODEC (self),
        g_value_get_boolean (value));
    return;
  }
  GST_OBJECT_LOCK (self);
  if (string != NULL) {
    g_free (*string);
    *string = g_value_dup_string (value);
  } else if (prop_id == PROP_MAX_WORK_FACTOR) {
    self->settings.max_work_factor = g_value_get_uint (value);
  } else {
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_eeg_chacha20_poly1305_dec_get_property (GObject *object, guint prop_id,
    GValue *value, GParamSpec *pspec)
{
  GstEegChacha20Poly1305Dec *self = GST_EEG_CHACHA20_POLY1305_DEC (object);
  gchar **string = string_setting (self, prop_id);

  if (prop_id == PROP_SALVAGE) {
    g_value_set_boolean (value,
        gst_eeg_chunk_codec_get_salvage (GST_EEG_CHUNK_CODEC (self)));
    return;
  }
  GST_OBJECT_LOCK (self);
  if (string != NULL)
    g_value_set_string (value, *string);
  else if (prop_id == PROP_MAX_WORK_FACTOR)
    g_value_set_uint (value, self->settings.max_work_factor);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
  GST_OBJECT_UNLOCK (self);
}

static void
gst_eeg_chacha20_poly1305_dec_finalize (GObject *object)
{
  GstEegChacha20Poly1305Dec *self = GST_EEG_CHACHA20_POLY1305_DEC (object);

  g_free (self->settings.identity_file);
  g_free (self->settings.passphrase_file);
  G_OBJECT_CLASS (gst_eeg_chacha20_poly1305_dec_parent_class)
      ->finalize (object);
}

static void
gst_eeg_chacha20_poly1305_dec_class_init (GstEegChacha20Poly1305DecClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstEegChunkCodecClass *codec_class = GST_EEG_CHUNK_CODEC_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
      | (GParamFlags) GST_PARAM_MUTABLE_READY;

  object_class->set_property = gst_eeg_chacha20_poly1305_dec_set_property;
  object_class->get_property = gst_eeg_chacha20_poly1305_dec_get_property;
  object_class->finalize = gst_eeg_chacha20_poly1305_dec_finalize;

  /**
   * GstEegChacha20Poly1305Dec:identity-file:
   *
   * File with secret keys as `age-keygen` writes it; each is tried.
   */
  g_object_class_install_property (object_class, PROP_IDENTITY_FILE,
      g_param_spec_string ("identity-file", "Identity file",
          "File with secret keys as age-keygen writes it", NULL, flags));

  /**
   * GstEegChacha20Poly1305Dec:passphrase-file:
   *
   * File with one line, the passphrase.
   */
  g_object_class_install_property (object_class, PROP_PASSPHRASE_FILE,
      g_param_spec_string ("passphrase-file", "Passphrase file",
          "File with the passphrase in its one line", NULL, flags));

  /**
   * GstEegChacha20Poly1305Dec:max-work-factor:
   *
   * Files for a passphrase that would take more than 2^max-work-factor KiB of
   * memory to open are refused.
   */
  g_object_class_install_property (object_class, PROP_MAX_WORK_FACTOR,
      g_param_spec_uint ("max-work-factor", "Largest work factor",
          "Largest logarithm of the cost of a passphrase, 1 to 30: 22 takes 4 "
          "GiB and about 15 seconds",
          0, G_MAXUINT, EEG_AGE_DEFAULT_MAX_WORK_FACTOR, flags));

  /**
   * GstEegChacha20Poly1305Dec:salvage:
   *
   * Whether damaged cells become gaps instead of an error. The header must be
   * whole.
   */
  g_object_class_install_property (object_class, PROP_SALVAGE,
      g_param_spec_boolean ("salvage", "Salvage",
          "Step over damaged cells with GAP events and messages",
          DEFAULT_SALVAGE, flags));

  /**
   * GstEegChacha20Poly1305Dec::request-identity:
   * @element: the element
   *
   * Asks for identities from READY to PAUSED, if no file is set.
   *
   * Returns: (transfer full) (nullable): what an identity file would hold
   */
  signals[SIGNAL_REQUEST_IDENTITY] =
      g_signal_new ("request-identity", G_TYPE_FROM_CLASS (klass),
          G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_BYTES, 0);

  /**
   * GstEegChacha20Poly1305Dec::request-passphrase:
   * @element: the element
   *
   * Asks for the passphrase from READY to PAUSED, if no file is set and
   * #GstEegChacha20Poly1305Dec::request-identity gave none.
   *
   * Returns: (transfer full) (nullable): what a passphrase file would hold
   */
  signals[SIGNAL_REQUEST_PASSPHRASE] =
      g_signal_new ("request-passphrase", G_TYPE_FROM_CLASS (klass),
          G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_BYTES, 0);

  gst_element_class_set_static_metadata (element_class,
      "ChaCha20-Poly1305 decoder", "Codec/Decoder",
      "Decrypts age files with identities or a passphrase",
      "gst-plugins-eeg developers");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);

  codec_class->kind = GST_EEG_STAGE_KIND_DECRYPTION;
  codec_class->media_type = GST_AGE_MEDIA_TYPE;
  codec_class->limits = gst_eeg_chacha20_poly1305_dec_limits;
  codec_class->start = gst_eeg_chacha20_poly1305_dec_start;
  codec_class->stop = gst_eeg_chacha20_poly1305_dec_stop;
  codec_class->reset = gst_eeg_chacha20_poly1305_dec_reset;
  codec_class->worker_new = gst_eeg_chacha20_poly1305_dec_worker_new;
  codec_class->worker_free = gst_eeg_chacha20_poly1305_dec_worker_free;
  codec_class->parse = gst_eeg_chacha20_poly1305_dec_parse;
  codec_class->prepare = gst_eeg_chacha20_poly1305_dec_prepare;
  codec_class->process = gst_eeg_chacha20_poly1305_dec_process;
  codec_class->stream = gst_eeg_chacha20_poly1305_dec_stream;
  codec_class->emit = gst_eeg_chacha20_poly1305_dec_emit;
}

static void
gst_eeg_chacha20_poly1305_dec_init (GstEegChacha20Poly1305Dec *self)
{
  self->settings.max_work_factor = EEG_AGE_DEFAULT_MAX_WORK_FACTOR;
}
