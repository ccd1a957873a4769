/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:gsteegdigest
 * @title: GstEegDigest
 * @short_description: base class of the checksum elements
 *
 * Passes everything on untouched and computes the digest of all bytes that
 * went by. At EOS the digest appears as property #GstEegDigest:digest and as
 * an element message `eeg-digest`, is compared with what
 * #GstEegDigest:check-file and #GstEegDigest:expected say, and is written to
 * #GstEegDigest:location as the algorithm's own tool would write it.
 *
 * Caps: any, the same on both pads. Latency: none. The memory of buffers is
 * only ever read, memory by memory, and never copied; nothing is held back.
 *
 * - GAP events pass on and count nothing.
 * - A flush begins anew; so does a restart.
 * - EOS without data gives the digest of no bytes.
 * - A mismatch is an error (STREAM/DECODE) that names both digests, and the
 *   EOS that would report success goes no further.
 * - Behind a source of this project, an EOS without an `eeg-complete` event
 *   before it follows an error: no sidecar is written and the property stays
 *   unset. The same holds if #GstEegDigest:enabled was off for a part.
 * - The stream has to be read in order, once. So the SEEKING query is answered
 *   with "no", seek events are refused, only push mode is offered, and a
 *   segment that goes back is an error (STREAM/FORMAT), for example that of a
 *   muxer which returns to patch its header.
 *
 * Locking: the object lock guards `struct settings` and the result; `struct
 * state` belongs to the streaming thread, and to the thread that changes the
 * state while that one does not run. No other lock.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsteegdigest.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gsteegbarrier.h"
#include "gsteegevent.h"
#include "gsteeginfo.h"
#include "gsteegstage.h"

#include "digest.h"
#include "sumfile.h"

GST_DEBUG_CATEGORY_STATIC (gst_eeg_digest_debug);
#define GST_CAT_DEFAULT gst_eeg_digest_debug

#define MESSAGE_NAME "eeg-digest"

/* A check file is a list of lines; one that is larger is something else. */
#define CHECK_FILE_MAX (16 * 1024 * 1024)

/*
 * A saved state: u8 version, 7 bytes 0, u64 bytes hashed, u64 bytes not hashed
 * because it was switched off (little-endian), then the kernel's own state.
 */
#define STATE_VERSION 1
#define STATE_HEADER_SIZE 24

enum
{
  PROP_0,
  PROP_DIGEST,
  PROP_LOCATION,
  PROP_LISTED_NAME,
  PROP_CHECK_FILE,
  PROP_EXPECTED,
  PROP_ENABLED,
  N_PROPERTIES,
  PROP_STATS = N_PROPERTIES
};

#define DEFAULT_ENABLED TRUE

static GParamSpec *properties[N_PROPERTIES];

/* Set by the application; under the object lock. */
struct settings
{
  gchar *location;
  gchar *listed_name;
  gchar *check_file;
  gchar *expected;
  gboolean enabled;
};

/* One stream; streaming thread only. */
struct state
{
  gpointer hash;
  guint64 hashed;
  guint64 skipped;
  /* where the next byte of a BYTES stream belongs */
  GstSegment segment;
  guint32 segment_seqnum;
  guint64 next_offset;
  gsize bytes_per_frame;
  gboolean complete;
  gboolean finished;
  gboolean failed;

  /* as they were at start; location, listed_name and check_file count */
  struct settings settings;
  guint64 part; /* number of the part that is hashed, 0 without parts */
  /* read from check-file at start */
  gboolean have_check;
  guint8 check[EEG_DIGEST_MAX_SIZE];
};

typedef struct
{
  struct settings settings;
  struct state state;

  /* under the object lock */
  gchar *result;
  GBytes *restore;
  guint64 part; /* number of the first one of the next stream, 0: no parts */

  GstEegStageCounters counters;
} GstEegDigestPrivate;

static void gst_eeg_digest_stage_init (GstEegStageInterface *iface);

G_DEFINE_ABSTRACT_TYPE_WITH_CODE (GstEegDigest, gst_eeg_digest,
    GST_TYPE_BASE_TRANSFORM,
    G_ADD_PRIVATE (GstEegDigest)
        G_IMPLEMENT_INTERFACE (GST_TYPE_EEG_STAGE, gst_eeg_digest_stage_init)
            GST_DEBUG_CATEGORY_INIT (gst_eeg_digest_debug, "eegdigest", 0,
                "checksum base class"))

static inline GstEegDigestPrivate *
get_private (GstEegDigest *self)
{
  return gst_eeg_digest_get_instance_private (self);
}

static const EegDigestKernel *
get_kernel (GstEegDigest *self)
{
  return GST_EEG_DIGEST_GET_CLASS (self)->kernel;
}

static const EegSumfileDialect *
get_dialect (GstEegDigest *self)
{
  return GST_EEG_DIGEST_GET_CLASS (self)->dialect;
}

static void
settings_copy (GstEegDigest *self, struct settings *copy)
{
  const struct settings *s = &get_private (self)->settings;

  GST_OBJECT_LOCK (self);
  copy->location = g_strdup (s->location);
  copy->listed_name = g_strdup (s->listed_name);
  copy->check_file = g_strdup (s->check_file);
  copy->expected = g_strdup (s->expected);
  copy->enabled = s->enabled;
  GST_OBJECT_UNLOCK (self);
}

