/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:gsteegfilter
 * @title: GstEegFilter
 * @short_description: base class of the stages that turn samples into samples
 *
 * A subclass says what comes out for what goes in; this class does the rest:
 *
 * - Time stamps and offsets come from the sample counter. A delay is taken out
 *   of them: output sample n is about input sample n.
 * - Where frames keep their size and the memory is writable, the same buffer
 *   and memory go on; else output comes from a pool of slabs.
 * - Offsets of buffers count samples in `application/x-eeg-raw` only; on a sink
 *   pad with other caps the index comes from time stamps.
 * - A run of samples ends at a DISCONT flag, a jump of the offset, a gap, a new
 *   segment, stream or caps, and at the end. What the subclass holds is drained
 *   then, before what ends the run goes on. A flush drops it.
 * - Markers stay on their buffer; those of a buffer that is swallowed move to
 *   the next one.
 * - A barrier leaves before the first output that depends on nothing before it
 *   (#GstEegFilterClass.get_look_back). A filter that goes on from there gets
 *   the samples behind the place where the barrier came in, and throws away
 *   what it gives before the place where it left.
 * - A delay is reported as latency, and a LATENCY message is posted once each
 *   time it changes.
 * - Properties that are settings are taken over together after each
 *   g_object_set(). Those that cannot be met are refused with a warning once it
 *   is known what comes in, and all of them stay as they were.
 *
 * Locking: the settings lock, taken by setters and when caps arrive, makes
 * designs follow each other and guards #GstEegFilterPrivate.known. The object
 * lock is taken inside it and guards .enabled, .delay, .live_info, .restore
 * and the settings; .renegotiate is atomic; everything else belongs to the
 * streaming thread. Nothing is pushed or posted and no buffer or object is
 * unreffed under either.
 */
#include "gsteegfilter.h"

#include <string.h>
#include <time.h>

#include "gsteegallocator.h"
#include "gsteegbarrier.h"
#include "gsteegevent.h"
#include "gsteegmarkermeta.h"
#include "gsteegstatistics.h"

#define GST_CAT_DEFAULT gst_eeg_filter_debug
GST_DEBUG_CATEGORY_STATIC (GST_CAT_DEFAULT);
GST_DEBUG_CATEGORY_STATIC (performance_debug);

/* What is drained leaves in buffers of about this size. */
#define DRAIN_BYTES (1 << 20)

/* A saved state: u8 version, u8 flags, 6 bytes 0, then (little-endian) u64
 * index behind the last input sample before the barrier, and of the first
 * output sample behind it, 0 if no run was under way; what the subclass
 * saved. */
#define STATE_VERSION 1
#define STATE_SIZE 24
#define STATE_RUNNING 1

enum
{
  PROP_0,
  PROP_STATS,
};

/* A barrier that came in and did not leave yet */
typedef struct
{
  GstEvent *event;
  guint64 in;  /* index of the first input sample behind it */
  guint64 due; /* of the first output that depends on nothing before that */
  guint64 out; /* of the first output behind it, once it leaves */
  GByteArray *state; /* what the subclass saved; NULL: no run was under way */
} Held;

typedef struct
{
  /* object lock */
  gboolean enabled;
  gsize delay;          /* frames, as reported */
  GstEegInfo live_info; /* copy of in_info for queries */
  GBytes *restore;      /* to go on from, taken when the first run begins */

  gpointer settings; /* as set */
  gpointer good;     /* as last met, or as at the start */
  gpointer active;   /* what caps were negotiated with */

  GMutex settings_lock;
  GstEegInfo known; /* settings lock; what comes in, without channels before */

  gint announce;    /* atomic: what the recording event says may be another */
  gint renegotiate; /* atomic: other caps may come out from the next buffer */

  /* streaming thread */
  GstEegInfo in_info;
  GstEegInfo out_info;
  gboolean has_offsets;  /* those of the input count samples */
  gboolean refused;      /* the caps, and the error was posted */
  gboolean configured;   /* in_info and out_info are what set_info() took */
  gboolean is_new;       /* settings were taken over that set_info() must see */
  gboolean running;      /* a run has begun */
  gboolean ended;        /* one was drained, and the next may go on from it */
  gboolean was_enabled;  /* what the current run is */
  gboolean need_discont; /* the next output begins a run */
  gboolean giving;       /* give_buffer() may have more */
  guint64 next_in;       /* index expected next */
  guint64 next_out;      /* GST_BUFFER_OFFSET_NONE before the first buffer */
  GstBuffer *markers;    /* carries the metas of swallowed buffers */
  GstEvent *recording;   /* the last one that came */
  GArray *origins;       /* guint: see set_origins(); NULL: in their places */
  gboolean has_announced;
  GQueue held;         /* of Held, as they came */
  const Held *leaving; /* the one whose state is being saved */
  guint64 skip_to;     /* output before this sample was given before */
  guint64 resumed;     /* index behind the last input sample before the barrier
                            from which the filter goes on, NONE without one */
  GstBufferPool *pool;
  gsize pool_size;

  GstEegStageCounters counters;
} GstEegFilterPrivate;

static void gst_eeg_filter_stage_init (GstEegStageInterface *iface);

G_DEFINE_ABSTRACT_TYPE_WITH_CODE (
    GstEegFilter, gst_eeg_filter, GST_TYPE_BASE_TRANSFORM,
    G_ADD_PRIVATE (GstEegFilter) G_IMPLEMENT_INTERFACE (GST_TYPE_EEG_STAGE,
        gst_eeg_filter_stage_init) GST_DEBUG_CATEGORY_INIT (GST_CAT_DEFAULT,
        "eegfilter", 0, "base class of EEG sample stages");
    GST_DEBUG_CATEGORY_GET (performance_debug, "GST_PERFORMANCE"))

#define PRIVATE(self)                                                          \
  ((GstEegFilterPrivate *) gst_eeg_filter_get_instance_private (self))

/* Marks the properties that are settings. */
static GQuark
setting_quark (void)
{
  static gsize quark;

  if (g_once_init_enter (&quark))
    g_once_init_leave (&quark,
        g_quark_from_static_string ("gst-eeg-filter-setting"));
  return quark;
}

static guint64
now_ns (void)
{
  struct timespec t;

  clock_gettime (CLOCK_MONOTONIC, &t);
  return (guint64) t.tv_sec * GST_SECOND + t.tv_nsec;
}

static gboolean
parse_caps (GstEegFilter *self, const GstCaps *caps, GstEegInfo *info)
{
  GstEegFilterClass *klass = GST_EEG_FILTER_GET_CLASS (self);

  if (klass->parse_caps != NULL)
    return klass->parse_caps (self, caps, info);
  return gst_eeg_info_from_caps (info, caps);
}

/* transfer full for error */
static void
post_error (GstEegFilter *self, GError *error)
{
  gst_eeg_stage_count (&PRIVATE (self)->counters.errors, 1);
  gst_element_message_full (GST_ELEMENT (self), GST_MESSAGE_ERROR,
      error->domain, error->code, g_strdup (error->message), NULL, __FILE__,
      GST_FUNCTION, __LINE__);
  g_error_free (error);
}

static void
reset_run (GstEegFilter *self)
{
  GstEegFilterPrivate *priv = PRIVATE (self);
  GstEegFilterClass *klass = GST_EEG_FILTER_GET_CLASS (self);

  priv->running = FALSE;
  priv->giving = FALSE;
  gst_clear_buffer (&priv->markers);
  if (klass->reset != NULL)
    klass->reset (self);
}

static void
held_free (gpointer data)
{
  Held *held = data;

  gst_clear_event (&held->event);
  if (held->state != NULL)
    g_byte_array_unref (held->state);
  g_free (held);
}

static GstBuffer *finish_buffer (GstEegFilter *self, GstBuffer *buffer,
    gsize n_frames);

/* Lets the oldest barrier that is held leave, before an output sample. Markers
 * of what was swallowed go first: nobody would bring them again. */
static void
release_one (GstEegFilter *self, guint64 sample)
{
  GstEegFilterPrivate *priv = PRIVATE (self);
  Held *held = g_queue_pop_head (&priv->held);
  GstEegBarrier *barrier;

  if (priv->markers != NULL && priv->next_out >= priv->skip_to) {
    GstBuffer *buffer = finish_buffer (self, gst_buffer_new (), 0);

    /* what goes wrong shows with the next buffer */
    gst_pad_push (GST_BASE_TRANSFORM_SRC_PAD (self), buffer);
  }
  gst_eeg_event_parse_barrier (held->event, &barrier);
  held->out = sample;
  priv->leaving = held;
  gst_eeg_barrier_add_stage (barrier, GST_EEG_STAGE (self));
  priv->leaving = NULL;
  gst_pad_push_event (GST_BASE_TRANSFORM_SRC_PAD (self),
      g_steal_pointer (&held->event));
  held_free (held);
}

/* Whether a barrier leaves before the output sample. */
static gboolean
is_due (GstEegFilter *self, guint64 sample)
{
  const Held *held = g_queue_peek_head (&PRIVATE (self)->held);

  return held != NULL && held->due <= sample;
}

static void
release_all (GstEegFilter *self, guint64 sample)
{
  while (!g_queue_is_empty (&PRIVATE (self)->held))
    release_one (self, sample);
}

static void
clear_pool (GstEegFilter *self)
{
  GstEegFilterPrivate *priv = PRIVATE (self);

  if (priv->pool != NULL) {
    gst_buffer_pool_set_active (priv->pool, FALSE);
    gst_clear_object (&priv->pool);
  }
  priv->pool_size = 0;
}

/* Publishes the delay that queries report. */
static void
update_delay (GstEegFilter *self)
{
  GstEegFilterPrivate *priv = PRIVATE (self);
  GstEegFilterClass *klass = GST_EEG_FILTER_GET_CLASS (self);
  gsize delay = 0;
  gboolean changed;

  if (priv->was_enabled && klass->get_delay != NULL)
    delay = klass->get_delay (self);

  GST_OBJECT_LOCK (self);
  changed = delay != priv->delay;
  priv->delay = delay;
  GST_OBJECT_UNLOCK (self);

  if (changed) {
    GST_INFO_OBJECT (self, "delay is now %" G_GSIZE_FORMAT " samples", delay);
    gst_element_post_message (GST_ELEMENT (self),
        gst_message_new_latency (GST_OBJECT (self)));
  }
}

static void
copy_settings (GstEegFilter *self, gpointer to, gconstpointer from)
{
  GstEegFilterClass *klass = GST_EEG_FILTER_GET_CLASS (self);

  if (klass->copy_settings != NULL)
    klass->copy_settings (to, from);
  else
    memcpy (to, from, klass->settings_size);
}

static void
free_settings (GstEegFilter *self, gpointer settings)
{
  GstEegFilterClass *klass = GST_EEG_FILTER_GET_CLASS (self);

  if (settings != NULL && klass->clear_settings != NULL)
    klass->clear_settings (settings);
  g_free (settings);
}

/* Applies the settings as set; if they cannot be met, those stay or the good
 * ones come back. */
static gboolean
apply_settings (GstEegFilter *self, const GstEegInfo *info, gboolean come_back,
    GError **error)
{
  GstEegFilterPrivate *priv = PRIVATE (self);
  GstEegFilterClass *klass = GST_EEG_FILTER_GET_CLASS (self);
  gpointer settings = g_malloc0 (klass->settings_size);
  gboolean ok;

  GST_OBJECT_LOCK (self);
  copy_settings (self, settings, priv->settings);
  GST_OBJECT_UNLOCK (self);
  ok = klass->apply_settings (self, settings, info, error);
  GST_OBJECT_LOCK (self);
  if (ok)
    copy_settings (self, priv->good, settings);
  else if (come_back)
    copy_settings (self, priv->settings, priv->good);
  GST_OBJECT_UNLOCK (self);
  free_settings (self, settings);
  return ok;
}

/* All properties of a g_object_set() are set: takes them over together. */
static void
gst_eeg_filter_dispatch_properties_changed (GObject *object, guint n_pspecs,
    GParamSpec **pspecs)
{
  GstEegFilter *self = GST_EEG_FILTER (object);
  GstEegFilterPrivate *priv = PRIVATE (self);
  gboolean changed = FALSE;
  GError *error = NULL;
  guint i;

  for (i = 0; i < n_pspecs; i++)
    changed |= g_param_spec_get_qdata (pspecs[i], setting_quark ()) != NULL;
  if (changed) {
    g_mutex_lock (&priv->settings_lock);
    if (priv->known.channels > 0) {
      apply_settings (self, &priv->known, TRUE, &error);
    } else {
      GST_OBJECT_LOCK (self);
      copy_settings (self, priv->good, priv->settings);
      GST_OBJECT_UNLOCK (self);
    }
    g_mutex_unlock (&priv->settings_lock);
    g_atomic_int_set (&priv->announce, TRUE);
    if (error == NULL && GST_EEG_FILTER_GET_CLASS (self)->settings_renegotiate)
      gst_eeg_filter_renegotiate (self);
  }
  if (error != NULL) {
    GST_ELEMENT_WARNING (self, LIBRARY, SETTINGS,
        ("%s The settings stay as they were.", error->message), (NULL));
    g_error_free (error);
  }
  G_OBJECT_CLASS (gst_eeg_filter_parent_class)
      ->dispatch_properties_changed (object, n_pspecs, pspecs);
}

/* Says what comes in to those who set properties; NULL: nothing any more. */
static void
set_known (GstEegFilter *self, const GstEegInfo *info)
{
  GstEegFilterPrivate *priv = PRIVATE (self);

  g_mutex_lock (&priv->settings_lock);
  if (info != NULL)
    gst_eeg_info_copy_into (info, &priv->known);
  else
    gst_eeg_info_clear (&priv->known);
  g_mutex_unlock (&priv->settings_lock);
}

/* Before caps are negotiated, with nothing held. */
static void
take_settings (GstEegFilter *self)
{
  GstEegFilterClass *klass = GST_EEG_FILTER_GET_CLASS (self);

  /* a change from here on is for the next time */
  g_atomic_int_set (&PRIVATE (self)->renegotiate, FALSE);
  if (klass->settings_renegotiate) {
    GST_OBJECT_LOCK (self);
    copy_settings (self, PRIVATE (self)->active, PRIVATE (self)->good);
    GST_OBJECT_UNLOCK (self);
    PRIVATE (self)->is_new = TRUE;
  }
  if (klass->negotiate != NULL) {
    klass->negotiate (self);
    PRIVATE (self)->is_new = TRUE;
  }
}

/**
 * gst_eeg_filter_acquire_buffer:
 * @filter: a filter
 * @size: bytes that the buffer shall hold
 * @buffer: (out) (transfer full): a buffer of the filter's pool, which grows
 *     when it must
 *
 * Streaming thread only. What goes wrong is posted as an error.
 *
 * Returns: %GST_FLOW_OK, %GST_FLOW_FLUSHING or %GST_FLOW_ERROR
 */
GstFlowReturn
gst_eeg_filter_acquire_buffer (GstEegFilter *filter, gsize size,
    GstBuffer **buffer)
{
  GstEegFilter *self = filter;
  GstEegFilterPrivate *priv;
  GstFlowReturn ret;

  g_return_val_if_fail (GST_IS_EEG_FILTER (filter), GST_FLOW_ERROR);
  g_return_val_if_fail (buffer != NULL, GST_FLOW_ERROR);

  priv = PRIVATE (self);
  if (priv->pool == NULL || priv->pool_size < size) {
    clear_pool (self);
    priv->pool = gst_eeg_buffer_pool_new (NULL, size, 0, 0);
    if (priv->pool == NULL || !gst_buffer_pool_set_active (priv->pool, TRUE)) {
      clear_pool (self);
      GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
          ("Could not make a pool of buffers of %" G_GSIZE_FORMAT " bytes.",
              size),
          (NULL));
      return GST_FLOW_ERROR;
    }
    priv->pool_size = size;
  }
  ret = gst_buffer_pool_acquire_buffer (priv->pool, buffer, NULL);
  if (ret == GST_FLOW_OK)
    gst_buffer_set_size (*buffer, size);
  else if (ret != GST_FLOW_FLUSHING)
    GST_ELEMENT_ERROR (self, RESOURCE, FAILED,
        ("Could not allocate %" G_GSIZE_FORMAT " bytes.", size), (NULL));
  return ret;
}

