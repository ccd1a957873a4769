/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-eegreference
 * @title: eegreference
 * @short_description: another reference for EEG channels
 *
 * Subtracts from each EEG channel the mean of all of them (the common average,
 * default) or of the channels named, or makes differences of pairs, as
 * mne.set_eeg_reference() and mne.set_bipolar_reference() do. Channels that are
 * marked bad are no part of a mean and stay as they are; so do other types.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 eegsrc num-samples=10000 ! rawtovoltage ! \
 *     eegreference bipolar="Fp1-C3,C3-O1" ! fakesink
 * ]|
 *
 * Takes and gives `application/x-eeg-raw, domain=voltage` in F32LE or F64LE;
 * the caps that come out have the new labels. Means are F64, and each sample is
 * rounded once. Nothing is held back: no latency, and GAP, flush and EOS pass
 * at once. A mean is subtracted in place. Input and output caps differ, so
 * there is no `enabled` property.
 *
 * Every property can be changed while playing; new caps go out before the next
 * buffer. What does not fit the channels is refused with a warning, and all
 * properties stay as they were.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsteegreference.h"

#include <string.h>

#include "gsteeglabels.h"
#include "montage.h"

#define GST_CAT_DEFAULT gst_eeg_reference_debug
GST_DEBUG_CATEGORY_STATIC (GST_CAT_DEFAULT);

#define DEFAULT_RELABEL TRUE

enum
{
  PROP_0,
  PROP_CHANNELS,
  PROP_BIPOLAR,
  PROP_RELABEL,
  N_PROPERTIES
};

/* What the properties say. */
typedef struct
{
  gchar *channels; /* NULL counts as empty */
  gchar *bipolar;
  gboolean relabel;
} Settings;

struct _GstEegReference
{
  GstEegFilter parent;

  /* object lock */
  gsize memory;

  /* streaming thread */
  eeg_montage *montage;
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

static void gst_eeg_reference_stage_init (GstEegStageInterface *iface);

G_DEFINE_TYPE_WITH_CODE (GstEegReference, gst_eeg_reference,
    GST_TYPE_EEG_FILTER,
    G_IMPLEMENT_INTERFACE (GST_TYPE_EEG_STAGE, gst_eeg_reference_stage_init)
        GST_DEBUG_CATEGORY_INIT (GST_CAT_DEFAULT, "eegreference", 0,
            "reference of EEG channels"))
GST_ELEMENT_REGISTER_DEFINE (eegreference, "eegreference", GST_RANK_NONE,
    GST_TYPE_EEG_REFERENCE)

/* ---- settings ---- */

static void
settings_copy (gpointer to_settings, gconstpointer from_settings)
{
  Settings *to = to_settings;
  const Settings *from = from_settings;
  gchar *channels = to->channels, *bipolar = to->bipolar;

  *to = *from;
  to->channels = g_strdup (from->channels);
  to->bipolar = g_strdup (from->bipolar);
  g_free (channels);
  g_free (bipolar);
}

static void
settings_clear (gpointer data)
{
  Settings *settings = data;
  g_clear_pointer (&settings->channels, g_free);
  g_clear_pointer (&settings->bipolar, g_free);
}

/* ---- what comes out ---- */

/* Rows of the new table, and how they are made: less a mean (used is not NULL)
 * or as differences. */
typedef struct
{
  guint n;
  GstEegChannel *rows; /* strings belong to the old table or to texts */
  GPtrArray *texts;
  guint *from;
  gint *minus;
  bool *used, *changed;
} Plan;

static void
plan_clear (Plan *plan)
{
  g_clear_pointer (&plan->rows, g_free);
  g_clear_pointer (&plan->texts, g_ptr_array_unref);
  g_clear_pointer (&plan->from, g_free);
  g_clear_pointer (&plan->minus, g_free);
  g_clear_pointer (&plan->used, g_free);
  g_clear_pointer (&plan->changed, g_free);
}

/* The micro sign has two code points, and EDF writes it as u. */
static gboolean
is_same_unit (const gchar *a, const gchar *b)
{
  static const gchar *const micro[] = { "u", "\302\265", "\316\274" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (micro); i++) {
    if (g_str_has_prefix (a, micro[i])) {
      a += strlen (micro[i]);
      break;
    }
  }
  if (i < G_N_ELEMENTS (micro)) {
    for (i = 0; i < G_N_ELEMENTS (micro); i++) {
      if (g_str_has_prefix (b, micro[i])) {
        b += strlen (micro[i]);
        break;
      }
    }
    if (i == G_N_ELEMENTS (micro))
      return FALSE;
  }
  return g_str_equal (a, b);
}

static gboolean
check_units (const GstEegChannel *a, const GstEegChannel *b, GError **error)
{
  if (is_same_unit (a->unit, b->unit))
    return TRUE;
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
      "Channel '%s' is in '%s' and channel '%s' in '%s'.", a->label, a->unit,
      b->label, b->unit);
  return FALSE;
}

