/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gsteegedf.h"

#include <string.h>

/* Two bytes of UTF-8 for each of the longest field, and the end. */
#define TEXT_SIZE (2 * 80 + 1)

static const gchar *
intern_field (GStringChunk *chunk, const char *field)
{
  gchar text[TEXT_SIZE];

  eeg_edf_field_to_utf8 (field, text, sizeof text);
  return g_string_chunk_insert_const (chunk, text);
}

/**
 * gst_eeg_edf_get_channels:
 * @header: a parsed header
 * @group: the signals of one rate, below the header's number of groups
 *
 * Returns: (transfer full): the channel table of the stream that holds @group
 */
GstEegChannels *
gst_eeg_edf_get_channels (const EegEdfHeader *header, guint group)
{
  const EegEdfGroup *g;
  GstEegChannel *rows;
  GStringChunk *chunk;
  GstEegChannels *table;
  guint i;

  g_return_val_if_fail (header != NULL, NULL);
  g_return_val_if_fail (group < header->num_groups, NULL);

  g = &header->groups[group];
  rows = g_new0 (GstEegChannel, g->num_channels);
  chunk = g_string_chunk_new (1024);
  for (i = 0; i < g->num_channels; i++) {
    const EegEdfSignal *signal = &header->signals[g->signals[i]];
    gchar calibration[33];

    rows[i].label = intern_field (chunk, signal->label);
    rows[i].unit = intern_field (chunk, signal->dimension);
    rows[i].transducer = intern_field (chunk, signal->transducer);
    rows[i].type = signal->is_status
        ? GST_EEG_CHANNEL_TYPE_TRIGGER
        : gst_eeg_channel_type_guess (rows[i].label, rows[i].unit);
    rows[i].physical_min = signal->pmin;
    rows[i].physical_max = signal->pmax;
    rows[i].digital_min = signal->dmin;
    rows[i].digital_max = signal->dmax;
    rows[i].source_index = g->signals[i];

    memcpy (calibration, signal->physical_min, 8);
    memcpy (calibration + 8, signal->physical_max, 8);
    memcpy (calibration + 16, signal->digital_min, 8);
    memcpy (calibration + 24, signal->digital_max, 8);
    calibration[32] = '\0';
    /* some writers fill up with NUL, which ends a string */
    if (strlen (calibration) == 32)
      rows[i].calibration_text =
          g_string_chunk_insert_const (chunk, calibration);
  }
  table = gst_eeg_channels_new (rows, g->num_channels);
  g_string_chunk_free (chunk);
  g_free (rows);
  return table;
}

static void
set_text (GstStructure *s, const gchar *name, const char *field)
{
  gchar text[TEXT_SIZE];

  eeg_edf_field_to_utf8 (field, text, sizeof text);
  gst_structure_set (s, name, G_TYPE_STRING, text, NULL);
}

/**
 * gst_eeg_edf_get_recording:
 * @header: a parsed header
 * @group: the signals of one rate, below the header's number of groups
 * @first_time: time of the first sample in ns since the header's start: the
 *     first record's own time in EDF+, else 0
 *
 * Returns: (transfer full): the fields of an `eeg-recording` event
 */
GstStructure *
gst_eeg_edf_get_recording (const EegEdfHeader *header, guint group,
    gint64 first_time)
{
  const EegEdfStart *start;
  const EegEdfGroup *g;
  GValue prefilter = G_VALUE_INIT;
  GBytes *bytes;
  guint8 *data;
  GstStructure *s;
  guint i;

  g_return_val_if_fail (header != NULL, NULL);
  g_return_val_if_fail (group < header->num_groups, NULL);

  s = gst_structure_new_empty ("eeg-recording");
  set_text (s, GST_EEG_RECORDING_PATIENT, header->patient);
  set_text (s, GST_EEG_RECORDING_RECORDING, header->recording);
  set_text (s, GST_EEG_RECORDING_RECORD_DURATION, header->duration_text);

  data = g_malloc (header->header_size);
  eeg_edf_header_write (header, data);
  bytes = g_bytes_new_take (data, header->header_size);
  gst_structure_set (s, GST_EEG_EDF_RECORDING_HEADER, G_TYPE_BYTES, bytes,
      NULL);
  g_bytes_unref (bytes);

  start = &header->start;
  if (start->date_valid && start->time_valid) {
    GDateTime *date_time = g_date_time_new_utc (start->year, start->month,
        start->day, start->hour, start->minute, start->second);

    if (date_time != NULL) {
      gst_structure_set (s, GST_EEG_RECORDING_START_TIME, G_TYPE_INT64,
          g_date_time_to_unix (date_time) * (gint64) GST_SECOND + first_time,
          NULL);
      g_date_time_unref (date_time);
    }
  }

  g = &header->groups[group];
  g_value_init (&prefilter, GST_TYPE_ARRAY);
  for (i = 0; i < g->num_channels; i++) {
    gchar text[TEXT_SIZE];
    GValue value = G_VALUE_INIT;

    eeg_edf_field_to_utf8 (header->signals[g->signals[i]].prefilter, text,
        sizeof text);
    g_value_init (&value, G_TYPE_STRING);
    g_value_set_string (&value, text);
    gst_value_array_append_and_take_value (&prefilter, &value);
  }
  gst_structure_take_value (s, GST_EEG_RECORDING_PREFILTER, &prefilter);
  return s;
}

/* Of the header as it is written, SHA-256 */
void
gst_eeg_edf_hash_header (const EegEdfHeader *header,
    guint8 hash[GST_EEG_EDF_HASH_SIZE])
{
  GChecksum *checksum = g_checksum_new (G_CHECKSUM_SHA256);
  guint8 *bytes = g_malloc (header->header_size);
  gsize size = GST_EEG_EDF_HASH_SIZE;

  eeg_edf_header_write (header, bytes);
  g_checksum_update (checksum, bytes, (gssize) header->header_size);
  g_checksum_get_digest (checksum, hash, &size);
  g_checksum_free (checksum);
  g_free (bytes);
}
