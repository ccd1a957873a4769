/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The choice of chunk sizes against simulated codecs, whose best size is known.
 */
#include <gst/check/gstcheck.h>

#include "adaptive/adaptive.h"

#define KIB 1024
#define MIN_SIZE (16 * KIB)
#define MAX_SIZE (4096 * KIB)

/* ns = fixed + bytes x per_byte; ratio = limit - loss / chunk in KiB */
typedef struct
{
  const gchar *name;
  double fixed_ns, ns_per_byte;
  double ratio, ratio_loss;
  gsize smallest, largest; /* where it may settle */
} Model;

static const Model models[] = {
  /* nothing gained by any size: stays where it began */
  { "flat", 0, 5, 2.0, 0, 256 * KIB, 256 * KIB },
  /* fixed costs of 1 ms weigh until 4 MiB */
  { "fixed costs", 1e6, 1, 1.0, 0, 2048 * KIB, MAX_SIZE },
  /* the ratio gains as long as there is more to find */
  { "ratio", 0, 5, 100.0, 12800, MAX_SIZE, MAX_SIZE },
  /* the ratio gains 1 % from 256 to 512 KiB, then less */
  { "small gain", 0, 5, 2.05, 12.8, 512 * KIB, 1024 * KIB },
};

static void
simulate (EegAdaptive *a, const Model *model, guint chunks, guint *changes)
{
  *changes = 0;
  for (guint i = 0; i < chunks; i++) {
    gsize size = eeg_adaptive_size (a);
    double kib = (double) size / KIB;
    EegAdaptiveChunk chunk = { .in = size,
      .out = (gsize) ((double) size / (model->ratio - model->ratio_loss / kib)),
      .cost_ns = (guint64) (model->fixed_ns + size * model->ns_per_byte) };
    EegAdaptiveChange change;

    if (eeg_adaptive_add (a, &chunk, &change)) {
      if (change.size != size)
        (*changes)++;
      fail_unless (change.size == eeg_adaptive_size (a));
      fail_unless (change.size >= MIN_SIZE && change.size <= MAX_SIZE);
      fail_unless ((change.size & (change.size - 1)) == 0);
    }
  }
}

GST_START_TEST (test_settles)
{
  const Model *model = &models[__i__];
  EegAdaptive a;
  guint changes;

  eeg_adaptive_init (&a, 256 * KIB, MIN_SIZE, MAX_SIZE, 0);
  simulate (&a, model, 600, &changes);
  fail_unless (changes <= 16, "%s: %u changes", model->name, changes);
  fail_unless (eeg_adaptive_size (&a) >= model->smallest
          && eeg_adaptive_size (&a) <= model->largest,
      "%s: %" G_GSIZE_FORMAT " KiB", model->name, eeg_adaptive_size (&a) / KIB);
  /* later it leaves well alone */
  simulate (&a, model, 10000, &changes);
  fail_unless (changes <= 8, "%s: %u changes later", model->name, changes);
  fail_unless (eeg_adaptive_size (&a) >= model->smallest
      && eeg_adaptive_size (&a) <= model->largest);
}

GST_END_TEST;

/* Smaller is faster and as good. */
GST_START_TEST (test_goes_down)
{
  EegAdaptive a;
  EegAdaptiveChange change;
  guint i;

  eeg_adaptive_init (&a, 1024 * KIB, MIN_SIZE, MAX_SIZE, 0);
  for (i = 0; i < 400; i++) {
    gsize size = eeg_adaptive_size (&a);
    EegAdaptiveChunk chunk = { .in = size,
      .out = size / 2,
      /* beyond 128 KiB the caches are missed */
      .cost_ns = size * (size > 128 * KIB ? 20 : 10) };

    eeg_adaptive_add (&a, &chunk, &change);
  }
  /* one step at a time: a plateau ends the search */
  fail_unless (eeg_adaptive_size (&a) <= 1024 * KIB);
  eeg_adaptive_init (&a, 256 * KIB, MIN_SIZE, MAX_SIZE, 0);
  for (i = 0; i < 400; i++) {
    gsize size = eeg_adaptive_size (&a);
    EegAdaptiveChunk chunk = { .in = size,
      .out = size / 2,
      .cost_ns = size * (size > 128 * KIB ? 20 : 10) };

    if (eeg_adaptive_add (&a, &chunk, &change)
        && change.reason == EEG_ADAPTIVE_SPEED)
      break;
  }
  fail_unless (i < 400);
  fail_unless_equals_int (eeg_adaptive_size (&a), 128 * KIB);
}

GST_END_TEST;

/* Handing a chunk over takes 50 us, which the time of coding does not show: it
 * counts when chunks come as fast as they can, and not when they wait for their
 * source. */
