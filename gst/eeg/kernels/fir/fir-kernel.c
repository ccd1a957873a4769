/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fir-private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Largest difference of mirrored taps, sign * the mirror added. */
static double
asymmetry (const double *taps, size_t n, double sign)
{
  double worst = 0;

  for (size_t i = 0; i < n; i++)
    worst = fmax (worst, fabs (taps[i] - sign * taps[n - 1 - i]));
  return worst;
}

/* One level: the taps from `start` to before `end`. */
static bool
add_level (eeg_fir_kernel *kernel, size_t block, size_t n, size_t start,
    size_t end)
{
  eeg_fir_level *level = &kernel->levels[kernel->n_levels++];
  size_t units = eeg_fir_fft_units (n, eeg_fir_fft_leaf (n)),
         length = n - block;
  long double gain = 0;
  double *points;

  level->block = block;
  level->points = n;
  level->n_parts = (end - start + length - 1) / length;
  level->spectra =
      aligned_alloc (EEG_FIR_ALIGN, level->n_parts * n * 2 * sizeof (double));
  points = aligned_alloc (EEG_FIR_ALIGN, n * EEG_FIR_POINT * sizeof (double));
  if (level->spectra == NULL || points == NULL) {
    free (points);
    return false;
  }
  for (size_t part = 0; part < level->n_parts; part++) {
    double *spectrum = level->spectra + part * n * 2;

    memset (points, 0, n * EEG_FIR_POINT * sizeof (double));
    for (size_t i = 0; i < length; i++) {
      size_t k = start + part * length + i;

      if (k < end) {
        double tap = kernel->reversed[kernel->n_taps - 1 - k];

        points[i * EEG_FIR_POINT] = tap / (double) n;
        gain += tap;
      }
    }
    eeg_fir_fft_base.forward (points, n, 0, units, kernel->twiddles);
    for (size_t i = 0; i < n; i++) {
      spectrum[2 * i] = points[i * EEG_FIR_POINT];
      spectrum[2 * i + 1] = points[i * EEG_FIR_POINT + EEG_FIR_PANEL];
    }
  }
  level->gain = (double) gain;
  free (points);
  return true;
}

double *
eeg_fir_fft_new_twiddles (size_t n)
{
  double *twiddles = aligned_alloc (EEG_FIR_ALIGN,
      (eeg_fir_fft_twiddles_at (2 * n) * sizeof (double) + EEG_FIR_ALIGN - 1)
          / EEG_FIR_ALIGN * EEG_FIR_ALIGN);

  if (twiddles == NULL)
    return NULL;
  for (size_t size = 4; size <= n; size *= 2) {
    double *w = twiddles + eeg_fir_fft_twiddles_at (size);

    for (size_t k = 0; k < size / 4; k++)
      for (size_t m = 1; m <= 3; m++) {
        long double angle = -2 * 3.14159265358979323846264338327950288L
            * (long double) (m * k) / (long double) size;

        *w++ = (double) cosl (angle);
        *w++ = (double) sinl (angle);
      }
  }
  return twiddles;
}

static bool
make_twiddles (eeg_fir_kernel *kernel, size_t n)
{
  kernel->twiddles = eeg_fir_fft_new_twiddles (n);
  return kernel->twiddles != NULL;
}

static size_t
next_block (size_t block)
{
  return block * (block == EEG_FIR_FIRST_BLOCK ? 8 : 4);
}

/* Prepares a long kernel for use without latency. One more level pays where it
 * takes over a good part of all taps. */
static bool
make_levels (eeg_fir_kernel *kernel)
{
  size_t largest = EEG_FIR_FIRST_BLOCK;

  while (2 * kernel->n_taps >= 7 * next_block (largest))
    largest = next_block (largest);
  kernel->head = 2 * EEG_FIR_FIRST_BLOCK;
  if (!make_twiddles (kernel, 2 * largest))
    return false;
  for (size_t block = EEG_FIR_FIRST_BLOCK; block <= largest;
       block = next_block (block))
    if (!add_level (kernel, block, 2 * block, 2 * block,
            block == largest ? kernel->n_taps : 2 * next_block (block)))
      return false;
  return true;
}

/* Rows that one transform of n points makes with the whole kernel. */
static size_t
rows_of (const eeg_fir_kernel *kernel, size_t n)
{
  return n > kernel->n_taps
      ? (n - kernel->n_taps) / EEG_FIR_CHUNK * EEG_FIR_CHUNK
      : 0;
}

/* Prepares a long kernel for work in blocks: one part and as many rows for each
 * transform as it gives while that stays in the cache, else few transforms, as
 * long as the kernel is. */
static bool
make_blocks (eeg_fir_kernel *kernel)
{
  size_t block, points = 2 * EEG_FIR_LEAST_BLOCK;

  while (points < EEG_FIR_LARGEST_SINGLE
      && rows_of (kernel, points) < EEG_FIR_FULL * points)
    points *= 2;
  block = rows_of (kernel, points);
  if (block < points / 2) {
    block = EEG_FIR_LEAST_BLOCK;
    while (2 * block < kernel->n_taps
        && (block < EEG_FIR_LARGEST_BLOCK
            || kernel->n_taps > EEG_FIR_PARTS_IN_BLOCKS * block))
      block *= 2;
    points = 2 * block;
  }
  kernel->head = 0;
  kernel->latency = 2 * block;
  return make_twiddles (kernel, points)
      && add_level (kernel, block, points, 0, kernel->n_taps);
}

