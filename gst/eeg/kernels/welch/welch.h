/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Power of interleaved channels in frequency bands, by Welch's method: mean
 * periodogram of segments that overlap by half, each less its mean and under a
 * Hann window. It is what the sum of scipy.signal.welch (x, fs, "hann",
 * segment, segment // 2, nfft) over the bins of a band gives, times the
 * distance of bins, where nfft is the least power of two from 64 on that holds
 * a segment.
 *
 * Arithmetic is F64. A value that is NaN or infinite counts as the mean of its
 * segment. */
#ifndef EEG_WELCH_H
#define EEG_WELCH_H

#include "cpu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EEG_WELCH_MAX_CHANNELS 65536
#define EEG_WELCH_MAX_SEGMENT (1 << 20)
#define EEG_WELCH_MAX_BANDS 16

typedef enum
{
  EEG_WELCH_F32,
  EEG_WELCH_F64
} eeg_welch_format; /* native order */

typedef struct
{
  unsigned channels; /* 1 to EEG_WELCH_MAX_CHANNELS, interleaved */
  eeg_welch_format format;
  size_t segment; /* samples, 2 to EEG_WELCH_MAX_SEGMENT */
  unsigned n_bands;
  /* Cycles per sample; bins from low to before high. They may overlap. */
  double low[EEG_WELCH_MAX_BANDS], high[EEG_WELCH_MAX_BANDS];
  eeg_cpu cpu; /* widest build to use */
} eeg_welch_config;

/* One thread at a time. */
typedef struct eeg_welch eeg_welch;

/* NULL without memory or for numbers out of range. */
eeg_welch *eeg_welch_new (const eeg_welch_config *config);
void eeg_welch_free (eeg_welch *welch); /* NULL is fine */

/* The build that runs. */
eeg_cpu eeg_welch_get_cpu (const eeg_welch *welch);
/* Bytes of memory it holds. */
size_t eeg_welch_get_size (const eeg_welch *welch);
/* Points of a transform. */
size_t eeg_welch_get_points (const eeg_welch *welch);

/* Forgets all samples. */
void eeg_welch_start (eeg_welch *welch);

/* Takes `frames` frames; `in` needs no alignment. */
void eeg_welch_add (eeg_welch *welch, const void *in, size_t frames);

/* Segments that were complete since the start. */
uint64_t eeg_welch_get_segments (const eeg_welch *welch);

/* The power of a channel in a band, 0 before there is a segment. */
double eeg_welch_get_power (const eeg_welch *welch, unsigned channel,
    unsigned band);

#endif
