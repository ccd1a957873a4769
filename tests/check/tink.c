/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <gst/check/gstcheck.h>
#include <json-glib/json-glib.h>
#include <sodium.h>
#include <string.h>

#include "tink/tink.h"

#define SEGMENT 64

static const guint8 ikm[32] = "0123456789abcdef0123456789abcdef";

typedef struct
{
  EegTinkHeader header;
  EegAeadContext *seal;
  EegAeadContext *open;
} File;

static void
file_init (File *file, const EegTinkHeader *header, const guint8 *key)
{
  if (header != NULL)
    file->header = *header;
  else
    eeg_tink_header_generate (&file->header);
  file->seal = eeg_aead_context_new (EEG_AEAD_AES_256_GCM, EEG_AEAD_SEAL, NULL);
  file->open = eeg_aead_context_new (EEG_AEAD_AES_256_GCM, EEG_AEAD_OPEN, NULL);
  eeg_aead_context_set_key (file->seal, key);
  eeg_aead_context_set_key (file->open, key);
}

static void
file_init_derived (File *file)
{
  EegTinkHeader header;
  guint8 key[EEG_AEAD_KEY_SIZE];

  eeg_tink_header_generate (&header);
  eeg_tink_derive_key (&header, ikm, sizeof ikm, NULL, 0, key);
  file_init (file, &header, key);
}

static void
file_clear (File *file)
{
  eeg_aead_context_free (file->seal);
  eeg_aead_context_free (file->open);
}

static gsize
seal (File *file, guint32 segment_size, guint64 index, gboolean final,
    const guint8 *data, gsize size, guint8 *out)
{
  EegAeadPiece piece = { data, size };
  EegAeadReader reader = { &piece, 1, 0 };

  return eeg_tink_seal (file->seal, &file->header, segment_size, index, final,
      &reader, size, out);
}

/* Whether the last segment that was opened ends the file. */
static bool ended;

static gsize
open_segments (File *file, guint32 segment_size, guint64 index, gboolean final,
    const guint8 *data, gsize size, guint8 *out, gsize *opened)
{
  EegAeadPiece piece = { data, size };
  EegAeadReader reader = { &piece, 1, 0 };
  gsize done = eeg_tink_open (file->open, &file->header, segment_size, index,
      final, &reader, size, out, opened, &ended);

  fail_unless_equals_int (eeg_aead_reader_size (&reader), size - done);
  return done;
}

static guint8 *
hex (JsonObject *object, const gchar *name, gsize *size)
{
  const gchar *text = json_object_get_string_member (object, name);
  guint8 *data = g_malloc (strlen (text) / 2 + 1);

  fail_unless_equals_int (sodium_hex2bin (data, strlen (text) / 2 + 1, text,
                              strlen (text), NULL, size, NULL),
      0);
  return data;
}

