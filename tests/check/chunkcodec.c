/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The chunk engine with codecs made for the test: frames, cells of fixed size
 * with a final mark, one sequential stream, and their decoders. */
#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/eeg/eeg.h>

#include <glib/gstdio.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Check notes every fail_unless() in a file; what runs for each byte or job
 * only does so when it fails. */
#define quick_unless(expression)                                               \
  do {                                                                         \
    if (G_UNLIKELY (!(expression)))                                            \
      fail_unless (FALSE, #expression);                                        \
  } while (0)

/* What the test codecs do wrong, and how long they take. */
static gint fail_at_job = -1;
static gint max_delay_us;
static gint live_workers; /* contexts that exist */

#define FRAME_MAX (1 << 20)
#define STREAM_FROM 40000 /* frames from here on are decoded by stream() */
#define FRAME_KEY 0x5a
#define CELL_SIZE 100
#define CELL_HEADER 10
#define CELL_BATCH 8

typedef struct
{
  GstEegChunkCodec parent;

  gsize chunk_size;
  guint64 next_cell;
  guint streams; /* stands for the randomness of a header */
  guint jobs;
  guint trailers;
  guint resets;
  guint8 sum; /* of the sequential codec */
  guint64 trailer_bytes;

  /* decoders */
  gboolean got_header;
  gboolean got_last;
  gsize stream_left;
  gboolean stream_in_frame;
} TestCodec;

typedef struct
{
  GstEegChunkCodecClass parent_class;
} TestCodecClass;

static void
pause_at_random (void)
{
  gint delay = g_atomic_int_get (&max_delay_us);

  if (delay > 0)
    g_usleep (g_random_int_range (0, delay + 1));
  else if (delay < 0)
    g_usleep ((gulong) -delay);
}

static guint8
sum_of (const guint8 *data, gsize size)
{
  guint8 sum = 0;

  while (size-- > 0)
    sum = (guint8) (sum * 31 + *data++);
  return sum;
}

static gpointer
test_worker_new (GstEegChunkCodec *codec, GError **error)
{
  g_atomic_int_inc (&live_workers);
  return g_new0 (guint, 1);
}

static void
test_worker_free (GstEegChunkCodec *codec, gpointer worker)
{
  g_atomic_int_add (&live_workers, -1);
  g_free (worker);
}

/* Frames: u32 size, data ^ key, sum */

static gsize
frame_capacity (GstEegChunkCodec *codec)
{
  return ((TestCodec *) codec)->chunk_size;
}

static gsize
frame_bound (GstEegChunkCodec *codec, gsize size)
{
  return size + 5;
}

static void
frame_limits (GstEegChunkCodec *codec, GstEegChunkLimits *limits)
{
  limits->max_input = ((TestCodec *) codec)->chunk_size;
  limits->max_output = limits->max_input + 5;
  limits->context_bytes = sizeof (guint);
}

static gboolean
frame_prepare (GstEegChunkCodec *codec, GstEegChunkJob *job, GError **error)
{
  job->values[0] = ((TestCodec *) codec)->jobs++;
  return TRUE;
}

static void
write_frame (guint8 *out, const guint8 *data, gsize size)
{
  gsize i;

  GST_WRITE_UINT32_LE (out, (guint32) size);
  for (i = 0; i < size; i++)
    out[4 + i] = data[i] ^ FRAME_KEY;
  out[4 + size] = sum_of (data, size);
}

static gboolean
frame_encode (GstEegChunkCodec *codec, gpointer worker, GstEegChunkJob *job,
    GError **error)
{
  guint *busy = worker;

  quick_unless (*busy == 0); /* a context belongs to one thread */
  *busy = 1;
  pause_at_random ();
  *busy = 0;
  if ((gint) job->values[0] == fail_at_job) {
    g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_ENCODE, "job %d",
        (gint) job->values[0]);
    return FALSE;
  }
  quick_unless (job->out_capacity >= job->size + 5);
  write_frame (job->out, job->data, job->size);
  job->out_size = job->size + 5;
  return TRUE;
}

static void
test_reset (GstEegChunkCodec *codec)
{
  TestCodec *self = (TestCodec *) codec;

  self->resets++;
  self->next_cell = 0;
  self->got_header = self->got_last = FALSE;
  self->stream_left = 0;
  self->stream_in_frame = FALSE;
  self->sum = 0;
}

/* The trailer counts the bytes that were emitted, in order. */
static gboolean
frame_emit (GstEegChunkCodec *codec, GstEegChunkJob *job, GstBuffer **buffer,
    GError **error)
{
  TestCodec *self = (TestCodec *) codec;

  quick_unless (job->offset == self->trailer_bytes);
  self->trailer_bytes += job->size;
  return TRUE;
}

static gboolean
frame_begin (GstEegChunkCodec *codec, GstBuffer **header, GError **error)
{
  ((TestCodec *) codec)->trailer_bytes = 0;
  return TRUE;
}

static gboolean
frame_finish (GstEegChunkCodec *codec, GstBuffer **trailer, GError **error)
{
  ((TestCodec *) codec)->trailers++;
  return TRUE;
}

static GstEegChunkParse
frame_parse (GstEegChunkCodec *codec, const guint8 *data, gsize size,
    gboolean eos, GstEegChunkUnit *unit, GError **error)
{
  TestCodec *self = (TestCodec *) codec;
  gsize n;

  if (size == 0)
    return GST_EEG_CHUNK_PARSE_MORE;
  if (size < 4) {
    unit->size = 4;
    return GST_EEG_CHUNK_PARSE_MORE;
  }
  n = GST_READ_UINT32_LE (data);
  if (n == 0xfffffffe) { /* a skippable frame of 8 + n bytes */
    if (size < 8) {
      unit->size = 8;
      return GST_EEG_CHUNK_PARSE_MORE;
    }
    unit->size = 8ull + GST_READ_UINT32_LE (data + 4);
    return GST_EEG_CHUNK_PARSE_SKIP;
  }
  if (n > FRAME_MAX) {
    if (gst_eeg_chunk_codec_get_salvage (codec)) {
      unit->size = 1;
      return GST_EEG_CHUNK_PARSE_LOST;
    }
    g_set_error_literal (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE,
        "bad size");
    return GST_EEG_CHUNK_PARSE_ERROR;
  }
  if (n >= STREAM_FROM) {
    return GST_EEG_CHUNK_PARSE_STREAM;
  }
  unit->size = n + 5;
  unit->out_size = n;
  if (size < n + 5) {
    return GST_EEG_CHUNK_PARSE_MORE;
  }
  self->jobs++;
  return GST_EEG_CHUNK_PARSE_JOB;
}

static gboolean
frame_decode (GstEegChunkCodec *codec, gpointer worker, GstEegChunkJob *job,
    GError **error)
{
  gsize n = GST_READ_UINT32_LE (job->data), i;

  fail_unless (job->size == n + 5 && job->out_capacity == n);
  pause_at_random ();
  for (i = 0; i < n; i++)
    job->out[i] = job->data[4 + i] ^ FRAME_KEY;
  if (sum_of (job->out, n) != job->data[4 + n]) {
    g_set_error_literal (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE,
        "bad sum");
    return FALSE;
  }
  job->out_size = n;
  return TRUE;
}

static GstEegChunkStream
frame_stream (GstEegChunkCodec *codec, const guint8 *data, gsize size,
    gsize *consumed, guint8 *out, gsize out_capacity, gsize *produced,
    GError **error)
{
  TestCodec *self = (TestCodec *) codec;
  gsize n, i;

  if (!self->stream_in_frame) {
    fail_unless (size >= 4); /* parse saw them */
    self->stream_left = GST_READ_UINT32_LE (data);
    self->stream_in_frame = TRUE;
    *consumed = 4;
    return GST_EEG_CHUNK_STREAM_MORE;
  }
  if (self->stream_left == 0) {
    if (size == 0)
      return GST_EEG_CHUNK_STREAM_MORE;
    *consumed = 1;
    self->stream_in_frame = FALSE;
    return GST_EEG_CHUNK_STREAM_END;
  }
  n = MIN (MIN (size, out_capacity), self->stream_left);
  for (i = 0; i < n; i++)
    out[i] = data[i] ^ FRAME_KEY;
  *consumed = *produced = n;
  self->stream_left -= n;
  return GST_EEG_CHUNK_STREAM_MORE;
}

/* Cells: header of 10 bytes with the number of the stream; each cell is
 * u8 last, u32 index, data; the first one is shorter by the header. */

static gsize
cells_before (TestCodec *self, guint64 cells)
{
  return cells == 0 ? 0 : (gsize) cells * (CELL_SIZE - 5) - CELL_HEADER;
}

static gsize
cell_capacity (GstEegChunkCodec *codec)
{
  TestCodec *self = (TestCodec *) codec;

  return cells_before (self, self->next_cell + CELL_BATCH)
      - cells_before (self, self->next_cell);
}

