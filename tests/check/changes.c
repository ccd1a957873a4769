/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What has changed since a checkpoint: a recording is interrupted, one thing is
 * made another one, and the line is run again. It is refused with one error
 * that says why, and nothing is written; or it goes on, to the same bytes. Each
 * chain is tried with every property of every stage in it.
 */
#include <gst/base/gstbasesrc.h>
#include <gst/check/gstcheck.h>
#include <gst/eeg/eeg.h>

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint.h"
#include "digest.h"

#define N_BYTES 400000
/* What the sink saves of itself. */
#define PARTS_ROW "parts"

typedef enum
{
  WHOLE, /* one file */
  PARTS, /* a source that can give out again what is missing */
  LIVE
} Kind;

/* FOLDER stands for the one that all files are in. */
typedef struct
{
  const gchar *line;
  Kind kind;
  const gchar *sink;
  const gchar *decoder; /* of parts, with KEY, whose contents are the input */
} Chain;

#define FILE_SINK                                                              \
  "identity name=check ! eegfilesink name=sink checkpoint=true "               \
  "location=FOLDER/out"
#define PART_SINK                                                              \
  "identity name=check ! eegfilesink name=sink checkpoint=true "               \
  "rotate-bytes=20000 location=FOLDER/out"
#define LIVE_SINK                                                              \
  "identity name=check ! eegfilesink name=sink checkpoint=true "               \
  "rotate-time=100000000 location=FOLDER/out"
#define BYTES "filesrc location=FOLDER/in ! eegchunk checkpoint-interval=50000"
#define SAMPLES "eegsrc location=FOLDER/in.edf checkpoint-interval=500"
#define SYNTHETIC                                                              \
  "eegsrc num-samples=20000 channels=3 checkpoint-interval=1000 "              \
  "driver::loss-rate=0.0002"
#define F64 "capsfilter caps=application/x-eeg-raw,format=F64LE"
#define F32 "capsfilter caps=application/x-eeg-raw,format=F32LE"

static const Chain chains[] = {
  { BYTES " ! zstdenc chunk-size=16384 ! blake3sum ! sha256sum ! sha512sum",
      WHOLE, FILE_SINK, NULL },
  { BYTES " ! zstdenc chunk-size=16384 seek-table=true", WHOLE, FILE_SINK,
      NULL },
  { BYTES " ! gzipenc chunk-size=16384 ! sha256sum", WHOLE, FILE_SINK, NULL },
  { BYTES " ! lz4enc chunk-size=16384", WHOLE, FILE_SINK, NULL },
  { SAMPLES " ! rawtovoltage ! eegvalidate ! eegselect drop=C4 ! "
            "eegreference channels=Fp1 ! firfilter taps=101 ! iirfilter ! "
            "eegdecimate rate=125/1 ! eegbatch samples=100 ! eegstats ! edfmux",
      WHOLE, FILE_SINK, NULL },
  { SYNTHETIC " ! rawtovoltage ! " F64 " ! voltagetoraw ! edfmux ! "
              "zstdenc chunk-size=16384 ! blake3sum",
      WHOLE, FILE_SINK, NULL },
  { SYNTHETIC " ! rawtovoltage ! eegtoaudio ! audiotoeeg ! edfmux", WHOLE,
      FILE_SINK, NULL },
  { SYNTHETIC " ! eegpackenc", WHOLE, FILE_SINK, NULL },
  { "filesrc location=FOLDER/in.edf ! eegchunk checkpoint-interval=20000 ! "
    "edfdemux ! edfmux",
      WHOLE, FILE_SINK, NULL },
  { "filesrc location=FOLDER/in.eegpack ! eegchunk checkpoint-interval=10000 "
    "! eegpackdec ! edfmux",
      WHOLE, FILE_SINK, NULL },
  { BYTES " ! zstdenc chunk-size=16384 ! "
          "aesgcmenc key-file=FOLDER/key segment-size=4096 ! "
          "blake3sum location=FOLDER/out.b3",
      PARTS, PART_SINK, "aesgcmdec key-file=KEY segment-size=4096 ! zstddec" },
  { BYTES " ! gzipenc chunk-size=16384 ! "
          "chacha20poly1305enc passphrase-file=FOLDER/key work-factor=10",
      PARTS, PART_SINK, "chacha20poly1305dec passphrase-file=KEY ! gzipdec" },
  { SYNTHETIC " ! edfmux ! brotlienc quality=1", PARTS, PART_SINK, NULL },
  { "eegsrc is-live=true channels=2 checkpoint-interval=25 "
    "buffer-time=40000000 ! edfmux record-duration=100000000",
      LIVE, LIVE_SINK, NULL },
};

/* --- the folder ---------------------------------------------------------- */

static gchar *folder;

static gchar *
path_of (const gchar *name)
{
  return g_build_filename (folder, name, NULL);
}

static GBytes *
read_file (const gchar *name)
{
  gchar *path = path_of (name), *data;
  gsize size;

  fail_unless (g_file_get_contents (path, &data, &size, NULL), "%s", path);
  g_free (path);
  return g_bytes_new_take (data, size);
}

static void
remove_file (const gchar *name)
{
  gchar *path = path_of (name);

  fail_unless_equals_int (g_unlink (path), 0);
  g_free (path);
}

/* As it was, at the time that it was. */
static void
write_file (const gchar *name, GBytes *bytes, const struct timespec *mtime)
{
  gchar *path = path_of (name);
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);
  int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

  fail_unless (fd >= 0 && write (fd, data, size) == (gssize) size);
  if (mtime != NULL) {
    struct timespec times[2] = { *mtime, *mtime };

    fail_unless_equals_int (futimens (fd, times), 0);
  }
  close (fd);
  g_free (path);
}

static void
remove_all (const gchar *prefix)
{
  GDir *dir = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_prefix (name, prefix))
      remove_file (name);
  g_dir_close (dir);
}

typedef struct
{
  gchar *name;
  GBytes *bytes;
  struct timespec mtime;
} File;

static void
free_file (gpointer data)
{
  File *file = data;

  g_free (file->name);
  g_bytes_unref (file->bytes);
  g_free (file);
}

static gint
compare_files (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(File *const *) a)->name, (*(File *const *) b)->name);
}

/* All that is in the folder. */
static GPtrArray *
take_snapshot (void)
{
  GPtrArray *files = g_ptr_array_new_with_free_func (free_file);
  GDir *dir = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (dir)) != NULL) {
    File *file = g_new0 (File, 1);
    gchar *path = path_of (name);
    struct stat s;

    fail_unless_equals_int (stat (path, &s), 0);
    file->name = g_strdup (name);
    file->bytes = read_file (name);
    file->mtime = s.st_mtim;
    g_ptr_array_add (files, file);
    g_free (path);
  }
  g_dir_close (dir);
  g_ptr_array_sort (files, compare_files);
  return files;
}

static const File *
find_file (GPtrArray *files, const gchar *name)
{
  guint i;

  for (i = 0; i < files->len; i++)
    if (strcmp (((File *) files->pdata[i])->name, name) == 0)
      return files->pdata[i];
  return NULL;
}

/* transfer full: a file that is another one or is not there, or NULL; with
 * @may_grow only those of @before count. */
static gchar *
find_change (GPtrArray *before, GPtrArray *after, gboolean may_grow)
{
  guint i;

  for (i = 0; i < before->len; i++) {
    const File *then = before->pdata[i];
    const File *now = find_file (after, then->name);

    if (now == NULL || !g_bytes_equal (then->bytes, now->bytes))
      return g_strdup (then->name);
  }
  for (i = 0; !may_grow && i < after->len; i++)
    if (find_file (before, ((File *) after->pdata[i])->name) == NULL)
      return g_strdup (((File *) after->pdata[i])->name);
  return NULL;
}

