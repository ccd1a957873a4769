/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_PART_H__
#define __GST_EEG_PART_H__

#include <gst/eeg/eeg-prelude.h>

G_BEGIN_DECLS

/**
 * GST_EEG_PART_UUID_SIZE:
 *
 * Bytes of the identity of a recording.
 */
#define GST_EEG_PART_UUID_SIZE 16
/**
 * GST_EEG_PART_HASH_SIZE:
 *
 * Bytes of a BLAKE3 digest.
 */
#define GST_EEG_PART_HASH_SIZE 32
/**
 * GST_EEG_PART_UNKNOWN:
 *
 * A place that is not known.
 */
#define GST_EEG_PART_UNKNOWN G_MAXUINT64
/**
 * GST_EEG_PART_NO_TIME:
 *
 * A time that is not known.
 */
#define GST_EEG_PART_NO_TIME G_MININT64

/**
 * GstEegPartSupport:
 * @GST_EEG_PART_SUPPORT_NONE: the stage knows nothing of parts and must not
 *     stand before a sink that makes them
 * @GST_EEG_PART_SUPPORT_PASSES: what comes out does not depend on where a part
 *     ends
 * @GST_EEG_PART_SUPPORT_ENDS: the stage ends what it writes where a part ends,
 *     and begins anew
 * @GST_EEG_PART_SUPPORT_LABELS: the same, and it can write the label of a part
 *     into what it writes
 *
 * What a stage does where a part of a recording ends.
 */
typedef enum
{
  GST_EEG_PART_SUPPORT_NONE = 0,
  GST_EEG_PART_SUPPORT_PASSES,
  GST_EEG_PART_SUPPORT_ENDS,
  GST_EEG_PART_SUPPORT_LABELS
} GstEegPartSupport;

/**
 * GstEegPartLink:
 * @GST_EEG_PART_LINK_FIRST: there is no part before
 * @GST_EEG_PART_LINK_FOLLOWS: nothing lies between this part and the one before
 * @GST_EEG_PART_LINK_INTERRUPTED: the one before was not finished
 *
 * How a part goes on from the one before.
 */
typedef enum
{
  GST_EEG_PART_LINK_FIRST = 0,
  GST_EEG_PART_LINK_FOLLOWS,
  GST_EEG_PART_LINK_INTERRUPTED
} GstEegPartLink;

typedef struct _GstEegPart GstEegPart;

struct _EegDigestKernel;

/**
 * GstEegPart:
 * @recording: identity of the recording, the same in all of its parts
 * @number: of the part, from 1
 * @is_bytes: @first counts bytes, not samples
 * @first: samples per channel (lost ones counted), or bytes, of the recording
 *     before the part; %GST_EEG_PART_UNKNOWN
 * @link: how it goes on from the part before
 * @previous: BLAKE3 of the part before, of a part that follows
 * @stopped: when the part before was written last, microseconds since 1970 in
 *     UTC, of a part after an interruption; %GST_EEG_PART_NO_TIME
 * @begun: when this one began, the same way
 * @origin: wall clock at the recording's first sample, nanoseconds since 1970
 *     read without a time zone; %GST_EEG_PART_NO_TIME
 * @at_least: samples of which is known that they came before, of a part after
 *     an interruption: a wall clock that says less was set back
 * @digest: (nullable): BLAKE3, given to the stage that is to write the label,
 *     and to no other one
 *
 * What is known of a part of a recording.
 */
struct _GstEegPart
{
  guint8 recording[GST_EEG_PART_UUID_SIZE];
  guint64 number;
  gboolean is_bytes;
  guint64 first;
  GstEegPartLink link;
  guint8 previous[GST_EEG_PART_HASH_SIZE];
  gint64 stopped;
  gint64 begun;
  gint64 origin;
  guint64 at_least;
  const struct _EegDigestKernel *digest;

  /*< private >*/
  gpointer _gst_reserved[GST_PADDING];
};

#define GST_TYPE_EEG_PART (gst_eeg_part_get_type ())
GST_EEG_API
GType gst_eeg_part_get_type (void);

GST_EEG_API
void gst_eeg_part_init (GstEegPart *part, const guint8 *recording,
    guint64 number);

GST_EEG_API
GstEegPart *gst_eeg_part_copy (const GstEegPart *part);

GST_EEG_API
void gst_eeg_part_free (GstEegPart *part);

GST_EEG_API
guint64 gst_eeg_part_count_before (const GstEegPart *part,
    const GstStructure *recording, gint rate_n, gint rate_d);

GST_EEG_API
gchar *gst_eeg_part_to_text (const GstEegPart *part);

GST_EEG_API
gboolean gst_eeg_part_from_text (GstEegPart *part, const gchar *text,
    gsize size);

GST_EEG_API
gchar *gst_eeg_part_make_location (const gchar *location, guint64 number,
    GError **error);

GST_EEG_API
gboolean gst_eeg_part_parse_location (const gchar *location, const gchar *path,
    guint64 *number);

GST_EEG_API
GstEvent *gst_eeg_event_new_part_request (guint64 number);

GST_EEG_API
gboolean gst_eeg_event_parse_part_request (GstEvent *event, guint64 *number);

GST_EEG_API
GstEvent *gst_eeg_event_new_part (const GstEegPart *part);

GST_EEG_API
gboolean gst_eeg_event_parse_part (GstEvent *event, const GstEegPart **part);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstEegPart, gst_eeg_part_free)

G_END_DECLS

#endif /* __GST_EEG_PART_H__ */
