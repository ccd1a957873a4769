/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The entropy coder with one lane in each element of a 512-bit vector. */

#define SPLAT(x) _mm512_set1_epi32 ((int) (x))

#define ROUND_DOWN (_MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC)

static inline __m512i
scale_of_mean (__m512i mean, __m512i offset)
{
  /* exponent and two bits of a float: quarter octaves */
  __m512i scale =
      _mm512_srli_epi32 (_mm512_castps_si512 (
                             _mm512_cvt_roundepi32_ps (_mm512_or_si512 (mean,
                                                           SPLAT (1)),
                                 ROUND_DOWN)),
          21);

  return _mm512_max_epi32 (_mm512_sub_epi32 (scale, offset),
      _mm512_setzero_si512 ());
}

/* what scale_of_mean() subtracts for a rate */
static inline __m512i
scale_offset (__m512i rate)
{
  return _mm512_add_epi32 (SPLAT (127 * 4), _mm512_slli_epi32 (rate, 2));
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

/* Values of more than 16 extra bits, or escapes, in any lane. */
static inline __m512i
long_values (__m512i *state, __m512i entry, __m512i value, __m512i bits,
    __mmask16 lanes, const uint8_t **end)
{
  __mmask16 escape = _mm512_cmpge_epu32_mask (entry, SPLAT (31u << 27));
  __m512i x = *state, n, low;

  value = _mm512_mask_mov_epi32 (value, escape, _mm512_setzero_si512 ());
  bits = _mm512_mask_mov_epi32 (_mm512_min_epi32 (bits, SPLAT (32)), escape,
      SPLAT (32));
  n = _mm512_min_epi32 (bits, SPLAT (16));
  low = _mm512_and_si512 (x, low_mask (n));
  x = refill (_mm512_srlv_epi32 (x, n), lanes, end);
  value = _mm512_add_epi32 (value, low);
  n = _mm512_sub_epi32 (bits, n);
  low = _mm512_and_si512 (x, low_mask (n));
  *state = refill (_mm512_srlv_epi32 (x, n), lanes, end);
  return _mm512_add_epi32 (value, _mm512_slli_epi32 (low, 16));
}

#define EACH(g) _Pragma ("GCC unroll 4") for (unsigned g = 0; g < n; g++)

/* All groups take a step before any takes the next: the steps of one group wait
 * for each other, those of several do not. */
static inline __attribute__ ((always_inline)) bool
decode_batch (const eeg_eegpack_tables *tables, eeg_eegpack_coder *coders,
    const unsigned n, size_t frames, int32_t *const rows[BATCH])
{
  __m512i x[BATCH], mean[BATCH];
  __mmask16 lanes[BATCH];
  const uint8_t *end[BATCH];
  bool ok = true;

  EACH (g)
  {
    x[g] = _mm512_loadu_si512 (coders[g].state);
    mean[g] = _mm512_loadu_si512 (coders[g].mean);
    lanes[g] = (__mmask16) ((1u << coders[g].lanes) - 1);
    end[g] = coders[g].end;
  }
  for (size_t t = 0; t < frames && ok; t++) {
    __m512i entry[BATCH], shift[BATCH], value[BATCH], bits[BATCH];
    __mmask16 any_long = 0;
    ptrdiff_t left = 0;

    EACH (g)
    {
      __m512i scale = scale_of_mean (mean[g],
          scale_offset (_mm512_loadu_si512 (coders[g].rate)));

      shift[g] = bits_of_scale (scale, _mm512_loadu_si512 (coders[g].shift));
      entry[g] = _mm512_or_si512 (_mm512_slli_epi32 (context_of_scale (scale),
                                      PROBABILITY_BITS),
          _mm512_and_si512 (x[g], SPLAT ((1 << PROBABILITY_BITS) - 1)));
    }
    EACH (g)
    entry[g] = _mm512_i32gather_epi32 (entry[g], tables->decode, 4);
    EACH (g)
    x[g] = _mm512_add_epi32 (_mm512_mullo_epi32 (_mm512_and_si512 (entry[g],
                                                     SPLAT (0x7ff)),
                                 _mm512_srli_epi32 (x[g], PROBABILITY_BITS)),
        _mm512_and_si512 (_mm512_srli_epi32 (entry[g], 11), SPLAT (0x3ff)));
    EACH (g)
    x[g] = refill (x[g], lanes[g], &end[g]);
    EACH (g)
    {
      value[g] =
          _mm512_sllv_epi32 (_mm512_and_si512 (_mm512_srli_epi32 (entry[g], 21),
                                 SPLAT (63)),
              shift[g]);
      bits[g] = _mm512_add_epi32 (shift[g], _mm512_srli_epi32 (entry[g], 27));
      any_long |= _mm512_mask_cmpgt_epi32_mask (lanes[g], bits[g], SPLAT (16));
    }
    if (__builtin_expect (any_long == 0, 1)) {
      EACH (g)
      {
        value[g] = _mm512_add_epi32 (value[g],
            _mm512_and_si512 (x[g], low_mask (bits[g])));
        x[g] = _mm512_srlv_epi32 (x[g], bits[g]);
      }
      EACH (g)
      x[g] = refill (x[g], lanes[g], &end[g]);
    } else {
      EACH (g)
      value[g] =
          long_values (&x[g], entry[g], value[g], bits[g], lanes[g], &end[g]);
    }
    EACH (g)
    {
      __m512i rate = _mm512_loadu_si512 (coders[g].rate);

      mean[g] = next_mean (mean[g], rate,
          _mm512_srlv_epi32 (value[g], _mm512_loadu_si512 (coders[g].shift)));
      _mm512_storeu_si512 (rows[g] + t * LANES,
          _mm512_maskz_xor_epi32 (lanes[g], _mm512_srli_epi32 (value[g], 1),
              _mm512_sub_epi32 (_mm512_setzero_si512 (),
                  _mm512_and_si512 (value[g], SPLAT (1)))));
      /* negative if one is */
      left |= end[g] - coders[g].begin;
    }
    ok = left >= 0;
  }
  EACH (g)
  {
    _mm512_storeu_si512 (coders[g].state, x[g]);
    _mm512_storeu_si512 (coders[g].mean, mean[g]);
    coders[g].end = end[g];
  }
  return ok;
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

/* Frequencies and starts of symbols; what has none becomes an escape. */
static inline __m512i
look_up (const eeg_eegpack_tables *tables, __m512i scale, __mmask16 lanes,
    __m512i *symbol)
{
  const uint32_t *last = tables->encode + OWN_CONTEXTS * SYMBOLS;
  __m512i index, entry;
  __mmask16 missing;

  if (_mm512_mask_cmplt_epu32_mask (lanes, scale, SPLAT (OWN_CONTEXTS)) == 0) {
    /* the contexts that most signals have fit registers */
    index = _mm512_or_si512 (*symbol,
        _mm512_slli_epi32 (_mm512_and_si512 (scale, SPLAT (3)), 4));
    entry = _mm512_permutex2var_epi32 (_mm512_loadu_si512 (last), index,
        _mm512_loadu_si512 (last + 16));
    return _mm512_mask_mov_epi32 (entry,
        _mm512_test_epi32_mask (index, SPLAT (32)),
        _mm512_permutex2var_epi32 (_mm512_loadu_si512 (last + 32), index,
            _mm512_loadu_si512 (last + 48)));
  }
  index = _mm512_slli_epi32 (context_of_scale (scale), 4);
  entry = _mm512_i32gather_epi32 (_mm512_or_si512 (index, *symbol),
      tables->encode, 4);
  missing = _mm512_mask_testn_epi32_mask (lanes, entry, entry);
  if (__builtin_expect (missing != 0, 0)) {
    *symbol = _mm512_mask_mov_epi32 (*symbol, missing, SPLAT (ESCAPE));
    entry = _mm512_i32gather_epi32 (_mm512_or_si512 (index, *symbol),
        tables->encode, 4);
  }
  return entry;
}

static inline __attribute__ ((always_inline)) void
emit_batch (const eeg_eegpack_tables *tables, eeg_eegpack_coder *coders,
    const unsigned n, size_t frames, int32_t *const rows[BATCH],
    uint8_t *const scales[BATCH])
{
  const __m512i bases =
      _mm512_setr_epi32 (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 16, 32, 0);
  const __m512i extra =
      _mm512_setr_epi32 (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 4, 8, 32);
  __m512i x[BATCH];
  __mmask16 lanes[BATCH];
  uint8_t *words[BATCH];

  EACH (g)
  {
    x[g] = _mm512_loadu_si512 (coders[g].state);
    lanes[g] = (__mmask16) ((1u << coders[g].lanes) - 1);
    words[g] = coders[g].words;
  }
  for (size_t t = frames; t-- > 0;) {
    __m512i entry[BATCH], rest[BATCH], bits[BATCH], q[BATCH], r[BATCH];
    __mmask16 m[BATCH], any_long = 0;

    EACH (g)
    {
      __m512i value = _mm512_loadu_si512 (rows[g] + t * LANES);
      __m512i scale = _mm512_cvtepu8_epi32 (
          _mm_loadu_si128 ((const __m128i *) (scales[g] + t * LANES)));
      __m512i shift =
          bits_of_scale (scale, _mm512_loadu_si512 (coders[g].shift));
      __m512i v = _mm512_srlv_epi32 (value, shift);
      __m512i symbol = _mm512_min_epu32 (v, SPLAT (12));

      symbol = _mm512_mask_add_epi32 (symbol,
          _mm512_cmpge_epu32_mask (v, SPLAT (16)), symbol, SPLAT (1));
      symbol = _mm512_mask_add_epi32 (symbol,
          _mm512_cmpge_epu32_mask (v, SPLAT (32)), symbol, SPLAT (1));
      symbol = _mm512_mask_add_epi32 (symbol,
          _mm512_cmpge_epu32_mask (v, SPLAT (288)), symbol, SPLAT (1));
      entry[g] = look_up (tables, scale, lanes[g], &symbol);
      bits[g] =
          _mm512_add_epi32 (shift, _mm512_permutexvar_epi32 (symbol, extra));
      rest[g] = _mm512_sub_epi32 (value,
          _mm512_sllv_epi32 (_mm512_permutexvar_epi32 (symbol, bases), shift));
      m[g] = _mm512_mask_cmpgt_epi32_mask (lanes[g], bits[g], SPLAT (16));
      any_long |= m[g];
    }
    if (__builtin_expect (any_long != 0, 0))
      EACH (g)
      {
        bits[g] = _mm512_min_epi32 (bits[g], SPLAT (32));
        x[g] = put_bits (x[g], _mm512_maskz_srli_epi32 (m[g], rest[g], 16),
            _mm512_maskz_sub_epi32 (m[g], bits[g], SPLAT (16)), m[g],
            &words[g]);
        bits[g] = _mm512_min_epi32 (bits[g], SPLAT (16));
        rest[g] = _mm512_and_si512 (rest[g], low_mask (bits[g]));
      }
    EACH (g)
    x[g] = put_bits (x[g], rest[g], bits[g], lanes[g], &words[g]);
    EACH (g)
    {
      r[g] = _mm512_and_si512 (entry[g], SPLAT (0xffff)); /* frequency */
      m[g] = _mm512_mask_cmpge_epu32_mask (lanes[g],
          _mm512_srli_epi32 (x[g], 32 - PROBABILITY_BITS), r[g]);
      x[g] = put_words (x[g], m[g], &words[g]);
    }
    /* x is below frequency << 22: a float quotient, always rounded down, is too
     * small by one at most */
    EACH (g)
    q[g] = _mm512_cvttps_epi32 (
        _mm512_div_round_ps (_mm512_cvt_roundepu32_ps (x[g], ROUND_DOWN),
            _mm512_cvtepi32_ps (r[g]), ROUND_DOWN));
    EACH (g)
    {
      __m512i frequency = r[g];

      r[g] = _mm512_sub_epi32 (x[g], _mm512_mullo_epi32 (q[g], frequency));
      m[g] = _mm512_cmpge_epi32_mask (r[g], frequency);
      q[g] = _mm512_mask_add_epi32 (q[g], m[g], q[g], SPLAT (1));
      r[g] = _mm512_mask_sub_epi32 (r[g], m[g], r[g], frequency);
      x[g] = _mm512_add_epi32 (_mm512_slli_epi32 (q[g], PROBABILITY_BITS),
          _mm512_add_epi32 (r[g], _mm512_srli_epi32 (entry[g], 16)));
    }
  }
  EACH (g)
  {
    _mm512_storeu_si512 (coders[g].state, x[g]);
    coders[g].words = words[g];
  }
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
#undef EACH
#undef ROUND_DOWN
