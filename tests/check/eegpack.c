/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* eegpackenc and eegpackdec: samples come back bit by bit, the file depends on
 * nothing but them, and damage never becomes a wrong sample. */
#include <gst/check/gstcheck.h>
#include <gst/eeg/eeg.h>

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "eegpack.h"

#define MAX_STREAMS 4

/* --- signals ------------------------------------------------------------- */

typedef struct
{
  GstEegInfo info;
  GstCaps *caps;
  guint64 frames;
  guint8 *data;
  /* frames that are not sent: [first, end) pairs */
  guint64 lost[4][2];
  guint n_lost;
} Signal;

typedef enum
{
  KIND_WALK,    /* slow waves that channels share, and noise */
  KIND_EXTREME, /* full scale up and down */
  KIND_RANDOM,  /* any bits, NaN payloads among them */
  KIND_CONSTANT
} Kind;

static GstEegChannels *
make_table (guint channels)
{
  GstEegChannel *rows = g_new0 (GstEegChannel, channels);
  GStringChunk *chunk = g_string_chunk_new (1000);
  GstEegChannels *table;
  guint c;

  for (c = 0; c < channels; c++) {
    gchar *label = g_strdup_printf ("E%u \xc2\xb5", c);

    rows[c].label = g_string_chunk_insert (chunk, label);
    rows[c].unit = c % 3 == 0 ? "uV" : "mV";
    rows[c].transducer = c == 1 ? "AgAgCl" : "";
    rows[c].type = c % 6;
    rows[c].physical_min = -1000.1 / 3;
    rows[c].physical_max = 1e-7 * c + 5;
    rows[c].digital_min = G_MININT32 + (gint) c;
    rows[c].digital_max = 32767;
    rows[c].bad = c == 2;
    rows[c].calibration_text = c == 0 ? "-1      +1      -32768  32767   " : "";
    rows[c].source_index = c == 3 ? -1 : (gint) (2 * c);
    g_free (label);
  }
  table = gst_eeg_channels_new (rows, channels);
  g_string_chunk_free (chunk);
  g_free (rows);
  return table;
}

static guint64
next_random (guint64 *x)
{
  *x = *x * 6364136223846793005ull + 1442695040888963407ull;
  return *x >> 24 ^ *x << 40;
}

static void
signal_init (Signal *s, GstEegFormat format, gint rate_n, gint rate_d,
    guint channels, guint64 frames, Kind kind)
{
  gboolean floats =
      format == GST_EEG_FORMAT_F32LE || format == GST_EEG_FORMAT_F64LE;
  GstEegChannels *table = channels <= 64 ? make_table (channels) : NULL;
  guint64 seed = frames + channels + (guint64) kind, t;
  guint size, c, i;
  gdouble wave = 0;

  memset (s, 0, sizeof *s);
  gst_eeg_info_init (&s->info);
  gst_eeg_info_set (&s->info, format,
      floats ? GST_EEG_DOMAIN_VOLTAGE : GST_EEG_DOMAIN_COUNTS, rate_n, rate_d,
      (gint) channels, table);
  g_clear_pointer (&table, gst_eeg_channels_unref);
  s->caps = gst_eeg_info_to_caps (&s->info);
  s->frames = frames;
  size = s->info.bytes_per_sample;
  s->data = g_malloc (frames * s->info.bytes_per_frame + 1);
  for (t = 0; t < frames; t++) {
    wave += (gdouble) (next_random (&seed) % 41) - 20;
    for (c = 0; c < channels; c++) {
      guint8 *p = s->data + (t * channels + c) * size;
      gdouble v = wave * (1 + c % 3) + (gdouble) (next_random (&seed) % 17);
      guint64 bits = next_random (&seed);

      if (kind == KIND_EXTREME)
        bits = (t & 1) ? G_MAXUINT64 >> (64 - 8 * size + 1)
                       : G_GUINT64_CONSTANT (1) << (8 * size - 1);
      if (kind == KIND_CONSTANT)
        v = 77;
      if (kind == KIND_EXTREME || kind == KIND_RANDOM) {
        for (i = 0; i < size; i++)
          p[i] = (guint8) (bits >> (8 * i));
      } else if (format == GST_EEG_FORMAT_F32LE) {
        gfloat f = (gfloat) (v / 7);

        memcpy (p, &f, 4);
      } else if (format == GST_EEG_FORMAT_F64LE) {
        v /= 7;
        memcpy (p, &v, 8);
      } else {
        for (i = 0; i < size; i++)
          p[i] = (guint8) ((gint32) v >> (8 * i));
      }
    }
  }
}

static void
signal_clear (Signal *s)
{
  gst_caps_unref (s->caps);
  gst_eeg_info_clear (&s->info);
  g_free (s->data);
}

static gboolean
is_lost (const Signal *s, guint64 t)
{
  guint i;

  for (i = 0; i < s->n_lost; i++)
    if (t >= s->lost[i][0] && t < s->lost[i][1])
      return TRUE;
  return FALSE;
}

/* --- encoding ------------------------------------------------------------ */

typedef struct
{
  GstElement *element;
  GstBus *bus;
  GstPad *src[MAX_STREAMS], *sink;
  guint n;
  GByteArray *bytes; /* under the object lock of the pad */
  GList *events;
  guint buffers;
  gboolean eos;
  GstClockTime latency; /* of a live source, or NONE */
  gboolean completes;   /* the source says that it announces its end */
} Enc;

static Enc *enc_of_pad; /* one at a time */

static GstFlowReturn
enc_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  Enc *e = enc_of_pad;
  GstMapInfo map;

  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  GST_OBJECT_LOCK (pad);
  g_byte_array_append (e->bytes, map.data, (guint) map.size);
  e->buffers++;
  GST_OBJECT_UNLOCK (pad);
  gst_buffer_unmap (buffer, &map);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static gboolean
enc_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GST_OBJECT_LOCK (pad);
  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    enc_of_pad->eos = TRUE;
  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP)
    g_byte_array_set_size (enc_of_pad->bytes, 0);
  GST_OBJECT_UNLOCK (pad);
  gst_event_unref (event);
  return TRUE;
}

static gboolean
enc_src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY) {
    gst_query_set_latency (query, GST_CLOCK_TIME_IS_VALID (enc_of_pad->latency),
        GST_CLOCK_TIME_IS_VALID (enc_of_pad->latency) ? enc_of_pad->latency : 0,
        GST_CLOCK_TIME_NONE);
    return TRUE;
  }
  if (GST_QUERY_TYPE (query) == GST_QUERY_CUSTOM && enc_of_pad->completes) {
    gst_structure_set (gst_query_writable_structure (query), "source-completes",
        G_TYPE_BOOLEAN, TRUE, NULL);
    return TRUE;
  }
  return gst_pad_query_default (pad, parent, query);
}

static void
enc_init (Enc *e, guint n, const gchar *settings)
{
  gchar **parts = g_strsplit (settings, " ", -1), **part;
  GstPad *peer;
  guint i;

  memset (e, 0, sizeof *e);
  enc_of_pad = e;
  e->latency = GST_CLOCK_TIME_NONE;
  e->bytes = g_byte_array_new ();
  e->n = n;
  e->element = gst_element_factory_make ("eegpackenc", NULL);
  fail_unless (e->element != NULL);
  for (part = parts; *part != NULL; part++) {
    gchar **pair = g_strsplit (*part, "=", 2);

    if (pair[0] != NULL && pair[1] != NULL)
      gst_util_set_object_arg (G_OBJECT (e->element), pair[0], pair[1]);
    g_strfreev (pair);
  }
  g_strfreev (parts);
  e->bus = gst_bus_new ();
  gst_element_set_bus (e->element, e->bus);
  e->sink = gst_pad_new ("sink", GST_PAD_SINK);
  gst_pad_set_chain_function (e->sink, enc_chain);
  gst_pad_set_event_function (e->sink, enc_event);
  gst_pad_set_active (e->sink, TRUE);
  peer = gst_element_get_static_pad (e->element, "src");
  fail_unless (gst_pad_link (peer, e->sink) == GST_PAD_LINK_OK);
  gst_object_unref (peer);
  for (i = 0; i < n; i++) {
    e->src[i] = gst_pad_new (NULL, GST_PAD_SRC);
    gst_pad_set_query_function (e->src[i], enc_src_query);
    gst_pad_set_active (e->src[i], TRUE);
    peer = gst_element_request_pad_simple (e->element, "sink_%u");
    fail_unless (gst_pad_link (e->src[i], peer) == GST_PAD_LINK_OK);
    gst_object_unref (peer);
  }
  gst_element_set_state (e->element, GST_STATE_PLAYING);
}

