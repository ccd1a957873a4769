/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stages of samples cut at a barrier and continued by another element. */
#include "eeg-samples.h"

#define RATE 500
#define CHANNELS 8
#define N_SAMPLES 40000
#define N_CUTS 3

/* What came out, in order: bytes, and in words all that goes with them. */
typedef struct
{
  GByteArray *bytes;
  GString *text;
  GstEegBarrier *barrier;
  gsize barrier_bytes; /* before the barrier */
  gsize barrier_text;
  gboolean has_barrier;
  gint has_ended; /* atomic */
} Log;

static guint32 seed;

static void
read_seed (void)
{
  const gchar *text = g_getenv ("GSTEEG_TEST_SEED");

  seed = text != NULL ? (guint32) g_ascii_strtoull (text, NULL, 10)
                      : g_random_int ();
  g_print ("GSTEEG_TEST_SEED=%u\n", seed);
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

static GstPadProbeReturn
log_output (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Log *log = user_data;

  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER) {
    GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
    GstMapInfo map;

    fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
    g_byte_array_append (log->bytes, map.data, map.size);
    gst_buffer_unmap (buffer, &map);
    gst_buffer_foreach_meta (buffer, log_marker, log);
  } else {
    GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
    GstEegBarrier *barrier;
    GstClockTime start, duration;

    if (GST_EVENT_TYPE (event) == GST_EVENT_EOS) {
      g_atomic_int_set (&log->has_ended, TRUE);
    } else if (gst_eeg_event_parse_barrier (event, &barrier)
        && barrier == log->barrier) {
      log->has_barrier = TRUE;
      log->barrier_bytes = log->bytes->len;
      log->barrier_text = log->text->len;
    } else if (GST_EVENT_TYPE (event) == GST_EVENT_GAP) {
      gst_event_parse_gap (event, &start, &duration);
      g_string_append_printf (log->text,
          "gap at %" G_GUINT64_FORMAT " for %" G_GUINT64_FORMAT "\n", start,
          duration);
    }
  }
  /* the harness would keep them all */
  return GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER
      ? GST_PAD_PROBE_DROP
      : GST_PAD_PROBE_OK;
}

typedef struct
{
  const gchar *launch;
  GstEegFormat format;
} Stage;

static const Stage stages[] = {
  { "rawtovoltage", GST_EEG_FORMAT_S24LE },
  { "voltagetoraw", GST_EEG_FORMAT_F32LE },
  { "eegreference", GST_EEG_FORMAT_F32LE },
  { "eegselect channels=E0,E2", GST_EEG_FORMAT_F32LE },
  { "eegbatch samples=777", GST_EEG_FORMAT_F32LE },
  { "eegbatch duration=333000000", GST_EEG_FORMAT_F64LE },
  { "firfilter taps=101 latency=none mode=band-pass low=1 high=40",
      GST_EEG_FORMAT_F32LE },
  { "firfilter taps=101 latency=none phase=minimum high=40 mode=low-pass",
      GST_EEG_FORMAT_F64LE },
  { "firfilter taps=2001 latency=none mode=band-pass low=1 high=40 "
    "initial=reflect",
      GST_EEG_FORMAT_F32LE },
  { "firfilter taps=2001 latency=block mode=band-pass low=1 high=40",
      GST_EEG_FORMAT_F32LE },
  { "firfilter taps=2001 latency=block gap-policy=hold low=1 mode=high-pass",
      GST_EEG_FORMAT_F64LE },
  { "firfilter taps=501 latency=none gap-policy=hold low=1 mode=high-pass",
      GST_EEG_FORMAT_F32LE },
  { "firfilter enabled=false", GST_EEG_FORMAT_F32LE },
  { "iirfilter notch=50", GST_EEG_FORMAT_F32LE },
  { "iirfilter initial=zero design=chebyshev1 order=6", GST_EEG_FORMAT_F64LE },
  { "eegdecimate rate=125/1", GST_EEG_FORMAT_F32LE },
  { "eegdecimate rate=200/1", GST_EEG_FORMAT_F64LE },
  { "eegstats", GST_EEG_FORMAT_F32LE },
  { "eegvalidate on-fail=flag range=3000 window=200000000",
      GST_EEG_FORMAT_F32LE },
  { "eegvalidate on-fail=gap range=4000 window=300000000",
      GST_EEG_FORMAT_F32LE },
  { "edfmux", GST_EEG_FORMAT_S24LE },
  { "edfmux gaps=discontinuous record-duration=700000000",
      GST_EEG_FORMAT_S16LE },
  { "edfmux gaps=fill", GST_EEG_FORMAT_F32LE },
  { "eegpackenc threads=1", GST_EEG_FORMAT_S24LE },
  { "eegpackenc threads=2", GST_EEG_FORMAT_F32LE },
  /* more blocks than one index tells of, also between two barriers */
  { "eegpackenc threads=8 block-duration=8000000 effort=fast",
      GST_EEG_FORMAT_S16LE },
  { "eegpackenc threads=1 block-duration=700000000", GST_EEG_FORMAT_S32LE },
};