static gsize
cell_cut (GstEegChunkCodec *codec, gsize size)
{
  TestCodec *self = (TestCodec *) codec;
  gsize before = cells_before (self, self->next_cell);
  gsize whole = (before + size + CELL_HEADER) / (CELL_SIZE - 5);

  return cells_before (self, MAX (whole, self->next_cell)) - before;
}

static gsize
cell_bound (GstEegChunkCodec *codec, gsize size)
{
  return CELL_BATCH * CELL_SIZE;
}

static void
cell_limits (GstEegChunkCodec *codec, GstEegChunkLimits *limits)
{
  limits->max_input = limits->max_output = CELL_BATCH * CELL_SIZE;
}

static gboolean
cell_begin (GstEegChunkCodec *codec, GstBuffer **header, GError **error)
{
  TestCodec *self = (TestCodec *) codec;
  gchar *text = g_strdup_printf ("cells %03u\n", self->streams++);

  fail_unless (strlen (text) == CELL_HEADER);
  *header = gst_buffer_new_wrapped (text, CELL_HEADER);
  self->next_cell = 0;
  return TRUE;
}

static gboolean
cell_prepare (GstEegChunkCodec *codec, GstEegChunkJob *job, GError **error)
{
  TestCodec *self = (TestCodec *) codec;
  gsize end = cells_before (self, self->next_cell) + job->size;

  job->values[0] = self->jobs++;
  job->values[1] = self->next_cell;
  self->next_cell =
      MAX ((end + CELL_HEADER + CELL_SIZE - 6) / (CELL_SIZE - 5), 1);
  return TRUE;
}

static gsize
write_cells (guint8 *out, const guint8 *data, gsize size, guint64 index,
    gboolean last)
{
  guint8 *start = out;

  do {
    gsize n = CELL_SIZE - 5 - (index == 0 ? CELL_HEADER : 0);

    n = MIN (n, size);
    out[0] = last && n == size;
    GST_WRITE_UINT32_BE (out + 1, (guint32) index);
    if (n > 0)
      memcpy (out + 5, data, n);
    out += n + 5;
    data += n;
    size -= n;
    index++;
  } while (size > 0);
  return (gsize) (out - start);
}

static gboolean
cell_encode (GstEegChunkCodec *codec, gpointer worker, GstEegChunkJob *job,
    GError **error)
{
  pause_at_random ();
  if ((gint) job->values[0] == fail_at_job) {
    g_set_error_literal (error, GST_STREAM_ERROR, GST_STREAM_ERROR_ENCODE,
        "cells");
    return FALSE;
  }
  job->out_size =
      write_cells (job->out, job->data, job->size, job->values[1], job->last);
  return TRUE;
}

/* Sequential: each byte is the sum of all before it; the end is one 0xff. */

static gboolean
sequential_encode (GstEegChunkCodec *codec, gpointer worker,
    GstEegChunkJob *job, GError **error)
{
  TestCodec *self = (TestCodec *) codec;
  gsize i;

  pause_at_random ();
  for (i = 0; i < job->size; i++)
    job->out[i] = self->sum = (guint8) (self->sum + job->data[i]);
  job->out_size = job->size;
  if (job->last)
    job->out[job->out_size++] = 0xff;
  return TRUE;
}

#define TEST_CODEC_TYPE(Name, name)                                            \
  typedef TestCodec Test##Name;                                                \
  typedef TestCodecClass Test##Name##Class;                                    \
  static GType test_##name##_get_type (void);                                  \
  G_DEFINE_TYPE (Test##Name, test_##name, GST_TYPE_EEG_CHUNK_CODEC)            \
  static void test_##name##_init (Test##Name *self)                            \
  {                                                                            \
    self->chunk_size = 1000;                                                   \
  }

TEST_CODEC_TYPE (FrameEnc, frame_enc)
TEST_CODEC_TYPE (FrameDec, frame_dec)
TEST_CODEC_TYPE (CellEnc, cell_enc)
TEST_CODEC_TYPE (SequentialEnc, sequential_enc)

static void
init_class (gpointer klass, const gchar *sink_caps, const gchar *src_caps,
    GstEegStageKind kind)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstEegChunkCodecClass *codec_class = GST_EEG_CHUNK_CODEC_CLASS (klass);
  GstCaps *caps = gst_caps_from_string (sink_caps);

  gst_element_class_add_pad_template (element_class,
      gst_pad_template_new ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps));
  gst_caps_unref (caps);
  caps = gst_caps_from_string (src_caps);
  gst_element_class_add_pad_template (element_class,
      gst_pad_template_new ("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps));
  gst_caps_unref (caps);
  gst_element_class_set_static_metadata (element_class, "Test codec", "Codec",
      "For the test", "the test");
  codec_class->kind = kind;
  codec_class->media_type = "application/x-test";
  codec_class->worker_new = test_worker_new;
  codec_class->worker_free = test_worker_free;
  codec_class->reset = test_reset;
}

static void
test_frame_enc_class_init (TestCodecClass *klass)
{
  GstEegChunkCodecClass *codec_class = GST_EEG_CHUNK_CODEC_CLASS (klass);

  init_class (klass, "ANY", "application/x-test",
      GST_EEG_STAGE_KIND_COMPRESSION);
  codec_class->limits = frame_limits;
  codec_class->capacity = frame_capacity;
  codec_class->bound = frame_bound;
  codec_class->begin = frame_begin;
  codec_class->prepare = frame_prepare;
  codec_class->process = frame_encode;
  codec_class->emit = frame_emit;
  codec_class->finish = frame_finish;
}

static void
test_frame_dec_class_init (TestCodecClass *klass)
{
  GstEegChunkCodecClass *codec_class = GST_EEG_CHUNK_CODEC_CLASS (klass);

  init_class (klass, "application/x-test", "ANY",
      GST_EEG_STAGE_KIND_DECOMPRESSION);
  codec_class->parse = frame_parse;
  codec_class->process = frame_decode;
  codec_class->stream = frame_stream;
}

static void
test_cell_enc_class_init (TestCodecClass *klass)
{
  GstEegChunkCodecClass *codec_class = GST_EEG_CHUNK_CODEC_CLASS (klass);

  init_class (klass, "ANY", "application/x-test",
      GST_EEG_STAGE_KIND_ENCRYPTION);
  codec_class->hold_back = TRUE;
  codec_class->limits = cell_limits;
  codec_class->capacity = cell_capacity;
  codec_class->cut = cell_cut;
  codec_class->bound = cell_bound;
  codec_class->begin = cell_begin;
  codec_class->prepare = cell_prepare;
  codec_class->process = cell_encode;
}

static void
test_sequential_enc_class_init (TestCodecClass *klass)
{
  GstEegChunkCodecClass *codec_class = GST_EEG_CHUNK_CODEC_CLASS (klass);

  init_class (klass, "ANY", "application/x-test",
      GST_EEG_STAGE_KIND_COMPRESSION);
  codec_class->sequential = TRUE;
  codec_class->limits = frame_limits;
  codec_class->capacity = frame_capacity;
  codec_class->bound = frame_bound;
  codec_class->process = sequential_encode;
}

/* Helpers */

static guint8 *
make_data (gsize size)
{
  guint8 *data = g_malloc (size + 1);
  guint32 x = 12345;
  gsize i;

  for (i = 0; i < size; i++) {
    x = x * 1664525u + 1013904223u;
    data[i] = (guint8) (x >> 24);
  }
  return data;
}

static GByteArray *
expected_frames (const guint8 *data, gsize size, gsize chunk)
{
  GByteArray *out = g_byte_array_new ();
  gsize pos = 0;

  do {
    gsize n = MIN (chunk, size - pos), old = out->len;

    g_byte_array_set_size (out, (guint) (old + n + 5));
    write_frame (out->data + old, data + pos, n);
    pos += n;
  } while (pos < size);
  return out;
}

static GByteArray *
expected_cells (const guint8 *data, gsize size, guint stream)
{
  GByteArray *out = g_byte_array_new ();
  gchar *text = g_strdup_printf ("cells %03u\n", stream);
  gsize n;

  g_byte_array_append (out, (guint8 *) text, CELL_HEADER);
  g_free (text);
  g_byte_array_set_size (out,
      (guint) (CELL_HEADER + size + 5 * (size / 80 + 3)));
  n = write_cells (out->data + CELL_HEADER, data, size, 0, TRUE);
  g_byte_array_set_size (out, (guint) (CELL_HEADER + n));
  return out;
}

typedef enum
{
  SPLIT_WHOLE,
  SPLIT_BYTES,
  SPLIT_7,
  SPLIT_1000,
  SPLIT_RANDOM,
  SPLIT_MEMORIES,
  N_SPLITS
} Split;

static GstFlowReturn
push_split (GstHarness *h, const guint8 *data, gsize size, Split split)
{
  GstFlowReturn flow = GST_FLOW_OK;
  gsize pos = 0;

  while (pos < size && flow == GST_FLOW_OK) {
    GstBuffer *buffer;
    gsize n = size - pos;

    switch (split) {
      case SPLIT_BYTES:
        n = 1;
        break;
      case SPLIT_7:
        n = MIN (n, 7);
        break;
      case SPLIT_1000:
        n = MIN (n, 1000);
        break;
      case SPLIT_RANDOM:
        n = (gsize) g_random_int_range (1, (gint32) MIN (n, 5000) + 1);
        break;
      default:
        break;
    }
    if (split == SPLIT_MEMORIES) {
      gsize at = 0;

      buffer = gst_buffer_new ();
      n = MIN (n, 10000);
      while (at < n) {
        gsize m = MIN (n - at, 777);

        gst_buffer_append_memory (buffer,
            gst_memory_new_wrapped (GST_MEMORY_FLAG_READONLY,
                (gpointer) (data + pos + at), m, 0, m, NULL, NULL));
        at += m;
      }
    } else {
      buffer = gst_buffer_new_memdup (data + pos, n);
    }
    flow = gst_harness_push (h, buffer);
    pos += n;
  }
  return flow;
}

/* Takes all buffers until EOS comes out. */
static GByteArray *
pull_all (GstHarness *h)
{
  GByteArray *out = g_byte_array_new ();
  GstBuffer *buffer = NULL;

  while (gst_harness_pull_until_eos (h, &buffer) && buffer != NULL) {
    GstMapInfo map;

    quick_unless (GST_BUFFER_OFFSET (buffer) == out->len);
    quick_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
    g_byte_array_append (out, map.data, (guint) map.size);
    gst_buffer_unmap (buffer, &map);
    quick_unless (GST_BUFFER_OFFSET_END (buffer) == out->len);
    gst_buffer_unref (buffer);
    buffer = NULL;
  }
  return out;
}

/* What is there now. */
static GByteArray *
pull_available (GstHarness *h)
{
  GByteArray *out = g_byte_array_new ();
  GstBuffer *buffer;

  while ((buffer = gst_harness_try_pull (h)) != NULL) {
    GstMapInfo map;

    quick_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
    g_byte_array_append (out, map.data, (guint) map.size);
    gst_buffer_unmap (buffer, &map);
    gst_buffer_unref (buffer);
  }
  return out;
}

static void
assert_bytes (GByteArray *got, GByteArray *expected)
{
  fail_unless_equals_int (got->len, expected->len);
  fail_unless (
      got->len == 0 || memcmp (got->data, expected->data, got->len) == 0);
}

static GstHarness *
new_harness (GType type, guint threads)
{
  GstElement *element = g_object_new (type, "threads", threads, NULL);
  GstHarness *h;

  gst_object_ref_sink (element);
  h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  gst_harness_set_live (h, FALSE);
  return h;
}

static TestCodec *
codec_of (GstHarness *h)
{
  return (TestCodec *) h->element;
}

/* The harness itself would send a TIME segment. */
static void
set_caps (GstHarness *h, const gchar *caps_string)
{
  GstCaps *caps = gst_caps_from_string (caps_string);

  gst_pad_push_event (h->srcpad, gst_event_new_caps (caps));
  gst_caps_unref (caps);
}

static void
start_with_caps (GstHarness *h, const gchar *caps)
{
  GstSegment segment;

  set_caps (h, caps);
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  fail_unless (
      gst_pad_push_event (h->srcpad, gst_event_new_segment (&segment)));
}

static void
start_bytes (GstHarness *h)
{
  start_with_caps (h, "application/octet-stream");
}

static void
start_test_caps (GstHarness *h)
{
  start_with_caps (h, "application/x-test");
}

/* Takes buffers until @size bytes came. */
static GByteArray *
pull_bytes (GstHarness *h, gsize size)
{
  GByteArray *out = g_byte_array_new ();

  while (out->len < size) {
    GstBuffer *buffer = gst_harness_pull (h);
    GstMapInfo map;

    fail_unless (buffer != NULL);
    quick_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
    g_byte_array_append (out, map.data, (guint) map.size);
    gst_buffer_unmap (buffer, &map);
    gst_buffer_unref (buffer);
  }
  return out;
}

static guint64
get_stat (GstHarness *h, const gchar *name)
{
  GstStructure *stats;
  const GValue *value;
  guint64 n = 0;

  g_object_get (h->element, "stats", &stats, NULL);
  value = gst_structure_get_value (stats, name);
  fail_unless (value != NULL, "%s", name);
  n = G_VALUE_HOLDS_UINT (value) ? g_value_get_uint (value)
                                 : g_value_get_uint64 (value);
  gst_structure_free (stats);
  return n;
}

/* Takes the one error from the bus; there must be no second one. */
static void
assert_one_error (GstBus *bus, GQuark domain, gint code)
{
  GstMessage *message =
      gst_bus_timed_pop_filtered (bus, 10 * GST_SECOND, GST_MESSAGE_ERROR);
  GError *error;

  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, domain, code), "%s: %d %s",
      g_quark_to_string (error->domain), error->code, error->message);
  g_error_free (error);
  gst_message_unref (message);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message == NULL);
}

