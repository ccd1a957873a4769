/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-eegpackdec
 * @title: eegpackdec
 * @short_description: decodes EEGPack files
 *
 * Gives back the streams of samples of an EEGPack file, each on a pad `src_0`,
 * `src_1`, ..., with channel table, recording, markers and gaps as they were
 * coded.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 filesrc location=night.eegpack ! eegpackdec ! edfmux ! \
 *     filesink location=night.bdf
 * ]|
 *
 * - Caps: application/x-eegpack in, application/x-eeg-raw out.
 * - Latency: none of its own; a block is decoded when it is complete. Memory:
 *   see estimate().
 * - Gaps: a GAP event, then a buffer with DISCONT whose offset counts the
 *   missing samples.
 * - FLUSH drops what is held. Flushing seeks in TIME go to the exact sample if
 *   upstream can seek in BYTES; the index is read where upstream can be pulled
 *   before it streams. Else, as in decodebin, blocks are found by walking.
 * - EOS without the file's end is an error; with `salvage` it is not, and
 *   damaged blocks become gaps.
 * - Checkpoints: a barrier may come at any byte, and leaves on all pads behind
 *   the block in which it came. Going on, the rest of that block is thrown
 *   away, and the source is asked for the header once more
 *   (gst_eeg_query_new_input_bytes()). Ends of parts pass.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsteegpackdec.h"

#include <gst/base/gstbytereader.h>
#include <gst/base/gstbytewriter.h>
#include <gst/base/gstflowcombiner.h>
#include <gst/eeg/gsteegedfrecord.h>
#include <stdlib.h>
#include <string.h>

#include "gsteegpackcommon.h"

GST_DEBUG_CATEGORY_STATIC (gst_eeg_pack_dec_debug);
#define GST_CAT_DEFAULT gst_eeg_pack_dec_debug

/* Blocks whose place is remembered, to seek; more are found by walking. */
#define MAX_ENTRIES (1u << 20)
/* Memory of a chunk that holds no samples, of those that our encoder writes. */
#define SMALL_CHUNK (64 * 1024)
/* Markers that wait for samples of their stream. */
#define MAX_WAITING 65536

/*
 * A saved state of the input (little-endian): u8 version, u8 flags, u64
 * position of the next chunk, u64 bytes of the header's chunk, u32 its
 * checksum, u32 streams; of each, u64 frames that blocks told of, u64 those
 * that the index told of. Of the output: u8 version; of each stream u8 flags,
 * u64 next sample, u32 markers that wait for samples, and of each of these u64
 * time, u64 duration and u32 size of its text, which follows.
 */
#define STATE_VERSION 1
#define STATE_END 1
#define STATE_DRAINED 2
#define STATE_DAMAGED 4
#define STATE_STARTED 1
#define STATE_EOS 2
/* Of the output, so that the rest fits beside it. */
#define MAX_STATE (64 * 1024)

typedef struct
{
  GstClockTime time;
  GstClockTime duration;
  gchar *text;
  guint32 stream; /* or EEG_EEGPACK_NO_STREAM */
} Marker;

/* What goes with a block to where it is pushed. */
typedef struct
{
  GArray *markers;    /* of Marker */
  GPtrArray *records; /* of GstEegEdfRecord */
} Extra;

typedef struct
{
  GstPad *pad;
  GstEegInfo info;

  /* streaming thread */
  guint64 next; /* frames that blocks told of */
  guint64 skip; /* frames that nobody wants, after a seek */

  /* side that pushes */
  gboolean send_segment;
  gboolean discont;
  gboolean started;
  gboolean eos; /* the segment's end is reached */
  guint64 next_sample;
  guint64 clip_first, clip_end;
  GArray *markers; /* of Marker */
} Stream;

/*
 * Locking: `header`, `streams` and `segment` are made on the streaming thread
 * while nothing is on its way, and only read after that. What the two sides
 * change is marked in Stream. The object lock guards `shared`, and the table of
 * pads against FLUSH_START and queries; nothing is pushed or queried under it.
 */
struct _GstEegPackDec
{
  GstEegDecompressor parent;

  eeg_eegpack_header *header;
  guint32 header_sum; /* checksum of its chunk */
  gsize header_size;  /* of that */
  gsize most;         /* largest payload of a block */
  GPtrArray *streams; /* of Stream */
  GstFlowCombiner *combiner;
  GstSegment segment;
  guint32 segment_seqnum;
  guint64 *totals; /* frames of each stream, from the index */

  /* streaming thread */
  guint64 position; /* of the next byte in the file */
  gboolean magic;
  gboolean end;     /* the file's last chunk was seen */
  gboolean drained; /* what was left is on its way */
  gboolean damaged;
  gint enough;         /* atomic; downstream wants no more */
  gint replacing;      /* atomic; pads make room for those of another file */
  GArray *markers;     /* of Marker; wait for a block */
  GPtrArray *records;  /* the same */
  GBytes *saved_input; /* of a file that goes on, until that begins */
  GBytes *saved_output;

  struct
  {
    gboolean ready; /* the rest is valid */
    gsize max_input, max_output, context_bytes;
    GstClockTime total; /* or NONE */
    GstClockTime position;
    GArray *entries;  /* of eeg_eegpack_entry, by offset */
    gboolean indexed; /* the entries are all there are */
    gboolean seek_pending;
    guint64 seek_offset;
    GstSegment seek_segment;
    guint32 seek_seqnum;
  } shared;
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS ("application/x-eegpack"));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src_%u",
    GST_PAD_SRC, GST_PAD_SOMETIMES,
    GST_STATIC_CAPS (
        GST_EEG_RAW_CAPS_MAKE (GST_EEG_FORMATS_ALL, "{ counts, voltage }")));

G_DEFINE_TYPE_WITH_CODE (GstEegPackDec, gst_eeg_pack_dec,
    GST_TYPE_EEG_DECOMPRESSOR,
    GST_DEBUG_CATEGORY_INIT (gst_eeg_pack_dec_debug, "eegpackdec", 0,
        "EEGPack decoder"))
GST_ELEMENT_REGISTER_DEFINE (eegpackdec, "eegpackdec", GST_RANK_PRIMARY,
    GST_TYPE_EEG_PACK_DEC)

enum
{
  VALUE_KIND,
  VALUE_STREAM,
  VALUE_FIRST,
  VALUE_FRAMES
};

enum
{
  KIND_BLOCK,
  KIND_END
};

/* --- markers ------------------------------------------------------------- */

static void
clear_marker (gpointer item)
{
  g_free (((Marker *) item)->text);
}

static GArray *
new_markers (void)
{
  GArray *markers = g_array_new (FALSE, FALSE, sizeof (Marker));

  g_array_set_clear_func (markers, clear_marker);
  return markers;
}

static GPtrArray *
new_records (void)
{
  return g_ptr_array_new_with_free_func (
      (GDestroyNotify) gst_eeg_edf_record_unref);
}

static void
extra_free (gpointer data)
{
  Extra *extra = data;

  g_array_unref (extra->markers);
  g_ptr_array_unref (extra->records);
  g_free (extra);
}

static gchar *
make_text (const eeg_eegpack_marker *marker)
{
  return g_utf8_make_valid (marker->text, (gssize) marker->text_size);
}

static GstClockTime
make_time (gint64 time)
{
  return time < 0 ? 0 : (GstClockTime) time;
}

static GstClockTime
make_duration (gint64 duration)
{
  return duration < 0 ? GST_CLOCK_TIME_NONE : (GstClockTime) duration;
}

static gboolean
read_markers (GstEegPackDec *self, const eeg_eegpack_chunk *chunk)
{
  eeg_eegpack_marker marker;
  eeg_eegpack_result result;
  gsize at = 0;

  while ((result = eeg_eegpack_parse_marker (chunk->payload,
              chunk->payload_size, &at, &marker))
      == EEG_EEGPACK_OK) {
    Marker m = { make_time (marker.time), make_duration (marker.duration), NULL,
      marker.stream };

    if (m.stream != EEG_EEGPACK_NO_STREAM
        && m.stream >= self->header->n_streams)
      return FALSE;
    if (self->markers->len >= MAX_WAITING)
      continue;
    m.text = make_text (&marker);
    g_array_append_val (self->markers, m);
  }
  return result == EEG_EEGPACK_MORE;
}

