/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gsteegcheckpointer.h"
#include "gsteegchunk.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cpu.h"
#include "digest.h"

/* --- the pipeline -------------------------------------------------------- */

/* The real pad that feeds @pad, whatever bins are around either of them. */
static GstPad *
get_real_peer (GstPad *pad)
{
  GstPad *peer = gst_pad_get_peer (pad);

  while (peer != NULL) {
    GstPad *next;

    if (GST_IS_GHOST_PAD (peer)) {
      /* out of a bin: go inside */
      next = gst_ghost_pad_get_target (GST_GHOST_PAD (peer));
    } else if (GST_OBJECT_PARENT (peer) != NULL
        && GST_IS_GHOST_PAD (GST_OBJECT_PARENT (peer))) {
      /* into the bin around us: go outside */
      next = gst_pad_get_peer (GST_PAD (GST_OBJECT_PARENT (peer)));
    } else {
      return peer;
    }
    gst_object_unref (peer);
    peer = next;
  }
  return NULL;
}

static gboolean
is_default (GstElement *element, const gchar *property)
{
  GValue value = G_VALUE_INIT;
  GParamSpec *spec =
      g_object_class_find_property (G_OBJECT_GET_CLASS (element), property);
  gboolean same;

  if (spec == NULL)
    return FALSE;
  g_value_init (&value, spec->value_type);
  g_object_get_property (G_OBJECT (element), property, &value);
  same = g_param_value_defaults (spec, &value);
  g_value_unset (&value);
  return same;
}

static const gchar *
get_factory_name (GstElement *element)
{
  GstElementFactory *factory = gst_element_get_factory (element);

  return factory != NULL ? GST_OBJECT_NAME (factory) : "";
}

/* It holds nothing, but what comes out may depend on it. */
static gboolean
is_caps_filter (GstElement *element)
{
  return strcmp (get_factory_name (element), "capsfilter") == 0;
}

/* Elements of core that hold nothing, or only what is between two barriers, in
 * order, and leave time stamps as they are. */
static gboolean
is_transparent (GstElement *element)
{
  const gchar *name = get_factory_name (element);

  if (strcmp (name, "queue") == 0)
    return is_default (element, "leaky")
        && is_default (element, "flush-on-eos");
  if (strcmp (name, "identity") == 0)
    return is_default (element, "drop-probability")
        && is_default (element, "drop-buffer-flags")
        && is_default (element, "single-segment")
        && is_default (element, "datarate");
  return strcmp (name, "tee") == 0;
}

/* What a walk up from a sink finds */
typedef struct
{
  gboolean parts;
  GPtrArray *seen; /* of GstElement */
  GPtrArray *stages;
  GstElement *source; /* the first one; borrowed */
} Walk;

gboolean
gst_eeg_checkpointer_sends_barriers (GstEegStage *stage)
{
  GObjectClass *klass = G_OBJECT_GET_CLASS (stage);
  GParamSpec *spec =
      g_object_class_find_property (klass, "checkpoint-interval");
  guint64 interval = 0;

  if (spec == NULL || spec->value_type != G_TYPE_UINT64)
    return FALSE;
  g_object_get (stage, "checkpoint-interval", &interval, NULL);
  return interval > 0;
}

static GList *
copy_pads (GstElement *element, gboolean sink)
{
  GList *pads, *l;

  GST_OBJECT_LOCK (element);
  pads = g_list_copy (sink ? element->sinkpads : element->srcpads);
  for (l = pads; l != NULL; l = l->next)
    gst_object_ref (l->data);
  GST_OBJECT_UNLOCK (element);
  return pads;
}

/* transfer full, NULL if the pad is not linked */
static GstElement *
get_neighbour (GstPad *pad)
{
  GstPad *peer = get_real_peer (pad);
  GstElement *element = peer != NULL ? gst_pad_get_parent_element (peer) : NULL;

  gst_clear_object (&peer);
  return element;
}

gboolean
gst_eeg_checkpointer_is_demuxer (GstElement *element)
{
  GList *l = GST_IS_EEG_STAGE (element)
      ? gst_element_class_get_pad_template_list (
          GST_ELEMENT_GET_CLASS (element))
      : NULL;
  gboolean is = FALSE;

  for (; l != NULL; l = l->next)
    is |= GST_PAD_TEMPLATE_DIRECTION (l->data) == GST_PAD_SRC
        && GST_PAD_TEMPLATE_PRESENCE (l->data) == GST_PAD_SOMETIMES;
  return is;
}

