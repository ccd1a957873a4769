/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Interleaved channels made of other ones: a selection in any order, each
 * channel less the mean of some, or differences of two.
 *
 * Sums and means are F64, whatever the samples are, and are added up in the
 * same order on every CPU; a result is rounded once. Output depends on the
 * samples only, not on how they are split into calls. */
#ifndef EEG_MONTAGE_H
#define EEG_MONTAGE_H

#include "cpu.h"

#include <stdbool.h>
#include <stddef.h>

#define EEG_MONTAGE_MAX_CHANNELS 65536

typedef enum
{
  EEG_MONTAGE_F32,
  EEG_MONTAGE_F64
} eeg_montage_format; /* native order */

/* Immutable but for a frame of scratch: one thread at a time. */
typedef struct eeg_montage eeg_montage;

/* Output channel i is input channel from[i], bit for bit. Samples of 2, 3, 4 or
 * 8 bytes. As all of these functions, NULL without memory or for numbers out of
 * range. */
eeg_montage *eeg_montage_new_select (size_t bytes_per_sample,
    unsigned in_channels, const unsigned *from, unsigned out_channels,
    eeg_cpu cpu);

/* Each channel of those that are `changed`, less the mean of those that are
 * `used`, at least one; the others pass bit for bit. What a channel holds that
 * is not used makes no difference. */
eeg_montage *eeg_montage_new_mean (eeg_montage_format format, unsigned channels,
    const bool *used, const bool *changed, eeg_cpu cpu);

/* Output channel i is input channel from[i] less input channel minus[i], or
 * bit for bit where minus[i] is negative. */
eeg_montage *eeg_montage_new_difference (eeg_montage_format format,
    unsigned in_channels, const unsigned *from, const int *minus,
    unsigned out_channels, eeg_cpu cpu);

void eeg_montage_free (eeg_montage *montage);

/* The build that runs. */
eeg_cpu eeg_montage_get_cpu (const eeg_montage *montage);

/* Bytes of memory it holds. */
size_t eeg_montage_get_size (const eeg_montage *montage);

/* Whether nothing is changed: every channel passes where it was. */
bool eeg_montage_is_identity (const eeg_montage *montage);

/* Makes `frames` frames. in and out are aligned to their sample (3-byte samples
 * to 1 byte), and do not overlap, or are the same where frames have the same
 * size on both sides. */
void eeg_montage_run (eeg_montage *montage, const void *in, void *out,
    size_t frames);

#endif
