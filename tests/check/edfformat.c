/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The EDF and BDF format code, without a pipeline. */

#include <gst/check/gstcheck.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "edf.h"

/* --- headers made by hand ------------------------------------------------ */

typedef struct
{
  const gchar *label, *dimension, *pmin, *pmax, *dmin, *dmax, *samples;
} Signal;

typedef struct
{
  const gchar *version, *patient, *recording, *date, *time, *header_bytes;
  const gchar *reserved, *records, *duration, *ns;
} Fixed;

static const Fixed good_fixed = {
  "0",
  "X X X X",
  "Startdate 02-MAR-2031 X X X",
  "02.03.31",
  "04.05.06",
  NULL,
  "EDF+C",
  "2",
  "1",
  NULL,
};

static const Signal good_signals[] = {
  { "EEG Cz", "uV", "-100", "100", "-1000", "1000", "4" },
  { "EEG Pz", "uV", "-3.5", "3.5", "-32768", "32767", "4" },
  { "Temp", "DegC", "34", "40", "-2849", "2731", "2" },
  { "EDF Annotations", "", "-1", "1", "-32768", "32767", "16" },
};

static void
put (GByteArray *a, const gchar *text, gsize width)
{
  gchar field[81];

  memset (field, ' ', sizeof field);
  memcpy (field, text, MIN (strlen (text), width));
  g_byte_array_append (a, (const guint8 *) field, width);
}

static GByteArray *
make_header (const Fixed *f, const Signal *s, guint n)
{
  GByteArray *a = g_byte_array_new ();
  gchar text[16];
  guint i;

  put (a, f->version, 8);
  put (a, f->patient, 80);
  put (a, f->recording, 80);
  put (a, f->date, 8);
  put (a, f->time, 8);
  g_snprintf (text, sizeof text, "%u", 256 * (n + 1));
  put (a, f->header_bytes ? f->header_bytes : text, 8);
  put (a, f->reserved, 44);
  put (a, f->records, 8);
  put (a, f->duration, 8);
  g_snprintf (text, sizeof text, "%u", n);
  put (a, f->ns ? f->ns : text, 4);
#define COLUMN(value, width)                                                   \
  for (i = 0; i < n; i++)                                                      \
  put (a, value, width)
  COLUMN (s[i].label, 16);
  COLUMN ("electrode", 80);
  COLUMN (s[i].dimension, 8);
  COLUMN (s[i].pmin, 8);
  COLUMN (s[i].pmax, 8);
  COLUMN (s[i].dmin, 8);
  COLUMN (s[i].dmax, 8);
  COLUMN ("HP:0.1Hz", 80);
  COLUMN (s[i].samples, 8);
  COLUMN ("", 32);
#undef COLUMN
  return a;
}

static EegEdfStatus
parse (GByteArray *a, EegEdfHeader **h, gchar reason[256])
{
  gsize needed;

  return eeg_edf_header_parse (a->data, a->len, h, &needed, reason, 256);
}

GST_START_TEST (test_header)
{
  GByteArray *a = make_header (&good_fixed, good_signals, 4);
  EegEdfHeader *h;
  gchar reason[256];
  gsize needed, i;

  for (i = 0; i < a->len; i++) {
    fail_unless_equals_int (eeg_edf_header_parse (a->data, i, &h, &needed,
                                reason, 256),
        EEG_EDF_NEED_MORE);
    fail_unless_equals_int (needed, i < 256 ? 256 : a->len);
    fail_unless (h == NULL);
  }
  fail_unless_equals_int (parse (a, &h, reason), EEG_EDF_OK);
  fail_unless_equals_int (h->format, EEG_EDF_FORMAT_EDF);
  fail_unless_equals_int (h->variant, EEG_EDF_VARIANT_CONTINUOUS);
  fail_unless_equals_int (h->num_records, 2);
  fail_unless_equals_int (h->duration.num, 1);
  fail_unless_equals_int (h->duration.den, 1);
  fail_unless_equals_int (h->start.year, 2031);
  fail_unless_equals_int (h->start.month, 3);
  fail_unless_equals_int (h->start.day, 2);
  fail_unless_equals_int (h->start.hour, 4);
  fail_unless_equals_int (h->start.second, 6);
  fail_unless_equals_int (h->num_groups, 2);
  fail_unless_equals_int (h->groups[0].num_channels, 2);
  fail_unless_equals_int (h->groups[1].signals[0], 2);
  fail_unless_equals_int (h->num_annotation_signals, 1);
  fail_unless_equals_int (h->record_size, 2 * (4 + 4 + 2 + 16));
  fail_unless_equals_string (h->signals[1].physical_min, "-3.5    ");
  fail_unless_equals_float (h->signals[0].gain, 0.1);
  fail_unless_equals_float (h->signals[0].offset, 0.0);
  fail_unless_equals_int (h->signals[2].record_offset, 16);
  eeg_edf_header_free (h);
  g_byte_array_unref (a);
}

GST_END_TEST;

GST_START_TEST (test_header_rates)
{
  static const struct
  {
    const gchar *duration, *samples;
    gint64 num, den;
  } cases[] = {
    { "10", "128", 64, 5 },
    { "9.59375", "4677", 4677 * 32, 307 },
    { "0.1", "5", 50, 1 },
    { ".5", "1", 2, 1 },
    { "2", "975", 975, 2 },
    { "1E-2", "10", 1000, 1 },
    { "0,25", "64", 256, 1 },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++) {
    Fixed f = good_fixed;
    Signal s = good_signals[0];
    EegEdfHeader *h;
    GByteArray *a;
    gchar reason[256];

    f.duration = cases[i].duration;
    s.samples = cases[i].samples;
    a = make_header (&f, &s, 1);
    fail_unless_equals_int (parse (a, &h, reason), EEG_EDF_OK);
    fail_unless_equals_int64 (h->groups[0].rate.num, cases[i].num);
    fail_unless_equals_int64 (h->groups[0].rate.den, cases[i].den);
    eeg_edf_header_free (h);
    g_byte_array_unref (a);
  }
}

