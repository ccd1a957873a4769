/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:gsteegcheckpoint
 * @title: GstEegCheckpoint
 * @short_description: what a recording can go on from, and how to go back
 *
 * A sink with checkpoints stores them in a sidecar, by default the name of the
 * recording with `.checkpoint` behind it. The sidecar holds two: the newest,
 * and the one before it in a file with `.old` behind its name. These functions
 * read them, and go back to the older one: of a recording that nobody runs with
 * gst_eeg_checkpoint_unwind(), of a pipeline with gst_eeg_unwind().
 *
 * A checkpoint holds neither samples nor keys.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsteegcheckpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint.h"
#include "durable.h"
#include "gsteegpart.h"
#include "gsteegstage.h"

#ifndef HAVE_CHECKPOINT_FORMAT
/* Built without BLAKE3, nothing stores checkpoints, and none can be read. */
EegCheckpointResult
eeg_checkpoint_load (const char *path, EegCheckpointGeneration generation,
    EegCheckpoint **checkpoint)
{
  *checkpoint = NULL;
  errno = ENOTSUP;
  return EEG_CHECKPOINT_IO;
}

EegCheckpointResult
eeg_checkpoint_drop_newest (const char *path)
{
  errno = ENOTSUP;
  return EEG_CHECKPOINT_IO;
}

bool
eeg_checkpoint_fits (const EegCheckpoint *checkpoint, int fd)
{
  return false;
}

void
eeg_checkpoint_free (EegCheckpoint *checkpoint)
{
}

const char *
eeg_checkpoint_result_to_string (EegCheckpointResult result)
{
  return "not supported";
}
#endif

G_STATIC_ASSERT (EEG_CHECKPOINT_HASH_SIZE == GST_EEG_BARRIER_HASH_SIZE);

struct _GstEegCheckpoint
{
  gint refs;
  GstEegCheckpointGeneration generation;
  EegCheckpoint *content;
  GstEegBarrierInput input; /* its path belongs to the content */
};

G_DEFINE_BOXED_TYPE (GstEegCheckpoint, gst_eeg_checkpoint,
    gst_eeg_checkpoint_ref, gst_eeg_checkpoint_unref)

