/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cipher.h"

#include <gst/check/gstharness.h>

#include "tink/tink.h"

static const guint8 key[32] = "key of the tests, not a secret..";
static const guint8 other_key[32] = "another key of the tests........";
static gchar *key_file;

static Result
encrypt (guint segment_size, guint threads, const guint8 *data, gsize size,
    gsize split)
{
  gchar *line =
      g_strdup_printf ("aesgcmenc key-file=%s segment-size=%u threads=%u",
          key_file, segment_size, threads);
  Result result =
      run_line (line, "application/x-edf, test=(int)1", data, size, split);

  g_free (line);
  return result;
}

static Result
decrypt (const gchar *options, const guint8 *data, gsize size, gsize split)
{
  gchar *line = g_strdup_printf ("aesgcmdec key-file=%s %s", key_file, options);
  Result result = run_line (line, NULL, data, size, split);

  g_free (line);
  return result;
}

/* What stands in the file, by the format alone. */
static void
expect_file (const GByteArray *file, guint segment_size, const guint8 *data,
    gsize size)
{
  EegAeadContext *context =
      eeg_aead_context_new (EEG_AEAD_AES_256_GCM, EEG_AEAD_OPEN, NULL);
  guint8 derived[EEG_AEAD_KEY_SIZE], *out = g_malloc (file->len);
  EegAeadPiece piece = { file->data + EEG_TINK_HEADER_SIZE,
    file->len - EEG_TINK_HEADER_SIZE };
  EegAeadReader reader = { &piece, 1, 0 };
  EegTinkHeader header;
  guint64 expected;
  gsize opened;
  bool ended;

  fail_unless (eeg_tink_sealed_size (size, segment_size, &expected));
  fail_unless_equals_uint64 (file->len, expected);
  fail_unless (eeg_tink_header_parse (&header, file->data, file->len));
  eeg_tink_derive_key (&header, key, sizeof key, NULL, 0, derived);
  eeg_aead_context_set_key (context, derived);
  fail_unless_equals_int (eeg_tink_open (context, &header, segment_size, 0,
                              TRUE, &reader, piece.size, out, &opened, &ended),
      piece.size);
  fail_unless (ended && opened == size);
  fail_unless (size == 0 || memcmp (out, data, size) == 0);
  g_free (out);
  eeg_aead_context_free (context);
}

/* Lengths around the ends of segments and jobs, whole and in pieces. */
GST_START_TEST (test_round_trip)
{
  static const gsize sizes[] = { 0, 1, 7, 8, 9, 55, 56, 57, 104, 105, 1000 };
  static const gsize big[] = { 1048520, 1048521, 2097080, 2097081, 3000000 };
  guint8 *data = test_bytes (3000000);

  for (guint threads = 1; threads <= 3; threads++) {
    for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
      Result sealed = encrypt (64, threads, data, sizes[i], threads * 11);
      Result opened;

      fail_unless (sealed.eos);
      expect_file (sealed.out, 64, data, sizes[i]);
      opened = decrypt ("segment-size=64", sealed.out->data, sealed.out->len,
          threads * 7);
      expect_bytes (&opened, data, sizes[i]);
      result_clear (&sealed);
      result_clear (&opened);
    }
    for (guint i = 0; i < 2 * G_N_ELEMENTS (big); i++) {
      gsize size = big[i / 2];
      guint segment_size = i % 2 ? 4096 : 1048576;
      gchar *options = g_strdup_printf ("threads=%u", threads);
      Result sealed = encrypt (segment_size, threads, data, size, 70000);
      Result opened;

      expect_file (sealed.out, segment_size, data, size);
      opened = decrypt (options, sealed.out->data, sealed.out->len,
          i % 3 ? 100000 : 0);
      expect_bytes (&opened, data, size);
      result_clear (&sealed);
      result_clear (&opened);
      g_free (options);
    }
  }
  g_free (data);
}

GST_END_TEST;

