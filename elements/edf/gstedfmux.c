/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-edfmux
 * @title: edfmux
 * @short_description: writes EDF+ and BDF+
 *
 * Writes one recording from streams of one or several sample rates, one
 * request pad (`sink_0`, `sink_1`, ...) for each. Counts are written without
 * loss, physical values to the nearest step of the channel's range. Markers
 * become annotations in the record they belong to, so that what was written
 * survives a crash. Samples that come unchanged from edfdemux give the same
 * data records again, byte for byte.
 *
 * The number of records stands in the header from the start when upstream
 * knows its duration, else it is -1, and is set at EOS where downstream can
 * seek.
 *
 * ## Example
 * |[
 * gst-launch-1.0 eegsrc num-samples=2500 ! edfmux ! filesink location=x.bdf
 * ]|
 *
 * - Caps: application/x-eeg-raw, counts as integers or voltage as floats, in;
 *   application/x-edf or application/x-bdf out.
 * - Latency: one data record. Memory: two data records.
 * - GAP events and jumps of the time stamps: short gaps are filled with
 *   physical zero and an annotation says so; longer ones end the record, and
 *   the file becomes EDF+D or BDF+D if downstream can seek (see #edfmux:gaps).
 * - Flush: a new file begins.
 * - EOS: the last record is filled up, the number of records set. Without data
 *   the file is a header only.
 * - Caps may change until the header is written; then it is an error.
 * - Checkpoints: a barrier leaves where the record that is being filled ends,
 *   once it came by all pads.
 * - Parts (see #GstEegPart): the file ends with the record, and another one
 *   begins whose header has the time of its first sample. The label is an
 *   annotation of its first record, and counts the samples of the first pad.
 */
#include "config.h"

#include "gstedfmux.h"
#include <gst/eeg/eeg.h>
#include <gst/eeg/gsteegedfrecord.h>
#include <gst/eeg/gsteegjoin.h>
#include "gsteegedf.h"

#include <gst/base/gstaggregator.h>
#include <gst/base/gstbytereader.h>
#include <gst/base/gstbytewriter.h>
#include <math.h>
#include <string.h>

#include "digest.h"

#define GST_CAT_DEFAULT gst_eeg_edf_mux_debug
GST_DEBUG_CATEGORY_STATIC (GST_CAT_DEFAULT);

#define REASON_SIZE 256
/* Without DISCONT, time stamps may differ that much from the sample counter. */
#define JITTER (40 * GST_MSECOND)
/* Longest gap that is filled: a wrong clock shall not write without end. */
#define MAX_FILL (24 * 3600 * GST_SECOND)
#define LOST_TEXT "Samples lost"
#define END_TEXT "Recording ends"
/* Bytes 192 to 235: EDF+C and the like */
#define RESERVED_OFFSET 192
#define RESERVED_LENGTH 44
/* These and the number of records behind them */
#define COMPLETED_OFFSET 192
#define COMPLETED_END 244
/* The least and the most that a record holds of annotations by itself */
#define MIN_ANNOTATION_BYTES 120
#define MAX_ANNOTATION_BYTES 1020
/* The same where the label of a part has to fit in */
#define LABEL_BYTES 330
/* Records that a marker is remembered for, to know its copies on other pads */
#define MARKER_MEMORY 16

/* A saved state: u8 version, u8 flags; of a file that has begun what
 * save_file() writes, little-endian. */
#define STATE_VERSION 2
#define STATE_STARTED 1
#define STATE_EXACT 2
#define STATE_DISCONTINUOUS 4
#define STATE_MARKERS_LOST 8
#define STATE_CLIPPED 16
/* no file, but what comes before the next one begins: save_part() */
#define STATE_PART 32
/* All states of a pipeline have to go into 256 KiB. */
#define MAX_STATE (96 * 1024)

typedef enum
{
  GST_EEG_EDF_MUX_FORMAT_AUTO,
  GST_EEG_EDF_MUX_FORMAT_EDF,
  GST_EEG_EDF_MUX_FORMAT_BDF
} GstEegEdfMuxFormat;

typedef enum
{
  GST_EEG_EDF_MUX_GAPS_AUTO,
  GST_EEG_EDF_MUX_GAPS_FILL,
  GST_EEG_EDF_MUX_GAPS_DISCONTINUOUS
} GstEegEdfMuxGaps;

typedef enum
{
  GST_EEG_EDF_MUX_ANNOTATIONS_AUTO,
  GST_EEG_EDF_MUX_ANNOTATIONS_ALWAYS,
  GST_EEG_EDF_MUX_ANNOTATIONS_NEVER
} GstEegEdfMuxAnnotations;

enum
{
  PROP_0,
  PROP_STATS,
  PROP_FORMAT,
  PROP_RECORD_DURATION,
  PROP_PHYSICAL_MIN,
  PROP_PHYSICAL_MAX,
  PROP_PATIENT,
  PROP_RECORDING,
  PROP_GAPS,
  PROP_ANNOTATIONS
};

#define DEFAULT_FORMAT GST_EEG_EDF_MUX_FORMAT_AUTO
#define DEFAULT_RECORD_DURATION 0
#define DEFAULT_PHYSICAL_LIMIT 0.0
#define DEFAULT_GAPS GST_EEG_EDF_MUX_GAPS_AUTO
#define DEFAULT_ANNOTATIONS GST_EEG_EDF_MUX_ANNOTATIONS_AUTO

/* Under the object lock */
struct settings
{
  GstEegEdfMuxFormat format;
  GstClockTime record_duration;
  gdouble physical_min, physical_max;
  gchar *patient, *recording;
  GstEegEdfMuxGaps gaps;
  GstEegEdfMuxAnnotations annotations;
};

/* --- pad ----------------------------------------------------------------- */

#define GST_TYPE_EEG_EDF_MUX_PAD (gst_eeg_edf_mux_pad_get_type ())
G_DECLARE_FINAL_TYPE (GstEegEdfMuxPad, gst_eeg_edf_mux_pad, GST,
    EEG_EDF_MUX_PAD, GstAggregatorPad)

struct _GstEegEdfMuxPad
{
  GstAggregatorPad parent;

  /* under the pad's object lock */
  GstEegInfo info; /* format UNKNOWN: no caps yet */
  GstStructure *recording;
  gboolean recording_changed;
  gboolean new_segment;
  gboolean complete;

  /* streaming thread */
  guint number; /* position among the pads */
  GstBuffer *buffer;
  GstMapInfo map;
  guint64 index; /* of the next sample in buffer, since stream time 0 */
  gsize frame;   /* its position in buffer */
  gsize frames;  /* samples left in buffer */
  gboolean have_base;
  gint64 base; /* index - buffer offset */
  gboolean have_next;
  guint64 next_index; /* behind the last buffer */
  gboolean eos;

  EegEdfChannel *channels;
  EegEdfSampleFormat format;
  gsize bytes_per_frame;
  EegEdfRational rate;
  guint32 samples_per_record;
  guint64 record_first; /* index of the current record's first sample */
  guint32 filled;       /* samples of the current record that are there */
  guint64 lost_first;   /* samples that were lost and not yet announced */
  guint64 lost_count;
  guint64 gap_end; /* index behind the last GAP event, 0 without one */
  /* of a file that goes on: buffers before this index were taken before */
  guint64 taken_to;
  guint64 first_index; /* what index was when the header was made */
  GstEegLane barriers; /* that came by */
};

G_DEFINE_TYPE (GstEegEdfMuxPad, gst_eeg_edf_mux_pad, GST_TYPE_AGGREGATOR_PAD)

/* The buffer stays in the pad's queue until all of it is written: so the base
 * class sees at once which pads have data. */
static void
pad_release_buffer (GstEegEdfMuxPad *pad)
{
  if (pad->buffer != NULL) {
    gst_buffer_unmap (pad->buffer, &pad->map);
    gst_clear_buffer (&pad->buffer);
  }
  pad->frames = 0;
}

static void
pad_drop_buffer (GstEegEdfMuxPad *pad)
{
  if (pad->buffer != NULL)
    gst_aggregator_pad_drop_buffer (GST_AGGREGATOR_PAD (pad));
  pad_release_buffer (pad);
}

/* Forgets the stream; caps and events stay. */
static void
pad_reset (GstEegEdfMuxPad *pad)
{
  pad_release_buffer (pad);
  pad->have_base = pad->have_next = FALSE;
  pad->eos = FALSE;
  pad->filled = 0;
  pad->lost_count = 0;
  pad->gap_end = 0;
  pad->taken_to = 0;
  gst_eeg_lane_clear (&pad->barriers);
  g_clear_pointer (&pad->channels, g_free);
  GST_OBJECT_LOCK (pad);
  pad->complete = FALSE;
  pad->recording_changed = FALSE;
  GST_OBJECT_UNLOCK (pad);
}

static void
gst_eeg_edf_mux_pad_finalize (GObject *object)
{
  GstEegEdfMuxPad *pad = GST_EEG_EDF_MUX_PAD (object);

  pad_release_buffer (pad);
  gst_eeg_lane_clear (&pad->barriers);
  g_clear_pointer (&pad->channels, g_free);
  g_clear_pointer (&pad->recording, gst_structure_free);
  gst_eeg_info_clear (&pad->info);
  G_OBJECT_CLASS (gst_eeg_edf_mux_pad_parent_class)->finalize (object);
}

static GstFlowReturn
gst_eeg_edf_mux_pad_flush (GstAggregatorPad *aggregator_pad, GstAggregator *agg)
{
  pad_reset (GST_EEG_EDF_MUX_PAD (aggregator_pad));
  return GST_FLOW_OK;
}

static void
gst_eeg_edf_mux_pad_class_init (GstEegEdfMuxPadClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = gst_eeg_edf_mux_pad_finalize;
  GST_AGGREGATOR_PAD_CLASS (klass)->flush = gst_eeg_edf_mux_pad_flush;
}

static void
gst_eeg_edf_mux_pad_init (GstEegEdfMuxPad *pad)
{
  gst_eeg_info_init (&pad->info);
}

/* --- mux ----------------------------------------------------------------- */

/* A marker that waits for its record, or was written and waits for its copies
 * on other pads */
typedef struct
{
  GstClockTime time; /* stream time */
  GstClockTime duration;
  gchar *text;
  guint64 pads; /* bits: pads on which it was seen */
  gboolean written;
  guint64 record; /* when it was written */
} Marker;

/* One signal of the file, as a row of a pad's channel table */
typedef struct
{
  GstEegEdfMuxPad *pad;
  guint channel;
  gint source_index;
} Row;

/* Streaming thread only */
struct state
{
  gboolean started; /* the header is written */
  GPtrArray *pads;  /* of GstEegEdfMuxPad, from the start on */
  EegEdfHeader *layout;
  GstEegAllocator *allocator;
  gsize annotation_bytes;
  gboolean exact; /* the layout is that of the file the samples came from */
  GstEegEdfMuxGaps gaps;
  gint64 origin_records; /* what that file's header says */
  gchar origin_records_text[9];
  gboolean seekable;
  gboolean discontinuous; /* the header says so already */
  gint64 declared;        /* number of records in the header */
  gboolean is_continued;  /* by another run: its header may say another one */

  guint64 offset; /* bytes pushed */
  guint64 records;
  GstClockTime first_time; /* stream time of the first sample */
  gint64 first_onset;      /* the same in ns since the header's start */
  /* records without a gap before them */
  GstClockTime run_time; /* stream time */
  guint64 run_records;

  gboolean open; /* a record is being filled */
  GstMemory *memory;
  GstMapInfo map;

  GQueue markers;     /* of Marker, by time */
  GQueue origins;     /* of GstEegEdfRecord, by number */
  gint64 last_origin; /* number of the newest */
  gboolean markers_lost;
  gboolean clipped;

  guint64 barrier_id;  /* of the last barrier that left */
  gboolean is_resumed; /* and nothing was pushed yet */
  gboolean was_exact;  /* what `exact` was for the header of the file */

  /* parts of a recording */
  GstEegPart part;      /* that is written; number 0: there are none */
  gboolean counts_anew; /* the source, after an interruption */
  gpointer hash;        /* of what was pushed of it; NULL: without a label */
  gboolean begins_part; /* at the barrier at hand */
};

#define GST_TYPE_EEG_EDF_MUX (gst_eeg_edf_mux_get_type ())
G_DECLARE_FINAL_TYPE (GstEegEdfMux, gst_eeg_edf_mux, GST, EEG_EDF_MUX,
    GstAggregator)

/* Locking: `state` belongs to the source pad's task. `settings` are under the
 * object lock and are copied when the header is written. What sink events set
 * is under the pad's object lock. `frozen` tells the pads' threads that the
 * header is written; it is under the object lock. Counters are atomic. */
struct _GstEegEdfMux
{
  GstAggregator parent;

  struct settings settings;
  struct state state;
  gint failed;      /* atomic: an error was posted */
  gint part_wanted; /* atomic: the next barrier of several pads is to end one */
  GBytes *restore;  /* object lock; to go on from, taken with the header */
  GstEegPart *part; /* object lock; NULL: no parts */
  guint64 part_request; /* object lock; the last one whose end was asked for */
  gboolean frozen;
  gsize shared_record_size; /* object lock; for estimates */
  guint pad_number;         /* object lock */
  GstEegStageCounters counters;
  guint64 clipped_values; /* atomic */
  guint64 lost_markers;   /* atomic */
  guint64 num_records;    /* atomic */
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink_%u",
    GST_PAD_SINK, GST_PAD_REQUEST,
    GST_STATIC_CAPS (GST_EEG_RAW_CAPS_MAKE (GST_EEG_FORMATS_COUNTS,
        "counts") ";" GST_EEG_RAW_CAPS_MAKE ("{ F32LE, F64LE }", "voltage")));

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS,
        GST_STATIC_CAPS ("application/x-edf; application/x-bdf"));

static void gst_eeg_edf_mux_stage_init (GstEegStageInterface *iface);

G_DEFINE_TYPE_WITH_CODE (GstEegEdfMux, gst_eeg_edf_mux, GST_TYPE_AGGREGATOR,
    G_IMPLEMENT_INTERFACE (GST_TYPE_EEG_STAGE, gst_eeg_edf_mux_stage_init)
        GST_DEBUG_CATEGORY_INIT (GST_CAT_DEFAULT, "edfmux", 0,
            "EDF and BDF muxer"))
GST_ELEMENT_REGISTER_DEFINE (edfmux, "edfmux", GST_RANK_PRIMARY,
    GST_TYPE_EEG_EDF_MUX)

#define GST_TYPE_EEG_EDF_MUX_FORMAT (gst_eeg_edf_mux_format_get_type ())
static GType
gst_eeg_edf_mux_format_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { GST_EEG_EDF_MUX_FORMAT_AUTO,
        "EDF for counts of 16 bits, BDF for 24 bits and voltage", "auto" },
    { GST_EEG_EDF_MUX_FORMAT_EDF, "EDF+, 16 bits", "edf" },
    { GST_EEG_EDF_MUX_FORMAT_BDF, "BDF+, 24 bits", "bdf" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type)) {
    GType new_type = g_enum_register_static ("GstEegEdfMuxFormat", values);

    g_once_init_leave (&type, new_type);
  }
  return type;
}

#define GST_TYPE_EEG_EDF_MUX_GAPS (gst_eeg_edf_mux_gaps_get_type ())
static GType
gst_eeg_edf_mux_gaps_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { GST_EEG_EDF_MUX_GAPS_AUTO,
        "EDF+D from the first long gap on if downstream can seek, else fill",
        "auto" },
    { GST_EEG_EDF_MUX_GAPS_FILL, "Fill with physical zero, always EDF+C",
        "fill" },
    { GST_EEG_EDF_MUX_GAPS_DISCONTINUOUS, "EDF+D from the start",
        "discontinuous" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type)) {
    GType new_type = g_enum_register_static ("GstEegEdfMuxGaps", values);

    g_once_init_leave (&type, new_type);
  }
  return type;
}

#define GST_TYPE_EEG_EDF_MUX_ANNOTATIONS                                       \
  (gst_eeg_edf_mux_annotations_get_type ())
