/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-firfilter
 * @title: firfilter
 * @short_description: linear-phase FIR filter for each channel
 *
 * Filters channels of type EEG, EOG, EMG and ECG; trigger, status and unknown
 * channels pass unchanged, delayed as much. Without a channel table all are
 * filtered. Designs are those of scipy.signal.firwin() where `taps` is given, and
 * those of mne.filter.create_filter() where it is 0.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 eegsrc num-samples=10000 ! rawtovoltage ! firfilter mode=band-pass low=1 high=40 ! fakesink
 * ]|
 *
 * The output is exactly the input's samples, in time with them: half the
 * kernel's length is held back, reported as latency and taken off the time
 * stamps, and sent at the end, completed as `initial` says.
 * Output sample n leaves with input sample n + delay, also with buffers of one
 * sample. Buffers pass in place, but for the start, changes of the delay and
 * the end. Before a gap, a new segment, new caps and EOS, what is held goes
 * out; a flush drops it.
 *
 * Every property can be changed while playing. The thread that sets it designs
 * the new kernel and makes room for it; the streaming thread takes it over
 * between two buffers, and no sample is lost or doubled. All properties of one
 * g_object_set() make one change. If they cannot be met, a warning is posted
 * and all of them stay as they were.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstfirfilter.h"

#include <gst/eeg/gsteegenum.h>
#include <math.h>

#include "fir.h"

#define GST_CAT_DEFAULT gst_eeg_fir_filter_debug
GST_DEBUG_CATEGORY_STATIC (GST_CAT_DEFAULT);

typedef enum
{
  MODE_COEFFICIENTS,
  MODE_LOW_PASS,
  MODE_HIGH_PASS,
  MODE_BAND_PASS,
  MODE_BAND_STOP
} Mode;

#define DEFAULT_MODE MODE_BAND_PASS
#define DEFAULT_LOW 0.5
#define DEFAULT_HIGH 40.0
#define DEFAULT_TAPS 0
#define DEFAULT_TRANSITION 0.0
#define DEFAULT_WINDOW EEG_FIR_HAMMING
#define DEFAULT_BETA 6.0
#define DEFAULT_PHASE EEG_FIR_LINEAR
#define DEFAULT_INITIAL EEG_FIR_HOLD

enum
{
  PROP_0,
  PROP_MODE,
  PROP_LOW,
  PROP_HIGH,
  PROP_TAPS,
  PROP_TRANSITION,
  PROP_WINDOW,
  PROP_BETA,
  PROP_PHASE,
  PROP_COEFFICIENTS,
  PROP_INITIAL,
  PROP_KERNEL,
  PROP_INSTRUCTION_SET,
  PROP_ENABLED
};

/* What the properties say. */
typedef struct
{
  Mode mode;
  gdouble low, high;
  guint taps;
  gdouble transition;
  eeg_fir_window window;
  gdouble beta;
  eeg_fir_phase phase;
  eeg_fir_edge initial;
  GArray *coefficients; /* of gdouble, immutable, counted, never NULL */
} Settings;

/* What a stream is made for; n_channels is 0 before caps. */
typedef struct
{
  gdouble rate;
  guint n_channels;
  eeg_fir_format format;
  bool *filtered; /* per channel */
} Format;

struct _GstEegFirFilter
{
  GstEegFilter parent;

  /* object lock */
  Settings settings;       /* as set */
  Settings good;           /* as last met, or as at the start */
  eeg_fir_stream *pending; /* to be taken over */
  eeg_fir_kernel *kernel;  /* newest that was designed, or NULL */
  gsize delay;             /* of the stream that runs */
  gsize memory;            /* of both */

  GMutex design_lock;
  Format format; /* design lock */

  /* streaming thread */
  eeg_fir_stream *stream;
};

/* Locking: the design lock, taken by setters and when caps arrive, makes
 * designs follow each other and guards Format. The object lock is taken inside
 * it and guards what the struct says. Nothing is posted under either. */

#define FORMATS "{ F32LE, F64LE }"

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (GST_EEG_RAW_CAPS_MAKE (FORMATS, "voltage")));

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (GST_EEG_RAW_CAPS_MAKE (FORMATS, "voltage")));

