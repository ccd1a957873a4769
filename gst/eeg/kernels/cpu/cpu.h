/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which build of a kernel runs on this machine.
 *
 * Kernels are compiled once for the architecture's base and once per wider
 * instruction set; the choice is made at run time. The environment variable
 * GSTEEG_CPU (base, avx2 or avx512) asks for a narrower one, for tests and for
 * comparing; what the machine cannot run is never chosen. */
#ifndef EEG_CPU_H
#define EEG_CPU_H

#include <stdbool.h>

typedef enum
{
  EEG_CPU_BASE,   /* what every CPU of the architecture has */
  EEG_CPU_AVX2,   /* x86-64 with AVX2 and FMA */
  EEG_CPU_AVX512, /* x86-64 with AVX-512 F, DQ, BW and VL */
  EEG_CPU_COUNT
} eeg_cpu;

/* Whether this machine can run it. Thread-safe. */
bool eeg_cpu_supports (eeg_cpu cpu);

/* The widest that this machine runs and GSTEEG_CPU allows. An unknown value
 * of the variable counts as none. Thread-safe while nobody calls setenv(). */
eeg_cpu eeg_cpu_choose (void);

/* "base", "avx2" or "avx512"; static. */
const char *eeg_cpu_name (eeg_cpu cpu);

#endif