/* Tink's own vectors, from the derived key on. */
GST_START_TEST (test_vectors)
{
  const gchar *dir = g_getenv ("GSTEEG_SHARED_DIR");
  gchar *path;
  JsonParser *parser = json_parser_new ();
  JsonArray *vectors;
  guint run = 0, skipped = 0;

  if (dir == NULL) {
    g_print ("no folder with test vectors (option shared-dir)\n");
    g_object_unref (parser);
    return;
  }
  path = g_build_filename (dir, "vectors", "tink-streaming",
      "aes_gcm_hkdf_streaming.json", NULL);
  fail_unless (json_parser_load_from_file (parser, path, NULL));
  vectors = json_object_get_array_member (json_node_get_object (
                                              json_parser_get_root (parser)),
      "vectors");
  for (guint i = 0; i < json_array_get_length (vectors); i++) {
    JsonObject *vector = json_array_get_object_element (vectors, i);
    guint32 segment_size =
        json_object_get_int_member (vector, "ciphertext_segment_size");
    gsize key_size, plain_size, sealed_size, size;
    guint8 *key, *plain, *sealed, *out;
    EegTinkHeader header;
    guint64 expected;
    File file;

    if (json_object_get_int_member (vector, "derived_key_size") != 32) {
      skipped++;
      continue;
    }
    key = hex (vector, "derived_key", &key_size);
    plain = hex (vector, "plaintext", &plain_size);
    sealed = hex (vector, "ciphertext", &sealed_size);
    out = g_malloc (sealed_size);

    fail_unless (eeg_tink_sealed_size (plain_size, segment_size, &expected));
    fail_unless_equals_uint64 (expected, sealed_size);
    fail_unless (eeg_tink_header_parse (&header, sealed, sealed_size));
    file_init (&file, &header, key);
    eeg_tink_header_write (&header, out);
    fail_unless_equals_int (seal (&file, segment_size, 0, TRUE, plain,
                                plain_size, out + EEG_TINK_HEADER_SIZE),
        sealed_size - EEG_TINK_HEADER_SIZE);
    fail_unless (memcmp (out, sealed, sealed_size) == 0);

    fail_unless_equals_int (open_segments (&file, segment_size, 0, TRUE,
                                sealed + EEG_TINK_HEADER_SIZE,
                                sealed_size - EEG_TINK_HEADER_SIZE, out, &size),
        sealed_size - EEG_TINK_HEADER_SIZE);
    fail_unless_equals_int (size, plain_size);
    fail_unless (memcmp (out, plain, plain_size) == 0);
    file_clear (&file);
    run++;
    g_free (key);
    g_free (plain);
    g_free (sealed);
    g_free (out);
  }
  g_print ("tink-streaming: %u vectors, %u left out (128-bit derived key)\n",
      run, skipped);
  fail_unless (run > 0);
  g_free (path);
  g_object_unref (parser);
}
GST_END_TEST;

/* HKDF of the key material with the associated data as info; computed with
 * python3-cryptography. */
GST_START_TEST (test_derive_key)
{
  EegTinkHeader header;
  guint8 key[EEG_AEAD_KEY_SIZE];
  gchar text[2 * sizeof key + 1];

  for (guint i = 0; i < EEG_TINK_SALT_SIZE; i++)
    header.salt[i] = i;
  eeg_tink_derive_key (&header, ikm, sizeof ikm, NULL, 0, key);
  sodium_bin2hex (text, sizeof text, key, sizeof key);
  fail_unless_equals_string (text,
      "f40a10aa92df7ca1b1a6cf7f80d54a74058c0677432107765e1ca4239a89ec9b");
  eeg_tink_derive_key (&header, ikm, sizeof ikm, (const guint8 *) "aad", 3,
      key);
  sodium_bin2hex (text, sizeof text, key, sizeof key);
  fail_unless_equals_string (text,
      "4fee2a6431afdbe41779c6c378078444cfe5e5fc783caf4ab6029a643a812beb");
}
GST_END_TEST;

/* Every length around the first four segment ends, in one piece and in
 * batches of segments; each byte of each result counts. */
GST_START_TEST (test_round_trip)
{
  const gsize capacity0 = SEGMENT - 56, capacity = SEGMENT - 16;
  guint8 plain[4 * SEGMENT], sealed[8 * SEGMENT], batched[8 * SEGMENT];
  guint8 opened[8 * SEGMENT];
  File file;

  file_init_derived (&file);
  for (guint i = 0; i < sizeof plain; i++)
    plain[i] = i;

  for (gsize size = 0; size <= capacity0 + 3 * capacity + 1; size++) {
    guint64 expected;
    gsize n, got;

    fail_unless (eeg_tink_sealed_size (size, SEGMENT, &expected));
    n = seal (&file, SEGMENT, 0, TRUE, plain, size, sealed);
    fail_unless_equals_uint64 (n + EEG_TINK_HEADER_SIZE, expected);
    fail_unless_equals_int (open_segments (&file, SEGMENT, 0, TRUE, sealed, n,
                                opened, &got),
        n);
    fail_unless_equals_int (got, size);
    fail_unless (memcmp (opened, plain, size) == 0);

    /* segment 0 alone, then the rest */
    if (size > capacity0) {
      gsize a = seal (&file, SEGMENT, 0, FALSE, plain, capacity0, batched);

      fail_unless_equals_int (a, capacity0 + 16);
      fail_unless_equals_int (a
              + seal (&file, SEGMENT, 1, TRUE, plain + capacity0,
                  size - capacity0, batched + a),
          n);
      fail_unless (memcmp (batched, sealed, n) == 0);
    }

    /* a file that ends earlier, or goes on, is not this file */
    for (gsize cut = 0; cut < n; cut++) {
      gsize done =
          open_segments (&file, SEGMENT, 0, TRUE, sealed, cut, opened, &got);

      fail_unless (done < cut || !ended);
      fail_unless (memcmp (opened, plain, got) == 0);
    }
    n = open_segments (&file, SEGMENT, 0, FALSE, sealed, n, opened, &got);
    fail_unless (n < expected - EEG_TINK_HEADER_SIZE || ended);
  }
  file_clear (&file);
}
GST_END_TEST;

