/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_EVENT_H__
#define __GST_EEG_EVENT_H__

#include <gst/eeg/eeg-prelude.h>

G_BEGIN_DECLS

/**
 * GST_EEG_RECORDING_PATIENT:
 *
 * Field of the recording event: EDF's local patient identification (string).
 */
#define GST_EEG_RECORDING_PATIENT "patient"
/**
 * GST_EEG_RECORDING_RECORDING:
 *
 * Field of the recording event: EDF's local recording identification (string).
 */
#define GST_EEG_RECORDING_RECORDING "recording"
/**
 * GST_EEG_RECORDING_START_TIME:
 *
 * Field of the recording event: wall clock of the recorder at stream time 0,
 * in nanoseconds since 1970-01-01T00:00:00 read without a time zone (gint64).
 */
#define GST_EEG_RECORDING_START_TIME "start-time"
/**
 * GST_EEG_RECORDING_PREFILTER:
 *
 * Field of the recording event: filters already applied, one string per
 * channel of the stream's channel table (#GstValueArray of strings).
 */
#define GST_EEG_RECORDING_PREFILTER "prefilter"
/**
 * GST_EEG_RECORDING_RECORD_DURATION:
 *
 * Field of the recording event: duration of a data record as the header of the
 * file it came from wrote it, in seconds (string); a muxer keeps it.
 */
#define GST_EEG_RECORDING_RECORD_DURATION "record-duration"

GST_EEG_API
GstEvent *gst_eeg_event_new_recording (GstStructure *fields);

GST_EEG_API
gboolean gst_eeg_event_is_recording (GstEvent *event);

GST_EEG_API
gboolean gst_eeg_event_repeats_segment (GstEvent *event, guint32 seqnum,
    const GstSegment *segment);

GST_EEG_API
GstEvent *gst_eeg_event_new_complete (guint64 samples);

GST_EEG_API
gboolean gst_eeg_event_parse_complete (GstEvent *event, guint64 *samples);

GST_EEG_API
GstEvent *gst_eeg_event_new_kernel (guint64 sample, const gdouble *taps,
    gsize n_taps, gint64 delay);

GST_EEG_API
gboolean gst_eeg_event_parse_kernel (GstEvent *event, guint64 *sample,
    GBytes **taps, gint64 *delay);

GST_EEG_API
GstMessage *gst_eeg_message_new_loss (GstObject *src, guint64 first,
    guint64 count, const gchar *reason);

GST_EEG_API
gboolean gst_eeg_message_parse_loss (GstMessage *message, guint64 *first,
    guint64 *count, const gchar **reason);

GST_EEG_API
GstMessage *gst_eeg_message_new_loss_bound (GstObject *src, guint64 bytes,
    GstClockTime time);

GST_EEG_API
gboolean gst_eeg_message_parse_loss_bound (GstMessage *message, guint64 *bytes,
    GstClockTime *time);

G_END_DECLS

#endif /* __GST_EEG_EVENT_H__ */
