/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every build of the kernel computes is tested in convert-kernel. */
#include "eeg-samples.h"

/* One EEG channel whose counts span the whole format, and a Status channel. */
static GstCaps *
make_caps (GstEegFormat format, GstEegDomain domain, guint bits)
{
  gint32 max = (gint32) ((G_GINT64_CONSTANT (1) << (bits - 1)) - 1);
  GstEegChannel rows[2] = {
    { .label = "C3",
        .type = GST_EEG_CHANNEL_TYPE_EEG,
        .unit = "uV",
        .physical_min = -187500.0,
        .physical_max = 187499.97,
        .calibration_text = "a",
        .digital_min = -max - 1,
        .digital_max = max },
    { .label = "Status",
        .type = GST_EEG_CHANNEL_TYPE_TRIGGER,
        .physical_min = -(gdouble) max - 1.0,
        .physical_max = max,
        .digital_min = -max - 1,
        .digital_max = max },
  };
  GstEegChannels *table = gst_eeg_channels_new (rows, 2);
  GstEegInfo info;
  GstCaps *caps;

  gst_eeg_info_init (&info);
  gst_eeg_info_set (&info, format, domain, 1000, 3, 2, table);
  caps = gst_eeg_info_to_caps (&info);
  gst_eeg_info_clear (&info);
  gst_eeg_channels_unref (table);
  return caps;
}

static guint64
get_saturated (GstElement *element)
{
  GstStructure *stats = NULL;
  guint64 saturated = G_MAXUINT64;

  g_object_get (element, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, "saturated", &saturated));
  gst_structure_free (stats);
  return saturated;
}

#define N_COUNTS 65536

static void
check_round_trip (GstEegFormat format, const gchar *voltage)
{
  guint bytes = gst_eeg_format_get_bytes (format);
  gint64 max = (G_GINT64_CONSTANT (1) << (8 * bytes - 1)) - 1;
  gchar *line =
      g_strdup_printf ("rawtovoltage ! "
                       "capsfilter caps=application/x-eeg-raw,format=%s ! "
                       "voltagetoraw name=v ! "
                       "capsfilter caps=application/x-eeg-raw,format=%s",
          voltage, gst_eeg_format_to_string (format));
  GstHarness *h = gst_harness_new_parse (line);
  GstElement *v = gst_bin_get_by_name (GST_BIN (h->element), "v");
  gsize size = (gsize) N_COUNTS * bytes, i;
  guint8 *data = g_malloc (size);
  GRand *rand = g_rand_new_with_seed (1);
  GstBuffer *out;
  guint b;

  for (i = 0; i < N_COUNTS; i++) {
    gint64 count = i < 2 ? max : i < 4 ? -max - 1 : (gint32) g_rand_int (rand);

    for (b = 0; b < bytes; b++)
      data[i * bytes + b] = (guint8) ((guint64) count >> (8 * b));
  }
  gst_harness_set_src_caps (h,
      make_caps (format, GST_EEG_DOMAIN_COUNTS, 8 * bytes));
  out = gst_harness_push_and_pull (h, gst_buffer_new_memdup (data, size));
  fail_unless_equals_uint64 (gst_buffer_get_size (out), size);
  fail_unless (gst_buffer_memcmp (out, 0, data, size) == 0,
      "%s through %s changed", gst_eeg_format_to_string (format), voltage);
  fail_unless_equals_uint64 (get_saturated (v), 0);
  gst_buffer_unref (out);
  g_rand_free (rand);
  g_free (data);
  gst_object_unref (v);
  gst_harness_teardown (h);
  g_free (line);
}

GST_START_TEST (test_round_trip)
{
  check_round_trip (GST_EEG_FORMAT_S16LE, "F32LE");
  check_round_trip (GST_EEG_FORMAT_S24LE, "F32LE");
  check_round_trip (GST_EEG_FORMAT_S16LE, "F64LE");
  check_round_trip (GST_EEG_FORMAT_S24LE, "F64LE");
  check_round_trip (GST_EEG_FORMAT_S32LE, "F64LE");
}

GST_END_TEST;

