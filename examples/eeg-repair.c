/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * eeg-repair: checks and joins the parts of a recording, and completes a file
 * that a crash left unfinished.
 *
 *   eeg-repair --verify [KEYS] [--parts=N] PART...
 *   eeg-repair --join [KEYS] --output=FILE PART...
 *   eeg-repair (--output=FILE | --in-place) FILE
 *
 * --verify reads all parts, which are given in order: each must say by its
 * label that it belongs behind the one before, and be what the next one says of
 * it. The last part of all cannot be missed by that: --parts says how many
 * there are.
 * --join writes what they hold into one file: EDF and BDF as one recording,
 * with annotations where samples were lost; EEGPack as one recording with its
 * gaps; anything else byte by byte, decoded. Without either, what is not whole
 * of an EDF, BDF, EEGPack or zstd file is left out, and its number of records,
 * its index or its seek table written.
 *
 * KEYS are --key-file and --segment-size (Tink), --identity-file and
 * --passphrase-file (age).
 *
 * What is lost and where goes to the standard output, what is wrong to the
 * standard error, by the name of the file. Inputs are only read, but for
 * --in-place; the output appears under its name when it is whole and on disk,
 * and replaces nothing without --overwrite.
 *
 * Exit status: 0, 1 if something is wrong or lost beyond what the parts
 * declare, 2 for wrong arguments or files that cannot be read or written.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <gst/gst.h>

#include <gst/eeg/eeg.h>

#include "digest.h"
#include "durable.h"
#include "edf.h"
#include "eeg-repair-eegpack.h"
#include "zstdframe.h"

/* Of EDF, which is hashed without them: what is completed later. */
#define COMPLETED_OFFSET 192
#define COMPLETED_END 244
#define RESERVED_LENGTH 44
/* Enough for any header and record, to see what a file is. */
#define MAX_PEEK (G_GUINT64_CONSTANT (128) << 20)
#define MAX_LAYERS 4
#define SEEK_FRAME 0x184D2A5Eu
#define SEEK_TABLE 0x8F92EAB1u
#define LOST_TEXT "Samples lost"

static gchar *key_file, *identity_file, *passphrase_file, *output_path;
static gint segment_size, n_expected;
static gboolean verifies, joins, in_place, overwrite;
static gboolean any_problem;

/* Something is wrong with what was given. */
static void G_GNUC_PRINTF (2, 3)
    complain (const gchar *path, const gchar *format, ...)
{
  gchar *text;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_printerr ("%s: %s\n", path, text);
  g_free (text);
  any_problem = TRUE;
}

/* --- decoding ------------------------------------------------------------ */

/* Takes the next bytes; FALSE: that was enough. */
typedef gboolean (
    *Consumer) (gpointer user_data, const guint8 *data, gsize size);

typedef struct
{
  GstElement *pipeline;
  Consumer consumer;
  gpointer user_data;
  gboolean enough;
} Decoding;

static void
handle_buffer (GstElement *sink, GstBuffer *buffer, GstPad *pad,
    gpointer user_data)
{
  Decoding *decoding = user_data;
  GstMapInfo map;

  if (decoding->enough || !gst_buffer_map (buffer, &map, GST_MAP_READ))
    return;
  decoding->enough =
      !decoding->consumer (decoding->user_data, map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  if (decoding->enough)
    gst_element_post_message (sink,
        gst_message_new_application (GST_OBJECT (sink),
            gst_structure_new_empty ("enough")));
}

static GstElement *
make_decoder (const gchar *name, gchar **problem)
{
  GstElement *element = gst_element_factory_make (name, NULL);

  if (element == NULL) {
    *problem = g_strdup_printf ("%s is not installed", name);
  } else if (strcmp (name, "aesgcmdec") == 0) {
    g_object_set (element, "key-file", key_file, NULL);
    if (segment_size > 0)
      g_object_set (element, "segment-size", (guint) segment_size, NULL);
  } else if (strcmp (name, "chacha20poly1305dec") == 0) {
    g_object_set (element, "identity-file", identity_file, "passphrase-file",
        passphrase_file, NULL);
  }
  return element;
}

/* Hands on what @path holds below its @layers, the names of decoders. FALSE
 * with
 * *problem set if it broke off; what came before is whole. */
static gboolean
decode (const gchar *path, GPtrArray *layers, Consumer consumer,
    gpointer user_data, gchar **problem)
{
  GstElement *pipeline = gst_pipeline_new (NULL), *last, *next;
  GstElement *source = gst_element_factory_make ("filesrc", NULL);
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);
  Decoding decoding = { pipeline, consumer, user_data, FALSE };
  GstMessage *message;
  GstBus *bus;
  guint i;

  *problem = NULL;
  g_object_set (source, "location", path, NULL);
  gst_bin_add_many (GST_BIN (pipeline), source, sink, NULL);
  last = source;
  for (i = 0; i < layers->len; i++) {
    next = make_decoder (g_ptr_array_index (layers, i), problem);
    if (next == NULL) {
      gst_object_unref (pipeline);
      return FALSE;
    }
    gst_bin_add (GST_BIN (pipeline), next);
    gst_element_link (last, next);
    last = next;
  }
  gst_element_link (last, sink);
  g_object_set (sink, "sync", FALSE, "signal-handoffs", TRUE, NULL);
  g_signal_connect (sink, "handoff", G_CALLBACK (handle_buffer), &decoding);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_APPLICATION);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    GError *error;

    gst_message_parse_error (message, &error, NULL);
    *problem = g_strdup (error->message);
    g_error_free (error);
  }
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
  return *problem == NULL;
}

/* --- what a file is ------------------------------------------------------ */

typedef struct
{
  const gchar *path;
  GPtrArray *layers;  /* decoders down to the container, or to plain bytes */
  guint label_layers; /* how many of them lie above the label */
  gboolean has_label;
  GstEegPart label;
  EegEdfHeader *edf; /* NULL: something else */
  gint64 onset;      /* of its first record, in ns */
  gboolean is_pack;  /* EEGPack */
  gchar *unreadable; /* NULL: it can be read at least in part */

  /* when all was read */
  gchar *broken; /* where it breaks off; NULL: it is whole */
  guint8 hash[GST_EEG_PART_HASH_SIZE];
  guint64 bytes;   /* of the container */
  guint64 samples; /* of EEGPack, lost ones counted */
} Part;

typedef struct
{
  GByteArray *bytes;
  gsize wanted;
} Peek;

static gboolean
take_peek (gpointer user_data, const guint8 *data, gsize size)
{
  Peek *peek = user_data;

  g_byte_array_append (peek->bytes, data,
      (guint) MIN (size, peek->wanted - peek->bytes->len));
  return peek->bytes->len < peek->wanted;
}

/* transfer full; the first bytes below some layers, fewer if there are not
 * more */
