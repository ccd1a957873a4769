/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-eegstats
 * @title: eegstats
 * @short_description: statistics and band powers of EEG
 *
 * Says for each window and channel its mean, root mean square, peak to peak,
 * the power in the bands delta, theta, alpha, beta and gamma and the share of
 * the mains, as element messages and as #GstEegStatisticsMeta on buffers.
 * Powers are those of scipy.signal.welch().
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 -m eegsrc channels=2 num-samples=2000 ! rawtovoltage ! \
 *     eegstats window=2000000000 segment=1000000000 ! fakesink
 * ]|
 *
 * Takes `application/x-eeg-raw, domain=voltage` in F32LE or F64LE; samples are
 * not changed, and a buffer in which no window ends passes on untouched.
 * Nothing is held back: no latency; GAP, flush and EOS pass at once. Windows
 * are counted from where a run of samples begins; one that is cut off has no
 * statistics.
 *
 * Every property can be changed while playing, from the next buffer on; a new
 * window begins there. What cannot be met is refused with a warning, and all
 * properties stay as they were.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsteegstats.h"

#include <math.h>
#include <string.h>

#include "scan.h"
#include "welch.h"

#define GST_CAT_DEFAULT gst_eeg_stats_debug
GST_DEBUG_CATEGORY_STATIC (GST_CAT_DEFAULT);

#define DEFAULT_SEGMENT 0
#define DEFAULT_MAINS_FREQUENCY 0.0
#define DEFAULT_MESSAGES TRUE
#define DEFAULT_META TRUE

/* To either side of the mains, in Hz. */
#define MAINS_WIDTH 1.0

/* Bands of the kernel: those of EEG, all, and one or two mains. */
#define BAND_ALL GST_EEG_N_BANDS
#define BAND_MAINS (BAND_ALL + 1)

enum
{
  PROP_0,
  PROP_SEGMENT,
  PROP_MAINS_FREQUENCY,
  PROP_MESSAGES,
  PROP_META,
  PROP_STATISTICS
};

typedef struct
{
  GstEegInspectorSettings inspector;
  GstClockTime segment;    /* 0: the whole window */
  gdouble mains_frequency; /* Hz, 0: 50 and 60 */
  gboolean messages, meta;
} Settings;

struct _GstEegStats
{
  GstEegInspector parent;

  /* object lock */
  gsize memory;
  GstEegStatistics *last; /* of the last window */

  /* streaming thread */
  Settings use;
  eeg_scan *scan;
  eeg_welch *welch;
  guint n_mains;
  GstEegChannelStatistics *rows; /* one for each channel */
  GPtrArray *made;               /* statistics of the buffer at hand */
};

/* Locking: see the parent. The streaming thread posts without it. */

#define FORMATS "{ F32LE, F64LE }"

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (GST_EEG_RAW_CAPS_MAKE (FORMATS, "voltage")));

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (GST_EEG_RAW_CAPS_MAKE (FORMATS, "voltage")));

G_DEFINE_TYPE_WITH_CODE (GstEegStats, gst_eeg_stats, GST_TYPE_EEG_INSPECTOR,
    GST_DEBUG_CATEGORY_INIT (GST_CAT_DEFAULT, "eegstats", 0,
        "statistics of EEG"))
GST_ELEMENT_REGISTER_DEFINE (eegstats, "eegstats", GST_RANK_NONE,
    GST_TYPE_EEG_STATS)

/* ---- settings ---- */

/* Samples of a segment in windows of so many. */
static gboolean
find_segment (const Settings *settings, const GstEegInfo *info, gsize window,
    gsize *segment, GError **error)
{
  guint64 length = window;

  if (settings->segment == GST_CLOCK_TIME_NONE)
    length = G_MAXUINT64;
  else if (settings->segment > 0)
    length = gst_eeg_info_time_to_samples (info, settings->segment);
  if (length >= 2 && length <= MIN (window, EEG_WELCH_MAX_SEGMENT)) {
    *segment = length;
    return TRUE;
  }
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
      "A segment of %" G_GUINT64_FORMAT
      " samples is no good: it must have between 2 and %d, and no more than a "
      "window, which has %" G_GSIZE_FORMAT ".",
      length, EEG_WELCH_MAX_SEGMENT, window);
  return FALSE;
}

