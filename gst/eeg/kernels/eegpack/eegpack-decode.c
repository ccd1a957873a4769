/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "eegpack-bits.h"
#include "eegpack-private.h"

#include <stdlib.h>
#include <string.h>

/* What is kept of a column's parameters once its lane is set up. */
typedef struct
{
  uint32_t step;
  uint32_t n_palette; /* 0: none */
  const int32_t *palette;
  int32_t base;
  int32_t mean;
  uint32_t repeat;
  bool coded;
  bool weights_wide;
  uint8_t n_references;
  uint8_t weight_shift;
  uint32_t references[MAX_REFERENCES];
  int32_t weights[MAX_REFERENCES];
} column_plan;

struct eeg_eegpack_decoder
{
  eeg_eegpack_format format;
  uint32_t channels;
  uint32_t max_frames;
  const eeg_eegpack_loops *loops;
  const eeg_eegpack_tables *tables;

  uint32_t n_columns;
  uint32_t n_groups;
  size_t stride;
  void *memory;
  int32_t *columns;
  column_plan *plans;
  uint32_t *members; /* columns of the lanes, group after group */
  int16_t *grids;
  int32_t *palettes;
  eeg_eegpack_coder *coders;         /* of all groups, */
  eeg_eegpack_predictor *predictors; /* as parameters come before words */
  eeg_eegpack_adaptive *adaptives;
  uint8_t *words;
};

#define NO_GRID INT16_MAX
#define PALETTE_POOL 65536

/* An encoder that gains nothing stores a block as it is. */
static size_t
most_bytes (const eeg_eegpack_decoder *d)
{
  return eeg_eegpack_bound (d->format, d->channels, d->max_frames);
}

static void *
part (uint8_t *memory, size_t *used, size_t bytes)
{
  void *p = memory != NULL ? memory + *used : NULL;

  *used += (bytes + 63) & ~(size_t) 63;
  return p;
}

static size_t
lay_out (eeg_eegpack_decoder *d, uint8_t *memory)
{
  size_t frames = (d->max_frames + 15) & ~(size_t) 15, used = 0;

  d->n_columns = d->channels * (d->format == EEG_EEGPACK_F64 ? 2 : 1);
  d->n_groups = (d->n_columns + LANES - 1) / LANES;
  d->stride = frames;
  d->columns = part (memory, &used, d->n_columns * d->stride * 4);
  d->plans = part (memory, &used, d->n_columns * sizeof *d->plans);
  d->members = part (memory, &used, d->n_columns * sizeof *d->members);
  d->grids = part (memory, &used, d->channels * sizeof *d->grids);
  d->palettes = part (memory, &used, PALETTE_POOL * sizeof *d->palettes);
  d->coders = part (memory, &used, d->n_groups * sizeof *d->coders);
  d->predictors = part (memory, &used, d->n_groups * sizeof *d->predictors);
  d->adaptives = part (memory, &used, d->n_groups * sizeof *d->adaptives);
  d->words = part (memory, &used, most_bytes (d) + 2 * WORD_PAD);
  return used;
}

size_t
eeg_eegpack_decoder_memory (eeg_eegpack_format format, uint32_t channels,
    uint32_t max_frames)
{
  eeg_eegpack_decoder d = { .format = format,
    .channels = channels,
    .max_frames = max_frames };

  if (!eeg_eegpack_block_fits (format, channels, max_frames))
    return 0;
  return sizeof d + lay_out (&d, NULL);
}

eeg_eegpack_decoder *
eeg_eegpack_decoder_new (eeg_eegpack_format format, uint32_t channels,
    uint32_t max_frames, eeg_cpu cpu)
{
  eeg_eegpack_decoder *d;

  if (!eeg_eegpack_block_fits (format, channels, max_frames))
    return NULL;
  d = calloc (1, sizeof *d);
  if (d == NULL)
    return NULL;
  d->format = format;
  d->channels = channels;
  d->max_frames = max_frames;
  d->memory = aligned_alloc (64, lay_out (d, NULL));
  if (d->memory == NULL) {
    free (d);
    return NULL;
  }
  lay_out (d, d->memory);
  /* read in vain before and after the words, but read */
  memset (d->words, 0, WORD_PAD);
  d->loops = eeg_eegpack_choose_loops (&cpu);
  d->tables = eeg_eegpack_get_tables ();
  return d;
}

