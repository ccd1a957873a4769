/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What may happen to any element in the middle of a stream: flush, seek, other
 * caps, EOS without data, trouble downstream, another state. Elements are found
 * in the registry, each is fed with a recorded stream of a kind that its sink
 * pad takes, and whatever happens there are no two errors, no hang and no
 * object left over, which the tracer "leaks" counts.
 * GSTEEG_TEST_ELEMENT=zstdenc tries only that one, GSTEEG_TEST_ROUNDS=1000
 * tries longer, GSTEEG_TEST_SEED=1 repeats what was random. */
#include <gst/check/gstcheck.h>
#include <gst/eeg/eeg.h>

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

/* Streams that elements may be fed with, most telling first. The second is the
 * same kind with other caps, where there are any. */
static const struct
{
  const gchar *caps;
  const gchar *line;
  const gchar *other;
} fronts[] = {
  { "application/x-eeg-raw,domain=voltage,format=F32LE",
      "eegsrc driver=synthetic channels=4 num-samples=1000 "
      "buffer-time=100000000 ! rawtovoltage",
      "eegsrc driver=synthetic channels=3 rate=500/1 num-samples=1000 "
      "buffer-time=100000000 ! rawtovoltage" },
  { "application/x-eeg-raw,domain=counts,format=S32LE",
      "eegsrc driver=synthetic channels=4 num-samples=1000 "
      "buffer-time=100000000",
      "eegsrc driver=synthetic channels=3 rate=500/1 num-samples=1000 "
      "buffer-time=100000000" },
  { "audio/x-raw,format=F32LE,layout=interleaved",
      "audiotestsrc num-buffers=10 samplesperbuffer=100 ! "
      "audio/x-raw,format=F32LE,rate=1000,channels=2,layout=interleaved",
      "audiotestsrc num-buffers=10 samplesperbuffer=100 ! "
      "audio/x-raw,format=F32LE,rate=500,channels=1,layout=interleaved" },
  { "application/x-edf",
      "eegsrc driver=synthetic channels=4 num-samples=2000 ! edfmux",
      "eegsrc driver=synthetic channels=4 num-samples=2000 format=S16LE ! "
      "edfmux" },
};

/* What elements need to be told; @DIR@ is a folder of the test's. */
static const struct
{
  const gchar *name, *settings;
} settings[] = {
  { "aesgcmenc", "key-file=@DIR@/key" },
  { "aesgcmdec", "key-file=@DIR@/key" },
  { "chacha20poly1305enc", "passphrase-file=@DIR@/passphrase work-factor=1" },
  { "chacha20poly1305dec", "passphrase-file=@DIR@/passphrase" },
  { "eegbatch", "samples=37" },
  { "eegdecimate", "rate=100/1" },
  { "eegstats", "window=100000000" },
  { "eegvalidate", "window=100000000 flat-limit=5 on-fail=gap" },
  { "firfilter", "mode=low-pass high=40 taps=31" },
};

static GPtrArray *names;
static GRand *chance;
static gchar *directory;

static gboolean
is_ours (GstPluginFeature *feature, gpointer user_data)
{
  const gchar *name = gst_plugin_feature_get_plugin_name (feature);
  GstElementFactory *factory;

  if (!GST_IS_ELEMENT_FACTORY (feature) || name == NULL
      || !g_str_has_prefix (name, "eeg"))
    return FALSE;
  /* The scenes push, and look at what leaves; what pulls, and sinks, have tests
   * of their own for what is here. */
  factory = GST_ELEMENT_FACTORY (feature);
  if (strcmp (GST_OBJECT_NAME (factory), "eegchunk") == 0)
    return FALSE;
  return !gst_element_factory_list_is_type (factory,
             GST_ELEMENT_FACTORY_TYPE_SRC)
      && !gst_element_factory_list_is_type (factory,
          GST_ELEMENT_FACTORY_TYPE_SINK);
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const gchar *const *) a, *(const gchar *const *) b);
}

