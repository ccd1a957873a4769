/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* EEGPack files chunk by chunk, for eeg-repair: docs/design/eegpack.md */

#ifndef EEG_REPAIR_EEGPACK_H
#define EEG_REPAIR_EEGPACK_H

#include <glib.h>

#include "eegpack.h"

/* A chunk that is whole, and its bytes; FALSE: that was enough. */
typedef gboolean (*PackFunc) (gpointer user_data,
    const eeg_eegpack_chunk *chunk, const guint8 *data);

/* Goes over what comes in pieces of any size. What is damaged is stepped over.
 */
typedef struct
{
  PackFunc func;
  gpointer user_data;
  GByteArray *rest; /* of a chunk */
  guint64 at;       /* of its beginning in the file */
  gboolean has_magic;
  gboolean is_over;           /* the file's last chunk was seen */
  eeg_eegpack_header *header; /* NULL: none yet */
  guint64 lost;               /* bytes that were stepped over */
  guint64 first_lost;         /* where the first of them is */
  guint64 blocks;
  guint64 ends[EEG_EEGPACK_MAX_STREAMS]; /* frames, lost ones too */
} PackWalk;

void pack_walk_init (PackWalk *walk, PackFunc func, gpointer user_data);
void pack_walk_clear (PackWalk *walk);
gboolean pack_walk_take (gpointer walk, const guint8 *data, gsize size);
void pack_walk_end (PackWalk *walk);
gchar *pack_walk_describe_damage (const PackWalk *walk);

gboolean pack_is_file (const guint8 *data, gsize size);
gboolean pack_get_number (const eeg_eegpack_header *header, const gchar *name,
    gint64 *number);
gboolean pack_is_same_layout (const eeg_eegpack_header *a,
    const eeg_eegpack_header *b);

/* FALSE: it could not, and said so. */
typedef gboolean (
    *PackWrite) (gpointer user_data, gconstpointer data, gsize size);

/* Writes chunks, and an index of them. */
typedef struct
{
  PackWrite write;
  gpointer user_data;
  guint n_streams;
  guint64 offset;
  guint64 index; /* where the last one begins, or 0 */
  GArray *entries;
  guint64 blocks;
  guint64 totals[EEG_EEGPACK_MAX_STREAMS];
} PackWriter;

void pack_writer_init (PackWriter *writer, PackWrite write, gpointer user_data,
    guint n_streams);
void pack_writer_clear (PackWriter *writer);
gboolean pack_writer_add (PackWriter *writer, gconstpointer data, gsize size);
gboolean pack_writer_add_block (PackWriter *writer,
    const eeg_eegpack_data *block, guint64 shift);
gboolean pack_writer_add_marker (PackWriter *writer,
    const eeg_eegpack_marker *marker);
gboolean pack_writer_end (PackWriter *writer);

#endif
