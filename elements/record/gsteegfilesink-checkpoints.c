/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The recording of eegfilesink that goes on after a crash. Without a stream its
 * functions belong to the state change, else to the streaming thread, but for
 * handle_mark(), which is the file's thread's.
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsteegfilesink-private.h"

#include <errno.h>
#include <string.h>

#include "gsteegnames.h"
#include "gsteegpeers.h"

#define GST_CAT_DEFAULT gst_eeg_file_sink_debug

static gboolean
has_sidecar (gconstpointer peer, gconstpointer sidecar)
{
  return strcmp (((const GstEegPeer *) peer)->sidecar, sidecar) == 0;
}

/* Why @self cannot record together with a sink behind the same tee, or NULL. */
static const gchar *
find_obstacle (const struct settings *settings, gboolean parts,
    GstElement *sink)
{
  const gchar *obstacle = NULL;
  struct settings other;
  gchar *location, *sidecar;

  if (GST_IS_EEG_FILE_SINK (sink)) {
    other = gst_eeg_file_sink_copy_settings (GST_EEG_FILE_SINK (sink));
    if (gst_eeg_file_sink_has_parts (&other) != parts)
      obstacle = parts ? "makes no parts" : "makes parts";
    else if (other.checkpoint != settings->checkpoint)
      obstacle = other.checkpoint ? "stores checkpoints" : "stores none";
    else if (other.overwrite != settings->overwrite)
      obstacle = "has another overwrite";
    else if (other.location == NULL)
      obstacle = "has no location";
    if (obstacle == NULL && settings->checkpoint) {
      location = gst_eeg_file_sink_get_sidecar (settings);
      sidecar = gst_eeg_file_sink_get_sidecar (&other);
      if (gst_eeg_names_are_same (location, sidecar))
        obstacle = "has the same checkpoint-location";
      g_free (location);
      g_free (sidecar);
    }
    gst_eeg_file_sink_clear_settings (&other);
    return obstacle;
  }
  if (parts)
    return "makes no parts";
  location = GST_IS_EEG_STAGE (sink)
      ? gst_eeg_stage_get_checkpoint_location (GST_EEG_STAGE (sink))
      : NULL;
  obstacle = location == NULL ? "stores none" : NULL;
  g_free (location);
  return obstacle;
}

GPtrArray *
gst_eeg_file_sink_find_others (GstEegFileSink *self, GError **error)
{
  GPtrArray *sinks =
      gst_eeg_checkpointer_find_sinks (GST_BASE_SINK_PAD (self), error);
  struct settings settings = gst_eeg_file_sink_copy_settings (self);
  gboolean parts = gst_eeg_file_sink_has_parts (&settings);
  guint i = 0;

  while (sinks != NULL && i < sinks->len) {
    GstElement *sink = g_ptr_array_index (sinks, i);
    const gchar *obstacle = sink != GST_ELEMENT (self)
        ? find_obstacle (&settings, parts, sink)
        : NULL;

    if (obstacle != NULL) {
      g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
          "%s stands behind the same tee or demuxer, and %s",
          GST_OBJECT_NAME (sink), obstacle);
      g_clear_pointer (&sinks, g_ptr_array_unref);
    } else if (sink == GST_ELEMENT (self) || !GST_IS_EEG_FILE_SINK (sink)) {
      g_ptr_array_remove_index (sinks, i);
    } else {
      i++;
    }
  }
  gst_eeg_file_sink_clear_settings (&settings);
  return sinks;
}

/* transfer full; the other sinks, NULL if there are none or with error set. */
static GPtrArray *
find_peers (GstEegFileSink *self, GError **error)
{
  GPtrArray *others = gst_eeg_file_sink_find_others (self, error);
  GPtrArray *peers = NULL;
  guint i;

  for (i = 0; others != NULL && i < others->len; i++) {
    struct settings other =
        gst_eeg_file_sink_copy_settings (g_ptr_array_index (others, i));
    gchar *sidecar = gst_eeg_file_sink_get_sidecar (&other);

    if (peers == NULL)
      peers =
          g_ptr_array_new_with_free_func ((GDestroyNotify) gst_eeg_peer_free);
    g_ptr_array_add (peers, gst_eeg_peer_new (sidecar, other.location));
    g_free (sidecar);
    gst_eeg_file_sink_clear_settings (&other);
  }
  g_clear_pointer (&others, g_ptr_array_unref);
  return peers;
}

