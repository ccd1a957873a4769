/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a count is worth: shared by rawtovoltage and voltagetoraw. */
#ifndef __GST_EEG_CALIBRATION_H__
#define __GST_EEG_CALIBRATION_H__

#include <gst/eeg/eeg.h>

G_BEGIN_DECLS

/* Fills in value = count * gain + offset for each channel of the info: from the
 * channel table, or, where scale is not 0, that as the gain of signal channels
 * and of all where there is no table. FALSE with an error of CORE/NEGOTIATION
 * if nothing says it. */
G_GNUC_INTERNAL
gboolean gst_eeg_get_calibration (const GstEegInfo *info, gdouble scale,
    gdouble *gain, gdouble *offset, GError **error);

G_END_DECLS

#endif /* __GST_EEG_CALIBRATION_H__ */
