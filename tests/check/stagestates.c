/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What stages save at a barrier, and go on from in another process.
 *
 * Each row is run twice by this same program, started anew: once whole, with a
 * barrier at each of some places, which stores the states as a sidecar has
 * them; once from each of these. What came out behind the barrier must be what
 * comes out then: bytes, markers, gaps, digests. The places are random, beside
 * some that are always there; the seed is printed, and GSTEEG_TEST_SEED repeats
 * it.
 */
#include "eeg-samples.h"

#include <glib/gstdio.h>
#include <stdlib.h>

#include "checkpoint.h"

#define RATE 500
#define CHANNELS 8
#define N_SAMPLES 40000
#define N_BYTES 300000
/* Random places of each kind, unless GSTEEG_TEST_ROUNDS says how many. */
#define N_RANDOM 2

/* The two processes have different numbers of threads, and all numbers have
 * their turn in both. */
typedef struct
{
  const gchar *cpu;
  guint threads, threads_again;
} Variant;

static const Variant variants[] = { { "base", 1, 2 }, { "avx2", 2, 8 },
  { "avx512", 8, 1 } };

typedef enum
{
  BYTES,   /* are pushed into the stage */
  SAMPLES, /* of a format */
  LINE,    /* a whole pipeline, whose stages all go on */
  REFUSED  /* cannot save with any settings, and says so */
} Input;

typedef struct
{
  const gchar *launch; /* of a line with FOLDER for the one with the input */
  Input input;
  GstEegFormat format;
  const gchar *decoder; /* of one that goes on with a new part */
} Row;

static const Row rows[] = {
  /* codecs and checksums */
  { "zstdenc chunk-size=4096", BYTES, 0, NULL },
  { "zstdenc chunk-size=4096 seek-table=true", BYTES, 0, NULL },
  { "gzipenc chunk-size=4096", BYTES, 0, NULL },
  { "lz4enc chunk-size=4096", BYTES, 0, NULL },
  { "blake3sum", BYTES, 0, NULL },
  { "sha256sum", BYTES, 0, NULL },
  { "sha512sum", BYTES, 0, NULL },

  /* what goes on only where a part begins; other bytes with the same in them */
  { "zstdenc chunk-size=4096 seek-table=true", BYTES, 0, "zstddec" },
  { "gzipenc chunk-size=4096 chunk-duration=1000000", BYTES, 0, "gzipdec" },
  { "brotlienc quality=1", BYTES, 0, "brotlidec" },
  { "aesgcmenc segment-size=256 key-file=FOLDER/key", BYTES, 0,
      "aesgcmdec segment-size=256 key-file=FOLDER/key" },
  { "chacha20poly1305enc passphrase-file=FOLDER/key work-factor=10", BYTES, 0,
      "chacha20poly1305dec passphrase-file=FOLDER/key" },

  /* stages of samples */
  { "rawtovoltage", SAMPLES, GST_EEG_FORMAT_S24LE, NULL },
  { "voltagetoraw", SAMPLES, GST_EEG_FORMAT_F32LE, NULL },
  { "eegreference", SAMPLES, GST_EEG_FORMAT_F32LE, NULL },
  { "eegselect channels=E0,E2", SAMPLES, GST_EEG_FORMAT_F32LE, NULL },
  { "eegbatch samples=777", SAMPLES, GST_EEG_FORMAT_F32LE, NULL },
  { "eegbatch duration=333000000", SAMPLES, GST_EEG_FORMAT_F64LE, NULL },
  { "firfilter taps=101 latency=none mode=band-pass low=1 high=40", SAMPLES,
      GST_EEG_FORMAT_F32LE, NULL },
  { "firfilter taps=101 latency=none phase=minimum high=40 mode=low-pass",
      SAMPLES, GST_EEG_FORMAT_F64LE, NULL },
  { "firfilter taps=2001 latency=none mode=band-pass low=1 high=40 "
    "initial=reflect",
      SAMPLES, GST_EEG_FORMAT_F32LE, NULL },
  { "firfilter taps=2001 latency=block mode=band-pass low=1 high=40", SAMPLES,
      GST_EEG_FORMAT_F32LE, NULL },
  { "firfilter taps=2001 latency=block gap-policy=hold low=1 mode=high-pass",
      SAMPLES, GST_EEG_FORMAT_F64LE, NULL },
  { "firfilter taps=501 latency=none gap-policy=hold low=1 mode=high-pass",
      SAMPLES, GST_EEG_FORMAT_F32LE, NULL },
  { "firfilter enabled=false", SAMPLES, GST_EEG_FORMAT_F32LE, NULL },
  { "iirfilter notch=50", SAMPLES, GST_EEG_FORMAT_F32LE, NULL },
  { "iirfilter initial=zero design=chebyshev1 order=6", SAMPLES,
      GST_EEG_FORMAT_F64LE, NULL },
  { "eegdecimate rate=125/1", SAMPLES, GST_EEG_FORMAT_F32LE, NULL },
  { "eegdecimate rate=200/1", SAMPLES, GST_EEG_FORMAT_F64LE, NULL },
  { "eegstats", SAMPLES, GST_EEG_FORMAT_F32LE, NULL },
  { "eegvalidate on-fail=flag range=3000 window=200000000", SAMPLES,
      GST_EEG_FORMAT_F32LE, NULL },
  { "eegvalidate on-fail=gap range=4000 window=300000000", SAMPLES,
      GST_EEG_FORMAT_F32LE, NULL },
  { "edfmux", SAMPLES, GST_EEG_FORMAT_S24LE, NULL },
  { "edfmux gaps=discontinuous record-duration=700000000", SAMPLES,
      GST_EEG_FORMAT_S16LE, NULL },
  { "edfmux gaps=fill", SAMPLES, GST_EEG_FORMAT_F32LE, NULL },

  { "eegpackenc", SAMPLES, GST_EEG_FORMAT_S24LE, NULL },
  { "eegpackenc", SAMPLES, GST_EEG_FORMAT_F32LE, NULL },
  /* more blocks than one index tells of, also between two barriers */
  { "eegpackenc block-duration=8000000 effort=fast", SAMPLES,
      GST_EEG_FORMAT_S16LE, NULL },
  { "eegpackenc block-duration=700000000", SAMPLES, GST_EEG_FORMAT_S32LE,
      NULL },
  { "edfmux", SAMPLES, GST_EEG_FORMAT_S24LE, "identity" },
  { "eegpackenc", SAMPLES, GST_EEG_FORMAT_S24LE, "identity" },

  /* sources, and what they feed */
  { "filesrc location=FOLDER/bytes ! eegchunk checkpoint-interval=9999 ! "
    "fakesink name=end",
      LINE, 0, NULL },
  { "eegsrc channels=3 num-samples=20000 checkpoint-interval=700 seed=5 ! "
    "fakesink name=end",
      LINE, 0, NULL },
  { "eegsrc channels=3 num-samples=20000 checkpoint-interval=700 "
    "driver::loss-rate=0.001 driver::loss-burst=40 ! fakesink name=end",
      LINE, 0, NULL },
  { "eegsrc location=FOLDER/samples.edf checkpoint-interval=500 ! "
    "fakesink name=end",
      LINE, 0, NULL },
  { "eegsrc channels=3 num-samples=20000 checkpoint-interval=700 "
    "driver::loss-rate=0.001 ! rawtovoltage ! eegtoaudio ! audiotoeeg ! "
    "edfmux ! fakesink name=end",
      LINE, 0, NULL },
  { "eegsrc channels=5 num-samples=20000 checkpoint-interval=900 "
    "driver::loss-rate=0.0005 driver::loss-burst=20 ! rawtovoltage ! "
    "iirfilter ! firfilter taps=301 ! eegdecimate rate=125/1 ! edfmux ! "
    "zstdenc chunk-size=4096 ! blake3sum ! fakesink name=end",
      LINE, 0, NULL },

  { "filesrc location=FOLDER/samples.edf ! eegchunk checkpoint-interval=9999 "
    "! edfdemux ! fakesink name=end",
      LINE, 0, NULL },

  /* an EDF file's own bytes wait for blocks here, and blocks for barriers */
  { "filesrc location=FOLDER/samples.edf ! eegchunk checkpoint-interval=9999 "
    "! edfdemux ! eegpackenc ! fakesink name=end",
      LINE, 0, NULL },
  { "filesrc location=FOLDER/samples.eegpack ! eegchunk "
    "checkpoint-interval=4999 ! eegpackdec ! fakesink name=end",
      LINE, 0, NULL },
  { "filesrc location=FOLDER/samples.eegpack ! eegchunk "
    "checkpoint-interval=777 ! eegpackdec ! edfmux ! fakesink name=end",
      LINE, 0, NULL },
  { "filesrc location=FOLDER/samples.eegpack ! eegchunk "
    "checkpoint-interval=4999 ! eegpackdec ! eegbatch samples=501 ! "
    "eegpackenc block-duration=3000000000 ! fakesink name=end",
      LINE, 0, NULL },
  { "filesrc location=FOLDER/samples.eegpack ! eegchunk "
    "checkpoint-interval=9999 ! eegpackdec ! rawtovoltage ! firfilter taps=301 "
    "! eegpackenc effort=fast ! blake3sum ! fakesink name=end",
      LINE, 0, NULL },
  { "filesrc location=FOLDER/rates.edf ! eegchunk checkpoint-interval=7777 ! "
    "edfdemux name=d ! queue ! edfmux name=m ! fakesink name=end  "
    "d.src_1 ! queue ! m.",
      LINE, 0, NULL },
  { "filesrc location=FOLDER/rates.edf ! eegchunk checkpoint-interval=9999 ! "
    "edfdemux name=d ! queue max-size-buffers=0 max-size-time=0 ! "
    "rawtovoltage ! firfilter taps=501 ! edfmux name=m ! zstdenc "
    "chunk-size=4096 ! fakesink name=end  "
    "d.src_1 ! queue max-size-buffers=0 max-size-time=0 ! rawtovoltage ! "
    "iirfilter low=0.1 high=5 ! m.",
      LINE, 0, NULL },

  /* decoders begin at the beginning */
  { "zstddec", REFUSED, 0, NULL },
  { "gzipdec", REFUSED, 0, NULL },
  { "lz4dec", REFUSED, 0, NULL },
  { "brotlidec", REFUSED, 0, NULL },
  { "aesgcmdec", REFUSED, 0, NULL },
  { "chacha20poly1305dec", REFUSED, 0, NULL },
};

