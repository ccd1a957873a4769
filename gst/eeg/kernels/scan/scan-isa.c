/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compiled once per instruction set, with EEG_SCAN_TABLE naming the result, and
 * with -ffp-contract=off: every build gives the same bits.
 *
 * All that is remembered of a vector of channels stays in registers over a
 * block of frames, which is short enough for the first cache. */
#include "scan-private.h"

#include "fir-vector.h"

#include <string.h>

/* Bytes of a block, and frames at least. */
#define BLOCK_BYTES 16384
#define MIN_FRAMES 8
#define MAX_FRAMES 256

typedef int64_t mask __attribute__ ((vector_size (LANES * 8)));
typedef float vec_f32 __attribute__ ((vector_size (LANES * 4)));
typedef double f64;
typedef float f32;

INLINE vec
load_f32 (const f32 *p)
{
  vec_f32 v;

  memcpy (&v, p, sizeof v);
  return (vec) __builtin_convertvector(v, vec);
}

INLINE vec
load_f64 (const f64 *p)
{
  vec v;

  memcpy (&v, p, sizeof v);
  return v;
}

INLINE vec
choose (mask m, vec a, vec b)
{
  return (vec) (((mask) a & m) | ((mask) b & ~m));
}

/* One where the mask is set, else zero */
INLINE vec
one_where (mask m)
{
  return (vec) ((mask) SET1 (1.0) & m);
}

/* LANES channels over a block; the last two arguments are constants where this
 * is inlined. */
