/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Samples of a data record: one run per signal there, interleaved outside. */

#include "edf-private.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Both sides of the transposition stay in the first-level cache. */
#define TILE_CHANNELS 16
#define TILE_SAMPLES 64

static inline int32_t
read_s16 (const uint8_t *p)
{
  return (int16_t) (uint16_t) (p[0] | p[1] << 8);
}

static inline int32_t
read_s24 (const uint8_t *p)
{
  return (int32_t) ((uint32_t) p[0] << 8 | (uint32_t) p[1] << 16
             | (uint32_t) p[2] << 24)
      >> 8;
}

static inline void
write_s16 (uint8_t *p, int32_t v)
{
  p[0] = (uint8_t) v;
  p[1] = (uint8_t) (v >> 8);
}

static inline void
write_s24 (uint8_t *p, int32_t v)
{
  p[0] = (uint8_t) v;
  p[1] = (uint8_t) (v >> 8);
  p[2] = (uint8_t) (v >> 16);
}

static inline void
write_s32 (uint8_t *p, int32_t v)
{
  p[0] = (uint8_t) v;
  p[1] = (uint8_t) (v >> 8);
  p[2] = (uint8_t) (v >> 16);
  p[3] = (uint8_t) (v >> 24);
}

static inline int32_t
read_s32 (const uint8_t *p)
{
  return (int32_t) ((uint32_t) p[0] | (uint32_t) p[1] << 8
      | (uint32_t) p[2] << 16 | (uint32_t) p[3] << 24);
}

static inline float
read_f32 (const uint8_t *p)
{
  uint32_t bits = (uint32_t) read_s32 (p);
  float value;

  memcpy (&value, &bits, sizeof value);
  return value;
}

static inline double
read_f64 (const uint8_t *p)
{
  uint64_t bits =
      (uint32_t) read_s32 (p) | (uint64_t) (uint32_t) read_s32 (p + 4) << 32;
  double value;

  memcpy (&value, &bits, sizeof value);
  return value;
}

static inline uint32_t
tile_end (uint32_t begin, uint32_t size, uint32_t end)
{
  return end - begin < size ? end : begin + size;
}

#define DEFINE_DECODE(name, in_size, read, out_size, write)                    \
  static void name (const EegEdfHeader *h, const EegEdfGroup *g,               \
      const uint8_t *record, uint32_t first, uint32_t count, uint8_t *out)     \
  {                                                                            \
    const size_t stride = (size_t) g->num_channels * (out_size);               \
    uint32_t s0, s1, c0, c1, c, s;                                             \
                                                                               \
    for (s0 = 0; s0 < count; s0 = s1) {                                        \
      s1 = tile_end (s0, TILE_SAMPLES, count);                                 \
      for (c0 = 0; c0 < g->num_channels; c0 = c1) {                            \
        c1 = tile_end (c0, TILE_CHANNELS, g->num_channels);                    \
        for (c = c0; c < c1; c++) {                                            \
          const uint8_t *from = record                                         \
              + h->signals[g->signals[c]].record_offset                        \
              + ((size_t) first + s0) * (in_size);                             \
          uint8_t *to = out + s0 * stride + (size_t) c * (out_size);           \
                                                                               \
          for (s = s0; s < s1; s++, from += (in_size), to += stride)           \
            write (to, read (from));                                           \
        }                                                                      \
      }                                                                        \
    }                                                                          \
  }

DEFINE_DECODE (decode_16_16, 2, read_s16, 2, write_s16)
DEFINE_DECODE (decode_16_24, 2, read_s16, 3, write_s24)
DEFINE_DECODE (decode_16_32, 2, read_s16, 4, write_s32)
DEFINE_DECODE (decode_24_24, 3, read_s24, 3, write_s24)
DEFINE_DECODE (decode_24_32, 3, read_s24, 4, write_s32)

