/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-eegfilesink
 * @title: eegfilesink
 * @short_description: writes a recording such that it survives
 *
 * Writes a stream of bytes to a file, and knows how much of it is safe on disk.
 * What was written is brought there every #GstEegFileSink:sync-bytes and
 * #GstEegFileSink:sync-time by a thread of its own, while more is written.
 *
 * |[
 * gst-launch-1.0 eegsrc location=in.edf ! edfmux ! eegfilesink location=out.edf
 * ]|
 *
 * Names: the file is called `location.part` until the stream has come to its
 * end and all is on disk. So a file by the name of `location` is whole,
 * whatever happens. Nothing is overwritten unless #GstEegFileSink:overwrite
 * says so, and nobody else can record to the same location meanwhile.
 *
 * Loss: the element message `eeg-loss-bound` says what a power cut can cost at
 * most from now on, in bytes written and, of a live stream, in time: of what is
 * on its way here, and of what waits for the disk. A crash of the program alone
 * costs what is on its way: written bytes are the system's.
 *
 * Checkpoints: with #GstEegFileSink:checkpoint, the state of all stages is
 * stored at each barrier (see #GstEegBarrier), once the bytes before it are on
 * disk. The same pipeline, run again, goes on from there, and comes to the same
 * bytes. Where an element before it holds state and cannot save it, or the
 * input, the stages or their settings are others than at the checkpoint, it is
 * refused with the reason. A recording that is whole already ends at once.
 * Sinks behind one tee go on from the same checkpoint, the newest one that all
 * of them have stored; all have to store them.
 *
 * - Caps: any bytes. Latency: none; does not wait for the clock.
 * - A BYTES segment moves to its start, so that a muxer can complete its
 *   header, but not behind the end: that would leave a hole.
 * - GAP writes nothing.
 * - A flush after bytes were written is an error at the next buffer: a
 *   recording cannot begin anew in the same file.
 * - EOS gives the file its name. Behind a source of ours, an EOS without an
 *   `eeg-complete` before it follows an error: the file stays `location.part`,
 *   as it does when the pipeline is stopped before EOS.
 * - Memory: none but the buffer at hand.
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsteegfilesink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gst/eeg/eeg.h>

#include "checkpoint.h"
#include "durable.h"
#include "gsteegcheckpointer.h"
#include "gsteegparts.h"

GST_DEBUG_CATEGORY_STATIC (gst_eeg_file_sink_debug);
#define GST_CAT_DEFAULT gst_eeg_file_sink_debug

enum
{
  PROP_0,
  PROP_LOCATION,
  PROP_OVERWRITE,
  PROP_SYNC_BYTES,
  PROP_SYNC_TIME,
  PROP_CHECKPOINT,
  PROP_CHECKPOINT_LOCATION,
  PROP_MAX_RETRIES,
  PROP_ROTATE_BYTES,
  PROP_ROTATE_TIME,
  PROP_STATS
};

#define DEFAULT_LOCATION NULL
#define DEFAULT_OVERWRITE FALSE
#define DEFAULT_SYNC_BYTES (64 * 1024 * 1024)
#define DEFAULT_SYNC_TIME GST_SECOND
#define DEFAULT_CHECKPOINT FALSE
#define DEFAULT_CHECKPOINT_LOCATION NULL
#define DEFAULT_MAX_RETRIES 10
#define DEFAULT_ROTATE_BYTES 0
#define DEFAULT_ROTATE_TIME 0

/* Behind the location, when no other one is set. */
#define CHECKPOINT_SUFFIX ".checkpoint"

/* Pieces of a buffer that are written at once. */
#define MAX_PIECES 16
/* The posted bound is a multiple of this, so that it is not posted for each
 * microsecond that a sync takes longer than the ones before. */
#define BOUND_STEP (10 * GST_MSECOND)

struct settings
{
  gchar *location;
  gboolean overwrite;
  guint64 sync_bytes;
  GstClockTime sync_time;
  gboolean checkpoint;
  gchar *checkpoint_location;
  guint max_retries;
  guint64 rotate_bytes;
  GstClockTime rotate_time;
};

/* Of a recording with checkpoints. */
struct resume
{
  gboolean enabled;
  gboolean fresh;   /* begun by this run */
  gboolean already; /* it was whole before: there is nothing to do */
  gboolean cut;     /* what is behind the checkpoint is still there */
  guint64 cut_at;
  gchar *location; /* of the output */
  gchar *sidecar;
  guint8 recording[EEG_CHECKPOINT_UUID_SIZE];
  guint max_retries;
  EegCheckpoint *from; /* that this run goes on from */
  GstEegBarrier *last; /* barrier that came by */
  GPtrArray *peers; /* of strings: the sidecars of sinks behind the same tee */
};

/* Of a recording that is cut into parts. */
struct parts
{
  gboolean enabled;
  gboolean is_live;
  gboolean overwrite;
  gchar *name;       /* of all parts */
  GPtrArray *stages; /* that were told */
  GstEegPart part;   /* that is written */
  guint64 finished;  /* number of the last one that has its name */

  gboolean requested; /* its end */
  GstClockTime began; /* its first bytes, by the system's clock */
  GstClockTime first; /* their time stamp */
  guint64 base;       /* position of its first byte in the stream */
};

struct state
{
  gboolean begun;       /* there was a buffer */
  gboolean complete;    /* the source announced its true end */
  gboolean finished;    /* the file has its name */
  gboolean flushed;     /* after something was written */
  gboolean failed;      /* and the error is posted */
  gboolean disk_failed; /* that was the disk's */

  /* of the loss bound */
  GstClockTime oldest; /* longest that samples took to come here */
  GstClockTime posted_oldest;
  guint64 syncs; /* when it was computed last */
  gboolean posted;
  guint64 posted_bytes;
  GstClockTime posted_time;
};

/* Locking: the stream lock protects `state`, and so does a stopped stream. The
 * object lock protects `settings`, `counts` and those after it, and `file`
 * where another thread uses it; the file's own lock is a leaf below it.
 * `resume` is set before the file's thread may use it, but for `last`, which is
 * the stream's, as `parts` is. The file is another one from part to part.
 * No lock of ours is held over writes, syncs, posts and queries. */
struct _GstEegFileSink
{
  GstBaseSink parent;

  struct settings settings;
  struct state state;
  struct resume resume;
  struct parts parts;
  EegDurableFile *file;    /* from PAUSED on */
  EegDurableCounts counts; /* of the last one, once it is closed */
  EegDurableCounts before; /* of the parts before it */
  gboolean flushing;       /* no wait of the file's is to be begun */
  gboolean finished;       /* the same as in the state */
  guint64 checkpoints;     /* that were stored */
  guint64 checkpoint_id;   /* of the last of them */
  gint bound_changed;      /* atomic: by a setting */

  GstEegStageCounters counters;
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static void gst_eeg_file_sink_stage_init (GstEegStageInterface *iface);

#define gst_eeg_file_sink_parent_class parent_class
G_DEFINE_TYPE_WITH_CODE (GstEegFileSink, gst_eeg_file_sink, GST_TYPE_BASE_SINK,
    G_IMPLEMENT_INTERFACE (GST_TYPE_EEG_STAGE, gst_eeg_file_sink_stage_init)
        GST_DEBUG_CATEGORY_INIT (gst_eeg_file_sink_debug, "eegfilesink", 0,
            "EEG recording sink"))
GST_ELEMENT_REGISTER_DEFINE (eegfilesink, "eegfilesink", GST_RANK_NONE,
    GST_TYPE_EEG_FILE_SINK);

/* Sinks behind one tee look at each other's sidecars. This is held while they
 * do, by their files' threads and while they start, over nothing but that. */
static GMutex peers_lock;

/* --- helpers ------------------------------------------------------------- */

static struct settings
copy_settings (GstEegFileSink *self)
{
  struct settings settings;

  GST_OBJECT_LOCK (self);
  settings = self->settings;
  settings.location = g_strdup (settings.location);
  settings.checkpoint_location = g_strdup (settings.checkpoint_location);
  GST_OBJECT_UNLOCK (self);
  return settings;
}

static void
clear_settings (struct settings *settings)
{
  g_free (settings->location);
  g_free (settings->checkpoint_location);
}

static gchar *
get_sidecar (const struct settings *settings)
{
  return settings->checkpoint_location != NULL
      ? g_strdup (settings->checkpoint_location)
      : g_strconcat (settings->location, CHECKPOINT_SUFFIX, NULL);
}

static void
get_counts (GstEegFileSink *self, EegDurableCounts *counts, gboolean *finished)
{
  GST_OBJECT_LOCK (self);
  if (self->file != NULL)
    eeg_durable_get_counts (self->file, counts);
  else
    *counts = self->counts;
  counts->size += self->before.size;
  counts->safe += self->before.safe;
  counts->syncs += self->before.syncs;
  counts->longest_sync = MAX (counts->longest_sync, self->before.longest_sync);
  if (finished != NULL)
    *finished = self->finished;
  GST_OBJECT_UNLOCK (self);
}

/* Under the object lock. */
static void
apply_interval (GstEegFileSink *self)
{
  if (self->file != NULL)
    eeg_durable_set_interval (self->file, self->settings.sync_bytes,
        self->settings.sync_time);
}

static void
describe (EegDurableResult result, int error, gint *code, const gchar **text)
{
  gboolean full = error == ENOSPC || error == EDQUOT;

  *code = GST_RESOURCE_ERROR_OPEN_WRITE;
  *text = "cannot be opened";
  switch (result) {
    case EEG_DURABLE_EXISTS:
      *text = "exists, and is not overwritten unless overwrite=true";
      break;
    case EEG_DURABLE_UNFINISHED:
      *text = "has an unfinished recording beside it, with \".part\" behind "
              "its name, which is not overwritten unless overwrite=true";
      break;
    case EEG_DURABLE_LOCKED:
      *code = GST_RESOURCE_ERROR_BUSY;
      *text = "is being recorded to by another one";
      break;
    case EEG_DURABLE_NO_FILE:
      *text = "or the same name with \".part\" is something else than a file";
      break;
    case EEG_DURABLE_NO_MEMORY:
      *code = GST_RESOURCE_ERROR_FAILED;
      *text = "needs more memory than there is";
      break;
    case EEG_DURABLE_WRITE:
      *code = GST_RESOURCE_ERROR_WRITE;
      *text =
          error == EFBIG ? "cannot become any larger" : "cannot be written to";
      break;
    case EEG_DURABLE_SYNC:
      *code = GST_RESOURCE_ERROR_SYNC;
      *text = "could not be brought to disk";
      break;
    case EEG_DURABLE_RENAME:
      *code = GST_RESOURCE_ERROR_WRITE;
      *text = error == EEXIST ? "came up while it was recorded, and is not "
                                "overwritten unless overwrite=true"
                              : "could not get its name";
      break;
    case EEG_DURABLE_HOLE:
      *code = GST_RESOURCE_ERROR_SEEK;
      *text = "would get a hole: the stream goes on behind its end";
      break;
    case EEG_DURABLE_OK:
    case EEG_DURABLE_OPEN:
    case EEG_DURABLE_FLUSHING:
      break;
  }
  if (full) {
    *code = GST_RESOURCE_ERROR_NO_SPACE_LEFT;
    *text = "cannot be written: there is no space left";
  }
}

/* Once for a file; its error stays. */
static void
post_error (GstEegFileSink *self, const gchar *location,
    EegDurableResult result, int error)
{
  EegDurableCounts counts;
  const gchar *text;
  gchar *display;
  gint code;

  if (self->state.failed)
    return;
  self->state.failed = TRUE;
  gst_eeg_stage_count (&self->counters.errors, 1);
  get_counts (self, &counts, NULL);
  describe (result, error, &code, &text);
  display = g_filename_display_name (location);
  gst_element_message_full_with_details (GST_ELEMENT (self), GST_MESSAGE_ERROR,
      GST_RESOURCE_ERROR, code, g_strdup_printf ("\"%s\" %s.", display, text),
      g_strdup_printf ("%s; %" G_GUINT64_FORMAT
                       " bytes written, of which %" G_GUINT64_FORMAT
                       " are safe",
          error != 0 ? g_strerror (error) : "no system error", counts.size,
          counts.safe),
      __FILE__, GST_FUNCTION, __LINE__,
      gst_structure_new ("details", "bytes-written", G_TYPE_UINT64, counts.size,
          "bytes-safe", G_TYPE_UINT64, counts.safe, NULL));
  g_free (display);
}

/* transfer full; of a part */
static gchar *
get_part_location (GstEegFileSink *self, guint64 number)
{
  return gst_eeg_part_make_location (self->parts.name, number, NULL);
}

/* transfer full; of the file that is written */
static gchar *
get_location (GstEegFileSink *self)
{
  struct settings settings = copy_settings (self);
  gchar *location = g_steal_pointer (&settings.location);

  clear_settings (&settings);
  if (self->parts.enabled) {
    g_free (location);
    location = get_part_location (self, self->parts.part.number);
  }
  return location;
}

/* Of the file that is open. */
static GstFlowReturn
fail (GstEegFileSink *self, EegDurableResult result)
{
  gchar *location = get_location (self);

  self->state.disk_failed = TRUE;
  post_error (self, location, result, eeg_durable_get_errno (self->file));
  g_free (location);
  return GST_FLOW_ERROR;
}

/* --- the loss bound ------------------------------------------------------ */

/* How long samples of a live stream take at most until they are here, or
 * GST_CLOCK_TIME_NONE if it is not live. */
static GstClockTime
get_upstream_time (GstEegFileSink *self)
{
  GstQuery *query = gst_query_new_latency ();
  GstClockTime min = 0, time = GST_CLOCK_TIME_NONE;
  gboolean live = FALSE;

  if (gst_pad_peer_query (GST_BASE_SINK_PAD (self), query)) {
    gst_query_parse_latency (query, &live, &min, NULL);
    if (live)
      time = MAX (min, self->state.oldest);
  }
  gst_query_unref (query);
  return time;
}

/* Stages that wait for a number of bytes do not know how long that takes; the
 * time stamps tell. */
static void
measure_age (GstEegFileSink *self, GstBuffer *buffer)
{
  const GstSegment *segment = &GST_BASE_SINK (self)->segment;
  GstClockTime begin = GST_BUFFER_PTS (buffer), now, base_time;
  GstClock *clock;

  if (!GST_CLOCK_TIME_IS_VALID (begin))
    return;
  clock = gst_element_get_clock (GST_ELEMENT (self));
  if (clock == NULL)
    return;
  base_time = gst_element_get_base_time (GST_ELEMENT (self));
  now = gst_clock_get_time (clock);
  gst_object_unref (clock);
  if (segment->format == GST_FORMAT_TIME)
    begin = gst_segment_to_running_time (segment, GST_FORMAT_TIME, begin);
  if (GST_CLOCK_TIME_IS_VALID (begin) && now > base_time
      && now - base_time > begin)
    self->state.oldest = MAX (self->state.oldest, now - base_time - begin);
}

/* Posts the bound when it has grown, or a setting has changed it. */
static void
update_bound (GstEegFileSink *self)
{
  struct state *state = &self->state;
  gboolean changed = g_atomic_int_and ((guint *) &self->bound_changed, 0);
  EegDurableCounts counts;
  guint64 sync_bytes, bytes;
  GstClockTime sync_time, time;

  eeg_durable_get_counts (self->file, &counts);
  if (state->posted && !changed && counts.syncs == state->syncs
      && state->oldest == state->posted_oldest)
    return;
  state->posted_oldest = state->oldest;
  state->syncs = counts.syncs;
  GST_OBJECT_LOCK (self);
  sync_bytes = self->settings.sync_bytes;
  sync_time = self->settings.sync_time;
  GST_OBJECT_UNLOCK (self);

  bytes = sync_bytes > 0 && sync_bytes <= G_MAXUINT64 / 2 ? 2 * sync_bytes
                                                          : G_MAXUINT64;
  time = sync_time > 0 ? get_upstream_time (self) : GST_CLOCK_TIME_NONE;
  /* What came right after a sync began waits for the next one, which begins
   * when its time is up and the first one is over. */
  if (GST_CLOCK_TIME_IS_VALID (time) && sync_time < GST_CLOCK_TIME_NONE / 2) {
    time += MAX (sync_time, counts.longest_sync) + counts.longest_sync;
    time = gst_util_uint64_scale_ceil (time, 1, BOUND_STEP) * BOUND_STEP;
  } else {
    time = GST_CLOCK_TIME_NONE;
  }
  if (state->posted && !changed && bytes == state->posted_bytes
      && time <= state->posted_time)
    return;
  state->posted = TRUE;
  state->posted_bytes = bytes;
  state->posted_time = time;
  gst_element_post_message (GST_ELEMENT (self),
      gst_eeg_message_new_loss_bound (GST_OBJECT (self), bytes, time));
}

/* --- open and close ------------------------------------------------------ */

/* Once for a file; its error stays. */
static gboolean
post_refusal (GstEegFileSink *self, GQuark domain, gint code,
    const gchar *message, const gchar *reason)
{
  if (self->state.failed)
    return FALSE;
  self->state.failed = TRUE;
  gst_eeg_stage_count (&self->counters.errors, 1);
  gst_element_message_full (GST_ELEMENT (self), GST_MESSAGE_ERROR, domain, code,
      g_strdup_printf ("%s: %s.", message, reason), NULL, __FILE__,
      GST_FUNCTION, __LINE__);
  return FALSE;
}

/* transfer full error */
static gboolean
refuse_checkpoints (GstEegFileSink *self, GError *error)
{
  post_refusal (self, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
      "This pipeline cannot have checkpoints", error->message);
  g_error_free (error);
  return FALSE;
}

static gboolean
refuse_to_go_on (GstEegFileSink *self, const gchar *reason)
{
  return post_refusal (self, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
      "The recording cannot go on from its checkpoint", reason);
}

/* transfer full file; open from here on */
static void
take_file (GstEegFileSink *self, EegDurableFile *file)
{
  GST_OBJECT_LOCK (self);
  self->file = file;
  apply_interval (self);
  if (self->flushing)
    eeg_durable_set_flushing (file, true);
  GST_OBJECT_UNLOCK (self);
}

/* --- sinks behind one tee ------------------------------------------------ */

static const EegCheckpointGeneration generations[] = { EEG_CHECKPOINT_NEWEST,
  EEG_CHECKPOINT_PREVIOUS };

/* Whether the output is there to which a sidecar belongs, finished or not. */
static gboolean
fits_output (const EegCheckpoint *checkpoint)
{
  gchar *part = g_strconcat (checkpoint->output.path, ".part", NULL);
  int fd = open (part, O_RDONLY | O_CLOEXEC);
  gboolean fits;

  if (fd < 0)
    fd = open (checkpoint->output.path, O_RDONLY | O_CLOEXEC);
  fits = fd >= 0 && eeg_checkpoint_fits (checkpoint, fd);
  if (fd >= 0)
    close (fd);
  g_free (part);
  return fits;
}

/* Whether a recording can go on from the checkpoint of a number. One that has
 * not begun has that before all others. */
static gboolean
has_checkpoint (const gchar *sidecar, guint64 id)
{
  gboolean has = FALSE, is_new = TRUE;
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (generations) && !has; i++) {
    EegCheckpoint *checkpoint;
    EegCheckpointResult result =
        eeg_checkpoint_load (sidecar, generations[i], &checkpoint);

    is_new = is_new && result == EEG_CHECKPOINT_MISSING;
    if (result == EEG_CHECKPOINT_OK) {
      has = checkpoint->id == id && fits_output (checkpoint);
      eeg_checkpoint_free (checkpoint);
    }
  }
  return has || (is_new && id == 0);
}

static gboolean
have_peers_checkpoint (GstEegFileSink *self, guint64 id)
{
  GPtrArray *peers = self->resume.peers;
  gboolean have = TRUE;
  guint i;

  for (i = 0; peers != NULL && i < peers->len && have; i++)
    have = has_checkpoint (g_ptr_array_index (peers, i), id);
  return have;
}

/* Whether all others have stored nothing newer than this sink, or just what it
 * is about to store: so all come to the same one before any goes further. */
static gboolean
are_peers_in_step (GstEegFileSink *self, guint64 newest, guint64 next)
{
  GPtrArray *peers = self->resume.peers;
  gboolean ok = TRUE;
  guint i;

  for (i = 0; i < peers->len && ok; i++) {
    EegCheckpoint *checkpoint;
    guint64 id = 0;

    if (eeg_checkpoint_load (g_ptr_array_index (peers, i),
            EEG_CHECKPOINT_NEWEST, &checkpoint)
        == EEG_CHECKPOINT_OK) {
      id = checkpoint->id;
      eeg_checkpoint_free (checkpoint);
    }
    ok = id == newest || id == next;
  }
  return ok;
}

/* Stores a checkpoint such that the newest one that all sinks have stays. Where
 * another sink is behind, it is left out, but for the last one. */
static EegCheckpointResult
store_checkpoint (GstEegFileSink *self, const EegCheckpoint *checkpoint,
    gboolean *stored)
{
  const gchar *sidecar = self->resume.sidecar;
  EegCheckpointResult result = EEG_CHECKPOINT_OK;
  EegCheckpoint *newest = NULL;

  *stored = TRUE;
  if (self->resume.peers == NULL)
    return eeg_checkpoint_store (sidecar, checkpoint);
  g_mutex_lock (&peers_lock);
  if (eeg_checkpoint_load (sidecar, EEG_CHECKPOINT_NEWEST, &newest)
      == EEG_CHECKPOINT_OK) {
    if (!checkpoint->complete)
      *stored = are_peers_in_step (self, newest->id, checkpoint->id);
    else if (!have_peers_checkpoint (self, newest->id))
      result = eeg_checkpoint_drop_newest (sidecar);
    eeg_checkpoint_free (newest);
  }
  if (result == EEG_CHECKPOINT_OK && *stored)
    result = eeg_checkpoint_store (sidecar, checkpoint);
  g_mutex_unlock (&peers_lock);
  return result;
}

/* transfer full; the sidecars of the other sinks, NULL if there are none or
 * with error set. */
static GPtrArray *
find_peers (GstEegFileSink *self, GError **error)
{
  GPtrArray *sinks =
      gst_eeg_checkpointer_find_sinks (GST_BASE_SINK_PAD (self), error);
  struct settings settings = copy_settings (self);
  GPtrArray *peers = NULL;
  gboolean ok = sinks != NULL;
  guint i;

  for (i = 0; ok && i < sinks->len; i++) {
    GstElement *sink = g_ptr_array_index (sinks, i);
    struct settings other;

    if (sink == GST_ELEMENT (self) || !GST_IS_EEG_FILE_SINK (sink))
      continue;
    other = copy_settings (GST_EEG_FILE_SINK (sink));
    if (other.overwrite != settings.overwrite || other.rotate_bytes > 0
        || other.rotate_time > 0) {
      g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
          "%s stands behind the same tee, and has %s", GST_OBJECT_NAME (sink),
          other.overwrite != settings.overwrite ? "another overwrite"
                                                : "parts");
      ok = FALSE;
    } else {
      if (peers == NULL)
        peers = g_ptr_array_new_with_free_func (g_free);
      g_ptr_array_add (peers, get_sidecar (&other));
    }
    clear_settings (&other);
  }
  clear_settings (&settings);
  g_clear_pointer (&sinks, g_ptr_array_unref);
  if (!ok)
    g_clear_pointer (&peers, g_ptr_array_unref);
  return peers;
}