static gboolean
read_records (GstEegPackDec *self, const eeg_eegpack_chunk *chunk)
{
  eeg_eegpack_record record = { 0 };
  eeg_eegpack_marker marker;
  gsize at = 0, size = 0;
  guint8 *inside = eeg_eegpack_unfold (chunk->payload, chunk->payload_size, &at,
      EEG_EEGPACK_MAX_RECORDS, &size);

  if (inside == NULL)
    return FALSE;
  at = 0;
  while (self->records->len < MAX_WAITING
      && eeg_eegpack_parse_record (inside, size, &at, &record)
          == EEG_EEGPACK_OK) {
    GstEegEdfRecord *r = gst_eeg_edf_record_new (record.number,
        make_time (record.time), record.annotations_size);
    gsize place = 0;

    if (record.annotations == NULL)
      gst_eeg_pack_write_time (r->annotations, r->size, record.onset);
    else if (r->size > 0)
      memcpy (r->annotations, record.annotations, r->size);
    while (eeg_eegpack_parse_marker (record.markers, record.markers_size,
               &place, &marker)
        == EEG_EEGPACK_OK) {
      gchar *text = make_text (&marker);

      gst_eeg_edf_record_add_marker (r, make_time (marker.time),
          make_duration (marker.duration), text, marker.stream == 0);
      g_free (text);
    }
    g_ptr_array_add (self->records, r);
  }
  free (inside);
  return TRUE;
}

/* --- pads ---------------------------------------------------------------- */

static gboolean gst_eeg_pack_dec_src_event (GstPad *pad, GstObject *parent,
    GstEvent *event);
static gboolean gst_eeg_pack_dec_src_query (GstPad *pad, GstObject *parent,
    GstQuery *query);

static gboolean
src_activate_mode (GstPad *pad, GstObject *parent, GstPadMode mode,
    gboolean active)
{
  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  if (!active && !g_atomic_int_get (&GST_EEG_PACK_DEC (parent)->replacing))
    gst_eeg_chunk_codec_close (GST_EEG_CHUNK_CODEC (parent));
  return TRUE;
}

static void
free_stream (gpointer data)
{
  Stream *s = data;

  gst_eeg_info_clear (&s->info);
  g_array_unref (s->markers);
  g_free (s);
}

/* transfer full; from any thread */
static GPtrArray *
get_pads (GstEegPackDec *self)
{
  GPtrArray *pads = g_ptr_array_new_with_free_func (gst_object_unref);
  guint i;

  GST_OBJECT_LOCK (self);
  for (i = 0; i < self->streams->len; i++)
    g_ptr_array_add (pads,
        gst_object_ref (
            ((Stream *) g_ptr_array_index (self->streams, i))->pad));
  GST_OBJECT_UNLOCK (self);
  return pads;
}

static void
push_to_all (GstEegPackDec *self, GstEvent *event)
{
  GPtrArray *pads = get_pads (self);
  guint i;

  for (i = 0; i < pads->len; i++)
    gst_pad_push_event (g_ptr_array_index (pads, i), gst_event_ref (event));
  gst_event_unref (event);
  g_ptr_array_unref (pads);
}

static void
set_segment (GstEegPackDec *self, Stream *s)
{
  s->send_segment = TRUE;
  s->discont = TRUE;
  s->eos = FALSE;
  s->started = FALSE;
  s->clip_first = gst_eeg_info_time_to_samples (&s->info, self->segment.start);
  s->clip_end = GST_CLOCK_TIME_IS_VALID (self->segment.stop)
      ? gst_eeg_info_time_to_samples (&s->info, self->segment.stop)
      : G_MAXUINT64;
  s->skip = s->clip_first;
  s->next = s->next_sample = 0;
  g_array_set_size (s->markers, 0);
}

static void
push_segment (GstEegPackDec *self, Stream *s)
{
  GstEvent *event = gst_event_new_segment (&self->segment);

  if (self->segment_seqnum != GST_SEQNUM_INVALID)
    gst_event_set_seqnum (event, self->segment_seqnum);
  gst_pad_push_event (s->pad, event);
  s->send_segment = FALSE;
}

static void
add_stream (GstEegPackDec *self, guint number, guint group_id)
{
  GstElement *element = GST_ELEMENT_CAST (self);
  Stream *s = g_new0 (Stream, 1);
  gchar *name = g_strdup_printf ("src_%u", number), *id;
  GstEvent *event;
  GstCaps *caps;

  gst_eeg_info_init (&s->info);
  gst_eeg_pack_get_info (&self->header->streams[number], &s->info);
  s->markers = new_markers ();
  s->pad =
      gst_pad_new_from_template (gst_element_class_get_pad_template (
                                     GST_ELEMENT_GET_CLASS (self), "src_%u"),
          name);
  g_free (name);
  gst_pad_set_event_function (s->pad, gst_eeg_pack_dec_src_event);
  gst_pad_set_query_function (s->pad, gst_eeg_pack_dec_src_query);
  gst_pad_set_activatemode_function (s->pad, src_activate_mode);
  gst_pad_use_fixed_caps (s->pad);
  set_segment (self, s);
  gst_pad_set_active (s->pad, TRUE);

  id = gst_pad_create_stream_id_printf (s->pad, element, "%03u", number);
  event = gst_event_new_stream_start (id);
  gst_event_set_group_id (event, group_id);
  gst_pad_push_event (s->pad, event);
  g_free (id);
  caps = gst_eeg_info_to_caps (&s->info);
  gst_pad_push_event (s->pad, gst_event_new_caps (caps));
  gst_caps_unref (caps);
  push_segment (self, s);
  gst_pad_push_event (s->pad,
      gst_eeg_event_new_recording (
          gst_eeg_pack_get_recording (self->header, number)));
  gst_flow_combiner_add_pad (self->combiner, s->pad);
  GST_OBJECT_LOCK (self);
  g_ptr_array_add (self->streams, s);
  GST_OBJECT_UNLOCK (self);
}

static void
add_streams (GstEegPackDec *self)
{
  GstPad *sink = gst_element_get_static_pad (GST_ELEMENT_CAST (self), "sink");
  GstEvent *event = gst_pad_get_sticky_event (sink, GST_EVENT_STREAM_START, 0);
  guint group_id, i;

  if (event == NULL || !gst_event_parse_group_id (event, &group_id))
    group_id = gst_util_group_id_next ();
  g_clear_pointer (&event, gst_event_unref);
  gst_object_unref (sink);
  for (i = 0; i < self->header->n_streams; i++)
    add_stream (self, i, group_id);
  for (i = 0; i < self->header->n_streams; i++) {
    Stream *s = g_ptr_array_index (self->streams, i);

    gst_element_add_pad (GST_ELEMENT_CAST (self), s->pad);
  }
  gst_element_no_more_pads (GST_ELEMENT_CAST (self));
}

static void
remove_streams (GstEegPackDec *self)
{
  GPtrArray *streams;
  guint i;

  GST_OBJECT_LOCK (self);
  streams = self->streams;
  self->streams = g_ptr_array_new_with_free_func (free_stream);
  GST_OBJECT_UNLOCK (self);
  for (i = 0; i < streams->len; i++) {
    Stream *s = g_ptr_array_index (streams, i);

    gst_flow_combiner_remove_pad (self->combiner, s->pad);
    gst_pad_set_active (s->pad, FALSE);
    gst_element_remove_pad (GST_ELEMENT_CAST (self), s->pad);
  }
  g_ptr_array_unref (streams);
}

/* --- parsing ------------------------------------------------------------- */

#define SET_ERROR(error, code, ...)                                            \
  g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_##code, __VA_ARGS__)

