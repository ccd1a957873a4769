/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Key files of the Tink format: raw, hexadecimal, keyset, and the serialised
 * key inside a keyset. */

#include <stdlib.h>

#include "tink/tink.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);
int LLVMFuzzerInitialize (int *argc, char ***argv);

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  return eeg_aead_init () ? 0 : 1;
}

static void
check_key (const EegTinkKey *key)
{
  if (key->ikm_size < EEG_AEAD_KEY_SIZE
      || key->ikm_size > EEG_TINK_MAX_KEY_SIZE)
    abort ();
  if (key->segment_size != 0
      && (key->segment_size < EEG_TINK_MIN_SEGMENT_SIZE
          || key->segment_size > EEG_TINK_MAX_SEGMENT_SIZE))
    abort ();
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  EegAeadSecret *file;
  EegTinkKeys *keys;
  EegTinkKey key;

  if (eeg_tink_key_parse (data, size, &key) == EEG_TINK_KEYS_OK)
    check_key (&key);

  if (size > EEG_TINK_MAX_KEY_FILE_SIZE)
    return 0;
  file = eeg_aead_secret_new_copy (data, size);
  if (eeg_tink_keys_parse (file, &keys) == EEG_TINK_KEYS_OK) {
    if (keys->n_keys < 1 || keys->n_keys > EEG_TINK_MAX_KEYS)
      abort ();
    for (size_t i = 0; i < keys->n_keys; i++)
      check_key (&keys->keys[i]);
    eeg_tink_keys_free (keys);
  }
  eeg_aead_secret_free (file);
  return 0;
}
