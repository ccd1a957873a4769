/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Plays a launch line that begins with eegsrc and keeps what came out. */

#ifndef __TESTS_EEGSRC_RUN_H__
#define __TESTS_EEGSRC_RUN_H__

#include <gst/check/gstcheck.h>
#include <gst/eeg/eeg.h>

#include <string.h>

typedef struct
{
  guint64 first;
  guint64 frames;
  GstClockTime pts;
  GstClockTime duration;
  gboolean discont;
} Block;

typedef struct
{
  GstClockTime time;
  GstClockTime duration;
  guint64 buffer; /* first sample of the buffer it came with */
  gchar *text;
} Marker;

typedef struct
{
  GstElement *pipeline;
  GstElement *src;

  GMutex lock;
  GByteArray *data;
  GArray *blocks;
  GArray *markers;
  GPtrArray *events;   /* all of them */
  GPtrArray *messages; /* element messages and errors, in order */
  guint max_buffers;   /* then flow ends; 0: never */
} Run;

static inline void
clear_marker (gpointer marker)
{
  g_free (((Marker *) marker)->text);
}

static inline GstPadProbeReturn
collect (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Run *run = user_data;

  g_mutex_lock (&run->lock);
  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER) {
    GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
    GstEegMarkerMeta *meta;
    gpointer state = NULL;
    Block block = { GST_BUFFER_OFFSET (buffer),
      GST_BUFFER_OFFSET_END (buffer) - GST_BUFFER_OFFSET (buffer),
      GST_BUFFER_PTS (buffer), GST_BUFFER_DURATION (buffer),
      GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT) };
    GstMapInfo map;

    fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
    g_byte_array_append (run->data, map.data, map.size);
    gst_buffer_unmap (buffer, &map);
    g_array_append_val (run->blocks, block);
    while ((meta = gst_buffer_iterate_eeg_marker_meta (buffer, &state))) {
      Marker marker = { meta->time, meta->duration, block.first,
        g_strdup (meta->text) };

      g_array_append_val (run->markers, marker);
    }
  } else {
    GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);

    g_ptr_array_add (run->events, gst_event_ref (event));
    /* what was collected belongs to the time before the seek */
    if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP) {
      g_byte_array_set_size (run->data, 0);
      g_array_set_size (run->blocks, 0);
      g_array_set_size (run->markers, 0);
    }
  }
  g_mutex_unlock (&run->lock);
  return GST_PAD_PROBE_OK;
}

/* line: what stands before the sink. Properties of the driver are set by hand:
 * the parser of GStreamer 1.22 leaks a reference to a child that it sets. */
static inline Run *
run_new (const gchar *line)
{
  Run *run = g_new0 (Run, 1);
  gchar **words = g_strsplit (line, " ", -1);
  GString *rest = g_string_new (NULL);
  guint i;
  GError *error = NULL;
  GValue item = G_VALUE_INIT;
  GstIterator *it;
  GstElement *sink;
  GstPad *pad;

  g_mutex_init (&run->lock);
  run->data = g_byte_array_new ();
  run->blocks = g_array_new (FALSE, FALSE, sizeof (Block));
  run->markers = g_array_new (FALSE, FALSE, sizeof (Marker));
  g_array_set_clear_func (run->markers, clear_marker);
  run->events =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_event_unref);
  run->messages =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_message_unref);

  for (i = 0; words[i] != NULL; i++) {
    if (!g_str_has_prefix (words[i], "driver::"))
      g_string_append_printf (rest, "%s ", words[i]);
  }
  g_string_append (rest, "! fakesink name=sink sync=false");
  run->pipeline = gst_parse_launch (rest->str, &error);
  fail_unless (error == NULL, "%s: %s", rest->str,
      error != NULL ? error->message : "");
  g_string_free (rest, TRUE);
  it = gst_bin_iterate_all_by_element_factory_name (GST_BIN (run->pipeline),
      "eegsrc");
  fail_unless (gst_iterator_next (it, &item) == GST_ITERATOR_OK);
  run->src = g_value_dup_object (&item);
  g_value_unset (&item);
  gst_iterator_free (it);
  for (i = 0; words[i] != NULL; i++) {
    gchar *value = strchr (words[i], '=');
    GObject *driver;

    if (!g_str_has_prefix (words[i], "driver::"))
      continue;
    *value++ = '\0';
    driver = gst_child_proxy_get_child_by_name (GST_CHILD_PROXY (run->src),
        "driver");
    gst_util_set_object_arg (driver, words[i] + strlen ("driver::"), value);
    gst_object_unref (driver);
  }
  g_strfreev (words);
  sink = gst_bin_get_by_name (GST_BIN (run->pipeline), "sink");
  pad = gst_element_get_static_pad (sink, "sink");
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM
          | GST_PAD_PROBE_TYPE_EVENT_FLUSH,
      collect, run, NULL);
  gst_object_unref (pad);
  gst_object_unref (sink);
  return run;
}

/* Until one of types; collects other messages. Returns it, or NULL. */
static inline GstMessage *
run_wait (Run *run, GstMessageType types)
{
  GstBus *bus = gst_element_get_bus (run->pipeline);
  GstMessage *message, *found = NULL;

  while (found == NULL
      && (message = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND,
              types | GST_MESSAGE_ELEMENT | GST_MESSAGE_ERROR))) {
    if (GST_MESSAGE_TYPE (message) & types)
      found = gst_message_ref (message);
    g_ptr_array_add (run->messages, message);
    if (found == NULL && GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
      break;
  }
  gst_object_unref (bus);
  return found;
}

