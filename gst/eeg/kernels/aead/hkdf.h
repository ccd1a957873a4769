/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifndef EEG_KERNELS_AEAD_HKDF_H
#define EEG_KERNELS_AEAD_HKDF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * HKDF with SHA-256 (RFC 5869). An empty salt counts as 32 zero bytes.
 * Returns false when @out_size is above 255 * 32.
 */
bool eeg_aead_hkdf_sha256 (const uint8_t *ikm, size_t ikm_size,
    const uint8_t *salt, size_t salt_size, const uint8_t *info,
    size_t info_size, uint8_t *out, size_t out_size);

#endif
