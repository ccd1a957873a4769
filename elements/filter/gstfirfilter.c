/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-firfilter
 * @title: firfilter
 * @short_description: FIR filter for each channel
 *
 * Filters channels of type EEG, EOG, EMG and ECG; trigger, status and unknown
 * channels pass unchanged, delayed as much. Without a channel table all are
 * filtered. Designs are those of scipy.signal.firwin() where `taps` is given,
 * and those of mne.filter.create_filter() where it is 0.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 eegsrc num-samples=10000 ! rawtovoltage ! \
 *     firfilter mode=band-pass low=1 high=40 ! fakesink
 * ]|
 *
 * The output is exactly the input's samples, in time with them: half the
 * kernel's length is held back, reported as latency and taken off the time
 * stamps, and sent at the end, completed as `initial` says.
 * With latency=none output sample n leaves with input sample n + delay, also
 * with buffers of one sample; latency=block holds two blocks more and is
 * faster. Buffers pass in place, but for the start, changes of the delay and
 * the end. Before a gap, a new segment, new caps and EOS, what is held goes
 * out; a flush drops it. Output near an edge is marked BAD_edge.
 *
 * Every property can be changed while playing. The thread that sets it designs
 * the new kernel and makes room for it; the streaming thread takes it over
 * between two buffers with a cross-fade, a long one after some time in which
 * its work is spread, and no sample is lost or doubled. All
 * properties of one g_object_set() make one change. If they cannot be met, a
 * warning is posted and all of them stay as they were. The event of
 * gst_eeg_event_new_kernel() changes the kernel at a given sample.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstfirfilter.h"

#include <gst/eeg/gsteegenum.h>
#include <math.h>
#include <string.h>

#include "fir.h"
#include "gsteegprefilter.h"

#define GST_CAT_DEFAULT gst_eeg_fir_filter_debug
GST_DEBUG_CATEGORY_STATIC (GST_CAT_DEFAULT);

typedef enum
{
  MODE_COEFFICIENTS,
  MODE_LOW_PASS,
  MODE_HIGH_PASS,
  MODE_BAND_PASS,
  MODE_BAND_STOP,
  MODE_NOTCH
} Mode;

typedef enum
{
  LATENCY_NONE,
  LATENCY_BLOCK,
  LATENCY_AUTO
} Latency;

typedef enum
{
  GAP_RESET,
  GAP_HOLD
} GapPolicy;

#define DEFAULT_MODE MODE_BAND_PASS
#define DEFAULT_LOW 0.5
#define DEFAULT_HIGH 40.0
#define DEFAULT_TAPS 0
#define DEFAULT_TRANSITION 0.0
#define DEFAULT_WINDOW EEG_FIR_HAMMING
#define DEFAULT_BETA 6.0
#define DEFAULT_PHASE EEG_FIR_LINEAR
#define DEFAULT_INITIAL EEG_FIR_HOLD
#define DEFAULT_NOTCH ""
#define DEFAULT_LATENCY LATENCY_AUTO
#define DEFAULT_CROSSFADE (20 * GST_MSECOND)
#define DEFAULT_GAP_POLICY GAP_RESET
#define MAX_CROSSFADE (10 * GST_SECOND)
/* Text of the markers of output near an edge. */
#define EDGE_MARKER "BAD_edge"
/* Of the response that can be read: from 0 to half the rate. */
#define RESPONSE_POINTS 4097

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
  PROP_NOTCH,
  PROP_LATENCY,
  PROP_KERNEL, /* those before it shape the kernel */
  PROP_RESPONSE,
  PROP_CROSSFADE,
  PROP_GAP_POLICY,
  PROP_BACKEND,
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
  Latency latency;
  GArray *coefficients; /* of gdouble, immutable, counted, never NULL */
  gchar *notch;         /* never NULL */
  GArray *notches;      /* as coefficients; NULL if notch is no list */
} Settings;

/* What a stream is made for; n_channels is 0 before caps. */
typedef struct
{
  gdouble rate;
  guint n_channels;
  eeg_fir_format format;
  bool *filtered; /* per channel */
  gboolean is_live;
} Format;

/* A kernel that an event brought. */
typedef struct
{
  gint refs; /* atomic */
  guint64 sample;
  GBytes *taps;
  gint64 delay;

  /* object lock */
  gboolean is_built;
  eeg_fir_stream *stream; /* NULL if it cannot be used */
  gsize reserve;          /* most frames owed that it can take over */
} Change;

struct _GstEegFirFilter
{
  GstEegFilter parent;

  /* object lock */
  guint64 crossfade;
  GapPolicy gap_policy;
  eeg_fir_stream *pending; /* to be taken over */
  eeg_fir_stream *retired; /* was taken over, to be freed */
  eeg_fir_kernel *kernel;  /* newest that was designed, or NULL */
  gdouble rate;            /* it was designed for */
  gsize held;              /* most frames that what runs may owe */
  gsize memory;            /* of the stream that runs */
  gboolean is_foreign;     /* its kernel came by an event */
  GQueue changes;          /* of Change, as they arrived */
  GCond built;             /* a change was built */

  Format format; /* lock of the settings */

  /* streaming thread */
  eeg_fir_stream *stream;
  gboolean is_start;    /* of a run; its edge is not marked yet */
  gboolean is_changed;  /* the kernel, and it may miss samples */
  gboolean is_draining; /* the edge at the end is marked */
  gboolean is_coming; /* the stream approaches, or its arrival is to be seen */
  Change *coming;     /* that brought it, if one did */
  guint64 run_start;  /* first sample of the run */
};

/* Locking: as the base class says; the lock of the settings guards Format too,
 * and the thread that builds what an event brought takes it. The object lock
 * guards what the struct says, inside that lock. */

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
    { MODE_BAND_STOP, "Stop from low to high", "band-stop" },
    { MODE_NOTCH, "Pass all but what the property notch names", "notch" })

GST_EEG_DEFINE_ENUM (latency_get_type, "GstEegFirFilterLatency",
    { LATENCY_NONE, "Hold back nothing beside the kernel's delay", "none" },
    { LATENCY_BLOCK, "Hold back blocks, for speed with long kernels", "block" },
    { LATENCY_AUTO, "none behind a live source, else block", "auto" })

