/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cipher.h"

#include <gst/check/gstharness.h>
#include <gst/eeg/eeg.h>

#include "age-kit.h"
#include "age/age.h"

/* A key pair that age-keygen made. */
#define IDENTITY                                                               \
  "AGE-SECRET-KEY-1ZJ58DFGQQRVPNFWSN7U9J329GQNWRGSGU00D6HY58RXAMYP6WQGQUUHXPK"

#define RECIPIENT                                                              \
  "age12dvv84m27vh388zw0kf33qgvss377c826j0gc3x7k5w7eh8psveqtq66r9"

#define CELL EEG_AGE_CELL_SIZE
#define SEALED EEG_AGE_SEALED_CELL_SIZE

static gchar *identity_file, *passphrase_file;

static Result
encrypt (const gchar *options, const guint8 *data, gsize size, gsize split)
{
  gchar *line = g_strconcat ("chacha20poly1305enc recipients=" RECIPIENT " ",
      options, NULL);
  Result result =
      run_line (line, "application/x-edf, test=(int)1", data, size, split);

  g_free (line);
  return result;
}

static Result
decrypt (const gchar *options, const guint8 *data, gsize size, gsize split)
{
  gchar *line = g_strdup_printf ("chacha20poly1305dec identity-file=%s %s",
      identity_file, options);
  Result result = run_line (line, NULL, data, size, split);

  g_free (line);
  return result;
}

/* Lengths around the ends of cells and jobs, whole and in pieces. */
GST_START_TEST (test_round_trip)
{
  static const gsize sizes[] = { 0, 1, CELL - 1, CELL, CELL + 1, 4 * CELL - 1,
    4 * CELL, 4 * CELL + 1, 1000000 };
  static const guint threads[] = { 1, 2, 3, 8 };
  guint8 *data = test_bytes (1000000);

  for (guint t = 0; t < G_N_ELEMENTS (threads); t++) {
    gchar *options = g_strdup_printf ("threads=%u", threads[t]);

    for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
      Result sealed = encrypt (options, data, sizes[i], t % 2 ? 0 : 50000);
      Result opened;

      fail_unless (sealed.eos && sealed.error == NULL);
      opened = decrypt (options, sealed.out->data, sealed.out->len,
          i % 2 ? 0 : 70000);
      expect_bytes (&opened, data, sizes[i]);
      result_clear (&sealed);
      result_clear (&opened);
    }
    g_free (options);
  }
  g_free (data);
}

GST_END_TEST;

/* What the format makes of the data under the header of the file. */
static void
expect_same_bytes (const GByteArray *file, const guint8 *data, gsize size,
    const gchar *backend)
{
  EegAeadContext *context =
      eeg_aead_context_new (EEG_AEAD_CHACHA20_POLY1305, EEG_AEAD_SEAL, backend);
  guint8 file_key[EEG_AGE_FILE_KEY_SIZE], payload_key[EEG_AEAD_KEY_SIZE];
  guint8 *out = g_malloc (file->len);
  EegAeadPiece piece = { data, size };
  EegAeadReader reader = { &piece, 1, 0 };
  EegAeadSecret *text =
      eeg_aead_secret_new_copy (IDENTITY "\n", strlen (IDENTITY) + 1);
  EegAgeIdentities *identities;
  EegAgeHeader header;
  gsize line, start;

  fail_unless (context != NULL);
  fail_unless_equals_int (eeg_age_identities_parse (text, &identities, &line),
      EEG_AGE_OK);
  fail_unless_equals_int (eeg_age_header_parse (&header, file->data, file->len),
      EEG_AGE_OK);
  fail_unless_equals_int (eeg_age_header_unwrap (&header, file->data,
                              identities, NULL, 1, file_key),
      EEG_AGE_OK);
  start = header.size + EEG_AGE_NONCE_SIZE;
  eeg_age_payload_key (file_key, file->data + header.size, payload_key);
  eeg_aead_context_set_key (context, payload_key);
  fail_unless_equals_int (eeg_age_seal (context, 0, TRUE, &reader, size, out),
      file->len - start);
  fail_unless (memcmp (out, file->data + start, file->len - start) == 0);
  eeg_age_identities_free (identities);
  eeg_aead_secret_free (text);
  eeg_aead_context_free (context);
  g_free (out);
}

