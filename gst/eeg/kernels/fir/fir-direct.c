/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Direct form, vectors across channels. Compiled once per instruction set, with
 * EEG_FIR_TABLE naming the result.
 *
 * Each output value is one chain of multiply-adds in the order of rising time,
 * however many rows are computed together, so that the split of the input does
 * not show. Where mirrored taps are equal, the two input values are added first
 * and multiplied once. */
#include "fir-private.h"

#include "fir-vector.h"

#include <string.h>

typedef float vec_f32 __attribute__ ((vector_size (LANES * 4)));

INLINE vec
join (vec a, vec b, eeg_fir_symmetry symmetry)
{
  return symmetry == EEG_FIR_ANTISYMMETRIC ? a - b : a + b;
}

/* `rows` outputs of one vector of channels; rows and symmetry are constants
 * where this is inlined. */
INLINE void
tile (const double *panel, const double *taps, size_t n_taps,
    const double *addend, double *out, const int rows,
    const eeg_fir_symmetry symmetry)
{
  vec sum[TILE_ROWS], early[TILE_ROWS + TILE_TAPS], late[TILE_ROWS + TILE_TAPS];
  const double *last = panel + (n_taps - 1) * EEG_FIR_PANEL;
  size_t n = symmetry == EEG_FIR_GENERAL ? n_taps : n_taps / 2, j = 0;

  UNROLL
  for (int t = 0; t < rows; t++)
    sum[t] = SET1 (0.0);

  for (; j + TILE_TAPS <= n; j += TILE_TAPS) {
    const double *a = panel + j * EEG_FIR_PANEL;
    const double *b = last - (j + TILE_TAPS - 1) * EEG_FIR_PANEL;

    UNROLL
    for (int i = 0; i < rows + TILE_TAPS - 1; i++) {
      early[i] = load_vec (a + i * EEG_FIR_PANEL);
      if (symmetry != EEG_FIR_GENERAL)
        late[i] = load_vec (b + i * EEG_FIR_PANEL);
    }
    UNROLL
    for (int k = 0; k < TILE_TAPS; k++) {
      vec tap = SET1 (taps[j + k]);

      UNROLL
      for (int t = 0; t < rows; t++) {
        vec x = early[k + t];

        if (symmetry != EEG_FIR_GENERAL)
          x = join (x, late[TILE_TAPS - 1 - k + t], symmetry);
        sum[t] = MULTIPLY_ADD (tap, x, sum[t]);
      }
    }
  }
  for (; j < n; j++) {
    vec tap = SET1 (taps[j]);

    UNROLL
    for (int t = 0; t < rows; t++) {
      vec x = load_vec (panel + (j + t) * EEG_FIR_PANEL);

      if (symmetry != EEG_FIR_GENERAL)
        x = join (x, load_vec (last - j * EEG_FIR_PANEL + t * EEG_FIR_PANEL),
            symmetry);
      sum[t] = MULTIPLY_ADD (tap, x, sum[t]);
    }
  }
  /* the middle; in an antisymmetric kernel it is 0 */
  if (symmetry == EEG_FIR_SYMMETRIC && (n_taps & 1)) {
    vec tap = SET1 (taps[n]);

    UNROLL
    for (int t = 0; t < rows; t++)
      sum[t] = MULTIPLY_ADD (tap, load_vec (panel + (n + t) * EEG_FIR_PANEL),
          sum[t]);
  }
  UNROLL
  for (int t = 0; t < rows; t++) {
    if (addend != NULL)
      sum[t] = sum[t] + load_vec (addend + t * EEG_FIR_PANEL);
    store_vec (out + t * EEG_FIR_PANEL, sum[t]);
  }
}

