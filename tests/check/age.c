/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <gst/check/gstcheck.h>
#include <sodium.h>
#include <string.h>

#include "age-kit.h"
#include "age/age.h"

static EegAgeIdentities *
identities_from (const gchar *text)
{
  EegAeadSecret *file = eeg_aead_secret_new_copy (text, strlen (text));
  EegAgeIdentities *identities = NULL;
  gsize line;

  if (eeg_age_identities_parse (file, &identities, &line) != EEG_AGE_OK)
    identities = NULL;
  eeg_aead_secret_free (file);
  return identities;
}

/* Releases what verifies, as a reader of a whole file does. */
static EegAgeResult
open_file (const guint8 *data, gsize size, const EegAgeIdentities *identities,
    const EegAeadSecret *passphrase, guint8 *out, gsize *opened,
    gboolean *complete)
{
  static EegAgeHeader header;
  guint8 file_key[EEG_AGE_FILE_KEY_SIZE], key[EEG_AEAD_KEY_SIZE];
  EegAeadContext *context;
  EegAgeResult result;
  EegAeadPiece piece;
  EegAeadReader reader = { &piece, 1, 0 };
  bool ended;

  *opened = 0;
  *complete = FALSE;
  result = eeg_age_header_parse (&header, data, size);
  if (result != EEG_AGE_OK)
    return result;
  result = eeg_age_header_unwrap (&header, data, identities, passphrase,
      EEG_AGE_DEFAULT_MAX_WORK_FACTOR, file_key);
  if (result != EEG_AGE_OK)
    return result;
  data += header.size;
  size -= header.size;
  if (size < EEG_AGE_NONCE_SIZE)
    return EEG_AGE_OK;
  eeg_age_payload_key (file_key, data, key);
  data += EEG_AGE_NONCE_SIZE;
  size -= EEG_AGE_NONCE_SIZE;
  context =
      eeg_aead_context_new (EEG_AEAD_CHACHA20_POLY1305, EEG_AEAD_OPEN, NULL);
  eeg_aead_context_set_key (context, key);
  piece = (EegAeadPiece){ data, size };
  *complete =
      eeg_age_open (context, 0, TRUE, &reader, size, out, opened, &ended)
          == size
      && ended;
  eeg_aead_context_free (context);
  return EEG_AGE_OK;
}

static void
run_kit_file (const gchar *name, const KitFile *kit)
{
  EegAgeIdentities *identities;
  EegAeadSecret *passphrase = NULL;
  EegAgeResult result;
  guint8 *out;
  gsize opened;
  gboolean complete;
  gchar *sum;

  identities = identities_from (kit->identities);
  if (kit->passphrase != NULL)
    passphrase =
        eeg_aead_secret_new_copy (kit->passphrase, strlen (kit->passphrase));
  out = g_malloc (kit->size + 1);
  result = open_file (kit->file, kit->size, identities, passphrase, out,
      &opened, &complete);

  if (g_str_equal (kit->expect, "success")) {
    fail_unless (result == EEG_AGE_OK && complete, "%s: %s", name,
        eeg_age_result_text (result));
  } else if (g_str_equal (kit->expect, "payload failure")) {
    fail_unless (result == EEG_AGE_OK && !complete, "%s", name);
  } else if (g_str_equal (kit->expect, "no match")) {
    fail_unless (result == EEG_AGE_NO_MATCH || result == EEG_AGE_NEEDS_IDENTITY
            || result == EEG_AGE_NEEDS_PASSPHRASE,
        "%s: %s", name, eeg_age_result_text (result));
  } else if (g_str_equal (kit->expect, "header failure")) {
    fail_unless (result != EEG_AGE_OK && result != EEG_AGE_NO_MATCH, "%s: %s",
        name, eeg_age_result_text (result));
  } else {
    fail ("%s: expects '%s'", name, kit->expect);
  }

  sum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, out, opened);
  if (kit->payload != NULL) {
    fail_unless_equals_string (sum, kit->payload);
  } else {
    fail_unless_equals_int (opened, 0);
  }
  g_free (sum);
  g_free (out);
  eeg_aead_secret_free (passphrase);
  eeg_age_identities_free (identities);
}

