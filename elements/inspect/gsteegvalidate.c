/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-eegvalidate
 * @title: eegvalidate
 * @short_description: looks for faults in EEG
 *
 * Looks at each channel for flat lines, clipping, values out of range or no
 * numbers and excessive mains, and at the stream for gaps and a wrong rate. It
 * goes on after a fault: what is found is posted, counted, and, as `on-fail`
 * says, marked, left out or made an error.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 -m eegsrc num-samples=10000 ! rawtovoltage ! \
 *     eegvalidate on-fail=flag ! fakesink
 * ]|
 *
 * Takes `application/x-eeg-raw, domain=voltage` in F32LE or F64LE; samples are
 * not changed and buffers pass on untouched where nothing is wrong. Nothing is
 * held back: no latency; GAP, flush and EOS pass at once. Windows are counted
 * from where a run of samples begins; flat lines and mains are judged over
 * whole windows, at their last sample, anything else at once. To have whole
 * windows marked or left out, put an eegbatch with as many samples in front.
 *
 * Every property can be changed while playing, from the next buffer on; a new
 * window begins there. What cannot be met is refused with a warning, and all
 * properties stay as they were.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsteegvalidate.h"

#include <math.h>
#include <string.h>

#include "scan.h"

#define GST_CAT_DEFAULT gst_eeg_validate_debug
GST_DEBUG_CATEGORY_STATIC (GST_CAT_DEFAULT);

#define DEFAULT_CHECKS CHECK_ALL
#define DEFAULT_ON_FAIL ON_FAIL_MESSAGE
#define DEFAULT_FLAT_LIMIT 0.1
#define DEFAULT_CLIP_SAMPLES 3
#define DEFAULT_RANGE 0.0
#define DEFAULT_MAINS_FREQUENCY 0.0
#define DEFAULT_MAINS_LIMIT 0.5
#define DEFAULT_RATE_LIMIT 5000.0

/* The clock is asked for the rate over so long a time, or a window if that is
 * longer: what a buffer is late by counts little then. */
#define RATE_INTERVAL (10 * GST_SECOND)

/* Labels that a marker names before it only counts. */
#define MAX_LABELS 8

typedef enum
{
  CHECK_FLAT,
  CHECK_CLIPPING,
  CHECK_RANGE,
  CHECK_NOT_FINITE,
  CHECK_MAINS,
  CHECK_GAP,
  CHECK_RATE,
  N_CHECKS
} Check;

#define CHECK_ALL ((1 << N_CHECKS) - 1)
#define N_CHANNEL_CHECKS CHECK_GAP

static const gchar *const check_names[N_CHECKS] = { "flat", "clipping", "range",
  "non-finite", "mains", "gap", "rate" };

typedef enum
{
  ON_FAIL_MESSAGE,
  ON_FAIL_FLAG,
  ON_FAIL_GAP,
  ON_FAIL_ERROR
} OnFail;

enum
{
  PROP_0,
  PROP_CHECKS,
  PROP_ON_FAIL,
  PROP_FLAT_LIMIT,
  PROP_CLIP_SAMPLES,
  PROP_RANGE,
  PROP_MAINS_FREQUENCY,
  PROP_MAINS_LIMIT,
  PROP_RATE_LIMIT,
  PROP_REJECTED
};

typedef struct
{
  GstEegInspectorSettings inspector;
  guint checks;
  OnFail on_fail;
  gdouble flat_limit; /* uV */
  guint clip_samples;
  gdouble range;           /* uV, 0: as declared */
  gdouble mains_frequency; /* Hz, 0: 50 and 60 */
  gdouble mains_limit;     /* share of the power */
  gdouble rate_limit;      /* ppm */
} Settings;

/* What a buffer was found to have: a check, where, and in which channels. */
typedef struct
{
  Check check;
  guint64 first, n; /* samples */
  gdouble limit;
  GArray *channels; /* of guint */
  GArray *values;   /* of gdouble, one for each */
} Finding;

struct _GstEegValidate
{
  GstEegInspector parent;

  /* object lock */
  gsize memory;
  guint64 n_rejected;        /* buffers */
  guint64 n_found[N_CHECKS]; /* channels and windows, or events */
  guint64 *n_channel;        /* found in each channel */
  guint n_channels;

  gint paused; /* atomic: the clock did not count since the last buffer */

  /* streaming thread */
  Settings use;
  gsize window; /* frames */
  eeg_scan *scan;
  guint n_tones;
  guint8 *judged;    /* per channel, the checks that are for it */
  guint8 *failing;   /* per channel, the checks that have failed since their
                        beginning was posted */
  guint8 *seen;      /* per channel, those that failed in this window */
  gdouble *units;    /* per channel, of its unit in a uV */
  GPtrArray *found;  /* of Finding, in the buffer at hand */
  guint n_posted;    /* of these posted */
  guint64 counted;   /* index up to which what is counted was judged */
  guint64 next;      /* index expected, NONE where any is right */
  guint64 pts_index; /* sample of pts, NONE without one */
  GstClockTime pts;  /* from which stamps are counted */
  gboolean is_live;
  guint64 clock_index; /* sample that came at clock_time, NONE without one */
  GstClockTime clock_time;
};

/* Locking: see the parent. The streaming thread posts and pushes without it. */

#define FORMATS "{ F32LE, F64LE }"

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (GST_EEG_RAW_CAPS_MAKE (FORMATS, "voltage")));

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (GST_EEG_RAW_CAPS_MAKE (FORMATS, "voltage")));

G_DEFINE_TYPE_WITH_CODE (GstEegValidate, gst_eeg_validate,
    GST_TYPE_EEG_INSPECTOR,
    GST_DEBUG_CATEGORY_INIT (GST_CAT_DEFAULT, "eegvalidate", 0,
        "faults in EEG"))