static void
restore_snapshot (GPtrArray *files)
{
  GPtrArray *now = take_snapshot ();
  guint i;

  for (i = 0; i < now->len; i++) {
    const File *file = now->pdata[i];
    gchar *path = path_of (file->name);

    if (find_file (files, file->name) == NULL)
      fail_unless_equals_int (g_unlink (path), 0);
    g_free (path);
  }
  for (i = 0; i < files->len; i++) {
    const File *file = files->pdata[i];
    const File *old = find_file (now, file->name);

    if (old == NULL || !g_bytes_equal (old->bytes, file->bytes)
        || memcmp (&old->mtime, &file->mtime, sizeof old->mtime) != 0)
      write_file (file->name, file->bytes, &file->mtime);
  }
  g_ptr_array_unref (now);
}

/* --- running ------------------------------------------------------------- */

/* transfer full */
static gchar *
fill_in (const gchar *line)
{
  gchar **pieces = g_strsplit (line, "FOLDER", -1);
  gchar *filled = g_strjoinv (folder, pieces);

  g_strfreev (pieces);
  return filled;
}

/* transfer full; NULL if the elements do not link */
static GstElement *
make_pipeline (const gchar *line, const gchar *sink)
{
  gchar *all = g_strdup_printf ("%s ! %s", line, sink);
  gchar *filled = fill_in (all);
  GstElement *pipeline =
      gst_parse_launch_full (filled, NULL, GST_PARSE_FLAG_FATAL_ERRORS, NULL);

  g_free (all);
  g_free (filled);
  return pipeline;
}

static void
drop_pipeline (GstElement *pipeline)
{
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

typedef struct
{
  GError *error;
  guint n_errors;
  GString *more; /* errors, in words */
} Result;

static void
result_clear (Result *result)
{
  g_clear_error (&result->error);
  g_string_free (result->more, TRUE);
}

/* To the end, or to the first error and all that come with it. */
static void
play (GstElement *pipeline, Result *result)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;

  memset (result, 0, sizeof *result);
  result->more = g_string_new (NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND,
      GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  fail_unless (message != NULL, "neither end nor error");
  gst_element_set_state (pipeline, GST_STATE_READY);
  while (message != NULL) {
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
      GError *error = NULL;

      gst_message_parse_error (message, &error, NULL);
      if (result->n_errors == 0) {
        result->error = g_steal_pointer (&error);
        result->n_errors++;
      } else if (!GST_IS_BASE_SRC (GST_MESSAGE_SRC (message))
          || !g_error_matches (error, GST_CORE_ERROR,
              GST_CORE_ERROR_STATE_CHANGE)) {
        /* one that GstBaseSrc itself posts behind the reason does not count */
        result->n_errors++;
        g_string_append_printf (result->more, " %s: %s",
            GST_OBJECT_NAME (GST_MESSAGE_SRC (message)), error->message);
      }
      g_clear_error (&error);
    }
    gst_message_unref (message);
    message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  }
  gst_object_unref (bus);
}

static guint64
get_stat (GstElement *pipeline, const gchar *name)
{
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GstStructure *stats;
  guint64 value = 0;

  g_object_get (sink, "stats", &stats, NULL);
  gst_structure_get_uint64 (stats, name, &value);
  gst_structure_free (stats);
  gst_object_unref (sink);
  return value;
}

static gboolean
has_unfinished (void)
{
  GPtrArray *files = take_snapshot ();
  gboolean found = FALSE;
  guint i;

  for (i = 0; i < files->len; i++) {
    const File *file = files->pdata[i];

    found |= g_str_has_suffix (file->name, ".part")
        && g_bytes_get_size (file->bytes) > 0;
  }
  g_ptr_array_unref (files);
  return found;
}

/* Of @stop: wanted, then once a buffer has passed. */
enum
{
  RUNS,
  STOPS,
  STANDS
};

static GstPadProbeReturn
stop_behind_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer stop)
{
  if (g_atomic_int_get ((gint *) stop) == STANDS)
    return GST_PAD_PROBE_OK;
  g_atomic_int_compare_and_exchange ((gint *) stop, STOPS, STANDS);
  return GST_PAD_PROBE_PASS;
}

/* Until there are two checkpoints, and bytes behind the newest one. transfer
 * full pipeline; FALSE if it was too fast, and came to its end. */
static gboolean
interrupt_pipeline (GstElement *pipeline, guint sleep_time, gboolean parts)
{
  gint64 end = g_get_monotonic_time () + 60 * G_TIME_SPAN_SECOND;
  GstElement *check = gst_bin_get_by_name (GST_BIN (pipeline), "check");
  GstPad *pad = gst_element_get_static_pad (check, "src");
  GstBus *bus = gst_element_get_bus (pipeline);
  gboolean stands = FALSE, ended = FALSE;
  guint64 bytes = 0;
  gint stop = RUNS;
  guint n = 0;

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BLOCK | GST_PAD_PROBE_TYPE_BUFFER,
      stop_behind_buffer, &stop, NULL);
  g_object_set (check, "sleep-time", sleep_time, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (!stands && !ended) {
    GstMessage *message = gst_bus_timed_pop_filtered (bus, GST_MSECOND,
        GST_MESSAGE_ELEMENT | GST_MESSAGE_ERROR | GST_MESSAGE_EOS);

    fail_unless (g_get_monotonic_time () < end, "no checkpoint");
    if (message != NULL) {
      fail_if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR,
          "%" GST_PTR_FORMAT, message);
      ended = GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
      if (gst_message_has_name (message, "eeg-checkpoint") && ++n == 2) {
        g_atomic_int_set (&stop, STOPS);
        fail_unless (
            gst_structure_get_uint64 (gst_message_get_structure (message),
                "bytes", &bytes));
      }
      gst_message_unref (message);
    }
    stands = g_atomic_int_get (&stop) == STANDS
        && (parts ? has_unfinished ()
                  : get_stat (pipeline, "bytes-written") > bytes);
  }
  gst_object_unref (bus);
  gst_object_unref (pad);
  gst_object_unref (check);
  drop_pipeline (pipeline);
  return !ended;
}

static void
interrupt (const gchar *line, const Chain *chain)
{
  guint sleep_time = 10000;

  while (!interrupt_pipeline (make_pipeline (line, chain->sink), sleep_time,
      chain->kind != WHOLE)) {
    remove_all ("out");
    sleep_time *= 2;
  }
}

/* --- cases --------------------------------------------------------------- */

typedef enum
{
  REFUSED,
  GOES_ON,
  GOES_ON_PARTLY /* something is missing that was moved away */
} Outcome;

/* Of one chain, interrupted; each case begins with the same files. */
typedef struct
{
  const Chain *chain;
  GPtrArray *files;
  GBytes *whole; /* what it comes to */
  guint n_cases;
  GString *problems;
} Trial;

G_GNUC_PRINTF (2, 3)
static void
report (Trial *trial, const gchar *format, ...)
{
  va_list args;

  va_start (args, format);
  g_string_append_vprintf (trial->problems, format, args);
  va_end (args);
  g_string_append_c (trial->problems, '\n');
}

/* Appends what is in a part. FALSE if it cannot be decoded with this key. */
static gboolean
decode_part (const gchar *name, const gchar *decoder, const gchar *key,
    GByteArray *to)
{
  gchar *key_path = path_of (key), **pieces = g_strsplit (decoder, "KEY", -1);
  gchar *with_key = g_strjoinv (key_path, pieces);
  gchar *line =
      g_strdup_printf ("filesrc location=FOLDER/%s ! %s", name, with_key);
  GstElement *pipeline =
      make_pipeline (line, "filesink location=FOLDER/decoded");
  Result result;
  GBytes *bytes;

  play (pipeline, &result);
  drop_pipeline (pipeline);
  bytes = read_file ("decoded");
  remove_file ("decoded");
  if (result.n_errors == 0)
    g_byte_array_append (to, g_bytes_get_data (bytes, NULL),
        (guint) g_bytes_get_size (bytes));
  g_bytes_unref (bytes);
  g_free (line);
  g_free (with_key);
  g_free (key_path);
  g_strfreev (pieces);
  result_clear (&result);
  return result.n_errors == 0;
}

static gboolean
is_part (const gchar *name, gboolean finished)
{
  const gchar *dot = strchr (name, '.');

  return g_str_has_prefix (name, "out-")
      && (finished ? dot == NULL : g_strcmp0 (dot, ".part") == 0);
}

