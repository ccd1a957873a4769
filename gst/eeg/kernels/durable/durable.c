/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "durable.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fail-point.h"

#define SUFFIX ".part"
#define NS_PER_S 1000000000u
/* One write at most: below what the system takes, and soon over. */
#define MAX_WRITE (64u << 20)
#define MAX_PIECES 64

/*
 * `position` and the names belong to the writer, the file descriptor to both
 * threads, all else to the lock. What is written is first `dirty`, and then,
 * while a sync runs that covers it, `syncing`.
 */
struct _EegDurableFile
{
  char *path;
  char *part;
  int fd;
  EegDurableMode mode;
  bool created;
  bool finished;
  bool stopped; /* the thread is */
  uint64_t position;

  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t work; /* the sync thread may have something to do */
  pthread_cond_t done; /* the writer may go on */
  bool stop;
  bool flushing;
  uint64_t interval_bytes;
  uint64_t interval_time;
  uint64_t size;
  uint64_t dirty;
  uint64_t dirty_since;
  uint64_t syncing;
  uint64_t wanted; /* syncs that were asked for, and those that are done */
  uint64_t reached;
  EegDurableMarkFunc mark_func;
  void *mark_data;
  void *mark;   /* that waits for a sync */
  bool marking; /* one is being brought to disk */
  uint64_t safe;
  uint64_t syncs;
  uint64_t longest_sync;
  uint64_t sync_began; /* that runs; 0: none does */
  EegDurableResult result;
  int error;
};

static uint64_t
get_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (uint64_t) now.tv_sec * NS_PER_S + (uint64_t) now.tv_nsec;
}

/* To be freed; NULL without memory. */
static char *
get_folder (const char *path)
{
  const char *slash = strrchr (path, '/');

  if (slash == NULL)
    return strdup (".");
  if (slash == path)
    return strdup ("/");
  return strndup (path, (size_t) (slash - path));
}

bool
eeg_durable_is_planted (const char *path, const struct stat *s)
{
  const mode_t shared = S_ISVTX | S_IWOTH;
  struct stat t;
  char *folder;
  bool ok;

  if (s->st_uid == geteuid ())
    return false;
  folder = get_folder (path);
  ok = folder != NULL && stat (folder, &t) == 0
      && ((t.st_mode & shared) != shared || t.st_uid == s->st_uid);
  free (folder);
  return !ok;
}

bool
eeg_durable_sync_folder (const char *path)
{
  char *folder = get_folder (path);
  bool ok;
  int fd, error;

  if (folder == NULL)
    return false;
  fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  free (folder);
  if (fd < 0)
    return false;
  ok = fsync (fd) == 0 || errno == EINVAL || errno == EROFS;
  error = errno;
  close (fd);
  errno = error;
  return ok;
}

/* Under the lock; the first one stays. */
static void
set_error (EegDurableFile *file, EegDurableResult result, int error)
{
  if (file->result != EEG_DURABLE_OK)
    return;
  file->result = result;
  file->error = error;
}

/* --- bringing to disk ---------------------------------------------------- */

/* Under the lock. *@due is when the next sync is, if now is too early. */
static bool
is_sync_due (const EegDurableFile *file, uint64_t *due)
{
  *due = UINT64_MAX;
  if (file->result != EEG_DURABLE_OK)
    return false;
  if (file->wanted > file->reached || file->mark != NULL)
    return true;
  if (file->dirty == 0)
    return false;
  if (file->interval_bytes > 0 && file->dirty >= file->interval_bytes)
    return true;
  if (file->interval_time == 0)
    return false;
  if (file->interval_time < UINT64_MAX - file->dirty_since)
    *due = file->dirty_since + file->interval_time;
  return get_time () >= *due;
}

