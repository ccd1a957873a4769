/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsteeginspector.h"

#include <string.h>

/* Frames of the longest window. */
#define MAX_WINDOW G_MAXINT32

/* A saved state: the magic, the index of the sample from which windows are
 * counted, their duration. */
#define STATE_SIZE 24

enum
{
  PROP_0,
  PROP_WINDOW,
  PROP_ENABLED
};

typedef struct
{
  /* object lock */
  gsize look_back;

  gint switched; /* atomic: `enabled` was set since the last run began */

  /* streaming thread */
  GstClockTime active;
  gsize length;     /* frames of a window */
  gboolean running; /* a run has begun */
  guint64 anchor;   /* index from which windows are counted */
  guint64 position; /* index of the next sample */
  guint64 first;    /* index of the first sample of the window under way */
  GstBuffer *output;
} GstEegInspectorPrivate;

/* Locking: as the base class says. The object lock guards what the struct says,
 * inside the lock of the settings. */

static void gst_eeg_inspector_stage_init (GstEegStageInterface *iface);

G_DEFINE_ABSTRACT_TYPE_WITH_CODE (GstEegInspector, gst_eeg_inspector,
    GST_TYPE_EEG_FILTER,
    G_ADD_PRIVATE (GstEegInspector) G_IMPLEMENT_INTERFACE (GST_TYPE_EEG_STAGE,
        gst_eeg_inspector_stage_init))

#define PRIVATE(self)                                                          \
  ((GstEegInspectorPrivate *) gst_eeg_inspector_get_instance_private (         \
      (GstEegInspector *) self))

/* ---- settings ---- */

static gboolean
find_window (GstClockTime window, const GstEegInfo *info, gsize *frames,
    GError **error)
{
  guint64 length = 0;

  if (window != GST_CLOCK_TIME_NONE)
    length = gst_eeg_info_time_to_samples (info, window);
  if (length >= 2 && length <= MAX_WINDOW) {
    *frames = length;
    return TRUE;
  }
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
      "A window of %" GST_TIME_FORMAT " is no good at %d/%d Hz: it must have "
      "between 2 and %d samples.",
      GST_TIME_ARGS (window), info->rate_n, info->rate_d, MAX_WINDOW);
  return FALSE;
}

static gboolean
gst_eeg_inspector_apply_settings (GstEegFilter *filter, gconstpointer settings,
    const GstEegInfo *info, GError **error)
{
  const GstEegInspectorSettings *common = settings;
  gsize window = 0;

  if (info != NULL && !find_window (common->window, info, &window, error))
    return FALSE;
  return GST_EEG_INSPECTOR_GET_CLASS (filter)->check (settings, info, window,
      error);
}

/* ---- state ---- */

static guint64
gst_eeg_inspector_look_back (GstEegStage *stage)
{
  guint64 look_back;

  GST_OBJECT_LOCK (stage);
  look_back = PRIVATE (stage)->look_back;
  GST_OBJECT_UNLOCK (stage);
  return look_back;
}

static void
gst_eeg_inspector_stage_init (GstEegStageInterface *iface)
{
  iface->look_back = gst_eeg_inspector_look_back;
}

/* ---- samples ---- */

static void
set_length (GstEegInspector *self, gsize length)
{
  PRIVATE (self)->length = length;
  GST_OBJECT_LOCK (self);
  PRIVATE (self)->look_back = length > 0 ? length - 1 : 0;
  GST_OBJECT_UNLOCK (self);
}

static gboolean
gst_eeg_inspector_set_info (GstEegFilter *filter, const GstEegInfo *in_info,
    const GstEegInfo *out_info, GError **error)
{
  GstEegInspector *self = GST_EEG_INSPECTOR (filter);
  GstEegInspectorPrivate *priv = PRIVATE (self);
  GstEegInspectorSettings *settings;
  gsize length = 0;

  /* the subclass takes over its own */
  settings = g_malloc0 (GST_EEG_FILTER_GET_CLASS (self)->settings_size);
  gst_eeg_filter_get_active_settings (filter, settings);
  priv->active = settings->window;
  g_free (settings);
  set_length (self, 0);
  if (!find_window (priv->active, in_info, &length, error)
      || !GST_EEG_INSPECTOR_GET_CLASS (self)->set_up (self, in_info, length,
          error))
    return FALSE;
  set_length (self, length);
  return TRUE;
}

