/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-edfdemux
 * @title: edfdemux
 * @short_description: reads EDF, EDF+, BDF and BDF+
 *
 * Splits a file into one stream of counts per distinct sample rate, on the
 * pads `src_0`, `src_1`, ... in the order of the header. The channel table is
 * in the caps; subject, start time and prefilters are in the `eeg-recording`
 * event. Annotations become markers on the buffers of the record that holds
 * them, on every pad. In BioSemi's BDF each rising trigger bit of the Status
 * signal becomes a marker too; the signal itself comes out unchanged. Samples
 * outside the declared digital range are not clipped.
 *
 * Works with pushed bytes and pulls where upstream can. Seeks in TIME and
 * samples to the exact sample.
 *
 * ## Example
 * |[
 * gst-launch-1.0 filesrc location=night.edf ! edfdemux ! fakesink
 * ]|
 *
 * - Caps: application/x-edf or application/x-bdf in;
 *   application/x-eeg-raw, counts, S16LE for EDF and S24LE for BDF, out.
 * - Latency: one data record. Memory: the header, and twice the larger of one
 *   record and 128 KiB.
 * - Gaps of EDF+D and BDF+D: a GAP event, then a buffer with DISCONT whose
 *   offset counts the missing samples.
 * - Flush: reading goes on at the next whole record.
 * - EOS: a file that ends inside a record, or after another number of records
 *   than its header says, gives all whole records and then a warning message.
 * - Checkpoints, with pushed bytes: a barrier may come at any byte, and leaves
 *   on all pads behind the record in which it came. Going on, the rest of that
 *   record is thrown away, and the source is asked for the header once more
 *   (gst_eeg_query_new_input_bytes()).
 */
#include "config.h"

#include "gstedfdemux.h"
#include <gst/eeg/gsteegedfrecord.h>
#include "gsteegedf.h"

#include <gst/base/gstadapter.h>
#include <gst/base/gstbytereader.h>
#include <gst/base/gstbytewriter.h>
#include <gst/base/gstflowcombiner.h>
#include <string.h>

#define GST_CAT_DEFAULT gst_eeg_edf_demux_debug
GST_DEBUG_CATEGORY_STATIC (GST_CAT_DEFAULT);

/* Small records travel together, up to this. */
#define BATCH_BYTES (128 * 1024)
#define BATCH_RECORDS 1024
#define REASON_SIZE 256

/* A saved state, little-endian: u8 version, u8 whether the last sample of the
 * Status signal is known, u16 its triggers, u32 pads; hash of the header; u64
 * bytes of the header, bytes of the input before the barrier, number of the
 * next record; i64 time of the first record; u64 number and i64 time of the
 * first record of the current run. Then of each pad u64 whether nothing was
 * pushed yet, u64 first sample of the run, u64 next sample. */
#define STATE_VERSION 1
#define STATE_HEAD (8 + GST_EEG_EDF_HASH_SIZE + 6 * 8)
#define STATE_STREAM 24
/* No file has as many samples, bytes or nanoseconds. */
#define MAX_SAVED (G_GINT64_CONSTANT (1) << 61)

enum
{
  PROP_0,
  PROP_STATS
};

/* One rate */
typedef struct
{
  GstPad *pad;
  GstEegInfo info;
  GstEegAllocator *allocator;
  guint group;
  guint32 samples_per_record;
  guint64 run_sample;  /* first sample of the current run, lost ones counted */
  guint64 next_sample; /* where the next buffer would join without a gap */
  guint64 clip_first, clip_end; /* of the segment */
  gboolean discont;
  gboolean resumed; /* nothing was pushed since a barrier */
  gboolean eos;     /* the segment's end is reached */
} Stream;

/* A barrier that waits for the end of a record */
typedef struct
{
  GstEvent *event;
  guint64 position; /* bytes of the input before it */
} Held;

/* Streaming thread only, but what is said below */
struct state
{
  GstAdapter *adapter;
  EegEdfHeader *header;
  gsize annotation_bytes; /* in a record */
  gint status_signal;     /* whose triggers become markers, or -1 */
  EegEdfStatusState status;

  GPtrArray *streams;
  GstFlowCombiner *combiner;

  gboolean exposed;
  gboolean failed;   /* an error was posted: no EOS may look like an end */
  gboolean skipped;  /* a seek left records out: no count to compare */
  gint64 first_time; /* of record 0, ns since the header's start */
  guint64 record;    /* number of the next record */
  guint64 drop;      /* bytes up to the next record, after a seek */
  /* records without a gap before them */
  guint64 run_record;
  gint64 run_time; /* ns since the header's start */

  GstSegment segment;
  gboolean send_segment;
  guint32 segment_seqnum;
  guint group_id;
  gboolean have_group_id;

  GQueue barriers; /* of Held */
  guint64 left_at; /* position of the one that leaves */

  guint64 offset;    /* pull mode: bytes read */
  guint64 file_size; /* pull mode; 0: not known */
};

/* Under the object lock: what queries and seeks from other threads need */
struct shared
{
  gboolean ready; /* the rest is valid */
  gboolean pull;
  gboolean discontinuous;
  gsize header_size;
  gsize record_size;
  EegEdfRational duration; /* of a record */
  GstClockTime total;      /* or NONE */
  GstClockTime position;
  /* push mode: the seek that the next BYTES segment answers */
  gboolean seek_pending;
  guint64 seek_record;
  GstSegment seek_segment;
  guint32 seek_seqnum;
};

#define GST_TYPE_EEG_EDF_DEMUX (gst_eeg_edf_demux_get_type ())
G_DECLARE_FINAL_TYPE (GstEegEdfDemux, gst_eeg_edf_demux, GST, EEG_EDF_DEMUX,
    GstElement)

/* Locking: `state` belongs to the streaming thread, that is, to the holder of
 * the sink pad's stream lock; a seek in pull mode takes that lock after it has
 * stopped the task. `shared` and `restore` are under the object lock. Nothing
 * is pushed, posted or queried under the object lock. */
struct _GstEegEdfDemux
{
  GstElement parent;

  GstPad *sink_pad;
  GstEegStageCounters counters;
  struct state state;
  struct shared shared;
  GBytes *restore; /* to go on from, taken when the stream begins */
};

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
        GST_STATIC_CAPS ("application/x-edf; application/x-bdf"));

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src_%u", GST_PAD_SRC, GST_PAD_SOMETIMES,
        GST_STATIC_CAPS (GST_EEG_RAW_CAPS_MAKE ("{ S16LE, S24LE }", "counts")));

static void gst_eeg_edf_demux_stage_init (GstEegStageInterface *iface);
static gboolean gst_eeg_edf_demux_src_event (GstPad *pad, GstObject *parent,
    GstEvent *event);
static gboolean gst_eeg_edf_demux_src_query (GstPad *pad, GstObject *parent,
    GstQuery *query);

G_DEFINE_TYPE_WITH_CODE (GstEegEdfDemux, gst_eeg_edf_demux, GST_TYPE_ELEMENT,
    G_IMPLEMENT_INTERFACE (GST_TYPE_EEG_STAGE, gst_eeg_edf_demux_stage_init)
        GST_DEBUG_CATEGORY_INIT (GST_CAT_DEFAULT, "edfdemux", 0,
            "EDF and BDF demuxer"))
GST_ELEMENT_REGISTER_DEFINE (edfdemux, "edfdemux", GST_RANK_PRIMARY,
    GST_TYPE_EEG_EDF_DEMUX)

static guint
batch_records (const EegEdfHeader *header)
{
  return CLAMP (BATCH_BYTES / header->record_size, 1, BATCH_RECORDS);
}

/* --- state --------------------------------------------------------------- */

static void
free_stream (gpointer item)
{
  Stream *s = item;

  gst_eeg_info_clear (&s->info);
  g_clear_object (&s->allocator);
  g_free (s);
}

static void
free_held (gpointer item)
{
  Held *held = item;

  gst_event_unref (held->event);
  g_free (held);
}

static void
state_init (struct state *state)
{
  memset (state, 0, sizeof *state);
  g_queue_init (&state->barriers);
  state->adapter = gst_adapter_new ();
  state->streams = g_ptr_array_new_with_free_func (free_stream);
  state->combiner = gst_flow_combiner_new ();
  state->status_signal = -1;
  gst_segment_init (&state->segment, GST_FORMAT_TIME);
}

static void
state_clear (struct state *state)
{
  g_clear_object (&state->adapter);
  g_clear_pointer (&state->streams, g_ptr_array_unref);
  g_clear_pointer (&state->combiner, gst_flow_combiner_unref);
  g_clear_pointer (&state->header, eeg_edf_header_free);
  g_queue_clear_full (&state->barriers, free_held);
}

