/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EEG_FIR_DESIGN_H
#define EEG_FIR_DESIGN_H

#include <stdbool.h>
#include <stddef.h>

/* Puts in the place of a linear-phase kernel of 3 taps or more the
 * minimum-phase one of the same magnitude, or with `half` of its square root
 * and half the length. False without memory. */
bool eeg_fir_to_minimum_phase (double *taps, size_t *n_taps, bool half);

#endif
