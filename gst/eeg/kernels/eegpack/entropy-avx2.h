/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The entropy coder with the lanes of a group in two 256-bit vectors. */

#define SPLAT(x) _mm256_set1_epi32 ((int) (x))
#define HALVES 2
#define HALF 8

static inline __m256i
load_half (const void *p, unsigned half)
{
  return _mm256_loadu_si256 ((const __m256i *) p + half);
}

static inline void
store_half (void *p, unsigned half, __m256i v)
{
  _mm256_storeu_si256 ((__m256i *) p + half, v);
}

/* bit l of the result: the highest bit of element l */
static inline unsigned
sign_bits (__m256i v)
{
  return (unsigned) _mm256_movemask_ps (_mm256_castsi256_ps (v));
}

static inline __m256i
scale_of_mean (__m256i mean, __m256i rate)
{
  __m256i offset =
      _mm256_add_epi32 (SPLAT (127 * 4), _mm256_slli_epi32 (rate, 2));
  __m256i scale;

  mean = _mm256_or_si256 (mean, SPLAT (1));
  /* the bit eight below the highest is cleared, so that rounding to a float
   * cannot change those above; its exponent and two bits: quarter octaves */
  mean = _mm256_andnot_si256 (_mm256_srli_epi32 (mean, 8), mean);
  scale =
      _mm256_srli_epi32 (_mm256_castps_si256 (_mm256_cvtepi32_ps (mean)), 21);
  return _mm256_max_epi32 (_mm256_sub_epi32 (scale, offset),
      _mm256_setzero_si256 ());
}

static inline __m256i
next_mean (__m256i mean, __m256i rate, __m256i value)
{
  value = _mm256_min_epu32 (value, SPLAT (MEAN_CAP));
  value = _mm256_slli_epi32 (value, MEAN_FRACTION);
  return _mm256_add_epi32 (mean,
      _mm256_sub_epi32 (value, _mm256_srlv_epi32 (mean, rate)));
}

static inline __m256i
context_of_scale (__m256i scale)
{
  return _mm256_min_epi32 (scale,
      _mm256_or_si256 (_mm256_and_si256 (scale, SPLAT (3)),
          SPLAT (OWN_CONTEXTS)));
}

static inline __m256i
bits_of_scale (__m256i scale, __m256i shift)
{
  scale = _mm256_sub_epi32 (_mm256_srli_epi32 (scale, 2),
      SPLAT (OWN_CONTEXTS / 4 - 1));
  return _mm256_add_epi32 (_mm256_max_epi32 (scale, _mm256_setzero_si256 ()),
      shift);
}

static inline __m256i
low_mask (__m256i bits)
{
  return _mm256_sub_epi32 (_mm256_sllv_epi32 (SPLAT (1), bits), SPLAT (1));
}

static inline __m256i
order_of_mask (const uint8_t order[8])
{
  return _mm256_cvtepu8_epi32 (_mm_loadl_epi64 ((const __m128i *) order));
}

static inline void
refill (const eeg_eegpack_tables *tables, __m256i state[HALVES], unsigned lanes,
    const uint8_t **end)
{
  unsigned m[HALVES], n[HALVES];
  const uint8_t *p;

  for (unsigned h = 0; h < HALVES; h++) {
    m[h] = sign_bits (_mm256_cmpeq_epi32 (_mm256_srli_epi32 (state[h], 16),
               _mm256_setzero_si256 ()))
        & lanes >> h * HALF & 0xff;
    n[h] = (unsigned) __builtin_popcount (m[h]);
  }
  p = *end -= 2 * (n[0] + n[1]);
  for (unsigned h = 0; h < HALVES; h++) {
    __m256i words =
        _mm256_cvtepu16_epi32 (_mm_loadu_si128 ((const __m128i *) p));
    __m256i refilled = _mm256_or_si256 (_mm256_slli_epi32 (state[h], 16),
        _mm256_permutevar8x32_epi32 (words,
            order_of_mask (tables->expand[m[h]])));

    state[h] = _mm256_blendv_epi8 (state[h], refilled,
        _mm256_cmpeq_epi32 (_mm256_and_si256 (SPLAT (m[h]),
                                _mm256_setr_epi32 (1, 2, 4, 8, 16, 32, 64,
                                    128)),
            _mm256_setr_epi32 (1, 2, 4, 8, 16, 32, 64, 128)));
    p += 2 * n[h];
  }
}

