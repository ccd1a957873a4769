/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a zstd frame ends: found by walking its block headers, without decoding
 * anything (RFC 8878 section 3.1.1). And the seek table of the seekable format,
 * version 0.1.0, which plain decoders skip.
 */
#ifndef EEG_ZSTDFRAME_H
#define EEG_ZSTDFRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EEG_ZSTDFRAME_MAGIC 0xFD2FB528u
#define EEG_ZSTDFRAME_SKIPPABLE 0x184D2A50u /* to ...5F */
#define EEG_ZSTDFRAME_SIZE_UNKNOWN UINT64_MAX

typedef enum
{
  EEG_ZSTDFRAME_OK,
  EEG_ZSTDFRAME_MORE, /* needs `need` bytes in all to go on */
  EEG_ZSTDFRAME_BAD
} EegZstdframeResult;

typedef struct
{
  bool skippable;
  uint64_t content_size; /* or EEG_ZSTDFRAME_SIZE_UNKNOWN */
  uint64_t window_size;
  uint64_t skip_size; /* of a skippable frame, with its header */
  size_t header_size;
  bool has_checksum;
} EegZstdframeHeader;

/* Reads the header at the start of a frame. */
EegZstdframeResult eeg_zstdframe_read_header (const uint8_t *data, size_t size,
    EegZstdframeHeader *header, size_t *need);

/* Walks on from `*pos`, which is the header's size at first and is kept between
 * calls. OK: the frame is `*pos` bytes long. */
EegZstdframeResult eeg_zstdframe_walk (const uint8_t *data, size_t size,
    const EegZstdframeHeader *header, size_t *pos, size_t *need);

/* Distance to the next frame's magic number at `from` or behind; `size` if
 * there is none. */
size_t eeg_zstdframe_find (const uint8_t *data, size_t size, size_t from);

#endif /* EEG_ZSTDFRAME_H */