/* Whether all sinks behind the same tee were there at the start. */
static gboolean
check_peers (GstEegFileSink *self, GError **error)
{
  GError *reason = NULL;
  GPtrArray *peers = find_peers (self, &reason);
  guint i;

  for (i = 0; peers != NULL && i < peers->len && reason == NULL; i++) {
    const gchar *sidecar = g_ptr_array_index (peers, i);

    if (self->resume.peers == NULL
        || !g_ptr_array_find_with_equal_func (self->resume.peers, sidecar,
            g_str_equal, NULL))
      g_set_error (&reason, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
          "a sink with its checkpoints in \"%s\" came later", sidecar);
  }
  g_clear_pointer (&peers, g_ptr_array_unref);
  if (reason == NULL)
    return TRUE;
  g_propagate_error (error, reason);
  return FALSE;
}

/* The file's thread: all before the checkpoint is on disk. */
static void
handle_mark (EegDurableFile *file, void *user_data, void *mark, bool reached)
{
  GstEegFileSink *self = user_data;
  EegCheckpoint *checkpoint = mark;
  EegCheckpointResult result = EEG_CHECKPOINT_IO;
  gboolean stored = TRUE;

  if (reached) {
    if (gst_eeg_checkpointer_set_output (checkpoint, file,
            checkpoint->output.length))
      result = store_checkpoint (self, checkpoint, &stored);
    if (result == EEG_CHECKPOINT_OK && !stored) {
      GST_DEBUG_OBJECT (self,
          "checkpoint %" G_GUINT64_FORMAT " waits for another sink",
          checkpoint->id);
    } else if (result == EEG_CHECKPOINT_OK) {
      GST_OBJECT_LOCK (self);
      self->checkpoints++;
      self->checkpoint_id = checkpoint->id;
      GST_OBJECT_UNLOCK (self);
      gst_element_post_message (GST_ELEMENT (self),
          gst_message_new_element (GST_OBJECT (self),
              gst_structure_new ("eeg-checkpoint", "id", G_TYPE_UINT64,
                  checkpoint->id, "bytes", G_TYPE_UINT64,
                  checkpoint->output.length, "sample-index", G_TYPE_UINT64,
                  checkpoint->sample_index, "complete", G_TYPE_BOOLEAN,
                  (gboolean) checkpoint->complete, NULL)));
    } else {
      /* the one before still holds, and the recording is what matters */
      GST_ELEMENT_WARNING (self, RESOURCE, WRITE,
          ("Checkpoint %" G_GUINT64_FORMAT " could not be stored.",
              checkpoint->id),
          ("%s: %s", self->resume.sidecar,
              eeg_checkpoint_result_to_string (result)));
    }
  }
  eeg_checkpoint_free (checkpoint);
}