static void
find_names (void)
{
  const gchar *only = g_getenv ("GSTEEG_TEST_ELEMENT");
  GList *factories, *item;

  factories =
      gst_registry_feature_filter (gst_registry_get (), is_ours, FALSE, NULL);
  names = g_ptr_array_new_with_free_func (g_free);
  for (item = factories; item != NULL; item = item->next)
    if (only == NULL || strcmp (only, GST_OBJECT_NAME (item->data)) == 0)
      g_ptr_array_add (names, g_strdup (GST_OBJECT_NAME (item->data)));
  g_ptr_array_sort (names, compare_names);
  gst_plugin_feature_list_free (factories);
}

/* "zstddec" with its settings, as in a launch line */
static gchar *
describe (const gchar *name)
{
  GString *text = g_string_new (name);
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (settings); i++)
    if (strcmp (settings[i].name, name) == 0)
      g_string_append_printf (text, " %s", settings[i].settings);
  g_string_replace (text, "@DIR@", directory, 0);
  return g_string_free (text, FALSE);
}

static gboolean
sink_takes (GstElementFactory *factory, const gchar *caps_string)
{
  GstCaps *caps = gst_caps_from_string (caps_string);
  gboolean takes = gst_element_factory_can_sink_any_caps (factory, caps);

  gst_caps_unref (caps);
  return takes;
}

/* The launch line of a stream for element NAME, or NULL */
static gchar *
find_front (const gchar *name, gboolean other)
{
  GstElementFactory *factory = gst_element_factory_find (name);
  gchar *line = NULL;
  gsize i;

  if (g_str_has_suffix (name, "dec")) {
    gchar *encoder = g_strdup (name);
    gchar *inner, *description;

    memcpy (encoder + strlen (encoder) - 3, "enc", 3);
    inner = find_front (encoder, other);
    description = describe (encoder);
    line = g_strdup_printf ("%s ! %s", inner, description);
    g_free (description);
    g_free (inner);
    g_free (encoder);
  }
  for (i = 0; line == NULL && i < G_N_ELEMENTS (fronts); i++)
    if (sink_takes (factory, fronts[i].caps))
      line = g_strdup (other ? fronts[i].other : fronts[i].line);
  gst_object_unref (factory);
  fail_unless (line != NULL, "no stream for %s", name);
  return line;
}

/* ---- a stream, recorded ---- */

static GstPadProbeReturn
record_item (GstPad *pad, GstPadProbeInfo *info, gpointer items)
{
  g_ptr_array_add (items, gst_mini_object_ref (info->data));
  return GST_PAD_PROBE_OK;
}

static void
wait_for_end (GstElement *pipeline, const gchar *what)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message = gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  GError *error = NULL;

  fail_unless (message != NULL, "%s: no end", what);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  fail_unless (error == NULL, "%s: %s", what, error ? error->message : "");
  gst_message_unref (message);
  gst_object_unref (bus);
}

static GPtrArray *
record (const gchar *line)
{
  GPtrArray *items =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_mini_object_unref);
  gchar *launch = g_strdup_printf ("%s ! fakesink name=end", line);
  GError *error = NULL;
  GstElement *pipeline = gst_parse_launch (launch, &error), *end;
  GstPad *pad;

  fail_unless (error == NULL, "%s: %s", launch, error ? error->message : "");
  end = gst_bin_get_by_name (GST_BIN (pipeline), "end");
  pad = gst_element_get_static_pad (end, "sink");
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM | GST_PAD_PROBE_TYPE_BUFFER,
      record_item, items, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  wait_for_end (pipeline, launch);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pad);
  gst_object_unref (end);
  gst_object_unref (pipeline);
  g_free (launch);
  return items;
}

/* ---- an element between pads of the test ---- */

typedef struct
{
  GstElement *element;
  GstBus *bus;
  GstPad *src;  /* feeds the element */
  GList *sinks; /* take what comes out */

  GMutex lock;
  GCond ended;
  guint buffers, ends;
  GstFlowReturn answer; /* what the pads downstream return */
} Rig;