void
eeg_edf_decode (const EegEdfHeader *header, uint32_t group,
    const uint8_t *record, uint32_t first, uint32_t count,
    EegEdfSampleFormat format, void *out)
{
  const EegEdfGroup *g = &header->groups[group];

  if (header->format == EEG_EDF_FORMAT_BDF) {
    if (format == EEG_EDF_SAMPLE_S24)
      decode_24_24 (header, g, record, first, count, out);
    else if (format == EEG_EDF_SAMPLE_S32)
      decode_24_32 (header, g, record, first, count, out);
  } else {
    if (format == EEG_EDF_SAMPLE_S16)
      decode_16_16 (header, g, record, first, count, out);
    else if (format == EEG_EDF_SAMPLE_S24)
      decode_16_24 (header, g, record, first, count, out);
    else if (format == EEG_EDF_SAMPLE_S32)
      decode_16_32 (header, g, record, first, count, out);
  }
}

/* --- encoding ------------------------------------------------------------ */

/* Integers. The compiler drops the limits where low and high cannot be
 * exceeded. */
#define DEFINE_ENCODE(name, in_size, read, out_size, write)                    \
  static uint64_t name (const EegEdfHeader *h, const EegEdfChannel *channels,  \
      uint32_t num_channels, uint8_t *record, uint32_t first, uint32_t count,  \
      const uint8_t *in)                                                       \
  {                                                                            \
    const size_t stride = (size_t) num_channels * (in_size);                   \
    const int32_t high = (out_size) == 2 ? INT16_MAX : 0x7fffff;               \
    const int32_t low = -high - 1;                                             \
    uint64_t clipped = 0;                                                      \
    uint32_t s0, s1, c0, c1, c, s;                                             \
                                                                               \
    for (s0 = 0; s0 < count; s0 = s1) {                                        \
      s1 = tile_end (s0, TILE_SAMPLES, count);                                 \
      for (c0 = 0; c0 < num_channels; c0 = c1) {                               \
        c1 = tile_end (c0, TILE_CHANNELS, num_channels);                       \
        for (c = c0; c < c1; c++) {                                            \
          const uint8_t *from = in + s0 * stride + (size_t) c * (in_size);     \
          uint8_t *to = record + h->signals[channels[c].signal].record_offset  \
              + ((size_t) first + s0) * (out_size);                            \
          uint32_t bad = 0;                                                    \
                                                                               \
          for (s = s0; s < s1; s++, from += stride, to += (out_size)) {        \
            int32_t v = read (from);                                           \
                                                                               \
            if ((in_size) > (out_size)) {                                      \
              int32_t kept = v < low ? low : v > high ? high : v;              \
                                                                               \
              bad += kept != v;                                                \
              v = kept;                                                        \
            }                                                                  \
            write (to, v);                                                     \
          }                                                                    \
          clipped += bad;                                                      \
        }                                                                      \
      }                                                                        \
    }                                                                          \
    return clipped;                                                            \
  }

DEFINE_ENCODE (encode_16_16, 2, read_s16, 2, write_s16)
DEFINE_ENCODE (encode_24_16, 3, read_s24, 2, write_s16)
DEFINE_ENCODE (encode_32_16, 4, read_s32, 2, write_s16)
DEFINE_ENCODE (encode_16_24, 2, read_s16, 3, write_s24)
DEFINE_ENCODE (encode_24_24, 3, read_s24, 3, write_s24)
DEFINE_ENCODE (encode_32_24, 4, read_s32, 3, write_s24)

/* Adding this to a double of less than 2^31 rounds it to the nearest integer,
 * ties to even, and leaves that integer in the low 32 bits: the only rounding
 * that every compiler vectorises. */
#define ROUNDING_TERM 6755399441055744.0

static inline int32_t
round_to_int (double value)
{
  uint64_t bits;

  value += ROUNDING_TERM;
  memcpy (&bits, &value, sizeof bits);
  return (int32_t) (uint32_t) bits;
}

/* Physical values, in two steps: rows of a tile to counts, across channels;
 * then columns of the tile to signals. */
