/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* eegtoaudio and audiotoeeg, alone, one behind the other, and with the audio
 * elements of GStreamer. */
#include "eeg-samples.h"

#include <glib/gstdio.h>

static const GstEegFormat formats[] = { GST_EEG_FORMAT_S16LE,
  GST_EEG_FORMAT_S24LE, GST_EEG_FORMAT_S32LE, GST_EEG_FORMAT_F32LE,
  GST_EEG_FORMAT_F64LE };
#define N_FORMATS G_N_ELEMENTS (formats)

static GstCaps *
audio_caps (GstEegFormat format, gint rate, gint channels)
{
  GstCaps *caps = gst_caps_new_simple ("audio/x-raw", "format", G_TYPE_STRING,
      gst_eeg_format_to_string (format), "rate", G_TYPE_INT, rate, "channels",
      G_TYPE_INT, channels, "layout", G_TYPE_STRING, "interleaved", NULL);

  if (channels > 1)
    gst_caps_set_simple (caps, "channel-mask", GST_TYPE_BITMASK, (guint64) 0,
        NULL);
  return caps;
}

static void
check_caps (GstHarness *h, GstCaps *expected)
{
  GstCaps *caps = gst_pad_get_current_caps (h->sinkpad);

  if (!gst_caps_is_equal (caps, expected))
    fail ("%s instead of %s", gst_caps_to_string (caps),
        gst_caps_to_string (expected));
  gst_caps_unref (caps);
  gst_caps_unref (expected);
}

static gboolean
have (const gchar *name)
{
  GstElementFactory *factory = gst_element_factory_find (name);

  if (factory == NULL) {
    g_printerr ("skipped: no element %s\n", name);
    return FALSE;
  }
  gst_object_unref (factory);
  return TRUE;
}

/* ---- samples ---- */

static const guint channel_counts[] = { 1, 2, 9, 63 };

/* Bytes, stamps and caps, both ways; the same memory, shared or not. */
GST_START_TEST (test_formats)
{
  GstEegFormat format = formats[__i__ % N_FORMATS];
  guint channels = channel_counts[__i__ / N_FORMATS];
  GstHarness *there = gst_harness_new ("eegtoaudio");
  GstHarness *back = gst_harness_new ("audiotoeeg");
  GstEegChannels *table = samples_table (channels, NULL);
  GstCaps *caps =
      samples_caps (format, 500, 1, channels, gst_eeg_channels_ref (table));
  guint shared;

  gst_harness_set_src_caps (there, gst_caps_ref (caps));
  gst_harness_set_src_caps (back, audio_caps (format, 500, channels));
  for (shared = 0; shared < 2; shared++) {
    GstBuffer *in = samples_buffer (format, channels, 1000 + 50 * shared, 50);
    GstBuffer *expected = gst_buffer_copy_deep (in), *out;
    GstMemory *memory = gst_buffer_peek_memory (in, 0);
    GstMapInfo map;

    gst_buffer_add_eeg_marker_meta (in, 7, 8, "blink");
    if (shared)
      gst_buffer_ref (in);
    out = gst_harness_push_and_pull (there, in);
    if (shared)
      gst_buffer_unref (in);
    fail_unless (gst_buffer_peek_memory (out, 0) == memory);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (out),
        (2000 + 100 * shared) * GST_MSECOND);
    fail_unless_equals_uint64 (GST_BUFFER_DURATION (out), 100 * GST_MSECOND);
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET (out), 1000 + 50 * shared);
    fail_unless_equals_int (GST_BUFFER_IS_DISCONT (out) != 0, !shared);

    /* what audio elements make of offsets is their own affair */
    GST_BUFFER_OFFSET (out) = shared ? 12345 : GST_BUFFER_OFFSET_NONE;
    GST_BUFFER_OFFSET_END (out) = 7;
    if (shared)
      gst_buffer_ref (out);
    in = out;
    out = gst_harness_push_and_pull (back, in);
    if (shared)
      gst_buffer_unref (in);
    fail_unless (gst_buffer_peek_memory (out, 0) == memory);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (out),
        (2000 + 100 * shared) * GST_MSECOND);
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET (out), 1000 + 50 * shared);
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET_END (out), 1050 + 50 * shared);
    fail_unless_equals_int (GST_BUFFER_IS_DISCONT (out) != 0, !shared);
    fail_unless_equals_int (gst_buffer_get_n_meta (out,
                                GST_EEG_MARKER_META_API_TYPE),
        1);
    fail_unless (gst_buffer_map (expected, &map, GST_MAP_READ));
    fail_unless (gst_buffer_memcmp (out, 0, map.data, map.size) == 0);
    gst_buffer_unmap (expected, &map);
    gst_buffer_unref (expected);
    gst_buffer_unref (out);
  }
  check_caps (there, audio_caps (format, 500, channels));
  gst_harness_teardown (there);
  gst_harness_teardown (back);

  /* with the table given whole, nothing is lost at all */
  back = gst_harness_new_parse ("eegtoaudio ! audiotoeeg name=back");
  {
    GstElement *element = gst_bin_get_by_name (GST_BIN (back->element), "back");

    g_object_set (element, "channel-table", table, "labels", "not,this", NULL);
    gst_object_unref (element);
  }
  gst_harness_set_src_caps (back, gst_caps_ref (caps));
  gst_buffer_unref (gst_harness_push_and_pull (back,
      samples_buffer (format, channels, 0, 50)));
  check_caps (back, caps);
  gst_harness_teardown (back);
  gst_eeg_channels_unref (table);
}

