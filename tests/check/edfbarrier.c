/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* EDF and BDF files cut at a barrier, read and written on by other elements. */
#include "edf-file.h"
#include "edf-run.h"
#include "eeg-samples.h"
#include <gst/eeg/gsteegjoin.h>

#define MAX_PADS 3
#define N_CUTS 12

/* --- what comes out ------------------------------------------------------ */

/* What came out, in order: bytes, and in words all that goes with them. */
typedef struct
{
  GByteArray *bytes;
  GString *text;
  GstEegBarrier *barrier;
  gsize barrier_bytes; /* before the barrier */
  gsize barrier_text;
  gboolean has_barrier;
  gint has_ended; /* atomic */
} Log;

static guint32 seed;

static void
read_seed (void)
{
  const gchar *text = g_getenv ("GSTEEG_TEST_SEED");

  seed = text != NULL ? (guint32) g_ascii_strtoull (text, NULL, 10)
                      : g_random_int ();
  g_print ("GSTEEG_TEST_SEED=%u\n", seed);
}

static gboolean
log_marker (GstBuffer *buffer, GstMeta **meta, gpointer user_data)
{
  Log *log = user_data;

  if ((*meta)->info->api == GST_EEG_MARKER_META_API_TYPE) {
    GstEegMarkerMeta *marker = (GstEegMarkerMeta *) *meta;

    g_string_append_printf (log->text,
        "%s at %" G_GUINT64_FORMAT " for %" G_GUINT64_FORMAT "\n", marker->text,
        marker->time, marker->duration);
  }
  return TRUE;
}

static GstPadProbeReturn
log_output (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Log *log = user_data;

  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER) {
    GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
    GstMapInfo map;

    fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
    g_byte_array_append (log->bytes, map.data, map.size);
    gst_buffer_unmap (buffer, &map);
    gst_buffer_foreach_meta (buffer, log_marker, log);
  } else {
    GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
    GstEegBarrier *barrier;
    GstClockTime start, duration;

    if (GST_EVENT_TYPE (event) == GST_EVENT_EOS) {
      g_atomic_int_set (&log->has_ended, TRUE);
    } else if (gst_eeg_event_parse_barrier (event, &barrier)
        && barrier == log->barrier) {
      log->has_barrier = TRUE;
      log->barrier_bytes = log->bytes->len;
      log->barrier_text = log->text->len;
    } else if (GST_EVENT_TYPE (event) == GST_EVENT_GAP) {
      gst_event_parse_gap (event, &start, &duration);
      g_string_append_printf (log->text,
          "gap at %" G_GUINT64_FORMAT " for %" G_GUINT64_FORMAT "\n", start,
          duration);
    }
  }
  /* the harness would keep them all */
  return GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER
      ? GST_PAD_PROBE_DROP
      : GST_PAD_PROBE_OK;
}

static void
log_init (Log *log, GstEegBarrier *barrier)
{
  log->bytes = g_byte_array_new ();
  log->text = g_string_new (NULL);
  log->barrier = barrier;
  log->has_barrier = FALSE;
  log->has_ended = FALSE;
}

static void
log_clear (Log *log)
{
  g_byte_array_unref (log->bytes);
  g_string_free (log->text, TRUE);
}

/* What came out behind the barrier is what comes out of the element that goes
 * on. */
static void
log_check_rest (const Log *whole, const Log *rest, const gchar *name)
{
  const gchar *a = whole->text->str + whole->barrier_text;
  const gchar *b = rest->text->str;

  fail_unless (whole->bytes->len == whole->barrier_bytes + rest->bytes->len
          && (rest->bytes->len == 0
              || memcmp (whole->bytes->data + whole->barrier_bytes,
                     rest->bytes->data, rest->bytes->len)
                  == 0),
      "%s: %u bytes behind the barrier, then %u", name,
      (guint) (whole->bytes->len - whole->barrier_bytes), rest->bytes->len);
  for (; *a != '\0' && *a == *b; a++)
    b++;
  fail_unless (*a == *b, "%s: \"%.60s\", then \"%.60s\"", name, a, b);
}

/* --- files --------------------------------------------------------------- */

