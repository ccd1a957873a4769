/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "welch-private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifndef M_PI
#define M_PI 3.14159265358979323846
#endif

#define PANEL EEG_FIR_PANEL
#define POINT EEG_FIR_POINT
#define MIN_POINTS 64

/* Rows that are brought into line where the input is not. */
#define ALIGN_FRAMES 64

/* Bands overlap: bins are summed in as many parts as their ends make. */
#define MAX_PARTS (2 * EEG_WELCH_MAX_BANDS)

struct eeg_welch
{
  eeg_welch_config config;
  eeg_cpu cpu;
  const eeg_welch_table *table;
  const eeg_fir_direct *direct;
  const eeg_fir_fft *fft;

  size_t n; /* points */
  size_t step;
  size_t n_panels; /* even */
  size_t n_parts;
  size_t part_from[MAX_PARTS], part_to[MAX_PARTS]; /* bins */
  uint64_t part_bands[MAX_PARTS];                  /* a bit for each */
  double window_power; /* sum of the squares of the window */
  double *window;
  double *twiddles;
  uint32_t *at; /* where the transform leaves each bin */
  double *points;
  double *rows; /* of each panel: segment rows */
  double *sums; /* of each panel: n_parts rows */
  void *line;   /* ALIGN_FRAMES frames */
  size_t size;

  size_t filled; /* rows */
  uint64_t segments;
};

static void
choose_build (eeg_welch *welch, eeg_cpu wanted)
{
  welch->cpu = EEG_CPU_BASE;
  welch->table = &eeg_welch_base;
  welch->direct = &eeg_fir_direct_base;
  welch->fft = &eeg_fir_fft_base;
#ifdef HAVE_AVX2
  if (wanted >= EEG_CPU_AVX2 && eeg_cpu_supports (EEG_CPU_AVX2)) {
    welch->cpu = EEG_CPU_AVX2;
    welch->table = &eeg_welch_avx2;
    welch->direct = &eeg_fir_direct_avx2;
    welch->fft = &eeg_fir_fft_avx2;
  }
#endif
#ifdef HAVE_AVX512
  if (wanted >= EEG_CPU_AVX512 && eeg_cpu_supports (EEG_CPU_AVX512)) {
    welch->cpu = EEG_CPU_AVX512;
    welch->table = &eeg_welch_avx512;
    welch->direct = &eeg_fir_direct_avx512;
    welch->fft = &eeg_fir_fft_avx512;
  }
#endif
}

static void *
new_memory (eeg_welch *welch, size_t n, size_t item)
{
  size_t size = (n * item + EEG_FIR_ALIGN - 1) / EEG_FIR_ALIGN * EEG_FIR_ALIGN;

  welch->size += size;
  return aligned_alloc (EEG_FIR_ALIGN, size);
}

/* The first bin at this frequency or above it; what rounding takes away from a
 * bin that lies right there is given back. */
static size_t
find_bin (const eeg_welch *welch, double frequency)
{
  double bin = ceil (frequency * welch->n - 1e-7);

  if (!(bin > 0))
    return 0;
  return bin > welch->n / 2 + 1 ? welch->n / 2 + 1 : (size_t) bin;
}

static int
compare_bins (const void *a, const void *b)
{
  size_t x = *(const size_t *) a, y = *(const size_t *) b;

  return (x > y) - (x < y);
}

static void
make_parts (eeg_welch *welch)
{
  size_t ends[2 * EEG_WELCH_MAX_BANDS], n_ends = 0;
  const eeg_welch_config *config = &welch->config;

  for (unsigned b = 0; b < config->n_bands; b++) {
    ends[n_ends++] = find_bin (welch, config->low[b]);
    ends[n_ends++] = find_bin (welch, config->high[b]);
  }
  qsort (ends, n_ends, sizeof *ends, compare_bins);
  for (size_t i = 0; i + 1 < n_ends; i++) {
    uint64_t bands = 0;

    if (ends[i] == ends[i + 1])
      continue;
    for (unsigned b = 0; b < config->n_bands; b++) {
      if (find_bin (welch, config->low[b]) <= ends[i]
          && find_bin (welch, config->high[b]) >= ends[i + 1])
        bands |= (uint64_t) 1 << b;
    }
    if (bands == 0)
      continue;
    welch->part_from[welch->n_parts] = ends[i];
    welch->part_to[welch->n_parts] = ends[i + 1];
    welch->part_bands[welch->n_parts++] = bands;
  }
}

