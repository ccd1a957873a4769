/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/eeg/eeg.h>

#include <glib/gstdio.h>
#include <string.h>

#include "digest.h"

#define N_BYTES 100000
#define MIDDLE 60001

static guint8 data[N_BYTES];
static const guint8 uuid[GST_EEG_PART_UUID_SIZE] = { 0x6f, 0x96, 0x19, 0xff,
  0x8b, 0x86, 0x4d, 0x01, 0xb4, 0x2d, 0x00, 0xcf, 0x4f, 0xc9, 0x64, 0xff };
static gchar *folder;

static void
setup (void)
{
  guint32 x = 1;
  gsize i;

  for (i = 0; i < N_BYTES; i++) {
    x = x * 1664525 + 1013904223;
    data[i] = (guint8) (i / 64 + (x >> 30));
  }
  folder = g_dir_make_tmp ("gsteeg-part-XXXXXX", NULL);
  fail_unless (folder != NULL);
}

static void
teardown (void)
{
  GDir *dir = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (dir)) != NULL) {
    gchar *path = g_build_filename (folder, name, NULL);

    g_unlink (path);
    g_free (path);
  }
  g_dir_close (dir);
  g_rmdir (folder);
  g_free (folder);
}

/* --- the label ----------------------------------------------------------- */

static void
expect_same (const GstEegPart *a)
{
  gchar *text = gst_eeg_part_to_text (a);
  GstEegPart b;
  gsize size = strlen (text), i;

  fail_unless (gst_eeg_part_from_text (&b, text, size), "%s", text);
  fail_unless (memcmp (a->recording, b.recording, sizeof b.recording) == 0);
  fail_unless_equals_uint64 (a->number, b.number);
  fail_unless_equals_uint64 (a->first, b.first);
  fail_unless_equals_int (a->is_bytes, b.is_bytes);
  fail_unless_equals_int (a->link, b.link);
  fail_unless (memcmp (a->previous, b.previous, sizeof b.previous) == 0);
  fail_unless (a->stopped == b.stopped && a->begun == b.begun, "%s", text);
  /* nothing less is a label, and nothing more */
  for (i = 0; i < size; i++) {
    GstEegPart c;

    if (gst_eeg_part_from_text (&c, text, i))
      fail_unless (c.link == GST_EEG_PART_LINK_INTERRUPTED, "%.*s", (gint) i,
          text);
  }
  text = g_realloc (text, size + 2);
  strcpy (text + size, "x");
  fail_if (gst_eeg_part_from_text (&b, text, size + 1), "%s", text);
  g_free (text);
}

GST_START_TEST (test_label)
{
  GstEegPart part;
  gchar *text;

  gst_eeg_part_init (&part, uuid, 1);
  text = gst_eeg_part_to_text (&part);
  assert_equals_string (text,
      "EEG part 1; recording=6f9619ff-8b86-4d01-b42d-00cf4fc964ff "
      "first-sample=0 previous=none");
  g_free (text);
  expect_same (&part);
  part.number = G_MAXUINT64 - 1;
  part.is_bytes = TRUE;
  part.first = 1234567890123;
  part.link = GST_EEG_PART_LINK_FOLLOWS;
  memset (part.previous, 0xa5, sizeof part.previous);
  expect_same (&part);
  memset (part.previous, 0, sizeof part.previous);
  part.first = GST_EEG_PART_UNKNOWN;
  part.link = GST_EEG_PART_LINK_INTERRUPTED;
  expect_same (&part);
  part.begun = G_GINT64_CONSTANT (1795258800123456);
  text = gst_eeg_part_to_text (&part);
  fail_unless (g_str_has_suffix (text,
                   "first-byte=unknown previous=interrupted stopped=unknown "
                   "begun=2026-11-21T11:00:00.123456Z"),
      "%s", text);
  g_free (text);
  expect_same (&part);

  fail_if (gst_eeg_part_from_text (&part, "", 0));
  fail_if (gst_eeg_part_from_text (&part, "EEG part 1", 10));
  fail_if (gst_eeg_part_from_text (&part, "EEG part 1\0; recording=", 22));
}
GST_END_TEST;

static void
expect_location (const gchar *location, guint64 number, const gchar *wanted)
{
  GError *error = NULL;
  gchar *got = gst_eeg_part_make_location (location, number, &error);

  if (wanted != NULL) {
    guint64 back;

    assert_equals_string (got, wanted);
    fail_unless (gst_eeg_part_parse_location (location, wanted, &back));
    fail_unless_equals_uint64 (back, number);
  } else {
    fail_unless (got == NULL);
    fail_unless (
        g_error_matches (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS));
    g_error_free (error);
  }
  g_free (got);
}

