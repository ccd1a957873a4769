/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-eegsrc
 * @title: eegsrc
 * @short_description: EEG from a file or a synthetic amplifier
 *
 * Delivers `application/x-eeg-raw` in counts: from EDF, EDF+, BDF and BDF+
 * files with their channel table, markers and gaps, or synthetic EEG that is
 * the same on every machine.
 *
 * |[
 * gst-launch-1.0 eegsrc num-samples=1000 ! fakesink
 * gst-launch-1.0 eegsrc location=night.edf ! rawtovoltage ! fakesink
 * gst-launch-1.0 eegsrc is-live=true driver::loss-rate=0.01 ! fakesink
 * ]|
 *
 * Caps: counts of 16, 24 or 32 bits. What #GstEegSrc:format asks for comes
 * first; downstream may choose any format that holds the samples, a file's own
 * width or wider, the synthetic amplifier's 24 bits in three or four bytes or
 * its 16-bit variant. Counts beyond the declared digital range pass unclipped.
 *
 * Time: PTS and DURATION come from the sample counter, OFFSET and OFFSET_END
 * count samples with the lost ones and the gaps. A gap that a file declares
 * becomes a GAP event; samples that got lost an `eeg-loss` message; both a jump
 * of OFFSET and DISCONT.
 *
 * Latency: live, a buffer leaves when its last sample is due, so the latency is
 * the duration of a buffer; as many buffers as the pool holds can wait.
 *
 * Checkpoints: with #GstEegSrc:checkpoint-interval a barrier goes every so many
 * samples and at the end, and one when an application asks for it
 * (gst_eeg_event_new_barrier_request()); see #GstEegBarrier. A recording goes
 * on from the sample before which its last one went. A file must then be the
 * same: its size, its time of change and hashes of its first and last 64 KiB
 * are compared. Live, and with #GstEegSrc:loop, nothing can go on.
 *
 * End: before the EOS of a true end goes an `eeg-complete` event. It does not
 * go when the driver or an element downstream failed.
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <gst/eeg/eeg.h>

#include "gsteegfiledriver.h"
#include "gsteegsrc.h"
#include "gsteegsyntheticdriver.h"

GST_DEBUG_CATEGORY (gst_eeg_src_debug);
#define GST_CAT_DEFAULT gst_eeg_src_debug

typedef enum
{
  GST_EEG_SRC_DRIVER_AUTO,
  GST_EEG_SRC_DRIVER_SYNTHETIC,
  GST_EEG_SRC_DRIVER_FILE
} GstEegSrcDriver;

typedef enum
{
  GST_EEG_SRC_ON_OVERRUN_WAIT,
  GST_EEG_SRC_ON_OVERRUN_DROP
} GstEegSrcOnOverrun;

enum
{
  PROP_0,
  PROP_DRIVER,
  PROP_LOCATION,
  PROP_IS_LIVE,
  PROP_CHANNELS,
  PROP_RATE,
  PROP_FORMAT,
  PROP_SEED,
  PROP_DURATION,
  PROP_NUM_SAMPLES,
  PROP_NUM_BUFFERS,
  PROP_BUFFER_TIME,
  PROP_POOL_SIZE,
  PROP_ON_OVERRUN,
  PROP_LOOP,
  PROP_CHECKPOINT_INTERVAL,
  PROP_STATS
};

#define DEFAULT_DRIVER GST_EEG_SRC_DRIVER_AUTO
#define DEFAULT_LOCATION NULL
#define DEFAULT_IS_LIVE FALSE
#define DEFAULT_CHANNELS 8
#define DEFAULT_RATE_N 250
#define DEFAULT_RATE_D 1
#define DEFAULT_FORMAT GST_EEG_FORMAT_S32LE
#define DEFAULT_SEED 0
#define DEFAULT_DURATION GST_CLOCK_TIME_NONE
#define DEFAULT_NUM_SAMPLES G_MAXUINT64
#define DEFAULT_NUM_BUFFERS -1
#define DEFAULT_BUFFER_TIME GST_CLOCK_TIME_NONE
#define DEFAULT_POOL_SIZE 0
#define DEFAULT_ON_OVERRUN GST_EEG_SRC_ON_OVERRUN_WAIT
#define DEFAULT_LOOP FALSE
#define DEFAULT_CHECKPOINT_INTERVAL 0

/* What the automatic settings come to */
#define AUTOMATIC_LIVE_BUFFER_TIME (20 * GST_MSECOND)
#define AUTOMATIC_BUFFER_TIME GST_SECOND
#define AUTOMATIC_BUFFER_BYTES (1024 * 1024)
#define AUTOMATIC_LIVE_POOL_TIME GST_SECOND
#define AUTOMATIC_LIVE_POOL_MIN 16

/* A saved state: u8 version, 7 bytes 0, then (little-endian) u64 index of the
 * next sample, id of the barrier, buffers sent; of a file what it is recognised
 * by. */
#define STATE_VERSION 1
#define STATE_SIZE 32

/* Buffer times that need more are refused. */
#define MAX_BUFFER_BYTES (G_GUINT64_CONSTANT (1) << 30)

struct settings
{
  GstEegSrcDriver driver;
  gchar *location;
  guint channels;
  gint rate_n;
  gint rate_d;
  gboolean rate_set; /* by the user: then it also chooses among a file's */
  GstEegFormat format;
  guint64 seed;
  GstClockTime duration;
  guint64 num_samples;
  gint num_buffers;
  GstClockTime buffer_time;
  guint pool_size;
  GstEegSrcOnOverrun on_overrun;
  gboolean loop;
  guint64 checkpoint_interval;
};

/* What other threads ask for while the source runs */
struct published
{
  gboolean running;
  GstCaps *caps;
  GstEegInfo info; /* the format only once negotiated */
  guint64 total;   /* G_MAXUINT64: no end */
  guint frames;    /* per buffer */
  guint capacity;  /* buffers that may wait, 0: any number */
  GstEegAllocator *allocator;
};

struct state
{
  GstEegDriver *driver;
  GstEegInfo info;
  gboolean loop;
  guint64 span;     /* samples until the end, or until it starts over */
  gboolean whole;   /* that end is the driver's, not one that was set */
  guint frames;     /* per buffer */
  guint64 position; /* of the next sample */
  guint64 stop;     /* first sample that is not to be delivered any more */
  guint64 n_buffers;
  gboolean discont;
  gboolean recording_sent;
  gboolean segment_pending;
  gboolean anchored; /* live: running time of the first sample is settled */
  gboolean overrun;

  /* samples before position that are known to be lost, not yet announced */
  guint64 lost_first;
  guint64 lost_count;
  const gchar *lost_reason;
  /* a gap of the recording before position, not yet announced */
  guint64 gap_first;
  guint64 gap_count;

  /* the last buffer: the base class may have thrown it away */
  gboolean handed_out;
  guint64 handed_first;
  guint64 handed_frames;
  gboolean handed_discont;
  gsize handed_bytes;

  GstClockID clock_id; /* reused */

  /* barriers */
  GstEegBarrierInput input;
  guint alignment;    /* samples of a record */
  guint64 interval;   /* of whole records; 0: none */
  guint64 barrier_at; /* of the last one */
  guint64 barrier_id;
  gboolean resumed;  /* there, and none was sent since */
  guint64 resume_at; /* G_MAXUINT64: at no sample */
};

/* Locking: the stream lock (held by the base class around create(), seeks and
 * caps) protects `state`, so does a stopped task. The object lock, a leaf,
 * protects `settings`, `published`, `driver`, `restore` and `request`. The live
 * lock of the base class protects its `clock_id`, through which a waiting
 * create() is woken. None of ours is held over pushes, posts, queries and
 * driver calls. */
struct _GstEegSrc
{
  GstPushSrc parent;

  struct settings settings;
  struct published published;
  GstEegDriver *driver; /* the child; NULL only while it is exchanged */
  GBytes *restore;      /* to go on from, taken by the next start */
  guint32 request;      /* of barriers, the last one's number */
  guint64 part_request; /* the last part whose end was asked for */
  struct state state;

  GstEegStageCounters counters;
  guint64 overruns;   /* atomic */
  gint eos_requested; /* atomic: by the application, of a live source */
  gint flushed;       /* atomic: 1 after a flush, 2 if it reset the time */
  gint requested;     /* atomic: a barrier, at the end of a record */
  gint part_wanted;   /* atomic: the next barrier is to end a part */
};

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS (GST_EEG_RAW_CAPS_MAKE (GST_EEG_FORMATS_COUNTS, "counts")));

static void gst_eeg_src_stage_init (GstEegStageInterface *iface);
static void gst_eeg_src_child_proxy_init (GstChildProxyInterface *iface);

#define gst_eeg_src_parent_class parent_class
G_DEFINE_TYPE_WITH_CODE (GstEegSrc, gst_eeg_src, GST_TYPE_PUSH_SRC,
    G_IMPLEMENT_INTERFACE (GST_TYPE_EEG_STAGE, gst_eeg_src_stage_init)
        G_IMPLEMENT_INTERFACE (GST_TYPE_CHILD_PROXY,
            gst_eeg_src_child_proxy_init))
GST_ELEMENT_REGISTER_DEFINE (eegsrc, "eegsrc", GST_RANK_NONE, GST_TYPE_EEG_SRC);

#define GST_TYPE_EEG_SRC_DRIVER (gst_eeg_src_driver_get_type ())
static GType
gst_eeg_src_driver_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { GST_EEG_SRC_DRIVER_AUTO, "File when location is set, else synthetic",
        "auto" },
    { GST_EEG_SRC_DRIVER_SYNTHETIC, "Synthetic EEG", "synthetic" },
    { GST_EEG_SRC_DRIVER_FILE, "EDF, EDF+, BDF or BDF+ file", "file" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type)) {
    GType new_type = g_enum_register_static ("GstEegSrcDriver", values);

    g_once_init_leave (&type, new_type);
  }
  return type;
}

#define GST_TYPE_EEG_SRC_FORMAT (gst_eeg_src_format_get_type ())
static GType
gst_eeg_src_format_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { GST_EEG_FORMAT_S16LE, "16-bit integer", "S16LE" },
    { GST_EEG_FORMAT_S24LE, "24-bit integer in 3 bytes", "S24LE" },
    { GST_EEG_FORMAT_S32LE, "32-bit integer", "S32LE" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type)) {
    GType new_type = g_enum_register_static ("GstEegSrcFormat", values);

    g_once_init_leave (&type, new_type);
  }
  return type;
}

