/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* EDF, EDF+, BDF and BDF+ on bytes: header, data records, annotations.
 *
 * Formats: B. Kemp et al., "A simple format for exchange of digitized
 * polygraphic recordings" (EDF, 1992); EDF+ specification, edfplus.info;
 * BioSemi's 24-bit variant (BDF). Plain C: no GLib, no allocation but in the
 * functions that say so, no locale, no global state; every function may be
 * called from any thread on different objects.
 *
 * Times are integer nanoseconds relative to the header's start date and time
 * (whole seconds). In EDF+ the first record's own time, usually a fraction of
 * a second, is the instant of the first sample. */

#ifndef __EEG_EDF_H__
#define __EEG_EDF_H__

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The field for the number of signals has four characters. */
#define EEG_EDF_MAX_SIGNALS 9999
#define EEG_EDF_MAX_HEADER_SIZE (256u * (EEG_EDF_MAX_SIGNALS + 1))
/* Largest data record that the parser accepts. */
#define EEG_EDF_MAX_READ_RECORD (64u * 1024 * 1024)
/* Largest data records that other readers accept; writers stay below. */
#define EEG_EDF_MAX_EDF_RECORD (10u * 1024 * 1024)
#define EEG_EDF_MAX_BDF_RECORD (15u * 1024 * 1024)
/* What the EDF specification recommends. */
#define EEG_EDF_GOOD_RECORD 61440u
/* Position and length of the number of data records in the header. */
#define EEG_EDF_NUM_RECORDS_OFFSET 236
#define EEG_EDF_NUM_RECORDS_LENGTH 8

#define EEG_EDF_TIME_NONE INT64_MIN
#define EEG_EDF_SECOND INT64_C (1000000000)

typedef enum
{
  EEG_EDF_OK,
  EEG_EDF_NEED_MORE, /* give at least as many bytes as *needed says */
  EEG_EDF_NOT_EDF,   /* the first bytes are of something else */
  EEG_EDF_INVALID,   /* an EDF or BDF header that contradicts itself */
  EEG_EDF_NO_MEMORY,
} EegEdfStatus;

typedef enum
{
  EEG_EDF_FORMAT_EDF, /* 16-bit samples */
  EEG_EDF_FORMAT_BDF, /* 24-bit samples */
} EegEdfFormat;

typedef enum
{
  EEG_EDF_VARIANT_PLAIN,         /* EDF, or BioSemi's BDF */
  EEG_EDF_VARIANT_CONTINUOUS,    /* EDF+C, BDF+C */
  EEG_EDF_VARIANT_DISCONTINUOUS, /* EDF+D, BDF+D: records have own times */
} EegEdfVariant;

/* Interleaved samples on the other side of decode and encode, little endian */
typedef enum
{
  EEG_EDF_SAMPLE_S16,
  EEG_EDF_SAMPLE_S24, /* three bytes */
  EEG_EDF_SAMPLE_S32,
  EEG_EDF_SAMPLE_F32,
  EEG_EDF_SAMPLE_F64,
} EegEdfSampleFormat;

/* num / den, den > 0, no common divisor */
typedef struct
{
  int64_t num;
  int64_t den;
} EegEdfRational;

/* One signal. The character fields are the header's own bytes, blanks and all,
 * with a NUL behind them, so that a header written from them is the same. */
typedef struct
{
  char label[17];
  char transducer[81];
  char dimension[9];
  char physical_min[9];
  char physical_max[9];
  char digital_min[9];
  char digital_max[9];
  char prefilter[81];
  char samples[9];
  char reserved[33];

  bool is_annotations; /* "EDF Annotations" or "BDF Annotations" in EDF+/BDF+ */
  bool is_status; /* BioSemi's Status channel: trigger bits, not a voltage */
  uint32_t samples_per_record;
  double pmin, pmax;
  int32_t dmin, dmax;
  /* physical = counts * gain + offset, from the characters above; 1 and 0 for
   * annotations */
  double gain, offset;

  int32_t group;          /* index into groups, -1 for annotations */
  uint32_t group_channel; /* channel number inside the group */
  size_t record_offset;   /* of the signal's bytes inside a data record */
} EegEdfSignal;

