/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "synth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Everything is rendered in blocks of BLOCK frames that start at multiples of
 * BLOCK: the latent sources are made for a block at once, and the noise
 * generators are seeded anew at its start. So frames can be rendered in any
 * order and the work per frame stays small. */
#define BLOCK_SHIFT 6
#define BLOCK (1 << BLOCK_SHIFT)

/* Channels rendered together, so that a compiler can keep them in vector
 * registers. */
#define TILE 8

/* Latent sources are in counts of the 24-bit amplifier (31.25 nV); the weights
 * have WEIGHT_SHIFT fractional bits. |latent| <= 12000 and |weight| <= 5000
 * keep the sum over all sources below 2^30. */
#define WEIGHT_SHIFT 12
#define WEIGHT_ONE (1 << WEIGHT_SHIFT)

/* Slow octaves are interpolated with this many fractional bits. */
#define LATENT_SHIFT 16
#define FINEST_OCTAVE 2
#define COARSEST_OCTAVE 16

#define SINE_BITS 12
#define SINE_SIZE (1 << SINE_BITS)

enum
{
  FIRST_BACKGROUND = 0,
  N_BACKGROUND = 8,
  FIRST_RHYTHM = FIRST_BACKGROUND + N_BACKGROUND,
  N_RHYTHM = 4,
  BLINK = FIRST_RHYTHM + N_RHYTHM,
  GAZE,
  MAINS,
  MAINS_QUADRATURE,
};

_Static_assert(MAINS_QUADRATURE + 1 == EEG_SYNTH_SOURCES, "source count");

/* Streams of eeg_synth_hash(): one per use, so that no two uses share
 * numbers. */
enum
{
  STREAM_BACKGROUND = 1,
  STREAM_RHYTHM = 1000,
  STREAM_BLINK = 2000,
  STREAM_GAZE,
  STREAM_OFFSET,
  STREAM_CALIBRATION,
  STREAM_WEIGHT,
  STREAM_POSITION,
  STREAM_NOISE_GAIN,
  STREAM_NOISE = 10000,
};

/* Nominal range of the 24-bit amplifier in microvolts, each side. */
#define NOMINAL_RANGE 262144

/* Largest electrode offset, 100 mV, in counts of 31.25 nV. */
#define OFFSET_RANGE 3200000

struct tile
{
  int16_t weight[EEG_SYNTH_SOURCES][TILE];
  int16_t noise_gain[TILE];
  int32_t offset[TILE];
};

struct eeg_synth
{
  uint64_t seed;
  uint32_t channels;
  uint32_t tiles;
  unsigned coarsest;     /* longest octave of the background, log2 samples */
  unsigned burst_shift;  /* envelope points of the rhythms, log2 samples */
  unsigned blink_shift;  /* one blink at most in so many samples, log2 */
  uint32_t blink_length; /* samples */
  uint64_t rhythm_step[N_RHYTHM]; /* 2^64 is one turn */
  uint64_t mains_step;
  uint64_t mains_third_step;

  struct tile *tile;
  uint32_t (*noise)[TILE];

  uint64_t block; /* that latent and noise belong to */
  unsigned noise_position;
  int block_valid;
  int16_t latent[BLOCK][EEG_SYNTH_SOURCES];

  int16_t sine[SINE_SIZE];
};

struct electrode
{
  char label[5];
  int8_t x; /* right */
  int8_t y; /* front */
};

/* The 10-10 system as a plan of rows and columns. The order gives useful
 * montages when it is cut at 8, 16, 19, 32 or 64 channels. */
