/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* EDF, EDF+, BDF and BDF+ files as a device.
 *
 * Frames are numbered by time: frame n of the file is sampled n / rate after
 * the first one, so the numbers of a discontinuous recording (EDF+D) jump where
 * it has a gap. A list of runs, one per stretch without a gap, maps numbers to
 * records; it is made once, by reading the time of every record.
 *
 * Which markers come with a frame depends on the frame only, not on the order
 * of calls: a seek finds the same markers as reading through. */

#include "gsteegfiledriver.h"

#include <gst/eeg/gsteegedf.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

GST_DEBUG_CATEGORY_EXTERN (gst_eeg_src_debug);
#define GST_CAT_DEFAULT gst_eeg_src_debug

/* Records are read in one go up to this many bytes. */
#define CACHE_SIZE (256 * 1024)

/* Of each end of the file, to recognise it. */
#define SAMPLE_SIZE (64 * 1024)

/* A file with more gaps than this is not a recording. */
#define MAX_RUNS (1024 * 1024)

/* Frame numbers stay below this. */
#define MAX_FRAME (G_GUINT64_CONSTANT (1) << 62)

/* Records without a gap between them */
typedef struct
{
  guint64 record; /* the first */
  guint64 frame;  /* of its first sample */
} Run;

/* Where the search for rising trigger bits in one status signal stands */
typedef struct
{
  guint signal;
  gboolean valid;
  guint64 record;
  guint32 done;           /* samples of the record that are dealt with */
  guint32 scanned;        /* samples that were looked at, at least done */
  EegEdfStatusState bits; /* after the last one looked at */
  gboolean pending;       /* an edge was found at scanned - 1, not yet told */
  guint16 triggers;
} StatusCursor;

struct _GstEegFileDriver
{
  GstEegDriver parent;

  gint fd;
  gchar *location;
  EegEdfHeader *header;
  guint group;
  GstEegInfo info; /* only the rate is of use */
  GstEegChannels *table;
  GstEegFormat native;
  GstEegFormat preferred;
  EegEdfSampleFormat format;
  guint64 n_records;  /* whole ones in the file */
  gboolean truncated; /* the header promises more */
  gint64 first_time;  /* of frame 0, ns since the header's start */
  GArray *runs;       /* of Run */
  GArray *cursors;    /* of StatusCursor */

  guint8 *cache;     /* consecutive records */
  guint64 cache_max; /* how many fit */
  guint64 cache_first;
  guint64 cache_count;
};

G_DEFINE_TYPE (GstEegFileDriver, gst_eeg_file_driver, GST_TYPE_EEG_DRIVER)

/* --- reading bytes ------------------------------------------------------- */

/* Reads up to size bytes; FALSE with error set when the system fails. */
static gboolean
read_bytes (GstEegFileDriver *self, guint64 offset, gpointer data, gsize size,
    gsize *got, GError **error)
{
  *got = 0;
  while (*got < size) {
    gssize n = pread (self->fd, (guint8 *) data + *got, size - *got,
        (off_t) (offset + *got));

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
          "The file could not be read: %s.", g_strerror (errno));
      return FALSE;
    }
    if (n == 0)
      break;
    *got += n;
  }
  return TRUE;
}

static gboolean
read_all_bytes (GstEegFileDriver *self, guint64 offset, gpointer data,
    gsize size, GError **error)
{
  gsize got;

  if (!read_bytes (self, offset, data, size, &got, error))
    return FALSE;
  if (got < size) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
        "The file became shorter while it was read.");
    return FALSE;
  }
  return TRUE;
}

static guint64
record_position (GstEegFileDriver *self, guint64 record)
{
  return self->header->header_size + record * self->header->record_size;
}

