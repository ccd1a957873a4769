/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of channel labels and patterns, as properties hold them. */
#ifndef __GST_EEG_LABELS_H__
#define __GST_EEG_LABELS_H__

#include <gst/eeg/gsteegchannels.h>

G_BEGIN_DECLS

gchar **gst_eeg_labels_split (const gchar *list, gchar separator);

gboolean gst_eeg_labels_has_wildcard (const gchar *pattern);

gchar *gst_eeg_labels_unescape (const gchar *text);

gboolean gst_eeg_labels_match (const gchar *pattern, const gchar *label,
    gchar **star);

gchar *gst_eeg_labels_replace_star (const gchar *text, const gchar *star);

gint gst_eeg_labels_find (const GstEegChannels *table, const gchar *pattern,
    GError **error);

G_END_DECLS

#endif /* __GST_EEG_LABELS_H__ */
