/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The calibration of each channel, from the channel table or by the property
 * scale, for both directions. The table that goes on is by the scale: counts
 * are worth what it says, and voltages lie in the range that it declares. A
 * change while playing sends new caps for counts only: voltages remain what
 * they are, and a recording need not end for the range. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsteegcalibrator.h"

#include <math.h>

#define DEFAULT_SCALE 0.0

enum
{
  PROP_0,
  PROP_SCALE,
};

typedef struct
{
  /* object lock */
  gdouble scale;
  gdouble active;   /* that the kernel is made with */
  gdouble declared; /* in the caps */
  gsize memory;     /* that the kernel takes */

  gboolean has_new_caps; /* streaming thread */
} GstEegCalibratorPrivate;

/* Locking: the object lock guards what the struct says; nothing is called under
 * it. */

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (GstEegCalibrator, gst_eeg_calibrator,
    GST_TYPE_EEG_FILTER)

#define PRIVATE(self)                                                          \
  ((GstEegCalibratorPrivate *) gst_eeg_calibrator_get_instance_private (self))

static gdouble
get_active (GstEegCalibrator *self)
{
  gdouble scale;

  GST_OBJECT_LOCK (self);
  scale = PRIVATE (self)->active;
  GST_OBJECT_UNLOCK (self);
  return scale;
}

/* Whether the scale, not the table, says what a count of a channel is worth. */
static gboolean
is_scaled (const GstEegChannel *channel, gdouble scale)
{
  return scale != 0.0
      && (channel == NULL || gst_eeg_channel_type_is_signal (channel->type));
}

static gboolean
get_calibration (const GstEegInfo *info, gdouble scale, gdouble *gain,
    gdouble *offset, GError **error)
{
  gint i;

  for (i = 0; i < info->channels; i++) {
    const GstEegChannel *channel = NULL;

    if (info->channel_table != NULL)
      channel = gst_eeg_channels_get (info->channel_table, i);
    if (is_scaled (channel, scale)) {
      gain[i] = scale;
      offset[i] = 0.0;
    } else if (channel == NULL) {
      g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION,
          "The caps have no channel table, so nothing says what a count is "
          "worth. Set the property scale.");
      return FALSE;
    } else if (!gst_eeg_channel_get_calibration (channel, &gain[i],
                   &offset[i])) {
      g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION,
          "Channel %d ('%s') cannot be calibrated: digital %d to %d, physical "
          "%g to %g.",
          i, channel->label, channel->digital_min, channel->digital_max,
          channel->physical_min, channel->physical_max);
      return FALSE;
    }
  }
  return TRUE;
}

static gint32
to_count (gdouble value, guint bits)
{
  gdouble limit = ldexp (1.0, (gint) bits - 1);

  return (gint32) CLAMP (value, -limit, limit - 1.0);
}

/* The table where counts of so many bits are worth `scale`. What comes from
 * counts keeps its digital limits, what becomes counts its physical ones, as
 * far as the bits allow; the others follow. */
static GstEegChannels *
scale_table (const GstEegChannels *table, gdouble scale, gboolean to_counts,
    guint bits)
{
  guint i, n = gst_eeg_channels_get_size (table);
  GstEegChannel *rows = g_new (GstEegChannel, n);
  GstEegChannels *result;

  for (i = 0; i < n; i++) {
    GstEegChannel *row = &rows[i];

    *row = *gst_eeg_channels_get (table, i);
    if (!is_scaled (row, scale))
      continue;
    if (to_counts) {
      gdouble a = row->physical_min / scale, b = row->physical_max / scale;

      if (!isfinite (a) || !isfinite (b)) {
        a = -G_MAXDOUBLE;
        b = G_MAXDOUBLE;
      }
      row->digital_min = to_count (floor (MIN (a, b)), bits);
      row->digital_max = to_count (ceil (MAX (a, b)), bits);
    }
    row->physical_min = scale * row->digital_min;
    row->physical_max = scale * row->digital_max;
    /* what a header said is no longer so */
    row->calibration_text = "";
  }
  result = gst_eeg_channels_new (rows, n);
  g_free (rows);
  return result;
}

void
gst_eeg_calibrator_update_table (GstEegCalibrator *self,
    GstPadDirection direction, GstStructure *caps)
{
  const GValue *value = gst_structure_get_value (caps, "channel-table");
  const gchar *format = gst_structure_get_string (caps, "format");
  GstEegChannels *table;
  gboolean to_counts;
  gdouble scale;
  guint bits = 0;

  GST_OBJECT_LOCK (self);
  scale = PRIVATE (self)->declared;
  GST_OBJECT_UNLOCK (self);
  if (scale == 0.0 || value == NULL
      || !G_VALUE_HOLDS (value, GST_TYPE_EEG_CHANNELS)
      || g_value_get_boxed (value) == NULL)
    return;
  if (direction == GST_PAD_SRC) {
    /* of what became of it nobody knows what it was */
    gst_structure_remove_field (caps, "channel-table");
    return;
  }
  to_counts = GST_EEG_CALIBRATOR_GET_CLASS (self)->scales_output;
  if (to_counts)
    bits = 8 * gst_eeg_format_get_bytes (gst_eeg_format_from_string (format));
  table = scale_table (g_value_get_boxed (value), scale, to_counts, bits);
  gst_structure_set (caps, "channel-table", GST_TYPE_EEG_CHANNELS, table, NULL);
  gst_eeg_channels_unref (table);
}

/* Takes a new scale over, unless it leaves channels that are there already
 * without a calibration. */