static void gst_eeg_fir_filter_stage_init (GstEegStageInterface *iface);

G_DEFINE_TYPE_WITH_CODE (GstEegFirFilter, gst_eeg_fir_filter,
    GST_TYPE_EEG_FILTER,
    G_IMPLEMENT_INTERFACE (GST_TYPE_EEG_STAGE, gst_eeg_fir_filter_stage_init)
        GST_DEBUG_CATEGORY_INIT (GST_CAT_DEFAULT, "firfilter", 0,
            "EEG FIR filter"))
GST_ELEMENT_REGISTER_DEFINE (firfilter, "firfilter", GST_RANK_NONE,
    GST_TYPE_EEG_FIR_FILTER)

GST_EEG_DEFINE_ENUM (mode_get_type, "GstEegFirFilterMode",
    { MODE_COEFFICIENTS, "The taps in the property coefficients",
        "coefficients" },
    { MODE_LOW_PASS, "Pass below high", "low-pass" },
    { MODE_HIGH_PASS, "Pass above low", "high-pass" },
    { MODE_BAND_PASS, "Pass from low to high", "band-pass" },
    { MODE_BAND_STOP, "Stop from low to high", "band-stop" })

GST_EEG_DEFINE_ENUM (window_get_type, "GstEegFirFilterWindow",
    { EEG_FIR_HAMMING, "Hamming: -53 dB", "hamming" },
    { EEG_FIR_HANN, "Hann: -44 dB", "hann" },
    { EEG_FIR_BLACKMAN, "Blackman: -74 dB", "blackman" },
    { EEG_FIR_KAISER, "Kaiser, by beta", "kaiser" })

GST_EEG_DEFINE_ENUM (phase_get_type, "GstEegFirFilterPhase",
    { EEG_FIR_LINEAR, "All frequencies delayed alike, and the delay taken off",
        "linear" },
    { EEG_FIR_MINIMUM, "The same response, causal and as early as it can be",
        "minimum" },
    { EEG_FIR_MINIMUM_HALF,
        "Minimum phase with the square root of the response and half the taps",
        "minimum-half" })

GST_EEG_DEFINE_ENUM (initial_get_type, "GstEegFirFilterInitial",
    { EEG_FIR_HOLD, "The first sample, held; the last one at the end",
        "first-sample" },
    { EEG_FIR_ZERO, "Zeros", "zero" },
    { EEG_FIR_REFLECT, "The signal turned about its first and last sample",
        "reflect" })

/* ---- settings ---- */

static void
settings_copy (Settings *to, const Settings *from)
{
  GArray *old = to->coefficients;

  *to = *from;
  g_array_ref (to->coefficients);
  g_clear_pointer (&old, g_array_unref);
}

static void
settings_clear (Settings *settings)
{
  g_clear_pointer (&settings->coefficients, g_array_unref);
}

static void
settings_to_spec (const Settings *settings, gdouble rate, eeg_fir_spec *spec)
{
  static const eeg_fir_response responses[] = { EEG_FIR_LOW_PASS,
    EEG_FIR_LOW_PASS, EEG_FIR_HIGH_PASS, EEG_FIR_BAND_PASS, EEG_FIR_BAND_STOP };

  *spec = (eeg_fir_spec){
    .response = responses[settings->mode],
    .rate = rate,
    .low = settings->low,
    .high = settings->high,
    .taps = settings->taps,
    .transition = settings->transition,
    .window = settings->window,
    .beta = settings->beta,
    .phase = settings->phase,
  };
}

static gboolean
check_coefficients (const GArray *coefficients, GError **error)
{
  guint i;

  if (coefficients->len == 0) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "mode is coefficients, but there are none.");
    return FALSE;
  }
  if (coefficients->len > EEG_FIR_MAX_TAPS) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "%u coefficients are more than %d.", coefficients->len,
        EEG_FIR_MAX_TAPS);
    return FALSE;
  }
  for (i = 0; i < coefficients->len; i++) {
    gdouble tap = g_array_index (coefficients, gdouble, i);

    if (!isfinite (tap)) {
      g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
          "Coefficient %u is %g.", i, tap);
      return FALSE;
    }
  }
  return TRUE;
}

