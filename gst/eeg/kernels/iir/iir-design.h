/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EEG_IIR_DESIGN_H
#define EEG_IIR_DESIGN_H

#include <stdbool.h>
#include <stddef.h>

/* Most order that a design takes; band filters have twice as many poles. */
#define EEG_IIR_MAX_ORDER 12
/* A band filter of that order, and as many notches. */
#define EEG_IIR_MAX_SECTIONS (2 * EEG_IIR_MAX_ORDER)

typedef enum
{
  EEG_IIR_BUTTERWORTH,
  EEG_IIR_CHEBYSHEV_1,
  EEG_IIR_CHEBYSHEV_2,
  EEG_IIR_BESSEL,
} EegIirFamily;

typedef enum
{
  EEG_IIR_LOW_PASS,
  EEG_IIR_HIGH_PASS,
  EEG_IIR_BAND_PASS,
  EEG_IIR_BAND_STOP,
} EegIirBand;

/* One second-order section: b[0..2] over 1, a[0..1] (a0 is 1). */
typedef struct
{
  double b[3];
  double a[2];
} EegIirSection;

typedef struct
{
  size_t n_sections;
  EegIirSection sections[EEG_IIR_MAX_SECTIONS];
} EegIirDesign;

/* What to design. Frequencies in Hz, decibels above 0. */
typedef struct
{
  EegIirFamily family;
  EegIirBand band;
  unsigned order;     /* of the low-pass prototype, 1 to EEG_IIR_MAX_ORDER */
  double rate;        /* samples per second */
  double low;         /* cut-off of a high-pass, lower edge of a band */
  double high;        /* cut-off of a low-pass, upper edge of a band */
  double ripple;      /* pass-band ripple in dB, Chebyshev I only */
  double attenuation; /* stop-band attenuation in dB, Chebyshev II only */
} EegIirSpec;

/* Designs a digital filter by bilinear transform of the analog prototype with
 * pre-warped edges (Oppenheim & Schafer, Discrete-Time Signal Processing, ch.
 * 7), as second-order sections in the order of scipy.signal's zpk2sos: the
 * poles closest to the unit circle last, each with its nearest zeros, the gain
 * in the first section. Bessel is normalised by phase: its asymptotes are those
 * of the Butterworth filter of the same order.
 *
 * Returns NULL, or one sentence that says what is wrong with the spec. */
const char *eeg_iir_design (const EegIirSpec *spec, EegIirDesign *design);

/* A second-order notch at frequency Hz whose -3 dB width is frequency /
 * quality (Orfanidis, Introduction to Signal Processing, 11.3). Returns as
 * eeg_iir_design(). */
const char *eeg_iir_design_notch (double rate, double frequency, double quality,
    EegIirDesign *design);

/* Appends the sections of more. Returns false if they do not fit. */
bool eeg_iir_design_append (EegIirDesign *design, const EegIirDesign *more);

/* State of each section, transposed direct form II, after an endless input of
 * 1; scaled by the first sample it starts a filter without a step. */
void eeg_iir_steady_state (const EegIirDesign *design, double (*state)[2]);

/* Complex response at frequency Hz. */
void eeg_iir_response (const EegIirDesign *design, double rate,
    double frequency, double *real, double *imaginary);

#endif /* EEG_IIR_DESIGN_H */