static void
shared_init (struct shared *shared)
{
  memset (shared, 0, sizeof *shared);
  shared->total = GST_CLOCK_TIME_NONE;
}

/* All sources' pads go; only outside the streaming thread. */
static void
reset (GstEegEdfDemux *self)
{
  guint i;

  for (i = 0; i < self->state.streams->len; i++) {
    Stream *s = g_ptr_array_index (self->state.streams, i);

    if (GST_OBJECT_PARENT (s->pad) != NULL) {
      gst_pad_set_active (s->pad, FALSE);
      gst_element_remove_pad (GST_ELEMENT_CAST (self), s->pad);
    } else {
      gst_object_unref (s->pad);
    }
  }
  state_clear (&self->state);
  state_init (&self->state);
  GST_OBJECT_LOCK (self);
  shared_init (&self->shared);
  GST_OBJECT_UNLOCK (self);
}

static GstFlowReturn
fail (GstEegEdfDemux *self, gboolean wrong_type, const gchar *text)
{
  self->state.failed = TRUE;
  gst_eeg_stage_count (&self->counters.errors, 1);
  if (wrong_type)
    GST_ELEMENT_ERROR (self, STREAM, WRONG_TYPE,
        ("This is no EDF or BDF file: %s.", text), (NULL));
  else
    GST_ELEMENT_ERROR (self, STREAM, DEMUX,
        ("The EDF or BDF file is damaged: %s.", text), (NULL));
  return GST_FLOW_ERROR;
}

/* --- pads ---------------------------------------------------------------- */

static gboolean
push_event_all (GstEegEdfDemux *self, GstEvent *event)
{
  gboolean ret = TRUE;
  guint i;

  for (i = 0; i < self->state.streams->len; i++) {
    Stream *s = g_ptr_array_index (self->state.streams, i);

    ret &= gst_pad_push_event (s->pad, gst_event_ref (event));
  }
  gst_event_unref (event);
  return ret;
}

/* Reads what sticky event of upstream's STREAM_START there is. */
static void
take_group_id (GstEegEdfDemux *self)
{
  GstEvent *event =
      gst_pad_get_sticky_event (self->sink_pad, GST_EVENT_STREAM_START, 0);

  self->state.have_group_id =
      event != NULL && gst_event_parse_group_id (event, &self->state.group_id);
  if (!self->state.have_group_id) {
    self->state.group_id = gst_util_group_id_next ();
    self->state.have_group_id = TRUE;
  }
  g_clear_pointer (&event, gst_event_unref);
}

static Stream *
make_stream (GstEegEdfDemux *self, guint group)
{
  const EegEdfHeader *h = self->state.header;
  const EegEdfGroup *g = &h->groups[group];
  Stream *s = g_new0 (Stream, 1);
  GstEegChannels *table = gst_eeg_edf_get_channels (h, group);
  GstPadTemplate *template;
  gchar *name = g_strdup_printf ("src_%u", group);
  guint64 batch = batch_records (h);

  gst_eeg_info_init (&s->info);
  gst_eeg_info_set (&s->info,
      h->format == EEG_EDF_FORMAT_BDF ? GST_EEG_FORMAT_S24LE
                                      : GST_EEG_FORMAT_S16LE,
      GST_EEG_DOMAIN_COUNTS, g->rate.num, g->rate.den, g->num_channels, table);
  gst_eeg_channels_unref (table);
  s->group = group;
  s->samples_per_record = g->samples_per_record;
  s->discont = TRUE;
  s->clip_end = G_MAXUINT64;
  s->allocator = gst_eeg_allocator_new (batch * s->samples_per_record
          * s->info.bytes_per_frame,
      0);

  template = gst_static_pad_template_get (&src_template);
  s->pad = gst_pad_new_from_template (template, name);
  gst_object_unref (template);
  g_free (name);
  gst_pad_set_event_function (s->pad, gst_eeg_edf_demux_src_event);
  gst_pad_set_query_function (s->pad, gst_eeg_edf_demux_src_query);
  gst_pad_use_fixed_caps (s->pad);
  gst_pad_set_element_private (s->pad, s);
  return s;
}

/* Adds the pads once the first record's time is known. */
static void
expose (GstEegEdfDemux *self)
{
  struct state *state = &self->state;
  guint i;

  take_group_id (self);
  for (i = 0; i < state->streams->len; i++) {
    Stream *s = g_ptr_array_index (state->streams, i);
    GstEvent *event;
    GstCaps *caps;
    gchar *id;

    gst_pad_set_active (s->pad, TRUE);
    id = gst_pad_create_stream_id_printf (s->pad, GST_ELEMENT_CAST (self),
        "%03u", s->group);
    event = gst_event_new_stream_start (id);
    gst_event_set_group_id (event, state->group_id);
    gst_pad_push_event (s->pad, event);
    g_free (id);
    caps = gst_eeg_info_to_caps (&s->info);
    gst_pad_push_event (s->pad, gst_event_new_caps (caps));
    gst_caps_unref (caps);
    gst_flow_combiner_add_pad (state->combiner, s->pad);
    /* takes the reference; this table keeps none of its own */
    gst_element_add_pad (GST_ELEMENT_CAST (self), s->pad);
  }
  state->exposed = TRUE;
  state->send_segment = TRUE;
  gst_element_no_more_pads (GST_ELEMENT_CAST (self));
}

static void
push_segment (GstEegEdfDemux *self)
{
  struct state *state = &self->state;
  guint i;

  for (i = 0; i < state->streams->len; i++) {
    Stream *s = g_ptr_array_index (state->streams, i);
    GstEvent *event = gst_event_new_segment (&state->segment);

    if (state->segment_seqnum != 0)
      gst_event_set_seqnum (event, state->segment_seqnum);
    gst_pad_push_event (s->pad, event);
    gst_pad_push_event (s->pad,
        gst_eeg_event_new_recording (gst_eeg_edf_get_recording (state->header,
            s->group, state->first_time)));
    s->clip_first =
        gst_eeg_info_time_to_samples (&s->info, state->segment.start);
    s->clip_end = GST_CLOCK_TIME_IS_VALID (state->segment.stop)
        ? gst_eeg_info_time_to_samples (&s->info, state->segment.stop)
        : G_MAXUINT64;
    s->eos = FALSE;
  }
  state->send_segment = FALSE;
}

/* --- header -------------------------------------------------------------- */

/* Whether the header is complete. Sets *needed while it is not. */
static GstFlowReturn
read_header (GstEegEdfDemux *self, const guint8 *data, gsize size,
    gsize *needed, gboolean *done)
{
  struct state *state = &self->state;
  EegEdfHeader *header;
  gchar reason[REASON_SIZE];
  guint i;

  *done = FALSE;
  switch (eeg_edf_header_parse (data, size, &header, needed, reason,
      sizeof reason)) {
    case EEG_EDF_OK:
      break;
    case EEG_EDF_NEED_MORE:
      return GST_FLOW_OK;
    case EEG_EDF_NOT_EDF:
      return fail (self, TRUE, reason);
    case EEG_EDF_INVALID:
      return fail (self, FALSE, reason);
    default:
      state->failed = TRUE;
      GST_ELEMENT_ERROR (self, RESOURCE, FAILED, (NULL), ("out of memory"));
      return GST_FLOW_ERROR;
  }

  *done = TRUE;
  if (state->header != NULL) {
    /* upstream went back to the start */
    guint8 *old = g_malloc (state->header->header_size);
    gboolean same = FALSE;

    if (header->header_size == state->header->header_size) {
      eeg_edf_header_write (state->header, old);
      same = memcmp (old, data, header->header_size) == 0;
    }
    g_free (old);
    eeg_edf_header_free (header);
    return same ? GST_FLOW_OK
                : fail (self, FALSE, "another header follows the first one");
  }
  if (header->num_groups == 0) {
    eeg_edf_header_free (header);
    return fail (self, FALSE, "it holds annotations and no signal");
  }

  state->header = header;
  for (i = 0; i < header->num_signals; i++) {
    const EegEdfSignal *s = &header->signals[i];

    if (s->is_annotations)
      state->annotation_bytes +=
          (gsize) s->samples_per_record * header->bytes_per_sample;
    else if (s->is_status && header->variant == EEG_EDF_VARIANT_PLAIN
        && state->status_signal < 0)
      state->status_signal = i;
  }
  for (i = 0; i < header->num_groups; i++)
    g_ptr_array_add (state->streams, make_stream (self, i));
  return GST_FLOW_OK;
}

