/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "iir.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Channels that one pass over the frames takes along: enough independent
 * recursions to hide the latency of one. */
#define LANES 16

/* Tiny states are set to 0 at multiples of this many frames since the start,
 * so that silence does not end in slow subnormal arithmetic, and the result
 * still does not depend on how the samples are split. */
#define SNAP_INTERVAL 1024
#define SNAP_BELOW 1e-290

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)            \
    && !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
#define CLONES __attribute__ ((target_clones ("avx512f", "avx2", "default")))
#else
#define CLONES
#endif

typedef struct
{
  double first[LANES];
  double second[LANES];
} TileState;

struct EegIir
{
  size_t channels;
  size_t n_tiles;
  EegIirDesign design;
  uint64_t frame; /* since the start */
  bool start_steady;
  bool has_shift; /* the design changed since the last frame */
  double shift[EEG_IIR_MAX_SECTIONS][2]; /* of the states, for an input of 1 */
  unsigned char *filtered;               /* n_tiles * LANES */
  TileState *state;                      /* n_tiles * EEG_IIR_MAX_SECTIONS */
};

static size_t
count_tiles (size_t channels)
{
  return (channels + LANES - 1) / LANES;
}

size_t
eeg_iir_memory (size_t channels)
{
  return sizeof (EegIir)
      + count_tiles (channels)
      * (LANES + EEG_IIR_MAX_SECTIONS * sizeof (TileState));
}

EegIir *
eeg_iir_new (size_t channels, const bool *filtered)
{
  EegIir *iir = calloc (1, sizeof *iir);

  if (iir == NULL)
    return NULL;
  iir->channels = channels;
  iir->n_tiles = count_tiles (channels);
  iir->filtered = calloc (iir->n_tiles, LANES);
  iir->state = calloc (iir->n_tiles * EEG_IIR_MAX_SECTIONS, sizeof *iir->state);
  if (iir->filtered == NULL || iir->state == NULL) {
    eeg_iir_free (iir);
    return NULL;
  }
  for (size_t c = 0; c < channels; c++)
    iir->filtered[c] = filtered == NULL || filtered[c];
  iir->start_steady = true;
  return iir;
}

void
eeg_iir_free (EegIir *iir)
{
  if (iir == NULL)
    return;
  free (iir->filtered);
  free (iir->state);
  free (iir);
}

void
eeg_iir_restart (EegIir *iir, bool steady)
{
  memset (iir->state, 0,
      iir->n_tiles * EEG_IIR_MAX_SECTIONS * sizeof *iir->state);
  iir->frame = 0;
  iir->start_steady = steady;
  iir->has_shift = false;
}

void
eeg_iir_set_design (EegIir *iir, const EegIirDesign *design)
{
  bool same = iir->design.n_sections == design->n_sections;

  if (!same) {
    iir->design = *design;
    eeg_iir_restart (iir, iir->start_steady);
  } else if (iir->frame > 0) {
    double before[EEG_IIR_MAX_SECTIONS][2], after[EEG_IIR_MAX_SECTIONS][2];

    eeg_iir_steady_state (&iir->design, before);
    eeg_iir_steady_state (design, after);
    for (size_t s = 0; s < design->n_sections; s++) {
      for (size_t i = 0; i < 2; i++)
        iir->shift[s][i] = (iir->has_shift ? iir->shift[s][i] : 0) + after[s][i]
            - before[s][i];
    }
    iir->has_shift = true;
    iir->design = *design;
  } else {
    iir->design = *design;
  }
}

const EegIirDesign *
eeg_iir_get_design (const EegIir *iir)
{
  return &iir->design;
}

/* The steady state of one lane for this sample. */
static void
start_lane (const EegIirDesign *design, TileState *state, size_t lane, double x)
{
  double steady[EEG_IIR_MAX_SECTIONS][2];

  eeg_iir_steady_state (design, steady);
  for (size_t s = 0; s < design->n_sections; s++) {
    state[s].first[lane] = isfinite (x) ? steady[s][0] * x : 0.0;
    state[s].second[lane] = isfinite (x) ? steady[s][1] * x : 0.0;
  }
}

