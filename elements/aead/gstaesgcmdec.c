/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-aesgcmdec
 * @title: aesgcmdec
 * @short_description: decrypts what aesgcmenc or Tink encrypted
 *
 * Decrypts the AES-GCM-HKDF streaming format of Google's Tink, with 256-bit
 * keys and empty associated data.
 *
 * |[
 * gst-launch-1.0 filesrc location=night.edf.zst.tink blocksize=1048576 ! \
 *     aesgcmdec key-file=key ! zstddec ! filesink location=night.edf
 * ]|
 *
 * Only bytes that were verified leave, in order. Any change, also a missing
 * end, is one STREAM/DECRYPT error; what left before it is an authentic
 * beginning of the stream. With #GstEegAesGcmDec:salvage what still verifies
 * leaves in its place, and each damaged segment becomes a GAP event and an
 * element message `eeg-salvage` with counts; at the end `eeg-salvage-end` tells
 * in `end-authenticated` whether the genuine end was there.
 *
 * A segment leaves as soon as it is complete. A flush and a new stream begin
 * with a header. Output caps are the `original-caps`, if any.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstaesgcmdec.h"

#include "gstaesgcmcommon.h"

GST_DEBUG_CATEGORY_STATIC (gst_eeg_aes_gcm_dec_debug);
#define GST_CAT_DEFAULT gst_eeg_aes_gcm_dec_debug

enum
{
  PROP_0,
  PROP_KEY_FILE,
  PROP_SEGMENT_SIZE,
  PROP_SALVAGE
};

enum
{
  SIGNAL_REQUEST_KEY,
  N_SIGNALS
};

#define DEFAULT_SEGMENT_SIZE 0
#define DEFAULT_SALVAGE FALSE

/* What a raw key does not tell: Tink's two templates. */
static const guint32 usual_sizes[] = { 4096, 1024 * 1024 };

#define MAX_CANDIDATES (2 * EEG_TINK_MAX_KEYS)

struct settings
{
  gchar *key_file;
  guint segment_size;
};

typedef struct
{
  const EegTinkKey *key;
  guint32 segment_size;
  gboolean failed; /* segment 0 did not verify */
} Candidate;

struct state
{
  EegTinkKeys *keys;
  gboolean salvage;
  /* in ascending order of the segment size */
  Candidate candidates[MAX_CANDIDATES];
  guint n_candidates;
  GstAeadWorker *prober;

  enum
  {
    EXPECT_HEADER,
    EXPECT_SEGMENT_0, /* it tells key and segment size */
    EXPECT_SEGMENTS,
    EXPECT_NOTHING
  } expect;
  EegTinkHeader header;
  GstAeadFile *file;
  guint64 next_segment;
};

struct _GstEegAesGcmDec
{
  GstEegChunkCodec parent;

  /* Locking: the object lock guards settings and largest_segment; state belongs
   * to the streaming thread, and to start and stop; ended to whoever pushes,
   * and to the streaming thread while no jobs are out. */
  struct settings settings;
  guint32 largest_segment; /* 0 while stopped */
  struct state state;
  gboolean ended;
};

static guint signals[N_SIGNALS];

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (GST_AES_GCM_MEDIA_TYPE));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

G_DEFINE_FINAL_TYPE_WITH_CODE (GstEegAesGcmDec, gst_eeg_aes_gcm_dec,
    GST_TYPE_EEG_CHUNK_CODEC,
    GST_DEBUG_CATEGORY_INIT (gst_eeg_aes_gcm_dec_debug, "aesgcmdec", 0,
        "AES-256-GCM decoder"))
/* without a key nobody can use it, so it is never plugged automatically */
GST_ELEMENT_REGISTER_DEFINE (aesgcmdec, "aesgcmdec", GST_RANK_NONE,
    GST_TYPE_EEG_AES_GCM_DEC)

/* One text for a wrong key and for any change: what it was is not for an
 * attacker to know. */
static void
set_decrypt_error (GError **error)
{
  g_set_error_literal (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT,
      "The stream does not verify: the key or segment-size is wrong, or it was "
      "changed.");
}

