/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * To be preloaded: writes what the process asks of the system for files in the
 * folder RECORD_IO_FOLDER to the file RECORD_IO_LOG, in order, so that a test
 * can replay what a power cut leaves; and what the recording promises
 * meanwhile.
 *
 * An entry is a letter, three numbers of 8 bytes in the machine's order, and
 * two texts or blocks whose sizes are the last two numbers:
 *   'c' inode: created, name            't' inode, length: cut
 *   'w' inode, offset: data             's' inode: file synced
 *   'r' -: from, to                     'u' -: name removed
 *   'd' -: folder synced                'm' id, bytes: a checkpoint is stored
 *   'e': the recording is whole
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <gst/gst.h>

#define EXPORT __attribute__ ((visibility ("default")))
#define NEXT(name) ((__typeof__ (&name)) dlsym (RTLD_NEXT, #name))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;

/* What follows the folder in @path, if it is in there, to any depth. */
static bool
find_name (const char *path, char *name, size_t size)
{
  const char *folder = getenv ("RECORD_IO_FOLDER");
  size_t n = folder != NULL ? strlen (folder) : 0;
  char here[4096];

  if (folder == NULL)
    return false;
  if (path[0] != '/') {
    if (getcwd (here, sizeof here) == NULL || strcmp (here, folder) != 0)
      return false;
    if (strncmp (path, "./", 2) == 0)
      path += 2;
  } else if (strncmp (path, folder, n) == 0 && path[n] == '/') {
    path += n + 1;
  } else if (strcmp (path, folder) == 0) {
    path = "";
  } else {
    return false;
  }
  snprintf (name, size, "%s", path);
  return true;
}

static bool
find_fd_name (int fd, mode_t type, uint64_t *inode, char *name, size_t size)
{
  char link[64], path[4096];
  struct stat s;
  ssize_t n;

  if (getenv ("RECORD_IO_FOLDER") == NULL || fstat (fd, &s) < 0
      || (s.st_mode & S_IFMT) != type)
    return false;
  *inode = (uint64_t) s.st_ino;
  snprintf (link, sizeof link, "/proc/self/fd/%d", fd);
  n = readlink (link, path, sizeof path - 1);
  if (n <= 0)
    return false;
  path[n] = '\0';
  return find_name (path, name, size);
}

static bool
is_watched_fd (int fd, uint64_t *inode)
{
  char name[4096];

  return find_fd_name (fd, S_IFREG, inode, name, sizeof name);
}

static void
put (const void *data, size_t size)
{
  while (size > 0) {
    ssize_t n = NEXT (write) (log_fd, data, size);

    if (n <= 0)
      abort ();
    data = (const char *) data + n;
    size -= (size_t) n;
  }
}

/* The caller holds the lock over the call and this, so that the order is that
 * in which things happened. */