static GType
gst_eeg_edf_mux_annotations_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { GST_EEG_EDF_MUX_ANNOTATIONS_AUTO,
        "As the file that the samples came from, else always", "auto" },
    { GST_EEG_EDF_MUX_ANNOTATIONS_ALWAYS, "EDF+ or BDF+", "always" },
    { GST_EEG_EDF_MUX_ANNOTATIONS_NEVER, "Plain EDF or BDF", "never" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type)) {
    GType new_type = g_enum_register_static ("GstEegEdfMuxAnnotations", values);

    g_once_init_leave (&type, new_type);
  }
  return type;
}

/* --- state --------------------------------------------------------------- */

static void
marker_free (Marker *marker)
{
  g_free (marker->text);
  g_free (marker);
}

static void
close_record (struct state *state)
{
  if (state->memory != NULL) {
    gst_memory_unmap (state->memory, &state->map);
    g_clear_pointer (&state->memory, gst_memory_unref);
  }
  state->open = FALSE;
}

static void
state_init (struct state *state)
{
  memset (state, 0, sizeof *state);
  state->pads = g_ptr_array_new_with_free_func (gst_object_unref);
  g_queue_init (&state->markers);
  g_queue_init (&state->origins);
  state->last_origin = -1;
}

static void
state_clear (struct state *state)
{
  close_record (state);
  g_clear_pointer (&state->hash, g_free);
  g_clear_pointer (&state->pads, g_ptr_array_unref);
  g_clear_pointer (&state->layout, eeg_edf_header_free);
  g_clear_object (&state->allocator);
  g_queue_clear_full (&state->markers, (GDestroyNotify) marker_free);
  g_queue_clear_full (&state->origins,
      (GDestroyNotify) gst_eeg_edf_record_unref);
}

static void
reset (GstEegEdfMux *self)
{
  struct state *state = &self->state;

  state_clear (state);
  state_init (state);
  g_atomic_int_set (&self->failed, FALSE);
  g_atomic_int_set (&self->part_wanted, FALSE);
  GST_OBJECT_LOCK (self);
  self->frozen = FALSE;
  self->part_request = 0;
  if (self->part != NULL)
    state->part = *self->part;
  state->counts_anew = state->part.link == GST_EEG_PART_LINK_INTERRUPTED;
  GST_OBJECT_UNLOCK (self);
  if (state->part.digest != NULL) {
    state->hash = g_malloc (state->part.digest->state_size);
    state->part.digest->init (state->hash);
  }
}

static void
take_settings (GstEegEdfMux *self, struct settings *settings)
{
  GST_OBJECT_LOCK (self);
  *settings = self->settings;
  settings->patient = g_strdup (settings->patient);
  settings->recording = g_strdup (settings->recording);
  GST_OBJECT_UNLOCK (self);
}

static void
settings_clear (struct settings *settings)
{
  g_clear_pointer (&settings->patient, g_free);
  g_clear_pointer (&settings->recording, g_free);
}

/* One error, of the domain that fits. */
#define FAIL(self, domain, code, ...)                                          \
  do {                                                                         \
    g_atomic_int_set (&(self)->failed, TRUE);                                  \
    gst_eeg_stage_count (&(self)->counters.errors, 1);                         \
    GST_ELEMENT_ERROR (self, domain, code, (__VA_ARGS__), (NULL));             \
  } while (0)

/* --- output -------------------------------------------------------------- */

/* What the next part's label will say of this one: all bytes but those of the
 * header that are completed later. */
static void
hash_output (struct state *state, GstMemory *memory, guint64 offset)
{
  GstMapInfo map;
  gsize first, last;

  if (state->hash == NULL || !gst_memory_map (memory, &map, GST_MAP_READ))
    return;
  first =
      (gsize) MIN (map.size, COMPLETED_OFFSET - MIN (offset, COMPLETED_OFFSET));
  last = (gsize) MIN (map.size, COMPLETED_END - MIN (offset, COMPLETED_END));
  state->part.digest->update (state->hash, map.data, first);
  state->part.digest->update (state->hash, map.data + last, map.size - last);
  gst_memory_unmap (memory, &map);
}

static GstFlowReturn
push_bytes (GstEegEdfMux *self, GstMemory *memory, guint64 offset,
    GstClockTime time)
{
  GstBuffer *buffer = gst_buffer_new ();
  gsize size = gst_memory_get_sizes (memory, NULL, NULL);

  hash_output (&self->state, memory, offset);

  gst_buffer_append_memory (buffer, memory);
  GST_BUFFER_OFFSET (buffer) = offset;
  GST_BUFFER_OFFSET_END (buffer) = offset + size;
  /* tells what is behind how old its bytes are */
  if (GST_CLOCK_TIME_IS_VALID (time)) {
    GST_BUFFER_PTS (buffer) = time;
    GST_BUFFER_DURATION (buffer) =
        eeg_edf_record_offset_ns (self->state.layout, 1);
  }
  gst_eeg_stage_count_out (&self->counters, size, 0);
  return gst_aggregator_finish_buffer (GST_AGGREGATOR (self), buffer);
}

static void
go_to_byte (GstEegEdfMux *self, guint64 offset)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  segment.start = segment.time = segment.position = offset;
  gst_aggregator_update_segment (GST_AGGREGATOR (self), &segment);
}

/* Overwrites bytes of the header; what is pushed next goes to the end again. */
static GstFlowReturn
patch (GstEegEdfMux *self, guint64 offset, const gchar *bytes, gsize size)
{
  gpointer copy = g_memdup2 (bytes, size);
  GstFlowReturn ret;

  go_to_byte (self, offset);
  ret = push_bytes (self,
      gst_memory_new_wrapped (0, copy, size, 0, size, copy, g_free), offset,
      GST_CLOCK_TIME_NONE);
  go_to_byte (self, self->state.offset);
  return ret;
}

static gboolean
downstream_seekable (GstEegEdfMux *self)
{
  GstQuery *query = gst_query_new_seeking (GST_FORMAT_BYTES);
  gboolean seekable = FALSE;

  if (gst_pad_peer_query (GST_AGGREGATOR_SRC_PAD (self), query))
    gst_query_parse_seeking (query, NULL, &seekable, NULL, NULL);
  gst_query_unref (query);
  return seekable;
}

/* --- markers ------------------------------------------------------------- */

/* Of the pads that brought a marker, the first one */
static guint
first_pad (const Marker *marker)
{
  guint i = 0;

  while (i < 63 && (marker->pads >> i & 1) == 0)
    i++;
  return i;
}

/* By time, then by pad, then as they came: which pad has its samples sooner
 * must not decide about the file. */
static void
insert_marker (struct state *state, GList *link)
{
  Marker *marker = link->data, *m;
  GList *place = state->markers.tail;

  for (; place != NULL; place = place->prev) {
    m = place->data;
    if (m->time < marker->time
        || (m->time == marker->time && first_pad (m) <= first_pad (marker)))
      break;
  }
  if (place != NULL)
    g_queue_insert_after_link (&state->markers, place, link);
  else
    g_queue_push_head_link (&state->markers, link);
}

/* Adds a marker, unless it is the copy of one that came by another pad. */
static void
add_marker (GstEegEdfMux *self, guint pad, GstClockTime time,
    GstClockTime duration, const gchar *text)
{
  struct state *state = &self->state;
  guint64 bit = G_GUINT64_CONSTANT (1) << (pad % 64);
  Marker *marker;
  GList *l;

  /* the queue is in order of time, and most come in order */
  for (l = state->markers.tail; l != NULL; l = l->prev) {
    marker = l->data;
    if (marker->time < time)
      break;
    if (marker->time == time && marker->duration == duration
        && (marker->pads & bit) == 0 && strcmp (marker->text, text) == 0) {
      marker->pads |= bit;
      if (first_pad (marker) == pad % 64) {
        g_queue_unlink (&state->markers, l);
        insert_marker (state, l);
      }
      return;
    }
  }
  marker = g_new0 (Marker, 1);
  marker->time = time;
  marker->duration = duration;
  marker->text = g_strdup (text);
  marker->pads = bit;
  insert_marker (state, g_list_prepend (NULL, marker));
}

/* Whether a marker of a buffer that ends before sample `end` came before the
 * barrier from which the file goes on: all of the buffers that were taken then,
 * and of one that was taken in part those that were written, or wait. */
static gboolean
was_taken (GstEegEdfMux *self, GstEegEdfMuxPad *pad,
    const GstEegMarkerMeta *meta, guint64 end)
{
  GList *l;

  if (pad->index >= pad->taken_to)
    return FALSE;
  if (end <= pad->taken_to
      || meta->time
          < gst_eeg_info_samples_to_time (&pad->info, pad->record_first))
    return TRUE;
  for (l = self->state.markers.head; l != NULL; l = l->next) {
    const Marker *m = l->data;

    if (m->time == meta->time && m->duration == meta->duration
        && strcmp (m->text, meta->text) == 0)
      return TRUE;
  }
  return FALSE;
}

/* Of a buffer of so many frames, whose first sample has its number. */
static void
take_markers (GstEegEdfMux *self, GstEegEdfMuxPad *pad, GstBuffer *buffer,
    gsize frames)
{
  const guint64 end = pad->index + frames;
  struct state *state = &self->state;
  GstEegMarkerMeta *meta;
  GstEegEdfRecord *origin;
  gpointer iter = NULL;

  while ((meta = gst_buffer_iterate_eeg_marker_meta (buffer, &iter)) != NULL)
    if (!was_taken (self, pad, meta, end))
      add_marker (self, pad->number, meta->time, meta->duration, meta->text);
  iter = NULL;
  while ((origin = gst_buffer_iterate_eeg_edf_record (buffer, &iter)) != NULL) {
    GList *l;

    /* pads and fragments bring the same record several times */
    for (l = state->origins.tail; l != NULL; l = l->prev) {
      if (((GstEegEdfRecord *) l->data)->number <= origin->number)
        break;
    }
    if (l != NULL && ((GstEegEdfRecord *) l->data)->number == origin->number)
      continue;
    if ((gint64) origin->number <= state->last_origin)
      continue;
    gst_eeg_edf_record_ref (origin);
    if (l != NULL)
      g_queue_insert_after (&state->origins, l, origin);
    else
      g_queue_push_head (&state->origins, origin);
  }
}

/* A filter changed while the file is being written: the header cannot say so
 * any more. */
static void
announce_prefilter (GstEegEdfMux *self, GstEegEdfMuxPad *pad)
{
  GstClockTime time = GST_CLOCK_TIME_NONE;
  GPtrArray *texts = NULL;
  GstClockTime now;
  guint i;

  GST_OBJECT_LOCK (pad);
  if (pad->recording_changed) {
    const GValue *array =
        gst_structure_get_value (pad->recording, GST_EEG_RECORDING_PREFILTER);

    pad->recording_changed = FALSE;
    if (array != NULL && GST_VALUE_HOLDS_ARRAY (array)) {
      texts = g_ptr_array_new_with_free_func (g_free);
      for (i = 0; i < gst_value_array_get_size (array); i++) {
        const GValue *v = gst_value_array_get_value (array, i);
        const gchar *text =
            G_VALUE_HOLDS_STRING (v) ? g_value_get_string (v) : NULL;

        if (text != NULL && *text != '\0'
            && !g_ptr_array_find_with_equal_func (texts, text, g_str_equal,
                NULL))
          g_ptr_array_add (texts, g_strdup (text));
      }
    }
    time = gst_eeg_info_samples_to_time (&pad->info, pad->index);
  }
  GST_OBJECT_UNLOCK (pad);
  if (texts == NULL)
    return;
  now = time;
  for (i = 0; i < texts->len; i++) {
    gchar *text = g_strdup_printf ("Prefilter: %s",
        (gchar *) g_ptr_array_index (texts, i));

    add_marker (self, pad->number, now, GST_CLOCK_TIME_NONE, text);
    g_free (text);
  }
  g_ptr_array_unref (texts);
}

/* --- input --------------------------------------------------------------- */

static GstClockTime
pad_time (const GstEegEdfMuxPad *pad, guint64 samples)
{
  return gst_eeg_info_samples_to_time (&pad->info, samples);
}

/* Numbers the buffer's first sample. FALSE: it lies before what was taken. */
static gboolean
place_buffer (GstEegEdfMux *self, GstEegEdfMuxPad *pad, GstBuffer *buffer,
    gboolean *outside)
{
  GstClockTime pts = GST_BUFFER_PTS (buffer), time = GST_CLOCK_TIME_NONE;
  gboolean discont = GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  guint64 jitter = gst_eeg_info_time_to_samples (&pad->info, JITTER) + 1;
  guint64 index, offset = GST_BUFFER_OFFSET (buffer);

  *outside = FALSE;
  GST_OBJECT_LOCK (pad);
  if (pad->new_segment)
    pad->have_base = FALSE;
  pad->new_segment = FALSE;
  if (GST_CLOCK_TIME_IS_VALID (pts)) {
    time =
        gst_segment_to_stream_time (&pad->parent.segment, GST_FORMAT_TIME, pts);
    *outside = !GST_CLOCK_TIME_IS_VALID (time);
  }
  GST_OBJECT_UNLOCK (pad);
  if (*outside)
    return TRUE;

  if (!GST_CLOCK_TIME_IS_VALID (time)) {
    index = pad->have_next ? pad->next_index : 0;
  } else {
    index = gst_eeg_info_time_to_samples (&pad->info, time);
    if (offset != GST_BUFFER_OFFSET_NONE) {
      /* the counter is exact, the time stamp says where it begins */
      if (!pad->have_base
          || ABS ((gint64) (offset + pad->base) - (gint64) index)
              > (gint64) jitter) {
        pad->base = (gint64) index - (gint64) offset;
        pad->have_base = TRUE;
      }
      index = offset + pad->base;
    } else if (pad->have_next && !discont
        && ABS ((gint64) index - (gint64) pad->next_index) <= (gint64) jitter) {
      index = pad->next_index;
    }
  }
  if (pad->have_next && index < pad->next_index) {
    if (pad->next_index - index > jitter)
      return FALSE;
    index = pad->next_index;
    pad->have_base = FALSE;
  }
  pad->index = index;
  return TRUE;
}

/* The next buffer's time tells how long a GAP event was; only where none comes,
 * at the end, its own is needed. */
static void
note_gap (GstEegEdfMuxPad *pad, GstBuffer *buffer)
{
  GstClockTime time = GST_CLOCK_TIME_NONE;

  if (!GST_BUFFER_PTS_IS_VALID (buffer)
      || !GST_BUFFER_DURATION_IS_VALID (buffer))
    return;
  GST_OBJECT_LOCK (pad);
  time = gst_segment_to_stream_time (&pad->parent.segment, GST_FORMAT_TIME,
      GST_BUFFER_PTS (buffer) + GST_BUFFER_DURATION (buffer));
  GST_OBJECT_UNLOCK (pad);
  if (GST_CLOCK_TIME_IS_VALID (time))
    pad->gap_end =
        MAX (pad->gap_end, gst_eeg_info_time_to_samples (&pad->info, time));
}

static gboolean restore_file (GstEegEdfMux *self);

/* In a file that goes on: samples that it has. */
static void
skip_written (GstEegEdfMuxPad *pad)
{
  gsize n = 0;

  if (G_LIKELY (pad->index >= pad->taken_to))
    return;
  if (pad->index < pad->record_first)
    n = (gsize) MIN (pad->frames, pad->record_first - pad->index);
  pad->index += n;
  pad->frame += n;
  pad->frames -= n;
}

