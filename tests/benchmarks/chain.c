/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * 64 channels of 24-bit samples in memory, compressed, encrypted and summed
 * into a file, against the tools of the same trade in a pipe on the same bytes:
 * zstd -3 -T1 | age -r | b3sum. The second row has the coder for EEG instead of
 * zstd, the third the calibration, the filter and the container in front, which
 * the tools have not.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gst/app/gstappsrc.h>
#include <gst/gst.h>

#include <gst/eeg/eeg.h>

#include "benchmark.h"
#include "play.h"
#include "synth.h"

#define CHANNELS 64
#define RATE 1000
#define FRAMES (350 * 1000) /* 67 MB */
#define FRAMES_PER_BUFFER 1000

#define BYTES_LINE                                                             \
  "appsrc name=source block=true max-bytes=4000000 format=time ! "             \
  "zstdenc level=3 ! aesgcmenc name=encryption ! blake3sum ! "                 \
  "filesink name=file"

#define EEGPACK_LINE                                                           \
  "appsrc name=source block=true max-bytes=4000000 format=time ! "             \
  "eegpackenc ! aesgcmenc name=encryption ! blake3sum ! "                      \
  "filesink name=file"

#define SAMPLES_LINE                                                           \
  "appsrc name=source block=true max-bytes=4000000 format=time ! "             \
  "rawtovoltage ! firfilter mode=band-pass low=1 high=40 ! edfmux ! "          \
  "zstdenc level=3 ! aesgcmenc name=encryption ! blake3sum ! "                 \
  "filesink name=file"

struct data
{
  const char *line;
  guint8 *bytes;
  gsize size;
  GstCaps *caps; /* where the line begins with samples */
  GstEegInfo info;
  gchar *key_file;
  gchar *output;
  gchar *recipient;
};

static GstCaps *
make_caps (eeg_synth *synth, GstEegInfo *info)
{
  GstEegChannel rows[CHANNELS] = { { NULL } };
  struct eeg_synth_channel channels[CHANNELS];
  GstEegChannels *table;
  GstCaps *caps;
  guint i;

  for (i = 0; i < CHANNELS; i++) {
    eeg_synth_get_channel (synth, i, EEG_SYNTH_S24LE, &channels[i]);
    rows[i].label = channels[i].label;
    rows[i].type = GST_EEG_CHANNEL_TYPE_EEG;
    rows[i].unit = "uV";
    rows[i].physical_min = g_ascii_strtod (channels[i].physical_min, NULL);
    rows[i].physical_max = g_ascii_strtod (channels[i].physical_max, NULL);
    rows[i].digital_min = channels[i].digital_min;
    rows[i].digital_max = channels[i].digital_max;
    rows[i].source_index = i;
  }
  table = gst_eeg_channels_new (rows, CHANNELS);
  gst_eeg_info_init (info);
  gst_eeg_info_set (info, GST_EEG_FORMAT_S24LE, GST_EEG_DOMAIN_COUNTS, RATE, 1,
      CHANNELS, table);
  caps = gst_eeg_info_to_caps (info);
  gst_eeg_channels_unref (table);
  return caps;
}

static double
run_chain (void *user_data)
{
  struct data *data = user_data;
  gsize step = FRAMES_PER_BUFFER * data->info.bytes_per_frame, offset;
  GstElement *pipeline, *source, *element;
  double start;

  pipeline = gst_parse_launch (data->line, NULL);
  if (pipeline == NULL)
    return -1.0;
  source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  element = gst_bin_get_by_name (GST_BIN (pipeline), "encryption");
  g_object_set (element, "key-file", data->key_file, NULL);
  gst_object_unref (element);
  element = gst_bin_get_by_name (GST_BIN (pipeline), "file");
  g_object_set (element, "location", data->output, NULL);
  gst_object_unref (element);
  if (strcmp (data->line, BYTES_LINE) != 0)
    g_object_set (source, "caps", data->caps, NULL);

  /* a new file each time: to drop the old one's pages is no part of it */
  remove (data->output);
  start = bench_now ();
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (offset = 0; offset < data->size; offset += step) {
    GstBuffer *buffer = gst_buffer_new_wrapped_full (GST_MEMORY_FLAG_READONLY,
        data->bytes + offset, step, 0, step, NULL, NULL);

    gst_eeg_info_stamp_buffer (&data->info, buffer,
        offset / data->info.bytes_per_frame, FRAMES_PER_BUFFER);
    if (gst_app_src_push_buffer (GST_APP_SRC (source), buffer) != GST_FLOW_OK)
      break;
  }
  gst_app_src_end_of_stream (GST_APP_SRC (source));
  gst_object_unref (source);
  return bench_finish (pipeline, start);
}

