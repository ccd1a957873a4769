/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An amplifier that needs no hardware: synthetic EEG, and faults on demand.
 *
 * Locking: the fault settings are under the object lock; the rest belongs to
 * the thread that calls the driver. */

#include "gsteegsyntheticdriver.h"

#include "synth.h"

#define DEFAULT_LOSS_RATE 0.0
#define DEFAULT_LOSS_BURST 1
#define DEFAULT_FAIL_AT G_MAXUINT64

/* Stream of eeg_synth_hash() for the losses, away from those of the signal */
#define LOSS_STREAM (G_GUINT64_CONSTANT (1) << 40)

enum
{
  PROP_0,
  PROP_LOSS_RATE,
  PROP_LOSS_BURST,
  PROP_FAIL_AT
};

struct settings
{
  gdouble loss_rate;
  guint loss_burst;
  guint64 fail_at;
};

struct _GstEegSyntheticDriver
{
  GstEegDriver parent;

  struct settings settings; /* under the object lock */

  eeg_synth *synth; /* while open */
  guint64 seed;
  GstEegFormat preferred;
  enum eeg_synth_format format;
};

G_DEFINE_TYPE (GstEegSyntheticDriver, gst_eeg_synthetic_driver,
    GST_TYPE_EEG_DRIVER)

static struct settings
get_settings (GstEegSyntheticDriver *self)
{
  struct settings settings;

  GST_OBJECT_LOCK (self);
  settings = self->settings;
  GST_OBJECT_UNLOCK (self);
  return settings;
}

static gboolean
gst_eeg_synthetic_driver_open (GstEegDriver *driver,
    const GstEegDriverConfig *config, GError **error)
{
  GstEegSyntheticDriver *self = GST_EEG_SYNTHETIC_DRIVER (driver);
  gint rate_n = config->rate_n, rate_d = config->rate_d;
  gchar *recording;

  if (rate_n == 0) {
    rate_n = 250;
    rate_d = 1;
  }
  self->synth = eeg_synth_new (config->seed, config->channels, rate_n, rate_d);
  if (self->synth == NULL) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
        "Not enough memory for %u channels.", config->channels);
    return FALSE;
  }
  self->seed = config->seed;
  self->preferred = config->format;
  gst_eeg_driver_set_stream (driver, rate_n, rate_d, config->channels,
      G_MAXUINT64);

  /* EDF+: start date, hospital's code, technician, equipment */
  recording =
      g_strdup_printf ("Startdate X X X synthetic_seed_%" G_GUINT64_FORMAT,
          config->seed);
  gst_eeg_driver_take_recording (driver,
      gst_structure_new ("eeg-recording", GST_EEG_RECORDING_RECORDING,
          G_TYPE_STRING, recording, NULL));
  g_free (recording);
  return TRUE;
}

static void
gst_eeg_synthetic_driver_close (GstEegDriver *driver)
{
  GstEegSyntheticDriver *self = GST_EEG_SYNTHETIC_DRIVER (driver);

  g_clear_pointer (&self->synth, eeg_synth_free);
}

static enum eeg_synth_format
to_synth_format (GstEegFormat format)
{
  switch (format) {
    case GST_EEG_FORMAT_S16LE:
      return EEG_SYNTH_S16LE;
    case GST_EEG_FORMAT_S24LE:
      return EEG_SYNTH_S24LE;
    default:
      return EEG_SYNTH_S32LE;
  }
}

static GstEegChannels *
make_table (GstEegSyntheticDriver *self, enum eeg_synth_format format)
{
  guint i, n = gst_eeg_driver_get_channels (GST_EEG_DRIVER (self));
  struct eeg_synth_channel *channels = g_new (struct eeg_synth_channel, n);
  GstEegChannel *rows = g_new0 (GstEegChannel, n);
  GstEegChannels *table;

  for (i = 0; i < n; i++) {
    eeg_synth_get_channel (self->synth, i, format, &channels[i]);
    rows[i].label = channels[i].label;
    rows[i].type = GST_EEG_CHANNEL_TYPE_EEG;
    rows[i].unit = "uV";
    rows[i].transducer = "synthetic electrode";
    rows[i].physical_min = g_ascii_strtod (channels[i].physical_min, NULL);
    rows[i].physical_max = g_ascii_strtod (channels[i].physical_max, NULL);
    rows[i].digital_min = channels[i].digital_min;
    rows[i].digital_max = channels[i].digital_max;
    rows[i].source_index = i;
  }
  table = gst_eeg_channels_new (rows, n);
  g_free (rows);
  g_free (channels);
  return table;
}