/* Has the pad samples, or ended? FALSE: wait, or an error. */
static gboolean
fetch (GstEegEdfMux *self, GstEegEdfMuxPad *pad)
{
  GstAggregatorPad *aggregator_pad = GST_AGGREGATOR_PAD (pad);

  while (pad->frames == 0) {
    GstBuffer *buffer;
    gboolean placed, outside;

    pad_drop_buffer (pad);
    buffer = gst_aggregator_pad_peek_buffer (aggregator_pad);
    if (buffer == NULL) {
      pad->eos = gst_aggregator_pad_is_eos (aggregator_pad)
          || GST_OBJECT_PARENT (pad) == NULL;
      return pad->eos;
    }
    if (!self->state.started) {
      GST_OBJECT_LOCK (pad);
      pad->bytes_per_frame = pad->info.bytes_per_frame;
      GST_OBJECT_UNLOCK (pad);
      if (pad->bytes_per_frame == 0) {
        gst_buffer_unref (buffer);
        FAIL (self, CORE, NEGOTIATION, "Samples came before their caps.");
        return FALSE;
      }
    }
    if (gst_buffer_get_size (buffer) % pad->bytes_per_frame != 0) {
      gst_buffer_unref (buffer);
      FAIL (self, STREAM, MUX, "A buffer ends inside a sample.");
      return FALSE;
    }
    if (!restore_file (self)) {
      gst_buffer_unref (buffer);
      return FALSE;
    }
    if (gst_buffer_get_size (buffer) == 0) {
      take_markers (self, pad, buffer, 0);
      note_gap (pad, buffer);
      gst_buffer_unref (buffer);
      gst_aggregator_pad_drop_buffer (aggregator_pad);
      continue;
    }
    placed = place_buffer (self, pad, buffer, &outside);
    take_markers (self, pad, buffer,
        gst_buffer_get_size (buffer) / pad->bytes_per_frame);
    if (!placed) {
      gst_buffer_unref (buffer);
      FAIL (self, STREAM, MUX,
          "Time runs backwards on %s: one recording cannot hold that.",
          GST_OBJECT_NAME (pad));
      return FALSE;
    }
    if (outside) {
      GST_DEBUG_OBJECT (pad, "buffer outside of the segment dropped");
      gst_buffer_unref (buffer);
      gst_aggregator_pad_drop_buffer (aggregator_pad);
      continue;
    }
    if (!gst_buffer_map (buffer, &pad->map, GST_MAP_READ)) {
      gst_buffer_unref (buffer);
      FAIL (self, RESOURCE, FAILED, "A buffer cannot be read.");
      return FALSE;
    }
    pad->buffer = buffer;
    pad->frame = 0;
    pad->frames = pad->map.size / pad->bytes_per_frame;
    pad->next_index = pad->index + pad->frames;
    pad->have_next = TRUE;
    gst_eeg_stage_count_in (&self->counters, pad->map.size, pad->frames);
    skip_written (pad);
  }
  return TRUE;
}

/* --- header -------------------------------------------------------------- */

static gint
compare_rows (gconstpointer a, gconstpointer b)
{
  const Row *x = a, *y = b;

  return x->source_index - y->source_index;
}

static const GstEegChannel *
row_channel (const Row *row)
{
  GstEegChannels *table = row->pad->info.channel_table;

  return table != NULL ? gst_eeg_channels_get (table, row->channel) : NULL;
}

/* All channels of all pads, in the order of the file. *unique: each says at
 * another place of one file where it came from. */
static GArray *
collect_rows (GstEegEdfMux *self, gboolean *unique)
{
  GArray *rows = g_array_new (FALSE, TRUE, sizeof (Row));
  guint i, c;

  *unique = TRUE;
  for (i = 0; i < self->state.pads->len; i++) {
    GstEegEdfMuxPad *pad = g_ptr_array_index (self->state.pads, i);

    for (c = 0; c < (guint) pad->info.channels; c++) {
      Row row = { pad, c, -1 };
      const GstEegChannel *channel = row_channel (&row);

      if (channel != NULL)
        row.source_index = channel->source_index;
      *unique &= row.source_index >= 0;
      g_array_append_val (rows, row);
    }
  }
  if (*unique) {
    GArray *sorted = g_array_copy (rows);

    g_array_sort (sorted, compare_rows);
    for (i = 1; i < sorted->len; i++)
      *unique &= g_array_index (sorted, Row, i).source_index
          != g_array_index (sorted, Row, i - 1).source_index;
    if (*unique) {
      g_array_unref (rows);
      return sorted;
    }
    g_array_unref (sorted);
  }
  return rows;
}

/* transfer full; the header of the file that all samples came from */
static EegEdfHeader *
find_origin (GstEegEdfMux *self)
{
  EegEdfHeader *origin = NULL;
  GBytes *first = NULL;
  gchar reason[REASON_SIZE];
  gsize size, needed;
  guint i;

  for (i = 0; i < self->state.pads->len; i++) {
    GstEegEdfMuxPad *pad = g_ptr_array_index (self->state.pads, i);
    GBytes *bytes = NULL;

    if (pad->recording == NULL
        || !gst_structure_get (pad->recording, GST_EEG_EDF_RECORDING_HEADER,
            G_TYPE_BYTES, &bytes, NULL))
      goto none;
    if (first != NULL && !g_bytes_equal (first, bytes)) {
      g_bytes_unref (bytes);
      goto none;
    }
    if (first == NULL)
      first = bytes;
    else
      g_bytes_unref (bytes);
  }
  if (first != NULL) {
    gconstpointer data = g_bytes_get_data (first, &size);

    if (eeg_edf_header_parse (data, size, &origin, &needed, reason,
            sizeof reason)
        != EEG_EDF_OK)
      origin = NULL;
  }
none:
  g_clear_pointer (&first, g_bytes_unref);
  return origin;
}

/* Do the samples still fit the record that they came in? */
static gboolean
is_exact (GstEegEdfMux *self, const EegEdfHeader *origin, const GArray *rows,
    const struct settings *settings)
{
  guint i;

  if (settings->annotations != GST_EEG_EDF_MUX_ANNOTATIONS_AUTO)
    return FALSE;
  if (settings->format != GST_EEG_EDF_MUX_FORMAT_AUTO
      && (settings->format == GST_EEG_EDF_MUX_FORMAT_BDF)
          != (origin->format == EEG_EDF_FORMAT_BDF))
    return FALSE;
  if (settings->record_duration != 0
      && settings->record_duration
          != (GstClockTime) eeg_edf_record_offset_ns (origin, 1))
    return FALSE;
  for (i = 0; i < rows->len; i++) {
    const Row *row = &g_array_index (rows, Row, i);
    const GstEegInfo *info = &row->pad->info;
    const EegEdfSignal *s;

    if (info->domain != GST_EEG_DOMAIN_COUNTS
        || row->source_index >= (gint) origin->num_signals)
      return FALSE;
    s = &origin->signals[row->source_index];
    if (s->is_annotations || origin->groups[s->group].rate.num != info->rate_n
        || origin->groups[s->group].rate.den != info->rate_d)
      return FALSE;
  }
  return TRUE;
}

static gboolean
fits_bits (gint32 min, gint32 max, guint bits)
{
  gint32 limit = 1 << (bits - 1);

  return min >= -limit && max <= limit - 1;
}

/* FALSE after an error */
static gboolean
choose_format (GstEegEdfMux *self, const GArray *rows,
    const struct settings *settings, EegEdfFormat *format)
{
  gboolean voltage = FALSE, fits16 = TRUE, fits24 = TRUE;
  guint i;

  for (i = 0; i < rows->len; i++) {
    const Row *row = &g_array_index (rows, Row, i);
    const GstEegChannel *c = row_channel (row);

    if (row->pad->info.domain == GST_EEG_DOMAIN_VOLTAGE) {
      voltage = TRUE;
    } else if (c != NULL && c->digital_min < c->digital_max) {
      fits16 &= fits_bits (c->digital_min, c->digital_max, 16);
      fits24 &= fits_bits (c->digital_min, c->digital_max, 24);
    } else {
      fits16 &= row->pad->info.format == GST_EEG_FORMAT_S16LE;
      fits24 &= row->pad->info.format != GST_EEG_FORMAT_S32LE;
    }
  }
  switch (settings->format) {
    case GST_EEG_EDF_MUX_FORMAT_EDF:
      *format = EEG_EDF_FORMAT_EDF;
      fits24 = fits16;
      break;
    case GST_EEG_EDF_MUX_FORMAT_BDF:
      *format = EEG_EDF_FORMAT_BDF;
      break;
    default:
      *format = voltage || !fits16 ? EEG_EDF_FORMAT_BDF : EEG_EDF_FORMAT_EDF;
      break;
  }
  if (!fits24) {
    FAIL (self, CORE, NEGOTIATION,
        "The digital range of a channel is wider than the %d bits of %s.",
        *format == EEG_EDF_FORMAT_BDF ? 24 : 16,
        *format == EEG_EDF_FORMAT_BDF ? "BDF" : "EDF");
    return FALSE;
  }
  return TRUE;
}

static gboolean
set_limits (EegEdfSignal *s, gdouble pmin, gdouble pmax, gint32 dmin,
    gint32 dmax, gboolean outwards)
{
  EegEdfRounding low = EEG_EDF_ROUND_NEAREST, high = EEG_EDF_ROUND_NEAREST;

  if (outwards) {
    low = pmin < pmax ? EEG_EDF_ROUND_DOWN : EEG_EDF_ROUND_UP;
    high = pmin < pmax ? EEG_EDF_ROUND_UP : EEG_EDF_ROUND_DOWN;
  }
  return pmin != pmax && eeg_edf_set_physical (s->physical_min, pmin, low)
      && eeg_edf_set_physical (s->physical_max, pmax, high)
      && eeg_edf_set_integer (s->digital_min, dmin)
      && eeg_edf_set_integer (s->digital_max, dmax);
}

/* FALSE after an error */
static gboolean
set_calibration (GstEegEdfMux *self, EegEdfSignal *s, const Row *row,
    const GstEegChannel *c, EegEdfFormat format,
    const struct settings *settings)
{
  gboolean voltage = row->pad->info.domain == GST_EEG_DOMAIN_VOLTAGE;
  gboolean bdf = format == EEG_EDF_FORMAT_BDF;
  gint32 high = bdf ? 8388607 : 32767, low = -high - 1;
  gdouble pmin, pmax;
  gint32 dmin, dmax;

  if (voltage && settings->physical_min != settings->physical_max
      && (c == NULL || gst_eeg_channel_type_is_signal (c->type))) {
    if (!set_limits (s, settings->physical_min, settings->physical_max, low,
            high, TRUE))
      goto no_number;
    return TRUE;
  }
  if (c == NULL || c->digital_min >= c->digital_max
      || c->physical_min == c->physical_max) {
    if (voltage) {
      FAIL (self, LIBRARY, SETTINGS,
          "Channel %u of %s has no physical range: set physical-min and "
          "physical-max.",
          row->channel, GST_OBJECT_NAME (row->pad));
      return FALSE;
    }
    /* nothing is known: the count is the value */
    if (!set_limits (s, low, high, low, high, FALSE))
      goto no_number;
    return TRUE;
  }

  pmin = c->physical_min;
  pmax = c->physical_max;
  dmin = c->digital_min;
  dmax = c->digital_max;
  if (voltage && bdf && fits_bits (dmin, dmax, 16)) {
    /* Whatever 16 bits held, also outside of the declared range, has its
     * place, and steps are finer by 256. */
    dmin *= 256;
    dmax *= 256;
  } else if (voltage && !fits_bits (dmin, dmax, bdf ? 24 : 16)) {
    dmin = low;
    dmax = high;
  }
  if (!set_limits (s, pmin, pmax, dmin, dmax, voltage))
    goto no_number;
  if (strlen (c->calibration_text) == 32) {
    /* the same characters give the same gain */
    memcpy (s->physical_min, c->calibration_text, 8);
    memcpy (s->physical_max, c->calibration_text + 8, 8);
    if (dmin == c->digital_min && dmax == c->digital_max) {
      memcpy (s->digital_min, c->calibration_text + 16, 8);
      memcpy (s->digital_max, c->calibration_text + 24, 8);
    }
  }
  return TRUE;

no_number:
  FAIL (self, LIBRARY, SETTINGS,
      "The physical range of channel %u of %s does not fit into a header.",
      row->channel, GST_OBJECT_NAME (row->pad));
  return FALSE;
}

/* A field keeps its old characters as long as they still say the same. */
static void
set_text (char *field, gsize width, const gchar *text, const char *old)
{
  gchar utf8[161];

  if (old != NULL) {
    eeg_edf_field_to_utf8 (old, utf8, sizeof utf8);
    if (strcmp (utf8, text) == 0) {
      memcpy (field, old, width + 1);
      return;
    }
  }
  eeg_edf_set_field (field, width, text);
}

static const gchar *
row_prefilter (const Row *row)
{
  const GValue *array = NULL, *value;

  if (row->pad->recording != NULL)
    array = gst_structure_get_value (row->pad->recording,
        GST_EEG_RECORDING_PREFILTER);
  if (array == NULL || !GST_VALUE_HOLDS_ARRAY (array)
      || row->channel >= gst_value_array_get_size (array))
    return "";
  value = gst_value_array_get_value (array, row->channel);
  return G_VALUE_HOLDS_STRING (value) && g_value_get_string (value) != NULL
      ? g_value_get_string (value)
      : "";
}

/* The header has room for its beginning only. */
static void
add_whole_prefilter (GstEegEdfMux *self, const Row *row)
{
  const GstEegChannels *table = row->pad->info.channel_table;
  gchar *text = g_strdup_printf ("Prefilter %s: %s",
      table != NULL ? gst_eeg_channels_get (table, row->channel)->label : "",
      row_prefilter (row));

  add_marker (self, row->pad->number, self->state.first_time,
      GST_CLOCK_TIME_NONE, text);
  g_free (text);
}

/* Fills one signal from its row; old: its fields in the origin, or NULL */
static gboolean
set_signal (GstEegEdfMux *self, EegEdfSignal *s, const Row *row,
    EegEdfFormat format, const struct settings *settings,
    const EegEdfSignal *old)
{
  const GstEegChannel *c = row_channel (row);
  gchar name[32];

  g_snprintf (name, sizeof name, "Channel %u", row->channel + 1);
  set_text (s->label, 16, c != NULL ? c->label : name, old ? old->label : NULL);
  set_text (s->transducer, 80, c != NULL ? c->transducer : "",
      old ? old->transducer : NULL);
  set_text (s->dimension, 8, c != NULL ? c->unit : "",
      old ? old->dimension : NULL);
  set_text (s->prefilter, 80, row_prefilter (row), old ? old->prefilter : NULL);
  if (old != NULL) {
    memcpy (s->reserved, old->reserved, sizeof s->reserved);
    /* NUL among the characters does not go through a string */
    if (c != NULL && *c->calibration_text == '\0' && c->digital_min == old->dmin
        && c->digital_max == old->dmax && c->physical_min == old->pmin
        && c->physical_max == old->pmax) {
      memcpy (s->physical_min, old->physical_min, 9);
      memcpy (s->physical_max, old->physical_max, 9);
      memcpy (s->digital_min, old->digital_min, 9);
      memcpy (s->digital_max, old->digital_max, 9);
      return TRUE;
    }
  }
  return set_calibration (self, s, row, c, format, settings);
}

static void
set_annotation_signal (EegEdfSignal *s, EegEdfFormat format, gsize bytes)
{
  gboolean bdf = format == EEG_EDF_FORMAT_BDF;

  eeg_edf_set_field (s->label, 16, bdf ? "BDF Annotations" : "EDF Annotations");
  eeg_edf_set_integer (s->physical_min, -1);
  eeg_edf_set_integer (s->physical_max, 1);
  eeg_edf_set_integer (s->digital_min, bdf ? -8388608 : -32768);
  eeg_edf_set_integer (s->digital_max, bdf ? 8388607 : 32767);
  eeg_edf_set_integer (s->samples, bytes / (bdf ? 3 : 2));
}

/* Samples that each pad will deliver, 0: not known */
static guint64
query_total (GstEegEdfMuxPad *pad)
{
  GstSegment segment;
  gint64 duration = -1;
  GstClockTime end;
  guint64 samples;

  GST_OBJECT_LOCK (pad);
  segment = pad->parent.segment;
  GST_OBJECT_UNLOCK (pad);
  if (!gst_pad_peer_query_duration (GST_PAD (pad), GST_FORMAT_TIME, &duration)
      || duration < 0)
    return 0;
  end = duration;
  if (segment.format == GST_FORMAT_TIME
      && GST_CLOCK_TIME_IS_VALID (segment.stop)) {
    GstClockTime stop =
        gst_segment_to_stream_time (&segment, GST_FORMAT_TIME, segment.stop);

    end = MIN (end, stop);
  }
  samples = gst_eeg_info_time_to_samples (&pad->info, end);
  return samples > pad->index ? samples - pad->index : 0;
}

