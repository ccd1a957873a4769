/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes an EEGPack file for the test of the Python reader, and reads one back:
 *
 *   eegpack-tool encode OUT EFFORT FRAMES LOST {FORMAT CHANNELS RATE FILE}...
 *   eegpack-tool decode FILE STREAM > samples
 *
 * Each FILE holds interleaved samples and becomes a stream, in blocks of FRAMES
 * with LOST frames missing before each but the first. FORMAT is a number of
 * the format, RATE a fraction. decode writes the blocks one after the other. */
#include "eegpack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_STREAMS 8
#define MAX_ENTRIES 65536

static void
die (const char *what)
{
  fprintf (stderr, "eegpack-tool: %s\n", what);
  exit (1);
}

static uint8_t *
read_file (const char *name, size_t *size)
{
  FILE *f = fopen (name, "rb");
  uint8_t *data;
  long end = 0;

  if (f == NULL || fseek (f, 0, SEEK_END) != 0 || (end = ftell (f)) < 0)
    die (name);
  rewind (f);
  data = malloc ((size_t) end + 1);
  if (data == NULL || fread (data, 1, (size_t) end, f) != (size_t) end)
    die (name);
  fclose (f);
  *size = (size_t) end;
  return data;
}

static void
append (eeg_eegpack_buffer *out, const void *data, size_t size)
{
  uint8_t *grown = realloc (out->data, out->size + size + 1);

  if (grown == NULL)
    die ("out of memory");
  memcpy (grown + out->size, data, size);
  out->data = grown;
  out->room = out->size + size + 1;
  out->size += size;
}

static char *
copy_text (const char *format, unsigned n)
{
  char text[64];

  snprintf (text, sizeof text, format, n);
  return strdup (text);
}

/* A table whose values Python can foretell. */
static void
describe (eeg_eegpack_stream *s, unsigned number)
{
  static const char *const names[] = { "label", "unit", "physical-min",
    "physical-max", "digital-min", "digital-max" };
  static const char *const formats[] = { "EEG %03u", "\xc2\xb5V", "-%u.5",
    "%u.5", "-32768", "32767" };

  s->n_columns = 6;
  s->columns = calloc (s->n_columns, sizeof *s->columns);
  for (unsigned i = 0; i < s->n_columns; i++) {
    s->columns[i].name = strdup (names[i]);
    s->columns[i].values = calloc (s->channels, sizeof (char *));
    for (unsigned c = 0; c < s->channels; c++)
      s->columns[i].values[c] =
          copy_text (formats[i], i == 0 ? c : 100 + c / 4);
  }
  s->n_properties = 4;
  s->properties = calloc (s->n_properties, sizeof *s->properties);
  s->properties[3].name = strdup ("bytes");
  s->properties[3].type = EEG_EEGPACK_BYTES;
  s->properties[3].n_bytes = 300;
  s->properties[3].bytes = calloc (1, 300);
  for (unsigned i = 0; i < 300; i++)
    s->properties[3].bytes[i] = (uint8_t) (i * i % 37 + number);
  s->properties[0].name = strdup ("patient");
  s->properties[0].type = EEG_EEGPACK_TEXT;
  s->properties[0].text = strdup ("X X X M\xc3\xbcller");
  s->properties[1].name = strdup ("start-time");
  s->properties[1].type = EEG_EEGPACK_NUMBER;
  s->properties[1].number = -INT64_C (1234567890123456789);
  s->properties[2].name = strdup ("notes");
  s->properties[2].type = EEG_EEGPACK_TEXTS;
  s->properties[2].n_texts = 2;
  s->properties[2].texts = calloc (2, sizeof (char *));
  s->properties[2].texts[0] = copy_text ("stream %u", number);
  s->properties[2].texts[1] = strdup ("");
}

