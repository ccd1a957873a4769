/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signals with faults made for the test, each check with one that is just over
 * its limit and one that is just under. */
#include "eeg-samples.h"

#define RATE 1000
#define CHANNELS 4
#define FAULTY 1 /* the channel that has the fault */
#define N 5000

/* Physical range +-1000 uV over 65535 steps; the third channel is bad if asked,
 * the last one is a status word. */
static GstEegChannels *
make_table (const gchar *unit, gboolean bad)
{
  static const gchar *const labels[] = { "C3", "C4", "Cz", "Status" };
  GstEegChannel rows[CHANNELS];
  guint c;

  for (c = 0; c < CHANNELS; c++) {
    rows[c] = (GstEegChannel){ .label = labels[c],
      .unit = c < 3 ? unit : "",
      .type = c < 3 ? GST_EEG_CHANNEL_TYPE_EEG : GST_EEG_CHANNEL_TYPE_TRIGGER,
      .physical_min = 1000,
      .physical_max = -1000,
      .digital_min = -32768,
      .digital_max = 32767,
      .bad = bad && c == FAULTY };
  }
  return gst_eeg_channels_new (rows, CHANNELS);
}

/* Some EEG: 10 uV of noise. */
static gdouble
clean_at (guint64 index, guint channel)
{
  guint64 noise = (index * 131 + channel + 1) * 6364136223846793005ull;

  if (channel == 3)
    return 32768 + index / 100; /* a status word has no limits */
  return 10.0 * ((gdouble) (noise >> 40) / (1 << 23) - 1);
}

/* ---- faults ---- */

typedef gdouble (*Signal) (guint64 index, gdouble strength);

static gdouble
flat_signal (guint64 index, gdouble strength)
{
  /* over the third second, half up, half down */
  return index < 2000 || index >= 3000 ? clean_at (index, FAULTY)
      : index % 2                      ? strength
                                       : 0;
}

static gdouble
rail_signal (guint64 index, gdouble strength)
{
  return index >= 2500 && index < 2500 + strength ? -1000
                                                  : clean_at (index, FAULTY);
}

static gdouble
top_rail_signal (guint64 index, gdouble strength)
{
  /* half a step below the rail is not it */
  return index >= 2500 && index < 2510 ? 1000 - strength * 2000 / 65535
                                       : clean_at (index, FAULTY);
}

static gdouble
peak_signal (guint64 index, gdouble strength)
{
  return index == 2500 ? -strength : clean_at (index, FAULTY);
}

static gdouble
nan_signal (guint64 index, gdouble strength)
{
  return index == 2500 ? strength : clean_at (index, FAULTY);
}

/* A share of the power of the third second, at 50, 60 or any other Hz */
static gdouble
mains (guint64 index, gdouble strength, gdouble frequency)
{
  /* the noise has a variance of 100 / 3 */
  gdouble amplitude = sqrt (2 * 100 / 3.0 * strength / (1 - strength));

  if (index < 2000 || index >= 3000)
    return clean_at (index, FAULTY);
  return clean_at (index, FAULTY)
      + amplitude * sin (2 * G_PI * frequency * index / RATE + 1);
}

static gdouble
mains_50_signal (guint64 index, gdouble strength)
{
  return 300 + mains (index, strength, 50);
}

static gdouble
mains_60_signal (guint64 index, gdouble strength)
{
  return mains (index, strength, 60);
}

static gdouble
mains_47_signal (guint64 index, gdouble strength)
{
  return mains (index, strength, 47);
}

static const struct
{
  const gchar *check;
  const gchar *properties;
  Signal signal;
  gdouble strength;
  gboolean fails;
} cases[] = {
  { "flat", "", flat_signal, 0, TRUE },
  { "flat", "", flat_signal, 0.09, TRUE },
  { "flat", "", flat_signal, 0.11, FALSE },
  { "flat", "flat-limit=2", flat_signal, 1.9, TRUE },
  { "flat", "flat-limit=2", flat_signal, 2.1, FALSE },
  { "flat", "checks=clipping", flat_signal, 0, FALSE },
  { "clipping", "", rail_signal, 2, FALSE },
  { "clipping", "", rail_signal, 3, TRUE },
  { "clipping", "clip-samples=1", rail_signal, 1, TRUE },
  { "clipping", "clip-samples=50", rail_signal, 49, FALSE },
  { "clipping", "clip-samples=50", rail_signal, 50, TRUE },
  { "clipping", "checks=flat+range", rail_signal, 50, FALSE },
  { "clipping", "", top_rail_signal, 0.4, TRUE },
  { "clipping", "", top_rail_signal, 0.6, FALSE },
  { "range", "", peak_signal, 999, FALSE },
  { "range", "", peak_signal, 1000, FALSE },
  { "range", "", peak_signal, 1001, TRUE },
  { "range", "", peak_signal, -1001, TRUE },
  { "range", "range=200", peak_signal, 199, FALSE },
  { "range", "range=200", peak_signal, 201, TRUE },
  { "range", "checks=flat", peak_signal, 5000, FALSE },
  { "non-finite", "", nan_signal, NAN, TRUE },
  { "non-finite", "", nan_signal, INFINITY, TRUE },
  { "non-finite", "", nan_signal, -INFINITY, TRUE },
  { "non-finite", "", nan_signal, 0, FALSE },
  { "non-finite", "checks=flat", nan_signal, NAN, FALSE },
  { "mains", "", mains_50_signal, 0.55, TRUE },
  { "mains", "", mains_50_signal, 0.45, FALSE },
  { "mains", "", mains_60_signal, 0.55, TRUE },
  { "mains", "", mains_60_signal, 0.45, FALSE },
  { "mains", "mains-limit=0.2", mains_60_signal, 0.3, TRUE },
  { "mains", "mains-frequency=50", mains_60_signal, 0.9, FALSE },
  { "mains", "mains-frequency=60", mains_60_signal, 0.9, TRUE },
  { "mains", "", mains_47_signal, 0.9, FALSE },
  { "mains", "mains-frequency=47", mains_47_signal, 0.55, TRUE },
  { "mains", "mains-frequency=500", mains_50_signal, 0.9, FALSE },
  { "mains", "checks=flat", mains_50_signal, 0.9, FALSE },
};

