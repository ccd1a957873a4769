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
#include <sys/types.h>

#define EEG_ZSTDFRAME_MAGIC 0xFD2FB528u
#define EEG_ZSTDFRAME_SKIPPABLE 0x184D2A50u /* to ...5F */
#define EEG_ZSTDFRAME_SIZE_UNKNOWN UINT64_MAX

typedef enum
{
  EEG_ZSTDFRAME_OK,
  EEG_ZSTDFRAME_MORE, /* needs `need` bytes in all to go on */
  EEG_ZSTDFRAME_BAD,
  EEG_ZSTDFRAME_IO /* only of a reader: see errno */
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

/* Reads at most `size` bytes from `at` on, as pread() does: returns how many, 0
 * at the end, or -1 with errno set. */
typedef ssize_t (*EegZstdframeRead) (void *user_data, uint8_t *data,
    size_t size, uint64_t at);

/* Goes from frame to frame of what need not be in memory. All but `at` is for
 * its functions. */
typedef struct
{
  EegZstdframeRead read;
  void *user_data;
  uint64_t at;  /* of the next frame */
  uint64_t end; /* no byte is read from here on */
  uint8_t *window;
  size_t capacity;
  uint64_t window_at;
  size_t window_size;
} EegZstdframeReader;

typedef struct
{
  bool skippable;
  uint64_t size;         /* of the frame */
  uint64_t content_size; /* or EEG_ZSTDFRAME_SIZE_UNKNOWN; 0 if skippable */
  bool has_checksum;
  uint32_t checksum; /* the low half of the XXH64 of the content */
} EegZstdframeEntry;

/* Fewest bytes of a window; frames may be much larger. */
#define EEG_ZSTDFRAME_MIN_WINDOW 32

/* Of `capacity` bytes that are the caller's as long as the reader is used. */
void eeg_zstdframe_reader_init (EegZstdframeReader *reader,
    EegZstdframeRead read, void *user_data, uint64_t end, uint8_t *window,
    size_t capacity);

/* The frame at `reader->at`, which then is where the next one begins. MORE: it
 * does not end before `reader->end`. */
EegZstdframeResult eeg_zstdframe_reader_next (EegZstdframeReader *reader,
    EegZstdframeEntry *entry);

/* Distance to the next frame's magic number at `from` or behind; `size` if
 * there is none. */
size_t eeg_zstdframe_find (const uint8_t *data, size_t size, size_t from);

#endif /* EEG_ZSTDFRAME_H */
