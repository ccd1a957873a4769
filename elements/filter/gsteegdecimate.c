/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-eegdecimate
 * @title: eegdecimate
 * @short_description: another sampling rate
 *
 * Brings a stream to another sampling rate, lower or higher, in any ratio of
 * whole numbers, through its own anti-alias filter: that of
 * scipy.signal.resample_poly(). Channels of type EEG, EOG, EMG and ECG are
 * filtered. A trigger channel keeps every value it takes, were it one sample
 * long. Without a channel table all are filtered.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 eegsrc rate=1000/1 num-samples=10000 ! rawtovoltage ! \
 *     eegdecimate rate=250/1 ! fakesink
 * ]|
 *
 * Takes and gives `application/x-eeg-raw, domain=voltage` in F32LE or F64LE.
 * Output samples lie on the grid of the new rate, counted from sample 0 of the
 * recording, wherever a run begins. Half the filter's length is held back,
 * reported as latency and taken off the time stamps; it is sent before a gap, a
 * new segment, new caps and EOS, completed as `initial` says. A flush drops it.
 * Markers keep their times. Where the rate does not change, buffers pass
 * untouched. Input and output caps differ, so there is no `enabled` property.
 *
 * Every property can be changed while playing: before the next buffer what is
 * held goes out, and a new run begins with the new filter. What cannot be met
 * is refused with a warning, and all properties stay as they were.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsteegdecimate.h"

#include <gst/eeg/gsteegenum.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fir.h"
#include "resample.h"

#define GST_CAT_DEFAULT gst_eeg_decimate_debug
GST_DEBUG_CATEGORY_STATIC (GST_CAT_DEFAULT);

#define DEFAULT_RATE_N 0
#define DEFAULT_RATE_D 1
#define DEFAULT_HALF_LENGTH 10
#define DEFAULT_BETA 5.0
#define DEFAULT_INITIAL EEG_RESAMPLE_HOLD

/* A saved state: these bytes (the last one is the version), up, down, half the
 * filter, channels, beta and edge, what the kernel saved. */
static const guint8 state_magic[8] = { 'e', 'e', 'g', '-', 'd', 'e', 'c', 1 };
#define STATE_HEADER 56

enum
{
  PROP_0,
  PROP_RATE,
  PROP_HALF_LENGTH,
  PROP_BETA,
  PROP_INITIAL,
  PROP_DROPPED
};

/* What the properties say. */
typedef struct
{
  gint rate_n, rate_d;
  guint half_length;
  gdouble beta;
  eeg_resample_edge initial;
} Settings;

/* What that means for a stream. */
typedef struct
{
  gint rate_n, rate_d; /* of the output */
  guint64 up, down, half;
} Plan;

struct _GstEegDecimate
{
  GstEegFilter parent;

  /* object lock */
  gsize memory;
  guint64 look_back;
  guint64 dropped; /* trigger values, since the start */

  /* lock of the settings */
  eeg_resample *pending; /* made when properties were set, or NULL */
  Settings pending_settings;
  GstEegInfo pending_info; /* for which it was made */

  /* streaming thread */
  eeg_resample *resample;
  Plan plan;
  Settings made; /* that resample was made with */
  gboolean running;
  guint64 run_index;      /* of the first sample of the run */
  guint64 dropped_before; /* by kernels that are gone */
};

/* Locking: as the base class says. The object lock guards what the struct says,
 * inside the lock of the settings, which guards the filter that waits. */

#define FORMATS "{ F32LE, F64LE }"

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (GST_EEG_RAW_CAPS_MAKE (FORMATS, "voltage")));

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (GST_EEG_RAW_CAPS_MAKE (FORMATS, "voltage")));

static void gst_eeg_decimate_stage_init (GstEegStageInterface *iface);

G_DEFINE_TYPE_WITH_CODE (GstEegDecimate, gst_eeg_decimate, GST_TYPE_EEG_FILTER,
    G_IMPLEMENT_INTERFACE (GST_TYPE_EEG_STAGE, gst_eeg_decimate_stage_init)
        GST_DEBUG_CATEGORY_INIT (GST_CAT_DEFAULT, "eegdecimate", 0,
            "EEG sampling rate"))
