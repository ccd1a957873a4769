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

/* Puts what one butterfly forwards makes of a, b, c and d a quarter apart. */
INLINE void
put_forward (double *p, size_t quarter, complex_vec a, complex_vec b,
    complex_vec c, complex_vec d, const double *w)
{
  complex_vec ac = add (a, c), a_c = subtract (a, c);
  complex_vec bd = add (b, d), b_d = turn_back (subtract (b, d));

  put (p, add (ac, bd));
  put (p + quarter, times (add (a_c, b_d), w[0], w[1]));
  put (p + 2 * quarter, times (subtract (ac, bd), w[2], w[3]));
  put (p + 3 * quarter, times (subtract (a_c, b_d), w[4], w[5]));
}

/* What one butterfly backwards makes of four points a quarter apart. */
INLINE void
get_inverse (const double *p, size_t quarter, const double *w,
    complex_vec out[4])
{
  complex_vec a = get (p);
  complex_vec b = times (get (p + quarter), w[0], -w[1]);
  complex_vec c = times (get (p + 2 * quarter), w[2], -w[3]);
  complex_vec d = times (get (p + 3 * quarter), w[4], -w[5]);
  complex_vec ac = add (a, c), a_c = subtract (a, c);
  complex_vec bd = add (b, d), b_d = turn_on (subtract (b, d));

  out[0] = add (ac, bd);
  out[1] = add (a_c, b_d);
  out[2] = subtract (ac, bd);
  out[3] = subtract (a_c, b_d);
}

/* Butterflies `from` to before `to` of a pass over `size` points. */
INLINE void
forward_pass (double *points, size_t size, size_t from, size_t to,
    const double *twiddles)
{
  size_t quarter = size / 4 * EEG_FIR_POINT;
  const double *w = twiddles + eeg_fir_fft_twiddles_at (size) + 6 * from;
  double *p = points + from * EEG_FIR_POINT;

  for (size_t k = from; k < to; k++, w += 6, p += EEG_FIR_POINT)
    for (int i = 0; i < EEG_FIR_PANEL; i += LANES)
      put_forward (p + i, quarter, get (p + i), get (p + quarter + i),
          get (p + 2 * quarter + i), get (p + 3 * quarter + i), w);
}

INLINE void
inverse_pass (double *points, size_t size, size_t from, size_t to,
    const double *twiddles)
{
  size_t quarter = size / 4 * EEG_FIR_POINT;
  const double *w = twiddles + eeg_fir_fft_twiddles_at (size) + 6 * from;
  double *p = points + from * EEG_FIR_POINT;

  for (size_t k = from; k < to; k++, w += 6, p += EEG_FIR_POINT)
    for (int i = 0; i < EEG_FIR_PANEL; i += LANES) {
      complex_vec out[4];

      get_inverse (p + i, quarter, w, out);
      for (int q = 0; q < 4; q++)
        put (p + q * quarter + i, out[q]);
    }
}

/* The last and the first pass have no twiddles. */
INLINE void
pass_by_two (double *points, size_t n)
{
  for (double *p = points; p < points + n * EEG_FIR_POINT; p +=
       2 * EEG_FIR_POINT)
    for (int i = 0; i < EEG_FIR_PANEL; i += LANES) {
      complex_vec a = get (p + i), b = get (p + EEG_FIR_POINT + i);

      put (p + i, add (a, b));
      put (p + EEG_FIR_POINT + i, subtract (a, b));
    }
}

INLINE void
pass_by_four (double *points, size_t n, bool is_inverse)
{
  for (double *p = points; p < points + n * EEG_FIR_POINT; p +=
       4 * EEG_FIR_POINT)
    for (int i = 0; i < EEG_FIR_PANEL; i += LANES) {
      complex_vec a = get (p + i), b = get (p + EEG_FIR_POINT + i);
      complex_vec c = get (p + 2 * EEG_FIR_POINT + i);
      complex_vec d = get (p + 3 * EEG_FIR_POINT + i);
      complex_vec ac = add (a, c), a_c = subtract (a, c), bd = add (b, d);
      complex_vec b_d =
          is_inverse ? turn_on (subtract (b, d)) : turn_back (subtract (b, d));

      put (p + i, add (ac, bd));
      put (p + EEG_FIR_POINT + i, add (a_c, b_d));
      put (p + 2 * EEG_FIR_POINT + i, subtract (ac, bd));
      put (p + 3 * EEG_FIR_POINT + i, subtract (a_c, b_d));
    }
}

static void
forward_leaf (double *points, size_t leaf, const double *twiddles)
{
  for (size_t size = leaf; size > 4; size /= 4)
    for (size_t start = 0; start < leaf; start += size)
      forward_pass (points + start * EEG_FIR_POINT, size, 0, size / 4,
          twiddles);
  if (leaf == 32)
    pass_by_two (points, leaf);
  else
    pass_by_four (points, leaf, false);
}

static void
inverse_leaf (double *points, size_t leaf, const double *twiddles)
{
  if (leaf == 32)
    pass_by_two (points, leaf);
  else
    pass_by_four (points, leaf, true);
  for (size_t size = leaf == 32 ? 8 : 16; size <= leaf; size *= 4)
    for (size_t start = 0; start < leaf; start += size)
      inverse_pass (points + start * EEG_FIR_POINT, size, 0, size / 4,
          twiddles);
}

