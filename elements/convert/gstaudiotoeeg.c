/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-audiotoeeg
 * @title: audiotoeeg
 * @short_description: audio to EEG samples
 *
 * Calls audio EEG, in the same format: integer audio becomes counts, floats
 * become physical values. Samples stay as they are, in the same memory. Audio
 * knows neither labels nor calibration: properties say them, and make the
 * channel table.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 filesrc location=eeg.wav ! wavparse ! \
 *     audiotoeeg labels="C3,C4" scale=0.0223517 ! rawtovoltage ! fakesink
 * ]|
 *
 * Takes fewer than 64 interleaved channels; `audioconvert` in front turns other
 * formats and layouts into those of EEG. Nothing is held back: no latency, and
 * GAP, flush and EOS pass at once. The index of a sample is counted from its
 * time stamp, since audio elements put bytes or samples into the offset of a
 * buffer; where stamps jump forward within a segment, samples are lost: the
 * next buffer has a DISCONT flag, an `eeg-loss` message is posted, and `lost`
 * in `stats` counts them. Input and output caps differ, so there is no
 * `enabled` property.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstaudiotoeeg.h"

#include "gsteegaudiocaps.h"
#include "gsteeglabels.h"

#define GST_CAT_DEFAULT gst_eeg_audio_to_eeg_debug
GST_DEBUG_CATEGORY_STATIC (GST_CAT_DEFAULT);

#define DEFAULT_LABELS ""
#define DEFAULT_UNIT "uV"
#define DEFAULT_SCALE 1.0

enum
{
  PROP_0,
  PROP_LABELS,
  PROP_UNIT,
  PROP_SCALE,
  PROP_CHANNEL_TABLE,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

/* object lock; set in READY at the latest, but read by queries at any time */
typedef struct
{
  gchar *labels;
  gchar *unit;
  gdouble scale;
  GstEegChannels *table;
} Settings;

/* streaming thread */
typedef struct
{
  guint64 next;    /* index expected next, NONE where anything may follow */
  GstBuffer *held; /* on its way through */
} State;

struct _GstEegAudioToEeg
{
  GstEegFilter parent;

  Settings settings;
  State state;
};

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (GST_EEG_AUDIO_CAPS_MAKE ("[ 1, 2147483647 ]")));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS (GST_EEG_RAW_CAPS_MAKE (GST_EEG_FORMATS_COUNTS,
        "counts") "; " GST_EEG_RAW_CAPS_MAKE ("{ F32LE, F64LE }", "voltage")));

/* Locking: the object lock guards Settings; nothing is called under it. */

static void gst_eeg_audio_to_eeg_stage_init (GstEegStageInterface *iface);

G_DEFINE_TYPE_WITH_CODE (GstEegAudioToEeg, gst_eeg_audio_to_eeg,
    GST_TYPE_EEG_FILTER,
    G_IMPLEMENT_INTERFACE (GST_TYPE_EEG_STAGE, gst_eeg_audio_to_eeg_stage_init)
        GST_DEBUG_CATEGORY_INIT (GST_CAT_DEFAULT, "audiotoeeg", 0,
            "audio to EEG samples"))
GST_ELEMENT_REGISTER_DEFINE (audiotoeeg, "audiotoeeg", GST_RANK_NONE,
    GST_TYPE_EEG_AUDIO_TO_EEG)

/* ---- the channel table ---- */

static void
settings_copy (GstEegAudioToEeg *self, Settings *settings)
{
  GST_OBJECT_LOCK (self);
  settings->labels = g_strdup (self->settings.labels);
  settings->unit = g_strdup (self->settings.unit);
  settings->scale = self->settings.scale;
  settings->table = self->settings.table != NULL
      ? gst_eeg_channels_ref (self->settings.table)
      : NULL;
  GST_OBJECT_UNLOCK (self);
}

static void
settings_clear (Settings *settings)
{
  g_clear_pointer (&settings->labels, g_free);
  g_clear_pointer (&settings->unit, g_free);
  g_clear_pointer (&settings->table, gst_eeg_channels_unref);
}

/* The items of a list, without backslashes; transfer full. */
static gchar **
split (const gchar *list)
{
  gchar **items = gst_eeg_labels_split (list, ',');
  guint i;

  for (i = 0; items[i] != NULL; i++) {
    gchar *item = items[i];

    items[i] = gst_eeg_labels_unescape (item);
    g_free (item);
  }
  return items;
}