static const struct electrode electrodes[] = {
  { "Fp1", -2, 8 },
  { "Fp2", 2, 8 },
  { "C3", -4, 0 },
  { "C4", 4, 0 },
  { "P7", -7, -4 },
  { "P8", 7, -4 },
  { "O1", -2, -8 },
  { "O2", 2, -8 },
  { "F7", -7, 4 },
  { "F8", 7, 4 },
  { "F3", -4, 4 },
  { "F4", 4, 4 },
  { "T7", -8, 0 },
  { "T8", 8, 0 },
  { "P3", -4, -4 },
  { "P4", 4, -4 },
  { "Fz", 0, 4 },
  { "Cz", 0, 0 },
  { "Pz", 0, -4 },
  { "Oz", 0, -8 },
  { "FC1", -2, 2 },
  { "FC2", 2, 2 },
  { "CP1", -2, -2 },
  { "CP2", 2, -2 },
  { "FC5", -6, 2 },
  { "FC6", 6, 2 },
  { "CP5", -6, -2 },
  { "CP6", 6, -2 },
  { "AF3", -3, 6 },
  { "AF4", 3, 6 },
  { "PO3", -3, -6 },
  { "PO4", 3, -6 },
  { "Fpz", 0, 8 },
  { "AFz", 0, 6 },
  { "FCz", 0, 2 },
  { "CPz", 0, -2 },
  { "POz", 0, -6 },
  { "Iz", 0, -10 },
  { "AF7", -5, 6 },
  { "AF8", 5, 6 },
  { "F5", -6, 4 },
  { "F1", -2, 4 },
  { "F2", 2, 4 },
  { "F6", 6, 4 },
  { "FT7", -8, 2 },
  { "FC3", -4, 2 },
  { "FC4", 4, 2 },
  { "FT8", 8, 2 },
  { "C5", -6, 0 },
  { "C1", -2, 0 },
  { "C2", 2, 0 },
  { "C6", 6, 0 },
  { "TP7", -8, -2 },
  { "CP3", -4, -2 },
  { "CP4", 4, -2 },
  { "TP8", 8, -2 },
  { "P5", -6, -4 },
  { "P1", -2, -4 },
  { "P2", 2, -4 },
  { "P6", 6, -4 },
  { "PO7", -5, -6 },
  { "PO8", 5, -6 },
  { "P9", -9, -5 },
  { "P10", 9, -5 },
};

#define N_ELECTRODES (sizeof electrodes / sizeof electrodes[0])

/* Where the latent sources sit on the same plan, and the squared distance at
 * which they have fallen to half. Mains does not sit anywhere. */
static const struct
{
  int8_t x;
  int8_t y;
  int16_t spread;
} places[EEG_SYNTH_SOURCES] = {
  { -4, 5, 30 },
  { 4, 5, 30 },
  { -6, -1, 30 },
  { 6, -1, 30 },
  { -3, -6, 30 },
  { 3, -6, 30 },
  { 0, 2, 30 },
  { 0, -3, 90 },
  { -2, -9, 20 },
  { 3, -7, 30 },
  { 1, 6, 25 },
  { -4, 0, 12 },
  { 0, 10, 16 },
  { 8, 9, 24 },
  { 0, 0, 0 },
  { 0, 0, 0 },
};

/* Rhythms in mHz (two alphas, beta, mu) and their largest amplitude in counts
 * (40, 25, 8 and 15 uV). */
static const struct
{
  uint32_t frequency;
  int32_t amplitude;
} rhythms[N_RHYTHM] = {
  { 10200, 1280 },
  { 9300, 800 },
  { 19700, 256 },
  { 11400, 480 },
};

#define MAINS_FREQUENCY 50000
#define MAINS_AMPLITUDE 384
#define MAINS_THIRD_AMPLITUDE 64

uint64_t
eeg_synth_hash (uint64_t seed, uint64_t stream, uint64_t index)
{
  uint64_t x = seed * UINT64_C (0xd1342543de82ef95);

  /* two rounds of the finaliser of splitmix64 (Steele, Lea and Flood, 2014),
   * so that neighbouring seeds and streams share nothing */
  x += (stream + 1) * UINT64_C (0x9e3779b97f4a7c15);
  x = (x ^ (x >> 30)) * UINT64_C (0xbf58476d1ce4e5b9);
  x = (x ^ (x >> 27)) * UINT64_C (0x94d049bb133111eb);
  x ^= x >> 31;
  x += (index + 1) * UINT64_C (0x9e3779b97f4a7c15);
  x = (x ^ (x >> 30)) * UINT64_C (0xbf58476d1ce4e5b9);
  x = (x ^ (x >> 27)) * UINT64_C (0x94d049bb133111eb);
  return x ^ (x >> 31);
}

/* Random number number index of a stream, -32768 to 32767. */
static int32_t
random16 (const struct eeg_synth *synth, uint64_t stream, uint64_t index)
{
  uint64_t word = eeg_synth_hash (synth->seed, stream, index >> 2);

  return (int32_t) ((word >> (16 * (index & 3))) & 0xffff) - 32768;
}

