/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsteegsrc.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  return GST_ELEMENT_REGISTER (eegsrc, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, eegsource,
    "EEG from files and devices", plugin_init, PACKAGE_VERSION, PACKAGE_LICENSE,
    PACKAGE_NAME, PACKAGE_ORIGIN)
