/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:gsteegpart
 * @title: GstEegPart
 * @short_description: one of the files that a long recording is cut into
 *
 * A sink that has written enough asks for the end of its part with the upstream
 * event `eeg-part-request`. The source marks the next barrier that it sends
 * anyway (gst_eeg_barrier_set_ends_part()). As that barrier goes by,
 * containers, codecs, ciphers and checksums end what they write and begin anew;
 * all others do nothing, so that filters keep their history. So each sample is
 * in exactly one part.
 *
 * One stage of those before the sink, the first on the way of the data that
 * can, writes a label into its output, of one line:
 *
 * |[
 * EEG part 2; recording=UUID first-sample=30000 previous=HASH
 * ]|
 *
 * HASH is the BLAKE3 of that stage's output for the part before: that is of the
 * container if there is one, whatever compresses and encrypts it. For EDF and
 * BDF, bytes 192 to 243 are left out of it, which are completed later. A stage
 * of bytes writes `first-byte`. A part after a crash has `previous=interrupted
 * stopped=TIME begun=TIME`, the first one `previous=none`.
 */
#include "gsteegpart.h"

#include <gst/eeg/gsteegevent.h>
#include <string.h>

#define REQUEST_NAME "eeg-part-request"
#define PART_NAME "eeg-part"
#define TEXT_BEGIN "EEG part "

G_DEFINE_BOXED_TYPE (GstEegPart, gst_eeg_part, gst_eeg_part_copy,
    gst_eeg_part_free)

/**
 * gst_eeg_part_init:
 * @part: (out caller-allocates): a part
 * @recording: (array fixed-size=16): identity of the recording
 * @number: of the part, from 1
 *
 * Makes @part a first part of which nothing else is known.
 */
void
gst_eeg_part_init (GstEegPart *part, const guint8 *recording, guint64 number)
{
  g_return_if_fail (part != NULL && recording != NULL);

  memset (part, 0, sizeof *part);
  memcpy (part->recording, recording, sizeof part->recording);
  part->number = number;
  part->stopped = part->begun = part->origin = GST_EEG_PART_NO_TIME;
}

/**
 * gst_eeg_part_copy:
 * @part: a part
 *
 * Returns: (transfer full): a copy
 */
GstEegPart *
gst_eeg_part_copy (const GstEegPart *part)
{
  g_return_val_if_fail (part != NULL, NULL);

  return g_memdup2 (part, sizeof *part);
}

/**
 * gst_eeg_part_free:
 * @part: (transfer full): a part
 */
void
gst_eeg_part_free (GstEegPart *part)
{
  g_free (part);
}

/* Of a wall clock, in nanoseconds, here: the same clock may have gone over to
 * summer time, or back. */
static gint64
to_utc (gint64 wall)
{
  gint64 seconds = wall / (gint64) GST_SECOND;
  GDateTime *fields = g_date_time_new_from_unix_utc (seconds), *local = NULL;

  if (fields != NULL)
    local = g_date_time_new_local (g_date_time_get_year (fields),
        g_date_time_get_month (fields), g_date_time_get_day_of_month (fields),
        g_date_time_get_hour (fields), g_date_time_get_minute (fields),
        g_date_time_get_second (fields));
  if (local != NULL)
    wall += (g_date_time_to_unix (local) - seconds) * (gint64) GST_SECOND;
  g_clear_pointer (&fields, g_date_time_unref);
  g_clear_pointer (&local, g_date_time_unref);
  return wall;
}

/**
 * gst_eeg_part_count_before:
 * @part: a part behind an interruption, with the recording's origin
 * @recording: (nullable): fields of the `eeg-recording` event of the source
 *     that began anew
 * @rate_n: samples per second, numerator
 * @rate_d: denominator
 *
 * Such a source counts samples anew; the wall clock tells how many came before.
 *
 * Returns: samples per channel of the recording, lost ones counted, before the
 *     source's first one, or %GST_EEG_PART_UNKNOWN, also where the clock was
 *     set back behind what was recorded
 */
guint64
gst_eeg_part_count_before (const GstEegPart *part,
    const GstStructure *recording, gint rate_n, gint rate_d)
{
  gint64 start, origin;
  guint64 count;

  g_return_val_if_fail (part != NULL, GST_EEG_PART_UNKNOWN);
  g_return_val_if_fail (rate_n > 0 && rate_d > 0, GST_EEG_PART_UNKNOWN);

  if (part->origin == GST_EEG_PART_NO_TIME || recording == NULL
      || !gst_structure_get_int64 (recording, GST_EEG_RECORDING_START_TIME,
          &start))
    return GST_EEG_PART_UNKNOWN;
  start = to_utc (start);
  origin = to_utc (part->origin);
  if (start < origin)
    return GST_EEG_PART_UNKNOWN;
  count = gst_util_uint64_scale_round ((guint64) (start - origin),
      (guint64) rate_n, (guint64) rate_d * GST_SECOND);
  return count >= part->at_least ? count : GST_EEG_PART_UNKNOWN;
}

