/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EEG_FIR_PRIVATE_H
#define EEG_FIR_PRIVATE_H

#include "fir.h"

/* Channels are kept in panels of this many: one row of a panel holds one F64
 * value of each of its channels and is one cache line. Every build uses the
 * same panels, so only rounding of multiply-add can tell builds apart. */
#define EEG_FIR_PANEL 8
#define EEG_FIR_ALIGN 64

typedef enum
{
  EEG_FIR_SYMMETRIC,     /* taps[i] equals taps[n - 1 - i] */
  EEG_FIR_ANTISYMMETRIC, /* taps[i] equals -taps[n - 1 - i] */
  EEG_FIR_GENERAL
} eeg_fir_symmetry;

/* Part of a long kernel: `n_parts` parts of `points` - `block` taps, each as
 * the spectrum of itself and `block` zeros. What they give is made each time
 * `block` more rows are there, in the time that `block` further rows take. With
 * several parts a block is half the points. */
typedef struct
{
  size_t block;
  size_t points; /* of a transform, a power of two */
  size_t n_parts;
  double *spectra; /* n_parts * points complex numbers, in the order that
                      eeg_fir_fft.forward leaves, divided by points */
  double gain;     /* sum of its taps */
} eeg_fir_level;

/* Without latency: 64 taps applied directly, then levels of blocks of 32, 256,
 * 1024, 4096, ... rows, each from tap 2 * block on, to where the next begins.
 * The largest for EEG_FIR_MAX_TAPS is of 2^20 rows. */
#define EEG_FIR_FIRST_BLOCK 32
#define EEG_FIR_MAX_LEVELS 8
/* Kernels of more taps have levels. */
#define EEG_FIR_MAX_DIRECT 512
#define EEG_FIR_MAX_DIRECT_IN_BLOCKS 192
/* With latency: one level from tap 0 on. */
#define EEG_FIR_LEAST_BLOCK 512
#define EEG_FIR_LARGEST_BLOCK 16384
/* Blocks become longer than that where there would be more parts than this. */
#define EEG_FIR_PARTS_IN_BLOCKS 8
/* That of a kernel in one part: points up to, or before that where so much of a
 * transform is of use. */
#define EEG_FIR_LARGEST_SINGLE 8192
#define EEG_FIR_FULL 0.7
/* Blocks are multiples of so many rows. */
#define EEG_FIR_CHUNK 16
/* Most parts of a level. */
#define EEG_FIR_MAX_PARTS 512

struct eeg_fir_kernel
{
  int refs; /* atomic */
  size_t n_taps;
  size_t delay;
  size_t latency; /* more that is held for the sake of long blocks */
  bool linear_phase;
  eeg_fir_symmetry symmetry;
  double *taps;     /* as given */
  double *reversed; /* in the order of rising time, made exactly symmetric */
  size_t head;      /* the first taps, which are applied directly */
  size_t n_levels;  /* 0: direct form only */
  eeg_fir_level levels[EEG_FIR_MAX_LEVELS]; /* rising block */
  double *twiddles;                         /* NULL without levels */
};

typedef struct
{
  /* Widens `lanes` interleaved channels of `rows` frames, `stride` channels
   * apart, to panel rows; lanes that are not used become 0. */
  void (*load) (double *panel, const void *in, size_t stride, unsigned lanes,
      size_t rows, eeg_fir_format format);
  /* Output row t is the sum of taps[j] * panel row (t + j), and of row t of
   * addend if there is one, which is for general kernels only; `panel` is the
   * row of the first output's first tap, taps are in the order of rising
   * time. */
  void (*filter) (const double *panel, const double *taps, size_t n_taps,
      eeg_fir_symmetry symmetry, const double *addend, void *out, size_t stride,
      unsigned lanes, size_t rows, eeg_fir_format format);
  /* Writes panel rows as they are. */
  void (*store) (const double *panel, void *out, size_t stride, unsigned lanes,
      size_t rows, eeg_fir_format format);
} eeg_fir_direct;

/* Transforms of complex rows: EEG_FIR_PANEL real parts, then as many imaginary
 * ones. As filters are real, the real part carries one panel of channels and
 * the imaginary part another. */
#define EEG_FIR_POINT (2 * EEG_FIR_PANEL)

/* Transforms are done in units, so that they can be spread over time: unit by
 * unit in order, any number at once. The smallest transform is of 64 points. A
 * unit is that many butterflies by four, or a transform of the last 32 or 64
 * points. */
#define EEG_FIR_UNIT 16

/* Points of the smallest transforms that one of n points is made of. */
static inline size_t
eeg_fir_fft_leaf (size_t n)
{
  return __builtin_ctzll (n) % 2 == 0 ? 16 : 32;
}

static inline size_t
eeg_fir_fft_units (size_t n, size_t leaf)
{
  return n == leaf
      ? 1
      : n / (4 * EEG_FIR_UNIT) + 4 * eeg_fir_fft_units (n / 4, leaf);
}

/* Units of the first pass forwards, or of the last one backwards, which come
 * first or last. */
static inline size_t
eeg_fir_fft_outer_units (size_t n)
{
  return n / (4 * EEG_FIR_UNIT);
}

/* Twiddles: for each size 4, 8, ... and k below a quarter of it the numbers exp
 * (-2 pi i m k / size) of m = 1, 2, 3. Those of a size are at: */
static inline size_t
eeg_fir_fft_twiddles_at (size_t size)
{
  return 6 * (size / 4 - 1);
}

/* Those of all sizes up to n, to be freed; NULL without memory. */
double *eeg_fir_fft_new_twiddles (size_t n);

typedef struct
{
  /* Units `from` to before `to`, in place. Leaves a fixed permutation of the
   * spectrum, its first value in place, which `inverse` takes; `inverse` does
   * not divide by n. */
  void (*forward) (double *points, size_t n, size_t from, size_t to,
      const double *twiddles);
  void (*inverse) (double *points, size_t n, size_t from, size_t to,
      const double *twiddles);
  /* out[i] = sum of x[part][i] * spectra[part * n + i], i from `from` to before
   * `to` */
  void (*multiply) (double *out, const double *const *x, const double *spectra,
      size_t n_parts, size_t n, size_t from, size_t to);
  /* One unit of the first pass forwards, which has eeg_fir_fft_outer_units() of
   * them, from rows of two panels: a[q] and b[q] are those of the points from
   * q n / 4 + unit * EEG_FIR_UNIT on, so many. */
  void (*begin) (double *points, size_t n, size_t unit,
      const double *const a[4], const double *const b[4],
      const double *twiddles);
  /* The same of the last pass of `inverse`, to rows; NULL where none are
   * wanted. */
  void (*finish) (const double *points, size_t n, size_t unit,
      double *const a[4], double *const b[4], const double *twiddles);
  /* sum[t] = rows[0][t] + rows[1][t] + ... for n rows of a panel */
  void (*add) (double *sum, const double *const *rows, size_t n_rows, size_t n);
} eeg_fir_fft;

extern const eeg_fir_fft eeg_fir_fft_base;
extern const eeg_fir_fft eeg_fir_fft_avx2;
extern const eeg_fir_fft eeg_fir_fft_avx512;

extern const eeg_fir_direct eeg_fir_direct_base;
extern const eeg_fir_direct eeg_fir_direct_avx2;
extern const eeg_fir_direct eeg_fir_direct_avx512;

#endif
