/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:gsteegstatistics
 * @title: GstEegStatistics
 * @short_description: what the channels of a stream were like in a window
 *
 * Made by the element `eegstats`, which posts them as messages and puts them on
 * buffers. A #GstEegStatistics is refcounted and never changes.
 *
 * When a buffer is cut, statistics on it go to the fragment that holds its last
 * sample: they are of a window that ended by then, and come once.
 */
#include "gsteegstatistics.h"

#include <string.h>

#define MESSAGE_NAME "eeg-statistics"

static const struct
{
  const gchar *name;
  gdouble low, high;
} bands[GST_EEG_N_BANDS] = {
  { "delta", 0.5, 4 },
  { "theta", 4, 8 },
  { "alpha", 8, 13 },
  { "beta", 13, 30 },
  { "gamma", 30, 45 },
};

struct _GstEegStatistics
{
  gint ref_count; /* atomic */
  guint64 first, count;
  GstClockTime time, duration;
  guint n_channels;
  GstEegChannelStatistics channels[];
};

G_DEFINE_BOXED_TYPE (GstEegStatistics, gst_eeg_statistics,
    gst_eeg_statistics_ref, gst_eeg_statistics_unref)

GType
gst_eeg_band_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { GST_EEG_BAND_DELTA, "0.5 to 4 Hz", "delta" },
    { GST_EEG_BAND_THETA, "4 to 8 Hz", "theta" },
    { GST_EEG_BAND_ALPHA, "8 to 13 Hz", "alpha" },
    { GST_EEG_BAND_BETA, "13 to 30 Hz", "beta" },
    { GST_EEG_BAND_GAMMA, "30 to 45 Hz", "gamma" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type)) {
    GType new_type = g_enum_register_static ("GstEegBand", values);

    g_once_init_leave (&type, new_type);
  }
  return type;
}

/**
 * gst_eeg_band_to_string:
 * @band: a band
 *
 * Returns: its name, as in messages
 */
const gchar *
gst_eeg_band_to_string (GstEegBand band)
{
  g_return_val_if_fail ((guint) band < GST_EEG_N_BANDS, NULL);

  return bands[band].name;
}

/**
 * gst_eeg_band_get_limits:
 * @band: a band
 * @low: (out): its lower end in Hz, which belongs to it
 * @high: (out): its upper end in Hz, which does not
 */
void
gst_eeg_band_get_limits (GstEegBand band, gdouble *low, gdouble *high)
{
  g_return_if_fail ((guint) band < GST_EEG_N_BANDS);
  g_return_if_fail (low != NULL && high != NULL);

  *low = bands[band].low;
  *high = bands[band].high;
}

/**
 * gst_eeg_statistics_new:
 * @first: index of the first sample of the window
 * @count: samples in the window
 * @time: stream time of the window
 * @duration: its duration
 * @channels: (array length=n_channels): one row for each channel; copied
 * @n_channels: how many
 *
 * Returns: (transfer full): new statistics
 */
GstEegStatistics *
gst_eeg_statistics_new (guint64 first, guint64 count, GstClockTime time,
    GstClockTime duration, const GstEegChannelStatistics *channels,
    guint n_channels)
{
  GstEegStatistics *statistics;
  gsize size = n_channels * sizeof *channels;

  g_return_val_if_fail (channels != NULL || n_channels == 0, NULL);

  statistics = g_malloc (sizeof *statistics + size);
  statistics->ref_count = 1;
  statistics->first = first;
  statistics->count = count;
  statistics->time = time;
  statistics->duration = duration;
  statistics->n_channels = n_channels;
  if (size > 0)
    memcpy (statistics->channels, channels, size);
  return statistics;
}

/**
 * gst_eeg_statistics_ref:
 * @statistics: statistics
 *
 * Returns: (transfer full): the same
 */
GstEegStatistics *
gst_eeg_statistics_ref (GstEegStatistics *statistics)
{
  g_return_val_if_fail (statistics != NULL, NULL);

  g_atomic_int_inc (&statistics->ref_count);
  return statistics;
}

