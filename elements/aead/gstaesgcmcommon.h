/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifndef __GST_AES_GCM_COMMON_H__
#define __GST_AES_GCM_COMMON_H__

#include "gstaeadcommon.h"

G_BEGIN_DECLS

#define GST_AES_GCM_MEDIA_TYPE "application/x-tink-aes-gcm-hkdf"

/* Reads the key file, or asks with @signal where @path is NULL. */
EegTinkKeys *gst_aes_gcm_load_keys (GstElement *element, const gchar *path,
    guint signal, GQuark domain, gint code, GError **error);

gboolean gst_aes_gcm_check_segment_size (guint segment_size, GError **error);

/* How many segments make a job. */
guint gst_aes_gcm_batch (guint32 segment_size);

G_END_DECLS

#endif /* __GST_AES_GCM_COMMON_H__ */
