/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Sinks behind one tee that cut their recordings into parts: they begin
 * together, with one identity and one number, end each part at the same
 * barrier, and go on from the same one.
 *
 * A checkpoint counts when all have stored it, so no part may have its name
 * before: what has a name is never taken back. A sink that comes to the end of
 * its part hands it over, written and on disk, and goes on with the next one at
 * once: to wait for a branch that is behind would stop the stream that this
 * branch waits for. The last one to come stores the checkpoint for all, then
 * gives all their names. Whatever a crash leaves, either all sinks have the
 * checkpoint, and what is not named yet gets its name, or they go back to the
 * one before, where no part behind it has one.
 *
 * A single sink is a group of one.
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsteegfilesink-private.h"

#include <string.h>

#include "fail-point.h"
#include "gsteegnames.h"

#define GST_CAT_DEFAULT gst_eeg_file_sink_debug

typedef struct
{
  GstEegFileSink *sink; /* compared and used until it leaves */
  GQueue ended;         /* struct ended_part, not named yet */
} Member;

/* Locking: `groups_lock` guards the pointers that sinks have to their groups,
 * the references and who is a member; `lock` is a leaf that guards the queues
 * and what follows them. Neither is held while anything is stored, named or
 * posted: one thread at a time does that, and the others leave it their parts.
 * A sink leaves when its streaming thread has stopped, and waits for that
 * one. */
struct _GstEegFileSinkGroup
{
  guint refs;
  guint n_sinks;
  gboolean is_live;
  gboolean has_checkpoints;
  struct beginning beginning;
  gchar *refusal; /* why it cannot go on, or NULL */

  GMutex lock;
  GCond idle;
  GPtrArray *members;
  gboolean begun;      /* somebody handed over a part */
  gboolean closed;     /* somebody left after that */
  gboolean committing; /* by one thread */
};

static GMutex groups_lock;

static void
free_ended (gpointer data)
{
  struct ended_part *ended = data;
  EegDurableCounts counts;
  int error;

  if (ended->file != NULL)
    eeg_durable_close (ended->file, &counts, &error);
  eeg_checkpoint_free (ended->checkpoint);
  g_free (ended);
}

static void
free_member (gpointer data)
{
  Member *member = data;

  g_queue_clear_full (&member->ended, free_ended);
  g_free (member);
}

static void
free_group (GstEegFileSinkGroup *group)
{
  g_ptr_array_unref (group->members);
  g_free (group->refusal);
  g_mutex_clear (&group->lock);
  g_cond_clear (&group->idle);
  g_free (group);
}

/* --- how they begin ------------------------------------------------------ */

/* What a sink has from before. */
typedef struct
{
  gchar *location;
  EegCheckpoint *checkpoints[2]; /* newest first; NULL where there is none */
  EegCheckpointResult result;    /* of the newest one that cannot be read */
  gboolean is_new;               /* there is no sidecar */
} Former;

static void
clear_former (gpointer data)
{
  Former *former = data;

  g_free (former->location);
  eeg_checkpoint_free (former->checkpoints[0]);
  eeg_checkpoint_free (former->checkpoints[1]);
}

static void
add_former (GArray *formers, GstEegFileSink *sink)
{
  struct settings settings = gst_eeg_file_sink_copy_settings (sink);
  gchar *sidecar = gst_eeg_file_sink_get_sidecar (&settings);
  Former former = { g_steal_pointer (&settings.location), { NULL, NULL },
    EEG_CHECKPOINT_OK, TRUE };
  EegCheckpointGeneration generation;

  for (generation = EEG_CHECKPOINT_NEWEST;
       generation <= EEG_CHECKPOINT_PREVIOUS; generation++) {
    EegCheckpointResult result = eeg_checkpoint_load (sidecar, generation,
        &former.checkpoints[generation]);

    former.is_new = former.is_new && result == EEG_CHECKPOINT_MISSING;
    if (former.result == EEG_CHECKPOINT_OK && result != EEG_CHECKPOINT_MISSING)
      former.result = result;
  }
  g_array_append_val (formers, former);
  g_free (sidecar);
  gst_eeg_file_sink_clear_settings (&settings);
}