GST_END_TEST;

GST_START_TEST (test_split_makes_no_difference)
{
  guint steps[] = { 1000, 0 }, i;
  Samples out[2];

  for (i = 0; i < 2; i++) {
    GstHarness *h = gst_harness_new_parse ("eegtoaudio ! audiotoeeg");

    gst_harness_set_src_caps (h,
        samples_caps (GST_EEG_FORMAT_S24LE, 256, 1, 5,
            samples_table (5, NULL)));
    samples_init (&out[i]);
    samples_push (h, &out[i], GST_EEG_FORMAT_S24LE, 5, 12, 1000, steps[i]);
    fail_unless_equals_uint64 (out[i].first, 12);
    fail_unless_equals_int (out[i].disconts, 1);
    gst_harness_teardown (h);
  }
  fail_unless_equals_int (out[0].bytes->len, 1000 * 5 * 3);
  fail_unless_equals_int (out[1].bytes->len, out[0].bytes->len);
  fail_unless (
      memcmp (out[0].bytes->data, out[1].bytes->data, out[0].bytes->len) == 0);
  samples_clear (&out[0]);
  samples_clear (&out[1]);
}

GST_END_TEST;

/* ---- the channel table that properties make ---- */

static const struct
{
  const gchar *properties;
  GstEegFormat format;
  const gchar *labels;   /* with types */
  const gchar *unit;     /* of the first channel */
  const gchar *unit_3;   /* of the third */
  gdouble physical_max;  /* of the first */
  gint32 digital_max;    /* of the first */
  gdouble physical_max3; /* of the third */
} cases[] = {
  { "", GST_EEG_FORMAT_S16LE, "E1:eeg,E2:eeg,E3:eeg", "uV", "uV", 32767, 32767,
      32767 },
  { "labels=\"C3, HEOG ,Status\" scale=0.5", GST_EEG_FORMAT_S24LE,
      "C3:eeg,HEOG:eog,Status:trigger", "uV", "", 8388607 / 2.0, 8388607,
      8388607 },
  { "labels=\"a\\\\,b,ECG,c\" unit=\"mV,uV,degC\" scale=-2",
      GST_EEG_FORMAT_S32LE, "a,b:eeg,ECG:ecg,c:unknown", "mV", "degC",
      -4294967294.0, 2147483647, -4294967294.0 },
  { "unit=\"\"", GST_EEG_FORMAT_S16LE, "E1:unknown,E2:unknown,E3:unknown", "",
      "", 32767, 32767, 32767 },
  { "scale=0.25", GST_EEG_FORMAT_F32LE, "E1:eeg,E2:eeg,E3:eeg", "uV", "uV",
      8388607 / 4.0, 8388607, 8388607 / 4.0 },
  { "scale=0.25", GST_EEG_FORMAT_F64LE, "E1:eeg,E2:eeg,E3:eeg", "uV", "uV",
      2147483647 / 4.0, 2147483647, 2147483647 / 4.0 },
};

