/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_FIR_FILTER_H__
#define __GST_FIR_FILTER_H__

#include <gst/eeg/eeg.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_FIR_FILTER (gst_eeg_fir_filter_get_type ())
G_DECLARE_FINAL_TYPE (GstEegFirFilter, gst_eeg_fir_filter, GST, EEG_FIR_FILTER,
    GstEegFilter)
GST_ELEMENT_REGISTER_DECLARE (firfilter);

G_END_DECLS

#endif /* __GST_FIR_FILTER_H__ */
