/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_SRC_H__
#define __GST_EEG_SRC_H__

#include <gst/base/gstpushsrc.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_SRC (gst_eeg_src_get_type ())
G_DECLARE_FINAL_TYPE (GstEegSrc, gst_eeg_src, GST, EEG_SRC, GstPushSrc)

GST_ELEMENT_REGISTER_DECLARE (eegsrc);

G_END_DECLS

#endif /* __GST_EEG_SRC_H__ */
