/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Built with -ffp-contract=off: see eegpack-private.h. */
#include "eegpack-bits.h"
#include "eegpack-private.h"

#include <string.h>

double
eeg_eegpack_log2 (double v)
{
  uint64_t bits;
  int exponent;
  double t, t2;

  memcpy (&bits, &v, sizeof bits);
  exponent = (int) (bits >> 52 & 0x7ff) - 1023;
  bits = (bits & UINT64_C (0xfffffffffffff)) | UINT64_C (1023) << 52;
  memcpy (&v, &bits, sizeof v);
  /* log (v) = 2 atanh ((v - 1) / (v + 1)) */
  t = (v - 1.0) / (v + 1.0);
  t2 = t * t;
  return exponent + 2.885390081777927 * t * (1.0 + t2 * (1.0 / 3.0 + t2 * 0.2));
}

/* a = L D transposed (L), L y = b */
void
eeg_eegpack_factor (eeg_eegpack_system *s)
{
  s->rank = 0;
  s->left[0] = s->energy;
  for (unsigned i = 0; i < s->n; i++) {
    double v[MAX_ORDER];
    double diagonal = s->a[i][i] * (1.0 + 1e-9), pivot = diagonal, y = s->b[i];

    for (unsigned j = 0; j < i; j++) {
      v[j] = s->a[i][j];
      for (unsigned k = 0; k < j; k++)
        v[j] -= v[k] * s->l[j][k];
    }
    for (unsigned j = 0; j < i; j++) {
      s->l[i][j] = v[j] / s->d[j];
      pivot -= v[j] * s->l[i][j];
      y -= s->l[i][j] * s->y[j];
    }
    if (!(pivot > diagonal * 1e-9))
      return;
    s->d[i] = pivot;
    s->y[i] = y;
    s->left[i + 1] = s->left[i] - y * y / pivot;
    s->rank = i + 1;
  }
}

void
eeg_eegpack_solve (const eeg_eegpack_system *s, unsigned n, double *x)
{
  for (unsigned i = n; i-- > 0;) {
    x[i] = s->y[i] / s->d[i];
    for (unsigned k = i + 1; k < n; k++)
      x[i] -= s->l[k][i] * x[k];
  }
}

unsigned
eeg_eegpack_best_golomb (const int32_t *v, unsigned n, unsigned *bits)
{
  unsigned best = 0;

  *bits = UINT32_MAX;
  for (unsigned k = 0; k < 16; k++) {
    unsigned sum = 0;

    for (unsigned i = 0; i < n; i++)
      sum += golomb_bits (k, zigzag (v[i]));
    if (sum < *bits) {
      *bits = sum;
      best = k;
    }
  }
  return best;
}

int
eeg_eegpack_quantize (const eeg_eegpack_system *s, unsigned n, const double *x,
    double frames, double noise, int min_shift, int max_shift, int shift_step,
    double limit, int32_t *out)
{
  double energy = s->left[n] > 0.0 ? s->left[n] + noise : noise;
  double best_cost = 0.0;
  int best = -1;

  for (int shift = min_shift; shift <= max_shift; shift += shift_step) {
    double scale = (double) (1 << shift), more = 0.0, cost;
    double error[MAX_ORDER];
    int32_t q[MAX_ORDER];
    unsigned i;

    for (i = 0; i < n; i++) {
      double v = x[i] * scale;

      if (!(v < limit && v > -limit))
        break;
      q[i] = (int32_t) (v + (v < 0.0 ? -0.5 : 0.5));
      error[i] = (double) q[i] / scale - x[i];
    }
    if (i < n)
      break;
    for (i = 0; i < n; i++) {
      double row = s->a[i][i] * error[i];

      for (unsigned j = 0; j < i; j++)
        row += 2.0 * s->a[i][j] * error[j];
      more += row * error[i];
    }
    if (more < 0.0)
      more = 0.0;
    cost = frames * 0.5 * eeg_eegpack_log2 (1.0 + more / energy)
        + (double) n * shift;
    if (best < 0 || cost < best_cost) {
      best = shift;
      best_cost = cost;
      memcpy (out, q, n * sizeof *q);
    }
  }
  return best;
}