static GstBus *
add_bus (GstHarness *h)
{
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (h->element, bus);
  return bus;
}

static void
remove_bus (GstHarness *h, GstBus *bus)
{
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
}

static const guint thread_counts[] = { 1, 2, 3, 8 };

/* Tests */

GST_START_TEST (test_same_bytes)
{
  gsize size = 23456;
  guint8 *data = make_data (size);
  guint delay, t, split;

  for (delay = 0; delay < 2; delay++) {
    g_atomic_int_set (&max_delay_us, delay * 2000);
    for (t = 0; t < G_N_ELEMENTS (thread_counts); t++) {
      for (split = 0; split < N_SPLITS; split++) {
        GType types[3] = { test_frame_enc_get_type (),
          test_cell_enc_get_type (), test_sequential_enc_get_type () };
        guint i;

        for (i = 0; i < G_N_ELEMENTS (types); i++) {
          GstHarness *h = new_harness (types[i], thread_counts[t]);
          GByteArray *expected, *got;

          start_bytes (h);
          fail_unless_equals_int (push_split (h, data, size, split),
              GST_FLOW_OK);
          fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
          got = pull_all (h);
          if (i == 0) {
            expected = expected_frames (data, size, 1000);
            fail_unless_equals_int (codec_of (h)->trailers, 1);
          } else if (i == 1) {
            expected = expected_cells (data, size, 0);
          } else {
            guint8 sum = 0;
            gsize j;

            expected = g_byte_array_new ();
            for (j = 0; j < size; j++) {
              sum = (guint8) (sum + data[j]);
              g_byte_array_append (expected, &sum, 1);
            }
            sum = 0xff;
            g_byte_array_append (expected, &sum, 1);
          }
          assert_bytes (got, expected);
          fail_unless (get_stat (h, "bytes-in") == size);
          fail_unless (get_stat (h, "bytes-out") == got->len);
          g_byte_array_unref (got);
          g_byte_array_unref (expected);
          gst_harness_teardown (h);
        }
      }
    }
  }
  fail_unless_equals_int (g_atomic_int_get (&live_workers), 0);
  g_free (data);
}
GST_END_TEST;

/* Each length around the borders of cells and batches. */
GST_START_TEST (test_cell_lengths)
{
  guint8 *data = make_data (2000);
  gsize size;

  for (size = 0; size < 1700; size +=
       (size % 95 > 80 || size % 95 < 3 ? 1 : 11)) {
    GstHarness *h = new_harness (test_cell_enc_get_type (), 2);
    GByteArray *expected = expected_cells (data, size, 0), *got;

    start_bytes (h);
    push_split (h, data, size, size % 2 ? SPLIT_WHOLE : SPLIT_7);
    fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
    got = pull_all (h);
    assert_bytes (got, expected);
    g_byte_array_unref (got);
    g_byte_array_unref (expected);
    gst_harness_teardown (h);
  }
  g_free (data);
}
GST_END_TEST;

GST_START_TEST (test_decode)
{
  gsize size = 120000;
  guint8 *data = make_data (size);
  static const gsize chunks[] = { 300, 1000, 39999, 40000, 100000 };
  guint t, split, c;

  for (c = 0; c < G_N_ELEMENTS (chunks); c++) {
    GByteArray *coded = expected_frames (data, size, chunks[c]);
    guint8 skip[300] = { 0 };

    /* between two frames, and at the end */
    GST_WRITE_UINT32_LE (skip, 0xfffffffe);
    GST_WRITE_UINT32_LE (skip + 4, 292);
    g_byte_array_append (coded, skip, 300);
    for (t = 0; t < G_N_ELEMENTS (thread_counts); t++) {
      for (split = 0; split < N_SPLITS; split++) {
        GstHarness *h =
            new_harness (test_frame_dec_get_type (), thread_counts[t]);
        GByteArray *got;

        if (split <= SPLIT_7 && split != SPLIT_WHOLE
            && (t != 1 || c % 2 == 0)) {
          gst_harness_teardown (h);
          continue;
        }
        start_test_caps (h);
        fail_unless_equals_int (push_split (h, coded->data, coded->len, split),
            GST_FLOW_OK);
        fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
        got = pull_all (h);
        fail_unless_equals_int (got->len, size);
        fail_unless (memcmp (got->data, data, size) == 0);
        g_byte_array_unref (got);
        gst_harness_teardown (h);
      }
    }
    g_byte_array_unref (coded);
  }
  g_free (data);
}
GST_END_TEST;