#define GST_TYPE_EEG_SRC_ON_OVERRUN (gst_eeg_src_on_overrun_get_type ())
static GType
gst_eeg_src_on_overrun_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { GST_EEG_SRC_ON_OVERRUN_WAIT, "Lose nothing and lag behind", "wait" },
    { GST_EEG_SRC_ON_OVERRUN_DROP, "Drop samples and say which", "drop" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type)) {
    GType new_type = g_enum_register_static ("GstEegSrcOnOverrun", values);

    g_once_init_leave (&type, new_type);
  }
  return type;
}

/* --- helpers ------------------------------------------------------------- */

/* The copy's location is to be freed. */
static struct settings
copy_settings (GstEegSrc *self)
{
  struct settings settings;

  GST_OBJECT_LOCK (self);
  settings = self->settings;
  settings.location = g_strdup (settings.location);
  GST_OBJECT_UNLOCK (self);
  return settings;
}

/* transfer full error; posts it, and counts it */
static void
post_error (GstEegSrc *self, GError *error)
{
  gst_eeg_stage_count (&self->counters.errors, 1);
  gst_element_message_full (GST_ELEMENT (self), GST_MESSAGE_ERROR,
      error->domain, error->code, g_strdup (error->message), NULL, __FILE__,
      GST_FUNCTION, __LINE__);
  g_error_free (error);
}

/* The first sample at or after time. */
static guint64
sample_from (const GstEegInfo *info, GstClockTime time)
{
  guint64 sample = gst_eeg_info_time_to_samples (info, time);

  if (gst_eeg_info_samples_to_time (info, sample) < time)
    sample++;
  return sample;
}

static GstEegSrcDriver
resolve_driver (const struct settings *settings)
{
  if (settings->driver != GST_EEG_SRC_DRIVER_AUTO)
    return settings->driver;
  return settings->location != NULL ? GST_EEG_SRC_DRIVER_FILE
                                    : GST_EEG_SRC_DRIVER_SYNTHETIC;
}

/* Makes the child the one that the settings ask for. Its properties are kept
 * when it is that already. */
static void
update_driver (GstEegSrc *self)
{
  GstEegDriver *old = NULL, *driver;
  GType wanted;

  GST_OBJECT_LOCK (self);
  wanted = resolve_driver (&self->settings) == GST_EEG_SRC_DRIVER_FILE
      ? GST_TYPE_EEG_FILE_DRIVER
      : GST_TYPE_EEG_SYNTHETIC_DRIVER;
  if (self->driver != NULL && G_OBJECT_TYPE (self->driver) == wanted) {
    GST_OBJECT_UNLOCK (self);
    return;
  }
  old = self->driver;
  self->driver = NULL;
  GST_OBJECT_UNLOCK (self);

  if (old != NULL) {
    gst_child_proxy_child_removed (GST_CHILD_PROXY (self), G_OBJECT (old),
        GST_OBJECT_NAME (old));
    gst_object_unparent (GST_OBJECT (old));
  }
  driver = g_object_new (wanted, "name", "driver", NULL);
  gst_object_set_parent (GST_OBJECT (driver), GST_OBJECT (self));
  GST_OBJECT_LOCK (self);
  self->driver = driver;
  GST_OBJECT_UNLOCK (self);
  gst_child_proxy_child_added (GST_CHILD_PROXY (self), G_OBJECT (driver),
      GST_OBJECT_NAME (driver));
}

static void
state_reset (struct state *state)
{
  if (state->clock_id != NULL)
    gst_clock_id_unref (state->clock_id);
  if (state->driver != NULL) {
    gst_eeg_driver_close (state->driver);
    gst_object_unref (state->driver);
  }
  gst_eeg_info_clear (&state->info);
  g_free (state->input.path);
  memset (state, 0, sizeof *state);
  state->resume_at = G_MAXUINT64;
  gst_eeg_info_init (&state->info);
}

static void
published_reset (struct published *published)
{
  gst_clear_caps (&published->caps);
  g_clear_object (&published->allocator);
  gst_eeg_info_clear (&published->info);
  memset (published, 0, sizeof *published);
  gst_eeg_info_init (&published->info);
}

/* --- start and stop ------------------------------------------------------ */

/* Settings that no driver can take; FALSE with error set. */
static gboolean
check_settings (GstEegSrc *self, const struct settings *settings,
    gboolean is_file, GError **error)
{
  if (settings->rate_n <= 0 || settings->rate_d <= 0) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "The rate is %d/%d; it must be above 0.", settings->rate_n,
        settings->rate_d);
    return FALSE;
  }
  if (!is_file
      && (settings->channels == 0
          || settings->channels > GST_EEG_MAX_CHANNELS)) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "%u channels are not possible; it must be 1 to %d.", settings->channels,
        GST_EEG_MAX_CHANNELS);
    return FALSE;
  }
  return TRUE;
}

/* Frames per buffer, and how many buffers may wait. FALSE with error set. */
static gboolean
size_buffers (GstEegSrc *self, const struct settings *settings,
    const GstEegInfo *info, guint *frames, guint *capacity, GError **error)
{
  gboolean live = gst_base_src_is_live (GST_BASE_SRC (self));
  GstClockTime time = settings->buffer_time;
  /* the widest format, so that what is negotiated changes nothing */
  guint64 frame_bytes = (guint64) info->channels * 4, n;

  if (!GST_CLOCK_TIME_IS_VALID (time))
    time = live ? AUTOMATIC_LIVE_BUFFER_TIME : AUTOMATIC_BUFFER_TIME;
  n = gst_util_uint64_scale (time, info->rate_n,
      (guint64) info->rate_d * GST_SECOND);
  if (!GST_CLOCK_TIME_IS_VALID (settings->buffer_time))
    n = MIN (n, AUTOMATIC_BUFFER_BYTES / frame_bytes);
  n = MAX (n, 1);
  if (n > MAX_BUFFER_BYTES / frame_bytes) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "A buffer of %" GST_TIME_FORMAT " would need more than 1 GiB.",
        GST_TIME_ARGS (time));
    return FALSE;
  }
  *frames = n;

  *capacity = settings->pool_size;
  if (*capacity == 0 && live) {
    guint64 wanted = gst_util_uint64_scale_ceil (AUTOMATIC_LIVE_POOL_TIME,
        info->rate_n, (guint64) info->rate_d * GST_SECOND * n);

    *capacity = CLAMP (wanted, AUTOMATIC_LIVE_POOL_MIN, G_MAXINT);
  }
  return TRUE;
}

/* What the barriers need, with the driver open: also goes on from where a
 * process before was. FALSE with error set. */
static gboolean
prepare_barriers (GstEegSrc *self, const struct settings *settings,
    GError **error)
{
  struct state *state = &self->state;
  GstEegBarrierInput then;
  const gchar *difference = NULL;
  const guint8 *blob;
  GBytes *restore;
  guint64 interval = settings->checkpoint_interval;
  gboolean ok = TRUE;
  gsize size;

  GST_OBJECT_LOCK (self);
  restore = g_steal_pointer (&self->restore);
  self->request = GST_SEQNUM_INVALID;
  self->part_request = 0;
  GST_OBJECT_UNLOCK (self);
  g_atomic_int_set (&self->requested, FALSE);
  g_atomic_int_set (&self->part_wanted, FALSE);

  state->alignment = gst_eeg_driver_get_alignment (state->driver);
  state->interval = interval;
  if (interval % state->alignment != 0
      && interval <= G_MAXUINT64 - state->alignment)
    state->interval += state->alignment - interval % state->alignment;
  state->input.position = G_MAXUINT64;
  if (gst_eeg_driver_has_input (state->driver)
      && (interval > 0 || restore != NULL))
    ok = gst_eeg_driver_identify (state->driver, &state->input, error);
  if (ok && restore != NULL) {
    /* its size was checked when it came */
    blob = g_bytes_get_data (restore, &size);
    if (gst_eeg_driver_has_input (state->driver)
        && gst_eeg_barrier_input_from_bytes (&then, blob + STATE_SIZE,
            size - STATE_SIZE))
      difference = gst_eeg_barrier_input_find_difference (&then, &state->input);
    else if (gst_eeg_driver_has_input (state->driver) || size != STATE_SIZE)
      difference = "is no file any more, or was none";
    state->resume_at = state->barrier_at = GST_READ_UINT64_LE (blob + 8);
    state->barrier_id = GST_READ_UINT64_LE (blob + 16);
    state->n_buffers = GST_READ_UINT64_LE (blob + 24);
    state->resumed = TRUE;
    GST_INFO_OBJECT (self, "going on at sample %" G_GUINT64_FORMAT,
        state->resume_at);
    if (difference != NULL)
      g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
          "The input %s since the checkpoint, so nothing can be continued.",
          difference);
  }
  g_clear_pointer (&restore, g_bytes_unref);
  return ok && difference == NULL;
}

