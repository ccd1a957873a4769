/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * eeg-record: records through the whole chain, reads the file back and says
 * what each stage did. examples/record-demo.sh builds and runs it.
 *
 *   eeg-record --key-file=KEY --output=FILE [--seconds=60] [--eegpack]
 *              [RECORDING]
 *
 * Records RECORDING (EDF or BDF), or 64 channels of synthetic EEG, to FILE and
 * writes the check line to FILE.b3. What is compared:
 *
 * - each sample that went into edfmux with what comes back: it may differ by
 *   half a step of the container's 24 bits, no more;
 * - the bytes that edfmux made with those that zstddec gives back (SHA-256).
 *
 * The samples that went in are kept in a temporary file meanwhile.
 *
 * With --eegpack the counts are coded as they come, and calibrated and filtered
 * when they are read; compared are all their bytes (SHA-256).
 *
 * Exit status: 0 if all is equal, 1 after an error or a difference, 2 for wrong
 * arguments.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gst/gst.h>

#include <gst/eeg/eeg.h>

#define RECORD_LINE                                                            \
  "eegsrc name=source ! rawtovoltage name=calibration ! "                      \
  "firfilter name=filter mode=band-pass low=0.5 high=40 ! "                    \
  "edfmux name=container ! zstdenc name=compression ! "                        \
  "aesgcmenc name=encryption ! blake3sum name=checksum ! filesink name=file"

#define READ_LINE                                                              \
  "filesrc name=file ! blake3sum name=checksum ! aesgcmdec name=encryption ! " \
  "zstddec name=compression ! edfdemux name=container "                        \
  "container. ! rawtovoltage name=calibration ! fakesink sync=false"

#define PACK_RECORD_LINE                                                       \
  "eegsrc name=source ! eegpackenc name=compression ! "                        \
  "aesgcmenc name=encryption ! blake3sum name=checksum ! filesink name=file"

#define PACK_READ_LINE                                                         \
  "filesrc name=file ! blake3sum name=checksum ! aesgcmdec name=encryption ! " \
  "eegpackdec name=compression ! identity name=samples ! "                     \
  "rawtovoltage name=calibration ! "                                           \
  "firfilter name=filter mode=band-pass low=0.5 high=40 ! fakesink sync=false"

typedef struct
{
  gboolean eegpack; /* instead of BDF and zstd */
  FILE *spool;      /* the samples that went into the container */
  GChecksum *hash;

  /* of the read-back, on its streaming thread */
  GstEegInfo counts;    /* what the container says */
  GstEegInfo volts;     /* what the spool holds */
  gdouble *step;        /* one count of each channel, in its unit */
  guint64 equal;        /* samples of a channel */
  guint64 beyond_range; /* too large for the container, stored as its limit */
  guint64 different;
  guint64 padding; /* after the end of the recording */
  gboolean failed; /* the comparison itself */
} Demo;

static gboolean
is_terminal (void)
{
  return isatty (STDOUT_FILENO);
}

static GstElement *
get_element (GstElement *pipeline, const gchar *name)
{
  GstElement *element = gst_bin_get_by_name (GST_BIN (pipeline), name);

  g_assert (element != NULL);
  gst_object_unref (element); /* the pipeline holds it */
  return element;
}

static void
add_probe (GstElement *pipeline, const gchar *element, const gchar *pad_name,
    GstPadProbeType type, GstPadProbeCallback callback, Demo *demo)
{
  GstPad *pad =
      gst_element_get_static_pad (get_element (pipeline, element), pad_name);

  gst_pad_add_probe (pad, type, callback, demo, NULL);
  gst_object_unref (pad);
}

static GstPadProbeReturn
hash_bytes (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Demo *demo = user_data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstMapInfo map;

  if (gst_buffer_map (buffer, &map, GST_MAP_READ)) {
    g_checksum_update (demo->hash, map.data, map.size);
    gst_buffer_unmap (buffer, &map);
  }
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
spool_samples (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Demo *demo = user_data;
  GstMapInfo map;

  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER) {
    GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);

    if (!gst_buffer_map (buffer, &map, GST_MAP_READ)
        || fwrite (map.data, 1, map.size, demo->spool) != map.size)
      demo->failed = TRUE;
    else
      gst_buffer_unmap (buffer, &map);
  } else {
    GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);

    if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS) {
      GstCaps *caps;

      gst_event_parse_caps (event, &caps);
      gst_eeg_info_from_caps (&demo->volts, caps);
    }
  }
  return GST_PAD_PROBE_OK;
}