static GstBuffer *
make_buffer (GstEegFormat format, Signal signal, gdouble strength, guint64 from,
    guint n)
{
  gsize size = gst_eeg_format_get_bytes (format);
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, n * CHANNELS * size, NULL);
  GstMapInfo map;
  guint i, c;

  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
  for (i = 0; i < n; i++)
    for (c = 0; c < CHANNELS; c++) {
      gdouble value = signal != NULL && c == FAULTY
          ? signal (from + i, strength)
          : clean_at (from + i, c);

      if (format == GST_EEG_FORMAT_F32LE)
        ((gfloat *) map.data)[i * CHANNELS + c] = value;
      else
        ((gdouble *) map.data)[i * CHANNELS + c] = value;
    }
  gst_buffer_unmap (buffer, &map);
  GST_BUFFER_OFFSET (buffer) = from;
  GST_BUFFER_OFFSET_END (buffer) = from + n;
  GST_BUFFER_PTS (buffer) = from * GST_MSECOND;
  GST_BUFFER_DURATION (buffer) = n * GST_MSECOND;
  return buffer;
}

typedef struct
{
  GstHarness *h;
  GstElement *element;
  GstBus *bus;
} Rig;

static void
rig_init (Rig *rig, const gchar *properties, GstEegFormat format,
    const gchar *unit, gboolean bad)
{
  gchar *line = g_strdup_printf ("eegvalidate %s", properties);

  rig->h = gst_harness_new_parse (line);
  rig->element = samples_element (rig->h);
  rig->bus = gst_bus_new ();
  gst_element_set_bus (rig->element, rig->bus);
  gst_harness_set_src_caps (rig->h,
      samples_caps (format, RATE, 1, CHANNELS,
          unit != NULL ? make_table (unit, bad) : NULL));
  g_free (line);
}

static void
rig_clear (Rig *rig)
{
  gst_element_set_bus (rig->element, NULL);
  gst_object_unref (rig->bus);
  gst_object_unref (rig->element);
  gst_harness_teardown (rig->h);
}

/* The next eeg-fault message, NULL if there is none; transfer full */
static GstStructure *
pop_fault (Rig *rig)
{
  GstMessage *message;

  while ((message = gst_bus_pop_filtered (rig->bus, GST_MESSAGE_ELEMENT))) {
    const GstStructure *s = gst_message_get_structure (message);
    GstStructure *found =
        gst_structure_has_name (s, "eeg-fault") ? gst_structure_copy (s) : NULL;

    gst_message_unref (message);
    if (found != NULL)
      return found;
  }
  return NULL;
}

/* Takes one message and checks what it says; n is 0 where that may be any. */
static void
expect_fault (Rig *rig, const gchar *check, const gchar *state, guint64 at,
    guint64 n, const gchar *label)
{
  GstStructure *s = pop_fault (rig);
  guint64 begin, count, time, duration;
  const GValue *labels;

  fail_unless (s != NULL, "no message that %s %ss", check, state);
  fail_unless_equals_string (gst_structure_get_string (s, "check"), check);
  fail_unless_equals_string (gst_structure_get_string (s, "state"), state);
  fail_unless (gst_structure_get (s, "first", G_TYPE_UINT64, &begin, "count",
      G_TYPE_UINT64, &count, "time", G_TYPE_UINT64, &time, "duration",
      G_TYPE_UINT64, &duration, NULL));
  fail_unless (begin <= at && at < begin + MAX (count, 1),
      "%s at %u, not at %u", check, (guint) begin, (guint) at);
  if (n > 0)
    fail_unless_equals_uint64 (count, n);
  fail_unless_equals_uint64 (time, begin * GST_MSECOND);
  fail_unless_equals_uint64 (duration, count * GST_MSECOND);
  labels = gst_structure_get_value (s, "labels");
  if (label == NULL) {
    fail_unless_equals_int (gst_value_array_get_size (labels), 0);
  } else {
    fail_unless_equals_int (gst_value_array_get_size (labels), 1);
    fail_unless_equals_string (g_value_get_string (
                                   gst_value_array_get_value (labels, 0)),
        label);
  }
  gst_structure_free (s);
}

static void
expect_no_fault (Rig *rig)
{
  GstStructure *s = pop_fault (rig);
  gchar *text = s != NULL ? gst_structure_to_string (s) : NULL;

  fail_unless (s == NULL, "%s", text);
}

static guint64
get_rejected (Rig *rig, const gchar *field)
{
  GstStructure *s;
  guint64 value;

  g_object_get (rig->element, "rejected", &s, NULL);
  fail_unless (gst_structure_get_uint64 (s, field, &value), "no %s", field);
  gst_structure_free (s);
  return value;
}

