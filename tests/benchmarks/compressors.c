/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each encoder against its library in a bare loop over the same chunks, and two
 * threads against one. */
#include <gst/gst.h>

#ifdef HAVE_LIBDEFLATE
#include <libdeflate.h>
#endif
#include <brotli/encode.h>
#include <lz4frame.h>
#include <string.h>
#include <zstd.h>

#include "benchmark.h"

#define CHUNK (256 * 1024)
#define SIZE (32 * 1024 * 1024)

struct bench
{
  guint8 *data;
  guint8 *out;
  const gchar *encoder;
  guint threads;
  void (*library) (struct bench *bench);
};

/* 64 channels of 24 bits, record by record as BDF has them: a slow wave common
 * to all, an own one, and noise. */
static void
fill (guint8 *data)
{
  guint32 x = 1;
  gint32 common[256];
  gsize pos = 0;
  guint c, i;

  while (pos + 64 * 256 * 3 <= SIZE) {
    for (i = 0; i < 256; i++) {
      x = x * 1664525u + 1013904223u;
      common[i] = (i > 0 ? common[i - 1] : 0) + (gint32) (x >> 20) - 2048;
    }
    for (c = 0; c < 64; c++) {
      gint32 own = 1000 * (gint32) c;

      for (i = 0; i < 256; i++) {
        gint32 v;

        x = x * 1664525u + 1013904223u;
        own += (gint32) (x >> 23) - 256;
        v = common[i] + own + (gint32) (x >> 24 & 0x3f);
        data[pos++] = (guint8) v;
        data[pos++] = (guint8) (v >> 8);
        data[pos++] = (guint8) (v >> 16);
      }
    }
  }
  while (pos < SIZE)
    data[pos++] = 0;
}

static double
run_element_threads (struct bench *bench, guint threads)
{
  gchar *launch = g_strdup_printf ("appsrc name=src format=bytes "
                                   "max-bytes=0 caps=application/x-bdf ! "
                                   "%s threads=%u chunk-size=%d ! "
                                   "fakesink name=sink sync=false",
      bench->encoder, threads, CHUNK);
  GstElement *pipeline = gst_parse_launch (launch, NULL);
  GstElement *src = gst_bin_get_by_name (GST_BIN (pipeline), "src");
  GstBus *bus = gst_element_get_bus (pipeline);
  GstFlowReturn flow;
  GstMessage *message;
  double start, seconds;
  gsize pos;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  start = bench_now ();
  for (pos = 0; pos < SIZE; pos += 4 * CHUNK) {
    GstBuffer *buffer = gst_buffer_new_wrapped_full (GST_MEMORY_FLAG_READONLY,
        bench->data + pos, 4 * CHUNK, 0, 4 * CHUNK, NULL, NULL);

    g_signal_emit_by_name (src, "push-buffer", buffer, &flow);
    gst_buffer_unref (buffer);
  }
  g_signal_emit_by_name (src, "end-of-stream", &flow);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  seconds = GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS ? bench_now () - start
                                                          : -1.0;
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (src);
  gst_object_unref (pipeline);
  g_free (launch);
  return seconds;
}

static double
run_element (void *user_data)
{
  struct bench *bench = user_data;

  return run_element_threads (bench, bench->threads);
}

static double
run_one_thread (void *user_data)
{
  return run_element_threads (user_data, 1);
}

static double
run_library (void *user_data)
{
  struct bench *bench = user_data;
  double start = bench_now ();

  bench->library (bench);
  return bench_now () - start;
}

static void
zstd_loop (struct bench *bench)
{
  ZSTD_CCtx *context = ZSTD_createCCtx ();
  gsize pos;

  ZSTD_CCtx_setParameter (context, ZSTD_c_compressionLevel, 3);
  ZSTD_CCtx_setParameter (context, ZSTD_c_checksumFlag, 1);
  for (pos = 0; pos < SIZE; pos += CHUNK)
    ZSTD_compress2 (context, bench->out, ZSTD_compressBound (CHUNK),
        bench->data + pos, CHUNK);
  ZSTD_freeCCtx (context);
}

static void
lz4_loop (struct bench *bench)
{
  LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;
  gsize pos;

  preferences.frameInfo.blockSizeID = LZ4F_max256KB;
  preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
  preferences.frameInfo.contentSize = CHUNK;
  for (pos = 0; pos < SIZE; pos += CHUNK)
    LZ4F_compressFrame (bench->out, 2 * CHUNK, bench->data + pos, CHUNK,
        &preferences);
}

#ifdef HAVE_LIBDEFLATE
static void
gzip_loop (struct bench *bench)
{
  struct libdeflate_compressor *compressor = libdeflate_alloc_compressor (6);
  gsize pos;

  for (pos = 0; pos < SIZE; pos += CHUNK)
    libdeflate_gzip_compress (compressor, bench->data + pos, CHUNK, bench->out,
        2 * CHUNK);
  libdeflate_free_compressor (compressor);
}
#endif

static void
brotli_loop (struct bench *bench)
{
  BrotliEncoderState *state = BrotliEncoderCreateInstance (NULL, NULL, NULL);
  gsize pos;

  BrotliEncoderSetParameter (state, BROTLI_PARAM_QUALITY, 5);
  for (pos = 0; pos < SIZE; pos += CHUNK) {
    const guint8 *in = bench->data + pos;
    gsize in_left = CHUNK, out_left = 2 * CHUNK;
    guint8 *out = bench->out;

    BrotliEncoderCompressStream (state, BROTLI_OPERATION_FLUSH, &in_left, &in,
        &out_left, &out, NULL);
  }
  BrotliEncoderDestroyInstance (state);
}

int
main (int argc, char **argv)
{
  struct bench bench = { 0 };
  static const struct
  {
    const char *name;
    const char *backend;
    void (*library) (struct bench *bench);
    double target;
    gboolean parallel;
  } rows[] = {
    { "zstdenc", "libzstd", zstd_loop, 0.97, TRUE },
    { "lz4enc", "liblz4", lz4_loop, 0.95, TRUE },
#ifdef HAVE_LIBDEFLATE
    { "gzipenc", "libdeflate", gzip_loop, 0.95, TRUE },
#endif
    { "brotlienc", "libbrotli", brotli_loop, 0.95, FALSE },
  };
  gboolean reached = TRUE;
  guint i;

  gst_init (&argc, &argv);
  bench.data = g_malloc (SIZE);
  bench.out = g_malloc (2 * CHUNK);
  fill (bench.data);
  for (i = 0; i < G_N_ELEMENTS (rows); i++) {
    GstElementFactory *factory = gst_element_factory_find (rows[i].name);
    gchar *name = g_strconcat (rows[i].name, " two threads", NULL);
    struct bench_row row = { .name = rows[i].name,
      .data = "synthetic 64 channels",
      .packing = "S24 records of BDF, chunks of 256 KiB",
      .threads = 1,
      .backend = rows[i].backend,
      .target = rows[i].target,
      .direction = BENCH_AT_LEAST,
      .bytes = SIZE };

    if (factory != NULL) {
      gst_object_unref (factory);
      bench.encoder = rows[i].name;
      bench.library = rows[i].library;
      bench.threads = 1;
      reached &= bench_compare (&row, run_element, run_library, &bench);
      if (rows[i].parallel) {
        row.name = name;
        row.threads = bench.threads = 2;
        row.target = 1.7;
        reached &= bench_compare (&row, run_element, run_one_thread, &bench);
      }
    }
    g_free (name);
  }
  g_free (bench.data);
  g_free (bench.out);
  return reached ? 0 : 1;
}
