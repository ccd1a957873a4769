/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:gsteegstage
 * @title: GstEegStage
 * @short_description: what every element of this project can be asked
 *
 * Kind, counters, estimate and state of a stage, and the rules of their order:
 *
 * - nothing is compressed twice;
 * - nothing is encrypted twice;
 * - nothing encrypted is compressed: random bytes only grow;
 * - samples are not transformed, inspected or put into a container once they
 *   are compressed or encrypted;
 * - what was encrypted last is decrypted before it is decompressed.
 *
 * Checksums and pass-through stages stand anywhere. A decoder takes away the
 * layer of its encoder.
 *
 * Elements find each other by the custom upstream query `eeg-stage`: each stage
 * adds its name and kind and passes the query on.
 *
 * A stage that goes on behind a checkpoint, and has to know more of what it
 * wrote before than fits into one, finds that by the custom downstream query
 * `eeg-output`, see gst_eeg_stage_find_output().
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsteegstage.h"

#include <stdlib.h>
#include <string.h>

#define QUERY_NAME "eeg-stage"
#define OUTPUT_QUERY_NAME "eeg-output"
#define STATS_NAME "eeg-stats"

GST_DEBUG_CATEGORY_STATIC (gst_eeg_stage_debug);
#define GST_CAT_DEFAULT gst_eeg_stage_debug

G_DEFINE_INTERFACE_WITH_CODE (GstEegStage, gst_eeg_stage, GST_TYPE_ELEMENT,
    GST_DEBUG_CATEGORY_INIT (gst_eeg_stage_debug, "eegstage", 0,
        "EEG stage interface"))

static const GEnumValue kind_values[] = {
  { GST_EEG_STAGE_KIND_PASS_THROUGH, "Pass-through", "pass-through" },
  { GST_EEG_STAGE_KIND_ACQUISITION, "Acquisition", "acquisition" },
  { GST_EEG_STAGE_KIND_TRANSFORM, "Transform", "transform" },
  { GST_EEG_STAGE_KIND_INSPECTION, "Inspection", "inspection" },
  { GST_EEG_STAGE_KIND_CONTAINER, "Container", "container" },
  { GST_EEG_STAGE_KIND_COMPRESSION, "Compression", "compression" },
  { GST_EEG_STAGE_KIND_DECOMPRESSION, "Decompression", "decompression" },
  { GST_EEG_STAGE_KIND_ENCRYPTION, "Encryption", "encryption" },
  { GST_EEG_STAGE_KIND_DECRYPTION, "Decryption", "decryption" },
  { GST_EEG_STAGE_KIND_CHECKSUM, "Checksum", "checksum" },
  { GST_EEG_STAGE_KIND_STORAGE, "Storage", "storage" },
  { 0, NULL, NULL },
};

GType
gst_eeg_stage_kind_get_type (void)
{
  static gsize type = 0;

  if (g_once_init_enter (&type)) {
    GType new_type = g_enum_register_static ("GstEegStageKind", kind_values);

    g_once_init_leave (&type, new_type);
  }
  return type;
}

/**
 * gst_eeg_stage_kind_to_string:
 * @kind: a kind
 *
 * Returns: its name, as in `stats`
 */
const gchar *
gst_eeg_stage_kind_to_string (GstEegStageKind kind)
{
  g_return_val_if_fail (kind < G_N_ELEMENTS (kind_values) - 1, NULL);

  return kind_values[kind].value_nick;
}

