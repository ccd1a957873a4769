/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs bytes through an element and keeps what comes out, for the tests of the
 * ciphers. */

#ifndef __CIPHER_H__
#define __CIPHER_H__

#include <gst/check/gstcheck.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

typedef struct
{
  GByteArray *out;
  GstCaps *caps; /* of the output, NULL if there were none */
  GError *error; /* the first one on the bus */
  gboolean eos;
  guint warnings;
  guint gaps;
  GArray *offsets;       /* guint64, of the output buffers */
  guint discont;         /* buffers marked so, the first one left out */
  GstStructure *salvage; /* of the last message */
  GstStructure *salvage_end;
} Result;

static inline void
result_clear (Result *result)
{
  g_byte_array_unref (result->out);
  g_array_unref (result->offsets);
  gst_clear_caps (&result->caps);
  g_clear_error (&result->error);
  gst_clear_structure (&result->salvage);
  gst_clear_structure (&result->salvage_end);
}

static inline GstPadProbeReturn
result_count_gaps (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Result *result = user_data;

  if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) == GST_EVENT_GAP)
    result->gaps++;
  return GST_PAD_PROBE_OK;
}

static inline void
result_take_sample (Result *result, GstSample *sample)
{
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  guint64 offset = GST_BUFFER_OFFSET (buffer);
  GstMapInfo map;

  if (result->offsets->len > 0 && GST_BUFFER_IS_DISCONT (buffer))
    result->discont++;
  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  g_byte_array_append (result->out, map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  g_array_append_val (result->offsets, offset);
  if (result->caps == NULL && gst_sample_get_caps (sample) != NULL)
    result->caps = gst_caps_ref (gst_sample_get_caps (sample));
}

/* Sends @data in buffers of up to @split bytes, 0 for one buffer, with @caps,
 * which may be NULL, through @line. */
static inline Result
run_line (const gchar *line, const gchar *caps, const guint8 *data, gsize size,
    gsize split)
{
  Result result = { g_byte_array_new () };
  gchar *text = g_strdup_printf (
      "appsrc name=in format=bytes ! %s name=under-test ! appsink name=out "
      "sync=false wait-on-eos=false",
      line);
  GstElement *pipeline, *in, *out, *element;
  GError *error = NULL;
  GRand *rand = g_rand_new_with_seed (size + split);
  GstBus *bus;
  GstPad *pad;
  GstFlowReturn flow;
  GstSample *sample;
  gsize position = 0;

  result.offsets = g_array_new (FALSE, FALSE, sizeof (guint64));
  pipeline = gst_parse_launch (text, &error);
  fail_unless (error == NULL, "%s: %s", text, error ? error->message : "");
  g_free (text);
  in = gst_bin_get_by_name (GST_BIN (pipeline), "in");
  out = gst_bin_get_by_name (GST_BIN (pipeline), "out");
  element = gst_bin_get_by_name (GST_BIN (pipeline), "under-test");
  pad = gst_element_get_static_pad (element, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
      result_count_gaps, &result, NULL);
  gst_object_unref (pad);
  if (caps != NULL) {
    GstCaps *value = gst_caps_from_string (caps);

    g_object_set (in, "caps", value, NULL);
    gst_caps_unref (value);
  }

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (position < size) {
    gsize n = split == 0 ? size : (gsize) g_rand_int_range (rand, 1, split + 1);
    GstBuffer *buffer;

    n = MIN (n, size - position);
    buffer = gst_buffer_new_memdup (data + position, n);
    g_signal_emit_by_name (in, "push-buffer", buffer, &flow);
    gst_buffer_unref (buffer);
    position += n;
  }
  g_signal_emit_by_name (in, "end-of-stream", &flow);

  bus = gst_element_get_bus (pipeline);
  while (!result.eos && result.error == NULL) {
    GstMessage *message = gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND,
        GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_WARNING
            | GST_MESSAGE_ELEMENT);

    fail_unless (message != NULL, "hangs: %s", line);
    switch (GST_MESSAGE_TYPE (message)) {
      case GST_MESSAGE_EOS:
        result.eos = TRUE;
        break;
      case GST_MESSAGE_ERROR:
        fail_unless (GST_MESSAGE_SRC (message) == GST_OBJECT_CAST (element));
        gst_message_parse_error (message, &result.error, NULL);
        break;
      case GST_MESSAGE_WARNING:
        result.warnings++;
        break;
      default:
        if (gst_message_has_name (message, "eeg-salvage")) {
          gst_clear_structure (&result.salvage);
          result.salvage =
              gst_structure_copy (gst_message_get_structure (message));
        } else if (gst_message_has_name (message, "eeg-salvage-end")) {
          gst_clear_structure (&result.salvage_end);
          result.salvage_end =
              gst_structure_copy (gst_message_get_structure (message));
        }
    }
    gst_message_unref (message);
  }
  do {
    g_signal_emit_by_name (out, "try-pull-sample", (guint64) 0, &sample);
    if (sample != NULL) {
      result_take_sample (&result, sample);
      gst_sample_unref (sample);
    }
  } while (sample != NULL);

  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (in);
  gst_object_unref (out);
  gst_object_unref (element);
  gst_object_unref (pipeline);
  g_rand_free (rand);
  return result;
}

static inline void
expect_bytes (const Result *result, const guint8 *data, gsize size)
{
  fail_unless (result->error == NULL, "%s",
      result->error ? result->error->message : "");
  fail_unless (result->eos);
  fail_unless_equals_int (result->out->len, size);
  fail_unless (size == 0 || memcmp (result->out->data, data, size) == 0);
}

/* An error of the stream domain, and before it nothing but a prefix of
 * @data. */
static inline void
expect_stream_error (const Result *result, gint code, const guint8 *data,
    gsize size)
{
  fail_unless (result->error != NULL, "no error");
  fail_unless (g_error_matches (result->error, GST_STREAM_ERROR, code),
      "%s: %d %s", g_quark_to_string (result->error->domain),
      result->error->code, result->error->message);
  fail_if (result->eos);
  fail_unless (result->out->len <= size);
  fail_unless (result->out->len == 0
      || memcmp (result->out->data, data, result->out->len) == 0);
}

/* The element must refuse to start, with this error first on the bus. */
static inline void
expect_no_start (const gchar *line, GQuark domain, gint code)
{
  GError *error = NULL;
  GstElement *element = gst_parse_launch (line, &error);
  GstBus *bus = gst_bus_new ();
  GstMessage *message;

  fail_unless (error == NULL, "%s", error ? error->message : "");
  gst_element_set_bus (element, bus);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL, "%s", line);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, domain, code), "%s: %s", line,
      error->message);
  g_error_free (error);
  gst_message_unref (message);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
}

/* A file of its own for each call, which only the owner may read. Also used
 * before the tests run, so without check's own assertions. */
static inline gchar *
write_secret (const void *data, gssize size)
{
  gchar *path = g_strdup ("/tmp/eeg-secret-XXXXXX");
  gint fd = g_mkstemp (path);

  if (size < 0)
    size = strlen (data);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, data, size), ==, size);
  close (fd);
  return path;
}

static inline void
remove_secret (gchar *path)
{
  g_unlink (path);
  g_free (path);
}

static inline guint8 *
test_bytes (gsize size)
{
  guint8 *data = g_malloc (size + 1);
  guint32 x = 1;

  for (gsize i = 0; i < size; i++) {
    x = x * 1664525u + 1013904223u;
    data[i] = x >> 24;
  }
  return data;
}

#endif
