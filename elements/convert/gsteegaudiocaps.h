/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* EEG caps and audio caps: shared by eegtoaudio and audiotoeeg. */
#ifndef __GST_EEG_AUDIO_CAPS_H__
#define __GST_EEG_AUDIO_CAPS_H__

#include <gst/eeg/eeg.h>

G_BEGIN_DECLS

/* In GStreamer 1.22 audioconvert and audioresample crash with more. */
#define GST_EEG_AUDIO_MAX_CHANNELS 63

/* Caps of audio in the formats that EEG has too, as a string. Pads that take
 * audio take any number of channels, so that they can say what is wrong. */
#define GST_EEG_AUDIO_CAPS_MAKE(channels)                                      \
  "audio/x-raw, format = (string) " GST_EEG_FORMATS_ALL                        \
  ", rate = (int) [ 1, 2147483647 ]"                                           \
  ", channels = (int) " channels ", layout = (string) interleaved"

/* GstEegFilterClass::parse_caps for filters with audio on one side */
G_GNUC_INTERNAL
gboolean gst_eeg_audio_parse_caps (GstEegFilter *filter, const GstCaps *caps,
    GstEegInfo *info);

/* What there may be on the other side of a filter with EEG on one and audio on
 * the other side, without channel tables. More than can be: what a subclass
 * refuses has to reach it. */
G_GNUC_INTERNAL
GstCaps *gst_eeg_audio_transform_caps (GstBaseTransform *trans,
    GstPadDirection direction, GstCaps *caps);

/* FALSE with an error of CORE/NEGOTIATION for too many channels; `advice` says
 * what to do. */
G_GNUC_INTERNAL
gboolean gst_eeg_audio_check_channels (gint channels, const gchar *advice,
    GError **error);

G_END_DECLS

#endif /* __GST_EEG_AUDIO_CAPS_H__ */