static gboolean
gst_eeg_stats_check (gconstpointer data, const GstEegInfo *info, gsize window,
    GError **error)
{
  const Settings *settings = data;
  gsize segment;

  if (!(settings->mains_frequency >= 0
          && isfinite (settings->mains_frequency))) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "mains-frequency must be 0 Hz or more.");
    return FALSE;
  }
  return info == NULL || find_segment (settings, info, window, &segment, error);
}

/* ---- samples ---- */

static void
clear_kernels (GstEegStats *self)
{
  g_clear_pointer (&self->scan, eeg_scan_free);
  g_clear_pointer (&self->welch, eeg_welch_free);
  g_clear_pointer (&self->rows, g_free);
  GST_OBJECT_LOCK (self);
  self->memory = 0;
  GST_OBJECT_UNLOCK (self);
}

static void
add_band (eeg_welch_config *config, gdouble low, gdouble high)
{
  config->low[config->n_bands] = low;
  config->high[config->n_bands++] = high;
}

static void
choose_bands (GstEegStats *self, eeg_welch_config *config, gdouble rate)
{
  static const gdouble usual[] = { 50, 60 };
  gdouble low, high;
  guint i;

  for (i = 0; i < GST_EEG_N_BANDS; i++) {
    gst_eeg_band_get_limits (i, &low, &high);
    add_band (config, low / rate, high / rate);
  }
  /* all but the mean; a bin is no wider than half of this */
  add_band (config, 1.0 / (4 * EEG_WELCH_MAX_SEGMENT), 1);
  self->n_mains = 0;
  for (i = 0; i < 2; i++) {
    gdouble mains = self->use.mains_frequency;

    if (mains == 0)
      mains = usual[i];
    else if (i == 1)
      break;
    if (mains >= rate / 2)
      continue;
    add_band (config, MAX (mains - MAINS_WIDTH, 0) / rate,
        (mains + MAINS_WIDTH) / rate);
    self->n_mains++;
  }
}

static gboolean
gst_eeg_stats_set_up (GstEegInspector *inspector, const GstEegInfo *info,
    gsize window, GError **error)
{
  GstEegStats *self = GST_EEG_STATS (inspector);
  const gboolean is_f32 = info->format == GST_EEG_FORMAT_F32LE;
  eeg_scan_config scan = { .channels = info->channels,
    .format = is_f32 ? EEG_SCAN_F32 : EEG_SCAN_F64,
    .cpu = eeg_cpu_choose () };
  eeg_welch_config welch = { .channels = info->channels,
    .format = is_f32 ? EEG_WELCH_F32 : EEG_WELCH_F64,
    .cpu = scan.cpu };

  gst_eeg_filter_get_active_settings (GST_EEG_FILTER (self), &self->use);
  clear_kernels (self);
  if (!find_segment (&self->use, info, window, &welch.segment, error))
    return FALSE;
  choose_bands (self, &welch, (gdouble) info->rate_n / info->rate_d);
  self->scan = eeg_scan_new (&scan);
  self->welch = eeg_welch_new (&welch);
  self->rows = g_try_new0 (GstEegChannelStatistics, info->channels);
  if (self->scan == NULL || self->welch == NULL || self->rows == NULL) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
        "No memory for segments of %" G_GSIZE_FORMAT " samples of %d channels.",
        welch.segment, info->channels);
    return FALSE;
  }
  GST_OBJECT_LOCK (self);
  self->memory = eeg_scan_get_size (self->scan)
      + eeg_welch_get_size (self->welch) + info->channels * sizeof *self->rows;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static void
gst_eeg_stats_start_window (GstEegInspector *inspector, guint64 first)
{
  GstEegStats *self = GST_EEG_STATS (inspector);

  eeg_scan_start (self->scan);
  eeg_welch_start (self->welch);
}

static void
gst_eeg_stats_add (GstEegInspector *inspector, gconstpointer data, gsize frames)
{
  GstEegStats *self = GST_EEG_STATS (inspector);

  eeg_scan_add (self->scan, data, frames);
  eeg_welch_add (self->welch, data, frames);
}

static void
fill_row (GstEegStats *self, guint channel, GstEegChannelStatistics *row)
{
  gdouble all = eeg_welch_get_power (self->welch, channel, BAND_ALL);
  gdouble mains = 0;
  eeg_scan_moments m;
  guint i;

  memset (row, 0, sizeof *row);
  eeg_scan_get_moments (self->scan, channel, &m);
  row->samples = m.frames;
  if (m.frames == 0)
    return;
  row->mean = m.mean;
  row->rms = sqrt (m.mean * m.mean + m.variance);
  row->peak_to_peak = m.max - m.min;
  for (i = 0; i < GST_EEG_N_BANDS; i++)
    row->bands[i] = eeg_welch_get_power (self->welch, channel, i);
  for (i = 0; i < self->n_mains; i++)
    mains =
        MAX (mains, eeg_welch_get_power (self->welch, channel, BAND_MAINS + i));
  row->mains_ratio = all > 0 ? MIN (mains / all, 1) : 0;
}