static void
gst_eeg_stage_default_init (GstEegStageInterface *iface)
{
  /**
   * GstEegStage:stats:
   *
   * Counters of the stage since it left READY: `buffers-in`, `buffers-out`,
   * `bytes-in`, `bytes-out`, `samples-in`, `samples-out`, `lost`, `errors`,
   * `busy-ns` (#guint64), `kind` (string), and per kind `ratio` (#gdouble,
   * bytes in / bytes out), `blocks`, `pool-size`, `pool-reused` and
   * `queue-high-water`.
   */
  g_object_interface_install_property (iface,
      g_param_spec_boxed ("stats", "Statistics",
          "Counters of this stage: buffers, bytes, samples, losses, errors, "
          "busy time",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

/**
 * gst_eeg_stage_get_kind:
 * @stage: a stage
 *
 * Returns: what it does
 */
GstEegStageKind
gst_eeg_stage_get_kind (GstEegStage *stage)
{
  GstEegStageInterface *iface;

  g_return_val_if_fail (GST_IS_EEG_STAGE (stage),
      GST_EEG_STAGE_KIND_PASS_THROUGH);

  iface = GST_EEG_STAGE_GET_IFACE (stage);
  g_return_val_if_fail (iface->get_kind != NULL,
      GST_EEG_STAGE_KIND_PASS_THROUGH);
  return iface->get_kind (stage);
}

/**
 * gst_eeg_stage_estimate:
 * @stage: a stage
 * @input_bytes: bytes that will come in
 * @estimate: (out caller-allocates): what is needed for them
 *
 * Returns: %FALSE if the stage cannot tell; @estimate then knows nothing
 */
gboolean
gst_eeg_stage_estimate (GstEegStage *stage, guint64 input_bytes,
    GstEegEstimate *estimate)
{
  GstEegStageInterface *iface;

  g_return_val_if_fail (GST_IS_EEG_STAGE (stage), FALSE);
  g_return_val_if_fail (estimate != NULL, FALSE);

  memset (estimate, 0, sizeof *estimate);
  estimate->output_bytes = G_MAXUINT64;
  estimate->duration = GST_CLOCK_TIME_NONE;
  iface = GST_EEG_STAGE_GET_IFACE (stage);
  if (iface->estimate != NULL && iface->estimate (stage, input_bytes, estimate))
    return TRUE;
  estimate->unknown_stages = 1;
  return FALSE;
}

/**
 * gst_eeg_stage_can_save_state:
 * @stage: a stage
 *
 * Returns: whether a checkpoint may include @stage
 */
gboolean
gst_eeg_stage_can_save_state (GstEegStage *stage)
{
  GstEegStageInterface *iface;

  g_return_val_if_fail (GST_IS_EEG_STAGE (stage), FALSE);

  iface = GST_EEG_STAGE_GET_IFACE (stage);
  return iface->stateless
      || (iface->save_state != NULL && iface->restore_state != NULL);
}

/**
 * gst_eeg_stage_save_state:
 * @stage: a stage
 * @error: return location
 *
 * Returns: (transfer full) (nullable): a versioned blob, empty for a stateless
 *     stage; %NULL with @error set if the stage cannot save its state
 */
GBytes *
gst_eeg_stage_save_state (GstEegStage *stage, GError **error)
{
  GstEegStageInterface *iface;

  g_return_val_if_fail (GST_IS_EEG_STAGE (stage), NULL);

  iface = GST_EEG_STAGE_GET_IFACE (stage);
  if (iface->stateless)
    return g_bytes_new (NULL, 0);
  if (iface->save_state == NULL) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_NOT_IMPLEMENTED,
        "%s holds state and cannot save it", GST_OBJECT_NAME (stage));
    return NULL;
  }
  return iface->save_state (stage, error);
}

/**
 * gst_eeg_stage_restore_state:
 * @stage: a stage
 * @state: (nullable): what gst_eeg_stage_save_state() returned, or %NULL to
 *     forget one that was handed in and that no stream has taken over
 * @error: return location
 *
 * The next stream of the stage goes on from @state. Whoever hands it in also
 * makes the stage forget it when the run comes to nothing: a later one that
 * begins anew would begin in the middle.
 *
 * Returns: %FALSE with @error set if @state is not one of this stage and its
 *     settings
 */
gboolean
gst_eeg_stage_restore_state (GstEegStage *stage, GBytes *state, GError **error)
{
  GstEegStageInterface *iface;

  g_return_val_if_fail (GST_IS_EEG_STAGE (stage), FALSE);

  iface = GST_EEG_STAGE_GET_IFACE (stage);
  if (iface->stateless) {
    if (state == NULL || g_bytes_get_size (state) == 0)
      return TRUE;
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "%s holds no state, but one was saved", GST_OBJECT_NAME (stage));
    return FALSE;
  }
  if (iface->restore_state == NULL) {
    if (state == NULL)
      return TRUE;
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_NOT_IMPLEMENTED,
        "%s cannot restore a state", GST_OBJECT_NAME (stage));
    return FALSE;
  }
  return iface->restore_state (stage, state, error);
}

/**
 * gst_eeg_stage_keep_state: (skip)
 * @stage: a stage
 * @place: where it keeps what it is to go on from, guarded by its object lock
 * @state: (nullable): what it was given, or %NULL if it needs nothing of that
 * @is_valid: whether it knows version and layout of what it was given
 * @error: return location
 *
 * For #GstEegStageInterface.restore_state of stages that take over a state when
 * their stream begins: puts it in its place, or refuses it.
 *
 * Returns: @is_valid; with @error set if it is %FALSE
 */
