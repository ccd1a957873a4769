/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "convert-private.h"

#include <stdlib.h>

#define MAX_CHANNELS 65536

struct eeg_convert
{
  eeg_convert_func func;
  eeg_cpu cpu;
  unsigned channels;
  size_t period;
  double *gain; /* period + EEG_CONVERT_LANES entries, then as many offsets */
  double *offset;
};

eeg_convert *
eeg_convert_new (eeg_convert_in in, eeg_convert_out out, const double *gain,
    const double *offset, unsigned channels, eeg_cpu cpu)
{
  eeg_convert *convert;
  const eeg_convert_table *table = &eeg_convert_base;
  size_t period, entries;

  if (channels < 1 || channels > MAX_CHANNELS)
    return NULL;
  convert = malloc (sizeof *convert);
  if (convert == NULL)
    return NULL;

  /* few channels repeat until a vector fits */
  period = channels;
  while (period < EEG_CONVERT_LANES)
    period += channels;
  entries = period + EEG_CONVERT_LANES;

  convert->channels = channels;
  convert->period = period;
  convert->gain = malloc (2 * entries * sizeof (double));
  if (convert->gain == NULL) {
    free (convert);
    return NULL;
  }
  convert->offset = convert->gain + entries;
  for (size_t i = 0; i < entries; i++) {
    convert->gain[i] = gain[i % channels];
    convert->offset[i] = offset[i % channels];
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
    free (convert->gain);
  free (convert);
}

eeg_cpu
eeg_convert_get_cpu (const eeg_convert *convert)
{
  return convert->cpu;
}

void
eeg_convert_run (const eeg_convert *convert, void *dst, const void *src,
    size_t frames)
{
  convert->func (dst, src, convert->gain, convert->offset, convert->period,
      frames * convert->channels);
}
