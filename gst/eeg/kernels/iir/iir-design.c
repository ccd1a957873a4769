/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "iir-design.h"

#include <complex.h>
#include <float.h>
#include <math.h>
#include <string.h>

#define MAX_ROOTS (2 * EEG_IIR_MAX_ORDER + 2)
#define PI 3.14159265358979323846

/* gain * prod (s - zeros) / prod (s - poles) */
typedef struct
{
  size_t n_zeros, n_poles;
  double complex zeros[MAX_ROOTS];
  double complex poles[MAX_ROOTS];
  double gain;
} Roots;

static double complex
make_complex (double real, double imaginary)
{
  /* CMPLX() is missing where clang meets glibc; the layout is the standard's */
  double parts[2] = { real, imaginary };
  double complex value;

  memcpy (&value, parts, sizeof value);
  return value;
}

static double complex
product_of_negatives (const double complex *roots, size_t n)
{
  double complex product = 1.0;

  for (size_t i = 0; i < n; i++)
    product *= -roots[i];
  return product;
}

/* Poles on the left half of the unit circle, from below the real axis to above
 * it. The middle one of an odd order is exactly real. */
static double complex
circle_pole (int index, int order)
{
  double angle = PI * index / (2.0 * order);

  return index == 0 ? -1.0 : make_complex (-cos (angle), -sin (angle));
}

static void
design_butterworth (int order, Roots *r)
{
  for (int m = -order + 1; m < order; m += 2)
    r->poles[r->n_poles++] = circle_pole (m, order);
  r->gain = 1.0;
}

static void
design_chebyshev_1 (int order, double ripple, Roots *r)
{
  double epsilon = sqrt (pow (10.0, 0.1 * ripple) - 1.0);
  double mu = asinh (1.0 / epsilon) / order;

  for (int m = -order + 1; m < order; m += 2) {
    double theta = PI * m / (2.0 * order);

    r->poles[r->n_poles++] = make_complex (-sinh (mu) * cos (theta),
        m == 0 ? 0.0 : -cosh (mu) * sin (theta));
  }
  r->gain = creal (product_of_negatives (r->poles, r->n_poles));
  if (order % 2 == 0)
    r->gain /= sqrt (1.0 + epsilon * epsilon);
}

static void
design_chebyshev_2 (int order, double attenuation, Roots *r)
{
  double epsilon = 1.0 / sqrt (pow (10.0, 0.1 * attenuation) - 1.0);
  double mu = asinh (1.0 / epsilon) / order;

  for (int m = -order + 1; m < order; m += 2) {
    double complex pole = circle_pole (m, order);

    if (m != 0)
      r->zeros[r->n_zeros++] =
          make_complex (0.0, 1.0 / sin (m * PI / (2.0 * order)));
    r->poles[r->n_poles++] =
        1.0 / make_complex (sinh (mu) * creal (pole), cosh (mu) * cimag (pole));
  }
  r->gain = creal (product_of_negatives (r->poles, r->n_poles)
      / product_of_negatives (r->zeros, r->n_zeros));
}

/* The poles are the roots of the reverse Bessel polynomial
 * sum_k (2n-k)! / (2^(n-k) k! (n-k)!) s^k, found all at once (Aberth) in long
 * double, which leaves them exact to the last bit of a double. */
