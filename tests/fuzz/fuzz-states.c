/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* States from a sidecar whose checksum is right and whose content is not: each
 * stage refuses one, or goes on from it somehow, but within its memory, to an
 * end, and without giving out more than comes in.
 *
 * The first byte of the input chooses a stage, which makes a state of its own;
 * the second one says how that is changed. With no more than these, each number
 * in it is replaced by each of some bad ones, and it is cut at each byte. */
#include <gst/eeg/eeg.h>
#include <gst/gst.h>

#include <glib/gstdio.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RATE 100
#define CHANNELS 2
#define PIECE 150 /* samples of a buffer */
#define N_BYTES 5000
/* Far beyond what any of these gives for what it gets. */
#define MAX_OUTPUT (4 << 20)

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);
int LLVMFuzzerInitialize (int *argc, char ***argv);

typedef struct
{
  const gchar *launch;
  GstEegFormat format; /* of samples; 0: bytes */
  gboolean is_source;
} Row;

static const Row rows[] = {
  { "zstdenc threads=1 chunk-size=1024", 0, FALSE },
  { "zstdenc threads=1 chunk-size=1024 seek-table=true", 0, FALSE },
  { "gzipenc threads=1 chunk-size=1024", 0, FALSE },
  { "lz4enc threads=1 chunk-size=1024", 0, FALSE },
  { "blake3sum", 0, FALSE },
  { "sha256sum", 0, FALSE },
  { "sha512sum", 0, FALSE },
  { "rawtovoltage", GST_EEG_FORMAT_S24LE, FALSE },
  { "eegbatch samples=77", GST_EEG_FORMAT_F32LE, FALSE },
  { "firfilter taps=31 latency=none mode=band-pass low=1 high=40",
      GST_EEG_FORMAT_F32LE, FALSE },
  { "firfilter taps=201 latency=block mode=low-pass high=40 gap-policy=hold",
      GST_EEG_FORMAT_F64LE, FALSE },
  { "iirfilter notch=25", GST_EEG_FORMAT_F32LE, FALSE },
  { "eegdecimate rate=40/1", GST_EEG_FORMAT_F32LE, FALSE },
  { "eegstats", GST_EEG_FORMAT_F32LE, FALSE },
  { "eegvalidate on-fail=gap range=3000 window=200000000", GST_EEG_FORMAT_F32LE,
      FALSE },
  { "edfmux record-duration=500000000", GST_EEG_FORMAT_S24LE, FALSE },
  { "edfmux gaps=discontinuous record-duration=700000000", GST_EEG_FORMAT_S16LE,
      FALSE },
  { "eegpackenc block-duration=200000000", GST_EEG_FORMAT_S24LE, FALSE },
  { "eegsrc name=stage channels=2 rate=100/1 num-samples=600 "
    "checkpoint-interval=100 driver::loss-rate=0.001 ! fakesink name=end",
      0, TRUE },
  { "eegsrc name=stage location=FOLDER/in.edf checkpoint-interval=100 ! fakesink name=end",
      0, TRUE },
  { "filesrc location=FOLDER/in.edf ! eegchunk name=stage checkpoint-interval=999 ! "
    "fakesink name=end",
      0, TRUE },
  { "filesrc location=FOLDER/in.edf ! eegchunk checkpoint-interval=999 ! "
    "edfdemux name=stage ! fakesink name=end",
      0, TRUE },
  { "filesrc location=FOLDER/in.eegpack ! eegchunk checkpoint-interval=333 ! "
    "eegpackdec name=stage threads=1 ! fakesink name=end",
      0, TRUE },
};

/* What a stage saved when nothing was wrong, and what it had given by then. */
typedef struct
{
  GBytes *state;
  guint64 position;
  gchar *output;
} Saved;

static Saved saved[G_N_ELEMENTS (rows)];
static gchar *folder, *edf_input, *pack_input;

static void
remove_folder (void)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (rows); i++)
    if (saved[i].output != NULL)
      g_unlink (saved[i].output);
  g_unlink (edf_input);
  g_unlink (pack_input);
  g_rmdir (folder);
}

/* --- streams ------------------------------------------------------------- */

typedef struct
{
  GstElement *stage;
  GByteArray *bytes; /* that came out */
  gsize n_bytes;
  GBytes *state;  /* at a barrier */
  gsize at;       /* bytes before it */
  gint has_ended; /* atomic */
} Log;

