/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Blocks of the EEGPack coder: without loss for whatever samples, the same
 * bytes from every build, small where the signal allows it. */
#include <gst/check/gstcheck.h>

#include "eegpack-kernel.h"
#include "synth.h"

#include <string.h>

#define GUARD 64

static guint32 random_state = 1;

static guint32
random_word (void)
{
  guint32 high;

  random_state = random_state * 1664525 + 1013904223;
  high = random_state >> 16;
  random_state = random_state * 1664525 + 1013904223;
  return high << 16 | random_state >> 16;
}

/* near to Gaussian, with this standard deviation */
static gint32
random_noise (gdouble deviation)
{
  gdouble sum = -6.0;

  for (guint i = 0; i < 12; i++)
    sum += random_word () / 4294967296.0;
  return (gint32) (sum * deviation + (sum < 0 ? -0.5 : 0.5));
}

enum kind
{
  KIND_ZERO,
  KIND_CONSTANT,
  KIND_NOISE,
  KIND_LOUD,        /* uses all bits */
  KIND_WALK,        /* slow waves */
  KIND_ALTERNATING, /* between the extremes */
  KIND_EXTREMES,    /* a few values, far apart */
  KIND_STEP,        /* multiples of 125, off zero */
  KIND_SPARSE,      /* a few dozen values without neighbours */
  KIND_REPEAT,
  KIND_RAMP,
  KIND_SPIKES,
  KIND_COPIES, /* all channels alike, with gains */
  KIND_MIXED,  /* each channel another of the above */
  KIND_COUNT
};

static gint32
value_of (enum kind kind, guint channel, guint t, gint32 max, gint64 *walk)
{
  gint32 min = -max - 1;
  gint64 v;

  switch (kind) {
    case KIND_ZERO:
      return 0;
    case KIND_CONSTANT:
      return min + (gint32) (channel * 3);
    case KIND_NOISE:
      return random_noise (100);
    case KIND_LOUD:
      return (
          gint32) ((gint64) (random_word () & (2 * (guint32) max + 1)) + min);
    case KIND_WALK:
      *walk += random_noise (30);
      v = *walk + random_noise (4);
      return (gint32) CLAMP (v, min, max);
    case KIND_ALTERNATING:
      return (t + channel) & 1 ? max : min;
    case KIND_EXTREMES:
      return random_word () & 1 ? max : random_word () & 1 ? min : 0;
    case KIND_STEP:
      return 125 * random_noise (10) + 7;
    case KIND_SPARSE:
      v = random_word () % 40;
      return (gint32) (v * v * 13 % 30011);
    case KIND_REPEAT:
      return (gint32) (t % 37 * 97 % 1009) - (t % 37 > 20 ? 5000 : 0);
    case KIND_RAMP:
      return (gint32) (t % 256);
    case KIND_SPIKES:
      return t % 97 == channel % 97 ? max : t % 89 == 0 ? min : 3;
    case KIND_COPIES:
      if (channel == 0)
        *walk += random_noise (50);
      v = *walk * (gint) (channel % 5 + 1) / 3;
      return (gint32) CLAMP (v, min, max);
    default:
      return value_of (channel % KIND_MIXED, channel, t, max, walk);
  }
}

static guint8 *
make_block (enum kind kind, eeg_eegpack_format format, guint channels,
    guint frames)
{
  gsize size = eeg_eegpack_sample_size (format);
  guint8 *block = g_malloc ((gsize) channels * frames * size);
  gint64 *walks = g_new0 (gint64, channels);
  gint32 max = format == EEG_EEGPACK_S16 ? G_MAXINT16
      : format == EEG_EEGPACK_S24        ? 0x7fffff
                                         : G_MAXINT32;

  for (guint t = 0; t < frames; t++)
    for (guint c = 0; c < channels; c++) {
      guint8 *p = block + ((gsize) t * channels + c) * size;
      gint64 *walk = &walks[kind == KIND_COPIES ? 0 : c];
      gint32 v = value_of (kind, c, t, max, walk);

      if (format == EEG_EEGPACK_F32) {
        /* whole numbers, their halves, thirds and bit patterns */
        gfloat f = c % 4 == 1 ? (gfloat) v / 2 : (gfloat) v / 3;

        if (c % 4 == 0)
          f = (gfloat) (v % 16777216);
        memcpy (p, &f, 4);
        if (c % 4 == 3)
          GST_WRITE_UINT32_LE (p, (guint32) v);
      } else if (format == EEG_EEGPACK_F64) {
        gdouble f = c % 4 == 1 ? v * 0.0625 : v / 3.0;

        if (c % 4 == 0)
          f = v;
        memcpy (p, &f, 8);
        if (c % 4 == 3)
          GST_WRITE_UINT64_LE (p,
              (guint64) (guint32) v * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15));
      } else
        for (gsize i = 0; i < size; i++)
          p[i] = (guint8) ((guint32) v >> (8 * i));
    }
  g_free (walks);
  return block;
}

