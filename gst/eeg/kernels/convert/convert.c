/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "convert-private.h"

#include <stdlib.h>

#define MAX_CHANNELS 65536

struct eeg_convert
{
  eeg_convert_func func;
  eeg_cpu cpu;
  eeg_convert_calibration calibration;
};

bool
eeg_convert_calibration_init (eeg_convert_calibration *calibration,
    const double *gain, const double *offset, unsigned channels)
{
  size_t period, entries;

  if (channels < 1 || channels > MAX_CHANNELS)
    return false;

  /* few channels repeat until a vector fits */
  period = channels;
  while (period < EEG_CONVERT_LANES)
    period += channels;
  entries = period + EEG_CONVERT_LANES;

  calibration->channels = channels;
  calibration->period = period;
  calibration->gain = malloc (2 * entries * sizeof (double));
  if (calibration->gain == NULL)
    return false;
  calibration->offset = calibration->gain + entries;
  for (size_t i = 0; i < entries; i++) {
    calibration->gain[i] = gain[i % channels];
    calibration->offset[i] = offset[i % channels];
  }
  return true;
}

void
eeg_convert_calibration_clear (eeg_convert_calibration *calibration)
{
  free (calibration->gain);
}

size_t
eeg_convert_calibration_get_memory (const eeg_convert_calibration *calibration)
{
  return 2 * (calibration->period + EEG_CONVERT_LANES) * sizeof (double);
}

eeg_convert *
eeg_convert_new (eeg_convert_counts in, eeg_convert_values out,
    const double *gain, const double *offset, unsigned channels, eeg_cpu cpu)
{
  const eeg_convert_table *table = &eeg_convert_base;
  eeg_convert *convert = malloc (sizeof *convert);

  if (convert == NULL
      || !eeg_convert_calibration_init (&convert->calibration, gain, offset,
          channels)) {
    free (convert);
    return NULL;
  }
  convert->cpu = EEG_CPU_BASE;
#ifdef HAVE_AVX2
  if (cpu >= EEG_CPU_AVX2 && eeg_cpu_supports (EEG_CPU_AVX2)) {
    convert->cpu = EEG_CPU_AVX2;
    table = &eeg_convert_avx2;
  }
#endif
#ifdef HAVE_AVX512
  if (cpu >= EEG_CPU_AVX512 && eeg_cpu_supports (EEG_CPU_AVX512)) {
    convert->cpu = EEG_CPU_AVX512;
    table = &eeg_convert_avx512;
  }
#endif
  convert->func = (*table)[in][out];
  return convert;
}

void
eeg_convert_free (eeg_convert *convert)
{
  if (convert != NULL)
    eeg_convert_calibration_clear (&convert->calibration);
  free (convert);
}

eeg_cpu
eeg_convert_get_cpu (const eeg_convert *convert)
{
  return convert->cpu;
}

size_t
eeg_convert_get_memory (const eeg_convert *convert)
{
  return sizeof *convert
      + eeg_convert_calibration_get_memory (&convert->calibration);
}

void
eeg_convert_run (const eeg_convert *convert, void *dst, const void *src,
    size_t frames)
{
  const eeg_convert_calibration *calibration = &convert->calibration;

  convert->func (dst, src, calibration->gain, calibration->offset,
      calibration->period, frames * calibration->channels);
}
