/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_ZSTD_DEC_H__
#define __GST_ZSTD_DEC_H__

#include <gst/eeg/eeg.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_ZSTD_DEC (gst_eeg_zstd_dec_get_type ())
G_DECLARE_FINAL_TYPE (GstEegZstdDec, gst_eeg_zstd_dec, GST, EEG_ZSTD_DEC,
    GstEegDecompressor)

GST_ELEMENT_REGISTER_DECLARE (zstddec);

G_END_DECLS

#endif /* __GST_ZSTD_DEC_H__ */
