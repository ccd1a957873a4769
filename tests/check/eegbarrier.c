/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/eeg/eeg.h>

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define N_BYTES 300000
#define CHUNK "chunk-size=4096"

static guint8 data[N_BYTES];
static GstBus *bus; /* for the next elements, or NULL */

static void
setup (void)
{
  guint32 x = 1;
  gsize i;

  for (i = 0; i < N_BYTES; i++) {
    x = x * 1664525 + 1013904223;
    data[i] = (guint8) (i / 64 + (x >> 30));
  }
}

static void
push_bytes_segment (GstHarness *h, guint64 start)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  segment.start = segment.time = segment.position = start;
  gst_harness_push_event (h, gst_event_new_segment (&segment));
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

/* The streaming side only; @state is restored before it starts, and @output, if
 * any, is what was written before. */
static GstHarness *
make_harness_behind (const gchar *launch, GBytes *state, guint64 start,
    const gchar *output)
{
  GstElement *element = gst_parse_launch (launch, NULL);
  GError *error = NULL;
  GstHarness *h;

  fail_unless (element != NULL, "%s", launch);
  gst_element_set_bus (element, bus);
  if (state != NULL)
    fail_unless (gst_eeg_stage_restore_state (GST_EEG_STAGE (element), state,
                     &error),
        "%s", launch);
  h = gst_harness_new_with_element (element, "sink", "src");
  if (output != NULL)
    gst_pad_add_probe (h->sinkpad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM,
        answer_output, g_strdup (output), g_free);
  gst_harness_play (h);
  gst_harness_push_event (h, gst_event_new_stream_start ("stream"));
  push_bytes_segment (h, start);
  gst_object_unref (element);
  return h;
}

static GstHarness *
make_harness (const gchar *launch)
{
  return make_harness_behind (launch, NULL, 0, NULL);
}

/* transfer full path */
static gchar *
write_output (const guint8 *bytes, gsize size)
{
  gchar *path;
  gint fd = g_file_open_tmp ("eegbarrier-\xff-XXXXXX", &path, NULL);

  fail_unless (fd >= 0);
  fail_unless_equals_int (write (fd, bytes, size), size);
  close (fd);
  return path;
}

static void
push_range (GstHarness *h, gsize from, gsize to, gsize step)
{
  while (from < to) {
    gsize size = MIN (step, to - from);

    fail_unless_equals_int (gst_harness_push (h,
                                gst_buffer_new_memdup (data + from, size)),
        GST_FLOW_OK);
    from += size;
  }
}

/* Takes what comes until the barrier, or with NULL until EOS. */
static void
take_until (GstHarness *h, GstEegBarrier *barrier, GByteArray *to)
{
  gboolean found = FALSE;
  GstBuffer *buffer;
  GstEvent *event;

  while (!found) {
    GstEegBarrier *other;

    event = gst_harness_pull_event (h);
    fail_unless (event != NULL);
    if (barrier == NULL)
      found = GST_EVENT_TYPE (event) == GST_EVENT_EOS;
    else
      found = gst_eeg_event_parse_barrier (event, &other) && other == barrier;
    gst_event_unref (event);
  }
  while ((buffer = gst_harness_try_pull (h))) {
    GstMapInfo map;

    fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
    g_byte_array_append (to, map.data, map.size);
    gst_buffer_unmap (buffer, &map);
    gst_buffer_unref (buffer);
  }
}