/* Under the lock, which is free meanwhile. */
static void
sync_once (EegDurableFile *file)
{
  uint64_t size = file->size, wanted = file->wanted, start, took;
  void *mark = file->mark, *older = NULL;
  bool ok = true;
  int error = 0;

  file->mark = NULL;
  file->marking = mark != NULL;
  if (file->dirty > 0) {
    file->syncing = file->dirty;
    file->dirty = 0;
    file->sync_began = start = get_time ();
    /* a writer that waits for room has it now */
    pthread_cond_broadcast (&file->done);
    pthread_mutex_unlock (&file->lock);
    EEG_FAIL_POINT ("data-written");
    ok = fdatasync (file->fd) == 0;
    error = errno;
    EEG_FAIL_POINT ("data-synced");
    took = get_time () - start;
    pthread_mutex_lock (&file->lock);
    file->sync_began = 0;
    if (ok) {
      file->syncing = 0;
      file->safe = size;
      file->syncs++;
      if (took > file->longest_sync)
        file->longest_sync = took;
    }
  }
  if (!ok)
    set_error (file, EEG_DURABLE_SYNC, error);
  /* nothing was written since: this sync was for the later one, too */
  if (mark != NULL && file->mark != NULL && file->dirty == 0) {
    older = mark;
    mark = file->mark;
    file->mark = NULL;
  }
  if (mark != NULL) {
    pthread_mutex_unlock (&file->lock);
    if (older != NULL)
      file->mark_func (file, file->mark_data, older, false);
    file->mark_func (file, file->mark_data, mark, ok);
    pthread_mutex_lock (&file->lock);
  }
  file->marking = false;
  /* who waits for the sync waits for what is done at the mark, too */
  if (ok)
    file->reached = wanted;
  pthread_cond_broadcast (&file->done);
}

static void *
run_syncs (void *data)
{
  EegDurableFile *file = data;

  pthread_mutex_lock (&file->lock);
  while (!file->stop) {
    uint64_t due;

    if (is_sync_due (file, &due)) {
      sync_once (file);
    } else if (due == UINT64_MAX) {
      pthread_cond_wait (&file->work, &file->lock);
    } else {
      struct timespec until = { .tv_sec = (time_t) (due / NS_PER_S),
        .tv_nsec = (long) (due % NS_PER_S) };

      pthread_cond_timedwait (&file->work, &file->lock, &until);
    }
  }
  pthread_mutex_unlock (&file->lock);
  return NULL;
}

static bool
start_thread (EegDurableFile *file)
{
  pthread_condattr_t attributes;
  sigset_t all, old;
  bool ok;

  pthread_mutex_init (&file->lock, NULL);
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (&file->work, &attributes);
  pthread_cond_init (&file->done, NULL);
  pthread_condattr_destroy (&attributes);
  /* signals are the application's */
  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &old);
  ok = pthread_create (&file->thread, NULL, run_syncs, file) == 0;
  pthread_sigmask (SIG_SETMASK, &old, NULL);
  if (!ok) {
    pthread_mutex_destroy (&file->lock);
    pthread_cond_destroy (&file->work);
    pthread_cond_destroy (&file->done);
  }
  return ok;
}

static void
stop_thread (EegDurableFile *file)
{
  pthread_mutex_lock (&file->lock);
  file->stop = true;
  pthread_cond_signal (&file->work);
  pthread_mutex_unlock (&file->lock);
  pthread_join (file->thread, NULL);
}

/* --- opening ------------------------------------------------------------- */

/*
 * Opens and locks PATH.part. Whoever held the lock before may have renamed or
 * removed it meanwhile: then it is another file by that name, or none.
 */