/* Appends one structure for the formats of one channel table. */
static void
append_caps (GstEegSyntheticDriver *self, GstCaps *caps, GstEegFormat first,
    GstEegFormat second)
{
  GstEegChannels *table = make_table (self, to_synth_format (first));
  GstEegInfo info;
  GstCaps *one;
  gint rate_n, rate_d;

  gst_eeg_driver_get_rate (GST_EEG_DRIVER (self), &rate_n, &rate_d);
  gst_eeg_info_init (&info);
  gst_eeg_info_set (&info, first, GST_EEG_DOMAIN_COUNTS, rate_n, rate_d,
      gst_eeg_channels_get_size (table), table);
  one = gst_eeg_info_to_caps (&info);
  if (second != GST_EEG_FORMAT_UNKNOWN) {
    GValue list = G_VALUE_INIT, value = G_VALUE_INIT;

    g_value_init (&list, GST_TYPE_LIST);
    g_value_init (&value, G_TYPE_STRING);
    g_value_set_static_string (&value, gst_eeg_format_to_string (first));
    gst_value_list_append_value (&list, &value);
    g_value_set_static_string (&value, gst_eeg_format_to_string (second));
    gst_value_list_append_value (&list, &value);
    g_value_unset (&value);
    gst_caps_set_value (one, "format", &list);
    g_value_unset (&list);
  }
  gst_caps_append (caps, one);
  gst_eeg_info_clear (&info);
  gst_eeg_channels_unref (table);
}

/* A 24-bit amplifier in three or four bytes, and a 16-bit one. */
static GstCaps *
gst_eeg_synthetic_driver_get_caps (GstEegDriver *driver)
{
  GstEegSyntheticDriver *self = GST_EEG_SYNTHETIC_DRIVER (driver);
  GstCaps *caps = gst_caps_new_empty ();
  GstEegFormat first = GST_EEG_FORMAT_S32LE, second = GST_EEG_FORMAT_S24LE;

  if (self->preferred == GST_EEG_FORMAT_S16LE)
    append_caps (self, caps, GST_EEG_FORMAT_S16LE, GST_EEG_FORMAT_UNKNOWN);
  if (self->preferred == GST_EEG_FORMAT_S24LE) {
    first = GST_EEG_FORMAT_S24LE;
    second = GST_EEG_FORMAT_S32LE;
  }
  append_caps (self, caps, first, second);
  if (self->preferred != GST_EEG_FORMAT_S16LE)
    append_caps (self, caps, GST_EEG_FORMAT_S16LE, GST_EEG_FORMAT_UNKNOWN);
  return caps;
}

static void
gst_eeg_synthetic_driver_set_format (GstEegDriver *driver, GstEegFormat format)
{
  GST_EEG_SYNTHETIC_DRIVER (driver)->format = to_synth_format (format);
}

/* Whether a burst of samples is lost depends on its number only, so that the
 * same samples are lost for every buffer size and after a seek. */
static gboolean
is_lost (GstEegSyntheticDriver *self, const struct settings *settings,
    guint64 burst)
{
  guint64 hash = eeg_synth_hash (self->seed, LOSS_STREAM, burst);

  /* 53 bits, uniform in [0, 1) */
  return (gdouble) (hash >> 11) / (gdouble) (G_GUINT64_CONSTANT (1) << 53)
      < settings->loss_rate;
}

static gboolean
gst_eeg_synthetic_driver_locate (GstEegDriver *driver, guint64 position,
    guint max_frames, GstEegDriverBlock *block, GError **error)
{
  GstEegSyntheticDriver *self = GST_EEG_SYNTHETIC_DRIVER (driver);
  struct settings settings = get_settings (self);
  guint64 first = position, end, burst;

  if (settings.loss_rate <= 0.0) {
    block->frames = max_frames;
    return TRUE;
  }

  /* no further ahead than a block: the caller wants to be in time */
  burst = first / settings.loss_burst;
  while (first - position < max_frames && is_lost (self, &settings, burst)) {
    burst++;
    first = burst * settings.loss_burst;
  }
  first = MIN (first, position + max_frames);
  block->first = first;
  if (first != position)
    block->reason = "injected fault";
  if (first - position == max_frames)
    return TRUE;

  end = first;
  while (end - first < max_frames && !is_lost (self, &settings, burst)) {
    burst++;
    end = burst * settings.loss_burst;
  }
  block->frames = MIN (end - first, max_frames);
  return TRUE;
}