GST_START_TEST (test_kit)
{
  kit_run_all (run_kit_file);
}

GST_END_TEST;

/* A key pair that age-keygen made. */
#define SECRET                                                                 \
  "AGE-SECRET-KEY-1ZJ58DFGQQRVPNFWSN7U9J329GQNWRGSGU00D6HY58RXAMYP6WQGQUUHXPK"
#define RECIPIENT                                                              \
  "age12dvv84m27vh388zw0kf33qgvss377c826j0gc3x7k5w7eh8psveqtq66r9"
/* and another */
#define OTHER_SECRET                                                           \
  "AGE-SECRET-KEY-1R6WAX79SQUYVW9DS3APMGGVFTPTRMTU4FPUNSF2YVF6E3ZEGRJ8SZG8L5N"
#define OTHER_RECIPIENT                                                        \
  "age1hwkuy5u00yyawkcy0layylw7lwmnyv4hw9ykjgpf4uh5fks7tyhqyhtl9z"

GST_START_TEST (test_keys)
{
  EegAgeRecipient recipient;
  EegAgeRecipients list = { .n_recipients = 0 };
  EegAgeIdentities *identities;
  gchar text[] = RECIPIENT;
  gchar secret[] = SECRET "\n";
  gchar *lower;
  gsize item;

  fail_unless (eeg_age_recipient_parse (&recipient, text, strlen (text)));
  identities = identities_from ("# created: today\r\n\r\n" SECRET "\r\n\n"
                                "# another\n" OTHER_SECRET);
  fail_unless (identities != NULL);
  fail_unless_equals_int (identities->n_identities, 2);
  fail_unless (memcmp (&identities->identities[0].recipient, &recipient,
                   sizeof recipient)
      == 0);
  eeg_age_identities_free (identities);

  /* any changed character, and any other length */
  for (gsize i = 0; i < strlen (text); i++) {
    text[i] ^= 1;
    fail_if (eeg_age_recipient_parse (&recipient, text, strlen (text)));
    text[i] ^= 1;
    fail_if (eeg_age_recipient_parse (&recipient, text, i));
  }
  for (gsize i = 0; i + 1 < strlen (secret); i++) {
    secret[i] ^= 1;
    fail_unless (identities_from (secret) == NULL);
    secret[i] ^= 1;
  }
  /* the other case is another kind of text */
  lower = g_ascii_strup (RECIPIENT, -1);
  fail_if (eeg_age_recipient_parse (&recipient, lower, strlen (lower)));
  g_free (lower);
  lower = g_ascii_strdown (SECRET, -1);
  fail_unless (identities_from (lower) == NULL);
  g_free (lower);
  fail_unless (identities_from (RECIPIENT) == NULL);
  fail_if (eeg_age_recipient_parse (&recipient, SECRET, strlen (SECRET)));

  fail_unless_equals_int (eeg_age_recipients_parse (&list,
                              " " RECIPIENT " , " OTHER_RECIPIENT,
                              strlen (" " RECIPIENT " , " OTHER_RECIPIENT), ',',
                              &item),
      EEG_AGE_OK);
  fail_unless_equals_int (list.n_recipients, 2);
  fail_unless_equals_int (eeg_age_recipients_parse (&list,
                              "#c\n" RECIPIENT "\n\nssh-ed25519 AAAA\n",
                              strlen (
                                  "#c\n" RECIPIENT "\n\nssh-ed25519 AAAA\n"),
                              '\n', &item),
      EEG_AGE_BAD_KEY_FILE);
  fail_unless_equals_int (item, 4);
  fail_unless_equals_int (eeg_age_recipients_parse (&list, RECIPIENT ",",
                              strlen (RECIPIENT ","), ',', &item),
      EEG_AGE_OK);
  fail_unless_equals_int (eeg_age_recipients_parse (&list, ",", 1, ',', &item),
      EEG_AGE_BAD_KEY_FILE);
  list.n_recipients = EEG_AGE_MAX_KEYS;
  fail_unless_equals_int (eeg_age_recipients_parse (&list, RECIPIENT,
                              strlen (RECIPIENT), ',', &item),
      EEG_AGE_TOO_MANY_KEYS);
}

