/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsteegdecimate.h"
#include "gsteegreference.h"
#include "gstfirfilter.h"
#include "gstiirfilter.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  gboolean ret = FALSE;

  ret |= GST_ELEMENT_REGISTER (eegdecimate, plugin);
  ret |= GST_ELEMENT_REGISTER (eegreference, plugin);
  ret |= GST_ELEMENT_REGISTER (firfilter, plugin);
  ret |= GST_ELEMENT_REGISTER (iirfilter, plugin);
  return ret;
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, eegfilter,
    "Filters for EEG samples", plugin_init, PACKAGE_VERSION, PACKAGE_LICENSE,
    PACKAGE_NAME, PACKAGE_ORIGIN)