/* What the format makes of the data under the header of the file. */
static void
expect_same_bytes (const GByteArray *file, guint segment_size,
    const guint8 *data, gsize size, const gchar *backend)
{
  EegAeadContext *context =
      eeg_aead_context_new (EEG_AEAD_AES_256_GCM, EEG_AEAD_SEAL, backend);
  guint8 derived[EEG_AEAD_KEY_SIZE], *out = g_malloc (file->len);
  EegAeadPiece piece = { data, size };
  EegAeadReader reader = { &piece, 1, 0 };
  EegTinkHeader header;

  fail_unless (context != NULL);
  fail_unless (eeg_tink_header_parse (&header, file->data, file->len));
  eeg_tink_derive_key (&header, key, sizeof key, NULL, 0, derived);
  eeg_aead_context_set_key (context, derived);
  fail_unless_equals_int (eeg_tink_seal (context, &header, segment_size, 0,
                              TRUE, &reader, size, out),
      file->len - EEG_TINK_HEADER_SIZE);
  fail_unless (memcmp (out, file->data + EEG_TINK_HEADER_SIZE,
                   file->len - EEG_TINK_HEADER_SIZE)
      == 0);
  g_free (out);
  eeg_aead_context_free (context);
}

/* Beyond the header, which is random, the bytes depend on the data alone: not
 * on threads, nor on how fast they are, nor on how the input was split, nor on
 * the library. What one library makes, the other one opens. */
GST_START_TEST (test_same_bytes)
{
  static const guint threads[] = { 1, 2, 3, 8 };
  static const gsize splits[] = { 0, 333, 40000, 200000 };
  static const gchar *const backends[] = { "libcrypto", "libsodium" };
  const gsize size = 500000;
  guint8 *data = test_bytes (size);

  for (guint b = 0; b < G_N_ELEMENTS (backends); b++) {
    const gchar *other = backends[1 - b];
    gboolean have_both = TRUE;

    for (guint i = 0; i < 2; i++) {
      EegAeadContext *context = eeg_aead_context_new (EEG_AEAD_AES_256_GCM,
          EEG_AEAD_SEAL, backends[i]);

      have_both = have_both && context != NULL;
      eeg_aead_context_free (context);
    }
    if (!have_both) {
      g_print ("skipped: not both libraries have AES-GCM here\n");
      break;
    }
    for (guint t = 0; t < G_N_ELEMENTS (threads); t++) {
      for (guint i = 0; i < G_N_ELEMENTS (splits); i++) {
        guint segment_size = i % 2 ? 4096 : 65536;
        gchar *options = g_strdup_printf ("threads=%u segment-size=%u",
            threads[t], segment_size);
        Result sealed, opened;

        g_setenv (EEG_AEAD_BACKEND_VARIABLE, backends[b], TRUE);
        if (i % 2)
          g_setenv ("GSTEEG_TEST_JOB_DELAY_US", "2000", TRUE);
        sealed = encrypt (segment_size, threads[t], data, size, splits[i]);
        fail_unless (sealed.eos);
        expect_same_bytes (sealed.out, segment_size, data, size, other);
        g_setenv (EEG_AEAD_BACKEND_VARIABLE, other, TRUE);
        opened =
            decrypt (options, sealed.out->data, sealed.out->len, splits[3 - i]);
        expect_bytes (&opened, data, size);
        g_unsetenv ("GSTEEG_TEST_JOB_DELAY_US");
        g_unsetenv (EEG_AEAD_BACKEND_VARIABLE);
        result_clear (&sealed);
        result_clear (&opened);
        g_free (options);
      }
    }
  }
  g_free (data);
}

GST_END_TEST;

