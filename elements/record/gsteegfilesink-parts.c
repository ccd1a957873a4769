/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The recording of eegfilesink that is cut into parts, each a file of its own.
 * Without a stream its functions belong to the state change, else to the
 * streaming thread.
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsteegfilesink-private.h"
#include "gsteegnames.h"

#include <errno.h>
#include <string.h>

#define GST_CAT_DEFAULT gst_eeg_file_sink_debug

gchar *
gst_eeg_file_sink_get_part_location (GstEegFileSink *self, guint64 number)
{
  return gst_eeg_part_make_location (self->parts.name, number, NULL);
}

/* Opens the part that comes next. FALSE after an error. */
static gboolean
open_part (GstEegFileSink *self)
{
  struct parts *parts = &self->parts;
  gchar *location =
      gst_eeg_file_sink_get_part_location (self, parts->part.number);
  EegDurableFile *file;
  EegDurableCounts counts;
  EegDurableResult result;
  int error;

  /* what an interrupted one left is thrown away when the stream begins */
  result = eeg_durable_open (location,
      parts->overwrite           ? EEG_DURABLE_OVERWRITE
          : self->resume.enabled ? EEG_DURABLE_CONTINUE
                                 : EEG_DURABLE_NEW,
      &file, &error);
  if (result == EEG_DURABLE_OK) {
    eeg_durable_get_counts (file, &counts);
    self->resume.cut = counts.size > 0;
    self->resume.cut_at = 0;
    eeg_durable_set_mark_func (file, gst_eeg_file_sink_handle_mark, self);
    gst_eeg_file_sink_take_file (self, file);
    parts->part.begun = g_get_real_time ();
    parts->requested = FALSE;
    parts->began = parts->first = GST_CLOCK_TIME_NONE;
  } else {
    gst_eeg_file_sink_post_error (self, location, result, error);
  }
  g_free (location);
  return result == EEG_DURABLE_OK;
}

/* What this pipeline is told by, and what comes next, once @length bytes of the
 * current part are on disk; @barrier: where it ends, or NULL if it is not known
 * yet or is the end of all. NULL after an error. */
static EegCheckpoint *
make_part_checkpoint (GstEegFileSink *self, GstEegBarrier *barrier,
    const GstEegPart *next, guint64 length)
{
  struct parts *parts = &self->parts;
  gchar *location =
      gst_eeg_file_sink_get_part_location (self, parts->part.number);
  EegCheckpoint *checkpoint;
  GError *error = NULL;

  checkpoint = gst_eeg_checkpointer_make (parts->is_live ? NULL : parts->stages,
      TRUE, barrier, parts->part.recording, location, &error);
  g_free (location);
  if (checkpoint == NULL) {
    gst_eeg_file_sink_refuse_checkpoints (self, error);
    return NULL;
  }
  if (barrier != NULL)
    checkpoint->part = (guint32) MIN (parts->part.number, G_MAXUINT32);
  checkpoint->output.length = length;
  if (gst_eeg_parts_save (checkpoint, GST_ELEMENT (self), next))
    return checkpoint;
  eeg_checkpoint_free (checkpoint);
  gst_eeg_file_sink_post_refusal (self, GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_FAILED, "No checkpoint", "not enough memory");
  return NULL;
}

static gboolean
store_first_part (GstEegFileSink *self)
{
  EegCheckpoint *checkpoint =
      make_part_checkpoint (self, NULL, &self->parts.part, 0);

  return checkpoint != NULL
      && gst_eeg_file_sink_store_first (self, self->file, checkpoint);
}

/* By its name, or because the last part, called otherwise now, is as it
 * says. */
static gboolean
belongs (GstEegFileSink *self, const EegCheckpoint *checkpoint)
{
  gchar *location;
  gboolean fits;

  if (gst_eeg_names_match (self->parts.name, TRUE, checkpoint))
    return TRUE;
  location = gst_eeg_file_sink_get_part_location (self, checkpoint->part);
  fits = checkpoint->part > 0
      && gst_eeg_checkpointer_fits_path (checkpoint, location);
  g_free (location);
  return fits;
}

