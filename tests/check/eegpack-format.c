/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The EEGPack file format: what is written is read, what was damaged is seen,
 * what lies costs no memory. */
#include <gst/check/gstcheck.h>

#include "eegpack.h"

#include <string.h>

static char *
numbered (const char *format, guint n)
{
  char *text = g_strdup_printf (format, n);
  char *copy = strdup (text);

  g_free (text);
  return copy;
}

/* Two streams, of 20 channels and of one; to be freed by the format. */
static eeg_eegpack_header *
make_header (void)
{
  eeg_eegpack_header *header = calloc (1, sizeof *header);

  header->n_streams = 2;
  header->streams = calloc (2, sizeof *header->streams);
  for (guint i = 0; i < 2; i++) {
    eeg_eegpack_stream *s = &header->streams[i];

    s->format = i == 0 ? EEG_EEGPACK_S24 : EEG_EEGPACK_F64;
    s->voltage = i == 1;
    s->rate_num = i == 0 ? 64 : 1000;
    s->rate_den = i == 0 ? 5 : 1;
    s->channels = i == 0 ? 20 : 1;
    s->max_frames = i == 0 ? 8192 : 100;
    s->n_columns = 3;
    s->columns = calloc (3, sizeof *s->columns);
    for (guint c = 0; c < 3; c++) {
      s->columns[c].name = numbered ("column %u", c);
      s->columns[c].values = calloc (s->channels, sizeof (char *));
      for (guint v = 0; v < s->channels; v++)
        s->columns[c].values[v] = c == 0 ? numbered ("EEG %03u", v)
            : c == 1                     ? numbered ("\xc2\xb5V %u", v / 7)
                                         : strdup ("");
    }
    s->n_properties = 4;
    s->properties = calloc (4, sizeof *s->properties);
    s->properties[3].name = strdup ("bytes");
    s->properties[3].type = EEG_EEGPACK_BYTES;
    s->properties[3].n_bytes = i == 0 ? 0 : 5000;
    s->properties[3].bytes = calloc (1, 5000);
    s->properties[0].name = strdup ("text");
    s->properties[0].type = EEG_EEGPACK_TEXT;
    s->properties[0].text = strdup ("some text");
    s->properties[1].name = strdup ("number");
    s->properties[1].type = EEG_EEGPACK_NUMBER;
    s->properties[1].number = i == 0 ? G_MININT64 : G_MAXINT64;
    s->properties[2].name = strdup ("texts");
    s->properties[2].type = EEG_EEGPACK_TEXTS;
    s->properties[2].n_texts = 2;
    s->properties[2].texts = calloc (2, sizeof (char *));
    s->properties[2].texts[0] = strdup ("");
    s->properties[2].texts[1] = strdup ("b");
  }
  return header;
}

static void
compare_headers (const eeg_eegpack_header *a, const eeg_eegpack_header *b)
{
  fail_unless_equals_int (a->n_streams, b->n_streams);
  for (guint i = 0; i < a->n_streams; i++) {
    const eeg_eegpack_stream *s = &a->streams[i], *t = &b->streams[i];

    fail_unless (s->format == t->format && s->voltage == t->voltage);
    fail_unless (s->rate_num == t->rate_num && s->rate_den == t->rate_den);
    fail_unless (s->channels == t->channels);
    fail_unless (s->max_frames == t->max_frames);
    fail_unless (s->n_columns == t->n_columns);
    for (guint c = 0; c < s->n_columns; c++) {
      fail_unless_equals_string (s->columns[c].name, t->columns[c].name);
      for (guint v = 0; v < s->channels; v++)
        fail_unless_equals_string (s->columns[c].values[v],
            t->columns[c].values[v]);
    }
    fail_unless (s->n_properties == t->n_properties);
    for (guint p = 0; p < s->n_properties; p++) {
      const eeg_eegpack_property *x = &s->properties[p], *y = &t->properties[p];

      fail_unless_equals_string (x->name, y->name);
      fail_unless (x->type == y->type && x->number == y->number);
      fail_unless (g_strcmp0 (x->text, y->text) == 0);
      fail_unless (x->n_texts == y->n_texts);
      for (guint n = 0; n < x->n_texts; n++)
        fail_unless_equals_string (x->texts[n], y->texts[n]);
    }
  }
}

