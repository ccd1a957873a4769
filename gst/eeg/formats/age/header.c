/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "age.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "aead/base64.h"
#include "aead/hkdf.h"

#define VERSION_LINE "age-encryption.org/v1\n"
#define X25519_INFO "age-encryption.org/v1/X25519"
#define SCRYPT_LABEL "age-encryption.org/v1/scrypt"
#define BODY_COLUMNS 64u
#define SALT_SIZE 16u
#define WRAPPED_SIZE (EEG_AGE_FILE_KEY_SIZE + EEG_AEAD_TAG_SIZE)

/* base64 of 16 and 32 bytes, without padding */
#define BASE64_16 22u
#define BASE64_32 43u

#define X25519_STANZA_SIZE                                                     \
  (sizeof "-> X25519 " - 1 + BASE64_32 + 1 + BASE64_32 + 1)
#define MAC_LINE_SIZE (sizeof "--- " - 1 + BASE64_32 + 1)

static const uint8_t zero_nonce[EEG_AEAD_NONCE_SIZE];

/*
 * Keys
 */

static void
hkdf (const uint8_t *ikm, size_t ikm_size, const uint8_t *salt,
    size_t salt_size, const char *info, uint8_t key[32])
{
  eeg_aead_hkdf_sha256 (ikm, ikm_size, salt, salt_size, (const uint8_t *) info,
      strlen (info), key, 32);
}

static void
header_mac (const uint8_t file_key[EEG_AGE_FILE_KEY_SIZE],
    const uint8_t *header, size_t size, uint8_t mac[32])
{
  crypto_auth_hmacsha256_state hmac;
  uint8_t key[32];

  hkdf (file_key, EEG_AGE_FILE_KEY_SIZE, NULL, 0, "header", key);
  crypto_auth_hmacsha256_init (&hmac, key, sizeof key);
  crypto_auth_hmacsha256_update (&hmac, header, size);
  crypto_auth_hmacsha256_final (&hmac, mac);
  sodium_memzero (key, sizeof key);
  sodium_memzero (&hmac, sizeof hmac);
}

/* @secret is the side whose secret is known; false for a share that gives an
 * all-zero shared secret. */
static bool
x25519_wrap_key (const uint8_t secret[32], const uint8_t other[32],
    const uint8_t share[32], const uint8_t recipient[32], uint8_t key[32])
{
  uint8_t shared[32], salt[64];

  if (crypto_scalarmult (shared, secret, other) != 0)
    return false;
  memcpy (salt, share, 32);
  memcpy (salt + 32, recipient, 32);
  hkdf (shared, sizeof shared, salt, sizeof salt, X25519_INFO, key);
  sodium_memzero (shared, sizeof shared);
  return true;
}

static bool
scrypt_wrap_key (const EegAeadSecret *passphrase, const uint8_t salt[SALT_SIZE],
    unsigned work_factor, uint8_t key[32])
{
  uint8_t label[sizeof SCRYPT_LABEL - 1 + SALT_SIZE];

  memcpy (label, SCRYPT_LABEL, sizeof SCRYPT_LABEL - 1);
  memcpy (label + sizeof SCRYPT_LABEL - 1, salt, SALT_SIZE);
  return crypto_pwhash_scryptsalsa208sha256_ll (passphrase->data,
             passphrase->size, label, sizeof label, (uint64_t) 1 << work_factor,
             8, 1, key, 32)
      == 0;
}

static void
wrap_file_key (const uint8_t key[32],
    const uint8_t file_key[EEG_AGE_FILE_KEY_SIZE], uint8_t body[WRAPPED_SIZE])
{
  crypto_aead_chacha20poly1305_ietf_encrypt (body, NULL, file_key,
      EEG_AGE_FILE_KEY_SIZE, NULL, 0, NULL, zero_nonce, key);
}

static bool
unwrap_file_key (const uint8_t key[32], const uint8_t body[WRAPPED_SIZE],
    uint8_t file_key[EEG_AGE_FILE_KEY_SIZE])
{
  return crypto_aead_chacha20poly1305_ietf_decrypt (file_key, NULL, NULL, body,
             WRAPPED_SIZE, NULL, 0, zero_nonce, key)
      == 0;
}

/*
 * Writing
 */

static uint8_t *
put_text (uint8_t *out, const char *text)
{
  size_t size = strlen (text);

  memcpy (out, text, size);
  return out + size;
}