GST_START_TEST (test_object)
{
  GstEegBarrier *barrier = gst_eeg_barrier_new (7, 1234), *other = NULL;
  GstEegBarrierInput input = { (gchar *) "night.edf", 1, 2, 3, 4, 5, { 6 },
    { 7 } };
  GstEegBarrierInput got;
  GstElement *stateless = gst_element_factory_make ("rawtovoltage", NULL);
  GstElement *unable = gst_element_factory_make ("zstddec", NULL);
  GstEvent *event = gst_eeg_event_new_barrier (barrier), *foreign;
  GBytes *state;
  gchar *failure;

  fail_unless_equals_uint64 (gst_eeg_barrier_get_id (barrier), 7);
  fail_unless_equals_uint64 (gst_eeg_barrier_get_sample_index (barrier), 1234);
  fail_unless (GST_EVENT_IS_SERIALIZED (event));
  fail_unless (GST_EVENT_IS_DOWNSTREAM (event));
  fail_unless (gst_eeg_event_parse_barrier (event, &other));
  fail_unless (other == barrier);
  foreign = gst_eeg_event_new_complete (1);
  fail_if (gst_eeg_event_parse_barrier (foreign, NULL));
  gst_event_unref (foreign);
  foreign = gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
      gst_structure_new_empty ("eeg-barrier"));
  fail_if (gst_eeg_event_parse_barrier (foreign, NULL));
  gst_event_unref (foreign);

  fail_if (gst_eeg_barrier_get_input (barrier, &got));
  g_free (got.path);
  gst_eeg_barrier_set_input (barrier, &input);
  fail_unless (gst_eeg_barrier_get_input (barrier, &got));
  assert_equals_string (got.path, "night.edf");
  fail_unless_equals_uint64 (got.size, 2);
  fail_unless_equals_int (got.tail[0], 7);
  g_free (got.path);

  fail_unless (
      gst_eeg_barrier_get_state (barrier, GST_EEG_STAGE (stateless)) == NULL);
  fail_unless (gst_eeg_barrier_get_failure (barrier) == NULL);
  fail_unless (gst_eeg_barrier_add_stage (barrier, GST_EEG_STAGE (stateless)));
  state = gst_eeg_barrier_get_state (barrier, GST_EEG_STAGE (stateless));
  fail_unless_equals_uint64 (g_bytes_get_size (state), 0);
  g_bytes_unref (state);
  fail_unless (gst_eeg_barrier_get_failure (barrier) == NULL);

  fail_if (gst_eeg_barrier_add_stage (barrier, GST_EEG_STAGE (unable)));
  gst_eeg_barrier_fail (barrier, GST_EEG_STAGE (stateless), "late");
  failure = gst_eeg_barrier_get_failure (barrier);
  fail_unless (g_str_has_prefix (failure, GST_OBJECT_NAME (unable)), "%s",
      failure);
  g_free (failure);

  gst_event_unref (event);
  gst_eeg_barrier_unref (barrier);
  gst_object_unref (stateless);
  gst_object_unref (unable);
}

GST_END_TEST;

/* The barrier leaves behind all that came before it, and before all after. */
GST_START_TEST (test_order)
{
  GstEegBarrier *barrier = gst_eeg_barrier_new (1, 0);
  GstHarness *h = make_harness ("zstdenc " CHUNK " threads=8");
  GstElement *decoder;
  GByteArray *before = g_byte_array_new ();
  GstBuffer *decoded;
  GstHarness *d;
  gsize size = 0;

  push_range (h, 0, 150001, 10000);
  fail_unless (gst_harness_push_event (h, gst_eeg_event_new_barrier (barrier)));
  take_until (h, barrier, before);

  decoder = gst_element_factory_make ("zstddec", NULL);
  d = gst_harness_new_with_element (decoder, "sink", "src");
  gst_object_unref (decoder);
  gst_harness_set_src_caps_str (d, "application/x-zstd");
  gst_harness_push (d, gst_buffer_new_memdup (before->data, before->len));
  gst_harness_push_event (d, gst_event_new_eos ());
  {
    GByteArray *all = g_byte_array_new ();

    take_until (d, NULL, all);
    size = all->len;
    g_byte_array_unref (all);
  }
  decoded = gst_harness_try_pull (d);
  fail_unless (decoded == NULL);
  fail_unless_equals_uint64 (size, 150001);
  gst_harness_teardown (d);
  gst_harness_teardown (h);
  g_byte_array_unref (before);
  gst_eeg_barrier_unref (barrier);
}

GST_END_TEST;

