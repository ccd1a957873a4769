/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Built with -ffp-contract=off: see eegpack-private.h. */
#include "eegpack-bits.h"
#include "eegpack-private.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Frames from which the likeness of channels is judged. */
#define LIKENESS_FRAMES 2048
#define LIKENESS_FRAMES_BEST 8192
#define LIKENESS_PARTS 8
/* How many channels back a reference is looked for. */
#define WINDOW 128
#define WHITENING 4
/* Of these, how many are looked at once more when size is all that counts. */
#define CANDIDATES 32
/* Frames, in so many parts, that stand for a block when a predictor is sought,
 * by effort. */
#define SAMPLE_PARTS 4
static const unsigned samples[] = { 1024, EEG_EEGPACK_MAX_FRAMES,
  EEG_EEGPACK_MAX_FRAMES };
/* Frames on which settings are tried out. */
#define TRIAL_FRAMES 2048
/* Frames that set the scale at which the entropy coder starts. */
#define FIRST_FRAMES 64

/* Values under analysis keep within this, see eeg_eegpack_loops. */
#define ANALYSIS_LIMIT 8191

#define MAX_PALETTE 4096
#define PALETTE_POOL 65536

/* Bytes of parameters; longer ones would not pay. */
#define PARAMETER_BYTES(columns) ((size_t) (columns) *256 + 65536)

/* Most bytes that a sample can take: 10 bits of probability, 32 of value. */
#define SAMPLE_BYTES 6

/* What is decided about one column. */
typedef struct
{
  uint32_t step;          /* values are base + step * y */
  const int32_t *palette; /* or, if not NULL, palette[base + y] */
  uint32_t n_palette;
  int32_t base;
  uint32_t repeat; /* if not 0: y[t] = y[t - repeat] + d[t] */
  unsigned n_references;
  unsigned weight_shift;
  bool weights_wide;
  uint32_t references[MAX_REFERENCES];
  int32_t weights[MAX_REFERENCES];
  bool absolute; /* the base has not been subtracted */
  int64_t reach; /* largest |y| */

  bool coded; /* else d is 0 */
  bool differences;
  int32_t mean;
  unsigned order;
  unsigned shift;
  bool wide;
  int32_t coefs[MAX_ORDER];
  unsigned adaptive; /* 0: none, else 16 taps times this */
  unsigned step_size;
  unsigned rate;
  unsigned value_shift;
  unsigned scale;
} column_plan;

struct eeg_eegpack_encoder
{
  eeg_eegpack_format format;
  uint32_t channels;
  uint32_t max_frames;
  eeg_cpu cpu;
  const eeg_eegpack_loops *loops;
  const eeg_eegpack_tables *tables;

  uint32_t n_columns;
  unsigned batch; /* groups coded in step */
  size_t stride;  /* values from one column to the next */
  size_t likeness_stride;
  size_t words_size;
  void *memory;
  int32_t *columns;
  int32_t *residuals; /* LANES columns */
  int32_t *work;      /* one column */
  int16_t *analysis;  /* one column */
  int16_t *likeness;  /* all columns */
  unsigned *likeness_shift;
  int16_t *own_likeness; /* up to WINDOW columns, whitened for one of them */
  unsigned own_shift[WINDOW];
  double *gram; /* ring of WINDOW rows: products with the WINDOW before */
  int32_t *rows[BATCH];
  uint8_t *scales[BATCH];
  uint8_t *words[BATCH];
  int32_t *trial_rows;
  uint8_t *trial_scales;
  column_plan *plans;
  int16_t *grids; /* power of two of each channel, or NO_GRID */
  int32_t *palettes;
  size_t palettes_used;
  uint8_t *params;

  eeg_eegpack_system system;
  eeg_eegpack_adaptive adaptive;
  eeg_eegpack_coder coders[BATCH];
  size_t coder_frames[BATCH];
  uint32_t members[BATCH][LANES]; /* columns of the lanes */
};

#define NO_GRID INT16_MAX

/* ---- memory: one block, laid out twice: to measure, then to fill ---- */

static void *
part (uint8_t *memory, size_t *used, size_t bytes)
{
  void *p = memory != NULL ? memory + *used : NULL;

  *used += (bytes + 63) & ~(size_t) 63;
  return p;
}

static size_t
lay_out (eeg_eegpack_encoder *e, uint8_t *memory)
{
  size_t frames = (e->max_frames + 15) & ~(size_t) 15;
  size_t row_bytes = frames * LANES * sizeof (int32_t);
  size_t used = 0;

  e->n_columns = e->channels * (e->format == EEG_EEGPACK_F64 ? 2 : 1);
  e->batch = (e->n_columns + LANES - 1) / LANES;
  if (e->batch > BATCH)
    e->batch = BATCH;
  e->stride = COLUMN_PAD + frames;
  e->likeness_stride =
      frames < LIKENESS_FRAMES_BEST ? frames : LIKENESS_FRAMES_BEST;
  e->words_size = frames * LANES * SAMPLE_BYTES + WORD_PAD;
  e->columns = part (memory, &used, e->n_columns * e->stride * 4);
  e->residuals = part (memory, &used, LANES * e->stride * 4);
  e->work = part (memory, &used, e->stride * 4);
  e->analysis = part (memory, &used, e->stride * 2);
  e->likeness = part (memory, &used, e->n_columns * e->likeness_stride * 2);
  e->likeness_shift = part (memory, &used, e->n_columns * sizeof (unsigned));
  e->own_likeness = part (memory, &used,
      (e->n_columns < WINDOW ? e->n_columns : WINDOW) * e->likeness_stride * 2);
  e->gram = part (memory, &used, WINDOW * WINDOW * sizeof (double));
  for (unsigned i = 0; i < e->batch; i++) {
    e->rows[i] = part (memory, &used, row_bytes);
    e->scales[i] = part (memory, &used, frames * LANES);
    e->words[i] = part (memory, &used, e->words_size);
  }
  if (frames > TRIAL_FRAMES)
    frames = TRIAL_FRAMES;
  e->trial_rows = part (memory, &used, frames * LANES * 4);
  e->trial_scales = part (memory, &used, frames * LANES);
  e->plans = part (memory, &used, e->n_columns * sizeof (column_plan));
  e->grids = part (memory, &used, e->channels * sizeof *e->grids);
  e->palettes = part (memory, &used, PALETTE_POOL * sizeof (int32_t));
  e->params = part (memory, &used, PARAMETER_BYTES (e->n_columns));
  return used;
}

size_t
eeg_eegpack_encoder_memory (eeg_eegpack_format format, uint32_t channels,
    uint32_t max_frames)
{
  eeg_eegpack_encoder e = { .format = format,
    .channels = channels,
    .max_frames = max_frames };

  if (!eeg_eegpack_block_fits (format, channels, max_frames))
    return 0;
  return sizeof e + lay_out (&e, NULL);
}