static void
design_bessel (int order, Roots *r)
{
  long double c[EEG_IIR_MAX_ORDER + 1];
  long double complex s[EEG_IIR_MAX_ORDER];
  long double scale;

  c[order] = 1.0L;
  for (int k = order; k > 0; k--)
    c[k - 1] = c[k] * (2 * order - k + 1) * k / (2.0L * (order - k + 1));

  /* |root| grows as the order; the start has no symmetry to get stuck in */
  for (int i = 0; i < order; i++)
    s[i] = powl (c[0], 1.0L / order)
        * cexpl (I * (2.0L * (long double) PI * (i + 0.3L) / order));
  for (int round = 0; round < 200; round++) {
    long double change = 0.0L;

    for (int i = 0; i < order; i++) {
      long double complex value = c[order], slope = 0.0L, repulsion = 0.0L;
      long double complex newton, step;

      for (int k = order - 1; k >= 0; k--) {
        slope = slope * s[i] + value;
        value = value * s[i] + c[k];
      }
      newton = value / slope;
      for (int j = 0; j < order; j++) {
        if (j != i)
          repulsion += 1.0L / (s[i] - s[j]);
      }
      step = newton / (1.0L - newton * repulsion);
      s[i] -= step;
      if (cabsl (step) > change * cabsl (s[i]))
        change = cabsl (step) / cabsl (s[i]);
    }
    if (change < 4 * LDBL_EPSILON)
      break;
  }

  scale = powl (10.0L, -log10l (c[0]) / order);
  for (int i = 0; i < order; i++) {
    double complex pole = (double complex) (s[i] * scale);

    /* real or in exact conjugate pairs */
    if (fabs (cimag (pole)) < 1e-12)
      r->poles[r->n_poles++] = creal (pole);
    else if (cimag (pole) > 0) {
      r->poles[r->n_poles++] = pole;
      r->poles[r->n_poles++] = conj (pole);
    }
  }
  r->gain = 1.0;
}

static void
scale_to_low_pass (Roots *r, double edge)
{
  for (size_t i = 0; i < r->n_zeros; i++)
    r->zeros[i] *= edge;
  for (size_t i = 0; i < r->n_poles; i++)
    r->poles[i] *= edge;
  r->gain *= pow (edge, (double) (r->n_poles - r->n_zeros));
}

static void
invert_to_high_pass (Roots *r, double edge)
{
  r->gain *= creal (product_of_negatives (r->zeros, r->n_zeros)
      / product_of_negatives (r->poles, r->n_poles));
  for (size_t i = 0; i < r->n_zeros; i++)
    r->zeros[i] = edge / r->zeros[i];
  for (size_t i = 0; i < r->n_poles; i++)
    r->poles[i] = edge / r->poles[i];
  while (r->n_zeros < r->n_poles)
    r->zeros[r->n_zeros++] = 0.0;
}

/* Each root splits into two around +centre and -centre. */
static void
split_roots (double complex *roots, size_t n, double centre)
{
  for (size_t i = 0; i < n; i++) {
    double complex s = roots[i];
    double complex distance = csqrt (s * s - centre * centre);

    roots[i] = s + distance;
    roots[n + i] = s - distance;
  }
}

static void
shift_to_band_pass (Roots *r, double centre, double width)
{
  size_t degree = r->n_poles - r->n_zeros;

  for (size_t i = 0; i < r->n_zeros; i++)
    r->zeros[i] *= width / 2;
  for (size_t i = 0; i < r->n_poles; i++)
    r->poles[i] *= width / 2;
  split_roots (r->zeros, r->n_zeros, centre);
  split_roots (r->poles, r->n_poles, centre);
  r->n_zeros *= 2;
  r->n_poles *= 2;
  for (size_t i = 0; i < degree; i++)
    r->zeros[r->n_zeros++] = 0.0;
  r->gain *= pow (width, (double) degree);
}

static void
shift_to_band_stop (Roots *r, double centre, double width)
{
  size_t degree = r->n_poles - r->n_zeros;

  r->gain *= creal (product_of_negatives (r->zeros, r->n_zeros)
      / product_of_negatives (r->poles, r->n_poles));
  for (size_t i = 0; i < r->n_zeros; i++)
    r->zeros[i] = (width / 2) / r->zeros[i];
  for (size_t i = 0; i < r->n_poles; i++)
    r->poles[i] = (width / 2) / r->poles[i];
  split_roots (r->zeros, r->n_zeros, centre);
  split_roots (r->poles, r->n_poles, centre);
  r->n_zeros *= 2;
  r->n_poles *= 2;
  for (size_t i = 0; i < degree; i++) {
    r->zeros[r->n_zeros++] = make_complex (0.0, centre);
    r->zeros[r->n_zeros++] = make_complex (0.0, -centre);
  }
}