/* The duration of a record that the recording event asks for, or 0/1 */
static EegEdfRational
record_hint (GstEegEdfMux *self, const struct settings *settings)
{
  EegEdfRational hint = { 0, 1 };
  GstEegEdfMuxPad *pad = g_ptr_array_index (self->state.pads, 0);
  const gchar *text = NULL;
  gint64 ns;

  if (settings->record_duration != 0) {
    guint64 d = settings->record_duration, unit = GST_SECOND;

    while (d % 10 == 0 && unit > 1) {
      d /= 10;
      unit /= 10;
    }
    hint.num = d / gst_util_greatest_common_divisor_int64 (d, unit);
    hint.den = unit / gst_util_greatest_common_divisor_int64 (d, unit);
    return hint;
  }
  if (pad->recording != NULL)
    text = gst_structure_get_string (pad->recording,
        GST_EEG_RECORDING_RECORD_DURATION);
  if (text != NULL && eeg_edf_parse_seconds (text, strlen (text), &ns)
      && ns > 0) {
    gint64 divisor = gst_util_greatest_common_divisor_int64 (ns, GST_SECOND);

    hint.num = ns / divisor;
    hint.den = GST_SECOND / divisor;
  }
  return hint;
}

static gsize
min_annotation_bytes (const struct state *state)
{
  return state->hash != NULL ? LABEL_BYTES : MIN_ANNOTATION_BYTES;
}

/* Chooses the record. FALSE after an error */
static gboolean
choose_record (GstEegEdfMux *self, EegEdfHeader *h, gboolean annotations,
    const struct settings *settings, gsize *annotation_bytes)
{
  struct state *state = &self->state;
  EegEdfStream *streams = g_new0 (EegEdfStream, state->pads->len);
  EegEdfRational wanted = record_hint (self, settings), duration;
  EegEdfRecordChoice choice = EEG_EDF_RECORD_NONE;
  guint64 bytes = 0;
  guint bps = h->format == EEG_EDF_FORMAT_BDF ? 3 : 2, i;

  for (i = 0; i < state->pads->len; i++) {
    GstEegEdfMuxPad *pad = g_ptr_array_index (state->pads, i);

    streams[i].rate.num = pad->info.rate_n;
    streams[i].rate.den = pad->info.rate_d;
    streams[i].num_channels = pad->info.channels;
    /* the records of all parts have the same size */
    streams[i].total = state->part.number > 0 ? 0 : query_total (pad);
  }
  if (wanted.num > 0)
    choice = eeg_edf_choose_record (h->format, streams, state->pads->len,
        MAX_ANNOTATION_BYTES, wanted, &duration);
  if (choice == EEG_EDF_RECORD_NONE && settings->record_duration != 0) {
    FAIL (self, LIBRARY, SETTINGS,
        "A record-duration of %" G_GUINT64_FORMAT " ns does not suit: it must "
        "hold whole samples of every rate, fit into 8 characters and into the "
        "largest record of the format.",
        settings->record_duration);
    g_free (streams);
    return FALSE;
  }
  if (choice == EEG_EDF_RECORD_NONE) {
    wanted.num = 0;
    wanted.den = 1;
    choice = eeg_edf_choose_record (h->format, streams, state->pads->len,
        min_annotation_bytes (state), wanted, &duration);
  }
  if (choice == EEG_EDF_RECORD_NONE) {
    FAIL (self, STREAM, FORMAT,
        "No duration of a data record suits these rates and channels.");
    g_free (streams);
    return FALSE;
  }
  if (choice == EEG_EDF_RECORD_APPROXIMATE)
    GST_ELEMENT_WARNING (self, STREAM, FORMAT,
        ("The sample rate cannot be written exactly."),
        ("record of %" G_GINT64_FORMAT "/%" G_GINT64_FORMAT " s", duration.num,
            duration.den));

  eeg_edf_set_duration (h->duration_text, duration);
  for (i = 0; i < state->pads->len; i++) {
    GstEegEdfMuxPad *pad = g_ptr_array_index (state->pads, i);

    pad->samples_per_record = streams[i].samples_per_record;
    bytes +=
        (guint64) streams[i].samples_per_record * bps * streams[i].num_channels;
  }
  g_free (streams);
  *annotation_bytes = 0;
  if (annotations) {
    *annotation_bytes =
        CLAMP (bytes / 32, min_annotation_bytes (state), MAX_ANNOTATION_BYTES);
    *annotation_bytes -= *annotation_bytes % bps;
  }
  return TRUE;
}

/* Date, patient and so on; also sets where stream time lies in the file */
static void
set_recording (GstEegEdfMux *self, EegEdfHeader *h, const EegEdfHeader *origin,
    const struct settings *settings)
{
  struct state *state = &self->state;
  GstEegEdfMuxPad *pad = g_ptr_array_index (state->pads, 0);
  const gchar *patient = NULL, *recording = NULL;
  EegEdfStart start = { 0 };
  gint64 start_ns = 0;
  gboolean have_start = FALSE;
  gboolean plain = h->variant == EEG_EDF_VARIANT_PLAIN;

  if (pad->recording != NULL) {
    patient =
        gst_structure_get_string (pad->recording, GST_EEG_RECORDING_PATIENT);
    recording =
        gst_structure_get_string (pad->recording, GST_EEG_RECORDING_RECORDING);
    have_start = gst_structure_get_int64 (pad->recording,
        GST_EEG_RECORDING_START_TIME, &start_ns);
  }
  if (settings->patient != NULL)
    patient = settings->patient;
  if (settings->recording != NULL)
    recording = settings->recording;
  patient = patient != NULL ? patient : "";
  recording = recording != NULL ? recording : "";

  if (have_start) {
    gint64 seconds;

    start_ns += state->first_time;
    seconds = start_ns / EEG_EDF_SECOND - (start_ns % EEG_EDF_SECOND < 0);
    start = eeg_edf_start_from_seconds (seconds);
    state->first_onset = start_ns - seconds * EEG_EDF_SECOND;
  } else {
    state->first_onset = 0;
  }

  if (origin != NULL && state->first_time == 0) {
    /* as it was, also where it was none */
    memcpy (h->start_date, origin->start_date, sizeof h->start_date);
    memcpy (h->start_time, origin->start_time, sizeof h->start_time);
    if (have_start && origin->start.date_valid && origin->start.time_valid)
      state->first_onset =
          start_ns - eeg_edf_start_to_seconds (&origin->start) * EEG_EDF_SECOND;
    set_text (h->recording, 80, recording, origin->recording);
  } else {
    eeg_edf_set_start (h, &start);
    if (plain)
      eeg_edf_set_field (h->recording, 80, recording);
    else
      eeg_edf_set_plus_recording (h->recording, recording, &start);
  }
  if (settings->recording != NULL && !plain)
    eeg_edf_set_plus_recording (h->recording, recording,
        origin != NULL ? &origin->start : &start);

  if (origin != NULL && settings->patient == NULL)
    set_text (h->patient, 80, patient, origin->patient);
  else if (plain)
    eeg_edf_set_field (h->patient, 80, patient);
  else
    eeg_edf_set_plus_patient (h->patient, patient);
}

/* Is there a marker that no origin record brought, so that a plain file could
 * not hold it? */
static gboolean
has_foreign_marker (struct state *state)
{
  GList *l, *o;
  guint i;

  for (l = state->markers.head; l != NULL; l = l->next) {
    const Marker *m = l->data;
    gboolean known = FALSE;

    for (o = state->origins.head; o != NULL && !known; o = o->next) {
      const GstEegEdfRecord *record = o->data;

      for (i = 0; i < record->markers->len && !known; i++) {
        const GstEegEdfMarker *r =
            &g_array_index (record->markers, GstEegEdfMarker, i);

        known = r->time == m->time && r->duration == m->duration
            && strcmp (r->text, m->text) == 0;
      }
    }
    if (!known)
      return TRUE;
  }
  return FALSE;
}

/* Whether the label of a part has no place in one record of this file. */
static gboolean
is_too_small (const struct state *state, const EegEdfHeader *header)
{
  gsize largest = 0;
  guint i;

  if (state->hash == NULL)
    return FALSE;
  for (i = 0; i < header->num_signals; i++) {
    const EegEdfSignal *s = &header->signals[i];

    if (s->is_annotations)
      largest = MAX (largest,
          (gsize) s->samples_per_record * header->bytes_per_sample);
  }
  return largest < LABEL_BYTES;
}

/* Builds the header; pads are ready. FALSE after an error */
static gboolean
build_header (GstEegEdfMux *self, const struct settings *settings)
{
  struct state *state = &self->state;
  EegEdfHeader *origin, *h = NULL;
  EegEdfFormat format;
  GArray *rows;
  gboolean unique, annotations, ok = FALSE;
  gsize annotation_bytes = 0, needed;
  gchar reason[REASON_SIZE];
  guint8 *bytes = NULL;
  guint i, k, n, num_signals;

  rows = collect_rows (self, &unique);
  origin = unique ? find_origin (self) : NULL;
  if (origin != NULL && !is_exact (self, origin, rows, settings))
    g_clear_pointer (&origin, eeg_edf_header_free);
  if (origin != NULL && origin->num_annotation_signals == 0
      && !state->is_resumed && has_foreign_marker (state))
    g_clear_pointer (&origin, eeg_edf_header_free);
  if (state->is_resumed && !state->was_exact)
    g_clear_pointer (&origin, eeg_edf_header_free);
  if (origin != NULL && is_too_small (state, origin))
    g_clear_pointer (&origin, eeg_edf_header_free);
  state->exact = origin != NULL;

  if (origin != NULL)
    format = origin->format;
  else if (!choose_format (self, rows, settings, &format))
    goto out;
  annotations = settings->annotations != GST_EEG_EDF_MUX_ANNOTATIONS_NEVER;
  num_signals = rows->len;
  if (origin != NULL)
    num_signals += origin->num_annotation_signals;
  else if (annotations)
    num_signals++;
  h = eeg_edf_header_new (format, num_signals);
  if (h == NULL) {
    FAIL (self, STREAM, FORMAT, "%u signals are more than the %d of a header.",
        num_signals, EEG_EDF_MAX_SIGNALS);
    goto out;
  }

  if (origin != NULL) {
    h->variant = origin->variant;
    memcpy (h->version, origin->version, sizeof h->version);
    memcpy (h->reserved, origin->reserved, sizeof h->reserved);
    memcpy (h->duration_text, origin->duration_text, sizeof h->duration_text);
    state->origin_records = origin->num_records;
    memcpy (state->origin_records_text, origin->num_records_text,
        sizeof state->origin_records_text);
    for (i = 0, k = 0, n = 0; i < origin->num_signals; i++) {
      const EegEdfSignal *old = &origin->signals[i];
      EegEdfSignal *s = &h->signals[n];

      if (old->is_annotations) {
        *s = *old;
        n++;
      } else if (k < rows->len
          && g_array_index (rows, Row, k).source_index == (gint) i) {
        Row *row = &g_array_index (rows, Row, k);

        if (!set_signal (self, s, row, format, settings, old))
          goto out;
        memcpy (s->samples, old->samples, sizeof s->samples);
        row->pad->channels[row->channel].signal = n;
        row->pad->samples_per_record = old->samples_per_record;
        k++;
        n++;
      }
    }
  } else {
    static const gchar *const reserved[2][2] = { { "EDF+C", "EDF+D" },
      { "BDF+C", "BDF+D" } };

    state->origin_records = -1;
    if (annotations)
      h->variant = settings->gaps == GST_EEG_EDF_MUX_GAPS_DISCONTINUOUS
          ? EEG_EDF_VARIANT_DISCONTINUOUS
          : EEG_EDF_VARIANT_CONTINUOUS;
    if (annotations)
      eeg_edf_set_field (h->reserved, 44,
          reserved[format == EEG_EDF_FORMAT_BDF]
                  [h->variant == EEG_EDF_VARIANT_DISCONTINUOUS]);
    else if (format == EEG_EDF_FORMAT_BDF)
      eeg_edf_set_field (h->reserved, 44, "24BIT");
    if (!choose_record (self, h, annotations, settings, &annotation_bytes))
      goto out;
    for (i = 0; i < rows->len; i++) {
      Row *row = &g_array_index (rows, Row, i);

      if (!set_signal (self, &h->signals[i], row, format, settings, NULL))
        goto out;
      eeg_edf_set_integer (h->signals[i].samples, row->pad->samples_per_record);
      row->pad->channels[row->channel].signal = i;
      /* in a file that goes on it is written, or waits */
      if (annotations && !state->is_resumed
          && g_utf8_strlen (row_prefilter (row), -1) > 80)
        add_whole_prefilter (self, row);
    }
    if (annotations)
      set_annotation_signal (&h->signals[i], format, annotation_bytes);
  }
  set_recording (self, h, origin, settings);

  /* the parser checks and lays out what was written */
  bytes = g_malloc (h->header_size);
  eeg_edf_header_write (h, bytes);
  if (eeg_edf_header_parse (bytes, h->header_size, &state->layout, &needed,
          reason, sizeof reason)
      != EEG_EDF_OK) {
    FAIL (self, STREAM, MUX, "These channels give no valid header: %s.",
        reason);
    goto out;
  }
  ok = TRUE;

out:
  g_free (bytes);
  eeg_edf_header_free (h);
  g_clear_pointer (&origin, eeg_edf_header_free);
  g_array_unref (rows);
  return ok;
}

/* The number of records if every pad knows its length, else -1 */
static gint64
count_records (GstEegEdfMux *self)
{
  struct state *state = &self->state;
  guint64 records = 0;
  guint i;

  /* nobody knows where a part will end */
  if (state->part.number > 0)
    return -1;
  if (state->layout->variant == EEG_EDF_VARIANT_DISCONTINUOUS)
    /* durations count the gaps too */
    return state->exact && state->first_time == 0 ? state->origin_records : -1;
  for (i = 0; i < state->pads->len; i++) {
    GstEegEdfMuxPad *pad = g_ptr_array_index (state->pads, i);
    guint64 total = query_total (pad);

    if (total == 0)
      return -1;
    total += pad->index - pad->record_first;
    records = MAX (records,
        (total + pad->samples_per_record - 1) / pad->samples_per_record);
  }
  return records <= 99999999 ? (gint64) records : -1;
}

static void
set_count_text (GstEegEdfMux *self, gchar text[9], gint64 records)
{
  if (records >= 0 && records == self->state.origin_records)
    memcpy (text, self->state.origin_records_text, 9);
  else if (!eeg_edf_set_integer (text, records))
    eeg_edf_set_integer (text, -1);
}

static EegEdfSampleFormat
sample_format (GstEegFormat format)
{
  switch (format) {
    case GST_EEG_FORMAT_S16LE:
      return EEG_EDF_SAMPLE_S16;
    case GST_EEG_FORMAT_S24LE:
      return EEG_EDF_SAMPLE_S24;
    case GST_EEG_FORMAT_S32LE:
      return EEG_EDF_SAMPLE_S32;
    case GST_EEG_FORMAT_F32LE:
      return EEG_EDF_SAMPLE_F32;
    default:
      return EEG_EDF_SAMPLE_F64;
  }
}

/* Forgets pads that ended without caps, and makes the others ready; *first is
 * the time of the first sample that is there. */
static void
prepare_pads (GstEegEdfMux *self, GstClockTime *first)
{
  struct state *state = &self->state;
  gboolean ok;
  guint i;

  *first = GST_CLOCK_TIME_NONE;
  for (i = 0; i < state->pads->len; i++) {
    GstEegEdfMuxPad *pad = g_ptr_array_index (state->pads, i);

    GST_OBJECT_LOCK (pad);
    ok = pad->info.format != GST_EEG_FORMAT_UNKNOWN;
    pad->recording_changed = FALSE;
    GST_OBJECT_UNLOCK (pad);
    if (!ok) {
      /* ended without ever having caps: nothing to write of it */
      g_ptr_array_remove_index (state->pads, i--);
      continue;
    }
    g_clear_pointer (&pad->channels, g_free);
    pad->channels = g_new0 (EegEdfChannel, pad->info.channels);
    pad->format = sample_format (pad->info.format);
    pad->bytes_per_frame = pad->info.bytes_per_frame;
    pad->rate.num = pad->info.rate_n;
    pad->rate.den = pad->info.rate_d;
    if (pad->frames > 0) {
      GstClockTime time = pad_time (pad, pad->index);

      if (!GST_CLOCK_TIME_IS_VALID (*first) || time < *first)
        *first = time;
    }
  }
}

/* Settles the header and all that depends on it; the pads are ready. FALSE
 * after an error. */
