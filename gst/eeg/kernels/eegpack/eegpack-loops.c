/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compiled once per instruction set, with EEG_EEGPACK_LOOPS naming the result.
 * All builds give the same integers. */
#include "eegpack-private.h"

#include <string.h>

#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

#if defined(__AVX512BW__)
#include "entropy-avx512.h"
#elif defined(__AVX2__)
#include "entropy-avx2.h"
#else
#include "entropy-scalar.h"
#endif

typedef int32_t row_s32 __attribute__ ((vector_size (LANES * 4)));
typedef uint32_t row_u32 __attribute__ ((vector_size (LANES * 4)));
typedef int64_t row_s64 __attribute__ ((vector_size (LANES * 8)));

/* passed by pointer: the ABI has no place for vectors this wide */
#define LOAD(v, p) memcpy (&(v), (p), sizeof (v))
#define STORE(p, v) memcpy ((p), &(v), sizeof (v))

static inline __attribute__ ((always_inline)) void
count_lanes (const eeg_eegpack_coder *c, unsigned lanes, size_t frames,
    const int32_t *rows, const uint8_t *scales, const uint32_t *costs,
    uint64_t bits[LANES])
{
  for (size_t t = 0; t < frames;) {
    uint32_t sums[LANES] = { 0 };

    /* a part at a time, so that 32 bits hold the sums */
    for (size_t end = frames - t < 65536 ? frames : t + 65536; t < end;
         t++, rows += LANES, scales += LANES)
      for (unsigned l = 0; l < lanes; l++) {
        uint32_t scale = scales[l];
        uint32_t above = scale < OWN_CONTEXTS ? 0 : scale - OWN_CONTEXTS + 4;
        uint32_t context = above == 0 ? scale : OWN_CONTEXTS | (scale & 3);
        uint32_t shift = above / 4 + c->shift[l];
        uint32_t v = (uint32_t) rows[l] >> shift;
        uint32_t symbol =
            (v < 12 ? v : 12) + (v >= 16) + (v >= 32) + (v >= 288);

        sums[l] += costs[context * SYMBOLS + symbol] + 64 * shift;
      }
    for (unsigned l = 0; l < lanes; l++)
      bits[l] += sums[l];
  }
}

static void
count (const eeg_eegpack_coder *c, size_t frames, const int32_t *rows,
    const uint8_t *scales, const uint32_t *costs, uint64_t bits[LANES])
{
  memset (bits, 0, LANES * sizeof *bits);
  if (c->lanes <= LANES / 4)
    count_lanes (c, c->lanes, frames, rows, scales, costs, bits);
  else
    count_lanes (c, LANES, frames, rows, scales, costs, bits);
}

/* ---- samples, rows and columns ---- */

#if defined(__AVX512BW__)
/* 16 samples of three bytes to the upper bytes of 16 words, and back */
#define SPREAD_WORDS                                                           \
  _mm512_setr_epi32 (0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11)
#define SPREAD_BYTES                                                           \
  _mm512_broadcast_i32x4 (                                                     \
      _mm_setr_epi8 (-1, 0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11))
#define CLOSE_WORDS                                                            \
  _mm512_setr_epi32 (0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 15, 15, 15, 15)
#define CLOSE_BYTES                                                            \
  _mm512_broadcast_i32x4 (                                                     \
      _mm_setr_epi8 (0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1))

static void
load_rows (const uint8_t *in, size_t stride, size_t size, unsigned lanes,
    size_t frames, int32_t *rows)
{
  const __m512i words = SPREAD_WORDS, bytes = SPREAD_BYTES;
  __mmask64 there = ~UINT64_C (0) >> (64 - lanes * size);

  for (size_t t = 0; t < frames; t++, in += stride, rows += LANES) {
    __m512i v = _mm512_maskz_loadu_epi8 (there, in);

    if (size == 2)
      v = _mm512_cvtepi16_epi32 (_mm512_castsi512_si256 (v));
    else if (size == 3)
      v = _mm512_srai_epi32 (
          _mm512_shuffle_epi8 (_mm512_permutexvar_epi32 (words, v), bytes), 8);
    _mm512_storeu_si512 (rows, v);
  }
}

static void
store_rows (const int32_t *rows, unsigned lanes, size_t frames, uint8_t *out,
    size_t stride, size_t size)
{
  const __m512i words = CLOSE_WORDS, bytes = CLOSE_BYTES;
  __mmask64 there = ~UINT64_C (0) >> (64 - lanes * size);

  for (size_t t = 0; t < frames; t++, out += stride, rows += LANES) {
    __m512i v = _mm512_loadu_si512 (rows);

    if (size == 2)
      v = _mm512_castsi256_si512 (_mm512_cvtepi32_epi16 (v));
    else if (size == 3)
      v = _mm512_permutexvar_epi32 (words, _mm512_shuffle_epi8 (v, bytes));
    _mm512_mask_storeu_epi8 (out, there, v);
  }
}
#else
static inline int32_t
get_sample (const uint8_t *p, size_t size)
{
  switch (size) {
    case 2:
      return (int16_t) (p[0] | p[1] << 8);
    case 3:
      return (int32_t) ((uint32_t) p[0] << 8 | (uint32_t) p[1] << 16
                 | (uint32_t) p[2] << 24)
          >> 8;
    default:
      return (int32_t) ((uint32_t) p[0] | (uint32_t) p[1] << 8
          | (uint32_t) p[2] << 16 | (uint32_t) p[3] << 24);
  }
}