/* s = 4 (z - 1) / (z + 1), with edges warped for a rate of 2 */
static void
transform_bilinear (Roots *r)
{
  double complex zeros = 1.0, poles = 1.0;

  for (size_t i = 0; i < r->n_zeros; i++) {
    zeros *= 4.0 - r->zeros[i];
    r->zeros[i] = (4.0 + r->zeros[i]) / (4.0 - r->zeros[i]);
  }
  for (size_t i = 0; i < r->n_poles; i++) {
    poles *= 4.0 - r->poles[i];
    r->poles[i] = (4.0 + r->poles[i]) / (4.0 - r->poles[i]);
  }
  r->gain *= creal (zeros / poles);
  while (r->n_zeros < r->n_poles)
    r->zeros[r->n_zeros++] = -1.0;
}

static bool
is_real (double complex z)
{
  return cimag (z) == 0.0;
}

/* Keeps one of each conjugate pair, pairs first, then the real ones, each by
 * real part and then by imaginary part. Returns how many are left. */
static size_t
keep_one_of_pairs (double complex *roots, size_t n)
{
  double complex kept[MAX_ROOTS];
  size_t n_kept = 0, n_pairs;

  for (size_t i = 0; i < n; i++) {
    if (fabs (cimag (roots[i])) > 100 * DBL_EPSILON * cabs (roots[i])
        && cimag (roots[i]) > 0)
      kept[n_kept++] = roots[i];
  }
  n_pairs = n_kept;
  for (size_t i = 0; i < n; i++) {
    if (fabs (cimag (roots[i])) <= 100 * DBL_EPSILON * cabs (roots[i]))
      kept[n_kept++] = creal (roots[i]);
  }
  for (size_t i = 1; i < n_kept; i++) {
    size_t first = i < n_pairs ? 0 : n_pairs;
    double complex root = kept[i];
    size_t j = i;

    for (; j > first; j--) {
      double difference = creal (kept[j - 1]) - creal (root);
      double tolerance = 100 * DBL_EPSILON * cabs (root);
      bool same = i < n_pairs && fabs (difference) <= tolerance;

      if (same ? cimag (kept[j - 1]) <= cimag (root) : difference <= 0)
        break;
      kept[j] = kept[j - 1];
    }
    kept[j] = root;
  }
  memcpy (roots, kept, n_kept * sizeof *kept);
  return n_kept;
}

/* NaN when there is no such root, which ends in coefficients that are not
 * finite and so in an error. */
static double complex
take_root (double complex *roots, size_t *n, size_t index)
{
  double complex root;

  if (index >= *n)
    return NAN;
  root = roots[index];
  (*n)--;
  for (size_t i = index; i < *n; i++)
    roots[i] = roots[i + 1];
  return root;
}

static size_t
count_real (const double complex *roots, size_t n)
{
  size_t count = 0;

  for (size_t i = 0; i < n; i++)
    count += is_real (roots[i]);
  return count;
}

static size_t
find_closest_to_circle (const double complex *roots, size_t n, bool only_real)
{
  size_t best = n;
  double least = INFINITY;

  for (size_t i = 0; i < n; i++) {
    double distance = fabs (1.0 - cabs (roots[i]));

    if (distance < least && (!only_real || is_real (roots[i]))) {
      least = distance;
      best = i;
    }
  }
  return best;
}

typedef enum
{
  ROOT_ANY,
  ROOT_REAL,
  ROOT_COMPLEX,
} RootChoice;

static size_t
find_nearest (const double complex *roots, size_t n, double complex to,
    RootChoice choice)
{
  size_t best = n;
  double least = INFINITY;

  for (size_t i = 0; i < n; i++) {
    double distance = cabs (roots[i] - to);

    if (choice != ROOT_ANY && is_real (roots[i]) != (choice == ROOT_REAL))
      continue;
    if (distance < least) {
      least = distance;
      best = i;
    }
  }
  return best;
}

/* (1 - first / z) (1 - second / z) as 1, c[0], c[1] */
static void
multiply_out (double complex first, double complex second, double *c)
{
  c[0] = -creal (first + second);
  c[1] = creal (first * second);
}