static GByteArray *
peek_at (const gchar *path, GPtrArray *layers, gsize size, gchar **problem)
{
  Peek peek = { g_byte_array_new (), size };

  decode (path, layers, take_peek, &peek, problem);
  return peek.bytes;
}

static gboolean
is_edf (const guint8 *data, gsize size)
{
  return size >= 8
      && (memcmp (data, "0       ", 8) == 0
          || memcmp (data,
                 "\xff"
                 "BIOSEMI",
                 8)
              == 0);
}

/* The label in a frame that decoders step over, and what the next frame is. */
static const gchar *
look_at_frames (const guint8 *data, gsize size, Part *part)
{
  while (size >= 8
      && (GST_READ_UINT32_LE (data) & 0xfffffff0) == EEG_ZSTDFRAME_SKIPPABLE) {
    gsize length = GST_READ_UINT32_LE (data + 4);

    if (length > size - 8)
      break;
    part->has_label |=
        gst_eeg_part_from_text (&part->label, (const gchar *) data + 8, length);
    data += 8 + length;
    size -= 8 + length;
  }
  if (size < 4)
    return part->has_label ? "zstddec" : NULL;
  if (GST_READ_UINT32_LE (data) == EEG_ZSTDFRAME_MAGIC)
    return "zstddec";
  return GST_READ_UINT32_LE (data) == 0x184D2204u ? "lz4dec" : NULL;
}

static const gchar *
look_at_gzip (const guint8 *data, gsize size, Part *part)
{
  const guint8 *end;

  if (size > 10 && (data[3] & 0x1f) == 0x10
      && (end = memchr (data + 10, 0, size - 10)) != NULL)
    part->has_label = gst_eeg_part_from_text (&part->label,
        (const gchar *) data + 10, (gsize) (end - data) - 10);
  return "gzipdec";
}

/* Which decoder comes next, or NULL. Sets the label if there is one here. */
static const gchar *
find_layer (const guint8 *data, gsize size, Part *part)
{
  static const gchar age[] = "age-encryption.org/v1\n";
  static const gchar armor[] = "-----BEGIN AGE ENCRYPTED FILE-----";
  const gchar *frames;

  if (is_edf (data, size) || pack_is_file (data, size))
    return NULL;
  if (size >= 3 && data[0] == 0x1f && data[1] == 0x8b && data[2] == 8)
    return look_at_gzip (data, size, part);
  frames = look_at_frames (data, size, part);
  if (frames != NULL)
    return frames;
  if (size >= sizeof age - 1 && memcmp (data, age, sizeof age - 1) == 0)
    return "chacha20poly1305dec";
  if (size >= sizeof armor - 1 && memcmp (data, armor, sizeof armor - 1) == 0)
    return "chacha20poly1305dec";
  /* Tink's format has nothing but the length of its header to know it by */
  if (key_file != NULL && part->layers->len == 0 && size >= 40 && data[0] == 40)
    return "aesgcmdec";
  return NULL;
}

/* The label among the annotations of the first record. */
static void
look_at_record (Part *part, const guint8 *record)
{
  EegEdfAnnotationIter iter;
  EegEdfAnnotation a;

  part->onset = eeg_edf_record_time (part->edf, record);
  if (part->onset == EEG_EDF_TIME_NONE)
    part->onset = 0;
  eeg_edf_annotations_init (&iter, part->edf, record);
  while (!part->has_label && eeg_edf_annotations_next (&iter, &a)) {
    part->has_label =
        gst_eeg_part_from_text (&part->label, a.text, a.text_length);
    if (part->has_label)
      part->label_layers = part->layers->len;
  }
}

static void
look_at_edf (Part *part, GByteArray **bytes)
{
  gchar reason[256] = "it ends in its header", *problem;
  gsize needed = 0;
  EegEdfStatus status = EEG_EDF_NEED_MORE;
  gsize size = (*bytes)->len;

  for (;;) {
    if (part->edf == NULL)
      status = eeg_edf_header_parse ((*bytes)->data, (*bytes)->len, &part->edf,
          &needed, reason, sizeof reason);
    if (status == EEG_EDF_OK)
      needed = part->edf->header_size + part->edf->record_size;
    if ((status != EEG_EDF_OK && status != EEG_EDF_NEED_MORE)
        || needed <= (*bytes)->len || needed > MAX_PEEK || (*bytes)->len < size)
      break;
    /* if there is not as much, there will be no more */
    size = needed;
    g_byte_array_unref (*bytes);
    *bytes = peek_at (part->path, part->layers, size, &problem);
    g_free (problem);
  }
  if (status != EEG_EDF_OK)
    part->unreadable = g_strdup_printf ("no valid EDF or BDF: %s", reason);
  else if ((*bytes)->len >= needed)
    look_at_record (part, (*bytes)->data + part->edf->header_size);
}

/* The label in the first chunk of markers, which comes right behind the header.
 */
static gboolean
look_at_chunk (gpointer user_data, const eeg_eegpack_chunk *chunk,
    const guint8 *data)
{
  Part *part = user_data;
  eeg_eegpack_marker marker;
  gsize at = 0;

  if (chunk->type == EEG_EEGPACK_CHUNK_HEADER)
    return TRUE;
  part->has_label = chunk->type == EEG_EEGPACK_CHUNK_MARKERS
      && eeg_eegpack_parse_marker (chunk->payload, chunk->payload_size, &at,
             &marker)
          == EEG_EEGPACK_OK
      && gst_eeg_part_from_text (&part->label, marker.text, marker.text_size);
  if (part->has_label)
    part->label_layers = part->layers->len;
  return FALSE;
}

static gboolean
take_until_lost (gpointer user_data, const guint8 *data, gsize size)
{
  PackWalk *walk = user_data;

  return pack_walk_take (walk, data, size)
      && (walk->header != NULL || walk->lost == 0);
}

static void
look_at_pack (Part *part)
{
  PackWalk walk;
  gchar *problem;

  part->is_pack = TRUE;
  pack_walk_init (&walk, look_at_chunk, part);
  decode (part->path, part->layers, take_until_lost, &walk, &problem);
  if (walk.header == NULL)
    part->unreadable = g_strdup ("it has no header of EEGPack that is whole");
  pack_walk_clear (&walk);
  g_free (problem);
}

