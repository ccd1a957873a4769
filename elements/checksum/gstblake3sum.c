/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-blake3sum
 * @title: blake3sum
 * @short_description: BLAKE3 of the stream, which passes unchanged
 *
 * BLAKE3, 32 bytes: fast on one core, and safe to use as a name for data.
 * Properties, errors and the behaviour at gaps, flush and EOS are those of
 * #GstEegDigest; the sidecar is what `b3sum -c` reads.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 filesrc location=night.edf ! blake3sum location=night.b3 ! \
 *     fakesink
 * ]|
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstblake3sum.h"

#include "digest.h"
#include "sumfile.h"

struct _GstEegBlake3Sum
{
  GstEegDigest parent;
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

G_DEFINE_TYPE (GstEegBlake3Sum, gst_eeg_blake3_sum, GST_TYPE_EEG_DIGEST)
GST_ELEMENT_REGISTER_DEFINE (blake3sum, "blake3sum", GST_RANK_NONE,
    GST_TYPE_EEG_BLAKE3_SUM)

static void
gst_eeg_blake3_sum_class_init (GstEegBlake3SumClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  gst_element_class_set_static_metadata (element_class, "BLAKE3 checksum",
      "Filter/Checksum",
      "Computes the BLAKE3 of the stream, writes it and checks it",
      "gst-plugins-eeg developers");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_eeg_digest_class_set_algorithm (GST_EEG_DIGEST_CLASS (klass),
      eeg_digest_find ("blake3", NULL), &eeg_sumfile_blake3);
}

static void
gst_eeg_blake3_sum_init (GstEegBlake3Sum *self)
{
}
