/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-rawtovoltage
 * @title: rawtovoltage
 * @short_description: counts to each channel's physical unit
 *
 * Calibrates amplifier counts: value = count * gain + offset, with the gain and
 * offset of each channel from the limits in the channel table, which hold what
 * the characters in the file's header say. Computed in double and rounded once;
 * F32 carries every 24-bit count. Counts outside the declared range are
 * converted like any other. The property scale takes the place of the table's
 * calibration, also while playing.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 eegsrc num-samples=1000 ! rawtovoltage ! fakesink
 * ]|
 *
 * S32LE becomes F32LE in place. Nothing is held back: no latency, and GAP,
 * flush and EOS pass at once. Input and output caps differ, so there is no
 * `enabled` property.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstrawtovoltage.h"

#include "convert.h"

#define GST_CAT_DEFAULT gst_eeg_raw_to_voltage_debug
GST_DEBUG_CATEGORY_STATIC (GST_CAT_DEFAULT);

/* streaming thread */
typedef struct
{
  eeg_convert *convert;
} State;

struct _GstEegRawToVoltage
{
  GstEegCalibrator parent;

  State state;
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS (GST_EEG_RAW_CAPS_MAKE (GST_EEG_FORMATS_COUNTS, "counts")));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS (GST_EEG_RAW_CAPS_MAKE ("{ F32LE, F64LE }", "voltage")));

/* Locking: see the base class; there is nothing else to guard. */

static void gst_eeg_raw_to_voltage_stage_init (GstEegStageInterface *iface);

G_DEFINE_TYPE_WITH_CODE (GstEegRawToVoltage, gst_eeg_raw_to_voltage,
    GST_TYPE_EEG_CALIBRATOR,
    G_IMPLEMENT_INTERFACE (GST_TYPE_EEG_STAGE,
        gst_eeg_raw_to_voltage_stage_init)
        GST_DEBUG_CATEGORY_INIT (GST_CAT_DEFAULT, "rawtovoltage", 0,
            "EEG counts to physical units"))
GST_ELEMENT_REGISTER_DEFINE (rawtovoltage, "rawtovoltage", GST_RANK_NONE,
    GST_TYPE_EEG_RAW_TO_VOLTAGE)

static gsize
gst_eeg_raw_to_voltage_make_kernel (GstEegCalibrator *calibrator,
    const GstEegInfo *in_info, const GstEegInfo *out_info, const gdouble *gain,
    const gdouble *offset)
{
  GstEegRawToVoltage *self = GST_EEG_RAW_TO_VOLTAGE (calibrator);
  eeg_convert_counts in_format = EEG_CONVERT_S32LE;
  eeg_convert *convert;

  if (in_info->format == GST_EEG_FORMAT_S16LE)
    in_format = EEG_CONVERT_S16LE;
  else if (in_info->format == GST_EEG_FORMAT_S24LE)
    in_format = EEG_CONVERT_S24LE;
  convert = eeg_convert_new (in_format,
      out_info->format == GST_EEG_FORMAT_F64LE ? EEG_CONVERT_F64LE
                                               : EEG_CONVERT_F32LE,
      gain, offset, in_info->channels, eeg_cpu_choose ());
  if (convert == NULL)
    return 0;
  eeg_convert_free (self->state.convert);
  self->state.convert = convert;
  return eeg_convert_get_memory (convert);
}

static gboolean
gst_eeg_raw_to_voltage_process (GstEegFilter *filter, gconstpointer in,
    gsize n_in, gpointer out, gsize n_out, GError **error)
{
  GstEegRawToVoltage *self = GST_EEG_RAW_TO_VOLTAGE (filter);

  eeg_convert_run (self->state.convert, out, in, n_in);
  return TRUE;
}

/* Do F32's 24 bits carry every count? */
static gboolean
fits_f32 (const GstEegChannels *table)
{
  guint i;

  for (i = 0; i < gst_eeg_channels_get_size (table); i++) {
    const GstEegChannel *channel = gst_eeg_channels_get (table, i);

    if (channel->digital_min < -(1 << 24) || channel->digital_max > 1 << 24)
      return FALSE;
  }
  return TRUE;
}

static GstCaps *
gst_eeg_raw_to_voltage_transform_caps (GstBaseTransform *trans,
    GstPadDirection direction, GstCaps *caps, GstCaps *filter)
{
  GstCaps *result = gst_caps_new_empty ();
  guint i, j;

  for (i = 0; i < gst_caps_get_size (caps); i++) {
    static const gchar *const counts[] = { "S32LE", "S24LE", "S16LE" };
    static const gchar *const voltages[] = { "F32LE", "F64LE" };
    const GstStructure *s = gst_caps_get_structure (caps, i);
    const GValue *table_value = gst_structure_get_value (s, "channel-table");
    const gchar *const *formats = direction == GST_PAD_SINK ? voltages : counts;
    guint n = direction == GST_PAD_SINK ? 2 : 3;
    gboolean prefer_last = direction == GST_PAD_SINK && table_value != NULL
        && G_VALUE_HOLDS (table_value, GST_TYPE_EEG_CHANNELS)
        && g_value_get_boxed (table_value) != NULL
        && !fits_f32 (g_value_get_boxed (table_value));

    for (j = 0; j < n; j++) {
      GstStructure *copy = gst_structure_copy (s);

      gst_structure_set (copy, "format", G_TYPE_STRING,
          formats[prefer_last ? n - 1 - j : j], "domain", G_TYPE_STRING,
          direction == GST_PAD_SINK ? "voltage" : "counts", NULL);
      gst_eeg_calibrator_update_table (GST_EEG_CALIBRATOR (trans), direction,
          copy);
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
gst_eeg_raw_to_voltage_stop (GstBaseTransform *trans)
{
  GstEegRawToVoltage *self = GST_EEG_RAW_TO_VOLTAGE (trans);

  g_clear_pointer (&self->state.convert, eeg_convert_free);
  return GST_BASE_TRANSFORM_CLASS (gst_eeg_raw_to_voltage_parent_class)
      ->stop (trans);
}

static void
gst_eeg_raw_to_voltage_stage_init (GstEegStageInterface *iface)
{
  iface->stateless = TRUE;
}

static void
gst_eeg_raw_to_voltage_finalize (GObject *object)
{
  GstEegRawToVoltage *self = GST_EEG_RAW_TO_VOLTAGE (object);

  g_clear_pointer (&self->state.convert, eeg_convert_free);
  G_OBJECT_CLASS (gst_eeg_raw_to_voltage_parent_class)->finalize (object);
}

static void
gst_eeg_raw_to_voltage_class_init (GstEegRawToVoltageClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);
  GstEegFilterClass *filter_class = GST_EEG_FILTER_CLASS (klass);
  GstEegCalibratorClass *calibrator_class = GST_EEG_CALIBRATOR_CLASS (klass);

  object_class->finalize = gst_eeg_raw_to_voltage_finalize;

  gst_element_class_set_static_metadata (element_class, "EEG counts to voltage",
      "Filter/Converter",
      "Converts amplifier counts to each channel's physical unit",
      "gst-plugins-eeg developers");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);

  trans_class->transform_caps = gst_eeg_raw_to_voltage_transform_caps;
  trans_class->stop = gst_eeg_raw_to_voltage_stop;
  filter_class->process = gst_eeg_raw_to_voltage_process;
  calibrator_class->make_kernel = gst_eeg_raw_to_voltage_make_kernel;
}

static void
gst_eeg_raw_to_voltage_init (GstEegRawToVoltage *self)
{
}