GST_START_TEST (test_caps)
{
  Result sealed = encrypt (4096, 1, key, sizeof key, 0), opened;
  GstStructure *structure = gst_caps_get_structure (sealed.caps, 0);
  const GValue *original = gst_structure_get_value (structure, "original-caps");
  GstCaps *expected = gst_caps_from_string ("application/x-edf, test=(int)1");
  gchar *line, *caps;

  fail_unless (
      gst_structure_has_name (structure, "application/x-tink-aes-gcm-hkdf"));
  fail_unless (original != NULL
      && gst_caps_is_equal (gst_value_get_caps (original), expected));

  line = g_strdup_printf ("aesgcmdec key-file=%s", key_file);
  caps = gst_caps_to_string (sealed.caps);
  opened = run_line (line, caps, sealed.out->data, sealed.out->len, 0);
  expect_bytes (&opened, key, sizeof key);
  fail_unless (gst_caps_is_equal (opened.caps, expected));
  g_free (line);
  g_free (caps);
  gst_caps_unref (expected);
  result_clear (&sealed);
  result_clear (&opened);
}

GST_END_TEST;

/* One flipped bit at each byte, and the file cut at each byte: one DECRYPT
 * error, nothing unverified before it, no EOS. */
GST_START_TEST (test_damage)
{
  static const gchar *const options[] = { "segment-size=64 threads=1",
    "segment-size=64 threads=2" };
  guint8 *data = test_bytes (200);
  Result sealed = encrypt (64, 1, data, 200, 0);

  for (guint o = 0; o < G_N_ELEMENTS (options); o++) {
    for (gsize i = 0; i < sealed.out->len; i++) {
      gsize whole = i < 64 ? 0 : i / 64 * 48 - 40;
      Result opened;

      sealed.out->data[i] ^= 1 << (i % 8);
      opened = decrypt (options[o], sealed.out->data, sealed.out->len, 90);
      sealed.out->data[i] ^= 1 << (i % 8);
      expect_stream_error (&opened, GST_STREAM_ERROR_DECRYPT, data, 200);
      fail_unless (opened.out->len <= whole);
      result_clear (&opened);

      opened = decrypt (options[o], sealed.out->data, i, 50);
      expect_stream_error (&opened, GST_STREAM_ERROR_DECRYPT, data, 200);
      fail_unless (opened.out->len <= whole);
      result_clear (&opened);
    }
  }
  result_clear (&sealed);
  g_free (data);
}

GST_END_TEST;

static void
expect_refused (const guint8 *file, gsize size, const guint8 *data,
    gsize data_size)
{
  for (guint i = 0; i < 2; i++) {
    Result opened =
        decrypt (i ? "segment-size=64 threads=2" : "segment-size=64 threads=1",
            file, size, i ? 64 : 0);

    expect_stream_error (&opened, GST_STREAM_ERROR_DECRYPT, data, data_size);
    result_clear (&opened);
  }
}

/* Segments that were swapped, dropped, repeated or put behind the end. The
 * first file's last segment is full, too. */
GST_START_TEST (test_segments)
{
  const gsize size = 8 + 4 * 48;
  guint8 *data = test_bytes (size), *file, *p;
  Result sealed = encrypt (64, 1, data, size, 0);
  gsize n = sealed.out->len;

  fail_unless_equals_int (n, 5 * 64);
  file = g_malloc (n + 64);
  p = sealed.out->data;

  memcpy (file, p, n);
  memcpy (file + 64, p + 128, 64);
  memcpy (file + 128, p + 64, 64);
  expect_refused (file, n, data, size);

  memcpy (file, p, n);
  memmove (file + 64, file + 128, n - 128);
  expect_refused (file, n - 64, data, size);

  memcpy (file, p, 128);
  memcpy (file + 128, p + 64, n - 64);
  expect_refused (file, n + 64, data, size);

  /* the end is gone, exactly */
  expect_refused (p, n - 64, data, size);
  /* the end twice, and something behind it */
  memcpy (file, p, n);
  memcpy (file + n, p + n - 64, 64);
  expect_refused (file, n + 64, data, size);
  expect_refused (file, n + 1, data, size);

  g_free (file);
  g_free (data);
  result_clear (&sealed);
}

GST_END_TEST;