static const EegCheckpoint *
find_id (const Former *former, guint64 id)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (former->checkpoints); i++)
    if (former->checkpoints[i] != NULL && former->checkpoints[i]->id == id)
      return former->checkpoints[i];
  return NULL;
}

/* By its name, or because the last part, called otherwise now, is as it
 * says. */
static gboolean
belongs (const Former *former, const EegCheckpoint *checkpoint)
{
  gchar *location;
  gboolean fits;

  if (gst_eeg_names_match (former->location, TRUE, checkpoint))
    return TRUE;
  if (checkpoint->part == 0)
    return FALSE;
  location =
      gst_eeg_part_make_location (former->location, checkpoint->part, NULL);
  fits =
      location != NULL && gst_eeg_checkpointer_fits_path (checkpoint, location);
  g_free (location);
  return fits;
}

/* Whether it can be used at all, or the reason why not. */
static gboolean
is_usable (const Former *former, const EegCheckpoint *checkpoint,
    gboolean is_live, const gchar **reason)
{
  GstEegPart part;

  if (!gst_eeg_parts_restore (checkpoint, &part, reason))
    return FALSE;
  if (!belongs (former, checkpoint))
    *reason = "it is that of another recording; choose another "
              "checkpoint-location";
  else if (gst_eeg_checkpointer_is_live (checkpoint) != is_live)
    *reason = is_live
        ? "it is that of a source that was not live, and could go on"
        : "it is that of a live source, which has no place to go on from";
  else
    return TRUE;
  return FALSE;
}

/* Whether all can go on from where one has @checkpoint; a sink that has not
 * begun has that before all others. */
static gboolean
have_in_common (GArray *formers, const EegCheckpoint *checkpoint,
    const gchar **reason)
{
  guint i;

  for (i = 0; i < formers->len; i++) {
    const Former *former = &g_array_index (formers, Former, i);
    const EegCheckpoint *other = find_id (former, checkpoint->id);

    if (other == NULL && !(former->is_new && checkpoint->id == 0)) {
      *reason = "the sinks behind the tee have none in common";
      return FALSE;
    }
    if (other != NULL && !is_usable (former, other, FALSE, reason))
      return FALSE;
    if (other != NULL
        && memcmp (other->recording, checkpoint->recording,
               sizeof other->recording)
            != 0) {
      *reason = "the sinks behind the tee have those of different recordings";
      return FALSE;
    }
  }
  return TRUE;
}

/* The newest that all of them have; NULL with the reason, or with none if
 * nobody has any. */
static const EegCheckpoint *
find_common (GArray *formers, const gchar **reason)
{
  const Former *first = NULL;
  guint i;

  *reason = NULL;
  for (i = 0; i < formers->len && first == NULL; i++) {
    first = &g_array_index (formers, Former, i);
    if (first->is_new)
      first = NULL;
  }
  if (first == NULL)
    return NULL;
  if (first->result != EEG_CHECKPOINT_OK)
    *reason = eeg_checkpoint_result_to_string (first->result);
  for (i = 0; i < G_N_ELEMENTS (first->checkpoints); i++) {
    const EegCheckpoint *checkpoint = first->checkpoints[i];
    const gchar *why = NULL;

    if (checkpoint != NULL && have_in_common (formers, checkpoint, &why))
      return checkpoint;
    /* what the newest one has to say stays */
    if (*reason == NULL)
      *reason = why;
  }
  return NULL;
}

