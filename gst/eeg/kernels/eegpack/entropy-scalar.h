/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The entropy coder in plain C: what the other builds of it must equal. */

static inline unsigned
scale_of_mean (uint32_t mean, uint32_t rate)
{
  unsigned zeros, scale;

  mean |= 1;
  zeros = (unsigned) __builtin_clz (mean);
  scale = (31 - zeros) * 4 + (mean << zeros >> 29) - 4;
  return scale > 4 * rate ? scale - 4 * rate : 0;
}

static inline uint32_t
next_mean (uint32_t mean, uint32_t rate, uint32_t value)
{
  if (value > MEAN_CAP)
    value = MEAN_CAP;
  return mean + (value << MEAN_FRACTION) - (mean >> rate);
}

static inline unsigned
context_of_scale (unsigned scale)
{
  return scale < OWN_CONTEXTS ? scale : (OWN_CONTEXTS | (scale & 3));
}

static inline unsigned
bits_of_scale (unsigned scale, uint32_t shift)
{
  return (scale < OWN_CONTEXTS ? 0 : scale / 4 - (OWN_CONTEXTS / 4 - 1))
      + shift;
}

/* Lanes whose state is short get a word each, in the order of the lanes. */
static inline bool
refill (eeg_eegpack_coder *c)
{
  const uint8_t *p;
  unsigned n = 0;

  for (unsigned l = 0; l < c->lanes; l++)
    n += c->state[l] < 65536;
  if ((size_t) (c->end - c->begin) < 2 * n)
    return false;
  p = c->end -= 2 * n;
  for (unsigned l = 0; l < c->lanes; l++)
    if (c->state[l] < 65536) {
      c->state[l] = c->state[l] << 16 | p[0] | (uint32_t) p[1] << 8;
      p += 2;
    }
  return true;
}

static inline uint32_t
take_bits (uint32_t *state, unsigned bits)
{
  uint32_t value = *state & ((1u << bits) - 1);

  *state >>= bits;
  return value;
}

static bool
decode_frame (const eeg_eegpack_tables *tables, eeg_eegpack_coder *c,
    int32_t *row)
{
  uint32_t value[LANES];
  unsigned bits[LANES], any_more = 0;

  for (unsigned l = 0; l < c->lanes; l++) {
    unsigned scale = scale_of_mean (c->mean[l], c->rate[l]);
    unsigned shift = bits_of_scale (scale, c->shift[l]);
    uint32_t x = c->state[l];
    uint32_t entry = tables->decode[context_of_scale (scale) << PROBABILITY_BITS
        | (x & ((1u << PROBABILITY_BITS) - 1))];
    unsigned n = shift + (entry >> 27);

    c->state[l] =
        (entry & 0x7ff) * (x >> PROBABILITY_BITS) + (entry >> 11 & 0x3ff);
    if (entry >> 27 == 31) {
      value[l] = 0;
      bits[l] = 32;
    } else {
      value[l] = (entry >> 21 & 63) << shift;
      bits[l] = n < 32 ? n : 32;
    }
    any_more |= bits[l] > 16;
  }
  if (!refill (c))
    return false;
  for (unsigned l = 0; l < c->lanes; l++)
    value[l] += take_bits (&c->state[l], bits[l] < 16 ? bits[l] : 16);
  if (!refill (c))
    return false;
  if (any_more) {
    for (unsigned l = 0; l < c->lanes; l++)
      if (bits[l] > 16)
        value[l] += take_bits (&c->state[l], bits[l] - 16) << 16;
    if (!refill (c))
      return false;
  }
  for (unsigned l = 0; l < c->lanes; l++) {
    c->mean[l] = next_mean (c->mean[l], c->rate[l], value[l] >> c->shift[l]);
    row[l] = (int32_t) (value[l] >> 1 ^ (0u - (value[l] & 1)));
  }
  for (unsigned l = c->lanes; l < LANES; l++)
    row[l] = 0;
  return true;
}