static void
gst_eeg_aes_gcm_dec_limits (GstEegChunkCodec *codec, GstEegChunkLimits *limits)
{
  GstEegAesGcmDec *self = GST_EEG_AES_GCM_DEC (codec);
  gsize segment_size;

  GST_OBJECT_LOCK (self);
  segment_size = self->largest_segment ? self->largest_segment
                                       : self->settings.segment_size;
  GST_OBJECT_UNLOCK (self);

  if (segment_size == 0)
    segment_size = usual_sizes[G_N_ELEMENTS (usual_sizes) - 1];
  segment_size = CLAMP (segment_size, EEG_TINK_MIN_SEGMENT_SIZE,
      EEG_TINK_MAX_SEGMENT_SIZE);
  limits->max_input = limits->max_output =
      MAX (segment_size, GST_AEAD_BATCH_BYTES);
  limits->context_bytes = sizeof (GstAeadWorker) + 1024;
  /* and what segment 0 is tried in */
  limits->extra_bytes = sizeof (EegTinkKeys) + sizeof (GstAeadFile)
      + limits->context_bytes + segment_size;
}

static gint
compare_candidates (gconstpointer a, gconstpointer b)
{
  guint32 sa = ((const Candidate *) a)->segment_size;
  guint32 sb = ((const Candidate *) b)->segment_size;

  return (sa > sb) - (sa < sb);
}

static void
add_candidate (struct state *st, const EegTinkKey *key, guint32 segment_size)
{
  st->candidates[st->n_candidates++] = (Candidate){ key, segment_size, FALSE };
}

static gboolean
find_candidates (struct state *st, guint segment_size, GError **error)
{
  gsize i, j;

  st->n_candidates = 0;
  for (i = 0; i < st->keys->n_keys; i++) {
    const EegTinkKey *key = &st->keys->keys[i];

    if (key->segment_size != 0) {
      if (segment_size == 0 || segment_size == key->segment_size)
        add_candidate (st, key, key->segment_size);
    } else if (segment_size != 0) {
      add_candidate (st, key, segment_size);
    } else {
      for (j = 0; j < G_N_ELEMENTS (usual_sizes); j++)
        add_candidate (st, key, usual_sizes[j]);
    }
  }
  if (st->n_candidates == 0) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "segment-size is %u, but no key of the keyset is for such segments.",
        segment_size);
    return FALSE;
  }
  qsort (st->candidates, st->n_candidates, sizeof st->candidates[0],
      compare_candidates);
  return TRUE;
}

static gboolean
gst_eeg_aes_gcm_dec_start (GstEegChunkCodec *codec, GError **error)
{
  GstEegAesGcmDec *self = GST_EEG_AES_GCM_DEC (codec);
  struct state *st = &self->state;
  struct settings settings;
  gboolean ok = FALSE;

  GST_OBJECT_LOCK (self);
  settings = self->settings;
  settings.key_file = g_strdup (settings.key_file);
  GST_OBJECT_UNLOCK (self);

  st->salvage = gst_eeg_chunk_codec_get_salvage (codec);
  st->expect = EXPECT_HEADER;
  if (settings.segment_size != 0
      && !gst_aes_gcm_check_segment_size (settings.segment_size, error))
    goto done;
  st->prober = gst_aead_worker_new (EEG_AEAD_AES_256_GCM, EEG_AEAD_OPEN, error);
  if (st->prober == NULL)
    goto done;
  st->keys = gst_aes_gcm_load_keys (GST_ELEMENT_CAST (self), settings.key_file,
      signals[SIGNAL_REQUEST_KEY], GST_STREAM_ERROR,
      GST_STREAM_ERROR_DECRYPT_NOKEY, error);
  if (st->keys == NULL)
    goto done;
  if (!find_candidates (st, settings.segment_size, error))
    goto done;
  GST_OBJECT_LOCK (self);
  self->largest_segment = st->candidates[st->n_candidates - 1].segment_size;
  GST_OBJECT_UNLOCK (self);
  ok = TRUE;

done:
  g_free (settings.key_file);
  return ok;
}

static void
gst_eeg_aes_gcm_dec_reset (GstEegChunkCodec *codec)
{
  GstEegAesGcmDec *self = GST_EEG_AES_GCM_DEC (codec);
  struct state *st = &self->state;
  guint i;

  st->expect = EXPECT_HEADER;
  st->next_segment = 0;
  for (i = 0; i < st->n_candidates; i++)
    st->candidates[i].failed = FALSE;
  g_clear_pointer (&st->file, gst_aead_file_unref);
  self->ended = FALSE;
}

static void
gst_eeg_aes_gcm_dec_stop (GstEegChunkCodec *codec)
{
  GstEegAesGcmDec *self = GST_EEG_AES_GCM_DEC (codec);
  struct state *st = &self->state;

  gst_eeg_aes_gcm_dec_reset (codec);
  st->n_candidates = 0;
  g_clear_pointer (&st->prober, gst_aead_worker_free);
  g_clear_pointer (&st->keys, eeg_tink_keys_free);
  GST_OBJECT_LOCK (self);
  self->largest_segment = 0;
  GST_OBJECT_UNLOCK (self);
}

