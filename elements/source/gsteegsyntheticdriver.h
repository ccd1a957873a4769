/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_SYNTHETIC_DRIVER_H__
#define __GST_EEG_SYNTHETIC_DRIVER_H__

#include "gsteegdriver.h"

G_BEGIN_DECLS

#define GST_TYPE_EEG_SYNTHETIC_DRIVER (gst_eeg_synthetic_driver_get_type ())
G_DECLARE_FINAL_TYPE (GstEegSyntheticDriver, gst_eeg_synthetic_driver, GST,
    EEG_SYNTHETIC_DRIVER, GstEegDriver)

G_END_DECLS

#endif /* __GST_EEG_SYNTHETIC_DRIVER_H__ */
