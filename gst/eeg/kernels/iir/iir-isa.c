/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compiled once per instruction set, with EEG_IIR_TABLE naming the result.
 *
 * A recursion waits for itself: two multiply-adds from one frame to the next.
 * So several vectors of channels and two sections go side by side, as many as
 * the registers hold, over a block of frames so short that it leaves room in
 * the first cache for the samples. */
#include "iir-private.h"

#include "fir-vector.h"

#include <string.h>

#define VECTORS 4
#define TILE (VECTORS * LANES)
#define BLOCK 16

/* The states of one section for one vector */
typedef struct
{
  vec first, second;
} State;

/* Its coefficients: b0, b1, b2, -a1, -a2 */
typedef struct
{
  vec b0, b1, b2, a1, a2;
} Coefficients;

INLINE Coefficients
load_section (const EegIirSection *c)
{
  return (Coefficients){ SET1 (c->b[0]), SET1 (c->b[1]), SET1 (c->b[2]),
    SET1 (-c->a[0]), SET1 (-c->a[1]) };
}

/* y = b0 x + s1, s1 = b1 x - a1 y + s2, s2 = b2 x - a2 y */
INLINE vec
step (const Coefficients *c, State *z, vec x)
{
  vec y = MULTIPLY_ADD (c->b0, x, z->first);

  z->first = MULTIPLY_ADD (c->a1, y, MULTIPLY_ADD (c->b1, x, z->second));
  z->second = MULTIPLY_ADD (c->a2, y, c->b2 * x);
  return y;
}

/* One or two sections over a block of `n` vectors per frame; both are constants
 * where this is inlined. */
INLINE void
run_pair (const EegIirSection *sections, double *first, double *second,
    size_t stride, double *block, size_t frames, const int n_sections,
    const int n)
{
  State z[2][VECTORS];
  Coefficients c[2];

  UNROLL
  for (int s = 0; s < n_sections; s++) {
    c[s] = load_section (&sections[s]);
    UNROLL
    for (int v = 0; v < n; v++) {
      z[s][v].first = load_vec (first + s * stride + v * LANES);
      z[s][v].second = load_vec (second + s * stride + v * LANES);
    }
  }
  for (size_t f = 0; f < frames; f++, block += TILE) {
    UNROLL
    for (int v = 0; v < n; v++) {
      vec x = load_vec (block + v * LANES);

      UNROLL
      for (int s = 0; s < n_sections; s++)
        x = step (&c[s], &z[s][v], x);
      store_vec (block + v * LANES, x);
    }
  }
  UNROLL
  for (int s = 0; s < n_sections; s++) {
    UNROLL
    for (int v = 0; v < n; v++) {
      store_vec (first + s * stride + v * LANES, z[s][v].first);
      store_vec (second + s * stride + v * LANES, z[s][v].second);
    }
  }
}

INLINE void
run_block (const EegIirDesign *design, double *first, double *second,
    size_t stride, double *block, size_t frames, const int n)
{
  size_t s = 0;

  for (; s + 2 <= design->n_sections; s += 2)
    run_pair (&design->sections[s], first + s * stride, second + s * stride,
        stride, block, frames, 2, n);
  if (s < design->n_sections)
    run_pair (&design->sections[s], first + s * stride, second + s * stride,
        stride, block, frames, 1, n);
}

static void
run_any (const EegIirDesign *design, double *first, double *second,
    size_t stride, double *block, size_t frames, size_t channels)
{
  switch ((channels + LANES - 1) / LANES) {
    case 1:
      run_block (design, first, second, stride, block, frames, 1);
      break;
    case 2:
      run_block (design, first, second, stride, block, frames, 2);
      break;
    case 3:
      run_block (design, first, second, stride, block, frames, 3);
      break;
    default:
      run_block (design, first, second, stride, block, frames, 4);
      break;
  }
}

/* Channels that are not filtered are computed like the others, and then put
 * back bit for bit. */
#define RUN(name, type)                                                        \
  INLINE void name##_load (const type *x, double *block, size_t n)             \
  {                                                                            \
    for (size_t i = 0; i < n; i++)                                             \
      block[i] = x[i];                                                         \
  }                                                                            \
                                                                               \
  INLINE void name##_store (const double *block, type *y, size_t n)            \
  {                                                                            \
    for (size_t i = 0; i < n; i++)                                             \
      y[i] = (type) block[i];                                                  \
  }                                                                            \
                                                                               \
  /* one tile of at most BLOCK frames */                                       \
  static void name##_tile (const EegIirDesign *design, double *first,          \
      double *second, size_t stride, const unsigned char *filtered,            \
      const type *x, type *y, size_t frames, size_t channels, size_t n,        \
      double *block)                                                           \
  {                                                                            \
    const size_t pad = (n + LANES - 1) / LANES * LANES;                        \
    size_t passing[TILE], n_passing = 0;                                       \
    type kept[TILE];                                                           \
                                                                               \
    for (size_t i = 0; i < n; i++) {                                           \
      if (!filtered[i])                                                        \
        passing[n_passing++] = i;                                              \
    }                                                                          \
    for (size_t f = 0; f < frames; f++) {                                      \
      if (n == TILE) {                                                         \
        name##_load (x + f * channels, block + f * TILE, TILE);                \
      } else {                                                                 \
        name##_load (x + f * channels, block + f * TILE, n);                   \
        for (size_t i = n; i < pad; i++)                                       \
          block[f * TILE + i] = 0.0;                                           \
      }                                                                        \
    }                                                                          \
    run_any (design, first, second, stride, block, frames, n);                 \
    for (size_t f = 0; f < frames; f++, x += channels, y += channels) {        \
      for (size_t k = 0; k < n_passing; k++)                                   \
        memcpy (&kept[k], &x[passing[k]], sizeof *x);                          \
      if (n == TILE)                                                           \
        name##_store (block + f * TILE, y, TILE);                              \
      else                                                                     \
        name##_store (block + f * TILE, y, n);                                 \
      for (size_t k = 0; k < n_passing; k++)                                   \
        memcpy (&y[passing[k]], &kept[k], sizeof *y);                          \
    }                                                                          \
  }                                                                            \
                                                                               \
  static void name (const EegIirDesign *design, double *first, double *second, \
      size_t stride, const unsigned char *filtered, const type *in, type *out, \
      size_t frames, size_t channels)                                          \
  {                                                                            \
    double block[BLOCK * TILE] __attribute__ ((aligned (64)));                 \
                                                                               \
    for (size_t done = 0; done < frames; done += BLOCK) {                      \
      const size_t now = frames - done < BLOCK ? frames - done : BLOCK;        \
      const size_t at = done * channels;                                       \
                                                                               \
      for (size_t c = 0; c < channels; c += TILE)                              \
        name##_tile (design, first + c, second + c, stride, filtered + c,      \
            in + at + c, out + at + c, now, channels,                          \
            channels - c < TILE ? channels - c : TILE, block);                 \
    }                                                                          \
  }

RUN (run_f32, float)
RUN (run_f64, double)

const eeg_iir_table EEG_IIR_TABLE = { run_f32, run_f64 };