/* Before anything is written: that what comes belongs to this recording. */
static gboolean
store_first_checkpoint (GstEegFileSink *self, EegDurableFile *file)
{
  struct resume *resume = &self->resume;
  EegCheckpointResult result = EEG_CHECKPOINT_NO_MEMORY;
  EegCheckpoint *checkpoint;
  guint i;

  for (i = 0; i < sizeof resume->recording; i++)
    resume->recording[i] = (guint8) g_random_int ();
  checkpoint = gst_eeg_checkpointer_make (NULL, FALSE, NULL, resume->recording,
      resume->location, NULL);
  if (checkpoint != NULL
      && gst_eeg_checkpointer_set_output (checkpoint, file, 0))
    result = eeg_checkpoint_store (resume->sidecar, checkpoint);
  eeg_checkpoint_free (checkpoint);
  resume->fresh = result == EEG_CHECKPOINT_OK;
  if (resume->fresh)
    return TRUE;
  return post_refusal (self, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE,
      "The first checkpoint could not be stored",
      eeg_checkpoint_result_to_string (result));
}

/* The newest checkpoint that fits to what is on disk, or NULL with the reason
 * why there is none; a reason of NULL: there was never one. */
static EegCheckpoint *
load_checkpoint (GstEegFileSink *self, EegDurableFile *file,
    const gchar **reason)
{
  gsize i;

  *reason = NULL;
  for (i = 0; i < G_N_ELEMENTS (generations); i++) {
    EegCheckpoint *checkpoint;
    EegCheckpointResult result =
        eeg_checkpoint_load (self->resume.sidecar, generations[i], &checkpoint);
    gboolean fits;

    if (result == EEG_CHECKPOINT_MISSING)
      continue;
    fits = result == EEG_CHECKPOINT_OK
        && gst_eeg_checkpointer_fits_file (checkpoint, file);
    if (fits && have_peers_checkpoint (self, checkpoint->id)) {
      /* the others must not take one for common that is not any more */
      if (i > 0 && self->resume.peers != NULL)
        eeg_checkpoint_drop_newest (self->resume.sidecar);
      return checkpoint;
    }
    eeg_checkpoint_free (checkpoint);
    /* what the newest one has to say stays */
    if (*reason != NULL)
      continue;
    *reason = fits ? "the sinks behind the tee have none in common"
        : result != EEG_CHECKPOINT_OK
        ? eeg_checkpoint_result_to_string (result)
        : "the output is shorter than it was, or ends with other bytes";
  }
  return NULL;
}

/* A chunk that stops the pipeline each time must not do so for ever. */
static gboolean
may_retry (GstEegFileSink *self, const EegCheckpoint *checkpoint)
{
  GString *text;

  if (checkpoint->complete || self->resume.max_retries == 0
      || checkpoint->retries < self->resume.max_retries)
    return TRUE;
  text = g_string_new (NULL);
  g_string_append_printf (text,
      "it begins behind checkpoint %" G_GUINT64_FORMAT, checkpoint->id);
  if (checkpoint->n_stages > 0
      && checkpoint->input.position != EEG_CHECKPOINT_NONE)
    g_string_append_printf (text,
        ", at byte %" G_GUINT64_FORMAT " of the input",
        checkpoint->input.position);
  if (checkpoint->sample_index > 0)
    g_string_append_printf (text, ", at sample %" G_GUINT64_FORMAT,
        checkpoint->sample_index);
  g_string_append_printf (text,
      ", and the recording went on from there %u times without coming to the "
      "next checkpoint (max-retries=%u)",
      (guint) checkpoint->retries, self->resume.max_retries);
  gst_eeg_stage_count (&self->counters.errors, 1);
  self->state.failed = TRUE;
  GST_ELEMENT_ERROR (self, STREAM, FAILED,
      ("Chunk %" G_GUINT64_FORMAT " cannot be recorded: %s.",
          checkpoint->id + 1, text->str),
      (NULL));
  g_string_free (text, TRUE);
  return FALSE;
}

/* transfer full checkpoint */
static gboolean
go_on (GstEegFileSink *self, EegDurableFile *file, EegCheckpoint *checkpoint,
    GPtrArray *stages)
{
  GError *error = NULL;

  self->resume.from = checkpoint;
  if (!may_retry (self, checkpoint))
    return FALSE;
  if (!gst_eeg_checkpointer_compare (checkpoint, stages, FALSE, &error)
      || !gst_eeg_checkpointer_restore (checkpoint, stages, FALSE, &error)) {
    refuse_to_go_on (self, error->message);
    g_error_free (error);
    return FALSE;
  }
  memcpy (self->resume.recording, checkpoint->recording,
      sizeof self->resume.recording);
  self->resume.cut = TRUE;
  self->resume.cut_at = checkpoint->output.length;
  GST_INFO_OBJECT (self,
      "going on from checkpoint %" G_GUINT64_FORMAT
      " at byte %" G_GUINT64_FORMAT,
      checkpoint->id, checkpoint->output.length);
  GST_OBJECT_LOCK (self);
  self->checkpoint_id = checkpoint->id;
  GST_OBJECT_UNLOCK (self);
  if (checkpoint->complete) {
    /* only its name was missing */
    EegDurableResult result = eeg_durable_finish (file);

    if (result != EEG_DURABLE_OK) {
      post_error (self, self->resume.location, result,
          eeg_durable_get_errno (file));
      return FALSE;
    }
    self->resume.already = TRUE;
  }
  return TRUE;
}