/* --- the label ----------------------------------------------------------- */

static void
append_hex (GString *to, const guint8 *bytes, gsize from, gsize to_byte)
{
  gsize i;

  for (i = from; i < to_byte; i++)
    g_string_append_printf (to, "%02x", bytes[i]);
}

static void
append_uuid (GString *to, const guint8 *uuid)
{
  static const gsize groups[] = { 0, 4, 6, 8, 10, 16 };
  gsize i;

  for (i = 0; i + 1 < G_N_ELEMENTS (groups); i++) {
    if (i > 0)
      g_string_append_c (to, '-');
    append_hex (to, uuid, groups[i], groups[i + 1]);
  }
}

static void
append_time (GString *to, const gchar *name, gint64 microseconds)
{
  GDateTime *time = NULL, *exact;
  gchar *text = NULL;

  if (microseconds != GST_EEG_PART_NO_TIME) {
    gint64 seconds = microseconds / G_USEC_PER_SEC;

    time = g_date_time_new_from_unix_utc (seconds);
    if (time != NULL) {
      exact = g_date_time_add (time, microseconds % G_USEC_PER_SEC);
      text = g_date_time_format (exact, "%Y-%m-%dT%H:%M:%S.%fZ");
      g_date_time_unref (exact);
      g_date_time_unref (time);
    }
  }
  g_string_append_printf (to, " %s=%s", name, text != NULL ? text : "unknown");
  g_free (text);
}

/**
 * gst_eeg_part_to_text:
 * @part: a part
 *
 * Returns: (transfer full): its label, one line of ASCII without a line end
 */
gchar *
gst_eeg_part_to_text (const GstEegPart *part)
{
  GString *text;

  g_return_val_if_fail (part != NULL, NULL);

  text = g_string_new (NULL);
  g_string_printf (text,
      TEXT_BEGIN "%" G_GUINT64_FORMAT "; recording=", part->number);
  append_uuid (text, part->recording);
  g_string_append (text, part->is_bytes ? " first-byte=" : " first-sample=");
  if (part->first == GST_EEG_PART_UNKNOWN)
    g_string_append (text, "unknown");
  else
    g_string_append_printf (text, "%" G_GUINT64_FORMAT, part->first);
  g_string_append (text, " previous=");
  switch (part->link) {
    case GST_EEG_PART_LINK_FIRST:
      g_string_append (text, "none");
      break;
    case GST_EEG_PART_LINK_FOLLOWS:
      append_hex (text, part->previous, 0, sizeof part->previous);
      break;
    case GST_EEG_PART_LINK_INTERRUPTED:
      g_string_append (text, "interrupted");
      append_time (text, "stopped", part->stopped);
      append_time (text, "begun", part->begun);
      break;
  }
  return g_string_free (text, FALSE);
}

static gboolean
take (const gchar **at, const gchar *word)
{
  gsize size = strlen (word);

  if (strncmp (*at, word, size) != 0)
    return FALSE;
  *at += size;
  return TRUE;
}

static gboolean
take_number (const gchar **at, guint64 *number)
{
  gchar *end;

  if (take (at, "unknown")) {
    *number = GST_EEG_PART_UNKNOWN;
    return TRUE;
  }
  if (!g_ascii_isdigit (**at))
    return FALSE;
  *number = g_ascii_strtoull (*at, &end, 10);
  *at = end;
  return *number != GST_EEG_PART_UNKNOWN;
}

static gboolean
take_hex (const gchar **at, guint8 *bytes, gsize size)
{
  gsize i;

  for (i = 0; i < size; i++) {
    gint high, low;

    if (**at == '-')
      (*at)++;
    high = g_ascii_xdigit_value (**at);
    if (high < 0)
      return FALSE;
    low = g_ascii_xdigit_value ((*at)[1]);
    if (low < 0)
      return FALSE;
    bytes[i] = (guint8) (high << 4 | low);
    *at += 2;
  }
  return TRUE;
}

static gboolean
take_time (const gchar **at, gint64 *microseconds)
{
  gsize size = strcspn (*at, " ");
  GDateTime *time;
  gchar *text;

  *microseconds = GST_EEG_PART_NO_TIME;
  if (take (at, "unknown"))
    return TRUE;
  text = g_strndup (*at, size);
  time = g_date_time_new_from_iso8601 (text, NULL);
  g_free (text);
  if (time == NULL)
    return FALSE;
  *microseconds = g_date_time_to_unix (time) * G_USEC_PER_SEC
      + g_date_time_get_microsecond (time);
  g_date_time_unref (time);
  *at += size;
  return TRUE;
}

