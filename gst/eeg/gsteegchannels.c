/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:gsteegchannels
 * @title: GstEegChannels
 * @short_description: the channel table, an immutable caps field
 *
 * A channel table says what each interleaved channel of an
 * `application/x-eeg-raw` stream is and how its counts become physical values.
 * It is refcounted and immutable, and travels in the caps field
 * `channel-table`, so that set_caps() has it and a change renegotiates. As a
 * #GValue it compares by content, intersects, and serialises as its hash only:
 * a printed caps string stays short and says nothing about a patient.
 */
#include "gsteegchannels.h"

#include <math.h>
#include <string.h>

struct _GstEegChannels
{
  gint ref_count; /* atomic */
  guint n_channels;
  guint64 hash;
  GstEegChannel channels[];
};

GType
gst_eeg_channel_type_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { GST_EEG_CHANNEL_TYPE_UNKNOWN, "Unknown", "unknown" },
    { GST_EEG_CHANNEL_TYPE_EEG, "Electroencephalogram", "eeg" },
    { GST_EEG_CHANNEL_TYPE_EOG, "Electrooculogram", "eog" },
    { GST_EEG_CHANNEL_TYPE_EMG, "Electromyogram", "emg" },
    { GST_EEG_CHANNEL_TYPE_ECG, "Electrocardiogram", "ecg" },
    { GST_EEG_CHANNEL_TYPE_TRIGGER, "Trigger or status", "trigger" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type)) {
    GType new_type = g_enum_register_static ("GstEegChannelType", values);

    g_once_init_leave (&type, new_type);
  }
  return type;
}

/* Is word, in any case, in text and not inside a longer word? */
static gboolean
contains_word (const gchar *text, const gchar *word)
{
  gsize length = strlen (word);
  const gchar *p;

  for (p = text; *p != '\0'; p++) {
    if (g_ascii_strncasecmp (p, word, length) == 0
        && (p == text || !g_ascii_isalpha (p[-1]))
        && !g_ascii_isalpha (p[length]))
      return TRUE;
  }
  return FALSE;
}

static gboolean
contains_any_word (const gchar *text, const gchar *const *words)
{
  for (; *words != NULL; words++) {
    if (contains_word (text, *words))
      return TRUE;
  }
  return FALSE;
}

static gboolean
is_voltage_unit (const gchar *unit)
{
  /* "V" with an SI prefix. The micro sign appears as U+00B5 and U+03BC. */
  static const gchar *const units[] = { "V", "mV", "uV", "nV", "\302\265V",
    "\316\274V", NULL };

  return g_strv_contains (units, unit);
}

/**
 * gst_eeg_channel_type_guess:
 * @label: the channel's label
 * @unit: its physical dimension, UTF-8
 *
 * The one rule from labels and units to channel types, shared by all
 * elements. Words are compared without case:
 *
 * 1. a label with the word Status, Trigger, Trig, STI, Event, Events, Marker
 *    or Markers is a trigger channel;
 * 2. a @unit that is not a voltage (V, mV, uV, nV, or with a micro sign) makes
 *    an unknown channel;
 * 3. a label with EOG, HEOG or VEOG is EOG, with EMG it is EMG, with ECG or
 *    EKG it is ECG;
 * 4. any other voltage is EEG (also SEEG, ECoG and bare electrode names).
 *
 * Returns: the type
 */
GstEegChannelType
gst_eeg_channel_type_guess (const gchar *label, const gchar *unit)
{
  static const gchar *const trigger[] = { "Status", "Trigger", "Trig", "STI",
    "Event", "Events", "Marker", "Markers", NULL };
  static const gchar *const eog[] = { "EOG", "HEOG", "VEOG", NULL };
  static const gchar *const emg[] = { "EMG", NULL };
  static const gchar *const ecg[] = { "ECG", "EKG", NULL };

  g_return_val_if_fail (label != NULL, GST_EEG_CHANNEL_TYPE_UNKNOWN);
  g_return_val_if_fail (unit != NULL, GST_EEG_CHANNEL_TYPE_UNKNOWN);

  if (contains_any_word (label, trigger))
    return GST_EEG_CHANNEL_TYPE_TRIGGER;
  if (!is_voltage_unit (unit))
    return GST_EEG_CHANNEL_TYPE_UNKNOWN;
  if (contains_any_word (label, eog))
    return GST_EEG_CHANNEL_TYPE_EOG;
  if (contains_any_word (label, emg))
    return GST_EEG_CHANNEL_TYPE_EMG;
  if (contains_any_word (label, ecg))
    return GST_EEG_CHANNEL_TYPE_ECG;
  return GST_EEG_CHANNEL_TYPE_EEG;
}

/**
 * gst_eeg_channel_type_is_signal:
 * @type: a channel type
 *
 * Returns: whether sample filters act on channels of @type
 */
