/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs a fuzz target over the files of its corpus, so that the corpus is an
 * ordinary test on any compiler:
 *
 *     regression-driver FILE-OR-FOLDER...
 *
 * Each input is given whole, cut at (up to 256) places, and with single bytes
 * changed at (up to 256) places, always in a block of exactly its size, so
 * that ASan and valgrind see each read beyond it. Everything is deterministic.
 */

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_VARIATIONS 256

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);
int LLVMFuzzerInitialize (int *argc, char ***argv) __attribute__ ((weak));

static void
run_one (const uint8_t *data, size_t size)
{
  uint8_t *block = malloc (size);

  if (block == NULL && size > 0)
    abort ();
  if (size > 0)
    memcpy (block, data, size);
  LLVMFuzzerTestOneInput (block, size);
  free (block);
}

static void
run_variations (uint8_t *data, size_t size)
{
  size_t step = size / MAX_VARIATIONS + 1, i;
  uint32_t random = 1;

  run_one (data, size);
  for (i = 0; i < size; i += step)
    run_one (data, i);
  for (i = 0; i < size; i += step) {
    size_t at;
    uint8_t old;

    random = random * 1664525u + 1013904223u;
    at = i + (random >> 8) % (size - i < step ? size - i : step);
    old = data[at];
    data[at] ^= (uint8_t) (random >> 24 | 1);
    run_one (data, size);
    data[at] = old;
  }
}

static int
run_file (const char *path)
{
  FILE *file = fopen (path, "rb");
  uint8_t *data = NULL;
  size_t size = 0, got;

  if (file == NULL) {
    perror (path);
    return 1;
  }
  do {
    data = realloc (data, size + 65536);
    if (data == NULL)
      abort ();
    got = fread (data + size, 1, 65536, file);
    size += got;
  } while (got > 0);
  fclose (file);
  run_variations (data, size);
  free (data);
  return 0;
}

static int
run_path (const char *path, unsigned *files)
{
  struct stat status;
  struct dirent **entries;
  int n, i, failed = 0;

  if (stat (path, &status) != 0) {
    perror (path);
    return 1;
  }
  if (!S_ISDIR (status.st_mode)) {
    ++*files;
    return run_file (path);
  }
  n = scandir (path, &entries, NULL, alphasort);
  if (n < 0) {
    perror (path);
    return 1;
  }
  for (i = 0; i < n; i++) {
    char *inner;

    if (entries[i]->d_name[0] != '.') {
      if (asprintf (&inner, "%s/%s", path, entries[i]->d_name) < 0)
        abort ();
      failed |= run_path (inner, files);
      free (inner);
    }
    free (entries[i]);
  }
  free (entries);
  return failed;
}

int
main (int argc, char **argv)
{
  unsigned files = 0;
  int i, failed = 0;

  if (LLVMFuzzerInitialize != NULL)
    LLVMFuzzerInitialize (&argc, &argv);
  run_one ((const uint8_t *) "", 0);
  for (i = 1; i < argc; i++)
    failed |= run_path (argv[i], &files);
  printf ("%u files\n", files);
  if (files == 0) {
    fprintf (stderr, "no input: the corpus is missing\n");
    return 1;
  }
  return failed;
}