/* Bytes of the whole file, 0: not known */
static guint64
query_size (GstEegEdfDemux *self)
{
  gint64 size;

  if (gst_pad_peer_query_duration (self->sink_pad, GST_FORMAT_BYTES, &size)
      && size > 0)
    return size;
  return 0;
}

/* What other threads may know, once the first record's time is known. last:
 * ns since the header's start at which the last record ends, or NONE. */
static void
publish (GstEegEdfDemux *self, gboolean pull, gint64 last)
{
  struct state *state = &self->state;
  const EegEdfHeader *h = state->header;
  guint64 size = pull ? state->file_size : query_size (self);
  guint64 records = G_MAXUINT64;
  GstClockTime total = GST_CLOCK_TIME_NONE;

  if (size > 0)
    records = eeg_edf_records_in_file (h, size);
  else if (h->num_records >= 0)
    records = h->num_records;
  if (last != EEG_EDF_TIME_NONE)
    total = MAX (0, last - state->first_time);
  else if (records != G_MAXUINT64
      && h->variant != EEG_EDF_VARIANT_DISCONTINUOUS)
    total = eeg_edf_record_offset_ns (h, records);

  GST_OBJECT_LOCK (self);
  self->shared.ready = TRUE;
  self->shared.pull = pull;
  self->shared.discontinuous = h->variant == EEG_EDF_VARIANT_DISCONTINUOUS;
  self->shared.header_size = h->header_size;
  self->shared.record_size = h->record_size;
  self->shared.duration = h->duration;
  self->shared.total = total;
  GST_OBJECT_UNLOCK (self);
}

static void
take_first_record (GstEegEdfDemux *self, const guint8 *record)
{
  struct state *state = &self->state;
  gint64 time = EEG_EDF_TIME_NONE;

  if (record != NULL)
    time = eeg_edf_record_time (state->header, record);
  state->first_time = time == EEG_EDF_TIME_NONE ? 0 : time;
  state->run_time = state->first_time;
}

/* --- records ------------------------------------------------------------- */

/* Does the record follow the one before it without a gap? If not, a new run
 * begins. */
static gboolean
continues (GstEegEdfDemux *self, const guint8 *record, guint64 number)
{
  struct state *state = &self->state;
  const EegEdfHeader *h = state->header;
  gint64 time, expected, tolerance = G_MAXINT64;
  guint i;

  if (h->variant != EEG_EDF_VARIANT_DISCONTINUOUS)
    return TRUE;
  time = eeg_edf_record_time (h, record);
  if (time == EEG_EDF_TIME_NONE)
    return TRUE;
  expected = state->run_time
      + eeg_edf_record_offset_ns (h, number - state->run_record);
  for (i = 0; i < h->num_groups; i++)
    tolerance = MIN (tolerance,
        (gint64) gst_util_uint64_scale (GST_SECOND / 2, h->groups[i].rate.den,
            h->groups[i].rate.num));
  if (time <= expected + tolerance) {
    if (time < expected - tolerance)
      GST_WARNING_OBJECT (self,
          "record %" G_GUINT64_FORMAT " begins before the last one ends",
          number);
    return TRUE;
  }

  for (i = 0; i < state->streams->len; i++) {
    Stream *s = g_ptr_array_index (state->streams, i);
    guint64 ended =
        s->run_sample + (number - state->run_record) * s->samples_per_record;

    s->run_sample = MAX (ended,
        gst_eeg_info_time_to_samples (&s->info,
            MAX (0, time - state->first_time)));
  }
  state->run_record = number;
  state->run_time = time;
  memset (&state->status, 0, sizeof state->status);
  return FALSE;
}

static GstClockTime
stream_time (GstEegEdfDemux *self, gint64 onset)
{
  return onset <= self->state.first_time
      ? 0
      : (GstClockTime) onset - (GstClockTime) self->state.first_time;
}

/* transfer full; NULL when the record has nothing but samples */
static GstEegEdfRecord *
read_markers (GstEegEdfDemux *self, const guint8 *data, guint64 number)
{
  struct state *state = &self->state;
  const EegEdfHeader *h = state->header;
  GstEegEdfRecord *record;
  EegEdfAnnotationIter iter;
  EegEdfAnnotation a;
  guint32 position = 0;
  guint16 triggers;
  guint8 *out;
  guint i;

  if (state->annotation_bytes == 0 && state->status_signal < 0)
    return NULL;

  record = gst_eeg_edf_record_new (number,
      stream_time (self,
          state->run_time
              + eeg_edf_record_offset_ns (h, number - state->run_record)),
      state->annotation_bytes);
  out = record->annotations;
  for (i = 0; i < h->num_signals; i++) {
    const EegEdfSignal *s = &h->signals[i];
    gsize size = (gsize) s->samples_per_record * h->bytes_per_sample;

    if (s->is_annotations) {
      memcpy (out, data + s->record_offset, size);
      out += size;
    }
  }

  eeg_edf_annotations_init (&iter, h, data);
  while (eeg_edf_annotations_next (&iter, &a)) {
    gchar *text;

    if (a.text_length == 0)
      continue;
    text = g_malloc (2 * a.text_length + 1);
    eeg_edf_text_to_utf8 (a.text, a.text_length, text, 2 * a.text_length + 1);
    gst_eeg_edf_record_add_marker (record, stream_time (self, a.onset),
        a.duration < 0 ? GST_CLOCK_TIME_NONE : (GstClockTime) a.duration, text,
        FALSE);
    g_free (text);
  }
  if (iter.malformed > 0)
    GST_WARNING_OBJECT (self,
        "record %" G_GUINT64_FORMAT ": %u malformed annotations", number,
        iter.malformed);

  if (state->status_signal >= 0) {
    const EegEdfSignal *status = &h->signals[state->status_signal];
    const Stream *s = g_ptr_array_index (state->streams, status->group);
    guint64 first =
        s->run_sample + (number - state->run_record) * s->samples_per_record;
    gchar text[EEG_EDF_TRIGGER_TEXT_SIZE];

    while (eeg_edf_status_next (h, state->status_signal, data, &state->status,
        &position, &triggers)) {
      eeg_edf_trigger_text (triggers, text);
      gst_eeg_edf_record_add_marker (record,
          gst_eeg_info_samples_to_time (&s->info, first + position - 1),
          GST_CLOCK_TIME_NONE, text, TRUE);
    }
  }
  if (state->annotation_bytes == 0 && record->markers->len == 0)
    g_clear_pointer (&record, gst_eeg_edf_record_unref);
  return record;
}

static void
attach_markers (GstBuffer *buffer, GstEegEdfRecord **records, guint n)
{
  guint i, k;

  for (i = 0; i < n; i++) {
    if (records[i] == NULL)
      continue;
    gst_buffer_add_eeg_edf_record_meta (buffer, records[i]);
    for (k = 0; k < records[i]->markers->len; k++) {
      const GstEegEdfMarker *m =
          &g_array_index (records[i]->markers, GstEegEdfMarker, k);

      gst_buffer_add_eeg_marker_meta (buffer, m->time, m->duration, m->text);
    }
  }
}

/* Pushes n records of one run on one pad. */
static GstFlowReturn
push_stream (GstEegEdfDemux *self, Stream *s, const guint8 *data, guint n,
    guint64 number, GstEegEdfRecord **records)
{
  struct state *state = &self->state;
  const EegEdfHeader *h = state->header;
  const guint64 spr = s->samples_per_record;
  guint64 first, end, from, to, at;
  GstMemory *memory;
  GstMapInfo map;
  GstBuffer *buffer;
  GstClockTime started;
  GstFlowReturn ret;
  guint i;

  first = s->run_sample + (number - state->run_record) * spr;
  end = first + n * spr;
  from = MAX (first, s->clip_first);
  to = MIN (end, s->clip_end);
  if (end >= s->clip_end)
    s->eos = TRUE;
  if (from >= to)
    return GST_FLOW_OK;

  if (from > s->next_sample && !s->discont) {
    GstClockTime gap = gst_eeg_info_samples_to_time (&s->info, s->next_sample);

    gst_pad_push_event (s->pad,
        gst_event_new_gap (gap,
            gst_eeg_info_samples_to_time (&s->info, from) - gap));
    s->discont = TRUE;
  }

  started = gst_util_get_timestamp ();
  ret = gst_eeg_allocator_acquire (s->allocator,
      (to - from) * s->info.bytes_per_frame, TRUE, &memory);
  if (ret != GST_FLOW_OK)
    goto no_memory;
  if (!gst_memory_map (memory, &map, GST_MAP_WRITE)) {
    gst_memory_unref (memory);
    goto no_memory;
  }
  at = 0;
  for (i = 0; i < n; i++) {
    guint64 begin = first + i * spr;
    guint64 lo = MAX (begin, from), hi = MIN (begin + spr, to);

    if (lo >= hi)
      continue;
    eeg_edf_decode (h, s->group, data + i * h->record_size, lo - begin, hi - lo,
        h->format == EEG_EDF_FORMAT_BDF ? EEG_EDF_SAMPLE_S24
                                        : EEG_EDF_SAMPLE_S16,
        map.data + at);
    at += (hi - lo) * s->info.bytes_per_frame;
  }
  gst_memory_unmap (memory, &map);

  buffer = gst_buffer_new ();
  gst_buffer_append_memory (buffer, memory);
  gst_eeg_info_stamp_buffer (&s->info, buffer, from, to - from);
  if (s->discont || s->resumed)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  s->discont = s->resumed = FALSE;
  s->next_sample = to;
  attach_markers (buffer, records, n);

  state->segment.position =
      GST_BUFFER_PTS (buffer) + GST_BUFFER_DURATION (buffer);
  gst_eeg_stage_count_out (&self->counters, at, to - from);
  gst_eeg_stage_count (&self->counters.busy_ns,
      gst_util_get_timestamp () - started);
  GST_OBJECT_LOCK (self);
  self->shared.position = state->segment.position;
  GST_OBJECT_UNLOCK (self);
  return gst_pad_push (s->pad, buffer);

no_memory:
  state->failed = TRUE;
  GST_ELEMENT_ERROR (self, RESOURCE, FAILED, (NULL), ("no memory for samples"));
  return GST_FLOW_ERROR;
}

