/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_STATS_H__
#define __GST_EEG_STATS_H__

#include "gsteeginspector.h"

G_BEGIN_DECLS

#define GST_TYPE_EEG_STATS (gst_eeg_stats_get_type ())
G_DECLARE_FINAL_TYPE (GstEegStats, gst_eeg_stats, GST, EEG_STATS,
    GstEegInspector)
GST_ELEMENT_REGISTER_DECLARE (eegstats);

G_END_DECLS

#endif /* __GST_EEG_STATS_H__ */