static void
expect_prefix (File *file, const guint8 *sealed, gsize size, gsize segments)
{
  guint8 opened[4 * SEGMENT], zero[SEGMENT] = { 0 };
  gsize got, done;

  memset (opened, 0xee, sizeof opened);
  done = open_segments (file, SEGMENT, 0, TRUE, sealed, size, opened, &got);
  fail_unless_equals_int (done,
      segments == 0 ? 0 : segments * SEGMENT - EEG_TINK_HEADER_SIZE);
  fail_unless_equals_int (got,
      segments == 0 ? 0 : segments * (SEGMENT - 16) - 40);
  /* nothing of the segment that failed */
  size -= done;
  fail_unless (opened[got] == 0xee
      || memcmp (opened + got, zero,
             MIN (size, segments == 0 ? 24 : SEGMENT) - 16)
          == 0);
}

/* Segments that were damaged, swapped, dropped or repeated. */
GST_START_TEST (test_tampering)
{
  const gsize s0 = SEGMENT - EEG_TINK_HEADER_SIZE;
  guint8 plain[8 + 3 * 48], sealed[4 * SEGMENT], bad[5 * SEGMENT];
  gsize n;
  File file;

  file_init_derived (&file);
  for (guint i = 0; i < sizeof plain; i++)
    plain[i] = i + 1;
  n = seal (&file, SEGMENT, 0, TRUE, plain, sizeof plain, sealed);
  fail_unless_equals_int (n, s0 + 3 * SEGMENT);

  for (gsize i = 0; i < n; i++) {
    memcpy (bad, sealed, n);
    bad[i] ^= 0x10;
    expect_prefix (&file, bad, n, i < s0 ? 0 : 1 + (i - s0) / SEGMENT);
  }

  /* swapped 1 and 2 */
  memcpy (bad, sealed, n);
  memcpy (bad + s0, sealed + s0 + SEGMENT, SEGMENT);
  memcpy (bad + s0 + SEGMENT, sealed + s0, SEGMENT);
  expect_prefix (&file, bad, n, 1);

  /* dropped 1 */
  memcpy (bad, sealed, s0);
  memcpy (bad + s0, sealed + s0 + SEGMENT, 2 * SEGMENT);
  expect_prefix (&file, bad, n - SEGMENT, 1);

  /* repeated 1 */
  memcpy (bad, sealed, s0 + SEGMENT);
  memcpy (bad + s0 + SEGMENT, sealed + s0, 3 * SEGMENT);
  expect_prefix (&file, bad, n + SEGMENT, 2);

  /* another file's segment 1 */
  {
    File other;
    guint8 foreign[4 * SEGMENT];

    file_init_derived (&other);
    seal (&other, SEGMENT, 0, TRUE, plain, sizeof plain, foreign);
    memcpy (bad, sealed, n);
    memcpy (bad + s0, foreign + s0, SEGMENT);
    expect_prefix (&file, bad, n, 1);
    file_clear (&other);
  }
  file_clear (&file);
}
GST_END_TEST;

