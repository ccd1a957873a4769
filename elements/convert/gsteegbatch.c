/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-eegbatch
 * @title: eegbatch
 * @short_description: buffers of another size
 *
 * Cuts a stream into buffers of so many samples, or of so long a time, however
 * it came. A piece that lies within one buffer shares its memory; only a piece
 * that several buffers contribute to is copied, once. Buffer lists become
 * buffers.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 eegsrc num-samples=10000 ! eegbatch samples=256 ! fakesink
 * ]|
 *
 * Takes every format of `application/x-eeg-raw`, counts and voltages; caps do
 * not change. Pieces are counted from where a run of samples begins. What is
 * held goes out as a shorter piece before a gap, a new segment, new caps and
 * EOS; a flush drops it. A piece waits for its last sample: its length less one
 * sample is reported as latency. A piece of GAP buffers only is one itself.
 *
 * Every property can be changed while playing: before the next buffer what is
 * held goes out as a shorter piece, and pieces of the new size begin. What
 * cannot be met is refused with a warning, and all properties stay as they
 * were.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsteegbatch.h"

#include <string.h>

#define GST_CAT_DEFAULT gst_eeg_batch_debug
GST_DEBUG_CATEGORY_STATIC (GST_CAT_DEFAULT);

#define DEFAULT_SAMPLES 0
#define DEFAULT_DURATION 0

/* Bytes of the largest piece. */
#define MAX_BYTES G_MAXINT32

/* A saved state: these bytes (the last one is the version), the index of the
 * sample from which pieces are counted, and the two settings. */
static const guint8 state_magic[8] = { 'e', 'e', 'g', '-', 'b', 'a', 't', 1 };
#define STATE_SIZE 32

enum
{
  PROP_0,
  PROP_SAMPLES,
  PROP_DURATION,
  PROP_ENABLED
};

typedef struct
{
  guint samples;
  GstClockTime duration;
} Settings;

struct _GstEegBatch
{
  GstEegFilter parent;

  /* object lock */
  guint64 longest; /* frames of the longest piece, 0 without any */
  gsize memory;

  /* streaming thread */
  Settings active;
  guint64 most;         /* frames of the longest piece, 0: all as they come */
  gboolean running;     /* a run has begun */
  guint64 anchor;       /* index from which pieces are counted */
  guint64 position;     /* index of the next sample to be given */
  GstBuffer *input;     /* what was taken, until all of it was given */
  gsize input_frames;   /* in it */
  gsize input_done;     /* of these given */
  GstBuffer *partial;   /* of several buffers, until it is full */
  gsize partial_frames; /* in it */
  gboolean is_gap;      /* partial holds nothing but gaps */
};

/* Locking: as the base class says. The object lock guards what the struct says,
 * inside the lock of the settings. */

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS (
        GST_EEG_RAW_CAPS_MAKE (GST_EEG_FORMATS_ALL, "{ counts, voltage }")));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS (
        GST_EEG_RAW_CAPS_MAKE (GST_EEG_FORMATS_ALL, "{ counts, voltage }")));

static void gst_eeg_batch_stage_init (GstEegStageInterface *iface);

G_DEFINE_TYPE_WITH_CODE (GstEegBatch, gst_eeg_batch, GST_TYPE_EEG_FILTER,
    G_IMPLEMENT_INTERFACE (GST_TYPE_EEG_STAGE, gst_eeg_batch_stage_init)
        GST_DEBUG_CATEGORY_INIT (GST_CAT_DEFAULT, "eegbatch", 0,
            "EEG buffers of another size"))
GST_ELEMENT_REGISTER_DEFINE (eegbatch, "eegbatch", GST_RANK_NONE,
    GST_TYPE_EEG_BATCH)

/* ---- settings ---- */

/* Frames until the k-th piece of a duration ends. */
static guint64
frames_until (const GstEegInfo *info, GstClockTime duration, guint64 k)
{
  if (duration > G_MAXUINT64 / MAX (k, 1))
    return G_MAXUINT64;
  return gst_util_uint64_scale_ceil (k * duration, info->rate_n,
      (guint64) info->rate_d * GST_SECOND);
}

/* Frames of the longest piece, 0 where buffers stay as they are; FALSE if it is
 * too long. */