GST_END_TEST;

#define LIE_FIXED(member, value, text)                                         \
  do {                                                                         \
    Fixed f = good_fixed;                                                      \
    f.member = value;                                                          \
    expect_invalid (make_header (&f, good_signals, 4), text);                  \
  } while (0)

#define LIE_SIGNAL(member, value, text)                                        \
  do {                                                                         \
    Signal s[4];                                                               \
    memcpy (s, good_signals, sizeof s);                                        \
    s[1].member = value;                                                       \
    expect_invalid (make_header (&good_fixed, s, 4), text);                    \
  } while (0)

static void
expect_invalid (GByteArray *a, const gchar *text)
{
  EegEdfHeader *h;
  gchar reason[256];

  fail_unless_equals_int (parse (a, &h, reason), EEG_EDF_INVALID);
  fail_unless (h == NULL);
  fail_unless (strstr (reason, text) != NULL, "'%s' lacks '%s'", reason, text);
  g_byte_array_unref (a);
}

GST_START_TEST (test_header_lies)
{
  EegEdfHeader *h;
  gchar reason[256];
  gsize needed;
  const guint8 other[] = "RIFF    ";

  LIE_FIXED (ns, "0", "number of signals");
  LIE_FIXED (ns, "-1", "number of signals");
  LIE_FIXED (ns, "1e9", "number of signals");
  LIE_FIXED (ns, "abc", "number of signals");
  LIE_FIXED (ns, "9999", "header size");
  LIE_FIXED (header_bytes, "768", "header size");
  LIE_FIXED (header_bytes, "x", "header size");
  LIE_FIXED (records, "-2", "data records");
  LIE_FIXED (records, "many", "data records");
  LIE_FIXED (records, "1.5", "data records");
  LIE_FIXED (duration, "-1", "duration");
  LIE_FIXED (duration, "0", "duration");
  LIE_FIXED (duration, "nan", "duration");
  LIE_FIXED (duration, "1e99999", "duration");
  LIE_FIXED (duration, "1e-30", "duration");
  LIE_FIXED (duration, "0.0000001", "record");
  LIE_SIGNAL (samples, "0", "samples");
  LIE_SIGNAL (samples, "-4", "samples");
  LIE_SIGNAL (samples, "99999999", "samples");
  LIE_SIGNAL (samples, "4x", "samples");
  LIE_SIGNAL (samples, "60000000", "larger than");
  LIE_SIGNAL (dmin, "32767", "not below");
  LIE_SIGNAL (dmin, "1e8", "not below");
  LIE_SIGNAL (dmax, "", "digital maximum");
  LIE_SIGNAL (dmax, "1e10", "digital maximum");
  LIE_SIGNAL (pmin, "3.5", "both");
  LIE_SIGNAL (pmin, "inf", "physical minimum");
  LIE_SIGNAL (pmax, "1e9999", "physical maximum");

  fail_unless_equals_int (eeg_edf_header_parse (other, 8, &h, &needed, reason,
                              sizeof reason),
      EEG_EDF_NOT_EDF);
}

GST_END_TEST;

GST_START_TEST (test_dates)
{
  static const struct
  {
    const gchar *date, *recording;
    gboolean valid;
    gint year;
  } cases[] = {
    { "01.01.85", "", TRUE, 1985 },
    { "01.01.84", "", TRUE, 2084 },
    { "31.12.99", "Startdate 31-DEC-1999 X X X", TRUE, 1999 },
    { "31.12.yy", "Startdate 31-DEC-2099 X X X", TRUE, 2099 },
    { "31.02.20", "", FALSE, 0 },
    { "29.02.20", "", TRUE, 2020 },
    { "00.00.00", "", FALSE, 0 },
    { "3-05-201", "", FALSE, 0 },
    { " 1/ 2/03", "Startdate X X X X", TRUE, 2003 },
    { "xx.xx.xx", "Startdate 31-dec-99", FALSE, 0 },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++) {
    Fixed f = good_fixed;
    EegEdfHeader *h;
    GByteArray *a;
    gchar reason[256];

    f.date = cases[i].date;
    f.recording = cases[i].recording;
    a = make_header (&f, good_signals, 4);
    fail_unless_equals_int (parse (a, &h, reason), EEG_EDF_OK);
    fail_unless_equals_int (h->start.date_valid, cases[i].valid);
    fail_unless_equals_int (h->start.year, cases[i].year);
    eeg_edf_header_free (h);
    g_byte_array_unref (a);
  }
}

GST_END_TEST;

GST_START_TEST (test_text)
{
  static const struct
  {
    const gchar *field, *text;
  } cases[] = {
    { "  uV   ", "uV" },
    { "\xb5V     ", "\xc2\xb5V" },
    { "\xc2\xb5V    ", "\xc2\xb5V" },
    { "\x83\xcaV    ", "\xc2\xb5V" },
    { "        ", "" },
    { "\xed\xa0\x80", "\xc3\xad\xc2\xa0\xc2\x80" },
  };
  gchar out[161];
  guint i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++) {
    eeg_edf_field_to_utf8 (cases[i].field, out, sizeof out);
    fail_unless_equals_string (out, cases[i].text);
    fail_unless (g_utf8_validate (out, -1, NULL));
  }
  /* never cut inside a character */
  eeg_edf_field_to_utf8 ("a\xc2\xb5", out, 3);
  fail_unless_equals_string (out, "a");
}

