/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "resample-private.h"

#include <stdlib.h>
#include <string.h>

/* Fewest frames between two moves of the history. */
#define MIN_BLOCK 256

/* What a channel that is no signal remembers. */
typedef struct
{
  double given;  /* by the last output sample */
  double newest; /* value that was queued last */
  uint32_t n;    /* values that wait */
  bool started;  /* given and newest mean something */
  double queue[EEG_RESAMPLE_QUEUE];
} memory_t;

struct eeg_resample
{
  unsigned channels;
  eeg_resample_format format;
  eeg_resample_edge edge;
  uint64_t up, down, half;
  eeg_cpu cpu;
  const eeg_resample_table *table;
  size_t size;

  size_t n_taps; /* of each phase: frames that an output is made of */
  double *bank;  /* up rows of n_taps, in rising time */

  size_t stride;  /* doubles of a frame */
  double *frames; /* capacity frames; those before `filled` are there */
  size_t capacity, filled;
  uint64_t base; /* index of the first of them, n_taps - 1 being the first
                    frame of the run */
  double *sum;   /* stride */

  unsigned n_others; /* channels that are no signals */
  unsigned *others;
  eeg_resample_kind *kinds; /* of the others */
  memory_t *memories;

  /* the run */
  uint64_t in, out; /* frames */
  uint64_t first;
  uint64_t seen; /* frames that the others have looked at */
  uint64_t dropped;
};

static size_t
round_up (size_t channels)
{
  return (channels + EEG_RESAMPLE_LANES - 1) / EEG_RESAMPLE_LANES
      * EEG_RESAMPLE_LANES;
}

static void
choose_table (eeg_resample *r, eeg_cpu wanted)
{
  r->cpu = EEG_CPU_BASE;
  r->table = &eeg_resample_base;
#ifdef HAVE_AVX2
  if (wanted >= EEG_CPU_AVX2 && eeg_cpu_supports (EEG_CPU_AVX2)) {
    r->cpu = EEG_CPU_AVX2;
    r->table = &eeg_resample_avx2;
  }
#endif
#ifdef HAVE_AVX512
  if (wanted >= EEG_CPU_AVX512 && eeg_cpu_supports (EEG_CPU_AVX512)) {
    r->cpu = EEG_CPU_AVX512;
    r->table = &eeg_resample_avx512;
  }
#endif
}

eeg_resample *
eeg_resample_new (const eeg_resample_config *config)
{
  const size_t length = 2 * config->half + 1;
  eeg_resample *r;

  if (config->channels < 1 || config->channels > EEG_RESAMPLE_MAX_CHANNELS
      || config->up < 1 || config->down < 1 || config->half < config->up
      || config->half < config->down || config->half > SIZE_MAX / 64)
    return NULL;
  r = calloc (1, sizeof *r);
  if (r == NULL)
    return NULL;
  r->channels = config->channels;
  r->format = config->format;
  r->edge = config->edge;
  r->up = config->up;
  r->down = config->down;
  r->half = config->half;
  choose_table (r, config->cpu);
  r->n_taps = (length + config->up - 1) / config->up;
  r->stride = round_up (r->channels);
  r->capacity = r->n_taps - 1 + (r->n_taps > MIN_BLOCK ? r->n_taps : MIN_BLOCK);
  for (unsigned c = 0; config->kinds != NULL && c < r->channels; c++)
    r->n_others += config->kinds[c] != EEG_RESAMPLE_SIGNAL;

  r->bank = calloc (r->up * r->n_taps, sizeof *r->bank);
  r->frames = aligned_alloc (64, r->capacity * r->stride * sizeof (double));
  r->sum = aligned_alloc (64, r->stride * sizeof (double));
  r->others = calloc (r->n_others + 1, sizeof *r->others);
  r->kinds = calloc (r->n_others + 1, sizeof *r->kinds);
  r->memories = calloc (r->n_others + 1, sizeof *r->memories);
  if (r->bank == NULL || r->frames == NULL || r->sum == NULL
      || r->others == NULL || r->kinds == NULL || r->memories == NULL) {
    eeg_resample_free (r);
    return NULL;
  }
  r->size = sizeof *r
      + (r->up * r->n_taps + (r->capacity + 1) * r->stride) * sizeof (double)
      + (r->n_others + 1)
          * (sizeof *r->others + sizeof *r->kinds + sizeof *r->memories);

  /* h[p + k * up] meets the k-th frame before the newest */
  for (size_t p = 0; p < r->up; p++) {
    for (size_t k = 0; p + k * r->up < length; k++)
      r->bank[p * r->n_taps + r->n_taps - 1 - k] = config->taps[p + k * r->up];
  }
  r->n_others = 0;
  for (unsigned c = 0; config->kinds != NULL && c < r->channels; c++) {
    if (config->kinds[c] == EEG_RESAMPLE_SIGNAL)
      continue;
    r->others[r->n_others] = c;
    r->kinds[r->n_others++] = config->kinds[c];
  }
  eeg_resample_start (r, 0);
  return r;
}