static gboolean
waits_for_pads (GstElement *element)
{
  gboolean waits;

  if (!gst_eeg_checkpointer_is_demuxer (element))
    return FALSE;
  GST_OBJECT_LOCK (element);
  waits = element->numsrcpads == 0;
  GST_OBJECT_UNLOCK (element);
  return waits;
}

/* transfer full; the bin around all */
static GstElement *
get_pipeline (GstElement *element)
{
  GstObject *top = gst_object_ref (GST_OBJECT (element)), *parent;

  while ((parent = gst_object_get_parent (top)) != NULL) {
    gst_object_unref (top);
    top = parent;
  }
  return GST_ELEMENT (top);
}

/* transfer full; elements of the pipeline around @element for which @wanted
 * says so */
static GPtrArray *
find_elements (GstElement *element, gboolean (*wanted) (GstElement *))
{
  GPtrArray *found = g_ptr_array_new_with_free_func (gst_object_unref);
  GstElement *pipeline = get_pipeline (element);
  GstIterator *it = NULL;
  GValue item = G_VALUE_INIT;
  GstIteratorResult result = GST_ITERATOR_DONE;

  if (GST_IS_BIN (pipeline)) {
    it = gst_bin_iterate_recurse (GST_BIN (pipeline));
    result = GST_ITERATOR_OK;
  }
  while (result == GST_ITERATOR_OK || result == GST_ITERATOR_RESYNC) {
    result = gst_iterator_next (it, &item);
    if (result == GST_ITERATOR_OK) {
      if (wanted (g_value_get_object (&item)))
        g_ptr_array_add (found, g_value_dup_object (&item));
      g_value_reset (&item);
    } else if (result == GST_ITERATOR_RESYNC) {
      g_ptr_array_set_size (found, 0);
      gst_iterator_resync (it);
    }
  }
  g_value_unset (&item);
  g_clear_pointer (&it, gst_iterator_free);
  gst_object_unref (pipeline);
  return found;
}

static gboolean visit_element (Walk *walk, GstElement *element, GError **error);

/* Nothing is linked yet to a pad of an element: what waits for its own pads
 * will be. */
static gboolean
visit_waiting (Walk *walk, GstElement *element, GError **error)
{
  GPtrArray *waiting = find_elements (element, waits_for_pads);
  gboolean ok = waiting->len == 1;

  if (ok)
    ok = visit_element (walk, g_ptr_array_index (waiting, 0), error);
  else if (waiting->len == 0)
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "%s has a pad that is not linked", GST_OBJECT_NAME (element));
  else
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "%s and %s both wait for their pads, so that it is not known at the "
        "start what feeds %s; make a pipeline for each",
        GST_OBJECT_NAME (g_ptr_array_index (waiting, 0)),
        GST_OBJECT_NAME (g_ptr_array_index (waiting, 1)),
        GST_OBJECT_NAME (element));
  g_ptr_array_unref (waiting);
  return ok;
}

static gboolean
visit_pad (Walk *walk, GstElement *owner, GstPad *sink_pad, GError **error)
{
  GstElement *element = get_neighbour (sink_pad);
  gboolean ok;

  if (element == NULL)
    return visit_waiting (walk, owner, error);
  ok = visit_element (walk, element, error);
  gst_object_unref (element);
  return ok;
}

/* Sources whose barriers come by time, so that those of the same number belong
 * together. */
static gboolean
keeps_pace (GstElement *source)
{
  return !GST_IS_EEG_CHUNK (source)
      && gst_eeg_checkpointer_sends_barriers (GST_EEG_STAGE (source));
}

static gboolean
visit_source (Walk *walk, GstElement *element, GError **error)
{
  GstElement *other;

  if (walk->source == NULL)
    walk->source = element;
  other = walk->source;
  if (other == element || (keeps_pace (other) && keeps_pace (element)))
    return TRUE;
  if (keeps_pace (other))
    other = element;
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
      "%s and %s are several sources, and %s %s",
      GST_OBJECT_NAME (walk->source), GST_OBJECT_NAME (element),
      GST_OBJECT_NAME (other),
      GST_IS_EEG_CHUNK (other)
          ? "counts bytes, which are no measure of the time of the other one"
          : "sends no barriers; set its checkpoint-interval");
  return FALSE;
}

