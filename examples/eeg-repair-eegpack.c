/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "eeg-repair-eegpack.h"

#include <string.h>

/* Blocks of which an index tells. */
#define INDEX_ENTRIES 4096

/* --- reading ------------------------------------------------------------- */

void
pack_walk_init (PackWalk *walk, PackFunc func, gpointer user_data)
{
  memset (walk, 0, sizeof *walk);
  walk->func = func;
  walk->user_data = user_data;
  walk->rest = g_byte_array_new ();
}

void
pack_walk_clear (PackWalk *walk)
{
  g_byte_array_unref (walk->rest);
  eeg_eegpack_header_free (walk->header);
}

gboolean
pack_is_file (const guint8 *data, gsize size)
{
  return size >= EEG_EEGPACK_MAGIC_SIZE
      && memcmp (data, EEG_EEGPACK_MAGIC, EEG_EEGPACK_MAGIC_SIZE) == 0;
}

static void
step (PackWalk *walk, gsize size)
{
  g_byte_array_remove_range (walk->rest, 0, (guint) size);
  walk->at += size;
}

static void
lose (PackWalk *walk, gsize size)
{
  if (walk->lost == 0)
    walk->first_lost = walk->at;
  walk->lost += size;
  step (walk, size);
}

static void
raise_end (PackWalk *walk, guint stream, guint64 end)
{
  walk->ends[stream] = MAX (walk->ends[stream], end);
}

/* FALSE: it is damaged, whatever its checksum says. */
static gboolean
look_at_chunk (PackWalk *walk, const eeg_eegpack_chunk *chunk)
{
  guint64 previous, totals[EEG_EEGPACK_MAX_STREAMS] = { 0 };
  eeg_eegpack_data block;
  gsize at;
  guint i;

  if (chunk->type == EEG_EEGPACK_CHUNK_HEADER) {
    if (walk->header == NULL)
      walk->header =
          eeg_eegpack_parse_header (chunk->payload, chunk->payload_size);
    return walk->header != NULL;
  }
  if (walk->header == NULL)
    return g_ascii_islower (chunk->type);
  switch (chunk->type) {
    case EEG_EEGPACK_CHUNK_DATA:
      if (!eeg_eegpack_parse_data (walk->header, chunk->payload,
              chunk->payload_size, &block)
          || block.first < walk->ends[block.stream])
        return FALSE;
      walk->blocks++;
      raise_end (walk, block.stream, block.first + block.frames);
      return TRUE;
    case EEG_EEGPACK_CHUNK_INDEX:
      if (!eeg_eegpack_parse_index (chunk->payload, chunk->payload_size, &at,
              &previous, totals, walk->header->n_streams))
        return FALSE;
      for (i = 0; i < walk->header->n_streams; i++)
        raise_end (walk, i, totals[i]);
      return TRUE;
    case EEG_EEGPACK_CHUNK_END:
      walk->is_over = TRUE;
      return TRUE;
    default:
      return g_ascii_islower (chunk->type)
          || chunk->type == EEG_EEGPACK_CHUNK_MARKERS;
  }
}

/* Goes as far as there are whole chunks; with @is_last, to the end. */
static gboolean
walk_on (PackWalk *walk, gboolean is_last)
{
  while (walk->rest->len > 0) {
    const guint8 *data = walk->rest->data;
    gsize size = walk->rest->len, most = 0;
    eeg_eegpack_chunk chunk;
    eeg_eegpack_result result;
    gboolean goes_on = TRUE;

    if (!walk->has_magic && size < EEG_EEGPACK_MAGIC_SIZE && !is_last)
      return TRUE;
    if (!walk->has_magic && pack_is_file (data, size)) {
      walk->has_magic = TRUE;
      step (walk, EEG_EEGPACK_MAGIC_SIZE);
      continue;
    }
    if (walk->header != NULL)
      most = eeg_eegpack_most_data (walk->header);
    result = eeg_eegpack_get_chunk (data, size, most, &chunk);
    if (result == EEG_EEGPACK_MORE && !is_last)
      return TRUE;
    if (result == EEG_EEGPACK_OK && !walk->is_over
        && look_at_chunk (walk, &chunk)) {
      goes_on =
          walk->func == NULL || walk->func (walk->user_data, &chunk, data);
      step (walk, chunk.size);
    } else {
      lose (walk, eeg_eegpack_find_chunk (data, size));
    }
    if (!goes_on)
      return FALSE;
  }
  return TRUE;
}

/* Of a PackWalk; FALSE: its function said that it was enough. */
gboolean
pack_walk_take (gpointer user_data, const guint8 *data, gsize size)
{
  PackWalk *walk = user_data;

  g_byte_array_append (walk->rest, data, (guint) size);
  return walk_on (walk, FALSE);
}

/* There is no more. */
void
pack_walk_end (PackWalk *walk)
{
  walk_on (walk, TRUE);
}