static void
gst_eeg_stats_end_window (GstEegInspector *inspector, guint64 first,
    gsize frames, gboolean is_whole)
{
  GstEegStats *self = GST_EEG_STATS (inspector);
  const GstEegInfo *info = gst_eeg_filter_get_in_info (GST_EEG_FILTER (self));
  GstClockTime start = gst_eeg_info_samples_to_time (info, first);
  GstClockTime end = gst_eeg_info_samples_to_time (info, first + frames);
  GstEegStatistics *statistics, *old;
  gint c;

  if (!is_whole)
    return;
  for (c = 0; c < info->channels; c++)
    fill_row (self, c, &self->rows[c]);
  statistics = gst_eeg_statistics_new (first, frames, start, end - start,
      self->rows, info->channels);
  if (self->use.meta)
    g_ptr_array_add (self->made, gst_eeg_statistics_ref (statistics));
  if (self->use.messages)
    gst_element_post_message (GST_ELEMENT (self),
        gst_eeg_message_new_statistics (GST_OBJECT (self), statistics));
  GST_OBJECT_LOCK (self);
  old = self->last;
  self->last = statistics;
  GST_OBJECT_UNLOCK (self);
  g_clear_pointer (&old, gst_eeg_statistics_unref);
}

static GstFlowReturn
gst_eeg_stats_finish (GstEegInspector *inspector, GstBuffer **buffer,
    guint64 index, gsize frames)
{
  GstEegStats *self = GST_EEG_STATS (inspector);
  guint i;

  if (self->made->len == 0)
    return GST_FLOW_OK;
  *buffer = gst_buffer_make_writable (*buffer);
  for (i = 0; i < self->made->len; i++)
    gst_buffer_add_eeg_statistics_meta (*buffer,
        g_ptr_array_index (self->made, i));
  g_ptr_array_set_size (self->made, 0);
  return GST_FLOW_OK;
}

static gsize
gst_eeg_stats_get_memory (GstEegFilter *filter)
{
  GstEegStats *self = GST_EEG_STATS (filter);
  gsize memory;

  GST_OBJECT_LOCK (self);
  memory = self->memory;
  GST_OBJECT_UNLOCK (self);
  return memory;
}

static void
forget_last (GstEegStats *self)
{
  GstEegStatistics *old;

  GST_OBJECT_LOCK (self);
  old = g_steal_pointer (&self->last);
  GST_OBJECT_UNLOCK (self);
  g_clear_pointer (&old, gst_eeg_statistics_unref);
}

static gboolean
gst_eeg_stats_start (GstBaseTransform *trans)
{
  forget_last (GST_EEG_STATS (trans));
  return GST_BASE_TRANSFORM_CLASS (gst_eeg_stats_parent_class)->start (trans);
}

static gboolean
gst_eeg_stats_stop (GstBaseTransform *trans)
{
  GstEegStats *self = GST_EEG_STATS (trans);
  gboolean ret =
      GST_BASE_TRANSFORM_CLASS (gst_eeg_stats_parent_class)->stop (trans);

  g_ptr_array_set_size (self->made, 0);
  clear_kernels (self);
  return ret;
}

/* ---- properties ---- */