static void
gst_eeg_inspector_reset (GstEegFilter *filter)
{
  GstEegInspectorPrivate *priv = PRIVATE (filter);

  priv->running = FALSE;
  gst_clear_buffer (&priv->output);
}

/* Frames from a sample to the end of its window. */
static guint64
find_rest (GstEegInspectorPrivate *priv, guint64 index)
{
  if (index < priv->anchor)
    return MIN (priv->anchor - index, priv->length);
  return priv->length - (index - priv->anchor) % priv->length;
}

/* Windows are counted from `anchor`; the buffer is NULL where a run goes on. */
static void
begin_run (GstEegInspector *self, GstBuffer *buffer, guint64 index,
    guint64 anchor)
{
  GstEegInspectorPrivate *priv = PRIVATE (self);
  GstEegInspectorClass *klass = GST_EEG_INSPECTOR_GET_CLASS (self);
  gboolean was_off = g_atomic_int_and ((guint *) &priv->switched, 0) != 0;

  priv->anchor = anchor;
  priv->position = priv->first = index;
  priv->running = TRUE;
  if (klass->begin_run != NULL)
    klass->begin_run (self, buffer, index, was_off);
  klass->start_window (self, index);
}

static void
look_at (GstEegInspector *self, const guint8 *data, gsize frames, gsize bpf)
{
  GstEegInspectorPrivate *priv = PRIVATE (self);
  GstEegInspectorClass *klass = GST_EEG_INSPECTOR_GET_CLASS (self);

  while (frames > 0) {
    guint64 rest = find_rest (priv, priv->position);
    gsize now = MIN (rest, frames);

    klass->add (self, data, now);
    data += now * bpf;
    frames -= now;
    priv->position += now;
    if (now == rest) {
      gsize length = priv->position - priv->first;

      klass->end_window (self, priv->first, length, length == priv->length);
      priv->first = priv->position;
      klass->start_window (self, priv->first);
    }
  }
}

static GstFlowReturn
gst_eeg_inspector_take_buffer (GstEegFilter *filter, GstBuffer *buffer,
    guint64 index)
{
  GstEegInspector *self = GST_EEG_INSPECTOR (filter);
  GstEegInspectorPrivate *priv = PRIVATE (self);
  const gsize bpf = gst_eeg_filter_get_in_info (filter)->bytes_per_frame;
  GstFlowReturn ret;
  GstMapInfo map;
  gsize frames;

  if (!priv->running)
    begin_run (self, buffer, index, index);
  if (!gst_buffer_map (buffer, &map, GST_MAP_READ)) {
    gst_buffer_unref (buffer);
    GST_ELEMENT_ERROR (self, RESOURCE, FAILED, ("Could not map a buffer."),
        (NULL));
    return GST_FLOW_ERROR;
  }
  frames = map.size / bpf;
  look_at (self, map.data, frames, bpf);
  gst_buffer_unmap (buffer, &map);
  ret =
      GST_EEG_INSPECTOR_GET_CLASS (self)->finish (self, &buffer, index, frames);
  priv->output = buffer;
  return ret;
}

static GstFlowReturn
gst_eeg_inspector_give_buffer (GstEegFilter *filter, gboolean is_end,
    GstBuffer **buffer)
{
  *buffer = g_steal_pointer (&PRIVATE (filter)->output);
  return GST_FLOW_OK;
}

/* ---- checkpoints ---- */

/* A barrier leaves behind the last window of which something came before it:
 * its samples pass, and what is found in it is said, once. */
static guint64
gst_eeg_inspector_get_look_back (GstEegFilter *filter)
{
  GstEegInspectorPrivate *priv = PRIVATE (filter);
  GstEegInspectorClass *klass = GST_EEG_INSPECTOR_GET_CLASS (filter);
  guint64 margin = 0, rest;

  if (!priv->running)
    return 0;
  if (klass->get_margin != NULL)
    margin = klass->get_margin (GST_EEG_INSPECTOR (filter));
  rest = find_rest (priv, priv->position + margin);
  return margin + (rest < priv->length ? rest : 0);
}