static gboolean
gst_eeg_src_start (GstBaseSrc *src)
{
  GstEegSrc *self = GST_EEG_SRC (src);
  struct settings settings = copy_settings (self);
  struct state *state = &self->state;
  struct published *published = &self->published;
  GstEegDriverConfig config = { 0 };
  const GstStructure *streams;
  GError *error = NULL;
  GstCaps *caps;
  gboolean is_file;
  guint capacity;
  gint rate_n, rate_d;
  guint64 limit;

  state_reset (state);
  gst_eeg_stage_counters_reset (&self->counters);
  __atomic_store_n (&self->overruns, 0, __ATOMIC_RELAXED);
  g_atomic_int_set (&self->eos_requested, FALSE);
  g_atomic_int_set (&self->flushed, 0);

  update_driver (self);
  is_file = resolve_driver (&settings) == GST_EEG_SRC_DRIVER_FILE;
  if (!check_settings (self, &settings, is_file, &error))
    goto failed;

  GST_OBJECT_LOCK (self);
  state->driver = gst_object_ref (self->driver);
  GST_OBJECT_UNLOCK (self);
  config.location = settings.location;
  config.seed = settings.seed;
  config.channels = settings.channels;
  config.format = settings.format;
  if (!is_file || settings.rate_set) {
    config.rate_n = settings.rate_n;
    config.rate_d = settings.rate_d;
  }
  if (!gst_eeg_driver_open (state->driver, &config, &error))
    goto failed;

  gst_eeg_driver_get_rate (state->driver, &rate_n, &rate_d);
  gst_eeg_info_set (&state->info, settings.format, GST_EEG_DOMAIN_COUNTS,
      rate_n, rate_d, gst_eeg_driver_get_channels (state->driver), NULL);
  if (!size_buffers (self, &settings, &state->info, &state->frames, &capacity,
          &error))
    goto failed;
  if (!prepare_barriers (self, &settings, &error))
    goto failed;

  limit = settings.num_samples;
  if (GST_CLOCK_TIME_IS_VALID (settings.duration))
    limit = MIN (limit, sample_from (&state->info, settings.duration));
  state->span = MIN (gst_eeg_driver_get_total (state->driver), limit);
  state->whole = state->span < limit;
  /* what never ends cannot start over */
  state->loop = settings.loop && state->span != G_MAXUINT64 && state->span > 0;
  state->stop = state->loop ? G_MAXUINT64 : state->span;
  if (state->resumed && state->resume_at > state->stop) {
    g_set_error (&error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "The checkpoint is at sample %" G_GUINT64_FORMAT
        ", but the input ends at %" G_GUINT64_FORMAT ".",
        state->resume_at, state->stop);
    goto failed;
  }

  caps = gst_eeg_driver_get_caps (state->driver);
  GST_OBJECT_LOCK (self);
  published_reset (published);
  published->running = TRUE;
  published->caps = caps;
  gst_eeg_info_copy_into (&state->info, &published->info);
  published->total = state->loop ? G_MAXUINT64 : state->span;
  published->frames = state->frames;
  published->capacity = capacity;
  GST_OBJECT_UNLOCK (self);

  streams = gst_eeg_driver_get_streams (state->driver);
  if (streams != NULL)
    gst_element_post_message (GST_ELEMENT (self),
        gst_message_new_element (GST_OBJECT (self),
            gst_structure_copy (streams)));
  g_free (settings.location);
  return TRUE;

failed:
  g_free (settings.location);
  state_reset (state);
  post_error (self, error);
  return FALSE;
}

static void
announce_loss (GstEegSrc *self)
{
  struct state *state = &self->state;

  if (state->lost_count == 0)
    return;
  GST_WARNING_OBJECT (self,
      "%" G_GUINT64_FORMAT " samples from %" G_GUINT64_FORMAT " on lost: %s",
      state->lost_count, state->lost_first, state->lost_reason);
  gst_element_post_message (GST_ELEMENT (self),
      gst_eeg_message_new_loss (GST_OBJECT (self), state->lost_first,
          state->lost_count, state->lost_reason));
  state->lost_count = 0;
}

