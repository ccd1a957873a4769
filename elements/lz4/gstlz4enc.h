/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_LZ4_ENC_H__
#define __GST_LZ4_ENC_H__

#include <gst/eeg/eeg.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_LZ4_ENC (gst_eeg_lz4_enc_get_type ())
G_DECLARE_FINAL_TYPE (GstEegLz4Enc, gst_eeg_lz4_enc, GST, EEG_LZ4_ENC,
    GstEegCompressor)

GST_ELEMENT_REGISTER_DECLARE (lz4enc);

G_END_DECLS

#endif /* __GST_LZ4_ENC_H__ */
