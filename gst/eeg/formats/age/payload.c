/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "age.h"

#include <sodium.h>
#include <string.h>

#include "aead/hkdf.h"

void
eeg_age_random (uint8_t *out, size_t size)
{
  randombytes_buf (out, size);
}

void
eeg_age_payload_key (const uint8_t file_key[EEG_AGE_FILE_KEY_SIZE],
    const uint8_t nonce[EEG_AGE_NONCE_SIZE], uint8_t key[EEG_AEAD_KEY_SIZE])
{
  static const char info[] = "payload";

  eeg_aead_hkdf_sha256 (file_key, EEG_AGE_FILE_KEY_SIZE, nonce,
      EEG_AGE_NONCE_SIZE, (const uint8_t *) info, sizeof info - 1, key,
      EEG_AEAD_KEY_SIZE);
}

bool
eeg_age_sealed_size (uint64_t size, uint64_t *sealed)
{
  uint64_t cells = size / EEG_AGE_CELL_SIZE + (size % EEG_AGE_CELL_SIZE != 0);

  if (cells == 0)
    cells = 1;
  if (size > UINT64_MAX - cells * EEG_AEAD_TAG_SIZE)
    return false;
  *sealed = size + cells * EEG_AEAD_TAG_SIZE;
  return true;
}

/* The counter has 88 bits, of which 64 are used. */
static void
make_nonce (uint64_t index, bool final, uint8_t nonce[EEG_AEAD_NONCE_SIZE])
{
  memset (nonce, 0, 3);
  for (int i = 0; i < 8; i++)
    nonce[3 + i] = (uint8_t) (index >> (56 - 8 * i));
  nonce[11] = final;
}

size_t
eeg_age_seal (EegAeadContext *context, uint64_t first, bool final,
    EegAeadReader *in, size_t size, uint8_t *out)
{
  uint64_t index = first;
  uint8_t *p = out;

  do {
    size_t n = size < EEG_AGE_CELL_SIZE ? size : EEG_AGE_CELL_SIZE;
    bool last = final && n == size;
    uint8_t nonce[EEG_AEAD_NONCE_SIZE];

    if ((n < EEG_AGE_CELL_SIZE && !last) || (n == 0 && index > 0))
      goto fail;
    make_nonce (index, last, nonce);
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
open_cell (EegAeadContext *context, uint64_t index, bool final,
    EegAeadReader *in, size_t size, uint8_t *out)
{
  uint8_t nonce[EEG_AEAD_NONCE_SIZE];

  make_nonce (index, final, nonce);
  return eeg_aead_open (context, nonce, NULL, 0, in, size, out);
}

size_t
eeg_age_open (EegAeadContext *context, uint64_t first, bool final,
    EegAeadReader *in, size_t size, uint8_t *out, size_t *opened, bool *ended)
{
  uint64_t index = first;
  size_t done = 0;

  *opened = 0;
  *ended = false;
  while (done < size && !*ended) {
    size_t n = EEG_AGE_SEALED_CELL_SIZE;
    bool last;

    if (n > size - done)
      n = size - done;
    last = final && n == size - done;
    /* an empty cell ends no file that holds anything */
    if (n == EEG_AEAD_TAG_SIZE && index > 0)
      break;
    /* a short cell is the last */
    if (n < EEG_AGE_SEALED_CELL_SIZE && !last)
      break;
    if (open_cell (context, index, last, in, n, out + *opened))
      *ended = last;
    else if (n == EEG_AGE_SEALED_CELL_SIZE
        && open_cell (context, index, !last, in, n, out + *opened))
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
