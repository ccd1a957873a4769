/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GstEegFilter under a subclass that is nothing like one to one: it keeps every
 * third frame and the first channel of it, and holds two frames back. */
#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/eeg/eeg.h>

#include <string.h>

#define RATE 300
#define CHANNELS 2
#define FACTOR 3
#define DELAY 2 /* input frames */

typedef struct
{
  GstEegFilter parent;
  guint64 in, out; /* frames of this run */
  guint64 first;   /* what map_index() was asked */
  gfloat held[64]; /* of those not given out yet */
  guint n_held;
  guint resets, infos;
  gboolean fails;
  const gchar *label;
  const gchar *next_label; /* atomic */
} ThirdFilter;
typedef GstEegFilterClass ThirdFilterClass;

static GType third_filter_get_type (void);
G_DEFINE_TYPE (ThirdFilter, third_filter, GST_TYPE_EEG_FILTER)

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (GST_EEG_RAW_CAPS_MAKE ("F32LE", "voltage")));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (GST_EEG_RAW_CAPS_MAKE ("F32LE", "voltage")));

static GstCaps *
make_caps (gint rate, gint channels)
{
  GstEegInfo info;
  GstCaps *caps;

  gst_eeg_info_init (&info);
  gst_eeg_info_set (&info, GST_EEG_FORMAT_F32LE, GST_EEG_DOMAIN_VOLTAGE, rate,
      1, channels, NULL);
  caps = gst_eeg_info_to_caps (&info);
  gst_eeg_info_clear (&info);
  return caps;
}

static gboolean
third_transform_info (GstEegFilter *filter, const GstEegInfo *in_info,
    GstEegInfo *out_info, GError **error)
{
  ThirdFilter *self = (ThirdFilter *) filter;

  if (in_info->channels != CHANNELS) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "not so many channels");
    return FALSE;
  }
  out_info->rate_n /= FACTOR;
  out_info->channels = 1;
  if (self->label != NULL)
    out_info->channel_table =
        gst_eeg_channels_new (&(GstEegChannel){ .label = self->label }, 1);
  return TRUE;
}

static void
third_negotiate (GstEegFilter *filter)
{
  ThirdFilter *self = (ThirdFilter *) filter;

  self->label = g_atomic_pointer_get (&self->next_label);
}

static gboolean
third_set_info (GstEegFilter *filter, const GstEegInfo *in,
    const GstEegInfo *out, GError **error)
{
  ThirdFilter *self = (ThirdFilter *) filter;

  self->infos++;
  fail_unless_equals_int (in->rate_n, out->rate_n * FACTOR);
  if (in->rate_n == 3 * FACTOR) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "not at this rate");
    return FALSE;
  }
  return TRUE;
}

static void
third_reset (GstEegFilter *filter)
{
  ThirdFilter *self = (ThirdFilter *) filter;

  self->in = self->out = 0;
  self->n_held = 0;
  self->resets++;
}

static guint64
third_map_index (GstEegFilter *filter, guint64 index)
{
  ((ThirdFilter *) filter)->first = index;
  return (index + FACTOR - 1) / FACTOR;
}

/* Output frames whose input frame lies before `in`. */
static guint64
due (ThirdFilter *self, guint64 in)
{
  guint64 first = (self->first + FACTOR - 1) / FACTOR;
  guint64 end = (self->first + in + FACTOR - 1) / FACTOR;

  return end > first ? end - first : 0;
}

static gsize
third_get_ready (GstEegFilter *filter, gsize n_frames)
{
  ThirdFilter *self = (ThirdFilter *) filter;
  guint64 in = self->in + n_frames;

  return in < DELAY ? 0 : due (self, in - DELAY) - self->out;
}

static gboolean
third_process (GstEegFilter *filter, gconstpointer in, gsize n_in, gpointer out,
    gsize n_out, GError **error)
{
  ThirdFilter *self = (ThirdFilter *) filter;
  const gfloat *x = in;
  gfloat *y = out;
  gsize i;

  if (self->fails) {
    g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED, "no more");
    return FALSE;
  }
  for (i = 0; i < n_in; i++)
    if ((self->first + self->in + i) % FACTOR == 0)
      self->held[self->n_held++ % 64] = x[i * CHANNELS];
  for (i = 0; i < n_out; i++)
    y[i] = self->held[(self->out + i) % 64];
  self->in += n_in;
  self->out += n_out;
  return TRUE;
}