GST_START_TEST (test_table)
{
  GstEegFormat format = cases[__i__].format;
  gchar *line = g_strdup_printf ("audiotoeeg %s", cases[__i__].properties);
  GstHarness *h = gst_harness_new_parse (line);
  const GstEegChannel *row_1, *row_3;
  GstEegInfo info;
  GstCaps *caps;

  gst_harness_set_src_caps (h, audio_caps (format, 500, 3));
  gst_buffer_unref (
      gst_harness_push_and_pull (h, samples_buffer (format, 3, 0, 10)));
  samples_check_labels (h, cases[__i__].labels, TRUE);
  caps = gst_pad_get_current_caps (h->sinkpad);
  gst_eeg_info_init (&info);
  fail_unless (gst_eeg_info_from_caps (&info, caps));
  fail_unless_equals_int (info.format, format);
  fail_unless_equals_int (info.domain,
      format == GST_EEG_FORMAT_F32LE || format == GST_EEG_FORMAT_F64LE
          ? GST_EEG_DOMAIN_VOLTAGE
          : GST_EEG_DOMAIN_COUNTS);
  fail_unless_equals_int (info.rate_n, 500);
  fail_unless_equals_int (info.rate_d, 1);
  row_1 = gst_eeg_channels_get (info.channel_table, 0);
  row_3 = gst_eeg_channels_get (info.channel_table, 2);
  fail_unless_equals_string (row_1->unit, cases[__i__].unit);
  fail_unless_equals_string (row_3->unit, cases[__i__].unit_3);
  fail_unless (row_1->physical_max == cases[__i__].physical_max);
  fail_unless (row_3->physical_max == cases[__i__].physical_max3);
  fail_unless_equals_int (row_1->digital_max, cases[__i__].digital_max);
  fail_unless_equals_int (row_1->digital_min, -cases[__i__].digital_max - 1);
  fail_unless_equals_int (row_3->source_index, 2);
  gst_eeg_info_clear (&info);
  gst_caps_unref (caps);
  gst_harness_teardown (h);
  g_free (line);
}

GST_END_TEST;

/* What rawtovoltage makes of counts by this table: count times scale. */
GST_START_TEST (test_scale_is_units_per_count)
{
  GstHarness *h = gst_harness_new_parse (
      "audiotoeeg labels=C3,Status scale=0.5 ! rawtovoltage");
  const gint16 counts[] = { -3, 77, 32767, -1 };
  const gfloat expected[] = { -1.5f, 77.0f, 16383.5f, -1.0f };
  GstBuffer *out;

  gst_harness_set_src_caps (h, audio_caps (GST_EEG_FORMAT_S16LE, 100, 2));
  gst_harness_set_sink_caps_str (h, "application/x-eeg-raw, format=F32LE");
  out = gst_harness_push_and_pull (h,
      gst_buffer_new_memdup (counts, sizeof counts));
  fail_unless (gst_buffer_memcmp (out, 0, expected, sizeof expected) == 0);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* ---- what is refused ---- */

/* One error, which names this, and no sample. */
static void
check_refused (const gchar *line, GstCaps *caps, GQuark domain, gint code,
    const gchar *text)
{
  GstHarness *h = gst_harness_new_parse (line);
  GstElement *element = samples_element (h);
  GstBus *bus = gst_bus_new ();
  GstMessage *message;
  GError *error = NULL;
  guint i;

  gst_element_set_bus (element, bus);
  gst_harness_set_src_caps (h, caps);
  for (i = 0; i < 2; i++)
    fail_unless_equals_int (gst_harness_push (h,
                                gst_buffer_new_allocate (NULL, 4096 * 8, NULL)),
        GST_FLOW_NOT_NEGOTIATED);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL, "%s: no error", line);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, domain, code), "%s", error->message);
  fail_unless (strstr (error->message, text) != NULL, "%s", error->message);
  g_error_free (error);
  gst_message_unref (message);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL);
  fail_unless_equals_int (gst_harness_buffers_in_queue (h), 0);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
  gst_harness_teardown (h);
}

GST_START_TEST (test_refused)
{
  const GstEegFormat f32 = GST_EEG_FORMAT_F32LE;

  check_refused ("eegtoaudio", samples_caps (f32, 500, 1, 64, NULL),
      GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION, "63");
  check_refused ("eegtoaudio", samples_caps (f32, 500, 1, 4096, NULL),
      GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION, "63");
  check_refused ("eegtoaudio", samples_caps (f32, 975, 2, 2, NULL),
      GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION, "eegdecimate rate=487/1");
  check_refused ("eegtoaudio", samples_caps (f32, 1, 3, 2, NULL),
      GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION, "eegdecimate rate=1/1");
  check_refused ("audiotoeeg", audio_caps (f32, 500, 64), GST_CORE_ERROR,
      GST_CORE_ERROR_NEGOTIATION, "63");
  check_refused ("audiotoeeg labels=a,b", audio_caps (f32, 500, 3),
      GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, "3 channels");
  check_refused ("audiotoeeg unit=uV,mV", audio_caps (f32, 500, 3),
      GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, "3 channels");
}

GST_END_TEST;

/* The source asks what may be before it sends caps; the reason comes all the
 * same, and comes first. */