GST_START_TEST (test_wrong_key)
{
  gchar *path = write_secret (other_key, sizeof other_key);
  guint8 *data = test_bytes (100000);
  Result sealed = encrypt (4096, 1, data, 100000, 0), opened;
  gchar *line = g_strdup_printf ("aesgcmdec key-file=%s", path);

  opened = run_line (line, NULL, sealed.out->data, sealed.out->len, 0);
  expect_stream_error (&opened, GST_STREAM_ERROR_DECRYPT, data, 0);
  result_clear (&opened);
  /* another segment size is as good as another key */
  opened = decrypt ("segment-size=8192", sealed.out->data, sealed.out->len, 0);
  expect_stream_error (&opened, GST_STREAM_ERROR_DECRYPT, data, 0);
  result_clear (&opened);

  opened = decrypt ("",
      (const guint8 *) "garbage, and no stream at all, of "
                       "more than forty bytes",
      55, 0);
  expect_stream_error (&opened, GST_STREAM_ERROR_DECRYPT, data, 0);
  result_clear (&opened);
  opened = decrypt ("", data, 0, 0);
  expect_stream_error (&opened, GST_STREAM_ERROR_DECRYPT, data, 0);
  result_clear (&opened);

  result_clear (&sealed);
  g_free (line);
  g_free (data);
  remove_secret (path);
}

GST_END_TEST;

static void
expect_bad_key (const gchar *path)
{
  gchar *enc = g_strdup_printf ("aesgcmenc key-file=%s", path);
  gchar *dec = g_strdup_printf ("aesgcmdec key-file=%s", path);

  expect_no_start (enc, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND);
  expect_no_start (dec, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT_NOKEY);
  g_free (enc);
  g_free (dec);
}

GST_START_TEST (test_bad_keys)
{
  gchar *path;

  expect_no_start ("aesgcmenc", GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_NOT_FOUND);
  expect_no_start ("aesgcmdec", GST_STREAM_ERROR,
      GST_STREAM_ERROR_DECRYPT_NOKEY);
  expect_bad_key ("/nonexistent");
  expect_bad_key ("/");
  path = write_secret ("short", -1);
  expect_bad_key (path);
  remove_secret (path);
  path = write_secret ("", -1);
  expect_bad_key (path);
  remove_secret (path);
  path = write_secret ("{\"primaryKeyId\": 1}", -1);
  expect_bad_key (path);
  remove_secret (path);
}

GST_END_TEST;

GST_START_TEST (test_bad_segment_size)
{
  static const guint sizes[] = { 0, 56, 104857601, G_MAXUINT };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    gchar *line = g_strdup_printf ("aesgcmenc key-file=%s segment-size=%u",
        key_file, sizes[i]);

    expect_no_start (line, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS);
    g_free (line);
    if (sizes[i] == 0)
      continue;
    line = g_strdup_printf ("aesgcmdec key-file=%s segment-size=%u", key_file,
        sizes[i]);
    expect_no_start (line, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS);
    g_free (line);
  }
}

GST_END_TEST;

static gchar *
keyset_value (guint segment_size, gchar c)
{
  GByteArray *bytes = g_byte_array_new ();
  guint8 material[32];
  gchar *text;

  if (segment_size == 4096)
    g_byte_array_append (bytes,
        (const guint8 *) "\x12\x07\x08\x80\x20\x10\x20\x18\x03\x1a\x20", 11);
  else
    g_byte_array_append (bytes,
        (const guint8 *) "\x12\x08\x08\x80\x80\x40\x10\x20\x18\x03\x1a\x20",
        12);
  memset (material, c, sizeof material);
  g_byte_array_append (bytes, material, sizeof material);
  text = g_base64_encode (bytes->data, bytes->len);
  g_byte_array_unref (bytes);
  return text;
}