static GstStaticPadTemplate any = GST_STATIC_PAD_TEMPLATE ("any", GST_PAD_SINK,
    GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static GstFlowReturn
rig_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  Rig *rig = gst_pad_get_element_private (pad);
  GstFlowReturn answer;

  gst_buffer_unref (buffer);
  g_mutex_lock (&rig->lock);
  rig->buffers++;
  answer = rig->answer;
  g_mutex_unlock (&rig->lock);
  return answer;
}

static gboolean
rig_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  Rig *rig = gst_pad_get_element_private (pad);

  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS) {
    g_mutex_lock (&rig->lock);
    rig->ends++;
    g_cond_signal (&rig->ended);
    g_mutex_unlock (&rig->lock);
  }
  gst_event_unref (event);
  return TRUE;
}

static void
rig_pad_added (GstElement *element, GstPad *pad, gpointer user_data)
{
  Rig *rig = user_data;
  GstPad *sink;

  if (gst_pad_get_direction (pad) != GST_PAD_SRC)
    return;
  sink = gst_pad_new_from_static_template (&any, NULL);
  gst_pad_set_element_private (sink, rig);
  gst_pad_set_chain_function (sink, rig_chain);
  gst_pad_set_event_function (sink, rig_event);
  gst_pad_set_active (sink, TRUE);
  fail_unless (gst_pad_link (pad, sink) == GST_PAD_LINK_OK);
  g_mutex_lock (&rig->lock);
  rig->sinks = g_list_prepend (rig->sinks, sink);
  g_mutex_unlock (&rig->lock);
}

static void
rig_pad_removed (GstElement *element, GstPad *pad, gpointer user_data)
{
  Rig *rig = user_data;
  GstPad *sink;

  if (gst_pad_get_direction (pad) != GST_PAD_SRC)
    return;
  g_mutex_lock (&rig->lock);
  sink = rig->sinks != NULL ? rig->sinks->data : NULL;
  /* elements remove their pads all at once */
  rig->sinks = g_list_delete_link (rig->sinks, rig->sinks);
  g_mutex_unlock (&rig->lock);
  gst_pad_set_active (sink, FALSE);
  gst_object_unref (sink);
}

static void
rig_init (Rig *rig, const gchar *name)
{
  gchar *description = describe (name);
  GstPad *sink;
  GError *error = NULL;
  GList *item;

  memset (rig, 0, sizeof *rig);
  g_mutex_init (&rig->lock);
  g_cond_init (&rig->ended);
  rig->answer = GST_FLOW_OK;
  rig->element = gst_parse_launch_full (description, NULL,
      GST_PARSE_FLAG_NO_SINGLE_ELEMENT_BINS, &error);
  fail_unless (error == NULL, "%s: %s", description,
      error ? error->message : "");
  gst_object_ref_sink (rig->element);
  rig->bus = gst_bus_new ();
  gst_element_set_bus (rig->element, rig->bus);
  g_signal_connect (rig->element, "pad-added", G_CALLBACK (rig_pad_added), rig);
  g_signal_connect (rig->element, "pad-removed", G_CALLBACK (rig_pad_removed),
      rig);
  for (item = rig->element->srcpads; item != NULL; item = item->next)
    rig_pad_added (rig->element, item->data, rig);
  sink = gst_element_get_static_pad (rig->element, "sink");
  if (sink == NULL)
    sink = gst_element_request_pad_simple (rig->element, "sink_%u");
  fail_unless (sink != NULL, "%s has no sink pad", name);
  rig->src = gst_pad_new ("feed", GST_PAD_SRC);
  fail_unless (gst_pad_link (rig->src, sink) == GST_PAD_LINK_OK);
  gst_pad_set_active (rig->src, TRUE);
  gst_object_unref (sink);
  g_free (description);
}

static void
rig_state (Rig *rig, GstState state)
{
  fail_if (gst_element_set_state (rig->element, state)
          == GST_STATE_CHANGE_FAILURE,
      "%s does not go to %s", GST_ELEMENT_NAME (rig->element),
      gst_element_state_get_name (state));
}

static void
rig_answer (Rig *rig, GstFlowReturn answer)
{
  g_mutex_lock (&rig->lock);
  rig->answer = answer;
  g_mutex_unlock (&rig->lock);
}