GST_ELEMENT_REGISTER_DEFINE (eegdecimate, "eegdecimate", GST_RANK_NONE,
    GST_TYPE_EEG_DECIMATE)

GST_EEG_DEFINE_ENUM (initial_get_type, "GstEegDecimateInitial",
    { EEG_RESAMPLE_HOLD, "The first sample, held; the last one at the end",
        "first-sample" },
    { EEG_RESAMPLE_ZERO, "Zeros", "zero" })

/* ---- settings ---- */

static guint64
greatest_divisor (guint64 a, guint64 b)
{
  while (b != 0) {
    guint64 rest = a % b;

    a = b;
    b = rest;
  }
  return a;
}

static gboolean
settings_check (const Settings *settings, GError **error)
{
  if (settings->half_length >= 1 && settings->half_length <= 1000
      && settings->beta >= 0 && settings->beta <= EEG_FIR_MAX_BETA)
    return TRUE;
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
      "No such filter: half-length must lie between 1 and 1000, and beta "
      "between 0 and %g.",
      EEG_FIR_MAX_BETA);
  return FALSE;
}

static gboolean
plan_make (Plan *plan, const Settings *settings, gint rate_n, gint rate_d,
    GError **error)
{
  guint64 divisor, most;

  if (!settings_check (settings, error))
    return FALSE;
  plan->rate_n = settings->rate_n > 0 ? settings->rate_n : rate_n;
  plan->rate_d = settings->rate_n > 0 ? settings->rate_d : rate_d;
  plan->up = (guint64) plan->rate_n * rate_d;
  plan->down = (guint64) plan->rate_d * rate_n;
  divisor = greatest_divisor (plan->up, plan->down);
  plan->up /= divisor;
  plan->down /= divisor;
  most = MAX (plan->up, plan->down);
  if (most > (EEG_FIR_MAX_TAPS - 1) / 2 / settings->half_length) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "From %d/%d Hz to %d/%d Hz is %" G_GUINT64_FORMAT
        " to %" G_GUINT64_FORMAT ": the filter would have more than %d taps.",
        rate_n, rate_d, plan->rate_n, plan->rate_d, plan->down, plan->up,
        EEG_FIR_MAX_TAPS);
    return FALSE;
  }
  plan->half = settings->half_length * most;
  return TRUE;
}

static gboolean
gst_eeg_decimate_transform_info (GstEegFilter *filter,
    const GstEegInfo *in_info, GstEegInfo *out_info, GError **error)
{
  Settings settings;
  Plan plan;

  gst_eeg_filter_get_active_settings (filter, &settings);
  if (!plan_make (&plan, &settings, in_info->rate_n, in_info->rate_d, error))
    return FALSE;
  gst_eeg_info_set (out_info, in_info->format, in_info->domain, plan.rate_n,
      plan.rate_d, in_info->channels, in_info->channel_table);
  return TRUE;
}

/* ---- state ---- */

static void
write_header (GstEegDecimate *self, guint8 *data)
{
  memcpy (data, state_magic, sizeof state_magic);
  GST_WRITE_UINT64_LE (data + 8, self->plan.up);
  GST_WRITE_UINT64_LE (data + 16, self->plan.down);
  GST_WRITE_UINT64_LE (data + 24, self->plan.half);
  GST_WRITE_UINT64_LE (data + 32,
      gst_eeg_filter_get_in_info (GST_EEG_FILTER (self))->channels);
  GST_WRITE_DOUBLE_LE (data + 40, self->made.beta);
  GST_WRITE_UINT64_LE (data + 48, self->made.initial);
}

static gboolean
gst_eeg_decimate_save (GstEegFilter *filter, GByteArray *to, GError **error)
{
  GstEegDecimate *self = GST_EEG_DECIMATE (filter);
  gsize size = eeg_resample_state_size (self->resample);
  guint8 header[STATE_HEADER];

  write_header (self, header);
  g_byte_array_append (to, header, sizeof header);
  g_byte_array_set_size (to, (guint) (to->len + size));
  eeg_resample_save_state (self->resample, to->data + to->len - size);
  return TRUE;
}

static guint64 gst_eeg_decimate_map_index (GstEegFilter *filter, guint64 index);

