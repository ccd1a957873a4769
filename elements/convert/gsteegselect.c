/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-eegselect
 * @title: eegselect
 * @short_description: pick, order, rename and mark channels
 *
 * Picks channels by label or pattern in the order that is given, renames them,
 * sets their types and marks them bad or good. Samples are copied bit for bit.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 eegsrc num-samples=1000 ! \
 *     eegselect channels="C3,C4,*" bad=O2 ! fakesink
 * ]|
 *
 * Takes every format of `application/x-eeg-raw`, counts and voltages; the caps
 * that come out have the other channels and their table. Nothing is held back:
 * no latency, and GAP, flush and EOS pass at once. Where only the table
 * changes, buffers pass on untouched. Input and output caps differ, so there is
 * no `enabled` property.
 *
 * Every property can be changed while playing; new caps go out before the next
 * buffer. What does not fit the channels is refused with a warning, and all
 * properties stay as they were.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsteegselect.h"

#include <string.h>

#include "gsteeglabels.h"
#include "montage.h"

#define GST_CAT_DEFAULT gst_eeg_select_debug
GST_DEBUG_CATEGORY_STATIC (GST_CAT_DEFAULT);

enum
{
  PROP_0,
  PROP_CHANNELS,
  PROP_DROP,
  PROP_RENAME,
  PROP_TYPES,
  PROP_BAD,
  PROP_GOOD,
  N_PROPERTIES
};

/* The strings of the properties, by their numbers; NULL counts as empty. */
typedef struct
{
  gchar *text[N_PROPERTIES];
} Settings;

struct _GstEegSelect
{
  GstEegFilter parent;

  /* object lock */
  gsize memory;

  /* streaming thread */
  eeg_montage *montage;
};

/* Locking: as the base class says. The object lock guards what the struct says,
 * inside the lock of the settings. */

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS (
        GST_EEG_RAW_CAPS_MAKE (GST_EEG_FORMATS_ALL, "{ counts, voltage }")));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS (
        GST_EEG_RAW_CAPS_MAKE (GST_EEG_FORMATS_ALL, "{ counts, voltage }")));

static void gst_eeg_select_stage_init (GstEegStageInterface *iface);

G_DEFINE_TYPE_WITH_CODE (GstEegSelect, gst_eeg_select, GST_TYPE_EEG_FILTER,
    G_IMPLEMENT_INTERFACE (GST_TYPE_EEG_STAGE, gst_eeg_select_stage_init)
        GST_DEBUG_CATEGORY_INIT (GST_CAT_DEFAULT, "eegselect", 0,
            "choice of EEG channels"))
GST_ELEMENT_REGISTER_DEFINE (eegselect, "eegselect", GST_RANK_NONE,
    GST_TYPE_EEG_SELECT)

/* ---- settings ---- */

static void
settings_copy (gpointer to_settings, gconstpointer from_settings)
{
  Settings *to = to_settings;
  const Settings *from = from_settings;
  guint i;

  for (i = 0; i < N_PROPERTIES; i++) {
    gchar *old = to->text[i];

    to->text[i] = g_strdup (from->text[i]);
    g_free (old);
  }
}

static void
settings_clear (gpointer data)
{
  Settings *settings = data;
  guint i;

  for (i = 0; i < N_PROPERTIES; i++)
    g_clear_pointer (&settings->text[i], g_free);
}

static gboolean
settings_are_empty (const Settings *settings)
{
  guint i;

  for (i = 0; i < N_PROPERTIES; i++) {
    if (settings->text[i] != NULL && settings->text[i][0] != '\0')
      return FALSE;
  }
  return TRUE;
}

/* What channels become: the rows of the new table, and where each comes
 * from. */
typedef struct
{
  guint n;
  guint *from;
  GstEegChannel *rows; /* strings belong to the old table or to texts */
  GPtrArray *texts;
} Plan;

