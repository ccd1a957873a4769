/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_FILE_DRIVER_H__
#define __GST_EEG_FILE_DRIVER_H__

#include "gsteegdriver.h"

G_BEGIN_DECLS

#define GST_TYPE_EEG_FILE_DRIVER (gst_eeg_file_driver_get_type ())
G_DECLARE_FINAL_TYPE (GstEegFileDriver, gst_eeg_file_driver, GST,
    EEG_FILE_DRIVER, GstEegDriver)

G_END_DECLS

#endif /* __GST_EEG_FILE_DRIVER_H__ */
