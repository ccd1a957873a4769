/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The EEGPack file: a magic, then chunks with a checksum each. What stands in
 * them is described in docs/design/eegpack.md.
 *
 * Nothing here reads or writes files: bytes come in and go out in memory. A
 * parser never reads beyond what it was given and allocates only after a length
 * has been held against the bytes that are there. */
#ifndef EEG_EEGPACK_H
#define EEG_EEGPACK_H

#include "eegpack-kernel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EEG_EEGPACK_MAGIC                                                      \
  "\x89"                                                                       \
  "EEGPK\r\n"
#define EEG_EEGPACK_MAGIC_SIZE 8
#define EEG_EEGPACK_VERSION 1

#define EEG_EEGPACK_MAX_STREAMS 256
/* Most bytes of chunks that hold no samples. */
#define EEG_EEGPACK_MAX_HEADER (64u << 20)
#define EEG_EEGPACK_MAX_MARKERS (1u << 20)
#define EEG_EEGPACK_MAX_INDEX (16u << 20)
/* Memory that a header's table and properties may unfold to, where a value of a
 * column or a list counts this much beside its text. */
#define EEG_EEGPACK_MAX_UNFOLDED EEG_EEGPACK_MAX_HEADER
#define EEG_EEGPACK_VALUE_OVERHEAD 32
/* Longest piece that folding repeats at once. */
#define EEG_EEGPACK_MAX_MATCH 65535
/* Most columns of a table, and most properties of a stream. */
#define EEG_EEGPACK_MAX_NAMES 256
/* Most bytes that the EDF records of a chunk unfold to. */
#define EEG_EEGPACK_MAX_RECORDS (1u << 20)
/* A chunk before and after its payload. */
#define EEG_EEGPACK_CHUNK_HEAD 8
#define EEG_EEGPACK_CHUNK_TAIL 4
/* Most bytes of a data chunk beside its block. */
#define EEG_EEGPACK_DATA_OVERHEAD 40
/* Bytes of the last chunk of a complete file. */
#define EEG_EEGPACK_END_SIZE 28

/* CRC-32C (Castagnoli) of `size` more bytes; begin with 0. */
uint32_t eeg_eegpack_crc32c (uint32_t crc, const void *data, size_t size);
/* The same without the processor's instruction. */
uint32_t eeg_eegpack_crc32c_portable (uint32_t crc, const void *data,
    size_t size);

/* ---- writing ---- */

/* Bytes that grow. Start with zeros, end with eeg_eegpack_buffer_clear().
 * After a failed allocation `failed` is set and nothing is added any more. */
typedef struct
{
  uint8_t *data;
  size_t size;
  size_t room;
  bool failed;
} eeg_eegpack_buffer;

void eeg_eegpack_buffer_clear (eeg_eegpack_buffer *buffer);

typedef enum
{
  EEG_EEGPACK_CHUNK_HEADER = 'H',
  EEG_EEGPACK_CHUNK_DATA = 'D',
  EEG_EEGPACK_CHUNK_MARKERS = 'M',
  EEG_EEGPACK_CHUNK_INDEX = 'I',
  EEG_EEGPACK_CHUNK_RECORDS = 'e',
  EEG_EEGPACK_CHUNK_END = 'Z'
} eeg_eegpack_chunk_type;

/* A named value: text, a whole number, a list of texts, in UTF-8, or bytes. */
typedef enum
{
  EEG_EEGPACK_TEXT = 0,
  EEG_EEGPACK_NUMBER = 1,
  EEG_EEGPACK_TEXTS = 2,
  EEG_EEGPACK_BYTES = 3
} eeg_eegpack_value_type;

typedef struct
{
  char *name;
  eeg_eegpack_value_type type;
  char *text;
  int64_t number;
  uint32_t n_texts;
  char **texts;
  uint8_t *bytes;
  size_t n_bytes;
} eeg_eegpack_property;

/* One column of the channel table: a text for each channel. */
typedef struct
{
  char *name;
  char **values;
} eeg_eegpack_column;

typedef struct
{
  eeg_eegpack_format format;
  bool voltage; /* values are physical, not counts */
  uint32_t rate_num, rate_den;
  uint32_t channels;
  uint32_t max_frames; /* of a block */
  uint32_t n_columns;
  eeg_eegpack_column *columns;
  uint32_t n_properties;
  eeg_eegpack_property *properties;
} eeg_eegpack_stream;

typedef struct
{
  uint32_t n_streams;
  eeg_eegpack_stream *streams;
} eeg_eegpack_header;

/* Appends magic and header chunk; false if the header is beyond the limits, so
 * that no parser would take it, or memory is short. */
bool eeg_eegpack_write_header (eeg_eegpack_buffer *out,
    const eeg_eegpack_header *header);

/* A data chunk is made around its block: eeg_eegpack_open_data() writes what
 * comes before it and returns its size, at most EEG_EEGPACK_DATA_OVERHEAD less
 * the tail; when the block stands behind, eeg_eegpack_close_data() completes
 * the chunk and returns its size. */
size_t eeg_eegpack_open_data (uint8_t *out, uint32_t stream, uint64_t first,
    uint32_t frames);
size_t eeg_eegpack_close_data (uint8_t *out, size_t block_at,
    size_t block_size);

typedef struct
{
  uint32_t stream;  /* EEG_EEGPACK_NO_STREAM: of the whole recording */
  int64_t time;     /* ns from the start of the recording */
  int64_t duration; /* ns, -1: none */
  const char *text; /* not terminated */
  size_t text_size;
} eeg_eegpack_marker;

#define EEG_EEGPACK_NO_STREAM UINT32_MAX

