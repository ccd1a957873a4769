/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compiled once per instruction set, with EEG_WELCH_TABLE naming the result.
 * Vectors go across channels. */
#include "welch-private.h"

#include "fir-vector.h"

#define PANEL EEG_FIR_PANEL
#define POINT EEG_FIR_POINT

typedef int64_t mask __attribute__ ((vector_size (LANES * 8)));

/* Zero where it is no number */
INLINE vec
only_finite (vec v, vec of)
{
  const vec zero = of - of;

  return (vec) ((mask) v & (mask) (zero == zero));
}

static void
measure (const double *rows, size_t n, double *mean, double *square)
{
  for (int i = 0; i < PANEL; i += LANES) {
    vec sum = SET1 (0.0), count = sum, squares = sum, m;

    for (size_t k = 0; k < n; k++) {
      const vec v = load_vec (rows + k * PANEL + i);

      sum += only_finite (v, v);
      count += only_finite (SET1 (1.0), v);
    }
    /* one sample that is not there makes no mean of 0 / 0 */
    m = sum
        / (count + (vec) ((mask) SET1 (1.0) & (mask) (count == SET1 (0.0))));
    for (size_t k = 0; k < n; k++) {
      const vec v = load_vec (rows + k * PANEL + i);
      const vec y = only_finite (v - m, v);

      squares += y * y;
    }
    store_vec (mean + i, m);
    store_vec (square + i, squares);
  }
}

static void
prepare (double *points, const double *rows, const double *window, size_t n,
    const double *mean, const double *scale)
{
  for (int i = 0; i < PANEL; i += LANES) {
    const vec m = load_vec (mean + i), s = load_vec (scale + i);

    for (size_t k = 0; k < n; k++) {
      const vec v = load_vec (rows + k * PANEL + i);

      store_vec (points + k * POINT + i,
          only_finite (v - m, v) * (s * SET1 (window[k])));
    }
  }
}

/* The spectrum of a real signal is symmetric and that of an imaginary one
 * antisymmetric: both are in the sum and the difference of bins k and n - k. */
static void
sum_power (const double *points, const uint32_t *at, size_t n, size_t from,
    size_t to, double *first, double *second)
{
  for (int i = 0; i < PANEL; i += LANES) {
    vec a = SET1 (0.0), b = a;

    for (size_t k = from; k < to; k++) {
      const double *p = points + at[k] * (size_t) POINT + i;
      const double *q = points + at[(n - k) % n] * (size_t) POINT + i;
      const vec pr = load_vec (p), pi = load_vec (p + PANEL);
      const vec qr = load_vec (q), qi = load_vec (q + PANEL);
      const vec ar = pr + qr, ai = pi - qi, br = pi + qi, bi = qr - pr;
      /* bins 0 and n / 2 are there once, the others twice */
      const vec weight = SET1 (k == 0 || 2 * k == n ? 0.25 : 0.5);

      a += weight * (ar * ar + ai * ai);
      b += weight * (br * br + bi * bi);
    }
    store_vec (first + i, a);
    store_vec (second + i, b);
  }
}

const eeg_welch_table EEG_WELCH_TABLE = { measure, prepare, sum_power };
