/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* FIR filters for interleaved multichannel samples: design, kernels, and a
 * stream that filters any number of channels in step.
 *
 * A kernel is immutable and counted: one thread designs it, another runs it. A
 * stream belongs to one thread at a time. Arithmetic is F64, whatever the
 * samples are. Output bytes depend on the kernel, the samples and the build of
 * the kernel that runs (see eeg_cpu), never on how the input was split. */
#ifndef EEG_FIR_H
#define EEG_FIR_H

#include "cpu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest kernel: 0.1 Hz by the automatic rule at 120 kHz. */
#define EEG_FIR_MAX_TAPS 4194303
/* Most channels of a stream. */
#define EEG_FIR_MAX_CHANNELS 65536
/* Largest beta of the Kaiser window. */
#define EEG_FIR_MAX_BETA 500.0
/* Most notches of a design. */
#define EEG_FIR_MAX_NOTCHES 32
/* Room for the text that says why a design failed. */
#define EEG_FIR_MESSAGE_SIZE 192

/* ---- design ---- */

typedef enum
{
  EEG_FIR_HAMMING, /* 0.54, 0.46 */
  EEG_FIR_HANN,
  EEG_FIR_BLACKMAN, /* 0.42, 0.5, 0.08 */
  EEG_FIR_KAISER    /* with beta */
} eeg_fir_window;

typedef enum
{
  EEG_FIR_LOW_PASS,  /* below `high` */
  EEG_FIR_HIGH_PASS, /* above `low` */
  EEG_FIR_BAND_PASS, /* `low` to `high` */
  EEG_FIR_BAND_STOP, /* all but `low` to `high` */
  EEG_FIR_ALL_PASS   /* all but notches */
} eeg_fir_response;

typedef enum
{
  EEG_FIR_LINEAR,      /* all frequencies delayed alike, by half the kernel */
  EEG_FIR_MINIMUM,     /* the same magnitude, as early as it can be */
  EEG_FIR_MINIMUM_HALF /* the square root of the magnitude (half the dB), with
                          half the taps: scipy.signal.minimum_phase() of 1.10 */
} eeg_fir_phase;

typedef struct
{
  eeg_fir_response response;
  double rate;       /* Hz */
  double low, high;  /* Hz; what they mean depends on `taps` */
  size_t taps;       /* 0: automatic, else odd */
  double transition; /* Hz, width of each transition band; 0: automatic */
  eeg_fir_window window;
  double beta; /* Kaiser window only, 0 to EEG_FIR_MAX_BETA */
  eeg_fir_phase phase;
  const double *notches; /* Hz, taken out of what else passes */
  size_t n_notches;      /* up to EEG_FIR_MAX_NOTCHES */
} eeg_fir_spec;

/* Designs a linear-phase kernel and turns it into `phase`: `minimum` has as
 * many taps, its pass band within 0.01 dB; `minimum-half` needs 3 taps or more
 * and leaves half of them, rounded up. Two conventions, told apart by `taps`
 * and `transition`:
 *
 * - `taps` given and no transition: one windowed sinc, as scipy.signal.firwin()
 *   makes it with scale=True; low and high are the -6 dB cut-offs.
 * - else: as mne.filter.create_filter() does; low and high are the edges of the
 *   pass band (of the pass bands around a stop band). Each edge has its own
 *   transition band outside the pass band, with the -6 dB point in its middle,
 *   and its own windowed sinc, just long enough for it; the kernel is their
 *   centred sum. Automatic transitions: min (max (low / 4, 2), low) and min
 *   (max (high / 4, 2), rate / 2 - high) Hz; where the two do not fit into a
 *   stop band, a quarter of its width at most. Automatic length: 3.3 s (Hann
 *   3.1, Blackman 5.0, Kaiser by Kaiser's formula for beta) over the narrowest
 *   transition in Hz, rounded up to an odd number of samples.
 *
 * Notches are those of mne.filter.notch_filter() with its defaults: a frequency
 * f has a stop band of f / 200 Hz with transition bands of 0.5 Hz (or
 * `transition`) on both sides of it; by the first convention a band stop
 * between the middles of these. They must lie inside of a pass band.
 *
 * Returns true and a malloc()ed array, or false and a sentence in `message`. */
bool eeg_fir_design (const eeg_fir_spec *spec, double **taps, size_t *n_taps,
    char message[EEG_FIR_MESSAGE_SIZE]);

/* What eeg_fir_design() checks before it designs. The rate may be INFINITY
 * where it is not known yet. */
bool eeg_fir_check (const eeg_fir_spec *spec,
    char message[EEG_FIR_MESSAGE_SIZE]);

