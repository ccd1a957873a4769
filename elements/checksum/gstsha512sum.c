/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-sha512sum
 * @title: sha512sum
 * @short_description: SHA-512 of the stream, which passes unchanged
 *
 * SHA-512 as of FIPS 180-4.
 * Properties, errors and the behaviour at gaps, flush and EOS are those of
 * #GstEegDigest; the sidecar is what `sha512sum -c` reads.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 filesrc location=night.edf ! \
 *     sha512sum location=night.sha512 ! fakesink
 * ]|
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstsha512sum.h"

#include "digest.h"
#include "sumfile.h"

struct _GstEegSha512Sum
{
  GstEegDigest parent;
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

G_DEFINE_TYPE (GstEegSha512Sum, gst_eeg_sha512_sum, GST_TYPE_EEG_DIGEST)
GST_ELEMENT_REGISTER_DEFINE (sha512sum, "sha512sum", GST_RANK_NONE,
    GST_TYPE_EEG_SHA512_SUM)

static void
gst_eeg_sha512_sum_class_init (GstEegSha512SumClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  gst_element_class_set_static_metadata (element_class, "SHA-512 checksum",
      "Filter/Checksum",
      "Computes the SHA-512 of the stream, writes it and checks it",
      "gst-plugins-eeg developers");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_eeg_digest_class_set_algorithm (GST_EEG_DIGEST_CLASS (klass),
      eeg_digest_find ("sha512", NULL), &eeg_sumfile_sha512);
}

static void
gst_eeg_sha512_sum_init (GstEegSha512Sum *self)
{
}