static inline void
decode_frame (const eeg_eegpack_tables *tables, eeg_eegpack_coder *c,
    unsigned lanes, int32_t *row)
{
  const __m256i zero = _mm256_setzero_si256 ();
  __m256i x[HALVES], value[HALVES], bits[HALVES], entry[HALVES];
  const uint8_t *end = c->end;
  unsigned long_bits = 0;

  for (unsigned h = 0; h < HALVES; h++) {
    __m256i scale =
        scale_of_mean (load_half (c->mean, h), load_half (c->rate, h));
    __m256i shift = bits_of_scale (scale, load_half (c->shift, h));

    x[h] = load_half (c->state, h);
    entry[h] = _mm256_i32gather_epi32 ((const int *) tables->decode,
        _mm256_or_si256 (_mm256_slli_epi32 (context_of_scale (scale),
                             PROBABILITY_BITS),
            _mm256_and_si256 (x[h], SPLAT ((1 << PROBABILITY_BITS) - 1))),
        4);
    x[h] = _mm256_add_epi32 (_mm256_mullo_epi32 (_mm256_and_si256 (entry[h],
                                                     SPLAT (0x7ff)),
                                 _mm256_srli_epi32 (x[h], PROBABILITY_BITS)),
        _mm256_and_si256 (_mm256_srli_epi32 (entry[h], 11), SPLAT (0x3ff)));
    value[h] =
        _mm256_sllv_epi32 (_mm256_and_si256 (_mm256_srli_epi32 (entry[h], 21),
                               SPLAT (63)),
            shift);
    bits[h] = _mm256_add_epi32 (shift, _mm256_srli_epi32 (entry[h], 27));
    long_bits |=
        sign_bits (_mm256_cmpgt_epi32 (bits[h], SPLAT (16))) << h * HALF;
  }
  refill (tables, x, lanes, &end);
  if (__builtin_expect ((long_bits & lanes) == 0, 1)) {
    for (unsigned h = 0; h < HALVES; h++) {
      value[h] = _mm256_add_epi32 (value[h],
          _mm256_and_si256 (x[h], low_mask (bits[h])));
      x[h] = _mm256_srlv_epi32 (x[h], bits[h]);
    }
    refill (tables, x, lanes, &end);
  } else {
    __m256i n[HALVES];

    for (unsigned h = 0; h < HALVES; h++) {
      __m256i escape =
          _mm256_cmpeq_epi32 (_mm256_srli_epi32 (entry[h], 27), SPLAT (31));

      value[h] = _mm256_andnot_si256 (escape, value[h]);
      bits[h] = _mm256_blendv_epi8 (_mm256_min_epi32 (bits[h], SPLAT (32)),
          SPLAT (32), escape);
      n[h] = _mm256_min_epi32 (bits[h], SPLAT (16));
      value[h] =
          _mm256_add_epi32 (value[h], _mm256_and_si256 (x[h], low_mask (n[h])));
      x[h] = _mm256_srlv_epi32 (x[h], n[h]);
      n[h] = _mm256_sub_epi32 (bits[h], n[h]);
    }
    refill (tables, x, lanes, &end);
    for (unsigned h = 0; h < HALVES; h++) {
      value[h] = _mm256_add_epi32 (value[h],
          _mm256_slli_epi32 (_mm256_and_si256 (x[h], low_mask (n[h])), 16));
      x[h] = _mm256_srlv_epi32 (x[h], n[h]);
    }
    refill (tables, x, lanes, &end);
  }
  c->end = end;
  for (unsigned h = 0; h < HALVES; h++) {
    const __m256i bit = _mm256_setr_epi32 (1, 2, 4, 8, 16, 32, 64, 128);
    __m256i there =
        _mm256_cmpeq_epi32 (_mm256_and_si256 (SPLAT (lanes >> h * HALF & 0xff),
                                bit),
            bit);
    __m256i sign =
        _mm256_sub_epi32 (zero, _mm256_and_si256 (value[h], SPLAT (1)));

    store_half (c->state, h, x[h]);
    store_half (c->mean, h,
        next_mean (load_half (c->mean, h), load_half (c->rate, h),
            _mm256_srlv_epi32 (value[h], load_half (c->shift, h))));
    store_half (row, h,
        _mm256_and_si256 (there,
            _mm256_xor_si256 (_mm256_srli_epi32 (value[h], 1), sign)));
  }
}

static bool
decode (const eeg_eegpack_tables *tables, eeg_eegpack_coder *coders,
    unsigned n_coders, size_t frames, int32_t *const rows[BATCH])
{
  for (size_t t = 0; t < frames; t++)
    for (unsigned g = 0; g < n_coders; g++) {
      decode_frame (tables, &coders[g], (1u << coders[g].lanes) - 1,
          rows[g] + t * LANES);
      if (__builtin_expect (coders[g].end < coders[g].begin, 0))
        return false;
    }
  return true;
}