static guint64
get_channel_count (Rig *rig, guint channel)
{
  const GValue *list;
  GstStructure *s;
  guint64 value;

  g_object_get (rig->element, "rejected", &s, NULL);
  list = gst_structure_get_value (s, "channels");
  fail_unless_equals_int (gst_value_array_get_size (list), CHANNELS);
  value = g_value_get_uint64 (gst_value_array_get_value (list, channel));
  gst_structure_free (s);
  return value;
}

static void
drop_all (GstHarness *h)
{
  GstBuffer *buffer;

  while ((buffer = gst_harness_try_pull (h)) != NULL)
    gst_buffer_unref (buffer);
}

/* ---- each check ---- */

GST_START_TEST (test_checks)
{
  static const guint steps[] = { 100, 333, N, 1 };
  static const gchar *const fields[] = { "flat", "clipping", "range",
    "non-finite", "mains", "gap", "rate" };
  GstEegFormat format;
  guint s, f;

  for (format = GST_EEG_FORMAT_F32LE; format <= GST_EEG_FORMAT_F64LE; format++)
    for (s = 0; s < G_N_ELEMENTS (steps); s++) {
      guint64 found = 0;
      Rig rig;
      guint i;

      /* frame by frame takes long */
      if (steps[s] == 1 && __i__ % 8 != 0)
        continue;
      rig_init (&rig, cases[__i__].properties, format, "uV", FALSE);
      for (i = 0; i < N; i += steps[s])
        fail_unless_equals_int (gst_harness_push (rig.h,
                                    make_buffer (format, cases[__i__].signal,
                                        cases[__i__].strength, i,
                                        MIN (steps[s], N - i))),
            GST_FLOW_OK);
      drop_all (rig.h);
      if (cases[__i__].fails) {
        expect_fault (&rig, cases[__i__].check, "begin",
            strcmp (cases[__i__].check, "flat") == 0
                    || strcmp (cases[__i__].check, "mains") == 0
                ? 2000
                : 2500
                    + (cases[__i__].signal == rail_signal
                            ? (guint) cases[__i__].strength - 1
                            : cases[__i__].signal == top_rail_signal ? 2
                                                                     : 0),
            0, "C4");
        expect_fault (&rig, cases[__i__].check, "end", 3000, RATE, "C4");
      }
      expect_no_fault (&rig);
      for (f = 0; f < G_N_ELEMENTS (fields); f++) {
        guint64 n = get_rejected (&rig, fields[f]);

        found += n;
        if (n > 0)
          fail_unless_equals_string (fields[f], cases[__i__].check);
      }
      fail_unless_equals_uint64 (found, cases[__i__].fails);
      fail_unless_equals_uint64 (get_channel_count (&rig, FAULTY),
          cases[__i__].fails);
      fail_unless_equals_uint64 (get_channel_count (&rig, 0), 0);
      if (steps[s] > 1)
        fail_unless_equals_uint64 (get_rejected (&rig, "buffers"),
            cases[__i__].fails);
      rig_clear (&rig);
    }
}

GST_END_TEST;

/* Limits in uV hold in channels that have another unit. */
GST_START_TEST (test_units)
{
  static const struct
  {
    const gchar *unit;
    gdouble strength;
    const gchar *under, *over; /* than the strength in uV */
  } units[] = { { "uV", 1.5, "1.4", "1.6" }, { "mV", 0.003, "2.9", "3.1" },
    { "V", 0.001, "999", "1001" }, { "nV", 2, "0.0019", "0.0021" } };
  guint i, over;

  for (i = 0; i < G_N_ELEMENTS (units); i++)
    for (over = 0; over < 2; over++) {
      gchar *properties = g_strdup_printf ("checks=flat flat-limit=%s",
          over ? units[i].over : units[i].under);
      Rig rig;

      rig_init (&rig, properties, GST_EEG_FORMAT_F64LE, units[i].unit, FALSE);
      g_free (properties);
      gst_harness_push (rig.h,
          make_buffer (GST_EEG_FORMAT_F64LE, flat_signal, units[i].strength, 0,
              N));
      fail_unless_equals_uint64 (get_channel_count (&rig, FAULTY), over);
      rig_clear (&rig);
    }
}

GST_END_TEST;

/* A bad channel is not looked at; of a status word only whether it is a number.
 * Without a table all channels are looked at, and there are no rails. */
GST_START_TEST (test_channels)
{
  GstBuffer *buffer;
  GstMapInfo map;
  Rig rig;

  rig_init (&rig, "", GST_EEG_FORMAT_F64LE, "uV", TRUE);
  gst_harness_push (rig.h,
      make_buffer (GST_EEG_FORMAT_F64LE, nan_signal, NAN, 0, N));
  gst_harness_push (rig.h,
      make_buffer (GST_EEG_FORMAT_F64LE, flat_signal, 0, N, N));
  expect_no_fault (&rig);
  buffer = make_buffer (GST_EEG_FORMAT_F64LE, NULL, 0, 2 * N, 100);
  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  ((gdouble *) map.data)[3] = NAN;
  gst_buffer_unmap (buffer, &map);
  gst_harness_push (rig.h, buffer);
  expect_fault (&rig, "non-finite", "begin", 2 * N, 100, "Status");
  rig_clear (&rig);

  rig_init (&rig, "", GST_EEG_FORMAT_F64LE, NULL, FALSE);
  gst_harness_push (rig.h,
      make_buffer (GST_EEG_FORMAT_F64LE, peak_signal, 1e6, 0, N));
  gst_harness_push (rig.h,
      make_buffer (GST_EEG_FORMAT_F64LE, rail_signal, 10, N, N));
  fail_unless_equals_uint64 (get_rejected (&rig, "range"), 0);
  fail_unless_equals_uint64 (get_rejected (&rig, "clipping"), 0);
  g_object_set (rig.element, "range", 500.0, NULL);
  gst_harness_push (rig.h,
      make_buffer (GST_EEG_FORMAT_F64LE, NULL, 0, 2 * N, N));
  fail_unless_equals_uint64 (get_channel_count (&rig, 3), 5);
  fail_unless_equals_uint64 (get_channel_count (&rig, 0), 0);
  rig_clear (&rig);
}

