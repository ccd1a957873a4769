/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Fixed-width character fields of the header, and the layout of a record. */

#include "edf-private.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIXED_SIZE 256
#define SIGNAL_SIZE 256

static const char month_names[12][4] = { "JAN", "FEB", "MAR", "APR", "MAY",
  "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC" };

void
eeg_edf_reason (char *reason, size_t size, const char *format, ...)
{
  va_list args;

  if (reason == NULL || size == 0)
    return;
  va_start (args, format);
  vsnprintf (reason, size, format, args);
  va_end (args);
}

/* --- numbers ------------------------------------------------------------- */

static bool
is_padding (char c)
{
  return c == ' ' || c == '\0';
}

static bool
is_digit (char c)
{
  return c >= '0' && c <= '9';
}

bool
eeg_edf_parse_decimal (const char *text, size_t length, EegEdfDecimal *decimal)
{
  const char *p = text, *end = text + length;
  int digits = 0, significant = 0;
  bool point = false;

  while (p < end && is_padding (*p))
    p++;
  while (end > p && is_padding (end[-1]))
    end--;

  decimal->negative = false;
  decimal->mantissa = 0;
  decimal->exponent = 0;

  if (p < end && (*p == '+' || *p == '-'))
    decimal->negative = *p++ == '-';

  for (; p < end; p++) {
    if (is_digit (*p)) {
      digits++;
      if (decimal->mantissa != 0 || *p != '0') {
        if (++significant > 18)
          return false;
        decimal->mantissa = decimal->mantissa * 10 + (uint64_t) (*p - '0');
      }
      if (point)
        decimal->exponent--;
    } else if ((*p == '.' || *p == ',') && !point) {
      point = true;
    } else {
      break;
    }
  }
  if (digits == 0)
    return false;

  if (p < end && (*p == 'e' || *p == 'E')) {
    bool negative = false;
    int32_t exponent = 0;

    p++;
    if (p < end && (*p == '+' || *p == '-'))
      negative = *p++ == '-';
    if (p == end)
      return false;
    for (; p < end && is_digit (*p); p++) {
      if (exponent > 9999)
        return false;
      exponent = exponent * 10 + (*p - '0');
    }
    decimal->exponent += negative ? -exponent : exponent;
  }
  return p == end;
}

bool
eeg_edf_decimal_to_integer (const EegEdfDecimal *decimal, int64_t min,
    int64_t max, int64_t *value)
{
  uint64_t v = decimal->mantissa;
  int32_t e = decimal->exponent;

  if (v == 0)
    e = 0;
  for (; e > 0; e--) {
    if (v > (uint64_t) INT64_MAX / 10)
      return false;
    v *= 10;
  }
  for (; e < 0; e++) {
    if (v % 10 != 0)
      return false;
    v /= 10;
  }
  *value = decimal->negative ? -(int64_t) v : (int64_t) v;
  return *value >= min && *value <= max;
}

static bool
parse_integer (const char *field, size_t length, int64_t min, int64_t max,
    int64_t *value)
{
  EegEdfDecimal decimal;

  return eeg_edf_parse_decimal (field, length, &decimal)
      && eeg_edf_decimal_to_integer (&decimal, min, max, value);
}

/* Nearest double of a decimal. strtod depends on the locale, so the text is
 * made anew as digits and an exponent, which no locale changes. */
static bool
parse_double (const char *field, size_t length, double *value)
{
  EegEdfDecimal decimal;
  char text[48];

  if (!eeg_edf_parse_decimal (field, length, &decimal))
    return false;
  snprintf (text, sizeof text, "%s%llue%d", decimal.negative ? "-" : "",
      (unsigned long long) decimal.mantissa, (int) decimal.exponent);
  *value = strtod (text, NULL);
  return isfinite (*value);
}

static uint64_t
gcd (uint64_t a, uint64_t b)
{
  while (b != 0) {
    uint64_t t = a % b;

    a = b;
    b = t;
  }
  return a;
}

