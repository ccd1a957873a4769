/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_TO_AUDIO_H__
#define __GST_EEG_TO_AUDIO_H__

#include <gst/eeg/eeg.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_TO_AUDIO (gst_eeg_to_audio_get_type ())
G_DECLARE_FINAL_TYPE (GstEegToAudio, gst_eeg_to_audio, GST, EEG_TO_AUDIO,
    GstEegFilter)
GST_ELEMENT_REGISTER_DECLARE (eegtoaudio);

G_END_DECLS

#endif /* __GST_EEG_TO_AUDIO_H__ */