static gboolean
lay_out (GstEegEdfMux *self)
{
  struct state *state = &self->state;
  struct settings settings;
  GstClockTime duration;
  GstCaps *caps;
  gboolean ok;
  guint i, c;

  /* from here on caps and settings stay */
  GST_OBJECT_LOCK (self);
  self->frozen = TRUE;
  GST_OBJECT_UNLOCK (self);
  for (i = 0; i < state->pads->len; i++) {
    GstEegEdfMuxPad *pad = g_ptr_array_index (state->pads, i);

    pad->first_index = pad->index;
  }

  take_settings (self, &settings);
  ok = build_header (self, &settings);
  state->gaps = settings.gaps;
  settings_clear (&settings);
  if (!ok)
    return FALSE;

  for (i = 0; i < state->pads->len; i++) {
    GstEegEdfMuxPad *pad = g_ptr_array_index (state->pads, i);

    for (c = 0; c < (guint) pad->info.channels; c++)
      eeg_edf_channel_init (&pad->channels[c], state->layout,
          pad->channels[c].signal, pad->format);
    pad->record_first =
        gst_eeg_info_time_to_samples (&pad->info, state->first_time);
    if (pad->frames == 0)
      pad->index = pad->record_first;
    pad->filled = 0;
  }
  for (i = 0; i < state->layout->num_signals; i++) {
    const EegEdfSignal *s = &state->layout->signals[i];

    if (s->is_annotations)
      state->annotation_bytes +=
          (gsize) s->samples_per_record * state->layout->bytes_per_sample;
  }
  state->allocator = gst_eeg_allocator_new (state->layout->record_size, 0);
  state->run_time = state->first_time;
  state->discontinuous =
      state->layout->variant == EEG_EDF_VARIANT_DISCONTINUOUS;
  state->seekable = downstream_seekable (self);
  GST_OBJECT_LOCK (self);
  self->shared_record_size = state->layout->record_size;
  GST_OBJECT_UNLOCK (self);

  caps = gst_caps_new_empty_simple (state->layout->format == EEG_EDF_FORMAT_BDF
          ? "application/x-bdf"
          : "application/x-edf");
  gst_aggregator_set_src_caps (GST_AGGREGATOR (self), caps);
  gst_caps_unref (caps);
  duration = eeg_edf_record_offset_ns (state->layout, 1);
  gst_aggregator_set_latency (GST_AGGREGATOR (self), duration, duration);
  return TRUE;
}

/* All records are written. */
static GstFlowReturn
complete_header (GstEegEdfMux *self)
{
  struct state *state = &self->state;
  gchar text[9];

  /* a run that was stopped has completed it with what it had by then */
  if ((gint64) state->records == state->declared && !state->is_continued)
    return GST_FLOW_OK;
  if (state->seekable) {
    set_count_text (self, text, state->records);
    return patch (self, EEG_EDF_NUM_RECORDS_OFFSET, text,
        EEG_EDF_NUM_RECORDS_LENGTH);
  }
  if (state->declared >= 0 && (gint64) state->records != state->declared)
    GST_ELEMENT_WARNING (self, STREAM, MUX,
        ("The header declares %" G_GINT64_FORMAT
         " data records, but %" G_GUINT64_FORMAT " were written.",
            state->declared, state->records),
        ("upstream ended elsewhere than its duration said, and downstream "
         "cannot seek"));
  return GST_FLOW_OK;
}

/* A file begins that is part of a recording. */
static void
begin_part (GstEegEdfMux *self)
{
  struct state *state = &self->state;
  GstEegPart *part = &state->part;
  const GstEegEdfMuxPad *pad;
  guint64 base;
  gchar *text;

  if (part->number == 0)
    return;
  pad = g_ptr_array_index (state->pads, 0);
  if (part->link == GST_EEG_PART_LINK_FIRST && pad->recording != NULL)
    gst_structure_get_int64 (pad->recording, GST_EEG_RECORDING_START_TIME,
        &part->origin);
  /* where the source began anew, it also counts anew */
  base = state->counts_anew ? gst_eeg_part_count_before (part, pad->recording,
             pad->info.rate_n, pad->info.rate_d)
                            : 0;
  part->first = base == GST_EEG_PART_UNKNOWN
      ? base
      : base + gst_eeg_info_time_to_samples (&pad->info, state->first_time);
  if (state->hash == NULL)
    return;
  text = gst_eeg_part_to_text (part);
  add_marker (self, 0, state->first_time, GST_CLOCK_TIME_NONE, text);
  g_free (text);
}

/* The records of a part are written, all pads are between two: the file ends,
 * and another one may begin. */
static void
end_part (GstEegEdfMux *self, GstEegBarrier *barrier)
{
  struct state *state = &self->state;
  GstEegPart *part = &state->part;
  GList *l;

  part->number++;
  part->first = GST_EEG_PART_UNKNOWN;
  /* one without a sample makes no file: the next one follows what is there */
  if (state->started) {
    complete_header (self);
    part->link = GST_EEG_PART_LINK_FOLLOWS;
    if (state->hash != NULL) {
      part->digest->final (state->hash, part->previous);
      part->digest->init (state->hash);
    }
  }
  if (state->hash != NULL)
    gst_eeg_barrier_set_next_part (barrier, GST_EEG_STAGE (self), part);
  /* written in another file */
  for (l = state->markers.head; l != NULL; l = l->next)
    ((Marker *) l->data)->record = 0;
  g_clear_pointer (&state->layout, eeg_edf_header_free);
  g_clear_object (&state->allocator);
  state->annotation_bytes = 0;
  state->offset = state->records = state->run_records = 0;
  state->started = state->is_continued = FALSE;
  state->begins_part = TRUE;
}

/* Writes the header: every pad has samples, or ended. */
static GstFlowReturn
start (GstEegEdfMux *self)
{
  struct state *state = &self->state;
  GstFlowReturn ret;
  guint8 *bytes;

  prepare_pads (self, &state->first_time);
  if (state->pads->len == 0)
    return GST_FLOW_EOS;
  if (!GST_CLOCK_TIME_IS_VALID (state->first_time))
    state->first_time = 0;
  begin_part (self);
  if (!lay_out (self))
    return g_atomic_int_get (&self->failed) ? GST_FLOW_NOT_NEGOTIATED
                                            : GST_FLOW_ERROR;
  state->declared = count_records (self);
  set_count_text (self, state->layout->num_records_text, state->declared);

  go_to_byte (self, 0);
  bytes = g_malloc (state->layout->header_size);
  eeg_edf_header_write (state->layout, bytes);
  state->offset = state->layout->header_size;
  ret = push_bytes (self,
      gst_memory_new_wrapped (0, bytes, state->offset, 0, state->offset, bytes,
          g_free),
      0, GST_CLOCK_TIME_NONE);
  state->started = TRUE;
  /* before the header it would begin the stream */
  if (ret == GST_FLOW_OK && state->hash != NULL)
    gst_pad_push_event (GST_AGGREGATOR_SRC_PAD (self),
        gst_eeg_event_new_part (&state->part));
  return ret;
}

/* --- checkpoints --------------------------------------------------------- */

static gboolean
write_markers (GstByteWriter *to, const struct state *state)
{
  gboolean ok = gst_byte_writer_put_uint32_le (to, state->markers.length);
  const GList *l;

  for (l = state->markers.head; l != NULL && ok; l = l->next) {
    const Marker *m = l->data;
    gsize length = strlen (m->text);

    ok = length <= MAX_STATE && gst_byte_writer_put_uint64_le (to, m->time)
        && gst_byte_writer_put_uint64_le (to, m->duration)
        && gst_byte_writer_put_uint64_le (to, m->pads)
        && gst_byte_writer_put_uint8 (to, m->written)
        && gst_byte_writer_put_uint64_le (to, m->record)
        && gst_byte_writer_put_uint32_le (to, (guint32) length)
        && gst_byte_writer_put_data (to, (const guint8 *) m->text,
            (guint) length)
        && gst_byte_writer_get_pos (to) <= MAX_STATE;
  }
  return ok;
}

static gboolean
read_markers (GstByteReader *from, struct state *state)
{
  guint32 n;
  gboolean ok = gst_byte_reader_get_uint32_le (from, &n);

  for (; ok && n > 0; n--) {
    Marker *m = g_new0 (Marker, 1);
    const guint8 *text = NULL;
    guint8 written = 0;
    guint32 length = 0;

    ok = gst_byte_reader_get_uint64_le (from, &m->time)
        && gst_byte_reader_get_uint64_le (from, &m->duration)
        && gst_byte_reader_get_uint64_le (from, &m->pads)
        && gst_byte_reader_get_uint8 (from, &written)
        && gst_byte_reader_get_uint64_le (from, &m->record)
        && gst_byte_reader_get_uint32_le (from, &length)
        && gst_byte_reader_get_data (from, length, &text);
    m->text = ok ? g_strndup ((const gchar *) text, length) : g_strdup ("");
    m->written = written != 0;
    g_queue_push_tail (&state->markers, m);
  }
  return ok;
}

/* How far all pads came. */
static gboolean
write_pads (GstByteWriter *to, const struct state *state)
{
  gboolean ok = gst_byte_writer_put_uint64_le (to, state->barrier_id)
      && gst_byte_writer_put_uint32_le (to, state->pads->len);
  guint i;

  for (i = 0; ok && i < state->pads->len; i++) {
    const GstEegEdfMuxPad *pad = g_ptr_array_index (state->pads, i);

    ok = gst_byte_writer_put_uint64_le (to, pad->first_index)
        && gst_byte_writer_put_uint64_le (to, pad->record_first)
        && gst_byte_writer_put_uint64_le (to,
            pad->have_next ? pad->next_index : 0)
        && gst_byte_writer_put_uint64_le (to, pad->gap_end);
  }
  return ok;
}

/* The index of each pad becomes what it was when the header was made. */
static gboolean
read_pads (GstByteReader *from, struct state *state)
{
  guint32 n;
  gboolean ok = gst_byte_reader_get_uint64_le (from, &state->barrier_id)
      && gst_byte_reader_get_uint32_le (from, &n) && n == state->pads->len;
  guint i;

  for (i = 0; ok && i < state->pads->len; i++) {
    GstEegEdfMuxPad *pad = g_ptr_array_index (state->pads, i);
    guint64 next_index = 0;

    ok = gst_byte_reader_get_uint64_le (from, &pad->index)
        && gst_byte_reader_get_uint64_le (from, &pad->record_first)
        && gst_byte_reader_get_uint64_le (from, &next_index)
        && gst_byte_reader_get_uint64_le (from, &pad->gap_end);
    pad->taken_to = MAX (next_index, pad->record_first);
  }
  return ok;
}

/* The next sample of each pad is that of the next record. */
static void
begin_record (struct state *state)
{
  guint i;

  for (i = 0; i < state->pads->len; i++) {
    GstEegEdfMuxPad *pad = g_ptr_array_index (state->pads, i);

    pad->index = pad->record_first;
  }
}

/* transfer full, NULL with error set; ok: whether all could be written */
static GBytes *
end_state (GstByteWriter *w, gboolean ok, GError **error)
{
  gsize size = gst_byte_writer_get_pos (w);

  if (ok)
    return g_bytes_new_take (gst_byte_writer_reset_and_get_data (w), size);
  gst_byte_writer_reset (w);
  g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_TOO_LAZY,
      "too many markers wait for their record");
  return NULL;
}

/* Between two records. transfer full, NULL with error set */
static GBytes *
save_file (GstEegEdfMux *self, GError **error)
{
  struct state *state = &self->state;
  guint8 hash[GST_EEG_EDF_HASH_SIZE];
  gboolean ok = TRUE;
  GstByteWriter w;

  gst_byte_writer_init (&w);
  gst_byte_writer_put_uint8 (&w, STATE_VERSION);
  gst_byte_writer_put_uint8 (&w,
      (state->started ? STATE_STARTED : 0) | (state->exact ? STATE_EXACT : 0)
          | (state->discontinuous ? STATE_DISCONTINUOUS : 0)
          | (state->markers_lost ? STATE_MARKERS_LOST : 0)
          | (state->clipped ? STATE_CLIPPED : 0));
  if (state->started) {
    gst_eeg_edf_hash_header (state->layout, hash);
    ok = gst_byte_writer_put_data (&w, hash, sizeof hash)
        && gst_byte_writer_put_uint64_le (&w, state->offset)
        && gst_byte_writer_put_uint64_le (&w, state->records)
        && gst_byte_writer_put_uint64_le (&w, state->first_time)
        && gst_byte_writer_put_uint64_le (&w, state->run_time)
        && gst_byte_writer_put_uint64_le (&w, state->run_records)
        && gst_byte_writer_put_int64_le (&w, state->declared)
        && gst_byte_writer_put_int64_le (&w, state->last_origin)
        && write_pads (&w, state) && write_markers (&w, state);
  }
  return end_state (&w, ok, error);
}

/* Where a part begins: nothing but how far the one before came. transfer full,
 * NULL with error set */
static GBytes *
save_part (GstEegEdfMux *self, GError **error)
{
  struct state *state = &self->state;
  GstByteWriter w;

  gst_byte_writer_init (&w);
  gst_byte_writer_put_uint8 (&w, STATE_VERSION);
  gst_byte_writer_put_uint8 (&w,
      STATE_PART | (state->markers_lost ? STATE_MARKERS_LOST : 0)
          | (state->clipped ? STATE_CLIPPED : 0));
  return end_state (&w,
      gst_byte_writer_put_int64_le (&w, state->last_origin)
          && write_pads (&w, state) && write_markers (&w, state),
      error);
}

static gboolean
restore_part (GstEegEdfMux *self, GstByteReader *from, guint8 flags)
{
  struct state *state = &self->state;

  if (!gst_byte_reader_get_int64_le (from, &state->last_origin)
      || !read_pads (from, state) || !read_markers (from, state))
    return FALSE;
  begin_record (state);
  state->markers_lost = (flags & STATE_MARKERS_LOST) != 0;
  state->clipped = (flags & STATE_CLIPPED) != 0;
  return TRUE;
}

/* Goes on with the file of which a state was restored, if there is one: every
 * pad has caps, or ended. FALSE after an error. */
static gboolean
restore_file (GstEegEdfMux *self)
{
  struct state *state = &self->state;
  GBytes *restore;
  guint8 version, flags = 0, now[GST_EEG_EDF_HASH_SIZE];
  guint64 offset, records, run_time, run_records;
  const guint8 *then = NULL;
  GstByteReader r, pads = { 0 };
  GstClockTime ignored;
  gint64 declared;
  gsize size;
  gboolean ok;

  if (state->started)
    return TRUE;
  GST_OBJECT_LOCK (self);
  restore = g_steal_pointer (&self->restore);
  GST_OBJECT_UNLOCK (self);
  if (restore == NULL)
    return TRUE;
  then = g_bytes_get_data (restore, &size);
  gst_byte_reader_init (&r, then, (guint) size);
  ok = gst_byte_reader_get_uint8 (&r, &version) && version == STATE_VERSION
      && gst_byte_reader_get_uint8 (&r, &flags);
  if (ok && !(flags & (STATE_STARTED | STATE_PART))) {
    g_bytes_unref (restore);
    return TRUE;
  }
  prepare_pads (self, &ignored);
  if (ok && (flags & STATE_PART)) {
    ok = restore_part (self, &r, flags);
    g_bytes_unref (restore);
    if (!ok)
      FAIL (self, RESOURCE, SETTINGS,
          "What was saved is no state of this version for %s.",
          GST_OBJECT_NAME (self));
    return ok;
  }
  ok = ok && gst_byte_reader_get_data (&r, GST_EEG_EDF_HASH_SIZE, &then)
      && gst_byte_reader_get_uint64_le (&r, &offset)
      && gst_byte_reader_get_uint64_le (&r, &records)
      && gst_byte_reader_get_uint64_le (&r, &state->first_time)
      && gst_byte_reader_get_uint64_le (&r, &run_time)
      && gst_byte_reader_get_uint64_le (&r, &run_records)
      && gst_byte_reader_get_int64_le (&r, &declared)
      && gst_byte_reader_get_int64_le (&r, &state->last_origin);
  pads = r;
  ok = ok && read_pads (&r, state) && read_markers (&r, state);
  if (!ok) {
    g_bytes_unref (restore);
    FAIL (self, RESOURCE, SETTINGS,
        "What was saved is no state of this version for %s.",
        GST_OBJECT_NAME (self));
    return FALSE;
  }

  /* as it was before the first sample */
  state->was_exact = (flags & STATE_EXACT) != 0;
  state->is_resumed = state->is_continued = TRUE;
  ok = lay_out (self);
  if (ok) {
    state->declared = declared;
    set_count_text (self, state->layout->num_records_text, declared);
    gst_eeg_edf_hash_header (state->layout, now);
    if (memcmp (now, then, sizeof now) != 0) {
      FAIL (self, RESOURCE, SETTINGS,
          "The header of the file would be another one than at the "
          "checkpoint.");
      ok = FALSE;
    }
  }
  /* and as it was at the barrier */
  ok = ok && read_pads (&pads, state);
  begin_record (state);
  g_bytes_unref (restore);
  if (!ok)
    return FALSE;
  state->offset = offset;
  state->records = records;
  state->run_time = run_time;
  state->run_records = run_records;
  state->discontinuous = (flags & STATE_DISCONTINUOUS) != 0;
  state->markers_lost = (flags & STATE_MARKERS_LOST) != 0;
  state->clipped = (flags & STATE_CLIPPED) != 0;
  gst_eeg_stage_count (&self->num_records, records);
  go_to_byte (self, offset);
  state->started = TRUE;
  GST_INFO_OBJECT (self, "going on with record %" G_GUINT64_FORMAT, records);
  return TRUE;
}

