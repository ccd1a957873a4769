/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EEG_CHECKPOINT_H
#define EEG_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A checkpoint: all that a pipeline needs to continue a recording where it was
 * last known to be safe on disk. It holds neither samples nor keys.
 *
 * Bytes of a sidecar, integers little endian:
 *
 *   8  "EEGCKPT1"
 *   u16 format (1), u16 the oldest format a reader must know (1)
 *   u32 bytes of the whole file
 *   u64 id, i64 time, u64 sample index, u64 look-back
 *   16 recording, u32 part, u8 complete (0 or 1), 32 settings
 *   text CPU path
 *   input:  text path, u64 position, u64 size, i64 mtime, u64 device,
 *           u64 inode, 32 head, 32 tail
 *   output: text path, u64 length, u64 device, u64 inode, 32 tail
 *   u16 stages, and for each: text name, text factory, text settings,
 *     u32 bytes, state
 *   u32 retries
 *   32  BLAKE3 of all before
 *
 * A text is a u16 of its bytes (at most EEG_CHECKPOINT_MAX_TEXT) and these,
 * without NUL.
 */

#define EEG_CHECKPOINT_MAGIC "EEGCKPT1"
#define EEG_CHECKPOINT_MAX_SIZE (256 * 1024 - 1)
#define EEG_CHECKPOINT_MAX_TEXT 4096
#define EEG_CHECKPOINT_MAX_STAGES 256
#define EEG_CHECKPOINT_HASH_SIZE 32
#define EEG_CHECKPOINT_UUID_SIZE 16

/* No position: a live source has none in its input. */
#define EEG_CHECKPOINT_NONE UINT64_MAX

typedef struct _EegCheckpointStage
{
  /* of the element in its pipeline, and of its factory; never NULL */
  char *name;
  char *factory;
  /* what its output depends on beside its input, for a person to read; never
   * NULL */
  char *settings;
  /* what the stage saved; the version is the stage's own business */
  uint8_t *state;
  size_t state_size;
} EegCheckpointStage;

typedef struct _EegCheckpointInput
{
  /* never NULL; "" for an input that is no file */
  char *path;
  /* bytes of it that went into the output */
  uint64_t position;
  uint64_t size;
  /* nanoseconds since 1970 */
  int64_t mtime;
  uint64_t device;
  uint64_t inode;
  /* of its first and last bytes; BLAKE3 or SHA-256, as the source likes */
  uint8_t head[EEG_CHECKPOINT_HASH_SIZE];
  uint8_t tail[EEG_CHECKPOINT_HASH_SIZE];
} EegCheckpointInput;

typedef struct _EegCheckpointOutput
{
  char *path;
  /* bytes that were safe on disk; what lies behind them is cut off */
  uint64_t length;
  uint64_t device;
  uint64_t inode;
  /* BLAKE3 of the last bytes before @length; not of the first 256 of the
   * file */
  uint8_t tail[EEG_CHECKPOINT_HASH_SIZE];
} EegCheckpointOutput;

typedef struct _EegCheckpoint
{
  /* grows from checkpoint to checkpoint of a recording */
  uint64_t id;
  /* when it was taken, microseconds since 1970 */
  int64_t time;
  /* samples per channel since the start, lost ones included */
  uint64_t sample_index;
  /* samples before @sample_index that the stages must see again */
  uint64_t look_back;
  uint8_t recording[EEG_CHECKPOINT_UUID_SIZE];
  uint32_t part;
  /* the recording has come to its end, and the output has its name */
  bool complete;
  /* BLAKE3 of the elements and their settings */
  uint8_t settings[EEG_CHECKPOINT_HASH_SIZE];
  /* the instructions that float stages computed with; never NULL */
  char *cpu_path;
  EegCheckpointInput input;
  EegCheckpointOutput output;
  EegCheckpointStage *stages;
  size_t n_stages;
  /* how often the recording went on from here since this was stored */
  uint32_t retries;
} EegCheckpoint;