static gboolean
gst_eeg_src_stop (GstBaseSrc *src)
{
  GstEegSrc *self = GST_EEG_SRC (src);

  announce_loss (self);
  state_reset (&self->state);
  GST_OBJECT_LOCK (self);
  published_reset (&self->published);
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

/* --- caps and memory ----------------------------------------------------- */

static GstCaps *
gst_eeg_src_get_caps (GstBaseSrc *src, GstCaps *filter)
{
  GstEegSrc *self = GST_EEG_SRC (src);
  GstCaps *caps = NULL;

  GST_OBJECT_LOCK (self);
  if (self->published.caps != NULL)
    caps = gst_caps_ref (self->published.caps);
  GST_OBJECT_UNLOCK (self);
  if (caps == NULL)
    caps = gst_pad_get_pad_template_caps (GST_BASE_SRC_PAD (src));
  if (filter != NULL) {
    GstCaps *both =
        gst_caps_intersect_full (filter, caps, GST_CAPS_INTERSECT_FIRST);

    gst_caps_unref (caps);
    caps = both;
  }
  return caps;
}

/* The base class reports a failure as an internal data stream error only. */
static gboolean
gst_eeg_src_negotiate (GstBaseSrc *src)
{
  GstEegSrc *self = GST_EEG_SRC (src);
  GstPad *pad = GST_BASE_SRC_PAD (src);
  GstCaps *ours, *theirs;

  if (GST_BASE_SRC_CLASS (parent_class)->negotiate (src))
    return TRUE;
  if (GST_PAD_IS_FLUSHING (pad))
    return FALSE;
  ours = gst_pad_query_caps (pad, NULL);
  theirs = gst_pad_peer_query_caps (pad, NULL);
  gst_eeg_stage_count (&self->counters.errors, 1);
  GST_ELEMENT_ERROR (self, CORE, NEGOTIATION,
      ("The samples do not have the format that the next element takes."),
      ("%" GST_PTR_FORMAT " and %" GST_PTR_FORMAT " have nothing in common",
          ours, theirs));
  gst_clear_caps (&ours);
  gst_clear_caps (&theirs);
  return FALSE;
}

static gboolean
gst_eeg_src_set_caps (GstBaseSrc *src, GstCaps *caps)
{
  GstEegSrc *self = GST_EEG_SRC (src);
  struct state *state = &self->state;

  if (!gst_eeg_info_from_caps (&state->info, caps))
    return FALSE;
  gst_eeg_driver_set_format (state->driver, state->info.format);
  GST_OBJECT_LOCK (self);
  gst_eeg_info_copy_into (&state->info, &self->published.info);
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

/* Always a pool of ours: its bound is what the latency and the handling of
 * overruns rest on. */
static gboolean
gst_eeg_src_decide_allocation (GstBaseSrc *src, GstQuery *query)
{
  GstEegSrc *self = GST_EEG_SRC (src);
  struct state *state = &self->state;
  GstAllocator *allocator = NULL;
  GstBufferPool *pool;
  GstStructure *config;
  GstCaps *caps;
  gsize size = state->frames * state->info.bytes_per_frame;
  guint min = 0, max, i;

  gst_query_parse_allocation (query, &caps, NULL);
  if (gst_query_get_n_allocation_pools (query) > 0)
    gst_query_parse_nth_allocation_pool (query, 0, NULL, NULL, &min, NULL);
  GST_OBJECT_LOCK (self);
  max = self->published.capacity;
  GST_OBJECT_UNLOCK (self);
  /* what downstream holds back must not eat up what may wait */
  if (max > 0)
    max = min < G_MAXUINT - max ? max + min : G_MAXUINT;

  pool = gst_eeg_buffer_pool_new (caps, size, max == 1 ? 1 : 2, max);
  if (pool == NULL) {
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS, (NULL),
        ("No pool for buffers of %" G_GSIZE_FORMAT " bytes", size));
    return FALSE;
  }
  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_get_allocator (config, &allocator, NULL);
  GST_OBJECT_LOCK (self);
  g_set_object (&self->published.allocator, GST_EEG_ALLOCATOR (allocator));
  GST_OBJECT_UNLOCK (self);
  gst_structure_free (config);

  for (i = gst_query_get_n_allocation_pools (query); i > 1; i--)
    gst_query_remove_nth_allocation_pool (query, i - 1);
  if (i == 1)
    gst_query_set_nth_allocation_pool (query, 0, pool, size, 2, max);
  else
    gst_query_add_allocation_pool (query, pool, size, 2, max);
  gst_object_unref (pool);
  return TRUE;
}

/* --- seeking ------------------------------------------------------------- */

static gboolean
gst_eeg_src_is_seekable (GstBaseSrc *src)
{
  return !gst_base_src_is_live (src);
}

/* Without it the base class would flush first and then fail. */
static gboolean
can_seek (GstEvent *event)
{
  gdouble rate;
  GstFormat format;

  gst_event_parse_seek (event, &rate, &format, NULL, NULL, NULL, NULL, NULL);
  return rate > 0.0
      && (format == GST_FORMAT_TIME || format == GST_FORMAT_DEFAULT);
}

/* Positions in samples become times here. Times of samples are rounded down
 * to nanoseconds; do_seek() finds the same sample again. */
static gboolean
gst_eeg_src_prepare_seek_segment (GstBaseSrc *src, GstEvent *event,
    GstSegment *segment)
{
  GstEegSrc *self = GST_EEG_SRC (src);
  GstSeekType types[2];
  gint64 values[2];
  GstSeekFlags flags;
  GstFormat format;
  GstEegInfo info;
  guint64 total;
  gdouble rate;
  gboolean ok = TRUE;
  gint i;

  gst_event_parse_seek (event, &rate, &format, &flags, &types[0], &values[0],
      &types[1], &values[1]);
  if (format != GST_FORMAT_DEFAULT)
    return FALSE;

  gst_eeg_info_init (&info);
  GST_OBJECT_LOCK (self);
  if (self->published.running)
    gst_eeg_info_copy_into (&self->published.info, &info);
  total = self->published.total;
  gst_segment_copy_into (&src->segment, segment);
  GST_OBJECT_UNLOCK (self);
  if (info.rate_n == 0)
    return FALSE;

  for (i = 0; i < 2 && ok; i++) {
    if (types[i] == GST_SEEK_TYPE_NONE)
      continue;
    if (types[i] == GST_SEEK_TYPE_END) {
      ok = total <= G_MAXINT64;
      values[i] += (gint64) total;
      types[i] = GST_SEEK_TYPE_SET;
    } else if (values[i] == -1) {
      continue;
    }
    values[i] = ok
        ? (gint64) gst_eeg_info_samples_to_time (&info, MAX (values[i], 0))
        : 0;
  }
  gst_eeg_info_clear (&info);
  if (types[0] == GST_SEEK_TYPE_NONE)
    values[0] = segment->start;
  if (types[1] == GST_SEEK_TYPE_NONE)
    values[1] = segment->stop;
  if (values[1] != -1 && values[0] > values[1])
    ok = FALSE;
  return ok
      && gst_segment_do_seek (segment, rate, GST_FORMAT_TIME, flags, types[0],
          values[0], types[1], values[1], NULL);
}

static gboolean
gst_eeg_src_do_seek (GstBaseSrc *src, GstSegment *segment)
{
  GstEegSrc *self = GST_EEG_SRC (src);
  struct state *state = &self->state;
  guint64 total = state->loop ? G_MAXUINT64 : state->span;

  announce_loss (self);
  state->position = sample_from (&state->info, segment->position);
  if (state->resume_at != G_MAXUINT64) {
    state->position = state->resume_at;
    state->resume_at = G_MAXUINT64;
  }
  state->barrier_at = state->position;
  state->stop = total;
  if (GST_CLOCK_TIME_IS_VALID (segment->stop))
    state->stop = MIN (total, sample_from (&state->info, segment->stop));
  state->gap_count = 0;
  state->handed_out = FALSE;
  state->segment_pending = TRUE;
  state->discont = TRUE;
  g_atomic_int_set (&self->eos_requested, FALSE);

  segment->duration = total == G_MAXUINT64
      ? -1
      : (gint64) gst_eeg_info_samples_to_time (&state->info, total);
  /* The base class prepares seeks in samples without knowing what ran before;
   * for those in time this changes nothing. */
  if (!(segment->flags & GST_SEGMENT_FLAG_RESET)
      && GST_CLOCK_TIME_IS_VALID (src->segment.position))
    segment->base = gst_segment_to_running_time (&src->segment, GST_FORMAT_TIME,
        src->segment.position);
  GST_DEBUG_OBJECT (self,
      "at sample %" G_GUINT64_FORMAT ", until %" G_GUINT64_FORMAT,
      state->position, state->stop);
  return TRUE;
}

/* --- delivering ---------------------------------------------------------- */

static void
add_loss (GstEegSrc *self, guint64 first, guint64 count, const gchar *reason)
{
  struct state *state = &self->state;

  if (state->lost_count > 0
      && (state->lost_first + state->lost_count != first
          || state->lost_reason != reason))
    announce_loss (self);
  if (state->lost_count == 0) {
    state->lost_first = first;
    state->lost_reason = reason;
  }
  state->lost_count += count;
  state->discont = TRUE;
  gst_eeg_stage_count (&self->counters.lost, count);
}

static void
announce_gap (GstEegSrc *self)
{
  struct state *state = &self->state;
  GstClockTime start, end;

  /* right after a seek into a gap there is no segment yet */
  if (state->gap_count > 0 && !state->segment_pending) {
    start = gst_eeg_info_samples_to_time (&state->info, state->gap_first);
    end = gst_eeg_info_samples_to_time (&state->info,
        state->gap_first + state->gap_count);
    gst_pad_push_event (GST_BASE_SRC_PAD (self),
        gst_event_new_gap (start, end - start));
  }
  state->gap_count = 0;
}

/* How long ago by the clock a live source was at its next sample. Who wakes
 * late has begun no later; without a clock, what is sampled already has to
 * tell. */
static GstClockTime
get_age (GstEegSrc *self, guint64 frames)
{
  GstBaseSrc *src = GST_BASE_SRC (self);
  struct state *state = &self->state;
  GstClockTime age = gst_eeg_info_samples_to_time (&state->info, frames);
  GstClockTime due =
      gst_segment_to_running_time (&src->segment, GST_FORMAT_TIME,
          gst_eeg_info_samples_to_time (&state->info, state->position));
  GstClock *clock = gst_element_get_clock (GST_ELEMENT (self));
  GstClockTime now;

  if (clock == NULL || !GST_CLOCK_TIME_IS_VALID (due)) {
    gst_clear_object (&clock);
    return age;
  }
  due += gst_element_get_base_time (GST_ELEMENT (self));
  now = gst_clock_get_time (clock);
  gst_object_unref (clock);
  return now > due ? MAX (now - due, age) : age;
}

/* Who and when, once, before the first buffer. A live source starts now, less
 * what lies between its first sample and now. */
static void
send_recording (GstEegSrc *self, guint64 frames)
{
  GstBaseSrc *src = GST_BASE_SRC (self);
  struct state *state = &self->state;
  const GstStructure *recording;
  GstStructure *fields;

  if (state->recording_sent)
    return;
  state->recording_sent = TRUE;
  recording = gst_eeg_driver_get_recording (state->driver);
  fields = recording != NULL ? gst_structure_copy (recording)
                             : gst_structure_new_empty ("eeg-recording");
  if (gst_base_src_is_live (src)
      && !gst_structure_has_field (fields, GST_EEG_RECORDING_START_TIME)) {
    GDateTime *now = g_date_time_new_now_local ();
    gint64 local = g_date_time_to_unix (now) * G_USEC_PER_SEC
        + g_date_time_get_microsecond (now) + g_date_time_get_utc_offset (now);
    guint64 since = gst_eeg_info_samples_to_time (&state->info, state->position)
        + get_age (self, frames);

    gst_structure_set (fields, GST_EEG_RECORDING_START_TIME, G_TYPE_INT64,
        local * 1000 - (gint64) since, NULL);
    g_date_time_unref (now);
  }
  gst_pad_push_event (GST_BASE_SRC_PAD (src),
      gst_eeg_event_new_recording (fields));
}

/* --- barriers ------------------------------------------------------------ */

static void
send_barrier (GstEegSrc *self, gboolean is_end)
{
  struct state *state = &self->state;
  GstEegBarrier *barrier =
      gst_eeg_barrier_new (++state->barrier_id, state->position);

  state->barrier_at = state->position;
  state->resumed = FALSE;
  /* nothing comes behind the end */
  if (!is_end
      && g_atomic_int_compare_and_exchange (&self->part_wanted, TRUE, FALSE))
    gst_eeg_barrier_set_ends_part (barrier);
  if (gst_eeg_driver_has_input (state->driver)) {
    state->input.position = state->position;
    gst_eeg_barrier_set_input (barrier, &state->input);
  }
  if (state->interval > 0)
    gst_eeg_barrier_set_interval (barrier,
        gst_eeg_info_samples_to_time (&state->info, state->interval));
  gst_eeg_barrier_add_stage (barrier, GST_EEG_STAGE (self));
  gst_pad_push_event (GST_BASE_SRC_PAD (self),
      gst_eeg_event_new_barrier (barrier));
  gst_eeg_barrier_unref (barrier);
}

/* Sends a barrier if one is due; *left is how many samples may go before the
 * next one. FALSE with error set. */
static gboolean
send_due_barrier (GstEegSrc *self, guint64 *left, GError **error)
{
  struct state *state = &self->state;
  guint64 interval = state->interval, next = G_MAXUINT64;
  gboolean requested = g_atomic_int_get (&self->requested);

  if (requested && state->input.path == NULL
      && gst_eeg_driver_has_input (state->driver)
      && !gst_eeg_driver_identify (state->driver, &state->input, error))
    return FALSE;
  if (interval > 0)
    next = state->barrier_at - state->barrier_at % interval + interval;
  if (requested) {
    guint64 rest = state->position % state->alignment;

    /* where nothing went since the last one, that one is as good */
    next =
        MIN (next, state->position + (rest > 0 ? state->alignment - rest : 0));
  }
  if (state->position >= next) {
    g_atomic_int_set (&self->requested, FALSE);
    if (state->position > state->barrier_at)
      send_barrier (self, FALSE);
    next = interval > 0
        ? state->barrier_at - state->barrier_at % interval + interval
        : G_MAXUINT64;
  }
  *left = next - state->position;
  return TRUE;
}

/* The true end. */
static GstFlowReturn
finish (GstEegSrc *self)
{
  GstBaseSrc *src = GST_BASE_SRC (self);
  struct state *state = &self->state;

  announce_loss (self);
  send_recording (self, 0);
  /* so that the sink can tell this pipeline by it */
  if (state->interval > 0
      && (state->resumed || state->barrier_id == 0
          || state->position > state->barrier_at))
    send_barrier (self, TRUE);
  /* the end of a segment seek is no end: the application goes on from here */
  if (!(src->segment.flags & GST_SEGMENT_FLAG_SEGMENT))
    gst_pad_push_event (GST_BASE_SRC_PAD (src),
        gst_eeg_event_new_complete (state->position));
  return GST_FLOW_EOS;
}

/* Live: sample 0 belongs to running time 0; but when the source joins a
 * pipeline that runs already, or after a flush that reset the time, the next
 * sample belongs to now. */
static void
anchor (GstEegSrc *self)
{
  GstBaseSrc *src = GST_BASE_SRC (self);
  struct state *state = &self->state;
  GstClockTime now = 0, position, base_time;
  GstSegment segment;
  GstClock *clock;

  if (state->anchored)
    return;
  state->anchored = TRUE;
  clock = gst_element_get_clock (GST_ELEMENT (self));
  if (clock == NULL)
    return;
  base_time = gst_element_get_base_time (GST_ELEMENT (self));
  now = gst_clock_get_time (clock);
  now = now > base_time ? now - base_time : 0;
  gst_object_unref (clock);
  if (state->position == 0
      && now <= gst_eeg_info_samples_to_time (&state->info, state->frames))
    return;

  position = gst_eeg_info_samples_to_time (&state->info, state->position);
  gst_segment_copy_into (&src->segment, &segment);
  segment.start = segment.time = segment.position = position;
  segment.base = now;
  segment.offset = 0;
  GST_DEBUG_OBJECT (self,
      "sample %" G_GUINT64_FORMAT " is at running time %" GST_TIME_FORMAT,
      state->position, GST_TIME_ARGS (now));
  gst_base_src_new_segment (src, &segment);
  state->segment_pending = TRUE;
}

/* Waits until sample is due; *late is how long ago that was. */
static GstFlowReturn
wait_for_sample (GstEegSrc *self, guint64 sample, GstClockTime *late)
{
  GstBaseSrc *src = GST_BASE_SRC (self);
  struct state *state = &self->state;
  GstClockReturn status = GST_CLOCK_UNSCHEDULED;

  *late = 0;
  while (status == GST_CLOCK_UNSCHEDULED) {
    GstClockTime target, running_time;
    GstClockTimeDiff jitter = 0;
    GstFlowReturn ret;
    GstClock *clock = gst_element_get_clock (GST_ELEMENT (self));

    if (clock == NULL) {
      GST_LOG_OBJECT (self, "no clock to wait for");
      return GST_FLOW_OK;
    }
    running_time = gst_segment_to_running_time (&src->segment, GST_FORMAT_TIME,
        gst_eeg_info_samples_to_time (&state->info, sample));
    target = running_time + gst_element_get_base_time (GST_ELEMENT (self));
    if (state->clock_id != NULL
        && !gst_clock_id_uses_clock (state->clock_id, clock)) {
      gst_clock_id_unref (state->clock_id);
      state->clock_id = NULL;
    }
    if (state->clock_id == NULL)
      state->clock_id = gst_clock_new_single_shot_id (clock, target);
    else
      gst_clock_single_shot_id_reinit (clock, state->clock_id, target);
    gst_object_unref (clock);

    /* From here on the base class unschedules it for a pause and a flush, and
     * send_event() for EOS; what came before shows in the next calls. */
    g_mutex_lock (&src->live_lock);
    src->clock_id = state->clock_id;
    g_mutex_unlock (&src->live_lock);
    ret = gst_base_src_wait_playing (src);
    if (ret == GST_FLOW_OK && !g_atomic_int_get (&self->eos_requested))
      status = gst_clock_id_wait (state->clock_id, &jitter);
    g_mutex_lock (&src->live_lock);
    src->clock_id = NULL;
    g_mutex_unlock (&src->live_lock);

    if (ret != GST_FLOW_OK)
      return ret;
    if (g_atomic_int_get (&self->eos_requested))
      return GST_FLOW_OK;
    if (jitter > 0)
      *late = jitter;
  }
  return GST_FLOW_OK;
}

/* Is the source so late that the pool could not hold what it missed? */
static gboolean
is_overrun (GstEegSrc *self, GstClockTime late)
{
  struct state *state = &self->state;
  guint64 behind = gst_util_uint64_scale (late, state->info.rate_n,
      (guint64) state->info.rate_d * GST_SECOND);
  guint capacity;
  gboolean overrun;

  GST_OBJECT_LOCK (self);
  capacity = self->published.capacity;
  GST_OBJECT_UNLOCK (self);
  overrun = behind > (guint64) capacity * state->frames;
  if (overrun && !state->overrun) {
    __atomic_fetch_add (&self->overruns, 1, __ATOMIC_RELAXED);
    GST_WARNING_OBJECT (self, "%" GST_TIME_FORMAT " behind",
        GST_TIME_ARGS (late));
  }
  state->overrun = overrun;
  return overrun;
}

/* An empty buffer of the pool. GST_FLOW_EOS: none is free, and not to wait. */
static GstFlowReturn
acquire (GstEegSrc *self, gboolean wait, GstBuffer **buffer)
{
  GstBufferPool *pool = gst_base_src_get_buffer_pool (GST_BASE_SRC (self));
  GstBufferPoolAcquireParams params = {
    .flags = wait ? 0 : GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT,
  };
  GstFlowReturn ret;

  if (pool == NULL)
    return GST_FLOW_NOT_NEGOTIATED;
  ret = gst_buffer_pool_acquire_buffer (pool, buffer, &params);
  gst_object_unref (pool);
  return ret;
}

typedef struct
{
  GstBuffer *buffer;
  GstClockTime offset; /* of the driver's sample 0 */
} MarkerTarget;

static void
add_marker (GstClockTime time, GstClockTime duration, const gchar *text,
    gpointer user_data)
{
  MarkerTarget *target = user_data;

  gst_buffer_add_eeg_marker_meta (target->buffer, time + target->offset,
      duration, text);
}

/* Fills buffer with the frames from first on, which the driver counts from
 * offset. */
static gboolean
fill (GstEegSrc *self, GstBuffer *buffer, guint64 offset, guint64 first,
    guint frames, GError **error)
{
  struct state *state = &self->state;
  MarkerTarget target = { buffer,
    gst_eeg_info_samples_to_time (&state->info, offset) };
  GstClockTime began = gst_util_get_timestamp ();
  GstMapInfo map;
  gboolean ok;

  if (!gst_buffer_map (buffer, &map, GST_MAP_WRITE)) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED,
        "A buffer could not be mapped.");
    return FALSE;
  }
  ok = gst_eeg_driver_read (state->driver, first - offset, frames, map.data,
      add_marker, &target, error);
  gst_buffer_unmap (buffer, &map);
  gst_buffer_set_size (buffer, frames * state->info.bytes_per_frame);
  gst_eeg_stage_count (&self->counters.busy_ns,
      gst_util_get_timestamp () - began);
  return ok;
}

