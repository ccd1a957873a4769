/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_DRIVER_H__
#define __GST_EEG_DRIVER_H__

#include <gst/eeg/eeg.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_DRIVER (gst_eeg_driver_get_type ())
G_DECLARE_DERIVABLE_TYPE (GstEegDriver, gst_eeg_driver, GST, EEG_DRIVER,
    GstObject)

/* What the element's properties ask of a driver. */
typedef struct
{
  const gchar *location; /* nullable */
  guint64 seed;
  guint channels;
  gint rate_n; /* 0: the driver chooses */
  gint rate_d;
  GstEegFormat format;
} GstEegDriverConfig;

/* The next frames there are at or behind a position. */
typedef struct
{
  guint64 first; /* of the frames; behind the position: some are missing */
  guint frames;  /* how many are there in a row, 0: none before first */
  const gchar *reason; /* why the missing ones were lost; NULL: none was lost,
                        * the recording has a gap */
} GstEegDriverBlock;

/* Takes a marker; its time counts from sample 0 of the driver. */
typedef void (*GstEegDriverMarkerFunc) (GstClockTime time,
    GstClockTime duration, const gchar *text, gpointer user_data);

/**
 * GstEegDriverClass:
 * @parent_class: parent
 * @open: opens the device or file and finds out what it delivers. Sets the
 *     public fields of #GstEegDriver.
 * @close: undoes @open; also called after a failed one
 * @get_caps: (transfer full): all caps it can deliver, the best first
 * @set_format: delivers @format from now on
 * @locate: finds the next frames from @position on, at most @max_frames of
 *     them. Frames at @position or behind it may be missing: then
 *     @block->first says where the next ones are. @block->frames = 0 with
 *     @block->first = @position says that there are none any more.
 * @identify: says by what the input can be recognised; not the position.
 *     Without it the driver needs no input
 * @get_alignment: frames of a record of the input, 1 if there are none
 * @read: writes @frames frames from @first on, as located, to @data, and gives
 *     their markers
 *
 * A driver turns the bytes of a device or file into frames. It knows nothing
 * of buffers, clocks and threads; the element calls it from one thread at a
 * time. Frames are counted from 0, lost ones and gaps included, and can be
 * asked for in any order.
 */
struct _GstEegDriverClass
{
  GstObjectClass parent_class;

  gboolean (*open) (GstEegDriver *driver, const GstEegDriverConfig *config,
      GError **error);
  void (*close) (GstEegDriver *driver);
  GstCaps *(*get_caps) (GstEegDriver *driver);
  void (*set_format) (GstEegDriver *driver, GstEegFormat format);
  gboolean (*locate) (GstEegDriver *driver, guint64 position, guint max_frames,
      GstEegDriverBlock *block, GError **error);
  gboolean (*read) (GstEegDriver *driver, guint64 first, guint frames,
      guint8 *data, GstEegDriverMarkerFunc marker, gpointer user_data,
      GError **error);
  gboolean (*identify) (GstEegDriver *driver, GstEegBarrierInput *input,
      GError **error);
  guint (*get_alignment) (GstEegDriver *driver);
};

void gst_eeg_driver_set_stream (GstEegDriver *driver, gint rate_n, gint rate_d,
    guint channels, guint64 total);

void gst_eeg_driver_take_recording (GstEegDriver *driver,
    GstStructure *recording);

void gst_eeg_driver_take_streams (GstEegDriver *driver, GstStructure *streams);

gboolean gst_eeg_driver_open (GstEegDriver *driver,
    const GstEegDriverConfig *config, GError **error);

void gst_eeg_driver_close (GstEegDriver *driver);

void gst_eeg_driver_get_rate (GstEegDriver *driver, gint *rate_n, gint *rate_d);

guint gst_eeg_driver_get_channels (GstEegDriver *driver);

guint64 gst_eeg_driver_get_total (GstEegDriver *driver);

const GstStructure *gst_eeg_driver_get_recording (GstEegDriver *driver);

const GstStructure *gst_eeg_driver_get_streams (GstEegDriver *driver);

GstCaps *gst_eeg_driver_get_caps (GstEegDriver *driver);

void gst_eeg_driver_set_format (GstEegDriver *driver, GstEegFormat format);

gboolean gst_eeg_driver_locate (GstEegDriver *driver, guint64 position,
    guint max_frames, GstEegDriverBlock *block, GError **error);

gboolean gst_eeg_driver_read (GstEegDriver *driver, guint64 first, guint frames,
    guint8 *data, GstEegDriverMarkerFunc marker, gpointer user_data,
    GError **error);

gboolean gst_eeg_driver_has_input (GstEegDriver *driver);

gboolean gst_eeg_driver_identify (GstEegDriver *driver,
    GstEegBarrierInput *input, GError **error);

guint gst_eeg_driver_get_alignment (GstEegDriver *driver);

G_END_DECLS

#endif /* __GST_EEG_DRIVER_H__ */