static gboolean
visit_element (Walk *walk, GstElement *element, GError **error)
{
  gboolean ok = TRUE;
  gchar *settings;
  GList *pads, *l;

  if (g_ptr_array_find (walk->seen, element, NULL))
    return TRUE;
  g_ptr_array_add (walk->seen, gst_object_ref (element));

  if (GST_IS_EEG_STAGE (element)) {
    if (!walk->parts) {
      settings = gst_eeg_stage_describe_output (GST_EEG_STAGE (element), error);
      if (settings == NULL)
        return FALSE;
      g_free (settings);
    }
    g_ptr_array_add (walk->stages, gst_object_ref (element));
    if (gst_eeg_stage_get_kind (GST_EEG_STAGE (element))
        == GST_EEG_STAGE_KIND_ACQUISITION)
      return visit_source (walk, element, error);
  } else if (is_caps_filter (element)) {
    g_ptr_array_add (walk->stages, gst_object_ref (element));
  } else if (GST_OBJECT_FLAG_IS_SET (element, GST_ELEMENT_FLAG_SOURCE)) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "%s is no source that could go on; put eegchunk behind it",
        GST_OBJECT_NAME (element));
    return FALSE;
  } else if (!is_transparent (element)) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "%s holds state, or may lose data, and takes no part in %s",
        GST_OBJECT_NAME (element),
        walk->parts ? "what is cut here" : "checkpoints");
    return FALSE;
  }

  pads = copy_pads (element, TRUE);
  if (pads == NULL)
    ok = visit_waiting (walk, element, error);
  for (l = pads; l != NULL && ok; l = l->next)
    ok = visit_pad (walk, element, l->data, error);
  g_list_free_full (pads, gst_object_unref);
  return ok;
}

GPtrArray *
gst_eeg_checkpointer_find_stages (GstPad *sink_pad, gboolean parts,
    GError **error)
{
  Walk walk = { parts, g_ptr_array_new_with_free_func (gst_object_unref),
    g_ptr_array_new_with_free_func (gst_object_unref), NULL };
  GstElement *sink = gst_pad_get_parent_element (sink_pad);
  gboolean ok = visit_pad (&walk, sink, sink_pad, error);

  if (ok && walk.source == NULL) {
    g_set_error_literal (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "there is no source that could go on; put eegchunk behind it");
    ok = FALSE;
  }
  gst_object_unref (sink);
  g_ptr_array_unref (walk.seen);
  if (!ok)
    g_clear_pointer (&walk.stages, g_ptr_array_unref);
  return walk.stages;
}

/* All sinks behind a source pad. */
static gboolean
visit_down (GstPad *src_pad, GPtrArray *sinks, GError **error)
{
  GstElement *element = get_neighbour (src_pad);
  GList *pads, *l;
  gboolean ok = TRUE;

  if (element == NULL) {
    GstPadTemplate *template = gst_pad_get_pad_template (src_pad);
    /* what nobody wants of a file is nobody's in the next run either */
    gboolean is_unwanted = template != NULL
        && GST_PAD_TEMPLATE_PRESENCE (template) == GST_PAD_SOMETIMES;

    gst_clear_object (&template);
    if (!is_unwanted)
      g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
          "%s of %s is not linked", GST_OBJECT_NAME (src_pad),
          GST_OBJECT_PARENT (src_pad) != NULL
              ? GST_OBJECT_NAME (GST_OBJECT_PARENT (src_pad))
              : "no element");
    return is_unwanted;
  }
  pads = copy_pads (element, FALSE);
  if (pads == NULL && !g_ptr_array_find (sinks, element, NULL))
    g_ptr_array_add (sinks, gst_object_ref (element));
  for (l = pads; l != NULL && ok; l = l->next)
    ok = visit_down (l->data, sinks, error);
  g_list_free_full (pads, gst_object_unref);
  gst_object_unref (element);
  return ok;
}

/* From each tee before a sink pad down to all sinks. */
static gboolean
visit_tees (GstPad *sink_pad, GPtrArray *sinks, GError **error)
{
  GstElement *element = get_neighbour (sink_pad);
  GList *pads, *l;
  gboolean ok = TRUE;

  if (element == NULL)
    return TRUE;
  pads = copy_pads (element, FALSE);
  if (pads != NULL && pads->next != NULL)
    for (l = pads; l != NULL && ok; l = l->next)
      ok = visit_down (l->data, sinks, error);
  g_list_free_full (pads, gst_object_unref);
  pads = copy_pads (element, TRUE);
  for (l = pads; l != NULL && ok; l = l->next)
    ok = visit_tees (l->data, sinks, error);
  g_list_free_full (pads, gst_object_unref);
  gst_object_unref (element);
  return ok;
}

