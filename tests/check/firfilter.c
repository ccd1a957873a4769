/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/eeg/eeg.h>

#include <math.h>
#include <string.h>

#define RATE 250
#define CHANNELS 4

/* C3, a trigger, VEOG and a channel in degrees: the first and the third are
 * filtered */
static GstEegChannels *
make_table (void)
{
  const GstEegChannel rows[CHANNELS] = {
    { .label = "C3", .type = GST_EEG_CHANNEL_TYPE_EEG, .unit = "uV" },
    { .label = "Status", .type = GST_EEG_CHANNEL_TYPE_TRIGGER },
    { .label = "VEOG", .type = GST_EEG_CHANNEL_TYPE_EOG, .unit = "uV" },
    { .label = "Temp", .type = GST_EEG_CHANNEL_TYPE_UNKNOWN, .unit = "degC" },
  };

  return gst_eeg_channels_new (rows, CHANNELS);
}

static GstCaps *
make_caps (GstEegFormat format, gint rate, gint channels, GstEegChannels *table)
{
  GstEegInfo info;
  GstCaps *caps;

  gst_eeg_info_init (&info);
  gst_eeg_info_set (&info, format, GST_EEG_DOMAIN_VOLTAGE, rate, 1, channels,
      table);
  caps = gst_eeg_info_to_caps (&info);
  gst_eeg_info_clear (&info);
  return caps;
}

static GstCaps *
plain_caps (GstEegFormat format)
{
  return make_caps (format, RATE, 1, NULL);
}

/* A deterministic signal. */
static gdouble
signal_at (guint64 sample, guint channel)
{
  guint64 noise = (sample * CHANNELS + channel + 1) * 6364136223846793005ull;

  return (gfloat) (20 * sin (sample * 0.2 + channel) + 300
      + (gdouble) (noise >> 40) / (1 << 22));
}

static GstBuffer *
make_buffer (GstEegFormat format, guint channels, guint64 first, guint n)
{
  gsize size = gst_eeg_format_get_bytes (format);
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, n * channels * size, NULL);
  GstMapInfo map;
  guint i, c;

  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
  for (i = 0; i < n; i++)
    for (c = 0; c < channels; c++)
      if (format == GST_EEG_FORMAT_F32LE)
        ((gfloat *) map.data)[i * channels + c] = signal_at (first + i, c);
      else
        ((gdouble *) map.data)[i * channels + c] = signal_at (first + i, c);
  gst_buffer_unmap (buffer, &map);
  GST_BUFFER_OFFSET (buffer) = first;
  GST_BUFFER_OFFSET_END (buffer) = first + n;
  GST_BUFFER_PTS (buffer) = gst_util_uint64_scale (first, GST_SECOND, RATE);
  GST_BUFFER_DURATION (buffer) =
      gst_util_uint64_scale (first + n, GST_SECOND, RATE)
      - GST_BUFFER_PTS (buffer);
  return buffer;
}

/* What came out: samples as doubles, and that the stamps follow each other. */
typedef struct
{
  GArray *values;
  guint channels;
  guint64 first, next; /* offsets */
  guint buffers, discont;
} Output;

static void
output_init (Output *out, guint channels)
{
  memset (out, 0, sizeof *out);
  out->values = g_array_new (FALSE, FALSE, sizeof (gdouble));
  out->channels = channels;
  out->first = GST_BUFFER_OFFSET_NONE;
}

static void
output_clear (Output *out)
{
  g_array_unref (out->values);
}

/* transfer full */
static void
output_add (Output *out, GstBuffer *buffer, GstEegFormat format)
{
  GstMapInfo map;
  gsize i, n, frames;

  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  n = map.size / gst_eeg_format_get_bytes (format);
  frames = n / out->channels;
  if (out->first == GST_BUFFER_OFFSET_NONE || GST_BUFFER_IS_DISCONT (buffer)) {
    out->discont += GST_BUFFER_IS_DISCONT (buffer);
    if (out->first == GST_BUFFER_OFFSET_NONE)
      out->first = GST_BUFFER_OFFSET (buffer);
  } else {
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), out->next);
  }
  out->next = GST_BUFFER_OFFSET_END (buffer);
  fail_unless_equals_uint64 (out->next - GST_BUFFER_OFFSET (buffer), frames);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer),
      gst_util_uint64_scale (GST_BUFFER_OFFSET (buffer), GST_SECOND, RATE));
  fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer)
          + GST_BUFFER_DURATION (buffer),
      gst_util_uint64_scale (out->next, GST_SECOND, RATE));
  for (i = 0; i < n; i++) {
    gdouble v = format == GST_EEG_FORMAT_F32LE ? ((gfloat *) map.data)[i]
                                               : ((gdouble *) map.data)[i];

    g_array_append_val (out->values, v);
  }
  gst_buffer_unmap (buffer, &map);
  gst_buffer_unref (buffer);
  out->buffers++;
}

static void
output_pull (Output *out, GstHarness *h, GstEegFormat format)
{
  GstBuffer *buffer;

  while ((buffer = gst_harness_try_pull (h)) != NULL)
    output_add (out, buffer, format);
}

static gdouble
output_at (const Output *out, guint64 sample, guint channel)
{
  return g_array_index (out->values, gdouble,
      (sample - out->first) * out->channels + channel);
}

static GArray *
get_taps (GstElement *element, const gchar *property)
{
  GArray *taps = g_array_new (FALSE, FALSE, sizeof (gdouble));
  GValue value = G_VALUE_INIT;
  guint i;

  g_object_get_property (G_OBJECT (element), property, &value);
  for (i = 0; i < gst_value_array_get_size (&value); i++) {
    gdouble tap = g_value_get_double (gst_value_array_get_value (&value, i));

    g_array_append_val (taps, tap);
  }
  g_value_unset (&value);
  return taps;
}

/* Sample `sample` of a run from `first` to `last`, edges held. */
static gdouble
expected_at (GArray *taps, guint64 first, guint64 last, guint64 sample,
    guint channel)
{
  long double sum = 0;
  gint64 delay = (taps->len - 1) / 2;
  guint k;

  for (k = 0; k < taps->len; k++) {
    gint64 index = (gint64) sample + delay - (gint64) k;

    index = CLAMP (index, (gint64) first, (gint64) last);
    sum += g_array_index (taps, gdouble, k) * signal_at (index, channel);
  }
  return sum;
}

static void
check_run (const Output *out, GArray *taps, guint64 first, guint64 last,
    gdouble limit)
{
  guint64 i;
  guint c;

  for (i = first; i <= last; i++)
    for (c = 0; c < out->channels; c++) {
      gdouble got = output_at (out, i, c), expected;

      if (out->channels == CHANNELS && c % 2 == 1)
        expected = signal_at (i, c);
      else
        expected = expected_at (taps, first, last, i, c);
      fail_unless (fabs (got - expected) <= limit,
          "sample %" G_GUINT64_FORMAT " channel %u: %.17g instead of %.17g", i,
          c, got, expected);
    }
}

static GstHarness *
harness (const gchar *line)
{
  GstHarness *h = gst_harness_new_parse (line);

  fail_unless (h != NULL);
  return h;
}

static GstElement *
find_filter (GstHarness *h)
{
  GstElement *element = gst_harness_find_element (h, "firfilter");

  fail_unless (element != NULL);
  gst_object_unref (element); /* the harness keeps it */
  return element;
}

/* As many samples out as in, at their time, for all splits. */
static void
check_formats (GstEegFormat format, guint buffer_size)
{
  const guint n = 1000;
  GstHarness *h = harness ("firfilter mode=band-pass low=2 high=30 taps=101");
  GstEegChannels *table = make_table ();
  GArray *taps;
  Output out;
  guint64 i;

  output_init (&out, CHANNELS);
  gst_harness_set_src_caps (h, make_caps (format, RATE, CHANNELS, table));
  gst_eeg_channels_unref (table);
  taps = get_taps (find_filter (h), "kernel");
  fail_unless_equals_int (taps->len, 101);
  for (i = 0; i < n; i += buffer_size) {
    guint frames = MIN (n - i, buffer_size);

    fail_unless_equals_int (gst_harness_push (h,
                                make_buffer (format, CHANNELS, i, frames)),
        GST_FLOW_OK);
    output_pull (&out, h, format);
    /* sample n leaves with sample n + 50 */
    fail_unless_equals_int (out.values->len / CHANNELS,
        i + frames > 50 ? i + frames - 50 : 0);
  }
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  output_pull (&out, h, format);
  fail_unless_equals_int (out.values->len, n * CHANNELS);
  fail_unless_equals_uint64 (out.first, 0);
  check_run (&out, taps, 0, n - 1,
      format == GST_EEG_FORMAT_F32LE ? 1e-4 : 1e-10);

  g_array_unref (taps);
  output_clear (&out);
  gst_harness_teardown (h);
}

GST_START_TEST (test_samples)
{
  static const guint sizes[] = { 1, 7, 64, 50, 1000 };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (sizes); i++) {
    check_formats (GST_EEG_FORMAT_F32LE, sizes[i]);
    check_formats (GST_EEG_FORMAT_F64LE, sizes[i]);
  }
}
GST_END_TEST;

