/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gsteegparts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <glib/gstdio.h>
#include <gst/base/gstbasesrc.h>

#include "digest.h"
#include "gsteegcheckpointer.h"

#define SUFFIX ".part"

/*
 * A saved state (little-endian): u8 version, u8 link, u8 is-bytes, 5 bytes 0;
 * u64 number, first; i64 origin; the BLAKE3 of the part before; the recording.
 */
#define STATE_VERSION 1
#define STATE_SIZE (32 + GST_EEG_PART_HASH_SIZE + GST_EEG_PART_UUID_SIZE)

/* --- the pipeline -------------------------------------------------------- */

static gboolean
check_stage (GstEegStage *stage, gboolean *needs_label, gboolean *is_live,
    GError **error)
{
  GstEegPartSupport support = gst_eeg_stage_get_part_support (stage);

  switch (gst_eeg_stage_get_kind (stage)) {
    case GST_EEG_STAGE_KIND_ACQUISITION:
      *is_live |= GST_IS_BASE_SRC (stage)
          && gst_base_src_is_live (GST_BASE_SRC (stage));
      if (!gst_eeg_checkpointer_sends_barriers (stage)) {
        g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
            "%s sends no barriers, at which parts could end; set its "
            "checkpoint-interval",
            GST_OBJECT_NAME (stage));
        return FALSE;
      }
      break;
    case GST_EEG_STAGE_KIND_ENCRYPTION:
      *needs_label = TRUE;
      break;
    default:
      break;
  }
  if (support == GST_EEG_PART_SUPPORT_NONE) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "%s cannot end a file and begin another one with the settings it has",
        GST_OBJECT_NAME (stage));
    return FALSE;
  }
  return TRUE;
}

/* The first one on the way of the data: what comes behind may be anything. */
GstEegStage *
gst_eeg_parts_find_label_stage (GPtrArray *stages)
{
  guint i;

  for (i = stages->len; i > 0; i--) {
    GstElement *element = g_ptr_array_index (stages, i - 1);

    if (GST_IS_EEG_STAGE (element)
        && gst_eeg_stage_get_part_support (GST_EEG_STAGE (element))
            == GST_EEG_PART_SUPPORT_LABELS)
      return GST_EEG_STAGE (element);
  }
  return NULL;
}

/* Its streams do not end their parts at one place. */
static gboolean
check_demuxers (GstPad *sink_pad, GPtrArray *stages, GError **error)
{
  GPtrArray *sinks = gst_eeg_checkpointer_find_sinks (sink_pad, error);
  gboolean ok = sinks != NULL;
  guint i;

  for (i = 0; ok && i < stages->len && sinks->len > 1; i++) {
    GstElement *element = g_ptr_array_index (stages, i);

    ok = !gst_eeg_checkpointer_is_demuxer (element);
    if (!ok)
      g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
          "%s and %s record what comes from the same demuxer, %s",
          GST_OBJECT_NAME (g_ptr_array_index (sinks, 0)),
          GST_OBJECT_NAME (g_ptr_array_index (sinks, 1)),
          GST_OBJECT_NAME (element));
  }
  g_clear_pointer (&sinks, g_ptr_array_unref);
  return ok;
}

GPtrArray *
gst_eeg_parts_find_stages (GstPad *sink_pad, gboolean *is_live, GError **error)
{
  GPtrArray *stages = gst_eeg_checkpointer_find_stages (sink_pad, TRUE, error);
  gboolean needs_label = FALSE, ok = stages != NULL;
  guint i;

  *is_live = FALSE;
  ok = ok && check_demuxers (sink_pad, stages, error);
  for (i = 0; ok && i < stages->len; i++) {
    GstElement *element = g_ptr_array_index (stages, i);

    if (GST_IS_EEG_STAGE (element))
      ok = check_stage (GST_EEG_STAGE (element), &needs_label, is_live, error);
  }
  if (ok && needs_label && gst_eeg_parts_find_label_stage (stages) == NULL) {
    g_set_error_literal (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "nothing before the cipher can say which part of which recording it is, "
        "so that a part could be left out unnoticed; put a container or zstdenc "
        "before it");
    ok = FALSE;
  }
  if (!ok)
    g_clear_pointer (&stages, g_ptr_array_unref);
  return stages;
}

void
gst_eeg_parts_tell (GPtrArray *stages, const GstEegPart *part)
{
  GstEegStage *label_stage = gst_eeg_parts_find_label_stage (stages);
  guint i;

  for (i = 0; i < stages->len; i++) {
    GstElement *element = g_ptr_array_index (stages, i);
    GstEegStage *stage;
    GstEegPart told;

    if (!GST_IS_EEG_STAGE (element))
      continue;
    stage = GST_EEG_STAGE (element);
    if (part == NULL) {
      gst_eeg_stage_set_part (stage, NULL);
      continue;
    }
    told = *part;
    told.digest =
        stage == label_stage ? eeg_digest_find ("blake3", NULL) : NULL;
    gst_eeg_stage_set_part (stage, &told);
  }
}

/* --- parts on disk ------------------------------------------------------- */