/* The newest one that can be read; NULL with *reason NULL: there was none. */
static EegCheckpoint *
load_part_checkpoint (GstEegFileSink *self, const gchar **reason)
{
  EegCheckpointGeneration generation;
  const gchar *why;

  *reason = NULL;
  for (generation = EEG_CHECKPOINT_NEWEST;
       generation <= EEG_CHECKPOINT_PREVIOUS; generation++) {
    EegCheckpoint *checkpoint;
    EegCheckpointResult result =
        eeg_checkpoint_load (self->resume.sidecar, generation, &checkpoint);

    if (result == EEG_CHECKPOINT_OK) {
      gboolean ok = gst_eeg_parts_restore (checkpoint, &self->parts.part, &why);

      if (ok && !belongs (self, checkpoint)) {
        why = "it is that of another recording; choose another "
              "checkpoint-location";
        ok = FALSE;
      } else if (ok
          && gst_eeg_checkpointer_is_live (checkpoint) != self->parts.is_live) {
        why = self->parts.is_live
            ? "it is that of a source that was not live, and could go on"
            : "it is that of a live source, which has no place to go on from";
        ok = FALSE;
      }
      if (ok)
        return checkpoint;
      /* what the newest one has to say stays */
      if (*reason == NULL)
        *reason = why;
      eeg_checkpoint_free (checkpoint);
    } else if (result != EEG_CHECKPOINT_MISSING && *reason == NULL) {
      *reason = eeg_checkpoint_result_to_string (result);
    }
  }
  return NULL;
}

/* The part that a checkpoint ends may not have got its name. */
static gboolean
name_part (GstEegFileSink *self, const EegCheckpoint *checkpoint)
{
  gchar *location =
      gst_eeg_file_sink_get_part_location (self, checkpoint->part);
  EegDurableFile *file = NULL;
  EegDurableResult result;
  EegDurableCounts counts;
  gboolean ok = gst_eeg_checkpointer_fits_path (checkpoint, location);
  int error;

  if (!ok && !g_file_test (location, G_FILE_TEST_EXISTS)) {
    result = eeg_durable_open (location, EEG_DURABLE_CONTINUE, &file, &error);
    if (result == EEG_DURABLE_OK) {
      eeg_durable_get_counts (file, &counts);
      ok = counts.size == checkpoint->output.length
          && gst_eeg_checkpointer_fits_file (checkpoint, file)
          && eeg_durable_finish (file) == EEG_DURABLE_OK;
      eeg_durable_close (file, &counts, &error);
    } else {
      gst_eeg_file_sink_post_error (self, location, result, error);
    }
  }
  /* one that was moved away is nobody's business here */
  if (!ok && file != NULL && counts.size == 0)
    ok = TRUE;
  if (!ok)
    gst_eeg_file_sink_refuse_to_go_on (self,
        "the last part is another one than it was");
  g_free (location);
  return ok;
}

/* The source gives out again what is missing. transfer full checkpoint */
static gboolean
go_on_with_parts (GstEegFileSink *self, EegCheckpoint *checkpoint)
{
  struct parts *parts = &self->parts;
  GError *error = NULL;

  self->resume.from = checkpoint;
  if (!gst_eeg_file_sink_may_retry (self, checkpoint))
    return FALSE;
  if (!gst_eeg_checkpointer_compare (checkpoint, parts->stages, TRUE, &error)
      || (checkpoint->part > 0
          && !gst_eeg_file_sink_restore (self, checkpoint, parts->stages,
              checkpoint->complete, &error))) {
    gst_eeg_file_sink_refuse_to_go_on (self, error->message);
    g_error_free (error);
    return FALSE;
  }
  if (checkpoint->part > 0 && !name_part (self, checkpoint))
    return FALSE;
  parts->finished = checkpoint->part;
  self->resume.already = checkpoint->complete;
  GST_OBJECT_LOCK (self);
  self->checkpoint_id = checkpoint->id;
  GST_OBJECT_UNLOCK (self);
  return checkpoint->complete || open_part (self);
}