GST_START_TEST (test_crc)
{
  guint8 bytes[1000], zeros[32] = { 0 };

  /* RFC 3720, B.4 and the usual check value */
  fail_unless_equals_int_hex (eeg_eegpack_crc32c (0, "123456789", 9),
      0xe3069283u);
  fail_unless_equals_int_hex (eeg_eegpack_crc32c (0, zeros, 32), 0x8a9136aau);
  fail_unless_equals_int_hex (eeg_eegpack_crc32c_portable (0, zeros, 32),
      0x8a9136aau);
  for (guint i = 0; i < sizeof bytes; i++)
    bytes[i] = (guint8) (i * i >> 3);
  for (guint i = 0; i < 40; i++)
    for (guint size = 0; size < 70; size++) {
      guint32 crc = eeg_eegpack_crc32c (i, bytes + i, size);

      fail_unless (crc == eeg_eegpack_crc32c_portable (i, bytes + i, size));
      /* in two pieces */
      fail_unless (crc
          == eeg_eegpack_crc32c (eeg_eegpack_crc32c (i, bytes + i, size / 3),
              bytes + i + size / 3, size - size / 3));
    }
}
GST_END_TEST;

GST_START_TEST (test_header)
{
  eeg_eegpack_header *header = make_header (), *parsed;
  eeg_eegpack_buffer out = { 0 };
  eeg_eegpack_chunk chunk;

  fail_unless (eeg_eegpack_write_header (&out, header));
  fail_unless (memcmp (out.data, EEG_EEGPACK_MAGIC, 8) == 0);
  /* runs and shared beginnings keep a table small */
  fail_unless (out.size < 520, "%" G_GSIZE_FORMAT " bytes", out.size);

  /* each cut asks for more, never for less than there is */
  for (gsize size = 0; size < out.size - 8; size++) {
    fail_unless_equals_int (eeg_eegpack_get_chunk (out.data + 8, size, 0,
                                &chunk),
        EEG_EEGPACK_MORE);
    fail_unless (chunk.size > size && chunk.size <= out.size - 8);
  }
  fail_unless_equals_int (eeg_eegpack_get_chunk (out.data + 8, out.size - 8, 0,
                              &chunk),
      EEG_EEGPACK_OK);
  fail_unless (chunk.type == 'H' && chunk.size == out.size - 8);
  parsed = eeg_eegpack_parse_header (chunk.payload, chunk.payload_size);
  fail_unless (parsed != NULL);
  compare_headers (header, parsed);
  fail_unless (eeg_eegpack_most_data (parsed)
      == eeg_eegpack_bound (EEG_EEGPACK_S24, 20, 8192)
          + EEG_EEGPACK_DATA_OVERHEAD);
  eeg_eegpack_header_free (parsed);

  /* cut payloads are refused, whole */
  for (gsize size = 0; size < chunk.payload_size; size++) {
    guint8 *copy = g_memdup2 (chunk.payload, size);

    fail_unless (eeg_eegpack_parse_header (copy, size) == NULL,
        "%" G_GSIZE_FORMAT " bytes are taken for a header", size);
    g_free (copy);
  }
  /* flipped ones are refused or differ, but do no harm */
  for (gsize i = 0; i < 8 * chunk.payload_size; i++) {
    guint8 *copy = g_memdup2 (chunk.payload, chunk.payload_size);

    copy[i / 8] ^= 1 << i % 8;
    eeg_eegpack_header_free (
        eeg_eegpack_parse_header (copy, chunk.payload_size));
    g_free (copy);
  }
  /* and seen by the checksum, wherever they are */
  for (gsize i = 0; i < 8 * chunk.size; i++) {
    guint8 *copy = g_memdup2 (out.data + 8, chunk.size);
    eeg_eegpack_chunk other;

    copy[i / 8] ^= 1 << i % 8;
    fail_if (eeg_eegpack_get_chunk (copy, chunk.size, 1 << 20, &other)
        == EEG_EEGPACK_OK);
    g_free (copy);
  }
  eeg_eegpack_buffer_clear (&out);
  eeg_eegpack_header_free (header);
}
GST_END_TEST;