#define DEFINE_ENCODE_FLOAT(name, in_size, read, out_size, write)              \
  static uint64_t name (const EegEdfHeader *h, const EegEdfChannel *channels,  \
      uint32_t num_channels, uint8_t *record, uint32_t first, uint32_t count,  \
      const uint8_t *in)                                                       \
  {                                                                            \
    const size_t stride = (size_t) num_channels * (in_size);                   \
    uint64_t clipped = 0;                                                      \
    uint32_t s0, s1, c0, c1, c, s;                                             \
                                                                               \
    for (c0 = 0; c0 < num_channels; c0 = c1) {                                 \
      double factor[TILE_CHANNELS] = { 0 }, term[TILE_CHANNELS] = { 0 };       \
      double low[TILE_CHANNELS] = { 0 }, high[TILE_CHANNELS] = { 0 };          \
                                                                               \
      c1 = tile_end (c0, TILE_CHANNELS, num_channels);                         \
      for (c = c0; c < c1; c++) {                                              \
        factor[c - c0] = channels[c].factor;                                   \
        term[c - c0] = channels[c].term;                                       \
        low[c - c0] = channels[c].low;                                         \
        high[c - c0] = channels[c].high;                                       \
      }                                                                        \
      for (s0 = 0; s0 < count; s0 = s1) {                                      \
        int32_t tile[TILE_SAMPLES][TILE_CHANNELS];                             \
        const uint8_t *row = in + s0 * stride + (size_t) c0 * (in_size);       \
        uint32_t bad = 0;                                                      \
                                                                               \
        s1 = tile_end (s0, TILE_SAMPLES, count);                               \
        for (s = s0; s < s1; s++, row += stride) {                             \
          uint8_t values[TILE_CHANNELS * (in_size)] = { 0 };                   \
          uint32_t row_bad = 0;                                                \
                                                                               \
          if (c1 - c0 == TILE_CHANNELS)                                        \
            memcpy (values, row, sizeof values);                               \
          else                                                                 \
            memcpy (values, row, (size_t) (c1 - c0) * (in_size));              \
          for (c = 0; c < TILE_CHANNELS; c++) {                                \
            double v = read (values + c * (in_size)) * factor[c] + term[c];    \
                                                                               \
            row_bad += !(v >= low[c] - 0.5 && v <= high[c] + 0.5);             \
            v = v >= low[c] ? v : low[c];                                      \
            v = v <= high[c] ? v : high[c];                                    \
            tile[s - s0][c] = round_to_int (v);                                \
          }                                                                    \
          bad += row_bad;                                                      \
        }                                                                      \
        if (bad > 0) {                                                         \
          clipped += bad;                                                      \
          for (s = s0; s < s1; s++) {                                          \
            for (c = c0; c < c1; c++) {                                        \
              if (isnan (read (in + s * stride + (size_t) c * (in_size))))     \
                tile[s - s0][c - c0] = channels[c].fill;                       \
            }                                                                  \
          }                                                                    \
        }                                                                      \
        for (c = c0; c < c1; c++) {                                            \
          uint8_t *to = record + h->signals[channels[c].signal].record_offset  \
              + ((size_t) first + s0) * (out_size);                            \
                                                                               \
          for (s = 0; s < s1 - s0; s++, to += (out_size))                      \
            write (to, tile[s][c - c0]);                                       \
        }                                                                      \
      }                                                                        \
    }                                                                          \
    return clipped;                                                            \
  }

DEFINE_ENCODE_FLOAT (encode_f32_16, 4, read_f32, 2, write_s16)
DEFINE_ENCODE_FLOAT (encode_f64_16, 8, read_f64, 2, write_s16)
DEFINE_ENCODE_FLOAT (encode_f32_24, 4, read_f32, 3, write_s24)
DEFINE_ENCODE_FLOAT (encode_f64_24, 8, read_f64, 3, write_s24)

