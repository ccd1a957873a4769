/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compiled once per instruction set, with EEG_MONTAGE_TABLE naming the result.
 * Built with -ffp-contract=off; the order of additions is written out, so that
 * every build gives the same bits. */
#include "montage-private.h"

#include <string.h>

#define LANES EEG_MONTAGE_LANES

typedef struct
{
  uint8_t bytes[3];
} triple;

#define SELECT(name, type)                                                     \
  static void name (const eeg_montage_plan *plan, const void *in, void *out,   \
      size_t frames)                                                           \
  {                                                                            \
    const uint32_t *restrict from = plan->from;                                \
    const type *restrict x = in;                                               \
    type *restrict y = out;                                                    \
    const unsigned n = plan->out;                                              \
                                                                               \
    for (size_t f = 0; f < frames; f++, x += plan->in, y += n) {               \
      for (unsigned c = 0; c < n; c++)                                         \
        y[c] = x[from[c]];                                                     \
    }                                                                          \
  }

SELECT (select_2, uint16_t)
SELECT (select_3, triple)
SELECT (select_4, uint32_t)
SELECT (select_8, uint64_t)

#define DIFFERENCE(name, type)                                                 \
  static void name (const eeg_montage_plan *plan, const void *in, void *out,   \
      size_t frames)                                                           \
  {                                                                            \
    const uint32_t *restrict from = plan->from;                                \
    const int32_t *restrict minus = plan->minus;                               \
    const type *restrict x = in;                                               \
    type *restrict y = out;                                                    \
    const unsigned n = plan->out;                                              \
                                                                               \
    for (size_t f = 0; f < frames; f++, x += plan->in, y += n) {               \
      for (unsigned c = 0; c < n; c++) {                                       \
        if (minus[c] >= 0)                                                     \
          y[c] = x[from[c]] - x[minus[c]];                                     \
        else                                                                   \
          memcpy (&y[c], &x[from[c]], sizeof *y);                              \
      }                                                                        \
    }                                                                          \
  }

DIFFERENCE (difference_f32, float)
DIFFERENCE (difference_f64, double)

typedef double vec __attribute__ ((vector_size (LANES * 8)));
typedef int64_t mask __attribute__ ((vector_size (LANES * 8)));
typedef float vec_f32 __attribute__ ((vector_size (LANES * 4)));
typedef double vec_f64 __attribute__ ((vector_size (LANES * 8)));

static inline mask
load_mask (const int64_t *p)
{
  mask m;

  memcpy (&m, p, sizeof m);
  return m;
}

static inline double
add_lanes (vec v)
{
  return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

/* The tail of a frame goes through a full vector of zeros. A channel that is
 * not changed is copied, so that no NaN loses its payload. */
#define MEAN(name, type, bits)                                                 \
  static void name (const eeg_montage_plan *plan, const void *in, void *out,   \
      size_t frames)                                                           \
  {                                                                            \
    const type *x = in;                                                        \
    type *y = out;                                                             \
    const unsigned n = plan->in, whole = n / LANES * LANES;                    \
    const unsigned tail = n - whole;                                           \
                                                                               \
    for (size_t f = 0; f < frames; f++, x += n, y += n) {                      \
      vec sum = { 0 }, mean;                                                   \
      vec_##type v, last = { 0 };                                              \
      double m;                                                                \
                                                                               \
      for (unsigned c = 0; c < whole; c += LANES) {                            \
        memcpy (&v, x + c, sizeof v);                                          \
        sum += (vec) ((mask) __builtin_convertvector(v, vec)                   \
            & load_mask (plan->used + c));                                     \
      }                                                                        \
      if (tail > 0) {                                                          \
        memcpy (&last, x + whole, tail * sizeof *x);                           \
        sum += (vec) ((mask) __builtin_convertvector(last, vec)                \
            & load_mask (plan->used + whole));                                 \
      }                                                                        \
      m = add_lanes (sum) / plan->n_used;                                      \
      mean = (vec){ m, m, m, m, m, m, m, m };                                  \
      for (unsigned c = 0; c < whole; c += LANES) {                            \
        bits##_vec keep =                                                      \
            __builtin_convertvector(load_mask (plan->changed + c),             \
                bits##_vec);                                                   \
        vec_##type less;                                                       \
                                                                               \
        memcpy (&v, x + c, sizeof v);                                          \
        less = __builtin_convertvector(__builtin_convertvector(v, vec) - mean, \
            vec_##type);                                                       \
        less = (vec_##type) (                                                  \
            ((bits##_vec) less & keep) | ((bits##_vec) v & ~keep));            \
        memcpy (y + c, &less, sizeof less);                                    \
      }                                                                        \
      for (unsigned c = whole; c < n; c++) {                                   \
        if (plan->changed[c])                                                  \
          y[c] = (type) ((double) x[c] - m);                                   \
        else                                                                   \
          memmove (&y[c], &x[c], sizeof *y);                                   \
      }                                                                        \
    }                                                                          \
  }

typedef int32_t s32_vec __attribute__ ((vector_size (LANES * 4)));
typedef int64_t s64_vec __attribute__ ((vector_size (LANES * 8)));
typedef float f32;
typedef double f64;

MEAN (mean_f32, f32, s32)
MEAN (mean_f64, f64, s64)

const eeg_montage_table EEG_MONTAGE_TABLE = {
  { select_2, select_3, select_4, select_8 },
  { mean_f32, mean_f64 },
  { difference_f32, difference_f64 },
};