/* All signals of one rate, in the header's order: one stream */
typedef struct
{
  uint32_t samples_per_record;
  uint32_t num_channels;
  uint32_t *signals;   /* num_channels indices into EegEdfHeader.signals */
  EegEdfRational rate; /* Hz; both terms fit into 31 bits */
} EegEdfGroup;

typedef struct
{
  int32_t year; /* four digits */
  uint8_t month, day, hour, minute, second;
  bool date_valid, time_valid;
} EegEdfStart;

typedef struct
{
  char version[9];
  char patient[81];
  char recording[81];
  char start_date[9];
  char start_time[9];
  char header_bytes[9];
  char reserved[45];
  char num_records_text[9];
  char duration_text[9];
  char num_signals_text[5];

  EegEdfFormat format;
  EegEdfVariant variant;
  EegEdfStart start;
  size_t header_size;
  int64_t num_records;     /* -1: not known */
  EegEdfRational duration; /* seconds; 0 only where no signal has samples */

  uint32_t num_signals;
  EegEdfSignal *signals;
  uint32_t num_groups;
  EegEdfGroup *groups;
  uint32_t num_annotation_signals;
  uint32_t bytes_per_sample; /* 2 or 3 */
  size_t record_size;        /* bytes of one data record */

  uint32_t *group_signals; /* storage of groups[].signals */
} EegEdfHeader;

/* --- reading ------------------------------------------------------------- */

/* Parses a header from the first bytes of a file. Returns EEG_EDF_OK with a
 * new header in *header (free with eeg_edf_header_free()), or NEED_MORE with
 * the number of bytes to have in all in *needed, or an error with a sentence
 * in reason. Bytes behind the header are ignored.
 *
 * Tolerated, as real files have it: fields aligned to the right or filled up
 * with NUL, a decimal comma, exponents, whole digital limits written with
 * decimals, digital limits beyond the sample size, dates that are none (then
 * start says so), a recording that is EDF+ by name but has no annotation
 * signal. Refused: numbers that are none, a header size that does not belong
 * to the number of signals, no signal, a duration <= 0 (0 is right where
 * there are only annotations), samples per record < 1, a digital minimum not
 * below its maximum, a physical range of zero, a record beyond
 * EEG_EDF_MAX_READ_RECORD, rates whose terms do not fit into 31 bits. */
EegEdfStatus eeg_edf_header_parse (const uint8_t *data, size_t size,
    EegEdfHeader **header, size_t *needed, char *reason, size_t reason_size);

void eeg_edf_header_free (EegEdfHeader *header);

/* Copies a field without blanks around it as UTF-8 into out (always
 * terminated). Bytes that are not UTF-8 are taken as Latin-1. Returns the
 * length. out of 2 * 80 + 1 bytes always suffices. */
size_t eeg_edf_field_to_utf8 (const char *field, char *out, size_t out_size);

/* The same for any text, blanks kept. */
size_t eeg_edf_text_to_utf8 (const char *text, size_t length, char *out,
    size_t out_size);

/* Whole records in a file of file_size bytes, from its size alone. */
uint64_t eeg_edf_records_in_file (const EegEdfHeader *header,
    uint64_t file_size);

/* Sample formats: S16 (EDF only), S24, S32. Writes samples first to
 * first + count - 1 of every channel of the group, interleaved, to out. */
void eeg_edf_decode (const EegEdfHeader *header, uint32_t group,
    const uint8_t *record, uint32_t first, uint32_t count,
    EegEdfSampleFormat format, void *out);

/* count * num / den rounded down, without overflow in between; UINT64_MAX
 * when the result does not fit. */
uint64_t eeg_edf_scale (uint64_t value, uint64_t num, uint64_t den);

/* Nanoseconds from the start of the first record to that of record index in a
 * recording without gaps, rounded down. */
int64_t eeg_edf_record_offset_ns (const EegEdfHeader *header, uint64_t index);

/* --- annotations --------------------------------------------------------- */

/* One annotation; the pointers point into the record, nothing is terminated */
typedef struct
{
  int64_t onset;          /* ns since the header's start, rounded to nearest */
  int64_t duration;       /* ns, or -1: none given */
  const char *onset_text; /* with its sign */
  size_t onset_length;
  const char *duration_text; /* NULL: none given */
  size_t duration_length;
  const char *text; /* UTF-8 by the specification, any bytes in real files */
  size_t text_length;
  bool time_keeping; /* tells the record's time; text is empty */
} EegEdfAnnotation;