GST_START_TEST (test_location)
{
  guint64 number;

  expect_location ("night.bdf.zst", 1, "night-001.bdf.zst");
  expect_location ("/a.b/night", 12, "/a.b/night-012");
  expect_location ("/a/.hidden", 1, "/a/.hidden-001");
  expect_location ("night.bdf", 1000, "night-1000.bdf");
  expect_location ("n-%u.bdf", 7, "n-7.bdf");
  expect_location ("%05d/n.bdf", 7, NULL);
  expect_location ("a/%05d.bdf", 7, "a/00007.bdf");
  expect_location ("100%%-%02u.x", 7, "100%-07.x");
  expect_location ("100%%.x", 7, "100%-007.x");
  expect_location ("%s", 1, NULL);
  expect_location ("%", 1, NULL);
  expect_location ("%u%u", 1, NULL);
  expect_location ("%0u", 1, NULL);
  expect_location ("%n", 1, NULL);
  fail_if (gst_eeg_part_parse_location ("n.x", "n.x", &number));
  fail_if (gst_eeg_part_parse_location ("n.x", "n-.x", &number));
  fail_if (gst_eeg_part_parse_location ("n.x", "n-01.x", &number));
  fail_if (gst_eeg_part_parse_location ("n.x", "n-000.x", &number));
  fail_if (gst_eeg_part_parse_location ("n.x", "n-001.x.part", &number));
  fail_if (gst_eeg_part_parse_location ("n%u.x", "n01.x", &number));
  fail_if (gst_eeg_part_parse_location ("%", "%", &number));
}
GST_END_TEST;

GST_START_TEST (test_events)
{
  GstEegBarrier *barrier = gst_eeg_barrier_new (1, 100);
  GstEvent *request = gst_eeg_event_new_part_request (7);
  GstElement *element = gst_parse_launch ("zstdenc", NULL);
  GstElement *other = gst_parse_launch ("zstdenc", NULL);
  GstEegStage *stages[] = { GST_EEG_STAGE (element), GST_EEG_STAGE (other) };
  GstEegPart part, got;
  guint64 number = 0;
  const GstEegPart *parsed;
  GstEvent *event;

  fail_if (gst_eeg_barrier_ends_part (barrier));
  fail_if (gst_eeg_barrier_get_next_part (barrier, stages[0], &got));
  gst_eeg_barrier_set_ends_part (barrier);
  fail_unless (gst_eeg_barrier_ends_part (barrier));
  gst_eeg_part_init (&part, uuid, 5);
  gst_eeg_barrier_set_next_part (barrier, stages[0], &part);
  fail_if (gst_eeg_barrier_get_next_part (barrier, stages[1], &got));
  part.previous[0] = 9;
  gst_eeg_barrier_set_next_part (barrier, stages[1], &part);
  fail_unless (gst_eeg_barrier_get_next_part (barrier, stages[0], &got));
  fail_unless_equals_uint64 (got.number, 5);
  fail_unless_equals_int (got.previous[0], 0);
  fail_unless (gst_eeg_barrier_get_next_part (barrier, stages[1], &got));
  fail_unless_equals_int (got.previous[0], 9);
  gst_eeg_barrier_unref (barrier);
  gst_object_unref (element);
  gst_object_unref (other);

  event = gst_eeg_event_new_part (&part);
  fail_unless (gst_eeg_event_parse_part_request (request, &number));
  fail_unless_equals_uint64 (number, 7);
  fail_if (gst_eeg_event_parse_part_request (event, NULL));
  fail_unless (GST_EVENT_IS_UPSTREAM (request));
  fail_unless (GST_EVENT_IS_SERIALIZED (event));
  fail_unless (gst_eeg_event_parse_part (event, &parsed));
  fail_unless_equals_uint64 (parsed->number, 5);
  fail_if (gst_eeg_event_parse_part (request, NULL));
  gst_event_unref (event);
  gst_event_unref (request);
}
GST_END_TEST;

/* --- codecs -------------------------------------------------------------- */

