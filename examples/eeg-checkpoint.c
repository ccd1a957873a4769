/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * eeg-checkpoint: what a recording can go on from, and back to.
 *
 *   eeg-checkpoint show [--json] FILE
 *   eeg-checkpoint unwind FILE ID
 *
 * FILE is a recording, with or without ".part", or its sidecar. `show` prints
 * both checkpoints of the sidecar, or why one cannot be used. `unwind` goes
 * back to checkpoint ID: the same launch line, run again, goes on from there.
 *
 * Exit status: 0, 1 if there is no checkpoint that can be used or the unwinding
 * was refused, 2 for wrong arguments.
 */
#include <stdio.h>
#include <string.h>

#include <gst/gst.h>

#include <gst/eeg/eeg.h>

static const gchar *const generations[] = { "newest", "previous" };

/* transfer full; the sidecar that @file is or has */
static gchar *
find_sidecar (const gchar *file)
{
  gsize n =
      g_str_has_suffix (file, ".part") ? strlen (file) - 5 : strlen (file);
  gchar *sidecar = g_strdup_printf ("%.*s.checkpoint", (int) n, file);
  gchar *old = g_strconcat (sidecar, ".old", NULL);

  if (!g_file_test (sidecar, G_FILE_TEST_EXISTS)
      && !g_file_test (old, G_FILE_TEST_EXISTS)) {
    g_free (sidecar);
    sidecar = g_strdup (file);
  }
  g_free (old);
  return sidecar;
}

/* --- JSON ---------------------------------------------------------------- */

static void
print_text (const gchar *text)
{
  gchar *utf8 = g_utf8_make_valid (text, -1);
  const gchar *c;

  putchar ('"');
  for (c = utf8; *c != '\0'; c++) {
    if (*c == '"' || *c == '\\')
      printf ("\\%c", *c);
    else if ((guchar) *c < 0x20)
      printf ("\\u%04x", (guchar) *c);
    else
      putchar (*c);
  }
  putchar ('"');
  g_free (utf8);
}

static void
print_text_field (const gchar *name, const gchar *text)
{
  printf ("\"%s\": ", name);
  if (text != NULL)
    print_text (text);
  else
    printf ("null");
  printf (", ");
}

static void
print_hash (const gchar *name, const guint8 *hash, const gchar *end)
{
  guint i;

  printf ("\"%s\": \"", name);
  for (i = 0; i < GST_EEG_BARRIER_HASH_SIZE; i++)
    printf ("%02x", hash[i]);
  printf ("\"%s", end);
}

static void
print_json (const GstEegCheckpoint *checkpoint)
{
  const GstEegBarrierInput *input = gst_eeg_checkpoint_get_input (checkpoint);
  gchar *recording = gst_eeg_checkpoint_get_recording (checkpoint);
  guint64 device, inode;
  guint i;

  gst_eeg_checkpoint_get_output_file (checkpoint, &device, &inode);
  printf ("{\"id\": %" G_GUINT64_FORMAT ", \"time\": %" G_GINT64_FORMAT ", ",
      gst_eeg_checkpoint_get_id (checkpoint),
      gst_eeg_checkpoint_get_time (checkpoint));
  printf ("\"sample-index\": %" G_GUINT64_FORMAT
          ", \"look-back\": %" G_GUINT64_FORMAT ", ",
      gst_eeg_checkpoint_get_sample_index (checkpoint),
      gst_eeg_checkpoint_get_look_back (checkpoint));
  print_text_field ("recording", recording);
  printf ("\"part\": %u, \"complete\": %s, \"retries\": %u, ",
      gst_eeg_checkpoint_get_part (checkpoint),
      gst_eeg_checkpoint_is_complete (checkpoint) ? "true" : "false",
      gst_eeg_checkpoint_get_retries (checkpoint));
  print_hash ("settings", gst_eeg_checkpoint_get_settings (checkpoint), ", ");
  print_text_field ("cpu-path", gst_eeg_checkpoint_get_cpu_path (checkpoint));

  printf ("\"input\": {");
  print_text_field ("path", input->path);
  /* a live source has no position */
  if (input->position != G_MAXUINT64)
    printf ("\"position\": %" G_GUINT64_FORMAT ", ", input->position);
  else
    printf ("\"position\": null, ");
  printf ("\"size\": %" G_GUINT64_FORMAT ", \"mtime\": %" G_GINT64_FORMAT
          ", \"device\": %" G_GUINT64_FORMAT ", \"inode\": %" G_GUINT64_FORMAT
          ", ",
      input->size, input->mtime, input->device, input->inode);
  print_hash ("head", input->head, ", ");
  print_hash ("tail", input->tail, "}, ");

  printf ("\"output\": {");
  print_text_field ("path", gst_eeg_checkpoint_get_output_path (checkpoint));
  printf ("\"length\": %" G_GUINT64_FORMAT ", \"device\": %" G_GUINT64_FORMAT
          ", \"inode\": %" G_GUINT64_FORMAT ", ",
      gst_eeg_checkpoint_get_output_length (checkpoint), device, inode);
  print_hash ("tail", gst_eeg_checkpoint_get_output_tail (checkpoint), "}, ");

  printf ("\"stages\": [");
  for (i = 0; i < gst_eeg_checkpoint_get_n_stages (checkpoint); i++) {
    printf ("%s{", i > 0 ? ", " : "");
    print_text_field ("name",
        gst_eeg_checkpoint_get_stage_name (checkpoint, i));
    print_text_field ("factory",
        gst_eeg_checkpoint_get_stage_factory (checkpoint, i));
    print_text_field ("settings",
        gst_eeg_checkpoint_get_stage_settings (checkpoint, i));
    printf ("\"state-size\": %" G_GSIZE_FORMAT "}",
        gst_eeg_checkpoint_get_stage_state_size (checkpoint, i));
  }
  printf ("]}");
  g_free (recording);
}