GST_EEG_DEFINE_ENUM (gap_policy_get_type, "GstEegFirFilterGapPolicy",
    { GAP_RESET, "Begin anew after a gap, as initial says", "reset" },
    { GAP_HOLD, "Go on: lost samples count as the last one before them",
        "hold" })

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
settings_clear (gpointer data)
{
  Settings *settings = data;
  g_clear_pointer (&settings->coefficients, g_array_unref);
  g_clear_pointer (&settings->notches, g_array_unref);
  g_clear_pointer (&settings->notch, g_free);
}

static void
settings_copy (gpointer to_settings, gconstpointer from_settings)
{
  Settings *to = to_settings;
  const Settings *from = from_settings;
  Settings old = *to;

  *to = *from;
  g_array_ref (to->coefficients);
  to->notch = g_strdup (from->notch);
  if (to->notches != NULL)
    g_array_ref (to->notches);
  settings_clear (&old);
}

/* transfer full: NULL if the text is no list of numbers. */
static GArray *
notches_from_text (const gchar *text)
{
  GArray *notches = g_array_new (FALSE, FALSE, sizeof (gdouble));

  while (text != NULL) {
    gchar *end;
    gdouble value;

    text += strspn (text, " ,");
    if (*text == '\0')
      break;
    value = g_ascii_strtod (text, &end);
    if (end == text || (*end != '\0' && strchr (" ,", *end) == NULL)) {
      g_array_unref (notches);
      return NULL;
    }
    g_array_append_val (notches, value);
    text = end;
  }
  return notches;
}

static void
settings_to_spec (const Settings *settings, gdouble rate, eeg_fir_spec *spec)
{
  static const eeg_fir_response responses[] = { EEG_FIR_LOW_PASS,
    EEG_FIR_LOW_PASS, EEG_FIR_HIGH_PASS, EEG_FIR_BAND_PASS, EEG_FIR_BAND_STOP,
    EEG_FIR_ALL_PASS };

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
  if (settings->notches != NULL) {
    spec->notches = (const gdouble *) settings->notches->data;
    spec->n_notches = settings->notches->len;
  }
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
  if (settings->notches == NULL) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "notch is no list of frequencies: '%s'.", settings->notch);
    return FALSE;
  }
  settings_to_spec (settings, INFINITY, &spec);
  if (eeg_fir_check (&spec, message))
    return TRUE;
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
      "No such filter: %s.", message);
  return FALSE;
}

static eeg_fir_latency
get_latency (const Settings *settings, const Format *format)
{
  return settings->latency == LATENCY_BLOCK
          || (settings->latency == LATENCY_AUTO && !format->is_live)
      ? EEG_FIR_BLOCK_LATENCY
      : EEG_FIR_NO_LATENCY;
}

static eeg_fir_kernel *
make_kernel (const Settings *settings, const Format *format, GError **error)
{
  eeg_fir_latency latency = get_latency (settings, format);
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
    settings_to_spec (settings, format->rate, &spec);
    if (!eeg_fir_design (&spec, &taps, &n_taps, message)) {
      g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
          "No such filter: %s.", message);
      return NULL;
    }
    kernel = eeg_fir_kernel_new (taps, n_taps, EEG_FIR_DELAY_AUTO, latency);
    free (taps);
  }
  if (kernel == NULL)
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
        "No memory for the kernel.");
  return kernel;
}

/* ---- changes ---- */

static Change *
change_new (guint64 sample, GBytes *taps, gint64 delay)
{
  Change *change = g_new0 (Change, 1);

  change->refs = 1;
  change->sample = sample;
  change->taps = taps;
  change->delay = delay;
  return change;
}

static Change *
change_ref (Change *change)
{
  g_atomic_int_inc (&change->refs);
  return change;
}

static void
change_unref (Change *change)
{
  if (!g_atomic_int_dec_and_test (&change->refs))
    return;
  g_bytes_unref (change->taps);
  eeg_fir_stream_free (change->stream);
  g_free (change);
}

static gsize
get_held (const eeg_fir_stream *stream)
{
  const eeg_fir_kernel *kernel;

  if (stream == NULL)
    return 0;
  kernel = eeg_fir_stream_get_kernel (stream);
  return eeg_fir_kernel_get_delay (kernel)
      + eeg_fir_kernel_get_latency (kernel);
}

/* Makes a stream of a kernel that can follow all there are now, under the
 * design lock: only who holds it makes new ones. What was replaced is freed
 * here, since the streaming thread shall not. */
static eeg_fir_stream *
make_stream (GstEegFirFilter *self, eeg_fir_kernel *kernel,
    eeg_fir_edge initial, gsize *reserve, GError **error)
{
  const Format *format = &self->format;
  eeg_fir_stream *stream, *retired;
  eeg_fir_config config = { .channels = format->n_channels,
    .format = format->format,
    .edge = initial,
    .filtered = format->filtered,
    .cpu = eeg_cpu_choose () };
  GList *l;

  GST_OBJECT_LOCK (self);
  retired = g_steal_pointer (&self->retired);
  *reserve = MAX (*reserve, MAX (self->held, get_held (self->pending)));
  for (l = self->changes.head; l != NULL; l = l->next)
    *reserve = MAX (*reserve, get_held (((Change *) l->data)->stream));
  config.fade = (gsize) (gst_guint64_to_gdouble (self->crossfade) / GST_SECOND
          * format->rate
      + 0.5);
  GST_OBJECT_UNLOCK (self);
  eeg_fir_stream_free (retired);

  stream = eeg_fir_stream_new (kernel, &config, *reserve);
  if (stream == NULL)
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
        "No memory for a filter of %u channels.", format->n_channels);
  return stream;
}

/* Before a kernel is there that may owe more: those of events that come after
 * it are made again with room for that. */
static void
make_room_locked (GstEegFirFilter *self, gsize owed, eeg_fir_edge initial)
{
  GPtrArray *changes =
      g_ptr_array_new_with_free_func ((GDestroyNotify) change_unref);
  GList *l;
  guint i;

  GST_OBJECT_LOCK (self);
  for (l = self->changes.head; l != NULL; l = l->next) {
    Change *change = l->data;

    if (change->stream != NULL && change->reserve < owed)
      g_ptr_array_add (changes, change_ref (change));
  }
  GST_OBJECT_UNLOCK (self);

  for (i = 0; i < changes->len; i++) {
    Change *change = g_ptr_array_index (changes, i);
    eeg_fir_kernel *kernel = NULL;
    eeg_fir_stream *stream = NULL, *old = NULL;
    gsize reserve = owed;

    GST_OBJECT_LOCK (self);
    if (change->stream != NULL)
      kernel = eeg_fir_kernel_ref (eeg_fir_stream_get_kernel (change->stream));
    GST_OBJECT_UNLOCK (self);
    if (kernel != NULL)
      stream = make_stream (self, kernel, initial, &reserve, NULL);
    GST_OBJECT_LOCK (self);
    /* unless it was taken over meanwhile */
    if (stream != NULL && change->stream != NULL) {
      old = change->stream;
      change->stream = g_steal_pointer (&stream);
      change->reserve = reserve;
    }
    GST_OBJECT_UNLOCK (self);
    eeg_fir_stream_free (old);
    eeg_fir_stream_free (stream);
    eeg_fir_kernel_unref (kernel);
  }
  g_ptr_array_unref (changes);
}

