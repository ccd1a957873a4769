/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/check/gstcheck.h>
#include <gst/eeg/eeg.h>

#define T GST_EEG_STAGE_KIND_TRANSFORM
#define C GST_EEG_STAGE_KIND_COMPRESSION
#define D GST_EEG_STAGE_KIND_DECOMPRESSION
#define E GST_EEG_STAGE_KIND_ENCRYPTION
#define X GST_EEG_STAGE_KIND_DECRYPTION
#define S GST_EEG_STAGE_KIND_CHECKSUM
#define P GST_EEG_STAGE_KIND_PASS_THROUGH

/* Five kinds by five kinds, each cell. */
GST_START_TEST (test_order_table)
{
  static const GstEegStageKind kinds[5] = { T, C, E, S, P };
  static const gboolean allowed[5][5] = {
    /* behind:     T      C      E      S      P */
    /* T */ { TRUE, TRUE, TRUE, TRUE, TRUE },
    /* C */ { FALSE, FALSE, TRUE, TRUE, TRUE },
    /* E */ { FALSE, FALSE, FALSE, TRUE, TRUE },
    /* S */ { TRUE, TRUE, TRUE, TRUE, TRUE },
    /* P */ { TRUE, TRUE, TRUE, TRUE, TRUE },
  };
  gint a, b;

  for (a = 0; a < 5; a++) {
    for (b = 0; b < 5; b++) {
      GstEegStageKind pair[2] = { kinds[a], kinds[b] };
      guint earlier = 99, later = 99;
      const gchar *reason = NULL;

      fail_unless (gst_eeg_check_order (pair, 2, &earlier, &later, &reason)
              == allowed[a][b],
          "%s before %s", gst_eeg_stage_kind_to_string (pair[0]),
          gst_eeg_stage_kind_to_string (pair[1]));
      if (!allowed[a][b]) {
        assert_equals_int (earlier, 0);
        assert_equals_int (later, 1);
        fail_unless (reason != NULL && *reason != '\0');
      }
    }
  }
}

GST_END_TEST;

GST_START_TEST (test_order_of_chains)
{
  static const struct
  {
    GstEegStageKind kinds[6];
    guint n;
    gboolean allowed;
    guint earlier, later;
  } cases[] = {
    { { T, C, E, S }, 4, TRUE, 0, 0 },
    { { S, X, D, T }, 4, TRUE, 0, 0 },
    { { C, P, S, C }, 4, FALSE, 0, 3 },
    { { T, E, S, C }, 4, FALSE, 1, 3 },
    { { C, E, X, D, C }, 5, TRUE, 0, 0 },
    { { C, E, D }, 3, FALSE, 1, 2 },
    { { C, X }, 2, FALSE, 0, 1 },
    { { C, D, C, D, C, E }, 6, TRUE, 0, 0 },
    { { E, X, C }, 3, TRUE, 0, 0 },
    { { C, E, X, C }, 4, FALSE, 0, 3 },
    { { C, D, T }, 3, TRUE, 0, 0 },
  };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++) {
    guint earlier = 0, later = 0;

    fail_unless (gst_eeg_check_order (cases[i].kinds, cases[i].n, &earlier,
                     &later, NULL)
            == cases[i].allowed,
        "chain %d", (gint) i);
    assert_equals_int (earlier, cases[i].earlier);
    assert_equals_int (later, cases[i].later);
  }
  fail_unless (gst_eeg_check_order (NULL, 0, NULL, NULL, NULL));
}

GST_END_TEST;

/* A stage with one property of each kind, to test the interface by itself. */
typedef struct
{
  GstElement parent;
  GstPad *sink_pad, *src_pad;
  GstEegStageKind kind;
  GstEegStageCounters counters;
} TestStage;

typedef GstElementClass TestStageClass;

static GType test_stage_get_type (void);

static GstEegStageKind
test_stage_get_kind (GstEegStage *stage)
{
  return ((TestStage *) stage)->kind;
}

static gboolean
test_stage_estimate (GstEegStage *stage, guint64 input_bytes,
    GstEegEstimate *estimate)
{
  estimate->memory_bytes = 1000;
  estimate->threads = 1;
  estimate->output_bytes = input_bytes / 2;
  estimate->duration = input_bytes;
  return TRUE;
}

