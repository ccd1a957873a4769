/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <gst/check/gstcheck.h>
#include <glib/gstdio.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "aead/aead.h"
#include "aead/base64.h"
#include "aead/hkdf.h"
#include "aead/secret.h"

static const EegAeadCipher ciphers[] = { EEG_AEAD_AES_256_GCM,
  EEG_AEAD_CHACHA20_POLY1305 };
static const gchar *const backends[] = { "libsodium", "libcrypto" };

static EegAeadContext *
new_context (guint cipher, EegAeadDirection direction, const gchar *backend)
{
  guint8 key[EEG_AEAD_KEY_SIZE];
  EegAeadContext *context =
      eeg_aead_context_new (ciphers[cipher], direction, backend);

  for (guint i = 0; i < sizeof key; i++)
    key[i] = i * 7 + cipher;
  if (context != NULL)
    fail_unless (eeg_aead_context_set_key (context, key));
  return context;
}

/* Cuts @data at pseudo-random places, with empty pieces between. */
static GArray *
cut (const guint8 *data, gsize size, GRand *rand)
{
  GArray *pieces = g_array_new (FALSE, FALSE, sizeof (EegAeadPiece));

  while (size > 0) {
    EegAeadPiece piece = { data, g_rand_int_range (rand, 0, 400) };

    piece.size = MIN (piece.size, size);
    g_array_append_val (pieces, piece);
    data += piece.size;
    size -= piece.size;
  }
  return pieces;
}

/* Every back end gives the bytes of the first, from any cut of the input, and
 * reads those of any other. */
GST_START_TEST (test_backends_agree)
{
  static const gsize sizes[] = { 0, 1, 15, 16, 17, 255, 4096, 65537 };
  const guint8 nonce[EEG_AEAD_NONCE_SIZE] = { 1, 2, 3 };
  GRand *rand = g_rand_new_with_seed (1);
  guint8 *plain = g_malloc (65537), *sealed = g_malloc (65537 + 16);
  guint8 *other = g_malloc (65537 + 16), *opened = g_malloc (65537);

  for (guint i = 0; i < 65537; i++)
    plain[i] = g_rand_int (rand);

  for (guint c = 0; c < G_N_ELEMENTS (ciphers); c++) {
    for (guint s = 0; s < G_N_ELEMENTS (sizes); s++) {
      gboolean reference = TRUE;

      for (guint b = 0; b < G_N_ELEMENTS (backends); b++) {
        EegAeadContext *seal = new_context (c, EEG_AEAD_SEAL, backends[b]);
        EegAeadContext *open = new_context (c, EEG_AEAD_OPEN, backends[b]);
        GArray *pieces;
        EegAeadReader reader;

        if (seal == NULL)
          continue;

        pieces = cut (plain, sizes[s], rand);
        reader =
            (EegAeadReader){ (EegAeadPiece *) pieces->data, pieces->len, 0 };
        fail_unless (
            eeg_aead_seal (seal, nonce, NULL, 0, &reader, sizes[s], other));
        g_array_unref (pieces);
        if (reference)
          memcpy (sealed, other, sizes[s] + EEG_AEAD_TAG_SIZE);
        reference = FALSE;
        fail_unless (memcmp (sealed, other, sizes[s] + EEG_AEAD_TAG_SIZE) == 0,
            "cipher %u, back end %s, size %" G_GSIZE_FORMAT, c, backends[b],
            sizes[s]);

        pieces = cut (sealed, sizes[s] + EEG_AEAD_TAG_SIZE, rand);
        reader =
            (EegAeadReader){ (EegAeadPiece *) pieces->data, pieces->len, 0 };
        fail_unless (eeg_aead_open (open, nonce, NULL, 0, &reader,
            sizes[s] + EEG_AEAD_TAG_SIZE, opened));
        g_array_unref (pieces);
        fail_unless (memcmp (opened, plain, sizes[s]) == 0);
        eeg_aead_context_free (seal);
        eeg_aead_context_free (open);
      }
      fail_unless (!reference);
    }
  }
  g_rand_free (rand);
  g_free (plain);
  g_free (sealed);
  g_free (other);
  g_free (opened);
}
GST_END_TEST;

