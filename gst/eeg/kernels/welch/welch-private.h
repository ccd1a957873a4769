/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EEG_WELCH_PRIVATE_H
#define EEG_WELCH_PRIVATE_H

#include "welch.h"

#include "fir-private.h"

typedef struct
{
  /* Mean of `n` rows of a panel, and the sum of squares less it. */
  void (*measure) (const double *rows, size_t n, double *mean, double *square);
  /* Real or imaginary parts of points: (row - mean) * scale * window. */
  void (*prepare) (double *points, const double *rows, const double *window,
      size_t n, const double *mean, const double *scale);
  /* Sums of the squared spectra of both panels over bins `from` to before
   * `to`; bin k stands at point at[k], n bins in all. */
  void (*sum_power) (const double *points, const uint32_t *at, size_t n,
      size_t from, size_t to, double *first, double *second);
} eeg_welch_table;

extern const eeg_welch_table eeg_welch_base;
extern const eeg_welch_table eeg_welch_avx2;
extern const eeg_welch_table eeg_welch_avx512;

#endif
