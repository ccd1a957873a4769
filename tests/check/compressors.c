/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What all compressions have to do, for each that was built. */
#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/eeg/eeg.h>

#include <stdlib.h>
#include <string.h>

typedef struct
{
  const gchar *name;
  const gchar *hot; /* property that may change while playing */
  gboolean checks;  /* damage cannot go unnoticed */
  gboolean frames;  /* chunks stand alone */
} Codec;

static const Codec codecs[] = {
  { "zstd", "level", TRUE, TRUE },
  { "gzip", "level", TRUE, TRUE },
  { "lz4", "level", TRUE, TRUE },
  { "brotli", NULL, FALSE, FALSE },
};

static gboolean
have (const Codec *codec)
{
  gchar *name = g_strconcat (codec->name, "enc", NULL);
  GstElementFactory *factory = gst_element_factory_find (name);

  g_free (name);
  if (factory == NULL)
    return FALSE;
  gst_object_unref (factory);
  return TRUE;
}

/* Half like EEG, half like text. */
static GByteArray *
make_data (gsize size)
{
  GByteArray *data = g_byte_array_sized_new ((guint) size);
  guint32 x = 1;
  gint32 value = 0;
  guint8 bytes[3];
  gsize i;

  for (i = 0; i + 3 <= size; i += 3) {
    x = x * 1664525u + 1013904223u;
    if (i < size / 2) {
      value += (gint32) (x >> 22) - 512;
      bytes[0] = (guint8) value;
      bytes[1] = (guint8) (value >> 8);
      bytes[2] = (guint8) (value >> 16);
    } else {
      bytes[0] = (guint8) ('a' + (x >> 29));
      bytes[1] = 'e';
      bytes[2] = ' ';
    }
    g_byte_array_append (data, bytes, 3);
  }
  while (data->len < size)
    g_byte_array_append (data, (const guint8 *) "z", 1);
  return data;
}

static GstHarness *
start_harness (const gchar *launch, const gchar *caps_string)
{
  GstHarness *h = gst_harness_new_parse (launch);
  GstCaps *caps = gst_caps_from_string (caps_string);
  GstSegment segment;

  fail_unless (h != NULL);
  gst_harness_set_live (h, FALSE);
  gst_harness_play (h);
  gst_pad_push_event (h->srcpad, gst_event_new_caps (caps));
  gst_caps_unref (caps);
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_pad_push_event (h->srcpad, gst_event_new_segment (&segment));
  return h;
}

static GstFlowReturn
push_pieces (GstHarness *h, const GByteArray *data, gsize piece)
{
  GstFlowReturn flow = GST_FLOW_OK;
  gsize pos = 0;

  while (pos < data->len && flow == GST_FLOW_OK) {
    gsize n = MIN (piece, data->len - pos);

    flow = gst_harness_push (h, gst_buffer_new_memdup (data->data + pos, n));
    pos += n;
  }
  return flow;
}

static void
append_buffer (GByteArray *out, GstBuffer *buffer)
{
  GstMapInfo map;

  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  g_byte_array_append (out, map.data, (guint) map.size);
  gst_buffer_unmap (buffer, &map);
  gst_buffer_unref (buffer);
}

static GByteArray *
pull_until_eos (GstHarness *h)
{
  GByteArray *out = g_byte_array_new ();
  GstBuffer *buffer = NULL;

  while (gst_harness_pull_until_eos (h, &buffer) && buffer != NULL) {
    append_buffer (out, buffer);
    buffer = NULL;
  }
  return out;
}

static GByteArray *
run_codec (const gchar *launch, const gchar *caps, const GByteArray *data,
    gsize piece)
{
  GstHarness *h = start_harness (launch, caps);
  GByteArray *out;

  fail_unless_equals_int (push_pieces (h, data, piece), GST_FLOW_OK);
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  out = pull_until_eos (h);
  gst_harness_teardown (h);
  return out;
}

static GByteArray *
encode (const Codec *codec, const gchar *options, const GByteArray *data,
    gsize piece)
{
  gchar *launch = g_strdup_printf ("%senc %s", codec->name, options);
  GByteArray *out = run_codec (launch, "application/x-edf", data, piece);

  g_free (launch);
  return out;
}

/* Decodes; @failed tells whether there was an error, which then was one, of the
 * right kind, and no EOS. What came out before is returned. */
