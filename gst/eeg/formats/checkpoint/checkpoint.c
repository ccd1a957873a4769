/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checkpoint.h"

#include "digest.h"

#include <stdlib.h>
#include <string.h>

#define FORMAT 1
#define HASH_SIZE EEG_CHECKPOINT_HASH_SIZE
/* magic, formats, size */
#define PREFIX_SIZE 16
#define SIZE_OFFSET 12

static const uint8_t magic[8] = EEG_CHECKPOINT_MAGIC;

const char *
eeg_checkpoint_result_to_string (EegCheckpointResult result)
{
  switch (result) {
    case EEG_CHECKPOINT_OK:
      return "whole";
    case EEG_CHECKPOINT_MISSING:
      return "not there";
    case EEG_CHECKPOINT_IO:
      return "not readable or writable";
    case EEG_CHECKPOINT_NO_MEMORY:
      return "more than fits in memory";
    case EEG_CHECKPOINT_DAMAGED:
      return "damaged";
    case EEG_CHECKPOINT_NEWER:
      return "of a newer format";
    case EEG_CHECKPOINT_TOO_LARGE:
      return "too large";
  }
  return "unknown";
}

void
eeg_checkpoint_free (EegCheckpoint *checkpoint)
{
  if (checkpoint == NULL)
    return;
  for (size_t i = 0; i < checkpoint->n_stages; i++) {
    free (checkpoint->stages[i].name);
    free (checkpoint->stages[i].factory);
    free (checkpoint->stages[i].settings);
    free (checkpoint->stages[i].state);
  }
  free (checkpoint->stages);
  free (checkpoint->cpu_path);
  free (checkpoint->input.path);
  free (checkpoint->output.path);
  free (checkpoint);
}

static bool
compute_hash (const uint8_t *data, size_t size, uint8_t *hash)
{
  const EegDigestKernel *kernel = eeg_digest_find ("blake3", NULL);
  void *state = malloc (kernel->state_size);

  if (state == NULL)
    return false;
  kernel->init (state);
  kernel->update (state, data, size);
  kernel->final (state, hash);
  free (state);
  return true;
}

/* Writes with a bound; once it was hit, nothing more is written. */
typedef struct
{
  uint8_t *data;
  size_t size;
  bool full;
} Writer;

static void
put_bytes (Writer *w, const void *bytes, size_t size)
{
  if (w->full || size > EEG_CHECKPOINT_MAX_SIZE - w->size) {
    w->full = true;
    return;
  }
  if (size > 0)
    memcpy (w->data + w->size, bytes, size);
  w->size += size;
}

static void
put_uint (Writer *w, uint64_t value, size_t size)
{
  uint8_t bytes[8];

  for (size_t i = 0; i < size; i++)
    bytes[i] = (uint8_t) (value >> (8 * i));
  put_bytes (w, bytes, size);
}

static void
put_text (Writer *w, const char *text)
{
  size_t size = strlen (text);

  if (size > EEG_CHECKPOINT_MAX_TEXT) {
    w->full = true;
    return;
  }
  put_uint (w, size, 2);
  put_bytes (w, text, size);
}