static void
set_section (EegIirSection *section, double complex zero_1,
    double complex zero_2, double complex pole_1, double complex pole_2)
{
  section->b[0] = 1.0;
  multiply_out (zero_1, zero_2, &section->b[1]);
  multiply_out (pole_1, pole_2, section->a);
}

static void
make_sections (Roots *r, EegIirDesign *design)
{
  size_t n_zeros, n_poles;

  if (r->n_poles % 2 == 1) {
    r->poles[r->n_poles++] = 0.0;
    r->zeros[r->n_zeros++] = 0.0;
  }
  design->n_sections = r->n_poles / 2;
  n_zeros = keep_one_of_pairs (r->zeros, r->n_zeros);
  n_poles = keep_one_of_pairs (r->poles, r->n_poles);

  for (size_t i = design->n_sections; i-- > 0;) {
    EegIirSection *section = &design->sections[i];
    double complex pole, other_pole, zero, other_zero;

    pole = take_root (r->poles, &n_poles,
        find_closest_to_circle (r->poles, n_poles, false));
    if (is_real (pole) && count_real (r->poles, n_poles) == 0) {
      zero = take_root (r->zeros, &n_zeros,
          find_nearest (r->zeros, n_zeros, pole, ROOT_REAL));
      set_section (section, zero, 0.0, pole, 0.0);
      continue;
    }
    if (n_poles + 1 == n_zeros && !is_real (pole)
        && count_real (r->poles, n_poles) == 1
        && count_real (r->zeros, n_zeros) == 1) {
      /* the last real pole will need the last real zero */
      zero = take_root (r->zeros, &n_zeros,
          find_nearest (r->zeros, n_zeros, pole, ROOT_COMPLEX));
      set_section (section, zero, conj (zero), pole, conj (pole));
      continue;
    }
    if (is_real (pole))
      other_pole = take_root (r->poles, &n_poles,
          find_closest_to_circle (r->poles, n_poles, true));
    else
      other_pole = conj (pole);
    zero = take_root (r->zeros, &n_zeros,
        find_nearest (r->zeros, n_zeros, pole, ROOT_ANY));
    if (is_real (zero))
      other_zero = take_root (r->zeros, &n_zeros,
          find_nearest (r->zeros, n_zeros, pole, ROOT_REAL));
    else
      other_zero = conj (zero);
    set_section (section, zero, other_zero, pole, other_pole);
  }
  for (size_t i = 0; i < 3; i++)
    design->sections[0].b[i] *= r->gain;
}

static const char *
check_edges (const EegIirSpec *spec)
{
  bool has_low = spec->band != EEG_IIR_LOW_PASS;
  bool has_high = spec->band != EEG_IIR_HIGH_PASS;
  double nyquist = spec->rate / 2;

  if (!isfinite (spec->rate) || !(spec->rate > 0))
    return "the rate must be above 0";
  if (has_low && !(spec->low > 0 && spec->low < nyquist))
    return "low must lie between 0 and half the rate";
  if (has_high && !(spec->high > 0 && spec->high < nyquist))
    return "high must lie between 0 and half the rate";
  if (has_low && has_high && !(spec->low < spec->high))
    return "low must be below high";
  return NULL;
}

static bool
is_finite_design (const EegIirDesign *design)
{
  for (size_t i = 0; i < design->n_sections; i++) {
    const EegIirSection *s = &design->sections[i];

    if (!isfinite (s->b[0]) || !isfinite (s->b[1]) || !isfinite (s->b[2])
        || !isfinite (s->a[0]) || !isfinite (s->a[1]))
      return false;
  }
  return true;
}