/* What was lost is lost; a new part says so. */
static gboolean
go_on_live (GstEegFileSink *self, const EegCheckpoint *checkpoint)
{
  struct parts *parts = &self->parts;
  GstEegPart *part = &parts->part;
  GstEegPartsFound found;
  EegDurableFile *file;
  EegDurableResult result;
  EegDurableCounts counts;
  gchar *location;
  int error;

  if (checkpoint->complete) {
    location = gst_eeg_file_sink_get_part_location (self, checkpoint->part);
    gst_eeg_file_sink_post_error (self, location, EEG_DURABLE_EXISTS, 0);
    g_free (location);
    return FALSE;
  }
  if (checkpoint->part > 0 && !name_part (self, checkpoint))
    return FALSE;
  gst_eeg_parts_find_last (parts->name, &found, NULL);
  if (found.number < checkpoint->part) {
    found.number = checkpoint->part;
    found.unfinished = FALSE;
    found.written = checkpoint->time;
  }
  if (found.unfinished) {
    /* is somebody writing it? */
    location = gst_eeg_file_sink_get_part_location (self, found.number);
    result = eeg_durable_open (location, EEG_DURABLE_CONTINUE, &file, &error);
    if (result == EEG_DURABLE_OK)
      eeg_durable_close (file, &counts, &error);
    else
      gst_eeg_file_sink_post_error (self, location, result, error);
    g_free (location);
    if (result != EEG_DURABLE_OK)
      return FALSE;
  }
  if (found.number == 0)
    return open_part (self);
  part->number = found.number + 1;
  part->link = GST_EEG_PART_LINK_INTERRUPTED;
  part->at_least =
      part->first != GST_EEG_PART_UNKNOWN && !part->is_bytes ? part->first : 0;
  part->first = GST_EEG_PART_UNKNOWN;
  part->stopped = found.written;
  parts->finished = found.unfinished ? 0 : found.number;
  return open_part (self);
}

static gboolean
begin_parts (GstEegFileSink *self)
{
  struct parts *parts = &self->parts;
  GstEegPartsFound found;
  GError *error = NULL;
  gchar *location;

  if (!gst_eeg_parts_find_last (parts->name, &found, &error)) {
    gst_eeg_file_sink_post_refusal (self, error->domain, error->code,
        "No parts", error->message);
    g_error_free (error);
    return FALSE;
  }
  if (found.number > 0 && !parts->overwrite) {
    location = gst_eeg_file_sink_get_part_location (self, found.number);
    gst_eeg_file_sink_post_error (self, location,
        found.unfinished ? EEG_DURABLE_UNFINISHED : EEG_DURABLE_EXISTS, 0);
    g_free (location);
    return FALSE;
  }
  if (self->resume.enabled
      && !gst_eeg_names_check_sidecar (parts->name, TRUE, self->resume.sidecar,
          &error))
    return gst_eeg_file_sink_refuse_files (self, error);
  gst_eeg_checkpointer_make_recording (self->resume.recording);
  gst_eeg_part_init (&parts->part, self->resume.recording, 1);
  if (parts->overwrite && self->resume.enabled)
    eeg_checkpoint_remove (self->resume.sidecar);
  return open_part (self) && (!self->resume.enabled || store_first_part (self));
}

/* transfer full error */
static gboolean
refuse_parts (GstEegFileSink *self, GError *error)
{
  gst_eeg_file_sink_post_refusal (self, GST_LIBRARY_ERROR,
      GST_LIBRARY_ERROR_SETTINGS, "This pipeline cannot be recorded in parts",
      error->message);
  g_error_free (error);
  return FALSE;
}

gboolean
gst_eeg_file_sink_open_with_parts (GstEegFileSink *self,
    const struct settings *settings)
{
  struct parts *parts = &self->parts;
  struct resume *resume = &self->resume;
  EegCheckpoint *checkpoint = NULL;
  const gchar *reason = NULL;
  GError *error = NULL;
  gboolean ok;

  parts->enabled = TRUE;
  parts->overwrite = settings->overwrite;
  parts->name = g_strdup (settings->location);
  resume->enabled = settings->checkpoint;
  resume->max_retries = settings->max_retries;
  resume->location = g_strdup (settings->location);
  resume->sidecar = gst_eeg_file_sink_get_sidecar (settings);
  parts->stages = gst_eeg_parts_find_stages (GST_BASE_SINK_PAD (self),
      &parts->is_live, &error);
  if (parts->stages == NULL)
    return refuse_parts (self, error);
  if (resume->enabled && !parts->overwrite)
    checkpoint = load_part_checkpoint (self, &reason);
  if (checkpoint != NULL) {
    memcpy (resume->recording, checkpoint->recording, sizeof resume->recording);
    if (parts->is_live) {
      ok = go_on_live (self, checkpoint);
      eeg_checkpoint_free (checkpoint);
    } else {
      ok = go_on_with_parts (self, checkpoint);
    }
  } else if (reason != NULL) {
    ok = gst_eeg_file_sink_refuse_to_go_on (self, reason);
  } else {
    ok = begin_parts (self);
  }
  gst_eeg_parts_tell (parts->stages, ok ? &parts->part : NULL);
  return ok;
}