static void
enc_clear (Enc *e)
{
  guint i;

  gst_element_set_state (e->element, GST_STATE_NULL);
  for (i = 0; i < e->n; i++) {
    gst_pad_set_active (e->src[i], FALSE);
    gst_object_unref (e->src[i]);
  }
  gst_element_set_bus (e->element, NULL);
  gst_object_unref (e->bus);
  gst_object_unref (e->element);
  gst_pad_set_active (e->sink, FALSE);
  gst_object_unref (e->sink);
  g_byte_array_unref (e->bytes);
}

static void
enc_start (Enc *e, guint i, const Signal *s)
{
  gchar *id = g_strdup_printf ("stream %u", i);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (e->src[i], gst_event_new_stream_start (id));
  gst_pad_push_event (e->src[i], gst_event_new_caps (s->caps));
  gst_pad_push_event (e->src[i], gst_event_new_segment (&segment));
  g_free (id);
}

static GstBuffer *
make_buffer (const Signal *s, guint64 from, guint64 n)
{
  gsize size = n * s->info.bytes_per_frame;
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, size, NULL);

  gst_buffer_fill (buffer, 0, s->data + from * s->info.bytes_per_frame, size);
  gst_eeg_info_stamp_buffer (&s->info, buffer, from, n);
  return buffer;
}

/* A marker in every frame whose number 777 divides, with or without a duration,
 * for stream `number`. */
static void
add_markers (GstBuffer *buffer, const Signal *s, guint number, guint64 from,
    guint64 n)
{
  guint64 t;

  for (t = from; t < from + n; t++)
    if (t % 777 == 0) {
      gchar *text =
          g_strdup_printf ("marker %u \xc3\xa9 %" G_GUINT64_FORMAT, number, t);

      gst_buffer_add_eeg_marker_meta (buffer,
          gst_eeg_info_samples_to_time (&s->info, t),
          t % 2 ? GST_CLOCK_TIME_NONE : t, text);
      g_free (text);
    }
}

/* Sends frames [from, to) without those that are lost, in buffers of up to
 * `split`. */
static GstFlowReturn
enc_push (Enc *e, guint i, const Signal *s, guint64 from, guint64 to,
    guint64 split)
{
  GstFlowReturn flow = GST_FLOW_OK;

  while (from < to && flow == GST_FLOW_OK) {
    guint64 n = 0;
    GstBuffer *buffer;

    if (is_lost (s, from)) {
      from++;
      continue;
    }
    while (n < split && from + n < to && !is_lost (s, from + n))
      n++;
    buffer = make_buffer (s, from, n);
    add_markers (buffer, s, i, from, n);
    flow = gst_pad_push (e->src[i], buffer);
    from += n;
  }
  return flow;
}

/* Sends all streams side by side from one thread, as a demuxer does. */
static void
enc_push_all (Enc *e, const Signal *s, guint64 split)
{
  guint64 done[MAX_STREAMS] = { 0 };
  guint i, left = e->n;

  for (i = 0; i < e->n; i++)
    enc_start (e, i, &s[i]);
  while (left > 0) {
    GstClockTime time = GST_CLOCK_TIME_NONE;
    guint next = 0;

    left = 0;
    for (i = 0; i < e->n; i++)
      if (done[i] < s[i].frames) {
        GstClockTime t = gst_eeg_info_samples_to_time (&s[i].info, done[i]);

        left++;
        if (t < time) {
          time = t;
          next = i;
        }
      }
    if (left > 0) {
      guint64 to = MIN (s[next].frames, done[next] + split);

      fail_unless_equals_int (enc_push (e, next, &s[next], done[next], to,
                                  split),
          GST_FLOW_OK);
      done[next] = to;
    }
  }
  for (i = 0; i < e->n; i++)
    gst_pad_push_event (e->src[i], gst_event_new_eos ());
}

static gboolean
pop_error (GstBus *bus, GQuark *domain, gint *code)
{
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  GError *error = NULL;

  if (message == NULL)
    return FALSE;
  gst_message_parse_error (message, &error, NULL);
  *domain = error->domain;
  *code = error->code;
  GST_INFO ("%s", error->message);
  g_error_free (error);
  gst_message_unref (message);
  return TRUE;
}

static void
wait_eos (Enc *e)
{
  gint i;

  for (i = 0; i < 20000; i++) {
    gboolean eos;

    GST_OBJECT_LOCK (e->sink);
    eos = e->eos;
    GST_OBJECT_UNLOCK (e->sink);
    if (eos)
      return;
    g_usleep (1000);
  }
  fail ("no EOS");
}

/* transfer full */
static GByteArray *
encode (const Signal *s, guint n, const gchar *settings, guint64 split)
{
  GByteArray *bytes;
  GQuark domain;
  gint code;
  Enc e;

  enc_init (&e, n, settings);
  enc_push_all (&e, s, split);
  wait_eos (&e);
  fail_if (pop_error (e.bus, &domain, &code));
  bytes = g_byte_array_ref (e.bytes);
  enc_clear (&e);
  return bytes;
}

/* --- decoding ------------------------------------------------------------ */

typedef struct
{
  GstPad *pad;
  GstCaps *caps;
  GstStructure *recording;
  guint8 *data;
  guint8 *there; /* a byte for each frame */
  guint64 end;
  guint64 gap_end;
  guint disconts, segments;
  GstSegment segment;
  GPtrArray *markers;
  gboolean eos;
} Out;

typedef struct
{
  GstElement *element;
  GstBus *bus;
  GstPad *src;
  const Signal *signals;
  Out out[MAX_STREAMS];
  guint n;
  guint wrong; /* samples that are not those of the signals */
} Dec;

static Dec *dec_of_pad;
static GMutex dec_lock; /* what comes out, until it is done */

static Out *
find_out (GstPad *pad)
{
  guint i;

  for (i = 0; i < dec_of_pad->n; i++)
    if (dec_of_pad->out[i].pad == pad)
      return &dec_of_pad->out[i];
  fail ("no such pad");
  return NULL;
}

static GstFlowReturn
dec_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  Out *o;
  const Signal *s;
  guint64 begin = GST_BUFFER_OFFSET (buffer), n, t;
  GstEegMarkerMeta *meta;
  gpointer iter = NULL;
  GstMapInfo map;

  g_mutex_lock (&dec_lock);
  o = find_out (pad);
  s = &dec_of_pad->signals[o - dec_of_pad->out];
  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  n = map.size / s->info.bytes_per_frame;
  fail_unless (map.size % s->info.bytes_per_frame == 0);
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET_END (buffer), begin + n);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer),
      gst_eeg_info_samples_to_time (&s->info, begin));
  if (n > 0) {
    if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT))
      o->disconts++;
    else
      fail_unless_equals_uint64 (begin, o->end);
    fail_unless (begin >= o->end || o->segments > 1);
    fail_unless (begin + n <= s->frames);
    for (t = 0; t < n; t++)
      o->there[begin + t] = 1;
    if (memcmp (map.data, s->data + begin * s->info.bytes_per_frame, map.size)
        != 0)
      dec_of_pad->wrong++;
    o->end = begin + n;
  }
  while ((meta = gst_buffer_iterate_eeg_marker_meta (buffer, &iter)) != NULL)
    g_ptr_array_add (o->markers,
        g_strdup_printf ("%" G_GUINT64_FORMAT " %" G_GINT64_FORMAT " %s",
            meta->time, (gint64) meta->duration, meta->text));
  gst_buffer_unmap (buffer, &map);
  g_mutex_unlock (&dec_lock);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static gboolean