/* Beyond the header, which is random, the bytes depend on the data alone: not
 * on threads, nor on how fast they are, nor on how the input was split, nor on
 * the library. What one library makes, the other one opens. */
GST_START_TEST (test_same_bytes)
{
  static const guint threads[] = { 1, 2, 3, 8 };
  static const gsize splits[] = { 0, 5000, 70000, 400000 };
  static const gchar *const backends[] = { "libcrypto", "libsodium" };
  const gsize size = 1000000;
  guint8 *data = test_bytes (size);

  for (guint b = 0; b < G_N_ELEMENTS (backends); b++) {
    const gchar *other = backends[1 - b];

    for (guint t = 0; t < G_N_ELEMENTS (threads); t++) {
      for (guint i = 0; i < G_N_ELEMENTS (splits); i++) {
        gchar *options = g_strdup_printf ("threads=%u", threads[t]);
        Result sealed, opened;

        g_setenv (EEG_AEAD_BACKEND_VARIABLE, backends[b], TRUE);
        if (i % 2)
          g_setenv ("GSTEEG_TEST_JOB_DELAY_US", "2000", TRUE);
        sealed = encrypt (options, data, size, splits[i]);
        fail_unless (sealed.eos);
        expect_same_bytes (sealed.out, data, size, other);
        g_setenv (EEG_AEAD_BACKEND_VARIABLE, other, TRUE);
        opened =
            decrypt (options, sealed.out->data, sealed.out->len, splits[3 - i]);
        expect_bytes (&opened, data, size);
        g_unsetenv ("GSTEEG_TEST_JOB_DELAY_US");
        g_unsetenv (EEG_AEAD_BACKEND_VARIABLE);
        result_clear (&sealed);
        result_clear (&opened);
        g_free (options);
      }
    }
  }
  g_free (data);
}

GST_END_TEST;

GST_START_TEST (test_caps)
{
  Result sealed = encrypt ("", (const guint8 *) "some bytes", 10, 0), opened;
  GstStructure *structure = gst_caps_get_structure (sealed.caps, 0);
  GstCaps *expected = gst_caps_from_string ("application/x-edf, test=(int)1");
  gchar *line, *caps;

  fail_unless (gst_structure_has_name (structure, "application/x-age"));
  line =
      g_strdup_printf ("chacha20poly1305dec identity-file=%s", identity_file);
  caps = gst_caps_to_string (sealed.caps);
  opened = run_line (line, caps, sealed.out->data, sealed.out->len, 0);
  expect_bytes (&opened, (const guint8 *) "some bytes", 10);
  fail_unless (gst_caps_is_equal (opened.caps, expected));
  g_free (line);
  g_free (caps);
  gst_caps_unref (expected);
  result_clear (&sealed);
  result_clear (&opened);
}

GST_END_TEST;

static void
expect_any_error (Result *opened, const guint8 *data, gsize size)
{
  fail_unless (opened->error != NULL, "no error");
  fail_unless (g_error_matches (opened->error, GST_STREAM_ERROR,
                   GST_STREAM_ERROR_DECRYPT)
          || g_error_matches (opened->error, GST_STREAM_ERROR,
              GST_STREAM_ERROR_DECRYPT_NOKEY),
      "%d %s", opened->error->code, opened->error->message);
  fail_if (opened->eos);
  fail_unless (opened->out->len <= size);
  fail_unless (opened->out->len == 0
      || memcmp (opened->out->data, data, opened->out->len) == 0);
  result_clear (opened);
}

/* One flipped bit at each byte, and the file cut at each byte: one error, and
 * no byte that was not verified. */
