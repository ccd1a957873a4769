/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every compiler and optimisation level must make the same synthetic EEG. The
 * build compiles this file and the kernel with each of them. */
#include "synth.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define GOLDEN UINT64_C (0xef4bafdebe5743b3)

static const struct
{
  uint64_t seed;
  uint32_t channels;
  uint32_t rate_num;
  uint32_t rate_den;
  uint64_t first;
  size_t frames;
} cases[] = {
  { 0, 8, 250, 1, 0, 10000 },
  { 1, 64, 2048, 1, 0, 3000 },
  { 2, 3, 64, 5, 12345, 4000 },
  { 3, 17, 975, 2, UINT64_C (86400) * 975 / 2, 4000 },
  { UINT64_MAX, 1, 16384, 1, UINT64_C (1) << 40, 20000 },
  { 5, 139, 1, 10, 0, 500 },
};

/* FNV-1a, 64 bits */
static uint64_t
add_to_hash (uint64_t hash, const uint8_t *data, size_t size)
{
  for (size_t i = 0; i < size; i++)
    hash = (hash ^ data[i]) * UINT64_C (0x100000001b3);
  return hash;
}

int
main (void)
{
  static const enum eeg_synth_format formats[] = { EEG_SYNTH_S16LE,
    EEG_SYNTH_S24LE, EEG_SYNTH_S32LE };
  uint64_t hash = UINT64_C (0xcbf29ce484222325);

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    eeg_synth *synth = eeg_synth_new (cases[i].seed, cases[i].channels,
        cases[i].rate_num, cases[i].rate_den);

    for (int f = 0; synth && f < 3; f++) {
      size_t size = cases[i].frames * cases[i].channels
          * eeg_synth_sample_size (formats[f]);
      uint8_t *data = malloc (size);

      if (!data)
        return 1;
      eeg_synth_render (synth, formats[f], cases[i].first, cases[i].frames,
          data);
      hash = add_to_hash (hash, data, size);
      free (data);
    }
    eeg_synth_free (synth);
  }

  if (hash != GOLDEN) {
    printf ("hash %016" PRIx64 ", expected %016" PRIx64 "\n", hash, GOLDEN);
    return 1;
  }
  return 0;
}