void
eeg_eegpack_decoder_free (eeg_eegpack_decoder *d)
{
  if (d == NULL)
    return;
  free (d->memory);
  free (d);
}

static inline int32_t *
column_of (const eeg_eegpack_decoder *d, uint32_t c)
{
  return d->columns + c * d->stride;
}

static inline int32_t
add (int32_t a, int32_t b)
{
  return (int32_t) ((uint32_t) a + (uint32_t) b);
}

/* ---- parameters ---- */

static bool
get_palette (eeg_eegpack_decoder *d, bit_reader *r, column_plan *p,
    size_t *used)
{
  uint32_t n = get_golomb (r, 4);
  unsigned k;

  /* each value takes a bit at least */
  if (n >= PALETTE_POOL - *used || n > 8 * r->size)
    return false;
  p->n_palette = n + 1;
  p->palette = d->palettes + *used;
  d->palettes[(*used)++] = get_signed (r, 12);
  k = get_bits (r, 5);
  for (uint32_t i = 0; i < n && bits_left (r); i++, ++*used) {
    uint32_t gap = get_golomb (r, k) + 1;

    d->palettes[*used] = add (d->palettes[*used - 1], (int32_t) gap);
  }
  return bits_left (r);
}

static bool
get_lane (eeg_eegpack_decoder *d, bit_reader *r, column_plan *p, uint32_t lane)
{
  eeg_eegpack_coder *coder = &d->coders[lane / LANES];
  eeg_eegpack_predictor *predictor = &d->predictors[lane / LANES];
  eeg_eegpack_adaptive *adaptive = &d->adaptives[lane / LANES];
  unsigned l = lane % LANES, order, scale, stage;
  bool differences;

  if (l == 0) {
    memset (coder, 0, sizeof *coder);
    memset (predictor, 0, sizeof *predictor);
    adaptive->max_taps = 0;
  }
  coder->lanes = l + 1;

  differences = get_bits (r, 1);
  predictor->integrate[l] = differences ? UINT32_MAX : 0;
  p->mean = differences ? 0 : get_signed (r, 4);
  order = get_bits (r, 6);
  if (order > MAX_ORDER)
    return false;
  if (order > 0) {
    unsigned k;

    predictor->shift[l] = get_bits (r, 4);
    predictor->round[l] = (1u << predictor->shift[l]) >> 1;
    if (get_bits (r, 1)) {
      predictor->wide[l] = UINT32_MAX;
      predictor->any_wide = true;
    }
    k = get_bits (r, 4);
    for (unsigned i = 0; i < order; i++) {
      int32_t coef = get_signed (r, k);

      if (coef > INT16_MAX || coef < INT16_MIN)
        return false;
      predictor->coefs[i][l] = coef;
    }
    order = (order + 3) & ~3u;
    if (order > predictor->order)
      predictor->order = order;
  }

  stage = get_bits (r, 2);
  if (stage > 2)
    return false;
  if (stage > 0) {
    if (adaptive->max_taps == 0)
      memset (adaptive, 0, sizeof *adaptive);
    adaptive->taps[l] = 16 * stage;
    adaptive->step[l] = ADAPTIVE_STEP + get_bits (r, 3);
    if (adaptive->taps[l] > adaptive->max_taps)
      adaptive->max_taps = adaptive->taps[l];
  }

  coder->rate[l] = MIN_RATE + get_bits (r, 2);
  coder->shift[l] = get_bits (r, 4);
  scale = get_bits (r, 7);
  if (coder->shift[l] > MAX_SHIFT || scale > MAX_SCALE)
    return false;
  coder->mean[l] = (4 + (scale & 3)) << (scale / 4 + coder->rate[l] - 2);
  return true;
}

