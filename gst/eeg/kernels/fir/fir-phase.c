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

/* Longest transform: 512 MiB while a kernel is designed. */
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

/* exp (-2 pi i k / size) for k below a quarter of it, as products of two of few
 * numbers: a table of all would be read from memory for longer than they take
 * to make. */
#define FINE 1024

struct twiddles
{
  double complex *fine;   /* of k = 0 .. FINE - 1 */
  double complex *coarse; /* of k = 0, FINE, 2 * FINE ... */
};

/* For each power of two up to n, numbered by its logarithm. */
#define SIZES (sizeof (size_t) * 8)

static void
free_twiddles (struct twiddles *twiddles)
{
  for (size_t i = 0; i < SIZES; i++) {
    free (twiddles[i].fine);
    free (twiddles[i].coarse);
  }
}

static bool
make_twiddles (struct twiddles *twiddles, size_t n)
{
  memset (twiddles, 0, SIZES * sizeof *twiddles);
  for (size_t size = n; size >= 4; size /= 4) {
    struct twiddles *t = &twiddles[__builtin_ctzll (size)];
    size_t n_fine = size / 4 < FINE ? size / 4 : FINE;
    size_t n_coarse = size / 4 / n_fine;

    t->fine = malloc (n_fine * sizeof *t->fine);
    t->coarse = malloc (n_coarse * sizeof *t->coarse);
    if (t->fine == NULL || t->coarse == NULL)
      return false;
    for (size_t k = 0; k < n_fine; k++) {
      double angle = -2 * pi * (double) k / (double) size;

      t->fine[k] = __builtin_complex (cos (angle), sin (angle));
    }
    for (size_t k = 0; k < n_coarse; k++) {
      double angle = -2 * pi * (double) (k * n_fine) / (double) size;

      t->coarse[k] = __builtin_complex (cos (angle), sin (angle));
    }
  }
  return true;
}

/* times -i */
static inline double complex
turn (double complex a)
{
  return __builtin_complex (cimag (a), -creal (a));
}

/* In place, n a power of two; leaves the spectrum in an order of its own, with
 * the first number in place. Depth first, so that most passes stay in the
 * cache. */
static void
forward (double complex *x, size_t n, const struct twiddles *twiddles)
{
  size_t quarter = n / 4, n_fine = quarter < FINE ? quarter : FINE, k = 0;
  const struct twiddles *t = &twiddles[__builtin_ctzll (n)];

  if (n == 1)
    return;
  if (n == 2) {
    double complex a = x[0];

    x[0] = a + x[1];
    x[1] = a - x[1];
    return;
  }
  for (size_t i = 0; i < quarter / n_fine; i++)
    for (size_t j = 0; j < n_fine; j++, k++) {
      double complex *p = x + k, w = times (t->coarse[i], t->fine[j]);
      double complex w2 = times (w, w);
      double complex a = p[0], b = p[quarter], c = p[2 * quarter],
                     d = p[3 * quarter];
      double complex bd = turn (b - d);

      p[0] = (a + c) + (b + d);
      p[quarter] = times ((a - c) + bd, w);
      p[2 * quarter] = times ((a + c) - (b + d), w2);
      p[3 * quarter] = times ((a - c) - bd, times (w2, w));
    }
  for (size_t i = 0; i < 4; i++)
    forward (x + i * quarter, quarter, twiddles);
}

/* Takes what forward() leaves; does not divide by n. */
static void
turn_back (double complex *x, size_t n, const struct twiddles *twiddles)
{
  size_t quarter = n / 4, n_fine = quarter < FINE ? quarter : FINE, k = 0;
  const struct twiddles *t = &twiddles[__builtin_ctzll (n)];

  if (n <= 2) {
    forward (x, n, twiddles);
    return;
  }
  for (size_t i = 0; i < 4; i++)
    turn_back (x + i * quarter, quarter, twiddles);
  for (size_t i = 0; i < quarter / n_fine; i++)
    for (size_t j = 0; j < n_fine; j++, k++) {
      double complex *p = x + k, w = conj (times (t->coarse[i], t->fine[j]));
      double complex w2 = times (w, w);
      double complex a = p[0], b = times (p[quarter], w);
      double complex c = times (p[2 * quarter], w2);
      double complex d = times (p[3 * quarter], times (w2, w));
      double complex bd = turn (b - d);

      p[0] = (a + c) + (b + d);
      p[quarter] = (a - c) - bd;
      p[2 * quarter] = (a + c) - (b + d);
      p[3 * quarter] = (a - c) + bd;
    }
}

static void
inverse (double complex *x, size_t n, const struct twiddles *twiddles)
{
  turn_back (x, n, twiddles);
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
  struct twiddles twiddles[SIZES];
  double least = INFINITY, largest = 0, floor;

  if (!make_twiddles (twiddles, n) || x == NULL) {
    free_twiddles (twiddles);
    free (x);
    return false;
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
  free_twiddles (twiddles);
  return true;
}
