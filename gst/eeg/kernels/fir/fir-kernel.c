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

/* One level: the parts from tap `block` to before tap `end`. */
static bool
make_level (eeg_fir_level *level, const eeg_fir_kernel *kernel, size_t block,
    size_t end, size_t n_twiddles)
{
  size_t n = 2 * block;
  double *points;

  level->block = block;
  level->n_parts = (end - block + block - 1) / block;
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
    for (size_t i = 0; i < block; i++) {
      size_t k = (part + 1) * block + i;

      if (k < end)
        points[i * EEG_FIR_POINT] =
            kernel->reversed[kernel->n_taps - 1 - k] / (double) n;
    }
    eeg_fir_fft_base.forward (points, n, kernel->twiddles, n_twiddles);
    for (size_t i = 0; i < n; i++) {
      spectrum[2 * i] = points[i * EEG_FIR_POINT];
      spectrum[2 * i + 1] = points[i * EEG_FIR_POINT + EEG_FIR_PANEL];
    }
  }
  free (points);
  return true;
}

/* Prepares a long kernel. */
static bool
make_levels (eeg_fir_kernel *kernel)
{
  size_t blocks[EEG_FIR_MAX_LEVELS], n = 0, block = EEG_FIR_HEAD, n_twiddles;

  for (;;) {
    blocks[n++] = block;
    if (n == EEG_FIR_MAX_LEVELS
        || kernel->n_taps - block <= 2 * EEG_FIR_GROWTH * block)
      break;
    block *= EEG_FIR_GROWTH;
  }
  n_twiddles = 2 * block;
  kernel->twiddles =
      aligned_alloc (EEG_FIR_ALIGN, n_twiddles * 2 * sizeof (double));
  if (kernel->twiddles == NULL)
    return false;
  for (size_t k = 0; k < n_twiddles; k++) {
    double angle =
        -2 * 3.14159265358979323846 * (double) k / (double) n_twiddles;

    kernel->twiddles[2 * k] = cos (angle);
    kernel->twiddles[2 * k + 1] = sin (angle);
  }
  for (size_t i = 0; i < n; i++) {
    kernel->n_levels++;
    if (!make_level (&kernel->levels[i], kernel, blocks[i],
            i + 1 < n ? blocks[i + 1] : kernel->n_taps, n_twiddles))
      return false;
  }
  return true;
}

eeg_fir_kernel *
eeg_fir_kernel_new (const double *taps, size_t n_taps, size_t delay)
{
  eeg_fir_kernel *kernel;
  double largest = 0, even, odd;

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

  if (n_taps > EEG_FIR_MAX_DIRECT && !make_levels (kernel)) {
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

bool
eeg_fir_kernel_is_linear_phase (const eeg_fir_kernel *kernel)
{
  return kernel->linear_phase;
}