/* Encodes with each build, compares them, decodes with each. Returns the
 * bytes of the block. */
static gsize
check_block (const guint8 *block, eeg_eegpack_format format, guint channels,
    guint frames, eeg_eegpack_effort effort, const char *name)
{
  gsize raw = (gsize) channels * frames * eeg_eegpack_sample_size (format);
  gsize bound = eeg_eegpack_bound (format, channels, frames), size = 0;
  guint8 *coded[EEG_CPU_COUNT] = { NULL };
  guint8 *out = g_malloc (raw + GUARD);
  gsize first_size = 0;

  for (eeg_cpu cpu = EEG_CPU_BASE; cpu < EEG_CPU_COUNT; cpu++) {
    eeg_eegpack_encoder *encoder;

    if (!eeg_cpu_supports (cpu))
      continue;
    encoder = eeg_eegpack_encoder_new (format, channels, frames, cpu);
    fail_unless (encoder != NULL);
    coded[cpu] = g_malloc (bound + GUARD);
    memset (coded[cpu], 0xa5, bound + GUARD);
    size = eeg_eegpack_encode (encoder, effort, block, frames, coded[cpu]);
    fail_unless (size >= 1 && size <= bound, "%s: %" G_GSIZE_FORMAT " bytes",
        name, size);
    for (gsize i = 0; i < GUARD; i++)
      fail_unless (coded[cpu][bound + i] == 0xa5, "%s: wrote too far", name);
    if (cpu == EEG_CPU_BASE)
      first_size = size;
    fail_unless (size == first_size
            && memcmp (coded[cpu], coded[EEG_CPU_BASE], size) == 0,
        "%s: %s build differs", name, eeg_cpu_name (cpu));
    eeg_eegpack_encoder_free (encoder);
  }
  for (eeg_cpu cpu = EEG_CPU_BASE; cpu < EEG_CPU_COUNT; cpu++) {
    eeg_eegpack_decoder *decoder;

    if (!eeg_cpu_supports (cpu))
      continue;
    /* room for more frames must change nothing */
    decoder = eeg_eegpack_decoder_new (format, channels,
        eeg_eegpack_block_fits (format, channels, frames + 5) ? frames + 5
                                                              : frames,
        cpu);
    fail_unless (decoder != NULL);
    memset (out, 0x5a, raw + GUARD);
    fail_unless (eeg_eegpack_decode (decoder, coded[EEG_CPU_BASE], size, frames,
                     out),
        "%s: %s build refuses", name, eeg_cpu_name (cpu));
    fail_unless (memcmp (out, block, raw) == 0, "%s: %s build is wrong", name,
        eeg_cpu_name (cpu));
    for (gsize i = 0; i < GUARD; i++)
      fail_unless (out[raw + i] == 0x5a, "%s: wrote too far", name);
    eeg_eegpack_decoder_free (decoder);
  }
  for (eeg_cpu cpu = EEG_CPU_BASE; cpu < EEG_CPU_COUNT; cpu++)
    g_free (coded[cpu]);
  g_free (out);
  return size;
}

static void
check_kind (enum kind kind, eeg_eegpack_format format, guint channels,
    guint frames)
{
  guint8 *block = make_block (kind, format, channels, frames);

  for (eeg_eegpack_effort effort = EEG_EEGPACK_FAST; effort <= EEG_EEGPACK_BEST;
       effort++) {
    gchar *name = g_strdup_printf ("kind %d format %d, %u channels, %u frames, "
                                   "effort %d",
        kind, format, channels, frames, effort);

    check_block (block, format, channels, frames, effort, name);
    g_free (name);
  }
  g_free (block);
}

GST_START_TEST (test_kinds)
{
  for (enum kind kind = 0; kind < KIND_COUNT; kind++)
    for (eeg_eegpack_format format = 0; format < EEG_EEGPACK_FORMATS;
         format++) {
      check_kind (kind, format, 3, 300);
      check_kind (kind, format, 18, 131);
    }
}
GST_END_TEST;