/* All parts as one; none of them may be unfinished. */
static void
check_parts (Trial *trial, const gchar *name, GPtrArray *files)
{
  const gchar *decoder = trial->chain->decoder;
  GByteArray *all = g_byte_array_new ();
  GBytes *bytes;
  guint i;

  for (i = 0; i < files->len; i++) {
    const File *file = files->pdata[i];

    if (is_part (file->name, FALSE))
      report (trial, "%s: %s is left", name, file->name);
    else if (is_part (file->name, TRUE) && decoder != NULL
        && !decode_part (file->name, decoder, "key", all)
        && !decode_part (file->name, decoder, "other-key", all))
      report (trial, "%s: %s cannot be decoded", name, file->name);
  }
  bytes = g_byte_array_free_to_bytes (all);
  if (decoder != NULL
      && !g_bytes_equal (bytes, find_file (trial->files, "in")->bytes))
    report (trial, "%s: goes on to parts with something else in them", name);
  g_bytes_unref (bytes);
}

/* transfer full pipeline; the files are as the case wants them. An error has
 * @words in its text, separated by "|". */
static void
try_pipeline (Trial *trial, const gchar *name, GstElement *pipeline,
    Outcome wanted, GQuark domain, const gchar *words)
{
  GPtrArray *before = take_snapshot (), *after;
  gchar *change, **all = g_strsplit (words != NULL ? words : "", "|", -1);
  Result result;
  gsize i;

  trial->n_cases++;
  play (pipeline, &result);
  drop_pipeline (pipeline);
  after = take_snapshot ();
  if (wanted != REFUSED) {
    if (result.n_errors > 0) {
      report (trial, "%s: refused: %s", name, result.error->message);
    } else if (trial->chain->kind == PARTS) {
      if (wanted == GOES_ON)
        check_parts (trial, name, after);
    } else {
      const File *out = find_file (after, "out");

      if (out == NULL || !g_bytes_equal (out->bytes, trial->whole))
        report (trial, "%s: goes on to other bytes", name);
    }
  } else if (result.n_errors == 0) {
    report (trial, "%s: not refused", name);
  } else {
    if (result.n_errors > 1)
      report (trial, "%s: %u errors:%s", name, result.n_errors,
          result.more->str);
    if ((domain != 0 && result.error->domain != domain)
        || (result.error->domain == GST_RESOURCE_ERROR
            && result.error->code != GST_RESOURCE_ERROR_SETTINGS)
        || (result.error->domain == GST_LIBRARY_ERROR
            && result.error->code != GST_LIBRARY_ERROR_SETTINGS)
        || (result.error->domain != GST_RESOURCE_ERROR
            && result.error->domain != GST_LIBRARY_ERROR))
      report (trial, "%s: %s %d: %s", name,
          g_quark_to_string (result.error->domain), result.error->code,
          result.error->message);
    for (i = 0; all[i] != NULL; i++)
      if (strstr (result.error->message, all[i]) == NULL)
        report (trial, "%s: no \"%s\" in: %s", name, all[i],
            result.error->message);
    change = find_change (before, after, FALSE);
    if (change != NULL)
      report (trial, "%s: refused, but %s is another one", name, change);
    g_free (change);
  }
  result_clear (&result);
  g_strfreev (all);
  g_ptr_array_unref (before);
  g_ptr_array_unref (after);
}

static void
try_line (Trial *trial, const gchar *name, const gchar *line, Outcome wanted,
    GQuark domain, const gchar *words)
{
  GstElement *pipeline = make_pipeline (line, trial->chain->sink);

  /* what does not link cannot be run */
  if (pipeline != NULL)
    try_pipeline (trial, name, pipeline, wanted, domain, words);
  restore_snapshot (trial->files);
}

/* The same line, with files that were changed. */
static void
try_files (Trial *trial, const gchar *name, Outcome wanted, const gchar *words)
{
  try_line (trial, name, trial->chain->line, wanted, GST_RESOURCE_ERROR, words);
}

/* --- the input ----------------------------------------------------------- */

/* NULL: the line has no input */
static const gchar *
get_input (const gchar *line)
{
  return strstr (line, "FOLDER/in.edf") != NULL    ? "in.edf"
      : strstr (line, "FOLDER/in.eegpack") != NULL ? "in.eegpack"
      : strstr (line, "FOLDER/in") != NULL         ? "in"
                                                   : NULL;
}

/* One byte more or another one, at the same time; or the same at another. */
static void
change_input (Trial *trial, gint64 at, gint more, gboolean same_time)
{
  const gchar *name = get_input (trial->chain->line);
  const File *file = find_file (trial->files, name);
  GByteArray *data = g_byte_array_new ();
  struct timespec mtime = file->mtime;
  GBytes *bytes;

  g_byte_array_append (data, g_bytes_get_data (file->bytes, NULL),
      (guint) g_bytes_get_size (file->bytes));
  if (at != 0)
    data->data[at > 0 ? (guint) at - 1 : data->len + at] ^= 1;
  if (more > 0)
    g_byte_array_append (data, (const guint8 *) "x", 1);
  else if (more < 0)
    g_byte_array_set_size (data, data->len - 1);
  if (!same_time)
    mtime.tv_nsec = (mtime.tv_nsec + 1) % 1000000000;
  bytes = g_byte_array_free_to_bytes (data);
  write_file (name, bytes, &mtime);
  g_bytes_unref (bytes);
}

static void
try_input (Trial *trial)
{
  if (get_input (trial->chain->line) == NULL)
    return;
  change_input (trial, 0, 1, TRUE);
  try_files (trial, "longer input", REFUSED, "input has another size");
  change_input (trial, 0, -1, TRUE);
  try_files (trial, "shorter input", REFUSED, "input has another size");
  change_input (trial, 0, 0, FALSE);
  try_files (trial, "other time of the input", REFUSED, "input was changed");
  change_input (trial, -2, 0, TRUE);
  try_files (trial, "other end of the input", REFUSED,
      "input ends with other bytes");
  /* where an EDF header has the patient */
  change_input (trial, 20, 0, TRUE);
  try_files (trial, "other beginning of the input", REFUSED,
      "input begins with other bytes");
}

/* --- the output ---------------------------------------------------------- */

static EegCheckpoint *
load (EegCheckpointGeneration generation)
{
  gchar *path = path_of ("out.checkpoint");
  EegCheckpoint *checkpoint;

  fail_unless_equals_int (eeg_checkpoint_load (path, generation, &checkpoint),
      EEG_CHECKPOINT_OK);
  g_free (path);
  return checkpoint;
}

/* Cut, or with another byte, or with more of them; a place before 0 is none, or
 * with @flip_at of -2 the last one. */
static void
change_file (Trial *trial, const gchar *name, gint64 cut_at, gint64 flip_at,
    gsize more)
{
  const File *file = find_file (trial->files, name);
  GByteArray *data = g_byte_array_new ();
  guint8 *junk = g_malloc0 (more + 1);
  GBytes *bytes;

  g_byte_array_append (data, g_bytes_get_data (file->bytes, NULL),
      (guint) g_bytes_get_size (file->bytes));
  if (cut_at >= 0)
    g_byte_array_set_size (data, (guint) cut_at);
  if (flip_at >= 0 || flip_at == -2)
    data->data[flip_at >= 0 ? flip_at : (gint64) data->len - 1] ^= 1;
  g_byte_array_append (data, junk, (guint) more);
  bytes = g_byte_array_free_to_bytes (data);
  write_file (name, bytes, NULL);
  g_bytes_unref (bytes);
  g_free (junk);
}

static void
change_output (Trial *trial, gint64 cut_at, gint64 flip_at, gsize more)
{
  change_file (trial, "out.part", cut_at, flip_at, more);
}

