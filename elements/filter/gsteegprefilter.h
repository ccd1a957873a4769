/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_PREFILTER_H__
#define __GST_EEG_PREFILTER_H__

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  GST_EEG_PREFILTER_NONE,
  GST_EEG_PREFILTER_LOW_PASS,
  GST_EEG_PREFILTER_HIGH_PASS,
  GST_EEG_PREFILTER_BAND_PASS,
  GST_EEG_PREFILTER_BAND_STOP
} GstEegPrefilter;

/* A filter and its notches as EDF's prefilter field has them, for example
 * "HP:0.1Hz LP:40Hz N:50Hz"; frequencies in Hz. transfer full */
gchar *gst_eeg_prefilter_to_text (GstEegPrefilter shape, gdouble low,
    gdouble high, const gdouble *notches, guint n_notches);

G_END_DECLS

#endif /* __GST_EEG_PREFILTER_H__ */