/* The newest one of any: what is lost of a live recording is lost. */
static const EegCheckpoint *
find_newest (GArray *formers, const gchar **reason)
{
  const EegCheckpoint *newest = NULL;
  guint i, j;

  *reason = NULL;
  for (i = 0; i < formers->len; i++) {
    const Former *former = &g_array_index (formers, Former, i);
    const EegCheckpoint *own = NULL;
    const gchar *unusable = former->result != EEG_CHECKPOINT_OK
        ? eeg_checkpoint_result_to_string (former->result)
        : NULL;

    for (j = 0; j < G_N_ELEMENTS (former->checkpoints) && own == NULL; j++)
      if (former->checkpoints[j] != NULL
          && is_usable (former, former->checkpoints[j], TRUE, &unusable))
        own = former->checkpoints[j];
    if (own == NULL && !former->is_new)
      *reason = unusable;
    if (own == NULL)
      continue;
    if (newest != NULL
        && memcmp (own->recording, newest->recording, sizeof own->recording)
            != 0)
      *reason = "the sinks behind the tee have those of different recordings";
    if (newest == NULL || own->id > newest->id)
      newest = own;
  }
  return *reason == NULL ? newest : NULL;
}

/* The last part of any sink, whole or not: its number is not used again. */
static void
find_last_part (GArray *formers, struct beginning *beginning)
{
  guint i;

  for (i = 0; i < formers->len; i++) {
    const Former *former = &g_array_index (formers, Former, i);
    const EegCheckpoint *newest = former->checkpoints[0];
    GstEegPartsFound found;

    gst_eeg_parts_find_last (former->location, &found, NULL);
    /* it may have been moved away */
    if (newest != NULL && newest->part > found.number) {
      found.number = newest->part;
      found.written = newest->time;
    }
    if (found.number > 0)
      beginning->written = MAX (beginning->written, found.written);
    beginning->last_number = MAX (beginning->last_number, found.number);
  }
}

static void
decide (GstEegFileSinkGroup *group, GArray *formers)
{
  struct beginning *beginning = &group->beginning;
  const gchar *reason;
  const EegCheckpoint *checkpoint = group->is_live
      ? find_newest (formers, &reason)
      : find_common (formers, &reason);

  if (checkpoint == NULL) {
    group->refusal = g_strdup (reason);
    gst_eeg_checkpointer_make_recording (beginning->recording);
    return;
  }
  beginning->goes_on = TRUE;
  beginning->id = checkpoint->id;
  memcpy (beginning->recording, checkpoint->recording,
      sizeof beginning->recording);
  gst_eeg_parts_restore (checkpoint, &beginning->part, &reason);
  if (group->is_live)
    find_last_part (formers, beginning);
}

/* Under the lock of all groups. */
static GstEegFileSinkGroup *
make_group (GstEegFileSink *self, GPtrArray *others)
{
  GstEegFileSinkGroup *group = g_new0 (GstEegFileSinkGroup, 1);
  GArray *formers = g_array_new (FALSE, FALSE, sizeof (Former));
  guint i;

  g_mutex_init (&group->lock);
  g_cond_init (&group->idle);
  group->members = g_ptr_array_new_with_free_func (free_member);
  group->n_sinks = others->len + 1;
  group->is_live = self->parts.is_live;
  group->has_checkpoints = self->resume.enabled;
  g_array_set_clear_func (formers, clear_former);
  if (self->resume.enabled && !self->parts.overwrite) {
    add_former (formers, self);
    for (i = 0; i < others->len; i++)
      add_former (formers, g_ptr_array_index (others, i));
  }
  decide (group, formers);
  g_array_unref (formers);
  return group;
}

gboolean
gst_eeg_file_sink_join (GstEegFileSink *self, GPtrArray *others,
    struct beginning *beginning)
{
  GstEegFileSinkGroup *group = NULL;
  GstElement *busy = NULL;
  Member *member;
  gchar *reason = NULL;
  guint i;

