/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Tink's AES-GCM-HKDF streaming AEAD with 256-bit keys and SHA-256
 * (https://developers.google.com/tink/streaming-aead/aes_gcm_hkdf_streaming).
 *
 *   header     1 byte 40, 32 bytes salt, 7 bytes nonce prefix
 *   segment i  ciphertext, 16 bytes tag
 *
 *   key        HKDF-SHA256 (key material, salt, associated data)
 *   nonce      nonce prefix, u32 big endian i, 1 in the last segment, else 0
 *
 * All segments but the last end at a multiple of the segment size, counted
 * from the start of the header. The segment size is not in the file: it is
 * part of the key.
 */

#ifndef EEG_FORMATS_TINK_H
#define EEG_FORMATS_TINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aead/aead.h"
#include "aead/secret.h"

#define EEG_TINK_HEADER_SIZE 40u
#define EEG_TINK_SALT_SIZE 32u
#define EEG_TINK_NONCE_PREFIX_SIZE 7u

/* A segment 0 of this size holds one byte. */
#define EEG_TINK_MIN_SEGMENT_SIZE (EEG_TINK_HEADER_SIZE + EEG_AEAD_TAG_SIZE + 1)
/* Ours: bounds the memory that a keyset can ask for. */
#define EEG_TINK_MAX_SEGMENT_SIZE (100u << 20)

/* The segment index has 32 bits. */
#define EEG_TINK_MAX_SEGMENTS ((uint64_t) UINT32_MAX + 1)

typedef struct
{
  uint8_t salt[EEG_TINK_SALT_SIZE];
  uint8_t nonce_prefix[EEG_TINK_NONCE_PREFIX_SIZE];
} EegTinkHeader;

/* Draws a fresh header. One header must never serve two plaintexts. */
void eeg_tink_header_generate (EegTinkHeader *header);

void eeg_tink_header_write (const EegTinkHeader *header,
    uint8_t out[EEG_TINK_HEADER_SIZE]);

/* Returns false when @size is below EEG_TINK_HEADER_SIZE or the bytes cannot
 * be the start of such a file. */
bool eeg_tink_header_parse (EegTinkHeader *header, const uint8_t *data,
    size_t size);

/* The key of one file. */
void eeg_tink_derive_key (const EegTinkHeader *header, const uint8_t *ikm,
    size_t ikm_size, const uint8_t *ad, size_t ad_size,
    uint8_t key[EEG_AEAD_KEY_SIZE]);

/* The most plaintext that segment @index holds. */
size_t eeg_tink_segment_capacity (uint32_t segment_size, uint64_t index);

/*
 * The size of the file that holds @size bytes, header included. Returns false
 * when it would have more than EEG_TINK_MAX_SEGMENTS segments or more than
 * 2^64 - 1 bytes.
 */
bool eeg_tink_sealed_size (uint64_t size, uint32_t segment_size,
    uint64_t *sealed);

/*
 * Encrypts the next @size bytes of @in, from the segment @first on, into whole
 * segments; the last one may be shorter and only then be @final, whose mark
 * is set in it. @size 0 is allowed for the only segment of an empty message.
 * @context must hold the file's key. @out takes @size bytes and a tag for
 * every segment; the header is not written here.
 * Returns the number of bytes written, or 0 with @out wiped: a segment index
 * above 32 bits, an incomplete segment before the end, the library.
 */
size_t eeg_tink_seal (EegAeadContext *context, const EegTinkHeader *header,
    uint32_t segment_size, uint64_t first, bool final, EegAeadReader *in,
    size_t size, uint8_t *out);

/*
 * The reverse of eeg_tink_seal(): decrypts the next @size bytes of @in, which
 * are whole segments from @first on, the last of which is the @final one of
 * the file or not. Stops at the first segment that does not verify, and after
 * one that is marked as the last of its file. A full segment whose mark is not
 * the expected one is genuine and counts as verified.
 * Returns how many bytes of @in did verify, by which @in has moved; @opened
 * tells the length of their plaintext and @ended whether the last of them ends
 * the file: all is well when @size bytes did verify and @ended equals @final.
 * Nothing else is left in @out, which takes @size bytes.
 */
size_t eeg_tink_open (EegAeadContext *context, const EegTinkHeader *header,
    uint32_t segment_size, uint64_t first, bool final, EegAeadReader *in,
    size_t size, uint8_t *out, size_t *opened, bool *ended);

/*
 * Keys
 */

#define EEG_TINK_MAX_KEYS 64u
#define EEG_TINK_MAX_KEY_SIZE 64u
/* Longest key file that is read. */
#define EEG_TINK_MAX_KEY_FILE_SIZE (64u << 10)

typedef struct
{
  uint32_t id;
  /* 0: a raw key, which does not tell */
  uint32_t segment_size;
  uint8_t ikm[EEG_TINK_MAX_KEY_SIZE];
  size_t ikm_size;
} EegTinkKey;

typedef struct
{
  /* the first is the primary key: encrypt with it, try all to decrypt */
  EegTinkKey keys[EEG_TINK_MAX_KEYS];
  size_t n_keys;
  /* enabled keys of the set that are for something else */
  size_t n_skipped;
} EegTinkKeys;

typedef enum
{
  EEG_TINK_KEYS_OK,
  EEG_TINK_KEYS_NO_MEMORY,
  /* neither 32 bytes, nor 64 hexadecimal digits, nor a keyset */
  EEG_TINK_KEYS_UNKNOWN_FORMAT,
  /* not the JSON of a keyset */
  EEG_TINK_KEYS_BAD_KEYSET,
  /* the keyset is itself encrypted */
  EEG_TINK_KEYS_ENCRYPTED_KEYSET,
  EEG_TINK_KEYS_TOO_MANY,
  /* no enabled key has the primary key's number */
  EEG_TINK_KEYS_NO_PRIMARY,
  /* the primary key is for another algorithm, hash or key size */
  EEG_TINK_KEYS_UNSUPPORTED,
} EegTinkKeysResult;

/*
 * Reads the content of a key file: 32 raw bytes, 64 hexadecimal digits with or
 * without a line end, or a cleartext Tink JSON keyset.
 * On success *@keys is in protected memory and is freed with
 * eeg_tink_keys_free(). @file is left as it was.
 */
EegTinkKeysResult eeg_tink_keys_parse (const EegAeadSecret *file,
    EegTinkKeys **keys);

/* Wipes and frees; NULL is allowed. */
void eeg_tink_keys_free (EegTinkKeys *keys);

/* A sentence without the end stop, which names no byte of the key. */
const char *eeg_tink_keys_result_text (EegTinkKeysResult result);

/*
 * Parses a serialised AesGcmHkdfStreamingKey. Returns EEG_TINK_KEYS_OK,
 * EEG_TINK_KEYS_BAD_KEYSET or EEG_TINK_KEYS_UNSUPPORTED; @key's id is not
 * touched.
 */
EegTinkKeysResult eeg_tink_key_parse (const uint8_t *data, size_t size,
    EegTinkKey *key);

#endif
