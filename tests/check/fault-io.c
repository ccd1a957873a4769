/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fault-io.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__ ((visibility ("default")))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct
{
  unsigned count;
  unsigned fail_in; /* calls until the one that fails; 0: none does */
  int error;
  bool hold;
  unsigned held;
} calls[N_FAULT_IO_CALLS];
static unsigned shorten_in;
static size_t shorten_to;

void
fault_io_reset (void)
{
  pthread_mutex_lock (&lock);
  memset (calls, 0, sizeof calls);
  shorten_in = 0;
  pthread_cond_broadcast (&changed);
  pthread_mutex_unlock (&lock);
}

void
fault_io_fail (FaultIoCall call, unsigned nth, int error)
{
  pthread_mutex_lock (&lock);
  calls[call].fail_in = nth;
  calls[call].error = error;
  pthread_mutex_unlock (&lock);
}

void
fault_io_shorten_write (unsigned nth, size_t size)
{
  pthread_mutex_lock (&lock);
  shorten_in = nth;
  shorten_to = size;
  pthread_mutex_unlock (&lock);
}

void
fault_io_hold (FaultIoCall call)
{
  pthread_mutex_lock (&lock);
  calls[call].hold = true;
  pthread_mutex_unlock (&lock);
}

void
fault_io_release (FaultIoCall call)
{
  pthread_mutex_lock (&lock);
  calls[call].hold = false;
  pthread_cond_broadcast (&changed);
  pthread_mutex_unlock (&lock);
}

void
fault_io_wait_held (FaultIoCall call)
{
  pthread_mutex_lock (&lock);
  while (calls[call].held == 0)
    pthread_cond_wait (&changed, &lock);
  pthread_mutex_unlock (&lock);
}

unsigned
fault_io_count (FaultIoCall call)
{
  unsigned count;

  pthread_mutex_lock (&lock);
  count = calls[call].count;
  pthread_mutex_unlock (&lock);
  return count;
}

/* Counts the call. FALSE with errno set: it fails. */
static bool
enter (FaultIoCall call)
{
  int error = 0;

  pthread_mutex_lock (&lock);
  calls[call].count++;
  if (calls[call].fail_in > 0 && --calls[call].fail_in == 0)
    error = calls[call].error;
  calls[call].held++;
  pthread_cond_broadcast (&changed);
  while (calls[call].hold)
    pthread_cond_wait (&changed, &lock);
  calls[call].held--;
  pthread_mutex_unlock (&lock);
  errno = error;
  return error == 0;
}

#define NEXT(name) ((__typeof__ (&name)) dlsym (RTLD_NEXT, #name))

EXPORT ssize_t
pwritev (int fd, const struct iovec *pieces, int n, off_t offset)
{
  /* the name that large files have is the one that is defined here */
  ssize_t (*next) (int, const struct iovec *, int, off_t) =
      dlsym (RTLD_NEXT, "pwritev64");
  struct iovec first = *pieces;
  bool shorten;

  if (!enter (FAULT_IO_WRITE))
    return -1;
  pthread_mutex_lock (&lock);
  shorten = shorten_in > 0 && --shorten_in == 0;
  if (shorten && first.iov_len > shorten_to)
    first.iov_len = shorten_to;
  pthread_mutex_unlock (&lock);
  return shorten ? next (fd, &first, 1, offset) : next (fd, pieces, n, offset);
}

EXPORT int
fdatasync (int fd)
{
  return enter (FAULT_IO_DATASYNC) ? NEXT (fdatasync) (fd) : -1;
}

EXPORT int
fsync (int fd)
{
  return enter (FAULT_IO_FSYNC) ? NEXT (fsync) (fd) : -1;
}

EXPORT int
renameat2 (int from_folder, const char *from, int to_folder, const char *to,
    unsigned flags)
{
  return enter (FAULT_IO_RENAME)
      ? NEXT (renameat2) (from_folder, from, to_folder, to, flags)
      : -1;
}
