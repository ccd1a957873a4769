/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Headers to be written, the choice of a record, and annotations. */

#include "edf-private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char month_names[12][4] = { "JAN", "FEB", "MAR", "APR", "MAY",
  "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC" };

static const double powers[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8,
  1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21,
  1e22 };

/* --- text fields --------------------------------------------------------- */

/* What stands for a character of UTF-8 in ASCII; *p moves behind it. */
static const char *
ascii_of (const uint8_t **p, char one[2])
{
  /* U+00C0 to U+00FF */
  static const char latin[] =
      "AAAAAAACEEEEIIIIDNOOOOOxOUUUUYTsaaaaaaaceeeeiiiidnooooo-ouuuuyty";
  uint32_t c = **p;
  int more;

  one[1] = '\0';
  ++*p;
  if (c < 0x80) {
    one[0] = c >= 32 && c < 127 ? (char) c : '_';
    return one;
  }
  more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
  c &= 0x3fu >> more;
  while (more-- > 0 && (**p & 0xc0) == 0x80)
    c = c << 6 | (*(*p)++ & 0x3f);

  if (c >= 0xc0 && c <= 0xff) {
    one[0] = latin[c - 0xc0];
    return one;
  }
  switch (c) {
    case 0x00b5: /* micro sign */
    case 0x03bc: /* Greek mu */
      return "u";
    case 0x00b0:
      return "deg";
    case 0x03a9: /* Greek omega */
    case 0x2126: /* ohm sign */
      return "Ohm";
    default:
      return "_";
  }
}

bool
eeg_edf_set_field (char *field, size_t width, const char *utf8)
{
  const uint8_t *p = (const uint8_t *) utf8;
  size_t used = 0;
  bool kept = true;

  memset (field, ' ', width);
  field[width] = '\0';
  while (*p != '\0') {
    bool plain = *p >= 32 && *p < 127;
    char one[2];
    const char *text = ascii_of (&p, one);
    size_t n = strlen (text);

    if (used + n > width)
      return false;
    memcpy (field + used, text, n);
    used += n;
    kept = kept && plain;
  }
  return kept;
}

/* Adds a part of a patient or recording: a blank before it, none inside. */
static void
add_part (char *field, size_t width, const char *text, size_t length)
{
  size_t used = strlen (field), i;

  if (used > 0 && used < width)
    field[used++] = ' ';
  for (i = 0; i < length && used < width; i++)
    field[used++] = text[i] == ' ' ? '_' : text[i];
  field[used] = '\0';
}

static void
fill_up (char *field, size_t width)
{
  size_t used = strlen (field);

  memset (field + used, ' ', width - used);
  field[width] = '\0';
}

/* Finds the next part between blanks; false: none left. */
static bool
next_part (const char **p, const char **part, size_t *length)
{
  while (**p == ' ')
    ++*p;
  *part = *p;
  while (**p != '\0' && **p != ' ')
    ++*p;
  *length = (size_t) (*p - *part);
  return *length > 0;
}

static bool
is_plus_date (const char *part, size_t length)
{
  static const char pattern[] = "dd-aaa-dddd";
  size_t i;

  if (length == 1 && *part == 'X')
    return true;
  if (length != sizeof pattern - 1)
    return false;
  for (i = 0; i < length; i++) {
    char c = part[i];

    if ((pattern[i] == 'd' && (c < '0' || c > '9'))
        || (pattern[i] == 'a' && (c < 'A' || c > 'Z'))
        || (pattern[i] == '-' && c != '-'))
      return false;
  }
  return true;
}

void
eeg_edf_set_plus_patient (char field[81], const char *utf8)
{
  char text[321], *end;
  const char *p = text, *part;
  size_t length, n = 0;
  bool conforms = true;

  eeg_edf_set_field (text, sizeof text - 1, utf8 != NULL ? utf8 : "");
  for (end = text + sizeof text - 1; end > text && end[-1] == ' '; end--)
    ;
  *end = '\0';
  for (; next_part (&p, &part, &length); n++) {
    if (n == 1)
      conforms = length == 1 && strchr ("MFX", *part) != NULL;
    else if (n == 2)
      conforms = conforms && is_plus_date (part, length);
  }

  field[0] = '\0';
  p = text;
  if (conforms && n >= 4) {
    while (next_part (&p, &part, &length))
      add_part (field, 80, part, length);
  } else {
    for (n = 0; n < 3; n++)
      add_part (field, 80, "X", 1);
    while (*p == ' ')
      p++;
    if (*p == '\0')
      p = "X";
    add_part (field, 80, p, strlen (p));
  }
  fill_up (field, 80);
}