GST_ELEMENT_REGISTER_DEFINE (eegvalidate, "eegvalidate", GST_RANK_NONE,
    GST_TYPE_EEG_VALIDATE)

static GType
checks_get_type (void)
{
  static gsize type = 0;
  static const GFlagsValue values[] = {
    { 1 << CHECK_FLAT, "Flat lines", "flat" },
    { 1 << CHECK_CLIPPING, "Samples at a rail", "clipping" },
    { 1 << CHECK_RANGE, "Samples out of range", "range" },
    { 1 << CHECK_NOT_FINITE, "NaN and infinite samples", "non-finite" },
    { 1 << CHECK_MAINS, "Excessive mains", "mains" },
    { 1 << CHECK_GAP, "Lost samples", "gap" },
    { 1 << CHECK_RATE, "Samples faster or slower than the caps say", "rate" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_flags_register_static ("GstEegValidateChecks", values));
  return type;
}

static GType
on_fail_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { ON_FAIL_MESSAGE, "Post a message", "message" },
    { ON_FAIL_FLAG, "Mark the buffer as corrupted, with BAD_ markers, too",
        "flag" },
    { ON_FAIL_GAP, "Leave the buffer out, which is a loss, too", "gap" },
    { ON_FAIL_ERROR, "Stop with an error", "error" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstEegValidateOnFail", values));
  return type;
}

/* ---- settings ---- */

static gboolean
gst_eeg_validate_check (gconstpointer data, const GstEegInfo *info,
    gsize window, GError **error)
{
  const Settings *settings = data;
  const gchar *wrong = NULL;

  /* comparisons that NaN fails */
  if (!(settings->flat_limit >= 0 && isfinite (settings->flat_limit)))
    wrong = "flat-limit must be 0 uV or more";
  else if (settings->clip_samples < 1)
    wrong = "clip-samples must be 1 or more";
  else if (!(settings->range >= 0 && isfinite (settings->range)))
    wrong = "range must be 0 uV or more";
  else if (!(settings->mains_frequency >= 0
               && isfinite (settings->mains_frequency)))
    wrong = "mains-frequency must be 0 Hz or more";
  else if (!(settings->mains_limit > 0 && settings->mains_limit <= 1))
    wrong = "mains-limit must lie above 0 and be 1 or less";
  else if (!(settings->rate_limit > 0 && isfinite (settings->rate_limit)))
    wrong = "rate-limit must lie above 0 ppm";
  if (wrong == NULL)
    return TRUE;
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, "%s.",
      wrong);
  return FALSE;
}

/* ---- what is found ---- */

static void
finding_free (gpointer data)
{
  Finding *finding = data;

  g_array_unref (finding->channels);
  g_array_unref (finding->values);
  g_free (finding);
}

static Finding *
new_finding (GstEegValidate *self, Check check, guint64 first, guint64 n,
    gdouble limit)
{
  Finding *finding = g_new (Finding, 1);

  finding->check = check;
  finding->first = first;
  finding->n = n;
  finding->limit = limit;
  finding->channels = g_array_new (FALSE, FALSE, sizeof (guint));
  finding->values = g_array_new (FALSE, FALSE, sizeof (gdouble));
  g_ptr_array_add (self->found, finding);
  return finding;
}

/* Of this buffer; one for each check and window, made when first needed. */
static Finding *
get_finding (GstEegValidate *self, Check check, guint64 first, guint64 n,
    gdouble limit)
{
  guint i;

  for (i = 0; i < self->found->len; i++) {
    Finding *finding = g_ptr_array_index (self->found, i);

    if (finding->check == check && finding->first == first)
      return finding;
  }
  return new_finding (self, check, first, n, limit);
}

static const gchar *
get_label (const GstEegInfo *info, guint channel)
{
  return info->channel_table != NULL
      ? gst_eeg_channels_get (info->channel_table, channel)->label
      : "";
}

/* A channel failed a check. */
static void
find_fault (GstEegValidate *self, Check check, guint channel, guint64 first,
    guint64 n, gdouble limit, gdouble value)
{
  Finding *finding = get_finding (self, check, first, n, limit);

  g_array_append_val (finding->channels, channel);
  g_array_append_val (finding->values, value);
  if (self->seen[channel] & (1 << check))
    return;
  self->seen[channel] |= 1 << check;
  GST_OBJECT_LOCK (self);
  self->n_found[check]++;
  self->n_channel[channel]++;
  GST_OBJECT_UNLOCK (self);
}

static void
append (GValue *list, GType type, gpointer value)
{
  GValue item = G_VALUE_INIT;

  g_value_init (&item, type);
  if (type == G_TYPE_UINT)
    g_value_set_uint (&item, *(guint *) value);
  else if (type == G_TYPE_DOUBLE)
    g_value_set_double (&item, *(gdouble *) value);
  else
    g_value_set_string (&item, value);
  gst_value_array_append_and_take_value (list, &item);
}

/* Posts that a check begins or ceases to fail in these channels. */
static void
post_fault (GstEegValidate *self, const Finding *finding, gboolean begins)
{
  const GstEegInfo *info = gst_eeg_filter_get_in_info (GST_EEG_FILTER (self));
  GValue channels = G_VALUE_INIT, labels = G_VALUE_INIT, values = G_VALUE_INIT;
  GstClockTime start = gst_eeg_info_samples_to_time (info, finding->first);
  GstClockTime end =
      gst_eeg_info_samples_to_time (info, finding->first + finding->n);
  GstStructure *s = gst_structure_new ("eeg-fault", "check", G_TYPE_STRING,
      check_names[finding->check], "state", G_TYPE_STRING,
      begins ? "begin" : "end", "first", G_TYPE_UINT64, finding->first, "count",
      G_TYPE_UINT64, finding->n, "time", G_TYPE_UINT64, start, "duration",
      G_TYPE_UINT64, end - start, "limit", G_TYPE_DOUBLE, finding->limit, NULL);
  guint i;

  gst_value_array_init (&channels, finding->channels->len);
  gst_value_array_init (&labels, finding->channels->len);
  gst_value_array_init (&values, finding->values->len);
  for (i = 0; i < finding->channels->len; i++) {
    guint channel = g_array_index (finding->channels, guint, i);

    append (&channels, G_TYPE_UINT, &channel);
    append (&labels, G_TYPE_STRING, (gpointer) get_label (info, channel));
  }
  for (i = 0; i < finding->values->len; i++)
    append (&values, G_TYPE_DOUBLE,
        &g_array_index (finding->values, gdouble, i));
  gst_structure_take_value (s, "channels", &channels);
  gst_structure_take_value (s, "labels", &labels);
  gst_structure_take_value (s, "values", &values);
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self), s));
}