/* Does the way up from a sink end where nothing is linked yet? */
static gboolean
ends_open (GstPad *sink_pad)
{
  GstElement *element = get_neighbour (sink_pad);
  GList *pads, *l;
  gboolean open;

  if (element == NULL)
    return TRUE;
  pads = copy_pads (element, TRUE);
  open = pads == NULL && GST_IS_EEG_STAGE (element)
      && gst_eeg_stage_get_kind (GST_EEG_STAGE (element))
          != GST_EEG_STAGE_KIND_ACQUISITION;
  for (l = pads; l != NULL && !open; l = l->next)
    open = ends_open (l->data);
  g_list_free_full (pads, gst_object_unref);
  gst_object_unref (element);
  return open;
}

static gboolean
is_open_sink (GstElement *element)
{
  GstPad *pad;
  gboolean open;

  if (!GST_IS_EEG_STAGE (element)
      || gst_eeg_stage_get_kind (GST_EEG_STAGE (element))
          != GST_EEG_STAGE_KIND_STORAGE)
    return FALSE;
  pad = gst_element_get_static_pad (element, "sink");
  open = pad != NULL && ends_open (pad);
  gst_clear_object (&pad);
  return open;
}

/* All behind a demuxer that waits for its pads, of which there is but one. */
static void
visit_open (GstPad *sink_pad, GPtrArray *sinks)
{
  GstElement *sink = gst_pad_get_parent_element (sink_pad);
  GPtrArray *open = find_elements (sink, is_open_sink);
  guint i;

  for (i = 0; ends_open (sink_pad) && i < open->len; i++) {
    GstElement *other = g_ptr_array_index (open, i);

    if (!g_ptr_array_find (sinks, other, NULL))
      g_ptr_array_add (sinks, gst_object_ref (other));
  }
  g_ptr_array_unref (open);
  gst_object_unref (sink);
}

static void
collect_sources (GstPad *sink_pad, GPtrArray *sources)
{
  GstElement *element = get_neighbour (sink_pad);
  GList *pads, *l;

  if (element == NULL)
    return;
  if (GST_IS_EEG_STAGE (element)
      && gst_eeg_stage_get_kind (GST_EEG_STAGE (element))
          == GST_EEG_STAGE_KIND_ACQUISITION
      && !g_ptr_array_find (sources, element, NULL))
    g_ptr_array_add (sources, gst_object_ref (element));
  pads = copy_pads (element, TRUE);
  for (l = pads; l != NULL; l = l->next)
    collect_sources (l->data, sources);
  g_list_free_full (pads, gst_object_unref);
  gst_object_unref (element);
}

/* A sink whose only source has ended would have no checkpoint in common with
 * one that goes on with another source. */
static gboolean
have_same_sources (GstPad *sink_pad, GPtrArray *sinks, GError **error)
{
  GPtrArray *ours = g_ptr_array_new_with_free_func (gst_object_unref);
  gboolean ok = TRUE;
  guint i, k;

  collect_sources (sink_pad, ours);
  for (i = 0; ok && i < sinks->len; i++) {
    GPtrArray *theirs = g_ptr_array_new_with_free_func (gst_object_unref);
    GstElement *sink = g_ptr_array_index (sinks, i);
    GstPad *pad = gst_element_get_static_pad (sink, "sink");

    /* what is no sink of ours is refused by its name */
    if (pad == NULL) {
      g_ptr_array_unref (theirs);
      continue;
    }
    collect_sources (pad, theirs);
    ok = ours->len == theirs->len;
    for (k = 0; ok && k < theirs->len; k++)
      ok = g_ptr_array_find (ours, g_ptr_array_index (theirs, k), NULL);
    if (!ok)
      g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
          "%s stands behind the same tee, and has other sources",
          GST_OBJECT_NAME (sink));
    g_ptr_array_unref (theirs);
    gst_object_unref (pad);
  }
  g_ptr_array_unref (ours);
  return ok;
}