eeg_eegpack_encoder *
eeg_eegpack_encoder_new (eeg_eegpack_format format, uint32_t channels,
    uint32_t max_frames, eeg_cpu cpu)
{
  eeg_eegpack_encoder *e;
  size_t bytes;

  if (!eeg_eegpack_block_fits (format, channels, max_frames))
    return NULL;
  e = calloc (1, sizeof *e);
  if (e == NULL)
    return NULL;
  e->format = format;
  e->channels = channels;
  e->max_frames = max_frames;
  bytes = lay_out (e, NULL);
  e->memory = aligned_alloc (64, bytes);
  if (e->memory == NULL) {
    free (e);
    return NULL;
  }
  lay_out (e, e->memory);
  for (uint32_t c = 0; c < e->n_columns; c++)
    memset (e->columns + c * e->stride, 0, COLUMN_PAD * 4);
  for (unsigned l = 0; l < LANES; l++)
    memset (e->residuals + l * e->stride, 0, COLUMN_PAD * 4);
  memset (e->work, 0, COLUMN_PAD * 4);
  memset (e->analysis, 0, COLUMN_PAD * 2);
  e->cpu = cpu;
  e->loops = eeg_eegpack_choose_loops (&e->cpu);
  e->tables = eeg_eegpack_get_tables ();
  return e;
}

void
eeg_eegpack_encoder_free (eeg_eegpack_encoder *e)
{
  if (e == NULL)
    return;
  free (e->memory);
  free (e);
}

eeg_cpu
eeg_eegpack_encoder_get_cpu (const eeg_eegpack_encoder *e)
{
  return e->cpu;
}

static inline int32_t *
column_of (const eeg_eegpack_encoder *e, uint32_t c)
{
  return e->columns + c * e->stride + COLUMN_PAD;
}

static inline int32_t
subtract (int32_t a, int32_t b)
{
  return (int32_t) ((uint32_t) a - (uint32_t) b);
}

/* Where part i of some parts of equal length begins, spread over a block. */
static size_t
part_start (size_t frames, size_t length, size_t i, size_t parts)
{
  return parts > 1 ? (frames - length) * i / (parts - 1) : 0;
}

static inline unsigned
padded_order (unsigned order)
{
  return (order + 3) & ~3u;
}

static int64_t
magnitude (int32_t min, int32_t max)
{
  return -(int64_t) min > max ? -(int64_t) min : max;
}

/* ---- samples to columns ---- */

static void
load_columns (eeg_eegpack_encoder *e, const uint8_t *in, uint32_t frames)
{
  bool doubles = e->format == EEG_EEGPACK_F64;
  size_t size = doubles ? 4 : eeg_eegpack_sample_size (e->format);
  size_t frame_bytes = size * e->n_columns;
  int32_t rows[TILE * LANES];

  /* all groups of a tile, so that each sample is fetched once */
  for (uint32_t t = 0; t < frames; t += TILE)
    for (uint32_t c = 0; c < e->n_columns; c += LANES) {
      unsigned lanes = e->n_columns - c < LANES ? e->n_columns - c : LANES;
      size_t n = frames - t < TILE ? frames - t : TILE;
      int32_t *columns[LANES];

      for (unsigned l = 0; l < lanes; l++)
        columns[l] = column_of (e, c + l);
      e->loops->load_rows (in + t * frame_bytes + c * size, frame_bytes, size,
          lanes, n, rows);
      e->loops->rows_to_columns (rows, lanes, n, columns, t);
    }
}

/* A finite float that is an integer times a power of two, not minus zero:
 * mantissa and exponent. */
static bool
split_float (uint64_t bits, unsigned mantissa_bits, unsigned exponent_bits,
    int64_t *mantissa, int *exponent)
{
  uint64_t m = bits & ((UINT64_C (1) << mantissa_bits) - 1);
  int max = (1 << exponent_bits) - 1;
  int x = (int) (bits >> mantissa_bits) & max;
  bool negative = bits >> (mantissa_bits + exponent_bits) & 1;

  if (x == max || (negative && x == 0 && m == 0))
    return false;
  if (x > 0)
    m |= UINT64_C (1) << mantissa_bits;
  else
    x = 1;
  *exponent = x - (max >> 1) - (int) mantissa_bits;
  if (m > 0) {
    int zeros = __builtin_ctzll (m);

    m >>= zeros;
    *exponent += zeros;
  }
  *mantissa = negative ? -(int64_t) m : (int64_t) m;
  return true;
}

/* Floats that all are whole multiples, within 24 (F64: 31) bits, of one power
 * of two become those multiples; others their bits, in an order that rises with
 * the value. Low words of F64 stand in the column before the high ones. */
static void
map_floats (eeg_eegpack_encoder *e, uint32_t channel, uint32_t frames)
{
  bool doubles = e->format == EEG_EEGPACK_F64;
  int32_t *low = column_of (e, doubles ? 2 * channel : channel);
  int32_t *high = doubles ? column_of (e, 2 * channel + 1) : NULL;
  unsigned mantissa_bits = doubles ? 52 : 23, exponent_bits = doubles ? 11 : 8;
  int64_t limit = doubles ? INT64_C (1) << 31 : 1 << 24;
  int grid = NO_GRID;
  bool fits = true;

  for (int pass = 0; pass < 3 && fits; pass++)
    for (uint32_t t = 0; t < frames && fits; t++) {
      uint64_t bits = (uint32_t) low[t];
      int64_t m;
      int x;

      if (doubles)
        bits |= (uint64_t) (uint32_t) high[t] << 32;
      fits = split_float (bits, mantissa_bits, exponent_bits, &m, &x);
      if (!fits)
        break;
      if (pass == 0) {
        if (m != 0 && (grid == NO_GRID || x < grid))
          grid = x;
      } else if (m != 0) {
        if (x - grid > 31) {
          fits = false;
          break;
        }
        fits = !__builtin_mul_overflow (m, INT64_C (1) << (x - grid), &m)
            && m < limit && m >= -limit;
      }
      if (pass == 2) {
        low[t] = (int32_t) m;
        if (doubles)
          high[t] = 0;
      }
    }
  if (fits) {
    e->grids[channel] = (int16_t) (grid == NO_GRID ? 0 : grid);
    return;
  }
  e->grids[channel] = NO_GRID;
  for (uint32_t t = 0; t < frames; t++) {
    int32_t *top = doubles ? &high[t] : &low[t];

    if (*top < 0) {
      *top ^= INT32_MAX;
      if (doubles)
        low[t] = ~low[t];
    }
  }
}

/* ---- values to small integers from 0 ---- */

/* Greatest common divisor of all values' distances from the first. */
static uint32_t
find_step (const int32_t *v, uint32_t frames)
{
  uint32_t step = 0;

  for (uint32_t t = 1; t < frames && step != 1; t++) {
    uint32_t a = (uint32_t) subtract (v[t], v[0]);

    if ((int32_t) a < 0)
      a = 0 - a;
    if (step != 0)
      a %= step;
    while (a != 0) {
      uint32_t rest = step % a;

      step = a;
      a = rest;
    }
  }
  return step;
}

static int
compare_values (const void *a, const void *b)
{
  int32_t x = *(const int32_t *) a, y = *(const int32_t *) b;

  return (x > y) - (x < y);
}

