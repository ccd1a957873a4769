/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstaesgcmcommon.h"

EegTinkKeys *
gst_aes_gcm_load_keys (GstElement *element, const gchar *path, guint signal,
    GQuark domain, gint code, GError **error)
{
  EegTinkKeysResult result;
  EegAeadSecret *secret;
  EegTinkKeys *keys = NULL;

  if (path != NULL) {
    secret = gst_aead_read_file (element, path, EEG_TINK_MAX_KEY_FILE_SIZE,
        domain, code, error);
    if (secret == NULL)
      return NULL;
  } else {
    secret = gst_aead_request (element, signal);
    if (secret == NULL) {
      g_set_error_literal (error, domain, code,
          "There is no key: set key-file or answer request-key.");
      return NULL;
    }
  }

  result = eeg_tink_keys_parse (secret, &keys);
  if (result != EEG_TINK_KEYS_OK)
    g_set_error (error, domain, code,
        "The key of %" G_GSIZE_FORMAT " bytes%s%s%s cannot be used: %s.",
        secret->size, path ? " in \"" : "", path ? path : "", path ? "\"" : "",
        eeg_tink_keys_result_text (result));
  else if (keys->n_skipped > 0)
    GST_WARNING_OBJECT (element,
        "%" G_GSIZE_FORMAT " keys of the set are of another kind",
        keys->n_skipped);
  eeg_aead_secret_free (secret);
  return keys;
}

gboolean
gst_aes_gcm_check_segment_size (guint segment_size, GError **error)
{
  if (segment_size >= EEG_TINK_MIN_SEGMENT_SIZE
      && segment_size <= EEG_TINK_MAX_SEGMENT_SIZE)
    return TRUE;
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
      "segment-size is %u, but must be from %u to %u.", segment_size,
      EEG_TINK_MIN_SEGMENT_SIZE, EEG_TINK_MAX_SEGMENT_SIZE);
  return FALSE;
}

guint
gst_aes_gcm_batch (guint32 segment_size)
{
  return MAX (1, GST_AEAD_BATCH_BYTES / segment_size);
}
