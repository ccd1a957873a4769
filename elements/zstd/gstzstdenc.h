/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_ZSTD_ENC_H__
#define __GST_ZSTD_ENC_H__

#include <gst/eeg/eeg.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_ZSTD_ENC (gst_eeg_zstd_enc_get_type ())
G_DECLARE_FINAL_TYPE (GstEegZstdEnc, gst_eeg_zstd_enc, GST, EEG_ZSTD_ENC,
    GstEegCompressor)

GST_ELEMENT_REGISTER_DECLARE (zstdenc);

G_END_DECLS

#endif /* __GST_ZSTD_ENC_H__ */