static void
try_output (Trial *trial)
{
  EegCheckpoint *newest = load (EEG_CHECKPOINT_NEWEST);
  EegCheckpoint *previous = load (EEG_CHECKPOINT_PREVIOUS);
  gint64 length = (gint64) newest->output.length;
  gint64 before = (gint64) previous->output.length;

  fail_unless (before < length);
  change_output (trial, -1, before - 1, 0);
  try_files (trial, "other output", REFUSED, "ends with other bytes");
  change_output (trial, before - 1, -1, 0);
  try_files (trial, "shorter output", REFUSED, "shorter");
  change_output (trial, 0, -1, 0);
  try_files (trial, "empty output", REFUSED, "missing");
  remove_file ("out.part");
  try_files (trial, "no output", REFUSED, "missing");

  /* what the one before says is still so */
  change_output (trial, -1, length - 1, 0);
  try_files (trial, "other output behind the older checkpoint", GOES_ON, NULL);
  change_output (trial, length - 1, -1, 0);
  try_files (trial, "output shorter than at the newest checkpoint", GOES_ON,
      NULL);
  /* what is behind is cut off */
  change_output (trial, length, -1, 0);
  try_files (trial, "output as long as at the checkpoint", GOES_ON, NULL);
  change_output (trial, -1, -1, 100000);
  try_files (trial, "longer output", GOES_ON, NULL);
  eeg_checkpoint_free (newest);
  eeg_checkpoint_free (previous);
}

/* transfer full; the last one with its name, or that without one */
static gchar *
find_part (Trial *trial, gboolean finished)
{
  gchar *name = NULL;
  guint i;

  for (i = 0; i < trial->files->len; i++) {
    const gchar *one = ((File *) trial->files->pdata[i])->name;

    if (is_part (one, finished)) {
      g_free (name);
      name = g_strdup (one);
    }
  }
  fail_unless (name != NULL);
  return name;
}

static void
try_parts (Trial *trial)
{
  gchar *finished = find_part (trial, TRUE);
  gchar *unfinished = find_part (trial, FALSE);
  gchar *line, **words;

  change_file (trial, finished, -1, -2, 0);
  try_files (trial, "other part", REFUSED, "last part is another one");
  change_file (trial, finished, 100, -1, 0);
  try_files (trial, "shorter part", REFUSED, "last part is another one");
  change_file (trial, finished, -1, -1, 1);
  try_files (trial, "longer part", REFUSED, "last part is another one");
  remove_file (finished);
  try_files (trial, "part that was moved away", GOES_ON_PARTLY, NULL);

  /* thrown away, whatever it is */
  change_file (trial, unfinished, -1, 0, 0);
  try_files (trial, "other unfinished part", GOES_ON, NULL);
  change_file (trial, unfinished, 0, -1, 0);
  try_files (trial, "empty unfinished part", GOES_ON, NULL);
  change_file (trial, unfinished, -1, -1, 100000);
  try_files (trial, "longer unfinished part", GOES_ON, NULL);
  remove_file (unfinished);
  try_files (trial, "no unfinished part", GOES_ON, NULL);

  write_file ("key", find_file (trial->files, "other-key")->bytes, NULL);
  write_file ("other-key", find_file (trial->files, "key")->bytes, NULL);
  try_files (trial, "another key", GOES_ON, NULL);

  words = g_strsplit (trial->chain->sink, "rotate-bytes=20000 ", 2);
  line = g_strjoinv ("", words);
  try_pipeline (trial, "without parts",
      make_pipeline (trial->chain->line, line), REFUSED, 0, NULL);
  restore_snapshot (trial->files);
  g_strfreev (words);
  g_free (line);
  g_free (finished);
  g_free (unfinished);
}

/* --- the sidecar --------------------------------------------------------- */

/* Both generations, with what @change makes of them. */
static void
change_sidecar (void (*change) (EegCheckpoint *checkpoint, guint index),
    guint index)
{
  static const gchar *const names[] = { "out.checkpoint",
    "out.checkpoint.old" };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (names); i++) {
    EegCheckpoint *checkpoint;
    GBytes *bytes = read_file (names[i]);
    uint8_t *data;
    size_t size;

    fail_unless_equals_int (eeg_checkpoint_parse (g_bytes_get_data (bytes,
                                                      NULL),
                                g_bytes_get_size (bytes), &checkpoint),
        EEG_CHECKPOINT_OK);
    g_bytes_unref (bytes);
    change (checkpoint, index);
    fail_unless_equals_int (eeg_checkpoint_format (checkpoint, &data, &size),
        EEG_CHECKPOINT_OK);
    eeg_checkpoint_free (checkpoint);
    bytes = g_bytes_new (data, size);
    write_file (names[i], bytes, NULL);
    g_bytes_unref (bytes);
    free (data);
  }
}

static void
change_state (EegCheckpoint *checkpoint, guint index)
{
  if (index < checkpoint->n_stages && checkpoint->stages[index].state_size > 0)
    checkpoint->stages[index].state[0]++;
}

/* A library, or this one, of another version. */
static gboolean
change_text (EegCheckpointStage *stage, const gchar *name)
{
  gchar *found = strstr (stage->settings, name);

  if (found == NULL)
    return FALSE;
  found[strlen (name)] ^= 1;
  return TRUE;
}

static void
change_library (EegCheckpoint *checkpoint, guint index)
{
  if (index < checkpoint->n_stages)
    change_text (&checkpoint->stages[index], "library=");
}

static void
change_version (EegCheckpoint *checkpoint, guint index)
{
  if (index < checkpoint->n_stages)
    change_text (&checkpoint->stages[index], "version=");
}

static void
change_cpu (EegCheckpoint *checkpoint, guint index)
{
  checkpoint->cpu_path[0] ^= 1;
}

/* The oldest format that a reader must know, with a checksum that is right. */
static void
make_newer (const gchar *name)
{
  const EegDigestKernel *blake3 = eeg_digest_find ("blake3", NULL);
  gpointer state = g_malloc (blake3->state_size);
  gsize size;
  guint8 *data = g_bytes_unref_to_data (read_file (name), &size);
  GBytes *bytes;

  GST_WRITE_UINT16_LE (data + 8, 99);
  GST_WRITE_UINT16_LE (data + 10, 99);
  blake3->init (state);
  blake3->update (state, data, size - EEG_CHECKPOINT_HASH_SIZE);
  blake3->final (state, data + size - EEG_CHECKPOINT_HASH_SIZE);
  bytes = g_bytes_new_take (data, size);
  write_file (name, bytes, NULL);
  g_bytes_unref (bytes);
  g_free (state);
}

/* That of a recording by the same line, of another input of the same kind. */
static void
use_foreign_sidecar (Trial *trial)
{
  static const gchar *const names[] = { "out.checkpoint",
    "out.checkpoint.old" };
  const gchar *input = get_input (trial->chain->line);
  gchar **words = g_strsplit (trial->chain->line, "eegsrc ", 2);
  gchar *line = input != NULL ? g_strdup (trial->chain->line)
                              : g_strjoinv ("eegsrc seed=9 ", words);
  GBytes *bytes[2];
  guint i;

  remove_all ("out");
  if (g_strcmp0 (input, "in.eegpack") == 0) {
    write_file (input, find_file (trial->files, "other.eegpack")->bytes, NULL);
  } else if (input != NULL) {
    change_input (trial, 10000, 0, FALSE);
    change_input (trial, 5000, 0, FALSE);
  }
  interrupt (line, trial->chain);
  for (i = 0; i < G_N_ELEMENTS (names); i++)
    bytes[i] = read_file (names[i]);
  restore_snapshot (trial->files);
  for (i = 0; i < G_N_ELEMENTS (names); i++) {
    write_file (names[i], bytes[i], NULL);
    g_bytes_unref (bytes[i]);
  }
  g_strfreev (words);
  g_free (line);
}

