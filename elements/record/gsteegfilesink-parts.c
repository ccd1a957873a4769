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

/* transfer full; of the generation that a recording goes on from, which becomes
 * the newest one: others behind the tee must not take one for common that is
 * not any more. NULL: this sink has none. */
static EegCheckpoint *
load_part_checkpoint (GstEegFileSink *self, const struct beginning *beginning)
{
  EegCheckpointGeneration generation;
  gboolean is_newer = FALSE;
  const gchar *why;

  for (generation = EEG_CHECKPOINT_NEWEST;
       generation <= EEG_CHECKPOINT_PREVIOUS; generation++) {
    EegCheckpoint *checkpoint;

    if (eeg_checkpoint_load (self->resume.sidecar, generation, &checkpoint)
        != EEG_CHECKPOINT_OK)
      continue;
    if ((self->parts.is_live || checkpoint->id == beginning->id)
        && gst_eeg_parts_restore (checkpoint, &self->parts.part, &why)) {
      if (is_newer)
        eeg_checkpoint_drop_newest (self->resume.sidecar);
      return checkpoint;
    }
    is_newer = TRUE;
    eeg_checkpoint_free (checkpoint);
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

  /* one that nothing came through made no file, unless it is all there is */
  if (checkpoint->output.length == 0
      && !(checkpoint->complete && checkpoint->part == 1))
    ok = TRUE;
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
  parts->ended = checkpoint->part;
  parts->id = checkpoint->id;
  self->resume.already = checkpoint->complete;
  GST_OBJECT_LOCK (self);
  self->checkpoint_id = checkpoint->id;
  GST_OBJECT_UNLOCK (self);
  return checkpoint->complete || open_part (self);
}

/* Is somebody writing the last part? FALSE after an error. */
static gboolean
check_last_part (GstEegFileSink *self, guint64 number)
{
  gchar *location = gst_eeg_file_sink_get_part_location (self, number);
  EegDurableFile *file;
  EegDurableCounts counts;
  int error;
  EegDurableResult result =
      eeg_durable_open (location, EEG_DURABLE_CONTINUE, &file, &error);

  if (result == EEG_DURABLE_OK)
    eeg_durable_close (file, &counts, &error);
  else
    gst_eeg_file_sink_post_error (self, location, result, error);
  g_free (location);
  return result == EEG_DURABLE_OK;
}

/* What was lost is lost; a new part says so, with a number that no sink behind
 * the same tee has used. */
static gboolean
go_on_live (GstEegFileSink *self, const EegCheckpoint *checkpoint,
    const struct beginning *beginning)
{
  struct parts *parts = &self->parts;
  GstEegPart *part = &parts->part;
  GstEegPartsFound found;
  gchar *location;

  if (checkpoint != NULL && checkpoint->complete) {
    location = gst_eeg_file_sink_get_part_location (self, checkpoint->part);
    gst_eeg_file_sink_post_error (self, location, EEG_DURABLE_EXISTS, 0);
    g_free (location);
    return FALSE;
  }
  if (checkpoint != NULL && checkpoint->part > 0
      && !name_part (self, checkpoint))
    return FALSE;
  gst_eeg_parts_find_last (parts->name, &found, NULL);
  if (checkpoint != NULL && found.number < checkpoint->part) {
    found.number = checkpoint->part;
    found.unfinished = FALSE;
    found.written = checkpoint->time;
  }
  if (found.unfinished && !check_last_part (self, found.number))
    return FALSE;
  if (beginning->last_number == 0)
    return open_part (self);
  part->number = beginning->last_number + 1;
  part->link = GST_EEG_PART_LINK_INTERRUPTED;
  part->at_least =
      part->first != GST_EEG_PART_UNKNOWN && !part->is_bytes ? part->first : 0;
  part->first = GST_EEG_PART_UNKNOWN;
  /* of this branch, where it came so far */
  part->stopped = found.number > 0 ? found.written : beginning->written;
  parts->ended = found.unfinished ? 0 : found.number;
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

/* As the sinks behind the same tee do. FALSE after an error. */
static gboolean
begin (GstEegFileSink *self, const struct beginning *beginning)
{
  struct parts *parts = &self->parts;
  EegCheckpoint *checkpoint;
  gboolean ok;

  memcpy (self->resume.recording, beginning->recording,
      sizeof self->resume.recording);
  if (!beginning->goes_on)
    return begin_parts (self);
  checkpoint = load_part_checkpoint (self, beginning);
  if (!parts->is_live)
    return checkpoint != NULL ? go_on_with_parts (self, checkpoint)
                              : begin_parts (self);
  /* one that came to no sidecar of its own knows from another what it is */
  if (checkpoint == NULL)
    parts->part = beginning->part;
  ok = go_on_live (self, checkpoint, beginning)
      && (checkpoint != NULL || store_first_part (self));
  eeg_checkpoint_free (checkpoint);
  return ok;
}

gboolean
gst_eeg_file_sink_open_with_parts (GstEegFileSink *self,
    const struct settings *settings)
{
  struct parts *parts = &self->parts;
  struct resume *resume = &self->resume;
  struct beginning beginning;
  GPtrArray *others = NULL;
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
  if (parts->stages != NULL)
    others = gst_eeg_file_sink_find_others (self, &error);
  if (others == NULL)
    return refuse_parts (self, error);
  ok = gst_eeg_file_sink_join (self, others, &beginning)
      && begin (self, &beginning);
  g_ptr_array_unref (others);
  gst_eeg_parts_tell (parts->stages, ok ? &parts->part : NULL);
  if (!ok)
    gst_eeg_file_sink_leave (self);
  return ok;
}

void
gst_eeg_file_sink_clear_parts (GstEegFileSink *self)
{
  struct parts *parts = &self->parts;

  gst_eeg_file_sink_leave (self);
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
      gst_eeg_event_new_part_request (parts->part.number));
}

/* Whether the sinks behind the same tee are those that began. */
static gboolean
check_others (GstEegFileSink *self)
{
  GError *error = NULL;
  GPtrArray *others = gst_eeg_file_sink_find_others (self, &error);

  if (others != NULL && !gst_eeg_file_sink_is_with (self, others))
    g_set_error_literal (&error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "a sink came behind the same tee later, or has gone");
  g_clear_pointer (&others, g_ptr_array_unref);
  if (error == NULL)
    return TRUE;
  gst_eeg_file_sink_post_refusal (self, GST_LIBRARY_ERROR,
      GST_LIBRARY_ERROR_SETTINGS, "This pipeline cannot be recorded in parts",
      error->message);
  g_error_free (error);
  return FALSE;
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

/* All of the part was written: it goes to disk, and then away. FALSE after an
 * error. */
static gboolean
hand_over_part (GstEegFileSink *self, EegCheckpoint *checkpoint,
    gboolean is_last)
{
  struct parts *parts = &self->parts;
  EegDurableFile *file = self->file;
  EegDurableResult result = eeg_durable_settle (file);
  struct ended_part *ended;
  EegDurableCounts counts;

  if (result == EEG_DURABLE_OK && checkpoint != NULL
      && !gst_eeg_checkpointer_set_output (checkpoint, file,
          checkpoint->output.length))
    result = EEG_DURABLE_SYNC;
  if (result != EEG_DURABLE_OK) {
    eeg_checkpoint_free (checkpoint);
    gst_eeg_file_sink_fail (self, result);
    return FALSE;
  }
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

  if (counts.size == 0 && !is_last) {
    /* of a branch where nothing came through meanwhile: no file is made */
    eeg_durable_discard (file);
    file = NULL;
  }
  ended = g_new0 (struct ended_part, 1);
  ended->number = parts->part.number;
  ended->file = file;
  ended->checkpoint = checkpoint;
  ended->is_last = is_last;
  ended->first = parts->part.first;
  ended->size = counts.size;
  parts->base += counts.size;
  parts->ended = parts->part.number;
  return gst_eeg_file_sink_hand_over (self, ended);
}

gboolean
gst_eeg_file_sink_end_part (GstEegFileSink *self, GstEegBarrier *barrier)
{
  struct parts *parts = &self->parts;
  GstEegStage *label_stage = gst_eeg_parts_find_label_stage (parts->stages);
  EegDurableCounts counts;
  EegCheckpoint *checkpoint = NULL;
  GstEegPart next;

  if (!gst_eeg_file_sink_cut_file (self) || !check_others (self))
    return FALSE;
  eeg_durable_get_counts (self->file, &counts);
  if (label_stage == NULL
      || !gst_eeg_barrier_get_next_part (barrier, label_stage, &next)) {
    next = parts->part;
    next.number++;
    next.first = gst_eeg_barrier_get_sample_index (barrier);
    next.link = GST_EEG_PART_LINK_FOLLOWS;
  }
  if (self->resume.enabled) {
    checkpoint = make_part_checkpoint (self, barrier, &next, counts.size);
    if (checkpoint == NULL)
      return FALSE;
    parts->id = checkpoint->id;
  }
  if (!hand_over_part (self, checkpoint, FALSE))
    return FALSE;
  parts->part = next;
  return open_part (self);
}

gboolean
gst_eeg_file_sink_finish_parts (GstEegFileSink *self)
{
  struct parts *parts = &self->parts;
  EegDurableCounts counts;
  EegCheckpoint *checkpoint = NULL;
  struct ended_part *ended;
  EegDurableFile *file;
  GstEegPart next;

  eeg_durable_get_counts (self->file, &counts);
  if (counts.size == 0 && parts->ended > 0) {
    /* no file is made of a part without a byte in it, and none is left */
    GST_OBJECT_LOCK (self);
    file = self->file;
    self->file = NULL;
    GST_OBJECT_UNLOCK (self);
    eeg_durable_discard (file);
    ended = g_new0 (struct ended_part, 1);
    ended->number = parts->part.number;
    ended->is_last = TRUE;
    ended->id = parts->id + 1;
    return gst_eeg_file_sink_hand_over (self, ended);
  }
  if (self->resume.enabled) {
    next = parts->part;
    next.number++;
    checkpoint =
        make_part_checkpoint (self, self->resume.last, &next, counts.size);
    if (checkpoint == NULL)
      return FALSE;
    checkpoint->part = (guint32) MIN (parts->part.number, G_MAXUINT32);
    checkpoint->id = parts->id + 1;
    checkpoint->complete = true;
  }
  return hand_over_part (self, checkpoint, TRUE);
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

  if (parts->enabled && (parts->part.number > 1 || parts->ended > 0)) {
    eeg_durable_get_counts (self->file, &counts);
    if (counts.size == 0 || position < parts->base)
      parts->base = position;
  }
  eeg_durable_seek (self->file, position - parts->base);
  return TRUE;
}