/* Designs what the properties say and leaves it in `pending`. */
static gboolean
gst_eeg_fir_filter_apply_settings (GstEegFilter *filter, gconstpointer data,
    const GstEegInfo *info, GError **error)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (filter);
  const Settings *settings = data;
  eeg_fir_kernel *kernel, *old_kernel;
  eeg_fir_stream *stream, *old_pending;
  gsize reserve = 0;

  /* what comes in is known a little before its format */
  if (info == NULL || self->format.n_channels == 0)
    return settings_check (settings, error);
  kernel = make_kernel (settings, &self->format, error);
  if (kernel == NULL)
    return FALSE;
  stream = make_stream (self, kernel, settings->initial, &reserve, error);
  if (stream == NULL) {
    eeg_fir_kernel_unref (kernel);
    return FALSE;
  }
  make_room_locked (self, get_held (stream), settings->initial);

  GST_OBJECT_LOCK (self);
  old_pending = self->pending;
  old_kernel = self->kernel;
  self->pending = stream;
  self->kernel = kernel;
  self->rate = self->format.rate;
  GST_OBJECT_UNLOCK (self);
  eeg_fir_stream_free (old_pending);
  eeg_fir_kernel_unref (old_kernel);
  return TRUE;
}

/* Builds what an event brought. */
static void
build_change_locked (GstEegFirFilter *self, Change *change, GError **error)
{
  Settings settings = { 0 };
  eeg_fir_kernel *kernel = NULL;
  eeg_fir_stream *stream = NULL;
  GArray *taps = g_array_new (FALSE, FALSE, sizeof (gdouble));
  gsize size, reserve = 0;
  gconstpointer data = g_bytes_get_data (change->taps, &size);

  g_array_append_vals (taps, data, size / sizeof (gdouble));
  gst_eeg_filter_get_settings (GST_EEG_FILTER (self), &settings);
  if (self->format.n_channels > 0 && check_coefficients (taps, error)) {
    kernel = eeg_fir_kernel_new ((const gdouble *) taps->data, taps->len,
        change->delay < 0 ? EEG_FIR_DELAY_AUTO : (gsize) change->delay,
        get_latency (&settings, &self->format));
    if (kernel != NULL)
      stream = make_stream (self, kernel, settings.initial, &reserve, error);
    else
      g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
          "No kernel of %u taps with a delay of %" G_GINT64_FORMAT " samples.",
          taps->len, change->delay);
    eeg_fir_kernel_unref (kernel);
  }
  g_array_unref (taps);
  settings_clear (&settings);

  GST_OBJECT_LOCK (self);
  change->stream = stream;
  change->reserve = reserve;
  change->is_built = TRUE;
  g_cond_broadcast (&self->built);
  GST_OBJECT_UNLOCK (self);
}

/* On a thread of its own. */
static void
build_change (GstElement *element, gpointer data)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (element);
  Change *change = data;
  GError *error = NULL;

  gst_eeg_filter_lock_settings (GST_EEG_FILTER (self));
  build_change_locked (self, change, &error);
  gst_eeg_filter_unlock_settings (GST_EEG_FILTER (self));
  if (error != NULL) {
    GST_ELEMENT_WARNING (self, LIBRARY, SETTINGS,
        ("%s The filter stays as it was.", error->message), (NULL));
    g_error_free (error);
  }
}

