/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "eegpack.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t sync_bytes[3] = { 0xb5, 'E', 'P' };

/* Bytes that are left; after the first failure nothing more is read. */
typedef struct
{
  const uint8_t *p;
  const uint8_t *end;
  bool bad;
} reader;

static uint8_t
get_byte (reader *r)
{
  if (r->bad || r->p == r->end) {
    r->bad = true;
    return 0;
  }
  return *r->p++;
}

static uint64_t
get_varint (reader *r)
{
  uint64_t v = 0;

  for (unsigned shift = 0; shift < 64; shift += 7) {
    uint8_t byte = get_byte (r);

    if (shift == 63 && byte > 1)
      break;
    v |= (uint64_t) (byte & 127) << shift;
    if (byte < 128)
      return v;
  }
  r->bad = true;
  return 0;
}

static uint32_t
get_limited (reader *r, uint32_t most)
{
  uint64_t v = get_varint (r);

  if (v > most)
    r->bad = true;
  return r->bad ? 0 : (uint32_t) v;
}

static int64_t
get_signed (reader *r)
{
  uint64_t v = get_varint (r);

  return (int64_t) (v >> 1 ^ (0 - (v & 1)));
}

static size_t
bytes_left (const reader *r)
{
  return (size_t) (r->end - r->p);
}

/* A text that begins with `shared` bytes of another; without zero bytes. */
static char *
get_text_after (reader *r, const char *before, size_t shared)
{
  uint64_t size = get_varint (r);
  char *text;

  if (r->bad || size > bytes_left (r)
      || memchr (r->p, 0, (size_t) size) != NULL) {
    r->bad = true;
    return NULL;
  }
  text = malloc (shared + (size_t) size + 1);
  if (text == NULL) {
    r->bad = true;
    return NULL;
  }
  if (shared > 0)
    memcpy (text, before, shared);
  memcpy (text + shared, r->p, (size_t) size);
  text[shared + size] = '\0';
  r->p += size;
  return text;
}

static char *
get_text (reader *r)
{
  return get_text_after (r, NULL, 0);
}

static uint32_t
load_u32 (const uint8_t *p)
{
  return (uint32_t) p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16
      | (uint32_t) p[3] << 24;
}

static uint64_t
load_u64 (const uint8_t *p)
{
  return load_u32 (p) | (uint64_t) load_u32 (p + 4) << 32;
}

/* ---- chunks ---- */

eeg_eegpack_result
eeg_eegpack_get_chunk (const uint8_t *data, size_t size, size_t most,
    eeg_eegpack_chunk *chunk)
{
  size_t known = size < sizeof sync_bytes ? size : sizeof sync_bytes;
  size_t limit;

  memset (chunk, 0, sizeof *chunk);
  if (known > 0 && memcmp (data, sync_bytes, known) != 0)
    return EEG_EEGPACK_BAD;
  chunk->size = EEG_EEGPACK_CHUNK_HEAD;
  if (size < EEG_EEGPACK_CHUNK_HEAD)
    return EEG_EEGPACK_MORE;
  chunk->type = data[3];
  switch (chunk->type) {
    case EEG_EEGPACK_CHUNK_HEADER:
      limit = EEG_EEGPACK_MAX_HEADER;
      break;
    case EEG_EEGPACK_CHUNK_DATA:
      limit = most;
      break;
    case EEG_EEGPACK_CHUNK_INDEX:
      limit = EEG_EEGPACK_MAX_INDEX;
      break;
    case EEG_EEGPACK_CHUNK_END:
      limit = 16;
      break;
    default:
      limit = EEG_EEGPACK_MAX_MARKERS;
      break;
  }
  chunk->payload = data + EEG_EEGPACK_CHUNK_HEAD;
  chunk->payload_size = load_u32 (data + 4);
  if (chunk->payload_size > limit)
    return EEG_EEGPACK_BAD;
  chunk->size =
      EEG_EEGPACK_CHUNK_HEAD + chunk->payload_size + EEG_EEGPACK_CHUNK_TAIL;
  if (size < chunk->size)
    return EEG_EEGPACK_MORE;
  if (eeg_eegpack_crc32c (0, data, chunk->size - EEG_EEGPACK_CHUNK_TAIL)
      != load_u32 (data + chunk->size - EEG_EEGPACK_CHUNK_TAIL))
    return EEG_EEGPACK_BAD;
  return EEG_EEGPACK_OK;
}