static gchar *
keyset_file (guint primary, guint size_1, guint size_2)
{
  gchar *value_1 = keyset_value (size_1, 'a');
  gchar *value_2 = keyset_value (size_2, 'b');
  gchar *text = g_strdup_printf (
      "{\"primaryKeyId\":%u,\"key\":[{\"keyData\":{\"typeUrl\":\"type."
      "googleapis.com/google.crypto.tink.AesGcmHkdfStreamingKey\","
      "\"keyMaterialType\":\"SYMMETRIC\",\"value\":\"%s\"},"
      "\"outputPrefixType\":\"RAW\",\"keyId\":1,\"status\":\"ENABLED\"},"
      "{\"keyData\":{\"typeUrl\":\"type.googleapis.com/google.crypto.tink."
      "AesGcmHkdfStreamingKey\",\"keyMaterialType\":\"SYMMETRIC\","
      "\"value\":\"%s\"},\"outputPrefixType\":\"RAW\",\"keyId\":2,"
      "\"status\":\"ENABLED\"}]}",
      primary, value_1, value_2);
  gchar *path = write_secret (text, -1);

  g_free (text);
  g_free (value_1);
  g_free (value_2);
  return path;
}

/* A set whose keys were rotated: each file opens with the set, whichever key
 * wrote it, and the set tells the segment size. */
GST_START_TEST (test_keysets)
{
  gchar *one = keyset_file (1, 4096, 1048576);
  gchar *two = keyset_file (2, 4096, 1048576);
  gchar *same = keyset_file (2, 4096, 4096);
  const gchar *const files[] = { one, two, same };
  const guint sizes[] = { 4096, 1048576, 4096 };
  guint8 *data = test_bytes (1500000);

  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    gchar *enc = g_strdup_printf ("aesgcmenc key-file=%s", files[i]);
    gchar *dec = g_strdup_printf ("aesgcmdec key-file=%s", files[i]);
    Result sealed = run_line (enc, NULL, data, 1500000, 0), opened;
    guint64 expected;

    fail_unless (eeg_tink_sealed_size (1500000, sizes[i], &expected));
    fail_unless_equals_uint64 (sealed.out->len, expected);
    opened = run_line (dec, NULL, sealed.out->data, sealed.out->len, 9999);
    expect_bytes (&opened, data, 1500000);
    result_clear (&opened);
    result_clear (&sealed);
    g_free (enc);
    g_free (dec);
  }
  for (guint i = 0; i < 2; i++) {
    gchar *line = g_strdup_printf ("%s key-file=%s segment-size=%u",
        i ? "aesgcmdec" : "aesgcmenc", i ? same : one, i ? 8192 : 1048576);

    expect_no_start (line, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS);
    g_free (line);
  }
  g_free (data);
  remove_secret (one);
  remove_secret (two);
  remove_secret (same);
}

GST_END_TEST;

GST_START_TEST (test_exposed_key)
{
  gchar *path = write_secret (key, sizeof key);
  gchar *line = g_strdup_printf ("aesgcmenc key-file=%s", path);
  Result result = run_line (line, NULL, key, 1, 0);

  fail_unless (result.eos);
  fail_unless_equals_int (result.warnings, 0);
  result_clear (&result);
  fail_unless_equals_int (g_chmod (path, 0644), 0);
  result = run_line (line, NULL, key, 1, 0);
  fail_unless (result.eos);
  fail_unless_equals_int (result.warnings, 1);
  result_clear (&result);
  g_free (line);
  remove_secret (path);
}

GST_END_TEST;

static GBytes *
give_key (GstElement *element, gpointer user_data)
{
  return g_bytes_new (user_data, 32);
}

static GByteArray *
pull_all (GstHarness *h)
{
  GByteArray *bytes = g_byte_array_new ();
  GstBuffer *buffer;

  while ((buffer = gst_harness_try_pull (h)) != NULL) {
    GstMapInfo map;

    gst_buffer_map (buffer, &map, GST_MAP_READ);
    g_byte_array_append (bytes, map.data, map.size);
    gst_buffer_unmap (buffer, &map);
    gst_buffer_unref (buffer);
  }
  return bytes;
}

static GstHarness *
new_encoder (void)
{
  GstElement *element = gst_element_factory_make ("aesgcmenc", NULL);
  GstHarness *h;

  g_object_set (element, "threads", 1, "segment-size", 4096, NULL);
  g_signal_connect (element, "request-key", G_CALLBACK (give_key),
      (gpointer) key);
  h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  gst_harness_set_src_caps_str (h, "application/x-edf");
  return h;
}

