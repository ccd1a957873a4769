/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The EEGPack coder: its kernels against zstd -3 on the same bytes, two threads
 * of the elements against one. Decoded samples are compared. */
#include <string.h>

#include <zstd.h>

#include "benchmark.h"
#include "eegpack-kernel.h"
#include "pipeline.h"

#define CHANNELS 64
#define FRAMES 8192
#define BLOCKS 16
#define PASSES 16 /* over the samples, through the element */
#define BLOCK_BYTES ((gsize) CHANNELS * FRAMES * 3)

struct bench
{
  guint8 *samples; /* BLOCKS blocks */
  guint8 *coded[BLOCKS];
  gsize coded_size[BLOCKS];
  guint8 *scratch;
  eeg_eegpack_effort effort;
  guint frames; /* of a buffer for the element */
};

/* All code one block before the clock starts, so that none is charged for its
 * memory's first use. */
static double
zstd_encode (void *user_data)
{
  struct bench *b = user_data;
  ZSTD_CCtx *context = ZSTD_createCCtx ();
  double start, seconds;
  guint i;

  ZSTD_compressCCtx (context, b->scratch, ZSTD_compressBound (BLOCK_BYTES),
      b->samples, BLOCK_BYTES, 3);
  start = bench_now ();
  for (i = 0; i < BLOCKS; i++)
    ZSTD_compressCCtx (context, b->scratch, ZSTD_compressBound (BLOCK_BYTES),
        b->samples + i * BLOCK_BYTES, BLOCK_BYTES, 3);
  seconds = bench_now () - start;
  ZSTD_freeCCtx (context);
  return seconds;
}

static double
encode (void *user_data)
{
  struct bench *b = user_data;
  eeg_eegpack_encoder *encoder = eeg_eegpack_encoder_new (EEG_EEGPACK_S24,
      CHANNELS, FRAMES, eeg_cpu_choose ());
  double start, seconds;
  guint i;

  eeg_eegpack_encode (encoder, b->effort, b->samples, FRAMES, b->coded[0]);
  start = bench_now ();
  for (i = 0; i < BLOCKS; i++)
    b->coded_size[i] = eeg_eegpack_encode (encoder, b->effort,
        b->samples + i * BLOCK_BYTES, FRAMES, b->coded[i]);
  seconds = bench_now () - start;
  eeg_eegpack_encoder_free (encoder);
  return seconds;
}

static double
decode (void *user_data)
{
  struct bench *b = user_data;
  eeg_eegpack_decoder *decoder = eeg_eegpack_decoder_new (EEG_EEGPACK_S24,
      CHANNELS, FRAMES, eeg_cpu_choose ());
  double start, seconds;
  gboolean ok;
  guint i;

  ok = eeg_eegpack_decode (decoder, b->coded[0], b->coded_size[0], FRAMES,
      b->scratch);
  start = bench_now ();
  for (i = 0; i < BLOCKS && ok; i++)
    ok = eeg_eegpack_decode (decoder, b->coded[i], b->coded_size[i], FRAMES,
        b->scratch + i * BLOCK_BYTES);
  seconds = bench_now () - start;
  eeg_eegpack_decoder_free (decoder);
  return ok && memcmp (b->scratch, b->samples, BLOCKS * BLOCK_BYTES) == 0
      ? seconds
      : -1.0;
}

/* Samples from memory through the encoder, to nowhere. */
static double
play (struct bench *b, guint threads)
{
  gchar *launch = g_strdup_printf (
      "appsrc name=src format=time max-bytes=0 "
      "caps=application/x-eeg-raw,format=S24LE,rate=1000/1,channels=%d,"
      "layout=interleaved,domain=counts ! eegpackenc threads=%u ! fakesink "
      "sync=false enable-last-sample=false",
      CHANNELS, threads);
  GstElement *pipeline = gst_parse_launch (launch, NULL);
  GstElement *src = gst_bin_get_by_name (GST_BIN (pipeline), "src");
  double start;
  guint i;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  start = bench_now ();
  for (i = 0; i < PASSES * BLOCKS * FRAMES; i += b->frames) {
    gsize size = (gsize) b->frames * CHANNELS * 3;
    GstBuffer *buffer = gst_buffer_new_wrapped_full (GST_MEMORY_FLAG_READONLY,
        b->samples + (gsize) (i % (BLOCKS * FRAMES)) * CHANNELS * 3, size, 0,
        size, NULL, NULL);

    GST_BUFFER_OFFSET (buffer) = i;
    GST_BUFFER_PTS (buffer) = i * GST_MSECOND;
    gst_app_src_push_buffer (GST_APP_SRC (src), buffer);
  }
  gst_app_src_end_of_stream (GST_APP_SRC (src));
  gst_object_unref (src);
  g_free (launch);
  return bench_finish (pipeline, start);
}