static double
run_tools (void *user_data)
{
  struct data *data = user_data;
  gchar *line =
      g_strdup_printf ("zstd -q -3 -T1 -c | age -r %s | b3sum >/dev/null",
          data->recipient);
  double start = bench_now (), seconds = -1.0;
  FILE *pipe = popen (line, "w");

  if (pipe != NULL) {
    gboolean written = fwrite (data->bytes, 1, data->size, pipe) == data->size;

    if (pclose (pipe) == 0 && written)
      seconds = bench_now () - start;
  }
  g_free (line);
  return seconds;
}

/* The public half of a new age key. (transfer full) (nullable) */
static gchar *
make_recipient (void)
{
  gchar *output = NULL, *recipient = NULL;
  const gchar *start;

  if (g_spawn_command_line_sync ("age-keygen", &output, NULL, NULL, NULL)
      && (start = strstr (output, "public key: ")) != NULL) {
    start += strlen ("public key: ");
    recipient = g_strndup (start, strcspn (start, "\n"));
  }
  g_free (output);
  return recipient;
}

int
main (int argc, char **argv)
{
  struct bench_row row = {
    .name = "zstdenc ! aesgcmenc ! blake3sum ! filesink",
    .data = "synthetic EEG, 64 channels",
    .packing = "S24LE",
    .threads = 0,
    .backend = "against zstd -3 -T1 | age -r | b3sum",
    .target = 1.3,
    .direction = BENCH_AT_LEAST,
  };
  struct data data = { BYTES_LINE };
  gchar *folder;
  eeg_synth *synth;
  gchar key[32];
  gboolean reached;
  guint i;

  gst_init (&argc, &argv);
  signal (SIGPIPE, SIG_IGN);
  /* in memory where that is to be had: the tools write no file, and how fast a
   * disk writes back is not the question */
  folder = g_strdup ("/dev/shm/gsteeg-bench-XXXXXX");
  if (g_mkdtemp (folder) == NULL) {
    g_free (folder);
    folder = g_dir_make_tmp ("gsteeg-bench-XXXXXX", NULL);
  }
  data.recipient = make_recipient ();
  if (folder == NULL || data.recipient == NULL) {
    fprintf (stderr, "age-keygen or a temporary folder is missing\n");
    return 77;
  }
  data.key_file = g_build_filename (folder, "key", NULL);
  data.output = g_build_filename (folder, "output", NULL);
  for (i = 0; i < sizeof key; i++)
    key[i] = (gchar) g_random_int ();
  if (!g_file_set_contents_full (data.key_file, key, sizeof key,
          G_FILE_SET_CONTENTS_NONE, 0600, NULL))
    return 1;

  synth = eeg_synth_new (1, CHANNELS, RATE, 1);
  data.caps = make_caps (synth, &data.info);
  data.size = (gsize) FRAMES * data.info.bytes_per_frame;
  data.bytes = g_malloc (data.size);
  eeg_synth_render (synth, EEG_SYNTH_S24LE, 0, FRAMES, data.bytes);
  eeg_synth_free (synth);

  row.bytes = data.size;
  row.rounds = 9;
  reached = bench_compare (&row, run_chain, run_tools, &data);
  row.name = "eegpackenc ! aesgcmenc ! blake3sum ! filesink";
  row.target = 2.5;
  data.line = EEGPACK_LINE;
  reached = bench_compare (&row, run_chain, run_tools, &data) && reached;
  row.name = "rawtovoltage ! firfilter ! edfmux ! " /* as above: */
             "zstdenc ! aesgcmenc ! blake3sum ! filesink";
  row.target = 0.0; /* the tools do less: shown, without a target */
  data.line = SAMPLES_LINE;
  reached = bench_compare (&row, run_chain, run_tools, &data) && reached;

  remove (data.key_file);
  remove (data.output);
  remove (folder);
  g_free (folder);
  g_free (data.key_file);
  g_free (data.output);
  g_free (data.recipient);
  g_free (data.bytes);
  gst_caps_unref (data.caps);
  gst_eeg_info_clear (&data.info);
  return reached ? 0 : 1;
}
