/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "jobring.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CACHE_LINE 64
#define NEVER UINT64_MAX

typedef enum
{
  SLOT_FREE,
  SLOT_QUEUED,
  SLOT_RUNNING,
  SLOT_DONE
} SlotState;

typedef struct
{
  SlotState state;
  bool is_job;
  int result;
} Slot;

typedef struct
{
  EegJobRing *ring;
  unsigned number;
  pthread_t thread;
} Worker;

/*
 * Items are numbered by when they were submitted; item n is in slot n % slots.
 * head <= next <= tail: [head, next) was looked at by a worker, [next, tail)
 * waits for one. Everything but `code` is under the lock; the content of an
 * item belongs to the producer before submit, to the worker that runs it, and
 * to the consumer from pop to release.
 */
struct EegJobRing
{
  EegJobRingSettings settings;
  size_t stride;
  unsigned char *items;
  Slot *slots;
  Worker *workers;

  pthread_mutex_t lock;
  pthread_cond_t work;  /* a worker may find a job, or shall end */
  pthread_cond_t done;  /* the consumer may find its item done */
  pthread_cond_t space; /* an item was released; a job under way ended */

  uint64_t head;
  uint64_t next;
  uint64_t tail;
  uint64_t failed;  /* lowest number of a failed job */
  unsigned started; /* workers that exist */
  unsigned idle;    /* workers that wait, also those already woken */
  unsigned queued;  /* jobs in [next, tail) */
  unsigned running; /* jobs under way */
  bool ending;
  int code; /* written under the lock, read also without */
  EegJobRingCounters counters;
};

static void *
item_at (EegJobRing *ring, uint64_t number)
{
  return ring->items + (number % ring->settings.slots) * ring->stride;
}

static Slot *
slot_at (EegJobRing *ring, uint64_t number)
{
  return &ring->slots[number % ring->settings.slots];
}

static void
pause_at_random (const EegJobRing *ring, uint64_t *state)
{
  struct timespec t = { 0, 0 };

  if (ring->settings.max_delay_us == 0)
    return;
  /* xorshift64 */
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  t.tv_nsec = (long) (*state % (ring->settings.max_delay_us + 1ull)) * 1000;
  t.tv_sec = t.tv_nsec / 1000000000;
  t.tv_nsec %= 1000000000;
  nanosleep (&t, NULL);
}

/* The lock is held and given up while the job runs. */
static void
run_locked (EegJobRing *ring, uint64_t number, unsigned worker, uint64_t *seed)
{
  Slot *slot = slot_at (ring, number);
  int result;

  if (number > ring->failed || ring->code != 0) {
    slot->result = EEG_JOBRING_SKIPPED;
  } else {
    slot->state = SLOT_RUNNING;
    ring->running++;
    pthread_mutex_unlock (&ring->lock);

    pause_at_random (ring, seed);
    result = ring->settings.run (item_at (ring, number), worker,
        ring->settings.user_data);
    pause_at_random (ring, seed);

    pthread_mutex_lock (&ring->lock);
    ring->running--;
    slot->result = result;
    if (result != 0 && number < ring->failed)
      ring->failed = number;
  }
  slot->state = SLOT_DONE;
  if (number == ring->head)
    pthread_cond_signal (&ring->done);
  if (ring->code != 0)
    pthread_cond_broadcast (&ring->space);
}

/* Marks are done as they are. */
static bool
next_job_locked (EegJobRing *ring, uint64_t *number)
{
  while (ring->next < ring->tail) {
    Slot *slot = slot_at (ring, ring->next);

    *number = ring->next++;
    if (slot->is_job) {
      ring->queued--;
      return true;
    }
  }
  return false;
}

static void *
work (void *data)
{
  Worker *worker = data;
  EegJobRing *ring = worker->ring;
  uint64_t seed = 0x9e3779b97f4a7c15ull * (worker->number + 1);
  uint64_t number;

  pthread_mutex_lock (&ring->lock);
  while (!ring->ending) {
    if (ring->code == 0 && next_job_locked (ring, &number)) {
      run_locked (ring, number, worker->number, &seed);
    } else {
      ring->idle++;
      pthread_cond_wait (&ring->work, &ring->lock);
      ring->idle--;
    }
  }
  pthread_mutex_unlock (&ring->lock);
  return NULL;
}