GST_END_TEST;

GST_START_TEST (test_seconds)
{
  static const struct
  {
    const gchar *text;
    gboolean valid;
    gint64 ns;
  } cases[] = {
    { "+0", TRUE, 0 },
    { "+0.3945312", TRUE, 394531200 },
    { "-0.5", TRUE, -500000000 },
    { "+1.", TRUE, 1000000000 },
    { "+.25", TRUE, 250000000 },
    { "+0.1234567894", TRUE, 123456789 },
    { "+0.1234567895", TRUE, 123456790 },
    { "+0.9999999999", TRUE, 1000000000 },
    { "+9000000000", TRUE, G_GINT64_CONSTANT (9000000000000000000) },
    { "+9999999999", FALSE, 0 },
    { "+", FALSE, 0 },
    { "", FALSE, 0 },
    { "+1e3", FALSE, 0 },
    { "+ 1", FALSE, 0 },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++) {
    gint64 ns = 0;
    gboolean ok;

    ok = eeg_edf_parse_seconds (cases[i].text, strlen (cases[i].text), &ns);
    fail_unless_equals_int (ok, cases[i].valid);
    if (ok)
      fail_unless_equals_int64 (ns, cases[i].ns);
  }
}

GST_END_TEST;

GST_START_TEST (test_annotations)
{
  static const guint8 list1[40] = "+0.5\x14\x14\0"
                                  "+1.25\x15"
                                  "2\x14one\x14two\x14\0"
                                  "rubbish\0"
                                  "-3\x14\x14";
  static const guint8 list2[40] = "+7\x14three\x14\0+8\x14"
                                  "cut";
  static const struct
  {
    gint64 onset, duration;
    const gchar *text;
    gboolean time_keeping;
  } expect[] = {
    { 500000000, -1, "", TRUE },
    { 1250000000, 2000000000, "one", FALSE },
    { 1250000000, 2000000000, "two", FALSE },
    { -3000000000, -1, "", FALSE },
    { 7000000000, -1, "three", FALSE },
  };
  Signal s[3];
  GByteArray *a;
  EegEdfHeader *h;
  EegEdfAnnotationIter iter;
  EegEdfAnnotation annotation;
  guint8 record[88];
  gchar reason[256];
  guint i = 0;

  s[0] = good_signals[3];
  s[1] = good_signals[0];
  s[2] = good_signals[3];
  s[0].samples = s[2].samples = "20";
  a = make_header (&good_fixed, s, 3);
  fail_unless_equals_int (parse (a, &h, reason), EEG_EDF_OK);
  fail_unless_equals_int (h->record_size, sizeof record);
  memcpy (record, list1, 40);
  memset (record + 40, 0x14, 8);
  memcpy (record + 48, list2, 40);

  eeg_edf_annotations_init (&iter, h, record);
  while (eeg_edf_annotations_next (&iter, &annotation)) {
    fail_unless (i < G_N_ELEMENTS (expect));
    fail_unless_equals_int64 (annotation.onset, expect[i].onset);
    fail_unless_equals_int64 (annotation.duration, expect[i].duration);
    fail_unless_equals_int (annotation.text_length, strlen (expect[i].text));
    fail_unless (
        memcmp (annotation.text, expect[i].text, annotation.text_length) == 0);
    fail_unless_equals_int (annotation.time_keeping, expect[i].time_keeping);
    i++;
  }
  fail_unless_equals_int (i, G_N_ELEMENTS (expect));
  fail_unless_equals_int (iter.malformed, 2);
  fail_unless_equals_int64 (eeg_edf_record_time (h, record), 500000000);

  eeg_edf_header_free (h);
  g_byte_array_unref (a);
}

GST_END_TEST;

/* --- samples ------------------------------------------------------------- */

static gint32
sample_value (guint channel, guint i)
{
  return (gint32) ((channel * 2654435761u + i * 40503u) >> 3);
}

GST_START_TEST (test_decode)
{
  static const struct
  {
    const gchar *version;
    guint in_size, out_size;
    EegEdfSampleFormat format;
  } cases[] = {
    { "0", 2, 2, EEG_EDF_SAMPLE_S16 },
    { "0", 2, 3, EEG_EDF_SAMPLE_S24 },
    { "0", 2, 4, EEG_EDF_SAMPLE_S32 },
    { "\xff"
      "BIOSEMI",
        3, 3, EEG_EDF_SAMPLE_S24 },
    { "\xff"
      "BIOSEMI",
        3, 4, EEG_EDF_SAMPLE_S32 },
  };
  static const guint channel_counts[] = { 1, 3, 16, 17, 37 };
  const guint n = 131, start = 3, count = 127;
  guint c, k, i, b, ch;

  for (c = 0; c < G_N_ELEMENTS (cases); c++) {
    for (k = 0; k < G_N_ELEMENTS (channel_counts); k++) {
      guint channels = channel_counts[k];
      Signal *s = g_new (Signal, channels);
      Fixed f = good_fixed;
      guint8 *record, *out, *p;
      GByteArray *a;
      EegEdfHeader *h;
      gchar reason[256];

      f.version = cases[c].version;
      for (ch = 0; ch < channels; ch++) {
        s[ch] = good_signals[0];
        s[ch].samples = "131";
      }
      a = make_header (&f, s, channels);
      fail_unless_equals_int (parse (a, &h, reason), EEG_EDF_OK);
      p = record = g_malloc (h->record_size);
      for (ch = 0; ch < channels; ch++) {
        for (i = 0; i < n; i++) {
          for (b = 0; b < cases[c].in_size; b++)
            *p++ = sample_value (ch, i) >> 8 * b;
        }
      }
      out = g_malloc (count * channels * cases[c].out_size);
      eeg_edf_decode (h, 0, record, start, count, cases[c].format, out);
      p = out;
      for (i = start; i < start + count; i++) {
        for (ch = 0; ch < channels; ch++) {
          guint shift = 32 - 8 * cases[c].in_size;
          gint32 v =
              (gint32) ((guint32) sample_value (ch, i) << shift) >> shift;

          for (b = 0; b < cases[c].out_size; b++)
            fail_unless_equals_int (*p++, (v >> 8 * b) & 0xff);
        }
      }
      g_free (out);
      g_free (record);
      g_free (s);
      eeg_edf_header_free (h);
      g_byte_array_unref (a);
    }
  }
}