/* Bits of a count: those of the format, or as many as a float carries. */
static guint
count_bits (GstEegFormat format)
{
  switch (format) {
    case GST_EEG_FORMAT_F32LE:
      return 24;
    case GST_EEG_FORMAT_F64LE:
      return 32;
    default:
      return 8 * gst_eeg_format_get_bytes (format);
  }
}

static GstEegChannels *
make_table (const Settings *settings, const GstEegInfo *info, GError **error)
{
  gchar **labels = split (settings->labels), **units = split (settings->unit);
  guint n_labels = g_strv_length (labels), n_units = g_strv_length (units);
  guint channels = info->channels, i;
  gint32 max = (gint32) (G_MAXUINT32 >> (33 - count_bits (info->format)));
  gchar names[GST_EEG_AUDIO_MAX_CHANNELS][16];
  GstEegChannel rows[GST_EEG_AUDIO_MAX_CHANNELS] = { { 0 } };
  GstEegChannels *table = NULL;

  if (n_labels > 0 && n_labels != channels) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "labels has %u labels, and the audio has %u channels.", n_labels,
        channels);
  } else if (n_units > 1 && n_units != channels) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "unit has %u units, and the audio has %u channels.", n_units, channels);
  } else {
    for (i = 0; i < channels; i++) {
      GstEegChannel *row = &rows[i];
      gdouble scale = settings->scale;

      g_snprintf (names[i], sizeof names[i], "E%u", i + 1);
      row->label = n_labels > 0 ? labels[i] : names[i];
      row->unit = n_units == 0 ? "" : units[n_units > 1 ? i : 0];
      row->type = gst_eeg_channel_type_guess (row->label, row->unit);
      /* what a trigger channel holds are numbers, not volts */
      if (row->type == GST_EEG_CHANNEL_TYPE_TRIGGER) {
        scale = 1.0;
        if (n_units <= 1)
          row->unit = "";
      }
      row->transducer = "";
      row->digital_max = max;
      row->digital_min = -max - 1;
      row->physical_max = scale * row->digital_max;
      row->physical_min = scale * row->digital_min;
      row->source_index = (gint) i;
    }
    table = gst_eeg_channels_new (rows, channels);
  }
  g_strfreev (labels);
  g_strfreev (units);
  return table;
}

static gboolean
gst_eeg_audio_to_eeg_transform_info (GstEegFilter *filter,
    const GstEegInfo *in_info, GstEegInfo *out_info, GError **error)
{
  Settings settings = { 0 };
  GstEegChannels *table = NULL;

  if (!gst_eeg_audio_check_channels (in_info->channels,
          "Split them in front of audiotoeeg.", error))
    return FALSE;
  settings_copy (GST_EEG_AUDIO_TO_EEG (filter), &settings);
  if (settings.table == NULL)
    table = make_table (&settings, in_info, error);
  else if (gst_eeg_channels_get_size (settings.table)
      == (guint) in_info->channels)
    table = gst_eeg_channels_ref (settings.table);
  else
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "channel-table has %u channels, and the audio has %d.",
        gst_eeg_channels_get_size (settings.table), in_info->channels);
  settings_clear (&settings);
  if (table == NULL)
    return FALSE;
  gst_eeg_info_set (out_info, in_info->format, in_info->domain, in_info->rate_n,
      1, in_info->channels, table);
  gst_eeg_channels_unref (table);
  return TRUE;
}

/* Adds the channel table to what fixed audio caps become. */
static void
add_table (GstEegFilter *filter, const GstCaps *audio, GstCaps *caps)
{
  GstEegInfo in_info, out_info;

  if (!gst_caps_is_fixed (audio))
    return;
  gst_eeg_info_init (&in_info);
  gst_eeg_info_init (&out_info);
  if (gst_eeg_audio_parse_caps (filter, audio, &in_info)
      && gst_eeg_audio_to_eeg_transform_info (filter, &in_info, &out_info,
          NULL))
    gst_caps_set_simple (caps, "channel-table", GST_TYPE_EEG_CHANNELS,
        out_info.channel_table, NULL);
  gst_eeg_info_clear (&in_info);
  gst_eeg_info_clear (&out_info);
}

static GstCaps *
gst_eeg_audio_to_eeg_transform_caps (GstBaseTransform *trans,
    GstPadDirection direction, GstCaps *caps, GstCaps *filter)
{
  GstCaps *result = gst_eeg_audio_transform_caps (trans, direction, caps);

  if (direction == GST_PAD_SINK) {
    result = gst_caps_make_writable (result);
    add_table (GST_EEG_FILTER (trans), caps, result);
  }
  if (filter != NULL) {
    GstCaps *both =
        gst_caps_intersect_full (filter, result, GST_CAPS_INTERSECT_FIRST);

    gst_caps_unref (result);
    result = both;
  }
  return result;
}