/* The bytes of a record, until the next call. */
static const guint8 *
load_record (GstEegFileDriver *self, guint64 record, GError **error)
{
  gsize size = self->header->record_size;

  if (record < self->cache_first
      || record - self->cache_first >= self->cache_count) {
    guint64 count = MIN (self->cache_max, self->n_records - record);

    self->cache_count = 0;
    if (!read_all_bytes (self, record_position (self, record), self->cache,
            count * size, error))
      return NULL;
    self->cache_first = record;
    self->cache_count = count;
  }
  return self->cache + (record - self->cache_first) * size;
}

/* --- opening ------------------------------------------------------------- */

static gboolean
open_file (GstEegFileDriver *self, const gchar *location, guint64 *size,
    GError **error)
{
  struct stat status;

  if (location == NULL || *location == '\0') {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
        "No file name was given for reading.");
    return FALSE;
  }

  /* not to hang on a FIFO that nobody writes to */
  self->fd = open (location, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (self->fd < 0) {
    gint code = errno == ENOENT || errno == ENOTDIR
        ? GST_RESOURCE_ERROR_NOT_FOUND
        : GST_RESOURCE_ERROR_OPEN_READ;

    g_set_error (error, GST_RESOURCE_ERROR, code,
        "Could not open \"%s\" for reading: %s.", location, g_strerror (errno));
    return FALSE;
  }
  if (fstat (self->fd, &status) < 0) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ,
        "Could not examine \"%s\": %s.", location, g_strerror (errno));
    return FALSE;
  }
  if (!S_ISREG (status.st_mode)) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ,
        "\"%s\" is not a regular file.", location);
    return FALSE;
  }
  *size = status.st_size;
  return TRUE;
}

static gboolean
read_header (GstEegFileDriver *self, const gchar *location, guint64 file_size,
    GError **error)
{
  guint8 *data = NULL;
  gsize size = 0, needed = 256;
  gchar reason[256] = "";
  EegEdfStatus status;

  if (file_size == 0) {
    g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE,
        "\"%s\" is empty.", location);
    return FALSE;
  }
  do {
    gsize got;

    /* the parser names at most EEG_EDF_MAX_HEADER_SIZE */
    data = g_realloc (data, needed);
    if (!read_bytes (self, 0, data, needed, &got, error)) {
      g_free (data);
      return FALSE;
    }
    status = EEG_EDF_NEED_MORE;
    if (got > size) {
      size = got;
      status = eeg_edf_header_parse (data, size, &self->header, &needed, reason,
          sizeof reason);
    }
  } while (status == EEG_EDF_NEED_MORE && needed > size && size < file_size);
  g_free (data);

  switch (status) {
    case EEG_EDF_OK:
      return TRUE;
    case EEG_EDF_NEED_MORE:
      g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX,
          "\"%s\" ends inside its header, after %" G_GSIZE_FORMAT " bytes.",
          location, size);
      return FALSE;
    case EEG_EDF_NOT_EDF:
      g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE,
          "\"%s\" is neither an EDF nor a BDF file.", location);
      return FALSE;
    case EEG_EDF_NO_MEMORY:
      g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED,
          "Not enough memory for the header of \"%s\".", location);
      return FALSE;
    default:
      g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX,
          "The header of \"%s\" is not valid: %s.", location, reason);
      return FALSE;
  }
}

static gchar *
describe_rates (const EegEdfHeader *header)
{
  GString *text = g_string_new (NULL);
  guint i;

  for (i = 0; i < header->num_groups; i++) {
    const EegEdfGroup *g = &header->groups[i];

    g_string_append_printf (text, "%s%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT,
        i > 0 ? ", " : "", (gint64) g->rate.num, (gint64) g->rate.den);
  }
  return g_string_free (text, FALSE);
}