/* Whether a buffer is marked as the next one to go out. */
static gboolean
is_stamped (GstEegFilter *self, GstBuffer *buffer, guint64 next)
{
  GstEegFilterPrivate *priv = PRIVATE (self);
  GstClockTime start =
      gst_eeg_info_samples_to_time (&priv->out_info, priv->next_out);
  GstClockTime end = gst_eeg_info_samples_to_time (&priv->out_info, next);

  return GST_BUFFER_OFFSET (buffer) == priv->next_out
      && GST_BUFFER_OFFSET_END (buffer) == next
      && GST_BUFFER_PTS (buffer) == start
      && GST_BUFFER_DURATION (buffer) == end - start
      && !GST_BUFFER_IS_DISCONT (buffer) == !priv->need_discont;
}

/* Copies the markers from a time on, or those before it. */
static void
copy_markers (GstBuffer *from, GstBuffer *to, GstClockTime time,
    gboolean is_before)
{
  GstEegMarkerMeta *meta;
  gpointer iter = NULL;

  while ((meta = gst_buffer_iterate_eeg_marker_meta (from, &iter)) != NULL)
    if ((meta->time < time) == is_before)
      gst_buffer_add_eeg_marker_meta (to, meta->time, meta->duration,
          meta->text);
}

/* `n_frames` frames of a buffer of output from frame `first` on. Markers go
 * where their time is: to the part that begins at `time`, or before it. */
static GstBuffer *
cut_output (GstEegFilter *self, GstBuffer *buffer, gsize first, gsize n_frames,
    GstClockTime time, gboolean is_before)
{
  const gsize bpf = PRIVATE (self)->out_info.bytes_per_frame;
  GstBuffer *part = gst_buffer_copy_region (buffer,
      GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_MEMORY, first * bpf,
      n_frames * bpf);

  copy_markers (buffer, part, time, is_before);
  return part;
}

/* What was given before the barrier from which the filter goes on is thrown
 * away: the first frames of a buffer, and the markers before. NULL: all of
 * it. */
static GstBuffer *
skip_output (GstEegFilter *self, GstBuffer *buffer, gsize *n_frames)
{
  GstEegFilterPrivate *priv = PRIVATE (self);
  gsize n = (gsize) MIN (*n_frames, priv->skip_to - priv->next_out);
  GstClockTime time =
      gst_eeg_info_samples_to_time (&priv->out_info, priv->skip_to);
  GstBuffer *rest = NULL, *markers = NULL;

  priv->next_out += n;
  *n_frames -= n;
  if (*n_frames > 0) {
    rest = cut_output (self, buffer, n, *n_frames, time, FALSE);
    if (priv->markers != NULL) {
      markers = gst_buffer_new ();
      copy_markers (priv->markers, markers, time, FALSE);
    }
  }
  gst_clear_buffer (&priv->markers);
  priv->markers = markers;
  gst_buffer_unref (buffer);
  return rest;
}

/* What other stages said of the samples goes on with them. */
static void
copy_metas (GstBuffer *from, GstBuffer *to)
{
  GstEegStatisticsMeta *meta;
  gpointer state = NULL;

  gst_buffer_copy_eeg_marker_meta (from, to);
  while ((meta = gst_buffer_iterate_eeg_statistics_meta (from, &state)))
    gst_buffer_add_eeg_statistics_meta (to, meta->statistics);
}

/* Stamps an output buffer and counts it; adds markers that wait for one. A
 * buffer that needs neither may be shared and stays as it is. NULL if nothing
 * of it goes on. */
static GstBuffer *
finish_buffer (GstEegFilter *self, GstBuffer *buffer, gsize n_frames)
{
  GstEegFilterPrivate *priv = PRIVATE (self);
  guint64 next = priv->next_out + n_frames;

  if (G_UNLIKELY (priv->next_out < priv->skip_to)) {
    buffer = skip_output (self, buffer, &n_frames);
    if (buffer == NULL)
      return NULL;
  }
  if (!is_stamped (self, buffer, next)) {
    buffer = gst_buffer_make_writable (buffer);
    gst_eeg_info_stamp_buffer (&priv->out_info, buffer, priv->next_out,
        n_frames);
    if (priv->need_discont)
      GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
    else
      GST_BUFFER_FLAG_UNSET (buffer, GST_BUFFER_FLAG_DISCONT);
  }
  priv->next_out = next;
  priv->need_discont = FALSE;
  if (priv->markers != NULL) {
    buffer = gst_buffer_make_writable (buffer);
    copy_metas (priv->markers, buffer);
    gst_clear_buffer (&priv->markers);
  }
  gst_eeg_stage_count_out (&priv->counters,
      n_frames * priv->out_info.bytes_per_frame, n_frames);
  return buffer;
}

/* Lets barriers leave that have their place before a buffer or in it, which is
 * split there. What is left of the buffer is in `buffer`. transfer full for it,
 * which may be NULL. */