GPtrArray *
gst_eeg_checkpointer_find_sinks (GstPad *sink_pad, GError **error)
{
  GPtrArray *sinks = g_ptr_array_new_with_free_func (gst_object_unref);

  if (visit_tees (sink_pad, sinks, error))
    visit_open (sink_pad, sinks);
  else
    g_clear_pointer (&sinks, g_ptr_array_unref);
  if (sinks != NULL && !have_same_sources (sink_pad, sinks, error))
    g_clear_pointer (&sinks, g_ptr_array_unref);
  return sinks;
}

/* --- checkpoints --------------------------------------------------------- */

static void
compute_hash (gconstpointer data, gsize size, guint8 *hash)
{
  const EegDigestKernel *kernel = eeg_digest_find ("blake3", NULL);
  gpointer digest = g_malloc (kernel->state_size);

  kernel->init (digest);
  kernel->update (digest, data, size);
  kernel->final (digest, hash);
  g_free (digest);
}

/* transfer full text, what the output of a stage depends on; not longer than
 * the sidecar takes. */
static gchar *
shorten (gchar *text)
{
  guint8 hash[EEG_CHECKPOINT_HASH_SIZE];
  GString *hex;
  gsize i;

  if (text == NULL || strlen (text) <= EEG_CHECKPOINT_MAX_TEXT)
    return text;
  compute_hash (text, strlen (text), hash);
  g_free (text);
  hex = g_string_new ("blake3=");
  for (i = 0; i < sizeof hash; i++)
    g_string_append_printf (hex, "%02x", hash[i]);
  return g_string_free (hex, FALSE);
}

/* transfer full, NULL with @error set if there can be no checkpoint */
static gchar *
describe (GstElement *element, gboolean parts, GError **error)
{
  GstCaps *caps;
  gchar *text;

  if (GST_IS_EEG_STAGE (element))
    return shorten (parts
            ? gst_eeg_stage_describe_part_output (GST_EEG_STAGE (element),
                error)
            : gst_eeg_stage_describe_output (GST_EEG_STAGE (element), error));
  g_object_get (element, "caps", &caps, NULL);
  text = shorten (gst_caps_to_string (caps));
  gst_caps_unref (caps);
  return text;
}

/* The build of the kernels of stages whose arithmetic may differ by it, or
 * "". */
static const gchar *
get_cpu_path (GPtrArray *stages)
{
  guint i;

  for (i = 0; stages != NULL && i < stages->len; i++) {
    GstElement *element = g_ptr_array_index (stages, i);

    if (GST_IS_EEG_STAGE (element)
        && gst_eeg_stage_get_kind (GST_EEG_STAGE (element))
            == GST_EEG_STAGE_KIND_TRANSFORM)
      return eeg_cpu_name (eeg_cpu_choose ());
  }
  return "";
}

static void
set_memory_error (GError **error)
{
  g_set_error_literal (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED,
      "Not enough memory for a checkpoint.");
}

static gboolean
fill_stage (EegCheckpointStage *to, GstElement *element, gboolean parts,
    GstEegBarrier *barrier, gboolean needs_state, GString *all, GError **error)
{
  GstEegStage *stage =
      GST_IS_EEG_STAGE (element) ? GST_EEG_STAGE (element) : NULL;
  gchar *settings = needs_state && stage != NULL
      ? shorten (gst_eeg_barrier_get_settings (barrier, stage))
      : describe (element, parts, error);
  GBytes *state = NULL;
  gsize size;
  gconstpointer data;

  if (settings == NULL && !needs_state)
    return FALSE;
  if (settings == NULL) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "%s was not on the way of the barrier", GST_OBJECT_NAME (element));
    return FALSE;
  }
  to->name = strdup (GST_OBJECT_NAME (element));
  to->factory = strdup (get_factory_name (element));
  to->settings = strdup (settings);
  g_string_append_printf (all, "%s (%s): %s\n", GST_OBJECT_NAME (element),
      get_factory_name (element), settings);
  g_free (settings);
  if (to->name == NULL || to->factory == NULL || to->settings == NULL) {
    set_memory_error (error);
    return FALSE;
  }

  if (barrier != NULL && stage != NULL)
    state = gst_eeg_barrier_get_state (barrier, stage);
  if (state == NULL)
    state = g_bytes_new_static (NULL, 0);
  data = g_bytes_get_data (state, &size);
  to->state = malloc (size + 1);
  if (to->state != NULL && size > 0)
    memcpy (to->state, data, size);
  to->state_size = to->state != NULL ? size : 0;
  g_bytes_unref (state);
  if (to->state == NULL)
    set_memory_error (error);
  return to->state != NULL;
}

