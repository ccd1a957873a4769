/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the benchmarks share: two functions timed against each other in one
 * run, in turns, and one line of JSON for each row. Plain C, so that formats
 * and kernels can use it too.
 *
 *   static double
 *   run_element (void *user_data)
 *   {
 *     double start;
 *     ... set up ...
 *     start = bench_now ();
 *     ... the work ...
 *     return bench_now () - start;
 *   }
 *
 *   int
 *   main (int argc, char **argv)
 *   {
 *     struct bench_row row = { .name = "zstdenc", .data = "synthetic-64ch",
 *       .packing = "BDF", .threads = 1, .backend = "libzstd",
 *       .target = 0.97, .direction = BENCH_AT_LEAST, .bytes = size };
 *
 *     return bench_compare (&row, run_element, run_reference, &data) ? 0 : 1;
 *   }
 */
#ifndef __GST_EEG_BENCHMARK_H__
#define __GST_EEG_BENCHMARK_H__

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BENCH_MAX_ROUNDS 101
#define BENCH_DEFAULT_ROUNDS 7

enum bench_direction
{
  BENCH_AT_LEAST, /* the figure has to reach the target */
  BENCH_AT_MOST   /* the figure must not pass the target */
};

struct bench_row
{
  const char *name;    /* what is measured */
  const char *data;    /* what it works on */
  const char *packing; /* sample format or container of the data */
  unsigned threads;    /* 0 where it means nothing */
  const char *backend; /* library or instruction set that does the work */
  double target;
  enum bench_direction direction;
  unsigned rounds; /* 0: BENCH_DEFAULT_ROUNDS */
  uint64_t bytes;  /* worked on by each call, 0 where it means nothing */
};

/* Does the work once. Returns the seconds it took, set-up left out; a negative
 * value says that it failed. */
typedef double (*bench_func) (void *user_data);

/* Wall clock in seconds from an arbitrary start. */
static inline double
bench_now (void)
{
  struct timespec t;

  clock_gettime (CLOCK_MONOTONIC, &t);
  return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

/* CPU time of the whole process in seconds. */
static inline double
bench_cpu_now (void)
{
  struct timespec t;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

static inline int
bench_compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

/* The middle of @values, which are put in order. */
static inline double
bench_median (double *values, unsigned n)
{
  qsort (values, n, sizeof (double), bench_compare_doubles);
  return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2.0;
}

static inline void
bench_print_string (const char *key, const char *value)
{
  const char *p;

  printf ("\"%s\":\"", key);
  for (p = value != NULL ? value : ""; *p != '\0'; p++) {
    if (*p == '"' || *p == '\\')
      putchar ('\\');
    if ((unsigned char) *p >= 0x20)
      putchar (*p);
  }
  printf ("\",");
}

static inline bool
bench_print_row (const struct bench_row *row, double ratio)
{
  bool reached = row->direction == BENCH_AT_LEAST ? ratio >= row->target
                                                  : ratio <= row->target;

  putchar ('{');
  bench_print_string ("name", row->name);
  bench_print_string ("data", row->data);
  bench_print_string ("packing", row->packing);
  printf ("\"threads\":%u,", row->threads);
  bench_print_string ("backend", row->backend);
  printf ("\"ratio\":%.6g,\"target\":%.6g,\"direction\":\"%s\",\"reached\":%s",
      ratio, row->target,
      row->direction == BENCH_AT_LEAST ? "at least" : "at most",
      reached ? "true" : "false");
  return reached;
}

/* Calls @ours and @reference in turns, each round the other one first, after
 * one call each that does not count. The row's ratio is the median of the
 * rounds' ratios: with BENCH_AT_LEAST that of the speeds (above 1: ours is
 * faster), with BENCH_AT_MOST that of the times (above 1: ours takes longer).
 * Prints the row. Returns whether the target was reached. */
static inline bool
bench_compare (const struct bench_row *row, bench_func ours,
    bench_func reference, void *user_data)
{
  double ratios[BENCH_MAX_ROUNDS];
  double times[2][BENCH_MAX_ROUNDS];
  bench_func funcs[2] = { ours, reference };
  unsigned rounds = row->rounds ? row->rounds : BENCH_DEFAULT_ROUNDS;
  double ratio, seconds;
  unsigned round, side;
  bool reached;

  if (rounds > BENCH_MAX_ROUNDS)
    rounds = BENCH_MAX_ROUNDS;
  for (round = 0; round <= rounds; round++) {
    double t[2];

    for (side = 0; side < 2; side++) {
      unsigned which = (side + round) % 2;

      t[which] = funcs[which](user_data);
      if (!(t[which] >= 0.0)) {
        fprintf (stderr, "%s: %s failed\n", row->name,
            which == 0 ? "our side" : "the reference");
        return false;
      }
    }
    if (round == 0)
      continue;
    times[0][round - 1] = t[0];
    times[1][round - 1] = t[1];
    ratios[round - 1] =
        row->direction == BENCH_AT_LEAST ? t[1] / t[0] : t[0] / t[1];
  }

  ratio = bench_median (ratios, rounds);
  reached = bench_print_row (row, ratio);
  seconds = bench_median (times[0], rounds);
  printf (",\"rounds\":%u,\"lowest\":%.6g,\"highest\":%.6g,\"seconds\":%.6g,"
          "\"reference_seconds\":%.6g",
      rounds, ratios[0], ratios[rounds - 1], seconds,
      bench_median (times[1], rounds));
  if (row->bytes > 0)
    printf (",\"megabytes_per_second\":%.1f",
        (double) row->bytes / 1e6 / seconds);
  printf ("}\n");
  fflush (stdout);
  return reached;
}

/* Prints a row whose figure is not a comparison of times, with the unit that
 * figure and target have. Returns whether the target was reached. */
static inline bool
bench_report (const struct bench_row *row, double value, const char *unit)
{
  bool reached = bench_print_row (row, value);

  printf (",");
  bench_print_string ("unit", unit);
  printf ("\"rounds\":%u}\n", row->rounds ? row->rounds : 1);
  fflush (stdout);
  return reached;
}

#endif /* __GST_EEG_BENCHMARK_H__ */
