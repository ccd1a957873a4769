/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parameters of a block: bits from the highest of each byte down. */
#ifndef EEG_EEGPACK_BITS_H
#define EEG_EEGPACK_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint32_t
zigzag (int32_t v)
{
  return (uint32_t) v << 1 ^ (uint32_t) (v >> 31);
}

static inline int32_t
unzigzag (uint32_t v)
{
  return (int32_t) (v >> 1 ^ (0u - (v & 1)));
}

/* ---- writing; what does not fit is counted, not written ---- */

typedef struct
{
  uint8_t *data;
  size_t size; /* bytes there are */
  size_t used; /* whole bytes so far */
  uint64_t bits;
  unsigned n_bits; /* below 8 */
} bit_writer;

static inline void
put_bits (bit_writer *w, unsigned n, uint32_t value)
{
  w->bits = w->bits << n | value;
  w->n_bits += n;
  while (w->n_bits >= 8) {
    w->n_bits -= 8;
    if (w->used < w->size)
      w->data[w->used] = (uint8_t) (w->bits >> w->n_bits);
    w->used++;
  }
}

static inline void
put_padding (bit_writer *w)
{
  if (w->n_bits > 0)
    put_bits (w, 8 - w->n_bits, 0);
}

static inline unsigned
golomb_bits (unsigned k, uint32_t value)
{
  uint64_t v = (uint64_t) value + (UINT64_C (1) << k);

  return 2 * (63 - (unsigned) __builtin_clzll (v)) + 1 - k;
}

/* exponential Golomb code of order k */
static inline void
put_golomb (bit_writer *w, unsigned k, uint32_t value)
{
  uint64_t v = (uint64_t) value + (UINT64_C (1) << k);
  unsigned n = 64 - (unsigned) __builtin_clzll (v);

  put_bits (w, n - 1 - k, 0);
  if (n > 32)
    put_bits (w, 1, 1);
  put_bits (w, n > 32 ? 32 : n, (uint32_t) v);
}

static inline void
put_signed (bit_writer *w, unsigned k, int32_t value)
{
  put_golomb (w, k, zigzag (value));
}

/* ---- reading; beyond the end there are zeros ---- */

typedef struct
{
  const uint8_t *data;
  size_t size;
  size_t bit; /* position */
} bit_reader;

static inline bool
bits_left (const bit_reader *r)
{
  return r->bit <= 8 * r->size;
}

static inline uint32_t
get_bits (bit_reader *r, unsigned n)
{
  size_t byte = r->bit / 8;
  uint64_t v = 0;

  for (unsigned i = 0; i < 5; i++)
    v = v << 8 | (byte + i < r->size ? r->data[byte + i] : 0);
  v <<= 24 + r->bit % 8;
  /* a position far beyond the end must not wrap */
  if (bits_left (r))
    r->bit += n;
  return n == 0 ? 0 : (uint32_t) (v >> (64 - n));
}

static inline uint32_t
get_golomb (bit_reader *r, unsigned k)
{
  unsigned zeros = 0;
  uint64_t v;

  while (bits_left (r) && zeros + k <= 32 && get_bits (r, 1) == 0)
    zeros++;
  if (zeros + k > 32) {
    r->bit = 8 * r->size + 1; /* no such code */
    return 0;
  }
  v = (uint64_t) 1 << (zeros + k) | get_bits (r, zeros + k);
  return (uint32_t) (v - (UINT64_C (1) << k));
}

static inline int32_t
get_signed (bit_reader *r, unsigned k)
{
  return unzigzag (get_golomb (r, k));
}

#endif