  g_mutex_lock (&groups_lock);
  for (i = 0; i < others->len && busy == NULL; i++) {
    GstEegFileSink *other = g_ptr_array_index (others, i);
    GstEegFileSinkGroup *its = other->parts.group;

    if (its == NULL)
      continue;
    if (its->n_sinks != others->len + 1 || its->begun
        || (group != NULL && its != group))
      busy = GST_ELEMENT (other);
    group = its;
  }
  if (busy == NULL) {
    if (group == NULL)
      group = make_group (self, others);
    group->refs++;
    self->parts.group = group;
    member = g_new0 (Member, 1);
    member->sink = self;
    g_queue_init (&member->ended);
    g_ptr_array_add (group->members, member);
    *beginning = group->beginning;
    reason = g_strdup (group->refusal);
  }
  g_mutex_unlock (&groups_lock);
  if (busy != NULL) {
    reason = g_strdup_printf ("%s stands behind the same tee and records "
                              "already; they begin together",
        GST_OBJECT_NAME (busy));
    gst_eeg_file_sink_post_refusal (self, GST_LIBRARY_ERROR,
        GST_LIBRARY_ERROR_SETTINGS, "This pipeline cannot be recorded in parts",
        reason);
  } else if (reason != NULL) {
    gst_eeg_file_sink_refuse_to_go_on (self, reason);
  } else {
    return TRUE;
  }
  g_free (reason);
  return FALSE;
}

/* --- the end of a part --------------------------------------------------- */

/* Of a part that has its name. */
static void
report_part (GstEegFileSink *self, const struct ended_part *ended,
    const gchar *location)
{
  if (ended->is_last) {
    GST_OBJECT_LOCK (self);
    self->finished = TRUE;
    GST_OBJECT_UNLOCK (self);
  }
  if (ended->file == NULL)
    return;
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self),
          gst_structure_new ("eeg-part", "number", G_TYPE_UINT64, ended->number,
              "location", G_TYPE_STRING, location, "bytes", G_TYPE_UINT64,
              ended->size, "first", G_TYPE_UINT64, ended->first, NULL)));
}

/* That of the part before one that is empty is also that of the end. FALSE
 * after an error, which @self posts. */
static gboolean
take_last_checkpoint (GstEegFileSink *self, GstEegFileSink *sink,
    struct ended_part *ended)
{
  EegCheckpointResult result = eeg_checkpoint_load (sink->resume.sidecar,
      EEG_CHECKPOINT_NEWEST, &ended->checkpoint);

  if (result != EEG_CHECKPOINT_OK)
    return gst_eeg_file_sink_post_refusal (self, GST_RESOURCE_ERROR,
        GST_RESOURCE_ERROR_READ, "The last checkpoint could not be read",
        eeg_checkpoint_result_to_string (result));
  ended->checkpoint->complete = true;
  ended->checkpoint->id = ended->id;
  return TRUE;
}

/* Stores the checkpoint of all parts, then gives all their names; FALSE after
 * an error of one of these, which @self posts. */
static gboolean
commit (GstEegFileSink *self, GstEegFileSink **sinks, struct ended_part **parts,
    guint n)
{
  gboolean ok = TRUE;
  guint i;

  for (i = 0; i < n; i++) {
    if (parts[i]->is_last && parts[i]->file == NULL && sinks[i]->resume.enabled)
      ok &= take_last_checkpoint (self, sinks[i], parts[i]);
    if (parts[i]->checkpoint == NULL)
      continue;
    gst_eeg_file_sink_report (G_OBJECT (sinks[i]), parts[i]->checkpoint,
        eeg_checkpoint_store (sinks[i]->resume.sidecar, parts[i]->checkpoint));
    EEG_FAIL_POINT ("one-stored");
  }
  for (i = 0; i < n; i++) {
    EegDurableResult result = parts[i]->file != NULL
        ? eeg_durable_finish (parts[i]->file)
        : EEG_DURABLE_OK;
    gchar *location;

    EEG_FAIL_POINT ("one-named");
    location = gst_eeg_file_sink_get_part_location (sinks[i], parts[i]->number);
    if (result == EEG_DURABLE_OK) {
      report_part (sinks[i], parts[i], location);
    } else {
      self->state.disk_failed = TRUE;
      gst_eeg_file_sink_post_error (self, location, result,
          eeg_durable_get_errno (parts[i]->file));
      ok = FALSE;
    }
    g_free (location);
    free_ended (parts[i]);
  }
  return ok;
}