GST_END_TEST;

static EegAgeResult
identities_result (const gchar *text)
{
  EegAeadSecret *file = eeg_aead_secret_new_copy (text, strlen (text));
  EegAgeIdentities *identities;
  gsize line;
  EegAgeResult result = eeg_age_identities_parse (file, &identities, &line);

  if (result == EEG_AGE_OK)
    eeg_age_identities_free (identities);
  eeg_aead_secret_free (file);
  return result;
}

static EegAgeResult
passphrase_result (const gchar *text, gsize size, const gchar *expected)
{
  EegAeadSecret *file = eeg_aead_secret_new_copy (text, size);
  EegAeadSecret *passphrase;
  EegAgeResult result = eeg_age_passphrase_parse (file, &passphrase);

  if (result == EEG_AGE_OK) {
    fail_unless_equals_int (passphrase->size, strlen (expected));
    fail_unless (memcmp (passphrase->data, expected, passphrase->size) == 0);
    eeg_aead_secret_free (passphrase);
  }
  eeg_aead_secret_free (file);
  return result;
}

GST_START_TEST (test_key_files)
{
  GString *many = g_string_new (NULL);

  for (guint i = 0; i <= EEG_AGE_MAX_KEYS; i++)
    g_string_append (many, SECRET "\n");
  fail_unless_equals_int (identities_result (""), EEG_AGE_NO_KEYS);
  fail_unless_equals_int (identities_result ("# nothing\n"), EEG_AGE_NO_KEYS);
  fail_unless_equals_int (identities_result ("x\n"), EEG_AGE_BAD_KEY_FILE);
  fail_unless_equals_int (identities_result (SECRET " x"),
      EEG_AGE_BAD_KEY_FILE);
  fail_unless_equals_int (identities_result (many->str), EEG_AGE_TOO_MANY_KEYS);
  fail_unless_equals_int (identities_result (
                              "age-encryption.org/v1\n-> scrypt"),
      EEG_AGE_ENCRYPTED_KEY_FILE);
  fail_unless_equals_int (identities_result (
                              "-----BEGIN AGE ENCRYPTED FILE-----\nAAAA"),
      EEG_AGE_ENCRYPTED_KEY_FILE);
  g_string_free (many, TRUE);

  fail_unless_equals_int (passphrase_result ("a b", 3, "a b"), EEG_AGE_OK);
  fail_unless_equals_int (passphrase_result ("a\n", 2, "a"), EEG_AGE_OK);
  fail_unless_equals_int (passphrase_result ("a\r\n", 3, "a"), EEG_AGE_OK);
  fail_unless_equals_int (passphrase_result ("", 0, ""),
      EEG_AGE_BAD_PASSPHRASE);
  fail_unless_equals_int (passphrase_result ("\n", 1, ""),
      EEG_AGE_BAD_PASSPHRASE);
  fail_unless_equals_int (passphrase_result ("a\nb\n", 4, ""),
      EEG_AGE_BAD_PASSPHRASE);
  fail_unless_equals_int (passphrase_result ("a\0b", 3, ""),
      EEG_AGE_BAD_PASSPHRASE);
}

GST_END_TEST;

/* Several recipients: each identity alone opens, no other does, and a change
 * of any byte is noticed. */