static void
settings_clear (struct settings *s)
{
  g_free (s->location);
  g_free (s->listed_name);
  g_free (s->check_file);
  g_free (s->expected);
}

static void
set_result (GstEegDigest *self, const gchar *hex)
{
  GstEegDigestPrivate *priv = get_private (self);
  gboolean changed;

  GST_OBJECT_LOCK (self);
  changed = g_strcmp0 (priv->result, hex) != 0;
  if (changed) {
    g_free (priv->result);
    priv->result = g_strdup (hex);
  }
  GST_OBJECT_UNLOCK (self);
  if (changed)
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_DIGEST]);
}

static void
state_reset (GstEegDigest *self)
{
  struct state *st = &get_private (self)->state;

  get_kernel (self)->init (st->hash);
  st->hashed = 0;
  st->skipped = 0;
  gst_segment_init (&st->segment, GST_FORMAT_UNDEFINED);
  st->next_offset = 0;
  st->complete = FALSE;
  st->finished = FALSE;
  st->failed = FALSE;
}

/* The name that the sidecar or check file at @path is about, or NULL if it has
 * no suffix that could be taken off. */
static gchar *
name_from_path (const gchar *path)
{
  gchar *name = g_path_get_basename (path);
  gchar *dot = strrchr (name, '.');

  if (dot == NULL || dot == name || dot[1] == '\0') {
    g_free (name);
    return NULL;
  }
  *dot = '\0';
  return name;
}

static gboolean
parse_expected (GstEegDigest *self, const gchar *expected, guint8 *digest)
{
  gsize digest_size = get_kernel (self)->digest_size;
  gsize size = strlen (expected);

  return size == 2 * digest_size
      && eeg_sumfile_parse_hex (expected, size, digest, digest_size);
}

/* The whole file, or NULL after an error was posted. */
static gchar *
read_check_file (GstEegDigest *self, const gchar *path, gsize *size)
{
  gchar *display = g_filename_display_name (path);
  FILE *file = g_fopen (path, "rbe");
  int code = errno;
  gchar *text = NULL;

  if (file != NULL) {
    text = g_malloc (CHECK_FILE_MAX + 1);
    *size = fread (text, 1, CHECK_FILE_MAX + 1, file);
    code = errno;
    if (ferror (file))
      g_clear_pointer (&text, g_free);
    fclose (file);
  }

  if (text == NULL) {
    if (code == ENOENT)
      GST_ELEMENT_ERROR (self, RESOURCE, NOT_FOUND,
          ("Check file \"%s\" does not exist.", display), (NULL));
    else
      GST_ELEMENT_ERROR (self, RESOURCE, OPEN_READ,
          ("Could not read check file \"%s\".", display),
          ("%s", g_strerror (code)));
  } else if (*size > CHECK_FILE_MAX) {
    GST_ELEMENT_ERROR (self, RESOURCE, READ,
        ("\"%s\" is too large for a check file.", display),
        ("the limit is %d bytes", CHECK_FILE_MAX));
    g_clear_pointer (&text, g_free);
  }
  g_free (display);
  return text;
}

static gboolean
load_check (GstEegDigest *self, const struct settings *s)
{
  const EegSumfileDialect *dialect = get_dialect (self);
  struct state *st = &get_private (self)->state;
  const gchar *problem = NULL;
  gchar *text, *name;
  gsize size;

  text = read_check_file (self, s->check_file, &size);
  if (text == NULL)
    return FALSE;
  /* A file that was renamed, and its only line with it or not, is still the
   * one that is meant; a name that was asked for has to be there. */
  name = s->listed_name != NULL ? g_strdup (s->listed_name)
                                : name_from_path (s->check_file);
  switch (eeg_sumfile_find (dialect, text, size, name != NULL ? name : "",
      s->listed_name == NULL, st->check)) {
    case EEG_SUMFILE_FOUND:
      st->have_check = TRUE;
      break;
    case EEG_SUMFILE_NO_LINES:
      problem = "has no line with a checksum of this kind";
      break;
    case EEG_SUMFILE_NOT_LISTED:
      problem = "does not list this name; set listed-name to one it lists";
      break;
    case EEG_SUMFILE_AMBIGUOUS:
      problem = "has several different checksums for this name";
      break;
  }
  if (problem != NULL) {
    gchar *file_name = g_filename_display_name (s->check_file);
    gchar *listed = g_filename_display_name (name != NULL ? name : "");

    GST_ELEMENT_ERROR (self, RESOURCE, READ,
        ("Check file \"%s\" %s.", file_name, problem),
        ("%s, name \"%s\"", dialect->tag, listed));
    g_free (file_name);
    g_free (listed);
  }
  g_free (name);
  g_free (text);
  return problem == NULL;
}

/* transfer full; of a part, the name that it has */
static gchar *
get_name (GstEegDigest *self, const gchar *name, guint64 part)
{
  gchar *of_part = NULL;

  if (part > 0)
    of_part = gst_eeg_part_make_location (name, part, NULL);
  return of_part != NULL ? of_part : g_strdup (name);
}

