/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Design, kernels and streams of FIR filters, against long double sums. */
#include <gst/check/gstcheck.h>

#include "fir.h"

#include <math.h>
#include <string.h>

#define MESSAGE_SIZE EEG_FIR_MESSAGE_SIZE

static guint32 random_state = 1;

static gdouble
random_value (void)
{
  random_state = random_state * 1664525 + 1013904223;
  return (gdouble) (gint32) random_state / 2147483648.0;
}

/* 0 to limit - 1 */
static guint
random_below (guint limit)
{
  random_state = random_state * 1664525 + 1013904223;
  return (random_state >> 8) % limit;
}

/* What lies at frame `index`, also outside of 0 .. n - 1; `reach` frames next
 * to the start can be turned about it. */
static long double
value_at (const gdouble *x, guint channels, guint c, gsize n, gint64 index,
    eeg_fir_edge edge, gsize reach)
{
  gint64 last = (gint64) n - 1;
#define X(i) ((long double) x[(i) *channels + c])

  if (index >= 0 && index <= last)
    return X (index);
  switch (edge) {
    case EEG_FIR_ZERO:
      return 0;
    case EEG_FIR_REFLECT:
      if (last == 0)
        return X (0);
      if (reach >= n) {
        /* shorter than the delay: turned about both ends, over and over */
        gint64 period = 2 * last, times = 0;

        while (index < 0)
          index += period, times--;
        while (index >= period)
          index -= period, times++;
        return (index <= last ? X (index) : 2 * X (last) - X (period - index))
            + 2 * times * (X (last) - X (0));
      }
      if (index < 0)
        return 2 * X (0) - X (MIN (-index, (gint64) reach));
      return 2 * X (last) - X (2 * last - index);
    default:
      return index < 0 ? X (0) : X (last);
  }
#undef X
}

/* The stream's result as sums of long double. */
static void
reference (const eeg_fir_kernel *kernel, const gdouble *x, guint channels,
    gsize n, eeg_fir_edge edge, const bool *filtered, gdouble *y)
{
  gsize n_taps, delay = eeg_fir_kernel_get_delay (kernel);
  const gdouble *taps = eeg_fir_kernel_get_taps (kernel, &n_taps);

  for (gsize i = 0; i < n; i++)
    for (guint c = 0; c < channels; c++) {
      long double sum = 0;

      if (filtered != NULL && !filtered[c]) {
        y[i * channels + c] = x[i * channels + c];
        continue;
      }
      for (gsize k = 0; k < n_taps; k++)
        sum += taps[k]
            * value_at (x, channels, c, n, (gint64) (i + delay) - (gint64) k,
                edge, delay);
      y[i * channels + c] = (gdouble) sum;
    }
}

static void
to_samples (eeg_fir_format format, const gdouble *x, gsize n, void *samples)
{
  for (gsize i = 0; i < n; i++)
    if (format == EEG_FIR_F32)
      ((gfloat *) samples)[i] = (gfloat) x[i];
    else
      ((gdouble *) samples)[i] = x[i];
}

static gdouble
sample_at (eeg_fir_format format, const void *samples, gsize i)
{
  return format == EEG_FIR_F32 ? ((const gfloat *) samples)[i]
                               : ((const gdouble *) samples)[i];
}

static gsize
format_size (eeg_fir_format format)
{
  return format == EEG_FIR_F32 ? 4 : 8;
}

/* Runs n frames through, in pieces of 1 to `largest` frames, in place or not,
 * then drains in pieces too. */
static void
run_split (eeg_fir_stream *stream, const void *in, void *out, gsize n,
    gsize frame_size, guint largest, gboolean in_place)
{
  const eeg_fir_kernel *kernel = eeg_fir_stream_get_kernel (stream);
  gsize done = 0, given = 0, got;
  gsize delay =
      eeg_fir_kernel_get_delay (kernel) + eeg_fir_kernel_get_latency (kernel);

  while (done < n) {
    gsize piece_size = 1 + random_below (largest);
    gsize frames = MIN (n - done, piece_size);
    gsize ready = eeg_fir_stream_get_ready (stream, frames);
    guint8 *to = (guint8 *) out + given * frame_size;
    guint8 *piece = NULL;

    if (in_place) {
      piece = g_malloc (frames * frame_size);
      memcpy (piece, (const guint8 *) in + done * frame_size,
          frames * frame_size);
      got = eeg_fir_stream_process (stream, piece, frames, piece);
      memcpy (to, piece, got * frame_size);
      g_free (piece);
    } else {
      /* exact sizes, for the checkers */
      piece = g_malloc (MAX (ready * frame_size, 1));
      got = eeg_fir_stream_process (stream,
          (const guint8 *) in + done * frame_size, frames, piece);
      memcpy (to, piece, got * frame_size);
      g_free (piece);
    }
    fail_unless_equals_int (got, ready);
    done += frames;
    given += got;
    /* output i leaves with input i + delay, not later */
    fail_unless_equals_uint64 (given, done > delay ? done - delay : 0);
    fail_unless_equals_uint64 (eeg_fir_stream_get_in (stream), done);
    fail_unless_equals_uint64 (eeg_fir_stream_get_out (stream), given);
  }
  do {
    got = eeg_fir_stream_drain (stream, (guint8 *) out + given * frame_size,
        1 + random_below (largest));
    given += got;
  } while (got > 0);
  fail_unless_equals_uint64 (given, n);
}

enum shape
{
  SYMMETRIC,
  ANTISYMMETRIC,
  GENERAL,
  SHAPES
};