static void
note_part (const gchar *location, gchar *path, gpointer data)
{
  GstEegPartsFound *found = data;
  gboolean unfinished = g_str_has_suffix (path, SUFFIX);
  guint64 number;
  GStatBuf s;

  if (unfinished)
    path[strlen (path) - strlen (SUFFIX)] = '\0';
  if (!gst_eeg_part_parse_location (location, path, &number)
      || number < found->number)
    return;
  if (unfinished)
    path[strlen (path)] = SUFFIX[0];
  /* one without a byte in it is as good as none */
  if (g_stat (path, &s) < 0 || (unfinished && s.st_size == 0))
    return;
  if (number == found->number && unfinished)
    return;
  found->number = number;
  found->unfinished = unfinished;
  found->written = (gint64) s.st_mtim.tv_sec * G_USEC_PER_SEC
      + (gint64) s.st_mtim.tv_nsec / 1000;
}

typedef void (*NoteFunc) (const gchar *location, gchar *path, gpointer data);

/* Calls @note for each file in the folder of the parts. */
static void
read_folder (const gchar *any_part, const gchar *location, NoteFunc note,
    gpointer data)
{
  gchar *folder = g_strdup (any_part), *slash = strrchr (folder, '/');
  const gchar *name;
  GDir *dir;

  (slash != NULL ? slash + 1 : folder)[0] = '\0';
  /* one that cannot be read is an error when the file is opened */
  dir = g_dir_open (*folder != '\0' ? folder : ".", 0, NULL);
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    gchar *path = g_strconcat (folder, name, NULL);

    note (location, path, data);
    g_free (path);
  }
  if (dir != NULL)
    g_dir_close (dir);
  g_free (folder);
}

gboolean
gst_eeg_parts_find_last (const gchar *location, GstEegPartsFound *found,
    GError **error)
{
  gchar *any_part = gst_eeg_part_make_location (location, 1, error);

  memset (found, 0, sizeof *found);
  if (any_part == NULL)
    return FALSE;
  read_folder (any_part, location, note_part, found);
  g_free (any_part);
  return TRUE;
}

static void
remove_unfinished (const gchar *location, gchar *path, gpointer data)
{
  const guint64 *last = data;
  gchar *name;
  guint64 number;

  if (!g_str_has_suffix (path, SUFFIX))
    return;
  name = g_strndup (path, strlen (path) - strlen (SUFFIX));
  if (gst_eeg_part_parse_location (location, name, &number) && number > *last)
    g_unlink (path);
  g_free (name);
}

void
gst_eeg_parts_remove_unfinished (const gchar *location, guint64 number)
{
  gchar *any_part = gst_eeg_part_make_location (location, 1, NULL);

  if (any_part != NULL)
    read_folder (any_part, location, remove_unfinished, &number);
  g_free (any_part);
}

/* --- checkpoints --------------------------------------------------------- */

gboolean
gst_eeg_parts_save (EegCheckpoint *checkpoint, GstElement *sink,
    const GstEegPart *next)
{
  EegCheckpointStage *stages =
      realloc (checkpoint->stages, (checkpoint->n_stages + 1) * sizeof *stages);
  EegCheckpointStage *to;
  guint8 *blob;

  if (stages == NULL)
    return FALSE;
  checkpoint->stages = stages;
  to = &stages[checkpoint->n_stages++];
  to->name = strdup (GST_OBJECT_NAME (sink));
  to->factory = strdup (GST_EEG_CHECKPOINTER_PARTS);
  to->settings = strdup ("");
  to->state = blob = calloc (1, STATE_SIZE);
  to->state_size = blob != NULL ? STATE_SIZE : 0;
  if (to->name == NULL || to->factory == NULL || to->settings == NULL
      || blob == NULL)
    return FALSE;
  blob[0] = STATE_VERSION;
  blob[1] = (guint8) next->link;
  blob[2] = (guint8) next->is_bytes;
  GST_WRITE_UINT64_LE (blob + 8, next->number);
  GST_WRITE_UINT64_LE (blob + 16, next->first);
  GST_WRITE_UINT64_LE (blob + 24, (guint64) next->origin);
  memcpy (blob + 32, next->previous, GST_EEG_PART_HASH_SIZE);
  memcpy (blob + 32 + GST_EEG_PART_HASH_SIZE, next->recording,
      GST_EEG_PART_UUID_SIZE);
  return TRUE;
}

gboolean
gst_eeg_parts_restore (const EegCheckpoint *checkpoint, GstEegPart *next,
    const gchar **reason)
{
  const EegCheckpointStage *from;
  const guint8 *blob;

  *reason = "it is that of a recording without parts";
  if (checkpoint->n_stages == 0)
    return FALSE;
  from = &checkpoint->stages[checkpoint->n_stages - 1];
  if (strcmp (from->factory, GST_EEG_CHECKPOINTER_PARTS) != 0)
    return FALSE;
  blob = from->state;
  *reason = "what was saved is no state of this version for the parts";
  if (from->state_size != STATE_SIZE || blob[0] != STATE_VERSION
      || blob[1] > GST_EEG_PART_LINK_INTERRUPTED)
    return FALSE;
  gst_eeg_part_init (next, blob + 32 + GST_EEG_PART_HASH_SIZE,
      GST_READ_UINT64_LE (blob + 8));
  next->link = blob[1];
  next->is_bytes = blob[2] != 0;
  next->first = GST_READ_UINT64_LE (blob + 16);
  next->origin = (gint64) GST_READ_UINT64_LE (blob + 24);
  memcpy (next->previous, blob + 32, GST_EEG_PART_HASH_SIZE);
  return next->number > 0;
}
