/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-iirfilter
 * @title: iirfilter
 * @short_description: recursive filter for each channel
 *
 * Butterworth, Chebyshev I and II, Bessel and notch filters as second-order
 * sections, those of scipy.signal.iirfilter (output="sos") and
 * scipy.signal.iirnotch. Filters channels of type EEG, EOG, EMG and ECG; others
 * pass unchanged. Without a channel table all are filtered.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 eegsrc num-samples=10000 ! rawtovoltage ! \
 *     iirfilter low=1 high=40 notch=50,100 ! fakesink
 * ]|
 *
 * Takes and gives `application/x-eeg-raw, domain=voltage` in F32LE or F64LE,
 * computes in F64 and in place. Nothing is held back: no latency, and GAP,
 * flush and EOS pass at once; the phase of the signal is that of the filter.
 * Each run of samples starts in the steady state of its first sample, as
 * scipy.signal.sosfilt_zi() does, so that an electrode's offset makes no step.
 * A gap, a flush, other caps and `enabled` begin a run.
 *
 * Every property can be changed while playing. The thread that sets it designs
 * the filter; the streaming thread takes it over between two buffers. All
 * properties of one g_object_set() make one change. If they cannot be met, a
 * warning is posted and all of them stay as they were.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstiirfilter.h"

#include <gst/eeg/gsteegenum.h>
#include <math.h>
#include <string.h>

#include "iir.h"
#include "gsteegprefilter.h"

#define GST_CAT_DEFAULT gst_eeg_iir_filter_debug
GST_DEBUG_CATEGORY_STATIC (GST_CAT_DEFAULT);

typedef enum
{
  MODE_LOW_PASS,
  MODE_HIGH_PASS,
  MODE_BAND_PASS,
  MODE_BAND_STOP,
  MODE_NOTCH
} Mode;

typedef enum
{
  INITIAL_STEADY,
  INITIAL_ZERO
} Initial;

#define DEFAULT_MODE MODE_BAND_PASS
#define DEFAULT_DESIGN EEG_IIR_BUTTERWORTH
#define DEFAULT_ORDER 4
#define DEFAULT_LOW 0.5
#define DEFAULT_HIGH 40.0
#define DEFAULT_RIPPLE 0.5
#define DEFAULT_ATTENUATION 40.0
#define DEFAULT_NOTCH ""
#define DEFAULT_QUALITY 30.0
#define DEFAULT_INITIAL INITIAL_STEADY

#define MAX_NOTCHES 12

/* A saved state: these bytes (the last one is the version), the number of
 * sections and their coefficients, what the kernel saved. */
static const guint8 state_magic[8] = { 'e', 'e', 'g', '-', 'i', 'i', 'r', 1 };
#define STATE_HEADER 16
#define STATE_SECTION (5 * 8)

enum
{
  PROP_0,
  PROP_MODE,
  PROP_DESIGN,
  PROP_ORDER,
  PROP_LOW,
  PROP_HIGH,
  PROP_RIPPLE,
  PROP_ATTENUATION,
  PROP_NOTCH,
  PROP_QUALITY,
  PROP_INITIAL,
  PROP_SECTIONS,
  PROP_ENABLED
};

/* What the properties say. */
typedef struct
{
  Mode mode;
  EegIirFamily family;
  guint order;
  gdouble low, high, ripple, attenuation, quality;
  gchar *notch; /* never NULL */
  Initial initial;
} Settings;

struct _GstEegIirFilter
{
  GstEegFilter parent;

  /* object lock */
  Settings settings;    /* as set */
  Settings good;        /* as last met, or as at the start */
  EegIirDesign design;  /* newest; without sections before caps are known */
  gboolean has_pending; /* to be taken over */
  Initial initial;      /* with it */
  gsize memory;

  /* streaming thread */
  EegIir *iir;
  GstEegFormat format;
  gboolean steady;
};

/* Locking: as the base class says. The object lock guards what the struct says,
 * inside the lock of the settings. */