static const EdfFileSignal plus_signals[] = {
  { "EEG Cz", "AgAgCl", "uV", "-100", "100", "-1000", "1000", "HP:0.1Hz", 40 },
  { "Temp", "", "degC", "34", "40", "-2048", "2047", "", 1 },
  { "EDF Annotations", "", "", "-1", "1", "-32768", "32767", "", 30 },
  { "EOG", "", "uV", "100", "-100", "-1000", "1000", "LP:75Hz", 40 },
  { "Resp", "", "mV", "100", "-100", "-1000", "1000", "", 5 },
};
static const EdfFileSignal status_signals[] = {
  { "A1", "", "uV", "-262144", "262144", "-8388608", "8388607", "", 64 },
  { "A2", "", "uV", "-262144", "262144", "-8388608", "8388607", "", 64 },
  { "Status", "", "Boolean", "-8388608", "8388607", "-8388608", "8388607", "",
      64 },
};

typedef struct
{
  const gchar *name;
  EdfFile file;
  guint n_records;
  guint every; /* that many records, there is a gap; 0: none */
  guint rest;  /* bytes of an unfinished record at the end */
} Input;

static const Input inputs[] = {
  { "two rates and a rest",
      { FALSE, "EDF+C", NULL, NULL, "-1", "0.5", plus_signals, 4 }, 90, 0,
      100 },
  { "three rates", { FALSE, "EDF+C", NULL, NULL, "70", "0.5", plus_signals, 5 },
      70, 0, 0 },
  { "gaps", { FALSE, "EDF+D", NULL, NULL, "80", "0.5", plus_signals, 4 }, 80, 7,
      0 },
  { "triggers", { TRUE, "24BIT", NULL, NULL, "60", "0.25", status_signals, 3 },
      60, 0, 0 },
};

/* Each third record brings a marker, of a time before, in or behind it. */
static void
add_annotations (GByteArray *file, guint record, gdouble time, gsize size)
{
  gchar *lists = g_strdup_printf ("+%g%s", time, "\x14\x14");
  GByteArray *all = g_byte_array_new ();

  g_byte_array_append (all, (guint8 *) lists, strlen (lists) + 1);
  g_free (lists);
  if (record % 3 == 1) {
    lists = g_strdup_printf ("+%g\x15%u\x14mark %u\x14",
        MAX (0, time + (gint) (record % 7) / 2.0 - 1.5), record % 4, record);
    g_byte_array_append (all, (guint8 *) lists, strlen (lists) + 1);
    g_free (lists);
  }
  edf_file_annotations (file, size, (gchar *) all->data, all->len);
  g_byte_array_unref (all);
}

static GByteArray *
make_file (const Input *input)
{
  const EdfFile *f = &input->file;
  GByteArray *file = edf_file_new (f);
  gdouble time = 0.25, duration = g_ascii_strtod (f->duration, NULL);
  guint r, c, i;

  for (r = 0; r < input->n_records + (input->rest > 0); r++) {
    gsize begin = file->len;

    for (c = 0; c < f->n_signals; c++) {
      const EdfFileSignal *s = &f->signals[c];

      if (strstr (s->label, "Annotations") != NULL)
        add_annotations (file, r, time, 2 * s->samples);
      for (i = 0; strstr (s->label, "Annotations") == NULL && i < s->samples;
           i++) {
        guint at = r * s->samples + i;

        edf_file_sample (file, f->bdf,
            strcmp (s->label, "Status") == 0 ? (gint32) (at / 32 % 3)
                                             : (gint32) (at * 7 + c) % 900);
      }
    }
    if (r == input->n_records)
      g_byte_array_set_size (file, begin + input->rest);
    time += duration;
    if (input->every > 0 && r % input->every == input->every - 1)
      time += 1.75;
  }
  return file;
}

/* --- edfdemux ------------------------------------------------------------ */

typedef struct
{
  GstElement *element;
  GstBus *bus;
  GstHarness *in;
  GstEegBarrier *barrier;
  const GByteArray *file;
  guint n;
  Log logs[MAX_PADS];
} Demux;

static void
pad_added (GstElement *element, GstPad *pad, gpointer data)
{
  Demux *d = data;

  fail_unless (d->n < MAX_PADS);
  log_init (&d->logs[d->n], d->barrier);
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
      log_output, &d->logs[d->n++], NULL);
}

