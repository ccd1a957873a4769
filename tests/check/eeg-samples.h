/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of sample stages share: caps with a table, buffers of a signal
 * that is known for every sample, and what came out, with its stamps
 * checked. */
#ifndef __EEG_SAMPLES_H__
#define __EEG_SAMPLES_H__

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/eeg/eeg.h>

#include <math.h>
#include <string.h>

/* Channel c of every eight: seven kinds of signal, then a status word; without
 * a label if LABELS is NULL */
static inline GstEegChannels *
samples_table (guint channels, const gchar *const *labels)
{
  GstEegChannel *rows = g_new0 (GstEegChannel, channels);
  gchar **names = g_new0 (gchar *, channels + 1);
  GstEegChannels *table;
  guint c;

  for (c = 0; c < channels; c++) {
    if (labels != NULL)
      names[c] = g_strdup (labels[c]);
    else if (c % 8 == 7)
      names[c] = g_strdup_printf ("Status %u", c);
    else
      names[c] = g_strdup_printf ("E%u", c);
    rows[c].label = names[c];
    rows[c].unit = g_str_has_prefix (names[c], "Status") ? "" : "uV";
    rows[c].type = gst_eeg_channel_type_guess (rows[c].label, rows[c].unit);
    rows[c].physical_min = -1000;
    rows[c].physical_max = 1000;
    rows[c].digital_min = -32768;
    rows[c].digital_max = 32767;
    rows[c].source_index = c;
  }
  table = gst_eeg_channels_new (rows, channels);
  g_strfreev (names);
  g_free (rows);
  return table;
}

/* transfer full for table, which may be NULL */
static inline GstCaps *
samples_caps (GstEegFormat format, gint rate_n, gint rate_d, gint channels,
    GstEegChannels *table)
{
  GstEegInfo info;
  GstCaps *caps;

  gst_eeg_info_init (&info);
  gst_eeg_info_set (&info, format,
      format == GST_EEG_FORMAT_F32LE || format == GST_EEG_FORMAT_F64LE
          ? GST_EEG_DOMAIN_VOLTAGE
          : GST_EEG_DOMAIN_COUNTS,
      rate_n, rate_d, channels, table);
  caps = gst_eeg_info_to_caps (&info);
  gst_eeg_info_clear (&info);
  if (table != NULL)
    gst_eeg_channels_unref (table);
  return caps;
}

/* An offset, a tone and noise: an integer, exact in every format of 24 bits */
static inline gint
samples_at (guint64 index, guint channel)
{
  guint64 noise = (index * 131 + channel + 1) * 6364136223846793005ull;

  return (gint) (3000 * sin (index * 0.2 + channel)) + (gint) (noise >> 54)
      + 1000 * (gint) (channel % 7);
}

static inline void
samples_write (guint8 *p, GstEegFormat format, gint value)
{
  guint i;

  if (format == GST_EEG_FORMAT_F32LE)
    *(gfloat *) p = value;
  else if (format == GST_EEG_FORMAT_F64LE)
    *(gdouble *) p = value;
  else
    for (i = 0; i < gst_eeg_format_get_bytes (format); i++)
      p[i] = (guint32) value >> (8 * i);
}

static inline GstBuffer *
samples_buffer (GstEegFormat format, guint channels, guint64 from, guint n)
{
  gsize size = gst_eeg_format_get_bytes (format);
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, n * channels * size, NULL);
  GstMapInfo map;
  guint i, c;

  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
  for (i = 0; i < n; i++)
    for (c = 0; c < channels; c++)
      samples_write (map.data + (i * channels + c) * size, format,
          samples_at (from + i, c));
  gst_buffer_unmap (buffer, &map);
  GST_BUFFER_OFFSET (buffer) = from;
  GST_BUFFER_OFFSET_END (buffer) = from + n;
  return buffer;
}

/* All that came out since the last time, as one array of bytes; checks that
 * offsets follow each other where there is no DISCONT. */
typedef struct
{
  GByteArray *bytes;
  guint64 first, next; /* offsets; first is NONE before any buffer */
  guint buffers, disconts;
} Samples;

static inline void
samples_init (Samples *out)
{
  out->bytes = g_byte_array_new ();
  out->first = out->next = GST_BUFFER_OFFSET_NONE;
  out->buffers = out->disconts = 0;
}

static inline void
samples_clear (Samples *out)
{
  g_byte_array_unref (out->bytes);
}

