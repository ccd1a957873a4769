/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fir-design.h"
#include "fir.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

/* Cut-offs of a windowed sinc, and corners of a response. */
#define MAX_CUTOFFS (2 + 2 * EEG_FIR_MAX_NOTCHES)
#define MAX_CORNERS (6 + 4 * EEG_FIR_MAX_NOTCHES)
/* Hz of each transition band of a notch, and its width to its frequency */
#define NOTCH_TRANSITION 0.5
#define NOTCH_WIDTH (1.0 / 200)

/* Modified Bessel function of the first kind, order 0, by its power series:
 * all terms are positive, so nothing cancels. */
static double
bessel_i0 (double x)
{
  long double sum = 1, term = 1, q = (long double) x * x / 4;

  for (int k = 1; term > sum * 1e-20L; k++) {
    term *= q / ((long double) k * k);
    sum += term;
  }
  return (double) sum;
}

/* The window at distance `m` from the middle of n points. */
static double
window_at (eeg_fir_window window, double beta, double i0_beta, double m,
    size_t n)
{
  double x, r;

  if (n == 1)
    return 1;
  r = 2 * m / (double) (n - 1); /* -1 .. 1 */
  x = pi * r;
  switch (window) {
    case EEG_FIR_HANN:
      return 0.5 + 0.5 * cos (x);
    case EEG_FIR_BLACKMAN:
      return 0.42 + 0.5 * cos (x) + 0.08 * cos (2 * x);
    case EEG_FIR_KAISER:
      return bessel_i0 (beta * sqrt (fmax (0, 1 - r * r))) / i0_beta;
    default:
      return 0.54 + 0.46 * cos (x);
  }
}

/* Sum of the pass bands' ideal impulse responses at distance m. */
static double
sinc_at (const double *edges, size_t n_edges, double m)
{
  double h = 0;

  for (size_t i = 0; i < n_edges; i++) {
    double y = pi * edges[i] * m;
    double s = edges[i] * (y == 0 ? 1 : sin (y) / y);

    h += i & 1 ? s : -s;
  }
  return h;
}

/* Formula: windowed sinc, e.g. Oppenheim and Schafer, Discrete-Time Signal
 * Processing, 7.5; scaling and band order as scipy.signal.firwin(). */
void
eeg_fir_firwin (double *taps, size_t n, const double *cutoffs, size_t n_cutoffs,
    bool pass_zero, eeg_fir_window window, double beta)
{
  double edges[MAX_CUTOFFS + 2], scale_at, i0_beta = bessel_i0 (beta);
  size_t n_edges = 0;
  long double sum = 0;

  if (pass_zero)
    edges[n_edges++] = 0;
  for (size_t i = 0; i < n_cutoffs && i < MAX_CUTOFFS; i++)
    edges[n_edges++] = cutoffs[i];
  if (n_edges & 1)
    edges[n_edges++] = 1;

  if (edges[0] == 0)
    scale_at = 0;
  else if (edges[1] == 1)
    scale_at = 1;
  else
    scale_at = 0.5 * (edges[0] + edges[1]);

  /* both halves from one value: the kernel is symmetric to the last bit */
  for (size_t i = 0; i < (n + 1) / 2; i++) {
    double m = 0.5 * (double) (n - 1) - (double) i;
    double h =
        sinc_at (edges, n_edges, m) * window_at (window, beta, i0_beta, m, n);

    taps[i] = taps[n - 1 - i] = h;
    h *= cos (pi * m * scale_at);
    sum += i == n - 1 - i ? h : 2 * (long double) h;
  }
  for (size_t i = 0; i < n; i++)
    taps[i] = (double) (taps[i] / sum);
}

/* Seconds times Hz of transition band that a window needs. */
static double
length_factor (eeg_fir_window window, double beta)
{
  double attenuation;

  switch (window) {
    case EEG_FIR_HANN:
      return 3.1;
    case EEG_FIR_BLACKMAN:
      return 5.0;
    case EEG_FIR_KAISER:
      /* Kaiser 1974: beta from the attenuation, turned round; and length */
      if (beta >= 0.1102 * (50 - 8.7))
        attenuation = beta / 0.1102 + 8.7;
      else {
        double low = 21, high = 50;

        for (int i = 0; i < 60; i++) {
          double a = 0.5 * (low + high);

          if (0.5842 * pow (a - 21, 0.4) + 0.07886 * (a - 21) < beta)
            low = a;
          else
            high = a;
        }
        attenuation = 0.5 * (low + high);
      }
      return (attenuation - 7.95) / (2.285 * 2 * pi);
    default:
      return 3.3;
  }
}

