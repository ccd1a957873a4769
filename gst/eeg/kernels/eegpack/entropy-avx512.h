/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The entropy coder with one lane in each element of a 512-bit vector. */

#define SPLAT(x) _mm512_set1_epi32 ((int) (x))

static inline __m512i
leading_zeros (__m512i v)
{
  /* exact: the bit below the highest is cleared, so that rounding to a float
   * cannot reach the next power of two */
  __m512i top = _mm512_andnot_si512 (_mm512_srli_epi32 (v, 1), v);
  __m512i e =
      _mm512_srli_epi32 (_mm512_castps_si512 (_mm512_cvtepi32_ps (top)), 23);

  return _mm512_sub_epi32 (SPLAT (158), e);
}

static inline __m512i
scale_of_mean (__m512i mean, __m512i offset)
{
  __m512i zeros, scale;

  mean = _mm512_or_si512 (mean, SPLAT (1));
  zeros = leading_zeros (mean);
  scale = _mm512_srli_epi32 (_mm512_sllv_epi32 (mean, zeros), 29);
  scale = _mm512_sub_epi32 (scale, _mm512_slli_epi32 (zeros, 2));
  return _mm512_max_epi32 (_mm512_add_epi32 (scale, offset),
      _mm512_setzero_si512 ());
}

/* what scale_of_mean() adds for a rate */
static inline __m512i
scale_offset (__m512i rate)
{
  return _mm512_sub_epi32 (SPLAT (31 * 4 - 4), _mm512_slli_epi32 (rate, 2));
}

static inline __m512i
next_mean (__m512i mean, __m512i rate, __m512i value)
{
  value = _mm512_min_epu32 (value, SPLAT (MEAN_CAP));
  value = _mm512_slli_epi32 (value, MEAN_FRACTION);
  return _mm512_add_epi32 (mean,
      _mm512_sub_epi32 (value, _mm512_srlv_epi32 (mean, rate)));
}

static inline __m512i
context_of_scale (__m512i scale)
{
  return _mm512_min_epi32 (scale,
      _mm512_or_si512 (_mm512_and_si512 (scale, SPLAT (3)),
          SPLAT (OWN_CONTEXTS)));
}

static inline __m512i
bits_of_scale (__m512i scale, __m512i shift)
{
  scale = _mm512_sub_epi32 (_mm512_srli_epi32 (scale, 2),
      SPLAT (OWN_CONTEXTS / 4 - 1));
  return _mm512_add_epi32 (_mm512_max_epi32 (scale, _mm512_setzero_si512 ()),
      shift);
}

static inline __m512i
refill (__m512i state, __mmask16 lanes, const uint8_t **end)
{
  __mmask16 m = _mm512_mask_cmplt_epu32_mask (lanes, state, SPLAT (65536));
  __m512i words;

  *end -= 2 * (unsigned) __builtin_popcount (m);
  words = _mm512_cvtepu16_epi32 (_mm256_loadu_si256 ((const __m256i *) *end));
  words = _mm512_maskz_expand_epi32 (m, words);
  return _mm512_mask_or_epi32 (state, m, _mm512_slli_epi32 (state, 16), words);
}

static inline __m512i
low_mask (__m512i bits)
{
  return _mm512_sub_epi32 (_mm512_sllv_epi32 (SPLAT (1), bits), SPLAT (1));
}

