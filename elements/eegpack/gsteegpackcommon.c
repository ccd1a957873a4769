/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gsteegpackcommon.h"

#include "gsteegedf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct
{
  GstEegFormat format;
  eeg_eegpack_format packed;
} formats[] = {
  { GST_EEG_FORMAT_S16LE, EEG_EEGPACK_S16 },
  { GST_EEG_FORMAT_S24LE, EEG_EEGPACK_S24 },
  { GST_EEG_FORMAT_S32LE, EEG_EEGPACK_S32 },
  { GST_EEG_FORMAT_F32LE, EEG_EEGPACK_F32 },
  { GST_EEG_FORMAT_F64LE, EEG_EEGPACK_F64 },
};

eeg_eegpack_format
gst_eeg_pack_format (GstEegFormat format)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (formats); i++)
    if (formats[i].format == format)
      return formats[i].packed;
  return EEG_EEGPACK_FORMATS;
}

/* --- to the file --------------------------------------------------------- */

typedef void (*ValueFunc) (const GstEegChannel *channel, gchar *text);

#define NUMBER_SIZE 64

static void
put_physical_min (const GstEegChannel *c, gchar *text)
{
  g_ascii_dtostr (text, NUMBER_SIZE, c->physical_min);
}

static void
put_physical_max (const GstEegChannel *c, gchar *text)
{
  g_ascii_dtostr (text, NUMBER_SIZE, c->physical_max);
}

static void
put_digital_min (const GstEegChannel *c, gchar *text)
{
  g_snprintf (text, NUMBER_SIZE, "%d", c->digital_min);
}

static void
put_digital_max (const GstEegChannel *c, gchar *text)
{
  g_snprintf (text, NUMBER_SIZE, "%d", c->digital_max);
}

static void
put_source_index (const GstEegChannel *c, gchar *text)
{
  g_snprintf (text, NUMBER_SIZE, "%d", c->source_index);
}

static void
put_bad (const GstEegChannel *c, gchar *text)
{
  g_strlcpy (text, c->bad ? "1" : "", NUMBER_SIZE);
}

static const struct
{
  const gchar *name;
  gsize offset;   /* of a text in GstEegChannel */
  ValueFunc func; /* else */
  const gchar *none;
} columns[] = {
  { "label", G_STRUCT_OFFSET (GstEegChannel, label), NULL, NULL },
  { "type", 0, NULL, "unknown" },
  { "unit", G_STRUCT_OFFSET (GstEegChannel, unit), NULL, "" },
  { "transducer", G_STRUCT_OFFSET (GstEegChannel, transducer), NULL, "" },
  { "physical-min", 0, put_physical_min, NULL },
  { "physical-max", 0, put_physical_max, NULL },
  { "digital-min", 0, put_digital_min, NULL },
  { "digital-max", 0, put_digital_max, NULL },
  { "calibration", G_STRUCT_OFFSET (GstEegChannel, calibration_text), NULL,
      "" },
  { "source-index", 0, put_source_index, "-1" },
  { "bad", 0, put_bad, "" },
};

static char *
copy (const gchar *text)
{
  gsize size = text != NULL ? strlen (text) : 0;
  char *c = malloc (size + 1);

  if (c == NULL)
    g_error ("no memory for a text");
  memcpy (c, text != NULL ? text : "", size);
  c[size] = '\0';
  return c;
}

static gpointer
allocate (gsize n, gsize size)
{
  gpointer p = calloc (MAX (n, 1), size);

  if (p == NULL)
    g_error ("no memory for a table");
  return p;
}

/* Takes the values, unless they say nothing. */
static void
add_column (eeg_eegpack_stream *s, const gchar *name, char **values,
    const gchar *none)
{
  gboolean any = none == NULL;
  guint c;

  for (c = 0; c < s->channels && !any; c++)
    any = strcmp (values[c], none) != 0;
  if (any) {
    s->columns[s->n_columns].name = copy (name);
    s->columns[s->n_columns++].values = values;
    return;
  }
  for (c = 0; c < s->channels; c++)
    free (values[c]);
  free (values);
}