static void
test_stage_interface_init (GstEegStageInterface *iface)
{
  iface->get_kind = test_stage_get_kind;
  iface->estimate = test_stage_estimate;
  iface->stateless = TRUE;
}

G_DEFINE_TYPE_WITH_CODE (TestStage, test_stage, GST_TYPE_ELEMENT,
    G_IMPLEMENT_INTERFACE (GST_TYPE_EEG_STAGE, test_stage_interface_init))

static void
test_stage_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  TestStage *self = (TestStage *) object;

  g_value_take_boxed (value,
      gst_eeg_stage_counters_to_structure (&self->counters, self->kind));
}

static gboolean
test_stage_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  return gst_eeg_stage_answer_query (GST_EEG_STAGE (parent), pad, query)
      || gst_pad_query_default (pad, parent, query);
}

static void
test_stage_class_init (TestStageClass *klass)
{
  G_OBJECT_CLASS (klass)->get_property = test_stage_get_property;
  g_object_class_override_property (G_OBJECT_CLASS (klass), 1, "stats");
  gst_element_class_set_metadata (klass, "stage", "Test", "test", "test");
}

static void
test_stage_init (TestStage *self)
{
  self->sink_pad = gst_pad_new ("sink", GST_PAD_SINK);
  self->src_pad = gst_pad_new ("src", GST_PAD_SRC);
  gst_pad_set_query_function (self->src_pad, test_stage_query);
  gst_element_add_pad (GST_ELEMENT (self), self->sink_pad);
  gst_element_add_pad (GST_ELEMENT (self), self->src_pad);
}

static TestStage *
make_stage (GstBin *bin, const gchar *name, GstEegStageKind kind)
{
  TestStage *stage = g_object_new (test_stage_get_type (), "name", name, NULL);

  stage->kind = kind;
  gst_bin_add (bin, GST_ELEMENT (stage));
  return stage;
}

GST_START_TEST (test_stats_names)
{
  TestStage *stage = g_object_new (test_stage_get_type (), NULL);
  GstStructure *stats = NULL;
  guint64 value;
  gdouble ratio;

  gst_object_ref_sink (stage);
  stage->kind = C;
  gst_eeg_stage_count_in (&stage->counters, 100, 10);
  gst_eeg_stage_count_in (&stage->counters, 100, 0);
  gst_eeg_stage_count_out (&stage->counters, 50, 5);
  gst_eeg_stage_count (&stage->counters.lost, 3);
  g_object_get (stage, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, "buffers-in", &value));
  fail_unless_equals_uint64 (value, 2);
  fail_unless (gst_structure_get_uint64 (stats, "bytes-in", &value));
  fail_unless_equals_uint64 (value, 200);
  fail_unless (gst_structure_get_uint64 (stats, "samples-in", &value));
  fail_unless_equals_uint64 (value, 10);
  fail_unless (gst_structure_get_uint64 (stats, "samples-out", &value));
  fail_unless_equals_uint64 (value, 5);
  fail_unless (gst_structure_get_uint64 (stats, "lost", &value));
  fail_unless_equals_uint64 (value, 3);
  fail_unless (gst_structure_get_double (stats, "ratio", &ratio));
  assert_equals_float (ratio, 4.0);
  assert_equals_string (gst_structure_get_string (stats, "kind"),
      "compression");
  gst_structure_free (stats);
  gst_eeg_stage_counters_reset (&stage->counters);
  g_object_get (stage, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, "bytes-in", &value));
  fail_unless_equals_uint64 (value, 0);
  gst_structure_free (stats);
  gst_object_unref (stage);
}

GST_END_TEST;