/* Bits that a sorted run of values, `step` or more apart, has too many for want
 * of its neighbours on the scale of values. Those that occur once do not count:
 * there is room around them in any signal. */
static double
wasted_bits (const int32_t *sorted, uint32_t n, uint32_t step,
    uint32_t *distinct)
{
  double bits = 0.0;
  uint32_t below = UINT32_MAX;

  *distinct = 0;
  for (uint32_t i = 0; i < n; ++*distinct) {
    uint32_t count = 1, above, gap;

    while (i + count < n && sorted[i + count] == sorted[i])
      count++;
    above = i + count < n ? (uint32_t) subtract (sorted[i + count], sorted[i])
                          : UINT32_MAX;
    gap = above < below ? above : below;
    if (gap > step && gap < UINT32_MAX && count > 1)
      bits += (count - 1) * eeg_eegpack_log2 (gap / step);
    below = above;
    i += count;
  }
  return bits;
}

/* Whether a palette is worth a closer look, judged by some values. */
static bool
may_be_sparse (eeg_eegpack_encoder *e, const int32_t *v, uint32_t frames,
    uint32_t step, uint32_t n)
{
  int32_t *some = e->work + COLUMN_PAD;
  uint64_t seen[64] = { 0 };
  uint32_t distinct = 0;

  if (n > frames)
    n = frames;
  for (uint32_t i = 0; i < n; i++) {
    uint32_t place =
        (uint32_t) (v[(uint64_t) i * frames / n]) * 0x9e3779b1u >> 20;

    some[i] = v[(uint64_t) i * frames / n];
    distinct += !(seen[place / 64] >> place % 64 & 1);
    seen[place / 64] |= UINT64_C (1) << place % 64;
  }
  /* there are at least so many */
  if (distinct >= n - n / 4)
    return false;
  if (n > 64)
    qsort (some, n, sizeof *some, compare_values);
  else
    for (uint32_t i = 1; i < n; i++) {
      int32_t x = some[i];
      uint32_t at = i;

      for (; at > 0 && some[at - 1] > x; at--)
        some[at] = some[at - 1];
      some[at] = x;
    }
  /* in a wide signal, equal values are chance: they must be many */
  return wasted_bits (some, n, step, &distinct) > 0.1 * n
      && distinct < n - n / 4;
}

static unsigned
palette_gap_order (const int32_t *palette, uint32_t n, uint64_t *bits)
{
  unsigned best = 0;

  *bits = UINT64_MAX;
  for (unsigned k = 0; k < 24; k++) {
    uint64_t sum = 0;

    for (uint32_t i = 1; i < n; i++)
      sum +=
          golomb_bits (k, (uint32_t) subtract (palette[i], palette[i - 1]) - 1);
    if (sum < *bits) {
      *bits = sum;
      best = k;
    }
  }
  return best;
}

/* Replaces values by their place among those that occur, if that pays. */
static bool
make_palette (eeg_eegpack_encoder *e, column_plan *p, int32_t *v,
    uint32_t frames)
{
  int32_t *palette = e->palettes + e->palettes_used,
          *sorted = e->work + COLUMN_PAD;
  uint32_t n = 0, distinct;
  uint64_t bits;
  double saved;

  memcpy (sorted, v, frames * sizeof *v);
  qsort (sorted, frames, sizeof *sorted, compare_values);
  saved = wasted_bits (sorted, frames, p->step, &distinct);
  if (distinct > MAX_PALETTE || distinct > PALETTE_POOL - e->palettes_used)
    return false;
  for (uint32_t t = 0; t < frames; t++)
    if (t == 0 || sorted[t] != sorted[t - 1])
      palette[n++] = sorted[t];
  palette_gap_order (palette, n, &bits);
  if (saved < 1.25 * (double) bits + 64.0)
    return false;

  for (uint32_t t = 0; t < frames; t++) {
    uint32_t low = 0, high = n;

    while (high - low > 1) {
      uint32_t middle = (low + high) / 2;

      if (palette[middle] <= v[t])
        low = middle;
      else
        high = middle;
    }
    v[t] = (int32_t) low;
  }
  p->palette = palette;
  p->n_palette = n;
  e->palettes_used += n;
  return true;
}

/* A distance after which everything repeats, or 0. */
static uint32_t
find_repeat (const eeg_eegpack_encoder *e, const int32_t *v, uint32_t frames)
{
  uint32_t budget = 4 * frames;
  size_t lag = 0;

  if (frames < 8)
    return 0;
  while ((lag = e->loops->find (v, lag + 1, frames / 2 + 1)) <= frames / 2) {
    size_t t = lag + 4;

    while (t < frames && v[t] == v[t - lag])
      t++;
    if (t == frames)
      return (uint32_t) lag;
    if (t - lag >= budget)
      return 0;
    budget -= (uint32_t) (t - lag);
  }
  return 0;
}

static void
map_values (eeg_eegpack_encoder *e, column_plan *p, uint32_t c, uint32_t frames,
    eeg_eegpack_effort effort)
{
  int32_t *v = column_of (e, c);
  int32_t min, max;

  memset (p, 0, sizeof *p);
  v[-1] = 0;
  p->step = find_step (v, frames);
  if (p->step == 0) {
    p->step = 1;
    p->base = v[0];
    memset (v, 0, frames * sizeof *v);
    return;
  }
  if (may_be_sparse (e, v, frames, p->step,
          effort == EEG_EEGPACK_BEST ? 256 : 64)
      && make_palette (e, p, v, frames)) {
    p->step = 1;
  }
  p->base = v[0];
  p->repeat = find_repeat (e, v, frames);
  if (effort == EEG_EEGPACK_FAST && p->step == 1 && p->repeat == 0) {
    /* no other column looks at this one, and differences do not change: only
     * the first must be one from the base */
    p->absolute = true;
    v[-1] = p->base;
    return;
  }
  e->loops->limits (v, frames, &min, &max);
  e->loops->add (v, frames, subtract (0, p->base), v);
  min = subtract (min, p->base);
  max = subtract (max, p->base);
  if (min > 0 || max < 0 || p->step > 1) {
    /* seldom: distances that wrap around, or steps */
    for (uint32_t t = 0; t < frames; t++)
      v[t] /= (int32_t) p->step;
    e->loops->limits (v, frames, &min, &max);
  }
  p->reach = magnitude (min, max);
}

/* ---- likeness of channels ---- */

static double *
gram_at (const eeg_eegpack_encoder *e, uint32_t i, uint32_t j)
{
  uint32_t high = i > j ? i : j, low = i > j ? j : i;

  return e->gram + (high % WINDOW) * WINDOW + (high - low);
}

/* Short parts of each column, differenced and whitened by one predictor for
 * all, so that what they have in common does not drown in slow waves. */