void
gst_eeg_file_sink_clear_parts (GstEegFileSink *self)
{
  struct parts *parts = &self->parts;

  if (parts->stages != NULL)
    gst_eeg_parts_tell (parts->stages, NULL);
  g_free (parts->name);
  g_clear_pointer (&parts->stages, g_ptr_array_unref);
  memset (parts, 0, sizeof *parts);
}

void
gst_eeg_file_sink_request_part (GstEegFileSink *self, GstBuffer *buffer)
{
  struct parts *parts = &self->parts;
  GstClockTime now, time = GST_BUFFER_PTS (buffer), rotate_time, elapsed;
  EegDurableCounts counts;
  guint64 rotate_bytes;

  if (!parts->enabled || parts->requested)
    return;
  now = gst_util_get_timestamp ();
  if (!GST_CLOCK_TIME_IS_VALID (parts->began))
    parts->began = now;
  /* a header has none */
  if (!GST_CLOCK_TIME_IS_VALID (parts->first))
    parts->first = time;
  GST_OBJECT_LOCK (self);
  rotate_bytes = self->settings.rotate_bytes;
  rotate_time = self->settings.rotate_time;
  GST_OBJECT_UNLOCK (self);
  eeg_durable_get_counts (self->file, &counts);
  elapsed = now - parts->began;
  if (GST_CLOCK_TIME_IS_VALID (time) && GST_CLOCK_TIME_IS_VALID (parts->first))
    elapsed = time > parts->first ? time - parts->first : 0;
  if ((rotate_bytes == 0 || counts.size < rotate_bytes)
      && (rotate_time == 0 || elapsed < rotate_time))
    return;
  parts->requested = TRUE;
  GST_DEBUG_OBJECT (self, "part %" G_GUINT64_FORMAT " has enough",
      parts->part.number);
  gst_pad_push_event (GST_BASE_SINK_PAD (self),
      gst_eeg_event_new_part_request ());
}

/* The part gets its name, once the checkpoint that says so is stored. */
static gboolean
finish_part (GstEegFileSink *self, guint64 bytes)
{
  struct parts *parts = &self->parts;
  EegDurableResult result = eeg_durable_finish (self->file);
  gchar *location;

  if (result != EEG_DURABLE_OK) {
    gst_eeg_file_sink_fail (self, result);
    return FALSE;
  }
  parts->finished = parts->part.number;
  location = gst_eeg_file_sink_get_part_location (self, parts->part.number);
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self),
          gst_structure_new ("eeg-part", "number", G_TYPE_UINT64,
              parts->part.number, "location", G_TYPE_STRING, location, "bytes",
              G_TYPE_UINT64, bytes, "first", G_TYPE_UINT64, parts->part.first,
              NULL)));
  g_free (location);
  return TRUE;
}

gboolean
gst_eeg_file_sink_check_part_stages (GstEegFileSink *self)
{
  gboolean is_live;
  GError *error = NULL;
  GPtrArray *stages =
      gst_eeg_parts_find_stages (GST_BASE_SINK_PAD (self), &is_live, &error);
  guint i;

  for (i = 0; stages != NULL && i < stages->len && error == NULL; i++) {
    GstElement *element = g_ptr_array_index (stages, i);

    if (!g_ptr_array_find (self->parts.stages, element, NULL))
      g_set_error (&error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
          "%s came when the recording had begun", GST_OBJECT_NAME (element));
  }
  g_clear_pointer (&stages, g_ptr_array_unref);
  return error == NULL || refuse_parts (self, error);
}