#define VECTOR(type)                                                           \
  INLINE void vector_##type (const eeg_scan_plan *plan,                        \
      double (*rows)[EEG_SCAN_PANEL], const type *x, size_t stride,            \
      size_t frames, const bool has_limits, const unsigned n_tones)            \
  {                                                                            \
    const vec origin = load_vec (rows[EEG_SCAN_ORIGIN]);                       \
    const vec low = load_vec (rows[EEG_SCAN_LOW]);                             \
    const vec high = load_vec (rows[EEG_SCAN_HIGH]);                           \
    const vec rail_low = load_vec (rows[EEG_SCAN_RAIL_LOW]);                   \
    const vec rail_high = load_vec (rows[EEG_SCAN_RAIL_HIGH]);                 \
    const vec clip = SET1 (plan->clip_samples), one = SET1 (1.0);              \
    vec min = load_vec (rows[EEG_SCAN_MIN]);                                   \
    vec max = load_vec (rows[EEG_SCAN_MAX]);                                   \
    vec sum = load_vec (rows[EEG_SCAN_SUM]);                                   \
    vec square = load_vec (rows[EEG_SCAN_SQUARE]);                             \
    vec run = load_vec (rows[EEG_SCAN_RUN]);                                   \
    vec bad = SET1 (0.0), outside = bad, clipped = bad;                        \
    vec factor[EEG_SCAN_MAX_TONES], tone[2 * EEG_SCAN_MAX_TONES];              \
                                                                               \
    UNROLL                                                                     \
    for (unsigned t = 0; t < n_tones; t++) {                                   \
      factor[t] = SET1 (plan->factors[t]);                                     \
      tone[2 * t] = load_vec (rows[EEG_SCAN_TONES + 2 * t]);                   \
      tone[2 * t + 1] = load_vec (rows[EEG_SCAN_TONES + 2 * t + 1]);           \
    }                                                                          \
    for (size_t f = 0; f < frames; f++, x += stride) {                         \
      const vec v = load_##type (x), zero = v - v;                             \
      const mask good = (mask) (zero == zero);                                 \
      const vec y = (vec) ((mask) (v - origin) & good);                        \
                                                                               \
      bad += one_where (~good);                                                \
      min = choose ((mask) (v < min) & good, v, min);                          \
      max = choose ((mask) (v > max) & good, v, max);                          \
      sum += y;                                                                \
      square += y * y;                                                         \
      UNROLL                                                                   \
      for (unsigned t = 0; t < n_tones; t++) {                                 \
        const vec next = (y - tone[2 * t + 1]) + factor[t] * tone[2 * t];      \
                                                                               \
        tone[2 * t + 1] = tone[2 * t];                                         \
        tone[2 * t] = next;                                                    \
      }                                                                        \
      if (has_limits) {                                                        \
        const mask out = (mask) (v < low) | (mask) (v > high);                 \
        const mask rail = (mask) (v <= rail_low) | (mask) (v >= rail_high);    \
                                                                               \
        outside += one_where (out & good);                                     \
        run = (vec) ((mask) (run + one) & rail & good);                        \
        clipped += one_where ((mask) (run >= clip));                           \
      }                                                                        \
    }                                                                          \
    store_vec (rows[EEG_SCAN_MIN], min);                                       \
    store_vec (rows[EEG_SCAN_MAX], max);                                       \
    store_vec (rows[EEG_SCAN_SUM], sum);                                       \
    store_vec (rows[EEG_SCAN_SQUARE], square);                                 \
    store_vec (rows[EEG_SCAN_NOT_FINITE],                                      \
        load_vec (rows[EEG_SCAN_NOT_FINITE]) + bad);                           \
    store_vec (rows[EEG_SCAN_COUNT_NOT_FINITE],                                \
        load_vec (rows[EEG_SCAN_COUNT_NOT_FINITE]) + bad);                     \
    UNROLL                                                                     \
    for (unsigned t = 0; t < 2 * n_tones; t++)                                 \
      store_vec (rows[EEG_SCAN_TONES + t], tone[t]);                           \
    if (has_limits) {                                                          \
      store_vec (rows[EEG_SCAN_RUN], run);                                     \
      store_vec (rows[EEG_SCAN_COUNT_OUTSIDE],                                 \
          load_vec (rows[EEG_SCAN_COUNT_OUTSIDE]) + outside);                  \
      store_vec (rows[EEG_SCAN_COUNT_CLIPPED],                                 \
          load_vec (rows[EEG_SCAN_COUNT_CLIPPED]) + clipped);                  \
    }                                                                          \
  }                                                                            \
                                                                               \
  /* all vectors of one panel */                                               \
  static void panel_##type (const eeg_scan_plan *plan, eeg_scan_panel *panel,  \
      const type *x, size_t stride, size_t frames)                             \
  {                                                                            \
    for (int i = 0; i < EEG_SCAN_PANEL; i += LANES) {                          \
      double (*rows)[EEG_SCAN_PANEL] =                                         \
          (double (*)[EEG_SCAN_PANEL]) (&panel->rows[0][i]);                   \
                                                                               \
      if (plan->has_limits && plan->n_tones == 2)                              \
        vector_##type (plan, rows, x + i, stride, frames, true, 2);            \
      else if (plan->has_limits && plan->n_tones == 1)                         \
        vector_##type (plan, rows, x + i, stride, frames, true, 1);            \
      else if (plan->has_limits)                                               \
        vector_##type (plan, rows, x + i, stride, frames, true, 0);            \
      else if (plan->n_tones == 2)                                             \
        vector_##type (plan, rows, x + i, stride, frames, false, 2);           \
      else if (plan->n_tones == 1)                                             \
        vector_##type (plan, rows, x + i, stride, frames, false, 1);           \
      else                                                                     \
        vector_##type (plan, rows, x + i, stride, frames, false, 0);           \
    }                                                                          \
  }                                                                            \
                                                                               \
  static void add_##type (const eeg_scan_plan *plan, eeg_scan_panel *panels,   \
      const void *in, size_t frames)                                           \
  {                                                                            \
    const size_t channels = plan->channels;                                    \
    const size_t whole = channels / EEG_SCAN_PANEL;                            \
    const size_t tail = channels % EEG_SCAN_PANEL;                             \
    const type *x = in;                                                        \
    type last[MAX_FRAMES * EEG_SCAN_PANEL];                                    \
    size_t block = BLOCK_BYTES / (channels * sizeof *x);                       \
                                                                               \
    block = block < MIN_FRAMES ? MIN_FRAMES : block;                           \
    block = block > MAX_FRAMES ? MAX_FRAMES : block;                           \
    for (; frames > 0; frames -= block, x += block * channels) {               \
      block = block < frames ? block : frames;                                 \
      for (size_t p = 0; p < whole; p++)                                       \
        panel_##type (plan, &panels[p], x + p * EEG_SCAN_PANEL, channels,      \
            block);                                                            \
      if (tail == 0)                                                           \
        continue;                                                              \
      memset (last, 0, block *EEG_SCAN_PANEL * sizeof *last);                  \
      for (size_t f = 0; f < block; f++)                                       \
        memcpy (last + f * EEG_SCAN_PANEL,                                     \
            x + f * channels + whole * EEG_SCAN_PANEL, tail * sizeof *last);   \
      panel_##type (plan, &panels[whole], last, EEG_SCAN_PANEL, block);        \
    }                                                                          \
  }

VECTOR (f32)
VECTOR (f64)

const eeg_scan_table EEG_SCAN_TABLE = { { add_f32, add_f64 } };