gboolean
gst_eeg_channel_type_is_signal (GstEegChannelType type)
{
  return type == GST_EEG_CHANNEL_TYPE_EEG || type == GST_EEG_CHANNEL_TYPE_EOG
      || type == GST_EEG_CHANNEL_TYPE_EMG || type == GST_EEG_CHANNEL_TYPE_ECG;
}

/**
 * gst_eeg_channel_get_calibration:
 * @channel: a channel
 * @gain: (out): physical units per count
 * @offset: (out): physical value of count 0
 *
 * Computes physical = @gain * count + @offset from the four limits, in double.
 *
 * Returns: %FALSE if the limits give no calibration (equal digital limits,
 *     equal physical limits, or limits that are not finite); then @gain and
 *     @offset are 0
 */
gboolean
gst_eeg_channel_get_calibration (const GstEegChannel *channel, gdouble *gain,
    gdouble *offset)
{
  gdouble g;

  g_return_val_if_fail (channel != NULL, FALSE);
  g_return_val_if_fail (gain != NULL && offset != NULL, FALSE);

  *gain = *offset = 0.0;
  if (channel->digital_min == channel->digital_max
      || channel->physical_min == channel->physical_max
      || !isfinite (channel->physical_min) || !isfinite (channel->physical_max))
    return FALSE;

  g = (channel->physical_max - channel->physical_min)
      / ((gdouble) channel->digital_max - (gdouble) channel->digital_min);
  if (!isfinite (g) || g == 0.0)
    return FALSE;
  *gain = g;
  *offset = channel->physical_min - g * (gdouble) channel->digital_min;
  return TRUE;
}

/* FNV-1a, 64 bit: identifies a table in a log, protects nothing. */
static guint64
hash_bytes (guint64 hash, gconstpointer data, gsize size)
{
  const guint8 *p = data;
  gsize i;

  for (i = 0; i < size; i++)
    hash = (hash ^ p[i]) * G_GUINT64_CONSTANT (0x100000001b3);
  return hash;
}

static guint64
hash_channel (guint64 hash, const GstEegChannel *c)
{
  gint32 words[5] = { c->type, c->digital_min, c->digital_max, c->bad != FALSE,
    c->source_index };
  gdouble limits[2] = { c->physical_min, c->physical_max };

  hash = hash_bytes (hash, c->label, strlen (c->label) + 1);
  hash = hash_bytes (hash, c->unit, strlen (c->unit) + 1);
  hash = hash_bytes (hash, c->transducer, strlen (c->transducer) + 1);
  hash =
      hash_bytes (hash, c->calibration_text, strlen (c->calibration_text) + 1);
  hash = hash_bytes (hash, words, sizeof words);
  return hash_bytes (hash, limits, sizeof limits);
}

static gboolean
channel_is_equal (const GstEegChannel *a, const GstEegChannel *b)
{
  return strcmp (a->label, b->label) == 0 && a->type == b->type
      && strcmp (a->unit, b->unit) == 0
      && strcmp (a->transducer, b->transducer) == 0
      && a->physical_min == b->physical_min
      && a->physical_max == b->physical_max && a->digital_min == b->digital_min
      && a->digital_max == b->digital_max && !a->bad == !b->bad
      && strcmp (a->calibration_text, b->calibration_text) == 0
      && a->source_index == b->source_index;
}

/**
 * gst_eeg_channels_new:
 * @channels: (array length=n_channels): the rows; their strings are copied,
 *     %NULL counts as empty
 * @n_channels: how many, 1 to %GST_EEG_MAX_CHANNELS
 *
 * Returns: (transfer full): a new table
 */
GstEegChannels *
gst_eeg_channels_new (const GstEegChannel *channels, guint n_channels)
{
  GstEegChannels *table;
  guint i;

  g_return_val_if_fail (channels != NULL, NULL);
  g_return_val_if_fail (n_channels > 0 && n_channels <= GST_EEG_MAX_CHANNELS,
      NULL);

  table =
      g_malloc0 (sizeof (GstEegChannels) + n_channels * sizeof (GstEegChannel));
  table->ref_count = 1;
  table->n_channels = n_channels;
  table->hash = G_GUINT64_CONSTANT (0xcbf29ce484222325);
  for (i = 0; i < n_channels; i++) {
    GstEegChannel *c = &table->channels[i];

    *c = channels[i];
    c->label = g_strdup (c->label ? c->label : "");
    c->unit = g_strdup (c->unit ? c->unit : "");
    c->transducer = g_strdup (c->transducer ? c->transducer : "");
    c->calibration_text =
        g_strdup (c->calibration_text ? c->calibration_text : "");
    table->hash = hash_channel (table->hash, c);
  }
  return table;
}

/**
 * gst_eeg_channels_ref:
 * @table: a table
 *
 * Returns: (transfer full): @table
 */
