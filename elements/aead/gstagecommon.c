/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstagecommon.h"

void
gst_age_set_key_error (GError **error, GQuark domain, gint code,
    const gchar *path, EegAgeResult result, gsize item)
{
  GString *where = g_string_new (NULL);

  if (item > 0)
    g_string_append_printf (where, " (line %" G_GSIZE_FORMAT ")", item);
  g_set_error (error, domain, code, "%s%s%s cannot be used: %s%s.",
      path ? "\"" : "", path ? path : "What was given as key", path ? "\"" : "",
      eeg_age_result_text (result), where->str);
  g_string_free (where, TRUE);
}

EegAeadSecret *
gst_age_load_passphrase (GstElement *element, const gchar *path, guint signal,
    GQuark domain, gint code, GError **error)
{
  EegAeadSecret *file, *passphrase = NULL;
  EegAgeResult result;

  file = path != NULL ? gst_aead_read_file (element, path,
             EEG_AGE_MAX_KEY_FILE_SIZE, domain, code, error)
                      : gst_aead_request (element, signal);
  if (file == NULL)
    return NULL;
  result = eeg_age_passphrase_parse (file, &passphrase);
  eeg_aead_secret_free (file);
  if (result != EEG_AGE_OK)
    gst_age_set_key_error (error, domain, code, path, result, 0);
  return passphrase;
}