static GstFlowReturn
release_due (GstEegFilter *self, GstBuffer **buffer)
{
  GstEegFilterPrivate *priv = PRIVATE (self);
  const gsize bpf = priv->out_info.bytes_per_frame;
  GstFlowReturn ret = GST_FLOW_OK;

  while (ret == GST_FLOW_OK && !g_queue_is_empty (&priv->held)) {
    const Held *held = g_queue_peek_head (&priv->held);
    gsize n_frames = *buffer != NULL ? gst_buffer_get_size (*buffer) / bpf : 0,
          n;
    guint64 begin = priv->next_out - n_frames;
    GstClockTime time;
    GstBuffer *part;

    if (held->due <= begin) {
      release_one (self, begin);
      continue;
    }
    if (*buffer == NULL || held->due >= priv->next_out
        || GST_EEG_FILTER_GET_CLASS (self)->whole_buffers)
      break;
    n = (gsize) (held->due - begin);
    time = gst_eeg_info_samples_to_time (&priv->out_info, held->due);
    part = cut_output (self, *buffer, 0, n, time, TRUE);
    gst_eeg_info_stamp_buffer (&priv->out_info, part, begin, n);
    ret = gst_pad_push (GST_BASE_TRANSFORM_SRC_PAD (self), part);
    part = cut_output (self, *buffer, n, n_frames - n, time, FALSE);
    gst_eeg_info_stamp_buffer (&priv->out_info, part, begin + n, n_frames - n);
    GST_BUFFER_FLAG_UNSET (part, GST_BUFFER_FLAG_DISCONT);
    gst_buffer_unref (*buffer);
    *buffer = part;
  }
  if (ret != GST_FLOW_OK)
    gst_clear_buffer (buffer);
  return ret;
}

/* Keeps the markers of a buffer from which nothing came out. */
static void
keep_markers (GstEegFilter *self, GstBuffer *buffer)
{
  GstEegFilterPrivate *priv = PRIVATE (self);

  if (gst_buffer_get_n_meta (buffer, GST_EEG_MARKER_META_API_TYPE) == 0
      && gst_buffer_get_n_meta (buffer, GST_EEG_STATISTICS_META_API_TYPE) == 0)
    return;
  if (priv->markers == NULL)
    priv->markers = gst_buffer_new ();
  copy_metas (buffer, priv->markers);
}

/**
 * gst_eeg_filter_lose_buffer:
 * @filter: a filter with #GstEegFilterClass.take_buffer
 * @buffer: (transfer full): what was taken last and shall not go on
 * @reason: why, in a word or two
 *
 * Drops a buffer in the way of a loss: a GAP event goes out in its place, the
 * next buffer has DISCONT and its markers too, the samples count as lost and an
 * `eeg-loss` message says so. Streaming thread only.
 */
void
gst_eeg_filter_lose_buffer (GstEegFilter *filter, GstBuffer *buffer,
    const gchar *reason)
{
  GstEegFilterPrivate *priv;
  guint64 first, n_frames;
  GstClockTime start, end;

  g_return_if_fail (GST_IS_EEG_FILTER (filter) && GST_IS_BUFFER (buffer));

  priv = PRIVATE (filter);
  first = priv->next_out;
  n_frames = gst_buffer_get_size (buffer) / priv->out_info.bytes_per_frame;
  /* it was lost before the barrier from which the filter goes on */
  if (first < priv->skip_to) {
    priv->next_out += n_frames;
    gst_buffer_unref (buffer);
    return;
  }
  keep_markers (filter, buffer);
  gst_buffer_unref (buffer);
  priv->next_out += n_frames;
  priv->need_discont = TRUE;
  gst_eeg_stage_count (&priv->counters.lost, n_frames);
  start = gst_eeg_info_samples_to_time (&priv->out_info, first);
  end = gst_eeg_info_samples_to_time (&priv->out_info, priv->next_out);
  gst_pad_push_event (GST_BASE_TRANSFORM_SRC_PAD (filter),
      gst_event_new_gap (start, end - start));
  gst_element_post_message (GST_ELEMENT (filter),
      gst_eeg_message_new_loss (GST_OBJECT (filter), first, n_frames, reason));
}

/* The next buffer of a subclass that takes and gives whole ones. */
static GstFlowReturn
give_one (GstEegFilter *self, gboolean is_end, GstBuffer **buffer)
{
  GstEegFilterPrivate *priv = PRIVATE (self);
  guint64 start = now_ns ();
  GstFlowReturn ret =
      GST_EEG_FILTER_GET_CLASS (self)->give_buffer (self, is_end, buffer);

  gst_eeg_stage_count (&priv->counters.busy_ns, now_ns () - start);
  priv->giving = *buffer != NULL;
  if (ret != GST_FLOW_OK)
    reset_run (self);
  else if (*buffer != NULL)
    *buffer = finish_buffer (self, *buffer,
        gst_buffer_get_size (*buffer) / priv->out_info.bytes_per_frame);
  return ret;
}

/* The same, but for buffers that were given before the barrier from which the
 * filter goes on. */
static GstFlowReturn
give_next (GstEegFilter *self, gboolean is_end, GstBuffer **buffer)
{
  GstFlowReturn ret;

  do
    ret = give_one (self, is_end, buffer);
  while (ret == GST_FLOW_OK && *buffer == NULL && PRIVATE (self)->giving);
  return ret;
}

static GstFlowReturn
take_one (GstEegFilter *self, GstBuffer *buffer, guint64 index)
{
  guint64 start = now_ns ();
  GstFlowReturn ret =
      GST_EEG_FILTER_GET_CLASS (self)->take_buffer (self, buffer, index);

  gst_eeg_stage_count (&PRIVATE (self)->counters.busy_ns, now_ns () - start);
  if (ret != GST_FLOW_OK)
    reset_run (self);
  return ret;
}

/* The next buffer of what the subclass still holds, NULL with is_end when all
 * is out. Ends the run then. */
static GstFlowReturn
drain_piece (GstEegFilter *self, GstBuffer **buffer, gboolean *is_end)
{
  GstEegFilterPrivate *priv = PRIVATE (self);
  GstEegFilterClass *klass = GST_EEG_FILTER_GET_CLASS (self);
  gsize bpf = priv->out_info.bytes_per_frame;
  gsize n_frames = 0, max_frames;
  GstFlowReturn ret;
  GstMapInfo map;

  *buffer = NULL;
  *is_end = !priv->running;
  if (!priv->running)
    return GST_FLOW_OK;
  if (priv->was_enabled && klass->give_buffer != NULL) {
    ret = give_next (self, TRUE, buffer);
    if (ret != GST_FLOW_OK || *buffer != NULL)
      return ret;
  }
  if (priv->was_enabled && klass->drain != NULL
      && (klass->get_delay == NULL || klass->get_delay (self) > 0)) {
    guint64 start = now_ns ();

    max_frames = MAX (DRAIN_BYTES / bpf, 1);
    ret = gst_eeg_filter_acquire_buffer (self, max_frames * bpf, buffer);
    if (ret != GST_FLOW_OK)
      return ret;
    if (!gst_buffer_map (*buffer, &map, GST_MAP_WRITE)) {
      gst_clear_buffer (buffer);
      GST_ELEMENT_ERROR (self, RESOURCE, FAILED, ("Could not map a buffer."),
          (NULL));
      return GST_FLOW_ERROR;
    }
    n_frames = klass->drain (self, map.data, max_frames);
    gst_buffer_unmap (*buffer, &map);
    gst_eeg_stage_count (&priv->counters.busy_ns, now_ns () - start);
  }
  /* these were given before the barrier from which the filter goes on */
  if (n_frames == 0 && priv->next_out < priv->skip_to)
    gst_clear_buffer (&priv->markers);
  if (n_frames == 0 && priv->markers != NULL && *buffer == NULL)
    *buffer = gst_buffer_new ();
  if (n_frames > 0 || priv->markers != NULL) {
    gst_buffer_set_size (*buffer, n_frames * bpf);
    *buffer = finish_buffer (self, *buffer, n_frames);
    return GST_FLOW_OK;
  }
  *is_end = TRUE;
  gst_clear_buffer (buffer);
  if (klass->bridge != NULL && priv->was_enabled) {
    /* whether it is forgotten shows when the next run begins */
    priv->running = FALSE;
    priv->ended = TRUE;
  } else {
    reset_run (self);
  }
  return GST_FLOW_OK;
}

/* The same, but for what was given before the barrier from which the filter
 * goes on. */
static GstFlowReturn
drain_one (GstEegFilter *self, GstBuffer **buffer)
{
  GstFlowReturn ret;
  gboolean is_end;

  do
    ret = drain_piece (self, buffer, &is_end);
  while (ret == GST_FLOW_OK && *buffer == NULL && !is_end);
  return ret;
}

/* Pushes all that is held and ends the run. */
static GstFlowReturn
drain_all (GstEegFilter *self)
{
  GstFlowReturn ret;
  GstBuffer *buffer;

  while ((ret = drain_one (self, &buffer)) == GST_FLOW_OK && buffer != NULL) {
    ret = release_due (self, &buffer);
    if (ret == GST_FLOW_OK)
      ret = gst_pad_push (GST_BASE_TRANSFORM_SRC_PAD (self), buffer);
    if (ret != GST_FLOW_OK)
      break;
  }
  if (ret != GST_FLOW_OK)
    reset_run (self);
  /* the next run needs nothing of this one, or that shows when it begins */
  else if (!PRIVATE (self)->ended)
    release_all (self, PRIVATE (self)->next_out);
  return ret;
}

/* Index of the buffer's first sample, and whether it continues the run. */
static gboolean
find_index (GstEegFilter *self, GstBuffer *buffer, guint64 *index)
{
  GstEegFilterPrivate *priv = PRIVATE (self);
  gboolean continues = priv->running
      && !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT);

  if (priv->has_offsets && GST_BUFFER_OFFSET_IS_VALID (buffer)) {
    *index = GST_BUFFER_OFFSET (buffer);
    return continues && *index == priv->next_in;
  }
  if (GST_BUFFER_PTS_IS_VALID (buffer)) {
    guint64 tolerance =
        priv->in_info.rate_n / (32 * (guint64) priv->in_info.rate_d) + 1;
    guint64 at =
        gst_eeg_info_time_to_samples (&priv->in_info, GST_BUFFER_PTS (buffer));
    guint64 distance =
        at > priv->next_in ? at - priv->next_in : priv->next_in - at;

    continues = continues && distance <= tolerance;
    *index = continues ? priv->next_in : at;
    return continues;
  }
  *index = priv->running ? priv->next_in : 0;
  return continues;
}

/* transfer full, NULL if there is none */
static GBytes *
steal_restore (GstEegFilter *self)
{
  GBytes *restore;

  GST_OBJECT_LOCK (self);
  restore = g_steal_pointer (&PRIVATE (self)->restore);
  GST_OBJECT_UNLOCK (self);
  return restore;
}

/* Goes on with the run that was under way at a barrier; its first sample behind
 * that is this one. FALSE after an error. */