/* Posts what was not failing before. */
static void
post_beginnings (GstEegValidate *self)
{
  guint i, k, kept;

  for (i = self->n_posted; i < self->found->len; i++) {
    Finding *finding = g_ptr_array_index (self->found, i);
    Finding fresh = *finding;

    if (finding->check >= N_CHANNEL_CHECKS) {
      post_fault (self, finding, TRUE);
      continue;
    }
    fresh.channels = g_array_new (FALSE, FALSE, sizeof (guint));
    fresh.values = g_array_new (FALSE, FALSE, sizeof (gdouble));
    for (k = kept = 0; k < finding->channels->len; k++) {
      guint channel = g_array_index (finding->channels, guint, k);

      if (self->failing[channel] & (1 << finding->check))
        continue;
      self->failing[channel] |= 1 << finding->check;
      g_array_append_val (fresh.channels, channel);
      g_array_append_vals (fresh.values,
          &g_array_index (finding->values, gdouble, k), 1);
      kept++;
    }
    if (kept > 0)
      post_fault (self, &fresh, TRUE);
    g_array_unref (fresh.channels);
    g_array_unref (fresh.values);
  }
  self->n_posted = self->found->len;
}

static void
clear_found (GstEegValidate *self)
{
  g_ptr_array_set_size (self->found, 0);
  self->n_posted = 0;
}

/* Posts what failed before and did not in the window that has ended. */
static void
post_ends (GstEegValidate *self, const GstEegInfo *info, guint64 first,
    guint64 n)
{
  guint check;
  gint c;

  for (check = 0; check < N_CHANNEL_CHECKS; check++) {
    Finding finding = { .check = check, .first = first, .n = n };

    for (c = 0; c < info->channels; c++) {
      if (!(self->failing[c] & ~self->seen[c] & (1 << check)))
        continue;
      self->failing[c] &= ~(1 << check);
      if (finding.channels == NULL) {
        finding.channels = g_array_new (FALSE, FALSE, sizeof (guint));
        finding.values = g_array_new (FALSE, FALSE, sizeof (gdouble));
      }
      g_array_append_val (finding.channels, c);
    }
    if (finding.channels == NULL)
      continue;
    post_fault (self, &finding, FALSE);
    g_array_unref (finding.channels);
    g_array_unref (finding.values);
  }
}

/* "BAD_flat C3,C4": MNE leaves out what lies under such an annotation. */
static gchar *
describe_finding (const Finding *finding, const GstEegInfo *info)
{
  GString *text = g_string_new ("BAD_");
  guint i, n = finding->channels->len;

  g_string_append (text, check_names[finding->check]);
  for (i = 0; i < MIN (n, MAX_LABELS); i++) {
    guint channel = g_array_index (finding->channels, guint, i);

    g_string_append_c (text, i == 0 ? ' ' : ',');
    if (info->channel_table != NULL)
      g_string_append (text, get_label (info, channel));
    else
      g_string_append_printf (text, "%u", channel);
  }
  if (n > MAX_LABELS)
    g_string_append_printf (text, " and %u more", n - MAX_LABELS);
  return g_string_free (text, FALSE);
}

static GstBuffer *
mark_buffer (GstEegValidate *self, GstBuffer *buffer)
{
  const GstEegInfo *info = gst_eeg_filter_get_in_info (GST_EEG_FILTER (self));
  guint i;

  buffer = gst_buffer_make_writable (buffer);
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_CORRUPTED);
  for (i = 0; i < self->found->len; i++) {
    const Finding *finding = g_ptr_array_index (self->found, i);
    gchar *text = describe_finding (finding, info);
    GstClockTime start = gst_eeg_info_samples_to_time (info, finding->first);
    GstClockTime end =
        gst_eeg_info_samples_to_time (info, finding->first + finding->n);

    gst_buffer_add_eeg_marker_meta (buffer, start, end - start, text);
    g_free (text);
  }
  return buffer;
}

static void
post_error (GstEegValidate *self)
{
  const GstEegInfo *info = gst_eeg_filter_get_in_info (GST_EEG_FILTER (self));
  GString *text = g_string_new (NULL);
  guint i;

  for (i = 0; i < self->found->len; i++) {
    const Finding *finding = g_ptr_array_index (self->found, i);
    gchar *one = describe_finding (finding, info);

    g_string_append_printf (text,
        "%s%s from sample %" G_GUINT64_FORMAT " on, %" G_GUINT64_FORMAT
        " samples",
        i > 0 ? "; " : "", one + strlen ("BAD_"), finding->first, finding->n);
    g_free (one);
  }
  gst_eeg_stage_count (&gst_eeg_filter_get_counters (GST_EEG_FILTER (self))
                            ->errors,
      1);
  GST_ELEMENT_ERROR (self, STREAM, FAILED,
      ("The samples are not valid: %s.", text->str), (NULL));
  g_string_free (text, TRUE);
}

/* ---- samples ---- */