GST_START_TEST (test_shapes)
{
  static const guint channels[] = { 1, 2, 7, 8, 9, 15, 16, 17, 33, 64, 65 };
  static const guint frames[] = { 1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 200 };

  for (guint i = 0; i < G_N_ELEMENTS (channels); i++)
    for (guint j = 0; j < G_N_ELEMENTS (frames); j++) {
      eeg_eegpack_format format = (i + j) % EEG_EEGPACK_FORMATS;

      check_kind (KIND_MIXED, format, channels[i], frames[j]);
      check_kind (KIND_WALK, format, channels[i], frames[j]);
    }
}
GST_END_TEST;

GST_START_TEST (test_long_blocks)
{
  check_kind (KIND_WALK, EEG_EEGPACK_S24, 3, 8192);
  check_kind (KIND_COPIES, EEG_EEGPACK_S16, 20, 8193);
  check_kind (KIND_MIXED, EEG_EEGPACK_S32, 40, 5000);
  check_kind (KIND_SPARSE, EEG_EEGPACK_S32, 2, 20000);
}
GST_END_TEST;

GST_START_TEST (test_many_channels)
{
  check_kind (KIND_MIXED, EEG_EEGPACK_S24, 4096, 17);
  check_kind (KIND_COPIES, EEG_EEGPACK_S16, 4096, 64);
}
GST_END_TEST;

/* Every class of float: they come back bit by bit. */
GST_START_TEST (test_floats)
{
  static const guint32 singles[] = { 0x00000000, 0x80000000, 0x00000001,
    0x80000001, 0x007fffff, 0x00800000, 0x7f7fffff, 0xff7fffff, 0x7f800000,
    0xff800000, 0x7fc00000, 0xffc00001, 0x7f800001, 0x7fffffff, 0xffffffff,
    0x3f800000, 0x3f800001, 0x4b800000, 0x4b7fffff, 0xcb800000 };
  static const guint64 doubles[] = { 0, G_GUINT64_CONSTANT (1) << 63, 1,
    G_GUINT64_CONSTANT (0x8000000000000001),
    G_GUINT64_CONSTANT (0x000fffffffffffff),
    G_GUINT64_CONSTANT (0x0010000000000000),
    G_GUINT64_CONSTANT (0x7fefffffffffffff),
    G_GUINT64_CONSTANT (0x7ff0000000000000),
    G_GUINT64_CONSTANT (0xfff0000000000000),
    G_GUINT64_CONSTANT (0x7ff8000000000000),
    G_GUINT64_CONSTANT (0xfff0000000000001),
    G_GUINT64_CONSTANT (0x3ff0000000000000),
    G_GUINT64_CONSTANT (0x41dfffffffc00000),
    G_GUINT64_CONSTANT (0x41e0000000000000),
    G_GUINT64_CONSTANT (0xc1e0000000000000) };
  guint8 block[8 * 200];

  /* each alone, then all together */
  for (guint i = 0; i <= G_N_ELEMENTS (singles); i++) {
    for (guint t = 0; t < 200; t++)
      GST_WRITE_UINT32_LE (block + 4 * t,
          i < G_N_ELEMENTS (singles) ? (t % 3 == 0 ? singles[i] : 0x40000000)
                                     : singles[t * 7 % G_N_ELEMENTS (singles)]);
    check_block (block, EEG_EEGPACK_F32, 1, 200, EEG_EEGPACK_NORMAL, "F32");
    check_block (block, EEG_EEGPACK_F32, 2, 100, EEG_EEGPACK_NORMAL, "F32");
  }
  for (guint i = 0; i <= G_N_ELEMENTS (doubles); i++) {
    for (guint t = 0; t < 200; t++)
      GST_WRITE_UINT64_LE (block + 8 * t,
          i < G_N_ELEMENTS (doubles) ? (
              t % 3 == 0 ? doubles[i] : G_GUINT64_CONSTANT (0x4000000000000000))
                                     : doubles[t * 7 % G_N_ELEMENTS (doubles)]);
    check_block (block, EEG_EEGPACK_F64, 1, 200, EEG_EEGPACK_NORMAL, "F64");
    check_block (block, EEG_EEGPACK_F64, 2, 100, EEG_EEGPACK_NORMAL, "F64");
  }
  /* 1 and (2^34 + 1) * 2^30: as a multiple of the smaller one, the larger one
   * is 2^30 modulo 2^64 */
  for (guint t = 0; t < 200; t++) {
    gdouble value = t % 3 == 0 ? 17179869185.0 * 1073741824.0 : 1.0;

    memcpy (block + 8 * t, &value, sizeof value);
  }
  check_block (block, EEG_EEGPACK_F64, 1, 200, EEG_EEGPACK_NORMAL, "F64");
}
GST_END_TEST;