dec_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstClockTime time, duration;
  GstCaps *caps;
  const Signal *s;
  Out *o;

  g_mutex_lock (&dec_lock);
  o = find_out (pad);
  s = &dec_of_pad->signals[o - dec_of_pad->out];
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS:
      gst_event_parse_caps (event, &caps);
      gst_caps_replace (&o->caps, caps);
      break;
    case GST_EVENT_SEGMENT:
      gst_event_copy_segment (event, &o->segment);
      o->segments++;
      break;
    case GST_EVENT_GAP:
      gst_event_parse_gap (event, &time, &duration);
      o->gap_end = gst_eeg_info_time_to_samples (&s->info, time + duration);
      break;
    case GST_EVENT_EOS:
      o->eos = TRUE;
      break;
    default:
      if (gst_eeg_event_is_recording (event)) {
        g_clear_pointer (&o->recording, gst_structure_free);
        o->recording = gst_structure_copy (gst_event_get_structure (event));
      }
      break;
  }
  g_mutex_unlock (&dec_lock);
  gst_event_unref (event);
  return TRUE;
}

static void
dec_pad_added (GstElement *element, GstPad *pad, gpointer user_data)
{
  GstPad *sink = gst_pad_new (NULL, GST_PAD_SINK);
  Dec *d = user_data;

  gst_pad_set_chain_function (sink, dec_chain);
  gst_pad_set_event_function (sink, dec_event);
  gst_pad_set_active (sink, TRUE);
  g_mutex_lock (&dec_lock);
  fail_unless (d->n < MAX_STREAMS);
  d->out[d->n++].pad = sink;
  g_mutex_unlock (&dec_lock);
  fail_unless (gst_pad_link (pad, sink) == GST_PAD_LINK_OK);
}

static void
out_init (Dec *d, const Signal *signals, guint n)
{
  guint i;

  memset (d, 0, sizeof *d);
  dec_of_pad = d;
  d->signals = signals;
  for (i = 0; i < MAX_STREAMS; i++) {
    d->out[i].markers = g_ptr_array_new_with_free_func (g_free);
    if (i < n)
      d->out[i].there = g_malloc0 (signals[i].frames + 1);
  }
}

static void
out_clear (Dec *d)
{
  guint i;

  for (i = 0; i < MAX_STREAMS; i++) {
    g_ptr_array_unref (d->out[i].markers);
    g_free (d->out[i].there);
    gst_caps_replace (&d->out[i].caps, NULL);
    g_clear_pointer (&d->out[i].recording, gst_structure_free);
    if (d->out[i].pad != NULL) {
      gst_pad_set_active (d->out[i].pad, FALSE);
      gst_object_unref (d->out[i].pad);
    }
  }
}

static void
dec_init (Dec *d, const Signal *signals, guint n, gboolean salvage,
    guint threads)
{
  GstPad *peer;

  out_init (d, signals, n);
  d->element = gst_element_factory_make ("eegpackdec", NULL);
  fail_unless (d->element != NULL);
  g_object_set (d->element, "salvage", salvage, "threads", threads, NULL);
  d->bus = gst_bus_new ();
  gst_element_set_bus (d->element, d->bus);
  g_signal_connect (d->element, "pad-added", G_CALLBACK (dec_pad_added), d);
  d->src = gst_pad_new (NULL, GST_PAD_SRC);
  gst_pad_set_active (d->src, TRUE);
  peer = gst_element_get_static_pad (d->element, "sink");
  fail_unless (gst_pad_link (d->src, peer) == GST_PAD_LINK_OK);
  gst_object_unref (peer);
  gst_element_set_state (d->element, GST_STATE_PLAYING);
}

static void
dec_clear (Dec *d)
{
  gst_element_set_state (d->element, GST_STATE_NULL);
  gst_pad_set_active (d->src, FALSE);
  gst_object_unref (d->src);
  gst_element_set_bus (d->element, NULL);
  gst_object_unref (d->bus);
  gst_object_unref (d->element);
  out_clear (d);
}

static void
dec_start (Dec *d)
{
  GstCaps *caps = gst_caps_new_empty_simple ("application/x-eegpack");
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_pad_push_event (d->src, gst_event_new_stream_start ("file"));
  gst_pad_push_event (d->src, gst_event_new_caps (caps));
  gst_pad_push_event (d->src, gst_event_new_segment (&segment));
  gst_caps_unref (caps);
}

/* Pushes a file in buffers of `split` bytes and EOS; returns when the decoder
 * is done with it. */
static void
dec_push_all (Dec *d, const guint8 *data, gsize size, gsize split)
{
  gsize at;

  dec_start (d);
  for (at = 0; at < size; at += split) {
    gsize n = MIN (split, size - at);

    if (gst_pad_push (d->src, gst_buffer_new_memdup (data + at, n))
        != GST_FLOW_OK)
      break;
  }
  gst_pad_push_event (d->src, gst_event_new_eos ());
  /* what was pushed may still be on its way */
  gst_element_set_state (d->element, GST_STATE_PLAYING);
}

static gboolean
dec_is_done (Dec *d)
{
  gboolean done;
  guint i;

  g_mutex_lock (&dec_lock);
  done = d->n > 0;
  for (i = 0; i < d->n; i++)
    done = done && d->out[i].eos;
  g_mutex_unlock (&dec_lock);
  return done;
}

static void
compare (Dec *d, const Signal *signals, guint n)
{
  guint i, k;

  fail_unless_equals_int (d->n, n);
  fail_unless_equals_int (d->wrong, 0);
  for (i = 0; i < n; i++) {
    const Signal *s = &signals[i];
    const Out *o = &d->out[i];
    guint64 t;

    fail_unless (gst_caps_is_equal (o->caps, s->caps));
    for (t = 0; t < s->frames && o->there[t] == !is_lost (s, t); t++)
      ;
    fail_unless (t == s->frames, "frame %d of stream %u", (gint) t, i);
    k = 0;
    for (t = 0; t < s->frames; t += 777)
      if (!is_lost (s, t)) {
        gchar *text = g_strdup_printf ("%" G_GUINT64_FORMAT " %" G_GINT64_FORMAT
                                       " marker %u \xc3\xa9 %" G_GUINT64_FORMAT,
            gst_eeg_info_samples_to_time (&s->info, t),
            t % 2 ? (gint64) -1 : (gint64) t, i, t);

        fail_unless (k < o->markers->len, "%s is missing", text);
        fail_unless_equals_string (g_ptr_array_index (o->markers, k), text);
        g_free (text);
        k++;
      }
    fail_unless_equals_int (k, o->markers->len);
  }
}

static void
check_file (const GByteArray *file, const Signal *signals, guint n, gsize split,
    guint threads)
{
  GQuark domain;
  gint code, tries;
  Dec d;

  dec_init (&d, signals, n, FALSE, threads);
  dec_push_all (&d, file->data, file->len, split);
  for (tries = 0; !dec_is_done (&d) && tries < 20000; tries++) {
    fail_if (pop_error (d.bus, &domain, &code));
    g_usleep (1000);
  }
  fail_if (pop_error (d.bus, &domain, &code));
  fail_unless (dec_is_done (&d));
  compare (&d, signals, n);
  dec_clear (&d);
}

static void
check_round_trip (const Signal *signals, guint n, const gchar *settings)
{
  GByteArray *file = encode (signals, n, settings, 1000);

  check_file (file, signals, n, 4096, 1);
  g_byte_array_unref (file);
}

/* --- exactness ----------------------------------------------------------- */

static const GstEegFormat all_formats[] = { GST_EEG_FORMAT_S16LE,
  GST_EEG_FORMAT_S24LE, GST_EEG_FORMAT_S32LE, GST_EEG_FORMAT_F32LE,
  GST_EEG_FORMAT_F64LE };
static const gchar *const efforts[] = { "fast", "normal", "best" };

GST_START_TEST (test_round_trip)
{
  const gchar *effort = efforts[__i__ / 4];
  Kind kind = (Kind) (__i__ % 4);
  gsize f;

  for (f = 0; f < G_N_ELEMENTS (all_formats); f++) {
    gchar *settings = g_strdup_printf ("threads=1 block-duration=%u effort=%s",
        2000000000, effort);
    Signal s;

    signal_init (&s, all_formats[f], 500, 1, 5, 2500, kind);
    check_round_trip (&s, 1, settings);
    signal_clear (&s);
    g_free (settings);
  }
}
GST_END_TEST;

