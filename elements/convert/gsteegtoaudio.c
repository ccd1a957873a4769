/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-eegtoaudio
 * @title: eegtoaudio
 * @short_description: EEG samples to audio elements
 *
 * Calls EEG samples audio, so that audio elements can work on them: one channel
 * of audio for each, without positions, in the same format. Samples stay as
 * they are, in the same memory. Counts become integer audio, physical units
 * become floats, not scaled to the range from -1 to 1 that loudspeakers expect:
 * `audioamplify` does that.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 eegsrc num-samples=1000 ! eegtoaudio ! \
 *     audiorate tolerance=0 ! wavenc ! filesink location=eeg.wav
 * ]|
 *
 * Takes fewer than 64 channels and rates that are whole numbers of Hz. The
 * channel table, and with it labels and calibration, ends here; `audiotoeeg`
 * can be told a new one. Markers stay on their buffers. Nothing is held back:
 * no latency, and GAP, flush and EOS pass at once. Lost samples leave a jump of
 * the time stamps and a DISCONT flag, which `audiorate` fills. Input and output
 * caps differ, so there is no `enabled` property.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsteegtoaudio.h"

#include "gsteegaudiocaps.h"

#define GST_CAT_DEFAULT gst_eeg_to_audio_debug
GST_DEBUG_CATEGORY_STATIC (GST_CAT_DEFAULT);

struct _GstEegToAudio
{
  GstEegFilter parent;

  GstBuffer *held; /* streaming thread; on its way through */
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS (
        GST_EEG_RAW_CAPS_MAKE (GST_EEG_FORMATS_ALL, "{ counts, voltage }")));

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (GST_EEG_AUDIO_CAPS_MAKE ("[ 1, 63 ]")));

/* Locking: there is nothing to guard. */

static void gst_eeg_to_audio_stage_init (GstEegStageInterface *iface);

G_DEFINE_TYPE_WITH_CODE (GstEegToAudio, gst_eeg_to_audio, GST_TYPE_EEG_FILTER,
    G_IMPLEMENT_INTERFACE (GST_TYPE_EEG_STAGE, gst_eeg_to_audio_stage_init)
        GST_DEBUG_CATEGORY_INIT (GST_CAT_DEFAULT, "eegtoaudio", 0,
            "EEG samples to audio"))
GST_ELEMENT_REGISTER_DEFINE (eegtoaudio, "eegtoaudio", GST_RANK_NONE,
    GST_TYPE_EEG_TO_AUDIO)

/* ---- caps ---- */

static gboolean
gst_eeg_to_audio_transform_info (GstEegFilter *filter,
    const GstEegInfo *in_info, GstEegInfo *out_info, GError **error)
{
  if (!gst_eeg_audio_check_channels (in_info->channels,
          "Put eegselect in front of eegtoaudio to pick some, or several pairs "
          "of the two behind a tee.",
          error))
    return FALSE;
  if (in_info->rate_d != 1) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION,
        "Audio has a whole number of samples in a second, and these caps have "
        "%d/%d. Put eegdecimate in front of eegtoaudio, for example "
        "eegdecimate rate=%d/1.",
        in_info->rate_n, in_info->rate_d,
        MAX (in_info->rate_n / in_info->rate_d, 1));
    return FALSE;
  }
  gst_eeg_info_set (out_info, in_info->format, in_info->domain, in_info->rate_n,
      1, in_info->channels, NULL);
  return TRUE;
}

static GstCaps *
gst_eeg_to_audio_transform_caps (GstBaseTransform *trans,
    GstPadDirection direction, GstCaps *caps, GstCaps *filter)
{
  GstCaps *result = gst_eeg_audio_transform_caps (trans, direction, caps);

  if (filter != NULL) {
    GstCaps *both =
        gst_caps_intersect_full (filter, result, GST_CAPS_INTERSECT_FIRST);

    gst_caps_unref (result);
    result = both;
  }
  return result;
}

/* ---- samples ---- */

static GstFlowReturn
gst_eeg_to_audio_take_buffer (GstEegFilter *filter, GstBuffer *buffer,
    guint64 index)
{
  GST_EEG_TO_AUDIO (filter)->held = buffer;
  return GST_FLOW_OK;
}

/* The same buffer, restamped by the base class where it must be. */
static GstFlowReturn
gst_eeg_to_audio_give_buffer (GstEegFilter *filter, gboolean is_end,
    GstBuffer **buffer)
{
  *buffer = g_steal_pointer (&GST_EEG_TO_AUDIO (filter)->held);
  return GST_FLOW_OK;
}

static void
gst_eeg_to_audio_reset (GstEegFilter *filter)
{
  gst_clear_buffer (&GST_EEG_TO_AUDIO (filter)->held);
}

static void
gst_eeg_to_audio_stage_init (GstEegStageInterface *iface)
{
  iface->stateless = TRUE;
}

static void
gst_eeg_to_audio_class_init (GstEegToAudioClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);
  GstEegFilterClass *filter_class = GST_EEG_FILTER_CLASS (klass);

  gst_element_class_set_static_metadata (element_class, "EEG to audio",
      "Filter/Converter", "Passes EEG samples on to audio elements",
      "gst-plugins-eeg developers");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);

  trans_class->transform_caps = gst_eeg_to_audio_transform_caps;
  filter_class->parse_caps = gst_eeg_audio_parse_caps;
  filter_class->transform_info = gst_eeg_to_audio_transform_info;
  filter_class->take_buffer = gst_eeg_to_audio_take_buffer;
  filter_class->give_buffer = gst_eeg_to_audio_give_buffer;
  filter_class->reset = gst_eeg_to_audio_reset;
}

static void
gst_eeg_to_audio_init (GstEegToAudio *self)
{
}
