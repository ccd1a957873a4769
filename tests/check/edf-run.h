/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs pipelines and single elements on bytes, and counts what they say. */

#ifndef __TESTS_EDF_RUN_H__
#define __TESTS_EDF_RUN_H__

#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/eeg/eeg.h>

#include <string.h>

typedef struct
{
  guint errors, warnings;
  gboolean eos;
  GQuark domain; /* of the first error */
  gint code;
  gchar text[512]; /* of the first error or warning */
} EdfRunResult;

static inline void
edf_run_take (EdfRunResult *r, GstMessage *message)
{
  GError *error = NULL;

  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ERROR:
      gst_message_parse_error (message, &error, NULL);
      if (r->errors++ == 0) {
        r->domain = error->domain;
        r->code = error->code;
        g_strlcpy (r->text, error->message, sizeof r->text);
      }
      break;
    case GST_MESSAGE_WARNING:
      gst_message_parse_warning (message, &error, NULL);
      if (r->warnings++ == 0 && r->errors == 0)
        g_strlcpy (r->text, error->message, sizeof r->text);
      break;
    case GST_MESSAGE_EOS:
      r->eos = TRUE;
      break;
    default:
      break;
  }
  g_clear_error (&error);
}

/* What an element outside a pipeline posted so far */
static inline void
edf_run_drain (EdfRunResult *r, GstBus *bus)
{
  GstMessage *message;

  while ((message = gst_bus_pop (bus)) != NULL) {
    edf_run_take (r, message);
    gst_message_unref (message);
  }
}

/* Plays a pipeline to its end, or to its first error. */
static inline void
edf_run_pipeline (GstElement *pipeline, EdfRunResult *r)
{
  GstBus *bus = gst_element_get_bus (pipeline);

  memset (r, 0, sizeof *r);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (r->errors == 0 && !r->eos) {
    GstMessage *message = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND,
        GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);

    fail_unless (message != NULL, "the pipeline hangs");
    edf_run_take (r, message);
    gst_message_unref (message);
  }
  gst_element_set_state (pipeline, GST_STATE_READY);
  gst_object_unref (bus);
}

static inline void
edf_run (EdfRunResult *r, const gchar *format, ...)
{
  GError *error = NULL;
  GstElement *pipeline;
  gchar *line;
  va_list args;

  va_start (args, format);
  line = g_strdup_vprintf (format, args);
  va_end (args);
  pipeline = gst_parse_launch (line, &error);
  fail_unless (error == NULL, "%s: %s", line, error ? error->message : "");
  edf_run_pipeline (pipeline, r);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  g_free (line);
}

/* A file name in a folder of its own; transfer full */
static inline gchar *
edf_run_file (const gchar *name)
{
  static gchar *folder = NULL;

  if (folder == NULL) {
    folder = g_dir_make_tmp ("edf-XXXXXX", NULL);
    fail_unless (folder != NULL);
  }
  return g_build_filename (folder, name, NULL);
}

static inline gchar *
edf_run_write (const gchar *name, const GByteArray *bytes)
{
  gchar *path = edf_run_file (name);

  fail_unless (g_file_set_contents (path, (const gchar *) bytes->data,
      bytes->len, NULL));
  return path;
}

static inline GByteArray *
edf_run_read (const gchar *path)
{
  gchar *data;
  gsize size;

  fail_unless (g_file_get_contents (path, &data, &size, NULL), "%s", path);
  return g_byte_array_new_take ((guint8 *) data, size);
}

#endif /* __TESTS_EDF_RUN_H__ */