/* Places of a row, in samples or bytes; of a line they are at its barriers. */
typedef struct
{
  guint at;
  guint n_holes;
} Cut;

static guint8 data[N_BYTES];
static guint32 seed;

static void
make_data (void)
{
  guint32 x = 1;
  gsize i;

  for (i = 0; i < N_BYTES; i++) {
    x = x * 1664525 + 1013904223;
    data[i] = (guint8) (i / 64 + (x >> 30));
  }
}

/* Where the input has holes, in samples. */
typedef struct
{
  guint at, length;
} Hole;

static const Hole holes[] = { { 10000, 100 }, { 20000, 7000 }, { 30000, 1000 },
  { 30500, 700 } };

static guint
count_random (void)
{
  const gchar *text = g_getenv ("GSTEEG_TEST_ROUNDS");

  return text != NULL ? (guint) strtoul (text, NULL, 10) : N_RANDOM;
}

/* Of those that are always there, each variant has its share. */
static GArray *
make_cuts (guint row, guint variant)
{
  static const Cut sample_cuts[] = { { 1, 0 }, { N_SAMPLES - 1, 0 },
    { N_SAMPLES, 0 }, { 9999, 2 }, { 10000, 2 }, { 10100, 2 }, { 10150, 2 },
    { 19000, 2 }, { 19999, 2 }, { 20000, 2 }, { 27000, 2 }, { 27001, 2 },
    { 29000, 2 } };
  static const Cut byte_cuts[] = { { 1, 0 }, { 4096, 0 }, { N_BYTES - 1, 0 },
    { N_BYTES, 0 } };
  gboolean bytes = rows[row].input == BYTES;
  const Cut *always = bytes ? byte_cuts : sample_cuts;
  guint n_always =
      bytes ? G_N_ELEMENTS (byte_cuts) : G_N_ELEMENTS (sample_cuts);
  GArray *cuts = g_array_new (FALSE, FALSE, sizeof (Cut));
  GRand *random =
      g_rand_new_with_seed (seed + row * G_N_ELEMENTS (variants) + variant);
  guint n = count_random (), i;

  for (i = variant; i < n_always; i += G_N_ELEMENTS (variants))
    g_array_append_val (cuts, always[i]);
  for (i = 0; i < (bytes ? n : 2 * n); i++) {
    Cut cut = { g_rand_int_range (random, 1, bytes ? N_BYTES : N_SAMPLES), 0 };

    /* barriers before, in, behind and far from holes */
    if (i >= n)
      cut.n_holes = 3;
    g_array_append_val (cuts, cut);
  }
  g_rand_free (random);
  return cuts;
}