eeg_fir_kernel *
eeg_fir_kernel_new (const double *taps, size_t n_taps, size_t delay,
    eeg_fir_latency latency)
{
  eeg_fir_kernel *kernel;
  double largest = 0, even, odd;
  bool ok;

  if (n_taps < 1 || n_taps > EEG_FIR_MAX_TAPS
      || (delay != EEG_FIR_DELAY_AUTO && delay >= n_taps))
    return NULL;
  for (size_t i = 0; i < n_taps; i++) {
    if (!isfinite (taps[i]))
      return NULL;
    largest = fmax (largest, fabs (taps[i]));
  }

  kernel = calloc (1, sizeof *kernel);
  if (kernel == NULL)
    return NULL;
  kernel->refs = 1;
  kernel->n_taps = n_taps;
  kernel->taps = malloc (n_taps * sizeof (double));
  kernel->reversed = malloc (n_taps * sizeof (double));
  if (kernel->taps == NULL || kernel->reversed == NULL) {
    eeg_fir_kernel_unref (kernel);
    return NULL;
  }
  memcpy (kernel->taps, taps, n_taps * sizeof (double));
  for (size_t i = 0; i < n_taps; i++)
    kernel->reversed[i] = taps[n_taps - 1 - i];

  even = asymmetry (taps, n_taps, 1);
  odd = asymmetry (taps, n_taps, -1);
  kernel->linear_phase = fmin (even, odd) <= 1e-12 * largest;

  /* Half the multiplications where mirrored taps differ by rounding only, as
   * those of other designers do. */
  kernel->symmetry = EEG_FIR_GENERAL;
  if (fmin (even, odd) <= 1e-15 * largest) {
    double sign = even <= odd ? 1 : -1;

    kernel->symmetry = even <= odd ? EEG_FIR_SYMMETRIC : EEG_FIR_ANTISYMMETRIC;
    for (size_t i = 0; i < (n_taps + 1) / 2; i++) {
      double *a = &kernel->reversed[i], *b = &kernel->reversed[n_taps - 1 - i];

      *a = 0.5 * (*a + sign * *b);
      *b = sign * *a;
    }
  }

  if (delay != EEG_FIR_DELAY_AUTO)
    kernel->delay = delay;
  else
    kernel->delay = kernel->linear_phase ? (n_taps - 1) / 2 : 0;

  kernel->head = n_taps;
  if (latency == EEG_FIR_BLOCK_LATENCY)
    ok = n_taps <= EEG_FIR_MAX_DIRECT_IN_BLOCKS || make_blocks (kernel);
  else
    ok = n_taps <= EEG_FIR_MAX_DIRECT || make_levels (kernel);
  if (!ok) {
    eeg_fir_kernel_unref (kernel);
    return NULL;
  }
  return kernel;
}

eeg_fir_kernel *
eeg_fir_kernel_ref (eeg_fir_kernel *kernel)
{
  __atomic_add_fetch (&kernel->refs, 1, __ATOMIC_RELAXED);
  return kernel;
}

void
eeg_fir_kernel_unref (eeg_fir_kernel *kernel)
{
  if (kernel == NULL
      || __atomic_sub_fetch (&kernel->refs, 1, __ATOMIC_ACQ_REL) > 0)
    return;
  free (kernel->taps);
  free (kernel->reversed);
  free (kernel->twiddles);
  for (size_t i = 0; i < kernel->n_levels; i++)
    free (kernel->levels[i].spectra);
  free (kernel);
}

const double *
eeg_fir_kernel_get_taps (const eeg_fir_kernel *kernel, size_t *n_taps)
{
  *n_taps = kernel->n_taps;
  return kernel->taps;
}

size_t
eeg_fir_kernel_get_delay (const eeg_fir_kernel *kernel)
{
  return kernel->delay;
}

size_t
eeg_fir_kernel_get_latency (const eeg_fir_kernel *kernel)
{
  return kernel->latency;
}

size_t
eeg_fir_kernel_get_look_back (const eeg_fir_kernel *kernel)
{
  const eeg_fir_level *longest;

  if (kernel->n_levels == 0)
    return kernel->n_taps - 1;
  longest = &kernel->levels[kernel->n_levels - 1];
  return kernel->n_taps - 1 + 3 * longest->block
      + (longest->n_parts == 1 ? EEG_FIR_CHUNK : 0);
}

const char *
eeg_fir_kernel_get_engine (const eeg_fir_kernel *kernel)
{
  return kernel->n_levels == 0 ? "direct"
      : kernel->head > 0       ? "partitioned"
                               : "blocks";
}

bool
eeg_fir_kernel_is_linear_phase (const eeg_fir_kernel *kernel)
{
  return kernel->linear_phase;
}