static eeg_fir_kernel *
make_kernel_for (enum shape shape, gsize n_taps, gsize delay,
    eeg_fir_latency latency)
{
  gdouble *taps = g_new (gdouble, n_taps);
  eeg_fir_kernel *kernel;

  for (gsize i = 0; i < n_taps; i++)
    taps[i] = random_value () / n_taps;
  if (shape != GENERAL)
    for (gsize i = 0; i < n_taps / 2; i++)
      taps[n_taps - 1 - i] = shape == SYMMETRIC ? taps[i] : -taps[i];
  if (shape == ANTISYMMETRIC && n_taps % 2 == 1)
    taps[n_taps / 2] = 0;
  kernel = eeg_fir_kernel_new (taps, n_taps, delay, latency);
  fail_unless (kernel != NULL);
  g_free (taps);
  return kernel;
}

static eeg_fir_kernel *
make_kernel (enum shape shape, gsize n_taps, gsize delay)
{
  return make_kernel_for (shape, n_taps, delay, EEG_FIR_NO_LATENCY);
}

static void
check_stream (eeg_fir_kernel *kernel, const eeg_fir_config *config, gsize n)
{
  gsize count = n * config->channels;
  gsize frame_size = format_size (config->format) * config->channels;
  gdouble *x = g_new (gdouble, count), *y = g_new (gdouble, count);
  void *in = g_malloc (n * frame_size);
  void *out = g_malloc (n * frame_size), *again = g_malloc (n * frame_size);
  eeg_fir_stream *stream = eeg_fir_stream_new (kernel, config, 0);
  gdouble limit = config->format == EEG_FIR_F32 ? 1e-5 : 1e-13;

  fail_unless (stream != NULL);
  fail_unless_equals_int (eeg_fir_stream_get_cpu (stream), config->cpu);
  for (gsize i = 0; i < count; i++)
    x[i] = (gfloat) (100 * random_value () + i % config->channels);
  to_samples (config->format, x, count, in);
  reference (kernel, x, config->channels, n, config->edge, config->filtered, y);

  run_split (stream, in, out, n, frame_size, 3 * n, FALSE);
  for (gsize i = 0; i < count; i++) {
    gdouble got = sample_at (config->format, out, i);

    if (config->filtered != NULL && !config->filtered[i % config->channels]) {
      fail_unless_equals_float (got, x[i]);
      continue;
    }
    if (!(fabs (got - y[i]) <= limit * 200))
      fail ("frame %zu channel %zu: %g instead of %g", i / config->channels,
          i % config->channels, got, y[i]);
  }

  /* the same bytes for any split, in place or not */
  for (gint run = 0; run < 4; run++) {
    static const guint largest[] = { 1, 7, 50, 600 };

    memset (again, 0xee, n * frame_size);
    eeg_fir_stream_start (stream, 0);
    run_split (stream, in, again, n, frame_size, largest[run], run % 2);
    fail_unless (memcmp (out, again, n * frame_size) == 0);
  }

  eeg_fir_stream_free (stream);
  g_free (x);
  g_free (y);
  g_free (in);
  g_free (out);
  g_free (again);
}

GST_START_TEST (test_streams)
{
  static const gsize lengths[] = { 1, 2, 3, 4, 8, 31, 64, 101 };
  static const guint channels[] = { 1, 7, 8, 9, 64 };
  guint turn = 0;

  for (eeg_cpu cpu = 0; cpu < EEG_CPU_COUNT; cpu++) {
    if (!eeg_cpu_supports (cpu))
      continue;
    for (guint l = 0; l < G_N_ELEMENTS (lengths); l++)
      for (guint c = 0; c < G_N_ELEMENTS (channels); c++)
        for (enum shape shape = 0; shape < SHAPES; shape++) {
          bool filtered[64];
          eeg_fir_config config = { .channels = channels[c],
            .format = turn % 2 ? EEG_FIR_F32 : EEG_FIR_F64,
            .edge = turn % 3,
            .filtered = turn % 5 < 2 ? filtered : NULL,
            .cpu = cpu };
          gsize delay = EEG_FIR_DELAY_AUTO;
          eeg_fir_kernel *kernel;

          for (guint i = 0; i < channels[c]; i++)
            filtered[i] = turn % 5 == 0 ? i % 3 != 1 : i < 5;
          if (turn % 7 == 3)
            delay = random_below (lengths[l]);
          kernel = make_kernel (shape, lengths[l], delay);
          check_stream (kernel, &config, 300 + random_below (300));
          eeg_fir_kernel_unref (kernel);
          turn++;
        }
  }
}
GST_END_TEST;

/* Kernels that are applied by levels of transforms. */
GST_START_TEST (test_long_streams)
{
  static const gsize lengths[] = { 513, 825, 1089, 1100, 3301 };
  static const guint channels[] = { 1, 9, 17 };
  guint turn = 0;

  for (eeg_cpu cpu = 0; cpu < EEG_CPU_COUNT; cpu++) {
    if (!eeg_cpu_supports (cpu))
      continue;
    for (guint l = 0; l < G_N_ELEMENTS (lengths); l++, turn++) {
      bool filtered[17];
      eeg_fir_config config = { .channels = channels[turn % 3],
        .format = turn % 2 ? EEG_FIR_F32 : EEG_FIR_F64,
        .edge = turn % 3,
        .filtered = turn % 5 < 2 ? filtered : NULL,
        .cpu = cpu };
      gsize delay = turn % 4 == 1 ? 100 : EEG_FIR_DELAY_AUTO;

      for (guint i = 0; i < config.channels; i++)
        filtered[i] = i < 2 || i == 16;
      for (eeg_fir_latency latency = 0; latency < 2; latency++) {
        eeg_fir_kernel *kernel =
            make_kernel_for (turn % SHAPES, lengths[l], delay, latency);

        check_stream (kernel, &config, lengths[l] + 700 + random_below (300));
        eeg_fir_kernel_unref (kernel);
      }
    }
  }
}
GST_END_TEST;