size_t
eeg_eegpack_find_chunk (const uint8_t *data, size_t size)
{
  size_t at = 1;

  while (at < size) {
    const uint8_t *p = memchr (data + at, sync_bytes[0], size - at);
    size_t known;

    if (p == NULL)
      return size;
    at = (size_t) (p - data);
    known = size - at < sizeof sync_bytes ? size - at : sizeof sync_bytes;
    if (memcmp (p, sync_bytes, known) == 0)
      return at;
    at++;
  }
  return size;
}

size_t
eeg_eegpack_most_data (const eeg_eegpack_header *header)
{
  size_t most = 0;

  for (uint32_t i = 0; i < header->n_streams; i++) {
    const eeg_eegpack_stream *s = &header->streams[i];
    size_t size = eeg_eegpack_bound (s->format, s->channels, s->max_frames);

    most = size > most ? size : most;
  }
  return most + EEG_EEGPACK_DATA_OVERHEAD;
}

/* ---- header ---- */

static void
clear_texts (char **texts, uint32_t n)
{
  for (uint32_t i = 0; texts != NULL && i < n; i++)
    free (texts[i]);
  free (texts);
}

void
eeg_eegpack_header_free (eeg_eegpack_header *header)
{
  if (header == NULL)
    return;
  for (uint32_t i = 0; i < header->n_streams; i++) {
    eeg_eegpack_stream *s = &header->streams[i];

    for (uint32_t c = 0; c < s->n_columns; c++) {
      free (s->columns[c].name);
      clear_texts (s->columns[c].values, s->channels);
    }
    free (s->columns);
    for (uint32_t p = 0; p < s->n_properties; p++) {
      free (s->properties[p].name);
      free (s->properties[p].text);
      free (s->properties[p].bytes);
      clear_texts (s->properties[p].texts, s->properties[p].n_texts);
    }
    free (s->properties);
  }
  free (header->streams);
  free (header);
}

/* Runs could unfold to far more than stands in the file. */
static bool
take_memory (size_t *unfolded, uint64_t n, size_t size)
{
  if (size > (EEG_EEGPACK_MAX_UNFOLDED - *unfolded) / n)
    return false;
  *unfolded += (size_t) n * size;
  return true;
}

static void
get_column (reader *r, eeg_eegpack_column *column, uint32_t channels,
    size_t *unfolded)
{
  const char *before = "";

  column->name = get_text (r);
  if (r->bad)
    return;
  if (take_memory (unfolded, channels, EEG_EEGPACK_VALUE_OVERHEAD))
    column->values = calloc (channels, sizeof *column->values);
  r->bad = column->values == NULL;
  for (uint32_t c = 0; c < channels && !r->bad;) {
    uint64_t run = get_varint (r), shared = get_varint (r);
    char *value;
    size_t size;

    if (r->bad || run >= channels - c || shared > strlen (before)) {
      r->bad = true;
      return;
    }
    value = get_text_after (r, before, (size_t) shared);
    if (value == NULL)
      return;
    column->values[c++] = value;
    before = value;
    size = strlen (value) + 1;
    if (!take_memory (unfolded, run + 1, size)) {
      r->bad = true;
      return;
    }
    for (; run > 0 && !r->bad; run--) {
      column->values[c] = malloc (size);
      if (column->values[c] == NULL)
        r->bad = true;
      else
        memcpy (column->values[c++], value, size);
    }
  }
}

static void
get_property (reader *r, eeg_eegpack_property *property, size_t *unfolded)
{
  property->name = get_text (r);
  property->type = get_byte (r);
  if (r->bad)
    return;
  switch (property->type) {
    case EEG_EEGPACK_TEXT:
      property->text = get_text (r);
      break;
    case EEG_EEGPACK_NUMBER:
      property->number = get_signed (r);
      break;
    case EEG_EEGPACK_TEXTS: {
      uint32_t n = get_limited (r, EEG_EEGPACK_MAX_CHANNELS);

      /* each has a byte at least, and takes far more in memory */
      if (r->bad || n > bytes_left (r)
          || (n > 0
              && !take_memory (unfolded, n, EEG_EEGPACK_VALUE_OVERHEAD))) {
        r->bad = true;
        return;
      }
      property->texts = calloc (n + 1, sizeof *property->texts);
      if (property->texts == NULL) {
        r->bad = true;
        return;
      }
      property->n_texts = n;
      for (uint32_t i = 0; i < n && !r->bad; i++)
        property->texts[i] = get_text (r);
      break;
    }
    case EEG_EEGPACK_BYTES: {
      size_t at = 0, left = EEG_EEGPACK_MAX_UNFOLDED - *unfolded;

      property->bytes = eeg_eegpack_unfold (r->p, bytes_left (r), &at, left,
          &property->n_bytes);
      r->p += at;
      if (property->bytes == NULL)
        r->bad = true;
      else
        *unfolded += property->n_bytes;
      break;
    }
    default:
      r->bad = true;
      break;
  }
}