/**
 * gst_eeg_part_from_text:
 * @part: (out caller-allocates): what it says
 * @text: (array length=size): any bytes
 * @size: how many
 *
 * Reads what gst_eeg_part_to_text() wrote.
 *
 * Returns: whether @text is the label of a part; if not, @part is undefined
 */
gboolean
gst_eeg_part_from_text (GstEegPart *part, const gchar *text, gsize size)
{
  static const guint8 nobody[GST_EEG_PART_UUID_SIZE];
  gchar *copy;
  const gchar *at;
  gboolean ok;

  g_return_val_if_fail (part != NULL && (text != NULL || size == 0), FALSE);

  gst_eeg_part_init (part, nobody, 0);
  if (size > 512 || (size > 0 && memchr (text, 0, size) != NULL))
    return FALSE;
  at = copy = g_strndup (text, size);
  ok = take (&at, TEXT_BEGIN) && take_number (&at, &part->number)
      && part->number > 0 && part->number != GST_EEG_PART_UNKNOWN
      && take (&at, "; recording=")
      && take_hex (&at, part->recording, sizeof part->recording);
  if (ok && take (&at, " first-byte="))
    part->is_bytes = TRUE;
  else
    ok = ok && take (&at, " first-sample=");
  ok = ok && take_number (&at, &part->first) && take (&at, " previous=");
  if (ok && take (&at, "none")) {
    part->link = GST_EEG_PART_LINK_FIRST;
  } else if (ok && take (&at, "interrupted")) {
    part->link = GST_EEG_PART_LINK_INTERRUPTED;
    ok = take (&at, " stopped=") && take_time (&at, &part->stopped)
        && take (&at, " begun=") && take_time (&at, &part->begun);
  } else {
    part->link = GST_EEG_PART_LINK_FOLLOWS;
    ok = ok && take_hex (&at, part->previous, sizeof part->previous);
  }
  ok = ok && *at == '\0';
  g_free (copy);
  return ok;
}

/* --- names --------------------------------------------------------------- */

/* Finds the only %u, %d, %03u or so. FALSE: there is another one, or something
 * else behind a "%". */
static gboolean
find_pattern (const gchar *location, const gchar **begin, const gchar **end,
    guint *width)
{
  const gchar *at = location;

  *begin = *end = NULL;
  while ((at = strchr (at, '%')) != NULL) {
    const gchar *first = at++;

    if (*at == '%') {
      at++;
      continue;
    }
    *width = 1;
    if (*at == '0' && g_ascii_isdigit (at[1])) {
      *width = (guint) (at[1] - '0');
      at += 2;
    }
    if ((*at != 'u' && *at != 'd') || *begin != NULL)
      return FALSE;
    *begin = first;
    *end = ++at;
  }
  return TRUE;
}

static void
append_unescaped (GString *to, const gchar *from, const gchar *until)
{
  for (; from < until; from++) {
    g_string_append_c (to, *from);
    if (*from == '%')
      from++;
  }
}

/* What stands before and behind the number. */
static gboolean
split_location (const gchar *location, GString *before, GString *after,
    guint *width)
{
  const gchar *begin, *end, *name, *dot;

  if (!find_pattern (location, &begin, &end, width))
    return FALSE;
  if (begin != NULL) {
    append_unescaped (before, location, begin);
    append_unescaped (after, end, end + strlen (end));
    return TRUE;
  }
  name = strrchr (location, '/');
  name = name != NULL ? name + 1 : location;
  /* the dot of a hidden file is no suffix */
  dot = *name != '\0' ? strchr (name + 1, '.') : NULL;
  if (dot == NULL)
    dot = name + strlen (name);
  append_unescaped (before, location, dot);
  g_string_append_c (before, '-');
  append_unescaped (after, dot, dot + strlen (dot));
  *width = 3;
  return TRUE;
}

/**
 * gst_eeg_part_make_location:
 * @location: the name for all parts
 * @number: of the part, from 1
 * @error: return location
 *
 * Makes the name of a part: the number takes the place of the one `%u` in
 * @location, which may have a width (`%03u`); "%%" stands for a percent sign.
 * If there is none, the number with three digits goes before the first dot of
 * the file's name: `night.bdf.zst` gives `night-001.bdf.zst`.
 *
 * Returns: (transfer full): the name, or %NULL if @location has more than one
 *     place for a number, one in the name of a folder, or one for something
 *     else
 */
