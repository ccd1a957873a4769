/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Project Wycheproof's vectors for the primitives behind the ciphers, with the
 * sizes that are used here. What is left out is counted and named.
 */

#include <gst/check/gstcheck.h>
#include <json-glib/json-glib.h>
#include <sodium.h>
#include <string.h>

#include "aead/aead.h"
#include "aead/hkdf.h"

static const gchar *vectors_dir;

typedef struct
{
  guint8 *data;
  gsize size;
} Hex;

static JsonParser *
load (const gchar *name)
{
  gchar *path =
      g_build_filename (vectors_dir, "vectors", "wycheproof", name, NULL);
  JsonParser *parser = json_parser_new ();
  GError *error = NULL;

  fail_unless (json_parser_load_from_file (parser, path, &error), "%s: %s",
      path, error ? error->message : "");
  g_free (path);
  return parser;
}

static Hex
hex_member (JsonObject *object, const gchar *name)
{
  const gchar *text = json_object_get_string_member (object, name);
  gsize size = strlen (text);
  Hex hex;

  hex.data = g_malloc (size / 2 + 1);
  fail_unless_equals_int (sodium_hex2bin (hex.data, size / 2 + 1, text, size,
                              NULL, &hex.size, NULL),
      0);
  return hex;
}

typedef gboolean (
    *RunVector) (JsonObject *group, JsonObject *vector, gpointer data);

typedef struct
{
  guint run;
  guint skipped;
} Counts;

/* @run returns FALSE for a vector that it leaves out. */
static Counts
for_each (const gchar *file, RunVector run, gpointer data)
{
  JsonParser *parser = load (file);
  JsonObject *root = json_node_get_object (json_parser_get_root (parser));
  JsonArray *groups = json_object_get_array_member (root, "testGroups");
  Counts counts = { 0, 0 };

  for (guint i = 0; i < json_array_get_length (groups); i++) {
    JsonObject *group = json_array_get_object_element (groups, i);
    JsonArray *tests = json_object_get_array_member (group, "tests");

    for (guint j = 0; j < json_array_get_length (tests); j++) {
      if (run (group, json_array_get_object_element (tests, j), data))
        counts.run++;
      else
        counts.skipped++;
    }
  }
  fail_unless_equals_int (counts.run + counts.skipped,
      json_object_get_int_member (root, "numberOfTests"));
  fail_unless (counts.run > 0);
  g_object_unref (parser);
  return counts;
}

typedef struct
{
  EegAeadCipher cipher;
  const gchar *backend;
} AeadRun;

