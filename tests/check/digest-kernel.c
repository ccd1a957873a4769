/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/check/gstcheck.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"

static const struct
{
  const char *algorithm;
  const char *backend;
  int checksum;
} kernels[] = {
  { "blake3", NULL, -1 },
  { "sha256", "libcrypto", G_CHECKSUM_SHA256 },
  { "sha256", "libsodium", G_CHECKSUM_SHA256 },
  { "sha512", "libcrypto", G_CHECKSUM_SHA512 },
  { "sha512", "libsodium", G_CHECKSUM_SHA512 },
};

/* Published BLAKE3 vectors, the input being 0, 1, ... 250, 0, 1, ... */
static const struct
{
  gsize size;
  const char *hex;
} blake3_vectors[] = {
  { 0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262" },
  { 1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213" },
  { 1023, "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11" },
  { 1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7" },
  { 1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444" },
  { 2048, "e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a" },
  { 31744, "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47" },
  { 102400,
      "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085" },
};

#define DATA_SIZE 300000
static guint8 pattern[DATA_SIZE];

static gchar *
hex_of (const guint8 *digest, gsize size)
{
  GString *hex = g_string_new (NULL);

  for (gsize i = 0; i < size; i++)
    g_string_append_printf (hex, "%02x", digest[i]);
  return g_string_free (hex, FALSE);
}

/* A state filled with rubbish, so that init has to set all of it. */
static void *
new_state (const EegDigestKernel *kernel)
{
  void *state = g_malloc (kernel->state_size);

  memset (state, 0xa5, kernel->state_size);
  return state;
}

/* The digest of @size bytes of the pattern in pieces of @step bytes. */
static gchar *
digest_of (const EegDigestKernel *kernel, gsize size, gsize step)
{
  guint8 digest[EEG_DIGEST_MAX_SIZE];
  void *state = new_state (kernel);

  kernel->init (state);
  for (gsize done = 0; done < size; done += step)
    kernel->update (state, pattern + done, MIN (step, size - done));
  kernel->final (state, digest);
  g_free (state);
  return hex_of (digest, kernel->digest_size);
}

static void
setup (void)
{
  for (gsize i = 0; i < DATA_SIZE; i++)
    pattern[i] = i % 251;
}

GST_START_TEST (test_find)
{
  const EegDigestKernel *kernel;

  fail_unless (eeg_digest_find ("md5", NULL) == NULL);
  fail_unless (eeg_digest_find ("sha256", "abacus") == NULL);
  for (guint i = 0; i < G_N_ELEMENTS (kernels); i++) {
    kernel = eeg_digest_find (kernels[i].algorithm, kernels[i].backend);
    if (kernel == NULL) {
      GST_INFO ("%s %s not built", kernels[i].algorithm, kernels[i].backend);
      continue;
    }
    fail_unless_equals_string (kernel->algorithm, kernels[i].algorithm);
    fail_unless (kernel->digest_size <= EEG_DIGEST_MAX_SIZE);
    /* a checkpoint holds all states in less than 256 KiB */
    fail_unless (kernel->saved_size < 4096);
  }
}

GST_END_TEST;

GST_START_TEST (test_blake3_vectors)
{
  static const gsize steps[] = { 1, 64, 1000, 1024, 32768, 65536, 100000,
    DATA_SIZE };
  const EegDigestKernel *kernel = eeg_digest_find ("blake3", NULL);

  if (kernel == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (blake3_vectors); i++) {
    for (guint k = 0; k < G_N_ELEMENTS (steps); k++) {
      gchar *hex = digest_of (kernel, blake3_vectors[i].size, steps[k]);

      fail_unless_equals_string (hex, blake3_vectors[i].hex);
      g_free (hex);
    }
  }
}

GST_END_TEST;

/* All 35 lengths of the official file, where it is at hand. */
GST_START_TEST (test_blake3_official)
{
  const EegDigestKernel *kernel = eeg_digest_find ("blake3", NULL);
  const gchar *shared = g_getenv ("GSTEEG_SHARED_DIR");
  gchar *path, *text, *at;
  guint count = 0;

  if (kernel == NULL || shared == NULL) {
    g_print ("SKIP official BLAKE3 vectors: GSTEEG_SHARED_DIR is not set\n");
    return;
  }
  path =
      g_build_filename (shared, "vectors", "blake3", "test_vectors.json", NULL);
  fail_unless (g_file_get_contents (path, &text, NULL, NULL));
  for (at = text; (at = strstr (at, "\"input_len\":")) != NULL; count++) {
    gsize size = strtoul (at + strlen ("\"input_len\":"), NULL, 10);
    gchar *hash = strstr (at, "\"hash\": \"");
    gchar *hex;

    fail_unless (hash != NULL && size <= DATA_SIZE);
    at = hash + strlen ("\"hash\": \"");
    hex = digest_of (kernel, size, 777);
    fail_unless (strncmp (at, hex, 64) == 0, "length %zu", size);
    g_free (hex);
  }
  fail_unless_equals_int (count, 35);
  g_free (text);
  g_free (path);
}

GST_END_TEST;

/* Against GLib's own SHA-2, around the block and padding borders. */
GST_START_TEST (test_sha2)
{
  for (guint i = 0; i < G_N_ELEMENTS (kernels); i++) {
    const EegDigestKernel *kernel =
        eeg_digest_find (kernels[i].algorithm, kernels[i].backend);

    if (kernel == NULL || kernels[i].checksum < 0)
      continue;
    for (gsize size = 0; size <= 520; size++) {
      gchar *expected =
          g_compute_checksum_for_data (kernels[i].checksum, pattern, size);
      gchar *hex = digest_of (kernel, size, 1 + size % 130);

      fail_unless_equals_string (hex, expected);
      g_free (hex);
      g_free (expected);
    }
  }
}

GST_END_TEST;

/* Random cuts; at each one the state moves to another one, and to the other
 * back end where there is one. */
GST_START_TEST (test_save_restore)
{
  GRand *rand = g_rand_new_with_seed (42);

  for (guint i = 0; i < G_N_ELEMENTS (kernels); i++) {
    const EegDigestKernel *kernel =
        eeg_digest_find (kernels[i].algorithm, kernels[i].backend);

    if (kernel == NULL)
      continue;
    for (guint round = 0; round < 60; round++) {
      gsize size = g_rand_int_range (rand, 0, DATA_SIZE);
      gsize longest = 1 << g_rand_int_range (rand, 0, 18);
      const EegDigestKernel *now = kernel;
      void *state = new_state (now);
      guint8 digest[EEG_DIGEST_MAX_SIZE], early[EEG_DIGEST_MAX_SIZE];
      guint8 *blob = g_malloc (now->saved_size);
      gchar *hex, *expected;

      now->init (state);
      if (size / longest > 2000)
        size = longest * 2000;
      for (gsize done = 0; done < size;) {
        gsize piece = g_rand_int_range (rand, 0, longest + 1);

        piece = MIN (piece, size - done);
        now->update (state, pattern + done, piece);
        done += piece;
        if (g_rand_int_range (rand, 0, 4) == 0) {
          const EegDigestKernel *next = eeg_digest_find (now->algorithm,
              g_rand_boolean (rand) ? "libcrypto" : "libsodium");
          gsize blob_size = now->save (state, blob);
          guint8 *exact = g_memdup2 (blob, blob_size);

          fail_unless (blob_size <= now->saved_size);
          /* the state that was saved goes on as well */
          now->final (state, early);
          g_free (state);
          if (next != NULL)
            now = next;
          state = new_state (now);
          fail_unless (now->restore (state, exact, blob_size));
          now->final (state, digest);
          fail_unless (memcmp (early, digest, now->digest_size) == 0);
          g_free (exact);
        }
      }
      now->final (state, digest);
      hex = hex_of (digest, now->digest_size);
      expected = digest_of (kernel, size, DATA_SIZE);
      fail_unless_equals_string (hex, expected);
      g_free (hex);
      g_free (expected);
      g_free (state);
      g_free (blob);
    }
  }
  g_rand_free (rand);
}

GST_END_TEST;

/* The written form is fixed: what an older release stored must load. */
GST_START_TEST (test_saved_form)
{
  static const guint8 sha256[] = { 'E', 'E', 'G', 'D', 1, 2, 0, 0, 3, 0, 0, 0,
    0, 0, 0, 0, 0x67, 0xe6, 0x09, 0x6a, 0x85, 0xae, 0x67, 0xbb, 0x72, 0xf3,
    0x6e, 0x3c, 0x3a, 0xf5, 0x4f, 0xa5, 0x7f, 0x52, 0x0e, 0x51, 0x8c, 0x68,
    0x05, 0x9b, 0xab, 0xd9, 0x83, 0x1f, 0x19, 0xcd, 0xe0, 0x5b, 'a', 'b', 'c' };
  static const guint8 blake3[] = { 'E', 'E', 'G', 'D', 1, 1, 0, 0, 3, 0, 0, 0,
    0, 0, 0, 0, 0x67, 0xe6, 0x09, 0x6a, 0x85, 0xae, 0x67, 0xbb, 0x72, 0xf3,
    0x6e, 0x3c, 0x3a, 0xf5, 0x4f, 0xa5, 0x7f, 0x52, 0x0e, 0x51, 0x8c, 0x68,
    0x05, 0x9b, 0xab, 0xd9, 0x83, 0x1f, 0x19, 0xcd, 0xe0, 0x5b, 0, 3, 0, 0, 'a',
    'b', 'c' };
  const struct
  {
    const char *algorithm;
    const guint8 *blob;
    gsize size;
  } saved[] = {
    { "sha256", sha256, sizeof sha256 },
    { "blake3", blake3, sizeof blake3 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (saved); i++) {
    const EegDigestKernel *kernel = eeg_digest_find (saved[i].algorithm, NULL);
    guint8 blob[4096];
    void *state;

    if (kernel == NULL)
      continue;
    state = new_state (kernel);
    kernel->init (state);
    kernel->update (state, "abc", 3);
    fail_unless_equals_int (kernel->save (state, blob), saved[i].size);
    fail_unless (memcmp (blob, saved[i].blob, saved[i].size) == 0);
    g_free (state);
  }
}

GST_END_TEST;

/* Whatever the bytes, restore refuses or the state works; a refused state
 * stays as it was. */
GST_START_TEST (test_restore_garbage)
{
  GRand *rand = g_rand_new_with_seed (7);

  for (guint i = 0; i < G_N_ELEMENTS (kernels); i++) {
    const EegDigestKernel *kernel =
        eeg_digest_find (kernels[i].algorithm, kernels[i].backend);
    guint8 before[EEG_DIGEST_MAX_SIZE], after[EEG_DIGEST_MAX_SIZE];
    guint8 *blob;
    gsize size;
    void *state, *victim;

    if (kernel == NULL)
      continue;
    state = new_state (kernel);
    victim = new_state (kernel);
    blob = g_malloc (kernel->saved_size);
    kernel->init (state);
    kernel->update (state, pattern, 70000);
    size = kernel->save (state, blob);
    kernel->init (victim);
    kernel->update (victim, "x", 1);
    kernel->final (victim, before);

    for (gsize cut = 0; cut < size; cut++) {
      guint8 *exact = g_memdup2 (blob, cut);

      fail_if (kernel->restore (victim, exact, cut), "cut at %zu", cut);
      g_free (exact);
    }
    for (gsize at = 0; at < 8; at++) {
      blob[at] ^= 1;
      fail_if (kernel->restore (victim, blob, size), "byte %zu", at);
      blob[at] ^= 1;
    }
    kernel->final (victim, after);
    fail_unless (memcmp (before, after, kernel->digest_size) == 0);

    for (guint round = 0; round < 20000; round++) {
      guint8 *bad = g_memdup2 (blob, size);
      gsize cut = g_rand_boolean (rand)
          ? size
          : (gsize) g_rand_int_range (rand, 0, size + 1);
      guint flips = g_rand_int_range (rand, 1, 6);

      for (guint k = 0; k < flips; k++)
        bad[g_rand_int_range (rand, 8, MIN (size, 60))] =
            g_rand_int_range (rand, 0, 256);
      /* no byte behind it, so that reading on is noticed */
      bad = g_realloc (bad, MAX (cut, 1));
      if (kernel->restore (victim, bad, cut)) {
        kernel->update (victim, pattern, 5000);
        kernel->final (victim, after);
      }
      g_free (bad);
    }

    g_free (blob);
    g_free (victim);
    g_free (state);
  }
  g_rand_free (rand);
}

GST_END_TEST;

static Suite *
digest_kernel_suite (void)
{
  Suite *suite = suite_create ("digest-kernel");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_checked_fixture (tcase, setup, NULL);
  tcase_add_test (tcase, test_find);
  tcase_add_test (tcase, test_blake3_vectors);
  tcase_add_test (tcase, test_blake3_official);
  tcase_add_test (tcase, test_sha2);
  tcase_add_test (tcase, test_save_restore);
  tcase_add_test (tcase, test_saved_form);
  tcase_add_test (tcase, test_restore_garbage);
  return suite;
}

GST_CHECK_MAIN (digest_kernel);