GST_END_TEST;

/* Synthetic EEG is EEG. */
GST_START_TEST (test_clean)
{
  GstElement *pipeline = gst_parse_launch (
      "eegsrc driver=synthetic channels=64 num-samples=10000 ! rawtovoltage ! "
      "eegvalidate on-fail=error mains-limit=0.99 ! fakesink",
      NULL);
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
}

GST_END_TEST;

/* ---- gaps and the rate ---- */

GST_START_TEST (test_gap)
{
  GstBuffer *buffer;
  GstSegment segment;
  Rig rig;

  rig_init (&rig, "on-fail=flag", GST_EEG_FORMAT_F32LE, "uV", FALSE);
  /* where a stream begins is no gap */
  gst_harness_push (rig.h,
      make_buffer (GST_EEG_FORMAT_F32LE, NULL, 0, 500, 100));
  gst_harness_push (rig.h,
      make_buffer (GST_EEG_FORMAT_F32LE, NULL, 0, 600, 100));
  expect_no_fault (&rig);
  drop_all (rig.h);
  gst_harness_push (rig.h,
      make_buffer (GST_EEG_FORMAT_F32LE, NULL, 0, 750, 100));
  expect_fault (&rig, "gap", "begin", 700, 50, NULL);
  buffer = gst_harness_pull (rig.h);
  fail_unless (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_CORRUPTED));
  fail_unless (GST_BUFFER_IS_DISCONT (buffer));
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), 750);
  gst_buffer_unref (buffer);
  /* DISCONT alone says that something is missing */
  buffer = make_buffer (GST_EEG_FORMAT_F32LE, NULL, 0, 850, 100);
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  gst_harness_push (rig.h, buffer);
  expect_fault (&rig, "gap", "begin", 850, 0, NULL);
  fail_unless_equals_uint64 (get_rejected (&rig, "gap"), 2);
  drop_all (rig.h);

  /* no gap: another segment, a flush, a time in which nobody looked */
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = segment.time = 2 * GST_SECOND;
  gst_harness_push_event (rig.h, gst_event_new_segment (&segment));
  gst_harness_push (rig.h,
      make_buffer (GST_EEG_FORMAT_F32LE, NULL, 0, 2000, 100));
  gst_harness_push_event (rig.h, gst_event_new_flush_start ());
  gst_harness_push_event (rig.h, gst_event_new_flush_stop (TRUE));
  gst_harness_push_event (rig.h, gst_event_new_segment (&segment));
  gst_harness_push (rig.h,
      make_buffer (GST_EEG_FORMAT_F32LE, NULL, 0, 5000, 100));
  g_object_set (rig.element, "enabled", FALSE, NULL);
  gst_harness_push (rig.h,
      make_buffer (GST_EEG_FORMAT_F32LE, NULL, 0, 5100, 100));
  g_object_set (rig.element, "enabled", TRUE, NULL);
  gst_harness_push (rig.h,
      make_buffer (GST_EEG_FORMAT_F32LE, NULL, 0, 5200, 100));
  /* nor other settings */
  g_object_set (rig.element, "clip-samples", 5, NULL);
  gst_harness_push (rig.h,
      make_buffer (GST_EEG_FORMAT_F32LE, NULL, 0, 5300, 100));
  expect_no_fault (&rig);
  /* not looked for */
  g_object_set (rig.element, "checks", 1, NULL);
  gst_harness_push (rig.h,
      make_buffer (GST_EEG_FORMAT_F32LE, NULL, 0, 6300, 100));
  expect_no_fault (&rig);
  /* what comes after a gap is not left out */
  g_object_set (rig.element, "checks", 127, "on-fail", 2, NULL);
  drop_all (rig.h);
  gst_harness_push (rig.h,
      make_buffer (GST_EEG_FORMAT_F32LE, NULL, 0, 7000, 100));
  expect_fault (&rig, "gap", "begin", 6400, 600, NULL);
  fail_unless_equals_int (gst_harness_buffers_in_queue (rig.h), 1);
  rig_clear (&rig);
}

GST_END_TEST;