GST_START_TEST (test_rounding_and_saturation)
{
  static const gfloat values[] = { 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 1.49f,
    32767.0f, -32768.0f, 32768.0f, -40000.0f, INFINITY, -INFINITY, NAN, 7.0f };
  static const gint16 expected[] = { 0, 2, 2, 0, -2, 1, 32767, -32768, 32767,
    -32768, 32767, -32768, 0, 7 };
  GstHarness *h = gst_harness_new ("voltagetoraw");
  GstBuffer *out;

  g_object_set (h->element, "scale", 1.0, NULL);
  gst_harness_set_src_caps (h,
      make_caps (GST_EEG_FORMAT_F32LE, GST_EEG_DOMAIN_VOLTAGE, 16));
  gst_harness_set_sink_caps_str (h, "application/x-eeg-raw, format=S16LE");
  out = gst_harness_push_and_pull (h,
      gst_buffer_new_memdup (values, sizeof values));
  fail_unless (gst_buffer_memcmp (out, 0, expected, sizeof expected) == 0);
  fail_unless_equals_uint64 (get_saturated (h->element), 5);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_works_in_place)
{
  gfloat values[4] = { 1, 2, 3, 4 };
  GstHarness *h = gst_harness_new ("voltagetoraw");
  GstBuffer *buffer, *out;
  GstMemory *memory;

  gst_harness_set_src_caps (h,
      make_caps (GST_EEG_FORMAT_F32LE, GST_EEG_DOMAIN_VOLTAGE, 24));
  buffer = gst_buffer_new_memdup (values, sizeof values);
  memory = gst_buffer_peek_memory (buffer, 0);
  out = gst_harness_push_and_pull (h, buffer);
  fail_unless (gst_buffer_peek_memory (out, 0) == memory);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* 24-bit counts are never squeezed into 16 bits */
GST_START_TEST (test_too_narrow_format)
{
  GstHarness *h = gst_harness_new ("voltagetoraw");
  gfloat values[2] = { 0, 0 };

  gst_harness_set_src_caps (h,
      make_caps (GST_EEG_FORMAT_F32LE, GST_EEG_DOMAIN_VOLTAGE, 24));
  gst_harness_set_sink_caps_str (h, "application/x-eeg-raw, format=S16LE");
  fail_unless_equals_int (gst_harness_push (h,
                              gst_buffer_new_memdup (values, sizeof values)),
      GST_FLOW_NOT_NEGOTIATED);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* unless a scale is given, by which the range may be met, or a part of it */
GST_START_TEST (test_narrow_format_by_scale)
{
  static const struct
  {
    gdouble scale;
    gint32 min, max;
  } parts[] = { { 10.0, -18750, 12501 }, { 0.1, -32768, 32767 },
    { -10.0, -12501, 18750 }, { 1e9, -1, 1 }, { 1e-300, -32768, 32767 } };
  const gdouble scale = parts[__i__].scale;
  const gfloat values[] = { 10 * scale, -32768 * scale, 32767 * scale,
    40000 * scale };
  const gint16 expected[] = { 10, -32768, 32767, 32767 };
  GstEegChannel row = { .label = "C3",
    .type = GST_EEG_CHANNEL_TYPE_EEG,
    .unit = "uV",
    .physical_min = -187500.0,
    .physical_max = 125000.01,
    .digital_min = -8388608,
    .digital_max = 8388607 };
  GstHarness *h = gst_harness_new ("voltagetoraw");
  const GstEegChannel *channel;
  GstEegInfo info;
  GstBuffer *out;
  GstCaps *caps;

  g_object_set (h->element, "scale", scale, NULL);
  gst_harness_set_src_caps (h,
      samples_caps (GST_EEG_FORMAT_F32LE, 250, 1, 1,
          gst_eeg_channels_new (&row, 1)));
  gst_harness_set_sink_caps_str (h, "application/x-eeg-raw, format=S16LE");
  out = gst_harness_push_and_pull (h,
      gst_buffer_new_memdup (values, sizeof values));
  fail_unless_equals_int (gst_buffer_get_size (out), sizeof expected);
  if (scale > 1e-9) {
    fail_unless (gst_buffer_memcmp (out, 0, expected, sizeof expected) == 0);
    fail_unless_equals_uint64 (get_saturated (h->element), 1);
  }
  gst_buffer_unref (out);
  caps = gst_pad_get_current_caps (h->sinkpad);
  gst_eeg_info_init (&info);
  fail_unless (gst_eeg_info_from_caps (&info, caps));
  channel = gst_eeg_channels_get (info.channel_table, 0);
  fail_unless_equals_int (channel->digital_min, parts[__i__].min);
  fail_unless_equals_int (channel->digital_max, parts[__i__].max);
  fail_unless (channel->physical_min == scale * parts[__i__].min);
  fail_unless (channel->physical_max == scale * parts[__i__].max);
  gst_eeg_info_clear (&info);
  gst_caps_unref (caps);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* ---- any number of channels, any split ---- */

static const struct
{
  GstEegFormat in, out;
  guint channels, n;
} shapes[] = {
  { GST_EEG_FORMAT_F32LE, GST_EEG_FORMAT_S16LE, 1, 5000 },
  { GST_EEG_FORMAT_F32LE, GST_EEG_FORMAT_S24LE, 1, 5000 },
  { GST_EEG_FORMAT_F64LE, GST_EEG_FORMAT_S32LE, 1, 5000 },
  { GST_EEG_FORMAT_F32LE, GST_EEG_FORMAT_S32LE, 9, 1000 },
  { GST_EEG_FORMAT_F64LE, GST_EEG_FORMAT_S24LE, 9, 1000 },
  { GST_EEG_FORMAT_F32LE, GST_EEG_FORMAT_S32LE, 4096, 40 },
  { GST_EEG_FORMAT_F32LE, GST_EEG_FORMAT_S16LE, 4096, 40 },
  { GST_EEG_FORMAT_F64LE, GST_EEG_FORMAT_S16LE, 4096, 40 },
};

static GstHarness *
make_harness (guint shape)
{
  GstHarness *h = gst_harness_new ("voltagetoraw");
  gchar *caps = g_strdup_printf ("application/x-eeg-raw, format=%s",
      gst_eeg_format_to_string (shapes[shape].out));

  gst_harness_set_src_caps (h,
      samples_caps (shapes[shape].in, 500, 3, shapes[shape].channels,
          samples_table (shapes[shape].channels, NULL)));
  gst_harness_set_sink_caps_str (h, caps);
  g_free (caps);
  return h;
}

/* The table's gain is 2000 / 65535, its offset what makes -1000 of -32768;
 * channels without signal are no exception. */
static gint32
expected_count (guint64 index, guint channel, guint bits)
{
  gdouble gain = 2000.0 / 65535, offset = -1000.0 - gain * -32768;
  gdouble limit = ldexp (1.0, (gint) bits - 1);
  gdouble count = nearbyint ((samples_at (index, channel) - offset) / gain);

  return (gint32) CLAMP (count, -limit, limit - 1);
}

GST_START_TEST (test_split_makes_no_difference)
{
  const guint channels = shapes[__i__].channels, n = shapes[__i__].n;
  const GstEegFormat in = shapes[__i__].in, out = shapes[__i__].out;
  const guint bytes = gst_eeg_format_get_bytes (out);
  GstHarness *h = make_harness (__i__);
  Samples whole, parts;
  guint i, c;

  samples_init (&whole);
  samples_push (h, &whole, in, channels, 77, n, n);
  fail_unless_equals_int (whole.bytes->len, n * channels * bytes);
  fail_unless_equals_uint64 (whole.first, 77);
  for (i = 0; i < n; i++)
    for (c = 0; c < channels; c++) {
      guint8 expected[8];

      samples_write (expected, out, expected_count (77 + i, c, 8 * bytes));
      if (memcmp (whole.bytes->data + (i * channels + c) * bytes, expected,
              bytes)
          != 0)
        g_error ("sample %u of channel %u", i, c);
    }
  gst_harness_teardown (h);

  h = make_harness (__i__);
  samples_init (&parts);
  samples_push (h, &parts, in, channels, 77, n, 0);
  fail_unless_equals_int (parts.bytes->len, whole.bytes->len);
  fail_unless (
      memcmp (parts.bytes->data, whole.bytes->data, whole.bytes->len) == 0);
  fail_unless_equals_int (parts.disconts, 1);
  gst_harness_teardown (h);
  samples_clear (&whole);
  samples_clear (&parts);
}

GST_END_TEST;

GST_START_TEST (test_many_channels_come_back)
{
  static const gchar *const voltages[] = { "F32LE", "F64LE" };
  static const guint channels[] = { 1, 4096 };
  gchar *line = g_strdup_printf ("rawtovoltage ! "
                                 "application/x-eeg-raw,format=%s ! "
                                 "voltagetoraw ! capsfilter "
                                 "caps=application/x-eeg-raw,format=S24LE",
      voltages[__i__ % 2]);
  GstHarness *h = gst_harness_new_parse (line);
  guint n = channels[__i__ / 2];
  GstBuffer *buffer = samples_buffer (GST_EEG_FORMAT_S24LE, n, 0, 20), *out;
  GstMapInfo map;

  gst_harness_set_src_caps (h,
      samples_caps (GST_EEG_FORMAT_S24LE, 25, 2, n, samples_table (n, NULL)));
  out = gst_harness_push_and_pull (h, gst_buffer_ref (buffer));
  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  fail_unless_equals_int (gst_buffer_get_size (out), map.size);
  fail_unless (gst_buffer_memcmp (out, 0, map.data, map.size) == 0);
  gst_buffer_unmap (buffer, &map);
  gst_buffer_unref (out);
  gst_buffer_unref (buffer);
  gst_harness_teardown (h);
  g_free (line);
}

GST_END_TEST;

/* ---- what may happen in a stream ---- */

static gint32
push_one (GstHarness *h, gfloat value, guint64 index)
{
  gfloat values[2] = { value, value };
  GstBuffer *buffer = gst_buffer_new_memdup (values, sizeof values);
  gint32 counts[2];

  GST_BUFFER_OFFSET (buffer) = index;
  buffer = gst_harness_push_and_pull (h, buffer);
  fail_unless_equals_int (gst_buffer_get_size (buffer), sizeof counts);
  gst_buffer_extract (buffer, 0, counts, sizeof counts);
  fail_unless_equals_int (counts[1], (gint32) value);
  gst_buffer_unref (buffer);
  return counts[0];
}

GST_START_TEST (test_scale_is_hot)
{
  GstHarness *h = gst_harness_new ("voltagetoraw");

  gst_harness_set_src_caps (h,
      make_caps (GST_EEG_FORMAT_F32LE, GST_EEG_DOMAIN_VOLTAGE, 24));
  fail_unless_equals_int (push_one (h, 300, 0), 13422);
  g_object_set (h->element, "scale", 0.5, NULL);
  fail_unless_equals_int (push_one (h, 300, 1), 600);
  g_object_set (h->element, "scale", -2.0, NULL);
  fail_unless_equals_int (push_one (h, 300, 2), -150);
  /* so small that nothing fits */
  g_object_set (h->element, "scale", 1e-300, NULL);
  fail_unless_equals_int (push_one (h, 300, 3), G_MAXINT32);
  fail_unless_equals_uint64 (get_saturated (h->element), 1);
  g_object_set (h->element, "scale", 0.0, NULL);
  fail_unless_equals_int (push_one (h, 300, 4), 13422);
  gst_harness_teardown (h);
}

GST_END_TEST;

static gint stop; /* atomic */

/* Limits of both channels in the caps that come out, as text */
static void
check_limits (GstHarness *h, const gchar *expected)
{
  GstCaps *caps = gst_pad_get_current_caps (h->sinkpad);
  const GstEegChannel *signal, *trigger;
  GstEegInfo info;
  gchar *text;

  gst_eeg_info_init (&info);
  fail_unless (gst_eeg_info_from_caps (&info, caps));
  signal = gst_eeg_channels_get (info.channel_table, 0);
  trigger = gst_eeg_channels_get (info.channel_table, 1);
  text = g_strdup_printf ("%g %g, %d %d '%s', %g %g", signal->physical_min,
      signal->physical_max, signal->digital_min, signal->digital_max,
      signal->calibration_text, trigger->physical_min, trigger->physical_max);
  fail_unless_equals_string (text, expected);
  g_free (text);
  gst_eeg_info_clear (&info);
  gst_caps_unref (caps);
}

/* The table that goes on is about the counts that go on. */
GST_START_TEST (test_scale_is_in_the_table)
{
  static const gchar *const lines[] = { "voltagetoraw name=v",
    "voltagetoraw name=v ! rawtovoltage ! voltagetoraw" };
  GstHarness *h = gst_harness_new_parse (lines[__i__]);
  GstElement *v = gst_bin_get_by_name (GST_BIN (h->element), "v");

  gst_harness_set_src_caps (h,
      make_caps (GST_EEG_FORMAT_F32LE, GST_EEG_DOMAIN_VOLTAGE, 16));
  fail_unless_equals_int (push_one (h, 3000, 0), 524);
  check_limits (h, "-187500 187500, -32768 32767 'a', -32768 32767");
  g_object_set (v, "scale", 0.5, NULL);
  fail_unless_equals_int (push_one (h, 3000, 1), 6000);
  check_limits (h, "-187500 187500, -375000 375000 '', -32768 32767");
  g_object_set (v, "scale", -2.0, NULL);
  fail_unless_equals_int (push_one (h, 3000, 2), -1500);
  check_limits (h, "187500 -187500, -93750 93750 '', -32768 32767");
  g_object_set (v, "scale", 0.0, NULL);
  fail_unless_equals_int (push_one (h, 3000, 3), 524);
  check_limits (h, "-187500 187500, -32768 32767 'a', -32768 32767");
  gst_object_unref (v);
  gst_harness_teardown (h);
}

GST_END_TEST;

static gpointer
change_scale (gpointer data)
{
  GstHarness *h = data;
  guint i;

  for (i = 0; !g_atomic_int_get (&stop); i++)
    g_object_set (h->element, "scale", i % 2 == 0 ? 0.5 : 2.0, NULL);
  return NULL;
}

/* Whenever it changes, counts and table belong together. */
GST_START_TEST (test_scale_from_another_thread)
{
  GstHarness *h = gst_harness_new ("voltagetoraw");
  GThread *thread;
  guint i;

  g_object_set (h->element, "scale", 2.0, NULL);
  gst_harness_set_src_caps (h,
      make_caps (GST_EEG_FORMAT_F32LE, GST_EEG_DOMAIN_VOLTAGE, 16));
  g_atomic_int_set (&stop, FALSE);
  thread = g_thread_new ("change", change_scale, h);
  for (i = 0; i < 500; i++) {
    gint32 count = push_one (h, 3000, i);

    if (count == 1500)
      check_limits (h, "-187500 187500, -93750 93750 '', -32768 32767");
    else if (count == 6000)
      check_limits (h, "-187500 187500, -375000 375000 '', -32768 32767");
    else
      fail ("count %d", count);
  }
  g_atomic_int_set (&stop, TRUE);
  g_thread_join (thread);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_scale_without_table)
{
  GstHarness *h = gst_harness_new ("voltagetoraw");
  GstBus *bus = gst_bus_new ();
  gfloat value = 10;
  gdouble scale;
  gint32 count;
  guint i;

  g_object_set (h->element, "scale", 0.25, NULL);
  gst_element_set_bus (h->element, bus);
  gst_harness_set_src_caps (h,
      samples_caps (GST_EEG_FORMAT_F32LE, 250, 1, 1, NULL));
  for (i = 0; i < 3; i++) {
    GstBuffer *out = gst_harness_push_and_pull (h,
        gst_buffer_new_memdup (&value, sizeof value));

    gst_buffer_extract (out, 0, &count, sizeof count);
    fail_unless_equals_int (count, 40);
    gst_buffer_unref (out);
    /* nothing to fall back on: refused when it would take effect */
    if (i == 1)
      samples_check_message (bus, GST_MESSAGE_WARNING, GST_LIBRARY_ERROR,
          GST_LIBRARY_ERROR_SETTINGS);
    else
      fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING) == NULL);
    g_object_get (h->element, "scale", &scale, NULL);
    fail_unless (scale == 0.25);
    if (i == 0)
      g_object_set (h->element, "scale", 0.0, NULL);
  }

  /* with caps that have a table there is */
  g_object_set (h->element, "scale", 0.0, NULL);
  gst_harness_set_src_caps (h,
      make_caps (GST_EEG_FORMAT_F32LE, GST_EEG_DOMAIN_VOLTAGE, 24));
  fail_unless_equals_int (push_one (h, 300, 3), 13422);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING) == NULL);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_gap_flush_end)
{
  GstHarness *h = gst_harness_new ("voltagetoraw");
  gfloat values[4] = { 1, 2, 3, 4 };
  GstBuffer *buffer;
  GstSegment segment;
  GstEvent *event;
  guint i;

  gst_harness_set_src_caps (h,
      make_caps (GST_EEG_FORMAT_F32LE, GST_EEG_DOMAIN_VOLTAGE, 24));

  /* flag and markers stay on their buffer */
  buffer = gst_buffer_new_memdup (values, sizeof values);
  GST_BUFFER_OFFSET (buffer) = 1000;
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_GAP);
  gst_buffer_add_eeg_marker_meta (buffer, 7, 8, "blink");
  buffer = gst_harness_push_and_pull (h, buffer);
  fail_unless (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP));
  fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), 3 * GST_SECOND);
  fail_unless_equals_uint64 (GST_BUFFER_DURATION (buffer), 6 * GST_MSECOND);
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET_END (buffer), 1002);
  fail_unless_equals_int (gst_buffer_get_n_meta (buffer,
                              GST_EEG_MARKER_META_API_TYPE),
      1);
  gst_buffer_unref (buffer);

  /* a gap keeps its place; a jump of the offset is a loss */
  fail_unless (gst_harness_push_event (h,
      gst_event_new_gap (3006 * GST_MSECOND, GST_SECOND)));
  buffer = gst_buffer_new_memdup (values, sizeof values);
  GST_BUFFER_OFFSET (buffer) = 1500;
  buffer = gst_harness_push_and_pull (h, buffer);
  fail_unless (GST_BUFFER_IS_DISCONT (buffer));
  fail_if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP));
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), 1500);
  gst_buffer_unref (buffer);
  for (i = 0; (event = gst_harness_try_pull_event (h)) != NULL;
       gst_event_unref (event))
    i += GST_EVENT_TYPE (event) == GST_EVENT_GAP;
  fail_unless_equals_int (i, 1);

  /* nothing of before the flush */
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = segment.time = 100 * GST_SECOND;
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  fail_unless_equals_int (gst_harness_buffers_in_queue (h), 0);
  buffer = gst_buffer_new_memdup (values, sizeof values);
  GST_BUFFER_PTS (buffer) = 102 * GST_SECOND;
  buffer = gst_harness_push_and_pull (h, buffer);
  fail_unless (GST_BUFFER_IS_DISCONT (buffer));
  fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), 102 * GST_SECOND);
  gst_buffer_unref (buffer);

  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  fail_unless_equals_int (gst_harness_buffers_in_queue (h), 0);
  for (i = 0; (event = gst_harness_try_pull_event (h)) != NULL;
       gst_event_unref (event))
    i += GST_EVENT_TYPE (event) == GST_EVENT_EOS;
  fail_unless_equals_int (i, 1);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* Another table in the middle: the next buffer is by it. */