static void
try_sidecar (Trial *trial)
{
  EegCheckpoint *checkpoint = load (EEG_CHECKPOINT_NEWEST);
  guint i;

  for (i = 0; i < checkpoint->n_stages; i++) {
    EegCheckpointStage *stage = &checkpoint->stages[i];
    gchar *name, *words;

    if (stage->state_size > 0 && strcmp (stage->factory, PARTS_ROW) != 0) {
      name = g_strdup_printf ("another version of the state of %s",
          stage->factory);
      words = g_strdup_printf ("state of this version|%s", stage->factory);
      change_sidecar (change_state, i);
      try_files (trial, name, REFUSED, words);
      g_free (words);
      g_free (name);
    }
    if (change_text (stage, "library=")) {
      name = g_strdup_printf ("another library of %s", stage->factory);
      words =
          g_strdup_printf ("%s|has other settings|library=", stage->factory);
      change_sidecar (change_library, i);
      try_files (trial, name, REFUSED, words);
      g_free (words);
      g_free (name);
    }
    if (stage->settings[0] != '\0'
        && strcmp (stage->factory, "capsfilter") != 0) {
      name = g_strdup_printf ("another version of %s", stage->factory);
      words =
          g_strdup_printf ("%s|has other settings|version=", stage->factory);
      if (!change_text (stage, "version="))
        report (trial, "%s does not say its version", stage->factory);
      change_sidecar (change_version, i);
      try_files (trial, name, REFUSED, words);
      g_free (words);
      g_free (name);
    }
  }
  if (checkpoint->cpu_path[0] != '\0') {
    change_sidecar (change_cpu, 0);
    try_files (trial, "another build of the kernels", REFUSED,
        "by instructions of");
    if (strcmp (checkpoint->cpu_path, "base") != 0) {
      g_setenv ("GSTEEG_CPU", "base", TRUE);
      try_files (trial, "another processor", REFUSED,
          "by instructions of|base");
      g_unsetenv ("GSTEEG_CPU");
    }
  }
  eeg_checkpoint_free (checkpoint);

  use_foreign_sidecar (trial);
  /* of synthetic samples it also has other settings */
  try_files (trial, "sidecar of another recording", REFUSED,
      trial->chain->kind == WHOLE         ? "ends with other bytes"
          : trial->chain->decoder == NULL ? "has other settings"
                                          : "last part is another one");

  make_newer ("out.checkpoint");
  make_newer ("out.checkpoint.old");
  try_files (trial, "sidecar of a newer format", REFUSED, "newer format");
}

/* --- elements ------------------------------------------------------------ */

/* transfer full; the line without one element, or with two of them in the other
 * order */
static gchar *
change_order (const gchar *line, guint at, gboolean swap)
{
  gchar **words = g_strsplit (line, " ! ", -1);
  guint n = g_strv_length (words);
  gchar *changed = NULL;

  if (at + (swap ? 1 : 0) < n) {
    gchar *one = words[at];

    if (swap) {
      words[at] = words[at + 1];
      words[at + 1] = one;
      changed = g_strjoinv (" ! ", words);
    } else {
      memmove (words + at, words + at + 1, (n - at) * sizeof *words);
      changed = g_strjoinv (" ! ", words);
      g_free (one);
    }
  }
  g_strfreev (words);
  return changed;
}

/* How many elements there are up to the one that sends barriers. */
static guint
count_source (const gchar *line)
{
  return g_str_has_prefix (line, "filesrc") ? 2 : 1;
}

/* transfer full; with another one behind each, or only behind the one @at */
static gchar *
insert (const gchar *line, const gchar *element, gint at)
{
  gchar **words = g_strsplit (line, " ! ", -1);
  GString *text = g_string_new (NULL);
  guint i, first = count_source (line) - 1;

  for (i = 0; words[i] != NULL; i++) {
    g_string_append_printf (text, "%s%s", i > 0 ? " ! " : "", words[i]);
    if (at < 0 ? i >= first : i == (guint) at)
      g_string_append_printf (text, " ! %s", element);
  }
  g_strfreev (words);
  return g_string_free (text, FALSE);
}

static void
try_elements (Trial *trial)
{
  static const gchar *const harmless[] = { "queue", "identity", "tee",
    "queue max-size-buffers=1" };
  const gchar *line = trial->chain->line;
  guint first = count_source (line), i;
  gchar *changed, **words;

  for (i = first; (changed = change_order (line, i, FALSE)) != NULL; i++) {
    /* parts may not be possible at all then */
    try_line (trial, changed, changed, REFUSED, 0,
        trial->chain->kind == PARTS ? NULL : "at the checkpoint");
    g_free (changed);
  }
  for (i = first; (changed = change_order (line, i, TRUE)) != NULL; i++) {
    try_line (trial, changed, changed, REFUSED, 0,
        trial->chain->kind == PARTS ? NULL : "stands where");
    g_free (changed);
  }
  changed = g_strconcat (line, " ! sha512sum name=new", NULL);
  try_line (trial, changed, changed, REFUSED, GST_RESOURCE_ERROR,
      "at the checkpoint");
  g_free (changed);
  for (i = 0; i < G_N_ELEMENTS (harmless); i++) {
    changed = insert (line, harmless[i], -1);
    try_line (trial, changed, changed, GOES_ON, 0, NULL);
    g_free (changed);
  }

  words = g_strsplit (line, F64, 2);
  if (words[1] != NULL) {
    changed = g_strconcat (words[0], F32, words[1], NULL);
    try_line (trial, changed, changed, REFUSED, GST_RESOURCE_ERROR,
        "capsfilter|has other settings|F32LE|F64LE");
    g_free (changed);
  }
  g_strfreev (words);

  words = g_strsplit (line, " ! ", -1);
  for (i = 0; words[i] != NULL; i++) {
    gchar *named = g_strdup_printf ("%s name=other%u", words[i], i);

    g_free (words[i]);
    words[i] = named;
  }
  changed = g_strjoinv (" ! ", words);
  try_line (trial, "other names", changed, GOES_ON, 0, NULL);
  g_free (changed);
  g_strfreev (words);
}

static gboolean
has_late_pads (const gchar *line)
{
  return strstr (line, "edfdemux") != NULL
      || strstr (line, "eegpackdec") != NULL;
}

/* Elements of core that hold something, lose something, or change it. */
static void
try_foreign (Trial *trial)
{
  static const gchar *const foreign[] = { "queue leaky=upstream",
    "queue leaky=downstream", "queue flush-on-eos=true", "queue2", "valve",
    "multiqueue", "funnel", "input-selector", "output-selector", "concat",
    "typefind", "identity drop-probability=0.1",
    "identity drop-buffer-flags=gap", "identity single-segment=true",
    "identity datarate=1000" };
  const gchar *line = trial->chain->line;
  gchar **words = g_strsplit (line, " ! ", -1);
  guint i, at, n = g_strv_length (words);

  for (i = 0; i < G_N_ELEMENTS (foreign); i++)
    for (at = count_source (line) - 1; at < n; at++) {
      gchar *named, *changed;

      /* the pads of either come with the stream: only the first barrier goes
       * by it */
      if (strcmp (foreign[i], "multiqueue") == 0 && has_late_pads (line))
        continue;
      named = g_strconcat (foreign[i], " name=foreign", NULL);
      changed = insert (line, named, (gint) at);
      try_line (trial, changed, changed, REFUSED, GST_LIBRARY_ERROR, "foreign");
      g_free (changed);
      g_free (named);
    }
  g_strfreev (words);
}

/* --- properties ---------------------------------------------------------- */

/* What does not decide about the bytes of the output, by the element or "*". */
static const gchar *const irrelevant[][2] = {
  { "*", "threads" },
  { "*", "qos" },
  /* where samples and bytes are kept meanwhile */
  { "eegsrc", "pool-size" },
  { "eegsrc", "buffer-time" },
  { "eegsrc", "on-overrun" },
  { "eegsrc", "blocksize" },
  { "eegsrc", "do-timestamp" },
  { "eegsrc", "typefind" },
  /* of adaptive=true, with which nothing can go on */
  { "*", "max-latency" },
  { "*", "memory-limit" },
  /* of the base class, which edfmux does not use */
  { "edfmux", "latency" },
  { "edfmux", "min-upstream-latency" },
  { "edfmux", "start-time" },
  { "edfmux", "start-time-selection" },
  { "edfmux", "emit-signals" },
  { "eegstats", "messages" },
  /* checksums let all bytes through */
  { "blake3sum", "*" },
  { "sha256sum", "*" },
  { "sha512sum", "*" },
  /* to whom the next part is encrypted, and where that is said */
  { "aesgcmenc", "key-file" },
  { "chacha20poly1305enc", "passphrase-file" },
  { "chacha20poly1305enc", "work-factor" },
};