/* Pushes n records. GST_FLOW_EOS: the segment's end is reached. */
static GstFlowReturn
push_records (GstEegEdfDemux *self, const guint8 *data, guint n)
{
  struct state *state = &self->state;
  const EegEdfHeader *h = state->header;
  GstFlowReturn ret = GST_FLOW_OK;
  guint done = 0;

  gst_eeg_stage_count_in (&self->counters, n * h->record_size, 0);
  if (state->send_segment)
    push_segment (self);

  while (done < n && ret == GST_FLOW_OK) {
    const guint8 *run = data + done * h->record_size;
    guint64 number = state->record;
    GstEegEdfRecord **records;
    gboolean all_eos = TRUE;
    guint count = 0, i;

    records = g_newa (GstEegEdfRecord *, n - done);
    /* the first one may open a new run, the others must stay in it */
    continues (self, run, number);
    do {
      records[count] =
          read_markers (self, run + count * h->record_size, number + count);
      count++;
    } while (done + count < n && (h->variant != EEG_EDF_VARIANT_DISCONTINUOUS));

    for (i = 0; i < state->streams->len; i++) {
      Stream *s = g_ptr_array_index (state->streams, i);
      GstFlowReturn flow = GST_FLOW_OK;

      if (!s->eos)
        flow = push_stream (self, s, run, count, number, records);
      ret = gst_flow_combiner_update_pad_flow (state->combiner, s->pad, flow);
      all_eos &= s->eos;
      if (ret != GST_FLOW_OK)
        break;
    }
    for (i = 0; i < count; i++)
      g_clear_pointer (&records[i], gst_eeg_edf_record_unref);
    state->record += count;
    done += count;
    if (ret == GST_FLOW_OK && all_eos)
      ret = GST_FLOW_EOS;
  }
  return ret;
}

/* Says what is odd about the end of the file: rest bytes after the last whole
 * record. */
static void
check_end (GstEegEdfDemux *self, gsize rest)
{
  struct state *state = &self->state;
  gint64 declared = state->header->num_records;

  if (declared >= 0 && (guint64) declared != state->record && !state->skipped)
    GST_ELEMENT_WARNING (self, STREAM, DEMUX,
        ("The header declares %" G_GINT64_FORMAT
         " data records, the file holds %" G_GUINT64_FORMAT ".",
            declared, state->record),
        ("%" G_GSIZE_FORMAT " bytes of an unfinished record dropped", rest));
  else if (rest > 0)
    GST_ELEMENT_WARNING (self, STREAM, DEMUX,
        ("The file ends inside a data record."),
        ("%" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " bytes dropped", rest,
            (gsize) state->header->record_size));
}

/* The end of the bytes: FALSE after an error */
static gboolean
finish (GstEegEdfDemux *self, gsize rest)
{
  struct state *state = &self->state;

  if (state->failed)
    return FALSE;
  if (state->header == NULL) {
    fail (self, rest == 0,
        rest == 0 ? "it is empty" : "it ends inside the header");
    return FALSE;
  }
  if (!state->exposed) {
    take_first_record (self, NULL);
    publish (self, FALSE, EEG_EDF_TIME_NONE);
    expose (self);
  }
  if (state->send_segment)
    push_segment (self);
  check_end (self, rest);
  return TRUE;
}

/* --- checkpoints --------------------------------------------------------- */

static guint64
record_position (const EegEdfHeader *header, guint64 record)
{
  return header->header_size + record * header->record_size;
}

/* Bytes of the input that came so far */
static guint64
get_position (const struct state *state)
{
  guint64 available = gst_adapter_available (state->adapter);

  if (state->header == NULL || state->drop == G_MAXUINT64)
    return available;
  return record_position (state->header, state->record) + available
      - state->drop;
}

/* Lets the barriers leave before which all is pushed; at the end, all of
 * them. */
static void
release_barriers (GstEegEdfDemux *self, gboolean all)
{
  struct state *state = &self->state;
  Held *held;

  while ((held = g_queue_peek_head (&state->barriers)) != NULL) {
    GstEegBarrier *barrier;

    if (!all && held->position > record_position (state->header, state->record))
      return;
    g_queue_pop_head (&state->barriers);
    if (state->send_segment)
      push_segment (self);
    gst_eeg_event_parse_barrier (held->event, &barrier);
    state->left_at = held->position;
    gst_eeg_barrier_add_stage (barrier, GST_EEG_STAGE (self));
    push_event_all (self, gst_event_ref (held->event));
    free_held (held);
  }
}

/* transfer full */
static void
take_barrier (GstEegEdfDemux *self, GstEvent *event)
{
  struct state *state = &self->state;
  Held *held = g_new (Held, 1);

  held->event = event;
  held->position = get_position (state);
  g_queue_push_tail (&state->barriers, held);
  if (state->exposed && !state->failed)
    release_barriers (self, FALSE);
}

static GstFlowReturn
refuse_state (GstEegEdfDemux *self, const gchar *text)
{
  self->state.failed = TRUE;
  gst_eeg_stage_count (&self->counters.errors, 1);
  GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
      ("Nothing can be continued: %s.", text), (NULL));
  return GST_FLOW_ERROR;
}

/* The header was stored by nobody, as it names a person: the source has it. */
static GstFlowReturn
read_header_again (GstEegEdfDemux *self, guint64 size)
{
  GstQuery *query = gst_eeg_query_new_input_bytes (0, (guint) size);
  GstBuffer *buffer = NULL;
  GstFlowReturn ret = GST_FLOW_OK;
  gboolean done = FALSE;
  gsize needed;
  GstMapInfo map;

  if (gst_pad_peer_query (self->sink_pad, query))
    buffer = gst_eeg_query_get_input_bytes (query);
  gst_query_unref (query);
  if (buffer == NULL)
    return refuse_state (self,
        "no source before it gives the header of the file once more");
  if (gst_buffer_map (buffer, &map, GST_MAP_READ)) {
    ret = read_header (self, map.data, map.size, &needed, &done);
    gst_buffer_unmap (buffer, &map);
  }
  gst_buffer_unref (buffer);
  if (ret == GST_FLOW_OK && !done)
    ret = refuse_state (self, "the header of the file is not there any more");
  return ret;
}

static gboolean
read_streams (GstByteReader *from, struct state *state)
{
  gboolean ok = TRUE;
  guint i;

  for (i = 0; ok && i < state->streams->len; i++) {
    Stream *s = g_ptr_array_index (state->streams, i);
    guint64 discont = 0;

    ok = gst_byte_reader_get_uint64_le (from, &discont)
        && gst_byte_reader_get_uint64_le (from, &s->run_sample)
        && gst_byte_reader_get_uint64_le (from, &s->next_sample)
        && s->run_sample <= MAX_SAVED && s->next_sample <= MAX_SAVED;
    s->discont = discont != 0;
    s->resumed = TRUE;
  }
  return ok;
}