/* Feeds items of a recorded stream: all events that are not of the end, and
 * COUNT buffers beginning with the one of number FIRST. */
static GstFlowReturn
rig_feed (Rig *rig, GPtrArray *items, guint first, guint count)
{
  GstFlowReturn flow = GST_FLOW_OK;
  guint i, n = 0;

  for (i = 0; i < items->len && flow == GST_FLOW_OK; i++) {
    GstMiniObject *item = g_ptr_array_index (items, i);

    if (GST_IS_BUFFER (item)) {
      if (n >= first && n - first < count)
        flow =
            gst_pad_push (rig->src, gst_buffer_copy (GST_BUFFER_CAST (item)));
      n++;
    } else if (GST_EVENT_TYPE (item) != GST_EVENT_EOS
        && !(first > 0 && n == 0
            && GST_EVENT_TYPE (item) == GST_EVENT_STREAM_START)) {
      gst_pad_push_event (rig->src, gst_event_ref (GST_EVENT_CAST (item)));
    }
  }
  return flow;
}

static void
rig_end (Rig *rig)
{
  gst_pad_push_event (rig->src, gst_event_new_eos ());
}

static guint
rig_errors (Rig *rig)
{
  GstMessage *message;
  guint n = 0;

  while ((message = gst_bus_pop_filtered (rig->bus, GST_MESSAGE_ERROR))) {
    GError *error;

    gst_message_parse_error (message, &error, NULL);
    GST_INFO_OBJECT (rig->element, "error: %s", error->message);
    g_error_free (error);
    gst_message_unref (message);
    n++;
  }
  return n;
}

/* Waits until EOS came out of every pad, or an error came. */
static void
rig_wait (Rig *rig, const gchar *what)
{
  gint64 until = g_get_monotonic_time () + 30 * G_TIME_SPAN_SECOND;
  gboolean in_time = TRUE;

  g_mutex_lock (&rig->lock);
  while (in_time && rig->ends < MAX (1, g_list_length (rig->sinks))) {
    gint64 now = g_get_monotonic_time ();

    g_cond_wait_until (&rig->ended, &rig->lock,
        MIN (until, now + G_TIME_SPAN_SECOND / 20));
    if (gst_bus_have_pending (rig->bus)) {
      GstMessage *message =
          gst_bus_pop_filtered (rig->bus, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);

      if (message != NULL && GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
        /* left for rig_errors() */
        gst_bus_post (rig->bus, message);
        break;
      }
      gst_clear_message (&message);
      if (message == NULL && rig->sinks == NULL)
        break;
    }
    in_time = now < until;
  }
  rig->ends = 0;
  g_mutex_unlock (&rig->lock);
  fail_unless (in_time, "%s: %s: no end and no error",
      GST_ELEMENT_NAME (rig->element), what);
}

static guint
rig_buffers (Rig *rig)
{
  guint n;

  g_mutex_lock (&rig->lock);
  n = rig->buffers;
  rig->buffers = 0;
  g_mutex_unlock (&rig->lock);
  return n;
}

static void
rig_clear (Rig *rig)
{
  GList *item;

  rig_state (rig, GST_STATE_NULL);
  gst_element_set_bus (rig->element, NULL);
  gst_bus_set_flushing (rig->bus, TRUE);
  gst_object_unref (rig->bus);
  gst_pad_set_active (rig->src, FALSE);
  for (item = rig->sinks; item != NULL; item = item->next)
    gst_pad_set_active (item->data, FALSE);
  gst_object_unref (rig->element);
  gst_object_unref (rig->src);
  g_list_free_full (rig->sinks, gst_object_unref);
  g_mutex_clear (&rig->lock);
  g_cond_clear (&rig->ended);
}

/* ---- what may happen ---- */

typedef struct
{
  const gchar *name;
  GPtrArray *stream, *other;
} Feed;