static gboolean
gst_eeg_inspector_save (GstEegFilter *filter, GByteArray *to, GError **error)
{
  GstEegInspectorPrivate *priv = PRIVATE (filter);
  guint8 data[STATE_SIZE];

  memcpy (data, GST_EEG_INSPECTOR_GET_CLASS (filter)->state_magic, 8);
  GST_WRITE_UINT64_LE (data + 8, priv->anchor);
  GST_WRITE_UINT64_LE (data + 16, priv->active);
  g_byte_array_append (to, data, sizeof data);
  return TRUE;
}

static gboolean
gst_eeg_inspector_resume (GstEegFilter *filter, guint64 index,
    const guint8 *data, gsize size, guint64 *first, GError **error)
{
  GstEegInspectorPrivate *priv = PRIVATE (filter);

  if (size != STATE_SIZE
      || memcmp (data, GST_EEG_INSPECTOR_GET_CLASS (filter)->state_magic, 8)
          != 0
      || GST_READ_UINT64_LE (data + 16) != priv->active) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "The saved state is that of other windows.");
    return FALSE;
  }
  begin_run (GST_EEG_INSPECTOR (filter), NULL, index,
      GST_READ_UINT64_LE (data + 8));
  *first = index;
  return TRUE;
}

static gboolean
gst_eeg_inspector_stop (GstBaseTransform *trans)
{
  GstEegInspector *self = GST_EEG_INSPECTOR (trans);
  gboolean ret =
      GST_BASE_TRANSFORM_CLASS (gst_eeg_inspector_parent_class)->stop (trans);

  set_length (self, 0);
  return ret;
}

/* ---- properties ---- */

static void
gst_eeg_inspector_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstEegInspectorSettings *settings =
      gst_eeg_filter_peek_settings (GST_EEG_FILTER (object));

  switch (id) {
    case PROP_WINDOW:
      GST_OBJECT_LOCK (object);
      settings->window = g_value_get_uint64 (value);
      GST_OBJECT_UNLOCK (object);
      break;
    case PROP_ENABLED:
      g_atomic_int_set (&PRIVATE (object)->switched, 1);
      gst_eeg_filter_set_enabled (GST_EEG_FILTER (object),
          g_value_get_boolean (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
}

static void
gst_eeg_inspector_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstEegInspectorSettings *settings =
      gst_eeg_filter_peek_settings (GST_EEG_FILTER (object));

  switch (id) {
    case PROP_WINDOW:
      GST_OBJECT_LOCK (object);
      g_value_set_uint64 (value, settings->window);
      GST_OBJECT_UNLOCK (object);
      break;
    case PROP_ENABLED:
      g_value_set_boolean (value,
          gst_eeg_filter_get_enabled (GST_EEG_FILTER (object)));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
}

static void
gst_eeg_inspector_class_init (GstEegInspectorClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);
  GstEegFilterClass *filter_class = GST_EEG_FILTER_CLASS (klass);

  object_class->set_property = gst_eeg_inspector_set_property;
  object_class->get_property = gst_eeg_inspector_get_property;

  /**
   * GstEegInspector:window:
   *
   * Rounded to whole samples, 2 to 2147483647 of them. Windows are counted from
   * where a run of samples begins, and do not overlap.
   */
  gst_eeg_filter_class_install_setting (filter_class, PROP_WINDOW,
      g_param_spec_uint64 ("window", "Window",
          "Duration of a window in nanoseconds, from two samples on", 0,
          G_MAXUINT64, GST_EEG_INSPECTOR_DEFAULT_WINDOW,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_PLAYING));
  gst_eeg_filter_class_install_enabled (filter_class, PROP_ENABLED);

  trans_class->stop = gst_eeg_inspector_stop;
  filter_class->kind = GST_EEG_STAGE_KIND_INSPECTION;
  filter_class->settings_renegotiate = TRUE;
  filter_class->apply_settings = gst_eeg_inspector_apply_settings;
  filter_class->set_info = gst_eeg_inspector_set_info;
  filter_class->reset = gst_eeg_inspector_reset;
  filter_class->take_buffer = gst_eeg_inspector_take_buffer;
  filter_class->give_buffer = gst_eeg_inspector_give_buffer;
  filter_class->takes_part = TRUE;
  filter_class->get_look_back = gst_eeg_inspector_get_look_back;
  filter_class->save = gst_eeg_inspector_save;
  filter_class->resume = gst_eeg_inspector_resume;

  gst_type_mark_as_plugin_api (GST_TYPE_EEG_INSPECTOR, 0);
}

static void
gst_eeg_inspector_init (GstEegInspector *self)
{
}
