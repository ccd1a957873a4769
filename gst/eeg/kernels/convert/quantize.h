/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Physical values to sample counts, the way back from convert.h.
 *
 *   count = (value - offset) / gain, rounded once to the nearest whole number,
 *           halfway cases to the even one
 *
 * The difference and the quotient are computed in double, in every build to the
 * same bits. What does not fit the format becomes its nearest limit and a NaN
 * becomes 0; both are counted.
 */
#ifndef EEG_QUANTIZE_H
#define EEG_QUANTIZE_H

#include "convert.h"

#include <stdint.h>

/* Immutable after eeg_quantize_new(): any number of threads may run it. */
typedef struct eeg_quantize eeg_quantize;

/* Makes a quantizer for `channels` (1 to 65536) interleaved channels; gain and
 * offset are copied. NULL without memory or for channels out of range. A `cpu`
 * that this machine or this build lacks gives the next narrower one. A gain of
 * 0 or a NaN makes every sample of its channel one that does not fit. */
eeg_quantize *eeg_quantize_new (eeg_convert_values in, eeg_convert_counts out,
    const double *gain, const double *offset, unsigned channels, eeg_cpu cpu);

void eeg_quantize_free (eeg_quantize *quantize);

/* The build that runs. */
eeg_cpu eeg_quantize_get_cpu (const eeg_quantize *quantize);

/* Bytes that it holds. */
size_t eeg_quantize_get_memory (const eeg_quantize *quantize);

/* Quantizes `frames` frames and returns how many samples did not fit. dst and
 * src are each aligned to their sample, or to 1 byte for S24LE. They may be the
 * same memory for F32LE to S32LE, which have the same size; else they must not
 * overlap. The calling thread rounds to nearest, as C programs do unless they
 * ask otherwise. */
uint64_t eeg_quantize_run (const eeg_quantize *quantize, void *dst,
    const void *src, size_t frames);

#endif
