/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "aead-private.h"

#include <sodium.h>
#include <string.h>

typedef struct
{
  /* first, since it needs the allocation's alignment */
  crypto_aead_aes256gcm_state gcm;
  uint8_t chacha[EEG_AEAD_KEY_SIZE];
  EegAeadCipher cipher;
} SodiumState;

static void *
libsodium_create (EegAeadCipher cipher, EegAeadDirection direction)
{
  SodiumState *state;

  (void) direction;

  /* without AES instructions there is no AES here, rather than a slow one
   * whose timing depends on the key */
  if (cipher == EEG_AEAD_AES_256_GCM && !crypto_aead_aes256gcm_is_available ())
    return NULL;

  /* sodium_malloc puts the end of the block at a page boundary, and the size
   * of this struct is a multiple of its alignment */
  state = sodium_malloc (sizeof *state);
  if (state != NULL) {
    memset (state, 0, sizeof *state);
    state->cipher = cipher;
  }
  return state;
}

static void
libsodium_destroy (void *state)
{
  sodium_free (state);
}

static bool
libsodium_set_key (void *state, const uint8_t *key)
{
  SodiumState *self = state;

  if (self->cipher == EEG_AEAD_AES_256_GCM)
    return crypto_aead_aes256gcm_beforenm (&self->gcm, key) == 0;
  memcpy (self->chacha, key, sizeof self->chacha);
  return true;
}

/* libsodium takes a message in one piece; where it is not, it is joined in
 * @out and processed in place. */
static const uint8_t *
one_piece (EegAeadReader *in, size_t size, uint8_t *out)
{
  EegAeadReader position = *in;
  const uint8_t *data = out;

  if (size == 0)
    return out;
  if (eeg_aead_reader_next (&position, size, &data) == size) {
    *in = position;
    return data;
  }
  return eeg_aead_reader_copy (in, out, size) ? out : NULL;
}

static bool
libsodium_seal (void *state, const uint8_t *nonce, const uint8_t *ad,
    size_t ad_size, EegAeadReader *in, size_t size, uint8_t *out)
{
  SodiumState *self = state;
  const uint8_t *message = one_piece (in, size, out);

  if (message == NULL)
    return false;
  if (self->cipher == EEG_AEAD_AES_256_GCM)
    return crypto_aead_aes256gcm_encrypt_detached_afternm (out, out + size,
               NULL, message, size, ad, ad_size, NULL, nonce, &self->gcm)
        == 0;
  return crypto_aead_chacha20poly1305_ietf_encrypt_detached (out, out + size,
             NULL, message, size, ad, ad_size, NULL, nonce, self->chacha)
      == 0;
}

static bool
libsodium_open (void *state, const uint8_t *nonce, const uint8_t *ad,
    size_t ad_size, EegAeadReader *in, size_t size, uint8_t *out)
{
  SodiumState *self = state;
  const uint8_t *message = one_piece (in, size, out);
  uint8_t tag[EEG_AEAD_TAG_SIZE];

  if (message == NULL || !eeg_aead_reader_copy (in, tag, sizeof tag))
    return false;
  if (self->cipher == EEG_AEAD_AES_256_GCM)
    return crypto_aead_aes256gcm_decrypt_detached_afternm (out, NULL, message,
               size, tag, ad, ad_size, nonce, &self->gcm)
        == 0;
  return crypto_aead_chacha20poly1305_ietf_decrypt_detached (out, NULL, message,
             size, tag, ad, ad_size, nonce, self->chacha)
      == 0;
}

const EegAeadBackend eeg_aead_backend_libsodium = {
  .name = "libsodium",
  .create = libsodium_create,
  .destroy = libsodium_destroy,
  .set_key = libsodium_set_key,
  .seal = libsodium_seal,
  .open = libsodium_open,
};