GST_START_TEST (test_limits)
{
  guint8 plain[SEGMENT] = { 0 }, out[2 * SEGMENT];
  const guint64 last = G_MAXUINT32;
  gsize n, got;
  guint64 size;
  File file;

  file_init_derived (&file);
  /* the last index that fits, and one more */
  n = seal (&file, SEGMENT, last, TRUE, plain, 48, out);
  fail_unless_equals_int (n, SEGMENT);
  {
    guint8 opened[SEGMENT];

    fail_unless_equals_int (open_segments (&file, SEGMENT, last, TRUE, out, n,
                                opened, &got),
        n);
    fail_unless_equals_int (open_segments (&file, SEGMENT, last + 1, TRUE, out,
                                n, opened, &got),
        0);
  }
  fail_unless_equals_int (seal (&file, SEGMENT, last + 1, TRUE, plain, 48, out),
      0);
  /* a batch that crosses the limit gives nothing at all */
  fail_unless_equals_int (seal (&file, SEGMENT, last, TRUE, plain, 49, out), 0);
  fail_unless (sodium_is_zero (out, SEGMENT));
  /* a short segment in the middle */
  fail_unless_equals_int (seal (&file, SEGMENT, 1, FALSE, plain, 47, out), 0);
  fail_unless_equals_int (seal (&file, SEGMENT, 1, FALSE, plain, 0, out), 0);
  file_clear (&file);

  fail_unless (eeg_tink_sealed_size ((G_GUINT64_CONSTANT (1) << 32) * 4080 - 40,
      4096, &size));
  fail_unless_equals_uint64 (size, (G_GUINT64_CONSTANT (1) << 32) * 4096);
  fail_if (eeg_tink_sealed_size ((G_GUINT64_CONSTANT (1) << 32) * 4080 - 39,
      4096, &size));
  fail_if (eeg_tink_sealed_size (G_MAXUINT64, 4096, &size));
  fail_if (eeg_tink_sealed_size (G_MAXUINT64 - 40, G_MAXUINT32, &size));
}
GST_END_TEST;

GST_START_TEST (test_header)
{
  EegTinkHeader header, parsed;
  guint8 data[EEG_TINK_HEADER_SIZE];

  eeg_tink_header_generate (&header);
  eeg_tink_header_write (&header, data);
  fail_unless_equals_int (data[0], 40);
  fail_unless (eeg_tink_header_parse (&parsed, data, sizeof data));
  fail_unless (memcmp (&parsed, &header, sizeof header) == 0);
  for (gsize size = 0; size < sizeof data; size++)
    fail_if (eeg_tink_header_parse (&parsed, data, size));
  /* a 128-bit derived key has a shorter header */
  data[0] = 24;
  fail_if (eeg_tink_header_parse (&parsed, data, sizeof data));
}
GST_END_TEST;

static EegTinkKeysResult
parse (const void *data, gsize size, EegTinkKeys **keys)
{
  EegAeadSecret *file = eeg_aead_secret_new_copy (data, size);
  EegAeadSecret *before = eeg_aead_secret_new_copy (data, size);
  EegTinkKeysResult result = eeg_tink_keys_parse (file, keys);

  fail_unless (memcmp (file->data, before->data, size) == 0);
  fail_unless (eeg_tink_keys_result_text (result) != NULL);
  eeg_aead_secret_free (file);
  eeg_aead_secret_free (before);
  return result;
}

static EegTinkKeysResult
parse_text (const gchar *text, EegTinkKeys **keys)
{
  return parse (text, strlen (text), keys);
}