static gboolean
gst_eeg_decimate_resume (GstEegFilter *filter, guint64 index,
    const guint8 *data, gsize size, guint64 *first, GError **error)
{
  GstEegDecimate *self = GST_EEG_DECIMATE (filter);
  guint8 header[STATE_HEADER];

  write_header (self, header);
  *first = gst_eeg_decimate_map_index (filter, index);
  if (size >= STATE_HEADER && memcmp (header, data, STATE_HEADER) == 0
      && eeg_resample_load_state (self->resample, data + STATE_HEADER,
          size - STATE_HEADER))
    return TRUE;
  g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
      "The saved state is that of another filter or stream.");
  return FALSE;
}

static guint64
gst_eeg_decimate_get_look_back (GstEegFilter *filter)
{
  GstEegDecimate *self = GST_EEG_DECIMATE (filter);

  return self->resample != NULL ? eeg_resample_get_look_back (self->resample)
                                : 0;
}

static guint64
gst_eeg_decimate_look_back (GstEegStage *stage)
{
  GstEegDecimate *self = GST_EEG_DECIMATE (stage);
  guint64 look_back;

  GST_OBJECT_LOCK (self);
  look_back = self->look_back;
  GST_OBJECT_UNLOCK (self);
  return look_back;
}

static void
gst_eeg_decimate_stage_init (GstEegStageInterface *iface)
{
  iface->look_back = gst_eeg_decimate_look_back;
}

/* ---- samples ---- */

static void
set_resample (GstEegDecimate *self, eeg_resample *resample)
{
  if (self->resample != NULL)
    self->dropped_before += eeg_resample_get_dropped (self->resample);
  eeg_resample_free (self->resample);
  self->resample = resample;
  GST_OBJECT_LOCK (self);
  self->memory = resample != NULL ? eeg_resample_get_size (resample) : 0;
  self->look_back =
      resample != NULL ? eeg_resample_get_look_back (resample) : 0;
  GST_OBJECT_UNLOCK (self);
}

static eeg_resample_kind *
find_kinds (const GstEegInfo *info)
{
  eeg_resample_kind *kinds = g_new (eeg_resample_kind, info->channels);
  gint i;

  for (i = 0; i < info->channels; i++) {
    if (gst_eeg_info_is_signal (info, i))
      kinds[i] = EEG_RESAMPLE_SIGNAL;
    else if (gst_eeg_channels_get (info->channel_table, i)->type
        == GST_EEG_CHANNEL_TYPE_TRIGGER)
      kinds[i] = EEG_RESAMPLE_TRIGGER;
    else
      kinds[i] = EEG_RESAMPLE_OTHER;
  }
  return kinds;
}

static eeg_resample *
make_resample (const Plan *plan, const Settings *settings,
    const GstEegInfo *info)
{
  const gsize n = 2 * plan->half + 1;
  const gdouble cutoff = 1.0 / MAX (plan->up, plan->down);
  gdouble *taps = g_try_new (gdouble, n);
  eeg_resample_config config = { .channels = info->channels,
    .format = info->format == GST_EEG_FORMAT_F32LE ? EEG_RESAMPLE_F32
                                                   : EEG_RESAMPLE_F64,
    .edge = settings->initial,
    .up = plan->up,
    .down = plan->down,
    .taps = taps,
    .half = plan->half,
    .cpu = eeg_cpu_choose () };
  eeg_resample_kind *kinds;
  eeg_resample *resample;
  gsize i;

  if (taps == NULL)
    return NULL;
  eeg_fir_firwin (taps, n, &cutoff, 1, true, EEG_FIR_KAISER, settings->beta);
  for (i = 0; i < n; i++)
    taps[i] *= plan->up;
  config.kinds = kinds = find_kinds (info);
  resample = eeg_resample_new (&config);
  g_free (kinds);
  g_free (taps);
  return resample;
}