GST_START_TEST (test_damage)
{
  guint8 *data = test_bytes (60);
  Result sealed = encrypt ("", data, 60, 0), opened;
  guint8 *file = sealed.out->data;

  for (gsize i = 0; i < sealed.out->len; i++) {
    const gchar *options = i % 2 ? "threads=2" : "threads=1";

    file[i] ^= 1 << (i % 8);
    opened = decrypt (options, file, sealed.out->len, 90);
    file[i] ^= 1 << (i % 8);
    fail_unless_equals_int (opened.out->len, 0);
    expect_any_error (&opened, data, 0);

    opened = decrypt (options, file, i, 50);
    fail_unless_equals_int (opened.out->len, 0);
    fail_unless (opened.error != NULL
            && strstr (opened.error->message, "cut short") != NULL,
        "cut at %d: %s", (gint) i,
        opened.error ? opened.error->message : "no error");
    expect_any_error (&opened, data, 0);
  }
  result_clear (&sealed);
  g_free (data);
}

GST_END_TEST;

/* ASCII armor around a file. */
static GString *
armor (const GByteArray *file)
{
  GString *text = g_string_new ("-----BEGIN AGE ENCRYPTED FILE-----\n");

  for (gsize at = 0; at < file->len; at += EEG_AGE_ARMOR_BYTES) {
    gchar *line = g_base64_encode (file->data + at,
        MIN (EEG_AGE_ARMOR_BYTES, file->len - at));

    g_string_append_printf (text, "%s\n", line);
    g_free (line);
  }
  g_string_append (text, "-----END AGE ENCRYPTED FILE-----\n");
  return text;
}

/* The same of a file in armor: a changed character is an error or, where it
 * means nothing, all the same; a cut is an error but for the last line end. */
GST_START_TEST (test_damaged_armor)
{
  guint8 *data = test_bytes (60);
  Result sealed = encrypt ("", data, 60, 0), opened;
  GString *text = armor (sealed.out);
  guint8 *file = (guint8 *) text->str;

  opened = decrypt ("", file, text->len, 90);
  expect_bytes (&opened, data, 60);
  result_clear (&opened);
  for (gsize i = 0; i < text->len; i++) {
    const gchar *options = i % 2 ? "threads=2" : "threads=1";

    file[i] ^= 1 << (i % 8);
    opened = decrypt (options, file, text->len, 90);
    if (opened.error == NULL)
      /* white space may stand around the armor, and may be another one */
      fail_unless (g_ascii_isspace (file[i]), "byte %d", (gint) i);
    file[i] ^= 1 << (i % 8);
    if (opened.error == NULL) {
      expect_bytes (&opened, data, 60);
      result_clear (&opened);
    } else {
      /* the end of the armor comes behind cells that were verified */
      expect_any_error (&opened, data, 60);
    }

    opened = decrypt (options, file, i, 50);
    if (i == text->len - 1) {
      expect_bytes (&opened, data, 60);
      result_clear (&opened);
    } else {
      expect_any_error (&opened, data, 60);
    }
  }
  g_string_free (text, TRUE);
  result_clear (&sealed);
  g_free (data);
}

GST_END_TEST;

/* Cells that were swapped, dropped, repeated or put behind the end; the last
 * one is full, too. */
GST_START_TEST (test_cells)
{
  const gsize size = 3 * CELL;
  guint8 *data = test_bytes (size), *file, *cell;
  Result sealed = encrypt ("", data, size, 0), opened;
  gsize n = sealed.out->len, header = n - 3 * SEALED;

  file = g_malloc (n + SEALED);
  memcpy (file, sealed.out->data, n);
  cell = sealed.out->data + header;

  memcpy (file + header, cell + SEALED, SEALED);
  memcpy (file + header + SEALED, cell, SEALED);
  opened = decrypt ("threads=2", file, n, 10000);
  expect_any_error (&opened, data, 0);

  memcpy (file, sealed.out->data, n);
  memmove (file + header + SEALED, file + header + 2 * SEALED, SEALED);
  opened = decrypt ("threads=1", file, n - SEALED, 0);
  expect_any_error (&opened, data, CELL);

  memcpy (file, sealed.out->data, n);
  memcpy (file + header + SEALED, cell, n - header);
  opened = decrypt ("threads=2", file, n + SEALED, 0);
  expect_any_error (&opened, data, CELL);

  /* the end is gone, exactly; it comes twice; something is behind it */
  opened = decrypt ("threads=2", sealed.out->data, n - SEALED, 0);
  expect_any_error (&opened, data, 2 * CELL);
  memcpy (file, sealed.out->data, n);
  memcpy (file + n, cell + 2 * SEALED, SEALED);
  opened = decrypt ("threads=2", file, n + SEALED, 0);
  expect_any_error (&opened, data, size);
  opened = decrypt ("threads=1", file, n + 1, 0);
  expect_any_error (&opened, data, size);

  /* two files one after the other are none */
  g_free (file);
  file = g_malloc (2 * n);
  memcpy (file, sealed.out->data, n);
  memcpy (file + n, sealed.out->data, n);
  opened = decrypt ("threads=1", file, 2 * n, 0);
  expect_any_error (&opened, data, size);

  g_free (file);
  g_free (data);
  result_clear (&sealed);
}