GST_START_TEST (test_raw_and_hex_keys)
{
  static const gchar digits[] =
      "3031323334353637383961626364656630313233343536373839414243444546";
  static const gchar *const ends[] = { "", "\n", "\r\n" };
  EegTinkKeys *keys;
  gchar text[80];

  fail_unless_equals_int (parse (ikm, 32, &keys), EEG_TINK_KEYS_OK);
  fail_unless_equals_int (keys->n_keys, 1);
  fail_unless_equals_int (keys->keys[0].ikm_size, 32);
  fail_unless_equals_int (keys->keys[0].segment_size, 0);
  fail_unless (memcmp (keys->keys[0].ikm, ikm, 32) == 0);
  eeg_tink_keys_free (keys);

  for (guint i = 0; i < G_N_ELEMENTS (ends); i++) {
    g_snprintf (text, sizeof text, "%s%s", digits, ends[i]);
    fail_unless_equals_int (parse_text (text, &keys), EEG_TINK_KEYS_OK);
    fail_unless (
        memcmp (keys->keys[0].ikm, "0123456789abcdef0123456789ABCDEF", 32)
        == 0);
    fail_unless_equals_int (keys->keys[0].ikm_size, 32);
    eeg_tink_keys_free (keys);
  }

  /* lengths and characters that are nothing */
  for (gsize size = 0; size < 80; size++) {
    memset (text, '0', sizeof text);
    if (size != 32 && size != 64)
      fail_unless_equals_int (parse (text, size, &keys),
          EEG_TINK_KEYS_UNKNOWN_FORMAT);
  }
  for (gsize i = 0; i < 64; i++) {
    memcpy (text, digits, 64);
    text[i] = 'g';
    fail_unless_equals_int (parse (text, 64, &keys),
        EEG_TINK_KEYS_UNKNOWN_FORMAT);
  }
  g_snprintf (text, sizeof text, "%s\n\n", digits);
  fail_unless_equals_int (parse_text (text, &keys),
      EEG_TINK_KEYS_UNKNOWN_FORMAT);
}
GST_END_TEST;

#define TYPE_URL "type.googleapis.com/google.crypto.tink.AesGcmHkdfStreamingKey"

/* A serialised key of the template's kind whose material is @c 32 times. */
static gchar *
key_value (guint32 segment_size, guint hash, gchar c)
{
  GByteArray *params = g_byte_array_new ();
  GByteArray *value = g_byte_array_new ();
  guint8 material[34] = { 0x1a, 32 };
  guint8 head[2];
  gchar *text;

  g_byte_array_append (params, (const guint8 *) "\x08", 1);
  for (; segment_size >= 0x80; segment_size >>= 7) {
    head[0] = 0x80 | (segment_size & 0x7f);
    g_byte_array_append (params, head, 1);
  }
  head[0] = segment_size;
  g_byte_array_append (params, head, 1);
  g_byte_array_append (params, (const guint8 *) "\x10\x20\x18", 3);
  head[0] = hash;
  g_byte_array_append (params, head, 1);

  head[0] = 0x12;
  head[1] = params->len;
  g_byte_array_append (value, head, 2);
  g_byte_array_append (value, params->data, params->len);
  memset (material + 2, c, 32);
  g_byte_array_append (value, material, sizeof material);
  text = g_base64_encode (value->data, value->len);
  g_byte_array_unref (params);
  g_byte_array_unref (value);
  return text;
}

static gchar *
key_json (guint32 id, const gchar *status, const gchar *type,
    const gchar *value)
{
  return g_strdup_printf (
      "{\"keyData\": {\"typeUrl\": \"%s\", \"keyMaterialType\": "
      "\"SYMMETRIC\", \"value\": \"%s\"},\n \"outputPrefixType\": \"RAW\", "
      "\"keyId\": %u, \"status\": \"%s\"}",
      type, value, id, status);
}

