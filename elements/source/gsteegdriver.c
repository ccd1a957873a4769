/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The vtable behind which the devices and files of eegsrc stand. */

#include "gsteegdriver.h"

typedef struct
{
  gint rate_n;
  gint rate_d;
  guint channels;
  guint64 total;
  GstStructure *recording;
  GstStructure *streams;
} GstEegDriverPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (GstEegDriver, gst_eeg_driver,
    GST_TYPE_OBJECT)

static GstEegDriverPrivate *
get_private (GstEegDriver *driver)
{
  return gst_eeg_driver_get_instance_private (driver);
}

/* For open(): samples per second and channel, channels, and frames from the
 * first to the last, gaps included; G_MAXUINT64 when there is no end. */
void
gst_eeg_driver_set_stream (GstEegDriver *driver, gint rate_n, gint rate_d,
    guint channels, guint64 total)
{
  GstEegDriverPrivate *priv = get_private (driver);

  priv->rate_n = rate_n;
  priv->rate_d = rate_d;
  priv->channels = channels;
  priv->total = total;
}

/* For open(): the fields of the eeg-recording event; transfer full, nullable */
void
gst_eeg_driver_take_recording (GstEegDriver *driver, GstStructure *recording)
{
  GstEegDriverPrivate *priv = get_private (driver);

  g_clear_pointer (&priv->recording, gst_structure_free);
  priv->recording = recording;
}

/* For open(): what else could be delivered, as the content of an eeg-streams
 * message; transfer full, NULL when there is only one stream */
void
gst_eeg_driver_take_streams (GstEegDriver *driver, GstStructure *streams)
{
  GstEegDriverPrivate *priv = get_private (driver);

  g_clear_pointer (&priv->streams, gst_structure_free);
  priv->streams = streams;
}

gboolean
gst_eeg_driver_open (GstEegDriver *driver, const GstEegDriverConfig *config,
    GError **error)
{
  if (GST_EEG_DRIVER_GET_CLASS (driver)->open (driver, config, error))
    return TRUE;
  gst_eeg_driver_close (driver);
  return FALSE;
}

void
gst_eeg_driver_close (GstEegDriver *driver)
{
  GST_EEG_DRIVER_GET_CLASS (driver)->close (driver);
  gst_eeg_driver_take_recording (driver, NULL);
  gst_eeg_driver_take_streams (driver, NULL);
}

void
gst_eeg_driver_get_rate (GstEegDriver *driver, gint *rate_n, gint *rate_d)
{
  GstEegDriverPrivate *priv = get_private (driver);

  *rate_n = priv->rate_n;
  *rate_d = priv->rate_d;
}

guint
gst_eeg_driver_get_channels (GstEegDriver *driver)
{
  return get_private (driver)->channels;
}

guint64
gst_eeg_driver_get_total (GstEegDriver *driver)
{
  return get_private (driver)->total;
}

const GstStructure *
gst_eeg_driver_get_recording (GstEegDriver *driver)
{
  return get_private (driver)->recording;
}

const GstStructure *
gst_eeg_driver_get_streams (GstEegDriver *driver)
{
  return get_private (driver)->streams;
}

GstCaps *
gst_eeg_driver_get_caps (GstEegDriver *driver)
{
  return GST_EEG_DRIVER_GET_CLASS (driver)->get_caps (driver);
}

void
gst_eeg_driver_set_format (GstEegDriver *driver, GstEegFormat format)
{
  GST_EEG_DRIVER_GET_CLASS (driver)->set_format (driver, format);
}

gboolean
gst_eeg_driver_locate (GstEegDriver *driver, guint64 position, guint max_frames,
    GstEegDriverBlock *block, GError **error)
{
  block->first = position;
  block->frames = 0;
  block->reason = NULL;
  return GST_EEG_DRIVER_GET_CLASS (driver)->locate (driver, position,
      max_frames, block, error);
}

gboolean
gst_eeg_driver_has_input (GstEegDriver *driver)
{
  return GST_EEG_DRIVER_GET_CLASS (driver)->identify != NULL;
}

/* Of a driver that has an input; its path is to be freed. */
gboolean
gst_eeg_driver_identify (GstEegDriver *driver, GstEegBarrierInput *input,
    GError **error)
{
  return GST_EEG_DRIVER_GET_CLASS (driver)->identify (driver, input, error);
}

guint
gst_eeg_driver_get_alignment (GstEegDriver *driver)
{
  GstEegDriverClass *klass = GST_EEG_DRIVER_GET_CLASS (driver);

  return klass->get_alignment != NULL ? klass->get_alignment (driver) : 1;
}

gboolean
gst_eeg_driver_read (GstEegDriver *driver, guint64 first, guint frames,
    guint8 *data, GstEegDriverMarkerFunc marker, gpointer user_data,
    GError **error)
{
  return GST_EEG_DRIVER_GET_CLASS (driver)->read (driver, first, frames, data,
      marker, user_data, error);
}

static void
gst_eeg_driver_finalize (GObject *object)
{
  gst_eeg_driver_take_recording (GST_EEG_DRIVER (object), NULL);
  gst_eeg_driver_take_streams (GST_EEG_DRIVER (object), NULL);
  G_OBJECT_CLASS (gst_eeg_driver_parent_class)->finalize (object);
}

static void
gst_eeg_driver_class_init (GstEegDriverClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = gst_eeg_driver_finalize;
}

static void
gst_eeg_driver_init (GstEegDriver *driver)
{
}