/* Cut at each byte: whole frames come out, then an error, and no EOS. */
GST_START_TEST (test_decode_truncated)
{
  guint8 *data = make_data (100);
  GByteArray *coded = expected_frames (data, 100, 30);
  guint cut, threads;

  for (threads = 1; threads <= 2; threads++) {
    for (cut = 1; cut < coded->len; cut++) {
      GstHarness *h = new_harness (test_frame_dec_get_type (), threads);
      GstBus *bus = add_bus (h);
      gboolean at_border = cut % 35 == 0;
      GByteArray *got;

      start_test_caps (h);
      push_split (h, coded->data, cut, cut % 2 ? SPLIT_WHOLE : SPLIT_7);
      fail_unless (
          gst_harness_push_event (h, gst_event_new_eos ()) == at_border);
      if (!at_border) {
        assert_one_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE);
        got = pull_available (h);
      } else {
        got = pull_all (h);
      }
      fail_unless_equals_int (got->len, cut / 35 * 30);
      fail_unless (got->len == 0 || memcmp (got->data, data, got->len) == 0);
      g_byte_array_unref (got);
      remove_bus (h, bus);
      gst_harness_teardown (h);
    }
  }
  g_byte_array_unref (coded);
  g_free (data);
}
GST_END_TEST;

GST_START_TEST (test_decode_salvage)
{
  guint8 *data = make_data (100);
  guint threads;

  for (threads = 1; threads <= 3; threads++) {
    GByteArray *coded = expected_frames (data, 100, 30), *got;
    GstHarness *h = new_harness (test_frame_dec_get_type (), threads);
    GstBus *bus = add_bus (h);
    GstMessage *message;
    const GstStructure *s;
    GstBuffer *buffer;
    guint64 offset, lost;
    guint n_gaps = 0;
    GstEvent *event;

    gst_element_set_state (h->element, GST_STATE_NULL);
    gst_eeg_chunk_codec_set_salvage (GST_EEG_CHUNK_CODEC (h->element), TRUE);
    fail_unless (
        gst_eeg_chunk_codec_get_salvage (GST_EEG_CHUNK_CODEC (h->element)));
    gst_harness_play (h);
    coded->data[40] ^= 1; /* in the second frame */
    start_test_caps (h);
    push_split (h, coded->data, coded->len, SPLIT_7);
    /* cut off */
    push_split (h, coded->data, 20, SPLIT_WHOLE);
    fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
    buffer = gst_harness_pull (h);
    fail_unless_equals_int (gst_buffer_get_size (buffer), 30);
    gst_buffer_unref (buffer);
    buffer = gst_harness_pull (h);
    fail_unless_equals_int (gst_buffer_get_size (buffer), 30);
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), 60);
    fail_unless (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT));
    gst_buffer_unref (buffer);
    buffer = gst_harness_pull (h);
    fail_unless_equals_int (gst_buffer_get_size (buffer), 10);
    fail_if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT));
    gst_buffer_unref (buffer);
    buffer = NULL;
    fail_unless (gst_harness_pull_until_eos (h, &buffer));
    fail_unless (buffer == NULL);
    while ((event = gst_harness_try_pull_event (h)) != NULL) {
      if (GST_EVENT_TYPE (event) == GST_EVENT_GAP) {
        s = gst_event_get_structure (event);
        if (n_gaps++ == 0) {
          fail_unless (gst_structure_get_uint64 (s, "offset", &offset));
          fail_unless (gst_structure_get_uint64 (s, "bytes", &lost));
          fail_unless_equals_uint64 (offset, 30);
          fail_unless_equals_uint64 (lost, 30);
        }
      }
      gst_event_unref (event);
    }
    fail_unless_equals_int (n_gaps, 2);

    message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT);
    s = gst_message_get_structure (message);
    fail_unless (gst_structure_has_name (s, "eeg-salvage"));
    fail_unless (gst_structure_get_uint64 (s, "offset", &offset));
    fail_unless (gst_structure_get_uint64 (s, "output-lost", &lost));
    fail_unless_equals_uint64 (offset, 35);
    fail_unless_equals_uint64 (lost, 30);
    gst_message_unref (message);
    message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT);
    s = gst_message_get_structure (message);
    fail_unless (gst_structure_get_uint64 (s, "bytes-lost", &lost));
    fail_unless_equals_uint64 (lost, 20);
    fail_unless (gst_structure_get_uint64 (s, "total-bytes-lost", &lost));
    fail_unless_equals_uint64 (lost, 55);
    gst_message_unref (message);
    fail_unless (
        gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR | GST_MESSAGE_ELEMENT)
        == NULL);
    got = pull_available (h);
    fail_unless_equals_int (got->len, 0);
    g_byte_array_unref (got);
    g_byte_array_unref (coded);
    remove_bus (h, bus);
    gst_harness_teardown (h);
  }
  g_free (data);
}
GST_END_TEST;

GST_START_TEST (test_max_output_bytes)
{
  guint8 *data = make_data (100000);
  static const gsize chunks[] = { 100, 50000 };
  guint c, threads;

  for (c = 0; c < 2; c++) {
    for (threads = 1; threads <= 2; threads++) {
      GByteArray *coded = expected_frames (data, 100000, chunks[c]), *got;
      GstHarness *h = new_harness (test_frame_dec_get_type (), threads);
      GstBus *bus = add_bus (h);

      gst_element_set_state (h->element, GST_STATE_NULL);
      gst_eeg_chunk_codec_set_max_output_bytes (GST_EEG_CHUNK_CODEC (
                                                    h->element),
          60050);
      gst_harness_play (h);
      start_test_caps (h);
      push_split (h, coded->data, coded->len, SPLIT_1000);
      gst_harness_push_event (h, gst_event_new_eos ());
      assert_one_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE);
      got = pull_available (h);
      fail_unless (got->len <= 60050);
      fail_unless (got->len >= 59000);
      g_byte_array_unref (got);
      g_byte_array_unref (coded);
      remove_bus (h, bus);
      gst_harness_teardown (h);
    }
  }
  g_free (data);
}
GST_END_TEST;

/* Job k fails: k results, one error, no EOS, whatever the threads do. */
GST_START_TEST (test_first_error_in_order)
{
  guint8 *data = make_data (50000);
  guint t, k;

  g_atomic_int_set (&max_delay_us, 500);
  for (t = 0; t < G_N_ELEMENTS (thread_counts); t++) {
    for (k = 0; k < 20; k += 3) {
      GstHarness *h =
          new_harness (test_frame_enc_get_type (), thread_counts[t]);
      GstBus *bus = add_bus (h);
      GByteArray *expected, *got;
      GstFlowReturn flow;

      fail_at_job = (gint) k;
      start_bytes (h);
      flow = push_split (h, data, 50000, SPLIT_1000);
      fail_unless (gst_harness_push_event (h, gst_event_new_eos ()) == FALSE
          || flow == GST_FLOW_OK);
      assert_one_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_ENCODE);
      got = pull_available (h);
      if (k > 0) {
        expected = expected_frames (data, k * 1000, 1000);
        assert_bytes (got, expected);
        g_byte_array_unref (expected);
      } else {
        fail_unless_equals_int (got->len, 0);
      }
      fail_unless_equals_int (codec_of (h)->trailers, 0);
      fail_unless (get_stat (h, "errors") == 1);
      g_byte_array_unref (got);

      /* and works again after a flush */
      fail_at_job = -1;
      fail_unless (gst_harness_push_event (h, gst_event_new_flush_start ()));
      fail_unless (gst_harness_push_event (h, gst_event_new_flush_stop (TRUE)));
      start_bytes (h);
      push_split (h, data, 5000, SPLIT_1000);
      fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
      expected = expected_frames (data, 5000, 1000);
      got = pull_bytes (h, expected->len);
      assert_bytes (got, expected);
      g_byte_array_unref (got);
      g_byte_array_unref (expected);
      remove_bus (h, bus);
      gst_harness_teardown (h);
    }
  }
  g_free (data);
}
GST_END_TEST;

static GstEvent *
new_mark (const gchar *name)
{
  return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
      gst_structure_new_empty (name));
}

static GMutex order_lock;
static GString *order;