static bool
start_worker_locked (EegJobRing *ring)
{
  Worker *worker = &ring->workers[ring->started];
  sigset_t all, old;
  bool ok;

  worker->ring = ring;
  worker->number = ring->started;
  /* the application's signals are for the application's threads */
  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &old);
  ok = pthread_create (&worker->thread, NULL, work, worker) == 0;
  pthread_sigmask (SIG_SETMASK, &old, NULL);
  if (!ok)
    return false;
  ring->started++;
  ring->counters.threads_started++;
  pthread_setname_np (worker->thread, "eeg-job");
  return true;
}

EegJobRing *
eeg_jobring_new (const EegJobRingSettings *settings)
{
  EegJobRing *ring = calloc (1, sizeof *ring);

  if (ring == NULL)
    return NULL;
  ring->settings = *settings;
  ring->stride =
      (settings->item_size + CACHE_LINE - 1) & ~(size_t) (CACHE_LINE - 1);
  ring->items = aligned_alloc (CACHE_LINE, ring->stride * settings->slots);
  ring->slots = calloc (settings->slots, sizeof *ring->slots);
  ring->workers = calloc (settings->threads, sizeof *ring->workers);
  if (ring->items == NULL || ring->slots == NULL || ring->workers == NULL) {
    free (ring->items);
    free (ring->slots);
    free (ring->workers);
    free (ring);
    return NULL;
  }
  memset (ring->items, 0, ring->stride * settings->slots);
  ring->failed = NEVER;
  pthread_mutex_init (&ring->lock, NULL);
  pthread_cond_init (&ring->work, NULL);
  pthread_cond_init (&ring->done, NULL);
  pthread_cond_init (&ring->space, NULL);
  return ring;
}

static void
clear_items (EegJobRing *ring)
{
  for (unsigned i = 0; i < ring->settings.slots; i++) {
    if (ring->settings.clear != NULL)
      ring->settings.clear (ring->items + i * ring->stride,
          ring->settings.user_data);
    ring->slots[i].state = SLOT_FREE;
  }
}

void
eeg_jobring_free (EegJobRing *ring)
{
  if (ring == NULL)
    return;
  pthread_mutex_lock (&ring->lock);
  ring->ending = true;
  if (ring->code == 0)
    __atomic_store_n (&ring->code, EEG_JOBRING_SKIPPED, __ATOMIC_RELAXED);
  pthread_cond_broadcast (&ring->work);
  pthread_mutex_unlock (&ring->lock);
  for (unsigned i = 0; i < ring->started; i++)
    pthread_join (ring->workers[i].thread, NULL);

  clear_items (ring);
  pthread_mutex_destroy (&ring->lock);
  pthread_cond_destroy (&ring->work);
  pthread_cond_destroy (&ring->done);
  pthread_cond_destroy (&ring->space);
  free (ring->items);
  free (ring->slots);
  free (ring->workers);
  free (ring);
}

void *
eeg_jobring_item (EegJobRing *ring, unsigned index)
{
  return ring->items + index * ring->stride;
}

void *
eeg_jobring_acquire (EegJobRing *ring, int *code)
{
  void *item = NULL;
  bool waited = false;

  pthread_mutex_lock (&ring->lock);
  while (ring->code == 0 && ring->tail - ring->head == ring->settings.slots) {
    waited = true;
    pthread_cond_wait (&ring->space, &ring->lock);
  }
  if (waited)
    ring->counters.producer_waits++;
  if (ring->code == 0)
    item = item_at (ring, ring->tail);
  else if (code != NULL)
    *code = ring->code;
  pthread_mutex_unlock (&ring->lock);
  return item;
}

