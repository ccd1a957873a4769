/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsteegstats.h"
#include "gsteegvalidate.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  gboolean ret = FALSE;

  ret |= GST_ELEMENT_REGISTER (eegstats, plugin);
  ret |= GST_ELEMENT_REGISTER (eegvalidate, plugin);
  return ret;
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, eeginspect,
    "Inspection of EEG samples", plugin_init, PACKAGE_VERSION, PACKAGE_LICENSE,
    PACKAGE_NAME, PACKAGE_ORIGIN)