/* Asks the transform itself: that of a one at point 1 is exp (-2 pi i k / n) at
 * bin k. */
static void
find_order (eeg_welch *welch)
{
  const size_t n = welch->n;

  memset (welch->points, 0, n * POINT * sizeof (double));
  welch->points[POINT] = 1;
  welch->fft->forward (welch->points, n, 0,
      eeg_fir_fft_units (n, eeg_fir_fft_leaf (n)), welch->twiddles);
  for (size_t i = 0; i < n; i++) {
    double turn =
        -atan2 (welch->points[i * POINT + PANEL], welch->points[i * POINT])
        / (2 * M_PI);

    welch->at[(size_t) llround ((turn < 0 ? turn + 1 : turn) * n) % n] = i;
  }
}

static void
make_window (eeg_welch *welch)
{
  const size_t n = welch->config.segment;

  for (size_t i = 0; i < n; i++) {
    welch->window[i] = 0.5 - 0.5 * cos (2 * M_PI * i / n);
    welch->window_power += welch->window[i] * welch->window[i];
  }
}

static bool
is_valid (const eeg_welch_config *config)
{
  if (config->channels < 1 || config->channels > EEG_WELCH_MAX_CHANNELS
      || config->segment < 2 || config->segment > EEG_WELCH_MAX_SEGMENT
      || config->n_bands < 1 || config->n_bands > EEG_WELCH_MAX_BANDS)
    return false;
  for (unsigned b = 0; b < config->n_bands; b++) {
    if (!(config->low[b] >= 0 && config->high[b] >= config->low[b]))
      return false;
  }
  return true;
}

eeg_welch *
eeg_welch_new (const eeg_welch_config *config)
{
  eeg_welch *welch;
  size_t bytes = config->format == EEG_WELCH_F32 ? 4 : 8;

  if (!is_valid (config))
    return NULL;
  welch = calloc (1, sizeof *welch);
  if (welch == NULL)
    return NULL;
  welch->config = *config;
  welch->size = sizeof *welch;
  choose_build (welch, config->cpu);
  for (welch->n = MIN_POINTS; welch->n < config->segment;)
    welch->n *= 2;
  welch->step = config->segment - config->segment / 2;
  welch->n_panels = (config->channels + 2 * PANEL - 1) / (2 * PANEL) * 2;
  make_parts (welch);
  welch->window = new_memory (welch, config->segment, sizeof (double));
  welch->at = new_memory (welch, welch->n, sizeof *welch->at);
  welch->points = new_memory (welch, welch->n * POINT, sizeof (double));
  welch->rows = new_memory (welch, welch->n_panels * config->segment * PANEL,
      sizeof (double));
  welch->sums = new_memory (welch,
      welch->n_panels * (welch->n_parts + 1) * PANEL, sizeof (double));
  welch->line = new_memory (welch, ALIGN_FRAMES * config->channels, bytes);
  welch->twiddles = eeg_fir_fft_new_twiddles (welch->n);
  welch->size += eeg_fir_fft_twiddles_at (2 * welch->n) * sizeof (double);
  if (welch->window == NULL || welch->at == NULL || welch->points == NULL
      || welch->rows == NULL || welch->sums == NULL || welch->line == NULL
      || welch->twiddles == NULL) {
    eeg_welch_free (welch);
    return NULL;
  }
  memset (welch->rows, 0,
      welch->n_panels * config->segment * PANEL * sizeof (double));
  make_window (welch);
  find_order (welch);
  eeg_welch_start (welch);
  return welch;
}

void
eeg_welch_free (eeg_welch *welch)
{
  if (welch == NULL)
    return;
  free (welch->window);
  free (welch->twiddles);
  free (welch->at);
  free (welch->points);
  free (welch->rows);
  free (welch->sums);
  free (welch->line);
  free (welch);
}

eeg_cpu
eeg_welch_get_cpu (const eeg_welch *welch)
{
  return welch->cpu;
}

size_t
eeg_welch_get_size (const eeg_welch *welch)
{
  return welch->size;
}

size_t
eeg_welch_get_points (const eeg_welch *welch)
{
  return welch->n;
}

void
eeg_welch_start (eeg_welch *welch)
{
  welch->filled = 0;
  welch->segments = 0;
  memset (welch->sums, 0,
      welch->n_panels * (welch->n_parts + 1) * PANEL * sizeof (double));
}

/* One panel into the real or imaginary parts. All channels are brought to the
 * same power, so that none of two that share a transform is lost in the
 * rounding of the other; returns what that takes to undo. */
