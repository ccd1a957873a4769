/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_PACK_ENC_H__
#define __GST_EEG_PACK_ENC_H__

#include <gst/eeg/eeg.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_PACK_ENC (gst_eeg_pack_enc_get_type ())
G_DECLARE_FINAL_TYPE (GstEegPackEnc, gst_eeg_pack_enc, GST, EEG_PACK_ENC,
    GstEegChunkCodec)

GST_ELEMENT_REGISTER_DECLARE (eegpackenc);

G_END_DECLS

#endif /* __GST_EEG_PACK_ENC_H__ */