gboolean
gst_eeg_stage_keep_state (GstEegStage *stage, GBytes **place, GBytes *state,
    gboolean is_valid, GError **error)
{
  GBytes *old;

  g_return_val_if_fail (GST_IS_EEG_STAGE (stage), FALSE);
  g_return_val_if_fail (place != NULL, FALSE);

  if (!is_valid) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "what was saved is no state of this version for %s",
        GST_OBJECT_NAME (stage));
    return FALSE;
  }
  GST_OBJECT_LOCK (stage);
  old = *place;
  *place = state != NULL ? g_bytes_ref (state) : NULL;
  GST_OBJECT_UNLOCK (stage);
  g_clear_pointer (&old, g_bytes_unref);
  return TRUE;
}

/**
 * gst_eeg_stage_look_back:
 * @stage: a stage
 *
 * Returns: samples before a position that it must see again to continue there
 */
guint64
gst_eeg_stage_look_back (GstEegStage *stage)
{
  GstEegStageInterface *iface;

  g_return_val_if_fail (GST_IS_EEG_STAGE (stage), 0);

  iface = GST_EEG_STAGE_GET_IFACE (stage);
  return iface->look_back != NULL ? iface->look_back (stage) : 0;
}

static gint
compare_specs (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(GParamSpec *const *) a)->name,
      (*(GParamSpec *const *) b)->name);
}

/* Properties of ours that decide about the output. Where a file lies does not:
 * what is in it is checked by whoever reads it. Neither does to whom something
 * is encrypted: what is in it is the same, and each part has a header of its
 * own. */
static gboolean
decides_output (const GParamSpec *spec)
{
  static const gchar *const others[] = { "location", "checkpoint-interval",
    /* how the work is done */
    "threads", "pool-size", "buffer-time", "on-overrun", "max-latency",
    "memory-limit",
    /* what is said about it beside the stream */
    "messages",
    /* keys */
    "key-file", "passphrase-file", "recipients", "recipients-file",
    "work-factor", NULL };

  return (spec->flags & G_PARAM_READWRITE) == G_PARAM_READWRITE
      && g_str_has_prefix (g_type_name (spec->owner_type), "GstEeg")
      && !g_strv_contains (others, spec->name);
}

static void
append_properties (GstEegStage *stage, GString *to)
{
  guint n, i;
  GParamSpec **specs =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (stage), &n);

  qsort (specs, n, sizeof *specs, compare_specs);
  for (i = 0; i < n; i++) {
    GValue value = G_VALUE_INIT;
    gchar *text;

    if (!decides_output (specs[i]))
      continue;
    g_value_init (&value, specs[i]->value_type);
    g_object_get_property (G_OBJECT (stage), specs[i]->name, &value);
    text = gst_value_serialize (&value);
    g_string_append_printf (to, "%s%s=%s", to->len > 0 ? " " : "",
        specs[i]->name, text != NULL ? text : "");
    g_free (text);
    g_value_unset (&value);
  }
  g_free (specs);
  /* another one may compute otherwise */
  g_string_append_printf (to, "%sversion=" PACKAGE_VERSION,
      to->len > 0 ? " " : "");
}

/**
 * gst_eeg_stage_describe_output:
 * @stage: a stage
 * @error: return location
 *
 * Says what the output of a stage depends on beside its input, `name=value`
 * with spaces between: the properties that matter, the versions of this library
 * and of others. A recording continues only where this is the same. Of stages
 * that change no bytes, checksums and sinks, this is empty.
 *
 * Returns: (transfer full) (nullable): the text, or %NULL with @error set if
 * the
 *     stage cannot save its state with the settings it has
 */
gchar *
gst_eeg_stage_describe_output (GstEegStage *stage, GError **error)
{
  GstEegStageInterface *iface;
  GString *text;

  g_return_val_if_fail (GST_IS_EEG_STAGE (stage), NULL);

  iface = GST_EEG_STAGE_GET_IFACE (stage);
  if (!gst_eeg_stage_can_save_state (stage)) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_NOT_IMPLEMENTED,
        "%s holds state and cannot save it", GST_OBJECT_NAME (stage));
    return NULL;
  }
  text = g_string_new (NULL);
  if (gst_eeg_stage_get_kind (stage) != GST_EEG_STAGE_KIND_CHECKSUM
      && gst_eeg_stage_get_kind (stage) != GST_EEG_STAGE_KIND_STORAGE)
    append_properties (stage, text);
  if (iface->can_resume != NULL && !iface->can_resume (stage, text, error)) {
    g_string_free (text, TRUE);
    return NULL;
  }
  return g_string_free (text, FALSE);
}

/**
 * gst_eeg_stage_get_part_support:
 * @stage: a stage
 *
 * Returns: what it does where a part of a recording ends
 */