GST_END_TEST;

GST_START_TEST (test_status)
{
  static const gint32 status[] = { 5, 5, 0x10005, 0x10000, 1, 3, 2, 2, 0, -1,
    -1, 0x80, 0, 0, 7, 7 };
  static const struct
  {
    guint position;
    guint16 triggers;
  } expect[] = {
    { 5, 1 },
    { 6, 3 },
    { 10, 0xffff },
    { 15, 7 },
  };
  Signal s = good_signals[0];
  Fixed f = good_fixed;
  EegEdfHeader *h;
  EegEdfStatusState state = { FALSE };
  GByteArray *a;
  guint8 record[48];
  gchar reason[256], text[EEG_EDF_TRIGGER_TEXT_SIZE];
  guint i;
  guint32 position = 0;
  guint16 triggers;

  f.version = "\xff"
              "BIOSEMI";
  f.reserved = "24BIT";
  s.label = "Status";
  s.samples = "16";
  a = make_header (&f, &s, 1);
  fail_unless_equals_int (parse (a, &h, reason), EEG_EDF_OK);
  fail_unless (h->signals[0].is_status);
  fail_unless_equals_int (h->variant, EEG_EDF_VARIANT_PLAIN);
  for (i = 0; i < 48; i++)
    record[i] = status[i / 3] >> 8 * (i % 3);

  for (i = 0; eeg_edf_status_next (h, 0, record, &state, &position, &triggers);
       i++) {
    fail_unless (i < G_N_ELEMENTS (expect));
    fail_unless_equals_int (position, expect[i].position);
    fail_unless_equals_int (triggers, expect[i].triggers);
  }
  fail_unless_equals_int (i, G_N_ELEMENTS (expect));
  /* the state reaches over the record's end: 7 to 5 rises no bit */
  position = 0;
  fail_unless (
      eeg_edf_status_next (h, 0, record, &state, &position, &triggers));
  fail_unless_equals_int (position, 5);
  eeg_edf_trigger_text (0xffff, text);
  fail_unless_equals_string (text, "Trigger 65535");

  eeg_edf_header_free (h);
  g_byte_array_unref (a);
}

GST_END_TEST;

/* --- writing ------------------------------------------------------------- */

GST_START_TEST (test_write_header)
{
  GByteArray *a = make_header (&good_fixed, good_signals, 4);
  guint8 *out = g_malloc (a->len);
  EegEdfHeader *h, *n;
  gchar reason[256];
  gsize needed;

  fail_unless_equals_int (parse (a, &h, reason), EEG_EDF_OK);
  eeg_edf_header_write (h, out);
  fail_unless (memcmp (out, a->data, a->len) == 0);
  eeg_edf_header_free (h);
  g_byte_array_unref (a);
  g_free (out);

  fail_unless (eeg_edf_header_new (EEG_EDF_FORMAT_EDF, 0) == NULL);
  fail_unless (eeg_edf_header_new (EEG_EDF_FORMAT_EDF, 10000) == NULL);
  n = eeg_edf_header_new (EEG_EDF_FORMAT_BDF, 1);
  eeg_edf_set_duration (n->duration_text, (EegEdfRational){ 1, 4 });
  eeg_edf_set_field (n->signals[0].label, 16, "Cz");
  eeg_edf_set_field (n->signals[0].dimension, 8, "\xc2\xb5V");
  eeg_edf_set_integer (n->signals[0].digital_min, -8388608);
  eeg_edf_set_integer (n->signals[0].digital_max, 8388607);
  eeg_edf_set_physical (n->signals[0].physical_min, -262144,
      EEG_EDF_ROUND_NEAREST);
  eeg_edf_set_physical (n->signals[0].physical_max, 262143.96875,
      EEG_EDF_ROUND_UP);
  eeg_edf_set_integer (n->signals[0].samples, 512);
  out = g_malloc (n->header_size);
  eeg_edf_header_write (n, out);
  fail_unless_equals_int (eeg_edf_header_parse (out, n->header_size, &h,
                              &needed, reason, sizeof reason),
      EEG_EDF_OK);
  fail_unless_equals_int64 (h->groups[0].rate.num, 2048);
  fail_unless_equals_int64 (h->num_records, -1);
  fail_unless_equals_string (h->signals[0].dimension, "uV      ");
  fail_unless_equals_string (h->signals[0].physical_max, "262144  ");
  eeg_edf_header_free (h);
  eeg_edf_header_free (n);
  g_free (out);
}

GST_END_TEST;