static GByteArray *
decode (const Codec *codec, const gchar *options, const GByteArray *data,
    gsize piece, gboolean *failed)
{
  gchar *launch = g_strdup_printf ("%sdec %s", codec->name, options);
  gchar *caps = g_strdup_printf ("application/x-%s", codec->name);
  GstHarness *h = start_harness (launch, caps);
  GstBus *bus = gst_bus_new ();
  GstMessage *message;
  GByteArray *out;
  gboolean eos;

  gst_element_set_bus (h->element, bus);
  push_pieces (h, data, piece);
  eos = gst_harness_push_event (h, gst_event_new_eos ());
  message = gst_bus_timed_pop_filtered (bus, eos ? 0 : 20 * GST_SECOND,
      GST_MESSAGE_ERROR);
  /* if it was taken, EOS or an error is on its way */
  while (eos && message == NULL) {
    GstEvent *event = gst_harness_try_pull_event (h);
    gboolean done = event != NULL && GST_EVENT_TYPE (event) == GST_EVENT_EOS;

    if (event != NULL)
      gst_event_unref (event);
    else
      g_thread_yield ();
    if (done)
      break;
    message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  }
  out = g_byte_array_new ();
  {
    GstBuffer *buffer;

    while ((buffer = gst_harness_try_pull (h)) != NULL)
      append_buffer (out, buffer);
  }
  *failed = message != NULL;
  if (message != NULL) {
    GError *error;

    gst_message_parse_error (message, &error, NULL);
    fail_unless (
        g_error_matches (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE));
    g_error_free (error);
    gst_message_unref (message);
    fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL);
  }
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
  g_free (launch);
  g_free (caps);
  return out;
}

static gboolean
is_equal (const GByteArray *a, const GByteArray *b)
{
  return a->len == b->len
      && (a->len == 0 || memcmp (a->data, b->data, a->len) == 0);
}

static gboolean
is_prefix (const GByteArray *a, const GByteArray *b)
{
  return a->len <= b->len
      && (a->len == 0 || memcmp (a->data, b->data, a->len) == 0);
}

GST_START_TEST (test_same_bytes)
{
  static const guint threads[] = { 1, 2, 3, 8 };
  static const gsize pieces[] = { 777, 5000, 8192, 1 << 20 };
  const Codec *codec = &codecs[__i__];
  GByteArray *data = make_data (100000), *first = NULL;
  guint t, p, delay;

  if (!have (codec))
    return;
  for (delay = 0; delay < 2; delay++) {
    if (delay)
      g_setenv ("GSTEEG_TEST_JOB_DELAY_US", "3000", TRUE);
    for (t = 0; t < G_N_ELEMENTS (threads); t++) {
      for (p = 0; p < G_N_ELEMENTS (pieces); p++) {
        gchar *options =
            g_strdup_printf ("chunk-size=8192 threads=%u", threads[t]);
        GByteArray *out = encode (codec, options, data, pieces[p]), *back;
        gboolean failed;

        if (first == NULL)
          first = g_byte_array_ref (out);
        fail_unless (is_equal (out, first));
        g_free (options);
        options = g_strdup_printf ("threads=%u", threads[t]);
        back = decode (codec, options, out, pieces[p], &failed);
        fail_if (failed);
        fail_unless (is_equal (back, data));
        g_free (options);
        g_byte_array_unref (back);
        g_byte_array_unref (out);
      }
    }
  }
  g_unsetenv ("GSTEEG_TEST_JOB_DELAY_US");
  g_byte_array_unref (first);
  g_byte_array_unref (data);
}
GST_END_TEST;

/* Cut at each byte, and each byte changed: an error or the very same data;
 * nothing wrong in between. */
GST_START_TEST (test_damage)
{
  const Codec *codec = &codecs[__i__];
  GByteArray *data = make_data (2500), *coded;
  guint i, threads;

  if (!have (codec))
    return;
  coded = encode (codec, "chunk-size=1024 threads=1", data, 1000);
  for (threads = 1; threads <= 2; threads++) {
    gchar *options = g_strdup_printf ("threads=%u", threads);

    for (i = 0; i < coded->len; i++) {
      GByteArray *bad = g_byte_array_new (), *out;
      gboolean failed;

      g_byte_array_append (bad, coded->data, i);
      out = decode (codec, options, bad, i % 2 ? 7 : 5000, &failed);
      fail_unless (is_prefix (out, data));
      /* at the border of two frames the file is whole, as far as one knows */
      fail_unless (failed || (codec->frames && i > 0 && out->len % 1024 == 0));
      fail_unless (i > 0 || failed);
      g_byte_array_unref (out);
      g_byte_array_unref (bad);
    }
    for (i = 0; i < coded->len; i++) {
      GByteArray *bad = g_byte_array_new (), *out;
      gboolean failed;

      g_byte_array_append (bad, coded->data, coded->len);
      bad->data[i] ^= (guint8) (1 << (i * 5 % 8));
      out = decode (codec, options, bad, i % 2 ? 7 : 5000, &failed);
      if (codec->checks)
        fail_unless (failed || is_equal (out, data),
            "%s, byte %u of %u, %u bytes, threads %u", codec->name, i);
      g_byte_array_unref (out);
      g_byte_array_unref (bad);
    }
    g_free (options);
  }
  g_byte_array_unref (coded);
  g_byte_array_unref (data);
}
GST_END_TEST;

