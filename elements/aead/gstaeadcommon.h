/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the ciphers of this plugin share: key files, keys of one stream, and a
 * worker's context. */

#ifndef __GST_AEAD_COMMON_H__
#define __GST_AEAD_COMMON_H__

#include <gst/eeg/eeg.h>

#include "aead/aead.h"
#include "aead/secret.h"
#include "tink/tink.h"

G_BEGIN_DECLS

/* A job of ciphers is a batch of cells of about this many bytes, or one cell
 * if that is larger: long enough to be worth a hand-off to another thread. */
#define GST_AEAD_BATCH_BYTES (2 * 1024 * 1024)

/* values[] of a decoder's job */
enum
{
  GST_AEAD_VALUE_FIRST, /* index of the first cell */
  GST_AEAD_VALUE_ENDED  /* set by process(): the last cell ends the file */
};

/**
 * GstAeadFile:
 *
 * The secret state of one encrypted stream; immutable once jobs hold it.
 */
typedef struct
{
  gatomicrefcount refs;
  guint64 serial; /* differs from any other stream's in this process */
  EegAeadSecret *key;
  EegTinkHeader header; /* Tink only */
  guint32 segment_size; /* Tink only */
} GstAeadFile;

GstAeadFile *gst_aead_file_new (void);
GstAeadFile *gst_aead_file_ref (GstAeadFile *file);
void gst_aead_file_unref (GstAeadFile *file);

/**
 * GstAeadWorker:
 *
 * The context of one thread.
 */
typedef struct
{
  EegAeadContext *context;
  guint64 serial; /* of the stream whose key the context has */
} GstAeadWorker;

gboolean gst_aead_check_cipher (EegAeadCipher cipher, GError **error);

GstAeadWorker *gst_aead_worker_new (EegAeadCipher cipher,
    EegAeadDirection direction, GError **error);
void gst_aead_worker_free (GstAeadWorker *worker);

/* Gives the context the stream's key, unless it has it. */
gboolean gst_aead_worker_use (GstAeadWorker *worker, const GstAeadFile *file);

/* The job's input for a cipher; @pieces has room for job->n_pieces. */
EegAeadReader gst_aead_read_job (const GstEegChunkJob *job,
    EegAeadPiece *pieces);

void gst_aead_set_truncated_error (GError **error);

/* The bytes before the end do not verify; cut or changed looks the same. */
void gst_aead_set_last_error (GError **error);

/* A decoder's emit(): keeps in @ended whether the genuine end was there. FALSE
 * when it is missing at the end; *@error stays as it is when cells came behind
 * it. When salvaging, the end posts `eeg-salvage-end`. */
gboolean gst_aead_emit (GstElement *element, const GstEegChunkJob *job,
    gboolean salvage, gboolean *ended, GError **error);

/* Reads a file of secrets. @domain and @code are those of the error. Posts a
 * warning when others may read the file. */
EegAeadSecret *gst_aead_read_file (GstElement *element, const gchar *path,
    gsize max_size, GQuark domain, gint code, GError **error);

/* Emits @signal, which returns GBytes or NULL; a copy in protected memory. */
EegAeadSecret *gst_aead_request (GstElement *element, guint signal);

G_END_DECLS

#endif /* __GST_AEAD_COMMON_H__ */
