/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/check/gstcheck.h>
#include <stdlib.h>
#include <string.h>

#include "sumfile.h"

#define A16 "0123456789abcdef"
#define A64 A16 A16 A16 A16
#define B64 "ff00ff00ff00ff00" A16 A16 A16
#define UPPER "0123456789ABCDEF" A16 A16 A16

static const guint8 a_digest[32] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd,
  0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67,
  0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef };

GST_START_TEST (test_format)
{
  /* as sha256sum 9.1 and b3sum 1.2.0 print them */
  static const struct
  {
    const char *name;
    const char *coreutils;
    const char *b3sum;
  } cases[] = {
    { "night.edf", A64 "  night.edf\n", A64 "  night.edf\n" },
    { " a  b ", A64 "   a  b \n", A64 "   a  b \n" },
    { "*star", A64 "  *star\n", A64 "  *star\n" },
    { "back\\slash", "\\" A64 "  back\\\\slash\n",
        "\\" A64 "  back\\\\slash\n" },
    { "new\nline", "\\" A64 "  new\\nline\n", "\\" A64 "  new\\nline\n" },
    { "cr\r", "\\" A64 "  cr\\r\n", A64 "  cr\r\n" },
    { "n\xc3\xa4ht", A64 "  n\xc3\xa4ht\n", A64 "  n\xc3\xa4ht\n" },
    { "\xff\x01", A64 "  \xff\x01\n", A64 "  \xff\x01\n" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    gsize size;
    char *line = eeg_sumfile_format (&eeg_sumfile_sha256, a_digest,
        cases[i].name, &size);

    fail_unless_equals_string (line, cases[i].coreutils);
    fail_unless_equals_int (size, strlen (line));
    free (line);
    line =
        eeg_sumfile_format (&eeg_sumfile_blake3, a_digest, cases[i].name, NULL);
    fail_unless_equals_string (line, cases[i].b3sum);
    free (line);
  }
  fail_unless (
      eeg_sumfile_format (&eeg_sumfile_sha256, a_digest, "", NULL) == NULL);
}

GST_END_TEST;

static void
check_line (const EegSumfileDialect *dialect, const char *text,
    EegSumfileLine expected, const char *name)
{
  EegSumfileEntry entry = { 0 };
  gsize size = strlen (text);
  /* no NUL behind it, so that reading on is noticed */
  char *exact = g_memdup2 (text, size);
  gsize offset = 0;
  EegSumfileLine line;

  line = eeg_sumfile_next (dialect, exact, size, &offset, &entry);
  fail_unless (line == expected, "%s: %d, not %d", text, line, expected);
  if (line == EEG_SUMFILE_ENTRY) {
    fail_unless (entry.name_size == strlen (name)
            && memcmp (entry.name, name, entry.name_size) == 0,
        "%s: %.*s", text, (int) entry.name_size, entry.name);
    fail_unless (memcmp (entry.digest, a_digest, dialect->digest_size) == 0,
        "%s", text);
  }
  fail_unless_equals_int (eeg_sumfile_next (dialect, exact, size, &offset,
                              &entry),
      EEG_SUMFILE_END);
  free (entry.name);
  g_free (exact);
}

GST_START_TEST (test_lines)
{
  const EegSumfileDialect *sha = &eeg_sumfile_sha256;
  const EegSumfileDialect *b3 = &eeg_sumfile_blake3;

  check_line (sha, A64 "  a\n", EEG_SUMFILE_ENTRY, "a");
  check_line (sha, A64 "  a", EEG_SUMFILE_ENTRY, "a");
  check_line (sha, A64 " *a\n", EEG_SUMFILE_ENTRY, "a");
  check_line (sha, A64 " a\n", EEG_SUMFILE_ENTRY, "a");
  check_line (sha, A64 "\ta\n", EEG_SUMFILE_ENTRY, "a");
  check_line (sha, " " A64 "  a\n", EEG_SUMFILE_ENTRY, "a");
  check_line (sha, UPPER "  a\n", EEG_SUMFILE_ENTRY, "a");
  check_line (sha, A64 "  **a\n", EEG_SUMFILE_ENTRY, "**a");
  check_line (sha, A64 "   a \n", EEG_SUMFILE_ENTRY, " a ");
  check_line (sha, A64 "  a\r\n", EEG_SUMFILE_ENTRY, "a");
  check_line (b3, A64 "  a\r\n", EEG_SUMFILE_ENTRY, "a\r");
  check_line (sha, A64 "  a\\b\n", EEG_SUMFILE_ENTRY, "a\\b");
  check_line (sha, "\\" A64 "  a\\\\b\\n\\r\n", EEG_SUMFILE_ENTRY, "a\\b\n\r");
  check_line (sha, "SHA256 (a) = " A64 "\n", EEG_SUMFILE_ENTRY, "a");
  check_line (sha, "SHA256(a)= " A64, EEG_SUMFILE_ENTRY, "a");
  check_line (sha, "SHA256 (a) = b) = " A64, EEG_SUMFILE_ENTRY, "a) = b");
  check_line (sha, "\\SHA256 (a\\nb) = " A64, EEG_SUMFILE_ENTRY, "a\nb");
  check_line (b3, "BLAKE3 (a) = " A64 "\n", EEG_SUMFILE_ENTRY, "a");

  check_line (sha, "\n", EEG_SUMFILE_BLANK, NULL);
  check_line (sha, "\r\n", EEG_SUMFILE_BLANK, NULL);
  check_line (b3, "\r\n", EEG_SUMFILE_BLANK, NULL);
  check_line (sha, "# " A64 "  a\n", EEG_SUMFILE_BLANK, NULL);

  check_line (sha, "rubbish\n", EEG_SUMFILE_MALFORMED, NULL);
  check_line (sha, "\\\n", EEG_SUMFILE_MALFORMED, NULL);
  check_line (sha, "  \n", EEG_SUMFILE_MALFORMED, NULL);
  check_line (sha, A64, EEG_SUMFILE_MALFORMED, NULL);
  check_line (sha, A64 "\n", EEG_SUMFILE_MALFORMED, NULL);
  check_line (sha, A64 " \n", EEG_SUMFILE_MALFORMED, NULL);
  check_line (sha, A64 "  \n", EEG_SUMFILE_MALFORMED, NULL);
  check_line (sha, A64 "0  a\n", EEG_SUMFILE_MALFORMED, NULL);
  check_line (sha, A16 A16 A16 "  a\n", EEG_SUMFILE_MALFORMED, NULL);
  check_line (sha, A64 A64 "  a\n", EEG_SUMFILE_MALFORMED, NULL);
  check_line (&eeg_sumfile_sha512, A64 "  a\n", EEG_SUMFILE_MALFORMED, NULL);
  check_line (sha, "g123456789abcdef" A16 A16 A16 "  a\n",
      EEG_SUMFILE_MALFORMED, NULL);
  check_line (sha, "\\" A64 "  a\\\n", EEG_SUMFILE_MALFORMED, NULL);
  check_line (sha, "\\" A64 "  a\\x\n", EEG_SUMFILE_MALFORMED, NULL);
  check_line (sha, "SHA512 (a) = " A64 "\n", EEG_SUMFILE_MALFORMED, NULL);
  check_line (sha, "SHA256 () = " A64 "\n", EEG_SUMFILE_MALFORMED, NULL);
  check_line (sha, "SHA256 (a = " A64 "\n", EEG_SUMFILE_MALFORMED, NULL);
  check_line (sha, "SHA256 (= " A64 "\n", EEG_SUMFILE_MALFORMED, NULL);
  check_line (sha, "SHA256 " A64 "\n", EEG_SUMFILE_MALFORMED, NULL);
}

GST_END_TEST;

/* Each name comes back from its line, in a text with all of them. */
GST_START_TEST (test_round_trip)
{
  static const EegSumfileDialect *const dialects[] = { &eeg_sumfile_blake3,
    &eeg_sumfile_sha256, &eeg_sumfile_sha512 };
  static const char *const names[] = { "a", " ", "*", "\\", "\\n", "\n", "a\rb",
    "x\r", "#a", ") = ", "dir/a b", "\xff\xfe" };

  for (guint d = 0; d < G_N_ELEMENTS (dialects); d++) {
    GString *text = g_string_new (NULL);
    guint8 digest[64], found[64];

    for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
      char *line;

      memset (digest, i, sizeof digest);
      line = eeg_sumfile_format (dialects[d], digest, names[i], NULL);
      g_string_append (text, line);
      free (line);
    }
    for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
      memset (digest, i, sizeof digest);
      fail_unless_equals_int (eeg_sumfile_find (dialects[d], text->str,
                                  text->len, names[i], false, found),
          EEG_SUMFILE_FOUND);
      fail_unless (memcmp (digest, found, dialects[d]->digest_size) == 0,
          "name %u of %s", i, dialects[d]->tag);
    }
    g_string_free (text, TRUE);
  }
}