/* Goes on at a byte of the input with what a process before has saved. */
static GstFlowReturn
resume (GstEegEdfDemux *self, GBytes *restore, guint64 start)
{
  struct state *state = &self->state;
  guint64 header_size, position, record, run_record, begin;
  guint8 known, now[GST_EEG_EDF_HASH_SIZE];
  gint64 first_time, run_time;
  const guint8 *then = NULL;
  GstByteReader r;
  GstFlowReturn ret;
  guint16 triggers;
  guint32 n;
  gsize size;
  gconstpointer data = g_bytes_get_data (restore, &size);
  gboolean ok;

  gst_byte_reader_init (&r, data, (guint) size);
  ok = gst_byte_reader_skip (&r, 1) && gst_byte_reader_get_uint8 (&r, &known)
      && gst_byte_reader_get_uint16_le (&r, &triggers)
      && gst_byte_reader_get_uint32_le (&r, &n)
      && gst_byte_reader_get_data (&r, sizeof now, &then)
      && gst_byte_reader_get_uint64_le (&r, &header_size)
      && gst_byte_reader_get_uint64_le (&r, &position)
      && gst_byte_reader_get_uint64_le (&r, &record)
      && gst_byte_reader_get_int64_le (&r, &first_time)
      && gst_byte_reader_get_uint64_le (&r, &run_record)
      && gst_byte_reader_get_int64_le (&r, &run_time);
  if (!ok || header_size > G_MAXUINT || run_record > record
      || first_time < -MAX_SAVED || first_time > MAX_SAVED
      || run_time < -MAX_SAVED || run_time > MAX_SAVED)
    return refuse_state (self, "what was saved is no state of this version");
  if (position != start)
    return refuse_state (self, "the input begins at another byte");

  ret = read_header_again (self, header_size);
  if (ret != GST_FLOW_OK)
    return ret;
  gst_eeg_edf_hash_header (state->header, now);
  if (memcmp (now, then, sizeof now) != 0)
    return refuse_state (self,
        "the header of the file is another one than at the checkpoint");
  if (n != state->streams->len || !read_streams (&r, state)
      || record > MAX_SAVED / state->header->record_size)
    return refuse_state (self, "what was saved is no state of this version");

  /* behind the last whole record, what is left belongs to no other one */
  begin = record_position (state->header, record);
  if (position > begin)
    begin += state->header->record_size;
  if (position > begin)
    return refuse_state (self, "what was saved is no state of this version");
  state->drop = begin - position;
  state->record = record;
  state->run_record = run_record;
  state->run_time = run_time;
  state->first_time = first_time;
  state->status.known = known != 0;
  state->status.triggers = triggers;
  GST_INFO_OBJECT (self,
      "going on with record %" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT
      " bytes from here",
      record, state->drop);
  publish (self, FALSE, EEG_EDF_TIME_NONE);
  expose (self);
  return GST_FLOW_OK;
}

/* --- push mode ----------------------------------------------------------- */

static GstFlowReturn
gst_eeg_edf_demux_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstEegEdfDemux *self = GST_EEG_EDF_DEMUX (parent);
  struct state *state = &self->state;
  GstFlowReturn ret = GST_FLOW_OK;
  gsize available, record_size;

  gst_eeg_stage_count (&self->counters.buffers_in, 1);
  if (state->failed) {
    gst_buffer_unref (buffer);
    return GST_FLOW_ERROR;
  }
  gst_adapter_push (state->adapter, buffer);

  /* record is past the header as soon as pads are there */
  if (state->header == NULL || state->drop == G_MAXUINT64) {
    gsize needed = 8;
    gboolean done = FALSE;

    while (!done) {
      const guint8 *data;

      available = gst_adapter_available (state->adapter);
      if (available == 0)
        return GST_FLOW_OK;
      /* a few bytes tell already that this is something else */
      data = gst_adapter_map (state->adapter, available);
      ret = read_header (self, data, available, &needed, &done);
      gst_adapter_unmap (state->adapter);
      if (ret != GST_FLOW_OK)
        return ret;
      if (!done)
        return GST_FLOW_OK;
    }
    gst_adapter_flush (state->adapter, state->header->header_size);
    state->drop = 0;
  }

  record_size = state->header->record_size;
  available = gst_adapter_available (state->adapter);
  if (state->drop > 0) {
    gsize drop = MIN (state->drop, available);

    gst_adapter_flush (state->adapter, drop);
    state->drop -= drop;
    available -= drop;
  }
  while (available >= record_size && ret == GST_FLOW_OK) {
    guint n = MIN (available / record_size, batch_records (state->header));
    const guint8 *data;

    if (!g_queue_is_empty (&state->barriers))
      n = 1;
    data = gst_adapter_map (state->adapter, n * record_size);

    if (!state->exposed) {
      take_first_record (self, data);
      publish (self, FALSE, EEG_EDF_TIME_NONE);
      expose (self);
    }
    ret = push_records (self, data, n);
    gst_adapter_unmap (state->adapter);
    gst_adapter_flush (state->adapter, n * record_size);
    available -= n * record_size;
    if (ret == GST_FLOW_OK)
      release_barriers (self, FALSE);
  }
  return ret;
}

/* A BYTES segment: the start of the file, the answer to a seek of ours, or
 * another place. */
static void
begin_segment (GstEegEdfDemux *self, const GstSegment *bytes, guint32 seqnum)
{
  struct state *state = &self->state;
  const EegEdfHeader *h = state->header;
  gboolean pending;
  GstSegment segment;
  guint64 record = 0;
  GBytes *restore;
  guint i;

  if (bytes->format != GST_FORMAT_BYTES)
    GST_DEBUG_OBJECT (self, "segment is not in bytes: taken as one that is");
  gst_adapter_clear (state->adapter);
  g_queue_clear_full (&state->barriers, free_held);
  if (h == NULL) {
    GST_OBJECT_LOCK (self);
    restore = g_steal_pointer (&self->restore);
    GST_OBJECT_UNLOCK (self);
    /* else the file's start, whatever the segment says */
    if (restore != NULL)
      resume (self, restore, bytes->start);
    g_clear_pointer (&restore, g_bytes_unref);
    return;
  }

  GST_OBJECT_LOCK (self);
  pending = self->shared.seek_pending;
  segment = self->shared.seek_segment;
  record = self->shared.seek_record;
  self->shared.seek_pending = FALSE;
  if (pending)
    seqnum = self->shared.seek_seqnum;
  GST_OBJECT_UNLOCK (self);

  if (!pending) {
    guint64 start = bytes->format == GST_FORMAT_BYTES ? bytes->start : 0;

    gst_segment_init (&segment, GST_FORMAT_TIME);
    if (start < h->header_size) {
      /* begins anew, header and all */
      state->drop = G_MAXUINT64;
      record = 0;
    } else {
      record = (start - h->header_size + h->record_size - 1) / h->record_size;
      state->drop = record * h->record_size + h->header_size - start;
      segment.start = segment.time = segment.position =
          eeg_edf_record_offset_ns (h, record);
    }
  } else {
    state->drop = 0;
  }

  state->skipped = record > 0 || GST_CLOCK_TIME_IS_VALID (segment.stop);
  state->segment = segment;
  state->segment_seqnum = seqnum;
  state->send_segment = TRUE;
  state->record = record;
  state->run_record = record;
  state->run_time = state->first_time + eeg_edf_record_offset_ns (h, record);
  memset (&state->status, 0, sizeof state->status);
  for (i = 0; i < state->streams->len; i++) {
    Stream *s = g_ptr_array_index (state->streams, i);

    s->run_sample = record * s->samples_per_record;
    s->discont = TRUE;
    s->eos = FALSE;
  }
}

/* Bytes of an unfinished record at the end; some of them may have come before
 * the barrier from which the file goes on. */
static gsize
get_rest (const struct state *state)
{
  gsize available = gst_adapter_available (state->adapter);

  if (state->header == NULL || state->drop == 0 || state->skipped
      || state->drop > state->header->record_size)
    return available;
  return state->header->record_size - (gsize) state->drop;
}

