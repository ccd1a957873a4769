/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where an LZ4 frame ends: found by walking its block sizes, without decoding
 * anything (lz4_Frame_format.md 1.6.2).
 */
#ifndef EEG_LZ4WALK_H
#define EEG_LZ4WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EEG_LZ4WALK_SIZE_UNKNOWN UINT64_MAX

typedef enum
{
  EEG_LZ4WALK_OK,
  EEG_LZ4WALK_MORE, /* needs `need` bytes in all to go on */
  EEG_LZ4WALK_BAD
} EegLz4walkResult;

typedef struct
{
  bool skippable;
  uint64_t skip_size;    /* of a skippable frame, with its header */
  uint64_t content_size; /* or EEG_LZ4WALK_SIZE_UNKNOWN */
  size_t header_size;
  uint32_t max_block;
  bool block_checksums;
  bool content_checksum;
} EegLz4walkHeader;

/* Reads the header at the start of a frame. */
EegLz4walkResult eeg_lz4walk_read_header (const uint8_t *data, size_t size,
    EegLz4walkHeader *header, size_t *need);

/* Walks on from `*pos`, 0 at first and kept between calls. OK: the frame is
 * `*pos` bytes long. */
EegLz4walkResult eeg_lz4walk_walk (const uint8_t *data, size_t size,
    const EegLz4walkHeader *header, size_t *pos, size_t *need);

#endif /* EEG_LZ4WALK_H */