GST_END_TEST;

GST_START_TEST (test_salvage)
{
  const gsize size = 5 * CELL + 1000;
  guint8 *data = test_bytes (size);
  Result sealed = encrypt ("", data, size, 0), opened;
  gsize header = sealed.out->len - 5 * SEALED - 1000 - 16;
  gboolean authentic = FALSE;
  guint64 lost = 0;

  for (guint threads = 1; threads <= 2; threads++) {
    gchar *options = g_strdup_printf ("salvage=true threads=%u", threads);

    opened = decrypt (options, sealed.out->data, sealed.out->len, 50000);
    expect_bytes (&opened, data, size);
    fail_unless_equals_int (opened.gaps, 0);
    fail_unless (gst_structure_get_boolean (opened.salvage_end,
                     "end-authenticated", &authentic)
        && authentic);
    result_clear (&opened);

    sealed.out->data[header + 2 * SEALED + 5] ^= 1;
    opened = decrypt (options, sealed.out->data, sealed.out->len, 50000);
    fail_unless (opened.eos);
    fail_unless_equals_int (opened.gaps, 1);
    fail_unless_equals_int (opened.out->len, size - CELL);
    fail_unless (memcmp (opened.out->data, data, 2 * CELL) == 0);
    fail_unless (
        memcmp (opened.out->data + 2 * CELL, data + 3 * CELL, size - 3 * CELL)
        == 0);
    fail_unless (
        gst_structure_get_uint64 (opened.salvage, "total-output-lost", &lost)
        && lost == CELL);
    result_clear (&opened);
    sealed.out->data[header + 2 * SEALED + 5] ^= 1;

    /* the end is missing */
    opened = decrypt (options, sealed.out->data, header + 3 * SEALED, 0);
    fail_unless (opened.eos);
    fail_unless_equals_int (opened.out->len, 3 * CELL);
    fail_unless (gst_structure_get_boolean (opened.salvage_end,
                     "end-authenticated", &authentic)
        && !authentic);
    result_clear (&opened);
    g_free (options);
  }
  result_clear (&sealed);
  g_free (data);
}

GST_END_TEST;

static void
run_kit_file (const gchar *name, const KitFile *kit)
{
  gchar *identities = write_secret (kit->identities, -1), *passphrase = NULL;
  GString *line = g_string_new ("chacha20poly1305dec");
  Result opened;
  gchar *sum;

  if (kit->identities[0] != '\0')
    g_string_append_printf (line, " identity-file=%s", identities);
  if (kit->passphrase != NULL) {
    passphrase = write_secret (kit->passphrase, -1);
    g_string_append_printf (line, " passphrase-file=%s", passphrase);
  }
  /* whole, and as it may come */
  for (guint i = 0; i < 2; i++) {
    opened = run_line (line->str, NULL, kit->file, kit->size, i ? 10000 : 0);
    if (g_str_equal (kit->expect, "success")) {
      fail_unless (opened.eos && opened.error == NULL, "%s: %s", name,
          opened.error ? opened.error->message : "no EOS");
    } else {
      fail_unless (opened.error != NULL && !opened.eos, "%s: no error", name);
      fail_unless (opened.error->domain == GST_STREAM_ERROR, "%s: %s", name,
          opened.error->message);
    }
    sum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, opened.out->data,
        opened.out->len);
    if (kit->payload != NULL)
      fail_unless (g_str_equal (sum, kit->payload), "%s: other bytes", name);
    else
      fail_unless (opened.out->len == 0, "%s: bytes came", name);
    g_free (sum);
    result_clear (&opened);
  }
  remove_secret (identities);
  if (passphrase != NULL)
    remove_secret (passphrase);
  g_string_free (line, TRUE);
}