static inline void
put_sample (uint8_t *p, size_t size, int32_t v)
{
  p[0] = (uint8_t) v;
  p[1] = (uint8_t) ((uint32_t) v >> 8);
  if (size > 2)
    p[2] = (uint8_t) ((uint32_t) v >> 16);
  if (size > 3)
    p[3] = (uint8_t) ((uint32_t) v >> 24);
}

static inline __attribute__ ((always_inline)) void
load_rows_sized (const uint8_t *in, size_t stride, size_t size, unsigned lanes,
    size_t frames, int32_t *rows)
{
  for (size_t t = 0; t < frames; t++, in += stride, rows += LANES) {
    unsigned l;

    for (l = 0; l < lanes; l++)
      rows[l] = get_sample (in + l * size, size);
    for (; l < LANES; l++)
      rows[l] = 0;
  }
}

static inline __attribute__ ((always_inline)) void
store_rows_sized (const int32_t *rows, unsigned lanes, size_t frames,
    uint8_t *out, size_t stride, size_t size)
{
  for (size_t t = 0; t < frames; t++, out += stride, rows += LANES)
    for (unsigned l = 0; l < lanes; l++)
      put_sample (out + l * size, size, rows[l]);
}

static void
load_rows (const uint8_t *in, size_t stride, size_t size, unsigned lanes,
    size_t frames, int32_t *rows)
{
  switch (size) {
    case 2:
      load_rows_sized (in, stride, 2, lanes, frames, rows);
      break;
    case 3:
#if defined(__AVX2__)
      if (lanes == LANES) {
        const __m256i bytes =
            _mm256_setr_epi8 (-1, 0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10,
                11, -1, 4, 5, 6, -1, 7, 8, 9, -1, 10, 11, 12, -1, 13, 14, 15);

        for (; frames > 0; frames--, in += stride, rows += LANES)
          for (unsigned h = 0; h < 2; h++) {
            const uint8_t *p = in + h * 24;
            /* 12 bytes each, from 16 bytes that end or begin with them */
            __m256i v = _mm256_inserti128_si256 (_mm256_castsi128_si256 (
                                                     _mm_loadu_si128 (
                                                         (const __m128i *) p)),
                _mm_loadu_si128 ((const __m128i *) (p + 8)), 1);

            v = _mm256_srai_epi32 (_mm256_shuffle_epi8 (v, bytes), 8);
            _mm256_storeu_si256 ((__m256i *) (rows + h * 8), v);
          }
        break;
      }
#endif
      load_rows_sized (in, stride, 3, lanes, frames, rows);
      break;
    default:
      load_rows_sized (in, stride, 4, lanes, frames, rows);
      break;
  }
}

static void
store_rows (const int32_t *rows, unsigned lanes, size_t frames, uint8_t *out,
    size_t stride, size_t size)
{
  switch (size) {
    case 2:
      store_rows_sized (rows, lanes, frames, out, stride, 2);
      break;
    case 3:
#if defined(__AVX2__)
      if (lanes == LANES) {
        const __m256i bytes =
            _mm256_setr_epi8 (0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1,
                -1, -1, -1, -1, -1, -1, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14);

        for (; frames > 0; frames--, out += stride, rows += LANES) {
          uint64_t tail;

          for (unsigned h = 0; h < 2; h++) {
            uint8_t *p = out + h * 24;
            __m256i v =
                _mm256_shuffle_epi8 (_mm256_loadu_si256 (
                                         (const __m256i *) (rows + h * 8)),
                    bytes);
            __m128i low = _mm256_castsi256_si128 (v);
            __m128i high = _mm256_extracti128_si256 (v, 1);

            /* 12 bytes at the bottom, 12 at the top: 24 in 16 and 8 */
            low = _mm_or_si128 (low,
                _mm_slli_si128 (_mm_srli_si128 (high, 4), 12));
            _mm_storeu_si128 ((__m128i *) p, low);
            tail = (uint64_t) _mm_extract_epi64 (high, 1);
            memcpy (p + 16, &tail, 8);
          }
        }
        break;
      }
#endif
      store_rows_sized (rows, lanes, frames, out, stride, 3);
      break;
    default:
      store_rows_sized (rows, lanes, frames, out, stride, 4);
      break;
  }
}
#endif

