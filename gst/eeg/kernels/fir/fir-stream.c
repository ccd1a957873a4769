/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows (frames) are widened to F64 once and kept in panels of channels. Each
 * panel is `capacity` rows long; new rows are appended at `end`, and when there
 * is no more room the newest `keep` rows move to the front. All panels are at
 * the same row.
 *
 * A long kernel is split (W. G. Gardner, Efficient convolution without
 * input-output delay, 1995): its first taps are applied directly, the others by
 * levels of transforms, each level with longer blocks. Blocks lie on a grid of
 * the frames' own numbers. When a block is complete, each level whose block ends
 * there adds what all its parts give to the next block of outputs; so nothing is
 * late. The longest block overwrites, the others add, always in that order. */
#include "fir-private.h"

#include <stdlib.h>
#include <string.h>

/* Most rows between two walks over the panels: one panel with its history stays
 * in the first cache for kernels of a few hundred taps. A multiple of the rows
 * of a tile. */
#define BLOCK 252

#define ROW_BYTES (EEG_FIR_PANEL * sizeof (double))

struct panel
{
  unsigned lanes;      /* channels in it */
  unsigned n_filtered; /* of them filtered */
};

/* Transforms of the newest blocks of one level, n_parts of them for each pair
 * of panels. */
struct level
{
  double *x;
};

struct eeg_fir_stream
{
  eeg_fir_kernel *kernel;
  const eeg_fir_direct *direct;
  const eeg_fir_fft *fft;
  eeg_cpu cpu;
  unsigned channels;
  eeg_fir_format format;
  eeg_fir_edge edge;
  bool *filtered;
  size_t n_panels;
  struct panel *panels;
  size_t keep, capacity; /* rows */
  double *rows;          /* n_panels * capacity rows */

  /* long kernels */
  struct level levels[EEG_FIR_MAX_LEVELS];
  double *sums; /* n_panels * the longest block rows, by frame number */
  double *work; /* points for the longest transform */
  size_t transform_bytes;

  size_t end;        /* rows in use */
  uint64_t in, out;  /* frames taken and given */
  uint64_t origin;   /* the oldest frame that is remembered, or in if none */
  bool begun;        /* what lies before the origin is filled in */
  bool levels_begun; /* the levels have what they need of the past */
  size_t added;      /* rows that drain() put after the last frame */
};

static size_t
larger (size_t a, size_t b)
{
  return a > b ? a : b;
}

static size_t
smaller (size_t a, size_t b)
{
  return a < b ? a : b;
}

static size_t
sample_size (const eeg_fir_stream *stream)
{
  return stream->format == EEG_FIR_F32 ? sizeof (float) : sizeof (double);
}

static void
choose_build (eeg_fir_stream *stream, eeg_cpu widest)
{
  stream->cpu = EEG_CPU_BASE;
  stream->direct = &eeg_fir_direct_base;
  stream->fft = &eeg_fir_fft_base;
#ifdef HAVE_AVX2
  if (widest >= EEG_CPU_AVX2 && eeg_cpu_supports (EEG_CPU_AVX2)) {
    stream->cpu = EEG_CPU_AVX2;
    stream->direct = &eeg_fir_direct_avx2;
    stream->fft = &eeg_fir_fft_avx2;
  }
#endif
#ifdef HAVE_AVX512
  if (widest >= EEG_CPU_AVX512 && eeg_cpu_supports (EEG_CPU_AVX512)) {
    stream->cpu = EEG_CPU_AVX512;
    stream->direct = &eeg_fir_direct_avx512;
    stream->fft = &eeg_fir_fft_avx512;
  }
#endif
}

static size_t
longest_block (const eeg_fir_kernel *kernel)
{
  return kernel->n_levels > 0 ? kernel->levels[kernel->n_levels - 1].block : 0;
}

/* Adds up and gets memory for transforms. */
static double *
new_points (eeg_fir_stream *stream, size_t n, size_t size)
{
  size_t bytes;
  double *points;

  if (__builtin_mul_overflow (n, size * sizeof (double), &bytes))
    return NULL;
  points = aligned_alloc (EEG_FIR_ALIGN, bytes);
  if (points != NULL)
    stream->transform_bytes += bytes;
  return points;
}

