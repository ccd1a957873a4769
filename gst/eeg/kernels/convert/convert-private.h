/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EEG_CONVERT_PRIVATE_H
#define EEG_CONVERT_PRIVATE_H

#include "convert.h"

/* The tables reach this many entries beyond the period, so that a vector may
 * be loaded from any position in it. */
#define EEG_CONVERT_LANES 8

/* Converts `samples` samples (not frames); gain and offset have `period`
 * entries that repeat, period >= EEG_CONVERT_LANES. */
typedef void (*eeg_convert_func) (void *dst, const void *src,
    const double *gain, const double *offset, size_t period, size_t samples);

/* [in][out] */
typedef eeg_convert_func eeg_convert_table[3][2];

extern const eeg_convert_table eeg_convert_base;
extern const eeg_convert_table eeg_convert_avx2;
extern const eeg_convert_table eeg_convert_avx512;

#endif
