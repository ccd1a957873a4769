/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifndef EEG_FORMATS_AGE_BECH32_H
#define EEG_FORMATS_AGE_BECH32_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Decodes Bech32 (BIP 173, without its limit of 90 characters) of 32 bytes.
 * @prefix is the human-readable part; its case is the case of the whole text.
 */
bool eeg_age_bech32_decode (const char *prefix, const char *text, size_t size,
    uint8_t out[32]);

#endif
