/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gsteegpeers.h"

#include <fcntl.h>
#include <unistd.h>

/* Sinks behind one tee look at each other's sidecars. This is held while they
 * do, by their files' threads and while they start, over nothing but that. */
static GMutex peers_lock;

/* Whether the output is there to which a sidecar belongs, finished or not. */
static gboolean
fits_output (const EegCheckpoint *checkpoint)
{
  gchar *part = g_strconcat (checkpoint->output.path, ".part", NULL);
  int fd = open (part, O_RDONLY | O_CLOEXEC);
  gboolean fits;

  if (fd < 0)
    fd = open (checkpoint->output.path, O_RDONLY | O_CLOEXEC);
  fits = fd >= 0 && eeg_checkpoint_fits (checkpoint, fd);
  if (fd >= 0)
    close (fd);
  g_free (part);
  return fits;
}

/* Whether a recording can go on from the checkpoint of a number. One that has
 * not begun has that before all others. */
static gboolean
has_checkpoint (const gchar *sidecar, guint64 id)
{
  gboolean has = FALSE, is_new = TRUE;
  EegCheckpointGeneration generation;

  for (generation = EEG_CHECKPOINT_NEWEST;
       generation <= EEG_CHECKPOINT_PREVIOUS && !has; generation++) {
    EegCheckpoint *checkpoint;
    EegCheckpointResult result =
        eeg_checkpoint_load (sidecar, generation, &checkpoint);

    is_new = is_new && result == EEG_CHECKPOINT_MISSING;
    if (result == EEG_CHECKPOINT_OK) {
      has = checkpoint->id == id && fits_output (checkpoint);
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
    EegCheckpoint *checkpoint;
    guint64 id = 0;

    if (eeg_checkpoint_load (g_ptr_array_index (peers, i),
            EEG_CHECKPOINT_NEWEST, &checkpoint)
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