static void
gst_eeg_stats_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstEegStats *self = GST_EEG_STATS (object);
  Settings *settings = gst_eeg_filter_peek_settings (GST_EEG_FILTER (object));

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_SEGMENT:
      settings->segment = g_value_get_uint64 (value);
      break;
    case PROP_MAINS_FREQUENCY:
      settings->mains_frequency = g_value_get_double (value);
      break;
    case PROP_MESSAGES:
      settings->messages = g_value_get_boolean (value);
      break;
    case PROP_META:
      settings->meta = g_value_get_boolean (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_eeg_stats_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstEegStats *self = GST_EEG_STATS (object);
  Settings *settings = gst_eeg_filter_peek_settings (GST_EEG_FILTER (object));

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_SEGMENT:
      g_value_set_uint64 (value, settings->segment);
      break;
    case PROP_MAINS_FREQUENCY:
      g_value_set_double (value, settings->mains_frequency);
      break;
    case PROP_MESSAGES:
      g_value_set_boolean (value, settings->messages);
      break;
    case PROP_META:
      g_value_set_boolean (value, settings->meta);
      break;
    case PROP_STATISTICS:
      g_value_set_boxed (value, self->last);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_eeg_stats_finalize (GObject *object)
{
  GstEegStats *self = GST_EEG_STATS (object);

  clear_kernels (self);
  forget_last (self);
  g_ptr_array_unref (self->made);
  G_OBJECT_CLASS (gst_eeg_stats_parent_class)->finalize (object);
}

static void
gst_eeg_stats_class_init (GstEegStatsClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);
  GstEegFilterClass *filter_class = GST_EEG_FILTER_CLASS (klass);
  GstEegInspectorClass *inspector_class = GST_EEG_INSPECTOR_CLASS (klass);
  static const guint8 magic[8] = { 'e', 'e', 'g', '-', 's', 't', 'a', 1 };
  const GParamFlags hot =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;

  object_class->set_property = gst_eeg_stats_set_property;
  object_class->get_property = gst_eeg_stats_get_property;
  object_class->finalize = gst_eeg_stats_finalize;

  /**
   * GstEegStats:segment:
   *
   * A window is cut into segments that overlap by half; the powers are the mean
   * of theirs. A segment of d seconds tells frequencies apart that are 2 / d Hz
   * from each other. Rounded to whole samples, 2 to 1048576 of them, no more
   * than a window.
   */
  gst_eeg_filter_class_install_setting (filter_class, PROP_SEGMENT,
      g_param_spec_uint64 ("segment", "Segment",
          "Duration of a segment of Welch's method in nanoseconds; 0 = the whole "
          "window",
          0, G_MAXUINT64, DEFAULT_SEGMENT, hot));
  gst_eeg_filter_class_install_setting (filter_class, PROP_MAINS_FREQUENCY,
      g_param_spec_double ("mains-frequency", "Mains frequency",
          "Frequency of the mains in Hz; 0 = 50 and 60 Hz, whichever is "
          "stronger. Half the rate and above is not looked for",
          -G_MAXDOUBLE, G_MAXDOUBLE, DEFAULT_MAINS_FREQUENCY, hot));
  gst_eeg_filter_class_install_setting (filter_class, PROP_MESSAGES,
      g_param_spec_boolean ("messages", "Messages",
          "Post the statistics of each window as an element message",
          DEFAULT_MESSAGES, hot));
  gst_eeg_filter_class_install_setting (filter_class, PROP_META,
      g_param_spec_boolean ("meta", "Meta",
          "Put the statistics of each window on the buffer in which it ends",
          DEFAULT_META, hot));
  g_object_class_install_property (object_class, PROP_STATISTICS,
      g_param_spec_boxed ("statistics", "Statistics of the last window",
          "What the channels were like in the last window; NULL before there "
          "is one",
          GST_TYPE_EEG_STATISTICS, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));

  gst_element_class_set_static_metadata (element_class, "EEG statistics",
      "Filter/Analyzer",
      "Mean, RMS, peak to peak, band powers and mains of each channel",
      "gst-plugins-eeg developers");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);

  trans_class->start = gst_eeg_stats_start;
  trans_class->stop = gst_eeg_stats_stop;
  filter_class->settings_size = sizeof (Settings);
  filter_class->get_memory = gst_eeg_stats_get_memory;
  memcpy (inspector_class->state_magic, magic, sizeof magic);
  inspector_class->check = gst_eeg_stats_check;
  inspector_class->set_up = gst_eeg_stats_set_up;
  inspector_class->start_window = gst_eeg_stats_start_window;
  inspector_class->add = gst_eeg_stats_add;
  inspector_class->end_window = gst_eeg_stats_end_window;
  inspector_class->finish = gst_eeg_stats_finish;
}

static void
gst_eeg_stats_init (GstEegStats *self)
{
  self->use = (Settings){ .inspector.window = GST_EEG_INSPECTOR_DEFAULT_WINDOW,
    .segment = DEFAULT_SEGMENT,
    .mains_frequency = DEFAULT_MAINS_FREQUENCY,
    .messages = DEFAULT_MESSAGES,
    .meta = DEFAULT_META };
  gst_eeg_filter_init_settings (GST_EEG_FILTER (self), &self->use);
  self->made = g_ptr_array_new_with_free_func (
      (GDestroyNotify) gst_eeg_statistics_unref);
}
