/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "digest-private.h"

#include <string.h>

/* Fastest first: libcrypto uses the SHA instructions of the CPU, libsodium
 * 1.0.18 does not. */
static const EegDigestKernel *const kernels[] = {
#ifdef HAVE_BLAKE3
  &eeg_digest_blake3,
#endif
#ifdef HAVE_LIBCRYPTO_SHA2
  &eeg_digest_libcrypto_sha256,
  &eeg_digest_libcrypto_sha512,
#endif
#ifdef HAVE_LIBSODIUM_SHA2
  &eeg_digest_libsodium_sha256,
  &eeg_digest_libsodium_sha512,
#endif
};

const EegDigestKernel *
eeg_digest_find (const char *algorithm, const char *backend)
{
#ifdef HAVE_BLAKE3
  eeg_digest_blake3_prepare ();
#endif
  for (size_t i = 0; i < sizeof kernels / sizeof kernels[0]; i++) {
    if (strcmp (kernels[i]->algorithm, algorithm) == 0
        && (backend == NULL || strcmp (kernels[i]->backend, backend) == 0))
      return kernels[i];
  }
  return NULL;
}

void
eeg_digest_put_le (uint8_t *out, uint64_t value, unsigned bytes)
{
  for (unsigned i = 0; i < bytes; i++)
    out[i] = (uint8_t) (value >> (8 * i));
}

uint64_t
eeg_digest_get_le (const uint8_t *in, unsigned bytes)
{
  uint64_t value = 0;

  for (unsigned i = 0; i < bytes; i++)
    value |= (uint64_t) in[i] << (8 * i);
  return value;
}

void
eeg_digest_put_header (uint8_t *blob, uint8_t id, uint64_t total)
{
  memcpy (blob, "EEGD", 4);
  blob[4] = 1;
  blob[5] = id;
  blob[6] = blob[7] = 0;
  eeg_digest_put_le (blob + 8, total, 8);
}

bool
eeg_digest_get_header (const uint8_t *blob, size_t size, uint8_t id,
    uint64_t *total)
{
  if (size < EEG_DIGEST_HEADER_SIZE || memcmp (blob, "EEGD", 4) != 0
      || blob[4] != 1 || blob[5] != id || blob[6] != 0 || blob[7] != 0)
    return false;
  *total = eeg_digest_get_le (blob + 8, 8);
  return true;
}

static void
sha2_sizes (uint8_t id, unsigned *word, unsigned *block)
{
  *word = id == EEG_DIGEST_ID_SHA512 ? 8 : 4;
  *block = 16 * *word;
}

size_t
eeg_digest_sha2_save (uint8_t id, const EegDigestSha2 *sha2, uint8_t *blob)
{
  unsigned word, block, pending;
  uint8_t *out = blob + EEG_DIGEST_HEADER_SIZE;

  sha2_sizes (id, &word, &block);
  pending = sha2->total % block;
  eeg_digest_put_header (blob, id, sha2->total);
  for (int i = 0; i < 8; i++, out += word)
    eeg_digest_put_le (out, sha2->words[i], word);
  memcpy (out, sha2->pending, pending);
  return out + pending - blob;
}

bool
eeg_digest_sha2_restore (uint8_t id, EegDigestSha2 *sha2, const uint8_t *blob,
    size_t size)
{
  unsigned word, block;
  const uint8_t *in = blob + EEG_DIGEST_HEADER_SIZE;

  sha2_sizes (id, &word, &block);
  /* the libraries count bits in 64 bits (SHA-256) */
  if (!eeg_digest_get_header (blob, size, id, &sha2->total)
      || sha2->total > UINT64_MAX / 8
      || size != EEG_DIGEST_HEADER_SIZE + 8 * word + sha2->total % block)
    return false;
  for (int i = 0; i < 8; i++, in += word)
    sha2->words[i] = eeg_digest_get_le (in, word);
  sha2->pending = in;
  return true;
}
