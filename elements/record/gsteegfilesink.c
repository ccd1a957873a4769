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
 * Parts: with #GstEegFileSink:rotate-bytes or #GstEegFileSink:rotate-time the
 * recording becomes several files. Sinks behind one tee cut theirs at the same
 * places, at the first one's limit; all have to make parts.
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

#include "gsteegfilesink-private.h"
#include "gsteegnames.h"
#include "gsteegpeers.h"

#include <errno.h>
#include <string.h>

GST_DEBUG_CATEGORY (gst_eeg_file_sink_debug);
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

/* --- helpers ------------------------------------------------------------- */

struct settings
gst_eeg_file_sink_copy_settings (GstEegFileSink *self)
{
  struct settings settings;

  GST_OBJECT_LOCK (self);
  settings = self->settings;
  settings.location = g_strdup (settings.location);
  settings.checkpoint_location = g_strdup (settings.checkpoint_location);
  GST_OBJECT_UNLOCK (self);
  return settings;
}

void
gst_eeg_file_sink_clear_settings (struct settings *settings)
{
  g_free (settings->location);
  g_free (settings->checkpoint_location);
}

gboolean
gst_eeg_file_sink_has_parts (const struct settings *settings)
{
  return settings->rotate_bytes > 0 || settings->rotate_time > 0;
}

gchar *
gst_eeg_file_sink_get_sidecar (const struct settings *settings)
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

