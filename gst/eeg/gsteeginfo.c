/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:gsteeginfo
 * @title: GstEegInfo
 * @short_description: application/x-eeg-raw caps as a struct
 *
 * Converts between caps and #GstEegInfo, and between samples, bytes and time.
 * Rates are fractions, so every conversion is exact in integers: time stamps
 * come from the sample counter and never drift.
 */
#include "gsteeginfo.h"

#include <string.h>

typedef struct
{
  GstEegFormat format;
  const gchar *name;
  guint bytes;
} FormatRow;

static const FormatRow format_rows[] = {
  { GST_EEG_FORMAT_S16LE, "S16LE", 2 },
  { GST_EEG_FORMAT_S24LE, "S24LE", 3 },
  { GST_EEG_FORMAT_S32LE, "S32LE", 4 },
  { GST_EEG_FORMAT_F32LE, "F32LE", 4 },
  { GST_EEG_FORMAT_F64LE, "F64LE", 8 },
};

GType
gst_eeg_format_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { GST_EEG_FORMAT_UNKNOWN, "Unknown", "unknown" },
    { GST_EEG_FORMAT_S16LE, "16-bit integer", "S16LE" },
    { GST_EEG_FORMAT_S24LE, "24-bit integer in 3 bytes", "S24LE" },
    { GST_EEG_FORMAT_S32LE, "32-bit integer", "S32LE" },
    { GST_EEG_FORMAT_F32LE, "32-bit float", "F32LE" },
    { GST_EEG_FORMAT_F64LE, "64-bit float", "F64LE" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type)) {
    GType new_type = g_enum_register_static ("GstEegFormat", values);

    g_once_init_leave (&type, new_type);
  }
  return type;
}

GType
gst_eeg_domain_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { GST_EEG_DOMAIN_UNKNOWN, "Unknown", "unknown" },
    { GST_EEG_DOMAIN_COUNTS, "Amplifier counts", "counts" },
    { GST_EEG_DOMAIN_VOLTAGE, "Physical units", "voltage" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type)) {
    GType new_type = g_enum_register_static ("GstEegDomain", values);

    g_once_init_leave (&type, new_type);
  }
  return type;
}

static const FormatRow *
find_format (GstEegFormat format)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (format_rows); i++) {
    if (format_rows[i].format == format)
      return &format_rows[i];
  }
  return NULL;
}

/**
 * gst_eeg_format_to_string:
 * @format: a format
 *
 * Returns: (nullable): its name in caps, %NULL for an unknown one
 */
const gchar *
gst_eeg_format_to_string (GstEegFormat format)
{
  const FormatRow *row = find_format (format);

  return row ? row->name : NULL;
}

/**
 * gst_eeg_format_from_string:
 * @string: a name as in caps
 *
 * Returns: the format, or %GST_EEG_FORMAT_UNKNOWN
 */
GstEegFormat
gst_eeg_format_from_string (const gchar *string)
{
  gsize i;

  g_return_val_if_fail (string != NULL, GST_EEG_FORMAT_UNKNOWN);

  for (i = 0; i < G_N_ELEMENTS (format_rows); i++) {
    if (strcmp (format_rows[i].name, string) == 0)
      return format_rows[i].format;
  }
  return GST_EEG_FORMAT_UNKNOWN;
}

/**
 * gst_eeg_format_get_bytes:
 * @format: a format
 *
 * Returns: bytes of one sample, 0 for an unknown format
 */
guint
gst_eeg_format_get_bytes (GstEegFormat format)
{
  const FormatRow *row = find_format (format);

  return row ? row->bytes : 0;
}

static const gchar *
domain_to_string (GstEegDomain domain)
{
  return domain == GST_EEG_DOMAIN_VOLTAGE ? "voltage" : "counts";
}

G_DEFINE_BOXED_TYPE (GstEegInfo, gst_eeg_info, gst_eeg_info_copy,
    gst_eeg_info_free)

/**
 * gst_eeg_info_new:
 *
 * Returns: (transfer full): an info that describes nothing yet
 */
GstEegInfo *
gst_eeg_info_new (void)
{
  return g_new0 (GstEegInfo, 1);
}

/**
 * gst_eeg_info_new_from_caps:
 * @caps: fixed `application/x-eeg-raw` caps
 *
 * Returns: (transfer full) (nullable): the info, %NULL as
 *     gst_eeg_info_from_caps() returns %FALSE
 */