static void
look_at (Part *part, const gchar *path)
{
  GByteArray *bytes = NULL;
  GStatBuf s;

  memset (part, 0, sizeof *part);
  part->path = path;
  part->layers = g_ptr_array_new ();
  if (g_stat (path, &s) < 0) {
    part->unreadable = g_strdup (g_strerror (errno));
    return;
  }
  if (!S_ISREG (s.st_mode)) {
    part->unreadable = g_strdup ("not a file");
    return;
  }
  for (;;) {
    gboolean had_label = part->has_label;
    const gchar *layer;
    gchar *problem;

    bytes = peek_at (path, part->layers, 4096, &problem);
    if (bytes->len == 0) {
      part->unreadable = problem != NULL ? g_steal_pointer (&problem)
                                         : g_strdup ("nothing is in it");
      break;
    }
    g_free (problem);
    layer = part->layers->len < MAX_LAYERS
        ? find_layer (bytes->data, bytes->len, part)
        : NULL;
    if (part->has_label && !had_label)
      part->label_layers = part->layers->len;
    if (layer == NULL) {
      /* a part of a stream of bytes may begin as such a file, and end
       * anywhere */
      if (is_edf (bytes->data, bytes->len)
          && !(part->has_label && part->label.is_bytes))
        look_at_edf (part, &bytes);
      else if (pack_is_file (bytes->data, bytes->len) && !part->has_label)
        look_at_pack (part);
      break;
    }
    g_ptr_array_add (part->layers, (gpointer) layer);
    g_clear_pointer (&bytes, g_byte_array_unref);
  }
  g_clear_pointer (&bytes, g_byte_array_unref);
}

static void
clear_part (Part *part)
{
  if (part->layers != NULL)
    g_ptr_array_unref (part->layers);
  eeg_edf_header_free (part->edf);
  g_free (part->unreadable);
  g_free (part->broken);
}

static guint64
count_samples (const Part *part)
{
  guint64 records;

  if (part->is_pack)
    return part->samples;
  if (part->edf == NULL || part->edf->num_groups == 0
      || part->bytes < part->edf->header_size || part->edf->record_size == 0)
    return 0;
  records = (part->bytes - part->edf->header_size) / part->edf->record_size;
  return records * part->edf->groups[0].samples_per_record;
}

/* Behind the last sample or byte of the recording that the part holds. */
static guint64
get_end (const Part *part)
{
  return part->label.first
      + (part->label.is_bytes ? part->bytes : count_samples (part));
}

/* --- verify -------------------------------------------------------------- */

typedef struct
{
  const EegDigestKernel *kernel;
  gpointer state;
  gboolean skips;
  guint64 bytes;
  PackWalk *walk; /* of EEGPack */
} Hash;

static gboolean
take_hash (gpointer user_data, const guint8 *data, gsize size)
{
  Hash *hash = user_data;
  guint64 at = hash->bytes;
  gsize first = size, last = size;

  if (hash->skips) {
    first = (gsize) MIN (size, COMPLETED_OFFSET - MIN (at, COMPLETED_OFFSET));
    last = (gsize) MIN (size, COMPLETED_END - MIN (at, COMPLETED_END));
  }
  hash->kernel->update (hash->state, data, first);
  hash->kernel->update (hash->state, data + last, size - last);
  hash->bytes += size;
  return hash->walk == NULL || pack_walk_take (hash->walk, data, size);
}

static gboolean
take_count (gpointer user_data, const guint8 *data, gsize size)
{
  *(guint64 *) user_data += size;
  return TRUE;
}

/* Reads all of the part. */
static void
read_part (Part *part)
{
  const EegDigestKernel *kernel = eeg_digest_find ("blake3", NULL);
  GPtrArray *layers = g_ptr_array_new ();
  Hash hash = { kernel, g_malloc (kernel->state_size),
    part->edf != NULL && part->label_layers == part->layers->len, 0, NULL };
  gchar *problem = NULL;
  PackWalk walk;
  guint i;

  for (i = 0; i < part->label_layers; i++)
    g_ptr_array_add (layers, g_ptr_array_index (part->layers, i));
  pack_walk_init (&walk, NULL, NULL);
  if (part->is_pack)
    hash.walk = &walk;
  kernel->init (hash.state);
  decode (part->path, layers, take_hash, &hash, &part->broken);
  kernel->final (hash.state, part->hash);
  part->bytes = hash.bytes;
  if (part->label_layers < part->layers->len) {
    part->bytes = 0;
    decode (part->path, part->layers, take_count, &part->bytes, &problem);
    if (part->broken == NULL)
      part->broken = g_steal_pointer (&problem);
    g_free (problem);
  }
  if (part->broken == NULL && part->edf != NULL
      && (part->bytes - part->edf->header_size) % part->edf->record_size != 0)
    part->broken = g_strdup ("it ends inside a record");
  if (part->is_pack) {
    pack_walk_end (&walk);
    part->samples = walk.ends[0];
    if (part->broken == NULL)
      part->broken = pack_walk_describe_damage (&walk);
  }
  pack_walk_clear (&walk);
  g_free (hash.state);
  g_ptr_array_unref (layers);
}

static gchar *
format_time (gint64 microseconds)
{
  GDateTime *time;
  gchar *text;

  if (microseconds == GST_EEG_PART_NO_TIME)
    return g_strdup ("an unknown time");
  time = g_date_time_new_from_unix_utc (microseconds / G_USEC_PER_SEC);
  text = time != NULL ? g_date_time_format (time, "%Y-%m-%dT%H:%M:%SZ")
                      : g_strdup ("an unknown time");
  if (time != NULL)
    g_date_time_unref (time);
  return text;
}

/* The gap that @part declares, behind @before or, if nothing is left of what
 * was before, from the beginning on. */
static void
report_loss (const Part *before, const Part *part)
{
  const gchar *unit = part->label.is_bytes ? "byte" : "sample";
  gchar *stopped = format_time (part->label.stopped);
  gchar *begun = format_time (part->label.begun);
  guint64 end = before != NULL ? get_end (before) : 0;

  if (part->label.first == GST_EEG_PART_UNKNOWN
      || (before != NULL && before->label.first == GST_EEG_PART_UNKNOWN))
    printf ("%s: recorded until %s, then nothing until %s\n", part->path,
        stopped, begun);
  else if (part->label.first >= end)
    printf ("%s: %s %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
            " lost (%" G_GUINT64_FORMAT "): written until %s, begun anew at "
            "%s\n",
        part->path, unit, end, part->label.first, part->label.first - end,
        stopped, begun);
  else
    complain (part->path, "begins before %s ends, at %s %" G_GUINT64_FORMAT,
        before->path, unit, part->label.first);
  g_free (stopped);
  g_free (begun);
}