static inline void
decode_frame (const eeg_eegpack_tables *tables, eeg_eegpack_coder *c,
    __mmask16 lanes, int32_t *row)
{
  __m512i x = _mm512_loadu_si512 (c->state);
  __m512i mean = _mm512_loadu_si512 (c->mean);
  __m512i rate = _mm512_loadu_si512 (c->rate);
  __m512i coder_shift = _mm512_loadu_si512 (c->shift);
  __m512i scale = scale_of_mean (mean, scale_offset (rate));
  __m512i shift = bits_of_scale (scale, coder_shift);
  __m512i entry, value, bits, low;
  const uint8_t *end = c->end;
  __mmask16 long_bits;

  entry = _mm512_i32gather_epi32 (
      _mm512_or_si512 (_mm512_slli_epi32 (context_of_scale (scale),
                           PROBABILITY_BITS),
          _mm512_and_si512 (x, SPLAT ((1 << PROBABILITY_BITS) - 1))),
      tables->decode, 4);
  x = _mm512_add_epi32 (_mm512_mullo_epi32 (_mm512_and_si512 (entry,
                                                SPLAT (0x7ff)),
                            _mm512_srli_epi32 (x, PROBABILITY_BITS)),
      _mm512_and_si512 (_mm512_srli_epi32 (entry, 11), SPLAT (0x3ff)));
  x = refill (x, lanes, &end);

  value = _mm512_sllv_epi32 (_mm512_and_si512 (_mm512_srli_epi32 (entry, 21),
                                 SPLAT (63)),
      shift);
  bits = _mm512_add_epi32 (shift, _mm512_srli_epi32 (entry, 27));
  long_bits = _mm512_mask_cmpgt_epi32_mask (lanes, bits, SPLAT (16));
  if (__builtin_expect (long_bits == 0, 1)) {
    low = _mm512_and_si512 (x, low_mask (bits));
    x = refill (_mm512_srlv_epi32 (x, bits), lanes, &end);
    value = _mm512_add_epi32 (value, low);
  } else {
    __mmask16 escape = _mm512_cmpge_epu32_mask (entry, SPLAT (31u << 27));
    __m512i n;

    value = _mm512_mask_mov_epi32 (value, escape, _mm512_setzero_si512 ());
    bits = _mm512_mask_mov_epi32 (_mm512_min_epi32 (bits, SPLAT (32)), escape,
        SPLAT (32));
    n = _mm512_min_epi32 (bits, SPLAT (16));
    low = _mm512_and_si512 (x, low_mask (n));
    x = refill (_mm512_srlv_epi32 (x, n), lanes, &end);
    value = _mm512_add_epi32 (value, low);
    n = _mm512_sub_epi32 (bits, n);
    low = _mm512_and_si512 (x, low_mask (n));
    x = refill (_mm512_srlv_epi32 (x, n), lanes, &end);
    value = _mm512_add_epi32 (value, _mm512_slli_epi32 (low, 16));
  }
  c->end = end;
  _mm512_storeu_si512 (c->state, x);
  _mm512_storeu_si512 (c->mean,
      next_mean (mean, rate, _mm512_srlv_epi32 (value, coder_shift)));
  _mm512_storeu_si512 (row,
      _mm512_maskz_xor_epi32 (lanes, _mm512_srli_epi32 (value, 1),
          _mm512_sub_epi32 (_mm512_setzero_si512 (),
              _mm512_and_si512 (value, SPLAT (1)))));
}

static inline __attribute__ ((always_inline)) bool
decode_batch (const eeg_eegpack_tables *tables, eeg_eegpack_coder *coders,
    unsigned n_coders, size_t frames, int32_t *const rows[BATCH])
{
  __mmask16 lanes[BATCH];

  for (unsigned g = 0; g < n_coders; g++)
    lanes[g] = (__mmask16) ((1u << coders[g].lanes) - 1);
  for (size_t t = 0; t < frames; t++)
    for (unsigned g = 0; g < n_coders; g++) {
      decode_frame (tables, &coders[g], lanes[g], rows[g] + t * LANES);
      if (__builtin_expect (coders[g].end < coders[g].begin, 0))
        return false;
    }
  return true;
}