GstEegInfo *
gst_eeg_info_new_from_caps (const GstCaps *caps)
{
  GstEegInfo *info = gst_eeg_info_new ();

  if (!gst_eeg_info_from_caps (info, caps))
    g_clear_pointer (&info, gst_eeg_info_free);
  return info;
}

/**
 * gst_eeg_info_init:
 * @info: (out caller-allocates): memory of an info
 *
 * Makes @info describe nothing. What @info held before is not freed.
 */
void
gst_eeg_info_init (GstEegInfo *info)
{
  g_return_if_fail (info != NULL);

  memset (info, 0, sizeof *info);
}

/**
 * gst_eeg_info_clear:
 * @info: an initialised info
 *
 * Drops what @info holds; it describes nothing afterwards.
 */
void
gst_eeg_info_clear (GstEegInfo *info)
{
  g_return_if_fail (info != NULL);

  g_clear_pointer (&info->channel_table, gst_eeg_channels_unref);
  gst_eeg_info_init (info);
}

/**
 * gst_eeg_info_set:
 * @info: an initialised info
 * @format: sample format
 * @domain: counts or voltage
 * @rate_n: numerator of the rate, above 0
 * @rate_d: denominator of the rate, above 0
 * @channels: 1 to %GST_EEG_MAX_CHANNELS
 * @channel_table: (nullable) (transfer none): table of as many channels
 *
 * Fills @info; the rate is reduced to lowest terms.
 */
void
gst_eeg_info_set (GstEegInfo *info, GstEegFormat format, GstEegDomain domain,
    gint rate_n, gint rate_d, gint channels, GstEegChannels *channel_table)
{
  gint divisor;

  g_return_if_fail (info != NULL);
  g_return_if_fail (gst_eeg_format_get_bytes (format) > 0);
  g_return_if_fail (domain != GST_EEG_DOMAIN_UNKNOWN);
  g_return_if_fail (rate_n > 0 && rate_d > 0);
  g_return_if_fail (channels > 0 && channels <= GST_EEG_MAX_CHANNELS);
  g_return_if_fail (channel_table == NULL
      || gst_eeg_channels_get_size (channel_table) == (guint) channels);

  if (channel_table != NULL)
    gst_eeg_channels_ref (channel_table);
  gst_eeg_info_clear (info);
  divisor = gst_util_greatest_common_divisor (rate_n, rate_d);
  info->format = format;
  info->domain = domain;
  info->rate_n = rate_n / divisor;
  info->rate_d = rate_d / divisor;
  info->channels = channels;
  info->bytes_per_sample = gst_eeg_format_get_bytes (format);
  info->bytes_per_frame = (gsize) info->bytes_per_sample * channels;
  info->channel_table = channel_table;
}

/**
 * gst_eeg_info_copy_into:
 * @info: an info
 * @dest: an initialised info, whose content is dropped
 *
 * Copies @info; the table is shared.
 */
void
gst_eeg_info_copy_into (const GstEegInfo *info, GstEegInfo *dest)
{
  GstEegInfo copy;

  g_return_if_fail (info != NULL && dest != NULL);

  copy = *info;
  if (copy.channel_table != NULL)
    gst_eeg_channels_ref (copy.channel_table);
  gst_eeg_info_clear (dest);
  *dest = copy;
}

/**
 * gst_eeg_info_copy:
 * @info: an info
 *
 * Returns: (transfer full): a copy that shares the table
 */
GstEegInfo *
gst_eeg_info_copy (const GstEegInfo *info)
{
  GstEegInfo *copy;

  g_return_val_if_fail (info != NULL, NULL);

  copy = gst_eeg_info_new ();
  gst_eeg_info_copy_into (info, copy);
  return copy;
}

/**
 * gst_eeg_info_free:
 * @info: (transfer full): an info
 */
void
gst_eeg_info_free (GstEegInfo *info)
{
  g_return_if_fail (info != NULL);

  gst_eeg_info_clear (info);
  g_free (info);
}

/**
 * gst_eeg_info_from_caps:
 * @info: an initialised info, whose content is dropped
 * @caps: fixed `application/x-eeg-raw` caps
 *
 * Returns: %FALSE if @caps lack a field, or a field is out of range, or the
 *     channel table has another number of channels; @info then describes
 *     nothing
 */