GST_START_TEST (test_kit)
{
  kit_run_all (run_kit_file);
}

GST_END_TEST;

GST_START_TEST (test_passphrase)
{
  guint8 *data = test_bytes (100000);
  gchar *line, *wrong = write_secret ("another one", -1);
  Result sealed, opened;

  line =
      g_strdup_printf ("chacha20poly1305enc passphrase-file=%s work-factor=10",
          passphrase_file);
  sealed = run_line (line, NULL, data, 100000, 0);
  g_free (line);
  line = g_strdup_printf ("chacha20poly1305dec passphrase-file=%s",
      passphrase_file);
  opened = run_line (line, NULL, sealed.out->data, sealed.out->len, 3000);
  expect_bytes (&opened, data, 100000);
  result_clear (&opened);
  g_free (line);

  line = g_strdup_printf (
      "chacha20poly1305dec passphrase-file=%s max-work-factor=9",
      passphrase_file);
  opened = run_line (line, NULL, sealed.out->data, sealed.out->len, 0);
  expect_stream_error (&opened, GST_STREAM_ERROR_DECRYPT, data, 0);
  fail_unless (strstr (opened.error->message, "work factor") != NULL, "%s",
      opened.error->message);
  result_clear (&opened);
  g_free (line);

  line = g_strdup_printf ("chacha20poly1305dec passphrase-file=%s", wrong);
  opened = run_line (line, NULL, sealed.out->data, sealed.out->len, 0);
  expect_stream_error (&opened, GST_STREAM_ERROR_DECRYPT, data, 0);
  result_clear (&opened);
  g_free (line);

  /* an identity alone does not open it */
  opened = decrypt ("", sealed.out->data, sealed.out->len, 0);
  expect_stream_error (&opened, GST_STREAM_ERROR_DECRYPT_NOKEY, data, 0);
  result_clear (&opened);
  result_clear (&sealed);
  remove_secret (wrong);
  g_free (data);
}

GST_END_TEST;

GST_START_TEST (test_bad_settings)
{
  gchar *bad = write_secret ("no key at all\n", -1);
  gchar *empty = write_secret ("\n# nothing\n", -1);
  const struct
  {
    const gchar *line;
    const gchar *file;
    GQuark domain;
    gint code;
  } cases[] = {
    { "chacha20poly1305enc%s", "", GST_RESOURCE_ERROR,
        GST_RESOURCE_ERROR_NOT_FOUND },
    { "chacha20poly1305dec%s", "", GST_STREAM_ERROR,
        GST_STREAM_ERROR_DECRYPT_NOKEY },
    { "chacha20poly1305enc recipients=age1xyz%s", "", GST_LIBRARY_ERROR,
        GST_LIBRARY_ERROR_SETTINGS },
    { "chacha20poly1305enc recipients=\"\"%s", "", GST_LIBRARY_ERROR,
        GST_LIBRARY_ERROR_SETTINGS },
    { "chacha20poly1305enc recipients-file=%s", "/nonexistent",
        GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND },
    { "chacha20poly1305enc recipients-file=%s", bad, GST_RESOURCE_ERROR,
        GST_RESOURCE_ERROR_NOT_FOUND },
    { "chacha20poly1305enc recipients-file=%s", empty, GST_RESOURCE_ERROR,
        GST_RESOURCE_ERROR_NOT_FOUND },
    { "chacha20poly1305enc passphrase-file=%s", "/nonexistent",
        GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND },
    { "chacha20poly1305enc recipients=age1xyz passphrase-file=%s", bad,
        GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS },
    { "chacha20poly1305enc work-factor=23 passphrase-file=%s", bad,
        GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS },
    { "chacha20poly1305enc work-factor=0 passphrase-file=%s", bad,
        GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS },
    { "chacha20poly1305dec max-work-factor=31 passphrase-file=%s", bad,
        GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS },
    { "chacha20poly1305dec identity-file=%s", "/nonexistent", GST_STREAM_ERROR,
        GST_STREAM_ERROR_DECRYPT_NOKEY },
    { "chacha20poly1305dec identity-file=%s", bad, GST_STREAM_ERROR,
        GST_STREAM_ERROR_DECRYPT_NOKEY },
    { "chacha20poly1305dec identity-file=%s", empty, GST_STREAM_ERROR,
        GST_STREAM_ERROR_DECRYPT_NOKEY },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    gchar **parts = g_strsplit (cases[i].line, "%s", 2);
    gchar *line = g_strconcat (parts[0], cases[i].file, parts[1], NULL);

    expect_no_start (line, cases[i].domain, cases[i].code);
    g_strfreev (parts);
    g_free (line);
  }
  remove_secret (bad);
  remove_secret (empty);
}

