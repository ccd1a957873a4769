/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "aead-private.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct EegAeadContext
{
  const EegAeadBackend *backend;
  void *state;
};

/* libcrypto first: its bulk code uses wider registers. */
static const EegAeadBackend *const backends[] = {
#ifdef EEG_AEAD_HAVE_LIBCRYPTO
  &eeg_aead_backend_libcrypto,
#endif
  &eeg_aead_backend_libsodium,
};

bool
eeg_aead_init (void)
{
  return sodium_init () >= 0;
}

size_t
eeg_aead_reader_size (const EegAeadReader *reader)
{
  size_t size = 0;

  for (size_t i = 0; i < reader->n_pieces; i++)
    size += reader->pieces[i].size;
  return size - reader->offset;
}

size_t
eeg_aead_reader_next (EegAeadReader *reader, size_t max, const uint8_t **data)
{
  size_t size;

  while (reader->n_pieces > 0 && reader->offset == reader->pieces[0].size) {
    reader->pieces++;
    reader->n_pieces--;
    reader->offset = 0;
  }
  if (reader->n_pieces == 0)
    return 0;

  size = reader->pieces[0].size - reader->offset;
  if (size > max)
    size = max;
  *data = reader->pieces[0].data + reader->offset;
  reader->offset += size;
  return size;
}

bool
eeg_aead_reader_copy (EegAeadReader *reader, uint8_t *out, size_t size)
{
  EegAeadReader position = *reader;

  while (size > 0) {
    const uint8_t *data;
    size_t n = eeg_aead_reader_next (&position, size, &data);

    if (n == 0)
      return false;
    memcpy (out, data, n);
    out += n;
    size -= n;
  }
  *reader = position;
  return true;
}

void
eeg_aead_reader_skip (EegAeadReader *reader, size_t size)
{
  const uint8_t *data;

  while (size > 0) {
    size_t n = eeg_aead_reader_next (reader, size, &data);

    if (n == 0)
      return;
    size -= n;
  }
}

EegAeadContext *
eeg_aead_context_new (EegAeadCipher cipher, EegAeadDirection direction,
    const char *backend)
{
  EegAeadContext *context;

  if (backend == NULL)
    backend = getenv (EEG_AEAD_BACKEND_VARIABLE);
  if (backend != NULL && backend[0] == '\0')
    backend = NULL;

  context = malloc (sizeof *context);
  if (context == NULL)
    return NULL;

  for (size_t i = 0; i < sizeof backends / sizeof backends[0]; i++) {
    if (backend != NULL && strcmp (backend, backends[i]->name) != 0)
      continue;
    context->backend = backends[i];
    context->state = backends[i]->create (cipher, direction);
    if (context->state != NULL)
      return context;
  }

  free (context);
  return NULL;
}

void
eeg_aead_context_free (EegAeadContext *context)
{
  if (context == NULL)
    return;
  context->backend->destroy (context->state);
  free (context);
}

const char *
eeg_aead_context_get_backend (const EegAeadContext *context)
{
  return context->backend->name;
}

bool
eeg_aead_context_set_key (EegAeadContext *context,
    const uint8_t key[EEG_AEAD_KEY_SIZE])
{
  return context->backend->set_key (context->state, key);
}

bool
eeg_aead_seal (EegAeadContext *context,
    const uint8_t nonce[EEG_AEAD_NONCE_SIZE], const uint8_t *ad, size_t ad_size,
    EegAeadReader *in, size_t size, uint8_t *out)
{
  if (size > EEG_AEAD_MAX_MESSAGE_SIZE || ad_size > EEG_AEAD_MAX_MESSAGE_SIZE)
    return false;
  if (context->backend->seal (context->state, nonce, ad, ad_size, in, size,
          out))
    return true;

  sodium_memzero (out, size + EEG_AEAD_TAG_SIZE);
  return false;
}

bool
eeg_aead_open (EegAeadContext *context,
    const uint8_t nonce[EEG_AEAD_NONCE_SIZE], const uint8_t *ad, size_t ad_size,
    EegAeadReader *in, size_t size, uint8_t *out)
{
  EegAeadReader position = *in;

  if (size < EEG_AEAD_TAG_SIZE)
    return false;
  size -= EEG_AEAD_TAG_SIZE;
  if (size > EEG_AEAD_MAX_MESSAGE_SIZE || ad_size > EEG_AEAD_MAX_MESSAGE_SIZE)
    return false;
  if (context->backend->open (context->state, nonce, ad, ad_size, &position,
          size, out)) {
    *in = position;
    return true;
  }

  sodium_memzero (out, size);
  return false;
}