void
eeg_edf_set_plus_recording (char field[81], const char *utf8,
    const EegEdfStart *start)
{
  static const char prefix[] = "Startdate";
  char text[321], *end;
  const char *p = text, *part;
  size_t length, n;

  eeg_edf_set_field (text, sizeof text - 1, utf8 != NULL ? utf8 : "");
  for (end = text + sizeof text - 1; end > text && end[-1] == ' '; end--)
    ;
  *end = '\0';

  if (start->date_valid)
    snprintf (field, 81, "%s %02u-%s-%04u", prefix, start->day,
        month_names[(start->month - 1) % 12], (unsigned) start->year % 10000);
  else
    snprintf (field, 81, "%s X", prefix);

  if (next_part (&p, &part, &length) && length == sizeof prefix - 1
      && memcmp (part, prefix, length) == 0) {
    const char *behind = p;

    /* its own date goes */
    if (!next_part (&p, &part, &length) || !is_plus_date (part, length))
      p = behind;
    for (n = 0; next_part (&p, &part, &length); n++)
      add_part (field, 80, part, length);
    for (; n < 3; n++)
      add_part (field, 80, "X", 1);
  } else {
    add_part (field, 80, "X", 1);
    add_part (field, 80, "X", 1);
    p = text;
    while (*p == ' ')
      p++;
    if (*p == '\0')
      p = "X";
    add_part (field, 80, p, strlen (p));
  }
  fill_up (field, 80);
}

/* --- numbers ------------------------------------------------------------- */

bool
eeg_edf_set_integer (char field[9], int64_t value)
{
  char text[24];
  int n = snprintf (text, sizeof text, "%lld", (long long) value);

  if (n > 8)
    return false;
  eeg_edf_set_field (field, 8, text);
  return true;
}

/* scaled / 10^decimals; snprintf's %f would follow the locale */
static int
print_scaled (char out[48], int64_t scaled, int decimals)
{
  uint64_t magnitude = scaled < 0 ? -(uint64_t) scaled : (uint64_t) scaled;
  uint64_t unit = 1;
  int i;

  for (i = 0; i < decimals; i++)
    unit *= 10;
  if (decimals == 0)
    return snprintf (out, 48, "%s%llu", scaled < 0 ? "-" : "",
        (unsigned long long) magnitude);
  return snprintf (out, 48, "%s%llu.%0*llu", scaled < 0 ? "-" : "",
      (unsigned long long) (magnitude / unit), decimals,
      (unsigned long long) (magnitude % unit));
}

static double
round_to (double value, EegEdfRounding rounding)
{
  switch (rounding) {
    case EEG_EDF_ROUND_DOWN:
      return floor (value);
    case EEG_EDF_ROUND_UP:
      return ceil (value);
    default:
      return rint (value);
  }
}

/* value as mantissa / 10^exponent, exact if that is possible */
static double
mantissa_of (double value, int exponent, EegEdfRounding rounding, bool *exact)
{
  double power = powers[abs (exponent)];
  double scaled = exponent >= 0 ? value * power : value / power;
  double nearest = rint (scaled);

  *exact = (exponent >= 0 ? nearest / power : nearest * power) == value;
  return *exact ? nearest : round_to (scaled, rounding);
}