/* Checks what can be checked before the rate is known. */
static gboolean
settings_check (const Settings *settings, GError **error)
{
  char message[EEG_FIR_MESSAGE_SIZE];
  eeg_fir_spec spec;

  if (settings->mode == MODE_COEFFICIENTS)
    return check_coefficients (settings->coefficients, error);
  settings_to_spec (settings, INFINITY, &spec);
  if (eeg_fir_check (&spec, message))
    return TRUE;
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
      "No such filter: %s.", message);
  return FALSE;
}

static eeg_fir_kernel *
make_kernel (const Settings *settings, gdouble rate, GError **error)
{
  char message[EEG_FIR_MESSAGE_SIZE];
  eeg_fir_kernel *kernel;
  eeg_fir_spec spec;
  double *taps;
  size_t n_taps;

  if (!settings_check (settings, error))
    return NULL;
  if (settings->mode == MODE_COEFFICIENTS) {
    kernel = eeg_fir_kernel_new ((const gdouble *) settings->coefficients->data,
        settings->coefficients->len, EEG_FIR_DELAY_AUTO, EEG_FIR_NO_LATENCY);
  } else {
    settings_to_spec (settings, rate, &spec);
    if (!eeg_fir_design (&spec, &taps, &n_taps, message)) {
      g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
          "No such filter: %s.", message);
      return NULL;
    }
    kernel = eeg_fir_kernel_new (taps, n_taps, EEG_FIR_DELAY_AUTO,
        EEG_FIR_NO_LATENCY);
    free (taps);
  }
  if (kernel == NULL)
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
        "No memory for the kernel.");
  return kernel;
}

static eeg_fir_stream *
make_stream (eeg_fir_kernel *kernel, const Format *format, eeg_fir_edge edge,
    gsize reserve, GError **error)
{
  eeg_fir_config config = { .channels = format->n_channels,
    .format = format->format,
    .edge = edge,
    .filtered = format->filtered,
    .cpu = eeg_cpu_choose () };
  eeg_fir_stream *stream = eeg_fir_stream_new (kernel, &config, reserve);

  if (stream == NULL)
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
        "No memory for a filter of %u channels.", format->n_channels);
  return stream;
}

/* Designs what the properties say, under the design lock, and leaves it in
 * `pending`. */
static gboolean
design_locked (GstEegFirFilter *self, const Settings *settings, GError **error)
{
  eeg_fir_kernel *kernel, *old_kernel;
  eeg_fir_stream *stream, *old_pending;
  gsize reserve;

  kernel = make_kernel (settings, self->format.rate, error);
  if (kernel == NULL)
    return FALSE;

  /* The one that runs may be replaced by the one that waits, not by others:
   * only who holds the design lock makes new ones. */
  GST_OBJECT_LOCK (self);
  reserve = self->delay;
  if (self->pending != NULL)
    reserve = MAX (reserve,
        eeg_fir_kernel_get_delay (eeg_fir_stream_get_kernel (self->pending)));
  GST_OBJECT_UNLOCK (self);
  stream =
      make_stream (kernel, &self->format, settings->initial, reserve, error);
  if (stream == NULL) {
    eeg_fir_kernel_unref (kernel);
    return FALSE;
  }

  GST_OBJECT_LOCK (self);
  old_pending = self->pending;
  old_kernel = self->kernel;
  self->pending = stream;
  self->kernel = kernel;
  GST_OBJECT_UNLOCK (self);
  eeg_fir_stream_free (old_pending);
  eeg_fir_kernel_unref (old_kernel);
  return TRUE;
}

