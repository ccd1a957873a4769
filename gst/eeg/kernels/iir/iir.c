/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "iir-private.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Tiny states are set to 0 at multiples of this many frames since the start,
 * so that silence does not end in slow subnormal arithmetic, and the result
 * still does not depend on how the samples are split. */
#define SNAP_INTERVAL 1024
#define SNAP_BELOW 1e-290

struct EegIir
{
  size_t channels;
  size_t stride;
  const eeg_iir_table *table;
  eeg_cpu cpu;
  EegIirDesign design;
  uint64_t frame; /* since the start */
  bool start_steady;
  bool has_shift; /* the design changed since the last frame */
  double shift[EEG_IIR_MAX_SECTIONS][2]; /* of the states, for an input of 1 */
  unsigned char *filtered;               /* stride */
  double *first;  /* states, EEG_IIR_MAX_SECTIONS times stride */
  double *second; /* as many */
};

static size_t
round_up (size_t channels)
{
  return (channels + EEG_IIR_PAD - 1) / EEG_IIR_PAD * EEG_IIR_PAD;
}

size_t
eeg_iir_memory (size_t channels)
{
  return sizeof (EegIir)
      + round_up (channels) * (1 + 2 * EEG_IIR_MAX_SECTIONS * sizeof (double));
}

static void
choose_table (EegIir *iir, eeg_cpu wanted)
{
  iir->cpu = EEG_CPU_BASE;
  iir->table = &eeg_iir_base;
#ifdef HAVE_AVX2
  if (wanted >= EEG_CPU_AVX2 && eeg_cpu_supports (EEG_CPU_AVX2)) {
    iir->cpu = EEG_CPU_AVX2;
    iir->table = &eeg_iir_avx2;
  }
#endif
#ifdef HAVE_AVX512
  if (wanted >= EEG_CPU_AVX512 && eeg_cpu_supports (EEG_CPU_AVX512)) {
    iir->cpu = EEG_CPU_AVX512;
    iir->table = &eeg_iir_avx512;
  }
#endif
}

EegIir *
eeg_iir_new (size_t channels, const bool *filtered, eeg_cpu cpu)
{
  EegIir *iir = calloc (1, sizeof *iir);
  size_t size;

  if (iir == NULL)
    return NULL;
  iir->channels = channels;
  iir->stride = round_up (channels);
  choose_table (iir, cpu);
  size = EEG_IIR_MAX_SECTIONS * iir->stride * sizeof (double);
  iir->filtered = calloc (iir->stride, 1);
  iir->first = aligned_alloc (64, size);
  iir->second = aligned_alloc (64, size);
  if (iir->filtered == NULL || iir->first == NULL || iir->second == NULL) {
    eeg_iir_free (iir);
    return NULL;
  }
  for (size_t c = 0; c < channels; c++)
    iir->filtered[c] = filtered == NULL || filtered[c];
  eeg_iir_restart (iir, true);
  return iir;
}

void
eeg_iir_free (EegIir *iir)
{
  if (iir == NULL)
    return;
  free (iir->filtered);
  free (iir->first);
  free (iir->second);
  free (iir);
}

eeg_cpu
eeg_iir_get_cpu (const EegIir *iir)
{
  return iir->cpu;
}

void
eeg_iir_restart (EegIir *iir, bool steady)
{
  size_t size = EEG_IIR_MAX_SECTIONS * iir->stride * sizeof (double);

  memset (iir->first, 0, size);
  memset (iir->second, 0, size);
  iir->frame = 0;
  iir->start_steady = steady;
  iir->has_shift = false;
}

void
eeg_iir_set_design (EegIir *iir, const EegIirDesign *design)
{
  bool same = iir->design.n_sections == design->n_sections;

  if (!same) {
    iir->design = *design;
    eeg_iir_restart (iir, iir->start_steady);
  } else if (iir->frame > 0) {
    double before[EEG_IIR_MAX_SECTIONS][2], after[EEG_IIR_MAX_SECTIONS][2];

    eeg_iir_steady_state (&iir->design, before);
    eeg_iir_steady_state (design, after);
    for (size_t s = 0; s < design->n_sections; s++) {
      for (size_t i = 0; i < 2; i++)
        iir->shift[s][i] = (iir->has_shift ? iir->shift[s][i] : 0) + after[s][i]
            - before[s][i];
    }
    iir->has_shift = true;
    iir->design = *design;
  } else {
    iir->design = *design;
  }
}

const EegIirDesign *
eeg_iir_get_design (const EegIir *iir)
{
  return &iir->design;
}

/* The state of a channel for this sample and the steady states for 1. */
static void
start_channel (EegIir *iir, double (*steady)[2], size_t channel, double x)
{
  for (size_t s = 0; s < iir->design.n_sections; s++) {
    iir->first[s * iir->stride + channel] =
        isfinite (x) ? steady[s][0] * x : 0.0;
    iir->second[s * iir->stride + channel] =
        isfinite (x) ? steady[s][1] * x : 0.0;
  }
}