static bool
make_level_memory (eeg_fir_stream *stream)
{
  const eeg_fir_kernel *kernel = stream->kernel;
  size_t n_pairs = (stream->n_panels + 1) / 2, block = longest_block (kernel);

  if (kernel->n_levels == 0)
    return true;
  for (size_t i = 0; i < kernel->n_levels; i++) {
    const eeg_fir_level *level = &kernel->levels[i];

    stream->levels[i].x = new_points (stream,
        n_pairs * level->n_parts * 2 * level->block, EEG_FIR_POINT);
    if (stream->levels[i].x == NULL)
      return false;
  }
  stream->sums = new_points (stream, stream->n_panels * block, EEG_FIR_PANEL);
  stream->work = new_points (stream, 2 * block, EEG_FIR_POINT);
  return stream->sums != NULL && stream->work != NULL;
}

/* Rows that must stay behind the newest: a new frame needs n_taps - 1, a block
 * of a transform goes back twice its length. */
static size_t
reach_back (const eeg_fir_kernel *kernel)
{
  return larger (kernel->n_taps - 1, 2 * longest_block (kernel));
}

eeg_fir_stream *
eeg_fir_stream_new (eeg_fir_kernel *kernel, const eeg_fir_config *config,
    size_t reserve)
{
  eeg_fir_stream *stream;
  size_t bytes, delay = kernel->delay;

  if (config->channels < 1 || config->channels > EEG_FIR_MAX_CHANNELS)
    return NULL;
  stream = calloc (1, sizeof *stream);
  if (stream == NULL)
    return NULL;
  stream->kernel = eeg_fir_kernel_ref (kernel);
  stream->channels = config->channels;
  stream->format = config->format;
  stream->edge = config->edge;
  choose_build (stream, config->cpu);

  stream->n_panels = (config->channels + EEG_FIR_PANEL - 1) / EEG_FIR_PANEL;
  stream->panels = calloc (stream->n_panels, sizeof *stream->panels);
  stream->filtered = malloc (config->channels * sizeof (bool));
  if (stream->panels == NULL || stream->filtered == NULL)
    goto no_memory;
  for (unsigned c = 0; c < config->channels; c++) {
    struct panel *panel = &stream->panels[c / EEG_FIR_PANEL];

    stream->filtered[c] = config->filtered == NULL || config->filtered[c];
    panel->lanes++;
    panel->n_filtered += stream->filtered[c];
  }

  /* A turned end goes 2 * delay back; and a stream that is taken over still
   * owes the frames of its delay. */
  stream->keep = larger (reach_back (kernel), 2 * delay);
  if (reserve > delay) {
    size_t owed;

    if (__builtin_add_overflow (reserve - delay, reach_back (kernel), &owed))
      goto no_memory;
    stream->keep = larger (stream->keep, owed);
  }
  if (__builtin_add_overflow (stream->keep, larger (stream->keep, BLOCK),
          &stream->capacity)
      || __builtin_mul_overflow (stream->capacity, ROW_BYTES, &bytes)
      || __builtin_mul_overflow (bytes, stream->n_panels, &bytes))
    goto no_memory;
  stream->rows = aligned_alloc (EEG_FIR_ALIGN, bytes);
  if (stream->rows == NULL || !make_level_memory (stream))
    goto no_memory;

  eeg_fir_stream_reset (stream);
  return stream;

no_memory:
  eeg_fir_stream_free (stream);
  return NULL;
}

void
eeg_fir_stream_free (eeg_fir_stream *stream)
{
  if (stream == NULL)
    return;
  eeg_fir_kernel_unref (stream->kernel);
  free (stream->panels);
  free (stream->filtered);
  free (stream->rows);
  for (size_t i = 0; i < EEG_FIR_MAX_LEVELS; i++)
    free (stream->levels[i].x);
  free (stream->sums);
  free (stream->work);
  free (stream);
}

void
eeg_fir_stream_reset (eeg_fir_stream *stream)
{
  stream->end = stream->keep;
  stream->in = stream->out = stream->origin = 0;
  stream->begun = stream->levels_begun = false;
  stream->added = 0;
}

eeg_fir_kernel *
eeg_fir_stream_get_kernel (const eeg_fir_stream *stream)
{
  return stream->kernel;
}