/* transfer full; NULL if the file is whole */
gchar *
pack_walk_describe_damage (const PackWalk *walk)
{
  if (walk->header == NULL)
    return g_strdup ("it has no header");
  if (walk->lost > 0)
    return g_strdup_printf ("%" G_GUINT64_FORMAT
                            " bytes are no whole chunks, from byte "
                            "%" G_GUINT64_FORMAT " on",
        walk->lost, walk->first_lost);
  return walk->is_over ? NULL : g_strdup ("its end is missing");
}

/* --- headers ------------------------------------------------------------- */

/* Of the first stream. */
gboolean
pack_get_number (const eeg_eegpack_header *header, const gchar *name,
    gint64 *number)
{
  const eeg_eegpack_stream *s = &header->streams[0];
  guint i;

  for (i = 0; header->n_streams > 0 && i < s->n_properties; i++)
    if (s->properties[i].type == EEG_EEGPACK_NUMBER
        && strcmp (s->properties[i].name, name) == 0) {
      *number = s->properties[i].number;
      return TRUE;
    }
  return FALSE;
}

static gboolean
is_same_column (const eeg_eegpack_column *a, const eeg_eegpack_column *b,
    guint channels)
{
  guint c;

  if (strcmp (a->name, b->name) != 0)
    return FALSE;
  for (c = 0; c < channels; c++)
    if (strcmp (a->values[c], b->values[c]) != 0)
      return FALSE;
  return TRUE;
}

/* Whether the blocks of @b can stand in the file of @a. */
gboolean
pack_is_same_layout (const eeg_eegpack_header *a, const eeg_eegpack_header *b)
{
  guint i, c;

  if (a->n_streams != b->n_streams)
    return FALSE;
  for (i = 0; i < a->n_streams; i++) {
    const eeg_eegpack_stream *x = &a->streams[i], *y = &b->streams[i];

    if (x->format != y->format || x->voltage != y->voltage
        || x->rate_num != y->rate_num || x->rate_den != y->rate_den
        || x->channels != y->channels || x->max_frames != y->max_frames
        || x->n_columns != y->n_columns)
      return FALSE;
    for (c = 0; c < x->n_columns; c++)
      if (!is_same_column (&x->columns[c], &y->columns[c], x->channels))
        return FALSE;
  }
  return TRUE;
}

/* --- writing ------------------------------------------------------------- */

void
pack_writer_init (PackWriter *writer, PackWrite write, gpointer user_data,
    guint n_streams)
{
  memset (writer, 0, sizeof *writer);
  writer->write = write;
  writer->user_data = user_data;
  writer->n_streams = n_streams;
  writer->entries = g_array_new (FALSE, FALSE, sizeof (eeg_eegpack_entry));
}

void
pack_writer_clear (PackWriter *writer)
{
  g_array_unref (writer->entries);
}

gboolean
pack_writer_add (PackWriter *writer, gconstpointer data, gsize size)
{
  writer->offset += size;
  return writer->write (writer->user_data, data, size);
}

/* Takes the chunks; FALSE if there was no memory for them, or as pack_write()
 */
static gboolean
add_chunks (PackWriter *writer, gboolean made, eeg_eegpack_buffer *chunks)
{
  gboolean ok = made && pack_writer_add (writer, chunks->data, chunks->size);

  eeg_eegpack_buffer_clear (chunks);
  return ok;
}

static gboolean
add_index (PackWriter *writer, gboolean is_last)
{
  guint64 at = writer->offset;
  eeg_eegpack_buffer out = { 0 };
  gboolean made =
      eeg_eegpack_write_index (&out, writer->index, writer->totals,
          writer->n_streams, (const eeg_eegpack_entry *) writer->entries->data,
          writer->entries->len)
      && (!is_last || eeg_eegpack_write_end (&out, at, at + out.size));

  writer->index = at;
  g_array_set_size (writer->entries, 0);
  return add_chunks (writer, made, &out);
}

/* A block that begins @shift frames later. */
gboolean
pack_writer_add_block (PackWriter *writer, const eeg_eegpack_data *block,
    guint64 shift)
{
  eeg_eegpack_entry entry = { block->stream, writer->offset,
    block->first + shift, block->frames };
  guint8 *bytes = g_malloc (EEG_EEGPACK_DATA_OVERHEAD + block->block_size);
  gsize at =
      eeg_eegpack_open_data (bytes, entry.stream, entry.first, entry.frames);
  gboolean ok;

  memcpy (bytes + at, block->block, block->block_size);
  ok = pack_writer_add (writer, bytes,
      eeg_eegpack_close_data (bytes, at, block->block_size));
  g_free (bytes);
  g_array_append_val (writer->entries, entry);
  writer->blocks++;
  writer->totals[entry.stream] =
      MAX (writer->totals[entry.stream], entry.first + entry.frames);
  return ok
      && (writer->entries->len < INDEX_ENTRIES || add_index (writer, FALSE));
}

gboolean
pack_writer_add_marker (PackWriter *writer, const eeg_eegpack_marker *marker)
{
  eeg_eegpack_buffer out = { 0 };
  gboolean made = eeg_eegpack_write_markers (&out, marker, 1);

  return add_chunks (writer, made, &out);
}

/* The last index, and the end. */
gboolean
pack_writer_end (PackWriter *writer)
{
  return add_index (writer, TRUE);
}