/* What is in a signal beside its noise must not cost: bytes of a block. */
GST_START_TEST (test_gains)
{
  const guint frames = 4096, channels = 8;
  const eeg_eegpack_effort normal = EEG_EEGPACK_NORMAL;
  guint8 *block;
  gsize size, other;

#define SIZE_OF(kind, n)                                                       \
  (block = make_block ((kind), EEG_EEGPACK_S32, (n), frames),                  \
      size = check_block (block, EEG_EEGPACK_S32, (n), frames, normal, #kind), \
      g_free (block), size)
  fail_unless (SIZE_OF (KIND_ZERO, channels) < 3 * channels);
  fail_unless (SIZE_OF (KIND_CONSTANT, channels) < 12 * channels);
  fail_unless (SIZE_OF (KIND_REPEAT, channels) < 150 * channels);
  fail_unless (SIZE_OF (KIND_RAMP, channels) < 350 * channels);
  /* Gaussian noise of deviation 100 has 8.69 bits, of 10 has 5.37 */
  other = SIZE_OF (KIND_NOISE, channels);
  fail_unless (other < 8.76 / 8 * frames * channels, "%" G_GSIZE_FORMAT, other);
  size = SIZE_OF (KIND_STEP, channels);
  fail_unless (size < 5.46 / 8 * frames * channels, "%" G_GSIZE_FORMAT, size);
  /* 40 values have 5.3 bits */
  size = SIZE_OF (KIND_SPARSE, channels);
  fail_unless (size < 6.3 / 8 * frames * channels, "%" G_GSIZE_FORMAT, size);
  /* copies cost next to nothing, but for what their gains round off */
  other = SIZE_OF (KIND_COPIES, 1);
  size = SIZE_OF (KIND_COPIES, channels);
  fail_unless (size < other * 3, "%" G_GSIZE_FORMAT, size);
  /* what does not compress is stored */
  size = SIZE_OF (KIND_LOUD, channels);
  fail_unless (size == eeg_eegpack_bound (EEG_EEGPACK_S32, channels, frames));
#undef SIZE_OF
}
GST_END_TEST;

/* The bytes are part of the format's promise: a change shows here. */
GST_START_TEST (test_golden)
{
  static const char *const sums[] = {
    "86a472a42f94e375e5fbe6325a37d93b19b258f5302b64103e884dc8be41ce72",
    "3d2c03da0851df3d9eeda3b26988eb93eeb69c3ae5f83de2c382080b93671cb0",
    "8b4887ad19d1dfdd317b0e53e663aee8b6858d724bf7e1f4a0976dc73ee46c32"
  };
  const guint channels = 20, frames = 3000;
  eeg_synth *synth = eeg_synth_new (1, channels, 500, 1);
  guint8 *block = g_malloc (channels * frames * 3);
  guint8 *out =
      g_malloc (eeg_eegpack_bound (EEG_EEGPACK_S24, channels, frames));
  eeg_eegpack_encoder *encoder = eeg_eegpack_encoder_new (EEG_EEGPACK_S24,
      channels, frames, eeg_cpu_choose ());

  eeg_synth_render (synth, EEG_SYNTH_S24LE, 0, frames, block);
  for (guint effort = 0; effort < 3; effort++) {
    gsize size = eeg_eegpack_encode (encoder, effort, block, frames, out);
    gchar *sum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, out, size);

    fail_unless_equals_string (sum, sums[effort]);
    g_free (sum);
  }
  eeg_eegpack_encoder_free (encoder);
  eeg_synth_free (synth);
  g_free (block);
  g_free (out);
}
GST_END_TEST;