/* As eegchunk does. */
static GstPadProbeReturn
answer_query (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Demux *d = data;
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);
  GstBuffer *buffer;
  guint64 offset;
  guint size;

  if (d->file == NULL
      || !gst_eeg_query_parse_input_bytes (query, &offset, &size))
    return GST_PAD_PROBE_OK;
  fail_unless (offset + size <= d->file->len);
  buffer = gst_buffer_new_memdup (d->file->data + offset, size);
  gst_eeg_query_set_input_bytes (query, buffer);
  gst_buffer_unref (buffer);
  return GST_PAD_PROBE_HANDLED;
}

static Demux *
demux_new (const GByteArray *file, GBytes *state, guint64 start,
    GstEegBarrier *barrier)
{
  Demux *d = g_new0 (Demux, 1);
  GstSegment segment;
  GstPad *pad;

  d->element = gst_element_factory_make ("edfdemux", NULL);
  gst_object_ref_sink (d->element);
  d->file = file;
  d->barrier = barrier;
  d->bus = gst_bus_new ();
  gst_element_set_bus (d->element, d->bus);
  g_signal_connect (d->element, "pad-added", G_CALLBACK (pad_added), d);
  pad = gst_element_get_static_pad (d->element, "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_QUERY_UPSTREAM, answer_query, d,
      NULL);
  gst_object_unref (pad);
  if (state != NULL)
    fail_unless (
        gst_eeg_stage_restore_state (GST_EEG_STAGE (d->element), state, NULL));
  d->in = gst_harness_new_with_element (d->element, "sink", NULL);
  gst_harness_play (d->in);
  gst_harness_push_event (d->in, gst_event_new_stream_start ("stream"));
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  segment.start = segment.time = segment.position = start;
  gst_harness_push_event (d->in, gst_event_new_segment (&segment));
  return d;
}

static void
demux_free (Demux *d)
{
  gst_element_set_bus (d->element, NULL);
  gst_harness_teardown (d->in);
  gst_object_unref (d->bus);
  gst_object_unref (d->element);
  while (d->n > 0)
    log_clear (&d->logs[--d->n]);
  g_free (d);
}

/* As a source that reads blocks of a size. */
static void
demux_push (Demux *d, const GByteArray *file, gsize from, gsize to, gsize piece)
{
  while (from < to) {
    gsize n = MIN (piece - from % piece, to - from);

    fail_unless_equals_int (gst_harness_push (d->in,
                                gst_buffer_new_memdup (file->data + from, n)),
        GST_FLOW_OK);
    from += n;
  }
}

static void
check_demux_cut (const Input *input, const GByteArray *file, gsize cut,
    gsize piece)
{
  GstEegBarrier *barrier = gst_eeg_barrier_new (1, 0);
  EdfRunResult a = { 0 }, b = { 0 };
  Demux *whole, *rest;
  gchar *failure, *name;
  GBytes *state;
  guint i;

  whole = demux_new (file, NULL, 0, barrier);
  demux_push (whole, file, 0, cut, piece);
  gst_harness_push_event (whole->in, gst_eeg_event_new_barrier (barrier));
  demux_push (whole, file, cut, file->len, piece);
  gst_harness_push_event (whole->in, gst_event_new_eos ());
  edf_run_drain (&a, whole->bus);
  failure = gst_eeg_barrier_get_failure (barrier);
  fail_unless (failure == NULL, "%s", failure);
  state = gst_eeg_barrier_get_state (barrier, GST_EEG_STAGE (whole->element));
  fail_unless (state != NULL);

  rest = demux_new (file, state, cut, NULL);
  demux_push (rest, file, cut, file->len, piece);
  gst_harness_push_event (rest->in, gst_event_new_eos ());
  edf_run_drain (&b, rest->bus);
  fail_unless_equals_int (rest->n, whole->n);
  fail_unless_equals_int (a.errors, 0);
  fail_unless_equals_int (b.errors, 0);
  fail_unless_equals_int (b.warnings, a.warnings);
  fail_unless_equals_string (b.text, a.text);
  for (i = 0; i < whole->n; i++) {
    name =
        g_strdup_printf ("%s, cut at %u, pad %u", input->name, (guint) cut, i);
    fail_unless (whole->logs[i].has_barrier, "%s", name);
    fail_unless (whole->logs[i].has_ended && rest->logs[i].has_ended);
    log_check_rest (&whole->logs[i], &rest->logs[i], name);
    g_free (name);
  }
  demux_free (whole);
  demux_free (rest);
  g_bytes_unref (state);
  gst_eeg_barrier_unref (barrier);
}