/* A flipped bit anywhere, another nonce, another key, a shorter message: never
 * a byte of plaintext, and the reader stays. */
GST_START_TEST (test_open_refuses)
{
  const guint8 nonce[EEG_AEAD_NONCE_SIZE] = { 1 };
  const guint8 other_nonce[EEG_AEAD_NONCE_SIZE] = { 2 };
  const guint8 other_key[EEG_AEAD_KEY_SIZE] = { 9 };
  guint8 plain[40], sealed[sizeof plain + EEG_AEAD_TAG_SIZE];
  guint8 opened[sizeof plain];

  memset (plain, 0x5a, sizeof plain);
  for (guint c = 0; c < G_N_ELEMENTS (ciphers); c++) {
    for (guint b = 0; b < G_N_ELEMENTS (backends); b++) {
      EegAeadContext *seal = new_context (c, EEG_AEAD_SEAL, backends[b]);
      EegAeadContext *open = new_context (c, EEG_AEAD_OPEN, backends[b]);
      EegAeadPiece piece = { plain, sizeof plain };
      EegAeadReader reader = { &piece, 1, 0 };

      if (seal == NULL)
        continue;
      fail_unless (
          eeg_aead_seal (seal, nonce, NULL, 0, &reader, sizeof plain, sealed));
      fail_if (eeg_aead_seal (seal, nonce, NULL, 0, &reader, 1, opened));

      piece = (EegAeadPiece){ sealed, sizeof sealed };
      for (guint bit = 0; bit < 8 * sizeof sealed; bit++) {
        reader = (EegAeadReader){ &piece, 1, 0 };
        sealed[bit / 8] ^= 1 << (bit % 8);
        memset (opened, 1, sizeof opened);
        fail_if (eeg_aead_open (open, nonce, NULL, 0, &reader, sizeof sealed,
            opened));
        fail_unless (sodium_is_zero (opened, sizeof opened));
        fail_unless_equals_int (eeg_aead_reader_size (&reader), sizeof sealed);
        sealed[bit / 8] ^= 1 << (bit % 8);
      }
      fail_if (eeg_aead_open (open, other_nonce, NULL, 0, &reader,
          sizeof sealed, opened));
      fail_if (eeg_aead_open (open, nonce, sealed, 1, &reader, sizeof sealed,
          opened));
      for (gsize size = 0; size < sizeof sealed; size++)
        fail_if (eeg_aead_open (open, nonce, NULL, 0, &reader, size, opened));
      fail_if (eeg_aead_open (open, nonce, NULL, 0, &reader, sizeof sealed + 1,
          opened));

      fail_unless (
          eeg_aead_open (open, nonce, NULL, 0, &reader, sizeof sealed, opened));
      fail_unless (memcmp (opened, plain, sizeof plain) == 0);

      fail_unless (eeg_aead_context_set_key (open, other_key));
      reader = (EegAeadReader){ &piece, 1, 0 };
      fail_if (
          eeg_aead_open (open, nonce, NULL, 0, &reader, sizeof sealed, opened));
      eeg_aead_context_free (seal);
      eeg_aead_context_free (open);
    }
  }
}
GST_END_TEST;