/* What would fail after hours of recording is better said at once. */
static gboolean
check_location (GstEegDigest *self, const struct settings *s)
{
  gchar *folder = g_path_get_dirname (s->location);
  gchar *display = g_filename_display_name (s->location);
  gchar *name = NULL;
  gboolean ok = FALSE;

  if (g_file_test (s->location, G_FILE_TEST_IS_DIR)) {
    GST_ELEMENT_ERROR (self, RESOURCE, OPEN_WRITE,
        ("\"%s\" is a folder.", display), (NULL));
    goto done;
  }
  if (g_access (folder, W_OK | X_OK) != 0) {
    int code = errno;

    GST_ELEMENT_ERROR (self, RESOURCE, OPEN_WRITE,
        ("Could not write \"%s\".", display),
        ("its folder: %s", g_strerror (code)));
    goto done;
  }
  name = s->listed_name != NULL ? g_strdup (s->listed_name)
                                : name_from_path (s->location);
  if (name == NULL) {
    GST_ELEMENT_ERROR (self, LIBRARY, SETTINGS,
        ("\"%s\" has no suffix, so it does not tell which file it is about; "
         "set listed-name.",
            display),
        (NULL));
    goto done;
  }
  ok = TRUE;

done:
  g_free (name);
  g_free (display);
  g_free (folder);
  return ok;
}

/* *@location is where it is written, also after an error. */
static gboolean
write_sidecar (GstEegDigest *self, const guint8 *digest, gchar **location)
{
  const struct state *st = &get_private (self)->state;
  const struct settings *s = &st->settings;
  GError *error = NULL;
  gchar *name;
  char *line;
  gsize size;

  *location = get_name (self, s->location, st->part);
  name = s->listed_name != NULL ? get_name (self, s->listed_name, st->part)
                                : name_from_path (*location);
  line = eeg_sumfile_format (get_dialect (self), digest, name, &size);
  g_free (name);
  /* a file of its own, synced, then renamed, and the folder synced: never half
   * a line, and none that a power cut takes back */
  if (!g_file_set_contents_full (*location, line, size,
          G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0666,
          &error)) {
    gchar *display = g_filename_display_name (*location);

    if (g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOSPC))
      GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT,
          ("No space left for \"%s\".", display), ("%s", error->message));
    else
      GST_ELEMENT_ERROR (self, RESOURCE, WRITE,
          ("Could not write \"%s\".", display), ("%s", error->message));
    g_free (display);
  }
  free (line);
  if (error == NULL)
    return TRUE;
  g_error_free (error);
  return FALSE;
}

/* Takes over a state that was handed in; it was checked when it came. */
static void
apply_restore (GstEegDigest *self, GBytes *restore)
{
  struct state *st = &get_private (self)->state;
  gsize size;
  const guint8 *blob = g_bytes_get_data (restore, &size);

  get_kernel (self)->restore (st->hash, blob + STATE_HEADER_SIZE,
      size - STATE_HEADER_SIZE);
  st->hashed = GST_READ_UINT64_LE (blob + 8);
  st->skipped = GST_READ_UINT64_LE (blob + 16);
  GST_DEBUG_OBJECT (self, "continuing after %" G_GUINT64_FORMAT " bytes",
      st->hashed);
}

/* What the application changed since the last buffer. Returns whether to
 * hash. */
static gboolean
take_changes (GstEegDigest *self)
{
  GstEegDigestPrivate *priv = get_private (self);
  GBytes *restore;
  gboolean enabled;

  GST_OBJECT_LOCK (self);
  restore = g_steal_pointer (&priv->restore);
  enabled = priv->settings.enabled;
  GST_OBJECT_UNLOCK (self);
  if (G_UNLIKELY (restore != NULL)) {
    apply_restore (self, restore);
    g_bytes_unref (restore);
  }
  return enabled;
}

/* GstBaseTransform */

static gboolean
gst_eeg_digest_start (GstBaseTransform *trans)
{
  GstEegDigest *self = GST_EEG_DIGEST (trans);
  GstEegDigestPrivate *priv = get_private (self);
  struct state *st = &priv->state;
  const struct settings *s = &st->settings;
  guint8 expected[EEG_DIGEST_MAX_SIZE];

  g_return_val_if_fail (get_kernel (self) != NULL, FALSE);

  gst_eeg_stage_counters_reset (&priv->counters);
  st->hash = g_malloc (get_kernel (self)->state_size);
  st->have_check = FALSE;
  st->bytes_per_frame = 0;
  settings_copy (self, &st->settings);
  GST_OBJECT_LOCK (self);
  st->part = priv->part;
  GST_OBJECT_UNLOCK (self);
  state_reset (self);
  set_result (self, NULL);

  if (s->expected != NULL && !parse_expected (self, s->expected, expected)) {
    GST_ELEMENT_ERROR (self, LIBRARY, SETTINGS,
        ("expected=%s is not a %s digest.", s->expected,
            get_dialect (self)->tag),
        ("it has %" G_GSIZE_FORMAT " hexadecimal digits",
            2 * get_kernel (self)->digest_size));
    goto failed;
  }
  if (s->location != NULL && !check_location (self, s))
    goto failed;
  if (s->check_file != NULL && !load_check (self, s))
    goto failed;
  return TRUE;

failed:
  gst_eeg_stage_count (&priv->counters.errors, 1);
  settings_clear (&st->settings);
  g_clear_pointer (&st->hash, g_free);
  return FALSE;
}