static gboolean
find_longest (const Settings *settings, const GstEegInfo *info,
    guint64 *longest, GError **error)
{
  *longest = settings->samples;
  if (settings->samples == 0 && settings->duration > 0)
    *longest = frames_until (info, settings->duration, 1);
  if (*longest <= MAX_BYTES / info->bytes_per_frame)
    return TRUE;
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
      "A piece would have more than %d bytes: at most %" G_GSIZE_FORMAT
      " samples of %d channels.",
      MAX_BYTES, MAX_BYTES / info->bytes_per_frame, info->channels);
  return FALSE;
}

static gboolean
gst_eeg_batch_apply_settings (GstEegFilter *filter, gconstpointer settings,
    const GstEegInfo *info, GError **error)
{
  guint64 longest;

  return info == NULL || find_longest (settings, info, &longest, error);
}

/* ---- state ---- */

static gboolean
gst_eeg_batch_save (GstEegFilter *filter, GByteArray *to, GError **error)
{
  GstEegBatch *self = GST_EEG_BATCH (filter);
  guint8 data[STATE_SIZE];

  memcpy (data, state_magic, sizeof state_magic);
  GST_WRITE_UINT64_LE (data + 8, self->anchor);
  GST_WRITE_UINT64_LE (data + 16, self->active.samples);
  GST_WRITE_UINT64_LE (data + 24, self->active.duration);
  g_byte_array_append (to, data, sizeof data);
  return TRUE;
}

/* Pieces are counted as they were; what lies between here and the end of the
 * one that was under way was given. */
static gboolean
gst_eeg_batch_resume (GstEegFilter *filter, guint64 index, const guint8 *data,
    gsize size, guint64 *first, GError **error)
{
  GstEegBatch *self = GST_EEG_BATCH (filter);

  if (size != STATE_SIZE || memcmp (data, state_magic, sizeof state_magic) != 0
      || GST_READ_UINT64_LE (data + 16) != self->active.samples
      || GST_READ_UINT64_LE (data + 24) != self->active.duration) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "The saved state is that of pieces of another size.");
    return FALSE;
  }
  self->anchor = GST_READ_UINT64_LE (data + 8);
  self->position = *first = index;
  self->running = TRUE;
  return TRUE;
}

/* A barrier leaves behind the piece in which it came. */
static guint64
gst_eeg_batch_get_look_back (GstEegFilter *filter)
{
  return 0;
}

static guint64
gst_eeg_batch_look_back (GstEegStage *stage)
{
  GstEegBatch *self = GST_EEG_BATCH (stage);
  guint64 longest;

  GST_OBJECT_LOCK (self);
  longest = self->longest;
  GST_OBJECT_UNLOCK (self);
  return longest > 0 ? longest - 1 : 0;
}

static void
gst_eeg_batch_stage_init (GstEegStageInterface *iface)
{
  iface->look_back = gst_eeg_batch_look_back;
}

/* ---- samples ---- */

static void
set_longest (GstEegBatch *self, guint64 longest, gsize bytes_per_frame)
{
  self->most = longest;
  GST_OBJECT_LOCK (self);
  self->longest = longest;
  self->memory = longest * bytes_per_frame;
  GST_OBJECT_UNLOCK (self);
}

static gboolean
gst_eeg_batch_set_info (GstEegFilter *filter, const GstEegInfo *in_info,
    const GstEegInfo *out_info, GError **error)
{
  GstEegBatch *self = GST_EEG_BATCH (filter);
  guint64 longest;

  gst_eeg_filter_get_active_settings (filter, &self->active);
  set_longest (self, 0, 0);
  if (!find_longest (&self->active, in_info, &longest, error))
    return FALSE;
  set_longest (self, longest, in_info->bytes_per_frame);
  return TRUE;
}

static void
gst_eeg_batch_reset (GstEegFilter *filter)
{
  GstEegBatch *self = GST_EEG_BATCH (filter);

  self->running = FALSE;
  gst_clear_buffer (&self->input);
  gst_clear_buffer (&self->partial);
  self->partial_frames = 0;
}

/* Frames from the first one of a run to the next end of a piece behind `done`
 * of them. */
