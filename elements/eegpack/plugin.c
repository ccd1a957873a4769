/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "gsteegpackdec.h"
#include "gsteegpackenc.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  gboolean ret = FALSE;

  ret |= GST_ELEMENT_REGISTER (eegpackdec, plugin);
  ret |= GST_ELEMENT_REGISTER (eegpackenc, plugin);
  return ret;
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, eegeegpack,
    "EEGPack encoder and decoder", plugin_init, PACKAGE_VERSION,
    PACKAGE_LICENSE, PACKAGE_NAME, PACKAGE_ORIGIN)