/* The application gives the key; a flush and a restart each begin a file of
 * their own, with another salt. */
GST_START_TEST (test_fresh_header)
{
  GstHarness *h = new_encoder ();
  guint8 salts[3][EEG_TINK_HEADER_SIZE];
  guint8 *data = test_bytes (10000);
  GstSegment segment;

  for (guint i = 0; i < 3; i++) {
    GByteArray *file;

    gst_harness_push (h, gst_buffer_new_memdup (data, 10000));
    if (i == 0) {
      /* dropped with all that is in it */
      file = pull_all (h);
      memcpy (salts[i], file->data, EEG_TINK_HEADER_SIZE);
      g_byte_array_unref (file);
      gst_harness_push_event (h, gst_event_new_flush_start ());
      gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
      gst_segment_init (&segment, GST_FORMAT_TIME);
      gst_harness_push_event (h, gst_event_new_segment (&segment));
      continue;
    }
    fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
    file = pull_all (h);
    expect_file (file, 4096, data, 10000);
    memcpy (salts[i], file->data, EEG_TINK_HEADER_SIZE);
    g_byte_array_unref (file);
    if (i == 1) {
      gst_harness_teardown (h);
      h = new_encoder ();
    }
  }
  fail_unless (memcmp (salts[0] + 1, salts[1] + 1, 32) != 0);
  fail_unless (memcmp (salts[1] + 1, salts[2] + 1, 32) != 0);
  gst_harness_teardown (h);
  g_free (data);
}

GST_END_TEST;

/* Stopped and started again, the same element works, under another header. */
GST_START_TEST (test_restart)
{
  GstElement *enc = gst_element_factory_make ("aesgcmenc", NULL);
  guint8 *data = test_bytes (5000), salt[EEG_TINK_HEADER_SIZE] = { 0 };

  g_object_set (enc, "key-file", key_file, "threads", 2, "segment-size", 4096,
      NULL);
  gst_object_ref_sink (enc);
  for (guint i = 0; i < 3; i++) {
    GstHarness *h = gst_harness_new_with_element (enc, "sink", "src");
    GstBuffer *buffer;

    gst_harness_set_src_caps_str (h, "application/x-edf");
    fail_unless_equals_int (gst_harness_push (h,
                                gst_buffer_new_memdup (data, 5000)),
        GST_FLOW_OK);
    gst_harness_push_event (h, gst_event_new_eos ());
    buffer = gst_harness_pull (h);
    fail_unless_equals_int (gst_buffer_get_size (buffer), 40);
    fail_unless (gst_buffer_memcmp (buffer, 0, salt, 40) != 0);
    gst_buffer_extract (buffer, 0, salt, 40);
    gst_buffer_unref (buffer);
    gst_harness_teardown (h);
    fail_unless_equals_int (gst_element_set_state (enc, GST_STATE_NULL),
        GST_STATE_CHANGE_SUCCESS);
  }
  gst_object_unref (enc);
  g_free (data);
}

GST_END_TEST;

/* A muxer that goes back to patch its header. */
GST_START_TEST (test_backward_segment)
{
  GstHarness *h = new_encoder ();
  GstBus *bus = gst_bus_new ();
  GstSegment segment;
  GstMessage *message;
  guint8 *data = test_bytes (100);
  GByteArray *file;

  gst_element_set_bus (h->element, bus);
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  gst_harness_push (h, gst_buffer_new_memdup (data, 100));
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_unref (message);
  gst_harness_push (h, gst_buffer_new_memdup (data, 100));
  gst_harness_push_event (h, gst_event_new_eos ());
  file = pull_all (h);
  fail_unless (file->len <= EEG_TINK_HEADER_SIZE);
  g_byte_array_unref (file);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
  g_free (data);
}

GST_END_TEST;