static guint64
next_end (GstEegBatch *self, const GstEegInfo *info, guint64 done)
{
  const GstClockTime duration = self->active.duration;
  guint64 k, end;

  if (self->active.samples > 0 || self->most == 1)
    return (done / self->most + 1) * self->most;
  k = gst_eeg_info_samples_to_time (info, done);
  if (k == GST_CLOCK_TIME_NONE)
    return done + self->most;
  /* a little off where a nanosecond was rounded away */
  k /= duration;
  while (k > 0 && frames_until (info, duration, k) > done)
    k--;
  do
    end = frames_until (info, duration, ++k);
  while (end <= done);
  return MIN (end, done + self->most);
}

/* Frames that the piece that begins at the position shall have. */
static guint64
find_length (GstEegBatch *self, const GstEegInfo *info, guint64 begin)
{
  if (begin < self->anchor)
    return MIN (self->anchor - begin, self->most);
  return next_end (self, info, begin - self->anchor) - (begin - self->anchor);
}

static GstFlowReturn
gst_eeg_batch_take_buffer (GstEegFilter *filter, GstBuffer *buffer,
    guint64 index)
{
  GstEegBatch *self = GST_EEG_BATCH (filter);
  const GstEegInfo *info = gst_eeg_filter_get_in_info (filter);

  if (!self->running) {
    self->anchor = self->position = index;
    self->running = TRUE;
  }
  self->input = buffer;
  self->input_frames = gst_buffer_get_size (buffer) / info->bytes_per_frame;
  self->input_done = 0;
  return GST_FLOW_OK;
}

/* Copies the metas of the input that belong to `frames` frames of it, those
 * that come next. A marker goes to the piece that holds its time; what lies
 * before the input to its first piece, what lies behind it to the last one. */
static void
copy_metas (GstEegBatch *self, const GstEegInfo *info, GstBuffer *piece,
    gsize frames)
{
  const gboolean is_first = self->input_done == 0;
  const gboolean is_last = self->input_done + frames == self->input_frames;
  const GstClockTime begin =
      gst_eeg_info_samples_to_time (info, self->position);
  const GstClockTime end =
      gst_eeg_info_samples_to_time (info, self->position + frames);
  GstMetaTransformCopy copy = { .region = !is_first || !is_last,
    .offset = self->input_done * info->bytes_per_frame,
    .size = frames * info->bytes_per_frame };
  GstMeta *meta;
  gpointer state = NULL;

  while ((meta = gst_buffer_iterate_meta (self->input, &state)) != NULL) {
    if (meta->info->api == GST_EEG_MARKER_META_API_TYPE) {
      const GstEegMarkerMeta *marker = (const GstEegMarkerMeta *) meta;

      if ((is_first || marker->time >= begin)
          && (is_last || marker->time < end))
        gst_buffer_add_eeg_marker_meta (piece, marker->time, marker->duration,
            marker->text);
    } else if (meta->info->transform_func != NULL
        && !gst_meta_api_type_has_tag (meta->info->api,
            g_quark_from_static_string (GST_META_TAG_MEMORY_STR))) {
      meta->info->transform_func (piece, meta, self->input,
          _gst_meta_transform_copy, &copy);
    }
  }
}

/* The next `frames` frames of the input, in its own memory. */
static GstBuffer *
share_piece (GstEegBatch *self, const GstEegInfo *info, gsize frames)
{
  GstBuffer *piece;

  if (frames == self->input_frames) {
    piece = g_steal_pointer (&self->input);
  } else {
    piece = gst_buffer_copy_region (self->input,
        GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_MEMORY,
        self->input_done * info->bytes_per_frame,
        frames * info->bytes_per_frame);
    copy_metas (self, info, piece, frames);
  }
  self->input_done += frames;
  self->position += frames;
  return piece;
}