static void
drop_changes (GstEegFirFilter *self)
{
  GList *changes, *l;

  GST_OBJECT_LOCK (self);
  changes = self->changes.head;
  g_queue_init (&self->changes);
  GST_OBJECT_UNLOCK (self);
  for (l = changes; l != NULL; l = l->next)
    change_unref (l->data);
  g_list_free (changes);
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

/* Says what the streaming thread runs. */
static void
publish (GstEegFirFilter *self, gsize owed)
{
  GST_OBJECT_LOCK (self);
  self->held = MAX (owed, get_held (self->stream));
  self->memory =
      self->stream == NULL ? 0 : eeg_fir_stream_get_size (self->stream);
  GST_OBJECT_UNLOCK (self);
}

/* Frees a stream that was replaced, or leaves that to the next who designs. */
static void
retire (GstEegFirFilter *self, eeg_fir_stream *stream)
{
  if (stream == NULL)
    return;
  GST_OBJECT_LOCK (self);
  if (self->retired == NULL)
    self->retired = g_steal_pointer (&stream);
  GST_OBJECT_UNLOCK (self);
  /* several changes were built before the first of them was taken over */
  eeg_fir_stream_free (stream);
}

static void
set_stream (GstEegFirFilter *self, eeg_fir_stream *stream)
{
  eeg_fir_stream *old = self->stream;

  self->stream = stream;
  publish (self, 0);
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

/* Whether samples come as time passes. */
static gboolean
ask_live (GstEegFirFilter *self)
{
  GstQuery *query = gst_query_new_latency ();
  gboolean is_live = FALSE;

  if (gst_pad_peer_query (GST_BASE_TRANSFORM_SINK_PAD (self), query))
    gst_query_parse_latency (query, &is_live, NULL, NULL);
  gst_query_unref (query);
  return is_live;
}

static void
set_kernel (GstEegFirFilter *self, eeg_fir_kernel *kernel)
{
  eeg_fir_kernel *old;

  GST_OBJECT_LOCK (self);
  old = self->kernel;
  self->kernel = eeg_fir_kernel_ref (kernel);
  GST_OBJECT_UNLOCK (self);
  eeg_fir_kernel_unref (old);
}

/* Marks the output that is made of samples from before the start of a run, or
 * from before what was remembered for a longer kernel. */
static void
mark_start (GstEegFirFilter *self)
{
  const eeg_fir_stream *stream = eeg_fir_stream_get_running (self->stream);
  const eeg_fir_kernel *kernel = eeg_fir_stream_get_kernel (stream);
  gsize n = eeg_fir_stream_get_missing (stream), n_taps;

  if (self->is_start) {
    eeg_fir_kernel_get_taps (kernel, &n_taps);
    n = n_taps - 1 - eeg_fir_kernel_get_delay (kernel);
  }
  self->is_start = self->is_changed = FALSE;
  if (n > 0)
    gst_eeg_filter_add_marker (GST_EEG_FILTER (self),
        eeg_fir_stream_get_out (stream), n, EDGE_MARKER);
}

static void
mark_end (GstEegFirFilter *self)
{
  guint64 n =
      eeg_fir_kernel_get_delay (eeg_fir_stream_get_kernel (self->stream));
  guint64 end = eeg_fir_stream_get_in (self->stream);

  self->is_draining = TRUE;
  n = MIN (n, end - self->run_start);
  if (n > 0)
    gst_eeg_filter_add_marker (GST_EEG_FILTER (self), end - n, n, EDGE_MARKER);
}

static void
set_foreign (GstEegFirFilter *self, gboolean is_foreign)
{
  GST_OBJECT_LOCK (self);
  self->is_foreign = is_foreign;
  GST_OBJECT_UNLOCK (self);
}

/* What approached is in its place. */
static void
arrive (GstEegFirFilter *self)
{
  size_t n_taps;

  self->is_coming = FALSE;
  set_foreign (self, self->coming != NULL);
  if (self->coming != NULL)
    set_kernel (self, eeg_fir_stream_get_kernel (self->stream));
  g_clear_pointer (&self->coming, change_unref);
  eeg_fir_kernel_get_taps (eeg_fir_stream_get_kernel (self->stream), &n_taps);
  GST_INFO_OBJECT (self,
      "new kernel of %" G_GSIZE_FORMAT " taps from sample %" G_GUINT64_FORMAT,
      n_taps, eeg_fir_stream_get_out (self->stream));
  self->is_changed = TRUE;
  gst_eeg_filter_fail_barriers (GST_EEG_FILTER (self),
      "its kernel was changed just then");
  publish (self,
      eeg_fir_stream_get_in (self->stream)
          - eeg_fir_stream_get_out (self->stream));
}

/* Puts a stream in the place of the one that runs, from this output sample on,
 * or as soon as its work can be spread. FALSE if it has too little room for
 * what that owes. */
static gboolean
take_over (GstEegFirFilter *self, eeg_fir_stream *stream, guint64 at,
    Change *change)
{
  eeg_fir_stream *old = self->stream;
  gsize owed = eeg_fir_stream_get_in (old) - eeg_fir_stream_get_out (old);

  /* one that is still faded out at this moment goes at once */
  retire (self, eeg_fir_stream_release (old));
  if (!eeg_fir_stream_approach (stream, old, at))
    return FALSE;
  self->stream = stream;
  self->is_coming = TRUE;
  if (change != NULL)
    self->coming = change_ref (change);
  if (eeg_fir_stream_is_approaching (stream)) {
    publish (self, MAX (owed, get_held (old)));
    return TRUE;
  }
  arrive (self);
  if (!eeg_fir_stream_is_fading (stream)) {
    retire (self, old);
    publish (self, 0);
  }
  return TRUE;
}

/* What approaches goes in at once. */
static void
hurry (GstEegFirFilter *self)
{
  eeg_fir_stream *old = eeg_fir_stream_release (self->stream);

  if (!eeg_fir_stream_take_over (self->stream, old))
    GST_ERROR_OBJECT (self, "a kernel was made without the room it needs");
  arrive (self);
  if (!eeg_fir_stream_is_fading (self->stream))
    retire (self, old);
}

/* The run ends before what approaches is there: it waits for the next one. */
static void
put_back (GstEegFirFilter *self)
{
  eeg_fir_stream *stream = self->stream, *old;
  Change *change = g_steal_pointer (&self->coming);

  self->is_coming = FALSE;
  if (stream == NULL || !eeg_fir_stream_is_approaching (stream)) {
    g_clear_pointer (&change, change_unref);
    return;
  }
  old = eeg_fir_stream_release (stream);
  self->stream = old;
  GST_OBJECT_LOCK (self);
  if (change != NULL) {
    change->stream = g_steal_pointer (&stream);
    g_queue_push_head (&self->changes, change);
  } else if (self->pending == NULL) {
    self->pending = g_steal_pointer (&stream);
  }
  GST_OBJECT_UNLOCK (self);
  retire (self, stream);
  publish (self, eeg_fir_stream_get_in (old) - eeg_fir_stream_get_out (old));
}

/* The output sample at which something has to be done for a change. */
static guint64
get_begin_locked (GstEegFirFilter *self, const Change *change)
{
  guint64 lead;

  if (change->stream == NULL || self->is_coming
      || eeg_fir_stream_is_fading (self->stream))
    return change->sample;
  lead =
      eeg_fir_kernel_get_approach (eeg_fir_stream_get_kernel (change->stream));
  return change->sample - MIN (change->sample, lead);
}

/* The change that comes next, if it is due at this sample of output or before,
 * or has to begin to approach. */
static Change *
pop_change (GstEegFirFilter *self, guint64 sample)
{
  Change *change;

  GST_OBJECT_LOCK (self);
  change = g_queue_peek_head (&self->changes);
  if (change != NULL && get_begin_locked (self, change) <= sample) {
    g_queue_pop_head (&self->changes);
    while (!change->is_built)
      g_cond_wait (&self->built, GST_OBJECT_GET_LOCK (self));
  } else {
    change = NULL;
  }
  GST_OBJECT_UNLOCK (self);
  return change;
}

static void
make_change (GstEegFirFilter *self, Change *change)
{
  eeg_fir_stream *stream;

  GST_OBJECT_LOCK (self);
  stream = g_steal_pointer (&change->stream);
  GST_OBJECT_UNLOCK (self);
  if (stream == NULL || take_over (self, stream, change->sample, change))
    return;
  GST_ERROR_OBJECT (self, "a kernel was made without the room it needs");
  eeg_fir_stream_free (stream);
}

static void
rebuild_change_locked (GstEegFirFilter *self, Change *change)
{
  eeg_fir_stream *stream;

  GST_OBJECT_LOCK (self);
  stream = g_steal_pointer (&change->stream);
  GST_OBJECT_UNLOCK (self);
  eeg_fir_stream_free (stream);
  build_change_locked (self, change, NULL);
}

static gboolean
gst_eeg_fir_filter_set_info (GstEegFilter *filter, const GstEegInfo *in_info,
    const GstEegInfo *out_info, GError **error)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (filter);
  gboolean ok, is_live = ask_live (self);
  GList *l;

  put_back (self);
  set_stream (self, NULL);
  gst_eeg_filter_lock_settings (GST_EEG_FILTER (self));
  format_clear (&self->format);
  self->format.is_live = is_live;
  self->format.rate = (gdouble) in_info->rate_n / in_info->rate_d;
  self->format.n_channels = in_info->channels;
  self->format.format =
      in_info->format == GST_EEG_FORMAT_F32LE ? EEG_FIR_F32 : EEG_FIR_F64;
  self->format.filtered = find_filtered (in_info);

  gst_eeg_filter_unlock_settings (filter);

  ok = gst_eeg_filter_apply_settings (filter, error);
  if (ok)
    set_stream (self, steal_pending (self));

  gst_eeg_filter_lock_settings (filter);
  set_foreign (self, FALSE);
  if (!ok)
    format_clear (&self->format);
  /* what was built for other caps; others add to the queue no more than this
   * thread does */
  for (l = self->changes.head; ok && l != NULL; l = l->next)
    rebuild_change_locked (self, l->data);
  gst_eeg_filter_unlock_settings (filter);
  return ok;
}

static void
gst_eeg_fir_filter_update (GstEegFilter *filter)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (filter);
  eeg_fir_stream *pending;
  Change *change;

  if (self->stream == NULL)
    return;
  if (self->is_coming && !eeg_fir_stream_is_approaching (self->stream))
    arrive (self);
  if (!self->is_coming && !eeg_fir_stream_is_fading (self->stream)) {
    eeg_fir_stream *old = eeg_fir_stream_release (self->stream);

    if (old != NULL) {
      retire (self, old);
      publish (self, 0);
    }
    /* while one comes or fades in, the next waits */
    pending = steal_pending (self);
    if (pending != NULL && !take_over (self, pending, EEG_FIR_SOON, NULL)) {
      GST_ERROR_OBJECT (self, "a kernel was made without the room it needs");
      eeg_fir_stream_free (pending);
    }
  }
  while ((change = pop_change (self, eeg_fir_stream_get_out (self->stream)))) {
    if (self->is_coming)
      hurry (self);
    make_change (self, change);
    change_unref (change);
  }
  if ((self->is_start || self->is_changed)
      && gst_eeg_filter_get_enabled (filter))
    mark_start (self);
}