gboolean
gst_eeg_file_sink_end_part (GstEegFileSink *self, GstEegBarrier *barrier)
{
  struct parts *parts = &self->parts;
  EegDurableFile *file = self->file;
  EegDurableCounts counts;
  EegCheckpoint *checkpoint;
  GstEegPart next;
  int error;

  eeg_durable_get_counts (file, &counts);
  if (!gst_eeg_barrier_get_next_part (barrier, &next)) {
    next = parts->part;
    next.number++;
    next.first = gst_eeg_barrier_get_sample_index (barrier);
    next.link = GST_EEG_PART_LINK_FOLLOWS;
  }
  if (self->resume.enabled) {
    checkpoint = make_part_checkpoint (self, barrier, &next, counts.size);
    if (checkpoint == NULL)
      return FALSE;
    eeg_durable_mark (file, checkpoint);
  }
  if (!finish_part (self, counts.size))
    return FALSE;

  eeg_durable_get_counts (file, &counts);
  GST_OBJECT_LOCK (self);
  self->file = NULL;
  self->before.size += counts.size;
  self->before.safe += counts.safe;
  self->before.syncs += counts.syncs;
  self->before.longest_sync =
      MAX (self->before.longest_sync, counts.longest_sync);
  memset (&self->counts, 0, sizeof self->counts);
  GST_OBJECT_UNLOCK (self);
  eeg_durable_close (file, &counts, &error);
  parts->base += counts.size;
  parts->part = next;
  return open_part (self);
}

/* The last checkpoint, which is that of the part before the one that is empty,
 * is also that of the end. */
static gboolean
mark_last_part (GstEegFileSink *self)
{
  EegCheckpoint *checkpoint;
  EegCheckpointResult result = eeg_checkpoint_load (self->resume.sidecar,
      EEG_CHECKPOINT_NEWEST, &checkpoint);
  gint error;

  if (result == EEG_CHECKPOINT_OK) {
    checkpoint->complete = true;
    result = eeg_checkpoint_store (self->resume.sidecar, checkpoint);
  }
  error = errno;
  eeg_checkpoint_free (checkpoint);
  return result == EEG_CHECKPOINT_OK
      || gst_eeg_file_sink_post_store_error (self,
          "The last checkpoint could not be stored", GST_RESOURCE_ERROR_WRITE,
          result, error);
}

gboolean
gst_eeg_file_sink_finish_parts (GstEegFileSink *self)
{
  struct parts *parts = &self->parts;
  GstEegPart next;
  EegDurableCounts counts;
  EegCheckpoint *checkpoint;

  eeg_durable_get_counts (self->file, &counts);
  if (counts.size == 0 && parts->finished > 0) {
    /* no file is made of a part without a byte in it */
    if (self->resume.enabled && !mark_last_part (self))
      return FALSE;
  } else {
    if (self->resume.enabled) {
      next = parts->part;
      next.number++;
      checkpoint =
          make_part_checkpoint (self, self->resume.last, &next, counts.size);
      if (checkpoint == NULL)
        return FALSE;
      checkpoint->part = (guint32) MIN (parts->part.number, G_MAXUINT32);
      checkpoint->id = self->checkpoint_id + 1;
      checkpoint->complete = true;
      eeg_durable_mark (self->file, checkpoint);
    }
    return finish_part (self, counts.size);
  }
  return TRUE;
}

gboolean
gst_eeg_file_sink_take_label (GstEegFileSink *self, const GstEegPart *label)
{
  struct parts *parts = &self->parts;
  GstEegPart *part = &parts->part;
  gboolean is_new;

  if (!parts->enabled || self->resume.already || label->number != part->number)
    return TRUE;
  is_new = part->origin != label->origin;
  part->first = label->first;
  part->is_bytes = label->is_bytes;
  part->origin = label->origin;
  if (part->link == GST_EEG_PART_LINK_INTERRUPTED)
    gst_element_post_message (GST_ELEMENT (self),
        gst_message_new_element (GST_OBJECT (self),
            gst_structure_new ("eeg-interrupted", "part", G_TYPE_UINT64,
                part->number, "first", G_TYPE_UINT64, part->first, "stopped",
                G_TYPE_INT64, part->stopped, "begun", G_TYPE_INT64, part->begun,
                NULL)));
  if (is_new && parts->is_live && self->resume.enabled && part->number == 1)
    return store_first_part (self);
  return TRUE;
}

gboolean
gst_eeg_file_sink_go_to (GstEegFileSink *self, guint64 position)
{
  struct parts *parts = &self->parts;
  struct resume *resume = &self->resume;
  EegDurableCounts counts;

  if (resume->begins && position != resume->cut_at)
    return gst_eeg_file_sink_refuse_to_go_on (self,
        "the stages go on at another byte than the output ends at");
  resume->begins = FALSE;

  if (parts->enabled && (parts->part.number > 1 || parts->finished > 0)) {
    eeg_durable_get_counts (self->file, &counts);
    if (counts.size == 0 || position < parts->base)
      parts->base = position;
  }
  eeg_durable_seek (self->file, position - parts->base);
  return TRUE;
}