GstEegChannels *
gst_eeg_channels_ref (GstEegChannels *table)
{
  g_return_val_if_fail (table != NULL, NULL);

  g_atomic_int_inc (&table->ref_count);
  return table;
}

/**
 * gst_eeg_channels_unref:
 * @table: (transfer full): a table
 */
void
gst_eeg_channels_unref (GstEegChannels *table)
{
  guint i;

  g_return_if_fail (table != NULL);

  if (!g_atomic_int_dec_and_test (&table->ref_count))
    return;
  for (i = 0; i < table->n_channels; i++) {
    GstEegChannel *c = &table->channels[i];

    g_free ((gchar *) c->label);
    g_free ((gchar *) c->unit);
    g_free ((gchar *) c->transducer);
    g_free ((gchar *) c->calibration_text);
  }
  g_free (table);
}

/**
 * gst_eeg_channels_get_size:
 * @table: a table
 *
 * Returns: the number of channels
 */
guint
gst_eeg_channels_get_size (const GstEegChannels *table)
{
  g_return_val_if_fail (table != NULL, 0);

  return table->n_channels;
}

/**
 * gst_eeg_channels_get:
 * @table: a table
 * @index: below gst_eeg_channels_get_size()
 *
 * Returns: (transfer none): the row, valid as long as @table
 */
const GstEegChannel *
gst_eeg_channels_get (const GstEegChannels *table, guint index)
{
  g_return_val_if_fail (table != NULL, NULL);
  g_return_val_if_fail (index < table->n_channels, NULL);

  return &table->channels[index];
}

/**
 * gst_eeg_channels_find:
 * @table: a table
 * @label: the label to look for, compared exactly
 *
 * Returns: the index of the first channel with this label, or -1
 */
gint
gst_eeg_channels_find (const GstEegChannels *table, const gchar *label)
{
  guint i;

  g_return_val_if_fail (table != NULL, -1);
  g_return_val_if_fail (label != NULL, -1);

  for (i = 0; i < table->n_channels; i++) {
    if (strcmp (table->channels[i].label, label) == 0)
      return i;
  }
  return -1;
}

/**
 * gst_eeg_channels_is_equal:
 * @a: a table
 * @b: another one
 *
 * Returns: whether all rows are equal, field by field
 */
gboolean
gst_eeg_channels_is_equal (const GstEegChannels *a, const GstEegChannels *b)
{
  guint i;

  g_return_val_if_fail (a != NULL && b != NULL, FALSE);

  if (a == b)
    return TRUE;
  if (a->n_channels != b->n_channels || a->hash != b->hash)
    return FALSE;
  for (i = 0; i < a->n_channels; i++) {
    if (!channel_is_equal (&a->channels[i], &b->channels[i]))
      return FALSE;
  }
  return TRUE;
}

/**
 * gst_eeg_channels_get_hash:
 * @table: a table
 *
 * Returns: a 64-bit hash of the content, equal for equal tables on machines of
 *     the same byte order; not a cryptographic one
 */
guint64
gst_eeg_channels_get_hash (const GstEegChannels *table)
{
  g_return_val_if_fail (table != NULL, 0);

  return table->hash;
}

static gint
gst_eeg_channels_value_compare (const GValue *a, const GValue *b)
{
  const GstEegChannels *table_a = g_value_get_boxed (a);
  const GstEegChannels *table_b = g_value_get_boxed (b);

  if (table_a == table_b)
    return GST_VALUE_EQUAL;
  if (table_a == NULL || table_b == NULL)
    return GST_VALUE_UNORDERED;
  return gst_eeg_channels_is_equal (table_a, table_b) ? GST_VALUE_EQUAL
                                                      : GST_VALUE_UNORDERED;
}

static gchar *
gst_eeg_channels_value_serialize (const GValue *value)
{
  const GstEegChannels *table = g_value_get_boxed (value);

  if (table == NULL)
    return g_strdup ("none");
  return g_strdup_printf ("%016" G_GINT64_MODIFIER "x", table->hash);
}

/* A hash cannot be turned back into a table. */
static gboolean
gst_eeg_channels_value_deserialize (GValue *value, const gchar *text)
{
  return FALSE;
}

GType
gst_eeg_channels_get_type (void)
{
  static gsize type = 0;

  if (g_once_init_enter (&type)) {
    GType new_type = g_boxed_type_register_static ("GstEegChannels",
        (GBoxedCopyFunc) gst_eeg_channels_ref,
        (GBoxedFreeFunc) gst_eeg_channels_unref);
    /* core keeps the pointer */
    static GstValueTable functions = {
      .compare = gst_eeg_channels_value_compare,
      .serialize = gst_eeg_channels_value_serialize,
      .deserialize = gst_eeg_channels_value_deserialize,
    };

    functions.type = new_type;
    gst_value_register (&functions);
    g_once_init_leave (&type, new_type);
  }
  return type;
}