GST_START_TEST (test_header_limits)
{
  /* version, streams, format, domain, rate 1/1, channels, frames, columns,
   * name "a", a run of all channels of a value of one byte, properties */
  static const guint8 good[] = { 1, 0, 1, 0, 0, 1, 1, 3, 9, 1, 1, 'a', 2, 0, 1,
    'b', 0 };
  guint8 bad[4000];
  gsize size;
  eeg_eegpack_header *header = eeg_eegpack_parse_header (good, sizeof good);
  eeg_eegpack_buffer out = { 0 };

  fail_unless (header != NULL);
  fail_unless_equals_string (header->streams[0].columns[0].values[2], "b");
  header->n_streams = 0;
  fail_if (eeg_eegpack_write_header (&out, header));
  header->n_streams = 1;
  header->streams[0].rate_den = 0;
  fail_if (eeg_eegpack_write_header (&out, header));
  header->streams[0].rate_den = 1;
  header->streams[0].rate_num = 1u << 31;
  fail_if (eeg_eegpack_write_header (&out, header));
  header->streams[0].rate_num = 1;
  /* what no parser would unfold is not written: three texts of 22 MiB */
  for (guint i = 0; i < 2; i++) {
    for (guint c = 0; c < 3; c++) {
      char **value = &header->streams[0].columns[0].values[c];

      free (*value);
      *value = calloc (1, (22u << 20) + 1);
      memset (*value, 'a', (i == 0 ? 22u << 20 : 21u << 20));
    }
    out.size = 0;
    fail_unless (eeg_eegpack_write_header (&out, header) == (i == 1));
  }
  {
    eeg_eegpack_chunk chunk;
    eeg_eegpack_header *back;

    fail_unless (eeg_eegpack_get_chunk (out.data + EEG_EEGPACK_MAGIC_SIZE,
                     out.size - EEG_EEGPACK_MAGIC_SIZE, 0, &chunk)
        == EEG_EEGPACK_OK);
    back = eeg_eegpack_parse_header (chunk.payload, chunk.payload_size);
    fail_unless (back != NULL);
    eeg_eegpack_header_free (back);
  }
  eeg_eegpack_buffer_clear (&out);
  eeg_eegpack_header_free (header);

  for (guint i = 0; i < 13; i++) {
    static const struct
    {
      guint at;
      guint8 value;
    } changes[] = { { 0, 2 }, { 2, 0 }, { 3, 5 }, { 5, 0 }, { 6, 0 }, { 7, 0 },
      { 8, 0 }, { 10, 90 }, { 12, 3 }, { 13, 1 }, { 14, 99 }, { 15, 0 },
      { 16, 9 } };

    memcpy (bad, good, sizeof good);
    bad[changes[i].at] = changes[i].value;
    fail_unless (eeg_eegpack_parse_header (bad, sizeof good) == NULL, "byte %u",
        changes[i].at);
  }

  /* a table that would unfold to gigabytes: 65536 times 200 columns of a long
   * value */
  memcpy (bad, good, sizeof good);
  size = 7;
  bad[size++] = 0x80;
  bad[size++] = 0x80;
  bad[size++] = 4; /* 65536 channels */
  bad[size++] = 1;
  bad[size++] = 200;
  bad[size++] = 1; /* 200 columns */
  for (guint c = 0; c < 200; c++) {
    const guint8 column[] = { 1, 'a', 0xff, 0xff, 3, 0, 4, 'l', 'o', 'n', 'g' };

    memcpy (bad + size, column, sizeof column);
    size += sizeof column;
  }
  bad[size++] = 0;
  fail_unless (eeg_eegpack_parse_header (bad, size) == NULL);

  /* lists of empty texts: a byte each in the file, a pointer and an allocation
   * each in memory */
  for (guint lists = 31; lists <= 32; lists++) {
    static const guint8 list[] = { 0, EEG_EEGPACK_TEXTS, 0x80, 0x80, 4 };
    guint8 *many = g_malloc0 (sizeof good + lists * (sizeof list + 65536));

    memcpy (many, good, sizeof good);
    size = sizeof good - 1;
    many[size++] = (guint8) lists;
    for (guint i = 0; i < lists; i++) {
      memcpy (many + size, list, sizeof list);
      size += sizeof list + 65536;
    }
    header = eeg_eegpack_parse_header (many, size);
    fail_unless ((header != NULL) == (lists == 31));
    eeg_eegpack_header_free (header);
    g_free (many);
  }
}
GST_END_TEST;