static GstPadProbeReturn
log_output (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Log *log = user_data;
  GstEegBarrier *barrier;
  GstMapInfo map;

  if (!(GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER)) {
    if (gst_eeg_event_parse_barrier (GST_PAD_PROBE_INFO_EVENT (info), &barrier)
        && log->state == NULL) {
      log->state =
          gst_eeg_barrier_get_state (barrier, GST_EEG_STAGE (log->stage));
      log->at = log->bytes->len;
    }
    if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) == GST_EVENT_EOS)
      g_atomic_int_set (&log->has_ended, TRUE);
    return GST_PAD_PROBE_OK;
  }
  if (!gst_buffer_map (GST_PAD_PROBE_INFO_BUFFER (info), &map, GST_MAP_READ))
    abort ();
  log->n_bytes += map.size;
  if (log->n_bytes > MAX_OUTPUT)
    abort ();
  g_byte_array_append (log->bytes, map.data, map.size);
  gst_buffer_unmap (GST_PAD_PROBE_INFO_BUFFER (info), &map);
  return GST_PAD_PROBE_DROP;
}

static GstPadProbeReturn
answer_output (GstPad *pad, GstPadProbeInfo *info, gpointer path)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);
  GStatBuf s;

  if (!gst_eeg_query_is_output (query) || g_stat (path, &s) < 0)
    return GST_PAD_PROBE_OK;
  gst_eeg_query_set_output (query, path, (guint64) s.st_size);
  return GST_PAD_PROBE_HANDLED;
}

static void
add_log (GstPad *pad, Log *log, const gchar *output)
{
  if (output != NULL)
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM, answer_output,
        (gpointer) output, NULL);
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
      log_output, log, NULL);
}

static void
push_barrier (GstPad *pad, guint64 id, guint64 position)
{
  GstEegBarrier *barrier = gst_eeg_barrier_new (id, position);

  gst_pad_push_event (pad, gst_eeg_event_new_barrier (barrier));
  gst_eeg_barrier_unref (barrier);
}

static void
push_bytes (GstPad *pad, guint64 position)
{
  guint8 *data = g_malloc (N_BYTES);
  GstBuffer *buffer;
  gsize i;

  for (i = 0; i < N_BYTES; i++)
    data[i] = (guint8) (i / 7);
  buffer = gst_buffer_new_wrapped (data, N_BYTES);
  GST_BUFFER_OFFSET (buffer) = position;
  gst_pad_push (pad, buffer);
}

static void
push_samples (GstPad *pad, const GstEegInfo *info, guint64 first)
{
  gsize size =
      (gsize) PIECE * CHANNELS * gst_eeg_format_get_bytes (info->format);
  guint8 *data = g_malloc (size);
  GstBuffer *buffer;
  gsize i;

  for (i = 0; i < size; i++)
    data[i] = (guint8) (i % 5);
  buffer = gst_buffer_new_wrapped (data, size);
  GST_BUFFER_OFFSET (buffer) = first;
  GST_BUFFER_OFFSET_END (buffer) = first + PIECE;
  GST_BUFFER_PTS (buffer) = gst_eeg_info_samples_to_time (info, first);
  GST_BUFFER_DURATION (buffer) =
      gst_eeg_info_samples_to_time (info, first + PIECE)
      - GST_BUFFER_PTS (buffer);
  gst_pad_push (pad, buffer);
}

static void
push_gap (GstPad *pad, const GstEegInfo *info, guint64 first, guint64 end)
{
  GstClockTime start = gst_eeg_info_samples_to_time (info, first);

  gst_pad_push_event (pad,
      gst_event_new_gap (start,
          gst_eeg_info_samples_to_time (info, end) - start));
}

/* A stream that begins at @position, with a hole and two barriers. */
static void
run_stream (GstPad *pad, const Row *row, guint64 position)
{
  guint64 step = row->format != 0 ? PIECE : N_BYTES;
  GstEegInfo info;
  GstSegment segment;
  GstCaps *caps;
  guint i;

  gst_eeg_info_init (&info);
  gst_pad_push_event (pad, gst_event_new_stream_start ("stream"));
  if (row->format != 0) {
    gst_eeg_info_set (&info, row->format,
        row->format == GST_EEG_FORMAT_F32LE
                || row->format == GST_EEG_FORMAT_F64LE
            ? GST_EEG_DOMAIN_VOLTAGE
            : GST_EEG_DOMAIN_COUNTS,
        RATE, 1, CHANNELS, NULL);
    caps = gst_eeg_info_to_caps (&info);
    gst_pad_push_event (pad, gst_event_new_caps (caps));
    gst_caps_unref (caps);
  }
  gst_segment_init (&segment,
      row->format != 0 ? GST_FORMAT_TIME : GST_FORMAT_BYTES);
  if (row->format == 0)
    segment.start = segment.time = segment.position = position;
  gst_pad_push_event (pad, gst_event_new_segment (&segment));
  for (i = 0; i < 6; i++) {
    if (row->format == 0) {
      push_bytes (pad, position);
    } else if (i == 3) {
      push_gap (pad, &info, position, position + step);
    } else {
      push_samples (pad, &info, position);
    }
    position += step;
    if (i % 2 == 0)
      push_barrier (pad, i + 1, position);
  }
  gst_pad_push_event (pad, gst_eeg_event_new_complete (position));
  gst_pad_push_event (pad, gst_event_new_eos ());
  gst_eeg_info_clear (&info);
}