static size_t
whiten (eeg_eegpack_encoder *e, uint32_t frames, size_t limit)
{
  size_t parts = LIKENESS_PARTS, length, total;
  double sums[WHITENING + 1] = { 0 };
  int32_t coefs[WHITENING] = { 0 };
  eeg_eegpack_system *s = &e->system;

  total = frames < limit ? frames : limit;
  if (total < 64 * parts)
    parts = 1;
  length = total / parts;
  if (length <= 16)
    return 0;
  total = parts * length;

  for (int pass = 0; pass < 2; pass++) {
    for (uint32_t c = 0; c < e->n_columns; c++) {
      const int32_t *v = column_of (e, c);
      int32_t *differences = e->work + COLUMN_PAD;
      int32_t *white = e->residuals + COLUMN_PAD;
      int64_t found[WHITENING + 1] = { 0 };
      int32_t min = 0, max = 0;
      unsigned shift = 0;

      for (size_t i = 0; i < parts; i++) {
        size_t at = part_start (frames, length, i, parts);

        int32_t low, high;

        e->loops->difference (v + at, length, differences + i * length, &low,
            &high);
        min = low < min ? low : min;
        max = high > max ? high : max;
      }
      if (pass == 1) {
        /* parts follow each other: where they meet, there are a few values that
         * mean little */
        e->loops->residual (differences, total, coefs, WHITENING, 8, false,
            white);
        differences = white;
        e->loops->limits (differences, total, &min, &max);
      }
      while (magnitude (min, max) >> shift > ANALYSIS_LIMIT)
        shift++;
      e->likeness_shift[c] = shift;
      e->loops->narrow (differences, total, shift, ANALYSIS_LIMIT,
          pass == 0 ? e->analysis + COLUMN_PAD
                    : e->likeness + c * e->likeness_stride);
      if (pass == 0) {
        e->loops->correlate (e->analysis + COLUMN_PAD + WHITENING,
            total - WHITENING, WHITENING + 1, found);
        if (found[0] > 0)
          for (unsigned k = 0; k <= WHITENING; k++)
            sums[k] += (double) found[k] / (double) found[0];
      }
    }
    if (pass == 0) {
      double x[WHITENING];

      s->n = WHITENING;
      s->energy = sums[0];
      for (unsigned i = 0; i < WHITENING; i++) {
        s->b[i] = sums[i + 1];
        for (unsigned j = 0; j <= i; j++)
          s->a[i][j] = sums[i - j];
      }
      eeg_eegpack_factor (s);
      eeg_eegpack_solve (s, s->rank, x);
      for (unsigned i = 0; i < s->rank; i++)
        coefs[i] = (int32_t) (x[i] * 256.0);
    }
  }
  return total;
}

static uint32_t
window_of (uint32_t c)
{
  return c < WINDOW - 1 ? 0 : c - (WINDOW - 1);
}

/* from the largest to the smallest */
static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x < y) - (x > y);
}

#define NOT_WHITENED UINT_MAX

/* Column c and those before it once more, whitened by the predictor that was
 * found for it: weights that leave it least to predict come from these. */
static void
whiten_for (eeg_eegpack_encoder *e, uint32_t c, uint32_t frames, size_t total)
{
  const column_plan *p = &e->plans[c];
  size_t parts = total < 64 * LIKENESS_PARTS ? 1 : LIKENESS_PARTS;
  size_t length = total / parts;
  uint32_t first = window_of (c);
  int32_t *work = e->work + COLUMN_PAD, *white = e->trial_rows;
  double likeness[WINDOW], strong = 0.0;

  /* the most alike, as it seemed before, will do */
  for (uint32_t i = first; i < c; i++) {
    double energy = *gram_at (e, i, i), with = *gram_at (e, c, i);

    likeness[i - first] = energy > 0.0 ? with * with / energy : 0.0;
  }
  if (c - first > CANDIDATES) {
    double sorted[WINDOW];

    memcpy (sorted, likeness, (c - first) * sizeof *sorted);
    qsort (sorted, c - first, sizeof *sorted, compare_doubles);
    strong = sorted[CANDIDATES - 1];
  }

  for (uint32_t i = first; i <= c; i++) {
    const int32_t *v = column_of (e, i);
    int32_t min, max;
    unsigned shift = 0;

    e->own_shift[i - first] = NOT_WHITENED;
    if (i < c && likeness[i - first] < strong)
      continue;

    for (size_t k = 0; k < parts; k++) {
      size_t at = part_start (frames, length, k, parts);

      if (p->differences)
        e->loops->difference (v + at, length, work + k * length, &min, &max);
      else
        e->loops->add (v + at, length, 0, work + k * length);
    }
    e->loops->residual (work, total, p->coefs, padded_order (p->order),
        p->shift, p->wide, white);
    if (!p->differences)
      e->loops->add (white, total,
          (int32_t) - (e->loops->sum (white, total) / (int64_t) total), white);
    e->loops->limits (white, total, &min, &max);
    while (magnitude (min, max) >> shift > ANALYSIS_LIMIT)
      shift++;
    e->own_shift[i - first] = shift;
    e->loops->narrow (white, total, shift, ANALYSIS_LIMIT,
        e->own_likeness + (i - first) * e->likeness_stride);
  }
}

/* Sum of products of two columns, one of them c or chosen for it. */
static double
product (const eeg_eegpack_encoder *e, uint32_t first, uint32_t i, uint32_t j,
    size_t length, bool own)
{
  if (!own)
    return *gram_at (e, i, j);
  if (e->own_shift[i - first] == NOT_WHITENED
      || e->own_shift[j - first] == NOT_WHITENED)
    return 0.0;
  return (
      double) e->loops->dot (e->own_likeness + (i - first) * e->likeness_stride,
      e->own_likeness + (j - first) * e->likeness_stride, length);
}

/* Chooses earlier columns whose weighted sum comes near this one: the one that
 * explains most, then the one that explains most of the rest, and so on. Each
 * must save so many bits. */