/* Whether all sinks behind the same tee were there at the start. */
static gboolean
check_peers (GstEegFileSink *self, GError **error)
{
  GError *reason = NULL;
  GPtrArray *peers = find_peers (self, &reason);
  guint i;

  for (i = 0; peers != NULL && i < peers->len && reason == NULL; i++) {
    const gchar *sidecar =
        ((const GstEegPeer *) g_ptr_array_index (peers, i))->sidecar;

    if (self->resume.peers == NULL
        || !g_ptr_array_find_with_equal_func (self->resume.peers, sidecar,
            has_sidecar, NULL))
      g_set_error (&reason, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
          "a sink with its checkpoints in \"%s\" came later", sidecar);
  }
  g_clear_pointer (&peers, g_ptr_array_unref);
  if (reason == NULL)
    return TRUE;
  g_propagate_error (error, reason);
  return FALSE;
}

void
gst_eeg_file_sink_report (GObject *owner, const EegCheckpoint *checkpoint,
    EegCheckpointResult result)
{
  GstEegFileSink *self = GST_EEG_FILE_SINK (owner);

  if (result != EEG_CHECKPOINT_OK) {
    /* the one before still holds, and the recording is what matters */
    GST_ELEMENT_WARNING (self, RESOURCE, WRITE,
        ("Checkpoint %" G_GUINT64_FORMAT " could not be stored.",
            checkpoint->id),
        ("%s: %s", checkpoint->output.path,
            eeg_checkpoint_result_to_string (result)));
    return;
  }
  GST_OBJECT_LOCK (self);
  self->checkpoints++;
  self->checkpoint_id = checkpoint->id;
  GST_OBJECT_UNLOCK (self);
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self),
          gst_structure_new ("eeg-checkpoint", "id", G_TYPE_UINT64,
              checkpoint->id, "bytes", G_TYPE_UINT64, checkpoint->output.length,
              "sample-index", G_TYPE_UINT64, checkpoint->sample_index,
              "complete", G_TYPE_BOOLEAN, (gboolean) checkpoint->complete,
              NULL)));
}

/* The file's thread: all before the checkpoint is on disk. */
static void
handle_mark (EegDurableFile *file, void *user_data, void *mark, bool reached)
{
  GstEegFileSink *self = user_data;
  struct resume *resume = &self->resume;
  EegCheckpoint *checkpoint = mark;

  if (reached
      && !gst_eeg_checkpointer_set_output (checkpoint, file,
          checkpoint->output.length)) {
    gst_eeg_file_sink_report (G_OBJECT (self), checkpoint, EEG_CHECKPOINT_IO);
  } else if (reached && resume->peers != NULL) {
    gst_eeg_peers_store (resume->peers, resume->sidecar, checkpoint);
    return;
  } else if (reached) {
    gst_eeg_file_sink_report (G_OBJECT (self), checkpoint,
        eeg_checkpoint_store (resume->sidecar, checkpoint));
  }
  eeg_checkpoint_free (checkpoint);
}

gboolean
gst_eeg_file_sink_post_store_error (GstEegFileSink *self, const gchar *message,
    gint code, EegCheckpointResult result, gint error)
{
  gchar *display = g_filename_display_name (self->resume.sidecar);
  gboolean io = result == EEG_CHECKPOINT_IO;
  gchar *reason = g_strdup_printf ("\"%s\": %s", display,
      io ? g_strerror (error) : eeg_checkpoint_result_to_string (result));

  if (io && (error == ENOSPC || error == EDQUOT))
    code = GST_RESOURCE_ERROR_NO_SPACE_LEFT;
  gst_eeg_file_sink_post_refusal (self, GST_RESOURCE_ERROR, code, message,
      reason);
  g_free (reason);
  g_free (display);
  return FALSE;
}

