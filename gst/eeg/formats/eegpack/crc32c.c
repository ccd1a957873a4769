/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "eegpack.h"

#include <pthread.h>
#include <string.h>

/* reflected polynomial of CRC-32C */
#define POLYNOMIAL 0x82f63b78u

static uint32_t table[8][256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
fill_table (void)
{
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t v = i;

    for (int bit = 0; bit < 8; bit++)
      v = v >> 1 ^ (v & 1 ? POLYNOMIAL : 0);
    table[0][i] = v;
  }
  for (uint32_t i = 0; i < 256; i++)
    for (int k = 1; k < 8; k++)
      table[k][i] = table[k - 1][i] >> 8 ^ table[0][table[k - 1][i] & 255];
}

static uint32_t
update_by_table (uint32_t crc, const uint8_t *p, size_t size)
{
  pthread_once (&once, fill_table);
  for (; size >= 8; size -= 8, p += 8) {
    uint32_t low = crc
        ^ ((uint32_t) p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16
            | (uint32_t) p[3] << 24);

    crc = table[7][low & 255] ^ table[6][low >> 8 & 255]
        ^ table[5][low >> 16 & 255] ^ table[4][low >> 24] ^ table[3][p[4]]
        ^ table[2][p[5]] ^ table[1][p[6]] ^ table[0][p[7]];
  }
  for (; size > 0; size--)
    crc = crc >> 8 ^ table[0][(crc ^ *p++) & 255];
  return crc;
}

#if defined(__x86_64__) && defined(__GNUC__)
__attribute__ ((target ("sse4.2"))) static uint32_t
update_by_instruction (uint32_t crc, const uint8_t *p, size_t size)
{
  uint64_t c = crc;

  for (; size >= 8; size -= 8, p += 8) {
    uint64_t v;

    memcpy (&v, p, 8);
    c = __builtin_ia32_crc32di (c, v);
  }
  for (; size > 0; size--)
    c = __builtin_ia32_crc32qi ((uint32_t) c, *p++);
  return (uint32_t) c;
}
#endif

uint32_t
eeg_eegpack_crc32c_portable (uint32_t crc, const void *data, size_t size)
{
  return ~update_by_table (~crc, data, size);
}

uint32_t
eeg_eegpack_crc32c (uint32_t crc, const void *data, size_t size)
{
#if defined(__x86_64__) && defined(__GNUC__)
  if (__builtin_cpu_supports ("sse4.2"))
    return ~update_by_instruction (~crc, data, size);
#endif
  return eeg_eegpack_crc32c_portable (crc, data, size);
}