GST_START_TEST (test_other_caps)
{
  GstHarness *h = gst_harness_new ("voltagetoraw");
  GstCaps *caps, *table;

  gst_harness_set_src_caps (h,
      make_caps (GST_EEG_FORMAT_F32LE, GST_EEG_DOMAIN_VOLTAGE, 24));
  fail_unless_equals_int (push_one (h, 300, 0), 13422);
  gst_harness_set_src_caps (h,
      make_caps (GST_EEG_FORMAT_F32LE, GST_EEG_DOMAIN_VOLTAGE, 16));
  fail_unless_equals_int (push_one (h, 300, 1), 52);
  caps = gst_pad_get_current_caps (h->sinkpad);
  table = make_caps (GST_EEG_FORMAT_S32LE, GST_EEG_DOMAIN_COUNTS, 16);
  if (!gst_caps_is_equal (caps, table))
    fail ("%s", gst_caps_to_string (caps));
  gst_caps_unref (caps);
  gst_caps_unref (table);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_shared_input_stays)
{
  GstHarness *h = gst_harness_new ("voltagetoraw");
  gfloat values[4] = { 1, 2, 3, 4 };
  GstBuffer *buffer = gst_buffer_new_memdup (values, sizeof values), *out;

  gst_harness_set_src_caps (h,
      make_caps (GST_EEG_FORMAT_F32LE, GST_EEG_DOMAIN_VOLTAGE, 24));
  out = gst_harness_push_and_pull (h, gst_buffer_ref (buffer));
  fail_unless (gst_buffer_memcmp (buffer, 0, values, sizeof values) == 0);
  gst_buffer_unref (out);
  gst_buffer_unref (buffer);
  gst_harness_teardown (h);
}