/* What is to be said of an error, behind the name of the file. */
static void
describe (EegDurableResult result, int error, gint *code, const gchar **text,
    gboolean *is_whole)
{
  gboolean full = error == ENOSPC || error == EDQUOT;

  *code = GST_RESOURCE_ERROR_OPEN_WRITE;
  *text = "cannot be opened";
  /* and needs no word of the system's */
  *is_whole = full || (result == EEG_DURABLE_WRITE && error == EFBIG)
      || (result == EEG_DURABLE_RENAME
          && (error == EEXIST || error == ENOENT || error == ESTALE));
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
    case EEG_DURABLE_PLANTED:
      *text = "with \".part\" behind its name is a file of somebody else, in a "
              "folder that all may write to; choose another folder";
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
          : error == ENOENT || error == ESTALE
          ? "is lost: its file with \".part\" behind the name was removed or "
            "replaced while it was recorded"
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
void
gst_eeg_file_sink_post_error (GstEegFileSink *self, const gchar *location,
    EegDurableResult result, int error)
{
  EegDurableCounts counts;
  gboolean is_whole;
  const gchar *text;
  gchar *display;
  gint code;

  if (self->state.failed)
    return;
  self->state.failed = TRUE;
  gst_eeg_stage_count (&self->counters.errors, 1);
  get_counts (self, &counts, NULL);
  describe (result, error, &code, &text, &is_whole);
  display = g_filename_display_name (location);
  gst_element_message_full_with_details (GST_ELEMENT (self), GST_MESSAGE_ERROR,
      GST_RESOURCE_ERROR, code,
      g_strdup_printf ("\"%s\" %s%s%s.", display, text,
          error == 0 || is_whole ? "" : ": ",
          error == 0 || is_whole ? "" : g_strerror (error)),
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

/* transfer full; of the file that is written */
static gchar *
get_location (GstEegFileSink *self)
{
  struct settings settings = gst_eeg_file_sink_copy_settings (self);
  gchar *location = g_steal_pointer (&settings.location);

  gst_eeg_file_sink_clear_settings (&settings);
  if (self->parts.enabled) {
    g_free (location);
    location =
        gst_eeg_file_sink_get_part_location (self, self->parts.part.number);
  }
  return location;
}

/* Of the file that is open. */
GstFlowReturn
gst_eeg_file_sink_fail (GstEegFileSink *self, EegDurableResult result)
{
  gchar *location = get_location (self);

  self->state.disk_failed = TRUE;
  gst_eeg_file_sink_post_error (self, location, result,
      eeg_durable_get_errno (self->file));
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
  GstClockTime sync_time, time, longest;

  eeg_durable_get_counts (self->file, &counts);
  /* A disk that hangs is told of while it does. How long it will nobody knows,
   * so the bound doubles rather than creeps. */
  longest = MAX (counts.longest_sync, state->posted_sync);
  if (counts.current_sync > longest)
    longest = 2 * counts.current_sync;
  if (state->posted && !changed && longest == state->posted_sync
      && state->oldest == state->posted_oldest)
    return;
  state->posted_oldest = state->oldest;
  state->posted_sync = longest;
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
    time += MAX (sync_time, longest) + longest;
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
gboolean
gst_eeg_file_sink_post_refusal (GstEegFileSink *self, GQuark domain, gint code,
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
gboolean
gst_eeg_file_sink_refuse_files (GstEegFileSink *self, GError *error)
{
  gst_eeg_file_sink_post_refusal (self, error->domain, error->code,
      "This cannot be recorded", error->message);
  g_error_free (error);
  return FALSE;
}

/* transfer full error */
gboolean
gst_eeg_file_sink_refuse_checkpoints (GstEegFileSink *self, GError *error)
{
  gst_eeg_file_sink_post_refusal (self, GST_LIBRARY_ERROR,
      GST_LIBRARY_ERROR_SETTINGS, "This pipeline cannot have checkpoints",
      error->message);
  g_error_free (error);
  return FALSE;
}

gboolean
gst_eeg_file_sink_refuse_to_go_on (GstEegFileSink *self, const gchar *reason)
{
  return gst_eeg_file_sink_post_refusal (self, GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_SETTINGS,
      "The recording cannot go on from its checkpoint", reason);
}

/* transfer full file; open from here on */
void
gst_eeg_file_sink_take_file (GstEegFileSink *self, EegDurableFile *file)
{
  GST_OBJECT_LOCK (self);
  self->file = file;
  apply_interval (self);
  if (self->flushing)
    eeg_durable_set_flushing (file, true);
  GST_OBJECT_UNLOCK (self);
}

/* transfer full; what the source reads, or NULL if that is no file */
static gchar *
find_input (GstEegFileSink *self)
{
  GstQuery *query = gst_query_new_uri ();
  gchar *uri = NULL, *path = NULL;

  if (gst_pad_peer_query (GST_BASE_SINK_PAD (self), query))
    gst_query_parse_uri (query, &uri);
  gst_query_unref (query);
  if (uri != NULL)
    path = g_filename_from_uri (uri, NULL, NULL);
  g_free (uri);
  return path;
}

static gboolean
check_names (GstEegFileSink *self, const struct settings *settings,
    GError **error)
{
  gchar *sidecar =
      settings->checkpoint ? gst_eeg_file_sink_get_sidecar (settings) : NULL;
  gchar *input = find_input (self);
  gboolean ok = gst_eeg_names_check (settings->location,
      settings->rotate_bytes > 0 || settings->rotate_time > 0, sidecar, input,
      error);

  g_free (input);
  g_free (sidecar);
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
    gst_eeg_file_sink_take_file (self, file);
  else
    gst_eeg_file_sink_post_error (self, settings->location, result, error);
  return result == EEG_DURABLE_OK;
}

static gboolean
open_file (GstEegFileSink *self)
{
  struct settings settings = gst_eeg_file_sink_copy_settings (self);
  GError *error = NULL;
  gboolean ok;

  memset (&self->state, 0, sizeof self->state);
  gst_eeg_file_sink_clear_resume (self);
  gst_eeg_file_sink_clear_parts (self);
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
  } else if (!check_names (self, &settings, &error)) {
    ok = gst_eeg_file_sink_refuse_files (self, error);
  } else if (gst_eeg_file_sink_has_parts (&settings)) {
    ok = gst_eeg_file_sink_open_with_parts (self, &settings);
  } else if (settings.checkpoint) {
    self->resume.enabled = TRUE;
    self->resume.location = g_strdup (settings.location);
    self->resume.sidecar = gst_eeg_file_sink_get_sidecar (&settings);
    self->resume.max_retries = settings.max_retries;
    ok = gst_eeg_file_sink_open_with_checkpoints (self, settings.overwrite);
  } else {
    ok = open_plainly (self, &settings);
  }
  gst_eeg_file_sink_clear_settings (&settings);
  return ok;
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
      && self->parts.ended == 0)
    eeg_checkpoint_remove (self->resume.sidecar);
  eeg_durable_stop (file);
  if (self->resume.peers != NULL)
    gst_eeg_peers_leave (self->resume.sidecar);
  gst_eeg_file_sink_forgive (self);
  result = eeg_durable_close (file, &counts, &error);
  GST_OBJECT_LOCK (self);
  self->counts = counts;
  GST_OBJECT_UNLOCK (self);
  if (result != EEG_DURABLE_OK)
    gst_eeg_file_sink_post_error (self, location, result, error);
  g_free (location);
}

/* The base class starts in READY; a recording begins when the stream does. */
static GstStateChangeReturn
gst_eeg_file_sink_change_state (GstElement *element, GstStateChange transition)
{
  GstEegFileSink *self = GST_EEG_FILE_SINK (element);
  GstStateChangeReturn ret;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !open_file (self)) {
    gst_eeg_file_sink_forget_states (self);
    return GST_STATE_CHANGE_FAILURE;
  }
  ret = GST_ELEMENT_CLASS (parent_class)->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY
      || (transition == GST_STATE_CHANGE_READY_TO_PAUSED
          && ret == GST_STATE_CHANGE_FAILURE)) {
    gst_eeg_file_sink_leave (self);
    if (self->file != NULL)
      close_file (self);
  }
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY
      || ret == GST_STATE_CHANGE_FAILURE)
    gst_eeg_file_sink_forget_states (self);
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

/* A wait ends also for a pause, and goes on behind it. */
static GstFlowReturn
handle_result (GstEegFileSink *self, EegDurableResult result)
{
  if (result == EEG_DURABLE_FLUSHING)
    return gst_base_sink_wait_preroll (GST_BASE_SINK (self));
  return result == EEG_DURABLE_OK ? GST_FLOW_OK
                                  : gst_eeg_file_sink_fail (self, result);
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
  if (!gst_eeg_file_sink_cut_file (self))
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
  gst_eeg_file_sink_request_part (self, buffer);
  return GST_FLOW_OK;
}

/* --- events and queries -------------------------------------------------- */

/* The one before is to be stored first: so no more than two intervals are ever
 * read again, on any disk. FALSE: flushing, or an error. */
static gboolean
await_checkpoint (GstEegFileSink *self)
{
  EegDurableResult result;
  GstFlowReturn flow;

  do {
    result = eeg_durable_await_marks (self->file);
    /* serialized events come under the same lock as buffers */
    flow = handle_result (self, result);
  } while (flow == GST_FLOW_OK && result == EEG_DURABLE_FLUSHING);
  return flow == GST_FLOW_OK;
}

static gboolean
handle_barrier (GstEegFileSink *self, GstEegBarrier *barrier)
{
  struct resume *resume = &self->resume;

  if (resume->already || self->state.failed || self->state.flushed)
    return TRUE;
  if (self->parts.enabled) {
    g_clear_pointer (&resume->last, gst_eeg_barrier_unref);
    resume->last = gst_eeg_barrier_ref (barrier);
    return gst_eeg_file_sink_check_part_stages (self)
        && (!gst_eeg_barrier_ends_part (barrier)
            || gst_eeg_file_sink_end_part (self, barrier));
  }
  return !resume->enabled
      || (await_checkpoint (self)
          && gst_eeg_file_sink_mark_barrier (self, barrier));
}

/* FALSE after an error. */
static gboolean
finish_file (GstEegFileSink *self)
{
  EegDurableResult result;

  gst_eeg_file_sink_mark_as_complete (self);
  if (self->state.failed)
    return FALSE;
  result = eeg_durable_finish (self->file);
  if (result != EEG_DURABLE_OK)
    gst_eeg_file_sink_fail (self, result);
  return result == EEG_DURABLE_OK;
}

/* FALSE after an error: what reads EOS as success must not see it. */
static gboolean
finish (GstEegFileSink *self)
{
  struct state *state = &self->state;
  gboolean complete = state->complete
      || !gst_eeg_stage_source_completes (GST_BASE_SINK_PAD (self));

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
  if (!gst_eeg_file_sink_cut_file (self))
    return FALSE;
  if (self->parts.enabled ? !gst_eeg_file_sink_finish_parts (self)
                          : !finish_file (self))
    return FALSE;
  state->finished = TRUE;
  /* parts get their names when all sinks behind the same tee have come so
   * far */
  if (self->parts.enabled)
    return TRUE;
  GST_OBJECT_LOCK (self);
  self->finished = TRUE;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
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
      if (state->failed || !gst_eeg_file_sink_cut_file (self)) {
        gst_event_unref (event);
        return FALSE;
      }
      gst_event_parse_segment (event, &segment);
      if (segment->format == GST_FORMAT_BYTES && self->file != NULL
          && !gst_eeg_event_repeats_segment (event, state->segment_seqnum,
              &state->segment)
          && !gst_eeg_file_sink_go_to (self, segment->start)) {
        gst_event_unref (event);
        return FALSE;
      }
      gst_segment_copy_into (segment, &state->segment);
      state->segment_seqnum = gst_event_get_seqnum (event);
      break;
    case GST_EVENT_FLUSH_STOP:
      state->flushed = state->begun;
      state->complete = FALSE;
      break;
    case GST_EVENT_CUSTOM_DOWNSTREAM:
      if (gst_eeg_event_parse_complete (event, NULL)) {
        state->complete = TRUE;
      } else if (gst_eeg_event_parse_part (event, &part)) {
        if (!gst_eeg_file_sink_take_label (self, part)) {
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
    case GST_QUERY_CUSTOM:
      if (gst_eeg_query_is_output (query))
        return gst_eeg_file_sink_answer_output (GST_EEG_FILE_SINK (sink),
            query);
      break;
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
  struct settings settings =
      gst_eeg_file_sink_copy_settings (GST_EEG_FILE_SINK (stage));
  gchar *sidecar = NULL;

  if (settings.checkpoint && settings.location != NULL)
    sidecar = gst_eeg_file_sink_get_sidecar (&settings);
  gst_eeg_file_sink_clear_settings (&settings);
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

  gst_eeg_file_sink_clear_settings (&self->settings);
  gst_eeg_file_sink_clear_resume (self);
  gst_eeg_file_sink_clear_parts (self);
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