/* One turn of a sine by rotating a vector; two Q30 constants are the only
 * transcendental numbers here: cos and sin of 2 pi / 4096. */
static void
make_sine (int16_t *table)
{
  const int64_t cos_step = 1073740561, sin_step = 1647099;
  const int64_t half = INT64_C (1) << 29;
  int64_t c = INT64_C (1) << 30, s = 0;

  for (unsigned i = 0; i <= SINE_SIZE / 4; i++) {
    int64_t next_c = (c * cos_step - s * sin_step + half) >> 30;
    int64_t next_s = (s * cos_step + c * sin_step + half) >> 30;
    int32_t value = (int32_t) ((s + (1 << 14)) >> 15);

    if (value > 32767)
      value = 32767;
    table[i] = (int16_t) value;
    table[SINE_SIZE / 2 - i] = (int16_t) value;
    table[SINE_SIZE / 2 + i] = (int16_t) -value;
    table[(SINE_SIZE - i) % SINE_SIZE] = (int16_t) -value;
    c = next_c;
    s = next_s;
  }
}

static int32_t
sine_at (const struct eeg_synth *synth, uint64_t phase)
{
  return synth->sine[phase >> (64 - SINE_BITS)];
}

/* 2^64 * frequency / rate, or 0 (silence) from half the rate on, where an
 * amplifier's anti-aliasing filter has removed it. */
static uint64_t
phase_step (uint32_t millihertz, uint32_t rate_num, uint32_t rate_den)
{
  uint64_t divisor = (uint64_t) rate_num * 1000;
  uint64_t remainder = (uint64_t) millihertz * rate_den;
  uint64_t step = 0;

  if (remainder >= divisor / 2)
    return 0;
  for (int bit = 0; bit < 64; bit++) {
    remainder <<= 1;
    step <<= 1;
    if (remainder >= divisor) {
      remainder -= divisor;
      step |= 1;
    }
  }
  return step;
}

/* The power of two nearest below milliseconds at this rate, in [low, high]. */
static unsigned
shift_for (uint32_t milliseconds, uint32_t rate_num, uint32_t rate_den,
    unsigned low, unsigned high)
{
  uint64_t samples = (uint64_t) rate_num * milliseconds / 1000 / rate_den;
  unsigned shift = low;

  while (shift < high && (UINT64_C (2) << shift) <= samples)
    shift++;
  return shift;
}

static uint32_t
channel_range (const struct eeg_synth *synth, uint32_t channel)
{
  /* +-1 % in steps that a 16-bit range can share */
  return NOMINAL_RANGE
      + 64 * (uint32_t) (random16 (synth, STREAM_CALIBRATION, channel) / 800);
}

static void
channel_position (const struct eeg_synth *synth, uint32_t channel, int32_t *x,
    int32_t *y)
{
  if (channel < N_ELECTRODES) {
    *x = electrodes[channel].x;
    *y = electrodes[channel].y;
  } else {
    /* -9 to 9 */
    *x = random16 (synth, STREAM_POSITION, 2 * (uint64_t) channel) / 3450;
    *y = random16 (synth, STREAM_POSITION, 2 * (uint64_t) channel + 1) / 3450;
  }
}

static void
set_up_channel (struct eeg_synth *synth, uint32_t channel)
{
  struct tile *tile = &synth->tile[channel / TILE];
  unsigned lane = channel % TILE;
  int32_t range = (int32_t) channel_range (synth, channel);
  int32_t x, y;
  int64_t offset;

  channel_position (synth, channel, &x, &y);
  for (int s = 0; s < EEG_SYNTH_SOURCES; s++) {
    int32_t random = random16 (synth, STREAM_WEIGHT,
        (uint64_t) channel * EEG_SYNTH_SOURCES + (unsigned) s);
    int32_t weight;

    if (s >= MAINS) {
      weight = random / (32768 / WEIGHT_ONE);
    } else {
      int32_t dx = x - places[s].x, dy = y - places[s].y;
      int32_t distance = dx * dx + dy * dy;

      weight = WEIGHT_ONE * places[s].spread / (places[s].spread + distance);
      weight += weight * (random / 64) / 4096; /* +-12 % */
    }
    /* the sources are in microvolts for everybody: a less sensitive channel
     * shows fewer counts */
    tile->weight[s][lane] =
        (int16_t) (weight * (NOMINAL_RANGE / 64) / (range / 64));
  }

  /* 0.7 to 1.3 uV RMS: the noise generator has an RMS of 147.8 */
  tile->noise_gain[lane] =
      (int16_t) (860 + random16 (synth, STREAM_NOISE_GAIN, channel) / 128);
  /* up to +-100 mV, half of them within +-13 mV */
  offset = random16 (synth, STREAM_OFFSET, channel);
  offset = offset * offset * offset / (INT64_C (1) << 30);
  tile->offset[lane] =
      (int32_t) (offset * OFFSET_RANGE / 32768 * NOMINAL_RANGE / range);
}

