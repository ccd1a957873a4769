/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "eegpack-private.h"

#include <pthread.h>

/* Measured over recordings and over noise of several shapes, the same weight to
 * each: how often a symbol occurs at a scale. Rows 0 to 27 are scales of a
 * quarter octave from a mean of 1/32 on; the last four hold for all above. */
const uint16_t eeg_eegpack_frequencies[CONTEXTS][SYMBOLS] = {
  { 1013, 4, 4, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 },
  { 1000, 11, 10, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 },
  { 997, 12, 12, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 },
  { 993, 14, 14, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 },
  { 983, 19, 19, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 },
  { 977, 22, 22, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 },
  { 965, 28, 28, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 },
  { 955, 33, 33, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 },
  { 933, 39, 39, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 },
  { 913, 49, 49, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 },
  { 893, 59, 59, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 },
  { 875, 68, 68, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 },
  { 849, 81, 81, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 },
  { 808, 101, 100, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 },
  { 771, 118, 118, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 },
  { 737, 134, 134, 4, 4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 },
  { 687, 156, 156, 7, 7, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 },
  { 630, 179, 178, 12, 12, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1 },
  { 573, 199, 199, 20, 20, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1 },
  { 523, 212, 212, 30, 30, 4, 4, 1, 1, 1, 1, 1, 1, 1, 1, 1 },
  { 458, 223, 222, 48, 48, 7, 7, 2, 2, 1, 1, 1, 1, 1, 1, 1 },
  { 365, 227, 227, 78, 78, 17, 17, 4, 4, 1, 1, 1, 1, 1, 1, 1 },
  { 301, 225, 225, 98, 98, 29, 29, 6, 6, 1, 1, 1, 1, 1, 1, 1 },
  { 277, 216, 216, 109, 109, 36, 36, 8, 8, 2, 2, 1, 1, 1, 1, 1 },
  { 251, 206, 206, 115, 115, 47, 47, 13, 13, 3, 3, 1, 1, 1, 1, 1 },
  { 229, 188, 187, 118, 118, 57, 57, 22, 22, 7, 7, 3, 5, 2, 1, 1 },
  { 205, 169, 169, 116, 116, 65, 65, 32, 32, 15, 15, 6, 13, 4, 1, 1 },
  { 180, 156, 156, 112, 112, 71, 71, 40, 40, 21, 21, 11, 24, 7, 1, 1 },
  { 295, 244, 183, 125, 78, 44, 24, 13, 7, 4, 2, 1, 1, 1, 1, 1 },
  { 247, 215, 175, 133, 94, 62, 39, 24, 14, 8, 4, 3, 3, 1, 1, 1 },
  { 212, 190, 162, 131, 101, 75, 52, 35, 23, 15, 9, 6, 8, 3, 1, 1 },
  { 185, 170, 148, 126, 103, 81, 61, 45, 33, 23, 15, 10, 16, 6, 1, 1 },
};

const uint8_t eeg_eegpack_symbol_base[SYMBOLS] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
  10, 11, 12, 16, 32, 0 };
const uint8_t eeg_eegpack_symbol_bits[SYMBOLS] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 2, 4, 8, 32 };

static eeg_eegpack_tables shared;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
fill (void)
{
  for (unsigned c = 0; c < CONTEXTS; c++) {
    unsigned slot = 0;

    for (unsigned s = 0; s < SYMBOLS; s++) {
      uint32_t frequency = eeg_eegpack_frequencies[c][s], start = slot;
      uint32_t bits = s == ESCAPE ? 31 : eeg_eegpack_symbol_bits[s];

      if (frequency > 0)
        shared.encode[c * SYMBOLS + s] = frequency | start << 16;
      for (; slot < start + frequency; slot++)
        shared.decode[c << PROBABILITY_BITS | slot] = frequency
            | (slot - start) << 11 | (uint32_t) eeg_eegpack_symbol_base[s] << 21
            | bits << 27;
    }
  }
  for (unsigned s = 0; s < SYMBOLS; s++)
    shared.symbols[s] = eeg_eegpack_symbol_base[s]
        | (uint32_t) eeg_eegpack_symbol_bits[s] << 16;
  for (unsigned m = 0; m < 256; m++) {
    unsigned n = 0;

    for (unsigned i = 0; i < 8; i++)
      if (m >> i & 1) {
        shared.expand[m][i] = (uint8_t) n;
        shared.compress[m][n++] = (uint8_t) i;
      }
  }
}

const eeg_eegpack_tables *
eeg_eegpack_get_tables (void)
{
  pthread_once (&once, fill);
  return &shared;
}

const eeg_eegpack_loops *
eeg_eegpack_choose_loops (eeg_cpu *cpu)
{
#ifdef HAVE_AVX512
  if (*cpu >= EEG_CPU_AVX512 && eeg_cpu_supports (EEG_CPU_AVX512)) {
    *cpu = EEG_CPU_AVX512;
    return &eeg_eegpack_loops_avx512;
  }
#endif
#ifdef HAVE_AVX2
  if (*cpu >= EEG_CPU_AVX2 && eeg_cpu_supports (EEG_CPU_AVX2)) {
    *cpu = EEG_CPU_AVX2;
    return &eeg_eegpack_loops_avx2;
  }
#endif
  *cpu = EEG_CPU_BASE;
  return &eeg_eegpack_loops_base;
}

size_t
eeg_eegpack_sample_size (eeg_eegpack_format format)
{
  static const uint8_t sizes[EEG_EEGPACK_FORMATS] = { 2, 3, 4, 4, 8 };

  return (unsigned) format < EEG_EEGPACK_FORMATS ? sizes[format] : 0;
}

bool
eeg_eegpack_block_fits (eeg_eegpack_format format, uint32_t channels,
    uint32_t frames)
{
  uint64_t columns = (uint64_t) channels * (format == EEG_EEGPACK_F64 ? 2 : 1);

  return (unsigned) format < EEG_EEGPACK_FORMATS && channels > 0
      && channels <= EEG_EEGPACK_MAX_CHANNELS && frames > 0
      && frames <= EEG_EEGPACK_MAX_FRAMES
      && columns * frames <= EEG_EEGPACK_MAX_SAMPLES;
}

size_t
eeg_eegpack_bound (eeg_eegpack_format format, uint32_t channels,
    uint32_t frames)
{
  /* one byte, and the samples as they are when nothing helps */
  return 1 + (size_t) frames * channels * eeg_eegpack_sample_size (format);
}
