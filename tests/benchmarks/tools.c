/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two threads of zstdenc and gzipenc against the tools zstd -T2 and pigz: from
 * a file in memory to nowhere, and the size of what they make. */
#include <string.h>

#include "benchmark.h"
#include "pipeline.h"
#include "play.h"

struct bench
{
  const gchar *element, *tool;
  gchar *path;
};

/* Headers of C, one after the other, up to 32 MB. */
static GByteArray *
make_text (void)
{
  GByteArray *data = g_byte_array_new ();
  FILE *pipe = popen ("find /usr/include -name '*.h' -type f | LC_ALL=C sort | "
                      "xargs cat | head -c 32000000",
      "r");
  guint8 part[65536];
  gsize n;

  while (pipe != NULL && (n = fread (part, 1, sizeof part, pipe)) > 0)
    g_byte_array_append (data, part, n);
  if (pipe != NULL)
    pclose (pipe);
  return data;
}

static double
run_element (void *user_data)
{
  struct bench *bench = user_data;

  return bench_play_line (g_strdup_printf (
      "filesrc location=%s blocksize=1048576 ! %s threads=2 ! fakesink "
      "sync=false enable-last-sample=false",
      bench->path, bench->element));
}

static double
run_tool (void *user_data)
{
  struct bench *bench = user_data;
  gchar *line = g_strdup_printf ("%s <%s >/dev/null", bench->tool, bench->path);
  double start = bench_now ();
  gboolean ok = system (line) == 0;

  g_free (line);
  return ok ? bench_now () - start : -1.0;
}

/* Bytes that the tool makes, 0 after an error. */
static gsize
tool_size (const struct bench *bench)
{
  gchar *line = g_strdup_printf ("%s <%s | wc -c", bench->tool, bench->path);
  FILE *pipe = popen (line, "r");
  unsigned long size = 0;

  if (pipe != NULL) {
    if (fscanf (pipe, "%lu", &size) != 1)
      size = 0;
    pclose (pipe);
  }
  g_free (line);
  return size;
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const gchar *element, *tool;
    gboolean text;
    double speed, size; /* at least, at most; 0: none */
  } rows[] = {
    { "zstdenc level=3 chunk-size=1048576", "zstd -q -3 -T2 -c", FALSE, 1.3,
        1.01 },
    { "gzipenc level=6", "pigz -6 -p2 -c", FALSE, 1.3, 1.0 },
    { "gzipenc level=6 chunk-size=1048576", "pigz -6 -p2 -c", TRUE, 1.3, 1.02 },
  };
  gchar *folder = g_strdup ("/dev/shm/gsteeg-bench-XXXXXX");
  gboolean reached = TRUE;
  guint i;

  gst_init (&argc, &argv);
  if (g_mkdtemp (folder) == NULL) {
    g_free (folder);
    folder = g_dir_make_tmp ("gsteeg-bench-XXXXXX", NULL);
  }
  for (i = 0; i < G_N_ELEMENTS (rows); i++) {
    GByteArray *data = rows[i].text ? make_text () : bench_make_bdf ();
    GByteArray *coded = g_byte_array_new ();
    struct bench bench = { rows[i].element, rows[i].tool,
      g_build_filename (folder, "input", NULL) };
    gchar *size_name = g_strdup_printf ("size of %s", rows[i].element);
    struct bench_row row = { .name = rows[i].element,
      .data =
          rows[i].text ? "text, /usr/include" : "synthetic EEG, 64 channels",
      .packing = rows[i].text ? "C headers" : "BDF",
      .threads = 2,
      .backend = rows[i].tool,
      .target = rows[i].speed,
      .direction = BENCH_AT_LEAST,
      .bytes = data->len };
    gsize theirs;

    if (!g_file_set_contents (bench.path, (gchar *) data->data, data->len,
            NULL))
      return 1;
    reached &= bench_compare (&row, run_element, run_tool, &bench);
    bench_play (rows[i].element, 2, NULL, data, 1, coded);
    theirs = tool_size (&bench);
    row.name = size_name;
    row.target = rows[i].size;
    row.direction = BENCH_AT_MOST;
    if (theirs > 0)
      reached &= bench_report (&row, (double) coded->len / (double) theirs,
          "times the size");
    remove (bench.path);
    g_free (bench.path);
    g_free (size_name);
    g_byte_array_unref (data);
    g_byte_array_unref (coded);
  }
  remove (folder);
  g_free (folder);
  return reached ? 0 : 1;
}