GType
gst_eeg_checkpoint_generation_get_type (void)
{
  static const GEnumValue values[] = {
    { GST_EEG_CHECKPOINT_GENERATION_NEWEST,
        "GST_EEG_CHECKPOINT_GENERATION_NEWEST", "newest" },
    { GST_EEG_CHECKPOINT_GENERATION_PREVIOUS,
        "GST_EEG_CHECKPOINT_GENERATION_PREVIOUS", "previous" },
    { 0, NULL, NULL },
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstEegCheckpointGeneration", values));
  return type;
}

/* --- reading ------------------------------------------------------------- */

static void
set_error (GError **error, const gchar *path, EegCheckpointResult result,
    gint code)
{
  gchar *display = g_filename_display_name (path);
  gint number = GST_RESOURCE_ERROR_READ;

  if (result == EEG_CHECKPOINT_MISSING)
    number = GST_RESOURCE_ERROR_NOT_FOUND;
  else if (result == EEG_CHECKPOINT_NO_MEMORY)
    number = GST_RESOURCE_ERROR_FAILED;
  else if (result != EEG_CHECKPOINT_IO)
    number = GST_RESOURCE_ERROR_SETTINGS;
  g_set_error (error, GST_RESOURCE_ERROR, number, "\"%s\": %s", display,
      result == EEG_CHECKPOINT_IO ? g_strerror (code)
                                  : eeg_checkpoint_result_to_string (result));
  g_free (display);
}

static GstEegCheckpoint *
wrap (EegCheckpoint *content, GstEegCheckpointGeneration generation)
{
  GstEegCheckpoint *checkpoint = g_new0 (GstEegCheckpoint, 1);
  const EegCheckpointInput *from = &content->input;
  GstEegBarrierInput *input = &checkpoint->input;

  checkpoint->refs = 1;
  checkpoint->generation = generation;
  checkpoint->content = content;
  input->path = from->path[0] != '\0' ? from->path : NULL;
  input->position = from->position;
  input->size = from->size;
  input->mtime = from->mtime;
  input->device = from->device;
  input->inode = from->inode;
  memcpy (input->head, from->head, sizeof input->head);
  memcpy (input->tail, from->tail, sizeof input->tail);
  return checkpoint;
}

/**
 * gst_eeg_checkpoint_load:
 * @path: (type filename): a sidecar
 * @generation: which of its two checkpoints
 * @error: return location
 *
 * Reads a checkpoint. What is damaged is never given out: of a sidecar that was
 * cut off anywhere, or in which a bit is wrong, nothing is believed.
 *
 * Errors are of the domain %GST_RESOURCE_ERROR: NOT_FOUND if there is no such
 * generation, SETTINGS if it is damaged or of a newer format, READ if the
 * system refuses.
 *
 * Returns: (transfer full) (nullable): the checkpoint, or %NULL with @error set
 */
GstEegCheckpoint *
gst_eeg_checkpoint_load (const gchar *path,
    GstEegCheckpointGeneration generation, GError **error)
{
  EegCheckpointResult result;
  EegCheckpoint *content;

  g_return_val_if_fail (path != NULL, NULL);

  result = eeg_checkpoint_load (path,
      generation == GST_EEG_CHECKPOINT_GENERATION_NEWEST
          ? EEG_CHECKPOINT_NEWEST
          : EEG_CHECKPOINT_PREVIOUS,
      &content);
  if (result == EEG_CHECKPOINT_OK)
    return wrap (content, generation);
  set_error (error, path, result, errno);
  return NULL;
}

/**
 * gst_eeg_checkpoint_list:
 * @path: (type filename): a sidecar
 * @error: return location
 *
 * Reads both generations. One that is missing or damaged is left out;
 * gst_eeg_checkpoint_load() says why.
 *
 * Returns: (transfer full) (element-type GstEegCheckpoint) (nullable): the
 *     checkpoints, the newest first, or %NULL with @error set if there is none,
 *     for the reason that the newest one has
 */
GPtrArray *
gst_eeg_checkpoint_list (const gchar *path, GError **error)
{
  GPtrArray *list;
  GError *first = NULL;
  guint i;

  g_return_val_if_fail (path != NULL, NULL);

  list = g_ptr_array_new_with_free_func (
      (GDestroyNotify) gst_eeg_checkpoint_unref);
  for (i = 0; i < 2; i++) {
    GstEegCheckpoint *checkpoint = gst_eeg_checkpoint_load (path,
        i == 0 ? GST_EEG_CHECKPOINT_GENERATION_NEWEST
               : GST_EEG_CHECKPOINT_GENERATION_PREVIOUS,
        first == NULL ? &first : NULL);

    if (checkpoint != NULL)
      g_ptr_array_add (list, checkpoint);
  }
  if (list->len == 0) {
    g_propagate_error (error, first);
    g_ptr_array_unref (list);
    return NULL;
  }
  g_clear_error (&first);
  return list;
}

/**
 * gst_eeg_checkpoint_ref:
 * @checkpoint: a checkpoint
 *
 * Returns: (transfer full): @checkpoint
 */
GstEegCheckpoint *
gst_eeg_checkpoint_ref (GstEegCheckpoint *checkpoint)
{
  g_return_val_if_fail (checkpoint != NULL, NULL);

  g_atomic_int_inc (&checkpoint->refs);
  return checkpoint;
}

/**
 * gst_eeg_checkpoint_unref:
 * @checkpoint: (transfer full): a checkpoint
 */
void
gst_eeg_checkpoint_unref (GstEegCheckpoint *checkpoint)
{
  g_return_if_fail (checkpoint != NULL);

  if (!g_atomic_int_dec_and_test (&checkpoint->refs))
    return;
  eeg_checkpoint_free (checkpoint->content);
  g_free (checkpoint);
}

/* --- what it says -------------------------------------------------------- */

/**
 * gst_eeg_checkpoint_get_id:
 * @checkpoint: a checkpoint
 *
 * Returns: its number, which grows from checkpoint to checkpoint of a
 * recording;
 *     0 of the one before the stream
 */
guint64
gst_eeg_checkpoint_get_id (const GstEegCheckpoint *checkpoint)
{
  g_return_val_if_fail (checkpoint != NULL, 0);

  return checkpoint->content->id;
}

/**
 * gst_eeg_checkpoint_get_time:
 * @checkpoint: a checkpoint
 *
 * Returns: when it was taken, in microseconds since 1970 (UTC)
 */
gint64
gst_eeg_checkpoint_get_time (const GstEegCheckpoint *checkpoint)
{
  g_return_val_if_fail (checkpoint != NULL, 0);

  return checkpoint->content->time;
}

/**
 * gst_eeg_checkpoint_get_sample_index:
 * @checkpoint: a checkpoint
 *
 * Returns: samples per channel since the start, lost ones counted; 0 of a
 * stream
 *     of bytes
 */
guint64
gst_eeg_checkpoint_get_sample_index (const GstEegCheckpoint *checkpoint)
{
  g_return_val_if_fail (checkpoint != NULL, 0);

  return checkpoint->content->sample_index;
}

/**
 * gst_eeg_checkpoint_get_look_back:
 * @checkpoint: a checkpoint
 *
 * Returns: samples per channel before the sample index that the stages must see
 *     again to go on
 */
guint64
gst_eeg_checkpoint_get_look_back (const GstEegCheckpoint *checkpoint)
{
  g_return_val_if_fail (checkpoint != NULL, 0);

  return checkpoint->content->look_back;
}

/**
 * gst_eeg_checkpoint_get_recording:
 * @checkpoint: a checkpoint
 *
 * Returns: (transfer full): the random id of the recording, the same in all its
 *     checkpoints, in the form of a UUID: 36 characters
 */
gchar *
gst_eeg_checkpoint_get_recording (const GstEegCheckpoint *checkpoint)
{
  GString *text;
  guint i;

  g_return_val_if_fail (checkpoint != NULL, NULL);

  text = g_string_sized_new (36);
  for (i = 0; i < EEG_CHECKPOINT_UUID_SIZE; i++)
    g_string_append_printf (text, "%s%02x",
        i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
        checkpoint->content->recording[i]);
  return g_string_free (text, FALSE);
}

/**
 * gst_eeg_checkpoint_get_part:
 * @checkpoint: a checkpoint
 *
 * Returns: number of the part that was written
 */
guint
gst_eeg_checkpoint_get_part (const GstEegCheckpoint *checkpoint)
{
  g_return_val_if_fail (checkpoint != NULL, 0);

  return checkpoint->content->part;
}

/**
 * gst_eeg_checkpoint_is_complete:
 * @checkpoint: a checkpoint
 *
 * Returns: whether the recording has come to its end
 */
gboolean
gst_eeg_checkpoint_is_complete (const GstEegCheckpoint *checkpoint)
{
  g_return_val_if_fail (checkpoint != NULL, FALSE);

  return checkpoint->content->complete;
}

/**
 * gst_eeg_checkpoint_get_retries:
 * @checkpoint: a checkpoint
 *
 * Returns: how often the recording went on from here since this was stored;
 * more
 *     than a few tell of a chunk behind it that cannot be passed
 */
guint
gst_eeg_checkpoint_get_retries (const GstEegCheckpoint *checkpoint)
{
  g_return_val_if_fail (checkpoint != NULL, 0);

  return checkpoint->content->retries;
}

/**
 * gst_eeg_checkpoint_get_cpu_path:
 * @checkpoint: a checkpoint
 *
 * Returns: (transfer none): the instructions that float stages computed with,
 * or
 *     "" if there were none
 */
const gchar *
gst_eeg_checkpoint_get_cpu_path (const GstEegCheckpoint *checkpoint)
{
  g_return_val_if_fail (checkpoint != NULL, NULL);

  return checkpoint->content->cpu_path;
}

/**
 * gst_eeg_checkpoint_get_settings:
 * @checkpoint: a checkpoint
 *
 * Returns: (transfer none) (array fixed-size=32): BLAKE3 of the elements and
 * their
 *     settings
 */
const guint8 *
gst_eeg_checkpoint_get_settings (const GstEegCheckpoint *checkpoint)
{
  g_return_val_if_fail (checkpoint != NULL, NULL);

  return checkpoint->content->settings;
}

/**
 * gst_eeg_checkpoint_get_input:
 * @checkpoint: a checkpoint
 *
 * Returns: (transfer none): what the source reads, and how far it was
 */
const GstEegBarrierInput *
gst_eeg_checkpoint_get_input (const GstEegCheckpoint *checkpoint)
{
  g_return_val_if_fail (checkpoint != NULL, NULL);

  return &checkpoint->input;
}

/**
 * gst_eeg_checkpoint_get_output_path:
 * @checkpoint: a checkpoint
 *
 * Returns: (transfer none) (type filename): the file that is recorded to, as
 * the
 *     sink was told, without `.part`
 */
const gchar *
gst_eeg_checkpoint_get_output_path (const GstEegCheckpoint *checkpoint)
{
  g_return_val_if_fail (checkpoint != NULL, NULL);

  return checkpoint->content->output.path;
}

/**
 * gst_eeg_checkpoint_get_output_length:
 * @checkpoint: a checkpoint
 *
 * Returns: bytes of the output that were safe on disk; what is behind them is
 * cut
 *     off when the recording goes on
 */
guint64
gst_eeg_checkpoint_get_output_length (const GstEegCheckpoint *checkpoint)
{
  g_return_val_if_fail (checkpoint != NULL, 0);

  return checkpoint->content->output.length;
}

/**
 * gst_eeg_checkpoint_get_output_file:
 * @checkpoint: a checkpoint
 * @device: (out) (optional): number of the file system of the output
 * @inode: (out) (optional): number of the output in it
 */
void
gst_eeg_checkpoint_get_output_file (const GstEegCheckpoint *checkpoint,
    guint64 *device, guint64 *inode)
{
  g_return_if_fail (checkpoint != NULL);

  if (device != NULL)
    *device = checkpoint->content->output.device;
  if (inode != NULL)
    *inode = checkpoint->content->output.inode;
}

/**
 * gst_eeg_checkpoint_get_output_tail:
 * @checkpoint: a checkpoint
 *
 * Returns: (transfer none) (array fixed-size=32): BLAKE3 of the last 64 KiB of
 * the
 *     output before its length
 */
const guint8 *
gst_eeg_checkpoint_get_output_tail (const GstEegCheckpoint *checkpoint)
{
  g_return_val_if_fail (checkpoint != NULL, NULL);

  return checkpoint->content->output.tail;
}

/**
 * gst_eeg_checkpoint_get_n_stages:
 * @checkpoint: a checkpoint
 *
 * Returns: stages whose state it holds, the nearest to the sink first
 */
guint
gst_eeg_checkpoint_get_n_stages (const GstEegCheckpoint *checkpoint)
{
  g_return_val_if_fail (checkpoint != NULL, 0);

  return (guint) checkpoint->content->n_stages;
}

static const EegCheckpointStage *
get_stage (const GstEegCheckpoint *checkpoint, guint index)
{
  g_return_val_if_fail (checkpoint != NULL, NULL);
  g_return_val_if_fail (index < checkpoint->content->n_stages, NULL);

  return &checkpoint->content->stages[index];
}

/**
 * gst_eeg_checkpoint_get_stage_name:
 * @checkpoint: a checkpoint
 * @index: which stage
 *
 * Returns: (transfer none): name of the element in its pipeline
 */
const gchar *
gst_eeg_checkpoint_get_stage_name (const GstEegCheckpoint *checkpoint,
    guint index)
{
  const EegCheckpointStage *stage = get_stage (checkpoint, index);

  return stage != NULL ? stage->name : NULL;
}

/**
 * gst_eeg_checkpoint_get_stage_factory:
 * @checkpoint: a checkpoint
 * @index: which stage
 *
 * Returns: (transfer none): name of the element's factory
 */
const gchar *
gst_eeg_checkpoint_get_stage_factory (const GstEegCheckpoint *checkpoint,
    guint index)
{
  const EegCheckpointStage *stage = get_stage (checkpoint, index);

  return stage != NULL ? stage->factory : NULL;
}

/**
 * gst_eeg_checkpoint_get_stage_settings:
 * @checkpoint: a checkpoint
 * @index: which stage
 *
 * Returns: (transfer none): what the stage's output depends on beside its
 * input,
 *     as gst_eeg_stage_describe_output() said
 */
const gchar *
gst_eeg_checkpoint_get_stage_settings (const GstEegCheckpoint *checkpoint,
    guint index)
{
  const EegCheckpointStage *stage = get_stage (checkpoint, index);

  return stage != NULL ? stage->settings : NULL;
}

/**
 * gst_eeg_checkpoint_get_stage_state_size:
 * @checkpoint: a checkpoint
 * @index: which stage
 *
 * Returns: bytes of what the stage saved
 */
gsize
gst_eeg_checkpoint_get_stage_state_size (const GstEegCheckpoint *checkpoint,
    guint index)
{
  const EegCheckpointStage *stage = get_stage (checkpoint, index);

  return stage != NULL ? stage->state_size : 0;
}

/* --- going back ---------------------------------------------------------- */

/* The one of @list with this id. One that is complete has the id of the last
 * barrier, as the one before it may have, to which one would rather go back. */
static GstEegCheckpoint *
find_id (GPtrArray *list, guint64 id)
{
  GstEegCheckpoint *found = NULL;
  guint i;

  for (i = 0; i < list->len; i++) {
    GstEegCheckpoint *checkpoint = g_ptr_array_index (list, i);

    if (checkpoint->content->id != id)
      continue;
    if (found == NULL || found->content->complete)
      found = checkpoint;
  }
  return found;
}

static void
set_id_error (GError **error, const gchar *path, GPtrArray *list, guint64 id)
{
  gchar *display = g_filename_display_name (path);
  GString *ids = g_string_new (NULL);
  guint i;

  for (i = 0; i < list->len; i++) {
    GstEegCheckpoint *checkpoint = g_ptr_array_index (list, i);

    g_string_append_printf (ids, "%s%" G_GUINT64_FORMAT, i > 0 ? ", " : "",
        checkpoint->content->id);
  }
  g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
      "\"%s\" has no checkpoint %" G_GUINT64_FORMAT "; there is: %s", display,
      id, ids->str);
  g_string_free (ids, TRUE);
  g_free (display);
}

