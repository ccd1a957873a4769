/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows (frames) are widened to F64 once and kept in panels of channels. Each
 * panel is `capacity` rows long; new rows are appended at `end`, and when there
 * is no more room the newest `keep` rows move to the front. All panels are at
 * the same row. */
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

struct eeg_fir_stream
{
  eeg_fir_kernel *kernel;
  const eeg_fir_direct *direct;
  eeg_cpu cpu;
  unsigned channels;
  eeg_fir_format format;
  eeg_fir_edge edge;
  bool *filtered;
  size_t n_panels;
  struct panel *panels;
  size_t keep, capacity; /* rows */
  double *rows;          /* n_panels * capacity rows */

  size_t end;       /* rows in use */
  uint64_t in, out; /* frames taken and given */
  uint64_t origin;  /* the oldest frame that is remembered, or in if none */
  bool begun;       /* what lies before the origin is filled in */
  size_t added;     /* rows that drain() put after the last frame */
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
#ifdef HAVE_AVX2
  if (widest >= EEG_CPU_AVX2 && eeg_cpu_supports (EEG_CPU_AVX2)) {
    stream->cpu = EEG_CPU_AVX2;
    stream->direct = &eeg_fir_direct_avx2;
  }
#endif
#ifdef HAVE_AVX512
  if (widest >= EEG_CPU_AVX512 && eeg_cpu_supports (EEG_CPU_AVX512)) {
    stream->cpu = EEG_CPU_AVX512;
    stream->direct = &eeg_fir_direct_avx512;
  }
#endif
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

  /* A new frame needs n_taps - 1 before it; a turned end goes 2 * delay back;
   * and a stream that is taken over still owes the frames of its delay. */
  stream->keep = larger (kernel->n_taps - 1, 2 * delay);
  if (reserve > delay) {
    size_t owed;

    if (__builtin_add_overflow (reserve - delay, kernel->n_taps - 1, &owed))
      goto no_memory;
    stream->keep = larger (stream->keep, owed);
  }
  if (__builtin_add_overflow (stream->keep, larger (stream->keep, BLOCK),
          &stream->capacity)
      || __builtin_mul_overflow (stream->capacity, ROW_BYTES, &bytes)
      || __builtin_mul_overflow (bytes, stream->n_panels, &bytes))
    goto no_memory;
  stream->rows = aligned_alloc (EEG_FIR_ALIGN, bytes);
  if (stream->rows == NULL)
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
  free (stream);
}

void
eeg_fir_stream_reset (eeg_fir_stream *stream)
{
  stream->end = stream->keep;
  stream->in = stream->out = stream->origin = 0;
  stream->begun = false;
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
      + stream->n_panels * sizeof (struct panel) + stream->channels
      + sizeof *stream;
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
 * frame that the first of them needs. */
static void
write_panel (const eeg_fir_stream *stream, size_t p, size_t row, void *out,
    size_t frames)
{
  const struct panel *panel = &stream->panels[p];
  const eeg_fir_kernel *kernel = stream->kernel;
  const double *same = panel_row (stream, p, row - kernel->delay);
  size_t stride = stream->channels;

  if (panel->n_filtered > 0)
    stream->direct->filter (panel_row (stream, p, row - (kernel->n_taps - 1)),
        kernel, out, stride, panel->lanes, frames, stream->format);
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

      /* all of a panel's input is read before any of its output, further
       * ahead, is written: that makes in place work */
      stream->direct->load (panel_row (stream, p, stream->end),
          from + channel * size, stream->channels, stream->panels[p].lanes,
          rows, stream->format);
      if (ready == 0)
        continue;
      if (!stream->begun)
        begin_panel (stream, p, first, reach);
      write_panel (stream, p, row, to + channel * size, ready);
    }

    stream->begun |= ready > 0;
    stream->end += rows;
    stream->in += rows;
    stream->out += ready;
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
    size_t rows = 0, ready, row;

    if (wanted > newest)
      rows = (size_t) (wanted - newest < BLOCK ? wanted - newest : BLOCK);
    make_room (stream, rows);
    add_rows (stream, rows);
    newest += rows;
    if (newest <= stream->out + delay)
      continue;
    ready = (size_t) (newest - stream->out - delay);
    row = stream->end - ready;
    for (size_t p = 0; p < stream->n_panels; p++)
      write_panel (stream, p, row, to + p * EEG_FIR_PANEL * size, ready);
    stream->out += ready;
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
  stream->added = 0;
  return true;
}
