/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "adaptive.h"

#include <string.h>

#define RATIO_GAIN 1.01
#define RATIO_LOSS 0.995
#define SPEED_GAIN 1.03

/* The first chunks of a new size pay for new memory, and tell nothing. */
#define COLD_CHUNKS 4

/* In windows. */
#define FIRST_WAIT 8
#define WAIT_FACTOR 8
#define MAX_WAIT (8 * 8 * 8 * 8)

/* What it costs to hand a chunk over weighs beside shorter coding than this. */
#define SHORT_NS 1000000

#define DOWN 0
#define UP 1

static size_t
round_down (size_t size)
{
  size_t power = 1;

  while (power <= size / 2)
    power *= 2;
  return power;
}

static void
set_size (EegAdaptive *a, size_t size)
{
  a->cold = size != a->size ? COLD_CHUNKS : 0;
  __atomic_store_n (&a->size, size, __ATOMIC_RELAXED);
  a->chunks = 0;
  a->in = a->out = a->cost_ns = 0;
  a->begun = false;
}

void
eeg_adaptive_init (EegAdaptive *a, size_t start, size_t min, size_t max,
    uint64_t max_span_ns)
{
  memset (a, 0, sizeof *a);
  a->min = min;
  a->max = max < min ? min : max;
  a->max_span_ns = max_span_ns;
  start = round_down (start);
  start = start < a->min ? a->min : start > a->max ? a->max : start;
  a->next_wait[DOWN] = a->next_wait[UP] = FIRST_WAIT;
  set_size (a, start);
}

size_t
eeg_adaptive_size (const EegAdaptive *a)
{
  return __atomic_load_n (&a->size, __ATOMIC_RELAXED);
}

static double
bytes_per_second (const EegAdaptiveSpeed *speed)
{
  return speed->passing_counts ? speed->passing : speed->coding;
}

static bool
changed (EegAdaptive *a, size_t size, EegAdaptiveReason reason,
    EegAdaptiveChange *change)
{
  change->previous = a->size;
  change->size = size;
  change->reason = reason;
  change->ratio = a->ratio;
  change->bytes_per_second = bytes_per_second (&a->speed);
  set_size (a, size);
  return true;
}

static void
put_off (EegAdaptive *a, int direction)
{
  a->wait[direction] = a->next_wait[direction];
  if (a->next_wait[direction] < MAX_WAIT)
    a->next_wait[direction] *= WAIT_FACTOR;
}

static void
end_window (EegAdaptive *a, const EegAdaptiveChunk *chunk)
{
  uint64_t passed = chunk->time_ns - a->start_ns;

  a->ratio = (double) a->in / (double) a->out;
  a->speed.coding =
      (double) a->in * 1e9 / (double) (a->cost_ns > 0 ? a->cost_ns : 1);
  a->speed.passing = (double) a->in * 1e9 / (double) (passed > 0 ? passed : 1);
  /* a stream that waits for its source, or for what comes behind, passes as
   * fast with any size */
  a->speed.passing_counts = passed > 0 && a->cost_ns > passed / 2
      && a->cost_ns / a->chunks < SHORT_NS;
}

static bool
end_trial (EegAdaptive *a, EegAdaptiveChange *change)
{
  int direction = a->trial > 0 ? UP : DOWN;
  double ratio = a->ratio / a->base_ratio;
  double speed = a->base_speed.passing_counts
      ? a->speed.passing / a->base_speed.passing
      : a->speed.coding / a->base_speed.coding;
  bool same = ratio > RATIO_LOSS && speed > SPEED_GAIN;

  if (!same && !(direction == UP && ratio > RATIO_GAIN)) {
    a->trial = 0;
    put_off (a, direction);
    return changed (a, a->base, EEG_ADAPTIVE_NO_GAIN, change);
  }
  if (!a->confirmed) {
    a->confirmed = true;
    set_size (a, a->size);
    return false;
  }
  a->trial = 0;
  change->previous = a->base;
  change->size = a->size;
  change->reason = direction == DOWN ? EEG_ADAPTIVE_SPEED
      : ratio > RATIO_GAIN           ? EEG_ADAPTIVE_RATIO
                                     : EEG_ADAPTIVE_FIXED_COST;
  change->ratio = a->ratio;
  change->bytes_per_second = bytes_per_second (&a->speed);
  /* what was left behind was just measured, the way on was not */
  put_off (a, direction == UP ? DOWN : UP);
  a->wait[direction] = 0;
  set_size (a, a->size);
  return true;
}

static bool
begin_trial (EegAdaptive *a, int direction, EegAdaptiveChange *change)
{
  a->base = a->size;
  a->base_ratio = a->ratio;
  a->base_speed = a->speed;
  a->trial = direction == UP ? 1 : -1;
  a->confirmed = false;
  return changed (a, direction == UP ? a->size * 2 : a->size / 2,
      EEG_ADAPTIVE_TRIAL, change);
}

bool
eeg_adaptive_add (EegAdaptive *a, const EegAdaptiveChunk *chunk,
    EegAdaptiveChange *change)
{
  bool starved;
  int direction;

  if (a->max_span_ns > 0 && chunk->span_ns > a->max_span_ns
      && chunk->in > a->size / 2 && a->size > a->min) {
    size_t size = a->size / 2;

    a->trial = 0;
    a->max = size;
    return changed (a, size, EEG_ADAPTIVE_LATENCY, change);
  }
  /* cut before the last change, or cut short */
  if (chunk->in != a->size || chunk->out == 0)
    return false;

  if (a->cold > 0) {
    a->cold--;
    return false;
  }
  if (!a->begun) {
    a->starved = chunk->starved;
    a->start_ns = chunk->time_ns;
    a->begun = true;
    return false;
  }
  a->in += chunk->in;
  a->out += chunk->out;
  a->cost_ns += chunk->cost_ns;
  if (++a->chunks < EEG_ADAPTIVE_WINDOW
      || (chunk->time_ns > 0
          && chunk->time_ns - a->start_ns < EEG_ADAPTIVE_WINDOW_NS))
    return false;

  end_window (a, chunk);
  starved = chunk->starved - a->starved > a->chunks / 2;
  if (a->trial != 0)
    return end_trial (a, change);
  if (starved && a->size > a->min && a->wait[DOWN] == 0) {
    put_off (a, DOWN);
    put_off (a, UP);
    return changed (a, a->size / 2, EEG_ADAPTIVE_STARVED, change);
  }
  for (direction = DOWN; direction <= UP; direction++)
    a->wait[direction] -= a->wait[direction] > 0 ? 1 : 0;
  if (a->wait[UP] == 0 && a->size < a->max)
    return begin_trial (a, UP, change);
  if (a->wait[DOWN] == 0 && a->size > a->min)
    return begin_trial (a, DOWN, change);
  set_size (a, a->size);
  return false;
}

const char *
eeg_adaptive_reason_text (EegAdaptiveReason reason)
{
  switch (reason) {
    case EEG_ADAPTIVE_TRIAL:
      return "trial";
    case EEG_ADAPTIVE_RATIO:
      return "ratio";
    case EEG_ADAPTIVE_FIXED_COST:
      return "fixed-cost";
    case EEG_ADAPTIVE_SPEED:
      return "speed";
    case EEG_ADAPTIVE_STARVED:
      return "starved";
    case EEG_ADAPTIVE_NO_GAIN:
      return "no-gain";
    case EEG_ADAPTIVE_LATENCY:
      return "latency";
    case EEG_ADAPTIVE_MEMORY:
      return "memory";
  }
  return "";
}