eeg_synth *
eeg_synth_new (uint64_t seed, uint32_t channels, uint32_t rate_num,
    uint32_t rate_den)
{
  struct eeg_synth *synth;

  if (channels == 0 || channels > EEG_SYNTH_MAX_CHANNELS || rate_num == 0
      || rate_den == 0)
    return NULL;

  synth = calloc (1, sizeof *synth);
  if (!synth)
    return NULL;
  synth->seed = seed;
  synth->channels = channels;
  synth->tiles = (channels + TILE - 1) / TILE;
  synth->tile = calloc (synth->tiles, sizeof *synth->tile);
  synth->noise = calloc (synth->tiles, sizeof *synth->noise);
  if (!synth->tile || !synth->noise) {
    eeg_synth_free (synth);
    return NULL;
  }

  make_sine (synth->sine);
  synth->coarsest =
      shift_for (16000, rate_num, rate_den, BLOCK_SHIFT, COARSEST_OCTAVE);
  synth->burst_shift = shift_for (1000, rate_num, rate_den, BLOCK_SHIFT, 24);
  synth->blink_shift =
      shift_for (6000, rate_num, rate_den, BLOCK_SHIFT + 1, 26);
  synth->blink_length =
      (uint32_t) ((uint64_t) rate_num * 350 / 1000 / rate_den);
  if (synth->blink_length < 2)
    synth->blink_length = 2;
  if (synth->blink_length > (UINT32_C (1) << synth->blink_shift) / 2)
    synth->blink_length = (UINT32_C (1) << synth->blink_shift) / 2;
  for (int i = 0; i < N_RHYTHM; i++)
    synth->rhythm_step[i] =
        phase_step (rhythms[i].frequency, rate_num, rate_den);
  synth->mains_step = phase_step (MAINS_FREQUENCY, rate_num, rate_den);
  synth->mains_third_step =
      phase_step (3 * MAINS_FREQUENCY, rate_num, rate_den);

  for (uint32_t c = 0; c < channels; c++)
    set_up_channel (synth, c);
  return synth;
}

void
eeg_synth_free (eeg_synth *synth)
{
  if (!synth)
    return;
  free (synth->tile);
  free (synth->noise);
  free (synth);
}

void
eeg_synth_get_channel (const eeg_synth *synth, uint32_t channel,
    enum eeg_synth_format format, struct eeg_synth_channel *out)
{
  uint32_t range = channel_range (synth, channel);

  if (channel < N_ELECTRODES)
    snprintf (out->label, sizeof out->label, "%s", electrodes[channel].label);
  else
    snprintf (out->label, sizeof out->label, "E%u", (unsigned) channel + 1);

  if (format == EEG_SYNTH_S16LE) {
    snprintf (out->physical_min, sizeof out->physical_min, "-%u",
        (unsigned) range / 64);
    snprintf (out->physical_max, sizeof out->physical_max, "%u.875",
        (unsigned) range / 64 - 1);
    out->digital_min = -32768;
    out->digital_max = 32767;
  } else {
    snprintf (out->physical_min, sizeof out->physical_min, "-%u",
        (unsigned) range);
    snprintf (out->physical_max, sizeof out->physical_max, "%u",
        (unsigned) range - 1);
    out->digital_min = -8388608;
    out->digital_max = 8388607;
  }
}

size_t
eeg_synth_sample_size (enum eeg_synth_format format)
{
  switch (format) {
    case EEG_SYNTH_S16LE:
      return 2;
    case EEG_SYNTH_S24LE:
      return 3;
    default:
      return 4;
  }
}