/**
 * gst_eeg_statistics_unref:
 * @statistics: (transfer full): statistics
 */
void
gst_eeg_statistics_unref (GstEegStatistics *statistics)
{
  g_return_if_fail (statistics != NULL);

  if (g_atomic_int_dec_and_test (&statistics->ref_count))
    g_free (statistics);
}

/**
 * gst_eeg_statistics_get_first:
 * @statistics: statistics
 *
 * Returns: index of the first sample of the window
 */
guint64
gst_eeg_statistics_get_first (const GstEegStatistics *statistics)
{
  g_return_val_if_fail (statistics != NULL, 0);

  return statistics->first;
}

/**
 * gst_eeg_statistics_get_count:
 * @statistics: statistics
 *
 * Returns: samples in the window
 */
guint64
gst_eeg_statistics_get_count (const GstEegStatistics *statistics)
{
  g_return_val_if_fail (statistics != NULL, 0);

  return statistics->count;
}

/**
 * gst_eeg_statistics_get_time:
 * @statistics: statistics
 *
 * Returns: stream time of the window
 */
GstClockTime
gst_eeg_statistics_get_time (const GstEegStatistics *statistics)
{
  g_return_val_if_fail (statistics != NULL, GST_CLOCK_TIME_NONE);

  return statistics->time;
}

/**
 * gst_eeg_statistics_get_duration:
 * @statistics: statistics
 *
 * Returns: duration of the window
 */
GstClockTime
gst_eeg_statistics_get_duration (const GstEegStatistics *statistics)
{
  g_return_val_if_fail (statistics != NULL, GST_CLOCK_TIME_NONE);

  return statistics->duration;
}

/**
 * gst_eeg_statistics_get_size:
 * @statistics: statistics
 *
 * Returns: of how many channels they are
 */
guint
gst_eeg_statistics_get_size (const GstEegStatistics *statistics)
{
  g_return_val_if_fail (statistics != NULL, 0);

  return statistics->n_channels;
}

/**
 * gst_eeg_statistics_get:
 * @statistics: statistics
 * @channel: a channel, below gst_eeg_statistics_get_size()
 *
 * Returns: (transfer none): what that channel was like
 */
const GstEegChannelStatistics *
gst_eeg_statistics_get (const GstEegStatistics *statistics, guint channel)
{
  g_return_val_if_fail (statistics != NULL, NULL);
  g_return_val_if_fail (channel < statistics->n_channels, NULL);

  return &statistics->channels[channel];
}

/* ---- messages ---- */

/* Arrays of a message: names and where the value stands in a row. */
static const struct
{
  const gchar *name;
  gsize offset;
} fields[] = {
  { "mean", G_STRUCT_OFFSET (GstEegChannelStatistics, mean) },
  { "rms", G_STRUCT_OFFSET (GstEegChannelStatistics, rms) },
  { "peak-to-peak", G_STRUCT_OFFSET (GstEegChannelStatistics, peak_to_peak) },
  { "delta", G_STRUCT_OFFSET (GstEegChannelStatistics, bands[0]) },
  { "theta", G_STRUCT_OFFSET (GstEegChannelStatistics, bands[1]) },
  { "alpha", G_STRUCT_OFFSET (GstEegChannelStatistics, bands[2]) },
  { "beta", G_STRUCT_OFFSET (GstEegChannelStatistics, bands[3]) },
  { "gamma", G_STRUCT_OFFSET (GstEegChannelStatistics, bands[4]) },
  { "mains-ratio", G_STRUCT_OFFSET (GstEegChannelStatistics, mains_ratio) },
};

static void
append_value (GValue *list, GType type, const GstEegChannelStatistics *row,
    gsize offset)
{
  GValue item = G_VALUE_INIT;

  g_value_init (&item, type);
  if (type == G_TYPE_UINT64)
    g_value_set_uint64 (&item, row->samples);
  else
    g_value_set_double (&item, G_STRUCT_MEMBER (gdouble, row, offset));
  gst_value_array_append_and_take_value (list, &item);
}