GstEegPartSupport
gst_eeg_stage_get_part_support (GstEegStage *stage)
{
  GstEegStageInterface *iface;

  g_return_val_if_fail (GST_IS_EEG_STAGE (stage), GST_EEG_PART_SUPPORT_NONE);

  iface = GST_EEG_STAGE_GET_IFACE (stage);
  if (iface->get_part_support != NULL)
    return iface->get_part_support (stage);
  switch (gst_eeg_stage_get_kind (stage)) {
    case GST_EEG_STAGE_KIND_PASS_THROUGH:
    case GST_EEG_STAGE_KIND_ACQUISITION:
    case GST_EEG_STAGE_KIND_TRANSFORM:
    case GST_EEG_STAGE_KIND_INSPECTION:
    case GST_EEG_STAGE_KIND_STORAGE:
      return GST_EEG_PART_SUPPORT_PASSES;
    default:
      return GST_EEG_PART_SUPPORT_NONE;
  }
}

/**
 * gst_eeg_stage_set_part:
 * @stage: a stage
 * @part: (nullable): the first part of the next run, or %NULL
 *
 * Tells a stage that it stands before a sink that makes parts. Without this it
 * pays no attention to where parts end.
 */
void
gst_eeg_stage_set_part (GstEegStage *stage, const GstEegPart *part)
{
  GstEegStageInterface *iface;

  g_return_if_fail (GST_IS_EEG_STAGE (stage));

  iface = GST_EEG_STAGE_GET_IFACE (stage);
  if (iface->set_part != NULL)
    iface->set_part (stage, part);
}

/**
 * gst_eeg_stage_describe_part_output:
 * @stage: a stage
 * @error: return location
 *
 * The same as gst_eeg_stage_describe_output() for a recording that goes on only
 * where a part begins: what begins anew there need not be able to go on.
 *
 * Returns: (transfer full) (nullable): the text, or %NULL with @error set if
 * the
 *     stage cannot go on at the beginning of a part
 */
gchar *
gst_eeg_stage_describe_part_output (GstEegStage *stage, GError **error)
{
  GstEegStageInterface *iface;
  GString *text;

  g_return_val_if_fail (GST_IS_EEG_STAGE (stage), NULL);

  if (gst_eeg_stage_get_part_support (stage) < GST_EEG_PART_SUPPORT_ENDS)
    return gst_eeg_stage_describe_output (stage, error);
  iface = GST_EEG_STAGE_GET_IFACE (stage);
  text = g_string_new (NULL);
  if (gst_eeg_stage_get_kind (stage) != GST_EEG_STAGE_KIND_CHECKSUM)
    append_properties (stage, text);
  if (iface->can_resume != NULL)
    iface->can_resume (stage, text, NULL);
  return g_string_free (text, FALSE);
}

/**
 * gst_eeg_stage_get_checkpoint_location:
 * @stage: a stage
 *
 * Returns: (transfer full) (nullable) (type filename): the sidecar that a sink
 *     stores its checkpoints in, or %NULL if @stage stores none
 */
gchar *
gst_eeg_stage_get_checkpoint_location (GstEegStage *stage)
{
  GstEegStageInterface *iface;

  g_return_val_if_fail (GST_IS_EEG_STAGE (stage), NULL);

  iface = GST_EEG_STAGE_GET_IFACE (stage);
  return iface->get_checkpoint_location != NULL
      ? iface->get_checkpoint_location (stage)
      : NULL;
}

/**
 * gst_eeg_estimate:
 * @bin: a bin or pipeline
 * @input_bytes: bytes that its sources will deliver
 * @estimate: (out caller-allocates): the sum
 *
 * Merges the estimates of all stages in @bin, from the sources to the sinks;
 * each stage's output is the next one's input. Memory and threads add up.
 * Durations add up too, which is the time without any overlap and so an upper
 * bound. Elements that are no stages pass bytes on, are not counted in memory,
 * and are counted in `unknown_stages` unless they are core's pass-through ones.
 *
 * Returns: whether every element could be asked
 */