/* What the streams need, for estimates */
static void
share_limits (GstEegPackDec *self, gsize chunk_size)
{
  const eeg_eegpack_header *h = self->header;
  gsize max_output = 1, contexts = 0;
  guint i;

  for (i = 0; i < h->n_streams; i++) {
    const eeg_eegpack_stream *s = &h->streams[i];

    max_output = MAX (max_output,
        (gsize) s->channels * s->max_frames
            * eeg_eegpack_sample_size (s->format));
    contexts +=
        eeg_eegpack_decoder_memory (s->format, s->channels, s->max_frames);
  }
  GST_OBJECT_LOCK (self);
  self->shared.ready = TRUE;
  self->shared.max_input =
      MAX (MAX (self->most + EEG_EEGPACK_CHUNK_HEAD + EEG_EEGPACK_CHUNK_TAIL,
               chunk_size),
          SMALL_CHUNK);
  self->shared.max_output = max_output;
  self->shared.context_bytes = contexts;
  GST_OBJECT_UNLOCK (self);
}

static void
forget_file (GstEegPackDec *self)
{
  remove_streams (self);
  g_clear_pointer (&self->header, eeg_eegpack_header_free);
  g_clear_pointer (&self->totals, g_free);
  self->most = 0;
  GST_OBJECT_LOCK (self);
  self->shared.ready = FALSE;
  self->shared.indexed = FALSE;
  self->shared.total = GST_CLOCK_TIME_NONE;
  self->shared.position = 0;
  g_array_set_size (self->shared.entries, 0);
  GST_OBJECT_UNLOCK (self);
}

static guint32
sum_of (const eeg_eegpack_chunk *chunk)
{
  const guint8 *p = chunk->payload + chunk->payload_size;

  return (guint32) p[0] | (guint32) p[1] << 8 | (guint32) p[2] << 16
      | (guint32) p[3] << 24;
}

/* FALSE: it is none that this version can read. */
static gboolean
take_header (GstEegPackDec *self, const eeg_eegpack_chunk *chunk,
    GError **error)
{
  self->header = eeg_eegpack_parse_header (chunk->payload, chunk->payload_size);
  if (self->header == NULL) {
    SET_ERROR (error, DECODE, "The header is none that this version can read.");
    return FALSE;
  }
  self->header_sum = sum_of (chunk);
  self->header_size = chunk->size;
  self->most = eeg_eegpack_most_data (self->header);
  self->totals = g_new0 (guint64, self->header->n_streams);
  share_limits (self, chunk->size);
  add_streams (self);
  return TRUE;
}

static gboolean
read_header (GstEegPackDec *self, const eeg_eegpack_chunk *chunk,
    GError **error)
{
  if (self->header != NULL) {
    /* upstream went back to the start */
    if (sum_of (chunk) == self->header_sum)
      return TRUE;
    if (self->position != EEG_EEGPACK_MAGIC_SIZE) {
      SET_ERROR (error, DECODE, "Another header follows the first one.");
      return FALSE;
    }
    /* another file; nothing of the one before is on its way any more */
    g_atomic_int_set (&self->replacing, TRUE);
    push_to_all (self, gst_event_new_eos ());
    forget_file (self);
    g_atomic_int_set (&self->replacing, FALSE);
  }
  return take_header (self, chunk, error);
}

/* Only the totals: where blocks stand is seen when they come, or was read from
 * the end. */
static gboolean
read_index (GstEegPackDec *self, const eeg_eegpack_chunk *chunk)
{
  guint64 previous;
  gsize at;

  return eeg_eegpack_parse_index (chunk->payload, chunk->payload_size, &at,
      &previous, self->totals, self->header->n_streams);
}

static void
remember (GstEegPackDec *self, const eeg_eegpack_data *block)
{
  eeg_eegpack_entry entry = { block->stream, self->position, block->first,
    block->frames };
  GArray *entries = self->shared.entries;

  GST_OBJECT_LOCK (self);
  if (!self->shared.indexed && entries->len < MAX_ENTRIES
      && (entries->len == 0
          || g_array_index (entries, eeg_eegpack_entry, entries->len - 1).offset
              < entry.offset))
    g_array_append_val (entries, entry);
  GST_OBJECT_UNLOCK (self);
}

/* Damage ends the stream, or is stepped over. */
static GstEegChunkParse
lose (GstEegPackDec *self, guint64 size, GstEegChunkUnit *unit, GError **error,
    const gchar *what)
{
  if (!gst_eeg_chunk_codec_get_salvage (GST_EEG_CHUNK_CODEC (self))) {
    SET_ERROR (error, DECODE,
        "The file is damaged at byte %" G_GUINT64_FORMAT ": %s.",
        self->position, what);
    return GST_EEG_CHUNK_PARSE_ERROR;
  }
  self->damaged = TRUE;
  unit->size = size;
  self->position += size;
  return GST_EEG_CHUNK_PARSE_LOST;
}

static GstEegChunkParse
skip (GstEegPackDec *self, gsize size, GstEegChunkUnit *unit)
{
  unit->size = size;
  self->position += size;
  return GST_EEG_CHUNK_PARSE_SKIP;
}

static GstEegChunkParse
parse_block (GstEegPackDec *self, const eeg_eegpack_chunk *chunk,
    GstEegChunkUnit *unit, GError **error)
{
  eeg_eegpack_data block;
  Stream *s;

  if (self->header == NULL
      || !eeg_eegpack_parse_data (self->header, chunk->payload,
          chunk->payload_size, &block))
    return lose (self, chunk->size, unit, error, "a block of no stream");
  s = g_ptr_array_index (self->streams, block.stream);
  if (block.first < s->next)
    return lose (self, chunk->size, unit, error, "a block that was there");
  remember (self, &block);
  s->next = block.first + block.frames;
  if (s->next <= s->skip)
    return skip (self, chunk->size, unit);
  unit->size = chunk->size;
  unit->out_size = (gsize) block.frames * s->info.bytes_per_frame;
  self->position += chunk->size;
  return GST_EEG_CHUNK_PARSE_JOB;
}

static gboolean
set_state_error (GError **error, const gchar *text)
{
  g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
      "Nothing can be continued: %s.", text);
  return FALSE;
}

/* The header was stored by nobody, as it names a person: the source has it. */
static gboolean
read_header_again (GstEegPackDec *self, guint64 size, guint32 sum,
    GError **error)
{
  GstQuery *query =
      gst_eeg_query_new_input_bytes (EEG_EEGPACK_MAGIC_SIZE, (guint) size);
  GstPad *sink = gst_element_get_static_pad (GST_ELEMENT_CAST (self), "sink");
  GstBuffer *buffer = NULL;
  eeg_eegpack_chunk chunk;
  gboolean ok = FALSE;
  GstMapInfo map;

  if (gst_pad_peer_query (sink, query))
    buffer = gst_eeg_query_get_input_bytes (query);
  gst_query_unref (query);
  gst_object_unref (sink);
  if (buffer == NULL)
    return set_state_error (error,
        "no source before it gives the header of the file once more");
  if (gst_buffer_map (buffer, &map, GST_MAP_READ)) {
    ok = eeg_eegpack_get_chunk (map.data, map.size, 0, &chunk) == EEG_EEGPACK_OK
        && chunk.type == EEG_EEGPACK_CHUNK_HEADER && sum_of (&chunk) == sum;
    if (!ok)
      set_state_error (error,
          "the header of the file is another one than at the checkpoint");
    ok = ok && take_header (self, &chunk, error);
    gst_buffer_unmap (buffer, &map);
  }
  gst_buffer_unref (buffer);
  return ok;
}

static gboolean
restore_markers (GstByteReader *from, Stream *s)
{
  const guint8 *text = NULL;
  guint32 n, size;
  gboolean ok = gst_byte_reader_get_uint32_le (from, &n);

  for (; ok && n > 0; n--) {
    Marker m = { 0, 0, NULL, EEG_EEGPACK_NO_STREAM };

    ok = gst_byte_reader_get_uint64_le (from, &m.time)
        && gst_byte_reader_get_uint64_le (from, &m.duration)
        && gst_byte_reader_get_uint32_le (from, &size)
        && gst_byte_reader_get_data (from, size, &text);
    if (!ok)
      break;
    m.text = g_strndup ((const gchar *) text, size);
    g_array_append_val (s->markers, m);
  }
  return ok;
}

