/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_SHA256_SUM_H__
#define __GST_SHA256_SUM_H__

#include <gst/eeg/eeg.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_SHA256_SUM (gst_eeg_sha256_sum_get_type ())
G_DECLARE_FINAL_TYPE (GstEegSha256Sum, gst_eeg_sha256_sum, GST, EEG_SHA256_SUM,
    GstEegDigest)
GST_ELEMENT_REGISTER_DECLARE (sha256sum);

G_END_DECLS

#endif /* __GST_SHA256_SUM_H__ */