gboolean
gst_eeg_info_from_caps (GstEegInfo *info, const GstCaps *caps)
{
  const GstStructure *s;
  const gchar *format_name, *domain_name, *layout;
  const GValue *table_value;
  GstEegChannels *table = NULL;
  GstEegFormat format;
  GstEegDomain domain;
  gint rate_n, rate_d, channels;

  g_return_val_if_fail (info != NULL, FALSE);
  g_return_val_if_fail (caps != NULL, FALSE);

  gst_eeg_info_clear (info);
  if (!gst_caps_is_fixed (caps))
    return FALSE;
  s = gst_caps_get_structure (caps, 0);
  if (!gst_structure_has_name (s, GST_EEG_RAW_MEDIA_TYPE))
    return FALSE;

  format_name = gst_structure_get_string (s, "format");
  domain_name = gst_structure_get_string (s, "domain");
  layout = gst_structure_get_string (s, "layout");
  if (format_name == NULL || domain_name == NULL
      || !gst_structure_get_fraction (s, "rate", &rate_n, &rate_d)
      || !gst_structure_get_int (s, "channels", &channels))
    return FALSE;
  if (layout != NULL && strcmp (layout, "interleaved") != 0)
    return FALSE;
  format = gst_eeg_format_from_string (format_name);
  if (format == GST_EEG_FORMAT_UNKNOWN)
    return FALSE;
  if (strcmp (domain_name, "counts") == 0)
    domain = GST_EEG_DOMAIN_COUNTS;
  else if (strcmp (domain_name, "voltage") == 0)
    domain = GST_EEG_DOMAIN_VOLTAGE;
  else
    return FALSE;
  if (rate_n <= 0 || rate_d <= 0 || channels <= 0
      || channels > GST_EEG_MAX_CHANNELS)
    return FALSE;

  table_value = gst_structure_get_value (s, "channel-table");
  if (table_value != NULL) {
    if (!G_VALUE_HOLDS (table_value, GST_TYPE_EEG_CHANNELS))
      return FALSE;
    table = g_value_get_boxed (table_value);
    if (table != NULL && gst_eeg_channels_get_size (table) != (guint) channels)
      return FALSE;
  }

  gst_eeg_info_set (info, format, domain, rate_n, rate_d, channels, table);
  return TRUE;
}

/**
 * gst_eeg_info_to_caps:
 * @info: an info that was filled
 *
 * Returns: (transfer full): fixed caps
 */
GstCaps *
gst_eeg_info_to_caps (const GstEegInfo *info)
{
  GstCaps *caps;

  g_return_val_if_fail (info != NULL, NULL);
  g_return_val_if_fail (info->format != GST_EEG_FORMAT_UNKNOWN, NULL);

  caps = gst_caps_new_simple (GST_EEG_RAW_MEDIA_TYPE, "format", G_TYPE_STRING,
      gst_eeg_format_to_string (info->format), "rate", GST_TYPE_FRACTION,
      info->rate_n, info->rate_d, "channels", G_TYPE_INT, info->channels,
      "layout", G_TYPE_STRING, "interleaved", "domain", G_TYPE_STRING,
      domain_to_string (info->domain), NULL);
  if (info->channel_table != NULL)
    gst_caps_set_simple (caps, "channel-table", GST_TYPE_EEG_CHANNELS,
        info->channel_table, NULL);
  return caps;
}

/**
 * gst_eeg_info_is_equal:
 * @a: an info
 * @b: another one
 *
 * Returns: whether they describe the same stream, tables included
 */
gboolean
gst_eeg_info_is_equal (const GstEegInfo *a, const GstEegInfo *b)
{
  g_return_val_if_fail (a != NULL && b != NULL, FALSE);

  if (a->format != b->format || a->domain != b->domain || a->rate_n != b->rate_n
      || a->rate_d != b->rate_d || a->channels != b->channels)
    return FALSE;
  if (a->channel_table == NULL || b->channel_table == NULL)
    return a->channel_table == b->channel_table;
  return gst_eeg_channels_is_equal (a->channel_table, b->channel_table);
}

/**
 * gst_eeg_info_is_signal:
 * @info: an info
 * @channel: a channel of it
 *
 * Returns: whether stages that filter act on this channel: its type in the
 *     channel table is one of a signal, see gst_eeg_channel_type_is_signal(),
 *     or there is no table
 */
gboolean
gst_eeg_info_is_signal (const GstEegInfo *info, guint channel)
{
  g_return_val_if_fail (info != NULL && channel < (guint) info->channels,
      FALSE);

  return info->channel_table == NULL
      || gst_eeg_channel_type_is_signal (
          gst_eeg_channels_get (info->channel_table, channel)->type);
}