static void
note (char op, uint64_t inode, uint64_t number, const void *a, size_t a_size,
    const void *b, size_t b_size)
{
  uint64_t numbers[4] = { inode, number, a_size, b_size };

  if (log_fd < 0)
    log_fd = NEXT (open) (getenv ("RECORD_IO_LOG"),
        O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  put (&op, 1);
  put (numbers, sizeof numbers);
  put (a, a_size);
  put (b, b_size);
}

static void
note_names (char op, const char *a, const char *b)
{
  char a_name[4096] = "", b_name[4096] = "";

  if (!find_name (a, a_name, sizeof a_name))
    return;
  if (b != NULL && !find_name (b, b_name, sizeof b_name))
    return;
  note (op, 0, 0, a_name, strlen (a_name), b_name, strlen (b_name));
}

EXPORT int
open (const char *path, int flags, ...)
{
  char name[4096];
  mode_t mode = 0;
  bool existed, watched = find_name (path, name, sizeof name);
  va_list args;
  struct stat s;
  int fd;

  va_start (args, flags);
  if (flags & (O_CREAT | __O_TMPFILE))
    mode = va_arg (args, mode_t);
  va_end (args);
  pthread_mutex_lock (&lock);
  existed = watched && stat (path, &s) == 0;
  fd = NEXT (open) (path, flags, mode);
  if (fd >= 0 && watched && fstat (fd, &s) == 0 && S_ISREG (s.st_mode)) {
    if (!existed)
      note ('c', (uint64_t) s.st_ino, 0, name, strlen (name), NULL, 0);
    else if (flags & O_TRUNC)
      note ('t', (uint64_t) s.st_ino, 0, NULL, 0, NULL, 0);
  }
  pthread_mutex_unlock (&lock);
  return fd;
}

EXPORT ssize_t
pwritev (int fd, const struct iovec *pieces, int n, off_t offset)
{
  /* the name that large files have is the one that is defined here */
  ssize_t (*next) (int, const struct iovec *, int, off_t) =
      dlsym (RTLD_NEXT, "pwritev64");
  uint64_t inode;
  ssize_t written;

  pthread_mutex_lock (&lock);
  written = next (fd, pieces, n, offset);
  if (written > 0 && is_watched_fd (fd, &inode)) {
    size_t left = (size_t) written;

    for (int i = 0; i < n && left > 0; i++) {
      size_t size = pieces[i].iov_len < left ? pieces[i].iov_len : left;

      note ('w', inode, (uint64_t) offset, pieces[i].iov_base, size, NULL, 0);
      offset += (off_t) size;
      left -= size;
    }
  }
  pthread_mutex_unlock (&lock);
  return written;
}

EXPORT ssize_t
write (int fd, const void *data, size_t size)
{
  uint64_t inode;
  ssize_t written;
  off_t at;

  pthread_mutex_lock (&lock);
  written = NEXT (write) (fd, data, size);
  if (written > 0 && is_watched_fd (fd, &inode)
      && (at = lseek (fd, 0, SEEK_CUR)) >= 0)
    note ('w', inode, (uint64_t) (at - written), data, (size_t) written, NULL,
        0);
  pthread_mutex_unlock (&lock);
  return written;
}

EXPORT int
ftruncate (int fd, off_t length)
{
  int (*next) (int, off_t) = dlsym (RTLD_NEXT, "ftruncate64");
  uint64_t inode;
  int ret;

  pthread_mutex_lock (&lock);
  ret = next (fd, length);
  if (ret == 0 && is_watched_fd (fd, &inode))
    note ('t', inode, (uint64_t) length, NULL, 0, NULL, 0);
  pthread_mutex_unlock (&lock);
  return ret;
}

static int
sync_file (int fd, int (*next) (int))
{
  char name[4096];
  uint64_t inode;
  int ret = next (fd);

  pthread_mutex_lock (&lock);
  if (ret == 0 && is_watched_fd (fd, &inode))
    note ('s', inode, 0, NULL, 0, NULL, 0);
  else if (ret == 0 && find_fd_name (fd, S_IFDIR, &inode, name, sizeof name))
    note ('d', 0, 0, name, strlen (name), NULL, 0);
  pthread_mutex_unlock (&lock);
  return ret;
}

EXPORT int
fdatasync (int fd)
{
  return sync_file (fd, NEXT (fdatasync));
}

EXPORT int
fsync (int fd)
{
  return sync_file (fd, NEXT (fsync));
}

EXPORT int
rename (const char *from, const char *to)
{
  int ret;

  pthread_mutex_lock (&lock);
  ret = NEXT (rename) (from, to);
  if (ret == 0)
    note_names ('r', from, to);
  pthread_mutex_unlock (&lock);
  return ret;
}

EXPORT int
renameat2 (int from_folder, const char *from, int to_folder, const char *to,
    unsigned flags)
{
  int ret;

  pthread_mutex_lock (&lock);
  ret = NEXT (renameat2) (from_folder, from, to_folder, to, flags);
  if (ret == 0)
    note_names ('r', from, to);
  pthread_mutex_unlock (&lock);
  return ret;
}

EXPORT int
unlink (const char *path)
{
  int ret;

  pthread_mutex_lock (&lock);
  ret = NEXT (unlink) (path);
  if (ret == 0)
    note_names ('u', path, NULL);
  pthread_mutex_unlock (&lock);
  return ret;
}

/* What a sink posts, it stands for: from then on a power cut must not take
 * it. */
EXPORT gboolean
gst_element_post_message (GstElement *element, GstMessage *message)
{
  gboolean (*next) (GstElement *, GstMessage *) =
      dlsym (RTLD_NEXT, "gst_element_post_message");
  const GstStructure *s = gst_message_get_structure (message);
  guint64 id, bytes;

  if (getenv ("RECORD_IO_FOLDER") != NULL) {
    pthread_mutex_lock (&lock);
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS)
      note ('e', 0, 0, NULL, 0, NULL, 0);
    else if (s != NULL && gst_structure_has_name (s, "eeg-checkpoint")
        && gst_structure_get_uint64 (s, "id", &id)
        && gst_structure_get_uint64 (s, "bytes", &bytes))
      note ('m', id, bytes, NULL, 0, NULL, 0);
    pthread_mutex_unlock (&lock);
  }
  return next (element, message);
}
