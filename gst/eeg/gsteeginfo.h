/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_INFO_H__
#define __GST_EEG_INFO_H__

#include <gst/eeg/gsteegchannels.h>

G_BEGIN_DECLS

/**
 * GST_EEG_RAW_MEDIA_TYPE:
 *
 * Media type of EEG samples.
 */
#define GST_EEG_RAW_MEDIA_TYPE "application/x-eeg-raw"

/**
 * GST_EEG_FORMATS_COUNTS:
 *
 * The integer formats, as a caps list.
 */
#define GST_EEG_FORMATS_COUNTS "{ S16LE, S24LE, S32LE }"

/**
 * GST_EEG_FORMATS_ALL:
 *
 * Every format, as a caps list.
 */
#define GST_EEG_FORMATS_ALL "{ S16LE, S24LE, S32LE, F32LE, F64LE }"

/**
 * GST_EEG_RAW_CAPS_MAKE:
 * @formats: a format or a caps list of formats, as a string
 * @domain: a domain or a caps list of domains, as a string
 *
 * A caps string for pad templates.
 */
#define GST_EEG_RAW_CAPS_MAKE(formats, domain)                                 \
  GST_EEG_RAW_MEDIA_TYPE ", format = (string) " formats                        \
                         ", rate = (fraction) [ 1/2147483647, 2147483647/1 ]"  \
                         ", channels = (int) [ 1, 65536 ]"                     \
                         ", layout = (string) interleaved"                     \
                         ", domain = (string) " domain

/**
 * GstEegFormat:
 * @GST_EEG_FORMAT_UNKNOWN: not set
 * @GST_EEG_FORMAT_S16LE: 16-bit signed integer
 * @GST_EEG_FORMAT_S24LE: 24-bit signed integer in three bytes
 * @GST_EEG_FORMAT_S32LE: 32-bit signed integer
 * @GST_EEG_FORMAT_F32LE: 32-bit float
 * @GST_EEG_FORMAT_F64LE: 64-bit float
 *
 * Sample formats, all little-endian.
 */
typedef enum
{
  GST_EEG_FORMAT_UNKNOWN = 0,
  GST_EEG_FORMAT_S16LE,
  GST_EEG_FORMAT_S24LE,
  GST_EEG_FORMAT_S32LE,
  GST_EEG_FORMAT_F32LE,
  GST_EEG_FORMAT_F64LE
} GstEegFormat;

#define GST_TYPE_EEG_FORMAT (gst_eeg_format_get_type ())
GST_EEG_API
GType gst_eeg_format_get_type (void);

GST_EEG_API
const gchar *gst_eeg_format_to_string (GstEegFormat format);

GST_EEG_API
GstEegFormat gst_eeg_format_from_string (const gchar *string);

GST_EEG_API
guint gst_eeg_format_get_bytes (GstEegFormat format);

/**
 * GstEegDomain:
 * @GST_EEG_DOMAIN_UNKNOWN: not set
 * @GST_EEG_DOMAIN_COUNTS: what the amplifier delivered
 * @GST_EEG_DOMAIN_VOLTAGE: calibrated, in each channel's own physical unit
 *
 * What sample values mean.
 */
typedef enum
{
  GST_EEG_DOMAIN_UNKNOWN = 0,
  GST_EEG_DOMAIN_COUNTS,
  GST_EEG_DOMAIN_VOLTAGE
} GstEegDomain;

#define GST_TYPE_EEG_DOMAIN (gst_eeg_domain_get_type ())
GST_EEG_API
GType gst_eeg_domain_get_type (void);

typedef struct _GstEegInfo GstEegInfo;

/**
 * GstEegInfo:
 * @format: sample format
 * @domain: counts or voltage
 * @rate_n: numerator of the sample rate in Hz, above 0
 * @rate_d: denominator of the sample rate, above 0
 * @channels: interleaved channels per frame, 1 to %GST_EEG_MAX_CHANNELS
 * @bytes_per_sample: bytes of one sample of one channel
 * @bytes_per_frame: bytes of one sample of all channels
 * @channel_table: (nullable): what the channels are; %NULL if the caps had none
 *
 * `application/x-eeg-raw` caps as a struct. Start with gst_eeg_info_init(), end
 * with gst_eeg_info_clear().
 */
struct _GstEegInfo
{
  GstEegFormat format;
  GstEegDomain domain;
  gint rate_n;
  gint rate_d;
  gint channels;
  guint bytes_per_sample;
  gsize bytes_per_frame;
  GstEegChannels *channel_table;

  /*< private >*/
  gpointer _gst_reserved[GST_PADDING];
};

#define GST_TYPE_EEG_INFO (gst_eeg_info_get_type ())
GST_EEG_API
GType gst_eeg_info_get_type (void);

GST_EEG_API
GstEegInfo *gst_eeg_info_new (void);

GST_EEG_API
GstEegInfo *gst_eeg_info_new_from_caps (const GstCaps *caps);

GST_EEG_API
void gst_eeg_info_init (GstEegInfo *info);

GST_EEG_API
void gst_eeg_info_clear (GstEegInfo *info);

GST_EEG_API
void gst_eeg_info_set (GstEegInfo *info, GstEegFormat format,
    GstEegDomain domain, gint rate_n, gint rate_d, gint channels,
    GstEegChannels *channel_table);

GST_EEG_API
void gst_eeg_info_copy_into (const GstEegInfo *info, GstEegInfo *dest);

GST_EEG_API
GstEegInfo *gst_eeg_info_copy (const GstEegInfo *info);

GST_EEG_API
void gst_eeg_info_free (GstEegInfo *info);

GST_EEG_API
gboolean gst_eeg_info_from_caps (GstEegInfo *info, const GstCaps *caps);

GST_EEG_API
GstCaps *gst_eeg_info_to_caps (const GstEegInfo *info);

GST_EEG_API
gboolean gst_eeg_info_is_equal (const GstEegInfo *a, const GstEegInfo *b);

GST_EEG_API
gboolean gst_eeg_info_is_signal (const GstEegInfo *info, guint channel);

GST_EEG_API
GstClockTime gst_eeg_info_samples_to_time (const GstEegInfo *info,
    guint64 samples);

GST_EEG_API
guint64 gst_eeg_info_time_to_samples (const GstEegInfo *info,
    GstClockTime time);

GST_EEG_API
gboolean gst_eeg_info_convert (const GstEegInfo *info, GstFormat src_format,
    gint64 src_value, GstFormat dest_format, gint64 *dest_value);

GST_EEG_API
void gst_eeg_info_stamp_buffer (const GstEegInfo *info, GstBuffer *buffer,
    guint64 first_sample, guint64 n_samples);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstEegInfo, gst_eeg_info_free)

G_END_DECLS

#endif /* __GST_EEG_INFO_H__ */