GST_START_TEST (test_recordings_header)
{
  const gchar *shared = g_getenv ("GSTEEG_SHARED_DIR");
  gchar *folder;
  GDir *dir;
  const gchar *name;
  guint files = 0;

  if (shared == NULL) {
    g_print ("skipped: GSTEEG_SHARED_DIR is not set\n");
    return;
  }
  folder = g_build_filename (shared, "recordings", NULL);
  dir = g_dir_open (folder, 0, NULL);
  fail_unless (dir != NULL);
  while ((name = g_dir_read_name (dir)) != NULL) {
    gchar *path, *data;
    gchar reason[256];
    gsize size, needed;
    EegEdfHeader *h;
    guint8 *out;

    if (!g_str_has_suffix (name, ".edf") && !g_str_has_suffix (name, ".bdf"))
      continue;
    files++;
    path = g_build_filename (folder, name, NULL);
    fail_unless (g_file_get_contents (path, &data, &size, NULL));
    fail_unless_equals_int (eeg_edf_header_parse ((const guint8 *) data, size,
                                &h, &needed, reason, sizeof reason),
        EEG_EDF_OK);
    fail_unless_equals_uint64 (eeg_edf_records_in_file (h, size),
        h->num_records);
    fail_unless (h->start.date_valid && h->start.time_valid);
    out = g_malloc (h->header_size);
    eeg_edf_header_write (h, out);
    fail_unless (memcmp (out, data, h->header_size) == 0, "%s", name);
    g_free (out);
    eeg_edf_header_free (h);
    g_free (data);
    g_free (path);
  }
  g_dir_close (dir);
  g_free (folder);
  fail_unless (files > 0);
}

GST_END_TEST;

GST_START_TEST (test_write_fields)
{
  static const struct
  {
    const gchar *in, *out;
    gboolean kept;
  } fields[] = {
    { "uV", "uV      ", TRUE },
    { "\xc2\xb5V", "uV      ", FALSE },
    { "\xce\xbcV", "uV      ", FALSE },
    { "k\xe2\x84\xa6", "kOhm    ", FALSE },
    { "\xc3\xa4\xc3\x9f\xe6\x97\xa5", "as_     ", FALSE },
    { "12345678", "12345678", TRUE },
    { "123456789", "12345678", FALSE },
    { "a\tb", "a_b     ", FALSE },
    { "", "        ", TRUE },
    { "\xc3", "_       ", FALSE },
  };
  static const struct
  {
    gdouble value;
    EegEdfRounding rounding;
    const gchar *text;
  } physical[] = {
    { 0, EEG_EDF_ROUND_NEAREST, "0       " },
    { -6553.4, EEG_EDF_ROUND_NEAREST, "-6553.4 " },
    { -6553.4, EEG_EDF_ROUND_DOWN, "-6553.4 " },
    { 187500.0223, EEG_EDF_ROUND_NEAREST, "187500  " },
    { -187500.0223, EEG_EDF_ROUND_DOWN, "-187501 " },
    { 187500.0223, EEG_EDF_ROUND_UP, "187500.1" },
    { 99999999, EEG_EDF_ROUND_NEAREST, "99999999" },
    { 1.0 / 3, EEG_EDF_ROUND_NEAREST, "0.333333" },
    { -1.0 / 3, EEG_EDF_ROUND_UP, "-0.33333" },
    { 1e12, EEG_EDF_ROUND_NEAREST, "1E12    " },
    { 1.2345e-9, EEG_EDF_ROUND_NEAREST, "1234E-12" },
    { -1.2345e-9, EEG_EDF_ROUND_NEAREST, "-123E-11" },
    { 123456789.0, EEG_EDF_ROUND_NEAREST, "123457E3" },
  };
  static const struct
  {
    const gchar *in, *out;
  } patients[] = {
    { NULL, "X X X X" },
    { "", "X X X X" },
    { "Haagse Harry", "X X X Haagse_Harry" },
    { "MCH-0234567 F 02-MAY-1951 Haagse_Harry", NULL },
    { "X  F   X Female_33yr", "X F X Female_33yr" },
    { "A 3Hz sinewave and so on", "X X X A_3Hz_sinewave_and_so_on" },
    { "X F 2-5-1951 J\xc3\xb6rg", "X X X X_F_2-5-1951_Jorg" },
  };
  static const struct
  {
    const gchar *in, *out;
  } recordings[] = {
    { NULL, "Startdate 02-MAR-2031 X X X" },
    { "night 7", "Startdate 02-MAR-2031 X X night_7" },
    { "Startdate 01-JAN-2000 X tech amp more",
        "Startdate 02-MAR-2031 X tech amp more" },
    { "Startdate X X", "Startdate 02-MAR-2031 X X X" },
    { "Startdate", "Startdate 02-MAR-2031 X X X" },
  };
  EegEdfStart start = { 2031, 3, 2, 4, 5, 6, TRUE, TRUE };
  gchar field[81], expect[81];
  guint i;

  for (i = 0; i < G_N_ELEMENTS (fields); i++) {
    fail_unless_equals_int (eeg_edf_set_field (field, 8, fields[i].in),
        fields[i].kept);
    fail_unless_equals_string (field, fields[i].out);
  }
  for (i = 0; i < G_N_ELEMENTS (physical); i++) {
    fail_unless (
        eeg_edf_set_physical (field, physical[i].value, physical[i].rounding));
    fail_unless_equals_string (field, physical[i].text);
  }
  fail_if (eeg_edf_set_physical (field, NAN, EEG_EDF_ROUND_NEAREST));
  fail_if (eeg_edf_set_integer (field, -12345678));
  for (i = 0; i < G_N_ELEMENTS (patients); i++) {
    eeg_edf_set_plus_patient (field, patients[i].in);
    g_snprintf (expect, sizeof expect, "%-80s",
        patients[i].out ? patients[i].out : patients[i].in);
    fail_unless_equals_string (field, expect);
  }
  for (i = 0; i < G_N_ELEMENTS (recordings); i++) {
    eeg_edf_set_plus_recording (field, recordings[i].in, &start);
    g_snprintf (expect, sizeof expect, "%-80s", recordings[i].out);
    fail_unless_equals_string (field, expect);
  }
  start.date_valid = FALSE;
  eeg_edf_set_plus_recording (field, "Startdate 01-JAN-2000 a b c", &start);
  fail_unless (g_str_has_prefix (field, "Startdate X a b c "));
  /* never longer than the field */
  memset (expect, 'y', 80);
  expect[80] = '\0';
  eeg_edf_set_plus_patient (field, expect);
  fail_unless_equals_int (strlen (field), 80);
  eeg_edf_set_plus_recording (field, expect, &start);
  fail_unless_equals_int (strlen (field), 80);
}

