/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "montage-private.h"

#include <stdlib.h>
#include <string.h>

struct eeg_montage
{
  eeg_montage_plan plan;
  eeg_montage_func func;
  eeg_cpu cpu;
  size_t size;          /* of all memory */
  size_t in_frame;      /* bytes */
  size_t out_frame;     /* bytes */
  bool identity;        /* every channel passes where it was */
  bool works_in_place;  /* no channel is read after it was written */
  uint32_t *from;       /* out */
  int32_t *minus;       /* out */
  int64_t *used;        /* in, rounded up to LANES, then as many `changed` */
  unsigned char *frame; /* scratch, in_frame */
};

static const eeg_montage_table *
choose_table (eeg_cpu wanted, eeg_cpu *got)
{
  *got = EEG_CPU_BASE;
#ifdef HAVE_AVX512
  if (wanted >= EEG_CPU_AVX512 && eeg_cpu_supports (EEG_CPU_AVX512)) {
    *got = EEG_CPU_AVX512;
    return &eeg_montage_avx512;
  }
#endif
#ifdef HAVE_AVX2
  if (wanted >= EEG_CPU_AVX2 && eeg_cpu_supports (EEG_CPU_AVX2)) {
    *got = EEG_CPU_AVX2;
    return &eeg_montage_avx2;
  }
#endif
  return &eeg_montage_base;
}

static size_t
round_up (size_t channels)
{
  return (channels + EEG_MONTAGE_LANES - 1) / EEG_MONTAGE_LANES
      * EEG_MONTAGE_LANES;
}

static eeg_montage *
montage_new (unsigned in, unsigned out, size_t bytes_per_sample)
{
  eeg_montage *montage;

  if (in < 1 || in > EEG_MONTAGE_MAX_CHANNELS || out < 1
      || out > EEG_MONTAGE_MAX_CHANNELS)
    return NULL;
  montage = calloc (1, sizeof *montage);
  if (montage == NULL)
    return NULL;
  montage->in_frame = in * bytes_per_sample;
  montage->out_frame = out * bytes_per_sample;
  montage->from = calloc (out, sizeof *montage->from);
  montage->minus = calloc (out, sizeof *montage->minus);
  montage->used = calloc (2 * round_up (in), sizeof *montage->used);
  montage->frame = malloc (montage->in_frame);
  if (montage->from == NULL || montage->minus == NULL || montage->used == NULL
      || montage->frame == NULL) {
    eeg_montage_free (montage);
    return NULL;
  }
  montage->size = sizeof *montage
      + out * (sizeof *montage->from + sizeof *montage->minus)
      + 2 * round_up (in) * sizeof *montage->used + montage->in_frame;
  montage->plan = (eeg_montage_plan){ .in = in,
    .out = out,
    .from = montage->from,
    .minus = montage->minus,
    .used = montage->used,
    .changed = montage->used + round_up (in),
    .n_used = 0 };
  return montage;
}

eeg_montage *
eeg_montage_new_select (size_t bytes_per_sample, unsigned in_channels,
    const unsigned *from, unsigned out_channels, eeg_cpu cpu)
{
  eeg_montage *montage;
  int width;

  switch (bytes_per_sample) {
    case 2:
    case 3:
    case 4:
      width = (int) bytes_per_sample - 2;
      break;
    case 8:
      width = 3;
      break;
    default:
      return NULL;
  }
  montage = montage_new (in_channels, out_channels, bytes_per_sample);
  if (montage == NULL)
    return NULL;
  montage->identity = in_channels == out_channels;
  for (unsigned i = 0; i < out_channels; i++) {
    if (from[i] >= in_channels) {
      eeg_montage_free (montage);
      return NULL;
    }
    montage->from[i] = from[i];
    montage->identity &= from[i] == i;
  }
  montage->func = choose_table (cpu, &montage->cpu)->select[width];
  return montage;
}

eeg_montage *
eeg_montage_new_mean (eeg_montage_format format, unsigned channels,
    const bool *used, const bool *changed, eeg_cpu cpu)
{
  eeg_montage *montage =
      montage_new (channels, channels, format == EEG_MONTAGE_F32 ? 4 : 8);
  int64_t *changed_mask;

  if (montage == NULL)
    return NULL;
  changed_mask = montage->used + round_up (channels);
  montage->identity = true;
  for (unsigned i = 0; i < channels; i++) {
    montage->used[i] = used[i] ? -1 : 0;
    changed_mask[i] = changed[i] ? -1 : 0;
    montage->plan.n_used += used[i];
    montage->identity &= !changed[i];
  }
  if (montage->plan.n_used == 0) {
    eeg_montage_free (montage);
    return NULL;
  }
  montage->works_in_place = true;
  montage->func = choose_table (cpu, &montage->cpu)->mean[format];
  return montage;
}

eeg_montage *
eeg_montage_new_difference (eeg_montage_format format, unsigned in_channels,
    const unsigned *from, const int *minus, unsigned out_channels, eeg_cpu cpu)
{
  eeg_montage *montage = montage_new (in_channels, out_channels,
      format == EEG_MONTAGE_F32 ? 4 : 8);

  if (montage == NULL)
    return NULL;
  montage->identity = in_channels == out_channels;
  for (unsigned i = 0; i < out_channels; i++) {
    if (from[i] >= in_channels
        || (minus[i] >= 0 && (unsigned) minus[i] >= in_channels)) {
      eeg_montage_free (montage);
      return NULL;
    }
    montage->from[i] = from[i];
    montage->minus[i] = minus[i];
    montage->identity &= from[i] == i && minus[i] < 0;
  }
  montage->func = choose_table (cpu, &montage->cpu)->difference[format];
  return montage;
}

void
eeg_montage_free (eeg_montage *montage)
{
  if (montage == NULL)
    return;
  free (montage->from);
  free (montage->minus);
  free (montage->used);
  free (montage->frame);
  free (montage);
}

eeg_cpu
eeg_montage_get_cpu (const eeg_montage *montage)
{
  return montage->cpu;
}

size_t
eeg_montage_get_size (const eeg_montage *montage)
{
  return montage->size;
}

bool
eeg_montage_is_identity (const eeg_montage *montage)
{
  return montage->identity;
}

void
eeg_montage_run (eeg_montage *montage, const void *in, void *out, size_t frames)
{
  if (montage->identity) {
    if (in != out)
      memcpy (out, in, frames * montage->in_frame);
  } else if (in == out && !montage->works_in_place) {
    unsigned char *p = out;

    for (size_t f = 0; f < frames; f++, p += montage->out_frame) {
      memcpy (montage->frame, p, montage->in_frame);
      montage->func (&montage->plan, montage->frame, p, 1);
    }
  } else {
    montage->func (&montage->plan, in, out, frames);
  }
}
