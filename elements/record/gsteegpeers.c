/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gsteegpeers.h"

#include <fcntl.h>
#include <unistd.h>

/* A sink that takes part. */
typedef struct
{
  GstEegPeer *peer;
  GObject *owner;
  GstEegPeersFunc func;
  GQueue waiting; /* checkpoints that not all have come to, the oldest first */
} Member;

/* Sinks behind one tee store checkpoints for each other. This is held while
 * they do, over nothing but that; it protects the members, by their
 * sidecars. */
static GMutex peers_lock;
static GHashTable *members;

/* What is to be said once the lock is free. */
typedef struct
{
  GObject *owner;
  GstEegPeersFunc func;
  EegCheckpoint *checkpoint;
  EegCheckpointResult result;
} Report;

GstEegPeer *
gst_eeg_peer_new (const gchar *sidecar, const gchar *location)
{
  GstEegPeer *peer = g_new (GstEegPeer, 1);

  peer->sidecar = g_strdup (sidecar);
  peer->location = g_strdup (location);
  return peer;
}

void
gst_eeg_peer_free (GstEegPeer *peer)
{
  g_free (peer->sidecar);
  g_free (peer->location);
  g_free (peer);
}

/* Whether the output is there to which a sidecar belongs, finished or not; it
 * may lie elsewhere than at the checkpoint. */
static gboolean
fits_output (const EegCheckpoint *checkpoint, const gchar *location)
{
  gchar *part = g_strconcat (location, ".part", NULL);
  int fd = open (part, O_RDONLY | O_CLOEXEC);
  gboolean fits;

  if (fd < 0)
    fd = open (location, O_RDONLY | O_CLOEXEC);
  fits = fd >= 0 && eeg_checkpoint_fits (checkpoint, fd);
  if (fd >= 0)
    close (fd);
  g_free (part);
  return fits;
}

/* Whether a recording can go on from the checkpoint of a number. One that has
 * not begun has that before all others. */
static gboolean
has_checkpoint (const GstEegPeer *peer, guint64 id)
{
  gboolean has = FALSE, is_new = TRUE;
  EegCheckpointGeneration generation;

  for (generation = EEG_CHECKPOINT_NEWEST;
       generation <= EEG_CHECKPOINT_PREVIOUS && !has; generation++) {
    EegCheckpoint *checkpoint;
    EegCheckpointResult result =
        eeg_checkpoint_load (peer->sidecar, generation, &checkpoint);

    is_new = is_new && result == EEG_CHECKPOINT_MISSING;
    if (result == EEG_CHECKPOINT_OK) {
      has = checkpoint->id == id && fits_output (checkpoint, peer->location);
      eeg_checkpoint_free (checkpoint);
    }
  }
  return has || (is_new && id == 0);
}

gboolean
gst_eeg_peers_have (GPtrArray *peers, guint64 id)
{
  gboolean have = TRUE;
  guint i;

  for (i = 0; peers != NULL && i < peers->len && have; i++)
    have = has_checkpoint (g_ptr_array_index (peers, i), id);
  return have;
}

static void
free_member (gpointer data)
{
  Member *member = data;

  g_queue_clear_full (&member->waiting, (GDestroyNotify) eeg_checkpoint_free);
  gst_eeg_peer_free (member->peer);
  g_free (member);
}

void
gst_eeg_peers_join (const GstEegPeer *peer, GObject *owner,
    GstEegPeersFunc func)
{
  Member *member = g_new0 (Member, 1);

  member->peer = gst_eeg_peer_new (peer->sidecar, peer->location);
  member->owner = owner;
  member->func = func;
  g_queue_init (&member->waiting);
  g_mutex_lock (&peers_lock);
  if (members == NULL)
    members =
        g_hash_table_new_full (g_str_hash, g_str_equal, NULL, free_member);
  g_hash_table_replace (members, member->peer->sidecar, member);
  g_mutex_unlock (&peers_lock);
}

void
gst_eeg_peers_leave (const gchar *sidecar)
{
  g_mutex_lock (&peers_lock);
  if (members != NULL)
    g_hash_table_remove (members, sidecar);
  g_mutex_unlock (&peers_lock);
}

static GList *
find_waiting (Member *member, guint64 id)
{
  GList *l;

  for (l = member->waiting.head; l != NULL; l = l->next)
    if (((const EegCheckpoint *) l->data)->id == id)
      break;
  return l;
}