static bool
get_plan (eeg_eegpack_decoder *d, bit_reader *r, uint32_t c,
    size_t *palettes_used, uint32_t *lanes)
{
  column_plan *p = &d->plans[c];
  uint32_t n;

  p->step = 1;
  p->n_palette = 0;
  p->repeat = 0;
  p->mean = 0;
  if (get_bits (r, 1)) {
    if (get_bits (r, 1))
      p->step = get_golomb (r, 4) + 2;
    if (get_bits (r, 1) && !get_palette (d, r, p, palettes_used))
      return false;
    if (get_bits (r, 1)) {
      p->repeat = get_golomb (r, 8) + 1;
      if (p->repeat == 0)
        return false;
    }
  }
  p->base = get_signed (r, 12);

  n = get_golomb (r, 0);
  if (n > MAX_REFERENCES)
    return false;
  p->n_references = (uint8_t) n;
  if (n > 0) {
    p->weight_shift = (uint8_t) (6 + 2 * get_bits (r, 2));
    p->weights_wide = get_bits (r, 1);
    for (uint32_t i = 0; i < n; i++) {
      uint32_t distance = get_golomb (r, 2);

      if (distance >= c)
        return false;
      p->references[i] = c - 1 - distance;
      p->weights[i] = get_signed (r, p->weight_shift - 1u);
      if (p->weights[i] > INT16_MAX || p->weights[i] < INT16_MIN)
        return false;
    }
  }

  p->coded = get_bits (r, 1);
  if (p->coded) {
    if (!get_lane (d, r, p, *lanes))
      return false;
    d->members[(*lanes)++] = c;
  }
  return bits_left (r);
}

static bool
get_parameters (eeg_eegpack_decoder *d, bit_reader *r, uint32_t *lanes)
{
  bool floats = d->format == EEG_EEGPACK_F32 || d->format == EEG_EEGPACK_F64;
  unsigned per_channel = d->n_columns / d->channels;
  size_t palettes_used = 0;

  *lanes = 0;
  for (uint32_t c = 0; c < d->n_columns; c++) {
    if (floats && c % per_channel == 0) {
      int32_t grid = NO_GRID;

      if (get_bits (r, 1)) {
        grid = get_signed (r, 3);
        if (grid < -1100 || grid > 1100)
          return false;
      }
      d->grids[c / per_channel] = (int16_t) grid;
    }
    if (!get_plan (d, r, c, &palettes_used, lanes))
      return false;
  }
  r->bit = (r->bit + 7) & ~(size_t) 7;
  return bits_left (r);
}

/* ---- groups ---- */

static bool
get_varint (const uint8_t **p, const uint8_t *end, uint64_t *v)
{
  unsigned shift = 0;

  for (*v = 0; *p < end && shift < 63; shift += 7) {
    uint8_t byte = *(*p)++;

    *v |= (uint64_t) (byte & 127) << shift;
    if (byte < 128)
      return true;
  }
  return false;
}

/* Finds states and words of a group; *frames: how many of it are coded. */
static bool
get_group (eeg_eegpack_coder *c, const uint8_t **p, const uint8_t *end,
    uint32_t *frames)
{
  uint64_t words, skipped;

  if (!get_varint (p, end, &words) || !get_varint (p, end, &skipped)
      || skipped > *frames)
    return false;
  *frames -= (uint32_t) skipped;
  if ((size_t) (end - *p) < 4 * c->lanes
      || (size_t) (end - *p - 4 * c->lanes) / 2 < words)
    return false;
  for (unsigned l = 0; l < c->lanes; l++, *p += 4)
    c->state[l] = (uint32_t) (*p)[0] | (uint32_t) (*p)[1] << 8
        | (uint32_t) (*p)[2] << 16 | (uint32_t) (*p)[3] << 24;
  c->begin = *p;
  c->end = *p += 2 * words;
  return true;
}

/* All went back to where the encoder began. */
static bool
coder_is_done (const eeg_eegpack_coder *c)
{
  bool done = c->end == c->begin;

  for (unsigned l = 0; l < c->lanes; l++)
    done = done && c->state[l] == 65536;
  return done;
}