static void
choose_references (eeg_eegpack_encoder *e, uint32_t c, size_t length,
    uint32_t frames, unsigned most, double bits, bool own)
{
  static const int weight_step = 2;
  column_plan *p = &e->plans[c];
  uint32_t first = window_of (c);
  const unsigned *shifts = own ? e->own_shift : e->likeness_shift + first;
  eeg_eegpack_system *s = &e->system;
  double energies[WINDOW], with[WINDOW], cross[MAX_REFERENCES][WINDOW];
  double rest[WINDOW], x[MAX_REFERENCES];
  unsigned n = 0;
  uint32_t chosen[MAX_REFERENCES];
  int64_t reach;
  int shift;

  if (!own)
    for (uint32_t i = first; i <= c; i++)
      *gram_at (e, c, i) =
          (double) e->loops->dot (e->likeness + c * e->likeness_stride,
              e->likeness + i * e->likeness_stride, length);
  s->energy = product (e, first, c, c, length, own);
  if (p->repeat != 0 || p->reach == 0 || s->energy <= 0.0)
    return;
  for (uint32_t i = first; i < c; i++) {
    energies[i - first] = product (e, first, i, i, length, own);
    rest[i - first] = with[i - first] = product (e, first, c, i, length, own);
  }

  s->n = 0;
  while (n < most) {
    double best = 0.0, left;
    uint32_t at = c;

    for (uint32_t i = first; i < c; i++) {
      double gain = rest[i - first] * rest[i - first];

      if (energies[i - first] > 0.0 && gain > best * energies[i - first]
          && e->plans[i].reach > 0) {
        best = gain / energies[i - first];
        at = i;
      }
    }
    if (at == c)
      break;
    chosen[n] = at;
    for (uint32_t i = first; i < c; i++)
      cross[n][i - first] = product (e, first, at, i, length, own);
    s->b[n] = with[at - first];
    for (unsigned j = 0; j <= n; j++)
      s->a[n][j] = cross[n][chosen[j] - first];
    s->n = n + 1;
    eeg_eegpack_factor (s);
    if (s->rank < s->n)
      break;
    left = s->left[n + 1] > 0.0 ? s->left[n + 1] : 0.0;
    if (frames * 0.5
            * (eeg_eegpack_log2 (s->left[n] + (double) length / 12.0)
                - eeg_eegpack_log2 (left + (double) length / 12.0))
        < bits)
      break;
    n++;
    if (n == most)
      break;
    eeg_eegpack_solve (s, n, x);
    for (uint32_t i = first; i < c; i++) {
      rest[i - first] = with[i - first];
      for (unsigned j = 0; j < n; j++)
        rest[i - first] -= x[j] * cross[j][i - first];
    }
    for (unsigned j = 0; j < n; j++)
      rest[chosen[j] - first] = 0.0;
  }
  if (n == 0)
    return;

  eeg_eegpack_solve (s, n, x);
  /* the products were of values that had been shifted */
  for (unsigned j = 0; j < n; j++) {
    int by = (int) shifts[c - first] - (int) shifts[chosen[j] - first];

    x[j] = by < 0 ? x[j] / (double) (1u << -by) : x[j] * (double) (1u << by);
  }
  for (unsigned i = 0; i < n; i++)
    for (unsigned j = 0; j <= i; j++) {
      double scale = (double) (1u << shifts[chosen[i] - first])
          * (double) (1u << shifts[chosen[j] - first]);
      double own_scale = (double) (1u << shifts[c - first]);

      s->a[i][j] = s->a[i][j] * scale / (own_scale * own_scale);
    }
  shift = eeg_eegpack_quantize (s, n, x, frames, (double) length / 12.0, 6, 12,
      weight_step, 32767.0, p->weights);
  if (shift < 0)
    return;
  p->n_references = n;
  p->weight_shift = (unsigned) shift;
  memcpy (p->references, chosen, n * sizeof *chosen);
  reach = INT64_C (1) << shift;
  for (unsigned i = 0; i < n; i++)
    reach += e->plans[chosen[i]].reach
        * (p->weights[i] < 0 ? -p->weights[i] : p->weights[i]);
  p->weights_wide = reach > INT32_MAX;
}

/* ---- prediction ---- */

/* Adds products of the values under analysis, the first `most` left out: of
 * t and t - k to sums, of t - 1 - i and t - 1 - j to products[i][j], i >= j. */
static void
add_products (eeg_eegpack_encoder *e, uint32_t length, unsigned most,
    int64_t sums[MAX_ORDER + 1], int64_t products[MAX_ORDER][MAX_ORDER])
{
  const int16_t *a = e->analysis + COLUMN_PAD;
  const int16_t *head = a + most - 1, *tail = a + length - 1;
  int64_t part[MAX_ORDER + 1];

  e->loops->correlate (a + most, length - most, most + 1, part);
  for (unsigned k = 0; k <= most; k++)
    sums[k] += part[k];
  /* all lags, from those with i = 0 */
  for (unsigned k = 0; k < most; k++)
    for (ptrdiff_t j = 0; j + k < most; j++) {
      ptrdiff_t i = j + (ptrdiff_t) k;

      part[k] += (int32_t) head[-i] * head[-j] - (int32_t) tail[-i] * tail[-j];
      products[i][j] += part[k];
    }
}

/* Finds the predictor of the prepared values, of which some may do. Returns the
 * bits that the block may then take, up to a constant. */
static double
choose_predictor (eeg_eegpack_encoder *e, column_plan *p, uint32_t frames,
    int32_t min, int32_t max, unsigned most, unsigned sample)
{
  const int32_t *v = e->work + COLUMN_PAD;
  eeg_eegpack_system *s = &e->system;
  int16_t *a = e->analysis + COLUMN_PAD;
  int64_t sums[MAX_ORDER + 1] = { 0 }, products[MAX_ORDER][MAX_ORDER];
  int64_t reach = magnitude (min, max), total = 0;
  double x[MAX_ORDER], unit, noise, best_cost;
  uint32_t parts = 1, length = frames;
  unsigned shift = 0, order = 0;
  int found;

  p->order = 0;
  p->wide = false;
  p->coded = reach > 0;
  if (!p->coded)
    return 0.0;
  while (reach >> shift > ANALYSIS_LIMIT)
    shift++;
  if (frames > 2 * sample) {
    parts = SAMPLE_PARTS;
    length = sample / parts;
  }
  if (most > length / 4)
    most = length / 4;
  memset (products, 0, sizeof products);
  for (uint32_t i = 0; i < parts; i++) {
    e->loops->narrow (v + part_start (frames, length, i, parts), length, shift,
        ANALYSIS_LIMIT, a);
    add_products (e, length, most, sums, products);
  }
  s->n = most;
  s->energy = (double) sums[0];
  for (unsigned k = 0; k < most; k++) {
    s->b[k] = (double) sums[k + 1];
    for (unsigned j = 0; j <= k; j++)
      s->a[k][j] = (double) products[k][j];
  }
  eeg_eegpack_factor (s);

  /* prediction ends in integers: their rounding stays */
  unit = (double) (UINT64_C (1) << (2 * shift))
      / (double) (parts * (length - most));
  noise = 1.0 / 12.0 / unit;
  best_cost = frames * 0.5 * eeg_eegpack_log2 ((s->left[0] + noise) * unit);
  for (unsigned i = 1; i <= s->rank; i++) {
    double left = s->left[i] > 0.0 ? s->left[i] : 0.0;
    double cost = frames * 0.5 * eeg_eegpack_log2 ((left + noise) * unit) + 12.0
        + 9.0 * i;

    if (cost < best_cost) {
      best_cost = cost;
      order = i;
    }
  }
  if (order == 0)
    return best_cost;
  eeg_eegpack_solve (s, order, x);
  found = eeg_eegpack_quantize (s, order, x, frames, noise, 4, 13, 1, 32767.0,
      p->coefs);
  if (found < 0)
    return best_cost;
  memset (p->coefs + order, 0, (MAX_ORDER - order) * sizeof *p->coefs);
  p->order = order;
  p->shift = (unsigned) found;
  for (unsigned i = 0; i < order; i++)
    total += p->coefs[i] < 0 ? -p->coefs[i] : p->coefs[i];
  p->wide = total * reach + (INT64_C (1) << p->shift) > INT32_MAX;
  return best_cost;
}