/* --- what comes out ------------------------------------------------------ */

/* A barrier that came by, and what had come out before. */
typedef struct
{
  GstEegBarrier *barrier;
  gsize bytes, text;
} Mark;

/* What came out, in order: bytes, and in words all that goes with them. */
typedef struct
{
  GByteArray *bytes;
  GString *text;
  GArray *marks;
  gchar *barrier; /* the last one's line, until something comes behind it */
  gint has_ended; /* atomic */
  guint64 start;  /* of the first segment in bytes */
} Log;

static void
clear_mark (gpointer data_)
{
  gst_eeg_barrier_unref (((Mark *) data_)->barrier);
}

static void
log_init (Log *log)
{
  log->bytes = g_byte_array_new ();
  log->text = g_string_new (NULL);
  log->marks = g_array_new (FALSE, FALSE, sizeof (Mark));
  g_array_set_clear_func (log->marks, clear_mark);
  log->barrier = NULL;
  log->has_ended = FALSE;
  log->start = G_MAXUINT64;
}

static void
log_clear (Log *log)
{
  g_byte_array_unref (log->bytes);
  g_string_free (log->text, TRUE);
  g_array_unref (log->marks);
  g_free (log->barrier);
}

/* One at the end is there for the sink, each time that the end is come to. */
static void
log_barrier (Log *log)
{
  if (log->barrier == NULL)
    return;
  g_string_append (log->text, log->barrier);
  g_array_index (log->marks, Mark, log->marks->len - 1).text = log->text->len;
  g_clear_pointer (&log->barrier, g_free);
}

static gboolean
log_marker (GstBuffer *buffer, GstMeta **meta, gpointer user_data)
{
  Log *log = user_data;

  if ((*meta)->info->api == GST_EEG_MARKER_META_API_TYPE) {
    GstEegMarkerMeta *marker = (GstEegMarkerMeta *) *meta;

    g_string_append_printf (log->text,
        "%s at %" G_GUINT64_FORMAT " for %" G_GUINT64_FORMAT "\n", marker->text,
        marker->time, marker->duration);
  }
  return TRUE;
}

/* Such a one comes again each time that the end is come to, also where bytes
 * follow it. */
static gboolean
is_at_end (GstEegBarrier *barrier)
{
  GstEegBarrierInput input;
  gboolean has_input = gst_eeg_barrier_get_input (barrier, &input);

  g_free (input.path);
  return has_input && input.position == input.size;
}

static void
log_event (Log *log, GstEvent *event)
{
  const GstSegment *segment;
  GstEegBarrier *barrier;
  GstClockTime start, duration;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_EOS:
      g_atomic_int_set (&log->has_ended, TRUE);
      break;
    case GST_EVENT_GAP:
      gst_event_parse_gap (event, &start, &duration);
      log_barrier (log);
      g_string_append_printf (log->text,
          "gap at %" G_GUINT64_FORMAT " for %" G_GUINT64_FORMAT "\n", start,
          duration);
      break;
    case GST_EVENT_SEGMENT:
      gst_event_parse_segment (event, &segment);
      if (segment->format == GST_FORMAT_BYTES && log->start == G_MAXUINT64)
        log->start = segment->start;
      break;
    default:
      if (gst_eeg_event_parse_barrier (event, &barrier)) {
        Mark mark = { gst_eeg_barrier_ref (barrier), log->bytes->len, 0 };

        log_barrier (log);
        mark.text = log->text->len;
        g_array_append_val (log->marks, mark);
        if (is_at_end (barrier))
          break;
        log->barrier = g_strdup_printf ("barrier %" G_GUINT64_FORMAT
                                        " at %" G_GUINT64_FORMAT "\n",
            gst_eeg_barrier_get_id (barrier),
            gst_eeg_barrier_get_sample_index (barrier));
      }
      break;
  }
}

static GstPadProbeReturn
log_output (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Log *log = user_data;
  GstBuffer *buffer;
  GstMapInfo map;

  if (!(GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER)) {
    log_event (log, GST_PAD_PROBE_INFO_EVENT (info));
    return GST_PAD_PROBE_OK;
  }
  log_barrier (log);
  buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  g_byte_array_append (log->bytes, map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  gst_buffer_foreach_meta (buffer, log_marker, log);
  /* a harness would keep them all */
  return GST_PAD_PROBE_DROP;
}

/* What a sink would say that goes on with a file. */
static GstPadProbeReturn
answer_output (GstPad *pad, GstPadProbeInfo *info, gpointer path)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);
  GStatBuf s;

  if (!gst_eeg_query_is_output (query))
    return GST_PAD_PROBE_OK;
  fail_unless_equals_int (g_stat (path, &s), 0);
  gst_eeg_query_set_output (query, path, (guint64) s.st_size);
  return GST_PAD_PROBE_HANDLED;
}

/* The sink's side: what comes out, and what it goes on with, if anything. */
static void
add_log (GstPad *pad, Log *log, const gchar *output)
{
  if (output != NULL)
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM, answer_output,
        g_strdup (output), g_free);
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
      log_output, log, NULL);
}

/* Stages have threads of their own. */
static void
wait_for_end (Log *log, const gchar *launch)
{
  guint i;

  for (i = 0; i < 20000 && !g_atomic_int_get (&log->has_ended); i++)
    g_usleep (1000);
  fail_unless (g_atomic_int_get (&log->has_ended), "%s", launch);
}

static void
log_digest (Log *log, GstElement *stage)
{
  gchar *digest;

  if (!g_object_class_find_property (G_OBJECT_GET_CLASS (stage), "digest"))
    return;
  g_object_get (stage, "digest", &digest, NULL);
  g_string_append_printf (log->text, "digest %s\n", digest);
  g_free (digest);
}

/* Without the syncs of g_file_set_contents(). */
static void
write_file (const gchar *path, gconstpointer bytes, gsize size)
{
  FILE *file = g_fopen (path, "wb");

  fail_unless (file != NULL);
  fail_unless (size == 0 || fwrite (bytes, 1, size, file) == size);
  fail_unless_equals_int (fclose (file), 0);
}

/* What came behind the barrier of a whole run, or with a mark of NULL all of
 * one that went on: words, NUL, bytes. */