GST_END_TEST;

GST_START_TEST (test_start)
{
  static const gint64 seconds[] = { 0, -1, 86399, 951782400, 951868799,
    1929931506, G_GINT64_CONSTANT (4102444800), -2208988800,
    G_GINT64_CONSTANT (32503679999) };
  EegEdfHeader *h = eeg_edf_header_new (EEG_EDF_FORMAT_EDF, 1);
  EegEdfStart start;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (seconds); i++) {
    GDateTime *t = g_date_time_new_from_unix_utc (seconds[i]);

    start = eeg_edf_start_from_seconds (seconds[i]);
    fail_unless_equals_int (start.year, g_date_time_get_year (t));
    fail_unless_equals_int (start.month, g_date_time_get_month (t));
    fail_unless_equals_int (start.day, g_date_time_get_day_of_month (t));
    fail_unless_equals_int (start.hour, g_date_time_get_hour (t));
    fail_unless_equals_int (start.minute, g_date_time_get_minute (t));
    fail_unless_equals_int (start.second, g_date_time_get_second (t));
    fail_unless_equals_int64 (eeg_edf_start_to_seconds (&start), seconds[i]);
    g_date_time_unref (t);
  }
  start = eeg_edf_start_from_seconds (951782400);
  eeg_edf_set_start (h, &start);
  fail_unless_equals_string (h->start_date, "29.02.00");
  fail_unless_equals_string (h->start_time, "00.00.00");
  start.year = 2085;
  eeg_edf_set_start (h, &start);
  fail_unless_equals_string (h->start_date, "29.02.yy");
  start.date_valid = start.time_valid = FALSE;
  eeg_edf_set_start (h, &start);
  fail_unless_equals_string (h->start_date, "01.01.85");
  fail_unless_equals_string (h->start_time, "00.00.00");
  eeg_edf_header_free (h);
}

GST_END_TEST;

GST_START_TEST (test_choose_record)
{
  static const struct
  {
    EegEdfFormat format;
    EegEdfStream streams[3];
    guint n_streams;
    EegEdfRational wanted;
    EegEdfRecordChoice choice;
    const gchar *duration;
    guint samples[3];
  } cases[] = {
    { EEG_EDF_FORMAT_BDF, { { { 250, 1 }, 8 } }, 1, { 0, 1 }, EEG_EDF_RECORD_OK,
        "1       ", { 250 } },
    /* 64 channels of 24 bits at 2048 Hz: 393216 bytes in a second */
    { EEG_EDF_FORMAT_BDF, { { { 2048, 1 }, 64 } }, 1, { 0, 1 },
        EEG_EDF_RECORD_OK, "0.125   ", { 256 } },
    { EEG_EDF_FORMAT_EDF, { { { 100, 1 }, 3 }, { { 1, 1 }, 4 } }, 2, { 0, 1 },
        EEG_EDF_RECORD_OK, "1       ", { 100, 1 } },
    { EEG_EDF_FORMAT_EDF, { { { 100, 1 }, 1 }, { { 64, 5 }, 1 } }, 2, { 0, 1 },
        EEG_EDF_RECORD_OK, "1.25    ", { 125, 16 } },
    { EEG_EDF_FORMAT_EDF, { { { 975, 2 }, 1 }, { { 999, 2 }, 1 } }, 2, { 0, 1 },
        EEG_EDF_RECORD_OK, "2       ", { 975, 999 } },
    { EEG_EDF_FORMAT_EDF, { { { 1000, 3 }, 2 } }, 1, { 0, 1 },
        EEG_EDF_RECORD_OK, "0.99    ", { 330 } },
    { EEG_EDF_FORMAT_EDF, { { { 1, 3 }, 2 } }, 1, { 0, 1 }, EEG_EDF_RECORD_OK,
        "3       ", { 1 } },
    /* a known total goes into whole records */
    { EEG_EDF_FORMAT_EDF, { { { 250, 1 }, 2, 1001 } }, 1, { 0, 1 },
        EEG_EDF_RECORD_OK, "0.572   ", { 143 } },
    { EEG_EDF_FORMAT_EDF, { { { 250, 1 }, 2, 1009 } }, 1, { 0, 1 },
        EEG_EDF_RECORD_OK, "1       ", { 250 } },
    { EEG_EDF_FORMAT_EDF, { { { 250, 1 }, 2 } }, 1, { 2, 1 }, EEG_EDF_RECORD_OK,
        "2       ", { 500 } },
    { EEG_EDF_FORMAT_EDF, { { { 250, 1 }, 2 } }, 1, { 1, 3 },
        EEG_EDF_RECORD_NONE, NULL, { 0 } },
    { EEG_EDF_FORMAT_EDF, { { { 250, 1 }, 2 } }, 1, { 1, 500 },
        EEG_EDF_RECORD_NONE, NULL, { 0 } },
    { EEG_EDF_FORMAT_EDF, { { { 250, 1 }, 2000 } }, 1, { 20, 1 },
        EEG_EDF_RECORD_NONE, NULL, { 0 } },
    /* 256.00001525878906 Hz: no decimal duration */
    { EEG_EDF_FORMAT_EDF, { { { 16777217, 65536 }, 2 } }, 1, { 0, 1 },
        EEG_EDF_RECORD_APPROXIMATE, "1       ", { 256 } },
    { EEG_EDF_FORMAT_EDF, { { { 16777217, 65536 }, 2 }, { { 100, 1 }, 1 } }, 2,
        { 0, 1 }, EEG_EDF_RECORD_NONE, NULL, { 0 } },
    { EEG_EDF_FORMAT_BDF, { { { 16384, 1 }, 256 } }, 1, { 0, 1 },
        EEG_EDF_RECORD_OK, "0.015625", { 256 } },
    { EEG_EDF_FORMAT_EDF, { { { 30000, 1 }, 1536 } }, 1, { 0, 1 },
        EEG_EDF_RECORD_OK, "0.01    ", { 300 } },
    { EEG_EDF_FORMAT_EDF, { { { 2147483647, 2147483646 }, 1 } }, 1, { 0, 1 },
        EEG_EDF_RECORD_APPROXIMATE, "1       ", { 1 } },
  };
  guint i, k;

  for (i = 0; i < G_N_ELEMENTS (cases); i++) {
    EegEdfStream streams[3];
    EegEdfRational d;
    gchar field[9];

    memcpy (streams, cases[i].streams, sizeof streams);
    fail_unless_equals_int (eeg_edf_choose_record (cases[i].format, streams,
                                cases[i].n_streams, 120, cases[i].wanted, &d),
        cases[i].choice);
    if (cases[i].choice == EEG_EDF_RECORD_NONE)
      continue;
    fail_unless (eeg_edf_set_duration (field, d));
    fail_unless_equals_string (field, cases[i].duration);
    for (k = 0; k < cases[i].n_streams; k++)
      fail_unless_equals_int (streams[k].samples_per_record,
          cases[i].samples[k]);
  }
}