/* Salvaging: what is damaged is missing, the rest is in its place. */
GST_START_TEST (test_salvage)
{
  const gsize size = 8 + 5 * 48 + 10;
  guint8 *data = test_bytes (size);
  Result sealed = encrypt (64, 1, data, size, 0), opened;
  guint64 lost = 0;
  gboolean authentic = FALSE;

  for (guint threads = 1; threads <= 2; threads++) {
    gchar *options =
        g_strdup_printf ("segment-size=64 salvage=true threads=%u", threads);

    /* nothing is damaged */
    opened = decrypt (options, sealed.out->data, sealed.out->len, 50);
    expect_bytes (&opened, data, size);
    fail_unless_equals_int (opened.gaps, 0);
    fail_unless (opened.salvage_end != NULL
        && gst_structure_get_boolean (opened.salvage_end, "end-authenticated",
            &authentic)
        && authentic);
    result_clear (&opened);

    /* segments 2 and 4 */
    sealed.out->data[2 * 64 + 5] ^= 1;
    sealed.out->data[4 * 64] ^= 1;
    opened = decrypt (options, sealed.out->data, sealed.out->len, 50);
    fail_unless (opened.eos);
    fail_unless_equals_int (opened.gaps, 2);
    fail_unless_equals_int (opened.discont, 2);
    fail_unless_equals_int (opened.out->len, size - 2 * 48);
    fail_unless (memcmp (opened.out->data, data, 8 + 48) == 0);
    fail_unless (
        memcmp (opened.out->data + 8 + 48, data + 8 + 2 * 48, 48) == 0);
    fail_unless (
        memcmp (opened.out->data + 8 + 96, data + 8 + 4 * 48, 48 + 10) == 0);
    fail_unless_equals_uint64 (g_array_index (opened.offsets, guint64, 2),
        8 + 2 * 48);
    fail_unless (
        gst_structure_get_uint64 (opened.salvage, "total-units-lost", &lost)
        && lost == 2);
    fail_unless (
        gst_structure_get_uint64 (opened.salvage, "total-bytes-lost", &lost)
        && lost == 128);
    fail_unless (
        gst_structure_get_uint64 (opened.salvage, "total-output-lost", &lost)
        && lost == 96);
    result_clear (&opened);
    sealed.out->data[2 * 64 + 5] ^= 1;
    sealed.out->data[4 * 64] ^= 1;

    /* the end is missing */
    opened = decrypt (options, sealed.out->data, 3 * 64, 0);
    fail_unless (opened.eos);
    fail_unless_equals_int (opened.out->len, 8 + 2 * 48);
    fail_unless (gst_structure_get_boolean (opened.salvage_end,
                     "end-authenticated", &authentic)
        && !authentic);
    result_clear (&opened);
    g_free (options);
  }
  result_clear (&sealed);
  g_free (data);
}

GST_END_TEST;

static Suite *
aesgcm_suite (void)
{
  Suite *suite = suite_create ("aesgcm");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_set_timeout (tc, 120);
  tcase_add_test (tc, test_round_trip);
  tcase_add_test (tc, test_same_bytes);
  tcase_add_test (tc, test_caps);
  tcase_add_test (tc, test_damage);
  tcase_add_test (tc, test_segments);
  tcase_add_test (tc, test_wrong_key);
  tcase_add_test (tc, test_bad_keys);
  tcase_add_test (tc, test_bad_segment_size);
  tcase_add_test (tc, test_keysets);
  tcase_add_test (tc, test_exposed_key);
  tcase_add_test (tc, test_fresh_header);
  tcase_add_test (tc, test_restart);
  tcase_add_test (tc, test_backward_segment);
  tcase_add_test (tc, test_salvage);
  return suite;
}

int
main (int argc, char **argv)
{
  int failed;

  gst_check_init (&argc, &argv);
  if (!eeg_aead_init ())
    return 1;
  key_file = write_secret (key, sizeof key);
  failed = gst_check_run_suite (aesgcm_suite (), "aesgcm", __FILE__);
  remove_secret (key_file);
  return failed;
}