/**
 * gst_eeg_info_samples_to_time:
 * @info: a filled info
 * @samples: number of samples per channel
 *
 * Returns: samples * denominator * 1 s / numerator, rounded down to whole
 *     nanoseconds; %GST_CLOCK_TIME_NONE if that does not fit
 */
GstClockTime
gst_eeg_info_samples_to_time (const GstEegInfo *info, guint64 samples)
{
  guint64 step;

  g_return_val_if_fail (info != NULL && info->rate_n > 0, GST_CLOCK_TIME_NONE);

  /* rate_d * GST_SECOND stays below 2^61 */
  step = (guint64) info->rate_d * GST_SECOND;
  return gst_util_uint64_scale (samples, step, info->rate_n);
}

/**
 * gst_eeg_info_time_to_samples:
 * @info: a filled info
 * @time: a time
 *
 * Returns: the number of the sample nearest to @time, so that it inverts
 *     gst_eeg_info_samples_to_time() for rates up to 500 MHz
 */
guint64
gst_eeg_info_time_to_samples (const GstEegInfo *info, GstClockTime time)
{
  g_return_val_if_fail (info != NULL && info->rate_n > 0, 0);
  g_return_val_if_fail (GST_CLOCK_TIME_IS_VALID (time), 0);

  return gst_util_uint64_scale_round (time, info->rate_n,
      (guint64) info->rate_d * GST_SECOND);
}

/**
 * gst_eeg_info_convert:
 * @info: a filled info
 * @src_format: %GST_FORMAT_BYTES, %GST_FORMAT_DEFAULT (samples) or
 *     %GST_FORMAT_TIME
 * @src_value: the value, -1 converts to -1
 * @dest_format: one of the same
 * @dest_value: (out): the result
 *
 * Returns: %FALSE for other formats and negative values
 */
gboolean
gst_eeg_info_convert (const GstEegInfo *info, GstFormat src_format,
    gint64 src_value, GstFormat dest_format, gint64 *dest_value)
{
  guint64 samples;

  g_return_val_if_fail (info != NULL && info->bytes_per_frame > 0, FALSE);
  g_return_val_if_fail (dest_value != NULL, FALSE);

  if (src_format == dest_format || src_value == -1) {
    *dest_value = src_value;
    return TRUE;
  }
  if (src_value < 0)
    return FALSE;

  switch (src_format) {
    case GST_FORMAT_BYTES:
      samples = src_value / info->bytes_per_frame;
      break;
    case GST_FORMAT_DEFAULT:
      samples = src_value;
      break;
    case GST_FORMAT_TIME:
      samples = gst_eeg_info_time_to_samples (info, src_value);
      break;
    default:
      return FALSE;
  }
  switch (dest_format) {
    case GST_FORMAT_BYTES:
      if (samples > G_MAXINT64 / info->bytes_per_frame)
        return FALSE;
      *dest_value = samples * info->bytes_per_frame;
      return TRUE;
    case GST_FORMAT_DEFAULT:
      *dest_value = samples;
      return TRUE;
    case GST_FORMAT_TIME:
      *dest_value = gst_eeg_info_samples_to_time (info, samples);
      return *dest_value >= 0;
    default:
      return FALSE;
  }
}

/**
 * gst_eeg_info_stamp_buffer:
 * @info: a filled info
 * @buffer: a writable buffer
 * @first_sample: index of its first sample since the start, lost ones counted
 * @n_samples: samples per channel in it
 *
 * Sets PTS, DURATION, OFFSET and OFFSET_END from the sample counter. The
 * duration is the difference of two stamps, so neighbours meet exactly.
 */
void
gst_eeg_info_stamp_buffer (const GstEegInfo *info, GstBuffer *buffer,
    guint64 first_sample, guint64 n_samples)
{
  GstClockTime start, end;

  g_return_if_fail (info != NULL);
  g_return_if_fail (GST_IS_BUFFER (buffer));

  start = gst_eeg_info_samples_to_time (info, first_sample);
  end = gst_eeg_info_samples_to_time (info, first_sample + n_samples);
  GST_BUFFER_PTS (buffer) = start;
  GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_DURATION (buffer) = end - start;
  GST_BUFFER_OFFSET (buffer) = first_sample;
  GST_BUFFER_OFFSET_END (buffer) = first_sample + n_samples;
}