/* The base class drops a finished buffer when the source is flushed just then,
 * and after GStreamer 1.22 also when it is paused. It moves its position only
 * when it pushes: so this tells whether it did, and goes back if not. */
static void
take_back_dropped (GstEegSrc *self)
{
  GstBaseSrc *src = GST_BASE_SRC (self);
  struct state *state = &self->state;
  GstClockTime end;

  if (!state->handed_out)
    return;
  state->handed_out = FALSE;
  end = gst_eeg_info_samples_to_time (&state->info,
      state->handed_first + state->handed_frames);
  if (GST_CLOCK_TIME_IS_VALID (src->segment.stop))
    end = MIN (end, src->segment.stop);
  if (src->segment.position == end)
    return;

  GST_DEBUG_OBJECT (self, "samples from %" G_GUINT64_FORMAT " on once more",
      state->handed_first);
  state->position = state->handed_first;
  state->discont |= state->handed_discont;
  state->n_buffers--;
  gst_eeg_stage_count (&self->counters.buffers_out, -1);
  gst_eeg_stage_count (&self->counters.bytes_out, -state->handed_bytes);
  gst_eeg_stage_count (&self->counters.samples_out, -state->handed_frames);
}

/* Stamps a filled buffer and announces what lies before it. */
static void
hand_out (GstEegSrc *self, GstBuffer *buffer, guint64 first, guint frames)
{
  struct state *state = &self->state;

  send_recording (self, frames);
  announce_loss (self);
  announce_gap (self);
  gst_eeg_info_stamp_buffer (&state->info, buffer, first, frames);
  if (state->discont)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  state->handed_out = TRUE;
  state->handed_first = first;
  state->handed_frames = frames;
  state->handed_discont = state->discont;
  state->handed_bytes = gst_buffer_get_size (buffer);
  state->discont = FALSE;
  state->segment_pending = FALSE;
  state->position = first + frames;
  state->n_buffers++;
  gst_eeg_stage_count_out (&self->counters, state->handed_bytes, frames);
}

static GstFlowReturn
gst_eeg_src_create (GstPushSrc *push_src, GstBuffer **buffer)
{
  GstEegSrc *self = GST_EEG_SRC (push_src);
  GstBaseSrc *src = GST_BASE_SRC (self);
  struct state *state = &self->state;
  gboolean live = gst_base_src_is_live (src);
  GstBuffer *out = NULL;
  GError *error = NULL;
  gboolean drop;
  gint flushed, num_buffers;
  guint64 left;

  GST_OBJECT_LOCK (self);
  drop = live && self->settings.on_overrun == GST_EEG_SRC_ON_OVERRUN_DROP;
  num_buffers = self->settings.num_buffers;
  GST_OBJECT_UNLOCK (self);

  flushed = g_atomic_int_and ((guint *) &self->flushed, 0);
  if (flushed > 0) {
    state->segment_pending = TRUE;
    state->discont = TRUE;
  }
  if (flushed > 1)
    state->anchored = FALSE;
  take_back_dropped (self);
  if (live)
    anchor (self);
  if (!send_due_barrier (self, &left, &error))
    goto failed;

  for (;;) {
    GstEegDriverBlock block;
    guint64 offset = 0, end, first;
    guint frames;
    GstFlowReturn ret;

    if (g_atomic_int_get (&self->eos_requested)
        || (num_buffers >= 0 && state->n_buffers >= (guint64) num_buffers))
      return finish (self);
    if (state->position >= state->stop) {
      /* the driver's own end: it knows whether that is the whole recording */
      if (state->whole && !GST_CLOCK_TIME_IS_VALID (src->segment.stop)
          && !gst_eeg_driver_locate (state->driver, state->stop, 1, &block,
              &error))
        goto failed;
      return finish (self);
    }

    if (state->loop)
      offset = state->position - state->position % state->span;
    end = state->stop - offset;
    if (state->loop)
      end = MIN (end, state->span);
    if (state->loop && state->position == offset && offset > 0)
      state->discont = TRUE;
    frames = MIN (state->frames, end - (state->position - offset));
    frames = (guint) MIN (frames, left);
    if (!gst_eeg_driver_locate (state->driver, state->position - offset, frames,
            &block, &error))
      goto failed;
    if (block.frames == 0 && block.first + offset == state->position)
      return finish (self);

    /* nothing behind the end counts, neither frames nor missing ones */
    block.first = MIN (block.first, end);
    frames = MIN (block.frames, end - block.first);
    first = block.first + offset;
    if (first > state->position) {
      if (block.reason != NULL) {
        add_loss (self, state->position, first - state->position, block.reason);
      } else {
        announce_gap (self);
        state->gap_first = state->position;
        state->gap_count = first - state->position;
        state->discont = TRUE;
      }
      state->position = first;
    }

    if (live) {
      GstClockTime late;

      ret = wait_for_sample (self, first + frames, &late);
      if (ret != GST_FLOW_OK)
        return ret;
      if (is_overrun (self, late) && drop && frames > 0) {
        add_loss (self, first, frames, "overrun");
        state->position = first + frames;
        continue;
      }
    }
    if (frames == 0 || g_atomic_int_get (&self->eos_requested))
      continue;

    ret = acquire (self, !drop, &out);
    if (ret == GST_FLOW_EOS) {
      add_loss (self, first, frames, "overrun");
      state->position = first + frames;
      continue;
    }
    if (ret != GST_FLOW_OK) {
      if (ret == GST_FLOW_FLUSHING && g_atomic_int_get (&self->eos_requested))
        continue;
      if (ret == GST_FLOW_ERROR) {
        g_set_error (&error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED,
            "A buffer could not be allocated.");
        goto failed;
      }
      return ret;
    }
    if (!fill (self, out, offset, first, frames, &error))
      goto failed;

    hand_out (self, out, first, frames);
    *buffer = out;
    return GST_FLOW_OK;
  }

failed:
  gst_clear_buffer (&out);
  announce_loss (self);
  post_error (self, error);
  return GST_FLOW_ERROR;
}

/* --- events and queries -------------------------------------------------- */

/* Each branch of the pipeline brings the same one. */
static void
take_request (GstEegSrc *self, GstEvent *event)
{
  gboolean is_new;

  GST_OBJECT_LOCK (self);
  is_new = self->request != gst_event_get_seqnum (event);
  self->request = gst_event_get_seqnum (event);
  GST_OBJECT_UNLOCK (self);
  if (is_new)
    g_atomic_int_set (&self->requested, TRUE);
}

/* Each sink asks for the end of a part when it has enough; the first one
 * counts. */