GST_START_TEST (test_data)
{
  eeg_eegpack_header *header = make_header ();
  guint8 chunk_bytes[EEG_EEGPACK_DATA_OVERHEAD + 3];
  eeg_eegpack_chunk chunk;
  eeg_eegpack_data data;
  gsize head, size;

  head = eeg_eegpack_open_data (chunk_bytes, 1, G_MAXINT64 - 100, 99);
  fail_unless (head + EEG_EEGPACK_CHUNK_TAIL <= EEG_EEGPACK_DATA_OVERHEAD);
  memcpy (chunk_bytes + head, "abc", 3);
  size = eeg_eegpack_close_data (chunk_bytes, head, 3);
  fail_unless (size <= sizeof chunk_bytes);
  fail_unless_equals_int (eeg_eegpack_get_chunk (chunk_bytes, size, 100,
                              &chunk),
      EEG_EEGPACK_OK);
  fail_unless (eeg_eegpack_parse_data (header, chunk.payload,
      chunk.payload_size, &data));
  fail_unless (data.stream == 1 && data.first == (guint64) G_MAXINT64 - 100
      && data.frames == 99 && data.block_size == 3
      && memcmp (data.block, "abc", 3) == 0);
  /* larger than any block of the file */
  fail_unless_equals_int (eeg_eegpack_get_chunk (chunk_bytes, size, 10, &chunk),
      EEG_EEGPACK_BAD);
  for (gsize cut = 0; cut < size; cut++)
    fail_if (eeg_eegpack_get_chunk (chunk_bytes, cut, 100, &chunk)
        == EEG_EEGPACK_OK);

#define PARSES(...)                                                            \
  (eeg_eegpack_parse_data (header, (const guint8[]){ __VA_ARGS__ },            \
      sizeof ((const guint8[]){ __VA_ARGS__ }), &data))
  fail_unless (PARSES (0, 5, 1, 7));
  fail_if (PARSES (2, 5, 1, 7));   /* no such stream */
  fail_if (PARSES (0, 5, 0, 7));   /* no frames */
  fail_if (PARSES (1, 5, 101, 7)); /* more than the header says */
  fail_if (PARSES (0, 5, 1));      /* no block */
  fail_if (PARSES (0, 0xff, 1));   /* cut */
  fail_if (PARSES (0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1,
      1, 7)); /* frames without end */
#undef PARSES
  eeg_eegpack_header_free (header);
}
GST_END_TEST;

