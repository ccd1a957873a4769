/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_VALIDATE_H__
#define __GST_EEG_VALIDATE_H__

#include "gsteeginspector.h"

G_BEGIN_DECLS

#define GST_TYPE_EEG_VALIDATE (gst_eeg_validate_get_type ())
G_DECLARE_FINAL_TYPE (GstEegValidate, gst_eeg_validate, GST, EEG_VALIDATE,
    GstEegInspector)
GST_ELEMENT_REGISTER_DECLARE (eegvalidate);

G_END_DECLS

#endif /* __GST_EEG_VALIDATE_H__ */
