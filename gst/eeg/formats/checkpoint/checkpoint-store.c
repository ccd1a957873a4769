/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checkpoint.h"

#include "durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
  ok = write_all (fd, data, size) && fsync (fd) == 0;
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
    return errno == ENOENT ? EEG_CHECKPOINT_MISSING : EEG_CHECKPOINT_IO;
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

EegCheckpointResult
eeg_checkpoint_store (const char *path, const EegCheckpoint *checkpoint)
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
  /* A damaged one must not take the place of a good one. */
  current_result = load_file (path, &current);
  if ((current_result == EEG_CHECKPOINT_OK
          || current_result == EEG_CHECKPOINT_NEWER)
      && rename (path, old) < 0)
    goto done;
  /* a rename is only on disk when its folder is */
  if (rename (temporary, path) < 0 || !eeg_durable_sync_folder (path))
    goto done;
  result = EEG_CHECKPOINT_OK;

done:
  eeg_checkpoint_free (current);
  free (data);
  free (temporary);
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
  if (result == EEG_CHECKPOINT_OK && !eeg_durable_sync_folder (path))
    result = EEG_CHECKPOINT_IO;
  return result;
}