/* The group of the wanted rate, or the one with the most channels. */
static gboolean
choose_group (GstEegFileDriver *self, const GstEegDriverConfig *config,
    GError **error)
{
  const EegEdfHeader *header = self->header;
  gboolean found = FALSE;
  guint i;

  for (i = 0; i < header->num_groups; i++) {
    const EegEdfGroup *g = &header->groups[i];

    if (config->rate_n != 0) {
      if (g->rate.num * config->rate_d == g->rate.den * config->rate_n) {
        self->group = i;
        return TRUE;
      }
    } else if (!found
        || g->num_channels > header->groups[self->group].num_channels) {
      self->group = i;
      found = TRUE;
    }
  }
  if (found)
    return TRUE;

  if (header->num_groups == 0) {
    g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX,
        "\"%s\" holds annotations only.", config->location);
  } else {
    gchar *rates = describe_rates (header);

    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "\"%s\" has no channels at %d/%d Hz; it has some at %s.",
        config->location, config->rate_n, config->rate_d, rates);
    g_free (rates);
  }
  return FALSE;
}

static void
append_run (GstEegFileDriver *self, guint64 record, guint64 frame)
{
  const Run run = { record, frame };

  g_array_append_val (self->runs, run);
}

/* Reads no more of a record than the signals that can tell its time. */
static gboolean
read_record_time (GstEegFileDriver *self, guint64 record, guint8 *buffer,
    gint64 *time, GError **error)
{
  const EegEdfHeader *header = self->header;
  guint i;

  for (i = 0; i < header->num_signals; i++) {
    const EegEdfSignal *signal = &header->signals[i];

    if (signal->is_annotations
        && !read_all_bytes (self,
            record_position (self, record) + signal->record_offset,
            buffer + signal->record_offset,
            (gsize) signal->samples_per_record * header->bytes_per_sample,
            error))
      return FALSE;
  }
  *time = eeg_edf_record_time (header, buffer);
  return TRUE;
}

/* Finds the gaps. A record whose time is not known, or lies before the end of
 * its predecessor, is taken to follow that one directly. */
static gboolean
find_runs (GstEegFileDriver *self, const gchar *location, GError **error)
{
  const EegEdfHeader *header = self->header;
  guint64 samples = header->groups[self->group].samples_per_record;
  guint64 expected = samples, bad_times = 0, record;
  guint8 *buffer;
  gint64 time;
  gboolean ok = TRUE;

  self->first_time = 0;
  append_run (self, 0, 0);
  if (header->variant == EEG_EDF_VARIANT_PLAIN || self->n_records == 0)
    return TRUE;

  buffer = g_malloc (header->record_size);
  if (!read_record_time (self, 0, buffer, &time, error))
    goto failed;
  if (time != EEG_EDF_TIME_NONE)
    self->first_time = time;
  if (header->variant != EEG_EDF_VARIANT_DISCONTINUOUS)
    goto done;

  for (record = 1; record < self->n_records; record++, expected += samples) {
    guint64 frame = 0;

    if (!read_record_time (self, record, buffer, &time, error))
      goto failed;
    if (time != EEG_EDF_TIME_NONE && time >= self->first_time)
      frame = gst_util_uint64_scale_round ((guint64) time
              - (guint64) self->first_time,
          self->info.rate_n, (guint64) self->info.rate_d * GST_SECOND);
    if (frame < expected || frame > MAX_FRAME) {
      bad_times++;
      continue;
    }
    if (frame == expected)
      continue;
    if (self->runs->len == MAX_RUNS) {
      g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX,
          "\"%s\" has more than %u gaps.", location, MAX_RUNS);
      goto failed;
    }
    append_run (self, record, frame);
    expected = frame;
  }
  if (bad_times > 0)
    GST_WARNING_OBJECT (self,
        "%" G_GUINT64_FORMAT " records without a time that can be right",
        bad_times);
done:
  g_free (buffer);
  return ok;

failed:
  ok = FALSE;
  goto done;
}

static void
find_status_signals (GstEegFileDriver *self)
{
  guint i;

  for (i = 0; i < self->header->num_signals; i++) {
    if (self->header->signals[i].is_status) {
      StatusCursor cursor = { .signal = i };

      g_array_append_val (self->cursors, cursor);
    }
  }
}