/* A file that this same pipeline has finished before: FALSE if it is another
 * one, or the pipeline is. The stages go on at the end, so that checksums find
 * the same once more, and the source compares its input. */
static gboolean
is_finished_already (GstEegFileSink *self, GPtrArray *stages)
{
  struct resume *resume = &self->resume;
  GError *error = NULL;
  EegCheckpoint *checkpoint;
  gboolean same = FALSE;
  gsize i;

  if (eeg_checkpoint_load (resume->sidecar, EEG_CHECKPOINT_NEWEST, &checkpoint)
      != EEG_CHECKPOINT_OK)
    return FALSE;
  if (checkpoint->complete
      && gst_eeg_checkpointer_fits_path (checkpoint, resume->location)) {
    /* others behind the same tee may still have something to do, from before */
    for (i = 0; i < G_N_ELEMENTS (generations); i++) {
      eeg_checkpoint_free (checkpoint);
      checkpoint = NULL;
      if (eeg_checkpoint_load (resume->sidecar, generations[i], &checkpoint)
              == EEG_CHECKPOINT_OK
          && have_peers_checkpoint (self, checkpoint->id))
        break;
    }
    same = i < G_N_ELEMENTS (generations)
        && gst_eeg_checkpointer_compare (checkpoint, stages, FALSE, &error)
        && gst_eeg_checkpointer_restore (checkpoint, stages, FALSE, &error);
  }
  eeg_checkpoint_free (checkpoint);
  if (error != NULL) {
    GST_INFO_OBJECT (self, "another recording: %s", error->message);
    g_error_free (error);
  }
  return same;
}

/* Of a file that was opened to go on with it. */
static gboolean
find_checkpoint (GstEegFileSink *self, EegDurableFile *file, GPtrArray *stages)
{
  EegDurableCounts counts;
  const gchar *reason;
  EegCheckpoint *checkpoint = load_checkpoint (self, file, &reason);

  eeg_durable_get_counts (file, &counts);
  if (checkpoint != NULL)
    return go_on (self, file, checkpoint, stages);
  if (counts.size == 0)
    return store_first_checkpoint (self, file);
  if (reason != NULL)
    return refuse_to_go_on (self, reason);
  post_error (self, self->resume.location, EEG_DURABLE_UNFINISHED, 0);
  return FALSE;
}

static gboolean
open_with_checkpoints (GstEegFileSink *self, gboolean overwrite)
{
  struct resume *resume = &self->resume;
  GError *error = NULL;
  GPtrArray *stages;
  EegDurableFile *file;
  EegDurableResult result;
  EegDurableCounts counts;
  gboolean ok;
  int code;

  stages = gst_eeg_checkpointer_find_stages (GST_BASE_SINK_PAD (self), FALSE,
      &error);
  if (stages != NULL) {
    resume->peers = find_peers (self, &error);
    if (error != NULL)
      g_clear_pointer (&stages, g_ptr_array_unref);
  }
  if (stages == NULL)
    return refuse_checkpoints (self, error);
  result = eeg_durable_open (resume->location,
      overwrite ? EEG_DURABLE_OVERWRITE : EEG_DURABLE_CONTINUE, &file, &code);
  if (result == EEG_DURABLE_EXISTS && is_finished_already (self, stages)) {
    GST_INFO_OBJECT (self, "the recording is whole already");
    resume->already = TRUE;
    g_ptr_array_unref (stages);
    return TRUE;
  }
  if (result != EEG_DURABLE_OK) {
    post_error (self, resume->location, result, code);
    g_ptr_array_unref (stages);
    return FALSE;
  }
  eeg_durable_set_mark_func (file, handle_mark, self);
  if (overwrite) {
    eeg_checkpoint_remove (resume->sidecar);
    ok = store_first_checkpoint (self, file);
  } else {
    ok = find_checkpoint (self, file, stages);
  }
  g_ptr_array_unref (stages);
  if (ok)
    take_file (self, file);
  else
    eeg_durable_close (file, &counts, &code);
  return ok;
}

static gboolean
open_plainly (GstEegFileSink *self, const struct settings *settings)
{
  EegDurableFile *file;
  int error;
  EegDurableResult result = eeg_durable_open (settings->location,
      settings->overwrite ? EEG_DURABLE_OVERWRITE : EEG_DURABLE_NEW, &file,
      &error);

  if (result == EEG_DURABLE_OK)
    take_file (self, file);
  else
    post_error (self, settings->location, result, error);
  return result == EEG_DURABLE_OK;
}

static void
clear_resume (GstEegFileSink *self)
{
  struct resume *resume = &self->resume;

  g_free (resume->location);
  g_free (resume->sidecar);
  g_clear_pointer (&resume->last, gst_eeg_barrier_unref);
  eeg_checkpoint_free (resume->from);
  g_clear_pointer (&resume->peers, g_ptr_array_unref);
  memset (resume, 0, sizeof *resume);
}

static void
clear_parts (GstEegFileSink *self)
{
  struct parts *parts = &self->parts;

  g_free (parts->name);
  g_clear_pointer (&parts->stages, g_ptr_array_unref);
  memset (parts, 0, sizeof *parts);
}

/* --- parts --------------------------------------------------------------- */

/* What was never used for another recording. */
static void
make_identity (guint8 *recording)
{
  guint i;

  for (i = 0; i < EEG_CHECKPOINT_UUID_SIZE; i += 4) {
    guint32 word = g_random_int ();

    memcpy (recording + i, &word, sizeof word);
  }
  /* RFC 4122, version 4 */
  recording[6] = (recording[6] & 0x0f) | 0x40;
  recording[8] = (recording[8] & 0x3f) | 0x80;
}

/* Opens the part that comes next. FALSE after an error. */
static gboolean
open_part (GstEegFileSink *self)
{
  struct parts *parts = &self->parts;
  gchar *location = get_part_location (self, parts->part.number);
  EegDurableFile *file;
  EegDurableCounts counts;
  EegDurableResult result;
  int error;

  /* what an interrupted one left is thrown away when the stream begins */
  result = eeg_durable_open (location,
      parts->overwrite           ? EEG_DURABLE_OVERWRITE
          : self->resume.enabled ? EEG_DURABLE_CONTINUE
                                 : EEG_DURABLE_NEW,
      &file, &error);
  if (result == EEG_DURABLE_OK) {
    eeg_durable_get_counts (file, &counts);
    self->resume.cut = counts.size > 0;
    self->resume.cut_at = 0;
    eeg_durable_set_mark_func (file, handle_mark, self);
    take_file (self, file);
    parts->part.begun = g_get_real_time ();
    parts->requested = FALSE;
    parts->began = parts->first = GST_CLOCK_TIME_NONE;
  } else {
    post_error (self, location, result, error);
  }
  g_free (location);
  return result == EEG_DURABLE_OK;
}

/* What this pipeline is told by, and what comes next, once @length bytes of the
 * current part are on disk; @barrier: where it ends, or NULL if it is not known
 * yet or is the end of all. NULL after an error. */
static EegCheckpoint *
make_part_checkpoint (GstEegFileSink *self, GstEegBarrier *barrier,
    const GstEegPart *next, guint64 length)
{
  struct parts *parts = &self->parts;
  gchar *location = get_part_location (self, parts->part.number);
  EegCheckpoint *checkpoint;
  GError *error = NULL;

  checkpoint = gst_eeg_checkpointer_make (parts->is_live ? NULL : parts->stages,
      TRUE, barrier, parts->part.recording, location, &error);
  g_free (location);
  if (checkpoint == NULL) {
    refuse_checkpoints (self, error);
    return NULL;
  }
  if (barrier != NULL)
    checkpoint->part = (guint32) MIN (parts->part.number, G_MAXUINT32);
  checkpoint->output.length = length;
  if (gst_eeg_parts_save (checkpoint, GST_ELEMENT (self), next))
    return checkpoint;
  eeg_checkpoint_free (checkpoint);
  post_refusal (self, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED,
      "No checkpoint", "not enough memory");
  return NULL;
}

static gboolean
store_first_part (GstEegFileSink *self)
{
  struct resume *resume = &self->resume;
  EegCheckpoint *checkpoint =
      make_part_checkpoint (self, NULL, &self->parts.part, 0);
  EegCheckpointResult result = EEG_CHECKPOINT_IO;

  if (checkpoint == NULL)
    return FALSE;
  if (gst_eeg_checkpointer_set_output (checkpoint, self->file, 0))
    result = eeg_checkpoint_store (resume->sidecar, checkpoint);
  eeg_checkpoint_free (checkpoint);
  resume->fresh = result == EEG_CHECKPOINT_OK;
  if (resume->fresh)
    return TRUE;
  return post_refusal (self, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE,
      "The first checkpoint could not be stored",
      eeg_checkpoint_result_to_string (result));
}

/* The newest one that can be read; NULL with *reason NULL: there was none. */
static EegCheckpoint *
load_part_checkpoint (GstEegFileSink *self, const gchar **reason)
{
  EegCheckpointGeneration generation;

  *reason = NULL;
  for (generation = EEG_CHECKPOINT_NEWEST;
       generation <= EEG_CHECKPOINT_PREVIOUS; generation++) {
    EegCheckpoint *checkpoint;
    EegCheckpointResult result =
        eeg_checkpoint_load (self->resume.sidecar, generation, &checkpoint);

    if (result == EEG_CHECKPOINT_OK
        && gst_eeg_parts_restore (checkpoint, &self->parts.part))
      return checkpoint;
    if (result == EEG_CHECKPOINT_OK) {
      eeg_checkpoint_free (checkpoint);
      *reason = "it is that of a recording without parts";
    } else if (result != EEG_CHECKPOINT_MISSING && *reason == NULL) {
      *reason = eeg_checkpoint_result_to_string (result);
    }
  }
  return NULL;
}