bool
eeg_edf_set_physical (char field[9], double value, EegEdfRounding rounding)
{
  char text[48], best[9] = "";
  double best_error = INFINITY;
  bool exact;
  int d;

  if (!isfinite (value) || fabs (value) > 1e22)
    return false;
  for (d = 0; d <= 7; d++) {
    double scaled = mantissa_of (value, d, rounding, &exact);
    double error = fabs (scaled / powers[d] - value);

    if (fabs (scaled) >= 1e9 || print_scaled (text, (int64_t) scaled, d) > 8)
      break;
    if (error < best_error) {
      strcpy (best, text);
      best_error = error;
    }
    if (exact)
      break;
  }
  /* Very small and very large ones keep more digits with an exponent. */
  if (best_error > 1e-6 * fabs (value)) {
    int e = (int) floor (log10 (fabs (value))), digits;

    for (digits = 1; digits <= 6; digits++) {
      int shift = digits - 1 - e;
      double scaled;
      double error;

      if (abs (shift) > 22)
        continue;
      scaled = mantissa_of (value, shift, rounding, &exact);
      error =
          fabs ((shift >= 0 ? scaled / powers[shift] : scaled * powers[-shift])
              - value);
      if (snprintf (text, sizeof text, "%lldE%d", (long long) scaled, -shift)
          > 8)
        break;
      if (error < best_error) {
        strcpy (best, text);
        best_error = error;
      }
    }
  }
  if (best[0] == '\0')
    return false;
  eeg_edf_set_field (field, 8, best);
  return true;
}

/* Decimals that num / den needs, or -1: no end */
static int
decimals_of (EegEdfRational r, int64_t *scaled)
{
  int64_t unit = 1;
  int d;

  for (d = 0; d <= 7; d++, unit *= 10) {
    if (unit % r.den == 0) {
      __int128 v = (__int128) r.num * (unit / r.den);

      if (v > INT64_MAX || v < INT64_MIN)
        return -1;
      *scaled = (int64_t) v;
      return d;
    }
  }
  return -1;
}

bool
eeg_edf_set_duration (char field[9], EegEdfRational seconds)
{
  char text[48];
  int64_t scaled;
  int d = decimals_of (seconds, &scaled);

  if (d < 0 || print_scaled (text, scaled, d) > 8)
    return false;
  eeg_edf_set_field (field, 8, text);
  return true;
}

/* --- date ---------------------------------------------------------------- */

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar. Years
 * are taken to begin in March, so that the leap day is their last. */
