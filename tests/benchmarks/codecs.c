/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Each encoder and each decoder against its library in a bare loop over the
 * same chunks, and two threads against one. bench-codecs zstdenc lz4dec only
 * measures these.
 */
#include <string.h>

#ifdef HAVE_LIBDEFLATE
#include <libdeflate.h>
#endif
#ifdef HAVE_LIBCRYPTO
#include <openssl/evp.h>
#endif
#include <brotli/decode.h>
#include <brotli/encode.h>
#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

#include "benchmark.h"
#include "pipeline.h"

#define KIB 1024
#define MIB (1024 * 1024)

struct bench
{
  const struct row *row;
  GByteArray *plain, *coded;
  GByteArray *in; /* the one of them that goes in */
  guint8 *out;
  gchar *key_file;
  guint passes; /* over it, as one stream */
  guint threads;
};

struct row
{
  const gchar *name, *settings;
  gsize chunk;  /* input bytes of a job of the encoder */
  guint passes; /* over the data, so that a round takes its time */
  const gchar *backend;
  void (*library) (struct bench *bench);
  double target, threads_target; /* 0: not parallel */
};

/* ---- the libraries ---- */

static void
zstd_compress (struct bench *bench)
{
  ZSTD_CCtx *context = ZSTD_createCCtx ();
  const gsize chunk = bench->row->chunk;
  gsize pos;

  ZSTD_CCtx_setParameter (context, ZSTD_c_compressionLevel, 3);
  ZSTD_CCtx_setParameter (context, ZSTD_c_checksumFlag, 1);
  for (pos = 0; pos < bench->in->len; pos += chunk)
    ZSTD_compress2 (context, bench->out, ZSTD_compressBound (chunk),
        bench->in->data + pos, MIN (chunk, bench->in->len - pos));
  ZSTD_freeCCtx (context);
}

static void
zstd_decompress (struct bench *bench)
{
  ZSTD_DCtx *context = ZSTD_createDCtx ();
  gsize pos, size;

  for (pos = 0; pos < bench->in->len; pos += size) {
    size = ZSTD_findFrameCompressedSize (bench->in->data + pos,
        bench->in->len - pos);
    ZSTD_decompressDCtx (context, bench->out, 2 * bench->row->chunk,
        bench->in->data + pos, size);
  }
  ZSTD_freeDCtx (context);
}

static void
lz4_compress (struct bench *bench)
{
  LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;
  const gsize chunk = bench->row->chunk;
  gsize pos;

  preferences.frameInfo.blockSizeID = LZ4F_max256KB;
  preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
  for (pos = 0; pos < bench->in->len; pos += chunk) {
    gsize size = MIN (chunk, bench->in->len - pos);

    preferences.frameInfo.contentSize = size;
    LZ4F_compressFrame (bench->out,
        LZ4F_compressFrameBound (chunk, &preferences), bench->in->data + pos,
        size, &preferences);
  }
}

static void
lz4_decompress (struct bench *bench)
{
  LZ4F_dctx *context;
  gsize pos = 0;

  LZ4F_createDecompressionContext (&context, LZ4F_VERSION);
  while (pos < bench->in->len) {
    gsize out_size = bench->row->chunk, in_size = bench->in->len - pos;

    LZ4F_decompress (context, bench->out, &out_size, bench->in->data + pos,
        &in_size, NULL);
    pos += in_size;
  }
  LZ4F_freeDecompressionContext (context);
}

#ifdef HAVE_LIBDEFLATE
static void
gzip_compress (struct bench *bench)
{
  struct libdeflate_compressor *compressor = libdeflate_alloc_compressor (6);
  const gsize chunk = bench->row->chunk;
  gsize pos;

  for (pos = 0; pos < bench->in->len; pos += chunk)
    libdeflate_gzip_compress (compressor, bench->in->data + pos,
        MIN (chunk, bench->in->len - pos), bench->out, 2 * chunk);
  libdeflate_free_compressor (compressor);
}
#endif

/* zlib, as the decoder: it takes members of any size as they come. */
static void
gzip_decompress (struct bench *bench)
{
  z_stream stream = { 0 };
  int result = Z_OK;

  inflateInit2 (&stream, 15 + 16);
  stream.next_in = bench->in->data;
  stream.avail_in = bench->in->len;
  while (stream.avail_in > 0 && result >= Z_OK) {
    stream.next_out = bench->out;
    stream.avail_out = (uInt) bench->row->chunk;
    result = inflate (&stream, Z_NO_FLUSH);
    if (result == Z_STREAM_END)
      result = inflateReset (&stream);
  }
  inflateEnd (&stream);
}