static void
plan_clear (Plan *plan)
{
  g_clear_pointer (&plan->from, g_free);
  g_clear_pointer (&plan->rows, g_free);
  g_clear_pointer (&plan->texts, g_ptr_array_unref);
}

/* Calls a function for each channel of the table that the item means. A label
 * that no channel has is an error, a pattern that none fits is not. */
typedef void (*ForChannel) (guint index, const gchar *star, gpointer data);

static gboolean
for_channels (const GstEegChannels *table, const gchar *pattern,
    ForChannel function, gpointer data, GError **error)
{
  guint i, n = gst_eeg_channels_get_size (table);
  gboolean found = FALSE;
  gchar *star;

  for (i = 0; i < n; i++) {
    if (gst_eeg_labels_match (pattern, gst_eeg_channels_get (table, i)->label,
            &star)) {
      function (i, star, data);
      found = TRUE;
      g_free (star);
    }
  }
  if (!found && !gst_eeg_labels_has_wildcard (pattern)) {
    gst_eeg_labels_find (table, pattern, error);
    return FALSE;
  }
  return TRUE;
}

static gboolean
for_each_item (const GstEegChannels *table, const gchar *list,
    ForChannel function, gpointer data, GError **error)
{
  gchar **items = gst_eeg_labels_split (list, ',');
  gboolean ok = TRUE;
  guint i;

  for (i = 0; ok && items[i] != NULL; i++)
    ok = for_channels (table, items[i], function, data, error);
  g_strfreev (items);
  return ok;
}

typedef struct
{
  GArray *picked; /* of guint */
  gboolean *taken;
} Picks;

static void
pick (guint index, const gchar *star, gpointer data)
{
  Picks *picks = data;

  if (!picks->taken[index])
    g_array_append_val (picks->picked, index);
  picks->taken[index] = TRUE;
}

static void
set_flag (guint index, const gchar *star, gpointer data)
{
  ((gboolean *) data)[index] = TRUE;
}

static void
mark_bad (guint index, const gchar *star, gpointer data)
{
  ((GstEegChannel *) data)[index].bad = TRUE;
}

static void
mark_good (guint index, const gchar *star, gpointer data)
{
  ((GstEegChannel *) data)[index].bad = FALSE;
}

typedef struct
{
  GstEegChannel *rows;
  GstEegChannelType type;
  const gchar *label;
  GPtrArray *texts;
} Change;

static void
set_type (guint index, const gchar *star, gpointer data)
{
  Change *change = data;

  change->rows[index].type = change->type;
}

static void
set_label (guint index, const gchar *star, gpointer data)
{
  Change *change = data;
  gchar *label = gst_eeg_labels_replace_star (change->label, star);

  g_ptr_array_add (change->texts, label);
  change->rows[index].label = label;
}

/* Calls a function for the channels of each item `pattern=value`. */
static gboolean
for_each_pair (const GstEegChannels *table, const gchar *list,
    const gchar *property, ForChannel function, Change *change, GError **error)
{
  gchar **items = gst_eeg_labels_split (list, ',');
  gboolean ok = TRUE;
  guint i;

  for (i = 0; ok && items[i] != NULL; i++) {
    gchar **sides = gst_eeg_labels_split (items[i], '=');

    if (g_strv_length (sides) != 2) {
      g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
          "'%s' in %s is not of the form old=new.", items[i], property);
      ok = FALSE;
    } else if (function == set_type) {
      GEnumClass *types = g_type_class_ref (GST_TYPE_EEG_CHANNEL_TYPE);
      GEnumValue *type = g_enum_get_value_by_nick (types, sides[1]);

      if (type != NULL) {
        change->type = type->value;
      } else {
        g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
            "There is no channel type '%s'.", sides[1]);
        ok = FALSE;
      }
      g_type_class_unref (types);
    } else {
      change->label = sides[1];
    }
    ok = ok && for_channels (table, sides[0], function, change, error);
    g_strfreev (sides);
  }
  g_strfreev (items);
  return ok;
}

