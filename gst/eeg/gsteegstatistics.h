/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_STATISTICS_H__
#define __GST_EEG_STATISTICS_H__

#include <gst/eeg/eeg-prelude.h>

G_BEGIN_DECLS

/**
 * GstEegBand:
 * @GST_EEG_BAND_DELTA: 0.5 to 4 Hz
 * @GST_EEG_BAND_THETA: 4 to 8 Hz
 * @GST_EEG_BAND_ALPHA: 8 to 13 Hz
 * @GST_EEG_BAND_BETA: 13 to 30 Hz
 * @GST_EEG_BAND_GAMMA: 30 to 45 Hz, below the mains
 *
 * The frequency bands of EEG, each from its lower end to before its upper one.
 */
typedef enum
{
  GST_EEG_BAND_DELTA = 0,
  GST_EEG_BAND_THETA,
  GST_EEG_BAND_ALPHA,
  GST_EEG_BAND_BETA,
  GST_EEG_BAND_GAMMA
} GstEegBand;

/**
 * GST_EEG_N_BANDS:
 *
 * How many bands there are.
 */
#define GST_EEG_N_BANDS 5

#define GST_TYPE_EEG_BAND (gst_eeg_band_get_type ())
GST_EEG_API
GType gst_eeg_band_get_type (void);

GST_EEG_API
const gchar *gst_eeg_band_to_string (GstEegBand band);

GST_EEG_API
void gst_eeg_band_get_limits (GstEegBand band, gdouble *low, gdouble *high);

typedef struct _GstEegChannelStatistics GstEegChannelStatistics;

/**
 * GstEegChannelStatistics:
 * @samples: samples that are numbers; if 0, all others are 0 too
 * @mean: their mean, in the channel's unit
 * @rms: root of their mean square, the mean included, in the channel's unit
 * @peak_to_peak: highest less lowest value, in the channel's unit
 * @bands: power in each #GstEegBand, in the square of the channel's unit
 * @mains_ratio: power within 1 Hz of the mains over that of all frequencies
 *     above 0, from 0 to 1
 *
 * What one channel was like in a window.
 */
struct _GstEegChannelStatistics
{
  guint64 samples;
  gdouble mean;
  gdouble rms;
  gdouble peak_to_peak;
  gdouble bands[GST_EEG_N_BANDS];
  gdouble mains_ratio;

  /*< private >*/
  gpointer _gst_reserved[GST_PADDING];
};

typedef struct _GstEegStatistics GstEegStatistics;

#define GST_TYPE_EEG_STATISTICS (gst_eeg_statistics_get_type ())
GST_EEG_API
GType gst_eeg_statistics_get_type (void);

GST_EEG_API
GstEegStatistics *gst_eeg_statistics_new (guint64 first, guint64 count,
    GstClockTime time, GstClockTime duration,
    const GstEegChannelStatistics *channels, guint n_channels);

GST_EEG_API
GstEegStatistics *gst_eeg_statistics_ref (GstEegStatistics *statistics);

GST_EEG_API
void gst_eeg_statistics_unref (GstEegStatistics *statistics);

GST_EEG_API
guint64 gst_eeg_statistics_get_first (const GstEegStatistics *statistics);

GST_EEG_API
guint64 gst_eeg_statistics_get_count (const GstEegStatistics *statistics);

GST_EEG_API
GstClockTime gst_eeg_statistics_get_time (const GstEegStatistics *statistics);

GST_EEG_API
GstClockTime gst_eeg_statistics_get_duration (
    const GstEegStatistics *statistics);

GST_EEG_API
guint gst_eeg_statistics_get_size (const GstEegStatistics *statistics);

GST_EEG_API
const GstEegChannelStatistics *gst_eeg_statistics_get (const GstEegStatistics
                                                           *statistics,
    guint channel);

GST_EEG_API
GstMessage *gst_eeg_message_new_statistics (GstObject *src,
    const GstEegStatistics *statistics);

GST_EEG_API
GstEegStatistics *gst_eeg_message_parse_statistics (GstMessage *message);

typedef struct _GstEegStatisticsMeta GstEegStatisticsMeta;

/**
 * GstEegStatisticsMeta:
 * @meta: parent
 * @statistics: of a window that ends in the buffer
 *
 * Statistics on the buffer that holds the last sample of their window. There
 * may be several on one.
 */
struct _GstEegStatisticsMeta
{
  GstMeta meta;

  GstEegStatistics *statistics;
};

#define GST_EEG_STATISTICS_META_API_TYPE                                       \
  (gst_eeg_statistics_meta_api_get_type ())
GST_EEG_API
GType gst_eeg_statistics_meta_api_get_type (void);

#define GST_EEG_STATISTICS_META_INFO (gst_eeg_statistics_meta_get_info ())
GST_EEG_API
const GstMetaInfo *gst_eeg_statistics_meta_get_info (void);

GST_EEG_API
GstEegStatisticsMeta *gst_buffer_add_eeg_statistics_meta (GstBuffer *buffer,
    GstEegStatistics *statistics);

GST_EEG_API
GstEegStatisticsMeta *gst_buffer_iterate_eeg_statistics_meta (GstBuffer *buffer,
    gpointer *state);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstEegStatistics, gst_eeg_statistics_unref)

G_END_DECLS

#endif /* __GST_EEG_STATISTICS_H__ */
