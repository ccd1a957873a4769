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

/* Six bytes, which is what a hash is made of. */
static uint64_t
load_bytes (const uint8_t *p)
{
  uint64_t v = 0;

  for (int i = 0; i < 6; i++)
    v |= (uint64_t) p[i] << (8 * i);
  return v;
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

static bool
take_memory (size_t *left, size_t size)
{
  if (size > *left)
    return false;
  *left -= size;
  return true;
}

static bool
text_fits (const char *text, size_t *left)
{
  return take_memory (left, (text != NULL ? strlen (text) : 0) + 1);
}

/* Would the parser take it? The same limits, counted the same way. */
static bool
stream_fits (const eeg_eegpack_stream *s, size_t *left)
{
  if (!eeg_eegpack_block_fits (s->format, s->channels, s->max_frames)
      || s->rate_num == 0 || s->rate_num > INT32_MAX || s->rate_den == 0
      || s->rate_den > INT32_MAX || s->n_columns > EEG_EEGPACK_MAX_NAMES
      || s->n_properties > EEG_EEGPACK_MAX_NAMES)
    return false;
  for (uint32_t c = 0; c < s->n_columns; c++)
    for (uint32_t i = 0; i < s->channels; i++)
      if (!take_memory (left, EEG_EEGPACK_VALUE_OVERHEAD)
          || !text_fits (s->columns[c].values[i], left))
        return false;
  for (uint32_t p = 0; p < s->n_properties; p++) {
    const eeg_eegpack_property *property = &s->properties[p];

    if (property->type == EEG_EEGPACK_TEXTS
        && (property->n_texts > EEG_EEGPACK_MAX_CHANNELS
            || !take_memory (left,
                (size_t) property->n_texts * EEG_EEGPACK_VALUE_OVERHEAD)))
      return false;
    if (property->type == EEG_EEGPACK_BYTES
        && !take_memory (left, property->n_bytes))
      return false;
  }
  return true;
}

bool
eeg_eegpack_write_header (eeg_eegpack_buffer *b,
    const eeg_eegpack_header *header)
{
  static const uint8_t version[2] = { EEG_EEGPACK_VERSION, 0 };
  size_t at, left = EEG_EEGPACK_MAX_UNFOLDED;

  if (header->n_streams < 1 || header->n_streams > EEG_EEGPACK_MAX_STREAMS)
    return false;
  for (uint32_t i = 0; i < header->n_streams; i++)
    if (!stream_fits (&header->streams[i], &left))
      return false;
  put (b, EEG_EEGPACK_MAGIC, EEG_EEGPACK_MAGIC_SIZE);
  at = open_chunk (b, EEG_EEGPACK_CHUNK_HEADER);
  put (b, version, sizeof version);
  put_varint (b, header->n_streams);
  for (uint32_t i = 0; i < header->n_streams; i++) {
    const eeg_eegpack_stream *s = &header->streams[i];
    uint8_t kind[2] = { (uint8_t) s->format, s->voltage };

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
        case EEG_EEGPACK_BYTES:
          eeg_eegpack_fold (b, property->bytes, property->n_bytes);
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
eeg_eegpack_put_marker (eeg_eegpack_buffer *b, const eeg_eegpack_marker *marker)
{
  const size_t most = EEG_EEGPACK_MAX_MARKERS / 4;
  size_t size = marker->text_size;

  if (size > most) {
    size = most;
    /* not within a character */
    while (size > 0 && (marker->text[size] & 0xc0) == 0x80)
      size--;
  }
  put_varint (b,
      marker->stream == EEG_EEGPACK_NO_STREAM ? 0
                                              : (uint64_t) marker->stream + 1);
  put_signed (b, marker->time);
  put_varint (b, marker->duration < 0 ? 0 : (uint64_t) marker->duration + 1);
  put_varint (b, size);
  put (b, marker->text, size);
  return !b->failed;
}

bool
eeg_eegpack_write_markers (eeg_eegpack_buffer *b,
    const eeg_eegpack_marker *markers, size_t n)
{
  const size_t full = EEG_EEGPACK_MAX_MARKERS / 2;

  while (n > 0) {
    size_t at = open_chunk (b, EEG_EEGPACK_CHUNK_MARKERS);

    for (; n > 0 && b->size - at < full; n--, markers++)
      if (!eeg_eegpack_put_marker (b, markers))
        return false;
    if (!close_chunk (b, at, EEG_EEGPACK_MAX_MARKERS))
      return false;
  }
  return !b->failed;
}

/* ---- folding ---- */

#define MIN_MATCH 6
#define HASH_BITS 12

static uint32_t
hash_of (const uint8_t *p)
{
  uint64_t v = load_bytes (p);

  return (uint32_t) (v * UINT64_C (0x9e3779b97f4a7c15) >> (64 - HASH_BITS));
}

void
eeg_eegpack_fold (eeg_eegpack_buffer *b, const uint8_t *data, size_t size)
{
  size_t last[1 << HASH_BITS]; /* place + 1 where such bytes stood last */
  size_t at = 0, done = 0;

  memset (last, 0, sizeof last);
  put_varint (b, size);
  while (at + MIN_MATCH <= size) {
    size_t *place = &last[hash_of (data + at)];
    size_t from = *place, length = 0;

    *place = at + 1;
    if (from > 0)
      while (at + length < size && length < EEG_EEGPACK_MAX_MATCH
          && data[from - 1 + length] == data[at + length])
        length++;
    if (length < MIN_MATCH) {
      at++;
      continue;
    }
    put_varint (b, at - done);
    put (b, data + done, at - done);
    put_varint (b, length);
    put_varint (b, at - (from - 1));
    at += length;
    done = at;
  }
  if (done < size) {
    put_varint (b, size - done);
    put (b, data + done, size - done);
  }
}

static int64_t
subtract (int64_t a, int64_t b)
{
  return (int64_t) ((uint64_t) a - (uint64_t) b);
}

bool
eeg_eegpack_write_records (eeg_eegpack_buffer *b,
    const eeg_eegpack_record *records, size_t n)
{
  /* numbers before each, at most */
  const size_t head = 60;
  eeg_eegpack_buffer inside = { 0 };
  bool ok = true;

  while (n > 0 && ok) {
    eeg_eegpack_record last = { 0 };
    size_t at;

    last.number = UINT64_MAX;
    inside.size = 0;
    for (; n > 0; n--, records++) {
      size_t size = records->annotations_size + records->markers_size + head;
      int64_t step = subtract (records->time, last.time);

      if (size > EEG_EEGPACK_MAX_RECORDS / 2)
        continue;
      if (inside.size + size > EEG_EEGPACK_MAX_RECORDS / 2)
        break;
      put_varint (&inside, records->number - last.number - 1);
      put_signed (&inside, subtract (step, last.step));
      put_varint (&inside, records->annotations_size);
      if (records->annotations != NULL) {
        put_varint (&inside, 0);
        put (&inside, records->annotations, records->annotations_size);
      } else {
        put_varint (&inside, 1);
        put_signed (&inside, subtract (records->onset, records->time));
      }
      last = *records;
      last.step = step;
      put_varint (&inside, records->markers_size);
      put (&inside, records->markers, records->markers_size);
    }
    if (inside.size == 0)
      break;
    at = open_chunk (b, EEG_EEGPACK_CHUNK_RECORDS);
    eeg_eegpack_fold (b, inside.data, inside.size);
    ok = !inside.failed && close_chunk (b, at, EEG_EEGPACK_MAX_MARKERS);
  }
  ok = ok && !inside.failed;
  eeg_eegpack_buffer_clear (&inside);
  return ok;
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