/* Goes on with the file of which a state was restored, if there is one. */
static gboolean
go_on (GstEegPackDec *self, GError **error)
{
  GBytes *input, *output;
  GstByteReader from, to;
  guint64 header_size = 0;
  guint8 version, flags = 0;
  guint32 sum = 0, n = 0, i;
  gsize size;
  gconstpointer data;
  gboolean ok;

  if (G_LIKELY (self->saved_input == NULL))
    return TRUE;
  input = g_steal_pointer (&self->saved_input);
  output = g_steal_pointer (&self->saved_output);
  data = g_bytes_get_data (input, &size);
  gst_byte_reader_init (&from, data, (guint) size);
  data = g_bytes_get_data (output, &size);
  gst_byte_reader_init (&to, data, (guint) size);
  ok = gst_byte_reader_get_uint8 (&from, &version)
      && gst_byte_reader_get_uint8 (&from, &flags)
      && gst_byte_reader_get_uint64_le (&from, &self->position)
      && gst_byte_reader_get_uint64_le (&from, &header_size)
      && gst_byte_reader_get_uint32_le (&from, &sum)
      && gst_byte_reader_get_uint32_le (&from, &n) && header_size <= G_MAXUINT
      && gst_byte_reader_skip (&to, 1);
  if (!ok)
    set_state_error (error, "what was saved is no state of this version");
  self->magic = TRUE;
  self->end = (flags & STATE_END) != 0;
  self->drained = (flags & STATE_DRAINED) != 0;
  self->damaged = (flags & STATE_DAMAGED) != 0;
  if (ok && read_header_again (self, header_size, sum, error)) {
    ok = n == self->streams->len;
    for (i = 0; ok && i < n; i++) {
      Stream *s = g_ptr_array_index (self->streams, i);

      ok = gst_byte_reader_get_uint64_le (&from, &s->next)
          && gst_byte_reader_get_uint64_le (&from, &self->totals[i])
          && gst_byte_reader_get_uint8 (&to, &flags)
          && gst_byte_reader_get_uint64_le (&to, &s->next_sample)
          && restore_markers (&to, s);
      s->started = (flags & STATE_STARTED) != 0;
      s->eos = (flags & STATE_EOS) != 0;
    }
    if (!ok)
      set_state_error (error, "what was saved is no state of this version");
  } else {
    ok = FALSE;
  }
  g_bytes_unref (input);
  g_bytes_unref (output);
  return ok;
}

/* A job without samples, for what is left at the end */
static GstEegChunkParse
drain (GstEegPackDec *self, gsize size, GstEegChunkUnit *unit)
{
  self->drained = TRUE;
  unit->size = size;
  self->position += size;
  return GST_EEG_CHUNK_PARSE_JOB;
}

static GstEegChunkParse
gst_eeg_pack_dec_parse (GstEegChunkCodec *codec, const guint8 *data, gsize size,
    gboolean eos, GstEegChunkUnit *unit, GError **error)
{
  GstEegPackDec *self = GST_EEG_PACK_DEC (codec);
  gboolean salvage = gst_eeg_chunk_codec_get_salvage (codec);
  eeg_eegpack_chunk chunk;

  if (!go_on (self, error))
    return GST_EEG_CHUNK_PARSE_ERROR;
  /* what ends before its end was not read to it */
  if (eos && g_atomic_int_get (&self->enough)) {
    if (size > 0)
      return skip (self, size, unit);
    return GST_EEG_CHUNK_PARSE_MORE;
  }
  if (!self->magic) {
    gsize known = MIN (size, EEG_EEGPACK_MAGIC_SIZE);

    if (known > 0 && memcmp (data, EEG_EEGPACK_MAGIC, known) != 0 && !salvage) {
      SET_ERROR (error, DECODE, "This is no EEGPack file.");
      return GST_EEG_CHUNK_PARSE_ERROR;
    }
    if (known == EEG_EEGPACK_MAGIC_SIZE) {
      self->magic = TRUE;
      if (memcmp (data, EEG_EEGPACK_MAGIC, known) == 0)
        return skip (self, known, unit);
      self->damaged = TRUE;
      return lose (self, MIN (eeg_eegpack_find_chunk (data, size), known), unit,
          error, "no magic");
    }
    if (!eos) {
      unit->size = EEG_EEGPACK_MAGIC_SIZE;
      return GST_EEG_CHUNK_PARSE_MORE;
    }
  }
  if (size == 0 && eos) {
    if (self->drained || (self->header != NULL && salvage))
      return self->drained ? GST_EEG_CHUNK_PARSE_MORE : drain (self, 0, unit);
    SET_ERROR (error, DECODE,
        self->header == NULL ? "There is no header, so nothing can be read."
                             : "The file is cut short: its end is missing.");
    return GST_EEG_CHUNK_PARSE_ERROR;
  }
  if (self->end && !salvage) {
    SET_ERROR (error, DECODE, "Something stands behind the file's end.");
    return GST_EEG_CHUNK_PARSE_ERROR;
  }

  switch (eeg_eegpack_get_chunk (data, size, self->most, &chunk)) {
    case EEG_EEGPACK_MORE:
      if (!eos) {
        unit->size = chunk.size;
        return GST_EEG_CHUNK_PARSE_MORE;
      }
      if (!salvage) {
        SET_ERROR (error, DECODE, "The file is cut short: its end is missing.");
        return GST_EEG_CHUNK_PARSE_ERROR;
      }
      /* its size may be a lie, and others stand behind */
      return lose (self, eeg_eegpack_find_chunk (data, size), unit, error,
          "a chunk that is cut");
    case EEG_EEGPACK_BAD:
      return lose (self, eeg_eegpack_find_chunk (data, size), unit, error,
          "no chunk, or a wrong checksum");
    case EEG_EEGPACK_OK:
      break;
  }
  if (self->header == NULL && chunk.type != EEG_EEGPACK_CHUNK_HEADER
      && g_ascii_isupper (chunk.type))
    return lose (self, chunk.size, unit, error, "a chunk before the header");
  switch (chunk.type) {
    case EEG_EEGPACK_CHUNK_HEADER:
      if (!read_header (self, &chunk, error))
        return GST_EEG_CHUNK_PARSE_ERROR;
      return skip (self, chunk.size, unit);
    case EEG_EEGPACK_CHUNK_DATA:
      return parse_block (self, &chunk, unit, error);
    case EEG_EEGPACK_CHUNK_MARKERS:
      if (!read_markers (self, &chunk))
        return lose (self, chunk.size, unit, error, "markers of no stream");
      return skip (self, chunk.size, unit);
    case EEG_EEGPACK_CHUNK_RECORDS:
      if (self->header != NULL && !read_records (self, &chunk))
        return lose (self, chunk.size, unit, error,
            "records that do not unfold");
      return skip (self, chunk.size, unit);
    case EEG_EEGPACK_CHUNK_INDEX:
      if (!read_index (self, &chunk))
        return lose (self, chunk.size, unit, error,
            "an index of other streams");
      return skip (self, chunk.size, unit);
    case EEG_EEGPACK_CHUNK_END:
      self->end = TRUE;
      return drain (self, chunk.size, unit);
    default:
      if (g_ascii_islower (chunk.type))
        return skip (self, chunk.size, unit);
      return lose (self, chunk.size, unit, error,
          "a chunk of a type that must be understood, and is not");
  }
}

/* --- jobs ---------------------------------------------------------------- */

static gboolean
gst_eeg_pack_dec_prepare (GstEegChunkCodec *codec, GstEegChunkJob *job,
    GError **error)
{
  GstEegPackDec *self = GST_EEG_PACK_DEC (codec);
  Extra *extra = g_new (Extra, 1);
  eeg_eegpack_data block;

  extra->markers = self->markers;
  extra->records = self->records;
  self->markers = new_markers ();
  self->records = new_records ();
  job->user_data = extra;
  job->user_free = extra_free;
  job->values[VALUE_KIND] = job->out_capacity > 0 ? KIND_BLOCK : KIND_END;
  if (job->values[VALUE_KIND] == KIND_END)
    return TRUE;
  eeg_eegpack_parse_data (self->header, job->data + EEG_EEGPACK_CHUNK_HEAD,
      job->size - EEG_EEGPACK_CHUNK_HEAD - EEG_EEGPACK_CHUNK_TAIL, &block);
  job->values[VALUE_STREAM] = block.stream;
  job->values[VALUE_FIRST] = block.first;
  job->values[VALUE_FRAMES] = block.frames;
  return TRUE;
}

