/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * zstdenc adaptive=true against the fixed chunk size that is the fastest among
 * those whose ratio is within 1 % of the best, found first, on four kinds of
 * data. bench-adaptive random text only measures these.
 */
#include <string.h>

/* No multiple of a chunk: otherwise a fixed size alone would save a copy. */
#define BENCH_BUFFER_SIZE 1000000

#include "benchmark.h"
#include "pipeline.h"

#define SIZE (48 * 1024 * 1024)
#define THREADS 2

struct bench
{
  GByteArray *data;
  guint passes;
  guint fixed; /* the best size */
};

static const guint sizes[] = { 65536, 131072, 262144, 524288, 1048576, 2097152,
  4194304 };

static double
run_fixed (void *user_data)
{
  struct bench *bench = user_data;
  gchar *element = g_strdup_printf ("zstdenc chunk-size=%u", bench->fixed);
  double seconds =
      bench_play (element, THREADS, NULL, bench->data, bench->passes, NULL);

  g_free (element);
  return seconds;
}

static double
run_adaptive (void *user_data)
{
  struct bench *bench = user_data;

  return bench_play ("zstdenc adaptive=true", THREADS, NULL, bench->data,
      bench->passes, NULL);
}

static gsize
coded_size (const gchar *element, const GByteArray *data, guint passes)
{
  GByteArray *out = g_byte_array_new ();
  gsize size;

  bench_play (element, THREADS, NULL, data, passes, out);
  size = out->len;
  g_byte_array_unref (out);
  return size;
}

static void
find_best (struct bench *bench)
{
  double seconds[G_N_ELEMENTS (sizes)], best_seconds = G_MAXDOUBLE;
  gsize coded[G_N_ELEMENTS (sizes)], smallest = G_MAXSIZE;
  const guint passes = bench->passes;
  guint i, round;

  for (i = 0; i < G_N_ELEMENTS (sizes); i++) {
    gchar *element = g_strdup_printf ("zstdenc chunk-size=%u", sizes[i]);

    coded[i] = coded_size (element, bench->data, 1);
    smallest = MIN (smallest, coded[i]);
    g_free (element);
    bench->fixed = sizes[i];
    seconds[i] = G_MAXDOUBLE;
    bench->passes = (passes + 3) / 4;
    for (round = 0; round < 3; round++)
      seconds[i] = MIN (seconds[i], run_fixed (bench));
    bench->passes = passes;
  }
  bench->fixed = 0;
  for (i = 0; i < G_N_ELEMENTS (sizes); i++)
    if ((double) coded[i] <= (double) smallest * 1.01
        && seconds[i] < best_seconds) {
      best_seconds = seconds[i];
      bench->fixed = sizes[i];
    }
}

static GByteArray *
make_data (const gchar *kind)
{
  static const gchar *const words[] = { "the ", "electrode ", "was ", "moved ",
    "at ", "noon, ", "signal ", "quality ", "of ", "channel ", "Cz ", "is ",
    "good. ", "\n", "sleep ", "stage " };
  GByteArray *data;
  guint32 x = 1;

  if (strcmp (kind, "EEG") == 0)
    return bench_make_bdf ();
  data = g_byte_array_new ();
  if (strcmp (kind, "zeros") == 0) {
    g_byte_array_set_size (data, SIZE);
    memset (data->data, 0, SIZE);
    return data;
  }
  while (data->len < SIZE) {
    x = x * 1664525u + 1013904223u;
    if (strcmp (kind, "random") == 0) {
      guint8 byte = (guint8) (x >> 24);

      g_byte_array_append (data, &byte, 1);
    } else {
      const gchar *word = words[x >> 28];

      g_byte_array_append (data, (const guint8 *) word, strlen (word));
    }
  }
  return data;
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const gchar *kind;
    guint passes;
  } kinds[] = { { "EEG", 6 }, { "zeros", 120 }, { "random", 240 },
    { "text", 6 } };
  gboolean reached = TRUE;
  guint i;

  gst_init (&argc, &argv);
  for (i = 0; i < G_N_ELEMENTS (kinds); i++) {
    struct bench bench = { make_data (kinds[i].kind), kinds[i].passes, 0 };
    gchar *backend;
    struct bench_row row = { .name = "zstdenc adaptive=true",
      .data = kinds[i].kind,
      .packing = "BDF or bytes",
      .threads = THREADS,
      .target = 0.95,
      .direction = BENCH_AT_LEAST,
      .bytes = (guint64) bench.data->len * kinds[i].passes };

    if (argc > 1
        && !g_strv_contains ((const gchar *const *) argv + 1, kinds[i].kind)) {
      g_byte_array_unref (bench.data);
      continue;
    }
    find_best (&bench);
    backend =
        g_strdup_printf ("the best fixed size, %u KiB", bench.fixed / 1024);
    row.backend = backend;
    reached &= bench_compare (&row, run_adaptive, run_fixed, &bench);
    g_free (backend);
    g_byte_array_unref (bench.data);
  }
  return reached ? 0 : 1;
}