static int
encode (int argc, char **argv)
{
  eeg_eegpack_effort effort = atoi (argv[1]);
  uint32_t frames = (uint32_t) atoi (argv[2]), lost = (uint32_t) atoi (argv[3]);
  eeg_eegpack_header *header = calloc (1, sizeof *header);
  eeg_eegpack_buffer out = { 0 };
  eeg_eegpack_entry *entries = calloc (MAX_ENTRIES, sizeof *entries);
  uint64_t totals[MAX_STREAMS] = { 0 }, index;
  size_t n_entries = 0;
  static const eeg_eegpack_marker markers[] = {
    { EEG_EEGPACK_NO_STREAM, 2500000000, -1, "eyes open", 9 },
    { 0, 500000000, 1000000000, "\xc3\xa9veil", 6 },
    { EEG_EEGPACK_NO_STREAM, -1, 0, "", 0 },
  };
  FILE *file;

  header->n_streams = (uint32_t) (argc - 4) / 4;
  if (header->n_streams < 1 || header->n_streams > MAX_STREAMS)
    die ("no streams, or too many");
  header->streams = calloc (header->n_streams, sizeof *header->streams);
  for (uint32_t i = 0; i < header->n_streams; i++) {
    eeg_eegpack_stream *s = &header->streams[i];

    s->format = (eeg_eegpack_format) atoi (argv[4 + 4 * i]);
    s->channels = (uint32_t) atoi (argv[5 + 4 * i]);
    if (sscanf (argv[6 + 4 * i], "%u/%u", &s->rate_num, &s->rate_den) != 2)
      die ("RATE is a fraction");
    s->max_frames = frames;
    describe (s, i);
  }
  if (!eeg_eegpack_write_header (&out, header)
      || !eeg_eegpack_write_markers (&out, markers, 2))
    die ("header");

  for (uint32_t i = 0; i < header->n_streams; i++) {
    const eeg_eegpack_stream *s = &header->streams[i];
    size_t frame_bytes = s->channels * eeg_eegpack_sample_size (s->format);
    eeg_eegpack_encoder *encoder = eeg_eegpack_encoder_new (s->format,
        s->channels, frames, eeg_cpu_choose ());
    uint8_t *chunk = malloc (EEG_EEGPACK_DATA_OVERHEAD
        + eeg_eegpack_bound (s->format, s->channels, frames));
    size_t size;
    uint8_t *data = read_file (argv[7 + 4 * i], &size);
    uint64_t at = 0;

    if (encoder == NULL || chunk == NULL)
      die ("encoder");
    for (size_t t = 0; t < size / frame_bytes; t += frames) {
      uint32_t n = size / frame_bytes - t < frames
          ? (uint32_t) (size / frame_bytes - t)
          : frames;
      size_t head = eeg_eegpack_open_data (chunk, i, at, n);
      size_t block = eeg_eegpack_encode (encoder, effort,
          data + t * frame_bytes, n, chunk + head);

      if (n_entries == MAX_ENTRIES)
        die ("too many blocks");
      entries[n_entries++] = (eeg_eegpack_entry){ i, out.size, at, n };
      append (&out, chunk, eeg_eegpack_close_data (chunk, head, block));
      at += n;
      totals[i] = at;
      at += lost;
    }
    /* the last frames of the last stream are lost too */
    if (lost > 0 && i == header->n_streams - 1)
      totals[i] += 7;
    eeg_eegpack_encoder_free (encoder);
    free (chunk);
    free (data);
  }
  if (!eeg_eegpack_write_markers (&out, markers + 2, 1))
    die ("markers");
  index = out.size;
  if (!eeg_eegpack_write_index (&out, 0, totals, header->n_streams, entries,
          n_entries)
      || !eeg_eegpack_write_end (&out, index, out.size))
    die ("index");
  file = fopen (argv[0], "wb");
  if (file == NULL || fwrite (out.data, 1, out.size, file) != out.size
      || fclose (file) != 0)
    die (argv[0]);
  eeg_eegpack_buffer_clear (&out);
  eeg_eegpack_header_free (header);
  free (entries);
  return 0;
}

static int
decode (const char *name, uint32_t stream)
{
  size_t size, at = EEG_EEGPACK_MAGIC_SIZE, most = 0;
  uint8_t *data = read_file (name, &size), *out = NULL;
  eeg_eegpack_header *header = NULL;
  eeg_eegpack_decoder *decoder = NULL;
  size_t frame_bytes = 0;

  if (size < at || memcmp (data, EEG_EEGPACK_MAGIC, at) != 0)
    die ("no magic");
  while (at < size) {
    eeg_eegpack_chunk chunk;
    eeg_eegpack_data block;

    if (eeg_eegpack_get_chunk (data + at, size - at, most, &chunk)
        != EEG_EEGPACK_OK)
      die ("damage");
    at += chunk.size;
    if (chunk.type == EEG_EEGPACK_CHUNK_HEADER && header == NULL) {
      const eeg_eegpack_stream *s;

      header = eeg_eegpack_parse_header (chunk.payload, chunk.payload_size);
      if (header == NULL || stream >= header->n_streams)
        die ("header");
      s = &header->streams[stream];
      most = eeg_eegpack_most_data (header);
      frame_bytes = s->channels * eeg_eegpack_sample_size (s->format);
      decoder = eeg_eegpack_decoder_new (s->format, s->channels, s->max_frames,
          eeg_cpu_choose ());
      out = malloc (frame_bytes * s->max_frames);
    } else if (chunk.type == EEG_EEGPACK_CHUNK_DATA) {
      if (header == NULL
          || !eeg_eegpack_parse_data (header, chunk.payload, chunk.payload_size,
              &block))
        die ("data");
      if (block.stream != stream)
        continue;
      if (!eeg_eegpack_decode (decoder, block.block, block.block_size,
              block.frames, out))
        die ("block");
      fwrite (out, frame_bytes, block.frames, stdout);
    }
  }
  free (out);
  free (data);
  eeg_eegpack_decoder_free (decoder);
  eeg_eegpack_header_free (header);
  return 0;
}

int
main (int argc, char **argv)
{
  if (argc >= 10 && strcmp (argv[1], "encode") == 0)
    return encode (argc - 2, argv + 2);
  if (argc == 4 && strcmp (argv[1], "decode") == 0)
    return decode (argv[2], (uint32_t) atoi (argv[3]));
  die ("encode OUT EFFORT FRAMES LOST {FORMAT CHANNELS RATE FILE}... | "
       "decode FILE STREAM");
}