static gsize
third_drain (GstEegFilter *filter, gpointer out, gsize max_frames)
{
  ThirdFilter *self = (ThirdFilter *) filter;
  gsize i, n = MIN (max_frames, due (self, self->in) - self->out);

  for (i = 0; i < n; i++)
    ((gfloat *) out)[i] = self->held[(self->out + i) % 64];
  self->out += n;
  return n;
}

static gsize
third_get_delay (GstEegFilter *filter)
{
  return DELAY;
}

static void
third_filter_class_init (ThirdFilterClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "third", "Filter",
      "Every third frame", "nobody");
  klass->transform_info = third_transform_info;
  klass->negotiate = third_negotiate;
  klass->in_place = TRUE; /* which different frames rule out */
  klass->set_info = third_set_info;
  klass->reset = third_reset;
  klass->map_index = third_map_index;
  klass->get_ready = third_get_ready;
  klass->process = third_process;
  klass->drain = third_drain;
  klass->get_delay = third_get_delay;
}

static void
third_filter_init (ThirdFilter *self)
{
}

static GstHarness *
harness (void)
{
  GstHarness *h =
      gst_harness_new_with_element (g_object_new (third_filter_get_type (),
                                        NULL),
          "sink", "src");

  gst_object_unref (h->element); /* the harness has its own */
  gst_harness_set_src_caps (h, make_caps (RATE, CHANNELS));
  return h;
}

/* Frame i holds i in the first channel. */
static GstBuffer *
make_buffer (guint64 first, guint n)
{
  gfloat *data = g_new (gfloat, n * CHANNELS);
  GstBuffer *buffer;
  guint i;

  for (i = 0; i < n; i++) {
    data[i * CHANNELS] = first + i;
    data[i * CHANNELS + 1] = -1;
  }
  buffer = gst_buffer_new_wrapped (data, n * CHANNELS * sizeof (gfloat));
  GST_BUFFER_OFFSET (buffer) = first;
  GST_BUFFER_PTS (buffer) = gst_util_uint64_scale (first, GST_SECOND, RATE);
  return buffer;
}

/* Pulls all, and expects the thirds of `from` to `to - 1`. */
static void
check_output (GstHarness *h, guint64 from, guint64 to, gboolean discont)
{
  guint64 next = (from + FACTOR - 1) / FACTOR;
  GstBuffer *buffer;

  while ((buffer = gst_harness_try_pull (h)) != NULL) {
    GstMapInfo map;
    gsize i;

    fail_unless_equals_int (GST_BUFFER_IS_DISCONT (buffer) != 0, discont);
    discont = FALSE;
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), next);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer),
        gst_util_uint64_scale (next, GST_SECOND, RATE / FACTOR));
    gst_buffer_map (buffer, &map, GST_MAP_READ);
    for (i = 0; i < map.size / 4; i++)
      fail_unless_equals_float (((gfloat *) map.data)[i], (next + i) * FACTOR);
    next += map.size / 4;
    gst_buffer_unmap (buffer, &map);
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET_END (buffer), next);
    gst_buffer_unref (buffer);
  }
  fail_unless_equals_uint64 (next, (to + FACTOR - 1) / FACTOR);
}

GST_START_TEST (test_thirds)
{
  static const guint sizes[] = { 1, 2, 3, 5, 12 };
  guint s;

  for (s = 0; s < G_N_ELEMENTS (sizes); s++) {
    GstHarness *h = harness ();
    guint64 i;

    for (i = 0; i < 60; i += sizes[s])
      fail_unless_equals_int (gst_harness_push (h, make_buffer (i, sizes[s])),
          GST_FLOW_OK);
    check_output (h, 0, 60 - DELAY, TRUE);
    gst_harness_push_event (h, gst_event_new_eos ());
    check_output (h, 60 - DELAY, 60, FALSE);

    /* a run that does not start on a third */
    gst_harness_teardown (h);
    h = harness ();
    for (i = 100; i < 130; i += sizes[s])
      gst_harness_push (h, make_buffer (i, sizes[s]));
    gst_harness_push_event (h, gst_event_new_eos ());
    check_output (h, 100, i, TRUE);
    gst_harness_teardown (h);
  }
}
GST_END_TEST;

