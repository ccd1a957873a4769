/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifndef __GST_AGE_COMMON_H__
#define __GST_AGE_COMMON_H__

#include "gstaeadcommon.h"

#include "age/age.h"

G_BEGIN_DECLS

#define GST_AGE_MEDIA_TYPE "application/x-age"

/* Cells that make a job. */
#define GST_AGE_BATCH (GST_AEAD_BATCH_BYTES / EEG_AGE_CELL_SIZE)

/* The passphrase in the file, or the answer to @signal where @path is NULL;
 * NULL without @error where there is none. */
EegAeadSecret *gst_age_load_passphrase (GstElement *element, const gchar *path,
    guint signal, GQuark domain, gint code, GError **error);

/* Sets the error of a key file or of an answer, which @path NULL stands for.
 * @item is that of age.h, or 0. */
void gst_age_set_key_error (GError **error, GQuark domain, gint code,
    const gchar *path, EegAgeResult result, gsize item);

G_END_DECLS

#endif /* __GST_AGE_COMMON_H__ */