GST_START_TEST (test_demux_cuts)
{
  const Input *input = &inputs[__i__];
  GByteArray *file = make_file (input);
  GRand *random = g_rand_new_with_seed (seed + __i__);
  gsize header = 256 * (input->file.n_signals + 1);
  gsize record = (file->len - header - input->rest) / input->n_records;
  const gsize cuts[] = { 0, 1, 255, 300, header - 1, header, header + 1,
    header + record - 1, header + record, header + 2 * record,
    file->len - input->rest, file->len - 1, file->len };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (cuts); i++) {
    check_demux_cut (input, file, cuts[i], 5000);
    check_demux_cut (input, file, cuts[i], 97);
  }
  for (i = 0; i < N_CUTS; i++)
    check_demux_cut (input, file,
        g_rand_int_range (random, 0, (gint) file->len), 20000);
  g_rand_free (random);
  g_byte_array_unref (file);
}

GST_END_TEST;

/* Several barriers inside one record: each leaves behind it, once. */
GST_START_TEST (test_demux_order)
{
  const Input *input = &inputs[0];
  GByteArray *file = make_file (input);
  GstEegBarrier *barriers[3];
  gsize header = 256 * (input->file.n_signals + 1);
  Demux *d;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (barriers); i++)
    barriers[i] = gst_eeg_barrier_new (i + 1, 0);
  d = demux_new (file, NULL, 0, barriers[1]);
  for (i = 0; i < G_N_ELEMENTS (barriers); i++) {
    demux_push (d, file, header + 10 * i - (i == 0 ? header : 10),
        header + 10 * i, 5000);
    gst_harness_push_event (d->in, gst_eeg_event_new_barrier (barriers[i]));
  }
  /* the first one came between header and records */
  fail_unless_equals_int (d->n, 0);
  demux_push (d, file, header + 20, file->len, 5000);
  fail_unless_equals_int (d->n, 2);
  for (i = 0; i < 2; i++) {
    fail_unless (d->logs[i].has_barrier);
    fail_unless_equals_int (d->logs[i].barrier_bytes,
        i == 0 ? 2 * 2 * 40 : 2 * 1);
  }
  for (i = 0; i < G_N_ELEMENTS (barriers); i++) {
    GBytes *state =
        gst_eeg_barrier_get_state (barriers[i], GST_EEG_STAGE (d->element));

    fail_unless (state != NULL);
    g_bytes_unref (state);
    gst_eeg_barrier_unref (barriers[i]);
  }
  demux_free (d);
  g_byte_array_unref (file);
}

GST_END_TEST;

