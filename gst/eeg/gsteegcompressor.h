/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_COMPRESSOR_H__
#define __GST_EEG_COMPRESSOR_H__

#include <gst/eeg/gsteegchunkcodec.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_COMPRESSOR (gst_eeg_compressor_get_type ())
GST_EEG_API
G_DECLARE_DERIVABLE_TYPE (GstEegCompressor, gst_eeg_compressor, GST,
    EEG_COMPRESSOR, GstEegChunkCodec)

/**
 * GST_EEG_COMPRESSOR_VALUE_LEVEL:
 *
 * Which of a job's values is the level, a gint, to compress it with.
 */
#define GST_EEG_COMPRESSOR_VALUE_LEVEL 0

/**
 * GstEegCompressorClass:
 * @parent_class: parent; a subclass sets its bound() and process(), and chains
 *     up in start()
 *
 * Adds the properties of the chunk to the chunk codec.
 */
struct _GstEegCompressorClass
{
  GstEegChunkCodecClass parent_class;

  /*< private >*/
  gpointer _gst_reserved[GST_PADDING];
};

#define GST_TYPE_EEG_DECOMPRESSOR (gst_eeg_decompressor_get_type ())
GST_EEG_API
G_DECLARE_DERIVABLE_TYPE (GstEegDecompressor, gst_eeg_decompressor, GST,
    EEG_DECOMPRESSOR, GstEegChunkCodec)

/**
 * GstEegDecompressorClass:
 * @parent_class: parent; a subclass sets its parse(), process() and stream()
 * @format: what its data is called in messages
 *
 * Adds the properties that bound and rescue the output.
 */
struct _GstEegDecompressorClass
{
  GstEegChunkCodecClass parent_class;

  const gchar *format;

  /*< private >*/
  gpointer _gst_reserved[GST_PADDING];
};

GST_EEG_API
void gst_eeg_compressor_class_install_level (GstEegCompressorClass *klass,
    GParamSpec *level);

GST_EEG_API
gint gst_eeg_compressor_get_level (GstEegCompressor *compressor);

GST_EEG_API
gsize gst_eeg_compressor_get_chunk_size (GstEegCompressor *compressor);

GST_EEG_API
GstBuffer *gst_eeg_compressor_make_skippable_label (const gchar *text);

GST_EEG_API
void gst_eeg_decompressor_set_damaged (GstEegDecompressor *decompressor,
    GError **error);

GST_EEG_API
GstEegChunkParse gst_eeg_decompressor_skip_damage (GstEegDecompressor
                                                       *decompressor,
    gsize next, gsize magic_size, gsize size, gboolean eos,
    GstEegChunkUnit *unit, GError **error);

G_END_DECLS

#endif /* __GST_EEG_COMPRESSOR_H__ */