/* All properties of a g_object_set() are set: designs once for all of them. */
static void
gst_eeg_fir_filter_dispatch_properties_changed (GObject *object, guint n_pspecs,
    GParamSpec **pspecs)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (object);
  Settings settings = { 0 };
  gboolean shapes = FALSE;
  GError *error = NULL;
  guint i;

  for (i = 0; i < n_pspecs; i++)
    shapes |= pspecs[i]->owner_type == GST_TYPE_EEG_FIR_FILTER
        && pspecs[i]->param_id < PROP_KERNEL && pspecs[i]->param_id > PROP_0;

  if (shapes) {
    g_mutex_lock (&self->design_lock);
    GST_OBJECT_LOCK (self);
    settings_copy (&settings, &self->settings);
    GST_OBJECT_UNLOCK (self);
    if (self->format.n_channels > 0) {
      gboolean ok = design_locked (self, &settings, &error);

      GST_OBJECT_LOCK (self);
      if (ok)
        settings_copy (&self->good, &settings);
      else
        settings_copy (&self->settings, &self->good);
      GST_OBJECT_UNLOCK (self);
    }
    g_mutex_unlock (&self->design_lock);
    settings_clear (&settings);
  }
  if (error != NULL) {
    GST_ELEMENT_WARNING (self, LIBRARY, SETTINGS,
        ("%s The filter stays as it was.", error->message), (NULL));
    g_error_free (error);
  }
  G_OBJECT_CLASS (gst_eeg_fir_filter_parent_class)
      ->dispatch_properties_changed (object, n_pspecs, pspecs);
}

/* ---- samples ---- */

/* Which channels are filtered; the length of the array is that of the caps. */
static bool *
find_filtered (const GstEegInfo *info)
{
  bool *filtered = g_new (bool, info->channels);
  gint i;

  for (i = 0; i < info->channels; i++)
    filtered[i] = gst_eeg_info_is_signal (info, i);
  return filtered;
}

static void
format_clear (Format *format)
{
  g_clear_pointer (&format->filtered, g_free);
  format->n_channels = 0;
}

static void
set_stream (GstEegFirFilter *self, eeg_fir_stream *stream)
{
  eeg_fir_stream *old = self->stream;

  self->stream = stream;
  GST_OBJECT_LOCK (self);
  self->delay = stream == NULL
      ? 0
      : eeg_fir_kernel_get_delay (eeg_fir_stream_get_kernel (stream));
  self->memory = stream == NULL ? 0 : eeg_fir_stream_get_size (stream);
  GST_OBJECT_UNLOCK (self);
  eeg_fir_stream_free (old);
}

static eeg_fir_stream *
steal_pending (GstEegFirFilter *self)
{
  eeg_fir_stream *pending;

  GST_OBJECT_LOCK (self);
  pending = g_steal_pointer (&self->pending);
  GST_OBJECT_UNLOCK (self);
  return pending;
}

static gboolean
gst_eeg_fir_filter_set_info (GstEegFilter *filter, const GstEegInfo *in_info,
    const GstEegInfo *out_info, GError **error)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (filter);
  Settings settings = { 0 };
  gboolean ok;

  set_stream (self, NULL);
  g_mutex_lock (&self->design_lock);
  format_clear (&self->format);
  self->format.rate = (gdouble) in_info->rate_n / in_info->rate_d;
  self->format.n_channels = in_info->channels;
  self->format.format =
      in_info->format == GST_EEG_FORMAT_F32LE ? EEG_FIR_F32 : EEG_FIR_F64;
  self->format.filtered = find_filtered (in_info);

  GST_OBJECT_LOCK (self);
  settings_copy (&settings, &self->settings);
  GST_OBJECT_UNLOCK (self);
  ok = design_locked (self, &settings, error);
  if (ok) {
    GST_OBJECT_LOCK (self);
    settings_copy (&self->good, &settings);
    GST_OBJECT_UNLOCK (self);
    set_stream (self, steal_pending (self));
  } else {
    format_clear (&self->format);
  }
  g_mutex_unlock (&self->design_lock);
  settings_clear (&settings);
  return ok;
}

static void
gst_eeg_fir_filter_update (GstEegFilter *filter)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (filter);
  eeg_fir_stream *pending = steal_pending (self);
  size_t n_taps;

  if (pending == NULL)
    return;
  if (!eeg_fir_stream_take_over (pending, self->stream)) {
    GST_ERROR_OBJECT (self, "a kernel was made without the room it needs");
    eeg_fir_stream_free (pending);
    return;
  }
  eeg_fir_kernel_get_taps (eeg_fir_stream_get_kernel (pending), &n_taps);
  GST_INFO_OBJECT (self,
      "new kernel of %" G_GSIZE_FORMAT " taps from sample %" G_GUINT64_FORMAT
      " of the run",
      n_taps, eeg_fir_stream_get_out (pending));
  set_stream (self, pending);
}

