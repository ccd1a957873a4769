/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bech32.h"

#include <sodium.h>
#include <string.h>

#define DATA_SYMBOLS 52u /* 32 bytes in groups of 5 bits */
#define CHECKSUM_SYMBOLS 6u

static uint32_t
polymod_step (uint32_t checksum, uint8_t symbol)
{
  static const uint32_t generator[] = { 0x3b6a57b2, 0x26508e6d, 0x1ea119fa,
    0x3d4233dd, 0x2a1462b3 };
  uint32_t top = checksum >> 25;

  checksum = (checksum & 0x1ffffff) << 5 ^ symbol;
  for (int i = 0; i < 5; i++)
    checksum ^= -(top >> i & 1) & generator[i];
  return checksum;
}

bool
eeg_age_bech32_decode (const char *prefix, const char *text, size_t size,
    uint8_t out[32])
{
  static const char lower[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
  static const char upper[] = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";
  size_t prefix_size = strlen (prefix);
  const char *alphabet = prefix[0] >= 'a' ? lower : upper;
  uint32_t checksum = 1, accumulator = 0;
  unsigned bits = 0;
  size_t n = 0;

  if (size != prefix_size + 1 + DATA_SYMBOLS + CHECKSUM_SYMBOLS
      || memcmp (text, prefix, prefix_size) != 0 || text[prefix_size] != '1')
    return false;

  /* BIP 173 computes the checksum over the lower case */
  for (size_t i = 0; i < prefix_size; i++)
    checksum = polymod_step (checksum,
        (prefix[i] | (prefix[i] >= 'A' && prefix[i] <= 'Z' ? 0x20 : 0)) >> 5);
  checksum = polymod_step (checksum, 0);
  for (size_t i = 0; i < prefix_size; i++)
    checksum = polymod_step (checksum, prefix[i] & 31);

  text += prefix_size + 1;
  for (size_t i = 0; i < DATA_SYMBOLS + CHECKSUM_SYMBOLS; i++) {
    const char *place = memchr (alphabet, text[i], 32);
    uint8_t symbol;

    if (place == NULL)
      goto fail;
    symbol = place - alphabet;
    checksum = polymod_step (checksum, symbol);
    if (i >= DATA_SYMBOLS)
      continue;
    accumulator = (accumulator << 5 | symbol) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      out[n++] = accumulator >> bits;
    }
  }
  /* 260 bits are 32 bytes and 4 bits of padding */
  if (checksum != 1 || (accumulator & 0xf) != 0)
    goto fail;
  sodium_memzero (&accumulator, sizeof accumulator);
  return true;

fail:
  sodium_memzero (&accumulator, sizeof accumulator);
  sodium_memzero (out, 32);
  return false;
}
