/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_DECIMATE_H__
#define __GST_EEG_DECIMATE_H__

#include <gst/eeg/eeg.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_DECIMATE (gst_eeg_decimate_get_type ())
G_DECLARE_FINAL_TYPE (GstEegDecimate, gst_eeg_decimate, GST, EEG_DECIMATE,
    GstEegFilter)
GST_ELEMENT_REGISTER_DECLARE (eegdecimate);

G_END_DECLS

#endif /* __GST_EEG_DECIMATE_H__ */