/* 1/f: octaves of equal amplitude, each a random value every 2^octave samples
 * with straight lines between. Octaves of a block and longer are one line
 * through the block. */
static void
render_background (struct eeg_synth *synth, uint64_t block, int source)
{
  uint64_t stream = STREAM_BACKGROUND + (uint64_t) source * 32;
  uint64_t n = block << BLOCK_SHIFT;
  int32_t sum[BLOCK];
  int32_t base = 1 << (LATENT_SHIFT - 1), slope = 0;

  for (unsigned k = BLOCK_SHIFT; k <= synth->coarsest; k++) {
    uint64_t point = n >> k;
    int32_t position = (int32_t) (n & ((UINT64_C (1) << k) - 1));
    int32_t a = random16 (synth, stream + k, point) / 128;
    int32_t b = random16 (synth, stream + k, point + 1) / 128;
    int32_t step = (b - a) * (1 << (LATENT_SHIFT - k));

    base += a * (1 << LATENT_SHIFT) + step * position;
    slope += step;
  }
  for (int i = 0; i < BLOCK; i++)
    sum[i] = base + slope * i;

  for (unsigned k = FINEST_OCTAVE; k < BLOCK_SHIFT; k++) {
    uint64_t point = n >> k;
    int32_t a = random16 (synth, stream + k, point) / 128;

    for (int i = 0; i < BLOCK; i += 1 << k) {
      int32_t b = random16 (synth, stream + k, ++point) / 128;
      int32_t step = (b - a) * (1 << (LATENT_SHIFT - k));

      for (int j = 0; j < 1 << k; j++)
        sum[i + j] += a * (1 << LATENT_SHIFT) + step * j;
      a = b;
    }
  }

  for (int i = 0; i < BLOCK; i++)
    synth->latent[i][FIRST_BACKGROUND + source] =
        (int16_t) (sum[i] >> LATENT_SHIFT);
}

/* A sine whose envelope swells and dies away: random points, those in the
 * lower half silent, straight lines between. */
static void
render_rhythm (struct eeg_synth *synth, uint64_t block, int rhythm)
{
  uint64_t stream = STREAM_RHYTHM + (uint64_t) rhythm;
  uint64_t n = block << BLOCK_SHIFT;
  uint64_t step = synth->rhythm_step[rhythm], phase = n * step;
  unsigned shift = synth->burst_shift;
  int32_t a = random16 (synth, stream, n >> shift);
  int32_t b = random16 (synth, stream, (n >> shift) + 1);
  int64_t position = (int64_t) (n & ((UINT64_C (1) << shift) - 1));

  if (a < 0)
    a = 0;
  if (b < 0)
    b = 0;
  if (step == 0)
    a = b = 0;
  for (int i = 0; i < BLOCK; i++) {
    int64_t envelope = a + (((b - a) * (position + i)) >> shift);
    int64_t value = envelope * sine_at (synth, phase) >> 15;

    synth->latent[i][FIRST_RHYTHM + rhythm] =
        (int16_t) (value * rhythms[rhythm].amplitude >> 15);
    phase += step;
  }
}

/* In three of four spans of a few seconds, one blink of 125 to 250 uV shaped
 * as a squared half sine. */
static void
render_blink (struct eeg_synth *synth, uint64_t block)
{
  uint64_t n = block << BLOCK_SHIFT;
  unsigned shift = synth->blink_shift;
  uint64_t random = eeg_synth_hash (synth->seed, STREAM_BLINK, n >> shift);
  uint32_t span = UINT32_C (1) << shift, length = synth->blink_length;
  uint32_t start = (uint32_t) (((random >> 32) * (span - length)) >> 32);
  uint32_t position = (uint32_t) (n & (span - 1));
  int64_t amplitude = 4000 + (int64_t) (random & 0xfff);
  int absent = ((random >> 16) & 3) == 0;

  for (uint32_t i = 0; i < BLOCK; i++) {
    uint32_t since = position + i - start;
    int64_t value = 0;

    if (!absent && position + i >= start && since < length) {
      value = sine_at (synth, (UINT64_C (1) << 63) / length * since);
      value = (value * value >> 15) * amplitude >> 15;
    }
    synth->latent[i][BLINK] = (int16_t) value;
  }
}