gboolean
gst_eeg_estimate (GstBin *bin, guint64 input_bytes, GstEegEstimate *estimate)
{
  GstIterator *it;
  GValue item = G_VALUE_INIT;
  GList *elements = NULL, *l;
  gboolean done = FALSE;
  guint64 bytes = input_bytes;

  g_return_val_if_fail (GST_IS_BIN (bin), FALSE);
  g_return_val_if_fail (estimate != NULL, FALSE);

  memset (estimate, 0, sizeof *estimate);
  estimate->duration = 0;

  it = gst_bin_iterate_sorted (bin);
  while (!done) {
    switch (gst_iterator_next (it, &item)) {
      case GST_ITERATOR_OK:
        /* sinks come first; prepending turns that around */
        elements = g_list_prepend (elements, g_value_dup_object (&item));
        g_value_reset (&item);
        break;
      case GST_ITERATOR_RESYNC:
        g_list_free_full (elements, gst_object_unref);
        elements = NULL;
        gst_iterator_resync (it);
        break;
      default:
        done = TRUE;
        break;
    }
  }
  g_value_unset (&item);
  gst_iterator_free (it);

  for (l = elements; l != NULL; l = l->next) {
    static const gchar *const transparent[] = { "identity", "capsfilter",
      "fakesink", "filesink", "appsink", "filesrc", "fakesrc", "appsrc", NULL };
    GstElement *element = l->data;
    GstEegEstimate one;

    if (GST_IS_BIN (element)) {
      gst_eeg_estimate (GST_BIN (element), bytes, &one);
    } else if (GST_IS_EEG_STAGE (element)) {
      gst_eeg_stage_estimate (GST_EEG_STAGE (element), bytes, &one);
    } else {
      GstElementFactory *factory = gst_element_get_factory (element);

      if (factory == NULL
          || !g_strv_contains (transparent, GST_OBJECT_NAME (factory)))
        estimate->unknown_stages++;
      continue;
    }
    estimate->memory_bytes += one.memory_bytes;
    estimate->threads += one.threads;
    estimate->unknown_stages += one.unknown_stages;
    if (estimate->duration != GST_CLOCK_TIME_NONE) {
      if (one.duration == GST_CLOCK_TIME_NONE)
        estimate->duration = GST_CLOCK_TIME_NONE;
      else
        estimate->duration += one.duration;
    }
    bytes = one.output_bytes;
  }
  g_list_free_full (elements, gst_object_unref);
  estimate->output_bytes = bytes;
  return estimate->unknown_stages == 0;
}

/**
 * gst_eeg_stage_counters_get:
 * @counters: counters
 * @values: (out caller-allocates): their values now, each read atomically
 */
void
gst_eeg_stage_counters_get (const GstEegStageCounters *counters,
    GstEegStageCounters *values)
{
  const guint64 *from = (const guint64 *) counters;
  guint64 *to = (guint64 *) values;
  gsize i;

  g_return_if_fail (counters != NULL && values != NULL);

  for (i = 0; i < sizeof *counters / sizeof *from; i++)
    to[i] = __atomic_load_n (&from[i], __ATOMIC_RELAXED);
}

/**
 * gst_eeg_stage_counters_reset:
 * @counters: counters, all set to 0; done when a stage leaves READY
 */
void
gst_eeg_stage_counters_reset (GstEegStageCounters *counters)
{
  guint64 *p = (guint64 *) counters;
  gsize i;

  g_return_if_fail (counters != NULL);

  for (i = 0; i < sizeof *counters / sizeof *p; i++)
    __atomic_store_n (&p[i], 0, __ATOMIC_RELAXED);
}

/**
 * gst_eeg_stage_counters_to_structure:
 * @counters: counters
 * @kind: what the stage does
 *
 * Returns: (transfer full): a structure with the field names that are the same
 *     in every stage; `ratio` only for compressions. A stage adds its own.
 */
GstStructure *
gst_eeg_stage_counters_to_structure (const GstEegStageCounters *counters,
    GstEegStageKind kind)
{
  GstEegStageCounters v;
  GstStructure *s;

  g_return_val_if_fail (counters != NULL, NULL);

  gst_eeg_stage_counters_get (counters, &v);
  s = gst_structure_new (STATS_NAME, "kind", G_TYPE_STRING,
      gst_eeg_stage_kind_to_string (kind), "buffers-in", G_TYPE_UINT64,
      v.buffers_in, "buffers-out", G_TYPE_UINT64, v.buffers_out, "bytes-in",
      G_TYPE_UINT64, v.bytes_in, "bytes-out", G_TYPE_UINT64, v.bytes_out,
      "samples-in", G_TYPE_UINT64, v.samples_in, "samples-out", G_TYPE_UINT64,
      v.samples_out, "lost", G_TYPE_UINT64, v.lost, "errors", G_TYPE_UINT64,
      v.errors, "busy-ns", G_TYPE_UINT64, v.busy_ns, NULL);
  if (kind == GST_EEG_STAGE_KIND_COMPRESSION && v.bytes_out > 0)
    gst_structure_set (s, "ratio", G_TYPE_DOUBLE,
        (gdouble) v.bytes_in / (gdouble) v.bytes_out, NULL);
  else if (kind == GST_EEG_STAGE_KIND_DECOMPRESSION && v.bytes_in > 0)
    gst_structure_set (s, "ratio", G_TYPE_DOUBLE,
        (gdouble) v.bytes_out / (gdouble) v.bytes_in, NULL);
  return s;
}