EegEdfRational
eeg_edf_rational (int64_t num, int64_t den)
{
  EegEdfRational r = { num, den };
  uint64_t d = gcd (num < 0 ? -(uint64_t) num : (uint64_t) num, (uint64_t) den);

  if (d > 1) {
    r.num /= (int64_t) d;
    r.den /= (int64_t) d;
  }
  return r;
}

static bool
parse_rational (const char *field, size_t length, EegEdfRational *value)
{
  EegEdfDecimal decimal;
  uint64_t den = 1;

  if (!eeg_edf_parse_decimal (field, length, &decimal))
    return false;
  if (decimal.mantissa == 0) {
    *value = (EegEdfRational){ 0, 1 };
    return true;
  }
  for (; decimal.exponent > 0; decimal.exponent--) {
    if (decimal.mantissa > (uint64_t) INT64_MAX / 10)
      return false;
    decimal.mantissa *= 10;
  }
  for (; decimal.exponent < 0; decimal.exponent++) {
    if (decimal.mantissa % 10 == 0) {
      decimal.mantissa /= 10;
    } else {
      if (den > (uint64_t) INT64_MAX / 10)
        return false;
      den *= 10;
    }
  }
  *value = eeg_edf_rational (decimal.negative ? -(int64_t) decimal.mantissa
                                              : (int64_t) decimal.mantissa,
      (int64_t) den);
  return true;
}

uint64_t
eeg_edf_scale (uint64_t value, uint64_t num, uint64_t den)
{
  unsigned __int128 v = (unsigned __int128) value * num / den;

  return v > UINT64_MAX ? UINT64_MAX : (uint64_t) v;
}

/* --- text ---------------------------------------------------------------- */

/* Length of the UTF-8 sequence at p, 0 when it is none */
static size_t
utf8_length (const uint8_t *p, size_t available)
{
  size_t n, i;
  uint32_t c;

  if (p[0] < 0x80)
    return 1;
  if (p[0] >= 0xc2 && p[0] <= 0xdf)
    n = 2;
  else if ((p[0] & 0xf0) == 0xe0)
    n = 3;
  else if (p[0] >= 0xf0 && p[0] <= 0xf4)
    n = 4;
  else
    return 0;
  if (n > available)
    return 0;
  c = p[0] & (0xffu >> (n + 1));
  for (i = 1; i < n; i++) {
    if ((p[i] & 0xc0) != 0x80)
      return 0;
    c = c << 6 | (p[i] & 0x3f);
  }
  if ((n == 3 && (c < 0x800 || (c >= 0xd800 && c <= 0xdfff)))
      || (n == 4 && (c < 0x10000 || c > 0x10ffff)))
    return 0;
  return n;
}

size_t
eeg_edf_text_to_utf8 (const char *text, size_t length, char *out,
    size_t out_size)
{
  const uint8_t *p = (const uint8_t *) text, *end = p + length, *q;
  bool valid = true;
  size_t n, used = 0;

  if (out_size == 0)
    return 0;
  for (q = p; q < end && valid; q += n) {
    n = utf8_length (q, (size_t) (end - q));
    valid = n != 0;
  }

  for (q = p; q < end; q += n) {
    uint8_t two[2] = { (uint8_t) (0xc0 | *q >> 6),
      (uint8_t) (0x80 | (*q & 0x3f)) };
    const uint8_t *from = q;
    size_t size;

    if (valid) {
      n = size = utf8_length (q, (size_t) (end - q));
    } else if (*q < 0x80) {
      n = size = 1;
    } else {
      n = 1;
      size = 2;
      from = two;
      if (*q == 0x83 && end - q > 1 && q[1] == 0xca) {
        /* Shift-JIS micro sign, as Japanese amplifiers write it */
        n = 2;
        two[0] = 0xc2;
        two[1] = 0xb5;
      }
    }
    if (used + size >= out_size)
      break;
    memcpy (out + used, from, size);
    used += size;
  }
  out[used] = '\0';
  return used;
}

size_t
eeg_edf_field_to_utf8 (const char *field, char *out, size_t out_size)
{
  size_t length = strlen (field);

  while (length > 0 && *field == ' ') {
    field++;
    length--;
  }
  while (length > 0 && field[length - 1] == ' ')
    length--;
  return eeg_edf_text_to_utf8 (field, length, out, out_size);
}