/* The windowed sinc itself: taps[0 .. n - 1] for n_cutoffs rising cut-offs in
 * units of half the rate (each above 0 and below 1), the first band passing if
 * pass_zero; scaled to gain 1 in the middle of the first pass band, or at 0 or
 * half the rate where that band touches them. At most 2 + 2 *
 * EEG_FIR_MAX_NOTCHES cut-offs. The caller sees to it that n is
 * odd where half the rate passes. */
void eeg_fir_firwin (double *taps, size_t n, const double *cutoffs,
    size_t n_cutoffs, bool pass_zero, eeg_fir_window window, double beta);

/* ---- kernel ---- */

typedef struct eeg_fir_kernel eeg_fir_kernel;

/* As eeg_fir_kernel_new()'s delay: half the kernel, rounded down, if it is
 * symmetric or antisymmetric to 1e-12 of its largest tap; else 0. */
#define EEG_FIR_DELAY_AUTO SIZE_MAX

typedef enum
{
  EEG_FIR_NO_LATENCY,   /* output n leaves with input n + delay */
  EEG_FIR_BLOCK_LATENCY /* faster for long kernels: output n leaves with input
                           n + delay + eeg_fir_kernel_get_latency() */
} eeg_fir_latency;

/* Copies 1 to EEG_FIR_MAX_TAPS finite taps. Output sample n is made of the
 * input samples n + delay - (n_taps - 1) to n + delay; delay < n_taps. NULL
 * without memory or outside these limits. */
eeg_fir_kernel *eeg_fir_kernel_new (const double *taps, size_t n_taps,
    size_t delay, eeg_fir_latency latency);

eeg_fir_kernel *eeg_fir_kernel_ref (eeg_fir_kernel *kernel);
void eeg_fir_kernel_unref (eeg_fir_kernel *kernel); /* NULL is fine */

const double *eeg_fir_kernel_get_taps (const eeg_fir_kernel *kernel,
    size_t *n_taps);
size_t eeg_fir_kernel_get_delay (const eeg_fir_kernel *kernel);
/* Frames that are held beside the delay, so that work can be done in blocks. */
size_t eeg_fir_kernel_get_latency (const eeg_fir_kernel *kernel);
/* Frames before an output on which its bytes depend: with a stream that starts
 * so much earlier, they are those of one that ran from any earlier start. */
size_t eeg_fir_kernel_get_look_back (const eeg_fir_kernel *kernel);
/* How it is applied: "direct" (sums of products), "partitioned" (direct and
 * transforms of rising length) or "blocks" (transforms of one length);
 * static. */
const char *eeg_fir_kernel_get_engine (const eeg_fir_kernel *kernel);
/* Whether all frequencies are delayed alike. */
bool eeg_fir_kernel_is_linear_phase (const eeg_fir_kernel *kernel);

/* ---- stream ---- */

typedef enum
{
  EEG_FIR_F32,
  EEG_FIR_F64
} eeg_fir_format; /* native order */

/* What lies before the first sample and after the last. */
typedef enum
{
  EEG_FIR_HOLD,   /* that sample, repeated */
  EEG_FIR_ZERO,   /* nothing */
  EEG_FIR_REFLECT /* the signal turned about that sample by half a turn */
} eeg_fir_edge;

typedef struct
{
  unsigned channels;     /* 1 to EEG_FIR_MAX_CHANNELS, interleaved */
  eeg_fir_format format; /* input and output */
  eeg_fir_edge edge;
  const bool *filtered; /* per channel; the others pass, equally delayed.
                           NULL: all are filtered. Copied. */
  eeg_cpu cpu;          /* widest build to use */
  size_t fade;          /* frames of a take-over's cross-fade */
} eeg_fir_config;

typedef struct eeg_fir_stream eeg_fir_stream;

/* Makes a stream for this kernel (of which it takes a reference) with all the
 * memory it will ever need. `reserve`: the largest sum of delay and latency of
 * a stream that eeg_fir_stream_take_over() will later replace, or 0. NULL
 * without memory. */
eeg_fir_stream *eeg_fir_stream_new (eeg_fir_kernel *kernel,
    const eeg_fir_config *config, size_t reserve);
void eeg_fir_stream_free (eeg_fir_stream *stream);

/* Forgets all samples; the next one is number `index` of the signal. Blocks lie
 * on a grid of these numbers. (Above 2^62 they start anew.) */
void eeg_fir_stream_start (eeg_fir_stream *stream, uint64_t index);