static GstPadProbeReturn
note_order (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  g_mutex_lock (&order_lock);
  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER) {
    g_string_append_printf (order, "%u ",
        (guint) gst_buffer_get_size (GST_PAD_PROBE_INFO_BUFFER (info)));
  } else {
    GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);

    if (GST_EVENT_TYPE (event) == GST_EVENT_CUSTOM_DOWNSTREAM)
      g_string_append_printf (order, "%s ",
          gst_structure_get_name (gst_event_get_structure (event)));
    else
      g_string_append_printf (order, "%s ", GST_EVENT_TYPE_NAME (event));
  }
  g_mutex_unlock (&order_lock);
  return GST_PAD_PROBE_OK;
}

static void
watch_order (GstHarness *h)
{
  GstPad *pad = gst_element_get_static_pad (h->element, "src");

  order = g_string_new (NULL);
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
      note_order, NULL, NULL);
  gst_object_unref (pad);
}

static void
assert_order (const gchar *expected)
{
  fail_unless_equals_string (order->str, expected);
  g_string_free (order, TRUE);
  order = NULL;
}

GST_START_TEST (test_events_keep_place)
{
  guint8 *data = make_data (5000);
  guint t;

  g_atomic_int_set (&max_delay_us, 3000);
  for (t = 0; t < G_N_ELEMENTS (thread_counts); t++) {
    GstHarness *h = new_harness (test_frame_enc_get_type (), thread_counts[t]);
    GByteArray *got;

    watch_order (h);
    start_bytes (h);
    gst_harness_push_event (h, new_mark ("first"));
    push_split (h, data, 2500, SPLIT_7);
    gst_harness_push_event (h, new_mark ("second"));
    gst_harness_push_event (h, gst_event_new_gap (0, 1));
    push_split (h, data, 1000, SPLIT_7);
    gst_harness_push_event (h, gst_event_new_tag (gst_tag_list_new_empty ()));
    gst_harness_push_event (h, new_mark ("third"));
    push_split (h, data, 100, SPLIT_7);
    gst_harness_push_event (h, gst_eeg_event_new_complete (0));
    gst_harness_push_event (h, gst_event_new_eos ());
    got = pull_all (h);
    g_byte_array_unref (got);
    assert_order ("stream-start caps segment first 1005 1005 505 second gap "
                  "1005 tag third 105 eeg-complete eos ");
    gst_harness_teardown (h);

    /* cells are not cut: 85 + 95 + ...; what comes leaves behind its cell */
    h = new_harness (test_cell_enc_get_type (), thread_counts[t]);
    watch_order (h);
    start_bytes (h);
    gst_harness_push_event (h, new_mark ("first"));
    push_split (h, data, 85, SPLIT_WHOLE);
    gst_harness_push_event (h, new_mark ("second"));
    push_split (h, data, 96, SPLIT_WHOLE);
    gst_harness_push_event (h, new_mark ("third"));
    push_split (h, data, 3, SPLIT_WHOLE);
    gst_harness_push_event (h, gst_event_new_eos ());
    got = pull_all (h);
    g_byte_array_unref (got);
    /* the first cell could be the last until the next byte; the mark has to
     * wait for it, and in its place another one begins */
    assert_order ("stream-start caps segment first 10 190 second 9 third eos ");
    gst_harness_teardown (h);
  }
  g_free (data);
}
GST_END_TEST;

/* Serialized queries find everything before them done. */
GST_START_TEST (test_drain_query)
{
  guint8 *data = make_data (5000);
  GstHarness *h = new_harness (test_frame_enc_get_type (), 3);
  GstQuery *query;
  GByteArray *got;

  g_atomic_int_set (&max_delay_us, 3000);
  start_bytes (h);
  push_split (h, data, 5000, SPLIT_1000);
  query = gst_query_new_drain ();
  gst_pad_peer_query (h->srcpad, query);
  gst_query_unref (query);
  got = pull_available (h);
  fail_unless_equals_int (got->len, 5 * 1005);
  g_byte_array_unref (got);
  gst_harness_teardown (h);
  g_free (data);
}
GST_END_TEST;

GST_START_TEST (test_flush)
{
  guint8 *data = make_data (20000);
  guint t, round;

  g_atomic_int_set (&max_delay_us, 1000);
  for (t = 0; t < G_N_ELEMENTS (thread_counts); t++) {
    GstHarness *h = new_harness (test_cell_enc_get_type (), thread_counts[t]);

    for (round = 0; round < 5; round++) {
      GByteArray *got, *expected;

      start_bytes (h);
      push_split (h, data, 1000 + round * 777, SPLIT_7);
      fail_unless (gst_harness_push_event (h, gst_event_new_flush_start ()));
      fail_unless_equals_int (gst_harness_push (h,
                                  gst_buffer_new_memdup (data, 10)),
          GST_FLOW_FLUSHING);
      fail_unless (gst_harness_push_event (h, gst_event_new_flush_stop (TRUE)));
      got = pull_available (h);
      g_byte_array_unref (got);

      /* a new stream under a new header; nothing old */
      start_bytes (h);
      push_split (h, data + round, 5000, SPLIT_RANDOM);
      fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
      expected = expected_cells (data + round, 5000, codec_of (h)->streams - 1);
      got = pull_bytes (h, expected->len);
      assert_bytes (got, expected);
      fail_unless_equals_int (codec_of (h)->streams, 2 * (round + 1));
      g_byte_array_unref (got);
      g_byte_array_unref (expected);

      fail_unless (gst_harness_push_event (h, gst_event_new_flush_start ()));
      fail_unless (gst_harness_push_event (h, gst_event_new_flush_stop (TRUE)));
    }
    gst_harness_teardown (h);
  }
  g_free (data);
}
GST_END_TEST;

GST_START_TEST (test_restart)
{
  static const GstState rest[] = { GST_STATE_READY, GST_STATE_NULL };
  guint8 *data = make_data (20000);
  guint t, round;

  for (t = 0; t < G_N_ELEMENTS (thread_counts); t++) {
    GstHarness *h = new_harness (test_frame_enc_get_type (), thread_counts[t]);

    for (round = 0; round < 4; round++) {
      GByteArray *got, *expected;

      gst_harness_play (h);
      gst_pad_push_event (h->srcpad, gst_event_new_stream_start ("again"));
      start_bytes (h);
      push_split (h, data, 12345, SPLIT_RANDOM);
      if (round % 2 == 0) {
        fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
        expected = expected_frames (data, 12345, 1000);
        got = pull_bytes (h, expected->len);
        assert_bytes (got, expected);
        g_byte_array_unref (got);
        g_byte_array_unref (expected);
      }
      gst_element_set_state (h->element, rest[round / 2]);
      fail_unless_equals_int (g_atomic_int_get (&live_workers), 0);
      got = pull_available (h);
      g_byte_array_unref (got);
    }
    gst_harness_teardown (h);
  }
  g_free (data);
}
GST_END_TEST;

/* No data: an encoder still writes one valid, final piece. */
GST_START_TEST (test_empty_stream)
{
  guint threads;

  for (threads = 1; threads <= 2; threads++) {
    GstHarness *h = new_harness (test_frame_enc_get_type (), threads);
    GByteArray *got;

    start_bytes (h);
    fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
    fail_unless_equals_int (gst_harness_push (h,
                                gst_buffer_new_memdup ("x", 1)),
        GST_FLOW_EOS);
    got = pull_all (h);
    fail_unless_equals_int (got->len, 5);
    g_byte_array_unref (got);
    gst_harness_teardown (h);

    h = new_harness (test_cell_enc_get_type (), threads);
    start_bytes (h);
    fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
    got = pull_all (h);
    fail_unless_equals_int (got->len, CELL_HEADER + 5);
    fail_unless_equals_int (got->data[CELL_HEADER], 1);
    g_byte_array_unref (got);
    gst_harness_teardown (h);

    /* without even a segment */
    h = new_harness (test_cell_enc_get_type (), threads);
    fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
    got = pull_all (h);
    fail_unless_equals_int (got->len, CELL_HEADER + 5);
    g_byte_array_unref (got);
    gst_harness_teardown (h);

    h = new_harness (test_frame_dec_get_type (), threads);
    start_test_caps (h);
    fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
    got = pull_all (h);
    fail_unless_equals_int (got->len, 0);
    g_byte_array_unref (got);
    gst_harness_teardown (h);
  }
}
GST_END_TEST;

/* A second stream after the first: final mark, new header. */
GST_START_TEST (test_new_stream)
{
  guint8 *data = make_data (1000);
  GstHarness *h = new_harness (test_cell_enc_get_type (), 2);
  GByteArray *got, *first, *second;

  start_bytes (h);
  push_split (h, data, 500, SPLIT_7);
  /* the same stream again, as after a relink, changes nothing */
  {
    GstEvent *event =
        gst_pad_get_sticky_event (h->srcpad, GST_EVENT_STREAM_START, 0);

    fail_unless (gst_pad_push_event (h->srcpad, event));
  }
  push_split (h, data + 500, 200, SPLIT_7);
  fail_unless (
      gst_harness_push_event (h, gst_event_new_stream_start ("another")));
  start_bytes (h);
  push_split (h, data, 300, SPLIT_7);
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  first = expected_cells (data, 700, 0);
  second = expected_cells (data, 300, 1);
  g_byte_array_append (first, second->data, second->len);
  got = pull_available (h);
  while (got->len < first->len) {
    GByteArray *more = pull_available (h);

    g_byte_array_append (got, more->data, more->len);
    g_byte_array_unref (more);
    g_usleep (1000);
  }
  assert_bytes (got, first);
  g_byte_array_unref (got);
  g_byte_array_unref (first);
  g_byte_array_unref (second);
  gst_harness_teardown (h);
  g_free (data);
}
GST_END_TEST;

