/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The job ring without GLib: the same file is also built with ThreadSanitizer,
 * which does not understand GLib's locks. */
#include "jobring.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHECK(condition)                                                       \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf (stderr, "%s:%d: %s: failed\n", __func__, __LINE__, #condition); \
      abort ();                                                                \
    }                                                                          \
  } while (0)

#define FLUSHING (-2)
#define FAILED 7

typedef struct
{
  uint64_t input;
  uint64_t output;
  unsigned worker;
  bool is_job;
  bool fails;
  bool used;
} Item;

typedef struct
{
  EegJobRing *ring;
  unsigned threads;
  uint64_t n_items;
  uint64_t fail_at; /* and at 3 more places behind */
  atomic_uint concurrent;
  atomic_uint most_concurrent;
  atomic_uint cleared;
  atomic_ullong runs;
  unsigned worker_use[16]; /* each written by one thread only */
  unsigned sleep_us;
} Fixture;

static uint64_t
function (uint64_t x)
{
  for (int i = 0; i < 100; i++)
    x = x * 6364136223846793005ull + 1442695040888963407ull;
  return x;
}

static void
sleep_us (unsigned us)
{
  struct timespec t = { us / 1000000, (us % 1000000) * 1000l };

  nanosleep (&t, NULL);
}

static int
run (void *data, unsigned worker, void *user_data)
{
  Fixture *f = user_data;
  Item *item = data;
  unsigned now = atomic_fetch_add (&f->concurrent, 1) + 1;
  unsigned most = atomic_load (&f->most_concurrent);

  while (now > most
      && !atomic_compare_exchange_weak (&f->most_concurrent, &most, now))
    ;
  CHECK (worker <= f->threads);
  CHECK (now <= f->threads);
  f->worker_use[worker]++;
  atomic_fetch_add (&f->runs, 1);
  item->output = function (item->input);
  item->worker = worker;
  if (f->sleep_us > 0)
    sleep_us (f->sleep_us);
  atomic_fetch_sub (&f->concurrent, 1);
  return item->fails ? FAILED : 0;
}

static void
clear (void *data, void *user_data)
{
  Fixture *f = user_data;
  Item *item = data;

  if (item->used)
    atomic_fetch_add (&f->cleared, 1);
  memset (item, 0, sizeof *item);
}

static void
set_up (Fixture *f, unsigned slots, unsigned threads, unsigned delay)
{
  EegJobRingSettings settings = { .item_size = sizeof (Item),
    .slots = slots,
    .threads = threads,
    .run = run,
    .clear = clear,
    .user_data = f,
    .max_delay_us = delay };

  memset (f, 0, sizeof *f);
  f->threads = threads;
  f->fail_at = UINT64_MAX;
  f->ring = eeg_jobring_new (&settings);
  CHECK (f->ring != NULL);
}

/* Puts in n_items, every 5th a mark. */
static void *
produce (void *data)
{
  Fixture *f = data;
  int code = 0;

  for (uint64_t i = 0; i < f->n_items; i++) {
    Item *item = eeg_jobring_acquire (f->ring, &code);

    if (item == NULL)
      break;
    CHECK (!item->used);
    item->used = true;
    item->input = i;
    item->output = 0;
    item->is_job = i % 5 != 4;
    item->fails = i >= f->fail_at && i < f->fail_at + 20 && i % 5 == 0;
    eeg_jobring_submit (f->ring, item->is_job);
  }
  return (void *) (intptr_t) code;
}

/* Takes items until n_items or a code; returns how many came. */
static uint64_t
consume (Fixture *f, uint64_t limit, int *code)
{
  uint64_t n;

  *code = 0;
  for (n = 0; n < limit; n++) {
    Item *item = eeg_jobring_pop (f->ring, code);

    if (item == NULL)
      break;
    CHECK (item->input == n);
    if (item->is_job && *code == 0)
      CHECK (item->output == function (n));
    if (item->fails)
      CHECK (*code == FAILED);
    item->used = false;
    eeg_jobring_release (f->ring);
    if (*code != 0)
      break;
  }
  return n;
}