/* Walks over all annotations of a record. */
typedef struct
{
  const EegEdfHeader *header;
  const uint8_t *record;
  uint32_t signal;
  const uint8_t *position, *end;  /* inside the signal's bytes */
  const uint8_t *texts, *tal_end; /* inside the current list */
  EegEdfAnnotation current;
  bool first;         /* the signal's first list is still to come */
  uint32_t malformed; /* lists skipped so far, as they break the syntax */
} EegEdfAnnotationIter;

void eeg_edf_annotations_init (EegEdfAnnotationIter *iter,
    const EegEdfHeader *header, const uint8_t *record);

/* Gives the next annotation, also the time-keeping one, and also those with an
 * empty text; false at the end. */
bool eeg_edf_annotations_next (EegEdfAnnotationIter *iter,
    EegEdfAnnotation *annotation);

/* The record's time from its time-keeping annotation: ns since the header's
 * start, or EEG_EDF_TIME_NONE when it has none. */
int64_t eeg_edf_record_time (const EegEdfHeader *header, const uint8_t *record);

/* Decimal seconds with an optional sign to ns, rounded to nearest. false: not
 * a number, or beyond +-292 years. */
bool eeg_edf_parse_seconds (const char *text, size_t length, int64_t *ns);

/* --- BioSemi Status ------------------------------------------------------ */

typedef struct
{
  bool known;        /* a sample was seen */
  uint16_t triggers; /* low 16 bits of the last sample */
} EegEdfStatusState;

/* Finds the next sample at which one of the 16 trigger bits rises, from sample
 * *position on, in the Status signal of a record. On true *position is that
 * sample's number plus one and *triggers all 16 bits; false: no more in this
 * record. Begin each record with *position = 0; carry state from record to
 * record and clear it (memset 0) after a seek or a gap: the first sample of
 * all is never an edge. */
bool eeg_edf_status_next (const EegEdfHeader *header, uint32_t signal,
    const uint8_t *record, EegEdfStatusState *state, uint32_t *position,
    uint16_t *triggers);

/* The marker text of a trigger: "Trigger N". */
#define EEG_EDF_TRIGGER_TEXT_SIZE 16
void eeg_edf_trigger_text (uint16_t triggers,
    char text[EEG_EDF_TRIGGER_TEXT_SIZE]);

/* --- writing ------------------------------------------------------------- */

/* Makes a header of blank fields for num_signals signals, to be filled by the
 * functions below or by hand, then turned into bytes by
 * eeg_edf_header_write(). NULL: out of memory, or no number of signals that
 * fits. The fields for version, header size and number of signals are set. */
EegEdfHeader *eeg_edf_header_new (EegEdfFormat format, uint32_t num_signals);

/* Writes the character fields, and nothing else of the header, as the file has
 * them: 256 * (num_signals + 1) bytes. Parse these bytes to check the header
 * and to lay out the record. */
void eeg_edf_header_write (const EegEdfHeader *header, uint8_t *out);

/* Sets a field of width characters (plus NUL) to text, filled up with blanks,
 * in the printable ASCII that EDF asks for: Latin letters lose their accents,
 * the micro sign becomes u, the ohm sign Ohm, anything else an underscore.
 * Too long text is cut. Returns whether all characters were kept as they
 * are. */
bool eeg_edf_set_field (char *field, size_t width, const char *utf8);

/* The same for an integer in a field of eight characters; false: too long. */
bool eeg_edf_set_integer (char field[9], int64_t value);

typedef enum
{
  EEG_EDF_ROUND_DOWN, /* never above the value */
  EEG_EDF_ROUND_NEAREST,
  EEG_EDF_ROUND_UP, /* never below the value */
} EegEdfRounding;

/* Writes a physical limit with the best precision that eight characters give.
 * false: it needs more than eight, also with an exponent. */
bool eeg_edf_set_physical (char field[9], double value,
    EegEdfRounding rounding);

/* Writes a duration in seconds; false: eight characters do not hold it
 * exactly. */