eeg_cpu
eeg_fir_stream_get_cpu (const eeg_fir_stream *stream)
{
  return stream->cpu;
}

size_t
eeg_fir_stream_get_size (const eeg_fir_stream *stream)
{
  return stream->capacity * ROW_BYTES * stream->n_panels
      + stream->transform_bytes + stream->n_panels * sizeof (struct panel)
      + stream->channels + sizeof *stream;
}

uint64_t
eeg_fir_stream_get_in (const eeg_fir_stream *stream)
{
  return stream->in;
}

uint64_t
eeg_fir_stream_get_out (const eeg_fir_stream *stream)
{
  return stream->out;
}

static double *
panel_row (const eeg_fir_stream *stream, size_t panel, size_t row)
{
  return stream->rows + (panel * stream->capacity + row) * EEG_FIR_PANEL;
}

/* Makes room for `rows` more rows (at most BLOCK). */
static void
make_room (eeg_fir_stream *stream, size_t rows)
{
  if (stream->end + rows <= stream->capacity)
    return;
  for (size_t p = 0; p < stream->n_panels; p++)
    memmove (panel_row (stream, p, 0),
        panel_row (stream, p, stream->end - stream->keep),
        stream->keep * ROW_BYTES);
  stream->end = stream->keep;
}

/* row = 2 * pivot - mirror */
static void
turn (double *row, const double *pivot, const double *mirror)
{
  for (int i = 0; i < EEG_FIR_PANEL; i++)
    row[i] = 2 * pivot[i] - mirror[i];
}

/* Fills in what lies before the origin, which is at row `first` of the panel;
 * `reach` frames after it are known and may be turned about it. */
static void
begin_panel (eeg_fir_stream *stream, size_t p, size_t first, size_t reach)
{
  const double *origin = panel_row (stream, p, first);

  for (size_t k = 1; k <= first; k++) {
    double *row = panel_row (stream, p, first - k);

    switch (stream->edge) {
      case EEG_FIR_ZERO:
        memset (row, 0, ROW_BYTES);
        break;
      case EEG_FIR_REFLECT:
        if (k <= reach)
          turn (row, origin, origin + k * EEG_FIR_PANEL);
        else
          memcpy (row, row + EEG_FIR_PANEL, ROW_BYTES);
        break;
      default:
        memcpy (row, origin, ROW_BYTES);
        break;
    }
  }
}

/* As begin_panel() for a stream that ended before its first output: it turns
 * about both its ends, over and over. */
static void
begin_short_panel (eeg_fir_stream *stream, size_t p, size_t first, size_t n)
{
  const double *origin = panel_row (stream, p, first);
  const double *last = origin + (n - 1) * EEG_FIR_PANEL;

  if (stream->edge != EEG_FIR_REFLECT || n == 1) {
    begin_panel (stream, p, first, 0);
    return;
  }
  for (size_t k = 1; k <= first; k++) {
    double *row = panel_row (stream, p, first - k);
    size_t period = 2 * (n - 1);
    /* frame -k is frame r less whole periods, each of which rises by twice the
     * difference of the ends */
    size_t periods = (k + period - 1) / period, r = periods * period - k;

    for (int i = 0; i < EEG_FIR_PANEL; i++) {
      double x = r < n ? origin[r * EEG_FIR_PANEL + i]
                       : 2 * last[i] - origin[(period - r) * EEG_FIR_PANEL + i];

      row[i] = x - 2 * (double) periods * (last[i] - origin[i]);
    }
  }
}

/* Writes `frames` frames from `out` on of one panel. `row`: that of the newest
 * frame that the first of them needs; `sums`: what the levels gave for it. */