static void
run_source (GstElement *pipeline)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (message == NULL)
    abort ();
  gst_message_unref (message);
  gst_object_unref (bus);
}

/* Stages with a thread of their own come to it later; after an error they may
 * not. */
static void
wait_for_end (GstBus *bus, Log *log)
{
  guint i;

  for (i = 0; i < 200000 && !g_atomic_int_get (&log->has_ended); i++) {
    GstMessage *error = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);

    if (error != NULL) {
      gst_message_unref (error);
      return;
    }
    g_usleep (100);
  }
  if (i == 200000)
    abort ();
}

static GstPad *
link_pad (GstElement *element, const gchar *name, GstPadDirection direction)
{
  GstPad *pad = gst_pad_new ("ours", direction);
  GstPad *peer = direction == GST_PAD_SINK
      ? gst_element_get_static_pad (element, name)
      : gst_element_get_compatible_pad (element, pad, NULL);
  GstPadLinkReturn linked = direction == GST_PAD_SINK
      ? gst_pad_link (peer, pad)
      : gst_pad_link (pad, peer);

  if (linked != GST_PAD_LINK_OK)
    abort ();
  gst_pad_set_active (pad, TRUE);
  gst_object_unref (peer);
  return pad;
}

/* FALSE if the state is refused only when the stage starts. */
static gboolean
run_stage (const Row *row, GstElement *element, GstBus *bus, guint64 position,
    const gchar *output, Log *log)
{
  GstPad *in = link_pad (element, "sink", GST_PAD_SRC);
  GstPad *out = link_pad (element, "src", GST_PAD_SINK);
  gboolean ok;

  add_log (out, log, output);
  ok = gst_element_set_state (element, GST_STATE_PLAYING)
      != GST_STATE_CHANGE_FAILURE;
  if (ok) {
    run_stream (in, row, position);
    wait_for_end (bus, log);
  }
  gst_element_set_state (element, GST_STATE_NULL);
  gst_pad_set_active (in, FALSE);
  gst_pad_set_active (out, FALSE);
  gst_object_unref (in);
  gst_object_unref (out);
  return ok;
}

/* With a @state: goes on from it; FALSE if it is refused. */
static gboolean
run (const Row *row, GBytes *state, guint64 position, const gchar *output,
    Log *log)
{
  gchar **parts = g_strsplit (row->launch, "FOLDER", -1);
  gchar *launch = g_strjoinv (folder, parts);
  GstElement *element = gst_parse_launch (launch, NULL);
  GError *error = NULL;
  gboolean ok = TRUE;
  GstBus *bus;

  g_strfreev (parts);
  g_free (launch);
  /* its plugin is not built */
  if (element == NULL)
    return FALSE;
  gst_object_ref_sink (element);
  log->bytes = g_byte_array_new ();
  bus = gst_bus_new ();
  if (!row->is_source)
    gst_element_set_bus (element, bus);
  log->stage = row->is_source ? gst_bin_get_by_name (GST_BIN (element), "stage")
                              : gst_object_ref (element);
  if (state != NULL) {
    ok =
        gst_eeg_stage_restore_state (GST_EEG_STAGE (log->stage), state, &error);
    if (ok != (error == NULL))
      abort ();
    g_clear_error (&error);
  }
  if (ok && row->is_source) {
    GstElement *end = gst_bin_get_by_name (GST_BIN (element), "end");
    GstPad *pad = gst_element_get_static_pad (end, "sink");

    add_log (pad, log, NULL);
    gst_object_unref (pad);
    gst_object_unref (end);
    run_source (element);
  } else if (ok) {
    ok = run_stage (row, element, bus, position, output, log);
  }
  gst_element_set_state (element, GST_STATE_NULL);
  if (!row->is_source)
    gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (log->stage);
  gst_object_unref (element);
  return ok;
}

static void
clear_log (Log *log)
{
  g_byte_array_unref (log->bytes);
  g_clear_pointer (&log->state, g_bytes_unref);
}

