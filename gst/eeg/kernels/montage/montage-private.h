/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EEG_MONTAGE_PRIVATE_H
#define EEG_MONTAGE_PRIVATE_H

#include "montage.h"

#include <stdint.h>

/* Partial sums of a mean: channel c is added to sum c % LANES, in rising order,
 * and the sums by halves. */
#define EEG_MONTAGE_LANES 8

typedef struct
{
  unsigned in, out; /* channels */
  const uint32_t *from;
  const int32_t *minus;
  /* all bits set for a channel that is used or changed, else none; rounded up
   * to LANES */
  const int64_t *used, *changed;
  double n_used;
} eeg_montage_plan;

typedef void (*eeg_montage_func) (const eeg_montage_plan *plan, const void *in,
    void *out, size_t frames);

typedef struct
{
  eeg_montage_func select[4];     /* of 2, 3, 4 and 8 bytes */
  eeg_montage_func mean[2];       /* by format */
  eeg_montage_func difference[2]; /* by format */
} eeg_montage_table;

extern const eeg_montage_table eeg_montage_base;
extern const eeg_montage_table eeg_montage_avx2;
extern const eeg_montage_table eeg_montage_avx512;

#endif