/* --- date and time ------------------------------------------------------- */

static int
days_in_month (int year, int month)
{
  static const uint8_t days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
    31 };

  if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
    return 29;
  return days[month - 1];
}

/* Three numbers of two digits with any single character between them; some
 * writers put a colon, a dash or a blank-padded digit there. */
static bool
parse_triple (const char *field, int values[3])
{
  int i;

  for (i = 0; i < 3; i++) {
    const char *p = field + 3 * i;

    if (!is_digit (p[1]) || !(is_digit (p[0]) || p[0] == ' '))
      return false;
    if (i < 2 && (is_digit (p[2]) || is_padding (p[2])))
      return false;
    values[i] = (p[0] == ' ' ? 0 : p[0] - '0') * 10 + p[1] - '0';
  }
  return true;
}

/* EDF+ repeats the date with a four-digit year: "Startdate dd-MMM-yyyy" */
static bool
parse_plus_date (const char *recording, int date[3])
{
  static const char prefix[] = "Startdate ";
  const char *p = recording + sizeof prefix - 1;
  int i, j, month = 0;

  if (strncmp (recording, prefix, sizeof prefix - 1) != 0)
    return false;
  for (i = 0; i < 11; i++) {
    bool want_digit = i < 2 || i > 6;

    if (want_digit ? !is_digit (p[i]) : p[i] == '\0')
      return false;
  }
  if (p[2] != '-' || p[6] != '-')
    return false;
  for (i = 0; i < 12 && month == 0; i++) {
    month = i + 1;
    for (j = 0; j < 3; j++) {
      if ((p[3 + j] & ~0x20) != month_names[i][j])
        month = 0;
    }
  }
  if (month == 0)
    return false;
  date[0] = (p[0] - '0') * 10 + p[1] - '0';
  date[1] = month;
  date[2] = (p[7] - '0') * 1000 + (p[8] - '0') * 100 + (p[9] - '0') * 10 + p[10]
      - '0';
  return date[0] >= 1 && date[0] <= days_in_month (date[2], month);
}

static void
parse_start (EegEdfHeader *h)
{
  EegEdfStart *start = &h->start;
  int v[3];

  if (parse_triple (h->start_date, v) && v[1] >= 1 && v[1] <= 12) {
    int year = v[2] >= 85 ? 1900 + v[2] : 2000 + v[2];

    if (v[0] >= 1 && v[0] <= days_in_month (year, v[1])) {
      start->day = (uint8_t) v[0];
      start->month = (uint8_t) v[1];
      start->year = year;
      start->date_valid = true;
    }
  }
  /* It wins: from 2085 on the two digits of the year are "yy". */
  if (parse_plus_date (h->recording, v)) {
    start->day = (uint8_t) v[0];
    start->month = (uint8_t) v[1];
    start->year = v[2];
    start->date_valid = true;
  }
  if (parse_triple (h->start_time, v) && v[0] < 24 && v[1] < 60 && v[2] < 60) {
    start->hour = (uint8_t) v[0];
    start->minute = (uint8_t) v[1];
    start->second = (uint8_t) v[2];
    start->time_valid = true;
  }
}

/* --- layout -------------------------------------------------------------- */

static bool
same_samples (const EegEdfHeader *h, const EegEdfSignal *s, uint32_t *group)
{
  uint32_t g;

  for (g = 0; g < h->num_groups; g++) {
    if (h->groups[g].samples_per_record == s->samples_per_record) {
      *group = g;
      return true;
    }
  }
  return false;
}