/* States of another file, place or version; a source without the header. */
GST_START_TEST (test_demux_wrong_states)
{
  static const struct
  {
    gsize start;
    const gchar *header; /* what it begins with now; NULL: it is not there */
    const gchar *text;
  } rows[] = {
    { 5000, "0       XX", "header of the file is another" },
    { 5001, "0       P1", "begins at another byte" },
    { 5000, NULL, "gives the header of the file once more" },
  };
  const Input *input = &inputs[0];
  GByteArray *file = make_file (input);
  GstEegBarrier *barrier = gst_eeg_barrier_new (1, 0);
  Demux *d = demux_new (file, NULL, 0, NULL);
  GBytes *state, *broken;
  GError *error = NULL;
  guint8 *copy;
  gsize size;
  guint i;

  demux_push (d, file, 0, 5000, 5000);
  gst_harness_push_event (d->in, gst_eeg_event_new_barrier (barrier));
  demux_push (d, file, 5000, file->len, 5000);
  state = gst_eeg_barrier_get_state (barrier, GST_EEG_STAGE (d->element));
  size = g_bytes_get_size (state);

  for (i = 0; i < 3; i++) {
    copy = g_memdup2 (g_bytes_get_data (state, NULL), size);
    if (i == 0)
      copy[0]++;
    else if (i == 1)
      copy[4]++;
    broken = g_bytes_new_take (copy, i == 2 ? size - 1 : size);
    fail_if (gst_eeg_stage_restore_state (GST_EEG_STAGE (d->element), broken,
        &error));
    fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
        GST_RESOURCE_ERROR_SETTINGS));
    g_clear_error (&error);
    g_bytes_unref (broken);
  }
  demux_free (d);

  for (i = 0; i < G_N_ELEMENTS (rows); i++) {
    EdfRunResult r = { 0 };

    if (rows[i].header != NULL)
      memcpy (file->data, rows[i].header, strlen (rows[i].header));
    d = demux_new (rows[i].header != NULL ? file : NULL, state, rows[i].start,
        NULL);
    fail_unless_equals_int (gst_harness_push (d->in,
                                gst_buffer_new_memdup (file->data + 5000, 100)),
        GST_FLOW_ERROR);
    gst_harness_push_event (d->in, gst_event_new_eos ());
    edf_run_drain (&r, d->bus);
    fail_unless_equals_int (r.errors, 1);
    fail_unless (r.domain == GST_RESOURCE_ERROR);
    fail_unless_equals_int (r.code, GST_RESOURCE_ERROR_SETTINGS);
    fail_unless (strstr (r.text, rows[i].text) != NULL, "%s", r.text);
    fail_unless_equals_int (d->n, 0);
    demux_free (d);
  }
  g_bytes_unref (state);
  gst_eeg_barrier_unref (barrier);
  g_byte_array_unref (file);
}

GST_END_TEST;

/* --- edfmux -------------------------------------------------------------- */

#define SECONDS 40

/* In hundredths of a second; on one pad, or -1: on all of them */
typedef struct
{
  gint pad;
  guint from, to;
} Hole;

typedef struct
{
  const gchar *launch;
  GstEegFormat format;
  guint duration;        /* of a buffer, in thousandths of a second */
  guint rates[MAX_PADS]; /* 0: no pad */
  guint ends[MAX_PADS];  /* seconds */
  Hole holes[3];
} MuxRow;

static const MuxRow mux_rows[] = {
  { "edfmux", GST_EEG_FORMAT_S16LE, 1000, { 200, 25 }, { SECONDS, SECONDS },
      { { 0 } } },
  { "edfmux gaps=fill", GST_EEG_FORMAT_F32LE, 670, { 200, 25, 10 },
      { SECONDS, SECONDS, SECONDS },
      { { -1, 1000, 1270 }, { 1, 1500, 1632 }, { 0, 2900, 3000 } } },
  { "edfmux gaps=discontinuous record-duration=700000000", GST_EEG_FORMAT_S24LE,
      700, { 250, 100, 10 }, { SECONDS, SECONDS, SECONDS },
      { { -1, 1000, 1270 }, { 0, 1260, 1300 }, { -1, 3000, 3100 } } },
  /* some pads end before the others */
  { "edfmux gaps=discontinuous", GST_EEG_FORMAT_S16LE, 330, { 50, 100, 10 },
      { 17, SECONDS, 30 }, { { -1, 2000, 2200 } } },
};

/* What one pad gets, by a thread of its own */
typedef struct
{
  const MuxRow *row;
  guint pad;
  guint from, cut; /* samples */
  GstEegBarrier *barrier;
  GstHarness *h;
  GRand *random;
} Feed;

static guint
count_samples (const MuxRow *row, guint pad)
{
  return row->ends[pad] * row->rates[pad];
}

/* The hole around a sample, or the next one behind it; both G_MAXUINT: none */
static void
find_hole (const MuxRow *row, guint pad, guint at, guint *from, guint *to)
{
  guint i;

  *from = *to = G_MAXUINT;
  for (i = 0; i < G_N_ELEMENTS (row->holes); i++) {
    const Hole *hole = &row->holes[i];
    guint begin = (hole->from * row->rates[pad] + 99) / 100;
    guint end = (hole->to * row->rates[pad] + 99) / 100;

    if ((hole->pad >= 0 && hole->pad != (gint) pad) || end <= at
        || begin > *from)
      continue;
    *from = begin;
    *to = end;
  }
}

/* Each 1.7 s a marker on all pads and one of this pad alone, and now and then
 * one of an earlier time. */