/* transfer full; as the recording was told, and beside the sidecar */
static gchar **
get_candidates (const gchar *sidecar, const gchar *output)
{
  gchar **paths = g_new0 (gchar *, 3);
  gchar *folder = g_path_get_dirname (sidecar);
  gchar *name = g_path_get_basename (output);

  paths[0] = g_strdup (output);
  paths[1] = g_build_filename (folder, name, NULL);
  g_free (folder);
  g_free (name);
  return paths;
}

/* An output that is locked against recorders, and as the checkpoint says; -1
 * with @error set if there is none. */
static int
open_output (const gchar *path, const EegCheckpoint *checkpoint, GError **error)
{
  int fd = open (path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

  g_clear_error (error);
  if (fd < 0) {
    g_set_error (error, GST_RESOURCE_ERROR,
        errno == ENOENT ? GST_RESOURCE_ERROR_NOT_FOUND
                        : GST_RESOURCE_ERROR_OPEN_READ_WRITE,
        "\"%s\": %s", path, g_strerror (errno));
    return -1;
  }
  if (flock (fd, LOCK_EX | LOCK_NB) < 0) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_BUSY,
        "\"%s\" is being recorded to", path);
  } else if (!eeg_checkpoint_fits (checkpoint, fd)) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "\"%s\" is shorter than at checkpoint %" G_GUINT64_FORMAT
        ", or ends with other bytes there",
        path, (guint64) checkpoint->id);
  } else {
    return fd;
  }
  close (fd);
  return -1;
}