/* Whole chunks around a damaged one come out in place. */
GST_START_TEST (test_salvage)
{
  const Codec *codec = &codecs[__i__];
  GByteArray *data, *coded, *out, *part;
  gboolean failed;
  guint at;

  if (!have (codec) || !codec->frames)
    return;
  data = make_data (5 * 2048);
  /* where the third chunk begins */
  part = g_byte_array_new ();
  g_byte_array_append (part, data->data, 2 * 2048);
  coded = encode (codec, "chunk-size=2048 threads=1", part, 1000);
  at = coded->len;
  g_byte_array_unref (part);
  g_byte_array_unref (coded);

  coded = encode (codec, "chunk-size=2048 threads=1", data, 1000);
  coded->data[at + 60] ^= 0x10;
  out = decode (codec, "salvage=true threads=2", coded, 777, &failed);
  fail_if (failed);
  fail_unless (out->len >= 4 * 2048);
  fail_unless (memcmp (out->data, data->data, 2 * 2048) == 0);
  fail_unless (
      memcmp (out->data + out->len - 2 * 2048, data->data + 3 * 2048, 2 * 2048)
      == 0);
  g_byte_array_unref (out);

  /* its start gone */
  memset (coded->data + at, 0x55, 5);
  out = decode (codec, "salvage=true threads=2", coded, 777, &failed);
  fail_if (failed);
  fail_unless_equals_int (out->len, 4 * 2048);
  g_byte_array_unref (out);

  /* and the end */
  g_byte_array_set_size (coded, coded->len - 3);
  out = decode (codec, "salvage=true threads=1", coded, 777, &failed);
  fail_if (failed);
  fail_unless (out->len >= 3 * 2048);
  g_byte_array_unref (out);
  g_byte_array_unref (coded);
  g_byte_array_unref (data);
}
GST_END_TEST;

static void
count_gap (GstEvent *event, guint *gaps)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_GAP)
    (*gaps)++;
  gst_event_unref (event);
}

/* Salvage is never silent: for each loss a GAP event where the bytes are
 * missing, and a message whose counts add up. */
GST_START_TEST (test_salvage_tells)
{
  const Codec *codec = &codecs[__i__];
  GByteArray *data, *coded;
  gchar *launch, *caps;
  GstHarness *h;
  GstBus *bus;
  GstMessage *message;
  GstEvent *event;
  GstBuffer *buffer;
  guint gaps = 0, messages = 0;
  guint64 lost_units = 0, output = 0, pushed = 0, offset;

  if (!have (codec))
    return;
  data = make_data (8 * 2048);
  coded = encode (codec, "chunk-size=2048 threads=1", data, 1000);
  /* in the middle, and the end is missing */
  memset (coded->data + coded->len / 2, 0xff, 9);
  g_byte_array_set_size (coded, coded->len - 3);

  launch = g_strdup_printf ("%sdec salvage=true threads=1", codec->name);
  caps = g_strdup_printf ("application/x-%s", codec->name);
  h = start_harness (launch, caps);
  bus = gst_bus_new ();
  gst_element_set_bus (h->element, bus);
  push_pieces (h, coded, 777);
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  while ((event = gst_harness_try_pull_event (h)) != NULL)
    count_gap (event, &gaps);
  while ((buffer = gst_harness_try_pull (h)) != NULL) {
    pushed += gst_buffer_get_size (buffer);
    gst_buffer_unref (buffer);
  }
  while ((message = gst_bus_pop (bus)) != NULL) {
    const GstStructure *s = gst_message_get_structure (message);

    fail_if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR);
    if (gst_message_has_name (message, "eeg-salvage")) {
      messages++;
      fail_unless (gst_structure_get_uint64 (s, "offset", &offset));
      fail_unless (offset <= coded->len);
      fail_unless (
          gst_structure_get_uint64 (s, "total-units-lost", &lost_units));
      fail_unless (gst_structure_get_uint64 (s, "total-output", &output));
      fail_unless (gst_structure_get_string (s, "reason") != NULL);
      fail_unless_equals_uint64 (lost_units, messages);
      fail_unless (output <= pushed);
    }
    gst_message_unref (message);
  }
  fail_unless (messages >= 1, "%s: silent", codec->name);
  fail_unless_equals_int (gaps, messages);
  /* what came before the damage is there */
  fail_unless (pushed >= (codec->frames ? 3 * 2048 : 2048),
      "%s: %" G_GUINT64_FORMAT " bytes", codec->name, pushed);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
  g_free (launch);
  g_free (caps);
  g_byte_array_unref (coded);
  g_byte_array_unref (data);
}
GST_END_TEST;

