/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_BATCH_H__
#define __GST_EEG_BATCH_H__

#include <gst/eeg/eeg.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_BATCH (gst_eeg_batch_get_type ())
G_DECLARE_FINAL_TYPE (GstEegBatch, gst_eeg_batch, GST, EEG_BATCH, GstEegFilter)
GST_ELEMENT_REGISTER_DECLARE (eegbatch);

G_END_DECLS

#endif /* __GST_EEG_BATCH_H__ */