GST_START_TEST (test_markers)
{
  static const eeg_eegpack_marker markers[] = {
    { EEG_EEGPACK_NO_STREAM, 0, -1, "", 0 },
    { 0, G_MAXINT64, 0, "one", 3 },
    { 255, G_MININT64, G_MAXINT64 - 1, "\xc3\xa9veil", 6 },
  };
  const gsize long_size = EEG_EEGPACK_MAX_MARKERS;
  gchar *long_text = g_strnfill (long_size, 'x');
  eeg_eegpack_buffer out = { 0 };
  eeg_eegpack_marker many[5], found;
  eeg_eegpack_chunk chunk;
  gsize at = 0, n = 0;

  fail_unless (eeg_eegpack_write_markers (&out, markers, 3));
  fail_unless (
      eeg_eegpack_get_chunk (out.data, out.size, 0, &chunk) == EEG_EEGPACK_OK);
  for (guint i = 0; i < 3; i++) {
    fail_unless_equals_int (eeg_eegpack_parse_marker (chunk.payload,
                                chunk.payload_size, &at, &found),
        EEG_EEGPACK_OK);
    fail_unless (found.stream == markers[i].stream
        && found.time == markers[i].time
        && found.duration == markers[i].duration
        && found.text_size == markers[i].text_size
        && memcmp (found.text, markers[i].text, found.text_size) == 0);
  }
  fail_unless_equals_int (eeg_eegpack_parse_marker (chunk.payload,
                              chunk.payload_size, &at, &found),
      EEG_EEGPACK_MORE);
  at = 0;
  fail_unless_equals_int (eeg_eegpack_parse_marker (chunk.payload, 2, &at,
                              &found),
      EEG_EEGPACK_BAD);
  eeg_eegpack_buffer_clear (&out);

  /* too much for one chunk: several; too long a text: cut */
  for (guint i = 0; i < 5; i++) {
    many[i] = markers[1];
    many[i].text = long_text;
    many[i].text_size = long_size;
  }
  fail_unless (eeg_eegpack_write_markers (&out, many, 5));
  for (gsize offset = 0; offset < out.size; offset += chunk.size) {
    fail_unless (
        eeg_eegpack_get_chunk (out.data + offset, out.size - offset, 0, &chunk)
        == EEG_EEGPACK_OK);
    for (at = 0; eeg_eegpack_parse_marker (chunk.payload, chunk.payload_size,
                     &at, &found)
         == EEG_EEGPACK_OK;
         n++)
      fail_unless (found.text_size == long_size / 4);
  }
  fail_unless_equals_int (n, 5);
  eeg_eegpack_buffer_clear (&out);
  fail_unless (eeg_eegpack_write_markers (&out, many, 0));
  fail_unless (out.size == 0);
  g_free (long_text);
}
GST_END_TEST;

