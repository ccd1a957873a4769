/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "age.h"

#include <sodium.h>
#include <string.h>

#include "bech32.h"

bool
eeg_age_recipient_parse (EegAgeRecipient *recipient, const char *text,
    size_t size)
{
  return eeg_age_bech32_decode ("age", text, size, recipient->key);
}

static bool
is_space (char c)
{
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The next item of a text, which ends at @separator, without white space
 * around it; false at the end of the text. */
static bool
next_item (const char **text, const char *end, char separator,
    const char **item, size_t *size)
{
  const char *stop;

  if (*text == NULL || *text == end)
    return false;
  stop = memchr (*text, separator, end - *text);
  if (stop == NULL)
    stop = end;
  *item = *text;
  *text = stop < end ? stop + 1 : end;
  while (*item < stop && is_space (**item))
    (*item)++;
  while (*item < stop && is_space (stop[-1]))
    stop--;
  *size = stop - *item;
  return true;
}

EegAgeResult
eeg_age_recipients_parse (EegAgeRecipients *recipients, const char *text,
    size_t size, char separator, size_t *item)
{
  const char *end = text + size, *p;
  size_t n;

  *item = 0;
  while (next_item (&text, end, separator, &p, &n)) {
    (*item)++;
    if (separator == '\n' && (n == 0 || *p == '#'))
      continue;
    if (recipients->n_recipients == EEG_AGE_MAX_KEYS)
      return EEG_AGE_TOO_MANY_KEYS;
    if (!eeg_age_recipient_parse (&recipients
                                       ->recipients[recipients->n_recipients],
            p, n))
      return EEG_AGE_BAD_KEY_FILE;
    recipients->n_recipients++;
  }
  return EEG_AGE_OK;
}

static bool
is_encrypted (const EegAeadSecret *file)
{
  static const char magic[] = "age-encryption.org/";
  size_t size = sizeof magic - 1;

  return (file->size >= size && memcmp (file->data, magic, size) == 0)
      || eeg_age_armor_detect (file->data, file->size) == 1;
}

static EegAgeResult
parse_identities (const EegAeadSecret *file, EegAgeIdentities *identities,
    size_t *line)
{
  const char *text = (const char *) file->data, *p;
  const char *end = text + file->size;
  size_t n;

  *line = 0;
  while (next_item (&text, end, '\n', &p, &n)) {
    EegAgeIdentity *identity =
        &identities->identities[identities->n_identities];

    (*line)++;
    if (n == 0 || *p == '#')
      continue;
    if (identities->n_identities == EEG_AGE_MAX_KEYS)
      return EEG_AGE_TOO_MANY_KEYS;
    if (!eeg_age_bech32_decode ("AGE-SECRET-KEY-", p, n, identity->secret))
      return EEG_AGE_BAD_KEY_FILE;
    if (crypto_scalarmult_base (identity->recipient.key, identity->secret) != 0)
      return EEG_AGE_BAD_KEY_FILE;
    identities->n_identities++;
  }
  return identities->n_identities > 0 ? EEG_AGE_OK : EEG_AGE_NO_KEYS;
}

EegAgeResult
eeg_age_identities_parse (const EegAeadSecret *file, EegAgeIdentities **out,
    size_t *line)
{
  EegAgeIdentities *identities;
  EegAgeResult result;

  *line = 0;
  if (is_encrypted (file))
    return EEG_AGE_ENCRYPTED_KEY_FILE;
  identities = sodium_allocarray (1, sizeof *identities);
  if (identities == NULL)
    return EEG_AGE_NO_MEMORY;
  memset (identities, 0, sizeof *identities);
  result = parse_identities (file, identities, line);
  if (result == EEG_AGE_OK)
    *out = identities;
  else
    sodium_free (identities);
  return result;
}

void
eeg_age_identities_free (EegAgeIdentities *identities)
{
  sodium_free (identities);
}

EegAgeResult
eeg_age_passphrase_parse (const EegAeadSecret *file, EegAeadSecret **passphrase)
{
  size_t size = file->size;

  if (size > 0 && file->data[size - 1] == '\n')
    size--;
  if (size < file->size && size > 0 && file->data[size - 1] == '\r')
    size--;
  /* what nobody can type at a prompt is a mistake */
  if (size == 0 || memchr (file->data, '\n', size) != NULL
      || memchr (file->data, '\0', size) != NULL)
    return EEG_AGE_BAD_PASSPHRASE;
  *passphrase = eeg_aead_secret_new_copy (file->data, size);
  return *passphrase != NULL ? EEG_AGE_OK : EEG_AGE_NO_MEMORY;
}