static void
log_write (const Log *log, const Mark *mark, gboolean parts, const gchar *path)
{
  const gchar *text = log->text->str + (mark != NULL ? mark->text : 0);
  gsize from = mark != NULL ? mark->bytes : 0;
  GString *all = g_string_new (NULL);

  /* what is behind knows where in the file it is */
  if (log->start != G_MAXUINT64 && !parts)
    g_string_append_printf (all, "at byte %" G_GUINT64_FORMAT "\n",
        mark != NULL ? (guint64) mark->bytes : log->start);
  g_string_append_len (all, text, strlen (text) + 1);
  if (log->bytes->len > from)
    g_string_append_len (all, (const gchar *) log->bytes->data + from,
        log->bytes->len - from);
  write_file (path, all->str, all->len);
  g_string_free (all, TRUE);
}

/* --- sidecars ------------------------------------------------------------ */

static gchar *
fill_in (const gchar *launch, const gchar *folder)
{
  gchar **pieces = g_strsplit (launch, "FOLDER", -1);
  gchar *line = g_strjoinv (folder, pieces);

  g_strfreev (pieces);
  return line;
}

static gchar *
path_of (const gchar *folder, guint cut, const gchar *what)
{
  return g_strdup_printf ("%s/%u.%s", folder, cut, what);
}

/* The state of a stage, and what it says that its output depends on. */
static void
sidecar_add (EegCheckpoint *checkpoint, GstEegBarrier *barrier,
    GstElement *element)
{
  GstEegStage *stage = GST_EEG_STAGE (element);
  EegCheckpointStage *to;
  GBytes *state = gst_eeg_barrier_get_state (barrier, stage);
  gchar *settings = gst_eeg_barrier_get_settings (barrier, stage);
  gsize size;
  gconstpointer bytes;

  fail_unless (state != NULL, "%s has no state in the barrier",
      GST_OBJECT_NAME (stage));
  checkpoint->stages = realloc (checkpoint->stages,
      (checkpoint->n_stages + 1) * sizeof *checkpoint->stages);
  to = &checkpoint->stages[checkpoint->n_stages++];
  to->name = strdup (GST_OBJECT_NAME (stage));
  to->factory = strdup (GST_OBJECT_NAME (gst_element_get_factory (element)));
  to->settings = strdup (settings);
  bytes = g_bytes_get_data (state, &size);
  to->state = malloc (size + 1);
  if (size > 0)
    memcpy (to->state, bytes, size);
  to->state_size = size;
  g_bytes_unref (state);
  g_free (settings);
}

static EegCheckpoint *
sidecar_new (GstEegBarrier *barrier)
{
  EegCheckpoint *checkpoint = calloc (1, sizeof *checkpoint);
  gchar *failure = gst_eeg_barrier_get_failure (barrier);

  fail_unless (failure == NULL, "%s", failure);
  checkpoint->id = gst_eeg_barrier_get_id (barrier);
  checkpoint->sample_index = gst_eeg_barrier_get_sample_index (barrier);
  checkpoint->cpu_path = strdup ("");
  checkpoint->input.path = strdup ("");
  checkpoint->output.path = strdup ("");
  return checkpoint;
}

/* transfer full checkpoint */
static void
sidecar_write (EegCheckpoint *checkpoint, const gchar *folder, guint cut)
{
  gchar *path = path_of (folder, cut, "checkpoint");
  uint8_t *bytes;
  size_t size;

  fail_unless_equals_int (eeg_checkpoint_format (checkpoint, &bytes, &size),
      EEG_CHECKPOINT_OK);
  write_file (path, bytes, size);
  free (bytes);
  eeg_checkpoint_free (checkpoint);
  g_free (path);
}

/* NULL if there are no more of them */
static EegCheckpoint *
sidecar_read (const gchar *folder, guint cut)
{
  gchar *path = path_of (folder, cut, "checkpoint");
  EegCheckpoint *checkpoint = NULL;
  gchar *bytes;
  gsize size;

  if (g_file_get_contents (path, &bytes, &size, NULL)) {
    fail_unless_equals_int (eeg_checkpoint_parse ((guint8 *) bytes, size,
                                &checkpoint),
        EEG_CHECKPOINT_OK);
    g_free (bytes);
  }
  g_free (path);
  return checkpoint;
}

/* All that the other process needs, and what is to come out of it. transfer
 * full checkpoint */
static void
store_cut (EegCheckpoint *checkpoint, const Log *log, const Mark *mark,
    gboolean parts, const gchar *folder, guint cut)
{
  gchar *rest = path_of (folder, cut, "rest");
  gchar *output = path_of (folder, cut, "output");

  sidecar_write (checkpoint, folder, cut);
  write_file (output, log->bytes->data, mark->bytes);
  log_write (log, mark, parts, rest);
  g_free (output);
  g_free (rest);
}

static void
sidecar_restore (const EegCheckpointStage *saved, GstElement *element,
    gboolean parts)
{
  GstEegStage *stage = GST_EEG_STAGE (element);
  GBytes *state = g_bytes_new (saved->state, saved->state_size);
  GError *error = NULL;
  gchar *settings = parts ? gst_eeg_stage_describe_part_output (stage, NULL)
                          : gst_eeg_stage_describe_output (stage, NULL);

  fail_unless_equals_string (saved->settings, settings);
  fail_unless (gst_eeg_stage_restore_state (stage, state, &error), "%s",
      error != NULL ? error->message : "");
  g_bytes_unref (state);
  g_free (settings);
}

/* With request pads, and a state that is taken over later. */
static gboolean
is_container (const Row *row)
{
  return g_str_has_prefix (row->launch, "edfmux")
      || g_str_has_prefix (row->launch, "eegpackenc");
}

/* --- one stage ----------------------------------------------------------- */

static void
set_threads (GstElement *stage, guint threads)
{
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (stage), "threads"))
    g_object_set (stage, "threads", threads, NULL);
}

/* transfer full */
static GstElement *
make_stage (const Row *row, const gchar *folder, guint threads)
{
  gchar *line = fill_in (row->launch, folder);
  GstElement *stage = gst_parse_launch (line, NULL);

  fail_unless (stage != NULL, "%s", line);
  gst_object_ref_sink (stage);
  set_threads (stage, threads);
  g_free (line);
  return stage;
}

static void
push_bytes_segment (GstHarness *h, guint64 start)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  segment.start = segment.time = segment.position = start;
  gst_harness_push_event (h, gst_event_new_segment (&segment));
}

