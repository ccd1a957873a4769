/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:gsteegevent
 * @title: EEG events and messages
 * @short_description: what travels beside the samples
 *
 * - `eeg-recording`, sticky: who and what was recorded, and when. Needed by the
 *   first buffer only; never part of caps.
 * - `eeg-complete`, serialized: the source reached its true end. An EOS without
 *   it, behind a source of ours, follows an error.
 * - `eeg-kernel`, serialized: from a given sample on a FIR filter takes another
 *   kernel.
 * - `eeg-loss`, an element message: samples that will never come.
 * - `eeg-loss-bound`, an element message: what a power cut can cost at most
 *   from now on.
 */
#include "gsteegevent.h"

#define RECORDING_NAME "eeg-recording"
#define COMPLETE_NAME "eeg-complete"
#define KERNEL_NAME "eeg-kernel"
#define LOSS_NAME "eeg-loss"
#define LOSS_BOUND_NAME "eeg-loss-bound"

/**
 * gst_eeg_event_new_recording:
 * @fields: (transfer full) (nullable): the fields that are known, see
 *     %GST_EEG_RECORDING_PATIENT and the others; a muxer may add its own. The
 *     structure is renamed.
 *
 * Returns: (transfer full): a sticky downstream event
 */
GstEvent *
gst_eeg_event_new_recording (GstStructure *fields)
{
  if (fields == NULL)
    fields = gst_structure_new_empty (RECORDING_NAME);
  else
    gst_structure_set_name (fields, RECORDING_NAME);
  return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, fields);
}

/**
 * gst_eeg_event_is_recording:
 * @event: any event
 *
 * Returns: whether @event is an `eeg-recording` event; its fields are those of
 *     gst_event_get_structure()
 */
gboolean
gst_eeg_event_is_recording (GstEvent *event)
{
  g_return_val_if_fail (GST_IS_EVENT (event), FALSE);

  return GST_EVENT_TYPE (event) == GST_EVENT_CUSTOM_DOWNSTREAM_STICKY
      && gst_event_has_name (event, RECORDING_NAME);
}

/**
 * gst_eeg_event_repeats_segment:
 * @event: a SEGMENT event
 * @seqnum: number of the last one that came, or %GST_SEQNUM_INVALID
 * @segment: its segment
 *
 * A pad that is linked anew while the stream runs sends its segment once more.
 * Of bytes that begins where the stream began, but what follows goes on.
 *
 * Returns: whether @event is the last one again, and moves nothing
 */
gboolean
gst_eeg_event_repeats_segment (GstEvent *event, guint32 seqnum,
    const GstSegment *segment)
{
  const GstSegment *now;

  g_return_val_if_fail (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT, FALSE);
  g_return_val_if_fail (segment != NULL, FALSE);

  gst_event_parse_segment (event, &now);
  return gst_event_get_seqnum (event) == seqnum
      && gst_segment_is_equal (now, segment);
}

/**
 * gst_eeg_event_new_complete:
 * @samples: samples per channel since the start, lost ones counted
 *
 * Returns: (transfer full): a serialized downstream event, sent right before
 *     the EOS of a true end
 */
GstEvent *
gst_eeg_event_new_complete (guint64 samples)
{
  return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
      gst_structure_new (COMPLETE_NAME, "samples", G_TYPE_UINT64, samples,
          NULL));
}

/**
 * gst_eeg_event_parse_complete:
 * @event: any event
 * @samples: (out) (optional): samples per channel since the start
 *
 * Returns: whether @event is an `eeg-complete` event
 */
gboolean
gst_eeg_event_parse_complete (GstEvent *event, guint64 *samples)
{
  guint64 value = 0;

  g_return_val_if_fail (GST_IS_EVENT (event), FALSE);

  if (GST_EVENT_TYPE (event) != GST_EVENT_CUSTOM_DOWNSTREAM
      || !gst_event_has_name (event, COMPLETE_NAME))
    return FALSE;
  gst_structure_get_uint64 (gst_event_get_structure (event), "samples", &value);
  if (samples != NULL)
    *samples = value;
  return TRUE;
}

/**
 * gst_eeg_event_new_kernel:
 * @sample: index of the first sample that is made by the new kernel
 * @taps: (array length=n_taps): the kernel, in the order of an impulse
 *     response; copied
 * @n_taps: how many, at least 1
 * @delay: how many samples of its delay are taken off the time stamps, below
 *     @n_taps; -1: (@n_taps - 1) / 2 if it mirrors, else none
 *
 * The first `firfilter` that it reaches takes it, builds what it needs on
 * another thread, and goes over to it at @sample, or at once if that is past.
 * Sent early enough it costs the streaming thread nothing: @sample should be
 * some time ahead. A kernel that cannot be used is refused with a warning
 * message.
 *
 * Returns: (transfer full): a serialized downstream event
 */