static void
snap_tile (const EegIirDesign *design, TileState *state, const double *frame,
    bool steady)
{
  for (size_t i = 0; i < LANES; i++) {
    bool finite = true;

    for (size_t s = 0; s < design->n_sections; s++) {
      finite &= isfinite (state[s].first[i]) && isfinite (state[s].second[i]);
      if (fabs (state[s].first[i]) < SNAP_BELOW)
        state[s].first[i] = 0.0;
      if (fabs (state[s].second[i]) < SNAP_BELOW)
        state[s].second[i] = 0.0;
    }
    if (!finite)
      start_lane (design, state, i, steady ? frame[i] : 0.0);
  }
}

static void
shift_tile (const EegIir *iir, TileState *state, const double *frame)
{
  for (size_t s = 0; s < iir->design.n_sections; s++) {
    for (size_t i = 0; i < LANES; i++) {
      if (!isfinite (frame[i]))
        continue;
      state[s].first[i] += iir->shift[s][0] * frame[i];
      state[s].second[i] += iir->shift[s][1] * frame[i];
    }
  }
}

/* What comes before a tile's next block; `frame` is the first one of it. */
static void
prepare_tile (const EegIir *iir, TileState *state, const double *frame)
{
  if (iir->frame == 0 && iir->start_steady) {
    for (size_t i = 0; i < LANES; i++)
      start_lane (&iir->design, state, i, frame[i]);
  }
  if (iir->has_shift)
    shift_tile (iir, state, frame);
  if (iir->frame > 0 && iir->frame % SNAP_INTERVAL == 0)
    snap_tile (&iir->design, state, frame, iir->start_steady);
}

/* x: LANES samples, replaced by the output */
static inline __attribute__ ((always_inline)) void
run_sections (const EegIirSection *sections, size_t n, TileState *state,
    double *x)
{
  for (size_t s = 0; s < n; s++) {
    const EegIirSection *c = &sections[s];
    TileState *z = &state[s];

    for (size_t i = 0; i < LANES; i++) {
      double y = c->b[0] * x[i] + z->first[i];

      z->first[i] = c->b[1] * x[i] - c->a[0] * y + z->second[i];
      z->second[i] = c->b[2] * x[i] - c->a[1] * y;
      x[i] = y;
    }
  }
}

#define DEFINE_RUN_TILE(name, type)                                            \
  CLONES static void name (const EegIirDesign *design, TileState *state,       \
      const unsigned char *filtered, const type *in, type *out, size_t frames, \
      size_t stride, size_t lanes)                                             \
  {                                                                            \
    const size_t n = design->n_sections;                                       \
                                                                               \
    for (size_t f = 0; f < frames; f++) {                                      \
      type original[LANES] = { 0 };                                            \
      double x[LANES];                                                         \
                                                                               \
      if (lanes == LANES)                                                      \
        memcpy (original, in + f * stride, sizeof original);                   \
      else                                                                     \
        memcpy (original, in + f * stride, lanes * sizeof *original);          \
      for (size_t i = 0; i < LANES; i++)                                       \
        x[i] = original[i];                                                    \
      run_sections (design->sections, n, state, x);                            \
      for (size_t i = 0; i < LANES; i++)                                       \
        original[i] = filtered[i] ? (type) x[i] : original[i];                 \
      if (lanes == LANES)                                                      \
        memcpy (out + f * stride, original, sizeof original);                  \
      else                                                                     \
        memcpy (out + f * stride, original, lanes * sizeof *original);         \
    }                                                                          \
  }

DEFINE_RUN_TILE (run_tile_f32, float)
DEFINE_RUN_TILE (run_tile_f64, double)