GST_START_TEST (test_sizes)
{
  static const struct
  {
    guint channels;
    guint64 frames;
  } sizes[] = { { 1, 1 }, { 1, 20000 }, { 4096, 60 }, { 4096, 1 }, { 17, 8191 },
    { 17, 8192 }, { 17, 8193 }, { 64, 3 } };
  static const Kind kinds[] = { KIND_WALK, KIND_EXTREME, KIND_RANDOM };
  gsize i, f, k;

  for (i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (k = 0; k < G_N_ELEMENTS (kinds); k++)
      for (f = 1; f < G_N_ELEMENTS (all_formats); f++) {
        Signal s;

        signal_init (&s, all_formats[f], 1000, 3, sizes[i].channels,
            sizes[i].frames, kinds[k]);
        check_round_trip (&s, 1, "effort=normal threads=1");
        signal_clear (&s);
      }
}
GST_END_TEST;

/* --- the bytes depend on the samples only -------------------------------- */

GST_START_TEST (test_splits_and_threads)
{
  static const gchar *const settings[] = { "threads=1", "threads=2",
    "threads=3", "threads=8", "threads=2", "threads=4", "threads=2" };
  /* the last: buffers that are blocks */
  static const guint64 splits[] = { 5000, 100000, 313, 1, 4096, 99, 512 };
  GByteArray *begin = NULL;
  Signal s;
  gsize i;

  signal_init (&s, GST_EEG_FORMAT_S24LE, 512, 1, 9, 6000, KIND_WALK);
  g_setenv ("GSTEEG_TEST_JOB_DELAY_US", "2000", TRUE);
  for (i = 0; i < G_N_ELEMENTS (settings); i++) {
    gchar *with = g_strconcat (settings[i], " block-duration=1000000000", NULL);
    GByteArray *file = encode (&s, 1, with, splits[i]);

    g_free (with);
    if (begin == NULL)
      begin = g_byte_array_ref (file);
    fail_unless_equals_int (file->len, begin->len);
    fail_unless (memcmp (file->data, begin->data, file->len) == 0, "%s, %d",
        settings[i], (gint) splits[i]);
    g_byte_array_unref (file);
  }
  for (i = 0; i < 5; i++)
    check_file (begin, &s, 1, i == 0 ? 7 : i * 5000, (guint) i + 1);
  g_unsetenv ("GSTEEG_TEST_JOB_DELAY_US");
  g_byte_array_unref (begin);
  signal_clear (&s);
}
GST_END_TEST;

typedef struct
{
  Enc *e;
  const Signal *s;
  guint i;
} Pusher;

static gpointer
push_thread (gpointer data)
{
  Pusher *p = data;
  GRand *rand = g_rand_new_with_seed (p->i);
  guint64 at;

  enc_start (p->e, p->i, p->s);
  for (at = 0; at < p->s->frames;) {
    guint64 to = MIN (p->s->frames, at + g_rand_int_range (rand, 1, 2000));

    if (g_rand_boolean (rand))
      g_usleep (g_rand_int_range (rand, 0, 500));
    fail_unless_equals_int (enc_push (p->e, p->i, p->s, at, to, 10000),
        GST_FLOW_OK);
    at = to;
  }
  gst_pad_push_event (p->e->src[p->i], gst_event_new_eos ());
  g_rand_free (rand);
  return NULL;
}

/* Streams of several rates: whoever comes first, the file is the same. */
GST_START_TEST (test_streams)
{
  GByteArray *begin, *file;
  Signal s[4];
  guint round, i;

  signal_init (&s[0], GST_EEG_FORMAT_S16LE, 100, 1, 3, 30000, KIND_WALK);
  signal_init (&s[1], GST_EEG_FORMAT_S24LE, 64, 5, 2, 3840, KIND_WALK);
  signal_init (&s[2], GST_EEG_FORMAT_F32LE, 1, 1, 4, 301, KIND_WALK);
  signal_init (&s[3], GST_EEG_FORMAT_S32LE, 1, 30, 1, 10, KIND_EXTREME);
  s[0].lost[0][0] = 9000;
  s[0].lost[0][1] = 9500;
  s[1].lost[0][0] = 100;
  s[1].lost[0][1] = 2000;
  s[0].n_lost = s[1].n_lost = 1;
  begin = encode (s, 4, "threads=1", 500);
  check_file (begin, s, 4, 10000, 2);
  for (round = 0; round < 4; round++) {
    Pusher pushers[4];
    GThread *threads[4];
    Enc e;

    enc_init (&e, 4, round % 2 ? "threads=1" : "threads=3");
    for (i = 0; i < 4; i++) {
      pushers[i] = (Pusher){ &e, &s[i], i };
      threads[i] = g_thread_new ("push", push_thread, &pushers[i]);
    }
    for (i = 0; i < 4; i++)
      g_thread_join (threads[i]);
    wait_eos (&e);
    file = g_byte_array_ref (e.bytes);
    enc_clear (&e);
    fail_unless_equals_int (file->len, begin->len);
    fail_unless (memcmp (file->data, begin->data, file->len) == 0);
    g_byte_array_unref (file);
  }
  g_byte_array_unref (begin);
  for (i = 0; i < 4; i++)
    signal_clear (&s[i]);
}
GST_END_TEST;

/* --- gaps ---------------------------------------------------------------- */

GST_START_TEST (test_gaps)
{
  GByteArray *file;
  Signal s;
  Enc e;

  signal_init (&s, GST_EEG_FORMAT_S16LE, 250, 1, 3, 5000, KIND_WALK);
  s.n_lost = 3;
  s.lost[0][0] = 0;
  s.lost[0][1] = 100;
  s.lost[1][0] = 700;
  s.lost[1][1] = 701;
  s.lost[2][0] = 2000;
  s.lost[2][1] = 3600;
  check_round_trip (&s, 1, "threads=1");
  check_round_trip (&s, 1, "threads=2 block-duration=1000000000");

  /* an announced gap at the end */
  enc_init (&e, 1, "threads=1");
  enc_start (&e, 0, &s);
  enc_push (&e, 0, &s, 0, 4900, 1000);
  gst_pad_push_event (e.src[0],
      gst_event_new_gap (gst_eeg_info_samples_to_time (&s.info, 4900),
          gst_eeg_info_samples_to_time (&s.info, 100)));
  gst_pad_push_event (e.src[0], gst_event_new_eos ());
  wait_eos (&e);
  file = g_byte_array_ref (e.bytes);
  enc_clear (&e);
  {
    GstStructure *stats = NULL;
    guint64 lost = 0;
    Dec d;

    dec_init (&d, &s, 1, FALSE, 1);
    dec_push_all (&d, file->data, file->len, 1000);
    fail_unless (dec_is_done (&d));
    fail_unless_equals_uint64 (d.out[0].gap_end, 5000);
    fail_unless_equals_int (d.out[0].disconts, 3);
    g_object_get (d.element, "stats", &stats, NULL);
    gst_structure_get_uint64 (stats, "lost", &lost);
    fail_unless_equals_uint64 (lost, 1 + 1600 + 100);
    gst_structure_free (stats);
    dec_clear (&d);
  }
  g_byte_array_unref (file);
  signal_clear (&s);
}
GST_END_TEST;

/* --- life ---------------------------------------------------------------- */

GST_START_TEST (test_flush)
{
  GByteArray *expected;
  Signal s, later;
  guint round;

  signal_init (&s, GST_EEG_FORMAT_S16LE, 250, 1, 3, 9000, KIND_WALK);
  later = s;
  later.n_lost = 1;
  later.lost[0][0] = 0;
  later.lost[0][1] = 5000;
  expected = encode (&later, 1, "threads=1", 1000);
  for (round = 0; round < 2; round++) {
    GstSegment segment;
    Enc e;

    enc_init (&e, 1, round == 0 ? "threads=1" : "threads=3");
    enc_start (&e, 0, &s);
    enc_push (&e, 0, &s, 0, 8700, 77);
    gst_pad_push_event (e.src[0], gst_event_new_flush_start ());
    gst_pad_push_event (e.src[0], gst_event_new_flush_stop (TRUE));
    gst_segment_init (&segment, GST_FORMAT_TIME);
    gst_pad_push_event (e.src[0], gst_event_new_segment (&segment));
    fail_unless_equals_int (enc_push (&e, 0, &s, 5000, 9000, 500), GST_FLOW_OK);
    gst_pad_push_event (e.src[0], gst_event_new_eos ());
    wait_eos (&e);
    fail_unless_equals_int (e.bytes->len, expected->len);
    fail_unless (memcmp (e.bytes->data, expected->data, expected->len) == 0);
    enc_clear (&e);
  }
  g_byte_array_unref (expected);
  signal_clear (&s);
}
GST_END_TEST;

/* One of two pads is flushed: a new file begins for both. */
GST_START_TEST (test_flush_one)
{
  GstSegment segment;
  Signal s[2];
  Enc e;

  signal_init (&s[0], GST_EEG_FORMAT_S16LE, 250, 1, 3, 9000, KIND_WALK);
  signal_init (&s[1], GST_EEG_FORMAT_S16LE, 25, 1, 1, 900, KIND_WALK);
  enc_init (&e, 2, "threads=2");
  enc_start (&e, 0, &s[0]);
  enc_start (&e, 1, &s[1]);
  fail_unless_equals_int (enc_push (&e, 0, &s[0], 0, 1000, 100), GST_FLOW_OK);
  fail_unless_equals_int (enc_push (&e, 1, &s[1], 0, 50, 10), GST_FLOW_OK);
  gst_pad_push_event (e.src[0], gst_event_new_flush_start ());
  fail_unless_equals_int (gst_pad_push (e.src[0],
                              make_buffer (&s[0], 1000, 10)),
      GST_FLOW_FLUSHING);
  gst_pad_push_event (e.src[0], gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (e.src[0], gst_event_new_segment (&segment));
  fail_unless_equals_int (enc_push (&e, 1, &s[1], 50, 900, 100), GST_FLOW_OK);
  fail_unless_equals_int (enc_push (&e, 0, &s[0], 500, 9000, 100), GST_FLOW_OK);
  gst_pad_push_event (e.src[0], gst_event_new_eos ());
  gst_pad_push_event (e.src[1], gst_event_new_eos ());
  wait_eos (&e);
  s[0].n_lost = s[1].n_lost = 1;
  s[0].lost[0][1] = 500;
  s[1].lost[0][1] = 50;
  check_file (e.bytes, s, 2, 3000, 1);
  enc_clear (&e);
  signal_clear (&s[0]);
  signal_clear (&s[1]);
}
GST_END_TEST;

GST_START_TEST (test_eos)
{
  GByteArray *expected;
  Signal s, empty;
  guint round;
  Enc e;

  signal_init (&s, GST_EEG_FORMAT_S16LE, 250, 1, 3, 3000, KIND_WALK);
  /* nothing at all: no file, as nobody knows what it would hold */
  enc_init (&e, 1, "threads=1");
  gst_pad_push_event (e.src[0], gst_event_new_stream_start ("a"));
  gst_pad_push_event (e.src[0], gst_event_new_eos ());
  wait_eos (&e);
  fail_unless_equals_int (e.bytes->len, 0);
  enc_clear (&e);
  /* caps and no samples: a file without blocks */
  empty = s;
  empty.frames = 0;
  expected = encode (&empty, 1, "threads=2", 100);
  fail_unless (expected->len > EEG_EEGPACK_MAGIC_SIZE + EEG_EEGPACK_END_SIZE);
  check_file (expected, &empty, 1, 7, 1);
  g_byte_array_unref (expected);

  /* from READY and from NULL again: the same file */
  expected = encode (&s, 1, "threads=2", 700);
  enc_init (&e, 1, "threads=2");
  for (round = 0; round < 3; round++) {
    gst_element_set_state (e.element,
        round == 1 ? GST_STATE_READY : GST_STATE_NULL);
    gst_pad_set_active (e.src[0], FALSE);
    gst_pad_set_active (e.src[0], TRUE);
    gst_pad_set_active (e.sink, FALSE);
    gst_pad_set_active (e.sink, TRUE);
    g_byte_array_set_size (e.bytes, 0);
    e.eos = FALSE;
    gst_element_set_state (e.element, GST_STATE_PLAYING);
    enc_push_all (&e, &s, 700);
    wait_eos (&e);
    fail_unless_equals_int (e.bytes->len, expected->len);
    fail_unless (memcmp (e.bytes->data, expected->data, expected->len) == 0);
    /* what comes after the end is refused */
    fail_unless_equals_int (gst_pad_push (e.src[0], make_buffer (&s, 0, 1)),
        GST_FLOW_EOS);
  }
  enc_clear (&e);
  g_byte_array_unref (expected);
  signal_clear (&s);
}
GST_END_TEST;

static gpointer
push_until_stopped (gpointer data)
{
  Pusher *p = data;
  GstFlowReturn flow;

  enc_start (p->e, p->i, p->s);
  flow = enc_push (p->e, p->i, p->s, 0, p->s->frames, 3000);
  fail_unless (flow == GST_FLOW_OK || flow == GST_FLOW_FLUSHING);
  return NULL;
}

/* Stops in the middle, also while buffers wait for another pad. */
GST_START_TEST (test_stop)
{
  Signal s[2];
  guint round;

  signal_init (&s[0], GST_EEG_FORMAT_S32LE, 1000, 1, 64, 40000, KIND_WALK);
  signal_init (&s[1], GST_EEG_FORMAT_S16LE, 25, 1, 1, 900, KIND_WALK);
  for (round = 0; round < 6; round++) {
    Enc e;
    Pusher pusher = { &e, &s[0], 0 };
    GThread *thread;

    enc_init (&e, 2, round % 2 ? "threads=1" : "threads=4");
    enc_start (&e, 1, &s[1]);
    if (round % 3 == 1)
      enc_push (&e, 1, &s[1], 0, 100, 10);
    else if (round % 3 == 2)
      enc_push (&e, 1, &s[1], 0, 900, 10);
    /* more than may wait: it blocks until the element stops */
    thread = g_thread_new ("push", push_until_stopped, &pusher);
    g_usleep (20000);
    gst_element_set_state (e.element, GST_STATE_NULL);
    g_thread_join (thread);
    enc_clear (&e);
  }
  signal_clear (&s[0]);
  signal_clear (&s[1]);
}
GST_END_TEST;

/* --- errors -------------------------------------------------------------- */

GST_START_TEST (test_refused)
{
  GstSegment segment;
  GQuark domain = 0;
  GstBuffer *buffer;
  Signal s, other;
  gint code = 0;
  guint i;

  signal_init (&s, GST_EEG_FORMAT_S16LE, 250, 1, 3, 3000, KIND_WALK);
  signal_init (&other, GST_EEG_FORMAT_S16LE, 250, 1, 4, 3000, KIND_WALK);
  for (i = 0; i < 6; i++) {
    GstFlowReturn flow = GST_FLOW_OK;
    Enc e;

    enc_init (&e, 1, i % 2 ? "threads=1" : "threads=2");
    enc_start (&e, 0, &s);
    switch (i) {
      case 0: /* caps change before the first samples: taken */
        gst_pad_push_event (e.src[0], gst_event_new_caps (other.caps));
        fail_unless_equals_int (enc_push (&e, 0, &other, 0, 100, 10),
            GST_FLOW_OK);
        break;
      case 1: /* and after */
        enc_push (&e, 0, &s, 0, 100, 10);
        gst_pad_push_event (e.src[0], gst_event_new_caps (other.caps));
        break;
      case 2:
        gst_segment_init (&segment, GST_FORMAT_BYTES);
        gst_pad_push_event (e.src[0], gst_event_new_segment (&segment));
        break;
      case 3: /* back in time */
        enc_push (&e, 0, &s, 1000, 2000, 100);
        flow = enc_push (&e, 0, &s, 0, 100, 100);
        break;
      case 4: /* half a sample */
        buffer = make_buffer (&s, 0, 10);
        gst_buffer_set_size (buffer, 17);
        gst_pad_push (e.src[0], buffer);
        break;
      case 5:
        enc_push (&e, 0, &s, 0, 3000, 1000);
        break;
    }
    if (i != 0 && i != 5) {
      gint tries;

      for (tries = 0; tries < 5000 && !pop_error (e.bus, &domain, &code);
           tries++)
        g_usleep (1000);
      fail_unless (tries < 5000, "case %u", i);
      fail_unless (domain == (i == 1 ? GST_CORE_ERROR : GST_STREAM_ERROR),
          "case %u", i);
      for (tries = 0; tries < 5000 && flow == GST_FLOW_OK; tries++) {
        flow = gst_pad_push (e.src[0], make_buffer (&s, 2500, 10));
        g_usleep (1000);
      }
      fail_unless (flow == GST_FLOW_ERROR
          || (i == 1 && flow == GST_FLOW_NOT_NEGOTIATED));
      gst_pad_push_event (e.src[0], gst_event_new_eos ());
      fail_if (e.eos);
      fail_if (pop_error (e.bus, &domain, &code), "case %u: twice", i);
    }
    enc_clear (&e);
  }
  signal_clear (&s);
  signal_clear (&other);
}
GST_END_TEST;

/* A source that announces its end, and stops before it: no final mark. */
GST_START_TEST (test_incomplete)
{
  guint lengths[2], i;
  Signal s;

  signal_init (&s, GST_EEG_FORMAT_S16LE, 250, 1, 3, 3000, KIND_WALK);
  for (i = 0; i < 2; i++) {
    Enc e;
    Dec d;

    enc_init (&e, 1, "threads=1");
    e.completes = TRUE;
    enc_start (&e, 0, &s);
    enc_push (&e, 0, &s, 0, 3000, 1000);
    if (i == 1)
      gst_pad_push_event (e.src[0], gst_eeg_event_new_complete (3000));
    gst_pad_push_event (e.src[0], gst_event_new_eos ());
    wait_eos (&e);
    lengths[i] = e.bytes->len;
    /* all samples are there */
    dec_init (&d, &s, 1, i == 0, 1);
    dec_push_all (&d, e.bytes->data, e.bytes->len, 100);
    fail_unless (dec_is_done (&d));
    compare (&d, &s, 1);
    dec_clear (&d);
    enc_clear (&e);
  }
  fail_unless (lengths[0] + EEG_EEGPACK_END_SIZE < lengths[1]);
  signal_clear (&s);
}
GST_END_TEST;

/* --- live ---------------------------------------------------------------- */

GST_START_TEST (test_live)
{
  GstQuery *query = gst_query_new_latency ();
  GstClockTime min, max;
  gboolean live;
  guint length;
  Signal s;
  Enc e;

  signal_init (&s, GST_EEG_FORMAT_S24LE, 250, 1, 8, 3000, KIND_WALK);
  enc_init (&e, 1, "threads=1");
  e.latency = 20 * GST_MSECOND;
  fail_unless (gst_pad_peer_query (e.sink, query));
  gst_query_parse_latency (query, &live, &min, &max);
  fail_unless (live);
  fail_unless_equals_uint64 (min, GST_SECOND + 20 * GST_MSECOND);
  gst_query_unref (query);
  enc_start (&e, 0, &s);
  enc_push (&e, 0, &s, 0, 249, 10);
  length = e.bytes->len;
  /* the header alone, then with the 250th sample a block: by this thread */
  fail_unless_equals_int (e.buffers, 1);
  enc_push (&e, 0, &s, 249, 250, 10);
  fail_unless_equals_int (e.buffers, 2);
  fail_unless (e.bytes->len > length);
  enc_push (&e, 0, &s, 250, 750, 10);
  fail_unless_equals_int (e.buffers, 4);
  enc_push (&e, 0, &s, 750, 3000, 10);
  gst_pad_push_event (e.src[0], gst_event_new_eos ());
  wait_eos (&e);
  check_file (e.bytes, &s, 1, 5000, 1);
  enc_clear (&e);
  signal_clear (&s);
}
GST_END_TEST;

GST_START_TEST (test_effort_is_hot)
{
  guint sizes[3], i;
  Signal s;

  signal_init (&s, GST_EEG_FORMAT_S24LE, 1000, 1, 12, 24000, KIND_WALK);
  for (i = 0; i < 3; i++) {
    guint before;
    Enc e;

    enc_init (&e, 1, "threads=1 effort=fast block-duration=8000000000");
    enc_start (&e, 0, &s);
    enc_push (&e, 0, &s, 0, 8000, 1000);
    before = e.bytes->len;
    gst_util_set_object_arg (G_OBJECT (e.element), "effort", efforts[i]);
    enc_push (&e, 0, &s, 8000, 24000, 1000);
    sizes[i] = e.bytes->len - before;
    gst_pad_push_event (e.src[0], gst_event_new_eos ());
    check_file (e.bytes, &s, 1, 5000, 1);
    enc_clear (&e);
  }
  fail_unless (sizes[0] > sizes[1] && sizes[1] >= sizes[2], "%u %u %u",
      sizes[0], sizes[1], sizes[2]);
  signal_clear (&s);
}
GST_END_TEST;

/* The bound of estimate() is that of the rings: what the pool held at most is
 * within it, and it is known as soon as caps are. */
GST_START_TEST (test_estimate)
{
  GstEegEstimate estimate;
  GstEegStage *stage;
  guint64 before;
  Signal s;
  Enc e;

  signal_init (&s, GST_EEG_FORMAT_S24LE, 250, 1, 64, 30000, KIND_WALK);
  enc_init (&e, 1, "threads=2");
  stage = GST_EEG_STAGE (e.element);
  fail_unless (gst_eeg_stage_estimate (stage, 1000, &estimate));
  before = estimate.memory_bytes;
  enc_start (&e, 0, &s);
  fail_unless (gst_eeg_stage_estimate (stage, 1000, &estimate));
  fail_unless (estimate.memory_bytes > before);
  /* six slots of a block and its worst case, three contexts, a block that is
   * being filled */
  fail_unless_equals_uint64 (estimate.memory_bytes - before,
      6
              * (8192 * 64 * 3 + EEG_EEGPACK_DATA_OVERHEAD
                  + eeg_eegpack_bound (EEG_EEGPACK_S24, 64, 8192))
          + 3 * eeg_eegpack_encoder_memory (EEG_EEGPACK_S24, 64, 8192)
          + 8192 * 64 * 3);
  enc_push_all (&e, &s, 3000);
  wait_eos (&e);
  fail_unless (gst_eeg_stage_estimate (stage, 1000000, &estimate));
  fail_unless (estimate.output_bytes < 1000000);
  enc_clear (&e);
  signal_clear (&s);
}
GST_END_TEST;

/* --- damage -------------------------------------------------------------- */

static GByteArray *
make_small (Signal *s)
{
  signal_init (&s[0], GST_EEG_FORMAT_S16LE, 250, 1, 2, 240, KIND_WALK);
  signal_init (&s[1], GST_EEG_FORMAT_S16LE, 125, 1, 1, 120, KIND_WALK);
  return encode (s, 2, "threads=1 block-duration=160000000", 50);
}

/* What comes out of a file that may be damaged: never a wrong sample; without
 * salvage, and with a damaged header, one error. */
static guint
check_damaged (const guint8 *data, gsize size, const Signal *s,
    gboolean salvage)
{
  GQuark domain = 0;
  guint errors = 0, i, there = 0;
  gint code = 0;
  guint64 t;
  Dec d;

  dec_init (&d, s, 2, salvage, 1);
  dec_push_all (&d, data, size, 97);
  while (pop_error (d.bus, &domain, &code)) {
    errors++;
    fail_unless (domain == GST_STREAM_ERROR);
    fail_unless_equals_int (code, GST_STREAM_ERROR_DECODE);
  }
  fail_unless (errors <= 1);
  fail_unless_equals_int (d.wrong, 0);
  fail_unless (errors > 0 || dec_is_done (&d));
  fail_if (errors > 0 && d.n > 0 && d.out[0].eos);
  for (i = 0; i < 2; i++)
    for (t = 0; t < s[i].frames; t++)
      there += d.out[i].there[t];
  dec_clear (&d);
  return errors > 0 && !salvage ? G_MAXUINT : there;
}

GST_START_TEST (test_flipped)
{
  Signal s[2];
  GByteArray *file = make_small (s);
  eeg_eegpack_chunk header;
  guint i, worst = G_MAXUINT;

  fail_unless (eeg_eegpack_get_chunk (file->data + 8, file->len - 8, 0, &header)
      == EEG_EEGPACK_OK);
  for (i = 0; i < file->len; i++) {
    static const guint8 masks[] = { 1, 0x80, 0xff };
    guint8 mask = masks[i % 3];
    guint there;

    file->data[i] ^= mask;
    fail_unless (check_damaged (file->data, file->len, s, FALSE) == G_MAXUINT,
        "byte %u", i);
    there = check_damaged (file->data, file->len, s, TRUE);
    file->data[i] ^= mask;
    /* with a good header, at most one block is missing: 40 frames */
    if (i < 8 || i >= 8 + header.size) {
      fail_unless (there >= 360 - 40, "byte %u: %u frames", i, there);
      worst = MIN (worst, there);
    }
  }
  fail_unless_equals_int (worst, 360 - 40);
  g_byte_array_unref (file);
  signal_clear (&s[0]);
  signal_clear (&s[1]);
}
GST_END_TEST;

GST_START_TEST (test_cut)
{
  Signal s[2];
  GByteArray *file = make_small (s);
  guint i, there = 0;

  for (i = 0; i < file->len; i++) {
    guint now;

    fail_unless (check_damaged (file->data, i, s, FALSE) == G_MAXUINT,
        "cut at %u", i);
    now = check_damaged (file->data, i, s, TRUE);
    fail_unless (now >= there);
    there = now;
  }
  fail_unless_equals_int (there, 360);
  fail_unless_equals_int (check_damaged (file->data, file->len, s, FALSE), 360);
  /* something behind the end */
  g_byte_array_append (file, (const guint8 *) "x", 1);
  fail_unless (check_damaged (file->data, file->len, s, FALSE) == G_MAXUINT);
  fail_unless_equals_int (check_damaged (file->data, file->len, s, TRUE), 360);
  g_byte_array_unref (file);
  signal_clear (&s[0]);
  signal_clear (&s[1]);
}
GST_END_TEST;

/* A stretch in the middle is gone: GAP, DISCONT and the count of what is
 * lost */
GST_START_TEST (test_salvage)
{
  GstStructure *stats = NULL;
  GByteArray *file;
  guint64 lost = 0, t, missing = 0;
  GstMessage *message;
  guint messages = 0;
  Signal s;
  Dec d;

  signal_init (&s, GST_EEG_FORMAT_S16LE, 250, 1, 3, 10000, KIND_WALK);
  file = encode (&s, 1, "threads=1 block-duration=2000000000", 1000);
  memset (file->data + file->len / 3, 0xb5, file->len / 5);
  dec_init (&d, &s, 1, TRUE, 3);
  dec_push_all (&d, file->data, file->len, 2000);
  while (!dec_is_done (&d))
    g_usleep (1000);
  fail_unless_equals_int (d.wrong, 0);
  for (t = 0; t < s.frames; t++)
    missing += d.out[0].there[t] == 0;
  fail_unless (missing > 500 && missing < 4500);
  fail_unless_equals_int (d.out[0].disconts, 2);
  fail_unless (d.out[0].gap_end > 0 && d.out[0].there[d.out[0].gap_end] == 1);
  g_object_get (d.element, "stats", &stats, NULL);
  gst_structure_get_uint64 (stats, "lost", &lost);
  fail_unless_equals_uint64 (lost, missing);
  gst_structure_free (stats);
  while ((message = gst_bus_pop_filtered (d.bus, GST_MESSAGE_ELEMENT))) {
    messages += gst_message_has_name (message, "eeg-salvage");
    gst_message_unref (message);
  }
  fail_unless (messages > 0);
  dec_clear (&d);
  g_byte_array_unref (file);
  signal_clear (&s);
}
GST_END_TEST;

/* --- seeking ------------------------------------------------------------- */

static void
link_out (GstElement *element, GstPad *pad, gpointer user_data)
{
  dec_pad_added (element, pad, user_data);
}

GST_START_TEST (test_seek)
{
  gchar *folder = g_dir_make_tmp ("eegpack-XXXXXX", NULL);
  gchar *path = g_build_filename (folder, "a.eegpack", NULL);
  Signal s[2];
  GByteArray *file;
  guint round, i;

  signal_init (&s[0], GST_EEG_FORMAT_S16LE, 250, 1, 3, 60000, KIND_WALK);
  signal_init (&s[1], GST_EEG_FORMAT_S16LE, 10, 1, 1, 2400, KIND_WALK);
  s[0].n_lost = 1;
  s[0].lost[0][0] = 20000;
  s[0].lost[0][1] = 24000;
  file = encode (s, 2, "threads=2 block-duration=4000000000", 5000);
  fail_unless (
      g_file_set_contents (path, (gchar *) file->data, file->len, NULL));
  /* with the index of the file, and without: then only back */
  for (round = 0; round < 2; round++) {
    static const GstClockTime times[] = { 200 * GST_SECOND, 0,
      81 * GST_SECOND + 4 * GST_MSECOND, 90 * GST_SECOND, 100 * GST_MSECOND,
      239 * GST_SECOND + 999 * GST_MSECOND };
    GstElement *pipeline, *dec;
    GError *error = NULL;
    gchar *line = g_strdup_printf ("filesrc location=%s blocksize=3000 ! %s "
                                   "eegpackdec name=d threads=%u",
        path, round == 0 ? "" : "queue !", round + 1);
    gint64 duration = 0;
    Dec d;

    out_init (&d, s, 2);
    pipeline = gst_parse_launch (line, &error);
    fail_unless (error == NULL);
    g_free (line);
    dec = gst_bin_get_by_name (GST_BIN (pipeline), "d");
    g_signal_connect (dec, "pad-added", G_CALLBACK (link_out), &d);
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    while (!dec_is_done (&d))
      g_usleep (1000);
    fail_unless_equals_int (d.n, 2);
    fail_unless (
        gst_pad_peer_query_duration (d.out[0].pad, GST_FORMAT_TIME, &duration)
        == (round == 0));
    if (round == 0)
      fail_unless_equals_uint64 (duration, 240 * GST_SECOND);
    for (i = 0; i < G_N_ELEMENTS (times); i++) {
      guint64 begin[2], t;
      guint k;

      for (k = 0; k < 2; k++) {
        memset (d.out[k].there, 0, s[k].frames);
        d.out[k].eos = FALSE;
        g_ptr_array_set_size (d.out[k].markers, 0);
        begin[k] = gst_eeg_info_time_to_samples (&s[k].info, times[i]);
      }
      fail_unless (gst_pad_push_event (d.out[i % 2].pad,
          gst_event_new_seek (1.0, GST_FORMAT_TIME,
              GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE, GST_SEEK_TYPE_SET,
              times[i], GST_SEEK_TYPE_SET,
              i == 4 ? (gint64) (150 * GST_SECOND) : -1)));
      while (!dec_is_done (&d))
        g_usleep (1000);
      fail_unless_equals_int (d.wrong, 0);
      for (k = 0; k < 2; k++) {
        fail_unless_equals_uint64 (d.out[k].segment.start, times[i]);
        for (t = 0; t < s[k].frames; t++) {
          gboolean wanted = t >= begin[k] && !is_lost (&s[k], t)
              && (i != 4
                  || gst_eeg_info_samples_to_time (&s[k].info, t)
                      < 150 * GST_SECOND);

          if (d.out[k].there[t] != wanted)
            break;
        }
        fail_unless (t == s[k].frames, "round %u, seek %u, stream %u, frame %d",
            round, i, k, (gint) t);
      }
    }
    gst_element_set_state (pipeline, GST_STATE_NULL);
    gst_object_unref (dec);
    gst_object_unref (pipeline);
    out_clear (&d);
  }
  g_byte_array_unref (file);
  signal_clear (&s[0]);
  signal_clear (&s[1]);
  g_unlink (path);
  g_rmdir (folder);
  g_free (path);
  g_free (folder);
}
GST_END_TEST;

/* --- recording ----------------------------------------------------------- */

GST_START_TEST (test_recording)
{
  GValue array = G_VALUE_INIT, text = G_VALUE_INIT;
  GstStructure *fields = gst_structure_new ("any", GST_EEG_RECORDING_PATIENT,
      G_TYPE_STRING, "X M\xc3\xbcller", GST_EEG_RECORDING_RECORDING,
      G_TYPE_STRING, "", GST_EEG_RECORDING_START_TIME, G_TYPE_INT64,
      G_GINT64_CONSTANT (-1234567890123456789), NULL);
  GstEvent *event, *other;
  const GValue *found;
  gint64 start = 0;
  guint i;
  Signal s;
  Enc e;
  Dec d;

  g_value_init (&array, GST_TYPE_ARRAY);
  g_value_init (&text, G_TYPE_STRING);
  for (i = 0; i < 3; i++) {
    g_value_set_string (&text, i == 1 ? "HP:0.1Hz" : "");
    gst_value_array_append_value (&array, &text);
  }
  gst_structure_set_value (fields, GST_EEG_RECORDING_PREFILTER, &array);
  event = gst_eeg_event_new_recording (fields);
  signal_init (&s, GST_EEG_FORMAT_S16LE, 250, 1, 3, 700, KIND_WALK);
  enc_init (&e, 1, "threads=1");
  enc_start (&e, 0, &s);
  gst_pad_push_event (e.src[0], gst_event_ref (event));
  enc_push (&e, 0, &s, 0, 500, 100);
  /* a filter that changes is told by a marker */
  g_value_unset (&array);
  g_value_init (&array, GST_TYPE_ARRAY);
  for (i = 0; i < 3; i++) {
    g_value_set_string (&text, "LP:40Hz");
    gst_value_array_append_value (&array, &text);
  }
  fields = gst_structure_copy (gst_event_get_structure (event));
  gst_structure_set_value (fields, GST_EEG_RECORDING_PREFILTER, &array);
  other = gst_eeg_event_new_recording (fields);
  gst_pad_push_event (e.src[0], other);
  enc_push (&e, 0, &s, 500, 700, 100);
  gst_pad_push_event (e.src[0], gst_event_new_eos ());
  wait_eos (&e);

  dec_init (&d, &s, 1, FALSE, 1);
  dec_push_all (&d, e.bytes->data, e.bytes->len, 300);
  fail_unless (dec_is_done (&d));
  fail_unless (d.out[0].recording != NULL);
  fail_unless_equals_string (gst_structure_get_string (d.out[0].recording,
                                 GST_EEG_RECORDING_PATIENT),
      "X M\xc3\xbcller");
  fail_unless_equals_string (gst_structure_get_string (d.out[0].recording,
                                 GST_EEG_RECORDING_RECORDING),
      "");
  fail_unless (gst_structure_get_int64 (d.out[0].recording,
      GST_EEG_RECORDING_START_TIME, &start));
  fail_unless (start == G_GINT64_CONSTANT (-1234567890123456789));
  found =
      gst_structure_get_value (d.out[0].recording, GST_EEG_RECORDING_PREFILTER);
  fail_unless (found != NULL);
  fail_unless (gst_value_compare (found,
                   gst_structure_get_value (gst_event_get_structure (event),
                       GST_EEG_RECORDING_PREFILTER))
      == GST_VALUE_EQUAL);
  fail_unless_equals_int (d.out[0].markers->len, 2);
  fail_unless_equals_string (g_ptr_array_index (d.out[0].markers, 1),
      "2000000000 -1 Prefilter: LP:40Hz");
  dec_clear (&d);
  enc_clear (&e);
  gst_event_unref (event);
  g_value_unset (&array);
  g_value_unset (&text);
  signal_clear (&s);
}
GST_END_TEST;

static void
count_bytes (GstElement *sink, GstBuffer *buffer, GstPad *pad, gint *bytes)
{
  g_atomic_int_add (bytes, (gint) gst_buffer_get_size (buffer));
}

static void
link_to_sink (GstElement *bin, GstPad *pad, gpointer user_data)
{
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);
  GstPad *peer;

  g_atomic_int_inc ((gint *) user_data);
  g_object_set (sink, "signal-handoffs", TRUE, "sync", FALSE, NULL);
  gst_bin_add (GST_BIN (GST_ELEMENT_PARENT (bin)), sink);
  gst_element_sync_state_with_parent (sink);
  peer = gst_element_get_static_pad (sink, "sink");
  g_signal_connect_data (sink, "handoff", G_CALLBACK (count_bytes),
      g_object_get_data (G_OBJECT (bin), "bytes"), NULL, 0);
  fail_unless (gst_pad_link (pad, peer) == GST_PAD_LINK_OK);
  gst_object_unref (peer);
}

/* decodebin finds the decoder by the file's first bytes, and all its
 * streams. */
GST_START_TEST (test_decodebin)
{
  static const gchar *const sources[] = { "filesrc", "pushfilesrc" };
  GByteArray *bytes;
  gchar *path = NULL;
  Signal s[2];
  gint fd;
  guint i;

  if (!gst_registry_check_feature_version (gst_registry_get (), "decodebin", 1,
          0, 0))
    return;
  bytes = make_small (s);
  fd = g_file_open_tmp ("eegpack-XXXXXX.dat", &path, NULL);
  fail_unless (fd >= 0);
  close (fd);
  fail_unless (g_file_set_contents (path, (const gchar *) bytes->data,
      bytes->len, NULL));
  for (i = 0; i < G_N_ELEMENTS (sources); i++) {
    gchar *launch = g_strdup_printf ("%s location=%s ! decodebin name=bin "
                                     "caps=application/x-eeg-raw",
        sources[i], path);
    GError *error = NULL;
    GstElement *pipeline = gst_parse_launch (launch, &error), *bin;
    GstMessage *message;
    gint pads = 0, there = 0;
    GstBus *bus;

    g_free (launch);
    if (error != NULL) {
      /* pushfilesrc is of a plugin that may be missing */
      g_clear_error (&error);
      gst_clear_object (&pipeline);
      continue;
    }
    bin = gst_bin_get_by_name (GST_BIN (pipeline), "bin");
    g_object_set_data (G_OBJECT (bin), "bytes", &there);
    g_signal_connect (bin, "pad-added", G_CALLBACK (link_to_sink), &pads);
    bus = gst_element_get_bus (pipeline);
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    message = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND,
        GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    fail_unless (
        message != NULL && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS);
    fail_unless_equals_int (pads, 2);
    fail_unless_equals_int (there,
        240 * s[0].info.bytes_per_frame + 120 * s[1].info.bytes_per_frame);
    gst_message_unref (message);
    gst_element_set_state (pipeline, GST_STATE_NULL);
    gst_object_unref (bus);
    gst_object_unref (bin);
    gst_object_unref (pipeline);
  }
  g_unlink (path);
  g_free (path);
  g_byte_array_unref (bytes);
  signal_clear (&s[0]);
  signal_clear (&s[1]);
}
GST_END_TEST;

static Suite *
eegpack_suite (void)
{
  Suite *s = suite_create ("eegpack");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_round_trip, 0, 12);
  tcase_add_test (tc, test_sizes);
  tcase_add_test (tc, test_splits_and_threads);
  tcase_add_test (tc, test_streams);
  tcase_add_test (tc, test_gaps);
  tcase_add_test (tc, test_flush);
  tcase_add_test (tc, test_flush_one);
  tcase_add_test (tc, test_eos);
  tcase_add_test (tc, test_stop);
  tcase_add_test (tc, test_refused);
  tcase_add_test (tc, test_incomplete);
  tcase_add_test (tc, test_live);
  tcase_add_test (tc, test_effort_is_hot);
  tcase_add_test (tc, test_estimate);
  tcase_add_test (tc, test_flipped);
  tcase_add_test (tc, test_cut);
  tcase_add_test (tc, test_salvage);
  tcase_add_test (tc, test_seek);
  tcase_add_test (tc, test_recording);
  tcase_add_test (tc, test_decodebin);
  return s;
}

GST_CHECK_MAIN (eegpack);