GST_END_TEST;

GST_START_TEST (test_write_annotations)
{
  static const struct
  {
    gint64 onset, duration;
    const gchar *text, *bytes;
    gsize length;
  } cases[] = {
    { 0, -1, "", "+0\x14\x14\0", 5 },
    { 394531200, -1, "", "+0.3945312\x14\x14\0", 13 },
    { -500000000, -1, "x", "-0.5\x14x\x14\0", 8 },
    { 12000000001, 0, "a",
        "+12.000000001\x15"
        "0\x14"
        "a\x14\0",
        19 },
    { 1000000000, 2500000000,
        "a\x14"
        "b",
        "+1\x15"
        "2.5\x14"
        "a b\x14\0",
        12 },
  };
  guint8 out[64];
  guint i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++) {
    gsize room, length = strlen (cases[i].text);

    for (room = 0; room < cases[i].length; room++) {
      fail_unless_equals_int (eeg_edf_write_annotation (out, room,
                                  cases[i].onset, cases[i].duration,
                                  cases[i].text, length),
          0);
    }
    memset (out, 0xee, sizeof out);
    fail_unless_equals_int (eeg_edf_write_annotation (out, room, cases[i].onset,
                                cases[i].duration, cases[i].text, length),
        cases[i].length);
    fail_unless (memcmp (out, cases[i].bytes, cases[i].length) == 0);
    fail_unless_equals_int (out[cases[i].length], 0xee);
    fail_unless_equals_int (eeg_edf_annotation_room (cases[i].length,
                                cases[i].onset, cases[i].duration),
        length);
  }
}

GST_END_TEST;

/* A header with channels signals of n samples, in the order given backwards */
static EegEdfHeader *
make_layout (gboolean bdf, guint channels, guint n)
{
  Signal *s = g_new (Signal, channels);
  Fixed f = good_fixed;
  EegEdfHeader *h;
  GByteArray *a;
  gchar reason[256], samples[9];
  guint c;

  f.version = bdf ? "\xff"
                    "BIOSEMI"
                  : "0";
  g_snprintf (samples, sizeof samples, "%u", n);
  for (c = 0; c < channels; c++) {
    s[c] = good_signals[0];
    s[c].samples = samples;
    s[c].dmin = "-30000";
    s[c].dmax = "30001";
    s[c].pmin = c % 2 ? "-200" : "187.5";
    s[c].pmax = c % 2 ? "300" : "-187";
  }
  a = make_header (&f, s, channels);
  fail_unless_equals_int (parse (a, &h, reason), EEG_EDF_OK);
  g_byte_array_unref (a);
  g_free (s);
  return h;
}

