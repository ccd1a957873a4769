/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-voltagetoraw
 * @title: voltagetoraw
 * @short_description: each channel's physical unit back to counts
 *
 * The way back from rawtovoltage: count = (value - offset) / gain, with the
 * gain and offset of each channel from the limits in the channel table.
 * Computed in double and rounded once, to the nearest count, halfway cases to
 * the even one. What does not fit the format becomes its limit and a NaN
 * becomes 0; the field `saturated` of `stats` counts both. The property scale
 * declares another worth of a count, in the channel table too; changed while
 * playing, it sends new caps.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 eegsrc num-samples=1000 ! rawtovoltage ! voltagetoraw ! \
 *     fakesink
 * ]|
 *
 * F32LE becomes S32LE in place. Nothing is held back: no latency, and GAP,
 * flush and EOS pass at once. Input and output caps differ, so there is no
 * `enabled` property.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstvoltagetoraw.h"

#include "quantize.h"

#define GST_CAT_DEFAULT gst_eeg_voltage_to_raw_debug
GST_DEBUG_CATEGORY_STATIC (GST_CAT_DEFAULT);

enum
{
  PROP_0,
  PROP_STATS,
};

/* streaming thread */
typedef struct
{
  eeg_quantize *quantize;
  guint64 saturated; /* relaxed atomic: also read by stats */
} State;

struct _GstEegVoltageToRaw
{
  GstEegCalibrator parent;

  State state;
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS (GST_EEG_RAW_CAPS_MAKE ("{ F32LE, F64LE }", "voltage")));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS (GST_EEG_RAW_CAPS_MAKE (GST_EEG_FORMATS_COUNTS, "counts")));

/* Locking: see the base class; there is nothing else to guard. */

static void gst_eeg_voltage_to_raw_stage_init (GstEegStageInterface *iface);

G_DEFINE_TYPE_WITH_CODE (GstEegVoltageToRaw, gst_eeg_voltage_to_raw,
    GST_TYPE_EEG_CALIBRATOR,
    G_IMPLEMENT_INTERFACE (GST_TYPE_EEG_STAGE,
        gst_eeg_voltage_to_raw_stage_init)
        GST_DEBUG_CATEGORY_INIT (GST_CAT_DEFAULT, "voltagetoraw", 0,
            "EEG physical units to counts"))
GST_ELEMENT_REGISTER_DEFINE (voltagetoraw, "voltagetoraw", GST_RANK_NONE,
    GST_TYPE_EEG_VOLTAGE_TO_RAW)

static gsize
gst_eeg_voltage_to_raw_make_kernel (GstEegCalibrator *calibrator,
    const GstEegInfo *in_info, const GstEegInfo *out_info, const gdouble *gain,
    const gdouble *offset)
{
  GstEegVoltageToRaw *self = GST_EEG_VOLTAGE_TO_RAW (calibrator);
  eeg_convert_counts out_format = EEG_CONVERT_S32LE;
  eeg_quantize *quantize;

  if (out_info->format == GST_EEG_FORMAT_S16LE)
    out_format = EEG_CONVERT_S16LE;
  else if (out_info->format == GST_EEG_FORMAT_S24LE)
    out_format = EEG_CONVERT_S24LE;
  quantize = eeg_quantize_new (in_info->format == GST_EEG_FORMAT_F64LE
          ? EEG_CONVERT_F64LE
          : EEG_CONVERT_F32LE,
      out_format, gain, offset, in_info->channels, eeg_cpu_choose ());
  if (quantize == NULL)
    return 0;
  eeg_quantize_free (self->state.quantize);
  self->state.quantize = quantize;
  return eeg_quantize_get_memory (quantize);
}

static gboolean
gst_eeg_voltage_to_raw_process (GstEegFilter *filter, gconstpointer in,
    gsize n_in, gpointer out, gsize n_out, GError **error)
{
  GstEegVoltageToRaw *self = GST_EEG_VOLTAGE_TO_RAW (filter);
  guint64 saturated = eeg_quantize_run (self->state.quantize, out, in, n_in);

  if (saturated > 0)
    gst_eeg_stage_count (&self->state.saturated, saturated);
  return TRUE;
}

/* Does the format hold every count that the table declares, if there is one? */
static gboolean
fits (const GstStructure *caps, GstEegFormat format)
{
  const GValue *value = gst_structure_get_value (caps, "channel-table");
  const GstEegChannels *table;
  gint64 limit =
      G_GINT64_CONSTANT (1) << (8 * gst_eeg_format_get_bytes (format) - 1);
  guint i;

  if (value == NULL || !G_VALUE_HOLDS (value, GST_TYPE_EEG_CHANNELS))
    return TRUE;
  table = g_value_get_boxed (value);
  for (i = 0; table != NULL && i < gst_eeg_channels_get_size (table); i++) {
    const GstEegChannel *channel = gst_eeg_channels_get (table, i);

    if (MIN (channel->digital_min, channel->digital_max) < -limit
        || MAX (channel->digital_min, channel->digital_max) >= limit)
      return FALSE;
  }
  return TRUE;
}

