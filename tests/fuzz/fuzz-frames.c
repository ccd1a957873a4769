/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The walkers of zstd and LZ4 frames: whatever the bytes, they stay inside, and
 * what they find does not depend on how much was there when they began. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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

typedef struct
{
  const uint8_t *data;
  size_t size;
} Bytes;

/* Never all that is asked for, as a file system may do. */
static ssize_t
read_bytes (void *user_data, uint8_t *data, size_t size, uint64_t at)
{
  const Bytes *bytes = user_data;
  size_t left;

  if (at >= bytes->size)
    return 0;
  left = bytes->size - (size_t) at;
  size = size < left ? size : left;
  size = size < 5 ? size : size - size / 3;
  memcpy (data, bytes->data + at, size);
  return (ssize_t) size;
}

/* A reader finds the same as the walker, through whatever window. */
static void
read_zstd (const uint8_t *data, size_t size, size_t capacity)
{
  Bytes bytes = { data, size };
  EegZstdframeReader reader;
  EegZstdframeEntry entry;
  EegZstdframeResult result;
  uint8_t *window = malloc (capacity);
  size_t at = 0;

  if (window == NULL)
    return;
  eeg_zstdframe_reader_init (&reader, read_bytes, &bytes, size, window,
      capacity);
  do {
    EegZstdframeHeader header;
    size_t need, pos = 0;
    EegZstdframeResult walked =
        eeg_zstdframe_read_header (data + at, size - at, &header, &need);

    if (walked == EEG_ZSTDFRAME_OK && header.skippable) {
      if (header.skip_size > size - at)
        walked = EEG_ZSTDFRAME_MORE;
      pos = (size_t) header.skip_size;
    } else if (walked == EEG_ZSTDFRAME_OK) {
      walked = eeg_zstdframe_walk (data + at, size - at, &header, &pos, &need);
    }
    result = eeg_zstdframe_reader_next (&reader, &entry);
    if (result != walked)
      abort ();
    if (result != EEG_ZSTDFRAME_OK)
      break;
    if (entry.size != pos || reader.at != at + pos
        || entry.skippable != header.skippable)
      abort ();
    if (entry.has_checksum
        && entry.checksum
            != (data[at + pos - 4] | data[at + pos - 3] << 8
                | data[at + pos - 2] << 16
                | (uint32_t) data[at + pos - 1] << 24))
      abort ();
    at += pos;
  } while (1);
  free (window);
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
  read_zstd (data, size, EEG_ZSTDFRAME_MIN_WINDOW);
  read_zstd (data, size, 1000);
  walk_lz4 (data, size);
  return 0;
}