/* Whoever cannot save says so to the barrier, and lets it pass. */
GST_START_TEST (test_unable)
{
  static const gchar *const unable[] = { "brotlienc threads=1",
    "lz4enc adaptive=true", "gzipenc chunk-duration=1000" };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (unable); i++) {
    GstEegBarrier *barrier = gst_eeg_barrier_new (1, 0);
    GByteArray *output = g_byte_array_new ();
    GstHarness *h = make_harness (unable[i]);
    gchar *failure, *text;
    GError *error = NULL;

    push_range (h, 0, 10000, 10000);
    fail_unless (
        gst_harness_push_event (h, gst_eeg_event_new_barrier (barrier)));
    take_until (h, barrier, output);
    failure = gst_eeg_barrier_get_failure (barrier);
    fail_unless (failure != NULL
            && strstr (failure, GST_OBJECT_NAME (h->element)) != NULL,
        "%s: %s", unable[i], failure);
    g_free (failure);
    text = gst_eeg_stage_describe_output (GST_EEG_STAGE (h->element), &error);
    fail_unless (text == NULL && error != NULL, "%s", unable[i]);
    g_error_free (error);
    gst_harness_teardown (h);
    g_byte_array_unref (output);
    gst_eeg_barrier_unref (barrier);
  }
}

GST_END_TEST;

#define TABLE "zstdenc " CHUNK " seek-table=true threads=2"
#define N_TABLE 50000

/* What the element says that is to go on behind @output, which nobody has if it
 * is NULL; nothing that would make a sink write may come before. */
static void
refuse_output (GBytes *state, const gchar *output, const gchar *reason)
{
  GstMessage *message;
  GError *error;
  GstFlowReturn flow = GST_FLOW_OK;
  GstEvent *event;
  GstHarness *h;
  guint i;

  bus = gst_bus_new ();
  h = make_harness_behind (TABLE, state, N_TABLE, output);
  for (i = 0; i < 5000 && flow == GST_FLOW_OK; i++) {
    flow = gst_harness_push (h, gst_buffer_new_memdup (data, 10));
    g_usleep (1000);
  }
  fail_unless_equals_int (flow, GST_FLOW_ERROR);
  fail_if (gst_harness_push_event (h, gst_event_new_eos ()));
  fail_unless_equals_int (gst_harness_buffers_received (h), 0);
  while ((event = gst_harness_try_pull_event (h))) {
    fail_unless (GST_EVENT_TYPE (event) == GST_EVENT_STREAM_START
            || GST_EVENT_TYPE (event) == GST_EVENT_CAPS,
        "%s: %s", reason, GST_EVENT_TYPE_NAME (event));
    gst_event_unref (event);
  }
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL, "%s", reason);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (error->domain == GST_RESOURCE_ERROR);
  fail_unless (strstr (error->message, GST_OBJECT_NAME (h->element)) != NULL
          && strstr (error->message, reason) != NULL,
      "%s, not %s", error->message, reason);
  g_error_free (error);
  gst_message_unref (message);
  gst_element_set_bus (h->element, NULL);
  gst_harness_teardown (h);
  gst_clear_object (&bus);
}

/* An output that is not what was written is none to go on behind. */
GST_START_TEST (test_foreign_outputs)
{
  /* of the first frame: magic number, descriptor, size of the content; and of
   * its first block's header */
  static const struct
  {
    gsize at;
    guint8 flip;
    const gchar *reason;
  } wrong[] = { { 0, 1, "something else" }, { 4, 0x04, "something else" },
    { 4, 0x08, "something else" }, { 5, 0x10, "hold 50016 bytes, not" },
    { 7, 0x06, "something else" }, { 8, 0x80, "something else" } };
  GstEegBarrier *barrier = gst_eeg_barrier_new (1, 0);
  GstHarness *h = make_harness (TABLE);
  GByteArray *output = g_byte_array_new ();
  GBytes *state;
  gchar *path;
  gsize i;

  push_range (h, 0, N_TABLE, 7000);
  fail_unless (gst_harness_push_event (h, gst_eeg_event_new_barrier (barrier)));
  take_until (h, barrier, output);
  state = gst_eeg_barrier_get_state (barrier, GST_EEG_STAGE (h->element));
  gst_harness_teardown (h);
  gst_eeg_barrier_unref (barrier);

  for (i = 0; i < G_N_ELEMENTS (wrong); i++) {
    output->data[wrong[i].at] ^= wrong[i].flip;
    path = write_output (output->data, output->len);
    refuse_output (state, path, wrong[i].reason);
    output->data[wrong[i].at] ^= wrong[i].flip;
    g_unlink (path);
    g_free (path);
  }
  path = write_output (output->data, output->len - 1);
  refuse_output (state, path, "not the");
  g_unlink (path);
  g_free (path);
  refuse_output (state, NULL, "no sink behind it");
  g_bytes_unref (state);
  g_byte_array_unref (output);
}