/* With request pads, and a state that is taken over later. */
static gboolean
is_container (const Stage *stage)
{
  return g_str_has_prefix (stage->launch, "edfmux")
      || g_str_has_prefix (stage->launch, "eegpackenc");
}

static GstHarness *
make_harness (const Stage *stage, GBytes *state, Log *log)
{
  GstElement *element = gst_parse_launch (stage->launch, NULL);
  GError *error = NULL;
  GstHarness *h;

  fail_unless (element != NULL, "%s", stage->launch);
  gst_object_ref_sink (element);
  if (state != NULL)
    fail_unless (gst_eeg_stage_restore_state (GST_EEG_STAGE (element), state,
                     &error),
        "%s", stage->launch);
  h = gst_harness_new_with_element (element,
      is_container (stage) ? "sink_0" : "sink", "src");
  gst_harness_set_live (h, FALSE);
  gst_pad_add_probe (h->sinkpad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
      log_output, log, NULL);
  gst_harness_set_src_caps (h,
      samples_caps (stage->format, RATE, 1, CHANNELS,
          samples_table (CHANNELS, NULL)));
  gst_object_unref (element);
  return h;
}

static void
log_init (Log *log, GstEegBarrier *barrier)
{
  log->bytes = g_byte_array_new ();
  log->text = g_string_new (NULL);
  log->barrier = barrier;
  log->has_barrier = FALSE;
  log->has_ended = FALSE;
}

static void
log_clear (Log *log)
{
  g_byte_array_unref (log->bytes);
  g_string_free (log->text, TRUE);
}

/* Where the input has holes, in samples. */
typedef struct
{
  guint at, length;
} Hole;

/* Buffers of sizes that follow from the position alone, so that a stream that
 * goes on has the same ones; a marker on each third. */