static int64_t
days_from_date (int64_t year, int month, int day)
{
  int64_t y = month > 2 ? year : year - 1;
  int64_t era = (y >= 0 ? y : y - 399) / 400;
  int64_t of_era = y - era * 400;
  int64_t of_year =
      (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year
      - 719468;
}

int64_t
eeg_edf_start_to_seconds (const EegEdfStart *start)
{
  return days_from_date (start->year, start->month, start->day) * 86400
      + start->hour * 3600 + start->minute * 60 + start->second;
}

EegEdfStart
eeg_edf_start_from_seconds (int64_t seconds)
{
  EegEdfStart start = { .date_valid = true, .time_valid = true };
  int64_t days = seconds / 86400, rest = seconds % 86400, low, high;

  if (rest < 0) {
    rest += 86400;
    days--;
  }
  start.hour = (uint8_t) (rest / 3600);
  start.minute = (uint8_t) (rest / 60 % 60);
  start.second = (uint8_t) (rest % 60);

  /* the year, then the month, whose first day is the last one not after */
  low = days / 366 + 1970 - (days < 0 ? 2 : 0);
  for (high = low; days_from_date (high + 1, 1, 1) <= days; high++)
    ;
  start.year = (int32_t) high;
  for (start.month = 12;
       start.month > 1 && days_from_date (high, start.month, 1) > days;)
    start.month--;
  start.day = (uint8_t) (days - days_from_date (high, start.month, 1) + 1);
  return start;
}

void
eeg_edf_set_start (EegEdfHeader *header, const EegEdfStart *start)
{
  char text[16] = "01.01.85"; /* EDF+'s date for none */

  if (start->date_valid && start->year >= 1985 && start->year <= 2084)
    snprintf (text, sizeof text, "%02u.%02u.%02u", start->day % 100u,
        start->month % 100u, (unsigned) start->year % 100u);
  else if (start->date_valid)
    snprintf (text, sizeof text, "%02u.%02u.yy", start->day % 100u,
        start->month % 100u);
  eeg_edf_set_field (header->start_date, 8, text);
  if (start->time_valid)
    snprintf (text, sizeof text, "%02u.%02u.%02u", start->hour % 100u,
        start->minute % 100u, start->second % 100u);
  else
    strcpy (text, "00.00.00");
  eeg_edf_set_field (header->start_time, 8, text);
}

/* --- header -------------------------------------------------------------- */

EegEdfHeader *
eeg_edf_header_new (EegEdfFormat format, uint32_t num_signals)
{
  EegEdfHeader *h;
  uint32_t i;

  if (num_signals == 0 || num_signals > EEG_EDF_MAX_SIGNALS)
    return NULL;
  h = calloc (1, sizeof *h);
  if (h == NULL)
    return NULL;
  h->signals = calloc (num_signals, sizeof *h->signals);
  if (h->signals == NULL) {
    free (h);
    return NULL;
  }
  h->format = format;
  h->num_signals = num_signals;
  h->header_size = 256 * ((size_t) num_signals + 1);

  eeg_edf_set_field (h->version, 8, "0");
  if (format == EEG_EDF_FORMAT_BDF)
    memcpy (h->version,
        "\xff"
        "BIOSEMI",
        8);
  eeg_edf_set_field (h->patient, 80, "");
  eeg_edf_set_field (h->recording, 80, "");
  eeg_edf_set_field (h->start_date, 8, "");
  eeg_edf_set_field (h->start_time, 8, "");
  eeg_edf_set_integer (h->header_bytes, (int64_t) h->header_size);
  eeg_edf_set_field (h->reserved, 44, "");
  eeg_edf_set_integer (h->num_records_text, -1);
  eeg_edf_set_field (h->duration_text, 8, "");
  snprintf (h->num_signals_text, sizeof h->num_signals_text, "%-4u",
      num_signals % 10000u);
  for (i = 0; i < num_signals; i++) {
    EegEdfSignal *s = &h->signals[i];

    eeg_edf_set_field (s->label, 16, "");
    eeg_edf_set_field (s->transducer, 80, "");
    eeg_edf_set_field (s->dimension, 8, "");
    eeg_edf_set_field (s->physical_min, 8, "");
    eeg_edf_set_field (s->physical_max, 8, "");
    eeg_edf_set_field (s->digital_min, 8, "");
    eeg_edf_set_field (s->digital_max, 8, "");
    eeg_edf_set_field (s->prefilter, 80, "");
    eeg_edf_set_field (s->samples, 8, "");
    eeg_edf_set_field (s->reserved, 32, "");
  }
  return h;
}

static void
give_field (const char *field, size_t size, uint8_t **p)
{
  memcpy (*p, field, size);
  *p += size;
}

#define GIVE_COLUMN(h, member, size, p)                                        \
  do {                                                                         \
    uint32_t column_i;                                                         \
    for (column_i = 0; column_i < (h)->num_signals; column_i++)                \
      give_field ((h)->signals[column_i].member, (size), &(p));                \
  } while (0)

void
eeg_edf_header_write (const EegEdfHeader *h, uint8_t *out)
{
  uint8_t *p = out;

  give_field (h->version, 8, &p);
  give_field (h->patient, 80, &p);
  give_field (h->recording, 80, &p);
  give_field (h->start_date, 8, &p);
  give_field (h->start_time, 8, &p);
  give_field (h->header_bytes, 8, &p);
  give_field (h->reserved, 44, &p);
  give_field (h->num_records_text, 8, &p);
  give_field (h->duration_text, 8, &p);
  give_field (h->num_signals_text, 4, &p);
  GIVE_COLUMN (h, label, 16, p);
  GIVE_COLUMN (h, transducer, 80, p);
  GIVE_COLUMN (h, dimension, 8, p);
  GIVE_COLUMN (h, physical_min, 8, p);
  GIVE_COLUMN (h, physical_max, 8, p);
  GIVE_COLUMN (h, digital_min, 8, p);
  GIVE_COLUMN (h, digital_max, 8, p);
  GIVE_COLUMN (h, prefilter, 80, p);
  GIVE_COLUMN (h, samples, 8, p);
  GIVE_COLUMN (h, reserved, 32, p);
}

/* --- choice of a record -------------------------------------------------- */

/* Samples of each stream in a record of this duration, and the record's size;
 * false: not whole, or too large. */
static bool
fits (EegEdfFormat format, EegEdfStream *streams, uint32_t n, uint32_t extra,
    EegEdfRational d, uint64_t *size, bool *divides)
{
  uint64_t max = format == EEG_EDF_FORMAT_BDF ? EEG_EDF_MAX_BDF_RECORD
                                              : EEG_EDF_MAX_EDF_RECORD;
  uint64_t bps = format == EEG_EDF_FORMAT_BDF ? 3 : 2;
  uint32_t i;

  *size = extra;
  *divides = true;
  for (i = 0; i < n; i++) {
    __int128 num = (__int128) streams[i].rate.num * d.num;
    __int128 den = (__int128) streams[i].rate.den * d.den;
    uint64_t samples;

    if (num <= 0 || num % den != 0 || num / den > EEG_EDF_MAX_READ_RECORD)
      return false;
    samples = (uint64_t) (num / den);
    *size += samples * bps * streams[i].num_channels;
    if (*size > max || samples > 99999999)
      return false;
    streams[i].samples_per_record = (uint32_t) samples;
    if (streams[i].total == 0 || streams[i].total % samples != 0)
      *divides = false;
  }
  return true;
}

/* Smallest duration that holds whole numbers of samples of all streams; num 0:
 * it does not fit into 63 bits. */
static EegEdfRational
common_period (const EegEdfStream *streams, uint32_t n)
{
  EegEdfRational r = { 0, 1 };
  __int128 lcm = 1;
  int64_t gcd = 0;
  uint32_t i;

  for (i = 0; i < n; i++) {
    int64_t a = gcd, b = streams[i].rate.num, t;

    while (b != 0) {
      t = a % b;
      a = b;
      b = t;
    }
    gcd = a;
    a = (int64_t) lcm;
    b = streams[i].rate.den;
    while (b != 0) {
      t = a % b;
      a = b;
      b = t;
    }
    lcm = lcm / a * streams[i].rate.den;
    if (lcm > INT64_MAX)
      return r;
  }
  return eeg_edf_rational ((int64_t) lcm, gcd);
}

/* Lower is better: within the good size, whole records, near one second, few
 * decimals */
static double
rate_record (EegEdfRational d, uint64_t size, bool divides)
{
  double seconds = (double) d.num / (double) d.den;
  int64_t scaled;
  double score = fabs (log2 (seconds)) + 0.1 * decimals_of (d, &scaled);

  if (size > EEG_EDF_GOOD_RECORD)
    score = 1000 + log2 ((double) size);
  /* More than a hundred records a second serve nobody. */
  if (seconds < 0.01)
    score += 2000;
  if (!divides || seconds < 0.25 || seconds > 4)
    score += 100;
  return score;
}

/* One rate that no eight characters tell: the nearest they can */
static EegEdfRecordChoice
approximate (EegEdfFormat format, EegEdfStream *streams, uint32_t n,
    uint32_t extra, EegEdfRational *duration)
{
  uint64_t bps = format == EEG_EDF_FORMAT_BDF ? 3 : 2;
  double rate = (double) streams[0].rate.num / (double) streams[0].rate.den;
  double samples, channels = 0, good, scaled;
  int d;
  uint32_t i;
  char field[9];

  for (i = 0; i < n; i++) {
    if (streams[i].rate.num != streams[0].rate.num
        || streams[i].rate.den != streams[0].rate.den)
      return EEG_EDF_RECORD_NONE;
    channels += streams[i].num_channels;
  }
  good = ((double) EEG_EDF_GOOD_RECORD - extra) / (channels * (double) bps);
  samples = fmax (1, floor (fmin (rate, good)));
  if (samples > 99999999)
    return EEG_EDF_RECORD_NONE;
  /* as many decimals as fit behind the digits before the point */
  for (d = 6; d >= 0; d--) {
    scaled = rint (samples / rate * powers[d]);
    if (scaled < 1 || scaled > 1e9)
      continue;
    *duration = eeg_edf_rational ((int64_t) scaled, (int64_t) powers[d]);
    if (eeg_edf_set_duration (field, *duration)) {
      for (i = 0; i < n; i++)
        streams[i].samples_per_record = (uint32_t) samples;
      return EEG_EDF_RECORD_APPROXIMATE;
    }
  }
  return EEG_EDF_RECORD_NONE;
}

EegEdfRecordChoice
eeg_edf_choose_record (EegEdfFormat format, EegEdfStream *streams,
    uint32_t num_streams, uint32_t extra_bytes, EegEdfRational wanted,
    EegEdfRational *duration)
{
  EegEdfRational period, best = { 0, 1 };
  int64_t unit, step, k;
  double best_score = INFINITY;
  char field[9];
  uint64_t size;
  bool divides;

  if (wanted.num > 0) {
    *duration = wanted;
    return eeg_edf_set_duration (field, wanted)
            && fits (format, streams, num_streams, extra_bytes, wanted, &size,
                &divides)
        ? EEG_EDF_RECORD_OK
        : EEG_EDF_RECORD_NONE;
  }

  period = common_period (streams, num_streams);
  if (period.num == 0)
    return approximate (format, streams, num_streams, extra_bytes, duration);

  /* Multiples of the period that end after finitely many decimals: the
   * denominator may keep factors of ten only. */
  for (step = period.den; step % 2 == 0; step /= 2)
    ;
  for (; step % 5 == 0; step /= 5)
    ;
  /* of these, those that end within seven decimals */
  for (unit = 0; unit < 64; unit++) {
    EegEdfRational d;
    int64_t scaled;

    if ((__int128) period.num * step > INT64_MAX)
      break;
    d = eeg_edf_rational (period.num * step, period.den);
    if (decimals_of (d, &scaled) >= 0)
      break;
    step *= d.den % 5 == 0 ? 10 : 2;
  }

  for (k = 1; k <= 100000; k++) {
    EegEdfRational d;
    double seconds, score;

    if ((__int128) period.num * step * k > INT64_MAX)
      break;
    d = eeg_edf_rational (period.num * step * k, period.den);
    if (!fits (format, streams, num_streams, extra_bytes, d, &size, &divides))
      break;
    seconds = (double) d.num / (double) d.den;
    if (seconds > 60 && best.num > 0)
      break;
    score = rate_record (d, size, divides);
    if (score < best_score && eeg_edf_set_duration (field, d)) {
      best = d;
      best_score = score;
    }
  }
  if (best.num == 0)
    return approximate (format, streams, num_streams, extra_bytes, duration);
  fits (format, streams, num_streams, extra_bytes, best, &size, &divides);
  *duration = best;
  return EEG_EDF_RECORD_OK;
}

/* --- annotations --------------------------------------------------------- */

static size_t
print_seconds (char out[32], int64_t ns, bool sign)
{
  uint64_t magnitude = ns < 0 ? -(uint64_t) ns : (uint64_t) ns;
  uint64_t fraction = magnitude % EEG_EDF_SECOND;
  int n, decimals = 9;

  n = snprintf (out, 32, "%s%llu",
      ns < 0     ? "-"
          : sign ? "+"
                 : "",
      (unsigned long long) (magnitude / EEG_EDF_SECOND));
  if (fraction != 0) {
    for (; fraction % 10 == 0; fraction /= 10)
      decimals--;
    n += snprintf (out + n, 32 - (size_t) n, ".%0*llu", decimals,
        (unsigned long long) fraction);
  }
  return (size_t) n;
}

/* The bytes before the text */
static size_t
print_stamp (char out[72], int64_t onset, int64_t duration)
{
  size_t n = print_seconds (out, onset, true);

  if (duration >= 0) {
    out[n++] = 0x15;
    n += print_seconds (out + n, duration, false);
  }
  out[n++] = 0x14;
  return n;
}

size_t
eeg_edf_write_time (uint8_t *out, size_t room, int64_t onset)
{
  return eeg_edf_write_annotation (out, room, onset, -1, "", 0);
}

size_t
eeg_edf_write_annotation (uint8_t *out, size_t room, int64_t onset,
    int64_t duration, const char *text, size_t text_length)
{
  char stamp[72];
  size_t n = print_stamp (stamp, onset, duration), i;

  if (room < n + 2 || text_length > room - n - 2)
    return 0;
  memcpy (out, stamp, n);
  for (i = 0; i < text_length; i++) {
    char c = text[i];

    out[n++] = (uint8_t) (c == 0 || c == 0x14 || c == 0x15 ? ' ' : c);
  }
  out[n++] = 0x14;
  out[n++] = '\0';
  return n;
}

size_t
eeg_edf_annotation_room (size_t room, int64_t onset, int64_t duration)
{
  char stamp[72];
  size_t n = print_stamp (stamp, onset, duration) + 2;

  return room > n ? room - n : 0;
}