GST_END_TEST;

static GBytes *
give_bytes (GstElement *element, gpointer text)
{
  return g_bytes_new (text, strlen (text));
}

/* A recipients file that never ends is read within bounds. A secret key where a
 * public one belongs is refused without being shown. */
GST_START_TEST (test_bad_recipients)
{
  gchar *file = write_secret (IDENTITY "\n", -1);
  gchar *lines[] = {
    g_strdup ("chacha20poly1305enc recipients-file=/dev/zero"),
    g_strdup ("chacha20poly1305enc recipients=" IDENTITY),
    g_strdup ("chacha20poly1305enc recipients=" RECIPIENT "," IDENTITY),
    g_strdup_printf ("chacha20poly1305enc recipients-file=%s", file),
  };

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++) {
    GstElement *element = gst_parse_launch (lines[i], NULL);
    GstBus *bus = gst_bus_new ();
    GstMessage *message;
    GError *error;
    gchar *debug;

    gst_element_set_bus (element, bus);
    fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
        GST_STATE_CHANGE_FAILURE);
    message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
    fail_unless (message != NULL, "%s", lines[i]);
    gst_message_parse_error (message, &error, &debug);
    fail_unless (strstr (error->message, "SECRET") == NULL
            && (debug == NULL || strstr (debug, "SECRET") == NULL)
            && strstr (error->message, "1ZJ58") == NULL,
        "the secret key is shown");
    g_error_free (error);
    g_free (debug);
    gst_message_unref (message);
    fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL);
    gst_element_set_state (element, GST_STATE_NULL);
    gst_element_set_bus (element, NULL);
    gst_object_unref (bus);
    gst_object_unref (element);
    g_free (lines[i]);
  }
  remove_secret (file);
}

GST_END_TEST;

/* Others may read a file with a secret: a warning, and it is used. A file of
 * public keys is no secret. */
GST_START_TEST (test_exposed_files)
{
  gchar *identity = write_secret (IDENTITY "\n", -1);
  gchar *passphrase = write_secret ("correct horse battery staple\n", -1);
  gchar *recipients = write_secret (RECIPIENT "\n", -1);
  gchar *lines[] = {
    g_strdup_printf ("chacha20poly1305dec identity-file=%s", identity),
    g_strdup_printf ("chacha20poly1305enc work-factor=1 passphrase-file=%s",
        passphrase),
    g_strdup_printf ("chacha20poly1305enc recipients-file=%s", recipients),
  };
  gchar *const files[] = { identity, passphrase, recipients };
  Result sealed = encrypt ("", (const guint8 *) "bytes", 5, 0);

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++) {
    for (guint exposed = 0; exposed < 2; exposed++) {
      Result result;

      fail_unless_equals_int (g_chmod (files[i], exposed ? 0644 : 0600), 0);
      result = run_line (lines[i], NULL, sealed.out->data, sealed.out->len, 0);
      fail_unless (result.eos, "%s", lines[i]);
      fail_unless_equals_int (result.warnings, i < 2 ? exposed : 0);
      result_clear (&result);
    }
    g_free (lines[i]);
    remove_secret (files[i]);
  }
  result_clear (&sealed);
}

