/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compiled once per instruction set, with EEG_QUANTIZE_TABLE naming the result
 * and QUANTIZE_LANES the vector width in doubles (at most EEG_CONVERT_LANES).
 * Built with -ffp-contract=off, so that every build rounds the same way. */
#include "convert-private.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define LANES QUANTIZE_LANES

static inline double
get_f32 (const uint8_t *p)
{
  uint32_t u = (uint32_t) p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16
      | (uint32_t) p[3] << 24;
  float f;

  memcpy (&f, &u, sizeof f);
  return f;
}

static inline double
get_f64 (const uint8_t *p)
{
  uint64_t u = 0;
  double d;

  for (int i = 0; i < 8; i++)
    u |= (uint64_t) p[i] << (8 * i);
  memcpy (&d, &u, sizeof d);
  return d;
}

static inline void
put_s16 (uint8_t *p, int32_t count)
{
  p[0] = (uint8_t) count;
  p[1] = (uint8_t) ((uint32_t) count >> 8);
}

static inline void
put_s24 (uint8_t *p, int32_t count)
{
  put_s16 (p, count);
  p[2] = (uint8_t) ((uint32_t) count >> 16);
}

static inline void
put_s32 (uint8_t *p, int32_t count)
{
  put_s24 (p, count);
  p[3] = (uint8_t) ((uint32_t) count >> 24);
}

static inline int32_t
quantize_one (double quotient, double min, double max, uint64_t *misfits)
{
  double count = rint (quotient);

  if (count >= min && count <= max)
    return (int32_t) count;
  ++*misfits;
  return isnan (count) ? 0 : count < min ? (int32_t) min : (int32_t) max;
}

/* Wider intermediate results would break the way vectors round. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && FLT_EVAL_METHOD == 0
typedef double vec_f64 __attribute__ ((vector_size (LANES * 8)));
typedef float vec_f32 __attribute__ ((vector_size (LANES * 4)));
typedef int64_t vec_s64 __attribute__ ((vector_size (LANES * 8)));
typedef uint64_t vec_u64 __attribute__ ((vector_size (LANES * 8)));
typedef int32_t vec_s32 __attribute__ ((vector_size (LANES * 4)));
typedef int16_t vec_s16 __attribute__ ((vector_size (LANES * 2)));

static inline vec_f64
load_f32 (const uint8_t *p)
{
  vec_f32 v;

  memcpy (&v, p, sizeof v);
  return __builtin_convertvector(v, vec_f64);
}

static inline vec_f64
load_f64 (const void *p)
{
  vec_f64 v;

  memcpy (&v, p, sizeof v);
  return v;
}

static inline void
store_s16 (uint8_t *p, vec_s32 v)
{
  vec_s16 narrow = __builtin_convertvector(v, vec_s16);

  memcpy (p, &narrow, sizeof narrow);
}

/* Whole words, each over the spare byte of the one before: one byte beyond the
 * last sample is written too, so the caller leaves the end to the scalar
 * loop. */
static inline void
store_s24 (uint8_t *p, vec_s32 v)
{
  for (int i = 0; i < LANES; i++) {
    int32_t word = v[i];

    memcpy (p + 3 * i, &word, sizeof word);
  }
}

static inline void
store_s32 (uint8_t *p, vec_s32 v)
{
  memcpy (p, &v, sizeof v);
}

/* A number of at most 2^51 loses its fraction when this is added, rounded as
 * the unit rounds, and its lowest bits are then those of the whole number. */
#define TO_WHOLE 0x1.8p52
#define TO_WHOLE_BITS UINT64_C (0x4338000000000000)

/* Vectors that are tried at once. */
#define BLOCK 64

/* `far` gets bits above those of the format if some number does not fit it. */
static inline vec_s32
quantize_fitting (vec_f64 quotient, uint64_t lowest, vec_u64 *far)
{
  vec_u64 bits = (vec_u64) (quotient + TO_WHOLE);

  *far |= bits - lowest;
  return __builtin_convertvector(bits, vec_s32);
}