GST_START_TEST (test_refused_in_a_pipeline)
{
  static const gchar *const lines[] = {
    "eegsrc channels=64 ! eegtoaudio ! fakesink",
    "eegsrc channels=64 ! rawtovoltage ! eegtoaudio ! audioconvert ! fakesink",
    "eegsrc channels=4 rate=64/5 ! rawtovoltage ! eegtoaudio ! fakesink",
    "audiotestsrc ! audio/x-raw,channels=64 ! audiotoeeg ! fakesink",
  };
  GstElement *pipeline;
  GstMessage *message;
  GError *error = NULL;
  GstBus *bus;

  if (!have ("eegsrc") || !have ("audioconvert") || !have ("audiotestsrc"))
    return;
  pipeline = gst_parse_launch (lines[__i__], NULL);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND,
      GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  fail_unless (message != NULL);
  fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_CORE_ERROR,
                   GST_CORE_ERROR_NEGOTIATION),
      "%s", error->message);
  fail_unless (strstr (error->message, "Audio has") != NULL, "%s",
      error->message);
  g_error_free (error);
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
}

GST_END_TEST;

GST_START_TEST (test_scale_zero)
{
  GstElement *element = gst_element_factory_make ("audiotoeeg", NULL);
  GstBus *bus = gst_bus_new ();

  gst_object_ref_sink (element);
  gst_element_set_bus (element, bus);
  g_object_set (element, "scale", 0.0, NULL);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  samples_check_message (bus, GST_MESSAGE_ERROR, GST_LIBRARY_ERROR,
      GST_LIBRARY_ERROR_SETTINGS);
  g_object_set (element, "scale", 1.0, NULL);
  fail_if (gst_element_set_state (element, GST_STATE_PAUSED)
      == GST_STATE_CHANGE_FAILURE);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
}

GST_END_TEST;

GST_START_TEST (test_wrong_channel_table)
{
  GstElement *element = gst_element_factory_make ("audiotoeeg", NULL);
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  GstEegChannels *table = samples_table (2, NULL), *got = NULL;
  GstBus *bus = gst_bus_new ();

  g_object_set (element, "channel-table", table, NULL);
  g_object_get (element, "channel-table", &got, NULL);
  fail_unless (got == table);
  gst_eeg_channels_unref (got);
  gst_eeg_channels_unref (table);
  gst_element_set_bus (element, bus);
  gst_harness_set_src_caps (h, audio_caps (GST_EEG_FORMAT_S16LE, 500, 3));
  fail_unless_equals_int (gst_harness_push (h,
                              samples_buffer (GST_EEG_FORMAT_S16LE, 3, 0, 10)),
      GST_FLOW_NOT_NEGOTIATED);
  samples_check_message (bus, GST_MESSAGE_ERROR, GST_LIBRARY_ERROR,
      GST_LIBRARY_ERROR_SETTINGS);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
  gst_object_unref (element);
}

GST_END_TEST;

/* ---- caps ---- */

/* What the sink pad wishes for when downstream takes this. */
static void
check_wish (const gchar *element, const gchar *downstream,
    const gchar *expected)
{
  GstHarness *h = gst_harness_new (element);
  GstPad *pad = gst_element_get_static_pad (h->element, "sink");
  GstCaps *wish = gst_caps_from_string (expected), *caps, *best;

  gst_harness_set_sink_caps_str (h, downstream);
  caps = gst_pad_query_caps (pad, NULL);
  fail_if (gst_caps_is_empty (caps));
  best = gst_caps_copy_nth (caps, 0);
  if (!gst_caps_is_equal (best, wish))
    fail ("%s", gst_caps_to_string (caps));
  gst_caps_unref (best);
  gst_caps_unref (caps);
  gst_caps_unref (wish);
  gst_object_unref (pad);
  gst_harness_teardown (h);
}

#define EEG "application/x-eeg-raw, layout=(string)interleaved, "
#define AUDIO "audio/x-raw, layout=(string)interleaved, "

GST_START_TEST (test_wishes)
{
  check_wish ("eegtoaudio",
      AUDIO "format=F32LE, rate=[ 8000, 48000 ], channels=2, "
            "channel-mask=(bitmask)0",
      EEG "format=F32LE, rate=(fraction)[ 8000/1, 48000/1 ], channels=2, "
          "domain={ counts, voltage }");
  check_wish ("eegtoaudio",
      AUDIO "format={ S24LE, S16LE, U8 }, rate={ 250, 500 }, channels=[ 1, 8 ]",
      EEG "format={ S24LE, S16LE }, rate=(fraction){ 250/1, 500/1 }, "
          "channels=[ 1, 8 ], domain={ counts, voltage }");
  check_wish ("audiotoeeg",
      EEG "format={ S16LE, F32LE }, rate=(fraction)[ 199/2, 1001/2 ], "
          "channels=[ 1, 8 ], domain=counts",
      AUDIO "format=S16LE, rate=[ 100, 500 ], channels=[ 1, 8 ]");
  check_wish ("audiotoeeg",
      EEG "format=F32LE, rate=(fraction){ 25/2, 250/1, 500/2 }, channels=3, "
          "domain=voltage",
      AUDIO "format=F32LE, rate=(int)250, channels=3, "
            "channel-mask=(bitmask)0");
}