static GstCaps *
gst_eeg_voltage_to_raw_transform_caps (GstBaseTransform *trans,
    GstPadDirection direction, GstCaps *caps, GstCaps *filter)
{
  GstCaps *result = gst_caps_new_empty ();
  guint i, j;

  for (i = 0; i < gst_caps_get_size (caps); i++) {
    static const gchar *const counts[] = { "S32LE", "S24LE", "S16LE" };
    static const gchar *const voltages[] = { "F32LE", "F64LE" };
    const GstStructure *s = gst_caps_get_structure (caps, i);
    gboolean to_counts = direction == GST_PAD_SINK;
    const gchar *const *formats = to_counts ? counts : voltages;

    for (j = 0; j < (to_counts ? 3 : 2); j++) {
      GstStructure *copy = gst_structure_copy (s);

      gst_structure_set (copy, "format", G_TYPE_STRING, formats[j], "domain",
          G_TYPE_STRING, to_counts ? "counts" : "voltage", NULL);
      gst_eeg_calibrator_update_table (GST_EEG_CALIBRATOR (trans), direction,
          copy);
      if (to_counts && !fits (copy, gst_eeg_format_from_string (formats[j])))
        gst_structure_free (copy);
      else
        result = gst_caps_merge_structure (result, copy);
    }
  }
  if (filter != NULL) {
    GstCaps *both =
        gst_caps_intersect_full (filter, result, GST_CAPS_INTERSECT_FIRST);

    gst_caps_unref (result);
    result = both;
  }
  return result;
}

static gboolean
gst_eeg_voltage_to_raw_start (GstBaseTransform *trans)
{
  GstEegVoltageToRaw *self = GST_EEG_VOLTAGE_TO_RAW (trans);

  __atomic_store_n (&self->state.saturated, 0, __ATOMIC_RELAXED);
  return GST_BASE_TRANSFORM_CLASS (gst_eeg_voltage_to_raw_parent_class)
      ->start (trans);
}

static gboolean
gst_eeg_voltage_to_raw_stop (GstBaseTransform *trans)
{
  GstEegVoltageToRaw *self = GST_EEG_VOLTAGE_TO_RAW (trans);

  g_clear_pointer (&self->state.quantize, eeg_quantize_free);
  return GST_BASE_TRANSFORM_CLASS (gst_eeg_voltage_to_raw_parent_class)
      ->stop (trans);
}

static void
gst_eeg_voltage_to_raw_stage_init (GstEegStageInterface *iface)
{
  iface->stateless = TRUE;
}

static GstStructure *
get_stats (GstEegVoltageToRaw *self)
{
  GstStructure *stats =
      gst_eeg_stage_counters_to_structure (gst_eeg_filter_get_counters (
                                               GST_EEG_FILTER (self)),
          GST_EEG_STAGE_KIND_TRANSFORM);

  gst_structure_set (stats, "saturated", G_TYPE_UINT64,
      __atomic_load_n (&self->state.saturated, __ATOMIC_RELAXED), NULL);
  return stats;
}

static void
gst_eeg_voltage_to_raw_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstEegVoltageToRaw *self = GST_EEG_VOLTAGE_TO_RAW (object);

  switch (id) {
    case PROP_STATS:
      g_value_take_boxed (value, get_stats (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
}

static void
gst_eeg_voltage_to_raw_finalize (GObject *object)
{
  GstEegVoltageToRaw *self = GST_EEG_VOLTAGE_TO_RAW (object);

  g_clear_pointer (&self->state.quantize, eeg_quantize_free);
  G_OBJECT_CLASS (gst_eeg_voltage_to_raw_parent_class)->finalize (object);
}

static void
gst_eeg_voltage_to_raw_class_init (GstEegVoltageToRawClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);
  GstEegFilterClass *filter_class = GST_EEG_FILTER_CLASS (klass);
  GstEegCalibratorClass *calibrator_class = GST_EEG_CALIBRATOR_CLASS (klass);

  object_class->get_property = gst_eeg_voltage_to_raw_get_property;
  object_class->finalize = gst_eeg_voltage_to_raw_finalize;

  g_object_class_override_property (object_class, PROP_STATS, "stats");

  gst_element_class_set_static_metadata (element_class, "EEG voltage to counts",
      "Filter/Converter",
      "Converts each channel's physical unit back to amplifier counts",
      "gst-plugins-eeg developers");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);

  trans_class->transform_caps = gst_eeg_voltage_to_raw_transform_caps;
  trans_class->start = gst_eeg_voltage_to_raw_start;
  trans_class->stop = gst_eeg_voltage_to_raw_stop;
  filter_class->process = gst_eeg_voltage_to_raw_process;
  calibrator_class->scales_output = TRUE;
  calibrator_class->make_kernel = gst_eeg_voltage_to_raw_make_kernel;
}

static void
gst_eeg_voltage_to_raw_init (GstEegVoltageToRaw *self)
{
}
