/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tink.h"

#include <sodium.h>
#include <string.h>

#include "aead/hkdf.h"

void
eeg_tink_header_generate (EegTinkHeader *header)
{
  randombytes_buf (header->salt, sizeof header->salt);
  randombytes_buf (header->nonce_prefix, sizeof header->nonce_prefix);
}

void
eeg_tink_header_write (const EegTinkHeader *header,
    uint8_t out[EEG_TINK_HEADER_SIZE])
{
  out[0] = EEG_TINK_HEADER_SIZE;
  memcpy (out + 1, header->salt, EEG_TINK_SALT_SIZE);
  memcpy (out + 1 + EEG_TINK_SALT_SIZE, header->nonce_prefix,
      EEG_TINK_NONCE_PREFIX_SIZE);
}

bool
eeg_tink_header_parse (EegTinkHeader *header, const uint8_t *data, size_t size)
{
  if (size < EEG_TINK_HEADER_SIZE || data[0] != EEG_TINK_HEADER_SIZE)
    return false;
  memcpy (header->salt, data + 1, EEG_TINK_SALT_SIZE);
  memcpy (header->nonce_prefix, data + 1 + EEG_TINK_SALT_SIZE,
      EEG_TINK_NONCE_PREFIX_SIZE);
  return true;
}

void
eeg_tink_derive_key (const EegTinkHeader *header, const uint8_t *ikm,
    size_t ikm_size, const uint8_t *ad, size_t ad_size,
    uint8_t key[EEG_AEAD_KEY_SIZE])
{
  /* cannot fail: the length is far below HKDF's limit */
  eeg_aead_hkdf_sha256 (ikm, ikm_size, header->salt, sizeof header->salt, ad,
      ad_size, key, EEG_AEAD_KEY_SIZE);
}

/* Bytes of segment @index in the file. */
static size_t
sealed_capacity (uint32_t segment_size, uint64_t index)
{
  return index == 0 ? segment_size - EEG_TINK_HEADER_SIZE : segment_size;
}

size_t
eeg_tink_segment_capacity (uint32_t segment_size, uint64_t index)
{
  return sealed_capacity (segment_size, index) - EEG_AEAD_TAG_SIZE;
}

bool
eeg_tink_sealed_size (uint64_t size, uint32_t segment_size, uint64_t *sealed)
{
  uint64_t capacity = segment_size - EEG_AEAD_TAG_SIZE;
  uint64_t segments;

  if (size > UINT64_MAX - EEG_TINK_HEADER_SIZE)
    return false;
  size += EEG_TINK_HEADER_SIZE;
  segments = size / capacity + (size % capacity != 0);
  if (segments > EEG_TINK_MAX_SEGMENTS
      || size > UINT64_MAX - segments * EEG_AEAD_TAG_SIZE)
    return false;
  *sealed = size + segments * EEG_AEAD_TAG_SIZE;
  return true;
}

static void
make_nonce (const EegTinkHeader *header, uint64_t index, bool final,
    uint8_t nonce[EEG_AEAD_NONCE_SIZE])
{
  memcpy (nonce, header->nonce_prefix, EEG_TINK_NONCE_PREFIX_SIZE);
  nonce[7] = (uint8_t) (index >> 24);
  nonce[8] = (uint8_t) (index >> 16);
  nonce[9] = (uint8_t) (index >> 8);
  nonce[10] = (uint8_t) index;
  nonce[11] = final;
}

size_t
eeg_tink_seal (EegAeadContext *context, const EegTinkHeader *header,
    uint32_t segment_size, uint64_t first, bool final, EegAeadReader *in,
    size_t size, uint8_t *out)
{
  uint64_t index = first;
  uint8_t *p = out;

  do {
    size_t capacity = eeg_tink_segment_capacity (segment_size, index);
    size_t n = size < capacity ? size : capacity;
    bool last = final && n == size;
    uint8_t nonce[EEG_AEAD_NONCE_SIZE];

    if (index >= EEG_TINK_MAX_SEGMENTS || (n < capacity && !last))
      goto fail;
    make_nonce (header, index, last, nonce);
    if (!eeg_aead_seal (context, nonce, NULL, 0, in, n, p))
      goto fail;
    p += n + EEG_AEAD_TAG_SIZE;
    size -= n;
    index++;
  } while (size > 0);

  return p - out;

fail:
  sodium_memzero (out, p - out);
  return 0;
}

static bool
open_segment (EegAeadContext *context, const EegTinkHeader *header,
    uint64_t index, bool final, EegAeadReader *in, size_t size, uint8_t *out)
{
  uint8_t nonce[EEG_AEAD_NONCE_SIZE];

  make_nonce (header, index, final, nonce);
  return eeg_aead_open (context, nonce, NULL, 0, in, size, out);
}

size_t
eeg_tink_open (EegAeadContext *context, const EegTinkHeader *header,
    uint32_t segment_size, uint64_t first, bool final, EegAeadReader *in,
    size_t size, uint8_t *out, size_t *opened, bool *ended)
{
  uint64_t index = first;
  size_t done = 0;

  *opened = 0;
  *ended = false;
  while (done < size && !*ended && index < EEG_TINK_MAX_SEGMENTS) {
    size_t capacity = sealed_capacity (segment_size, index);
    size_t n = capacity < size - done ? capacity : size - done;
    bool last = final && n == size - done;

    /* a short segment is the last */
    if (n < capacity && !last)
      break;
    if (open_segment (context, header, index, last, in, n, out + *opened))
      *ended = last;
    else if (n == capacity
        && open_segment (context, header, index, !last, in, n, out + *opened))
      /* genuine, but the file was cut behind it, or something put there */
      *ended = !last;
    else
      break;
    *opened += n - EEG_AEAD_TAG_SIZE;
    done += n;
    index++;
  }
  return done;
}