gboolean
gst_eeg_file_sink_store_first (GstEegFileSink *self, EegDurableFile *file,
    EegCheckpoint *checkpoint)
{
  struct resume *resume = &self->resume;
  EegCheckpointResult result = EEG_CHECKPOINT_IO;
  gint error;

  if (gst_eeg_checkpointer_set_output (checkpoint, file, 0))
    result = eeg_checkpoint_store (resume->sidecar, checkpoint);
  error = errno;
  eeg_checkpoint_free (checkpoint);
  resume->fresh = result == EEG_CHECKPOINT_OK;
  if (resume->fresh)
    return TRUE;
  return gst_eeg_file_sink_post_store_error (self,
      "The first checkpoint could not be stored", GST_RESOURCE_ERROR_OPEN_WRITE,
      result, error);
}

/* Before anything is written: that what comes belongs to this recording. */
static gboolean
store_first_checkpoint (GstEegFileSink *self, EegDurableFile *file)
{
  struct resume *resume = &self->resume;
  GError *error = NULL;
  EegCheckpoint *checkpoint;

  gst_eeg_checkpointer_make_recording (resume->recording);
  checkpoint = gst_eeg_checkpointer_make (NULL, FALSE, NULL, resume->recording,
      resume->location, &error);
  if (checkpoint == NULL)
    return gst_eeg_file_sink_refuse_checkpoints (self, error);
  return gst_eeg_file_sink_store_first (self, file, checkpoint);
}

/* Bytes of an output that are the proof that a checkpoint is one of it. */
#define ENOUGH_BYTES 4096

/* Whether a checkpoint that fits to the output is one of this recording, not
 * one of another that has no more to say than that bytes are there. */
static gboolean
belongs (GstEegFileSink *self, const EegCheckpoint *checkpoint,
    EegDurableFile *file)
{
  guint64 device, inode;

  if (checkpoint->output.length >= ENOUGH_BYTES
      || gst_eeg_names_match (self->resume.location, FALSE, checkpoint))
    return TRUE;
  return file != NULL && eeg_durable_identify (file, &device, &inode)
      && device == checkpoint->output.device
      && inode == checkpoint->output.inode;
}

/* The newest checkpoint that fits to what is on disk, or NULL with the reason
 * why there is none; a reason of NULL: there was never one. */
static EegCheckpoint *
load_checkpoint (GstEegFileSink *self, EegDurableFile *file,
    const gchar **reason)
{
  EegCheckpointGeneration generation;

  *reason = NULL;
  for (generation = EEG_CHECKPOINT_NEWEST;
       generation <= EEG_CHECKPOINT_PREVIOUS; generation++) {
    EegCheckpoint *checkpoint;
    EegCheckpointResult result =
        eeg_checkpoint_load (self->resume.sidecar, generation, &checkpoint);
    gboolean fits, ours;

    if (result == EEG_CHECKPOINT_MISSING)
      continue;
    fits = result == EEG_CHECKPOINT_OK
        && gst_eeg_checkpointer_fits_file (checkpoint, file);
    ours = fits && belongs (self, checkpoint, file);
    if (ours && gst_eeg_peers_have (self->resume.peers, checkpoint->id)) {
      /* the others must not take one for common that is not any more */
      if (generation > EEG_CHECKPOINT_NEWEST && self->resume.peers != NULL)
        eeg_checkpoint_drop_newest (self->resume.sidecar);
      return checkpoint;
    }
    eeg_checkpoint_free (checkpoint);
    /* what the newest one has to say stays */
    if (*reason != NULL)
      continue;
    *reason = ours ? "the sinks behind the tee have none in common"
        : fits     ? "it is that of another recording; choose another "
                     "checkpoint-location"
        : result != EEG_CHECKPOINT_OK
        ? eeg_checkpoint_result_to_string (result)
        : "the output is shorter than it was, or ends with other bytes";
  }
  return NULL;
}