GST_START_TEST (test_runs)
{
  GstHarness *h = harness ();
  ThirdFilter *filter = (ThirdFilter *) h->element;
  guint resets;
  GstSegment segment;

  /* a jump of the offset */
  gst_harness_push (h, make_buffer (0, 10));
  gst_harness_push (h, make_buffer (50, 10));
  {
    GstBuffer *buffer = gst_harness_pull (h);

    gst_buffer_unref (buffer); /* 0, 3, 6 */
    buffer = gst_harness_pull (h);
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), 3);
    fail_unless_equals_int (gst_buffer_get_size (buffer), 4);
    gst_buffer_unref (buffer);
  }
  check_output (h, 50, 58, TRUE);

  /* DISCONT, on the very sample that was expected: not on what was held */
  gst_harness_push (h, make_buffer (60, 5));
  check_output (h, 60, 63, FALSE);
  {
    GstBuffer *buffer = make_buffer (65, 25);

    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
    gst_harness_push (h, buffer);
    buffer = gst_harness_pull (h);
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET_END (buffer), 22);
    fail_if (GST_BUFFER_IS_DISCONT (buffer));
    gst_buffer_unref (buffer);
  }
  check_output (h, 65, 88, TRUE);

  /* the same segment goes on, another one does not */
  resets = filter->resets;
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  fail_unless_equals_int (filter->resets, resets);
  segment.start = segment.time = GST_SECOND;
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  fail_unless_equals_int (filter->resets, resets + 1);
  check_output (h, 88, 90, FALSE);

  /* a flush drops what is held */
  gst_harness_push (h, make_buffer (300, 11));
  check_output (h, 300, 309, TRUE);
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  fail_unless_equals_int (gst_harness_buffers_in_queue (h), 0);
  gst_harness_push (h, make_buffer (600, 11));
  check_output (h, 600, 609, TRUE);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* Buffers without offsets are placed by their time, and may be off a little. */