GST_START_TEST (test_garbage)
{
  const Codec *codec = &codecs[__i__];
  GByteArray *data = make_data (5000), *out;
  gboolean failed;

  if (!have (codec))
    return;
  out = decode (codec, "", data, 999, &failed);
  fail_unless (failed);
  g_byte_array_unref (out);
  g_byte_array_unref (data);
}
GST_END_TEST;

/* A few hundred bytes that want to be 100 MiB. */
GST_START_TEST (test_bomb)
{
  const Codec *codec = &codecs[__i__];
  GByteArray *zeros = g_byte_array_new (), *coded, *out;
  gchar *options;
  gboolean failed;
  guint threads;

  if (!have (codec))
    return;
  g_byte_array_set_size (zeros, 100 << 20);
  memset (zeros->data, 0, zeros->len);
  options = g_strdup_printf ("chunk-size=%d %s", 100 << 20,
      g_str_equal (codec->name, "brotli") ? "quality=1" : "level=1");
  coded = encode (codec, options, zeros, 100 << 20);
  g_free (options);
  for (threads = 1; threads <= 2; threads++) {
    options = g_strdup_printf ("max-output-bytes=1000000 threads=%u", threads);
    out = decode (codec, options, coded, 4096, &failed);
    fail_unless (failed);
    fail_unless (out->len <= 1000000);
    g_byte_array_unref (out);
    g_free (options);
  }
  out = decode (codec, "max-output-bytes=104857600", coded, 4096, &failed);
  fail_if (failed);
  fail_unless_equals_int (out->len, 100 << 20);
  g_byte_array_unref (out);
  g_byte_array_unref (coded);
  g_byte_array_unref (zeros);
}
GST_END_TEST;

GST_START_TEST (test_chunk_size_limits)
{
  static const guint64 sizes[] = { 0, 1023, 104857601, G_MAXUINT64 };
  const Codec *codec = &codecs[__i__];
  gchar *name = g_strconcat (codec->name, "enc", NULL);
  guint i;

  if (!have (codec)) {
    g_free (name);
    return;
  }
  for (i = 0; i < G_N_ELEMENTS (sizes); i++) {
    GstElement *element = gst_element_factory_make (name, NULL);
    GstBus *bus = gst_bus_new ();
    GstMessage *message;
    GError *error;

    gst_element_set_bus (element, bus);
    g_object_set (element, "chunk-size", sizes[i], NULL);
    fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
        GST_STATE_CHANGE_FAILURE);
    message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
    fail_unless (message != NULL);
    gst_message_parse_error (message, &error, NULL);
    fail_unless (
        g_error_matches (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS));
    g_error_free (error);
    gst_message_unref (message);
    g_object_set (element, "chunk-size", (guint64) 1024, NULL);
    fail_if (gst_element_set_state (element, GST_STATE_PAUSED)
        == GST_STATE_CHANGE_FAILURE);
    gst_element_set_state (element, GST_STATE_NULL);
    gst_element_set_bus (element, NULL);
    gst_object_unref (bus);
    gst_object_unref (element);
  }
  g_free (name);
}
GST_END_TEST;