gboolean
gst_eeg_file_sink_may_retry (GstEegFileSink *self,
    const EegCheckpoint *checkpoint)
{
  GString *text;

  if (checkpoint->complete || self->resume.max_retries == 0
      || checkpoint->retries < self->resume.max_retries)
    return TRUE;
  text = g_string_new (NULL);
  g_string_append_printf (text,
      "it begins behind checkpoint %" G_GUINT64_FORMAT, checkpoint->id);
  if (checkpoint->n_stages > 0
      && checkpoint->input.position != EEG_CHECKPOINT_NONE)
    g_string_append_printf (text,
        ", at byte %" G_GUINT64_FORMAT " of the input",
        checkpoint->input.position);
  if (checkpoint->sample_index > 0)
    g_string_append_printf (text, ", at sample %" G_GUINT64_FORMAT,
        checkpoint->sample_index);
  g_string_append_printf (text,
      ", and the recording went on from there %u times without coming to the "
      "next checkpoint (max-retries=%u)",
      (guint) checkpoint->retries, self->resume.max_retries);
  gst_eeg_stage_count (&self->counters.errors, 1);
  self->state.failed = TRUE;
  GST_ELEMENT_ERROR (self, STREAM, FAILED,
      ("Chunk %" G_GUINT64_FORMAT " cannot be recorded: %s.",
          checkpoint->id + 1, text->str),
      (NULL));
  g_string_free (text, TRUE);
  return FALSE;
}

/* transfer full path */
static void
set_output (GstEegFileSink *self, gchar *path, guint64 size)
{
  GST_OBJECT_LOCK (self);
  g_free (self->output);
  self->output = path;
  self->output_size = size;
  GST_OBJECT_UNLOCK (self);
}

gboolean
gst_eeg_file_sink_answer_output (GstEegFileSink *self, GstQuery *query)
{
  gchar *path;
  guint64 size;

  GST_OBJECT_LOCK (self);
  path = g_strdup (self->output);
  size = self->output_size;
  GST_OBJECT_UNLOCK (self);
  if (path != NULL)
    gst_eeg_query_set_output (query, path, size);
  g_free (path);
  return path != NULL;
}

gboolean
gst_eeg_file_sink_restore (GstEegFileSink *self,
    const EegCheckpoint *checkpoint, GPtrArray *stages, gboolean at_end,
    GError **error)
{
  if (self->resume.restored == NULL)
    self->resume.restored = g_ptr_array_ref (stages);
  return gst_eeg_checkpointer_restore (checkpoint, stages, at_end, error);
}

void
gst_eeg_file_sink_forget_states (GstEegFileSink *self)
{
  GPtrArray *stages = g_steal_pointer (&self->resume.restored);
  guint i;

  for (i = 0; stages != NULL && i < stages->len; i++)
    if (GST_IS_EEG_STAGE (g_ptr_array_index (stages, i)))
      gst_eeg_stage_restore_state (g_ptr_array_index (stages, i), NULL, NULL);
  g_clear_pointer (&stages, g_ptr_array_unref);
}

/* transfer full checkpoint */
static gboolean
go_on (GstEegFileSink *self, EegDurableFile *file, EegCheckpoint *checkpoint,
    GPtrArray *stages)
{
  GError *error = NULL;

  self->resume.from = checkpoint;
  if (!gst_eeg_file_sink_may_retry (self, checkpoint))
    return FALSE;
  if (!gst_eeg_checkpointer_compare (checkpoint, stages, FALSE, &error)
      || !gst_eeg_file_sink_restore (self, checkpoint, stages, FALSE, &error)) {
    gst_eeg_file_sink_refuse_to_go_on (self, error->message);
    g_error_free (error);
    return FALSE;
  }
  memcpy (self->resume.recording, checkpoint->recording,
      sizeof self->resume.recording);
  self->resume.cut = self->resume.begins = TRUE;
  self->resume.cut_at = checkpoint->output.length;
  GST_INFO_OBJECT (self,
      "going on from checkpoint %" G_GUINT64_FORMAT
      " at byte %" G_GUINT64_FORMAT,
      checkpoint->id, checkpoint->output.length);
  GST_OBJECT_LOCK (self);
  self->checkpoint_id = checkpoint->id;
  GST_OBJECT_UNLOCK (self);
  if (checkpoint->complete) {
    /* only its name was missing */
    EegDurableResult result = eeg_durable_finish (file);

    if (result != EEG_DURABLE_OK) {
      gst_eeg_file_sink_post_error (self, self->resume.location, result,
          eeg_durable_get_errno (file));
      return FALSE;
    }
    self->resume.already = TRUE;
  }
  set_output (self,
      g_strconcat (self->resume.location, checkpoint->complete ? NULL : ".part",
          NULL),
      checkpoint->output.length);
  return TRUE;
}