EegCheckpointResult
eeg_checkpoint_format (const EegCheckpoint *c, uint8_t **data, size_t *size)
{
  Writer w = { .data = malloc (EEG_CHECKPOINT_MAX_SIZE) };
  uint8_t hash[HASH_SIZE];
  size_t total;

  *data = NULL;
  *size = 0;
  if (w.data == NULL)
    return EEG_CHECKPOINT_NO_MEMORY;
  put_bytes (&w, magic, sizeof magic);
  put_uint (&w, FORMAT, 2);
  put_uint (&w, FORMAT, 2);
  put_uint (&w, 0, 4);
  put_uint (&w, c->id, 8);
  put_uint (&w, (uint64_t) c->time, 8);
  put_uint (&w, c->sample_index, 8);
  put_uint (&w, c->look_back, 8);
  put_bytes (&w, c->recording, sizeof c->recording);
  put_uint (&w, c->part, 4);
  put_uint (&w, c->complete ? 1 : 0, 1);
  put_bytes (&w, c->settings, sizeof c->settings);
  put_text (&w, c->cpu_path);
  put_text (&w, c->input.path);
  put_uint (&w, c->input.position, 8);
  put_uint (&w, c->input.size, 8);
  put_uint (&w, (uint64_t) c->input.mtime, 8);
  put_uint (&w, c->input.device, 8);
  put_uint (&w, c->input.inode, 8);
  put_bytes (&w, c->input.head, HASH_SIZE);
  put_bytes (&w, c->input.tail, HASH_SIZE);
  put_text (&w, c->output.path);
  put_uint (&w, c->output.length, 8);
  put_uint (&w, c->output.device, 8);
  put_uint (&w, c->output.inode, 8);
  put_bytes (&w, c->output.tail, HASH_SIZE);
  if (c->n_stages > EEG_CHECKPOINT_MAX_STAGES)
    w.full = true;
  put_uint (&w, c->n_stages, 2);
  for (size_t i = 0; i < c->n_stages && !w.full; i++) {
    put_text (&w, c->stages[i].name);
    put_text (&w, c->stages[i].factory);
    put_text (&w, c->stages[i].settings);
    if (c->stages[i].state_size > EEG_CHECKPOINT_MAX_SIZE)
      w.full = true;
    put_uint (&w, c->stages[i].state_size, 4);
    put_bytes (&w, c->stages[i].state, c->stages[i].state_size);
  }
  put_uint (&w, c->retries, 4);
  total = w.size + HASH_SIZE;
  if (w.full || total > EEG_CHECKPOINT_MAX_SIZE) {
    free (w.data);
    return EEG_CHECKPOINT_TOO_LARGE;
  }
  for (size_t i = 0; i < 4; i++)
    w.data[SIZE_OFFSET + i] = (uint8_t) (total >> (8 * i));
  if (!compute_hash (w.data, w.size, hash)) {
    free (w.data);
    return EEG_CHECKPOINT_NO_MEMORY;
  }
  put_bytes (&w, hash, HASH_SIZE);
  *data = w.data;
  *size = w.size;
  return EEG_CHECKPOINT_OK;
}

/* Reads with a bound; the first failure stays. */
typedef struct
{
  const uint8_t *data;
  size_t size;
  size_t offset;
  EegCheckpointResult result;
} Reader;

static const uint8_t *
take (Reader *r, size_t size)
{
  const uint8_t *bytes;

  if (r->result != EEG_CHECKPOINT_OK)
    return NULL;
  if (size > r->size - r->offset) {
    r->result = EEG_CHECKPOINT_DAMAGED;
    return NULL;
  }
  bytes = r->data + r->offset;
  r->offset += size;
  return bytes;
}

static uint64_t
get_uint (Reader *r, size_t size)
{
  const uint8_t *bytes = take (r, size);
  uint64_t value = 0;

  for (size_t i = 0; bytes != NULL && i < size; i++)
    value |= (uint64_t) bytes[i] << (8 * i);
  return value;
}

static void
get_bytes (Reader *r, uint8_t *to, size_t size)
{
  const uint8_t *bytes = take (r, size);

  if (bytes != NULL)
    memcpy (to, bytes, size);
}

static char *
get_text (Reader *r)
{
  size_t size = (size_t) get_uint (r, 2);
  const uint8_t *bytes;
  char *text;

  if (size > EEG_CHECKPOINT_MAX_TEXT)
    r->result = EEG_CHECKPOINT_DAMAGED;
  bytes = take (r, size);
  if (bytes == NULL)
    return NULL;
  if (memchr (bytes, 0, size) != NULL) {
    r->result = EEG_CHECKPOINT_DAMAGED;
    return NULL;
  }
  text = malloc (size + 1);
  if (text == NULL) {
    r->result = EEG_CHECKPOINT_NO_MEMORY;
    return NULL;
  }
  memcpy (text, bytes, size);
  text[size] = '\0';
  return text;
}