/* A worker's decoders, one for each stream. The header stays as long as jobs
 * are out, but a worker lives longer. */
typedef struct
{
  guint32 header_sum;
  guint n;
  eeg_eegpack_decoder **decoders;
} Worker;

static void
worker_clear (Worker *worker)
{
  guint i;

  for (i = 0; i < worker->n; i++)
    eeg_eegpack_decoder_free (worker->decoders[i]);
  g_clear_pointer (&worker->decoders, g_free);
  worker->n = 0;
}

static gpointer
gst_eeg_pack_dec_worker_new (GstEegChunkCodec *codec, GError **error)
{
  return g_new0 (Worker, 1);
}

static void
gst_eeg_pack_dec_worker_free (GstEegChunkCodec *codec, gpointer data)
{
  worker_clear (data);
  g_free (data);
}

static gboolean
gst_eeg_pack_dec_process (GstEegChunkCodec *codec, gpointer data,
    GstEegChunkJob *job, GError **error)
{
  GstEegPackDec *self = GST_EEG_PACK_DEC (codec);
  Worker *worker = data;
  eeg_eegpack_data block;
  const eeg_eegpack_stream *s;

  if (job->values[VALUE_KIND] == KIND_END)
    return TRUE;
  if (worker->header_sum != self->header_sum || worker->n == 0) {
    worker_clear (worker);
    worker->header_sum = self->header_sum;
    worker->n = self->header->n_streams;
    worker->decoders = g_new0 (eeg_eegpack_decoder *, worker->n);
  }
  eeg_eegpack_parse_data (self->header, job->data + EEG_EEGPACK_CHUNK_HEAD,
      job->size - EEG_EEGPACK_CHUNK_HEAD - EEG_EEGPACK_CHUNK_TAIL, &block);
  s = &self->header->streams[block.stream];
  if (worker->decoders[block.stream] == NULL)
    worker->decoders[block.stream] = eeg_eegpack_decoder_new (s->format,
        s->channels, s->max_frames, eeg_cpu_choose ());
  if (worker->decoders[block.stream] == NULL) {
    g_set_error_literal (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED,
        "Could not allocate a decoder.");
    return FALSE;
  }
  if (!eeg_eegpack_decode (worker->decoders[block.stream], block.block,
          block.block_size, block.frames, job->out)) {
    SET_ERROR (error, DECODE, "A block does not decode.");
    return FALSE;
  }
  job->out_size = job->out_capacity;
  return TRUE;
}

/* --- pushing ------------------------------------------------------------- */

static void
attach_markers (Stream *s, GstBuffer *buffer)
{
  guint i;

  for (i = 0; i < s->markers->len; i++) {
    const Marker *m = &g_array_index (s->markers, Marker, i);

    gst_buffer_add_eeg_marker_meta (buffer, m->time, m->duration, m->text);
  }
  g_array_set_size (s->markers, 0);
}

/* Markers wait for samples of the streams they belong to. */
static void
spread_markers (GstEegPackDec *self, const Extra *extra)
{
  guint i, k;

  for (i = 0; i < extra->markers->len; i++) {
    const Marker *m = &g_array_index (extra->markers, Marker, i);

    for (k = 0; k < self->streams->len; k++) {
      Stream *s = g_ptr_array_index (self->streams, k);
      Marker copy = *m;

      if ((m->stream != EEG_EEGPACK_NO_STREAM && m->stream != k)
          || s->markers->len >= MAX_WAITING)
        continue;
      copy.text = g_strdup (m->text);
      g_array_append_val (s->markers, copy);
    }
  }
}

static void
push_gap (GstEegPackDec *self, Stream *s, guint64 to)
{
  GstEegStageCounters *counters =
      gst_eeg_chunk_codec_get_counters (GST_EEG_CHUNK_CODEC (self));
  guint64 from = MAX (s->next_sample, s->clip_first);
  GstClockTime start;

  to = MIN (to, s->clip_end);
  if (to <= from)
    return;
  start = gst_eeg_info_samples_to_time (&s->info, from);
  gst_eeg_stage_count (&counters->lost, to - from);
  gst_pad_push_event (s->pad,
      gst_event_new_gap (start,
          gst_eeg_info_samples_to_time (&s->info, to) - start));
  s->discont = TRUE;
}

/* transfer full */
static GstFlowReturn
push_block (GstEegPackDec *self, Stream *s, const GstEegChunkJob *job,
    GstBuffer *buffer)
{
  GstEegStageCounters *counters =
      gst_eeg_chunk_codec_get_counters (GST_EEG_CHUNK_CODEC (self));
  const Extra *extra = job->user_data;
  guint64 first = job->values[VALUE_FIRST];
  guint64 end = first + job->values[VALUE_FRAMES];
  guint64 from = MAX (first, s->clip_first), to = MIN (end, s->clip_end);
  GstClockTime position;
  guint i;

  if (s->send_segment)
    push_segment (self, s);
  /* a recording may begin late, unless its beginning was damaged */
  if (s->started || self->damaged || s->clip_first > 0)
    push_gap (self, s, first);
  s->started = TRUE;
  s->next_sample = end;
  if (end >= s->clip_end)
    s->eos = TRUE;
  if (from >= to) {
    gst_buffer_unref (buffer);
    return s->eos ? GST_FLOW_EOS : GST_FLOW_OK;
  }
  buffer = gst_buffer_make_writable (buffer);
  if (to - from < end - first)
    gst_buffer_resize (buffer,
        (gssize) ((from - first) * s->info.bytes_per_frame),
        (gssize) ((to - from) * s->info.bytes_per_frame));
  gst_eeg_info_stamp_buffer (&s->info, buffer, from, to - from);
  if (s->discont)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  s->discont = FALSE;
  attach_markers (s, buffer);
  for (i = 0; i < extra->records->len; i++)
    gst_buffer_add_eeg_edf_record_meta (buffer,
        g_ptr_array_index (extra->records, i));

  gst_eeg_stage_count_out (counters, gst_buffer_get_size (buffer), to - from);
  position = GST_BUFFER_PTS (buffer) + GST_BUFFER_DURATION (buffer);
  GST_OBJECT_LOCK (self);
  self->shared.position = position;
  GST_OBJECT_UNLOCK (self);
  return gst_pad_push (s->pad, buffer);
}

/* What the index told is missing at the end, and markers without samples */
static GstFlowReturn
push_rest (GstEegPackDec *self, Stream *s, guint64 total)
{
  GstFlowReturn flow = GST_FLOW_OK;

  if (s->send_segment)
    push_segment (self, s);
  if (s->markers->len > 0 && !s->eos) {
    GstBuffer *buffer = gst_buffer_new ();

    gst_eeg_info_stamp_buffer (&s->info, buffer, s->next_sample, 0);
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_GAP);
    attach_markers (s, buffer);
    flow = gst_pad_push (s->pad, buffer);
  }
  if (flow == GST_FLOW_OK && (s->started || self->damaged))
    push_gap (self, s, total);
  return flow;
}

static GstFlowReturn
gst_eeg_pack_dec_push (GstEegChunkCodec *codec, const GstEegChunkJob *job,
    GstBuffer *buffer)
{
  GstEegPackDec *self = GST_EEG_PACK_DEC (codec);
  GstFlowReturn flow = GST_FLOW_OK;
  Stream *s;
  guint i;

  spread_markers (self, job->user_data);
  if (job->values[VALUE_KIND] == KIND_BLOCK) {
    s = g_ptr_array_index (self->streams, job->values[VALUE_STREAM]);
    flow = gst_flow_combiner_update_pad_flow (self->combiner, s->pad,
        push_block (self, s, job, buffer));
    if (flow == GST_FLOW_EOS)
      g_atomic_int_set (&self->enough, TRUE);
    return flow;
  }
  gst_clear_buffer (&buffer);
  for (i = 0; i < self->streams->len && flow == GST_FLOW_OK; i++) {
    s = g_ptr_array_index (self->streams, i);
    flow = gst_flow_combiner_update_pad_flow (self->combiner, s->pad,
        push_rest (self, s, self->totals[i]));
  }
  return flow;
}

