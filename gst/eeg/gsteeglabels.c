/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The language of the properties that name channels: items with commas between
 * them, spaces around them dropped; `*` for any characters, `?` for one; a
 * backslash takes the next character as it is. */
#include "gsteeglabels.h"

#include <string.h>

/*
 * gst_eeg_labels_split:
 * @list: (nullable): items
 * @separator: what stands between them
 *
 * Returns: (transfer full): the items, with their backslashes; no empty ones
 */
gchar **
gst_eeg_labels_split (const gchar *list, gchar separator)
{
  GPtrArray *items = g_ptr_array_new ();
  const gchar *start = list, *p = list;

  while (list != NULL) {
    if (*p == '\\' && p[1] != '\0') {
      p += 2;
    } else if (*p == separator || *p == '\0') {
      const gchar *end = p;

      while (start < end && g_ascii_isspace (*start))
        start++;
      while (end > start && g_ascii_isspace (end[-1])
          && (end - 1 == start || end[-2] != '\\'))
        end--;
      if (end > start)
        g_ptr_array_add (items, g_strndup (start, end - start));
      if (*p == '\0')
        break;
      start = ++p;
    } else {
      p++;
    }
  }
  g_ptr_array_add (items, NULL);
  return (gchar **) g_ptr_array_free (items, FALSE);
}

/*
 * gst_eeg_labels_has_wildcard:
 * @pattern: an item
 *
 * Returns: whether it may mean several labels
 */
gboolean
gst_eeg_labels_has_wildcard (const gchar *pattern)
{
  for (; *pattern != '\0'; pattern++) {
    if (*pattern == '*' || *pattern == '?')
      return TRUE;
    if (*pattern == '\\' && pattern[1] != '\0')
      pattern++;
  }
  return FALSE;
}

/*
 * gst_eeg_labels_unescape:
 * @text: an item
 *
 * Returns: (transfer full): @text without its backslashes
 */
gchar *
gst_eeg_labels_unescape (const gchar *text)
{
  return gst_eeg_labels_replace_star (text, "*");
}

/*
 * gst_eeg_labels_match:
 * @pattern: an item
 * @label: a label
 * @star: (out) (optional): what the first `*` stands for, if they match; empty
 *     without one
 *
 * Takes time in proportion to the product of the lengths at most.
 *
 * Returns: whether @pattern means @label
 */
gboolean
gst_eeg_labels_match (const gchar *pattern, const gchar *label, gchar **star)
{
  const gchar *p = pattern, *l = label;
  /* the last star and where what it stands for ends; the first one */
  const gchar *last_p = NULL, *last_l = NULL;
  const gchar *first_p = NULL, *first_start = NULL, *first_end = NULL;

  while (*p != '\0' || *l != '\0') {
    const gchar *plain = *p == '\\' && p[1] != '\0' ? p + 1 : p;

    if (*p == '*') {
      last_p = p++;
      last_l = l;
      if (first_p == NULL) {
        first_p = last_p;
        first_start = first_end = l;
      }
    } else if (*p == '?' && *l != '\0') {
      p++;
      l = g_utf8_next_char (l);
    } else if (*p != '\0' && *plain == *l) {
      p = plain + 1;
      l++;
    } else if (last_p != NULL && *last_l != '\0') {
      /* one character more for the last star */
      last_l = l = g_utf8_next_char (last_l);
      p = last_p + 1;
      if (last_p == first_p)
        first_end = l;
    } else {
      return FALSE;
    }
  }
  if (star != NULL)
    *star = first_p != NULL ? g_strndup (first_start, first_end - first_start)
                            : g_strdup ("");
  return TRUE;
}

/*
 * gst_eeg_labels_replace_star:
 * @text: an item
 * @star: what to put in the place of its first `*`
 *
 * Returns: (transfer full): the text, without backslashes
 */
gchar *
gst_eeg_labels_replace_star (const gchar *text, const gchar *star)
{
  GString *result = g_string_new (NULL);
  gboolean done = FALSE;

  for (; *text != '\0'; text++) {
    if (*text == '\\' && text[1] != '\0') {
      g_string_append_c (result, *++text);
    } else if (*text == '*' && !done) {
      g_string_append (result, star);
      done = TRUE;
    } else {
      g_string_append_c (result, *text);
    }
  }
  return g_string_free (result, FALSE);
}

/*
 * gst_eeg_labels_find:
 * @table: a table
 * @pattern: an item without wildcards
 * @error: set to LIBRARY/SETTINGS if there is no such label
 *
 * Returns: the index of the channel, or -1
 */
gint
gst_eeg_labels_find (const GstEegChannels *table, const gchar *pattern,
    GError **error)
{
  gchar *label = gst_eeg_labels_unescape (pattern);
  gint index = gst_eeg_channels_find (table, label);

  if (index < 0)
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "There is no channel '%s'.", label);
  g_free (label);
  return index;
}