static gboolean
resume_run (GstEegFilter *self, guint64 index, gboolean enabled,
    const guint8 *data, gsize size)
{
  GstEegFilterPrivate *priv = PRIVATE (self);
  GstEegFilterClass *klass = GST_EEG_FILTER_GET_CLASS (self);
  guint64 in = GST_READ_UINT64_LE (data + 8);
  GError *error = NULL;

  if (index < in) {
    g_set_error (&error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "The stream goes on at sample %" G_GUINT64_FORMAT
        ", before sample %" G_GUINT64_FORMAT " of the saved state.",
        index, in);
    post_error (self, error);
    return FALSE;
  }
  priv->running = TRUE;
  priv->was_enabled = enabled;
  priv->next_in = priv->next_out = index;
  if (!enabled)
    return TRUE;
  if (klass->resume != NULL
      && !klass->resume (self, index, data + STATE_SIZE, size - STATE_SIZE,
          &priv->next_out, &error)) {
    priv->running = FALSE;
    post_error (self, error);
    return FALSE;
  }
  priv->need_discont = FALSE;
  GST_INFO_OBJECT (self,
      "going on from sample %" G_GUINT64_FORMAT
      ", giving those from %" G_GUINT64_FORMAT " on",
      index, priv->skip_to);
  return TRUE;
}

/* FALSE after an error. */
static gboolean
begin_run (GstEegFilter *self, guint64 index, gboolean enabled,
    gboolean discont)
{
  GstEegFilterPrivate *priv = PRIVATE (self);
  GstEegFilterClass *klass = GST_EEG_FILTER_GET_CLASS (self);
  GBytes *restore = steal_restore (self);
  gboolean goes_on = priv->ended && enabled && index >= priv->next_in
      && klass->bridge (self, index, index - priv->next_in);
  guint64 next_out = index;
  GList *l;

  if (priv->ended && !goes_on)
    reset_run (self);
  priv->ended = FALSE;
  if (G_UNLIKELY (restore != NULL)) {
    gsize size;
    const guint8 *data = g_bytes_get_data (restore, &size);
    guint64 in = GST_READ_UINT64_LE (data + 8);
    gboolean ok = TRUE, was_running = (data[1] & STATE_RUNNING) != 0;

    priv->skip_to = GST_READ_UINT64_LE (data + 16);
    priv->resumed = in;
    /* where samples are missing, there is nothing to go on with */
    was_running = was_running && index <= in;
    if (was_running)
      ok = resume_run (self, index, enabled, data, size);
    g_bytes_unref (restore);
    if (was_running)
      return ok;
  }
  /* bridged samples depend on what was before the gap */
  for (l = goes_on && klass->get_look_back != NULL ? priv->held.head : NULL;
       l != NULL; l = l->next)
    ((Held *) l->data)->due =
        MAX (((Held *) l->data)->due, index + klass->get_look_back (self));
  /* between the runs is nothing but the gap, which was said */
  if (!goes_on)
    release_all (self, index);
  if (enabled && !goes_on && klass->map_index != NULL)
    next_out = klass->map_index (self, index);
  priv->running = TRUE;
  priv->was_enabled = enabled;
  /* a switch of `enabled` alone leaves no gap in the output */
  priv->need_discont = discont || next_out != priv->next_out;
  priv->next_in = index;
  priv->next_out = next_out;
  return TRUE;
}

static gboolean
is_aligned (gconstpointer data, guint bytes_per_sample)
{
  return bytes_per_sample == 3 || (guintptr) data % bytes_per_sample == 0;
}

/* Whether process() may write over the input. */
static gboolean
can_work_in_place (GstEegFilter *self, GstBuffer *buffer, gsize n_in,
    gsize n_out)
{
  GstEegFilterPrivate *priv = PRIVATE (self);
  GstMemory *memory;

  if (!GST_EEG_FILTER_GET_CLASS (self)->in_place || n_out > n_in
      || priv->in_info.bytes_per_frame != priv->out_info.bytes_per_frame)
    return FALSE;
  if (!gst_buffer_is_writable (buffer) || gst_buffer_n_memory (buffer) != 1)
    return FALSE;
  /* part of a memory that others have too would be copied when it is mapped */
  memory = gst_buffer_peek_memory (buffer, 0);
  return gst_memory_is_writable (memory) && !GST_MEMORY_IS_READONLY (memory);
}

static gboolean
run_process (GstEegFilter *self, gconstpointer in, gsize n_in, gpointer out,
    gsize n_out)
{
  GstEegFilterPrivate *priv = PRIVATE (self);
  GError *error = NULL;
  guint64 start = now_ns ();
  gboolean ok = GST_EEG_FILTER_GET_CLASS (self)->process (self, in, n_in, out,
      n_out, &error);

  gst_eeg_stage_count (&priv->counters.busy_ns, now_ns () - start);
  if (!ok)
    post_error (self, error);
  return ok;
}

/* transfer full for in; out is NULL if nothing comes out */
static GstFlowReturn
process_buffer (GstEegFilter *self, GstBuffer *in, gsize n_in, gsize n_out,
    GstBuffer **out)
{
  GstEegFilterPrivate *priv = PRIVATE (self);
  GstFlowReturn ret = GST_FLOW_OK;
  GstMapInfo in_map, out_map;
  gboolean ok, is_gap = GST_BUFFER_FLAG_IS_SET (in, GST_BUFFER_FLAG_GAP);

  *out = NULL;
  if (can_work_in_place (self, in, n_in, n_out)) {
    if (!gst_buffer_map (in, &in_map, GST_MAP_READWRITE))
      goto map_failed;
    if (is_aligned (in_map.data, priv->in_info.bytes_per_sample)
        && is_aligned (in_map.data, priv->out_info.bytes_per_sample)) {
      ok = run_process (self, in_map.data, n_in, in_map.data, n_out);
      gst_buffer_unmap (in, &in_map);
      if (!ok)
        goto process_failed;
      if (n_out == 0) {
        keep_markers (self, in);
        gst_buffer_unref (in);
        return GST_FLOW_OK;
      }
      gst_buffer_set_size (in, n_out * priv->out_info.bytes_per_frame);
      *out = in;
      goto done;
    }
    gst_buffer_unmap (in, &in_map);
  }

  if (n_out > 0) {
    ret = gst_eeg_filter_acquire_buffer (self,
        n_out * priv->out_info.bytes_per_frame, out);
    if (ret != GST_FLOW_OK) {
      gst_buffer_unref (in);
      return ret;
    }
  }
  if (!gst_buffer_map (in, &in_map, GST_MAP_READ))
    goto map_failed;
  if (*out != NULL && !gst_buffer_map (*out, &out_map, GST_MAP_WRITE)) {
    gst_buffer_unmap (in, &in_map);
    goto map_failed;
  }
  if (is_aligned (in_map.data, priv->in_info.bytes_per_sample)) {
    ok = run_process (self, in_map.data, n_in, *out ? out_map.data : NULL,
        n_out);
  } else {
    gpointer copy = g_memdup2 (in_map.data, in_map.size);

    GST_CAT_DEBUG_OBJECT (performance_debug, self,
        "copying samples that are not aligned");
    ok = run_process (self, copy, n_in, *out ? out_map.data : NULL, n_out);
    g_free (copy);
  }
  gst_buffer_unmap (in, &in_map);
  if (*out != NULL)
    gst_buffer_unmap (*out, &out_map);
  if (!ok)
    goto process_failed;
  if (*out != NULL)
    copy_metas (in, *out);
  else
    keep_markers (self, in);
  gst_buffer_unref (in);
  if (*out == NULL)
    return GST_FLOW_OK;

done:
  /* neutral samples stay neutral only where none are held */
  if (is_gap && GST_EEG_FILTER_GET_CLASS (self)->get_delay == NULL)
    GST_BUFFER_FLAG_SET (*out, GST_BUFFER_FLAG_GAP);
  else
    GST_BUFFER_FLAG_UNSET (*out, GST_BUFFER_FLAG_GAP);
  *out = finish_buffer (self, *out, n_out);
  return GST_FLOW_OK;

map_failed:
  gst_buffer_unref (in);
  gst_clear_buffer (out);
  GST_ELEMENT_ERROR (self, RESOURCE, FAILED, ("Could not map a buffer."),
      (NULL));
  return GST_FLOW_ERROR;

process_failed:
  gst_buffer_unref (in);
  gst_clear_buffer (out);
  return GST_FLOW_ERROR;
}

/* The frames from `first` on as a buffer of their own, with the markers that
 * fall there. */
static GstBuffer *
cut_buffer (GstEegFilter *self, GstBuffer *in, guint64 index, gsize first,
    gsize n_frames)
{
  GstEegFilterPrivate *priv = PRIVATE (self);
  gsize bpf = priv->in_info.bytes_per_frame;
  GstBuffer *piece = gst_buffer_copy_region (in, GST_BUFFER_COPY_ALL,
      first * bpf, n_frames * bpf);

  gst_eeg_info_stamp_buffer (&priv->in_info, piece, index + first, n_frames);
  return piece;
}

/* As process_buffer(), in the pieces that the subclass asks for. What comes out
 * of all but the last is pushed. transfer full for in */
static GstFlowReturn
process_pieces (GstEegFilter *self, GstBuffer *in, guint64 index, gsize n_in,
    GstBuffer **out)
{
  GstEegFilterPrivate *priv = PRIVATE (self);
  GstEegFilterClass *klass = GST_EEG_FILTER_GET_CLASS (self);
  GstFlowReturn ret;

  *out = NULL;
  for (;;) {
    gsize n = klass->get_piece != NULL ? klass->get_piece (self, n_in) : n_in;
    GstBuffer *piece, *rest;
    gsize n_out;

    if (n < n_in) {
      piece = cut_buffer (self, in, index, 0, n);
      rest = cut_buffer (self, in, index, n, n_in - n);
      gst_buffer_unref (in);
    } else {
      piece = in;
      rest = NULL;
    }
    priv->next_in = index + n;
    n_out = klass->get_ready != NULL ? klass->get_ready (self, n) : n;
    ret = process_buffer (self, piece, n, n_out, out);
    if (rest == NULL)
      return ret;

    if (ret == GST_FLOW_OK)
      ret = release_due (self, out);
    if (ret == GST_FLOW_OK && *out != NULL)
      ret = gst_pad_push (GST_BASE_TRANSFORM_SRC_PAD (self), *out);
    *out = NULL;
    if (ret != GST_FLOW_OK) {
      gst_buffer_unref (rest);
      return ret;
    }
    in = rest;
    index += n;
    n_in -= n;
    if (klass->update != NULL)
      klass->update (self);
  }
}

