/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "hkdf.h"

#include <sodium.h>
#include <string.h>

/* libsodium 1.0.18 has no HKDF, but its HMAC takes keys of any length. */

#define HASH_SIZE crypto_auth_hmacsha256_BYTES

bool
eeg_aead_hkdf_sha256 (const uint8_t *ikm, size_t ikm_size, const uint8_t *salt,
    size_t salt_size, const uint8_t *info, size_t info_size, uint8_t *out,
    size_t out_size)
{
  crypto_auth_hmacsha256_state hmac;
  uint8_t prk[HASH_SIZE], block[HASH_SIZE];
  uint8_t counter = 0;

  if (out_size > 255 * HASH_SIZE)
    return false;

  /* the library wants a pointer also for an empty salt */
  crypto_auth_hmacsha256_init (&hmac,
      salt != NULL ? salt : (const uint8_t *) "", salt_size);
  crypto_auth_hmacsha256_update (&hmac, ikm, ikm_size);
  crypto_auth_hmacsha256_final (&hmac, prk);

  while (out_size > 0) {
    size_t n = out_size < HASH_SIZE ? out_size : HASH_SIZE;

    crypto_auth_hmacsha256_init (&hmac, prk, sizeof prk);
    if (counter > 0)
      crypto_auth_hmacsha256_update (&hmac, block, sizeof block);
    if (info_size > 0)
      crypto_auth_hmacsha256_update (&hmac, info, info_size);
    counter++;
    crypto_auth_hmacsha256_update (&hmac, &counter, 1);
    crypto_auth_hmacsha256_final (&hmac, block);
    memcpy (out, block, n);
    out += n;
    out_size -= n;
  }

  sodium_memzero (&hmac, sizeof hmac);
  sodium_memzero (prk, sizeof prk);
  sodium_memzero (block, sizeof block);
  return true;
}