void
eeg_resample_free (eeg_resample *r)
{
  if (r == NULL)
    return;
  free (r->bank);
  free (r->frames);
  free (r->sum);
  free (r->others);
  free (r->kinds);
  free (r->memories);
  free (r);
}

eeg_cpu
eeg_resample_get_cpu (const eeg_resample *r)
{
  return r->cpu;
}

size_t
eeg_resample_get_size (const eeg_resample *r)
{
  return r->size;
}

size_t
eeg_resample_get_delay (const eeg_resample *r)
{
  return (r->half + r->up - 1) / r->up;
}

size_t
eeg_resample_get_look_back (const eeg_resample *r)
{
  return r->n_taps;
}

uint64_t
eeg_resample_get_in (const eeg_resample *r)
{
  return r->in;
}

uint64_t
eeg_resample_get_dropped (const eeg_resample *r)
{
  return r->dropped;
}

void
eeg_resample_start (eeg_resample *r, uint32_t first)
{
  /* padding stays zero, and so does what comes before a first sample of 0 */
  memset (r->frames, 0, r->capacity * r->stride * sizeof (double));
  memset (r->memories, 0, (r->n_others + 1) * sizeof *r->memories);
  r->filled = r->n_taps - 1;
  r->base = 0;
  r->in = r->out = r->seen = 0;
  r->first = first;
}

/* Outputs whose newest frame is among the first `in`. */
static uint64_t
count_ready (const eeg_resample *r, uint64_t in)
{
  uint64_t end = in * r->up, least = r->half + r->first;

  return end > least ? (end - 1 - least) / r->down + 1 : 0;
}

/* Outputs that lie before the end of the first `in` frames. */
static uint64_t
count_due (const eeg_resample *r, uint64_t in)
{
  uint64_t end = in * r->up;

  return end > r->first ? (end - 1 - r->first) / r->down + 1 : 0;
}

size_t
eeg_resample_get_ready (const eeg_resample *r, size_t frames)
{
  return (size_t) (count_ready (r, r->in + frames) - r->out);
}

/* Forgets the frames that no output to come is made of. */
static void
make_room (eeg_resample *r)
{
  uint64_t newest = (r->first + r->out * r->down + r->half) / r->up;
  /* of the next output, counted from the frame `base` */
  uint64_t oldest = newest - r->base;

  if (oldest > r->filled)
    oldest = r->filled;
  memmove (r->frames, r->frames + oldest * r->stride,
      (r->filled - oldest) * r->stride * sizeof (double));
  r->filled -= oldest;
  r->base += oldest;
}

static const double *
frame_at (const eeg_resample *r, uint64_t index)
{
  return r->frames + (index + r->n_taps - 1 - r->base) * r->stride;
}

static bool
is_same (double a, double b)
{
  return memcmp (&a, &b, sizeof a) == 0;
}

static void
queue_value (eeg_resample *r, memory_t *m, double value)
{
  if (m->started && is_same (value, m->newest))
    return;
  m->started = true;
  m->newest = value;
  if (m->n == EEG_RESAMPLE_QUEUE) {
    memmove (m->queue, m->queue + 1, (m->n - 1) * sizeof *m->queue);
    m->n--;
    r->dropped++;
  }
  m->queue[m->n++] = value;
}

/* Puts into `sum` what the channels that are no signals give, which look at the
 * frames up to `end`. */
static void
give_others (eeg_resample *r, uint64_t end)
{
  for (unsigned i = 0; i < r->n_others; i++) {
    memory_t *m = &r->memories[i];
    const unsigned c = r->others[i];

    if (r->kinds[i] == EEG_RESAMPLE_TRIGGER) {
      for (uint64_t f = r->seen; f < end; f++)
        queue_value (r, m, frame_at (r, f)[c]);
      if (m->n > 0) {
        m->given = m->queue[0];
        memmove (m->queue, m->queue + 1, --m->n * sizeof *m->queue);
      }
    } else {
      for (uint64_t f = r->seen; f < end; f++) {
        double value = frame_at (r, f)[c];

        if (!m->started || !is_same (value, m->given)) {
          m->given = value;
          m->started = true;
          break;
        }
      }
    }
    r->sum[c] = m->given;
  }
  r->seen = end;
}

static void *
make_output (eeg_resample *r, void *out, bool is_last)
{
  const uint64_t at = r->first + r->out * r->down;
  const uint64_t newest = (at + r->half) / r->up;

  r->table->dot (r->frames + (newest - r->base) * r->stride, r->stride,
      r->bank + (at + r->half) % r->up * r->n_taps, r->n_taps, r->sum);
  if (r->n_others > 0)
    give_others (r, is_last ? r->in : at / r->up + 1);
  r->out++;
  if (r->format == EEG_RESAMPLE_F32) {
    float *y = out;

    for (unsigned c = 0; c < r->channels; c++)
      y[c] = (float) r->sum[c];
    return y + r->channels;
  }
  memcpy (out, r->sum, r->channels * sizeof (double));
  return (double *) out + r->channels;
}