/* Under the lock: takes what all have ended. FALSE: one has not yet. */
static gboolean
take_round (GstEegFileSinkGroup *group, GstEegFileSink **sinks,
    struct ended_part **parts)
{
  guint i;

  if (group->closed || group->members->len < group->n_sinks)
    return FALSE;
  for (i = 0; i < group->n_sinks; i++) {
    Member *member = g_ptr_array_index (group->members, i);

    if (g_queue_is_empty (&member->ended))
      return FALSE;
  }
  for (i = 0; i < group->n_sinks; i++) {
    Member *member = g_ptr_array_index (group->members, i);

    sinks[i] = member->sink;
    parts[i] = g_queue_pop_head (&member->ended);
  }
  return TRUE;
}

static void
add_ended (GstEegFileSinkGroup *group, GstEegFileSink *self,
    struct ended_part *ended)
{
  guint i;

  for (i = 0; i < group->members->len; i++) {
    Member *member = g_ptr_array_index (group->members, i);

    if (member->sink == self)
      g_queue_push_tail (&member->ended, ended);
  }
}

gboolean
gst_eeg_file_sink_hand_over (GstEegFileSink *self, struct ended_part *ended)
{
  GstEegFileSinkGroup *group = self->parts.group;
  GstEegFileSink **sinks;
  struct ended_part **parts;
  gboolean ok = TRUE;

  /* nothing of it can come once more: there is nothing to wait for */
  if (group->n_sinks == 1 || group->is_live || !group->has_checkpoints) {
    g_mutex_lock (&group->lock);
    group->begun = TRUE;
    g_mutex_unlock (&group->lock);
    return commit (self, &self, &ended, 1);
  }
  sinks = g_new (GstEegFileSink *, group->n_sinks);
  parts = g_new (struct ended_part *, group->n_sinks);
  g_mutex_lock (&group->lock);
  group->begun = TRUE;
  add_ended (group, self, ended);
  while (!group->committing && take_round (group, sinks, parts)) {
    group->committing = TRUE;
    g_mutex_unlock (&group->lock);
    ok &= commit (self, sinks, parts, group->n_sinks);
    g_mutex_lock (&group->lock);
    group->committing = FALSE;
    g_cond_broadcast (&group->idle);
  }
  g_mutex_unlock (&group->lock);
  g_free (sinks);
  g_free (parts);
  return ok;
}

/* --- who takes part ------------------------------------------------------ */

gboolean
gst_eeg_file_sink_is_with (GstEegFileSink *self, GPtrArray *others)
{
  GstEegFileSinkGroup *group = self->parts.group;
  gboolean same;
  guint i;

  g_mutex_lock (&groups_lock);
  same = others->len + 1 == group->n_sinks;
  for (i = 0; i < others->len && same; i++)
    same = ((GstEegFileSink *) g_ptr_array_index (others, i))->parts.group
        == group;
  g_mutex_unlock (&groups_lock);
  return same;
}

void
gst_eeg_file_sink_leave (GstEegFileSink *self)
{
  GstEegFileSinkGroup *group;
  Member *gone = NULL;
  gboolean last = FALSE;
  guint i;

  g_mutex_lock (&groups_lock);
  group = self->parts.group;
  self->parts.group = NULL;
  if (group != NULL) {
    g_mutex_lock (&group->lock);
    while (group->committing)
      g_cond_wait (&group->idle, &group->lock);
    group->closed = group->begun;
    for (i = 0; i < group->members->len && gone == NULL; i++)
      if (((Member *) g_ptr_array_index (group->members, i))->sink == self)
        gone = g_ptr_array_steal_index (group->members, i);
    g_mutex_unlock (&group->lock);
    last = --group->refs == 0;
  }
  g_mutex_unlock (&groups_lock);
  if (gone != NULL)
    free_member (gone);
  if (last)
    free_group (group);
}