GST_END_TEST;

/* Secrets from an application, and what no file is. */
GST_START_TEST (test_requests)
{
  static const struct
  {
    const gchar *name, *signal, *answer;
  } cases[] = {
    { "chacha20poly1305dec", "request-identity", IDENTITY "\n" },
    { "chacha20poly1305dec", "request-passphrase", "a passphrase\n" },
    { "chacha20poly1305enc", "request-passphrase", "a passphrase\n" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GstElement *element = gst_element_factory_make (cases[i].name, NULL);

    gst_object_ref_sink (element);
    g_signal_connect (element, cases[i].signal, G_CALLBACK (give_bytes),
        (gpointer) cases[i].answer);
    fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
        GST_STATE_CHANGE_SUCCESS);
    gst_element_set_state (element, GST_STATE_NULL);
    gst_object_unref (element);
  }
}

GST_END_TEST;

/* A passphrase from the application is what the file is made with. */
GST_START_TEST (test_requested_passphrase)
{
  GstElement *enc = gst_element_factory_make ("chacha20poly1305enc", NULL);
  GByteArray *file = g_byte_array_new ();
  GstHarness *h;
  GstBuffer *buffer;
  Result opened;
  gchar *line;

  g_object_set (enc, "work-factor", 1, NULL);
  g_signal_connect (enc, "request-passphrase", G_CALLBACK (give_bytes),
      (gpointer) "correct horse battery staple\n");
  h = gst_harness_new_with_element (enc, "sink", "src");
  gst_object_unref (enc);
  gst_harness_set_src_caps_str (h, "application/x-edf");
  gst_harness_push (h, gst_buffer_new_memdup ("bytes", 5));
  gst_harness_push_event (h, gst_event_new_eos ());
  while ((buffer = gst_harness_try_pull (h)) != NULL) {
    GstMapInfo map;

    gst_buffer_map (buffer, &map, GST_MAP_READ);
    g_byte_array_append (file, map.data, (guint) map.size);
    gst_buffer_unmap (buffer, &map);
    gst_buffer_unref (buffer);
  }
  gst_harness_teardown (h);
  line = g_strdup_printf ("chacha20poly1305dec passphrase-file=%s",
      passphrase_file);
  opened = run_line (line, NULL, file->data, file->len, 0);
  expect_bytes (&opened, (const guint8 *) "bytes", 5);
  result_clear (&opened);
  g_free (line);
  g_byte_array_unref (file);
}

GST_END_TEST;

/* A muxer that goes back to patch its header: an error, and no final cell that
 * would call the file whole. */
GST_START_TEST (test_backward_segment)
{
  GstHarness *h =
      gst_harness_new_parse ("chacha20poly1305enc recipients=" RECIPIENT);
  GstBus *bus = gst_bus_new ();
  GByteArray *file = g_byte_array_new ();
  guint8 *data = test_bytes (100);
  GstSegment segment;
  GstMessage *message;
  GstBuffer *buffer;
  Result opened;

  gst_element_set_bus (h->element, bus);
  gst_harness_set_src_caps_str (h, "application/x-edf");
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  gst_harness_push (h, gst_buffer_new_memdup (data, 100));
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_unref (message);
  gst_harness_push (h, gst_buffer_new_memdup (data, 100));
  gst_harness_push_event (h, gst_event_new_eos ());
  while ((buffer = gst_harness_try_pull (h)) != NULL) {
    GstMapInfo map;

    gst_buffer_map (buffer, &map, GST_MAP_READ);
    g_byte_array_append (file, map.data, (guint) map.size);
    gst_buffer_unmap (buffer, &map);
    gst_buffer_unref (buffer);
  }
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
  opened = decrypt ("", file->data, file->len, 0);
  expect_any_error (&opened, data, 100);
  g_byte_array_unref (file);
  g_free (data);
}

GST_END_TEST;

/* What opening a header for a passphrase takes is in the bound, also when the
 * passphrase may come from the application. */