static const gchar *
find_conflict (GstEegStageKind open, GstEegStageKind kind)
{
  gboolean open_is_encryption = open == GST_EEG_STAGE_KIND_ENCRYPTION;

  switch (kind) {
    case GST_EEG_STAGE_KIND_COMPRESSION:
      return open_is_encryption
          ? "encrypted data cannot be compressed; compress first, then "
            "encrypt"
          : "data is compressed already; use one compression";
    case GST_EEG_STAGE_KIND_ENCRYPTION:
      return open_is_encryption
          ? "data is encrypted already; use one encryption"
          : NULL;
    case GST_EEG_STAGE_KIND_DECOMPRESSION:
      return open_is_encryption
          ? "encrypted data cannot be decompressed; decrypt first"
          : NULL;
    case GST_EEG_STAGE_KIND_DECRYPTION:
      return open_is_encryption
          ? NULL
          : "compressed data is not encrypted; decompress first";
    case GST_EEG_STAGE_KIND_TRANSFORM:
    case GST_EEG_STAGE_KIND_INSPECTION:
    case GST_EEG_STAGE_KIND_CONTAINER:
      return open_is_encryption ? "encrypted data holds no samples; put this "
                                  "before the encryption"
                                : "compressed data holds no samples; put this "
                                  "before the compression";
    default:
      return NULL;
  }
}

/**
 * gst_eeg_check_order:
 * @kinds: (array length=n_kinds): what the stages do, in stream order
 * @n_kinds: how many
 * @first: (out) (optional): index of the earlier stage of a conflict
 * @second: (out) (optional): index of the later one
 * @reason: (out) (optional) (transfer none): what is wrong and the right order
 *
 * Checks the order of stages before a pipeline is built. Elements check the
 * same when caps arrive.
 *
 * Returns: whether the order is right
 */
gboolean
gst_eeg_check_order (const GstEegStageKind *kinds, guint n_kinds, guint *first,
    guint *second, const gchar **reason)
{
  GArray *open; /* indices of the layers around the data, outermost last */
  gboolean ok = TRUE;
  guint i;

  g_return_val_if_fail (kinds != NULL || n_kinds == 0, FALSE);

  open = g_array_new (FALSE, FALSE, sizeof (guint));
  for (i = 0; i < n_kinds && ok; i++) {
    GstEegStageKind kind = kinds[i];

    if (open->len > 0) {
      guint outer = g_array_index (open, guint, open->len - 1);
      const gchar *conflict = find_conflict (kinds[outer], kind);

      if (conflict != NULL) {
        if (first != NULL)
          *first = outer;
        if (second != NULL)
          *second = i;
        if (reason != NULL)
          *reason = conflict;
        ok = FALSE;
      }
    }
    switch (kind) {
      case GST_EEG_STAGE_KIND_COMPRESSION:
      case GST_EEG_STAGE_KIND_ENCRYPTION:
        g_array_append_val (open, i);
        break;
      case GST_EEG_STAGE_KIND_DECOMPRESSION:
      case GST_EEG_STAGE_KIND_DECRYPTION:
        if (open->len > 0)
          g_array_set_size (open, open->len - 1);
        break;
      default:
        break;
    }
  }
  g_array_unref (open);
  return ok;
}

static GstQuery *
query_upstream (GstPad *sink_pad)
{
  GstQuery *query;
  GstStructure *s;
  GValue stages = G_VALUE_INIT;

  s = gst_structure_new (QUERY_NAME, "source-completes", G_TYPE_BOOLEAN, FALSE,
      NULL);
  g_value_init (&stages, GST_TYPE_ARRAY);
  gst_structure_take_value (s, "stages", &stages);
  query = gst_query_new_custom (GST_QUERY_CUSTOM, s);
  /* what was collected counts, also when the end of the chain did not answer */
  gst_pad_peer_query (sink_pad, query);
  return query;
}

/**
 * gst_eeg_stage_answer_query:
 * @stage: the stage whose @src_pad received @query
 * @src_pad: the pad
 * @query: any query
 *
 * To be called first by the query function of every source pad. Adds @stage to
 * an `eeg-stage` query and passes it upstream.
 *
 * Returns: %TRUE if @query was an `eeg-stage` query, and is done with
 */