static gboolean
gst_eeg_pack_dec_push_event (GstEegChunkCodec *codec, GstEvent *event)
{
  GstEegPackDec *self = GST_EEG_PACK_DEC (codec);

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_STREAM_START:
    case GST_EVENT_CAPS:
    case GST_EVENT_SEGMENT:
    case GST_EVENT_GAP:
      /* those of bytes; the streams have their own */
      gst_event_unref (event);
      return TRUE;
    case GST_EVENT_FLUSH_STOP:
      gst_flow_combiner_reset (self->combiner);
      break;
    default:
      break;
  }
  push_to_all (self, event);
  return TRUE;
}

/* --- codec --------------------------------------------------------------- */

static gboolean
gst_eeg_pack_dec_can_resume (GstEegChunkCodec *codec, GError **error)
{
  return TRUE;
}

static GBytes *
gst_eeg_pack_dec_save_input (GstEegChunkCodec *codec, GError **error)
{
  GstEegPackDec *self = GST_EEG_PACK_DEC (codec);
  GstByteWriter w;
  guint size, i;

  if (!go_on (self, error))
    return NULL;
  /* what belongs to the next block is not saved: behind that */
  if (self->header == NULL || self->markers->len > 0 || self->records->len > 0)
    return NULL;
  if (self->segment.start > 0 || GST_CLOCK_TIME_IS_VALID (self->segment.stop)) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_NOT_IMPLEMENTED,
        "%s cannot go on behind a seek", GST_OBJECT_NAME (self));
    return NULL;
  }
  gst_byte_writer_init (&w);
  gst_byte_writer_put_uint8 (&w, STATE_VERSION);
  gst_byte_writer_put_uint8 (&w,
      (self->end ? STATE_END : 0) | (self->drained ? STATE_DRAINED : 0)
          | (self->damaged ? STATE_DAMAGED : 0));
  gst_byte_writer_put_uint64_le (&w, self->position);
  gst_byte_writer_put_uint64_le (&w, self->header_size);
  gst_byte_writer_put_uint32_le (&w, self->header_sum);
  gst_byte_writer_put_uint32_le (&w, self->streams->len);
  for (i = 0; i < self->streams->len; i++) {
    const Stream *s = g_ptr_array_index (self->streams, i);

    gst_byte_writer_put_uint64_le (&w, s->next);
    gst_byte_writer_put_uint64_le (&w, self->totals[i]);
  }
  size = gst_byte_writer_get_pos (&w);
  return g_bytes_new_take (gst_byte_writer_reset_and_get_data (&w), size);
}

static GBytes *
gst_eeg_pack_dec_save_output (GstEegChunkCodec *codec, GError **error)
{
  GstEegPackDec *self = GST_EEG_PACK_DEC (codec);
  GstByteWriter w;
  guint8 *blob;
  guint size, i, k;

  gst_byte_writer_init (&w);
  gst_byte_writer_put_uint8 (&w, STATE_VERSION);
  for (i = 0; i < self->streams->len; i++) {
    const Stream *s = g_ptr_array_index (self->streams, i);

    gst_byte_writer_put_uint8 (&w,
        (s->started ? STATE_STARTED : 0) | (s->eos ? STATE_EOS : 0));
    gst_byte_writer_put_uint64_le (&w, s->next_sample);
    gst_byte_writer_put_uint32_le (&w, s->markers->len);
    for (k = 0; k < s->markers->len; k++) {
      const Marker *m = &g_array_index (s->markers, Marker, k);
      gsize length = strlen (m->text);

      gst_byte_writer_put_uint64_le (&w, m->time);
      gst_byte_writer_put_uint64_le (&w, m->duration);
      gst_byte_writer_put_uint32_le (&w, (guint32) length);
      gst_byte_writer_put_data (&w, (const guint8 *) m->text, (guint) length);
    }
  }
  size = gst_byte_writer_get_pos (&w);
  blob = gst_byte_writer_reset_and_get_data (&w);
  if (size <= MAX_STATE)
    return g_bytes_new_take (blob, size);
  g_free (blob);
  g_set_error_literal (error, GST_CORE_ERROR, GST_CORE_ERROR_TOO_LAZY,
      "too many markers wait for their samples");
  return NULL;
}

static gboolean
gst_eeg_pack_dec_restore (GstEegChunkCodec *codec, const guint8 *input,
    gsize input_size, const guint8 *output, gsize output_size)
{
  GstEegPackDec *self = GST_EEG_PACK_DEC (codec);

  if (input_size < 1 || input[0] != STATE_VERSION || output_size < 1
      || output[0] != STATE_VERSION)
    return FALSE;
  self->saved_input = g_bytes_new (input, input_size);
  self->saved_output = g_bytes_new (output, output_size);
  return TRUE;
}

/* No job is out. What a seek asked for begins here. */
static void
gst_eeg_pack_dec_reset (GstEegChunkCodec *codec)
{
  GstEegPackDec *self = GST_EEG_PACK_DEC (codec);
  gboolean seek;
  guint i;

  /* it goes on no more */
  g_clear_pointer (&self->saved_input, g_bytes_unref);
  g_clear_pointer (&self->saved_output, g_bytes_unref);
  GST_OBJECT_LOCK (self);
  seek = self->shared.seek_pending && self->header != NULL;
  self->shared.seek_pending = FALSE;
  if (seek) {
    self->segment = self->shared.seek_segment;
    self->segment_seqnum = self->shared.seek_seqnum;
    self->position = self->shared.seek_offset;
  } else {
    gst_segment_init (&self->segment, GST_FORMAT_TIME);
    self->segment_seqnum = GST_SEQNUM_INVALID;
    self->position = 0;
  }
  GST_OBJECT_UNLOCK (self);
  self->magic = seek;
  self->end = self->drained = self->damaged = FALSE;
  g_atomic_int_set (&self->enough, FALSE);
  g_array_set_size (self->markers, 0);
  g_ptr_array_set_size (self->records, 0);
  for (i = 0; i < self->streams->len; i++)
    set_segment (self, g_ptr_array_index (self->streams, i));
}

static void
gst_eeg_pack_dec_stop (GstEegChunkCodec *codec)
{
  forget_file (GST_EEG_PACK_DEC (codec));
}

static void
gst_eeg_pack_dec_limits (GstEegChunkCodec *codec, GstEegChunkLimits *limits)
{
  GstEegPackDec *self = GST_EEG_PACK_DEC (codec);

  GST_OBJECT_LOCK (self);
  if (self->shared.ready) {
    limits->max_input = self->shared.max_input;
    limits->max_output = self->shared.max_output;
    limits->context_bytes = self->shared.context_bytes;
  }
  limits->extra_bytes = self->shared.entries->len * sizeof (eeg_eegpack_entry);
  GST_OBJECT_UNLOCK (self);
}

/* --- the index ----------------------------------------------------------- */

/* Reads a whole chunk at an offset. */
static GstBuffer *
pull_chunk (GstPad *pad, guint64 offset, guint64 file_size, GstMapInfo *map,
    eeg_eegpack_chunk *chunk)
{
  gsize size = EEG_EEGPACK_CHUNK_HEAD;
  guint step;

  for (step = 0; step < 2; step++) {
    GstBuffer *buffer = NULL;
    eeg_eegpack_result result;

    if (offset >= file_size || size > file_size - offset || size > G_MAXUINT32
        || gst_pad_pull_range (pad, offset, (guint) size, &buffer)
            != GST_FLOW_OK)
      return NULL;
    if (!gst_buffer_map (buffer, map, GST_MAP_READ)) {
      gst_buffer_unref (buffer);
      return NULL;
    }
    result = eeg_eegpack_get_chunk (map->data, map->size, 0, chunk);
    if (result == EEG_EEGPACK_OK)
      return buffer;
    gst_buffer_unmap (buffer, map);
    gst_buffer_unref (buffer);
    if (result != EEG_EEGPACK_MORE)
      return NULL;
    size = chunk->size;
  }
  return NULL;
}

static void
release_chunk (GstBuffer *buffer, GstMapInfo *map)
{
  gst_buffer_unmap (buffer, map);
  gst_buffer_unref (buffer);
}