/* What Tink's own tools write for its two templates. */
GST_START_TEST (test_keyset)
{
  EegTinkKeys *keys;
  gchar *value_1m = key_value (1048576, 3, 'a');
  gchar *value_4k = key_value (4096, 3, 'b');
  gchar *old = key_json (5, "ENABLED", TYPE_URL, value_4k);
  gchar *off = key_json (6, "DISABLED", TYPE_URL, value_4k);
  gchar *other = key_json (8, "ENABLED",
      "type.googleapis.com\\/google.crypto.tink.AesCtrHmacStreamingKey",
      value_4k);
  gchar *primary = key_json (4294967295u, "ENABLED",
      "type.googleapis.com\\/google.crypto.tink.AesGcmHkdfStreamingKey",
      value_1m);
  gchar *text =
      g_strdup_printf ("{\"primaryKeyId\":4294967295,\"key\":[%s,%s,%s,%s]}\n",
          old, off, other, primary);
  gchar *reordered =
      g_strdup_printf (" {\"more\": [1, -2.5e+3, {\"a\": null}, true, \"\\u0041"
                       "\\n\"], \"key\" : [ %s ] , \"primaryKeyId\" : 5 }",
          old);

  /* the same two sizes as in the documented example values */
  fail_unless (g_str_has_prefix (value_1m, "EggIgIBAECAYAxog"));
  fail_unless (g_str_has_prefix (value_4k, "EgcIgCAQIBgDGiBi"));

  fail_unless_equals_int (parse_text (text, &keys), EEG_TINK_KEYS_OK);
  fail_unless_equals_int (keys->n_keys, 2);
  fail_unless_equals_int (keys->n_skipped, 1);
  fail_unless_equals_uint64 (keys->keys[0].id, 4294967295u);
  fail_unless_equals_int (keys->keys[0].segment_size, 1048576);
  fail_unless_equals_int (keys->keys[0].ikm_size, 32);
  fail_unless_equals_int (keys->keys[0].ikm[31], 'a');
  fail_unless_equals_uint64 (keys->keys[1].id, 5);
  fail_unless_equals_int (keys->keys[1].segment_size, 4096);
  fail_unless_equals_int (keys->keys[1].ikm[0], 'b');
  eeg_tink_keys_free (keys);

  fail_unless_equals_int (parse_text (reordered, &keys), EEG_TINK_KEYS_OK);
  fail_unless_equals_int (keys->n_keys, 1);
  eeg_tink_keys_free (keys);

  /* every shorter text is none */
  for (gsize size = 33; size < strlen (reordered); size++) {
    EegTinkKeysResult result = parse (reordered, size, &keys);

    fail_unless_equals_int (result, EEG_TINK_KEYS_BAD_KEYSET);
  }

  g_free (value_1m);
  g_free (value_4k);
  g_free (old);
  g_free (off);
  g_free (other);
  g_free (primary);
  g_free (text);
  g_free (reordered);
}
GST_END_TEST;

static void
expect_keyset (EegTinkKeysResult expected, const gchar *format, ...)
{
  EegTinkKeys *keys;
  EegTinkKeysResult result;
  va_list args;
  gchar *text;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  result = parse_text (text, &keys);
  fail_unless (result == expected, "%s: %d instead of %d", text, result,
      expected);
  if (result == EEG_TINK_KEYS_OK)
    eeg_tink_keys_free (keys);
  g_free (text);
}