static EegDurableResult
open_part (EegDurableFile *file)
{
  for (;;) {
    struct stat by_fd, by_name;
    bool same;

    file->created = false;
    file->fd = open (file->part, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file->fd < 0 && errno == ENOENT) {
      file->fd = open (file->part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (file->fd < 0 && errno == EEXIST)
        continue;
      file->created = file->fd >= 0;
    }
    if (file->fd < 0)
      return errno == ELOOP || errno == EISDIR || errno == ENXIO
          ? EEG_DURABLE_NO_FILE
          : EEG_DURABLE_OPEN;
    if (fstat (file->fd, &by_fd) < 0)
      return EEG_DURABLE_OPEN;
    if (!S_ISREG (by_fd.st_mode))
      return EEG_DURABLE_NO_FILE;
    if (!file->created && eeg_durable_is_planted (file->part, &by_fd))
      return EEG_DURABLE_PLANTED;
    if (flock (file->fd, LOCK_EX | LOCK_NB) < 0)
      return errno == EWOULDBLOCK ? EEG_DURABLE_LOCKED : EEG_DURABLE_OPEN;
    same = lstat (file->part, &by_name) == 0 && by_name.st_dev == by_fd.st_dev
        && by_name.st_ino == by_fd.st_ino;
    if (same)
      return EEG_DURABLE_OK;
    close (file->fd);
  }
}

/* The lock is held. */
static EegDurableResult
check_names (EegDurableFile *file)
{
  struct stat s;

  if (lstat (file->path, &s) == 0) {
    if (!S_ISREG (s.st_mode))
      return EEG_DURABLE_NO_FILE;
    if (file->mode != EEG_DURABLE_OVERWRITE)
      return EEG_DURABLE_EXISTS;
  } else if (errno != ENOENT) {
    return EEG_DURABLE_OPEN;
  }
  if (fstat (file->fd, &s) < 0)
    return EEG_DURABLE_OPEN;
  if (s.st_size == 0)
    return EEG_DURABLE_OK;
  if (file->mode == EEG_DURABLE_NEW)
    return EEG_DURABLE_UNFINISHED;
  if (file->mode == EEG_DURABLE_CONTINUE) {
    file->size = file->position = (uint64_t) s.st_size;
    return EEG_DURABLE_OK;
  }
  return ftruncate (file->fd, 0) == 0 ? EEG_DURABLE_OK : EEG_DURABLE_OPEN;
}

static void
free_file (EegDurableFile *file)
{
  free (file->path);
  free (file->part);
  free (file);
}

EegDurableResult
eeg_durable_open (const char *path, EegDurableMode mode,
    EegDurableFile **opened, int *error)
{
  size_t part_size = strlen (path) + sizeof SUFFIX;
  EegDurableFile *file = calloc (1, sizeof *file);
  EegDurableResult result;

  *opened = NULL;
  *error = 0;
  if (file == NULL)
    return EEG_DURABLE_NO_MEMORY;
  file->fd = -1;
  file->mode = mode;
  file->path = strdup (path);
  file->part = malloc (part_size);
  if (file->path == NULL || file->part == NULL) {
    free_file (file);
    return EEG_DURABLE_NO_MEMORY;
  }
  snprintf (file->part, part_size, "%s" SUFFIX, path);

  result = open_part (file);
  if (result == EEG_DURABLE_OK)
    result = check_names (file);
  EEG_FAIL_POINT ("part-created");
  /* the data would be on disk, but nobody could find it */
  if (result == EEG_DURABLE_OK && !eeg_durable_sync_folder (file->part))
    result = EEG_DURABLE_OPEN;
  EEG_FAIL_POINT ("part-folder-synced");
  if (result == EEG_DURABLE_OK && !start_thread (file))
    result = EEG_DURABLE_NO_MEMORY;
  if (result == EEG_DURABLE_OK) {
    *opened = file;
    return EEG_DURABLE_OK;
  }
  if (result == EEG_DURABLE_OPEN)
    *error = errno;
  if (file->created)
    unlink (file->part);
  if (file->fd >= 0)
    close (file->fd);
  free_file (file);
  return result;
}

void
eeg_durable_set_interval (EegDurableFile *file, uint64_t bytes, uint64_t time)
{
  pthread_mutex_lock (&file->lock);
  file->interval_bytes = bytes;
  file->interval_time = time;
  pthread_cond_signal (&file->work);
  pthread_cond_broadcast (&file->done);
  pthread_mutex_unlock (&file->lock);
}

EegDurableResult
eeg_durable_truncate (EegDurableFile *file, uint64_t length)
{
  bool ok = ftruncate (file->fd, (off_t) length) == 0;
  int error = errno;
  EegDurableResult result;

  EEG_FAIL_POINT ("part-cut");
  pthread_mutex_lock (&file->lock);
  if (ok)
    file->size = file->safe = file->position = length;
  else
    set_error (file, EEG_DURABLE_WRITE, error);
  result = file->result;
  pthread_mutex_unlock (&file->lock);
  return result;
}

/* --- writing ------------------------------------------------------------- */

void
eeg_durable_seek (EegDurableFile *file, uint64_t position)
{
  file->position = position;
}

/* Waits for room below the interval; *@room is how much there is. */
static EegDurableResult
wait_for_room (EegDurableFile *file, uint64_t *room)
{
  EegDurableResult result;

  pthread_mutex_lock (&file->lock);
  while (file->result == EEG_DURABLE_OK && !file->flushing
      && file->interval_bytes > 0 && file->dirty >= file->interval_bytes)
    pthread_cond_wait (&file->done, &file->lock);
  result = file->result;
  if (result == EEG_DURABLE_OK && file->position > file->size) {
    set_error (file, EEG_DURABLE_HOLE, 0);
    result = file->result;
  }
  if (result == EEG_DURABLE_OK && file->flushing)
    result = EEG_DURABLE_FLUSHING;
  *room = MAX_WRITE;
  if (file->interval_bytes > 0 && file->dirty < file->interval_bytes
      && file->interval_bytes - file->dirty < *room)
    *room = file->interval_bytes - file->dirty;
  pthread_mutex_unlock (&file->lock);
  return result;
}

/*
 * Asked before, the limit is an error as any other; run into, it is a signal
 * that ends the process.
 */
static bool
get_limit (const EegDurableFile *file, uint64_t *room)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_FSIZE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
    return true;
  if (file->position >= limit.rlim_cur)
    return false;
  if (limit.rlim_cur - file->position < *room)
    *room = limit.rlim_cur - file->position;
  return true;
}

