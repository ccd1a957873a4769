/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Job ring: a bounded ring of items, a pool of threads that work on them in any
 * order, and one consumer that gets them back in the order they came.
 *
 * One producer calls acquire and submit, one consumer calls pop and release;
 * they may be the same thread. Any thread may close. Everything else is said at
 * each function. An item is either a job, which a worker runs, or a mark, which
 * only keeps its place among the jobs.
 *
 * All locks are pthread locks, so that ThreadSanitizer sees them.
 */
#ifndef EEG_JOBRING_H
#define EEG_JOBRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct EegJobRing EegJobRing;

/* Result of a job that was not run, because one before it had failed. */
#define EEG_JOBRING_SKIPPED (-0x7fff)

typedef struct
{
  size_t item_size; /* bytes of an item, aligned to 64 */
  unsigned slots;   /* items, at least 1 */
  unsigned threads; /* at most as many workers are started, 1 or more */
  /* Runs a job; `worker` is below `threads`, and each number is one thread at a
   * time; `threads` itself is the producer, which runs a job when the system
   * has no thread left. Not 0: the job failed. */
  int (*run) (void *item, unsigned worker, void *user_data);
  /* Drops what an item holds because nobody will pop it. May be NULL. */
  void (*clear) (void *item, void *user_data);
  void *user_data;
  /* For tests: the longest of the random pauses before and after each job, in
   * microseconds; 0 for none. */
  unsigned max_delay_us;
} EegJobRingSettings;

typedef struct
{
  unsigned threads_started; /* since the ring was made */
  unsigned high_water;      /* most items that were in the ring at once */
  uint64_t jobs;
  uint64_t producer_waits; /* acquires that found the ring full */
  uint64_t consumer_waits; /* pops that found the head unfinished */
  uint64_t starved;        /* the same, while a worker had nothing to do */
} EegJobRingCounters;

/* Items are all zero. Starts no thread. NULL when out of memory. */
EegJobRing *eeg_jobring_new (const EegJobRingSettings *settings);

/* Closes, waits for the workers, clears what is queued, frees. No other call
 * may be under way. Use eeg_jobring_item() before, for what items own for good.
 */
void eeg_jobring_free (EegJobRing *ring);

/* Item `index` below `slots`, whatever its state. Only while no thread works.
 */
void *eeg_jobring_item (EegJobRing *ring, unsigned index);

/* Producer: the next free item; waits while the ring is full. Again before
 * submit: the same item. NULL when closed, with the code. */
void *eeg_jobring_acquire (EegJobRing *ring, int *code);

/* Producer: puts the acquired item into the ring, as a job or as a mark.
 * Returns the code of a closed ring, else 0; the item is taken either way. */
int eeg_jobring_submit (EegJobRing *ring, bool is_job);

/* Consumer: waits until the oldest item is done. It stays in the ring until it
 * is released. NULL when closed, with the code in `result`; else that of run,
 * 0 for marks. */
void *eeg_jobring_pop (EegJobRing *ring, int *result);

/* Consumer: the popped item is done with, and can be acquired again. */
void eeg_jobring_release (EegJobRing *ring);

/* Is the ring empty? If the producer asks, it stays so until it submits, and
 * then the consumer is past the release of the last item. */
bool eeg_jobring_is_empty (EegJobRing *ring);

/* Producer: waits until the ring is empty. 0, or the code of a closed ring. */
int eeg_jobring_wait_empty (EegJobRing *ring);

/* Any thread: wakes everybody, and lets acquire and pop fail with `code`, not
 * 0. Jobs that no worker has begun are not begun. The first code stays. */
void eeg_jobring_close (EegJobRing *ring, int code);

/* The code of a closed ring, else 0. Any thread; cheap enough to ask in a long
 * job whether to give up. */
int eeg_jobring_code (const EegJobRing *ring);

/* Waits for the jobs under way, clears all items, opens the ring. Neither
 * producer nor consumer may be inside. */
void eeg_jobring_reset (EegJobRing *ring);

void eeg_jobring_get_counters (EegJobRing *ring, EegJobRingCounters *counters);

#endif /* EEG_JOBRING_H */