/* What must be something in particular. */
static const gchar *const values[][3] = {
  { "eegsrc", "location", "FOLDER/copy.edf" },
  { "eegsrc", "num-samples", "19000" },
  { "eegsrc", "duration", "1000000000" },
  { "eegsrc", "num-buffers", "20000" },
  { "*", "location", "FOLDER/out.sum" },
  { "*", "listed-name", "other" },
  { "aesgcmenc", "key-file", "FOLDER/other-key" },
  { "chacha20poly1305enc", "passphrase-file", "FOLDER/other-key" },
  { "*", "segment-size", "65536" },
  { "firfilter", "coefficients", "<1.0,2.0,1.0>" },
  { "eegselect", "channels", "Fp1,Fp2" },
  { "eegselect", "rename", "Fp1=a" },
  { "eegselect", "types", "Fp1=eog" },
  { "eegselect", "bad", "Fp1" },
  { "eegselect", "good", "Fp1" },
  { "eegreference", "channels", "Fp2" },
  { "eegreference", "bipolar", "Fp1-Fp2" },
  { "*", "notch", "50" },
  { "audiotoeeg", "labels", "a,b,c" },
  { "audiotoeeg", "unit", "mV" },
};

/* They say what the sum has to be. */
static const gchar *const left_out[] = { "check-file", "expected", "recipients",
  "recipients-file", NULL };

static gboolean
matches (const gchar *pattern, const gchar *text)
{
  return strcmp (pattern, "*") == 0 || strcmp (pattern, text) == 0;
}

static gboolean
is_irrelevant (const gchar *factory, const gchar *property)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (irrelevant); i++)
    if (matches (irrelevant[i][0], factory)
        && matches (irrelevant[i][1], property))
      return TRUE;
  return FALSE;
}

static gchar *
get_text (GstElement *element, const gchar *property)
{
  GValue value = G_VALUE_INIT;
  gchar *text;

  g_value_init (&value,
      g_object_class_find_property (G_OBJECT_GET_CLASS (element), property)
          ->value_type);
  g_object_get_property (G_OBJECT (element), property, &value);
  text = gst_value_serialize (&value);
  g_value_unset (&value);
  return text;
}

static void
set_other_number (GstElement *element, GParamSpec *spec, GValue *value)
{
  GValue number = G_VALUE_INIT;
  gdouble was;

  g_value_init (&number, G_TYPE_DOUBLE);
  fail_unless (g_value_transform (value, &number));
  was = g_value_get_double (&number);
  g_value_set_double (&number, was + 1);
  g_value_transform (&number, value);
  if (g_param_value_validate (spec, value)) {
    g_value_set_double (&number, was > 2 ? was / 2 : was - 0.5);
    g_value_transform (&number, value);
  }
  g_value_unset (&number);
}

/* Something else than it is. */
static void
change_property (GstElement *element, GParamSpec *spec)
{
  const gchar *factory = GST_OBJECT_NAME (gst_element_get_factory (element));
  GValue value = G_VALUE_INIT;
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (values); i++)
    if (matches (values[i][0], factory) && matches (values[i][1], spec->name)) {
      gchar *text = fill_in (values[i][2]);

      gst_util_set_object_arg (G_OBJECT (element), spec->name, text);
      g_free (text);
      return;
    }
  g_value_init (&value, spec->value_type);
  g_object_get_property (G_OBJECT (element), spec->name, &value);
  if (G_VALUE_HOLDS_BOOLEAN (&value)) {
    g_value_set_boolean (&value, !g_value_get_boolean (&value));
  } else if (G_VALUE_HOLDS_ENUM (&value)) {
    GEnumClass *klass = g_type_class_ref (spec->value_type);
    guint at = 0;

    while (klass->values[at].value == g_value_get_enum (&value))
      at++;
    g_value_set_enum (&value, klass->values[at].value);
    g_type_class_unref (klass);
  } else if (G_VALUE_HOLDS_FLAGS (&value)) {
    g_value_set_flags (&value, g_value_get_flags (&value) ^ 1);
  } else if (G_VALUE_HOLDS_STRING (&value)) {
    g_value_set_static_string (&value, "other");
  } else if (GST_VALUE_HOLDS_FRACTION (&value)) {
    gst_value_set_fraction (&value,
        gst_value_get_fraction_numerator (&value) + 1,
        gst_value_get_fraction_denominator (&value));
  } else if (G_VALUE_HOLDS (&value, GST_TYPE_EEG_CHANNELS)) {
    static const GstEegChannel channel = { .label = "Fz",
      .unit = "uV",
      .physical_max = 1,
      .digital_max = 1 };
    GstEegChannel rows[] = { channel, channel, channel };

    g_value_take_boxed (&value, gst_eeg_channels_new (rows, 3));
  } else {
    set_other_number (element, spec, &value);
  }
  g_object_set_property (G_OBJECT (element), spec->name, &value);
  g_value_unset (&value);
}

/* transfer full */
static GPtrArray *
find_stages (GstElement *pipeline)
{
  GPtrArray *stages = g_ptr_array_new_with_free_func (gst_object_unref);
  GstIterator *it = gst_bin_iterate_elements (GST_BIN (pipeline));
  GValue item = G_VALUE_INIT;

  while (gst_iterator_next (it, &item) == GST_ITERATOR_OK) {
    if (GST_IS_EEG_STAGE (g_value_get_object (&item)))
      g_ptr_array_add (stages, g_value_dup_object (&item));
    g_value_unset (&item);
  }
  gst_iterator_free (it);
  return stages;
}

static void
try_property (Trial *trial, const gchar *name, const gchar *property)
{
  GstElement *pipeline = make_pipeline (trial->chain->line, trial->chain->sink);
  GPtrArray *stages = find_stages (pipeline);
  GstElement *element = NULL;
  const gchar *factory;
  gchar *was, *is, *what, *words;
  gboolean goes_on;
  guint i;

  for (i = 0; element == NULL; i++) {
    factory = GST_OBJECT_NAME (
        gst_element_get_factory (g_ptr_array_index (stages, i)));
    if (strcmp (factory, name) == 0)
      element = g_ptr_array_index (stages, i);
  }
  was = get_text (element, property);
  change_property (element,
      g_object_class_find_property (G_OBJECT_GET_CLASS (element), property));
  is = get_text (element, property);
  what = g_strdup_printf ("%s %s=%s (was %s)", name, property, is, was);
  goes_on = is_irrelevant (name, property);
  words = g_strdup_printf ("%s", GST_OBJECT_NAME (element));
  if (g_strcmp0 (was, is) == 0)
    report (trial, "%s: not another value", what);
  g_ptr_array_unref (stages);
  if (strcmp (name, "eegsrc") == 0 && strcmp (property, "location") == 0
      && strstr (trial->chain->line, "in.edf") != NULL)
    goes_on = TRUE;
  else if (strcmp (name, "eegsrc") == 0
      && (strcmp (property, "location") == 0
          || strcmp (property, "is-live") == 0))
    g_clear_pointer (&words, g_free); /* said of the input, or the source */
  try_pipeline (trial, what, pipeline, goes_on ? GOES_ON : REFUSED, 0, words);
  restore_snapshot (trial->files);
  g_free (words);
  g_free (what);
  g_free (was);
  g_free (is);
}