int
eeg_jobring_submit (EegJobRing *ring, bool is_job)
{
  uint64_t number, seed = 0x2545f4914f6cdd1dull;
  Slot *slot;
  int code;

  pthread_mutex_lock (&ring->lock);
  number = ring->tail++;
  slot = slot_at (ring, number);
  slot->is_job = is_job;
  slot->result = 0;
  if (ring->tail - ring->head > ring->counters.high_water)
    ring->counters.high_water = (unsigned) (ring->tail - ring->head);
  if (!is_job) {
    slot->state = SLOT_DONE;
    if (number == ring->head)
      pthread_cond_signal (&ring->done);
  } else {
    slot->state = SLOT_QUEUED;
    ring->counters.jobs++;
    ring->queued++;
    pthread_cond_signal (&ring->work);
    /* a thread is only started when all that exist have something to do */
    if (ring->queued > ring->idle && ring->code == 0
        && ring->started < ring->settings.threads)
      start_worker_locked (ring);
    if (ring->started == 0 && ring->code == 0
        && next_job_locked (ring, &number))
      run_locked (ring, number, ring->settings.threads, &seed);
  }
  code = ring->code;
  pthread_mutex_unlock (&ring->lock);
  return code;
}

void *
eeg_jobring_pop (EegJobRing *ring, int *result)
{
  void *item = NULL;
  bool waited = false;

  pthread_mutex_lock (&ring->lock);
  while (ring->code == 0
      && (ring->head == ring->tail
          || slot_at (ring, ring->head)->state != SLOT_DONE)) {
    if (ring->head != ring->tail && !waited) {
      waited = true;
      ring->counters.consumer_waits++;
      if (ring->running < ring->settings.threads)
        ring->counters.starved++;
    }
    pthread_cond_wait (&ring->done, &ring->lock);
  }
  if (ring->code == 0) {
    item = item_at (ring, ring->head);
    *result = slot_at (ring, ring->head)->result;
  } else {
    *result = ring->code;
  }
  pthread_mutex_unlock (&ring->lock);
  return item;
}

void
eeg_jobring_release (EegJobRing *ring)
{
  pthread_mutex_lock (&ring->lock);
  slot_at (ring, ring->head)->state = SLOT_FREE;
  ring->head++;
  /* a mark may leave before a worker looked at it */
  if (ring->next < ring->head)
    ring->next = ring->head;
  pthread_cond_broadcast (&ring->space);
  pthread_mutex_unlock (&ring->lock);
}

bool
eeg_jobring_is_empty (EegJobRing *ring)
{
  bool empty;

  pthread_mutex_lock (&ring->lock);
  empty = ring->head == ring->tail;
  pthread_mutex_unlock (&ring->lock);
  return empty;
}

int
eeg_jobring_wait_empty (EegJobRing *ring)
{
  int code;

  pthread_mutex_lock (&ring->lock);
  while (ring->code == 0 && ring->head != ring->tail)
    pthread_cond_wait (&ring->space, &ring->lock);
  code = ring->code;
  pthread_mutex_unlock (&ring->lock);
  return code;
}

void
eeg_jobring_close (EegJobRing *ring, int code)
{
  pthread_mutex_lock (&ring->lock);
  if (ring->code == 0)
    __atomic_store_n (&ring->code, code, __ATOMIC_RELAXED);
  pthread_cond_broadcast (&ring->space);
  pthread_cond_broadcast (&ring->done);
  pthread_mutex_unlock (&ring->lock);
}

int
eeg_jobring_code (const EegJobRing *ring)
{
  return __atomic_load_n (&ring->code, __ATOMIC_RELAXED);
}

void
eeg_jobring_reset (EegJobRing *ring)
{
  pthread_mutex_lock (&ring->lock);
  /* closed, so that no worker begins another one */
  if (ring->code == 0)
    __atomic_store_n (&ring->code, EEG_JOBRING_SKIPPED, __ATOMIC_RELAXED);
  while (ring->running > 0)
    pthread_cond_wait (&ring->space, &ring->lock);
  clear_items (ring);
  ring->head = ring->next = ring->tail = 0;
  ring->queued = 0;
  ring->failed = NEVER;
  __atomic_store_n (&ring->code, 0, __ATOMIC_RELAXED);
  pthread_mutex_unlock (&ring->lock);
}

void
eeg_jobring_get_counters (EegJobRing *ring, EegJobRingCounters *counters)
{
  pthread_mutex_lock (&ring->lock);
  *counters = ring->counters;
  pthread_mutex_unlock (&ring->lock);
}
