/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The SHA-2 functions of libsodium need no sodium_init(). */
#include "digest-private.h"

#include <sodium/crypto_hash_sha256.h>
#include <sodium/crypto_hash_sha512.h>
#include <string.h>

static void
sha256_init (void *state)
{
  crypto_hash_sha256_init (state);
}

static void
sha256_update (void *state, const void *data, size_t size)
{
  crypto_hash_sha256_update (state, data, size);
}

static void
sha256_final (void *state, uint8_t *digest)
{
  crypto_hash_sha256_state copy = *(crypto_hash_sha256_state *) state;

  crypto_hash_sha256_final (&copy, digest);
}

static size_t
sha256_save (void *state, uint8_t *blob)
{
  const crypto_hash_sha256_state *ctx = state;
  EegDigestSha2 sha2;

  for (int i = 0; i < 8; i++)
    sha2.words[i] = ctx->state[i];
  sha2.total = ctx->count / 8;
  sha2.pending = ctx->buf;
  return eeg_digest_sha2_save (EEG_DIGEST_ID_SHA256, &sha2, blob);
}

static bool
sha256_restore (void *state, const uint8_t *blob, size_t size)
{
  crypto_hash_sha256_state *ctx = state;
  EegDigestSha2 sha2;

  if (!eeg_digest_sha2_restore (EEG_DIGEST_ID_SHA256, &sha2, blob, size))
    return false;
  memset (ctx, 0, sizeof *ctx);
  for (int i = 0; i < 8; i++)
    ctx->state[i] = (uint32_t) sha2.words[i];
  ctx->count = sha2.total * 8;
  memcpy (ctx->buf, sha2.pending, sha2.total % sizeof ctx->buf);
  return true;
}

static void
sha512_init (void *state)
{
  crypto_hash_sha512_init (state);
}

static void
sha512_update (void *state, const void *data, size_t size)
{
  crypto_hash_sha512_update (state, data, size);
}

static void
sha512_final (void *state, uint8_t *digest)
{
  crypto_hash_sha512_state copy = *(crypto_hash_sha512_state *) state;

  crypto_hash_sha512_final (&copy, digest);
}

/* count[0] holds the high, count[1] the low 64 bits of the number of bits. */
static size_t
sha512_save (void *state, uint8_t *blob)
{
  const crypto_hash_sha512_state *ctx = state;
  EegDigestSha2 sha2;

  for (int i = 0; i < 8; i++)
    sha2.words[i] = ctx->state[i];
  sha2.total = ctx->count[0] << 61 | ctx->count[1] >> 3;
  sha2.pending = ctx->buf;
  return eeg_digest_sha2_save (EEG_DIGEST_ID_SHA512, &sha2, blob);
}

static bool
sha512_restore (void *state, const uint8_t *blob, size_t size)
{
  crypto_hash_sha512_state *ctx = state;
  EegDigestSha2 sha2;

  if (!eeg_digest_sha2_restore (EEG_DIGEST_ID_SHA512, &sha2, blob, size))
    return false;
  memset (ctx, 0, sizeof *ctx);
  for (int i = 0; i < 8; i++)
    ctx->state[i] = sha2.words[i];
  ctx->count[1] = sha2.total * 8;
  memcpy (ctx->buf, sha2.pending, sha2.total % sizeof ctx->buf);
  return true;
}

const EegDigestKernel eeg_digest_libsodium_sha256 = {
  .algorithm = "sha256",
  .backend = "libsodium",
  .digest_size = crypto_hash_sha256_BYTES,
  .state_size = sizeof (crypto_hash_sha256_state),
  .saved_size = EEG_DIGEST_SHA256_SAVED,
  .init = sha256_init,
  .update = sha256_update,
  .final = sha256_final,
  .save = sha256_save,
  .restore = sha256_restore,
};

const EegDigestKernel eeg_digest_libsodium_sha512 = {
  .algorithm = "sha512",
  .backend = "libsodium",
  .digest_size = crypto_hash_sha512_BYTES,
  .state_size = sizeof (crypto_hash_sha512_state),
  .saved_size = EEG_DIGEST_SHA512_SAVED,
  .init = sha512_init,
  .update = sha512_update,
  .final = sha512_final,
  .save = sha512_save,
  .restore = sha512_restore,
};