#define FORMATS "{ F32LE, F64LE }"

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (GST_EEG_RAW_CAPS_MAKE (FORMATS, "voltage")));

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (GST_EEG_RAW_CAPS_MAKE (FORMATS, "voltage")));

G_DEFINE_TYPE_WITH_CODE (GstEegIirFilter, gst_eeg_iir_filter,
    GST_TYPE_EEG_FILTER,
    GST_DEBUG_CATEGORY_INIT (GST_CAT_DEFAULT, "iirfilter", 0, "EEG IIR filter"))
GST_ELEMENT_REGISTER_DEFINE (iirfilter, "iirfilter", GST_RANK_NONE,
    GST_TYPE_EEG_IIR_FILTER)

GST_EEG_DEFINE_ENUM (mode_get_type, "GstEegIirFilterMode",
    { MODE_LOW_PASS, "Pass below high", "low-pass" },
    { MODE_HIGH_PASS, "Pass above low", "high-pass" },
    { MODE_BAND_PASS, "Pass from low to high", "band-pass" },
    { MODE_BAND_STOP, "Stop from low to high", "band-stop" },
    { MODE_NOTCH, "Only the notches in the property notch", "notch" })

GST_EEG_DEFINE_ENUM (design_get_type, "GstEegIirFilterDesign",
    { EEG_IIR_BUTTERWORTH, "Flat in the pass band", "butterworth" },
    { EEG_IIR_CHEBYSHEV_1, "Steeper, with ripple in the pass band",
        "chebyshev1" },
    { EEG_IIR_CHEBYSHEV_2, "Steeper, with a limit to the stop band",
        "chebyshev2" },
    { EEG_IIR_BESSEL, "The most even delay", "bessel" })

GST_EEG_DEFINE_ENUM (initial_get_type, "GstEegIirFilterInitial",
    { INITIAL_STEADY, "Steady state of the first sample", "steady" },
    { INITIAL_ZERO, "Rest, as if zeros came before", "zero" })

/* ---- settings ---- */

static void
settings_copy (gpointer to_settings, gconstpointer from_settings)
{
  Settings *to = to_settings;
  const Settings *from = from_settings;
  gchar *old = to->notch;

  *to = *from;
  to->notch = g_strdup (from->notch);
  g_free (old);
}

static void
settings_clear (gpointer data)
{
  Settings *settings = data;
  g_clear_pointer (&settings->notch, g_free);
}

/* Fills in the frequencies of the list; returns how many, -1 if it is none. */
static gint
parse_notches (const gchar *text, gdouble *notches, GError **error)
{
  gint n = 0;

  while (TRUE) {
    gchar *end;
    gdouble value;

    text += strspn (text, " ,");
    if (*text == '\0')
      return n;
    value = g_ascii_strtod (text, &end);
    if (end == text || (*end != '\0' && strchr (" ,", *end) == NULL)) {
      g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
          "notch is no list of frequencies: '%s'.", text);
      return -1;
    }
    if (n == MAX_NOTCHES) {
      g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
          "There are more than %d notches.", MAX_NOTCHES);
      return -1;
    }
    notches[n++] = value;
    text = end;
  }
}

