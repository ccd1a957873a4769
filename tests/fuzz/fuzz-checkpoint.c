/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sidecars of checkpoints: any bytes are refused or read, and what was read is
 * written as the same bytes again. A second try sets the size and the checksum
 * right, so that the fields behind them are reached. */

#include <stdlib.h>
#include <string.h>

#include "checkpoint.h"
#include "digest.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check (const uint8_t *data, size_t size)
{
  EegCheckpoint *checkpoint;
  uint8_t *again;
  size_t again_size;

  if (eeg_checkpoint_parse (data, size, &checkpoint) != EEG_CHECKPOINT_OK) {
    if (checkpoint != NULL)
      abort ();
    return;
  }
  /* bytes 8 to 11, the formats, may be those of another writer */
  if (eeg_checkpoint_format (checkpoint, &again, &again_size)
          != EEG_CHECKPOINT_OK
      || again_size != size || memcmp (again + 12, data + 12, size - 44) != 0)
    abort ();
  free (again);
  eeg_checkpoint_free (checkpoint);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const EegDigestKernel *kernel = eeg_digest_find ("blake3", NULL);
  uint8_t *copy;
  void *state;

  check (data, size);
  if (size < 48 || size > EEG_CHECKPOINT_MAX_SIZE)
    return 0;
  copy = malloc (size);
  state = malloc (kernel->state_size);
  if (copy == NULL || state == NULL)
    abort ();
  memcpy (copy, data, size);
  for (size_t i = 0; i < 4; i++)
    copy[12 + i] = (uint8_t) (size >> (8 * i));
  kernel->init (state);
  kernel->update (state, copy, size - 32);
  kernel->final (state, copy + size - 32);
  check (copy, size);
  free (state);
  free (copy);
  return 0;
}