/* A file that has its name loses it: it is no whole recording any more. */
static gboolean
take_name (const gchar *path, const gchar *part, GError **error)
{
  if (renameat2 (AT_FDCWD, path, AT_FDCWD, part, RENAME_NOREPLACE) == 0
      && eeg_durable_sync_folder (part))
    return TRUE;
  g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE,
      "\"%s\" could not be renamed: %s", path, g_strerror (errno));
  return FALSE;
}

/* Opens and locks the unfinished output of @checkpoint; a finished one becomes
 * unfinished. */
static int
claim_output (const gchar *sidecar, const EegCheckpoint *checkpoint,
    GError **error)
{
  gchar **paths = get_candidates (sidecar, checkpoint->output.path);
  GError *first = NULL;
  int fd = -1;
  guint i;

  for (i = 0; paths[i] != NULL && fd < 0; i++) {
    gchar *part = g_strconcat (paths[i], ".part", NULL);
    GError *reason = NULL;

    fd = open_output (part, checkpoint, &reason);
    if (fd < 0
        && g_error_matches (reason, GST_RESOURCE_ERROR,
            GST_RESOURCE_ERROR_NOT_FOUND)) {
      fd = open_output (paths[i], checkpoint, &reason);
      if (fd >= 0 && !take_name (paths[i], part, &reason)) {
        close (fd);
        fd = -1;
      }
    }
    g_free (part);
    /* what is where it was said to be says more than what is not there */
    if (first == NULL
        || (reason != NULL
            && g_error_matches (first, GST_RESOURCE_ERROR,
                GST_RESOURCE_ERROR_NOT_FOUND))) {
      g_clear_error (&first);
      first = g_steal_pointer (&reason);
    }
    g_clear_error (&reason);
  }
  if (fd < 0)
    g_propagate_error (error, g_steal_pointer (&first));
  g_clear_error (&first);
  g_strfreev (paths);
  return fd;
}