#define DEFINE_PROCESS(name, type, run_tile)                                   \
  void name (EegIir *iir, const type *in, type *out, size_t frames)            \
  {                                                                            \
    while (frames > 0) {                                                       \
      size_t block = SNAP_INTERVAL - iir->frame % SNAP_INTERVAL;               \
                                                                               \
      if (block > frames)                                                      \
        block = frames;                                                        \
      for (size_t t = 0; t < iir->n_tiles; t++) {                              \
        TileState *state = &iir->state[t * EEG_IIR_MAX_SECTIONS];              \
        size_t first = t * LANES, lanes = iir->channels - first;               \
                                                                               \
        if (lanes > LANES)                                                     \
          lanes = LANES;                                                       \
        if (iir->frame % SNAP_INTERVAL == 0 || iir->has_shift) {               \
          double frame[LANES] = { 0 };                                         \
                                                                               \
          for (size_t i = 0; i < lanes; i++)                                   \
            frame[i] = in[first + i];                                          \
          prepare_tile (iir, state, frame);                                    \
        }                                                                      \
        run_tile (&iir->design, state, &iir->filtered[first], in + first,      \
            out + first, block, iir->channels, lanes);                         \
      }                                                                        \
      iir->has_shift = false;                                                  \
      iir->frame += block;                                                     \
      in += block * iir->channels;                                             \
      out += block * iir->channels;                                            \
      frames -= block;                                                         \
    }                                                                          \
  }

DEFINE_PROCESS (eeg_iir_process_f32, float, run_tile_f32)
DEFINE_PROCESS (eeg_iir_process_f64, double, run_tile_f64)

/* Saved: sections, channels and frame as 64-bit words, then for each tile and
 * section the two states of its lanes. */
#define STATE_HEADER 3

static size_t
count_state_doubles (const EegIir *iir)
{
  return iir->n_tiles * iir->design.n_sections * 2 * LANES;
}

static void
store_word (unsigned char *bytes, uint64_t word)
{
  for (int i = 0; i < 8; i++)
    bytes[i] = (unsigned char) (word >> (8 * i));
}

static uint64_t
load_word (const unsigned char *bytes)
{
  uint64_t word = 0;

  for (int i = 0; i < 8; i++)
    word |= (uint64_t) bytes[i] << (8 * i);
  return word;
}

size_t
eeg_iir_state_size (const EegIir *iir)
{
  return 8 * (STATE_HEADER + count_state_doubles (iir));
}

static unsigned char *
store_doubles (unsigned char *bytes, const double *values)
{
  for (size_t i = 0; i < LANES; i++, bytes += 8) {
    uint64_t word;

    memcpy (&word, &values[i], sizeof word);
    store_word (bytes, word);
  }
  return bytes;
}

static const unsigned char *
load_doubles (const unsigned char *bytes, double *values)
{
  for (size_t i = 0; i < LANES; i++, bytes += 8) {
    uint64_t word = load_word (bytes);

    memcpy (&values[i], &word, sizeof word);
  }
  return bytes;
}

void
eeg_iir_save_state (const EegIir *iir, unsigned char *bytes)
{
  store_word (bytes, iir->design.n_sections);
  store_word (bytes + 8, iir->channels);
  store_word (bytes + 16, iir->frame);
  bytes += 8 * STATE_HEADER;
  for (size_t t = 0; t < iir->n_tiles; t++) {
    for (size_t s = 0; s < iir->design.n_sections; s++) {
      const TileState *state = &iir->state[t * EEG_IIR_MAX_SECTIONS + s];

      bytes = store_doubles (bytes, state->first);
      bytes = store_doubles (bytes, state->second);
    }
  }
}

bool
eeg_iir_load_state (EegIir *iir, const unsigned char *bytes, size_t size)
{
  const unsigned char *p;

  if (size != eeg_iir_state_size (iir)
      || load_word (bytes) != iir->design.n_sections
      || load_word (bytes + 8) != iir->channels)
    return false;
  p = bytes + 8 * STATE_HEADER;
  for (size_t t = 0; t < iir->n_tiles; t++) {
    for (size_t s = 0; s < iir->design.n_sections; s++) {
      TileState *state = &iir->state[t * EEG_IIR_MAX_SECTIONS + s];

      p = load_doubles (p, state->first);
      p = load_doubles (p, state->second);
    }
  }
  iir->frame = load_word (bytes + 16);
  iir->has_shift = false;
  return true;
}