static gboolean
gst_eeg_digest_stop (GstBaseTransform *trans)
{
  GstEegDigestPrivate *priv = get_private (GST_EEG_DIGEST (trans));
  GBytes *restore;

  settings_clear (&priv->state.settings);
  g_clear_pointer (&priv->state.hash, g_free);
  GST_OBJECT_LOCK (trans);
  restore = g_steal_pointer (&priv->restore);
  priv->part = 0;
  GST_OBJECT_UNLOCK (trans);
  g_clear_pointer (&restore, g_bytes_unref);
  return TRUE;
}

static gboolean
gst_eeg_digest_set_caps (GstBaseTransform *trans, GstCaps *incaps,
    GstCaps *outcaps)
{
  struct state *st = &get_private (GST_EEG_DIGEST (trans))->state;
  GstEegInfo info;

  /* only to count samples */
  gst_eeg_info_init (&info);
  st->bytes_per_frame =
      gst_eeg_info_from_caps (&info, incaps) ? info.bytes_per_frame : 0;
  gst_eeg_info_clear (&info);
  return TRUE;
}

/* Posts what came out. @wanted is the digest that was asked for if another
 * one was, else NULL. */
static void
post_digest (GstEegDigest *self, const gchar *hex, const gchar *wanted,
    gboolean checked, gboolean complete, const gchar *written)
{
  GstStructure *fields = gst_structure_new (MESSAGE_NAME, "algorithm",
      G_TYPE_STRING, get_kernel (self)->algorithm, "digest", G_TYPE_STRING, hex,
      "bytes", G_TYPE_UINT64, get_private (self)->state.hashed, "complete",
      G_TYPE_BOOLEAN, complete, "checked", G_TYPE_BOOLEAN, checked, "matches",
      G_TYPE_BOOLEAN, checked && wanted == NULL, NULL);

  if (wanted != NULL)
    gst_structure_set (fields, "expected", G_TYPE_STRING, wanted, NULL);
  if (written != NULL) {
    gchar *display = g_filename_display_name (written);

    gst_structure_set (fields, "location", G_TYPE_STRING, display, NULL);
    g_free (display);
  }
  gst_element_post_message (GST_ELEMENT_CAST (self),
      gst_message_new_element (GST_OBJECT_CAST (self), fields));
}

/* Compares with all that was asked for. On a difference, writes the digest
 * that was wanted to @wanted and returns FALSE. */
static gboolean
compare (GstEegDigest *self, const guint8 *digest, gboolean *checked,
    gchar *wanted)
{
  const struct state *st = &get_private (self)->state;
  gsize size = get_kernel (self)->digest_size;
  guint8 value[EEG_DIGEST_MAX_SIZE];
  gboolean have_value = FALSE;

  /* this one may have changed since start */
  GST_OBJECT_LOCK (self);
  if (get_private (self)->settings.expected != NULL)
    have_value =
        parse_expected (self, get_private (self)->settings.expected, value);
  GST_OBJECT_UNLOCK (self);

  *checked = have_value || st->have_check;
  if (have_value && memcmp (value, digest, size) != 0) {
    eeg_sumfile_format_hex (value, size, wanted);
    return FALSE;
  }
  if (st->have_check && memcmp (st->check, digest, size) != 0) {
    eeg_sumfile_format_hex (st->check, size, wanted);
    return FALSE;
  }
  return TRUE;
}

/* The stream, or with @is_part a part of it, is over: tells, checks and writes.
 * Returns FALSE, with the error posted, if EOS must not pass as success. */
