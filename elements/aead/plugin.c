/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstaesgcmdec.h"
#include "gstaesgcmenc.h"
#include "gstchacha20poly1305dec.h"
#include "gstchacha20poly1305enc.h"

#include "aead/aead.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  gboolean ret = FALSE;

  if (!eeg_aead_init ())
    return FALSE;
  ret |= GST_ELEMENT_REGISTER (aesgcmenc, plugin);
  ret |= GST_ELEMENT_REGISTER (aesgcmdec, plugin);
  ret |= GST_ELEMENT_REGISTER (chacha20poly1305enc, plugin);
  ret |= GST_ELEMENT_REGISTER (chacha20poly1305dec, plugin);
  return ret;
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, eegaead,
    "Authenticated encryption", plugin_init, PACKAGE_VERSION, PACKAGE_LICENSE,
    PACKAGE_NAME, PACKAGE_ORIGIN)