GST_START_TEST (test_short_streams)
{
  /* ended before the first output was due */
  for (eeg_fir_edge edge = 0; edge < 3; edge++)
    for (gsize n = 1; n < 60; n += n < 5 ? 1 : 9) {
      eeg_fir_config config = { .channels = 3,
        .format = EEG_FIR_F64,
        .edge = edge,
        .cpu = eeg_cpu_choose () };
      eeg_fir_kernel *kernel = make_kernel (SYMMETRIC, 101, EEG_FIR_DELAY_AUTO);

      check_stream (kernel, &config, n);
      eeg_fir_kernel_unref (kernel);
      kernel = make_kernel (SYMMETRIC, 801, EEG_FIR_DELAY_AUTO);
      check_stream (kernel, &config, 7 * n);
      eeg_fir_kernel_unref (kernel);
    }
}
GST_END_TEST;

GST_START_TEST (test_nothing)
{
  eeg_fir_kernel *kernel = make_kernel (SYMMETRIC, 11, EEG_FIR_DELAY_AUTO);
  eeg_fir_config config = { .channels = 1, .cpu = EEG_CPU_BASE };
  eeg_fir_stream *stream = eeg_fir_stream_new (kernel, &config, 0);
  gfloat x = 0;

  fail_unless_equals_int (eeg_fir_stream_process (stream, &x, 0, &x), 0);
  fail_unless_equals_int (eeg_fir_stream_drain (stream, &x, 1), 0);
  eeg_fir_stream_free (stream);
  eeg_fir_stream_free (NULL);
  eeg_fir_kernel_unref (kernel);
  eeg_fir_kernel_unref (NULL);
}
GST_END_TEST;

/* 100 mV under 1 uV: the F64 arithmetic must carry both. */
static void
check_precision (gsize n_taps, eeg_fir_latency latency, eeg_fir_format format,
    gdouble offset, gdouble relative_to_rms, gdouble relative_to_input)
{
  const guint channels = 2;
  const gsize n = 2 * n_taps + 500, count = n * channels;
  eeg_fir_spec spec = { .response = EEG_FIR_BAND_PASS,
    .rate = 250,
    .low = 1,
    .high = 40,
    .taps = n_taps };
  char message[MESSAGE_SIZE];
  double *taps;
  gsize n_designed;
  eeg_fir_kernel *kernel;
  gdouble *x = g_new (gdouble, count);
  void *in = g_malloc (count * 8), *out = g_malloc (count * 8);

  fail_unless (eeg_fir_design (&spec, &taps, &n_designed, message));
  kernel = eeg_fir_kernel_new (taps, n_designed, EEG_FIR_DELAY_AUTO, latency);
  for (gsize i = 0; i < count; i++)
    x[i] = offset + sin (i / channels * 0.25) + 0.3 * random_value ();
  if (format == EEG_FIR_F32)
    for (gsize i = 0; i < count; i++)
      x[i] = (gfloat) x[i];
  to_samples (format, x, count, in);

  for (eeg_cpu cpu = 0; cpu < EEG_CPU_COUNT; cpu++) {
    eeg_fir_config config = { .channels = channels,
      .format = format,
      .cpu = cpu };
    eeg_fir_stream *stream;
    long double error = 0, power = 0;
    gdouble rms, output;
    gsize compared = 0, given;

    /* the longest take their time */
    if (!eeg_cpu_supports (cpu)
        || (n_taps > 100000 && cpu != eeg_cpu_choose ()))
      continue;
    stream = eeg_fir_stream_new (kernel, &config, 0);
    given = eeg_fir_stream_process (stream, in, n, out);
    given += eeg_fir_stream_drain (stream,
        (guint8 *) out + given * channels * format_size (format), n);
    fail_unless_equals_int (given, n);
    for (gsize i = n_taps; i < n - n_taps / 2 - 1; i +=
         1 + random_below (2 * n_taps / 300 + 1))
      for (guint c = 0; c < channels; c++) {
        long double sum = 0;
        gdouble got = sample_at (format, out, i * channels + c);

        for (gsize k = 0; k < n_taps; k++)
          sum += (long double) taps[k] * x[(i + n_taps / 2 - k) * channels + c];
        error += (sum - got) * (sum - got);
        power += sum * sum;
        compared++;
      }
    rms = sqrt (error / compared);
    output = sqrt (power / compared);
    GST_INFO ("%zu taps, %s: error %g of the output, %g of the input", n_taps,
        eeg_cpu_name (cpu), rms / output, rms / (offset + 1));
    fail_unless (output > 0.1);
    if (relative_to_rms > 0)
      fail_unless (rms <= relative_to_rms * output);
    if (relative_to_input > 0)
      fail_unless (rms <= relative_to_input * (fabs (offset) + 1.3));
    eeg_fir_stream_free (stream);
  }
  eeg_fir_kernel_unref (kernel);
  free (taps);
  g_free (x);
  g_free (in);
  g_free (out);
}

/* GSTEEG_TEST_ROUNDS asks for the longest too. */
GST_START_TEST (test_precision)
{
  static const gsize lengths[] = { 31, 101, 331, 1001, 3301, 33001, 200001 };
  const gsize longest = g_getenv ("GSTEEG_TEST_ROUNDS") ? 200001 : 33001;

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    for (eeg_fir_latency latency = 0; latency < 2; latency++) {
      if (lengths[i] > longest)
        continue;
      check_precision (lengths[i], latency, EEG_FIR_F32, 0, 1e-6, 0);
      check_precision (lengths[i], latency, EEG_FIR_F32, 1e5, 1e-6, 0);
      check_precision (lengths[i], latency, EEG_FIR_F64, 0, 1e-13, 0);
      check_precision (lengths[i], latency, EEG_FIR_F64, 1e5, 0, 1e-14);
    }
}
GST_END_TEST;