static GstFlowReturn
generate (GstEegFilter *self, GstBuffer **out)
{
  GstBaseTransform *trans = GST_BASE_TRANSFORM (self);
  GstEegFilterPrivate *priv = PRIVATE (self);
  GstEegFilterClass *klass = GST_EEG_FILTER_GET_CLASS (self);
  GstBuffer *in = trans->queued_buf;
  gsize size, n_in;
  gboolean continues, enabled;
  GstFlowReturn ret;
  guint64 index;

  *out = NULL;
  if (in == NULL)
    return priv->giving ? give_next (self, FALSE, out) : GST_FLOW_OK;
  /* what was given last was not taken, and the rest is lost with it */
  if (priv->giving)
    reset_run (self);

  size = gst_buffer_get_size (in);
  if (priv->in_info.bytes_per_frame == 0
      || size % priv->in_info.bytes_per_frame != 0) {
    trans->queued_buf = NULL;
    gst_buffer_unref (in);
    gst_eeg_stage_count (&priv->counters.errors, 1);
    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("A buffer of %" G_GSIZE_FORMAT " bytes holds no whole number of "
         "frames of %" G_GSIZE_FORMAT " bytes.",
            size, priv->in_info.bytes_per_frame),
        (NULL));
    return GST_FLOW_ERROR;
  }
  n_in = size / priv->in_info.bytes_per_frame;

  enabled = gst_eeg_filter_get_enabled (self);
  continues = find_index (self, in, &index) && enabled == priv->was_enabled;
  if (!continues && priv->running) {
    /* what the last run held goes first, from here: the base class would put
     * the DISCONT of this buffer on it */
    ret = drain_all (self);
    if (ret != GST_FLOW_OK) {
      gst_clear_buffer (&trans->queued_buf);
      return ret;
    }
  }
  trans->queued_buf = NULL;
  if (!continues
      && !begin_run (self, index, enabled,
          GST_BUFFER_FLAG_IS_SET (in, GST_BUFFER_FLAG_DISCONT))) {
    gst_buffer_unref (in);
    return GST_FLOW_ERROR;
  }
  gst_eeg_stage_count_in (&priv->counters, size, n_in);
  if (klass->update != NULL)
    klass->update (self);

  if (!enabled) {
    gst_eeg_stage_count_out (&priv->counters, size, n_in);
    priv->next_in = priv->next_out = index + n_in;
    priv->need_discont = FALSE;
    update_delay (self);
    *out = in;
    return GST_FLOW_OK;
  }

  if (klass->take_buffer != NULL) {
    priv->next_in = index + n_in;
    ret = take_one (self, in, index);
    if (ret == GST_FLOW_OK)
      ret = give_next (self, FALSE, out);
  } else {
    ret = process_pieces (self, in, index, n_in, out);
  }
  update_delay (self);
  return ret;
}

static GstFlowReturn
gst_eeg_filter_generate_output (GstBaseTransform *trans, GstBuffer **out)
{
  GstEegFilter *self = GST_EEG_FILTER (trans);
  GstFlowReturn ret = generate (self, out);

  return ret == GST_FLOW_OK ? release_due (self, out) : ret;
}

/* Never called: generate_output() is overridden. Without a transform function
 * the base class would only know pass-through. */
static GstFlowReturn
gst_eeg_filter_transform (GstBaseTransform *trans, GstBuffer *in,
    GstBuffer *out)
{
  return GST_FLOW_NOT_SUPPORTED;
}

static gboolean
gst_eeg_filter_get_unit_size (GstBaseTransform *trans, GstCaps *caps,
    gsize *size)
{
  GstEegInfo info;
  gboolean ok;

  gst_eeg_info_init (&info);
  ok = parse_caps (GST_EEG_FILTER (trans), caps, &info);
  *size = info.bytes_per_frame;
  gst_eeg_info_clear (&info);
  return ok;
}

/* What comes out for fixed caps; for others, whatever may. So too for those
 * that the subclass refuses: it says why when they arrive. */
static GstStructure *
transform_structure (GstEegFilter *self, GstPadDirection direction,
    const GstStructure *s)
{
  GstEegFilterClass *klass = GST_EEG_FILTER_GET_CLASS (self);
  GstCaps *caps = gst_caps_new_full (gst_structure_copy (s), NULL);
  GstStructure *result = gst_structure_copy (s);
  GstEegInfo in_info, out_info;

  gst_eeg_info_init (&in_info);
  gst_eeg_info_init (&out_info);
  gst_structure_remove_fields (result, "channel-table", NULL);
  if (direction == GST_PAD_SINK && gst_eeg_info_from_caps (&in_info, caps))
    gst_eeg_info_copy_into (&in_info, &out_info);
  if (out_info.channels > 0
      && klass->transform_info (self, &in_info, &out_info, NULL)) {
    gst_structure_set (result, "rate", GST_TYPE_FRACTION, out_info.rate_n,
        out_info.rate_d, "channels", G_TYPE_INT, out_info.channels, NULL);
    if (out_info.channel_table != NULL)
      gst_structure_set (result, "channel-table", GST_TYPE_EEG_CHANNELS,
          out_info.channel_table, NULL);
  } else {
    gst_structure_set (result, "channels", GST_TYPE_INT_RANGE, 1,
        GST_EEG_MAX_CHANNELS, "rate", GST_TYPE_FRACTION_RANGE, 1, G_MAXINT,
        G_MAXINT, 1, NULL);
  }
  gst_eeg_info_clear (&in_info);
  gst_eeg_info_clear (&out_info);
  gst_caps_unref (caps);
  return result;
}

static GstCaps *
gst_eeg_filter_transform_caps (GstBaseTransform *trans,
    GstPadDirection direction, GstCaps *caps, GstCaps *filter)
{
  GstEegFilter *self = GST_EEG_FILTER (trans);
  GstCaps *result;
  guint i;

  if (GST_EEG_FILTER_GET_CLASS (self)->transform_info == NULL) {
    result = gst_caps_ref (caps);
  } else {
    result = gst_caps_new_empty ();
    for (i = 0; i < gst_caps_get_size (caps); i++)
      result = gst_caps_merge_structure (result,
          transform_structure (self, direction,
              gst_caps_get_structure (caps, i)));
  }
  if (filter != NULL) {
    GstCaps *both =
        gst_caps_intersect_full (filter, result, GST_CAPS_INTERSECT_FIRST);

    gst_caps_unref (result);
    result = both;
  }
  return result;
}

/* Whether the subclass has an answer for the caps; posts why not. */
static gboolean
check_caps (GstEegFilter *self, GstCaps *caps)
{
  GstEegFilterPrivate *priv = PRIVATE (self);
  GstEegFilterClass *klass = GST_EEG_FILTER_GET_CLASS (self);
  GstEegInfo in_info, out_info;
  GError *error = NULL;

  if (klass->transform_info == NULL)
    return TRUE;
  gst_eeg_info_init (&in_info);
  gst_eeg_info_init (&out_info);
  if (parse_caps (self, caps, &in_info)) {
    gst_eeg_info_copy_into (&in_info, &out_info);
    klass->transform_info (self, &in_info, &out_info, &error);
  }
  gst_eeg_info_clear (&in_info);
  gst_eeg_info_clear (&out_info);
  if (error == NULL)
    return TRUE;
  /* the event comes again with each buffer; one error is enough */
  if (priv->refused)
    g_error_free (error);
  else
    post_error (self, error);
  priv->refused = TRUE;
  return FALSE;
}

static gboolean
gst_eeg_filter_set_caps (GstBaseTransform *trans, GstCaps *in_caps,
    GstCaps *out_caps)
{
  GstEegFilter *self = GST_EEG_FILTER (trans);
  GstEegFilterPrivate *priv = PRIVATE (self);
  GstEegFilterClass *klass = GST_EEG_FILTER_GET_CLASS (self);
  GstEegInfo in_info, out_info;
  GError *error = NULL;
  gboolean same;

  /* negotiation is tried again for each buffer; one error is enough */
  gst_eeg_info_init (&in_info);
  gst_eeg_info_init (&out_info);
  if (!parse_caps (self, in_caps, &in_info)
      || !parse_caps (self, out_caps, &out_info)) {
    if (!priv->refused)
      GST_ELEMENT_ERROR (self, CORE, NEGOTIATION,
          ("The caps describe no EEG samples."),
          ("in %" GST_PTR_FORMAT ", out %" GST_PTR_FORMAT, in_caps, out_caps));
    priv->refused = TRUE;
    gst_eeg_info_clear (&in_info);
    gst_eeg_info_clear (&out_info);
    return FALSE;
  }
  /* downstream may ask for another negotiation at any time; what was held stays
   * where that changes nothing */
  same = priv->configured && !priv->is_new
      && gst_eeg_info_is_equal (&in_info, &priv->in_info)
      && gst_eeg_info_is_equal (&out_info, &priv->out_info);
  if (!same) {
    drain_all (self);
    gst_eeg_info_copy_into (&in_info, &priv->in_info);
    gst_eeg_info_copy_into (&out_info, &priv->out_info);
  }
  gst_eeg_info_clear (&in_info);
  gst_eeg_info_clear (&out_info);
  if (same)
    return TRUE;
  priv->is_new = FALSE;
  priv->configured = FALSE;
  priv->has_offsets =
      gst_structure_has_name (gst_caps_get_structure (in_caps, 0),
          GST_EEG_RAW_MEDIA_TYPE);
  GST_OBJECT_LOCK (self);
  /* the table is not needed for queries and would be unreffed under the lock */
  priv->live_info = priv->in_info;
  priv->live_info.channel_table = NULL;
  GST_OBJECT_UNLOCK (self);

  set_known (self, &priv->in_info);
  if (klass->set_info != NULL
      && !klass->set_info (self, &priv->in_info, &priv->out_info, &error)) {
    set_known (self, NULL);
    if (priv->refused)
      g_error_free (error);
    else
      post_error (self, error);
    priv->refused = TRUE;
    return FALSE;
  }
  priv->refused = FALSE;
  priv->configured = TRUE;
  g_atomic_int_set (&priv->announce, TRUE);
  reset_run (self);
  /* the latency is known before the first buffer */
  priv->was_enabled = gst_eeg_filter_get_enabled (self);
  update_delay (self);
  return TRUE;
}

/* set_info() once more, with the caps that are there. */
static gboolean
configure_again (GstEegFilter *self)
{
  GstBaseTransform *trans = GST_BASE_TRANSFORM (self);
  GstCaps *in_caps = gst_pad_get_current_caps (trans->sinkpad);
  GstCaps *out_caps = gst_pad_get_current_caps (trans->srcpad);
  gboolean ok = in_caps != NULL && out_caps != NULL
      && gst_eeg_filter_set_caps (trans, in_caps, out_caps);

  gst_clear_caps (&in_caps);
  gst_clear_caps (&out_caps);
  return ok;
}

/* The text of channel i in a recording event, which may be NULL. */
static const gchar *
get_old_prefilter (GstEvent *event, gint i)
{
  const GValue *array = event == NULL
      ? NULL
      : gst_structure_get_value (gst_event_get_structure (event),
          GST_EEG_RECORDING_PREFILTER);
  const gchar *text = NULL;

  if (array != NULL && GST_VALUE_HOLDS_ARRAY (array)
      && (guint) i < gst_value_array_get_size (array)
      && G_VALUE_HOLDS_STRING (gst_value_array_get_value (array, i)))
    text = g_value_get_string (gst_value_array_get_value (array, i));
  return text != NULL ? text : "";
}

/* What the recording event says of each channel that goes out, with @text
 * behind it where the filter acts. */