static void
gst_eeg_calibrator_negotiate (GstEegFilter *filter)
{
  GstEegCalibrator *self = GST_EEG_CALIBRATOR (filter);
  GstEegCalibratorPrivate *priv = PRIVATE (self);
  const GstEegInfo *info = gst_eeg_filter_get_in_info (filter);
  GError *error = NULL;
  gdouble scale;

  GST_OBJECT_LOCK (self);
  scale = priv->scale;
  GST_OBJECT_UNLOCK (self);
  if (!priv->has_new_caps && info->channels > 0) {
    gdouble *values = g_new (gdouble, 2 * info->channels);

    get_calibration (info, scale, values, values + info->channels, &error);
    g_free (values);
  }
  GST_OBJECT_LOCK (self);
  if (error == NULL)
    priv->active = scale;
  if (priv->has_new_caps || GST_EEG_CALIBRATOR_GET_CLASS (self)->scales_output)
    priv->declared = priv->active;
  if (error != NULL && priv->scale == scale)
    priv->scale = priv->active;
  GST_OBJECT_UNLOCK (self);
  if (error != NULL) {
    GST_ELEMENT_WARNING (self, LIBRARY, SETTINGS,
        ("scale stays as it was. %s", error->message), (NULL));
    g_error_free (error);
  }
}

static gboolean
gst_eeg_calibrator_set_info (GstEegFilter *filter, const GstEegInfo *in_info,
    const GstEegInfo *out_info, GError **error)
{
  GstEegCalibrator *self = GST_EEG_CALIBRATOR (filter);
  gdouble *gain = g_new (gdouble, 2 * in_info->channels);
  gdouble *offset = gain + in_info->channels;
  gsize memory = 0;

  if (get_calibration (in_info, get_active (self), gain, offset, error)) {
    memory = GST_EEG_CALIBRATOR_GET_CLASS (self)->make_kernel (self, in_info,
        out_info, gain, offset);
    if (memory == 0)
      g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
          "No memory for a converter of %d channels.", in_info->channels);
  }
  g_free (gain);
  if (memory == 0)
    return FALSE;
  GST_OBJECT_LOCK (self);
  PRIVATE (self)->memory = memory;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static gsize
gst_eeg_calibrator_get_memory (GstEegFilter *filter)
{
  GstEegCalibrator *self = GST_EEG_CALIBRATOR (filter);
  gsize memory;

  GST_OBJECT_LOCK (self);
  memory = PRIVATE (self)->memory;
  GST_OBJECT_UNLOCK (self);
  return memory;
}

static gboolean
gst_eeg_calibrator_sink_event (GstBaseTransform *trans, GstEvent *event)
{
  GstEegCalibratorPrivate *priv = PRIVATE (GST_EEG_CALIBRATOR (trans));
  gboolean is_caps = GST_EVENT_TYPE (event) == GST_EVENT_CAPS, ok;

  if (is_caps)
    priv->has_new_caps = TRUE;
  ok = GST_BASE_TRANSFORM_CLASS (gst_eeg_calibrator_parent_class)
           ->sink_event (trans, event);
  if (is_caps)
    priv->has_new_caps = FALSE;
  return ok;
}

static gboolean
gst_eeg_calibrator_stop (GstBaseTransform *trans)
{
  GstEegCalibrator *self = GST_EEG_CALIBRATOR (trans);

  GST_OBJECT_LOCK (self);
  PRIVATE (self)->memory = 0;
  GST_OBJECT_UNLOCK (self);
  return GST_BASE_TRANSFORM_CLASS (gst_eeg_calibrator_parent_class)
      ->stop (trans);
}

static void
gst_eeg_calibrator_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstEegCalibrator *self = GST_EEG_CALIBRATOR (object);

  switch (id) {
    case PROP_SCALE:
      GST_OBJECT_LOCK (self);
      PRIVATE (self)->scale = g_value_get_double (value);
      GST_OBJECT_UNLOCK (self);
      gst_eeg_filter_renegotiate (GST_EEG_FILTER (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
}

static void
gst_eeg_calibrator_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstEegCalibrator *self = GST_EEG_CALIBRATOR (object);
  gdouble scale;

  switch (id) {
    case PROP_SCALE:
      GST_OBJECT_LOCK (self);
      scale = PRIVATE (self)->scale;
      GST_OBJECT_UNLOCK (self);
      g_value_set_double (value, scale);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
}

static void
gst_eeg_calibrator_class_init (GstEegCalibratorClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);
  GstEegFilterClass *filter_class = GST_EEG_FILTER_CLASS (klass);

  object_class->set_property = gst_eeg_calibrator_set_property;
  object_class->get_property = gst_eeg_calibrator_get_property;

  /**
   * GstEegCalibrator:scale:
   *
   * Physical units per count for channels of type EEG, EOG, EMG and ECG
   * instead of what the channel table says, with offset 0; others keep the
   * table's. 0 takes the table for all. Without a table, all channels. The
   * table that goes on has the physical limits that follow from it.
   */
  g_object_class_install_property (object_class, PROP_SCALE,
      g_param_spec_double ("scale", "Scale",
          "Physical units per count for signal channels, in place of the "
          "channel table's calibration; 0 = the table's",
          -G_MAXDOUBLE, G_MAXDOUBLE, DEFAULT_SCALE,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_PLAYING));

  trans_class->sink_event = gst_eeg_calibrator_sink_event;
  trans_class->stop = gst_eeg_calibrator_stop;
  filter_class->in_place = TRUE;
  filter_class->negotiate = gst_eeg_calibrator_negotiate;
  filter_class->set_info = gst_eeg_calibrator_set_info;
  filter_class->get_memory = gst_eeg_calibrator_get_memory;

  gst_type_mark_as_plugin_api (GST_TYPE_EEG_CALIBRATOR, 0);
}

static void
gst_eeg_calibrator_init (GstEegCalibrator *self)
{
  PRIVATE (self)->scale = DEFAULT_SCALE;
}
