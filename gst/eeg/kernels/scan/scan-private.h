/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EEG_SCAN_PRIVATE_H
#define EEG_SCAN_PRIVATE_H

#include "scan.h"

/* Channels are kept in panels of this many. */
#define EEG_SCAN_PANEL 8

/* What a panel remembers: one row of values, one for each channel. */
enum
{
  EEG_SCAN_ORIGIN, /* subtracted first, so that an offset costs no digits */
  EEG_SCAN_MIN,
  EEG_SCAN_MAX,
  EEG_SCAN_SUM,
  EEG_SCAN_SQUARE,
  EEG_SCAN_NOT_FINITE, /* in this window */
  EEG_SCAN_TONES,      /* two values of the recursion for each */
  EEG_SCAN_COUNT_NOT_FINITE = EEG_SCAN_TONES + 2 * EEG_SCAN_MAX_TONES,
  EEG_SCAN_COUNT_OUTSIDE,
  EEG_SCAN_COUNT_CLIPPED,
  EEG_SCAN_RUN, /* samples at a rail, up to now */
  EEG_SCAN_LOW,
  EEG_SCAN_HIGH,
  EEG_SCAN_RAIL_LOW,
  EEG_SCAN_RAIL_HIGH,
  EEG_SCAN_ROWS
};

typedef struct
{
  double rows[EEG_SCAN_ROWS][EEG_SCAN_PANEL];
} eeg_scan_panel;

typedef struct
{
  size_t channels;
  bool has_limits;
  double clip_samples;
  unsigned n_tones;
  double factors[EEG_SCAN_MAX_TONES]; /* 2 cos (2 pi tone) */
} eeg_scan_plan;

typedef struct
{
  /* by format */
  void (*add[2]) (const eeg_scan_plan *plan, eeg_scan_panel *panels,
      const void *in, size_t frames);
} eeg_scan_table;

extern const eeg_scan_table eeg_scan_base;
extern const eeg_scan_table eeg_scan_avx2;
extern const eeg_scan_table eeg_scan_avx512;

#endif