/* The events that begin a stream go with a buffer only. */
static GstFlowReturn
announce_stream (GstEegEdfMux *self)
{
  GstBuffer *buffer;

  if (G_LIKELY (!self->state.is_resumed))
    return GST_FLOW_OK;
  self->state.is_resumed = FALSE;
  buffer = gst_buffer_new ();
  GST_BUFFER_OFFSET (buffer) = GST_BUFFER_OFFSET_END (buffer) =
      self->state.offset;
  return gst_aggregator_finish_buffer (GST_AGGREGATOR (self), buffer);
}

/* transfer full; the next one that came by all pads, or NULL */
static GstEvent *
join_barriers (GstEegEdfMux *self)
{
  struct state *state = &self->state;
  guint n = state->pads->len, i;
  GstEegLane **lanes = g_newa (GstEegLane *, n);
  gboolean *ended = g_newa (gboolean, n);

  for (i = 0; i < n; i++) {
    GstEegEdfMuxPad *pad = g_ptr_array_index (state->pads, i);

    lanes[i] = &pad->barriers;
    ended[i] = pad->eos;
  }
  return gst_eeg_join (GST_EEG_STAGE (self), lanes, ended, n,
      &state->barrier_id);
}

/* Lets barriers leave: no record is open. is_end: nothing comes any more. */
static void
release_barriers (GstEegEdfMux *self, gboolean is_end)
{
  GstEvent *event;

  while ((event = join_barriers (self)) != NULL) {
    GstEegBarrier *barrier;

    gst_eeg_event_parse_barrier (event, &barrier);
    if (!is_end
        && g_atomic_int_compare_and_exchange (&self->part_wanted, TRUE, FALSE))
      gst_eeg_barrier_set_ends_part (barrier);
    if (self->state.part.number > 0 && gst_eeg_barrier_ends_part (barrier))
      end_part (self, barrier);
    gst_eeg_barrier_add_stage (barrier, GST_EEG_STAGE (self));
    self->state.begins_part = FALSE;
    gst_pad_push_event (GST_AGGREGATOR_SRC_PAD (self), event);
  }
}

/* With several pads, barriers leave before a record begins: what all of them
 * bring before it came then, whichever was first. */
static gboolean
has_several_pads (const struct state *state)
{
  return state->pads->len > 1;
}

/* --- records ------------------------------------------------------------- */

static GstClockTime
record_time (const struct state *state)
{
  return state->run_time
      + eeg_edf_record_offset_ns (state->layout, state->run_records);
}

/* ns since the header's start of a stream time */
static gint64
onset_of (const struct state *state, GstClockTime time)
{
  return state->first_onset + ((gint64) time - (gint64) state->first_time);
}

static gboolean
matches (const Marker *m, const GstEegEdfMarker *r)
{
  return !m->written && m->time == r->time && m->duration == r->duration
      && strcmp (m->text, r->text) == 0;
}

/* A marker that is still to be written and equals this one */
static Marker *
find_marker (struct state *state, const GstEegEdfMarker *r)
{
  GList *l;

  for (l = state->markers.head; l != NULL; l = l->next) {
    Marker *m = l->data;

    if (m->time > r->time)
      break;
    if (matches (m, r))
      return m;
  }
  return NULL;
}

static void
set_written (struct state *state, Marker *m)
{
  m->written = TRUE;
  m->record = state->records;
}

/* The bytes that the annotations had in the file the samples came from, if
 * all markers from them are still there. They are then done with. transfer
 * full */
static GstEegEdfRecord *
take_origin (struct state *state, GstClockTime time)
{
  GstEegEdfRecord *origin = NULL;
  GstClockTime tolerance = GST_CLOCK_TIME_NONE;
  GPtrArray *found;
  gboolean complete;
  guint i;

  for (i = 0; i < state->layout->num_groups; i++) {
    const EegEdfRational *rate = &state->layout->groups[i].rate;

    tolerance = MIN (tolerance,
        gst_util_uint64_scale (GST_SECOND / 2, rate->den, rate->num));
  }

  while (origin == NULL && !g_queue_is_empty (&state->origins)) {
    GstEegEdfRecord *head = g_queue_peek_head (&state->origins);

    if (head->start > time + tolerance)
      return NULL;
    g_queue_pop_head (&state->origins);
    state->last_origin = head->number;
    if (state->exact) {
      /* what the Status signal says is not said twice */
      for (i = 0; i < head->markers->len; i++) {
        const GstEegEdfMarker *r =
            &g_array_index (head->markers, GstEegEdfMarker, i);
        Marker *m = r->derived ? find_marker (state, r) : NULL;

        if (m != NULL)
          set_written (state, m);
      }
    }
    if (head->start + tolerance < time)
      gst_eeg_edf_record_unref (head);
    else
      origin = head;
  }
  if (origin == NULL)
    return NULL;

  /* onsets count from the header's start, so that must be the same too */
  complete = state->exact && state->first_time == 0
      && origin->size == state->annotation_bytes;
  found = g_ptr_array_new ();
  for (i = 0; i < origin->markers->len && complete; i++) {
    const GstEegEdfMarker *r =
        &g_array_index (origin->markers, GstEegEdfMarker, i);
    Marker *m;

    if (r->derived)
      continue;
    m = find_marker (state, r);
    complete = m != NULL;
    if (complete) {
      set_written (state, m);
      g_ptr_array_add (found, m);
    }
  }
  if (!complete) {
    for (i = 0; i < found->len; i++)
      ((Marker *) g_ptr_array_index (found, i))->written = FALSE;
    g_clear_pointer (&origin, gst_eeg_edf_record_unref);
  }
  g_ptr_array_unref (found);
  return origin;
}

/* Does the marker come from a later record of the file the samples came from?
 * It may stand there for a time before that, and be here already when buffers
 * hold several records. */
static gboolean
belongs_to_later (const struct state *state, const Marker *m)
{
  GList *l;
  guint i;

  if (!state->exact || state->first_time != 0)
    return FALSE;
  for (l = state->origins.head; l != NULL; l = l->next) {
    const GstEegEdfRecord *origin = l->data;

    for (i = 0;
         origin->size == state->annotation_bytes && i < origin->markers->len;
         i++) {
      const GstEegEdfMarker *r =
          &g_array_index (origin->markers, GstEegEdfMarker, i);

      if (!r->derived && matches (m, r))
        return TRUE;
    }
  }
  return FALSE;
}

typedef struct
{
  guint8 *data;
  gsize room;
  gboolean empty; /* holds nothing but the record's time */
} Space;

/* Longest piece of text that fits, not cut inside a character */
static gsize
cut_text (const gchar *text, gsize room)
{
  gsize length = strlen (text);

  if (length <= room)
    return length;
  while (room > 0 && ((guint8) text[room] & 0xc0) == 0x80)
    room--;
  return room;
}

/* Writes one marker where there is room; FALSE: nowhere. A text longer than
 * a whole signal is written in pieces. */
static gboolean
write_marker (const struct state *state, Marker *m, Space *spaces, guint n)
{
  gint64 onset = onset_of (state, m->time);
  gint64 duration = GST_CLOCK_TIME_IS_VALID (m->duration)
      ? (gint64) MIN (m->duration, G_MAXINT64)
      : -1;
  guint i;

  for (i = 0; i < n; i++) {
    Space *space = &spaces[i];
    gsize length = strlen (m->text), piece;
    gsize written;

    piece = cut_text (m->text,
        eeg_edf_annotation_room (space->room, onset, duration));
    if (piece < length && (!space->empty || piece == 0))
      continue;
    written = eeg_edf_write_annotation (space->data, space->room, onset,
        duration, m->text, piece);
    if (written == 0)
      continue;
    space->data += written;
    space->room -= written;
    space->empty = FALSE;
    if (piece == length)
      return TRUE;
    memmove (m->text, m->text + piece, length - piece + 1);
  }
  return FALSE;
}

static void
lose_marker (GstEegEdfMux *self, Marker *m)
{
  set_written (&self->state, m);
  gst_eeg_stage_count (&self->lost_markers, 1);
  if (self->state.markers_lost)
    return;
  self->state.markers_lost = TRUE;
  GST_ELEMENT_WARNING (self, STREAM, MUX,
      ("A marker is lost: the file has no place for annotations."),
      ("annotations=always makes one"));
}

/* Fills the annotation signals of the open record. last: there will be no
 * other record for what belongs later. Returns whether all that had to be
 * written was. */
static gboolean
write_annotations (GstEegEdfMux *self, gboolean last)
{
  struct state *state = &self->state;
  const EegEdfHeader *h = state->layout;
  GstClockTime time = record_time (state);
  GstClockTime end = time + eeg_edf_record_offset_ns (h, 1);
  GstEegEdfRecord *origin = take_origin (state, time);
  const guint8 *raw = origin != NULL ? origin->annotations : NULL;
  Space *spaces = NULL;
  gboolean all_written = TRUE;
  guint n = 0, i;
  guint64 all_pads;
  GList *l, *next;

  if (h->num_annotation_signals > 0)
    spaces = g_newa (Space, h->num_annotation_signals);
  for (i = 0; i < h->num_signals && n < h->num_annotation_signals; i++) {
    const EegEdfSignal *s = &h->signals[i];
    Space *space = &spaces[n];
    gsize size = (gsize) s->samples_per_record * h->bytes_per_sample, used = 0;

    if (!s->is_annotations)
      continue;
    space->data = state->map.data + s->record_offset;
    if (raw != NULL) {
      memcpy (space->data, raw, size);
      raw += size;
      for (used = size; used > 0 && space->data[used - 1] == 0;)
        used--;
      used = MIN (size, used > 0 ? used + 1 : 0);
    } else {
      memset (space->data, 0, size);
      if (n == 0)
        used = eeg_edf_write_time (space->data, size, onset_of (state, time));
    }
    space->data += used;
    space->room = size - used;
    space->empty = raw == NULL;
    n++;
  }

  all_pads = state->pads->len >= 64
      ? G_MAXUINT64
      : (G_GUINT64_CONSTANT (1) << state->pads->len) - 1;
  for (l = state->markers.head; l != NULL; l = next) {
    Marker *m = l->data;

    next = l->next;
    if (!m->written
        && (last || (m->time < end && !belongs_to_later (state, m)))) {
      if (n == 0)
        lose_marker (self, m);
      else if (write_marker (state, m, spaces, n))
        set_written (state, m);
      else
        all_written = FALSE;
    }
    if (m->written
        && ((m->pads & all_pads) == all_pads
            || m->record + MARKER_MEMORY < state->records)) {
      marker_free (m);
      g_queue_delete_link (&state->markers, l);
    }
  }
  g_clear_pointer (&origin, gst_eeg_edf_record_unref);
  return all_written;
}

/* Says which samples of the open record were lost. */
static void
announce_lost (GstEegEdfMux *self, GstEegEdfMuxPad *pad)
{
  GstClockTime time;

  if (pad->lost_count == 0)
    return;
  time = pad_time (pad, pad->lost_first);
  add_marker (self, pad->number, time,
      pad_time (pad, pad->lost_first + pad->lost_count) - time, LOST_TEXT);
  pad->lost_count = 0;
}

static GstFlowReturn
write_record (GstEegEdfMux *self, gboolean last, gboolean *all_written)
{
  struct state *state = &self->state;
  GstMemory *memory;
  GstClockTime time;
  GstFlowReturn ret;
  gboolean written;
  guint i;

  for (i = 0; i < state->pads->len; i++)
    announce_lost (self, g_ptr_array_index (state->pads, i));
  written = write_annotations (self, last);
  if (all_written != NULL)
    *all_written = written;
  memory = gst_memory_ref (state->memory);
  time = record_time (state);
  close_record (state);
  for (i = 0; i < state->pads->len; i++) {
    GstEegEdfMuxPad *pad = g_ptr_array_index (state->pads, i);

    pad->record_first += pad->samples_per_record;
    pad->filled = 0;
  }
  state->records++;
  state->run_records++;
  state->offset += state->layout->record_size;
  gst_eeg_stage_count (&self->num_records, 1);
  ret = push_bytes (self, memory, state->offset - state->layout->record_size,
      time);
  /* behind the last one, the end comes first */
  if (ret == GST_FLOW_OK && !last && !has_several_pads (state))
    release_barriers (self, FALSE);
  return ret;
}

/* Writes physical zero in place of samples up to slot end of the record. */
static void
fill_to (GstEegEdfMux *self, GstEegEdfMuxPad *pad, guint32 end)
{
  guint64 first = pad->record_first + pad->filled;
  guint32 count = end - pad->filled;

  eeg_edf_fill (self->state.layout, pad->channels, pad->info.channels,
      self->state.map.data, pad->filled, count);
  pad->filled = end;
  gst_eeg_stage_count (&self->counters.lost, count);
  if (pad->lost_count > 0 && pad->lost_first + pad->lost_count != first)
    announce_lost (self, pad);
  if (pad->lost_count == 0)
    pad->lost_first = first;
  pad->lost_count += count;
}

/* Fills the pad's part of the open record; FALSE: it waits for data, or
 * failed. */
static gboolean
fill_pad (GstEegEdfMux *self, GstEegEdfMuxPad *pad)
{
  struct state *state = &self->state;
  const guint32 spr = pad->samples_per_record;

  while (pad->filled < spr) {
    guint64 slot;
    guint32 count;
    guint64 clipped;

    if (!fetch (self, pad))
      return FALSE;
    if (pad->eos) {
      fill_to (self, pad, spr);
      break;
    }
    slot = pad->index - pad->record_first;
    if (slot > pad->filled) {
      fill_to (self, pad, MIN (slot, spr));
      continue;
    }
    announce_lost (self, pad);
    count = MIN (pad->frames, spr - pad->filled);
    clipped = eeg_edf_encode (state->layout, pad->channels, pad->info.channels,
        state->map.data, pad->filled, count, pad->format,
        pad->map.data + pad->frame * pad->bytes_per_frame);
    if (clipped > 0) {
      gst_eeg_stage_count (&self->clipped_values, clipped);
      if (!state->clipped) {
        state->clipped = TRUE;
        GST_ELEMENT_WARNING (self, STREAM, MUX,
            ("Values beyond the range of the file are clipped."),
            ("%" G_GUINT64_FORMAT " values of %s near sample %" G_GUINT64_FORMAT
             "; stats count them all",
                clipped, GST_OBJECT_NAME (pad), pad->index));
      }
    }
    pad->filled += count;
    pad->frame += count;
    pad->frames -= count;
    pad->index += count;
    if (pad->frames == 0)
      pad_drop_buffer (pad);
  }
  return TRUE;
}

/* All samples from here to a later time are missing on all pads: the next
 * record begins there. */
