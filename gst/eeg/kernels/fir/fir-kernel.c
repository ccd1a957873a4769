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
