/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lz4walk.h"

#define MAGIC 0x184D2204u
#define SKIPPABLE 0x184D2A50u /* to ...5F */

static uint32_t
read_le32 (const uint8_t *p)
{
  return p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16
      | (uint32_t) p[3] << 24;
}

EegLz4walkResult
eeg_lz4walk_read_header (const uint8_t *data, size_t size,
    EegLz4walkHeader *header, size_t *need)
{
  uint8_t flags, block;
  uint32_t magic;

  *need = 6;
  if (size < 6)
    return EEG_LZ4WALK_MORE;
  magic = read_le32 (data);
  *header = (EegLz4walkHeader){ .content_size = EEG_LZ4WALK_SIZE_UNKNOWN };
  if ((magic & 0xFFFFFFF0u) == SKIPPABLE) {
    *need = 8;
    if (size < 8)
      return EEG_LZ4WALK_MORE;
    header->skippable = true;
    header->skip_size = 8ull + read_le32 (data + 4);
    return EEG_LZ4WALK_OK;
  }
  flags = data[4];
  block = data[5];
  /* version 1, nothing reserved, a block size that exists */
  if (magic != MAGIC || flags >> 6 != 1 || (flags & 0x02) || (block & 0x8f)
      || block >> 4 < 4)
    return EEG_LZ4WALK_BAD;
  header->max_block = 1u << (2 * (block >> 4) + 8);
  header->block_checksums = flags & 0x10;
  header->content_checksum = flags & 0x04;
  header->header_size = 7u + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0);
  *need = header->header_size;
  if (size < header->header_size)
    return EEG_LZ4WALK_MORE;
  if (flags & 0x08) {
    header->content_size =
        read_le32 (data + 6) | (uint64_t) read_le32 (data + 10) << 32;
    if (header->content_size == EEG_LZ4WALK_SIZE_UNKNOWN)
      return EEG_LZ4WALK_BAD;
  }
  return EEG_LZ4WALK_OK;
}

EegLz4walkResult
eeg_lz4walk_walk (const uint8_t *data, size_t size,
    const EegLz4walkHeader *header, size_t *pos, size_t *need)
{
  if (*pos < header->header_size)
    *pos = header->header_size;
  for (;;) {
    uint32_t block;

    *need = *pos + 4;
    if (size < *need)
      return EEG_LZ4WALK_MORE;
    block = read_le32 (data + *pos);
    if (block == 0) {
      *need = *pos + 4 + (header->content_checksum ? 4 : 0);
      if (size < *need)
        return EEG_LZ4WALK_MORE;
      *pos = *need;
      return EEG_LZ4WALK_OK;
    }
    block &= 0x7fffffffu;
    if (block > header->max_block)
      return EEG_LZ4WALK_BAD;
    *pos += 4 + (size_t) block + (header->block_checksums ? 4 : 0);
  }
}
