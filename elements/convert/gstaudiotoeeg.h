/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_AUDIO_TO_EEG_H__
#define __GST_AUDIO_TO_EEG_H__

#include <gst/eeg/eeg.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_AUDIO_TO_EEG (gst_eeg_audio_to_eeg_get_type ())
G_DECLARE_FINAL_TYPE (GstEegAudioToEeg, gst_eeg_audio_to_eeg, GST,
    EEG_AUDIO_TO_EEG, GstEegFilter)
GST_ELEMENT_REGISTER_DECLARE (audiotoeeg);

G_END_DECLS

#endif /* __GST_AUDIO_TO_EEG_H__ */