gboolean
gst_eeg_stage_answer_query (GstEegStage *stage, GstPad *src_pad,
    GstQuery *query)
{
  GstStructure *s;
  const GValue *old;
  GValue stages = G_VALUE_INIT, entry = G_VALUE_INIT;
  GstStructure *entry_structure;
  GstEegStageKind kind;

  g_return_val_if_fail (GST_IS_EEG_STAGE (stage), FALSE);
  g_return_val_if_fail (GST_IS_PAD (src_pad), FALSE);
  g_return_val_if_fail (GST_IS_QUERY (query), FALSE);

  if (GST_QUERY_TYPE (query) != GST_QUERY_CUSTOM)
    return FALSE;
  if (!gst_structure_has_name (gst_query_get_structure (query), QUERY_NAME))
    return FALSE;

  kind = gst_eeg_stage_get_kind (stage);
  s = gst_query_writable_structure (query);
  old = gst_structure_get_value (s, "stages");
  if (old == NULL || !GST_VALUE_HOLDS_ARRAY (old))
    return TRUE;
  g_value_init (&stages, GST_TYPE_ARRAY);
  g_value_copy (old, &stages);
  g_value_init (&entry, GST_TYPE_STRUCTURE);
  entry_structure = gst_structure_new ("stage", "name", G_TYPE_STRING,
      GST_OBJECT_NAME (stage), "kind", GST_TYPE_EEG_STAGE_KIND, kind, NULL);
  g_value_take_boxed (&entry, entry_structure);
  gst_value_array_append_and_take_value (&stages, &entry);
  gst_structure_take_value (s, "stages", &stages);
  if (kind == GST_EEG_STAGE_KIND_ACQUISITION)
    gst_structure_set (s, "source-completes", G_TYPE_BOOLEAN, TRUE, NULL);
  else
    gst_pad_query_default (src_pad, GST_OBJECT_CAST (stage), query);
  return TRUE;
}

/**
 * gst_eeg_stage_source_completes:
 * @sink_pad: a sink pad of a stage
 *
 * Asks upstream whether the stream comes from a source that announces its true
 * end by an `eeg-complete` event. Behind such a source, an EOS without that
 * event follows an error, and no final mark may be written.
 *
 * Returns: whether there is such a source
 */
gboolean
gst_eeg_stage_source_completes (GstPad *sink_pad)
{
  gboolean completes = FALSE;
  GstQuery *query;

  g_return_val_if_fail (GST_IS_PAD (sink_pad), FALSE);

  query = query_upstream (sink_pad);
  gst_structure_get_boolean (gst_query_get_structure (query),
      "source-completes", &completes);
  gst_query_unref (query);
  return completes;
}

/**
 * gst_eeg_stage_get_source_name:
 * @sink_pad: a sink pad of a stage
 *
 * Returns: (transfer full) (nullable): name of the source of this project that
 *     the stream comes from
 */
gchar *
gst_eeg_stage_get_source_name (GstPad *sink_pad)
{
  gchar *name = NULL;
  const GValue *stages;
  GstQuery *query;
  guint i;

  g_return_val_if_fail (GST_IS_PAD (sink_pad), NULL);

  query = query_upstream (sink_pad);
  stages = gst_structure_get_value (gst_query_get_structure (query), "stages");
  for (i = 0; name == NULL && i < gst_value_array_get_size (stages); i++) {
    const GstStructure *entry =
        gst_value_get_structure (gst_value_array_get_value (stages, i));
    gint kind = GST_EEG_STAGE_KIND_PASS_THROUGH;

    gst_structure_get_enum (entry, "kind", GST_TYPE_EEG_STAGE_KIND, &kind);
    if (kind == GST_EEG_STAGE_KIND_ACQUISITION)
      name = g_strdup (gst_structure_get_string (entry, "name"));
  }
  gst_query_unref (query);
  return name;
}

/**
 * gst_eeg_stage_check_upstream:
 * @stage: a stage whose sink pad received caps
 * @sink_pad: that pad
 *
 * Checks the order of all stages from the source down to @stage. If it is
 * wrong, posts one CORE/NEGOTIATION error that names both elements and the
 * right order. To be called from the handler of the CAPS event.
 *
 * Returns: whether the order is right
 */