/* A level set while playing is used from the next chunk on. */
GST_START_TEST (test_hot_level)
{
  const Codec *codec = &codecs[__i__];
  GByteArray *data, *out, *back;
  gchar *launch;
  GstHarness *h;
  GstElement *element;
  gboolean failed;

  if (!have (codec) || codec->hot == NULL)
    return;
  data = make_data (200000);
  launch = g_strdup_printf ("%senc chunk-size=10000 name=e", codec->name);
  h = start_harness (launch, "application/x-edf");
  element = gst_bin_get_by_name (GST_BIN (h->element), "e");
  fail_unless_equals_int (push_pieces (h, data, 3000), GST_FLOW_OK);
  g_object_set (element, codec->hot, 9, NULL);
  fail_unless_equals_int (push_pieces (h, data, 3000), GST_FLOW_OK);
  gst_harness_push_event (h, gst_event_new_eos ());
  out = pull_until_eos (h);
  back = decode (codec, "", out, 10000, &failed);
  fail_if (failed);
  fail_unless_equals_int (back->len, 400000);
  fail_unless (memcmp (back->data, data->data, 200000) == 0);
  fail_unless (memcmp (back->data + 200000, data->data, 200000) == 0);
  gst_object_unref (element);
  g_byte_array_unref (back);
  g_byte_array_unref (out);
  g_byte_array_unref (data);
  g_free (launch);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* How many workers a live second of samples starts. */
static guint
count_started_by_live (const Codec *codec, const GByteArray *one)
{
  gchar *launch =
      g_strdup_printf ("%senc threads=4 chunk-duration=1000000000 name=e",
          codec->name);
  GstHarness *h = gst_harness_new_parse (launch);
  GstElement *element;
  GstStructure *stats;
  guint i, started = 99;

  gst_harness_set_live (h, TRUE);
  gst_harness_play (h);
  gst_harness_set_src_caps_str (h, "application/x-edf");
  for (i = 0; i < 20; i++) {
    GstBuffer *buffer = gst_buffer_new_memdup (one->data, one->len);

    GST_BUFFER_PTS (buffer) = i * GST_SECOND;
    GST_BUFFER_DURATION (buffer) = GST_SECOND;
    fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
    gst_buffer_unref (gst_harness_pull (h));
    g_usleep (10000);
  }
  element = gst_bin_get_by_name (GST_BIN (h->element), "e");
  g_object_get (element, "stats", &stats, NULL);
  gst_object_unref (element);
  fail_unless (gst_structure_get_uint (stats, "threads-started", &started));
  gst_structure_free (stats);
  gst_harness_teardown (h);
  g_free (launch);
  return started;
}

/* Live and small: nothing but the streaming thread works. A job that a busy
 * machine drags out may start a worker, but not each time. */
GST_START_TEST (test_live_is_inline)
{
  const Codec *codec = &codecs[__i__];
  GByteArray *one;
  guint started = 99;
  gint attempt;

  if (!have (codec))
    return;
  one = make_data (6000);
  for (attempt = 0; attempt < 5 && started > 0; attempt++)
    started = count_started_by_live (codec, one);
  fail_unless_equals_int (started, 0);
  g_byte_array_unref (one);
}
GST_END_TEST;

/* Stages in the wrong order say so, and name both. */
GST_START_TEST (test_twice)
{
  const Codec *codec = &codecs[__i__];
  GstElement *pipeline;
  GstBus *bus;
  GstMessage *message;
  GError *error = NULL;
  gchar *launch;

  if (!have (codec))
    return;
  launch = g_strdup_printf (
      "fakesrc filltype=pattern num-buffers=10 sizetype=fixed sizemax=9 "
      "format=bytes ! %senc name=first ! identity ! "
      "%senc name=second ! fakesink",
      codec->name, codec->name);
  pipeline = gst_parse_launch (launch, &error);
  fail_unless (error == NULL);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND,
      GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (
      g_error_matches (error, GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION));
  fail_unless (strstr (error->message, "first") != NULL);
  fail_unless (strstr (error->message, "second") != NULL);
  g_error_free (error);
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
  g_free (launch);
}
GST_END_TEST;

/* The seek table tells where each frame is, and its hash is the frame's. */
GST_START_TEST (test_seek_table)
{
  GByteArray *data = make_data (50000), *out, *plain, *back;
  gboolean failed;
  const guint8 *p;
  guint32 n, i, offset = 0, total = 0;

  if (!have (&codecs[0]))
    return;
  plain = encode (&codecs[0], "chunk-size=4096", data, 1000);
  out = encode (&codecs[0], "chunk-size=4096 seek-table=true", data, 1000);
  fail_unless (is_prefix (plain, out));
  p = out->data + out->len - 9;
  n = GST_READ_UINT32_LE (p);
  fail_unless_equals_int (n, 13);
  fail_unless_equals_int (p[4], 0x80);
  fail_unless (GST_READ_UINT32_LE (p + 5) == 0x8F92EAB1);
  p = out->data + plain->len;
  fail_unless (GST_READ_UINT32_LE (p) == 0x184D2A5E);
  fail_unless_equals_int (GST_READ_UINT32_LE (p + 4), 12 * n + 9);
  fail_unless_equals_int (out->len, plain->len + 8 + 12 * n + 9);
  for (i = 0, p += 8; i < n; i++, p += 12) {
    fail_unless (GST_READ_UINT32_LE (plain->data + offset) == 0xFD2FB528);
    offset += GST_READ_UINT32_LE (p);
    total += GST_READ_UINT32_LE (p + 4);
    fail_unless (memcmp (plain->data + offset - 4, p + 8, 4) == 0);
  }
  fail_unless_equals_int (offset, plain->len);
  fail_unless_equals_int (total, data->len);
  back = decode (&codecs[0], "", out, 1000, &failed);
  fail_if (failed);
  fail_unless (is_equal (back, data));
  g_byte_array_unref (back);
  g_byte_array_unref (out);
  g_byte_array_unref (plain);
  g_byte_array_unref (data);
}
GST_END_TEST;

/* Public files */

static GByteArray *
read_file (const gchar *path)
{
  gchar *contents;
  gsize size;

  if (!g_file_get_contents (path, &contents, &size, NULL))
    return NULL;
  return g_byte_array_new_take ((guint8 *) contents, size);
}

static gboolean
zstd_is_old (void)
{
  /* two bytes for no sequences, which the format allows */
  static const guint8 frame[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x00, 0x85,
    0x00, 0x00, 0x68, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x20, 0x57, 0x6f, 0x72,
    0x6c, 0x64, 0x21, 0x0a, 0x80, 0x00 };
  GByteArray *coded = g_byte_array_new ();
  gboolean failed;

  g_byte_array_append (coded, frame, sizeof frame);
  g_byte_array_unref (decode (&codecs[0], "", coded, 100, &failed));
  g_byte_array_unref (coded);
  return failed;
}

/* Each file of @folder with @suffix decodes to the file named without it, if
 * there is one; or fails, if it shall. Returns how many there were. */
static guint
check_folder (const Codec *codec, const gchar *shared, const gchar *folder,
    const gchar *suffix, gboolean shall_fail)
{
  gchar *path = g_build_filename (shared, "vectors", folder, NULL);
  GDir *dir = g_dir_open (path, 0, NULL);
  const gchar *name;
  guint n = 0, threads;

  if (dir == NULL) {
    g_free (path);
    return 0;
  }
  while ((name = g_dir_read_name (dir)) != NULL) {
    const gchar *at = strstr (name, suffix);
    gchar *file, *plain_name, *plain_file;
    GByteArray *coded, *plain;

    if (at == NULL)
      continue;
    /* libzstd before 1.5.5 reads three kinds of odd frames otherwise; the
     * tool of that version does too */
    if (g_str_equal (codec->name, "zstd")
        && (shall_fail || g_str_equal (name, "zeroSeq_2B.zst"))
        && zstd_is_old ()) {
      g_print ("skipped %s: libzstd is older than 1.5.5\n", name);
      n++;
      continue;
    }
    file = g_build_filename (path, name, NULL);
    plain_name = g_strndup (name, (gsize) (at - name));
    plain_file = g_build_filename (path, plain_name, NULL);
    coded = read_file (file);
    plain = read_file (plain_file);
    for (threads = 1; threads <= 2 && coded != NULL; threads++) {
      gchar *options = g_strdup_printf ("threads=%u", threads);
      gboolean failed;
      GByteArray *out = decode (codec, options, coded, 1000, &failed);

      fail_unless (failed == (shall_fail || strstr (name, "malformed") != NULL),
          "%s", name);
      if (!shall_fail && plain != NULL)
        fail_unless (is_equal (out, plain), "%s", name);
      g_byte_array_unref (out);
      g_free (options);
    }
    n++;
    if (coded != NULL)
      g_byte_array_unref (coded);
    if (plain != NULL)
      g_byte_array_unref (plain);
    g_free (file);
    g_free (plain_name);
    g_free (plain_file);
  }
  g_dir_close (dir);
  g_free (path);
  return n;
}

GST_START_TEST (test_vectors)
{
  const gchar *shared = g_getenv ("GSTEEG_SHARED_DIR");
  const Codec *codec = &codecs[__i__];

  if (!have (codec) || shared == NULL) {
    g_print ("skipped %s vectors: no shared folder\n", codec->name);
    return;
  }
  if (g_str_equal (codec->name, "zstd")) {
    fail_unless (check_folder (codec, shared, "zstd/tests/golden-decompression",
                     ".zst", FALSE)
        >= 4);
    fail_unless (check_folder (codec, shared,
                     "zstd/tests/golden-decompression-errors", ".zst", TRUE)
        >= 3);
    {
      gchar *path = g_build_filename (shared,
          "vectors/zstd/tests/golden-compression", NULL);
      GDir *dir = g_dir_open (path, 0, NULL);
      const gchar *name;

      fail_unless (dir != NULL);
      while ((name = g_dir_read_name (dir)) != NULL) {
        gchar *file = g_build_filename (path, name, NULL);
        GByteArray *data = read_file (file), *coded, *back;
        gboolean failed;

        coded = encode (codec, "level=19", data, 10000);
        back = decode (codec, "", coded, 10000, &failed);
        fail_if (failed);
        fail_unless (is_equal (back, data));
        g_byte_array_unref (back);
        g_byte_array_unref (coded);
        g_byte_array_unref (data);
        g_free (file);
      }
      g_dir_close (dir);
      g_free (path);
    }
  } else if (g_str_equal (codec->name, "lz4")) {
    fail_unless (
        check_folder (codec, shared, "lz4/pierrec", ".lz4", FALSE) >= 3);
  } else if (g_str_equal (codec->name, "brotli")) {
    fail_unless (
        check_folder (codec, shared, "brotli/testdata", ".compressed", FALSE)
        >= 10);
  }
}
GST_END_TEST;

/* Sizes change, each change is told with its reason, and what comes out is the
 * same. A memory limit holds, and one that cannot be kept is refused. */
GST_START_TEST (test_adaptive)
{
  const Codec *codec = &codecs[__i__];
  gchar *launch, *name;
  GstElement *element;
  GstHarness *h;
  GstBus *bus;
  GstMessage *message;
  GstEegEstimate estimate;
  GByteArray *data, *coded, *out;
  guint n = 0, i;
  gboolean failed;
  guint64 size, previous = 0, largest = 0, limit;
  GError *error = NULL;

  if (!have (codec))
    return;
  /* what chunks of 128 KiB need */
  name = g_strconcat (codec->name, "enc", NULL);
  element = gst_element_factory_make (name, NULL);
  g_object_set (element, "chunk-size", (guint64) 131072, "threads", 2, NULL);
  fail_unless (gst_eeg_stage_estimate (GST_EEG_STAGE (element), 1, &estimate));
  limit = estimate.memory_bytes;
  gst_object_unref (element);

  launch = g_strdup_printf ("%senc adaptive=true chunk-size=16384 threads=2 "
                            "memory-limit=%" G_GUINT64_FORMAT,
      codec->name, limit);
  /* enough for the fastest one to be measured */
  data = make_data (g_str_equal (codec->name, "lz4") ? 64000000 : 8000000);
  h = start_harness (launch, "application/x-edf");
  bus = gst_bus_new ();
  gst_element_set_bus (h->element, bus);
  element = gst_harness_find_element (h, name);
  fail_unless (gst_eeg_stage_estimate (GST_EEG_STAGE (element), 1, &estimate));
  fail_unless (estimate.memory_bytes <= limit);
  gst_object_unref (element);
  fail_unless_equals_int (push_pieces (h, data, 100000), GST_FLOW_OK);
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  coded = pull_until_eos (h);
  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT))) {
    const GstStructure *s = gst_message_get_structure (message);

    if (gst_structure_has_name (s, "eeg-chunk-size")) {
      fail_unless (gst_structure_get_uint64 (s, "chunk-size", &size));
      fail_unless (gst_structure_get_uint64 (s, "previous", &previous));
      fail_unless (gst_structure_get_string (s, "reason") != NULL);
      largest = MAX (largest, size);
      n++;
    }
    gst_message_unref (message);
  }
  fail_unless (n > 0, "%s: the size never changed", codec->name);
  /* more than one class was tried, and none whose ring is too large */
  fail_unless (largest > 16384 && largest <= 131072);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
  g_free (launch);

  out = decode (codec, "threads=2", coded, 100000, &failed);
  fail_if (failed);
  fail_unless_equals_int (out->len, data->len);
  fail_unless (memcmp (out->data, data->data, out->len) == 0);
  g_byte_array_unref (out);
  g_byte_array_unref (coded);
  g_byte_array_unref (data);

  /* nothing fits into so little */
  launch =
      g_strdup_printf ("%senc adaptive=true memory-limit=1000", codec->name);
  for (i = 0; i < 2; i++) {
    element = gst_parse_launch (launch, &error);
    fail_unless (error == NULL);
    if (i == 1)
      g_object_set (element, "memory-limit", G_GUINT64_CONSTANT (1000000000),
          NULL);
    fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED)
            == GST_STATE_CHANGE_FAILURE,
        i == 0);
    gst_element_set_state (element, GST_STATE_NULL);
    gst_object_unref (element);
  }
  g_free (launch);
  g_free (name);
}
GST_END_TEST;

