/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * chacha20poly1305enc against the tool age: a file in memory where that is to
 * be had, to nowhere. Once with libcrypto, which has the target, once with
 * libsodium.
 */
#include <string.h>

#include "benchmark.h"
#include "play.h"

#include "aead/aead.h"

#define SIZE (1024 * 1024 * 1024)

struct bench
{
  gchar *path, *recipient;
};

static double
run_element (void *user_data)
{
  struct bench *bench = user_data;

  return bench_play_line (g_strdup_printf (
      "filesrc location=%s blocksize=1048576 ! chacha20poly1305enc "
      "recipients=%s threads=2 ! fakesink sync=false enable-last-sample=false",
      bench->path, bench->recipient));
}

static double
run_tool (void *user_data)
{
  struct bench *bench = user_data;
  const gchar *argv[] = { "age", "-r", bench->recipient, "-o", "/dev/null",
    bench->path, NULL };
  double start = bench_now ();
  gint status = -1;

  if (!g_spawn_sync (NULL, (gchar **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL,
          NULL, NULL, NULL, &status, NULL)
      || status != 0)
    return -1.0;
  return bench_now () - start;
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const gchar *name;
    double target;
  } backends[] = { { "libcrypto", 2.0 }, { "libsodium", 0.0 } };
  struct bench bench = { 0 };
  gchar *folder = g_strdup ("/dev/shm/gsteeg-bench-XXXXXX"), *output = NULL;
  gchar *start, *data;
  gboolean reached = TRUE;
  guint32 x = 1;
  gsize i;

  gst_init (&argc, &argv);
  if (!g_spawn_command_line_sync ("age-keygen", &output, NULL, NULL, NULL)
      || (start = strstr (output, "age1")) == NULL) {
    g_free (output);
    g_free (folder);
    fprintf (stderr, "age-keygen is missing\n");
    return 77;
  }
  bench.recipient = g_strndup (start, strcspn (start, "\n"));
  if (g_mkdtemp (folder) == NULL) {
    g_free (folder);
    folder = g_dir_make_tmp ("gsteeg-bench-XXXXXX", NULL);
  }
  bench.path = g_build_filename (folder, "input", NULL);
  data = g_malloc (SIZE);
  for (i = 0; i < SIZE; i++) {
    x = x * 1664525u + 1013904223u;
    data[i] = (gchar) (x >> 24);
  }
  if (!g_file_set_contents (bench.path, data, SIZE, NULL))
    return 1;
  g_free (data);

  for (i = 0; i < G_N_ELEMENTS (backends); i++) {
    struct bench_row row = { .name = "chacha20poly1305enc to age",
      .data = "1 GiB of pseudo-random bytes",
      .packing = "file in memory",
      .threads = 2,
      .backend = backends[i].name,
      .target = backends[i].target,
      .direction = BENCH_AT_LEAST,
      .bytes = SIZE };

    g_setenv (EEG_AEAD_BACKEND_VARIABLE, backends[i].name, TRUE);
    reached &= bench_compare (&row, run_element, run_tool, &bench);
  }
  remove (bench.path);
  remove (folder);
  g_free (bench.path);
  g_free (bench.recipient);
  g_free (folder);
  g_free (output);
  return reached ? 0 : 1;
}