static void
describe_channels (eeg_eegpack_stream *s, GstEegChannels *table)
{
  GEnumClass *types = g_type_class_ref (GST_TYPE_EEG_CHANNEL_TYPE);
  gsize i;
  guint c;

  for (i = 0; i < G_N_ELEMENTS (columns); i++) {
    char **values = allocate (s->channels, sizeof *values);

    for (c = 0; c < s->channels; c++) {
      const GstEegChannel *channel = gst_eeg_channels_get (table, c);
      gchar number[NUMBER_SIZE];

      if (columns[i].func != NULL) {
        columns[i].func (channel, number);
        values[c] = copy (number);
      } else if (strcmp (columns[i].name, "type") == 0) {
        values[c] = copy (g_enum_get_value (types, channel->type)->value_nick);
      } else {
        values[c] =
            copy (G_STRUCT_MEMBER (const gchar *, channel, columns[i].offset));
      }
    }
    add_column (s, columns[i].name, values, columns[i].none);
  }
  g_type_class_unref (types);
}

static void
describe_prefilter (eeg_eegpack_stream *s, const GValue *array)
{
  char **values;
  guint c;

  if (array == NULL || !GST_VALUE_HOLDS_ARRAY (array)
      || gst_value_array_get_size (array) != s->channels)
    return;
  values = allocate (s->channels, sizeof *values);
  for (c = 0; c < s->channels; c++) {
    const GValue *v = gst_value_array_get_value (array, c);

    values[c] = copy (G_VALUE_HOLDS_STRING (v) ? g_value_get_string (v) : "");
  }
  add_column (s, GST_EEG_RECORDING_PREFILTER, values, "");
}

static eeg_eegpack_property *
add_property (eeg_eegpack_stream *s, const gchar *name,
    eeg_eegpack_value_type type)
{
  eeg_eegpack_property *p = &s->properties[s->n_properties++];

  p->name = copy (name);
  p->type = type;
  return p;
}

static GBytes *
get_edf_header (const eeg_eegpack_stream *s)
{
  guint p;

  for (p = 0; p < s->n_properties; p++)
    if (strcmp (s->properties[p].name, GST_EEG_EDF_RECORDING_HEADER) == 0
        && s->properties[p].type == EEG_EEGPACK_BYTES)
      return g_bytes_new (s->properties[p].bytes, s->properties[p].n_bytes);
  return NULL;
}

static void
describe_recording (eeg_eegpack_header *header, guint stream,
    const GstStructure *recording)
{
  static const gchar *const texts[] = { GST_EEG_RECORDING_PATIENT,
    GST_EEG_RECORDING_RECORDING, GST_EEG_RECORDING_RECORD_DURATION };
  eeg_eegpack_stream *s = &header->streams[stream];
  GBytes *edf_header = NULL, *first;
  gint64 start;
  gsize i, size;

  for (i = 0; i < G_N_ELEMENTS (texts); i++) {
    const gchar *text = gst_structure_get_string (recording, texts[i]);

    if (text != NULL)
      add_property (s, texts[i], EEG_EEGPACK_TEXT)->text = copy (text);
  }
  if (gst_structure_get_int64 (recording, GST_EEG_RECORDING_START_TIME, &start))
    add_property (s, GST_EEG_RECORDING_START_TIME, EEG_EEGPACK_NUMBER)->number =
        start;
  if (gst_structure_get (recording, GST_EEG_EDF_RECORDING_HEADER, G_TYPE_BYTES,
          &edf_header, NULL)
      && edf_header != NULL) {
    first = stream > 0 ? get_edf_header (&header->streams[0]) : NULL;
    if (first != NULL && g_bytes_equal (first, edf_header)) {
      /* all signals of one file: once is enough */
      add_property (s, GST_EEG_EDF_RECORDING_HEADER, EEG_EEGPACK_NUMBER)
          ->number = 0;
    } else {
      eeg_eegpack_property *p =
          add_property (s, GST_EEG_EDF_RECORDING_HEADER, EEG_EEGPACK_BYTES);
      gconstpointer data = g_bytes_get_data (edf_header, &size);

      p->bytes = allocate (size, 1);
      p->n_bytes = size;
      if (size > 0)
        memcpy (p->bytes, data, size);
    }
    g_clear_pointer (&first, g_bytes_unref);
    g_bytes_unref (edf_header);
  }
}