EegEdfStatus
eeg_edf_header_lay_out (EegEdfHeader *h, size_t max_record, char *reason,
    size_t reason_size)
{
  uint64_t size = 0;
  uint32_t i, g, next = 0;

  h->bytes_per_sample = h->format == EEG_EDF_FORMAT_BDF ? 3 : 2;
  h->num_groups = 0;
  h->num_annotation_signals = 0;
  free (h->groups);
  free (h->group_signals);
  h->groups = calloc (h->num_signals, sizeof *h->groups);
  h->group_signals = calloc (h->num_signals, sizeof *h->group_signals);
  if (h->groups == NULL || h->group_signals == NULL)
    return EEG_EDF_NO_MEMORY;

  for (i = 0; i < h->num_signals; i++) {
    EegEdfSignal *s = &h->signals[i];
    uint64_t bytes = (uint64_t) s->samples_per_record * h->bytes_per_sample;

    s->record_offset = (size_t) size;
    size += bytes;
    if (size > max_record) {
      eeg_edf_reason (reason, reason_size,
          "a data record is larger than %zu bytes", max_record);
      return EEG_EDF_INVALID;
    }
    if (s->is_annotations) {
      s->group = -1;
      h->num_annotation_signals++;
      continue;
    }
    if (!same_samples (h, s, &g)) {
      g = h->num_groups++;
      h->groups[g].samples_per_record = s->samples_per_record;
    }
    s->group = (int32_t) g;
    s->group_channel = h->groups[g].num_channels++;
  }
  h->record_size = (size_t) size;

  if (h->num_groups > 0 && h->duration.num <= 0) {
    eeg_edf_reason (reason, reason_size,
        "the duration of a data record is not above zero");
    return EEG_EDF_INVALID;
  }
  for (g = 0; g < h->num_groups; g++) {
    EegEdfGroup *group = &h->groups[g];
    uint64_t n = group->samples_per_record;
    uint64_t d1 = gcd (n, (uint64_t) h->duration.num);
    uint64_t num, den = (uint64_t) h->duration.num / d1;

    n /= d1;
    /* n and den share no factor, duration.num and duration.den neither */
    if (n > INT32_MAX || (uint64_t) h->duration.den > INT32_MAX / n
        || den > INT32_MAX) {
      eeg_edf_reason (reason, reason_size,
          "%u samples in a record of %lld/%lld s are no usable rate",
          group->samples_per_record, (long long) h->duration.num,
          (long long) h->duration.den);
      return EEG_EDF_INVALID;
    }
    num = n * (uint64_t) h->duration.den;
    group->rate.num = (int64_t) num;
    group->rate.den = (int64_t) den;
    group->signals = h->group_signals + next;
    next += group->num_channels;
  }
  for (i = 0; i < h->num_signals; i++) {
    const EegEdfSignal *s = &h->signals[i];

    if (s->group >= 0)
      h->groups[s->group].signals[s->group_channel] = i;
  }
  return EEG_EDF_OK;
}

/* --- parser -------------------------------------------------------------- */

static bool
begins_with (const char *field, const char *text)
{
  return strncmp (field, text, strlen (text)) == 0;
}

/* Is the field this text and nothing but blanks? */
static bool
field_is (const char *field, const char *text)
{
  size_t n = strlen (text);

  if (strncmp (field, text, n) != 0)
    return false;
  for (field += n; *field == ' '; field++)
    ;
  return *field == '\0';
}

