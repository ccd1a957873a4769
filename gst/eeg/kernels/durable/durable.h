/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EEG_DURABLE_H
#define EEG_DURABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/*
 * A file that grows while a thread of its own brings it to disk, so that it is
 * known at any time how much a power cut can take. It is called PATH.part until
 * it is finished, and locked: a name without ".part" is a whole file.
 *
 * One thread, the writer, calls everything but what says otherwise. The first
 * error of a write or sync is final, and every later call returns it: after a
 * failed fsync nobody knows what is on disk, and a second one may succeed
 * without having written anything.
 */
typedef struct _EegDurableFile EegDurableFile;

typedef enum
{
  EEG_DURABLE_OK,
  /* PATH exists, and was not to be overwritten */
  EEG_DURABLE_EXISTS,
  /* PATH.part exists and holds data, and was not to be overwritten */
  EEG_DURABLE_UNFINISHED,
  /* another one writes it */
  EEG_DURABLE_LOCKED,
  /* PATH or PATH.part is a folder, device or link */
  EEG_DURABLE_NO_FILE,
  /* PATH.part was put there by somebody else, see eeg_durable_is_planted() */
  EEG_DURABLE_PLANTED,
  EEG_DURABLE_NO_MEMORY,
  /* the others come from the system: eeg_durable_get_errno() */
  EEG_DURABLE_OPEN,
  EEG_DURABLE_WRITE,
  EEG_DURABLE_SYNC,
  EEG_DURABLE_RENAME,
  /* a write at a position behind the end would leave a hole */
  EEG_DURABLE_HOLE,
  /* eeg_durable_set_flushing() ended a wait; the only one that does not stay */
  EEG_DURABLE_FLUSHING,
} EegDurableResult;

/* What is known of a file. */
typedef struct
{
  /* bytes of the file as written, and of these, safe on disk */
  uint64_t size;
  uint64_t safe;
  /* bytes that were written, also in places written before, and are not known
   * to be on disk */
  uint64_t unsafe;
  uint64_t syncs;
  /* nanoseconds that the longest of them took */
  uint64_t longest_sync;
  /* and that the one that runs takes by now; 0: none runs */
  uint64_t current_sync;
} EegDurableCounts;

/* What to do with files that are there already. */
typedef enum
{
  /* PATH, and PATH.part with data, are errors */
  EEG_DURABLE_NEW,
  /* what PATH.part holds is thrown away, PATH is replaced at the end */
  EEG_DURABLE_OVERWRITE,
  /* PATH is an error; what PATH.part holds stays, and writes go behind it */
  EEG_DURABLE_CONTINUE,
} EegDurableMode;

/*
 * Creates PATH.part, or opens it. On an error *@file is NULL and *@error is
 * errno or 0.
 */
EegDurableResult eeg_durable_open (const char *path, EegDurableMode mode,
    EegDurableFile **file, int *error);

/*
 * Cuts the file to @length, at most its size, of which the caller knows that it
 * is on disk. Writes go behind it. Before the first write.
 */
EegDurableResult eeg_durable_truncate (EegDurableFile *file, uint64_t length);

/* To read what was written; everything else is the file's own. Any thread. */
int eeg_durable_get_fd (const EegDurableFile *file);

/* The numbers of the file in its file system. Any thread. */
bool eeg_durable_identify (EegDurableFile *file, uint64_t *device,
    uint64_t *inode);

/*
 * Called once for each mark: with @reached when all that was written before it
 * is on disk, on the sync thread; without, when a later mark takes its place or
 * there was an error. The lock is not held.
 */
typedef void (*EegDurableMarkFunc) (EegDurableFile *file, void *user_data,
    void *mark, bool reached);

/* Before the first mark. */
void eeg_durable_set_mark_func (EegDurableFile *file, EegDurableMarkFunc func,
    void *user_data);

/* Asks to bring to disk what was written so far, beside the writer. */
void eeg_durable_mark (EegDurableFile *file, void *mark);

/* Waits until the function was called for all marks. */
EegDurableResult eeg_durable_await_marks (EegDurableFile *file);

/*
 * Bytes and nanoseconds after which what was written is brought to disk; 0: not
 * by this measure. No more than twice @bytes are ever not on disk: writes wait.
 * Any thread.
 */
void eeg_durable_set_interval (EegDurableFile *file, uint64_t bytes,
    uint64_t time);

/* Where the next write goes; at first and after a write, behind it. */
void eeg_durable_seek (EegDurableFile *file, uint64_t position);

/*
 * Writes all of the @n pieces. After an error, some of it may be written; after
 * EEG_DURABLE_FLUSHING *@written bytes are, and the rest can follow.
 */
EegDurableResult eeg_durable_write (EegDurableFile *file,
    const struct iovec *pieces, int n, uint64_t *written);

/* Waits until all that was written is on disk. */
EegDurableResult eeg_durable_sync (EegDurableFile *file);

/* The same, which nothing ends. What is left to do is eeg_durable_finish(), by
 * any one thread, or eeg_durable_close(). */
EegDurableResult eeg_durable_settle (EegDurableFile *file);

/* Waits until all is on disk, which nothing ends, then gives the file its name.
 * It stays open, and locked, and is not to be written any more. */
EegDurableResult eeg_durable_finish (EegDurableFile *file);

/*
 * Brings all to disk, if no error came before, and ends the thread; no mark
 * comes any more. What is left to do is eeg_durable_close(); until then the
 * file is locked.
 */
void eeg_durable_stop (EegDurableFile *file);

/*
 * Brings all to disk, if no error came before, and frees. A file that is not
 * finished stays as PATH.part, unless it was created and nothing was written.
 * *@counts are the last ones, *@error is errno of the error, or 0.
 */
EegDurableResult eeg_durable_close (EegDurableFile *file,
    EegDurableCounts *counts, int *error);

/* Closes a file without a byte in it, which goes away. */
void eeg_durable_discard (EegDurableFile *file);

/* Ends waits of the writer in a write, in a sync or for marks, and lets new
 * ones end at once. Any thread. */
void eeg_durable_set_flushing (EegDurableFile *file, bool flushing);

/* Any thread. */
void eeg_durable_get_counts (EegDurableFile *file, EegDurableCounts *counts);

/* errno of the error that stays, 0 if there was none. Any thread. */
int eeg_durable_get_errno (EegDurableFile *file);

/*
 * Whether the file of @path, of which @s is known, belongs neither to us nor to
 * the owner of its folder, which is one like /tmp: who put it there may read
 * what is written to it, and has chosen what is read.
 */
struct stat;
bool eeg_durable_is_planted (const char *path, const struct stat *s);

/*
 * Makes names in the folder of @path durable: those created, renamed and
 * removed. A file system that cannot has nothing to lose. Sets errno. Any
 * thread.
 */
bool eeg_durable_sync_folder (const char *path);

#endif