/* A stage whose state is restored already; plays it. */
static GstHarness *
make_harness (const Row *row, GstElement *stage, guint64 start, Log *log,
    const gchar *output)
{
  GstHarness *h = gst_harness_new_with_element (stage,
      is_container (row) ? "sink_0" : "sink", "src");

  gst_harness_set_live (h, FALSE);
  add_log (h->sinkpad, log, output);
  if (row->input == SAMPLES) {
    gst_harness_set_src_caps (h,
        samples_caps (row->format, RATE, 1, CHANNELS,
            samples_table (CHANNELS, NULL)));
  } else {
    gst_harness_play (h);
    gst_harness_push_event (h, gst_event_new_stream_start ("stream"));
    push_bytes_segment (h, start);
  }
  return h;
}

/* Buffers of sizes that follow from the position alone, so that a stream that
 * goes on has the same ones; a marker on each third. */
static void
push_samples (GstHarness *h, const Row *row, guint from, guint to,
    guint n_holes, gboolean discont)
{
  GstEegInfo info;
  guint at = from, i;

  gst_eeg_info_init (&info);
  gst_eeg_info_set (&info, row->format, GST_EEG_DOMAIN_COUNTS, RATE, 1,
      CHANNELS, NULL);
  while (at < to) {
    guint end = MIN ((at / 331 + 1) * 331, to);
    GstBuffer *buffer;

    for (i = 0; i < n_holes; i++) {
      const Hole *hole = &holes[i];

      if (at >= hole->at && at < hole->at + hole->length) {
        GstClockTime start = gst_eeg_info_samples_to_time (&info, at);

        end = MIN (hole->at + hole->length, to);
        gst_harness_push_event (h,
            gst_event_new_gap (start,
                gst_eeg_info_samples_to_time (&info, end) - start));
        at = end;
        discont = TRUE;
      }
      if (at < hole->at)
        end = MIN (end, hole->at);
    }
    if (at >= to)
      break;
    end = MIN ((at / 331 + 1) * 331, to);
    for (i = 0; i < n_holes; i++)
      if (at < holes[i].at)
        end = MIN (end, holes[i].at);
    buffer = samples_buffer (row->format, CHANNELS, at, end - at);
    GST_BUFFER_PTS (buffer) = gst_eeg_info_samples_to_time (&info, at);
    GST_BUFFER_DURATION (buffer) =
        gst_eeg_info_samples_to_time (&info, end) - GST_BUFFER_PTS (buffer);
    if (discont)
      GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
    if (at / 331 % 3 == 0 && at % 331 == 0) {
      gchar *text = g_strdup_printf ("marker %u", at);

      gst_buffer_add_eeg_marker_meta (buffer, GST_BUFFER_PTS (buffer),
          GST_CLOCK_TIME_NONE, text);
      /* one that comes long before its samples */
      if (is_container (row))
        gst_buffer_add_eeg_marker_meta (buffer,
            GST_BUFFER_PTS (buffer) + 10 * GST_SECOND, GST_SECOND, text);
      g_free (text);
    }
    discont = FALSE;
    fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
    at = end;
  }
  gst_eeg_info_clear (&info);
}

/* Pieces of @step bytes; of samples those that follow from the place. */
static void
push (GstHarness *h, const Row *row, const Cut *cut, guint from, guint to,
    guint step, gboolean discont)
{
  if (row->input == SAMPLES) {
    push_samples (h, row, from, to, cut->n_holes, discont);
    return;
  }
  while (from < to) {
    guint size = MIN (step, to - from);

    fail_unless_equals_int (gst_harness_push (h,
                                gst_buffer_new_memdup (data + from, size)),
        GST_FLOW_OK);
    from += size;
  }
}

static void
end (GstHarness *h, Log *log, const gchar *launch)
{
  fail_unless (gst_harness_push_event (h, gst_eeg_event_new_complete (1)));
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  wait_for_end (log, launch);
  log_digest (log, h->element);
}

static guint
get_length (const Row *row)
{
  return row->input == SAMPLES ? N_SAMPLES : N_BYTES;
}

static void
save_cut (const Row *row, const Cut *cut, guint threads, Log *log,
    EegCheckpoint **checkpoint, const gchar *folder)
{
  static const guint8 uuid[GST_EEG_PART_UUID_SIZE] = { 1, 2, 3 };
  GstEegBarrier *barrier = gst_eeg_barrier_new (1, cut->at);
  GstElement *stage = make_stage (row, folder, threads);
  GstEegPart part;
  GstHarness *h;

  log_init (log);
  gst_eeg_part_init (&part, uuid, 1);
  if (row->decoder != NULL) {
    gst_eeg_stage_set_part (GST_EEG_STAGE (stage), &part);
    gst_eeg_barrier_set_ends_part (barrier);
  }
  h = make_harness (row, stage, 0, log, NULL);
  push (h, row, cut, 0, cut->at, 7000, TRUE);
  fail_unless (gst_harness_push_event (h, gst_eeg_event_new_barrier (barrier)));
  push (h, row, cut, cut->at, get_length (row), 7000, FALSE);
  end (h, log, row->launch);
  fail_unless_equals_int (log->marks->len, 1);
  *checkpoint = sidecar_new (barrier);
  sidecar_add (*checkpoint, barrier, stage);
  gst_harness_teardown (h);
  gst_object_unref (stage);
  gst_eeg_barrier_unref (barrier);
}

static void
go_on (const Row *row, const Cut *cut, guint threads,
    const EegCheckpoint *checkpoint, Log *log, const gchar *output,
    const gchar *folder)
{
  static const guint8 uuid[GST_EEG_PART_UUID_SIZE] = { 1, 2, 3 };
  GstElement *stage = make_stage (row, folder, threads);
  GstEegPart part;
  GstHarness *h;

  log_init (log);
  sidecar_restore (&checkpoint->stages[0], stage, row->decoder != NULL);
  gst_eeg_part_init (&part, uuid, 2);
  part.link = GST_EEG_PART_LINK_FOLLOWS;
  if (row->decoder != NULL)
    gst_eeg_stage_set_part (GST_EEG_STAGE (stage), &part);
  h = make_harness (row, stage, cut->at, log, output);
  /* a source flags the first buffer that it sends */
  push (h, row, cut, cut->at, get_length (row), 3000, TRUE);
  end (h, log, row->launch);
  gst_harness_teardown (h);
  gst_object_unref (stage);
}

/* --- a line -------------------------------------------------------------- */