static inline void
run_to (Run *run, GstState state)
{
  fail_unless (
      gst_element_set_state (run->pipeline, state) != GST_STATE_CHANGE_FAILURE);
  fail_unless (
      gst_element_get_state (run->pipeline, NULL, NULL, 20 * GST_SECOND)
      != GST_STATE_CHANGE_FAILURE);
}

static inline void
run_until_eos (Run *run)
{
  GstMessage *message;

  gst_element_set_state (run->pipeline, GST_STATE_PLAYING);
  message = run_wait (run, GST_MESSAGE_EOS);
  fail_unless (message != NULL, "no EOS");
  gst_message_unref (message);
}

static inline void
run_free (Run *run)
{
  gst_element_set_state (run->pipeline, GST_STATE_NULL);
  gst_object_unref (run->src);
  gst_object_unref (run->pipeline);
  g_byte_array_unref (run->data);
  g_array_unref (run->blocks);
  g_array_unref (run->markers);
  g_ptr_array_unref (run->events);
  g_ptr_array_unref (run->messages);
  g_mutex_clear (&run->lock);
  g_free (run);
}

static inline Run *
run_whole (const gchar *line)
{
  Run *run = run_new (line);

  run_until_eos (run);
  return run;
}

/* The samples of an eeg-complete event, or -1 if there was none. There must
 * be at most one, and EOS must follow. */
static inline gint64
run_completed (Run *run)
{
  gint64 completed = -1;
  guint64 samples;
  guint i;

  for (i = 0; i < run->events->len; i++) {
    GstEvent *event = g_ptr_array_index (run->events, i);

    if (gst_eeg_event_parse_complete (event, &samples)) {
      fail_unless_equals_int64 (completed, -1);
      completed = samples;
      fail_unless (i + 1 < run->events->len);
      fail_unless_equals_int (GST_EVENT_TYPE (
                                  g_ptr_array_index (run->events, i + 1)),
          GST_EVENT_EOS);
    }
  }
  return completed;
}

static inline GstEvent *
run_find_event (Run *run, GstEventType type, guint nth)
{
  guint i;

  for (i = 0; i < run->events->len; i++) {
    GstEvent *event = g_ptr_array_index (run->events, i);

    if (GST_EVENT_TYPE (event) == type && nth-- == 0)
      return event;
  }
  return NULL;
}

static inline guint64
run_stat (Run *run, const gchar *name)
{
  GstStructure *stats;
  guint64 value = 0;

  g_object_get (run->src, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, name, &value), "%s", name);
  gst_structure_free (stats);
  return value;
}

/* Buffers meet, and stamps come from the sample counter. */
static inline void
run_check_stamps (Run *run, gint rate_n, gint rate_d)
{
  guint i;

  for (i = 0; i < run->blocks->len; i++) {
    Block *b = &g_array_index (run->blocks, Block, i);
    GstClockTime start =
        gst_util_uint64_scale (b->first, rate_d * GST_SECOND, rate_n);
    GstClockTime end = gst_util_uint64_scale (b->first + b->frames,
        rate_d * GST_SECOND, rate_n);

    fail_unless_equals_uint64 (b->pts, start);
    fail_unless_equals_uint64 (b->duration, end - start);
    if (i > 0) {
      Block *last = b - 1;

      fail_unless (b->first >= last->first + last->frames);
      fail_unless (b->first == last->first + last->frames || b->discont);
    }
  }
}

static inline guint64
run_frames (Run *run)
{
  guint64 frames = 0;
  guint i;

  for (i = 0; i < run->blocks->len; i++)
    frames += g_array_index (run->blocks, Block, i).frames;
  return frames;
}

/* Plays a line that must fail; the first error must be of the source. */
static inline void
expect_error (const gchar *line, GQuark domain, gint code, const gchar *words)
{
  Run *run = run_new (line);
  GstMessage *message;
  GError *error = NULL;

  gst_element_set_state (run->pipeline, GST_STATE_PLAYING);
  message = run_wait (run, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  fail_unless (message != NULL);
  fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_ERROR);
  fail_unless (GST_MESSAGE_SRC (message) == GST_OBJECT (run->src));
  gst_message_parse_error (message, &error, NULL);
  fail_unless (error->domain == domain && error->code == code, "%s: %s %d: %s",
      line, g_quark_to_string (error->domain), error->code, error->message);
  if (words != NULL)
    fail_unless (strstr (error->message, words) != NULL, "%s", error->message);
  g_error_free (error);
  gst_message_unref (message);
  fail_unless_equals_int64 (run_completed (run), -1);
  run_free (run);
}

static inline void
fail_unless_equals_data (GByteArray *a, GByteArray *b)
{
  fail_unless_equals_uint64 (a->len, b->len);
  fail_unless (memcmp (a->data, b->data, a->len) == 0);
}

static inline void
seek_and_collect (Run *run, GstFormat format, GstSeekFlags flags, gint64 start,
    gint64 stop)
{
  GstMessage *message;
  GstBus *bus = gst_element_get_bus (run->pipeline);

  fail_unless (gst_element_seek (run->pipeline, 1.0, format, flags,
      GST_SEEK_TYPE_SET, start, GST_SEEK_TYPE_SET, stop));
  message = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
  gst_message_unref (message);
  gst_object_unref (bus);
}

#endif /* __TESTS_EEGSRC_RUN_H__ */
