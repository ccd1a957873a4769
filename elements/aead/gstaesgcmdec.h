/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifndef __GST_AES_GCM_DEC_H__
#define __GST_AES_GCM_DEC_H__

#include <gst/eeg/eeg.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_AES_GCM_DEC (gst_eeg_aes_gcm_dec_get_type ())
G_DECLARE_FINAL_TYPE (GstEegAesGcmDec, gst_eeg_aes_gcm_dec, GST,
    EEG_AES_GCM_DEC, GstEegChunkCodec)

GST_ELEMENT_REGISTER_DECLARE (aesgcmdec)

G_END_DECLS

#endif /* __GST_AES_GCM_DEC_H__ */