/* Time stamps that say another rate than the caps. */
GST_START_TEST (test_stamps)
{
  static const struct
  {
    gdouble factor;
    const gchar *properties;
    gboolean fails;
  } rates[] = { { 1, "", FALSE }, { 1.004, "", FALSE }, { 1.006, "", TRUE },
    { 0.996, "", FALSE }, { 0.994, "", TRUE },
    { 1.006, "rate-limit=10000", FALSE }, { 1.02, "rate-limit=10000", TRUE },
    { 1.006, "checks=flat", FALSE } };
  guint i, k;

  for (i = 0; i < G_N_ELEMENTS (rates); i++) {
    Rig rig;

    rig_init (&rig, rates[i].properties, GST_EEG_FORMAT_F32LE, "uV", FALSE);
    for (k = 0; k < 40; k++) {
      GstBuffer *buffer =
          make_buffer (GST_EEG_FORMAT_F32LE, NULL, 0, k * 100, 100);

      GST_BUFFER_PTS (buffer) = k * 100 * GST_MSECOND * rates[i].factor;
      gst_harness_push (rig.h, buffer);
    }
    fail_unless_equals_uint64 (get_rejected (&rig, "rate"),
        rates[i].fails ? 3 : 0);
    if (rates[i].fails)
      expect_fault (&rig, "rate", "begin", 0, 1000, NULL);
    rig_clear (&rig);
  }
}

GST_END_TEST;

/* Samples that come live faster or slower than the clock, at a test's clock. */
GST_START_TEST (test_arrival)
{
  static const struct
  {
    guint step; /* ms for 100 samples */
    gboolean live, fails;
  } rates[] = { { 100, TRUE, FALSE }, { 101, TRUE, TRUE }, { 99, TRUE, TRUE },
    { 50, FALSE, FALSE }, { 0, TRUE, TRUE } };
  guint i, k;

  for (i = 0; i < G_N_ELEMENTS (rates); i++) {
    Rig rig;

    rig_init (&rig, "checks=rate", GST_EEG_FORMAT_F32LE, "uV", FALSE);
    gst_harness_use_testclock (rig.h);
    gst_harness_set_live (rig.h, rates[i].live);
    for (k = 0; k < 205; k++) {
      gst_harness_set_time (rig.h, (k + 1) * rates[i].step * GST_MSECOND);
      gst_harness_push (rig.h,
          make_buffer (GST_EEG_FORMAT_F32LE, NULL, 0, k * 100, 100));
      if (k == 130 && i == 1) {
        /* a pause is no deviation, and what came before it does not count */
        gst_element_set_state (rig.element, GST_STATE_PAUSED);
        gst_element_set_state (rig.element, GST_STATE_PLAYING);
      }
    }
    fail_unless_equals_uint64 (get_rejected (&rig, "rate"),
        !rates[i].fails ? 0
            : i == 1    ? 1
                        : 2);
    rig_clear (&rig);
  }
}

GST_END_TEST;

/* ---- what is done ---- */

/* Buffers in which nothing is wrong go on as they are, though shared. */
GST_START_TEST (test_no_copy)
{
  GstBuffer *buffer, *out;
  Rig rig;
  guint i;

  rig_init (&rig, "on-fail=flag", GST_EEG_FORMAT_F32LE, "uV", FALSE);
  for (i = 0; i < 5; i++) {
    buffer = make_buffer (GST_EEG_FORMAT_F32LE, NULL, 0, i * 700, 700);
    if (i == 0)
      GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
    gst_buffer_ref (buffer);
    out = gst_harness_push_and_pull (rig.h, buffer);
    fail_unless (out == buffer);
    gst_buffer_unref (out);
    gst_buffer_unref (buffer);
  }
  /* one in which something is shares its memory */
  buffer = make_buffer (GST_EEG_FORMAT_F32LE, nan_signal, NAN, 3500, 100);
  gst_buffer_ref (buffer);
  out = gst_harness_push_and_pull (rig.h, buffer);
  fail_unless (
      gst_buffer_peek_memory (out, 0) == gst_buffer_peek_memory (buffer, 0));
  gst_buffer_unref (out);
  gst_buffer_unref (buffer);
  fail_unless_equals_uint64 (gst_harness_query_latency (rig.h), 0);
  rig_clear (&rig);
}

GST_END_TEST;

GST_START_TEST (test_flag)
{
  GstEegMarkerMeta *marker;
  gpointer state = NULL;
  GstBuffer *buffer;
  Rig rig;
  guint i;

  rig_init (&rig, "on-fail=flag", GST_EEG_FORMAT_F64LE, "uV", FALSE);
  for (i = 0; i < N; i += 250)
    gst_harness_push (rig.h,
        make_buffer (GST_EEG_FORMAT_F64LE, flat_signal, 0, i, 250));
  for (i = 0; i < N; i += 250) {
    buffer = gst_harness_pull (rig.h);
    /* the window ends with this one */
    fail_unless_equals_int (GST_BUFFER_FLAG_IS_SET (buffer,
                                GST_BUFFER_FLAG_CORRUPTED)
            != 0,
        i == 2750);
    state = NULL;
    marker = gst_buffer_iterate_eeg_marker_meta (buffer, &state);
    if (i == 2750) {
      fail_unless_equals_string (marker->text, "BAD_flat C4");
      fail_unless_equals_uint64 (marker->time, 2 * GST_SECOND);
      fail_unless_equals_uint64 (marker->duration, GST_SECOND);
      fail_unless (gst_buffer_iterate_eeg_marker_meta (buffer, &state) == NULL);
    } else {
      fail_unless (marker == NULL);
    }
    gst_buffer_unref (buffer);
  }
  rig_clear (&rig);
}

GST_END_TEST;

static gint
find_event (GstHarness *h, GstEventType type, GstClockTime *time,
    GstClockTime *duration)
{
  GstEvent *event;
  gint n = 0;

  while ((event = gst_harness_try_pull_event (h)) != NULL) {
    if (GST_EVENT_TYPE (event) == type) {
      gst_event_parse_gap (event, time, duration);
      n++;
    }
    gst_event_unref (event);
  }
  return n;
}