/* Of one uV in the channel's unit */
static gdouble
find_unit (const gchar *unit)
{
  static const struct
  {
    const gchar *unit;
    gdouble value;
  } units[] = { { "V", 1e-6 }, { "mV", 1e-3 }, { "nV", 1e3 } };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (units); i++) {
    if (strcmp (unit, units[i].unit) == 0)
      return units[i].value;
  }
  return 1.0;
}

/* The limits of one channel, open where there is no check. A declared limit
 * has half a digital step of room, which rounding may take. */
static void
find_limits (GstEegValidate *self, const GstEegChannel *channel, guint c,
    gdouble *low, gdouble *high, gdouble *rail_low, gdouble *rail_high)
{
  gdouble min = -INFINITY, max = INFINITY, step = 0;

  if (channel != NULL && channel->physical_min != channel->physical_max) {
    min = MIN (channel->physical_min, channel->physical_max);
    max = MAX (channel->physical_min, channel->physical_max);
    if (channel->digital_max > channel->digital_min)
      step =
          (max - min) / ((gdouble) channel->digital_max - channel->digital_min);
  }
  *low = *rail_low = -INFINITY;
  *high = *rail_high = INFINITY;
  if (self->judged[c] & (1 << CHECK_RANGE)) {
    *low = self->use.range > 0 ? -self->use.range * self->units[c]
                               : min - step / 2;
    *high =
        self->use.range > 0 ? self->use.range * self->units[c] : max + step / 2;
  }
  if (self->judged[c] & (1 << CHECK_CLIPPING)) {
    *rail_low = min + step / 2;
    *rail_high = max - step / 2;
  }
}

static void
clear_channels (GstEegValidate *self)
{
  guint64 *n_channel;

  g_clear_pointer (&self->scan, eeg_scan_free);
  g_clear_pointer (&self->judged, g_free);
  g_clear_pointer (&self->failing, g_free);
  g_clear_pointer (&self->seen, g_free);
  g_clear_pointer (&self->units, g_free);
  GST_OBJECT_LOCK (self);
  n_channel = g_steal_pointer (&self->n_channel);
  self->n_channels = 0;
  self->memory = 0;
  GST_OBJECT_UNLOCK (self);
  g_free (n_channel);
}

/* What is left of what was counted, if the channels are the same number. */
static void
make_channels (GstEegValidate *self, guint n)
{
  guint64 *n_channel = g_new0 (guint64, n), *old;

  GST_OBJECT_LOCK (self);
  if (self->n_channels == n)
    memcpy (n_channel, self->n_channel, n * sizeof *n_channel);
  GST_OBJECT_UNLOCK (self);
  clear_channels (self);
  self->judged = g_new0 (guint8, n);
  self->failing = g_new0 (guint8, n);
  self->seen = g_new0 (guint8, n);
  self->units = g_new (gdouble, n);
  GST_OBJECT_LOCK (self);
  old = self->n_channel;
  self->n_channel = n_channel;
  self->n_channels = n;
  GST_OBJECT_UNLOCK (self);
  g_free (old);
}

static void
choose_checks (GstEegValidate *self, const GstEegInfo *info)
{
  gint c;

  for (c = 0; c < info->channels; c++) {
    const GstEegChannel *channel = info->channel_table != NULL
        ? gst_eeg_channels_get (info->channel_table, c)
        : NULL;

    self->units[c] = channel != NULL ? find_unit (channel->unit) : 1.0;
    if (channel != NULL && channel->bad)
      self->judged[c] = 0;
    else if (channel == NULL || gst_eeg_channel_type_is_signal (channel->type))
      self->judged[c] = self->use.checks & ((1 << N_CHANNEL_CHECKS) - 1);
    else
      self->judged[c] = self->use.checks & (1 << CHECK_NOT_FINITE);
  }
}

static gboolean
gst_eeg_validate_set_up (GstEegInspector *inspector, const GstEegInfo *info,
    gsize window, GError **error)
{
  GstEegValidate *self = GST_EEG_VALIDATE (inspector);
  const gdouble rate = (gdouble) info->rate_n / info->rate_d;
  eeg_scan_config config = { .channels = info->channels,
    .format =
        info->format == GST_EEG_FORMAT_F32LE ? EEG_SCAN_F32 : EEG_SCAN_F64,
    .cpu = eeg_cpu_choose () };
  static const gdouble usual[] = { 50, 60 };
  gdouble *limits;
  guint i;
  gint c;

  gst_eeg_filter_get_active_settings (GST_EEG_FILTER (self), &self->use);
  self->window = window;
  make_channels (self, info->channels);
  choose_checks (self, info);
  for (i = 0; i < 2 && (self->use.checks & (1 << CHECK_MAINS)); i++) {
    gdouble frequency = self->use.mains_frequency;

    if (frequency == 0)
      frequency = usual[i];
    else if (i == 1)
      break;
    if (frequency / rate < 0.5)
      config.tones[config.n_tones++] = frequency / rate;
  }
  limits = g_new (gdouble, 4 * info->channels);
  for (c = 0; c < info->channels; c++)
    find_limits (self,
        info->channel_table != NULL
            ? gst_eeg_channels_get (info->channel_table, c)
            : NULL,
        c, limits + c, limits + info->channels + c,
        limits + 2 * info->channels + c, limits + 3 * info->channels + c);
  if (self->use.checks & (1 << CHECK_RANGE | 1 << CHECK_CLIPPING)) {
    config.low = limits;
    config.high = limits + info->channels;
    config.rail_low = limits + 2 * info->channels;
    config.rail_high = limits + 3 * info->channels;
    config.clip_samples = self->use.clip_samples;
  }
  self->n_tones = config.n_tones;
  self->scan = eeg_scan_new (&config);
  g_free (limits);
  if (self->scan == NULL) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
        "No memory to look at %d channels.", info->channels);
    return FALSE;
  }
  GST_OBJECT_LOCK (self);
  self->memory = eeg_scan_get_size (self->scan)
      + info->channels * (3 + sizeof (gdouble) + sizeof (guint64));
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static gboolean
is_live (GstEegValidate *self)
{
  GstQuery *query = gst_query_new_latency ();
  gboolean live = FALSE;

  if (gst_pad_peer_query (GST_BASE_TRANSFORM_SINK_PAD (self), query))
    gst_query_parse_latency (query, &live, NULL, NULL);
  gst_query_unref (query);
  return live;
}

