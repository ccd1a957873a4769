/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsteegtypefind.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  gboolean ret = FALSE;

  ret |= GST_TYPE_FIND_REGISTER (eegedf, plugin);
  ret |= GST_TYPE_FIND_REGISTER (eegbdf, plugin);
  ret |= GST_TYPE_FIND_REGISTER (eegzstd, plugin);
  ret |= GST_TYPE_FIND_REGISTER (eeglz4, plugin);
  ret |= GST_TYPE_FIND_REGISTER (eegage, plugin);
  ret |= GST_TYPE_FIND_REGISTER (eegpack, plugin);
  return ret;
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, eegtypefind,
    "Typefinders for EEG files, their compressions and encryptions",
    plugin_init, PACKAGE_VERSION, PACKAGE_LICENSE, PACKAGE_NAME, PACKAGE_ORIGIN)