static gdouble
lowest (const GstEegChannel *channel)
{
  return MIN (channel->physical_min, channel->physical_max);
}

static gdouble
highest (const GstEegChannel *channel)
{
  return MAX (channel->physical_min, channel->physical_max);
}

/* A channel less something from low to high: no value lies outside its new
 * limits. */
static void
subtract_range (GstEegChannel *row, gdouble low, gdouble high)
{
  gdouble min = lowest (row) - high, max = highest (row) - low;

  row->physical_min = min;
  row->physical_max = max;
  row->calibration_text = NULL;
}

static void
take_text (Plan *plan, const gchar **place, gchar *text)
{
  g_ptr_array_add (plan->texts, text);
  *place = text;
}

/* Less the mean of the channels named, or of all EEG channels. */
static gboolean
plan_mean (Plan *plan, const Settings *settings, const GstEegChannels *table,
    GError **error)
{
  gchar **names = gst_eeg_labels_split (settings->channels, ',');
  guint i, n_names = g_strv_length (names), n_used = 0, first = 0;
  gdouble low = 0, high = 0;
  gchar *reference;
  gboolean ok = TRUE;

  plan->used = g_new0 (bool, plan->n);
  plan->changed = g_new0 (bool, plan->n);
  for (i = 0; i < plan->n; i++)
    plan->changed[i] =
        plan->rows[i].type == GST_EEG_CHANNEL_TYPE_EEG && !plan->rows[i].bad;
  if (n_names == 0)
    memcpy (plan->used, plan->changed, plan->n * sizeof *plan->used);
  for (i = 0; ok && i < n_names; i++) {
    gint index = gst_eeg_labels_find (table, names[i], error);

    ok = index >= 0;
    if (ok)
      plan->used[index] = !plan->rows[index].bad;
  }
  for (i = 0; ok && i < plan->n; i++) {
    if (!plan->used[i])
      continue;
    if (n_used++ == 0)
      first = i;
    low += lowest (&plan->rows[i]);
    high += highest (&plan->rows[i]);
  }
  if (ok && n_used == 0) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        n_names == 0 ? "There is no EEG channel that is not bad."
                     : "All channels of the reference are marked bad.");
    ok = FALSE;
  }
  for (i = 0; ok && i < plan->n; i++) {
    if (plan->used[i] || plan->changed[i])
      ok = check_units (&plan->rows[first], &plan->rows[i], error);
  }
  if (ok) {
    reference = n_names == 0 ? g_strdup ("AVG")
        : n_used == 1        ? g_strdup (plan->rows[first].label)
                             : g_strdup ("REF");
    for (i = 0; i < plan->n; i++) {
      GstEegChannel *row = &plan->rows[i];

      if (!plan->changed[i])
        continue;
      subtract_range (row, low / n_used, high / n_used);
      if (settings->relabel)
        take_text (plan, &row->label,
            g_strdup_printf ("%s-%s", gst_eeg_channels_get (table, i)->label,
                reference));
    }
    g_free (reference);
  }
  g_strfreev (names);
  return ok;
}