/* A slow recording has nothing at 40 Hz to take away. */
static GstPadProbeReturn
choose_filter (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);

  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS) {
    GstPad *peer = gst_pad_get_peer (pad);
    GstElement *calibration = gst_pad_get_parent_element (peer);
    GstObject *pipeline = gst_object_get_parent (GST_OBJECT (calibration));
    GstEegInfo format;
    GstCaps *caps;

    gst_event_parse_caps (event, &caps);
    gst_eeg_info_init (&format);
    if (gst_eeg_info_from_caps (&format, caps)
        && (gdouble) format.rate_n / format.rate_d < 90.0)
      gst_util_set_object_arg (G_OBJECT (get_element (GST_ELEMENT (pipeline),
                                   "filter")),
          "mode", "high-pass");
    gst_eeg_info_clear (&format);
    gst_object_unref (pipeline);
    gst_object_unref (calibration);
    gst_object_unref (peer);
  }
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
learn_steps (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Demo *demo = user_data;
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
  GstCaps *caps;
  gint i;

  if (GST_EVENT_TYPE (event) != GST_EVENT_CAPS)
    return GST_PAD_PROBE_OK;
  gst_event_parse_caps (event, &caps);
  if (!gst_eeg_info_from_caps (&demo->counts, caps)
      || demo->counts.channel_table == NULL
      || demo->counts.channels != demo->volts.channels
      || demo->volts.format != GST_EEG_FORMAT_F32LE) {
    demo->failed = TRUE;
    return GST_PAD_PROBE_OK;
  }
  demo->step = g_renew (gdouble, demo->step, demo->counts.channels);
  for (i = 0; i < demo->counts.channels; i++) {
    gdouble gain, offset;

    gst_eeg_channel_get_calibration (gst_eeg_channels_get (demo->counts
                                                               .channel_table,
                                         i),
        &gain, &offset);
    demo->step[i] = fabs (gain);
  }
  return GST_PAD_PROBE_OK;
}

/* One sample of one channel against what went in. */
static void
compare_sample (Demo *demo, gint channel, gfloat was, gfloat is)
{
  const GstEegChannel *c =
      gst_eeg_channels_get (demo->counts.channel_table, channel);
  gdouble low = MIN (c->physical_min, c->physical_max);
  gdouble high = MAX (c->physical_min, c->physical_max);
  /* half a step, and that floats have 24 bits */
  gdouble tolerance =
      demo->step[channel] * 0.5000001 + fabs ((gdouble) was) * 1.2e-7;

  if (fabs ((gdouble) was - is) <= tolerance)
    demo->equal++;
  else if (was < low || was > high)
    demo->beyond_range++;
  else
    demo->different++;
}

static GstPadProbeReturn
compare_samples (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Demo *demo = user_data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  gint channels = demo->counts.channels;
  gfloat *frame;
  GstMapInfo map;
  gsize i, n;
  gint c;

  if (demo->failed || demo->step == NULL
      || !gst_buffer_map (buffer, &map, GST_MAP_READ)) {
    demo->failed = TRUE;
    return GST_PAD_PROBE_OK;
  }
  frame = g_new (gfloat, channels);
  n = map.size / (channels * sizeof (gfloat));
  for (i = 0; i < n; i++) {
    const gfloat *back = (const gfloat *) map.data + i * channels;

    if (fread (frame, sizeof (gfloat), channels, demo->spool)
        != (size_t) channels) {
      demo->padding += n - i;
      break;
    }
    for (c = 0; c < channels; c++)
      compare_sample (demo, c, frame[c], back[c]);
  }
  g_free (frame);
  gst_buffer_unmap (buffer, &map);
  return GST_PAD_PROBE_OK;
}