GST_START_TEST (test_without_offsets)
{
  GstHarness *h = harness ();
  GstBuffer *buffer;

  buffer = make_buffer (0, 30);
  GST_BUFFER_OFFSET (buffer) = GST_BUFFER_OFFSET_NONE;
  gst_harness_push (h, buffer);
  check_output (h, 0, 28, TRUE);
  buffer = make_buffer (30, 30);
  GST_BUFFER_OFFSET (buffer) = GST_BUFFER_OFFSET_NONE;
  GST_BUFFER_PTS (buffer) += 5 * GST_MSECOND;
  gst_harness_push (h, buffer);
  check_output (h, 28, 58, FALSE);
  /* no time either */
  buffer = make_buffer (60, 30);
  GST_BUFFER_OFFSET (buffer) = GST_BUFFER_OFFSET_NONE;
  GST_BUFFER_PTS (buffer) = GST_CLOCK_TIME_NONE;
  gst_harness_push (h, buffer);
  check_output (h, 58, 88, FALSE);
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (test_markers)
{
  GstHarness *h = harness ();
  GstEegMarkerMeta *marker;
  gpointer state = NULL;
  GstBuffer *buffer;

  /* yields nothing yet */
  buffer = make_buffer (0, 2);
  gst_buffer_add_eeg_marker_meta (buffer, 3, GST_CLOCK_TIME_NONE, "first");
  gst_harness_push (h, buffer);
  fail_unless_equals_int (gst_harness_buffers_in_queue (h), 0);
  buffer = make_buffer (2, 10);
  gst_buffer_add_eeg_marker_meta (buffer, 7, GST_CLOCK_TIME_NONE, "second");
  gst_harness_push (h, buffer);
  buffer = gst_harness_pull (h);
  fail_unless_equals_int (gst_buffer_get_n_meta (buffer,
                              GST_EEG_MARKER_META_API_TYPE),
      2);
  while ((marker = gst_buffer_iterate_eeg_marker_meta (buffer, &state)))
    fail_unless_equals_uint64 (marker->time,
        g_str_equal (marker->text, "first") ? 3 : 7);
  gst_buffer_unref (buffer);

  /* nothing comes any more, but the marker does */
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  gst_harness_set_src_caps (h, make_caps (RATE, CHANNELS));
  buffer = make_buffer (301, 1);
  gst_buffer_add_eeg_marker_meta (buffer, 9, GST_CLOCK_TIME_NONE, "late");
  gst_harness_push (h, buffer);
  gst_harness_push_event (h, gst_event_new_eos ());
  buffer = gst_harness_pull (h);
  state = NULL;
  marker = gst_buffer_iterate_eeg_marker_meta (buffer, &state);
  fail_unless_equals_string (marker->text, "late");
  gst_buffer_unref (buffer);
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (test_latency)
{
  GstHarness *h = harness ();

  gst_harness_set_upstream_latency (h, GST_MSECOND);
  fail_unless_equals_uint64 (gst_harness_query_latency (h),
      GST_MSECOND + gst_util_uint64_scale (DELAY, GST_SECOND, RATE));
  gst_harness_teardown (h);
}
GST_END_TEST;

/* transfer full */
static GstEvent *
new_caps_event (gint rate)
{
  GstCaps *caps = make_caps (rate, CHANNELS);
  GstEvent *event = gst_event_new_caps (caps);

  gst_caps_unref (caps);
  return event;
}

static void
check_error (GstBus *bus, GQuark domain, gint code)
{
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  GError *error = NULL;

  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, domain, code), "%s", error->message);
  g_error_free (error);
  gst_message_unref (message);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL);
}