/* whole, twice with READY between, so that later checks have a floor */
static void
play_whole (const Feed *feed)
{
  Rig rig;
  guint i;

  rig_init (&rig, feed->name);
  for (i = 0; i < 2; i++) {
    rig_state (&rig, GST_STATE_PLAYING);
    fail_unless_equals_int (rig_feed (&rig, feed->stream, 0, G_MAXUINT),
        GST_FLOW_OK);
    rig_end (&rig);
    rig_wait (&rig, "whole");
    fail_unless_equals_int (rig_errors (&rig), 0);
    if (rig.sinks != NULL)
      fail_unless (rig_buffers (&rig) > 0, "%s: no output", feed->name);
    rig_state (&rig, GST_STATE_READY);
  }
  rig_clear (&rig);
}

static void
end_without_data (const Feed *feed)
{
  Rig rig;

  rig_init (&rig, feed->name);
  rig_state (&rig, GST_STATE_PLAYING);
  rig_feed (&rig, feed->stream, 0, 0);
  rig_end (&rig);
  rig_wait (&rig, "EOS without data");
  fail_unless (rig_errors (&rig) <= 1);
  rig_clear (&rig);
}

/* A flush forgets the first half; what comes then is a whole stream. */
static void
flush (const Feed *feed)
{
  Rig rig;
  guint half = feed->stream->len / 2;

  rig_init (&rig, feed->name);
  rig_state (&rig, GST_STATE_PLAYING);
  rig_feed (&rig, feed->stream, 0, half);
  gst_pad_push_event (rig.src, gst_event_new_flush_start ());
  gst_pad_push_event (rig.src, gst_event_new_flush_stop (TRUE));
  rig_buffers (&rig);
  fail_unless_equals_int (rig_feed (&rig, feed->stream, 0, G_MAXUINT),
      GST_FLOW_OK);
  rig_end (&rig);
  rig_wait (&rig, "flush");
  fail_unless_equals_int (rig_errors (&rig), 0);
  if (rig.sinks != NULL)
    fail_unless (rig_buffers (&rig) > 0, "%s: no output after a flush",
        feed->name);
  /* and once more after EOS */
  gst_pad_push_event (rig.src, gst_event_new_flush_start ());
  gst_pad_push_event (rig.src, gst_event_new_flush_stop (TRUE));
  rig_feed (&rig, feed->stream, 0, 1);
  rig_clear (&rig);
}

/* Taken, or refused with one error; the element is as good as new in READY. */
static void
change_caps (const Feed *feed)
{
  GstFlowReturn flow;
  Rig rig;
  guint errors;

  rig_init (&rig, feed->name);
  rig_state (&rig, GST_STATE_PLAYING);
  rig_feed (&rig, feed->stream, 0, 3);
  flow = rig_feed (&rig, feed->other, 1, G_MAXUINT);
  if (flow == GST_FLOW_OK) {
    rig_end (&rig);
    rig_wait (&rig, "other caps");
  }
  errors = rig_errors (&rig);
  fail_unless (errors <= 1, "%s: %u errors", feed->name, errors);
  fail_if (flow == GST_FLOW_ERROR && errors == 0, "%s failed in silence",
      feed->name);
  rig_state (&rig, GST_STATE_READY);
  rig_buffers (&rig);
  rig_state (&rig, GST_STATE_PLAYING);
  fail_unless_equals_int (rig_feed (&rig, feed->stream, 0, G_MAXUINT),
      GST_FLOW_OK);
  rig_end (&rig);
  rig_wait (&rig, "after other caps");
  fail_unless_equals_int (rig_errors (&rig), 0);
  rig_clear (&rig);
}

/* What downstream says reaches upstream, and only an element's own trouble is
 * an error. */
