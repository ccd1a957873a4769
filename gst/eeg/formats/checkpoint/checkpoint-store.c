/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checkpoint.h"

#include "digest.h"
#include "durable.h"
#include "fail-point.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of the output's end, to recognise it. */
#define TAIL_SIZE (64 * 1024)
/* Of its beginning, which a muxer may complete at the end: not counted in. */
#define HEAD_SIZE 256

static char *
append_suffix (const char *path, const char *suffix)
{
  size_t size = strlen (path) + strlen (suffix) + 1;
  char *name = malloc (size);

  if (name != NULL)
    snprintf (name, size, "%s%s", path, suffix);
  return name;
}

static bool
write_all (int fd, const uint8_t *data, size_t size)
{
  while (size > 0) {
    ssize_t n = write (fd, data, size);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return false;
    data += n;
    size -= (size_t) n;
  }
  return true;
}

static bool
write_file (const char *path, const uint8_t *data, size_t size)
{
  bool ok;
  int fd, error;

  /* what an interrupted store left; O_EXCL then follows no link */
  if (unlink (path) < 0 && errno != ENOENT)
    return false;
  fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0)
    return false;
  ok = write_all (fd, data, size);
  EEG_FAIL_POINT ("sidecar-written");
  ok = ok && fsync (fd) == 0;
  error = errno;
  if (close (fd) < 0 && ok) {
    ok = false;
    error = errno;
  }
  if (!ok)
    unlink (path);
  errno = error;
  return ok;
}

/* There is nothing by such a name, nor could there be. */
static bool
is_absent (int error)
{
  return error == ENOENT || error == ENOTDIR || error == ENAMETOOLONG;
}

static EegCheckpointResult
load_file (const char *path, EegCheckpoint **checkpoint)
{
  /* one more than allowed, to see that a file is too large */
  size_t room = EEG_CHECKPOINT_MAX_SIZE + 1, size = 0;
  EegCheckpointResult result;
  uint8_t *data;
  int fd;

  *checkpoint = NULL;
  /* O_NONBLOCK: a pipe in its place must not hold us up */
  fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return is_absent (errno) ? EEG_CHECKPOINT_MISSING : EEG_CHECKPOINT_IO;
  data = malloc (room);
  if (data == NULL) {
    close (fd);
    return EEG_CHECKPOINT_NO_MEMORY;
  }
  while (size < room) {
    ssize_t n = read (fd, data + size, room - size);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      int error = errno;

      close (fd);
      free (data);
      errno = error;
      return EEG_CHECKPOINT_IO;
    }
    if (n == 0)
      break;
    size += (size_t) n;
  }
  close (fd);
  result = eeg_checkpoint_parse (data, size, checkpoint);
  free (data);
  return result;
}

EegCheckpointResult
eeg_checkpoint_load (const char *path, EegCheckpointGeneration generation,
    EegCheckpoint **checkpoint)
{
  EegCheckpointResult result;
  char *old;

  *checkpoint = NULL;
  if (generation == EEG_CHECKPOINT_NEWEST)
    return load_file (path, checkpoint);
  old = append_suffix (path, ".old");
  if (old == NULL)
    return EEG_CHECKPOINT_NO_MEMORY;
  result = load_file (old, checkpoint);
  free (old);
  return result;
}

typedef enum
{
  NOTHING,
  SIDECAR,
  SOMETHING_ELSE,
} Content;

static Content
find_content (const char *path)
{
  char magic[sizeof EEG_CHECKPOINT_MAGIC - 1];
  struct stat s;
  ssize_t n = -1;
  int fd;

  /* O_NONBLOCK: a pipe in its place must not hold us up */
  fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return is_absent (errno) ? NOTHING : SOMETHING_ELSE;
  if (fstat (fd, &s) == 0 && S_ISREG (s.st_mode)
      && !eeg_durable_is_planted (path, &s))
    n = pread (fd, magic, sizeof magic, 0);
  close (fd);
  if (n == 0)
    return NOTHING;
  return n == (ssize_t) sizeof magic
          && memcmp (magic, EEG_CHECKPOINT_MAGIC, sizeof magic) == 0
      ? SIDECAR
      : SOMETHING_ELSE;
}

bool
eeg_checkpoint_may_store (const char *path)
{
  char *old = append_suffix (path, ".old");
  Content current, previous;

  if (old == NULL)
    return false;
  current = find_content (path);
  previous = find_content (old);
  free (old);
  /* one of two may be damaged */
  return current == SIDECAR || previous == SIDECAR
      || (current == NOTHING && previous == NOTHING);
}

/* Puts @checkpoint in the place of @path, and what was there, if @keep, in that
 * of the previous one. */
