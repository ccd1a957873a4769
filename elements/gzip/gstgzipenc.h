/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_GZIP_ENC_H__
#define __GST_GZIP_ENC_H__

#include <gst/eeg/eeg.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_GZIP_ENC (gst_eeg_gzip_enc_get_type ())
G_DECLARE_FINAL_TYPE (GstEegGzipEnc, gst_eeg_gzip_enc, GST, EEG_GZIP_ENC,
    GstEegCompressor)

GST_ELEMENT_REGISTER_DECLARE (gzipenc);

G_END_DECLS

#endif /* __GST_GZIP_ENC_H__ */
