/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstblake3sum.h"
#include "gstsha256sum.h"
#include "gstsha512sum.h"

#include "digest.h"

/* Which digests there are depends on the libraries that were found. */
static gboolean
plugin_init (GstPlugin *plugin)
{
  gboolean ret = FALSE;

  if (eeg_digest_find ("blake3", NULL) != NULL)
    ret |= GST_ELEMENT_REGISTER (blake3sum, plugin);
  if (eeg_digest_find ("sha256", NULL) != NULL)
    ret |= GST_ELEMENT_REGISTER (sha256sum, plugin);
  if (eeg_digest_find ("sha512", NULL) != NULL)
    ret |= GST_ELEMENT_REGISTER (sha512sum, plugin);
  return ret;
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, eegchecksum,
    "Checksums of streams", plugin_init, PACKAGE_VERSION, PACKAGE_LICENSE,
    PACKAGE_NAME, PACKAGE_ORIGIN)