static void
set_prefilters (GstEegFilter *self, GstStructure *fields, const gchar *text)
{
  GstEegFilterPrivate *priv = PRIVATE (self);
  guint i,
      n = priv->origins != NULL ? priv->origins->len
                                : (guint) priv->in_info.channels;
  GValue array = G_VALUE_INIT;

  gst_value_array_init (&array, n);
  for (i = 0; i < n; i++) {
    gint origin = priv->origins != NULL
        ? (gint) g_array_index (priv->origins, guint, i)
        : (gint) i;
    const gchar *old = get_old_prefilter (priv->recording, origin);
    GValue value = G_VALUE_INIT;

    g_value_init (&value, G_TYPE_STRING);
    if (*text != '\0' && gst_eeg_info_is_signal (&priv->in_info, origin))
      g_value_take_string (&value,
          *old != '\0' ? g_strconcat (old, " ", text, NULL) : g_strdup (text));
    else
      g_value_set_string (&value, old);
    gst_value_array_append_and_take_value (&array, &value);
  }
  gst_structure_take_value (fields, GST_EEG_RECORDING_PREFILTER, &array);
}

/* Says downstream what was recorded, and what the filter does to it. */
static void
announce (GstEegFilter *self)
{
  GstEegFilterPrivate *priv = PRIVATE (self);
  GstEegFilterClass *klass = GST_EEG_FILTER_GET_CLASS (self);
  gboolean moved = priv->origins != NULL && priv->recording != NULL
      && gst_structure_has_field (gst_event_get_structure (priv->recording),
          GST_EEG_RECORDING_PREFILTER);
  GstEvent *event = NULL;
  gchar *text = NULL;

  g_atomic_int_set (&priv->announce, FALSE);
  if (klass->get_prefilter != NULL && gst_eeg_filter_get_enabled (self))
    text = klass->get_prefilter (self);
  if (moved || (text != NULL && *text != '\0')) {
    GstStructure *fields = priv->recording != NULL
        ? gst_structure_copy (gst_event_get_structure (priv->recording))
        : gst_structure_new_empty ("recording");

    set_prefilters (self, fields, text != NULL ? text : "");
    event = gst_eeg_event_new_recording (fields);
    priv->has_announced = TRUE;
  } else if (priv->recording != NULL) {
    event = gst_event_ref (priv->recording);
  } else if (priv->has_announced) {
    event = gst_eeg_event_new_recording (NULL);
  }
  g_free (text);
  if (event != NULL)
    gst_pad_push_event (GST_BASE_TRANSFORM_SRC_PAD (self), event);
}

/* Takes over settings that may change the caps, with the run under way
 * ended. */
static GstFlowReturn
gst_eeg_filter_submit_input_buffer (GstBaseTransform *trans,
    gboolean is_discont, GstBuffer *buffer)
{
  GstEegFilter *self = GST_EEG_FILTER (trans);
  GstEegFilterPrivate *priv = PRIVATE (self);
  GstFlowReturn ret;

  if (g_atomic_int_get (&priv->renegotiate)) {
    ret = drain_all (self);
    if (ret != GST_FLOW_OK) {
      gst_buffer_unref (buffer);
      return ret;
    }
    take_settings (self);
    gst_pad_mark_reconfigure (trans->srcpad);
  }
  ret = GST_BASE_TRANSFORM_CLASS (gst_eeg_filter_parent_class)
            ->submit_input_buffer (trans, is_discont, buffer);
  /* the base class calls set_caps() only if they differ */
  if (ret == GST_FLOW_OK && priv->is_new && !configure_again (self)) {
    gst_clear_buffer (&trans->queued_buf);
    ret = GST_FLOW_NOT_NEGOTIATED;
  }
  if (ret == GST_FLOW_OK && g_atomic_int_get (&priv->announce))
    announce (self);
  return ret;
}

/* Whether a gap was said before the barrier from which the filter goes on. */
static gboolean
skips_gap (GstEegFilter *self, GstEvent *event)
{
  GstEegFilterPrivate *priv = PRIVATE (self);
  guint64 skip_to = priv->skip_to;
  GstClockTime start;

  /* it may be the first that comes */
  GST_OBJECT_LOCK (self);
  if (priv->restore != NULL)
    skip_to = GST_READ_UINT64_LE (
        (const guint8 *) g_bytes_get_data (priv->restore, NULL) + 16);
  GST_OBJECT_UNLOCK (self);
  gst_event_parse_gap (event, &start, NULL);
  return skip_to > 0 && GST_CLOCK_TIME_IS_VALID (start)
      && gst_eeg_info_time_to_samples (&priv->out_info, start) < skip_to;
}

/* What the subclass has to save of the run that is under way; NULL if there is
 * none. FALSE with error set. */
static gboolean
save_run (GstEegFilter *self, GByteArray **state, GError **error)
{
  GstEegFilterPrivate *priv = PRIVATE (self);
  GstEegFilterClass *klass = GST_EEG_FILTER_GET_CLASS (self);

  *state = NULL;
  if (!priv->running && !priv->ended)
    return TRUE;
  *state = g_byte_array_new ();
  if (!priv->was_enabled || klass->save == NULL
      || klass->save (self, *state, error))
    return TRUE;
  g_clear_pointer (state, g_byte_array_unref);
  return FALSE;
}

/* transfer full; a barrier leaves at once where nothing that is still to come
 * depends on what was before it. */
static gboolean
take_barrier (GstEegFilter *self, GstEvent *event)
{
  GstEegFilterPrivate *priv = PRIVATE (self);
  GstEegFilterClass *klass = GST_EEG_FILTER_GET_CLASS (self);
  Held *held = g_new0 (Held, 1);
  GError *error = NULL;
  GstEegBarrier *barrier;

  held->event = event;
  held->in = priv->next_in;
  if (!save_run (self, &held->state, &error)) {
    gst_eeg_event_parse_barrier (event, &barrier);
    gst_eeg_barrier_fail (barrier, GST_EEG_STAGE (self), error->message);
    g_error_free (error);
  }
  if (klass->get_look_back != NULL && priv->was_enabled
      && (priv->running || priv->ended))
    held->due =
        gst_util_uint64_scale_ceil (priv->next_in + klass->get_look_back (self),
            (guint64) priv->out_info.rate_n * priv->in_info.rate_d,
            (guint64) priv->out_info.rate_d * priv->in_info.rate_n);
  g_queue_push_tail (&priv->held, held);
  if (!priv->running && !priv->ended)
    release_all (self, PRIVATE (self)->next_out);
  while (is_due (self, priv->next_out))
    release_one (self, priv->next_out);
  return TRUE;
}

/* Before an event that may be all that comes. */
static void
announce_before (GstEegFilter *self)
{
  if (PRIVATE (self)->configured
      && g_atomic_int_get (&PRIVATE (self)->announce))
    announce (self);
}

static gboolean
gst_eeg_filter_sink_event (GstBaseTransform *trans, GstEvent *event)
{
  GstEegFilter *self = GST_EEG_FILTER (trans);
  gboolean is_end = gst_eeg_event_parse_complete (event, NULL);

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS: {
      GstCaps *caps, *current;

      gst_event_parse_caps (event, &caps);
      current = gst_pad_get_current_caps (trans->sinkpad);
      is_end = current == NULL || !gst_caps_is_equal (caps, current);
      gst_clear_caps (&current);
      break;
    }
    case GST_EVENT_SEGMENT: {
      GstSegment segment;

      gst_event_copy_segment (event, &segment);
      /* the base class has moved its position on */
      segment.position = trans->segment.position;
      is_end = !gst_segment_is_equal (&segment, &trans->segment);
      break;
    }
    case GST_EVENT_STREAM_START:
    case GST_EVENT_GAP:
    case GST_EVENT_EOS:
      is_end = TRUE;
      break;
    case GST_EVENT_FLUSH_STOP:
      reset_run (self);
      PRIVATE (self)->next_out = GST_BUFFER_OFFSET_NONE;
      PRIVATE (self)->skip_to = 0;
      PRIVATE (self)->resumed = GST_BUFFER_OFFSET_NONE;
      g_queue_clear_full (&PRIVATE (self)->held, held_free);
      break;
    case GST_EVENT_CUSTOM_DOWNSTREAM:
      /* of a recording that was over, nothing but these comes */
      announce_before (self);
      if (gst_eeg_event_parse_barrier (event, NULL))
        return take_barrier (self, event);
      break;
    case GST_EVENT_CUSTOM_DOWNSTREAM_STICKY:
      if ((GST_EEG_FILTER_GET_CLASS (self)->get_prefilter == NULL
              && !GST_EEG_FILTER_GET_CLASS (self)->moves_channels)
          || !gst_eeg_event_is_recording (event))
        break;
      /* goes on before the next buffer, when the channels are known */
      gst_event_take (&PRIVATE (self)->recording, event);
      g_atomic_int_set (&PRIVATE (self)->announce, TRUE);
      return TRUE;
    default:
      break;
  }
  if (is_end)
    drain_all (self);
  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    announce_before (self);
  /* only a gap leaves something to go on from */
  if (is_end && PRIVATE (self)->ended
      && GST_EVENT_TYPE (event) != GST_EVENT_GAP) {
    reset_run (self);
    PRIVATE (self)->ended = FALSE;
    release_all (self, PRIVATE (self)->next_out);
  }
  if (GST_EVENT_TYPE (event) == GST_EVENT_GAP && skips_gap (self, event)) {
    gst_event_unref (event);
    return TRUE;
  }
  if (is_end && GST_EVENT_TYPE (event) == GST_EVENT_CAPS) {
    GstCaps *caps;

    gst_event_parse_caps (event, &caps);
    take_settings (self);
    if (!check_caps (self, caps)) {
      gst_event_unref (event);
      return FALSE;
    }
  }
  return GST_BASE_TRANSFORM_CLASS (gst_eeg_filter_parent_class)
      ->sink_event (trans, event);
}

static gboolean
answer_latency (GstEegFilter *self, GstQuery *query)
{
  GstEegFilterPrivate *priv = PRIVATE (self);
  GstClockTime min, max, own = 0;
  gboolean live;

  if (!gst_pad_peer_query (GST_BASE_TRANSFORM_SINK_PAD (self), query))
    return FALSE;
  GST_OBJECT_LOCK (self);
  if (priv->delay > 0 && priv->live_info.rate_n > 0)
    own = gst_eeg_info_samples_to_time (&priv->live_info, priv->delay);
  GST_OBJECT_UNLOCK (self);

  gst_query_parse_latency (query, &live, &min, &max);
  min += own;
  if (max != GST_CLOCK_TIME_NONE)
    max += own;
  GST_DEBUG_OBJECT (self, "own latency %" GST_TIME_FORMAT, GST_TIME_ARGS (own));
  gst_query_set_latency (query, live, min, max);
  return TRUE;
}