GST_START_TEST (test_header)
{
  EegAgeRecipients list = { .n_recipients = 0 };
  guint8 file_key[EEG_AGE_FILE_KEY_SIZE], got[EEG_AGE_FILE_KEY_SIZE];
  guint8 data[512];
  EegAgeHeader *header = g_new0 (EegAgeHeader, 1);
  EegAgeIdentities *one = identities_from (SECRET);
  EegAgeIdentities *two = identities_from (OTHER_SECRET);
  EegAgeIdentities *none = identities_from (
      "AGE-SECRET-KEY-143WN7DCXU4G8R5AXQSSYD9AEPYDNT3HXSLWSPK36CDU6E8M59SSSA"
      "GZ3KG");
  gsize item, size;

  fail_unless_equals_int (eeg_age_header_size (1), 168);
  fail_unless_equals_int (eeg_age_header_write (&list, file_key, data), 0);
  eeg_age_recipients_parse (&list, RECIPIENT "," OTHER_RECIPIENT,
      strlen (RECIPIENT "," OTHER_RECIPIENT), ',', &item);
  eeg_age_random (file_key, sizeof file_key);
  size = eeg_age_header_write (&list, file_key, data);
  fail_unless_equals_int (size, eeg_age_header_size (2));

  for (gsize n = 0; n < size; n++)
    fail_unless_equals_int (eeg_age_header_parse (header, data, n),
        EEG_AGE_MORE);
  memset (data + size, 'x', sizeof data - size);
  fail_unless_equals_int (eeg_age_header_parse (header, data, sizeof data),
      EEG_AGE_OK);
  fail_unless_equals_int (header->size, size);
  fail_unless_equals_int (header->n_stanzas, 2);

  fail_unless_equals_int (eeg_age_header_unwrap (header, data, one, NULL, 22,
                              got),
      EEG_AGE_OK);
  fail_unless (memcmp (got, file_key, sizeof got) == 0);
  fail_unless_equals_int (eeg_age_header_unwrap (header, data, two, NULL, 22,
                              got),
      EEG_AGE_OK);
  fail_unless (memcmp (got, file_key, sizeof got) == 0);
  fail_unless_equals_int (eeg_age_header_unwrap (header, data, none, NULL, 22,
                              got),
      EEG_AGE_NO_MATCH);
  fail_unless_equals_int (eeg_age_header_unwrap (header, data, NULL, NULL, 22,
                              got),
      EEG_AGE_NEEDS_IDENTITY);

  for (gsize i = 0; i < size; i++) {
    for (gint bit = 1; bit < 0x100; bit <<= 1) {
      EegAgeResult result;

      data[i] ^= bit;
      result = eeg_age_header_parse (header, data, size);
      if (result == EEG_AGE_OK)
        result = eeg_age_header_unwrap (header, data, one, NULL, 22, got);
      fail_unless (result != EEG_AGE_OK, "byte %d, bit %d", (gint) i, bit);
      data[i] ^= bit;
    }
  }

  /* a recipient whose shared secrets are all zero */
  memset (&list.recipients[1], 0, sizeof list.recipients[1]);
  fail_unless_equals_int (eeg_age_header_write (&list, file_key, data), 0);

  eeg_age_identities_free (one);
  eeg_age_identities_free (two);
  eeg_age_identities_free (none);
  g_free (header);
}

GST_END_TEST;