static bool
decode (const eeg_eegpack_tables *tables, eeg_eegpack_coder *coders,
    unsigned n_coders, size_t frames, int32_t *const rows[BATCH])
{
  switch (n_coders) {
    case 1:
      return decode_batch (tables, coders, 1, frames, rows);
    case 2:
      return decode_batch (tables, coders, 2, frames, rows);
    case 3:
      return decode_batch (tables, coders, 3, frames, rows);
    default:
      return decode_batch (tables, coders, 4, frames, rows);
  }
}

static void
model (eeg_eegpack_coder *c, size_t frames, int32_t *rows, uint8_t *scales)
{
  __m512i mean = _mm512_loadu_si512 (c->mean);
  __m512i rate = _mm512_loadu_si512 (c->rate);
  __m512i shift = _mm512_loadu_si512 (c->shift);
  __m512i offset = scale_offset (rate);

  for (size_t t = 0; t < frames; t++, rows += LANES, scales += LANES) {
    __m512i v = _mm512_loadu_si512 (rows);

    v = _mm512_xor_si512 (_mm512_slli_epi32 (v, 1), _mm512_srai_epi32 (v, 31));
    _mm512_storeu_si512 (rows, v);
    _mm_storeu_si128 ((__m128i *) scales,
        _mm512_cvtepi32_epi8 (scale_of_mean (mean, offset)));
    mean = next_mean (mean, rate, _mm512_srlv_epi32 (v, shift));
  }
  _mm512_storeu_si512 (c->mean, mean);
}

static inline __m512i
put_words (__m512i state, __mmask16 m, uint8_t **words)
{
  _mm256_storeu_si256 ((__m256i *) *words,
      _mm512_cvtepi32_epi16 (_mm512_maskz_compress_epi32 (m, state)));
  *words += 2 * (unsigned) __builtin_popcount (m);
  return _mm512_mask_srli_epi32 (state, m, state, 16);
}

static inline __m512i
put_bits (__m512i state, __m512i value, __m512i bits, __mmask16 lanes,
    uint8_t **words)
{
  __m512i over = _mm512_srlv_epi32 (state, _mm512_sub_epi32 (SPLAT (32), bits));

  state =
      put_words (state, _mm512_mask_test_epi32_mask (lanes, over, over), words);
  return _mm512_or_si512 (_mm512_sllv_epi32 (state, bits), value);
}