static void
gst_eeg_validate_begin_run (GstEegInspector *inspector, GstBuffer *buffer,
    guint64 index, gboolean was_off)
{
  GstEegValidate *self = GST_EEG_VALIDATE (inspector);

  eeg_scan_reset (self->scan);
  self->counted = index;
  /* the samples before it came, to a process before */
  if (self->next == GST_BUFFER_OFFSET_NONE)
    self->next = gst_eeg_filter_get_resumed (GST_EEG_FILTER (self));
  if (buffer != NULL && !was_off && self->next != GST_BUFFER_OFFSET_NONE
      && (self->use.checks & (1 << CHECK_GAP))
      && (index > self->next || GST_BUFFER_IS_DISCONT (buffer))) {
    guint64 first = MIN (self->next, index);

    new_finding (self, CHECK_GAP, first, index - first, 0);
    GST_OBJECT_LOCK (self);
    self->n_found[CHECK_GAP]++;
    GST_OBJECT_UNLOCK (self);
  }
  self->pts_index = GST_BUFFER_OFFSET_NONE;
  self->clock_index = GST_BUFFER_OFFSET_NONE;
  self->is_live = is_live (self);
}

/* Samples at a rail are counted across windows. */
static guint64
gst_eeg_validate_get_margin (GstEegInspector *inspector)
{
  return GST_EEG_VALIDATE (inspector)->use.clip_samples;
}

static void
gst_eeg_validate_start_window (GstEegInspector *inspector, guint64 first)
{
  GstEegValidate *self = GST_EEG_VALIDATE (inspector);

  eeg_scan_start (self->scan);
}

static void
gst_eeg_validate_add (GstEegInspector *inspector, gconstpointer data,
    gsize frames)
{
  eeg_scan_add (GST_EEG_VALIDATE (inspector)->scan, data, frames);
}

static void
judge_moments (GstEegValidate *self, guint channel, guint64 first, guint64 n)
{
  const guint judged = self->judged[channel];
  const gdouble flat_limit = self->use.flat_limit * self->units[channel];
  gdouble share = 0;
  eeg_scan_moments m;
  guint t;

  if (!(judged & (1 << CHECK_FLAT | 1 << CHECK_MAINS)))
    return;
  eeg_scan_get_moments (self->scan, channel, &m);
  if (m.frames < 2)
    return;
  if ((judged & (1 << CHECK_FLAT)) && m.max - m.min <= flat_limit)
    find_fault (self, CHECK_FLAT, channel, first, n, self->use.flat_limit,
        (m.max - m.min) / self->units[channel]);
  if (!(judged & (1 << CHECK_MAINS)) || m.max - m.min <= flat_limit)
    return;
  for (t = 0; t < self->n_tones; t++)
    share = MAX (share, m.tones[t] / m.variance);
  if (share > self->use.mains_limit)
    find_fault (self, CHECK_MAINS, channel, first, n, self->use.mains_limit,
        MIN (share, 1.0));
}

/* What was counted since the last time, up to sample `end`. */
static void
judge_counts (GstEegValidate *self, const GstEegInfo *info, guint64 end)
{
  const guint64 first = self->counted, n = end - first;
  eeg_scan_counts counts;
  gint c;

  self->counted = end;
  if (!eeg_scan_has_counts (self->scan))
    return;
  for (c = 0; c < info->channels; c++) {
    eeg_scan_get_counts (self->scan, c, &counts);
    if (counts.clipped > 0 && (self->judged[c] & (1 << CHECK_CLIPPING)))
      find_fault (self, CHECK_CLIPPING, c, first, n, self->use.clip_samples,
          counts.clipped);
    if (counts.outside > 0 && (self->judged[c] & (1 << CHECK_RANGE)))
      find_fault (self, CHECK_RANGE, c, first, n, self->use.range,
          counts.outside);
    if (counts.not_finite > 0 && (self->judged[c] & (1 << CHECK_NOT_FINITE)))
      find_fault (self, CHECK_NOT_FINITE, c, first, n, 0, counts.not_finite);
  }
  eeg_scan_clear_counts (self->scan);
}

static void
gst_eeg_validate_end_window (GstEegInspector *inspector, guint64 first,
    gsize frames, gboolean is_whole)
{
  GstEegValidate *self = GST_EEG_VALIDATE (inspector);
  const GstEegInfo *info = gst_eeg_filter_get_in_info (GST_EEG_FILTER (self));
  gint c;

  judge_counts (self, info, first + frames);
  for (c = 0; is_whole && c < info->channels; c++)
    judge_moments (self, c, first, frames);
  post_beginnings (self);
  post_ends (self, info, first, frames);
  memset (self->seen, 0, info->channels);
}

/* ---- rate ---- */

static void
find_rate_fault (GstEegValidate *self, guint64 first, guint64 n, gdouble ppm)
{
  Finding *finding =
      new_finding (self, CHECK_RATE, first, n, self->use.rate_limit);

  g_array_append_val (finding->values, ppm);
  GST_OBJECT_LOCK (self);
  self->n_found[CHECK_RATE]++;
  GST_OBJECT_UNLOCK (self);
}

/* Do `n` samples from `first` on take the time that they should? Says by how
 * much they are too fast, in ppm; 0 for less than a sample. */