static void
gst_eeg_fir_filter_reset (GstEegFilter *filter)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (filter);

  if (self->stream != NULL)
    eeg_fir_stream_start (self->stream, 0);
}

static gsize
gst_eeg_fir_filter_get_ready (GstEegFilter *filter, gsize n_frames)
{
  return eeg_fir_stream_get_ready (GST_EEG_FIR_FILTER (filter)->stream,
      n_frames);
}

static gboolean
gst_eeg_fir_filter_process (GstEegFilter *filter, gconstpointer in, gsize n_in,
    gpointer out, gsize n_out, GError **error)
{
  eeg_fir_stream_process (GST_EEG_FIR_FILTER (filter)->stream, in, n_in, out);
  return TRUE;
}

static gsize
gst_eeg_fir_filter_drain (GstEegFilter *filter, gpointer out, gsize max_frames)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (filter);

  if (self->stream == NULL)
    return 0;
  return eeg_fir_stream_drain (self->stream, out, max_frames);
}

static gsize
gst_eeg_fir_filter_get_delay (GstEegFilter *filter)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (filter);

  if (self->stream == NULL)
    return 0;
  return eeg_fir_kernel_get_delay (eeg_fir_stream_get_kernel (self->stream));
}

static gsize
gst_eeg_fir_filter_get_memory (GstEegFilter *filter)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (filter);
  gsize memory;

  GST_OBJECT_LOCK (self);
  memory = self->memory;
  if (self->pending != NULL)
    memory += eeg_fir_stream_get_size (self->pending);
  GST_OBJECT_UNLOCK (self);
  return memory;
}

static gboolean
gst_eeg_fir_filter_start (GstBaseTransform *trans)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (trans);
  Settings settings = { 0 };
  GError *error = NULL;

  GST_OBJECT_LOCK (self);
  settings_copy (&settings, &self->settings);
  GST_OBJECT_UNLOCK (self);
  settings_check (&settings, &error);
  settings_clear (&settings);
  if (error != NULL) {
    GST_ELEMENT_ERROR (self, LIBRARY, SETTINGS, ("%s", error->message), (NULL));
    g_error_free (error);
    return FALSE;
  }
  return GST_BASE_TRANSFORM_CLASS (gst_eeg_fir_filter_parent_class)
      ->start (trans);
}

static gboolean
gst_eeg_fir_filter_stop (GstBaseTransform *trans)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (trans);
  eeg_fir_kernel *kernel;
  gboolean ret;

  ret =
      GST_BASE_TRANSFORM_CLASS (gst_eeg_fir_filter_parent_class)->stop (trans);

  g_mutex_lock (&self->design_lock);
  format_clear (&self->format);
  eeg_fir_stream_free (steal_pending (self));
  g_mutex_unlock (&self->design_lock);
  set_stream (self, NULL);
  GST_OBJECT_LOCK (self);
  kernel = g_steal_pointer (&self->kernel);
  GST_OBJECT_UNLOCK (self);
  eeg_fir_kernel_unref (kernel);
  return ret;
}

static guint64
gst_eeg_fir_filter_look_back (GstEegStage *stage)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (stage);
  size_t n_taps = 1;

  GST_OBJECT_LOCK (self);
  if (self->kernel != NULL)
    eeg_fir_kernel_get_taps (self->kernel, &n_taps);
  GST_OBJECT_UNLOCK (self);
  return n_taps - 1;
}

static void
gst_eeg_fir_filter_stage_init (GstEegStageInterface *iface)
{
  iface->look_back = gst_eeg_fir_filter_look_back;
}

/* ---- properties ---- */

/* transfer full: NULL if an entry is no number. */
static GArray *
array_from_value (const GValue *value)
{
  guint i, n = gst_value_array_get_size (value);
  GArray *array = g_array_sized_new (FALSE, FALSE, sizeof (gdouble), n);
  GValue number = G_VALUE_INIT;

  g_value_init (&number, G_TYPE_DOUBLE);
  for (i = 0; i < n; i++) {
    if (!g_value_transform (gst_value_array_get_value (value, i), &number)) {
      g_array_unref (array);
      return NULL;
    }
    g_array_append_val (array, *(gdouble[]){ g_value_get_double (&number) });
  }
  g_value_unset (&number);
  return array;
}

