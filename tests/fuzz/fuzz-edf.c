/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* EDF and BDF: header, then every whole record's samples, annotations, time
 * and triggers. */

#include <stdlib.h>
#include <string.h>

#include "edf.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
read_record (const EegEdfHeader *h, const uint8_t *record, uint8_t *out)
{
  EegEdfAnnotationIter iter;
  EegEdfAnnotation annotation;
  char text[64];
  uint32_t i;

  eeg_edf_record_time (h, record);
  eeg_edf_annotations_init (&iter, h, record);
  while (eeg_edf_annotations_next (&iter, &annotation)) {
    eeg_edf_text_to_utf8 (annotation.text, annotation.text_length, text,
        sizeof text);
    if (strlen (text) >= sizeof text
        || annotation.onset_length > h->record_size)
      abort ();
  }
  for (i = 0; i < h->num_groups; i++)
    eeg_edf_decode (h, i, record, 0, h->groups[i].samples_per_record,
        EEG_EDF_SAMPLE_S32, out);
  for (i = 0; i < h->num_signals; i++) {
    if (h->signals[i].is_status) {
      EegEdfStatusState state = { false };
      uint32_t position = 0;
      uint16_t triggers;

      while (eeg_edf_status_next (h, i, record, &state, &position, &triggers))
        if (position > h->signals[i].samples_per_record)
          abort ();
    }
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  EegEdfHeader *h;
  uint8_t *header;
  size_t needed;
  char reason[128];
  EegEdfStatus status;
  uint64_t n, i;

  status =
      eeg_edf_header_parse (data, size, &h, &needed, reason, sizeof reason);
  if (status != EEG_EDF_OK) {
    if (h != NULL || (status == EEG_EDF_NEED_MORE && needed <= size)
        || (status == EEG_EDF_INVALID && reason[0] == '\0'))
      abort ();
    return 0;
  }
  header = malloc (h->header_size);
  if (header == NULL)
    abort ();
  eeg_edf_header_write (h, header);
  if (memcmp (header, data, h->header_size) != 0)
    abort ();
  free (header);
  n = eeg_edf_records_in_file (h, size);
  if (n > 0) {
    /* 4 bytes for each sample of 2 or 3 */
    uint8_t *out = malloc (2 * h->record_size);

    if (out == NULL)
      abort ();
    for (i = 0; i < n && i < 64; i++)
      read_record (h, data + h->header_size + i * h->record_size, out);
    free (out);
  }
  eeg_edf_header_free (h);
  return 0;
}