static gpointer
gst_eeg_aes_gcm_dec_worker_new (GstEegChunkCodec *codec, GError **error)
{
  return gst_aead_worker_new (EEG_AEAD_AES_256_GCM, EEG_AEAD_OPEN, error);
}

static void
gst_eeg_aes_gcm_dec_worker_free (GstEegChunkCodec *codec, gpointer worker)
{
  gst_aead_worker_free (worker);
}

static gboolean
choose (struct state *st, const Candidate *candidate, GError **error)
{
  st->file = gst_aead_file_new ();
  if (st->file == NULL) {
    g_set_error_literal (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED,
        "No memory for a key.");
    return FALSE;
  }
  st->file->header = st->header;
  st->file->segment_size = candidate->segment_size;
  eeg_tink_derive_key (&st->header, candidate->key->ikm,
      candidate->key->ikm_size, NULL, 0, st->file->key->data);
  st->expect = EXPECT_SEGMENTS;
  return TRUE;
}

static GstEegChunkParse
parse_header (GstEegAesGcmDec *self, const guint8 *data, gsize size,
    gboolean eos, GstEegChunkUnit *unit, GError **error)
{
  struct state *st = &self->state;

  unit->size = EEG_TINK_HEADER_SIZE;
  if (size < EEG_TINK_HEADER_SIZE) {
    if (!eos)
      return GST_EEG_CHUNK_PARSE_MORE;
    gst_aead_set_truncated_error (error);
    return GST_EEG_CHUNK_PARSE_ERROR;
  }
  if (!eeg_tink_header_parse (&st->header, data, size)) {
    g_set_error_literal (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT,
        "The stream does not begin with the header of an AES-GCM-HKDF stream "
        "with a 256-bit key.");
    return GST_EEG_CHUNK_PARSE_ERROR;
  }
  st->expect = EXPECT_SEGMENT_0;
  if (st->n_candidates == 1 && !choose (st, &st->candidates[0], error))
    return GST_EEG_CHUNK_PARSE_ERROR;
  return GST_EEG_CHUNK_PARSE_SKIP;
}

static gboolean
opens_segment_0 (struct state *st, const guint8 *data, gsize size, bool final)
{
  EegAeadPiece piece = { data, size };
  EegAeadReader reader = { &piece, 1, 0 };
  guint8 *out = g_malloc (size);
  gsize opened;
  bool ended;
  gboolean ok;

  ok = gst_aead_worker_use (st->prober, st->file)
      && eeg_tink_open (st->prober->context, &st->header,
             st->file->segment_size, 0, final, &reader, size, out, &opened,
             &ended)
          == size;
  g_free (out);
  return ok;
}

/* Finds the key and the segment size that open segment 0. */
static GstEegChunkParse
probe (GstEegAesGcmDec *self, const guint8 *data, gsize size, gboolean eos,
    GstEegChunkUnit *unit, GError **error)
{
  struct state *st = &self->state;
  guint i;

  for (i = 0; i < st->n_candidates; i++) {
    Candidate *candidate = &st->candidates[i];
    gsize whole = candidate->segment_size - EEG_TINK_HEADER_SIZE;

    if (candidate->failed)
      continue;
    if (size < whole && !eos) {
      unit->size = whole;
      return GST_EEG_CHUNK_PARSE_MORE;
    }
    if (!choose (st, candidate, error))
      return GST_EEG_CHUNK_PARSE_ERROR;
    if (opens_segment_0 (st, data, MIN (size, whole), size < whole)) {
      GST_INFO_OBJECT (self, "segments have %u bytes, key %u of the set fits",
          candidate->segment_size,
          (guint) (candidate->key - st->keys->keys) + 1);
      unit->size = 0;
      return GST_EEG_CHUNK_PARSE_SKIP;
    }
    g_clear_pointer (&st->file, gst_aead_file_unref);
    st->expect = EXPECT_SEGMENT_0;
    candidate->failed = TRUE;
  }
  if (size == 0)
    gst_aead_set_truncated_error (error);
  else
    set_decrypt_error (error);
  return GST_EEG_CHUNK_PARSE_ERROR;
}

/* A full segment may be the last one; process() finds out, so that nothing
 * needs to wait for the byte behind it. */