static void
add_markers (GstBuffer *buffer, guint pad)
{
  GstClockTime begin = GST_BUFFER_PTS (buffer);
  GstClockTime end = begin + GST_BUFFER_DURATION (buffer);
  guint64 i = (begin + 1700 * GST_MSECOND - 1) / (1700 * GST_MSECOND);

  for (; i * 1700 * GST_MSECOND < end; i++) {
    GstClockTime time = i * 1700 * GST_MSECOND;
    gchar *text = g_strdup_printf ("pad %u %u", pad, (guint) i);

    gst_buffer_add_eeg_marker_meta (buffer, time, GST_CLOCK_TIME_NONE, text);
    g_free (text);
    text = g_strdup_printf ("all %u", (guint) i);
    gst_buffer_add_eeg_marker_meta (buffer, time, GST_SECOND, text);
    if (i % 5 == 4)
      gst_buffer_add_eeg_marker_meta (buffer, time - 2 * GST_SECOND, pad, text);
    g_free (text);
  }
}

static void
feed_barrier (Feed *f)
{
  if (f->barrier != NULL)
    fail_unless (
        gst_harness_push_event (f->h, gst_eeg_event_new_barrier (f->barrier)));
}

static gpointer
feed (gpointer data)
{
  Feed *f = data;
  const MuxRow *row = f->row;
  const guint rate = row->rates[f->pad], n = count_samples (row, f->pad);
  const guint step = rate * row->duration / 1000;
  gboolean discont = TRUE;
  guint at = f->from, end, hole, hole_end;

  if (at == f->cut)
    feed_barrier (f);
  while (at < n) {
    GstBuffer *buffer;

    end = MIN ((at / step + 1) * step, n);
    if (at < f->cut)
      end = MIN (end, f->cut);
    find_hole (row, f->pad, at, &hole, &hole_end);
    if (at >= hole) {
      end = MIN (hole_end, n);
      if (at < f->cut)
        end = MIN (end, f->cut);
      gst_harness_push_event (f->h,
          gst_event_new_gap (at * GST_SECOND / rate,
              end * GST_SECOND / rate - at * GST_SECOND / rate));
      discont = TRUE;
      at = end;
      if (at == f->cut)
        feed_barrier (f);
      continue;
    }
    end = MIN (end, hole);
    buffer = samples_buffer (row->format, 2, at, end - at);
    GST_BUFFER_PTS (buffer) = at * GST_SECOND / rate;
    GST_BUFFER_DURATION (buffer) =
        end * GST_SECOND / rate - GST_BUFFER_PTS (buffer);
    if (discont)
      GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
    discont = FALSE;
    add_markers (buffer, f->pad);
    if (g_rand_int_range (f->random, 0, 20) == 0)
      g_usleep (g_rand_int_range (f->random, 0, 2000));
    fail_unless_equals_int (gst_harness_push (f->h, buffer), GST_FLOW_OK);
    at = end;
    if (at == f->cut)
      feed_barrier (f);
  }
  gst_harness_push_event (f->h, gst_eeg_event_new_complete (n));
  gst_harness_push_event (f->h, gst_event_new_eos ());
  return NULL;
}

typedef struct
{
  guint cuts[MAX_PADS];
  GstEegBarrier *barriers[MAX_PADS]; /* NULL: all go on from the cuts */
} MuxCut;

/* All bytes that a muxer gives, with a barrier or from there on; transfer full
 * state of the barrier */