/* Up to where the next change is due. */
static gsize
gst_eeg_fir_filter_get_piece (GstEegFilter *filter, gsize n_frames)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (filter);
  guint64 due = GST_BUFFER_OFFSET_NONE, last;
  Change *change;

  if (self->is_coming && eeg_fir_stream_is_approaching (self->stream)) {
    last = eeg_fir_stream_get_arrival (self->stream);
    n_frames = MIN (n_frames, last - eeg_fir_stream_get_in (self->stream));
  }
  GST_OBJECT_LOCK (self);
  change = g_queue_peek_head (&self->changes);
  if (change != NULL)
    due = get_begin_locked (self, change);
  GST_OBJECT_UNLOCK (self);
  if (due == GST_BUFFER_OFFSET_NONE)
    return n_frames;
  /* input that gives all output before it */
  last = due + get_held (eeg_fir_stream_get_running (self->stream));
  if (last <= eeg_fir_stream_get_in (self->stream))
    return n_frames;
  return MIN (n_frames, last - eeg_fir_stream_get_in (self->stream));
}

static guint64
gst_eeg_fir_filter_map_index (GstEegFilter *filter, guint64 index)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (filter);

  if (self->stream != NULL)
    eeg_fir_stream_start (self->stream, index);
  self->is_start = TRUE;
  self->is_draining = FALSE;
  self->run_start = index;
  return index;
}

static gboolean
gst_eeg_fir_filter_bridge (GstEegFilter *filter, guint64 index, guint64 missing)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (filter);
  GapPolicy policy;

  GST_OBJECT_LOCK (self);
  policy = self->gap_policy;
  GST_OBJECT_UNLOCK (self);
  if (policy != GAP_HOLD || self->stream == NULL)
    return FALSE;
  put_back (self);
  retire (self, eeg_fir_stream_release (self->stream));
  eeg_fir_stream_bridge (self->stream, missing);
  self->is_start = TRUE;
  self->is_draining = FALSE;
  self->run_start = index;
  return TRUE;
}

static void
gst_eeg_fir_filter_reset (GstEegFilter *filter)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (filter);

  put_back (self);
  if (self->stream == NULL)
    return;
  retire (self, eeg_fir_stream_release (self->stream));
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
  put_back (self);
  if (!self->is_draining)
    mark_end (self);
  return eeg_fir_stream_drain (self->stream, out, max_frames);
}

static gsize
gst_eeg_fir_filter_get_delay (GstEegFilter *filter)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (filter);

  gsize held;

  /* while one fades in, the longer delay of both */
  GST_OBJECT_LOCK (self);
  held = self->held;
  GST_OBJECT_UNLOCK (self);
  return held;
}

static gsize
gst_eeg_fir_filter_get_memory (GstEegFilter *filter)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (filter);
  gsize memory;
  GList *l;

  GST_OBJECT_LOCK (self);
  memory = self->memory;
  if (self->pending != NULL)
    memory += eeg_fir_stream_get_size (self->pending);
  if (self->retired != NULL)
    memory += eeg_fir_stream_get_size (self->retired);
  for (l = self->changes.head; l != NULL; l = l->next)
    if (((Change *) l->data)->stream != NULL)
      memory += eeg_fir_stream_get_size (((Change *) l->data)->stream);
  GST_OBJECT_UNLOCK (self);
  return memory;
}

static gboolean
gst_eeg_fir_filter_stop (GstBaseTransform *trans)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (trans);
  eeg_fir_stream *retired;
  eeg_fir_kernel *kernel;
  gboolean ret;

  ret =
      GST_BASE_TRANSFORM_CLASS (gst_eeg_fir_filter_parent_class)->stop (trans);

  gst_eeg_filter_lock_settings (GST_EEG_FILTER (self));
  format_clear (&self->format);
  eeg_fir_stream_free (steal_pending (self));
  gst_eeg_filter_unlock_settings (GST_EEG_FILTER (self));
  set_stream (self, NULL);
  drop_changes (self);
  GST_OBJECT_LOCK (self);
  kernel = g_steal_pointer (&self->kernel);
  retired = g_steal_pointer (&self->retired);
  GST_OBJECT_UNLOCK (self);
  eeg_fir_kernel_unref (kernel);
  eeg_fir_stream_free (retired);
  return ret;
}

