/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Base of rawtovoltage and voltagetoraw: what a count is worth. */
#ifndef __GST_EEG_CALIBRATOR_H__
#define __GST_EEG_CALIBRATOR_H__

#include <gst/eeg/eeg.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_CALIBRATOR (gst_eeg_calibrator_get_type ())
G_GNUC_INTERNAL
G_DECLARE_DERIVABLE_TYPE (GstEegCalibrator, gst_eeg_calibrator, GST,
    EEG_CALIBRATOR, GstEegFilter)

/* scales_output: samples that come out are by the scale, so the table has to
 *     follow it at once; else it has the scale that was set when caps came
 * make_kernel: makes what process() needs for value = count * gain + offset, of
 *     each channel, in place of what there was; returns how many bytes it
 *     takes, or 0 without memory, and then all stays as it was. Streaming
 *     thread. */
struct _GstEegCalibratorClass
{
  GstEegFilterClass parent_class;

  gboolean scales_output;
  gsize (*make_kernel) (GstEegCalibrator *self, const GstEegInfo *in_info,
      const GstEegInfo *out_info, const gdouble *gain, const gdouble *offset);
};

/* Puts the scale into the channel table of caps of one format that go on, if
 * there is a table. */
G_GNUC_INTERNAL
void gst_eeg_calibrator_update_table (GstEegCalibrator *self,
    GstPadDirection direction, GstStructure *caps);

G_END_DECLS

#endif /* __GST_EEG_CALIBRATOR_H__ */