/* --- for people ---------------------------------------------------------- */

static void
print_human (const GstEegCheckpoint *checkpoint)
{
  const GstEegBarrierInput *input = gst_eeg_checkpoint_get_input (checkpoint);
  gchar *recording = gst_eeg_checkpoint_get_recording (checkpoint);
  gint64 microseconds = gst_eeg_checkpoint_get_time (checkpoint);
  GDateTime *time = g_date_time_new_from_unix_utc (microseconds / 1000000);
  gchar *date =
      time != NULL ? g_date_time_format (time, "%F %T UTC") : g_strdup ("?");
  guint i;

  printf ("checkpoint %" G_GUINT64_FORMAT "%s, %s\n",
      gst_eeg_checkpoint_get_id (checkpoint),
      gst_eeg_checkpoint_is_complete (checkpoint)
          ? ", the recording is complete"
          : "",
      date);
  printf ("  recording  %s, part %u\n", recording,
      gst_eeg_checkpoint_get_part (checkpoint));
  printf ("  output     %s, %" G_GUINT64_FORMAT " bytes\n",
      gst_eeg_checkpoint_get_output_path (checkpoint),
      gst_eeg_checkpoint_get_output_length (checkpoint));
  if (input->position != G_MAXUINT64)
    printf ("  input      %s, %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
            " bytes\n",
        input->path != NULL ? input->path : "(no file)", input->position,
        input->size);
  if (gst_eeg_checkpoint_get_sample_index (checkpoint) > 0)
    printf ("  samples    %" G_GUINT64_FORMAT ", of which %" G_GUINT64_FORMAT
            " are read again\n",
        gst_eeg_checkpoint_get_sample_index (checkpoint),
        gst_eeg_checkpoint_get_look_back (checkpoint));
  printf ("  retries    %u\n", gst_eeg_checkpoint_get_retries (checkpoint));
  for (i = 0; i < gst_eeg_checkpoint_get_n_stages (checkpoint); i++)
    printf ("  stage      %s (%s), %" G_GSIZE_FORMAT " bytes%s%s\n",
        gst_eeg_checkpoint_get_stage_name (checkpoint, i),
        gst_eeg_checkpoint_get_stage_factory (checkpoint, i),
        gst_eeg_checkpoint_get_stage_state_size (checkpoint, i),
        gst_eeg_checkpoint_get_stage_settings (checkpoint, i)[0] != '\0' ? ": "
                                                                         : "",
        gst_eeg_checkpoint_get_stage_settings (checkpoint, i));
  if (time != NULL)
    g_date_time_unref (time);
  g_free (date);
  g_free (recording);
}

static int
show (const gchar *sidecar, gboolean json)
{
  gboolean found = FALSE;
  guint i;

  if (json)
    putchar ('{');
  for (i = 0; i < G_N_ELEMENTS (generations); i++) {
    GError *error = NULL;
    GstEegCheckpoint *checkpoint = gst_eeg_checkpoint_load (sidecar,
        i == 0 ? GST_EEG_CHECKPOINT_GENERATION_NEWEST
               : GST_EEG_CHECKPOINT_GENERATION_PREVIOUS,
        &error);

    found = found || checkpoint != NULL;
    if (json)
      printf ("%s\"%s\": ", i > 0 ? ", " : "", generations[i]);
    else
      printf ("%s: ", generations[i]);
    if (checkpoint != NULL) {
      if (json)
        print_json (checkpoint);
      else
        print_human (checkpoint);
      gst_eeg_checkpoint_unref (checkpoint);
      continue;
    }
    if (json) {
      printf ("{\"error\": ");
      print_text (error->message);
      putchar ('}');
    } else {
      printf ("%s\n", error->message);
    }
    g_error_free (error);
  }
  if (json)
    printf ("}\n");
  return found ? 0 : 1;
}

static int
unwind (const gchar *sidecar, guint64 id)
{
  GError *error = NULL;

  if (gst_eeg_checkpoint_unwind (sidecar, id, &error)) {
    printf ("The recording goes on from checkpoint %" G_GUINT64_FORMAT ".\n",
        id);
    return 0;
  }
  fprintf (stderr, "eeg-checkpoint: %s\n", error->message);
  g_error_free (error);
  return 1;
}

int
main (int argc, char **argv)
{
  gboolean json = argc == 4 && strcmp (argv[1], "show") == 0
      && strcmp (argv[2], "--json") == 0;
  gchar *sidecar;
  guint64 id;
  int status = 2;

  gst_init (NULL, NULL);
  if (json || (argc == 3 && strcmp (argv[1], "show") == 0)) {
    sidecar = find_sidecar (argv[argc - 1]);
    status = show (sidecar, json);
    g_free (sidecar);
  } else if (argc == 4 && strcmp (argv[1], "unwind") == 0
      && g_ascii_string_to_unsigned (argv[3], 10, 0, G_MAXUINT64, &id, NULL)) {
    sidecar = find_sidecar (argv[2]);
    status = unwind (sidecar, id);
    g_free (sidecar);
  } else {
    /* who asks for help has done nothing wrong */
    if (argc == 2 && strcmp (argv[1], "--help") == 0)
      status = 0;
    fprintf (status == 0 ? stdout : stderr,
        "usage: eeg-checkpoint show [--json] FILE\n"
        "       eeg-checkpoint unwind FILE ID\n");
  }
  return status;
}