GST_END_TEST;

/* Other caps in the middle: another table, and a new run. */
GST_START_TEST (test_other_caps)
{
  GstHarness *h = gst_harness_new ("audiotoeeg");
  Samples out;

  samples_init (&out);
  gst_harness_set_src_caps (h, audio_caps (GST_EEG_FORMAT_S16LE, 500, 3));
  samples_push (h, &out, GST_EEG_FORMAT_S16LE, 3, 0, 10, 10);
  samples_check_labels (h, "E1,E2,E3", FALSE);
  gst_harness_set_src_caps (h, audio_caps (GST_EEG_FORMAT_F64LE, 100, 2));
  out.next = out.first = GST_BUFFER_OFFSET_NONE;
  samples_push (h, &out, GST_EEG_FORMAT_F64LE, 2, 0, 10, 10);
  samples_check_labels (h, "E1,E2", FALSE);
  fail_unless_equals_int (out.bytes->len, 10 * 3 * 2 + 10 * 2 * 8);
  samples_clear (&out);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* ---- time ---- */

static GstBuffer *
stamped (guint64 from, guint n, GstClockTime jitter)
{
  GstBuffer *buffer = samples_buffer (GST_EEG_FORMAT_S16LE, 2, from, n);

  GST_BUFFER_PTS (buffer) =
      gst_util_uint64_scale_round (from, GST_SECOND, 600) + jitter;
  GST_BUFFER_OFFSET (buffer) = GST_BUFFER_OFFSET_NONE;
  return buffer;
}

static void
push_stamped (GstHarness *h, guint64 from, GstClockTime jitter,
    gboolean discont, guint64 expected, gboolean expected_discont)
{
  GstBuffer *buffer = stamped (from, 60, jitter);

  if (discont)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  buffer = gst_harness_push_and_pull (h, buffer);
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), expected);
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET_END (buffer), expected + 60);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer),
      gst_util_uint64_scale (expected, GST_SECOND, 600));
  fail_unless_equals_int (GST_BUFFER_IS_DISCONT (buffer) != 0,
      expected_discont);
  gst_buffer_unref (buffer);
}

static void
check_loss (GstHarness *h, GstBus *bus, guint64 from, guint64 count,
    guint64 total)
{
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT);
  GstStructure *stats = NULL;
  guint64 got_first, got_count, lost;
  const gchar *reason;

  if (count == 0) {
    fail_unless (message == NULL, "a loss that is none");
  } else {
    fail_unless (message != NULL, "no message");
    fail_unless (
        gst_eeg_message_parse_loss (message, &got_first, &got_count, &reason));
    fail_unless_equals_uint64 (got_first, from);
    fail_unless_equals_uint64 (got_count, count);
    fail_unless (reason != NULL);
    gst_message_unref (message);
  }
  g_object_get (h->element, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, "lost", &lost));
  fail_unless_equals_uint64 (lost, total);
  gst_structure_free (stats);
}

GST_START_TEST (test_losses)
{
  GstHarness *h = gst_harness_new ("audiotoeeg");
  GstBus *bus = gst_bus_new ();
  GstSegment segment;
  GstBuffer *buffer;

  gst_element_set_bus (h->element, bus);
  gst_harness_set_src_caps (h, audio_caps (GST_EEG_FORMAT_S16LE, 600, 2));
  push_stamped (h, 600, 0, TRUE, 600, TRUE);
  /* stamps that tremble are no loss */
  push_stamped (h, 660, 9 * GST_MSECOND, FALSE, 660, FALSE);
  check_loss (h, bus, 0, 0, 0);
  /* those that jump are one, and short ones if they say so */
  push_stamped (h, 900, 0, FALSE, 900, TRUE);
  check_loss (h, bus, 720, 180, 180);
  push_stamped (h, 967, 0, TRUE, 967, TRUE);
  check_loss (h, bus, 960, 7, 187);
  /* a gap that is announced is a loss too */
  gst_harness_push_event (h,
      gst_event_new_gap (1712 * GST_MSECOND, GST_SECOND));
  push_stamped (h, 1627, 0, FALSE, 1627, TRUE);
  check_loss (h, bus, 1027, 600, 787);
  /* nothing is lost backwards */
  push_stamped (h, 100, 0, TRUE, 100, TRUE);
  check_loss (h, bus, 0, 0, 787);
  /* without stamps one follows the other */
  buffer = samples_buffer (GST_EEG_FORMAT_S16LE, 2, 0, 60);
  buffer = gst_harness_push_and_pull (h, buffer);
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), 160);
  gst_buffer_unref (buffer);

  /* neither a seek nor a new segment loses anything */
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  push_stamped (h, 6000, 0, TRUE, 6000, TRUE);
  segment.start = segment.time = 100 * GST_SECOND;
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  push_stamped (h, 60000, 0, FALSE, 60000, TRUE);
  check_loss (h, bus, 0, 0, 787);

  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* GAP: the flag stays on its buffer, the event in its place. */
