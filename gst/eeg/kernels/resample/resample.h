/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Another sampling rate for interleaved channels: up / down times the old one,
 * through one windowed-sinc FIR against aliases and images, as polyphase
 * filter.
 *
 * Output sample k of a run lies at input position (first + k * down) / up and
 * is sum_j h[j] x'[first + k * down + half - j], where x' is the input with
 * up - 1 zeros behind each sample and h has 2 * half + 1 taps; only one in `up`
 * of them meets a sample. Arithmetic is F64 without fused operations: output
 * bytes depend on the samples only, not on the CPU or on how the input was
 * split.
 *
 * Channels that are no signals are not filtered. A trigger channel gives each
 * value it takes to an output sample of its own, in their order: where changes
 * come faster than output samples, up to EEG_RESAMPLE_QUEUE of them wait. Any
 * other channel gives the first value that differs from the last one given. No
 * value appears before its time, but at the end of a run, where what comes
 * after the last output sample is put on that. */
#ifndef EEG_RESAMPLE_H
#define EEG_RESAMPLE_H

#include "cpu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EEG_RESAMPLE_MAX_CHANNELS 65536
/* Most values of a trigger channel that wait for an output sample. */
#define EEG_RESAMPLE_QUEUE 8

typedef enum
{
  EEG_RESAMPLE_F32,
  EEG_RESAMPLE_F64
} eeg_resample_format; /* native order */

/* What lies before the first sample and after the last. */
typedef enum
{
  EEG_RESAMPLE_HOLD, /* that sample, repeated */
  EEG_RESAMPLE_ZERO
} eeg_resample_edge;

typedef enum
{
  EEG_RESAMPLE_SIGNAL,  /* is filtered */
  EEG_RESAMPLE_TRIGGER, /* every value counts */
  EEG_RESAMPLE_OTHER
} eeg_resample_kind;

typedef struct
{
  unsigned channels; /* 1 to EEG_RESAMPLE_MAX_CHANNELS, interleaved */
  eeg_resample_format format;
  eeg_resample_edge edge;
  uint32_t up, down;              /* above 0, without a common divisor */
  const double *taps;             /* 2 * half + 1, copied */
  size_t half;                    /* at least up and down */
  const eeg_resample_kind *kinds; /* per channel, copied; NULL: all signals */
  eeg_cpu cpu;                    /* widest build to use */
} eeg_resample_config;

typedef struct eeg_resample eeg_resample;

/* NULL without memory, or for numbers out of range. */
eeg_resample *eeg_resample_new (const eeg_resample_config *config);
void eeg_resample_free (eeg_resample *resample);

/* The build that runs. */
eeg_cpu eeg_resample_get_cpu (const eeg_resample *resample);
/* Bytes of memory it holds. */
size_t eeg_resample_get_size (const eeg_resample *resample);
/* Frames of input after an output sample's time that it waits for. */
size_t eeg_resample_get_delay (const eeg_resample *resample);
/* Frames of input before a position that decide about what follows it. */
size_t eeg_resample_get_look_back (const eeg_resample *resample);

/* Begins a run. The first output sample lies `first` / up input samples after
 * the first input sample; first < down. */
void eeg_resample_start (eeg_resample *resample, uint32_t first);

/* Frames taken in since the start. */
uint64_t eeg_resample_get_in (const eeg_resample *resample);

/* Frames that eeg_resample_process() will give for this many. */
size_t eeg_resample_get_ready (const eeg_resample *resample, size_t frames);

/* Takes `frames` frames and writes as many as eeg_resample_get_ready() said,
 * which it returns. in and out do not overlap. */
size_t eeg_resample_process (eeg_resample *resample, const void *in,
    size_t frames, void *out);

/* After the last input: writes up to `frames` of the frames still due, and
 * returns how many; 0 when all are out. Then only eeg_resample_start() and
 * eeg_resample_free() may follow. */
size_t eeg_resample_drain (eeg_resample *resample, void *out, size_t frames);

/* Values of trigger channels that were dropped since eeg_resample_new(), since
 * too many waited. */
uint64_t eeg_resample_get_dropped (const eeg_resample *resample);

/* What the channels that are no signals remember, as bytes to save and restore;
 * the signals' past has to be fed again, see eeg_resample_get_look_back(). load
 * returns false if the bytes are not those of as many such channels. */
size_t eeg_resample_state_size (const eeg_resample *resample);
void eeg_resample_save_state (const eeg_resample *resample,
    unsigned char *bytes);
bool eeg_resample_load_state (eeg_resample *resample,
    const unsigned char *bytes, size_t size);

#endif