/* A stream that starts a look-back earlier gives the same bytes as one that has
 * always run: what a resumed recording needs. */
GST_START_TEST (test_look_back)
{
  static const gsize lengths[] = { 101, 801, 9001 };
  const guint channels = 3;
  const gsize n = 40000;
  gdouble *x = g_new (gdouble, n * channels);
  gdouble *all = g_new (gdouble, n * channels);
  gdouble *some = g_new (gdouble, n * channels);

  for (gsize i = 0; i < n * channels; i++)
    x[i] = 100 + random_value ();
  for (guint l = 0; l < G_N_ELEMENTS (lengths); l++)
    for (gint turn = 0; turn < 6; turn++) {
      eeg_fir_config config = { .channels = channels,
        .format = EEG_FIR_F64,
        .edge = turn % 3,
        .cpu = eeg_cpu_choose () };
      eeg_fir_kernel *kernel =
          make_kernel_for (SYMMETRIC, lengths[l], EEG_FIR_DELAY_AUTO, turn / 3);
      gsize back = eeg_fir_kernel_get_look_back (kernel);
      gsize first = 1234 + 777 * turn, from = first + back, given;
      eeg_fir_stream *stream = eeg_fir_stream_new (kernel, &config, 0);

      fail_unless (from < n);
      given = eeg_fir_stream_process (stream, x, n, all);
      eeg_fir_stream_drain (stream, all + given * channels, n);
      eeg_fir_stream_start (stream, first);
      given = eeg_fir_stream_process (stream, x + first * channels, n - first,
          some);
      eeg_fir_stream_drain (stream, some + given * channels, n);
      fail_unless (memcmp (all + from * channels, some + back * channels,
                       (n - from) * channels * sizeof (gdouble))
          == 0);
      eeg_fir_stream_free (stream);
      eeg_fir_kernel_unref (kernel);
    }
  g_free (x);
  g_free (all);
  g_free (some);
}
GST_END_TEST;

/* No call does more than 8 times the mean of all calls, from the start on. */
static void
check_evenness (gsize n_taps, eeg_fir_latency latency, guint channels,
    gsize frames, eeg_fir_edge edge)
{
  eeg_fir_config config = { .channels = channels,
    .format = EEG_FIR_F32,
    .edge = edge,
    .cpu = eeg_cpu_choose () };
  eeg_fir_kernel *kernel =
      make_kernel_for (SYMMETRIC, n_taps, EEG_FIR_DELAY_AUTO, latency);
  eeg_fir_stream *stream = eeg_fir_stream_new (kernel, &config, 0);
  gsize n = 3 * n_taps + 3 * eeg_fir_kernel_get_latency (kernel), calls = 0;
  gfloat *samples = g_new0 (gfloat, frames * channels);
  guint64 most = 0, before = 0;

  /* the grid is met at any phase */
  eeg_fir_stream_start (stream, 12345);
  for (gsize i = 0; i < n; i += frames, calls++) {
    guint64 now;

    eeg_fir_stream_process (stream, samples, frames, samples);
    now = eeg_fir_stream_get_operations (stream);
    most = MAX (most, now - before);
    before = now;
  }
  GST_INFO ("%zu taps, latency %u, %u channels, %zu frames: %.3g of the mean",
      n_taps, latency, channels, frames, (gdouble) most * calls / before);
  fail_unless (before > 0);
  fail_unless ((gdouble) most * calls / before < 8,
      "%zu taps, latency %u, %u channels, calls of %zu frames: one does %g times "
      "the mean",
      n_taps, latency, channels, frames, (gdouble) most * calls / before);
  eeg_fir_stream_free (stream);
  eeg_fir_kernel_unref (kernel);
  g_free (samples);
}

GST_START_TEST (test_evenness)
{
  static const gsize lengths[] = { 101, 825, 3301, 33001 };
  static const gsize frames[] = { 1, 20, 333, 4096 };

  for (guint l = 0; l < G_N_ELEMENTS (lengths); l++)
    for (guint f = 0; f < G_N_ELEMENTS (frames); f++)
      for (eeg_fir_latency latency = 0; latency < 2; latency++) {
        check_evenness (lengths[l], latency, 1, frames[f], EEG_FIR_HOLD);
        check_evenness (lengths[l], latency, 33, frames[f], EEG_FIR_ZERO);
      }
  if (g_getenv ("GSTEEG_TEST_ROUNDS"))
    check_evenness (165001, EEG_FIR_NO_LATENCY, 64, 20, EEG_FIR_HOLD);
}
GST_END_TEST;

/* What is turned about the first sample is known late: the first output makes
 * up for what was not done before. At no time more than 8 times the mean was
 * done for each frame so far. */
GST_START_TEST (test_reflect_start)
{
  static const gsize lengths[] = { 825, 3301, 33001 };

  for (guint l = 0; l < G_N_ELEMENTS (lengths); l++)
    for (gint turn = 0; turn < 4; turn++) {
      const gsize frames = 20;
      eeg_fir_config config = { .channels = 3,
        .format = EEG_FIR_F32,
        .edge = EEG_FIR_REFLECT,
        .cpu = eeg_cpu_choose () };
      eeg_fir_kernel *kernel = make_kernel_for (SYMMETRIC, lengths[l],
          turn / 2 ? 0 : EEG_FIR_DELAY_AUTO, turn % 2);
      eeg_fir_stream *stream = eeg_fir_stream_new (kernel, &config, 0);
      gsize n = 2 * lengths[l] + 3 * eeg_fir_kernel_get_latency (kernel), i;
      gfloat *samples = g_new0 (gfloat, frames * 3);
      gdouble worst = 0, mean;

      eeg_fir_stream_start (stream, 12345);
      for (i = 0; i < n; i += frames) {
        eeg_fir_stream_process (stream, samples, frames, samples);
        worst = MAX (worst,
            (gdouble) eeg_fir_stream_get_operations (stream) / (i + frames));
      }
      mean = (gdouble) eeg_fir_stream_get_operations (stream) / i;
      GST_INFO ("%zu taps, turn %d: %.3g of the mean", lengths[l], turn,
          worst / mean);
      fail_unless (worst < 8 * mean, "%zu taps, turn %d: %g times the mean",
          lengths[l], turn, worst / mean);
      eeg_fir_stream_free (stream);
      eeg_fir_kernel_unref (kernel);
      g_free (samples);
    }
}
GST_END_TEST;