GST_START_TEST (test_gap_and_end)
{
  GstHarness *h = gst_harness_new_parse ("eegtoaudio ! audiotoeeg");
  GstBuffer *buffer = samples_buffer (GST_EEG_FORMAT_F32LE, 2, 500, 250);
  GstEvent *event;
  guint gaps = 0, ends = 0;

  gst_harness_set_src_caps (h,
      samples_caps (GST_EEG_FORMAT_F32LE, 250, 1, 2, samples_table (2, NULL)));
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_GAP);
  buffer = gst_harness_push_and_pull (h, buffer);
  fail_unless (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP));
  gst_buffer_unref (buffer);
  gst_harness_push_event (h, gst_event_new_gap (3 * GST_SECOND, GST_SECOND));
  buffer = gst_harness_push_and_pull (h,
      samples_buffer (GST_EEG_FORMAT_F32LE, 2, 1000, 250));
  fail_if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP));
  fail_unless (GST_BUFFER_IS_DISCONT (buffer));
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), 1000);
  gst_buffer_unref (buffer);
  gst_harness_push_event (h, gst_event_new_eos ());
  while ((event = gst_harness_try_pull_event (h)) != NULL) {
    gaps += GST_EVENT_TYPE (event) == GST_EVENT_GAP;
    ends += GST_EVENT_TYPE (event) == GST_EVENT_EOS;
    gst_event_unref (event);
  }
  fail_unless_equals_int (gaps, 1);
  fail_unless_equals_int (ends, 1);
  fail_unless_equals_int (gst_harness_buffers_in_queue (h), 0);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_contract)
{
  static const gchar *const names[] = { "eegtoaudio", "audiotoeeg" };
  GstHarness *h = gst_harness_new (names[__i__]);
  GstEegStage *stage = GST_EEG_STAGE (h->element);
  GstEegEstimate estimate;
  GstBus *bus = gst_bus_new ();
  gint round;

  gst_element_set_bus (h->element, bus);
  gst_harness_set_upstream_latency (h, GST_MSECOND);
  for (round = 0; round < 3; round++) {
    GstStructure *stats = NULL;
    guint64 samples = 0;
    GstBuffer *out;

    gst_harness_set_src_caps (h,
        __i__ == 0 ? samples_caps (GST_EEG_FORMAT_S16LE, 600, 1, 2, NULL)
                   : audio_caps (GST_EEG_FORMAT_S16LE, 600, 2));
    out = gst_harness_push_and_pull (h, stamped (600 * round, 60, 0));
    fail_unless (GST_BUFFER_IS_DISCONT (out));
    gst_buffer_unref (out);
    g_object_get (h->element, "stats", &stats, NULL);
    fail_unless (gst_structure_get_uint64 (stats, "samples-out", &samples));
    fail_unless_equals_uint64 (samples, 60);
    fail_unless (gst_structure_get_uint64 (stats, "lost", &samples));
    fail_unless_equals_uint64 (samples, 0);
    gst_structure_free (stats);
    fail_unless (gst_eeg_stage_estimate (stage, 800, &estimate));
    fail_unless_equals_uint64 (estimate.output_bytes, 800);
    fail_unless (estimate.memory_bytes <= 60 * 2 * 2);
    fail_unless_equals_int (estimate.threads, 0);
    fail_unless_equals_uint64 (gst_harness_query_latency (h), GST_MSECOND);
    gst_element_set_state (h->element,
        round == 1 ? GST_STATE_NULL : GST_STATE_READY);
    gst_element_set_state (h->element, GST_STATE_PLAYING);
  }
  /* half a frame */
  gst_harness_set_src_caps (h,
      __i__ == 0 ? samples_caps (GST_EEG_FORMAT_S16LE, 600, 1, 2, NULL)
                 : audio_caps (GST_EEG_FORMAT_S16LE, 600, 2));
  fail_unless_equals_int (gst_harness_push (h,
                              gst_buffer_new_allocate (NULL, 6, NULL)),
      GST_FLOW_ERROR);
  samples_check_message (bus, GST_MESSAGE_ERROR, GST_STREAM_ERROR,
      GST_STREAM_ERROR_FORMAT);
  fail_unless_equals_int (gst_eeg_stage_get_kind (stage),
      GST_EEG_STAGE_KIND_TRANSFORM);
  fail_unless (gst_eeg_stage_can_save_state (stage));
  fail_unless_equals_uint64 (gst_eeg_stage_look_back (stage), 0);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* ---- audio elements between and behind ---- */

/* What was lost becomes silence of the same length. */
GST_START_TEST (test_audiorate)
{
  const guint losses[] = { 250, 1, 37 };
  guint64 from = 0;
  GstHarness *h;
  Samples out;
  guint i, c;

  if (!have ("audiorate"))
    return;
  h = gst_harness_new_parse ("eegtoaudio ! audiorate tolerance=0 ! audiotoeeg");
  gst_harness_set_src_caps (h,
      samples_caps (GST_EEG_FORMAT_S32LE, 250, 1, 2, samples_table (2, NULL)));
  samples_init (&out);
  for (i = 0; i < G_N_ELEMENTS (losses); i++) {
    samples_push (h, &out, GST_EEG_FORMAT_S32LE, 2, from, 100, 33);
    from += 100 + losses[i];
  }
  samples_push (h, &out, GST_EEG_FORMAT_S32LE, 2, from, 100, 100);
  fail_unless_equals_int (out.bytes->len, (from + 100) * 2 * 4);
  fail_unless_equals_uint64 (out.next, from + 100);
  for (i = 0; i < 450; i++)
    for (c = 0; c < 2; c++) {
      gint32 count;

      memcpy (&count, out.bytes->data + (i * 2 + c) * 4, 4);
      fail_unless_equals_int (count,
          i < 100 || (i >= 350 && i != 450) ? samples_at (i, c) : 0);
    }
  samples_clear (&out);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* A tone at another rate: as many samples as there must be, and the tone. */
GST_START_TEST (test_audioresample)
{
  const guint n = 5000, channels = 3;
  GstHarness *h;
  Samples out;
  guint i, c, made;

  if (!have ("audioresample"))
    return;
  h = gst_harness_new_parse ("eegtoaudio ! audioresample ! "
                             "capsfilter caps=audio/x-raw,rate=750 ! "
                             "audiotoeeg labels=a,b,c");
  gst_harness_set_src_caps (h,
      samples_caps (GST_EEG_FORMAT_F64LE, 250, 1, channels, NULL));
  samples_init (&out);
  for (i = 0; i < n; i += 100) {
    GstBuffer *buffer =
        gst_buffer_new_allocate (NULL, 100 * channels * 8, NULL);
    GstMapInfo map;
    guint k;

    fail_unless (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
    for (k = 0; k < 100; k++)
      for (c = 0; c < channels; c++)
        ((gdouble *) map.data)[k * channels + c] =
            100 * sin (2 * G_PI * 10 * (i + k) / 250 + c);
    gst_buffer_unmap (buffer, &map);
    GST_BUFFER_OFFSET (buffer) = i;
    fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
  }
  gst_harness_push_event (h, gst_event_new_eos ());
  samples_pull (&out, h);
  samples_check_labels (h, "a,b,c", FALSE);
  fail_unless_equals_int (out.disconts, 1);
  made = out.bytes->len / channels / 8;
  fail_unless (ABS ((gint) made - 3 * (gint) n) <= 3, "%u samples", made);
  /* over whole periods, away from the ends; the resampler may shift the tone by
   * a part of a sample */
  for (c = 0; c < channels; c++) {
    const gdouble *x = (const gdouble *) out.bytes->data + c;
    const gdouble step = 2 * G_PI * 10 / 750;
    gdouble a = 0, b = 0, worst = 0;

    for (i = 1500; i < 1500 + 150 * 75; i++) {
      a += x[i * channels] * sin (step * i + c) * 2 / (150 * 75);
      b += x[i * channels] * cos (step * i + c) * 2 / (150 * 75);
    }
    for (i = 1500; i < 1500 + 150 * 75; i++)
      worst = MAX (worst,
          ABS (x[i * channels] - a * sin (step * i + c)
              - b * cos (step * i + c)));
    fail_unless (ABS (a - 100) < 0.2, "%g of the tone", a);
    fail_unless (ABS (b) < 100 * step, "shifted: %g", b);
    fail_unless (worst < 0.01, "%g of something else", worst);
  }
  samples_clear (&out);
  gst_harness_teardown (h);
}

GST_END_TEST;

static void
run_line (const gchar *line)
{
  GError *error = NULL;
  GstElement *pipeline = gst_parse_launch (line, &error);
  GstMessage *message;
  GstBus *bus;

  fail_unless (error == NULL, "%s: %s", line, error ? error->message : "");
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND,
      GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  fail_unless (message != NULL, "%s: no end", line);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  fail_unless (error == NULL, "%s: %s", line, error ? error->message : "");
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
}

/* Loudspeakers have positions: one channel goes to any, several by a matrix. */
GST_START_TEST (test_positions)
{
  if (!have ("eegsrc") || !have ("audioconvert"))
    return;
  run_line ("eegsrc channels=1 num-samples=500 ! rawtovoltage ! eegtoaudio ! "
            "audioconvert ! audio/x-raw,channels=2,channel-mask=(bitmask)3 ! "
            "fakesink");
  run_line ("eegsrc channels=3 num-samples=500 ! rawtovoltage ! eegtoaudio ! "
            "audioconvert mix-matrix=\"<<(float)1,(float)0,(float)0>,"
            "<(float)0,(float)0.5,(float)0.5>>\" ! "
            "audio/x-raw,channels=2,channel-mask=(bitmask)3 ! fakesink");
}

GST_END_TEST;

/* Into a WAV file and out of it, in every format. */
GST_START_TEST (test_wav)
{
  const gchar *format = gst_eeg_format_to_string (formats[__i__ % N_FORMATS]);
  guint channels = __i__ < (gint) N_FORMATS ? 2 : 5;
  gchar *folder, *wav, *in, *out, *line, *before, *after;
  gsize size_before, size_after;

  if (!have ("eegsrc") || !have ("wavenc") || !have ("wavparse"))
    return;
  folder = g_dir_make_tmp ("eegaudio-XXXXXX", NULL);
  wav = g_build_filename (folder, "wav", NULL);
  in = g_build_filename (folder, "in", NULL);
  out = g_build_filename (folder, "out", NULL);
  line = g_strdup_printf ("eegsrc channels=%u num-samples=1000 ! rawtovoltage "
                          "! %s application/x-eeg-raw,format=%s ! tee name=t "
                          "! queue ! filesink async=false location=%s "
                          "t. ! queue ! eegtoaudio ! wavenc ! filesink "
                          "async=false location=%s",
      channels, format[0] == 'S' ? "voltagetoraw scale=10 !" : "", format, in,
      wav);
  run_line (line);
  g_free (line);
  line = g_strdup_printf ("filesrc location=%s ! wavparse ! audiotoeeg ! "
                          "application/x-eeg-raw,rate=250/1,channels=%u,"
                          "format=%s ! filesink location=%s",
      wav, channels, format, out);
  run_line (line);
  fail_unless (g_file_get_contents (in, &before, &size_before, NULL));
  fail_unless (g_file_get_contents (out, &after, &size_after, NULL));
  fail_unless_equals_int (size_before,
      1000 * channels * gst_eeg_format_get_bytes (formats[__i__ % N_FORMATS]));
  fail_unless_equals_int (size_after, size_before);
  fail_unless (memcmp (before, after, size_before) == 0);
  g_unlink (in);
  g_unlink (out);
  g_unlink (wav);
  g_rmdir (folder);
  g_free (before);
  g_free (after);
  g_free (line);
  g_free (in);
  g_free (out);
  g_free (wav);
  g_free (folder);
}

GST_END_TEST;

static Suite *
eegaudio_suite (void)
{
  Suite *s = suite_create ("eegaudio");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_formats, 0,
      N_FORMATS * G_N_ELEMENTS (channel_counts));
  tcase_add_test (tc, test_split_makes_no_difference);
  tcase_add_loop_test (tc, test_table, 0, G_N_ELEMENTS (cases));
  tcase_add_test (tc, test_scale_is_units_per_count);
  tcase_add_test (tc, test_refused);
  tcase_add_loop_test (tc, test_refused_in_a_pipeline, 0, 4);
  tcase_add_test (tc, test_scale_zero);
  tcase_add_test (tc, test_wrong_channel_table);
  tcase_add_test (tc, test_wishes);
  tcase_add_test (tc, test_other_caps);
  tcase_add_test (tc, test_losses);
  tcase_add_test (tc, test_gap_and_end);
  tcase_add_loop_test (tc, test_contract, 0, 2);
  tcase_add_test (tc, test_audiorate);
  tcase_add_test (tc, test_audioresample);
  tcase_add_test (tc, test_positions);
  tcase_add_loop_test (tc, test_wav, 0, 2 * N_FORMATS);
  return s;
}

GST_CHECK_MAIN (eegaudio);