/* transfer full, in no particular but always the same order */
static GPtrArray *
find_stages (GstElement *line)
{
  GPtrArray *stages = g_ptr_array_new_with_free_func (gst_object_unref);
  GstIterator *it = gst_bin_iterate_elements (GST_BIN (line));
  GValue item = G_VALUE_INIT;

  while (gst_iterator_next (it, &item) == GST_ITERATOR_OK) {
    if (GST_IS_EEG_STAGE (g_value_get_object (&item)))
      g_ptr_array_add (stages, g_value_dup_object (&item));
    g_value_unset (&item);
  }
  gst_iterator_free (it);
  return stages;
}

/* A pipeline; with the states of @checkpoint unless that is NULL. */
static GstElement *
make_line (const Row *row, const gchar *folder, guint threads,
    const EegCheckpoint *checkpoint, GPtrArray **stages)
{
  GstElement *line = make_stage (row, folder, threads);
  guint i;

  *stages = find_stages (line);
  for (i = 0; i < (*stages)->len; i++) {
    set_threads (g_ptr_array_index (*stages, i), threads);
    if (checkpoint != NULL)
      sidecar_restore (&checkpoint->stages[i], g_ptr_array_index (*stages, i),
          FALSE);
  }
  return line;
}

/* To its end. */
static void
play_line (GstElement *line, GPtrArray *stages, Log *log, const gchar *output,
    const gchar *launch)
{
  GstElement *sink = gst_bin_get_by_name (GST_BIN (line), "end");
  GstPad *pad = gst_element_get_static_pad (sink, "sink");
  guint i;

  log_init (log);
  add_log (pad, log, output);
  gst_element_set_state (line, GST_STATE_PLAYING);
  wait_for_end (log, launch);
  for (i = 0; i < stages->len; i++)
    log_digest (log, g_ptr_array_index (stages, i));
  gst_element_set_state (line, GST_STATE_NULL);
  gst_object_unref (pad);
  gst_object_unref (sink);
}

static void
save_line (guint index, guint variant, const gchar *in)
{
  const Row *row = &rows[index];
  GRand *random =
      g_rand_new_with_seed (seed + index * G_N_ELEMENTS (variants) + variant);
  GPtrArray *stages;
  GstElement *line =
      make_line (row, in, variants[variant].threads, NULL, &stages);
  Log log;
  guint i, j;

  play_line (line, stages, &log, NULL, row->launch);
  fail_unless (log.marks->len > 0, "%s: no barriers", row->launch);
  for (i = 0; i < count_random () + 2; i++) {
    guint n = i == 0 ? 0
        : i == 1     ? log.marks->len - 1
                     : (guint) g_rand_int_range (random, 0, log.marks->len);
    const Mark *mark = &g_array_index (log.marks, Mark, n);
    EegCheckpoint *checkpoint = sidecar_new (mark->barrier);

    for (j = 0; j < stages->len; j++)
      sidecar_add (checkpoint, mark->barrier, g_ptr_array_index (stages, j));
    store_cut (checkpoint, &log, mark, FALSE, in, i);
  }
  log_clear (&log);
  g_ptr_array_unref (stages);
  gst_object_unref (line);
  g_rand_free (random);
}

/* --- the two processes --------------------------------------------------- */

static void
save_all (guint index, guint variant, const gchar *in)
{
  GArray *cuts = make_cuts (index, variant);
  guint i;

  for (i = 0; i < cuts->len; i++) {
    EegCheckpoint *checkpoint;
    Log log;

    save_cut (&rows[index], &g_array_index (cuts, Cut, i),
        variants[variant].threads, &log, &checkpoint, in);
    store_cut (checkpoint, &log, &g_array_index (log.marks, Mark, 0),
        rows[index].decoder != NULL, in, i);
    log_clear (&log);
  }
  g_array_unref (cuts);
}

static void
go_on_all (guint index, guint variant, const gchar *in)
{
  const Row *row = &rows[index];
  GArray *cuts = make_cuts (index, variant);
  EegCheckpoint *checkpoint;
  guint i;

  for (i = 0; (checkpoint = sidecar_read (in, i)) != NULL; i++) {
    gchar *path = path_of (in, i, "again");
    gchar *output = path_of (in, i, "output");
    GPtrArray *stages;
    GstElement *line;
    Log log;

    if (row->input == LINE) {
      line = make_line (row, in, variants[variant].threads_again, checkpoint,
          &stages);
      play_line (line, stages, &log, output, row->launch);
      g_ptr_array_unref (stages);
      gst_object_unref (line);
    } else {
      go_on (row, &g_array_index (cuts, Cut, i),
          variants[variant].threads_again, checkpoint, &log, output, in);
    }
    log_write (&log, NULL, row->decoder != NULL, path);
    log_clear (&log);
    eeg_checkpoint_free (checkpoint);
    g_free (output);
    g_free (path);
  }
  g_array_unref (cuts);
}

/* The arguments of such a process: save or go-on, folder, row, seed, variant */
#define N_ARGS 6

static gchar **child_args;

GST_START_TEST (test_child)
{
  guint row = (guint) strtoul (child_args[3], NULL, 10);
  guint variant = (guint) strtoul (child_args[5], NULL, 10);

  seed = (guint32) strtoul (child_args[4], NULL, 10);
  make_data ();
  if (strcmp (child_args[1], "go-on") == 0)
    go_on_all (row, variant, child_args[2]);
  else if (rows[row].input == LINE)
    save_line (row, variant, child_args[2]);
  else
    save_all (row, variant, child_args[2]);
}

GST_END_TEST;

static void
spawn (const gchar *what, const gchar *in, guint row, guint variant)
{
  gchar *program = g_file_read_link ("/proc/self/exe", NULL);
  gchar *row_text = g_strdup_printf ("%u", row);
  gchar *seed_text = g_strdup_printf ("%u", seed);
  gchar *variant_text = g_strdup_printf ("%u", variant);
  gchar *args[] = { program, (gchar *) what, (gchar *) in, row_text, seed_text,
    variant_text, NULL };
  gchar **env = g_environ_setenv (g_get_environ (), "GSTEEG_CPU",
      variants[variant].cpu, TRUE);
  GError *error = NULL;
  gchar *messages = NULL;
  gint status;

  env = g_environ_setenv (env, "CK_FORK", "no", TRUE);
  fail_unless (g_spawn_sync (NULL, args, env, 0, NULL, NULL, &messages, NULL,
                   &status, &error),
      "%s", error != NULL ? error->message : "");
  fail_unless (g_spawn_check_wait_status (status, NULL), "%s, %s: %s",
      rows[row].launch, what, messages);
  g_free (messages);
  g_strfreev (env);
  g_free (variant_text);
  g_free (seed_text);
  g_free (row_text);
  g_free (program);
}