static void
prepare_panel (eeg_welch *welch, size_t panel, double *points, double *undo)
{
  const size_t n = welch->config.segment;
  const double *rows = welch->rows + panel * n * PANEL;
  double mean[PANEL] __attribute__ ((aligned (64)));
  double scale[PANEL] __attribute__ ((aligned (64)));

  welch->table->measure (rows, n, mean, undo);
  for (int i = 0; i < PANEL; i++)
    scale[i] = undo[i] > 0 && isfinite (undo[i]) ? 1 / sqrt (undo[i]) : 0;
  welch->table->prepare (points, rows, welch->window, n, mean, scale);
}

static void
add_segment (eeg_welch *welch)
{
  const size_t n = welch->n,
               units = eeg_fir_fft_units (n, eeg_fir_fft_leaf (n));
  double undo[2][PANEL] __attribute__ ((aligned (64)));
  double power[2][PANEL] __attribute__ ((aligned (64)));

  for (size_t p = 0; p < welch->n_panels; p += 2) {
    prepare_panel (welch, p, welch->points, undo[0]);
    prepare_panel (welch, p + 1, welch->points + PANEL, undo[1]);
    memset (welch->points + welch->config.segment * POINT, 0,
        (n - welch->config.segment) * POINT * sizeof (double));
    welch->fft->forward (welch->points, n, 0, units, welch->twiddles);
    for (size_t k = 0; k < welch->n_parts; k++) {
      welch->table->sum_power (welch->points, welch->at, n, welch->part_from[k],
          welch->part_to[k], power[0], power[1]);
      for (int half = 0; half < 2; half++) {
        double *sum =
            welch->sums + ((p + half) * (welch->n_parts + 1) + k) * PANEL;

        for (int i = 0; i < PANEL; i++)
          sum[i] += power[half][i] * undo[half][i];
      }
    }
  }
  welch->segments++;
}

static void
load_rows (eeg_welch *welch, const void *in, size_t frames)
{
  const eeg_welch_config *config = &welch->config;
  const size_t bytes = config->format == EEG_WELCH_F32 ? 4 : 8;

  for (size_t c = 0; c < config->channels; c += PANEL) {
    size_t left = config->channels - c;

    welch->direct->load (welch->rows
            + (c / PANEL * config->segment + welch->filled) * PANEL,
        (const char *) in + c * bytes, config->channels,
        left < PANEL ? left : PANEL, frames,
        config->format == EEG_WELCH_F32 ? EEG_FIR_F32 : EEG_FIR_F64);
  }
  welch->filled += frames;
}

static void
keep_overlap (eeg_welch *welch)
{
  const size_t segment = welch->config.segment, keep = segment - welch->step;

  for (size_t p = 0; p < welch->n_panels; p++) {
    double *rows = welch->rows + p * segment * PANEL;

    memmove (rows, rows + welch->step * PANEL, keep * PANEL * sizeof *rows);
  }
  welch->filled = keep;
}

void
eeg_welch_add (eeg_welch *welch, const void *in, size_t frames)
{
  const size_t bytes = welch->config.format == EEG_WELCH_F32 ? 4 : 8;
  const bool is_aligned = (uintptr_t) in % bytes == 0;
  const char *p = in;

  while (frames > 0) {
    size_t now = welch->config.segment - welch->filled;

    now = now < frames ? now : frames;
    if (!is_aligned && now > ALIGN_FRAMES)
      now = ALIGN_FRAMES;
    if (is_aligned) {
      load_rows (welch, p, now);
    } else {
      memcpy (welch->line, p, now * welch->config.channels * bytes);
      load_rows (welch, welch->line, now);
    }
    p += now * welch->config.channels * bytes;
    frames -= now;
    if (welch->filled == welch->config.segment) {
      add_segment (welch);
      keep_overlap (welch);
    }
  }
}

uint64_t
eeg_welch_get_segments (const eeg_welch *welch)
{
  return welch->segments;
}

double
eeg_welch_get_power (const eeg_welch *welch, unsigned channel, unsigned band)
{
  const double *sums =
      welch->sums + channel / PANEL * (welch->n_parts + 1) * PANEL;
  double power = 0;

  if (welch->segments == 0)
    return 0;
  for (size_t k = 0; k < welch->n_parts; k++) {
    if (welch->part_bands[k] & (uint64_t) 1 << band)
      power += sums[k * PANEL + channel % PANEL];
  }
  return power / (welch->n * welch->window_power * welch->segments);
}