static void
print_progress (GstElement *pipeline, const gchar *verb, gint64 started,
    gboolean end)
{
  gint64 position = 0, duration = -1;
  gdouble elapsed = (g_get_monotonic_time () - started) / 1e6;

  if (!end && !is_terminal ())
    return;
  gst_element_query_position (get_element (pipeline, "source"), GST_FORMAT_TIME,
      &position);
  gst_element_query_duration (get_element (pipeline, "source"), GST_FORMAT_TIME,
      &duration);
  printf ("%s%s: %.1f s", is_terminal () ? "\r" : "", verb,
      (gdouble) position / GST_SECOND);
  if (duration > 0)
    printf (" of %.1f s", (gdouble) duration / GST_SECOND);
  if (elapsed > 0)
    printf (", %.0f times as fast as it was recorded  ",
        (gdouble) position / GST_SECOND / elapsed);
  if (end)
    putchar ('\n');
  fflush (stdout);
}

/* Plays to the end. FALSE after an error, which was printed. */
static gboolean
run (GstElement *pipeline, const gchar *progress)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  gint64 started = g_get_monotonic_time ();
  gboolean ended = FALSE, failed = FALSE;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (!ended && !failed) {
    GstMessage *message = gst_bus_timed_pop_filtered (bus, 200 * GST_MSECOND,
        GST_MESSAGE_ERROR | GST_MESSAGE_WARNING | GST_MESSAGE_EOS);

    if (message == NULL) {
      if (progress != NULL)
        print_progress (pipeline, progress, started, FALSE);
      continue;
    }
    switch (GST_MESSAGE_TYPE (message)) {
      case GST_MESSAGE_EOS:
        ended = TRUE;
        break;
      case GST_MESSAGE_WARNING: {
        GError *warning = NULL;

        gst_message_parse_warning (message, &warning, NULL);
        fprintf (stderr, "warning: %s\n", warning->message);
        g_error_free (warning);
        break;
      }
      default: {
        GError *error = NULL;
        gchar *details = NULL;

        gst_message_parse_error (message, &error, &details);
        fprintf (stderr, "error: %s: %s\n%s\n",
            GST_OBJECT_NAME (GST_MESSAGE_SRC (message)), error->message,
            details != NULL ? details : "");
        g_error_free (error);
        g_free (details);
        failed = TRUE;
        break;
      }
    }
    gst_message_unref (message);
  }
  if (progress != NULL && ended)
    print_progress (pipeline, progress, started, TRUE);
  gst_object_unref (bus);
  return ended;
}

static guint64
get_count (const GstStructure *stats, const gchar *field)
{
  guint64 value = 0;

  gst_structure_get_uint64 (stats, field, &value);
  return value;
}

static void
print_stage (const GValue *item, gpointer user_data)
{
  GstElement *element = g_value_get_object (item);
  GstStructure *stats = NULL;
  guint64 in, out;
  gchar *ratio, *row;

  if (!GST_IS_EEG_STAGE (element))
    return;
  g_object_get (element, "stats", &stats, NULL);
  in = get_count (stats, "bytes-in");
  out = get_count (stats, "bytes-out");
  /* a source has nothing going in */
  ratio = in > 0 && out > 0 ? g_strdup_printf ("%.3f", (gdouble) in / out)
                            : g_strdup ("-");
  row = g_strdup_printf ("  %-14s %14" G_GUINT64_FORMAT " %14" G_GUINT64_FORMAT
                         " %8s %10.1f ms",
      GST_OBJECT_NAME (gst_element_get_factory (element)), in, out, ratio,
      get_count (stats, "busy-ns") / 1e6);
  g_ptr_array_insert (user_data, 0, row); /* elements come sinks first */
  g_free (ratio);
  gst_structure_free (stats);
}

static void
print_table (GstElement *pipeline, const gchar *title)
{
  GPtrArray *rows = g_ptr_array_new_with_free_func (g_free);
  GstIterator *it = gst_bin_iterate_sorted (GST_BIN (pipeline));
  guint i;

  gst_iterator_foreach (it, print_stage, rows);
  gst_iterator_free (it);
  printf ("\n%-16s %14s %14s %8s %13s\n", title, "bytes in", "bytes out",
      "ratio", "time");
  for (i = 0; i < rows->len; i++)
    printf ("%s\n", (gchar *) g_ptr_array_index (rows, i));
  g_ptr_array_unref (rows);
}

