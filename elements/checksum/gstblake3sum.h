/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_BLAKE3_SUM_H__
#define __GST_BLAKE3_SUM_H__

#include <gst/eeg/eeg.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_BLAKE3_SUM (gst_eeg_blake3_sum_get_type ())
G_DECLARE_FINAL_TYPE (GstEegBlake3Sum, gst_eeg_blake3_sum, GST, EEG_BLAKE3_SUM,
    GstEegDigest)
GST_ELEMENT_REGISTER_DECLARE (blake3sum);

G_END_DECLS

#endif /* __GST_BLAKE3_SUM_H__ */