static EegEdfStatus
parse_signal (EegEdfHeader *h, uint32_t i, char *reason, size_t reason_size)
{
  EegEdfSignal *s = &h->signals[i];
  int64_t v;
  const char *problem = NULL;
  char label[2 * sizeof s->label];

  s->is_annotations = field_is (s->label, "EDF Annotations")
      || field_is (s->label, "BDF Annotations");
  s->is_status =
      h->format == EEG_EDF_FORMAT_BDF && field_is (s->label, "Status");
  s->gain = 1.0;

  if (!parse_integer (s->samples, 8, 1, EEG_EDF_MAX_READ_RECORD, &v)) {
    problem = "samples per record";
    goto invalid;
  }
  s->samples_per_record = (uint32_t) v;

  if (s->is_annotations) {
    /* Bytes of text: their limits say nothing and are often blank. */
    return EEG_EDF_OK;
  }
  if (!parse_integer (s->digital_min, 8, INT32_MIN, INT32_MAX, &v)) {
    problem = "digital minimum";
    goto invalid;
  }
  s->dmin = (int32_t) v;
  if (!parse_integer (s->digital_max, 8, INT32_MIN, INT32_MAX, &v)) {
    problem = "digital maximum";
    goto invalid;
  }
  s->dmax = (int32_t) v;
  if (!parse_double (s->physical_min, 8, &s->pmin)) {
    problem = "physical minimum";
    goto invalid;
  }
  if (!parse_double (s->physical_max, 8, &s->pmax)) {
    problem = "physical maximum";
    goto invalid;
  }
  eeg_edf_field_to_utf8 (s->label, label, sizeof label);
  if (s->dmin >= s->dmax) {
    eeg_edf_reason (reason, reason_size,
        "signal %u (%s): digital minimum %d "
        "is not below digital maximum %d",
        i + 1, label, s->dmin, s->dmax);
    return EEG_EDF_INVALID;
  }
  if (s->pmin == s->pmax) {
    eeg_edf_reason (reason, reason_size,
        "signal %u (%s): physical minimum and maximum are both %g", i + 1,
        label, s->pmin);
    return EEG_EDF_INVALID;
  }
  s->gain = (s->pmax - s->pmin) / ((double) s->dmax - (double) s->dmin);
  s->offset = s->pmin - s->gain * s->dmin;
  return EEG_EDF_OK;

invalid:
  eeg_edf_field_to_utf8 (s->label, label, sizeof label);
  eeg_edf_reason (reason, reason_size,
      "signal %u (%s): %s is not a number "
      "in its range",
      i + 1, label, problem);
  return EEG_EDF_INVALID;
}

static void
take_field (char *field, size_t size, const uint8_t **p)
{
  memcpy (field, *p, size);
  field[size] = '\0';
  *p += size;
}

/* The signals' fields stand column by column. */
#define TAKE_COLUMN(h, member, size, p)                                        \
  do {                                                                         \
    uint32_t column_i;                                                         \
    for (column_i = 0; column_i < (h)->num_signals; column_i++)                \
      take_field ((h)->signals[column_i].member, (size), &(p));                \
  } while (0)

static EegEdfStatus
parse_fixed (EegEdfHeader *h, const uint8_t *p, char *reason,
    size_t reason_size)
{
  int64_t v;

  take_field (h->version, 8, &p);
  take_field (h->patient, 80, &p);
  take_field (h->recording, 80, &p);
  take_field (h->start_date, 8, &p);
  take_field (h->start_time, 8, &p);
  take_field (h->header_bytes, 8, &p);
  take_field (h->reserved, 44, &p);
  take_field (h->num_records_text, 8, &p);
  take_field (h->duration_text, 8, &p);
  take_field (h->num_signals_text, 4, &p);

  h->format = h->version[0] == '0' ? EEG_EDF_FORMAT_EDF : EEG_EDF_FORMAT_BDF;
  if (begins_with (h->reserved, "EDF+C") || begins_with (h->reserved, "BDF+C"))
    h->variant = EEG_EDF_VARIANT_CONTINUOUS;
  else if (begins_with (h->reserved, "EDF+D")
      || begins_with (h->reserved, "BDF+D"))
    h->variant = EEG_EDF_VARIANT_DISCONTINUOUS;

  if (!parse_integer (h->num_signals_text, 4, 1, EEG_EDF_MAX_SIGNALS, &v)) {
    eeg_edf_reason (reason, reason_size,
        "the number of signals is not one from 1 to %d", EEG_EDF_MAX_SIGNALS);
    return EEG_EDF_INVALID;
  }
  h->num_signals = (uint32_t) v;
  h->header_size = FIXED_SIZE + SIGNAL_SIZE * (size_t) h->num_signals;

  if (!parse_integer (h->header_bytes, 8, 0, INT32_MAX, &v)
      || (size_t) v != h->header_size) {
    eeg_edf_reason (reason, reason_size,
        "the header size is not the %zu bytes that %u signals need",
        h->header_size, h->num_signals);
    return EEG_EDF_INVALID;
  }
  if (!parse_integer (h->num_records_text, 8, -1, INT32_MAX, &v)) {
    eeg_edf_reason (reason, reason_size,
        "the number of data records is no number from -1 up");
    return EEG_EDF_INVALID;
  }
  h->num_records = v;
  if (!parse_rational (h->duration_text, 8, &h->duration)
      || h->duration.num < 0) {
    eeg_edf_reason (reason, reason_size,
        "the duration of a data record is no number from 0 up");
    return EEG_EDF_INVALID;
  }
  parse_start (h);
  return EEG_EDF_OK;
}