/* A file that this same pipeline has finished before: FALSE if it is another
 * one, or the pipeline is. The stages go on at the end, so that checksums find
 * the same once more, and the source compares its input. */
static gboolean
is_finished_already (GstEegFileSink *self, GPtrArray *stages)
{
  struct resume *resume = &self->resume;
  GError *error = NULL;
  EegCheckpoint *checkpoint;
  gboolean same = FALSE;
  EegCheckpointGeneration generation;
  guint64 size;

  if (eeg_checkpoint_load (resume->sidecar, EEG_CHECKPOINT_NEWEST, &checkpoint)
      != EEG_CHECKPOINT_OK)
    return FALSE;
  size = checkpoint->output.length;
  if (checkpoint->complete
      && gst_eeg_checkpointer_fits_path (checkpoint, resume->location)
      && belongs (self, checkpoint, NULL)) {
    /* others behind the same tee may still have something to do, from before */
    for (generation = EEG_CHECKPOINT_NEWEST;
         generation <= EEG_CHECKPOINT_PREVIOUS; generation++) {
      eeg_checkpoint_free (checkpoint);
      checkpoint = NULL;
      if (eeg_checkpoint_load (resume->sidecar, generation, &checkpoint)
              == EEG_CHECKPOINT_OK
          && gst_eeg_peers_have (self->resume.peers, checkpoint->id))
        break;
    }
    same = generation <= EEG_CHECKPOINT_PREVIOUS
        && gst_eeg_checkpointer_compare (checkpoint, stages, FALSE, &error)
        && gst_eeg_file_sink_restore (self, checkpoint, stages, FALSE, &error);
  }
  eeg_checkpoint_free (checkpoint);
  if (same)
    set_output (self, g_strdup (resume->location), size);
  if (error != NULL) {
    GST_INFO_OBJECT (self, "another recording: %s", error->message);
    g_error_free (error);
  }
  return same;
}

/* A recording that was finished, and moved away, leaves room for the next one:
 * nothing of it is lost. */
static gboolean
was_whole (GstEegFileSink *self)
{
  EegCheckpoint *checkpoint;
  gboolean whole;

  if (eeg_checkpoint_load (self->resume.sidecar, EEG_CHECKPOINT_NEWEST,
          &checkpoint)
      != EEG_CHECKPOINT_OK)
    return FALSE;
  whole = checkpoint->complete;
  eeg_checkpoint_free (checkpoint);
  return whole;
}

/* Of a file that was opened to go on with it. */
static gboolean
find_checkpoint (GstEegFileSink *self, EegDurableFile *file, GPtrArray *stages)
{
  EegDurableCounts counts;
  GError *error = NULL;
  const gchar *reason;
  EegCheckpoint *checkpoint = load_checkpoint (self, file, &reason);

  eeg_durable_get_counts (file, &counts);
  if (checkpoint != NULL)
    return go_on (self, file, checkpoint, stages);
  if (counts.size == 0
      && !gst_eeg_names_check_sidecar (self->resume.location, FALSE,
          self->resume.sidecar, &error))
    return gst_eeg_file_sink_refuse_files (self, error);
  if (counts.size == 0 && (reason == NULL || was_whole (self)))
    return store_first_checkpoint (self, file);
  if (reason != NULL)
    return gst_eeg_file_sink_refuse_to_go_on (self,
        counts.size > 0 ? reason
                        : "the output is missing, or there is nothing in it");
  gst_eeg_file_sink_post_error (self, self->resume.location,
      EEG_DURABLE_UNFINISHED, 0);
  return FALSE;
}

