/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What it costs to store a checkpoint every 64 MiB, beside the stream: against
 * the same pipeline without, which also has all on disk in the end; and the
 * recording sink against core's filesink with one fdatasync() at the end. The
 * files are in the folder for temporary files, which should be a disk.
 */
#include "benchmark.h"
#include "play.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* A copy goes so fast that the first and the last checkpoint would count. */
#define INPUT_COPIES 12
#define INPUT_COPIES_CODED 5
#define BDF_LINE                                                               \
  "eegsrc driver=synthetic channels=64 rate=1000/1 format=S24LE "              \
  "num-samples=250000 ! edfmux ! filesink location=%s"
#define SOURCE_LINE "filesrc location=%s/in ! eegchunk checkpoint-interval=%u"
#define INTERVAL (64u << 20)

struct run
{
  const gchar *folder;
  const gchar *middle;
  const gchar *sink;
  const gchar *reference_sink;
};

static void
remove_file (const gchar *folder, const gchar *name)
{
  gchar *path = g_build_filename (folder, name, NULL);

  g_unlink (path);
  g_free (path);
}

static gboolean
sync_output (const gchar *folder)
{
  gchar *path = g_build_filename (folder, "out", NULL);
  int fd = open (path, O_RDONLY);
  gboolean ok = fd >= 0 && fdatasync (fd) == 0;

  if (fd >= 0)
    close (fd);
  g_free (path);
  return ok;
}

static double
run_sink (const struct run *run, const gchar *sink)
{
  gchar *line = g_strdup_printf (SOURCE_LINE " ! %s ! %s location=%s/out",
      run->folder, INTERVAL, run->middle, sink, run->folder);
  double start, seconds = -1.0;

  remove_file (run->folder, "out");
  remove_file (run->folder, "out.checkpoint");
  remove_file (run->folder, "out.checkpoint.old");
  /* what the run before left to the disk is no business of this one */
  sync ();
  start = bench_now ();
  if (bench_play_line (line) >= 0.0 && sync_output (run->folder))
    seconds = bench_now () - start;
  return seconds;
}

static double
run_ours (void *user_data)
{
  const struct run *run = user_data;

  return run_sink (run, run->sink);
}

static double
run_reference (void *user_data)
{
  const struct run *run = user_data;

  return run_sink (run, run->reference_sink);
}

/* The same recording again and again: a disk does not mind. */
static gboolean
make_input (const gchar *folder, guint64 *size)
{
  gchar *one = g_build_filename (folder, "one", NULL);
  gchar *in = g_build_filename (folder, "in", NULL);
  gchar *line = g_strdup_printf (BDF_LINE, one);
  gchar *data = NULL;
  gsize length = 0;
  gboolean ok = bench_play_line (line) >= 0.0
      && g_file_get_contents (one, &data, &length, NULL);
  FILE *file = ok ? g_fopen (in, "wb") : NULL;
  guint i;

  for (i = 0; file != NULL && i < INPUT_COPIES; i++)
    ok = ok && fwrite (data, 1, length, file) == length;
  ok = file != NULL && fclose (file) == 0 && ok;
  *size = length;
  g_unlink (one);
  g_free (data);
  g_free (one);
  g_free (in);
  return ok;
}

static gboolean
shorten_input (const gchar *folder, guint64 size)
{
  gchar *in = g_build_filename (folder, "in", NULL);
  gboolean ok = truncate (in, (off_t) size) == 0;

  g_free (in);
  return ok;
}

int
main (int argc, char **argv)
{
  static const gchar *const middles[] = { "queue", "zstdenc" };
  gchar *folder = g_dir_make_tmp ("gsteeg-bench-XXXXXX", NULL);
  gboolean ok;
  guint64 size = 0;
  guint i;

  gst_init (&argc, &argv);
  ok = folder != NULL && make_input (folder, &size);
  for (i = 0; size > 0 && i < G_N_ELEMENTS (middles); i++) {
    struct run run = { folder, middles[i], "eegfilesink checkpoint=true",
      "eegfilesink sync-time=0" };
    struct bench_row row = { .name = i == 0
          ? "checkpoints every 64 MiB of a copy"
          : "checkpoints every 64 MiB of zstdenc",
      .data = i == 0 ? "synthetic EEG, 64 channels, file of 576 MB"
                     : "synthetic EEG, 64 channels, file of 240 MB",
      .packing = "BDF",
      .threads = 0,
      .backend = "without checkpoints",
      .target = 0.98,
      .direction = BENCH_AT_LEAST,
      /* a disk is never the same twice */
      .rounds = i == 0 ? 7 : 11,
      .bytes = size * (i == 0 ? INPUT_COPIES : INPUT_COPIES_CODED) };

    ok = shorten_input (folder, row.bytes) && ok;
    ok = bench_compare (&row, run_ours, run_reference, &run) && ok;
    if (i > 0)
      continue;
    run.sink = "eegfilesink";
    run.reference_sink = "filesink";
    row.name = "eegfilesink";
    row.backend = "filesink and fdatasync";
    row.target = 0.0;
    ok = bench_compare (&row, run_ours, run_reference, &run) && ok;
  }
  if (folder != NULL) {
    remove_file (folder, "in");
    remove_file (folder, "out");
    remove_file (folder, "out.checkpoint");
    remove_file (folder, "out.checkpoint.old");
    g_rmdir (folder);
  }
  g_free (folder);
  return ok ? 0 : 1;
}