static GBytes *
run_mux (const MuxRow *row, const MuxCut *cut, GBytes *restore, Log *log,
    GRand *random)
{
  GstElement *element = gst_parse_launch (row->launch, NULL);
  Feed feeds[MAX_PADS] = { { 0 } };
  GThread *threads[MAX_PADS];
  GBytes *state = NULL;
  GstHarness *out;
  guint n, i;

  gst_object_ref_sink (element);
  if (restore != NULL)
    fail_unless (
        gst_eeg_stage_restore_state (GST_EEG_STAGE (element), restore, NULL));
  out = gst_harness_new_with_element (element, NULL, "src");
  gst_harness_set_live (out, FALSE);
  log_init (log, cut->barriers[0]);
  gst_pad_add_probe (out->sinkpad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
      log_output, log, NULL);
  for (n = 0; n < MAX_PADS && row->rates[n] > 0; n++) {
    Feed *f = &feeds[n];

    f->row = row;
    f->pad = n;
    f->from = cut->barriers[0] != NULL ? 0 : cut->cuts[n];
    f->cut = cut->cuts[n];
    f->barrier = cut->barriers[n];
    f->random = g_rand_new_with_seed (g_rand_int (random));
    f->h = gst_harness_new_with_element (element, "sink_%u", NULL);
    gst_harness_set_live (f->h, FALSE);
    gst_harness_set_src_caps (f->h,
        samples_caps (row->format, (gint) row->rates[n], 1, 2,
            samples_table (2, NULL)));
  }
  for (i = 0; i < n; i++)
    threads[i] = g_thread_new ("feed", feed, &feeds[i]);
  for (i = 0; i < n; i++)
    g_thread_join (threads[i]);
  for (i = 0; i < 20000 && !g_atomic_int_get (&log->has_ended); i++)
    g_usleep (1000);
  fail_unless (g_atomic_int_get (&log->has_ended), "%s hangs", row->launch);
  if (cut->barriers[0] != NULL)
    state =
        gst_eeg_barrier_get_state (cut->barriers[0], GST_EEG_STAGE (element));
  for (i = 0; i < n; i++) {
    gst_harness_teardown (feeds[i].h);
    g_rand_free (feeds[i].random);
  }
  gst_harness_teardown (out);
  gst_object_unref (element);
  return state;
}

static void
make_barriers (MuxCut *cut, gboolean own_barriers)
{
  guint i;

  for (i = 0; i < MAX_PADS; i++) {
    g_clear_pointer (&cut->barriers[i], gst_eeg_barrier_unref);
    cut->barriers[i] = i > 0 && !own_barriers
        ? gst_eeg_barrier_ref (cut->barriers[0])
        : gst_eeg_barrier_new (1, cut->cuts[i]);
    gst_eeg_barrier_set_interval (cut->barriers[i], GST_SECOND);
  }
}

/* Filters before the pads let the barrier come by at other times; own_barriers:
 * each pad has a source of its own. */
static void
check_mux_cut (const MuxRow *row, const guint *cuts, gboolean own_barriers,
    GRand *random)
{
  MuxCut cut = { { 0 } };
  Log whole, again, rest;
  gchar *name, *failure;
  GBytes *state;
  guint i;

  memcpy (cut.cuts, cuts, sizeof cut.cuts);
  name = g_strdup_printf ("%s, cut at %u, %u, %u", row->launch, cuts[0],
      cuts[1], cuts[2]);
  make_barriers (&cut, own_barriers);
  state = run_mux (row, &cut, NULL, &again, random);
  g_bytes_unref (state);
  make_barriers (&cut, own_barriers);
  state = run_mux (row, &cut, NULL, &whole, random);
  failure = gst_eeg_barrier_get_failure (cut.barriers[0]);
  fail_unless (failure == NULL, "%s", failure);
  fail_unless (whole.has_barrier && state != NULL, "%s", name);
  /* which pad was first decides about nothing */
  fail_unless (whole.barrier_bytes == again.barrier_bytes
          && whole.bytes->len == again.bytes->len
          && memcmp (whole.bytes->data, again.bytes->data, whole.bytes->len)
              == 0,
      "%s: another file", name);
  for (i = 0; i < MAX_PADS; i++)
    g_clear_pointer (&cut.barriers[i], gst_eeg_barrier_unref);
  run_mux (row, &cut, state, &rest, random);
  log_check_rest (&whole, &rest, name);
  g_bytes_unref (state);
  log_clear (&whole);
  log_clear (&again);
  log_clear (&rest);
  g_free (name);
}

GST_START_TEST (test_mux_cuts)
{
  const MuxRow *row = &mux_rows[__i__];
  GRand *random = g_rand_new_with_seed (seed + 100 + __i__);
  guint i, k, cuts[MAX_PADS];

  for (i = 0; i < N_CUTS; i++) {
    gdouble time = g_rand_double_range (random, 0, SECONDS);

    for (k = 0; k < MAX_PADS; k++) {
      /* together, or each at its own time */
      if (i % 2 == 1)
        time = g_rand_double_range (random, 0, SECONDS);
      /* at the beginning, at the ends of records, at the end */
      if (i < 3)
        time = i * SECONDS / 2;
      cuts[k] = MIN ((guint) (time * row->rates[k]), count_samples (row, k));
    }
    check_mux_cut (row, cuts, i % 4 > 1, random);
  }
  g_rand_free (random);
}