/* Who forgets the interval has a recording that goes on from its beginning. */
static void
warn_of_no_barriers (GstEegFileSink *self, GPtrArray *stages)
{
  guint i;

  for (i = 0; i < stages->len; i++) {
    GstElement *stage = g_ptr_array_index (stages, i);

    if (GST_IS_EEG_STAGE (stage)
        && gst_eeg_stage_get_kind (GST_EEG_STAGE (stage))
            == GST_EEG_STAGE_KIND_ACQUISITION
        && !gst_eeg_checkpointer_sends_barriers (GST_EEG_STAGE (stage)))
      GST_ELEMENT_WARNING (self, LIBRARY, SETTINGS,
          ("There will be no checkpoints but those that are asked for: %s has "
           "no checkpoint-interval.",
              GST_OBJECT_NAME (stage)),
          (NULL));
  }
}

gboolean
gst_eeg_file_sink_open_with_checkpoints (GstEegFileSink *self,
    gboolean overwrite)
{
  struct resume *resume = &self->resume;
  GError *error = NULL;
  GPtrArray *stages;
  EegDurableFile *file;
  EegDurableResult result;
  EegDurableCounts counts;
  gboolean ok;
  int code;

  stages = gst_eeg_checkpointer_find_stages (GST_BASE_SINK_PAD (self), FALSE,
      &error);
  if (stages != NULL) {
    resume->peers = find_peers (self, &error);
    if (error != NULL)
      g_clear_pointer (&stages, g_ptr_array_unref);
  }
  if (stages == NULL)
    return gst_eeg_file_sink_refuse_checkpoints (self, error);
  if (overwrite
      && !gst_eeg_names_check_sidecar (resume->location, FALSE, resume->sidecar,
          &error)) {
    g_ptr_array_unref (stages);
    return gst_eeg_file_sink_refuse_files (self, error);
  }
  result = eeg_durable_open (resume->location,
      overwrite ? EEG_DURABLE_OVERWRITE : EEG_DURABLE_CONTINUE, &file, &code);
  if (result == EEG_DURABLE_EXISTS && is_finished_already (self, stages)) {
    GST_INFO_OBJECT (self, "the recording is whole already");
    resume->already = TRUE;
    g_ptr_array_unref (stages);
    return TRUE;
  }
  if (result != EEG_DURABLE_OK) {
    gst_eeg_file_sink_post_error (self, resume->location, result, code);
    g_ptr_array_unref (stages);
    return FALSE;
  }
  warn_of_no_barriers (self, stages);
  eeg_durable_set_mark_func (file, handle_mark, self);
  if (overwrite) {
    eeg_checkpoint_remove (resume->sidecar);
    ok = store_first_checkpoint (self, file);
  } else {
    ok = find_checkpoint (self, file, stages);
  }
  g_ptr_array_unref (stages);
  if (ok && resume->peers != NULL) {
    GstEegPeer own = { resume->sidecar, resume->location };

    gst_eeg_peers_join (&own, G_OBJECT (self), gst_eeg_file_sink_report);
  }
  if (ok)
    gst_eeg_file_sink_take_file (self, file);
  else
    eeg_durable_close (file, &counts, &code);
  return ok;
}

void
gst_eeg_file_sink_clear_resume (GstEegFileSink *self)
{
  struct resume *resume = &self->resume;

  g_free (resume->location);
  g_free (resume->sidecar);
  g_clear_pointer (&resume->last, gst_eeg_barrier_unref);
  eeg_checkpoint_free (resume->from);
  g_clear_pointer (&resume->peers, g_ptr_array_unref);
  g_clear_pointer (&resume->restored, g_ptr_array_unref);
  memset (resume, 0, sizeof *resume);
  set_output (self, NULL, 0);
}

