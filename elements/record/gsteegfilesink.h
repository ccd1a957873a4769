/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_FILE_SINK_H__
#define __GST_EEG_FILE_SINK_H__

#include <gst/base/gstbasesink.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_FILE_SINK (gst_eeg_file_sink_get_type ())
G_DECLARE_FINAL_TYPE (GstEegFileSink, gst_eeg_file_sink, GST, EEG_FILE_SINK,
    GstBaseSink)

GST_ELEMENT_REGISTER_DECLARE (eegfilesink);

G_END_DECLS

#endif /* __GST_EEG_FILE_SINK_H__ */
