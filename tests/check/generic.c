/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every element of this project must do, whichever there are: elements are
 * found in the registry, by the names of our plugins. */
#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/eeg/eeg.h>

#include <string.h>

static GList *factories;
static gint n_factories;

static gboolean
is_ours (GstPluginFeature *feature, gpointer user_data)
{
  const gchar *name = gst_plugin_feature_get_plugin_name (feature);

  return GST_IS_ELEMENT_FACTORY (feature) && name != NULL
      && g_str_has_prefix (name, "eeg");
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (GST_OBJECT_NAME (a), GST_OBJECT_NAME (b));
}

static void
find_factories (void)
{
  factories =
      gst_registry_feature_filter (gst_registry_get (), is_ours, FALSE, NULL);
  factories = g_list_sort (factories, compare_names);
  n_factories = g_list_length (factories);
}

static GstElement *
make_nth (gint n, const gchar **name)
{
  GstElementFactory *factory = g_list_nth_data (factories, n);
  GstElement *element = gst_element_factory_create (factory, NULL);

  *name = GST_OBJECT_NAME (factory);
  fail_unless (element != NULL, "%s cannot be made", *name);
  gst_object_ref_sink (element);
  return element;
}

GST_START_TEST (test_properties_are_declared)
{
  const gchar *name;
  GstElement *element = make_nth (__i__, &name);
  GParamSpec **specs;
  guint n, i;

  specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);
  for (i = 0; i < n; i++) {
    const GParamSpec *spec = specs[i];
    const gchar *blurb = g_param_spec_get_blurb (specs[i]);
    gint marks = !!(spec->flags & GST_PARAM_MUTABLE_READY)
        + !!(spec->flags & GST_PARAM_MUTABLE_PAUSED)
        + !!(spec->flags & GST_PARAM_MUTABLE_PLAYING);

    /* those of GStreamer's own classes are theirs */
    if (!g_str_has_prefix (g_type_name (spec->owner_type), "GstEeg"))
      continue;
    fail_unless (blurb != NULL && strlen (blurb) > 10,
        "%s: property %s says nothing about itself", name, spec->name);
    if (spec->flags & G_PARAM_WRITABLE)
      fail_unless (marks == 1, "%s: property %s declares %d mutabilities", name,
          spec->name, marks);
    if (G_IS_PARAM_SPEC_STRING (spec))
      fail_if (strcmp (spec->name, "key") == 0
              || strcmp (spec->name, "passphrase") == 0
              || strcmp (spec->name, "password") == 0
              || strcmp (spec->name, "identity") == 0,
          "%s: a secret in property %s", name, spec->name);
  }
  g_free (specs);
  gst_object_unref (element);
}

GST_END_TEST;

GST_START_TEST (test_is_a_stage)
{
  const gchar *name;
  GstElement *element = make_nth (__i__, &name);
  GstStructure *stats = NULL;
  GstEegEstimate estimate;
  static const gchar *const fields[] = { "buffers-in", "buffers-out",
    "bytes-in", "bytes-out", "samples-in", "samples-out", "lost", "errors",
    "busy-ns" };
  gsize i;

  fail_unless (GST_IS_EEG_STAGE (element), "%s is no stage", name);
  g_object_get (element, "stats", &stats, NULL);
  fail_unless (stats != NULL, "%s has no stats", name);
  for (i = 0; i < G_N_ELEMENTS (fields); i++)
    fail_unless (gst_structure_has_field_typed (stats, fields[i],
                     G_TYPE_UINT64),
        "%s: stats lack %s", name, fields[i]);
  assert_equals_string (gst_structure_get_string (stats, "kind"),
      gst_eeg_stage_kind_to_string (
          gst_eeg_stage_get_kind (GST_EEG_STAGE (element))));
  gst_structure_free (stats);
  fail_unless (gst_eeg_stage_estimate (GST_EEG_STAGE (element), 1000000,
                   &estimate),
      "%s has no estimate", name);
  gst_object_unref (element);
}

GST_END_TEST;

GST_START_TEST (test_type_name_and_metadata)
{
  const gchar *name;
  GstElement *element = make_nth (__i__, &name);
  GstElementFactory *factory = gst_element_get_factory (element);
  static const gchar *const keys[] = { GST_ELEMENT_METADATA_LONGNAME,
    GST_ELEMENT_METADATA_KLASS, GST_ELEMENT_METADATA_DESCRIPTION,
    GST_ELEMENT_METADATA_AUTHOR };
  gsize i;

  fail_unless (g_str_has_prefix (G_OBJECT_TYPE_NAME (element), "GstEeg"),
      "%s is a %s", name, G_OBJECT_TYPE_NAME (element));
  for (i = 0; i < G_N_ELEMENTS (keys); i++) {
    const gchar *text = gst_element_factory_get_metadata (factory, keys[i]);

    fail_unless (text != NULL && strlen (text) > 4, "%s: no %s", name, keys[i]);
  }
  gst_object_unref (element);
}

