/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_LZ4_DEC_H__
#define __GST_LZ4_DEC_H__

#include <gst/eeg/eeg.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_LZ4_DEC (gst_eeg_lz4_dec_get_type ())
G_DECLARE_FINAL_TYPE (GstEegLz4Dec, gst_eeg_lz4_dec, GST, EEG_LZ4_DEC,
    GstEegDecompressor)

GST_ELEMENT_REGISTER_DECLARE (lz4dec);

G_END_DECLS

#endif /* __GST_LZ4_DEC_H__ */