static gboolean
gst_eeg_fir_filter_sink_event (GstBaseTransform *trans, GstEvent *event)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (trans);
  guint64 sample;
  GBytes *taps;
  gint64 delay;

  if (gst_eeg_event_parse_kernel (event, &sample, &taps, &delay)) {
    Change *change = change_new (sample, taps, delay);

    GST_OBJECT_LOCK (self);
    g_queue_push_tail (&self->changes, change);
    GST_OBJECT_UNLOCK (self);
    gst_element_call_async (GST_ELEMENT (self), build_change,
        change_ref (change), (GDestroyNotify) change_unref);
    gst_event_unref (event);
    return TRUE;
  }
  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP) {
    put_back (self);
    drop_changes (self);
  }
  return GST_BASE_TRANSFORM_CLASS (gst_eeg_fir_filter_parent_class)
      ->sink_event (trans, event);
}

static guint64
gst_eeg_fir_filter_look_back (GstEegStage *stage)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (stage);
  guint64 look_back = 0;

  GST_OBJECT_LOCK (self);
  if (self->kernel != NULL)
    look_back = eeg_fir_kernel_get_look_back (self->kernel);
  GST_OBJECT_UNLOCK (self);
  return look_back;
}

/* Where another kernel fades in, until that has happened. */
static guint64
gst_eeg_fir_filter_get_look_back (GstEegFilter *filter)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (filter);
  const GstEegInfo *info = gst_eeg_filter_get_in_info (filter);
  guint64 look_back, crossfade;

  if (self->stream == NULL)
    return 0;
  look_back = eeg_fir_kernel_get_look_back (
      eeg_fir_stream_get_kernel (eeg_fir_stream_get_running (self->stream)));
  if (eeg_fir_stream_is_fading (self->stream)) {
    GST_OBJECT_LOCK (self);
    crossfade = self->crossfade;
    GST_OBJECT_UNLOCK (self);
    look_back += gst_eeg_info_time_to_samples (info, crossfade) + 1;
  }
  return look_back;
}

/* All that is to be known beside samples is where the run began. */
static gboolean
gst_eeg_fir_filter_save (GstEegFilter *filter, GByteArray *to, GError **error)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (filter);
  guint8 run_start[8];
  gboolean is_foreign;

  GST_OBJECT_LOCK (self);
  is_foreign = self->is_foreign || !g_queue_is_empty (&self->changes);
  GST_OBJECT_UNLOCK (self);
  if (self->is_coming) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_NOT_IMPLEMENTED,
        "its kernel is about to change");
    return FALSE;
  }
  if (is_foreign) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_NOT_IMPLEMENTED,
        "its kernel came by an event, which nobody would send again");
    return FALSE;
  }
  GST_WRITE_UINT64_LE (run_start, self->run_start);
  g_byte_array_append (to, run_start, sizeof run_start);
  return TRUE;
}

static gboolean
gst_eeg_fir_filter_resume (GstEegFilter *filter, guint64 index,
    const guint8 *data, gsize size, guint64 *first, GError **error)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (filter);

  if (size != 8) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "This is no state of a firfilter of this version.");
    return FALSE;
  }
  eeg_fir_stream_start (self->stream, index);
  self->is_start = self->is_draining = FALSE;
  self->run_start = GST_READ_UINT64_LE (data);
  *first = index;
  return TRUE;
}

