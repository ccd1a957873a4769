/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* EEGPack: whole files, and, as checksums keep damage from coming far, what
 * stands in chunks. The first byte says what follows. */

#include "eegpack.h"

#include <stdlib.h>
#include <string.h>

/* The decoder may take time for large blocks, the fuzzer has not. */
#define MAX_SAMPLES 65536

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
decode_block (eeg_eegpack_format format, uint32_t channels, uint32_t frames,
    const uint8_t *block, size_t size)
{
  eeg_eegpack_decoder *decoder;
  uint8_t *out;

  if (!eeg_eegpack_block_fits (format, channels, frames)
      || (uint64_t) channels * frames > MAX_SAMPLES)
    return;
  for (eeg_cpu cpu = EEG_CPU_BASE; cpu < EEG_CPU_COUNT; cpu++) {
    decoder = eeg_eegpack_decoder_new (format, channels, frames, cpu);
    out =
        malloc ((size_t) channels * frames * eeg_eegpack_sample_size (format));
    if (decoder != NULL && out != NULL)
      eeg_eegpack_decode (decoder, block, size, frames, out);
    free (out);
    eeg_eegpack_decoder_free (decoder);
  }
}

static void
read_markers (const uint8_t *data, size_t size)
{
  eeg_eegpack_marker marker;
  size_t at = 0;
  unsigned sum = 0;

  while (eeg_eegpack_parse_marker (data, size, &at, &marker) == EEG_EEGPACK_OK)
    for (size_t i = 0; i < marker.text_size; i++)
      sum += (unsigned char) marker.text[i];
  /* the reads must not be left out */
  if (sum == UINT32_MAX)
    abort ();
}

static void
read_records (const uint8_t *data, size_t size)
{
  size_t at = 0, unfolded = 0;
  uint8_t *inside =
      eeg_eegpack_unfold (data, size, &at, EEG_EEGPACK_MAX_RECORDS, &unfolded);
  eeg_eegpack_record record = { 0 };

  if (inside == NULL)
    return;
  if (unfolded > EEG_EEGPACK_MAX_RECORDS || at > size)
    abort ();
  at = 0;
  while (eeg_eegpack_parse_record (inside, unfolded, &at, &record)
      == EEG_EEGPACK_OK)
    read_markers (record.markers, record.markers_size);
  free (inside);
}

/* What is folded is unfolded again. */
static void
fold (const uint8_t *data, size_t size)
{
  eeg_eegpack_buffer folded = { 0 };
  size_t at = 0, n = 0;
  uint8_t *back;

  eeg_eegpack_fold (&folded, data, size);
  back = eeg_eegpack_unfold (folded.data, folded.size, &at, size, &n);
  if (back == NULL || n != size || at != folded.size
      || (size > 0 && memcmp (back, data, size) != 0))
    abort ();
  free (back);
  eeg_eegpack_buffer_clear (&folded);
}

static void
read_index (const uint8_t *data, size_t size, uint32_t n_streams)
{
  eeg_eegpack_entry entry = { 0 };
  uint64_t previous, totals[EEG_EEGPACK_MAX_STREAMS];
  size_t at = 0;

  if (!eeg_eegpack_parse_index (data, size, &at, &previous, totals, n_streams))
    return;
  while (eeg_eegpack_parse_entry (data, size, &at, n_streams, &entry)
      == EEG_EEGPACK_OK)
    ;
}

/* As a reader that takes what it can: steps over damage. */
static void
read_file (const uint8_t *data, size_t size)
{
  eeg_eegpack_header *header = NULL;
  size_t at = EEG_EEGPACK_MAGIC_SIZE, most = 0;

  while (at < size) {
    eeg_eegpack_chunk chunk;
    eeg_eegpack_data block;
    uint64_t index, offset;

    if (eeg_eegpack_get_chunk (data + at, size - at, most, &chunk)
        != EEG_EEGPACK_OK) {
      at += eeg_eegpack_find_chunk (data + at, size - at);
      continue;
    }
    at += chunk.size;
    switch (chunk.type) {
      case EEG_EEGPACK_CHUNK_HEADER:
        eeg_eegpack_header_free (header);
        header = eeg_eegpack_parse_header (chunk.payload, chunk.payload_size);
        most = header != NULL ? eeg_eegpack_most_data (header) : 0;
        break;
      case EEG_EEGPACK_CHUNK_DATA:
        if (header != NULL
            && eeg_eegpack_parse_data (header, chunk.payload,
                chunk.payload_size, &block))
          decode_block (header->streams[block.stream].format,
              header->streams[block.stream].channels, block.frames, block.block,
              block.block_size);
        break;
      case EEG_EEGPACK_CHUNK_MARKERS:
        read_markers (chunk.payload, chunk.payload_size);
        break;
      case EEG_EEGPACK_CHUNK_RECORDS:
        read_records (chunk.payload, chunk.payload_size);
        break;
      case EEG_EEGPACK_CHUNK_INDEX:
        if (header != NULL)
          read_index (chunk.payload, chunk.payload_size, header->n_streams);
        break;
      case EEG_EEGPACK_CHUNK_END:
        eeg_eegpack_parse_end (chunk.payload, chunk.payload_size, &index,
            &offset);
        break;
      default:
        break;
    }
  }
  eeg_eegpack_header_free (header);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  if (size == 0)
    return 0;
  switch (data[0]) {
    case 'H': {
      eeg_eegpack_header *header =
          eeg_eegpack_parse_header (data + 1, size - 1);
      eeg_eegpack_buffer out = { 0 };

      /* what was parsed can be written */
      if (header != NULL && !eeg_eegpack_write_header (&out, header))
        abort ();
      eeg_eegpack_buffer_clear (&out);
      eeg_eegpack_header_free (header);
      break;
    }
    case 'D':
      /* format, channels, frames, block */
      if (size > 4)
        decode_block (data[1] % EEG_EEGPACK_FORMATS, data[2], data[3] + 1u,
            data + 4, size - 4);
      break;
    case 'M':
      read_markers (data + 1, size - 1);
      break;
    case 'I':
      read_index (data + 1, size - 1, 2);
      break;
    case 'e':
      read_records (data + 1, size - 1);
      fold (data + 1, size - 1);
      break;
    default:
      read_file (data, size);
      break;
  }
  return 0;
}