static void
take_part_request (GstEegSrc *self, guint64 number)
{
  gboolean is_new;

  GST_OBJECT_LOCK (self);
  is_new = number > self->part_request;
  self->part_request = MAX (self->part_request, number);
  GST_OBJECT_UNLOCK (self);
  if (is_new)
    g_atomic_int_set (&self->part_wanted, TRUE);
}

static gboolean
gst_eeg_src_event (GstBaseSrc *src, GstEvent *event)
{
  guint64 number;

  if (gst_eeg_event_is_barrier_request (event)) {
    take_request (GST_EEG_SRC (src), event);
    return TRUE;
  }
  if (gst_eeg_event_parse_part_request (event, &number)) {
    take_part_request (GST_EEG_SRC (src), number);
    return TRUE;
  }
  if (GST_EVENT_TYPE (event) == GST_EVENT_SEEK && !can_seek (event))
    return FALSE;
  return GST_BASE_SRC_CLASS (parent_class)->event (src, event);
}

/* Ends a live source from its own thread, so that the event that marks a true
 * end goes before EOS. */
static void
request_eos (GstEegSrc *self)
{
  GstBaseSrc *src = GST_BASE_SRC (self);
  GstBufferPool *pool;

  g_atomic_int_set (&self->eos_requested, TRUE);
  g_mutex_lock (&src->live_lock);
  if (src->clock_id != NULL)
    gst_clock_id_unschedule (src->clock_id);
  g_mutex_unlock (&src->live_lock);
  /* whoever holds all buffers may be waiting for EOS */
  pool = gst_base_src_get_buffer_pool (src);
  if (pool != NULL) {
    gst_buffer_pool_set_flushing (pool, TRUE);
    gst_object_unref (pool);
  }
}

static gboolean
gst_eeg_src_send_event (GstElement *element, GstEvent *event)
{
  GstEegSrc *self = GST_EEG_SRC (element);
  GstBaseSrc *src = GST_BASE_SRC (element);

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_EOS:
      if (gst_base_src_is_live (src) && GST_BASE_SRC_IS_STARTED (src)) {
        request_eos (self);
        gst_event_unref (event);
        return TRUE;
      }
      break;
    case GST_EVENT_SEEK:
      if (!can_seek (event)) {
        gst_event_unref (event);
        return FALSE;
      }
      break;
    case GST_EVENT_CUSTOM_UPSTREAM:
      if (gst_eeg_event_is_barrier_request (event)) {
        take_request (self, event);
        gst_event_unref (event);
        return TRUE;
      }
      break;
    case GST_EVENT_FLUSH_STOP: {
      gboolean reset_time;

      gst_event_parse_flush_stop (event, &reset_time);
      g_atomic_int_set (&self->flushed, reset_time ? 2 : 1);
      g_atomic_int_set (&self->eos_requested, FALSE);
      break;
    }
    default:
      break;
  }
  return GST_ELEMENT_CLASS (parent_class)->send_event (element, event);
}

static gboolean
answer_duration (GstEegSrc *self, const GstEegInfo *info, guint64 total,
    GstQuery *query)
{
  gint64 value = -1;
  GstFormat format;

  gst_query_parse_duration (query, &format, NULL);
  if (total <= G_MAXINT64
      && !gst_eeg_info_convert (info, GST_FORMAT_DEFAULT, total, format,
          &value))
    return FALSE;
  gst_query_set_duration (query, format, value);
  return TRUE;
}

static gboolean
answer_seeking (GstEegSrc *self, const GstEegInfo *info, guint64 total,
    GstQuery *query)
{
  gboolean seekable = !gst_base_src_is_live (GST_BASE_SRC (self));
  gint64 stop = -1;
  GstFormat format;

  gst_query_parse_seeking (query, &format, NULL, NULL, NULL);
  if (format != GST_FORMAT_TIME && format != GST_FORMAT_DEFAULT)
    seekable = FALSE;
  else if (total <= G_MAXINT64)
    gst_eeg_info_convert (info, GST_FORMAT_DEFAULT, total, format, &stop);
  gst_query_set_seeking (query, format, seekable, 0, stop);
  return TRUE;
}

static gboolean
answer_convert (const GstEegInfo *info, GstQuery *query)
{
  GstFormat from, to;
  gint64 value, result;

  gst_query_parse_convert (query, &from, &value, &to, NULL);
  if (!gst_eeg_info_convert (info, from, value, to, &result))
    return FALSE;
  gst_query_set_convert (query, from, value, to, result);
  return TRUE;
}

/* So that nobody writes over what is read. */
static gboolean
answer_uri (GstEegSrc *self, GstQuery *query)
{
  struct settings settings = copy_settings (self);
  gchar *path = NULL, *uri = NULL;

  if (settings.location != NULL
      && resolve_driver (&settings) == GST_EEG_SRC_DRIVER_FILE) {
    path = g_canonicalize_filename (settings.location, NULL);
    uri = g_filename_to_uri (path, NULL, NULL);
  }
  if (uri != NULL)
    gst_query_set_uri (query, uri);
  g_free (settings.location);
  g_free (path);
  g_free (uri);
  return uri != NULL;
}

static gboolean
gst_eeg_src_query (GstBaseSrc *src, GstQuery *query)
{
  GstEegSrc *self = GST_EEG_SRC (src);
  GstEegInfo info;
  guint64 total;
  guint frames, capacity;
  gboolean running, ret;

  if (gst_eeg_stage_answer_query (GST_EEG_STAGE (self), GST_BASE_SRC_PAD (src),
          query))
    return TRUE;

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_LATENCY:
    case GST_QUERY_DURATION:
    case GST_QUERY_SEEKING:
    case GST_QUERY_CONVERT:
      break;
    case GST_QUERY_FORMATS:
      gst_query_set_formats (query, 3, GST_FORMAT_TIME, GST_FORMAT_DEFAULT,
          GST_FORMAT_BYTES);
      return TRUE;
    case GST_QUERY_URI:
      return answer_uri (self, query);
    default:
      return GST_BASE_SRC_CLASS (parent_class)->query (src, query);
  }

  gst_eeg_info_init (&info);
  GST_OBJECT_LOCK (self);
  running = self->published.running;
  if (running)
    gst_eeg_info_copy_into (&self->published.info, &info);
  total = self->published.total;
  frames = self->published.frames;
  capacity = self->published.capacity;
  GST_OBJECT_UNLOCK (self);
  if (!running)
    return GST_BASE_SRC_CLASS (parent_class)->query (src, query);

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_LATENCY:
      if (gst_base_src_is_live (src))
        gst_query_set_latency (query, TRUE,
            gst_eeg_info_samples_to_time (&info, frames),
            gst_eeg_info_samples_to_time (&info, (guint64) frames * capacity));
      else
        gst_query_set_latency (query, FALSE, 0, GST_CLOCK_TIME_NONE);
      ret = TRUE;
      break;
    case GST_QUERY_DURATION:
      ret = answer_duration (self, &info, total, query);
      break;
    case GST_QUERY_SEEKING:
      ret = answer_seeking (self, &info, total, query);
      break;
    default:
      ret = answer_convert (&info, query);
      break;
  }
  gst_eeg_info_clear (&info);
  return ret;
}

/* --- stage and child proxy ----------------------------------------------- */

static GstEegStageKind
gst_eeg_src_get_kind (GstEegStage *stage)
{
  return GST_EEG_STAGE_KIND_ACQUISITION;
}

/* The memory is that of the pool where it is bounded, else of the one buffer
 * that is being filled: what queues hold is theirs. */
static gboolean
gst_eeg_src_estimate (GstEegStage *stage, guint64 input_bytes,
    GstEegEstimate *estimate)
{
  GstEegSrc *self = GST_EEG_SRC (stage);
  struct settings settings = copy_settings (self);
  gboolean is_file = resolve_driver (&settings) == GST_EEG_SRC_DRIVER_FILE;
  GstEegStageCounters counters;
  GstEegInfo info;
  guint frames = 0, capacity = 0;
  gboolean running;

  gst_eeg_info_init (&info);
  GST_OBJECT_LOCK (self);
  running = self->published.running;
  if (running) {
    gst_eeg_info_copy_into (&self->published.info, &info);
    frames = self->published.frames;
    capacity = self->published.capacity;
  }
  GST_OBJECT_UNLOCK (self);
  /* a file says only when it is open what it holds */
  if (!running && !is_file && check_settings (self, &settings, FALSE, NULL)) {
    gst_eeg_info_set (&info, settings.format, GST_EEG_DOMAIN_COUNTS,
        settings.rate_n, settings.rate_d, settings.channels, NULL);
    running = size_buffers (self, &settings, &info, &frames, &capacity, NULL);
  }
  g_free (settings.location);
  if (!running)
    return FALSE;

  estimate->memory_bytes =
      (guint64) MAX (capacity, 1) * frames * info.bytes_per_frame;
  estimate->threads = 1;
  estimate->output_bytes = input_bytes;
  gst_eeg_stage_counters_get (&self->counters, &counters);
  if (gst_base_src_is_live (GST_BASE_SRC (self)))
    estimate->duration = gst_eeg_info_samples_to_time (&info,
        input_bytes / info.bytes_per_frame);
  else if (counters.bytes_out > 0)
    estimate->duration = gst_util_uint64_scale (input_bytes, counters.busy_ns,
        counters.bytes_out);
  gst_eeg_info_clear (&info);
  return TRUE;
}

/* The synthetic amplifier's faults but the one that ends the stream: with it
 * the samples are the same. */
static void
describe_driver (GstEegSrc *self, GString *to)
{
  static const gchar *const names[] = { "loss-rate", "loss-burst" };
  GstEegDriver *driver;
  gsize i;

  GST_OBJECT_LOCK (self);
  driver = gst_object_ref (self->driver);
  GST_OBJECT_UNLOCK (self);
  for (i = 0; i < G_N_ELEMENTS (names); i++) {
    GParamSpec *spec =
        g_object_class_find_property (G_OBJECT_GET_CLASS (driver), names[i]);
    GValue value = G_VALUE_INIT;
    gchar *text;

    if (spec == NULL)
      continue;
    g_value_init (&value, spec->value_type);
    g_object_get_property (G_OBJECT (driver), names[i], &value);
    text = gst_value_serialize (&value);
    g_string_append_printf (to, " %s=%s", names[i], text);
    g_free (text);
    g_value_unset (&value);
  }
  gst_object_unref (driver);
}

