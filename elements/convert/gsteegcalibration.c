/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsteegcalibration.h"

gboolean
gst_eeg_get_calibration (const GstEegInfo *info, gdouble scale, gdouble *gain,
    gdouble *offset, GError **error)
{
  gint i;

  for (i = 0; i < info->channels; i++) {
    const GstEegChannel *channel = NULL;

    if (info->channel_table != NULL)
      channel = gst_eeg_channels_get (info->channel_table, i);
    if (scale != 0.0
        && (channel == NULL
            || gst_eeg_channel_type_is_signal (channel->type))) {
      gain[i] = scale;
      offset[i] = 0.0;
    } else if (channel == NULL) {
      g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION,
          "The caps have no channel table, so nothing says what a count is "
          "worth. Set the property scale.");
      return FALSE;
    } else if (!gst_eeg_channel_get_calibration (channel, &gain[i],
                   &offset[i])) {
      g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION,
          "Channel %d ('%s') cannot be calibrated: digital %d to %d, physical "
          "%g to %g.",
          i, channel->label, channel->digital_min, channel->digital_max,
          channel->physical_min, channel->physical_max);
      return FALSE;
    }
  }
  return TRUE;
}