static void
trouble_downstream (const Feed *feed)
{
  static const GstFlowReturn answers[] = { GST_FLOW_ERROR, GST_FLOW_EOS,
    GST_FLOW_NOT_LINKED, GST_FLOW_FLUSHING, GST_FLOW_NOT_NEGOTIATED };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (answers); i++) {
    GstFlowReturn flow;
    guint errors, refused, wait;
    Rig rig;

    rig_init (&rig, feed->name);
    rig_state (&rig, GST_STATE_PLAYING);
    rig_feed (&rig, feed->stream, 0, 2);
    rig_buffers (&rig);
    rig_answer (&rig, answers[i]);
    flow = rig_feed (&rig, feed->stream, 2, G_MAXUINT);
    rig_end (&rig);
    refused = rig_buffers (&rig);
    if (rig.sinks == NULL) {
      rig_clear (&rig);
      return;
    }
    errors = rig_errors (&rig);
    fail_unless (errors <= 1, "%s: %u errors of its own for %s", feed->name,
        errors, gst_flow_get_name (answers[i]));
    /* who has no more buffers for upstream to learn it from tells it */
    if (answers[i] == GST_FLOW_NOT_LINKED && flow == GST_FLOW_OK) {
      for (wait = 0; refused > 0 && errors == 0 && wait < 250; wait++) {
        g_usleep (G_USEC_PER_SEC / 50);
        errors = rig_errors (&rig);
      }
      fail_if (refused > 0 && errors == 0,
          "%s does not tell that it is not linked", feed->name);
    }
    rig_clear (&rig);
  }
}

/* In the middle to READY and to NULL, and up again. */
static void
change_states (const Feed *feed)
{
  Rig rig;
  guint i;

  rig_init (&rig, feed->name);
  for (i = 0; i < 8; i++) {
    rig_state (&rig, i % 2 == 0 ? GST_STATE_PAUSED : GST_STATE_PLAYING);
    rig_feed (&rig, feed->stream, 0, i);
    if (i % 3 == 0)
      rig_state (&rig, GST_STATE_PLAYING);
    if (i % 4 == 1)
      rig_state (&rig, GST_STATE_PAUSED);
    rig_state (&rig, i % 4 < 2 ? GST_STATE_READY : GST_STATE_NULL);
  }
  rig_buffers (&rig);
  rig_state (&rig, GST_STATE_PLAYING);
  fail_unless_equals_int (rig_feed (&rig, feed->stream, 0, G_MAXUINT),
      GST_FLOW_OK);
  rig_end (&rig);
  rig_wait (&rig, "states");
  fail_unless_equals_int (rig_errors (&rig), 0);
  rig_clear (&rig);
}

typedef struct
{
  guint buffers, damaged; /* the buffer of this number is damaged */
} Damage;

static GstPadProbeReturn
damage_one (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Damage *damage = user_data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstMapInfo map;

  if (damage->buffers++ != damage->damaged || gst_buffer_get_size (buffer) == 0)
    return GST_PAD_PROBE_OK;
  /* a copy: others may hold the memory */
  buffer = gst_buffer_copy_deep (buffer);
  gst_buffer_unref (GST_PAD_PROBE_INFO_BUFFER (info));
  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READWRITE));
  map.data[map.size / 2] ^= 1;
  gst_buffer_unmap (buffer, &map);
  GST_PAD_PROBE_INFO_DATA (info) = buffer;
  return GST_PAD_PROBE_OK;
}

static void
do_anything (GstElement *pipeline)
{
  switch (g_rand_int_range (chance, 0, 6)) {
    case 0:
    case 1:
      gst_element_seek_simple (pipeline, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
          g_rand_int_range (chance, 0, 4) * GST_SECOND);
      break;
    case 2:
      gst_element_set_state (pipeline, GST_STATE_PAUSED);
      break;
    case 3:
      gst_element_set_state (pipeline, GST_STATE_PLAYING);
      break;
    case 4:
      gst_element_set_state (pipeline, GST_STATE_READY);
      gst_element_set_state (pipeline, GST_STATE_PLAYING);
      break;
    case 5:
      /* gst_element_send_event() waits for a source's thread with the lock of
       * the pipeline's state held, and a source that is blocked in preroll
       * waits for that lock: only in PLAYING, and not on the way */
      gst_element_set_state (pipeline, GST_STATE_PLAYING);
      if (gst_element_get_state (pipeline, NULL, NULL, GST_SECOND)
          == GST_STATE_CHANGE_SUCCESS)
        gst_element_send_event (pipeline, gst_event_new_eos ());
      break;
  }
}