EegEdfStatus
eeg_edf_header_parse (const uint8_t *data, size_t size, EegEdfHeader **header,
    size_t *needed, char *reason, size_t reason_size)
{
  static const uint8_t bdf_version[8] = { 0xff, 'B', 'I', 'O', 'S', 'E', 'M',
    'I' };
  static const uint8_t edf_version[8] = { '0', ' ', ' ', ' ', ' ', ' ', ' ',
    ' ' };
  EegEdfHeader *h;
  EegEdfStatus status;
  const uint8_t *p;
  size_t compare = size < 8 ? size : 8;
  uint32_t i;

  *header = NULL;
  *needed = FIXED_SIZE;
  if (reason != NULL && reason_size > 0)
    reason[0] = '\0';

  if (memcmp (data, edf_version, compare) != 0
      && memcmp (data, bdf_version, compare) != 0) {
    eeg_edf_reason (reason, reason_size,
        "neither the version field of EDF nor that of BDF");
    return EEG_EDF_NOT_EDF;
  }
  if (size < FIXED_SIZE)
    return EEG_EDF_NEED_MORE;

  h = calloc (1, sizeof *h);
  if (h == NULL)
    return EEG_EDF_NO_MEMORY;
  status = parse_fixed (h, data, reason, reason_size);
  if (status != EEG_EDF_OK)
    goto out;
  *needed = h->header_size;
  if (size < h->header_size) {
    status = EEG_EDF_NEED_MORE;
    goto out;
  }

  h->signals = calloc (h->num_signals, sizeof *h->signals);
  if (h->signals == NULL) {
    status = EEG_EDF_NO_MEMORY;
    goto out;
  }
  p = data + FIXED_SIZE;
  TAKE_COLUMN (h, label, 16, p);
  TAKE_COLUMN (h, transducer, 80, p);
  TAKE_COLUMN (h, dimension, 8, p);
  TAKE_COLUMN (h, physical_min, 8, p);
  TAKE_COLUMN (h, physical_max, 8, p);
  TAKE_COLUMN (h, digital_min, 8, p);
  TAKE_COLUMN (h, digital_max, 8, p);
  TAKE_COLUMN (h, prefilter, 80, p);
  TAKE_COLUMN (h, samples, 8, p);
  TAKE_COLUMN (h, reserved, 32, p);

  for (i = 0; i < h->num_signals && status == EEG_EDF_OK; i++)
    status = parse_signal (h, i, reason, reason_size);
  if (status == EEG_EDF_OK)
    status = eeg_edf_header_lay_out (h, EEG_EDF_MAX_READ_RECORD, reason,
        reason_size);

out:
  if (status == EEG_EDF_OK)
    *header = h;
  else
    eeg_edf_header_free (h);
  return status;
}

void
eeg_edf_header_free (EegEdfHeader *h)
{
  if (h == NULL)
    return;
  free (h->signals);
  free (h->groups);
  free (h->group_signals);
  free (h);
}

uint64_t
eeg_edf_records_in_file (const EegEdfHeader *h, uint64_t file_size)
{
  return file_size <= h->header_size
      ? 0
      : (file_size - h->header_size) / h->record_size;
}

int64_t
eeg_edf_record_offset_ns (const EegEdfHeader *h, uint64_t index)
{
  unsigned __int128 ns = (unsigned __int128) index * (uint64_t) h->duration.num
      * EEG_EDF_SECOND / (uint64_t) h->duration.den;

  return ns > INT64_MAX ? INT64_MAX : (int64_t) ns;
}