/* What the element posts when the file has more than one rate. */
static GstStructure *
describe_streams (GstEegFileDriver *self)
{
  const EegEdfHeader *header = self->header;
  GstStructure *s = gst_structure_new_empty ("eeg-streams");
  GValue streams = G_VALUE_INIT;
  guint i, c;

  g_value_init (&streams, GST_TYPE_ARRAY);
  for (i = 0; i < header->num_groups; i++) {
    const EegEdfGroup *g = &header->groups[i];
    GstEegChannels *table = gst_eeg_edf_get_channels (header, i);
    GValue entry = G_VALUE_INIT, labels = G_VALUE_INIT;
    GstStructure *stream;

    g_value_init (&labels, GST_TYPE_ARRAY);
    for (c = 0; c < g->num_channels; c++) {
      GValue label = G_VALUE_INIT;

      g_value_init (&label, G_TYPE_STRING);
      g_value_set_string (&label, gst_eeg_channels_get (table, c)->label);
      gst_value_array_append_and_take_value (&labels, &label);
    }
    stream = gst_structure_new ("stream", "rate", GST_TYPE_FRACTION,
        (gint) g->rate.num, (gint) g->rate.den, "channels", G_TYPE_INT,
        (gint) g->num_channels, "selected", G_TYPE_BOOLEAN, i == self->group,
        NULL);
    gst_structure_take_value (stream, "labels", &labels);
    g_value_init (&entry, GST_TYPE_STRUCTURE);
    g_value_take_boxed (&entry, stream);
    gst_value_array_append_and_take_value (&streams, &entry);
    gst_eeg_channels_unref (table);
  }
  gst_structure_take_value (s, "streams", &streams);
  return s;
}

static guint64
run_end (GstEegFileDriver *self, guint index)
{
  const Run *run = &g_array_index (self->runs, Run, index);
  guint64 end_record = index + 1 < self->runs->len
      ? g_array_index (self->runs, Run, index + 1).record
      : self->n_records;

  return run->frame
      + (end_record - run->record)
      * self->header->groups[self->group].samples_per_record;
}

static gboolean
gst_eeg_file_driver_open (GstEegDriver *driver,
    const GstEegDriverConfig *config, GError **error)
{
  GstEegFileDriver *self = GST_EEG_FILE_DRIVER (driver);
  const EegEdfGroup *group;
  guint64 file_size;

  self->location = g_strdup (config->location);
  if (!open_file (self, config->location, &file_size, error)
      || !read_header (self, config->location, file_size, error)
      || !choose_group (self, config, error))
    return FALSE;

  self->native = self->header->format == EEG_EDF_FORMAT_BDF
      ? GST_EEG_FORMAT_S24LE
      : GST_EEG_FORMAT_S16LE;
  self->preferred = config->format;
  if (gst_eeg_format_get_bytes (self->preferred)
      < gst_eeg_format_get_bytes (self->native)) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "\"%s\" holds 24-bit samples, which %s cannot hold.", config->location,
        gst_eeg_format_to_string (self->preferred));
    return FALSE;
  }

  group = &self->header->groups[self->group];
  self->table = gst_eeg_edf_get_channels (self->header, self->group);
  gst_eeg_info_set (&self->info, self->native, GST_EEG_DOMAIN_COUNTS,
      (gint) group->rate.num, (gint) group->rate.den, group->num_channels,
      self->table);

  self->n_records = eeg_edf_records_in_file (self->header, file_size);
  if (self->header->num_records >= 0) {
    guint64 promised = self->header->num_records;

    self->truncated = self->n_records < promised;
    if (self->n_records > promised)
      GST_WARNING_OBJECT (self,
          "%" G_GUINT64_FORMAT " records behind the %" G_GUINT64_FORMAT
          " that the header counts are left out",
          self->n_records - promised, promised);
    self->n_records = MIN (self->n_records, promised);
  }
  if (!find_runs (self, config->location, error))
    return FALSE;
  find_status_signals (self);

  self->cache_max = MAX (1, CACHE_SIZE / self->header->record_size);
  self->cache_max = MIN (self->cache_max, MAX (1, self->n_records));
  self->cache = g_try_malloc (self->cache_max * self->header->record_size);
  if (self->cache == NULL) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED,
        "Not enough memory for a data record of \"%s\".", config->location);
    return FALSE;
  }
  self->cache_count = 0;

  gst_eeg_driver_set_stream (driver, self->info.rate_n, self->info.rate_d,
      group->num_channels, run_end (self, self->runs->len - 1));
  gst_eeg_driver_take_recording (driver,
      gst_eeg_edf_get_recording (self->header, self->group, self->first_time));
  if (self->header->num_groups > 1)
    gst_eeg_driver_take_streams (driver, describe_streams (self));
  GST_INFO_OBJECT (self,
      "%" G_GUINT64_FORMAT " records, %u runs, %u rates, group %u",
      self->n_records, self->runs->len, self->header->num_groups, self->group);
  return TRUE;
}

