/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_NAMES_H__
#define __GST_EEG_NAMES_H__

#include <gst/gst.h>

#include "checkpoint.h"

G_BEGIN_DECLS

/*
 * A recording has several files, and the names of some are the user's: none of
 * them may be what another one is, or what somebody else needs.
 */

/* Are two paths those of one file, whether it is there or not? */
gboolean gst_eeg_names_are_same (const gchar *a, const gchar *b);

/*
 * Whether a recording to @location, in parts or not, with its checkpoints in
 * @sidecar (or NULL), writes over nothing that is not its own: its own input,
 * if that is a file (or NULL), its output by its checkpoints, or a file that is
 * no sidecar. FALSE with @error set if it would.
 */
gboolean gst_eeg_names_check (const gchar *location, gboolean parts,
    const gchar *sidecar, const gchar *input, GError **error);

/* Does @checkpoint say that it is one of a recording to @location? Where that
 * lies does not matter. */
gboolean gst_eeg_names_match (const gchar *location, gboolean parts,
    const EegCheckpoint *checkpoint);

/*
 * Whether a recording to @location may begin anew in @sidecar: FALSE with
 * @error set if another one, which is not whole, goes on from there.
 */
gboolean gst_eeg_names_check_sidecar (const gchar *location, gboolean parts,
    const gchar *sidecar, GError **error);

G_END_DECLS

#endif /* __GST_EEG_NAMES_H__ */
