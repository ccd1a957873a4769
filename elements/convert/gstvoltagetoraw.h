/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_VOLTAGE_TO_RAW_H__
#define __GST_VOLTAGE_TO_RAW_H__

#include "gsteegcalibrator.h"

G_BEGIN_DECLS

#define GST_TYPE_EEG_VOLTAGE_TO_RAW (gst_eeg_voltage_to_raw_get_type ())
G_DECLARE_FINAL_TYPE (GstEegVoltageToRaw, gst_eeg_voltage_to_raw, GST,
    EEG_VOLTAGE_TO_RAW, GstEegCalibrator)
GST_ELEMENT_REGISTER_DECLARE (voltagetoraw);

G_END_DECLS

#endif /* __GST_VOLTAGE_TO_RAW_H__ */
