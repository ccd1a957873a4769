/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The walkers of zstd and LZ4 frames: whatever the bytes, they stay inside, and
 * what they find does not depend on how much was there when they began. */
#include <stdint.h>
#include <stdlib.h>

#include "lz4walk.h"
#include "zstdframe.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
walk_zstd (const uint8_t *data, size_t size)
{
  EegZstdframeHeader header;
  size_t need, pos = 0, step_pos = 0, have;
  EegZstdframeResult whole, step;

  eeg_zstdframe_find (data, size, 0);
  if (eeg_zstdframe_read_header (data, size, &header, &need) != EEG_ZSTDFRAME_OK
      || header.skippable)
    return;
  whole = eeg_zstdframe_walk (data, size, &header, &pos, &need);
  if (whole == EEG_ZSTDFRAME_OK && pos > size)
    abort ();
  if (whole == EEG_ZSTDFRAME_MORE && need <= size)
    abort ();
  have = header.header_size;
  do {
    step = eeg_zstdframe_walk (data, have, &header, &step_pos, &need);
    if (step != EEG_ZSTDFRAME_MORE || need > size)
      break;
    have = need;
  } while (1);
  if (step != whole || step_pos != pos)
    abort ();
}

static void
walk_lz4 (const uint8_t *data, size_t size)
{
  EegLz4walkHeader header;
  size_t need, pos = 0, step_pos = 0, have;
  EegLz4walkResult whole, step;

  if (eeg_lz4walk_read_header (data, size, &header, &need) != EEG_LZ4WALK_OK
      || header.skippable)
    return;
  whole = eeg_lz4walk_walk (data, size, &header, &pos, &need);
  if (whole == EEG_LZ4WALK_OK && pos > size)
    abort ();
  if (whole == EEG_LZ4WALK_MORE && need <= size)
    abort ();
  have = header.header_size;
  do {
    step = eeg_lz4walk_walk (data, have, &header, &step_pos, &need);
    if (step != EEG_LZ4WALK_MORE || need > size)
      break;
    have = need;
  } while (1);
  if (step != whole || step_pos != pos)
    abort ();
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  walk_zstd (data, size);
  walk_lz4 (data, size);
  return 0;
}
