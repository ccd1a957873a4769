/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstaeadcommon.h"

#include <errno.h>

GstAeadFile *
gst_aead_file_new (void)
{
  static guint64 serials;
  GstAeadFile *file = g_new0 (GstAeadFile, 1);

  g_atomic_ref_count_init (&file->refs);
  file->serial = __atomic_add_fetch (&serials, 1, __ATOMIC_RELAXED);
  file->key = eeg_aead_secret_new (EEG_AEAD_KEY_SIZE);
  if (file->key == NULL)
    g_clear_pointer (&file, g_free);
  return file;
}

GstAeadFile *
gst_aead_file_ref (GstAeadFile *file)
{
  g_atomic_ref_count_inc (&file->refs);
  return file;
}

void
gst_aead_file_unref (GstAeadFile *file)
{
  if (g_atomic_ref_count_dec (&file->refs)) {
    eeg_aead_secret_free (file->key);
    g_free (file);
  }
}

GstAeadWorker *
gst_aead_worker_new (EegAeadCipher cipher, EegAeadDirection direction,
    GError **error)
{
  EegAeadContext *context = eeg_aead_context_new (cipher, direction, NULL);
  GstAeadWorker *worker;

  if (context == NULL) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
        "No library here offers %s on this machine.",
        cipher == EEG_AEAD_AES_256_GCM ? "AES-256-GCM" : "ChaCha20-Poly1305");
    return NULL;
  }
  worker = g_new0 (GstAeadWorker, 1);
  worker->context = context;
  return worker;
}

void
gst_aead_worker_free (GstAeadWorker *worker)
{
  eeg_aead_context_free (worker->context);
  g_free (worker);
}

gboolean
gst_aead_worker_use (GstAeadWorker *worker, const GstAeadFile *file)
{
  if (worker->serial == file->serial)
    return TRUE;
  if (!eeg_aead_context_set_key (worker->context, file->key->data))
    return FALSE;
  worker->serial = file->serial;
  return TRUE;
}

gboolean
gst_aead_check_cipher (EegAeadCipher cipher, GError **error)
{
  GstAeadWorker *worker = gst_aead_worker_new (cipher, EEG_AEAD_SEAL, error);

  if (worker == NULL)
    return FALSE;
  gst_aead_worker_free (worker);
  return TRUE;
}

EegAeadReader
gst_aead_read_job (const GstEegChunkJob *job, EegAeadPiece *pieces)
{
  guint i;

  for (i = 0; i < job->n_pieces; i++)
    pieces[i] = (EegAeadPiece){ job->pieces[i].data, job->pieces[i].size };
  return (EegAeadReader){ pieces, job->n_pieces, 0 };
}

void
gst_aead_set_truncated_error (GError **error)
{
  g_set_error_literal (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT,
      "The stream is cut short: its end is missing.");
}

void
gst_aead_set_last_error (GError **error)
{
  g_set_error_literal (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT,
      "The last bytes of the stream do not verify: it was cut short, or "
      "changed.");
}

gboolean
gst_aead_emit (GstElement *element, const GstEegChunkJob *job, gboolean salvage,
    gboolean *ended, GError **error)
{
  if (*ended && job->size > 0 && !salvage)
    return FALSE;
  *ended |= job->values[GST_AEAD_VALUE_ENDED] != 0;
  if (!job->last)
    return TRUE;
  if (salvage) {
    gst_element_post_message (element,
        gst_message_new_element (GST_OBJECT_CAST (element),
            gst_structure_new ("eeg-salvage-end", "end-authenticated",
                G_TYPE_BOOLEAN, *ended, NULL)));
  } else if (!*ended) {
    gst_aead_set_truncated_error (error);
    return FALSE;
  }
  return TRUE;
}

EegAeadSecret *
gst_aead_read_file (GstElement *element, const gchar *path, gsize max_size,
    GQuark domain, gint code, GError **error)
{
  bool exposed = false;
  EegAeadSecret *secret =
      eeg_aead_secret_new_from_file (path, max_size, &exposed);

  if (secret == NULL) {
    g_set_error (error, domain, code, "Could not read \"%s\": %s.", path,
        g_strerror (errno));
    return NULL;
  }
  if (exposed)
    GST_ELEMENT_WARNING (element, RESOURCE, SETTINGS,
        ("Others may read the secret in \"%s\"; allow only its owner to.",
            path),
        (NULL));
  return secret;
}

EegAeadSecret *
gst_aead_request (GstElement *element, guint signal)
{
  EegAeadSecret *secret = NULL;
  GBytes *bytes = NULL;

  g_signal_emit (element, signal, 0, &bytes);
  if (bytes != NULL) {
    gsize size;
    gconstpointer data = g_bytes_get_data (bytes, &size);

    secret = eeg_aead_secret_new_copy (data, size);
    g_bytes_unref (bytes);
  }
  return secret;
}
