/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_EDF_DEMUX_H__
#define __GST_EEG_EDF_DEMUX_H__

#include <gst/gst.h>

G_BEGIN_DECLS

GST_ELEMENT_REGISTER_DECLARE (edfdemux);

G_END_DECLS

#endif /* __GST_EEG_EDF_DEMUX_H__ */