/* What the properties ask for; of a kernel of one's own its length. */
static gchar *
gst_eeg_fir_filter_get_prefilter (GstEegFilter *filter)
{
  static const GstEegPrefilter shapes[] = { GST_EEG_PREFILTER_NONE,
    GST_EEG_PREFILTER_LOW_PASS, GST_EEG_PREFILTER_HIGH_PASS,
    GST_EEG_PREFILTER_BAND_PASS, GST_EEG_PREFILTER_BAND_STOP,
    GST_EEG_PREFILTER_NONE };
  Settings settings = { 0 };
  gchar *text;

  gst_eeg_filter_get_settings (filter, &settings);
  if (settings.mode == MODE_COEFFICIENTS)
    text = g_strdup_printf ("FIR of %u taps", settings.coefficients->len);
  else
    text = gst_eeg_prefilter_to_text (shapes[settings.mode], settings.low,
        settings.high,
        settings.notches != NULL ? (const gdouble *) settings.notches->data
                                 : NULL,
        settings.notches != NULL ? settings.notches->len : 0);
  settings_clear (&settings);
  return text;
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

/* The gain of a kernel at RESPONSE_POINTS frequencies from 0 to half the rate:
 * the discrete Fourier transform, of which taps one period apart have the same
 * factor. */
static void
value_from_response (GValue *value, const eeg_fir_kernel *kernel, gdouble rate)
{
  const gsize n = 2 * (RESPONSE_POINTS - 1);
  gdouble *folded = g_new0 (gdouble, n), *cosines = g_new (gdouble, n);
  GArray *response = g_array_new (FALSE, FALSE, sizeof (gdouble));
  gsize i, k, n_taps;
  const double *taps = eeg_fir_kernel_get_taps (kernel, &n_taps);

  for (i = 0; i < n_taps; i++)
    folded[i % n] += taps[i];
  for (i = 0; i < n; i++)
    cosines[i] = cos (2 * G_PI * i / n);
  for (k = 0; k < RESPONSE_POINTS; k++) {
    gdouble re = 0, im = 0, frequency = rate * k / n, decibels;

    for (i = 0; i < n; i++) {
      re += folded[i] * cosines[i * k % n];
      im += folded[i] * cosines[(i * k + n / 4) % n];
    }
    decibels = 20 * log10 (MAX (hypot (re, im), 1e-20));
    g_array_append_val (response, frequency);
    g_array_append_val (response, decibels);
  }
  value_from_taps (value, (const gdouble *) response->data, response->len);
  g_array_unref (response);
  g_free (folded);
  g_free (cosines);
}

static void
gst_eeg_fir_filter_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (object);
  Settings *settings = gst_eeg_filter_peek_settings (GST_EEG_FILTER (object));
  GArray *array = NULL;
  gchar *text = NULL;

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
  if (id == PROP_NOTCH) {
    text = g_strdup (g_value_get_string (value));
    if (text == NULL)
      text = g_strdup ("");
    array = notches_from_text (text);
  }

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_MODE:
      settings->mode = g_value_get_enum (value);
      break;
    case PROP_LOW:
      settings->low = g_value_get_double (value);
      break;
    case PROP_HIGH:
      settings->high = g_value_get_double (value);
      break;
    case PROP_TAPS:
      settings->taps = g_value_get_uint (value);
      break;
    case PROP_TRANSITION:
      settings->transition = g_value_get_double (value);
      break;
    case PROP_WINDOW:
      settings->window = g_value_get_enum (value);
      break;
    case PROP_BETA:
      settings->beta = g_value_get_double (value);
      break;
    case PROP_PHASE:
      settings->phase = g_value_get_enum (value);
      break;
    case PROP_COEFFICIENTS: {
      GArray *old = settings->coefficients;

      settings->coefficients = array;
      array = old;
      break;
    }
    case PROP_NOTCH: {
      GArray *old = settings->notches;
      gchar *old_text = settings->notch;

      settings->notches = array;
      settings->notch = text;
      array = old;
      text = old_text;
      break;
    }
    case PROP_INITIAL:
      settings->initial = g_value_get_enum (value);
      break;
    case PROP_LATENCY:
      settings->latency = g_value_get_enum (value);
      break;
    case PROP_CROSSFADE:
      self->crossfade = g_value_get_uint64 (value);
      break;
    case PROP_GAP_POLICY:
      self->gap_policy = g_value_get_enum (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
  g_clear_pointer (&array, g_array_unref);
  g_free (text);
}

static void
gst_eeg_fir_filter_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstEegFirFilter *self = GST_EEG_FIR_FILTER (object);
  Settings *settings = gst_eeg_filter_peek_settings (GST_EEG_FILTER (object));
  eeg_fir_kernel *kernel = NULL;
  GArray *array = NULL;
  gdouble rate = 0;

  if (id == PROP_ENABLED) {
    g_value_set_boolean (value,
        gst_eeg_filter_get_enabled (GST_EEG_FILTER (self)));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_MODE:
      g_value_set_enum (value, settings->mode);
      break;
    case PROP_LOW:
      g_value_set_double (value, settings->low);
      break;
    case PROP_HIGH:
      g_value_set_double (value, settings->high);
      break;
    case PROP_TAPS:
      g_value_set_uint (value, settings->taps);
      break;
    case PROP_TRANSITION:
      g_value_set_double (value, settings->transition);
      break;
    case PROP_WINDOW:
      g_value_set_enum (value, settings->window);
      break;
    case PROP_BETA:
      g_value_set_double (value, settings->beta);
      break;
    case PROP_PHASE:
      g_value_set_enum (value, settings->phase);
      break;
    case PROP_COEFFICIENTS:
      array = g_array_ref (settings->coefficients);
      break;
    case PROP_NOTCH:
      g_value_set_string (value, settings->notch);
      break;
    case PROP_INITIAL:
      g_value_set_enum (value, settings->initial);
      break;
    case PROP_LATENCY:
      g_value_set_enum (value, settings->latency);
      break;
    case PROP_CROSSFADE:
      g_value_set_uint64 (value, self->crossfade);
      break;
    case PROP_GAP_POLICY:
      g_value_set_enum (value, self->gap_policy);
      break;
    case PROP_BACKEND:
      g_value_set_static_string (value,
          self->kernel != NULL ? eeg_fir_kernel_get_engine (self->kernel)
                               : NULL);
      break;
    case PROP_KERNEL:
    case PROP_RESPONSE:
      rate = self->rate;
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
  if (kernel != NULL && id == PROP_RESPONSE) {
    value_from_response (value, kernel, rate);
    eeg_fir_kernel_unref (kernel);
  } else if (kernel != NULL) {
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

  drop_changes (self);
  eeg_fir_stream_free (self->pending);
  eeg_fir_stream_free (self->retired);
  eeg_fir_stream_free (self->stream);
  g_cond_clear (&self->built);
  eeg_fir_kernel_unref (self->kernel);
  format_clear (&self->format);
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

  /**
   * GstEegFirFilter:mode:
   *
   * Which frequencies pass, or that the kernel is given tap by tap.
   */
  gst_eeg_filter_class_install_setting (filter_class, PROP_MODE,
      g_param_spec_enum ("mode", "Mode", "What passes", mode_get_type (),
          DEFAULT_MODE, hot));
  /**
   * GstEegFirFilter:low:
   *
   * With #GstEegFirFilter:taps given, the -6 dB cut-off; with 0, the edge of
   * the pass band. Above 0 and below half the sampling rate.
   */
  gst_eeg_filter_class_install_setting (filter_class, PROP_LOW,
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
  gst_eeg_filter_class_install_setting (filter_class, PROP_HIGH,
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
  gst_eeg_filter_class_install_setting (filter_class, PROP_TAPS,
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
  gst_eeg_filter_class_install_setting (filter_class, PROP_TRANSITION,
      g_param_spec_double ("transition", "Transition",
          "Width of each transition band in Hz, 0 or more; 0 = automatic; if "
          "set, low and high are the edges of the pass band also with taps",
          -G_MAXDOUBLE, G_MAXDOUBLE, DEFAULT_TRANSITION, hot));
  gst_eeg_filter_class_install_setting (filter_class, PROP_WINDOW,
      g_param_spec_enum ("window", "Window", "Window of the windowed sinc",
          window_get_type (), DEFAULT_WINDOW, hot));
  gst_eeg_filter_class_install_setting (filter_class, PROP_BETA,
      g_param_spec_double ("beta", "Beta",
          "Shape of the Kaiser window, 0 to 500: 5.65 gives -60 dB, 8.96 gives "
          "-90 dB",
          -G_MAXDOUBLE, G_MAXDOUBLE, DEFAULT_BETA, hot));
  /**
   * GstEegFirFilter:phase:
   *
   * Minimum-phase kernels hold no sample back, but delay each frequency
   * differently. `minimum` has the magnitude of the linear-phase kernel, its
   * pass band within 0.01 dB; `minimum-half` its square root, half the
   * decibels, as scipy.signal.minimum_phase() of scipy 1.10. Not used by
   * mode=coefficients.
   */
  gst_eeg_filter_class_install_setting (filter_class, PROP_PHASE,
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
  gst_eeg_filter_class_install_setting (filter_class, PROP_COEFFICIENTS,
      gst_param_spec_array ("coefficients", "Coefficients",
          "Taps for mode=coefficients, 1 to 4194303 finite numbers; if they "
          "mirror, (length - 1) / 2 samples, rounded down, are taken off the "
          "delay, else none",
          NULL, hot));
  gst_eeg_filter_class_install_setting (filter_class, PROP_INITIAL,
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
  /**
   * GstEegFirFilter:notch:
   *
   * Frequencies to take out of what else passes, for example `50,100,150`, each
   * as mne.filter.notch_filter() does by default: a stop band of 1/200 of the
   * frequency with transition bands of 0.5 Hz (or #GstEegFirFilter:transition)
   * at its sides. Not used by mode=coefficients.
   */
  gst_eeg_filter_class_install_setting (filter_class, PROP_NOTCH,
      g_param_spec_string ("notch", "Notch",
          "Frequencies in Hz to take out of what passes, up to 32, separated "
          "by commas, for example 50,100,150",
          DEFAULT_NOTCH, hot));
  /**
   * GstEegFirFilter:latency:
   *
   * Kernels of up to 192 taps are not concerned.
   */
  gst_eeg_filter_class_install_setting (filter_class, PROP_LATENCY,
      g_param_spec_enum ("latency", "Latency",
          "Whether blocks of samples may be held back beside the kernel's "
          "delay: a long kernel is then applied in a third of the time",
          latency_get_type (), DEFAULT_LATENCY, hot));
  /**
   * GstEegFirFilter:response:
   *
   * Gain of the kernel, 4097 pairs: frequency in Hz from 0 to half the sampling
   * rate, and decibels, not below -400. Empty before caps are known.
   */
  g_object_class_install_property (object_class, PROP_RESPONSE,
      gst_param_spec_array ("response", "Response",
          "Gain of the kernel: pairs of frequency in Hz and gain in dB; empty "
          "before the sampling rate is known",
          NULL, readable));
  g_object_class_install_property (object_class, PROP_CROSSFADE,
      g_param_spec_uint64 ("crossfade", "Cross-fade",
          "For how long in nanoseconds the output goes over from one kernel to "
          "the next when that is changed, 0 to 10 s",
          0, MAX_CROSSFADE, DEFAULT_CROSSFADE, hot));
  /**
   * GstEegFirFilter:gap-policy:
   *
   * What happens after lost samples. In both cases what is held goes out first,
   * and the edges are marked.
   */
  g_object_class_install_property (object_class, PROP_GAP_POLICY,
      g_param_spec_enum ("gap-policy", "Gap policy",
          "Whether the filter begins anew after a gap or goes on with what it "
          "remembers",
          gap_policy_get_type (), DEFAULT_GAP_POLICY, hot));
  g_object_class_install_property (object_class, PROP_BACKEND,
      g_param_spec_string ("backend", "Backend",
          "How the kernel is applied: direct, partitioned (no latency) or "
          "blocks; none before the sampling rate is known",
          NULL, readable));
  g_object_class_install_property (object_class, PROP_INSTRUCTION_SET,
      g_param_spec_string ("instruction-set", "Instruction set",
          "Which build of the arithmetic runs: base, avx2 or avx512; the "
          "environment variable GSTEEG_CPU asks for a narrower one",
          NULL, readable));
  gst_eeg_filter_class_install_enabled (filter_class, PROP_ENABLED);

  gst_element_class_set_static_metadata (element_class, "EEG FIR filter",
      "Filter/Effect",
      "Filters each EEG channel with a FIR, in time with its input",
      "gst-plugins-eeg developers");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);

  trans_class->stop = gst_eeg_fir_filter_stop;
  filter_class->in_place = TRUE;
  filter_class->settings_size = sizeof (Settings);
  filter_class->copy_settings = settings_copy;
  filter_class->clear_settings = settings_clear;
  filter_class->apply_settings = gst_eeg_fir_filter_apply_settings;
  filter_class->set_info = gst_eeg_fir_filter_set_info;
  filter_class->get_prefilter = gst_eeg_fir_filter_get_prefilter;
  trans_class->sink_event = gst_eeg_fir_filter_sink_event;
  filter_class->map_index = gst_eeg_fir_filter_map_index;
  filter_class->bridge = gst_eeg_fir_filter_bridge;
  filter_class->update = gst_eeg_fir_filter_update;
  filter_class->get_piece = gst_eeg_fir_filter_get_piece;
  filter_class->reset = gst_eeg_fir_filter_reset;
  filter_class->get_ready = gst_eeg_fir_filter_get_ready;
  filter_class->process = gst_eeg_fir_filter_process;
  filter_class->drain = gst_eeg_fir_filter_drain;
  filter_class->get_delay = gst_eeg_fir_filter_get_delay;
  filter_class->get_memory = gst_eeg_fir_filter_get_memory;
  filter_class->takes_part = TRUE;
  filter_class->get_look_back = gst_eeg_fir_filter_get_look_back;
  filter_class->save = gst_eeg_fir_filter_save;
  filter_class->resume = gst_eeg_fir_filter_resume;

  gst_type_mark_as_plugin_api (mode_get_type (), 0);
  gst_type_mark_as_plugin_api (window_get_type (), 0);
  gst_type_mark_as_plugin_api (initial_get_type (), 0);
  gst_type_mark_as_plugin_api (phase_get_type (), 0);
  gst_type_mark_as_plugin_api (latency_get_type (), 0);
  gst_type_mark_as_plugin_api (gap_policy_get_type (), 0);
}

static void
gst_eeg_fir_filter_init (GstEegFirFilter *self)
{
  Settings defaults = {
    .mode = DEFAULT_MODE,
    .low = DEFAULT_LOW,
    .high = DEFAULT_HIGH,
    .taps = DEFAULT_TAPS,
    .transition = DEFAULT_TRANSITION,
    .window = DEFAULT_WINDOW,
    .beta = DEFAULT_BETA,
    .phase = DEFAULT_PHASE,
    .initial = DEFAULT_INITIAL,
    .latency = DEFAULT_LATENCY,
    .notch = g_strdup (DEFAULT_NOTCH),
    .notches = notches_from_text (DEFAULT_NOTCH),
    .coefficients = g_array_new (FALSE, FALSE, sizeof (gdouble)),
  };

  gst_eeg_filter_init_settings (GST_EEG_FILTER (self), &defaults);
  settings_clear (&defaults);
  self->crossfade = DEFAULT_CROSSFADE;
  self->gap_policy = DEFAULT_GAP_POLICY;
  g_queue_init (&self->changes);
  g_cond_init (&self->built);
}
