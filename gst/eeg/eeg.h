/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_H__
#define __GST_EEG_H__

#include <gst/eeg/eeg-prelude.h>
#include <gst/eeg/gsteegallocator.h>
#include <gst/eeg/gsteegbarrier.h>
#include <gst/eeg/gsteegchannels.h>
#include <gst/eeg/gsteegcheckpoint.h>
#include <gst/eeg/gsteegchunkcodec.h>
#include <gst/eeg/gsteegcompressor.h>
#include <gst/eeg/gsteegdigest.h>
#include <gst/eeg/gsteegevent.h>
#include <gst/eeg/gsteegfilter.h>
#include <gst/eeg/gsteeginfo.h>
#include <gst/eeg/gsteegmarkermeta.h>
#include <gst/eeg/gsteegpart.h>
#include <gst/eeg/gsteegstage.h>
#include <gst/eeg/gsteegstatistics.h>

#endif /* __GST_EEG_H__ */
