/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Small EDF and BDF files, written by hand for tests. */

#ifndef __TESTS_EDF_FILE_H__
#define __TESTS_EDF_FILE_H__

#include <glib.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct
{
  const gchar *label;
  const gchar *transducer;
  const gchar *dimension;
  const gchar *physical_min;
  const gchar *physical_max;
  const gchar *digital_min;
  const gchar *digital_max;
  const gchar *prefilter;
  guint samples; /* per record */
} EdfFileSignal;

typedef struct
{
  gboolean bdf;
  const gchar *reserved; /* EDF+C and the like; NULL: empty */
  const gchar *start_date;
  const gchar *start_time;
  const gchar *records;
  const gchar *duration;
  const EdfFileSignal *signals;
  guint n_signals;
} EdfFile;

static inline void
edf_file_field (GByteArray *file, gsize width, const gchar *text)
{
  gchar *field = g_strdup_printf ("%-*s", (int) width, text ? text : "");

  g_assert_cmpuint (strlen (field), ==, width);
  g_byte_array_append (file, (const guint8 *) field, width);
  g_free (field);
}

static inline GByteArray *
edf_file_new (const EdfFile *f)
{
  GByteArray *file = g_byte_array_new ();
  gchar number[32];
  guint i;

  if (f->bdf)
    g_byte_array_append (file, (const guint8 *) "\377BIOSEMI", 8);
  else
    edf_file_field (file, 8, "0");
  edf_file_field (file, 80, "P1 F 02-MAY-1951 Some_Body");
  edf_file_field (file, 80, "Startdate 11-APR-2019 E1 T1 amplifier");
  edf_file_field (file, 8, f->start_date ? f->start_date : "11.04.19");
  edf_file_field (file, 8, f->start_time ? f->start_time : "14.50.07");
  g_snprintf (number, sizeof number, "%u", 256 * (f->n_signals + 1));
  edf_file_field (file, 8, number);
  edf_file_field (file, 44, f->reserved);
  edf_file_field (file, 8, f->records);
  edf_file_field (file, 8, f->duration);
  g_snprintf (number, sizeof number, "%u", f->n_signals);
  edf_file_field (file, 4, number);
#define COLUMN(width, member)                                                  \
  for (i = 0; i < f->n_signals; i++)                                           \
    edf_file_field (file, width, f->signals[i].member);
  COLUMN (16, label)
  COLUMN (80, transducer)
  COLUMN (8, dimension)
  COLUMN (8, physical_min)
  COLUMN (8, physical_max)
  COLUMN (8, digital_min)
  COLUMN (8, digital_max)
  COLUMN (80, prefilter)
#undef COLUMN
  for (i = 0; i < f->n_signals; i++) {
    g_snprintf (number, sizeof number, "%u", f->signals[i].samples);
    edf_file_field (file, 8, number);
  }
  for (i = 0; i < f->n_signals; i++)
    edf_file_field (file, 32, NULL);
  return file;
}

static inline void
edf_file_sample (GByteArray *file, gboolean bdf, gint32 value)
{
  guint8 bytes[3] = { (guint8) value, (guint8) (value >> 8),
    (guint8) (value >> 16) };

  g_byte_array_append (file, bytes, bdf ? 3 : 2);
}

/* The bytes of an annotation signal: size bytes, the rest 0. */
static inline void
edf_file_annotations (GByteArray *file, gsize size, const gchar *lists,
    gsize length)
{
  gsize at = file->len;

  g_assert_cmpuint (length, <=, size);
  g_byte_array_set_size (file, at + size);
  memset (file->data + at, 0, size);
  memcpy (file->data + at, lists, length);
}

#endif /* __TESTS_EDF_FILE_H__ */