static bool __attribute__ ((format (printf, 2, 3)))
fail (char message[EEG_FIR_MESSAGE_SIZE], const char *format, ...)
{
  va_list args;

  va_start (args, format);
  vsnprintf (message, EEG_FIR_MESSAGE_SIZE, format, args);
  va_end (args);
  return false;
}

static bool
use_low (const eeg_fir_spec *spec)
{
  return spec->response != EEG_FIR_LOW_PASS
      && spec->response != EEG_FIR_ALL_PASS;
}

static bool
use_high (const eeg_fir_spec *spec)
{
  return spec->response != EEG_FIR_HIGH_PASS
      && spec->response != EEG_FIR_ALL_PASS;
}

bool
eeg_fir_check (const eeg_fir_spec *spec, char message[EEG_FIR_MESSAGE_SIZE])
{
  double nyquist = spec->rate / 2;
  bool uses_low = use_low (spec), uses_high = use_high (spec);

  if (!(spec->rate > 0))
    return fail (message, "rate of %g Hz is not above 0", spec->rate);
  if (uses_low && !(spec->low > 0 && spec->low < nyquist))
    return fail (message,
        "low=%g Hz is not between 0 and half the sampling rate (%g Hz)",
        spec->low, nyquist);
  if (uses_high && !(spec->high > 0 && spec->high < nyquist))
    return fail (message,
        "high=%g Hz is not between 0 and half the sampling rate (%g Hz)",
        spec->high, nyquist);
  if (uses_low && uses_high && !(spec->low < spec->high))
    return fail (message, "low=%g Hz is not below high=%g Hz", spec->low,
        spec->high);
  if (!isfinite (spec->transition) || spec->transition < 0)
    return fail (message, "transition of %g Hz is negative or not a number",
        spec->transition);
  if (spec->window == EEG_FIR_KAISER
      && !(spec->beta >= 0 && spec->beta <= EEG_FIR_MAX_BETA))
    return fail (message, "beta=%g is not between 0 and %g", spec->beta,
        EEG_FIR_MAX_BETA);
  if (spec->taps > EEG_FIR_MAX_TAPS)
    return fail (message, "%zu taps are more than %d", spec->taps,
        EEG_FIR_MAX_TAPS);
  if (spec->taps > 0 && spec->taps % 2 == 0)
    return fail (message,
        "taps=%zu is even: such a kernel delays by half a sample; take %zu",
        spec->taps, spec->taps + 1);
  if (spec->response == EEG_FIR_ALL_PASS && spec->n_notches == 0)
    return fail (message, "there is no notch");
  if (spec->n_notches > EEG_FIR_MAX_NOTCHES)
    return fail (message, "%zu notches are more than %d", spec->n_notches,
        EEG_FIR_MAX_NOTCHES);
  for (size_t i = 0; i < spec->n_notches; i++)
    if (!(spec->notches[i] > 0 && spec->notches[i] < nyquist))
      return fail (message,
          "a notch at %g Hz is not between 0 and half the sampling rate (%g Hz)",
          spec->notches[i], nyquist);
  return true;
}

/* A corner of the wanted response, frequency in Hz, later in units of half the
 * rate. */
struct corner
{
  double frequency;
  bool passes;
};

static int
compare_corners (const void *a, const void *b)
{
  double x = ((const struct corner *) a)->frequency;
  double y = ((const struct corner *) b)->frequency;

  return (x > y) - (x < y);
}

/* Adds the four corners of each notch. */
static bool
add_notches (const eeg_fir_spec *spec, struct corner *corners,
    size_t *n_corners, char message[EEG_FIR_MESSAGE_SIZE])
{
  double width = spec->transition > 0 ? spec->transition : NOTCH_TRANSITION;

  for (size_t i = 0; i < spec->n_notches; i++) {
    double f = spec->notches[i], half = f * NOTCH_WIDTH / 2;
    struct corner four[4] = { { f - half - width, true }, { f - half, false },
      { f + half, false }, { f + half + width, true } };

    /* nothing else may happen where it lies, and around it all must pass */
    for (size_t k = 0; k + 1 < *n_corners; k++) {
      const struct corner *a = &corners[k], *b = a + 1;

      if (a->frequency <= four[3].frequency && b->frequency >= four[0].frequency
          && !(a->passes && b->passes && a->frequency <= four[0].frequency
              && b->frequency >= four[3].frequency))
        return fail (message,
            "a notch at %g Hz, %g to %g Hz with its transition bands, does not "
            "lie inside of a pass band",
            f, four[0].frequency, four[3].frequency);
    }
    if (four[0].frequency <= 0 || four[3].frequency >= spec->rate / 2)
      return fail (message,
          "a notch at %g Hz does not fit between 0 and half the sampling rate "
          "(%g Hz)",
          f, spec->rate / 2);
    memcpy (corners + *n_corners, four, sizeof four);
    *n_corners += 4;
    qsort (corners, *n_corners, sizeof *corners, compare_corners);
  }
  return true;
}