static gboolean
finish (GstEegDigest *self, gboolean is_part)
{
  GstEegDigestPrivate *priv = get_private (self);
  struct state *st = &priv->state;
  const struct settings *s = &st->settings;
  const EegDigestKernel *kernel = get_kernel (self);
  guint8 digest[EEG_DIGEST_MAX_SIZE];
  gchar hex[2 * EEG_DIGEST_MAX_SIZE + 1];
  gchar wanted[2 * EEG_DIGEST_MAX_SIZE + 1];
  const gchar *written = NULL;
  gchar *location = NULL;
  gboolean complete, checked, matches, ok = TRUE;

  take_changes (self);
  /* no file is made of a last part without a byte in it */
  if (st->part > 1 && st->hashed == 0 && st->skipped == 0)
    return TRUE;
  if (st->skipped > 0) {
    /* switched off from first to last is what the application wanted */
    if (st->hashed > 0)
      GST_ELEMENT_WARNING (self, STREAM, FAILED,
          ("No checksum: it was switched off for a part of the stream."),
          ("%" G_GUINT64_FORMAT " bytes were hashed, %" G_GUINT64_FORMAT
           " were not",
              st->hashed, st->skipped));
    return TRUE;
  }

  kernel->final (st->hash, digest);
  eeg_sumfile_format_hex (digest, kernel->digest_size, hex);
  complete = is_part || st->complete
      || !gst_eeg_stage_source_completes (GST_BASE_TRANSFORM_SINK_PAD (self));
  matches = compare (self, digest, &checked, wanted);
  GST_DEBUG_OBJECT (self, "%s of %" G_GUINT64_FORMAT " bytes: %s%s",
      kernel->algorithm, st->hashed, hex, complete ? "" : ", incomplete");

  if (complete && matches && s->location != NULL) {
    ok = write_sidecar (self, digest, &location);
    written = ok ? location : NULL;
  }
  /* a digest of half a stream must not be taken for that of the stream */
  if (complete)
    set_result (self, hex);
  post_digest (self, hex, matches ? NULL : wanted, checked, complete, written);
  g_free (location);

  if (!matches) {
    GST_ELEMENT_ERROR_WITH_DETAILS (self, STREAM, DECODE,
        ("Checksum mismatch: the stream has %s %s, but %s was expected.",
            get_dialect (self)->tag, hex, wanted),
        ("after %" G_GUINT64_FORMAT " bytes", st->hashed),
        ("algorithm", G_TYPE_STRING, kernel->algorithm, "digest", G_TYPE_STRING,
            hex, "expected", G_TYPE_STRING, wanted, NULL));
    ok = FALSE;
  }
  if (!ok)
    gst_eeg_stage_count (&priv->counters.errors, 1);
  return ok;
}

/* Whether @segment says that bytes will be written twice, or that some are
 * left out: what ends up in the file is then not what was hashed. */
static gboolean
breaks_order (GstEegDigest *self, const GstSegment *segment)
{
  const struct state *st = &get_private (self)->state;

  if (segment->rate < 0)
    return TRUE;
  if (st->segment.format != segment->format)
    return FALSE;
  if (segment->format == GST_FORMAT_BYTES)
    return segment->start != st->next_offset;
  return segment->start < st->segment.start;
}

static gboolean
handle_segment (GstEegDigest *self, GstEvent *event)
{
  GstEegDigestPrivate *priv = get_private (self);
  struct state *st = &priv->state;
  const GstSegment *segment;
  gboolean enabled = take_changes (self);

  gst_event_parse_segment (event, &segment);
  if (gst_eeg_event_repeats_segment (event, st->segment_seqnum, &st->segment))
    return TRUE;
  if ((enabled || st->hashed > 0) && breaks_order (self, segment)) {
    if (!st->failed) {
      st->failed = TRUE;
      gst_eeg_stage_count (&priv->counters.errors, 1);
      GST_ELEMENT_ERROR (self, STREAM, FORMAT,
          ("The stream does not come in order, so it has no checksum."),
          ("after %" G_GUINT64_FORMAT " bytes: %" GST_SEGMENT_FORMAT,
              st->hashed, segment));
    }
    return FALSE;
  }
  gst_segment_copy_into (segment, &st->segment);
  st->segment_seqnum = gst_event_get_seqnum (event);
  if (segment->format == GST_FORMAT_BYTES)
    st->next_offset = segment->start;
  return TRUE;
}

/* What follows is hashed on its own, and may be a file that begins at 0. */
static void
end_part (GstEegDigest *self)
{
  struct state *st = &get_private (self)->state;
  guint64 part = st->part;

  if (st->failed)
    return;
  /* no file is made of a part without a byte in it */
  if (st->hashed > 0 && !finish (self, TRUE)) {
    st->failed = TRUE;
    return;
  }
  state_reset (self);
  st->part = part + 1;
}

static gboolean
gst_eeg_digest_sink_event (GstBaseTransform *trans, GstEvent *event)
{
  GstEegDigest *self = GST_EEG_DIGEST (trans);
  struct state *st = &get_private (self)->state;
  GstEegBarrier *barrier;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_STREAM_START:
      /* after EOS another stream begins; a change on the way goes on */
      if (st->finished) {
        state_reset (self);
        set_result (self, NULL);
      }
      break;
    case GST_EVENT_FLUSH_STOP:
      state_reset (self);
      set_result (self, NULL);
      break;
    case GST_EVENT_SEGMENT:
      if (!handle_segment (self, event)) {
        gst_event_unref (event);
        return FALSE;
      }
      break;
    case GST_EVENT_CUSTOM_DOWNSTREAM:
      if (gst_eeg_event_parse_complete (event, NULL)) {
        st->complete = TRUE;
      } else if (gst_eeg_event_parse_barrier (event, &barrier)) {
        if (st->part > 0 && gst_eeg_barrier_ends_part (barrier))
          end_part (self);
        gst_eeg_barrier_add_stage (barrier, GST_EEG_STAGE (self));
      }
      break;
    case GST_EVENT_EOS:
      if (!st->finished && !st->failed) {
        st->finished = TRUE;
        st->failed = !finish (self, FALSE);
      }
      if (st->failed) {
        GST_DEBUG_OBJECT (self, "not passing on EOS after an error");
        gst_event_unref (event);
        return FALSE;
      }
      break;
    default:
      break;
  }
  return GST_BASE_TRANSFORM_CLASS (gst_eeg_digest_parent_class)
      ->sink_event (trans, event);
}

