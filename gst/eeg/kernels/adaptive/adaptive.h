/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Chooses the size of chunks while they are coded. Sizes are powers of two. A
 * size is judged by a window of chunks, of at least EEG_ADAPTIVE_WINDOW chunks
 * and EEG_ADAPTIVE_WINDOW_NS: by its speed, and by the ratio of input to
 * output. Now and then the next size up or down is tried for one window, and
 * for another one if that was better, and kept if both were:
 *
 *   up     the ratio gains more than 1 %, or it loses less than 0.5 % and the
 *          speed gains more than 3 % (fixed costs weigh)
 *   down   the ratio loses less than 0.5 % and the speed gains more than 3 %,
 *          or workers starve: a chunk is too coarse to keep them all busy
 *
 * A size that was tried in vain is not tried again for eight windows, then for
 * eight times as many each time. Hard limits (memory, latency) act at once.
 *
 * The speed is that of coding. Short chunks that come as fast as they can have
 * costs beside it, to hand them over and to gather them: there the time counts
 * in which they left.
 *
 * One thread at a time; eeg_adaptive_size() may be read by another, since it is
 * one atomic word.
 */
#ifndef EEG_ADAPTIVE_H
#define EEG_ADAPTIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Chunks and time of a window. */
#define EEG_ADAPTIVE_WINDOW 8
#define EEG_ADAPTIVE_WINDOW_NS 20000000

typedef enum
{
  EEG_ADAPTIVE_TRIAL,      /* is the next size better? */
  EEG_ADAPTIVE_RATIO,      /* kept: it compresses better */
  EEG_ADAPTIVE_FIXED_COST, /* kept: it is faster, fixed costs weigh less */
  EEG_ADAPTIVE_SPEED,      /* kept: smaller, faster, and compresses as well */
  EEG_ADAPTIVE_STARVED,    /* smaller: workers had nothing to do */
  EEG_ADAPTIVE_NO_GAIN,    /* back: the trial brought nothing */
  EEG_ADAPTIVE_LATENCY,    /* smaller: a chunk spanned too much time */
  EEG_ADAPTIVE_MEMORY      /* smaller: the memory limit */
} EegAdaptiveReason;

typedef struct
{
  size_t in, out;   /* bytes */
  uint64_t cost_ns; /* time of coding */
  uint64_t span_ns; /* stream time of the input, 0 if unknown */
  uint64_t time_ns; /* when it left, by any clock; 0 if unknown */
  uint64_t starved; /* so far: waits while a worker had nothing to do */
} EegAdaptiveChunk;

typedef struct
{
  size_t size, previous;
  EegAdaptiveReason reason;
  double ratio;            /* of the last window, 0 if none was whole */
  double bytes_per_second; /* likewise */
} EegAdaptiveChange;

/* Private to the functions. */
typedef struct
{
  double coding, passing; /* bytes per second */
  bool passing_counts;    /* fixed costs beside the coding may weigh */
} EegAdaptiveSpeed;

/* Private to the functions. */
typedef struct
{
  size_t min, max;
  uint64_t max_span_ns;
  size_t size; /* atomic */

  /* the window */
  unsigned chunks, cold;
  uint64_t in, out, cost_ns, starved;
  uint64_t start_ns; /* when the chunk before the window left */
  bool begun;
  EegAdaptiveSpeed speed;
  double ratio;

  /* the size that is kept, when a trial runs */
  size_t base;
  int trial; /* -1, 0, 1 */
  bool confirmed;
  double base_ratio;
  EegAdaptiveSpeed base_speed;
  /* windows to wait before the next trial down and up, and how many then */
  unsigned wait[2], next_wait[2];
} EegAdaptive;

/* Sizes lie between @min and @max, both powers of two; @start is rounded. A
 * chunk shall not span more than @max_span_ns of stream time; 0: no limit. */
void eeg_adaptive_init (EegAdaptive *adaptive, size_t start, size_t min,
    size_t max, uint64_t max_span_ns);

/* The size of the next chunk. Any thread. */
size_t eeg_adaptive_size (const EegAdaptive *adaptive);

/* A chunk was coded, in order. True when the size changed, as @change tells. */
bool eeg_adaptive_add (EegAdaptive *adaptive, const EegAdaptiveChunk *chunk,
    EegAdaptiveChange *change);

/* A word for each reason. */
const char *eeg_adaptive_reason_text (EegAdaptiveReason reason);

#endif
