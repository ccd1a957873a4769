/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gsteegpeers.h"

#include <fcntl.h>
#include <unistd.h>

/* Sinks behind one tee look at each other's sidecars. This is held while they
 * do, by their files' threads and while they start, over nothing but that. */
static GMutex peers_lock;

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

/* Whether all others have stored nothing newer than this sink, or just what it
 * is about to store: so all come to the same one before any goes further. */
static gboolean
are_in_step (GPtrArray *peers, guint64 newest, guint64 next)
{
  gboolean ok = TRUE;
  guint i;

  for (i = 0; i < peers->len && ok; i++) {
    const GstEegPeer *peer = g_ptr_array_index (peers, i);
    EegCheckpoint *checkpoint;
    guint64 id = 0;

    if (eeg_checkpoint_load (peer->sidecar, EEG_CHECKPOINT_NEWEST, &checkpoint)
        == EEG_CHECKPOINT_OK) {
      id = checkpoint->id;
      eeg_checkpoint_free (checkpoint);
    }
    ok = id == newest || id == next;
  }
  return ok;
}

EegCheckpointResult
gst_eeg_peers_store (GPtrArray *peers, const gchar *sidecar,
    const EegCheckpoint *checkpoint, gboolean *stored)
{
  EegCheckpointResult result = EEG_CHECKPOINT_OK;
  EegCheckpoint *newest = NULL;

  *stored = TRUE;
  if (peers == NULL)
    return eeg_checkpoint_store (sidecar, checkpoint);
  g_mutex_lock (&peers_lock);
  if (eeg_checkpoint_load (sidecar, EEG_CHECKPOINT_NEWEST, &newest)
      == EEG_CHECKPOINT_OK) {
    if (!checkpoint->complete)
      *stored = are_in_step (peers, newest->id, checkpoint->id);
    else if (!gst_eeg_peers_have (peers, newest->id))
      result = eeg_checkpoint_drop_newest (sidecar);
    eeg_checkpoint_free (newest);
  }
  if (result == EEG_CHECKPOINT_OK && *stored)
    result = eeg_checkpoint_store (sidecar, checkpoint);
  g_mutex_unlock (&peers_lock);
  return result;
}