static GstElement *
make_pipeline (const gchar *line)
{
  GError *error = NULL;
  GstElement *pipeline =
      gst_parse_launch_full (line, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);

  if (pipeline == NULL) {
    fprintf (stderr, "error: %s\n", error->message);
    g_error_free (error);
  }
  return pipeline;
}

/* A recording of several rates has its EEG at the highest; eegsrc delivers the
 * rate of most channels unless told. */
static void
choose_rate (GObject *source, const gchar *recording)
{
  GstElement *pipeline = make_pipeline ("eegsrc name=source ! fakesink");
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;

  g_object_set (get_element (pipeline, "source"), "location", recording, NULL);
  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  gst_element_get_state (pipeline, NULL, NULL, 5 * GST_SECOND);
  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT)) != NULL) {
    const GstStructure *s = gst_message_get_structure (message);
    const GValue *streams = gst_structure_has_name (s, "eeg-streams")
        ? gst_structure_get_value (s, "streams")
        : NULL;
    const GValue *highest = NULL;
    guint i;

    for (i = 0; streams != NULL && i < gst_value_array_get_size (streams);
         i++) {
      const GValue *rate =
          gst_structure_get_value (gst_value_get_structure (
                                       gst_value_array_get_value (streams, i)),
              "rate");

      if (highest == NULL
          || gst_value_compare (rate, highest) == GST_VALUE_GREATER_THAN)
        highest = rate;
    }
    if (highest != NULL)
      g_object_set_property (source, "rate", highest);
    gst_message_unref (message);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
}

static gboolean
record (Demo *demo, const gchar *recording, gint seconds, const gchar *key_file,
    const gchar *output, const gchar *sum)
{
  GstElement *pipeline =
      make_pipeline (demo->eegpack ? PACK_RECORD_LINE : RECORD_LINE);
  GObject *source;
  gboolean done;

  if (pipeline == NULL)
    return FALSE;
  source = G_OBJECT (get_element (pipeline, "source"));
  if (recording != NULL) {
    g_object_set (source, "location", recording, NULL);
    choose_rate (source, recording);
  } else {
    gst_util_set_object_arg (source, "driver", "synthetic");
    g_object_set (source, "channels", 64, "duration", seconds * GST_SECOND,
        NULL);
    gst_util_set_object_arg (source, "rate", "1000/1");
    gst_util_set_object_arg (source, "format",
        demo->eegpack ? "S24LE" : "S32LE");
  }
  g_object_set (get_element (pipeline, "encryption"), "key-file", key_file,
      NULL);
  g_object_set (get_element (pipeline, "checksum"), "location", sum, NULL);
  g_object_set (get_element (pipeline, "file"), "location", output, NULL);
  if (demo->eegpack) {
    add_probe (pipeline, "source", "src", GST_PAD_PROBE_TYPE_BUFFER, hash_bytes,
        demo);
  } else {
    add_probe (pipeline, "source", "src", GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
        choose_filter, demo);
    add_probe (pipeline, "filter", "src",
        GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
        spool_samples, demo);
    add_probe (pipeline, "container", "src", GST_PAD_PROBE_TYPE_BUFFER,
        hash_bytes, demo);
  }

  done = run (pipeline, "recorded");
  if (done)
    print_table (pipeline, "recording");
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  return done;
}

static gboolean
read_back (Demo *demo, const gchar *key_file, const gchar *output,
    const gchar *sum)
{
  GstElement *pipeline =
      make_pipeline (demo->eegpack ? PACK_READ_LINE : READ_LINE);
  gboolean done;

  if (pipeline == NULL)
    return FALSE;
  g_object_set (get_element (pipeline, "file"), "location", output, NULL);
  g_object_set (get_element (pipeline, "checksum"), "check-file", sum, NULL);
  g_object_set (get_element (pipeline, "encryption"), "key-file", key_file,
      NULL);
  if (demo->eegpack) {
    add_probe (pipeline, "samples", "src", GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
        choose_filter, demo);
    add_probe (pipeline, "samples", "src", GST_PAD_PROBE_TYPE_BUFFER,
        hash_bytes, demo);
  } else {
    add_probe (pipeline, "compression", "src", GST_PAD_PROBE_TYPE_BUFFER,
        hash_bytes, demo);
    add_probe (pipeline, "calibration", "sink",
        GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, learn_steps, demo);
    add_probe (pipeline, "calibration", "src", GST_PAD_PROBE_TYPE_BUFFER,
        compare_samples, demo);
  }

  done = run (pipeline, NULL);
  if (done)
    print_table (pipeline, "reading back");
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  return done;
}

