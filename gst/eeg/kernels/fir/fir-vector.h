/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The vectors of the instruction set that a file is compiled for. */
#ifndef EEG_FIR_VECTOR_H
#define EEG_FIR_VECTOR_H

/* Vector type, its width, and how many outputs and taps one tile of the direct
 * form spans: as many as the registers hold, since each row that a tile loads
 * serves all of them. */
#if defined(__AVX512F__)
#include <immintrin.h>
#define LANES 8
#define TILE_ROWS 6
#define TILE_TAPS 4
typedef __m512d vec;
#define SET1(x) _mm512_set1_pd (x)
#define MULTIPLY_ADD(a, b, c) _mm512_fmadd_pd (a, b, c)
#elif defined(__AVX2__)
#include <immintrin.h>
#define LANES 4
#define TILE_ROWS 4
#define TILE_TAPS 2
typedef __m256d vec;
#define SET1(x) _mm256_set1_pd (x)
#define MULTIPLY_ADD(a, b, c) _mm256_fmadd_pd (a, b, c)
#elif defined(__aarch64__)
#include <arm_neon.h>
#define LANES 2
#define TILE_ROWS 6
#define TILE_TAPS 4
typedef float64x2_t vec;
#define SET1(x) vdupq_n_f64 (x)
#define MULTIPLY_ADD(a, b, c) vfmaq_f64 (c, a, b)
#else
/* product and sum rounded one by one (-ffp-contract=off) */
#define LANES 2
#define TILE_ROWS 4
#define TILE_TAPS 2
typedef double vec __attribute__ ((vector_size (LANES * 8)));
#define SET1(x) ((vec){ x, x })
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
#endif

#define UNROLL _Pragma ("GCC unroll 16")
#define INLINE static inline __attribute__ ((always_inline))

INLINE vec
load_vec (const double *p)
{
  return *(const vec *) p;
}

INLINE void
store_vec (double *p, vec v)
{
  *(vec *) p = v;
}

#endif