static gboolean
gst_eeg_digest_src_event (GstBaseTransform *trans, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_SEEK) {
    GST_INFO_OBJECT (trans, "refusing to seek: a checksum needs all bytes");
    gst_event_unref (event);
    return FALSE;
  }
  return GST_BASE_TRANSFORM_CLASS (gst_eeg_digest_parent_class)
      ->src_event (trans, event);
}

static gboolean
gst_eeg_digest_query (GstBaseTransform *trans, GstPadDirection direction,
    GstQuery *query)
{
  GstFormat format;

  /* a muxer asks whether it may go back: not in what is hashed, whatever the
   * sink can do */
  if (direction == GST_PAD_SINK
      && GST_QUERY_TYPE (query) == GST_QUERY_SEEKING) {
    gst_query_parse_seeking (query, &format, NULL, NULL, NULL);
    gst_query_set_seeking (query, format, FALSE, 0, -1);
    return TRUE;
  }
  if (direction == GST_PAD_SRC) {
    if (gst_eeg_stage_answer_query (GST_EEG_STAGE (trans),
            GST_BASE_TRANSFORM_SRC_PAD (trans), query))
      return TRUE;
    switch (GST_QUERY_TYPE (query)) {
      case GST_QUERY_SEEKING:
        gst_query_parse_seeking (query, &format, NULL, NULL, NULL);
        gst_query_set_seeking (query, format, FALSE, 0, -1);
        return TRUE;
      case GST_QUERY_SCHEDULING:
        /* who pulls reads where he likes */
        gst_query_set_scheduling (query, GST_SCHEDULING_FLAG_SEQUENTIAL, 1, -1,
            0);
        gst_query_add_scheduling_mode (query, GST_PAD_MODE_PUSH);
        return TRUE;
      default:
        break;
    }
  }
  return GST_BASE_TRANSFORM_CLASS (gst_eeg_digest_parent_class)
      ->query (trans, direction, query);
}

static gboolean
hash_buffer (GstEegDigest *self, GstBuffer *buffer)
{
  const EegDigestKernel *kernel = get_kernel (self);
  struct state *st = &get_private (self)->state;
  guint n = gst_buffer_n_memory (buffer);

  /* mapping the buffer would copy several memories into one */
  for (guint i = 0; i < n; i++) {
    GstMemory *memory = gst_buffer_peek_memory (buffer, i);
    GstMapInfo map;

    if (!gst_memory_map (memory, &map, GST_MAP_READ)) {
      GST_ELEMENT_ERROR (self, RESOURCE, FAILED, ("Could not read a buffer."),
          ("memory %u of %u", i, n));
      return FALSE;
    }
    kernel->update (st->hash, map.data, map.size);
    st->hashed += map.size;
    gst_memory_unmap (memory, &map);
  }
  return TRUE;
}

static GstFlowReturn
gst_eeg_digest_transform_ip (GstBaseTransform *trans, GstBuffer *buffer)
{
  GstEegDigest *self = GST_EEG_DIGEST (trans);
  GstEegDigestPrivate *priv = get_private (self);
  struct state *st = &priv->state;
  gboolean enabled = take_changes (self);
  gsize size = gst_buffer_get_size (buffer);
  guint64 samples = st->bytes_per_frame > 0 ? size / st->bytes_per_frame : 0;

  /* the error was posted when it happened */
  if (st->failed)
    return GST_FLOW_ERROR;

  gst_eeg_stage_count_in (&priv->counters, size, samples);
  if (enabled) {
    GstClockTime begin = gst_util_get_timestamp ();

    if (!hash_buffer (self, buffer)) {
      st->failed = TRUE;
      gst_eeg_stage_count (&priv->counters.errors, 1);
      return GST_FLOW_ERROR;
    }
    gst_eeg_stage_count (&priv->counters.busy_ns,
        gst_util_get_timestamp () - begin);
  } else {
    st->skipped += size;
  }
  st->next_offset += size;
  gst_eeg_stage_count_out (&priv->counters, size, samples);
  return GST_FLOW_OK;
}

/* GstEegStage */

static GstEegStageKind
gst_eeg_digest_get_kind (GstEegStage *stage)
{
  return GST_EEG_STAGE_KIND_CHECKSUM;
}

static gboolean
gst_eeg_digest_estimate (GstEegStage *stage, guint64 input_bytes,
    GstEegEstimate *estimate)
{
  GstEegDigest *self = GST_EEG_DIGEST (stage);
  GstEegStageCounters counters;

  estimate->memory_bytes = get_kernel (self)->state_size;
  estimate->threads = 0;
  estimate->output_bytes = input_bytes;
  gst_eeg_stage_counters_get (&get_private (self)->counters, &counters);
  if (counters.bytes_in > 0 && counters.busy_ns > 0
      && input_bytes != G_MAXUINT64)
    estimate->duration = gst_util_uint64_scale (input_bytes, counters.busy_ns,
        counters.bytes_in);
  return TRUE;
}