static void
write_panel (const eeg_fir_stream *stream, size_t p, size_t row,
    const double *sums, void *out, size_t frames)
{
  const struct panel *panel = &stream->panels[p];
  const eeg_fir_kernel *kernel = stream->kernel;
  const double *same = panel_row (stream, p, row - kernel->delay);
  size_t stride = stream->channels;

  if (panel->n_filtered > 0 && kernel->n_levels > 0)
    stream->direct->filter (panel_row (stream, p, row - (EEG_FIR_HEAD - 1)),
        kernel->reversed + kernel->n_taps - EEG_FIR_HEAD, EEG_FIR_HEAD,
        EEG_FIR_GENERAL, sums, out, stride, panel->lanes, frames,
        stream->format);
  else if (panel->n_filtered > 0)
    stream->direct->filter (panel_row (stream, p, row - (kernel->n_taps - 1)),
        kernel->reversed, kernel->n_taps, kernel->symmetry, NULL, out, stride,
        panel->lanes, frames, stream->format);
  if (panel->n_filtered == panel->lanes)
    return;

  for (unsigned i = 0; i < panel->lanes; i++) {
    if (stream->filtered[p * EEG_FIR_PANEL + i])
      continue;
    if (stream->format == EEG_FIR_F32)
      for (size_t t = 0; t < frames; t++)
        ((float *) out)[t * stride + i] = (float) same[t * EEG_FIR_PANEL + i];
    else
      for (size_t t = 0; t < frames; t++)
        ((double *) out)[t * stride + i] = same[t * EEG_FIR_PANEL + i];
  }
}

/* ---- long kernels ---- */

/* Row of a frame, which may lie before the first one. */
static double *
frame_row (const eeg_fir_stream *stream, size_t panel, int64_t frame)
{
  int64_t newest = (int64_t) (stream->in + stream->added);

  return panel_row (stream, panel, stream->end)
      - (newest - frame) * EEG_FIR_PANEL;
}

static double *
block_points (const eeg_fir_stream *stream, size_t l, size_t pair,
    int64_t block)
{
  const eeg_fir_level *level = &stream->kernel->levels[l];
  int64_t n = (int64_t) level->n_parts, slot = (block % n + n) % n;

  return stream->levels[l].x
      + (pair * level->n_parts + (size_t) slot) * 2 * level->block
      * EEG_FIR_POINT;
}

static bool
pair_is_filtered (const eeg_fir_stream *stream, size_t pair)
{
  return stream->panels[2 * pair].n_filtered > 0
      || (2 * pair + 1 < stream->n_panels
          && stream->panels[2 * pair + 1].n_filtered > 0);
}

/* Transforms block number `block` of a level and the one before it; frames
 * before `oldest` count as 0. */
static void
transform_block (eeg_fir_stream *stream, size_t l, size_t pair, int64_t block,
    int64_t oldest)
{
  const eeg_fir_kernel *kernel = stream->kernel;
  size_t n = 2 * kernel->levels[l].block, skip = 0;
  int64_t first = (block - 1) * (int64_t) kernel->levels[l].block;
  double *points = block_points (stream, l, pair, block);
  bool has_second = 2 * pair + 1 < stream->n_panels;

  if (first < oldest)
    skip = oldest - first < (int64_t) n ? (size_t) (oldest - first) : n;
  memset (points, 0, skip * EEG_FIR_POINT * sizeof (double));
  if (skip < n)
    stream->fft->join (points + skip * EEG_FIR_POINT,
        frame_row (stream, 2 * pair, first + (int64_t) skip),
        has_second ? frame_row (stream, 2 * pair + 1, first + (int64_t) skip)
                   : NULL,
        n - skip);
  stream->fft->forward (points, n, kernel->twiddles,
      2 * longest_block (kernel));
}

static double *
sums_row (const eeg_fir_stream *stream, size_t panel, uint64_t frame)
{
  size_t block = longest_block (stream->kernel);

  return stream->sums
      + (panel * block + (size_t) (frame & (block - 1))) * EEG_FIR_PANEL;
}

/* What a level gives to block number `block` of the outputs. */
static void
sum_block (eeg_fir_stream *stream, size_t l, size_t pair, int64_t block)
{
  const eeg_fir_kernel *kernel = stream->kernel;
  const eeg_fir_level *level = &kernel->levels[l];
  const double *x[2 * EEG_FIR_GROWTH];
  size_t n = 2 * level->block;
  uint64_t frame = (uint64_t) block * level->block;
  bool has_second = 2 * pair + 1 < stream->n_panels;

  for (size_t part = 0; part < level->n_parts; part++)
    x[part] = block_points (stream, l, pair, block - 1 - (int64_t) part);
  stream->fft->multiply (stream->work, x, level->spectra, level->n_parts, n);
  stream->fft->inverse (stream->work, n, kernel->twiddles,
      2 * longest_block (kernel));
  /* the first half is what wraps round */
  stream->fft->part (sums_row (stream, 2 * pair, frame),
      has_second ? sums_row (stream, 2 * pair + 1, frame) : NULL,
      stream->work + level->block * EEG_FIR_POINT, level->block,
      l + 1 < kernel->n_levels);
}