/* The part that a checkpoint ends may not have got its name. */
static gboolean
name_part (GstEegFileSink *self, const EegCheckpoint *checkpoint)
{
  gchar *location = get_part_location (self, checkpoint->part);
  EegDurableFile *file = NULL;
  EegDurableResult result;
  EegDurableCounts counts;
  gboolean ok = gst_eeg_checkpointer_fits_path (checkpoint, location);
  int error;

  if (!ok && !g_file_test (location, G_FILE_TEST_EXISTS)) {
    result = eeg_durable_open (location, EEG_DURABLE_CONTINUE, &file, &error);
    if (result == EEG_DURABLE_OK) {
      eeg_durable_get_counts (file, &counts);
      ok = counts.size == checkpoint->output.length
          && gst_eeg_checkpointer_fits_file (checkpoint, file)
          && eeg_durable_finish (file) == EEG_DURABLE_OK;
      eeg_durable_close (file, &counts, &error);
    } else {
      post_error (self, location, result, error);
    }
  }
  /* one that was moved away is nobody's business here */
  if (!ok && file != NULL && counts.size == 0)
    ok = TRUE;
  if (!ok)
    refuse_to_go_on (self, "the last part is another one than it was");
  g_free (location);
  return ok;
}

/* The source gives out again what is missing. transfer full checkpoint */
static gboolean
go_on_with_parts (GstEegFileSink *self, EegCheckpoint *checkpoint)
{
  struct parts *parts = &self->parts;
  GError *error = NULL;

  self->resume.from = checkpoint;
  if (!may_retry (self, checkpoint))
    return FALSE;
  if (!gst_eeg_checkpointer_compare (checkpoint, parts->stages, TRUE, &error)
      || (checkpoint->part > 0
          && !gst_eeg_checkpointer_restore (checkpoint, parts->stages,
              checkpoint->complete, &error))) {
    refuse_to_go_on (self, error->message);
    g_error_free (error);
    return FALSE;
  }
  if (checkpoint->part > 0 && !name_part (self, checkpoint))
    return FALSE;
  parts->finished = checkpoint->part;
  self->resume.already = checkpoint->complete;
  GST_OBJECT_LOCK (self);
  self->checkpoint_id = checkpoint->id;
  GST_OBJECT_UNLOCK (self);
  return checkpoint->complete || open_part (self);
}

/* What was lost is lost; a new part says so. */
static gboolean
go_on_live (GstEegFileSink *self, const EegCheckpoint *checkpoint)
{
  struct parts *parts = &self->parts;
  GstEegPart *part = &parts->part;
  GstEegPartsFound found;
  EegDurableFile *file;
  EegDurableResult result;
  EegDurableCounts counts;
  gchar *location;
  int error;

  if (checkpoint->complete) {
    location = get_part_location (self, checkpoint->part);
    post_error (self, location, EEG_DURABLE_EXISTS, 0);
    g_free (location);
    return FALSE;
  }
  if (checkpoint->part > 0 && !name_part (self, checkpoint))
    return FALSE;
  gst_eeg_parts_find_last (parts->name, &found, NULL);
  if (found.number < checkpoint->part) {
    found.number = checkpoint->part;
    found.unfinished = FALSE;
    found.written = checkpoint->time;
  }
  if (found.unfinished) {
    /* is somebody writing it? */
    location = get_part_location (self, found.number);
    result = eeg_durable_open (location, EEG_DURABLE_CONTINUE, &file, &error);
    if (result == EEG_DURABLE_OK)
      eeg_durable_close (file, &counts, &error);
    else
      post_error (self, location, result, error);
    g_free (location);
    if (result != EEG_DURABLE_OK)
      return FALSE;
  }
  if (found.number == 0)
    return open_part (self);
  part->number = found.number + 1;
  part->link = GST_EEG_PART_LINK_INTERRUPTED;
  part->first = GST_EEG_PART_UNKNOWN;
  part->stopped = found.written;
  parts->finished = found.unfinished ? 0 : found.number;
  return open_part (self);
}

static gboolean
begin_parts (GstEegFileSink *self)
{
  struct parts *parts = &self->parts;
  GstEegPartsFound found;
  GError *error = NULL;
  gchar *location;

  if (!gst_eeg_parts_find_last (parts->name, &found, &error)) {
    post_refusal (self, error->domain, error->code, "No parts", error->message);
    g_error_free (error);
    return FALSE;
  }
  if (found.number > 0 && !parts->overwrite) {
    location = get_part_location (self, found.number);
    post_error (self, location,
        found.unfinished ? EEG_DURABLE_UNFINISHED : EEG_DURABLE_EXISTS, 0);
    g_free (location);
    return FALSE;
  }
  make_identity (self->resume.recording);
  gst_eeg_part_init (&parts->part, self->resume.recording, 1);
  if (parts->overwrite && self->resume.enabled)
    eeg_checkpoint_remove (self->resume.sidecar);
  return open_part (self) && (!self->resume.enabled || store_first_part (self));
}

static gboolean
open_with_parts (GstEegFileSink *self, const struct settings *settings)
{
  struct parts *parts = &self->parts;
  struct resume *resume = &self->resume;
  EegCheckpoint *checkpoint = NULL;
  const gchar *reason = NULL;
  GError *error = NULL;
  gboolean ok;

  parts->enabled = TRUE;
  parts->overwrite = settings->overwrite;
  parts->name = g_strdup (settings->location);
  resume->enabled = settings->checkpoint;
  resume->max_retries = settings->max_retries;
  resume->location = g_strdup (settings->location);
  resume->sidecar = get_sidecar (settings);
  parts->stages = gst_eeg_parts_find_stages (GST_BASE_SINK_PAD (self),
      &parts->is_live, &error);
  if (parts->stages == NULL) {
    post_refusal (self, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "This pipeline cannot be recorded in parts", error->message);
    g_error_free (error);
    return FALSE;
  }
  if (resume->enabled && !parts->overwrite)
    checkpoint = load_part_checkpoint (self, &reason);
  if (checkpoint != NULL) {
    memcpy (resume->recording, checkpoint->recording, sizeof resume->recording);
    if (parts->is_live) {
      ok = go_on_live (self, checkpoint);
      eeg_checkpoint_free (checkpoint);
    } else {
      ok = go_on_with_parts (self, checkpoint);
    }
  } else if (reason != NULL) {
    ok = refuse_to_go_on (self, reason);
  } else {
    ok = begin_parts (self);
  }
  gst_eeg_parts_tell (parts->stages, ok ? &parts->part : NULL);
  return ok;
}

static gboolean
open_file (GstEegFileSink *self)
{
  struct settings settings = copy_settings (self);
  gboolean ok;

  memset (&self->state, 0, sizeof self->state);
  clear_resume (self);
  clear_parts (self);
  gst_eeg_stage_counters_reset (&self->counters);
  GST_OBJECT_LOCK (self);
  memset (&self->counts, 0, sizeof self->counts);
  memset (&self->before, 0, sizeof self->before);
  self->finished = FALSE;
  self->checkpoints = self->checkpoint_id = 0;
  GST_OBJECT_UNLOCK (self);

  if (settings.location == NULL) {
    gst_eeg_stage_count (&self->counters.errors, 1);
    GST_ELEMENT_ERROR (self, RESOURCE, NOT_FOUND,
        ("No location was set to record to."), (NULL));
    ok = FALSE;
  } else if (settings.rotate_bytes > 0 || settings.rotate_time > 0) {
    ok = open_with_parts (self, &settings);
  } else if (settings.checkpoint) {
    self->resume.enabled = TRUE;
    self->resume.location = g_strdup (settings.location);
    self->resume.sidecar = get_sidecar (&settings);
    self->resume.max_retries = settings.max_retries;
    ok = open_with_checkpoints (self, settings.overwrite);
  } else {
    ok = open_plainly (self, &settings);
  }
  clear_settings (&settings);
  return ok;
}

/* A disk that is full is not the chunk's fault. */
static void
forgive (GstEegFileSink *self)
{
  EegCheckpoint *from = self->resume.from;

  if (!self->state.disk_failed || from == NULL || from->retries == 0
      || self->checkpoints > 0)
    return;
  from->retries--;
  /* if that does not work either, one retry less is left */
  eeg_checkpoint_update (self->resume.sidecar, from);
}

static void
close_file (GstEegFileSink *self)
{
  gchar *location = get_location (self);
  EegDurableFile *file = self->file;
  EegDurableResult result;
  EegDurableCounts counts;
  int error;

  GST_OBJECT_LOCK (self);
  eeg_durable_get_counts (file, &self->counts);
  self->file = NULL;
  GST_OBJECT_UNLOCK (self);
  /* nothing was written, and nothing stays; before the lock is given up */
  eeg_durable_get_counts (file, &counts);
  if (self->resume.fresh && counts.size == 0 && !self->state.finished
      && self->parts.finished == 0)
    eeg_checkpoint_remove (self->resume.sidecar);
  eeg_durable_stop (file);
  forgive (self);
  result = eeg_durable_close (file, &counts, &error);
  GST_OBJECT_LOCK (self);
  self->counts = counts;
  GST_OBJECT_UNLOCK (self);
  if (result != EEG_DURABLE_OK)
    post_error (self, location, result, error);
  g_free (location);
}

/* The base class starts in READY; a recording begins when the stream does. */
static GstStateChangeReturn
gst_eeg_file_sink_change_state (GstElement *element, GstStateChange transition)
{
  GstEegFileSink *self = GST_EEG_FILE_SINK (element);
  GstStateChangeReturn ret;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !open_file (self))
    return GST_STATE_CHANGE_FAILURE;
  ret = GST_ELEMENT_CLASS (parent_class)->change_state (element, transition);
  if (self->file != NULL
      && (transition == GST_STATE_CHANGE_PAUSED_TO_READY
          || (transition == GST_STATE_CHANGE_READY_TO_PAUSED
              && ret == GST_STATE_CHANGE_FAILURE)))
    close_file (self);
  return ret;
}

/* The stream may go over to another file meanwhile. */
static void
set_flushing (GstEegFileSink *self, gboolean flushing)
{
  GST_OBJECT_LOCK (self);
  self->flushing = flushing;
  if (self->file != NULL)
    eeg_durable_set_flushing (self->file, flushing);
  GST_OBJECT_UNLOCK (self);
}

static gboolean
gst_eeg_file_sink_unlock (GstBaseSink *sink)
{
  set_flushing (GST_EEG_FILE_SINK (sink), TRUE);
  return TRUE;
}

static gboolean
gst_eeg_file_sink_unlock_stop (GstBaseSink *sink)
{
  set_flushing (GST_EEG_FILE_SINK (sink), FALSE);
  return TRUE;
}

/* --- writing ------------------------------------------------------------- */