/**
 * gst_eeg_message_new_statistics:
 * @src: (transfer none): the element that made them
 * @statistics: (transfer none): statistics
 *
 * Returns: (transfer full): an element message `eeg-statistics` with the fields
 *     `first`, `count`, `time` and `duration` (#guint64), and for each channel
 *     in #GstValueArray `samples` (#guint64), `mean`, `rms`, `peak-to-peak`,
 *     `delta`, `theta`, `alpha`, `beta`, `gamma` and `mains-ratio` (#gdouble)
 */
GstMessage *
gst_eeg_message_new_statistics (GstObject *src,
    const GstEegStatistics *statistics)
{
  GstStructure *s;
  guint i, c;

  g_return_val_if_fail (statistics != NULL, NULL);

  s = gst_structure_new (MESSAGE_NAME, "first", G_TYPE_UINT64,
      statistics->first, "count", G_TYPE_UINT64, statistics->count, "time",
      G_TYPE_UINT64, statistics->time, "duration", G_TYPE_UINT64,
      statistics->duration, NULL);
  for (i = 0; i <= G_N_ELEMENTS (fields); i++) {
    const gboolean is_samples = i == G_N_ELEMENTS (fields);
    GValue list = G_VALUE_INIT;

    gst_value_array_init (&list, statistics->n_channels);
    for (c = 0; c < statistics->n_channels; c++)
      append_value (&list, is_samples ? G_TYPE_UINT64 : G_TYPE_DOUBLE,
          &statistics->channels[c], is_samples ? 0 : fields[i].offset);
    gst_structure_take_value (s, is_samples ? "samples" : fields[i].name,
        &list);
  }
  return gst_message_new_element (src, s);
}

/* Reads one array into the rows, which it makes if there are none yet. */
static gboolean
parse_field (const GstStructure *s, const gchar *name, GType type, gsize offset,
    GstEegChannelStatistics **rows, guint *n_rows)
{
  const GValue *list = gst_structure_get_value (s, name);
  guint c;

  if (list == NULL || !GST_VALUE_HOLDS_ARRAY (list))
    return FALSE;
  if (*rows == NULL) {
    *n_rows = gst_value_array_get_size (list);
    *rows = g_new0 (GstEegChannelStatistics, MAX (*n_rows, 1));
  }
  if (gst_value_array_get_size (list) != *n_rows)
    return FALSE;
  for (c = 0; c < *n_rows; c++) {
    const GValue *item = gst_value_array_get_value (list, c);

    if (!G_VALUE_HOLDS (item, type))
      return FALSE;
    if (type == G_TYPE_UINT64)
      (*rows)[c].samples = g_value_get_uint64 (item);
    else
      G_STRUCT_MEMBER (gdouble, &(*rows)[c], offset) =
          g_value_get_double (item);
  }
  return TRUE;
}

/**
 * gst_eeg_message_parse_statistics:
 * @message: any message
 *
 * Returns: (transfer full) (nullable): the statistics of an `eeg-statistics`
 *     message, %NULL for any other
 */
GstEegStatistics *
gst_eeg_message_parse_statistics (GstMessage *message)
{
  GstEegStatistics *statistics = NULL;
  GstEegChannelStatistics *rows = NULL;
  guint64 first, count, time, duration;
  const GstStructure *s;
  guint i, n_rows = 0;
  gboolean ok;

  g_return_val_if_fail (GST_IS_MESSAGE (message), NULL);

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ELEMENT)
    return NULL;
  s = gst_message_get_structure (message);
  if (s == NULL || !gst_structure_has_name (s, MESSAGE_NAME))
    return NULL;
  ok = gst_structure_get (s, "first", G_TYPE_UINT64, &first, "count",
           G_TYPE_UINT64, &count, "time", G_TYPE_UINT64, &time, "duration",
           G_TYPE_UINT64, &duration, NULL)
      && parse_field (s, "samples", G_TYPE_UINT64, 0, &rows, &n_rows);
  for (i = 0; ok && i < G_N_ELEMENTS (fields); i++)
    ok = parse_field (s, fields[i].name, G_TYPE_DOUBLE, fields[i].offset, &rows,
        &n_rows);
  if (ok)
    statistics =
        gst_eeg_statistics_new (first, count, time, duration, rows, n_rows);
  g_free (rows);
  return statistics;
}

