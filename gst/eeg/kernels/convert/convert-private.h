/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EEG_CONVERT_PRIVATE_H
#define EEG_CONVERT_PRIVATE_H

#include "convert.h"

#include <stdbool.h>
#include <stdint.h>

/* The tables reach this many entries beyond the period, so that a vector may
 * be loaded from any position in it. */
#define EEG_CONVERT_LANES 8

/* Gains and offsets, repeated until a vector fits. */
typedef struct
{
  unsigned channels;
  size_t period;
  double *gain; /* period + EEG_CONVERT_LANES entries, then as many offsets */
  double *offset;
} eeg_convert_calibration;

/* false without memory or for a number of channels that is out of range */
bool eeg_convert_calibration_init (eeg_convert_calibration *calibration,
    const double *gain, const double *offset, unsigned channels);
void eeg_convert_calibration_clear (eeg_convert_calibration *calibration);
size_t eeg_convert_calibration_get_memory (
    const eeg_convert_calibration *calibration);

/* Converts `samples` samples (not frames); gain and offset have `period`
 * entries that repeat, period >= EEG_CONVERT_LANES. */
typedef void (*eeg_convert_func) (void *dst, const void *src,
    const double *gain, const double *offset, size_t period, size_t samples);

/* [in][out] */
typedef eeg_convert_func eeg_convert_table[3][2];

extern const eeg_convert_table eeg_convert_base;
extern const eeg_convert_table eeg_convert_avx2;
extern const eeg_convert_table eeg_convert_avx512;

/* The same for the way back; returns how many samples did not fit. */
typedef uint64_t (*eeg_quantize_func) (void *dst, const void *src,
    const double *gain, const double *offset, size_t period, size_t samples);

/* [in][out] */
typedef eeg_quantize_func eeg_quantize_table[2][3];

extern const eeg_quantize_table eeg_quantize_base;
extern const eeg_quantize_table eeg_quantize_avx2;
extern const eeg_quantize_table eeg_quantize_avx512;

#endif