static gint
compare_entries (gconstpointer a, gconstpointer b)
{
  const eeg_eegpack_entry *x = a, *y = b;

  return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Takes the entries of all index chunks, from the last one back. The totals are
 * those of the last one. */
static gboolean
read_indexes (GstPad *pad, guint64 at, guint64 file_size, guint n_streams,
    GArray *entries, guint64 *totals)
{
  guint64 *found = g_new (guint64, n_streams);
  gboolean ok = TRUE, last = TRUE;

  while (ok && at != 0) {
    eeg_eegpack_entry entry = { 0 };
    eeg_eegpack_result result = EEG_EEGPACK_BAD;
    eeg_eegpack_chunk chunk;
    GstMapInfo map;
    GstBuffer *buffer = pull_chunk (pad, at, file_size, &map, &chunk);
    guint64 previous = 0;
    gsize place;

    if (buffer == NULL)
      break;
    if (chunk.type == EEG_EEGPACK_CHUNK_INDEX
        && eeg_eegpack_parse_index (chunk.payload, chunk.payload_size, &place,
            &previous, found, n_streams)
        && previous < at) {
      if (last)
        memcpy (totals, found, n_streams * sizeof *totals);
      last = FALSE;
      while (entries->len < MAX_ENTRIES
          && (result = eeg_eegpack_parse_entry (chunk.payload,
                  chunk.payload_size, &place, n_streams, &entry))
              == EEG_EEGPACK_OK)
        g_array_append_val (entries, entry);
    }
    release_chunk (buffer, &map);
    ok = result == EEG_EEGPACK_MORE;
    if (ok)
      at = previous;
  }
  g_free (found);
  return ok && at == 0 && !last;
}

/* Before anything streams: looks at the end of the file for where its blocks
 * are. What is not there, or lies, is done without. */
static void
pull_index (GstEegPackDec *self, GstPad *pad)
{
  GArray *entries = g_array_new (FALSE, FALSE, sizeof (eeg_eegpack_entry));
  eeg_eegpack_header *header = NULL;
  GstClockTime total = 0;
  eeg_eegpack_chunk chunk;
  GstMapInfo map;
  GstBuffer *buffer;
  guint64 index = 0, end = 0, *totals = NULL;
  gint64 size = -1;
  gboolean ok = FALSE;
  guint i;

  if (!gst_pad_peer_query_duration (pad, GST_FORMAT_BYTES, &size)
      || size < EEG_EEGPACK_MAGIC_SIZE + EEG_EEGPACK_END_SIZE)
    goto out;
  buffer = pull_chunk (pad, size - EEG_EEGPACK_END_SIZE, size, &map, &chunk);
  if (buffer == NULL)
    goto out;
  ok = chunk.type == EEG_EEGPACK_CHUNK_END
      && eeg_eegpack_parse_end (chunk.payload, chunk.payload_size, &index, &end)
      && end == (guint64) size - EEG_EEGPACK_END_SIZE;
  release_chunk (buffer, &map);
  if (!ok)
    goto out;
  ok = FALSE;
  buffer = pull_chunk (pad, EEG_EEGPACK_MAGIC_SIZE, size, &map, &chunk);
  if (buffer == NULL)
    goto out;
  if (chunk.type == EEG_EEGPACK_CHUNK_HEADER)
    header = eeg_eegpack_parse_header (chunk.payload, chunk.payload_size);
  release_chunk (buffer, &map);
  if (header == NULL)
    goto out;
  totals = g_new0 (guint64, header->n_streams);
  ok = read_indexes (pad, index, size, header->n_streams, entries, totals);

out:
  if (ok) {
    for (i = 0; i < header->n_streams; i++)
      total = MAX (total,
          gst_util_uint64_scale (totals[i],
              header->streams[i].rate_den * GST_SECOND,
              header->streams[i].rate_num));
    g_array_sort (entries, compare_entries);
    GST_DEBUG_OBJECT (self, "%u blocks in the index", entries->len);
    GST_OBJECT_LOCK (self);
    g_array_set_size (self->shared.entries, 0);
    g_array_append_vals (self->shared.entries, entries->data, entries->len);
    self->shared.indexed = TRUE;
    self->shared.total = total;
    GST_OBJECT_UNLOCK (self);
  }
  g_array_unref (entries);
  g_free (totals);
  eeg_eegpack_header_free (header);
}

static gboolean
sink_activate (GstPad *pad, GstObject *parent)
{
  GstQuery *query = gst_query_new_scheduling ();
  GstPad *peer = gst_pad_get_peer (pad);
  gboolean can_pull = FALSE;

  /* One that is active already, as in decodebin, may have called us from its
   * own thread, and could not stop pulling again. */
  if (peer != NULL && !gst_pad_is_active (peer) && gst_pad_query (peer, query))
    can_pull = gst_query_has_scheduling_mode_with_flags (query,
        GST_PAD_MODE_PULL, GST_SCHEDULING_FLAG_SEEKABLE);
  gst_query_unref (query);
  gst_clear_object (&peer);
  if (can_pull && gst_pad_activate_mode (pad, GST_PAD_MODE_PULL, TRUE)) {
    pull_index (GST_EEG_PACK_DEC (parent), pad);
    gst_pad_activate_mode (pad, GST_PAD_MODE_PULL, FALSE);
  }
  return gst_pad_activate_mode (pad, GST_PAD_MODE_PUSH, TRUE);
}

static gboolean
sink_activate_mode (GstPad *pad, GstObject *parent, GstPadMode mode,
    gboolean active)
{
  return TRUE;
}

/* --- seeking ------------------------------------------------------------- */

/* A copy, as pads may be on their way out. FALSE: it is no pad any more. */
static gboolean
get_info (GstEegPackDec *self, GstPad *pad, GstEegInfo *info)
{
  gboolean found = FALSE;
  guint i;

  gst_eeg_info_init (info);
  GST_OBJECT_LOCK (self);
  for (i = 0; i < self->streams->len && !found; i++) {
    const Stream *s = g_ptr_array_index (self->streams, i);

    found = s->pad == pad;
    if (found)
      gst_eeg_info_copy_into (&s->info, info);
  }
  GST_OBJECT_UNLOCK (self);
  return found;
}

static gboolean
convert (GstEegPackDec *self, GstPad *pad, GstFormat from, gint64 value,
    GstFormat to, gint64 *converted)
{
  GstEegInfo info;
  gboolean ok = get_info (self, pad, &info)
      && gst_eeg_info_convert (&info, from, value, to, converted);

  gst_eeg_info_clear (&info);
  return ok;
}

/* Where reading must begin so that no stream misses a sample from `time` on.
 * Object lock held. */
static guint64
find_offset (GstEegPackDec *self, GstClockTime time)
{
  GArray *entries = self->shared.entries;
  guint64 offset = G_MAXUINT64;
  guint n = self->streams->len, found = 0, i;
  gboolean *done = g_new0 (gboolean, n);

  /* the last block of each that begins at or before that */
  for (i = entries->len; i > 0 && found < n; i--) {
    const eeg_eegpack_entry *e =
        &g_array_index (entries, eeg_eegpack_entry, i - 1);
    const Stream *s;

    if (e->stream >= n || done[e->stream])
      continue;
    s = g_ptr_array_index (self->streams, e->stream);
    if (e->first > gst_eeg_info_time_to_samples (&s->info, time))
      continue;
    done[e->stream] = TRUE;
    found++;
    offset = MIN (offset, e->offset);
  }
  /* a stream without one begins later, somewhere behind the header */
  if (found < n)
    for (i = 0; i < entries->len; i++) {
      const eeg_eegpack_entry *e =
          &g_array_index (entries, eeg_eegpack_entry, i);

      if (e->stream < n && !done[e->stream]) {
        offset = MIN (offset, e->offset);
        break;
      }
    }
  g_free (done);
  return offset;
}

static gboolean
seek (GstEegPackDec *self, GstPad *pad, GstEvent *event)
{
  gdouble rate;
  GstFormat format;
  GstSeekFlags flags;
  GstSeekType start_type, stop_type;
  gint64 start, stop;
  GstSegment segment;
  GstEvent *upstream;
  GstPad *sink;
  guint64 offset;
  gboolean ok;

  gst_event_parse_seek (event, &rate, &format, &flags, &start_type, &start,
      &stop_type, &stop);
  if (rate <= 0.0 || !(flags & GST_SEEK_FLAG_FLUSH)
      || (flags & GST_SEEK_FLAG_SEGMENT))
    return FALSE;
  if (format == GST_FORMAT_DEFAULT) {
    if ((start_type == GST_SEEK_TYPE_SET
            && !convert (self, pad, format, start, GST_FORMAT_TIME, &start))
        || (stop_type == GST_SEEK_TYPE_SET && stop >= 0
            && !convert (self, pad, format, stop, GST_FORMAT_TIME, &stop)))
      return FALSE;
  } else if (format != GST_FORMAT_TIME) {
    return FALSE;
  }
  if (start_type == GST_SEEK_TYPE_END || stop_type == GST_SEEK_TYPE_END)
    return FALSE;
  gst_segment_init (&segment, GST_FORMAT_TIME);
  GST_OBJECT_LOCK (self);
  segment.duration = self->shared.total;
  segment.position = self->shared.position;
  GST_OBJECT_UNLOCK (self);
  if (!gst_segment_do_seek (&segment, rate, GST_FORMAT_TIME, flags, start_type,
          start, stop_type, stop, NULL))
    return FALSE;

  GST_OBJECT_LOCK (self);
  offset = find_offset (self, segment.start);
  ok = offset != G_MAXUINT64;
  if (ok) {
    self->shared.seek_pending = TRUE;
    self->shared.seek_offset = offset;
    self->shared.seek_segment = segment;
    self->shared.seek_seqnum = gst_event_get_seqnum (event);
  }
  GST_OBJECT_UNLOCK (self);
  if (!ok)
    return FALSE;
  upstream = gst_event_new_seek (1.0, GST_FORMAT_BYTES,
      GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE, GST_SEEK_TYPE_SET,
      (gint64) offset, GST_SEEK_TYPE_NONE, -1);
  gst_event_set_seqnum (upstream, gst_event_get_seqnum (event));
  sink = gst_element_get_static_pad (GST_ELEMENT_CAST (self), "sink");
  ok = gst_pad_push_event (sink, upstream);
  gst_object_unref (sink);
  if (!ok) {
    GST_OBJECT_LOCK (self);
    self->shared.seek_pending = FALSE;
    GST_OBJECT_UNLOCK (self);
  }
  return ok;
}

static gboolean
gst_eeg_pack_dec_src_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstEegPackDec *self = GST_EEG_PACK_DEC (parent);

  if (GST_EVENT_TYPE (event) == GST_EVENT_SEEK) {
    gboolean ok = seek (self, pad, event);

    gst_event_unref (event);
    return ok;
  }
  return gst_pad_event_default (pad, parent, event);
}