GST_START_TEST (test_passphrase_header)
{
  guint8 file_key[EEG_AGE_FILE_KEY_SIZE] = { 1 }, got[EEG_AGE_FILE_KEY_SIZE];
  guint8 data[EEG_AGE_PASSPHRASE_HEADER_SIZE];
  EegAgeHeader *header = g_new0 (EegAgeHeader, 1);
  EegAeadSecret *passphrase = eeg_aead_secret_new_copy ("secret", 6);
  EegAeadSecret *wrong = eeg_aead_secret_new_copy ("Secret", 6);
  gsize size = eeg_age_header_write_passphrase (passphrase, 10, file_key, data);

  fail_unless_equals_int (size, sizeof data);
  fail_unless_equals_int (eeg_age_header_parse (header, data, size),
      EEG_AGE_OK);
  fail_unless_equals_int (header->stanzas[0].work_factor, 10);
  fail_unless_equals_int (eeg_age_header_unwrap (header, data, NULL, passphrase,
                              10, got),
      EEG_AGE_OK);
  fail_unless (memcmp (got, file_key, sizeof got) == 0);
  fail_unless_equals_int (eeg_age_header_unwrap (header, data, NULL, wrong, 22,
                              got),
      EEG_AGE_NO_MATCH);
  fail_unless_equals_int (eeg_age_header_unwrap (header, data, NULL, passphrase,
                              9, got),
      EEG_AGE_WORK_FACTOR_TOO_LARGE);
  fail_unless_equals_int (eeg_age_header_unwrap (header, data, NULL, NULL, 22,
                              got),
      EEG_AGE_NEEDS_PASSPHRASE);
  eeg_aead_secret_free (passphrase);
  eeg_aead_secret_free (wrong);
  g_free (header);
}

GST_END_TEST;

static EegAgeResult
parse_text (const gchar *text)
{
  EegAgeHeader *header = g_new0 (EegAgeHeader, 1);
  EegAgeResult result =
      eeg_age_header_parse (header, (const guint8 *) text, strlen (text));

  g_free (header);
  return result;
}

#define V "age-encryption.org/v1\n"
#define B32 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define B16 "AAAAAAAAAAAAAAAAAAAAAA"
#define B64 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define END "--- " B32 "\n"

GST_START_TEST (test_header_limits)
{
  GString *text = g_string_new (V);

  fail_unless_equals_int (parse_text (""), EEG_AGE_MORE);
  fail_unless_equals_int (parse_text ("age-"), EEG_AGE_MORE);
  fail_unless_equals_int (parse_text ("age_"), EEG_AGE_NOT_AGE);
  fail_unless_equals_int (parse_text ("age-encryption.org/v2\n"),
      EEG_AGE_NOT_AGE);
  fail_unless_equals_int (parse_text (V END), EEG_AGE_BAD_HEADER);
  fail_unless_equals_int (parse_text (V "-> a\n\n" END), EEG_AGE_OK);
  fail_unless_equals_int (parse_text (V "-> a b\n" B64 "\n\n" END), EEG_AGE_OK);
  fail_unless_equals_int (parse_text (V "-> a\n" B64 "A\n\n" END),
      EEG_AGE_BAD_HEADER);
  fail_unless_equals_int (parse_text (V "-> a\n" B64 "A"), EEG_AGE_BAD_HEADER);
  fail_unless_equals_int (parse_text (V "-> \n\n" END), EEG_AGE_BAD_HEADER);
  fail_unless_equals_int (parse_text (V "-> a \n\n" END), EEG_AGE_BAD_HEADER);
  fail_unless_equals_int (parse_text (V "->  a\n\n" END), EEG_AGE_BAD_HEADER);
  fail_unless_equals_int (parse_text (V "->\n\n" END), EEG_AGE_BAD_HEADER);
  fail_unless_equals_int (parse_text (V "-> a\n\nx\n" END), EEG_AGE_BAD_HEADER);
  fail_unless_equals_int (parse_text (V "-> X25519 " B32 "\n" B32 "\n" END),
      EEG_AGE_OK);
  fail_unless_equals_int (parse_text (
                              V "-> X25519 " B32 "\n" B64 "\n" B32 "\n" END),
      EEG_AGE_BAD_HEADER);
  fail_unless_equals_int (parse_text (V "-> X25519\n" B32 "\n" END),
      EEG_AGE_BAD_HEADER);
  fail_unless_equals_int (parse_text (V "-> scrypt " B16 " 10\n" B32 "\n" END),
      EEG_AGE_OK);
  fail_unless_equals_int (parse_text (V "-> scrypt " B16
                                        " 99999999999999999999\n" B32 "\n" END),
      EEG_AGE_OK);
  fail_unless_equals_int (parse_text (V "-> scrypt " B16 " 010\n" B32 "\n" END),
      EEG_AGE_BAD_HEADER);
  fail_unless_equals_int (parse_text (V "-> scrypt " B16 " +1\n" B32 "\n" END),
      EEG_AGE_BAD_HEADER);
  fail_unless_equals_int (parse_text (V "-> scrypt " B16 " 10\n" B32 "\n"
                                        "-> a\n\n" END),
      EEG_AGE_BAD_HEADER);

  for (guint i = 0; i < EEG_AGE_MAX_STANZAS; i++)
    g_string_append (text, "-> a\n\n");
  g_string_append (text, END);
  fail_unless_equals_int (parse_text (text->str), EEG_AGE_OK);
  g_string_insert (text, strlen (V), "-> a\n\n");
  fail_unless_equals_int (parse_text (text->str), EEG_AGE_HEADER_TOO_BIG);

  /* a body without an end, and a line without one */
  g_string_assign (text, V "-> a\n");
  while (text->len < EEG_AGE_MAX_HEADER_SIZE)
    g_string_append (text, B64 "\n");
  fail_unless_equals_int (parse_text (text->str), EEG_AGE_HEADER_TOO_BIG);
  g_string_assign (text, V);
  while (text->len < EEG_AGE_MAX_HEADER_SIZE)
    g_string_append (text, "-> aaaaaaaaaa");
  fail_unless_equals_int (parse_text (text->str), EEG_AGE_HEADER_TOO_BIG);
  g_string_free (text, TRUE);
}