/* Sets up differences or distances from the mean of d for a predictor. */
static void
prepare_column (eeg_eegpack_encoder *e, column_plan *p, const int32_t *d,
    uint32_t frames, bool differences, int32_t *min, int32_t *max)
{
  int32_t *work = e->work + COLUMN_PAD;

  p->differences = differences;
  p->mean = 0;
  if (differences) {
    e->loops->difference (d, frames, work, min, max);
  } else {
    p->mean = (int32_t) (e->loops->sum (d, frames) / (int64_t) frames);
    e->loops->add (d, frames, subtract (0, p->mean), work);
    e->loops->limits (work, frames, min, max);
    if (p->absolute)
      p->mean = subtract (p->mean, p->base);
  }
}

/* Whether values wander less from their mean than from one to the next, judged
 * by those in the middle. */
static bool
is_steady (const eeg_eegpack_encoder *e, const int32_t *d, uint32_t frames)
{
  uint32_t n = frames < 512 ? frames : 512;
  uint64_t level, change;

  d += (frames - n) / 2;
  e->loops->wander (d, n, (int32_t) (e->loops->sum (d, n) / (int64_t) n),
      &level, &change);
  return level < change;
}

/* Values d of a column to residuals, `out` may be d; false if there is nothing
 * to code. */
static bool
predict_column (eeg_eegpack_encoder *e, column_plan *p, const int32_t *d,
    uint32_t frames, eeg_eegpack_effort effort, int32_t *out, double *cost)
{
  static const unsigned orders[] = { 4, 16, 32 };
  int32_t min, max;
  bool differences;

  if (effort == EEG_EEGPACK_BEST) {
    double as_values;

    prepare_column (e, p, d, frames, false, &min, &max);
    as_values = choose_predictor (e, p, frames, min, max, orders[effort],
        samples[effort]);
    prepare_column (e, p, d, frames, true, &min, &max);
    differences = choose_predictor (e, p, frames, min, max, orders[effort],
                      samples[effort])
        <= as_values;
  } else
    differences = !is_steady (e, d, frames);
  prepare_column (e, p, d, frames, differences, &min, &max);
  *cost = choose_predictor (e, p, frames, min, max, orders[effort],
      samples[effort]);
  if (p->mean == 0 && !p->coded)
    return false;
  p->coded = true;
  e->loops->residual (e->work + COLUMN_PAD, frames, p->coefs,
      padded_order (p->order), p->shift, p->wide, out);
  return true;
}

/* Residuals of a column, from the references it has; false if there is nothing
 * to code. */
static bool
reduce_column (eeg_eegpack_encoder *e, uint32_t c, uint32_t frames,
    eeg_eegpack_effort effort, int32_t *d, double *cost)
{
  column_plan *p = &e->plans[c];
  const int32_t *y = column_of (e, c);
  const int32_t *references[MAX_REFERENCES];

  for (unsigned i = 0; i < p->n_references; i++)
    references[i] = column_of (e, p->references[i]);
  if (p->repeat > 0) {
    memcpy (d, y, p->repeat * sizeof *d);
    memset (d + p->repeat, 0, (frames - p->repeat) * sizeof *d);
    y = d;
  } else if (p->n_references > 0) {
    e->loops->mix (y, frames, references, p->weights, p->n_references,
        p->weight_shift, p->weights_wide, false, d);
    y = d;
  }
  return predict_column (e, p, y, frames, effort, d, cost);
}

/* Bits that a reference takes, about */
#define REFERENCE_BITS 14.0

/* Looks for references once more, now that the predictor is known, and keeps
 * what is better. */
static bool
refine_references (eeg_eegpack_encoder *e, uint32_t c, uint32_t frames,
    size_t length, int32_t *d, double cost)
{
  column_plan *p = &e->plans[c], old = *p;
  double other;
  bool coded;

  whiten_for (e, c, frames, length);
  p->n_references = 0;
  choose_references (e, c, length, frames, MAX_REFERENCES, REFERENCE_BITS,
      true);
  coded = reduce_column (e, c, frames, EEG_EEGPACK_BEST, d, &other);
  if (coded
      && other + REFERENCE_BITS * p->n_references
          < cost + REFERENCE_BITS * old.n_references)
    return true;
  *p = old;
  return reduce_column (e, c, frames, EEG_EEGPACK_BEST, d, &cost);
}

/* ---- groups of columns ---- */

static void
start_coder (eeg_eegpack_coder *c, const column_plan *p, unsigned l)
{
  c->state[l] = 65536;
  c->rate[l] = p->rate;
  c->shift[l] = p->value_shift;
  c->mean[l] = (4 + (p->scale & 3)) << (p->scale / 4 + p->rate - 2);
}

/* Start values of the entropy coder, from the sums of a lane's coded values:
 * all, and those of the first frames. */
static void
choose_scale (column_plan *p, uint64_t all, uint32_t frames, uint64_t first,
    uint32_t first_frames)
{
  uint64_t mean = all / frames;

  p->value_shift = 0;
  while (mean >> (14 + p->value_shift) > 0 && p->value_shift < MAX_SHIFT)
    p->value_shift++;

  /* the mean's quarter octave from 1/32 on */
  mean = ((first << MEAN_FRACTION) / first_frames) >> p->value_shift;
  if (mean < 1)
    mean = 1;
  p->scale = 4 * (63 - (unsigned) __builtin_clzll (mean));
  p->scale += (unsigned) (((mean << 2) >> (p->scale / 4)) & 3);
  if (p->scale > MAX_SCALE)
    p->scale = MAX_SCALE;
}

static void
choose_scale_of_column (const eeg_eegpack_encoder *e, column_plan *p,
    const int32_t *residuals, uint32_t frames, unsigned sample)
{
  uint32_t n = frames < FIRST_FRAMES ? frames : FIRST_FRAMES;
  uint32_t parts = frames > 2 * sample ? SAMPLE_PARTS : 1;
  uint32_t length = parts > 1 ? sample / parts : frames;
  uint64_t all = 0;

  for (uint32_t i = 0; i < parts; i++)
    all += e->loops->level (residuals + part_start (frames, length, i, parts),
        length);
  choose_scale (p, all, parts * length, e->loops->level (residuals, n), n);
}

static void
choose_scale_of_lane (column_plan *p, const int32_t *rows, unsigned l,
    uint32_t frames)
{
  uint32_t n = frames < FIRST_FRAMES ? frames : FIRST_FRAMES;
  uint64_t all = 0, first = 0;

  for (uint32_t t = 0; t < frames; t++) {
    all += zigzag (rows[t * LANES + l]);
    if (t < n)
      first = all;
  }
  choose_scale (p, all, frames, first, n);
}

/* What eeg_eegpack_loops.count() adds up; 1/64 bit. */
static void
fill_costs (uint32_t costs[CONTEXTS * SYMBOLS])
{
  for (unsigned c = 0; c < CONTEXTS; c++)
    for (unsigned s = 0; s < SYMBOLS; s++) {
      unsigned coded = eeg_eegpack_frequencies[c][s] > 0 ? s : ESCAPE;
      double bits = PROBABILITY_BITS
          - eeg_eegpack_log2 (eeg_eegpack_frequencies[c][coded])
          + eeg_eegpack_symbol_bits[coded];

      costs[c * SYMBOLS + s] = (uint32_t) (64.0 * bits);
    }
}

