/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifndef __EEG_EDF_PRIVATE_H__
#define __EEG_EDF_PRIVATE_H__

#include "edf.h"

/* A decimal number taken apart: value = mantissa * 10 ^ exponent */
typedef struct
{
  bool negative;
  uint64_t mantissa;
  int32_t exponent;
} EegEdfDecimal;

/* Blanks and NULs around the number are skipped. false: not a number, or more
 * than 18 digits. */
bool eeg_edf_parse_decimal (const char *text, size_t length,
    EegEdfDecimal *decimal);

/* false: not a whole number between the limits */
bool eeg_edf_decimal_to_integer (const EegEdfDecimal *decimal, int64_t min,
    int64_t max, int64_t *value);

/* Numbers the groups and lays out the record. Every check on the sum of the
 * signals is here, for headers read and headers built. */
EegEdfStatus eeg_edf_header_lay_out (EegEdfHeader *header, size_t max_record,
    char *reason, size_t reason_size);

EegEdfRational eeg_edf_rational (int64_t num, int64_t den);

void eeg_edf_reason (char *reason, size_t size, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));

#endif /* __EEG_EDF_PRIVATE_H__ */