/* With a rate of 0, at a rate at which these frequencies make sense. */
static gboolean
make_design (const Settings *settings, gdouble rate, EegIirDesign *design,
    GError **error)
{
  static const EegIirBand bands[] = { EEG_IIR_LOW_PASS, EEG_IIR_HIGH_PASS,
    EEG_IIR_BAND_PASS, EEG_IIR_BAND_STOP };
  const char *problem = NULL;
  gdouble notches[MAX_NOTCHES];
  gint i, n = parse_notches (settings->notch, notches, error);

  if (n < 0)
    return FALSE;
  if (rate == 0.0) {
    if (settings->mode != MODE_NOTCH) {
      if (settings->mode != MODE_HIGH_PASS)
        rate = 4 * settings->high;
      if (settings->mode != MODE_LOW_PASS)
        rate = MAX (rate, 4 * settings->low);
    }
    for (i = 0; i < n; i++)
      rate = MAX (rate, 4 * notches[i]);
    /* negative frequencies are told from the rate */
    rate = MAX (rate, 1.0);
  }
  design->n_sections = 0;
  if (settings->mode != MODE_NOTCH) {
    EegIirSpec spec = { .family = settings->family,
      .band = bands[settings->mode],
      .order = settings->order,
      .rate = rate,
      .low = settings->low,
      .high = settings->high,
      .ripple = settings->ripple,
      .attenuation = settings->attenuation };

    problem = eeg_iir_design (&spec, design);
  } else if (n == 0) {
    problem = "mode is notch, but the property notch names no frequency";
  }
  for (i = 0; problem == NULL && i < n; i++) {
    EegIirDesign notch;

    problem =
        eeg_iir_design_notch (rate, notches[i], settings->quality, &notch);
    if (problem == NULL)
      eeg_iir_design_append (design, &notch);
  }
  if (problem == NULL)
    return TRUE;
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
      "No such filter: %s.", problem);
  return FALSE;
}

static gboolean
gst_eeg_iir_filter_apply_settings (GstEegFilter *filter, gconstpointer data,
    const GstEegInfo *info, GError **error)
{
  GstEegIirFilter *self = GST_EEG_IIR_FILTER (filter);
  const Settings *settings = data;
  EegIirDesign design;

  if (!make_design (settings,
          info == NULL ? 0.0 : (gdouble) info->rate_n / info->rate_d, &design,
          error))
    return FALSE;
  if (info != NULL) {
    GST_OBJECT_LOCK (self);
    self->design = design;
    self->initial = settings->initial;
    self->has_pending = TRUE;
    GST_OBJECT_UNLOCK (self);
  }
  return TRUE;
}

/* ---- state ---- */

static gsize
write_sections (const EegIirDesign *design, guint8 *p)
{
  gsize s, i;

  for (s = 0; s < design->n_sections; s++) {
    const EegIirSection *section = &design->sections[s];

    for (i = 0; i < 3; i++, p += 8)
      GST_WRITE_DOUBLE_LE (p, section->b[i]);
    for (i = 0; i < 2; i++, p += 8)
      GST_WRITE_DOUBLE_LE (p, section->a[i]);
  }
  return design->n_sections * STATE_SECTION;
}

static gboolean
gst_eeg_iir_filter_save (GstEegFilter *filter, GByteArray *to, GError **error)
{
  GstEegIirFilter *self = GST_EEG_IIR_FILTER (filter);
  const EegIirDesign *design = eeg_iir_get_design (self->iir);
  gsize size = eeg_iir_state_size (self->iir);
  guint8 head[STATE_HEADER], sections[EEG_IIR_MAX_SECTIONS * STATE_SECTION];

  memcpy (head, state_magic, sizeof state_magic);
  GST_WRITE_UINT64_LE (head + 8, design->n_sections);
  g_byte_array_append (to, head, sizeof head);
  g_byte_array_append (to, sections, write_sections (design, sections));
  g_byte_array_set_size (to, to->len + size);
  eeg_iir_save_state (self->iir, to->data + to->len - size);
  return TRUE;
}

static gboolean
gst_eeg_iir_filter_resume (GstEegFilter *filter, guint64 index,
    const guint8 *data, gsize size, guint64 *first, GError **error)
{
  GstEegIirFilter *self = GST_EEG_IIR_FILTER (filter);
  const EegIirDesign *design = eeg_iir_get_design (self->iir);
  guint8 sections[EEG_IIR_MAX_SECTIONS * STATE_SECTION];
  gsize n = write_sections (design, sections);

  eeg_iir_restart (self->iir, self->steady);
  if (size >= STATE_HEADER + n
      && memcmp (data, state_magic, sizeof state_magic) == 0
      && GST_READ_UINT64_LE (data + 8) == design->n_sections
      && memcmp (data + STATE_HEADER, sections, n) == 0
      && eeg_iir_load_state (self->iir, data + STATE_HEADER + n,
          size - STATE_HEADER - n)) {
    *first = index;
    return TRUE;
  }
  g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
      "The saved state is that of another filter or stream.");
  return FALSE;
}