GST_START_TEST (test_estimate)
{
  const guint64 scrypt = G_GUINT64_CONSTANT (1024) << 20;
  const gchar *const properties[] = { NULL, "passphrase-file",
    "identity-file" };

  for (guint i = 0; i < G_N_ELEMENTS (properties); i++) {
    GstElement *dec = gst_element_factory_make ("chacha20poly1305dec", NULL);
    GstEegEstimate estimate;

    gst_object_ref_sink (dec);
    g_object_set (dec, "max-work-factor", 20, "threads", 2, NULL);
    if (properties[i] != NULL)
      g_object_set (dec, properties[i], "/nonexistent", NULL);
    fail_unless (gst_eeg_stage_estimate (GST_EEG_STAGE (dec), 1000, &estimate));
    fail_unless_equals_int (estimate.memory_bytes >= scrypt, i < 2);
    gst_object_unref (dec);
  }
}

GST_END_TEST;

/* Fresh randomness for each stream: no two headers share anything but the
 * version, after a flush, after EOS and after a restart. */
GST_START_TEST (test_fresh_header)
{
  GstHarness *h =
      gst_harness_new_parse ("chacha20poly1305enc recipients=" RECIPIENT);
  guint8 *shares[3];
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  for (guint i = 0; i < 3; i++) {
    GstBuffer *buffer;
    GstMapInfo map;

    if (i > 0) {
      gst_harness_push_event (h, gst_event_new_flush_start ());
      gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
      gst_harness_push_event (h, gst_event_new_segment (&segment));
    } else {
      gst_harness_set_src_caps_str (h, "application/x-edf");
    }
    gst_harness_push (h, gst_buffer_new_memdup ("bytes", 5));
    if (i == 1)
      gst_harness_push_event (h, gst_event_new_eos ());
    buffer = gst_harness_pull (h);
    gst_buffer_map (buffer, &map, GST_MAP_READ);
    fail_unless (map.size > 100);
    shares[i] = g_memdup2 (map.data, 80);
    gst_buffer_unmap (buffer, &map);
    gst_buffer_unref (buffer);
    while ((buffer = gst_harness_try_pull (h)) != NULL)
      gst_buffer_unref (buffer);
  }
  fail_unless (memcmp (shares[0], shares[1], 22) == 0);
  fail_unless (memcmp (shares[0] + 35, shares[1] + 35, 30) != 0);
  fail_unless (memcmp (shares[1] + 35, shares[2] + 35, 30) != 0);
  for (guint i = 0; i < 3; i++)
    g_free (shares[i]);
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
chacha20poly1305_suite (void)
{
  Suite *s = suite_create ("chacha20poly1305");
  TCase *tc = tcase_create ("general");

  identity_file = write_secret (IDENTITY "\n", -1);
  passphrase_file = write_secret ("correct horse battery staple\n", -1);
  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, 120);
  tcase_add_test (tc, test_round_trip);
  tcase_add_test (tc, test_same_bytes);
  tcase_add_test (tc, test_caps);
  tcase_add_test (tc, test_damage);
  tcase_add_test (tc, test_damaged_armor);
  tcase_add_test (tc, test_cells);
  tcase_add_test (tc, test_salvage);
  tcase_add_test (tc, test_kit);
  tcase_add_test (tc, test_passphrase);
  tcase_add_test (tc, test_bad_settings);
  tcase_add_test (tc, test_bad_recipients);
  tcase_add_test (tc, test_exposed_files);
  tcase_add_test (tc, test_requests);
  tcase_add_test (tc, test_requested_passphrase);
  tcase_add_test (tc, test_backward_segment);
  tcase_add_test (tc, test_estimate);
  tcase_add_test (tc, test_fresh_header);
  return s;
}

int
main (int argc, char **argv)
{
  Suite *s;
  int failed;

  gst_check_init (&argc, &argv);
  s = chacha20poly1305_suite ();
  failed = gst_check_run_suite (s, "chacha20poly1305", __FILE__);
  remove_secret (identity_file);
  remove_secret (passphrase_file);
  return failed;
}