/* ---- samples ---- */

/* Announces what is missing in front of a sample. */
static void
find_loss (GstEegAudioToEeg *self, guint64 index)
{
  GstEegStageCounters *counters =
      gst_eeg_filter_get_counters (GST_EEG_FILTER (self));
  guint64 next = self->state.next;

  if (next == GST_BUFFER_OFFSET_NONE || index <= next)
    return;
  GST_WARNING_OBJECT (self,
      "%" G_GUINT64_FORMAT " samples lost at %" G_GUINT64_FORMAT, index - next,
      next);
  gst_eeg_stage_count (&counters->lost, index - next);
  gst_element_post_message (GST_ELEMENT (self),
      gst_eeg_message_new_loss (GST_OBJECT (self), next, index - next,
          "gap in the audio"));
}

static GstFlowReturn
gst_eeg_audio_to_eeg_take_buffer (GstEegFilter *filter, GstBuffer *buffer,
    guint64 index)
{
  GstEegAudioToEeg *self = GST_EEG_AUDIO_TO_EEG (filter);

  find_loss (self, index);
  self->state.next = index
      + gst_buffer_get_size (buffer)
          / gst_eeg_filter_get_in_info (filter)->bytes_per_frame;
  self->state.held = buffer;
  return GST_FLOW_OK;
}

/* The same buffer, restamped by the base class where it must be. */
static GstFlowReturn
gst_eeg_audio_to_eeg_give_buffer (GstEegFilter *filter, gboolean is_end,
    GstBuffer **buffer)
{
  *buffer = g_steal_pointer (&GST_EEG_AUDIO_TO_EEG (filter)->state.held);
  return GST_FLOW_OK;
}

static void
gst_eeg_audio_to_eeg_reset (GstEegFilter *filter)
{
  gst_clear_buffer (&GST_EEG_AUDIO_TO_EEG (filter)->state.held);
}

static gboolean
gst_eeg_audio_to_eeg_sink_event (GstBaseTransform *trans, GstEvent *event)
{
  GstEegAudioToEeg *self = GST_EEG_AUDIO_TO_EEG (trans);

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_STREAM_START:
    case GST_EVENT_CAPS:
    case GST_EVENT_SEGMENT:
    case GST_EVENT_FLUSH_STOP:
      self->state.next = GST_BUFFER_OFFSET_NONE;
      break;
    default:
      break;
  }
  return GST_BASE_TRANSFORM_CLASS (gst_eeg_audio_to_eeg_parent_class)
      ->sink_event (trans, event);
}

/* ---- states and properties ---- */

static gboolean
gst_eeg_audio_to_eeg_start (GstBaseTransform *trans)
{
  GstEegAudioToEeg *self = GST_EEG_AUDIO_TO_EEG (trans);
  gdouble scale;

  GST_OBJECT_LOCK (self);
  scale = self->settings.scale;
  GST_OBJECT_UNLOCK (self);
  if (scale == 0.0) {
    GST_ELEMENT_ERROR (self, LIBRARY, SETTINGS,
        ("scale is 0: a count has to be worth something."), (NULL));
    return FALSE;
  }
  self->state.next = GST_BUFFER_OFFSET_NONE;
  return GST_BASE_TRANSFORM_CLASS (gst_eeg_audio_to_eeg_parent_class)
      ->start (trans);
}

static void
gst_eeg_audio_to_eeg_stage_init (GstEegStageInterface *iface)
{
  iface->stateless = TRUE;
}

static void
set_string (GstEegAudioToEeg *self, gchar **setting, const GValue *value)
{
  gchar *text = g_value_dup_string (value), *old;

  GST_OBJECT_LOCK (self);
  old = *setting;
  *setting = text;
  GST_OBJECT_UNLOCK (self);
  g_free (old);
}