static GstEegChunkParse
parse_segments (GstEegAesGcmDec *self, gsize size, gboolean eos,
    GstEegChunkUnit *unit)
{
  struct state *st = &self->state;
  gsize segment_size = st->file->segment_size, whole = segment_size, n;

  if (st->next_segment == 0)
    whole -= EEG_TINK_HEADER_SIZE;
  if (size < whole) {
    if (!eos) {
      unit->size = whole;
      return GST_EEG_CHUNK_PARSE_MORE;
    }
    /* also without any byte: emit() then knows whether the end was there */
    unit->size = size;
    unit->out_size = size > EEG_AEAD_TAG_SIZE ? size - EEG_AEAD_TAG_SIZE : 0;
    unit->last = TRUE;
    st->expect = EXPECT_NOTHING;
    return GST_EEG_CHUNK_PARSE_JOB;
  }
  n = 1 + (size - whole) / segment_size;
  n = MIN (n, st->salvage ? 1 : gst_aes_gcm_batch (segment_size));
  unit->size = whole + (n - 1) * segment_size;
  unit->out_size = unit->size - n * EEG_AEAD_TAG_SIZE;
  return GST_EEG_CHUNK_PARSE_JOB;
}

static GstEegChunkParse
gst_eeg_aes_gcm_dec_parse (GstEegChunkCodec *codec, const guint8 *data,
    gsize size, gboolean eos, GstEegChunkUnit *unit, GError **error)
{
  GstEegAesGcmDec *self = GST_EEG_AES_GCM_DEC (codec);

  switch (self->state.expect) {
    case EXPECT_HEADER:
      return parse_header (self, data, size, eos, unit, error);
    case EXPECT_SEGMENT_0:
      return probe (self, data, size, eos, unit, error);
    case EXPECT_SEGMENTS:
      return parse_segments (self, size, eos, unit);
    case EXPECT_NOTHING:
      break;
  }
  return GST_EEG_CHUNK_PARSE_MORE;
}

static gboolean
gst_eeg_aes_gcm_dec_prepare (GstEegChunkCodec *codec, GstEegChunkJob *job,
    GError **error)
{
  struct state *st = &GST_EEG_AES_GCM_DEC (codec)->state;
  gsize n = job->size + (st->next_segment == 0 ? EEG_TINK_HEADER_SIZE : 0);

  job->values[GST_AEAD_VALUE_FIRST] = st->next_segment;
  job->user_data = gst_aead_file_ref (st->file);
  job->user_free = (GDestroyNotify) gst_aead_file_unref;
  st->next_segment += n / st->file->segment_size;
  return TRUE;
}

