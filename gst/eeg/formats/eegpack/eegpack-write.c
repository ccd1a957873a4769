/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "eegpack.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t sync_bytes[3] = { 0xb5, 'E', 'P' };

void
eeg_eegpack_buffer_clear (eeg_eegpack_buffer *b)
{
  free (b->data);
  memset (b, 0, sizeof *b);
}

static void
put (eeg_eegpack_buffer *b, const void *data, size_t size)
{
  if (b->failed)
    return;
  if (size > b->room - b->size) {
    size_t room = b->room + b->room / 2 + size + 256;
    uint8_t *grown = realloc (b->data, room);

    if (grown == NULL) {
      b->failed = true;
      return;
    }
    b->data = grown;
    b->room = room;
  }
  if (size > 0)
    memcpy (b->data + b->size, data, size);
  b->size += size;
}

static size_t
varint (uint8_t out[10], uint64_t v)
{
  size_t n = 0;

  for (; v > 127; v >>= 7)
    out[n++] = (uint8_t) (v | 128);
  out[n++] = (uint8_t) v;
  return n;
}

static void
put_varint (eeg_eegpack_buffer *b, uint64_t v)
{
  uint8_t bytes[10];

  put (b, bytes, varint (bytes, v));
}

static void
put_signed (eeg_eegpack_buffer *b, int64_t v)
{
  put_varint (b, (uint64_t) v << 1 ^ (uint64_t) (v >> 63));
}

static void
put_text (eeg_eegpack_buffer *b, const char *text)
{
  size_t size = text != NULL ? strlen (text) : 0;

  put_varint (b, size);
  put (b, text, size);
}

static void
store_u32 (uint8_t *p, uint32_t v)
{
  for (int i = 0; i < 4; i++)
    p[i] = (uint8_t) (v >> (8 * i));
}

static void
store_u64 (uint8_t *p, uint64_t v)
{
  store_u32 (p, (uint32_t) v);
  store_u32 (p + 4, (uint32_t) (v >> 32));
}

static size_t
open_chunk (eeg_eegpack_buffer *b, eeg_eegpack_chunk_type type)
{
  size_t at = b->size;
  uint8_t head[EEG_EEGPACK_CHUNK_HEAD] = { 0 };

  memcpy (head, sync_bytes, sizeof sync_bytes);
  head[3] = (uint8_t) type;
  put (b, head, sizeof head);
  return at;
}

static bool
close_chunk (eeg_eegpack_buffer *b, size_t at, size_t most)
{
  uint8_t crc[4];
  size_t size = b->size - at - EEG_EEGPACK_CHUNK_HEAD;

  if (b->failed || size > most)
    return false;
  store_u32 (b->data + at + 4, (uint32_t) size);
  store_u32 (crc,
      eeg_eegpack_crc32c (0, b->data + at, size + EEG_EEGPACK_CHUNK_HEAD));
  put (b, crc, sizeof crc);
  return !b->failed;
}

/* Runs of equal values; each value by what it shares with the one before. */
static void
put_column (eeg_eegpack_buffer *b, const eeg_eegpack_column *column,
    uint32_t channels)
{
  const char *before = "";

  put_text (b, column->name);
  for (uint32_t c = 0; c < channels;) {
    const char *value = column->values[c];
    uint32_t run = 1;
    size_t shared = 0, size = strlen (value);

    while (c + run < channels && strcmp (column->values[c + run], value) == 0)
      run++;
    while (value[shared] != '\0' && value[shared] == before[shared])
      shared++;
    put_varint (b, run - 1);
    put_varint (b, shared);
    put_varint (b, size - shared);
    put (b, value + shared, size - shared);
    before = value;
    c += run;
  }
}