static void
seal_and_open (const AeadRun *aead, JsonObject *vector, gsize piece_size)
{
  Hex key = hex_member (vector, "key"), iv = hex_member (vector, "iv");
  Hex ad = hex_member (vector, "aad"), msg = hex_member (vector, "msg");
  Hex ct = hex_member (vector, "ct"), tag = hex_member (vector, "tag");
  gboolean valid =
      g_str_equal (json_object_get_string_member (vector, "result"), "valid");
  gint64 id = json_object_get_int_member (vector, "tcId");
  gsize sealed_size = ct.size + tag.size;
  guint8 *sealed = g_malloc (sealed_size);
  guint8 *out = g_malloc (sealed_size);
  gsize n_pieces = (sealed_size + piece_size - 1) / piece_size;
  EegAeadPiece *pieces = g_new (EegAeadPiece, n_pieces);
  EegAeadReader reader;
  EegAeadContext *context;

  context = eeg_aead_context_new (aead->cipher, EEG_AEAD_SEAL, aead->backend);
  fail_unless (eeg_aead_context_set_key (context, key.data));
  reader = (EegAeadReader){ &(EegAeadPiece){ msg.data, msg.size }, 1, 0 };
  fail_unless (eeg_aead_seal (context, iv.data, ad.data, ad.size, &reader,
      msg.size, out));
  if (valid) {
    fail_unless (memcmp (out, ct.data, ct.size) == 0, "vector %d", (int) id);
    fail_unless (memcmp (out + ct.size, tag.data, tag.size) == 0, "vector %d",
        (int) id);
  }
  eeg_aead_context_free (context);

  memcpy (sealed, ct.data, ct.size);
  memcpy (sealed + ct.size, tag.data, tag.size);
  for (gsize i = 0; i < n_pieces; i++) {
    pieces[i].data = sealed + i * piece_size;
    pieces[i].size = MIN (piece_size, sealed_size - i * piece_size);
  }
  context = eeg_aead_context_new (aead->cipher, EEG_AEAD_OPEN, aead->backend);
  fail_unless (eeg_aead_context_set_key (context, key.data));
  reader = (EegAeadReader){ pieces, n_pieces, 0 };
  memset (out, 0xaa, sealed_size);
  fail_unless_equals_int (eeg_aead_open (context, iv.data, ad.data, ad.size,
                              &reader, sealed_size, out),
      valid);
  if (valid) {
    fail_unless (memcmp (out, msg.data, msg.size) == 0, "vector %d", (int) id);
    fail_unless_equals_int (eeg_aead_reader_size (&reader), 0);
  } else {
    /* no byte of the plaintext is left */
    fail_unless (sodium_is_zero (out, ct.size), "vector %d", (int) id);
    fail_unless_equals_int (eeg_aead_reader_size (&reader), sealed_size);
  }
  eeg_aead_context_free (context);

  g_free (pieces);
  g_free (out);
  g_free (sealed);
  g_free (key.data);
  g_free (iv.data);
  g_free (ad.data);
  g_free (msg.data);
  g_free (ct.data);
  g_free (tag.data);
}

static gboolean
run_aead (JsonObject *group, JsonObject *vector, gpointer data)
{
  if (json_object_get_int_member (group, "keySize") != 256
      || json_object_get_int_member (group, "ivSize") != 96
      || json_object_get_int_member (group, "tagSize") != 128)
    return FALSE;
  seal_and_open (data, vector, G_MAXINT32);
  seal_and_open (data, vector, 7);
  return TRUE;
}

static void
run_aead_file (const gchar *file, EegAeadCipher cipher)
{
  static const gchar *const backends[] = { "libcrypto", "libsodium" };
  guint found = 0;

  for (guint i = 0; i < G_N_ELEMENTS (backends); i++) {
    AeadRun run = { cipher, backends[i] };
    EegAeadContext *context =
        eeg_aead_context_new (cipher, EEG_AEAD_SEAL, backends[i]);
    Counts counts;

    if (context == NULL) {
      g_print ("%s: %s lacks the cipher on this machine\n", file, backends[i]);
      continue;
    }
    fail_unless_equals_string (eeg_aead_context_get_backend (context),
        backends[i]);
    eeg_aead_context_free (context);
    counts = for_each (file, run_aead, &run);
    g_print ("%s, %s: %u vectors, %u left out (other key, nonce or tag size)\n",
        file, backends[i], counts.run, counts.skipped);
    found++;
  }
  fail_unless (found > 0);
}

GST_START_TEST (test_aes_gcm)
{
  run_aead_file ("aes_gcm_test.json", EEG_AEAD_AES_256_GCM);
}
GST_END_TEST;

GST_START_TEST (test_chacha20_poly1305)
{
  run_aead_file ("chacha20_poly1305_test.json", EEG_AEAD_CHACHA20_POLY1305);
}
GST_END_TEST;

static gboolean
run_hkdf (JsonObject *group, JsonObject *vector, gpointer data)
{
  Hex ikm = hex_member (vector, "ikm"), salt = hex_member (vector, "salt");
  Hex info = hex_member (vector, "info"), okm = hex_member (vector, "okm");
  gsize size = json_object_get_int_member (vector, "size");
  gboolean valid =
      g_str_equal (json_object_get_string_member (vector, "result"), "valid");
  guint8 *out = g_malloc (size);

  fail_unless_equals_int (eeg_aead_hkdf_sha256 (ikm.data, ikm.size, salt.data,
                              salt.size, info.data, info.size, out, size),
      valid);
  if (valid)
    fail_unless (okm.size == size && memcmp (out, okm.data, size) == 0);
  g_free (out);
  g_free (ikm.data);
  g_free (salt.data);
  g_free (info.data);
  g_free (okm.data);
  return TRUE;
}