/* Entropy decoding and prediction of up to BATCH groups, into columns. */
static bool
decode_groups (eeg_eegpack_decoder *d, uint32_t first, unsigned n,
    uint32_t frames, const uint32_t *coded)
{
  eeg_eegpack_coder *coders = &d->coders[first];
  int32_t rows[BATCH][TILE * LANES];
  int32_t *row_pointers[BATCH], *columns[BATCH][LANES];
  uint32_t together = coded[0];

  for (unsigned g = 0; g < n; g++) {
    const uint32_t *members = d->members + (size_t) (first + g) * LANES;

    row_pointers[g] = rows[g];
    for (unsigned l = 0; l < coders[g].lanes; l++)
      columns[g][l] = column_of (d, members[l]);
    if (coded[g] < together)
      together = coded[g];
  }
  for (uint32_t t = 0; t < frames; t += TILE) {
    uint32_t size = frames - t < TILE ? frames - t : TILE;

    if (t + size <= together) {
      if (!d->loops->decode (d->tables, coders, n, size, row_pointers))
        return false;
    } else
      for (unsigned g = 0; g < n; g++) {
        uint32_t left = coded[g] < t ? 0 : coded[g] - t;

        if (left > size)
          left = size;
        if (!d->loops->decode (d->tables, &coders[g], 1, left,
                &row_pointers[g]))
          return false;
        memset (rows[g] + left * LANES, 0,
            (size - left) * LANES * sizeof (int32_t));
      }
    for (unsigned g = 0; g < n; g++) {
      if (d->adaptives[first + g].max_taps > 0)
        d->loops->adapt (&d->adaptives[first + g], size, rows[g], true);
      d->loops->synthesize (&d->predictors[first + g], size, rows[g]);
      d->loops->rows_to_columns (rows[g], coders[g].lanes, size, columns[g], t);
    }
  }
  for (unsigned g = 0; g < n; g++)
    if (!coder_is_done (&coders[g]))
      return false;
  return true;
}

/* ---- columns to samples ---- */

/* Adds what earlier columns and earlier values tell, for a tile. */
static void
complete_column (eeg_eegpack_decoder *d, uint32_t c, uint32_t at, uint32_t size)
{
  const column_plan *p = &d->plans[c];
  int32_t *y = column_of (d, c) + at;
  const int32_t *references[MAX_REFERENCES];

  if (!p->coded)
    memset (y, 0, size * sizeof *y);
  else if (p->mean != 0)
    d->loops->add (y, size, p->mean, y);
  for (unsigned i = 0; i < p->n_references; i++)
    references[i] = column_of (d, p->references[i]) + at;
  if (p->n_references > 0)
    d->loops->mix (y, size, references, p->weights, p->n_references,
        p->weight_shift, p->weights_wide, true, y);
  if (p->repeat > 0)
    for (uint32_t t = 0; t < size; t++)
      if (at + t >= p->repeat)
        y[t] = add (y[t], y[(ptrdiff_t) t - (ptrdiff_t) p->repeat]);
}

static bool
map_column (const eeg_eegpack_decoder *d, uint32_t c, uint32_t frames)
{
  const column_plan *p = &d->plans[c];
  int32_t *y = column_of (d, c);

  if (p->step > 1)
    for (uint32_t t = 0; t < frames; t++)
      y[t] = (int32_t) ((uint32_t) y[t] * p->step);
  if (p->base != 0)
    d->loops->add (y, frames, p->base, y);
  if (p->n_palette > 0)
    for (uint32_t t = 0; t < frames; t++) {
      if ((uint32_t) y[t] >= p->n_palette)
        return false;
      y[t] = p->palette[y[t]];
    }
  return true;
}

/* m times two to the power x as the bits of a float, if it is one */
static bool
join_float (int32_t m, int x, unsigned mantissa_bits, unsigned exponent_bits,
    uint64_t *bits)
{
  uint64_t magnitude = m < 0 ? 0 - (uint64_t) (int64_t) m : (uint64_t) m;
  int max = (1 << exponent_bits) - 1, top;

  *bits = 0;
  if (m == 0)
    return true;
  top = 63 - __builtin_clzll (magnitude);
  if (top > (int) mantissa_bits) {
    int zeros = top - (int) mantissa_bits;

    if (magnitude & ((UINT64_C (1) << zeros) - 1))
      return false;
    magnitude >>= zeros;
    x += zeros;
  } else {
    magnitude <<= mantissa_bits - (unsigned) top;
    x -= (int) mantissa_bits - top;
  }
  /* now the highest bit is the one that floats leave out */
  x += (max >> 1) + (int) mantissa_bits;
  if (x >= max)
    return false;
  if (x <= 0) {
    if (x < -(int) mantissa_bits || magnitude & ((UINT64_C (1) << (1 - x)) - 1))
      return false;
    magnitude >>= 1 - x;
    x = 0;
  } else
    magnitude &= (UINT64_C (1) << mantissa_bits) - 1;
  *bits = magnitude | (uint64_t) x << mantissa_bits
      | (uint64_t) (m < 0) << (mantissa_bits + exponent_bits);
  return true;
}