/* The name for all parts of a recording, which the sidecar has from it; NULL
 * with
 * @error set if it has another one. */
static gchar *
get_parts_name (const gchar *sidecar, const EegCheckpoint *checkpoint,
    GError **error)
{
  gchar *here = g_path_get_dirname (sidecar);
  gchar *name = g_path_get_basename (checkpoint->output.path);
  gchar *path = g_build_filename (here, name, NULL);
  gchar *base = g_path_get_basename (sidecar);
  gchar *location = NULL;
  guint64 number;

  if (g_str_has_suffix (base, ".checkpoint")) {
    base[strlen (base) - strlen (".checkpoint")] = '\0';
    location = g_build_filename (here, base, NULL);
    if (!gst_eeg_part_parse_location (location, path, &number))
      g_clear_pointer (&location, g_free);
  }
  if (location == NULL)
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "\"%s\" does not have the name of the recording with \".checkpoint\" "
        "behind it, so the parts of that are not known",
        sidecar);
  g_free (here);
  g_free (name);
  g_free (path);
  g_free (base);
  return location;
}

/* Parts behind @number become unfinished ones, which are cut when they come
 * again. FALSE with @error set if somebody records to one of them. */
static gboolean
take_names (const gchar *location, guint64 number, GError **error)
{
  GArray *fds = g_array_new (FALSE, FALSE, sizeof (int));
  GPtrArray *whole = g_ptr_array_new_with_free_func (g_free);
  gboolean more = TRUE, ok = TRUE;
  guint i;

  while (more && ok) {
    gchar *path = gst_eeg_part_make_location (location, ++number, NULL);
    gchar *part = g_strconcat (path, ".part", NULL);
    int fd = open (part, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0 && errno == ENOENT) {
      fd = open (path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
      if (fd >= 0)
        g_ptr_array_add (whole, g_strdup (path));
    }
    more = fd >= 0;
    if (fd >= 0) {
      g_array_append_val (fds, fd);
      ok = flock (fd, LOCK_EX | LOCK_NB) == 0;
    } else {
      ok = errno == ENOENT;
    }
    if (!ok)
      g_set_error (error, GST_RESOURCE_ERROR,
          errno == EWOULDBLOCK ? GST_RESOURCE_ERROR_BUSY
                               : GST_RESOURCE_ERROR_OPEN_READ_WRITE,
          errno == EWOULDBLOCK ? "\"%s\" is being recorded to (%s)"
                               : "\"%s\": %s",
          path, g_strerror (errno));
    g_free (part);
    g_free (path);
  }
  for (i = 0; ok && i < whole->len; i++) {
    const gchar *path = g_ptr_array_index (whole, i);
    gchar *part = g_strconcat (path, ".part", NULL);

    ok = take_name (path, part, error);
    g_free (part);
  }
  for (i = 0; i < fds->len; i++)
    close (g_array_index (fds, int, i));
  g_ptr_array_unref (whole);
  g_array_unref (fds);
  return ok;
}

/* Of a recording in parts, whose checkpoints are where parts end. */
static gboolean
claim_parts (const gchar *sidecar, const EegCheckpoint *checkpoint,
    GError **error)
{
  gchar *location = get_parts_name (sidecar, checkpoint, error), *path;
  gboolean ok = location != NULL;
  GError *reason = NULL;
  int fd;

  if (ok && checkpoint->part > 0) {
    path = gst_eeg_part_make_location (location, checkpoint->part, NULL);
    fd = open_output (path, checkpoint, &reason);
    g_free (path);
    if (fd >= 0)
      close (fd);
    /* one that was moved away is nobody's business here */
    if (fd < 0
        && !g_error_matches (reason, GST_RESOURCE_ERROR,
            GST_RESOURCE_ERROR_NOT_FOUND)) {
      g_propagate_error (error, g_steal_pointer (&reason));
      ok = FALSE;
    }
    g_clear_error (&reason);
  }
  ok = ok && take_names (location, checkpoint->part, error);
  g_free (location);
  return ok;
}

/**
 * gst_eeg_checkpoint_unwind:
 * @path: (type filename): a sidecar
 * @id: the checkpoint to go back to
 * @error: return location
 *
 * Makes @id the checkpoint that the recording goes on from when its pipeline is
 * run the next time. A newer one is thrown away, so that there is no way
 * forward again but that of the recording; what the output holds behind @id is
 * cut off then. A recording that was finished gets `.part` behind its name once
 * more, and so do parts of a recording that are newer than @id. Where @id is
 * the newest one and not complete, nothing has to change.
 *
 * Nothing happens, and @error is set, if there is no such checkpoint
 * (%GST_RESOURCE_ERROR_NOT_FOUND, with a list of those that are), if a recorder
 * has the output (BUSY), or if the output does not fit to the checkpoint
 * (SETTINGS). After a crash in between the recording goes on from one of the
 * two.
 *
 * Returns: whether the recording goes on from @id
 */
gboolean
gst_eeg_checkpoint_unwind (const gchar *path, guint64 id, GError **error)
{
  EegCheckpointResult result = EEG_CHECKPOINT_OK;
  GstEegCheckpoint *target;
  gboolean newest, ok, has_parts = FALSE;
  GPtrArray *list;
  int fd = -1;
  guint i;

  g_return_val_if_fail (path != NULL, FALSE);

  list = gst_eeg_checkpoint_list (path, error);
  if (list == NULL)
    return FALSE;
  target = find_id (list, id);
  if (target == NULL) {
    set_id_error (error, path, list, id);
    g_ptr_array_unref (list);
    return FALSE;
  }
  newest = target->generation == GST_EEG_CHECKPOINT_GENERATION_NEWEST;
  if (newest && target->content->complete) {
    g_ptr_array_unref (list);
    return TRUE;
  }
  for (i = 0; i < list->len; i++)
    has_parts |= gst_eeg_checkpoint_get_part (list->pdata[i]) > 0;
  if (has_parts) {
    ok = newest || claim_parts (path, target->content, error);
  } else {
    fd = claim_output (path, target->content, error);
    ok = fd >= 0;
  }
  if (ok && !newest) {
    result = eeg_checkpoint_drop_newest (path);
    if (result != EEG_CHECKPOINT_OK)
      set_error (error, path, result, errno);
    ok = result == EEG_CHECKPOINT_OK;
  }
  g_ptr_array_unref (list);
  /* the lock goes with it */
  if (fd >= 0)
    close (fd);
  return ok;
}

static gboolean
add_sidecar (const GValue *item, GValue *ret, gpointer user_data)
{
  GstElement *element = g_value_get_object (item);
  GPtrArray *sidecars = user_data;
  gchar *sidecar = NULL;

  if (GST_IS_EEG_STAGE (element))
    sidecar = gst_eeg_stage_get_checkpoint_location (GST_EEG_STAGE (element));
  if (sidecar != NULL)
    g_ptr_array_add (sidecars, sidecar);
  return TRUE;
}

/* transfer full; of all sinks in @bin that store checkpoints */
static GPtrArray *
find_sidecars (GstBin *bin)
{
  GstIterator *it = gst_bin_iterate_recurse (bin);
  GPtrArray *sidecars = g_ptr_array_new_with_free_func (g_free);
  GValue ret = G_VALUE_INIT;

  while (gst_iterator_fold (it, add_sidecar, &ret, sidecars)
      == GST_ITERATOR_RESYNC) {
    g_ptr_array_set_size (sidecars, 0);
    gst_iterator_resync (it);
  }
  gst_iterator_free (it);
  return sidecars;
}

static gboolean
have_id (GPtrArray *sidecars, guint64 id, GError **error)
{
  guint i;

  for (i = 0; i < sidecars->len; i++) {
    const gchar *path = g_ptr_array_index (sidecars, i);
    GPtrArray *list = gst_eeg_checkpoint_list (path, error);
    gboolean found;

    if (list == NULL)
      return FALSE;
    found = find_id (list, id) != NULL;
    if (!found)
      set_id_error (error, path, list, id);
    g_ptr_array_unref (list);
    if (!found)
      return FALSE;
  }
  return TRUE;
}

/**
 * gst_eeg_unwind:
 * @pipeline: a bin whose sinks store checkpoints
 * @id: the checkpoint to go back to
 * @error: return location
 *
 * Takes a pipeline back to an older checkpoint: to READY, the sinks first, then
 * to PAUSED, where each sink cuts off what is behind the checkpoint, each stage
 * gets the state that it had there, and the source goes to its place. Played
 * on, the pipeline comes to the same bytes as one that had not been beyond @id.
 * Works also after an error, which is what it is for: a check that finds too
 * late what was recorded already.
 *
 * The settings of the stages must be those of the checkpoint, as always when a
 * recording goes on. The counts of retries stay, so that who goes back and
 * fails again and again is stopped by the sink's `max-retries`.
 *
 * If there is no such checkpoint, the pipeline stays as it is and @error has a
 * list of those that are. A checkpoint that is being stored is stored before
 * the pipeline is in READY, and pushes out the oldest: who wants that one sets
 * READY first, then asks gst_eeg_checkpoint_list(). After any other error the
 * pipeline is in READY.
 *
 * Messages of what went wrong before are still on the bus. Not from a streaming
 * thread. As with gst_element_set_state(), the change to
 * PAUSED may still be under way when this returns, and errors of it come as
 * messages.
 *
 * Returns: whether the pipeline is on its way to PAUSED at @id
 */
gboolean
gst_eeg_unwind (GstElement *pipeline, guint64 id, GError **error)
{
  GPtrArray *sidecars;
  gboolean ok;
  guint i;

  g_return_val_if_fail (GST_IS_BIN (pipeline), FALSE);

  sidecars = find_sidecars (GST_BIN (pipeline));
  ok = sidecars->len > 0;
  if (!ok)
    g_set_error_literal (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "no element of the pipeline stores checkpoints");
  ok = ok && have_id (sidecars, id, error);
  if (ok
      && gst_element_set_state (pipeline, GST_STATE_READY)
          == GST_STATE_CHANGE_FAILURE) {
    g_set_error_literal (error, GST_CORE_ERROR, GST_CORE_ERROR_STATE_CHANGE,
        "the pipeline does not go to READY");
    ok = FALSE;
  }
  /* all of them, before any is changed */
  ok = ok && have_id (sidecars, id, error);
  for (i = 0; ok && i < sidecars->len; i++)
    ok = gst_eeg_checkpoint_unwind (g_ptr_array_index (sidecars, i), id, error);
  if (ok
      && gst_element_set_state (pipeline, GST_STATE_PAUSED)
          == GST_STATE_CHANGE_FAILURE) {
    g_set_error_literal (error, GST_CORE_ERROR, GST_CORE_ERROR_STATE_CHANGE,
        "the pipeline does not go to PAUSED; a message says why");
    ok = FALSE;
  }
  g_ptr_array_unref (sidecars);
  return ok;
}