GST_START_TEST (test_hkdf_sha256)
{
  Counts counts = for_each ("hkdf_sha256_test.json", run_hkdf, NULL);

  g_print ("hkdf_sha256: %u vectors, 0 left out\n", counts.run);
}
GST_END_TEST;

static gboolean
run_hmac (JsonObject *group, JsonObject *vector, gpointer data)
{
  crypto_auth_hmacsha256_state state;
  guint8 mac[crypto_auth_hmacsha256_BYTES];
  gboolean valid =
      g_str_equal (json_object_get_string_member (vector, "result"), "valid");
  Hex key, msg, tag;

  /* a header's MAC is never cut short */
  if (json_object_get_int_member (group, "tagSize") != 256)
    return FALSE;
  key = hex_member (vector, "key");
  msg = hex_member (vector, "msg");
  tag = hex_member (vector, "tag");
  crypto_auth_hmacsha256_init (&state, key.data, key.size);
  crypto_auth_hmacsha256_update (&state, msg.data, msg.size);
  crypto_auth_hmacsha256_final (&state, mac);
  fail_unless_equals_int (sizeof mac, tag.size);
  fail_unless_equals_int (sodium_memcmp (mac, tag.data, sizeof mac) == 0,
      valid);
  g_free (key.data);
  g_free (msg.data);
  g_free (tag.data);
  return TRUE;
}

GST_START_TEST (test_hmac_sha256)
{
  Counts counts = for_each ("hmac_sha256_test.json", run_hmac, NULL);

  g_print ("hmac_sha256: %u vectors, %u left out (truncated tag)\n", counts.run,
      counts.skipped);
}
GST_END_TEST;

static gboolean
run_x25519 (JsonObject *group, JsonObject *vector, gpointer data)
{
  Hex public = hex_member (vector, "public");
  Hex private = hex_member (vector, "private");
  Hex shared = hex_member (vector, "shared");
  guint8 out[crypto_scalarmult_BYTES];
  gboolean zero = sodium_is_zero (shared.data, shared.size);

  fail_unless (public.size == 32 && private.size == 32 && shared.size == 32);
  /* an all-zero secret must be refused */
  fail_unless_equals_int (crypto_scalarmult (out, private.data, public.data)
          == 0,
      !zero);
  if (!zero)
    fail_unless (memcmp (out, shared.data, sizeof out) == 0);
  g_free (public.data);
  g_free (private.data);
  g_free (shared.data);
  return TRUE;
}

GST_START_TEST (test_x25519)
{
  Counts counts = for_each ("x25519_test.json", run_x25519, NULL);

  g_print ("x25519: %u vectors, 0 left out\n", counts.run);
}
GST_END_TEST;

static Suite *
wycheproof_suite (void)
{
  Suite *suite = suite_create ("wycheproof");
  TCase *tc = tcase_create ("vectors");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_aes_gcm);
  tcase_add_test (tc, test_chacha20_poly1305);
  tcase_add_test (tc, test_hkdf_sha256);
  tcase_add_test (tc, test_hmac_sha256);
  tcase_add_test (tc, test_x25519);
  return suite;
}

int
main (int argc, char **argv)
{
  vectors_dir = g_getenv ("GSTEEG_SHARED_DIR");
  if (vectors_dir == NULL) {
    g_print ("SKIP: no folder with test vectors (option shared-dir)\n");
    return 77;
  }
  gst_check_init (&argc, &argv);
  if (!eeg_aead_init ())
    return 1;
  return gst_check_run_suite (wycheproof_suite (), "wycheproof", __FILE__);
}
