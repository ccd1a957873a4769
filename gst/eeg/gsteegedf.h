/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From the header of an EDF or BDF file to what streams carry. Shared by the
 * elements that read such files; not part of the public library. */

#ifndef __GST_EEG_EDF_H__
#define __GST_EEG_EDF_H__

#include <gst/eeg/eeg.h>

#include "edf.h"

G_BEGIN_DECLS

/* Field of the recording event: the bytes of the header that the samples came
 * from (G_TYPE_BYTES). A muxer writes from them what no other field tells. */
#define GST_EEG_EDF_RECORDING_HEADER "edf-header"

GstEegChannels *gst_eeg_edf_get_channels (const EegEdfHeader *header,
    guint group);

/* Bytes of gst_eeg_edf_hash_header() */
#define GST_EEG_EDF_HASH_SIZE 32

void gst_eeg_edf_hash_header (const EegEdfHeader *header,
    guint8 hash[GST_EEG_EDF_HASH_SIZE]);

GstStructure *gst_eeg_edf_get_recording (const EegEdfHeader *header,
    guint group, gint64 first_time);

G_END_DECLS

#endif /* __GST_EEG_EDF_H__ */