/* All patterns are about the labels as they come in. */
static gboolean
plan_make (Plan *plan, const Settings *settings, const GstEegChannels *table,
    GError **error)
{
  guint i, n = gst_eeg_channels_get_size (table);
  GstEegChannel *rows = g_new (GstEegChannel, n);
  gboolean *dropped = g_new0 (gboolean, n);
  Picks picks = { g_array_new (FALSE, FALSE, sizeof (guint)),
    g_new0 (gboolean, n) };
  Change change = { .rows = rows };
  gboolean ok;

  plan->texts = change.texts = g_ptr_array_new_with_free_func (g_free);
  for (i = 0; i < n; i++)
    rows[i] = *gst_eeg_channels_get (table, i);

  ok = for_each_item (table,
           settings->text[PROP_CHANNELS] && settings->text[PROP_CHANNELS][0]
               ? settings->text[PROP_CHANNELS]
               : "*",
           pick, &picks, error)
      && for_each_item (table, settings->text[PROP_DROP], set_flag, dropped,
          error)
      && for_each_pair (table, settings->text[PROP_RENAME], "rename", set_label,
          &change, error)
      && for_each_pair (table, settings->text[PROP_TYPES], "types", set_type,
          &change, error)
      && for_each_item (table, settings->text[PROP_BAD], mark_bad, rows, error)
      && for_each_item (table, settings->text[PROP_GOOD], mark_good, rows,
          error);

  plan->n = 0;
  plan->from = g_new (guint, n);
  plan->rows = g_new (GstEegChannel, n);
  for (i = 0; ok && i < picks.picked->len; i++) {
    guint index = g_array_index (picks.picked, guint, i);

    if (dropped[index])
      continue;
    plan->from[plan->n] = index;
    plan->rows[plan->n++] = rows[index];
  }
  if (ok && plan->n == 0) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "No channel is left.");
    ok = FALSE;
  }
  g_array_unref (picks.picked);
  g_free (picks.taken);
  g_free (dropped);
  g_free (rows);
  return ok;
}

/* Makes what the settings say of the input; from is %NULL on request. */
static gboolean
apply_settings (const Settings *settings, const GstEegInfo *in_info,
    GstEegInfo *out_info, guint **from, GError **error)
{
  GstEegChannels *table;
  Plan plan = { 0 };
  gboolean ok;
  gint i;

  if (in_info->channel_table == NULL) {
    if (!settings_are_empty (settings)) {
      g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
          "The caps have no channel table, so no channel has a label.");
      return FALSE;
    }
    gst_eeg_info_copy_into (in_info, out_info);
    if (from != NULL) {
      *from = g_new (guint, in_info->channels);
      for (i = 0; i < in_info->channels; i++)
        (*from)[i] = i;
    }
    return TRUE;
  }
  ok = plan_make (&plan, settings, in_info->channel_table, error);
  if (ok) {
    table = gst_eeg_channels_new (plan.rows, plan.n);
    gst_eeg_info_set (out_info, in_info->format, in_info->domain,
        in_info->rate_n, in_info->rate_d, plan.n, table);
    gst_eeg_channels_unref (table);
    if (from != NULL)
      *from = g_steal_pointer (&plan.from);
  }
  plan_clear (&plan);
  return ok;
}

static gboolean
gst_eeg_select_apply_settings (GstEegFilter *filter, gconstpointer settings,
    const GstEegInfo *info, GError **error)
{
  GstEegInfo out_info;
  gboolean ok;

  if (info == NULL)
    return TRUE;
  gst_eeg_info_init (&out_info);
  ok = apply_settings (settings, info, &out_info, NULL, error);
  gst_eeg_info_clear (&out_info);
  return ok;
}

static gboolean
apply_active (GstEegSelect *self, const GstEegInfo *in_info,
    GstEegInfo *out_info, guint **from, GError **error)
{
  Settings settings = { 0 };
  gboolean ok;

  gst_eeg_filter_get_active_settings (GST_EEG_FILTER (self), &settings);
  ok = apply_settings (&settings, in_info, out_info, from, error);
  settings_clear (&settings);
  return ok;
}