static gdouble
compare_rate (const GstEegInfo *info, guint64 n, GstClockTime elapsed)
{
  const gdouble period = (gdouble) GST_SECOND * info->rate_d / info->rate_n;
  const gdouble expected = n * period, off = expected - (gdouble) elapsed;

  if (fabs (off) <= period || elapsed == 0)
    return 0;
  return off / (gdouble) elapsed * 1e6;
}

/* Time stamps against the number of samples, once for each window's time. */
static void
judge_stamps (GstEegValidate *self, const GstEegInfo *info, GstBuffer *buffer,
    guint64 index, gsize window)
{
  gdouble ppm;

  if (!GST_BUFFER_PTS_IS_VALID (buffer))
    return;
  if (self->pts_index == GST_BUFFER_OFFSET_NONE
      || GST_BUFFER_PTS (buffer) < self->pts) {
    self->pts_index = index;
    self->pts = GST_BUFFER_PTS (buffer);
    return;
  }
  if (index - self->pts_index < window)
    return;
  ppm = compare_rate (info, index - self->pts_index,
      GST_BUFFER_PTS (buffer) - self->pts);
  if (fabs (ppm) > self->use.rate_limit)
    find_rate_fault (self, self->pts_index, index - self->pts_index, ppm);
  self->pts_index = index;
  self->pts = GST_BUFFER_PTS (buffer);
}

/* The clock against the number of samples that have come, where they come
 * live. */
static void
judge_arrival (GstEegValidate *self, const GstEegInfo *info, guint64 end,
    gsize window)
{
  const guint64 interval =
      MAX (window, gst_eeg_info_time_to_samples (info, RATE_INTERVAL));
  gboolean was_paused = g_atomic_int_and ((guint *) &self->paused, 0) != 0;
  gboolean is_playing;
  GstClock *clock;
  GstClockTime now;
  gdouble ppm;

  GST_OBJECT_LOCK (self);
  is_playing = GST_STATE (self) == GST_STATE_PLAYING;
  GST_OBJECT_UNLOCK (self);
  if (!self->is_live || !is_playing)
    return;
  clock = gst_element_get_clock (GST_ELEMENT (self));
  if (clock == NULL)
    return;
  now = gst_clock_get_time (clock);
  gst_object_unref (clock);
  if (self->clock_index == GST_BUFFER_OFFSET_NONE || was_paused
      || now < self->clock_time) {
    self->clock_index = end;
    self->clock_time = now;
    return;
  }
  if (end - self->clock_index < interval)
    return;
  ppm = compare_rate (info, end - self->clock_index, now - self->clock_time);
  if (now == self->clock_time)
    ppm = 1e6;
  if (fabs (ppm) > self->use.rate_limit)
    find_rate_fault (self, self->clock_index, end - self->clock_index, ppm);
  self->clock_index = end;
  self->clock_time = now;
}

static GstFlowReturn
gst_eeg_validate_finish (GstEegInspector *inspector, GstBuffer **buffer,
    guint64 index, gsize frames)
{
  GstEegValidate *self = GST_EEG_VALIDATE (inspector);
  const GstEegInfo *info = gst_eeg_filter_get_in_info (GST_EEG_FILTER (self));
  gboolean has_bad_samples = FALSE;
  GstFlowReturn ret = GST_FLOW_OK;
  guint i;

  judge_counts (self, info, index + frames);
  if (self->use.checks & (1 << CHECK_RATE)) {
    judge_stamps (self, info, *buffer, index, self->window);
    judge_arrival (self, info, index + frames, self->window);
  }
  self->next = index + frames;
  if (self->found->len == 0)
    return GST_FLOW_OK;

  post_beginnings (self);
  for (i = 0; i < self->found->len; i++) {
    const Finding *finding = g_ptr_array_index (self->found, i);

    has_bad_samples |= finding->check < N_CHANNEL_CHECKS;
  }
  GST_OBJECT_LOCK (self);
  self->n_rejected++;
  GST_OBJECT_UNLOCK (self);
  switch (self->use.on_fail) {
    case ON_FAIL_FLAG:
      *buffer = mark_buffer (self, *buffer);
      break;
    case ON_FAIL_GAP:
      /* to leave out what comes after a gap would only widen it */
      if (has_bad_samples)
        gst_eeg_filter_lose_buffer (GST_EEG_FILTER (self),
            g_steal_pointer (buffer), "invalid samples");
      break;
    case ON_FAIL_ERROR:
      post_error (self);
      gst_clear_buffer (buffer);
      ret = GST_FLOW_ERROR;
      break;
    default:
      break;
  }
  clear_found (self);
  return ret;
}

static gboolean
gst_eeg_validate_sink_event (GstBaseTransform *trans, GstEvent *event)
{
  GstEegValidate *self = GST_EEG_VALIDATE (trans);

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_STREAM_START:
    case GST_EVENT_FLUSH_STOP:
    case GST_EVENT_SEGMENT:
    case GST_EVENT_CAPS:
      /* what comes next may begin anywhere */
      self->next = GST_BUFFER_OFFSET_NONE;
      break;
    default:
      break;
  }
  return GST_BASE_TRANSFORM_CLASS (gst_eeg_validate_parent_class)
      ->sink_event (trans, event);
}

static gsize
gst_eeg_validate_get_memory (GstEegFilter *filter)
{
  GstEegValidate *self = GST_EEG_VALIDATE (filter);
  gsize memory;

  GST_OBJECT_LOCK (self);
  memory = self->memory;
  GST_OBJECT_UNLOCK (self);
  return memory;
}

static gboolean
gst_eeg_validate_start (GstBaseTransform *trans)
{
  GstEegValidate *self = GST_EEG_VALIDATE (trans);

  GST_OBJECT_LOCK (self);
  self->n_rejected = 0;
  memset (self->n_found, 0, sizeof self->n_found);
  GST_OBJECT_UNLOCK (self);
  self->next = GST_BUFFER_OFFSET_NONE;
  return GST_BASE_TRANSFORM_CLASS (gst_eeg_validate_parent_class)
      ->start (trans);
}