static GstFlowReturn
jump (GstEegEdfMux *self, GstClockTime time)
{
  struct state *state = &self->state;
  guint i;

  for (i = 0; i < state->pads->len; i++) {
    GstEegEdfMuxPad *pad = g_ptr_array_index (state->pads, i);
    guint64 first = gst_eeg_info_time_to_samples (&pad->info, time);

    announce_lost (self, pad);
    if (!pad->eos)
      first = MIN (first, pad->index);
    first = MAX (first, pad->record_first);
    gst_eeg_stage_count (&self->counters.lost, first - pad->record_first);
    pad->record_first = first;
  }
  state->run_time = time;
  state->run_records = 0;
  if (!state->discontinuous) {
    gchar reserved[RESERVED_LENGTH + 1];

    state->discontinuous = TRUE;
    eeg_edf_set_field (reserved, RESERVED_LENGTH,
        state->layout->format == EEG_EDF_FORMAT_BDF ? "BDF+D" : "EDF+D");
    return patch (self, RESERVED_OFFSET, reserved, RESERVED_LENGTH);
  }
  return GST_FLOW_OK;
}

/* Begins a record; every pad has samples or ended. */
static GstFlowReturn
open_record (GstEegEdfMux *self)
{
  struct state *state = &self->state;
  GstClockTime time = GST_CLOCK_TIME_NONE, expected = record_time (state);
  gboolean may_jump, all_late = TRUE;
  GstFlowReturn ret = GST_FLOW_OK;
  guint i;

  for (i = 0; i < state->pads->len; i++) {
    GstEegEdfMuxPad *pad = g_ptr_array_index (state->pads, i);

    if (pad->eos)
      continue;
    all_late &= pad->index > pad->record_first;
    time = MIN (time, pad_time (pad, pad->index));
  }
  may_jump = state->annotation_bytes > 0
      && state->layout->variant != EEG_EDF_VARIANT_PLAIN
      && state->gaps != GST_EEG_EDF_MUX_GAPS_FILL
      && (state->discontinuous || state->seekable);
  if (all_late && GST_CLOCK_TIME_IS_VALID (time) && time > expected) {
    if (may_jump && state->records > 0)
      ret = jump (self, time);
    else if (time - expected > MAX_FILL) {
      FAIL (self, STREAM, MUX,
          "A gap of %" G_GUINT64_FORMAT " s is too long to be filled: set "
          "gaps=discontinuous.",
          (time - expected) / GST_SECOND);
      ret = GST_FLOW_ERROR;
    }
  }
  if (ret != GST_FLOW_OK)
    return ret;

  if (gst_eeg_allocator_acquire (state->allocator, state->layout->record_size,
          TRUE, &state->memory)
      != GST_FLOW_OK) {
    FAIL (self, RESOURCE, FAILED, "No memory for a data record.");
    return GST_FLOW_ERROR;
  }
  if (!gst_memory_map (state->memory, &state->map, GST_MAP_READWRITE)) {
    g_clear_pointer (&state->memory, gst_memory_unref);
    FAIL (self, RESOURCE, FAILED, "No memory for a data record.");
    return GST_FLOW_ERROR;
  }
  state->open = TRUE;
  return GST_FLOW_OK;
}

/* --- end ----------------------------------------------------------------- */

/* Did every source that tells its true end reach it? */
static gboolean
is_complete (GstEegEdfMux *self)
{
  gboolean any = FALSE;
  guint i;

  for (i = 0; i < self->state.pads->len; i++) {
    GstEegEdfMuxPad *pad = g_ptr_array_index (self->state.pads, i);
    gboolean complete;

    GST_OBJECT_LOCK (pad);
    complete = pad->complete;
    GST_OBJECT_UNLOCK (pad);
    if (!complete && gst_eeg_stage_source_completes (GST_PAD (pad)))
      return FALSE;
    any |= complete;
  }
  return any;
}

static gboolean
have_unwritten (struct state *state)
{
  GList *l;

  for (l = state->markers.head; l != NULL; l = l->next) {
    if (!((Marker *) l->data)->written)
      return TRUE;
  }
  return FALSE;
}

/* Writes the last record, as many more as leftover annotations need, and the
 * number of records. */
static GstFlowReturn
finish (GstEegEdfMux *self)
{
  struct state *state = &self->state;
  GstFlowReturn ret = GST_FLOW_OK;
  GstClockTime end = 0, lost_end = 0;
  guint64 samples = 0;
  gboolean all_written = FALSE;
  guint i;

  for (i = 0; i < state->pads->len; i++) {
    GstEegEdfMuxPad *pad = g_ptr_array_index (state->pads, i);

    end = MAX (end, pad_time (pad, pad->index));
    samples = MAX (samples, pad->index);
    if (pad->gap_end > pad->index) {
      gst_eeg_stage_count (&self->counters.lost, pad->gap_end - pad->index);
      lost_end = MAX (lost_end, pad_time (pad, pad->gap_end));
    }
  }
  if (samples > 0 && lost_end > end && state->annotation_bytes > 0)
    add_marker (self, 0, end, lost_end - end, LOST_TEXT);
  /* said, whatever a file that goes on from here finds */
  for (i = 0; i < state->pads->len; i++)
    ((GstEegEdfMuxPad *) g_ptr_array_index (state->pads, i))->gap_end = 0;

  /* derived from samples that are written, so nothing new */
  if (!state->open)
    take_origin (state, GST_CLOCK_TIME_NONE / 2);
  while (ret == GST_FLOW_OK
      && (state->open
          || (!all_written && state->annotation_bytes > 0
              && have_unwritten (state)))) {
    gboolean filled = FALSE;

    if (!state->open) {
      ret = open_record (self);
      if (ret != GST_FLOW_OK)
        break;
    }
    for (i = 0; i < state->pads->len; i++) {
      GstEegEdfMuxPad *pad = g_ptr_array_index (state->pads, i);

      if (pad->filled == 0)
        filled = TRUE;
    }
    for (i = 0; i < state->pads->len; i++) {
      GstEegEdfMuxPad *pad = g_ptr_array_index (state->pads, i);

      if (pad->filled < pad->samples_per_record) {
        filled = TRUE;
        fill_to (self, pad, pad->samples_per_record);
      }
      /* said by one annotation for all */
      pad->lost_count = 0;
    }
    if (filled && end > 0 && state->annotation_bytes > 0 && !all_written) {
      add_marker (self, 0, end, GST_CLOCK_TIME_NONE, END_TEXT);
      end = 0;
    }
    ret = write_record (self, TRUE, &all_written);
  }
  if (ret != GST_FLOW_OK)
    return ret;

  ret = complete_header (self);
  if (ret == GST_FLOW_OK)
    release_barriers (self, TRUE);
  if (ret == GST_FLOW_OK && is_complete (self))
    gst_pad_push_event (GST_AGGREGATOR_SRC_PAD (self),
        gst_eeg_event_new_complete (samples));
  return ret == GST_FLOW_OK ? GST_FLOW_EOS : ret;
}

/* The end comes right behind that of the last part. */
static GstFlowReturn
finish_without_part (GstEegEdfMux *self)
{
  const GstEegEdfMuxPad *pad = g_ptr_array_index (self->state.pads, 0);

  release_barriers (self, TRUE);
  if (is_complete (self))
    gst_pad_push_event (GST_AGGREGATOR_SRC_PAD (self),
        gst_eeg_event_new_complete (MAX (pad->index, pad->record_first)));
  return GST_FLOW_EOS;
}

/* --- aggregator ---------------------------------------------------------- */

static void
collect_pads (GstEegEdfMux *self)
{
  GList *l;

  g_ptr_array_set_size (self->state.pads, 0);
  GST_OBJECT_LOCK (self);
  for (l = GST_ELEMENT_CAST (self)->sinkpads; l != NULL; l = l->next) {
    GstEegEdfMuxPad *pad = GST_EEG_EDF_MUX_PAD (l->data);

    pad->number = self->state.pads->len;
    g_ptr_array_add (self->state.pads, gst_object_ref (pad));
  }
  GST_OBJECT_UNLOCK (self);
}

/* One step: a record, or its part that there are samples for */
static GstFlowReturn
step (GstEegEdfMux *self)
{
  struct state *state = &self->state;
  gboolean wait = FALSE, all_eos = TRUE;
  GstFlowReturn ret;
  guint i;

  for (i = 0; i < state->pads->len; i++) {
    GstEegEdfMuxPad *pad = g_ptr_array_index (state->pads, i);

    /* what comes behind a record that is open may have to do with it: that must
     * not depend on which pad is first */
    if (!state->open || pad->filled < pad->samples_per_record)
      wait |= !fetch (self, pad);
    if (g_atomic_int_get (&self->failed))
      return GST_FLOW_ERROR;
    all_eos &= pad->eos;
    if (state->started)
      announce_prefilter (self, pad);
  }
  if (wait)
    return GST_AGGREGATOR_FLOW_NEED_DATA;
  if (!restore_file (self))
    return GST_FLOW_ERROR;
  /* no file is made of a last part without a record in it */
  if (!state->started && all_eos && state->part.number > 1
      && !have_unwritten (state))
    return finish_without_part (self);
  ret = state->started ? announce_stream (self) : start (self);
  if (ret != GST_FLOW_OK)
    return ret;
  if (!state->open)
    release_barriers (self, all_eos);
  /* that was the end of a part */
  if (!state->started)
    return GST_FLOW_OK;
  if (all_eos)
    return finish (self);
  if (!state->open) {
    ret = open_record (self);
    if (ret != GST_FLOW_OK)
      return ret;
  }
  for (i = 0; i < state->pads->len; i++)
    wait |= !fill_pad (self, g_ptr_array_index (state->pads, i));
  if (g_atomic_int_get (&self->failed))
    return GST_FLOW_ERROR;
  if (wait)
    return GST_AGGREGATOR_FLOW_NEED_DATA;

  /* a record that the end of all pads cut short is the last one */
  for (i = 0; i < state->pads->len; i++) {
    GstEegEdfMuxPad *pad = g_ptr_array_index (state->pads, i);

    if (!pad->eos || pad->lost_count == 0)
      return write_record (self, FALSE, NULL);
  }
  return finish (self);
}

static GstFlowReturn
gst_eeg_edf_mux_aggregate (GstAggregator *agg, gboolean timeout)
{
  GstEegEdfMux *self = GST_EEG_EDF_MUX (agg);
  GstClockTime started = gst_util_get_timestamp ();
  GstFlowReturn ret;

  if (g_atomic_int_get (&self->failed))
    return GST_FLOW_ERROR;
  if (!self->state.started)
    collect_pads (self);
  do {
    ret = step (self);
  } while (ret == GST_FLOW_OK);
  gst_eeg_stage_count (&self->counters.busy_ns,
      gst_util_get_timestamp () - started);
  if (ret == GST_FLOW_NOT_LINKED) {
    /* the task stops here, and upstream may have nothing more to send that
     * would tell it */
    gst_eeg_stage_count (&self->counters.errors, 1);
    GST_ELEMENT_FLOW_ERROR (self, ret);
  }
  return ret;
}

static GstFlowReturn
gst_eeg_edf_mux_flush (GstAggregator *agg)
{
  GST_DEBUG_OBJECT (agg, "flush: a new file begins");
  reset (GST_EEG_EDF_MUX (agg));
  return GST_FLOW_OK;
}

static gboolean
gst_eeg_edf_mux_start (GstAggregator *agg)
{
  GstEegEdfMux *self = GST_EEG_EDF_MUX (agg);

  gst_eeg_stage_counters_reset (&self->counters);
  __atomic_store_n (&self->clipped_values, 0, __ATOMIC_RELAXED);
  __atomic_store_n (&self->lost_markers, 0, __ATOMIC_RELAXED);
  __atomic_store_n (&self->num_records, 0, __ATOMIC_RELAXED);
  reset (self);
  return TRUE;
}

static void
gst_eeg_edf_mux_set_part (GstEegStage *stage, const GstEegPart *part)
{
  GstEegEdfMux *self = GST_EEG_EDF_MUX (stage);
  GstEegPart *copy = part != NULL ? gst_eeg_part_copy (part) : NULL;

  GST_OBJECT_LOCK (self);
  g_free (self->part);
  self->part = copy;
  GST_OBJECT_UNLOCK (self);
}

static gboolean
gst_eeg_edf_mux_stop (GstAggregator *agg)
{
  GstEegEdfMux *self = GST_EEG_EDF_MUX (agg);
  GBytes *restore;
  GList *pads, *l;

  GST_OBJECT_LOCK (self);
  pads = g_list_copy (GST_ELEMENT_CAST (self)->sinkpads);
  for (l = pads; l != NULL; l = l->next)
    gst_object_ref (l->data);
  GST_OBJECT_UNLOCK (self);
  for (l = pads; l != NULL; l = l->next) {
    GstEegEdfMuxPad *pad = GST_EEG_EDF_MUX_PAD (l->data);

    pad_reset (pad);
    GST_OBJECT_LOCK (pad);
    g_clear_pointer (&pad->recording, gst_structure_free);
    gst_eeg_info_clear (&pad->info);
    GST_OBJECT_UNLOCK (pad);
  }
  g_list_free_full (pads, gst_object_unref);
  GST_OBJECT_LOCK (self);
  restore = g_steal_pointer (&self->restore);
  GST_OBJECT_UNLOCK (self);
  g_clear_pointer (&restore, g_bytes_unref);
  gst_eeg_edf_mux_set_part (GST_EEG_STAGE (self), NULL);
  reset (self);
  return TRUE;
}

/* Takes caps: any before the header is written, then only the same. */
static gboolean
take_caps (GstEegEdfMux *self, GstEegEdfMuxPad *pad, GstCaps *caps)
{
  GstEegInfo info;
  gboolean frozen, ok, changed = FALSE;

  gst_eeg_info_init (&info);
  ok = gst_eeg_info_from_caps (&info, caps);
  if (!ok) {
    FAIL (self, CORE, NEGOTIATION, "%s cannot take these samples.",
        GST_OBJECT_NAME (pad));
    return FALSE;
  }
  GST_OBJECT_LOCK (self);
  frozen = self->frozen;
  GST_OBJECT_UNLOCK (self);
  GST_OBJECT_LOCK (pad);
  changed = !gst_eeg_info_is_equal (&info, &pad->info);
  if (!frozen && changed)
    gst_eeg_info_copy_into (&info, &pad->info);
  GST_OBJECT_UNLOCK (pad);
  gst_eeg_info_clear (&info);
  if (frozen && changed) {
    FAIL (self, CORE, NEGOTIATION,
        "The samples on %s changed their form after the header was written.",
        GST_OBJECT_NAME (pad));
    return FALSE;
  }
  return frozen
      || gst_eeg_stage_check_upstream (GST_EEG_STAGE (self), GST_PAD (pad));
}

/* transfer full; all samples of the pad before it are taken. */
static void
take_barrier (GstEegEdfMux *self, GstEegEdfMuxPad *pad, GstEvent *event)
{
  struct state *state = &self->state;

  gst_eeg_lane_add (&pad->barriers, event);
  if (!state->started)
    collect_pads (self);
  if (has_several_pads (state) || (!state->started && !restore_file (self)))
    return;
  /* before the header it would begin the stream */
  if (state->started && announce_stream (self) == GST_FLOW_OK && !state->open)
    release_barriers (self, FALSE);
}