gchar *
gst_eeg_part_make_location (const gchar *location, guint64 number,
    GError **error)
{
  GString *before, *after;
  gchar *made = NULL;
  guint width = 1;

  g_return_val_if_fail (location != NULL, NULL);

  before = g_string_new (NULL);
  after = g_string_new (NULL);
  if (split_location (location, before, after, &width)
      && strchr (after->str, '/') == NULL)
    made = g_strdup_printf ("%s%0*" G_GUINT64_FORMAT "%s", before->str,
        (int) width, number, after->str);
  else
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "\"%s\" is no name for parts: the file's name may have one \"%%03u\" or "
        "the like, and \"%%%%\" for a percent sign",
        location);
  g_string_free (before, TRUE);
  g_string_free (after, TRUE);
  return made;
}

/**
 * gst_eeg_part_parse_location:
 * @location: the name for all parts
 * @path: some name
 * @number: (out): the part's number, from 1
 *
 * Returns: whether gst_eeg_part_make_location() makes @path, and of what
 */
gboolean
gst_eeg_part_parse_location (const gchar *location, const gchar *path,
    guint64 *number)
{
  GString *before, *after;
  gboolean ok = FALSE;
  guint width = 1;

  g_return_val_if_fail (location != NULL && path != NULL, FALSE);
  g_return_val_if_fail (number != NULL, FALSE);

  *number = 0;
  before = g_string_new (NULL);
  after = g_string_new (NULL);
  if (split_location (location, before, after, &width)
      && g_str_has_prefix (path, before->str)
      && g_ascii_isdigit (path[before->len])) {
    gchar *made;

    *number = g_ascii_strtoull (path + before->len, NULL, 10);
    made = gst_eeg_part_make_location (location, *number, NULL);
    ok = *number > 0 && g_strcmp0 (made, path) == 0;
    g_free (made);
  }
  g_string_free (before, TRUE);
  g_string_free (after, TRUE);
  return ok;
}

/* --- events -------------------------------------------------------------- */

/**
 * gst_eeg_event_new_part_request:
 * @number: of the part that is to end
 *
 * Asks the source to end a part at its next barrier. Several sinks may have
 * enough of the same part: the source ends it at the first request, and takes
 * none for this one or any before it any more.
 *
 * Returns: (transfer full): an upstream event
 */
GstEvent *
gst_eeg_event_new_part_request (guint64 number)
{
  g_return_val_if_fail (number > 0, NULL);

  return gst_event_new_custom (GST_EVENT_CUSTOM_UPSTREAM,
      gst_structure_new (REQUEST_NAME, "number", G_TYPE_UINT64, number, NULL));
}

/**
 * gst_eeg_event_parse_part_request:
 * @event: any event
 * @number: (out) (optional): of the part that is to end
 *
 * Returns: whether it asks for the end of a part
 */
gboolean
gst_eeg_event_parse_part_request (GstEvent *event, guint64 *number)
{
  guint64 value;

  g_return_val_if_fail (GST_IS_EVENT (event), FALSE);

  if (GST_EVENT_TYPE (event) != GST_EVENT_CUSTOM_UPSTREAM
      || !gst_event_has_name (event, REQUEST_NAME)
      || !gst_structure_get_uint64 (gst_event_get_structure (event), "number",
          &value))
    return FALSE;
  if (number != NULL)
    *number = value;
  return TRUE;
}

/**
 * gst_eeg_event_new_part:
 * @part: (transfer none): what the label says
 *
 * Sent by the stage that writes the label, before the part's first bytes.
 *
 * Returns: (transfer full): a serialized downstream event
 */
GstEvent *
gst_eeg_event_new_part (const GstEegPart *part)
{
  g_return_val_if_fail (part != NULL, NULL);

  return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
      gst_structure_new (PART_NAME, "part", GST_TYPE_EEG_PART, part, NULL));
}

/**
 * gst_eeg_event_parse_part:
 * @event: any event
 * @part: (out) (optional) (transfer none): the part, valid as long as @event
 *
 * Returns: whether @event is an `eeg-part` event
 */
gboolean
gst_eeg_event_parse_part (GstEvent *event, const GstEegPart **part)
{
  const GValue *value;

  g_return_val_if_fail (GST_IS_EVENT (event), FALSE);

  if (GST_EVENT_TYPE (event) != GST_EVENT_CUSTOM_DOWNSTREAM
      || !gst_event_has_name (event, PART_NAME))
    return FALSE;
  value = gst_structure_get_value (gst_event_get_structure (event), "part");
  if (value == NULL || !G_VALUE_HOLDS (value, GST_TYPE_EEG_PART))
    return FALSE;
  if (part != NULL)
    *part = g_value_get_boxed (value);
  return TRUE;
}