/* A change of kernel: no frame is missing or doubled, and once the new kernel
 * sees only frames that were remembered, all is as if it had run from the
 * start. With @lead it is known so many frames before, and work is spread. */
static void
check_take_over (gsize n_old, gsize n_new, gsize at, eeg_fir_edge edge,
    gsize fade, guint latencies, gsize lead)
{
  const guint channels = 5;
  const gsize n = 1500, count = n * channels, frame_size = 8 * channels;
  eeg_fir_kernel *old =
      make_kernel_for (SYMMETRIC, n_old, EEG_FIR_DELAY_AUTO, latencies & 1);
  eeg_fir_kernel *new =
      make_kernel_for (SYMMETRIC, n_new, EEG_FIR_DELAY_AUTO, latencies >> 1);
  gsize new_delay = eeg_fir_kernel_get_delay (new);
  gsize old_delay =
      eeg_fir_kernel_get_delay (old) + eeg_fir_kernel_get_latency (old);
  gsize remembered = eeg_fir_kernel_get_look_back (old);
  bool filtered[5] = { true, true, false, true, true };
  eeg_fir_config config = { .channels = channels,
    .format = EEG_FIR_F64,
    .edge = edge,
    .filtered = filtered,
    .fade = fade,
    .cpu = eeg_cpu_choose () };
  gdouble *x = g_new (gdouble, count), *once = NULL;
  gdouble *with_old = g_new (gdouble, count);
  gdouble *with_new = g_new (gdouble, count);
  gsize switched = (at > old_delay ? at - old_delay : 0) + lead, exact;
  gsize arrival = lead > 0 ? switched + old_delay : at;

  for (gsize i = 0; i < count; i++)
    x[i] = random_value ();
  reference (old, x, channels, n, edge, filtered, with_old);
  reference (new, x, channels, n, edge, filtered, with_new);

  for (gint run = 0; run < 4; run++) {
    static const guint largest[] = { 1500, 1, 13, 300 };
    gdouble *out = g_malloc0 (count * 8);
    eeg_fir_stream *a = eeg_fir_stream_new (old, &config, 0), *b;
    gsize done = 0, given = 0, got;

    b = eeg_fir_stream_new (new, &config, old_delay);
    while (done < n) {
      gsize piece_size = 1 + random_below (largest[run]);
      gsize frames = MIN ((done < at ? at : n) - done, piece_size);
      gsize ready;

      if (done == at && a != NULL) {
        if (lead > 0)
          fail_unless (eeg_fir_stream_approach (b, a, switched));
        else
          fail_unless (eeg_fir_stream_take_over (b, a));
        fail_unless_equals_uint64 (eeg_fir_stream_get_in (b), at);
        fail_unless_equals_uint64 (eeg_fir_stream_get_out (b), given);
        fail_unless (eeg_fir_stream_is_approaching (b) == (lead > 0));
        if (eeg_fir_stream_is_fading (b))
          fail_unless (fade > 0 && given > 0);
        else if (lead == 0)
          eeg_fir_stream_free (a);
        a = NULL;
      }
      ready = eeg_fir_stream_get_ready (a ? a : b, frames);
      fail_unless (given + ready <= n);
      got = eeg_fir_stream_process (a ? a : b, x + done * channels, frames,
          out + given * channels);
      fail_unless (got == ready,
          "%zu to %zu at %zu, fade %zu, latencies %u, lead %zu: %zu frames give "
          "%zu, not %zu",
          n_old, n_new, at, fade, latencies, lead, frames, got, ready);
      done += frames;
      given += got;
    }
    /* it came too late */
    if (eeg_fir_stream_is_approaching (b)) {
      fail_unless (arrival > n);
      a = eeg_fir_stream_release (b);
    } else {
      fail_unless (arrival <= n);
    }
    while ((got = eeg_fir_stream_drain (a ? a : b, out + given * channels, 40))
        > 0)
      given += got;
    fail_unless_equals_int (given, n);
    if (a != NULL) {
      for (gsize i = 0; i < count; i++)
        fail_unless (fabs (out[i] - with_old[i]) < 1e-12);
      eeg_fir_stream_free (a);
      eeg_fir_stream_free (b);
      g_free (out);
      continue;
    }

    for (gsize i = 0; i < switched * channels; i++)
      fail_unless (fabs (out[i] - with_old[i]) < 1e-12);
    /* from the start the old stream knows all */
    exact = arrival <= remembered ? switched
                                  : arrival - remembered + new_delay + n_new;
    exact = MAX (exact, switched);
    for (gsize i = exact * channels; i < count; i++) {
      gdouble expected = with_new[i];
      gsize frame = i / channels - switched;

      if (switched > 0 && frame < fade)
        expected += (with_old[i] - with_new[i])
            * (0.5 + 0.5 * cos (G_PI * (frame + 1) / (fade + 1)));
      fail_unless (fabs (out[i] - expected) < 1e-12,
          "%zu to %zu at %zu, fade "
          "%zu, latencies %u: sample %zu is %g, not %g",
          n_old, n_new, at, fade, latencies, i / channels, out[i], expected);
    }

    if (once == NULL) {
      once = out;
    } else {
      fail_unless (memcmp (once, out, n * frame_size) == 0);
      g_free (out);
    }
    if (run % 2)
      eeg_fir_stream_free (eeg_fir_stream_release (b));
    eeg_fir_stream_free (b);
  }
  g_free (once);
  g_free (x);
  g_free (with_old);
  g_free (with_new);
  eeg_fir_kernel_unref (old);
  eeg_fir_kernel_unref (new);
}