/* Fills one stream of a header; those before it are filled. */
void
gst_eeg_pack_describe (eeg_eegpack_header *header, guint stream,
    const GstEegInfo *info, const GstStructure *recording, guint32 max_frames)
{
  eeg_eegpack_stream *s = &header->streams[stream];

  s->format = gst_eeg_pack_format (info->format);
  s->voltage = info->domain == GST_EEG_DOMAIN_VOLTAGE;
  s->rate_num = (guint32) info->rate_n;
  s->rate_den = (guint32) info->rate_d;
  s->channels = (guint32) info->channels;
  s->max_frames = max_frames;
  s->columns = allocate (G_N_ELEMENTS (columns) + 1, sizeof *s->columns);
  s->properties = allocate (8, sizeof *s->properties);
  if (info->channel_table != NULL)
    describe_channels (s, info->channel_table);
  if (recording != NULL) {
    describe_prefilter (s,
        gst_structure_get_value (recording, GST_EEG_RECORDING_PREFILTER));
    describe_recording (header, stream, recording);
  }
}

/* --- from the file ------------------------------------------------------- */

static char **
find_column (const eeg_eegpack_stream *s, const gchar *name)
{
  guint c;

  for (c = 0; c < s->n_columns; c++)
    if (strcmp (s->columns[c].name, name) == 0)
      return s->columns[c].values;
  return NULL;
}

static const gchar *
get_text (GStringChunk *chunk, char **values, guint channel)
{
  const gchar *text = values != NULL ? values[channel] : "";
  gchar *valid;

  if (g_utf8_validate (text, -1, NULL))
    return g_string_chunk_insert_const (chunk, text);
  valid = g_utf8_make_valid (text, -1);
  text = g_string_chunk_insert_const (chunk, valid);
  g_free (valid);
  return text;
}

static gdouble
get_number (char **values, guint channel)
{
  gdouble v = values != NULL ? g_ascii_strtod (values[channel], NULL) : 0.0;

  return isfinite (v) ? v : 0.0;
}

static gint32
get_integer (char **values, guint channel, gint32 none)
{
  if (values == NULL)
    return none;
  return (gint32) CLAMP (g_ascii_strtoll (values[channel], NULL, 10),
      G_MININT32, G_MAXINT32);
}

static GstEegChannels *
get_channels (const eeg_eegpack_stream *s)
{
  GStringChunk *chunk = g_string_chunk_new (1024);
  GstEegChannel *rows = g_new0 (GstEegChannel, s->channels);
  GEnumClass *types = g_type_class_ref (GST_TYPE_EEG_CHANNEL_TYPE);
  char **labels = find_column (s, "label"), **type = find_column (s, "type");
  char **units = find_column (s, "unit");
  char **transducers = find_column (s, "transducer");
  char **pmin = find_column (s, "physical-min");
  char **pmax = find_column (s, "physical-max");
  char **dmin = find_column (s, "digital-min");
  char **dmax = find_column (s, "digital-max");
  char **calibration = find_column (s, "calibration");
  char **source = find_column (s, "source-index");
  char **bad = find_column (s, "bad");
  GstEegChannels *table;
  guint c;

  for (c = 0; c < s->channels; c++) {
    GstEegChannel *row = &rows[c];
    const GEnumValue *value =
        type != NULL ? g_enum_get_value_by_nick (types, type[c]) : NULL;

    row->label = get_text (chunk, labels, c);
    row->type = value != NULL ? value->value : GST_EEG_CHANNEL_TYPE_UNKNOWN;
    row->unit = get_text (chunk, units, c);
    row->transducer = get_text (chunk, transducers, c);
    row->physical_min = get_number (pmin, c);
    row->physical_max = get_number (pmax, c);
    row->digital_min = get_integer (dmin, c, 0);
    row->digital_max = get_integer (dmax, c, 0);
    row->calibration_text = get_text (chunk, calibration, c);
    if (strlen (row->calibration_text) != 32)
      row->calibration_text = "";
    row->source_index = MAX (get_integer (source, c, -1), -1);
    row->bad = bad != NULL && strcmp (bad[c], "1") == 0;
  }
  table = gst_eeg_channels_new (rows, s->channels);
  g_type_class_unref (types);
  g_string_chunk_free (chunk);
  g_free (rows);
  return table;
}