/* Before anything can go wrong in what comes: a crash is a try, too. */
static gboolean
count_retry (GstEegFileSink *self)
{
  EegCheckpoint *from = self->resume.from;
  EegCheckpointResult result;
  gint error;

  if (from->retries < G_MAXUINT32)
    from->retries++;
  result = eeg_checkpoint_update (self->resume.sidecar, from);
  error = errno;
  if (result == EEG_CHECKPOINT_OK)
    return TRUE;
  return post_refusal (self, GST_RESOURCE_ERROR,
      result == EEG_CHECKPOINT_IO && (error == ENOSPC || error == EDQUOT)
          ? GST_RESOURCE_ERROR_NO_SPACE_LEFT
          : GST_RESOURCE_ERROR_WRITE,
      "That the recording goes on could not be stored",
      result == EEG_CHECKPOINT_IO ? g_strerror (error)
                                  : eeg_checkpoint_result_to_string (result));
}

/* The stream begins: the source has found its input to be the right one, so
 * what is behind the checkpoint comes once more. FALSE after an error. */
static gboolean
cut_file (GstEegFileSink *self)
{
  EegDurableResult result;

  if (!self->resume.cut || self->resume.already)
    return TRUE;
  self->resume.cut = FALSE;
  if (self->resume.from != NULL && !count_retry (self))
    return FALSE;
  result = eeg_durable_truncate (self->file, self->resume.cut_at);
  if (result != EEG_DURABLE_OK)
    fail (self, result);
  return result == EEG_DURABLE_OK;
}

/* A wait ends also for a pause, and goes on behind it. */
static GstFlowReturn
handle_result (GstEegFileSink *self, EegDurableResult result)
{
  if (result == EEG_DURABLE_FLUSHING)
    return gst_base_sink_wait_preroll (GST_BASE_SINK (self));
  return result == EEG_DURABLE_OK ? GST_FLOW_OK : fail (self, result);
}

static GstFlowReturn
write_pieces (GstEegFileSink *self, const struct iovec *pieces, int n)
{
  struct iovec rest[MAX_PIECES];
  GstFlowReturn flow = GST_FLOW_OK;
  int first = 0;

  memcpy (rest, pieces, n * sizeof *pieces);
  while (first < n && flow == GST_FLOW_OK) {
    guint64 written;
    EegDurableResult result =
        eeg_durable_write (self->file, rest + first, n - first, &written);

    gst_eeg_stage_count (&self->counters.bytes_out, written);
    while (first < n && written >= rest[first].iov_len)
      written -= rest[first++].iov_len;
    if (first < n) {
      rest[first].iov_base = (guint8 *) rest[first].iov_base + written;
      rest[first].iov_len -= written;
    }
    flow = handle_result (self, result);
  }
  return flow;
}

static GstFlowReturn
write_buffer (GstEegFileSink *self, GstBuffer *buffer)
{
  guint n_memory = gst_buffer_n_memory (buffer), i = 0;
  GstFlowReturn flow = GST_FLOW_OK;

  /* mapping the buffer would copy several memories into one */
  while (i < n_memory && flow == GST_FLOW_OK) {
    GstMapInfo maps[MAX_PIECES];
    struct iovec pieces[MAX_PIECES];
    int n = 0;

    while (n < MAX_PIECES && i < n_memory) {
      if (!gst_memory_map (gst_buffer_peek_memory (buffer, i), &maps[n],
              GST_MAP_READ)) {
        gst_eeg_stage_count (&self->counters.errors, 1);
        GST_ELEMENT_ERROR (self, RESOURCE, FAILED, ("Could not read a buffer."),
            ("memory %u of %u", i, n_memory));
        self->state.failed = TRUE;
        flow = GST_FLOW_ERROR;
        break;
      }
      pieces[n].iov_base = maps[n].data;
      pieces[n].iov_len = maps[n].size;
      n++;
      i++;
    }
    if (flow == GST_FLOW_OK)
      flow = write_pieces (self, pieces, n);
    while (n > 0) {
      n--;
      gst_memory_unmap (maps[n].memory, &maps[n]);
    }
  }
  return flow;
}

/* Has the part enough? Then it is to end at the next barrier. */
static void
request_part (GstEegFileSink *self, GstBuffer *buffer)
{
  struct parts *parts = &self->parts;
  GstClockTime now, time = GST_BUFFER_PTS (buffer), rotate_time, elapsed;
  EegDurableCounts counts;
  guint64 rotate_bytes;

  if (!parts->enabled || parts->requested)
    return;
  now = gst_util_get_timestamp ();
  if (!GST_CLOCK_TIME_IS_VALID (parts->began)) {
    parts->began = now;
    parts->first = time;
  }
  GST_OBJECT_LOCK (self);
  rotate_bytes = self->settings.rotate_bytes;
  rotate_time = self->settings.rotate_time;
  GST_OBJECT_UNLOCK (self);
  eeg_durable_get_counts (self->file, &counts);
  elapsed = now - parts->began;
  if (GST_CLOCK_TIME_IS_VALID (time) && GST_CLOCK_TIME_IS_VALID (parts->first))
    elapsed = time > parts->first ? time - parts->first : 0;
  if ((rotate_bytes == 0 || counts.size < rotate_bytes)
      && (rotate_time == 0 || elapsed < rotate_time))
    return;
  parts->requested = TRUE;
  GST_DEBUG_OBJECT (self, "part %" G_GUINT64_FORMAT " has enough",
      parts->part.number);
  gst_pad_push_event (GST_BASE_SINK_PAD (self),
      gst_eeg_event_new_part_request ());
}

static GstFlowReturn
gst_eeg_file_sink_render (GstBaseSink *sink, GstBuffer *buffer)
{
  GstEegFileSink *self = GST_EEG_FILE_SINK (sink);
  struct state *state = &self->state;
  GstClockTime began = gst_util_get_timestamp ();
  GstFlowReturn flow = GST_FLOW_OK;

  if (state->failed)
    return GST_FLOW_ERROR;
  /* a source that could go on at the end looks at its input once more */
  if (self->resume.already)
    return self->parts.enabled ? GST_FLOW_EOS : GST_FLOW_OK;
  gst_eeg_stage_count_in (&self->counters, gst_buffer_get_size (buffer), 0);
  if (state->flushed || state->finished) {
    state->failed = TRUE;
    gst_eeg_stage_count (&self->counters.errors, 1);
    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("A recording cannot begin anew in the same file."),
        (state->finished ? "the stream goes on behind its end"
                         : "the stream was flushed"));
    return GST_FLOW_ERROR;
  }
  if (!cut_file (self))
    return GST_FLOW_ERROR;
  state->begun = TRUE;
  flow = write_buffer (self, buffer);
  while (flow == GST_FLOW_OK
      && GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_SYNC_AFTER)) {
    EegDurableResult result = eeg_durable_sync (self->file);

    flow = handle_result (self, result);
    if (result == EEG_DURABLE_OK)
      break;
  }
  if (flow != GST_FLOW_OK)
    return flow;
  gst_eeg_stage_count (&self->counters.buffers_out, 1);
  gst_eeg_stage_count (&self->counters.busy_ns,
      gst_util_get_timestamp () - began);
  measure_age (self, buffer);
  /* a header does not show how long samples are on their way */
  if (state->posted || !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_HEADER))
    update_bound (self);
  request_part (self, buffer);
  return GST_FLOW_OK;
}

/* --- events and queries -------------------------------------------------- */

/* transfer full; what a barrier collected on its way, with all bytes before it
 * written. NULL after an error. */
static EegCheckpoint *
make_checkpoint (GstEegFileSink *self, GstEegBarrier *barrier)
{
  struct resume *resume = &self->resume;
  EegCheckpoint *checkpoint = NULL;
  GError *error = NULL;
  EegDurableCounts counts;
  GPtrArray *stages;

  /* pads may have come since the last one */
  stages = gst_eeg_checkpointer_find_stages (GST_BASE_SINK_PAD (self), FALSE,
      &error);
  if (stages != NULL && !check_peers (self, &error))
    g_clear_pointer (&stages, g_ptr_array_unref);
  if (stages != NULL) {
    checkpoint = gst_eeg_checkpointer_make (stages, FALSE, barrier,
        resume->recording, resume->location, &error);
    g_ptr_array_unref (stages);
  }
  if (checkpoint == NULL) {
    refuse_checkpoints (self, error);
    return NULL;
  }
  eeg_durable_get_counts (self->file, &counts);
  checkpoint->output.length = counts.size;
  return checkpoint;
}

/* The part gets its name, once the checkpoint that says so is stored. */
static gboolean
finish_part (GstEegFileSink *self, guint64 bytes)
{
  struct parts *parts = &self->parts;
  EegDurableResult result = eeg_durable_finish (self->file);
  gchar *location;

  if (result != EEG_DURABLE_OK) {
    fail (self, result);
    return FALSE;
  }
  parts->finished = parts->part.number;
  location = get_part_location (self, parts->part.number);
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self),
          gst_structure_new ("eeg-part", "number", G_TYPE_UINT64,
              parts->part.number, "location", G_TYPE_STRING, location, "bytes",
              G_TYPE_UINT64, bytes, "first", G_TYPE_UINT64, parts->part.first,
              NULL)));
  g_free (location);
  return TRUE;
}

/* All of the part was written; what comes goes to another file. */
static gboolean
end_part (GstEegFileSink *self, GstEegBarrier *barrier)
{
  struct parts *parts = &self->parts;
  EegDurableFile *file = self->file;
  EegDurableCounts counts;
  EegCheckpoint *checkpoint;
  GstEegPart next;
  int error;

  eeg_durable_get_counts (file, &counts);
  if (!gst_eeg_barrier_get_next_part (barrier, &next)) {
    next = parts->part;
    next.number++;
    next.first = gst_eeg_barrier_get_sample_index (barrier);
    next.link = GST_EEG_PART_LINK_FOLLOWS;
  }
  if (self->resume.enabled) {
    checkpoint = make_part_checkpoint (self, barrier, &next, counts.size);
    if (checkpoint == NULL)
      return FALSE;
    eeg_durable_mark (file, checkpoint);
  }
  if (!finish_part (self, counts.size))
    return FALSE;

  eeg_durable_get_counts (file, &counts);
  GST_OBJECT_LOCK (self);
  self->file = NULL;
  self->before.size += counts.size;
  self->before.safe += counts.safe;
  self->before.syncs += counts.syncs;
  self->before.longest_sync =
      MAX (self->before.longest_sync, counts.longest_sync);
  memset (&self->counts, 0, sizeof self->counts);
  GST_OBJECT_UNLOCK (self);
  eeg_durable_close (file, &counts, &error);
  parts->base += counts.size;
  parts->part = next;
  return open_part (self);
}