static void
model (eeg_eegpack_coder *c, size_t frames, int32_t *rows, uint8_t *scales)
{
  for (size_t t = 0; t < frames; t++, rows += LANES, scales += LANES) {
    __m256i scale[HALVES];
    __m128i narrow;

    for (unsigned h = 0; h < HALVES; h++) {
      __m256i mean = load_half (c->mean, h);
      __m256i rate = load_half (c->rate, h);
      __m256i v = load_half (rows, h);

      v = _mm256_xor_si256 (_mm256_slli_epi32 (v, 1),
          _mm256_srai_epi32 (v, 31));
      store_half (rows, h, v);
      scale[h] = scale_of_mean (mean, rate);
      store_half (c->mean, h,
          next_mean (mean, rate,
              _mm256_srlv_epi32 (v, load_half (c->shift, h))));
    }
    scale[0] =
        _mm256_permute4x64_epi64 (_mm256_packs_epi32 (scale[0], scale[1]),
            0xd8);
    narrow = _mm_packus_epi16 (_mm256_castsi256_si128 (scale[0]),
        _mm256_extracti128_si256 (scale[0], 1));
    _mm_storeu_si128 ((__m128i *) scales, narrow);
  }
}

static inline __m256i
put_words (const eeg_eegpack_tables *tables, __m256i state, __m256i which,
    uint8_t **words)
{
  unsigned m = sign_bits (which);
  __m256i out =
      _mm256_permutevar8x32_epi32 (state, order_of_mask (tables->compress[m]));

  /* the low halves of all elements, in order */
  out = _mm256_and_si256 (out, SPLAT (0xffff));
  out = _mm256_permute4x64_epi64 (_mm256_packus_epi32 (out, out), 0x08);
  _mm_storeu_si128 ((__m128i *) *words, _mm256_castsi256_si128 (out));
  *words += 2 * (unsigned) __builtin_popcount (m);
  return _mm256_blendv_epi8 (state, _mm256_srli_epi32 (state, 16), which);
}

static inline __m256i
put_bits (const eeg_eegpack_tables *tables, __m256i state, __m256i value,
    __m256i bits, __m256i there, uint8_t **words)
{
  __m256i over = _mm256_cmpeq_epi32 (_mm256_srlv_epi32 (state,
                                         _mm256_sub_epi32 (SPLAT (32), bits)),
      _mm256_setzero_si256 ());

  state = put_words (tables, state, _mm256_andnot_si256 (over, there), words);
  return _mm256_or_si256 (_mm256_sllv_epi32 (state, bits), value);
}

static inline __m256i
at_least (__m256i a, uint32_t b)
{
  return _mm256_cmpeq_epi32 (_mm256_max_epu32 (a, SPLAT (b)), a);
}