static void
snap_channel (EegIir *iir, double (*steady)[2], size_t channel, double x)
{
  bool finite = true;

  for (size_t s = 0; s < iir->design.n_sections; s++) {
    double *first = &iir->first[s * iir->stride + channel];
    double *second = &iir->second[s * iir->stride + channel];

    finite &= isfinite (*first) && isfinite (*second);
    if (fabs (*first) < SNAP_BELOW)
      *first = 0.0;
    if (fabs (*second) < SNAP_BELOW)
      *second = 0.0;
  }
  if (!finite)
    start_channel (iir, steady, channel, iir->start_steady ? x : 0.0);
}

static void
shift_channel (EegIir *iir, size_t channel, double x)
{
  for (size_t s = 0; isfinite (x) && s < iir->design.n_sections; s++) {
    iir->first[s * iir->stride + channel] += iir->shift[s][0] * x;
    iir->second[s * iir->stride + channel] += iir->shift[s][1] * x;
  }
}

/* What comes before a channel's next frame, whose sample is x. */
static void
prepare_channel (EegIir *iir, double (*steady)[2], size_t channel, double x)
{
  if (iir->frame == 0 && iir->start_steady)
    start_channel (iir, steady, channel, x);
  if (iir->has_shift)
    shift_channel (iir, channel, x);
  if (iir->frame > 0 && iir->frame % SNAP_INTERVAL == 0)
    snap_channel (iir, steady, channel, x);
}

#define DEFINE_PROCESS(name, type, run)                                        \
  void name (EegIir *iir, const type *in, type *out, size_t frames)            \
  {                                                                            \
    while (frames > 0) {                                                       \
      size_t block = SNAP_INTERVAL - iir->frame % SNAP_INTERVAL;               \
                                                                               \
      if (block > frames)                                                      \
        block = frames;                                                        \
      if (iir->frame % SNAP_INTERVAL == 0 || iir->has_shift) {                 \
        double steady[EEG_IIR_MAX_SECTIONS][2];                                \
                                                                               \
        eeg_iir_steady_state (&iir->design, steady);                           \
        for (size_t c = 0; c < iir->channels; c++)                             \
          prepare_channel (iir, steady, c, in[c]);                             \
      }                                                                        \
      iir->table->run (&iir->design, iir->first, iir->second, iir->stride,     \
          iir->filtered, in, out, block, iir->channels);                       \
      iir->has_shift = false;                                                  \
      iir->frame += block;                                                     \
      in += block * iir->channels;                                             \
      out += block * iir->channels;                                            \
      frames -= block;                                                         \
    }                                                                          \
  }

DEFINE_PROCESS (eeg_iir_process_f32, float, run_f32)
DEFINE_PROCESS (eeg_iir_process_f64, double, run_f64)

/* Saved: sections, channels and frame as 64-bit words, then for each section
 * the first and the second state of each channel. */
#define STATE_HEADER 3

static size_t
count_state_doubles (const EegIir *iir)
{
  return iir->channels * iir->design.n_sections * 2;
}

static void
store_word (unsigned char *bytes, uint64_t word)
{
  for (int i = 0; i < 8; i++)
    bytes[i] = (unsigned char) (word >> (8 * i));
}

static uint64_t
load_word (const unsigned char *bytes)
{
  uint64_t word = 0;

  for (int i = 0; i < 8; i++)
    word |= (uint64_t) bytes[i] << (8 * i);
  return word;
}

size_t
eeg_iir_state_size (const EegIir *iir)
{
  return 8 * (STATE_HEADER + count_state_doubles (iir));
}

static unsigned char *
store_doubles (unsigned char *bytes, const double *values, size_t n)
{
  for (size_t i = 0; i < n; i++, bytes += 8) {
    uint64_t word;

    memcpy (&word, &values[i], sizeof word);
    store_word (bytes, word);
  }
  return bytes;
}

static const unsigned char *
load_doubles (const unsigned char *bytes, double *values, size_t n)
{
  for (size_t i = 0; i < n; i++, bytes += 8) {
    uint64_t word = load_word (bytes);

    memcpy (&values[i], &word, sizeof word);
  }
  return bytes;
}

void
eeg_iir_save_state (const EegIir *iir, unsigned char *bytes)
{
  store_word (bytes, iir->design.n_sections);
  store_word (bytes + 8, iir->channels);
  store_word (bytes + 16, iir->frame);
  bytes += 8 * STATE_HEADER;
  for (size_t s = 0; s < iir->design.n_sections; s++) {
    bytes = store_doubles (bytes, iir->first + s * iir->stride, iir->channels);
    bytes = store_doubles (bytes, iir->second + s * iir->stride, iir->channels);
  }
}

bool
eeg_iir_load_state (EegIir *iir, const unsigned char *bytes, size_t size)
{
  const unsigned char *p;

  if (size != eeg_iir_state_size (iir)
      || load_word (bytes) != iir->design.n_sections
      || load_word (bytes + 8) != iir->channels)
    return false;
  p = bytes + 8 * STATE_HEADER;
  for (size_t s = 0; s < iir->design.n_sections; s++) {
    p = load_doubles (p, iir->first + s * iir->stride, iir->channels);
    p = load_doubles (p, iir->second + s * iir->stride, iir->channels);
  }
  iir->frame = load_word (bytes + 16);
  iir->has_shift = false;
  return true;
}
