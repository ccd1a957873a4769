/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_DIGEST_H__
#define __GST_EEG_DIGEST_H__

#include <gst/base/gstbasetransform.h>
#include <gst/eeg/eeg-prelude.h>

G_BEGIN_DECLS

struct _EegDigestKernel;
struct _EegSumfileDialect;

#define GST_TYPE_EEG_DIGEST (gst_eeg_digest_get_type ())
GST_EEG_API
G_DECLARE_DERIVABLE_TYPE (GstEegDigest, gst_eeg_digest, GST, EEG_DIGEST,
    GstBaseTransform)

/**
 * GstEegDigestClass:
 * @parent_class: parent
 *
 * A subclass adds pad templates and metadata and calls
 * gst_eeg_digest_class_set_algorithm().
 */
struct _GstEegDigestClass
{
  GstBaseTransformClass parent_class;

  /*< private >*/
  const struct _EegDigestKernel *kernel;
  const struct _EegSumfileDialect *dialect;
  gpointer _gst_reserved[GST_PADDING];
};

/**
 * gst_eeg_digest_class_set_algorithm: (skip)
 * @klass: class of a leaf element
 * @kernel: the digest, of this library's private kernels
 * @dialect: check lines as the algorithm's own tool writes them
 *
 * To be called by the leaf's class_init. Both must live as long as the class.
 */
GST_EEG_API
void gst_eeg_digest_class_set_algorithm (GstEegDigestClass *klass,
    const struct _EegDigestKernel *kernel,
    const struct _EegSumfileDialect *dialect);

G_END_DECLS

#endif /* __GST_EEG_DIGEST_H__ */
