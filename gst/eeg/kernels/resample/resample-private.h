/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EEG_RESAMPLE_PRIVATE_H
#define EEG_RESAMPLE_PRIVATE_H

#include "resample.h"

/* Frames in memory are padded with zeros to a multiple of this. */
#define EEG_RESAMPLE_LANES 8

typedef struct
{
  /* samples to frames of `stride` doubles */
  void (*load_f32) (const float *in, double *frames, size_t n,
      unsigned channels, size_t stride);
  void (*load_f64) (const double *in, double *frames, size_t n,
      unsigned channels, size_t stride);
  /* out[0 .. stride - 1] = sum over i < n of taps[i] * frames[i] */
  void (*dot) (const double *frames, size_t stride, const double *taps,
      size_t n, double *out);
} eeg_resample_table;

extern const eeg_resample_table eeg_resample_base;
extern const eeg_resample_table eeg_resample_avx2;
extern const eeg_resample_table eeg_resample_avx512;

#endif
