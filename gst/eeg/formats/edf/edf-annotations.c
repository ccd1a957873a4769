/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Time-stamped annotation lists (TAL): +onset[\x15duration]\x14text\x14 ...
 * \0 */

#include "edf-private.h"

#include <string.h>

#define TEXT_MARK 0x14
#define DURATION_MARK 0x15

bool
eeg_edf_parse_seconds (const char *text, size_t length, int64_t *ns)
{
  const char *p = text, *end = text + length;
  bool negative = false;
  uint64_t seconds = 0, fraction = 0, unit = EEG_EDF_SECOND;
  int digits = 0;

  if (p < end && (*p == '+' || *p == '-'))
    negative = *p++ == '-';
  for (; p < end && *p >= '0' && *p <= '9'; p++, digits++) {
    seconds = seconds * 10 + (uint64_t) (*p - '0');
    if (seconds >= (uint64_t) INT64_MAX / EEG_EDF_SECOND)
      return false;
  }
  if (p < end && (*p == '.' || *p == ',')) {
    for (p++; p < end && *p >= '0' && *p <= '9'; p++, digits++) {
      if (unit > 1) {
        unit /= 10;
        fraction += unit * (uint64_t) (*p - '0');
      } else if (unit == 1) {
        fraction += *p >= '5';
        unit = 0;
      }
    }
  }
  if (p != end || digits == 0)
    return false;
  *ns = (int64_t) (seconds * EEG_EDF_SECOND + fraction);
  if (negative)
    *ns = -*ns;
  return true;
}

static bool
next_signal (EegEdfAnnotationIter *iter)
{
  const EegEdfHeader *h = iter->header;

  while (iter->signal < h->num_signals) {
    const EegEdfSignal *s = &h->signals[iter->signal++];

    if (s->is_annotations) {
      iter->position = iter->record + s->record_offset;
      iter->end =
          iter->position + (size_t) s->samples_per_record * h->bytes_per_sample;
      return true;
    }
  }
  return false;
}

void
eeg_edf_annotations_init (EegEdfAnnotationIter *iter,
    const EegEdfHeader *header, const uint8_t *record)
{
  memset (iter, 0, sizeof *iter);
  iter->header = header;
  iter->record = record;
  iter->first = true;
}

/* Onset and duration of the list at position; false: skip it. */
static bool
begin_list (EegEdfAnnotationIter *iter)
{
  const uint8_t *p = iter->position, *tal_end, *mark, *duration;
  EegEdfAnnotation *a = &iter->current;

  tal_end = memchr (p, '\0', (size_t) (iter->end - p));
  if (tal_end == NULL)
    tal_end = iter->end;
  iter->position = tal_end < iter->end ? tal_end + 1 : tal_end;

  mark = memchr (p, TEXT_MARK, (size_t) (tal_end - p));
  if (mark == NULL || (*p != '+' && *p != '-'))
    return false;
  duration = memchr (p, DURATION_MARK, (size_t) (mark - p));

  a->onset_text = (const char *) p;
  a->onset_length = (size_t) ((duration != NULL ? duration : mark) - p);
  if (!eeg_edf_parse_seconds (a->onset_text, a->onset_length, &a->onset))
    return false;
  a->duration = -1;
  a->duration_text = NULL;
  a->duration_length = 0;
  if (duration != NULL) {
    a->duration_text = (const char *) duration + 1;
    a->duration_length = (size_t) (mark - duration - 1);
    /* An empty duration is none. */
    if (a->duration_length > 0
        && (!eeg_edf_parse_seconds (a->duration_text, a->duration_length,
                &a->duration)
            || a->duration < 0))
      return false;
  }
  iter->texts = mark + 1;
  iter->tal_end = tal_end;
  return true;
}

bool
eeg_edf_annotations_next (EegEdfAnnotationIter *iter,
    EegEdfAnnotation *annotation)
{
  for (;;) {
    if (iter->texts != NULL && iter->texts < iter->tal_end) {
      const uint8_t *mark = memchr (iter->texts, TEXT_MARK,
          (size_t) (iter->tal_end - iter->texts));

      if (mark == NULL) {
        /* A text that nothing closes: the list was cut. */
        iter->malformed++;
        iter->texts = NULL;
        continue;
      }
      iter->current.text = (const char *) iter->texts;
      iter->current.text_length = (size_t) (mark - iter->texts);
      iter->current.time_keeping = iter->first && mark == iter->texts;
      iter->first = false;
      iter->texts = mark + 1;
      *annotation = iter->current;
      return true;
    }
    iter->texts = NULL;

    while (iter->position < iter->end && *iter->position == '\0')
      iter->position++;
    if (iter->position == iter->end) {
      if (!next_signal (iter))
        return false;
      continue;
    }
    if (!begin_list (iter))
      iter->malformed++;
  }
}

int64_t
eeg_edf_record_time (const EegEdfHeader *header, const uint8_t *record)
{
  EegEdfAnnotationIter iter;
  EegEdfAnnotation a;

  if (header->variant == EEG_EDF_VARIANT_PLAIN)
    return EEG_EDF_TIME_NONE;
  eeg_edf_annotations_init (&iter, header, record);
  if (eeg_edf_annotations_next (&iter, &a) && a.time_keeping)
    return a.onset;
  return EEG_EDF_TIME_NONE;
}
