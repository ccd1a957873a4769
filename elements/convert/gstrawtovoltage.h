/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_RAW_TO_VOLTAGE_H__
#define __GST_RAW_TO_VOLTAGE_H__

#include "gsteegcalibrator.h"

G_BEGIN_DECLS

#define GST_TYPE_EEG_RAW_TO_VOLTAGE (gst_eeg_raw_to_voltage_get_type ())
G_DECLARE_FINAL_TYPE (GstEegRawToVoltage, gst_eeg_raw_to_voltage, GST,
    EEG_RAW_TO_VOLTAGE, GstEegCalibrator)
GST_ELEMENT_REGISTER_DECLARE (rawtovoltage);

G_END_DECLS

#endif /* __GST_RAW_TO_VOLTAGE_H__ */
