/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gsteegprefilter.h"

static void
append (GString *text, const gchar *kind, gdouble frequency)
{
  gchar number[G_ASCII_DTOSTR_BUF_SIZE];

  g_ascii_formatd (number, sizeof number, "%.6g", frequency);
  g_string_append_printf (text, "%s%s:%sHz", text->len > 0 ? " " : "", kind,
      number);
}

gchar *
gst_eeg_prefilter_to_text (GstEegPrefilter shape, gdouble low, gdouble high,
    const gdouble *notches, guint n_notches)
{
  GString *text = g_string_new (NULL);
  guint i;

  if (shape == GST_EEG_PREFILTER_HIGH_PASS
      || shape == GST_EEG_PREFILTER_BAND_PASS)
    append (text, "HP", low);
  if (shape == GST_EEG_PREFILTER_LOW_PASS
      || shape == GST_EEG_PREFILTER_BAND_PASS)
    append (text, "LP", high);
  if (shape == GST_EEG_PREFILTER_BAND_STOP) {
    gchar from[G_ASCII_DTOSTR_BUF_SIZE], to[G_ASCII_DTOSTR_BUF_SIZE];

    g_ascii_formatd (from, sizeof from, "%.6g", low);
    g_ascii_formatd (to, sizeof to, "%.6g", high);
    g_string_append_printf (text, "N:%s-%sHz", from, to);
  }
  for (i = 0; i < n_notches; i++)
    append (text, "N", notches[i]);
  return g_string_free (text, FALSE);
}