static void
gst_eeg_file_driver_close (GstEegDriver *driver)
{
  GstEegFileDriver *self = GST_EEG_FILE_DRIVER (driver);

  if (self->fd >= 0)
    close (self->fd);
  self->fd = -1;
  g_clear_pointer (&self->location, g_free);
  g_clear_pointer (&self->header, eeg_edf_header_free);
  g_clear_pointer (&self->table, gst_eeg_channels_unref);
  g_clear_pointer (&self->cache, g_free);
  gst_eeg_info_clear (&self->info);
  self->cache_first = self->cache_count = 0;
  self->n_records = 0;
  self->truncated = FALSE;
  self->group = 0;
  g_array_set_size (self->runs, 0);
  g_array_set_size (self->cursors, 0);
}

/* --- formats ------------------------------------------------------------- */

/* The file's own width and those that hold it: the wanted one first. */
static GstCaps *
gst_eeg_file_driver_get_caps (GstEegDriver *driver)
{
  static const GstEegFormat formats[] = { GST_EEG_FORMAT_S32LE,
    GST_EEG_FORMAT_S24LE, GST_EEG_FORMAT_S16LE };
  GstEegFileDriver *self = GST_EEG_FILE_DRIVER (driver);
  GValue list = G_VALUE_INIT, value = G_VALUE_INIT;
  GstCaps *caps = gst_eeg_info_to_caps (&self->info);
  guint i;

  g_value_init (&list, GST_TYPE_LIST);
  g_value_init (&value, G_TYPE_STRING);
  g_value_set_static_string (&value,
      gst_eeg_format_to_string (self->preferred));
  gst_value_list_append_value (&list, &value);
  for (i = 0; i < G_N_ELEMENTS (formats); i++) {
    if (formats[i] == self->preferred
        || gst_eeg_format_get_bytes (formats[i])
            < gst_eeg_format_get_bytes (self->native))
      continue;
    g_value_set_static_string (&value, gst_eeg_format_to_string (formats[i]));
    gst_value_list_append_value (&list, &value);
  }
  gst_caps_set_value (caps, "format", &list);
  g_value_unset (&value);
  g_value_unset (&list);
  return caps;
}

static void
gst_eeg_file_driver_set_format (GstEegDriver *driver, GstEegFormat format)
{
  GstEegFileDriver *self = GST_EEG_FILE_DRIVER (driver);

  switch (format) {
    case GST_EEG_FORMAT_S16LE:
      self->format = EEG_EDF_SAMPLE_S16;
      break;
    case GST_EEG_FORMAT_S24LE:
      self->format = EEG_EDF_SAMPLE_S24;
      break;
    default:
      self->format = EEG_EDF_SAMPLE_S32;
      break;
  }
}

/* --- frames -------------------------------------------------------------- */

