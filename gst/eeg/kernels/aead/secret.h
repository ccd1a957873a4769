/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Bytes nobody may see: locked in memory where the system allows it, kept out
 * of core dumps, between guard pages, and wiped when freed.
 */

#ifndef EEG_KERNELS_AEAD_SECRET_H
#define EEG_KERNELS_AEAD_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct
{
  /* never NULL in a secret that exists, also when size is 0 */
  uint8_t *data;
  size_t size;
} EegAeadSecret;

/* Zero bytes; NULL when memory is short. */
EegAeadSecret *eeg_aead_secret_new (size_t size);

EegAeadSecret *eeg_aead_secret_new_copy (const void *data, size_t size);

/*
 * Reads @path to its end, straight into protected memory. Any kind of file
 * will do, also a pipe.
 * Returns NULL with errno set: as open() and read() do, EFBIG when there are
 * more than @max_size bytes, ENOMEM.
 * @exposed (may be NULL) tells whether a regular file can be read by its group
 * or by others.
 */
EegAeadSecret *eeg_aead_secret_new_from_file (const char *path, size_t max_size,
    bool *exposed);

/* Wipes and frees; NULL is allowed. */
void eeg_aead_secret_free (EegAeadSecret *secret);

#endif
