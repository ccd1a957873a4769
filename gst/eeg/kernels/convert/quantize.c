/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "quantize.h"

#include "convert-private.h"

#include <stdlib.h>

struct eeg_quantize
{
  eeg_quantize_func func;
  eeg_cpu cpu;
  eeg_convert_calibration calibration;
};

eeg_quantize *
eeg_quantize_new (eeg_convert_values in, eeg_convert_counts out,
    const double *gain, const double *offset, unsigned channels, eeg_cpu cpu)
{
  const eeg_quantize_table *table = &eeg_quantize_base;
  eeg_quantize *quantize = malloc (sizeof *quantize);

  if (quantize == NULL
      || !eeg_convert_calibration_init (&quantize->calibration, gain, offset,
          channels)) {
    free (quantize);
    return NULL;
  }
  quantize->cpu = EEG_CPU_BASE;
#ifdef HAVE_AVX2
  if (cpu >= EEG_CPU_AVX2 && eeg_cpu_supports (EEG_CPU_AVX2)) {
    quantize->cpu = EEG_CPU_AVX2;
    table = &eeg_quantize_avx2;
  }
#endif
#ifdef HAVE_AVX512
  if (cpu >= EEG_CPU_AVX512 && eeg_cpu_supports (EEG_CPU_AVX512)) {
    quantize->cpu = EEG_CPU_AVX512;
    table = &eeg_quantize_avx512;
  }
#endif
  quantize->func = (*table)[in][out];
  return quantize;
}

void
eeg_quantize_free (eeg_quantize *quantize)
{
  if (quantize != NULL)
    eeg_convert_calibration_clear (&quantize->calibration);
  free (quantize);
}

eeg_cpu
eeg_quantize_get_cpu (const eeg_quantize *quantize)
{
  return quantize->cpu;
}

size_t
eeg_quantize_get_memory (const eeg_quantize *quantize)
{
  return sizeof *quantize
      + eeg_convert_calibration_get_memory (&quantize->calibration);
}

uint64_t
eeg_quantize_run (const eeg_quantize *quantize, void *dst, const void *src,
    size_t frames)
{
  const eeg_convert_calibration *calibration = &quantize->calibration;

  return quantize->func (dst, src, calibration->gain, calibration->offset,
      calibration->period, frames * calibration->channels);
}
