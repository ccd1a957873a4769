/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EEG_DIGEST_PRIVATE_H
#define EEG_DIGEST_PRIVATE_H

#include "digest.h"

/*
 * A saved state, all numbers little-endian:
 *   0  "EEGD"
 *   4  u8  format version, 1
 *   5  u8  algorithm
 *   6  u16 0
 *   8  u64 bytes of message so far
 *  16  what the algorithm needs, see there
 */
#define EEG_DIGEST_HEADER_SIZE 16

enum
{
  EEG_DIGEST_ID_BLAKE3 = 1,
  EEG_DIGEST_ID_SHA256 = 2,
  EEG_DIGEST_ID_SHA512 = 3,
};

/*
 * The state of a SHA-2 function, the same for every back end: the chaining
 * words and the bytes that do not fill a block yet. Saved behind the header as
 * eight words of 4 (SHA-256) or 8 (SHA-512) bytes and total % block bytes.
 */
typedef struct
{
  uint64_t words[8];
  uint64_t total;
  const uint8_t *pending;
} EegDigestSha2;

#define EEG_DIGEST_SHA256_SAVED (EEG_DIGEST_HEADER_SIZE + 8 * 4 + 63)
#define EEG_DIGEST_SHA512_SAVED (EEG_DIGEST_HEADER_SIZE + 8 * 8 + 127)

void eeg_digest_put_le (uint8_t *out, uint64_t value, unsigned bytes);
uint64_t eeg_digest_get_le (const uint8_t *in, unsigned bytes);
void eeg_digest_put_header (uint8_t *blob, uint8_t id, uint64_t total);
bool eeg_digest_get_header (const uint8_t *blob, size_t size, uint8_t id,
    uint64_t *total);

size_t eeg_digest_sha2_save (uint8_t id, const EegDigestSha2 *sha2,
    uint8_t *blob);
/* On success @sha2->pending points into @blob. */
bool eeg_digest_sha2_restore (uint8_t id, EegDigestSha2 *sha2,
    const uint8_t *blob, size_t size);

/* To be called before the first use of eeg_digest_blake3. */
void eeg_digest_blake3_prepare (void);

extern const EegDigestKernel eeg_digest_blake3;
extern const EegDigestKernel eeg_digest_libcrypto_sha256;
extern const EegDigestKernel eeg_digest_libcrypto_sha512;
extern const EegDigestKernel eeg_digest_libsodium_sha256;
extern const EegDigestKernel eeg_digest_libsodium_sha512;

#endif
