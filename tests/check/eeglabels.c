/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/check/gstcheck.h>
#include <gst/eeg/eeg.h>

#include "gsteeglabels.h"

GST_START_TEST (test_split)
{
  static const struct
  {
    const gchar *list;
    const gchar *items[5];
  } cases[] = {
    { NULL, { NULL } },
    { "", { NULL } },
    { " , ,", { NULL } },
    { "Fp1", { "Fp1", NULL } },
    { "Fp1,F3", { "Fp1", "F3", NULL } },
    { " EEG Fp1 , F3  ,,O1", { "EEG Fp1", "F3", "O1", NULL } },
    { "A\\,B,C\\\\,D", { "A\\,B", "C\\\\", "D", NULL } },
    { "A\\ ,B\\", { "A\\ ", "B\\", NULL } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    gchar **items = gst_eeg_labels_split (cases[i].list, ',');

    fail_unless (g_strv_equal ((const gchar *const *) items, cases[i].items),
        "case %u", i);
    g_strfreev (items);
  }
}

GST_END_TEST;

GST_START_TEST (test_match)
{
  static const struct
  {
    const gchar *pattern, *label, *star; /* NULL: does not match */
  } cases[] = {
    { "Fp1", "Fp1", "" },
    { "Fp1", "Fp12", NULL },
    { "Fp12", "Fp1", NULL },
    { "", "", "" },
    { "", "C3", NULL },
    { "*", "", "" },
    { "*", "C3", "C3" },
    { "EEG *-Ref", "EEG Fp1-Ref", "Fp1" },
    { "EEG *-Ref", "EEG Fp1-Re", NULL },
    { "*-Ref", "A-Ref-Ref", "A-Ref" },
    { "*-*", "A-B-C", "A" },
    { "*3*", "C3", "C" },
    { "?3", "C3", "" },
    { "?3", "3", NULL },
    { "?V", "\302\265V", "" },
    { "*V", "\302\265V", "\302\265" },
    { "\\*", "*", "" },
    { "\\*", "C3", NULL },
    { "\\?*", "?x", "x" },
    { "a\\", "a\\", "" },
    { "*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL },
    { "E*", "e1", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    gchar *star = NULL;
    gboolean matches =
        gst_eeg_labels_match (cases[i].pattern, cases[i].label, &star);

    fail_unless_equals_int (matches, cases[i].star != NULL);
    if (matches)
      fail_unless_equals_string (star, cases[i].star);
    fail_unless_equals_int (gst_eeg_labels_match (cases[i].pattern,
                                cases[i].label, NULL),
        matches);
    g_free (star);
  }
}

GST_END_TEST;

GST_START_TEST (test_texts)
{
  static const struct
  {
    const gchar *text, *result;
    gboolean wild;
  } cases[] = {
    { "C3", "C3", FALSE },
    { "*-M1", "x-M1", TRUE },
    { "a*b*", "axb*", TRUE },
    { "\\*", "*", FALSE },
    { "a\\,b\\=c\\\\", "a,b=c\\", FALSE },
    { "\\??", "??", TRUE },
    { "end\\", "end\\", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    gchar *result = gst_eeg_labels_replace_star (cases[i].text, "x");

    fail_unless_equals_string (result, cases[i].result);
    fail_unless_equals_int (gst_eeg_labels_has_wildcard (cases[i].text),
        cases[i].wild);
    g_free (result);
  }
}

GST_END_TEST;

GST_START_TEST (test_find)
{
  const GstEegChannel rows[] = { { .label = "a,b" }, { .label = "C3" } };
  GstEegChannels *table = gst_eeg_channels_new (rows, 2);
  GError *error = NULL;

  fail_unless_equals_int (gst_eeg_labels_find (table, "a\\,b", &error), 0);
  fail_unless_equals_int (gst_eeg_labels_find (table, "C3", &error), 1);
  fail_unless (error == NULL);
  fail_unless_equals_int (gst_eeg_labels_find (table, "C4", &error), -1);
  fail_unless (
      g_error_matches (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS));
  g_error_free (error);
  gst_eeg_channels_unref (table);
}

GST_END_TEST;

static Suite *
eeglabels_suite (void)
{
  Suite *s = suite_create ("eeglabels");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_split);
  tcase_add_test (tc, test_match);
  tcase_add_test (tc, test_texts);
  tcase_add_test (tc, test_find);
  return s;
}

GST_CHECK_MAIN (eeglabels);