/* Each would take longer than the test may. */
static const gchar *const long_jobs[] = {
  "zstdenc level=22 chunk-size=100000000 threads=2",
  "zstdenc level=22 chunk-size=100000000 threads=1",
  "brotlienc quality=11 chunk-size=100000000 threads=2",
};

static gpointer
push_one (gpointer user_data)
{
  GstHarness *h = user_data;
  GByteArray *data = make_data (100000000);
  gsize size = data->len;
  GstBuffer *buffer =
      gst_buffer_new_wrapped (g_byte_array_free (data, FALSE), size);

  return GINT_TO_POINTER (gst_harness_push (h, buffer));
}

/* A chunk under way is given up by a flush, and by the way to READY. */
GST_START_TEST (test_given_up)
{
  GstHarness *h;
  GstBus *bus = gst_bus_new ();
  GstMessage *message;
  GThread *thread;
  gchar *name = g_strndup (long_jobs[__i__], strcspn (long_jobs[__i__], " "));
  GstElementFactory *factory = gst_element_factory_find (name);
  GstFlowReturn flow;
  gboolean flush;

  g_free (name);
  if (factory == NULL)
    return;
  gst_object_unref (factory);
  for (flush = FALSE; flush <= TRUE; flush++) {
    h = start_harness (long_jobs[__i__], "application/x-edf");
    gst_element_set_bus (h->element, bus);
    thread = g_thread_new ("push", push_one, h);
    g_usleep (2 * G_USEC_PER_SEC);
    if (flush) {
      gst_pad_push_event (h->srcpad, gst_event_new_flush_start ());
      flow = GPOINTER_TO_INT (g_thread_join (thread));
      gst_pad_push_event (h->srcpad, gst_event_new_flush_stop (TRUE));
    } else {
      gst_element_set_state (h->element, GST_STATE_READY);
      flow = GPOINTER_TO_INT (g_thread_join (thread));
    }
    fail_unless (flow == GST_FLOW_OK || flow == GST_FLOW_FLUSHING, "%s",
        gst_flow_get_name (flow));
    fail_unless_equals_int (gst_harness_buffers_in_queue (h), 0);
    gst_element_set_bus (h->element, NULL);
    gst_harness_teardown (h);
  }
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message == NULL);
  gst_object_unref (bus);
}
GST_END_TEST;