GST_END_TEST;

/* Cells, in one go and in batches, around the cell size; a file cut anywhere
 * near a border is none. */
GST_START_TEST (test_cells)
{
  static const gsize sizes[] = { 0, 1, 65535, 65536, 65537, 131072, 200000 };
  const gsize max = 200000 + 4 * 16;
  guint8 *plain = g_malloc (max), *sealed = g_malloc (max);
  guint8 *out = g_malloc (max), key[32] = { 3 };
  EegAeadContext *seal =
      eeg_aead_context_new (EEG_AEAD_CHACHA20_POLY1305, EEG_AEAD_SEAL, NULL);
  EegAeadContext *open =
      eeg_aead_context_new (EEG_AEAD_CHACHA20_POLY1305, EEG_AEAD_OPEN, NULL);
  EegAeadPiece piece;
  EegAeadReader reader;
  gsize n, got, done;
  bool ended;

  eeg_aead_context_set_key (seal, key);
  eeg_aead_context_set_key (open, key);
  for (gsize i = 0; i < max; i++)
    plain[i] = i * 31 >> 3;

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    guint64 expected;

    fail_unless (eeg_age_sealed_size (sizes[i], &expected));
    piece = (EegAeadPiece){ plain, sizes[i] };
    reader = (EegAeadReader){ &piece, 1, 0 };
    n = eeg_age_seal (seal, 0, TRUE, &reader, sizes[i], sealed);
    fail_unless_equals_uint64 (n, expected);

    for (gsize cut = 0; cut <= 40 && cut <= n; cut++) {
      piece = (EegAeadPiece){ sealed, n - cut };
      reader = (EegAeadReader){ &piece, 1, 0 };
      done = eeg_age_open (open, 0, TRUE, &reader, n - cut, out, &got, &ended);
      fail_unless_equals_int (eeg_aead_reader_size (&reader), n - cut - done);
      if (cut == 0) {
        fail_unless (done == n && got == sizes[i] && ended);
      } else {
        fail_unless (done < n - cut || !ended);
      }
      fail_unless (memcmp (out, plain, got) == 0);
    }
    /* the end is missing */
    piece = (EegAeadPiece){ sealed, n };
    reader = (EegAeadReader){ &piece, 1, 0 };
    done = eeg_age_open (open, 0, FALSE, &reader, n, out, &got, &ended);
    fail_unless (done < n || ended);

    if (sizes[i] > EEG_AGE_CELL_SIZE) {
      piece = (EegAeadPiece){ plain, sizes[i] };
      reader = (EegAeadReader){ &piece, 1, 0 };
      done = eeg_age_seal (seal, 0, FALSE, &reader, EEG_AGE_CELL_SIZE, out);
      fail_unless_equals_int (done, EEG_AGE_SEALED_CELL_SIZE);
      done += eeg_age_seal (seal, 1, TRUE, &reader,
          sizes[i] - EEG_AGE_CELL_SIZE, out + done);
      fail_unless_equals_int (done, n);
      fail_unless (memcmp (out, sealed, n) == 0);
    }
  }

  /* not whole, and an empty cell at the end */
  piece = (EegAeadPiece){ plain, 100 };
  reader = (EegAeadReader){ &piece, 1, 0 };
  fail_unless_equals_int (eeg_age_seal (seal, 0, FALSE, &reader, 100, out), 0);
  fail_unless_equals_int (eeg_age_seal (seal, 1, TRUE, &reader, 0, out), 0);
  /* a counter beyond 32 bits */
  n = eeg_age_seal (seal, G_GUINT64_CONSTANT (1) << 40, TRUE, &reader, 100,
      sealed);
  piece = (EegAeadPiece){ sealed, n };
  reader = (EegAeadReader){ &piece, 1, 0 };
  fail_unless_equals_int (eeg_age_open (open, 0, TRUE, &reader, n, out, &got,
                              &ended),
      0);
  fail_unless_equals_int (eeg_age_open (open, G_GUINT64_CONSTANT (1) << 40,
                              TRUE, &reader, n, out, &got, &ended),
      n);

  eeg_aead_context_free (seal);
  eeg_aead_context_free (open);
  g_free (plain);
  g_free (sealed);
  g_free (out);
}