void
gst_eeg_file_sink_forgive (GstEegFileSink *self)
{
  EegCheckpoint *from = self->resume.from;

  if (!self->state.disk_failed || from == NULL || from->retries == 0
      || self->checkpoints > 0)
    return;
  from->retries--;
  /* if that does not work either, one retry less is left */
  eeg_checkpoint_update (self->resume.sidecar, from);
}

/* Before anything can go wrong in what comes: a crash is a try, too. */
static gboolean
count_retry (GstEegFileSink *self)
{
  EegCheckpoint *from = self->resume.from;
  EegCheckpointResult result;
  gint error;

  if (from->retries < G_MAXUINT32)
    from->retries++;
  result = eeg_checkpoint_update (self->resume.sidecar, from);
  error = errno;
  if (result == EEG_CHECKPOINT_OK)
    return TRUE;
  return gst_eeg_file_sink_post_store_error (self,
      "That the recording goes on could not be stored",
      GST_RESOURCE_ERROR_WRITE, result, error);
}

gboolean
gst_eeg_file_sink_cut_file (GstEegFileSink *self)
{
  struct resume *resume = &self->resume;
  EegDurableResult result;

  if (resume->already)
    return TRUE;
  if (resume->from != NULL && !resume->counted) {
    if (!count_retry (self))
      return FALSE;
    resume->counted = TRUE;
    if (self->parts.enabled)
      gst_eeg_parts_remove_unfinished (self->parts.name,
          self->parts.part.number);
  }
  if (!resume->cut)
    return TRUE;
  resume->cut = FALSE;
  result = eeg_durable_truncate (self->file, resume->cut_at);
  if (result != EEG_DURABLE_OK)
    gst_eeg_file_sink_fail (self, result);
  return result == EEG_DURABLE_OK;
}

/* transfer full; what a barrier collected on its way, with all bytes before it
 * written. NULL after an error. */
static EegCheckpoint *
make_checkpoint (GstEegFileSink *self, GstEegBarrier *barrier)
{
  struct resume *resume = &self->resume;
  EegCheckpoint *checkpoint = NULL;
  GError *error = NULL;
  EegDurableCounts counts;
  GPtrArray *stages;

  /* pads may have come since the last one */
  stages = gst_eeg_checkpointer_find_stages (GST_BASE_SINK_PAD (self), FALSE,
      &error);
  if (stages != NULL && !check_peers (self, &error))
    g_clear_pointer (&stages, g_ptr_array_unref);
  if (stages != NULL) {
    checkpoint = gst_eeg_checkpointer_make (stages, FALSE, barrier,
        resume->recording, resume->location, &error);
    g_ptr_array_unref (stages);
  }
  if (checkpoint == NULL) {
    gst_eeg_file_sink_refuse_checkpoints (self, error);
    return NULL;
  }
  eeg_durable_get_counts (self->file, &counts);
  checkpoint->output.length = counts.size;
  return checkpoint;
}

gboolean
gst_eeg_file_sink_mark_barrier (GstEegFileSink *self, GstEegBarrier *barrier)
{
  struct resume *resume = &self->resume;
  EegCheckpoint *checkpoint;

  if (!gst_eeg_file_sink_cut_file (self))
    return FALSE;
  checkpoint = make_checkpoint (self, barrier);
  if (checkpoint == NULL)
    return FALSE;
  g_clear_pointer (&resume->last, gst_eeg_barrier_unref);
  resume->last = gst_eeg_barrier_ref (barrier);
  eeg_durable_mark (self->file, checkpoint);
  return TRUE;
}

void
gst_eeg_file_sink_mark_as_complete (GstEegFileSink *self)
{
  struct resume *resume = &self->resume;
  EegCheckpoint *checkpoint;

  /* without a barrier there is nothing to tell this pipeline by */
  if (resume->last == NULL)
    return;
  checkpoint = make_checkpoint (self, resume->last);
  if (checkpoint == NULL)
    return;
  checkpoint->complete = true;
  eeg_durable_mark (self->file, checkpoint);
}
