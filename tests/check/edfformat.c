/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The EDF and BDF format code, without a pipeline. */

#include <gst/check/gstcheck.h>

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
  return s;
}

GST_CHECK_MAIN (edfformat);
