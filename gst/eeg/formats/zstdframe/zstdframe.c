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

/* Bytes of the block whose header is at `p`, with that; 0 if there is none like
 * it. */
static size_t
read_block (const uint8_t *p, bool *is_last)
{
  uint32_t header = (uint32_t) read_le (p, 3);

  *is_last = header & 1;
  switch (header >> 1 & 3) {
    case 0: /* raw */
    case 2: /* compressed */
      return 3 + (header >> 3);
    case 1: /* one byte repeated */
      return 3 + 1;
    default:
      return 0;
  }
}

EegZstdframeResult
eeg_zstdframe_walk (const uint8_t *data, size_t size,
    const EegZstdframeHeader *header, size_t *pos, size_t *need)
{
  if (*pos < header->header_size)
    *pos = header->header_size;
  for (;;) {
    size_t block, end;
    bool is_last;

    *need = *pos + 3;
    if (size < *need)
      return EEG_ZSTDFRAME_MORE;
    block = read_block (data + *pos, &is_last);
    if (block == 0)
      return EEG_ZSTDFRAME_BAD;
    end = *pos + block;
    if (is_last) {
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

void
eeg_zstdframe_reader_init (EegZstdframeReader *reader, EegZstdframeRead read,
    void *user_data, uint64_t end, uint8_t *window, size_t capacity)
{
  *reader = (EegZstdframeReader){ .read = read,
    .user_data = user_data,
    .end = end,
    .window = window,
    .capacity = capacity };
}

/* Bytes from `at` on, at least `size` of them or all that there are. */
static EegZstdframeResult
fill_window (EegZstdframeReader *reader, uint64_t at, size_t size,
    const uint8_t **data, size_t *available)
{
  uint64_t left = at < reader->end ? reader->end - at : 0;

  if (size > left)
    size = (size_t) left;
  if (at < reader->window_at
      || at + size > reader->window_at + reader->window_size) {
    size_t want = left < reader->capacity ? (size_t) left : reader->capacity;

    reader->window_at = at;
    reader->window_size = 0;
    while (reader->window_size < want) {
      ssize_t n =
          reader->read (reader->user_data, reader->window + reader->window_size,
              want - reader->window_size, at + reader->window_size);

      if (n < 0)
        return EEG_ZSTDFRAME_IO;
      if (n == 0)
        break;
      reader->window_size += (size_t) n;
    }
  }
  *data = reader->window + (at - reader->window_at);
  *available = (size_t) (reader->window_at + reader->window_size - at);
  return EEG_ZSTDFRAME_OK;
}

/* To the last block's end. */
static EegZstdframeResult
walk_blocks (EegZstdframeReader *reader, uint64_t *at)
{
  EegZstdframeResult result;
  const uint8_t *data;
  size_t available, block;
  bool is_last;

  do {
    result = fill_window (reader, *at, 3, &data, &available);
    if (result != EEG_ZSTDFRAME_OK)
      return result;
    if (available < 3)
      return EEG_ZSTDFRAME_MORE;
    block = read_block (data, &is_last);
    if (block == 0)
      return EEG_ZSTDFRAME_BAD;
    *at += block;
  } while (!is_last);
  return EEG_ZSTDFRAME_OK;
}

EegZstdframeResult
eeg_zstdframe_reader_next (EegZstdframeReader *reader, EegZstdframeEntry *entry)
{
  EegZstdframeHeader header;
  EegZstdframeResult result;
  uint64_t at = reader->at;
  const uint8_t *data;
  size_t available, need;

  *entry = (EegZstdframeEntry){ 0 };
  result =
      fill_window (reader, at, EEG_ZSTDFRAME_MIN_WINDOW, &data, &available);
  if (result == EEG_ZSTDFRAME_OK)
    result = eeg_zstdframe_read_header (data, available, &header, &need);
  if (result != EEG_ZSTDFRAME_OK)
    return result;
  entry->skippable = header.skippable;
  if (header.skippable) {
    at += header.skip_size;
  } else {
    entry->content_size = header.content_size;
    entry->has_checksum = header.has_checksum;
    at += header.header_size;
    result = walk_blocks (reader, &at);
    if (result == EEG_ZSTDFRAME_OK && header.has_checksum) {
      result = fill_window (reader, at, 4, &data, &available);
      if (result == EEG_ZSTDFRAME_OK && available < 4)
        result = EEG_ZSTDFRAME_MORE;
      if (result == EEG_ZSTDFRAME_OK)
        entry->checksum = read_le32 (data);
      at += 4;
    }
    if (result != EEG_ZSTDFRAME_OK)
      return result;
  }
  if (at > reader->end)
    return EEG_ZSTDFRAME_MORE;
  entry->size = at - reader->at;
  reader->at = at;
  return EEG_ZSTDFRAME_OK;
}

size_t
eeg_zstdframe_find (const uint8_t *data, size_t size, size_t from)
{
  for (; from + 4 <= size; from++)
    if (data[from] == 0x28 && read_le32 (data + from) == EEG_ZSTDFRAME_MAGIC)
      return from;
  return size;
}