/* The last run that begins at or before frame. */
static guint
find_run (GstEegFileDriver *self, guint64 frame)
{
  guint low = 0, high = self->runs->len;

  while (high - low > 1) {
    guint middle = low + (high - low) / 2;

    if (g_array_index (self->runs, Run, middle).frame <= frame)
      low = middle;
    else
      high = middle;
  }
  return low;
}

static gboolean
gst_eeg_file_driver_locate (GstEegDriver *driver, guint64 position,
    guint max_frames, GstEegDriverBlock *block, GError **error)
{
  GstEegFileDriver *self = GST_EEG_FILE_DRIVER (driver);
  guint run = find_run (self, position);

  if (position >= run_end (self, run)) {
    if (++run == self->runs->len) {
      if (!self->truncated)
        return TRUE;
      g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
          "The file ends after %" G_GUINT64_FORMAT
          " whole data records; its header promises %" G_GINT64_FORMAT ".",
          self->n_records, (gint64) self->header->num_records);
      return FALSE;
    }
    position = g_array_index (self->runs, Run, run).frame;
  }
  block->first = position;
  block->frames = MIN (max_frames, run_end (self, run) - position);
  return TRUE;
}

/* --- markers ------------------------------------------------------------- */

/* The frame that is sampled at time, or the last one before it. */
static guint64
frame_at (GstEegFileDriver *self, GstClockTime time)
{
  guint64 frame = gst_eeg_info_time_to_samples (&self->info, time);

  if (frame > 0 && gst_eeg_info_samples_to_time (&self->info, frame) > time)
    frame--;
  return frame;
}

/* Annotations of a record come with the frame at which they begin; those that
 * lie outside the record's own time, with its first frame. */
static void
give_annotations (GstEegFileDriver *self, const guint8 *record,
    guint64 record_frame, guint32 first, guint32 count,
    GstEegDriverMarkerFunc marker, gpointer user_data)
{
  guint32 samples = self->header->groups[self->group].samples_per_record;
  EegEdfAnnotationIter iter;
  EegEdfAnnotation a;

  eeg_edf_annotations_init (&iter, self->header, record);
  while (eeg_edf_annotations_next (&iter, &a)) {
    GstClockTime time = 0;
    guint64 frame, at = 0;
    gchar *text;

    if (a.text_length == 0)
      continue;
    /* the recording begins with its first sample */
    if (a.onset > self->first_time)
      time = (guint64) a.onset - (guint64) self->first_time;
    frame = frame_at (self, time);
    if (frame >= record_frame && frame - record_frame < samples)
      at = frame - record_frame;
    if (at < first || at - first >= count)
      continue;

    text = g_malloc (2 * a.text_length + 1);
    eeg_edf_text_to_utf8 (a.text, a.text_length, text, 2 * a.text_length + 1);
    marker (time,
        a.duration < 0 ? GST_CLOCK_TIME_NONE : (GstClockTime) a.duration, text,
        user_data);
    g_free (text);
  }
  if (iter.malformed > 0 && first == 0)
    GST_WARNING_OBJECT (self,
        "%u annotations of the record at frame %" G_GUINT64_FORMAT
        " are malformed and left out",
        iter.malformed, record_frame);
}

/* Goes to a sample of a record: the bits of the one before decide whether it
 * has an edge. */