GST_END_TEST;

static void
check_error (GstCaps *caps, gsize size, GQuark domain, gint code)
{
  GstHarness *h = gst_harness_new ("voltagetoraw");
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (h->element, bus);
  gst_harness_set_src_caps (h, caps);
  fail_if (gst_harness_push (h, gst_buffer_new_allocate (NULL, size, NULL))
      == GST_FLOW_OK);
  samples_check_message (bus, GST_MESSAGE_ERROR, domain, code);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

GST_START_TEST (test_errors)
{
  GstEegChannel flat = { .label = "C3", .digital_min = 1, .digital_max = 1 };

  check_error (samples_caps (GST_EEG_FORMAT_F32LE, 250, 1, 1, NULL), 4,
      GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION);
  check_error (samples_caps (GST_EEG_FORMAT_F32LE, 250, 1, 1,
                   gst_eeg_channels_new (&flat, 1)),
      4, GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION);
  check_error (samples_caps (GST_EEG_FORMAT_F32LE, 250, 1, 2,
                   samples_table (2, NULL)),
      12, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT);
}

GST_END_TEST;

GST_START_TEST (test_contract)
{
  GstHarness *h = gst_harness_new ("voltagetoraw");
  GstEegStage *stage = GST_EEG_STAGE (h->element);
  GstEegEstimate estimate;
  gint round;

  gst_harness_set_upstream_latency (h, GST_MSECOND);
  for (round = 0; round < 3; round++) {
    gst_harness_set_src_caps (h,
        make_caps (GST_EEG_FORMAT_F32LE, GST_EEG_DOMAIN_VOLTAGE, 24));
    fail_unless_equals_int (push_one (h, 300, 0), 13422);
    fail_unless_equals_uint64 (get_saturated (h->element), 0);
    g_object_set (h->element, "scale", 1e-9, NULL);
    fail_unless_equals_int (push_one (h, -300, 1), G_MININT32);
    g_object_set (h->element, "scale", 0.0, NULL);
    fail_unless_equals_uint64 (get_saturated (h->element), 1);
    fail_unless (gst_eeg_stage_estimate (stage, 800, &estimate));
    fail_unless_equals_uint64 (estimate.output_bytes, 800);
    fail_unless (estimate.memory_bytes >= 2 * 2 * sizeof (gdouble));
    fail_unless_equals_int (estimate.threads, 0);
    fail_unless_equals_uint64 (gst_harness_query_latency (h), GST_MSECOND);
    gst_element_set_state (h->element,
        round == 1 ? GST_STATE_NULL : GST_STATE_READY);
    gst_element_set_state (h->element, GST_STATE_PLAYING);
  }
  fail_unless_equals_int (gst_eeg_stage_get_kind (stage),
      GST_EEG_STAGE_KIND_TRANSFORM);
  fail_unless (gst_eeg_stage_can_save_state (stage));
  fail_unless_equals_uint64 (gst_eeg_stage_look_back (stage), 0);
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
voltagetoraw_suite (void)
{
  Suite *s = suite_create ("voltagetoraw");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_round_trip);
  tcase_add_test (tc, test_rounding_and_saturation);
  tcase_add_test (tc, test_works_in_place);
  tcase_add_test (tc, test_too_narrow_format);
  tcase_add_loop_test (tc, test_narrow_format_by_scale, 0, 5);
  tcase_add_loop_test (tc, test_split_makes_no_difference, 0,
      G_N_ELEMENTS (shapes));
  tcase_add_loop_test (tc, test_many_channels_come_back, 0, 4);
  tcase_add_test (tc, test_scale_is_hot);
  tcase_add_loop_test (tc, test_scale_is_in_the_table, 0, 2);
  tcase_add_test (tc, test_scale_from_another_thread);
  tcase_add_test (tc, test_scale_without_table);
  tcase_add_test (tc, test_gap_flush_end);
  tcase_add_test (tc, test_other_caps);
  tcase_add_test (tc, test_shared_input_stays);
  tcase_add_test (tc, test_errors);
  tcase_add_test (tc, test_contract);
  return s;
}

GST_CHECK_MAIN (voltagetoraw);