GST_START_TEST (test_leave_out)
{
  GstClockTime time, duration;
  guint64 begin, count;
  GstMessage *message;
  GstStructure *stats;
  GstBuffer *buffer;
  Rig rig;
  guint i;

  rig_init (&rig, "on-fail=gap", GST_EEG_FORMAT_F32LE, "uV", FALSE);
  for (i = 0; i < N; i += 100) {
    buffer = make_buffer (GST_EEG_FORMAT_F32LE, nan_signal, NAN, i, 100);
    gst_buffer_add_eeg_marker_meta (buffer, i * GST_MSECOND, 0, "stimulus");
    gst_harness_push (rig.h, buffer);
  }
  for (i = 0; i < N; i += 100) {
    if (i == 2500)
      continue;
    buffer = gst_harness_pull (rig.h);
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), i);
    fail_unless_equals_int (GST_BUFFER_IS_DISCONT (buffer) != 0,
        i == 0 || i == 2600);
    fail_unless_equals_int (gst_buffer_get_n_meta (buffer,
                                GST_EEG_MARKER_META_API_TYPE),
        i == 2600 ? 2 : 1);
    gst_buffer_unref (buffer);
  }
  fail_unless_equals_int (find_event (rig.h, GST_EVENT_GAP, &time, &duration),
      1);
  fail_unless_equals_uint64 (time, 2500 * GST_MSECOND);
  fail_unless_equals_uint64 (duration, 100 * GST_MSECOND);
  while ((message = gst_bus_pop (rig.bus)) != NULL
      && !gst_eeg_message_parse_loss (message, &begin, &count, NULL))
    gst_message_unref (message);
  fail_unless (message != NULL);
  fail_unless (begin == 2500 && count == 100);
  gst_message_unref (message);
  g_object_get (rig.element, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, "lost", &count));
  fail_unless_equals_uint64 (count, 100);
  gst_structure_free (stats);
  rig_clear (&rig);
}

GST_END_TEST;

GST_START_TEST (test_error)
{
  GstFlowReturn ret = GST_FLOW_OK;
  Rig rig;
  guint i;

  rig_init (&rig, "on-fail=error", GST_EEG_FORMAT_F32LE, "uV", FALSE);
  for (i = 0; i < N && ret == GST_FLOW_OK; i += 100)
    ret = gst_harness_push (rig.h,
        make_buffer (GST_EEG_FORMAT_F32LE, peak_signal, 2000, i, 100));
  fail_unless_equals_int (ret, GST_FLOW_ERROR);
  fail_unless_equals_int (i, 2600);
  fail_unless_equals_int (gst_harness_buffers_in_queue (rig.h), 25);
  samples_check_message (rig.bus, GST_MESSAGE_ERROR, GST_STREAM_ERROR,
      GST_STREAM_ERROR_FAILED);
  rig_clear (&rig);
}

GST_END_TEST;

/* Goes on after faults: several, one after the other and at once. A fault that
 * lasts is posted once, and counted for each window. */
GST_START_TEST (test_goes_on)
{
  Rig rig;
  guint i;

  rig_init (&rig, "", GST_EEG_FORMAT_F64LE, "uV", FALSE);
  for (i = 0; i < 3; i++) {
    GstBuffer *buffer =
        make_buffer (GST_EEG_FORMAT_F64LE, NULL, 0, i * 1000, 1000);
    GstMapInfo map;
    guint f;

    gst_buffer_map (buffer, &map, GST_MAP_WRITE);
    for (f = 0; f < 1000; f++)
      ((gdouble *) map.data)[f * CHANNELS + 2] = 7;
    ((gdouble *) map.data)[4 * CHANNELS] = INFINITY;
    gst_buffer_unmap (buffer, &map);
    gst_harness_push (rig.h, buffer);
  }
  expect_fault (&rig, "non-finite", "begin", 4, 1000, "C3");
  expect_fault (&rig, "flat", "begin", 4, 1000, "Cz");
  expect_no_fault (&rig);
  fail_unless_equals_uint64 (get_rejected (&rig, "flat"), 3);
  fail_unless_equals_uint64 (get_rejected (&rig, "non-finite"), 3);
  fail_unless_equals_uint64 (get_rejected (&rig, "buffers"), 3);
  gst_harness_push (rig.h,
      make_buffer (GST_EEG_FORMAT_F64LE, NULL, 0, 3000, 1000));
  expect_fault (&rig, "flat", "end", 3000, 1000, "Cz");
  expect_fault (&rig, "non-finite", "end", 3000, 1000, "C3");
  expect_no_fault (&rig);
  rig_clear (&rig);
}

GST_END_TEST;

/* Whole windows, with an eegbatch in front. */
GST_START_TEST (test_whole_windows)
{
  GstHarness *h =
      gst_harness_new_parse ("eegbatch samples=1000 ! eegvalidate on-fail=gap");
  GstBuffer *buffer;
  guint i;

  gst_harness_set_src_caps (h,
      samples_caps (GST_EEG_FORMAT_F32LE, RATE, 1, CHANNELS,
          make_table ("uV", FALSE)));
  for (i = 0; i < N; i += 100)
    gst_harness_push (h,
        make_buffer (GST_EEG_FORMAT_F32LE, mains_50_signal, 0.8, i, 100));
  for (i = 0; i < N; i += 1000) {
    if (i == 2000)
      continue;
    buffer = gst_harness_pull (h);
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), i);
    gst_buffer_unref (buffer);
  }
  gst_harness_teardown (h);
}