static void
gst_eeg_audio_to_eeg_set_property (GObject *object, guint id,
    const GValue *value, GParamSpec *pspec)
{
  GstEegAudioToEeg *self = GST_EEG_AUDIO_TO_EEG (object);

  switch (id) {
    case PROP_LABELS:
      set_string (self, &self->settings.labels, value);
      break;
    case PROP_UNIT:
      set_string (self, &self->settings.unit, value);
      break;
    case PROP_SCALE:
      GST_OBJECT_LOCK (self);
      self->settings.scale = g_value_get_double (value);
      GST_OBJECT_UNLOCK (self);
      break;
    case PROP_CHANNEL_TABLE: {
      GstEegChannels *table = g_value_dup_boxed (value), *old;

      GST_OBJECT_LOCK (self);
      old = self->settings.table;
      self->settings.table = table;
      GST_OBJECT_UNLOCK (self);
      g_clear_pointer (&old, gst_eeg_channels_unref);
      break;
    }
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
}

static void
gst_eeg_audio_to_eeg_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  Settings settings = { 0 };

  settings_copy (GST_EEG_AUDIO_TO_EEG (object), &settings);
  switch (id) {
    case PROP_LABELS:
      g_value_set_string (value, settings.labels);
      break;
    case PROP_UNIT:
      g_value_set_string (value, settings.unit);
      break;
    case PROP_SCALE:
      g_value_set_double (value, settings.scale);
      break;
    case PROP_CHANNEL_TABLE:
      g_value_set_boxed (value, settings.table);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  settings_clear (&settings);
}

static void
gst_eeg_audio_to_eeg_finalize (GObject *object)
{
  settings_clear (&GST_EEG_AUDIO_TO_EEG (object)->settings);
  G_OBJECT_CLASS (gst_eeg_audio_to_eeg_parent_class)->finalize (object);
}

static void
gst_eeg_audio_to_eeg_class_init (GstEegAudioToEegClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);
  GstEegFilterClass *filter_class = GST_EEG_FILTER_CLASS (klass);
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  object_class->set_property = gst_eeg_audio_to_eeg_set_property;
  object_class->get_property = gst_eeg_audio_to_eeg_get_property;
  object_class->finalize = gst_eeg_audio_to_eeg_finalize;

  /**
   * GstEegAudioToEeg:labels:
   *
   * One label for each channel, with commas between them; a backslash takes the
   * next character as it is. Empty: `E1`, `E2` and so on. Labels also decide
   * about the types of channels, see gst_eeg_channel_type_guess().
   */
  properties[PROP_LABELS] = g_param_spec_string ("labels", "Labels",
      "Labels of all channels, with commas between them; empty = E1, E2, ...",
      DEFAULT_LABELS, flags);
  /**
   * GstEegAudioToEeg:unit:
   *
   * Physical unit of all channels, or as many as there are channels, with
   * commas between them. A single one is not for channels whose labels say
   * that they hold triggers.
   */
  properties[PROP_UNIT] = g_param_spec_string ("unit", "Unit",
      "Physical unit of all channels but triggers, or one for each channel, "
      "with commas between them",
      DEFAULT_UNIT, flags);
  /**
   * GstEegAudioToEeg:scale:
   *
   * Physical units per count of all channels but triggers, for which it is 1:
   * what rawtovoltage multiplies counts by. Of floats, which are physical
   * values already, it says with how fine steps they shall be stored. Not 0.
   */
  properties[PROP_SCALE] = g_param_spec_double ("scale", "Scale",
      "Physical units per count, for the channel table; not 0", -G_MAXDOUBLE,
      G_MAXDOUBLE, DEFAULT_SCALE, flags);
  /**
   * GstEegAudioToEeg:channel-table:
   *
   * The whole channel table, for applications that have it: from the caps in
   * front of eegtoaudio, or from elsewhere. Takes the place of the other
   * properties.
   */
  properties[PROP_CHANNEL_TABLE] =
      g_param_spec_boxed ("channel-table", "Channel table",
          "Labels, units and calibration of all channels at once, "
          "in place of the other properties",
          GST_TYPE_EEG_CHANNELS, flags);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);

  gst_element_class_set_static_metadata (element_class, "Audio to EEG",
      "Filter/Converter", "Takes EEG samples from audio elements",
      "gst-plugins-eeg developers");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);

  trans_class->start = gst_eeg_audio_to_eeg_start;
  trans_class->sink_event = gst_eeg_audio_to_eeg_sink_event;
  trans_class->transform_caps = gst_eeg_audio_to_eeg_transform_caps;
  filter_class->parse_caps = gst_eeg_audio_parse_caps;
  filter_class->transform_info = gst_eeg_audio_to_eeg_transform_info;
  filter_class->take_buffer = gst_eeg_audio_to_eeg_take_buffer;
  filter_class->give_buffer = gst_eeg_audio_to_eeg_give_buffer;
  filter_class->reset = gst_eeg_audio_to_eeg_reset;
}

static void
gst_eeg_audio_to_eeg_init (GstEegAudioToEeg *self)
{
  self->settings.labels = g_strdup (DEFAULT_LABELS);
  self->settings.unit = g_strdup (DEFAULT_UNIT);
  self->settings.scale = DEFAULT_SCALE;
  self->state.next = GST_BUFFER_OFFSET_NONE;
}