static Suite *
compressors_suite (void)
{
  Suite *s = suite_create ("compressors");
  TCase *tc = tcase_create ("general");
  gint n = G_N_ELEMENTS (codecs);

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, 170);
  tcase_add_loop_test (tc, test_same_bytes, 0, n);
  tcase_add_loop_test (tc, test_damage, 0, n);
  tcase_add_loop_test (tc, test_salvage, 0, n);
  tcase_add_loop_test (tc, test_salvage_tells, 0, n);
  tcase_add_loop_test (tc, test_garbage, 0, n);
  tcase_add_loop_test (tc, test_bomb, 0, n);
  tcase_add_loop_test (tc, test_chunk_size_limits, 0, n);
  tcase_add_loop_test (tc, test_hot_level, 0, n);
  tcase_add_loop_test (tc, test_adaptive, 0, n);
  tcase_add_loop_test (tc, test_live_is_inline, 0, n);
  tcase_add_loop_test (tc, test_twice, 0, n);
  tcase_add_test (tc, test_seek_table);
  tcase_add_loop_test (tc, test_vectors, 0, n);

  tc = tcase_create ("given up");
  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, 60);
  /* too slow under valgrind, where nothing forks */
  if (g_getenv ("CK_FORK") == NULL)
    tcase_add_loop_test (tc, test_given_up, 0, G_N_ELEMENTS (long_jobs));
  return s;
}

GST_CHECK_MAIN (compressors);