static EegCheckpointResult
replace (const char *path, const EegCheckpoint *checkpoint, bool keep)
{
  char *temporary = append_suffix (path, ".tmp");
  char *old = append_suffix (path, ".old");
  EegCheckpoint *current = NULL;
  EegCheckpointResult result, current_result;
  uint8_t *data = NULL;
  size_t size;

  if (temporary == NULL || old == NULL) {
    result = EEG_CHECKPOINT_NO_MEMORY;
    goto done;
  }
  result = eeg_checkpoint_format (checkpoint, &data, &size);
  if (result != EEG_CHECKPOINT_OK)
    goto done;
  result = EEG_CHECKPOINT_IO;
  if (!write_file (temporary, data, size))
    goto done;
  EEG_FAIL_POINT ("sidecar-synced");
  if (keep) {
    /* A damaged one must not take the place of a good one. */
    current_result = load_file (path, &current);
    if ((current_result == EEG_CHECKPOINT_OK
            || current_result == EEG_CHECKPOINT_NEWER)
        && rename (path, old) < 0)
      goto done;
    EEG_FAIL_POINT ("previous-renamed");
  }
  /* a rename is only on disk when its folder is */
  if (rename (temporary, path) < 0)
    goto done;
  EEG_FAIL_POINT ("sidecar-renamed");
  if (!eeg_durable_sync_folder (path))
    goto done;
  EEG_FAIL_POINT ("sidecar-folder-synced");
  result = EEG_CHECKPOINT_OK;

done:
  eeg_checkpoint_free (current);
  free (data);
  free (temporary);
  free (old);
  return result;
}

EegCheckpointResult
eeg_checkpoint_store (const char *path, const EegCheckpoint *checkpoint)
{
  return replace (path, checkpoint, true);
}

EegCheckpointResult
eeg_checkpoint_update (const char *path, const EegCheckpoint *checkpoint)
{
  return replace (path, checkpoint, false);
}

EegCheckpointResult
eeg_checkpoint_drop_newest (const char *path)
{
  char *old = append_suffix (path, ".old");
  EegCheckpointResult result = EEG_CHECKPOINT_OK;

  if (old == NULL)
    return EEG_CHECKPOINT_NO_MEMORY;
  if (rename (old, path) < 0)
    result = errno == ENOENT ? EEG_CHECKPOINT_MISSING : EEG_CHECKPOINT_IO;
  else if (!eeg_durable_sync_folder (path))
    result = EEG_CHECKPOINT_IO;
  free (old);
  return result;
}

EegCheckpointResult
eeg_checkpoint_remove (const char *path)
{
  /* The newest last: whoever finds one after a crash finds the newest. */
  static const char *const suffixes[] = { ".tmp", ".old", "" };
  EegCheckpointResult result = EEG_CHECKPOINT_OK;

  for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
    char *name = append_suffix (path, suffixes[i]);

    if (name == NULL)
      return EEG_CHECKPOINT_NO_MEMORY;
    if (unlink (name) < 0 && errno != ENOENT)
      result = EEG_CHECKPOINT_IO;
    free (name);
  }
  return result;
}

bool
eeg_checkpoint_hash_tail (int fd, uint64_t length,
    uint8_t hash[EEG_CHECKPOINT_HASH_SIZE])
{
  const EegDigestKernel *kernel = eeg_digest_find ("blake3", NULL);
  /* the first bytes may be another header by the end */
  uint64_t rest = length > HEAD_SIZE ? length - HEAD_SIZE : 0;
  size_t size = rest < TAIL_SIZE ? (size_t) rest : TAIL_SIZE, done = 0;
  uint8_t *data = malloc (TAIL_SIZE);
  void *state = malloc (kernel->state_size);
  bool ok = data != NULL && state != NULL;

  while (ok && done < size) {
    ssize_t n =
        pread (fd, data + done, size - done, (off_t) (length - size + done));

    if (n < 0 && errno == EINTR)
      continue;
    ok = n > 0;
    if (ok)
      done += (size_t) n;
  }
  if (ok) {
    kernel->init (state);
    kernel->update (state, data, size);
    kernel->final (state, hash);
  }
  free (state);
  free (data);
  return ok;
}

bool
eeg_checkpoint_fits (const EegCheckpoint *checkpoint, int fd)
{
  uint8_t tail[EEG_CHECKPOINT_HASH_SIZE];
  struct stat s;

  return fstat (fd, &s) == 0 && S_ISREG (s.st_mode)
      && (uint64_t) s.st_size >= checkpoint->output.length
      && eeg_checkpoint_hash_tail (fd, checkpoint->output.length, tail)
      && memcmp (tail, checkpoint->output.tail, sizeof tail) == 0;
}