static double
play_one (void *user_data)
{
  return play (user_data, 1);
}

static double
play_two (void *user_data)
{
  return play (user_data, 2);
}

static void
make_samples (struct bench *b)
{
  GstElement *pipeline = gst_parse_launch (
      "eegsrc driver=synthetic channels=64 rate=1000/1 format=S24LE "
      "num-samples=131072 ! appsink name=sink sync=false",
      NULL);
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GstSample *sample;
  gsize at = 0;

  b->samples = g_malloc0 (BLOCKS * BLOCK_BYTES);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while ((sample = gst_app_sink_pull_sample (GST_APP_SINK (sink)))) {
    at += gst_buffer_extract (gst_sample_get_buffer (sample), 0,
        b->samples + at, BLOCKS * BLOCK_BYTES - at);
    gst_sample_unref (sample);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (sink);
  gst_object_unref (pipeline);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const gchar *name;
    double target;
  } efforts[] = { { "fast", 5.6 }, { "normal", 2.8 }, { "best", 0 } };
  struct bench b = { 0 };
  struct bench_row row = { .data = "synthetic EEG, 64 channels",
    .packing = "S24LE in blocks of 8192",
    .threads = 1,
    .backend = "zstd -3 encoding the same bytes",
    .direction = BENCH_AT_LEAST,
    .rounds = 5,
    .bytes = BLOCKS * BLOCK_BYTES };
  gboolean ok = TRUE;
  guint i, k;

  gst_init (&argc, &argv);
  make_samples (&b);
  for (i = 0; i < BLOCKS; i++)
    b.coded[i] =
        g_malloc (eeg_eegpack_bound (EEG_EEGPACK_S24, CHANNELS, FRAMES));
  b.scratch = g_malloc (ZSTD_compressBound (BLOCKS * BLOCK_BYTES));
  for (i = 0; i < G_N_ELEMENTS (efforts); i++) {
    gchar *name = g_strdup_printf ("encode, %s", efforts[i].name);
    gsize size = 0;
    double seconds;

    b.effort = (eeg_eegpack_effort) i;
    row.name = name;
    row.target = efforts[i].target;
    ok = bench_compare (&row, encode, zstd_encode, &b) && ok;
    g_free (name);
    row.name = name = g_strdup_printf ("decode, %s", efforts[i].name);
    ok = bench_compare (&row, decode, zstd_encode, &b) && ok;
    g_free (name);
    for (k = 0; k < BLOCKS; k++)
      size += b.coded_size[k];
    row.name = name = g_strdup_printf ("size, %s", efforts[i].name);
    row.target = 0;
    ok = bench_report (&row, (double) row.bytes / (double) size, ": 1") && ok;
    g_free (name);
    seconds = encode (&b);
    row.name = name =
        g_strdup_printf ("encode, %s, per second", efforts[i].name);
    row.target = i == 2 ? 20 : 0;
    ok = bench_report (&row, (double) row.bytes / 1e6 / seconds, "MB/s") && ok;
    g_free (name);
  }
  row.threads = 2;
  row.backend = "one thread";
  row.target = 1.8;
  row.bytes *= PASSES;
  b.effort = EEG_EEGPACK_NORMAL;
  row.name = "eegpackenc, two threads, buffers that are blocks";
  b.frames = FRAMES;
  ok = bench_compare (&row, play_two, play_one, &b) && ok;
  row.name = "eegpackenc, two threads, buffers of 1024 samples";
  row.target = 0;
  b.frames = FRAMES / 8;
  ok = bench_compare (&row, play_two, play_one, &b) && ok;
  for (i = 0; i < BLOCKS; i++)
    g_free (b.coded[i]);
  g_free (b.samples);
  g_free (b.scratch);
  return ok ? 0 : 1;
}
