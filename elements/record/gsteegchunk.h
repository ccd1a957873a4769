/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_CHUNK_H__
#define __GST_EEG_CHUNK_H__

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_CHUNK (gst_eeg_chunk_get_type ())
G_DECLARE_FINAL_TYPE (GstEegChunk, gst_eeg_chunk, GST, EEG_CHUNK, GstElement)

GST_ELEMENT_REGISTER_DECLARE (eegchunk);

G_END_DECLS

#endif /* __GST_EEG_CHUNK_H__ */
