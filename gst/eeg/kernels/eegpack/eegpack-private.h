/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EEG_EEGPACK_PRIVATE_H
#define EEG_EEGPACK_PRIVATE_H

#include "eegpack-kernel.h"

/* Channels are coded in groups of this many, each in a lane of its own. Rows
 * are frames of a group: one value of each lane. */
#define LANES 16
/* Groups that are coded in step, to hide the latency of each. */
#define BATCH 4
/* Frames that pass through all steps of the decoder at a time. */
#define TILE 64

/* Entropy coder: scale contexts, symbols and their probabilities. */
#define PROBABILITY_BITS 10
#define CONTEXTS 32
#define OWN_CONTEXTS 28 /* below: one context each; above: by quarter octave */
#define SYMBOLS 16
#define ESCAPE 15
#define MEAN_FRACTION 5           /* fraction bits of a mean */
#define MEAN_CAP ((1u << 19) - 1) /* a larger value counts as this */
#define MIN_RATE 4
#define MAX_RATE 7
#define MAX_SHIFT 12
#define MAX_SCALE 95 /* largest scale of a mean, in quarter octaves */

/* Prediction */
#define MAX_ORDER 32
#define MAX_REFERENCES 8
#define MAX_ADAPTIVE 32
#define ADAPTIVE_STEP 4           /* smallest step: 2 to the minus this */
#define ADAPTIVE_CAP (1 << 22)    /* larger values count as this */
#define ADAPTIVE_WEIGHT (1 << 24) /* largest weight */
#define ADAPTIVE_GAIN 22          /* fraction bits that a gain has more */

/* Room before each column, for the values that a predictor reads before the
 * first: zeros. */
#define COLUMN_PAD 64
/* Bytes before and after the words that a decoder may read in vain. */
#define WORD_PAD 128

/* Frequencies of the symbols in 2^PROBABILITY_BITS; 0: an escape instead. */
extern const uint16_t eeg_eegpack_frequencies[CONTEXTS][SYMBOLS];

/* First value and extra bits of each symbol; the escape has all 32. */
extern const uint8_t eeg_eegpack_symbol_base[SYMBOLS];
extern const uint8_t eeg_eegpack_symbol_bits[SYMBOLS];

/* What the coder looks up. Decoder: for each slot of a context
 *   frequency | (slot - start) << 11 | base << 21 | bits << 27
 * with 31 for the escape's bits. Encoder: frequency | start << 16. */
typedef struct
{
  uint32_t decode[CONTEXTS << PROBABILITY_BITS];
  uint32_t encode[CONTEXTS * SYMBOLS];
  uint32_t symbols[SYMBOLS]; /* base | bits << 16 */
  /* which elements move where when those of a mask spread or close up */
  uint8_t expand[256][8];
  uint8_t compress[256][8];
} eeg_eegpack_tables;

const eeg_eegpack_tables *eeg_eegpack_get_tables (void);

/* The entropy coder's state for one group. Lanes from `lanes` on do nothing.
 */
typedef struct
{
  uint32_t state[LANES];
  uint32_t mean[LANES];
  uint32_t rate[LANES];
  uint32_t shift[LANES];
  unsigned lanes;
  /* decoder: words are taken from `end` down to `begin` */
  const uint8_t *begin;
  const uint8_t *end;
  /* encoder: where the next word goes */
  uint8_t *words;
} eeg_eegpack_coder;

/* Short-term prediction of one group. */
typedef struct
{
  int32_t coefs[MAX_ORDER][LANES];
  uint32_t shift[LANES];
  uint32_t round[LANES];
  uint32_t integrate[LANES]; /* all bits set: values are differences */
  uint32_t wide[LANES];      /* all bits set: sums have 64 bits */
  bool any_wide;
  unsigned order; /* of the lane that has most, up to a multiple of 4 */
  int32_t last[LANES];
  uint32_t sums[MAX_ORDER][LANES];   /* what past values add to next ones */
  int32_t history[MAX_ORDER][LANES]; /* latest first, for wide sums */
} eeg_eegpack_predictor;

/* Adaptive prediction of one group: weights follow the errors, normalised by
 * the power of the past. */
typedef struct
{
  int64_t weights[MAX_ADAPTIVE][LANES]; /* 16 fraction bits */
  /* latest first, from row `at` on; moves down one row for each frame */
  int64_t history[2 * MAX_ADAPTIVE][LANES];
  unsigned at;
  int64_t power[LANES]; /* of the past that a lane sees */
  unsigned taps[LANES]; /* 0, 16 or 32 */
  unsigned step[LANES];
  unsigned max_taps;
} eeg_eegpack_adaptive;

