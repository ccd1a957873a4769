/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_IIR_FILTER_H__
#define __GST_IIR_FILTER_H__

#include <gst/eeg/eeg.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_IIR_FILTER (gst_eeg_iir_filter_get_type ())
G_DECLARE_FINAL_TYPE (GstEegIirFilter, gst_eeg_iir_filter, GST, EEG_IIR_FILTER,
    GstEegFilter)
GST_ELEMENT_REGISTER_DECLARE (iirfilter);

G_END_DECLS

#endif /* __GST_IIR_FILTER_H__ */