/* --- tests --------------------------------------------------------------- */

static gchar *folder;

static void
read_seed (void)
{
  const gchar *text = g_getenv ("GSTEEG_TEST_SEED");

  seed = text != NULL ? (guint32) g_ascii_strtoull (text, NULL, 10)
                      : g_random_int ();
  g_print ("GSTEEG_TEST_SEED=%u\n", seed);
}

static void
make_file (const gchar *name, gconstpointer bytes, gsize size)
{
  gchar *path = g_build_filename (folder, name, NULL);

  write_file (path, bytes, size);
  g_free (path);
}

static void
setup (void)
{
  folder = g_dir_make_tmp ("gsteeg-states-XXXXXX", NULL);
  fail_unless (folder != NULL);
  make_data ();
  make_file ("bytes", data, N_BYTES);
  make_file ("key", "0123456789abcdef0123456789abcdef", 32);
}

static void
teardown (void)
{
  GDir *dir = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (dir)) != NULL) {
    gchar *path = g_build_filename (folder, name, NULL);

    g_unlink (path);
    g_free (path);
  }
  g_dir_close (dir);
  fail_unless_equals_int (g_rmdir (folder), 0);
  g_free (folder);
}

static void
run_line (const gchar *launch)
{
  gchar *line = fill_in (launch, folder);
  GstElement *pipeline = gst_parse_launch (line, NULL);
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (
      message != NULL && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS);
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
  g_free (line);
}

/* Files with a gap and notes, one of them of two rates. */
static void
make_samples (void)
{
  run_line ("eegsrc channels=4 num-samples=20000 seed=3 "
            "driver::loss-rate=0.0002 driver::loss-burst=300 ! edfmux ! "
            "filesink location=FOLDER/samples.edf");
  run_line ("filesrc location=FOLDER/samples.edf ! edfdemux ! eegpackenc "
            "block-duration=2500000000 ! filesink "
            "location=FOLDER/samples.eegpack");
  run_line ("eegsrc channels=4 num-samples=20000 seed=3 "
            "driver::loss-rate=0.0002 driver::loss-burst=300 ! queue ! "
            "edfmux name=m ! filesink location=FOLDER/rates.edf  "
            "eegsrc channels=2 rate=25/1 num-samples=2000 seed=4 ! queue ! m.");
}

/* transfer full; of a part on its own, what is in it */
static GByteArray *
decode (const Row *row, const gchar *bytes, gsize size)
{
  gchar *line = fill_in (row->decoder, folder);
  GstHarness *h = gst_harness_new_parse (line);
  GByteArray *decoded;
  Log log;

  log_init (&log);
  add_log (h->sinkpad, &log, NULL);
  gst_harness_play (h);
  gst_harness_push_event (h, gst_event_new_stream_start ("stream"));
  push_bytes_segment (h, 0);
  if (size > 0) {
    fail_unless_equals_int (gst_harness_push (h,
                                gst_buffer_new_memdup (bytes, size)),
        GST_FLOW_OK);
    gst_harness_push_event (h, gst_event_new_eos ());
    wait_for_end (&log, line);
  }
  decoded = g_byte_array_ref (log.bytes);
  log_clear (&log);
  gst_harness_teardown (h);
  g_free (line);
  return decoded;
}

static void
compare (guint index, guint cut)
{
  const Row *row = &rows[index];
  gchar *paths[2] = { path_of (folder, cut, "rest"),
    path_of (folder, cut, "again") };
  gchar *texts[2], *a, *b;
  GByteArray *bytes[2];
  gsize size, i;

  for (i = 0; i < 2; i++) {
    gsize words;

    fail_unless (g_file_get_contents (paths[i], &texts[i], &size, NULL), "%s",
        paths[i]);
    words = strlen (texts[i]) + 1;
    if (row->decoder != NULL) {
      bytes[i] = decode (row, texts[i] + words, size - words);
    } else {
      bytes[i] = g_byte_array_new ();
      g_byte_array_append (bytes[i], (guint8 *) texts[i] + words,
          (guint) (size - words));
    }
  }
  for (a = texts[0], b = texts[1]; *a != '\0' && *a == *b; a++)
    b++;
  fail_unless (*a == *b, "%s, cut %u: \"%.60s\", then \"%.60s\"", row->launch,
      cut, a, b);
  fail_unless_equals_uint64 (bytes[0]->len, bytes[1]->len);
  fail_unless (bytes[0]->len == 0
          || memcmp (bytes[0]->data, bytes[1]->data, bytes[0]->len) == 0,
      "%s, cut %u: other bytes", row->launch, cut);
  for (i = 0; i < 2; i++) {
    g_byte_array_unref (bytes[i]);
    g_free (texts[i]);
    g_free (paths[i]);
  }
}

static gboolean
is_built (const Row *row)
{
  gchar *line = fill_in (row->launch, "");
  GstElement *element =
      gst_parse_launch_full (line, NULL, GST_PARSE_FLAG_FATAL_ERRORS, NULL);
  gboolean built = element != NULL;

  if (built) {
    gst_object_ref_sink (element);
    gst_object_unref (element);
  }
  g_free (line);
  return built;
}

GST_START_TEST (test_other_process)
{
  guint index = (guint) __i__ / G_N_ELEMENTS (variants), cut;
  guint variant = (guint) __i__ % G_N_ELEMENTS (variants);
  EegCheckpoint *checkpoint;

  if (rows[index].input == REFUSED || !is_built (&rows[index]))
    return;
  if (rows[index].input == LINE)
    make_samples ();
  spawn ("save", folder, index, variant);
  spawn ("go-on", folder, index, variant);
  for (cut = 0; (checkpoint = sidecar_read (folder, cut)) != NULL; cut++) {
    eeg_checkpoint_free (checkpoint);
    compare (index, cut);
  }
  fail_unless (cut > 0);
}

GST_END_TEST;

typedef void (*FactoryFunc) (GstElementFactory *factory, GstElement *element);

static void
foreach_stage (FactoryFunc func)
{
  GList *list = gst_registry_get_feature_list (gst_registry_get (),
      GST_TYPE_ELEMENT_FACTORY);
  GList *l;
  guint n = 0;

  for (l = list; l != NULL; l = l->next) {
    GstPluginFeature *factory = gst_plugin_feature_load (l->data);
    GstElement *element;

    if (factory == NULL)
      continue;
    if (g_type_is_a (gst_element_factory_get_element_type (
                         GST_ELEMENT_FACTORY (factory)),
            GST_TYPE_EEG_STAGE)) {
      element =
          gst_element_factory_create (GST_ELEMENT_FACTORY (factory), NULL);
      func (GST_ELEMENT_FACTORY (factory), gst_object_ref_sink (element));
      gst_object_unref (element);
      n++;
    }
    gst_object_unref (factory);
  }
  gst_plugin_feature_list_free (list);
  fail_unless (n > 0);
}