static void
test_order (void)
{
  static const unsigned threads[] = { 1, 2, 3, 8 };

  for (unsigned i = 0; i < 4; i++) {
    for (unsigned slots = 1; slots <= 10; slots += 3) {
      Fixture f;
      pthread_t producer;
      EegJobRingCounters counters;
      int code;

      set_up (&f, slots, threads[i], 300);
      f.n_items = 200;
      pthread_create (&producer, NULL, produce, &f);
      CHECK (consume (&f, f.n_items, &code) == f.n_items);
      CHECK (code == 0);
      pthread_join (producer, NULL);
      CHECK (eeg_jobring_is_empty (f.ring));
      CHECK (eeg_jobring_wait_empty (f.ring) == 0);
      eeg_jobring_get_counters (f.ring, &counters);
      CHECK (counters.jobs == 160);
      CHECK (counters.high_water <= slots);
      CHECK (counters.threads_started <= threads[i]);
      CHECK (atomic_load (&f.runs) == 160);
      eeg_jobring_free (f.ring);
      CHECK (atomic_load (&f.cleared) == 0);
    }
  }
}

/* Two jobs that are there at once run at once, and a lonely one starts one
 * thread only. */
static void
test_parallel (void)
{
  Fixture f;
  EegJobRingCounters counters;
  int code;

  set_up (&f, 4, 2, 0);
  f.sleep_us = 20000;
  f.n_items = 1;
  produce (&f);
  CHECK (consume (&f, 1, &code) == 1);
  eeg_jobring_get_counters (f.ring, &counters);
  CHECK (counters.threads_started == 1);

  eeg_jobring_reset (f.ring);
  f.n_items = 4;
  produce (&f);
  CHECK (consume (&f, 4, &code) == 4);
  eeg_jobring_get_counters (f.ring, &counters);
  CHECK (counters.threads_started == 2);
  CHECK (counters.high_water == 4);
  CHECK (atomic_load (&f.most_concurrent) == 2);
  eeg_jobring_free (f.ring);
}

/* No thread is started by marks. */
static void
test_marks (void)
{
  Fixture f;
  EegJobRingCounters counters;
  int result;

  set_up (&f, 3, 2, 0);
  for (uint64_t i = 0; i < 10; i++) {
    Item *item = eeg_jobring_acquire (f.ring, NULL);

    CHECK (item == eeg_jobring_acquire (f.ring, NULL));
    item->input = i;
    CHECK (eeg_jobring_submit (f.ring, false) == 0);
    CHECK (!eeg_jobring_is_empty (f.ring));
    item = eeg_jobring_pop (f.ring, &result);
    CHECK (item != NULL && item->input == i && result == 0);
    eeg_jobring_release (f.ring);
    CHECK (eeg_jobring_is_empty (f.ring));
  }
  eeg_jobring_get_counters (f.ring, &counters);
  CHECK (counters.threads_started == 0 && counters.jobs == 0);
  eeg_jobring_free (f.ring);
}

/* A full ring blocks the producer until something was released. */
static void
test_full (void)
{
  Fixture f;
  pthread_t producer;
  EegJobRingCounters counters;
  int code;

  set_up (&f, 3, 2, 0);
  f.n_items = 50;
  pthread_create (&producer, NULL, produce, &f);
  do {
    sleep_us (1000);
    eeg_jobring_get_counters (f.ring, &counters);
  } while (counters.high_water < 3);
  sleep_us (5000);
  CHECK (atomic_load (&f.runs) <= 3);
  CHECK (consume (&f, 50, &code) == 50);
  pthread_join (producer, NULL);
  eeg_jobring_get_counters (f.ring, &counters);
  CHECK (counters.producer_waits > 0);
  CHECK (counters.high_water == 3);
  eeg_jobring_free (f.ring);
}

/* Whatever fails first in time, the first in order is what the consumer sees,
 * and everything before it came whole. */
static void
test_first_error_wins (void)
{
  for (unsigned round = 0; round < 40; round++) {
    Fixture f;
    pthread_t producer;
    int code;

    set_up (&f, 8, 4, 200);
    f.n_items = 100;
    f.fail_at = 30 + round % 3 * 5;
    pthread_create (&producer, NULL, produce, &f);
    CHECK (consume (&f, 100, &code) == f.fail_at);
    CHECK (code == FAILED);
    eeg_jobring_close (f.ring, FAILED);
    pthread_join (producer, NULL);
    eeg_jobring_reset (f.ring);
    /* as new */
    f.fail_at = UINT64_MAX;
    pthread_create (&producer, NULL, produce, &f);
    CHECK (consume (&f, 100, &code) == 100);
    CHECK (code == 0);
    pthread_join (producer, NULL);
    eeg_jobring_free (f.ring);
  }
}