/* The interval decides where chunks end. */
static gboolean
gst_eeg_src_can_resume (GstEegStage *stage, GString *depends_on, GError **error)
{
  GstEegSrc *self = GST_EEG_SRC (stage);
  struct settings settings = copy_settings (self);
  const gchar *reason = NULL;

  g_free (settings.location);
  if (gst_base_src_is_live (GST_BASE_SRC (self)))
    reason = "is live and cannot give samples again";
  else if (settings.loop)
    reason = "starts over, and never comes to an end";
  if (reason != NULL) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_NOT_IMPLEMENTED, "%s %s",
        GST_OBJECT_NAME (self), reason);
    return FALSE;
  }
  g_string_append_printf (depends_on, " checkpoint-interval=%" G_GUINT64_FORMAT,
      settings.checkpoint_interval);
  describe_driver (self, depends_on);
  return TRUE;
}

static GBytes *
gst_eeg_src_save_state (GstEegStage *stage, GError **error)
{
  const struct state *state = &GST_EEG_SRC (stage)->state;
  guint8 header[STATE_SIZE] = { STATE_VERSION };
  GByteArray *blob;

  if (state->driver == NULL) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_STATE_CHANGE,
        "%s has no stream whose state could be saved", GST_OBJECT_NAME (stage));
    return NULL;
  }
  GST_WRITE_UINT64_LE (header + 8, state->position);
  GST_WRITE_UINT64_LE (header + 16, state->barrier_id);
  GST_WRITE_UINT64_LE (header + 24, state->n_buffers);
  blob = g_byte_array_new ();
  g_byte_array_append (blob, header, sizeof header);
  if (gst_eeg_driver_has_input (state->driver)) {
    GBytes *input = gst_eeg_barrier_input_to_bytes (&state->input);
    gsize size;
    gconstpointer data = g_bytes_get_data (input, &size);

    g_byte_array_append (blob, data, (guint) size);
    g_bytes_unref (input);
  }
  return g_byte_array_free_to_bytes (blob);
}

static gboolean
gst_eeg_src_restore_state (GstEegStage *stage, GBytes *state, GError **error)
{
  GstEegSrc *self = GST_EEG_SRC (stage);
  GstEegBarrierInput input;
  gsize size;
  const guint8 *blob;
  gboolean is_damaged;

  if (state == NULL)
    return gst_eeg_stage_keep_state (stage, &self->restore, NULL, TRUE, error);
  blob = g_bytes_get_data (state, &size);
  is_damaged = size < STATE_SIZE || blob[0] != STATE_VERSION
      || GST_READ_UINT64_LE (blob + 24) > G_MAXINT64
      || (size > STATE_SIZE
          && !gst_eeg_barrier_input_from_bytes (&input, blob + STATE_SIZE,
              size - STATE_SIZE));
  return gst_eeg_stage_keep_state (stage, &self->restore, state, !is_damaged,
      error);
}

static void
gst_eeg_src_stage_init (GstEegStageInterface *iface)
{
  iface->get_kind = gst_eeg_src_get_kind;
  iface->estimate = gst_eeg_src_estimate;
  iface->can_resume = gst_eeg_src_can_resume;
  iface->save_state = gst_eeg_src_save_state;
  iface->restore_state = gst_eeg_src_restore_state;
}

static GObject *
gst_eeg_src_get_child_by_index (GstChildProxy *proxy, guint index)
{
  GstEegSrc *self = GST_EEG_SRC (proxy);
  GObject *child = NULL;

  GST_OBJECT_LOCK (self);
  if (index == 0 && self->driver != NULL)
    child = g_object_ref (G_OBJECT (self->driver));
  GST_OBJECT_UNLOCK (self);
  return child;
}

static guint
gst_eeg_src_get_children_count (GstChildProxy *proxy)
{
  return 1;
}

static void
gst_eeg_src_child_proxy_init (GstChildProxyInterface *iface)
{
  iface->get_child_by_index = gst_eeg_src_get_child_by_index;
  iface->get_children_count = gst_eeg_src_get_children_count;
}

/* --- properties ---------------------------------------------------------- */

static GstStructure *
get_stats (GstEegSrc *self)
{
  GstStructure *stats = gst_eeg_stage_counters_to_structure (&self->counters,
      GST_EEG_STAGE_KIND_ACQUISITION);
  GstEegAllocator *allocator = NULL;
  guint64 buffers = 0, reused = 0;
  guint capacity, allocated = 0;

  GST_OBJECT_LOCK (self);
  capacity = self->published.capacity;
  if (self->published.allocator != NULL)
    allocator = gst_object_ref (self->published.allocator);
  GST_OBJECT_UNLOCK (self);
  if (allocator != NULL) {
    gst_eeg_allocator_get_counts (allocator, &allocated, NULL, NULL);
    gst_object_unref (allocator);
  }
  gst_structure_get_uint64 (stats, "buffers-out", &buffers);
  if (buffers > allocated)
    reused = buffers - allocated;
  gst_structure_set (stats, "pool-size", G_TYPE_UINT, capacity,
      "pool-allocated", G_TYPE_UINT, allocated, "pool-reused", G_TYPE_UINT64,
      reused, "overruns", G_TYPE_UINT64,
      __atomic_load_n (&self->overruns, __ATOMIC_RELAXED), NULL);
  return stats;
}

