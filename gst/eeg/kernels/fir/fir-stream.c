/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows (frames) are widened to F64 once and kept in panels of channels, a ring
 * for each, all at the same row.
 *
 * A long kernel is split (W. G. Gardner, Efficient convolution without
 * input-output delay, 1995): its first taps are applied directly, the others by
 * levels of transforms, each level with longer blocks. Blocks lie on a grid of
 * the frames' numbers. The level's work on a block, its job, begins when the
 * block is complete, and what comes of it is needed one block later: in between
 * it advances with every frame, so that no call has more to do than others. A
 * level's taps begin two blocks back; or, with one level only, all output waits
 * for two blocks. Which frames are known when a job does its parts changes
 * nothing about the arithmetic: bytes do not depend on how the input was split.
 *
 * Frame numbers are signed: the past of a run may lie before 0. */
#include "fir-private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Most rows between two walks over the panels: one panel with its history stays
 * in the first cache for kernels of a few hundred taps. A multiple of the rows
 * of a tile. */
#define BLOCK 252

/* Rows that a stream remembers for a longer kernel that may follow, but not
 * more than so many bytes. */
#define LEAST_KEEP 4096
#define LEAST_KEEP_BYTES (4 << 20)

#define ROW_BYTES (EEG_FIR_PANEL * sizeof (double))

struct panel
{
  unsigned lanes;      /* channels in it */
  unsigned n_filtered; /* of them filtered */
  size_t result;       /* which panel of the levels' results is its own */
};

/* What a job does for each pair of panels, in this order, in items. */
enum stage
{
  BEGIN, /* rows to points, with the first pass of their transform */
  FORWARD,
  MULTIPLY, /* CHUNK points at a time */
  INVERSE,
  FINISH, /* points to rows, with the last pass of their transform */
  STAGES
};

#define CHUNK EEG_FIR_CHUNK

struct level
{
  double *x;       /* transforms of the newest n_parts blocks of each pair; NULL
                      if that is one: it is in work */
  size_t slot;     /* doubles of one transform */
  double *work;    /* points of the transform that is turned back */
  double *results; /* for each panel those of two blocks, by the clock */

  size_t items[STAGES];    /* of one pair */
  uint64_t weight[STAGES]; /* about what one item costs */
  uint64_t operations[STAGES];
  uint64_t pair_weight;
  uint64_t light_weight; /* of what is done before the first output */

  int64_t block; /* the one whose job is under way */
  size_t pair;   /* which it has reached */
  size_t done[STAGES];
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
  size_t n_pairs; /* pairs of panels with filtered channels */
  size_t *pairs;  /* their first panels */

  size_t keep;         /* rows that stay behind the newest */
  size_t margin, ring; /* rows in front of each ring, and of it */
  double *rows;        /* n_panels * (margin + ring) rows */
  double *first;       /* the origin's row of each panel */
  double *sums;        /* BLOCK rows */
  struct level levels[EEG_FIR_MAX_LEVELS];
  size_t transform_bytes;
  uint64_t operations;

  size_t end;        /* of the ring, where the next row goes */
  int64_t base;      /* frame of the ring's first row, modulo its length */
  int64_t in, out;   /* frames that come and go next */
  int64_t added;     /* rows that drain() put after the last frame */
  int64_t origin;    /* the oldest frame that is remembered, or in if none */
  int64_t reach;     /* frames behind it that may be turned about it */
  int64_t clock;     /* newest frame that the work done takes in, and one */
  int64_t due;       /* the clock at the first output */
  bool is_short;     /* ended before the first output was due */
  bool begun;        /* what lies before the origin is filled in */
  bool levels_begun; /* the levels have what they need of the past */

  /* cross-fade */
  size_t fade;
  double *gains;  /* of the new stream */
  uint8_t *faded; /* frames of the old one */
  size_t n_faded, n_mixed;
  struct eeg_fir_stream *old;

