/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "gstedfdemux.h"
#include "gstedfmux.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  gboolean ret = FALSE;

  ret |= GST_ELEMENT_REGISTER (edfdemux, plugin);
  ret |= GST_ELEMENT_REGISTER (edfmux, plugin);
  return ret;
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, eegedf,
    "EDF and BDF muxer and demuxer", plugin_init, PACKAGE_VERSION,
    PACKAGE_LICENSE, PACKAGE_NAME, PACKAGE_ORIGIN)