static gboolean
gst_eeg_edf_demux_sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstEegEdfDemux *self = GST_EEG_EDF_DEMUX (parent);
  struct state *state = &self->state;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS: {
      gboolean ok = gst_eeg_stage_check_upstream (GST_EEG_STAGE (self), pad);

      if (!ok)
        state->failed = TRUE;
      gst_event_unref (event);
      return ok;
    }
    case GST_EVENT_SEGMENT: {
      const GstSegment *segment;

      gst_event_parse_segment (event, &segment);
      begin_segment (self, segment, gst_event_get_seqnum (event));
      gst_event_unref (event);
      return TRUE;
    }
    case GST_EVENT_EOS:
      if (!finish (self, get_rest (state))) {
        /* an EOS here would look like a true end */
        gst_event_unref (event);
        return TRUE;
      }
      release_barriers (self, TRUE);
      gst_adapter_clear (state->adapter);
      return push_event_all (self, event);
    case GST_EVENT_FLUSH_STOP:
      gst_adapter_clear (state->adapter);
      g_queue_clear_full (&state->barriers, free_held);
      gst_flow_combiner_reset (state->combiner);
      return push_event_all (self, event);
    case GST_EVENT_STREAM_START:
    case GST_EVENT_GAP:
      gst_event_unref (event);
      return TRUE;
    default:
      if (gst_eeg_event_is_recording (event)) {
        gst_event_unref (event);
        return TRUE;
      }
      if (gst_eeg_event_parse_barrier (event, NULL)) {
        take_barrier (self, event);
        return TRUE;
      }
      return gst_pad_event_default (pad, parent, event);
  }
}

/* --- pull mode ----------------------------------------------------------- */

/* Reads size bytes at offset; GST_FLOW_EOS when there are fewer, *buffer then
 * holds what there is, or is NULL. */
static GstFlowReturn
pull (GstEegEdfDemux *self, guint64 offset, gsize size, GstBuffer **buffer)
{
  GstFlowReturn ret;

  *buffer = NULL;
  ret = gst_pad_pull_range (self->sink_pad, offset, size, buffer);
  if (ret == GST_FLOW_OK && gst_buffer_get_size (*buffer) < size)
    ret = GST_FLOW_EOS;
  return ret;
}

/* The time of a record, ns since the header's start */
static GstFlowReturn
pull_record_time (GstEegEdfDemux *self, guint64 number, gint64 *time)
{
  const EegEdfHeader *h = self->state.header;
  GstBuffer *buffer;
  GstMapInfo map;
  GstFlowReturn ret;

  ret = pull (self, h->header_size + number * h->record_size, h->record_size,
      &buffer);
  if (ret == GST_FLOW_OK) {
    if (gst_buffer_map (buffer, &map, GST_MAP_READ)) {
      *time = eeg_edf_record_time (h, map.data);
      gst_buffer_unmap (buffer, &map);
    } else {
      ret = GST_FLOW_ERROR;
    }
  }
  gst_clear_buffer (&buffer);
  return ret;
}

static GstFlowReturn
pull_header (GstEegEdfDemux *self)
{
  struct state *state = &self->state;
  gsize needed = 256, last_size = 0;
  gboolean done = FALSE;
  gint64 time = EEG_EDF_TIME_NONE;
  GstFlowReturn ret = GST_FLOW_OK;
  guint64 records;

  state->file_size = query_size (self);
  while (!done) {
    GstBuffer *buffer;
    GstMapInfo map;
    gboolean short_read;

    ret = pull (self, 0, needed, &buffer);
    short_read = ret == GST_FLOW_EOS;
    if (ret != GST_FLOW_OK && !short_read)
      return ret;
    last_size = buffer != NULL ? gst_buffer_get_size (buffer) : 0;
    ret = GST_FLOW_OK;
    if (last_size > 0 && gst_buffer_map (buffer, &map, GST_MAP_READ)) {
      ret = read_header (self, map.data, map.size, &needed, &done);
      gst_buffer_unmap (buffer, &map);
    }
    gst_clear_buffer (&buffer);
    if (ret != GST_FLOW_OK)
      return ret;
    if (!done && short_read) {
      finish (self, last_size);
      return GST_FLOW_ERROR;
    }
  }
  state->offset = state->header->header_size;

  ret = pull_record_time (self, 0, &time);
  if (ret == GST_FLOW_OK || ret == GST_FLOW_EOS) {
    gint64 last = EEG_EDF_TIME_NONE;

    state->first_time = time == EEG_EDF_TIME_NONE ? 0 : time;
    state->run_time = state->first_time;
    records = state->file_size > 0
        ? eeg_edf_records_in_file (state->header, state->file_size)
        : 0;
    if (state->header->variant == EEG_EDF_VARIANT_DISCONTINUOUS && records > 0
        && pull_record_time (self, records - 1, &last) == GST_FLOW_OK
        && last != EEG_EDF_TIME_NONE)
      last += eeg_edf_record_offset_ns (state->header, 1);
    publish (self, TRUE, last);
    expose (self);
    ret = GST_FLOW_OK;
  }
  return ret;
}

static void
gst_eeg_edf_demux_loop (GstPad *pad)
{
  GstEegEdfDemux *self = GST_EEG_EDF_DEMUX (GST_PAD_PARENT (pad));
  struct state *state = &self->state;
  const EegEdfHeader *h;
  GstBuffer *buffer = NULL;
  GstMapInfo map;
  GstFlowReturn ret;
  gsize rest = 0;

  if (!state->exposed) {
    ret = pull_header (self);
    if (ret != GST_FLOW_OK)
      goto pause;
  }
  h = state->header;
  ret = pull (self, state->offset, h->record_size * batch_records (h), &buffer);
  if (ret != GST_FLOW_OK && ret != GST_FLOW_EOS)
    goto pause;
  if (buffer != NULL) {
    gsize n = gst_buffer_get_size (buffer) / h->record_size;

    rest = gst_buffer_get_size (buffer) % h->record_size;
    gst_eeg_stage_count (&self->counters.buffers_in, 1);
    if (n > 0) {
      GstFlowReturn flow = GST_FLOW_ERROR;

      if (gst_buffer_map (buffer, &map, GST_MAP_READ)) {
        flow = push_records (self, map.data, n);
        gst_buffer_unmap (buffer, &map);
        state->offset += n * h->record_size;
      }
      if (flow == GST_FLOW_EOS) {
        /* the segment's end, not the file's */
        state->skipped = TRUE;
        rest = 0;
      }
      if (flow != GST_FLOW_OK)
        ret = flow;
    }
    gst_clear_buffer (&buffer);
  }
  if (ret == GST_FLOW_OK)
    return;

pause:
  gst_clear_buffer (&buffer);
  GST_DEBUG_OBJECT (self, "pausing: %s", gst_flow_get_name (ret));
  gst_pad_pause_task (pad);
  if (ret == GST_FLOW_EOS) {
    if (!finish (self, rest))
      return;
    if (state->segment.flags & GST_SEGMENT_FLAG_SEGMENT) {
      GstClockTime stop = GST_CLOCK_TIME_IS_VALID (state->segment.stop)
          ? state->segment.stop
          : state->segment.position;
      GstEvent *event = gst_event_new_segment_done (GST_FORMAT_TIME, stop);
      GstMessage *message =
          gst_message_new_segment_done (GST_OBJECT_CAST (self), GST_FORMAT_TIME,
              stop);

      if (state->segment_seqnum != 0) {
        gst_event_set_seqnum (event, state->segment_seqnum);
        gst_message_set_seqnum (message, state->segment_seqnum);
      }
      gst_element_post_message (GST_ELEMENT_CAST (self), message);
      push_event_all (self, event);
    } else {
      GstEvent *event = gst_event_new_eos ();

      if (state->segment_seqnum != 0)
        gst_event_set_seqnum (event, state->segment_seqnum);
      push_event_all (self, event);
    }
  } else if (ret == GST_FLOW_NOT_LINKED
      || (ret < GST_FLOW_EOS && !state->failed)) {
    /* this task drives the pipeline: nobody else would say so */
    state->failed = TRUE;
    gst_eeg_stage_count (&self->counters.errors, 1);
    GST_ELEMENT_FLOW_ERROR (self, ret);
  }
}

static gboolean
gst_eeg_edf_demux_activate (GstPad *pad, GstObject *parent)
{
  GstQuery *query = gst_query_new_scheduling ();
  gboolean can_pull = FALSE;

  if (gst_pad_peer_query (pad, query))
    can_pull = gst_query_has_scheduling_mode_with_flags (query,
        GST_PAD_MODE_PULL, GST_SCHEDULING_FLAG_SEEKABLE);
  gst_query_unref (query);
  return gst_pad_activate_mode (pad,
      can_pull ? GST_PAD_MODE_PULL : GST_PAD_MODE_PUSH, TRUE);
}

static gboolean
gst_eeg_edf_demux_activate_mode (GstPad *pad, GstObject *parent,
    GstPadMode mode, gboolean active)
{
  if (mode == GST_PAD_MODE_PULL) {
    if (active)
      return gst_pad_start_task (pad, (GstTaskFunction) gst_eeg_edf_demux_loop,
          pad, NULL);
    return gst_pad_stop_task (pad);
  }
  return mode == GST_PAD_MODE_PUSH;
}

/* --- seeking ------------------------------------------------------------- */