static gboolean
handle_barrier (GstEegFileSink *self, GstEegBarrier *barrier)
{
  struct resume *resume = &self->resume;
  EegCheckpoint *checkpoint;

  if (resume->already || self->state.failed || self->state.flushed)
    return TRUE;
  if (self->parts.enabled) {
    g_clear_pointer (&resume->last, gst_eeg_barrier_unref);
    resume->last = gst_eeg_barrier_ref (barrier);
    return !gst_eeg_barrier_ends_part (barrier) || end_part (self, barrier);
  }
  if (!resume->enabled)
    return TRUE;
  if (!cut_file (self))
    return FALSE;
  checkpoint = make_checkpoint (self, barrier);
  if (checkpoint == NULL)
    return FALSE;
  g_clear_pointer (&resume->last, gst_eeg_barrier_unref);
  resume->last = gst_eeg_barrier_ref (barrier);
  eeg_durable_mark (self->file, checkpoint);
  return TRUE;
}

/* The same pipeline, run again, finds out that there is nothing to do but maybe
 * to give the file its name: so this is stored before it gets that. */
static void
mark_as_complete (GstEegFileSink *self)
{
  struct resume *resume = &self->resume;
  EegCheckpoint *checkpoint;

  /* without a barrier there is nothing to tell this pipeline by */
  if (resume->last == NULL)
    return;
  checkpoint = make_checkpoint (self, resume->last);
  if (checkpoint == NULL)
    return;
  checkpoint->complete = true;
  eeg_durable_mark (self->file, checkpoint);
}

/* The last checkpoint, which is that of the part before the one that is empty,
 * is also that of the end. */
static gboolean
mark_last_part (GstEegFileSink *self)
{
  EegCheckpoint *checkpoint;
  EegCheckpointResult result = eeg_checkpoint_load (self->resume.sidecar,
      EEG_CHECKPOINT_NEWEST, &checkpoint);

  if (result == EEG_CHECKPOINT_OK) {
    checkpoint->complete = true;
    result = eeg_checkpoint_store (self->resume.sidecar, checkpoint);
  }
  eeg_checkpoint_free (checkpoint);
  return result == EEG_CHECKPOINT_OK
      || post_refusal (self, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE,
          "The last checkpoint could not be stored",
          eeg_checkpoint_result_to_string (result));
}

/* FALSE after an error. */
static gboolean
finish_parts (GstEegFileSink *self)
{
  struct parts *parts = &self->parts;
  GstEegPart next;
  EegDurableCounts counts;
  EegCheckpoint *checkpoint;

  eeg_durable_get_counts (self->file, &counts);
  if (counts.size == 0 && parts->finished > 0) {
    /* no file is made of a part without a byte in it */
    if (self->resume.enabled && !mark_last_part (self))
      return FALSE;
  } else {
    if (self->resume.enabled) {
      next = parts->part;
      next.number++;
      checkpoint =
          make_part_checkpoint (self, self->resume.last, &next, counts.size);
      if (checkpoint == NULL)
        return FALSE;
      checkpoint->part = (guint32) MIN (parts->part.number, G_MAXUINT32);
      checkpoint->id = self->checkpoint_id + 1;
      checkpoint->complete = true;
      eeg_durable_mark (self->file, checkpoint);
    }
    if (!finish_part (self, counts.size))
      return FALSE;
  }
  self->state.finished = TRUE;
  GST_OBJECT_LOCK (self);
  self->finished = TRUE;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

/* FALSE after an error: what reads EOS as success must not see it. */
static gboolean
finish (GstEegFileSink *self)
{
  struct state *state = &self->state;
  gboolean complete = state->complete
      || !gst_eeg_stage_source_completes (GST_BASE_SINK_PAD (self));
  EegDurableResult result;

  if (state->failed)
    return FALSE;
  if (state->finished || self->resume.already)
    return TRUE;
  if (!complete || state->flushed) {
    GST_ELEMENT_WARNING (self, STREAM, FAILED,
        ("The recording is not whole; its name keeps \".part\"."),
        (state->flushed ? "the stream was flushed"
                        : "the source did not reach its end"));
    return TRUE;
  }
  /* where nothing more came, what is behind the checkpoint is still there */
  if (!cut_file (self))
    return FALSE;
  if (self->parts.enabled)
    return finish_parts (self);
  mark_as_complete (self);
  if (state->failed)
    return FALSE;
  result = eeg_durable_finish (self->file);
  if (result != EEG_DURABLE_OK) {
    fail (self, result);
    return FALSE;
  }
  state->finished = TRUE;
  GST_OBJECT_LOCK (self);
  self->finished = TRUE;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

/* What the label says may be more than was told: after a crash, the next part
 * has to know when the first one began. FALSE after an error. */
static gboolean
take_label (GstEegFileSink *self, const GstEegPart *label)
{
  struct parts *parts = &self->parts;
  GstEegPart *part = &parts->part;
  gboolean is_new;

  if (!parts->enabled || self->resume.already || label->number != part->number)
    return TRUE;
  is_new = part->origin != label->origin;
  part->first = label->first;
  part->is_bytes = label->is_bytes;
  part->origin = label->origin;
  if (part->link == GST_EEG_PART_LINK_INTERRUPTED)
    gst_element_post_message (GST_ELEMENT (self),
        gst_message_new_element (GST_OBJECT (self),
            gst_structure_new ("eeg-interrupted", "part", G_TYPE_UINT64,
                part->number, "first", G_TYPE_UINT64, part->first, "stopped",
                G_TYPE_INT64, part->stopped, "begun", G_TYPE_INT64, part->begun,
                NULL)));
  if (is_new && parts->is_live && self->resume.enabled && part->number == 1)
    return store_first_part (self);
  return TRUE;
}

/* A part begins wherever the stream goes on; a muxer's begins at 0. */
static void
go_to (GstEegFileSink *self, guint64 position)
{
  struct parts *parts = &self->parts;
  EegDurableCounts counts;

  if (parts->enabled && (parts->part.number > 1 || parts->finished > 0)) {
    eeg_durable_get_counts (self->file, &counts);
    if (counts.size == 0 || position < parts->base)
      parts->base = position;
  }
  eeg_durable_seek (self->file, position - parts->base);
}

static gboolean
gst_eeg_file_sink_event (GstBaseSink *sink, GstEvent *event)
{
  GstEegFileSink *self = GST_EEG_FILE_SINK (sink);
  struct state *state = &self->state;
  const GstSegment *segment;
  GstEegBarrier *barrier;
  const GstEegPart *part;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_SEGMENT:
      if (state->failed || !cut_file (self)) {
        gst_event_unref (event);
        return FALSE;
      }
      gst_event_parse_segment (event, &segment);
      if (segment->format == GST_FORMAT_BYTES && self->file != NULL)
        go_to (self, segment->start);
      break;
    case GST_EVENT_FLUSH_STOP:
      state->flushed = state->begun;
      state->complete = FALSE;
      break;
    case GST_EVENT_CUSTOM_DOWNSTREAM:
      if (gst_eeg_event_parse_complete (event, NULL)) {
        state->complete = TRUE;
      } else if (gst_eeg_event_parse_part (event, &part)) {
        if (!take_label (self, part)) {
          gst_event_unref (event);
          return FALSE;
        }
      } else if (gst_eeg_event_parse_barrier (event, &barrier)
          && !handle_barrier (self, barrier)) {
        gst_event_unref (event);
        return FALSE;
      }
      break;
    case GST_EVENT_EOS:
      if (!finish (self)) {
        gst_event_unref (event);
        return FALSE;
      }
      break;
    default:
      break;
  }
  return GST_BASE_SINK_CLASS (parent_class)->event (sink, event);
}

static gboolean
gst_eeg_file_sink_query (GstBaseSink *sink, GstQuery *query)
{
  EegDurableCounts counts;
  GstFormat format;

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_SEEKING:
      gst_query_parse_seeking (query, &format, NULL, NULL, NULL);
      gst_query_set_seeking (query, format,
          format == GST_FORMAT_BYTES || format == GST_FORMAT_DEFAULT, 0, -1);
      return TRUE;
    case GST_QUERY_POSITION:
      gst_query_parse_position (query, &format, NULL);
      if (format != GST_FORMAT_BYTES && format != GST_FORMAT_DEFAULT)
        break;
      get_counts (GST_EEG_FILE_SINK (sink), &counts, NULL);
      gst_query_set_position (query, format, counts.size);
      return TRUE;
    default:
      break;
  }
  return GST_BASE_SINK_CLASS (parent_class)->query (sink, query);
}

/* --- stage --------------------------------------------------------------- */

static GstEegStageKind
gst_eeg_file_sink_get_kind (GstEegStage *stage)
{
  return GST_EEG_STAGE_KIND_STORAGE;
}

static gboolean
gst_eeg_file_sink_estimate (GstEegStage *stage, guint64 input_bytes,
    GstEegEstimate *estimate)
{
  GstEegFileSink *self = GST_EEG_FILE_SINK (stage);
  GstEegStageCounters v;

  estimate->memory_bytes = 0;
  estimate->threads = 1;
  estimate->output_bytes = input_bytes;
  gst_eeg_stage_counters_get (&self->counters, &v);
  if (v.bytes_in > 0 && v.busy_ns > 0 && input_bytes != G_MAXUINT64)
    estimate->duration =
        gst_util_uint64_scale (input_bytes, v.busy_ns, v.bytes_in);
  return TRUE;
}

static gchar *
gst_eeg_file_sink_get_checkpoint_location (GstEegStage *stage)
{
  struct settings settings = copy_settings (GST_EEG_FILE_SINK (stage));
  gchar *sidecar = NULL;

  if (settings.checkpoint && settings.location != NULL)
    sidecar = get_sidecar (&settings);
  clear_settings (&settings);
  return sidecar;
}

static void
gst_eeg_file_sink_stage_init (GstEegStageInterface *iface)
{
  iface->get_checkpoint_location = gst_eeg_file_sink_get_checkpoint_location;
  iface->get_kind = gst_eeg_file_sink_get_kind;
  iface->estimate = gst_eeg_file_sink_estimate;
}

static gboolean
add_field (GQuark field, const GValue *value, gpointer to)
{
  gst_structure_id_set_value (to, field, value);
  return TRUE;
}