static void
try_properties (Trial *trial)
{
  GstElement *pipeline = make_pipeline (trial->chain->line, trial->chain->sink);
  GPtrArray *stages = find_stages (pipeline);
  guint i, j, n;

  for (i = 0; i < stages->len; i++) {
    GstElement *stage = g_ptr_array_index (stages, i);
    GParamSpec **specs =
        g_object_class_list_properties (G_OBJECT_GET_CLASS (stage), &n);

    if (gst_eeg_stage_get_kind (GST_EEG_STAGE (stage))
        == GST_EEG_STAGE_KIND_STORAGE)
      n = 0;
    for (j = 0; j < n; j++) {
      if ((specs[j]->flags & G_PARAM_READWRITE) == G_PARAM_READWRITE
          && specs[j]->owner_type != GST_TYPE_OBJECT
          && specs[j]->owner_type != GST_TYPE_ELEMENT
          && !g_strv_contains (left_out, specs[j]->name))
        try_property (trial, GST_OBJECT_NAME (gst_element_get_factory (stage)),
            specs[j]->name);
    }
    g_free (specs);
  }
  g_ptr_array_unref (stages);
  drop_pipeline (pipeline);
}

/* --- tests --------------------------------------------------------------- */

static void
run_to_end (const gchar *line, const gchar *sink)
{
  GstElement *pipeline = make_pipeline (line, sink);
  Result result;

  fail_unless (pipeline != NULL, "%s", line);
  play (pipeline, &result);
  fail_unless (result.n_errors == 0, "%s: %s", line,
      result.error != NULL ? result.error->message : "");
  result_clear (&result);
  drop_pipeline (pipeline);
}

static void
make_inputs (void)
{
  GByteArray *data = g_byte_array_new ();
  GBytes *bytes;
  guint32 x = 1;
  gchar *path;
  struct stat s;
  guint i;

  for (i = 0; i < N_BYTES; i++) {
    guint8 byte;

    x = x * 1664525 + 1013904223;
    byte = (guint8) (i / 64 + (x >> 30));
    g_byte_array_append (data, &byte, 1);
  }
  bytes = g_byte_array_free_to_bytes (data);
  write_file ("in", bytes, NULL);
  g_bytes_unref (bytes);
  bytes = g_bytes_new_static ("0123456789abcdef0123456789abcdef", 32);
  write_file ("key", bytes, NULL);
  g_bytes_unref (bytes);
  bytes = g_bytes_new_static ("fedcba9876543210fedcba9876543210", 32);
  write_file ("other-key", bytes, NULL);
  g_bytes_unref (bytes);
  run_to_end ("eegsrc channels=4 num-samples=20000 seed=3 "
              "driver::loss-rate=0.0002 driver::loss-burst=300 ! edfmux",
      "filesink location=FOLDER/in.edf");
  run_to_end ("eegsrc channels=4 num-samples=20000 seed=3 "
              "driver::loss-rate=0.0002 ! eegpackenc block-duration=500000000",
      "filesink location=FOLDER/in.eegpack");
  run_to_end ("eegsrc channels=4 num-samples=20000 seed=4 "
              "driver::loss-rate=0.0002 ! eegpackenc block-duration=500000000",
      "filesink location=FOLDER/other.eegpack");
  bytes = read_file ("in.edf");
  path = path_of ("in.edf");
  fail_unless_equals_int (stat (path, &s), 0);
  write_file ("copy.edf", bytes, &s.st_mtim);
  g_bytes_unref (bytes);
  g_free (path);
}

static void
setup (void)
{
  /* in memory where that can be: there are some thousand syncs */
  folder = g_strdup ("/dev/shm/gsteeg-changes-XXXXXX");
  if (g_mkdtemp (folder) == NULL) {
    g_free (folder);
    folder = g_dir_make_tmp ("gsteeg-changes-XXXXXX", NULL);
  }
  fail_unless (folder != NULL);
  make_inputs ();
}

static void
teardown (void)
{
  remove_all ("");
  fail_unless_equals_int (g_rmdir (folder), 0);
  g_free (folder);
}

static void
begin_trial (Trial *trial, const Chain *chain)
{
  memset (trial, 0, sizeof *trial);
  trial->chain = chain;
  trial->problems = g_string_new (NULL);
  if (chain->kind == WHOLE) {
    run_to_end (chain->line, chain->sink);
    trial->whole = read_file ("out");
    remove_all ("out");
  }
  interrupt (chain->line, chain);
  trial->files = take_snapshot ();
}

/* Of a source that could go on, and of elements that were built. */
static gboolean
can_be_tried (gint index)
{
  GstElement *pipeline = make_pipeline (chains[index].line, chains[index].sink);

  if (pipeline != NULL)
    gst_object_unref (pipeline);
  return pipeline != NULL && chains[index].kind != LIVE;
}

static void
end_trial (Trial *trial)
{
  g_print ("%s: %u cases\n", trial->chain->line, trial->n_cases);
  fail_unless (trial->problems->len == 0, "%s:\n%.3500s", trial->chain->line,
      trial->problems->str);
  g_string_free (trial->problems, TRUE);
  g_ptr_array_unref (trial->files);
  g_clear_pointer (&trial->whole, g_bytes_unref);
}

GST_START_TEST (test_files)
{
  Trial trial;

  if (!can_be_tried (__i__))
    return;
  begin_trial (&trial, &chains[__i__]);
  try_files (&trial, "nothing", GOES_ON, NULL);
  try_input (&trial);
  if (trial.chain->kind == PARTS)
    try_parts (&trial);
  else
    try_output (&trial);
  try_sidecar (&trial);
  end_trial (&trial);
}

GST_END_TEST;

GST_START_TEST (test_elements)
{
  Trial trial;

  if (!can_be_tried (__i__))
    return;
  begin_trial (&trial, &chains[__i__]);
  try_elements (&trial);
  try_foreign (&trial);
  end_trial (&trial);
}

GST_END_TEST;

GST_START_TEST (test_properties)
{
  Trial trial;

  if (!can_be_tried (__i__))
    return;
  begin_trial (&trial, &chains[__i__]);
  try_properties (&trial);
  end_trial (&trial);
}

GST_END_TEST;

/* --- live ---------------------------------------------------------------- */

/* Until the first part is whole, or an error. */
static gboolean
wait_for_part (GstElement *pipeline, gboolean *interrupted, Result *result)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  gboolean has_part = FALSE;

  memset (result, 0, sizeof *result);
  result->more = g_string_new (NULL);
  *interrupted = FALSE;
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (!has_part && result->n_errors == 0) {
    GstMessage *message = gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND,
        GST_MESSAGE_ELEMENT | GST_MESSAGE_ERROR);

    fail_unless (message != NULL, "neither a part nor an error");
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
      gst_message_parse_error (message, &result->error, NULL);
      result->n_errors++;
    } else {
      *interrupted |= gst_message_has_name (message, "eeg-interrupted");
      has_part = gst_message_has_name (message, "eeg-part");
    }
    gst_message_unref (message);
  }
  gst_object_unref (bus);
  return has_part;
}

/* Whatever it is, it is said to be another part, and no other one changes. */
static void
try_live (Trial *trial, const gchar *name, const gchar *line)
{
  GPtrArray *before = take_snapshot (), *after;
  GstElement *pipeline = make_pipeline (line, trial->chain->sink);
  gboolean has_part, interrupted;
  gchar *change;
  Result result;
  guint i;

  trial->n_cases++;
  has_part = wait_for_part (pipeline, &interrupted, &result);
  drop_pipeline (pipeline);
  if (!has_part)
    report (trial, "%s: %s", name, result.error->message);
  else if (!interrupted)
    report (trial, "%s: nothing says that it was interrupted", name);
  after = take_snapshot ();
  for (i = before->len; i > 0; i--)
    if (!g_str_has_prefix (((File *) before->pdata[i - 1])->name, "out-"))
      g_ptr_array_remove_index (before, i - 1);
  change = find_change (before, after, TRUE);
  if (change != NULL)
    report (trial, "%s: %s is another one", name, change);
  g_free (change);
  result_clear (&result);
  g_ptr_array_unref (before);
  g_ptr_array_unref (after);
  restore_snapshot (trial->files);
}