static void
value_from_taps (GValue *value, const gdouble *taps, gsize n)
{
  GValue number = G_VALUE_INIT;
  gsize i;

  g_value_init (&number, G_TYPE_DOUBLE);
  for (i = 0; i < n; i++) {
    g_value_set_double (&number, taps[i]);
    gst_value_array_append_value (value, &number);
  }
  g_value_unset (&number);
}

static void
gst_eeg_fir_filter_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (object);
  GArray *array = NULL;

  if (id == PROP_ENABLED) {
    gst_eeg_filter_set_enabled (GST_EEG_FILTER (self),
        g_value_get_boolean (value));
    return;
  }
  if (id == PROP_COEFFICIENTS) {
    array = array_from_value (value);
    if (array == NULL) {
      GST_ELEMENT_WARNING (self, LIBRARY, SETTINGS,
          ("A coefficient is no number. The coefficients stay as they were."),
          (NULL));
      return;
    }
  }

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_MODE:
      self->settings.mode = g_value_get_enum (value);
      break;
    case PROP_LOW:
      self->settings.low = g_value_get_double (value);
      break;
    case PROP_HIGH:
      self->settings.high = g_value_get_double (value);
      break;
    case PROP_TAPS:
      self->settings.taps = g_value_get_uint (value);
      break;
    case PROP_TRANSITION:
      self->settings.transition = g_value_get_double (value);
      break;
    case PROP_WINDOW:
      self->settings.window = g_value_get_enum (value);
      break;
    case PROP_BETA:
      self->settings.beta = g_value_get_double (value);
      break;
    case PROP_PHASE:
      self->settings.phase = g_value_get_enum (value);
      break;
    case PROP_COEFFICIENTS: {
      GArray *old = self->settings.coefficients;

      self->settings.coefficients = array;
      array = old;
      break;
    }
    case PROP_INITIAL:
      self->settings.initial = g_value_get_enum (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
  g_clear_pointer (&array, g_array_unref);
}

static void
gst_eeg_fir_filter_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (object);
  eeg_fir_kernel *kernel = NULL;
  GArray *array = NULL;

  if (id == PROP_ENABLED) {
    g_value_set_boolean (value,
        gst_eeg_filter_get_enabled (GST_EEG_FILTER (self)));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_MODE:
      g_value_set_enum (value, self->settings.mode);
      break;
    case PROP_LOW:
      g_value_set_double (value, self->settings.low);
      break;
    case PROP_HIGH:
      g_value_set_double (value, self->settings.high);
      break;
    case PROP_TAPS:
      g_value_set_uint (value, self->settings.taps);
      break;
    case PROP_TRANSITION:
      g_value_set_double (value, self->settings.transition);
      break;
    case PROP_WINDOW:
      g_value_set_enum (value, self->settings.window);
      break;
    case PROP_BETA:
      g_value_set_double (value, self->settings.beta);
      break;
    case PROP_PHASE:
      g_value_set_enum (value, self->settings.phase);
      break;
    case PROP_COEFFICIENTS:
      array = g_array_ref (self->settings.coefficients);
      break;
    case PROP_INITIAL:
      g_value_set_enum (value, self->settings.initial);
      break;
    case PROP_KERNEL:
      if (self->kernel != NULL)
        kernel = eeg_fir_kernel_ref (self->kernel);
      break;
    case PROP_INSTRUCTION_SET:
      g_value_set_static_string (value, eeg_cpu_name (eeg_cpu_choose ()));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);

  if (array != NULL) {
    value_from_taps (value, (const gdouble *) array->data, array->len);
    g_array_unref (array);
  }
  if (kernel != NULL) {
    size_t n_taps;
    const double *taps = eeg_fir_kernel_get_taps (kernel, &n_taps);

    value_from_taps (value, taps, n_taps);
    eeg_fir_kernel_unref (kernel);
  }
}