static gboolean
fill_stages (EegCheckpoint *checkpoint, GPtrArray *stages, gboolean parts,
    GstEegBarrier *barrier, GError **error)
{
  /* the end of the last part is no place to go on from */
  gboolean needs_state =
      !parts || (barrier != NULL && gst_eeg_barrier_ends_part (barrier));
  gchar *failure = needs_state ? gst_eeg_barrier_get_failure (barrier) : NULL;
  GString *all;
  guint i;

  if (failure != NULL) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, "%s",
        failure);
    g_free (failure);
    return FALSE;
  }
  checkpoint->stages = calloc (stages->len + 1, sizeof *checkpoint->stages);
  if (checkpoint->stages == NULL) {
    set_memory_error (error);
    return FALSE;
  }
  all = g_string_new (NULL);
  for (i = 0; i < stages->len; i++) {
    checkpoint->n_stages++;
    if (!fill_stage (&checkpoint->stages[i], g_ptr_array_index (stages, i),
            parts, barrier, needs_state, all, error)) {
      g_string_free (all, TRUE);
      return FALSE;
    }
  }
  compute_hash (all->str, all->len, checkpoint->settings);
  g_string_free (all, TRUE);
  return TRUE;
}

static gboolean
fill_input (EegCheckpoint *checkpoint, GstEegBarrier *barrier)
{
  GstEegBarrierInput input;

  checkpoint->input.position = EEG_CHECKPOINT_NONE;
  if (barrier != NULL && gst_eeg_barrier_get_input (barrier, &input)) {
    checkpoint->input.position = input.position;
    checkpoint->input.size = input.size;
    checkpoint->input.mtime = input.mtime;
    checkpoint->input.device = input.device;
    checkpoint->input.inode = input.inode;
    memcpy (checkpoint->input.head, input.head, sizeof input.head);
    memcpy (checkpoint->input.tail, input.tail, sizeof input.tail);
    if (input.path != NULL)
      checkpoint->input.path = strdup (input.path);
    g_free (input.path);
  }
  if (checkpoint->input.path == NULL)
    checkpoint->input.path = strdup ("");
  return checkpoint->input.path != NULL;
}

void
gst_eeg_checkpointer_make_recording (guint8 *recording)
{
  guint i;

  for (i = 0; i < EEG_CHECKPOINT_UUID_SIZE; i += 4) {
    guint32 word = g_random_int ();

    memcpy (recording + i, &word, sizeof word);
  }
  recording[6] = (recording[6] & 0x0f) | 0x40;
  recording[8] = (recording[8] & 0x3f) | 0x80;
}

EegCheckpoint *
gst_eeg_checkpointer_make (GPtrArray *stages, gboolean parts,
    GstEegBarrier *barrier, const guint8 *recording, const gchar *path,
    GError **error)
{
  EegCheckpoint *checkpoint = calloc (1, sizeof *checkpoint);

  if (checkpoint == NULL) {
    set_memory_error (error);
    return NULL;
  }
  checkpoint->time = g_get_real_time ();
  memcpy (checkpoint->recording, recording, sizeof checkpoint->recording);
  checkpoint->cpu_path = strdup (get_cpu_path (stages));
  checkpoint->output.path = strdup (path);
  if (!fill_input (checkpoint, barrier) || checkpoint->cpu_path == NULL
      || checkpoint->output.path == NULL) {
    set_memory_error (error);
    eeg_checkpoint_free (checkpoint);
    return NULL;
  }
  if (barrier != NULL) {
    checkpoint->id = gst_eeg_barrier_get_id (barrier);
    checkpoint->sample_index = gst_eeg_barrier_get_sample_index (barrier);
  }
  if (stages == NULL)
    return checkpoint;
  if (fill_stages (checkpoint, stages, parts, barrier, error))
    return checkpoint;
  eeg_checkpoint_free (checkpoint);
  return NULL;
}

/* --- the output ---------------------------------------------------------- */

