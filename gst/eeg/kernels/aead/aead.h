/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * AES-256-GCM and ChaCha20-Poly1305 over libcrypto or libsodium, with
 * identical bytes.
 *
 * A context belongs to one thread at a time; contexts with the same key may
 * work side by side. Nothing here logs or keeps a key elsewhere than in the
 * context.
 */

#ifndef EEG_KERNELS_AEAD_H
#define EEG_KERNELS_AEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EEG_AEAD_KEY_SIZE 32u
#define EEG_AEAD_NONCE_SIZE 12u
#define EEG_AEAD_TAG_SIZE 16u

/* Longest message of one nonce that every back end takes. */
#define EEG_AEAD_MAX_MESSAGE_SIZE ((size_t) 1 << 30)

/* Names the back end to use, "libcrypto" or "libsodium". Unset: the first
 * that supports the cipher, in this order. */
#define EEG_AEAD_BACKEND_VARIABLE "GST_EEG_AEAD_BACKEND"

typedef enum
{
  EEG_AEAD_AES_256_GCM,
  EEG_AEAD_CHACHA20_POLY1305,
} EegAeadCipher;

typedef enum
{
  EEG_AEAD_SEAL,
  EEG_AEAD_OPEN,
} EegAeadDirection;

/* A run of bytes. */
typedef struct
{
  const uint8_t *data;
  size_t size;
} EegAeadPiece;

/*
 * Reads pieces one after the other, as if they were joined. Messages are
 * taken from here, so that data which arrives in buffers of any size is
 * processed where it lies.
 */
typedef struct
{
  const EegAeadPiece *pieces;
  size_t n_pieces;
  /* bytes of pieces[0] already taken */
  size_t offset;
} EegAeadReader;

typedef struct EegAeadContext EegAeadContext;

/* Must succeed once before anything else of this folder is used; any thread,
 * any number of times. */
bool eeg_aead_init (void);

/* The bytes left in @reader. */
size_t eeg_aead_reader_size (const EegAeadReader *reader);

/* Copies the next @size bytes to @out; false, with the reader as it was, when
 * fewer are left. */
bool eeg_aead_reader_copy (EegAeadReader *reader, uint8_t *out, size_t size);

/* Moves past @size bytes; @size must not exceed what is left. */
void eeg_aead_reader_skip (EegAeadReader *reader, size_t size);

/*
 * The next run of at most @max bytes that lies in one piece, and moves past
 * it. Returns 0 at the end.
 */
size_t eeg_aead_reader_next (EegAeadReader *reader, size_t max,
    const uint8_t **data);

/*
 * Creates a context without a key. @backend is a name as in
 * EEG_AEAD_BACKEND_VARIABLE or NULL, which asks that variable.
 * Returns NULL when the named back end, or every one, lacks the cipher on
 * this machine, or when memory is short.
 */
EegAeadContext *eeg_aead_context_new (EegAeadCipher cipher,
    EegAeadDirection direction, const char *backend);

/* Wipes and frees; NULL is allowed. */
void eeg_aead_context_free (EegAeadContext *context);

/* The name of the back end in use, a static string. */
const char *eeg_aead_context_get_backend (const EegAeadContext *context);

/* May be called again to change the key. */
bool eeg_aead_context_set_key (EegAeadContext *context,
    const uint8_t key[EEG_AEAD_KEY_SIZE]);

/*
 * Encrypts the next @size bytes of @in and writes @size +
 * EEG_AEAD_TAG_SIZE bytes to @out, which must not overlap the input.
 * The caller must never use one nonce twice with one key.
 * Returns false when @in is shorter than @size, @size above
 * EEG_AEAD_MAX_MESSAGE_SIZE, or the library fails; @out is then wiped.
 */
bool eeg_aead_seal (EegAeadContext *context,
    const uint8_t nonce[EEG_AEAD_NONCE_SIZE], const uint8_t *ad, size_t ad_size,
    EegAeadReader *in, size_t size, uint8_t *out);

/*
 * Decrypts the next @size bytes of @in, tag included, and writes @size -
 * EEG_AEAD_TAG_SIZE bytes to @out, which must not overlap the input.
 * Returns false when the tag does not fit, @size is out of range or longer
 * than @in, or the library fails. @out then holds nothing of the plaintext.
 * @in has moved past the message only after success.
 */
bool eeg_aead_open (EegAeadContext *context,
    const uint8_t nonce[EEG_AEAD_NONCE_SIZE], const uint8_t *ad, size_t ad_size,
    EegAeadReader *in, size_t size, uint8_t *out);

#endif