GST_START_TEST (test_upstream_is_found_and_named)
{
  GstElement *pipeline = gst_pipeline_new (NULL);
  GstBus *bus = gst_element_get_bus (pipeline);
  TestStage *source = make_stage (GST_BIN (pipeline), "amplifier",
      GST_EEG_STAGE_KIND_ACQUISITION);
  TestStage *encoder =
      make_stage (GST_BIN (pipeline), "packer", GST_EEG_STAGE_KIND_COMPRESSION);
  GstElement *queue = gst_element_factory_make ("queue", NULL);
  TestStage *second =
      make_stage (GST_BIN (pipeline), "squeezer", GST_EEG_STAGE_KIND_CHECKSUM);
  GstMessage *message;
  GError *error = NULL;

  gst_bin_add (GST_BIN (pipeline), queue);
  fail_unless (gst_element_link_many (GST_ELEMENT (source),
      GST_ELEMENT (encoder), queue, GST_ELEMENT (second), NULL));

  fail_unless (gst_eeg_stage_source_completes (second->sink_pad));
  fail_unless (
      gst_eeg_stage_check_upstream (GST_EEG_STAGE (second), second->sink_pad));
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL);

  second->kind = GST_EEG_STAGE_KIND_COMPRESSION;
  fail_if (
      gst_eeg_stage_check_upstream (GST_EEG_STAGE (second), second->sink_pad));
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (
      g_error_matches (error, GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION));
  fail_unless (strstr (error->message, "packer") != NULL);
  fail_unless (strstr (error->message, "squeezer") != NULL);
  g_error_free (error);
  gst_message_unref (message);

  gst_element_unlink (GST_ELEMENT (source), GST_ELEMENT (encoder));
  fail_if (gst_eeg_stage_source_completes (second->sink_pad));
  gst_object_unref (bus);
  gst_object_unref (pipeline);
}

GST_END_TEST;

GST_START_TEST (test_estimates_merge)
{
  GstElement *pipeline = gst_pipeline_new (NULL);
  TestStage *a = make_stage (GST_BIN (pipeline), "a", T);
  TestStage *b = make_stage (GST_BIN (pipeline), "b", C);
  GstElement *foreign = gst_element_factory_make ("queue", NULL);
  GstEegEstimate estimate;

  fail_unless (gst_element_link (GST_ELEMENT (a), GST_ELEMENT (b)));
  fail_unless (gst_eeg_estimate (GST_BIN (pipeline), 1000, &estimate));
  fail_unless_equals_uint64 (estimate.memory_bytes, 2000);
  assert_equals_int (estimate.threads, 2);
  fail_unless_equals_uint64 (estimate.output_bytes, 250);
  fail_unless_equals_uint64 (estimate.duration, 1500);
  gst_bin_add (GST_BIN (pipeline), foreign);
  fail_if (gst_eeg_estimate (GST_BIN (pipeline), 1000, &estimate));
  assert_equals_int (estimate.unknown_stages, 1);
  gst_object_unref (pipeline);
}

GST_END_TEST;

GST_START_TEST (test_stateless_state)
{
  TestStage *stage = g_object_new (test_stage_get_type (), NULL);
  GError *error = NULL;
  GBytes *state, *wrong = g_bytes_new ("x", 1);

  gst_object_ref_sink (stage);
  fail_unless (gst_eeg_stage_can_save_state (GST_EEG_STAGE (stage)));
  state = gst_eeg_stage_save_state (GST_EEG_STAGE (stage), &error);
  fail_unless (state != NULL && error == NULL);
  assert_equals_int (g_bytes_get_size (state), 0);
  fail_unless (
      gst_eeg_stage_restore_state (GST_EEG_STAGE (stage), state, &error));
  fail_if (gst_eeg_stage_restore_state (GST_EEG_STAGE (stage), wrong, &error));
  fail_unless (error != NULL);
  g_clear_error (&error);
  fail_unless_equals_uint64 (gst_eeg_stage_look_back (GST_EEG_STAGE (stage)),
      0);
  g_bytes_unref (state);
  g_bytes_unref (wrong);
  gst_object_unref (stage);
}

GST_END_TEST;

static Suite *
eegstage_suite (void)
{
  Suite *s = suite_create ("eegstage");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_order_table);
  tcase_add_test (tc, test_order_of_chains);
  tcase_add_test (tc, test_stats_names);
  tcase_add_test (tc, test_upstream_is_found_and_named);
  tcase_add_test (tc, test_estimates_merge);
  tcase_add_test (tc, test_stateless_state);
  return s;
}

GST_CHECK_MAIN (eegstage);