static gboolean
gst_eeg_select_transform_info (GstEegFilter *filter, const GstEegInfo *in_info,
    GstEegInfo *out_info, GError **error)
{
  return apply_active (GST_EEG_SELECT (filter), in_info, out_info, NULL, error);
}

/* ---- samples ---- */

static gboolean
gst_eeg_select_set_info (GstEegFilter *filter, const GstEegInfo *in_info,
    const GstEegInfo *out_info, GError **error)
{
  GstEegSelect *self = GST_EEG_SELECT (filter);
  GstEegInfo info;
  guint *from = NULL;
  gboolean ok;

  gst_eeg_info_init (&info);
  ok = apply_active (self, in_info, &info, &from, error);
  gst_eeg_info_clear (&info);
  if (!ok)
    return FALSE;
  eeg_montage_free (self->montage);
  self->montage = eeg_montage_new_select (in_info->bytes_per_sample,
      in_info->channels, from, out_info->channels, eeg_cpu_choose ());
  gst_eeg_filter_set_origins (filter, from, out_info->channels);
  g_free (from);
  if (self->montage == NULL) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
        "No memory for a choice of %d channels.", out_info->channels);
    return FALSE;
  }
  GST_OBJECT_LOCK (self);
  self->memory = eeg_montage_get_size (self->montage);
  GST_OBJECT_UNLOCK (self);
  /* where all channels stay in their places, so do buffers */
  gst_eeg_filter_set_enabled (filter, !eeg_montage_is_identity (self->montage));
  return TRUE;
}

static gboolean
gst_eeg_select_process (GstEegFilter *filter, gconstpointer in, gsize n_in,
    gpointer out, gsize n_out, GError **error)
{
  eeg_montage_run (GST_EEG_SELECT (filter)->montage, in, out, n_in);
  return TRUE;
}

static gsize
gst_eeg_select_get_memory (GstEegFilter *filter)
{
  GstEegSelect *self = GST_EEG_SELECT (filter);
  gsize memory;

  GST_OBJECT_LOCK (self);
  memory = self->memory;
  GST_OBJECT_UNLOCK (self);
  return memory;
}

static gboolean
gst_eeg_select_stop (GstBaseTransform *trans)
{
  GstEegSelect *self = GST_EEG_SELECT (trans);

  g_clear_pointer (&self->montage, eeg_montage_free);
  GST_OBJECT_LOCK (self);
  self->memory = 0;
  GST_OBJECT_UNLOCK (self);
  return GST_BASE_TRANSFORM_CLASS (gst_eeg_select_parent_class)->stop (trans);
}

static void
gst_eeg_select_stage_init (GstEegStageInterface *iface)
{
  iface->stateless = TRUE;
}

/* ---- properties ---- */

static void
gst_eeg_select_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstEegSelect *self = GST_EEG_SELECT (object);
  Settings *settings = gst_eeg_filter_peek_settings (GST_EEG_FILTER (object));
  gchar *text, *old;

  if (id == PROP_0 || id >= N_PROPERTIES) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    return;
  }
  text = g_value_dup_string (value);
  GST_OBJECT_LOCK (self);
  old = settings->text[id];
  settings->text[id] = text;
  GST_OBJECT_UNLOCK (self);
  g_free (old);
}

static void
gst_eeg_select_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstEegSelect *self = GST_EEG_SELECT (object);
  Settings *settings = gst_eeg_filter_peek_settings (GST_EEG_FILTER (object));
  gchar *text;

  if (id == PROP_0 || id >= N_PROPERTIES) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    return;
  }
  GST_OBJECT_LOCK (self);
  text = g_strdup (settings->text[id] ? settings->text[id] : "");
  GST_OBJECT_UNLOCK (self);
  g_value_take_string (value, text);
}

