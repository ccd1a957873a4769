/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[EEG_CPU_COUNT] = { "base", "avx2", "avx512" };

bool
eeg_cpu_supports (eeg_cpu cpu)
{
  switch (cpu) {
    case EEG_CPU_BASE:
      return true;
#if defined(__x86_64__) && defined(__GNUC__)
    /* these ask for the operating system's consent too */
    case EEG_CPU_AVX2:
      return __builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma");
    case EEG_CPU_AVX512:
      return __builtin_cpu_supports ("avx512f")
          && __builtin_cpu_supports ("avx512dq")
          && __builtin_cpu_supports ("avx512bw")
          && __builtin_cpu_supports ("avx512vl")
          && __builtin_cpu_supports ("fma");
#endif
    default:
      return false;
  }
}

eeg_cpu
eeg_cpu_choose (void)
{
  const char *wish = getenv ("GSTEEG_CPU");
  eeg_cpu limit = EEG_CPU_COUNT - 1;

  if (wish != NULL)
    for (eeg_cpu i = 0; i < EEG_CPU_COUNT; i++)
      if (strcmp (wish, names[i]) == 0)
        limit = i;

  for (eeg_cpu i = limit; i > EEG_CPU_BASE; i--)
    if (eeg_cpu_supports (i))
      return i;
  return EEG_CPU_BASE;
}

const char *
eeg_cpu_name (eeg_cpu cpu)
{
  return cpu < EEG_CPU_COUNT ? names[cpu] : "base";
}