/* Makes the filter on the thread that sets the properties. */
static gboolean
gst_eeg_decimate_apply_settings (GstEegFilter *filter, gconstpointer data,
    const GstEegInfo *info, GError **error)
{
  GstEegDecimate *self = GST_EEG_DECIMATE (filter);
  const Settings *settings = data;
  Plan plan;

  if (info == NULL)
    return settings_check (settings, error);
  if (!plan_make (&plan, settings, info->rate_n, info->rate_d, error))
    return FALSE;
  g_clear_pointer (&self->pending, eeg_resample_free);
  if (plan.up == plan.down)
    return TRUE;
  self->pending = make_resample (&plan, settings, info);
  self->pending_settings = *settings;
  gst_eeg_info_copy_into (info, &self->pending_info);
  if (self->pending == NULL)
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
        "No memory for a filter of %" G_GUINT64_FORMAT " taps.",
        2 * plan.half + 1);
  return self->pending != NULL;
}

static gboolean
settings_are_equal (const Settings *a, const Settings *b)
{
  return a->rate_n == b->rate_n && a->rate_d == b->rate_d
      && a->half_length == b->half_length && a->beta == b->beta
      && a->initial == b->initial;
}

/* The filter that was made when the properties were set, NULL if it is none for
 * these caps. */
static eeg_resample *
steal_pending (GstEegDecimate *self, const GstEegInfo *info)
{
  eeg_resample *resample = NULL;

  gst_eeg_filter_lock_settings (GST_EEG_FILTER (self));
  if (self->pending != NULL
      && settings_are_equal (&self->pending_settings, &self->made)
      && gst_eeg_info_is_equal (&self->pending_info, info))
    resample = g_steal_pointer (&self->pending);
  gst_eeg_filter_unlock_settings (GST_EEG_FILTER (self));
  return resample;
}

static gboolean
gst_eeg_decimate_set_info (GstEegFilter *filter, const GstEegInfo *in_info,
    const GstEegInfo *out_info, GError **error)
{
  GstEegDecimate *self = GST_EEG_DECIMATE (filter);
  eeg_resample *resample;

  set_resample (self, NULL);
  gst_eeg_filter_get_active_settings (filter, &self->made);
  if (!plan_make (&self->plan, &self->made, in_info->rate_n, in_info->rate_d,
          error))
    return FALSE;
  /* where the rate stays, so do buffers */
  gst_eeg_filter_set_enabled (filter, self->plan.up != self->plan.down);
  if (self->plan.up == self->plan.down)
    return TRUE;
  resample = steal_pending (self, in_info);
  if (resample == NULL) {
    GST_INFO_OBJECT (self, "designing the filter for new caps");
    resample = make_resample (&self->plan, &self->made, in_info);
  }
  if (resample == NULL) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
        "No memory for a filter of %" G_GUINT64_FORMAT " taps.",
        2 * self->plan.half + 1);
    return FALSE;
  }
  set_resample (self, resample);
  GST_INFO_OBJECT (self,
      "%" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT " by %" G_GUINT64_FORMAT
      " taps",
      self->plan.down, self->plan.up, 2 * self->plan.half + 1);
  return TRUE;
}

static void
gst_eeg_decimate_reset (GstEegFilter *filter)
{
  GstEegDecimate *self = GST_EEG_DECIMATE (filter);

  self->running = FALSE;
  if (self->resample != NULL)
    eeg_resample_start (self->resample, 0);
}

/* A run begins at the next sample of the new grid. */
static guint64
gst_eeg_decimate_map_index (GstEegFilter *filter, guint64 index)
{
  GstEegDecimate *self = GST_EEG_DECIMATE (filter);
  const Plan *plan = &self->plan;
  guint64 out = gst_util_uint64_scale_ceil (index, plan->up, plan->down);
  /* small, also where the products are cut off */
  guint64 first = out * plan->down - index * plan->up;

  eeg_resample_start (self->resample, first < plan->down ? first : 0);
  self->run_index = index;
  self->running = TRUE;
  return out;
}

static gsize
gst_eeg_decimate_get_ready (GstEegFilter *filter, gsize n_frames)
{
  return eeg_resample_get_ready (GST_EEG_DECIMATE (filter)->resample, n_frames);
}

static void
count_dropped (GstEegDecimate *self)
{
  guint64 dropped =
      self->dropped_before + eeg_resample_get_dropped (self->resample);

  GST_OBJECT_LOCK (self);
  self->dropped = dropped;
  GST_OBJECT_UNLOCK (self);
}