/* The newest frame of the next output is the first of a block, of one level at
 * least. */
static void
finish_blocks (eeg_fir_stream *stream, uint64_t frame)
{
  const eeg_fir_kernel *kernel = stream->kernel;

  for (size_t l = kernel->n_levels; l-- > 0;) {
    int64_t block = (int64_t) (frame / kernel->levels[l].block);

    if (frame % kernel->levels[l].block != 0)
      continue;
    for (size_t pair = 0; 2 * pair < stream->n_panels; pair++) {
      if (!pair_is_filtered (stream, pair))
        continue;
      transform_block (stream, l, pair, block - 1, INT64_MIN);
      sum_block (stream, l, pair, block);
    }
  }
}

/* Before the first output: all blocks that it needs, from the rows. */
static void
begin_levels (eeg_fir_stream *stream)
{
  const eeg_fir_kernel *kernel = stream->kernel;
  uint64_t frame = stream->out + kernel->delay;
  int64_t oldest = (int64_t) frame - (int64_t) (kernel->n_taps - 1);

  for (size_t l = kernel->n_levels; l-- > 0;) {
    const eeg_fir_level *level = &kernel->levels[l];
    int64_t block = (int64_t) (frame / level->block);

    for (size_t pair = 0; 2 * pair < stream->n_panels; pair++) {
      if (!pair_is_filtered (stream, pair))
        continue;
      for (size_t part = 0; part < level->n_parts; part++)
        transform_block (stream, l, pair, block - 1 - (int64_t) part, oldest);
      sum_block (stream, l, pair, block);
    }
  }
}

/* Writes `frames` outputs, for which all rows are there. */
static void
write_frames (eeg_fir_stream *stream, uint8_t *to, size_t frames)
{
  const eeg_fir_kernel *kernel = stream->kernel;
  size_t size = sample_size (stream);

  if (frames > 0 && kernel->n_levels > 0 && !stream->levels_begun) {
    begin_levels (stream);
    stream->levels_begun = true;
  }
  while (frames > 0) {
    uint64_t newest = stream->out + kernel->delay;
    size_t row = stream->end - (size_t) (stream->in + stream->added - newest);
    size_t n = frames;

    if (kernel->n_levels > 0)
      n = smaller (n, EEG_FIR_HEAD - (size_t) (newest % EEG_FIR_HEAD));
    for (size_t p = 0; p < stream->n_panels; p++)
      write_panel (stream, p, row,
          kernel->n_levels > 0 ? sums_row (stream, p, newest) : NULL,
          to + p * EEG_FIR_PANEL * size, n);
    stream->out += n;
    to += n * size * stream->channels;
    frames -= n;
    if (kernel->n_levels > 0 && (newest + n) % EEG_FIR_HEAD == 0)
      finish_blocks (stream, newest + n);
  }
}

size_t
eeg_fir_stream_get_ready (const eeg_fir_stream *stream, size_t frames)
{
  uint64_t in = stream->in + frames, due = stream->out + stream->kernel->delay;

  return in > due ? (size_t) (in - due) : 0;
}

