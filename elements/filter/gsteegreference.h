/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_REFERENCE_H__
#define __GST_EEG_REFERENCE_H__

#include <gst/eeg/eeg.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_REFERENCE (gst_eeg_reference_get_type ())
G_DECLARE_FINAL_TYPE (GstEegReference, gst_eeg_reference, GST, EEG_REFERENCE,
    GstEegFilter)
GST_ELEMENT_REGISTER_DECLARE (eegreference);

G_END_DECLS

#endif /* __GST_EEG_REFERENCE_H__ */