static gboolean
move_cursor (GstEegFileDriver *self, StatusCursor *cursor,
    guint64 record_number, const guint8 *record, guint64 run_record,
    guint32 sample, GError **error)
{
  const EegEdfHeader *header = self->header;
  const EegEdfSignal *signal = &header->signals[cursor->signal];
  guint size = header->bytes_per_sample;
  guint8 before[3];

  if (cursor->valid && cursor->record == record_number
      && cursor->done == sample)
    return TRUE;

  if (cursor->valid && sample == 0 && record_number > run_record
      && cursor->record == record_number - 1
      && cursor->done == signal->samples_per_record) {
    /* the bits are those of the last record's last sample */
  } else {
    memset (&cursor->bits, 0, sizeof cursor->bits);
    cursor->bits.known = TRUE;
    if (sample > 0) {
      memcpy (before,
          record + signal->record_offset + (gsize) (sample - 1) * size, size);
    } else if (record_number > run_record) {
      guint64 position = record_position (self, record_number - 1)
          + signal->record_offset
          + (guint64) (signal->samples_per_record - 1) * size;

      if (!read_all_bytes (self, position, before, size, error))
        return FALSE;
    } else {
      cursor->bits.known = FALSE;
      memset (before, 0, sizeof before);
    }
    cursor->bits.triggers = GST_READ_UINT16_LE (before);
  }
  cursor->valid = TRUE;
  cursor->record = record_number;
  cursor->done = cursor->scanned = sample;
  cursor->pending = FALSE;
  return TRUE;
}

static gboolean
give_triggers (GstEegFileDriver *self, StatusCursor *cursor,
    guint64 record_number, const guint8 *record, guint64 run_record,
    guint64 record_frame, guint32 first, guint32 count,
    GstEegDriverMarkerFunc marker, gpointer user_data, GError **error)
{
  const EegEdfHeader *header = self->header;
  guint64 samples = header->groups[self->group].samples_per_record;
  guint64 own = header->signals[cursor->signal].samples_per_record;
  /* sample i of the status signal falls on frame i * samples / own */
  guint32 begin = (first * own + samples - 1) / samples;
  guint32 end = (((guint64) first + count) * own + samples - 1) / samples;

  if (!move_cursor (self, cursor, record_number, record, run_record, begin,
          error)) {
    cursor->valid = FALSE;
    return FALSE;
  }
  for (;;) {
    gchar text[EEG_EDF_TRIGGER_TEXT_SIZE];
    GstClockTime time;
    guint64 at;

    if (!cursor->pending && cursor->scanned < own)
      cursor->pending = eeg_edf_status_next (header, cursor->signal, record,
          &cursor->bits, &cursor->scanned, &cursor->triggers);
    if (!cursor->pending || cursor->scanned - 1 >= end)
      break;

    cursor->pending = FALSE;
    at = cursor->scanned - 1;
    if (own == samples)
      time = gst_eeg_info_samples_to_time (&self->info, record_frame + at);
    else
      time = gst_eeg_info_samples_to_time (&self->info, record_frame)
          + eeg_edf_scale (at, header->duration.num * GST_SECOND,
              header->duration.den * own);
    eeg_edf_trigger_text (cursor->triggers, text);
    marker (time, GST_CLOCK_TIME_NONE, text, user_data);
  }
  cursor->done = end;
  return TRUE;
}

static gboolean
gst_eeg_file_driver_read (GstEegDriver *driver, guint64 first, guint frames,
    guint8 *data, GstEegDriverMarkerFunc marker, gpointer user_data,
    GError **error)
{
  GstEegFileDriver *self = GST_EEG_FILE_DRIVER (driver);
  const EegEdfGroup *group = &self->header->groups[self->group];
  const Run *run = &g_array_index (self->runs, Run, find_run (self, first));
  static const gsize sizes[] = { [EEG_EDF_SAMPLE_S16] = 2,
    [EEG_EDF_SAMPLE_S24] = 3,
    [EEG_EDF_SAMPLE_S32] = 4 };
  gsize frame_size = sizes[self->format] * group->num_channels;
  guint64 at = first - run->frame;

  while (frames > 0) {
    guint64 number = run->record + at / group->samples_per_record;
    guint32 sample = at % group->samples_per_record;
    guint32 count = MIN (frames, group->samples_per_record - sample);
    guint64 record_frame = run->frame + at - sample;
    const guint8 *record = load_record (self, number, error);
    guint i;

    if (record == NULL)
      return FALSE;
    eeg_edf_decode (self->header, self->group, record, sample, count,
        self->format, data);
    if (self->header->num_annotation_signals > 0)
      give_annotations (self, record, record_frame, sample, count, marker,
          user_data);
    for (i = 0; i < self->cursors->len; i++) {
      if (!give_triggers (self, &g_array_index (self->cursors, StatusCursor, i),
              number, record, run->record, record_frame, sample, count, marker,
              user_data, error))
        return FALSE;
    }
    data += count * frame_size;
    at += count;
    frames -= count;
  }
  return TRUE;
}