/* Picks up to @room bytes of the pieces, @skip bytes behind their beginning. */
static int
pick_pieces (const struct iovec *pieces, int n, size_t skip, uint64_t room,
    struct iovec *picked)
{
  int i, n_picked = 0;

  for (i = 0; i < n && n_picked < MAX_PIECES && room > 0; i++) {
    size_t size = pieces[i].iov_len;

    if (skip >= size) {
      skip -= size;
      continue;
    }
    size -= skip;
    if (size > room)
      size = (size_t) room;
    picked[n_picked].iov_base = (char *) pieces[i].iov_base + skip;
    picked[n_picked].iov_len = size;
    n_picked++;
    room -= size;
    skip = 0;
  }
  return n_picked;
}

static void
add_written (EegDurableFile *file, uint64_t n)
{
  pthread_mutex_lock (&file->lock);
  if (file->dirty == 0)
    file->dirty_since = get_time ();
  /* the sync thread sleeps until there is something, or for a time */
  if (file->dirty == 0
      || (file->interval_bytes > 0 && file->dirty + n >= file->interval_bytes))
    pthread_cond_signal (&file->work);
  file->dirty += n;
  file->position += n;
  if (file->position > file->size)
    file->size = file->position;
  pthread_mutex_unlock (&file->lock);
}