/* The memory that went in comes out once the delay is filled. */
GST_START_TEST (test_in_place)
{
  GstHarness *h = harness ("firfilter mode=low-pass high=30 taps=31");
  guint i;

  gst_harness_set_src_caps (h, plain_caps (GST_EEG_FORMAT_F32LE));
  for (i = 0; i < 10; i++) {
    GstBuffer *buffer = make_buffer (GST_EEG_FORMAT_F32LE, 1, i * 20, 20);
    GstBuffer *in = buffer;
    GstMemory *memory = gst_buffer_peek_memory (buffer, 0);

    gst_harness_push (h, buffer);
    buffer = gst_harness_try_pull (h);
    fail_unless_equals_int (gst_buffer_get_size (buffer), i == 0 ? 20 : 80);
    fail_unless (buffer == in);
    fail_unless (gst_buffer_peek_memory (buffer, 0) == memory);
    gst_buffer_unref (buffer);
  }

  /* input that others see is left as it is */
  for (i = 10; i < 15; i++) {
    GstBuffer *in = make_buffer (GST_EEG_FORMAT_F32LE, 1, i * 20, 20);
    GstBuffer *same = make_buffer (GST_EEG_FORMAT_F32LE, 1, i * 20, 20);
    GstBuffer *buffer;
    GstMapInfo map;

    gst_harness_push (h, gst_buffer_ref (in));
    buffer = gst_harness_pull (h);
    fail_if (buffer == in);
    gst_buffer_map (same, &map, GST_MAP_READ);
    gst_check_buffer_data (in, map.data, map.size);
    gst_buffer_unmap (same, &map);
    gst_buffer_unref (in);
    gst_buffer_unref (same);
    gst_buffer_unref (buffer);
  }
  gst_harness_teardown (h);
}
GST_END_TEST;

/* A jump of the offset, a DISCONT, a gap event: what is held comes first. */
GST_START_TEST (test_jumps)
{
  gint how;

  for (how = 0; how < 3; how++) {
    GstHarness *h = harness ("firfilter mode=low-pass high=30 taps=31");
    guint64 resumed = how == 1 ? 100 : 500;
    GstBuffer *buffer;
    GArray *taps;
    Output a, b;

    output_init (&a, 1);
    output_init (&b, 1);
    gst_harness_set_src_caps (h, plain_caps (GST_EEG_FORMAT_F64LE));
    taps = get_taps (find_filter (h), "kernel");
    gst_harness_push (h, make_buffer (GST_EEG_FORMAT_F64LE, 1, 0, 100));
    output_pull (&a, h, GST_EEG_FORMAT_F64LE);
    fail_unless_equals_int (a.values->len, 85);
    if (how == 2) {
      gst_harness_push_event (h,
          gst_event_new_gap (100 * GST_SECOND / RATE, GST_SECOND));
      output_pull (&a, h, GST_EEG_FORMAT_F64LE);
      fail_unless_equals_int (a.values->len, 100);
    }
    buffer = make_buffer (GST_EEG_FORMAT_F64LE, 1, resumed, 100);
    if (how == 1)
      GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
    gst_harness_push (h, buffer);
    if (how < 2)
      output_add (&a, gst_harness_pull (h), GST_EEG_FORMAT_F64LE);
    fail_unless_equals_int (a.values->len, 100);
    check_run (&a, taps, 0, 99, 1e-10);

    buffer = gst_harness_pull (h);
    fail_unless (GST_BUFFER_IS_DISCONT (buffer));
    output_add (&b, buffer, GST_EEG_FORMAT_F64LE);
    gst_harness_push_event (h, gst_event_new_eos ());
    output_pull (&b, h, GST_EEG_FORMAT_F64LE);
    fail_unless_equals_uint64 (b.first, resumed);
    fail_unless_equals_int (b.values->len, 100);
    check_run (&b, taps, resumed, resumed + 99, 1e-10);

    g_array_unref (taps);
    output_clear (&a);
    output_clear (&b);
    gst_harness_teardown (h);
  }
}
GST_END_TEST;

/* Nothing from before a flush comes out after it. */
GST_START_TEST (test_flush)
{
  GstHarness *h = harness ("firfilter mode=low-pass high=30 taps=101");
  GstBuffer *buffer;
  GstSegment segment;
  GArray *taps;
  Output out;

  output_init (&out, 1);
  gst_harness_set_src_caps (h, plain_caps (GST_EEG_FORMAT_F64LE));
  taps = get_taps (find_filter (h), "kernel");
  gst_harness_push (h, make_buffer (GST_EEG_FORMAT_F64LE, 1, 0, 40));
  fail_unless_equals_int (gst_harness_buffers_in_queue (h), 0);
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = segment.time = segment.position = 4 * GST_SECOND;
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  fail_unless_equals_int (gst_harness_buffers_in_queue (h), 0);
  buffer = make_buffer (GST_EEG_FORMAT_F64LE, 1, 1000, 200);
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  gst_harness_push (h, buffer);
  gst_harness_push_event (h, gst_event_new_eos ());
  output_pull (&out, h, GST_EEG_FORMAT_F64LE);
  fail_unless_equals_uint64 (out.first, 1000);
  fail_unless_equals_int (out.values->len, 200);
  check_run (&out, taps, 1000, 1199, 1e-10);
  g_array_unref (taps);
  output_clear (&out);
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (test_ends)
{
  GstHarness *h = harness ("firfilter mode=low-pass high=30 taps=101");
  GstEvent *event;
  Output out;

  /* no data */
  gst_harness_set_src_caps (h, plain_caps (GST_EEG_FORMAT_F64LE));
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  fail_unless_equals_int (gst_harness_buffers_in_queue (h), 0);
  gst_harness_teardown (h);

  /* no caps */
  h = harness ("firfilter");
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  gst_harness_teardown (h);

  /* less than the delay, and eeg-complete behind the last sample */
  h = harness ("firfilter mode=low-pass high=30 taps=101");
  output_init (&out, 1);
  gst_harness_set_src_caps (h, plain_caps (GST_EEG_FORMAT_F64LE));
  gst_harness_push (h, make_buffer (GST_EEG_FORMAT_F64LE, 1, 0, 7));
  gst_harness_push_event (h, gst_eeg_event_new_complete (7));
  output_pull (&out, h, GST_EEG_FORMAT_F64LE);
  fail_unless_equals_int (out.values->len, 7);
  while ((event = gst_harness_try_pull_event (h)) != NULL) {
    gboolean complete = gst_eeg_event_parse_complete (event, NULL);

    gst_event_unref (event);
    if (complete)
      break;
  }
  fail_unless (event != NULL);
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless_equals_int (gst_harness_buffers_in_queue (h), 0);
  output_clear (&out);
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (test_caps_change)
{
  GstHarness *h = harness ("firfilter mode=low-pass high=30 taps=31");
  GArray *taps;
  Output out;

  output_init (&out, 1);
  gst_harness_set_src_caps (h, plain_caps (GST_EEG_FORMAT_F64LE));
  taps = get_taps (find_filter (h), "kernel");
  gst_harness_push (h, make_buffer (GST_EEG_FORMAT_F64LE, 1, 0, 100));
  /* the same once more holds nothing up */
  gst_harness_set_src_caps (h, plain_caps (GST_EEG_FORMAT_F64LE));
  output_pull (&out, h, GST_EEG_FORMAT_F64LE);
  gst_harness_push (h, make_buffer (GST_EEG_FORMAT_F64LE, 1, 100, 100));
  gst_harness_set_src_caps (h, make_caps (GST_EEG_FORMAT_F32LE, 500, 2, NULL));
  output_pull (&out, h, GST_EEG_FORMAT_F64LE);
  fail_unless_equals_int (out.values->len, 200);
  check_run (&out, taps, 0, 199, 1e-10);
  gst_harness_push (h, make_buffer (GST_EEG_FORMAT_F32LE, 2, 0, 100));
  fail_unless_equals_int (gst_harness_buffers_in_queue (h), 1);
  g_array_unref (taps);
  output_clear (&out);
  gst_harness_teardown (h);
}
GST_END_TEST;

static guint
count_latency_messages (GstBus *bus)
{
  GstMessage *message;
  guint n = 0;

  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_LATENCY))) {
    n++;
    gst_message_unref (message);
  }
  return n;
}