/* Appends a chunk of markers; several chunks when they are many. Texts are cut
 * at a quarter of EEG_EEGPACK_MAX_MARKERS. */
bool eeg_eegpack_write_markers (eeg_eegpack_buffer *out,
    const eeg_eegpack_marker *markers, size_t n);

typedef struct
{
  uint32_t stream;
  uint64_t offset; /* of its data chunk in the file */
  uint64_t first;
  uint32_t frames;
} eeg_eegpack_entry;

/* Appends an index chunk. previous: where the index before it begins, or 0.
 * totals: for each stream, frames from the first to the end, lost ones too. */
bool eeg_eegpack_write_index (eeg_eegpack_buffer *out, uint64_t previous,
    const uint64_t *totals, uint32_t n_streams,
    const eeg_eegpack_entry *entries, size_t n);

/* What an EDF or BDF file had in the annotation signals of a record, and the
 * markers that were made from it, in the form of a chunk of markers; stream 0
 * says that the marker came from the samples and not from an annotation. */
typedef struct
{
  uint64_t number; /* of the record in its file */
  int64_t time;    /* ns from the start of the recording */
  /* the signals' bytes; NULL: nothing but the record's time in the file, and
   * zeros */
  const uint8_t *annotations;
  size_t annotations_size;
  int64_t onset; /* that time, ns */
  const uint8_t *markers;
  size_t markers_size;
  int64_t step; /* parser: time less that of the one before */
} eeg_eegpack_record;

/* Appends the inside of a marker chunk. */
bool eeg_eegpack_put_marker (eeg_eegpack_buffer *out,
    const eeg_eegpack_marker *marker);

/* Appends chunks with these records; one beyond the limits is left out, as
 * nothing but the bytes of an EDF file depends on it. */
bool eeg_eegpack_write_records (eeg_eegpack_buffer *out,
    const eeg_eegpack_record *records, size_t n);

/* Appends bytes folded: what stood there before is not said again. */
void eeg_eegpack_fold (eeg_eegpack_buffer *out, const uint8_t *data,
    size_t size);

/* Appends the end: where the last index begins and where this chunk does. */
bool eeg_eegpack_write_end (eeg_eegpack_buffer *out, uint64_t index,
    uint64_t offset);

/* ---- reading ---- */

typedef enum
{
  EEG_EEGPACK_OK,
  EEG_EEGPACK_MORE, /* `size` bytes are needed */
  EEG_EEGPACK_BAD
} eeg_eegpack_result;

typedef struct
{
  uint8_t type;
  const uint8_t *payload;
  size_t payload_size;
  size_t size; /* of the whole chunk */
} eeg_eegpack_chunk;

/* Looks at the chunk at the beginning of `data`. most: largest payload of a
 * data chunk, see eeg_eegpack_most_data(). BAD: no chunk, too large, or its
 * checksum is wrong. `size` is set also for MORE. */
eeg_eegpack_result eeg_eegpack_get_chunk (const uint8_t *data, size_t size,
    size_t most, eeg_eegpack_chunk *chunk);

/* Offset, from 1 on, of the next place where a chunk may begin; what must be
 * kept of the end of `data` in case one begins there is left out. */
size_t eeg_eegpack_find_chunk (const uint8_t *data, size_t size);

/* Largest payload of a data chunk of any stream. */
size_t eeg_eegpack_most_data (const eeg_eegpack_header *header);

/* Parses a header chunk's payload; NULL if it is not one, beyond the limits,
 * of another version, or memory is short. */
eeg_eegpack_header *eeg_eegpack_parse_header (const uint8_t *data, size_t size);

void eeg_eegpack_header_free (eeg_eegpack_header *header);

typedef struct
{
  uint32_t stream;
  uint64_t first;
  uint32_t frames;
  const uint8_t *block;
  size_t block_size;
} eeg_eegpack_data;

/* Parses a data chunk's payload and holds it against the header. */
bool eeg_eegpack_parse_data (const eeg_eegpack_header *header,
    const uint8_t *data, size_t size, eeg_eegpack_data *out);

/* Steps through the markers of a chunk: *at begins at 0. OK: one was found,
 * MORE: there are no more. */
eeg_eegpack_result eeg_eegpack_parse_marker (const uint8_t *data, size_t size,
    size_t *at, eeg_eegpack_marker *marker);

/* Unfolds what begins at *at, and steps over it; at most `most` bytes. Freed
 * with free(); NULL for damage or when memory is short. */
uint8_t *eeg_eegpack_unfold (const uint8_t *data, size_t size, size_t *at,
    size_t most, size_t *unfolded);

/* Steps through unfolded records, as with markers; *record begins at 0 and is
 * what the next one is told from. */
eeg_eegpack_result eeg_eegpack_parse_record (const uint8_t *data, size_t size,
    size_t *at, eeg_eegpack_record *record);

/* Parses an index: totals of up to n_streams streams, then one entry at a time,
 * as with markers; *at and *entry begin at 0. All numbers of frames and
 * offsets are below INT64_MAX, and entries' streams below n_streams. */
bool eeg_eegpack_parse_index (const uint8_t *data, size_t size, size_t *at,
    uint64_t *previous, uint64_t *totals, uint32_t n_streams);
eeg_eegpack_result eeg_eegpack_parse_entry (const uint8_t *data, size_t size,
    size_t *at, uint32_t n_streams, eeg_eegpack_entry *entry);

/* Parses an end chunk's payload. */
bool eeg_eegpack_parse_end (const uint8_t *data, size_t size, uint64_t *index,
    uint64_t *offset);

#endif
