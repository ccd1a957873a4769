/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Typefinders. EDF has no magic worth the name (a zero and seven spaces), so
 * more fields of its header are looked at: dates, numbers, and that the header
 * has the size that its number of signals asks for. gzip has a typefinder in
 * GStreamer itself; brotli and Tink's files have nothing to find.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsteegtypefind.h"

#include <stdlib.h>
#include <string.h>

#define EDF_HEADER_SIZE 256

/* The number in a field of spaces and digits, or -1. */
static gint64
parse_number (const guint8 *field, gsize size)
{
  gchar text[17];
  gchar *end;
  gint64 value;

  memcpy (text, field, size);
  text[size] = '\0';
  value = g_ascii_strtoll (text, &end, 10);
  if (end == text)
    return -1;
  while (*end == ' ')
    end++;
  return *end == '\0' ? value : -1;
}

/* dd.mm.yy or hh.mm.ss; foreign writers use other separators */
static gboolean
is_date_or_time (const guint8 *field)
{
  gint i;

  for (i = 0; i < 8; i++) {
    if (i % 3 == 2 ? g_ascii_isalnum (field[i]) : !g_ascii_isdigit (field[i]))
      return FALSE;
  }
  return TRUE;
}

static guint
rate_edf_header (GstTypeFind *tf, const guint8 *magic)
{
  const guint8 *header = gst_type_find_peek (tf, 0, EDF_HEADER_SIZE);
  gint64 n_signals;

  if (header == NULL || memcmp (header, magic, 8) != 0)
    return 0;
  n_signals = parse_number (header + 252, 4);
  if (n_signals < 1
      || parse_number (header + 184, 8) != (n_signals + 1) * EDF_HEADER_SIZE)
    return 0;
  if (!is_date_or_time (header + 168) || !is_date_or_time (header + 176))
    return GST_TYPE_FIND_POSSIBLE;
  return GST_TYPE_FIND_NEARLY_CERTAIN;
}

static void
edf_type_find (GstTypeFind *tf, gpointer user_data)
{
  guint probability = rate_edf_header (tf, (const guint8 *) "0       ");

  if (probability > 0)
    gst_type_find_suggest_empty_simple (tf, probability, "application/x-edf");
}

static void
bdf_type_find (GstTypeFind *tf, gpointer user_data)
{
  guint probability = rate_edf_header (tf, (const guint8 *) "\377BIOSEMI");

  if (probability > 0)
    gst_type_find_suggest_empty_simple (tf, probability, "application/x-bdf");
}

/* Zstandard and LZ4 share the numbers of frames that are to be skipped; what
 * stands behind them decides. */
static guint32
find_frame_magic (GstTypeFind *tf)
{
  guint64 offset = 0;
  gint skips;

  for (skips = 0; skips < 16; skips++) {
    const guint8 *data = gst_type_find_peek (tf, offset, 8);
    guint32 magic;

    if (data == NULL) {
      data = gst_type_find_peek (tf, offset, 4);
      return data != NULL && skips == 0 ? GST_READ_UINT32_LE (data) : 0;
    }
    magic = GST_READ_UINT32_LE (data);
    if ((magic & 0xfffffff0) != 0x184d2a50)
      return magic;
    offset += 8 + (guint64) GST_READ_UINT32_LE (data + 4);
  }
  return 0;
}

static void
zstd_type_find (GstTypeFind *tf, gpointer user_data)
{
  if (find_frame_magic (tf) == 0xfd2fb528)
    gst_type_find_suggest_empty_simple (tf, GST_TYPE_FIND_LIKELY,
        "application/x-zstd");
}

static void
lz4_type_find (GstTypeFind *tf, gpointer user_data)
{
  if (find_frame_magic (tf) == 0x184d2204)
    gst_type_find_suggest_empty_simple (tf, GST_TYPE_FIND_LIKELY,
        "application/x-lz4");
}

static void
age_type_find (GstTypeFind *tf, gpointer user_data)
{
  static const gchar *const starts[] = { "age-encryption.org/v1\n",
    "-----BEGIN AGE ENCRYPTED FILE-----" };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (starts); i++) {
    const guint8 *data = gst_type_find_peek (tf, 0, strlen (starts[i]));

    if (data != NULL && memcmp (data, starts[i], strlen (starts[i])) == 0)
      gst_type_find_suggest_empty_simple (tf, GST_TYPE_FIND_MAXIMUM,
          "application/x-age");
  }
}

static void
eegpack_type_find (GstTypeFind *tf, gpointer user_data)
{
  static const guint8 magic[8] = { 0x89, 'E', 'E', 'G', 'P', 'K', '\r', '\n' };
  const guint8 *data = gst_type_find_peek (tf, 0, sizeof magic);

  if (data != NULL && memcmp (data, magic, sizeof magic) == 0)
    gst_type_find_suggest_empty_simple (tf, GST_TYPE_FIND_MAXIMUM,
        "application/x-eegpack");
}

/* Kept by their static variables: registering takes a reference of its own. */
static GstStaticCaps edf_caps = GST_STATIC_CAPS ("application/x-edf");
static GstStaticCaps bdf_caps = GST_STATIC_CAPS ("application/x-bdf");
static GstStaticCaps zstd_caps = GST_STATIC_CAPS ("application/x-zstd");
static GstStaticCaps lz4_caps = GST_STATIC_CAPS ("application/x-lz4");
static GstStaticCaps age_caps = GST_STATIC_CAPS ("application/x-age");
static GstStaticCaps eegpack_caps = GST_STATIC_CAPS ("application/x-eegpack");

GST_TYPE_FIND_REGISTER_DEFINE (eegedf, "application/x-edf", GST_RANK_PRIMARY,
    edf_type_find, "edf", gst_static_caps_get (&edf_caps), NULL, NULL);
GST_TYPE_FIND_REGISTER_DEFINE (eegbdf, "application/x-bdf", GST_RANK_PRIMARY,
    bdf_type_find, "bdf", gst_static_caps_get (&bdf_caps), NULL, NULL);
GST_TYPE_FIND_REGISTER_DEFINE (eegzstd, "application/x-zstd",
    GST_RANK_SECONDARY, zstd_type_find, "zst", gst_static_caps_get (&zstd_caps),
    NULL, NULL);
GST_TYPE_FIND_REGISTER_DEFINE (eeglz4, "application/x-lz4", GST_RANK_SECONDARY,
    lz4_type_find, "lz4", gst_static_caps_get (&lz4_caps), NULL, NULL);
GST_TYPE_FIND_REGISTER_DEFINE (eegage, "application/x-age", GST_RANK_SECONDARY,
    age_type_find, "age", gst_static_caps_get (&age_caps), NULL, NULL);
GST_TYPE_FIND_REGISTER_DEFINE (eegpack, "application/x-eegpack",
    GST_RANK_PRIMARY, eegpack_type_find, "eegpack",
    gst_static_caps_get (&eegpack_caps), NULL, NULL);