GST_START_TEST (test_latency)
{
  GstHarness *h = harness ("firfilter mode=low-pass high=30 taps=101");
  GstElement *filter = find_filter (h);
  GstBus *bus = gst_bus_new ();
  GstQuery *query;
  GstClockTime min, max;
  gboolean live;
  guint i;

  gst_element_set_bus (h->element, bus);
  gst_harness_set_upstream_latency (h, 10 * GST_MSECOND);
  gst_harness_set_src_caps (h, plain_caps (GST_EEG_FORMAT_F32LE));
  /* known before the first buffer: 50 samples of 4 ms */
  fail_unless_equals_uint64 (gst_harness_query_latency (h), 210 * GST_MSECOND);
  fail_unless_equals_int (count_latency_messages (bus), 1);
  for (i = 0; i < 5; i++)
    gst_harness_push (h, make_buffer (GST_EEG_FORMAT_F32LE, 1, i * 50, 50));
  fail_unless_equals_int (count_latency_messages (bus), 0);

  g_object_set (filter, "high", 40.0, NULL); /* same length */
  gst_harness_push (h, make_buffer (GST_EEG_FORMAT_F32LE, 1, 250, 50));
  fail_unless_equals_int (count_latency_messages (bus), 0);
  g_object_set (filter, "taps", 31, NULL);
  gst_harness_push (h, make_buffer (GST_EEG_FORMAT_F32LE, 1, 300, 50));
  gst_harness_push (h, make_buffer (GST_EEG_FORMAT_F32LE, 1, 350, 50));
  fail_unless_equals_int (count_latency_messages (bus), 1);
  fail_unless_equals_uint64 (gst_harness_query_latency (h), 70 * GST_MSECOND);

  /* no upper bound stays none */
  query = gst_query_new_latency ();
  fail_unless (gst_pad_peer_query (h->sinkpad, query));
  gst_query_parse_latency (query, &live, &min, &max);
  fail_unless_equals_uint64 (max, GST_CLOCK_TIME_NONE);
  gst_query_unref (query);

  g_object_set (filter, "enabled", FALSE, NULL);
  gst_harness_push (h, make_buffer (GST_EEG_FORMAT_F32LE, 1, 400, 50));
  fail_unless_equals_int (count_latency_messages (bus), 1);
  fail_unless_equals_uint64 (gst_harness_query_latency (h), 10 * GST_MSECOND);

  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* Off: what is held, then the very buffers that come; on: a new start. */
GST_START_TEST (test_enabled)
{
  GstHarness *h = harness ("firfilter mode=low-pass high=30 taps=31");
  GstElement *filter = find_filter (h);
  GstBuffer *in, *buffer;
  GArray *taps;
  Output out;
  guint64 i;

  output_init (&out, 1);
  gst_harness_set_src_caps (h, plain_caps (GST_EEG_FORMAT_F64LE));
  taps = get_taps (filter, "kernel");
  gst_harness_push (h, make_buffer (GST_EEG_FORMAT_F64LE, 1, 0, 100));
  g_object_set (filter, "enabled", FALSE, NULL);
  in = make_buffer (GST_EEG_FORMAT_F64LE, 1, 100, 100);
  gst_harness_push (h, gst_buffer_ref (in));
  output_add (&out, gst_harness_pull (h), GST_EEG_FORMAT_F64LE);
  output_add (&out, gst_harness_pull (h), GST_EEG_FORMAT_F64LE);
  fail_unless_equals_int (out.values->len, 100);
  check_run (&out, taps, 0, 99, 1e-10);
  buffer = gst_harness_pull (h);
  fail_unless (buffer == in);
  gst_buffer_unref (in);
  output_add (&out, buffer, GST_EEG_FORMAT_F64LE);

  g_object_set (filter, "enabled", TRUE, NULL);
  gst_harness_push (h, make_buffer (GST_EEG_FORMAT_F64LE, 1, 200, 100));
  gst_harness_push_event (h, gst_event_new_eos ());
  output_pull (&out, h, GST_EEG_FORMAT_F64LE);
  fail_unless_equals_int (out.values->len, 300);
  fail_unless (out.discont <= 1);
  for (i = 100; i < 200; i++)
    fail_unless (output_at (&out, i, 0) == signal_at (i, 0));
  for (i = 200; i < 300; i++)
    fail_unless (
        fabs (output_at (&out, i, 0) - expected_at (taps, 200, 299, i, 0))
        < 1e-10);
  g_array_unref (taps);
  output_clear (&out);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* A changed kernel: no sample missing or doubled, and both kernels exact where
 * they alone are at work. */
GST_START_TEST (test_hot_change)
{
  static const guint lengths[] = { 31, 201, 5, 101, 31, 301 };
  GstHarness *h = harness ("firfilter mode=low-pass high=30 taps=101");
  GstElement *filter = find_filter (h);
  GArray *taps;
  Output out;
  guint64 next = 0;
  guint i, k;

  output_init (&out, 1);
  gst_harness_set_src_caps (h, plain_caps (GST_EEG_FORMAT_F64LE));
  for (i = 0; i < G_N_ELEMENTS (lengths); i++) {
    g_object_set (filter, "taps", lengths[i], NULL);
    for (k = 0; k < 20; k++) {
      gst_harness_push (h, make_buffer (GST_EEG_FORMAT_F64LE, 1, next, 40));
      next += 40;
      output_pull (&out, h, GST_EEG_FORMAT_F64LE);
    }
    fail_unless_equals_int (out.values->len, next - lengths[i] / 2);
  }
  taps = get_taps (filter, "kernel");
  fail_unless_equals_int (taps->len, 301);
  gst_harness_push_event (h, gst_event_new_eos ());
  output_pull (&out, h, GST_EEG_FORMAT_F64LE);
  fail_unless_equals_int (out.values->len, next);
  for (i = next - 400; i < next; i++)
    fail_unless (
        fabs (output_at (&out, i, 0) - expected_at (taps, 0, next - 1, i, 0))
        < 1e-10);
  g_array_unref (taps);
  output_clear (&out);
  gst_harness_teardown (h);
}
GST_END_TEST;

static void
push_frames (GstHarness *h, Output *out, guint64 *next, guint64 end)
{
  while (*next < end) {
    guint n = MIN (end - *next, 40);

    fail_unless_equals_int (gst_harness_push (h,
                                make_buffer (GST_EEG_FORMAT_F64LE, 1, *next,
                                    n)),
        GST_FLOW_OK);
    *next += n;
    output_pull (out, h, GST_EEG_FORMAT_F64LE);
  }
}

/* Whether the samples from `from` to before `to` of a run are those of a
 * kernel; every seventh is looked at. */
static gboolean
is_made_by (const Output *out, GArray *taps, guint64 first, guint64 last,
    guint64 from, guint64 to)
{
  guint64 i;

  for (i = from; i < to; i += 7)
    if (fabs (output_at (out, i, 0) - expected_at (taps, first, last, i, 0))
        > 1e-10)
      return FALSE;
  return TRUE;
}

/* A change to a long kernel comes some time after it was asked for, so that its
 * work can be spread; or, when the run ends before, with the next one. */
GST_START_TEST (test_long_change)
{
  static const gchar *const ends[] = { "", "eos", "jump", "gap", "flush",
    "event" };
  const guint n_old = 701, n_new = 1501, asked = 4000;
  guint e;

  for (e = 0; e < G_N_ELEMENTS (ends); e++) {
    GstHarness *h = harness ("firfilter mode=low-pass high=30 taps=701 "
                             "latency=none");
    GstElement *filter = find_filter (h);
    guint64 next = 0, end = asked + 120, begin;
    GArray *old, *new;
    Output out, later;

    output_init (&out, 1);
    output_init (&later, 1);
    gst_harness_set_src_caps (h, plain_caps (GST_EEG_FORMAT_F64LE));
    old = get_taps (filter, "kernel");
    push_frames (h, &out, &next, asked);
    g_object_set (filter, "taps", n_new, NULL);
    new = get_taps (filter, "kernel");
    fail_unless_equals_int (new->len, n_new);
    push_frames (h, &out, &next, end);
    fail_unless_equals_int (out.values->len, end - n_old / 2);
    GST_INFO ("%s", ends[e]);

    if (g_str_equal (ends[e], "")) {
      /* the longer delay shows when it has come */
      push_frames (h, &out, &next, asked + 3000);
      fail_unless_equals_int (out.values->len, next - n_new / 2);
      gst_harness_push_event (h, gst_event_new_eos ());
      output_pull (&out, h, GST_EEG_FORMAT_F64LE);
      fail_unless_equals_int (out.values->len, next);
      fail_unless (is_made_by (&out, old, 0, next - 1, 0, end - n_old / 2));
      fail_unless (is_made_by (&out, new, 0, next - 1, asked + 1200, next));
    } else if (g_str_equal (ends[e], "eos")) {
      gst_harness_push_event (h, gst_event_new_eos ());
      output_pull (&out, h, GST_EEG_FORMAT_F64LE);
      fail_unless_equals_int (out.values->len, next);
      fail_unless (is_made_by (&out, old, 0, next - 1, 0, next));
    } else if (g_str_equal (ends[e], "event")) {
      /* before it there is one of an event, for which the first must hurry */
      gdouble taps[31];
      guint i;

      for (i = 0; i < G_N_ELEMENTS (taps); i++)
        taps[i] = 1.0 / G_N_ELEMENTS (taps);
      gst_harness_push_event (h,
          gst_eeg_event_new_kernel (asked, taps, G_N_ELEMENTS (taps), -1));
      push_frames (h, &out, &next, asked + 3000);
      g_array_unref (new);
      new = get_taps (filter, "kernel");
      fail_unless_equals_int (new->len, G_N_ELEMENTS (taps));
      gst_harness_push_event (h, gst_event_new_eos ());
      output_pull (&out, h, GST_EEG_FORMAT_F64LE);
      fail_unless_equals_int (out.values->len, next);
      fail_unless (is_made_by (&out, new, 0, next - 1, asked + 100, next));
    } else {
      GstSegment segment;

      begin = end + 1000;
      if (g_str_equal (ends[e], "gap")) {
        gst_harness_push_event (h,
            gst_event_new_gap (gst_util_uint64_scale (end, GST_SECOND, RATE),
                gst_util_uint64_scale (1000, GST_SECOND, RATE)));
      } else if (g_str_equal (ends[e], "flush")) {
        gst_harness_push_event (h, gst_event_new_flush_start ());
        gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
        gst_segment_init (&segment, GST_FORMAT_TIME);
        gst_harness_push_event (h, gst_event_new_segment (&segment));
      } else {
        GstBuffer *buffer = make_buffer (GST_EEG_FORMAT_F64LE, 1, begin, 40);

        gst_harness_push (h, buffer);
        next = begin + 40;
      }
      if (!g_str_equal (ends[e], "flush")) {
        while (out.next < end)
          output_add (&out, gst_harness_pull (h), GST_EEG_FORMAT_F64LE);
        fail_unless (is_made_by (&out, old, 0, end - 1, 0, end));
      }
      next = MAX (next, begin);
      push_frames (h, &later, &next, begin + 3000);
      gst_harness_push_event (h, gst_event_new_eos ());
      output_pull (&later, h, GST_EEG_FORMAT_F64LE);
      fail_unless_equals_int (later.values->len, 3000);
      fail_unless (is_made_by (&later, new, begin, next - 1, begin, next));
    }
    g_array_unref (old);
    g_array_unref (new);
    output_clear (&out);
    output_clear (&later);
    gst_harness_teardown (h);
  }
}
GST_END_TEST;

/* A kernel that an event brought has room for what a longer one owes, which
 * came by properties after it: nothing is made on the streaming thread. */
GST_START_TEST (test_event_behind_longer_kernel)
{
  GstHarness *h = harness ("firfilter mode=low-pass high=30 taps=31 "
                           "latency=none");
  GstElement *filter = find_filter (h);
  gdouble taps[701];
  guint64 next = 0;
  GArray *new;
  Output out;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (taps); i++)
    taps[i] = 1.0 / G_N_ELEMENTS (taps);
  output_init (&out, 1);
  gst_harness_set_src_caps (h, plain_caps (GST_EEG_FORMAT_F64LE));
  gst_harness_push_event (h,
      gst_eeg_event_new_kernel (30000, taps, G_N_ELEMENTS (taps), -1));
  push_frames (h, &out, &next, 400);
  g_usleep (50000);
  g_object_set (filter, "taps", 20001, "transition", 0.05, NULL);
  push_frames (h, &out, &next, 50000);
  new = get_taps (filter, "kernel");
  fail_unless_equals_int (new->len, G_N_ELEMENTS (taps));
  gst_harness_push_event (h, gst_event_new_eos ());
  output_pull (&out, h, GST_EEG_FORMAT_F64LE);
  fail_unless_equals_int (out.values->len, next);
  fail_unless (is_made_by (&out, new, 0, next - 1, 30100, next));
  g_array_unref (new);
  output_clear (&out);
  gst_harness_teardown (h);
}
GST_END_TEST;

static gboolean
pop_warning (GstBus *bus, const gchar *says)
{
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  GError *error = NULL;
  gboolean found;

  if (message == NULL)
    return FALSE;
  gst_message_parse_warning (message, &error, NULL);
  found = g_error_matches (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS)
      && strstr (error->message, says) != NULL;
  GST_INFO ("%s", error->message);
  g_error_free (error);
  gst_message_unref (message);
  return found;
}

static void
set_coefficient (GstElement *filter, gdouble tap)
{
  GValue array = G_VALUE_INIT, number = G_VALUE_INIT;

  g_value_init (&array, GST_TYPE_ARRAY);
  g_value_init (&number, G_TYPE_DOUBLE);
  g_value_set_double (&number, tap);
  gst_value_array_append_and_take_value (&array, &number);
  g_object_set_property (G_OBJECT (filter), "coefficients", &array);
  g_value_unset (&array);
}

/* While it plays, a bad setting leaves everything as it was. */
GST_START_TEST (test_bad_hot_settings)
{
  GstHarness *h = harness ("firfilter mode=band-pass low=2 high=30 taps=31");
  GstElement *filter = find_filter (h);
  GstBus *bus = gst_bus_new ();
  GArray *before, *after;
  gdouble low, high, beta;
  guint taps;

  gst_element_set_bus (h->element, bus);
  gst_harness_set_src_caps (h, plain_caps (GST_EEG_FORMAT_F32LE));
  before = get_taps (filter, "kernel");

  g_object_set (filter, "low", 50.0, NULL);
  fail_unless (pop_warning (bus, "not below"));
  g_object_set (filter, "high", 125.0, NULL);
  fail_unless (pop_warning (bus, "half the sampling rate"));
  g_object_set (filter, "taps", 1000000001, NULL);
  fail_unless (pop_warning (bus, "more than"));
  g_object_set (filter, "taps", 30, NULL);
  fail_unless (pop_warning (bus, "even"));
  set_coefficient (filter, NAN);
  gst_util_set_object_arg (G_OBJECT (filter), "mode", "coefficients");
  fail_unless (pop_warning (bus, "Coefficient 0 is nan"));
  g_object_set (filter, "window", 3, "beta", -1.0, NULL);
  fail_unless (pop_warning (bus, "beta"));
  g_object_set (filter, "notch", "10,x", NULL);
  fail_unless (pop_warning (bus, "no list"));
  g_object_set (filter, "notch", "200", NULL);
  fail_unless (pop_warning (bus, "notch at 200"));
  g_object_get (filter, "low", &low, "high", &high, "taps", &taps, "beta",
      &beta, NULL);
  fail_unless_equals_float (low, 2);
  fail_unless_equals_float (high, 30);
  fail_unless_equals_float (beta, 6);
  fail_unless_equals_int (taps, 31);
  after = get_taps (filter, "kernel");
  fail_unless (before->len == after->len
      && memcmp (before->data, after->data, before->len * 8) == 0);
  g_array_unref (after);

  /* both at once make one change, whatever lies between */
  g_object_set (filter, "low", 50.0, "high", 60.0, NULL);
  fail_if (pop_warning (bus, ""));
  after = get_taps (filter, "kernel");
  fail_unless (memcmp (before->data, after->data, before->len * 8) != 0);

  g_array_unref (before);
  g_array_unref (after);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* At READY to PAUSED, or when the rate is known: one error. */
GST_START_TEST (test_bad_settings)
{
  static const struct
  {
    const gchar *line;
    const gchar *says;
    gboolean at_start;
  } cases[] = {
    { "firfilter low=40 high=1", "not below", TRUE },
    { "firfilter low=0", "low=0", TRUE },
    { "firfilter mode=low-pass high=-3", "high=-3", TRUE },
    { "firfilter mode=low-pass high=30 taps=100", "even", TRUE },
    { "firfilter mode=low-pass high=30 taps=1000000001", "more than", TRUE },
    { "firfilter mode=coefficients", "there are none", TRUE },
    { "firfilter transition=-2", "transition", TRUE },
    { "firfilter low=1 transition=2", "does not fit", FALSE },
    { "firfilter low=4 transition=1 taps=101", "too few", FALSE },
    { "firfilter window=kaiser beta=1000", "beta", TRUE },
    { "firfilter mode=low-pass high=125", "half the sampling rate", FALSE },
    { "firfilter mode=band-pass low=1 high=200", "half the sampling", FALSE },
    { "firfilter mode=high-pass low=0.00001", "taps", FALSE },
    { "firfilter mode=notch", "no notch", TRUE },
    { "firfilter mode=notch notch=50,mains", "no list", TRUE },
    { "firfilter mode=notch notch=-50", "notch at -50", TRUE },
    { "firfilter mode=notch notch=130", "notch at 130", FALSE },
    { "firfilter mode=notch notch=50,50.3", "pass band", FALSE },
    { "firfilter mode=low-pass high=40 notch=50", "pass band", FALSE },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++) {
    gchar *line = g_strdup_printf ("appsrc name=src format=time ! %s "
                                   "! fakesink async=false",
        cases[i].line);
    GstElement *pipeline = gst_parse_launch (line, NULL);
    GstElement *src = gst_bin_get_by_name (GST_BIN (pipeline), "src");
    GstBus *bus = gst_element_get_bus (pipeline);
    GstCaps *caps = plain_caps (GST_EEG_FORMAT_F32LE);
    GstStateChangeReturn ret;
    GstMessage *message;
    GError *error = NULL;
    GstFlowReturn flow;

    g_object_set (src, "caps", caps, NULL);
    gst_caps_unref (caps);
    ret = gst_element_set_state (pipeline, GST_STATE_PLAYING);
    fail_unless ((ret == GST_STATE_CHANGE_FAILURE) == cases[i].at_start, "%s",
        line);
    if (!cases[i].at_start) {
      GstBuffer *buffer = make_buffer (GST_EEG_FORMAT_F32LE, 1, 0, 10);

      g_signal_emit_by_name (src, "push-buffer", buffer, &flow);
      gst_buffer_unref (buffer);
    }
    message =
        gst_bus_timed_pop_filtered (bus, 5 * GST_SECOND, GST_MESSAGE_ERROR);
    fail_unless (message != NULL, "%s", line);
    gst_message_parse_error (message, &error, NULL);
    fail_unless (g_error_matches (error, GST_LIBRARY_ERROR,
                     GST_LIBRARY_ERROR_SETTINGS),
        "%s: %s", line, error->message);
    fail_unless (strstr (error->message, cases[i].says) != NULL, "%s: %s", line,
        error->message);
    g_error_free (error);
    gst_message_unref (message);
    gst_element_set_state (pipeline, GST_STATE_NULL);
    gst_object_unref (bus);
    gst_object_unref (src);
    gst_object_unref (pipeline);
    g_free (line);
  }
}
GST_END_TEST;

static void
check_coefficients (const gchar *text, guint delay)
{
  gchar *line =
      g_strdup_printf ("firfilter mode=coefficients coefficients=\"%s\"", text);
  GstHarness *h = harness (line);
  GstElement *filter = find_filter (h);
  GArray *taps;
  Output out;
  guint64 i;

  output_init (&out, 1);
  gst_harness_set_src_caps (h, plain_caps (GST_EEG_FORMAT_F64LE));
  taps = get_taps (filter, "kernel");
  gst_harness_push (h, make_buffer (GST_EEG_FORMAT_F64LE, 1, 0, 100));
  output_pull (&out, h, GST_EEG_FORMAT_F64LE);
  fail_unless_equals_int (out.values->len, 100 - delay);
  gst_harness_push_event (h, gst_event_new_eos ());
  output_pull (&out, h, GST_EEG_FORMAT_F64LE);
  fail_unless_equals_int (out.values->len, 100);
  for (i = taps->len; i < 100 - delay; i++) {
    gdouble sum = 0;
    guint k;

    for (k = 0; k < taps->len; k++)
      sum += g_array_index (taps, gdouble, k) * signal_at (i + delay - k, 0);
    fail_unless (fabs (sum - output_at (&out, i, 0)) < 1e-9);
  }
  g_array_unref (taps);
  output_clear (&out);
  gst_harness_teardown (h);
  g_free (line);
}

GST_START_TEST (test_coefficients)
{
  check_coefficients ("<1.0>", 0);
  check_coefficients ("<0.25, 0.5, 0.25>", 1);
  check_coefficients ("<0.5, 0, -0.5>", 1);
  /* half a sample is left */
  check_coefficients ("<0.25, 0.25, 0.25, 0.25>", 1);
  /* whole numbers, and a causal kernel */
  check_coefficients ("<1, 2, 3>", 0);
}
GST_END_TEST;

/* Minimum-phase kernels hold nothing back, and the phase can change while it
 * plays. */
GST_START_TEST (test_phase)
{
  GstHarness *h = harness ("firfilter mode=band-pass low=8 high=13 taps=31 "
                           "phase=minimum");
  GstElement *filter = find_filter (h);
  Output out;
  GArray *taps;
  gdouble sum = 0;
  guint i;

  output_init (&out, 1);
  gst_harness_set_src_caps (h, plain_caps (GST_EEG_FORMAT_F64LE));
  taps = get_taps (filter, "kernel");
  fail_unless_equals_int (taps->len, 31);
  /* the energy comes early; a linear-phase kernel has half of it here */
  for (i = 0; i < 16; i++)
    sum += g_array_index (taps, gdouble, i) * g_array_index (taps, gdouble, i);
  for (; i < 31; i++)
    sum -=
        4 * g_array_index (taps, gdouble, i) * g_array_index (taps, gdouble, i);
  fail_unless (sum > 0);
  g_array_unref (taps);
  gst_harness_push (h, make_buffer (GST_EEG_FORMAT_F64LE, 1, 0, 100));
  output_pull (&out, h, GST_EEG_FORMAT_F64LE);
  fail_unless_equals_int (out.values->len, 100);

  gst_util_set_object_arg (G_OBJECT (filter), "phase", "minimum-half");
  taps = get_taps (filter, "kernel");
  fail_unless_equals_int (taps->len, 16);
  gst_harness_push (h, make_buffer (GST_EEG_FORMAT_F64LE, 1, 100, 100));
  output_pull (&out, h, GST_EEG_FORMAT_F64LE);
  fail_unless_equals_int (out.values->len, 200);
  for (i = 100, sum = 0; i < 116; i++)
    sum += g_array_index (taps, gdouble, i - 100) * signal_at (250 - i, 0);
  fail_unless (fabs (sum - output_at (&out, 150, 0)) < 1e-9);
  gst_harness_push_event (h, gst_event_new_eos ());
  output_pull (&out, h, GST_EEG_FORMAT_F64LE);
  fail_unless_equals_int (out.values->len, 200);
  g_array_unref (taps);
  output_clear (&out);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* Markers keep their time and go with the next buffer that comes out. */
GST_START_TEST (test_markers)
{
  GstHarness *h = harness ("firfilter mode=low-pass high=30 taps=101");
  GstEegMarkerMeta *marker;
  gpointer state = NULL;
  GstBuffer *buffer;
  gint i;

  gst_harness_set_src_caps (h, plain_caps (GST_EEG_FORMAT_F32LE));
  for (i = 0; i < 3; i++) {
    gchar *text = g_strdup_printf ("marker %d", i);

    buffer = make_buffer (GST_EEG_FORMAT_F32LE, 1, i * 20, 20);
    gst_buffer_add_eeg_marker_meta (buffer, i * 80 * GST_MSECOND,
        GST_CLOCK_TIME_NONE, text);
    gst_harness_push (h, buffer);
    g_free (text);
  }
  buffer = gst_harness_pull (h);
  i = 0;
  while ((marker = gst_buffer_iterate_eeg_marker_meta (buffer, &state))) {
    fail_unless (marker->time % (80 * GST_MSECOND) == 0);
    i += g_str_has_prefix (marker->text, "marker ");
  }
  fail_unless_equals_int (i, 3);
  gst_buffer_unref (buffer);

  /* none is lost when the stream ends early */
  gst_harness_teardown (h);
  h = harness ("firfilter mode=low-pass high=30 taps=101");
  gst_harness_set_src_caps (h, plain_caps (GST_EEG_FORMAT_F32LE));
  buffer = make_buffer (GST_EEG_FORMAT_F32LE, 1, 0, 20);
  gst_buffer_add_eeg_marker_meta (buffer, 0, GST_CLOCK_TIME_NONE, "early");
  gst_harness_push (h, buffer);
  gst_harness_push_event (h, gst_event_new_eos ());
  buffer = gst_harness_pull (h);
  state = NULL;
  i = 0;
  while ((marker = gst_buffer_iterate_eeg_marker_meta (buffer, &state)))
    i += strcmp (marker->text, "early") == 0;
  fail_unless_equals_int (i, 1);
  gst_buffer_unref (buffer);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* Start and duration of the edge markers that came out, in samples, in
 * order. */
static void
collect_edges (GstBuffer *buffer, GArray *edges)
{
  GstEegMarkerMeta *marker;
  gpointer state = NULL;

  while ((marker = gst_buffer_iterate_eeg_marker_meta (buffer, &state))) {
    guint64 edge[2] = { gst_util_uint64_scale_round (marker->time, RATE,
                            GST_SECOND),
      gst_util_uint64_scale_round (marker->duration, RATE, GST_SECOND) };

    fail_unless_equals_string (marker->text, "BAD_edge");
    g_array_append_vals (edges, edge, 1);
  }
}

/* Half a kernel at the start and at the end of each run, and for causal kernels
 * all of it at the start. */
GST_START_TEST (test_edges)
{
  static const struct
  {
    const gchar *line;
    guint start, end;
  } cases[] = { { "firfilter mode=low-pass high=30 taps=101", 50, 50 },
    { "firfilter mode=low-pass high=30 taps=101 gap-policy=hold", 50, 50 },
    { "firfilter mode=low-pass high=30 taps=101 phase=minimum", 100, 0 },
    { "firfilter mode=low-pass high=30 taps=1", 0, 0 },
    { "firfilter mode=low-pass high=30 taps=901 latency=block", 450, 450 } };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++) {
    GstHarness *h = harness (cases[i].line);
    GArray *edges = g_array_new (FALSE, FALSE, 2 * sizeof (guint64));
    const guint64 expected[][2] = { { 0, cases[i].start },
      { 1000 - cases[i].end, cases[i].end }, { 1500, cases[i].start },
      { 2500 - cases[i].end, cases[i].end } };
    GstBuffer *buffer;
    guint k, n = 0;

    gst_harness_set_src_caps (h, plain_caps (GST_EEG_FORMAT_F64LE));
    for (k = 0; k < 20; k++)
      gst_harness_push (h,
          make_buffer (GST_EEG_FORMAT_F64LE, 1, k * 100 + (k < 10 ? 0 : 500),
              100));
    gst_harness_push_event (h, gst_event_new_eos ());
    while ((buffer = gst_harness_try_pull (h)) != NULL) {
      collect_edges (buffer, edges);
      gst_buffer_unref (buffer);
    }
    for (k = 0; k < G_N_ELEMENTS (expected); k++) {
      const guint64 *edge = &g_array_index (edges, guint64, 2 * n);

      if (expected[k][1] == 0)
        continue;
      fail_unless (n < edges->len, "%s", cases[i].line);
      fail_unless_equals_uint64 (edge[0], expected[k][0]);
      fail_unless_equals_uint64 (edge[1], expected[k][1]);
      n++;
    }
    fail_unless_equals_int (edges->len, n);
    g_array_unref (edges);
    gst_harness_teardown (h);
  }
}
GST_END_TEST;

/* With gap-policy=hold the filter goes on: what was lost counts as the last
 * sample before it. */
static void
check_hold (guint n_taps, guint missing, const gchar *latency)
{
  gchar *line = g_strdup_printf ("firfilter mode=low-pass high=30 taps=%u "
                                 "gap-policy=hold initial=reflect latency=%s",
      n_taps, latency);
  GstHarness *h = harness (line);
  const guint64 lost = 3000, resumed = lost + missing, end = resumed + 3000;
  GArray *taps;
  Output out;
  guint64 i;

  output_init (&out, 1);
  gst_harness_set_src_caps (h, plain_caps (GST_EEG_FORMAT_F64LE));
  taps = get_taps (find_filter (h), "kernel");
  for (i = 0; i < lost; i += 100)
    gst_harness_push (h, make_buffer (GST_EEG_FORMAT_F64LE, 1, i, 100));
  for (i = resumed; i < end; i += 100)
    gst_harness_push (h, make_buffer (GST_EEG_FORMAT_F64LE, 1, i, 100));
  gst_harness_push_event (h, gst_event_new_eos ());
  output_pull (&out, h, GST_EEG_FORMAT_F64LE);
  fail_unless_equals_int (out.values->len, end - missing);
  fail_unless_equals_int (out.discont, missing > 0 ? 2 : 1);

  for (i = resumed; i < end - n_taps; i += i < resumed + 50 ? 1 : 23) {
    long double sum = 0;
    gdouble got = g_array_index (out.values, gdouble, i - missing);
    guint k;

    for (k = 0; k < n_taps; k++) {
      guint64 index = i + n_taps / 2 - k;

      if (index >= lost && index < resumed)
        index = lost - 1;
      sum += g_array_index (taps, gdouble, k) * signal_at (index, 0);
    }
    fail_unless (fabs (got - (gdouble) sum) < 1e-10,
        "%s, %u missing: sample %" G_GUINT64_FORMAT ": %g instead of %g", line,
        missing, i, got, (gdouble) sum);
  }
  g_array_unref (taps);
  output_clear (&out);
  gst_harness_teardown (h);
  g_free (line);
}

GST_START_TEST (test_gap_hold)
{
  static const guint lengths[] = { 1, 31, 101, 1001 };
  static const guint missing[] = { 1, 10, 40, 700, 100000 };
  guint l, m;

  for (l = 0; l < G_N_ELEMENTS (lengths); l++)
    for (m = 0; m < G_N_ELEMENTS (missing); m++) {
      check_hold (lengths[l], missing[m], "none");
      check_hold (lengths[l], missing[m], "block");
    }
}
GST_END_TEST;

/* Buffers that are flagged as gaps are samples like others, and stay in
 * order. */
GST_START_TEST (test_gap_buffers)
{
  GstHarness *h = harness ("firfilter mode=low-pass high=30 taps=31");
  GArray *taps;
  Output out;
  guint i;

  output_init (&out, 1);
  gst_harness_set_src_caps (h, plain_caps (GST_EEG_FORMAT_F64LE));
  taps = get_taps (find_filter (h), "kernel");
  for (i = 0; i < 5; i++) {
    GstBuffer *buffer = make_buffer (GST_EEG_FORMAT_F64LE, 1, i * 50, 50);

    if (i % 2)
      GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_GAP);
    gst_harness_push (h, buffer);
  }
  gst_harness_push_event (h, gst_event_new_eos ());
  output_pull (&out, h, GST_EEG_FORMAT_F64LE);
  fail_unless_equals_int (out.values->len, 250);
  check_run (&out, taps, 0, 249, 1e-10);
  g_array_unref (taps);
  output_clear (&out);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* `latency` and what it does to the delay, in samples. */
static guint64
query_delay (const gchar *line, gboolean live)
{
  GstHarness *h = harness (line);
  guint64 in = 0, out = 0;
  GstBuffer *buffer;

  gst_harness_set_live (h, live);
  gst_harness_set_src_caps (h, plain_caps (GST_EEG_FORMAT_F32LE));
  for (in = 0; in < 30000; in += 100)
    gst_harness_push (h, make_buffer (GST_EEG_FORMAT_F32LE, 1, in, 100));
  while ((buffer = gst_harness_try_pull (h)) != NULL) {
    out = GST_BUFFER_OFFSET_END (buffer);
    gst_buffer_unref (buffer);
  }
  if (live)
    fail_unless_equals_uint64 (gst_harness_query_latency (h),
        (in - out) * GST_SECOND / RATE);
  gst_harness_teardown (h);
  return in - out;
}

GST_START_TEST (test_latency_modes)
{
#define LINE "firfilter mode=low-pass high=30 taps=1001 "
  fail_unless_equals_uint64 (query_delay (LINE, TRUE), 500);
  fail_unless_equals_uint64 (query_delay (LINE "latency=none", FALSE), 500);
  fail_unless (query_delay (LINE, FALSE) > 500);
  fail_unless (query_delay (LINE "latency=block", TRUE) > 500);
  /* short kernels have no use for it */
  fail_unless_equals_uint64 (query_delay ("firfilter taps=101 latency=block "
                                          "mode=low-pass",
                                 FALSE),
      50);
#undef LINE
}
GST_END_TEST;

static gchar *
get_text (GstElement *filter, const gchar *property)
{
  gchar *text;

  g_object_get (filter, property, &text, NULL);
  return text;
}

/* All samples in time, whatever the latency, also while that changes. */
GST_START_TEST (test_backends)
{
  static const struct
  {
    const gchar *latency, *backend;
    guint taps;
  } cases[] = { { "none", "direct", 101 }, { "block", "direct", 101 },
    { "none", "partitioned", 1001 }, { "block", "blocks", 1001 },
    { "none", "partitioned", 3001 } };
  GstHarness *h = harness ("firfilter mode=low-pass high=30");
  GstElement *filter = find_filter (h);
  guint64 next = 0;
  GArray *taps;
  Output out;
  guint i, k;

  output_init (&out, 1);
  fail_unless (get_text (filter, "backend") == NULL);
  gst_harness_set_src_caps (h, plain_caps (GST_EEG_FORMAT_F64LE));
  for (i = 0; i < G_N_ELEMENTS (cases); i++) {
    gchar *text;

    gst_util_set_object_arg (G_OBJECT (filter), "latency", cases[i].latency);
    g_object_set (filter, "taps", cases[i].taps, NULL);
    for (k = 0; k < 100; k++, next += 77)
      gst_harness_push (h, make_buffer (GST_EEG_FORMAT_F64LE, 1, next, 77));
    text = get_text (filter, "backend");
    fail_unless_equals_string (text, cases[i].backend);
    g_free (text);
  }
  taps = get_taps (filter, "kernel");
  gst_harness_push_event (h, gst_event_new_eos ());
  output_pull (&out, h, GST_EEG_FORMAT_F64LE);
  fail_unless_equals_int (out.values->len, next);
  for (i = next - 3000; i < next; i += 7)
    fail_unless (
        fabs (output_at (&out, i, 0) - expected_at (taps, 0, next - 1, i, 0))
        < 1e-10);
  g_array_unref (taps);
  output_clear (&out);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* The response that can be read is that of the kernel. */
GST_START_TEST (test_response)
{
  GstHarness *h = harness ("firfilter mode=notch notch=50");
  GstElement *filter = find_filter (h);
  GArray *response, *taps;
  guint i, k;

  response = get_taps (filter, "response");
  fail_unless_equals_int (response->len, 0);
  g_array_unref (response);
  gst_harness_set_src_caps (h, plain_caps (GST_EEG_FORMAT_F64LE));
  response = get_taps (filter, "response");
  taps = get_taps (filter, "kernel");
  fail_unless_equals_int (taps->len, 1651);
  fail_unless_equals_int (response->len, 2 * 4097);
  for (i = 0; i < 4097; i += 64) {
    gdouble f = g_array_index (response, gdouble, 2 * i);
    gdouble db = g_array_index (response, gdouble, 2 * i + 1), re = 0, im = 0;

    fail_unless (fabs (f - RATE / 2.0 * i / 4096) < 1e-9);
    for (k = 0; k < taps->len; k++) {
      re += g_array_index (taps, gdouble, k) * cos (2 * G_PI * f * k / RATE);
      im += g_array_index (taps, gdouble, k) * sin (2 * G_PI * f * k / RATE);
    }
    fail_unless (fabs (db - 20 * log10 (hypot (re, im))) < 1e-6);
  }
  /* 50 Hz */
  fail_unless (g_array_index (response, gdouble, 2 * 1638 + 1) < -40);
  g_array_unref (response);
  g_array_unref (taps);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* 4096 channels at 487.5 Hz, by every build that the machine has: which one
 * runs can be asked for and read. */
static void
check_many_channels (GstEegFormat format, const gchar *properties,
    const gchar *cpu, GArray *kept)
{
  /* valgrind, for which this is set, would take minutes */
  const guint channels = g_getenv ("G_SLICE") != NULL ? 1024 : 4096, n = 500;
  gchar *line =
      g_strdup_printf ("firfilter mode=low-pass high=40 %s", properties);
  GArray *taps, *values = g_array_new (FALSE, FALSE, sizeof (gdouble));
  GstHarness *h;
  guint64 next = 0;
  GstBuffer *buffer;
  gchar *runs;
  guint i, c;

  g_setenv ("GSTEEG_CPU", cpu, TRUE);
  h = harness (line);
  g_object_get (find_filter (h), "instruction-set", &runs, NULL);
  if (g_str_equal (runs, cpu)) {
    GstEegInfo info;

    gst_eeg_info_init (&info);
    gst_eeg_info_set (&info, format, GST_EEG_DOMAIN_VOLTAGE, 975, 2, channels,
        NULL);
    gst_harness_set_src_caps (h, gst_eeg_info_to_caps (&info));
    taps = get_taps (find_filter (h), "kernel");
    for (i = 0; i < n; i += 100) {
      buffer = make_buffer (format, channels, i, 100);
      GST_BUFFER_PTS (buffer) = gst_util_uint64_scale (i, 2 * GST_SECOND, 975);
      gst_harness_push (h, buffer);
    }
    gst_harness_push_event (h, gst_event_new_eos ());
    while ((buffer = gst_harness_try_pull (h)) != NULL) {
      GstMapInfo map;

      fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), next);
      fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer),
          gst_util_uint64_scale (next, 2 * GST_SECOND, 975));
      gst_buffer_map (buffer, &map, GST_MAP_READ);
      for (; next < GST_BUFFER_OFFSET_END (buffer); next++)
        for (c = 0; next % 59 == 0 && c < channels; c += 341) {
          gsize at = (next - GST_BUFFER_OFFSET (buffer)) * channels + c;
          gdouble value = format == GST_EEG_FORMAT_F32LE
              ? ((gfloat *) map.data)[at]
              : ((gdouble *) map.data)[at];
          gdouble expected = expected_at (taps, 0, n - 1, next, c);

          g_array_append_val (values, value);
          fail_unless (fabs (value - expected)
              < (format == GST_EEG_FORMAT_F32LE ? 1e-3 : 1e-9));
        }
      gst_buffer_unmap (buffer, &map);
      gst_buffer_unref (buffer);
    }
    fail_unless_equals_uint64 (next, n);
    g_array_unref (taps);
    /* what came first is kept for the others */
    if (kept->len == 0)
      g_array_append_vals (kept, values->data, values->len);
    fail_unless_equals_int (kept->len, values->len);
    for (i = 0; i < values->len; i++)
      fail_unless (fabs (g_array_index (values, gdouble, i)
                       - g_array_index (kept, gdouble, i))
          < (format == GST_EEG_FORMAT_F32LE ? 1e-3 : 1e-10));
  } else {
    fail_if (g_str_equal (cpu, "base"));
  }
  g_unsetenv ("GSTEEG_CPU");
  g_free (runs);
  g_free (line);
  g_array_unref (values);
  gst_harness_teardown (h);
}

GST_START_TEST (test_many_channels)
{
  static const gchar *const engines[] = { "taps=31", "taps=701 latency=none",
    "taps=301 latency=block" };
  static const gchar *const cpus[] = { "base", "avx2", "avx512" };
  guint e, c;

  for (e = 0; e < G_N_ELEMENTS (engines); e++) {
    GArray *f32 = g_array_new (FALSE, FALSE, sizeof (gdouble));
    GArray *f64 = g_array_new (FALSE, FALSE, sizeof (gdouble));

    for (c = 0; c < G_N_ELEMENTS (cpus); c++) {
      check_many_channels (GST_EEG_FORMAT_F32LE, engines[e], cpus[c], f32);
      check_many_channels (GST_EEG_FORMAT_F64LE, engines[e], cpus[c], f64);
    }
    fail_unless (f32->len > 0 && f64->len > 0);
    g_array_unref (f32);
    g_array_unref (f64);
  }
}
GST_END_TEST;

/* A kernel that comes by an event: to the sample, with a cross-fade. */
static void
check_event (guint n_old, guint n_new, guint64 sample, guint64 crossfade,
    guint buffer_size)
{
  gchar *line = g_strdup_printf ("firfilter mode=low-pass high=30 taps=%u "
                                 "latency=none crossfade=%" G_GUINT64_FORMAT,
      n_old, crossfade);
  GstHarness *h = harness (line);
  GstElement *filter = find_filter (h);
  guint fade = crossfade * RATE / GST_SECOND, i;
  const guint n = 3000;
  gdouble *taps = g_new (gdouble, n_new);
  GArray *old, *new;
  Output out;

  for (i = 0; i < n_new; i++)
    taps[i] = 1.0 / n_new;
  output_init (&out, 1);
  gst_harness_set_src_caps (h, plain_caps (GST_EEG_FORMAT_F64LE));
  old = get_taps (filter, "kernel");
  gst_harness_push_event (h,
      gst_eeg_event_new_kernel (sample, taps, n_new, -1));
  for (i = 0; i < n; i += buffer_size)
    gst_harness_push (h,
        make_buffer (GST_EEG_FORMAT_F64LE, 1, i, MIN (buffer_size, n - i)));
  new = get_taps (filter, "kernel");
  fail_unless_equals_int (new->len, n_new);
  gst_harness_push_event (h, gst_event_new_eos ());
  output_pull (&out, h, GST_EEG_FORMAT_F64LE);
  fail_unless_equals_int (out.values->len, n);
  /* all of them around the change */
  for (i = 0; i<n; i += i + 10> sample && i < sample + fade + 10 ? 1 : 17) {
    gdouble expected = expected_at (i < sample ? old : new, 0, n - 1, i, 0);

    if (i >= sample && i < sample + fade && sample > 0)
      expected += (expected_at (old, 0, n - 1, i, 0) - expected)
          * (0.5 + 0.5 * cos (G_PI * (i - sample + 1) / (fade + 1)));
    fail_unless (fabs (output_at (&out, i, 0) - expected) < 1e-10,
        "%s: sample %u is %g, not %g", line, i, output_at (&out, i, 0),
        expected);
  }
  g_array_unref (old);
  g_array_unref (new);
  g_free (taps);
  output_clear (&out);
  gst_harness_teardown (h);
  g_free (line);
}

GST_START_TEST (test_event)
{
  static const guint lengths[] = { 31, 101, 701 };
  static const guint sizes[] = { 1, 50, 333, 3000 };
  guint a, b, s;

  for (a = 0; a < G_N_ELEMENTS (lengths); a++)
    for (b = 0; b < G_N_ELEMENTS (lengths); b++)
      for (s = 0; s < G_N_ELEMENTS (sizes); s++) {
        guint64 crossfade = (a + b + s) % 2 * 20 * GST_MSECOND;

        if (s == 0)
          check_event (lengths[a], lengths[b], 0, crossfade, sizes[s]);
        check_event (lengths[a], lengths[b], 1111, crossfade, sizes[s]);
        if (a + b == 2)
          check_event (lengths[a], lengths[b], 1500, GST_SECOND, sizes[s]);
      }
}
GST_END_TEST;

/* Kernels that cannot be used, and others that are never due. */
GST_START_TEST (test_bad_events)
{
  GstHarness *h = harness ("firfilter mode=low-pass high=30 taps=31");
  GstElement *filter = find_filter (h);
  const gdouble good[] = { 1 }, bad[] = { NAN, 1 };
  GstBus *bus = gst_bus_new ();
  GArray *taps;

  gst_element_set_bus (h->element, bus);
  gst_harness_set_src_caps (h, plain_caps (GST_EEG_FORMAT_F64LE));
  gst_harness_push_event (h, gst_eeg_event_new_kernel (0, bad, 2, -1));
  gst_harness_push_event (h, gst_eeg_event_new_kernel (100000, good, 1, -1));
  gst_harness_push (h, make_buffer (GST_EEG_FORMAT_F64LE, 1, 0, 100));
  taps = get_taps (filter, "kernel");
  fail_unless_equals_int (taps->len, 31);
  g_array_unref (taps);
  {
    GstMessage *message =
        gst_bus_timed_pop_filtered (bus, 5 * GST_SECOND, GST_MESSAGE_WARNING);

    fail_unless (message != NULL);
    gst_message_unref (message);
  }
  /* a flush drops what is not due yet */
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* A change of properties goes over smoothly: no step is larger than those of
 * both kernels, where without it there is one. */
GST_START_TEST (test_crossfade)
{
  guint64 crossfade;

  for (crossfade = 0; crossfade <= GST_SECOND; crossfade += GST_SECOND) {
    GstHarness *h = harness ("firfilter mode=coefficients coefficients=<1>");
    GstElement *filter = find_filter (h);
    gdouble largest = 0;
    Output out;
    guint i;

    output_init (&out, 1);
    g_object_set (filter, "crossfade", crossfade, NULL);
    gst_harness_set_src_caps (h, plain_caps (GST_EEG_FORMAT_F64LE));
    for (i = 0; i < 10; i++) {
      GstBuffer *buffer = make_buffer (GST_EEG_FORMAT_F64LE, 1, i * 100, 100);
      GstMapInfo map;
      guint k;

      gst_buffer_map (buffer, &map, GST_MAP_WRITE);
      for (k = 0; k < 100; k++)
        ((gdouble *) map.data)[k] = 250;
      gst_buffer_unmap (buffer, &map);
      if (i == 5)
        set_coefficient (filter, 0);
      gst_harness_push (h, buffer);
    }
    output_pull (&out, h, GST_EEG_FORMAT_F64LE);
    fail_unless_equals_int (out.values->len, 1000);
    for (i = 1; i < 1000; i++)
      largest = MAX (largest,
          fabs (output_at (&out, i, 0) - output_at (&out, i - 1, 0)));
    fail_unless_equals_float (output_at (&out, 499, 0), 250);
    fail_unless_equals_float (output_at (&out, 999, 0), 0);
    fail_unless (crossfade == 0 ? largest == 250 : largest < 2);
    output_clear (&out);
    gst_harness_teardown (h);
  }
}
GST_END_TEST;

GST_START_TEST (test_restart)
{
  GstHarness *h = harness ("firfilter mode=low-pass high=30 taps=31");
  gint round;

  for (round = 0; round < 3; round++) {
    GArray *taps;
    Output out;

    output_init (&out, 1);
    gst_harness_play (h);
    gst_harness_set_src_caps (h, plain_caps (GST_EEG_FORMAT_F64LE));
    taps = get_taps (find_filter (h), "kernel");
    gst_harness_push (h, make_buffer (GST_EEG_FORMAT_F64LE, 1, 0, 100));
    output_pull (&out, h, GST_EEG_FORMAT_F64LE);
    fail_unless_equals_int (out.values->len, 85);
    fail_unless (fabs (output_at (&out, 0, 0) - expected_at (taps, 0, 99, 0, 0))
        < 1e-10);
    g_array_unref (taps);
    output_clear (&out);
    gst_element_set_state (h->element,
        round == 0 ? GST_STATE_READY : GST_STATE_NULL);
  }
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (test_broken_frame)
{
  GstHarness *h = harness ("firfilter");

  gst_harness_set_src_caps (h, make_caps (GST_EEG_FORMAT_F32LE, RATE, 3, NULL));
  fail_unless_equals_int (gst_harness_push (h,
                              gst_buffer_new_allocate (NULL, 16, NULL)),
      GST_FLOW_ERROR);
  gst_harness_teardown (h);
}
GST_END_TEST;

static GstBuffer *
stress_buffer (GstHarness *h, gpointer data)
{
  guint64 *next = data;
  GstBuffer *buffer = make_buffer (GST_EEG_FORMAT_F32LE, 1, *next, 16);

  *next += 16;
  return buffer;
}

/* Settings change from other threads while buffers flow; every sample still
 * comes out once. */
GST_START_TEST (test_stress)
{
  GstHarness *h = gst_harness_new ("firfilter");
  GstElement *filter = h->element;
  GstHarnessThread *threads[3];
  GValue taps = G_VALUE_INIT, high = G_VALUE_INIT;
  GstSegment segment;
  GstCaps *caps = plain_caps (GST_EEG_FORMAT_F32LE);
  guint64 next = 0;
  Output out;
  guint i;

  output_init (&out, 1);
  g_object_set (filter, "low", 2.0, "high", 30.0, "taps", 31, NULL);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_set_src_caps (h, gst_caps_ref (caps));
  g_value_init (&taps, G_TYPE_UINT);
  g_value_set_uint (&taps, 301);
  g_value_init (&high, G_TYPE_DOUBLE);
  g_value_set_double (&high, 50);
  threads[0] = gst_harness_stress_push_buffer_with_cb_start (h, caps, &segment,
      stress_buffer, &next, NULL);
  threads[1] = gst_harness_stress_property_start_full (h, "taps", &taps, 1000);
  threads[2] = gst_harness_stress_property_start_full (h, "high", &high, 700);
  for (i = 0; i < 60; i++) {
    g_object_set (filter, "taps", i % 2 ? 5 : 151, "enabled", i % 7 != 3, NULL);
    g_usleep (4000);
    output_pull (&out, h, GST_EEG_FORMAT_F32LE);
  }
  gst_harness_stress_thread_stop (threads[1]);
  gst_harness_stress_thread_stop (threads[2]);
  gst_harness_stress_thread_stop (threads[0]);
  gst_harness_push_event (h, gst_event_new_eos ());
  output_pull (&out, h, GST_EEG_FORMAT_F32LE);
  fail_unless_equals_uint64 (out.values->len, next);
  fail_unless_equals_uint64 (out.next, next);
  fail_unless (out.discont <= 1);
  g_value_unset (&taps);
  g_value_unset (&high);
  gst_caps_unref (caps);
  output_clear (&out);
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (test_stage)
{
  GstHarness *h = harness ("firfilter mode=low-pass high=30 taps=101");
  GstEegStage *stage = GST_EEG_STAGE (find_filter (h));
  GstStructure *stats;
  GstEegEstimate estimate;
  guint64 in, out;

  gst_harness_set_src_caps (h, plain_caps (GST_EEG_FORMAT_F32LE));
  gst_harness_push (h, make_buffer (GST_EEG_FORMAT_F32LE, 1, 0, 200));
  fail_unless_equals_int (gst_eeg_stage_get_kind (stage),
      GST_EEG_STAGE_KIND_TRANSFORM);
  fail_unless_equals_uint64 (gst_eeg_stage_look_back (stage), 100);
  fail_unless (gst_eeg_stage_estimate (stage, 1000, &estimate));
  fail_unless (estimate.memory_bytes >= 100 * 8 * 8);
  fail_unless_equals_int (estimate.threads, 0);
  g_object_get (stage, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, "samples-in", &in));
  fail_unless (gst_structure_get_uint64 (stats, "samples-out", &out));
  fail_unless_equals_uint64 (in, 200);
  fail_unless_equals_uint64 (out, 150);
  gst_structure_free (stats);
  gst_harness_teardown (h);
}
GST_END_TEST;

static Suite *
firfilter_suite (void)
{
  Suite *suite = suite_create ("firfilter");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_samples);
  tcase_add_test (tcase, test_in_place);
  tcase_add_test (tcase, test_jumps);
  tcase_add_test (tcase, test_flush);
  tcase_add_test (tcase, test_ends);
  tcase_add_test (tcase, test_caps_change);
  tcase_add_test (tcase, test_latency);
  tcase_add_test (tcase, test_enabled);
  tcase_add_test (tcase, test_hot_change);
  tcase_add_test (tcase, test_many_channels);
  tcase_add_test (tcase, test_long_change);
  tcase_add_test (tcase, test_event_behind_longer_kernel);
  tcase_add_test (tcase, test_bad_hot_settings);
  tcase_add_test (tcase, test_bad_settings);
  tcase_add_test (tcase, test_coefficients);
  tcase_add_test (tcase, test_phase);
  tcase_add_test (tcase, test_markers);
  tcase_add_test (tcase, test_edges);
  tcase_add_test (tcase, test_gap_hold);
  tcase_add_test (tcase, test_gap_buffers);
  tcase_add_test (tcase, test_latency_modes);
  tcase_add_test (tcase, test_backends);
  tcase_add_test (tcase, test_response);
  tcase_add_test (tcase, test_event);
  tcase_add_test (tcase, test_bad_events);
  tcase_add_test (tcase, test_crossfade);
  tcase_add_test (tcase, test_restart);
  tcase_add_test (tcase, test_broken_frame);
  tcase_add_test (tcase, test_stress);
  tcase_add_test (tcase, test_stage);
  return suite;
}

GST_CHECK_MAIN (firfilter);