static bool
decode (const eeg_eegpack_tables *tables, eeg_eegpack_coder *coders,
    unsigned n_coders, size_t frames, int32_t *const rows[BATCH])
{
  for (unsigned g = 0; g < n_coders; g++)
    for (size_t t = 0; t < frames; t++)
      if (!decode_frame (tables, &coders[g], rows[g] + t * LANES))
        return false;
  return true;
}

static void
model (eeg_eegpack_coder *c, size_t frames, int32_t *rows, uint8_t *scales)
{
  for (size_t t = 0; t < frames; t++, rows += LANES, scales += LANES)
    for (unsigned l = 0; l < LANES; l++) {
      uint32_t v = (uint32_t) rows[l] << 1 ^ (uint32_t) (rows[l] >> 31);

      scales[l] = (uint8_t) scale_of_mean (c->mean[l], c->rate[l]);
      c->mean[l] = next_mean (c->mean[l], c->rate[l], v >> c->shift[l]);
      rows[l] = (int32_t) v;
    }
}

static inline void
put_word (eeg_eegpack_coder *c, uint32_t *state)
{
  c->words[0] = (uint8_t) *state;
  c->words[1] = (uint8_t) (*state >> 8);
  c->words += 2;
  *state >>= 16;
}

static inline void
put_bits (eeg_eegpack_coder *c, uint32_t *state, uint32_t value, unsigned bits)
{
  if (bits > 0 && *state >> (32 - bits) > 0)
    put_word (c, state);
  *state = *state << bits | value;
}

static void
emit_frame (const eeg_eegpack_tables *tables, eeg_eegpack_coder *c,
    const int32_t *row, const uint8_t *scales)
{
  uint32_t rest[LANES], entry[LANES];
  unsigned bits[LANES];

  for (unsigned l = 0; l < c->lanes; l++) {
    uint32_t value = (uint32_t) row[l];
    unsigned shift = bits_of_scale (scales[l], c->shift[l]);
    unsigned context = context_of_scale (scales[l]);
    uint32_t v = value >> shift;
    unsigned symbol = (v < 12 ? v : 12) + (v >= 16) + (v >= 32) + (v >= 288);

    entry[l] = tables->encode[context * SYMBOLS + symbol];
    if (symbol == ESCAPE || entry[l] == 0) {
      entry[l] = tables->encode[context * SYMBOLS + ESCAPE];
      rest[l] = value;
      bits[l] = 32;
    } else {
      rest[l] = value - ((uint32_t) eeg_eegpack_symbol_base[symbol] << shift);
      bits[l] = shift + eeg_eegpack_symbol_bits[symbol];
      if (bits[l] > 32)
        bits[l] = 32;
    }
  }
  for (unsigned l = 0; l < c->lanes; l++)
    if (bits[l] > 16)
      put_bits (c, &c->state[l], rest[l] >> 16, bits[l] - 16);
  for (unsigned l = 0; l < c->lanes; l++) {
    unsigned n = bits[l] < 16 ? bits[l] : 16;

    put_bits (c, &c->state[l], rest[l] & ((1u << n) - 1), n);
  }
  for (unsigned l = 0; l < c->lanes; l++) {
    uint32_t frequency = entry[l] & 0xffff, start = entry[l] >> 16, x;

    if (c->state[l] >> (32 - PROBABILITY_BITS) >= frequency)
      put_word (c, &c->state[l]);
    x = c->state[l];
    c->state[l] = (x / frequency << PROBABILITY_BITS) + x % frequency + start;
  }
}

static void
emit (const eeg_eegpack_tables *tables, eeg_eegpack_coder *coders,
    unsigned n_coders, size_t frames, int32_t *const rows[BATCH],
    uint8_t *const scales[BATCH])
{
  for (unsigned g = 0; g < n_coders; g++)
    for (size_t t = frames; t-- > 0;)
      emit_frame (tables, &coders[g], rows[g] + t * LANES,
          scales[g] + t * LANES);
}
