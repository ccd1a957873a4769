/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * age v1 files (https://age-encryption.org/v1): X25519 and scrypt recipients,
 * ChaCha20-Poly1305 payload, ASCII armor for reading.
 *
 *   header     text: version, one stanza for each recipient with the file key
 *              wrapped for it, HMAC
 *   nonce      16 bytes
 *   cell i     up to 65536 bytes of ciphertext, 16 bytes tag
 *
 *   key        HKDF-SHA256 (file key, nonce, "payload")
 *   cell nonce 11 bytes big endian i, 1 in the last cell, else 0
 *
 * All cells but the last are full; the last one is empty only in an empty
 * file.
 */

#ifndef EEG_FORMATS_AGE_H
#define EEG_FORMATS_AGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aead/aead.h"
#include "aead/secret.h"

#define EEG_AGE_FILE_KEY_SIZE 16u
#define EEG_AGE_NONCE_SIZE 16u
#define EEG_AGE_CELL_SIZE 65536u
#define EEG_AGE_SEALED_CELL_SIZE (EEG_AGE_CELL_SIZE + EEG_AEAD_TAG_SIZE)

/* Ours; the format sets no limit. */
#define EEG_AGE_MAX_HEADER_SIZE (64u << 10)
#define EEG_AGE_MAX_STANZAS 64u

/* scrypt needs 2^factor KiB of memory */
#define EEG_AGE_MIN_WORK_FACTOR 1u
#define EEG_AGE_MAX_WORK_FACTOR 30u
/* as the age tool writes, and reads at most */
#define EEG_AGE_DEFAULT_WORK_FACTOR 18u
#define EEG_AGE_DEFAULT_MAX_WORK_FACTOR 22u

/* Longest key file that is read. */
#define EEG_AGE_MAX_KEY_FILE_SIZE (64u << 10)
#define EEG_AGE_MAX_KEYS 64u

typedef enum
{
  EEG_AGE_OK,
  /* the header is not complete */
  EEG_AGE_MORE,
  EEG_AGE_NO_MEMORY,
  /* does not begin as an age v1 file */
  EEG_AGE_NOT_AGE,
  EEG_AGE_BAD_HEADER,
  /* longer than EEG_AGE_MAX_HEADER_SIZE or more stanzas than
   * EEG_AGE_MAX_STANZAS */
  EEG_AGE_HEADER_TOO_BIG,
  EEG_AGE_BAD_MAC,
  /* none of the keys given opens the file */
  EEG_AGE_NO_MATCH,
  /* keys of the kind that the file needs were not given */
  EEG_AGE_NEEDS_IDENTITY,
  EEG_AGE_NEEDS_PASSPHRASE,
  EEG_AGE_WORK_FACTOR_TOO_LARGE,
  EEG_AGE_BAD_KEY_FILE,
  EEG_AGE_NO_KEYS,
  EEG_AGE_TOO_MANY_KEYS,
  EEG_AGE_ENCRYPTED_KEY_FILE,
  EEG_AGE_BAD_PASSPHRASE,
} EegAgeResult;

/* A sentence without the end stop, which names no byte of a key. */
const char *eeg_age_result_text (EegAgeResult result);

/*
 * Keys
 */

typedef struct
{
  uint8_t key[32];
} EegAgeRecipient;

typedef struct
{
  EegAgeRecipient recipients[EEG_AGE_MAX_KEYS];
  size_t n_recipients;
} EegAgeRecipients;

typedef struct
{
  uint8_t secret[32];
  EegAgeRecipient recipient;
} EegAgeIdentity;

typedef struct
{
  EegAgeIdentity identities[EEG_AGE_MAX_KEYS];
  size_t n_identities;
} EegAgeIdentities;

/* "age1..." */
bool eeg_age_recipient_parse (EegAgeRecipient *recipient, const char *text,
    size_t size);

/*
 * Adds the recipients of a text to @recipients. @separator is ',' for a list in
 * one line, in which white space around the items is ignored, or '\n' for a
 * recipients file, where empty lines and lines that begin with '#' are.
 * On EEG_AGE_BAD_KEY_FILE, @item tells which item is bad, from 1.
 */
EegAgeResult eeg_age_recipients_parse (EegAgeRecipients *recipients,
    const char *text, size_t size, char separator, size_t *item);

/*
 * Reads an identity file as age-keygen writes it. On success *@identities is
 * in protected memory. On EEG_AGE_BAD_KEY_FILE, @line tells which line is bad,
 * from 1.
 */
EegAgeResult eeg_age_identities_parse (const EegAeadSecret *file,
    EegAgeIdentities **identities, size_t *line);

/* Wipes and frees; NULL is allowed. */
void eeg_age_identities_free (EegAgeIdentities *identities);

/* The passphrase in a file: its one line, without the line end. */
EegAgeResult eeg_age_passphrase_parse (const EegAeadSecret *file,
    EegAeadSecret **passphrase);

/*
 * Header
 */

/* The size of a header for @n_recipients. */
size_t eeg_age_header_size (size_t n_recipients);

/* The most that a header for a passphrase takes. */
#define EEG_AGE_PASSPHRASE_HEADER_SIZE 150u

/*
 * Writes a header that wraps @file_key for each recipient, of
 * eeg_age_header_size() bytes. Returns 0 when there is no recipient, or one
 * whose key is none.
 */
size_t eeg_age_header_write (const EegAgeRecipients *recipients,
    const uint8_t file_key[EEG_AGE_FILE_KEY_SIZE], uint8_t *out);

/*
 * Writes a header that wraps @file_key with a passphrase, of at most
 * EEG_AGE_PASSPHRASE_HEADER_SIZE bytes. Takes 2^@work_factor KiB of memory and
 * for 18 about a second. Returns 0 when memory is short.
 */
size_t eeg_age_header_write_passphrase (const EegAeadSecret *passphrase,
    unsigned work_factor, const uint8_t file_key[EEG_AGE_FILE_KEY_SIZE],
    uint8_t *out);

typedef struct
{
  enum
  {
    EEG_AGE_STANZA_OTHER,
    EEG_AGE_STANZA_X25519,
    EEG_AGE_STANZA_SCRYPT,
  } type;
  /* ephemeral share, or salt in the first half */
  uint8_t argument[32];
  unsigned work_factor;
  uint8_t body[32];
} EegAgeStanza;

typedef struct
{
  /* bytes of the header */
  size_t size;
  /* how many of them the MAC covers */
  size_t mac_size;
  uint8_t mac[32];
  EegAgeStanza stanzas[EEG_AGE_MAX_STANZAS];
  size_t n_stanzas;
} EegAgeHeader;

/*
 * Parses the header at the start of @data. EEG_AGE_MORE asks for more bytes;
 * the other errors are final.
 */
EegAgeResult eeg_age_header_parse (EegAgeHeader *header, const uint8_t *data,
    size_t size);

/*
 * Finds the file key with any of @identities or with @passphrase, each of
 * which may be NULL, and checks the MAC. @data is what was parsed.
 * A passphrase takes time and memory as told at
 * eeg_age_header_write_passphrase(); factors above @max_work_factor are
 * refused.
 */
EegAgeResult eeg_age_header_unwrap (const EegAgeHeader *header,
    const uint8_t *data, const EegAgeIdentities *identities,
    const EegAeadSecret *passphrase, unsigned max_work_factor,
    uint8_t file_key[EEG_AGE_FILE_KEY_SIZE]);

/*
 * Payload
 */

/* A fresh file key or nonce. One pair must never serve two plaintexts. */
void eeg_age_random (uint8_t *out, size_t size);

void eeg_age_payload_key (const uint8_t file_key[EEG_AGE_FILE_KEY_SIZE],
    const uint8_t nonce[EEG_AGE_NONCE_SIZE], uint8_t key[EEG_AEAD_KEY_SIZE]);

/* The size of the cells that hold @size bytes; false when it would overflow. */
bool eeg_age_sealed_size (uint64_t size, uint64_t *sealed);

/*
 * Encrypts the next @size bytes of @in, from cell @first on, into whole cells;
 * the last one may be shorter and only then be @final, whose mark is set in
 * it. @size 0 is allowed for the only cell of an empty file.
 * @context must hold the payload key. @out takes @size bytes and a tag for
 * every cell.
 * Returns the number of bytes written, or 0 with @out wiped.
 */
size_t eeg_age_seal (EegAeadContext *context, uint64_t first, bool final,
    EegAeadReader *in, size_t size, uint8_t *out);

/*
 * The reverse of eeg_age_seal(): decrypts the next @size bytes of @in, which
 * are whole cells from @first on, the last of which is the @final one of the
 * file or not. Stops at the first cell that does not verify, and after one that
 * is marked as the last of its file. A full cell whose mark is not the expected
 * one is genuine and counts as verified.
 * Returns how many bytes of @in did verify, by which @in has moved; @opened
 * tells the length of their plaintext and @ended whether the last of them ends
 * the file: all is well when @size bytes did verify and @ended equals @final.
 * Nothing else is left in @out, which takes @size bytes.
 */
size_t eeg_age_open (EegAeadContext *context, uint64_t first, bool final,
    EegAeadReader *in, size_t size, uint8_t *out, size_t *opened, bool *ended);

/*
 * ASCII armor
 */

#define EEG_AGE_ARMOR_LINE 64u
#define EEG_AGE_ARMOR_BYTES 48u
/* White space that may stand around the armor. */
#define EEG_AGE_ARMOR_MAX_SPACE 1024u

/* Zeros at the start. */
typedef struct
{
  enum
  {
    EEG_AGE_ARMOR_BEFORE,
    EEG_AGE_ARMOR_BODY,
    /* a line shorter than the others was there: only the end may follow */
    EEG_AGE_ARMOR_LAST_LINE,
    EEG_AGE_ARMOR_AFTER,
    EEG_AGE_ARMOR_FAILED,
  } state;
  char line[EEG_AGE_ARMOR_LINE + 2];
  size_t line_size;
  size_t space;
} EegAgeArmor;

/* Whether @data begins as armor does: 1 yes, 0 no, -1 more is needed. */
int eeg_age_armor_detect (const uint8_t *data, size_t size);

/*
 * Decodes armor. Takes as much of @data as there is and as fits: @out has
 * @capacity bytes, at least EEG_AGE_ARMOR_BYTES. Sets @consumed and @produced.
 * Returns false for what is no armor.
 */
bool eeg_age_armor_decode (EegAgeArmor *armor, const uint8_t *data, size_t size,
    size_t *consumed, uint8_t *out, size_t capacity, size_t *produced);

/* To be called at the end of the input: true when the armor was complete. */
bool eeg_age_armor_finish (EegAgeArmor *armor);

#endif
