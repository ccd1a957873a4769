/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EEG_DIGEST_H
#define EEG_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest digest of any kernel, in bytes. */
#define EEG_DIGEST_MAX_SIZE 64

/*
 * A message digest: the functions work on @state_size bytes of memory that
 * the caller allocates with the alignment of malloc() and keeps for itself.
 * Kernels are immutable and may be used from any thread; a state belongs to
 * one thread at a time. A state holds no pointers and needs no clean-up.
 */
typedef struct _EegDigestKernel
{
  /* "blake3", "sha256" or "sha512" */
  const char *algorithm;
  /* the library that does the work, for display and for tests */
  const char *backend;
  /* bytes of a digest, at most EEG_DIGEST_MAX_SIZE */
  size_t digest_size;
  /* bytes of a state in memory */
  size_t state_size;
  /* the most bytes that save() writes */
  size_t saved_size;

  /* Begins a new message. */
  void (*init) (void *state);

  /* Appends @size bytes of @data (which may be NULL if @size is 0). The digest
   * does not depend on how the message was split. */
  void (*update) (void *state, const void *data, size_t size);

  /* Writes the digest of the message so far, @digest_size bytes. The message
   * may be continued after that. */
  void (*final) (void *state, uint8_t *digest);

  /* Writes the state to @blob (room for @saved_size bytes) in a form that
   * does not depend on the machine or the back end, and returns its length.
   * The message may be continued after that. */
  size_t (*save) (void *state, uint8_t *blob);

  /* Makes @state the one that was saved and returns true; returns false and
   * leaves @state as it was if @blob is not a saved state of this algorithm
   * and format version. Any bytes are safe to pass. */
  bool (*restore) (void *state, const uint8_t *blob, size_t size);
} EegDigestKernel;

/*
 * Returns the kernel for @algorithm, or NULL if it was not built. @backend
 * chooses one of "libcrypto" and "libsodium" for SHA-2; NULL takes the
 * fastest there is.
 */
const EegDigestKernel *eeg_digest_find (const char *algorithm,
    const char *backend);

#endif