static gboolean
gst_eeg_decimate_process (GstEegFilter *filter, gconstpointer in, gsize n_in,
    gpointer out, gsize n_out, GError **error)
{
  GstEegDecimate *self = GST_EEG_DECIMATE (filter);

  eeg_resample_process (self->resample, in, n_in, out);
  count_dropped (self);
  return TRUE;
}

static gsize
gst_eeg_decimate_drain (GstEegFilter *filter, gpointer out, gsize max_frames)
{
  GstEegDecimate *self = GST_EEG_DECIMATE (filter);
  gsize n;

  if (self->resample == NULL)
    return 0;
  n = eeg_resample_drain (self->resample, out, max_frames);
  count_dropped (self);
  return n;
}

static gsize
gst_eeg_decimate_get_delay (GstEegFilter *filter)
{
  GstEegDecimate *self = GST_EEG_DECIMATE (filter);

  return self->resample != NULL ? eeg_resample_get_delay (self->resample) : 0;
}

static gsize
gst_eeg_decimate_get_memory (GstEegFilter *filter)
{
  GstEegDecimate *self = GST_EEG_DECIMATE (filter);
  gsize memory;

  GST_OBJECT_LOCK (self);
  memory = self->memory;
  GST_OBJECT_UNLOCK (self);
  return memory;
}

static gboolean
gst_eeg_decimate_start (GstBaseTransform *trans)
{
  GstEegDecimate *self = GST_EEG_DECIMATE (trans);

  GST_OBJECT_LOCK (self);
  self->dropped = 0;
  GST_OBJECT_UNLOCK (self);
  self->dropped_before = 0;
  self->running = FALSE;
  return GST_BASE_TRANSFORM_CLASS (gst_eeg_decimate_parent_class)
      ->start (trans);
}

static gboolean
gst_eeg_decimate_stop (GstBaseTransform *trans)
{
  GstEegDecimate *self = GST_EEG_DECIMATE (trans);
  gboolean ret =
      GST_BASE_TRANSFORM_CLASS (gst_eeg_decimate_parent_class)->stop (trans);

  set_resample (self, NULL);
  gst_eeg_filter_lock_settings (GST_EEG_FILTER (self));
  g_clear_pointer (&self->pending, eeg_resample_free);
  gst_eeg_info_clear (&self->pending_info);
  gst_eeg_filter_unlock_settings (GST_EEG_FILTER (self));
  return ret;
}

/* ---- properties ---- */

