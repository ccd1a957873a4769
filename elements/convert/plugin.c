/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstaudiotoeeg.h"
#include "gsteegbatch.h"
#include "gsteegselect.h"
#include "gsteegtoaudio.h"
#include "gstrawtovoltage.h"
#include "gstvoltagetoraw.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  gboolean ret = FALSE;

  ret |= GST_ELEMENT_REGISTER (audiotoeeg, plugin);
  ret |= GST_ELEMENT_REGISTER (eegbatch, plugin);
  ret |= GST_ELEMENT_REGISTER (eegselect, plugin);
  ret |= GST_ELEMENT_REGISTER (eegtoaudio, plugin);
  ret |= GST_ELEMENT_REGISTER (rawtovoltage, plugin);
  ret |= GST_ELEMENT_REGISTER (voltagetoraw, plugin);
  return ret;
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, eegconvert,
    "Conversion of EEG samples", plugin_init, PACKAGE_VERSION, PACKAGE_LICENSE,
    PACKAGE_NAME, PACKAGE_ORIGIN)
