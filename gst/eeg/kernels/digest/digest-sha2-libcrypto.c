/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* EVP would hide the state, which has to be saved field by field. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "digest-private.h"

#include <openssl/sha.h>
#include <string.h>

static void
sha256_init (void *state)
{
  SHA256_Init (state);
}

static void
sha256_update (void *state, const void *data, size_t size)
{
  SHA256_Update (state, data, size);
}

static void
sha256_final (void *state, uint8_t *digest)
{
  SHA256_CTX copy = *(SHA256_CTX *) state;

  SHA256_Final (digest, &copy);
}

static size_t
sha256_save (void *state, uint8_t *blob)
{
  const SHA256_CTX *ctx = state;
  EegDigestSha2 sha2;

  for (int i = 0; i < 8; i++)
    sha2.words[i] = ctx->h[i];
  sha2.total = ((uint64_t) ctx->Nh << 32 | ctx->Nl) / 8;
  sha2.pending = (const uint8_t *) ctx->data;
  return eeg_digest_sha2_save (EEG_DIGEST_ID_SHA256, &sha2, blob);
}

static bool
sha256_restore (void *state, const uint8_t *blob, size_t size)
{
  SHA256_CTX *ctx = state;
  EegDigestSha2 sha2;

  if (!eeg_digest_sha2_restore (EEG_DIGEST_ID_SHA256, &sha2, blob, size))
    return false;
  SHA256_Init (ctx);
  for (int i = 0; i < 8; i++)
    ctx->h[i] = (SHA_LONG) sha2.words[i];
  ctx->Nl = (SHA_LONG) (sha2.total * 8);
  ctx->Nh = (SHA_LONG) (sha2.total * 8 >> 32);
  ctx->num = sha2.total % SHA256_CBLOCK;
  memcpy (ctx->data, sha2.pending, ctx->num);
  return true;
}

static void
sha512_init (void *state)
{
  SHA512_Init (state);
}

static void
sha512_update (void *state, const void *data, size_t size)
{
  SHA512_Update (state, data, size);
}

static void
sha512_final (void *state, uint8_t *digest)
{
  SHA512_CTX copy = *(SHA512_CTX *) state;

  SHA512_Final (digest, &copy);
}

static size_t
sha512_save (void *state, uint8_t *blob)
{
  const SHA512_CTX *ctx = state;
  EegDigestSha2 sha2;

  for (int i = 0; i < 8; i++)
    sha2.words[i] = ctx->h[i];
  sha2.total = (uint64_t) ctx->Nh << 61 | ctx->Nl >> 3;
  sha2.pending = ctx->u.p;
  return eeg_digest_sha2_save (EEG_DIGEST_ID_SHA512, &sha2, blob);
}

static bool
sha512_restore (void *state, const uint8_t *blob, size_t size)
{
  SHA512_CTX *ctx = state;
  EegDigestSha2 sha2;

  if (!eeg_digest_sha2_restore (EEG_DIGEST_ID_SHA512, &sha2, blob, size))
    return false;
  SHA512_Init (ctx);
  for (int i = 0; i < 8; i++)
    ctx->h[i] = sha2.words[i];
  ctx->Nl = sha2.total * 8;
  ctx->Nh = 0;
  ctx->num = sha2.total % SHA512_CBLOCK;
  memcpy (ctx->u.p, sha2.pending, ctx->num);
  return true;
}

const EegDigestKernel eeg_digest_libcrypto_sha256 = {
  .algorithm = "sha256",
  .backend = "libcrypto",
  .digest_size = SHA256_DIGEST_LENGTH,
  .state_size = sizeof (SHA256_CTX),
  .saved_size = EEG_DIGEST_SHA256_SAVED,
  .init = sha256_init,
  .update = sha256_update,
  .final = sha256_final,
  .save = sha256_save,
  .restore = sha256_restore,
};

const EegDigestKernel eeg_digest_libcrypto_sha512 = {
  .algorithm = "sha512",
  .backend = "libcrypto",
  .digest_size = SHA512_DIGEST_LENGTH,
  .state_size = sizeof (SHA512_CTX),
  .saved_size = EEG_DIGEST_SHA512_SAVED,
  .init = sha512_init,
  .update = sha512_update,
  .final = sha512_final,
  .save = sha512_save,
  .restore = sha512_restore,
};