static bool
map_floats (const eeg_eegpack_decoder *d, uint32_t channel, uint32_t frames)
{
  bool doubles = d->format == EEG_EEGPACK_F64;
  int32_t *low = column_of (d, doubles ? 2 * channel : channel);
  int32_t *high = doubles ? column_of (d, 2 * channel + 1) : NULL;
  int grid = d->grids[channel];

  if (grid == NO_GRID) {
    for (uint32_t t = 0; t < frames; t++) {
      int32_t *top = doubles ? &high[t] : &low[t];

      if (*top < 0) {
        *top ^= INT32_MAX;
        if (doubles)
          low[t] = ~low[t];
      }
    }
    return true;
  }
  for (uint32_t t = 0; t < frames; t++) {
    uint64_t bits;

    if (!join_float (low[t], grid, doubles ? 52 : 23, doubles ? 11 : 8, &bits))
      return false;
    low[t] = (int32_t) (uint32_t) bits;
    if (doubles)
      high[t] = (int32_t) (uint32_t) (bits >> 32);
  }
  return true;
}

static void
store_columns (const eeg_eegpack_decoder *d, uint32_t at, uint32_t frames,
    uint8_t *out)
{
  size_t size =
      d->format == EEG_EEGPACK_F64 ? 4 : eeg_eegpack_sample_size (d->format);
  size_t frame_bytes = size * d->n_columns;
  int32_t rows[TILE * LANES];

  for (uint32_t t = 0; t < frames; t += TILE)
    for (uint32_t c = 0; c < d->n_columns; c += LANES) {
      unsigned lanes = d->n_columns - c < LANES ? d->n_columns - c : LANES;
      size_t n = frames - t < TILE ? frames - t : TILE;
      const int32_t *columns[LANES];

      for (unsigned l = 0; l < lanes; l++)
        columns[l] = column_of (d, c + l);
      d->loops->columns_to_rows (columns, lanes, at + t, n, rows);
      d->loops->store_rows (rows, lanes, n,
          out + (at + t) * frame_bytes + c * size, frame_bytes, size);
    }
}

bool
eeg_eegpack_decode (eeg_eegpack_decoder *d, const uint8_t *in, size_t size,
    uint32_t frames, void *out)
{
  size_t raw =
      (size_t) frames * d->channels * eeg_eegpack_sample_size (d->format);
  bool floats = d->format == EEG_EEGPACK_F32 || d->format == EEG_EEGPACK_F64;
  uint8_t *words = d->words + WORD_PAD;
  const uint8_t *p, *end = words + size - 1;
  bit_reader r = { words, size - 1, 0 };
  uint32_t lanes, groups;

  if (frames < 1 || frames > d->max_frames || size < 1 || size > 1 + raw
      || in[0] > 1)
    return false;
  if (in[0] == 0) {
    if (size != 1 + raw)
      return false;
    memcpy (out, in + 1, raw);
    return true;
  }

  memcpy (words, in + 1, size - 1);
  memset (words + size - 1, 0, WORD_PAD);
  if (!get_parameters (d, &r, &lanes))
    return false;
  p = words + r.bit / 8;
  groups = (lanes + LANES - 1) / LANES;
  for (uint32_t g = 0; g < groups; g += BATCH) {
    unsigned n = groups - g < BATCH ? groups - g : BATCH;
    uint32_t coded[BATCH];

    for (unsigned i = 0; i < n; i++) {
      coded[i] = frames;
      if (!get_group (&d->coders[g + i], &p, end, &coded[i]))
        return false;
    }
    if (!decode_groups (d, g, n, frames, coded))
      return false;
  }
  if (p != end)
    return false;

  for (uint32_t t = 0; t < frames; t += 4 * TILE) {
    uint32_t n = frames - t < 4 * TILE ? frames - t : 4 * TILE;

    for (uint32_t c = 0; c < d->n_columns; c++)
      complete_column (d, c, t, n);
  }
  for (uint32_t c = 0; c < d->n_columns; c++)
    if (!map_column (d, c, frames))
      return false;
  if (floats)
    for (uint32_t c = 0; c < d->channels; c++)
      if (!map_floats (d, c, frames))
        return false;
  store_columns (d, 0, frames, out);
  return true;
}