/* Adds the next `frames` frames of the input to the piece under way. */
static GstFlowReturn
copy_frames (GstEegBatch *self, const GstEegInfo *info, gsize frames)
{
  const gsize bpf = info->bytes_per_frame;
  GstFlowReturn ret;
  GstMapInfo map;

  if (self->partial == NULL) {
    ret = gst_eeg_filter_acquire_buffer (GST_EEG_FILTER (self),
        self->most * bpf, &self->partial);
    if (ret != GST_FLOW_OK)
      return ret;
    self->partial_frames = 0;
    self->is_gap = TRUE;
  }
  if (!gst_buffer_map (self->partial, &map, GST_MAP_WRITE)) {
    GST_ELEMENT_ERROR (self, RESOURCE, FAILED, ("Could not map a buffer."),
        (NULL));
    return GST_FLOW_ERROR;
  }
  gst_buffer_extract (self->input, self->input_done * bpf,
      map.data + self->partial_frames * bpf, frames * bpf);
  gst_buffer_unmap (self->partial, &map);
  copy_metas (self, info, self->partial, frames);
  if (frames > 0)
    self->is_gap &=
        GST_BUFFER_FLAG_IS_SET (self->input, GST_BUFFER_FLAG_GAP) != 0;
  if (GST_BUFFER_FLAG_IS_SET (self->input, GST_BUFFER_FLAG_CORRUPTED))
    GST_BUFFER_FLAG_SET (self->partial, GST_BUFFER_FLAG_CORRUPTED);
  self->partial_frames += frames;
  self->input_done += frames;
  self->position += frames;
  return GST_FLOW_OK;
}

static GstBuffer *
finish_partial (GstEegBatch *self, const GstEegInfo *info)
{
  GstBuffer *piece = g_steal_pointer (&self->partial);

  gst_buffer_set_size (piece, self->partial_frames * info->bytes_per_frame);
  if (self->is_gap && self->partial_frames > 0)
    GST_BUFFER_FLAG_SET (piece, GST_BUFFER_FLAG_GAP);
  self->partial_frames = 0;
  return piece;
}

static GstFlowReturn
gst_eeg_batch_give_buffer (GstEegFilter *filter, gboolean is_end,
    GstBuffer **buffer)
{
  GstEegBatch *self = GST_EEG_BATCH (filter);
  const GstEegInfo *info = gst_eeg_filter_get_in_info (filter);
  const gsize left =
      self->input != NULL ? self->input_frames - self->input_done : 0;
  guint64 length;
  GstFlowReturn ret;

  *buffer = NULL;
  if (self->input != NULL && self->most == 0) {
    *buffer = share_piece (self, info, left);
    return GST_FLOW_OK;
  }
  if (left > 0) {
    length = find_length (self, info, self->position - self->partial_frames);
    if (self->partial == NULL && length <= left) {
      *buffer = share_piece (self, info, length);
    } else {
      length -= self->partial_frames;
      ret = copy_frames (self, info, MIN (length, left));
      if (ret != GST_FLOW_OK)
        return ret;
      if (length <= left)
        *buffer = finish_partial (self, info);
    }
  } else if (self->input != NULL && self->input_frames == 0
      && gst_buffer_get_n_meta (self->input, GST_EEG_MARKER_META_API_TYPE)
          > 0) {
    /* markers without samples go with what comes next */
    ret = copy_frames (self, info, 0);
    if (ret != GST_FLOW_OK)
      return ret;
  }
  if (self->input != NULL && self->input_done == self->input_frames)
    gst_clear_buffer (&self->input);
  if (is_end && *buffer == NULL && self->partial != NULL)
    *buffer = finish_partial (self, info);
  return GST_FLOW_OK;
}

static gsize
gst_eeg_batch_get_delay (GstEegFilter *filter)
{
  const guint64 most = GST_EEG_BATCH (filter)->most;

  return most > 0 ? most - 1 : 0;
}

static gsize
gst_eeg_batch_get_memory (GstEegFilter *filter)
{
  GstEegBatch *self = GST_EEG_BATCH (filter);
  gsize memory;

  GST_OBJECT_LOCK (self);
  memory = self->memory;
  GST_OBJECT_UNLOCK (self);
  return memory;
}

static gboolean
gst_eeg_batch_stop (GstBaseTransform *trans)
{
  GstEegBatch *self = GST_EEG_BATCH (trans);
  gboolean ret =
      GST_BASE_TRANSFORM_CLASS (gst_eeg_batch_parent_class)->stop (trans);

  set_longest (self, 0, 0);
  return ret;
}

/* ---- properties ---- */