/* Does @part come right behind @before? Both have labels of one recording. */
static void
check_link (const Part *before, const Part *part)
{
  const GstEegPart *label = &part->label;
  guint64 number = before->label.number;

  if (label->number == number) {
    complain (part->path, "is part %" G_GUINT64_FORMAT " once more, as %s",
        number, before->path);
    return;
  }
  if (label->number < number) {
    complain (part->path,
        "is part %" G_GUINT64_FORMAT
        ", but stands behind part %" G_GUINT64_FORMAT ", %s",
        label->number, number, before->path);
    return;
  }
  if (label->number > number + 1) {
    /* parts of which nothing came to disk leave no file */
    if (label->link == GST_EEG_PART_LINK_INTERRUPTED) {
      report_loss (before, part);
      printf ("%s: parts %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
              " are not there\n",
          part->path, number + 1, label->number - 1);
    }
    /* nor do those that had nothing in them, of one of several sinks */
    if (label->link == GST_EEG_PART_LINK_FOLLOWS
        && memcmp (label->previous, before->hash, sizeof before->hash) == 0) {
      printf ("%s: nothing is between this and %s\n", part->path, before->path);
      return;
    }
    complain (part->path,
        "part %" G_GUINT64_FORMAT " is missing between %s and this, which is "
        "part %" G_GUINT64_FORMAT,
        number + 1, before->path, label->number);
    return;
  }
  switch (label->link) {
    case GST_EEG_PART_LINK_INTERRUPTED:
      report_loss (before, part);
      break;
    case GST_EEG_PART_LINK_FOLLOWS:
      if (memcmp (label->previous, before->hash, sizeof before->hash) != 0)
        complain (before->path,
            "was changed: it is not what the next part, %s, says of it",
            part->path);
      else if (label->first != GST_EEG_PART_UNKNOWN
          && before->label.first != GST_EEG_PART_UNKNOWN
          && label->first != get_end (before))
        complain (part->path,
            "begins at %" G_GUINT64_FORMAT
            ", but %s ends at %" G_GUINT64_FORMAT,
            label->first, before->path, get_end (before));
      break;
    case GST_EEG_PART_LINK_FIRST:
      complain (part->path, "says that nothing is before it, but %s is",
          before->path);
      break;
  }
}

static gboolean
is_known_before (const Part *parts, guint n, guint64 number)
{
  guint i;

  for (i = 0; i < n; i++)
    if (parts[i].has_label && parts[i].label.number == number)
      return TRUE;
  return FALSE;
}

/* Was the recording interrupted behind a part? What says so is the next one
 * that says anything: of a part may be so little on disk that it does not. */
static gboolean
is_interrupted_behind (const Part *parts, guint n, guint i)
{
  for (i++; i < n; i++)
    if (parts[i].has_label)
      return parts[i].label.link == GST_EEG_PART_LINK_INTERRUPTED;
  return FALSE;
}

/* Checks that the parts make one recording. */
static void
check_chain (Part *parts, guint n)
{
  const Part *before = NULL, *first = NULL;
  guint i;

  for (i = 0; i < n; i++) {
    Part *part = &parts[i];

    if (part->unreadable != NULL) {
      complain (part->path, "cannot be read: %s", part->unreadable);
      continue;
    }
    if (!part->has_label) {
      complain (part->path, "does not say which part of which recording it is");
      continue;
    }
    read_part (part);
    if (first == NULL)
      first = part;
    if (memcmp (part->label.recording, first->label.recording,
            sizeof first->label.recording)
        != 0) {
      complain (part->path, "belongs to another recording than %s",
          first->path);
      continue;
    }
    if (before == NULL) {
      if (part->label.link == GST_EEG_PART_LINK_INTERRUPTED)
        report_loss (NULL, part);
      if (part->label.number > 1 && part->label.link != GST_EEG_PART_LINK_FIRST)
        complain (part->path,
            "is part %" G_GUINT64_FORMAT "; part 1 is missing before it",
            part->label.number);
    } else {
      check_link (before, part);
    }
    if (part->broken != NULL && is_interrupted_behind (parts, n, i))
      printf ("%s: unfinished\n", part->path);
    else if (part->broken != NULL)
      complain (part->path, "is damaged or unfinished: %s", part->broken);
    before = part;
  }
  for (i = 0; n_expected > 0 && i < (guint) n_expected; i++)
    if (!is_known_before (parts, n, i + 1))
      complain ("eeg-repair", "part %u of %d is missing", i + 1, n_expected);
  if (before != NULL && !any_problem)
    printf ("%u parts, %" G_GUINT64_FORMAT " %s\n", n,
        before->label.first == GST_EEG_PART_UNKNOWN ? 0 : get_end (before),
        before->label.is_bytes ? "bytes" : "samples");
}

/* --- output -------------------------------------------------------------- */

typedef struct
{
  const gchar *path;
  gchar *temporary;
  FILE *file;
  gboolean failed;
} Output;

static gboolean
fail_output (Output *output)
{
  if (!output->failed)
    g_printerr ("%s: %s\n", output->path, g_strerror (errno));
  output->failed = TRUE;
  return FALSE;
}

static gboolean
open_output (Output *output, const gchar *path, gboolean replaces)
{
  mode_t mask = umask (0);
  int fd;

  umask (mask);
  memset (output, 0, sizeof *output);
  output->path = path;
  if (!replaces && g_file_test (path, G_FILE_TEST_EXISTS)) {
    errno = EEXIST;
    return fail_output (output);
  }
  output->temporary = g_strdup_printf ("%s.XXXXXX", path);
  fd = g_mkstemp (output->temporary);
  if (fd < 0) {
    g_clear_pointer (&output->temporary, g_free);
    return fail_output (output);
  }
  output->file = fdopen (fd, "w+b");
  if (fchmod (fd, 0666 & ~mask) < 0 || output->file == NULL)
    return fail_output (output);
  return TRUE;
}

static gboolean
write_output (Output *output, gconstpointer data, gsize size)
{
  if (output->failed || fwrite (data, 1, size, output->file) == size)
    return !output->failed;
  return fail_output (output);
}

static gboolean
patch_output (Output *output, glong offset, gconstpointer data, gsize size)
{
  if (output->failed || fseek (output->file, offset, SEEK_SET) < 0
      || fwrite (data, 1, size, output->file) != size
      || fseek (output->file, 0, SEEK_END) < 0)
    return output->failed ? FALSE : fail_output (output);
  return TRUE;
}

/* Gives the output its name, or removes it if @ok is not set. */
static gboolean
close_output (Output *output, gboolean ok, gboolean replaces)
{
  ok = ok && !output->failed;
  if (ok && (fflush (output->file) != 0 || fsync (fileno (output->file)) < 0))
    ok = fail_output (output);
  if (output->file != NULL && fclose (output->file) != 0 && ok)
    ok = fail_output (output);
  if (ok && replaces && g_rename (output->temporary, output->path) < 0)
    ok = fail_output (output);
  /* never what came up meanwhile */
  if (ok && !replaces
      && (link (output->temporary, output->path) < 0
          || g_unlink (output->temporary) < 0))
    ok = fail_output (output);
  if (ok && !eeg_durable_sync_folder (output->path))
    ok = fail_output (output);
  if (!ok && output->temporary != NULL)
    g_unlink (output->temporary);
  g_free (output->temporary);
  return ok;
}

/* --- join ---------------------------------------------------------------- */

typedef struct
{
  Output *output;
  const EegEdfHeader *edf; /* of the first part; NULL: bytes */

  /* of the part at hand */
  const Part *part;
  guint64 skip; /* bytes of its header that are still to come */
  GByteArray *record;
  gint64 shift; /* of its annotations, ns */

  guint64 records;
  gboolean has_gaps;
  GQueue late; /* of Text: did not fit into their record */
} Join;