INLINE void
store_row (void *out, const double *row, unsigned lanes, eeg_fir_format format)
{
  if (format == EEG_FIR_F64) {
    memcpy (out, row, lanes * sizeof (double));
  } else if (lanes == EEG_FIR_PANEL) {
    for (int i = 0; i < EEG_FIR_PANEL; i += LANES) {
      vec_f32 v = __builtin_convertvector(load_vec (row + i), vec_f32);

      memcpy ((float *) out + i, &v, sizeof v);
    }
  } else {
    for (unsigned i = 0; i < lanes; i++)
      ((float *) out)[i] = (float) row[i];
  }
}

INLINE void
filter_as (const double *panel, const double *taps, size_t n_taps,
    const double *addend, uint8_t *out, size_t stride, unsigned lanes,
    size_t rows, eeg_fir_format format, const eeg_fir_symmetry symmetry)
{
  double result[TILE_ROWS * EEG_FIR_PANEL]
      __attribute__ ((aligned (EEG_FIR_ALIGN)));
  size_t frame = stride * (format == EEG_FIR_F32 ? 4 : 8);

#define TILES(count)                                                           \
  for (; rows >= (count); rows -= (count)) {                                   \
    for (int i = 0; i < EEG_FIR_PANEL; i += LANES)                             \
      tile (panel + i, taps, n_taps, addend != NULL ? addend + i : NULL,       \
          result + i, (count), symmetry);                                      \
    for (int t = 0; t < (count); t++, out += frame)                            \
      store_row (out, result + t * EEG_FIR_PANEL, lanes, format);              \
    panel += (count) *EEG_FIR_PANEL;                                           \
    if (addend != NULL)                                                        \
      addend += (count) *EEG_FIR_PANEL;                                        \
  }
  TILES (TILE_ROWS)
  TILES (TILE_ROWS / 2)
  TILES (1)
#undef TILES
}

static void
filter (const double *panel, const double *taps, size_t n_taps,
    eeg_fir_symmetry symmetry, const double *addend, void *out, size_t stride,
    unsigned lanes, size_t rows, eeg_fir_format format)
{
  switch (symmetry) {
    case EEG_FIR_SYMMETRIC:
      filter_as (panel, taps, n_taps, NULL, out, stride, lanes, rows, format,
          EEG_FIR_SYMMETRIC);
      break;
    case EEG_FIR_ANTISYMMETRIC:
      filter_as (panel, taps, n_taps, NULL, out, stride, lanes, rows, format,
          EEG_FIR_ANTISYMMETRIC);
      break;
    default:
      filter_as (panel, taps, n_taps, addend, out, stride, lanes, rows, format,
          EEG_FIR_GENERAL);
      break;
  }
}

static void
load (double *panel, const void *in, size_t stride, unsigned lanes, size_t rows,
    eeg_fir_format format)
{
  const float *f32 = in;
  const double *f64 = in;

  for (size_t t = 0; t < rows; t++, panel += EEG_FIR_PANEL) {
    if (format == EEG_FIR_F64) {
      memcpy (panel, f64 + t * stride, lanes * sizeof (double));
    } else if (lanes == EEG_FIR_PANEL) {
      for (int i = 0; i < EEG_FIR_PANEL; i += LANES) {
        vec_f32 v;

        memcpy (&v, f32 + t * stride + i, sizeof v);
        *(vec *) (panel + i) = __builtin_convertvector(v, vec);
      }
    } else {
      for (unsigned i = 0; i < lanes; i++)
        panel[i] = f32[t * stride + i];
    }
    for (unsigned i = lanes; i < EEG_FIR_PANEL; i++)
      panel[i] = 0;
  }
}

static void
store (const double *panel, void *out, size_t stride, unsigned lanes,
    size_t rows, eeg_fir_format format)
{
  size_t frame = stride * (format == EEG_FIR_F32 ? 4 : 8);
  uint8_t *to = out;

  for (size_t t = 0; t < rows; t++, to += frame)
    store_row (to, panel + t * EEG_FIR_PANEL, lanes, format);
}

const eeg_fir_direct EEG_FIR_TABLE = { load, filter, store };