#if defined(__AVX512BW__)
static inline void
transpose (__m512i r[16])
{
  __m512i t[16];

  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32 (r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32 (r[i], r[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_unpacklo_epi64 (t[i], t[i + 2]);
    r[i + 1] = _mm512_unpackhi_epi64 (t[i], t[i + 2]);
    r[i + 2] = _mm512_unpacklo_epi64 (t[i + 1], t[i + 3]);
    r[i + 3] = _mm512_unpackhi_epi64 (t[i + 1], t[i + 3]);
  }
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 16; j += 8) {
      t[j + i] = _mm512_shuffle_i32x4 (r[j + i], r[j + i + 4], 0x88);
      t[j + i + 4] = _mm512_shuffle_i32x4 (r[j + i], r[j + i + 4], 0xdd);
    }
  for (int i = 0; i < 8; i++) {
    r[i] = _mm512_shuffle_i32x4 (t[i], t[i + 8], 0x88);
    r[i + 8] = _mm512_shuffle_i32x4 (t[i], t[i + 8], 0xdd);
  }
}
#define BLOCK 16
typedef __m512i block;
#define LOAD_BLOCK(p) _mm512_loadu_si512 (p)
#define STORE_BLOCK(p, v) _mm512_storeu_si512 ((p), (v))
#elif defined(__AVX2__)
static inline void
transpose (__m256i r[8])
{
  __m256i t[8];

  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_epi32 (r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_epi32 (r[i], r[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    r[i] = _mm256_unpacklo_epi64 (t[i], t[i + 2]);
    r[i + 1] = _mm256_unpackhi_epi64 (t[i], t[i + 2]);
    r[i + 2] = _mm256_unpacklo_epi64 (t[i + 1], t[i + 3]);
    r[i + 3] = _mm256_unpackhi_epi64 (t[i + 1], t[i + 3]);
  }
  for (int i = 0; i < 4; i++) {
    t[i] = _mm256_permute2x128_si256 (r[i], r[i + 4], 0x20);
    t[i + 4] = _mm256_permute2x128_si256 (r[i], r[i + 4], 0x31);
  }
  memcpy (r, t, sizeof t);
}
#define BLOCK 8
typedef __m256i block;
#define LOAD_BLOCK(p) _mm256_loadu_si256 ((const __m256i *) (p))
#define STORE_BLOCK(p, v) _mm256_storeu_si256 ((__m256i *) (p), (v))
#endif

static void
rows_to_columns (const int32_t *rows, unsigned lanes, size_t frames,
    int32_t *const columns[LANES], size_t at)
{
  size_t t = 0;

#ifdef BLOCK
  for (; t + BLOCK <= frames; t += BLOCK)
    for (unsigned l = 0; l < lanes; l += BLOCK) {
      unsigned n = lanes - l < BLOCK ? lanes - l : BLOCK;
      block b[BLOCK];

      for (unsigned i = 0; i < BLOCK; i++)
        b[i] = LOAD_BLOCK (rows + (t + i) * LANES + l);
      transpose (b);
      if (n == BLOCK)
        for (unsigned i = 0; i < BLOCK; i++)
          STORE_BLOCK (columns[l + i] + at + t, b[i]);
      else
        for (unsigned i = 0; i < n; i++)
          STORE_BLOCK (columns[l + i] + at + t, b[i]);
    }
#endif
  for (; t < frames; t++)
    for (unsigned l = 0; l < lanes; l++)
      columns[l][at + t] = rows[t * LANES + l];
}

static void
columns_to_rows (const int32_t *const columns[LANES], unsigned lanes, size_t at,
    size_t frames, int32_t *rows)
{
  size_t t = 0;

#ifdef BLOCK
  for (; t + BLOCK <= frames; t += BLOCK)
    for (unsigned l = 0; l < LANES; l += BLOCK) {
      block b[BLOCK];

      if (l + BLOCK <= lanes)
        for (unsigned i = 0; i < BLOCK; i++)
          b[i] = LOAD_BLOCK (columns[l + i] + at + t);
      else {
        memset (b, 0, sizeof b);
        for (unsigned i = 0; l + i < lanes; i++)
          b[i] = LOAD_BLOCK (columns[l + i] + at + t);
      }
      transpose (b);
      for (unsigned i = 0; i < BLOCK; i++)
        STORE_BLOCK (rows + (t + i) * LANES + l, b[i]);
    }
#endif
  for (; t < frames; t++)
    for (unsigned l = 0; l < LANES; l++)
      rows[t * LANES + l] = l < lanes ? columns[l][at + t] : 0;
}

/* ---- prediction ---- */

static inline __attribute__ ((always_inline)) void
synthesize_narrow (eeg_eegpack_predictor *p, size_t frames, int32_t *rows,
    unsigned order)
{
  row_u32 sums[MAX_ORDER], coefs[MAX_ORDER], round, last, integrate;
  row_s32 shift;

  for (unsigned i = 0; i < order; i++) {
    LOAD (sums[i], p->sums[i]);
    LOAD (coefs[i], p->coefs[i]);
  }
  LOAD (round, p->round);
  LOAD (shift, p->shift);
  LOAD (last, p->last);
  LOAD (integrate, p->integrate);
  for (size_t t = 0; t < frames; t++, rows += LANES) {
    row_u32 v;

    LOAD (v, rows);
    if (order > 0) {
      v += (row_u32) ((row_s32) (sums[0] + round) >> shift);
#pragma GCC unroll 32
      for (unsigned i = 0; i + 1 < order; i++)
        sums[i] = sums[i + 1] + coefs[i] * v;
      sums[order - 1] = coefs[order - 1] * v;
    }
    last = v + (last & integrate);
    STORE (rows, last);
  }
  for (unsigned i = 0; i < order; i++)
    STORE (p->sums[i], sums[i]);
  STORE (p->last, last);
}

static void
synthesize_wide (eeg_eegpack_predictor *p, size_t frames, int32_t *rows)
{
  for (size_t t = 0; t < frames; t++, rows += LANES) {
    int64_t sum[LANES] = { 0 };

    for (unsigned i = 0; i < p->order; i++)
      for (unsigned l = 0; l < LANES; l++)
        sum[l] += (int64_t) p->coefs[i][l] * p->history[i][l];
    if (p->order > 0)
      memmove (p->history[1], p->history[0],
          (p->order - 1) * sizeof p->history[0]);
    for (unsigned l = 0; l < LANES; l++) {
      int64_t s = sum[l] + p->round[l];
      uint32_t v;

      if (p->wide[l] == 0)
        s = (int32_t) (uint32_t) s;
      v = (uint32_t) rows[l] + (uint32_t) (s >> p->shift[l]);
      p->history[0][l] = (int32_t) v;
      rows[l] = p->last[l] =
          (int32_t) (v + ((uint32_t) p->last[l] & p->integrate[l]));
    }
  }
}

static void
synthesize (eeg_eegpack_predictor *p, size_t frames, int32_t *rows)
{
  if (p->any_wide) {
    synthesize_wide (p, frames, rows);
    return;
  }
  switch (p->order) {
    case 0:
      synthesize_narrow (p, frames, rows, 0);
      break;
    case 4:
      synthesize_narrow (p, frames, rows, 4);
      break;
    case 8:
      synthesize_narrow (p, frames, rows, 8);
      break;
    case 12:
      synthesize_narrow (p, frames, rows, 12);
      break;
    case 16:
      synthesize_narrow (p, frames, rows, 16);
      break;
    case 20:
      synthesize_narrow (p, frames, rows, 20);
      break;
    case 24:
      synthesize_narrow (p, frames, rows, 24);
      break;
    case 28:
      synthesize_narrow (p, frames, rows, 28);
      break;
    default:
      synthesize_narrow (p, frames, rows, 32);
      break;
  }
}

/* 64-bit elements whose values fit 32 bits: their products are exact. */
#if defined(__AVX512BW__)
#define WIDE 8
typedef __m512i wide_s64;
#define MULTIPLY(a, b) _mm512_mul_epi32 ((a), (b))
#define PLUS(a, b) _mm512_add_epi64 ((a), (b))
#define SHIFT_GAIN(a) _mm512_srai_epi64 ((a), ADAPTIVE_GAIN)
static inline wide_s64
clip_weights (wide_s64 v)
{
  const wide_s64 limit = _mm512_set1_epi64 (ADAPTIVE_WEIGHT);

  v = _mm512_min_epi64 (v, limit);
  return _mm512_max_epi64 (v,
      _mm512_sub_epi64 (_mm512_setzero_si512 (), limit));
}
#elif defined(__AVX2__)
#define WIDE 4
typedef __m256i wide_s64;
#define MULTIPLY(a, b) _mm256_mul_epi32 ((a), (b))
#define PLUS(a, b) _mm256_add_epi64 ((a), (b))
/* arithmetic, through numbers that are not negative */
#define SHIFT_GAIN(a)                                                          \
  _mm256_sub_epi64 (_mm256_srli_epi64 (_mm256_add_epi64 ((a),                  \
                                           _mm256_set1_epi64x (                \
                                               INT64_C (1) << 62)),            \
                        ADAPTIVE_GAIN),                                        \
      _mm256_set1_epi64x (INT64_C (1) << (62 - ADAPTIVE_GAIN)))
static inline wide_s64
clip_weights (wide_s64 v)
{
  const wide_s64 high = _mm256_set1_epi64x (ADAPTIVE_WEIGHT);
  const wide_s64 low = _mm256_set1_epi64x (-ADAPTIVE_WEIGHT);

  v = _mm256_blendv_epi8 (v, high, _mm256_cmpgt_epi64 (v, high));
  return _mm256_blendv_epi8 (v, low, _mm256_cmpgt_epi64 (low, v));
}
#else
#define WIDE 1
typedef int64_t wide_s64;
#define MULTIPLY(a, b) ((a) * (b))
#define PLUS(a, b) ((a) + (b))
#define SHIFT_GAIN(a) ((a) >> ADAPTIVE_GAIN)
static inline wide_s64
clip_weights (wide_s64 v)
{
  v = v < ADAPTIVE_WEIGHT ? v : ADAPTIVE_WEIGHT;
  return v > -ADAPTIVE_WEIGHT ? v : -ADAPTIVE_WEIGHT;
}
#endif

static inline int64_t
clip (int64_t v, int64_t limit)
{
  v = v < limit ? v : limit;
  return v > -limit ? v : -limit;
}

/* One step of one lane, from the sum of its products: the residual or value
 * takes the other's place, and the past moves on. Returns the gain. */
static inline int64_t
adapt_step (int64_t sum, int32_t *place, bool inverse, int64_t oldest,
    unsigned step, int64_t *power, int64_t *newest)
{
  uint32_t guess = (uint32_t) ((sum + (1 << 15)) >> 16);
  int32_t error, value;
  int64_t gain;

  if (inverse) {
    error = *place;
    *place = value = (int32_t) ((uint32_t) error + guess);
  } else {
    value = *place;
    *place = error = (int32_t) ((uint32_t) value - guess);
  }
  gain = clip (error, ADAPTIVE_CAP)
      * (INT64_C (1) << (16 + ADAPTIVE_GAIN - step)) / (*power + 1);
  *newest = clip (value, ADAPTIVE_CAP);
  *power += *newest * *newest - oldest * oldest;
  return clip (gain, INT32_MAX);
}

/* lanes side by side */
static void
adapt_lanes (eeg_eegpack_adaptive *a, size_t frames, int32_t *rows,
    bool inverse)
{
  const unsigned taps = a->max_taps;

  for (size_t t = 0; t < frames; t++, rows += LANES) {
    int64_t (*history)[LANES] = a->history + a->at;
    int64_t sums[LANES], gains[LANES], newest[LANES];

    for (unsigned l = 0; l < LANES; l += WIDE) {
      wide_s64 sum, w, h;

      memset (&sum, 0, sizeof sum);
      for (unsigned i = 0; i < taps; i++) {
        LOAD (w, &a->weights[i][l]);
        LOAD (h, &history[i][l]);
        sum = PLUS (sum, MULTIPLY (w, h));
      }
      STORE (sums + l, sum);
    }
    for (unsigned l = 0; l < LANES; l++) {
      gains[l] = newest[l] = 0;
      if (a->taps[l] > 0)
        gains[l] = adapt_step (sums[l], &rows[l], inverse,
            history[a->taps[l] - 1][l], a->step[l], &a->power[l], &newest[l]);
    }
    for (unsigned i = 0; i < taps; i++) {
      if (i == 16)
        for (unsigned l = 0; l < LANES; l++)
          if (a->taps[l] <= 16)
            gains[l] = 0;
      for (unsigned l = 0; l < LANES; l += WIDE) {
        wide_s64 g, w, h;

        LOAD (g, gains + l);
        LOAD (w, &a->weights[i][l]);
        LOAD (h, &history[i][l]);
        w = clip_weights (PLUS (w, SHIFT_GAIN (MULTIPLY (g, h))));
        STORE (&a->weights[i][l], w);
      }
    }
    if (a->at == 0) {
      memcpy (a->history[MAX_ADAPTIVE + 1], a->history[0],
          (MAX_ADAPTIVE - 1) * sizeof a->history[0]);
      a->at = MAX_ADAPTIVE + 1;
    }
    memcpy (a->history[--a->at], newest, sizeof newest);
  }
}

/* taps side by side */
static void
adapt_lane (eeg_eegpack_adaptive *a, unsigned l, size_t frames, int32_t *row,
    bool inverse)
{
  const unsigned taps = a->taps[l], step = a->step[l];
  int64_t weights[MAX_ADAPTIVE], history[2 * MAX_ADAPTIVE];
  int64_t power = a->power[l];
  unsigned at = a->at;

  for (unsigned i = 0; i < MAX_ADAPTIVE; i++)
    weights[i] = a->weights[i][l];
  for (unsigned i = 0; i < 2 * MAX_ADAPTIVE; i++)
    history[i] = a->history[i][l];
  for (size_t t = 0; t < frames; t++, row += LANES) {
    int64_t parts[WIDE], gains[WIDE], sum = 0, gain, newest;
    wide_s64 sums, g, w, h;

    memset (&sums, 0, sizeof sums);
    for (unsigned i = 0; i < taps; i += WIDE) {
      LOAD (w, weights + i);
      LOAD (h, history + at + i);
      sums = PLUS (sums, MULTIPLY (w, h));
    }
    STORE (parts, sums);
    for (unsigned i = 0; i < WIDE; i++)
      sum += parts[i];
    gain = adapt_step (sum, row, inverse, history[at + taps - 1], step, &power,
        &newest);
    for (unsigned i = 0; i < WIDE; i++)
      gains[i] = gain;
    LOAD (g, gains);
    for (unsigned i = 0; i < taps; i += WIDE) {
      LOAD (w, weights + i);
      LOAD (h, history + at + i);
      w = clip_weights (PLUS (w, SHIFT_GAIN (MULTIPLY (g, h))));
      STORE (weights + i, w);
    }
    if (at == 0) {
      memcpy (history + MAX_ADAPTIVE + 1, history,
          (MAX_ADAPTIVE - 1) * sizeof *history);
      at = MAX_ADAPTIVE + 1;
    }
    history[--at] = newest;
  }
  for (unsigned i = 0; i < MAX_ADAPTIVE; i++)
    a->weights[i][l] = weights[i];
  for (unsigned i = 0; i < 2 * MAX_ADAPTIVE; i++)
    a->history[i][l] = history[i];
  a->power[l] = power;
}

static void
adapt (eeg_eegpack_adaptive *a, size_t frames, int32_t *rows, bool inverse)
{
  unsigned active = 0;

  for (unsigned l = 0; l < LANES; l++)
    active += a->taps[l] > 0;
  if (active > 4) {
    adapt_lanes (a, frames, rows, inverse);
    return;
  }
  for (unsigned l = 0; l < LANES; l++)
    if (a->taps[l] > 0)
      adapt_lane (a, l, frames, rows + l, inverse);
  /* all went down as many rows, each from the same one */
  for (; frames > 0; frames--)
    a->at = a->at == 0 ? MAX_ADAPTIVE : a->at - 1;
}

static inline __attribute__ ((always_inline)) void
residual_narrow (const int32_t *column, size_t frames, const int32_t *coefs,
    unsigned order, unsigned shift, int32_t *out)
{
  const uint32_t round = (1u << shift) >> 1;
  size_t t = 0;

  for (; t + LANES <= frames; t += LANES) {
    row_u32 sum = (row_u32){ 0 } + round, past, v;

#pragma GCC unroll 32
    for (unsigned i = 0; i < order; i++) {
      LOAD (past, column + t - 1 - i);
      sum += past * (uint32_t) coefs[i];
    }
    LOAD (v, column + t);
    v -= (row_u32) ((row_s32) sum >> (int32_t) shift);
    STORE (out + t, v);
  }
  for (; t < frames; t++) {
    uint32_t sum = round;

    for (unsigned i = 0; i < order; i++)
      sum += (uint32_t) column[(ptrdiff_t) t - 1 - (ptrdiff_t) i]
          * (uint32_t) coefs[i];
    out[t] =
        (int32_t) ((uint32_t) column[t] - (uint32_t) ((int32_t) sum >> shift));
  }
}

static void
residual (const int32_t *column, size_t frames, const int32_t *coefs,
    unsigned order, unsigned shift, bool wide, int32_t *out)
{
  if (wide) {
    for (size_t t = 0; t < frames; t++) {
      int64_t sum = (1u << shift) >> 1;

      for (unsigned i = 0; i < order; i++)
        sum += (int64_t) column[(ptrdiff_t) t - 1 - (ptrdiff_t) i] * coefs[i];
      out[t] = (int32_t) ((uint32_t) column[t] - (uint32_t) (sum >> shift));
    }
    return;
  }
  switch (order) {
    case 0:
      residual_narrow (column, frames, coefs, 0, shift, out);
      break;
    case 4:
      residual_narrow (column, frames, coefs, 4, shift, out);
      break;
    case 8:
      residual_narrow (column, frames, coefs, 8, shift, out);
      break;
    case 12:
      residual_narrow (column, frames, coefs, 12, shift, out);
      break;
    case 16:
      residual_narrow (column, frames, coefs, 16, shift, out);
      break;
    case 20:
      residual_narrow (column, frames, coefs, 20, shift, out);
      break;
    case 24:
      residual_narrow (column, frames, coefs, 24, shift, out);
      break;
    default:
      residual_narrow (column, frames, coefs, order, shift, out);
      break;
  }
}

static inline __attribute__ ((always_inline)) void
mix_narrow (const int32_t *column, size_t frames,
    const int32_t *const *references, const int32_t *weights, unsigned n,
    unsigned shift, bool add, int32_t *out)
{
  const uint32_t round = (1u << shift) >> 1;
  size_t t = 0;

  for (; t + LANES <= frames; t += LANES) {
    row_u32 sum = (row_u32){ 0 } + round, v;

    for (unsigned i = 0; i < n; i++) {
      LOAD (v, references[i] + t);
      sum += v * (uint32_t) weights[i];
    }
    sum = (row_u32) ((row_s32) sum >> (int32_t) shift);
    LOAD (v, column + t);
    v = add ? v + sum : v - sum;
    STORE (out + t, v);
  }
  for (; t < frames; t++) {
    uint32_t sum = round;

    for (unsigned i = 0; i < n; i++)
      sum += (uint32_t) references[i][t] * (uint32_t) weights[i];
    sum = (uint32_t) ((int32_t) sum >> shift);
    out[t] = (int32_t) ((uint32_t) column[t] + (add ? sum : 0 - sum));
  }
}

static void
mix (const int32_t *column, size_t frames, const int32_t *const *references,
    const int32_t *weights, unsigned n, unsigned shift, bool wide, bool add,
    int32_t *out)
{
  if (wide) {
    for (size_t t = 0; t < frames; t++) {
      int64_t sum = (1u << shift) >> 1;
      uint32_t s;

      for (unsigned i = 0; i < n; i++)
        sum += (int64_t) references[i][t] * weights[i];
      s = (uint32_t) (sum >> shift);
      out[t] = (int32_t) ((uint32_t) column[t] + (add ? s : 0 - s));
    }
    return;
  }
  switch (n) {
    case 1:
      mix_narrow (column, frames, references, weights, 1, shift, add, out);
      break;
    case 2:
      mix_narrow (column, frames, references, weights, 2, shift, add, out);
      break;
    case 3:
      mix_narrow (column, frames, references, weights, 3, shift, add, out);
      break;
    case 4:
      mix_narrow (column, frames, references, weights, 4, shift, add, out);
      break;
    default:
      mix_narrow (column, frames, references, weights, n, shift, add, out);
      break;
  }
}

static void
difference (const int32_t *column, size_t frames, int32_t *out, int32_t *min,
    int32_t *max)
{
  int32_t low = INT32_MAX, high = INT32_MIN;

  for (size_t t = 0; t < frames; t++) {
    int32_t v =
        (int32_t) ((uint32_t) column[t] - (uint32_t) column[(ptrdiff_t) t - 1]);

    low = v < low ? v : low;
    high = v > high ? v : high;
    out[t] = v;
  }
  *min = low;
  *max = high;
}

static void
add (const int32_t *column, size_t frames, int32_t value, int32_t *out)
{
  for (size_t t = 0; t < frames; t++)
    out[t] = (int32_t) ((uint32_t) column[t] + (uint32_t) value);
}

/* ---- analysis ---- */

/* Products of values up to 2^13 in size: a lane takes two at a time, and 15
 * times two before a 32-bit sum could overflow. */
#define SUM_STEPS 15

#if defined(__AVX512BW__)
#define STEP 32
typedef __m512i vec_s16;
#define MADD(a, b)                                                             \
  _mm512_madd_epi16 (_mm512_loadu_si512 (a), _mm512_loadu_si512 (b))
#define ADD(a, b) _mm512_add_epi32 ((a), (b))
#define ZERO() _mm512_setzero_si512 ()
static inline int64_t
widen (vec_s16 v)
{
  return _mm512_reduce_add_epi64 (
      _mm512_add_epi64 (_mm512_cvtepi32_epi64 (_mm512_castsi512_si256 (v)),
          _mm512_cvtepi32_epi64 (_mm512_extracti64x4_epi64 (v, 1))));
}
#elif defined(__AVX2__)
#define STEP 16
typedef __m256i vec_s16;
#define MADD(a, b)                                                             \
  _mm256_madd_epi16 (_mm256_loadu_si256 ((const __m256i *) (a)),               \
      _mm256_loadu_si256 ((const __m256i *) (b)))
#define ADD(a, b) _mm256_add_epi32 ((a), (b))
#define ZERO() _mm256_setzero_si256 ()
static inline int64_t
widen (vec_s16 v)
{
  int32_t s[8];
  int64_t sum = 0;

  _mm256_storeu_si256 ((__m256i *) s, v);
  for (int i = 0; i < 8; i++)
    sum += s[i];
  return sum;
}
#elif defined(__SSE2__)
#define STEP 8
typedef __m128i vec_s16;
#define MADD(a, b)                                                             \
  _mm_madd_epi16 (_mm_loadu_si128 ((const __m128i *) (a)),                     \
      _mm_loadu_si128 ((const __m128i *) (b)))
#define ADD(a, b) _mm_add_epi32 ((a), (b))
#define ZERO() _mm_setzero_si128 ()
static inline int64_t
widen (vec_s16 v)
{
  int32_t s[4];

  _mm_storeu_si128 ((__m128i *) s, v);
  return (int64_t) s[0] + s[1] + s[2] + s[3];
}
#endif

static int64_t
dot (const int16_t *a, const int16_t *b, size_t n)
{
  int64_t sum = 0;
  size_t t = 0;

#ifdef STEP
  while (t + STEP <= n) {
    size_t steps = (n - t) / STEP;
    vec_s16 v = ZERO ();

    if (steps > SUM_STEPS)
      steps = SUM_STEPS;
    for (; steps > 0; steps--, t += STEP)
      v = ADD (v, MADD (a + t, b + t));
    sum += widen (v);
  }
#endif
  for (; t < n; t++)
    sum += (int32_t) a[t] * b[t];
  return sum;
}

/* sums[l] = sum of a[t] * a[t - l]; four lags share the loads */
static void
correlate (const int16_t *a, size_t n, unsigned lags, int64_t *sums)
{
  unsigned l = 0;

#ifdef STEP
  for (; l + 4 <= lags; l += 4) {
    int64_t sum[4] = { 0, 0, 0, 0 };
    size_t t = 0;

    while (t + STEP <= n) {
      size_t steps = (n - t) / STEP;
      vec_s16 v[4] = { ZERO (), ZERO (), ZERO (), ZERO () };

      if (steps > SUM_STEPS)
        steps = SUM_STEPS;
      for (; steps > 0; steps--, t += STEP)
        for (unsigned i = 0; i < 4; i++)
          v[i] = ADD (v[i], MADD (a + t, a + t - l - i));
      for (unsigned i = 0; i < 4; i++)
        sum[i] += widen (v[i]);
    }
    for (; t < n; t++)
      for (unsigned i = 0; i < 4; i++)
        sum[i] += (int32_t) a[t] * a[(ptrdiff_t) t - (ptrdiff_t) (l + i)];
    memcpy (sums + l, sum, sizeof sum);
  }
#endif
  for (; l < lags; l++)
    sums[l] = dot (a, a - l, n);
}

static void
limits (const int32_t *column, size_t frames, int32_t *min, int32_t *max)
{
  int32_t low = column[0], high = column[0];

  for (size_t t = 0; t < frames; t++) {
    low = column[t] < low ? column[t] : low;
    high = column[t] > high ? column[t] : high;
  }
  *min = low;
  *max = high;
}

static void
narrow (const int32_t *column, size_t frames, unsigned shift, int32_t limit,
    int16_t *out)
{
  for (size_t t = 0; t < frames; t++) {
    int32_t v = column[t] >> shift;

    v = v < limit ? v : limit;
    out[t] = (int16_t) (v > -limit ? v : -limit);
  }
}

static int64_t
sum (const int32_t *column, size_t frames)
{
  int64_t s = 0;

  for (size_t t = 0; t < frames; t++)
    s += column[t];
  return s;
}

static uint64_t
level (const int32_t *column, size_t frames)
{
  uint64_t s = 0;

  for (size_t t = 0; t < frames; t++)
    s += (uint32_t) column[t] << 1 ^ (uint32_t) (column[t] >> 31);
  return s;
}

static inline __attribute__ ((always_inline)) bool
any_set (row_s32 v)
{
#if defined(__AVX512F__)
  return _mm512_test_epi32_mask ((__m512i) v, (__m512i) v) != 0;
#else
  uint64_t parts[LANES / 2], any = 0;

  STORE (parts, v);
  for (unsigned i = 0; i < LANES / 2; i++)
    any |= parts[i];
  return any != 0;
#endif
}

static size_t
find (const int32_t *column, size_t at, size_t end)
{
  for (; at + LANES <= end; at += LANES) {
    row_s32 same, v;

    LOAD (v, column + at);
    same = v == column[0];
    if (!any_set (same))
      continue;
    for (unsigned i = 1; i < 4; i++) {
      LOAD (v, column + at + i);
      same &= v == column[i];
    }
    if (any_set (same))
      break;
  }
  while (at < end && memcmp (column + at, column, 4 * sizeof *column) != 0)
    at++;
  return at;
}

static void
wander (const int32_t *column, size_t frames, int32_t from, uint64_t *level,
    uint64_t *change)
{
  uint64_t l = 0, c = 0;

  for (size_t t = 1; t < frames; t++) {
    int64_t x = (int64_t) column[t] - from,
            y = (int64_t) column[t] - column[t - 1];

    l += (uint64_t) (x < 0 ? -x : x);
    c += (uint64_t) (y < 0 ? -y : y);
  }
  *level = l;
  *change = c;
}

const eeg_eegpack_loops EEG_EEGPACK_LOOPS = {
  load_rows,
  store_rows,
  rows_to_columns,
  columns_to_rows,
  decode,
  model,
  count,
  emit,
  synthesize,
  adapt,
  residual,
  mix,
  difference,
  add,
  dot,
  correlate,
  limits,
  sum,
  level,
  find,
  wander,
  narrow,
};
