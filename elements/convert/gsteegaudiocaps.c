/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsteegaudiocaps.h"

gboolean
gst_eeg_audio_parse_caps (GstEegFilter *filter, const GstCaps *caps,
    GstEegInfo *info)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  const gchar *name;
  GstEegFormat format;
  gint rate, channels;

  if (!gst_structure_has_name (s, "audio/x-raw"))
    return gst_eeg_info_from_caps (info, caps);
  name = gst_structure_get_string (s, "format");
  format =
      name != NULL ? gst_eeg_format_from_string (name) : GST_EEG_FORMAT_UNKNOWN;
  if (format == GST_EEG_FORMAT_UNKNOWN
      || !gst_structure_get_int (s, "rate", &rate) || rate < 1
      || !gst_structure_get_int (s, "channels", &channels) || channels < 1
      || channels > GST_EEG_MAX_CHANNELS)
    return FALSE;
  gst_eeg_info_set (info, format,
      format == GST_EEG_FORMAT_F32LE || format == GST_EEG_FORMAT_F64LE
          ? GST_EEG_DOMAIN_VOLTAGE
          : GST_EEG_DOMAIN_COUNTS,
      rate, 1, channels, NULL);
  return TRUE;
}

/* Rates of EEG that are rates of audio; FALSE if there are none. */
static gboolean
rate_to_audio (const GValue *in, GValue *out)
{
  if (GST_VALUE_HOLDS_FRACTION (in)) {
    if (gst_value_get_fraction_denominator (in) != 1)
      return FALSE;
    g_value_init (out, G_TYPE_INT);
    g_value_set_int (out, gst_value_get_fraction_numerator (in));
    return TRUE;
  }
  if (GST_VALUE_HOLDS_FRACTION_RANGE (in)) {
    const GValue *low = gst_value_get_fraction_range_min (in);
    const GValue *high = gst_value_get_fraction_range_max (in);
    gint n = gst_value_get_fraction_numerator (low);
    gint d = gst_value_get_fraction_denominator (low);
    gint min = n / d + (n % d != 0);
    gint max = gst_value_get_fraction_numerator (high)
        / gst_value_get_fraction_denominator (high);

    if (min > max)
      return FALSE;
    if (min == max) {
      g_value_init (out, G_TYPE_INT);
      g_value_set_int (out, min);
    } else {
      g_value_init (out, GST_TYPE_INT_RANGE);
      gst_value_set_int_range (out, min, max);
    }
    return TRUE;
  }
  return FALSE;
}

static gboolean
rate_to_eeg (const GValue *in, GValue *out)
{
  if (G_VALUE_HOLDS_INT (in)) {
    g_value_init (out, GST_TYPE_FRACTION);
    gst_value_set_fraction (out, g_value_get_int (in), 1);
    return TRUE;
  }
  if (GST_VALUE_HOLDS_INT_RANGE (in)) {
    g_value_init (out, GST_TYPE_FRACTION_RANGE);
    gst_value_set_fraction_range_full (out, gst_value_get_int_range_min (in), 1,
        gst_value_get_int_range_max (in), 1);
    return TRUE;
  }
  return FALSE;
}

static gboolean
convert_rate (const GValue *in, GValue *out, gboolean to_audio)
{
  gboolean (*convert) (const GValue *, GValue *) =
      to_audio ? rate_to_audio : rate_to_eeg;
  guint i;

  if (!GST_VALUE_HOLDS_LIST (in))
    return convert (in, out);
  g_value_init (out, GST_TYPE_LIST);
  for (i = 0; i < gst_value_list_get_size (in); i++) {
    GValue one = G_VALUE_INIT;

    if (convert (gst_value_list_get_value (in, i), &one))
      gst_value_list_append_and_take_value (out, &one);
  }
  if (gst_value_list_get_size (out) > 0)
    return TRUE;
  g_value_unset (out);
  return FALSE;
}

/* NULL if the rates have no counterpart */
static GstStructure *
convert_structure (const GstStructure *s, gboolean to_audio)
{
  const GValue *rate = gst_structure_get_value (s, "rate");
  GstStructure *result;
  GValue value = G_VALUE_INIT;
  gint channels;

  if (!convert_rate (rate, &value, to_audio))
    return NULL;
  result = gst_structure_new_empty (
      to_audio ? "audio/x-raw" : GST_EEG_RAW_MEDIA_TYPE);
  gst_structure_set_value (result, "format",
      gst_structure_get_value (s, "format"));
  gst_structure_take_value (result, "rate", &value);
  gst_structure_set_value (result, "channels",
      gst_structure_get_value (s, "channels"));
  gst_structure_set (result, "layout", G_TYPE_STRING, "interleaved", NULL);
  /* electrodes have no place before a listener */
  if (to_audio && gst_structure_get_int (s, "channels", &channels)
      && channels > 1)
    gst_structure_set (result, "channel-mask", GST_TYPE_BITMASK, (guint64) 0,
        NULL);
  return result;
}

GstCaps *
gst_eeg_audio_transform_caps (GstBaseTransform *trans,
    GstPadDirection direction, GstCaps *caps)
{
  gboolean from_sink = direction == GST_PAD_SINK;
  GstCaps *own = gst_pad_get_pad_template_caps (
      from_sink ? trans->sinkpad : trans->srcpad);
  GstCaps *other = gst_pad_get_pad_template_caps (
      from_sink ? trans->srcpad : trans->sinkpad);
  gboolean to_audio =
      gst_structure_has_name (gst_caps_get_structure (other, 0), "audio/x-raw");
  GstCaps *possible =
      gst_caps_intersect_full (caps, own, GST_CAPS_INTERSECT_FIRST);
  GstCaps *converted = gst_caps_new_empty (), *result;
  guint i, n = gst_caps_get_size (possible);

  for (i = 0; i < n; i++) {
    GstStructure *s =
        convert_structure (gst_caps_get_structure (possible, i), to_audio);

    if (s != NULL)
      converted = gst_caps_merge_structure (converted, s);
  }
  /* what comes last is wished least: any number of channels, and any rate */
  for (i = 0; i < n && !from_sink; i++) {
    GstStructure *s =
        convert_structure (gst_caps_get_structure (possible, i), to_audio);

    if (s == NULL)
      continue;
    gst_structure_remove_field (s, "channel-mask");
    gst_structure_set (s, "channels", GST_TYPE_INT_RANGE, 1, G_MAXINT, NULL);
    if (!to_audio)
      gst_structure_set (s, "rate", GST_TYPE_FRACTION_RANGE, 1, G_MAXINT,
          G_MAXINT, 1, NULL);
    converted = gst_caps_merge_structure (converted, s);
  }
  result = gst_caps_intersect_full (converted, other, GST_CAPS_INTERSECT_FIRST);
  if (from_sink && n > 0 && gst_caps_is_empty (result)) {
    gst_caps_unref (result);
    result = gst_caps_ref (other);
  }
  gst_caps_unref (converted);
  gst_caps_unref (possible);
  gst_caps_unref (other);
  gst_caps_unref (own);
  return result;
}

gboolean
gst_eeg_audio_check_channels (gint channels, const gchar *advice,
    GError **error)
{
  if (channels <= GST_EEG_AUDIO_MAX_CHANNELS)
    return TRUE;
  g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION,
      "Audio has at most %d channels here, since audio elements crash with "
      "more, and these caps have %d. %s",
      GST_EEG_AUDIO_MAX_CHANNELS, channels, advice);
  return FALSE;
}
