/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Synthetic EEG, the same on every machine.
 *
 * Sample n of channel c is a pure function of (seed, channels, rate, n, c) in
 * integer arithmetic: no float, no libm, no state that a block boundary could
 * disturb. Any sample can be rendered first, and any split into calls gives
 * the same bytes.
 *
 * EEG_SYNTH_SOURCES latent sources (1/f background, rhythms in bursts, eyes,
 * mains) are mixed into all channels with weights that follow the electrode
 * positions; each channel adds its own electrode offset and amplifier noise.
 */
#ifndef EEG_SYNTH_H
#define EEG_SYNTH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Latent sources, all kinds together. */
#define EEG_SYNTH_SOURCES 16

/* Most channels that eeg_synth_new() takes. */
#define EEG_SYNTH_MAX_CHANNELS 65536

typedef struct eeg_synth eeg_synth;

/* What the rendered counts look like in memory. All are little-endian. */
enum eeg_synth_format
{
  /* 16-bit amplifier: AC-coupled (no electrode offset), 125 nV per count. */
  EEG_SYNTH_S16LE,
  /* 24-bit amplifier: DC-coupled, 31.25 nV per count, three bytes. */
  EEG_SYNTH_S24LE,
  /* The same counts in four bytes. */
  EEG_SYNTH_S32LE,
};

/* One channel as the amplifier's data sheet has it. The ranges are strings
 * of at most eight characters, as an EDF header can hold them. */
struct eeg_synth_channel
{
  char label[16];
  char physical_min[12]; /* microvolts */
  char physical_max[12]; /* microvolts */
  int32_t digital_min;
  int32_t digital_max;
};

/* rate = rate_num / rate_den samples per second. Returns NULL for zero or more
 * than EEG_SYNTH_MAX_CHANNELS channels, a zero rate, or when memory is short.
 * Free with eeg_synth_free(). */
eeg_synth *eeg_synth_new (uint64_t seed, uint32_t channels, uint32_t rate_num,
    uint32_t rate_den);

void eeg_synth_free (eeg_synth *synth);

/* channel < channels */
void eeg_synth_get_channel (const eeg_synth *synth, uint32_t channel,
    enum eeg_synth_format format, struct eeg_synth_channel *out);

/* Bytes of one sample of one channel: 2, 3 or 4. */
size_t eeg_synth_sample_size (enum eeg_synth_format format);

/* Renders frames [first, first + frames) interleaved into out, which holds
 * frames * channels * eeg_synth_sample_size (format) bytes. S16LE needs 2-byte
 * and S32LE 4-byte alignment. Not thread-safe on one eeg_synth. */
void eeg_synth_render (eeg_synth *synth, enum eeg_synth_format format,
    uint64_t first, size_t frames, void *out);

/* A hash of its three arguments (splitmix64's finaliser), for those who need
 * further random numbers that are bound to the same seed. */
uint64_t eeg_synth_hash (uint64_t seed, uint64_t stream, uint64_t index);

#ifdef __cplusplus
}
#endif

#endif
