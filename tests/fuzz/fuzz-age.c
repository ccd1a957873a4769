/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * age: the input is read as a header and payload, as armor, as key files and as
 * a passphrase file.
 */

#include <stdlib.h>
#include <string.h>

#include "age/age.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);
int LLVMFuzzerInitialize (int *argc, char ***argv);

static EegAgeIdentities *identities;
static EegAeadSecret *passphrase;

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  /* the public key of the test kit */
  static const char secret[] =
      "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2"
      "LM0";
  EegAeadSecret *file;
  size_t line;

  if (!eeg_aead_init ())
    abort ();
  file = eeg_aead_secret_new_copy (secret, sizeof secret - 1);
  passphrase = eeg_aead_secret_new_copy ("password", 8);
  if (eeg_age_identities_parse (file, &identities, &line) != EEG_AGE_OK)
    abort ();
  eeg_aead_secret_free (file);
  return 0;
}

static void
read_payload (const uint8_t *file_key, const uint8_t *data, size_t size)
{
  EegAeadContext *context =
      eeg_aead_context_new (EEG_AEAD_CHACHA20_POLY1305, EEG_AEAD_OPEN, NULL);
  EegAeadPiece piece;
  EegAeadReader reader = { &piece, 1, 0 };
  uint8_t key[EEG_AEAD_KEY_SIZE], *out;
  size_t opened, done;
  bool ended;

  if (size >= EEG_AGE_NONCE_SIZE) {
    eeg_age_payload_key (file_key, data, key);
    piece.data = data + EEG_AGE_NONCE_SIZE;
    piece.size = size - EEG_AGE_NONCE_SIZE;
    out = malloc (piece.size + 1);
    eeg_aead_context_set_key (context, key);
    done = eeg_age_open (context, 0, true, &reader, piece.size, out, &opened,
        &ended);
    if (done > piece.size || opened > done)
      abort ();
    free (out);
  }
  eeg_aead_context_free (context);
}

static void
read_file (const uint8_t *data, size_t size)
{
  static EegAgeHeader header;
  uint8_t file_key[EEG_AGE_FILE_KEY_SIZE];
  EegAgeResult result = eeg_age_header_parse (&header, data, size);

  if (result != EEG_AGE_OK)
    return;
  if (header.size > size || header.mac_size >= header.size
      || header.n_stanzas < 1 || header.n_stanzas > EEG_AGE_MAX_STANZAS)
    abort ();
  /* fewer bytes are never enough */
  if (eeg_age_header_parse (&header, data, header.size - 1) != EEG_AGE_MORE)
    abort ();
  eeg_age_header_parse (&header, data, size);
  if (eeg_age_header_unwrap (&header, data, identities, passphrase, 10,
          file_key)
      == EEG_AGE_OK)
    read_payload (file_key, data + header.size, size - header.size);
}

/* -1 for an error, else the size. */
static long
dearmor (const uint8_t *data, size_t size, size_t step, uint8_t *out)
{
  EegAgeArmor armor = { 0 };
  size_t position = 0, total = 0;

  while (position < size) {
    size_t n = size - position < step ? size - position : step;
    size_t consumed, produced;

    if (!eeg_age_armor_decode (&armor, data + position, n, &consumed,
            out + total, size + EEG_AGE_ARMOR_BYTES - total, &produced))
      return -1;
    if (consumed == 0)
      abort ();
    position += consumed;
    total += produced;
  }
  return eeg_age_armor_finish (&armor) ? (long) total : -1;
}

static void
read_armor (const uint8_t *data, size_t size)
{
  uint8_t *out = malloc (size + EEG_AGE_ARMOR_BYTES);
  uint8_t *again = malloc (size + EEG_AGE_ARMOR_BYTES);
  long n = dearmor (data, size, size, out);

  if (n >= 0 && eeg_age_armor_detect (data, size) != 1)
    abort ();
  if (dearmor (data, size, 7, again) != n
      || (n > 0 && memcmp (out, again, n) != 0))
    abort ();
  if (n > 0)
    read_file (out, n);
  free (out);
  free (again);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  EegAgeRecipients *recipients = calloc (1, sizeof *recipients);
  EegAgeIdentities *keys;
  EegAeadSecret *file, *line;
  size_t item;

  read_file (data, size);
  read_armor (data, size);
  eeg_age_recipients_parse (recipients, (const char *) data, size, '\n', &item);
  recipients->n_recipients = 0;
  eeg_age_recipients_parse (recipients, (const char *) data, size, ',', &item);
  if (recipients->n_recipients > EEG_AGE_MAX_KEYS)
    abort ();
  free (recipients);

  file = eeg_aead_secret_new_copy (data, size);
  if (eeg_age_identities_parse (file, &keys, &item) == EEG_AGE_OK)
    eeg_age_identities_free (keys);
  if (eeg_age_passphrase_parse (file, &line) == EEG_AGE_OK)
    eeg_aead_secret_free (line);
  eeg_aead_secret_free (file);
  return 0;
}