/* ---- meta ---- */

GType
gst_eeg_statistics_meta_api_get_type (void)
{
  static gsize type = 0;
  static const gchar *tags[] = { NULL };

  if (g_once_init_enter (&type)) {
    GType new_type =
        gst_meta_api_type_register ("GstEegStatisticsMetaAPI", tags);

    g_once_init_leave (&type, new_type);
  }
  return type;
}

static gboolean
gst_eeg_statistics_meta_init (GstMeta *meta, gpointer params, GstBuffer *buffer)
{
  ((GstEegStatisticsMeta *) meta)->statistics = NULL;
  return TRUE;
}

static void
gst_eeg_statistics_meta_free (GstMeta *meta, GstBuffer *buffer)
{
  g_clear_pointer (&((GstEegStatisticsMeta *) meta)->statistics,
      gst_eeg_statistics_unref);
}

static gboolean
gst_eeg_statistics_meta_transform (GstBuffer *dest, GstMeta *meta,
    GstBuffer *buffer, GQuark type, gpointer data)
{
  if (GST_META_TRANSFORM_IS_COPY (type)) {
    const GstMetaTransformCopy *copy = data;
    gsize total = gst_buffer_get_size (buffer);

    if (copy->region && copy->size != (gsize) -1
        && copy->size < total - MIN (copy->offset, total))
      return TRUE;
  }
  gst_buffer_add_eeg_statistics_meta (dest,
      ((GstEegStatisticsMeta *) meta)->statistics);
  return TRUE;
}

const GstMetaInfo *
gst_eeg_statistics_meta_get_info (void)
{
  static const GstMetaInfo *info = NULL;

  if (g_once_init_enter ((GstMetaInfo **) &info)) {
    const GstMetaInfo *new_info =
        gst_meta_register (GST_EEG_STATISTICS_META_API_TYPE,
            "GstEegStatisticsMeta", sizeof (GstEegStatisticsMeta),
            gst_eeg_statistics_meta_init, gst_eeg_statistics_meta_free,
            gst_eeg_statistics_meta_transform);

    g_once_init_leave ((GstMetaInfo **) &info, (GstMetaInfo *) new_info);
  }
  return info;
}

/**
 * gst_buffer_add_eeg_statistics_meta:
 * @buffer: a writable buffer
 * @statistics: (transfer none): statistics
 *
 * Returns: (transfer none): the new meta
 */
GstEegStatisticsMeta *
gst_buffer_add_eeg_statistics_meta (GstBuffer *buffer,
    GstEegStatistics *statistics)
{
  GstEegStatisticsMeta *meta;

  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);
  g_return_val_if_fail (statistics != NULL, NULL);

  meta = (GstEegStatisticsMeta *) gst_buffer_add_meta (buffer,
      GST_EEG_STATISTICS_META_INFO, NULL);
  meta->statistics = gst_eeg_statistics_ref (statistics);
  return meta;
}

/**
 * gst_buffer_iterate_eeg_statistics_meta:
 * @buffer: a buffer
 * @state: (inout): %NULL at first, then what the last call left
 *
 * Returns: (transfer none) (nullable): the next statistics, in no fixed order
 */
GstEegStatisticsMeta *
gst_buffer_iterate_eeg_statistics_meta (GstBuffer *buffer, gpointer *state)
{
  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);
  g_return_val_if_fail (state != NULL, NULL);

  return (GstEegStatisticsMeta *) gst_buffer_iterate_meta_filtered (buffer,
      state, GST_EEG_STATISTICS_META_API_TYPE);
}