size_t
eeg_fir_stream_process (eeg_fir_stream *stream, const void *in, size_t frames,
    void *out)
{
  const uint8_t *from = in;
  uint8_t *to = out;
  size_t size = sample_size (stream), frame = size * stream->channels;
  size_t total = 0;

  while (frames > 0) {
    size_t rows = smaller (frames, BLOCK), ready, first, reach, row;

    make_room (stream, rows);
    ready = eeg_fir_stream_get_ready (stream, rows);
    /* rows of the oldest frame, and of the newest for the first output */
    first = stream->end - (size_t) (stream->in - stream->origin);
    row = stream->end
        - (size_t) (stream->in - stream->out - stream->kernel->delay);
    /* no more than the first output needs, or the split would show */
    reach = (size_t) (stream->out + stream->kernel->delay - stream->origin);

    for (size_t p = 0; p < stream->n_panels; p++) {
      size_t channel = p * EEG_FIR_PANEL;

      /* all of a panel's input is read before any of its output, not further
       * ahead, is written: that makes in place work */
      stream->direct->load (panel_row (stream, p, stream->end),
          from + channel * size, stream->channels, stream->panels[p].lanes,
          rows, stream->format);
      if (ready == 0)
        continue;
      if (!stream->begun)
        begin_panel (stream, p, first, reach);
      /* while it is in the first cache */
      if (stream->kernel->n_levels == 0)
        write_panel (stream, p, row, NULL, to + channel * size, ready);
    }

    stream->begun |= ready > 0;
    stream->end += rows;
    stream->in += rows;
    if (stream->kernel->n_levels == 0)
      stream->out += ready;
    else
      write_frames (stream, to, ready);
    total += ready;
    from += rows * frame;
    to += ready * frame;
    frames -= rows;
  }
  return total;
}

/* Puts `rows` rows after the last frame. */
static void
add_rows (eeg_fir_stream *stream, size_t rows)
{
  size_t last = stream->end - 1 - stream->added;

  for (size_t p = 0; p < stream->n_panels; p++)
    for (size_t k = 0; k < rows; k++) {
      double *row = panel_row (stream, p, stream->end + k);

      switch (stream->edge) {
        case EEG_FIR_ZERO:
          memset (row, 0, ROW_BYTES);
          break;
        case EEG_FIR_REFLECT:
          turn (row, panel_row (stream, p, last),
              panel_row (stream, p, last - (stream->added + k + 1)));
          break;
        default:
          memcpy (row, panel_row (stream, p, last), ROW_BYTES);
          break;
      }
    }
  stream->end += rows;
  stream->added += rows;
}

size_t
eeg_fir_stream_drain (eeg_fir_stream *stream, void *out, size_t frames)
{
  uint8_t *to = out;
  size_t size = sample_size (stream), total = 0;
  size_t delay = stream->kernel->delay;

  if (frames > stream->in - stream->out)
    frames = (size_t) (stream->in - stream->out);
  if (frames == 0)
    return 0;

  if (!stream->begun) {
    size_t n = (size_t) (stream->in - stream->origin);

    for (size_t p = 0; p < stream->n_panels; p++)
      begin_short_panel (stream, p, stream->end - n, n);
    stream->begun = true;
  }

  while (total < frames) {
    uint64_t newest = stream->in + stream->added;
    uint64_t wanted = stream->out + (frames - total) + delay;
    size_t rows = 0, ready;

    if (wanted > newest)
      rows = (size_t) (wanted - newest < BLOCK ? wanted - newest : BLOCK);
    make_room (stream, rows);
    add_rows (stream, rows);
    newest += rows;
    if (newest <= stream->out + delay)
      continue;
    ready = (size_t) (newest - stream->out - delay);
    write_frames (stream, to, ready);
    total += ready;
    to += ready * size * stream->channels;
  }
  return total;
}

bool
eeg_fir_stream_take_over (eeg_fir_stream *stream, const eeg_fir_stream *old)
{
  size_t known =
      (size_t) (old->in - old->origin < old->keep ? old->in - old->origin
                                                  : old->keep);
  size_t owed = (size_t) (old->in - old->out);

  /* the next output must find its frames */
  if (owed > stream->kernel->delay
      && owed - stream->kernel->delay + stream->kernel->n_taps - 1
          > stream->keep)
    return false;

  known = smaller (known, stream->keep);
  stream->end = stream->keep;
  for (size_t p = 0; p < stream->n_panels; p++)
    memcpy (panel_row (stream, p, stream->end - known),
        panel_row (old, p, old->end - known), known * ROW_BYTES);
  stream->in = old->in;
  stream->out = old->out;
  stream->origin = old->in - known;
  /* nothing before the origin will be asked for */
  stream->begun = stream->out + stream->kernel->delay
      >= stream->origin + stream->kernel->n_taps - 1;
  stream->levels_begun = false;
  stream->added = 0;
  return true;
}