/* Depth first: what a pass leaves is taken up while it is in the cache. */
static void
forward_units (double *points, size_t n, size_t leaf, size_t from, size_t to,
    const double *twiddles)
{
  size_t own = n / (4 * EEG_FIR_UNIT), each;

  if (n == leaf) {
    forward_leaf (points, leaf, twiddles);
    return;
  }
  if (from < own)
    forward_pass (points, n, from * EEG_FIR_UNIT,
        (to < own ? to : own) * EEG_FIR_UNIT, twiddles);
  each = eeg_fir_fft_units (n / 4, leaf);
  for (size_t i = 0; i < 4; i++) {
    size_t first = own + i * each;

    if (to <= first || from >= first + each)
      continue;
    forward_units (points + i * (n / 4) * EEG_FIR_POINT, n / 4, leaf,
        from > first ? from - first : 0, to < first + each ? to - first : each,
        twiddles);
  }
}

static void
inverse_units (double *points, size_t n, size_t leaf, size_t from, size_t to,
    const double *twiddles)
{
  size_t own = n / (4 * EEG_FIR_UNIT), each;

  if (n == leaf) {
    inverse_leaf (points, leaf, twiddles);
    return;
  }
  each = eeg_fir_fft_units (n / 4, leaf);
  for (size_t i = 0; i < 4; i++) {
    size_t first = i * each;

    if (to <= first || from >= first + each)
      continue;
    inverse_units (points + i * (n / 4) * EEG_FIR_POINT, n / 4, leaf,
        from > first ? from - first : 0, to < first + each ? to - first : each,
        twiddles);
  }
  if (to > 4 * each)
    inverse_pass (points, n,
        (from > 4 * each ? from - 4 * each : 0) * EEG_FIR_UNIT,
        (to - 4 * each < own ? to - 4 * each : own) * EEG_FIR_UNIT, twiddles);
}

static void
forward (double *points, size_t n, size_t from, size_t to,
    const double *twiddles)
{
  if (from < to)
    forward_units (points, n, eeg_fir_fft_leaf (n), from, to, twiddles);
}

static void
inverse (double *points, size_t n, size_t from, size_t to,
    const double *twiddles)
{
  if (from < to)
    inverse_units (points, n, eeg_fir_fft_leaf (n), from, to, twiddles);
}

static void
multiply (double *out, const double *const *x, const double *spectra,
    size_t n_parts, size_t n, size_t from, size_t to)
{
  for (size_t k = from; k < to; k++)
    for (int i = 0; i < EEG_FIR_PANEL; i += LANES) {
      complex_vec sum = { SET1 (0.0), SET1 (0.0) };
      complex_vec cross = { SET1 (0.0), SET1 (0.0) };

      for (size_t part = 0; part < n_parts; part++) {
        const double *h = spectra + 2 * (part * n + k);
        complex_vec z = get (x[part] + k * EEG_FIR_POINT + i);
        vec hr = SET1 (h[0]), hi = SET1 (h[1]);

        sum.re = MULTIPLY_ADD (z.re, hr, sum.re);
        sum.im = MULTIPLY_ADD (z.im, hr, sum.im);
        cross.re = MULTIPLY_ADD (z.im, hi, cross.re);
        cross.im = MULTIPLY_ADD (z.re, hi, cross.im);
      }
      put (out + k * EEG_FIR_POINT + i,
          (complex_vec){ sum.re - cross.re, sum.im + cross.im });
    }
}

static void
begin (double *points, size_t n, size_t unit, const double *const a[4],
    const double *const b[4], const double *twiddles)
{
  size_t quarter = n / 4 * EEG_FIR_POINT, from = unit * EEG_FIR_UNIT;
  const double *w = twiddles + eeg_fir_fft_twiddles_at (n) + 6 * from;
  double *p = points + from * EEG_FIR_POINT;

  for (size_t k = 0; k < EEG_FIR_UNIT * EEG_FIR_PANEL;
       k += EEG_FIR_PANEL, w += 6, p += EEG_FIR_POINT)
    for (int i = 0; i < EEG_FIR_PANEL; i += LANES) {
      complex_vec z[4];

      for (int q = 0; q < 4; q++)
        z[q] =
            (complex_vec){ load_vec (a[q] + k + i), load_vec (b[q] + k + i) };
      put_forward (p + i, quarter, z[0], z[1], z[2], z[3], w);
    }
}

static void
finish (const double *points, size_t n, size_t unit, double *const a[4],
    double *const b[4], const double *twiddles)
{
  size_t quarter = n / 4 * EEG_FIR_POINT, from = unit * EEG_FIR_UNIT;
  const double *w = twiddles + eeg_fir_fft_twiddles_at (n) + 6 * from;
  const double *p = points + from * EEG_FIR_POINT;

  for (size_t k = 0; k < EEG_FIR_UNIT * EEG_FIR_PANEL;
       k += EEG_FIR_PANEL, w += 6, p += EEG_FIR_POINT)
    for (int i = 0; i < EEG_FIR_PANEL; i += LANES) {
      complex_vec out[4];

      get_inverse (p + i, quarter, w, out);
      for (int q = 0; q < 4; q++) {
        if (a[q] != NULL)
          store_vec (a[q] + k + i, out[q].re);
        if (b[q] != NULL)
          store_vec (b[q] + k + i, out[q].im);
      }
    }
}

static void
add_rows (double *sum, const double *const *rows, size_t n_rows, size_t n)
{
  for (size_t i = 0; i < n * EEG_FIR_PANEL; i += LANES) {
    vec all = load_vec (rows[0] + i);

    for (size_t k = 1; k < n_rows; k++)
      all += load_vec (rows[k] + i);
    store_vec (sum + i, all);
  }
}

const eeg_fir_fft EEG_FIR_TABLE = { forward, inverse, multiply, begin, finish,
  add_rows };
