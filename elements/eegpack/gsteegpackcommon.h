/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What encoder and decoder share: streams as the file describes them. */

#ifndef __GST_EEG_PACK_COMMON_H__
#define __GST_EEG_PACK_COMMON_H__

#include <gst/eeg/eeg.h>

#include "eegpack.h"

G_BEGIN_DECLS

eeg_eegpack_format gst_eeg_pack_format (GstEegFormat format);

void gst_eeg_pack_describe (eeg_eegpack_header *header, guint stream,
    const GstEegInfo *info, const GstStructure *recording, guint32 max_frames);

void gst_eeg_pack_get_info (const eeg_eegpack_stream *stream, GstEegInfo *info);

GstStructure *gst_eeg_pack_get_recording (const eeg_eegpack_header *header,
    guint stream);

gboolean gst_eeg_pack_is_only_time (const guint8 *annotations, gsize size,
    gint64 *onset);

void gst_eeg_pack_write_time (guint8 *annotations, gsize size, gint64 onset);

G_END_DECLS

#endif /* __GST_EEG_PACK_COMMON_H__ */