static gboolean
upstream_seekable (GstEegPackDec *self)
{
  GstPad *sink = gst_element_get_static_pad (GST_ELEMENT_CAST (self), "sink");
  GstQuery *query = gst_query_new_seeking (GST_FORMAT_BYTES);
  gboolean seekable = FALSE;

  if (gst_pad_peer_query (sink, query))
    gst_query_parse_seeking (query, NULL, &seekable, NULL, NULL);
  gst_query_unref (query);
  gst_object_unref (sink);
  return seekable;
}

static gboolean
gst_eeg_pack_dec_src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstEegPackDec *self = GST_EEG_PACK_DEC (parent);
  GstClockTime total, position;
  GstFormat format, other;
  gint64 value, converted;

  if (gst_eeg_stage_answer_query (GST_EEG_STAGE (self), pad, query))
    return TRUE;
  GST_OBJECT_LOCK (self);
  total = self->shared.total;
  position = self->shared.position;
  GST_OBJECT_UNLOCK (self);
  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_DURATION:
      gst_query_parse_duration (query, &format, NULL);
      if (!GST_CLOCK_TIME_IS_VALID (total)
          || !convert (self, pad, GST_FORMAT_TIME, (gint64) total, format,
              &value))
        return FALSE;
      gst_query_set_duration (query, format, value);
      return TRUE;
    case GST_QUERY_POSITION:
      gst_query_parse_position (query, &format, NULL);
      if (!convert (self, pad, GST_FORMAT_TIME, (gint64) position, format,
              &value))
        return FALSE;
      gst_query_set_position (query, format, value);
      return TRUE;
    case GST_QUERY_SEEKING:
      gst_query_parse_seeking (query, &format, NULL, NULL, NULL);
      gst_query_set_seeking (query, format,
          format == GST_FORMAT_TIME && upstream_seekable (self), 0,
          GST_CLOCK_TIME_IS_VALID (total) ? (gint64) total : -1);
      return TRUE;
    case GST_QUERY_CONVERT:
      gst_query_parse_convert (query, &format, &value, &other, NULL);
      if (!convert (self, pad, format, value, other, &converted))
        return FALSE;
      gst_query_set_convert (query, format, value, other, converted);
      return TRUE;
    default:
      return gst_pad_query_default (pad, parent, query);
  }
}

/* --- class --------------------------------------------------------------- */

static void
gst_eeg_pack_dec_constructed (GObject *object)
{
  GstPad *sink;

  G_OBJECT_CLASS (gst_eeg_pack_dec_parent_class)->constructed (object);
  sink = gst_element_get_static_pad (GST_ELEMENT_CAST (object), "sink");
  gst_pad_set_activate_function (sink, sink_activate);
  gst_pad_set_activatemode_function (sink, sink_activate_mode);
  gst_object_unref (sink);
}

static void
gst_eeg_pack_dec_finalize (GObject *object)
{
  GstEegPackDec *self = GST_EEG_PACK_DEC (object);

  g_ptr_array_unref (self->streams);
  g_array_unref (self->markers);
  g_ptr_array_unref (self->records);
  g_array_unref (self->shared.entries);
  gst_flow_combiner_unref (self->combiner);
  eeg_eegpack_header_free (self->header);
  g_clear_pointer (&self->saved_input, g_bytes_unref);
  g_clear_pointer (&self->saved_output, g_bytes_unref);
  g_free (self->totals);
  G_OBJECT_CLASS (gst_eeg_pack_dec_parent_class)->finalize (object);
}

static void
gst_eeg_pack_dec_class_init (GstEegPackDecClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstEegChunkCodecClass *codec_class = GST_EEG_CHUNK_CODEC_CLASS (klass);

  object_class->constructed = gst_eeg_pack_dec_constructed;
  object_class->finalize = gst_eeg_pack_dec_finalize;

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "EEGPack decoder",
      "Codec/Decoder/Demuxer", "Decodes EEG samples from EEGPack files",
      "gst-plugins-eeg developers");

  codec_class->media_type = "application/x-eegpack";
  codec_class->can_resume = gst_eeg_pack_dec_can_resume;
  codec_class->save_input = gst_eeg_pack_dec_save_input;
  codec_class->save_output = gst_eeg_pack_dec_save_output;
  codec_class->restore = gst_eeg_pack_dec_restore;
  codec_class->stop = gst_eeg_pack_dec_stop;
  codec_class->reset = gst_eeg_pack_dec_reset;
  codec_class->limits = gst_eeg_pack_dec_limits;
  codec_class->worker_new = gst_eeg_pack_dec_worker_new;
  codec_class->worker_free = gst_eeg_pack_dec_worker_free;
  codec_class->parse = gst_eeg_pack_dec_parse;
  codec_class->prepare = gst_eeg_pack_dec_prepare;
  codec_class->process = gst_eeg_pack_dec_process;
  codec_class->push = gst_eeg_pack_dec_push;
  codec_class->push_event = gst_eeg_pack_dec_push_event;
}

static void
gst_eeg_pack_dec_init (GstEegPackDec *self)
{
  self->streams = g_ptr_array_new_with_free_func (free_stream);
  self->combiner = gst_flow_combiner_new ();
  self->markers = new_markers ();
  self->records = new_records ();
  self->shared.entries = g_array_new (FALSE, FALSE, sizeof (eeg_eegpack_entry));
  self->shared.total = GST_CLOCK_TIME_NONE;
  gst_segment_init (&self->segment, GST_FORMAT_TIME);
}