typedef enum
{
  EEG_CHECKPOINT_OK,
  /* there is no such file */
  EEG_CHECKPOINT_MISSING,
  /* the system refused; errno says why */
  EEG_CHECKPOINT_IO,
  EEG_CHECKPOINT_NO_MEMORY,
  /* other bytes than those that were stored */
  EEG_CHECKPOINT_DAMAGED,
  /* whole, but of a format that this reader does not know */
  EEG_CHECKPOINT_NEWER,
  /* more than the format or EEG_CHECKPOINT_MAX_SIZE allows */
  EEG_CHECKPOINT_TOO_LARGE,
} EegCheckpointResult;

/* Returns @result in words, for messages. */
const char *eeg_checkpoint_result_to_string (EegCheckpointResult result);

/* Frees @checkpoint, which may be NULL, and all that it points to. */
void eeg_checkpoint_free (EegCheckpoint *checkpoint);

/*
 * Writes @checkpoint to *@data, to be freed with free(). The same checkpoint
 * gives the same bytes on every machine.
 */
EegCheckpointResult eeg_checkpoint_format (const EegCheckpoint *checkpoint,
    uint8_t **data, size_t *size);

/*
 * Reads a sidecar's bytes. On success *@checkpoint is to be freed with
 * eeg_checkpoint_free(), else it is NULL. Any bytes are safe to pass.
 */
EegCheckpointResult eeg_checkpoint_parse (const uint8_t *data, size_t size,
    EegCheckpoint **checkpoint);

/*
 * Whether @path is free for a sidecar: what is there, or beside it with ".old"
 * behind the name, is one, damaged or not, or empty. Anything else belongs to
 * somebody else and is not to be replaced.
 */
bool eeg_checkpoint_may_store (const char *path);

/*
 * Stores @checkpoint as @path, with mode 0600, such that after a crash or a
 * power cut at any moment the newest or the one before it can be loaded. The
 * previous one is kept as @path with ".old" behind it, unless it is damaged:
 * then the one before it stays. The caller has made the output durable, and is
 * the only one that stores to @path. After an error the newest one before
 * can still be loaded, as one generation or the other.
 */
EegCheckpointResult eeg_checkpoint_store (const char *path,
    const EegCheckpoint *checkpoint);

/*
 * Puts @checkpoint in the place of the newest one, which says the same of the
 * output, as durably; the previous one stays what it is.
 */
EegCheckpointResult eeg_checkpoint_update (const char *path,
    const EegCheckpoint *checkpoint);

/* Which of the two that a sidecar holds. */
typedef enum
{
  EEG_CHECKPOINT_NEWEST,
  EEG_CHECKPOINT_PREVIOUS,
} EegCheckpointGeneration;

/* Loads one generation of the sidecar @path. */
EegCheckpointResult eeg_checkpoint_load (const char *path,
    EegCheckpointGeneration generation, EegCheckpoint **checkpoint);

/*
 * Throws the newest one away, durably: the previous one takes its place, and
 * there is none before that. After a crash it is either so, or as before.
 */
EegCheckpointResult eeg_checkpoint_drop_newest (const char *path);

/*
 * BLAKE3 of the last bytes before @length of an output. False if there are
 * fewer, or they cannot be read.
 */
bool eeg_checkpoint_hash_tail (int fd, uint64_t length,
    uint8_t hash[EEG_CHECKPOINT_HASH_SIZE]);

/* Is the output that @fd reads as long as @checkpoint says, and does it end as
 * it says there? What is behind that does not matter. */
bool eeg_checkpoint_fits (const EegCheckpoint *checkpoint, int fd);

/*
 * Removes both generations, and what an interrupted store left. Those that do
 * not exist are no error. A power cut may bring them back until the next store.
 */
EegCheckpointResult eeg_checkpoint_remove (const char *path);

#endif
