/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_CHANNELS_H__
#define __GST_EEG_CHANNELS_H__

#include <gst/eeg/eeg-prelude.h>

G_BEGIN_DECLS

/**
 * GST_EEG_MAX_CHANNELS:
 *
 * Most channels that a table may hold. Far above any amplifier, low enough
 * that a lying header cannot make a reader allocate without bound.
 */
#define GST_EEG_MAX_CHANNELS 65536

/**
 * GstEegChannelType:
 * @GST_EEG_CHANNEL_TYPE_UNKNOWN: anything not named below; sample filters pass
 *     it unchanged
 * @GST_EEG_CHANNEL_TYPE_EEG: scalp or intracranial EEG
 * @GST_EEG_CHANNEL_TYPE_EOG: eye movement
 * @GST_EEG_CHANNEL_TYPE_EMG: muscle
 * @GST_EEG_CHANNEL_TYPE_ECG: heart
 * @GST_EEG_CHANNEL_TYPE_TRIGGER: trigger or status word, never filtered
 *
 * What a channel holds. Filters act on EEG, EOG, EMG and ECG only, see
 * gst_eeg_channel_type_is_signal().
 */
typedef enum
{
  GST_EEG_CHANNEL_TYPE_UNKNOWN = 0,
  GST_EEG_CHANNEL_TYPE_EEG,
  GST_EEG_CHANNEL_TYPE_EOG,
  GST_EEG_CHANNEL_TYPE_EMG,
  GST_EEG_CHANNEL_TYPE_ECG,
  GST_EEG_CHANNEL_TYPE_TRIGGER
} GstEegChannelType;

#define GST_TYPE_EEG_CHANNEL_TYPE (gst_eeg_channel_type_get_type ())
GST_EEG_API
GType gst_eeg_channel_type_get_type (void);

GST_EEG_API
GstEegChannelType gst_eeg_channel_type_guess (const gchar *label,
    const gchar *unit);

GST_EEG_API
gboolean gst_eeg_channel_type_is_signal (GstEegChannelType type);

typedef struct _GstEegChannel GstEegChannel;

/**
 * GstEegChannel:
 * @label: name, UTF-8, never %NULL in a table; need not be unique
 * @type: what the channel holds
 * @unit: physical dimension in UTF-8 as EDF writes it (`uV`), may be empty
 * @transducer: electrode or sensor, may be empty
 * @physical_min: physical value of @digital_min, in @unit
 * @physical_max: physical value of @digital_max, in @unit; may be below
 *     @physical_min (negative polarity)
 * @digital_min: smallest declared count
 * @digital_max: largest declared count; samples may lie outside
 * @bad: marked as unusable by a person or a check
 * @calibration_text: the characters that the four limits had in the header
 *     they came from, four fields of eight in the order physical minimum,
 *     physical maximum, digital minimum, digital maximum; empty if there was
 *     no such header. A muxer writes them back unchanged.
 * @source_index: position of the signal in the file or device it came from,
 *     counted over all rates; -1 if unknown. Orders the signals of several
 *     streams when they are written to one file.
 *
 * One row of a channel table.
 *
 * physical = (count - digital_min) * (physical_max - physical_min) /
 * (digital_max - digital_min) + physical_min.
 */
struct _GstEegChannel
{
  const gchar *label;
  GstEegChannelType type;
  const gchar *unit;
  const gchar *transducer;
  gdouble physical_min;
  gdouble physical_max;
  gint32 digital_min;
  gint32 digital_max;
  gboolean bad;
  const gchar *calibration_text;
  gint source_index;

  /*< private >*/
  gpointer _gst_reserved[GST_PADDING];
};

GST_EEG_API
gboolean gst_eeg_channel_get_calibration (const GstEegChannel *channel,
    gdouble *gain, gdouble *offset);

typedef struct _GstEegChannels GstEegChannels;

#define GST_TYPE_EEG_CHANNELS (gst_eeg_channels_get_type ())
GST_EEG_API
GType gst_eeg_channels_get_type (void);

GST_EEG_API
GstEegChannels *gst_eeg_channels_new (const GstEegChannel *channels,
    guint n_channels);

GST_EEG_API
GstEegChannels *gst_eeg_channels_ref (GstEegChannels *table);

GST_EEG_API
void gst_eeg_channels_unref (GstEegChannels *table);

GST_EEG_API
guint gst_eeg_channels_get_size (const GstEegChannels *table);

GST_EEG_API
const GstEegChannel *gst_eeg_channels_get (const GstEegChannels *table,
    guint index);

GST_EEG_API
gint gst_eeg_channels_find (const GstEegChannels *table, const gchar *label);

GST_EEG_API
gboolean gst_eeg_channels_is_equal (const GstEegChannels *a,
    const GstEegChannels *b);

GST_EEG_API
guint64 gst_eeg_channels_get_hash (const GstEegChannels *table);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstEegChannels, gst_eeg_channels_unref)

G_END_DECLS

#endif /* __GST_EEG_CHANNELS_H__ */
