/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One look at interleaved samples: for each channel its extremes, mean and
 * variance, how much of its power lies at one or two frequencies, and how many
 * samples are no numbers, lie outside limits or stay at a rail.
 *
 * Arithmetic is F64, done in the order of the samples: results depend on the
 * samples only, neither on the CPU nor on how they are split into calls. A
 * value that is NaN or infinite is counted and otherwise taken for no
 * sample. */
#ifndef EEG_SCAN_H
#define EEG_SCAN_H

#include "cpu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EEG_SCAN_MAX_CHANNELS 65536
#define EEG_SCAN_MAX_TONES 2

typedef enum
{
  EEG_SCAN_F32,
  EEG_SCAN_F64
} eeg_scan_format; /* native order */

typedef struct
{
  unsigned channels; /* 1 to EEG_SCAN_MAX_CHANNELS, interleaved */
  eeg_scan_format format;
  /* Per channel, copied; all four NULL: nothing is counted but what is no
   * number. A sample is outside below `low` or above `high`, and at a rail at
   * `rail_low` and below or at `rail_high` and above. */
  const double *low, *high, *rail_low, *rail_high;
  unsigned clip_samples; /* so many samples in a row at a rail are clipped, from
                            1 on: the last of them and all that follow */
  unsigned n_tones;
  double tones[EEG_SCAN_MAX_TONES]; /* cycles per sample, above 0, below 0.5 */
  eeg_cpu cpu;                      /* widest build to use */
} eeg_scan_config;

/* One thread at a time. */
typedef struct eeg_scan eeg_scan;

/* NULL without memory or for numbers out of range. */
eeg_scan *eeg_scan_new (const eeg_scan_config *config);
void eeg_scan_free (eeg_scan *scan); /* NULL is fine */

/* The build that runs. */
eeg_cpu eeg_scan_get_cpu (const eeg_scan *scan);
/* Bytes of memory it holds. */
size_t eeg_scan_get_size (const eeg_scan *scan);

/* Forgets all samples. */
void eeg_scan_reset (eeg_scan *scan);
/* Begins another window: moments and tones start anew; counts go on, and so do
 * runs of samples at a rail. */
void eeg_scan_start (eeg_scan *scan);

/* Looks at `frames` frames; `in` needs no alignment. */
void eeg_scan_add (eeg_scan *scan, const void *in, size_t frames);

/* Of the window so far. */
typedef struct
{
  uint64_t
      frames; /* samples that are numbers; the rest is 0 if there is none */
  double min, max, mean;
  double variance;                  /* mean square less the mean's square */
  double tones[EEG_SCAN_MAX_TONES]; /* power of a sine of each frequency, of
                                       the same kind as the variance; that of a
                                       pure sine is all of it over any whole
                                       number of its periods */
} eeg_scan_moments;

void eeg_scan_get_moments (const eeg_scan *scan, unsigned channel,
    eeg_scan_moments *moments);

/* Since the last eeg_scan_clear_counts(). */
typedef struct
{
  uint64_t not_finite, outside, clipped; /* samples */
} eeg_scan_counts;

/* Whether any channel counted anything. */
bool eeg_scan_has_counts (const eeg_scan *scan);
void eeg_scan_get_counts (const eeg_scan *scan, unsigned channel,
    eeg_scan_counts *counts);
void eeg_scan_clear_counts (eeg_scan *scan);

#endif