/* The limits are whole, so what rounds to one of them fits. */
static inline vec_s32
quantize_any (vec_f64 quotient, double min, double max, vec_s64 *misfits)
{
  const vec_f64 zero = { 0 };
  vec_s64 low = quotient < zero + (min - 0.5);
  vec_s64 high = quotient >= zero + (max + 0.5);
  vec_s64 bad = low | high | (quotient != quotient);
  vec_s64 bits = ((vec_s64) quotient & ~bad) | ((vec_s64) (zero + min) & low)
      | ((vec_s64) (zero + max) & high);

  *misfits -= bad;
  bits = (vec_s64) ((vec_f64) bits + TO_WHOLE);
  return __builtin_convertvector(bits, vec_s32);
}

/* Sets `counts` of a block of n vectors. */
#define EACH_VECTOR(load, in_size, quantize)                                   \
  for (size_t v = 0, at = k; v < n; v++) {                                     \
    vec_f64 value = load (in + (i + v * LANES) * (in_size));                   \
    vec_f64 quotient =                                                         \
        (value - load_f64 (offset + at)) / load_f64 (gain + at);               \
                                                                               \
    counts[v] = quantize;                                                      \
    at += LANES;                                                               \
    at -= at >= period ? period : 0;                                           \
  }

/* A block is written when all of it was read, as it may be the same memory. */
#define VECTORS(load, store, in_size, out_size, spare)                         \
  while (i + LANES + (spare) <= samples) {                                     \
    size_t n = (samples - (spare) -i) / LANES;                                 \
    vec_s32 counts[BLOCK];                                                     \
    vec_u64 far = { 0 };                                                       \
    uint64_t all = 0;                                                          \
                                                                               \
    n = n < BLOCK ? n : BLOCK;                                                 \
    EACH_VECTOR (load, in_size,                                                \
        quantize_fitting (quotient, TO_WHOLE_BITS + (uint64_t) (int64_t) min,  \
            &far))                                                             \
    for (int lane = 0; lane < LANES; lane++)                                   \
      all |= far[lane];                                                        \
    if (all >> (8 * (out_size)) != 0) {                                        \
      vec_s64 bad = { 0 };                                                     \
                                                                               \
      EACH_VECTOR (load, in_size, quantize_any (quotient, min, max, &bad))     \
      for (int lane = 0; lane < LANES; lane++)                                 \
        misfits += (uint64_t) bad[lane];                                       \
    }                                                                          \
    for (size_t v = 0; v < n; v++)                                             \
      store (out + (i + v * LANES) * (out_size), counts[v]);                   \
    i += n * LANES;                                                            \
    k = (k + n * LANES) % period;                                              \
  }
#else
#define VECTORS(load, store, in_size, out_size, spare)
#endif

/* `spare`: samples that the vectors leave over at the end */
#define QUANTIZE(name, get, load, put, store, in_size, out_size, spare)        \
  static uint64_t name (void *dst, const void *src, const double *gain,        \
      const double *offset, size_t period, size_t samples)                     \
  {                                                                            \
    const double max = (double) (UINT32_MAX >> (33 - 8 * (out_size)));         \
    const double min = -max - 1.0;                                             \
    uint8_t *out = dst;                                                        \
    const uint8_t *in = src;                                                   \
    uint64_t misfits = 0;                                                      \
    size_t i = 0, k = 0;                                                       \
                                                                               \
    VECTORS (load, store, in_size, out_size, spare)                            \
    for (; i < samples; i++) {                                                 \
      double quotient = (get (in + i * (in_size)) - offset[k]) / gain[k];      \
                                                                               \
      put (out + i * (out_size), quantize_one (quotient, min, max, &misfits)); \
      k = k + 1 == period ? 0 : k + 1;                                         \
    }                                                                          \
    return misfits;                                                            \
  }

QUANTIZE (f32_s16, get_f32, load_f32, put_s16, store_s16, 4, 2, 0)
QUANTIZE (f32_s24, get_f32, load_f32, put_s24, store_s24, 4, 3, 1)
QUANTIZE (f32_s32, get_f32, load_f32, put_s32, store_s32, 4, 4, 0)
QUANTIZE (f64_s16, get_f64, load_f64, put_s16, store_s16, 8, 2, 0)
QUANTIZE (f64_s24, get_f64, load_f64, put_s24, store_s24, 8, 3, 1)
QUANTIZE (f64_s32, get_f64, load_f64, put_s32, store_s32, 8, 4, 0)

const eeg_quantize_table EEG_QUANTIZE_TABLE = {
  { f32_s16, f32_s24, f32_s32 },
  { f64_s16, f64_s24, f64_s32 },
};