typedef struct
{
  gint64 onset;
  gint64 duration;
  gchar *text;
} Text;

static void
free_text (gpointer data)
{
  Text *text = data;

  g_free (text->text);
  g_free (text);
}

static void
add_text (Join *join, gint64 onset, gint64 duration, const gchar *text,
    gsize size)
{
  Text *added = g_new (Text, 1);

  added->onset = onset;
  added->duration = duration;
  added->text = g_strndup (text, size);
  g_queue_push_tail (&join->late, added);
}

/* Writes what there is room for. */
static void
write_texts (Join *join, guint8 *record, gint64 time)
{
  gboolean is_first = TRUE;
  guint i;

  for (i = 0; i < join->edf->num_signals; i++) {
    const EegEdfSignal *s = &join->edf->signals[i];
    gsize room = (gsize) s->samples_per_record * join->edf->bytes_per_sample;
    guint8 *to = record + s->record_offset;
    gsize used = 0;

    if (!s->is_annotations)
      continue;
    memset (to, 0, room);
    if (is_first)
      used = eeg_edf_write_time (to, room, time);
    is_first = FALSE;
    while (!g_queue_is_empty (&join->late)) {
      const Text *text = g_queue_peek_head (&join->late);
      gsize size = eeg_edf_write_annotation (to + used, room - used,
          text->onset, text->duration, text->text, strlen (text->text));

      if (size == 0)
        break;
      used += size;
      free_text (g_queue_pop_head (&join->late));
    }
  }
}

/* The times of a record count from the first part's header. */
static void
move_record (Join *join, guint8 *record)
{
  const EegEdfHeader *edf = join->edf;
  gint64 time = eeg_edf_record_time (edf, record);
  EegEdfAnnotationIter iter;
  EegEdfAnnotation a;
  GstEegPart label;

  if (edf->num_annotation_signals == 0)
    return;
  eeg_edf_annotations_init (&iter, edf, record);
  while (eeg_edf_annotations_next (&iter, &a))
    if (!a.time_keeping && a.text_length > 0
        && !gst_eeg_part_from_text (&label, a.text, a.text_length))
      add_text (join, a.onset + join->shift, a.duration, a.text, a.text_length);
  if (time == EEG_EDF_TIME_NONE)
    time = eeg_edf_record_offset_ns (edf, join->records);
  else
    time += join->shift;
  write_texts (join, record, time);
}

static gboolean
take_records (gpointer user_data, const guint8 *data, gsize size)
{
  Join *join = user_data;
  gsize n = (gsize) MIN (join->skip, size);

  join->skip -= n;
  data += n;
  size -= n;
  while (size > 0) {
    n = MIN (size, join->edf->record_size - join->record->len);
    g_byte_array_append (join->record, data, (guint) n);
    data += n;
    size -= n;
    if (join->record->len < join->edf->record_size)
      break;
    move_record (join, join->record->data);
    if (!write_output (join->output, join->record->data, join->record->len))
      return FALSE;
    join->records++;
    g_byte_array_set_size (join->record, 0);
  }
  return TRUE;
}

static gboolean
take_bytes (gpointer user_data, const guint8 *data, gsize size)
{
  return write_output (user_data, data, size);
}

static gboolean
is_same_layout (const EegEdfHeader *a, const EegEdfHeader *b)
{
  guint i;

  if (a->format != b->format || a->num_signals != b->num_signals
      || a->record_size != b->record_size || a->duration.num != b->duration.num
      || a->duration.den != b->duration.den)
    return FALSE;
  for (i = 0; i < a->num_signals; i++) {
    const EegEdfSignal *x = &a->signals[i], *y = &b->signals[i];

    if (strcmp (x->label, y->label) != 0
        || x->samples_per_record != y->samples_per_record
        || strcmp (x->physical_min, y->physical_min) != 0
        || strcmp (x->physical_max, y->physical_max) != 0 || x->dmin != y->dmin
        || x->dmax != y->dmax)
      return FALSE;
  }
  return TRUE;
}

/* ns from the first sample of @first to that of @part */
static gint64
get_distance (const Part *first, const Part *part)
{
  const EegEdfHeader *edf = first->edf;

  if (first->has_label && part->has_label && edf->num_groups > 0
      && first->label.first != GST_EEG_PART_UNKNOWN
      && part->label.first != GST_EEG_PART_UNKNOWN
      && part->label.first >= first->label.first) {
    const EegEdfRational *rate = &edf->groups[0].rate;

    return (
        gint64) gst_util_uint64_scale (part->label.first - first->label.first,
        (guint64) rate->den * GST_SECOND, (guint64) rate->num);
  }
  return (eeg_edf_start_to_seconds (&part->edf->start)
             - eeg_edf_start_to_seconds (&edf->start))
      * EEG_EDF_SECOND
      + part->onset - first->onset;
}

/* Adds the records of one part, and says what lies between it and those
 * before. */
static void
join_part (Join *join, const Part *first, Part *part, gint64 *end)
{
  gint64 begin = first->onset + get_distance (first, part);
  gint64 half = eeg_edf_record_offset_ns (join->edf, 1)
      / (2 * (gint64) MAX (join->edf->groups[0].samples_per_record, 1));
  guint64 records = join->records;

  if (join->records > 0 && begin > *end + half) {
    join->has_gaps = TRUE;
    printf ("%s: %.6f s lost before it, from %.6f s of the recording on\n",
        part->path, (gdouble) (begin - *end) / EEG_EDF_SECOND,
        (gdouble) *end / EEG_EDF_SECOND);
    add_text (join, *end, begin - *end, LOST_TEXT, strlen (LOST_TEXT));
  } else if (join->records > 0 && begin < *end - half) {
    complain (part->path, "begins %.6f s before the part before it ends",
        (gdouble) (*end - begin) / EEG_EDF_SECOND);
  }
  join->part = part;
  join->skip = part->edf->header_size;
  join->shift = begin - part->onset;
  g_byte_array_set_size (join->record, 0);
  decode (part->path, part->layers, take_records, join, &part->broken);
  if (part->broken != NULL)
    printf ("%s: unfinished (%s)\n", part->path, part->broken);
  if (join->record->len > 0 || join->skip > 0)
    printf ("%s: %u bytes of an unfinished record left out\n", part->path,
        join->record->len);
  *end = begin + eeg_edf_record_offset_ns (join->edf, join->records - records);
}