GST_END_TEST;

GST_START_TEST (test_has_a_page)
{
  const gchar *source = g_getenv ("GSTEEG_SOURCE_DIR");
  GstElementFactory *factory = g_list_nth_data (factories, __i__);
  gchar *file = g_strdup_printf ("%s.md", GST_OBJECT_NAME (factory));
  gchar *path, *text = NULL;

  fail_unless (source != NULL);
  path = g_build_filename (source, "docs", "elements", file, NULL);
  fail_unless (g_file_get_contents (path, &text, NULL, NULL), "no page %s",
      file);
  fail_unless (strstr (text, "```launch") != NULL, "%s has no launch line",
      file);
  g_free (text);
  g_free (path);
  g_free (file);
}

GST_END_TEST;

/* Ends of ranges, NULL strings and empty arrays: taken or refused, without a
 * critical message (which fails the test) or a crash. */
GST_START_TEST (test_extreme_values)
{
  const gchar *name;
  GstElement *element = make_nth (__i__, &name);
  GParamSpec **specs;
  guint n, i;

  specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);
  for (i = 0; i < n; i++) {
    GParamSpec *spec = specs[i];
    GValue value = G_VALUE_INIT;

    if (!g_str_has_prefix (g_type_name (spec->owner_type), "GstEeg")
        || !(spec->flags & G_PARAM_WRITABLE))
      continue;
    g_value_init (&value, spec->value_type);
    if (spec->flags & G_PARAM_READABLE) {
      g_object_get_property (G_OBJECT (element), spec->name, &value);
      g_object_set_property (G_OBJECT (element), spec->name, &value);
      g_value_reset (&value);
    }
    if (G_IS_PARAM_SPEC_STRING (spec)) {
      g_value_set_string (&value, NULL);
      g_object_set_property (G_OBJECT (element), spec->name, &value);
      g_value_set_string (&value, "");
      g_object_set_property (G_OBJECT (element), spec->name, &value);
    } else if (G_IS_PARAM_SPEC_INT (spec)) {
      g_value_set_int (&value, G_PARAM_SPEC_INT (spec)->minimum);
      g_object_set_property (G_OBJECT (element), spec->name, &value);
      g_value_set_int (&value, G_PARAM_SPEC_INT (spec)->maximum);
      g_object_set_property (G_OBJECT (element), spec->name, &value);
    } else if (G_IS_PARAM_SPEC_UINT (spec)) {
      g_value_set_uint (&value, G_PARAM_SPEC_UINT (spec)->minimum);
      g_object_set_property (G_OBJECT (element), spec->name, &value);
      g_value_set_uint (&value, G_PARAM_SPEC_UINT (spec)->maximum);
      g_object_set_property (G_OBJECT (element), spec->name, &value);
    } else if (G_IS_PARAM_SPEC_UINT64 (spec)) {
      g_value_set_uint64 (&value, G_PARAM_SPEC_UINT64 (spec)->minimum);
      g_object_set_property (G_OBJECT (element), spec->name, &value);
      g_value_set_uint64 (&value, G_PARAM_SPEC_UINT64 (spec)->maximum);
      g_object_set_property (G_OBJECT (element), spec->name, &value);
    } else if (G_IS_PARAM_SPEC_DOUBLE (spec)) {
      g_value_set_double (&value, G_PARAM_SPEC_DOUBLE (spec)->minimum);
      g_object_set_property (G_OBJECT (element), spec->name, &value);
      g_value_set_double (&value, G_PARAM_SPEC_DOUBLE (spec)->maximum);
      g_object_set_property (G_OBJECT (element), spec->name, &value);
    } else if (spec->value_type == GST_TYPE_ARRAY) {
      g_object_set_property (G_OBJECT (element), spec->name, &value);
    }
    g_value_unset (&value);
  }
  g_free (specs);
  /* whatever was set, going up fails or works, and down works */
  gst_element_set_state (element, GST_STATE_PAUSED);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_NULL),
      GST_STATE_CHANGE_SUCCESS);
  gst_object_unref (element);
}

GST_END_TEST;