static void
append_buffers (GstHarness *h, GByteArray *to, gboolean is_file)
{
  GstBuffer *buffer;

  while ((buffer = gst_harness_try_pull (h))) {
    GstMapInfo map;

    fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
    if (is_file && GST_BUFFER_OFFSET_IS_VALID (buffer))
      fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), to->len);
    g_byte_array_append (to, map.data, map.size);
    gst_buffer_unmap (buffer, &map);
    gst_buffer_unref (buffer);
  }
}

static void
wait_for (GstHarness *h, GstEegBarrier *barrier)
{
  gboolean found = FALSE;

  while (!found) {
    GstEvent *event = gst_harness_pull_event (h);
    GstEegBarrier *other;

    fail_unless (event != NULL);
    found = barrier == NULL
        ? GST_EVENT_TYPE (event) == GST_EVENT_EOS
        : gst_eeg_event_parse_barrier (event, &other) && other == barrier;
    gst_event_unref (event);
  }
}

/* A barrier that ends a part after MIDDLE bytes; parts[1] may stay empty. */
static void
encode (const gchar *launch, const GstEegPart *part, gsize size,
    GByteArray *parts[2], GstEegPart *next)
{
  GstElement *element = gst_parse_launch (launch, NULL);
  GstEegBarrier *barrier = gst_eeg_barrier_new (1, 0);
  GstHarness *h;
  GstSegment segment;
  GBytes *state;
  gsize at;

  fail_unless (element != NULL, "%s", launch);
  gst_eeg_stage_set_part (GST_EEG_STAGE (element), part);
  h = gst_harness_new_with_element (element, "sink", "src");
  gst_harness_play (h);
  gst_harness_push_event (h, gst_event_new_stream_start ("stream"));
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  for (at = 0; at < MIDDLE; at += 1 + MIDDLE / 3)
    gst_harness_push (h,
        gst_buffer_new_memdup (data + at, MIN (1 + MIDDLE / 3, MIDDLE - at)));
  gst_eeg_barrier_set_ends_part (barrier);
  fail_unless (gst_harness_push_event (h, gst_eeg_event_new_barrier (barrier)));
  parts[0] = g_byte_array_new ();
  parts[1] = g_byte_array_new ();
  wait_for (h, barrier);
  append_buffers (h, parts[0], part != NULL);
  /* what makes a new file can go on there, whatever it is */
  if (part != NULL) {
    state = gst_eeg_barrier_get_state (barrier, GST_EEG_STAGE (element));
    fail_unless (state != NULL, "%s: %s", launch,
        gst_eeg_barrier_get_failure (barrier));
    fail_unless (
        gst_eeg_stage_restore_state (GST_EEG_STAGE (element), state, NULL));
    g_bytes_unref (state);
  }
  if (!gst_eeg_barrier_get_next_part (barrier, GST_EEG_STAGE (element), next))
    next->number = 0;
  if (size > MIDDLE)
    gst_harness_push (h, gst_buffer_new_memdup (data + MIDDLE, size - MIDDLE));
  gst_harness_push_event (h, gst_event_new_eos ());
  wait_for (h, NULL);
  append_buffers (h, parts[1], part != NULL);
  gst_eeg_barrier_unref (barrier);
  gst_harness_teardown (h);
  gst_object_unref (element);
}

static void
expect_decoded (const gchar *launch, GByteArray *part, gsize from, gsize to)
{
  GstHarness *h = gst_harness_new_parse (launch);
  GByteArray *got = g_byte_array_new ();
  GstSegment segment;

  gst_harness_play (h);
  gst_harness_push_event (h, gst_event_new_stream_start ("stream"));
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  gst_harness_push (h, gst_buffer_new_memdup (part->data, part->len));
  gst_harness_push_event (h, gst_event_new_eos ());
  wait_for (h, NULL);
  append_buffers (h, got, TRUE);
  fail_unless_equals_uint64 (got->len, to - from);
  fail_unless (memcmp (got->data, data + from, to - from) == 0, "%s", launch);
  g_byte_array_unref (got);
  gst_harness_teardown (h);
}

static void
free_parts (GByteArray *parts[2])
{
  g_byte_array_unref (parts[0]);
  g_byte_array_unref (parts[1]);
}

static void
expect_label (GByteArray *part, const GstEegPart *label)
{
  gchar *text = gst_eeg_part_to_text (label);

  fail_unless (memmem (part->data, part->len, text, strlen (text)) != NULL,
      "%s", text);
  g_free (text);
}