/* Runs the adaptive stage and the model on a copy of the group, then counts
 * bits. Lanes' settings are in their plans. */
static void
try_group (eeg_eegpack_encoder *e, const int32_t *rows, unsigned lanes,
    const uint32_t *members, uint32_t frames, const uint32_t *costs,
    uint64_t *bits)
{
  eeg_eegpack_coder coder;

  memset (&coder, 0, sizeof coder);
  coder.lanes = lanes;
  memcpy (e->trial_rows, rows, (size_t) frames * LANES * sizeof *rows);
  if (e->adaptive.max_taps > 0)
    e->loops->adapt (&e->adaptive, frames, e->trial_rows, false);
  for (unsigned l = 0; l < lanes; l++) {
    column_plan *p = &e->plans[members[l]];

    choose_scale_of_lane (p, e->trial_rows, l, frames);
    start_coder (&coder, p, l);
  }
  e->loops->model (&coder, frames, e->trial_rows, e->trial_scales);
  e->loops->count (&coder, frames, e->trial_rows, e->trial_scales, costs, bits);
}

static void
set_adaptive (eeg_eegpack_encoder *e, unsigned lanes, const uint32_t *members)
{
  eeg_eegpack_adaptive *a = &e->adaptive;

  memset (a, 0, sizeof *a);
  for (unsigned l = 0; l < lanes; l++) {
    const column_plan *p = &e->plans[members[l]];

    a->taps[l] = 16 * p->adaptive;
    a->step[l] = ADAPTIVE_STEP + p->step_size;
    if (a->taps[l] > a->max_taps)
      a->max_taps = a->taps[l];
  }
}

/* Tries what costs too much time at lower efforts, on the first frames. */
static void
refine_group (eeg_eegpack_encoder *e, const int32_t *rows, unsigned lanes,
    const uint32_t *members, uint32_t frames)
{
  static const struct
  {
    unsigned adaptive, step_size;
  } stages[] = { { 1, 3 }, { 2, 3 }, { 2, 5 } };
  uint32_t costs[CONTEXTS * SYMBOLS];
  uint64_t best[LANES], bits[LANES];
  unsigned rates[LANES], adaptives[LANES] = { 0 }, steps[LANES] = { 0 };

  if (frames > TRIAL_FRAMES)
    frames = TRIAL_FRAMES;
  fill_costs (costs);
  memset (&e->adaptive, 0, sizeof e->adaptive);
  for (unsigned l = 0; l < lanes; l++)
    best[l] = UINT64_MAX;
  for (unsigned rate = MIN_RATE; rate <= MAX_RATE; rate++) {
    for (unsigned l = 0; l < lanes; l++)
      e->plans[members[l]].rate = rate;
    try_group (e, rows, lanes, members, frames, costs, bits);
    for (unsigned l = 0; l < lanes; l++)
      if (bits[l] < best[l]) {
        best[l] = bits[l];
        rates[l] = rate;
      }
  }
  for (unsigned l = 0; l < lanes; l++)
    e->plans[members[l]].rate = rates[l];
  for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
    for (unsigned l = 0; l < lanes; l++) {
      e->plans[members[l]].adaptive = stages[i].adaptive;
      e->plans[members[l]].step_size = stages[i].step_size;
    }
    set_adaptive (e, lanes, members);
    try_group (e, rows, lanes, members, frames, costs, bits);
    for (unsigned l = 0; l < lanes; l++)
      if (bits[l] + 64 * 4 < best[l]) {
        best[l] = bits[l];
        adaptives[l] = stages[i].adaptive;
        steps[l] = stages[i].step_size;
      }
  }
  for (unsigned l = 0; l < lanes; l++) {
    e->plans[members[l]].adaptive = adaptives[l];
    e->plans[members[l]].step_size = steps[l];
  }
}

/* Residual columns of one group to rows that are ready to be emitted. */
static void
finish_group (eeg_eegpack_encoder *e, unsigned g, unsigned lanes,
    uint32_t frames, eeg_eegpack_effort effort)
{
  int32_t *rows = e->rows[g];
  const uint32_t *members = e->members[g];
  const int32_t *columns[LANES] = { NULL };
  eeg_eegpack_coder *coder = &e->coders[g];
  uint32_t last = frames;

  for (unsigned l = 0; l < lanes; l++)
    columns[l] = e->residuals + l * e->stride + COLUMN_PAD;
  if (effort == EEG_EEGPACK_BEST) {
    e->loops->columns_to_rows (columns, lanes, 0, frames, rows);
    refine_group (e, rows, lanes, members, frames);
    set_adaptive (e, lanes, members);
    if (e->adaptive.max_taps > 0)
      e->loops->adapt (&e->adaptive, frames, rows, false);
  }

  memset (coder, 0, sizeof *coder);
  coder->lanes = lanes;
  for (unsigned l = 0; l < lanes; l++) {
    column_plan *p = &e->plans[members[l]];

    if (p->adaptive > 0)
      choose_scale_of_lane (p, rows, l, frames);
    else
      choose_scale_of_column (e, p, columns[l], frames, samples[effort]);
    if (effort != EEG_EEGPACK_BEST)
      p->rate = frames < 1024 ? 4 : 5;
    start_coder (coder, p, l);
  }
  for (uint32_t t = 0; t < frames; t += TILE) {
    uint32_t n = frames - t < TILE ? frames - t : TILE;

    if (effort != EEG_EEGPACK_BEST)
      e->loops->columns_to_rows (columns, lanes, t, n, rows + t * LANES);
    e->loops->model (coder, n, rows + t * LANES, e->scales[g] + t * LANES);
  }
  for (bool quiet = true; quiet && last > 0;) {
    for (unsigned l = 0; l < lanes; l++)
      quiet = quiet && rows[(last - 1) * LANES + l] == 0;
    last -= quiet;
  }
  e->coder_frames[g] = last;
  coder->words = e->words[g];
}

static size_t
put_varint (uint8_t *out, uint64_t v)
{
  size_t n = 0;

  for (; v > 127; v >>= 7)
    out[n++] = (uint8_t) (v | 128);
  out[n++] = (uint8_t) v;
  return n;
}

/* Emits the groups at hand and appends them to `out`; false when they do not
 * fit before `limit`. */
static bool
flush_groups (eeg_eegpack_encoder *e, unsigned n, uint32_t frames,
    uint8_t **out, const uint8_t *limit)
{
  bool together = true;

  for (unsigned g = 1; g < n; g++)
    together = together && e->coder_frames[g] == e->coder_frames[0];
  if (together)
    e->loops->emit (e->tables, e->coders, n, e->coder_frames[0], e->rows,
        e->scales);
  else
    for (unsigned g = 0; g < n; g++)
      e->loops->emit (e->tables, &e->coders[g], 1, e->coder_frames[g],
          &e->rows[g], &e->scales[g]);
  for (unsigned g = 0; g < n; g++) {
    const eeg_eegpack_coder *c = &e->coders[g];
    size_t bytes = (size_t) (c->words - e->words[g]);
    uint8_t *p = *out;

    if ((size_t) (limit - p) < bytes + 4 * LANES + 20)
      return false;
    p += put_varint (p, bytes / 2);
    p += put_varint (p, frames - e->coder_frames[g]);
    for (unsigned l = 0; l < c->lanes; l++)
      for (unsigned i = 0; i < 4; i++)
        *p++ = (uint8_t) (c->state[l] >> (8 * i));
    memcpy (p, e->words[g], bytes);
    *out = p + bytes;
  }
  return true;
}