gboolean
gst_eeg_stage_check_upstream (GstEegStage *stage, GstPad *sink_pad)
{
  GstQuery *query;
  const GValue *stages;
  GstEegStageKind *kinds;
  const gchar **names;
  const gchar *reason = NULL;
  guint n, i, first = 0, second = 0;
  gboolean ok;

  g_return_val_if_fail (GST_IS_EEG_STAGE (stage), FALSE);
  g_return_val_if_fail (GST_IS_PAD (sink_pad), FALSE);

  query = query_upstream (sink_pad);
  stages = gst_structure_get_value (gst_query_get_structure (query), "stages");
  n = gst_value_array_get_size (stages);
  kinds = g_new (GstEegStageKind, n + 1);
  names = g_new (const gchar *, n + 1);
  for (i = 0; i < n; i++) {
    /* collected from here upwards; the check goes downwards */
    const GValue *value = gst_value_array_get_value (stages, n - 1 - i);
    const GstStructure *entry = gst_value_get_structure (value);
    gint kind = GST_EEG_STAGE_KIND_PASS_THROUGH;

    gst_structure_get_enum (entry, "kind", GST_TYPE_EEG_STAGE_KIND, &kind);
    kinds[i] = kind;
    names[i] = gst_structure_get_string (entry, "name");
  }
  kinds[n] = gst_eeg_stage_get_kind (stage);
  names[n] = GST_OBJECT_NAME (stage);

  ok = gst_eeg_check_order (kinds, n + 1, &first, &second, &reason);
  if (!ok)
    GST_ELEMENT_ERROR (stage, CORE, NEGOTIATION,
        ("%s cannot stand behind %s: %s.", names[second], names[first], reason),
        ("%s is a %s stage, %s a %s stage", names[first],
            gst_eeg_stage_kind_to_string (kinds[first]), names[second],
            gst_eeg_stage_kind_to_string (kinds[second])));
  g_free (kinds);
  g_free (names);
  gst_query_unref (query);
  return ok;
}

/**
 * gst_eeg_query_is_output:
 * @query: any query
 *
 * A stage whose output is not its input must not pass this query on: what the
 * sink has is nothing that a stage before it wrote. Nor does a sink answer it
 * that has another stage's bytes.
 *
 * Returns: whether @query is an `eeg-output` query
 */
gboolean
gst_eeg_query_is_output (GstQuery *query)
{
  const GstStructure *s;

  g_return_val_if_fail (GST_IS_QUERY (query), FALSE);

  if (GST_QUERY_TYPE (query) != GST_QUERY_CUSTOM)
    return FALSE;
  s = gst_query_get_structure (query);
  return s != NULL && gst_structure_has_name (s, OUTPUT_QUERY_NAME);
}

/**
 * gst_eeg_query_set_output:
 * @query: an `eeg-output` query
 * @path: (type filename): the file that the stream is written to
 * @size: bytes of it that were there when the stream went on
 *
 * The answer of a sink that goes on with a file.
 */
void
gst_eeg_query_set_output (GstQuery *query, const gchar *path, guint64 size)
{
  GBytes *bytes;

  g_return_if_fail (gst_eeg_query_is_output (query));
  g_return_if_fail (path != NULL);

  /* a string would have to be UTF-8 */
  bytes = g_bytes_new (path, strlen (path) + 1);
  gst_structure_set (gst_query_writable_structure (query), "path", G_TYPE_BYTES,
      bytes, "size", G_TYPE_UINT64, size, NULL);
  g_bytes_unref (bytes);
}

/**
 * gst_eeg_stage_find_output:
 * @stage: a stage that goes on behind a checkpoint
 * @src_pad: its source pad
 * @size: (out): bytes of the file that were there when the stream went on
 * @error: return location
 *
 * Asks downstream for the file with what @stage wrote before the checkpoint:
 * its first bytes are those that @stage pushed, as many as it had pushed by
 * then. To be called by the streaming thread before it sends what makes the
 * sink write; those bytes then stay as they are. Only checksums, queues and
 * tees may be between; behind a tee any of the files will do.
 *
 * Returns: (transfer full) (nullable) (type filename): the file, or %NULL with
 *     @error set, as it shall be posted, if nobody downstream has one
 */
gchar *
gst_eeg_stage_find_output (GstEegStage *stage, GstPad *src_pad, guint64 *size,
    GError **error)
{
  GBytes *bytes = NULL;
  gchar *path = NULL;
  GstQuery *query;

  g_return_val_if_fail (GST_IS_EEG_STAGE (stage), NULL);
  g_return_val_if_fail (GST_IS_PAD (src_pad), NULL);
  g_return_val_if_fail (size != NULL, NULL);

  query = gst_query_new_custom (GST_QUERY_CUSTOM,
      gst_structure_new_empty (OUTPUT_QUERY_NAME));
  if (gst_pad_peer_query (src_pad, query)
      && gst_structure_get (gst_query_get_structure (query), "path",
          G_TYPE_BYTES, &bytes, "size", G_TYPE_UINT64, size, NULL)) {
    path = g_strdup (g_bytes_get_data (bytes, NULL));
    g_bytes_unref (bytes);
  }
  gst_query_unref (query);
  if (path == NULL)
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "%s cannot go on: no sink behind it has the file that it wrote before.",
        GST_OBJECT_NAME (stage));
  return path;
}