/* Seeks, states, EOS and damaged input while a pipeline's own thread pushes. */
static void
stress (const Feed *feed)
{
  const gchar *text = g_getenv ("GSTEEG_TEST_ROUNDS");
  /* half of them before objects are counted, half after */
  guint round, rounds = text != NULL ? ((guint) atoi (text) + 1) / 2 : 3;
  gchar *front = find_front (feed->name, FALSE);
  gchar *description = describe (feed->name);
  gboolean is_sink = g_str_has_suffix (feed->name, "sink");
  gchar *launch =
      g_strdup_printf ("%s ! identity name=before ! %s name=tried %s", front,
          description, is_sink ? "" : "! fakesink async=false");

  for (round = 0; round < rounds; round++) {
    Damage damage = { 0, g_rand_int_range (chance, 0, 100) };
    GError *error = NULL;
    GstElement *pipeline = gst_parse_launch (launch, &error), *element;
    GstBus *bus;
    GstPad *pad;
    guint i, actions = g_rand_int_range (chance, 1, 6);

    fail_unless (error == NULL, "%s: %s", launch, error ? error->message : "");
    element = gst_bin_get_by_name (GST_BIN (pipeline), "tried");
    if (g_object_class_find_property (G_OBJECT_GET_CLASS (element), "threads"))
      g_object_set (element, "threads", 1 + round % 3, NULL);
    gst_object_unref (element);
    element = gst_bin_get_by_name (GST_BIN (pipeline), "before");
    pad = gst_element_get_static_pad (element, "src");
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, damage_one, &damage,
        NULL);
    gst_object_unref (pad);
    gst_object_unref (element);
    bus = gst_element_get_bus (pipeline);
    gst_element_set_state (pipeline,
        g_rand_boolean (chance) ? GST_STATE_PAUSED : GST_STATE_PLAYING);
    for (i = 0; i < actions; i++) {
      g_usleep (g_rand_int_range (chance, 0, 3000));
      do_anything (pipeline);
    }
    /* now and then to the end, whichever it is */
    if (g_rand_int_range (chance, 0, 4) == 0) {
      GstMessage *message;

      gst_element_set_state (pipeline, GST_STATE_PLAYING);
      message = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND,
          GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
      fail_unless (message != NULL, "%s: round %u hangs", feed->name, round);
      gst_message_unref (message);
    }
    gst_element_set_state (pipeline, GST_STATE_NULL);
    gst_object_unref (bus);
    gst_object_unref (pipeline);
  }
  g_free (launch);
  g_free (description);
  g_free (front);
}

static const struct
{
  const gchar *name;
  void (*run) (const Feed *feed);
} scenes[] = {
  { "whole", play_whole },
  { "EOS without data", end_without_data },
  { "flush", flush },
  { "other caps", change_caps },
  { "trouble downstream", trouble_downstream },
  { "states", change_states },
  { "stress", stress },
};

/* ---- leaks ---- */

static GObject *
find_tracer (void)
{
  GList *tracers = gst_tracing_get_active_tracers (), *item;
  GObject *found = NULL;

  for (item = tracers; item != NULL; item = item->next)
    if (strcmp (G_OBJECT_TYPE_NAME (item->data), "GstLeaksTracer") == 0)
      found = item->data;
  g_list_free_full (tracers, gst_object_unref);
  return found;
}

static void
count_objects (GHashTable *counts, const GstStructure *activity,
    const gchar *field, gint step)
{
  const GValue *list = gst_structure_get_value (activity, field);
  guint i, n = list != NULL ? gst_value_list_get_size (list) : 0;

  for (i = 0; i < n; i++) {
    const gchar *type =
        gst_structure_get_string (gst_value_get_structure (
                                      gst_value_list_get_value (list, i)),
            "type-name");
    gint count = GPOINTER_TO_INT (g_hash_table_lookup (counts, type));

    g_hash_table_insert (counts, g_strdup (type),
        GINT_TO_POINTER (count + step));
  }
}

/* Adds to COUNTS what was made and what went since it was asked last, which is
 * all that the tracer tells. Returns what there is more of, as text. */
