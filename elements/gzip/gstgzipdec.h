/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_GZIP_DEC_H__
#define __GST_GZIP_DEC_H__

#include <gst/eeg/eeg.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_GZIP_DEC (gst_eeg_gzip_dec_get_type ())
G_DECLARE_FINAL_TYPE (GstEegGzipDec, gst_eeg_gzip_dec, GST, EEG_GZIP_DEC,
    GstEegDecompressor)

GST_ELEMENT_REGISTER_DECLARE (gzipdec);

G_END_DECLS

#endif /* __GST_GZIP_DEC_H__ */