static gboolean
join_edf (Part *parts, guint n, Output *output)
{
  Join join = { output, parts[0].edf, NULL, 0, g_byte_array_new (), 0, 0, FALSE,
    G_QUEUE_INIT };
  guint8 *header = g_malloc (join.edf->header_size);
  gchar count[9], reserved[RESERVED_LENGTH + 1];
  gint64 end = 0;
  gboolean ok;
  guint i;

  eeg_edf_header_write (join.edf, header);
  ok = write_output (output, header, join.edf->header_size);
  for (i = 0; i < n && ok; i++) {
    if (!is_same_layout (join.edf, parts[i].edf)) {
      complain (parts[i].path, "has other signals or records than %s",
          parts[0].path);
      continue;
    }
    join_part (&join, &parts[0], &parts[i], &end);
    ok = !output->failed;
  }
  if (!g_queue_is_empty (&join.late))
    complain (output->path, "%u annotations found no room",
        g_queue_get_length (&join.late));
  ok = ok && eeg_edf_set_integer (count, (gint64) join.records)
      && patch_output (output, EEG_EDF_NUM_RECORDS_OFFSET, count,
          EEG_EDF_NUM_RECORDS_LENGTH);
  if (ok && join.has_gaps) {
    if (join.edf->variant == EEG_EDF_VARIANT_PLAIN)
      complain (output->path, "has no place to say where samples were lost");
    else if (eeg_edf_set_field (reserved, RESERVED_LENGTH,
                 join.edf->format == EEG_EDF_FORMAT_BDF ? "BDF+D" : "EDF+D"))
      ok = patch_output (output, COMPLETED_OFFSET, reserved, RESERVED_LENGTH);
  }
  if (ok)
    printf ("%s: %" G_GUINT64_FORMAT " records of %u parts\n", output->path,
        join.records, n);
  g_queue_clear_full (&join.late, free_text);
  g_byte_array_unref (join.record);
  g_free (header);
  return ok;
}

typedef struct
{
  PackWriter writer;
  const Part *part;
  gboolean is_first;
  eeg_eegpack_header *header; /* of the first part */
  gint64 start;               /* ns, what it says of its beginning */
  guint64 shift;              /* frames before the part */
  gboolean is_other;          /* its blocks do not belong to that header */
} PackJoin;

static gboolean
write_chunk (gpointer output, gconstpointer data, gsize size)
{
  return write_output (output, data, size);
}

/* Where the samples of a part lie in the recording. */
static guint64
find_shift (const PackJoin *join, const Part *first,
    const eeg_eegpack_header *header)
{
  const eeg_eegpack_stream *s = &join->header->streams[0];
  const GstEegPart *label = &join->part->label;
  gint64 start;

  if (first->has_label && join->part->has_label
      && first->label.first != GST_EEG_PART_UNKNOWN
      && label->first != GST_EEG_PART_UNKNOWN
      && label->first >= first->label.first)
    return label->first - first->label.first;
  if (pack_get_number (header, GST_EEG_RECORDING_START_TIME, &start)
      && start >= join->start)
    return gst_util_uint64_scale_round ((guint64) (start - join->start),
        s->rate_num, s->rate_den * GST_SECOND);
  return join->writer.totals[0];
}

/* The header: FALSE, with a complaint, if it is that of something else. */
static gboolean
begin_pack (PackJoin *join, const Part *first, const eeg_eegpack_header *header)
{
  guint64 end = join->writer.totals[0];
  const eeg_eegpack_stream *s = &header->streams[0];

  join->is_other = !pack_is_same_layout (join->header, header);
  if (join->is_other) {
    complain (join->part->path, "has other channels or blocks than %s",
        first->path);
    return FALSE;
  }
  join->shift = join->is_first ? 0 : find_shift (join, first, header);
  if (join->shift > end && !join->is_first)
    printf ("%s: %.6f s lost before it, from %.6f s of the recording on\n",
        join->part->path,
        (gdouble) (join->shift - end) * s->rate_den / s->rate_num,
        (gdouble) end * s->rate_den / s->rate_num);
  if (join->shift < end) {
    complain (join->part->path, "begins %.6f s before the part before it ends",
        (gdouble) (end - join->shift) * s->rate_den / s->rate_num);
    return FALSE;
  }
  return TRUE;
}

static gboolean
move_markers (PackJoin *join, const eeg_eegpack_chunk *chunk)
{
  const eeg_eegpack_stream *s = &join->header->streams[0];
  gint64 shift = (gint64) gst_util_uint64_scale_round (join->shift,
      s->rate_den * GST_SECOND, s->rate_num);
  eeg_eegpack_marker marker;
  GstEegPart label;
  gsize at = 0;

  while (eeg_eegpack_parse_marker (chunk->payload, chunk->payload_size, &at,
             &marker)
      == EEG_EEGPACK_OK) {
    if (gst_eeg_part_from_text (&label, marker.text, marker.text_size))
      continue;
    marker.time += shift;
    if (!pack_writer_add_marker (&join->writer, &marker))
      return FALSE;
  }
  return TRUE;
}

static gboolean
join_chunk (gpointer user_data, const eeg_eegpack_chunk *chunk,
    const guint8 *data)
{
  PackJoin *join = user_data;
  eeg_eegpack_data block;

  switch (chunk->type) {
    case EEG_EEGPACK_CHUNK_HEADER:
      if (!join->is_first)
        return TRUE;
      return pack_writer_add (&join->writer, EEG_EEGPACK_MAGIC,
                 EEG_EEGPACK_MAGIC_SIZE)
          && pack_writer_add (&join->writer, data, chunk->size);
    case EEG_EEGPACK_CHUNK_DATA:
      return !eeg_eegpack_parse_data (join->header, chunk->payload,
                 chunk->payload_size, &block)
          || pack_writer_add_block (&join->writer, &block, join->shift);
    case EEG_EEGPACK_CHUNK_MARKERS:
      return move_markers (join, chunk);
    case EEG_EEGPACK_CHUNK_INDEX:
    case EEG_EEGPACK_CHUNK_END:
      return TRUE;
    default:
      /* of later parts they would tell of other times */
      return !join->is_first
          || pack_writer_add (&join->writer, data, chunk->size);
  }
}

/* transfer full; NULL if it cannot be read */
static eeg_eegpack_header *
read_pack_header (const Part *part)
{
  eeg_eegpack_header *header;
  PackWalk walk;
  gchar *problem;
  Part ignored = *part;

  pack_walk_init (&walk, look_at_chunk, &ignored);
  decode (part->path, part->layers, take_until_lost, &walk, &problem);
  g_free (problem);
  header = g_steal_pointer (&walk.header);
  pack_walk_clear (&walk);
  return header;
}

static void
join_pack_part (PackJoin *join, const Part *first, Part *part)
{
  eeg_eegpack_header *header = read_pack_header (part);
  PackWalk walk;

  join->part = part;
  if (header != NULL && begin_pack (join, first, header)) {
    pack_walk_init (&walk, join_chunk, join);
    decode (part->path, part->layers, pack_walk_take, &walk, &part->broken);
    pack_walk_end (&walk);
    if (part->broken == NULL)
      part->broken = pack_walk_describe_damage (&walk);
    if (part->broken != NULL)
      printf ("%s: unfinished (%s)\n", part->path, part->broken);
    join->writer.totals[0] =
        MAX (join->writer.totals[0], join->shift + walk.ends[0]);
    pack_walk_clear (&walk);
    join->is_first = FALSE;
  }
  eeg_eegpack_header_free (header);
}

