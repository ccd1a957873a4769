/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifndef EEG_KERNELS_AEAD_BASE64_H
#define EEG_KERNELS_AEAD_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Decodes standard base64, strictly: canonical, with padding exactly when
 * @padded, nothing between. Returns false for anything else and for more than
 * @capacity bytes.
 */
bool eeg_aead_base64_decode (const char *text, size_t length, bool padded,
    uint8_t *out, size_t capacity, size_t *size);

#endif
