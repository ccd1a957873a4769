/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gsteegnames.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <gst/eeg/eeg.h>

#define PART_SUFFIX ".part"

/* transfer full; the same for all paths to a name. A link as the last component
 * stays: what is renamed to it takes its place. */
static gchar *
resolve (const gchar *path)
{
  gchar *folder = g_path_get_dirname (path);
  gchar *name = g_path_get_basename (path);
  gchar *real = realpath (folder, NULL);
  gchar *resolved = g_build_filename (real != NULL ? real : folder, name, NULL);

  free (real);
  g_free (name);
  g_free (folder);
  return resolved;
}

static gboolean
are_one_file (const gchar *a, const gchar *b)
{
  struct stat s, t;

  return stat (a, &s) == 0 && stat (b, &t) == 0 && s.st_dev == t.st_dev
      && s.st_ino == t.st_ino;
}

gboolean
gst_eeg_names_are_same (const gchar *a, const gchar *b)
{
  gchar *x = resolve (a), *y = resolve (b);
  gboolean same = strcmp (x, y) == 0 || are_one_file (a, b);

  g_free (x);
  g_free (y);
  return same;
}

static gboolean
is_part_of (const gchar *location, const gchar *path)
{
  gchar *all = resolve (location), *one = resolve (path);
  guint64 number;
  gboolean is_part;

  if (g_str_has_suffix (one, PART_SUFFIX))
    one[strlen (one) - strlen (PART_SUFFIX)] = '\0';
  is_part = gst_eeg_part_parse_location (all, one, &number);
  g_free (all);
  g_free (one);
  return is_part;
}

/* Does a recording write to @path what it records? */
static gboolean
is_output (const gchar *location, gboolean parts, const gchar *path)
{
  gchar *part;
  gboolean is;

  if (parts)
    return is_part_of (location, path);
  part = g_strconcat (location, PART_SUFFIX, NULL);
  is = gst_eeg_names_are_same (location, path)
      || gst_eeg_names_are_same (part, path);
  g_free (part);
  return is;
}

gboolean
gst_eeg_names_check (const gchar *location, gboolean parts,
    const gchar *sidecar, const gchar *input, GError **error)
{
  static const gchar *const suffixes[] = { "", ".old", ".tmp" };
  gboolean ok = TRUE;
  guint i;

  if (input != NULL && is_output (location, parts, input)) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE,
        "\"%s\" is what is recorded from; choose another location", input);
    return FALSE;
  }
  for (i = 0; sidecar != NULL && ok && i < G_N_ELEMENTS (suffixes); i++) {
    gchar *path = g_strconcat (sidecar, suffixes[i], NULL);

    if (is_output (location, parts, path)) {
      ok = FALSE;
      g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE,
          "the checkpoints would be written over the recording, to \"%s\"; "
          "choose another checkpoint-location",
          path);
    } else if (input != NULL && gst_eeg_names_are_same (path, input)) {
      ok = FALSE;
      g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE,
          "the checkpoints would be written over what is recorded from, "
          "\"%s\"; choose another checkpoint-location",
          path);
    }
    g_free (path);
  }
  if (ok && sidecar != NULL && !eeg_checkpoint_may_store (sidecar)) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE,
        "\"%s\", or the same name with \".old\", is there already and has no "
        "checkpoints, or is somebody else's; choose another checkpoint-location, or remove it",
        sidecar);
    ok = FALSE;
  }
  return ok;
}

gboolean
gst_eeg_names_match (const gchar *location, gboolean parts,
    const EegCheckpoint *checkpoint)
{
  gchar *now = g_path_get_basename (location);
  gchar *then = g_path_get_basename (checkpoint->output.path);
  guint64 number;
  gboolean match = parts ? gst_eeg_part_parse_location (now, then, &number)
                         : strcmp (now, then) == 0;

  g_free (now);
  g_free (then);
  return match;
}

gboolean
gst_eeg_names_check_sidecar (const gchar *location, gboolean parts,
    const gchar *sidecar, GError **error)
{
  EegCheckpointGeneration generation;
  gboolean ok = TRUE, is_whole = FALSE;

  for (generation = EEG_CHECKPOINT_NEWEST;
       generation <= EEG_CHECKPOINT_PREVIOUS && ok && !is_whole; generation++) {
    EegCheckpoint *checkpoint;

    if (eeg_checkpoint_load (sidecar, generation, &checkpoint)
        != EEG_CHECKPOINT_OK)
      continue;
    is_whole = checkpoint->complete;
    ok = is_whole || gst_eeg_names_match (location, parts, checkpoint);
    if (!ok)
      g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE,
          "\"%s\" has the checkpoints of \"%s\", which is not whole; choose "
          "another checkpoint-location, or remove it",
          sidecar, checkpoint->output.path);
    eeg_checkpoint_free (checkpoint);
  }
  return ok;
}
