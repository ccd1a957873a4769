/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_PACK_DEC_H__
#define __GST_EEG_PACK_DEC_H__

#include <gst/eeg/eeg.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_PACK_DEC (gst_eeg_pack_dec_get_type ())
G_DECLARE_FINAL_TYPE (GstEegPackDec, gst_eeg_pack_dec, GST, EEG_PACK_DEC,
    GstEegDecompressor)

GST_ELEMENT_REGISTER_DECLARE (eegpackdec);

G_END_DECLS

#endif /* __GST_EEG_PACK_DEC_H__ */
