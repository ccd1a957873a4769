/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_PEERS_H__
#define __GST_EEG_PEERS_H__

#include <glib-object.h>

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

/* A checkpoint of @owner was stored, or not. On the thread of any sink's file;
 * no lock is held. */
typedef void (*GstEegPeersFunc) (GObject *owner,
    const EegCheckpoint *checkpoint, EegCheckpointResult result);

/* Takes part from now on, as what others know by the name of its sidecar. */
void gst_eeg_peers_join (const GstEegPeer *peer, GObject *owner,
    GstEegPeersFunc func);

/* No more; what waits is thrown away. Harmless without a join. */
void gst_eeg_peers_leave (const gchar *sidecar);

/*
 * All before @checkpoint (transfer full) is on disk. It is stored as soon as
 * all sinks have come to it, by the last of them for all, and waits until then;
 * the last one of a recording is stored at once, such that the newest one that
 * all have stays. Between a join and a leave.
 */
void gst_eeg_peers_store (GPtrArray *peers, const gchar *sidecar,
    EegCheckpoint *checkpoint);

G_END_DECLS

#endif /* __GST_EEG_PEERS_H__ */
