/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scan-private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifndef M_PI
#define M_PI 3.14159265358979323846
#endif

struct eeg_scan
{
  eeg_scan_plan plan;
  eeg_scan_format format;
  double tones[EEG_SCAN_MAX_TONES]; /* radians per sample */
  eeg_cpu cpu;
  const eeg_scan_table *table;
  size_t n_panels;
  uint64_t frames; /* of this window */
  eeg_scan_panel *panels;
};

static const eeg_scan_table *
choose_table (eeg_cpu wanted, eeg_cpu *got)
{
  *got = EEG_CPU_BASE;
#ifdef HAVE_AVX512
  if (wanted >= EEG_CPU_AVX512 && eeg_cpu_supports (EEG_CPU_AVX512)) {
    *got = EEG_CPU_AVX512;
    return &eeg_scan_avx512;
  }
#endif
#ifdef HAVE_AVX2
  if (wanted >= EEG_CPU_AVX2 && eeg_cpu_supports (EEG_CPU_AVX2)) {
    *got = EEG_CPU_AVX2;
    return &eeg_scan_avx2;
  }
#endif
  return &eeg_scan_base;
}

static bool
is_valid (const eeg_scan_config *config)
{
  if (config->channels < 1 || config->channels > EEG_SCAN_MAX_CHANNELS
      || config->n_tones > EEG_SCAN_MAX_TONES)
    return false;
  for (unsigned t = 0; t < config->n_tones; t++) {
    if (!(config->tones[t] > 0.0 && config->tones[t] < 0.5))
      return false;
  }
  return config->low == NULL || config->clip_samples >= 1;
}

eeg_scan *
eeg_scan_new (const eeg_scan_config *config)
{
  eeg_scan *scan;

  if (!is_valid (config))
    return NULL;
  scan = calloc (1, sizeof *scan);
  if (scan == NULL)
    return NULL;
  scan->format = config->format;
  scan->table = choose_table (config->cpu, &scan->cpu);
  scan->n_panels = (config->channels + EEG_SCAN_PANEL - 1) / EEG_SCAN_PANEL;
  scan->plan = (eeg_scan_plan){ .channels = config->channels,
    .has_limits = config->low != NULL,
    .clip_samples = config->clip_samples,
    .n_tones = config->n_tones };
  for (unsigned t = 0; t < config->n_tones; t++) {
    scan->tones[t] = 2 * M_PI * config->tones[t];
    scan->plan.factors[t] = 2 * cos (scan->tones[t]);
  }
  scan->panels = aligned_alloc (64, scan->n_panels * sizeof *scan->panels);
  if (scan->panels == NULL) {
    eeg_scan_free (scan);
    return NULL;
  }
  for (size_t i = 0; i < scan->n_panels * EEG_SCAN_PANEL; i++) {
    double (*rows)[EEG_SCAN_PANEL] = scan->panels[i / EEG_SCAN_PANEL].rows;
    size_t lane = i % EEG_SCAN_PANEL;
    bool limited = scan->plan.has_limits && i < config->channels;

    rows[EEG_SCAN_LOW][lane] = limited ? config->low[i] : -INFINITY;
    rows[EEG_SCAN_HIGH][lane] = limited ? config->high[i] : INFINITY;
    rows[EEG_SCAN_RAIL_LOW][lane] = limited ? config->rail_low[i] : -INFINITY;
    rows[EEG_SCAN_RAIL_HIGH][lane] = limited ? config->rail_high[i] : INFINITY;
  }
  eeg_scan_reset (scan);
  return scan;
}

void
eeg_scan_free (eeg_scan *scan)
{
  if (scan == NULL)
    return;
  free (scan->panels);
  free (scan);
}

eeg_cpu
eeg_scan_get_cpu (const eeg_scan *scan)
{
  return scan->cpu;
}

size_t
eeg_scan_get_size (const eeg_scan *scan)
{
  return sizeof *scan + scan->n_panels * sizeof *scan->panels;
}

static void
clear_rows (eeg_scan *scan, int from, int to)
{
  for (size_t p = 0; p < scan->n_panels; p++)
    memset (scan->panels[p].rows[from], 0,
        (to - from) * sizeof scan->panels[p].rows[0]);
}

void
eeg_scan_start (eeg_scan *scan)
{
  scan->frames = 0;
  clear_rows (scan, EEG_SCAN_ORIGIN, EEG_SCAN_COUNT_NOT_FINITE);
  for (size_t p = 0; p < scan->n_panels; p++) {
    for (int i = 0; i < EEG_SCAN_PANEL; i++) {
      scan->panels[p].rows[EEG_SCAN_MIN][i] = INFINITY;
      scan->panels[p].rows[EEG_SCAN_MAX][i] = -INFINITY;
    }
  }
}