static gboolean
gst_eeg_synthetic_driver_read (GstEegDriver *driver, guint64 first,
    guint frames, guint8 *data, GstEegDriverMarkerFunc marker,
    gpointer user_data, GError **error)
{
  GstEegSyntheticDriver *self = GST_EEG_SYNTHETIC_DRIVER (driver);
  struct settings settings = get_settings (self);

  if (settings.fail_at >= first && settings.fail_at - first < frames) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
        "The amplifier failed at sample %" G_GUINT64_FORMAT ", as injected.",
        settings.fail_at);
    return FALSE;
  }
  eeg_synth_render (self->synth, self->format, first, frames, data);
  return TRUE;
}

static void
gst_eeg_synthetic_driver_set_property (GObject *object, guint prop_id,
    const GValue *value, GParamSpec *pspec)
{
  GstEegSyntheticDriver *self = GST_EEG_SYNTHETIC_DRIVER (object);

  GST_OBJECT_LOCK (self);
  switch (prop_id) {
    case PROP_LOSS_RATE:
      self->settings.loss_rate = g_value_get_double (value);
      break;
    case PROP_LOSS_BURST:
      self->settings.loss_burst = g_value_get_uint (value);
      break;
    case PROP_FAIL_AT:
      self->settings.fail_at = g_value_get_uint64 (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_eeg_synthetic_driver_get_property (GObject *object, guint prop_id,
    GValue *value, GParamSpec *pspec)
{
  GstEegSyntheticDriver *self = GST_EEG_SYNTHETIC_DRIVER (object);

  GST_OBJECT_LOCK (self);
  switch (prop_id) {
    case PROP_LOSS_RATE:
      g_value_set_double (value, self->settings.loss_rate);
      break;
    case PROP_LOSS_BURST:
      g_value_set_uint (value, self->settings.loss_burst);
      break;
    case PROP_FAIL_AT:
      g_value_set_uint64 (value, self->settings.fail_at);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_eeg_synthetic_driver_finalize (GObject *object)
{
  gst_eeg_synthetic_driver_close (GST_EEG_DRIVER (object));
  G_OBJECT_CLASS (gst_eeg_synthetic_driver_parent_class)->finalize (object);
}

static void
gst_eeg_synthetic_driver_class_init (GstEegSyntheticDriverClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstEegDriverClass *driver_class = GST_EEG_DRIVER_CLASS (klass);

  object_class->set_property = gst_eeg_synthetic_driver_set_property;
  object_class->get_property = gst_eeg_synthetic_driver_get_property;
  object_class->finalize = gst_eeg_synthetic_driver_finalize;

  /**
   * GstEegSyntheticDriver:loss-rate:
   *
   * Share of the samples that the amplifier loses. Which ones depends on the
   * seed, the burst length and the sample's number only.
   */
  g_object_class_install_property (object_class, PROP_LOSS_RATE,
      g_param_spec_double ("loss-rate", "Loss rate",
          "Share of the samples that get lost, 0 to 1", 0.0, 1.0,
          DEFAULT_LOSS_RATE,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_PLAYING));
  /**
   * GstEegSyntheticDriver:loss-burst:
   *
   * Samples that get lost together.
   */
  g_object_class_install_property (object_class, PROP_LOSS_BURST,
      g_param_spec_uint ("loss-burst", "Loss burst",
          "Samples that get lost together, 1 or more", 1, G_MAXUINT,
          DEFAULT_LOSS_BURST,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_PLAYING));
  /**
   * GstEegSyntheticDriver:fail-at:
   *
   * Number of the sample at which the amplifier fails for good: the element
   * posts RESOURCE/READ.
   */
  g_object_class_install_property (object_class, PROP_FAIL_AT,
      g_param_spec_uint64 ("fail-at", "Fail at",
          "Sample at which the amplifier fails with a read error "
          "(18446744073709551615 = never)",
          0, G_MAXUINT64, DEFAULT_FAIL_AT,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_PLAYING));

  driver_class->open = gst_eeg_synthetic_driver_open;
  driver_class->close = gst_eeg_synthetic_driver_close;
  driver_class->get_caps = gst_eeg_synthetic_driver_get_caps;
  driver_class->set_format = gst_eeg_synthetic_driver_set_format;
  driver_class->locate = gst_eeg_synthetic_driver_locate;
  driver_class->read = gst_eeg_synthetic_driver_read;
}

static void
gst_eeg_synthetic_driver_init (GstEegSyntheticDriver *self)
{
  self->settings.loss_rate = DEFAULT_LOSS_RATE;
  self->settings.loss_burst = DEFAULT_LOSS_BURST;
  self->settings.fail_at = DEFAULT_FAIL_AT;
  self->format = EEG_SYNTH_S32LE;
}