/* ---- samples ---- */

/* Takes over what was designed last. */
static void
gst_eeg_iir_filter_update (GstEegFilter *filter)
{
  GstEegIirFilter *self = GST_EEG_IIR_FILTER (filter);
  EegIirDesign design;
  gboolean changed;

  GST_OBJECT_LOCK (self);
  changed = self->has_pending;
  self->has_pending = FALSE;
  if (changed) {
    design = self->design;
    self->steady = self->initial == INITIAL_STEADY;
  }
  GST_OBJECT_UNLOCK (self);
  if (changed) {
    GST_INFO_OBJECT (self, "new filter of %" G_GSIZE_FORMAT " sections",
        (gsize) design.n_sections);
    eeg_iir_set_design (self->iir, &design);
  }
}

static gboolean
gst_eeg_iir_filter_set_info (GstEegFilter *filter, const GstEegInfo *in_info,
    const GstEegInfo *out_info, GError **error)
{
  GstEegIirFilter *self = GST_EEG_IIR_FILTER (filter);
  bool *filtered = g_new (bool, in_info->channels);
  gint i;

  for (i = 0; i < in_info->channels; i++)
    filtered[i] = gst_eeg_info_is_signal (in_info, i);
  g_clear_pointer (&self->iir, eeg_iir_free);
  self->iir = eeg_iir_new (in_info->channels, filtered, eeg_cpu_choose ());
  g_free (filtered);
  self->format = in_info->format;
  if (self->iir == NULL) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
        "No memory for a filter of %d channels.", in_info->channels);
    return FALSE;
  }

  if (!gst_eeg_filter_apply_settings (filter, error))
    return FALSE;
  GST_OBJECT_LOCK (self);
  self->memory = eeg_iir_memory (in_info->channels);
  GST_OBJECT_UNLOCK (self);
  gst_eeg_iir_filter_update (filter);
  return TRUE;
}

static void
gst_eeg_iir_filter_reset (GstEegFilter *filter)
{
  GstEegIirFilter *self = GST_EEG_IIR_FILTER (filter);

  if (self->iir != NULL)
    eeg_iir_restart (self->iir, self->steady);
}

/* Where a run begins. */
static guint64
gst_eeg_iir_filter_map_index (GstEegFilter *filter, guint64 index)
{
  GstEegIirFilter *self = GST_EEG_IIR_FILTER (filter);

  eeg_iir_restart (self->iir, self->steady);
  return index;
}

static void
filter_samples (GstEegIirFilter *self, gconstpointer in, gpointer out, gsize n)
{
  if (self->format == GST_EEG_FORMAT_F32LE)
    eeg_iir_process_f32 (self->iir, in, out, n);
  else
    eeg_iir_process_f64 (self->iir, in, out, n);
}

static gboolean
gst_eeg_iir_filter_process (GstEegFilter *filter, gconstpointer in, gsize n_in,
    gpointer out, gsize n_out, GError **error)
{
  GstEegIirFilter *self = GST_EEG_IIR_FILTER (filter);

  filter_samples (self, in, out, n_in);
  return TRUE;
}

static gsize
gst_eeg_iir_filter_get_memory (GstEegFilter *filter)
{
  GstEegIirFilter *self = GST_EEG_IIR_FILTER (filter);
  gsize memory;

  GST_OBJECT_LOCK (self);
  memory = self->memory;
  GST_OBJECT_UNLOCK (self);
  return memory;
}

/* What the filter in use does. */
static gchar *
gst_eeg_iir_filter_get_prefilter (GstEegFilter *filter)
{
  static const GstEegPrefilter shapes[] = { GST_EEG_PREFILTER_LOW_PASS,
    GST_EEG_PREFILTER_HIGH_PASS, GST_EEG_PREFILTER_BAND_PASS,
    GST_EEG_PREFILTER_BAND_STOP, GST_EEG_PREFILTER_NONE };
  gdouble notches[MAX_NOTCHES];
  Settings settings = { 0 };
  gchar *text;
  gint n;

  gst_eeg_filter_get_settings (filter, &settings);
  n = parse_notches (settings.notch, notches, NULL);
  text = gst_eeg_prefilter_to_text (shapes[settings.mode], settings.low,
      settings.high, notches, MAX (n, 0));
  settings_clear (&settings);
  return text;
}