static void
check_has_row (GstElementFactory *factory, GstElement *element)
{
  const gchar *name = GST_OBJECT_NAME (factory);
  GError *error = NULL;
  gboolean refused = FALSE, found = FALSE;
  gchar *text;
  guint i;

  /* a sink stores what others save */
  if (gst_eeg_stage_get_kind (GST_EEG_STAGE (element))
      == GST_EEG_STAGE_KIND_STORAGE)
    return;
  for (i = 0; i < G_N_ELEMENTS (rows); i++) {
    gchar **words = g_strsplit_set (rows[i].launch, " ", -1);

    if (g_strv_contains ((const gchar *const *) words, name)) {
      found = TRUE;
      refused |= rows[i].input == REFUSED;
    }
    g_strfreev (words);
  }
  fail_unless (found, "%s is a stage that no row of this test is about", name);
  if (!refused)
    return;
  text = gst_eeg_stage_describe_output (GST_EEG_STAGE (element), &error);
  fail_unless (text == NULL && error != NULL,
      "%s can save its state and needs a row", name);
  fail_unless (strstr (error->message, GST_OBJECT_NAME (element)) != NULL, "%s",
      error->message);
  g_error_free (error);
}

/* Of what is registered, nothing is forgotten above. */
GST_START_TEST (test_all_stages)
{
  foreach_stage (check_has_row);
}

GST_END_TEST;

static void
check_foreign_states (GstElementFactory *factory, GstElement *element)
{
  GstEegStage *stage = GST_EEG_STAGE (element);
  GBytes *states[] = { g_bytes_new_static ("no state", 8),
    g_bytes_new_static (NULL, 0) };
  gboolean stateless = GST_EEG_STAGE_GET_IFACE (stage)->stateless;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (states); i++) {
    GError *error = NULL;
    gboolean ok = gst_eeg_stage_restore_state (stage, states[i], &error);

    if (!gst_eeg_stage_can_save_state (stage)) {
      fail_unless (g_error_matches (error, GST_CORE_ERROR,
          GST_CORE_ERROR_NOT_IMPLEMENTED));
    } else if (stateless && i == 1) {
      fail_unless (ok);
    } else {
      fail_if (ok, "%s", GST_OBJECT_NAME (factory));
      fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_SETTINGS));
      fail_unless (strstr (error->message, GST_OBJECT_NAME (element)) != NULL,
          "%s", error->message);
    }
    g_clear_error (&error);
    g_bytes_unref (states[i]);
  }
  fail_unless (gst_eeg_stage_restore_state (stage, NULL, NULL),
      "%s forgets no state", GST_OBJECT_NAME (factory));
}

GST_START_TEST (test_foreign_states)
{
  foreach_stage (check_foreign_states);
}

GST_END_TEST;

/* A state that is cut or of another version, a stream that begins before it. */
GST_START_TEST (test_wrong_states)
{
  const Row *row = &rows[__i__];
  static const Cut cut = { 5000, 0 };
  EegCheckpointStage *saved;
  EegCheckpoint *checkpoint;
  GstElement *element;
  GBytes *broken;
  GError *error = NULL;
  GstHarness *h;
  Log log;
  guint i;

  if (row->input == LINE || row->input == REFUSED || !is_built (row))
    return;
  save_cut (row, &cut, 2, &log, &checkpoint, folder);
  log_clear (&log);
  saved = &checkpoint->stages[0];
  /* for a stage without a state there is none that could be wrong */
  if (saved->state_size == 0) {
    eeg_checkpoint_free (checkpoint);
    return;
  }

  element = make_stage (row, folder, 1);
  for (i = 0; i < 2; i++) {
    saved->state[0]++;
    broken = g_bytes_new (saved->state, i == 0 ? saved->state_size : 1);
    saved->state[0]--;
    fail_if (
        gst_eeg_stage_restore_state (GST_EEG_STAGE (element), broken, &error));
    fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
        GST_RESOURCE_ERROR_SETTINGS));
    g_clear_error (&error);
    g_bytes_unref (broken);
  }
  gst_object_unref (element);

  /* those of whose samples the state knows where they go on */
  if (row->input == SAMPLES && saved->state_size > 24 && !is_container (row)) {
    GstBus *bus = gst_bus_new ();

    for (i = 0; i < 2; i++) {
      broken = g_bytes_new (saved->state, saved->state_size - i);
      element = make_stage (row, folder, 1);
      fail_unless (
          gst_eeg_stage_restore_state (GST_EEG_STAGE (element), broken, NULL));
      log_init (&log);
      h = make_harness (row, element, 0, &log, NULL);
      gst_element_set_bus (element, bus);
      fail_unless_equals_int (gst_harness_push (h,
                                  samples_buffer (row->format, CHANNELS,
                                      i == 0 ? 4000 : 5000, 10)),
          GST_FLOW_ERROR);
      samples_check_message (bus, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_SETTINGS);
      gst_element_set_bus (element, NULL);
      gst_harness_teardown (h);
      gst_object_unref (element);
      log_clear (&log);
      g_bytes_unref (broken);
    }
    gst_object_unref (bus);
  }
  eeg_checkpoint_free (checkpoint);
}

GST_END_TEST;

static Suite *
stagestates_suite (void)
{
  Suite *suite = suite_create ("stagestates");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_all_stages);
  tcase_add_test (tc, test_foreign_states);
  tcase_add_loop_test (tc, test_wrong_states, 0, G_N_ELEMENTS (rows));
  tcase_add_loop_test (tc, test_other_process, 0,
      G_N_ELEMENTS (rows) * G_N_ELEMENTS (variants));
  return suite;
}

static Suite *
child_suite (void)
{
  Suite *suite = suite_create ("child");
  TCase *tc = tcase_create ("child");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_child);
  return suite;
}

int
main (int argc, char **argv)
{
  gst_check_init (&argc, &argv);
  if (argc == N_ARGS) {
    child_args = argv;
    return gst_check_run_suite (child_suite (), "child", __FILE__);
  }
  read_seed ();
  return gst_check_run_suite (stagestates_suite (), "stagestates", __FILE__);
}