static void
compress (const gchar *encoder, const gchar *decoder, gboolean can_label)
{
  const EegDigestKernel *blake3 = eeg_digest_find ("blake3", NULL);
  static const gchar *const threads[] = { "threads=1", "threads=4" };
  GByteArray *parts[2];
  GstEegPart part, next;
  guint i;

  if (!gst_registry_check_feature_version (gst_registry_get (), decoder, 0, 0,
          0)) {
    GST_INFO ("no %s", decoder);
    return;
  }
  for (i = 0; i < G_N_ELEMENTS (threads); i++) {
    gchar *launch =
        g_strdup_printf ("%s chunk-size=4096 %s", encoder, threads[i]);
    guint8 hash[GST_EEG_PART_HASH_SIZE];
    gpointer state;

    /* who was not told pays no attention: one stream */
    encode (launch, NULL, N_BYTES, parts, &next);
    fail_unless_equals_uint64 (next.number, 0);
    g_byte_array_append (parts[0], parts[1]->data, parts[1]->len);
    expect_decoded (decoder, parts[0], 0, N_BYTES);
    free_parts (parts);

    gst_eeg_part_init (&part, uuid, 3);
    part.first = 1000;
    encode (launch, &part, N_BYTES, parts, &next);
    expect_decoded (decoder, parts[0], 0, MIDDLE);
    expect_decoded (decoder, parts[1], MIDDLE, N_BYTES);
    free_parts (parts);

    if (can_label) {
      part.digest = blake3;
      encode (launch, &part, N_BYTES, parts, &next);
      part.is_bytes = TRUE;
      expect_label (parts[0], &part);
      expect_decoded (decoder, parts[0], 0, MIDDLE);
      fail_unless_equals_uint64 (next.number, 4);
      fail_unless_equals_uint64 (next.first, 1000 + MIDDLE);
      fail_unless_equals_int (next.link, GST_EEG_PART_LINK_FOLLOWS);
      state = g_malloc (blake3->state_size);
      blake3->init (state);
      blake3->update (state, parts[0]->data, parts[0]->len);
      blake3->final (state, hash);
      g_free (state);
      fail_unless (memcmp (hash, next.previous, sizeof hash) == 0);
      expect_label (parts[1], &next);
      expect_decoded (decoder, parts[1], MIDDLE, N_BYTES);
      free_parts (parts);
      /* nothing came any more */
      encode (launch, &part, MIDDLE, parts, &next);
      fail_unless_equals_uint64 (parts[1]->len, 0);
      free_parts (parts);
      part.digest = NULL;
    }
    g_free (launch);
  }
}

GST_START_TEST (test_zstd)
{
  compress ("zstdenc", "zstddec", TRUE);
  compress ("zstdenc seek-table=true", "zstddec", TRUE);
}
GST_END_TEST;

GST_START_TEST (test_gzip)
{
  compress ("gzipenc", "gzipdec", TRUE);
}
GST_END_TEST;

GST_START_TEST (test_lz4)
{
  compress ("lz4enc", "lz4dec", TRUE);
}
GST_END_TEST;

GST_START_TEST (test_brotli)
{
  compress ("brotlienc quality=1", "brotlidec", FALSE);
}
GST_END_TEST;

/* Each part has a header of its own, with randomness of its own. */
GST_START_TEST (test_ciphers)
{
  gchar *key = g_build_filename (folder, "key", NULL);
  gchar *encoder =
      g_strdup_printf ("aesgcmenc segment-size=256 key-file=%s", key);
  gchar *decoder =
      g_strdup_printf ("aesgcmdec segment-size=256 key-file=%s", key);
  GByteArray *parts[2];
  GstEegPart part, next;

  fail_unless (
      g_file_set_contents (key, "0123456789abcdef0123456789abcdef", 32, NULL));
  gst_eeg_part_init (&part, uuid, 1);
  encode (encoder, &part, N_BYTES, parts, &next);
  expect_decoded (decoder, parts[0], 0, MIDDLE);
  expect_decoded (decoder, parts[1], MIDDLE, N_BYTES);
  /* 1 byte length, 32 salt, 7 prefix */
  fail_unless (memcmp (parts[0]->data + 1, parts[1]->data + 1, 32) != 0);
  fail_unless (memcmp (parts[0]->data + 33, parts[1]->data + 33, 7) != 0);
  free_parts (parts);
  g_free (encoder);
  g_free (decoder);
  g_free (key);
}
GST_END_TEST;