void
eeg_scan_clear_counts (eeg_scan *scan)
{
  clear_rows (scan, EEG_SCAN_COUNT_NOT_FINITE, EEG_SCAN_RUN);
}

void
eeg_scan_reset (eeg_scan *scan)
{
  eeg_scan_start (scan);
  eeg_scan_clear_counts (scan);
  clear_rows (scan, EEG_SCAN_RUN, EEG_SCAN_RUN + 1);
}

/* The first frame of a window is where values are counted from. */
static void
set_origin (eeg_scan *scan, const void *in)
{
  for (size_t c = 0; c < scan->plan.channels; c++) {
    double value;
    float narrow;

    if (scan->format == EEG_SCAN_F32) {
      memcpy (&narrow, (const char *) in + c * sizeof narrow, sizeof narrow);
      value = narrow;
    } else {
      memcpy (&value, (const char *) in + c * sizeof value, sizeof value);
    }
    scan->panels[c / EEG_SCAN_PANEL].rows[EEG_SCAN_ORIGIN][c % EEG_SCAN_PANEL] =
        isfinite (value) ? value : 0.0;
  }
}

void
eeg_scan_add (eeg_scan *scan, const void *in, size_t frames)
{
  if (frames == 0)
    return;
  if (scan->frames == 0)
    set_origin (scan, in);
  scan->table->add[scan->format](&scan->plan, scan->panels, in, frames);
  scan->frames += frames;
}

/* The recursion gives the sum of y[n] exp (i w (frames - 1 - n)), of which the
 * part of a constant is known and taken off. */
static double
get_tone (const eeg_scan *scan, double (*rows)[EEG_SCAN_PANEL], size_t lane,
    unsigned tone)
{
  const double w = scan->tones[tone], n = scan->frames;
  const double last = rows[EEG_SCAN_TONES + 2 * tone][lane];
  const double before = rows[EEG_SCAN_TONES + 2 * tone + 1][lane];
  const double mean = rows[EEG_SCAN_SUM][lane] / n;
  /* sum of exp (i w k), k = 0 .. n - 1 */
  const double size = sin (n * w / 2) / sin (w / 2);
  const double turn = (n - 1) * w / 2;
  const double re = last - cos (w) * before - mean * size * cos (turn);
  const double im = sin (w) * before - mean * size * sin (turn);

  return 2 * (re * re + im * im) / (n * n);
}

void
eeg_scan_get_moments (const eeg_scan *scan, unsigned channel,
    eeg_scan_moments *moments)
{
  double (*rows)[EEG_SCAN_PANEL] = scan->panels[channel / EEG_SCAN_PANEL].rows;
  const size_t lane = channel % EEG_SCAN_PANEL;
  const double n = (double) scan->frames - rows[EEG_SCAN_NOT_FINITE][lane];
  double mean;

  memset (moments, 0, sizeof *moments);
  if (n < 1)
    return;
  mean = rows[EEG_SCAN_SUM][lane] / n;
  moments->frames = (uint64_t) n;
  moments->min = rows[EEG_SCAN_MIN][lane];
  moments->max = rows[EEG_SCAN_MAX][lane];
  moments->mean = rows[EEG_SCAN_ORIGIN][lane] + mean;
  moments->variance = fmax (rows[EEG_SCAN_SQUARE][lane] / n - mean * mean, 0.0);
  for (unsigned t = 0; t < scan->plan.n_tones; t++)
    moments->tones[t] = get_tone (scan, rows, lane, t);
}

bool
eeg_scan_has_counts (const eeg_scan *scan)
{
  double sum = 0;

  for (size_t p = 0; p < scan->n_panels; p++) {
    for (int row = EEG_SCAN_COUNT_NOT_FINITE; row < EEG_SCAN_RUN; row++) {
      for (int i = 0; i < EEG_SCAN_PANEL; i++)
        sum += scan->panels[p].rows[row][i];
    }
  }
  return sum > 0;
}

void
eeg_scan_get_counts (const eeg_scan *scan, unsigned channel,
    eeg_scan_counts *counts)
{
  double (*rows)[EEG_SCAN_PANEL] = scan->panels[channel / EEG_SCAN_PANEL].rows;
  const size_t lane = channel % EEG_SCAN_PANEL;

  counts->not_finite = rows[EEG_SCAN_COUNT_NOT_FINITE][lane];
  counts->outside = rows[EEG_SCAN_COUNT_OUTSIDE][lane];
  counts->clipped = rows[EEG_SCAN_COUNT_CLIPPED][lane];
}