const char *
eeg_iir_design (const EegIirSpec *spec, EegIirDesign *design)
{
  Roots r = { 0 };
  const char *problem = check_edges (spec);
  double low, high;

  if (problem != NULL)
    return problem;
  if (spec->order < 1 || spec->order > EEG_IIR_MAX_ORDER)
    return "the order must lie between 1 and 12";

  switch (spec->family) {
    case EEG_IIR_BUTTERWORTH:
      design_butterworth ((int) spec->order, &r);
      break;
    case EEG_IIR_CHEBYSHEV_1:
      if (!(spec->ripple > 0) || !isfinite (spec->ripple))
        return "the ripple must be above 0 dB";
      design_chebyshev_1 ((int) spec->order, spec->ripple, &r);
      break;
    case EEG_IIR_CHEBYSHEV_2:
      if (!(spec->attenuation > 0) || !isfinite (spec->attenuation))
        return "the attenuation must be above 0 dB";
      design_chebyshev_2 ((int) spec->order, spec->attenuation, &r);
      break;
    case EEG_IIR_BESSEL:
      design_bessel ((int) spec->order, &r);
      break;
    default:
      return "unknown filter family";
  }

  low = 4.0 * tan (PI * (2 * spec->low / spec->rate) / 2.0);
  high = 4.0 * tan (PI * (2 * spec->high / spec->rate) / 2.0);
  switch (spec->band) {
    case EEG_IIR_LOW_PASS:
      scale_to_low_pass (&r, high);
      break;
    case EEG_IIR_HIGH_PASS:
      invert_to_high_pass (&r, low);
      break;
    case EEG_IIR_BAND_PASS:
      shift_to_band_pass (&r, sqrt (low * high), high - low);
      break;
    case EEG_IIR_BAND_STOP:
      shift_to_band_stop (&r, sqrt (low * high), high - low);
      break;
    default:
      return "unknown band";
  }
  transform_bilinear (&r);
  make_sections (&r, design);
  return is_finite_design (design)
      ? NULL
      : "these settings give no finite coefficients";
}

const char *
eeg_iir_design_notch (double rate, double frequency, double quality,
    EegIirDesign *design)
{
  EegIirSection *section = &design->sections[0];
  double w0, beta, gain;

  if (!isfinite (rate) || !(rate > 0))
    return "the rate must be above 0";
  if (!(frequency > 0 && frequency < rate / 2))
    return "the notch must lie between 0 and half the rate";
  if (!(quality > 0) || !isfinite (quality))
    return "the quality factor must be above 0";

  w0 = 2 * frequency / rate;
  beta = tan (w0 / quality * PI / 2.0);
  w0 *= PI;
  gain = 1.0 / (1.0 + beta);
  design->n_sections = 1;
  section->b[0] = gain;
  section->b[1] = gain * (-2.0 * cos (w0));
  section->b[2] = gain;
  section->a[0] = -2.0 * gain * cos (w0);
  section->a[1] = 2.0 * gain - 1.0;
  return is_finite_design (design)
      ? NULL
      : "these settings give no finite coefficients";
}

bool
eeg_iir_design_append (EegIirDesign *design, const EegIirDesign *more)
{
  if (more->n_sections > EEG_IIR_MAX_SECTIONS - design->n_sections)
    return false;
  memcpy (&design->sections[design->n_sections], more->sections,
      more->n_sections * sizeof *more->sections);
  design->n_sections += more->n_sections;
  return true;
}

void
eeg_iir_steady_state (const EegIirDesign *design, double (*state)[2])
{
  double input = 1.0;

  for (size_t i = 0; i < design->n_sections; i++) {
    const EegIirSection *s = &design->sections[i];
    double output =
        input * (s->b[0] + s->b[1] + s->b[2]) / (1.0 + s->a[0] + s->a[1]);

    /* y = b0 x + s0, s0 = b1 x - a1 y + s1, s1 = b2 x - a2 y */
    state[i][1] = s->b[2] * input - s->a[1] * output;
    state[i][0] = s->b[1] * input - s->a[0] * output + state[i][1];
    input = output;
  }
}

void
eeg_iir_response (const EegIirDesign *design, double rate, double frequency,
    double *real, double *imaginary)
{
  double complex delay =
      cexp (make_complex (0.0, -2.0 * PI * frequency / rate));
  double complex response = 1.0;

  for (size_t i = 0; i < design->n_sections; i++) {
    const EegIirSection *s = &design->sections[i];

    response *= (s->b[0] + delay * (s->b[1] + delay * s->b[2]))
        / (1.0 + delay * (s->a[0] + delay * s->a[1]));
  }
  *real = creal (response);
  *imaginary = cimag (response);
}