void
eeg_edf_channel_init (EegEdfChannel *channel, const EegEdfHeader *header,
    uint32_t signal, EegEdfSampleFormat format)
{
  const EegEdfSignal *s = &header->signals[signal];
  int32_t high = header->format == EEG_EDF_FORMAT_BDF ? 0x7fffff : INT16_MAX;
  int32_t low = -high - 1;
  double zero;

  channel->signal = signal;
  channel->low = low;
  channel->high = high;
  if (format == EEG_EDF_SAMPLE_F32 || format == EEG_EDF_SAMPLE_F64) {
    channel->low = s->dmin > low ? s->dmin : low;
    channel->high = s->dmax < high ? s->dmax : high;
  }
  channel->factor = 1.0 / s->gain;
  channel->term = -s->offset / s->gain;

  /* the count nearest to physical zero within the declared range */
  zero = rint (channel->term);
  zero = zero < s->dmin ? s->dmin : zero > s->dmax ? s->dmax : zero;
  zero = zero < low ? low : zero > high ? high : zero;
  channel->fill = (int32_t) zero;
}

uint64_t
eeg_edf_encode (const EegEdfHeader *header, const EegEdfChannel *channels,
    uint32_t num_channels, uint8_t *record, uint32_t first, uint32_t count,
    EegEdfSampleFormat format, const void *frames)
{
  static uint64_t (*const encoders[5][2]) (const EegEdfHeader *,
      const EegEdfChannel *, uint32_t, uint8_t *, uint32_t, uint32_t,
      const uint8_t *) = {
    [EEG_EDF_SAMPLE_S16] = { encode_16_16, encode_16_24 },
    [EEG_EDF_SAMPLE_S24] = { encode_24_16, encode_24_24 },
    [EEG_EDF_SAMPLE_S32] = { encode_32_16, encode_32_24 },
    [EEG_EDF_SAMPLE_F32] = { encode_f32_16, encode_f32_24 },
    [EEG_EDF_SAMPLE_F64] = { encode_f64_16, encode_f64_24 },
  };

  return encoders[format][header->format == EEG_EDF_FORMAT_BDF](header,
      channels, num_channels, record, first, count, frames);
}

void
eeg_edf_fill (const EegEdfHeader *header, const EegEdfChannel *channels,
    uint32_t num_channels, uint8_t *record, uint32_t first, uint32_t count)
{
  const uint32_t bps = header->bytes_per_sample;
  uint32_t c, s;

  for (c = 0; c < num_channels; c++) {
    uint8_t *to = record + header->signals[channels[c].signal].record_offset
        + (size_t) first * bps;

    for (s = 0; s < count; s++, to += bps) {
      if (bps == 3)
        write_s24 (to, channels[c].fill);
      else
        write_s16 (to, channels[c].fill);
    }
  }
}

/* --- triggers ------------------------------------------------------------ */

bool
eeg_edf_status_next (const EegEdfHeader *header, uint32_t signal,
    const uint8_t *record, EegEdfStatusState *state, uint32_t *position,
    uint16_t *triggers)
{
  const EegEdfSignal *s = &header->signals[signal];
  const uint32_t bps = header->bytes_per_sample;
  const uint8_t *p = record + s->record_offset + (size_t) *position * bps;
  uint16_t last = state->triggers;
  uint32_t i;

  for (i = *position; i < s->samples_per_record; i++, p += bps) {
    uint16_t now = (uint16_t) (p[0] | p[1] << 8);

    if (now == last && state->known)
      continue;
    if (state->known && (now & ~last) != 0) {
      state->triggers = now;
      *position = i + 1;
      *triggers = now;
      return true;
    }
    last = now;
    state->known = true;
    state->triggers = now;
  }
  *position = s->samples_per_record;
  return false;
}

void
eeg_edf_trigger_text (uint16_t triggers, char text[EEG_EDF_TRIGGER_TEXT_SIZE])
{
  snprintf (text, EEG_EDF_TRIGGER_TEXT_SIZE, "Trigger %u", triggers);
}