static void
gst_eeg_select_finalize (GObject *object)
{
  GstEegSelect *self = GST_EEG_SELECT (object);

  g_clear_pointer (&self->montage, eeg_montage_free);
  G_OBJECT_CLASS (gst_eeg_select_parent_class)->finalize (object);
}

static void
gst_eeg_select_class_init (GstEegSelectClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);
  GstEegFilterClass *filter_class = GST_EEG_FILTER_CLASS (klass);
  GParamSpec *properties[N_PROPERTIES];
  guint i;
  const GParamFlags hot =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;

  object_class->set_property = gst_eeg_select_set_property;
  object_class->get_property = gst_eeg_select_get_property;
  object_class->finalize = gst_eeg_select_finalize;

  /**
   * GstEegSelect:channels:
   *
   * Labels and patterns with commas between them. `*` stands for any characters
   * and `?` for one; a backslash takes the next character as it is. A channel
   * is picked once, where it is named first, so `C3,C4,*` puts these two in
   * front. A label that no channel has is an error. Of channels with the same
   * label all are meant.
   */
  properties[PROP_CHANNELS] = g_param_spec_string ("channels", "Channels",
      "Labels and patterns (* and ?) of the channels to pick, in their new "
      "order, with commas; empty = all",
      "", hot);
  /**
   * GstEegSelect:drop:
   *
   * As #GstEegSelect:channels; what it names is left out of these.
   */
  properties[PROP_DROP] = g_param_spec_string ("drop", "Drop",
      "Labels and patterns of the channels to leave out, with commas", "", hot);
  /**
   * GstEegSelect:rename:
   *
   * Items `old=new` with commas between them. What the first `*` of a pattern
   * stands for takes the place of the `*` in the new label: `EEG *-Ref=*`.
   */
  properties[PROP_RENAME] = g_param_spec_string ("rename", "Rename",
      "Items old=new with commas; old may be a pattern, whose first * stands in "
      "new too",
      "", hot);
  /**
   * GstEegSelect:types:
   *
   * Items `label=type` with commas between them, the label as it comes in, the
   * type `eeg`, `eog`, `emg`, `ecg`, `trigger` or `unknown`. Filters act on the
   * first four.
   */
  properties[PROP_TYPES] = g_param_spec_string ("types", "Types",
      "Items label=type with commas; types: eeg, eog, emg, ecg, trigger, "
      "unknown",
      "", hot);
  properties[PROP_BAD] = g_param_spec_string ("bad", "Bad",
      "Labels and patterns of the channels to mark as bad, with commas", "",
      hot);
  properties[PROP_GOOD] = g_param_spec_string ("good", "Good",
      "Labels and patterns of the channels that are not bad, whatever came in "
      "or the property bad says, with commas",
      "", hot);
  for (i = 1; i < N_PROPERTIES; i++)
    gst_eeg_filter_class_install_setting (filter_class, i, properties[i]);

  gst_element_class_set_static_metadata (element_class, "EEG channel selection",
      "Filter/Converter",
      "Picks, orders, renames and marks channels by label or pattern",
      "gst-plugins-eeg developers");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);

  trans_class->stop = gst_eeg_select_stop;
  filter_class->in_place = TRUE;
  filter_class->settings_size = sizeof (Settings);
  filter_class->settings_renegotiate = TRUE;
  filter_class->copy_settings = settings_copy;
  filter_class->clear_settings = settings_clear;
  filter_class->apply_settings = gst_eeg_select_apply_settings;
  filter_class->transform_info = gst_eeg_select_transform_info;
  filter_class->set_info = gst_eeg_select_set_info;
  filter_class->moves_channels = TRUE;
  filter_class->process = gst_eeg_select_process;
  filter_class->get_memory = gst_eeg_select_get_memory;
}

static void
gst_eeg_select_init (GstEegSelect *self)
{
  const Settings defaults = { { NULL } };

  gst_eeg_filter_init_settings (GST_EEG_FILTER (self), &defaults);
}