GST_START_TEST (test_take_over)
{
  static const gsize lengths[] = { 1, 31, 451, 801 };
  static const gsize at[] = { 0, 1, 60, 230, 700, 1100 };

  for (guint a = 0; a < G_N_ELEMENTS (lengths); a++)
    for (guint b = 0; b < G_N_ELEMENTS (lengths); b++)
      for (guint i = 0; i < G_N_ELEMENTS (at); i++)
        check_take_over (lengths[a], lengths[b], at[i], (a + b + i) % 3,
            i % 2 ? 50 : 0, (a + 2 * b + i) % 4, 0);
}
GST_END_TEST;

GST_START_TEST (test_approach)
{
  static const gsize lengths[] = { 1, 193, 601, 1201 };
  static const gsize at[] = { 0, 60, 230, 700 };
  static const gsize leads[] = { 1, 260, 1000 };

  for (guint a = 0; a < G_N_ELEMENTS (lengths); a++)
    for (guint b = 0; b < G_N_ELEMENTS (lengths); b++)
      for (guint i = 0; i < G_N_ELEMENTS (at); i++)
        for (guint l = 0; l < G_N_ELEMENTS (leads); l++)
          check_take_over (lengths[a], lengths[b], at[i], (a + b + i + l) % 3,
              (i + l) % 2 ? 50 : 0, (a + 2 * b + i + l) % 4, leads[l]);
}
GST_END_TEST;

/* A change to a long kernel: no call has more than 8 times the mean to do, the
 * larger one of before and after, however short calls are. Where the new kernel
 * holds back less, all that it need not hold comes out at once: the work of
 * such a call is counted by what comes out. */
static void
check_even_change (gsize n_old, gsize n_new, guint latencies, guint channels,
    gsize frames, eeg_fir_edge edge)
{
  eeg_fir_config config = { .channels = channels,
    .format = EEG_FIR_F32,
    .edge = edge,
    .fade = 20,
    .cpu = eeg_cpu_choose () };
  eeg_fir_kernel *old =
      make_kernel_for (SYMMETRIC, n_old, EEG_FIR_DELAY_AUTO, latencies & 1);
  eeg_fir_kernel *new =
      make_kernel_for (SYMMETRIC, n_new, EEG_FIR_DELAY_AUTO, latencies >> 1);
  gsize held =
      eeg_fir_kernel_get_delay (old) + eeg_fir_kernel_get_latency (old);
  eeg_fir_stream *a, *b;
  gsize before = 2 * n_old + 2 * eeg_fir_kernel_get_look_back (new);
  gsize after = eeg_fir_kernel_get_approach (new)
      + eeg_fir_kernel_get_delay (old) + eeg_fir_kernel_get_latency (old)
      + 2 * eeg_fir_kernel_get_look_back (new);
  gfloat *samples = g_new0 (gfloat, frames * channels);
  guint64 most = 0, done, first;
  gdouble mean, times;

  /* what is not remembered is not turned about the first sample in time */
  if (eeg_fir_kernel_get_look_back (new) > eeg_fir_kernel_get_look_back (old)
      && edge == EEG_FIR_REFLECT)
    config.edge = EEG_FIR_HOLD;
  a = eeg_fir_stream_new (old, &config, 0);
  b = eeg_fir_stream_new (new, &config, held);
  eeg_fir_stream_start (a, 12345);
  for (gsize i = 0; i < before; i += 1000) {
    gfloat *room = g_new0 (gfloat, 1000 * channels);

    eeg_fir_stream_process (a, room, 1000, room);
    g_free (room);
  }
  fail_unless (eeg_fir_stream_approach (b, a, EEG_FIR_SOON));
  first = done = eeg_fir_stream_get_operations (b);
  mean = (gdouble) done / before;
  for (gsize i = 0; i < after; i += frames) {
    gsize ready = MAX (eeg_fir_stream_get_ready (b, frames), frames);
    gfloat *out = g_new (gfloat, ready * channels);
    guint64 now;

    eeg_fir_stream_process (b, samples, frames, out);
    now = eeg_fir_stream_get_operations (b);
    most = MAX (most, (now - done) * frames / ready);
    done = now;
    g_free (out);
  }
  fail_if (eeg_fir_stream_is_approaching (b),
      "%zu to %zu taps, latencies %u: no arrival after %zu frames", n_old,
      n_new, latencies, after);
  mean = MAX (mean, (gdouble) (done - first) / after);
  times = (gdouble) most / frames / mean;
  GST_INFO ("%zu to %zu taps, latencies %u, %u channels, %zu frames: %.3g of "
            "the mean",
      n_old, n_new, latencies, channels, frames, times);
  fail_unless (times < 8,
      "%zu to %zu taps, latencies %u, %u channels, calls of %zu frames: one "
      "does %g times the mean",
      n_old, n_new, latencies, channels, frames, times);
  eeg_fir_stream_free (eeg_fir_stream_release (b));
  eeg_fir_stream_free (b);
  eeg_fir_kernel_unref (old);
  eeg_fir_kernel_unref (new);
  g_free (samples);
}