static gboolean
gst_eeg_iir_filter_stop (GstBaseTransform *trans)
{
  GstEegIirFilter *self = GST_EEG_IIR_FILTER (trans);
  gboolean ret =
      GST_BASE_TRANSFORM_CLASS (gst_eeg_iir_filter_parent_class)->stop (trans);

  GST_OBJECT_LOCK (self);
  self->design.n_sections = 0;
  self->has_pending = FALSE;
  self->memory = 0;
  GST_OBJECT_UNLOCK (self);
  g_clear_pointer (&self->iir, eeg_iir_free);
  return ret;
}

/* ---- properties ---- */

static void
gst_eeg_iir_filter_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstEegIirFilter *self = GST_EEG_IIR_FILTER (object);
  Settings *settings = gst_eeg_filter_peek_settings (GST_EEG_FILTER (object));
  gchar *text = NULL;

  if (id == PROP_ENABLED) {
    gst_eeg_filter_set_enabled (GST_EEG_FILTER (self),
        g_value_get_boolean (value));
    return;
  }
  if (id == PROP_NOTCH)
    text =
        g_strdup (g_value_get_string (value) ? g_value_get_string (value) : "");

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_MODE:
      settings->mode = g_value_get_enum (value);
      break;
    case PROP_DESIGN:
      settings->family = g_value_get_enum (value);
      break;
    case PROP_ORDER:
      settings->order = g_value_get_uint (value);
      break;
    case PROP_LOW:
      settings->low = g_value_get_double (value);
      break;
    case PROP_HIGH:
      settings->high = g_value_get_double (value);
      break;
    case PROP_RIPPLE:
      settings->ripple = g_value_get_double (value);
      break;
    case PROP_ATTENUATION:
      settings->attenuation = g_value_get_double (value);
      break;
    case PROP_NOTCH: {
      gchar *old = settings->notch;

      settings->notch = text;
      text = old;
      break;
    }
    case PROP_QUALITY:
      settings->quality = g_value_get_double (value);
      break;
    case PROP_INITIAL:
      settings->initial = g_value_get_enum (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
  g_free (text);
}

/* One array of b0, b1, b2, a0, a1, a2 for each section. */
static void
value_from_design (GValue *value, const EegIirDesign *design)
{
  gsize s, i;

  for (s = 0; s < design->n_sections; s++) {
    const EegIirSection *section = &design->sections[s];
    const gdouble numbers[6] = { section->b[0], section->b[1], section->b[2],
      1.0, section->a[0], section->a[1] };
    GValue row = G_VALUE_INIT;

    g_value_init (&row, GST_TYPE_ARRAY);
    for (i = 0; i < G_N_ELEMENTS (numbers); i++) {
      GValue number = G_VALUE_INIT;

      g_value_init (&number, G_TYPE_DOUBLE);
      g_value_set_double (&number, numbers[i]);
      gst_value_array_append_and_take_value (&row, &number);
    }
    gst_value_array_append_and_take_value (value, &row);
  }
}