/* The eyes rest and jump: a level of up to +-60 uV per span, reached in a
 * straight line during its first sixteenth. */
static void
render_gaze (struct eeg_synth *synth, uint64_t block)
{
  uint64_t n = block << BLOCK_SHIFT;
  unsigned shift = synth->blink_shift - 1, ramp = shift - 4;
  uint64_t span = n >> shift;
  int32_t position = (int32_t) (n & ((UINT64_C (1) << shift) - 1));
  int32_t to = random16 (synth, STREAM_GAZE, span + 1) / 17;
  int32_t from = random16 (synth, STREAM_GAZE, span) / 17;

  for (int i = 0; i < BLOCK; i++) {
    int32_t since = position + i;

    synth->latent[i][GAZE] = (int16_t) (since >> ramp
            ? to
            : from + (int32_t) ((int64_t) (to - from) * since >> ramp));
  }
}

/* Mains and its third harmonic, as two waves a quarter of a turn apart: the
 * weights of the two give each electrode its own amplitude and phase. */
static void
render_mains (struct eeg_synth *synth, uint64_t block)
{
  const uint64_t quarter = UINT64_C (1) << 62;
  uint64_t n = block << BLOCK_SHIFT;
  uint64_t phase = n * synth->mains_step;
  uint64_t third = n * synth->mains_third_step;
  int32_t amplitude = synth->mains_step ? MAINS_AMPLITUDE : 0;
  int32_t third_amplitude = synth->mains_third_step ? MAINS_THIRD_AMPLITUDE : 0;

  for (int i = 0; i < BLOCK; i++) {
    int32_t in_phase = amplitude * sine_at (synth, phase)
        + third_amplitude * sine_at (synth, third);
    int32_t quadrature = amplitude * sine_at (synth, phase + quarter)
        + third_amplitude * sine_at (synth, third + quarter);

    synth->latent[i][MAINS] = (int16_t) (in_phase >> 15);
    synth->latent[i][MAINS_QUADRATURE] = (int16_t) (quadrature >> 15);
    phase += synth->mains_step;
    third += synth->mains_third_step;
  }
}

static void
seed_noise (struct eeg_synth *synth, uint64_t block)
{
  uint32_t lanes = synth->tiles * TILE;

  /* two channels from one hash; 0 is the one state that xorshift never
   * leaves */
  for (uint32_t c = 0; c < lanes; c += 2) {
    uint64_t random = eeg_synth_hash (synth->seed, STREAM_NOISE + c, block);

    synth->noise[c / TILE][c % TILE] = (uint32_t) random | 1;
    synth->noise[c / TILE][c % TILE + 1] = (uint32_t) (random >> 32) | 1;
  }
  synth->noise_position = 0;
}

static void
load_block (struct eeg_synth *synth, uint64_t block)
{
  for (int s = 0; s < N_BACKGROUND; s++)
    render_background (synth, block, s);
  for (int s = 0; s < N_RHYTHM; s++)
    render_rhythm (synth, block, s);
  render_blink (synth, block);
  render_gaze (synth, block);
  render_mains (synth, block);
  seed_noise (synth, block);
  synth->block = block;
  synth->block_valid = 1;
}

/* xorshift32 (Marsaglia, 2003) */
static inline uint32_t
next_noise (uint32_t x)
{
  x ^= x << 13;
  x ^= x >> 17;
  return x ^ (x << 5);
}

static void
skip_noise (struct eeg_synth *synth, unsigned position)
{
  uint32_t *noise = &synth->noise[0][0];
  uint32_t lanes = synth->tiles * TILE;

  for (; synth->noise_position < position; synth->noise_position++) {
    for (uint32_t c = 0; c < lanes; c++)
      noise[c] = next_noise (noise[c]);
  }
}

/* The loop that all the time goes into: one tile, some frames of one block.
 * The electrode offset is left out. */