static void
gst_eeg_fir_filter_finalize (GObject *object)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (object);

  settings_clear (&self->settings);
  settings_clear (&self->good);
  eeg_fir_stream_free (self->pending);
  eeg_fir_stream_free (self->stream);
  eeg_fir_kernel_unref (self->kernel);
  format_clear (&self->format);
  g_mutex_clear (&self->design_lock);
  G_OBJECT_CLASS (gst_eeg_fir_filter_parent_class)->finalize (object);
}

static void
gst_eeg_fir_filter_class_init (GstEegFirFilterClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);
  GstEegFilterClass *filter_class = GST_EEG_FILTER_CLASS (klass);
  const GParamFlags hot =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;
  const GParamFlags readable = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->set_property = gst_eeg_fir_filter_set_property;
  object_class->get_property = gst_eeg_fir_filter_get_property;
  object_class->finalize = gst_eeg_fir_filter_finalize;
  object_class->dispatch_properties_changed =
      gst_eeg_fir_filter_dispatch_properties_changed;

  /**
   * GstEegFirFilter:mode:
   *
   * Which frequencies pass, or that the kernel is given tap by tap.
   */
  g_object_class_install_property (object_class, PROP_MODE,
      g_param_spec_enum ("mode", "Mode", "What passes", mode_get_type (),
          DEFAULT_MODE, hot));
  /**
   * GstEegFirFilter:low:
   *
   * With #GstEegFirFilter:taps given, the -6 dB cut-off; with 0, the edge of
   * the pass band. Above 0 and below half the sampling rate.
   */
  g_object_class_install_property (object_class, PROP_LOW,
      g_param_spec_double ("low", "Low frequency",
          "Lower frequency in Hz, above 0 and below half the sampling rate; "
          "not used by low-pass: edge of the pass band if taps is 0, else "
          "-6 dB point",
          -G_MAXDOUBLE, G_MAXDOUBLE, DEFAULT_LOW, hot));
  /**
   * GstEegFirFilter:high:
   *
   * As #GstEegFirFilter:low, for the upper frequency.
   */
  g_object_class_install_property (object_class, PROP_HIGH,
      g_param_spec_double ("high", "High frequency",
          "Upper frequency in Hz, above 0 and below half the sampling rate; "
          "not used by high-pass: edge of the pass band if taps is 0, else "
          "-6 dB point",
          -G_MAXDOUBLE, G_MAXDOUBLE, DEFAULT_HIGH, hot));
  /**
   * GstEegFirFilter:taps:
   *
   * Length of the kernel. 0 designs as mne.filter.create_filter(): transition
   * bands of min (max (low / 4, 2 Hz), low) and min (max (high / 4, 2 Hz), rate
   * / 2 - high), each edge with a windowed sinc of 3.3 s (Hann 3.1, Blackman
   * 5.0) over its width in Hz. Else one windowed sinc of this length, as
   * scipy.signal.firwin().
   */
  g_object_class_install_property (object_class, PROP_TAPS,
      g_param_spec_uint ("taps", "Taps",
          "Length of the kernel in samples, odd, up to 4194303; 0 = automatic "
          "by the width of the transition bands",
          0, G_MAXUINT, DEFAULT_TAPS, hot));
  /**
   * GstEegFirFilter:transition:
   *
   * Width of each transition band. With #GstEegFirFilter:taps too, the kernel
   * has that length, as mne.filter.create_filter (filter_length=taps), and too
   * few taps are an error.
   */
  g_object_class_install_property (object_class, PROP_TRANSITION,
      g_param_spec_double ("transition", "Transition",
          "Width of each transition band in Hz, 0 or more; 0 = automatic; if "
          "set, low and high are the edges of the pass band also with taps",
          -G_MAXDOUBLE, G_MAXDOUBLE, DEFAULT_TRANSITION, hot));
  g_object_class_install_property (object_class, PROP_WINDOW,
      g_param_spec_enum ("window", "Window", "Window of the windowed sinc",
          window_get_type (), DEFAULT_WINDOW, hot));
  g_object_class_install_property (object_class, PROP_BETA,
      g_param_spec_double ("beta", "Beta",
          "Shape of the Kaiser window, 0 to 500: 5.65 gives -60 dB, 8.96 gives "
          "-90 dB",
          -G_MAXDOUBLE, G_MAXDOUBLE, DEFAULT_BETA, hot));
  /**
   * GstEegFirFilter:phase:
   *
   * Minimum-phase kernels hold no sample back, but delay each frequency
   * differently. `minimum` has the magnitude of the linear-phase kernel, its
   * pass band within 0.01 dB; `minimum-half` its square root, half the decibels,
   * as scipy.signal.minimum_phase() of scipy 1.10. Not used by
   * mode=coefficients.
   */
  g_object_class_install_property (object_class, PROP_PHASE,
      g_param_spec_enum ("phase", "Phase", "Phase response of designed kernels",
          phase_get_type (), DEFAULT_PHASE, hot));
  /**
   * GstEegFirFilter:coefficients:
   *
   * The kernel for mode=coefficients, numbers in the order of an impulse
   * response. If it is symmetric or antisymmetric, half its length less one
   * half is taken off the time stamps; with an even number of taps that leaves
   * half a sample by which the output is late. Other kernels are taken to be
   * causal, and nothing is taken off.
   */
  g_object_class_install_property (object_class, PROP_COEFFICIENTS,
      gst_param_spec_array ("coefficients", "Coefficients",
          "Taps for mode=coefficients, 1 to 4194303 finite numbers; if they "
          "mirror, (length - 1) / 2 samples, rounded down, are taken off the "
          "delay, else none",
          NULL, hot));
  g_object_class_install_property (object_class, PROP_INITIAL,
      g_param_spec_enum ("initial", "Initial",
          "What lies before the first sample and after the last",
          initial_get_type (), DEFAULT_INITIAL, hot));
  /**
   * GstEegFirFilter:kernel:
   *
   * The taps as designed, empty before caps are known.
   */
  g_object_class_install_property (object_class, PROP_KERNEL,
      gst_param_spec_array ("kernel", "Kernel",
          "The taps as designed; empty before the sampling rate is known", NULL,
          readable));
  g_object_class_install_property (object_class, PROP_INSTRUCTION_SET,
      g_param_spec_string ("instruction-set", "Instruction set",
          "Which build of the arithmetic runs: base, avx2 or avx512; the "
          "environment variable GSTEEG_CPU asks for a narrower one",
          NULL, readable));
  gst_eeg_filter_class_install_enabled (filter_class, PROP_ENABLED);

  gst_element_class_set_static_metadata (element_class, "EEG FIR filter",
      "Filter/Effect",
      "Filters each EEG channel with a linear-phase FIR, in time with its input",
      "gst-plugins-eeg developers");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);

  trans_class->start = gst_eeg_fir_filter_start;
  trans_class->stop = gst_eeg_fir_filter_stop;
  filter_class->in_place = TRUE;
  filter_class->set_info = gst_eeg_fir_filter_set_info;
  filter_class->update = gst_eeg_fir_filter_update;
  filter_class->reset = gst_eeg_fir_filter_reset;
  filter_class->get_ready = gst_eeg_fir_filter_get_ready;
  filter_class->process = gst_eeg_fir_filter_process;
  filter_class->drain = gst_eeg_fir_filter_drain;
  filter_class->get_delay = gst_eeg_fir_filter_get_delay;
  filter_class->get_memory = gst_eeg_fir_filter_get_memory;

  gst_type_mark_as_plugin_api (mode_get_type (), 0);
  gst_type_mark_as_plugin_api (window_get_type (), 0);
  gst_type_mark_as_plugin_api (initial_get_type (), 0);
  gst_type_mark_as_plugin_api (phase_get_type (), 0);
}

static void
gst_eeg_fir_filter_init (GstEegFirFilter *self)
{
  self->settings = (Settings){
    .mode = DEFAULT_MODE,
    .low = DEFAULT_LOW,
    .high = DEFAULT_HIGH,
    .taps = DEFAULT_TAPS,
    .transition = DEFAULT_TRANSITION,
    .window = DEFAULT_WINDOW,
    .beta = DEFAULT_BETA,
    .phase = DEFAULT_PHASE,
    .initial = DEFAULT_INITIAL,
    .coefficients = g_array_new (FALSE, FALSE, sizeof (gdouble)),
  };
  settings_copy (&self->good, &self->settings);
  g_mutex_init (&self->design_lock);
}