/* One windowed sinc per change from corner to corner. */
static bool
sum_of_sincs (double *taps, size_t n, const struct corner *corners,
    size_t n_corners, const eeg_fir_spec *spec, double factor,
    char message[EEG_FIR_MESSAGE_SIZE])
{
  double *part = malloc (n * sizeof *part);

  if (part == NULL)
    return fail (message, "no memory for %zu taps", n);

  memset (taps, 0, n * sizeof *taps);
  if (corners[n_corners - 1].passes)
    taps[n / 2] = 1;
  for (size_t i = n_corners - 1; i > 0; i--) {
    const struct corner *upper = &corners[i], *lower = &corners[i - 1];
    double half_width = (upper->frequency - lower->frequency) / 2;
    double cutoff = (upper->frequency + lower->frequency) / 2;
    double length;
    size_t n_part, offset;

    if (upper->passes == lower->passes)
      continue;
    length = rint (factor / half_width);
    if (!(length <= (double) n)) {
      free (part);
      return fail (message,
          "%zu taps are too few for a transition band of %g Hz, which needs "
          "%.0f",
          n, half_width * spec->rate, length);
    }
    n_part = (size_t) length | 1;
    if (n_part > n)
      n_part = n;
    eeg_fir_firwin (part, n_part, &cutoff, 1, true, spec->window, spec->beta);
    offset = (n - n_part) / 2;
    for (size_t k = 0; k < n_part; k++)
      taps[offset + k] += lower->passes ? part[k] : -part[k];
  }
  free (part);
  return true;
}

/* Width and length rules: MNE-Python, mne.filter.create_filter(). */
static bool
design_by_edges (const eeg_fir_spec *spec, double **taps, size_t *n_taps,
    char message[EEG_FIR_MESSAGE_SIZE])
{
  double nyquist = spec->rate / 2, narrowest = INFINITY, length;
  double factor = length_factor (spec->window, spec->beta);
  double low_width = spec->transition, high_width = spec->transition;
  bool uses_low = use_low (spec), uses_high = use_high (spec);
  bool stop = spec->response == EEG_FIR_BAND_STOP;
  struct corner corners[MAX_CORNERS];
  size_t n = 0, n_corners = 0;

  if (spec->transition == 0) {
    low_width = fmin (fmax (0.25 * spec->low, 2), spec->low);
    high_width = fmin (fmax (0.25 * spec->high, 2), nyquist - spec->high);
    if (stop && low_width + high_width > spec->high - spec->low) {
      low_width = fmin (low_width, (spec->high - spec->low) / 4);
      high_width = fmin (high_width, (spec->high - spec->low) / 4);
    }
  }
  if (uses_low)
    narrowest = fmin (narrowest, low_width);
  if (uses_high)
    narrowest = fmin (narrowest, high_width);
  if (spec->n_notches > 0)
    narrowest = fmin (narrowest,
        spec->transition > 0 ? spec->transition : NOTCH_TRANSITION);

  if (stop && low_width + high_width > spec->high - spec->low)
    return fail (message,
        "transition bands of %g Hz do not fit between low=%g and high=%g Hz",
        spec->transition, spec->low, spec->high);
  if (!stop && uses_low && low_width > spec->low)
    return fail (message,
        "a transition band of %g Hz does not fit below "
        "low=%g Hz",
        low_width, spec->low);
  if (!stop && uses_high && high_width > nyquist - spec->high)
    return fail (message,
        "a transition band of %g Hz does not fit between "
        "high=%g Hz and half the sampling rate (%g Hz)",
        high_width, spec->high, nyquist);

#define CORNER(f, p)                                                           \
  corners[n_corners++] = (struct corner)                                       \
  {                                                                            \
    f, p                                                                       \
  }
  if (stop) {
    CORNER (0, true);
    CORNER (spec->low, true);
    CORNER (spec->low + low_width, false);
    CORNER (spec->high - high_width, false);
    CORNER (spec->high, true);
  } else {
    if (uses_low) {
      if (spec->low - low_width != 0)
        CORNER (0, false);
      CORNER (spec->low - low_width, false);
      CORNER (spec->low, true);
    } else
      CORNER (0, true);
    if (uses_high) {
      CORNER (spec->high, true);
      CORNER (spec->high + high_width, false);
    }
  }
  if (corners[n_corners - 1].frequency != nyquist) {
    bool passes = corners[n_corners - 1].passes;

    CORNER (nyquist, passes);
  }
#undef CORNER
  if (!add_notches (spec, corners, &n_corners, message))
    return false;
  for (size_t i = 0; i < n_corners; i++)
    corners[i].frequency /= nyquist;

  length = fmax (ceil (factor / narrowest * spec->rate), 1);
  if (spec->taps > 0)
    n = spec->taps;
  else if (length <= EEG_FIR_MAX_TAPS)
    n = (size_t) length | 1;
  else
    return fail (message,
        "a transition band of %g Hz needs %.0f taps, more "
        "than %d",
        narrowest, length, EEG_FIR_MAX_TAPS);

  *taps = malloc (n * sizeof **taps);
  if (*taps == NULL)
    return fail (message, "no memory for %zu taps", n);
  if (!sum_of_sincs (*taps, n, corners, n_corners, spec, factor, message)) {
    free (*taps);
    *taps = NULL;
    return false;
  }
  *n_taps = n;
  return true;
}