static gchar *
find_leaks (GObject *tracer, GHashTable *counts)
{
  GString *text = g_string_new (NULL);
  GstStructure *activity = NULL;
  GHashTableIter it;
  gpointer type, count;

  g_signal_emit_by_name (tracer, "activity-get-checkpoint", &activity);
  count_objects (counts, activity, "objects-created-list", 1);
  count_objects (counts, activity, "objects-removed-list", -1);
  g_hash_table_iter_init (&it, counts);
  while (g_hash_table_iter_next (&it, &type, &count))
    if (GPOINTER_TO_INT (count) > 0)
      g_string_append_printf (text, " %d %s", GPOINTER_TO_INT (count),
          (const gchar *) type);
  gst_structure_free (activity);
  return g_string_free (text, FALSE);
}

GST_START_TEST (test_scene)
{
  const gchar *name = g_ptr_array_index (names, __i__ / G_N_ELEMENTS (scenes));
  gsize scene = __i__ % G_N_ELEMENTS (scenes);
  gchar *front = find_front (name, FALSE), *other = find_front (name, TRUE);
  Feed feed = { name, record (front), record (other) };
  GObject *tracer = find_tracer ();
  guint round, wait;

  /* the first round makes what is made once */
  for (round = 0; round < 2; round++) {
    GHashTable *counts =
        g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
    gchar *leaks = NULL;

    if (tracer != NULL)
      g_signal_emit_by_name (tracer, "activity-start-tracking");
    scenes[scene].run (&feed);
    /* the thread of a task that has ended lets go of it a little later */
    for (wait = 0; tracer != NULL && wait < (round == 0 ? 5 : 250); wait++) {
      g_free (leaks);
      leaks = find_leaks (tracer, counts);
      if (leaks[0] == '\0')
        break;
      g_usleep (G_USEC_PER_SEC / 50);
    }
    fail_if (round == 1 && leaks != NULL && leaks[0] != '\0', "%s: %s leaves%s",
        name, scenes[scene].name, leaks);
    if (tracer != NULL)
      g_signal_emit_by_name (tracer, "activity-stop-tracking");
    g_free (leaks);
    g_hash_table_unref (counts);
  }
  g_ptr_array_unref (feed.stream);
  g_ptr_array_unref (feed.other);
  g_free (front);
  g_free (other);
}

GST_END_TEST;

static void
make_file (const gchar *name, gconstpointer content, gssize size)
{
  gchar *path = g_build_filename (directory, name, NULL);

  fail_unless (g_file_set_contents_full (path, content, size,
      G_FILE_SET_CONTENTS_NONE, 0600, NULL));
  g_free (path);
}

static void
make_files (void)
{
  guint8 bytes[32];
  gsize i;

  directory = g_dir_make_tmp ("midstream-XXXXXX", NULL);
  for (i = 0; i < sizeof bytes; i++)
    bytes[i] = i;
  make_file ("key", bytes, sizeof bytes);
  make_file ("passphrase", "only for a test\n", -1);
}

static void
remove_files (void)
{
  GDir *dir = g_dir_open (directory, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (dir)) != NULL) {
    gchar *path = g_build_filename (directory, name, NULL);

    g_unlink (path);
    g_free (path);
  }
  g_dir_close (dir);
  g_rmdir (directory);
  g_clear_pointer (&directory, g_free);
}

static Suite *
midstream_suite (void)
{
  Suite *s = suite_create ("midstream");
  TCase *tc = tcase_create ("general");
  const gchar *text = g_getenv ("GSTEEG_TEST_SEED");
  guint32 seed = text != NULL ? (guint32) g_ascii_strtoull (text, NULL, 10)
                              : g_random_int ();

  g_print ("GSTEEG_TEST_SEED=%u\n", seed);
  find_names ();
  chance = g_rand_new_with_seed (seed);
  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, make_files, remove_files);
  tcase_add_loop_test (tc, test_scene, 0,
      names->len * (gint) G_N_ELEMENTS (scenes));
  return s;
}

int
main (int argc, char **argv)
{
  /* read when GStreamer starts */
  g_setenv ("GST_TRACERS", "leaks", FALSE);
  gst_check_init (&argc, &argv);
  return gst_check_run_suite (midstream_suite (), "midstream", __FILE__);
}