static gboolean
gst_eeg_filter_query (GstBaseTransform *trans, GstPadDirection direction,
    GstQuery *query)
{
  GstEegFilter *self = GST_EEG_FILTER (trans);

  if (direction == GST_PAD_SRC) {
    if (gst_eeg_stage_answer_query (GST_EEG_STAGE (self), trans->srcpad, query))
      return TRUE;
    if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
      return answer_latency (self, query);
  }
  return GST_BASE_TRANSFORM_CLASS (gst_eeg_filter_parent_class)
      ->query (trans, direction, query);
}

/* Buffers of upstream pass through in place; markers are understood. What
 * downstream offered is for other caps, and is not passed on. */
static gboolean
gst_eeg_filter_propose_allocation (GstBaseTransform *trans,
    GstQuery *decide_query, GstQuery *query)
{
  gst_query_add_allocation_meta (query, GST_EEG_MARKER_META_API_TYPE, NULL);
  return TRUE;
}

/* The pool is made for the size that is needed, once that is known. */
static gboolean
gst_eeg_filter_decide_allocation (GstBaseTransform *trans, GstQuery *query)
{
  while (gst_query_get_n_allocation_pools (query) > 0)
    gst_query_remove_nth_allocation_pool (query, 0);
  return TRUE;
}

static gboolean
gst_eeg_filter_start (GstBaseTransform *trans)
{
  GstEegFilter *self = GST_EEG_FILTER (trans);
  GstEegFilterPrivate *priv = PRIVATE (self);
  GError *error = NULL;

  if (GST_EEG_FILTER_GET_CLASS (self)->apply_settings != NULL) {
    g_mutex_lock (&priv->settings_lock);
    apply_settings (self, NULL, FALSE, &error);
    g_mutex_unlock (&priv->settings_lock);
  }
  if (error != NULL) {
    post_error (self, error);
    return FALSE;
  }
  gst_eeg_stage_counters_reset (&priv->counters);
  priv->refused = FALSE;
  priv->configured = FALSE;
  priv->is_new = FALSE;
  priv->running = FALSE;
  priv->ended = FALSE;
  priv->next_in = GST_BUFFER_OFFSET_NONE;
  priv->next_out = GST_BUFFER_OFFSET_NONE;
  priv->skip_to = 0;
  priv->resumed = GST_BUFFER_OFFSET_NONE;
  return TRUE;
}

static gboolean
gst_eeg_filter_stop (GstBaseTransform *trans)
{
  GstEegFilter *self = GST_EEG_FILTER (trans);
  GstEegFilterPrivate *priv = PRIVATE (self);
  GBytes *restore = steal_restore (self);

  g_clear_pointer (&restore, g_bytes_unref);
  g_queue_clear_full (&priv->held, held_free);
  reset_run (self);
  clear_pool (self);
  set_known (self, NULL);
  gst_clear_event (&priv->recording);
  g_clear_pointer (&priv->origins, g_array_unref);
  priv->has_announced = FALSE;
  priv->configured = FALSE;
  GST_OBJECT_LOCK (self);
  priv->delay = 0;
  gst_eeg_info_init (&priv->live_info);
  GST_OBJECT_UNLOCK (self);
  gst_eeg_info_clear (&priv->in_info);
  gst_eeg_info_clear (&priv->out_info);
  return TRUE;
}

static GstEegStageKind
gst_eeg_filter_get_kind (GstEegStage *stage)
{
  return GST_EEG_FILTER_GET_CLASS (stage)->kind;
}

/* Memory is that of the filter and of one buffer more than goes through: what
 * a pool makes beyond depends on how long downstream keeps buffers. */
static gboolean
gst_eeg_filter_estimate (GstEegStage *stage, guint64 input_bytes,
    GstEegEstimate *estimate)
{
  GstEegFilter *self = GST_EEG_FILTER (stage);
  GstEegFilterPrivate *priv = PRIVATE (self);
  GstEegFilterClass *klass = GST_EEG_FILTER_GET_CLASS (self);
  GstEegStageCounters v;

  gst_eeg_stage_counters_get (&priv->counters, &v);
  estimate->memory_bytes =
      klass->get_memory != NULL ? klass->get_memory (self) : 0;
  estimate->threads = 0;
  if (v.bytes_in > 0) {
    estimate->memory_bytes += v.bytes_out / MAX (v.buffers_out, 1);
    estimate->output_bytes =
        gst_util_uint64_scale (input_bytes, v.bytes_out, v.bytes_in);
    estimate->duration =
        gst_util_uint64_scale (input_bytes, v.busy_ns, v.bytes_in);
  }
  return TRUE;
}

static gboolean
gst_eeg_filter_can_resume (GstEegStage *stage, GString *depends_on,
    GError **error)
{
  if (GST_EEG_FILTER_GET_CLASS (stage)->takes_part
      || GST_EEG_STAGE_GET_IFACE (stage)->stateless)
    return TRUE;
  g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_NOT_IMPLEMENTED,
      "%s holds samples and cannot go on without them",
      GST_OBJECT_NAME (stage));
  return FALSE;
}

static GBytes *
gst_eeg_filter_save_state (GstEegStage *stage, GError **error)
{
  GstEegFilter *self = GST_EEG_FILTER (stage);
  GstEegFilterPrivate *priv = PRIVATE (self);
  const Held *held = priv->leaving;
  guint8 header[STATE_SIZE] = { STATE_VERSION };
  GByteArray *state, *saved = NULL;
  GBytes *restore;

  if (!gst_eeg_filter_can_resume (stage, NULL, error))
    return NULL;
  GST_OBJECT_LOCK (self);
  restore = priv->restore != NULL ? g_bytes_ref (priv->restore) : NULL;
  GST_OBJECT_UNLOCK (self);
  /* nothing came since */
  if (restore != NULL)
    return restore;
  if (held != NULL && held->state != NULL)
    saved = g_byte_array_ref (held->state);
  else if (held == NULL && !save_run (self, &saved, error))
    return NULL;
  GST_WRITE_UINT64_LE (header + 8, held != NULL ? held->in : priv->next_in);
  if (saved != NULL) {
    header[1] = STATE_RUNNING;
    GST_WRITE_UINT64_LE (header + 16,
        held != NULL ? held->out : priv->next_out);
  }
  state = g_byte_array_new ();
  g_byte_array_append (state, header, sizeof header);
  if (saved != NULL) {
    g_byte_array_append (state, saved->data, saved->len);
    g_byte_array_unref (saved);
  }
  return g_byte_array_free_to_bytes (state);
}

static gboolean
gst_eeg_filter_restore_state (GstEegStage *stage, GBytes *state, GError **error)
{
  GstEegFilterPrivate *priv = PRIVATE (GST_EEG_FILTER (stage));
  gsize size;
  const guint8 *data;
  gboolean is_damaged;

  if (state == NULL)
    return gst_eeg_stage_keep_state (stage, &priv->restore, NULL, TRUE, error);
  data = g_bytes_get_data (state, &size);
  is_damaged = size < STATE_SIZE || data[0] != STATE_VERSION;
  return gst_eeg_stage_keep_state (stage, &priv->restore, state, !is_damaged,
      error);
}

static void
gst_eeg_filter_stage_init (GstEegStageInterface *iface)
{
  iface->get_kind = gst_eeg_filter_get_kind;
  iface->estimate = gst_eeg_filter_estimate;
  iface->can_resume = gst_eeg_filter_can_resume;
  iface->save_state = gst_eeg_filter_save_state;
  iface->restore_state = gst_eeg_filter_restore_state;
}

static void
gst_eeg_filter_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstEegFilter *self = GST_EEG_FILTER (object);

  switch (id) {
    case PROP_STATS:
      g_value_take_boxed (value,
          gst_eeg_stage_counters_to_structure (&PRIVATE (self)->counters,
              GST_EEG_FILTER_GET_CLASS (self)->kind));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
}

static void
gst_eeg_filter_finalize (GObject *object)
{
  GstEegFilter *self = GST_EEG_FILTER (object);
  GstEegFilterPrivate *priv = PRIVATE (self);

  free_settings (self, priv->settings);
  free_settings (self, priv->good);
  free_settings (self, priv->active);
  g_clear_pointer (&priv->restore, g_bytes_unref);
  gst_eeg_info_clear (&priv->known);
  g_mutex_clear (&priv->settings_lock);
  G_OBJECT_CLASS (gst_eeg_filter_parent_class)->finalize (object);
}

static void
gst_eeg_filter_class_init (GstEegFilterClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);

  object_class->get_property = gst_eeg_filter_get_property;
  object_class->dispatch_properties_changed =
      gst_eeg_filter_dispatch_properties_changed;
  object_class->finalize = gst_eeg_filter_finalize;
  g_object_class_override_property (object_class, PROP_STATS, "stats");

  trans_class->start = gst_eeg_filter_start;
  trans_class->stop = gst_eeg_filter_stop;
  trans_class->transform_caps = gst_eeg_filter_transform_caps;
  trans_class->set_caps = gst_eeg_filter_set_caps;
  trans_class->submit_input_buffer = gst_eeg_filter_submit_input_buffer;
  trans_class->get_unit_size = gst_eeg_filter_get_unit_size;
  trans_class->sink_event = gst_eeg_filter_sink_event;
  trans_class->query = gst_eeg_filter_query;
  trans_class->propose_allocation = gst_eeg_filter_propose_allocation;
  trans_class->decide_allocation = gst_eeg_filter_decide_allocation;
  trans_class->transform = gst_eeg_filter_transform;
  trans_class->generate_output = gst_eeg_filter_generate_output;
  klass->kind = GST_EEG_STAGE_KIND_TRANSFORM;

  gst_type_mark_as_plugin_api (GST_TYPE_EEG_FILTER, 0);
}

static void
gst_eeg_filter_init (GstEegFilter *self)
{
  GstEegFilterPrivate *priv = PRIVATE (self);

  priv->enabled = TRUE;
  priv->was_enabled = TRUE;
  g_mutex_init (&priv->settings_lock);
  gst_eeg_info_init (&priv->known);
  gst_base_transform_set_gap_aware (GST_BASE_TRANSFORM (self), TRUE);
}

/**
 * gst_eeg_filter_get_in_info:
 * @filter: a filter
 *
 * Returns: (transfer none): what comes in; streaming thread only
 */
const GstEegInfo *
gst_eeg_filter_get_in_info (GstEegFilter *filter)
{
  g_return_val_if_fail (GST_IS_EEG_FILTER (filter), NULL);

  return &PRIVATE (filter)->in_info;
}

/**
 * gst_eeg_filter_get_out_info:
 * @filter: a filter
 *
 * Returns: (transfer none): what goes out; streaming thread only
 */
const GstEegInfo *
gst_eeg_filter_get_out_info (GstEegFilter *filter)
{
  g_return_val_if_fail (GST_IS_EEG_FILTER (filter), NULL);

  return &PRIVATE (filter)->out_info;
}

