/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "aead-private.h"

#include <openssl/evp.h>

/* EVP wipes its own key schedule when the context is freed. */

static void *
libcrypto_create (EegAeadCipher cipher, EegAeadDirection direction)
{
  EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new ();
  const EVP_CIPHER *evp = cipher == EEG_AEAD_AES_256_GCM
      ? EVP_aes_256_gcm ()
      : EVP_chacha20_poly1305 ();

  if (ctx == NULL)
    return NULL;
  /* 12 bytes of nonce are the default of both */
  if (!EVP_CipherInit_ex (ctx, evp, NULL, NULL, NULL,
          direction == EEG_AEAD_SEAL)) {
    EVP_CIPHER_CTX_free (ctx);
    return NULL;
  }
  return ctx;
}

static void
libcrypto_destroy (void *state)
{
  EVP_CIPHER_CTX_free (state);
}

static bool
libcrypto_set_key (void *state, const uint8_t *key)
{
  return EVP_CipherInit_ex (state, NULL, NULL, key, NULL, -1);
}

static bool
libcrypto_run (EVP_CIPHER_CTX *ctx, const uint8_t *nonce, const uint8_t *ad,
    size_t ad_size, EegAeadReader *in, size_t size, uint8_t **out)
{
  int n;

  if (!EVP_CipherInit_ex (ctx, NULL, NULL, NULL, nonce, -1))
    return false;
  if (ad_size > 0 && !EVP_CipherUpdate (ctx, NULL, &n, ad, (int) ad_size))
    return false;

  while (size > 0) {
    const uint8_t *data;
    size_t run = eeg_aead_reader_next (in, size, &data);

    if (run == 0 || !EVP_CipherUpdate (ctx, *out, &n, data, (int) run))
      return false;
    *out += n;
    size -= run;
  }
  return true;
}

static bool
libcrypto_seal (void *state, const uint8_t *nonce, const uint8_t *ad,
    size_t ad_size, EegAeadReader *in, size_t size, uint8_t *out)
{
  int n;

  if (!libcrypto_run (state, nonce, ad, ad_size, in, size, &out))
    return false;
  if (!EVP_CipherFinal_ex (state, out, &n))
    return false;
  return EVP_CIPHER_CTX_ctrl (state, EVP_CTRL_AEAD_GET_TAG, EEG_AEAD_TAG_SIZE,
             out)
      > 0;
}

static bool
libcrypto_open (void *state, const uint8_t *nonce, const uint8_t *ad,
    size_t ad_size, EegAeadReader *in, size_t size, uint8_t *out)
{
  uint8_t tag[EEG_AEAD_TAG_SIZE];
  int n;

  if (!libcrypto_run (state, nonce, ad, ad_size, in, size, &out))
    return false;
  if (!eeg_aead_reader_copy (in, tag, sizeof tag))
    return false;
  if (EVP_CIPHER_CTX_ctrl (state, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) <= 0)
    return false;
  return EVP_CipherFinal_ex (state, out, &n) > 0;
}

const EegAeadBackend eeg_aead_backend_libcrypto = {
  .name = "libcrypto",
  .create = libcrypto_create,
  .destroy = libcrypto_destroy,
  .set_key = libcrypto_set_key,
  .seal = libcrypto_seal,
  .open = libcrypto_open,
};