static void
push (GstHarness *h, const Stage *stage, guint from, guint to,
    const Hole *holes, guint n_holes, gboolean discont)
{
  GstEegInfo info;
  guint at = from, i;

  gst_eeg_info_init (&info);
  gst_eeg_info_set (&info, stage->format, GST_EEG_DOMAIN_COUNTS, RATE, 1,
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
    buffer = samples_buffer (stage->format, CHANNELS, at, end - at);
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
      if (is_container (stage))
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

/* edfmux has a thread of its own. */
static void
wait_for_end (GstHarness *h, Log *log)
{
  guint i;

  fail_unless (gst_harness_push_event (h, gst_eeg_event_new_complete (1)));
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  for (i = 0; i < 20000 && !g_atomic_int_get (&log->has_ended); i++)
    g_usleep (1000);
  fail_unless (g_atomic_int_get (&log->has_ended));
}

static void
check_cut (const Stage *stage, guint cut, const Hole *holes, guint n_holes)
{
  GstEegBarrier *barrier = gst_eeg_barrier_new (1, cut);
  GstHarness *h;
  Log whole, rest;
  GBytes *state;
  gchar *failure, *a, *b;

  log_init (&whole, barrier);
  h = make_harness (stage, NULL, &whole);
  push (h, stage, 0, cut, holes, n_holes, TRUE);
  fail_unless (gst_harness_push_event (h, gst_eeg_event_new_barrier (barrier)));
  push (h, stage, cut, N_SAMPLES, holes, n_holes, FALSE);
  wait_for_end (h, &whole);
  fail_unless (whole.has_barrier, "%s", stage->launch);
  failure = gst_eeg_barrier_get_failure (barrier);
  fail_unless (failure == NULL, "%s", failure);
  state = gst_eeg_barrier_get_state (barrier, GST_EEG_STAGE (h->element));
  fail_unless (state != NULL);
  gst_harness_teardown (h);

  log_init (&rest, NULL);
  h = make_harness (stage, state, &rest);
  /* a source flags the first buffer that it sends */
  push (h, stage, cut, N_SAMPLES, holes, n_holes, TRUE);
  wait_for_end (h, &rest);
  gst_harness_teardown (h);

  fail_unless (whole.bytes->len == whole.barrier_bytes + rest.bytes->len
          && (rest.bytes->len == 0
              || memcmp (whole.bytes->data + whole.barrier_bytes,
                     rest.bytes->data, rest.bytes->len)
                  == 0),
      "%s, cut at %u: %u bytes behind the barrier, then %u", stage->launch, cut,
      (guint) (whole.bytes->len - whole.barrier_bytes), rest.bytes->len);
  for (a = whole.text->str + whole.barrier_text, b = rest.text->str;
       *a != '\0' && *a == *b; a++)
    b++;
  fail_unless (*a == *b, "%s, cut at %u: \"%.60s\", then \"%.60s\"",
      stage->launch, cut, a, b);

  g_bytes_unref (state);
  gst_eeg_barrier_unref (barrier);
  log_clear (&whole);
  log_clear (&rest);
}

GST_START_TEST (test_cuts)
{
  const Stage *stage = &stages[__i__];
  GRand *random = g_rand_new_with_seed (seed + __i__);
  guint i;

  for (i = 0; i < N_CUTS; i++)
    check_cut (stage, g_rand_int_range (random, 1, N_SAMPLES), NULL, 0);
  check_cut (stage, 1, NULL, 0);
  check_cut (stage, N_SAMPLES - 1, NULL, 0);
  check_cut (stage, N_SAMPLES, NULL, 0);
  g_rand_free (random);
}

GST_END_TEST;

/* Barriers before, in, behind and far from holes. */
GST_START_TEST (test_cuts_and_gaps)
{
  static const Hole holes[] = { { 10000, 100 }, { 20000, 7000 },
    { 30000, 1000 }, { 30500, 700 } };
  const Stage *stage = &stages[__i__];
  GRand *random = g_rand_new_with_seed (seed + __i__);
  static const guint cuts[] = { 9999, 10000, 10100, 10150, 19000, 19999, 20000,
    27000, 27001, 29000 };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (cuts); i++)
    check_cut (stage, cuts[i], holes, 2);
  for (i = 0; i < N_CUTS; i++)
    check_cut (stage, g_rand_int_range (random, 1, N_SAMPLES), holes, 3);
  g_rand_free (random);
}

GST_END_TEST;

/* A state that is cut or of another version, a stream that begins before it. */
GST_START_TEST (test_wrong_states)
{
  const Stage *stage = &stages[__i__];
  GstEegBarrier *barrier = gst_eeg_barrier_new (1, 5000);
  GstElement *element;
  GBytes *state, *broken;
  GError *error = NULL;
  guint8 *copy;
  gsize size;
  GstHarness *h;
  Log log;

  log_init (&log, barrier);
  h = make_harness (stage, NULL, &log);
  push (h, stage, 0, 5000, NULL, 0, TRUE);
  fail_unless (gst_harness_push_event (h, gst_eeg_event_new_barrier (barrier)));
  push (h, stage, 5000, N_SAMPLES, NULL, 0, FALSE);
  wait_for_end (h, &log);
  state = gst_eeg_barrier_get_state (barrier, GST_EEG_STAGE (h->element));
  gst_harness_teardown (h);
  log_clear (&log);
  gst_eeg_barrier_unref (barrier);
  size = g_bytes_get_size (state);
  /* for a stage without a state there is none that could be wrong */
  if (size == 0) {
    g_bytes_unref (state);
    return;
  }

  element = gst_parse_launch (stage->launch, NULL);
  gst_object_ref_sink (element);
  copy = g_memdup2 (g_bytes_get_data (state, NULL), size);
  copy[0]++;
  broken = g_bytes_new_take (copy, size);
  fail_if (
      gst_eeg_stage_restore_state (GST_EEG_STAGE (element), broken, &error));
  fail_unless (
      g_error_matches (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS));
  g_clear_error (&error);
  g_bytes_unref (broken);
  broken = g_bytes_new_from_bytes (state, 0, 1);
  fail_if (
      gst_eeg_stage_restore_state (GST_EEG_STAGE (element), broken, &error));
  g_clear_error (&error);
  g_bytes_unref (broken);
  gst_object_unref (element);

  /* those of whose samples the state knows where they go on */
  if (size > 24 && !is_container (stage)) {
    GstBus *bus = gst_bus_new ();
    GstMessage *message;
    guint i;

    for (i = 0; i < 2; i++) {
      broken = g_bytes_new_from_bytes (state, 0, size - i);
      log_init (&log, NULL);
      h = make_harness (stage, broken, &log);
      gst_element_set_bus (h->element, bus);
      fail_unless_equals_int (gst_harness_push (h,
                                  samples_buffer (stage->format, CHANNELS,
                                      i == 0 ? 4000 : 5000, 10)),
          GST_FLOW_ERROR);
      message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
      fail_unless (message != NULL);
      gst_message_parse_error (message, &error, NULL);
      fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_SETTINGS));
      g_clear_error (&error);
      gst_message_unref (message);
      gst_element_set_bus (h->element, NULL);
      gst_harness_teardown (h);
      log_clear (&log);
      g_bytes_unref (broken);
    }
    gst_object_unref (bus);
  }
  g_bytes_unref (state);
}

GST_END_TEST;

static Suite *
samplebarrier_suite (void)
{
  Suite *suite = suite_create ("samplebarrier");
  TCase *tc = tcase_create ("general");

  read_seed ();
  suite_add_tcase (suite, tc);
  tcase_add_loop_test (tc, test_cuts, 0, G_N_ELEMENTS (stages));
  tcase_add_loop_test (tc, test_cuts_and_gaps, 0, G_N_ELEMENTS (stages));
  tcase_add_loop_test (tc, test_wrong_states, 0, G_N_ELEMENTS (stages));
  return suite;
}

GST_CHECK_MAIN (samplebarrier);