GST_START_TEST (test_even_change)
{
  static const gsize lengths[][2] = { { 101, 825 }, { 825, 825 }, { 825, 8251 },
    { 8251, 601 }, { 33001, 33001 } };
  static const gsize frames[] = { 7, 256, 4096 };

  for (guint l = 0; l < G_N_ELEMENTS (lengths); l++)
    for (guint f = 0; f < G_N_ELEMENTS (frames); f++)
      for (guint latencies = 0; latencies < 4; latencies++) {
        if (lengths[l][1] == 33001 && f != 1)
          continue;
        check_even_change (lengths[l][0], lengths[l][1], latencies,
            (l + f) % 2 ? 1 : 17, frames[f], (l + f + latencies) % 3);
      }
}
GST_END_TEST;

GST_START_TEST (test_take_over_without_reserve)
{
  eeg_fir_kernel *old = make_kernel (SYMMETRIC, 20001, EEG_FIR_DELAY_AUTO);
  eeg_fir_kernel *new = make_kernel (SYMMETRIC, 3, EEG_FIR_DELAY_AUTO);
  eeg_fir_config config = { .channels = 1, .format = EEG_FIR_F64 };
  eeg_fir_stream *a = eeg_fir_stream_new (old, &config, 0);
  eeg_fir_stream *b = eeg_fir_stream_new (new, &config, 0);
  gdouble *x = g_new0 (gdouble, 30000);

  eeg_fir_stream_process (a, x, 30000, x);
  fail_if (eeg_fir_stream_take_over (b, a));
  fail_unless_equals_uint64 (eeg_fir_stream_get_in (b), 0);
  g_free (x);
  eeg_fir_stream_free (a);
  eeg_fir_stream_free (b);
  eeg_fir_kernel_unref (old);
  eeg_fir_kernel_unref (new);
}
GST_END_TEST;

GST_START_TEST (test_kernels)
{
  const gdouble even[] = { 1, 2, 2, 1 }, odd[] = { 1, 0, -1 };
  const gdouble other[] = { 1, 2, 3 }, bad[] = { 1, NAN }, inf[] = { INFINITY };
  const gdouble nearly[] = { 0.3, 1, 0.3 + 1e-14 };
  eeg_fir_kernel *kernel;
  gsize n;

  fail_unless (eeg_fir_kernel_new (even, 0, 0, 0) == NULL);
  fail_unless (eeg_fir_kernel_new (even, 4, 4, 0) == NULL);
  fail_unless (eeg_fir_kernel_new (even, EEG_FIR_MAX_TAPS + 1, 0, 0) == NULL);
  fail_unless (eeg_fir_kernel_new (bad, 2, 0, 0) == NULL);
  fail_unless (eeg_fir_kernel_new (inf, 1, 0, 0) == NULL);

#define CHECK(taps, expected_delay, linear)                                    \
  kernel = eeg_fir_kernel_new (taps, G_N_ELEMENTS (taps), EEG_FIR_DELAY_AUTO,  \
      EEG_FIR_NO_LATENCY);                                                     \
  fail_unless_equals_int (eeg_fir_kernel_get_delay (kernel), expected_delay);  \
  fail_unless (eeg_fir_kernel_is_linear_phase (kernel) == linear);             \
  fail_unless (                                                                \
      memcmp (eeg_fir_kernel_get_taps (kernel, &n), taps, sizeof taps) == 0);  \
  eeg_fir_kernel_unref (kernel)

  CHECK (even, 1, true);
  CHECK (odd, 1, true);
  CHECK (nearly, 1, true);
  CHECK (other, 0, false);
#undef CHECK
}
GST_END_TEST;

GST_START_TEST (test_automatic_length)
{
  /* MNE-Python 1.3, mne.filter.create_filter() with its defaults */
  static const struct
  {
    gdouble low, high;
    gsize taps[6];
  } cases[] = {
    { 0.1, 40, { 8251, 16501, 33001, 67585, 165001, 540673 } },
    { 0.5, 40, { 1651, 3301, 6601, 13517, 33001, 108135 } },
    { 1, 40, { 825, 1651, 3301, 6759, 16501, 54069 } },
    { 1, 0, { 825, 1651, 3301, 6759, 16501, 54069 } },
    { 0, 40, { 83, 165, 331, 677, 1651, 5407 } },
    { 8, 13, { 413, 825, 1651, 3381, 8251, 27035 } },
  };
  static const gdouble rates[] = { 250, 500, 1000, 2048, 5000, 16384 };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    for (guint r = 0; r < G_N_ELEMENTS (rates); r++) {
      eeg_fir_spec spec = { .rate = rates[r],
        .low = cases[i].low,
        .high = cases[i].high };
      char message[MESSAGE_SIZE];
      double *taps;
      gsize n;

      spec.response = spec.low == 0 ? EEG_FIR_LOW_PASS
          : spec.high == 0          ? EEG_FIR_HIGH_PASS
                                    : EEG_FIR_BAND_PASS;
      fail_unless (eeg_fir_design (&spec, &taps, &n, message));
      fail_unless_equals_int (n, cases[i].taps[r]);
      for (gsize k = 0; k < n; k++)
        fail_unless (taps[k] == taps[n - 1 - k]);
      free (taps);
    }
}
GST_END_TEST;

static gdouble
gain_at (const double *taps, gsize n, gdouble frequency)
{
  gdouble re = 0, im = 0;

  for (gsize i = 0; i < n; i++) {
    re += taps[i] * cos (2 * G_PI * frequency * i);
    im += taps[i] * sin (2 * G_PI * frequency * i);
  }
  return hypot (re, im);
}