GST_START_TEST (test_errors)
{
  GstHarness *h = harness ();
  ThirdFilter *filter = (ThirdFilter *) h->element;
  GstBus *bus = gst_bus_new ();
  GstStructure *stats;
  guint64 errors;

  gst_element_set_bus (h->element, bus);
  filter->fails = TRUE;
  fail_unless_equals_int (gst_harness_push (h, make_buffer (0, 9)),
      GST_FLOW_ERROR);
  check_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED);
  filter->fails = FALSE;
  fail_unless_equals_int (gst_harness_push (h,
                              gst_buffer_new_allocate (NULL, 15, NULL)),
      GST_FLOW_ERROR);
  check_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT);
  g_object_get (filter, "stats", &stats, NULL);
  gst_structure_get_uint64 (stats, "errors", &errors);
  fail_unless_equals_uint64 (errors, 2);
  gst_structure_free (stats);

  gst_harness_push_event (h, new_caps_event (9));
  check_error (bus, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* Downstream may ask for another negotiation: nothing that is held is lost by
 * it, also not if other caps come out. */
GST_START_TEST (test_renegotiation)
{
  GstHarness *h = harness ();
  ThirdFilter *filter = (ThirdFilter *) h->element;
  GstEegInfo info;
  GstCaps *caps;
  guint infos;

  gst_harness_push (h, make_buffer (0, 11));
  infos = filter->infos;
  gst_harness_push_upstream_event (h, gst_event_new_reconfigure ());
  gst_harness_push (h, make_buffer (11, 1));
  fail_unless_equals_int (filter->infos, infos);
  check_output (h, 0, 10, TRUE);

  g_atomic_pointer_set (&filter->next_label, "Oz");
  gst_harness_push (h, make_buffer (12, 9));
  fail_unless_equals_int (filter->infos, infos);
  check_output (h, 10, 19, FALSE);
  gst_eeg_filter_renegotiate (GST_EEG_FILTER (filter));
  gst_harness_push (h, make_buffer (21, 12));
  fail_unless_equals_int (filter->infos, infos + 1);
  check_output (h, 19, 31, FALSE);
  caps = gst_pad_get_current_caps (h->sinkpad);
  gst_eeg_info_init (&info);
  fail_unless (gst_eeg_info_from_caps (&info, caps));
  fail_unless_equals_int (info.rate_n, RATE / FACTOR);
  fail_unless_equals_string (gst_eeg_channels_get (info.channel_table, 0)
                                 ->label,
      "Oz");
  gst_eeg_info_clear (&info);
  gst_caps_unref (caps);

  /* the same caps come out: the subclass is told all the same, once */
  gst_eeg_filter_renegotiate (GST_EEG_FILTER (filter));
  gst_harness_push (h, make_buffer (33, 3));
  gst_harness_push (h, make_buffer (36, 3));
  fail_unless_equals_int (filter->infos, infos + 2);
  check_output (h, 31, 37, FALSE);
  /* caps that were there before change nothing */
  gst_harness_set_src_caps (h, make_caps (RATE, CHANNELS));
  gst_harness_push (h, make_buffer (39, 3));
  fail_unless_equals_int (filter->infos, infos + 2);
  check_output (h, 37, 40, FALSE);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* What the subclass refuses is said once, when the caps arrive. */
GST_START_TEST (test_refused_info)
{
  GstHarness *h = harness ();
  GstBus *bus = gst_bus_new ();
  GstCaps *caps = make_caps (RATE, CHANNELS + 1);

  gst_element_set_bus (h->element, bus);
  gst_harness_push_event (h, gst_event_new_caps (caps));
  check_error (bus, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS);
  fail_unless_equals_int (gst_harness_push (h, make_buffer (0, 12)),
      GST_FLOW_NOT_NEGOTIATED);
  fail_if (gst_bus_have_pending (bus));
  gst_caps_unref (caps);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* What may go in where the other side is not known. */
GST_START_TEST (test_caps_of_either_side)
{
  GstHarness *h = harness ();
  GstPad *sink = gst_element_get_static_pad (h->element, "sink");
  GstCaps *caps = gst_pad_query_caps (sink, NULL);
  GstCaps *other = make_caps (77, 12);

  fail_unless (gst_caps_can_intersect (caps, other));
  gst_caps_unref (caps);
  gst_caps_unref (other);
  gst_object_unref (sink);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* Output comes from slabs that are used again. */
GST_START_TEST (test_memory)
{
  GstHarness *h = harness ();
  GstMemory *last = NULL;
  guint i, same = 0;

  for (i = 0; i < 20; i++) {
    GstBuffer *buffer;
    GstMemory *memory;

    gst_harness_push (h, make_buffer (i * 30, 30));
    buffer = gst_harness_pull (h);
    memory = gst_buffer_peek_memory (buffer, 0);
    fail_unless (GST_IS_EEG_ALLOCATOR (memory->allocator));
    same += memory == last;
    last = memory;
    gst_buffer_unref (buffer);
  }
  fail_unless (same >= 18);
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (test_restart)
{
  GstHarness *h = harness ();
  gint round;

  for (round = 0; round < 3; round++) {
    gst_harness_push (h, make_buffer (round * 3, 11));
    check_output (h, round * 3, round * 3 + 9, TRUE);
    gst_element_set_state (h->element,
        round == 1 ? GST_STATE_NULL : GST_STATE_READY);
    gst_element_set_state (h->element, GST_STATE_PLAYING);
    gst_harness_set_src_caps (h, make_caps (RATE, CHANNELS));
  }
  gst_harness_teardown (h);
}
GST_END_TEST;

static Suite *
eegfilter_suite (void)
{
  Suite *suite = suite_create ("eegfilter");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_thirds);
  tcase_add_test (tcase, test_runs);
  tcase_add_test (tcase, test_without_offsets);
  tcase_add_test (tcase, test_markers);
  tcase_add_test (tcase, test_latency);
  tcase_add_test (tcase, test_errors);
  tcase_add_test (tcase, test_renegotiation);
  tcase_add_test (tcase, test_refused_info);
  tcase_add_test (tcase, test_caps_of_either_side);
  tcase_add_test (tcase, test_memory);
  tcase_add_test (tcase, test_restart);
  return suite;
}

GST_CHECK_MAIN (eegfilter);