GST_START_TEST (test_index)
{
  static const eeg_eegpack_entry entries[] = { { 0, 100, 0, 8192 },
    { 1, 5000, 7, 100 }, { 0, G_GUINT64_CONSTANT (1) << 40, 1 << 20, 1 } };
  static const guint64 totals[] = { 5, G_MAXINT64 };
  eeg_eegpack_buffer out = { 0 };
  eeg_eegpack_entry entry = { 0 };
  eeg_eegpack_chunk chunk;
  guint64 previous, found[2], index, offset;
  gsize at;

  fail_unless (eeg_eegpack_write_index (&out, 77, totals, 2, entries, 3));
  fail_unless (
      eeg_eegpack_get_chunk (out.data, out.size, 0, &chunk) == EEG_EEGPACK_OK);
  fail_if (eeg_eegpack_parse_index (chunk.payload, chunk.payload_size, &at,
      &previous, found, 1));
  fail_unless (eeg_eegpack_parse_index (chunk.payload, chunk.payload_size, &at,
      &previous, found, 2));
  fail_unless (previous == 77 && found[0] == 5 && found[1] == G_MAXINT64);
  for (guint i = 0; i < 3; i++) {
    fail_unless_equals_int (eeg_eegpack_parse_entry (chunk.payload,
                                chunk.payload_size, &at, 2, &entry),
        EEG_EEGPACK_OK);
    fail_unless (entry.stream == entries[i].stream
        && entry.offset == entries[i].offset && entry.first == entries[i].first
        && entry.frames == entries[i].frames);
  }
  fail_unless_equals_int (eeg_eegpack_parse_entry (chunk.payload,
                              chunk.payload_size, &at, 2, &entry),
      EEG_EEGPACK_MORE);

  /* a stream that is not there, no frames, a place beyond all files */
  for (guint i = 0; i < 5; i++) {
    static const guint8 none[5][14] = { { 2, 1, 1, 1 }, { 0, 1, 1, 0 },
      { 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1 },
      { 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1, 1 },
      { 1, 1, 1, 1 } };

    at = 0;
    memset (&entry, 0, sizeof entry);
    entry.offset = i < 4 ? 1 : 0;
    fail_unless_equals_int (eeg_eegpack_parse_entry (none[i], 14, &at, 2,
                                &entry),
        i < 4 ? EEG_EEGPACK_BAD : EEG_EEGPACK_OK);
  }
  for (guint i = 0; i < 2; i++) {
    static const guint8 large[2][12] = { { 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff,
                                             0xff, 0xff, 0xff, 0xff, 1 },
      { 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f } };

    fail_unless (
        eeg_eegpack_parse_index (large[i], 12 - i, &at, &previous, found, 1)
        == (i == 1));
  }

  at = out.size;
  fail_unless (eeg_eegpack_write_end (&out, 12, 34));
  fail_unless_equals_int (out.size - at, EEG_EEGPACK_END_SIZE);
  fail_unless (eeg_eegpack_get_chunk (out.data + at, out.size - at, 0, &chunk)
      == EEG_EEGPACK_OK);
  fail_unless (eeg_eegpack_parse_end (chunk.payload, chunk.payload_size, &index,
      &offset));
  fail_unless (chunk.type == 'Z' && index == 12 && offset == 34);
  fail_if (eeg_eegpack_parse_end (chunk.payload, 15, &index, &offset));
  eeg_eegpack_buffer_clear (&out);
}
GST_END_TEST;

GST_START_TEST (test_fold)
{
  static const gsize sizes[] = { 0, 1, 5, 6, 7, 300, 70000 };
  GRand *rand = g_rand_new_with_seed (3);

  for (guint kind = 0; kind < 4; kind++)
    for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
      guint8 *data = g_malloc (sizes[i] + 1), *back;
      eeg_eegpack_buffer out = { 0 };
      gsize at = 0, n = 0;

      for (gsize k = 0; k < sizes[i]; k++)
        data[k] = kind == 0 ? 'a'
            : kind == 1     ? (guint8) g_rand_int (rand)
            : kind == 2     ? (guint8) ("abcdefghij"[k % 10])
                            : (guint8) g_rand_int_range (rand, 0, 2);
      eeg_eegpack_fold (&out, data, sizes[i]);
      fail_if (out.failed);
      if (kind != 1 && sizes[i] > 100)
        fail_unless (out.size < sizes[i]);
      back = eeg_eegpack_unfold (out.data, out.size, &at, sizes[i], &n);
      fail_unless (back != NULL && n == sizes[i] && at == out.size);
      fail_unless (memcmp (back, data, n) == 0);
      free (back);
      at = 0;
      if (sizes[i] > 0)
        fail_unless (
            eeg_eegpack_unfold (out.data, out.size, &at, sizes[i] - 1, &n)
            == NULL);
      for (gsize cut = 0; cut < MIN (out.size, 100); cut++) {
        at = 0;
        fail_unless (
            eeg_eegpack_unfold (out.data, cut, &at, sizes[i], &n) == NULL);
      }
      eeg_eegpack_buffer_clear (&out);
      g_free (data);
    }
  g_rand_free (rand);
}
GST_END_TEST;

