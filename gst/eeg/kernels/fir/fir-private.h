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

/* Part of a long kernel: taps from `block` on, in `n_parts` parts of `block`
 * taps, each as the spectrum of itself and as many zeros. Contributions to the
 * next `block` outputs are made each time `block` more rows are there. */
typedef struct
{
  size_t block; /* a power of two */
  size_t n_parts;
  double *spectra; /* n_parts * 2 * block complex numbers, in the order that
                      eeg_fir_fft.forward leaves, divided by 2 * block */
} eeg_fir_level;

/* 64 taps, then eight times as many at each level. */
#define EEG_FIR_HEAD 64
#define EEG_FIR_GROWTH 8
#define EEG_FIR_MAX_LEVELS 5
/* Kernels of more taps have levels. */
#define EEG_FIR_MAX_DIRECT 512

struct eeg_fir_kernel
{
  int refs; /* atomic */
  size_t n_taps;
  size_t delay;
  bool linear_phase;
  eeg_fir_symmetry symmetry;
  double *taps;     /* as given */
  double *reversed; /* in the order of rising time, made exactly symmetric */
  size_t n_levels;  /* 0: direct form only */
  eeg_fir_level levels[EEG_FIR_MAX_LEVELS]; /* rising block */
  double *twiddles; /* for the largest transform, NULL without levels */
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
} eeg_fir_direct;

/* Transforms of complex rows: EEG_FIR_PANEL real parts, then as many imaginary
 * ones. As filters are real, the real part carries one panel of channels and
 * the imaginary part another. */
#define EEG_FIR_POINT (2 * EEG_FIR_PANEL)

typedef struct
{
  /* In place, n a power of two from 4 on. Leaves a fixed permutation of the
   * spectrum, which `inverse` takes; `inverse` does not divide by n. The
   * twiddles are exp (-2 pi i k / n_twiddles), n_twiddles >= n. */
  void (*forward) (double *points, size_t n, const double *twiddles,
      size_t n_twiddles);
  void (*inverse) (double *points, size_t n, const double *twiddles,
      size_t n_twiddles);
  /* out[i] = sum of x[part][i] * spectra[part][i] */
  void (*multiply) (double *out, const double *const *x, const double *spectra,
      size_t n_parts, size_t n);
  /* Joins rows of two panels to points; the second may be NULL. */
  void (*join) (double *points, const double *a, const double *b, size_t n);
  /* Adds points to (or puts them into) rows of two panels. */
  void (*part) (double *a, double *b, const double *points, size_t n, bool add);
} eeg_fir_fft;

extern const eeg_fir_fft eeg_fir_fft_base;
extern const eeg_fir_fft eeg_fir_fft_avx2;
extern const eeg_fir_fft eeg_fir_fft_avx512;

extern const eeg_fir_direct eeg_fir_direct_base;
extern const eeg_fir_direct eeg_fir_direct_avx2;
extern const eeg_fir_direct eeg_fir_direct_avx512;

#endif