static gboolean
gst_eeg_validate_stop (GstBaseTransform *trans)
{
  GstEegValidate *self = GST_EEG_VALIDATE (trans);
  gboolean ret =
      GST_BASE_TRANSFORM_CLASS (gst_eeg_validate_parent_class)->stop (trans);

  clear_found (self);
  clear_channels (self);
  return ret;
}

static GstStateChangeReturn
gst_eeg_validate_change_state (GstElement *element, GstStateChange transition)
{
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED)
    g_atomic_int_set (&GST_EEG_VALIDATE (element)->paused, 1);
  return GST_ELEMENT_CLASS (gst_eeg_validate_parent_class)
      ->change_state (element, transition);
}

/* ---- properties ---- */

static GstStructure *
make_rejected (GstEegValidate *self)
{
  GstStructure *s = gst_structure_new_empty ("eeg-rejected");
  guint64 n_found[N_CHECKS], n_rejected, *n_channel;
  GValue list = G_VALUE_INIT;
  guint i, n;

  GST_OBJECT_LOCK (self);
  memcpy (n_found, self->n_found, sizeof n_found);
  n_rejected = self->n_rejected;
  n = self->n_channels;
  n_channel = g_memdup2 (self->n_channel, n * sizeof *n_channel);
  GST_OBJECT_UNLOCK (self);

  gst_structure_set (s, "buffers", G_TYPE_UINT64, n_rejected, NULL);
  for (i = 0; i < N_CHECKS; i++)
    gst_structure_set (s, check_names[i], G_TYPE_UINT64, n_found[i], NULL);
  gst_value_array_init (&list, n);
  for (i = 0; i < n; i++) {
    GValue item = G_VALUE_INIT;

    g_value_init (&item, G_TYPE_UINT64);
    g_value_set_uint64 (&item, n_channel[i]);
    gst_value_array_append_and_take_value (&list, &item);
  }
  gst_structure_take_value (s, "channels", &list);
  g_free (n_channel);
  return s;
}