static void
render_tile (const struct tile *tile, uint32_t *noise_state,
    const int16_t (*latent)[EEG_SYNTH_SOURCES], size_t frames,
    int32_t (*out)[TILE])
{
  uint32_t noise[TILE];

  memcpy (noise, noise_state, sizeof noise);
  for (size_t i = 0; i < frames; i++) {
    int32_t sum[TILE];

    for (int c = 0; c < TILE; c++) {
      /* the sum of four bytes is near enough to Gaussian */
      uint32_t x = noise[c] = next_noise (noise[c]);
      uint32_t pairs = (x & 0x00ff00ff) + ((x >> 8) & 0x00ff00ff);
      int16_t value = (int16_t) ((pairs & 0xffff) + (pairs >> 16)) - 510;

      sum[c] =
          (1 << (WEIGHT_SHIFT - 1)) + (int32_t) value * tile->noise_gain[c];
    }
    for (int s = 0; s < EEG_SYNTH_SOURCES; s++) {
      for (int c = 0; c < TILE; c++)
        sum[c] += (int32_t) latent[i][s] * tile->weight[s][c];
    }
    for (int c = 0; c < TILE; c++)
      out[i][c] = sum[c] >> WEIGHT_SHIFT;
  }
  memcpy (noise_state, noise, sizeof noise);
}

static inline void
put16 (uint8_t *out, int32_t value)
{
  out[0] = (uint8_t) value;
  out[1] = (uint8_t) ((uint32_t) value >> 8);
}

static inline void
put24 (uint8_t *out, int32_t value)
{
  put16 (out, value);
  out[2] = (uint8_t) ((uint32_t) value >> 16);
}

static inline void
put32 (uint8_t *out, int32_t value)
{
  put24 (out, value);
  out[3] = (uint8_t) ((uint32_t) value >> 24);
}

static inline int32_t
to_16_bits (int32_t value)
{
  value = (value + 2) >> 2;
  if (value > 32767)
    return 32767;
  return value < -32768 ? -32768 : value;
}

static inline void
store (enum eeg_synth_format format, uint8_t *out, size_t stride,
    int32_t (*sum)[TILE], const int32_t *offset, unsigned lanes, size_t frames)
{
  for (size_t i = 0; i < frames; i++, out += stride) {
    for (unsigned c = 0; c < lanes; c++) {
      if (format == EEG_SYNTH_S16LE)
        put16 (out + 2 * c, to_16_bits (sum[i][c]));
      else if (format == EEG_SYNTH_S24LE)
        put24 (out + 3 * c, sum[i][c] + offset[c]);
      else
        put32 (out + 4 * c, sum[i][c] + offset[c]);
    }
  }
}

/* Spelled out, so that each copy of store() knows its format and width. */
static void
store_tile (enum eeg_synth_format format, uint8_t *out, size_t stride,
    int32_t (*sum)[TILE], const int32_t *offset, unsigned lanes, size_t frames)
{
  if (lanes < TILE)
    store (format, out, stride, sum, offset, lanes, frames);
  else if (format == EEG_SYNTH_S16LE)
    store (EEG_SYNTH_S16LE, out, stride, sum, offset, TILE, frames);
  else if (format == EEG_SYNTH_S24LE)
    store (EEG_SYNTH_S24LE, out, stride, sum, offset, TILE, frames);
  else
    store (EEG_SYNTH_S32LE, out, stride, sum, offset, TILE, frames);
}

void
eeg_synth_render (eeg_synth *synth, enum eeg_synth_format format,
    uint64_t first, size_t frames, void *out)
{
  size_t size = eeg_synth_sample_size (format);
  size_t stride = size * synth->channels;
  uint8_t *bytes = out;

  while (frames > 0) {
    uint64_t block = first >> BLOCK_SHIFT;
    unsigned position = (unsigned) (first & (BLOCK - 1));
    size_t run = BLOCK - position;

    if (run > frames)
      run = frames;
    if (!synth->block_valid || synth->block != block)
      load_block (synth, block);
    else if (position < synth->noise_position)
      seed_noise (synth, block);
    skip_noise (synth, position);

    for (uint32_t t = 0; t < synth->tiles; t++) {
      const struct tile *tile = &synth->tile[t];
      uint32_t left = synth->channels - t * TILE;
      unsigned lanes = left < TILE ? left : TILE;
      int32_t sum[BLOCK][TILE];

      render_tile (tile, synth->noise[t],
          (const int16_t (*)[EEG_SYNTH_SOURCES]) & synth->latent[position], run,
          sum);
      store_tile (format, bytes + size * TILE * t, stride, sum, tile->offset,
          lanes, run);
    }

    synth->noise_position = position + (unsigned) run;
    bytes += stride * run;
    first += run;
    frames -= run;
  }
}