static void
get_stage (Reader *r, EegCheckpointStage *stage)
{
  const uint8_t *bytes;

  stage->name = get_text (r);
  stage->factory = get_text (r);
  stage->settings = get_text (r);
  stage->state_size = (size_t) get_uint (r, 4);
  bytes = take (r, stage->state_size);
  if (bytes == NULL) {
    stage->state_size = 0;
    return;
  }
  stage->state = malloc (stage->state_size + 1);
  if (stage->state == NULL) {
    stage->state_size = 0;
    r->result = EEG_CHECKPOINT_NO_MEMORY;
    return;
  }
  memcpy (stage->state, bytes, stage->state_size);
}

EegCheckpointResult
eeg_checkpoint_parse (const uint8_t *data, size_t size,
    EegCheckpoint **checkpoint)
{
  Reader r = { .data = data, .size = size };
  uint8_t hash[HASH_SIZE];
  EegCheckpoint *c;
  uint64_t complete;
  size_t n_stages;

  *checkpoint = NULL;
  if (size > EEG_CHECKPOINT_MAX_SIZE)
    return EEG_CHECKPOINT_TOO_LARGE;
  if (size < PREFIX_SIZE + HASH_SIZE || memcmp (data, magic, sizeof magic) != 0)
    return EEG_CHECKPOINT_DAMAGED;
  r.size -= HASH_SIZE;
  if (!compute_hash (data, r.size, hash))
    return EEG_CHECKPOINT_NO_MEMORY;
  if (memcmp (hash, data + r.size, HASH_SIZE) != 0)
    return EEG_CHECKPOINT_DAMAGED;

  /* Only behind the checksum: a flipped bit is damage, not a new format. */
  take (&r, sizeof magic + 2);
  if (get_uint (&r, 2) > FORMAT)
    return EEG_CHECKPOINT_NEWER;
  if (get_uint (&r, 4) != size)
    return EEG_CHECKPOINT_DAMAGED;

  c = calloc (1, sizeof *c);
  if (c == NULL)
    return EEG_CHECKPOINT_NO_MEMORY;
  c->id = get_uint (&r, 8);
  c->time = (int64_t) get_uint (&r, 8);
  c->sample_index = get_uint (&r, 8);
  c->look_back = get_uint (&r, 8);
  get_bytes (&r, c->recording, sizeof c->recording);
  c->part = (uint32_t) get_uint (&r, 4);
  complete = get_uint (&r, 1);
  if (complete > 1)
    r.result = EEG_CHECKPOINT_DAMAGED;
  c->complete = complete == 1;
  get_bytes (&r, c->settings, sizeof c->settings);
  c->cpu_path = get_text (&r);
  c->input.path = get_text (&r);
  c->input.position = get_uint (&r, 8);
  c->input.size = get_uint (&r, 8);
  c->input.mtime = (int64_t) get_uint (&r, 8);
  c->input.device = get_uint (&r, 8);
  c->input.inode = get_uint (&r, 8);
  get_bytes (&r, c->input.head, HASH_SIZE);
  get_bytes (&r, c->input.tail, HASH_SIZE);
  c->output.path = get_text (&r);
  c->output.length = get_uint (&r, 8);
  c->output.device = get_uint (&r, 8);
  c->output.inode = get_uint (&r, 8);
  get_bytes (&r, c->output.tail, HASH_SIZE);
  n_stages = (size_t) get_uint (&r, 2);
  if (n_stages > EEG_CHECKPOINT_MAX_STAGES)
    r.result = EEG_CHECKPOINT_DAMAGED;
  if (r.result == EEG_CHECKPOINT_OK) {
    c->stages = calloc (n_stages + 1, sizeof *c->stages);
    if (c->stages == NULL)
      r.result = EEG_CHECKPOINT_NO_MEMORY;
  }
  while (r.result == EEG_CHECKPOINT_OK && c->n_stages < n_stages)
    get_stage (&r, &c->stages[c->n_stages++]);
  c->retries = (uint32_t) get_uint (&r, 4);
  if (r.result == EEG_CHECKPOINT_OK && r.offset != r.size)
    r.result = EEG_CHECKPOINT_DAMAGED;
  if (r.result != EEG_CHECKPOINT_OK) {
    eeg_checkpoint_free (c);
    return r.result;
  }
  *checkpoint = c;
  return EEG_CHECKPOINT_OK;
}