/* The frames before the first one. */
static void
fill_start (eeg_resample *r)
{
  const double *start = r->frames + (r->n_taps - 1) * r->stride;

  if (r->edge == EEG_RESAMPLE_ZERO)
    return;
  for (size_t f = 0; f < r->n_taps - 1; f++)
    memcpy (r->frames + f * r->stride, start, r->channels * sizeof *start);
}

size_t
eeg_resample_process (eeg_resample *r, const void *in, size_t frames, void *out)
{
  const uint64_t before = r->out;

  while (frames > 0) {
    size_t n = r->capacity - r->filled;
    uint64_t ready;

    if (n == 0) {
      make_room (r);
      n = r->capacity - r->filled;
    }
    if (n > frames)
      n = frames;
    if (r->format == EEG_RESAMPLE_F32) {
      r->table->load_f32 (in, r->frames + r->filled * r->stride, n, r->channels,
          r->stride);
      in = (const float *) in + n * r->channels;
    } else {
      r->table->load_f64 (in, r->frames + r->filled * r->stride, n, r->channels,
          r->stride);
      in = (const double *) in + n * r->channels;
    }
    r->filled += n;
    if (r->in == 0)
      fill_start (r);
    r->in += n;
    frames -= n;
    ready = count_ready (r, r->in);
    while (r->out < ready)
      out = make_output (r, out, false);
  }
  return (size_t) (r->out - before);
}

size_t
eeg_resample_drain (eeg_resample *r, void *out, size_t frames)
{
  const uint64_t due = count_due (r, r->in);
  size_t n = 0;

  for (; n < frames && r->out < due; n++) {
    uint64_t newest = (r->first + r->out * r->down + r->half) / r->up;

    /* what comes after the last frame */
    while (r->base + r->filled <= newest + r->n_taps - 1) {
      double *end;

      if (r->filled == r->capacity)
        make_room (r);
      end = r->frames + r->filled * r->stride;
      if (r->edge == EEG_RESAMPLE_HOLD)
        memcpy (end, end - r->stride, r->stride * sizeof *end);
      else
        memset (end, 0, r->stride * sizeof *end);
      r->filled++;
    }
    out = make_output (r, out, r->out + 1 == due);
  }
  return n;
}

/* ---- state ---- */

/* Of each channel that is no signal: whether it has begun, how many values
 * wait, the two values and the queue; eight bytes each, little-endian. */
#define STATE_WORDS (4 + EEG_RESAMPLE_QUEUE)

static unsigned char *
store_word (unsigned char *bytes, uint64_t word)
{
  for (int i = 0; i < 8; i++)
    *bytes++ = (unsigned char) (word >> (8 * i));
  return bytes;
}

static uint64_t
load_word (const unsigned char *bytes)
{
  uint64_t word = 0;

  for (int i = 0; i < 8; i++)
    word |= (uint64_t) bytes[i] << (8 * i);
  return word;
}

static unsigned char *
store_double (unsigned char *bytes, double value)
{
  uint64_t word;

  memcpy (&word, &value, sizeof word);
  return store_word (bytes, word);
}

static double
load_double (const unsigned char *bytes)
{
  uint64_t word = load_word (bytes);
  double value;

  memcpy (&value, &word, sizeof value);
  return value;
}

size_t
eeg_resample_state_size (const eeg_resample *r)
{
  return (size_t) r->n_others * STATE_WORDS * 8;
}

void
eeg_resample_save_state (const eeg_resample *r, unsigned char *bytes)
{
  for (unsigned i = 0; i < r->n_others; i++) {
    const memory_t *m = &r->memories[i];

    bytes = store_word (bytes, m->started);
    bytes = store_word (bytes, m->n);
    bytes = store_double (bytes, m->given);
    bytes = store_double (bytes, m->newest);
    for (int k = 0; k < EEG_RESAMPLE_QUEUE; k++)
      bytes = store_double (bytes, m->queue[k]);
  }
}

bool
eeg_resample_load_state (eeg_resample *r, const unsigned char *bytes,
    size_t size)
{
  if (size != eeg_resample_state_size (r))
    return false;
  for (unsigned i = 0; i < r->n_others; i++) {
    const unsigned char *p = bytes + (size_t) i * STATE_WORDS * 8;

    if (load_word (p) > 1 || load_word (p + 8) > EEG_RESAMPLE_QUEUE)
      return false;
  }
  for (unsigned i = 0; i < r->n_others; i++) {
    memory_t *m = &r->memories[i];

    m->started = load_word (bytes);
    m->n = (uint32_t) load_word (bytes + 8);
    m->given = load_double (bytes + 16);
    m->newest = load_double (bytes + 24);
    bytes += 32;
    for (int k = 0; k < EEG_RESAMPLE_QUEUE; k++, bytes += 8)
      m->queue[k] = load_double (bytes);
  }
  return true;
}