GST_END_TEST;

#define ARMOR_BEGIN "-----BEGIN AGE ENCRYPTED FILE-----"
#define ARMOR_END "-----END AGE ENCRYPTED FILE-----"

/* Decodes in steps of @step bytes; -1 for an error. */
static gssize
dearmor (const gchar *text, gsize step, guint8 *out, gsize capacity)
{
  EegAgeArmor armor = { 0 };
  gsize size = strlen (text), position = 0, total = 0;

  while (position < size) {
    gsize n = MIN (step, size - position), consumed, produced;

    if (!eeg_age_armor_decode (&armor, (const guint8 *) text + position, n,
            &consumed, out + total, capacity - total, &produced))
      return -1;
    position += consumed;
    total += produced;
  }
  return eeg_age_armor_finish (&armor) ? (gssize) total : -1;
}

GST_START_TEST (test_armor)
{
  static const struct
  {
    const gchar *text;
    gssize size;
  } cases[] = {
    { ARMOR_BEGIN "\nYWJj\n" ARMOR_END "\n", 3 },
    { ARMOR_BEGIN "\nYWJj\n" ARMOR_END, 3 },
    { ARMOR_BEGIN "\r\nYWJj\r\n" ARMOR_END "\r\n", 3 },
    { " \t\r\n\n" ARMOR_BEGIN "\nYWI=\n" ARMOR_END "\n \n\t", 2 },
    { ARMOR_BEGIN "\n" B64 "\n" ARMOR_END "\n", 48 },
    { ARMOR_BEGIN "\n" B64 "\nYQ==\n" ARMOR_END "\n", 49 },
    { ARMOR_BEGIN "\n" ARMOR_END "\n", 0 },
    { "", -1 },
    { ARMOR_BEGIN, -1 },
    { ARMOR_BEGIN "\nYWJj\n", -1 },
    { ARMOR_BEGIN "\nYWJj\n" ARMOR_END "x", -1 },
    { ARMOR_BEGIN "\nYWJj\n" ARMOR_END "\nx", -1 },
    { ARMOR_BEGIN " \nYWJj\n" ARMOR_END "\n", -1 },
    { ARMOR_BEGIN "\nYWJj \n" ARMOR_END "\n", -1 },
    { ARMOR_BEGIN "\n YWJj\n" ARMOR_END "\n", -1 },
    { ARMOR_BEGIN "\n\nYWJj\n" ARMOR_END "\n", -1 },
    { ARMOR_BEGIN "\nYWJj\n\n" ARMOR_END "\n", -1 },
    { ARMOR_BEGIN "\nYWJj\nYWJj\n" ARMOR_END "\n", -1 },
    { ARMOR_BEGIN "\nYWJ\n" ARMOR_END "\n", -1 },
    { ARMOR_BEGIN "\nYWJ=\n" ARMOR_END "\n", -1 },
    { ARMOR_BEGIN "\nYW\r=\n" ARMOR_END "\n", -1 },
    { ARMOR_BEGIN "\n" B64 "AAAA\n" ARMOR_END "\n", -1 },
    { ARMOR_BEGIN "\nVersion: 1\nYWJj\n" ARMOR_END "\n", -1 },
    { "-----BEGIN AGE encrypted FILE-----\nYWJj\n" ARMOR_END "\n", -1 },
    { ARMOR_BEGIN "\nYWJj\n-----END PGP MESSAGE-----\n", -1 },
    { ARMOR_BEGIN "\nYWJj\n=AAAA\n" ARMOR_END "\n", -1 },
  };
  guint8 out[200];

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    for (gsize step = 1; step < 90; step += 11) {
      gssize size = dearmor (cases[i].text, step, out, sizeof out);

      fail_unless (size == cases[i].size, "case %u: %d", i, (int) size);
    }
  }
  fail_unless_equals_int (dearmor (cases[0].text, 100, out, sizeof out), 3);
  fail_unless (memcmp (out, "abc", 3) == 0);

  fail_unless_equals_int (eeg_age_armor_detect ((const guint8 *) "", 0), -1);
  fail_unless_equals_int (eeg_age_armor_detect ((const guint8 *) " \n--", 4),
      -1);
  fail_unless_equals_int (eeg_age_armor_detect ((const guint8 *) " x", 2), 0);
  fail_unless_equals_int (eeg_age_armor_detect ((const guint8 *) ARMOR_BEGIN,
                              strlen (ARMOR_BEGIN)),
      1);
  {
    guint8 *space = g_malloc (EEG_AGE_ARMOR_MAX_SPACE + 1);

    memset (space, ' ', EEG_AGE_ARMOR_MAX_SPACE + 1);
    fail_unless_equals_int (eeg_age_armor_detect (space,
                                EEG_AGE_ARMOR_MAX_SPACE),
        -1);
    fail_unless_equals_int (eeg_age_armor_detect (space,
                                EEG_AGE_ARMOR_MAX_SPACE + 1),
        0);
    g_free (space);
  }
}

GST_END_TEST;

static Suite *
age_suite (void)
{
  Suite *suite = suite_create ("age");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_kit);
  tcase_add_test (tc, test_keys);
  tcase_add_test (tc, test_key_files);
  tcase_add_test (tc, test_header);
  tcase_add_test (tc, test_passphrase_header);
  tcase_add_test (tc, test_header_limits);
  tcase_add_test (tc, test_cells);
  tcase_add_test (tc, test_armor);
  return suite;
}

int
main (int argc, char **argv)
{
  gst_check_init (&argc, &argv);
  if (!eeg_aead_init ())
    return 1;
  return gst_check_run_suite (age_suite (), "age", __FILE__);
}