static gboolean
join_packs (Part *parts, guint n, Output *output)
{
  PackJoin join = { .is_first = TRUE, .header = read_pack_header (&parts[0]) };
  gboolean ok = join.header != NULL && join.header->n_streams == 1;
  guint i;

  if (!ok)
    complain (parts[0].path, "has several streams, as no part of a recording");
  pack_writer_init (&join.writer, write_chunk, output, 1);
  if (ok)
    pack_get_number (join.header, GST_EEG_RECORDING_START_TIME, &join.start);
  for (i = 0; i < n && ok; i++) {
    join_pack_part (&join, &parts[0], &parts[i]);
    ok = !output->failed;
  }
  ok = ok && pack_writer_end (&join.writer);
  if (ok)
    printf ("%s: %" G_GUINT64_FORMAT " samples in %" G_GUINT64_FORMAT
            " blocks of %u parts\n",
        output->path, join.writer.totals[0], join.writer.blocks, n);
  pack_writer_clear (&join.writer);
  eeg_eegpack_header_free (join.header);
  return ok;
}

static gboolean
join_bytes (Part *parts, guint n, Output *output)
{
  guint i;

  for (i = 0; i < n && !output->failed; i++) {
    decode (parts[i].path, parts[i].layers, take_bytes, output,
        &parts[i].broken);
    if (parts[i].broken != NULL)
      complain (parts[i].path, "breaks off: %s", parts[i].broken);
  }
  return !output->failed;
}

static int
run_join (Part *parts, guint n)
{
  gboolean ok, is_edf_file = parts[0].edf != NULL;
  Output output;
  guint i;

  for (i = 0; i < n; i++) {
    if (parts[i].unreadable != NULL) {
      g_printerr ("%s: %s\n", parts[i].path, parts[i].unreadable);
      return 2;
    }
    if ((parts[i].edf != NULL) != is_edf_file
        || parts[i].is_pack != parts[0].is_pack
        || (is_edf_file && parts[i].edf->record_size == 0)) {
      g_printerr ("%s: is something else than %s\n", parts[i].path,
          parts[0].path);
      return 2;
    }
    if (parts[i].has_label && parts[0].has_label
        && memcmp (parts[i].label.recording, parts[0].label.recording,
               sizeof parts[0].label.recording)
            != 0) {
      g_printerr ("%s: belongs to another recording than %s\n", parts[i].path,
          parts[0].path);
      return 2;
    }
    if (i > 0 && parts[i].has_label && parts[i - 1].has_label
        && parts[i].label.number <= parts[i - 1].label.number) {
      g_printerr ("%s: does not come behind %s\n", parts[i].path,
          parts[i - 1].path);
      return 2;
    }
  }
  ok = open_output (&output, output_path, overwrite);
  if (ok && is_edf_file && parts[0].edf->num_groups == 0) {
    g_printerr ("%s: has no samples\n", parts[0].path);
    ok = FALSE;
  }
  if (ok)
    ok = is_edf_file       ? join_edf (parts, n, &output)
        : parts[0].is_pack ? join_packs (parts, n, &output)
                           : join_bytes (parts, n, &output);
  ok = close_output (&output, ok, overwrite);
  return !ok ? 2 : any_problem;
}

/* --- finish -------------------------------------------------------------- */

static gboolean
finish_edf (const Part *part, const guint8 *data, gsize size, Output *output)
{
  const EegEdfHeader *edf = part->edf;
  guint64 records =
      edf->record_size > 0 ? (size - edf->header_size) / edf->record_size : 0;
  gsize end = edf->header_size + (gsize) records * edf->record_size;
  gchar count[9];

  if (!eeg_edf_set_integer (count, (gint64) records)) {
    complain (part->path, "has more records than a header can say");
    return FALSE;
  }
  printf ("%s: %" G_GUINT64_FORMAT " records, the header says %" G_GINT64_FORMAT
          "; %" G_GSIZE_FORMAT " bytes of an unfinished one left out\n",
      part->path, records, edf->num_records, size - end);
  return write_output (output, data, end)
      && patch_output (output, EEG_EDF_NUM_RECORDS_OFFSET, count,
          EEG_EDF_NUM_RECORDS_LENGTH);
}

static void
append_u32 (GByteArray *to, guint32 value)
{
  guint8 bytes[4];

  GST_WRITE_UINT32_LE (bytes, value);
  g_byte_array_append (to, bytes, sizeof bytes);
}

/* Walks over whole frames and notes their sizes. Returns where the last one
 * that can be used ends; NULL *problem: that is all. */
static gsize
walk_frames (const guint8 *data, gsize size, GByteArray *table, guint *n,
    const gchar **problem)
{
  gsize at = 0;

  *problem = NULL;
  while (at < size) {
    EegZstdframeHeader header;
    gsize need, length = 0;
    EegZstdframeResult result =
        eeg_zstdframe_read_header (data + at, size - at, &header, &need);
    guint64 content = 0;
    guint32 hash = 0x51D8E999u; /* of no bytes */

    if (result == EEG_ZSTDFRAME_OK && header.skippable) {
      if (header.skip_size > size - at)
        result = EEG_ZSTDFRAME_MORE;
      length = (gsize) header.skip_size;
      /* an old table is made anew */
      if (result == EEG_ZSTDFRAME_OK && at + length == size && length >= 17
          && GST_READ_UINT32_LE (data + at) == SEEK_FRAME
          && GST_READ_UINT32_LE (data + size - 4) == SEEK_TABLE)
        return at;
    } else if (result == EEG_ZSTDFRAME_OK) {
      length = header.header_size;
      result =
          eeg_zstdframe_walk (data + at, size - at, &header, &length, &need);
      content = header.content_size;
      if (result == EEG_ZSTDFRAME_OK
          && (content > G_MAXUINT32 || !header.has_checksum)) {
        *problem = "has frames that do not say how much they hold, or without "
                   "a checksum, so that no seek table can be made";
        return at;
      }
      if (result == EEG_ZSTDFRAME_OK)
        hash = GST_READ_UINT32_LE (data + at + length - 4);
    }
    if (result != EEG_ZSTDFRAME_OK || length > G_MAXUINT32) {
      *problem = result == EEG_ZSTDFRAME_MORE ? "" : "is damaged";
      return at;
    }
    append_u32 (table, (guint32) length);
    append_u32 (table, (guint32) content);
    append_u32 (table, hash);
    (*n)++;
    at += length;
  }
  return at;
}