GST_START_TEST (test_records)
{
  static const guint8 bytes[200] = "+1\024\024";
  eeg_eegpack_buffer markers = { 0 }, out = { 0 };
  eeg_eegpack_marker marker = { 0, 5, 7, "T1", 2 }, found;
  eeg_eegpack_record records[3] = { { 0 } }, record = { 0 };
  eeg_eegpack_chunk chunk;
  guint8 *inside, *huge = g_malloc0 (EEG_EEGPACK_MAX_RECORDS);
  gsize at = 0, n = 0, k = 0;

  fail_unless (eeg_eegpack_put_marker (&markers, &marker));
  for (guint i = 0; i < 3; i++) {
    records[i].number = i;
    records[i].time = -(gint64) i;
    records[i].annotations = i == 0 ? NULL : bytes;
    records[i].annotations_size = 200;
    records[i].onset = G_MININT64;
    if (i == 2) {
      records[i].markers = markers.data;
      records[i].markers_size = markers.size;
    }
  }
  /* one that is too large is left out */
  records[1].annotations = huge;
  records[1].annotations_size = EEG_EEGPACK_MAX_RECORDS;
  fail_unless (eeg_eegpack_write_records (&out, records, 3));
  fail_unless (
      eeg_eegpack_get_chunk (out.data, out.size, 0, &chunk) == EEG_EEGPACK_OK);
  fail_unless (chunk.type == 'e' && chunk.size == out.size);
  inside = eeg_eegpack_unfold (chunk.payload, chunk.payload_size, &at,
      EEG_EEGPACK_MAX_RECORDS, &n);
  fail_unless (inside != NULL && at == chunk.payload_size);
  for (at = 0;
       eeg_eegpack_parse_record (inside, n, &at, &record) == EEG_EEGPACK_OK;
       k += 2) {
    gsize place = 0;

    fail_unless (record.number == k && record.time == -(gint64) k);
    fail_unless (record.annotations_size == 200);
    if (k == 0)
      fail_unless (record.annotations == NULL && record.onset == G_MININT64);
    else
      fail_unless (memcmp (record.annotations, bytes, 200) == 0);
    fail_unless (eeg_eegpack_parse_marker (record.markers, record.markers_size,
                     &place, &found)
        == (k == 2 ? EEG_EEGPACK_OK : EEG_EEGPACK_MORE));
  }
  fail_unless (k == 4 && at == n);
  free (inside);
  g_free (huge);
  eeg_eegpack_buffer_clear (&markers);
  eeg_eegpack_buffer_clear (&out);
}
GST_END_TEST;

/* After damage, the next chunk is found, also when its first bytes only are
 * there yet. */
GST_START_TEST (test_find)
{
  static const guint8 data[] = { 0xb5, 'E', 'P', 'D', 0xb5, 'E', 0xb5, 0xb5,
    'E', 'P', 'D', 1 };

  fail_unless_equals_int (eeg_eegpack_find_chunk (data, sizeof data), 7);
  fail_unless_equals_int (eeg_eegpack_find_chunk (data, 6), 4);
  fail_unless_equals_int (eeg_eegpack_find_chunk (data, 7), 6);
  fail_unless_equals_int (eeg_eegpack_find_chunk (data, 4), 4);
  fail_unless_equals_int (eeg_eegpack_find_chunk (data, 1), 1);
}
GST_END_TEST;

static Suite *
eegpack_format_suite (void)
{
  Suite *suite = suite_create ("eegpack-format");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_crc);
  tcase_add_test (tcase, test_header);
  tcase_add_test (tcase, test_header_limits);
  tcase_add_test (tcase, test_data);
  tcase_add_test (tcase, test_markers);
  tcase_add_test (tcase, test_index);
  tcase_add_test (tcase, test_fold);
  tcase_add_test (tcase, test_records);
  tcase_add_test (tcase, test_find);
  return suite;
}

GST_CHECK_MAIN (eegpack_format);
