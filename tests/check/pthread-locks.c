/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GMutex and GCond of pthread locks, to be preloaded for helgrind: those of
 * GLib are futexes, which it cannot see, so that all that they guard looks like
 * a race. As GLib does where there are no futexes, the pthread object hangs on
 * the pointer in the GLib one and is made at first use. GLib's calls of its own
 * functions stay inside GLib; no lock is used from both sides.
 */
#include <glib.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

static void *
get_once (gpointer *place, void *(*make) (void), void (*drop) (void *))
{
  void *object = __atomic_load_n (place, __ATOMIC_ACQUIRE);

  if (object == NULL) {
    void *expected = NULL;

    object = make ();
    if (!__atomic_compare_exchange_n (place, &expected, object, 0,
            __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
      drop (object);
      object = expected;
    }
  }
  return object;
}

static void *
make_mutex (void)
{
  pthread_mutex_t *mutex = malloc (sizeof *mutex);

  if (mutex == NULL || pthread_mutex_init (mutex, NULL) != 0)
    abort ();
  return mutex;
}

static void
drop_mutex (void *mutex)
{
  pthread_mutex_destroy (mutex);
  free (mutex);
}

static void *
make_cond (void)
{
  pthread_cond_t *cond = malloc (sizeof *cond);
  pthread_condattr_t attributes;

  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  if (cond == NULL || pthread_cond_init (cond, &attributes) != 0)
    abort ();
  pthread_condattr_destroy (&attributes);
  return cond;
}

static void
drop_cond (void *cond)
{
  pthread_cond_destroy (cond);
  free (cond);
}

static pthread_mutex_t *
mutex_of (GMutex *mutex)
{
  return get_once (&mutex->p, make_mutex, drop_mutex);
}

static pthread_cond_t *
cond_of (GCond *cond)
{
  return get_once (&cond->p, make_cond, drop_cond);
}

void
g_mutex_init (GMutex *mutex)
{
  mutex->p = NULL;
}

void
g_mutex_clear (GMutex *mutex)
{
  if (mutex->p != NULL)
    drop_mutex (mutex->p);
  mutex->p = NULL;
}

void
g_mutex_lock (GMutex *mutex)
{
  pthread_mutex_lock (mutex_of (mutex));
}

gboolean
g_mutex_trylock (GMutex *mutex)
{
  return pthread_mutex_trylock (mutex_of (mutex)) == 0;
}

void
g_mutex_unlock (GMutex *mutex)
{
  pthread_mutex_unlock (mutex_of (mutex));
}

void
g_cond_init (GCond *cond)
{
  cond->p = NULL;
}

void
g_cond_clear (GCond *cond)
{
  if (cond->p != NULL)
    drop_cond (cond->p);
  cond->p = NULL;
}

void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  pthread_cond_wait (cond_of (cond), mutex_of (mutex));
}

gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  struct timespec until = { end_time / G_USEC_PER_SEC,
    end_time % G_USEC_PER_SEC * 1000 };

  return pthread_cond_timedwait (cond_of (cond), mutex_of (mutex), &until)
      != ETIMEDOUT;
}

void
g_cond_signal (GCond *cond)
{
  pthread_cond_signal (cond_of (cond));
}

void
g_cond_broadcast (GCond *cond)
{
  pthread_cond_broadcast (cond_of (cond));
}