/* A sum file for each part, with its name in it. */
GST_START_TEST (test_sums)
{
  gchar *line = g_strdup_printf ("sha256sum location=%s/n.bdf.sha256", folder);
  gchar *path, *text, *wanted;
  GByteArray *parts[2];
  GstEegPart part, next;
  GstElement *element = gst_element_factory_make ("sha256sum", NULL);
  guint i;

  fail_unless_equals_int (gst_eeg_stage_get_part_support (
                              GST_EEG_STAGE (element)),
      GST_EEG_PART_SUPPORT_ENDS);
  g_object_set (element, "check-file", "x", NULL);
  fail_unless_equals_int (gst_eeg_stage_get_part_support (
                              GST_EEG_STAGE (element)),
      GST_EEG_PART_SUPPORT_NONE);
  gst_object_unref (element);

  gst_eeg_part_init (&part, uuid, 1);
  encode (line, &part, N_BYTES, parts, &next);
  for (i = 0; i < 2; i++) {
    gchar *sum = g_compute_checksum_for_data (G_CHECKSUM_SHA256,
        data + (i == 0 ? 0 : MIDDLE), i == 0 ? MIDDLE : N_BYTES - MIDDLE);

    path = g_strdup_printf ("%s/n-00%u.bdf.sha256", folder, i + 1);
    fail_unless (g_file_get_contents (path, &text, NULL, NULL), "%s", path);
    wanted = g_strdup_printf ("%s  n-00%u.bdf\n", sum, i + 1);
    assert_equals_string (text, wanted);
    g_free (sum);
    g_free (wanted);
    g_free (text);
    g_free (path);
  }
  free_parts (parts);
  g_free (line);
}
GST_END_TEST;

/* Summer time begins and ends between two parts; and a clock that was set back
 * says nothing. */
GST_START_TEST (test_count_before)
{
  static const guint8 nobody[GST_EEG_PART_UUID_SIZE];
  /* local time of both, in minutes since midnight, and what lies between */
  static const struct
  {
    gint day, month, origin, start, minutes;
  } nights[] = {
    { 21, 11, 30, 270, 240 }, { 25, 10, 30, 270, 300 }, /* back at 3 o'clock */
    { 29, 3, 30, 270, 180 }, /* forward at 2 o'clock */
  };
  gchar *zone = g_strdup (g_getenv ("TZ"));
  guint i;

  g_setenv ("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", TRUE);
  for (i = 0; i < G_N_ELEMENTS (nights); i++) {
    GDateTime *midnight =
        g_date_time_new_utc (2026, nights[i].month, nights[i].day, 0, 0, 0);
    gint64 wall = g_date_time_to_unix (midnight) * (gint64) GST_SECOND;
    guint64 count = (guint64) nights[i].minutes * 60 * 250;
    GstStructure *recording = gst_structure_new ("eeg-recording",
        GST_EEG_RECORDING_START_TIME, G_TYPE_INT64,
        wall + nights[i].start * (gint64) (60 * GST_SECOND), NULL);
    GstEegPart part;

    gst_eeg_part_init (&part, nobody, 2);
    part.origin = wall + nights[i].origin * (gint64) (60 * GST_SECOND);
    fail_unless_equals_uint64 (gst_eeg_part_count_before (&part, recording, 250,
                                   1),
        count);
    part.at_least = count;
    fail_unless_equals_uint64 (gst_eeg_part_count_before (&part, recording, 250,
                                   1),
        count);
    part.at_least = count + 1;
    fail_unless_equals_uint64 (gst_eeg_part_count_before (&part, recording, 250,
                                   1),
        GST_EEG_PART_UNKNOWN);
    gst_structure_free (recording);
    g_date_time_unref (midnight);
  }
  if (zone != NULL)
    g_setenv ("TZ", zone, TRUE);
  else
    g_unsetenv ("TZ");
  g_free (zone);
}

GST_END_TEST;

static Suite *
eegpart_suite (void)
{
  Suite *s = suite_create ("eegpart");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_count_before);
  tcase_add_test (tc, test_label);
  tcase_add_test (tc, test_location);
  tcase_add_test (tc, test_events);
  tcase_add_test (tc, test_zstd);
  tcase_add_test (tc, test_gzip);
  tcase_add_test (tc, test_lz4);
  tcase_add_test (tc, test_brotli);
  tcase_add_test (tc, test_ciphers);
  tcase_add_test (tc, test_sums);
  return s;
}

GST_CHECK_MAIN (eegpart);