static gboolean
gst_eeg_aes_gcm_dec_process (GstEegChunkCodec *codec, gpointer worker,
    GstEegChunkJob *job, GError **error)
{
  const GstAeadFile *file = job->user_data;
  GstAeadWorker *self = worker;
  EegAeadPiece piece = { job->data, job->size };
  EegAeadReader reader = { &piece, 1, 0 };
  bool ended = false;
  gsize opened = 0, done = 0;

  if (job->size == 0)
    return TRUE;
  if (gst_aead_worker_use (self, file))
    done = eeg_tink_open (self->context, &file->header, file->segment_size,
        job->values[GST_AEAD_VALUE_FIRST], job->last, &reader, job->size,
        job->out, &opened, &ended);
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
gst_eeg_aes_gcm_dec_emit (GstEegChunkCodec *codec, GstEegChunkJob *job,
    GstBuffer **buffer, GError **error)
{
  GstEegAesGcmDec *self = GST_EEG_AES_GCM_DEC (codec);

  if (gst_aead_emit (GST_ELEMENT_CAST (self), job, self->state.salvage,
          &self->ended, error))
    return TRUE;
  if (error != NULL && *error == NULL)
    set_decrypt_error (error);
  return FALSE;
}

static void
gst_eeg_aes_gcm_dec_set_property (GObject *object, guint prop_id,
    const GValue *value, GParamSpec *pspec)
{
  GstEegAesGcmDec *self = GST_EEG_AES_GCM_DEC (object);

  if (prop_id == PROP_SALVAGE) {
    gst_eeg_chunk_codec_set_salvage (GST_EEG_CHUNK_CODEC (self),
        g_value_get_boolean (value));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (prop_id) {
    case PROP_KEY_FILE:
      g_free (self->settings.key_file);
      self->settings.key_file = g_value_dup_string (value);
      break;
    case PROP_SEGMENT_SIZE:
      self->settings.segment_size = g_value_get_uint (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_eeg_aes_gcm_dec_get_property (GObject *object, guint prop_id, GValue *value,
    GParamSpec *pspec)
{
  GstEegAesGcmDec *self = GST_EEG_AES_GCM_DEC (object);

  if (prop_id == PROP_SALVAGE) {
    g_value_set_boolean (value,
        gst_eeg_chunk_codec_get_salvage (GST_EEG_CHUNK_CODEC (self)));
    return;
  }
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
gst_eeg_aes_gcm_dec_finalize (GObject *object)
{
  GstEegAesGcmDec *self = GST_EEG_AES_GCM_DEC (object);

  g_free (self->settings.key_file);
  G_OBJECT_CLASS (gst_eeg_aes_gcm_dec_parent_class)->finalize (object);
}

static void
gst_eeg_aes_gcm_dec_class_init (GstEegAesGcmDecClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstEegChunkCodecClass *codec_class = GST_EEG_CHUNK_CODEC_CLASS (klass);

  object_class->set_property = gst_eeg_aes_gcm_dec_set_property;
  object_class->get_property = gst_eeg_aes_gcm_dec_get_property;
  object_class->finalize = gst_eeg_aes_gcm_dec_finalize;

  /**
   * GstEegAesGcmDec:key-file:
   *
   * File with the key: 32 raw bytes, 64 hexadecimal digits with or without a
   * line end, or a cleartext Tink JSON keyset, each key of which is tried.
   */
  g_object_class_install_property (object_class, PROP_KEY_FILE,
      g_param_spec_string ("key-file", "Key file",
          "File with the key: 32 bytes, 64 hexadecimal digits or a Tink JSON "
          "keyset",
          NULL,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));

  /**
   * GstEegAesGcmDec:segment-size:
   *
   * Bytes of an encrypted segment, 57 to 104857600; 0 tries 4096 and 1048576,
   * or takes what a keyset says.
   */
  g_object_class_install_property (object_class, PROP_SEGMENT_SIZE,
      g_param_spec_uint ("segment-size", "Segment size",
          "Bytes of an encrypted segment (57 to 104857600; 0 = 4096 or 1048576, "
          "or as the keyset tells)",
          0, G_MAXUINT, DEFAULT_SEGMENT_SIZE,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));

  /**
   * GstEegAesGcmDec:salvage:
   *
   * Whether damaged segments become gaps instead of an error. The header and,
   * if key or segment size have to be found out, segment 0 must be whole.
   */
  g_object_class_install_property (object_class, PROP_SALVAGE,
      g_param_spec_boolean ("salvage", "Salvage",
          "Step over damaged segments with GAP events and messages",
          DEFAULT_SALVAGE,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));

  /**
   * GstEegAesGcmDec::request-key:
   * @element: the element
   *
   * Asks for the key from READY to PAUSED, if #GstEegAesGcmDec:key-file is not
   * set.
   *
   * Returns: (transfer full) (nullable): what a key file would hold
   */
  signals[SIGNAL_REQUEST_KEY] =
      g_signal_new ("request-key", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST,
          0, NULL, NULL, NULL, G_TYPE_BYTES, 0);

  gst_element_class_set_static_metadata (element_class, "AES-256-GCM decoder",
      "Codec/Decoder", "Decrypts Tink's AES-GCM-HKDF streaming format",
      "gst-plugins-eeg developers");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);

  codec_class->kind = GST_EEG_STAGE_KIND_DECRYPTION;
  codec_class->media_type = GST_AES_GCM_MEDIA_TYPE;
  codec_class->limits = gst_eeg_aes_gcm_dec_limits;
  codec_class->start = gst_eeg_aes_gcm_dec_start;
  codec_class->stop = gst_eeg_aes_gcm_dec_stop;
  codec_class->reset = gst_eeg_aes_gcm_dec_reset;
  codec_class->worker_new = gst_eeg_aes_gcm_dec_worker_new;
  codec_class->worker_free = gst_eeg_aes_gcm_dec_worker_free;
  codec_class->parse = gst_eeg_aes_gcm_dec_parse;
  codec_class->prepare = gst_eeg_aes_gcm_dec_prepare;
  codec_class->process = gst_eeg_aes_gcm_dec_process;
  codec_class->emit = gst_eeg_aes_gcm_dec_emit;
}

static void
gst_eeg_aes_gcm_dec_init (GstEegAesGcmDec *self)
{
  self->settings.segment_size = DEFAULT_SEGMENT_SIZE;
}
