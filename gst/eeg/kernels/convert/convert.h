/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sample counts to physical values.
 *
 * Interleaved little-endian samples, one gain and one offset per channel:
 *
 *   value = count * gain + offset
 *
 * The product and the sum are each rounded to double, the result once more
 * where the output is F32; nothing is fused, so that every build gives the same
 * bits. Counts outside a channel's declared range are converted like any other.
 */
#ifndef EEG_CONVERT_H
#define EEG_CONVERT_H

#include "cpu.h"

#include <stddef.h>

typedef enum
{
  EEG_CONVERT_S16LE,
  EEG_CONVERT_S24LE, /* three bytes */
  EEG_CONVERT_S32LE
} eeg_convert_counts;

typedef enum
{
  EEG_CONVERT_F32LE,
  EEG_CONVERT_F64LE
} eeg_convert_values;

/* Immutable after eeg_convert_new(): any number of threads may run it. */
typedef struct eeg_convert eeg_convert;

/* Makes a converter for `channels` (1 to 65536) interleaved channels; gain and
 * offset are copied. NULL without memory or for channels out of range. A `cpu`
 * that this machine or this build lacks gives the next narrower one. */
eeg_convert *eeg_convert_new (eeg_convert_counts in, eeg_convert_values out,
    const double *gain, const double *offset, unsigned channels, eeg_cpu cpu);

void eeg_convert_free (eeg_convert *convert);

/* The build that runs. */
eeg_cpu eeg_convert_get_cpu (const eeg_convert *convert);

/* Bytes that it holds. */
size_t eeg_convert_get_memory (const eeg_convert *convert);

/* Converts `frames` frames. dst and src are each aligned to their sample, or
 * to 1 byte for S24LE. They may be the same memory for S32LE to F32LE, which
 * have the same size; else they must not overlap. */
void eeg_convert_run (const eeg_convert *convert, void *dst, const void *src,
    size_t frames);

#endif