static void
gst_eeg_iir_filter_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstEegIirFilter *self = GST_EEG_IIR_FILTER (object);
  Settings *settings = gst_eeg_filter_peek_settings (GST_EEG_FILTER (object));
  EegIirDesign design;

  if (id == PROP_ENABLED) {
    g_value_set_boolean (value,
        gst_eeg_filter_get_enabled (GST_EEG_FILTER (self)));
    return;
  }
  design.n_sections = 0;
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_MODE:
      g_value_set_enum (value, settings->mode);
      break;
    case PROP_DESIGN:
      g_value_set_enum (value, settings->family);
      break;
    case PROP_ORDER:
      g_value_set_uint (value, settings->order);
      break;
    case PROP_LOW:
      g_value_set_double (value, settings->low);
      break;
    case PROP_HIGH:
      g_value_set_double (value, settings->high);
      break;
    case PROP_RIPPLE:
      g_value_set_double (value, settings->ripple);
      break;
    case PROP_ATTENUATION:
      g_value_set_double (value, settings->attenuation);
      break;
    case PROP_NOTCH:
      g_value_set_string (value, settings->notch);
      break;
    case PROP_QUALITY:
      g_value_set_double (value, settings->quality);
      break;
    case PROP_INITIAL:
      g_value_set_enum (value, settings->initial);
      break;
    case PROP_SECTIONS:
      design = self->design;
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
  if (id == PROP_SECTIONS)
    value_from_design (value, &design);
}

static void
gst_eeg_iir_filter_finalize (GObject *object)
{
  GstEegIirFilter *self = GST_EEG_IIR_FILTER (object);

  g_clear_pointer (&self->iir, eeg_iir_free);
  G_OBJECT_CLASS (gst_eeg_iir_filter_parent_class)->finalize (object);
}