GST_END_TEST;

/* A cipher between has other bytes than the element before it. */
GST_START_TEST (test_output_is_asked_for_here)
{
  GstElement *element = gst_parse_launch ("gzipenc", NULL);
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  GstElement *sum = gst_parse_launch ("blake3sum", NULL);
  GstHarness *s = gst_harness_new_with_element (sum, "sink", "src");
  GstElement *asker = gst_parse_launch ("lz4enc", NULL);
  GError *error = NULL;
  guint64 size = 0;
  gchar *path;

  gst_pad_add_probe (h->sinkpad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM,
      answer_output, g_strdup ("/dev/null"), g_free);
  gst_pad_add_probe (s->sinkpad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM,
      answer_output, g_strdup ("/dev/null"), g_free);
  path = gst_eeg_stage_find_output (GST_EEG_STAGE (asker), h->srcpad, &size,
      &error);
  fail_unless (path == NULL);
  fail_unless (
      g_error_matches (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS));
  g_clear_error (&error);
  path = gst_eeg_stage_find_output (GST_EEG_STAGE (asker), s->srcpad, &size,
      &error);
  fail_unless_equals_string (path, "/dev/null");
  g_free (path);
  gst_harness_teardown (h);
  gst_harness_teardown (s);
  gst_object_unref (element);
  gst_object_unref (sum);
  gst_object_unref (asker);
}

GST_END_TEST;

GST_START_TEST (test_what_output_depends_on)
{
  GstElement *a = gst_parse_launch ("zstdenc threads=2 level=7", NULL);
  GstElement *b = gst_parse_launch ("zstdenc threads=5 level=7", NULL);
  GstElement *c = gst_parse_launch ("blake3sum location=a.b3", NULL);
  gchar *texts[3];

  texts[0] = gst_eeg_stage_describe_output (GST_EEG_STAGE (a), NULL);
  texts[1] = gst_eeg_stage_describe_output (GST_EEG_STAGE (b), NULL);
  texts[2] = gst_eeg_stage_describe_output (GST_EEG_STAGE (c), NULL);
  fail_unless_equals_string (texts[0], texts[1]);
  fail_unless (strstr (texts[0], "level=7") != NULL, "%s", texts[0]);
  fail_unless (strstr (texts[0], "library=") != NULL, "%s", texts[0]);
  fail_unless_equals_string (texts[2], "");
  g_object_set (b, "level", 8, NULL);
  g_free (texts[1]);
  texts[1] = gst_eeg_stage_describe_output (GST_EEG_STAGE (b), NULL);
  fail_if (strcmp (texts[0], texts[1]) == 0);
  g_free (texts[0]);
  g_free (texts[1]);
  g_free (texts[2]);
  gst_object_unref (a);
  gst_object_unref (b);
  gst_object_unref (c);
}

GST_END_TEST;

static Suite *
eegbarrier_suite (void)
{
  Suite *s = suite_create ("eegbarrier");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, NULL);
  tcase_add_test (tc, test_object);
  tcase_add_test (tc, test_order);
  tcase_add_test (tc, test_unable);
  tcase_add_test (tc, test_foreign_outputs);
  tcase_add_test (tc, test_output_is_asked_for_here);
  tcase_add_test (tc, test_what_output_depends_on);
  return s;
}

GST_CHECK_MAIN (eegbarrier);