GST_START_TEST (test_backend_selection)
{
  EegAeadContext *context;

  for (guint b = 0; b < G_N_ELEMENTS (backends); b++) {
    context = eeg_aead_context_new (EEG_AEAD_CHACHA20_POLY1305, EEG_AEAD_SEAL,
        backends[b]);
    if (context == NULL)
      continue;
    eeg_aead_context_free (context);
    g_setenv (EEG_AEAD_BACKEND_VARIABLE, backends[b], TRUE);
    context =
        eeg_aead_context_new (EEG_AEAD_CHACHA20_POLY1305, EEG_AEAD_SEAL, NULL);
    fail_unless_equals_string (eeg_aead_context_get_backend (context),
        backends[b]);
    eeg_aead_context_free (context);
  }
  g_setenv (EEG_AEAD_BACKEND_VARIABLE, "none", TRUE);
  fail_unless (
      eeg_aead_context_new (EEG_AEAD_CHACHA20_POLY1305, EEG_AEAD_SEAL, NULL)
      == NULL);
  g_setenv (EEG_AEAD_BACKEND_VARIABLE, "", TRUE);
  context =
      eeg_aead_context_new (EEG_AEAD_CHACHA20_POLY1305, EEG_AEAD_SEAL, NULL);
  fail_unless (context != NULL);
  eeg_aead_context_free (context);
  g_unsetenv (EEG_AEAD_BACKEND_VARIABLE);
}
GST_END_TEST;

static void
check_hkdf (const gchar *ikm_hex, const gchar *salt_hex, const gchar *info_hex,
    const gchar *okm_hex)
{
  guint8 ikm[128], salt[128], info[128], okm[128], out[128];
  gsize ikm_size, salt_size, info_size, size;

  sodium_hex2bin (ikm, sizeof ikm, ikm_hex, strlen (ikm_hex), NULL, &ikm_size,
      NULL);
  sodium_hex2bin (salt, sizeof salt, salt_hex, strlen (salt_hex), NULL,
      &salt_size, NULL);
  sodium_hex2bin (info, sizeof info, info_hex, strlen (info_hex), NULL,
      &info_size, NULL);
  sodium_hex2bin (okm, sizeof okm, okm_hex, strlen (okm_hex), NULL, &size,
      NULL);
  fail_unless (eeg_aead_hkdf_sha256 (ikm, ikm_size, salt, salt_size, info,
      info_size, out, size));
  fail_unless (memcmp (out, okm, size) == 0);
}

/* RFC 5869, A.1 to A.3 */
GST_START_TEST (test_hkdf)
{
  guint8 *out = g_malloc (255 * 32 + 1);

  check_hkdf ("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
      "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
      "34007208d5b887185865");
  check_hkdf ("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
              "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
              "404142434445464748494a4b4c4d4e4f",
      "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
      "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
      "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
      "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
      "d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
      "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
      "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
      "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
      "cc30c58179ec3e87c14c01d5c1f3434f1d87");
  check_hkdf ("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
      "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
      "9d201395faa4b61a96c8");

  fail_unless (eeg_aead_hkdf_sha256 (NULL, 0, NULL, 0, NULL, 0, out, 255 * 32));
  fail_if (eeg_aead_hkdf_sha256 (NULL, 0, NULL, 0, NULL, 0, out, 255 * 32 + 1));
  g_free (out);
}
GST_END_TEST;

static gboolean
base64_is (const gchar *text, gboolean padded, gssize expected)
{
  guint8 out[8];
  gsize size = 0;
  gboolean ok = eeg_aead_base64_decode (text, strlen (text), padded, out,
      sizeof out, &size);

  return ok ? size == (gsize) expected && memcmp (out, "abcdefgh", size) == 0
            : expected < 0;
}

GST_START_TEST (test_base64)
{
  gchar text[] = "YWJjZGU";

  fail_unless (base64_is ("", TRUE, 0));
  fail_unless (base64_is ("YWJj", TRUE, 3));
  fail_unless (base64_is ("YWJj", FALSE, 3));
  fail_unless (base64_is ("YWJjZA==", TRUE, 4));
  fail_unless (base64_is ("YWJjZA", FALSE, 4));
  fail_unless (base64_is ("YWJjZA==", FALSE, -1));
  fail_unless (base64_is ("YWJjZA", TRUE, -1));
  fail_unless (base64_is ("YWJjZA=", TRUE, -1));
  fail_unless (base64_is ("YWJjZA===", TRUE, -1));
  fail_unless (base64_is ("YWJjZB==", TRUE, -1));
  fail_unless (base64_is ("YWJjZ", FALSE, -1));
  fail_unless (base64_is ("YWJj\n", TRUE, -1));
  fail_unless (base64_is (" YWJj", TRUE, -1));
  fail_unless (base64_is ("YWJjZGVmZ2g=", TRUE, 8));
  fail_unless (base64_is ("YWJjZGVmZ2hp", TRUE, -1));

  /* no byte stands for another one */
  for (guint i = 0; i < strlen (text); i++) {
    gchar c = text[i];

    for (gint other = 1; other < 256; other++) {
      text[i] = other;
      if (text[i] != c)
        fail_if (base64_is (text, FALSE, 5));
    }
    text[i] = c;
  }
}