/* The last record that begins at or before time (ns since the header's start)
 * in a file with gaps: its number and its own time. */
static GstFlowReturn
find_record (GstEegEdfDemux *self, gint64 time, guint64 *number, gint64 *begin)
{
  guint64 low = 0,
          high = eeg_edf_records_in_file (self->state.header,
              self->state.file_size);
  GstFlowReturn ret = GST_FLOW_OK;

  *begin = self->state.first_time;
  while (high - low > 1 && ret == GST_FLOW_OK) {
    guint64 middle = low + (high - low) / 2;
    gint64 t = EEG_EDF_TIME_NONE;

    ret = pull_record_time (self, middle, &t);
    if (t == EEG_EDF_TIME_NONE || t > time) {
      high = middle;
    } else {
      low = middle;
      *begin = t;
    }
  }
  *number = low;
  return ret;
}

/* Sink pad's stream lock held, task stopped: goes to where the segment
 * begins */
static void
go_to (GstEegEdfDemux *self)
{
  struct state *state = &self->state;
  const EegEdfHeader *h = state->header;
  guint64 record;
  gint64 begin;
  guint i;

  if (h->variant == EEG_EDF_VARIANT_DISCONTINUOUS) {
    find_record (self, state->first_time + (gint64) state->segment.start,
        &record, &begin);
  } else {
    record = eeg_edf_scale (state->segment.start, h->duration.den,
        (guint64) h->duration.num * GST_SECOND);
    begin = state->first_time + eeg_edf_record_offset_ns (h, record);
  }
  state->record = state->run_record = record;
  state->run_time = begin;
  state->offset = h->header_size + record * h->record_size;
  state->skipped = TRUE;
  memset (&state->status, 0, sizeof state->status);
  for (i = 0; i < state->streams->len; i++) {
    Stream *s = g_ptr_array_index (state->streams, i);

    s->run_sample = h->variant == EEG_EDF_VARIANT_DISCONTINUOUS
        ? gst_eeg_info_time_to_samples (&s->info, begin - state->first_time)
        : record * s->samples_per_record;
    s->discont = TRUE;
    s->eos = FALSE;
  }
}

static gboolean
seek_pull (GstEegEdfDemux *self, GstSegment *segment, GstSeekFlags flags,
    guint32 seqnum)
{
  struct state *state = &self->state;
  gboolean flush = flags & GST_SEEK_FLAG_FLUSH;
  GstEvent *event;

  if (flush) {
    event = gst_event_new_flush_start ();
    gst_event_set_seqnum (event, seqnum);
    gst_pad_push_event (self->sink_pad, gst_event_ref (event));
    push_event_all (self, event);
  } else {
    gst_pad_pause_task (self->sink_pad);
  }
  GST_PAD_STREAM_LOCK (self->sink_pad);
  if (flush) {
    event = gst_event_new_flush_stop (TRUE);
    gst_event_set_seqnum (event, seqnum);
    gst_pad_push_event (self->sink_pad, gst_event_ref (event));
    push_event_all (self, event);
    gst_flow_combiner_reset (state->combiner);
  }
  state->segment = *segment;
  state->segment_seqnum = seqnum;
  state->send_segment = TRUE;
  state->failed = FALSE;
  go_to (self);
  if (flags & GST_SEEK_FLAG_SEGMENT) {
    GstMessage *message = gst_message_new_segment_start (GST_OBJECT_CAST (self),
        GST_FORMAT_TIME, segment->position);

    gst_message_set_seqnum (message, seqnum);
    gst_element_post_message (GST_ELEMENT_CAST (self), message);
  }
  gst_pad_start_task (self->sink_pad, (GstTaskFunction) gst_eeg_edf_demux_loop,
      self->sink_pad, NULL);
  GST_PAD_STREAM_UNLOCK (self->sink_pad);
  return TRUE;
}

static gboolean
seek_push (GstEegEdfDemux *self, const struct shared *shared,
    GstSegment *segment, GstSeekFlags flags, guint32 seqnum)
{
  guint64 record = eeg_edf_scale (segment->start, shared->duration.den,
      (guint64) shared->duration.num * GST_SECOND);
  GstEvent *event;
  gboolean ret;

  GST_OBJECT_LOCK (self);
  self->shared.seek_pending = TRUE;
  self->shared.seek_record = record;
  self->shared.seek_segment = *segment;
  self->shared.seek_seqnum = seqnum;
  GST_OBJECT_UNLOCK (self);

  event = gst_event_new_seek (1.0, GST_FORMAT_BYTES,
      flags & (GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE), GST_SEEK_TYPE_SET,
      shared->header_size + record * shared->record_size, GST_SEEK_TYPE_NONE,
      -1);
  gst_event_set_seqnum (event, seqnum);
  ret = gst_pad_push_event (self->sink_pad, event);
  if (!ret) {
    GST_OBJECT_LOCK (self);
    self->shared.seek_pending = FALSE;
    GST_OBJECT_UNLOCK (self);
  }
  return ret;
}

static gboolean
seek (GstEegEdfDemux *self, Stream *s, GstEvent *event)
{
  GstFormat format;
  GstSeekFlags flags;
  GstSeekType start_type, stop_type;
  gint64 start, stop;
  gdouble rate;
  struct shared shared;
  GstSegment segment;
  gboolean changed;

  gst_event_parse_seek (event, &rate, &format, &flags, &start_type, &start,
      &stop_type, &stop);
  GST_OBJECT_LOCK (self);
  shared = self->shared;
  GST_OBJECT_UNLOCK (self);

  if (!shared.ready || rate <= 0.0)
    return FALSE;
  if (!shared.pull && shared.discontinuous)
    return FALSE; /* record times are known by reading them only */
  if (format != GST_FORMAT_TIME) {
    if (!gst_eeg_info_convert (&s->info, format, start, GST_FORMAT_TIME, &start)
        || !gst_eeg_info_convert (&s->info, format, stop, GST_FORMAT_TIME,
            &stop))
      return FALSE;
  }

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.duration = shared.total;
  segment.position = shared.position;
  if (!gst_segment_do_seek (&segment, rate, GST_FORMAT_TIME, flags, start_type,
          start, stop_type, stop, &changed))
    return FALSE;
  if (GST_CLOCK_TIME_IS_VALID (shared.total))
    segment.start = segment.position = segment.time =
        MIN (segment.start, shared.total);
  return shared.pull
      ? seek_pull (self, &segment, flags, gst_event_get_seqnum (event))
      : seek_push (self, &shared, &segment, flags,
          gst_event_get_seqnum (event));
}

static gboolean
gst_eeg_edf_demux_src_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstEegEdfDemux *self = GST_EEG_EDF_DEMUX (parent);

  if (GST_EVENT_TYPE (event) == GST_EVENT_SEEK) {
    gboolean ret = seek (self, gst_pad_get_element_private (pad), event);

    gst_event_unref (event);
    return ret;
  }
  return gst_pad_event_default (pad, parent, event);
}

static gboolean
upstream_seekable (GstEegEdfDemux *self)
{
  GstQuery *query = gst_query_new_seeking (GST_FORMAT_BYTES);
  gboolean seekable = FALSE;

  if (gst_pad_peer_query (self->sink_pad, query))
    gst_query_parse_seeking (query, NULL, &seekable, NULL, NULL);
  gst_query_unref (query);
  return seekable;
}