static void
brotli_compress (struct bench *bench)
{
  BrotliEncoderState *state = BrotliEncoderCreateInstance (NULL, NULL, NULL);
  const gsize chunk = bench->row->chunk;
  gsize pos;

  BrotliEncoderSetParameter (state, BROTLI_PARAM_QUALITY, 5);
  for (pos = 0; pos < bench->in->len; pos += chunk) {
    const guint8 *in = bench->in->data + pos;
    gsize in_left = MIN (chunk, bench->in->len - pos), out_left = 2 * chunk;
    guint8 *out = bench->out;

    BrotliEncoderCompressStream (state, BROTLI_OPERATION_FLUSH, &in_left, &in,
        &out_left, &out, NULL);
  }
  BrotliEncoderDestroyInstance (state);
}

static void
brotli_decompress (struct bench *bench)
{
  BrotliDecoderState *state = BrotliDecoderCreateInstance (NULL, NULL, NULL);
  const guint8 *in = bench->in->data;
  gsize in_left = bench->in->len, out_left;
  BrotliDecoderResult result;

  do {
    guint8 *out = bench->out;

    out_left = bench->row->chunk;
    result = BrotliDecoderDecompressStream (state, &in_left, &in, &out_left,
        &out, NULL);
  } while (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT);
  BrotliDecoderDestroyInstance (state);
}

#ifdef HAVE_LIBCRYPTO
/* Tags are made, and compared in vain: it is not the file's key. */
static void
run_cipher (struct bench *bench, const EVP_CIPHER *cipher, gsize cell,
    gboolean encrypt)
{
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new ();
  guint8 key[32] = { 1 }, nonce[12] = { 2 }, tag[16] = { 3 };
  gsize pos;
  int n;

  EVP_CipherInit_ex (context, cipher, NULL, key, NULL, encrypt);
  for (pos = 0; pos < bench->in->len; pos += cell) {
    gsize size = MIN (cell, bench->in->len - pos);

    nonce[0]++;
    EVP_CipherInit_ex (context, NULL, NULL, NULL, nonce, -1);
    if (!encrypt)
      EVP_CIPHER_CTX_ctrl (context, EVP_CTRL_AEAD_SET_TAG, 16, tag);
    EVP_CipherUpdate (context, bench->out, &n, bench->in->data + pos,
        (int) size);
    EVP_CipherFinal_ex (context, bench->out + n, &n);
    if (encrypt)
      EVP_CIPHER_CTX_ctrl (context, EVP_CTRL_AEAD_GET_TAG, 16, tag);
  }
  EVP_CIPHER_CTX_free (context);
}

static void
aes_gcm_encrypt (struct bench *bench)
{
  run_cipher (bench, EVP_aes_256_gcm (), MIB - 16, TRUE);
}

static void
aes_gcm_decrypt (struct bench *bench)
{
  run_cipher (bench, EVP_aes_256_gcm (), MIB, FALSE);
}

static void
chacha_encrypt (struct bench *bench)
{
  run_cipher (bench, EVP_chacha20_poly1305 (), 64 * KIB, TRUE);
}

static void
chacha_decrypt (struct bench *bench)
{
  run_cipher (bench, EVP_chacha20_poly1305 (), 64 * KIB + 16, FALSE);
}
#endif

/* ---- the elements ---- */

static double
run_threads (struct bench *bench, guint threads)
{
  const struct row *row = bench->row;
  gchar *element = g_strdup_printf ("%s %s", row->name, row->settings);
  double seconds = bench_play (element, threads, bench->key_file, bench->in,
      bench->passes, NULL);

  g_free (element);
  return seconds;
}

static double
run_element (void *user_data)
{
  struct bench *bench = user_data;

  return run_threads (bench, bench->threads);
}

static double
run_one_thread (void *user_data)
{
  return run_threads (user_data, 1);
}

static double
run_library (void *user_data)
{
  struct bench *bench = user_data;
  double start = bench_now ();
  guint pass;

  for (pass = 0; pass < bench->passes; pass++)
    bench->row->library (bench);
  return bench_now () - start;
}

static gboolean
is_wanted (const gchar *name, int argc, char **argv)
{
  int i;

  for (i = 1; i < argc; i++)
    if (strcmp (argv[i], name) == 0)
      return TRUE;
  return argc <= 1;
}

