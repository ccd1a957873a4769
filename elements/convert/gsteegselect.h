/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_SELECT_H__
#define __GST_EEG_SELECT_H__

#include <gst/eeg/eeg.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_SELECT (gst_eeg_select_get_type ())
G_DECLARE_FINAL_TYPE (GstEegSelect, gst_eeg_select, GST, EEG_SELECT,
    GstEegFilter)
GST_ELEMENT_REGISTER_DECLARE (eegselect);

G_END_DECLS

#endif /* __GST_EEG_SELECT_H__ */
