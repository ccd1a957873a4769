/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compiled once per instruction set, with EEG_RESAMPLE_TABLE naming the result.
 * Built with -ffp-contract=off; each sum is one chain in the order of rising
 * time, so that every build gives the same bits. */
#include "resample-private.h"

#include <string.h>

#define LANES EEG_RESAMPLE_LANES
/* Vectors that share one load of a tap, and whose sums do not wait for each
 * other. */
#define GROUP 8

typedef double vec __attribute__ ((vector_size (LANES * 8)));

#define INLINE static inline __attribute__ ((always_inline))

INLINE vec
load_vec (const double *p)
{
  vec v;

  memcpy (&v, p, sizeof v);
  return v;
}

#define LOAD(name, type)                                                       \
  static void name (const type *in, double *frames, size_t n,                  \
      unsigned channels, size_t stride)                                        \
  {                                                                            \
    for (size_t f = 0; f < n; f++, in += channels, frames += stride) {         \
      for (unsigned c = 0; c < channels; c++)                                  \
        frames[c] = in[c];                                                     \
    }                                                                          \
  }

LOAD (load_f32, float)
LOAD (load_f64, double)

/* group is a constant where this is inlined */
INLINE void
dot_group (const double *frames, size_t stride, const double *taps, size_t n,
    double *out, const int group)
{
  vec sum[GROUP];

  _Pragma ("GCC unroll 8") for (int g = 0; g < group; g++) sum[g] = (vec){ 0 };
  for (size_t i = 0; i < n; i++, frames += stride) {
    const double t = taps[i];
    const vec tap = { t, t, t, t, t, t, t, t };

    _Pragma ("GCC unroll 8") for (int g = 0; g < group; g++) sum[g] +=
        tap * load_vec (frames + g * LANES);
  }
  _Pragma ("GCC unroll 8") for (int g = 0; g < group; g++)
      memcpy (out + g * LANES, &sum[g], sizeof sum[g]);
}

static void
dot (const double *frames, size_t stride, const double *taps, size_t n,
    double *out)
{
  size_t c = 0;

  for (; c + GROUP * LANES <= stride; c += GROUP * LANES)
    dot_group (frames + c, stride, taps, n, out + c, GROUP);
  for (; c + 4 * LANES <= stride; c += 4 * LANES)
    dot_group (frames + c, stride, taps, n, out + c, 4);
  for (; c < stride; c += LANES)
    dot_group (frames + c, stride, taps, n, out + c, 1);
}

const eeg_resample_table EEG_RESAMPLE_TABLE = { load_f32, load_f64, dot };