static gboolean
report (Demo *demo, const gchar *bytes_in, const gchar *bytes_out)
{
  gchar rest[sizeof (gfloat)];
  gboolean all_read = fread (rest, 1, 1, demo->spool) == 0;
  gboolean same_bytes = strcmp (bytes_in, bytes_out) == 0;

  if (demo->eegpack) {
    printf ("\nsamples: %s\n",
        same_bytes ? "the same bytes came back" : "OTHER BYTES CAME BACK");
    return same_bytes;
  }
  printf ("\ncontainer: %s\n",
      same_bytes ? "the same bytes came back" : "OTHER BYTES CAME BACK");
  printf ("samples: %" G_GUINT64_FORMAT " of %d channels came back within half "
          "a step, %" G_GUINT64_FORMAT " did not\n",
      demo->equal, demo->counts.channels, demo->different);
  if (demo->beyond_range > 0)
    printf ("samples: %" G_GUINT64_FORMAT " were beyond the physical range of "
            "their channel and are stored as its limit\n",
        demo->beyond_range);
  if (demo->padding > 0)
    printf ("samples: the last record has %" G_GUINT64_FORMAT
            " after the end\n",
        demo->padding);
  if (!all_read)
    printf ("samples: NOT ALL CAME BACK\n");
  return !demo->failed && same_bytes && all_read && demo->equal > 0
      && demo->different == 0;
}

int
main (int argc, char **argv)
{
  gchar *key_file = NULL, *output = NULL, *sum;
  gint seconds = 60;
  gboolean eegpack = FALSE;
  GOptionEntry entries[] = {
    { "key-file", 'k', 0, G_OPTION_ARG_FILENAME, &key_file,
        "file with the 32-byte key", "KEY" },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "file to write",
        "FILE" },
    { "seconds", 's', 0, G_OPTION_ARG_INT, &seconds,
        "how much synthetic EEG to record", "SECONDS" },
    { "eegpack", 'e', 0, G_OPTION_ARG_NONE, &eegpack,
        "code counts with eegpackenc instead of BDF and zstd", NULL },
    { NULL },
  };
  GOptionContext *context = g_option_context_new ("[RECORDING]");
  GError *error = NULL;
  Demo demo = { 0 };
  gchar *bytes_in = NULL;
  gboolean good;

  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  good = g_option_context_parse (context, &argc, &argv, &error);
  g_option_context_free (context);
  if (!good || key_file == NULL || output == NULL || argc > 2 || seconds < 1) {
    fprintf (stderr, "%s\n",
        error != NULL ? error->message : "see eeg-record --help");
    return 2;
  }

  demo.eegpack = eegpack;
  demo.spool = tmpfile ();
  if (demo.spool == NULL) {
    fprintf (stderr, "error: no temporary file can be made\n");
    return 1;
  }
  demo.hash = g_checksum_new (G_CHECKSUM_SHA256);
  gst_eeg_info_init (&demo.counts);
  gst_eeg_info_init (&demo.volts);
  sum = g_strconcat (output, ".b3", NULL);

  good = record (&demo, argc == 2 ? argv[1] : NULL, seconds, key_file, output,
      sum);
  if (good && !demo.failed) {
    bytes_in = g_strdup (g_checksum_get_string (demo.hash));
    g_checksum_reset (demo.hash);
    rewind (demo.spool);
    good = read_back (&demo, key_file, output, sum)
        && report (&demo, bytes_in, g_checksum_get_string (demo.hash));
  }

  g_free (bytes_in);
  g_free (sum);
  g_free (demo.step);
  g_checksum_free (demo.hash);
  fclose (demo.spool);
  gst_eeg_info_clear (&demo.counts);
  gst_eeg_info_clear (&demo.volts);
  g_free (key_file);
  g_free (output);
  return good ? 0 : 1;
}