GST_START_TEST (test_responses)
{
  static const struct
  {
    eeg_fir_response response;
    gdouble pass, stop, half[2];
  } cases[] = {
    { EEG_FIR_LOW_PASS, 0, 60, { 45, 45 } },
    { EEG_FIR_HIGH_PASS, 100, 5, { 19, 19 } },
    { EEG_FIR_BAND_PASS, 30, 60, { 19, 45 } },
    { EEG_FIR_BAND_STOP, 5, 30, { 21, 38 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    for (eeg_fir_window window = 0; window <= EEG_FIR_KAISER; window++) {
      eeg_fir_spec spec = { .response = cases[i].response,
        .rate = 250,
        .low = 20,
        .high = 40,
        .transition = cases[i].response == EEG_FIR_BAND_STOP ? 4 : 0,
        .window = window,
        .beta = 6 };
      gdouble low_half = cases[i].half[0], high_half = cases[i].half[1];
      char message[MESSAGE_SIZE];
      double *taps;
      gsize n;

      if (spec.response == EEG_FIR_BAND_STOP)
        low_half = 22;
      else if (spec.response != EEG_FIR_LOW_PASS)
        low_half = 17.5;
      fail_unless (eeg_fir_design (&spec, &taps, &n, message), "%s", message);
      fail_unless (fabs (gain_at (taps, n, cases[i].pass / 250) - 1) < 0.01);
      fail_unless (gain_at (taps, n, cases[i].stop / 250) < 0.01,
          "%u %u: %g with %zu taps", i, window,
          gain_at (taps, n, cases[i].stop / 250), n);
      fail_unless (fabs (gain_at (taps, n, low_half / 250) - 0.5) < 0.01);
      if (spec.response == EEG_FIR_BAND_PASS)
        fail_unless (fabs (gain_at (taps, n, high_half / 250) - 0.5) < 0.01);
      free (taps);

      /* one windowed sinc of given length: half gain at the cut-offs */
      spec.taps = 501;
      spec.transition = 0;
      fail_unless (eeg_fir_design (&spec, &taps, &n, message));
      fail_unless_equals_int (n, 501);
      if (spec.response != EEG_FIR_LOW_PASS)
        fail_unless (fabs (gain_at (taps, n, 20.0 / 250) - 0.5) < 0.01);
      if (spec.response != EEG_FIR_HIGH_PASS)
        fail_unless (fabs (gain_at (taps, n, 40.0 / 250) - 0.5) < 0.01);
      free (taps);
    }
}
GST_END_TEST;

GST_START_TEST (test_bad_designs){ static const struct { eeg_fir_spec spec;
const gchar *says;
}
cases[] = {
#define SPEC(r, ...) { { .response = r, .rate = 250, __VA_ARGS__ }
    SPEC (EEG_FIR_LOW_PASS, .high = 125), "half the sampling rate" },
    SPEC (EEG_FIR_LOW_PASS, .high = 0), "high=0"
}
, SPEC (EEG_FIR_LOW_PASS, .high = NAN), "high=nan"
}
, SPEC (EEG_FIR_HIGH_PASS, .low = -1), "low=-1"
}
, SPEC (EEG_FIR_HIGH_PASS, .low = 130), "low=130"
}
, SPEC (EEG_FIR_BAND_PASS, .low = 40, .high = 1), "not below"
}
, SPEC (EEG_FIR_BAND_STOP, .low = 40, .high = 40), "not below"
}
, SPEC (EEG_FIR_LOW_PASS, .high = 40, .taps = 100), "take 101"
}
, SPEC (EEG_FIR_LOW_PASS, .high = 40, .taps = 1000000001), "more than"
}
, SPEC (EEG_FIR_HIGH_PASS, .low = 1e-6), "taps"
}
, SPEC (EEG_FIR_HIGH_PASS, .low = 1, .transition = 2), "does not fit"
}
, SPEC (EEG_FIR_LOW_PASS, .high = 120, .transition = 9), "does not fit"
}
, SPEC (EEG_FIR_BAND_STOP, .low = 48, .high = 52, .transition = 3), "do not fit"
}
, SPEC (EEG_FIR_LOW_PASS, .high = 40, .transition = -1), "transition"
}
, SPEC (EEG_FIR_LOW_PASS, .high = 40, .transition = 1, .taps = 101), "too few"
}
, SPEC (EEG_FIR_LOW_PASS, .high = 40, .taps = 1, .phase = EEG_FIR_MINIMUM_HALF),
    "needs 3"
}
, SPEC (EEG_FIR_LOW_PASS, .high = 40, .window = EEG_FIR_KAISER, .beta = 1e9),
    "beta"
}
, { { .response = EEG_FIR_LOW_PASS, .rate = 0, .high = 40 }, "rate" },
#undef SPEC
}
;

for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
  char message[MESSAGE_SIZE] = "";
  double *taps;
  gsize n;

  fail_if (eeg_fir_design (&cases[i].spec, &taps, &n, message), "case %u", i);
  fail_unless (taps == NULL);
  fail_unless (strstr (message, cases[i].says) != NULL, "case %u: %s", i,
      message);
}
}
GST_END_TEST;

static Suite *
fir_kernel_suite (void)
{
  Suite *suite = suite_create ("fir-kernel");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_set_timeout (tcase, 150);
  tcase_add_test (tcase, test_streams);
  tcase_add_test (tcase, test_long_streams);
  tcase_add_test (tcase, test_short_streams);
  tcase_add_test (tcase, test_nothing);
  tcase_add_test (tcase, test_precision);
  tcase_add_test (tcase, test_look_back);
  tcase_add_test (tcase, test_evenness);
  tcase_add_test (tcase, test_reflect_start);
  tcase_add_test (tcase, test_take_over);
  tcase_add_test (tcase, test_approach);
  tcase_add_test (tcase, test_even_change);
  tcase_add_test (tcase, test_take_over_without_reserve);
  tcase_add_test (tcase, test_kernels);
  tcase_add_test (tcase, test_automatic_length);
  tcase_add_test (tcase, test_responses);
  tcase_add_test (tcase, test_bad_designs);
  return suite;
}

GST_CHECK_MAIN (fir_kernel);
