/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-sha256sum
 * @title: sha256sum
 * @short_description: SHA-256 of the stream, which passes unchanged
 *
 * SHA-256 as of FIPS 180-4: slower than BLAKE3, but there is a tool for it
 * everywhere. Properties, errors and the behaviour at gaps, flush and EOS are
 * those of
 * #GstEegDigest; the sidecar is what `sha256sum -c` reads.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 filesrc location=night.edf ! \
 *     sha256sum location=night.sha256 ! fakesink
 * ]|
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstsha256sum.h"

#include "digest.h"
#include "sumfile.h"

struct _GstEegSha256Sum
{
  GstEegDigest parent;
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

G_DEFINE_TYPE (GstEegSha256Sum, gst_eeg_sha256_sum, GST_TYPE_EEG_DIGEST)
GST_ELEMENT_REGISTER_DEFINE (sha256sum, "sha256sum", GST_RANK_NONE,
    GST_TYPE_EEG_SHA256_SUM)

static void
gst_eeg_sha256_sum_class_init (GstEegSha256SumClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  gst_element_class_set_static_metadata (element_class, "SHA-256 checksum",
      "Filter/Checksum",
      "Computes the SHA-256 of the stream, writes it and checks it",
      "gst-plugins-eeg developers");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_eeg_digest_class_set_algorithm (GST_EEG_DIGEST_CLASS (klass),
      eeg_digest_find ("sha256", NULL), &eeg_sumfile_sha256);
}

static void
gst_eeg_sha256_sum_init (GstEegSha256Sum *self)
{
}