static inline void
emit_frame (const eeg_eegpack_tables *tables, eeg_eegpack_coder *c,
    __mmask16 lanes, const int32_t *row, const uint8_t *scales)
{
  const __m512i bases =
      _mm512_setr_epi32 (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 16, 32, 0);
  const __m512i extra =
      _mm512_setr_epi32 (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 4, 8, 32);
  __m512i x = _mm512_loadu_si512 (c->state);
  __m512i value = _mm512_loadu_si512 (row);
  __m512i scale =
      _mm512_cvtepu8_epi32 (_mm_loadu_si128 ((const __m128i *) scales));
  __m512i shift = bits_of_scale (scale, _mm512_loadu_si512 (c->shift));
  __m512i context = _mm512_slli_epi32 (context_of_scale (scale), 4);
  __m512i v = _mm512_srlv_epi32 (value, shift);
  __m512i symbol = _mm512_min_epu32 (v, SPLAT (12));
  __m512i entry, rest, bits, frequency, q, r;
  __mmask16 m;
  uint8_t *words = c->words;

  /* masks count as -1 */
  symbol = _mm512_mask_add_epi32 (symbol,
      _mm512_cmpge_epu32_mask (v, SPLAT (16)), symbol, SPLAT (1));
  symbol = _mm512_mask_add_epi32 (symbol,
      _mm512_cmpge_epu32_mask (v, SPLAT (32)), symbol, SPLAT (1));
  symbol = _mm512_mask_add_epi32 (symbol,
      _mm512_cmpge_epu32_mask (v, SPLAT (288)), symbol, SPLAT (1));
  entry = _mm512_i32gather_epi32 (_mm512_or_si512 (context, symbol),
      tables->encode, 4);
  m = _mm512_mask_testn_epi32_mask (lanes, entry, entry);
  if (__builtin_expect (m != 0, 0)) {
    symbol = _mm512_mask_mov_epi32 (symbol, m, SPLAT (ESCAPE));
    entry = _mm512_i32gather_epi32 (_mm512_or_si512 (context, symbol),
        tables->encode, 4);
  }
  bits = _mm512_add_epi32 (shift, _mm512_permutexvar_epi32 (symbol, extra));
  rest = _mm512_sub_epi32 (value,
      _mm512_sllv_epi32 (_mm512_permutexvar_epi32 (symbol, bases), shift));

  m = _mm512_mask_cmpgt_epi32_mask (lanes, bits, SPLAT (16));
  if (__builtin_expect (m != 0, 0)) {
    bits = _mm512_min_epi32 (bits, SPLAT (32));
    x = put_bits (x, _mm512_maskz_srli_epi32 (m, rest, 16),
        _mm512_maskz_sub_epi32 (m, bits, SPLAT (16)), m, &words);
    bits = _mm512_min_epi32 (bits, SPLAT (16));
    rest = _mm512_and_si512 (rest, low_mask (bits));
  }
  x = put_bits (x, rest, bits, lanes, &words);

  frequency = _mm512_and_si512 (entry, SPLAT (0xffff));
  m = _mm512_mask_cmpge_epu32_mask (lanes,
      _mm512_srli_epi32 (x, 32 - PROBABILITY_BITS), frequency);
  x = put_words (x, m, &words);
  /* x is below frequency << 22: a float quotient is off by one at most */
  q = _mm512_cvttps_epi32 (
      _mm512_div_ps (_mm512_cvtepu32_ps (x), _mm512_cvtepi32_ps (frequency)));
  r = _mm512_sub_epi32 (x, _mm512_mullo_epi32 (q, frequency));
  m = _mm512_movepi32_mask (r);
  q = _mm512_mask_sub_epi32 (q, m, q, SPLAT (1));
  r = _mm512_mask_add_epi32 (r, m, r, frequency);
  m = _mm512_cmpge_epi32_mask (r, frequency);
  q = _mm512_mask_add_epi32 (q, m, q, SPLAT (1));
  r = _mm512_mask_sub_epi32 (r, m, r, frequency);
  x = _mm512_add_epi32 (_mm512_slli_epi32 (q, PROBABILITY_BITS),
      _mm512_add_epi32 (r, _mm512_srli_epi32 (entry, 16)));
  _mm512_storeu_si512 (c->state, x);
  c->words = words;
}

static inline __attribute__ ((always_inline)) void
emit_batch (const eeg_eegpack_tables *tables, eeg_eegpack_coder *coders,
    unsigned n_coders, size_t frames, int32_t *const rows[BATCH],
    uint8_t *const scales[BATCH])
{
  __mmask16 lanes[BATCH];

  for (unsigned g = 0; g < n_coders; g++)
    lanes[g] = (__mmask16) ((1u << coders[g].lanes) - 1);
  for (size_t t = frames; t-- > 0;)
    for (unsigned g = 0; g < n_coders; g++)
      emit_frame (tables, &coders[g], lanes[g], rows[g] + t * LANES,
          scales[g] + t * LANES);
}

static void
emit (const eeg_eegpack_tables *tables, eeg_eegpack_coder *coders,
    unsigned n_coders, size_t frames, int32_t *const rows[BATCH],
    uint8_t *const scales[BATCH])
{
  switch (n_coders) {
    case 1:
      emit_batch (tables, coders, 1, frames, rows, scales);
      break;
    case 2:
      emit_batch (tables, coders, 2, frames, rows, scales);
      break;
    case 3:
      emit_batch (tables, coders, 3, frames, rows, scales);
      break;
    default:
      emit_batch (tables, coders, 4, frames, rows, scales);
      break;
  }
}

#undef SPLAT
