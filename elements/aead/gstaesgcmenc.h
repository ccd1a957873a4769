/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifndef __GST_AES_GCM_ENC_H__
#define __GST_AES_GCM_ENC_H__

#include <gst/eeg/eeg.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_AES_GCM_ENC (gst_eeg_aes_gcm_enc_get_type ())
G_DECLARE_FINAL_TYPE (GstEegAesGcmEnc, gst_eeg_aes_gcm_enc, GST,
    EEG_AES_GCM_ENC, GstEegChunkCodec)

GST_ELEMENT_REGISTER_DECLARE (aesgcmenc)

G_END_DECLS

#endif /* __GST_AES_GCM_ENC_H__ */