  /* approach: the old one runs, and this one comes up to where it stands */
  bool approaches;
  bool is_spread;     /* the levels come along */
  int64_t approached; /* frames that had come when it began */
  int64_t arrival;    /* and that have when it ends */
  int64_t clock_from, clock_to;
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

/* rounded down, also below 0 */
static int64_t
floor_div (int64_t a, int64_t b)
{
  return a >= 0 ? a / b : -((-a + b - 1) / b);
}

/* at least 0 */
static size_t
modulo (int64_t a, size_t b)
{
  return (size_t) (a - floor_div (a, (int64_t) b) * (int64_t) b);
}

static size_t
sample_size (const eeg_fir_stream *stream)
{
  return stream->format == EEG_FIR_F32 ? sizeof (float) : sizeof (double);
}

static size_t
frame_size (const eeg_fir_stream *stream)
{
  return sample_size (stream) * stream->channels;
}

static int64_t
held (const eeg_fir_kernel *kernel)
{
  return (int64_t) (kernel->delay + kernel->latency);
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

/* Gets memory for a * b * c numbers and counts it. */
static double *
new_numbers (eeg_fir_stream *stream, size_t a, size_t b, size_t c)
{
  size_t bytes;
  double *numbers;

  if (__builtin_mul_overflow (a, b, &bytes)
      || __builtin_mul_overflow (bytes, c * sizeof (double), &bytes)
      || __builtin_add_overflow (bytes, EEG_FIR_ALIGN, &bytes))
    return NULL;
  numbers =
      aligned_alloc (EEG_FIR_ALIGN, bytes / EEG_FIR_ALIGN * EEG_FIR_ALIGN);
  if (numbers != NULL)
    stream->transform_bytes += bytes;
  return numbers;
}

/* Additions and multiplications of a transform of n complex points. */
static uint64_t
transform_operations (size_t n)
{
  uint64_t sum = 0;
  size_t size;

  for (size = n; size > 4; size /= 4)
    sum += n / 4 * 34;
  return sum + (size == 4 ? n / 4 * 16 : n / 2 * 4);
}

static bool
make_level (eeg_fir_stream *stream, struct level *level,
    const eeg_fir_level *plan)
{
  size_t n = plan->points;
  size_t units = eeg_fir_fft_units (n, eeg_fir_fft_leaf (n));
  size_t outer = eeg_fir_fft_outer_units (n);
  uint64_t transform = transform_operations (n) / units;

  /* a little more than a power of two: blocks that are read together do not
   * fight for the same sets of the caches */
  level->slot = n * EEG_FIR_POINT + 5 * EEG_FIR_PANEL;
  /* one part only: a transform is turned back where it is */
  if (plan->n_parts > 1)
    level->x =
        new_numbers (stream, stream->n_pairs, plan->n_parts, level->slot);
  level->work = new_numbers (stream, n, EEG_FIR_POINT, 1);
  level->results =
      new_numbers (stream, 2 * stream->n_pairs, 2 * plan->block, EEG_FIR_PANEL);
  if ((level->x == NULL && plan->n_parts > 1) || level->work == NULL
      || level->results == NULL)
    return false;

  level->items[BEGIN] = level->items[FINISH] = outer;
  level->items[FORWARD] = level->items[INVERSE] = units - outer;
  level->items[MULTIPLY] = n / CHUNK;
  for (int s = 0; s < STAGES; s++)
    level->operations[s] = level->weight[s] = transform;
  level->operations[MULTIPLY] = level->weight[MULTIPLY] =
      CHUNK * (8 * plan->n_parts + 2);
  /* to fetch and to leave rows costs, too */
  level->weight[BEGIN] = level->weight[FINISH] = transform + 8 * EEG_FIR_UNIT;
  for (int s = 0; s < STAGES; s++)
    level->pair_weight += level->items[s] * level->weight[s];
  level->light_weight = level->items[BEGIN] * level->weight[BEGIN]
      + level->items[FORWARD] * level->weight[FORWARD];
  return true;
}

/* Rows that must stay behind the clock: a job reads rows of three blocks, and a
 * stream that takes over builds up all that its kernel spans. */
static size_t
reach_back (const eeg_fir_kernel *kernel)
{
  return larger (eeg_fir_kernel_get_look_back (kernel), 2 * kernel->delay)
      + kernel->latency + 1;
}

static bool
make_panels (eeg_fir_stream *stream, const eeg_fir_config *config)
{
  stream->n_panels = (config->channels + EEG_FIR_PANEL - 1) / EEG_FIR_PANEL;
  stream->panels = calloc (stream->n_panels, sizeof *stream->panels);
  stream->pairs = calloc (stream->n_panels, sizeof *stream->pairs);
  stream->filtered = malloc (config->channels * sizeof (bool));
  if (stream->panels == NULL || stream->pairs == NULL
      || stream->filtered == NULL)
    return false;
  for (unsigned c = 0; c < config->channels; c++) {
    struct panel *panel = &stream->panels[c / EEG_FIR_PANEL];

    stream->filtered[c] = config->filtered == NULL || config->filtered[c];
    panel->lanes++;
    panel->n_filtered += stream->filtered[c];
  }
  for (size_t p = 0; p < stream->n_panels; p += 2) {
    bool has_second = p + 1 < stream->n_panels;

    if (stream->panels[p].n_filtered == 0
        && !(has_second && stream->panels[p + 1].n_filtered > 0))
      continue;
    stream->panels[p].result = 2 * stream->n_pairs;
    if (has_second)
      stream->panels[p + 1].result = 2 * stream->n_pairs + 1;
    stream->pairs[stream->n_pairs++] = p;
  }
  return true;
}

static bool
make_fade (eeg_fir_stream *stream, size_t fade)
{
  size_t bytes;

  stream->fade = fade;
  if (fade == 0)
    return true;
  stream->gains = new_numbers (stream, fade, 1, 1);
  if (__builtin_mul_overflow (fade, frame_size (stream), &bytes))
    return false;
  stream->faded = malloc (bytes);
  if (stream->gains == NULL || stream->faded == NULL)
    return false;
  stream->transform_bytes += bytes;
  for (size_t i = 0; i < fade; i++)
    stream->gains[i] = 0.5
        - 0.5
            * cos (3.14159265358979323846 * (double) (i + 1)
                / (double) (fade + 1));
  return true;
}

eeg_fir_stream *
eeg_fir_stream_new (eeg_fir_kernel *kernel, const eeg_fir_config *config,
    size_t reserve)
{
  eeg_fir_stream *stream;
  size_t own = kernel->delay + kernel->latency, least;

  if (config->channels < 1 || config->channels > EEG_FIR_MAX_CHANNELS)
    return NULL;
  stream = calloc (1, sizeof *stream);
  if (stream == NULL)
    return NULL;
  stream->kernel = eeg_fir_kernel_ref (kernel);
  stream->channels = config->channels;
  stream->format = config->format;
  stream->edge = config->edge;
  /* nothing of what comes is known for the first output to be turned */
  if (kernel->delay == 0 && stream->edge == EEG_FIR_REFLECT)
    stream->edge = EEG_FIR_HOLD;
  choose_build (stream, config->cpu);
  if (!make_panels (stream, config) || !make_fade (stream, config->fade))
    goto no_memory;

  /* a stream that takes over still owes the frames of a longer delay */
  least =
      smaller (LEAST_KEEP, LEAST_KEEP_BYTES / (ROW_BYTES * stream->n_panels));
  stream->keep =
      larger (reach_back (kernel), least) + (reserve > own ? reserve - own : 0);
  if (stream->keep < reserve)
    goto no_memory;
  stream->margin = larger (kernel->head, 1);
  stream->ring = stream->keep + stream->margin + BLOCK;
  stream->rows = new_numbers (stream, stream->n_panels,
      stream->margin + stream->ring, EEG_FIR_PANEL);
  stream->first = new_numbers (stream, stream->n_panels, EEG_FIR_PANEL, 1);
  stream->sums = new_numbers (stream, BLOCK, EEG_FIR_PANEL, 1);
  if (stream->rows == NULL || stream->first == NULL || stream->sums == NULL)
    goto no_memory;
  for (size_t l = 0; l < kernel->n_levels; l++)
    if (!make_level (stream, &stream->levels[l], &kernel->levels[l]))
      goto no_memory;

  eeg_fir_stream_start (stream, 0);
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
  eeg_fir_stream_free (stream->old);
  eeg_fir_kernel_unref (stream->kernel);
  free (stream->panels);
  free (stream->pairs);
  free (stream->filtered);
  free (stream->rows);
  free (stream->first);
  free (stream->sums);
  for (size_t i = 0; i < EEG_FIR_MAX_LEVELS; i++) {
    free (stream->levels[i].x);
    free (stream->levels[i].work);
    free (stream->levels[i].results);
  }
  free (stream->gains);
  free (stream->faded);
  free (stream);
}

/* Sets all that depends on where the stream stands. */
static void
set_position (eeg_fir_stream *stream, int64_t origin, int64_t in, int64_t out)
{
  stream->origin = origin;
  stream->in = in;
  stream->out = out;
  stream->added = 0;
  stream->base = origin - (int64_t) stream->margin;
  stream->end = stream->margin + (size_t) (in - origin);
  stream->reach = out + (int64_t) stream->kernel->delay - origin;
  stream->due = out + held (stream->kernel);
  stream->is_short = stream->begun = stream->levels_begun = false;
}

void
eeg_fir_stream_start (eeg_fir_stream *stream, uint64_t index)
{
  const eeg_fir_kernel *kernel = stream->kernel;
  int64_t first = (int64_t) (index & (((uint64_t) 1 << 62) - 1));

  set_position (stream, first, first, first);
  stream->clock = first;
  stream->n_faded = stream->n_mixed = stream->fade;
  /* what lies before is one value, and known: jobs can begin at once */
  stream->levels_begun = stream->edge != EEG_FIR_REFLECT;
  for (size_t l = 0; l < kernel->n_levels; l++) {
    struct level *level = &stream->levels[l];

    level->block = floor_div (first, (int64_t) kernel->levels[l].block) - 1;
    level->pair = 0;
    memset (level->done, 0, sizeof level->done);
  }
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
  return stream->transform_bytes
      + stream->n_panels * (sizeof (struct panel) + sizeof (size_t))
      + stream->channels + sizeof *stream;
}

uint64_t
eeg_fir_stream_get_operations (const eeg_fir_stream *stream)
{
  return stream->operations
      + (stream->old != NULL ? stream->old->operations : 0);
}

uint64_t
eeg_fir_stream_get_in (const eeg_fir_stream *stream)
{
  return (uint64_t) (stream->approaches ? stream->old->in : stream->in);
}

uint64_t
eeg_fir_stream_get_out (const eeg_fir_stream *stream)
{
  return (uint64_t) (stream->approaches ? stream->old->out : stream->out);
}

/* ---- rows ---- */

static double *
panel_row (const eeg_fir_stream *stream, size_t panel, size_t row)
{
  return stream->rows
      + (panel * (stream->margin + stream->ring) + stream->margin + row)
      * EEG_FIR_PANEL;
}

/* Where a frame from the base on is in the ring. */
static size_t
ring_position (const eeg_fir_stream *stream, int64_t frame)
{
  return (size_t) ((uint64_t) (frame - stream->base) % stream->ring);
}

static double *
frame_row (const eeg_fir_stream *stream, size_t panel, int64_t frame)
{
  return panel_row (stream, panel, ring_position (stream, frame));
}

/* row = 2 * pivot - mirror */
static void
turn (double *row, const double *pivot, const double *mirror)
{
  for (int i = 0; i < EEG_FIR_PANEL; i++)
    row[i] = 2 * pivot[i] - mirror[i];
}

/* A stream that ended before its first output turns about both its ends, over
 * and over: a frame is the one whole periods later or before, each of which
 * rises by twice the difference of the ends. */
static void
periodic_row (const eeg_fir_stream *stream, size_t p, int64_t frame,
    double *row)
{
  int64_t n = stream->in - stream->origin, period = 2 * (n - 1);
  int64_t times = floor_div (frame - stream->origin, period);
  int64_t r = frame - stream->origin - times * period;
  const double *first = stream->first + p * EEG_FIR_PANEL;
  const double *last = frame_row (stream, p, stream->in - 1);

  if (r < n)
    memcpy (row, frame_row (stream, p, stream->origin + r), ROW_BYTES);
  else
    turn (row, last, frame_row (stream, p, stream->origin + period - r));
  for (int i = 0; i < EEG_FIR_PANEL; i++)
    row[i] += 2 * (double) times * (last[i] - first[i]);
}

/* A frame before the origin or after the last one, by the edge rule. */
static void
edge_row (const eeg_fir_stream *stream, size_t p, int64_t frame, double *row)
{
  const double *first = stream->first + p * EEG_FIR_PANEL;
  int64_t last = stream->in - 1, k;
  bool before = frame < stream->origin;

  if (stream->edge == EEG_FIR_ZERO) {
    memset (row, 0, ROW_BYTES);
  } else if (stream->edge == EEG_FIR_HOLD
      || (stream->is_short && last == stream->origin)) {
    memcpy (row, before ? first : frame_row (stream, p, last), ROW_BYTES);
  } else if (stream->is_short) {
    periodic_row (stream, p, frame, row);
  } else if (before) {
    k = stream->origin - frame;
    turn (row, first,
        frame_row (stream, p,
            stream->origin + (k < stream->reach ? k : stream->reach)));
  } else {
    int64_t delay = (int64_t) stream->kernel->delay;

    k = frame - last;
    turn (row, frame_row (stream, p, last),
        frame_row (stream, p, last - (k < delay ? k : delay)));
  }
}

/* The rows of what is applied directly first that lie before the origin. There
 * is room for them, in the ring or in front of it. */
static void
begin_panel (eeg_fir_stream *stream, size_t p)
{
  int64_t first = stream->due - (int64_t) stream->kernel->head + 1;
  double *origin = frame_row (stream, p, stream->origin);

  for (int64_t k = 1; k <= stream->origin - first; k++)
    edge_row (stream, p, stream->origin - k, origin - k * EEG_FIR_PANEL);
}

/* Rows that fit in without a turn of the ring. */
static size_t
get_room (const eeg_fir_stream *stream, size_t rows)
{
  return smaller (smaller (rows, BLOCK), stream->ring - stream->end);
}

/* After `rows` rows were put at the end. At the turn the newest are copied in
 * front of the ring, so that every row has those before it at its side. */
static void
move_end (eeg_fir_stream *stream, size_t rows)
{
  stream->end += rows;
  if (stream->end < stream->ring)
    return;
  stream->end = 0;
  for (size_t p = 0; p < stream->n_panels; p++)
    memcpy (panel_row (stream, p, 0) - stream->margin * EEG_FIR_PANEL,
        panel_row (stream, p, stream->ring - stream->margin),
        stream->margin * ROW_BYTES);
}

static void
load_panel (eeg_fir_stream *stream, size_t p, const uint8_t *from, size_t rows)
{
  double *row = panel_row (stream, p, stream->end);

  stream->direct->load (row, from + p * EEG_FIR_PANEL * sample_size (stream),
      stream->channels, stream->panels[p].lanes, rows, stream->format);
  if (stream->in == stream->origin)
    memcpy (stream->first + p * EEG_FIR_PANEL, row, ROW_BYTES);
}

/* Takes in all panels of at most get_room() rows. */
static void
load_rows (eeg_fir_stream *stream, const uint8_t *from, size_t rows)
{
  for (size_t p = 0; p < stream->n_panels; p++)
    load_panel (stream, p, from, rows);
  stream->in += (int64_t) rows;
  move_end (stream, rows);
}

/* Puts at most get_room() rows after the last frame. */
static void
add_rows (eeg_fir_stream *stream, size_t rows)
{
  for (size_t p = 0; p < stream->n_panels; p++)
    for (size_t k = 0; k < rows; k++)
      edge_row (stream, p, stream->in + stream->added + (int64_t) k,
          panel_row (stream, p, stream->end + k));
  stream->added += (int64_t) rows;
  move_end (stream, rows);
}

/* ---- levels ---- */

/* Whether all frames of the block's transform lie before the origin and are one
 * value each: such blocks are never transformed. */
static bool
is_constant (const eeg_fir_stream *stream, size_t l, int64_t block)
{
  return stream->edge != EEG_FIR_REFLECT
      && (block + 1) * (int64_t) stream->kernel->levels[l].block
      <= stream->origin;
}

static double *
block_points (const eeg_fir_stream *stream, size_t l, size_t pair,
    int64_t block)
{
  const struct level *level = &stream->levels[l];
  int64_t n = (int64_t) stream->kernel->levels[l].n_parts;
  size_t slot = (size_t) (block - floor_div (block, n) * n);

  if (level->x == NULL)
    return level->work;
  return level->x + (pair * (size_t) n + slot) * level->slot;
}

/* The rows of a unit from `frame` on. They may be put together in `room`. */
static const double *
unit_rows (const eeg_fir_stream *stream, size_t p, int64_t frame, double *room)
{
  size_t at = frame >= stream->origin ? ring_position (stream, frame) : 0;

  if (frame >= stream->origin && at + EEG_FIR_UNIT <= stream->ring)
    return panel_row (stream, p, at);
  for (size_t i = 0; i < EEG_FIR_UNIT; i++, frame++) {
    if (frame < stream->origin)
      edge_row (stream, p, frame, room + i * EEG_FIR_PANEL);
    else
      memcpy (room + i * EEG_FIR_PANEL, frame_row (stream, p, frame),
          ROW_BYTES);
  }
  return room;
}

/* Units `from` to before `to` of what a transform of n frames from `frame` on
 * begins with, of two panels. */
static void
begin_transform (eeg_fir_stream *stream, size_t pair, double *points, size_t n,
    int64_t frame, size_t from, size_t to)
{
  static const double zeros[EEG_FIR_UNIT * EEG_FIR_PANEL]
      __attribute__ ((aligned (EEG_FIR_ALIGN)));
  double room[2][4][EEG_FIR_UNIT * EEG_FIR_PANEL]
      __attribute__ ((aligned (EEG_FIR_ALIGN)));
  size_t p = stream->pairs[pair];
  bool has_second = p + 1 < stream->n_panels;

  for (size_t unit = from; unit < to; unit++) {
    const double *a[4], *b[4];

    for (size_t q = 0; q < 4; q++) {
      int64_t first = frame + (int64_t) (q * (n / 4) + unit * EEG_FIR_UNIT);

      a[q] = unit_rows (stream, p, first, room[0][q]);
      b[q] = has_second ? unit_rows (stream, p + 1, first, room[1][q]) : zeros;
    }
    stream->fft->begin (points, n, unit, a, b, stream->kernel->twiddles);
  }
}

/* Points `from` to before `to` of the spectrum that the level's parts give. */
static void
multiply_points (eeg_fir_stream *stream, size_t l, size_t pair, int64_t block,
    size_t from, size_t to)
{
  const eeg_fir_level *plan = &stream->kernel->levels[l];
  struct level *level = &stream->levels[l];
  const double *x[EEG_FIR_MAX_PARTS];
  size_t n = plan->points, n_parts = 0, p = stream->pairs[pair];
  double gain = 0;

  while (n_parts < plan->n_parts
      && !is_constant (stream, l, block - (int64_t) n_parts)) {
    x[n_parts] = block_points (stream, l, pair, block - (int64_t) n_parts);
    n_parts++;
  }
  stream->fft->multiply (level->work, x, plan->spectra, n_parts, n, from, to);
  if (from > 0 || n_parts == plan->n_parts || stream->edge != EEG_FIR_HOLD)
    return;

  /* one value has only the first number in its spectrum */
  for (size_t part = n_parts; part < plan->n_parts; part++)
    gain += plan->spectra[2 * part * n] * (double) n;
  for (int i = 0; i < EEG_FIR_PANEL; i++) {
    level->work[i] += gain * stream->first[p * EEG_FIR_PANEL + i];
    if (p + 1 < stream->n_panels)
      level->work[EEG_FIR_PANEL + i] +=
          gain * stream->first[(p + 1) * EEG_FIR_PANEL + i];
  }
}

/* Where the results for a time of the clock are. */
static double *
result_row (const eeg_fir_stream *stream, size_t l, size_t result,
    int64_t clock)
{
  size_t n = 2 * stream->kernel->levels[l].block;

  return stream->levels[l].results
      + (result * n + modulo (clock, n)) * EEG_FIR_PANEL;
}

/* Units `from` to before `to` of what ends a transform backwards: the rows that
 * the block gives are the last of it, and go where the clock will find them. */
static void
finish_transform (eeg_fir_stream *stream, size_t l, size_t pair, int64_t block,
    size_t from, size_t to)
{
  size_t length = stream->kernel->levels[l].block;
  size_t n = stream->kernel->levels[l].points;
  bool has_second = stream->pairs[pair] + 1 < stream->n_panels;

  for (size_t unit = from; unit < to; unit++) {
    double *a[4] = { NULL }, *b[4] = { NULL };

    for (size_t q = 0; q < 4; q++) {
      size_t at = q * (n / 4) + unit * EEG_FIR_UNIT;

      if (at < n - length)
        continue;
      a[q] = result_row (stream, l, 2 * pair,
          (block + 2) * (int64_t) length + (int64_t) (at - (n - length)));
      if (has_second)
        b[q] = a[q] + 2 * length * EEG_FIR_PANEL;
    }
    stream->fft->finish (stream->levels[l].work, n, unit, a, b,
        stream->kernel->twiddles);
  }
}

static void
do_items (eeg_fir_stream *stream, size_t l, size_t pair, int64_t block,
    enum stage stage, size_t from, size_t to)
{
  const eeg_fir_kernel *kernel = stream->kernel;
  struct level *level = &stream->levels[l];
  size_t length = kernel->levels[l].block, n = kernel->levels[l].points;
  int64_t shift = (int64_t) length;
  double *points = block_points (stream, l, pair, block);
  size_t outer = eeg_fir_fft_outer_units (n);

  stream->operations += (to - from) * level->operations[stage] * EEG_FIR_PANEL;
  switch (stage) {
    case BEGIN:
      begin_transform (stream, pair, points, n,
          (block + 1) * shift - (int64_t) n, from, to);
      break;
    case FORWARD:
      stream->fft->forward (points, n, outer + from, outer + to,
          kernel->twiddles);
      break;
    case MULTIPLY:
      multiply_points (stream, l, pair, block, from * CHUNK, to * CHUNK);
      break;
    case INVERSE:
      stream->fft->inverse (level->work, n, from, to, kernel->twiddles);
      break;
    default:
      finish_transform (stream, l, pair, block, from, to);
      break;
  }
}

/* Brings the level's job to where it must be at this time of the clock. */
static void
advance_level (eeg_fir_stream *stream, size_t l)
{
  struct level *level = &stream->levels[l];
  int64_t length = (int64_t) stream->kernel->levels[l].block;
  /* before the first output nothing but the transforms is of use */
  bool is_light = (level->block + 3) * length <= stream->due;
  uint64_t weight = is_light ? level->light_weight : level->pair_weight;
  enum stage stages = is_light ? FORWARD + 1 : STAGES;
  uint64_t phase, total, target;

  /* in an approach, blocks that are of no use are left out */
  if (stream->clock < (level->block + 1) * length)
    return;
  phase = (uint64_t) (stream->clock - (level->block + 1) * length);
  total = weight * stream->n_pairs;
  target = phase == (uint64_t) length
      ? total
      : (uint64_t) ((unsigned __int128) total * phase / (uint64_t) length);

  while (
      level->pair < stream->n_pairs && !is_constant (stream, l, level->block)) {
    uint64_t start = level->pair * weight;
    uint64_t room = target > start ? target - start : 0;

    for (enum stage s = 0; s < stages; s++) {
      uint64_t items = smaller (room / level->weight[s], level->items[s]);

      if (items > level->done[s]) {
        do_items (stream, l, level->pair, level->block, s, level->done[s],
            items);
        level->done[s] = items;
      }
      room -= items * level->weight[s];
      if (items < level->items[s])
        return;
    }
    level->pair++;
    memset (level->done, 0, sizeof level->done);
  }
  if (phase == (uint64_t) length) {
    level->block++;
    level->pair = 0;
  }
}

/* All that jobs up to now would have left, from the rows. */
static void
begin_levels (eeg_fir_stream *stream)
{
  const eeg_fir_kernel *kernel = stream->kernel;

  for (size_t l = 0; l < kernel->n_levels; l++) {
    struct level *level = &stream->levels[l];
    int64_t block =
        floor_div (stream->clock, (int64_t) kernel->levels[l].block) - 2;

    for (size_t pair = 0; pair < stream->n_pairs; pair++) {
      for (size_t part = 1; part < kernel->levels[l].n_parts; part++)
        for (enum stage s = BEGIN; s <= FORWARD; s++)
          if (!is_constant (stream, l, block - (int64_t) part))
            do_items (stream, l, pair, block - (int64_t) part, s, 0,
                level->items[s]);
      for (enum stage s = 0; s < STAGES; s++)
        if (!is_constant (stream, l, block))
          do_items (stream, l, pair, block, s, 0, level->items[s]);
    }
    level->block = block + 1;
    level->pair = 0;
    memset (level->done, 0, sizeof level->done);
    advance_level (stream, l);
  }
  stream->levels_begun = true;
}

/* What a level gives to n rows of a panel from the clock on; `room` takes them
 * where they are one value. */
static const double *
level_rows (const eeg_fir_stream *stream, size_t l, size_t p, size_t n,
    double *room)
{
  const eeg_fir_level *plan = &stream->kernel->levels[l];
  int64_t block = floor_div (stream->clock, (int64_t) plan->block) - 2;

  if (!is_constant (stream, l, block))
    return result_row (stream, l, stream->panels[p].result, stream->clock);
  for (size_t i = 0; i < n * EEG_FIR_PANEL; i++)
    room[i] = stream->edge == EEG_FIR_HOLD
        ? plan->gain * stream->first[p * EEG_FIR_PANEL + i % EEG_FIR_PANEL]
        : 0;
  return room;
}

/* What all levels give to n rows of a panel from the clock on, or NULL without
 * levels. Where there are several, n is at most the shortest block. */
static const double *
sum_levels (eeg_fir_stream *stream, size_t p, size_t n)
{
  size_t n_levels = stream->kernel->n_levels;
  double room[EEG_FIR_MAX_LEVELS][EEG_FIR_FIRST_BLOCK * EEG_FIR_PANEL]
      __attribute__ ((aligned (EEG_FIR_ALIGN)));
  const double *rows[EEG_FIR_MAX_LEVELS];

  if (n_levels == 0)
    return NULL;
  if (n_levels == 1)
    return level_rows (stream, 0, p, n, stream->sums);
  for (size_t l = 0; l < n_levels; l++)
    rows[l] = level_rows (stream, l, p, n, room[l]);
  stream->fft->add (stream->sums, rows, n_levels, n);
  stream->operations += n * EEG_FIR_PANEL * (n_levels - 1);
  return stream->sums;
}

/* ---- output ---- */

/* Channels that pass, delayed like the others. */
static void
pass_channels (const eeg_fir_stream *stream, size_t p, uint8_t *out,
    size_t frames)
{
  size_t at = ring_position (stream, stream->out), stride = stream->channels;

  for (size_t t = 0; t < frames; t++, at = at + 1 < stream->ring ? at + 1 : 0) {
    const double *row = panel_row (stream, p, at);

    for (unsigned i = 0; i < stream->panels[p].lanes; i++) {
      if (stream->filtered[p * EEG_FIR_PANEL + i])
        continue;
      if (stream->format == EEG_FIR_F32)
        ((float *) out)[t * stride + i] = (float) row[i];
      else
        ((double *) out)[t * stride + i] = row[i];
    }
  }
}

/* Writes `frames` frames of one panel, with the clock at the first of them. */
static void
write_panel (eeg_fir_stream *stream, size_t p, uint8_t *to, size_t frames)
{
  const struct panel *panel = &stream->panels[p];
  const eeg_fir_kernel *kernel = stream->kernel;
  size_t head = kernel->head, stride = stream->channels;
  uint8_t *out = to + p * EEG_FIR_PANEL * sample_size (stream);
  const double *sums;

  if (panel->n_filtered == 0) {
    pass_channels (stream, p, out, frames);
    return;
  }
  sums = sum_levels (stream, p, frames);
  if (head == 0) {
    stream->direct->store (sums, out, stride, panel->lanes, frames,
        stream->format);
  } else {
    eeg_fir_symmetry symmetry =
        kernel->n_levels > 0 ? EEG_FIR_GENERAL : kernel->symmetry;

    stream->direct->filter (frame_row (stream, p, stream->clock)
            - (head - 1) * EEG_FIR_PANEL,
        kernel->reversed + kernel->n_taps - head, head, symmetry, sums, out,
        stride, panel->lanes, frames, stream->format);
    stream->operations += frames * EEG_FIR_PANEL
        * (symmetry == EEG_FIR_GENERAL ? 2 * head : 3 * head / 2);
  }
  if (panel->n_filtered < panel->lanes)
    pass_channels (stream, p, out, frames);
}

/* Moves the clock on by `frames`, for which all rows are there, and writes as
 * many frames to `to`, if that is not NULL. Jobs wait with their work to the
 * last moment, but no longer than to the end of a call (`is_last`): the more is
 * done at once, the less is brought into the caches again. */
static void
advance (eeg_fir_stream *stream, uint8_t *to, size_t frames, bool is_last)
{
  const eeg_fir_kernel *kernel = stream->kernel;
  size_t shortest = kernel->n_levels > 0 ? kernel->levels[0].block : 0;

  if (to != NULL && frames > 0 && !stream->begun) {
    for (size_t p = 0; p < stream->n_panels; p++)
      begin_panel (stream, p);
    stream->begun = true;
  }
  if (kernel->n_levels > 0 && !stream->levels_begun) {
    if (to == NULL) {
      stream->clock += (int64_t) frames;
      return;
    }
    if (frames > 0)
      begin_levels (stream);
  }
  while (frames > 0) {
    size_t n = frames;

    if (shortest > 0)
      n = smaller (n, shortest - modulo (stream->clock, shortest));
    if (to != NULL) {
      n = smaller (n,
          smaller (BLOCK,
              stream->ring - ring_position (stream, stream->clock)));
      for (size_t p = 0; p < stream->n_panels; p++)
        write_panel (stream, p, to, n);
      to += n * frame_size (stream);
      stream->out += (int64_t) n;
    }
    stream->clock += (int64_t) n;
    frames -= n;
    for (size_t l = 0; l < kernel->n_levels; l++)
      if (modulo (stream->clock, kernel->levels[l].block) == 0
          || (is_last && frames == 0))
        advance_level (stream, l);
  }
}

/* Does what can be done with the rows that are there, and writes at most `most`
 * frames. Returns how many. */
static size_t
run (eeg_fir_stream *stream, uint8_t *to, size_t most, bool is_last)
{
  int64_t newest = stream->in + stream->added;
  int64_t due = stream->out + held (stream->kernel);
  size_t ready;

  if (stream->clock < due && stream->clock < newest)
    advance (stream, NULL,
        (size_t) ((newest < due ? newest : due) - stream->clock), is_last);
  ready = newest > due ? smaller ((size_t) (newest - due), most) : 0;
  advance (stream, to, ready, is_last);
  return ready;
}

/* ---- cross-fade ---- */

bool
eeg_fir_stream_is_fading (const eeg_fir_stream *stream)
{
  return stream->old != NULL && stream->n_mixed < stream->fade;
}

static void
end_fade (eeg_fir_stream *stream)
{
  stream->n_faded = stream->n_mixed = stream->fade;
}

/* What the old stream gives to the fade, of the rows that it has. */
static void
run_old (eeg_fir_stream *stream, bool is_last)
{
  size_t size = frame_size (stream);

  if (stream->n_faded < stream->fade)
    stream->n_faded += run (stream->old, stream->faded + stream->n_faded * size,
        stream->fade - stream->n_faded, is_last);
}

/* Mixes `frames` frames of the new stream with those of the old one. */
static void
mix (eeg_fir_stream *stream, uint8_t *to, size_t frames)
{
  size_t n = stream->channels;

  for (size_t t = 0; t < frames; t++, stream->n_mixed++) {
    const uint8_t *from = stream->faded + stream->n_mixed * frame_size (stream);
    double gain = stream->gains[stream->n_mixed];

    for (size_t c = 0; c < n; c++) {
      if (!stream->filtered[c])
        continue;
      if (stream->format == EEG_FIR_F32) {
        double a = ((const float *) from)[c];
        float *b = &((float *) to)[t * n + c];

        *b = (float) (a + gain * (*b - a));
      } else {
        double a = ((const double *) from)[c];
        double *b = &((double *) to)[t * n + c];

        *b = a + gain * (*b - a);
      }
    }
  }
}

/* As run(), for both streams. */
static size_t
run_faded (eeg_fir_stream *stream, uint8_t *to, size_t most, bool is_last)
{
  size_t n = 0;

  if (eeg_fir_stream_is_fading (stream)) {
    run_old (stream, is_last);
    n = run (stream, to, smaller (most, stream->n_faded - stream->n_mixed),
        is_last);
    mix (stream, to, n);
    if (eeg_fir_stream_is_fading (stream))
      return n;
  }
  return n + run (stream, to + n * frame_size (stream), most - n, is_last);
}

/* Copies what the old stream remembers up to a frame. */
static void
copy_rows (eeg_fir_stream *stream, const eeg_fir_stream *old, int64_t end)
{
  while (stream->in < end) {
    size_t rows = get_room (stream, (size_t) (end - stream->in));
    size_t at = ring_position (old, stream->in);

    rows = smaller (rows, old->ring - at);
    for (size_t p = 0; p < stream->n_panels; p++) {
      double *to = panel_row (stream, p, stream->end);

      memcpy (to, panel_row (old, p, at), rows * ROW_BYTES);
      if (stream->in == stream->origin)
        memcpy (stream->first + p * EEG_FIR_PANEL, to, ROW_BYTES);
    }
    stream->in += (int64_t) rows;
    move_end (stream, rows);
  }
}

/* Whether there is room for all that matters when so much is owed. */
static bool
has_room (const eeg_fir_stream *stream, int64_t owed)
{
  int64_t more = owed - held (stream->kernel);

  return more <= 0
      || (size_t) more + reach_back (stream->kernel) <= stream->keep;
}

static void
begin_fade (eeg_fir_stream *stream, eeg_fir_stream *old)
{
  end_fade (old);
  end_fade (stream);
  /* before its first output there is nothing to go over from */
  if (stream->fade > 0 && old->begun)
    stream->n_faded = stream->n_mixed = 0;
}

bool
eeg_fir_stream_take_over (eeg_fir_stream *stream, eeg_fir_stream *old)
{
  int64_t known = old->in - old->origin;

  if (!has_room (stream, old->in - old->out))
    return false;
  if (known > (int64_t) smaller (old->keep, stream->keep))
    known = (int64_t) smaller (old->keep, stream->keep);
  set_position (stream, old->in - known, old->in - known, old->out);
  copy_rows (stream, old, old->in);
  stream->clock = stream->due;
  stream->old = old;
  begin_fade (stream, old);
  if (!eeg_fir_stream_is_fading (stream))
    stream->old = NULL;
  return true;
}

/* ---- approach ---- */

/* Frames of the clock for which the longest level does its whole jobs; before
 * that transforms only, less than half the work. */
static int64_t
whole_jobs (const eeg_fir_kernel *kernel)
{
  return 3 * (int64_t) kernel->levels[kernel->n_levels - 1].block;
}

#define SHARE 2
/* At most so many times the work that the kernel takes in steady state. */
#define PACE 4

size_t
eeg_fir_kernel_get_approach (const eeg_fir_kernel *kernel)
{
  size_t whole;

  if (kernel->n_levels == 0)
    return 0;
  whole = (size_t) whole_jobs (kernel);
  return (eeg_fir_kernel_get_look_back (kernel) + (SHARE - 1) * whole)
      / (SHARE * PACE);
}

bool
eeg_fir_stream_is_approaching (const eeg_fir_stream *stream)
{
  return stream->approaches;
}

const eeg_fir_stream *
eeg_fir_stream_get_running (const eeg_fir_stream *stream)
{
  return stream->approaches ? stream->old : stream;
}

uint64_t
eeg_fir_stream_get_arrival (const eeg_fir_stream *stream)
{
  return (uint64_t) stream->arrival;
}

bool
eeg_fir_stream_approach (eeg_fir_stream *stream, eeg_fir_stream *old,
    uint64_t at)
{
  const eeg_fir_kernel *kernel = stream->kernel;
  int64_t owed = held (old->kernel), out = (int64_t) at, origin, past;

  if (old->in == old->origin && (at == EEG_FIR_SOON || out <= old->out)) {
    eeg_fir_stream_start (stream, (uint64_t) old->in);
    return true;
  }
  if (at == EEG_FIR_SOON)
    out = kernel->n_levels == 0
        ? old->out
        : old->in + (int64_t) eeg_fir_kernel_get_approach (kernel) - owed;
  if (out < old->out)
    out = old->out;
  if (out + owed <= old->in || (at == EEG_FIR_SOON && kernel->n_levels == 0))
    return eeg_fir_stream_take_over (stream, old);
  if (!has_room (stream, owed))
    return false;

  stream->approached = old->in;
  stream->arrival = out + owed;
  origin = stream->arrival - (int64_t) smaller (old->keep, stream->keep);
  if (origin < old->origin)
    origin = old->origin;
  set_position (stream, origin, origin, out);
  past = stream->due - (int64_t) eeg_fir_kernel_get_look_back (kernel);
  /* what is turned about the origin comes too late to be spread */
  stream->is_spread = kernel->n_levels > 0
      && (stream->edge != EEG_FIR_REFLECT || past >= origin);
  stream->clock_from = past > origin ? past : origin;
  stream->clock_to =
      stream->due < stream->arrival ? stream->due : stream->arrival;
  stream->clock = stream->clock_from;
  for (size_t l = 0; stream->is_spread && l < kernel->n_levels; l++) {
    struct level *level = &stream->levels[l];
    int64_t length = (int64_t) kernel->levels[l].block;
    int64_t first = floor_div (stream->due, length) - 1
        - (int64_t) kernel->levels[l].n_parts;
    int64_t known = floor_div (stream->clock, length) - 1;

    level->block = first > known ? first : known;
    level->pair = 0;
    memset (level->done, 0, sizeof level->done);
  }
  stream->levels_begun = true;
  end_fade (stream);
  stream->old = old;
  stream->approaches = true;
  return true;
}

/* Comes along as far as is its share for the frames that came since. */
static void
follow (eeg_fir_stream *stream)
{
  const eeg_fir_stream *old = stream->old;
  int64_t n = stream->arrival - stream->approached;
  int64_t done = old->in - stream->approached;
  int64_t rows = stream->origin + (stream->arrival - stream->origin) * done / n;
  int64_t clock = stream->clock_from;

  if (stream->is_spread) {
    int64_t whole = stream->due - whole_jobs (stream->kernel), light, units;

    if (whole > stream->clock_to)
      whole = stream->clock_to;
    if (whole < clock)
      whole = clock;
    light = whole - clock;
    units = (light + SHARE * (stream->clock_to - whole)) * done / n;
    clock += units <= light ? units : light + (units - light) / SHARE;
  }
  if (rows < clock)
    rows = clock;
  if (rows > old->in)
    rows = old->in;
  if (clock > rows)
    clock = rows;
  copy_rows (stream, old, rows);
  if (stream->is_spread && clock > stream->clock)
    advance (stream, NULL, (size_t) (clock - stream->clock), true);
}

/* Goes on where the old stream stands. */
static void
arrive (eeg_fir_stream *stream)
{
  stream->approaches = false;
  if (!stream->is_spread) {
    stream->clock = stream->due;
    stream->levels_begun = false;
  }
  begin_fade (stream, stream->old);
}

/* Whether there will be output of the old stream before an approach ends. */
static bool
will_begin (const eeg_fir_stream *stream, const eeg_fir_stream *old)
{
  return old->begun || stream->out > old->out;
}

/* Frames that come out if `newest` have come in: those up to a fade's end come
 * no sooner than from both. */
static size_t
count_ready (const eeg_fir_stream *stream, int64_t newest, bool fades,
    size_t n_faded, size_t n_mixed)
{
  int64_t ready = newest - stream->out - held (stream->kernel);

  if (fades) {
    const eeg_fir_stream *old = stream->old;
    int64_t from = old->out > stream->out ? old->out : stream->out;
    int64_t given = newest - from - held (old->kernel);
    size_t total = n_faded + (given > 0 ? (size_t) given : 0);

    if (total < stream->fade && ready > (int64_t) (total - n_mixed))
      ready = (int64_t) (total - n_mixed);
  }
  return ready > 0 ? (size_t) ready : 0;
}

size_t
eeg_fir_stream_get_ready (const eeg_fir_stream *stream, size_t frames)
{
  const eeg_fir_stream *old = stream->old;
  size_t rest;

  if (!stream->approaches)
    return count_ready (stream, stream->in + (int64_t) frames,
        eeg_fir_stream_is_fading (stream), stream->n_faded, stream->n_mixed);
  rest = (size_t) (stream->arrival - old->in);
  if (frames < rest)
    return eeg_fir_stream_get_ready (old, frames);
  /* up to here all that the old one gives, if it does at all by then */
  return (size_t) (stream->out - old->out)
      + count_ready (stream, old->in + (int64_t) frames,
          stream->fade > 0 && will_begin (stream, old), 0, 0);
}

size_t
eeg_fir_stream_process (eeg_fir_stream *stream, const void *in, size_t frames,
    void *out)
{
  const uint8_t *from = in;
  uint8_t *to = out;
  size_t total = 0;

  if (stream->approaches) {
    size_t rest = (size_t) (stream->arrival - stream->old->in);
    size_t rows = smaller (frames, rest);

    total = eeg_fir_stream_process (stream->old, from, rows, to);
    follow (stream);
    from += rows * frame_size (stream);
    to += total * frame_size (stream);
    frames -= rows;
    if (rows == rest) {
      arrive (stream);
      /* it may hold back less */
      if (frames == 0)
        total += run_faded (stream, to, SIZE_MAX, true);
    }
  }
  while (frames > 0) {
    bool fades = eeg_fir_stream_is_fading (stream);
    size_t rows = get_room (stream, frames), ready;

    if (fades)
      rows = get_room (stream->old, rows);
    if (!fades && stream->kernel->n_levels == 0 && stream->clock == stream->in
        && stream->clock == stream->out + held (stream->kernel)) {
      /* one panel after the other, while it is in the first cache; all of a
       * panel's input is read before any of its output, not further ahead, is
       * written: that makes in place work */
      for (size_t p = 0; p < stream->n_panels; p++) {
        load_panel (stream, p, from, rows);
        if (!stream->begun)
          begin_panel (stream, p);
        write_panel (stream, p, to, rows);
      }
      stream->begun = true;
      stream->in += (int64_t) rows;
      stream->out += (int64_t) rows;
      stream->clock += (int64_t) rows;
      move_end (stream, rows);
      ready = rows;
    } else {
      if (fades)
        load_rows (stream->old, from, rows);
      load_rows (stream, from, rows);
      ready = run_faded (stream, to, SIZE_MAX, rows == frames);
    }
    total += ready;
    from += rows * frame_size (stream);
    to += ready * frame_size (stream);
    frames -= rows;
  }
  return total;
}

size_t
eeg_fir_stream_drain (eeg_fir_stream *stream, void *out, size_t frames)
{
  uint8_t *to = out;
  size_t total = 0;

  if (frames > (size_t) (stream->in - stream->out))
    frames = (size_t) (stream->in - stream->out);
  if (frames == 0)
    return 0;

  stream->is_short |= stream->in - stream->origin <= stream->reach;
  while (total < frames) {
    int64_t wanted =
        stream->out + (int64_t) (frames - total) + held (stream->kernel);
    int64_t newest = stream->in + stream->added;
    bool fades = eeg_fir_stream_is_fading (stream);
    size_t rows = wanted > newest ? (size_t) (wanted - newest) : 0, ready;

    if (fades) {
      eeg_fir_stream *old = stream->old;
      /* both have the same frames to the end */
      int64_t old_wanted = old->out + held (old->kernel)
          + (int64_t) (stream->fade - stream->n_faded);
      size_t old_rows;

      old->is_short |= old->in - old->origin <= old->reach;
      if (old_wanted > old->in + old->added) {
        old_rows = get_room (old, (size_t) (old_wanted - old->in - old->added));
        add_rows (old, old_rows);
      }
    }
    rows = get_room (stream, rows);
    add_rows (stream, rows);
    ready = run_faded (stream, to, frames - total, true);
    total += ready;
    to += ready * frame_size (stream);
  }
  return total;
}

void
eeg_fir_stream_bridge (eeg_fir_stream *stream, uint64_t missing)
{
  int64_t n = missing < (uint64_t) stream->keep ? (int64_t) missing
                                                : (int64_t) stream->keep;
  int64_t end = stream->in + n, origin = stream->origin, base = stream->base;
  int64_t shift;
  double row[EEG_FIR_PANEL];

  /* over the rows that drain() added, in whatever way */
  stream->end = ring_position (stream, stream->in);
  stream->added = 0;
  while (stream->in < end) {
    size_t rows = get_room (stream, (size_t) (end - stream->in));

    for (size_t p = 0; p < stream->n_panels; p++) {
      memcpy (row, frame_row (stream, p, stream->in - 1), ROW_BYTES);
      for (size_t k = 0; k < rows; k++)
        memcpy (panel_row (stream, p, stream->end + k), row, ROW_BYTES);
    }
    stream->in += (int64_t) rows;
    move_end (stream, rows);
  }
  /* where more were missing than it keeps, all it keeps is that value */
  if (origin < end - (int64_t) stream->keep)
    origin = end - (int64_t) stream->keep;
  for (size_t p = 0; p < stream->n_panels; p++)
    memcpy (stream->first + p * EEG_FIR_PANEL, frame_row (stream, p, origin),
        ROW_BYTES);
  shift = (int64_t) missing - n;
  set_position (stream, origin + shift, end + shift, end + shift);
  stream->base = base + shift;
  stream->end = ring_position (stream, stream->in);
  stream->clock = stream->due;
  end_fade (stream);
}

size_t
eeg_fir_stream_get_missing (const eeg_fir_stream *stream)
{
  int64_t first = stream->out + (int64_t) stream->kernel->delay
      - (int64_t) (stream->kernel->n_taps - 1);

  return stream->origin > first ? (size_t) (stream->origin - first) : 0;
}

eeg_fir_stream *
eeg_fir_stream_release (eeg_fir_stream *stream)
{
  eeg_fir_stream *old = stream->old;

  stream->approaches = false;
  end_fade (stream);
  stream->old = NULL;
  return old;
}