GST_START_TEST (test_costs_beside)
{
  static const struct
  {
    guint64 wait_ns;
    gsize smallest, largest;
  } cases[] = { { 0, 1024 * KIB, MAX_SIZE },
    { 10000000, 256 * KIB, 256 * KIB } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    EegAdaptive a;
    guint64 now = 1;

    eeg_adaptive_init (&a, 256 * KIB, MIN_SIZE, MAX_SIZE, 0);
    for (guint chunks = 0; chunks < 20000; chunks++) {
      gsize size = eeg_adaptive_size (&a);
      EegAdaptiveChunk chunk = { .in = size, .out = size, .cost_ns = size / 4 };
      EegAdaptiveChange change;

      /* as long for the same bytes, with any size */
      now += chunk.cost_ns + 50000 + cases[i].wait_ns * size / (256 * KIB);
      chunk.time_ns = now;
      eeg_adaptive_add (&a, &chunk, &change);
    }
    fail_unless (eeg_adaptive_size (&a) >= cases[i].smallest
            && eeg_adaptive_size (&a) <= cases[i].largest,
        "%u: %" G_GSIZE_FORMAT " KiB", i, eeg_adaptive_size (&a) / KIB);
  }
}

GST_END_TEST;

/* A trial that is fast at its beginning only, by chance, is not kept. */
GST_START_TEST (test_noise)
{
  EegAdaptive a;
  EegAdaptiveChange change;
  guint kept = 0, since = 0;

  eeg_adaptive_init (&a, 256 * KIB, MIN_SIZE, MAX_SIZE, 0);
  for (guint i = 0; i < 2000; i++) {
    gsize size = eeg_adaptive_size (&a);
    EegAdaptiveChunk chunk = { .in = size,
      .out = size / 2,
      .cost_ns = size != 256 * KIB && since < EEG_ADAPTIVE_WINDOW + 5
          ? size
          : size * 4 };

    since++;
    if (!eeg_adaptive_add (&a, &chunk, &change))
      continue;
    since = 0;
    if (change.reason != EEG_ADAPTIVE_TRIAL
        && change.reason != EEG_ADAPTIVE_NO_GAIN)
      kept++;
  }
  fail_unless_equals_int (kept, 0);
}

GST_END_TEST;

GST_START_TEST (test_limits)
{
  EegAdaptive a;
  EegAdaptiveChange change;
  EegAdaptiveChunk chunk = { .in = 256 * KIB,
    .out = 128 * KIB,
    .cost_ns = 1000000,
    .span_ns = 10000000000 };
  guint i;

  /* rounded, and inside its limits */
  eeg_adaptive_init (&a, 300 * KIB, MIN_SIZE, MAX_SIZE, 0);
  fail_unless_equals_int (eeg_adaptive_size (&a), 256 * KIB);
  eeg_adaptive_init (&a, 1, MIN_SIZE, MAX_SIZE, 0);
  fail_unless_equals_int (eeg_adaptive_size (&a), MIN_SIZE);
  eeg_adaptive_init (&a, G_MAXSIZE, MIN_SIZE, MAX_SIZE, 0);
  fail_unless_equals_int (eeg_adaptive_size (&a), MAX_SIZE);

  /* 10 s in 256 KiB, 2 s allowed: at once, and for good */
  eeg_adaptive_init (&a, 256 * KIB, MIN_SIZE, MAX_SIZE, 2000000000);
  for (i = 0; i < 3; i++) {
    fail_unless (eeg_adaptive_add (&a, &chunk, &change));
    fail_unless_equals_int (change.reason, EEG_ADAPTIVE_LATENCY);
    chunk.in /= 2;
    chunk.out /= 2;
    chunk.span_ns /= 2;
  }
  fail_unless_equals_int (eeg_adaptive_size (&a), 32 * KIB);
  for (i = 0; i < 1000; i++) {
    chunk.in = eeg_adaptive_size (&a);
    chunk.out = chunk.in / 2;
    chunk.span_ns = chunk.in * (10000000000 / (256 * KIB));
    chunk.cost_ns = 1000000;
    eeg_adaptive_add (&a, &chunk, &change);
    fail_unless (eeg_adaptive_size (&a) <= 32 * KIB);
  }

  /* workers with nothing to do want smaller pieces */
  eeg_adaptive_init (&a, 256 * KIB, MIN_SIZE, MAX_SIZE, 0);
  chunk = (EegAdaptiveChunk){ .cost_ns = 1000000 };
  for (i = 0; i < 100; i++) {
    chunk.in = eeg_adaptive_size (&a);
    chunk.out = chunk.in / 2;
    chunk.starved++;
    if (eeg_adaptive_add (&a, &chunk, &change))
      break;
  }
  fail_unless (i < 100);
  fail_unless_equals_int (change.reason, EEG_ADAPTIVE_STARVED);
  fail_unless_equals_int (eeg_adaptive_size (&a), 128 * KIB);

  /* the short chunk at the end tells nothing */
  eeg_adaptive_init (&a, 256 * KIB, MIN_SIZE, MAX_SIZE, 0);
  chunk = (EegAdaptiveChunk){ .in = 100, .out = 1, .cost_ns = 1 };
  for (i = 0; i < 100; i++)
    fail_if (eeg_adaptive_add (&a, &chunk, &change));
}

GST_END_TEST;

static Suite *
adaptive_suite (void)
{
  Suite *s = suite_create ("adaptive");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_settles, 0, G_N_ELEMENTS (models));
  tcase_add_test (tc, test_goes_down);
  tcase_add_test (tc, test_costs_beside);
  tcase_add_test (tc, test_noise);
  tcase_add_test (tc, test_limits);
  return s;
}

GST_CHECK_MAIN (adaptive);