/* Finds the two labels of a pair: the one hyphen between two that exist. */
static gboolean
find_pair (const GstEegChannels *table, const gchar *pair, gint *from,
    gint *minus, GError **error)
{
  guint hyphens = 0, found = 0;
  const gchar *p;

  for (p = pair; *p != '\0'; p++) {
    gchar *left, *right;
    gint a, b;

    if (*p == '\\' && p[1] != '\0') {
      p++;
      continue;
    }
    if (*p != '-')
      continue;
    hyphens++;
    left = g_strstrip (g_strndup (pair, p - pair));
    right = g_strstrip (g_strdup (p + 1));
    a = gst_eeg_labels_find (table, left, NULL);
    b = gst_eeg_labels_find (table, right, NULL);
    g_free (left);
    g_free (right);
    if (a >= 0 && b >= 0) {
      *from = a;
      *minus = b;
      found++;
    }
  }
  if (found == 1)
    return TRUE;
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
      hyphens == 0     ? "'%s' is no pair of labels with a hyphen between them."
          : found == 0 ? "'%s' is no pair of channels that exist."
                       : "'%s' may be more than one pair of channels.",
      pair);
  return FALSE;
}

/* The pairs, then the channels that are in none. */
static gboolean
plan_bipolar (Plan *plan, const Settings *settings, const GstEegChannels *table,
    GError **error)
{
  gchar **pairs = gst_eeg_labels_split (settings->bipolar, ',');
  guint i, n_pairs = g_strv_length (pairs), n = plan->n;
  gboolean *paired = g_new0 (gboolean, n);
  gboolean ok = n_pairs + n <= GST_EEG_MAX_CHANNELS;

  if (!ok)
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "%u pairs are too many.", n_pairs);
  g_free (plan->rows);
  plan->rows = g_new0 (GstEegChannel, n_pairs + n);
  plan->from = g_new0 (guint, n_pairs + n);
  plan->minus = g_new0 (gint, n_pairs + n);
  plan->n = 0;
  for (i = 0; ok && i < n_pairs; i++) {
    GstEegChannel *row = &plan->rows[plan->n];
    const GstEegChannel *anode, *cathode;
    gint from = 0, minus = 0;

    ok = find_pair (table, pairs[i], &from, &minus, error);
    if (!ok)
      break;
    anode = gst_eeg_channels_get (table, from);
    cathode = gst_eeg_channels_get (table, minus);
    ok = check_units (anode, cathode, error);
    *row = *anode;
    row->bad = anode->bad || cathode->bad;
    row->source_index = -1;
    subtract_range (row, lowest (cathode), highest (cathode));
    if (settings->relabel)
      take_text (plan, &row->label,
          g_strdup_printf ("%s-%s", anode->label, cathode->label));
    paired[from] = paired[minus] = TRUE;
    plan->from[plan->n] = from;
    plan->minus[plan->n++] = minus;
  }
  for (i = 0; i < n; i++) {
    if (paired[i])
      continue;
    plan->rows[plan->n] = *gst_eeg_channels_get (table, i);
    plan->from[plan->n] = i;
    plan->minus[plan->n++] = -1;
  }
  g_free (paired);
  g_strfreev (pairs);
  return ok;
}

/* Without a table all channels are EEG, and only their average can be asked. */
static gboolean
plan_make (Plan *plan, const Settings *settings, const GstEegInfo *info,
    GError **error)
{
  const GstEegChannels *table = info->channel_table;
  gboolean has_channels = settings->channels && settings->channels[0] != '\0';
  gboolean has_bipolar = settings->bipolar && settings->bipolar[0] != '\0';
  guint i;

  plan->n = info->channels;
  plan->texts = g_ptr_array_new_with_free_func (g_free);
  if (has_channels && has_bipolar) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "channels and bipolar cannot both be set.");
    return FALSE;
  }
  if (table == NULL) {
    if (has_channels || has_bipolar) {
      g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
          "The caps have no channel table, so no channel has a label.");
      return FALSE;
    }
    plan->used = g_new (bool, plan->n);
    plan->changed = g_new (bool, plan->n);
    for (i = 0; i < plan->n; i++)
      plan->used[i] = plan->changed[i] = true;
    return TRUE;
  }
  plan->rows = g_new (GstEegChannel, plan->n);
  for (i = 0; i < plan->n; i++)
    plan->rows[i] = *gst_eeg_channels_get (table, i);
  return has_bipolar ? plan_bipolar (plan, settings, table, error)
                     : plan_mean (plan, settings, table, error);
}

static void
plan_get_info (const Plan *plan, const GstEegInfo *in_info,
    GstEegInfo *out_info)
{
  GstEegChannels *table = NULL;

  if (plan->rows != NULL)
    table = gst_eeg_channels_new (plan->rows, plan->n);
  gst_eeg_info_set (out_info, in_info->format, in_info->domain, in_info->rate_n,
      in_info->rate_d, plan->n, table);
  g_clear_pointer (&table, gst_eeg_channels_unref);
}