/* Elements that must be told a key or a file cannot leave READY without. */
GST_START_TEST (test_states)
{
  static const GstState walk[] = { GST_STATE_READY, GST_STATE_PAUSED,
    GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_PLAYING, GST_STATE_READY,
    GST_STATE_PLAYING, GST_STATE_NULL, GST_STATE_PLAYING, GST_STATE_PAUSED,
    GST_STATE_READY, GST_STATE_NULL, GST_STATE_READY, GST_STATE_NULL };
  const gchar *name;
  GstElement *element = make_nth (__i__, &name);
  GstBus *bus = gst_bus_new ();
  gboolean needs_more = FALSE;
  gsize i;

  gst_element_set_bus (element, bus);
  for (i = 0; i < G_N_ELEMENTS (walk); i++) {
    GstStateChangeReturn ret = gst_element_set_state (element, walk[i]);

    if (ret == GST_STATE_CHANGE_FAILURE) {
      GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);

      fail_unless (walk[i] > GST_STATE_READY, "%s: step %d", name, (gint) i);
      fail_unless (message != NULL, "%s failed in silence", name);
      gst_message_unref (message);
      needs_more = TRUE;
      gst_element_set_state (element, GST_STATE_NULL);
    } else if (ret == GST_STATE_CHANGE_ASYNC) {
      fail_unless (walk[i] > GST_STATE_READY, "%s: step %d", name, (gint) i);
    }
  }
  if (needs_more)
    GST_INFO ("%s needs settings", name);
  gst_element_set_bus (element, NULL);
  gst_bus_set_flushing (bus, TRUE);
  gst_object_unref (bus);
  ASSERT_OBJECT_REFCOUNT (element, name, 1);
  gst_object_unref (element);
}

GST_END_TEST;

/* Events in orders that nobody should send, caps that nobody offered: an
 * element with one sink and one source pad survives them. */
GST_START_TEST (test_odd_events)
{
  const gchar *name;
  GstElement *element = make_nth (__i__, &name);
  GstPad *sink = gst_element_get_static_pad (element, "sink");
  GstPad *src = gst_element_get_static_pad (element, "src");
  GstHarness *h;
  GstSegment segment;
  GstCaps *caps;

  if (sink == NULL || src == NULL
      || gst_element_set_state (element, GST_STATE_PAUSED)
          == GST_STATE_CHANGE_FAILURE)
    goto done;
  gst_element_set_state (element, GST_STATE_NULL);
  h = gst_harness_new_with_element (element, "sink", "src");
  gst_harness_play (h);
  gst_segment_init (&segment, GST_FORMAT_TIME);

  /* EOS with nothing before it */
  gst_harness_push_event (h, gst_event_new_stream_start ("odd"));
  gst_harness_push_event (h, gst_event_new_eos ());
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  gst_harness_push_event (h, gst_event_new_stream_start ("odder"));
  /* caps of a kind that no element here takes, then data all the same */
  caps = gst_caps_new_empty_simple ("text/x-odd");
  gst_harness_push_event (h, gst_event_new_caps (caps));
  gst_caps_unref (caps);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  gst_harness_push_event (h, gst_event_new_gap (0, GST_SECOND));
  gst_harness_push (h, gst_buffer_new_memdup ("1234567", 7));
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  gst_harness_push (h, gst_buffer_new ());
  gst_harness_push_event (h, gst_eeg_event_new_complete (0));
  gst_harness_push_event (h, gst_event_new_eos ());
  gst_harness_push_event (h, gst_event_new_eos ());
  gst_harness_push_upstream_event (h, gst_event_new_reconfigure ());
  gst_harness_push_upstream_event (h,
      gst_event_new_seek (1.0, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
          GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_NONE, -1));
  gst_harness_teardown (h);

done:
  gst_element_set_state (element, GST_STATE_NULL);
  gst_clear_object (&sink);
  gst_clear_object (&src);
  gst_object_unref (element);
}

GST_END_TEST;

GST_START_TEST (test_there_are_elements)
{
  fail_unless (n_factories > 0, "no plugin of ours was found");
}

GST_END_TEST;

static Suite *
generic_suite (void)
{
  Suite *s = suite_create ("generic");
  TCase *tc = tcase_create ("general");

  find_factories ();
  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_there_are_elements);
  tcase_add_loop_test (tc, test_properties_are_declared, 0, n_factories);
  tcase_add_loop_test (tc, test_is_a_stage, 0, n_factories);
  tcase_add_loop_test (tc, test_type_name_and_metadata, 0, n_factories);
  tcase_add_loop_test (tc, test_has_a_page, 0, n_factories);
  tcase_add_loop_test (tc, test_extreme_values, 0, n_factories);
  tcase_add_loop_test (tc, test_states, 0, n_factories);
  tcase_add_loop_test (tc, test_odd_events, 0, n_factories);
  return s;
}

GST_CHECK_MAIN (generic);
