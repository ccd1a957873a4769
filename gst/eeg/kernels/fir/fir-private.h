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

struct eeg_fir_kernel
{
  int refs; /* atomic */
  size_t n_taps;
  size_t delay;
  bool linear_phase;
  eeg_fir_symmetry symmetry;
  double *taps;     /* as given */
  double *reversed; /* in the order of rising time, made exactly symmetric */
};

typedef struct
{
  /* Widens `lanes` interleaved channels of `rows` frames, `stride` channels
   * apart, to panel rows; lanes that are not used become 0. */
  void (*load) (double *panel, const void *in, size_t stride, unsigned lanes,
      size_t rows, eeg_fir_format format);
  /* Output row t is the sum of taps[j] * panel row (t + j); `panel` is the row
   * of the first output's first tap. */
  void (*filter) (const double *panel, const eeg_fir_kernel *kernel, void *out,
      size_t stride, unsigned lanes, size_t rows, eeg_fir_format format);
} eeg_fir_direct;

extern const eeg_fir_direct eeg_fir_direct_base;
extern const eeg_fir_direct eeg_fir_direct_avx2;
extern const eeg_fir_direct eeg_fir_direct_avx512;

#endif