static void
gst_eeg_validate_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstEegValidate *self = GST_EEG_VALIDATE (object);
  Settings *settings = gst_eeg_filter_peek_settings (GST_EEG_FILTER (object));

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_CHECKS:
      settings->checks = g_value_get_flags (value);
      break;
    case PROP_ON_FAIL:
      settings->on_fail = g_value_get_enum (value);
      break;
    case PROP_FLAT_LIMIT:
      settings->flat_limit = g_value_get_double (value);
      break;
    case PROP_CLIP_SAMPLES:
      settings->clip_samples = g_value_get_uint (value);
      break;
    case PROP_RANGE:
      settings->range = g_value_get_double (value);
      break;
    case PROP_MAINS_FREQUENCY:
      settings->mains_frequency = g_value_get_double (value);
      break;
    case PROP_MAINS_LIMIT:
      settings->mains_limit = g_value_get_double (value);
      break;
    case PROP_RATE_LIMIT:
      settings->rate_limit = g_value_get_double (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_eeg_validate_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstEegValidate *self = GST_EEG_VALIDATE (object);
  Settings *settings = gst_eeg_filter_peek_settings (GST_EEG_FILTER (object));

  if (id == PROP_REJECTED) {
    g_value_take_boxed (value, make_rejected (self));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_CHECKS:
      g_value_set_flags (value, settings->checks);
      break;
    case PROP_ON_FAIL:
      g_value_set_enum (value, settings->on_fail);
      break;
    case PROP_FLAT_LIMIT:
      g_value_set_double (value, settings->flat_limit);
      break;
    case PROP_CLIP_SAMPLES:
      g_value_set_uint (value, settings->clip_samples);
      break;
    case PROP_RANGE:
      g_value_set_double (value, settings->range);
      break;
    case PROP_MAINS_FREQUENCY:
      g_value_set_double (value, settings->mains_frequency);
      break;
    case PROP_MAINS_LIMIT:
      g_value_set_double (value, settings->mains_limit);
      break;
    case PROP_RATE_LIMIT:
      g_value_set_double (value, settings->rate_limit);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_eeg_validate_finalize (GObject *object)
{
  GstEegValidate *self = GST_EEG_VALIDATE (object);

  clear_channels (self);
  g_ptr_array_unref (self->found);
  G_OBJECT_CLASS (gst_eeg_validate_parent_class)->finalize (object);
}

static void
gst_eeg_validate_class_init (GstEegValidateClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);
  GstEegFilterClass *filter_class = GST_EEG_FILTER_CLASS (klass);
  GstEegInspectorClass *inspector_class = GST_EEG_INSPECTOR_CLASS (klass);
  static const guint8 magic[8] = { 'e', 'e', 'g', '-', 'v', 'a', 'l', 1 };
  const GParamFlags hot =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;

  object_class->set_property = gst_eeg_validate_set_property;
  object_class->get_property = gst_eeg_validate_get_property;
  object_class->finalize = gst_eeg_validate_finalize;

  /**
   * GstEegValidate:checks:
   *
   * Flat lines, clipping, range and mains are looked for in EEG, EOG, EMG and
   * ECG channels, non-finite values in all; in none that is marked bad. Without
   * a channel table all channels are looked at.
   */
  gst_eeg_filter_class_install_setting (filter_class, PROP_CHECKS,
      g_param_spec_flags ("checks", "Checks", "What to look for",
          checks_get_type (), DEFAULT_CHECKS, hot));
  /**
   * GstEegValidate:on-fail:
   *
   * Messages are posted in any case. `flag` and `gap` are about the buffer that
   * holds the sample at which a check failed; one that comes after a gap, or
   * too early or late, is left out by neither.
   */
  gst_eeg_filter_class_install_setting (filter_class, PROP_ON_FAIL,
      g_param_spec_enum ("on-fail", "On fail",
          "What is done about a buffer in which a check failed",
          on_fail_get_type (), DEFAULT_ON_FAIL, hot));
  gst_eeg_filter_class_install_setting (filter_class, PROP_FLAT_LIMIT,
      g_param_spec_double ("flat-limit", "Flat limit",
          "A channel whose highest and lowest value in a window are no farther "
          "apart than this is flat, in uV, 0 or more",
          -G_MAXDOUBLE, G_MAXDOUBLE, DEFAULT_FLAT_LIMIT, hot));
  /**
   * GstEegValidate:clip-samples:
   *
   * The rails are the physical minimum and maximum of the channel table, less
   * half a digital step. Without a table there are none.
   */
  gst_eeg_filter_class_install_setting (filter_class, PROP_CLIP_SAMPLES,
      g_param_spec_uint ("clip-samples", "Clip samples",
          "So many samples in a row at a rail are clipped, 1 or more", 0,
          G_MAXUINT, DEFAULT_CLIP_SAMPLES, hot));
  gst_eeg_filter_class_install_setting (filter_class, PROP_RANGE,
      g_param_spec_double ("range", "Range",
          "Samples must lie between minus this and this, in uV; 0 = between the "
          "physical minimum and maximum of the channel table",
          -G_MAXDOUBLE, G_MAXDOUBLE, DEFAULT_RANGE, hot));
  gst_eeg_filter_class_install_setting (filter_class, PROP_MAINS_FREQUENCY,
      g_param_spec_double ("mains-frequency", "Mains frequency",
          "Frequency of the mains in Hz; 0 = 50 and 60 Hz, whichever is "
          "stronger. Half the rate and above is not looked for",
          -G_MAXDOUBLE, G_MAXDOUBLE, DEFAULT_MAINS_FREQUENCY, hot));
  /**
   * GstEegValidate:mains-limit:
   *
   * The power of the sine of that frequency in a window, over the variance of
   * the window.
   */
  gst_eeg_filter_class_install_setting (filter_class, PROP_MAINS_LIMIT,
      g_param_spec_double ("mains-limit", "Mains limit",
          "Largest share of the mains in the power of a window, above 0, up to "
          "1; the mean is no part of the power",
          -G_MAXDOUBLE, G_MAXDOUBLE, DEFAULT_MAINS_LIMIT, hot));
  /**
   * GstEegValidate:rate-limit:
   *
   * Time stamps are compared with the number of samples once for each window,
   * where they come from upstream as a clock gave them; and the pipeline's
   * clock, where upstream is live, over 10 s, or a window if that is longer.
   * What is less than one sample is no deviation.
   */
  gst_eeg_filter_class_install_setting (filter_class, PROP_RATE_LIMIT,
      g_param_spec_double ("rate-limit", "Rate limit",
          "Largest deviation of the rate from that of the caps in ppm, above 0",
          -G_MAXDOUBLE, G_MAXDOUBLE, DEFAULT_RATE_LIMIT, hot));
  /**
   * GstEegValidate:rejected:
   *
   * A structure `eeg-rejected` of #guint64: `buffers`, in which something was
   * found; for each check how often it failed, counted once for each channel
   * and window, or for each gap and deviation; and `channels`, a #GstValueArray
   * of how often each channel failed. Since the element left READY.
   */
  g_object_class_install_property (object_class, PROP_REJECTED,
      g_param_spec_boxed ("rejected", "Rejected",
          "How many buffers were rejected, and how often each check and each "
          "channel failed",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));

  gst_element_class_set_static_metadata (element_class, "EEG validation",
      "Filter/Analyzer",
      "Looks for flat lines, clipping, mains, gaps and other faults in EEG",
      "gst-plugins-eeg developers");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);

  element_class->change_state = gst_eeg_validate_change_state;
  trans_class->start = gst_eeg_validate_start;
  trans_class->stop = gst_eeg_validate_stop;
  trans_class->sink_event = gst_eeg_validate_sink_event;
  filter_class->settings_size = sizeof (Settings);
  filter_class->get_memory = gst_eeg_validate_get_memory;
  memcpy (inspector_class->state_magic, magic, sizeof magic);
  inspector_class->check = gst_eeg_validate_check;
  inspector_class->set_up = gst_eeg_validate_set_up;
  inspector_class->begin_run = gst_eeg_validate_begin_run;
  inspector_class->get_margin = gst_eeg_validate_get_margin;
  inspector_class->start_window = gst_eeg_validate_start_window;
  inspector_class->add = gst_eeg_validate_add;
  inspector_class->end_window = gst_eeg_validate_end_window;
  inspector_class->finish = gst_eeg_validate_finish;

  gst_type_mark_as_plugin_api (checks_get_type (), 0);
  gst_type_mark_as_plugin_api (on_fail_get_type (), 0);
}

static void
gst_eeg_validate_init (GstEegValidate *self)
{
  self->use = (Settings){
    .inspector.window = GST_EEG_INSPECTOR_DEFAULT_WINDOW,
    .checks = DEFAULT_CHECKS,
    .on_fail = DEFAULT_ON_FAIL,
    .flat_limit = DEFAULT_FLAT_LIMIT,
    .clip_samples = DEFAULT_CLIP_SAMPLES,
    .range = DEFAULT_RANGE,
    .mains_frequency = DEFAULT_MAINS_FREQUENCY,
    .mains_limit = DEFAULT_MAINS_LIMIT,
    .rate_limit = DEFAULT_RATE_LIMIT,
  };
  gst_eeg_filter_init_settings (GST_EEG_FILTER (self), &self->use);
  self->next = GST_BUFFER_OFFSET_NONE;
  self->found = g_ptr_array_new_with_free_func (finding_free);
}