/* Which of its properties are set decides, so any thread may ask. */
static GstEegPartSupport
gst_eeg_digest_get_part_support (GstEegStage *stage)
{
  const struct settings *s = &get_private (GST_EEG_DIGEST (stage))->settings;
  gboolean checks;

  GST_OBJECT_LOCK (stage);
  checks = s->check_file != NULL || s->expected != NULL;
  GST_OBJECT_UNLOCK (stage);
  /* one digest cannot be that of several parts */
  return checks ? GST_EEG_PART_SUPPORT_NONE : GST_EEG_PART_SUPPORT_ENDS;
}

static void
gst_eeg_digest_set_part (GstEegStage *stage, const GstEegPart *part)
{
  GstEegDigestPrivate *priv = get_private (GST_EEG_DIGEST (stage));
  guint64 number = part != NULL ? part->number : 0;

  GST_OBJECT_LOCK (stage);
  priv->part = number;
  GST_OBJECT_UNLOCK (stage);
}

static GBytes *
gst_eeg_digest_save_state (GstEegStage *stage, GError **error)
{
  GstEegDigest *self = GST_EEG_DIGEST (stage);
  const EegDigestKernel *kernel = get_kernel (self);
  struct state *st = &get_private (self)->state;
  guint8 *blob;
  gsize size;

  if (st->hash == NULL || st->failed) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_STATE_CHANGE,
        "%s has no stream whose state could be saved", GST_OBJECT_NAME (self));
    return NULL;
  }
  take_changes (self);
  blob = g_malloc0 (STATE_HEADER_SIZE + kernel->saved_size);
  blob[0] = STATE_VERSION;
  GST_WRITE_UINT64_LE (blob + 8, st->hashed);
  GST_WRITE_UINT64_LE (blob + 16, st->skipped);
  size = kernel->save (st->hash, blob + STATE_HEADER_SIZE);
  return g_bytes_new_take (blob, STATE_HEADER_SIZE + size);
}

static gboolean
gst_eeg_digest_restore_state (GstEegStage *stage, GBytes *state, GError **error)
{
  GstEegDigest *self = GST_EEG_DIGEST (stage);
  const EegDigestKernel *kernel = get_kernel (self);
  gsize size;
  const guint8 *blob;
  gpointer trial;
  gboolean ok;

  if (state == NULL)
    return gst_eeg_stage_keep_state (stage, &get_private (self)->restore, NULL,
        TRUE, error);
  blob = g_bytes_get_data (state, &size);
  trial = g_malloc (kernel->state_size);
  /* tried here, where it can be refused; taken when the stream begins */
  kernel->init (trial);
  ok = size > STATE_HEADER_SIZE && blob[0] == STATE_VERSION
      && kernel->restore (trial, blob + STATE_HEADER_SIZE,
          size - STATE_HEADER_SIZE);
  g_free (trial);
  return gst_eeg_stage_keep_state (stage, &get_private (self)->restore, state,
      ok, error);
}

static void
gst_eeg_digest_stage_init (GstEegStageInterface *iface)
{
  iface->get_kind = gst_eeg_digest_get_kind;
  iface->estimate = gst_eeg_digest_estimate;
  iface->save_state = gst_eeg_digest_save_state;
  iface->restore_state = gst_eeg_digest_restore_state;
  iface->get_part_support = gst_eeg_digest_get_part_support;
  iface->set_part = gst_eeg_digest_set_part;
}

/* Properties */

/* An empty path or name means none. */
static gchar *
dup_text (const GValue *value)
{
  const gchar *text = g_value_get_string (value);

  return text != NULL && text[0] != '\0' ? g_strdup (text) : NULL;
}

static void
set_expected (GstEegDigest *self, const GValue *value)
{
  struct settings *s = &get_private (self)->settings;
  guint8 digest[EEG_DIGEST_MAX_SIZE];
  gchar *text = dup_text (value);
  gboolean refuse;

  refuse = text != NULL && !parse_expected (self, text, digest);
  GST_OBJECT_LOCK (self);
  /* before a stream begins it is start() that refuses */
  refuse = refuse && GST_STATE (self) > GST_STATE_READY;
  if (!refuse) {
    gchar *old = s->expected;

    s->expected = text;
    text = old;
  }
  GST_OBJECT_UNLOCK (self);
  if (refuse)
    GST_ELEMENT_WARNING (self, LIBRARY, SETTINGS,
        ("expected=%s is not a %s digest; keeping the old one.", text,
            get_dialect (self)->tag),
        (NULL));
  g_free (text);
}

