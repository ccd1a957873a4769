/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compiled once per instruction set, with EEG_CONVERT_TABLE naming the result
 * and CONVERT_LANES the vector width in doubles (at most EEG_CONVERT_LANES).
 * Built with -ffp-contract=off: a fused multiply-add would round
 * differently. */
#include "convert-private.h"

#include <stdint.h>
#include <string.h>

#define LANES CONVERT_LANES

static inline int32_t
get_s16 (const uint8_t *p)
{
  return (int16_t) (p[0] | p[1] << 8);
}

static inline int32_t
get_s24 (const uint8_t *p)
{
  return (int32_t) ((uint32_t) p[0] << 8 | (uint32_t) p[1] << 16
             | (uint32_t) p[2] << 24)
      >> 8;
}

static inline int32_t
get_s32 (const uint8_t *p)
{
  return (int32_t) ((uint32_t) p[0] | (uint32_t) p[1] << 8
      | (uint32_t) p[2] << 16 | (uint32_t) p[3] << 24);
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
static inline void
put_f32 (uint8_t *p, double v)
{
  float f = (float) v;

  memcpy (p, &f, sizeof f);
}

static inline void
put_f64 (uint8_t *p, double v)
{
  memcpy (p, &v, sizeof v);
}

typedef double vec_f64 __attribute__ ((vector_size (LANES * 8)));
typedef float vec_f32 __attribute__ ((vector_size (LANES * 4)));
typedef int32_t vec_s32 __attribute__ ((vector_size (LANES * 4)));
typedef int16_t vec_s16 __attribute__ ((vector_size (LANES * 2)));

static inline vec_s32
load_s16 (const uint8_t *p)
{
  vec_s16 v;

  memcpy (&v, p, sizeof v);
  return __builtin_convertvector(v, vec_s32);
}

/* LANES samples are LANES * 3 bytes; whole words are read from one byte before
 * each sample, so the caller leaves the first vector to the scalar loop. */
static inline vec_s32
load_s24 (const uint8_t *p)
{
  vec_s32 v;
  int32_t word[LANES];

  for (int i = 0; i < LANES; i++)
    memcpy (&word[i], p + 3 * i - 1, 4);
  memcpy (&v, word, sizeof v);
  return v >> 8;
}

static inline vec_s32
load_s32 (const uint8_t *p)
{
  vec_s32 v;

  memcpy (&v, p, sizeof v);
  return v;
}

static inline void
store_f32 (uint8_t *p, vec_f64 v)
{
  vec_f32 f = __builtin_convertvector(v, vec_f32);

  memcpy (p, &f, sizeof f);
}

static inline void
store_f64 (uint8_t *p, vec_f64 v)
{
  memcpy (p, &v, sizeof v);
}

static inline vec_f64
load_f64 (const double *p)
{
  vec_f64 v;

  memcpy (&v, p, sizeof v);
  return v;
}

#define VECTORS(load, store, in_size, out_size)                                \
  for (; i + LANES <= samples; i += LANES) {                                   \
    vec_f64 v = __builtin_convertvector(load (in + i * (in_size)), vec_f64);   \
                                                                               \
    store (out + i * (out_size),                                               \
        v * load_f64 (gain + k) + load_f64 (offset + k));                      \
    k += LANES;                                                                \
    k -= k >= period ? period : 0;                                             \
  }
#else
static inline void
put_f32 (uint8_t *p, double v)
{
  float f = (float) v;
  uint32_t u;

  memcpy (&u, &f, sizeof u);
  for (int i = 0; i < 4; i++)
    p[i] = (uint8_t) (u >> (8 * i));
}

static inline void
put_f64 (uint8_t *p, double v)
{
  uint64_t u;

  memcpy (&u, &v, sizeof u);
  for (int i = 0; i < 8; i++)
    p[i] = (uint8_t) (u >> (8 * i));
}

#define VECTORS(load, store, in_size, out_size)
#endif

#define ONE(get, put, in_size, out_size)                                       \
  do {                                                                         \
    put (out + i * (out_size),                                                 \
        (double) get (in + i * (in_size)) * gain[k] + offset[k]);              \
    k = k + 1 == period ? 0 : k + 1;                                           \
    i++;                                                                       \
  } while (0)

/* `head`: one sample goes before the vectors */
#define CONVERT(name, get, load, put, store, in_size, out_size, head)          \
  static void name (void *dst, const void *src, const double *gain,            \
      const double *offset, size_t period, size_t samples)                     \
  {                                                                            \
    uint8_t *out = dst;                                                        \
    const uint8_t *in = src;                                                   \
    size_t i = 0, k = 0;                                                       \
                                                                               \
    if ((head) && samples > 0)                                                 \
      ONE (get, put, in_size, out_size);                                       \
    VECTORS (load, store, in_size, out_size)                                   \
    while (i < samples)                                                        \
      ONE (get, put, in_size, out_size);                                       \
  }

CONVERT (s16_f32, get_s16, load_s16, put_f32, store_f32, 2, 4, false)
CONVERT (s16_f64, get_s16, load_s16, put_f64, store_f64, 2, 8, false)
CONVERT (s24_f32, get_s24, load_s24, put_f32, store_f32, 3, 4, true)
CONVERT (s24_f64, get_s24, load_s24, put_f64, store_f64, 3, 8, true)
CONVERT (s32_f32, get_s32, load_s32, put_f32, store_f32, 4, 4, false)
CONVERT (s32_f64, get_s32, load_s32, put_f64, store_f64, 4, 8, false)

const eeg_convert_table EEG_CONVERT_TABLE = {
  { s16_f32, s16_f64 },
  { s24_f32, s24_f64 },
  { s32_f32, s32_f64 },
};