void
gst_eeg_pack_get_info (const eeg_eegpack_stream *s, GstEegInfo *info)
{
  GstEegChannels *table =
      find_column (s, "label") != NULL ? get_channels (s) : NULL;
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (formats); i++)
    if (formats[i].packed == s->format)
      gst_eeg_info_set (info, formats[i].format,
          s->voltage ? GST_EEG_DOMAIN_VOLTAGE : GST_EEG_DOMAIN_COUNTS,
          (gint) s->rate_num, (gint) s->rate_den, (gint) s->channels, table);
  g_clear_pointer (&table, gst_eeg_channels_unref);
}

static void
add_prefilter (GstStructure *fields, const eeg_eegpack_stream *s, char **values)
{
  GValue array = G_VALUE_INIT;
  guint c;

  g_value_init (&array, GST_TYPE_ARRAY);
  for (c = 0; c < s->channels; c++) {
    GValue v = G_VALUE_INIT;

    g_value_init (&v, G_TYPE_STRING);
    g_value_take_string (&v, g_utf8_make_valid (values[c], -1));
    gst_value_array_append_and_take_value (&array, &v);
  }
  gst_structure_take_value (fields, GST_EEG_RECORDING_PREFILTER, &array);
}

/* transfer full; the fields of the recording event of a stream */
GstStructure *
gst_eeg_pack_get_recording (const eeg_eegpack_header *header, guint stream)
{
  const eeg_eegpack_stream *s = &header->streams[stream];
  GstStructure *fields = gst_structure_new_empty ("eeg-recording");
  char **prefilter = find_column (s, GST_EEG_RECORDING_PREFILTER);
  guint p;

  for (p = 0; p < s->n_properties; p++) {
    const eeg_eegpack_property *property = &s->properties[p];
    const gchar *name = property->name;
    GBytes *bytes = NULL;

    if (property->type == EEG_EEGPACK_TEXT
        && (strcmp (name, GST_EEG_RECORDING_PATIENT) == 0
            || strcmp (name, GST_EEG_RECORDING_RECORDING) == 0
            || strcmp (name, GST_EEG_RECORDING_RECORD_DURATION) == 0)) {
      gchar *text = g_utf8_make_valid (property->text, -1);

      gst_structure_set (fields, name, G_TYPE_STRING, text, NULL);
      g_free (text);
    } else if (property->type == EEG_EEGPACK_NUMBER
        && strcmp (name, GST_EEG_RECORDING_START_TIME) == 0) {
      gst_structure_set (fields, name, G_TYPE_INT64, property->number, NULL);
    } else if (strcmp (name, GST_EEG_EDF_RECORDING_HEADER) == 0) {
      if (property->type == EEG_EEGPACK_BYTES)
        bytes = g_bytes_new (property->bytes, property->n_bytes);
      else if (property->type == EEG_EEGPACK_NUMBER && property->number == 0
          && stream > 0)
        bytes = get_edf_header (&header->streams[0]);
      if (bytes != NULL) {
        gst_structure_set (fields, name, G_TYPE_BYTES, bytes, NULL);
        g_bytes_unref (bytes);
      }
    }
  }
  if (prefilter != NULL)
    add_prefilter (fields, s, prefilter);
  return fields;
}

/* --- annotation signals of EDF ------------------------------------------- */

/* What a record's annotation signals hold that tell nothing but its time */
void
gst_eeg_pack_write_time (guint8 *annotations, gsize size, gint64 onset)
{
  memset (annotations, 0, size);
  eeg_edf_write_time (annotations, size, onset);
}

/* Is that all that they hold? */
gboolean
gst_eeg_pack_is_only_time (const guint8 *annotations, gsize size, gint64 *onset)
{
  const guint8 *end = size > 0 ? memchr (annotations, 0x14, size) : NULL;
  guint8 *again;
  gboolean same;

  if (end == NULL
      || !eeg_edf_parse_seconds ((const char *) annotations,
          (gsize) (end - annotations), onset))
    return FALSE;
  again = g_malloc (size);
  gst_eeg_pack_write_time (again, size, *onset);
  same = memcmp (again, annotations, size) == 0;
  g_free (again);
  return same;
}
