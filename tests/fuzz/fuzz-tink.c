/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Segments of the Tink format. The first bytes choose segment size, batches and
 * damage, the rest is read as a file and, as a plaintext, sealed, damaged and
 * opened again: what comes out must be a prefix of it that ends with a segment.
 */

#include <stdlib.h>
#include <string.h>

#include "tink/tink.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);
int LLVMFuzzerInitialize (int *argc, char ***argv);

static EegAeadContext *seal, *open;

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  static const uint8_t key[EEG_AEAD_KEY_SIZE] = { 7 };

  if (!eeg_aead_init ())
    abort ();
  seal = eeg_aead_context_new (EEG_AEAD_AES_256_GCM, EEG_AEAD_SEAL, NULL);
  open = eeg_aead_context_new (EEG_AEAD_AES_256_GCM, EEG_AEAD_OPEN, NULL);
  if (seal == NULL || open == NULL)
    abort ();
  eeg_aead_context_set_key (seal, key);
  eeg_aead_context_set_key (open, key);
  return 0;
}

static void
read_file (uint32_t segment_size, const uint8_t *data, size_t size)
{
  EegTinkHeader header;
  uint8_t *out, key[EEG_AEAD_KEY_SIZE];
  EegAeadPiece piece;
  EegAeadReader reader = { &piece, 1, 0 };
  size_t opened;
  bool ended;

  if (!eeg_tink_header_parse (&header, data, size))
    return;
  eeg_tink_derive_key (&header, data, size, NULL, 0, key);
  piece.data = data + EEG_TINK_HEADER_SIZE;
  piece.size = size - EEG_TINK_HEADER_SIZE;
  out = malloc (piece.size + 1);
  if (eeg_tink_open (open, &header, segment_size, 0, true, &reader, piece.size,
          out, &opened, &ended)
      != 0)
    abort ();
  free (out);
}

static void
round_trip (uint32_t segment_size, size_t cut, size_t damage,
    const uint8_t *data, size_t size)
{
  const EegTinkHeader header = { { 1 }, { 2 } };
  uint64_t expected;
  uint8_t *sealed, *out;
  size_t n, opened, done, segments;
  bool ended;
  EegAeadPiece pieces[2] = { { data, cut % (size + 1) }, { NULL, 0 } };
  EegAeadReader reader = { pieces, 2, 0 };

  pieces[1].data = data + pieces[0].size;
  pieces[1].size = size - pieces[0].size;
  if (!eeg_tink_sealed_size (size, segment_size, &expected))
    abort ();
  sealed = malloc (expected);
  out = malloc (expected);
  n = eeg_tink_seal (seal, &header, segment_size, 0, true, &reader, size,
      sealed);
  if (n + EEG_TINK_HEADER_SIZE != expected)
    abort ();

  pieces[0].size = cut % (n + 1);
  pieces[0].data = sealed;
  pieces[1].data = sealed + pieces[0].size;
  pieces[1].size = n - pieces[0].size;
  reader = (EegAeadReader){ pieces, 2, 0 };
  if (eeg_tink_open (open, &header, segment_size, 0, true, &reader, n, out,
          &opened, &ended)
          != n
      || !ended || opened != size || memcmp (out, data, size) != 0)
    abort ();

  damage %= n;
  sealed[damage] ^= 0x80;
  reader = (EegAeadReader){ pieces, 2, 0 };
  done = eeg_tink_open (open, &header, segment_size, 0, true, &reader, n, out,
      &opened, &ended);
  segments = (damage + EEG_TINK_HEADER_SIZE) / segment_size;
  if (done
          != (segments == 0 ? 0
                            : segments * segment_size - EEG_TINK_HEADER_SIZE)
      || opened != done - segments * EEG_AEAD_TAG_SIZE
      || memcmp (out, data, opened) != 0)
    abort ();
  free (sealed);
  free (out);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  uint32_t segment_size;

  if (size < 5)
    return 0;
  segment_size = EEG_TINK_MIN_SEGMENT_SIZE + data[0];
  read_file (segment_size, data + 5, size - 5);
  round_trip (segment_size, data[1] | data[2] << 8, data[3] | data[4] << 8,
      data + 5, size - 5);
  return 0;
}
