/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

EegAeadSecret *
eeg_aead_secret_new (size_t size)
{
  EegAeadSecret *secret = malloc (sizeof *secret);

  if (secret == NULL)
    return NULL;
  secret->size = size;
  secret->data = sodium_malloc (size > 0 ? size : 1);
  if (secret->data == NULL) {
    free (secret);
    return NULL;
  }
  memset (secret->data, 0, size);
  return secret;
}

EegAeadSecret *
eeg_aead_secret_new_copy (const void *data, size_t size)
{
  EegAeadSecret *secret = eeg_aead_secret_new (size);

  if (secret != NULL && size > 0)
    memcpy (secret->data, data, size);
  return secret;
}

void
eeg_aead_secret_free (EegAeadSecret *secret)
{
  if (secret == NULL)
    return;
  sodium_free (secret->data);
  free (secret);
}

/* Returns the number of bytes read, up to @size, or -1. */
static ssize_t
read_fully (int fd, uint8_t *data, size_t size)
{
  size_t done = 0;

  while (done < size) {
    ssize_t n = read (fd, data + done, size - done);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return -1;
    if (n == 0)
      break;
    done += n;
  }
  return done;
}

EegAeadSecret *
eeg_aead_secret_new_from_file (const char *path, size_t max_size, bool *exposed)
{
  EegAeadSecret *buffer = NULL, *secret = NULL;
  struct stat status;
  ssize_t size;
  int error, fd;

  fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0)
    return NULL;

  if (fstat (fd, &status) < 0)
    goto done;
  if (exposed != NULL)
    *exposed =
        S_ISREG (status.st_mode) && (status.st_mode & (S_IRGRP | S_IROTH)) != 0;

  /* one byte more shows whether there is too much */
  buffer = eeg_aead_secret_new (max_size + 1);
  if (buffer == NULL) {
    errno = ENOMEM;
    goto done;
  }
  size = read_fully (fd, buffer->data, buffer->size);
  if (size < 0)
    goto done;
  if ((size_t) size > max_size) {
    errno = EFBIG;
    goto done;
  }
  secret = eeg_aead_secret_new_copy (buffer->data, size);
  if (secret == NULL)
    errno = ENOMEM;

done:
  error = errno;
  eeg_aead_secret_free (buffer);
  close (fd);
  errno = error;
  return secret;
}
