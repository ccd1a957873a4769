/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Blocks of EEG samples to few bytes and back, without loss.
 *
 * A block is `frames` samples of each of `channels` channels, interleaved, and
 * knows nothing of other blocks. docs/design/eegpack.md describes its bytes.
 * Encoder and decoder work in integers, so that a block has one meaning
 * everywhere; the builds for different instruction sets give the same bytes.
 *
 * An encoder or decoder belongs to one thread at a time and allocates nothing
 * after it was made. */
#ifndef EEG_EEGPACK_KERNEL_H
#define EEG_EEGPACK_KERNEL_H

#include "cpu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Limits of the format. */
#define EEG_EEGPACK_MAX_CHANNELS 65536
#define EEG_EEGPACK_MAX_FRAMES (1u << 20)
/* Most samples of all channels in a block; F64 counts twice. */
#define EEG_EEGPACK_MAX_SAMPLES (1u << 25)

/* Samples in memory, all little-endian. The values stand in files. */
typedef enum
{
  EEG_EEGPACK_S16 = 0,
  EEG_EEGPACK_S24 = 1, /* three bytes */
  EEG_EEGPACK_S32 = 2,
  EEG_EEGPACK_F32 = 3,
  EEG_EEGPACK_F64 = 4,
  EEG_EEGPACK_FORMATS
} eeg_eegpack_format;

/* How much work an encoder puts into a block. */
typedef enum
{
  EEG_EEGPACK_FAST,   /* short predictors, each channel alone; NORMAL for < 8 */
  EEG_EEGPACK_NORMAL, /* longer predictors, up to 4 earlier channels */
  EEG_EEGPACK_BEST    /* also an adaptive stage, up to 8 earlier channels */
} eeg_eegpack_effort;

/* 2, 3, 4, 4 or 8; 0 for an unknown format. */
size_t eeg_eegpack_sample_size (eeg_eegpack_format format);

/* Whether a block of this size is within the limits of the format. */
bool eeg_eegpack_block_fits (eeg_eegpack_format format, uint32_t channels,
    uint32_t frames);

/* Most bytes that an encoded block of this size can have. */
size_t eeg_eegpack_bound (eeg_eegpack_format format, uint32_t channels,
    uint32_t frames);

typedef struct eeg_eegpack_encoder eeg_eegpack_encoder;

/* Makes an encoder for blocks of up to max_frames frames that runs the build
 * for `cpu` at most. Returns NULL beyond the limits or when memory is short.
 * Free with eeg_eegpack_encoder_free(). */
eeg_eegpack_encoder *eeg_eegpack_encoder_new (eeg_eegpack_format format,
    uint32_t channels, uint32_t max_frames, eeg_cpu cpu);

/* Bytes that such an encoder allocates. */
size_t eeg_eegpack_encoder_memory (eeg_eegpack_format format, uint32_t channels,
    uint32_t max_frames);

void eeg_eegpack_encoder_free (eeg_eegpack_encoder *encoder);

/* The build that runs. */
eeg_cpu eeg_eegpack_encoder_get_cpu (const eeg_eegpack_encoder *encoder);

/* Encodes 1 to max_frames frames of any alignment into `out`, which holds
 * eeg_eegpack_bound() bytes. Returns the bytes written, at least 1. They depend
 * on the samples and the effort only. */
size_t eeg_eegpack_encode (eeg_eegpack_encoder *encoder,
    eeg_eegpack_effort effort, const void *in, uint32_t frames, uint8_t *out);

typedef struct eeg_eegpack_decoder eeg_eegpack_decoder;

/* As for the encoder. */
eeg_eegpack_decoder *eeg_eegpack_decoder_new (eeg_eegpack_format format,
    uint32_t channels, uint32_t max_frames, eeg_cpu cpu);

size_t eeg_eegpack_decoder_memory (eeg_eegpack_format format, uint32_t channels,
    uint32_t max_frames);

void eeg_eegpack_decoder_free (eeg_eegpack_decoder *decoder);

/* Decodes `size` bytes into 1 to max_frames frames, of any alignment. Returns
 * false for bytes that no encoder writes; `out` then holds nothing of use.
 * Damage that a checksum would find may also give wrong samples. */
bool eeg_eegpack_decode (eeg_eegpack_decoder *decoder, const uint8_t *in,
    size_t size, uint32_t frames, void *out);

#endif
