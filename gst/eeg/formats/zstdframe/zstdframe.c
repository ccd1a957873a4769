/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zstdframe.h"

static uint32_t
read_le32 (const uint8_t *p)
{
  return p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16
      | (uint32_t) p[3] << 24;
}

static uint64_t
read_le (const uint8_t *p, size_t size)
{
  uint64_t value = 0;

  while (size > 0)
    value = value << 8 | p[--size];
  return value;
}

EegZstdframeResult
eeg_zstdframe_read_header (const uint8_t *data, size_t size,
    EegZstdframeHeader *header, size_t *need)
{
  static const uint8_t dictionary_sizes[] = { 0, 1, 2, 4 };
  static const uint8_t content_sizes[] = { 0, 2, 4, 8 };
  uint8_t descriptor;
  size_t dictionary, content, window, pos;
  bool single_segment;
  uint32_t magic;

  *need = 5;
  if (size < 5)
    return EEG_ZSTDFRAME_MORE;
  magic = read_le32 (data);
  *header = (EegZstdframeHeader){ .content_size = EEG_ZSTDFRAME_SIZE_UNKNOWN };
  if ((magic & 0xFFFFFFF0u) == EEG_ZSTDFRAME_SKIPPABLE) {
    *need = 8;
    if (size < 8)
      return EEG_ZSTDFRAME_MORE;
    header->skippable = true;
    header->skip_size = 8ull + read_le32 (data + 4);
    return EEG_ZSTDFRAME_OK;
  }
  if (magic != EEG_ZSTDFRAME_MAGIC)
    return EEG_ZSTDFRAME_BAD;

  descriptor = data[4];
  if (descriptor & 0x08) /* reserved */
    return EEG_ZSTDFRAME_BAD;
  single_segment = descriptor & 0x20;
  dictionary = dictionary_sizes[descriptor & 3];
  content = content_sizes[descriptor >> 6];
  if (content == 0 && single_segment)
    content = 1;
  window = single_segment ? 0 : 1;
  header->has_checksum = descriptor & 0x04;
  header->header_size = 5 + window + dictionary + content;
  *need = header->header_size;
  if (size < header->header_size)
    return EEG_ZSTDFRAME_MORE;

  pos = 5;
  if (window > 0) {
    unsigned exponent = data[pos] >> 3, mantissa = data[pos] & 7;
    uint64_t base = 1ull << (10 + exponent);

    header->window_size = base + base / 8 * mantissa;
    pos++;
  }
  pos += dictionary;
  if (content > 0) {
    header->content_size = read_le (data + pos, content);
    if (content == 2)
      header->content_size += 256;
    if (header->content_size == EEG_ZSTDFRAME_SIZE_UNKNOWN)
      return EEG_ZSTDFRAME_BAD;
  }
  if (single_segment)
    header->window_size = header->content_size;
  return EEG_ZSTDFRAME_OK;
}

EegZstdframeResult
eeg_zstdframe_walk (const uint8_t *data, size_t size,
    const EegZstdframeHeader *header, size_t *pos, size_t *need)
{
  if (*pos < header->header_size)
    *pos = header->header_size;
  for (;;) {
    uint32_t block;
    size_t end;

    *need = *pos + 3;
    if (size < *need)
      return EEG_ZSTDFRAME_MORE;
    block = (uint32_t) read_le (data + *pos, 3);
    end = *pos + 3;
    switch (block >> 1 & 3) {
      case 0: /* raw */
      case 2: /* compressed */
        end += block >> 3;
        break;
      case 1: /* one byte repeated */
        end += 1;
        break;
      default:
        return EEG_ZSTDFRAME_BAD;
    }
    if (block & 1) {
      end += header->has_checksum ? 4 : 0;
      *need = end;
      if (size < end)
        return EEG_ZSTDFRAME_MORE;
      *pos = end;
      return EEG_ZSTDFRAME_OK;
    }
    *pos = end;
  }
}

size_t
eeg_zstdframe_find (const uint8_t *data, size_t size, size_t from)
{
  for (; from + 4 <= size; from++)
    if (data[from] == 0x28 && read_le32 (data + from) == EEG_ZSTDFRAME_MAGIC)
      return from;
  return size;
}