/* Whether a sink has come so far. One in which nothing waits has stored all
 * that it had, or was whole from the beginning. */
static gboolean
has_reached (const GstEegPeer *peer, guint64 id)
{
  Member *member = g_hash_table_lookup (members, peer->sidecar);

  return member == NULL || g_queue_is_empty (&member->waiting)
      ? has_checkpoint (peer, id)
      : find_waiting (member, id) != NULL;
}

/* The newest one that waits here to which all others have come. */
static gboolean
find_common (const Member *me, GPtrArray *peers, guint64 *id)
{
  GList *l;
  guint i;

  for (l = me->waiting.tail; l != NULL; l = l->prev) {
    *id = ((const EegCheckpoint *) l->data)->id;
    for (i = 0; i < peers->len; i++)
      if (!has_reached (g_ptr_array_index (peers, i), *id))
        break;
    if (i == peers->len)
      return TRUE;
  }
  return FALSE;
}

/* Stores what all others have, or are about to. The newest one that all have
 * stays: so what is not such a one goes. transfer full checkpoint */
static void
store (const Member *member, const Member *me, GPtrArray *peers,
    EegCheckpoint *checkpoint, GSList **reports)
{
  const gchar *sidecar = member->peer->sidecar;
  Report *report = g_new (Report, 1);
  EegCheckpointResult result = EEG_CHECKPOINT_OK;
  EegCheckpoint *newest;
  gboolean is_common;
  guint i;

  if (eeg_checkpoint_load (sidecar, EEG_CHECKPOINT_NEWEST, &newest)
      == EEG_CHECKPOINT_OK) {
    is_common = member == me || has_checkpoint (me->peer, newest->id);
    for (i = 0; i < peers->len && is_common; i++) {
      const GstEegPeer *peer = g_ptr_array_index (peers, i);

      is_common = g_str_equal (peer->sidecar, sidecar)
          || has_checkpoint (peer, newest->id);
    }
    if (!is_common)
      result = eeg_checkpoint_drop_newest (sidecar);
    eeg_checkpoint_free (newest);
  }
  if (result == EEG_CHECKPOINT_OK)
    result = eeg_checkpoint_store (sidecar, checkpoint);
  report->owner = g_object_ref (member->owner);
  report->func = member->func;
  report->checkpoint = checkpoint;
  report->result = result;
  *reports = g_slist_append (*reports, report);
}

/* The one that waits, without those before it, which nobody needs any more. */
static void
store_waiting (Member *member, const Member *me, GPtrArray *peers, guint64 id,
    GSList **reports)
{
  EegCheckpoint *checkpoint;

  while ((checkpoint = g_queue_pop_head (&member->waiting)) != NULL
      && checkpoint->id < id)
    eeg_checkpoint_free (checkpoint);
  if (checkpoint != NULL)
    store (member, me, peers, checkpoint, reports);
}

void
gst_eeg_peers_store (GPtrArray *peers, const gchar *sidecar,
    EegCheckpoint *checkpoint)
{
  GSList *reports = NULL, *l;
  Member *me, *other;
  guint64 id;
  guint i;

  g_mutex_lock (&peers_lock);
  me = g_hash_table_lookup (members, sidecar);
  if (checkpoint->complete) {
    g_queue_clear_full (&me->waiting, (GDestroyNotify) eeg_checkpoint_free);
    store (me, me, peers, checkpoint, &reports);
  } else {
    g_queue_push_tail (&me->waiting, checkpoint);
    if (find_common (me, peers, &id)) {
      store_waiting (me, me, peers, id, &reports);
      for (i = 0; i < peers->len; i++) {
        const GstEegPeer *peer = g_ptr_array_index (peers, i);

        other = g_hash_table_lookup (members, peer->sidecar);
        if (other != NULL && find_waiting (other, id) != NULL)
          store_waiting (other, me, peers, id, &reports);
      }
    }
  }
  g_mutex_unlock (&peers_lock);
  for (l = reports; l != NULL; l = l->next) {
    Report *report = l->data;

    report->func (report->owner, report->checkpoint, report->result);
    eeg_checkpoint_free (report->checkpoint);
    g_object_unref (report->owner);
    g_free (report);
  }
  g_slist_free (reports);
}