static gboolean
finish_zstd (const Part *part, const guint8 *data, gsize size, Output *output)
{
  GByteArray *table = g_byte_array_new ();
  const gchar *problem;
  guint n = 0;
  gsize end;
  gboolean ok;

  append_u32 (table, SEEK_FRAME);
  append_u32 (table, 0);
  end = walk_frames (data, size, table, &n, &problem);
  append_u32 (table, n);
  g_byte_array_append (table, (const guint8 *) "\x80", 1);
  append_u32 (table, SEEK_TABLE);
  GST_WRITE_UINT32_LE (table->data + 4, table->len - 8);
  ok = n > 0 && (problem == NULL || *problem == '\0');
  if (problem != NULL && *problem != '\0')
    complain (part->path, "%s, at byte %" G_GSIZE_FORMAT, problem, end);
  else if (n == 0)
    complain (part->path, "has no whole frame");
  if (ok)
    printf ("%s: %u frames; %" G_GSIZE_FORMAT
            " bytes of an unfinished one, or of a seek table, left out\n",
        part->path, n, size - end);
  ok = ok && write_output (output, data, end)
      && write_output (output, table->data, table->len);
  g_byte_array_unref (table);
  return ok;
}

/* Blocks stay where they are in the recording; between them are gaps where some
 * were damaged. */
static gboolean
finish_chunk (gpointer user_data, const eeg_eegpack_chunk *chunk,
    const guint8 *data)
{
  PackJoin *join = user_data;

  if (chunk->type == EEG_EEGPACK_CHUNK_MARKERS)
    return pack_writer_add (&join->writer, data, chunk->size);
  return join_chunk (join, chunk, data);
}

static gboolean
finish_pack (const Part *part, const guint8 *data, gsize size, Output *output)
{
  PackJoin join = { .is_first = TRUE, .header = read_pack_header (part) };
  PackWalk walk;
  gboolean ok;
  guint i;

  pack_writer_init (&join.writer, write_chunk, output, join.header->n_streams);
  pack_walk_init (&walk, finish_chunk, &join);
  ok = pack_walk_take (&walk, data, size);
  pack_walk_end (&walk);
  for (i = 0; i < join.header->n_streams; i++)
    join.writer.totals[i] = MAX (join.writer.totals[i], walk.ends[i]);
  ok = ok && !output->failed && pack_writer_end (&join.writer);
  if (ok)
    printf ("%s: %" G_GUINT64_FORMAT " samples in %" G_GUINT64_FORMAT
            " blocks; %" G_GUINT64_FORMAT " bytes that are no whole chunks "
            "left out\n",
        part->path, walk.ends[0], join.writer.blocks, walk.lost);
  pack_walk_clear (&walk);
  pack_writer_clear (&join.writer);
  eeg_eegpack_header_free (join.header);
  return ok;
}

static int
run_finish (const Part *part)
{
  gboolean is_zstd = part->layers->len > 0
      && strcmp (g_ptr_array_index (part->layers, 0), "zstddec") == 0;
  const gchar *path = in_place ? part->path : output_path;
  gboolean replaces = in_place || overwrite, ok;
  GError *error = NULL;
  GMappedFile *file;
  Output output;

  if (part->unreadable != NULL && !is_zstd) {
    g_printerr ("%s: %s\n", part->path, part->unreadable);
    return 2;
  }
  if (!is_zstd
      && ((part->edf == NULL && !part->is_pack) || part->layers->len > 0)) {
    g_printerr (
        "%s: is neither EDF, BDF, EEGPack nor zstd; what is coded otherwise can "
        "be decoded as far as it goes by --join\n",
        part->path);
    return 2;
  }
  file = g_mapped_file_new (part->path, FALSE, &error);
  if (file == NULL) {
    g_printerr ("%s\n", error->message);
    g_error_free (error);
    return 2;
  }
  ok = open_output (&output, path, replaces);
  if (ok)
    ok = (is_zstd           ? finish_zstd
            : part->is_pack ? finish_pack
                            : finish_edf) (part,
        (const guint8 *) g_mapped_file_get_contents (file),
        g_mapped_file_get_length (file), &output);
  ok = close_output (&output, ok, replaces);
  g_mapped_file_unref (file);
  return ok ? 0 : any_problem ? 1 : 2;
}

/* --- main ---------------------------------------------------------------- */

static GOptionEntry options[] = {
  { "verify", 0, 0, G_OPTION_ARG_NONE, &verifies,
      "Check that the parts make one recording", NULL },
  { "join", 0, 0, G_OPTION_ARG_NONE, &joins, "Write what they hold into one",
      NULL },
  { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output_path, "File to write",
      "FILE" },
  { "overwrite", 0, 0, G_OPTION_ARG_NONE, &overwrite,
      "Replace the output if it is there", NULL },
  { "in-place", 0, 0, G_OPTION_ARG_NONE, &in_place,
      "Replace the file that is finished", NULL },
  { "parts", 0, 0, G_OPTION_ARG_INT, &n_expected,
      "How many parts there are (verify)", "N" },
  { "key-file", 0, 0, G_OPTION_ARG_FILENAME, &key_file,
      "Key of files in Tink's format", "FILE" },
  { "segment-size", 0, 0, G_OPTION_ARG_INT, &segment_size,
      "Their bytes in a segment", "N" },
  { "identity-file", 0, 0, G_OPTION_ARG_FILENAME, &identity_file,
      "Secret key of age files", "FILE" },
  { "passphrase-file", 0, 0, G_OPTION_ARG_FILENAME, &passphrase_file,
      "Passphrase of age files", "FILE" },
  { NULL },
};

static int
run (gchar **paths)
{
  guint n = g_strv_length (paths), i;
  Part *parts = g_new0 (Part, n);
  int status;

  for (i = 0; i < n; i++)
    look_at (&parts[i], paths[i]);
  if (verifies) {
    check_chain (parts, n);
    status = any_problem;
  } else if (joins) {
    status = run_join (parts, n);
  } else {
    status = run_finish (&parts[0]);
  }
  for (i = 0; i < n; i++)
    clear_part (&parts[i]);
  g_free (parts);
  return status;
}

int
main (int argc, char **argv)
{
  GOptionContext *context = g_option_context_new ("FILE...");
  GError *error = NULL;
  gboolean fits;
  int status = 2;

  g_option_context_set_summary (context,
      "Checks or joins the parts of a recording, or completes a file that a "
      "crash left unfinished.");
  g_option_context_add_main_entries (context, options, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    g_printerr ("%s\n", error->message);
    g_error_free (error);
    g_option_context_free (context);
    return 2;
  }
  if (verifies)
    fits = argc > 1 && !joins && output_path == NULL && !in_place;
  else if (joins)
    fits = argc > 1 && output_path != NULL && !in_place;
  else
    fits = argc == 2 && (output_path != NULL) != in_place;
  if (fits) {
    status = run (argv + 1);
  } else {
    gchar *help = g_option_context_get_help (context, TRUE, NULL);

    g_printerr ("%s", help);
    g_free (help);
  }
  g_option_context_free (context);
  return status;
}