/* ---- parameters ---- */

static void
put_map (bit_writer *w, const column_plan *p)
{
  bool any = p->step > 1 || p->palette != NULL || p->repeat > 0;

  put_bits (w, 1, any);
  if (any) {
    put_bits (w, 1, p->step > 1);
    if (p->step > 1)
      put_golomb (w, 4, p->step - 2);
    put_bits (w, 1, p->palette != NULL);
    if (p->palette != NULL) {
      uint64_t bits;
      unsigned k = palette_gap_order (p->palette, p->n_palette, &bits);

      put_golomb (w, 4, p->n_palette - 1);
      put_signed (w, 12, p->palette[0]);
      put_bits (w, 5, k);
      for (uint32_t i = 1; i < p->n_palette; i++)
        put_golomb (w, k,
            (uint32_t) subtract (p->palette[i], p->palette[i - 1]) - 1);
    }
    put_bits (w, 1, p->repeat > 0);
    if (p->repeat > 0)
      put_golomb (w, 8, p->repeat - 1);
  }
  put_signed (w, 12, p->base);
}

static void
put_plan (bit_writer *w, uint32_t c, const column_plan *p)
{
  unsigned bits;

  put_map (w, p);
  put_golomb (w, 0, p->n_references);
  if (p->n_references > 0) {
    put_bits (w, 2, (p->weight_shift - 6) / 2);
    put_bits (w, 1, p->weights_wide);
    for (unsigned i = 0; i < p->n_references; i++) {
      put_golomb (w, 2, c - p->references[i] - 1);
      put_signed (w, p->weight_shift - 1, p->weights[i]);
    }
  }
  put_bits (w, 1, p->coded);
  if (!p->coded)
    return;
  put_bits (w, 1, p->differences);
  if (!p->differences)
    put_signed (w, 4, p->mean);
  put_bits (w, 6, p->order);
  if (p->order > 0) {
    unsigned k = eeg_eegpack_best_golomb (p->coefs, p->order, &bits);

    put_bits (w, 4, p->shift);
    put_bits (w, 1, p->wide);
    put_bits (w, 4, k);
    for (unsigned i = 0; i < p->order; i++)
      put_signed (w, k, p->coefs[i]);
  }
  put_bits (w, 2, p->adaptive);
  if (p->adaptive > 0)
    put_bits (w, 3, p->step_size);
  put_bits (w, 2, p->rate - MIN_RATE);
  put_bits (w, 4, p->value_shift);
  put_bits (w, 7, p->scale);
}

static size_t
put_parameters (eeg_eegpack_encoder *e)
{
  bool floats = e->format == EEG_EEGPACK_F32 || e->format == EEG_EEGPACK_F64;
  unsigned per_channel = e->n_columns / e->channels;
  bit_writer w = { e->params, PARAMETER_BYTES (e->n_columns), 0, 0, 0 };

  for (uint32_t c = 0; c < e->n_columns; c++) {
    if (floats && c % per_channel == 0) {
      int16_t grid = e->grids[c / per_channel];

      put_bits (&w, 1, grid != NO_GRID);
      if (grid != NO_GRID)
        put_signed (&w, 3, grid);
    }
    put_plan (&w, c, &e->plans[c]);
  }
  put_padding (&w);
  return w.used;
}

/* ---- a block ---- */

static bool
encode_columns (eeg_eegpack_encoder *e, eeg_eegpack_effort effort,
    uint32_t frames, uint8_t **out, const uint8_t *limit)
{
  static const unsigned most_references[] = { 0, 4, MAX_REFERENCES };
  uint8_t *start = *out;
  size_t length = 0, params;
  unsigned groups = 0, lanes = 0;
  bool best = effort == EEG_EEGPACK_BEST;

  e->palettes_used = 0;
  for (uint32_t c = 0; c < e->n_columns; c++)
    map_values (e, &e->plans[c], c, frames, effort);
  if (effort != EEG_EEGPACK_FAST && e->n_columns > 1)
    length = whiten (e, frames, best ? LIKENESS_FRAMES_BEST : LIKENESS_FRAMES);

  for (uint32_t c = 0; c < e->n_columns; c++) {
    column_plan *p = &e->plans[c];
    int32_t *d = e->residuals + lanes * e->stride + COLUMN_PAD;
    double cost;
    bool coded;

    /* what a reference saves must pay for itself and, unless size is all that
     * counts, for the work */
    if (length > 0)
      choose_references (e, c, length, frames, most_references[effort],
          best ? REFERENCE_BITS : 24.0 + frames * 0.004, false);
    coded = reduce_column (e, c, frames, effort, d, &cost);
    if (best && coded && length > 0 && p->repeat == 0)
      coded = refine_references (e, c, frames, length, d, cost);
    if (!coded)
      continue;
    if (groups == e->batch) {
      if (!flush_groups (e, groups, frames, out, limit))
        return false;
      groups = 0;
    }
    e->members[groups][lanes++] = c;
    if (lanes == LANES) {
      finish_group (e, groups++, lanes, frames, effort);
      lanes = 0;
    }
  }
  if (lanes > 0)
    finish_group (e, groups++, lanes, frames, effort);
  params = put_parameters (e);
  if (params > PARAMETER_BYTES (e->n_columns)
      || params >= (size_t) (limit - *out))
    return false;
  memmove (start + params, start, (size_t) (*out - start));
  memcpy (start, e->params, params);
  *out += params;
  return groups == 0 || flush_groups (e, groups, frames, out, limit);
}

size_t
eeg_eegpack_encode (eeg_eegpack_encoder *e, eeg_eegpack_effort effort,
    const void *in, uint32_t frames, uint8_t *out)
{
  size_t raw =
      (size_t) frames * e->channels * eeg_eegpack_sample_size (e->format);
  uint8_t *end = out + 1;
  const uint8_t *limit = out + 1 + raw;

  /* lanes that are empty leave the time */
  if (effort == EEG_EEGPACK_FAST && e->n_columns < LANES / 2)
    effort = EEG_EEGPACK_NORMAL;
  load_columns (e, in, frames);
  if (e->format == EEG_EEGPACK_F32 || e->format == EEG_EEGPACK_F64)
    for (uint32_t c = 0; c < e->channels; c++)
      map_floats (e, c, frames);
  if (encode_columns (e, effort, frames, &end, limit)) {
    out[0] = 1;
    return (size_t) (end - out);
  }
  out[0] = 0;
  memcpy (out + 1, in, raw);
  return 1 + raw;
}