GST_END_TEST;

/* Barriers that overtake each other on the way to the pads, and the one that
 * is not complete. */
GST_START_TEST (test_join)
{
  GstElement *stage = gst_element_factory_make ("edfmux", NULL);
  GstElement *sources[2];
  GstEegLane lanes[2] = { { G_QUEUE_INIT, NULL }, { G_QUEUE_INIT, NULL } };
  GstEegLane *const all[2] = { &lanes[0], &lanes[1] };
  gboolean ended[2] = { FALSE, FALSE };
  GstEegBarrier *barriers[2][3], *barrier;
  GstEvent *event;
  guint64 last = 0;
  gchar *failure;
  guint i, k;

  for (i = 0; i < 2; i++) {
    sources[i] = gst_element_factory_make ("rawtovoltage", NULL);
    for (k = 0; k < 3; k++) {
      barriers[i][k] = gst_eeg_barrier_new (k + 1, k * 100);
      gst_eeg_barrier_set_interval (barriers[i][k],
          k == 2 && i == 1 ? GST_SECOND : GST_MSECOND);
      gst_eeg_barrier_add_stage (barriers[i][k], GST_EEG_STAGE (sources[i]));
    }
  }
#define ADD(pad, k)                                                            \
  gst_eeg_lane_add (&lanes[pad], gst_eeg_event_new_barrier (barriers[pad][k]))
#define JOIN() gst_eeg_join (GST_EEG_STAGE (stage), all, ended, 2, &last)
#define CHECK(k)                                                               \
  do {                                                                         \
    event = JOIN ();                                                           \
    fail_unless (event != NULL);                                               \
    gst_eeg_event_parse_barrier (event, &barrier);                             \
    fail_unless (barrier == barriers[0][k] || barrier == barriers[1][k]);      \
    for (i = 0; i < 2; i++) {                                                  \
      GBytes *state =                                                          \
          gst_eeg_barrier_get_state (barrier, GST_EEG_STAGE (sources[i]));     \
                                                                               \
      fail_unless (state != NULL);                                             \
      g_bytes_unref (state);                                                   \
    }                                                                          \
    failure = gst_eeg_barrier_get_failure (barrier);                           \
    gst_event_unref (event);                                                   \
  } while (0)
  fail_unless (JOIN () == NULL);
  ADD (0, 0);
  ADD (0, 1);
  fail_unless (JOIN () == NULL);
  ADD (1, 0);
  CHECK (0);
  fail_unless (failure == NULL);
  fail_unless (JOIN () == NULL);
  /* the other one has ended: what it saved last still holds */
  ended[1] = TRUE;
  CHECK (1);
  fail_unless (failure == NULL);
  fail_unless_equals_uint64 (last, 2);
  ADD (0, 2);
  ADD (1, 2);
  CHECK (2);
  fail_unless (failure != NULL && strstr (failure, "different intervals"), "%s",
      failure);
  g_free (failure);
  fail_unless (JOIN () == NULL);
#undef ADD
#undef JOIN
#undef CHECK
  for (i = 0; i < 2; i++) {
    for (k = 0; k < 3; k++)
      gst_eeg_barrier_unref (barriers[i][k]);
    gst_eeg_lane_clear (&lanes[i]);
    gst_object_unref (sources[i]);
  }
  gst_object_unref (stage);
}

GST_END_TEST;

static Suite *
edfbarrier_suite (void)
{
  Suite *suite = suite_create ("edfbarrier");
  TCase *tc = tcase_create ("general");

  read_seed ();
  suite_add_tcase (suite, tc);
  tcase_add_loop_test (tc, test_demux_cuts, 0, G_N_ELEMENTS (inputs));
  tcase_add_test (tc, test_demux_order);
  tcase_add_test (tc, test_demux_wrong_states);
  tcase_add_loop_test (tc, test_mux_cuts, 0, G_N_ELEMENTS (mux_rows));
  tcase_add_test (tc, test_join);
  return suite;
}

GST_CHECK_MAIN (edfbarrier);