static inline void
emit_frame (const eeg_eegpack_tables *tables, eeg_eegpack_coder *c,
    const __m256i there[HALVES], const int32_t *row, const uint8_t *scales)
{
  const __m256i zero = _mm256_setzero_si256 ();
  __m256i x[HALVES], entry[HALVES], rest[HALVES], bits[HALVES];
  uint8_t *words = c->words;
  int any_long = 0;

  for (unsigned h = 0; h < HALVES; h++) {
    __m256i value = load_half (row, h);
    __m256i scale = order_of_mask (scales + h * HALF);
    __m256i shift = bits_of_scale (scale, load_half (c->shift, h));
    __m256i context = _mm256_slli_epi32 (context_of_scale (scale), 4);
    __m256i v = _mm256_srlv_epi32 (value, shift);
    __m256i symbol = _mm256_min_epu32 (v, SPLAT (12));
    __m256i missing, lookup;

    /* comparisons count as -1 */
    symbol = _mm256_sub_epi32 (symbol, at_least (v, 16));
    symbol = _mm256_sub_epi32 (symbol, at_least (v, 32));
    symbol = _mm256_sub_epi32 (symbol, at_least (v, 288));
    entry[h] = _mm256_i32gather_epi32 ((const int *) tables->encode,
        _mm256_or_si256 (context, symbol), 4);
    missing = _mm256_and_si256 (_mm256_cmpeq_epi32 (entry[h], zero), there[h]);
    if (__builtin_expect (sign_bits (missing) != 0, 0)) {
      symbol = _mm256_blendv_epi8 (symbol, SPLAT (ESCAPE), missing);
      entry[h] = _mm256_i32gather_epi32 ((const int *) tables->encode,
          _mm256_or_si256 (context, symbol), 4);
    }
    lookup = _mm256_i32gather_epi32 ((const int *) tables->symbols, symbol, 4);
    bits[h] = _mm256_add_epi32 (shift, _mm256_srli_epi32 (lookup, 16));
    rest[h] = _mm256_sub_epi32 (value,
        _mm256_sllv_epi32 (_mm256_and_si256 (lookup, SPLAT (0xffff)), shift));
    bits[h] = _mm256_min_epi32 (bits[h], SPLAT (32));
    any_long |= (int) sign_bits (
        _mm256_and_si256 (there[h], _mm256_cmpgt_epi32 (bits[h], SPLAT (16))));
    x[h] = load_half (c->state, h);
  }
  if (__builtin_expect (any_long, 0))
    for (unsigned h = 0; h < HALVES; h++) {
      __m256i more =
          _mm256_max_epi32 (_mm256_sub_epi32 (bits[h], SPLAT (16)), zero);
      __m256i which =
          _mm256_and_si256 (there[h], _mm256_cmpgt_epi32 (more, zero));

      x[h] = put_bits (tables, x[h],
          _mm256_and_si256 (_mm256_srli_epi32 (rest[h], 16), which), more,
          which, &words);
      bits[h] = _mm256_min_epi32 (bits[h], SPLAT (16));
      rest[h] = _mm256_and_si256 (rest[h], low_mask (bits[h]));
    }
  for (unsigned h = 0; h < HALVES; h++)
    x[h] = put_bits (tables, x[h], rest[h], bits[h], there[h], &words);
  for (unsigned h = 0; h < HALVES; h++) {
    __m256i frequency = _mm256_and_si256 (entry[h], SPLAT (0xffff));
    __m256i over = _mm256_cmpgt_epi32 (frequency,
        _mm256_srli_epi32 (x[h], 32 - PROBABILITY_BITS));
    __m256i q, r, off;
    __m256 high, low;

    x[h] =
        put_words (tables, x[h], _mm256_andnot_si256 (over, there[h]), &words);
    /* x is below frequency << 22: a float quotient is off by one at most */
    high = _mm256_cvtepi32_ps (_mm256_srli_epi32 (x[h], 16));
    low = _mm256_cvtepi32_ps (_mm256_and_si256 (x[h], SPLAT (0xffff)));
    high = _mm256_add_ps (_mm256_mul_ps (high, _mm256_set1_ps (65536.0f)), low);
    q = _mm256_cvttps_epi32 (
        _mm256_div_ps (high, _mm256_cvtepi32_ps (frequency)));
    r = _mm256_sub_epi32 (x[h], _mm256_mullo_epi32 (q, frequency));
    off = _mm256_srai_epi32 (r, 31);
    q = _mm256_add_epi32 (q, off);
    r = _mm256_add_epi32 (r, _mm256_and_si256 (frequency, off));
    off = _mm256_cmpgt_epi32 (frequency, r);
    q = _mm256_add_epi32 (q, _mm256_andnot_si256 (off, SPLAT (1)));
    r = _mm256_sub_epi32 (r, _mm256_andnot_si256 (off, frequency));
    x[h] = _mm256_add_epi32 (_mm256_slli_epi32 (q, PROBABILITY_BITS),
        _mm256_add_epi32 (r, _mm256_srli_epi32 (entry[h], 16)));
    store_half (c->state, h, x[h]);
  }
  c->words = words;
}

static void
emit (const eeg_eegpack_tables *tables, eeg_eegpack_coder *coders,
    unsigned n_coders, size_t frames, int32_t *const rows[BATCH],
    uint8_t *const scales[BATCH])
{
  __m256i there[BATCH][HALVES];

  for (unsigned g = 0; g < n_coders; g++)
    for (unsigned h = 0; h < HALVES; h++)
      there[g][h] =
          _mm256_cmpgt_epi32 (SPLAT ((int) coders[g].lanes - (int) (h * HALF)),
              _mm256_setr_epi32 (0, 1, 2, 3, 4, 5, 6, 7));
  for (size_t t = frames; t-- > 0;)
    for (unsigned g = 0; g < n_coders; g++)
      emit_frame (tables, &coders[g], there[g], rows[g] + t * LANES,
          scales[g] + t * LANES);
}

#undef SPLAT
#undef HALVES
#undef HALF