GST_END_TEST;

static void
check_find (const char *text, const char *name, bool sole,
    EegSumfileResult expected)
{
  guint8 digest[32] = { 0 };

  fail_unless_equals_int (eeg_sumfile_find (&eeg_sumfile_sha256, text,
                              strlen (text), name, sole, digest),
      expected);
  if (expected == EEG_SUMFILE_FOUND)
    fail_unless (memcmp (digest, a_digest, 32) == 0);
  else
    fail_unless_equals_int (digest[0], 0);
}

GST_START_TEST (test_find)
{
  check_find ("", "a", true, EEG_SUMFILE_NO_LINES);
  check_find ("# none\nrubbish\n", "a", true, EEG_SUMFILE_NO_LINES);
  check_find (A64 "  a\n", "a", false, EEG_SUMFILE_FOUND);
  check_find (A64 "  a\n", "b", false, EEG_SUMFILE_NOT_LISTED);
  check_find (A64 "  a\n", "b", true, EEG_SUMFILE_FOUND);
  check_find ("rubbish\n" A64 "  a\n\n# end", "b", true, EEG_SUMFILE_FOUND);
  check_find (A64 "  a\n" A64 "  c\n", "b", true, EEG_SUMFILE_NOT_LISTED);
  check_find (B64 "  b\n" A64 "  a\n", "a", false, EEG_SUMFILE_FOUND);
  check_find (B64 "  b\n" A64 "  ./x/a\n", "a", false, EEG_SUMFILE_FOUND);
  check_find (B64 "  x/a\n" A64 "  a\n", "a", false, EEG_SUMFILE_FOUND);
  check_find (A64 "  x/a\n" B64 "  y/a\n", "a", false, EEG_SUMFILE_AMBIGUOUS);
  check_find (A64 "  x/a\n" B64 "  y/a\n", "x/a", false, EEG_SUMFILE_FOUND);
  check_find (A64 "  a\n" A64 " *a\n", "a", false, EEG_SUMFILE_FOUND);
  check_find (A64 "  a\n" B64 "  a\n", "a", true, EEG_SUMFILE_AMBIGUOUS);
}

GST_END_TEST;

GST_START_TEST (test_hex)
{
  guint8 digest[2];
  char hex[5];

  fail_unless (eeg_sumfile_parse_hex ("aBCd..", 6, digest, 2));
  eeg_sumfile_format_hex (digest, 2, hex);
  fail_unless_equals_string (hex, "abcd");
  fail_if (eeg_sumfile_parse_hex ("aBC", 3, digest, 2));
  fail_if (eeg_sumfile_parse_hex ("aBCg", 4, digest, 2));
}

GST_END_TEST;

static Suite *
sumfile_format_suite (void)
{
  Suite *suite = suite_create ("sumfile-format");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_format);
  tcase_add_test (tcase, test_lines);
  tcase_add_test (tcase, test_round_trip);
  tcase_add_test (tcase, test_find);
  tcase_add_test (tcase, test_hex);
  return suite;
}

GST_CHECK_MAIN (sumfile_format);
