/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Minimum-phase kernels by the cepstrum: the logarithm of a response's
 * magnitude has a real, even cepstrum; folded onto the times from 0 on it is
 * that of the causal, minimum-phase kernel of the same magnitude (Oppenheim and
 * Schafer, Discrete-Time Signal Processing, 13.5). */
#include "fir-design.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Longest transform: 768 MiB while a kernel is designed. */
#define MAX_POINTS ((size_t) 1 << 25)

static const double pi = 3.14159265358979323846;

/* Products without the detour over infinities that C asks of complex ones.
 * Numbers are made by the builtin: clang has no CMPLX with glibc. */
static inline double complex
times (double complex a, double complex b)
{
  double re = creal (a) * creal (b) - cimag (a) * cimag (b);
  double im = creal (a) * cimag (b) + cimag (a) * creal (b);

  return __builtin_complex (re, im);
}

/* In place, n a power of two; leaves the spectrum in bit-reversed order. */
static void
forward (double complex *x, size_t n, const double complex *twiddles)
{
  for (size_t half = n / 2, step = 1; half > 0; half /= 2, step *= 2)
    for (size_t start = 0; start < n; start += 2 * half)
      for (size_t k = 0; k < half; k++) {
        double complex *a = &x[start + k], *b = a + half, d = *a - *b;

        *a += *b;
        *b = times (d, twiddles[k * step]);
      }
}

/* Takes what forward() leaves, and divides by n. */
static void
inverse (double complex *x, size_t n, const double complex *twiddles)
{
  for (size_t half = 1, step = n / 2; half < n; half *= 2, step /= 2)
    for (size_t start = 0; start < n; start += 2 * half)
      for (size_t k = 0; k < half; k++) {
        double complex *a = &x[start + k], *b = a + half;
        double complex d = times (*b, conj (twiddles[k * step]));

        *b = *a - d;
        *a += d;
      }
  for (size_t i = 0; i < n; i++)
    x[i] /= (double) n;
}

static size_t
power_of_two (double at_least)
{
  size_t n = 16;

  while ((double) n < at_least && n < MAX_POINTS)
    n *= 2;
  return n;
}

bool
eeg_fir_to_minimum_phase (double *taps, size_t *n_taps, bool half)
{
  size_t n_in = *n_taps, n_out = half ? (n_in + 1) / 2 : n_in;
  /* Zeros on the unit circle make a cepstrum that falls with 1 / time only, so
   * the transform is far longer than the kernel; how far, shows in a deep stop
   * band. The half is that of scipy, point by point. */
  double points = half
      ? 200.0 * (double) (n_in - 1)
      : fmax (64.0 * (double) n_in, fmin (256.0 * (double) n_in, 1 << 21));
  size_t n = power_of_two (points);
  double complex *x = calloc (n, sizeof *x);
  double complex *twiddles = malloc (n / 2 * sizeof *twiddles);
  double least = INFINITY, largest = 0, floor;

  if (x == NULL || twiddles == NULL) {
    free (x);
    free (twiddles);
    return false;
  }
  for (size_t k = 0; k < n / 2; k++) {
    double angle = -2 * pi * (double) k / (double) n;

    twiddles[k] = __builtin_complex (cos (angle), sin (angle));
  }

  for (size_t i = 0; i < n_in; i++)
    x[i] = taps[i];
  forward (x, n, twiddles);
  for (size_t k = 0; k < n; k++) {
    double magnitude = hypot (creal (x[k]), cimag (x[k]));

    x[k] = magnitude;
    largest = fmax (largest, magnitude);
    if (magnitude > 0)
      least = fmin (least, magnitude);
  }
  /* keeps zeros from the logarithm */
  floor = half ? 1e-7 * least : 1e-12 * largest;
  for (size_t k = 0; k < n; k++)
    x[k] = (half ? 0.5 : 1.0) * log (creal (x[k]) + floor);
  inverse (x, n, twiddles);

  if (half) {
    /* scipy.signal.minimum_phase() keeps as many values as it has taps */
    size_t stop = (n_in + 1) / 2;

    x[0] = creal (x[0]);
    for (size_t i = 1; i < n; i++)
      x[i] = i < stop                  ? 2 * creal (x[i])
          : i == stop && n_in % 2 == 1 ? creal (x[i])
                                       : 0;
  } else {
    for (size_t i = 0; i < n; i++)
      x[i] = i == 0 || i == n / 2 ? creal (x[i])
          : i < n / 2             ? 2 * creal (x[i])
                                  : 0;
  }
  forward (x, n, twiddles);
  for (size_t k = 0; k < n; k++) {
    double gain = exp (creal (x[k])), angle = cimag (x[k]);

    x[k] = __builtin_complex (gain * cos (angle), gain * sin (angle));
  }
  inverse (x, n, twiddles);

  for (size_t i = 0; i < n_out; i++)
    taps[i] = creal (x[i]);
  *n_taps = n_out;
  free (x);
  free (twiddles);
  return true;
}
