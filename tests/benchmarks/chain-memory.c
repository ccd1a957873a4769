/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Peak memory of the whole chain, for a short and a long recording: it depends
 * on rings and pools, never on the length. Each is recorded in a process of its
 * own, of which the kernel tells the peak.
 *
 *   chain-memory [MEGABYTES-SHORT MEGABYTES-LONG]
 */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gst/gst.h>

#include "benchmark.h"
#include "play.h"

#define CHANNELS 64
#define BYTES_PER_FRAME (CHANNELS * 4) /* S32LE */

static int
record (guint64 bytes, const gchar *key_file)
{
  gchar *line = g_strdup_printf (
      "eegsrc driver=synthetic channels=%d rate=1000/1 format=S32LE "
      "num-samples=%" G_GUINT64_FORMAT " ! rawtovoltage ! "
      "firfilter mode=band-pass low=0.5 high=40 ! edfmux ! zstdenc ! "
      "aesgcmenc key-file=%s ! blake3sum ! filesink location=/dev/null",
      CHANNELS, bytes / BYTES_PER_FRAME, key_file);

  return bench_play_line (line) < 0.0 ? 1 : 0;
}

/* Peak of the resident memory in MiB, negative after an error. */
static double
measure (char *program, guint64 megabytes, char *key_file)
{
  gchar *size = g_strdup_printf ("%" G_GUINT64_FORMAT, megabytes * 1000000);
  struct rusage usage;
  int status = 1;
  pid_t pid = fork ();

  if (pid == 0) {
    /* a new image: a fork would start with the pages of this one */
    execl (program, program, "--record", size, key_file, (char *) NULL);
    _exit (1);
  }
  g_free (size);
  if (pid < 0 || wait4 (pid, &status, 0, &usage) != pid || status != 0)
    return -1.0;
  return usage.ru_maxrss / 1024.0;
}

int
main (int argc, char **argv)
{
  struct bench_row row = {
    .name = "peak memory of the whole chain, long against short",
    .data = "synthetic EEG, 64 channels",
    .packing = "S32LE to BDF",
    .backend = "eegsrc to filesink",
    .target = 8.0,
    .direction = BENCH_AT_MOST,
  };
  guint64 sizes[2] = { 100, 1000 };
  gchar *folder, *key_file, *name;
  double peak[2];
  gchar key[32];
  int status;
  guint i;

  if (argc == 4 && strcmp (argv[1], "--record") == 0) {
    gst_init (NULL, NULL);
    return record (g_ascii_strtoull (argv[2], NULL, 10), argv[3]);
  }
  if (argc == 3) {
    sizes[0] = g_ascii_strtoull (argv[1], NULL, 10);
    sizes[1] = g_ascii_strtoull (argv[2], NULL, 10);
  }

  folder = g_dir_make_tmp ("gsteeg-bench-XXXXXX", NULL);
  key_file = g_build_filename (folder, "key", NULL);
  for (i = 0; i < sizeof key; i++)
    key[i] = (gchar) g_random_int ();
  if (!g_file_set_contents_full (key_file, key, sizeof key,
          G_FILE_SET_CONTENTS_NONE, 0600, NULL))
    return 1;

  /* the registry is written first, which takes memory of its own */
  status = measure (argv[0], 1, key_file) < 0.0 ? 1 : 0;
  for (i = 0; i < 2 && status == 0; i++) {
    peak[i] = measure (argv[0], sizes[i], key_file);
    if (peak[i] < 0.0)
      status = 1;
  }
  if (status == 0) {
    name = g_strdup_printf ("peak memory of the whole chain, %" G_GUINT64_FORMAT
                            " MB against %" G_GUINT64_FORMAT " MB of input",
        sizes[1], sizes[0]);
    row.name = name;
    if (!bench_report (&row, ABS (peak[1] - peak[0]), "MiB apart"))
      status = 1;
    row.name = "peak memory of the whole chain";
    row.target = 96.0;
    if (!bench_report (&row, MAX (peak[0], peak[1]), "MiB"))
      status = 1;
    g_free (name);
  }
  remove (key_file);
  remove (folder);
  g_free (key_file);
  g_free (folder);
  return status;
}