gboolean
gst_eeg_checkpointer_set_output (EegCheckpoint *checkpoint,
    EegDurableFile *file, guint64 length)
{
  checkpoint->output.length = length;
  return eeg_durable_identify (file, &checkpoint->output.device,
             &checkpoint->output.inode)
      && eeg_checkpoint_hash_tail (eeg_durable_get_fd (file), length,
          checkpoint->output.tail);
}

gboolean
gst_eeg_checkpointer_fits_file (const EegCheckpoint *checkpoint,
    EegDurableFile *file)
{
  return eeg_checkpoint_fits (checkpoint, eeg_durable_get_fd (file));
}

gboolean
gst_eeg_checkpointer_fits_path (const EegCheckpoint *checkpoint,
    const gchar *path)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  struct stat s;
  gboolean ok;

  if (fd < 0)
    return FALSE;
  ok = fstat (fd, &s) == 0 && (guint64) s.st_size == checkpoint->output.length
      && eeg_checkpoint_fits (checkpoint, fd);
  close (fd);
  return ok;
}

/* But for what the sink saved of itself. */
static gsize
count_stages (const EegCheckpoint *checkpoint)
{
  gsize n = checkpoint->n_stages;

  return n > 0
          && strcmp (checkpoint->stages[n - 1].factory,
                 GST_EEG_CHECKPOINTER_PARTS)
              == 0
      ? n - 1
      : n;
}

/* --- going on ------------------------------------------------------------ */

gboolean
gst_eeg_checkpointer_is_live (const EegCheckpoint *checkpoint)
{
  return count_stages (checkpoint) == 0;
}

static gboolean
compare_stage (const EegCheckpointStage *old, GstElement *element,
    gboolean parts, GError **error)
{
  gchar *settings;
  gboolean same;

  if (old == NULL || element == NULL
      || strcmp (old->factory, get_factory_name (element)) != 0) {
    if (old == NULL)
      g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
          "%s was not there at the checkpoint", GST_OBJECT_NAME (element));
    else if (element == NULL)
      g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
          "%s (%s), which was there at the checkpoint, is missing", old->name,
          old->factory);
    else
      g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
          "%s stands where %s was at the checkpoint", GST_OBJECT_NAME (element),
          old->factory);
    return FALSE;
  }
  settings = describe (element, parts, error);
  if (settings == NULL)
    return FALSE;
  same = strcmp (old->settings, settings) == 0;
  if (!same)
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "%s has other settings than at the checkpoint: \"%s\", not \"%s\"",
        GST_OBJECT_NAME (element), settings, old->settings);
  g_free (settings);
  return same;
}

gboolean
gst_eeg_checkpointer_compare (const EegCheckpoint *checkpoint,
    GPtrArray *stages, gboolean parts, GError **error)
{
  gsize n = count_stages (checkpoint), i;

  /* before the first barrier nothing was made that depends on them */
  if (n == 0)
    return TRUE;
  for (i = 0; i < MAX (n, stages->len); i++)
    if (!compare_stage (i < n ? &checkpoint->stages[i] : NULL,
            i < stages->len ? g_ptr_array_index (stages, i) : NULL, parts,
            error))
      return FALSE;
  if (strcmp (checkpoint->cpu_path, get_cpu_path (stages)) != 0) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "samples were computed by instructions of \"%s\", now it would be "
        "\"%s\", whose results may differ in the last bit",
        checkpoint->cpu_path, get_cpu_path (stages));
    return FALSE;
  }
  return TRUE;
}

gboolean
gst_eeg_checkpointer_restore (const EegCheckpoint *checkpoint,
    GPtrArray *stages, gboolean at_end, GError **error)
{
  gsize i;

  for (i = 0; i < count_stages (checkpoint); i++) {
    const EegCheckpointStage *saved = &checkpoint->stages[i];
    GstElement *element = g_ptr_array_index (stages, i);
    GstEegStage *stage;
    GBytes *state;
    gboolean ok;

    if (!GST_IS_EEG_STAGE (element))
      continue;
    stage = GST_EEG_STAGE (element);
    /* behind the end of the last part, what ends parts has nothing to begin */
    if (at_end
        && (saved->state_size == 0
            || gst_eeg_stage_get_part_support (stage)
                >= GST_EEG_PART_SUPPORT_ENDS))
      continue;
    state = g_bytes_new (saved->state, saved->state_size);
    ok = gst_eeg_stage_restore_state (stage, state, error);
    g_bytes_unref (state);
    if (!ok)
      return FALSE;
  }
  return TRUE;
}