/**
 * gst_eeg_filter_get_counters: (skip)
 * @filter: a filter
 *
 * Returns: (transfer none): the counters behind `stats`
 */
GstEegStageCounters *
gst_eeg_filter_get_counters (GstEegFilter *filter)
{
  g_return_val_if_fail (GST_IS_EEG_FILTER (filter), NULL);

  return &PRIVATE (filter)->counters;
}

/**
 * gst_eeg_filter_set_origins:
 * @filter: a filter that moves channels
 * @origins: (nullable) (array length=n_channels): for each channel that goes
 *     out, the number of the one that comes in and is the same, or the first of
 *     those it is made of; %NULL if all stay in their places
 * @n_channels: how many go out
 *
 * Says where channels come from. On the streaming thread, by set_info().
 */
void
gst_eeg_filter_set_origins (GstEegFilter *filter, const guint *origins,
    guint n_channels)
{
  GstEegFilterPrivate *priv;

  g_return_if_fail (GST_IS_EEG_FILTER (filter));

  priv = PRIVATE (filter);
  g_clear_pointer (&priv->origins, g_array_unref);
  if (origins == NULL)
    return;
  priv->origins = g_array_sized_new (FALSE, FALSE, sizeof *origins, n_channels);
  g_array_append_vals (priv->origins, origins, n_channels);
}

/**
 * gst_eeg_filter_renegotiate:
 * @filter: a filter with #GstEegFilterClass.negotiate
 *
 * Says that settings were changed that decide about what comes out. Before the
 * next buffer what is held goes out, #GstEegFilterClass.negotiate takes the
 * settings over and set_info() is called, with new caps downstream if they
 * differ. Any thread.
 */
void
gst_eeg_filter_renegotiate (GstEegFilter *filter)
{
  g_return_if_fail (GST_IS_EEG_FILTER (filter));

  g_atomic_int_set (&PRIVATE (filter)->renegotiate, TRUE);
}

/**
 * gst_eeg_filter_add_marker: (skip)
 * @filter: a filter
 * @sample: index of the output sample where the marker begins
 * @n_samples: for how many
 * @text: its text
 *
 * Puts a #GstEegMarkerMeta on the next buffer that goes out. Streaming thread
 * only, from the functions of the class.
 */
void
gst_eeg_filter_add_marker (GstEegFilter *filter, guint64 sample,
    guint64 n_samples, const gchar *text)
{
  GstEegFilterPrivate *priv = PRIVATE (filter);
  GstClockTime start, end;

  g_return_if_fail (GST_IS_EEG_FILTER (filter));
  g_return_if_fail (text != NULL);

  start = gst_eeg_info_samples_to_time (&priv->out_info, sample);
  end = gst_eeg_info_samples_to_time (&priv->out_info, sample + n_samples);
  if (priv->markers == NULL)
    priv->markers = gst_buffer_new ();
  gst_buffer_add_eeg_marker_meta (priv->markers, start, end - start, text);
}

/**
 * gst_eeg_filter_get_resumed:
 * @filter: a filter
 *
 * For those that look at where runs begin. Streaming thread only.
 *
 * Returns: index behind the last input sample before the barrier from which the
 *     filter goes on, or %GST_BUFFER_OFFSET_NONE if it does not
 */
guint64
gst_eeg_filter_get_resumed (GstEegFilter *filter)
{
  g_return_val_if_fail (GST_IS_EEG_FILTER (filter), GST_BUFFER_OFFSET_NONE);

  return PRIVATE (filter)->resumed;
}

/**
 * gst_eeg_filter_fail_barriers:
 * @filter: a filter with #GstEegFilterClass.get_look_back
 * @reason: why, to be put behind the filter's name
 *
 * Says that what comes next depends on more than what came in behind the
 * barriers that are on their way through: no checkpoint can be made of them.
 * Streaming thread only.
 */
void
gst_eeg_filter_fail_barriers (GstEegFilter *filter, const gchar *reason)
{
  GList *l;

  g_return_if_fail (GST_IS_EEG_FILTER (filter));
  g_return_if_fail (reason != NULL);

  for (l = PRIVATE (filter)->held.head; l != NULL; l = l->next) {
    GstEegBarrier *barrier;

    gst_eeg_event_parse_barrier (((Held *) l->data)->event, &barrier);
    gst_eeg_barrier_fail (barrier, GST_EEG_STAGE (filter), reason);
  }
}

/**
 * gst_eeg_filter_class_install_enabled: (skip)
 * @klass: class of a filter whose input and output caps are equal
 * @property_id: the number of the property in that class
 *
 * Installs the property `enabled`. The class answers it with
 * gst_eeg_filter_set_enabled() and gst_eeg_filter_get_enabled().
 */
void
gst_eeg_filter_class_install_enabled (GstEegFilterClass *klass,
    guint property_id)
{
  g_return_if_fail (GST_IS_EEG_FILTER_CLASS (klass));

  g_object_class_install_property (G_OBJECT_CLASS (klass), property_id,
      g_param_spec_boolean ("enabled", "Enabled",
          "Whether the filter acts; if not, buffers pass on untouched, after "
          "the samples that were held",
          TRUE,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_PLAYING));
}

/**
 * gst_eeg_filter_set_enabled:
 * @filter: a filter
 * @enabled: whether it acts, from the next buffer on
 */
void
gst_eeg_filter_set_enabled (GstEegFilter *filter, gboolean enabled)
{
  g_return_if_fail (GST_IS_EEG_FILTER (filter));

  GST_OBJECT_LOCK (filter);
  PRIVATE (filter)->enabled = enabled;
  GST_OBJECT_UNLOCK (filter);
  g_atomic_int_set (&PRIVATE (filter)->announce, TRUE);
}

/**
 * gst_eeg_filter_get_enabled:
 * @filter: a filter
 *
 * Returns: whether it acts
 */
gboolean
gst_eeg_filter_get_enabled (GstEegFilter *filter)
{
  gboolean enabled;

  g_return_val_if_fail (GST_IS_EEG_FILTER (filter), FALSE);

  GST_OBJECT_LOCK (filter);
  enabled = PRIVATE (filter)->enabled;
  GST_OBJECT_UNLOCK (filter);
  return enabled;
}

/**
 * gst_eeg_filter_class_install_setting: (skip)
 * @klass: class of a filter with #GstEegFilterClass.apply_settings
 * @property_id: the number of the property in that class
 * @pspec: (transfer floating): the property
 *
 * Installs a property that is part of the settings: after it was set,
 * apply_settings() is called once for all that were set together. The class
 * keeps and answers it in gst_eeg_filter_peek_settings().
 */
void
gst_eeg_filter_class_install_setting (GstEegFilterClass *klass,
    guint property_id, GParamSpec *pspec)
{
  g_return_if_fail (GST_IS_EEG_FILTER_CLASS (klass));

  g_param_spec_set_qdata (pspec, setting_quark (), GINT_TO_POINTER (TRUE));
  g_object_class_install_property (G_OBJECT_CLASS (klass), property_id, pspec);
}

/**
 * gst_eeg_filter_init_settings: (skip)
 * @filter: a filter that is being made, with #GstEegFilterClass.settings_size
 * @defaults: its settings at the start, copied
 */
void
gst_eeg_filter_init_settings (GstEegFilter *filter, gconstpointer defaults)
{
  GstEegFilterPrivate *priv = PRIVATE (filter);
  gpointer *places[] = { &priv->settings, &priv->good, &priv->active };
  guint i;

  g_return_if_fail (GST_IS_EEG_FILTER (filter));
  g_return_if_fail (priv->settings == NULL);

  for (i = 0; i < G_N_ELEMENTS (places); i++) {
    *places[i] = g_malloc0 (GST_EEG_FILTER_GET_CLASS (filter)->settings_size);
    copy_settings (filter, *places[i], defaults);
  }
}

/**
 * gst_eeg_filter_peek_settings: (skip)
 * @filter: a filter with settings
 *
 * Returns: (transfer none): the settings as set, to be read and written under
 *     the object lock
 */
gpointer
gst_eeg_filter_peek_settings (GstEegFilter *filter)
{
  g_return_val_if_fail (GST_IS_EEG_FILTER (filter), NULL);

  return PRIVATE (filter)->settings;
}

/**
 * gst_eeg_filter_get_settings: (skip)
 * @filter: a filter with settings
 * @settings: (out caller-allocates): takes a copy of them as set; holds
 *     settings or only zeroes before
 *
 * Any thread, without the object lock.
 */
void
gst_eeg_filter_get_settings (GstEegFilter *filter, gpointer settings)
{
  g_return_if_fail (GST_IS_EEG_FILTER (filter));

  GST_OBJECT_LOCK (filter);
  copy_settings (filter, settings, PRIVATE (filter)->settings);
  GST_OBJECT_UNLOCK (filter);
}

/**
 * gst_eeg_filter_get_active_settings: (skip)
 * @filter: a filter with #GstEegFilterClass.settings_renegotiate
 * @settings: (out caller-allocates): takes a copy of those that caps were
 *     negotiated with; holds settings or only zeroes before
 *
 * Any thread, without the object lock.
 */
void
gst_eeg_filter_get_active_settings (GstEegFilter *filter, gpointer settings)
{
  g_return_if_fail (GST_IS_EEG_FILTER (filter));

  GST_OBJECT_LOCK (filter);
  copy_settings (filter, settings, PRIVATE (filter)->active);
  GST_OBJECT_UNLOCK (filter);
}

/**
 * gst_eeg_filter_apply_settings: (skip)
 * @filter: a filter with settings
 * @error: (out): takes what is wrong with them
 *
 * Applies the settings as set to what comes in; for set_info(), where they do
 * not become active by negotiation.
 *
 * Returns: whether they can be met
 */
gboolean
gst_eeg_filter_apply_settings (GstEegFilter *filter, GError **error)
{
  GstEegFilterPrivate *priv = PRIVATE (filter);
  gboolean ok;

  g_return_val_if_fail (GST_IS_EEG_FILTER (filter), FALSE);

  g_mutex_lock (&priv->settings_lock);
  ok = apply_settings (filter, &priv->known, FALSE, error);
  g_mutex_unlock (&priv->settings_lock);
  return ok;
}

/**
 * gst_eeg_filter_lock_settings: (skip)
 * @filter: a filter with settings
 *
 * While this lock is held nobody else calls apply_settings(). It is taken
 * before the object lock, and not while something is pushed or posted.
 */
void
gst_eeg_filter_lock_settings (GstEegFilter *filter)
{
  g_return_if_fail (GST_IS_EEG_FILTER (filter));

  g_mutex_lock (&PRIVATE (filter)->settings_lock);
}

/**
 * gst_eeg_filter_unlock_settings: (skip)
 * @filter: a filter with settings
 */
void
gst_eeg_filter_unlock_settings (GstEegFilter *filter)
{
  g_return_if_fail (GST_IS_EEG_FILTER (filter));

  g_mutex_unlock (&PRIVATE (filter)->settings_lock);
}