/* @size is 16 or 32. */
static uint8_t *
put_base64 (uint8_t *out, const uint8_t *data, size_t size)
{
  char text[BASE64_32 + 1];

  sodium_bin2base64 (text, sizeof text, data, size,
      sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
  return put_text (out, text);
}

static uint8_t *
put_mac_line (uint8_t *header, uint8_t *out,
    const uint8_t file_key[EEG_AGE_FILE_KEY_SIZE])
{
  uint8_t mac[32];

  out = put_text (out, "---");
  header_mac (file_key, header, out - header, mac);
  out = put_text (out, " ");
  out = put_base64 (out, mac, sizeof mac);
  return put_text (out, "\n");
}

size_t
eeg_age_header_size (size_t n_recipients)
{
  return sizeof VERSION_LINE - 1 + n_recipients * X25519_STANZA_SIZE
      + MAC_LINE_SIZE;
}

size_t
eeg_age_header_write (const EegAgeRecipients *recipients,
    const uint8_t file_key[EEG_AGE_FILE_KEY_SIZE], uint8_t *out)
{
  uint8_t *p = put_text (out, VERSION_LINE);

  if (recipients->n_recipients == 0)
    return 0;

  for (size_t i = 0; i < recipients->n_recipients; i++) {
    const uint8_t *recipient = recipients->recipients[i].key;
    uint8_t secret[32], share[32], key[32], body[WRAPPED_SIZE];
    bool ok;

    randombytes_buf (secret, sizeof secret);
    ok = crypto_scalarmult_base (share, secret) == 0
        && x25519_wrap_key (secret, recipient, share, recipient, key);
    sodium_memzero (secret, sizeof secret);
    if (!ok)
      return 0;
    wrap_file_key (key, file_key, body);
    sodium_memzero (key, sizeof key);

    p = put_text (p, "-> X25519 ");
    p = put_base64 (p, share, sizeof share);
    p = put_text (p, "\n");
    p = put_base64 (p, body, sizeof body);
    p = put_text (p, "\n");
  }
  p = put_mac_line (out, p, file_key);
  return p - out;
}

size_t
eeg_age_header_write_passphrase (const EegAeadSecret *passphrase,
    unsigned work_factor, const uint8_t file_key[EEG_AGE_FILE_KEY_SIZE],
    uint8_t *out)
{
  uint8_t *p = put_text (out, VERSION_LINE);
  uint8_t salt[SALT_SIZE], key[32], body[WRAPPED_SIZE];
  char factor[16];

  randombytes_buf (salt, sizeof salt);
  if (!scrypt_wrap_key (passphrase, salt, work_factor, key))
    return 0;
  wrap_file_key (key, file_key, body);
  sodium_memzero (key, sizeof key);

  p = put_text (p, "-> scrypt ");
  p = put_base64 (p, salt, sizeof salt);
  snprintf (factor, sizeof factor, " %u\n", work_factor);
  p = put_text (p, factor);
  p = put_base64 (p, body, sizeof body);
  p = put_text (p, "\n");
  p = put_mac_line (out, p, file_key);
  return p - out;
}

/*
 * Reading
 */

typedef struct
{
  const char *p;
  const char *end;
} Lines;

typedef struct
{
  const char *text;
  size_t size;
} Text;

/* False when the line is not complete. */
static bool
next_line (Lines *lines, Text *line)
{
  const char *stop = memchr (lines->p, '\n', lines->end - lines->p);

  if (stop == NULL)
    return false;
  line->text = lines->p;
  line->size = stop - lines->p;
  lines->p = stop + 1;
  return true;
}

static bool
text_is (const Text *text, const char *expected)
{
  return text->size == strlen (expected)
      && memcmp (text->text, expected, text->size) == 0;
}

/* Strict: canonical, no padding, exactly @size bytes. */
static bool
base64_exact (const char *text, size_t length, uint8_t *out, size_t size)
{
  size_t got;

  return eeg_aead_base64_decode (text, length, false, out, size, &got)
      && got == size;
}

/* Splits the arguments of a stanza, which single spaces separate. Returns how
 * many there are, of which the first @max are stored; 0 when they are
 * malformed. */
static size_t
split_arguments (const Text *line, Text *arguments, size_t max)
{
  size_t n = 0, start = 0;

  for (size_t i = 0; i <= line->size; i++) {
    if (i < line->size && line->text[i] != ' ') {
      if (line->text[i] < 33 || line->text[i] > 126)
        return 0;
      continue;
    }
    if (i == start)
      return 0;
    if (n < max)
      arguments[n] = (Text){ line->text + start, i - start };
    n++;
    start = i + 1;
  }
  return n;
}

/*
 * Reads the lines of a body; its first bytes are kept in @body, all are checked
 * and counted. EEG_AGE_MORE when it is not complete.
 */
static EegAgeResult
parse_body (Lines *lines, uint8_t body[WRAPPED_SIZE], size_t *size)
{
  Text line;

  *size = 0;
  do {
    uint8_t data[BODY_COLUMNS / 4 * 3];
    size_t got;

    if (!next_line (lines, &line)) {
      size_t rest = lines->end - lines->p;

      return rest > BODY_COLUMNS ? EEG_AGE_BAD_HEADER : EEG_AGE_MORE;
    }
    if (line.size > BODY_COLUMNS
        || !eeg_aead_base64_decode (line.text, line.size, false, data,
            sizeof data, &got))
      return EEG_AGE_BAD_HEADER;
    if (*size < WRAPPED_SIZE)
      memcpy (body + *size, data,
          got < WRAPPED_SIZE - *size ? got : WRAPPED_SIZE - *size);
    *size += got;
  } while (line.size == BODY_COLUMNS);
  return EEG_AGE_OK;
}

/* ^[1-9][0-9]*$; a number too long for any machine is as good as its limit */
static bool
parse_work_factor (const Text *text, unsigned *factor)
{
  *factor = 0;
  for (size_t i = 0; i < text->size; i++) {
    char c = text->text[i];

    if (c < (i == 0 ? '1' : '0') || c > '9')
      return false;
    if (*factor < 1000)
      *factor = *factor * 10 + (c - '0');
  }
  return text->size > 0;
}

static EegAgeResult
parse_stanza (Lines *lines, const Text *line, EegAgeStanza *stanza)
{
  Text arguments[4];
  Text rest = { line->text + 3, line->size - 3 };
  size_t n = split_arguments (&rest, arguments, 4);
  size_t body_size;
  EegAgeResult result;

  if (n == 0)
    return EEG_AGE_BAD_HEADER;
  memset (stanza, 0, sizeof *stanza);
  result = parse_body (lines, stanza->body, &body_size);
  if (result != EEG_AGE_OK)
    return result;

  if (text_is (&arguments[0], "X25519")) {
    stanza->type = EEG_AGE_STANZA_X25519;
    if (n != 2 || body_size != WRAPPED_SIZE
        || !base64_exact (arguments[1].text, arguments[1].size,
            stanza->argument, 32))
      return EEG_AGE_BAD_HEADER;
  } else if (text_is (&arguments[0], "scrypt")) {
    stanza->type = EEG_AGE_STANZA_SCRYPT;
    if (n != 3 || body_size != WRAPPED_SIZE
        || !base64_exact (arguments[1].text, arguments[1].size,
            stanza->argument, SALT_SIZE)
        || !parse_work_factor (&arguments[2], &stanza->work_factor))
      return EEG_AGE_BAD_HEADER;
  }
  return EEG_AGE_OK;
}

static EegAgeResult
parse_lines (EegAgeHeader *header, Lines *lines, const char *start)
{
  bool scrypt = false;
  Text line;

  header->n_stanzas = 0;
  while (next_line (lines, &line)) {
    if (line.size >= 3 && memcmp (line.text, "-> ", 3) == 0) {
      EegAgeResult result;
      EegAgeStanza *stanza;

      if (header->n_stanzas == EEG_AGE_MAX_STANZAS)
        return EEG_AGE_HEADER_TOO_BIG;
      stanza = &header->stanzas[header->n_stanzas];
      result = parse_stanza (lines, &line, stanza);
      if (result != EEG_AGE_OK)
        return result;
      header->n_stanzas++;
      scrypt |= stanza->type == EEG_AGE_STANZA_SCRYPT;
    } else if (line.size >= 4 && memcmp (line.text, "--- ", 4) == 0) {
      if (header->n_stanzas == 0 || (scrypt && header->n_stanzas != 1)
          || !base64_exact (line.text + 4, line.size - 4, header->mac, 32))
        return EEG_AGE_BAD_HEADER;
      header->mac_size = line.text + 3 - start;
      header->size = lines->p - start;
      return EEG_AGE_OK;
    } else {
      return EEG_AGE_BAD_HEADER;
    }
  }
  return EEG_AGE_MORE;
}

EegAgeResult
eeg_age_header_parse (EegAgeHeader *header, const uint8_t *data, size_t size)
{
  size_t version_size = sizeof VERSION_LINE - 1;
  size_t known = size < version_size ? size : version_size;
  Lines lines;
  EegAgeResult result;

  if (size == 0)
    return EEG_AGE_MORE;
  lines = (Lines){ (const char *) data + known, (const char *) data + size };
  if (known > 0 && memcmp (data, VERSION_LINE, known) != 0)
    return EEG_AGE_NOT_AGE;
  if (size < version_size)
    return EEG_AGE_MORE;
  if (size > EEG_AGE_MAX_HEADER_SIZE)
    lines.end = (const char *) data + EEG_AGE_MAX_HEADER_SIZE;
  result = parse_lines (header, &lines, (const char *) data);
  if (result == EEG_AGE_MORE && size >= EEG_AGE_MAX_HEADER_SIZE)
    return EEG_AGE_HEADER_TOO_BIG;
  return result;
}

static EegAgeResult
unwrap_x25519 (const EegAgeHeader *header, const EegAgeIdentities *identities,
    uint8_t file_key[EEG_AGE_FILE_KEY_SIZE])
{
  for (size_t i = 0; i < header->n_stanzas; i++) {
    const EegAgeStanza *stanza = &header->stanzas[i];

    if (stanza->type != EEG_AGE_STANZA_X25519)
      continue;
    for (size_t j = 0; j < identities->n_identities; j++) {
      const EegAgeIdentity *identity = &identities->identities[j];
      uint8_t key[32];
      bool ok;

      if (!x25519_wrap_key (identity->secret, stanza->argument,
              stanza->argument, identity->recipient.key, key))
        return EEG_AGE_BAD_HEADER;
      ok = unwrap_file_key (key, stanza->body, file_key);
      sodium_memzero (key, sizeof key);
      if (ok)
        return EEG_AGE_OK;
    }
  }
  return EEG_AGE_NO_MATCH;
}

static EegAgeResult
unwrap_scrypt (const EegAgeStanza *stanza, const EegAeadSecret *passphrase,
    unsigned max_work_factor, uint8_t file_key[EEG_AGE_FILE_KEY_SIZE])
{
  uint8_t key[32];
  bool ok;

  if (stanza->work_factor > max_work_factor
      || stanza->work_factor > EEG_AGE_MAX_WORK_FACTOR)
    return EEG_AGE_WORK_FACTOR_TOO_LARGE;
  if (!scrypt_wrap_key (passphrase, stanza->argument, stanza->work_factor, key))
    return EEG_AGE_NO_MEMORY;
  ok = unwrap_file_key (key, stanza->body, file_key);
  sodium_memzero (key, sizeof key);
  return ok ? EEG_AGE_OK : EEG_AGE_NO_MATCH;
}

EegAgeResult
eeg_age_header_unwrap (const EegAgeHeader *header, const uint8_t *data,
    const EegAgeIdentities *identities, const EegAeadSecret *passphrase,
    unsigned max_work_factor, uint8_t file_key[EEG_AGE_FILE_KEY_SIZE])
{
  EegAgeResult result;
  uint8_t mac[32];

  if (header->stanzas[0].type == EEG_AGE_STANZA_SCRYPT) {
    if (passphrase == NULL)
      return EEG_AGE_NEEDS_PASSPHRASE;
    result = unwrap_scrypt (&header->stanzas[0], passphrase, max_work_factor,
        file_key);
  } else {
    if (identities == NULL)
      return EEG_AGE_NEEDS_IDENTITY;
    result = unwrap_x25519 (header, identities, file_key);
  }
  if (result != EEG_AGE_OK)
    return result;

  header_mac (file_key, data, header->mac_size, mac);
  if (sodium_memcmp (mac, header->mac, sizeof mac) != 0) {
    sodium_memzero (file_key, EEG_AGE_FILE_KEY_SIZE);
    return EEG_AGE_BAD_MAC;
  }
  return EEG_AGE_OK;
}

const char *
eeg_age_result_text (EegAgeResult result)
{
  switch (result) {
    case EEG_AGE_OK:
      return "the header is complete";
    case EEG_AGE_MORE:
      return "the file ends within its header";
    case EEG_AGE_NO_MEMORY:
      return "no memory";
    case EEG_AGE_NOT_AGE:
      return "this is not an age v1 file";
    case EEG_AGE_BAD_HEADER:
      return "the header is malformed";
    case EEG_AGE_HEADER_TOO_BIG:
      return "the header has more than 64 KiB or 64 recipients";
    case EEG_AGE_BAD_MAC:
      return "the header was changed";
    case EEG_AGE_NO_MATCH:
      return "neither identity nor passphrase opens this file";
    case EEG_AGE_NEEDS_IDENTITY:
      return "the file is encrypted to recipients and needs an identity";
    case EEG_AGE_NEEDS_PASSPHRASE:
      return "the file is encrypted with a passphrase";
    case EEG_AGE_WORK_FACTOR_TOO_LARGE:
      return "the scrypt work factor is larger than max-work-factor allows";
    case EEG_AGE_BAD_KEY_FILE:
      return "a line is no X25519 key of age";
    case EEG_AGE_NO_KEYS:
      return "there is no key";
    case EEG_AGE_TOO_MANY_KEYS:
      return "there are more than 64 keys";
    case EEG_AGE_ENCRYPTED_KEY_FILE:
      return "the identity file is itself encrypted";
    case EEG_AGE_BAD_PASSPHRASE:
      return "the passphrase is not one line of text";
  }
  return "unknown";
}