GST_START_TEST (test_bad_keysets)
{
  gchar *good = key_value (4096, 3, 'k'), *sha1 = key_value (4096, 1, 'k');
  gchar *small = key_value (56, 3, 'k');
  gchar *big = key_value (EEG_TINK_MAX_SEGMENT_SIZE + 1, 3, 'k');
  gchar *key = key_json (1, "ENABLED", TYPE_URL, good);
  gchar *off = key_json (1, "DISABLED", TYPE_URL, good);
  GString *many = g_string_new (NULL), *deep = g_string_new (NULL);
  gchar *k;

  expect_keyset (EEG_TINK_KEYS_OK, "{\"primaryKeyId\":1,\"key\":[%s]}", key);
  expect_keyset (EEG_TINK_KEYS_NO_PRIMARY, "{\"key\":[%s]}", key);
  expect_keyset (EEG_TINK_KEYS_NO_PRIMARY, "{\"primaryKeyId\":2,\"key\":[%s]}",
      key);
  expect_keyset (EEG_TINK_KEYS_NO_PRIMARY, "{\"primaryKeyId\":1,\"key\":[%s]}",
      off);
  expect_keyset (EEG_TINK_KEYS_NO_PRIMARY, "{\"primaryKeyId\":1,\"key\":[]}");
  expect_keyset (EEG_TINK_KEYS_NO_PRIMARY, "{}");
  expect_keyset (EEG_TINK_KEYS_ENCRYPTED_KEYSET,
      "{\"encryptedKeyset\":\"AAAA\",\"keysetInfo\":{\"primaryKeyId\":1}}");
  expect_keyset (EEG_TINK_KEYS_BAD_KEYSET,
      "{\"primaryKeyId\":1,\"key\":[%s],\"key\":[%s]}", key, key);
  expect_keyset (EEG_TINK_KEYS_BAD_KEYSET,
      "{\"primaryKeyId\":1,\"key\":[%s]} x", key);
  expect_keyset (EEG_TINK_KEYS_BAD_KEYSET, "{\"primaryKeyId\":01,\"key\":[%s]}",
      key);
  expect_keyset (EEG_TINK_KEYS_BAD_KEYSET,
      "{\"primaryKeyId\":4294967296,\"key\":[%s]}", key);
  expect_keyset (EEG_TINK_KEYS_BAD_KEYSET, "{\"primaryKeyId\":-1,\"key\":[%s]}",
      key);
  expect_keyset (EEG_TINK_KEYS_BAD_KEYSET, "{\"primaryKeyId\":1,\"key\":[%s,]}",
      key);
  expect_keyset (EEG_TINK_KEYS_BAD_KEYSET,
      "{\"primaryKeyId\":1,\"key\":[{\"keyId\":1,\"status\":\"ENABLED\",}]}");
  expect_keyset (EEG_TINK_KEYS_BAD_KEYSET, "{\"primaryKeyId\":1,\"key\":[{}]}");
  expect_keyset (EEG_TINK_KEYS_BAD_KEYSET,
      "{\"primaryKeyId\":1,\"x\":\"\\q\",\"key\":[%s]}", key);
  expect_keyset (EEG_TINK_KEYS_BAD_KEYSET,
      "{\"primaryKeyId\":1,\"x\":1.,\"key\":[%s]}", key);

  for (guint i = 0; i < 5; i++) {
    const gchar *const values[] = { sha1, small, big, "", "AAAA" };
    const EegTinkKeysResult results[] = { EEG_TINK_KEYS_UNSUPPORTED,
      EEG_TINK_KEYS_UNSUPPORTED, EEG_TINK_KEYS_UNSUPPORTED,
      EEG_TINK_KEYS_UNSUPPORTED, EEG_TINK_KEYS_BAD_KEYSET };

    k = key_json (1, "ENABLED", TYPE_URL, values[i]);
    expect_keyset (results[i], "{\"primaryKeyId\":1,\"key\":[%s]}", k);
    g_free (k);
  }
  k = key_json (1, "ENABLED", "type.googleapis.com/other", good);
  expect_keyset (EEG_TINK_KEYS_UNSUPPORTED, "{\"primaryKeyId\":1,\"key\":[%s]}",
      k);
  g_free (k);
  /* base64 without padding, and not canonical */
  good[strlen (good) - 1] = 'B';
  k = key_json (1, "ENABLED", TYPE_URL, good);
  expect_keyset (EEG_TINK_KEYS_BAD_KEYSET, "{\"primaryKeyId\":1,\"key\":[%s]}",
      k);
  g_free (k);

  for (guint i = 0; i <= EEG_TINK_MAX_KEYS; i++)
    g_string_append_printf (many, "%s%s", i ? "," : "", key);
  expect_keyset (EEG_TINK_KEYS_TOO_MANY, "{\"primaryKeyId\":1,\"key\":[%s]}",
      many->str);

  for (guint i = 0; i < 30000; i++)
    g_string_append (deep, "[");
  expect_keyset (EEG_TINK_KEYS_BAD_KEYSET, "{\"x\":%s", deep->str);

  g_string_free (many, TRUE);
  g_string_free (deep, TRUE);
  g_free (good);
  g_free (sha1);
  g_free (small);
  g_free (big);
  g_free (key);
  g_free (off);
}
GST_END_TEST;

static Suite *
tink_suite (void)
{
  Suite *suite = suite_create ("tink");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_vectors);
  tcase_add_test (tc, test_derive_key);
  tcase_add_test (tc, test_round_trip);
  tcase_add_test (tc, test_tampering);
  tcase_add_test (tc, test_limits);
  tcase_add_test (tc, test_header);
  tcase_add_test (tc, test_raw_and_hex_keys);
  tcase_add_test (tc, test_keyset);
  tcase_add_test (tc, test_bad_keysets);
  return suite;
}

int
main (int argc, char **argv)
{
  gst_check_init (&argc, &argv);
  if (!eeg_aead_init ())
    return 1;
  return gst_check_run_suite (tink_suite (), "tink", __FILE__);
}
