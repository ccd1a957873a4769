/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prints the sections of designs for test-iir-scipy.py: reads lines of
 * "family band order rate low high ripple attenuation" or "notch rate frequency
 * quality", writes one line of numbers or "error: reason" for each; after
 * "filter N" follow N samples, answered by the filtered ones of the last
 * design. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iir.h"

static void
print_design (const EegIirDesign *design)
{
  double state[EEG_IIR_MAX_SECTIONS][2];

  eeg_iir_steady_state (design, state);
  for (size_t i = 0; i < design->n_sections; i++) {
    const EegIirSection *s = &design->sections[i];

    printf ("%.17g %.17g %.17g %.17g %.17g %.17g %.17g ", s->b[0], s->b[1],
        s->b[2], s->a[0], s->a[1], state[i][0], state[i][1]);
  }
  printf ("\n");
}

static int
filter_samples (const EegIirDesign *design, size_t n)
{
  double *samples = calloc (n, sizeof *samples);
  EegIir *iir = eeg_iir_new (1, NULL, eeg_cpu_choose ());

  if (samples == NULL || iir == NULL)
    return 1;
  for (size_t i = 0; i < n; i++) {
    if (scanf ("%lf", &samples[i]) != 1)
      return 1;
  }
  eeg_iir_set_design (iir, design);
  eeg_iir_process_f64 (iir, samples, samples, n);
  for (size_t i = 0; i < n; i++)
    printf ("%.17g ", samples[i]);
  printf ("\n");
  eeg_iir_free (iir);
  free (samples);
  return 0;
}

int
main (void)
{
  EegIirDesign design = { 0 };
  char word[32];

  while (scanf ("%31s", word) == 1) {
    const char *problem;

    if (strcmp (word, "filter") == 0) {
      size_t n;

      if (scanf ("%zu", &n) != 1 || filter_samples (&design, n) != 0)
        return 1;
      continue;
    }
    if (strcmp (word, "notch") == 0) {
      double rate, frequency, quality;

      if (scanf ("%lf %lf %lf", &rate, &frequency, &quality) != 3)
        return 1;
      problem = eeg_iir_design_notch (rate, frequency, quality, &design);
    } else {
      EegIirSpec spec;
      int family = atoi (word), band;

      if (scanf ("%d %u %lf %lf %lf %lf %lf", &band, &spec.order, &spec.rate,
              &spec.low, &spec.high, &spec.ripple, &spec.attenuation)
          != 7)
        return 1;
      spec.family = (EegIirFamily) family;
      spec.band = (EegIirBand) band;
      problem = eeg_iir_design (&spec, &design);
    }
    if (problem != NULL)
      printf ("error: %s\n", problem);
    else
      print_design (&design);
  }
  return 0;
}