/* Those of the base class, whose property has the same name, too. */
static GstStructure *
get_stats (GstEegFileSink *self)
{
  GstStructure *s = gst_eeg_stage_counters_to_structure (&self->counters,
      GST_EEG_STAGE_KIND_STORAGE);
  GstStructure *base = gst_base_sink_get_stats (GST_BASE_SINK (self));
  guint64 checkpoints, checkpoint_id;
  EegDurableCounts counts;
  gboolean finished;

  gst_structure_foreach (base, add_field, s);
  gst_structure_free (base);

  get_counts (self, &counts, &finished);
  GST_OBJECT_LOCK (self);
  checkpoints = self->checkpoints;
  checkpoint_id = self->checkpoint_id;
  GST_OBJECT_UNLOCK (self);
  gst_structure_set (s, "bytes-written", G_TYPE_UINT64, counts.size,
      "bytes-safe", G_TYPE_UINT64, counts.safe, "bytes-unsafe", G_TYPE_UINT64,
      counts.unsafe, "syncs", G_TYPE_UINT64, counts.syncs, "longest-sync",
      GST_TYPE_CLOCK_TIME, counts.longest_sync, "finished", G_TYPE_BOOLEAN,
      finished, "checkpoints", G_TYPE_UINT64, checkpoints, "checkpoint-id",
      G_TYPE_UINT64, checkpoint_id, NULL);
  return s;
}

/* --- properties ---------------------------------------------------------- */

/* An empty path means none. */
static void
set_text (gchar **to, const GValue *value)
{
  const gchar *text = g_value_get_string (value);

  g_free (*to);
  *to = text != NULL && text[0] != '\0' ? g_strdup (text) : NULL;
}

static void
gst_eeg_file_sink_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstEegFileSink *self = GST_EEG_FILE_SINK (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_LOCATION:
      set_text (&self->settings.location, value);
      break;
    case PROP_CHECKPOINT:
      self->settings.checkpoint = g_value_get_boolean (value);
      break;
    case PROP_CHECKPOINT_LOCATION:
      set_text (&self->settings.checkpoint_location, value);
      break;
    case PROP_MAX_RETRIES:
      self->settings.max_retries = g_value_get_uint (value);
      break;
    case PROP_OVERWRITE:
      self->settings.overwrite = g_value_get_boolean (value);
      break;
    case PROP_ROTATE_BYTES:
      self->settings.rotate_bytes = g_value_get_uint64 (value);
      break;
    case PROP_ROTATE_TIME:
      self->settings.rotate_time = g_value_get_uint64 (value);
      break;
    case PROP_SYNC_BYTES:
      self->settings.sync_bytes = g_value_get_uint64 (value);
      apply_interval (self);
      g_atomic_int_set (&self->bound_changed, TRUE);
      break;
    case PROP_SYNC_TIME:
      self->settings.sync_time = g_value_get_uint64 (value);
      apply_interval (self);
      g_atomic_int_set (&self->bound_changed, TRUE);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_eeg_file_sink_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstEegFileSink *self = GST_EEG_FILE_SINK (object);

  if (id == PROP_STATS) {
    g_value_take_boxed (value, get_stats (self));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_LOCATION:
      g_value_set_string (value, self->settings.location);
      break;
    case PROP_OVERWRITE:
      g_value_set_boolean (value, self->settings.overwrite);
      break;
    case PROP_ROTATE_BYTES:
      g_value_set_uint64 (value, self->settings.rotate_bytes);
      break;
    case PROP_ROTATE_TIME:
      g_value_set_uint64 (value, self->settings.rotate_time);
      break;
    case PROP_SYNC_BYTES:
      g_value_set_uint64 (value, self->settings.sync_bytes);
      break;
    case PROP_SYNC_TIME:
      g_value_set_uint64 (value, self->settings.sync_time);
      break;
    case PROP_CHECKPOINT:
      g_value_set_boolean (value, self->settings.checkpoint);
      break;
    case PROP_CHECKPOINT_LOCATION:
      g_value_set_string (value, self->settings.checkpoint_location);
      break;
    case PROP_MAX_RETRIES:
      g_value_set_uint (value, self->settings.max_retries);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_eeg_file_sink_finalize (GObject *object)
{
  GstEegFileSink *self = GST_EEG_FILE_SINK (object);

  clear_settings (&self->settings);
  clear_resume (self);
  clear_parts (self);
  G_OBJECT_CLASS (parent_class)->finalize (object);
}

static void
gst_eeg_file_sink_class_init (GstEegFileSinkClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseSinkClass *sink_class = GST_BASE_SINK_CLASS (klass);

  object_class->set_property = gst_eeg_file_sink_set_property;
  object_class->get_property = gst_eeg_file_sink_get_property;
  object_class->finalize = gst_eeg_file_sink_finalize;

  /**
   * GstEegFileSink:location:
   *
   * The file to record to. It is called the same with `.part` behind it until
   * the recording is whole and on disk.
   */
  g_object_class_install_property (object_class, PROP_LOCATION,
      g_param_spec_string ("location", "Location",
          "File to record to; \".part\" is behind its name until it is whole",
          DEFAULT_LOCATION,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));
  /**
   * GstEegFileSink:overwrite:
   *
   * Whether to throw away what an unfinished recording left in the `.part`
   * file, and to replace a file of this name when the new one is whole.
   * Without, both are errors.
   */
  g_object_class_install_property (object_class, PROP_OVERWRITE,
      g_param_spec_boolean ("overwrite", "Overwrite",
          "Throw away an unfinished recording, and replace a whole one at the "
          "end",
          DEFAULT_OVERWRITE,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));
  /**
   * GstEegFileSink:sync-bytes:
   *
   * Bytes after which what was written is brought to disk; 0: not by this
   * measure. No more than twice as many are ever not on disk: when the disk is
   * slower than the stream, the stream waits.
   */
  g_object_class_install_property (object_class, PROP_SYNC_BYTES,
      g_param_spec_uint64 ("sync-bytes", "Sync bytes",
          "Bytes after which what was written is brought to disk; never more "
          "than twice as many are not there (0: no limit)",
          0, G_MAXUINT64, DEFAULT_SYNC_BYTES,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_PLAYING));
  /**
   * GstEegFileSink:sync-time:
   *
   * Time in nanoseconds after which what was written is brought to disk; 0: not
   * by this measure.
   */
  g_object_class_install_property (object_class, PROP_SYNC_TIME,
      g_param_spec_uint64 ("sync-time", "Sync time",
          "Nanoseconds after which what was written is brought to disk (0: no "
          "limit)",
          0, G_MAXUINT64, DEFAULT_SYNC_TIME,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_PLAYING));
  /**
   * GstEegFileSink:checkpoint:
   *
   * Whether the same pipeline, run again after a crash, goes on where it was.
   * All elements before the sink must take part.
   */
  g_object_class_install_property (object_class, PROP_CHECKPOINT,
      g_param_spec_boolean ("checkpoint", "Checkpoint",
          "Store checkpoints, and go on from the last one", DEFAULT_CHECKPOINT,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));
  /**
   * GstEegFileSink:checkpoint-location:
   *
   * File that the checkpoints are in; its name with `.old` behind it has the
   * one before. By default the location with `.checkpoint` behind it.
   */
  g_object_class_install_property (object_class, PROP_CHECKPOINT_LOCATION,
      g_param_spec_string ("checkpoint-location", "Checkpoint location",
          "File with the checkpoints (none: the location with \".checkpoint\" "
          "behind it)",
          DEFAULT_CHECKPOINT_LOCATION,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));
  /**
   * GstEegFileSink:max-retries:
   *
   * How often the recording may go on from the same checkpoint; then the chunk
   * behind it is an error by its number, instead of the reason of a crash once
   * more. Runs that end because of the disk do not count. 0: without a limit.
   */
  g_object_class_install_property (object_class, PROP_MAX_RETRIES,
      g_param_spec_uint ("max-retries", "Maximum of retries",
          "How often to go on from the same checkpoint before the chunk behind "
          "it is given up (0: no limit)",
          0, G_MAXUINT, DEFAULT_MAX_RETRIES,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));
  /**
   * GstEegFileSink:rotate-bytes:
   *
   * Bytes after which a part of the recording ends, at the next barrier that
   * the source sends; 0: not by this measure. Each part is a file of its own,
   * with a number in its name, see gst_eeg_part_make_location().
   */
  g_object_class_install_property (object_class, PROP_ROTATE_BYTES,
      g_param_spec_uint64 ("rotate-bytes", "Rotate bytes",
          "Bytes after which a part ends at the next barrier, and another file "
          "begins (0: no limit)",
          0, G_MAXUINT64, DEFAULT_ROTATE_BYTES,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));
  /**
   * GstEegFileSink:rotate-time:
   *
   * The same in nanoseconds, by the time stamps where the bytes have some, else
   * by the clock; 0: not by this measure.
   */
  g_object_class_install_property (object_class, PROP_ROTATE_TIME,
      g_param_spec_uint64 ("rotate-time", "Rotate time",
          "Nanoseconds after which a part ends at the next barrier, and another "
          "file begins (0: no limit)",
          0, G_MAXUINT64, DEFAULT_ROTATE_TIME,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));
  g_object_class_override_property (object_class, PROP_STATS, "stats");

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_set_static_metadata (element_class, "EEG recording sink",
      "Sink/File", "Writes a recording such that it survives",
      "gst-plugins-eeg developers");

  element_class->change_state = gst_eeg_file_sink_change_state;
  sink_class->unlock = gst_eeg_file_sink_unlock;
  sink_class->unlock_stop = gst_eeg_file_sink_unlock_stop;
  sink_class->render = gst_eeg_file_sink_render;
  sink_class->event = gst_eeg_file_sink_event;
  sink_class->query = gst_eeg_file_sink_query;
}

static void
gst_eeg_file_sink_init (GstEegFileSink *self)
{
  self->settings.location = g_strdup (DEFAULT_LOCATION);
  self->settings.overwrite = DEFAULT_OVERWRITE;
  self->settings.sync_bytes = DEFAULT_SYNC_BYTES;
  self->settings.sync_time = DEFAULT_SYNC_TIME;
  self->settings.checkpoint = DEFAULT_CHECKPOINT;
  self->settings.checkpoint_location = g_strdup (DEFAULT_CHECKPOINT_LOCATION);
  self->settings.max_retries = DEFAULT_MAX_RETRIES;
  gst_base_sink_set_sync (GST_BASE_SINK (self), FALSE);
  gst_base_sink_set_last_sample_enabled (GST_BASE_SINK (self), FALSE);
}