GST_END_TEST;

GST_START_TEST (test_secret_file)
{
  gchar *dir = g_dir_make_tmp ("eeg-aead-XXXXXX", NULL);
  gchar *path = g_build_filename (dir, "secret", NULL);
  EegAeadSecret *secret;
  bool exposed = true;
  int fds[2];
  gchar *pipe_path;

  errno = 0;
  fail_unless (eeg_aead_secret_new_from_file (path, 10, NULL) == NULL);
  fail_unless_equals_int (errno, ENOENT);
  fail_unless (eeg_aead_secret_new_from_file (dir, 10, NULL) == NULL);
  fail_unless_equals_int (errno, EISDIR);

  fail_unless (g_file_set_contents (path, "0123456789", 10, NULL));
  fail_unless_equals_int (g_chmod (path, 0600), 0);
  secret = eeg_aead_secret_new_from_file (path, 10, &exposed);
  fail_unless (secret != NULL);
  fail_if (exposed);
  fail_unless_equals_int (secret->size, 10);
  fail_unless (memcmp (secret->data, "0123456789", 10) == 0);
  eeg_aead_secret_free (secret);

  fail_unless (eeg_aead_secret_new_from_file (path, 9, NULL) == NULL);
  fail_unless_equals_int (errno, EFBIG);

  fail_unless_equals_int (g_chmod (path, 0640), 0);
  secret = eeg_aead_secret_new_from_file (path, 10, &exposed);
  fail_unless (exposed);
  eeg_aead_secret_free (secret);
  fail_unless_equals_int (g_chmod (path, 0604), 0);
  exposed = false;
  secret = eeg_aead_secret_new_from_file (path, 10, &exposed);
  fail_unless (exposed);
  eeg_aead_secret_free (secret);

  fail_unless (g_file_set_contents (path, "", 0, NULL));
  secret = eeg_aead_secret_new_from_file (path, 10, NULL);
  fail_unless (secret != NULL && secret->size == 0);
  eeg_aead_secret_free (secret);

  /* a key that a program hands over in a pipe */
  fail_unless_equals_int (pipe (fds), 0);
  fail_unless_equals_int (write (fds[1], "abc", 3), 3);
  close (fds[1]);
  pipe_path = g_strdup_printf ("/dev/fd/%d", fds[0]);
  exposed = true;
  secret = eeg_aead_secret_new_from_file (pipe_path, 10, &exposed);
  fail_unless (secret != NULL && secret->size == 3);
  fail_if (exposed);
  eeg_aead_secret_free (secret);
  close (fds[0]);
  g_free (pipe_path);

  eeg_aead_secret_free (NULL);
  g_unlink (path);
  g_rmdir (dir);
  g_free (path);
  g_free (dir);
}
GST_END_TEST;

static Suite *
aead_suite (void)
{
  Suite *suite = suite_create ("aead");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_backends_agree);
  tcase_add_test (tc, test_open_refuses);
  tcase_add_test (tc, test_backend_selection);
  tcase_add_test (tc, test_hkdf);
  tcase_add_test (tc, test_base64);
  tcase_add_test (tc, test_secret_file);
  return suite;
}

int
main (int argc, char **argv)
{
  gst_check_init (&argc, &argv);
  if (!eeg_aead_init ())
    return 1;
  return gst_check_run_suite (aead_suite (), "aead", __FILE__);
}