/* The kernel it runs; no reference is given. */
eeg_fir_kernel *eeg_fir_stream_get_kernel (const eeg_fir_stream *stream);
/* The build that runs. */
eeg_cpu eeg_fir_stream_get_cpu (const eeg_fir_stream *stream);
/* Bytes of memory it holds. */
size_t eeg_fir_stream_get_size (const eeg_fir_stream *stream);
/* Additions and multiplications that it has done since it was made. */
uint64_t eeg_fir_stream_get_operations (const eeg_fir_stream *stream);

/* Numbers of the frames that are taken in and given out next. */
uint64_t eeg_fir_stream_get_in (const eeg_fir_stream *stream);
uint64_t eeg_fir_stream_get_out (const eeg_fir_stream *stream);

/* Frames that eeg_fir_stream_process() will give for this many. It is more than
 * `frames` only after a longer delay was replaced. */
size_t eeg_fir_stream_get_ready (const eeg_fir_stream *stream, size_t frames);

/* Takes `frames` frames and writes as many as eeg_fir_stream_get_ready() said,
 * which it returns. Output n leaves with input n + delay + latency. Work is
 * spread evenly over the frames. in and out are aligned to their sample, and
 * the same memory or not overlapping; the same only if no more frames come out
 * than go in. */
size_t eeg_fir_stream_process (eeg_fir_stream *stream, const void *in,
    size_t frames, void *out);

/* After the last input: writes up to `frames` of the frames still held, as the
 * edge rule completes them, and returns how many; 0 when all are out. Then only
 * eeg_fir_stream_start(), eeg_fir_stream_bridge() and eeg_fir_stream_free() may
 * follow. */
size_t eeg_fir_stream_drain (eeg_fir_stream *stream, void *out, size_t frames);

/* After eeg_fir_stream_drain() gave all: goes on `missing` frames after the
 * last input, and gives next the frame of that number. The missing frames count
 * as the last one before them, and nothing is given for them. */
void eeg_fir_stream_bridge (eeg_fir_stream *stream, uint64_t missing);

/* Makes `stream`, new or just started, go on where `old` stands: it takes the
 * samples that `old` remembers and gives next the frame that `old` would give
 * next. What a longer kernel needs of the time before is as at a start. Both
 * have the same channels and format; `old` has not been drained.
 *
 * The first config.fade frames go over from what `old` gives to what `stream`
 * gives: until then `old` belongs to `stream`, which runs it, and
 * eeg_fir_stream_release() gives it back. A fade of old's own ends at once.
 * False if `reserve` was too small for old's delay: nothing has changed. */
bool eeg_fir_stream_take_over (eeg_fir_stream *stream, eeg_fir_stream *old);

#define EEG_FIR_SOON UINT64_MAX

/* As eeg_fir_stream_take_over(), but output frame `at` is the first of the
 * fade, or one that lies so far ahead that the work is spread for EEG_FIR_SOON.
 * Until then `old` belongs to `stream`: what comes in and out goes through it,
 * and with every frame `stream` makes up for some of the past. A frame that
 * has come out already counts as the next one. With less than
 * eeg_fir_kernel_get_approach() frames to go more is done at once; with
 * EEG_FIR_REFLECT, where the kernel spans more than is remembered, what
 * transforms it needs are done at its first output.
 *
 * While it approaches it is neither drained nor bridged nor replaced:
 * eeg_fir_stream_release() gives `old` back as it is, and `stream` may begin
 * again. */
bool eeg_fir_stream_approach (eeg_fir_stream *stream, eeg_fir_stream *old,
    uint64_t at);

/* Whether what comes out is still what the stream before gives; and the one
 * that gives it: `stream` itself when it does not approach. */
bool eeg_fir_stream_is_approaching (const eeg_fir_stream *stream);
const eeg_fir_stream *eeg_fir_stream_get_running (const eeg_fir_stream *stream);

/* How many frames have come in when the approach ends. */
uint64_t eeg_fir_stream_get_arrival (const eeg_fir_stream *stream);

/* Frames over which an approach spreads its work: no frame takes more than
 * about five times the work of the longer kernel. 0 where all taps are applied
 * directly, which needs nothing of the kind. */
size_t eeg_fir_kernel_get_approach (const eeg_fir_kernel *kernel);

/* How many of the next frames are made with frames from before what is
 * remembered. */
size_t eeg_fir_stream_get_missing (const eeg_fir_stream *stream);

/* Whether a cross-fade is under way. */
bool eeg_fir_stream_is_fading (const eeg_fir_stream *stream);

/* The stream that was replaced, for the caller to free, or NULL; ends the
 * cross-fade if it is under way. */
eeg_fir_stream *eeg_fir_stream_release (eeg_fir_stream *stream);

#endif