static void
gst_eeg_iir_filter_class_init (GstEegIirFilterClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);
  GstEegFilterClass *filter_class = GST_EEG_FILTER_CLASS (klass);
  const GParamFlags hot =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;
  const GParamFlags readable = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->set_property = gst_eeg_iir_filter_set_property;
  object_class->get_property = gst_eeg_iir_filter_get_property;
  object_class->finalize = gst_eeg_iir_filter_finalize;

  gst_eeg_filter_class_install_setting (filter_class, PROP_MODE,
      g_param_spec_enum ("mode", "Mode", "What passes", mode_get_type (),
          DEFAULT_MODE, hot));
  gst_eeg_filter_class_install_setting (filter_class, PROP_DESIGN,
      g_param_spec_enum ("design", "Design",
          "Family of the filter; not used by mode=notch", design_get_type (),
          DEFAULT_DESIGN, hot));
  /**
   * GstEegIirFilter:order:
   *
   * Order of the low-pass prototype, as scipy.signal.iirfilter (N) takes it:
   * band-pass and band-stop have twice as many poles.
   */
  gst_eeg_filter_class_install_setting (filter_class, PROP_ORDER,
      g_param_spec_uint ("order", "Order",
          "Order of the filter, 1 to 12; band-pass and band-stop have twice as "
          "many poles",
          0, G_MAXUINT, DEFAULT_ORDER, hot));
  /**
   * GstEegIirFilter:low:
   *
   * Critical frequency as scipy.signal.iirfilter (Wn) has it: -3 dB for
   * Butterworth, the edge of the ripple for Chebyshev I, of the stop band for
   * Chebyshev II, and where the phase is in the middle for Bessel.
   */
  gst_eeg_filter_class_install_setting (filter_class, PROP_LOW,
      g_param_spec_double ("low", "Low frequency",
          "Lower frequency in Hz, above 0 and below half the sampling rate; "
          "not used by low-pass",
          -G_MAXDOUBLE, G_MAXDOUBLE, DEFAULT_LOW, hot));
  /**
   * GstEegIirFilter:high:
   *
   * As #GstEegIirFilter:low, for the upper frequency.
   */
  gst_eeg_filter_class_install_setting (filter_class, PROP_HIGH,
      g_param_spec_double ("high", "High frequency",
          "Upper frequency in Hz, above 0 and below half the sampling rate; "
          "not used by high-pass",
          -G_MAXDOUBLE, G_MAXDOUBLE, DEFAULT_HIGH, hot));
  gst_eeg_filter_class_install_setting (filter_class, PROP_RIPPLE,
      g_param_spec_double ("ripple", "Ripple",
          "Ripple of the pass band in dB, above 0; chebyshev1 only",
          -G_MAXDOUBLE, G_MAXDOUBLE, DEFAULT_RIPPLE, hot));
  gst_eeg_filter_class_install_setting (filter_class, PROP_ATTENUATION,
      g_param_spec_double ("attenuation", "Attenuation",
          "Attenuation of the stop band in dB, above 0; chebyshev2 only",
          -G_MAXDOUBLE, G_MAXDOUBLE, DEFAULT_ATTENUATION, hot));
  /**
   * GstEegIirFilter:notch:
   *
   * Frequencies to take out, for example `50,100,150`: one second-order notch
   * each, behind the filter of #GstEegIirFilter:mode.
   */
  gst_eeg_filter_class_install_setting (filter_class, PROP_NOTCH,
      g_param_spec_string ("notch", "Notch",
          "Up to 12 frequencies in Hz to take out, with commas between them, "
          "beside what mode says",
          DEFAULT_NOTCH, hot));
  gst_eeg_filter_class_install_setting (filter_class, PROP_QUALITY,
      g_param_spec_double ("quality", "Quality",
          "Quality factor of the notches, above 0: frequency over the width "
          "between the -3 dB points",
          -G_MAXDOUBLE, G_MAXDOUBLE, DEFAULT_QUALITY, hot));
  gst_eeg_filter_class_install_setting (filter_class, PROP_INITIAL,
      g_param_spec_enum ("initial", "Initial",
          "State in which each run of samples begins", initial_get_type (),
          DEFAULT_INITIAL, hot));
  /**
   * GstEegIirFilter:sections:
   *
   * The filter as designed, empty before caps are known: an array of arrays
   * b0, b1, b2, a0, a1, a2, as scipy.signal takes it as `sos`.
   */
  g_object_class_install_property (object_class, PROP_SECTIONS,
      gst_param_spec_array ("sections", "Sections",
          "Coefficients b0, b1, b2, a0, a1, a2 of each second-order section; "
          "empty before the sampling rate is known",
          NULL, readable));
  gst_eeg_filter_class_install_enabled (filter_class, PROP_ENABLED);

  gst_element_class_set_static_metadata (element_class, "EEG IIR filter",
      "Filter/Effect",
      "Filters each EEG, EOG, EMG and ECG channel recursively: Butterworth, "
      "Chebyshev, Bessel, notch",
      "gst-plugins-eeg developers");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);

  trans_class->stop = gst_eeg_iir_filter_stop;
  filter_class->in_place = TRUE;
  filter_class->settings_size = sizeof (Settings);
  filter_class->copy_settings = settings_copy;
  filter_class->clear_settings = settings_clear;
  filter_class->apply_settings = gst_eeg_iir_filter_apply_settings;
  filter_class->set_info = gst_eeg_iir_filter_set_info;
  filter_class->get_prefilter = gst_eeg_iir_filter_get_prefilter;
  filter_class->reset = gst_eeg_iir_filter_reset;
  filter_class->map_index = gst_eeg_iir_filter_map_index;
  filter_class->update = gst_eeg_iir_filter_update;
  filter_class->process = gst_eeg_iir_filter_process;
  filter_class->get_memory = gst_eeg_iir_filter_get_memory;
  filter_class->takes_part = TRUE;
  filter_class->save = gst_eeg_iir_filter_save;
  filter_class->resume = gst_eeg_iir_filter_resume;

  gst_type_mark_as_plugin_api (mode_get_type (), 0);
  gst_type_mark_as_plugin_api (design_get_type (), 0);
  gst_type_mark_as_plugin_api (initial_get_type (), 0);
}

static void
gst_eeg_iir_filter_init (GstEegIirFilter *self)
{
  Settings defaults = {
    .mode = DEFAULT_MODE,
    .family = DEFAULT_DESIGN,
    .order = DEFAULT_ORDER,
    .low = DEFAULT_LOW,
    .high = DEFAULT_HIGH,
    .ripple = DEFAULT_RIPPLE,
    .attenuation = DEFAULT_ATTENUATION,
    .notch = (gchar *) DEFAULT_NOTCH,
    .quality = DEFAULT_QUALITY,
    .initial = DEFAULT_INITIAL,
  };

  gst_eeg_filter_init_settings (GST_EEG_FILTER (self), &defaults);
}
