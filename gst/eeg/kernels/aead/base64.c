/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base64.h"

#include <sodium.h>

bool
eeg_aead_base64_decode (const char *text, size_t length, bool padded,
    uint8_t *out, size_t capacity, size_t *size)
{
  uint8_t any = 0;

  /* libsodium 1.0.18 takes some bytes above 127 for letters */
  for (size_t i = 0; i < length; i++)
    any |= (uint8_t) text[i];
  if (any & 0x80)
    return false;
  return sodium_base642bin (out, capacity, text, length, NULL, size, NULL,
             padded ? sodium_base64_VARIANT_ORIGINAL
                    : sodium_base64_VARIANT_ORIGINAL_NO_PADDING)
      == 0;
}