static void
get_stream (reader *r, eeg_eegpack_stream *s, size_t *unfolded)
{
  uint32_t n;

  s->format = get_byte (r);
  s->voltage = get_byte (r) & 1;
  s->rate_num = get_limited (r, INT32_MAX);
  s->rate_den = get_limited (r, INT32_MAX);
  s->channels = get_limited (r, EEG_EEGPACK_MAX_CHANNELS);
  s->max_frames = get_limited (r, EEG_EEGPACK_MAX_FRAMES);
  if (r->bad || s->rate_num == 0 || s->rate_den == 0
      || !eeg_eegpack_block_fits (s->format, s->channels, s->max_frames)) {
    r->bad = true;
    return;
  }
  n = get_limited (r, EEG_EEGPACK_MAX_NAMES);
  if (n > 0) {
    s->columns = calloc (n, sizeof *s->columns);
    r->bad = r->bad || s->columns == NULL;
  }
  for (uint32_t c = 0; c < n && !r->bad; c++) {
    s->n_columns = c + 1;
    get_column (r, &s->columns[c], s->channels, unfolded);
  }
  n = r->bad ? 0 : get_limited (r, EEG_EEGPACK_MAX_NAMES);
  if (n > 0) {
    s->properties = calloc (n, sizeof *s->properties);
    r->bad = r->bad || s->properties == NULL;
  }
  for (uint32_t p = 0; p < n && !r->bad; p++) {
    s->n_properties = p + 1;
    get_property (r, &s->properties[p], unfolded);
  }
}

eeg_eegpack_header *
eeg_eegpack_parse_header (const uint8_t *data, size_t size)
{
  reader r;
  eeg_eegpack_header *header;
  size_t unfolded = 0;
  uint32_t n;

  if (size == 0)
    return NULL;
  r = (reader){ data, data + size, false };
  /* a larger second number only adds what older readers may leave alone */
  if (get_byte (&r) != EEG_EEGPACK_VERSION)
    return NULL;
  get_byte (&r);
  n = get_limited (&r, EEG_EEGPACK_MAX_STREAMS);
  if (r.bad || n == 0)
    return NULL;
  header = calloc (1, sizeof *header);
  if (header == NULL)
    return NULL;
  header->streams = calloc (n, sizeof *header->streams);
  r.bad = header->streams == NULL;
  for (uint32_t i = 0; i < n && !r.bad; i++) {
    header->n_streams = i + 1;
    get_stream (&r, &header->streams[i], &unfolded);
  }
  if (r.bad) {
    eeg_eegpack_header_free (header);
    return NULL;
  }
  return header;
}

/* ---- data, markers, index, end ---- */

bool
eeg_eegpack_parse_data (const eeg_eegpack_header *header, const uint8_t *data,
    size_t size, eeg_eegpack_data *out)
{
  reader r = { data, data + size, false };
  const eeg_eegpack_stream *s;

  out->stream = get_limited (&r, header->n_streams - 1);
  out->first = get_varint (&r);
  out->frames = get_limited (&r, EEG_EEGPACK_MAX_FRAMES);
  out->block = r.p;
  out->block_size = bytes_left (&r);
  if (r.bad)
    return false;
  s = &header->streams[out->stream];
  return out->frames > 0 && out->frames <= s->max_frames
      && out->first <= (uint64_t) INT64_MAX - out->frames && out->block_size > 0
      && out->block_size
      <= eeg_eegpack_bound (s->format, s->channels, out->frames);
}

eeg_eegpack_result
eeg_eegpack_parse_marker (const uint8_t *data, size_t size, size_t *at,
    eeg_eegpack_marker *marker)
{
  reader r = { data + *at, data + size, false };
  uint64_t stream, duration, text_size;

  if (*at == size)
    return EEG_EEGPACK_MORE;
  stream = get_varint (&r);
  marker->time = get_signed (&r);
  duration = get_varint (&r);
  text_size = get_varint (&r);
  if (r.bad || stream > EEG_EEGPACK_MAX_STREAMS || duration > INT64_MAX
      || text_size > bytes_left (&r))
    return EEG_EEGPACK_BAD;
  marker->stream = stream == 0 ? EEG_EEGPACK_NO_STREAM : (uint32_t) stream - 1;
  marker->duration = (int64_t) duration - 1;
  marker->text = (const char *) r.p;
  marker->text_size = (size_t) text_size;
  *at = (size_t) (r.p - data) + (size_t) text_size;
  return EEG_EEGPACK_OK;
}

