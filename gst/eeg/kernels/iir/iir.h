/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EEG_IIR_H
#define EEG_IIR_H

#include <stdbool.h>
#include <stddef.h>

#include "cpu.h"
#include "iir-design.h"

/* Second-order sections over interleaved channels: transposed direct form II
 * in double, the arithmetic of scipy.signal.sosfilt. Output bytes depend on the
 * samples and the build of the kernel that runs (see eeg_cpu), not on how they
 * are split into calls: builds with fused multiply-add give the same ones. */
typedef struct EegIir EegIir;

/* filtered says for each channel whether it is filtered or passes unchanged;
 * NULL filters all. cpu: the widest build to use. Returns NULL if memory is
 * out. */
EegIir *eeg_iir_new (size_t channels, const bool *filtered, eeg_cpu cpu);
void eeg_iir_free (EegIir *iir);

/* The build that runs. */
eeg_cpu eeg_iir_get_cpu (const EegIir *iir);

/* Memory of an object for so many channels. */
size_t eeg_iir_memory (size_t channels);

/* Takes other coefficients. With the same number of sections the filter goes
 * on: its state moves by what the steady states of the two designs differ for
 * the next frame, so that an electrode's offset makes no step. With another
 * number it starts anew at the next frame. */
void eeg_iir_set_design (EegIir *iir, const EegIirDesign *design);
const EegIirDesign *eeg_iir_get_design (const EegIir *iir);

/* The next call starts in the steady state of its first frame (true), or from
 * rest (false). */
void eeg_iir_restart (EegIir *iir, bool steady);

/* in and out hold frames times channels samples and may be the same. A channel
 * that met a sample which is not finite gives NaN for up to 1024 frames and
 * then starts anew. */
void eeg_iir_process_f32 (EegIir *iir, const float *in, float *out,
    size_t frames);
void eeg_iir_process_f64 (EegIir *iir, const double *in, double *out,
    size_t frames);

/* The state, as bytes to save and restore: little-endian doubles. size must be
 * eeg_iir_state_size(). load returns false if the bytes hold other numbers of
 * sections or channels. */
size_t eeg_iir_state_size (const EegIir *iir);
void eeg_iir_save_state (const EegIir *iir, unsigned char *bytes);
bool eeg_iir_load_state (EegIir *iir, const unsigned char *bytes, size_t size);

#endif /* EEG_IIR_H */