/* Jobs behind a failed one are skipped. */
static void
test_skip (void)
{
  Fixture f;
  Item *item;
  int result;

  set_up (&f, 4, 1, 0);
  for (unsigned i = 0; i < 3; i++) {
    item = eeg_jobring_acquire (f.ring, NULL);
    item->input = i;
    item->fails = i == 1;
    eeg_jobring_submit (f.ring, true);
  }
  CHECK (eeg_jobring_pop (f.ring, &result) != NULL && result == 0);
  eeg_jobring_release (f.ring);
  CHECK (eeg_jobring_pop (f.ring, &result) != NULL && result == FAILED);
  eeg_jobring_release (f.ring);
  CHECK (eeg_jobring_pop (f.ring, &result) != NULL);
  CHECK (result == EEG_JOBRING_SKIPPED);
  eeg_jobring_release (f.ring);
  CHECK (atomic_load (&f.runs) == 2);
  eeg_jobring_free (f.ring);
}

static void *
close_later (void *data)
{
  Fixture *f = data;

  sleep_us ((unsigned) (f->n_items * 37 % 2000));
  eeg_jobring_close (f->ring, FLUSHING);
  return NULL;
}

static void *
consume_all (void *data)
{
  int code;

  consume (data, UINT64_MAX, &code);
  return (void *) (intptr_t) code;
}

/* Close at any moment wakes both sides; nothing is lost or cleared twice. */
static void
test_close (unsigned rounds)
{
  for (unsigned round = 0; round < rounds; round++) {
    Fixture f;
    pthread_t threads[3];
    void *codes[3];
    int code;

    set_up (&f, 1 + round % 5, 1 + round % 3, round % 2 ? 200 : 0);
    for (unsigned again = 0; again < 2; again++) {
      /* more than can be done, so that close finds work */
      f.n_items = 1000000000 + round;
      pthread_create (&threads[0], NULL, produce, &f);
      pthread_create (&threads[1], NULL, consume_all, &f);
      pthread_create (&threads[2], NULL, close_later, &f);
      for (unsigned i = 0; i < 3; i++)
        pthread_join (threads[i], &codes[i]);
      CHECK ((intptr_t) codes[0] == FLUSHING);
      CHECK ((intptr_t) codes[1] == FLUSHING);
      CHECK (eeg_jobring_code (f.ring) == FLUSHING);
      CHECK (eeg_jobring_acquire (f.ring, &code) == NULL && code == FLUSHING);
      CHECK (eeg_jobring_pop (f.ring, &code) == NULL && code == FLUSHING);
      CHECK (eeg_jobring_wait_empty (f.ring) == FLUSHING
          || eeg_jobring_is_empty (f.ring));
      eeg_jobring_reset (f.ring);
      CHECK (eeg_jobring_code (f.ring) == 0);
      CHECK (eeg_jobring_is_empty (f.ring));
      for (unsigned i = 0; i < 1 + round % 5; i++)
        CHECK (!((Item *) eeg_jobring_item (f.ring, i))->used);
    }
    /* also with work inside */
    f.n_items = 1;
    produce (&f);
    eeg_jobring_free (f.ring);
  }
}

/* A close while the producer waits for the ring to run empty. */
static void
test_close_wait_empty (void)
{
  Fixture f;
  pthread_t closer;

  set_up (&f, 2, 1, 0);
  f.n_items = 2;
  produce (&f);
  pthread_create (&closer, NULL, close_later, &f);
  CHECK (eeg_jobring_wait_empty (f.ring) == FLUSHING);
  pthread_join (closer, NULL);
  eeg_jobring_free (f.ring);
  CHECK (atomic_load (&f.cleared) == 2);
}

int
main (int argc, char **argv)
{
  unsigned rounds = argc > 1 ? (unsigned) atoi (argv[1]) : 100;

  alarm (120); /* a hang is a failure */
  test_marks ();
  test_order ();
  test_parallel ();
  test_full ();
  test_first_error_wins ();
  test_skip ();
  test_close (rounds);
  test_close_wait_empty ();
  return 0;
}