/* --- going on ------------------------------------------------------------ */

/* SHA-256 */
static gboolean
hash_range (GstEegFileDriver *self, guint64 position, gsize size, guint8 *hash,
    GError **error)
{
  GChecksum *checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize length = GST_EEG_BARRIER_HASH_SIZE;
  gpointer data = g_malloc (SAMPLE_SIZE);
  gboolean ok = read_all_bytes (self, position, data, size, error);

  if (ok) {
    g_checksum_update (checksum, data, (gssize) size);
    g_checksum_get_digest (checksum, hash, &length);
  }
  g_checksum_free (checksum);
  g_free (data);
  return ok;
}

static gboolean
gst_eeg_file_driver_identify (GstEegDriver *driver, GstEegBarrierInput *input,
    GError **error)
{
  GstEegFileDriver *self = GST_EEG_FILE_DRIVER (driver);
  struct stat s;
  gsize sample;

  memset (input, 0, sizeof *input);
  if (fstat (self->fd, &s) < 0) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
        "Could not examine the file: %s.", g_strerror (errno));
    return FALSE;
  }
  input->size = (guint64) s.st_size;
  input->mtime =
      (gint64) s.st_mtim.tv_sec * 1000000000 + (gint64) s.st_mtim.tv_nsec;
  input->device = s.st_dev;
  input->inode = s.st_ino;
  sample = (gsize) MIN (input->size, SAMPLE_SIZE);
  if (!hash_range (self, 0, sample, input->head, error)
      || !hash_range (self, input->size - sample, sample, input->tail, error))
    return FALSE;
  input->path = g_strdup (self->location);
  return TRUE;
}

static guint
gst_eeg_file_driver_get_alignment (GstEegDriver *driver)
{
  GstEegFileDriver *self = GST_EEG_FILE_DRIVER (driver);

  return self->header->groups[self->group].samples_per_record;
}

/* --- object -------------------------------------------------------------- */

static void
gst_eeg_file_driver_finalize (GObject *object)
{
  GstEegFileDriver *self = GST_EEG_FILE_DRIVER (object);

  gst_eeg_file_driver_close (GST_EEG_DRIVER (object));
  g_array_unref (self->runs);
  g_array_unref (self->cursors);
  G_OBJECT_CLASS (gst_eeg_file_driver_parent_class)->finalize (object);
}

static void
gst_eeg_file_driver_class_init (GstEegFileDriverClass *klass)
{
  GstEegDriverClass *driver_class = GST_EEG_DRIVER_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = gst_eeg_file_driver_finalize;
  driver_class->open = gst_eeg_file_driver_open;
  driver_class->close = gst_eeg_file_driver_close;
  driver_class->get_caps = gst_eeg_file_driver_get_caps;
  driver_class->set_format = gst_eeg_file_driver_set_format;
  driver_class->locate = gst_eeg_file_driver_locate;
  driver_class->read = gst_eeg_file_driver_read;
  driver_class->identify = gst_eeg_file_driver_identify;
  driver_class->get_alignment = gst_eeg_file_driver_get_alignment;
}

static void
gst_eeg_file_driver_init (GstEegFileDriver *self)
{
  self->fd = -1;
  gst_eeg_info_init (&self->info);
  self->runs = g_array_new (FALSE, FALSE, sizeof (Run));
  self->cursors = g_array_new (FALSE, FALSE, sizeof (StatusCursor));
}