/* --- states -------------------------------------------------------------- */

/* FALSE if there is no such stage. */
static gboolean
make_state (guint i)
{
  const Row *row = &rows[i];
  Log log = { NULL };
  gchar *name;

  if (saved[i].state != NULL)
    return TRUE;
  if (!run (row, NULL, 0, NULL, &log))
    return FALSE;
  if (log.state == NULL)
    abort ();
  saved[i].state = g_bytes_ref (log.state);
  /* where the source sent the first barrier */
  saved[i].position = row->format != 0 ? PIECE : N_BYTES;
  if (!row->is_source) {
    name = g_strdup_printf ("out-%u", i);
    saved[i].output = g_build_filename (folder, name, NULL);
    if (!g_file_set_contents (saved[i].output, (gchar *) log.bytes->data,
            (gssize) log.at, NULL))
      abort ();
    g_free (name);
  }
  clear_log (&log);
  return TRUE;
}

static void
try_state (guint i, const guint8 *bytes, gsize size)
{
  GBytes *state = g_bytes_new (bytes, size);
  Log log = { NULL };

  run (&rows[i], state, saved[i].position, saved[i].output, &log);
  clear_log (&log);
  g_bytes_unref (state);
}

static void
write_number (guint8 *to, gsize room, guint64 number)
{
  gsize i;

  for (i = 0; i < 8 && i < room; i++)
    to[i] = (guint8) (number >> (8 * i));
}

static void
try_all (guint i)
{
  static const guint64 numbers[] = { 0, 1, 100, G_MAXINT32, G_MAXUINT32,
    G_MAXINT64 - 1, G_MAXINT64, G_MAXUINT64 - 100, G_MAXUINT64,
    G_GUINT64_CONSTANT (0x7ff8000000000000) /* not a number */,
    G_GUINT64_CONSTANT (0x7fefffffffffffff) /* the largest one */ };
  gsize size, at;
  const guint8 *state = g_bytes_get_data (saved[i].state, &size);
  guint8 *copy = g_malloc (size + 1);
  guint n;

  if (size > 0)
    memcpy (copy, state, size);
  try_state (i, copy, size);
  for (at = 0; at<size; at += size> 400 ? 1 + size / 200 : 1)
    try_state (i, copy, at);
  copy[size] = 0;
  try_state (i, copy, size + 1);
  for (at = 0; at < size && at < 4096; at += at < 8 ? 1 : 8) {
    for (n = 0; n < G_N_ELEMENTS (numbers); n++) {
      write_number (copy + at, size - at, numbers[n]);
      try_state (i, copy, size);
      memcpy (copy, state, size);
    }
  }
  g_free (copy);
}

static void
make_file (const gchar *container, const gchar *path)
{
  gchar *line = g_strdup_printf ("eegsrc channels=2 rate=100/1 num-samples=600 "
                                 "! %s ! filesink location=%s",
      container, path);
  GstElement *pipeline = gst_parse_launch (line, NULL);

  if (pipeline == NULL)
    abort ();
  run_source (pipeline);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  g_free (line);
}

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  gst_init (argc, argv);
  folder = g_dir_make_tmp ("fuzz-states-XXXXXX", NULL);
  if (folder == NULL)
    abort ();
  edf_input = g_build_filename (folder, "in.edf", NULL);
  pack_input = g_build_filename (folder, "in.eegpack", NULL);
  atexit (remove_folder);
  make_file ("edfmux", edf_input);
  make_file ("eegpackenc block-duration=700000000", pack_input);
  return 0;
}

/* Behind the two first bytes: changes of 10 bytes each, of which two say where,
 * and eight are what is written there. An odd second byte: these are the
 * state. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const guint8 *state;
  guint8 *copy;
  gsize state_size, at;
  guint i;

  if (size < 1 || data[0] >= G_N_ELEMENTS (rows))
    return 0;
  i = data[0];
  if (!make_state (i))
    return 0;
  if (size <= 2) {
    if (size == 1)
      try_all (i);
    return 0;
  }
  if (data[1] & 1) {
    try_state (i, data + 2, size - 2);
    return 0;
  }
  state = g_bytes_get_data (saved[i].state, &state_size);
  copy = g_memdup2 (state, state_size);
  for (at = 2; at + 10 <= size && state_size > 0; at += 10) {
    gsize to = (data[at] + 256u * data[at + 1]) % state_size;

    memcpy (copy + to, data + at + 2, MIN (8, state_size - to));
  }
  try_state (i, copy, state_size);
  g_free (copy);
  return 0;
}