EegDurableResult
eeg_durable_write (EegDurableFile *file, const struct iovec *pieces, int n,
    uint64_t *written)
{
  uint64_t total = 0;
  int i;

  *written = 0;
  for (i = 0; i < n; i++)
    total += pieces[i].iov_len;
  while (*written < total) {
    struct iovec picked[MAX_PIECES];
    EegDurableResult result;
    uint64_t room;
    ssize_t done = -1;

    result = wait_for_room (file, &room);
    if (result != EEG_DURABLE_OK)
      return result;
    errno = EFBIG;
    if (get_limit (file, &room)) {
      int n_picked = pick_pieces (pieces, n, (size_t) *written, room, picked);

      done = pwritev (file->fd, picked, n_picked, (off_t) file->position);
    }
    if (done < 0 && errno == EINTR)
      continue;
    /* a disk that takes nothing and says nothing would hold us for ever */
    if (done == 0)
      errno = ENOSPC;
    if (done <= 0) {
      int error = errno;

      pthread_mutex_lock (&file->lock);
      set_error (file, EEG_DURABLE_WRITE, error);
      result = file->result;
      pthread_mutex_unlock (&file->lock);
      return result;
    }
    add_written (file, (uint64_t) done);
    *written += (uint64_t) done;
  }
  return EEG_DURABLE_OK;
}

static EegDurableResult
wait_for_sync (EegDurableFile *file, bool may_end)
{
  EegDurableResult result;
  uint64_t wanted;

  pthread_mutex_lock (&file->lock);
  wanted = ++file->wanted;
  pthread_cond_signal (&file->work);
  while (file->result == EEG_DURABLE_OK && !(may_end && file->flushing)
      && file->reached < wanted)
    pthread_cond_wait (&file->done, &file->lock);
  result = file->result;
  if (result == EEG_DURABLE_OK && file->reached < wanted)
    result = EEG_DURABLE_FLUSHING;
  pthread_mutex_unlock (&file->lock);
  return result;
}

EegDurableResult
eeg_durable_sync (EegDurableFile *file)
{
  return wait_for_sync (file, true);
}

EegDurableResult
eeg_durable_settle (EegDurableFile *file)
{
  return wait_for_sync (file, false);
}

void
eeg_durable_set_mark_func (EegDurableFile *file, EegDurableMarkFunc func,
    void *user_data)
{
  file->mark_func = func;
  file->mark_data = user_data;
}

void
eeg_durable_mark (EegDurableFile *file, void *mark)
{
  void *dropped = NULL;

  pthread_mutex_lock (&file->lock);
  if (file->result == EEG_DURABLE_OK) {
    dropped = file->mark;
    file->mark = mark;
    pthread_cond_signal (&file->work);
  } else {
    dropped = mark;
  }
  pthread_mutex_unlock (&file->lock);
  if (dropped != NULL)
    file->mark_func (file, file->mark_data, dropped, false);
}

EegDurableResult
eeg_durable_await_marks (EegDurableFile *file)
{
  EegDurableResult result;
  bool waits;

  pthread_mutex_lock (&file->lock);
  while ((waits = file->mark != NULL || file->marking)
      && file->result == EEG_DURABLE_OK && !file->flushing)
    pthread_cond_wait (&file->done, &file->lock);
  result = file->result;
  if (result == EEG_DURABLE_OK && waits)
    result = EEG_DURABLE_FLUSHING;
  pthread_mutex_unlock (&file->lock);
  return result;
}

/* --- the end ------------------------------------------------------------- */

/* Is what has the name of PATH.part still this file? */
static bool
has_part_name (const EegDurableFile *file)
{
  struct stat by_fd, by_name;

  if (fstat (file->fd, &by_fd) < 0 || lstat (file->part, &by_name) < 0)
    return false;
  errno = ESTALE;
  return by_fd.st_dev == by_name.st_dev && by_fd.st_ino == by_name.st_ino;
}

/* Never replaces a file that came up meanwhile, unless told, nor gives the name
 * to a file that somebody put in this one's place. */