GST_START_TEST (test_live)
{
  static const gchar *const lines[][2] = {
    { "nothing", NULL },
    { "other settings of the source",
        "eegsrc is-live=true channels=3 seed=2 checkpoint-interval=50 "
        "buffer-time=40000000 ! edfmux record-duration=100000000" },
    { "other settings",
        "eegsrc is-live=true channels=2 checkpoint-interval=25 "
        "buffer-time=40000000 ! edfmux record-duration=200000000 patient=x" },
    { "another element",
        "eegsrc is-live=true channels=2 checkpoint-interval=25 "
        "buffer-time=40000000 ! rawtovoltage ! voltagetoraw ! "
        "edfmux record-duration=100000000 ! sha256sum" },
  };
  gchar *finished;
  Trial trial;
  gsize i;

  begin_trial (&trial, &chains[G_N_ELEMENTS (chains) - 1]);
  fail_unless (trial.chain->kind == LIVE);
  for (i = 0; i < G_N_ELEMENTS (lines); i++)
    try_live (&trial, lines[i][0],
        lines[i][1] != NULL ? lines[i][1] : trial.chain->line);

  /* it has no place that a file could begin from */
  try_line (&trial, "a source that is not live",
      "eegsrc num-samples=20000 channels=2 checkpoint-interval=25 ! "
      "edfmux record-duration=100000000",
      REFUSED, GST_RESOURCE_ERROR, "live");
  finished = find_part (&trial, TRUE);
  change_file (&trial, finished, -1, -2, 0);
  try_files (&trial, "other part", REFUSED, "last part is another one");
  g_free (finished);
  make_newer ("out.checkpoint");
  make_newer ("out.checkpoint.old");
  try_files (&trial, "sidecar of a newer format", REFUSED, "newer format");
  end_trial (&trial);
}

GST_END_TEST;

/* --- what comes while it plays ------------------------------------------- */

static GstPadProbeReturn
insert_element (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstElement *element = user_data;
  GstPad *peer = gst_pad_get_peer (pad);
  GstPad *sink_pad = gst_element_get_static_pad (element, "sink");
  GstPad *src_pad = gst_element_get_static_pad (element, "src");

  fail_unless (gst_pad_unlink (pad, peer));
  fail_unless_equals_int (gst_pad_link (src_pad, peer), GST_PAD_LINK_OK);
  fail_unless_equals_int (gst_pad_link (pad, sink_pad), GST_PAD_LINK_OK);
  fail_unless (gst_element_sync_state_with_parent (element));
  gst_object_unref (src_pad);
  gst_object_unref (sink_pad);
  gst_object_unref (peer);
  return GST_PAD_PROBE_REMOVE;
}

/* Behind the element that is called @name, once there is a checkpoint. transfer
 * full pipeline; returns the error, or NULL if it was too fast, and came to its
 * end. */
static GError *
insert_late (GstElement *pipeline, const gchar *name, guint sleep_time)
{
  GstElement *check = gst_bin_get_by_name (GST_BIN (pipeline), "check");
  GstElement *before = gst_bin_get_by_name (GST_BIN (pipeline), name);
  GstElement *foreign = gst_element_factory_make ("valve", "foreign");
  GstPad *pad = gst_element_get_static_pad (before, "src");
  GstBus *bus = gst_element_get_bus (pipeline);
  gboolean inserted = FALSE, ended = FALSE;
  GError *error = NULL;

  gst_object_ref_sink (foreign);
  g_object_set (check, "sleep-time", sleep_time, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (error == NULL && !ended) {
    GstMessage *message = gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND,
        GST_MESSAGE_ELEMENT | GST_MESSAGE_ERROR | GST_MESSAGE_EOS);

    fail_unless (message != NULL, "%s: neither an error nor the end", name);
    ended = GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
      gst_message_parse_error (message, &error, NULL);
    } else if (!inserted && gst_message_has_name (message, "eeg-checkpoint")) {
      inserted = TRUE;
      gst_bin_add (GST_BIN (pipeline), foreign);
      gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_IDLE, insert_element, foreign,
          NULL);
    }
    gst_message_unref (message);
  }
  gst_object_unref (bus);
  gst_object_unref (pad);
  gst_object_unref (before);
  gst_object_unref (check);
  drop_pipeline (pipeline);
  gst_object_unref (foreign);
  return error;
}

static void
try_late (Trial *trial, const gchar *line, const gchar *name)
{
  guint sleep_time = 2000;
  GError *error = NULL;

  trial->n_cases++;
  while (error == NULL && sleep_time < 1000000) {
    remove_all ("out");
    error = insert_late (make_pipeline (line, trial->chain->sink), name,
        sleep_time);
    sleep_time *= 4;
  }
  fail_unless (error != NULL, "%s: not refused", name);
  if (!g_error_matches (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS)
      || strstr (error->message, "foreign") == NULL)
    report (trial, "behind %s: %s", name, error->message);
  g_error_free (error);

  /* what was stored before is still good */
  try_line (trial, name, trial->chain->line, GOES_ON, 0, NULL);
}

/* At the next barrier, wherever it stands. */
GST_START_TEST (test_late_elements)
{
  const Chain *chain = &chains[__i__];
  guint first = count_source (chain->line) - 1, i;
  gchar **words, *line;
  Trial trial;

  if (!can_be_tried (__i__) || has_late_pads (chain->line))
    return;
  begin_trial (&trial, chain);
  remove_all ("out");
  g_ptr_array_unref (trial.files);
  trial.files = take_snapshot ();
  words = g_strsplit (chain->line, " ! ", -1);
  for (i = 0; words[i] != NULL; i++) {
    gchar *named = g_strdup_printf ("%s name=place%u", words[i], i);

    g_free (words[i]);
    words[i] = named;
  }
  line = g_strjoinv (" ! ", words);
  for (i = first; words[i] != NULL; i++) {
    gchar *name = g_strdup_printf ("place%u", i);

    try_late (&trial, line, name);
    g_free (name);
  }
  try_late (&trial, line, "check");
  g_strfreev (words);
  g_free (line);
  end_trial (&trial);
}

GST_END_TEST;

/* Each stage that can go on is in one of the chains. */
GST_START_TEST (test_all_stages)
{
  GList *list = gst_registry_get_feature_list (gst_registry_get (),
      GST_TYPE_ELEMENT_FACTORY);
  GList *l;

  for (l = list; l != NULL; l = l->next) {
    GstPluginFeature *factory = gst_plugin_feature_load (l->data);
    const gchar *name = GST_OBJECT_NAME (l->data);
    GstElement *element;
    gboolean found = FALSE;
    gchar *text;
    gsize i;

    if (factory == NULL)
      continue;
    element = g_type_is_a (gst_element_factory_get_element_type (
                               GST_ELEMENT_FACTORY (factory)),
                  GST_TYPE_EEG_STAGE)
        ? gst_element_factory_create (GST_ELEMENT_FACTORY (factory), NULL)
        : NULL;
    gst_object_unref (factory);
    if (element == NULL)
      continue;
    gst_object_ref_sink (element);
    text = gst_eeg_stage_describe_part_output (GST_EEG_STAGE (element), NULL);
    for (i = 0; i < G_N_ELEMENTS (chains) && !found; i++) {
      gchar **words = g_strsplit (chains[i].line, " ", -1);

      found = g_strv_contains ((const gchar *const *) words, name);
      g_strfreev (words);
    }
    fail_unless (text == NULL || found, "%s can go on, and is in no chain",
        name);
    g_free (text);
    gst_object_unref (element);
  }
  gst_plugin_feature_list_free (list);
}

GST_END_TEST;

static Suite *
changes_suite (void)
{
  Suite *s = suite_create ("changes");
  TCase *tc = tcase_create ("changes");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, 120);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_loop_test (tc, test_files, 0, G_N_ELEMENTS (chains));
  tcase_add_loop_test (tc, test_elements, 0, G_N_ELEMENTS (chains));
  tcase_add_loop_test (tc, test_properties, 0, G_N_ELEMENTS (chains));
  tcase_add_loop_test (tc, test_late_elements, 0, G_N_ELEMENTS (chains));
  tcase_add_test (tc, test_live);
  tcase_add_test (tc, test_all_stages);
  return s;
}

GST_CHECK_MAIN (changes);