/* A source of ours announces its true end; without that, no final mark. */
static gboolean completing_source;
static GstEegStageKind upstream_kind;

static gboolean
upstream_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) == GST_QUERY_CUSTOM
      && gst_structure_has_name (gst_query_get_structure (query),
          "eeg-stage")) {
    GstStructure *s = gst_query_writable_structure (query);
    GValue stages = G_VALUE_INIT, entry = G_VALUE_INIT;

    gst_structure_set (s, "source-completes", G_TYPE_BOOLEAN, completing_source,
        NULL);
    g_value_init (&stages, GST_TYPE_ARRAY);
    g_value_init (&entry, GST_TYPE_STRUCTURE);
    g_value_take_boxed (&entry,
        gst_structure_new ("stage", "name", G_TYPE_STRING, "before", "kind",
            GST_TYPE_EEG_STAGE_KIND, upstream_kind, NULL));
    gst_value_array_append_and_take_value (&stages, &entry);
    gst_structure_take_value (s, "stages", &stages);
    return TRUE;
  }
  if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY) {
    gst_query_set_latency (query, TRUE, 10, 20);
    return TRUE;
  }
  return gst_pad_query_default (pad, parent, query);
}

GST_START_TEST (test_completion)
{
  guint8 *data = make_data (1000);
  guint threads, complete, with_data;

  completing_source = TRUE;
  upstream_kind = GST_EEG_STAGE_KIND_ACQUISITION;
  for (threads = 1; threads <= 2; threads++) {
    for (complete = 0; complete < 2; complete++) {
      for (with_data = 0; with_data < 2; with_data++) {
        GstHarness *h = new_harness (test_cell_enc_get_type (), threads);
        GByteArray *got, *expected;

        gst_pad_set_query_function (h->srcpad, upstream_query);
        start_bytes (h);
        if (with_data)
          push_split (h, data, 1000, SPLIT_7);
        if (complete)
          gst_harness_push_event (h, gst_eeg_event_new_complete (0));
        fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
        got = pull_all (h);
        expected = expected_cells (data, with_data ? 1000 : 0, 0);
        if (!complete && !with_data) {
          /* nothing was begun, so there is nothing to leave unfinished */
          g_byte_array_set_size (expected, 0);
        } else if (!complete) {
          /* all data is there, and nothing says that it is all */
          guint last = expected->len - (1000 + CELL_HEADER) % 95 - 5;

          fail_unless_equals_int (expected->data[last], 1);
          expected->data[last] = 0;
        }
        assert_bytes (got, expected);
        g_byte_array_unref (got);
        g_byte_array_unref (expected);
        gst_harness_teardown (h);

        h = new_harness (test_frame_enc_get_type (), threads);
        gst_pad_set_query_function (h->srcpad, upstream_query);
        start_bytes (h);
        if (with_data)
          push_split (h, data, 1000, SPLIT_7);
        if (complete)
          gst_harness_push_event (h, gst_eeg_event_new_complete (0));
        fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
        got = pull_all (h);
        fail_unless_equals_int (codec_of (h)->trailers, complete);
        g_byte_array_unref (got);
        gst_harness_teardown (h);
      }
    }
  }
  g_free (data);
}
GST_END_TEST;