static bool
give_name (EegDurableFile *file)
{
  if (!has_part_name (file))
    return false;
  if (file->mode == EEG_DURABLE_OVERWRITE)
    return rename (file->part, file->path) == 0;
  if (renameat2 (AT_FDCWD, file->part, AT_FDCWD, file->path, RENAME_NOREPLACE)
      == 0)
    return true;
  if (errno != EINVAL && errno != ENOSYS)
    return false;
  /* a file system that cannot, but may know links */
  return link (file->part, file->path) == 0 && unlink (file->part) == 0;
}

EegDurableResult
eeg_durable_finish (EegDurableFile *file)
{
  EegDurableResult result = wait_for_sync (file, false);
  bool ok;
  int error;

  if (result != EEG_DURABLE_OK || file->finished)
    return result;
  EEG_FAIL_POINT ("whole");
  ok = give_name (file);
  error = errno;
  if (ok) {
    EEG_FAIL_POINT ("named");
    file->finished = true;
    ok = eeg_durable_sync_folder (file->path);
    error = errno;
    EEG_FAIL_POINT ("name-synced");
  }
  if (ok)
    return EEG_DURABLE_OK;
  pthread_mutex_lock (&file->lock);
  set_error (file, EEG_DURABLE_RENAME, error);
  pthread_mutex_unlock (&file->lock);
  return EEG_DURABLE_RENAME;
}

void
eeg_durable_stop (EegDurableFile *file)
{
  if (file->stopped)
    return;
  wait_for_sync (file, false);
  stop_thread (file);
  file->stopped = true;
  if (file->mark != NULL)
    file->mark_func (file, file->mark_data, file->mark, false);
}

EegDurableResult
eeg_durable_close (EegDurableFile *file, EegDurableCounts *counts, int *error)
{
  EegDurableResult result;

  eeg_durable_stop (file);
  eeg_durable_get_counts (file, counts);
  *error = eeg_durable_get_errno (file);
  result = file->result;
  if (file->created && !file->finished && counts->size == 0)
    unlink (file->part);
  /* all is on disk, or that it is not is known */
  close (file->fd);
  pthread_mutex_destroy (&file->lock);
  pthread_cond_destroy (&file->work);
  pthread_cond_destroy (&file->done);
  free_file (file);
  return result;
}

void
eeg_durable_discard (EegDurableFile *file)
{
  EegDurableCounts counts;
  int error;

  /* also what a process before created */
  file->created = true;
  eeg_durable_close (file, &counts, &error);
}

/* --- from other threads -------------------------------------------------- */

void
eeg_durable_set_flushing (EegDurableFile *file, bool flushing)
{
  pthread_mutex_lock (&file->lock);
  file->flushing = flushing;
  pthread_cond_broadcast (&file->done);
  pthread_mutex_unlock (&file->lock);
}

int
eeg_durable_get_fd (const EegDurableFile *file)
{
  return file->fd;
}

bool
eeg_durable_identify (EegDurableFile *file, uint64_t *device, uint64_t *inode)
{
  struct stat s;

  if (fstat (file->fd, &s) < 0)
    return false;
  *device = (uint64_t) s.st_dev;
  *inode = (uint64_t) s.st_ino;
  return true;
}

void
eeg_durable_get_counts (EegDurableFile *file, EegDurableCounts *counts)
{
  pthread_mutex_lock (&file->lock);
  counts->size = file->size;
  counts->safe = file->safe;
  counts->unsafe = file->dirty + file->syncing;
  counts->syncs = file->syncs;
  counts->longest_sync = file->longest_sync;
  counts->current_sync =
      file->sync_began > 0 ? get_time () - file->sync_began : 0;
  pthread_mutex_unlock (&file->lock);
}

int
eeg_durable_get_errno (EegDurableFile *file)
{
  int error;

  pthread_mutex_lock (&file->lock);
  error = file->error;
  pthread_mutex_unlock (&file->lock);
  return error;
}