static gboolean
gst_eeg_reference_apply_settings (GstEegFilter *filter, gconstpointer settings,
    const GstEegInfo *info, GError **error)
{
  Plan plan = { 0 };
  gboolean ok = info == NULL || plan_make (&plan, settings, info, error);

  plan_clear (&plan);
  return ok;
}

static gboolean
plan_active (GstEegReference *self, Plan *plan, const GstEegInfo *in_info,
    GError **error)
{
  Settings settings = { 0 };
  gboolean ok;

  gst_eeg_filter_get_active_settings (GST_EEG_FILTER (self), &settings);
  ok = plan_make (plan, &settings, in_info, error);
  settings_clear (&settings);
  return ok;
}

static gboolean
gst_eeg_reference_transform_info (GstEegFilter *filter,
    const GstEegInfo *in_info, GstEegInfo *out_info, GError **error)
{
  Plan plan = { 0 };
  gboolean ok = plan_active (GST_EEG_REFERENCE (filter), &plan, in_info, error);

  if (ok)
    plan_get_info (&plan, in_info, out_info);
  plan_clear (&plan);
  return ok;
}

/* ---- samples ---- */

static gboolean
gst_eeg_reference_set_info (GstEegFilter *filter, const GstEegInfo *in_info,
    const GstEegInfo *out_info, GError **error)
{
  GstEegReference *self = GST_EEG_REFERENCE (filter);
  eeg_montage_format format = in_info->format == GST_EEG_FORMAT_F32LE
      ? EEG_MONTAGE_F32
      : EEG_MONTAGE_F64;
  Plan plan = { 0 };
  gboolean ok;

  ok = plan_active (self, &plan, in_info, error);
  if (ok) {
    eeg_montage_free (self->montage);
    if (plan.used != NULL)
      self->montage = eeg_montage_new_mean (format, plan.n, plan.used,
          plan.changed, eeg_cpu_choose ());
    else
      self->montage = eeg_montage_new_difference (format, in_info->channels,
          plan.from, plan.minus, plan.n, eeg_cpu_choose ());
    gst_eeg_filter_set_origins (filter, plan.used != NULL ? NULL : plan.from,
        plan.n);
    ok = self->montage != NULL;
    if (!ok)
      g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
          "No memory for a reference of %d channels.", in_info->channels);
  }
  plan_clear (&plan);
  if (!ok)
    return FALSE;
  GST_OBJECT_LOCK (self);
  self->memory = eeg_montage_get_size (self->montage);
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static gboolean
gst_eeg_reference_process (GstEegFilter *filter, gconstpointer in, gsize n_in,
    gpointer out, gsize n_out, GError **error)
{
  eeg_montage_run (GST_EEG_REFERENCE (filter)->montage, in, out, n_in);
  return TRUE;
}

static gsize
gst_eeg_reference_get_memory (GstEegFilter *filter)
{
  GstEegReference *self = GST_EEG_REFERENCE (filter);
  gsize memory;

  GST_OBJECT_LOCK (self);
  memory = self->memory;
  GST_OBJECT_UNLOCK (self);
  return memory;
}

static gboolean
gst_eeg_reference_stop (GstBaseTransform *trans)
{
  GstEegReference *self = GST_EEG_REFERENCE (trans);

  g_clear_pointer (&self->montage, eeg_montage_free);
  GST_OBJECT_LOCK (self);
  self->memory = 0;
  GST_OBJECT_UNLOCK (self);
  return GST_BASE_TRANSFORM_CLASS (gst_eeg_reference_parent_class)
      ->stop (trans);
}

static void
gst_eeg_reference_stage_init (GstEegStageInterface *iface)
{
  iface->stateless = TRUE;
}

/* ---- properties ---- */

static void
gst_eeg_reference_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstEegReference *self = GST_EEG_REFERENCE (object);
  Settings *settings = gst_eeg_filter_peek_settings (GST_EEG_FILTER (object));
  gchar *text = NULL;

  if (G_IS_PARAM_SPEC_STRING (pspec))
    text = g_value_dup_string (value);
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_CHANNELS: {
      gchar *old = settings->channels;

      settings->channels = text;
      text = old;
      break;
    }
    case PROP_BIPOLAR: {
      gchar *old = settings->bipolar;

      settings->bipolar = text;
      text = old;
      break;
    }
    case PROP_RELABEL:
      settings->relabel = g_value_get_boolean (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
  g_free (text);
}

