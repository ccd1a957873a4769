/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_PRELUDE_H__
#define __GST_EEG_PRELUDE_H__

#include <gst/gst.h>

#ifdef BUILDING_GST_EEG
#define GST_EEG_API GST_API_EXPORT
#else
#define GST_EEG_API GST_API_IMPORT
#endif

#endif /* __GST_EEG_PRELUDE_H__ */
