/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prints the taps of a design, one per line:
 * fir-design-print RESPONSE RATE LOW HIGH TAPS TRANSITION WINDOW BETA PHASE
 * [NOTCH...] */
#include "fir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
find (const char *name, const char *const *names)
{
  for (int i = 0; names[i] != NULL; i++)
    if (strcmp (names[i], name) == 0)
      return i;
  fprintf (stderr, "unknown: %s\n", name);
  exit (2);
}

int
main (int argc, char **argv)
{
  static const char *const responses[] = { "low-pass", "high-pass", "band-pass",
    "band-stop", "notch", NULL };
  static const char *const windows[] = { "hamming", "hann", "blackman",
    "kaiser", NULL };
  static const char *const phases[] = { "linear", "minimum", "minimum-half",
    NULL };
  char message[EEG_FIR_MESSAGE_SIZE];
  eeg_fir_spec spec = { 0 };
  double notches[EEG_FIR_MAX_NOTCHES], *taps;
  size_t n;

  if (argc < 10 || argc > 10 + EEG_FIR_MAX_NOTCHES)
    return 2;
  spec.response = find (argv[1], responses);
  spec.rate = atof (argv[2]);
  spec.low = atof (argv[3]);
  spec.high = atof (argv[4]);
  spec.taps = strtoul (argv[5], NULL, 10);
  spec.transition = atof (argv[6]);
  spec.window = find (argv[7], windows);
  spec.beta = atof (argv[8]);
  spec.phase = find (argv[9], phases);
  for (int i = 10; i < argc; i++)
    notches[spec.n_notches++] = atof (argv[i]);
  spec.notches = notches;
  if (!eeg_fir_design (&spec, &taps, &n, message)) {
    fprintf (stderr, "%s\n", message);
    return 1;
  }
  for (size_t i = 0; i < n; i++)
    printf ("%.17g\n", taps[i]);
  free (taps);
  return 0;
}
