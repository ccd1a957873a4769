/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Samples of a data record: one run per signal there, interleaved outside. */

#include "edf-private.h"

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

#define DEFINE_DECODE(name, in_size, read, out_size, write)                    \
  static void name (const EegEdfHeader *h, const EegEdfGroup *g,               \
      const uint8_t *record, uint32_t first, uint32_t count, uint8_t *out)     \
  {                                                                            \
    const size_t stride = (size_t) g->num_channels * (out_size);               \
    uint32_t s0, c0, c, s;                                                     \
                                                                               \
    for (s0 = 0; s0 < count; s0 += TILE_SAMPLES) {                             \
      uint32_t s1 = count - s0 < TILE_SAMPLES ? count : s0 + TILE_SAMPLES;     \
                                                                               \
      for (c0 = 0; c0 < g->num_channels; c0 += TILE_CHANNELS) {                \
        uint32_t c1 = g->num_channels - c0 < TILE_CHANNELS                     \
            ? g->num_channels                                                  \
            : c0 + TILE_CHANNELS;                                              \
                                                                               \
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