uint8_t *
eeg_eegpack_unfold (const uint8_t *data, size_t size, size_t *at, size_t most,
    size_t *unfolded)
{
  reader r = { data + *at, data + size, false };
  uint64_t total = get_varint (&r);
  uint8_t *out;
  size_t n = 0;

  /* a step of two bytes or more makes no more than the largest match */
  if (r.bad || total > most
      || total > ((uint64_t) bytes_left (&r) + 1) * EEG_EEGPACK_MAX_MATCH)
    return NULL;
  out = malloc ((size_t) total + 1);
  if (out == NULL)
    return NULL;
  while (n < total) {
    uint64_t literals = get_varint (&r), length, distance;

    if (r.bad || literals > bytes_left (&r) || literals > total - n)
      break;
    memcpy (out + n, r.p, (size_t) literals);
    r.p += literals;
    n += (size_t) literals;
    if (n == total)
      break;
    length = get_limited (&r, EEG_EEGPACK_MAX_MATCH);
    distance = get_varint (&r);
    if (r.bad || length == 0 || length > total - n || distance == 0
        || distance > n) {
      r.bad = true;
      break;
    }
    /* a match may run into what it makes */
    for (; length > 0; length--, n++)
      out[n] = out[n - distance];
  }
  if (r.bad || n < total) {
    free (out);
    return NULL;
  }
  *at = (size_t) (r.p - data);
  *unfolded = n;
  return out;
}

static int64_t
add (int64_t a, int64_t b)
{
  return (int64_t) ((uint64_t) a + (uint64_t) b);
}

eeg_eegpack_result
eeg_eegpack_parse_record (const uint8_t *data, size_t size, size_t *at,
    eeg_eegpack_record *record)
{
  reader r = { data + *at, data + size, false };
  uint64_t n, kind;

  if (*at == size)
    return EEG_EEGPACK_MORE;
  record->number += get_varint (&r) + (*at > 0);
  record->step = add (record->step, get_signed (&r));
  record->time = add (record->time, record->step);
  n = get_varint (&r);
  kind = get_varint (&r);
  if (r.bad || kind > 1 || n > EEG_EEGPACK_MAX_RECORDS
      || (kind == 0 && n > bytes_left (&r)))
    return EEG_EEGPACK_BAD;
  record->annotations = kind == 0 ? r.p : NULL;
  record->annotations_size = (size_t) n;
  if (kind == 0)
    r.p += n;
  else
    record->onset = add (record->time, get_signed (&r));
  n = get_varint (&r);
  if (r.bad || n > bytes_left (&r))
    return EEG_EEGPACK_BAD;
  record->markers = r.p;
  record->markers_size = (size_t) n;
  *at = (size_t) (r.p - data) + (size_t) n;
  return EEG_EEGPACK_OK;
}

bool
eeg_eegpack_parse_index (const uint8_t *data, size_t size, size_t *at,
    uint64_t *previous, uint64_t *totals, uint32_t n_streams)
{
  reader r = { data, data + size, false };
  uint32_t n;

  *previous = get_varint (&r);
  n = get_limited (&r, EEG_EEGPACK_MAX_STREAMS);
  if (r.bad || n != n_streams)
    return false;
  for (uint32_t i = 0; i < n; i++) {
    totals[i] = get_varint (&r);
    if (totals[i] > INT64_MAX)
      return false;
  }
  *at = (size_t) (r.p - data);
  return !r.bad && *previous <= INT64_MAX;
}

eeg_eegpack_result
eeg_eegpack_parse_entry (const uint8_t *data, size_t size, size_t *at,
    uint32_t n_streams, eeg_eegpack_entry *entry)
{
  reader r = { data + *at, data + size, false };
  uint64_t step;

  if (*at == size)
    return EEG_EEGPACK_MORE;
  entry->stream = get_limited (&r, n_streams - 1);
  step = get_varint (&r);
  entry->first = get_varint (&r);
  entry->frames = get_limited (&r, EEG_EEGPACK_MAX_FRAMES);
  if (r.bad || entry->frames == 0
      || entry->first > (uint64_t) INT64_MAX - entry->frames
      || step > (uint64_t) INT64_MAX - entry->offset)
    return EEG_EEGPACK_BAD;
  /* from the entry before, whose offset still stands there */
  entry->offset += step;
  *at = (size_t) (r.p - data);
  return EEG_EEGPACK_OK;
}

bool
eeg_eegpack_parse_end (const uint8_t *data, size_t size, uint64_t *index,
    uint64_t *offset)
{
  if (size != 16)
    return false;
  *index = load_u64 (data);
  *offset = load_u64 (data + 8);
  return true;
}
