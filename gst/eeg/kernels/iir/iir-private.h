/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EEG_IIR_PRIVATE_H
#define EEG_IIR_PRIVATE_H

#include "iir.h"

/* Channels are padded to a multiple of this. */
#define EEG_IIR_PAD 32

/* Filters frames of `channels` samples. The states of section s stand at
 * first[s * stride] and second[s * stride], one for each channel. */
typedef struct
{
  void (*run_f32) (const EegIirDesign *design, double *first, double *second,
      size_t stride, const unsigned char *filtered, const float *in, float *out,
      size_t frames, size_t channels);
  void (*run_f64) (const EegIirDesign *design, double *first, double *second,
      size_t stride, const unsigned char *filtered, const double *in,
      double *out, size_t frames, size_t channels);
} eeg_iir_table;

extern const eeg_iir_table eeg_iir_base;
extern const eeg_iir_table eeg_iir_avx2;
extern const eeg_iir_table eeg_iir_avx512;

#endif /* EEG_IIR_PRIVATE_H */