GST_END_TEST;

/* ---- settings, state, size ---- */

GST_START_TEST (test_bad_settings)
{
  static const gchar *const bad[] = { "flat-limit=-1", "clip-samples=0",
    "range=-1", "mains-frequency=-50", "mains-limit=0", "mains-limit=1.5",
    "rate-limit=0" };
  GstBus *bus = gst_bus_new ();
  guint i;

  for (i = 0; i < G_N_ELEMENTS (bad); i++) {
    gchar *line = g_strdup_printf ("eegvalidate %s", bad[i]);
    GstElement *bin = gst_parse_launch (line, NULL);
    GstElement *element = gst_object_ref_sink (bin);

    gst_element_set_bus (element, bus);
    fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
        GST_STATE_CHANGE_FAILURE);
    samples_check_message (bus, GST_MESSAGE_ERROR, GST_LIBRARY_ERROR,
        GST_LIBRARY_ERROR_SETTINGS);
    gst_element_set_bus (element, NULL);
    gst_element_set_state (element, GST_STATE_NULL);
    gst_object_unref (element);
    g_free (line);
  }
  /* known to be wrong only with the rate */
  for (i = 0; i < 2; i++) {
    Rig rig;

    rig_init (&rig, i == 0 ? "window=1000000" : "window=18446744073709551615",
        GST_EEG_FORMAT_F32LE, "uV", FALSE);
    fail_unless_equals_int (gst_harness_push (rig.h,
                                make_buffer (GST_EEG_FORMAT_F32LE, NULL, 0, 0,
                                    10)),
        GST_FLOW_NOT_NEGOTIATED);
    samples_check_message (rig.bus, GST_MESSAGE_ERROR, GST_LIBRARY_ERROR,
        GST_LIBRARY_ERROR_SETTINGS);
    rig_clear (&rig);
  }
  gst_object_unref (bus);
}

GST_END_TEST;

GST_START_TEST (test_hot)
{
  gdouble limit;
  Rig rig;

  rig_init (&rig, "", GST_EEG_FORMAT_F32LE, "uV", FALSE);
  gst_harness_push (rig.h,
      make_buffer (GST_EEG_FORMAT_F32LE, peak_signal, 500, 0, N));
  expect_no_fault (&rig);
  g_object_set (rig.element, "range", 400.0, "window", GST_SECOND / 2, NULL);
  gst_harness_push (rig.h,
      make_buffer (GST_EEG_FORMAT_F32LE, peak_signal, 500, 0, 10));
  gst_harness_push (rig.h,
      make_buffer (GST_EEG_FORMAT_F32LE, NULL, 500, 10, 2490));
  gst_harness_push (rig.h,
      make_buffer (GST_EEG_FORMAT_F32LE, peak_signal, 500, 2500, 1000));
  expect_fault (&rig, "range", "begin", 2500, 500, "C4");
  expect_fault (&rig, "range", "end", 3000, 500, "C4");
  expect_no_fault (&rig);

  g_object_set (rig.element, "mains-limit", 2.0, NULL);
  samples_check_message (rig.bus, GST_MESSAGE_WARNING, GST_LIBRARY_ERROR,
      GST_LIBRARY_ERROR_SETTINGS);
  g_object_get (rig.element, "mains-limit", &limit, NULL);
  fail_unless_equals_float (limit, 0.5);
  g_object_set (rig.element, "window", G_GUINT64_CONSTANT (1), NULL);
  samples_check_message (rig.bus, GST_MESSAGE_WARNING, GST_LIBRARY_ERROR,
      GST_LIBRARY_ERROR_SETTINGS);
  rig_clear (&rig);
}

GST_END_TEST;

/* Windows go on where they were counted. */
GST_START_TEST (test_state)
{
  GError *error = NULL;
  GBytes *state, *wrong;
  guint i;
  Rig rig;

  rig_init (&rig, "", GST_EEG_FORMAT_F32LE, "uV", FALSE);
  fail_unless (gst_eeg_stage_can_save_state (GST_EEG_STAGE (rig.element)));
  gst_harness_push (rig.h,
      make_buffer (GST_EEG_FORMAT_F32LE, NULL, 0, 400, 2200));
  state = gst_eeg_stage_save_state (GST_EEG_STAGE (rig.element), NULL);
  fail_unless_equals_uint64 (gst_eeg_stage_look_back (
                                 GST_EEG_STAGE (rig.element)),
      999);
  rig_clear (&rig);

  for (i = 0; i < 4; i++) {
    GstHarness *h = gst_harness_new_parse (
        i == 1 ? "eegvalidate window=500000000" : "eegvalidate");

    rig.h = h;
    rig.element = samples_element (h);
    rig.bus = gst_bus_new ();
    gst_element_set_bus (rig.element, rig.bus);
    fail_unless (gst_eeg_stage_restore_state (GST_EEG_STAGE (rig.element),
        state, &error));
    gst_harness_set_src_caps (h,
        samples_caps (GST_EEG_FORMAT_F32LE, RATE, 1, CHANNELS,
            make_table ("uV", FALSE)));
    if (i == 0) {
      gst_harness_push (h,
          make_buffer (GST_EEG_FORMAT_F32LE, flat_signal, 0, 2600, 1700));
      /* windows are 2400 to 3399 and 3400 to 4399: neither is whole */
      expect_no_fault (&rig);
    } else if (i == 1) {
      fail_unless_equals_int (gst_harness_push (h,
                                  make_buffer (GST_EEG_FORMAT_F32LE, NULL, 0,
                                      2600, 10)),
          GST_FLOW_ERROR);
      samples_check_message (rig.bus, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_SETTINGS);
    } else if (i == 2) {
      fail_unless_equals_int (gst_harness_push (h,
                                  make_buffer (GST_EEG_FORMAT_F32LE, NULL, 0,
                                      2599, 10)),
          GST_FLOW_ERROR);
      samples_check_message (rig.bus, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_SETTINGS);
    } else {
      wrong = g_bytes_new_from_bytes (state, 0, 20);
      fail_if (gst_eeg_stage_restore_state (GST_EEG_STAGE (rig.element), wrong,
          &error));
      g_clear_error (&error);
      g_bytes_unref (wrong);
    }
    rig_clear (&rig);
  }
  g_bytes_unref (state);
}