static gboolean
gst_eeg_edf_mux_sink_event (GstAggregator *agg, GstAggregatorPad *agg_pad,
    GstEvent *event)
{
  GstEegEdfMux *self = GST_EEG_EDF_MUX (agg);
  GstEegEdfMuxPad *pad = GST_EEG_EDF_MUX_PAD (agg_pad);
  gboolean frozen;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS: {
      GstCaps *caps;
      gboolean ok;

      gst_event_parse_caps (event, &caps);
      ok = take_caps (self, pad, caps);
      gst_event_unref (event);
      return ok;
    }
    case GST_EVENT_SEGMENT: {
      const GstSegment *segment;

      gst_event_parse_segment (event, &segment);
      if (segment->format != GST_FORMAT_TIME) {
        FAIL (self, STREAM, FORMAT, "%s needs a segment in TIME.",
            GST_OBJECT_NAME (pad));
        gst_event_unref (event);
        return FALSE;
      }
      GST_OBJECT_LOCK (pad);
      pad->new_segment = TRUE;
      GST_OBJECT_UNLOCK (pad);
      break;
    }
    default:
      if (gst_eeg_event_parse_complete (event, NULL)) {
        GST_OBJECT_LOCK (pad);
        pad->complete = TRUE;
        GST_OBJECT_UNLOCK (pad);
        gst_event_unref (event);
        return TRUE;
      }
      if (gst_eeg_event_parse_barrier (event, NULL)) {
        take_barrier (self, pad, event);
        return TRUE;
      }
      if (gst_eeg_event_is_recording (event)) {
        const GstStructure *s = gst_event_get_structure (event);

        GST_OBJECT_LOCK (self);
        frozen = self->frozen;
        GST_OBJECT_UNLOCK (self);
        GST_OBJECT_LOCK (pad);
        if (!frozen) {
          g_clear_pointer (&pad->recording, gst_structure_free);
          pad->recording = gst_structure_copy (s);
        } else if (pad->recording != NULL) {
          const GValue *a = gst_structure_get_value (pad->recording,
              GST_EEG_RECORDING_PREFILTER);
          const GValue *b =
              gst_structure_get_value (s, GST_EEG_RECORDING_PREFILTER);

          if (b != NULL
              && (a == NULL || gst_value_compare (a, b) != GST_VALUE_EQUAL)) {
            gst_structure_set_value (pad->recording,
                GST_EEG_RECORDING_PREFILTER, b);
            pad->recording_changed = TRUE;
          }
        }
        GST_OBJECT_UNLOCK (pad);
        /* it is in the header now */
        gst_event_unref (event);
        return TRUE;
      }
      break;
  }
  return GST_AGGREGATOR_CLASS (gst_eeg_edf_mux_parent_class)
      ->sink_event (agg, agg_pad, event);
}

/* Barriers of several sources belong together by their numbers, so that none of
 * them may send one more. */
static gboolean
has_several_sources (GstEegEdfMux *self)
{
  gboolean several = FALSE;
  gchar *first = NULL;
  GList *pads, *l;

  GST_OBJECT_LOCK (self);
  pads = g_list_copy (GST_ELEMENT_CAST (self)->sinkpads);
  for (l = pads; l != NULL; l = l->next)
    gst_object_ref (l->data);
  GST_OBJECT_UNLOCK (self);
  for (l = pads; l != NULL; l = l->next) {
    gchar *name = gst_eeg_stage_get_source_name (l->data);

    if (l == pads)
      first = g_strdup (name);
    several |= g_strcmp0 (name, first) != 0;
    g_free (name);
  }
  g_list_free_full (pads, gst_object_unref);
  g_free (first);
  return several;
}

static gboolean
gst_eeg_edf_mux_src_event (GstAggregator *agg, GstEvent *event)
{
  GstEegEdfMux *self = GST_EEG_EDF_MUX (agg);
  guint64 number;

  if (GST_EVENT_TYPE (event) == GST_EVENT_SEEK) {
    /* a place in the file is no place in the samples */
    gst_event_unref (event);
    return FALSE;
  }
  if (gst_eeg_event_is_barrier_request (event)
      && has_several_sources (GST_EEG_EDF_MUX (agg))) {
    /* the next one that they send anyway will do */
    gst_event_unref (event);
    return TRUE;
  }
  if (gst_eeg_event_parse_part_request (event, &number)) {
    gboolean is_joined, is_new;

    GST_OBJECT_LOCK (agg);
    is_joined = GST_ELEMENT_CAST (agg)->numsinkpads > 1;
    /* each sink behind a tee asks when it has enough; the first one counts */
    is_new = number > self->part_request;
    self->part_request = MAX (self->part_request, number);
    GST_OBJECT_UNLOCK (agg);
    /* several sources could not end it at one place */
    if (is_joined) {
      if (is_new)
        g_atomic_int_set (&self->part_wanted, TRUE);
      gst_event_unref (event);
      return TRUE;
    }
  }
  return GST_AGGREGATOR_CLASS (gst_eeg_edf_mux_parent_class)
      ->src_event (agg, event);
}

static gboolean
gst_eeg_edf_mux_src_query (GstAggregator *agg, GstQuery *query)
{
  GstFormat format;

  if (gst_eeg_stage_answer_query (GST_EEG_STAGE (agg),
          GST_AGGREGATOR_SRC_PAD (agg), query))
    return TRUE;
  if (GST_QUERY_TYPE (query) == GST_QUERY_SEEKING) {
    gst_query_parse_seeking (query, &format, NULL, NULL, NULL);
    gst_query_set_seeking (query, format, FALSE, 0, -1);
    return TRUE;
  }
  return GST_AGGREGATOR_CLASS (gst_eeg_edf_mux_parent_class)
      ->src_query (agg, query);
}

static GstAggregatorPad *
gst_eeg_edf_mux_create_new_pad (GstAggregator *agg, GstPadTemplate *template,
    const gchar *name, const GstCaps *caps)
{
  GstEegEdfMux *self = GST_EEG_EDF_MUX (agg);
  gboolean frozen;

  GST_OBJECT_LOCK (self);
  frozen = self->frozen;
  GST_OBJECT_UNLOCK (self);
  if (frozen) {
    GST_WARNING_OBJECT (self, "no new pad: the header is written");
    return NULL;
  }
  return GST_AGGREGATOR_CLASS (gst_eeg_edf_mux_parent_class)
      ->create_new_pad (agg, template, name, caps);
}

/* --- stage --------------------------------------------------------------- */

static GstEegStageKind
gst_eeg_edf_mux_get_kind (GstEegStage *stage)
{
  return GST_EEG_STAGE_KIND_CONTAINER;
}

static gboolean
gst_eeg_edf_mux_estimate (GstEegStage *stage, guint64 input_bytes,
    GstEegEstimate *estimate)
{
  GstEegEdfMux *self = GST_EEG_EDF_MUX (stage);
  GstEegStageCounters v;

  memset (estimate, 0, sizeof *estimate);
  GST_OBJECT_LOCK (self);
  /* one record is filled while downstream may hold the last one */
  estimate->memory_bytes = 2
      * (self->shared_record_size > 0 ? self->shared_record_size
                                      : EEG_EDF_GOOD_RECORD);
  GST_OBJECT_UNLOCK (self);
  estimate->threads = 1;
  gst_eeg_stage_counters_get (&self->counters, &v);
  estimate->output_bytes = v.bytes_in > 0
      ? gst_util_uint64_scale (input_bytes, v.bytes_out, v.bytes_in)
      : input_bytes;
  estimate->duration = v.bytes_in > 0 && v.busy_ns > 0
      ? gst_util_uint64_scale (input_bytes, v.busy_ns, v.bytes_in)
      : GST_CLOCK_TIME_NONE;
  return TRUE;
}

static GstEegPartSupport
gst_eeg_edf_mux_get_part_support (GstEegStage *stage)
{
  GstEegEdfMuxAnnotations annotations;

  GST_OBJECT_LOCK (stage);
  annotations = GST_EEG_EDF_MUX (stage)->settings.annotations;
  GST_OBJECT_UNLOCK (stage);
  return annotations == GST_EEG_EDF_MUX_ANNOTATIONS_NEVER
      ? GST_EEG_PART_SUPPORT_ENDS
      : GST_EEG_PART_SUPPORT_LABELS;
}

static GBytes *
gst_eeg_edf_mux_save_state (GstEegStage *stage, GError **error)
{
  GstEegEdfMux *self = GST_EEG_EDF_MUX (stage);
  GBytes *restore;

  GST_OBJECT_LOCK (self);
  restore = self->restore != NULL ? g_bytes_ref (self->restore) : NULL;
  GST_OBJECT_UNLOCK (self);
  /* nothing came since */
  if (restore != NULL)
    return restore;
  return self->state.begins_part ? save_part (self, error)
                                 : save_file (self, error);
}

static gboolean
gst_eeg_edf_mux_restore_state (GstEegStage *stage, GBytes *state,
    GError **error)
{
  GstEegEdfMux *self = GST_EEG_EDF_MUX (stage);
  gsize size;
  const guint8 *blob;
  gboolean is_damaged;

  if (state == NULL)
    return gst_eeg_stage_keep_state (stage, &self->restore, NULL, TRUE, error);
  blob = g_bytes_get_data (state, &size);
  is_damaged = size < 2 || size > 2 * MAX_STATE || blob[0] != STATE_VERSION;
  return gst_eeg_stage_keep_state (stage, &self->restore, state, !is_damaged,
      error);
}

static void
gst_eeg_edf_mux_stage_init (GstEegStageInterface *iface)
{
  iface->get_kind = gst_eeg_edf_mux_get_kind;
  iface->estimate = gst_eeg_edf_mux_estimate;
  iface->save_state = gst_eeg_edf_mux_save_state;
  iface->restore_state = gst_eeg_edf_mux_restore_state;
  iface->get_part_support = gst_eeg_edf_mux_get_part_support;
  iface->set_part = gst_eeg_edf_mux_set_part;
}

/* --- properties ---------------------------------------------------------- */

static void
gst_eeg_edf_mux_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstEegEdfMux *self = GST_EEG_EDF_MUX (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_FORMAT:
      self->settings.format = g_value_get_enum (value);
      break;
    case PROP_RECORD_DURATION:
      self->settings.record_duration = g_value_get_uint64 (value);
      break;
    case PROP_PHYSICAL_MIN:
      self->settings.physical_min = g_value_get_double (value);
      break;
    case PROP_PHYSICAL_MAX:
      self->settings.physical_max = g_value_get_double (value);
      break;
    case PROP_PATIENT:
      g_free (self->settings.patient);
      self->settings.patient = g_value_dup_string (value);
      break;
    case PROP_RECORDING:
      g_free (self->settings.recording);
      self->settings.recording = g_value_dup_string (value);
      break;
    case PROP_GAPS:
      self->settings.gaps = g_value_get_enum (value);
      break;
    case PROP_ANNOTATIONS:
      self->settings.annotations = g_value_get_enum (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_eeg_edf_mux_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstEegEdfMux *self = GST_EEG_EDF_MUX (object);

  if (id == PROP_STATS) {
    GstStructure *s = gst_eeg_stage_counters_to_structure (&self->counters,
        GST_EEG_STAGE_KIND_CONTAINER);

    gst_structure_set (s, "records", G_TYPE_UINT64,
        __atomic_load_n (&self->num_records, __ATOMIC_RELAXED),
        "clipped-values", G_TYPE_UINT64,
        __atomic_load_n (&self->clipped_values, __ATOMIC_RELAXED),
        "lost-markers", G_TYPE_UINT64,
        __atomic_load_n (&self->lost_markers, __ATOMIC_RELAXED), NULL);
    g_value_take_boxed (value, s);
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_FORMAT:
      g_value_set_enum (value, self->settings.format);
      break;
    case PROP_RECORD_DURATION:
      g_value_set_uint64 (value, self->settings.record_duration);
      break;
    case PROP_PHYSICAL_MIN:
      g_value_set_double (value, self->settings.physical_min);
      break;
    case PROP_PHYSICAL_MAX:
      g_value_set_double (value, self->settings.physical_max);
      break;
    case PROP_PATIENT:
      g_value_set_string (value, self->settings.patient);
      break;
    case PROP_RECORDING:
      g_value_set_string (value, self->settings.recording);
      break;
    case PROP_GAPS:
      g_value_set_enum (value, self->settings.gaps);
      break;
    case PROP_ANNOTATIONS:
      g_value_set_enum (value, self->settings.annotations);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_eeg_edf_mux_finalize (GObject *object)
{
  GstEegEdfMux *self = GST_EEG_EDF_MUX (object);

  state_clear (&self->state);
  g_clear_pointer (&self->restore, g_bytes_unref);
  g_free (self->part);
  settings_clear (&self->settings);
  G_OBJECT_CLASS (gst_eeg_edf_mux_parent_class)->finalize (object);
}

static void
gst_eeg_edf_mux_class_init (GstEegEdfMuxClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstAggregatorClass *aggregator_class = GST_AGGREGATOR_CLASS (klass);
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  object_class->set_property = gst_eeg_edf_mux_set_property;
  object_class->get_property = gst_eeg_edf_mux_get_property;
  object_class->finalize = gst_eeg_edf_mux_finalize;
  g_object_class_override_property (object_class, PROP_STATS, "stats");

  g_object_class_install_property (object_class, PROP_FORMAT,
      g_param_spec_enum ("format", "Format",
          "What to write; a digital range wider than the format is an error",
          GST_TYPE_EEG_EDF_MUX_FORMAT, DEFAULT_FORMAT, flags));
  g_object_class_install_property (object_class, PROP_RECORD_DURATION,
      g_param_spec_uint64 ("record-duration", "Record duration",
          "Duration of a data record in ns; it must hold whole samples of "
          "every rate (0 = as the file the samples came from, else near 1 s "
          "and at most 61440 bytes)",
          0, G_MAXUINT64, DEFAULT_RECORD_DURATION, flags));
  g_object_class_install_property (object_class, PROP_PHYSICAL_MIN,
      g_param_spec_double ("physical-min", "Physical minimum",
          "Smallest value of voltage channels in their unit (equal to "
          "physical-max = from the channel table)",
          -G_MAXDOUBLE, G_MAXDOUBLE, DEFAULT_PHYSICAL_LIMIT, flags));
  g_object_class_install_property (object_class, PROP_PHYSICAL_MAX,
      g_param_spec_double ("physical-max", "Physical maximum",
          "Largest value of voltage channels in their unit (equal to "
          "physical-min = from the channel table)",
          -G_MAXDOUBLE, G_MAXDOUBLE, DEFAULT_PHYSICAL_LIMIT, flags));
  g_object_class_install_property (object_class, PROP_PATIENT,
      g_param_spec_string ("patient", "Patient",
          "Local patient identification, at most 80 characters (NULL = from "
          "the eeg-recording event)",
          NULL, flags));
  g_object_class_install_property (object_class, PROP_RECORDING,
      g_param_spec_string ("recording", "Recording",
          "Local recording identification, at most 80 characters (NULL = "
          "from the eeg-recording event)",
          NULL, flags));
  g_object_class_install_property (object_class, PROP_GAPS,
      g_param_spec_enum ("gaps", "Gaps",
          "What to do with samples that are missing beyond the end of a "
          "data record",
          GST_TYPE_EEG_EDF_MUX_GAPS, DEFAULT_GAPS, flags));
  g_object_class_install_property (object_class, PROP_ANNOTATIONS,
      g_param_spec_enum ("annotations", "Annotations",
          "Whether the file has an annotation signal for markers",
          GST_TYPE_EEG_EDF_MUX_ANNOTATIONS, DEFAULT_ANNOTATIONS, flags));
  gst_type_mark_as_plugin_api (GST_TYPE_EEG_EDF_MUX_FORMAT, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_EEG_EDF_MUX_GAPS, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_EEG_EDF_MUX_ANNOTATIONS, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_EEG_EDF_MUX_PAD, 0);

  aggregator_class->aggregate = gst_eeg_edf_mux_aggregate;
  aggregator_class->flush = gst_eeg_edf_mux_flush;
  aggregator_class->start = gst_eeg_edf_mux_start;
  aggregator_class->stop = gst_eeg_edf_mux_stop;
  aggregator_class->sink_event = gst_eeg_edf_mux_sink_event;
  aggregator_class->src_event = gst_eeg_edf_mux_src_event;
  aggregator_class->src_query = gst_eeg_edf_mux_src_query;
  aggregator_class->create_new_pad = gst_eeg_edf_mux_create_new_pad;
  /* the source pad's caps follow from the first samples */
  aggregator_class->negotiate = NULL;

  gst_element_class_add_static_pad_template_with_gtype (element_class,
      &sink_template, GST_TYPE_EEG_EDF_MUX_PAD);
  gst_element_class_add_static_pad_template_with_gtype (element_class,
      &src_template, GST_TYPE_AGGREGATOR_PAD);
  gst_element_class_set_static_metadata (element_class, "EDF/BDF muxer",
      "Codec/Muxer", "Writes EDF, EDF+, BDF and BDF+ recordings",
      "gst-plugins-eeg developers");
}

static void
gst_eeg_edf_mux_init (GstEegEdfMux *self)
{
  self->settings.format = DEFAULT_FORMAT;
  self->settings.record_duration = DEFAULT_RECORD_DURATION;
  self->settings.physical_min = DEFAULT_PHYSICAL_LIMIT;
  self->settings.physical_max = DEFAULT_PHYSICAL_LIMIT;
  self->settings.gaps = DEFAULT_GAPS;
  self->settings.annotations = DEFAULT_ANNOTATIONS;
  state_init (&self->state);
}