int
main (int argc, char **argv)
{
  static const struct row rows[] = {
    { "zstdenc", "chunk-size=262144", 256 * KIB, 1, "libzstd", zstd_compress,
        0.97, 1.7 },
    { "zstddec", "", 256 * KIB, 8, "libzstd", zstd_decompress, 0.95, 1.7 },
    { "lz4enc", "chunk-size=1048576", MIB, 32, "liblz4", lz4_compress, 0.95,
        1.7 },
    { "lz4dec", "", MIB, 32, "liblz4", lz4_decompress, 0.95, 1.7 },
#ifdef HAVE_LIBDEFLATE
    { "gzipenc", "chunk-size=262144", 256 * KIB, 1, "libdeflate", gzip_compress,
        0.95, 1.7 },
#endif
    { "gzipdec", "", 256 * KIB, 1, "zlib", gzip_decompress, 0.95, 0 },
    { "brotlienc", "chunk-size=262144", 256 * KIB, 1, "libbrotli",
        brotli_compress, 0.95, 0 },
    { "brotlidec", "", 256 * KIB, 1, "libbrotli", brotli_decompress, 0.95, 0 },
#ifdef HAVE_LIBCRYPTO
    { "aesgcmenc", "segment-size=1048576", MIB, 32, "libcrypto",
        aes_gcm_encrypt, 0.95, 1.6 },
    { "aesgcmdec", "", MIB, 32, "libcrypto", aes_gcm_decrypt, 0.95, 1.6 },
    { "chacha20poly1305enc", "work-factor=1", 64 * KIB, 24, "libcrypto",
        chacha_encrypt, 0.95, 1.6 },
    { "chacha20poly1305dec", "", 64 * KIB, 24, "libcrypto", chacha_decrypt,
        0.95, 1.6 },
#endif
  };
  struct bench bench = { 0 };
  gchar key[32], *folder;
  gboolean reached = TRUE;
  guint i;

  gst_init (&argc, &argv);
  folder = g_dir_make_tmp ("gsteeg-bench-XXXXXX", NULL);
  bench.key_file = g_build_filename (folder, "key", NULL);
  for (i = 0; i < sizeof key; i++)
    key[i] = (gchar) g_random_int_range ('0', '9');
  if (!g_file_set_contents_full (bench.key_file, key, sizeof key,
          G_FILE_SET_CONTENTS_NONE, 0600, NULL))
    return 1;
  bench.plain = bench_make_bdf ();
  bench.out = g_malloc0 (8 * MIB);

  for (i = 0; i < G_N_ELEMENTS (rows); i++) {
    GstElementFactory *factory = gst_element_factory_find (rows[i].name);
    gchar *name, *packing;
    struct bench_row row = { .name = rows[i].name,
      .data = "synthetic EEG, 64 channels",
      .backend = rows[i].backend,
      .direction = BENCH_AT_LEAST };

    if (factory == NULL || !is_wanted (rows[i].name, argc, argv)) {
      gst_clear_object (&factory);
      continue;
    }
    gst_object_unref (factory);
    bench.row = &rows[i];
    bench.in = bench.plain;
    bench.passes = rows[i].passes;
    if (g_str_has_suffix (rows[i].name, "dec")) {
      gchar *encoder = g_strdup_printf ("%.*senc",
          (int) strlen (rows[i].name) - 3, rows[i].name);
      gchar *element = g_str_has_prefix (encoder, "chacha")
          ? g_strconcat (encoder, " work-factor=1", NULL)
          : g_strdup_printf ("%s %s=%" G_GSIZE_FORMAT, encoder,
              g_str_has_prefix (encoder, "aes") ? "segment-size" : "chunk-size",
              rows[i].chunk);

      bench.in = bench.coded = g_byte_array_new ();
      if (bench_play (element, 0, bench.key_file, bench.plain, bench.passes,
              bench.coded)
          < 0.0)
        return 1;
      bench.passes = 1;
      g_free (element);
      g_free (encoder);
    }
    packing =
        g_strdup_printf ("BDF in buffers of 4 MiB, chunks of %" G_GSIZE_FORMAT
                         " KiB",
            rows[i].chunk / KIB);
    name = g_strconcat (rows[i].name, " two threads", NULL);
    row.packing = packing;
    row.bytes = (guint64) bench.plain->len * rows[i].passes;
    row.threads = bench.threads = 1;
    row.target = rows[i].target;
    reached &= bench_compare (&row, run_element, run_library, &bench);
    if (rows[i].threads_target > 0.0) {
      row.name = name;
      row.threads = bench.threads = 2;
      row.target = rows[i].threads_target;
      reached &= bench_compare (&row, run_element, run_one_thread, &bench);
    }
    g_free (name);
    g_free (packing);
    g_clear_pointer (&bench.coded, g_byte_array_unref);
  }
  g_byte_array_unref (bench.plain);
  g_free (bench.out);
  remove (bench.key_file);
  remove (folder);
  g_free (bench.key_file);
  g_free (folder);
  return reached ? 0 : 1;
}