static void
gst_eeg_batch_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstEegBatch *self = GST_EEG_BATCH (object);
  Settings *settings = gst_eeg_filter_peek_settings (GST_EEG_FILTER (object));

  switch (id) {
    case PROP_SAMPLES:
      GST_OBJECT_LOCK (self);
      settings->samples = g_value_get_uint (value);
      GST_OBJECT_UNLOCK (self);
      break;
    case PROP_DURATION:
      GST_OBJECT_LOCK (self);
      settings->duration = g_value_get_uint64 (value);
      GST_OBJECT_UNLOCK (self);
      break;
    case PROP_ENABLED:
      gst_eeg_filter_set_enabled (GST_EEG_FILTER (self),
          g_value_get_boolean (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
}

static void
gst_eeg_batch_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstEegBatch *self = GST_EEG_BATCH (object);
  Settings *settings = gst_eeg_filter_peek_settings (GST_EEG_FILTER (object));

  switch (id) {
    case PROP_SAMPLES:
      GST_OBJECT_LOCK (self);
      g_value_set_uint (value, settings->samples);
      GST_OBJECT_UNLOCK (self);
      break;
    case PROP_DURATION:
      GST_OBJECT_LOCK (self);
      g_value_set_uint64 (value, settings->duration);
      GST_OBJECT_UNLOCK (self);
      break;
    case PROP_ENABLED:
      g_value_set_boolean (value,
          gst_eeg_filter_get_enabled (GST_EEG_FILTER (self)));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
}

static void
gst_eeg_batch_class_init (GstEegBatchClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);
  GstEegFilterClass *filter_class = GST_EEG_FILTER_CLASS (klass);
  const GParamFlags hot =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;

  object_class->set_property = gst_eeg_batch_set_property;
  object_class->get_property = gst_eeg_batch_get_property;

  gst_eeg_filter_class_install_setting (filter_class, PROP_SAMPLES,
      g_param_spec_uint ("samples", "Samples",
          "Samples per channel in each buffer; 0 = as duration says. A buffer "
          "has 2147483647 bytes at most",
          0, G_MAXUINT, DEFAULT_SAMPLES, hot));
  /**
   * GstEegBatch:duration:
   *
   * Piece k of a run ends with the last sample that lies before k times this,
   * counted from the first sample of the run. Where that is no whole number of
   * samples, lengths differ by one and nothing adds up. No piece is empty.
   */
  gst_eeg_filter_class_install_setting (filter_class, PROP_DURATION,
      g_param_spec_uint64 ("duration", "Duration",
          "Duration of each buffer in nanoseconds, where samples is 0; 0 = "
          "buffers stay as they are",
          0, G_MAXUINT64, DEFAULT_DURATION, hot));
  gst_eeg_filter_class_install_enabled (filter_class, PROP_ENABLED);

  gst_element_class_set_static_metadata (element_class, "EEG batches",
      "Filter/Converter",
      "Cuts EEG into buffers of a number of samples or of a duration",
      "gst-plugins-eeg developers");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);

  trans_class->stop = gst_eeg_batch_stop;
  filter_class->settings_size = sizeof (Settings);
  filter_class->settings_renegotiate = TRUE;
  filter_class->apply_settings = gst_eeg_batch_apply_settings;
  filter_class->set_info = gst_eeg_batch_set_info;
  filter_class->reset = gst_eeg_batch_reset;
  filter_class->take_buffer = gst_eeg_batch_take_buffer;
  filter_class->takes_part = TRUE;
  filter_class->whole_buffers = TRUE;
  filter_class->get_look_back = gst_eeg_batch_get_look_back;
  filter_class->save = gst_eeg_batch_save;
  filter_class->resume = gst_eeg_batch_resume;
  filter_class->give_buffer = gst_eeg_batch_give_buffer;
  filter_class->get_delay = gst_eeg_batch_get_delay;
  filter_class->get_memory = gst_eeg_batch_get_memory;
}

static void
gst_eeg_batch_init (GstEegBatch *self)
{
  self->active =
      (Settings){ .samples = DEFAULT_SAMPLES, .duration = DEFAULT_DURATION };
  gst_eeg_filter_init_settings (GST_EEG_FILTER (self), &self->active);
}