static gboolean
gst_eeg_edf_demux_src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstEegEdfDemux *self = GST_EEG_EDF_DEMUX (parent);
  Stream *s = gst_pad_get_element_private (pad);
  struct shared shared;
  GstFormat format, dest_format;
  gint64 value, dest_value;

  if (gst_eeg_stage_answer_query (GST_EEG_STAGE (self), pad, query))
    return TRUE;

  GST_OBJECT_LOCK (self);
  shared = self->shared;
  GST_OBJECT_UNLOCK (self);

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_DURATION:
      gst_query_parse_duration (query, &format, NULL);
      if (!shared.ready || !GST_CLOCK_TIME_IS_VALID (shared.total)
          || !gst_eeg_info_convert (&s->info, GST_FORMAT_TIME, shared.total,
              format, &value))
        return FALSE;
      gst_query_set_duration (query, format, value);
      return TRUE;
    case GST_QUERY_POSITION:
      gst_query_parse_position (query, &format, NULL);
      if (!shared.ready
          || !gst_eeg_info_convert (&s->info, GST_FORMAT_TIME, shared.position,
              format, &value))
        return FALSE;
      gst_query_set_position (query, format, value);
      return TRUE;
    case GST_QUERY_CONVERT:
      gst_query_parse_convert (query, &format, &value, &dest_format, NULL);
      if (!gst_eeg_info_convert (&s->info, format, value, dest_format,
              &dest_value))
        return FALSE;
      gst_query_set_convert (query, format, value, dest_format, dest_value);
      return TRUE;
    case GST_QUERY_SEEKING: {
      gboolean seekable;

      gst_query_parse_seeking (query, &format, NULL, NULL, NULL);
      if (format != GST_FORMAT_TIME && format != GST_FORMAT_DEFAULT)
        return FALSE;
      seekable = shared.ready
          && (shared.pull
              || (!shared.discontinuous && upstream_seekable (self)));
      value = -1;
      if (GST_CLOCK_TIME_IS_VALID (shared.total))
        gst_eeg_info_convert (&s->info, GST_FORMAT_TIME, shared.total, format,
            &value);
      gst_query_set_seeking (query, format, seekable, 0, value);
      return TRUE;
    }
    case GST_QUERY_LATENCY: {
      GstClockTime min, max, own;
      gboolean live;

      if (!gst_pad_peer_query (self->sink_pad, query))
        return FALSE;
      gst_query_parse_latency (query, &live, &min, &max);
      own = shared.ready ? gst_util_uint64_scale (GST_SECOND,
                shared.duration.num, shared.duration.den)
                         : 0;
      if (live)
        gst_query_set_latency (query, TRUE, min + own,
            GST_CLOCK_TIME_IS_VALID (max) ? max + own : max);
      return TRUE;
    }
    default:
      return gst_pad_query_default (pad, parent, query);
  }
}

/* --- element ------------------------------------------------------------- */

static GstStateChangeReturn
gst_eeg_edf_demux_change_state (GstElement *element, GstStateChange transition)
{
  GstEegEdfDemux *self = GST_EEG_EDF_DEMUX (element);
  GstStateChangeReturn ret;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
    gst_eeg_stage_counters_reset (&self->counters);
    reset (self);
  }
  ret = GST_ELEMENT_CLASS (gst_eeg_edf_demux_parent_class)
            ->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    reset (self);
    gst_eeg_stage_keep_state (GST_EEG_STAGE (self), &self->restore, NULL, TRUE,
        NULL);
  }
  return ret;
}

static GstEegStageKind
gst_eeg_edf_demux_get_kind (GstEegStage *stage)
{
  return GST_EEG_STAGE_KIND_CONTAINER;
}

static gboolean
gst_eeg_edf_demux_estimate (GstEegStage *stage, guint64 input_bytes,
    GstEegEstimate *estimate)
{
  GstEegEdfDemux *self = GST_EEG_EDF_DEMUX (stage);
  GstEegStageCounters values;
  gsize header_size, record_size;

  GST_OBJECT_LOCK (self);
  header_size = self->shared.header_size;
  record_size = self->shared.record_size;
  GST_OBJECT_UNLOCK (self);
  gst_eeg_stage_counters_get (&self->counters, &values);

  memset (estimate, 0, sizeof *estimate);
  estimate->memory_bytes = header_size + 2 * MAX (record_size, BATCH_BYTES);
  estimate->threads = 0;
  estimate->output_bytes =
      input_bytes > header_size ? input_bytes - header_size : 0;
  estimate->duration = values.bytes_in > 0 && values.busy_ns > 0
      ? gst_util_uint64_scale (input_bytes, values.busy_ns, values.bytes_in)
      : GST_CLOCK_TIME_NONE;
  return TRUE;
}

static GstEegPartSupport
gst_eeg_edf_demux_get_part_support (GstEegStage *stage)
{
  return GST_EEG_PART_SUPPORT_PASSES;
}

static GBytes *
gst_eeg_edf_demux_save_state (GstEegStage *stage, GError **error)
{
  const struct state *state = &GST_EEG_EDF_DEMUX (stage)->state;
  guint8 hash[GST_EEG_EDF_HASH_SIZE];
  GstByteWriter w;
  guint i;
  gsize size;

  if (!state->exposed) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_STATE_CHANGE,
        "%s has no stream whose state could be saved", GST_OBJECT_NAME (stage));
    return NULL;
  }
  gst_eeg_edf_hash_header (state->header, hash);
  size = STATE_HEAD + state->streams->len * STATE_STREAM;
  gst_byte_writer_init_with_size (&w, (guint) size, TRUE);
  gst_byte_writer_put_uint8 (&w, STATE_VERSION);
  gst_byte_writer_put_uint8 (&w, state->status.known);
  gst_byte_writer_put_uint16_le (&w, state->status.triggers);
  gst_byte_writer_put_uint32_le (&w, state->streams->len);
  gst_byte_writer_put_data (&w, hash, sizeof hash);
  gst_byte_writer_put_uint64_le (&w, state->header->header_size);
  gst_byte_writer_put_uint64_le (&w, state->left_at);
  gst_byte_writer_put_uint64_le (&w, state->record);
  gst_byte_writer_put_int64_le (&w, state->first_time);
  gst_byte_writer_put_uint64_le (&w, state->run_record);
  gst_byte_writer_put_int64_le (&w, state->run_time);
  for (i = 0; i < state->streams->len; i++) {
    const Stream *s = g_ptr_array_index (state->streams, i);

    gst_byte_writer_put_uint64_le (&w, s->discont);
    gst_byte_writer_put_uint64_le (&w, s->run_sample);
    gst_byte_writer_put_uint64_le (&w, s->next_sample);
  }
  return g_bytes_new_take (gst_byte_writer_reset_and_get_data (&w), size);
}

static gboolean
gst_eeg_edf_demux_restore_state (GstEegStage *stage, GBytes *state,
    GError **error)
{
  GstEegEdfDemux *self = GST_EEG_EDF_DEMUX (stage);
  gsize size;
  const guint8 *blob;
  gboolean is_damaged;

  if (state == NULL)
    return gst_eeg_stage_keep_state (stage, &self->restore, NULL, TRUE, error);
  blob = g_bytes_get_data (state, &size);
  is_damaged = size < STATE_HEAD || blob[0] != STATE_VERSION
      || size
          != STATE_HEAD
              + (guint64) GST_READ_UINT32_LE (blob + 4) * STATE_STREAM;
  return gst_eeg_stage_keep_state (stage, &self->restore, state, !is_damaged,
      error);
}

static void
gst_eeg_edf_demux_stage_init (GstEegStageInterface *iface)
{
  iface->get_kind = gst_eeg_edf_demux_get_kind;
  iface->estimate = gst_eeg_edf_demux_estimate;
  iface->save_state = gst_eeg_edf_demux_save_state;
  iface->restore_state = gst_eeg_edf_demux_restore_state;
  iface->get_part_support = gst_eeg_edf_demux_get_part_support;
}

static void
gst_eeg_edf_demux_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstEegEdfDemux *self = GST_EEG_EDF_DEMUX (object);

  switch (id) {
    case PROP_STATS:
      g_value_take_boxed (value,
          gst_eeg_stage_counters_to_structure (&self->counters,
              GST_EEG_STAGE_KIND_CONTAINER));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
}

static void
gst_eeg_edf_demux_finalize (GObject *object)
{
  GstEegEdfDemux *self = GST_EEG_EDF_DEMUX (object);

  state_clear (&self->state);
  g_clear_pointer (&self->restore, g_bytes_unref);
  G_OBJECT_CLASS (gst_eeg_edf_demux_parent_class)->finalize (object);
}

static void
gst_eeg_edf_demux_class_init (GstEegEdfDemuxClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  object_class->get_property = gst_eeg_edf_demux_get_property;
  object_class->finalize = gst_eeg_edf_demux_finalize;
  g_object_class_override_property (object_class, PROP_STATS, "stats");

  element_class->change_state = gst_eeg_edf_demux_change_state;
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "EDF/BDF demuxer",
      "Codec/Demuxer", "Reads EDF, EDF+, BDF and BDF+ recordings",
      "gst-plugins-eeg developers");
}

static void
gst_eeg_edf_demux_init (GstEegEdfDemux *self)
{
  self->sink_pad = gst_pad_new_from_static_template (&sink_template, "sink");
  gst_pad_set_chain_function (self->sink_pad, gst_eeg_edf_demux_chain);
  gst_pad_set_event_function (self->sink_pad, gst_eeg_edf_demux_sink_event);
  gst_pad_set_activate_function (self->sink_pad, gst_eeg_edf_demux_activate);
  gst_pad_set_activatemode_function (self->sink_pad,
      gst_eeg_edf_demux_activate_mode);
  gst_element_add_pad (GST_ELEMENT_CAST (self), self->sink_pad);
  state_init (&self->state);
  shared_init (&self->shared);
}
