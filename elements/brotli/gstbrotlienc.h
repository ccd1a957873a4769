/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_BROTLI_ENC_H__
#define __GST_BROTLI_ENC_H__

#include <gst/eeg/eeg.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_BROTLI_ENC (gst_eeg_brotli_enc_get_type ())
G_DECLARE_FINAL_TYPE (GstEegBrotliEnc, gst_eeg_brotli_enc, GST, EEG_BROTLI_ENC,
    GstEegCompressor)

GST_ELEMENT_REGISTER_DECLARE (brotlienc);

G_END_DECLS

#endif /* __GST_BROTLI_ENC_H__ */
