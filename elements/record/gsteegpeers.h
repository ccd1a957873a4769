/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_PEERS_H__
#define __GST_EEG_PEERS_H__

#include <glib.h>

#include "checkpoint.h"

G_BEGIN_DECLS

/*
 * Sinks behind one tee, each with a sidecar of its own, that go on from the
 * same checkpoint: the newest one that all of them have stored.
 */

typedef struct
{
  gchar *sidecar;
  gchar *location;
} GstEegPeer;

GstEegPeer *gst_eeg_peer_new (const gchar *sidecar, const gchar *location);

void gst_eeg_peer_free (GstEegPeer *peer);

/* Whether all of @peers, of GstEegPeer or NULL, can go on from a checkpoint. */
gboolean gst_eeg_peers_have (GPtrArray *peers, guint64 id);

/*
 * Stores a checkpoint in @sidecar such that the newest one that all @peers have
 * stays. Where another sink is behind, it is left out (*@stored is FALSE), but
 * for the last one.
 */
EegCheckpointResult gst_eeg_peers_store (GPtrArray *peers, const gchar *sidecar,
    const EegCheckpoint *checkpoint, gboolean *stored);

G_END_DECLS

#endif /* __GST_EEG_PEERS_H__ */