GST_END_TEST;

static GstBuffer *
stress_buffer (GstHarness *h, gpointer data)
{
  guint64 *next = data;
  GstBuffer *buffer = make_buffer (GST_EEG_FORMAT_F32LE, NULL, 0, *next, 100);

  *next += 100;
  return buffer;
}

/* Settings change and counts are read while buffers flow: none is lost, and
 * nothing is found that is not there. */
GST_START_TEST (test_stress)
{
  GstCaps *caps = samples_caps (GST_EEG_FORMAT_F32LE, RATE, 1, CHANNELS,
      make_table ("uV", FALSE));
  GValue window = G_VALUE_INIT, limit = G_VALUE_INIT;
  GstHarnessThread *threads[3];
  GstSegment segment;
  guint64 next = 0;
  guint i;
  Rig rig;

  rig.h = gst_harness_new ("eegvalidate");
  rig.element = gst_object_ref (rig.h->element);
  rig.bus = gst_bus_new ();
  gst_element_set_bus (rig.element, rig.bus);
  gst_util_set_object_arg (G_OBJECT (rig.element), "checks",
      "flat+clipping+range+non-finite+mains+gap");
  gst_harness_set_src_caps (rig.h, gst_caps_ref (caps));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  g_value_init (&window, G_TYPE_UINT64);
  g_value_set_uint64 (&window, 300 * GST_MSECOND);
  g_value_init (&limit, G_TYPE_DOUBLE);
  g_value_set_double (&limit, 0.9);
  threads[0] = gst_harness_stress_push_buffer_with_cb_start (rig.h, caps,
      &segment, stress_buffer, &next, NULL);
  threads[1] =
      gst_harness_stress_property_start_full (rig.h, "window", &window, 900);
  threads[2] = gst_harness_stress_property_start_full (rig.h, "mains-limit",
      &limit, 700);
  for (i = 0; i < 60; i++) {
    g_object_set (rig.element, "on-fail", i % 3, "enabled", i % 7 != 3, NULL);
    get_rejected (&rig, "buffers");
    g_usleep (2000);
  }
  for (i = 0; i < 3; i++)
    gst_harness_stress_thread_stop (threads[2 - i]);
  expect_no_fault (&rig);
  fail_unless_equals_uint64 (gst_harness_buffers_received (rig.h), next / 100);
  g_value_unset (&window);
  g_value_unset (&limit);
  gst_caps_unref (caps);
  rig_clear (&rig);
}

GST_END_TEST;

GST_START_TEST (test_many_channels)
{
  GstHarness *h = gst_harness_new ("eegvalidate");
  const guint channels = 4096;
  GstStructure *s;
  guint64 count;
  guint i;

  g_object_set (h->element, "window", 30 * GST_MSECOND, NULL);
  gst_harness_set_src_caps (h,
      samples_caps (GST_EEG_FORMAT_F64LE, 1000, 3, channels,
          samples_table (channels, NULL)));
  for (i = 0; i < 5; i++) {
    GstBuffer *buffer = gst_buffer_new_allocate (NULL, 3 * 8 * channels, NULL);

    gst_buffer_memset (buffer, 0, 0, 3 * 8 * channels);
    GST_BUFFER_OFFSET (buffer) = i * 3;
    gst_harness_push (h, buffer);
  }
  g_object_get (h->element, "rejected", &s, NULL);
  fail_unless (gst_structure_get_uint64 (s, "flat", &count));
  /* one window of 10 samples; status words are not looked at */
  fail_unless_equals_uint64 (count, channels / 8 * 7);
  gst_structure_free (s);
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
eegvalidate_suite (void)
{
  Suite *s = suite_create ("eegvalidate");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_checks, 0, G_N_ELEMENTS (cases));
  tcase_add_test (tc, test_units);
  tcase_add_test (tc, test_channels);
  tcase_add_test (tc, test_clean);
  tcase_add_test (tc, test_gap);
  tcase_add_test (tc, test_stamps);
  tcase_add_test (tc, test_arrival);
  tcase_add_test (tc, test_no_copy);
  tcase_add_test (tc, test_flag);
  tcase_add_test (tc, test_leave_out);
  tcase_add_test (tc, test_error);
  tcase_add_test (tc, test_goes_on);
  tcase_add_test (tc, test_whole_windows);
  tcase_add_test (tc, test_bad_settings);
  tcase_add_test (tc, test_hot);
  tcase_add_test (tc, test_state);
  tcase_add_test (tc, test_stress);
  tcase_add_test (tc, test_many_channels);
  return s;
}

GST_CHECK_MAIN (eegvalidate);