GST_START_TEST (test_order_rules)
{
  GstHarness *h = new_harness (test_frame_enc_get_type (), 2);
  GstBus *bus = add_bus (h);
  GstSegment segment;

  completing_source = FALSE;
  upstream_kind = GST_EEG_STAGE_KIND_ENCRYPTION;
  gst_pad_set_query_function (h->srcpad, upstream_query);
  set_caps (h, "application/octet-stream");
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_pad_push_event (h->srcpad, gst_event_new_segment (&segment));
  assert_one_error (bus, GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION);
  fail_unless_equals_int (gst_harness_push (h, gst_buffer_new_memdup ("x", 1)),
      GST_FLOW_NOT_NEGOTIATED);
  fail_unless_equals_int (gst_harness_buffers_received (h), 0);
  remove_bus (h, bus);
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (test_caps)
{
  GstHarness *h = new_harness (test_frame_enc_get_type (), 2);
  GstHarness *d;
  GstCaps *caps, *original;
  GstStructure *s;
  GByteArray *got;

  /* wrapped */
  start_bytes (h);
  gst_harness_push (h, gst_buffer_new_memdup ("x", 1));
  gst_harness_push_event (h, gst_event_new_eos ());
  got = pull_all (h);
  g_byte_array_unref (got);
  caps = gst_pad_get_current_caps (h->sinkpad);
  s = gst_caps_get_structure (caps, 0);
  fail_unless (gst_structure_has_name (s, "application/x-test"));
  fail_unless (
      gst_structure_get (s, "original-caps", GST_TYPE_CAPS, &original, NULL));
  fail_unless (gst_structure_has_name (gst_caps_get_structure (original, 0),
      "application/octet-stream"));
  gst_caps_unref (original);
  gst_harness_teardown (h);

  /* unwrapped */
  d = new_harness (test_frame_dec_get_type (), 2);
  gst_pad_push_event (d->srcpad, gst_event_new_caps (caps));
  gst_caps_unref (caps);
  caps = gst_pad_get_current_caps (d->sinkpad);
  s = gst_caps_get_structure (caps, 0);
  fail_unless (gst_structure_has_name (s, "application/octet-stream"));
  gst_caps_unref (caps);
  gst_harness_teardown (d);

  d = new_harness (test_frame_dec_get_type (), 2);
  set_caps (d, "application/x-test");
  fail_unless (gst_pad_get_current_caps (d->sinkpad) == NULL);
  gst_harness_teardown (d);

  /* a change in the middle ends the chunk */
  h = new_harness (test_frame_enc_get_type (), 2);
  watch_order (h);
  start_bytes (h);
  gst_harness_push (h, gst_buffer_new_memdup ("x", 1));
  set_caps (h, "application/octet-stream");
  gst_harness_push (h, gst_buffer_new_memdup ("x", 1));
  set_caps (h, "application/x-other");
  gst_harness_push (h, gst_buffer_new_memdup ("x", 1));
  gst_harness_push_event (h, gst_event_new_eos ());
  got = pull_all (h);
  g_byte_array_unref (got);
  assert_order ("stream-start caps segment 7 caps 6 eos ");
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (test_segments)
{
  GstHarness *h;
  GstBus *bus;
  GstSegment segment;
  GstEvent *event;
  const GstSegment *out;
  GByteArray *got;
  guint threads;

  /* a BYTES segment is replaced; the same position goes on */
  h = new_harness (test_frame_enc_get_type (), 1);
  set_caps (h, "application/octet-stream");
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  segment.start = segment.position = 100;
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  gst_harness_push (h, gst_buffer_new_memdup ("xyz", 3));
  segment.start = segment.position = 103;
  fail_unless (gst_harness_push_event (h, gst_event_new_segment (&segment)));
  gst_harness_push (h, gst_buffer_new_memdup ("xyz", 3));
  event = gst_pad_get_sticky_event (h->sinkpad, GST_EVENT_SEGMENT, 0);
  gst_event_parse_segment (event, &out);
  fail_unless_equals_int (out->format, GST_FORMAT_BYTES);
  fail_unless_equals_uint64 (out->start, 0);
  gst_event_unref (event);
  gst_harness_teardown (h);

  /* going back is an error; what came before it is not lost */
  for (threads = 1; threads <= 2; threads++) {
    h = new_harness (test_frame_enc_get_type (), threads);
    bus = add_bus (h);
    start_bytes (h);
    gst_harness_push (h, gst_buffer_new_memdup ("xyz", 3));
    gst_segment_init (&segment, GST_FORMAT_BYTES);
    gst_harness_push_event (h, gst_event_new_segment (&segment));
    assert_one_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT);
    fail_unless_equals_int (gst_harness_push (h, gst_buffer_new ()),
        GST_FLOW_ERROR);
    fail_if (gst_harness_push_event (h, gst_event_new_eos ()));
    got = pull_available (h);
    fail_unless_equals_int (got->len, 8);
    g_byte_array_unref (got);
    remove_bus (h, bus);
    gst_harness_teardown (h);
  }

  /* time passes unchanged, and chunks get the time where they begin */
  h = new_harness (test_frame_enc_get_type (), 1);
  set_caps (h, "application/octet-stream");
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = segment.time = 5 * GST_SECOND;
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  {
    GstBuffer *buffer = gst_buffer_new_allocate (NULL, 2500, NULL);

    gst_buffer_memset (buffer, 0, 0, 2500);
    GST_BUFFER_PTS (buffer) = 5 * GST_SECOND;
    GST_BUFFER_DURATION (buffer) = 25 * GST_SECOND;
    gst_harness_push (h, buffer);
    gst_harness_push_event (h, gst_event_new_eos ());
    buffer = gst_harness_pull (h);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), 5 * GST_SECOND);
    fail_unless_equals_uint64 (GST_BUFFER_DURATION (buffer), 10 * GST_SECOND);
    fail_unless (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT));
    gst_buffer_unref (buffer);
    buffer = gst_harness_pull (h);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), 15 * GST_SECOND);
    fail_if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT));
    gst_buffer_unref (buffer);
    buffer = gst_harness_pull (h);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), 25 * GST_SECOND);
    fail_unless_equals_uint64 (GST_BUFFER_DURATION (buffer), 5 * GST_SECOND);
    gst_buffer_unref (buffer);
  }
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (test_chunk_duration)
{
  GstHarness *h = new_harness (test_frame_enc_get_type (), 1);
  GstSegment segment;
  GstClockTime min, max;
  GstQuery *query;
  GByteArray *got;
  gboolean live;
  guint i;

  gst_element_set_state (h->element, GST_STATE_NULL);
  gst_eeg_chunk_codec_set_chunk_duration (GST_EEG_CHUNK_CODEC (h->element),
      GST_SECOND);
  upstream_kind = GST_EEG_STAGE_KIND_CONTAINER;
  gst_pad_set_query_function (h->srcpad, upstream_query);
  gst_harness_play (h);
  watch_order (h);
  set_caps (h, "application/octet-stream");
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  for (i = 0; i < 25; i++) {
    GstBuffer *buffer = gst_buffer_new_allocate (NULL, 10, NULL);

    gst_buffer_memset (buffer, 0, 0, 10);
    GST_BUFFER_PTS (buffer) = i * GST_SECOND / 10;
    GST_BUFFER_DURATION (buffer) = GST_SECOND / 10;
    gst_harness_push (h, buffer);
  }
  query = gst_query_new_latency ();
  fail_unless (gst_pad_peer_query (h->sinkpad, query));
  gst_query_parse_latency (query, &live, &min, &max);
  fail_unless (live);
  fail_unless_equals_uint64 (min, 10 + GST_SECOND);
  fail_unless_equals_uint64 (max, 20 + GST_SECOND);
  gst_query_unref (query);
  gst_harness_push_event (h, gst_event_new_eos ());
  got = pull_all (h);
  g_byte_array_unref (got);
  assert_order ("stream-start caps segment 105 105 55 eos ");
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (test_queries)
{
  GstHarness *h = new_harness (test_frame_enc_get_type (), 2);
  GstEegEstimate estimate;
  gboolean seekable = TRUE;
  GstQuery *query;
  gint64 value;

  start_bytes (h);
  query = gst_query_new_seeking (GST_FORMAT_BYTES);
  fail_unless (gst_pad_peer_query (h->sinkpad, query));
  gst_query_parse_seeking (query, NULL, &seekable, NULL, NULL);
  fail_if (seekable);
  gst_query_unref (query);
  fail_if (gst_pad_peer_query_duration (h->sinkpad, GST_FORMAT_BYTES, &value));
  fail_if (gst_pad_peer_query_position (h->sinkpad, GST_FORMAT_BYTES, &value));
  fail_if (gst_pad_push_event (h->sinkpad,
      gst_event_new_seek (1.0, GST_FORMAT_BYTES, GST_SEEK_FLAG_FLUSH,
          GST_SEEK_TYPE_SET, 10, GST_SEEK_TYPE_NONE, 0)));

  fail_unless_equals_int (gst_eeg_chunk_codec_get_threads (
                              GST_EEG_CHUNK_CODEC (h->element)),
      2);
  fail_unless (
      gst_eeg_stage_estimate (GST_EEG_STAGE (h->element), 1000, &estimate));
  fail_unless_equals_uint64 (estimate.memory_bytes,
      6 * (1000 + 1005) + 3 * sizeof (guint));
  fail_unless_equals_int (estimate.threads, 3);
  fail_unless (estimate.output_bytes == G_MAXUINT64);
  fail_unless (estimate.duration == GST_CLOCK_TIME_NONE);
  gst_harness_teardown (h);
}
GST_END_TEST;

typedef struct
{
  GstHarness *h;
  const guint8 *data;
  gsize size;
  guint n;
  gint accepted;
  GstFlowReturn flow;
} Pusher;

static gpointer
push_all (gpointer user_data)
{
  Pusher *p = user_data;
  guint i;

  for (i = 0; i < p->n && p->flow == GST_FLOW_OK; i++) {
    p->flow = gst_harness_push (p->h,
        gst_buffer_new_memdup (p->data + i * p->size, p->size));
    g_atomic_int_inc (&p->accepted);
  }
  if (p->flow == GST_FLOW_OK)
    gst_harness_push_event (p->h, gst_event_new_eos ());
  return NULL;
}

/* With a blocked sink the engine takes what its ring holds, and no more. */
GST_START_TEST (test_backpressure)
{
  gsize size = 100000;
  guint8 *data = make_data (20 * size);
  GstHarness *h = new_harness (test_frame_enc_get_type (), 2);
  Pusher p = { h, data, size, 20, 0, GST_FLOW_OK };
  GByteArray *got, *expected;
  GstEegEstimate estimate;
  GThread *thread;

  /* long jobs, so that none is done inline */
  g_atomic_int_set (&max_delay_us, -2000);
  codec_of (h)->chunk_size = size;
  gst_harness_set_blocking_push_mode (h);
  start_bytes (h);
  thread = g_thread_new ("push", push_all, &p);
  while (get_stat (h, "queue-high-water") < 6)
    g_thread_yield ();
  g_usleep (20000); /* nothing can come any more, however long */
  fail_unless (g_atomic_int_get (&p.accepted) <= 6);
  expected = expected_frames (data, 20 * size, size);
  got = pull_bytes (h, expected->len);
  g_thread_join (thread);
  assert_bytes (got, expected);
  fail_unless (get_stat (h, "queue-high-water") == 6);
  fail_unless (get_stat (h, "threads-started") == 2);
  fail_unless (get_stat (h, "queue-waits") > 0);
  /* input and output of each slot, of which one may be on its way */
  gst_eeg_stage_estimate (GST_EEG_STAGE (h->element), 1, &estimate);
  fail_unless (get_stat (h, "pool-size") * size <= estimate.memory_bytes);
  fail_unless (get_stat (h, "pool-reused") > 0);
  fail_unless (estimate.duration != GST_CLOCK_TIME_NONE);
  g_byte_array_unref (got);
  g_byte_array_unref (expected);
  gst_harness_teardown (h);
  g_free (data);
}
GST_END_TEST;

/* Small jobs at a distance are done by the thread that brings them. */
GST_START_TEST (test_inline)
{
  guint8 *data = make_data (1000);
  GstHarness *h = new_harness (test_frame_enc_get_type (), 4);
  guint i;

  start_bytes (h);
  for (i = 0; i < 50; i++) {
    GstBuffer *buffer;

    push_split (h, data, 1000, SPLIT_WHOLE);
    /* it is there when push returns */
    buffer = gst_harness_try_pull (h);
    fail_unless (buffer != NULL);
    gst_buffer_unref (buffer);
    g_usleep (2000);
  }
  fail_unless_equals_uint64 (get_stat (h, "threads-started"), 0);
  fail_unless_equals_uint64 (get_stat (h, "queue-high-water"), 0);
  gst_harness_teardown (h);
  g_free (data);
}
GST_END_TEST;

/* Cells of live input leave when they are full, not when a batch is. */
GST_START_TEST (test_live_cells)
{
  guint8 *data = make_data (5000);
  GstHarness *h = new_harness (test_cell_enc_get_type (), 2);
  GByteArray *got, *expected = expected_cells (data, 5000, 0);
  gsize pos, whole;

  completing_source = FALSE;
  upstream_kind = GST_EEG_STAGE_KIND_CONTAINER;
  gst_pad_set_query_function (h->srcpad, upstream_query);
  start_bytes (h);
  got = g_byte_array_new ();
  for (pos = 0; pos < 5000; pos += 10) {
    GByteArray *more;

    push_split (h, data + pos, 10, SPLIT_WHOLE);
    more = pull_available (h);
    g_byte_array_append (got, more->data, more->len);
    g_byte_array_unref (more);
    /* the last byte of a cell waits for one more */
    whole = (pos + 9 + CELL_HEADER) / (CELL_SIZE - 5);
    fail_unless_equals_int (got->len,
        CELL_HEADER + (whole == 0 ? 0 : whole * CELL_SIZE - CELL_HEADER));
  }
  gst_harness_push_event (h, gst_event_new_eos ());
  {
    GstBuffer *buffer;

    while ((buffer = gst_harness_try_pull (h)) != NULL) {
      GstMapInfo map;

      gst_buffer_map (buffer, &map, GST_MAP_READ);
      g_byte_array_append (got, map.data, (guint) map.size);
      gst_buffer_unmap (buffer, &map);
      gst_buffer_unref (buffer);
    }
  }
  assert_bytes (got, expected);
  g_byte_array_unref (got);
  g_byte_array_unref (expected);
  gst_harness_teardown (h);
  g_free (data);
}
GST_END_TEST;

/* Markers of swallowed buffers go to the output that holds their bytes. */
GST_START_TEST (test_markers)
{
  guint8 *data = make_data (10000);
  guint threads;

  for (threads = 1; threads <= 3; threads++) {
    GstHarness *h = new_harness (test_frame_enc_get_type (), threads);
    guint i, found = 0;
    GstBuffer *buffer;

    start_bytes (h);
    for (i = 0; i < 100; i++) {
      gchar text[10];

      buffer = gst_buffer_new_memdup (data + i * 100, 100);
      g_snprintf (text, sizeof text, "%u", i);
      gst_buffer_add_eeg_marker_meta (buffer, i, 0, text);
      gst_harness_push (h, buffer);
    }
    gst_harness_push_event (h, gst_event_new_eos ());
    for (i = 0; i < 10; i++) {
      GstEegMarkerMeta *marker;
      gpointer state = NULL;

      buffer = gst_harness_pull (h);
      while ((marker = gst_buffer_iterate_eeg_marker_meta (buffer, &state))) {
        fail_unless_equals_uint64 (marker->time / 10, i);
        found++;
      }
      gst_buffer_unref (buffer);
    }
    fail_unless_equals_int (found, 100);
    gst_harness_teardown (h);
  }
  g_free (data);
}
GST_END_TEST;

/* Whole pipelines, disturbed at random. */

static GstElement *
make_pipeline (GType type, guint threads, const gchar *location)
{
  GstElement *pipeline = gst_pipeline_new (NULL);
  GstElement *src = gst_element_factory_make ("filesrc", "src");
  GstElement *codec = g_object_new (type, "threads", threads, NULL);
  GstElement *sink = gst_element_factory_make ("fakesink", "sink");

  g_object_set (src, "location", location, "blocksize", 3000, NULL);
  g_object_set (sink, "sync", FALSE, NULL);
  gst_bin_add_many (GST_BIN (pipeline), src, codec, sink, NULL);
  fail_unless (gst_element_link_many (src, codec, sink, NULL));
  return pipeline;
}

static gchar *
make_file (gsize size)
{
  gchar *name;
  gint fd = g_file_open_tmp ("chunkcodec-XXXXXX", &name, NULL);
  guint8 *data = make_data (size);

  fail_unless (fd >= 0);
  fail_unless (write (fd, data, size) == (gssize) size);
  close (fd);
  g_free (data);
  return name;
}

static guint
n_rounds (void)
{
  const gchar *rounds = g_getenv ("GSTEEG_TEST_ROUNDS");

  return rounds != NULL ? (guint) atoi (rounds) : 60;
}

GST_START_TEST (test_stress)
{
  GType types[3] = { test_frame_enc_get_type (), test_cell_enc_get_type (),
    test_sequential_enc_get_type () };
  gchar *location = make_file (2000000);
  GRand *random = g_rand_new_with_seed (1);
  guint round, rounds = n_rounds ();

  g_atomic_int_set (&max_delay_us, 200);
  for (round = 0; round < rounds; round++) {
    GstElement *pipeline =
        make_pipeline (types[round % 3], thread_counts[round % 4], location);
    GstBus *bus = gst_element_get_bus (pipeline);
    guint action, n_actions = (guint) g_rand_int_range (random, 1, 6);

    fail_at_job =
        g_rand_int_range (random, 0, 4) ? -1 : g_rand_int_range (random, 0, 99);
    gst_element_set_state (pipeline,
        g_rand_int_range (random, 0, 2) ? GST_STATE_PAUSED : GST_STATE_PLAYING);
    for (action = 0; action < n_actions; action++) {
      g_usleep ((gulong) g_rand_int_range (random, 0, 3000));
      switch (g_rand_int_range (random, 0, 7)) {
        case 0:
        case 1:
          gst_element_seek (pipeline, 1.0, GST_FORMAT_BYTES,
              GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_NONE, 0);
          break;
        case 2:
          gst_element_set_state (pipeline, GST_STATE_PAUSED);
          break;
        case 3:
          gst_element_set_state (pipeline, GST_STATE_PLAYING);
          break;
        case 4:
          gst_element_set_state (pipeline, GST_STATE_READY);
          gst_element_set_state (pipeline, GST_STATE_PLAYING);
          break;
        case 5:
          /* gst_element_send_event() waits for a source's thread with the lock
           * of the pipeline's state held, and a source that is blocked in
           * preroll waits for that lock: only in PLAYING, and not on the way */
          gst_element_set_state (pipeline, GST_STATE_PLAYING);
          if (gst_element_get_state (pipeline, NULL, NULL, 20 * GST_SECOND)
              == GST_STATE_CHANGE_SUCCESS)
            gst_element_send_event (pipeline, gst_event_new_eos ());
          break;
        case 6:
          gst_element_get_state (pipeline, NULL, NULL, 10 * GST_MSECOND);
          break;
      }
    }
    if (g_rand_int_range (random, 0, 4) == 0) {
      GstMessage *message;

      gst_element_set_state (pipeline, GST_STATE_PLAYING);
      message = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND,
          GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
      fail_unless (message != NULL, "round %u hangs", round);
      gst_message_unref (message);
    }
    gst_element_set_state (pipeline, GST_STATE_NULL);
    gst_object_unref (bus);
    gst_object_unref (pipeline);
    fail_unless_equals_int (g_atomic_int_get (&live_workers), 0);
  }
  g_rand_free (random);
  g_unlink (location);
  g_free (location);
}
GST_END_TEST;

/* Blocked in preroll, with everything full behind it. */
GST_START_TEST (test_shutdown_blocked)
{
  gchar *location = make_file (2000000);
  guint t;

  for (t = 0; t < G_N_ELEMENTS (thread_counts); t++) {
    GstElement *pipeline =
        make_pipeline (test_frame_enc_get_type (), thread_counts[t], location);

    gst_element_set_state (pipeline, GST_STATE_PAUSED);
    fail_unless_equals_int (gst_element_get_state (pipeline, NULL, NULL,
                                10 * GST_SECOND),
        GST_STATE_CHANGE_SUCCESS);
    fail_unless (gst_element_seek (pipeline, 1.0, GST_FORMAT_BYTES,
        GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_NONE, 0));
    fail_unless_equals_int (gst_element_get_state (pipeline, NULL, NULL,
                                10 * GST_SECOND),
        GST_STATE_CHANGE_SUCCESS);
    g_usleep (5000);
    gst_element_set_state (pipeline, GST_STATE_NULL);
    gst_object_unref (pipeline);
  }
  g_unlink (location);
  g_free (location);
}
GST_END_TEST;

static void
set_up (void)
{
  fail_at_job = -1;
  g_atomic_int_set (&max_delay_us, 0);
}

static Suite *
chunkcodec_suite (void)
{
  Suite *s = suite_create ("chunkcodec");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, g_getenv ("GSTEEG_TEST_ROUNDS") ? 3000 : 600);
  tcase_add_checked_fixture (tc, set_up, NULL);
  tcase_add_test (tc, test_same_bytes);
  tcase_add_test (tc, test_cell_lengths);
  tcase_add_test (tc, test_decode);
  tcase_add_test (tc, test_decode_truncated);
  tcase_add_test (tc, test_decode_salvage);
  tcase_add_test (tc, test_max_output_bytes);
  tcase_add_test (tc, test_first_error_in_order);
  tcase_add_test (tc, test_events_keep_place);
  tcase_add_test (tc, test_drain_query);
  tcase_add_test (tc, test_flush);
  tcase_add_test (tc, test_restart);
  tcase_add_test (tc, test_empty_stream);
  tcase_add_test (tc, test_new_stream);
  tcase_add_test (tc, test_completion);
  tcase_add_test (tc, test_order_rules);
  tcase_add_test (tc, test_caps);
  tcase_add_test (tc, test_segments);
  tcase_add_test (tc, test_chunk_duration);
  tcase_add_test (tc, test_queries);
  tcase_add_test (tc, test_backpressure);
  tcase_add_test (tc, test_inline);
  tcase_add_test (tc, test_live_cells);
  tcase_add_test (tc, test_markers);
  tcase_add_test (tc, test_shutdown_blocked);
  tcase_add_test (tc, test_stress);
  return s;
}

GST_CHECK_MAIN (chunkcodec);