static inline void
samples_pull (Samples *out, GstHarness *h)
{
  GstCaps *caps = gst_pad_get_current_caps (h->sinkpad);
  GstBuffer *buffer;
  GstEegInfo info;

  gst_eeg_info_init (&info);
  if (caps != NULL)
    fail_unless (gst_eeg_info_from_caps (&info, caps));
  while ((buffer = gst_harness_try_pull (h)) != NULL) {
    guint64 offset = GST_BUFFER_OFFSET (buffer);
    GstMapInfo map;

    fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
    g_byte_array_append (out->bytes, map.data, map.size);
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET_END (buffer) - offset,
        map.size / info.bytes_per_frame);
    gst_buffer_unmap (buffer, &map);
    /* what passes untouched has the stamps that it came with, none */
    if (GST_BUFFER_PTS_IS_VALID (buffer))
      fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer),
          gst_eeg_info_samples_to_time (&info, offset));
    if (out->first == GST_BUFFER_OFFSET_NONE)
      out->first = offset;
    else if (!GST_BUFFER_IS_DISCONT (buffer))
      fail_unless_equals_uint64 (offset, out->next);
    out->disconts += GST_BUFFER_IS_DISCONT (buffer) != 0;
    out->next = GST_BUFFER_OFFSET_END (buffer);
    out->buffers++;
    gst_buffer_unref (buffer);
  }
  gst_eeg_info_clear (&info);
  gst_clear_caps (&caps);
}

/* Pushes `n` samples from `from` on in buffers of `step`, 0 for sizes that
 * change, and takes what comes out. */
static inline void
samples_push (GstHarness *h, Samples *out, GstEegFormat format, guint channels,
    guint64 from, guint n, guint step)
{
  guint done = 0, size = 1;

  while (done < n) {
    guint now;

    size = step > 0 ? step : size * 7 % 97 + 1;
    now = MIN (size, n - done);
    fail_unless_equals_int (gst_harness_push (h,
                                samples_buffer (format, channels, from + done,
                                    now)),
        GST_FLOW_OK);
    done += now;
    samples_pull (out, h);
  }
}

/* The labels of what comes out, with commas; types and bad marks on request.
 * transfer full. */
static inline gchar *
samples_labels (GstHarness *h, gboolean details)
{
  GstCaps *caps = gst_pad_get_current_caps (h->sinkpad);
  GEnumClass *types = g_type_class_ref (GST_TYPE_EEG_CHANNEL_TYPE);
  GString *text = g_string_new (NULL);
  GstEegInfo info;
  gint i;

  fail_unless (caps != NULL);
  gst_eeg_info_init (&info);
  fail_unless (gst_eeg_info_from_caps (&info, caps));
  fail_unless (info.channel_table != NULL);
  for (i = 0; i < info.channels; i++) {
    const GstEegChannel *c = gst_eeg_channels_get (info.channel_table, i);

    g_string_append_printf (text, "%s%s", i > 0 ? "," : "", c->label);
    if (details)
      g_string_append_printf (text, ":%s%s",
          g_enum_get_value (types, c->type)->value_nick, c->bad ? "!" : "");
  }
  gst_eeg_info_clear (&info);
  gst_caps_unref (caps);
  g_type_class_unref (types);
  return g_string_free (text, FALSE);
}

static inline void
samples_check_labels (GstHarness *h, const gchar *expected, gboolean details)
{
  gchar *text = samples_labels (h, details);

  fail_unless_equals_string (text, expected);
  g_free (text);
}

/* The one element of ours in a harness made from a line; transfer full. */
static inline GstElement *
samples_element (GstHarness *h)
{
  GstElement *element = NULL;
  GValue item = G_VALUE_INIT;
  GstIterator *it;

  if (!GST_IS_BIN (h->element))
    return gst_object_ref (h->element);
  it = gst_bin_iterate_elements (GST_BIN (h->element));
  while (gst_iterator_next (it, &item) == GST_ITERATOR_OK) {
    GstElement *one = g_value_get_object (&item);

    if (GST_IS_EEG_STAGE (one))
      element = gst_object_ref (one);
    g_value_unset (&item);
  }
  gst_iterator_free (it);
  fail_unless (element != NULL);
  return element;
}

/* Expects one message of this type and error, and takes it. */
static inline void
samples_check_message (GstBus *bus, GstMessageType type, GQuark domain,
    gint code)
{
  GstMessage *message =
      gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);
  GError *error = NULL;

  fail_unless (message != NULL, "no message");
  fail_unless_equals_int (GST_MESSAGE_TYPE (message), type);
  if (type == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  else
    gst_message_parse_warning (message, &error, NULL);
  fail_unless (g_error_matches (error, domain, code), "%s", error->message);
  g_error_free (error);
  gst_message_unref (message);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);
  fail_unless (message == NULL, "a second message");
}

#endif