static bool
design_linear (const eeg_fir_spec *spec, double **taps, size_t *n_taps,
    char message[EEG_FIR_MESSAGE_SIZE])
{
  struct corner corners[MAX_CORNERS];
  double nyquist = spec->rate / 2, cutoffs[MAX_CUTOFFS];
  size_t n_cutoffs = 0, n_corners = 0;
  bool passes;

  *taps = NULL;
  *n_taps = 0;
  if (!eeg_fir_check (spec, message))
    return false;
  if (!isfinite (spec->rate))
    return fail (message, "the rate is not known");
  if (spec->taps == 0 || spec->transition > 0)
    return design_by_edges (spec, taps, n_taps, message);

  /* at a cut-off one band ends and the next begins */
  passes = !use_low (spec) || spec->response == EEG_FIR_BAND_STOP;
  corners[n_corners++] = (struct corner){ 0, passes };
  if (use_low (spec)) {
    corners[n_corners++] = (struct corner){ spec->low, passes };
    passes = !passes;
    corners[n_corners++] = (struct corner){ spec->low, passes };
  }
  if (use_high (spec)) {
    corners[n_corners++] = (struct corner){ spec->high, passes };
    passes = !passes;
    corners[n_corners++] = (struct corner){ spec->high, passes };
  }
  corners[n_corners++] = (struct corner){ nyquist, passes };
  if (!add_notches (spec, corners, &n_corners, message))
    return false;
  for (size_t i = 0; i + 1 < n_corners; i++)
    if (corners[i].passes != corners[i + 1].passes)
      cutoffs[n_cutoffs++] =
          (corners[i].frequency + corners[i + 1].frequency) / 2 / nyquist;
  *taps = malloc (spec->taps * sizeof **taps);
  if (*taps == NULL)
    return fail (message, "no memory for %zu taps", spec->taps);
  eeg_fir_firwin (*taps, spec->taps, cutoffs, n_cutoffs, corners[0].passes,
      spec->window, spec->beta);
  *n_taps = spec->taps;
  return true;
}

bool
eeg_fir_design (const eeg_fir_spec *spec, double **taps, size_t *n_taps,
    char message[EEG_FIR_MESSAGE_SIZE])
{
  size_t n;

  if (!design_linear (spec, taps, n_taps, message))
    return false;
  n = *n_taps;
  if (spec->phase == EEG_FIR_LINEAR
      || (spec->phase == EEG_FIR_MINIMUM && n == 1))
    return true;
  if (n < 3)
    fail (message, "%zu taps are too few for minimum-half, which needs 3", n);
  else if (!eeg_fir_to_minimum_phase (*taps, n_taps,
               spec->phase == EEG_FIR_MINIMUM_HALF))
    fail (message, "no memory to turn %zu taps into minimum phase", n);
  else
    return true;
  free (*taps);
  *taps = NULL;
  *n_taps = 0;
  return false;
}