static void
gst_eeg_reference_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstEegReference *self = GST_EEG_REFERENCE (object);
  Settings *settings = gst_eeg_filter_peek_settings (GST_EEG_FILTER (object));

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_CHANNELS:
      g_value_set_string (value, settings->channels ? settings->channels : "");
      break;
    case PROP_BIPOLAR:
      g_value_set_string (value, settings->bipolar ? settings->bipolar : "");
      break;
    case PROP_RELABEL:
      g_value_set_boolean (value, settings->relabel);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_eeg_reference_finalize (GObject *object)
{
  GstEegReference *self = GST_EEG_REFERENCE (object);

  g_clear_pointer (&self->montage, eeg_montage_free);
  G_OBJECT_CLASS (gst_eeg_reference_parent_class)->finalize (object);
}

static void
gst_eeg_reference_class_init (GstEegReferenceClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);
  GstEegFilterClass *filter_class = GST_EEG_FILTER_CLASS (klass);
  GParamSpec *properties[N_PROPERTIES];
  guint i;
  const GParamFlags hot =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;

  object_class->set_property = gst_eeg_reference_set_property;
  object_class->get_property = gst_eeg_reference_get_property;
  object_class->finalize = gst_eeg_reference_finalize;

  /**
   * GstEegReference:channels:
   *
   * Labels with commas between them; their mean is the reference. Those marked
   * bad are left out of it. Empty: the mean of all EEG channels.
   */
  properties[PROP_CHANNELS] = g_param_spec_string ("channels", "Channels",
      "Labels of the channels whose mean is the reference, with commas; empty = "
      "all EEG channels that are not bad",
      "", hot);
  /**
   * GstEegReference:bipolar:
   *
   * Pairs `anode-cathode` with commas between them. They come out in this
   * order, followed by the channels that are in no pair. A pair with a bad
   * channel is marked bad. A hyphen inside a label is found by trying; where
   * two readings are possible, put a backslash before the hyphens of labels.
   */
  properties[PROP_BIPOLAR] = g_param_spec_string ("bipolar", "Bipolar",
      "Pairs anode-cathode with commas, in place of a common reference", "",
      hot);
  /**
   * GstEegReference:relabel:
   *
   * Labels become `Fp1-AVG`, `Fp1-A1` or, with several channels as reference,
   * `Fp1-REF`; a pair becomes `Fp1-F3`. If %FALSE, labels stay, and a pair has
   * that of its anode.
   */
  properties[PROP_RELABEL] = g_param_spec_boolean ("relabel", "Relabel",
      "Whether labels say the new reference: Fp1-AVG, Fp1-A1, Fp1-REF, Fp1-F3",
      DEFAULT_RELABEL, hot);
  for (i = 1; i < N_PROPERTIES; i++)
    gst_eeg_filter_class_install_setting (filter_class, i, properties[i]);

  gst_element_class_set_static_metadata (element_class, "EEG reference",
      "Filter/Effect",
      "Refers EEG channels to their average, to some channels, or pairwise to "
      "each other",
      "gst-plugins-eeg developers");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);

  trans_class->stop = gst_eeg_reference_stop;
  filter_class->in_place = TRUE;
  filter_class->settings_size = sizeof (Settings);
  filter_class->settings_renegotiate = TRUE;
  filter_class->copy_settings = settings_copy;
  filter_class->clear_settings = settings_clear;
  filter_class->apply_settings = gst_eeg_reference_apply_settings;
  filter_class->transform_info = gst_eeg_reference_transform_info;
  filter_class->set_info = gst_eeg_reference_set_info;
  filter_class->moves_channels = TRUE;
  filter_class->process = gst_eeg_reference_process;
  filter_class->get_memory = gst_eeg_reference_get_memory;
}

static void
gst_eeg_reference_init (GstEegReference *self)
{
  const Settings defaults = { .relabel = DEFAULT_RELABEL };

  gst_eeg_filter_init_settings (GST_EEG_FILTER (self), &defaults);
}