static void
gst_eeg_digest_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstEegDigest *self = GST_EEG_DIGEST (object);
  struct settings *s = &get_private (self)->settings;

  if (id == PROP_EXPECTED) {
    set_expected (self, value);
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_LOCATION:
      g_free (s->location);
      s->location = dup_text (value);
      break;
    case PROP_LISTED_NAME:
      g_free (s->listed_name);
      s->listed_name = dup_text (value);
      break;
    case PROP_CHECK_FILE:
      g_free (s->check_file);
      s->check_file = dup_text (value);
      break;
    case PROP_ENABLED:
      s->enabled = g_value_get_boolean (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_eeg_digest_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstEegDigestPrivate *priv = get_private (GST_EEG_DIGEST (object));
  const struct settings *s = &priv->settings;

  if (id == PROP_STATS) {
    g_value_take_boxed (value,
        gst_eeg_stage_counters_to_structure (&priv->counters,
            GST_EEG_STAGE_KIND_CHECKSUM));
    return;
  }
  GST_OBJECT_LOCK (object);
  switch (id) {
    case PROP_DIGEST:
      g_value_set_string (value, priv->result);
      break;
    case PROP_LOCATION:
      g_value_set_string (value, s->location);
      break;
    case PROP_LISTED_NAME:
      g_value_set_string (value, s->listed_name);
      break;
    case PROP_CHECK_FILE:
      g_value_set_string (value, s->check_file);
      break;
    case PROP_EXPECTED:
      g_value_set_string (value, s->expected);
      break;
    case PROP_ENABLED:
      g_value_set_boolean (value, s->enabled);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (object);
}

static void
gst_eeg_digest_finalize (GObject *object)
{
  GstEegDigestPrivate *priv = get_private (GST_EEG_DIGEST (object));

  settings_clear (&priv->settings);
  g_free (priv->result);
  g_clear_pointer (&priv->restore, g_bytes_unref);
  G_OBJECT_CLASS (gst_eeg_digest_parent_class)->finalize (object);
}

static void
gst_eeg_digest_class_init (GstEegDigestClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);

  object_class->set_property = gst_eeg_digest_set_property;
  object_class->get_property = gst_eeg_digest_get_property;
  object_class->finalize = gst_eeg_digest_finalize;

  /**
   * GstEegDigest:digest:
   *
   * Digest of all bytes in lower-case hexadecimal digits. %NULL until EOS, if
   * the stream broke off behind a source of this project, and if @enabled was
   * off for a part.
   */
  properties[PROP_DIGEST] = g_param_spec_string ("digest", "Digest",
      "Digest of the stream in hexadecimal digits, from EOS on", NULL,
      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  /**
   * GstEegDigest:location:
   *
   * File to write the check line to at EOS. It is written to a temporary file
   * beside it, synced and renamed, with the permissions of any new file. Must
   * be in a folder that can be written, which is checked at start.
   */
  properties[PROP_LOCATION] = g_param_spec_string ("location", "Location",
      "File to write the check line to at EOS (none: not written)", NULL,
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
  /**
   * GstEegDigest:listed-name:
   *
   * Name of the file that the check line is about, as it is written to
   * @location and looked up in @check_file. By default the name of @location
   * or of @check_file without folder and suffix; a check file with a single
   * line then serves whatever name is in it.
   */
  properties[PROP_LISTED_NAME] =
      g_param_spec_string ("listed-name", "Listed name",
          "File name in the check line (default: that of the location or check "
          "file without folder and suffix)",
          NULL,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
  /**
   * GstEegDigest:check-file:
   *
   * File with check lines, at most 16 MiB, read at start. At EOS the stream
   * must have the digest that is listed there.
   */
  properties[PROP_CHECK_FILE] = g_param_spec_string ("check-file", "Check file",
      "File with the check line that the stream must match at EOS", NULL,
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
  /**
   * GstEegDigest:expected:
   *
   * Digest in hexadecimal digits, of either case, that the stream must have
   * at EOS. Any other text is refused at start, or with a warning while the
   * stream runs, when the old value stays.
   */
  properties[PROP_EXPECTED] = g_param_spec_string ("expected", "Expected",
      "Digest in hexadecimal digits that the stream must have at EOS", NULL,
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING);
  /**
   * GstEegDigest:enabled:
   *
   * Whether to compute the digest. If this was off for a part of the stream,
   * there is no digest of it, nothing is checked or written, and a warning
   * says so.
   */
  properties[PROP_ENABLED] = g_param_spec_boolean ("enabled", "Enabled",
      "Compute the digest; off: only pass buffers on", DEFAULT_ENABLED,
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
  g_object_class_override_property (object_class, PROP_STATS, "stats");

  trans_class->start = gst_eeg_digest_start;
  trans_class->stop = gst_eeg_digest_stop;
  trans_class->set_caps = gst_eeg_digest_set_caps;
  trans_class->sink_event = gst_eeg_digest_sink_event;
  trans_class->src_event = gst_eeg_digest_src_event;
  trans_class->query = gst_eeg_digest_query;
  trans_class->transform_ip = gst_eeg_digest_transform_ip;
  trans_class->transform_ip_on_passthrough = TRUE;

  gst_type_mark_as_plugin_api (GST_TYPE_EEG_DIGEST, 0);
}

static void
gst_eeg_digest_init (GstEegDigest *self)
{
  GstBaseTransform *trans = GST_BASE_TRANSFORM (self);

  get_private (self)->settings.enabled = DEFAULT_ENABLED;
  gst_base_transform_set_passthrough (trans, TRUE);
  gst_base_transform_set_gap_aware (trans, TRUE);
}

void
gst_eeg_digest_class_set_algorithm (GstEegDigestClass *klass,
    const struct _EegDigestKernel *kernel,
    const struct _EegSumfileDialect *dialect)
{
  g_return_if_fail (kernel != NULL && dialect != NULL);
  g_return_if_fail (kernel->digest_size == dialect->digest_size);

  klass->kernel = kernel;
  klass->dialect = dialect;
}
