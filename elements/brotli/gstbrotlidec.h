/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_BROTLI_DEC_H__
#define __GST_BROTLI_DEC_H__

#include <gst/eeg/eeg.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_BROTLI_DEC (gst_eeg_brotli_dec_get_type ())
G_DECLARE_FINAL_TYPE (GstEegBrotliDec, gst_eeg_brotli_dec, GST, EEG_BROTLI_DEC,
    GstEegDecompressor)

GST_ELEMENT_REGISTER_DECLARE (brotlidec);

G_END_DECLS

#endif /* __GST_BROTLI_DEC_H__ */