/* Loops that are compiled for each instruction set. */
typedef struct
{
  /* interleaved samples of one group to rows and back; lanes that are not
   * there become 0. Integers are widened, floats keep their bits. */
  void (*load_rows) (const uint8_t *in, size_t stride, size_t size,
      unsigned lanes, size_t frames, int32_t *rows);
  void (*store_rows) (const int32_t *rows, unsigned lanes, size_t frames,
      uint8_t *out, size_t stride, size_t size);
  /* rows to columns, at frame `at` of each, and back */
  void (*rows_to_columns) (const int32_t *rows, unsigned lanes, size_t frames,
      int32_t *const columns[LANES], size_t at);
  void (*columns_to_rows) (const int32_t *const columns[LANES], unsigned lanes,
      size_t at, size_t frames, int32_t *rows);

  /* entropy coder. decode: up to BATCH coders; false when words run out */
  bool (*decode) (const eeg_eegpack_tables *tables, eeg_eegpack_coder *coders,
      unsigned n_coders, size_t frames, int32_t *const rows[BATCH]);
  /* replaces residuals by what is coded and notes each one's scale */
  void (*model) (eeg_eegpack_coder *coder, size_t frames, int32_t *rows,
      uint8_t *scales);
  /* 64 times the bits that a symbol takes, summed over modelled values; costs
   * are those of [context * SYMBOLS + symbol] without the scale's bits */
  void (*count) (const eeg_eegpack_coder *coder, size_t frames,
      const int32_t *rows, const uint8_t *scales, const uint32_t *costs,
      uint64_t bits[LANES]);
  /* from the last frame to the first */
  void (*emit) (const eeg_eegpack_tables *tables, eeg_eegpack_coder *coders,
      unsigned n_coders, size_t frames, int32_t *const rows[BATCH],
      uint8_t *const scales[BATCH]);

  /* prediction */
  void (*synthesize) (eeg_eegpack_predictor *predictor, size_t frames,
      int32_t *rows);
  /* residuals to values when `inverse`, else back; in place */
  void (*adapt) (eeg_eegpack_adaptive *adaptive, size_t frames, int32_t *rows,
      bool inverse);
  void (*residual) (const int32_t *column, size_t frames, const int32_t *coefs,
      unsigned order, unsigned shift, bool wide, int32_t *out);
  /* out[t] = column[t] - or + (sum of weights * references[t] + round) >>
   * shift; out may be the column */
  void (*mix) (const int32_t *column, size_t frames,
      const int32_t *const *references, const int32_t *weights, unsigned n,
      unsigned shift, bool wide, bool add, int32_t *out);
  /* to the value before; also the limits of these differences */
  void (*difference) (const int32_t *column, size_t frames, int32_t *out,
      int32_t *min, int32_t *max);
  void (
      *add) (const int32_t *column, size_t frames, int32_t value, int32_t *out);

  /* analysis: sums of products a[t] * b[t] of values up to 2^13, exact */
  int64_t (*dot) (const int16_t *a, const int16_t *b, size_t n);
  void (*correlate) (const int16_t *a, size_t n, unsigned lags, int64_t *sums);
  void (*limits) (const int32_t *column, size_t frames, int32_t *min,
      int32_t *max);
  int64_t (*sum) (const int32_t *column, size_t frames);
  /* sum of the values' sizes, twice */
  uint64_t (*level) (const int32_t *column, size_t frames);
  /* first place from `at` on where the column's first four values stand
   * again, else `end`; reads three values more */
  size_t (*find) (const int32_t *column, size_t at, size_t end);
  /* sums of the distances from a value, and from one value to the next */
  void (*wander) (const int32_t *column, size_t frames, int32_t from,
      uint64_t *level, uint64_t *change);
  void (*narrow) (const int32_t *column, size_t frames, unsigned shift,
      int32_t limit, int16_t *out);
} eeg_eegpack_loops;

extern const eeg_eegpack_loops eeg_eegpack_loops_base;
extern const eeg_eegpack_loops eeg_eegpack_loops_avx2;
extern const eeg_eegpack_loops eeg_eegpack_loops_avx512;

const eeg_eegpack_loops *eeg_eegpack_choose_loops (eeg_cpu *cpu);

/* ---- analysis: doubles, but only +, -, * and /, each rounded on its own, so
 * that every IEEE machine comes to the same predictors ---- */

/* Symmetric system of up to MAX_ORDER unknowns that explain a signal. */
typedef struct
{
  unsigned n;
  double energy; /* of the signal to explain */
  double b[MAX_ORDER];
  double a[MAX_ORDER][MAX_ORDER]; /* lower triangle */

  /* by eeg_eegpack_factor() */
  unsigned rank;
  double left[MAX_ORDER + 1]; /* energy that the first i unknowns leave */
  double l[MAX_ORDER][MAX_ORDER];
  double d[MAX_ORDER];
  double y[MAX_ORDER];
} eeg_eegpack_system;

/* log2 of a positive number, to three digits */
double eeg_eegpack_log2 (double v);

/* Factors as much of it as is well-conditioned. */
void eeg_eegpack_factor (eeg_eegpack_system *system);

/* Solves for the first `n` unknowns, n <= rank. */
void eeg_eegpack_solve (const eeg_eegpack_system *system, unsigned n,
    double *x);

/* Rounds x to integers with `shift` fraction bits, from min_shift to max_shift
 * and for which all are within +-limit; weighs what rounding costs over
 * `frames` frames against the bits that the integers take. `floor` is added
 * to the energy left. Returns the shift, or -1 if there is none. */
int eeg_eegpack_quantize (const eeg_eegpack_system *system, unsigned n,
    const double *x, double frames, double floor, int min_shift, int max_shift,
    int shift_step, double limit, int32_t *out);

/* Exponential Golomb order, at most 15, that takes least bits; sets *bits. */
unsigned eeg_eegpack_best_golomb (const int32_t *v, unsigned n, unsigned *bits);

#endif