/* Damage: refused, or other samples, but never more than that. */
GST_START_TEST (test_damage)
{
  const guint channels = 18, frames = 150;
  gsize raw = (gsize) channels * frames * 3;
  guint8 *block = make_block (KIND_WALK, EEG_EEGPACK_S24, channels, frames);
  guint8 *coded = g_malloc (1 + raw), *out = g_malloc (raw);
  eeg_eegpack_encoder *encoder = eeg_eegpack_encoder_new (EEG_EEGPACK_S24,
      channels, frames, EEG_CPU_COUNT);
  guint refused = 0, n = 0;

  for (guint effort = 0; effort < 3; effort++) {
    gsize size = eeg_eegpack_encode (encoder, effort, block, frames, coded);

    for (eeg_cpu cpu = EEG_CPU_BASE; cpu < EEG_CPU_COUNT; cpu++) {
      eeg_eegpack_decoder *decoder =
          eeg_eegpack_decoder_new (EEG_EEGPACK_S24, channels, frames, cpu);

      for (gsize i = 0; i < size; i++) {
        /* blocks of their exact size, for tools that watch reads */
        guint8 *copy = g_memdup2 (coded, size);

        copy[i] ^= 1 << (random_word () % 8);
        refused += !eeg_eegpack_decode (decoder, copy, size, frames, out);
        n++;
        g_free (copy);
        copy = g_memdup2 (coded, i);
        fail_if (eeg_eegpack_decode (decoder, copy, i, frames, out));
        g_free (copy);
      }
      /* others of its parameters */
      fail_if (eeg_eegpack_decode (decoder, coded, size, frames - 1, out));
      fail_if (eeg_eegpack_decode (decoder, coded, size, 0, out));
      fail_if (eeg_eegpack_decode (decoder, coded, size, frames + 1, out));
      fail_unless (eeg_eegpack_decode (decoder, coded, size, frames, out));
      fail_unless (memcmp (out, block, raw) == 0);
      eeg_eegpack_decoder_free (decoder);
    }
  }
  /* the last states of the entropy coder betray what the words lead to */
  fail_unless (refused > n / 2, "%u of %u refused", refused, n);
  eeg_eegpack_encoder_free (encoder);
  g_free (block);
  g_free (coded);
  g_free (out);
}
GST_END_TEST;

GST_START_TEST (test_limits)
{
  fail_if (eeg_eegpack_block_fits (EEG_EEGPACK_FORMATS, 1, 1));
  fail_if (eeg_eegpack_block_fits (EEG_EEGPACK_S16, 0, 1));
  fail_if (eeg_eegpack_block_fits (EEG_EEGPACK_S16, 65537, 1));
  fail_if (eeg_eegpack_block_fits (EEG_EEGPACK_S16, 1, 0));
  fail_if (eeg_eegpack_block_fits (EEG_EEGPACK_S16, 1, (1 << 20) + 1));
  fail_if (eeg_eegpack_block_fits (EEG_EEGPACK_S16, 65536, 513));
  fail_unless (eeg_eegpack_block_fits (EEG_EEGPACK_S16, 65536, 512));
  fail_if (eeg_eegpack_block_fits (EEG_EEGPACK_F64, 65536, 257));
  fail_unless (eeg_eegpack_encoder_new (EEG_EEGPACK_S16, 0, 1, 0) == NULL);
  fail_unless (eeg_eegpack_decoder_new (EEG_EEGPACK_S16, 0, 1, 0) == NULL);
  fail_unless (eeg_eegpack_sample_size (EEG_EEGPACK_FORMATS) == 0);
  fail_unless (eeg_eegpack_encoder_memory (EEG_EEGPACK_S16, 0, 1) == 0);
  fail_unless (eeg_eegpack_encoder_memory (EEG_EEGPACK_S24, 64, 8192)
      < 12 * 1024 * 1024);
  fail_unless (
      eeg_eegpack_decoder_memory (EEG_EEGPACK_S24, 64, 8192) < 4 * 1024 * 1024);
}
GST_END_TEST;

static Suite *
eegpack_kernel_suite (void)
{
  Suite *suite = suite_create ("eegpack-kernel");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_kinds);
  tcase_add_test (tcase, test_shapes);
  tcase_add_test (tcase, test_long_blocks);
  tcase_add_test (tcase, test_many_channels);
  tcase_add_test (tcase, test_floats);
  tcase_add_test (tcase, test_gains);
  tcase_add_test (tcase, test_golden);
  tcase_add_test (tcase, test_damage);
  tcase_add_test (tcase, test_limits);
  return suite;
}

GST_CHECK_MAIN (eegpack_kernel);