GstEvent *
gst_eeg_event_new_kernel (guint64 sample, const gdouble *taps, gsize n_taps,
    gint64 delay)
{
  GBytes *bytes;
  GstStructure *fields;

  g_return_val_if_fail (taps != NULL && n_taps > 0, NULL);
  g_return_val_if_fail (delay < 0 || (guint64) delay < n_taps, NULL);

  bytes = g_bytes_new (taps, n_taps * sizeof *taps);
  fields =
      gst_structure_new (KERNEL_NAME, "sample", G_TYPE_UINT64, sample, "taps",
          G_TYPE_BYTES, bytes, "delay", G_TYPE_INT64, MAX (delay, -1), NULL);
  g_bytes_unref (bytes);
  return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM, fields);
}

/**
 * gst_eeg_event_parse_kernel:
 * @event: any event
 * @sample: (out) (optional): index of the first sample made by the new kernel
 * @taps: (out) (optional) (transfer full): the taps, doubles
 * @delay: (out) (optional): samples to take off, or -1
 *
 * Returns: whether @event is an `eeg-kernel` event
 */
gboolean
gst_eeg_event_parse_kernel (GstEvent *event, guint64 *sample, GBytes **taps,
    gint64 *delay)
{
  const GstStructure *s;
  GBytes *bytes = NULL;
  guint64 index;
  gint64 off;

  g_return_val_if_fail (GST_IS_EVENT (event), FALSE);

  if (GST_EVENT_TYPE (event) != GST_EVENT_CUSTOM_DOWNSTREAM
      || !gst_event_has_name (event, KERNEL_NAME))
    return FALSE;
  s = gst_event_get_structure (event);
  if (!gst_structure_get (s, "sample", G_TYPE_UINT64, &index, "delay",
          G_TYPE_INT64, &off, "taps", G_TYPE_BYTES, &bytes, NULL))
    return FALSE;
  if (sample != NULL)
    *sample = index;
  if (delay != NULL)
    *delay = off;
  if (taps != NULL)
    *taps = bytes;
  else
    g_bytes_unref (bytes);
  return TRUE;
}

/**
 * gst_eeg_message_new_loss:
 * @src: (transfer none): the element that noticed
 * @first: index of the first lost sample
 * @count: how many samples per channel are lost
 * @reason: why, in a word or two
 *
 * Returns: (transfer full): an element message
 */
GstMessage *
gst_eeg_message_new_loss (GstObject *src, guint64 first, guint64 count,
    const gchar *reason)
{
  return gst_message_new_element (src,
      gst_structure_new (LOSS_NAME, "first", G_TYPE_UINT64, first, "count",
          G_TYPE_UINT64, count, "reason", G_TYPE_STRING, reason, NULL));
}

/**
 * gst_eeg_message_parse_loss:
 * @message: any message
 * @first: (out) (optional): index of the first lost sample
 * @count: (out) (optional): how many are lost
 * @reason: (out) (optional) (transfer none): why
 *
 * Returns: whether @message is an `eeg-loss` message
 */
gboolean
gst_eeg_message_parse_loss (GstMessage *message, guint64 *first, guint64 *count,
    const gchar **reason)
{
  const GstStructure *s;

  g_return_val_if_fail (GST_IS_MESSAGE (message), FALSE);

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ELEMENT)
    return FALSE;
  s = gst_message_get_structure (message);
  if (s == NULL || !gst_structure_has_name (s, LOSS_NAME))
    return FALSE;
  if (first != NULL && !gst_structure_get_uint64 (s, "first", first))
    return FALSE;
  if (count != NULL && !gst_structure_get_uint64 (s, "count", count))
    return FALSE;
  if (reason != NULL)
    *reason = gst_structure_get_string (s, "reason");
  return TRUE;
}

/**
 * gst_eeg_message_new_loss_bound:
 * @src: (transfer none): the element that stores the recording
 * @bytes: bytes that were written and are not safe on disk, at most;
 *     %G_MAXUINT64 if there is no bound
 * @time: how old samples can be that are not safe on disk, of a live stream;
 *     %GST_CLOCK_TIME_NONE if there is no bound, and for what can be read again
 *
 * Returns: (transfer full): an element message
 */
GstMessage *
gst_eeg_message_new_loss_bound (GstObject *src, guint64 bytes,
    GstClockTime time)
{
  return gst_message_new_element (src,
      gst_structure_new (LOSS_BOUND_NAME, "bytes", G_TYPE_UINT64, bytes, "time",
          GST_TYPE_CLOCK_TIME, time, NULL));
}

/**
 * gst_eeg_message_parse_loss_bound:
 * @message: any message
 * @bytes: (out) (optional): bytes that are not safe on disk, at most
 * @time: (out) (optional): how old samples can be that are not safe on disk
 *
 * Returns: whether @message is an `eeg-loss-bound` message
 */
gboolean
gst_eeg_message_parse_loss_bound (GstMessage *message, guint64 *bytes,
    GstClockTime *time)
{
  const GstStructure *s;

  g_return_val_if_fail (GST_IS_MESSAGE (message), FALSE);

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ELEMENT)
    return FALSE;
  s = gst_message_get_structure (message);
  if (s == NULL || !gst_structure_has_name (s, LOSS_BOUND_NAME))
    return FALSE;
  if (bytes != NULL && !gst_structure_get_uint64 (s, "bytes", bytes))
    return FALSE;
  return time == NULL || gst_structure_get_clock_time (s, "time", time);
}