static void
gst_eeg_src_set_property (GObject *object, guint prop_id, const GValue *value,
    GParamSpec *pspec)
{
  GstEegSrc *self = GST_EEG_SRC (object);
  struct settings *settings = &self->settings;
  gboolean driver_changed = FALSE;

  /* the base class has its own lock for this one */
  if (prop_id == PROP_IS_LIVE) {
    gst_base_src_set_live (GST_BASE_SRC (self), g_value_get_boolean (value));
    return;
  }

  GST_OBJECT_LOCK (self);
  switch (prop_id) {
    case PROP_DRIVER:
      settings->driver = g_value_get_enum (value);
      driver_changed = TRUE;
      break;
    case PROP_LOCATION:
      g_free (settings->location);
      settings->location = g_value_dup_string (value);
      driver_changed = TRUE;
      break;
    case PROP_CHANNELS:
      settings->channels = g_value_get_uint (value);
      break;
    case PROP_RATE:
      settings->rate_n = gst_value_get_fraction_numerator (value);
      settings->rate_d = gst_value_get_fraction_denominator (value);
      settings->rate_set = TRUE;
      break;
    case PROP_FORMAT:
      settings->format = g_value_get_enum (value);
      break;
    case PROP_SEED:
      settings->seed = g_value_get_uint64 (value);
      break;
    case PROP_DURATION:
      settings->duration = g_value_get_uint64 (value);
      break;
    case PROP_NUM_SAMPLES:
      settings->num_samples = g_value_get_uint64 (value);
      break;
    case PROP_NUM_BUFFERS:
      settings->num_buffers = g_value_get_int (value);
      break;
    case PROP_BUFFER_TIME:
      settings->buffer_time = g_value_get_uint64 (value);
      break;
    case PROP_POOL_SIZE:
      settings->pool_size = g_value_get_uint (value);
      break;
    case PROP_ON_OVERRUN:
      settings->on_overrun = g_value_get_enum (value);
      break;
    case PROP_LOOP:
      settings->loop = g_value_get_boolean (value);
      break;
    case PROP_CHECKPOINT_INTERVAL:
      settings->checkpoint_interval = g_value_get_uint64 (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
  /* later than that, the next start exchanges it */
  driver_changed = driver_changed && GST_STATE (self) <= GST_STATE_READY;
  GST_OBJECT_UNLOCK (self);

  if (driver_changed)
    update_driver (self);
}

static void
gst_eeg_src_get_property (GObject *object, guint prop_id, GValue *value,
    GParamSpec *pspec)
{
  GstEegSrc *self = GST_EEG_SRC (object);
  struct settings *settings = &self->settings;

  switch (prop_id) {
    case PROP_IS_LIVE:
      g_value_set_boolean (value, gst_base_src_is_live (GST_BASE_SRC (self)));
      return;
    case PROP_STATS:
      g_value_take_boxed (value, get_stats (self));
      return;
    default:
      break;
  }

  GST_OBJECT_LOCK (self);
  switch (prop_id) {
    case PROP_DRIVER:
      g_value_set_enum (value, settings->driver);
      break;
    case PROP_LOCATION:
      g_value_set_string (value, settings->location);
      break;
    case PROP_CHANNELS:
      g_value_set_uint (value, settings->channels);
      break;
    case PROP_RATE:
      gst_value_set_fraction (value, settings->rate_n, settings->rate_d);
      break;
    case PROP_FORMAT:
      g_value_set_enum (value, settings->format);
      break;
    case PROP_SEED:
      g_value_set_uint64 (value, settings->seed);
      break;
    case PROP_DURATION:
      g_value_set_uint64 (value, settings->duration);
      break;
    case PROP_NUM_SAMPLES:
      g_value_set_uint64 (value, settings->num_samples);
      break;
    case PROP_NUM_BUFFERS:
      g_value_set_int (value, settings->num_buffers);
      break;
    case PROP_BUFFER_TIME:
      g_value_set_uint64 (value, settings->buffer_time);
      break;
    case PROP_POOL_SIZE:
      g_value_set_uint (value, settings->pool_size);
      break;
    case PROP_ON_OVERRUN:
      g_value_set_enum (value, settings->on_overrun);
      break;
    case PROP_LOOP:
      g_value_set_boolean (value, settings->loop);
      break;
    case PROP_CHECKPOINT_INTERVAL:
      g_value_set_uint64 (value, settings->checkpoint_interval);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_eeg_src_dispose (GObject *object)
{
  GstEegSrc *self = GST_EEG_SRC (object);

  if (self->driver != NULL) {
    gst_object_unparent (GST_OBJECT (self->driver));
    self->driver = NULL;
  }
  G_OBJECT_CLASS (parent_class)->dispose (object);
}

static void
gst_eeg_src_finalize (GObject *object)
{
  GstEegSrc *self = GST_EEG_SRC (object);

  g_free (self->settings.location);
  g_clear_pointer (&self->restore, g_bytes_unref);
  state_reset (&self->state);
  published_reset (&self->published);
  G_OBJECT_CLASS (parent_class)->finalize (object);
}

static void
gst_eeg_src_class_init (GstEegSrcClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseSrcClass *src_class = GST_BASE_SRC_CLASS (klass);
  GstPushSrcClass *push_class = GST_PUSH_SRC_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;
  const GParamFlags ready = flags | GST_PARAM_MUTABLE_READY;

  GST_DEBUG_CATEGORY_INIT (gst_eeg_src_debug, "eegsrc", 0, "EEG source");

  object_class->set_property = gst_eeg_src_set_property;
  object_class->get_property = gst_eeg_src_get_property;
  object_class->dispose = gst_eeg_src_dispose;
  object_class->finalize = gst_eeg_src_finalize;

  /**
   * GstEegSrc:driver:
   *
   * Where the samples come from. The driver itself is the child `driver`; the
   * synthetic one has properties for faults: `driver::loss-rate`,
   * `driver::loss-burst`, `driver::fail-at`.
   */
  g_object_class_install_property (object_class, PROP_DRIVER,
      g_param_spec_enum ("driver", "Driver",
          "Where the samples come from; auto: a file when location is set, "
          "else synthetic EEG",
          GST_TYPE_EEG_SRC_DRIVER, DEFAULT_DRIVER, ready));
  /**
   * GstEegSrc:location:
   *
   * The file to read: EDF, EDF+, BDF or BDF+.
   */
  g_object_class_install_property (object_class, PROP_LOCATION,
      g_param_spec_string ("location", "File location",
          "EDF, EDF+, BDF or BDF+ file to read", DEFAULT_LOCATION, ready));
  /**
   * GstEegSrc:is-live:
   *
   * Whether to deliver samples at the time they are due by the pipeline's
   * clock, and none while paused.
   */
  g_object_class_install_property (object_class, PROP_IS_LIVE,
      g_param_spec_boolean ("is-live", "Is live",
          "Deliver samples when they are due by the clock, as an amplifier",
          DEFAULT_IS_LIVE, ready));
  /**
   * GstEegSrc:channels:
   *
   * Channels of synthetic EEG. Other values than 1 to 65536 are an error when
   * the source starts.
   */
  g_object_class_install_property (object_class, PROP_CHANNELS,
      g_param_spec_uint ("channels", "Channels",
          "Channels of synthetic EEG, 1 to 65536", 0, G_MAXUINT,
          DEFAULT_CHANNELS, ready));
  /**
   * GstEegSrc:rate:
   *
   * Samples per second and channel of synthetic EEG. Of a file with several
   * rates, the one to deliver; when it was never set, that of most channels.
   */
  g_object_class_install_property (object_class, PROP_RATE,
      gst_param_spec_fraction ("rate", "Rate",
          "Sample rate in Hz, above 0: of synthetic EEG; of a file, which of "
          "its rates to deliver (when never set, that of most channels)",
          0, 1, G_MAXINT, 1, DEFAULT_RATE_N, DEFAULT_RATE_D, ready));
  /**
   * GstEegSrc:format:
   *
   * The format to deliver if downstream has no wish. A file's samples are
   * widened to it; one that cannot hold them is an error when the source
   * starts.
   */
  g_object_class_install_property (object_class, PROP_FORMAT,
      g_param_spec_enum ("format", "Format",
          "Sample format to prefer; a file's samples are widened to it",
          GST_TYPE_EEG_SRC_FORMAT, DEFAULT_FORMAT, ready));
  /**
   * GstEegSrc:seed:
   *
   * Which synthetic EEG: the same seed gives the same samples.
   */
  g_object_class_install_property (object_class, PROP_SEED,
      g_param_spec_uint64 ("seed", "Seed",
          "Seed of synthetic EEG: the same seed gives the same samples", 0,
          G_MAXUINT64, DEFAULT_SEED, ready));
  /**
   * GstEegSrc:duration:
   *
   * After how long to end, in nanoseconds.
   */
  g_object_class_install_property (object_class, PROP_DURATION,
      g_param_spec_uint64 ("duration", "Duration",
          "Nanoseconds after which to end (18446744073709551615 = no limit)", 0,
          G_MAXUINT64, DEFAULT_DURATION, ready));
  /**
   * GstEegSrc:num-samples:
   *
   * After how many samples of each channel to end.
   */
  g_object_class_install_property (object_class, PROP_NUM_SAMPLES,
      g_param_spec_uint64 ("num-samples", "Number of samples",
          "Samples per channel after which to end, lost ones and gaps counted "
          "(18446744073709551615 = no limit)",
          0, G_MAXUINT64, DEFAULT_NUM_SAMPLES, ready));
  /**
   * GstEegSrc:num-buffers:
   *
   * After how many buffers to end. Replaces that of the base class, which knows
   * nothing of the event that marks a true end.
   */
  g_object_class_install_property (object_class, PROP_NUM_BUFFERS,
      g_param_spec_int ("num-buffers", "Number of buffers",
          "Buffers after which to end (-1 = no limit)", -1, G_MAXINT,
          DEFAULT_NUM_BUFFERS, flags | GST_PARAM_MUTABLE_PLAYING));
  /**
   * GstEegSrc:buffer-time:
   *
   * Longest duration of a buffer, rounded down to whole samples; 0 makes
   * buffers of one sample. Automatic is 20 ms live, else 1 s but at most 1 MiB.
   */
  g_object_class_install_property (object_class, PROP_BUFFER_TIME,
      g_param_spec_uint64 ("buffer-time", "Buffer time",
          "Longest duration of a buffer in nanoseconds, 0 = one sample "
          "(18446744073709551615 = automatic: 20 ms live, else 1 s)",
          0, G_MAXUINT64, DEFAULT_BUFFER_TIME, ready));
  /**
   * GstEegSrc:pool-size:
   *
   * How many buffers may be on their way downstream at once. Automatic is no
   * limit, and for a live source one second, at least 16. Buffers that
   * downstream declares to hold back come on top.
   */
  g_object_class_install_property (object_class, PROP_POOL_SIZE,
      g_param_spec_uint ("pool-size", "Pool size",
          "Buffers that may be on their way at once (0 = automatic: live one "
          "second, at least 16, else no limit)",
          0, G_MAXUINT, DEFAULT_POOL_SIZE, ready));
  /**
   * GstEegSrc:on-overrun:
   *
   * What a live source does when no buffer is free, or when downstream kept it
   * longer than the pool can hold samples: wait and lag behind, or drop samples
   * and announce each loss.
   */
  g_object_class_install_property (object_class, PROP_ON_OVERRUN,
      g_param_spec_enum ("on-overrun", "On overrun",
          "What a live source does when downstream takes longer than the pool "
          "can bridge",
          GST_TYPE_EEG_SRC_ON_OVERRUN, DEFAULT_ON_OVERRUN,
          flags | GST_PARAM_MUTABLE_PLAYING));
  /**
   * GstEegSrc:loop:
   *
   * Whether to start over at the end. Time and sample numbers go on; the first
   * buffer of each round is DISCONT.
   */
  g_object_class_install_property (object_class, PROP_LOOP,
      g_param_spec_boolean ("loop", "Loop",
          "Start over at the end; time goes on", DEFAULT_LOOP, ready));
  /**
   * GstEegSrc:checkpoint-interval:
   *
   * Samples of each channel from one barrier to the next, lost ones and gaps
   * counted; of a file rounded up to whole records; 0: none. Encoders end a
   * chunk there, so that their output depends on it.
   */
  g_object_class_install_property (object_class, PROP_CHECKPOINT_INTERVAL,
      g_param_spec_uint64 ("checkpoint-interval", "Checkpoint interval",
          "Samples per channel from one checkpoint to the next, of a file "
          "rounded up to records; encoders end a chunk there (0: none)",
          0, G_MAXUINT64, DEFAULT_CHECKPOINT_INTERVAL, ready));
  g_object_class_override_property (object_class, PROP_STATS, "stats");

  gst_element_class_set_static_metadata (element_class, "EEG source",
      "Source/EEG", "Delivers EEG from a file or a synthetic amplifier",
      "gst-plugins-eeg developers");
  gst_element_class_add_static_pad_template (element_class, &src_template);
  element_class->send_event = gst_eeg_src_send_event;

  src_class->start = gst_eeg_src_start;
  src_class->stop = gst_eeg_src_stop;
  src_class->get_caps = gst_eeg_src_get_caps;
  src_class->negotiate = gst_eeg_src_negotiate;
  src_class->set_caps = gst_eeg_src_set_caps;
  src_class->decide_allocation = gst_eeg_src_decide_allocation;
  src_class->is_seekable = gst_eeg_src_is_seekable;
  src_class->prepare_seek_segment = gst_eeg_src_prepare_seek_segment;
  src_class->do_seek = gst_eeg_src_do_seek;
  src_class->event = gst_eeg_src_event;
  src_class->query = gst_eeg_src_query;
  push_class->create = gst_eeg_src_create;

  gst_type_mark_as_plugin_api (GST_TYPE_EEG_SRC_DRIVER, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_EEG_SRC_FORMAT, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_EEG_SRC_ON_OVERRUN, 0);
}

static void
gst_eeg_src_init (GstEegSrc *self)
{
  GstBaseSrc *src = GST_BASE_SRC (self);
  struct settings *settings = &self->settings;

  settings->driver = DEFAULT_DRIVER;
  settings->channels = DEFAULT_CHANNELS;
  settings->rate_n = DEFAULT_RATE_N;
  settings->rate_d = DEFAULT_RATE_D;
  settings->format = DEFAULT_FORMAT;
  settings->seed = DEFAULT_SEED;
  settings->duration = DEFAULT_DURATION;
  settings->num_samples = DEFAULT_NUM_SAMPLES;
  settings->num_buffers = DEFAULT_NUM_BUFFERS;
  settings->buffer_time = DEFAULT_BUFFER_TIME;
  settings->pool_size = DEFAULT_POOL_SIZE;
  settings->on_overrun = DEFAULT_ON_OVERRUN;
  settings->loop = DEFAULT_LOOP;
  settings->checkpoint_interval = DEFAULT_CHECKPOINT_INTERVAL;
  state_reset (&self->state);
  published_reset (&self->published);
  update_driver (self);

  gst_base_src_set_live (src, DEFAULT_IS_LIVE);
  gst_base_src_set_format (src, GST_FORMAT_TIME);
  /* create() says where the end is: it sends an event there */
  gst_base_src_set_automatic_eos (src, FALSE);
}
