/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifndef EEG_KERNELS_AEAD_PRIVATE_H
#define EEG_KERNELS_AEAD_PRIVATE_H

#include "aead.h"

/* The sizes are checked before a back end is asked. */
typedef struct
{
  const char *name;
  /* NULL when this machine or library build lacks the cipher */
  void *(*create) (EegAeadCipher cipher, EegAeadDirection direction);
  void (*destroy) (void *state);
  bool (*set_key) (void *state, const uint8_t *key);
  bool (*seal) (void *state, const uint8_t *nonce, const uint8_t *ad,
      size_t ad_size, EegAeadReader *in, size_t size, uint8_t *out);
  /* @size without the tag, which follows in @in */
  bool (*open) (void *state, const uint8_t *nonce, const uint8_t *ad,
      size_t ad_size, EegAeadReader *in, size_t size, uint8_t *out);
} EegAeadBackend;

#ifdef EEG_AEAD_HAVE_LIBCRYPTO
extern const EegAeadBackend eeg_aead_backend_libcrypto;
#endif
extern const EegAeadBackend eeg_aead_backend_libsodium;

#endif
