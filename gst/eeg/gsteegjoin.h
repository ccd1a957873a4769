/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Barriers that come to one stage by several pads. In the library because
 * several muxers need it; not installed. */

#ifndef __GST_EEG_JOIN_H__
#define __GST_EEG_JOIN_H__

#include <gst/eeg/gsteegbarrier.h>

G_BEGIN_DECLS

/* Of one pad. All zero is empty; not thread-safe. */
typedef struct
{
  GQueue events;       /* of barriers that did not leave */
  GstEegBarrier *last; /* that left, or NULL */
} GstEegLane;

GST_EEG_API
void gst_eeg_lane_add (GstEegLane *lane, GstEvent *event);
GST_EEG_API
void gst_eeg_lane_clear (GstEegLane *lane);

GST_EEG_API
GstEvent *gst_eeg_join (GstEegStage *stage, GstEegLane *const *lanes,
    const gboolean *ended, guint n, guint64 *last);

G_END_DECLS

#endif /* __GST_EEG_JOIN_H__ */
