/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Transforms with vectors across channels: every butterfly is the same for all
 * of them, so nothing is ever shuffled. Forward decimates in frequency, inverse
 * in time, so that neither needs to reorder. Compiled once per instruction set,
 * with EEG_FIR_TABLE naming the result. */
#include "fir-private.h"
#include "fir-vector.h"

#include <string.h>

#define IMAGINARY EEG_FIR_PANEL

typedef struct
{
  vec re, im;
} complex_vec;

INLINE complex_vec
get (const double *point)
{
  return (complex_vec){ load_vec (point), load_vec (point + IMAGINARY) };
}

INLINE void
put (double *point, complex_vec z)
{
  store_vec (point, z.re);
  store_vec (point + IMAGINARY, z.im);
}

INLINE complex_vec
add (complex_vec a, complex_vec b)
{
  return (complex_vec){ a.re + b.re, a.im + b.im };
}

INLINE complex_vec
subtract (complex_vec a, complex_vec b)
{
  return (complex_vec){ a.re - b.re, a.im - b.im };
}

/* times -i */
INLINE complex_vec
turn_back (complex_vec a)
{
  return (complex_vec){ a.im, -a.re };
}

/* times i */
INLINE complex_vec
turn_on (complex_vec a)
{
  return (complex_vec){ -a.im, a.re };
}

INLINE complex_vec
times (complex_vec a, double re, double im)
{
  vec wr = SET1 (re), wi = SET1 (im);

  return (complex_vec){ MULTIPLY_ADD (a.re, wr, -(a.im * wi)),
    MULTIPLY_ADD (a.re, wi, a.im * wr) };
}

static void
forward (double *points, size_t n, const double *twiddles, size_t n_twiddles)
{
  size_t size;

  for (size = n; size >= 4; size /= 4) {
    size_t quarter = size / 4, step = n_twiddles / size;

    for (size_t start = 0; start < n; start += size)
      for (size_t k = 0; k < quarter; k++) {
        const double *w1 = twiddles + 2 * k * step;
        const double *w2 = twiddles + 4 * k * step;
        const double *w3 = twiddles + 6 * k * step;
        double *p = points + (start + k) * EEG_FIR_POINT;
        double *q = p + quarter * EEG_FIR_POINT;
        double *r = q + quarter * EEG_FIR_POINT;
        double *s = r + quarter * EEG_FIR_POINT;

        for (int i = 0; i < EEG_FIR_PANEL; i += LANES) {
          complex_vec a = get (p + i), b = get (q + i);
          complex_vec c = get (r + i), d = get (s + i);
          complex_vec ac = add (a, c), a_c = subtract (a, c);
          complex_vec bd = add (b, d), b_d = turn_back (subtract (b, d));

          put (p + i, add (ac, bd));
          put (q + i, times (add (a_c, b_d), w1[0], w1[1]));
          put (r + i, times (subtract (ac, bd), w2[0], w2[1]));
          put (s + i, times (subtract (a_c, b_d), w3[0], w3[1]));
        }
      }
  }
  if (size == 2)
    for (size_t k = 0; k < n; k += 2) {
      double *p = points + k * EEG_FIR_POINT, *q = p + EEG_FIR_POINT;

      for (int i = 0; i < EEG_FIR_PANEL; i += LANES) {
        complex_vec a = get (p + i), b = get (q + i);

        put (p + i, add (a, b));
        put (q + i, subtract (a, b));
      }
    }
}

static void
inverse (double *points, size_t n, const double *twiddles, size_t n_twiddles)
{
  size_t size = 4, odd = 0;

  /* whether the last step of forward was by two */
  for (size_t m = n; m > 1; m /= 2)
    odd ^= 1;
  if (odd) {
    for (size_t k = 0; k < n; k += 2) {
      double *p = points + k * EEG_FIR_POINT, *q = p + EEG_FIR_POINT;

      for (int i = 0; i < EEG_FIR_PANEL; i += LANES) {
        complex_vec a = get (p + i), b = get (q + i);

        put (p + i, add (a, b));
        put (q + i, subtract (a, b));
      }
    }
    size = 8;
  }

  for (; size <= n; size *= 4) {
    size_t quarter = size / 4, step = n_twiddles / size;

    for (size_t start = 0; start < n; start += size)
      for (size_t k = 0; k < quarter; k++) {
        const double *w1 = twiddles + 2 * k * step;
        const double *w2 = twiddles + 4 * k * step;
        const double *w3 = twiddles + 6 * k * step;
        double *p = points + (start + k) * EEG_FIR_POINT;
        double *q = p + quarter * EEG_FIR_POINT;
        double *r = q + quarter * EEG_FIR_POINT;
        double *s = r + quarter * EEG_FIR_POINT;

        for (int i = 0; i < EEG_FIR_PANEL; i += LANES) {
          complex_vec a = get (p + i);
          complex_vec b = times (get (q + i), w1[0], -w1[1]);
          complex_vec c = times (get (r + i), w2[0], -w2[1]);
          complex_vec d = times (get (s + i), w3[0], -w3[1]);
          complex_vec ac = add (a, c), a_c = subtract (a, c);
          complex_vec bd = add (b, d), b_d = turn_on (subtract (b, d));

          put (p + i, add (ac, bd));
          put (q + i, add (a_c, b_d));
          put (r + i, subtract (ac, bd));
          put (s + i, subtract (a_c, b_d));
        }
      }
  }
}

static void
multiply (double *out, const double *const *x, const double *spectra,
    size_t n_parts, size_t n)
{
  for (size_t k = 0; k < n; k++)
    for (int i = 0; i < EEG_FIR_PANEL; i += LANES) {
      complex_vec sum = { SET1 (0.0), SET1 (0.0) };

      for (size_t part = 0; part < n_parts; part++) {
        const double *h = spectra + 2 * (part * n + k);
        complex_vec z = get (x[part] + k * EEG_FIR_POINT + i);
        vec hr = SET1 (h[0]), hi = SET1 (h[1]);

        sum.re = MULTIPLY_ADD (z.re, hr, sum.re);
        sum.im = MULTIPLY_ADD (z.re, hi, sum.im);
        sum.re = MULTIPLY_ADD (-z.im, hi, sum.re);
        sum.im = MULTIPLY_ADD (z.im, hr, sum.im);
      }
      put (out + k * EEG_FIR_POINT + i, sum);
    }
}

static void
join (double *points, const double *a, const double *b, size_t n)
{
  for (size_t k = 0; k < n; k++, points += EEG_FIR_POINT) {
    memcpy (points, a + k * EEG_FIR_PANEL, EEG_FIR_PANEL * sizeof (double));
    if (b != NULL)
      memcpy (points + IMAGINARY, b + k * EEG_FIR_PANEL,
          EEG_FIR_PANEL * sizeof (double));
    else
      memset (points + IMAGINARY, 0, EEG_FIR_PANEL * sizeof (double));
  }
}

static void
part (double *a, double *b, const double *points, size_t n, bool add_to)
{
  for (size_t k = 0; k < n; k++, points += EEG_FIR_POINT)
    for (int i = 0; i < EEG_FIR_PANEL; i += LANES) {
      complex_vec z = get (points + i);
      size_t at = k * EEG_FIR_PANEL + i;

      if (add_to)
        z.re = load_vec (a + at) + z.re;
      store_vec (a + at, z.re);
      if (b == NULL)
        continue;
      if (add_to)
        z.im = load_vec (b + at) + z.im;
      store_vec (b + at, z.im);
    }
}

const eeg_fir_fft EEG_FIR_TABLE = { forward, inverse, multiply, join, part };