bool eeg_edf_set_duration (char field[9], EegEdfRational seconds);

/* Seconds since 1970-01-01T00:00:00 without time zone, to and from a header's
 * start. */
int64_t eeg_edf_start_to_seconds (const EegEdfStart *start);
EegEdfStart eeg_edf_start_from_seconds (int64_t seconds);

/* Sets the fields for date and time. Years outside 1985 to 2084 have "yy" as
 * EDF+ asks for; the recording field then tells the year. */
void eeg_edf_set_start (EegEdfHeader *header, const EegEdfStart *start);

/* Sets the patient as EDF+ asks for: code, sex, birthdate, name. Text that has
 * not this form becomes the name. NULL or empty: "X X X X". */
void eeg_edf_set_plus_patient (char field[81], const char *utf8);

/* Sets the recording as EDF+ asks for: Startdate, date, administration code,
 * technician, equipment. A date in the text is replaced by that of start (X
 * where it is not valid); text of another form becomes the equipment. */
void eeg_edf_set_plus_recording (char field[81], const char *utf8,
    const EegEdfStart *start);

/* One stream to be written */
typedef struct
{
  EegEdfRational rate;
  uint32_t num_channels;
  uint64_t total;              /* samples that will come, 0: not known */
  uint32_t samples_per_record; /* out */
} EegEdfStream;

typedef enum
{
  EEG_EDF_RECORD_OK,
  EEG_EDF_RECORD_APPROXIMATE, /* the rate is told to 1e-7 only */
  EEG_EDF_RECORD_NONE,        /* no duration suits all rates and limits */
} EegEdfRecordChoice;

/* Chooses the duration of a record and the samples of each stream in it, so
 * that the rates are exact and eight characters hold the duration. wanted:
 * this duration only, or 0/1 for the best one: at most EEG_EDF_GOOD_RECORD
 * bytes if possible, whole records for known totals if possible, near 1 s.
 * extra_bytes: of annotations in each record. */
EegEdfRecordChoice eeg_edf_choose_record (EegEdfFormat format,
    EegEdfStream *streams, uint32_t num_streams, uint32_t extra_bytes,
    EegEdfRational wanted, EegEdfRational *duration);

/* Writes the time-keeping annotation of a record; returns its bytes, 0: no
 * room. */
size_t eeg_edf_write_time (uint8_t *out, size_t room, int64_t onset);

/* Writes one annotation; duration -1: none. Bytes of the text that would end
 * it (0x00, 0x14, 0x15) become blanks. Returns the bytes written, 0: no
 * room. */
size_t eeg_edf_write_annotation (uint8_t *out, size_t room, int64_t onset,
    int64_t duration, const char *text, size_t text_length);

/* Longest text in bytes that eeg_edf_write_annotation() takes at this onset
 * and duration with this room. */
size_t eeg_edf_annotation_room (size_t room, int64_t onset, int64_t duration);

/* How samples of one channel become counts of a signal */
typedef struct
{
  uint32_t signal;     /* index into the header's signals */
  int32_t low, high;   /* counts outside are clipped to these */
  double factor, term; /* F32, F64: count = value * factor + term */
  int32_t fill;        /* count to write where a sample was lost */
} EegEdfChannel;

/* Fills in what encodes values of that signal: limits and inverse calibration.
 * Integer samples may use all counts that the sample size holds, physical ones
 * only those that the header declares. */
void eeg_edf_channel_init (EegEdfChannel *channel, const EegEdfHeader *header,
    uint32_t signal, EegEdfSampleFormat format);

/* Writes count frames of num_channels interleaved samples to samples first to
 * first + count - 1 of the channels' signals, which must all have that many
 * samples in a record. Returns how many values were clipped (or not a number,
 * which is written as fill). */
uint64_t eeg_edf_encode (const EegEdfHeader *header,
    const EegEdfChannel *channels, uint32_t num_channels, uint8_t *record,
    uint32_t first, uint32_t count, EegEdfSampleFormat format,
    const void *frames);

/* The same for lost samples. */
void eeg_edf_fill (const EegEdfHeader *header, const EegEdfChannel *channels,
    uint32_t num_channels, uint8_t *record, uint32_t first, uint32_t count);

#endif /* __EEG_EDF_H__ */