GST_START_TEST (test_encode_integers)
{
  static const struct
  {
    gboolean bdf;
    guint in_size, out_size;
    EegEdfSampleFormat format;
  } cases[] = {
    { FALSE, 2, 2, EEG_EDF_SAMPLE_S16 },
    { FALSE, 3, 2, EEG_EDF_SAMPLE_S24 },
    { FALSE, 4, 2, EEG_EDF_SAMPLE_S32 },
    { TRUE, 2, 3, EEG_EDF_SAMPLE_S16 },
    { TRUE, 3, 3, EEG_EDF_SAMPLE_S24 },
    { TRUE, 4, 3, EEG_EDF_SAMPLE_S32 },
  };
  static const guint channel_counts[] = { 1, 3, 16, 17, 37 };
  const guint n = 131, start = 3, count = 127;
  guint c, k, i, b, ch;

  for (c = 0; c < G_N_ELEMENTS (cases); c++) {
    for (k = 0; k < G_N_ELEMENTS (channel_counts); k++) {
      guint channels = channel_counts[k];
      EegEdfHeader *h = make_layout (cases[c].bdf, channels, n);
      EegEdfChannel *table = g_new (EegEdfChannel, channels);
      guint8 *in = g_malloc (count * channels * cases[c].in_size), *p = in;
      guint8 *record = g_malloc (h->record_size);
      guint64 clipped = 0, got;
      gint32 limit = 1 << (8 * cases[c].out_size - 1);

      for (ch = 0; ch < channels; ch++)
        eeg_edf_channel_init (&table[ch], h, channels - 1 - ch,
            cases[c].format);
      for (i = 0; i < count; i++) {
        for (ch = 0; ch < channels; ch++) {
          for (b = 0; b < cases[c].in_size; b++)
            *p++ = sample_value (ch, i) >> 8 * b;
        }
      }
      memset (record, 0xee, h->record_size);
      got = eeg_edf_encode (h, table, channels, record, start, count,
          cases[c].format, in);
      for (ch = 0; ch < channels; ch++) {
        p = record + h->signals[channels - 1 - ch].record_offset;
        for (i = 0; i < n; i++) {
          guint shift = 32 - 8 * cases[c].in_size;
          gint32 v, kept;

          if (i < start || i >= start + count) {
            for (b = 0; b < cases[c].out_size; b++)
              fail_unless_equals_int (*p++, 0xee);
            continue;
          }
          v = (gint32) ((guint32) sample_value (ch, i - start) << shift)
              >> shift;
          kept = CLAMP (v, -limit, limit - 1);
          clipped += kept != v;
          for (b = 0; b < cases[c].out_size; b++)
            fail_unless_equals_int (*p++, (kept >> 8 * b) & 0xff);
        }
      }
      fail_unless_equals_uint64 (got, clipped);
      fail_unless (cases[c].in_size > cases[c].out_size || clipped == 0);
      g_free (record);
      g_free (in);
      g_free (table);
      eeg_edf_header_free (h);
    }
  }
}

GST_END_TEST;

GST_START_TEST (test_encode_physical)
{
  const guint channels = 19, n = 150;
  guint pass;

  for (pass = 0; pass < 4; pass++) {
    gboolean bdf = pass & 1, wide = pass & 2;
    EegEdfSampleFormat format = wide ? EEG_EDF_SAMPLE_F64 : EEG_EDF_SAMPLE_F32;
    EegEdfHeader *h = make_layout (bdf, channels, n);
    EegEdfChannel table[19];
    gfloat *f32 = g_new (gfloat, n * channels);
    gdouble *f64 = g_new (gdouble, n * channels);
    guint8 *record = g_malloc (h->record_size);
    gint32 *back = g_new (gint32, n * channels);
    guint64 clipped = 0;
    guint i, ch;

    for (ch = 0; ch < channels; ch++)
      eeg_edf_channel_init (&table[ch], h, ch, format);
    for (i = 0; i < n * channels; i++) {
      f32[i] = ((gint) (i * 7919 % 50001) - 25000) / 129.0f;
      if (i % 501 == 500)
        f32[i] = i % 2 ? NAN : INFINITY;
      f64[i] = f32[i];
    }
    clipped = eeg_edf_encode (h, table, channels, record, 0, n, format,
        wide ? (gpointer) f64 : (gpointer) f32);
    eeg_edf_decode (h, 0, record, 0, n, EEG_EDF_SAMPLE_S32, back);
    for (i = 0; i < n * channels; i++) {
      const EegEdfSignal *s = &h->signals[i % channels];
      gdouble lowest = MIN (s->pmin, s->pmax), highest = MAX (s->pmin, s->pmax);
      gdouble step = ABS (s->gain), value = f64[i];
      gint32 count = GINT32_FROM_LE (back[i]);

      if (isnan (value)) {
        clipped--;
        fail_unless_equals_int (count, table[i % channels].fill);
        continue;
      }
      if (value < lowest - step / 2 || value > highest + step / 2)
        clipped--;
      value = CLAMP (value, lowest, highest);
      fail_unless (
          ABS (count * s->gain + s->offset - value) <= step * 0.5000001);
    }
    fail_unless_equals_uint64 (clipped, 0);

    /* lost samples: physical zero */
    eeg_edf_fill (h, table, channels, record, 1, n - 1);
    eeg_edf_decode (h, 0, record, 1, n - 1, EEG_EDF_SAMPLE_S32, back);
    for (i = 0; i < (n - 1) * channels; i++) {
      const EegEdfSignal *s = &h->signals[i % channels];

      fail_unless (ABS (GINT32_FROM_LE (back[i]) * s->gain + s->offset)
          <= ABS (s->gain));
    }
    g_free (back);
    g_free (record);
    g_free (f64);
    g_free (f32);
    eeg_edf_header_free (h);
  }
}

GST_END_TEST;

static Suite *
edfformat_suite (void)
{
  Suite *s = suite_create ("edfformat");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_header);
  tcase_add_test (tc, test_header_rates);
  tcase_add_test (tc, test_header_lies);
  tcase_add_test (tc, test_dates);
  tcase_add_test (tc, test_text);
  tcase_add_test (tc, test_seconds);
  tcase_add_test (tc, test_annotations);
  tcase_add_test (tc, test_decode);
  tcase_add_test (tc, test_status);
  tcase_add_test (tc, test_write_header);
  tcase_add_test (tc, test_recordings_header);
  tcase_add_test (tc, test_write_fields);
  tcase_add_test (tc, test_start);
  tcase_add_test (tc, test_choose_record);
  tcase_add_test (tc, test_write_annotations);
  tcase_add_test (tc, test_encode_integers);
  tcase_add_test (tc, test_encode_physical);
  return s;
}

GST_CHECK_MAIN (edfformat);