bool
eeg_eegpack_write_header (eeg_eegpack_buffer *b,
    const eeg_eegpack_header *header)
{
  static const uint8_t version[2] = { EEG_EEGPACK_VERSION, 0 };
  size_t at;

  if (header->n_streams < 1 || header->n_streams > EEG_EEGPACK_MAX_STREAMS)
    return false;
  put (b, EEG_EEGPACK_MAGIC, EEG_EEGPACK_MAGIC_SIZE);
  at = open_chunk (b, EEG_EEGPACK_CHUNK_HEADER);
  put (b, version, sizeof version);
  put_varint (b, header->n_streams);
  for (uint32_t i = 0; i < header->n_streams; i++) {
    const eeg_eegpack_stream *s = &header->streams[i];
    uint8_t kind[2] = { (uint8_t) s->format, s->voltage };

    if (!eeg_eegpack_block_fits (s->format, s->channels, s->max_frames)
        || s->rate_num == 0 || s->rate_den == 0)
      return false;
    put (b, kind, sizeof kind);
    put_varint (b, s->rate_num);
    put_varint (b, s->rate_den);
    put_varint (b, s->channels);
    put_varint (b, s->max_frames);
    put_varint (b, s->n_columns);
    for (uint32_t c = 0; c < s->n_columns; c++)
      put_column (b, &s->columns[c], s->channels);
    put_varint (b, s->n_properties);
    for (uint32_t p = 0; p < s->n_properties; p++) {
      const eeg_eegpack_property *property = &s->properties[p];
      uint8_t type = (uint8_t) property->type;

      put_text (b, property->name);
      put (b, &type, 1);
      switch (property->type) {
        case EEG_EEGPACK_TEXT:
          put_text (b, property->text);
          break;
        case EEG_EEGPACK_NUMBER:
          put_signed (b, property->number);
          break;
        case EEG_EEGPACK_TEXTS:
          put_varint (b, property->n_texts);
          for (uint32_t t = 0; t < property->n_texts; t++)
            put_text (b, property->texts[t]);
          break;
      }
    }
  }
  return close_chunk (b, at, EEG_EEGPACK_MAX_HEADER);
}

size_t
eeg_eegpack_open_data (uint8_t *out, uint32_t stream, uint64_t first,
    uint32_t frames)
{
  size_t n = EEG_EEGPACK_CHUNK_HEAD;

  memcpy (out, sync_bytes, sizeof sync_bytes);
  out[3] = EEG_EEGPACK_CHUNK_DATA;
  n += varint (out + n, stream);
  n += varint (out + n, first);
  n += varint (out + n, frames);
  return n;
}

size_t
eeg_eegpack_close_data (uint8_t *out, size_t block_at, size_t block_size)
{
  size_t size = block_at + block_size;

  store_u32 (out + 4, (uint32_t) (size - EEG_EEGPACK_CHUNK_HEAD));
  store_u32 (out + size, eeg_eegpack_crc32c (0, out, size));
  return size + EEG_EEGPACK_CHUNK_TAIL;
}

bool
eeg_eegpack_write_markers (eeg_eegpack_buffer *b,
    const eeg_eegpack_marker *markers, size_t n)
{
  const size_t full = EEG_EEGPACK_MAX_MARKERS / 2;

  while (n > 0) {
    size_t at = open_chunk (b, EEG_EEGPACK_CHUNK_MARKERS);

    for (; n > 0 && b->size - at < full; n--, markers++) {
      size_t size = markers->text_size;

      if (size > full / 2) {
        size = full / 2;
        /* not within a character */
        while (size > 0 && (markers->text[size] & 0xc0) == 0x80)
          size--;
      }
      put_varint (b,
          markers->stream == EEG_EEGPACK_NO_STREAM
              ? 0
              : (uint64_t) markers->stream + 1);
      put_signed (b, markers->time);
      put_varint (b,
          markers->duration < 0 ? 0 : (uint64_t) markers->duration + 1);
      put_varint (b, size);
      put (b, markers->text, size);
      if (b->failed)
        return false;
    }
    if (!close_chunk (b, at, EEG_EEGPACK_MAX_MARKERS))
      return false;
  }
  return !b->failed;
}

bool
eeg_eegpack_write_index (eeg_eegpack_buffer *b, uint64_t previous,
    const uint64_t *totals, uint32_t n_streams,
    const eeg_eegpack_entry *entries, size_t n)
{
  size_t at = open_chunk (b, EEG_EEGPACK_CHUNK_INDEX);
  uint64_t offset = 0;

  put_varint (b, previous);
  put_varint (b, n_streams);
  for (uint32_t i = 0; i < n_streams; i++)
    put_varint (b, totals[i]);
  for (size_t i = 0; i < n; i++) {
    put_varint (b, entries[i].stream);
    put_varint (b, entries[i].offset - offset);
    put_varint (b, entries[i].first);
    put_varint (b, entries[i].frames);
    offset = entries[i].offset;
  }
  return close_chunk (b, at, EEG_EEGPACK_MAX_INDEX);
}

bool
eeg_eegpack_write_end (eeg_eegpack_buffer *b, uint64_t index, uint64_t offset)
{
  size_t at = open_chunk (b, EEG_EEGPACK_CHUNK_END);
  uint8_t payload[16];

  store_u64 (payload, index);
  store_u64 (payload + 8, offset);
  put (b, payload, sizeof payload);
  return close_chunk (b, at, sizeof payload);
}