static void
gst_eeg_decimate_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstEegDecimate *self = GST_EEG_DECIMATE (object);
  Settings *settings = gst_eeg_filter_peek_settings (GST_EEG_FILTER (object));

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_RATE:
      settings->rate_n = gst_value_get_fraction_numerator (value);
      settings->rate_d = gst_value_get_fraction_denominator (value);
      break;
    case PROP_HALF_LENGTH:
      settings->half_length = g_value_get_uint (value);
      break;
    case PROP_BETA:
      settings->beta = g_value_get_double (value);
      break;
    case PROP_INITIAL:
      settings->initial = g_value_get_enum (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_eeg_decimate_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstEegDecimate *self = GST_EEG_DECIMATE (object);
  Settings *settings = gst_eeg_filter_peek_settings (GST_EEG_FILTER (object));

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_RATE:
      gst_value_set_fraction (value, settings->rate_n, settings->rate_d);
      break;
    case PROP_HALF_LENGTH:
      g_value_set_uint (value, settings->half_length);
      break;
    case PROP_BETA:
      g_value_set_double (value, settings->beta);
      break;
    case PROP_INITIAL:
      g_value_set_enum (value, settings->initial);
      break;
    case PROP_DROPPED:
      g_value_set_uint64 (value, self->dropped);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_eeg_decimate_finalize (GObject *object)
{
  GstEegDecimate *self = GST_EEG_DECIMATE (object);

  g_clear_pointer (&self->resample, eeg_resample_free);
  g_clear_pointer (&self->pending, eeg_resample_free);
  gst_eeg_info_clear (&self->pending_info);
  G_OBJECT_CLASS (gst_eeg_decimate_parent_class)->finalize (object);
}

static void
gst_eeg_decimate_class_init (GstEegDecimateClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);
  GstEegFilterClass *filter_class = GST_EEG_FILTER_CLASS (klass);
  const GParamFlags hot =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;
  const GParamFlags readable = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->set_property = gst_eeg_decimate_set_property;
  object_class->get_property = gst_eeg_decimate_get_property;
  object_class->finalize = gst_eeg_decimate_finalize;

  gst_eeg_filter_class_install_setting (filter_class, PROP_RATE,
      gst_param_spec_fraction ("rate", "Rate",
          "Sampling rate of the output in Hz, lower or higher than that of the "
          "input; 0/1 = as the input's",
          0, 1, G_MAXINT, 1, DEFAULT_RATE_N, DEFAULT_RATE_D, hot));
  /**
   * GstEegDecimate:half-length:
   *
   * Half the length of the filter, in samples of the lower rate. The filter has
   * 2 * half-length * max (up, down) + 1 taps at up times the input's rate,
   * where up and down are the ratio of the rates; its delay is half-length
   * samples of the lower rate.
   */
  gst_eeg_filter_class_install_setting (filter_class, PROP_HALF_LENGTH,
      g_param_spec_uint ("half-length", "Half length",
          "Half the length of the filter in samples of the lower rate, 1 to "
          "1000; this is the delay",
          0, G_MAXUINT, DEFAULT_HALF_LENGTH, hot));
  gst_eeg_filter_class_install_setting (filter_class, PROP_BETA,
      g_param_spec_double ("beta", "Beta",
          "Shape of the Kaiser window, 0 to 500: 5 gives -55 dB beyond the "
          "transition, 8.96 gives -90 dB",
          -G_MAXDOUBLE, G_MAXDOUBLE, DEFAULT_BETA, hot));
  gst_eeg_filter_class_install_setting (filter_class, PROP_INITIAL,
      g_param_spec_enum ("initial", "Initial",
          "What lies before the first sample and after the last",
          initial_get_type (), DEFAULT_INITIAL, hot));
  /**
   * GstEegDecimate:dropped:
   *
   * Where a trigger channel changes more often than there are output samples,
   * values wait, up to 8; beyond that the oldest are dropped.
   */
  g_object_class_install_property (object_class, PROP_DROPPED,
      g_param_spec_uint64 ("dropped", "Dropped",
          "Values of trigger channels that were dropped, since they changed "
          "faster than output samples came",
          0, G_MAXUINT64, 0, readable));

  gst_element_class_set_static_metadata (element_class, "EEG sampling rate",
      "Filter/Converter",
      "Brings EEG to another sampling rate with an anti-alias filter of its own",
      "gst-plugins-eeg developers");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);

  trans_class->start = gst_eeg_decimate_start;
  trans_class->stop = gst_eeg_decimate_stop;
  filter_class->settings_size = sizeof (Settings);
  filter_class->settings_renegotiate = TRUE;
  filter_class->apply_settings = gst_eeg_decimate_apply_settings;
  filter_class->transform_info = gst_eeg_decimate_transform_info;
  filter_class->set_info = gst_eeg_decimate_set_info;
  filter_class->reset = gst_eeg_decimate_reset;
  filter_class->map_index = gst_eeg_decimate_map_index;
  filter_class->get_ready = gst_eeg_decimate_get_ready;
  filter_class->process = gst_eeg_decimate_process;
  filter_class->drain = gst_eeg_decimate_drain;
  filter_class->get_delay = gst_eeg_decimate_get_delay;
  filter_class->get_memory = gst_eeg_decimate_get_memory;
  filter_class->takes_part = TRUE;
  filter_class->get_look_back = gst_eeg_decimate_get_look_back;
  filter_class->save = gst_eeg_decimate_save;
  filter_class->resume = gst_eeg_decimate_resume;

  gst_type_mark_as_plugin_api (initial_get_type (), 0);
}

static void
gst_eeg_decimate_init (GstEegDecimate *self)
{
  const Settings defaults = {
    .rate_n = DEFAULT_RATE_N,
    .rate_d = DEFAULT_RATE_D,
    .half_length = DEFAULT_HALF_LENGTH,
    .beta = DEFAULT_BETA,
    .initial = DEFAULT_INITIAL,
  };

  gst_eeg_filter_init_settings (GST_EEG_FILTER (self), &defaults);
  gst_eeg_info_init (&self->pending_info);
}
