/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_FILE_SINK_PRIVATE_H__
#define __GST_EEG_FILE_SINK_PRIVATE_H__

#include <gst/eeg/eeg.h>

#include "checkpoint.h"
#include "durable.h"
#include "gsteegcheckpointer.h"
#include "gsteegfilesink.h"
#include "gsteegparts.h"

G_BEGIN_DECLS

/*
 * What the files of eegfilesink share: the element itself, the recording with
 * checkpoints (gsteegfilesink-checkpoints.c), and the recording that is cut
 * into parts (gsteegfilesink-parts.c).
 */

struct settings
{
  gchar *location;
  gboolean overwrite;
  guint64 sync_bytes;
  GstClockTime sync_time;
  gboolean checkpoint;
  gchar *checkpoint_location;
  guint max_retries;
  guint64 rotate_bytes;
  GstClockTime rotate_time;
};

/* Sinks that cut their recordings at the same places; one or more. */
typedef struct _GstEegFileSinkGroup GstEegFileSinkGroup;

/* Of a recording with checkpoints. */
struct resume
{
  gboolean enabled;
  gboolean fresh;   /* begun by this run */
  gboolean already; /* it was whole before: there is nothing to do */
  gboolean cut;     /* what is behind the checkpoint is still there */
  gboolean begins;  /* the first segment is to be at the checkpoint */
  guint64 cut_at;
  gchar *location; /* of the output */
  gchar *sidecar;
  guint8 recording[EEG_CHECKPOINT_UUID_SIZE];
  guint max_retries;
  EegCheckpoint *from; /* that this run goes on from */
  GPtrArray *restored; /* stages to which states were handed */
  gboolean counted;    /* as a retry of that */
  GstEegBarrier *last; /* barrier that came by */
  GPtrArray *peers;    /* of GstEegPeer: the sinks behind the same tee */
};

/* Of a recording that is cut into parts. */
struct parts
{
  gboolean enabled;
  gboolean is_live;
  gboolean overwrite;
  gchar *name;                /* of all parts */
  GPtrArray *stages;          /* that were told */
  GstEegPart part;            /* that is written */
  guint64 ended;              /* number of the last one that came to its end */
  guint64 id;                 /* of the checkpoint there */
  GstEegFileSinkGroup *group; /* any thread, under that file's lock */

  gboolean requested; /* its end */
  GstClockTime began; /* its first bytes, by the system's clock */
  GstClockTime first; /* their time stamp */
  guint64 base;       /* position of its first byte in the stream */
};

struct state
{
  gboolean begun;       /* there was a buffer */
  gboolean complete;    /* the source announced its true end */
  gboolean finished;    /* the file has its name */
  gboolean flushed;     /* after something was written */
  gboolean failed;      /* and the error is posted */
  gboolean disk_failed; /* that was the disk's */
  GstSegment segment;   /* the last one */
  guint32 segment_seqnum;

  /* of the loss bound */
  GstClockTime oldest; /* longest that samples took to come here */
  GstClockTime posted_oldest;
  GstClockTime posted_sync; /* longest that one took */
  gboolean posted;
  guint64 posted_bytes;
  GstClockTime posted_time;
};

/* Locking: the stream lock protects `state`, and so does a stopped stream. The
 * object lock protects `settings`, `counts` and those after it, and `file`
 * where another thread uses it; the file's own lock is a leaf below it.
 * `resume` is set before the file's thread may use it, but for `last`, which is
 * the stream's, as `parts` is. The file is another one from part to part.
 * No lock of ours is held over writes, syncs, posts and queries. */
struct _GstEegFileSink
{
  GstBaseSink parent;

  struct settings settings;
  struct state state;
  struct resume resume;
  struct parts parts;
  EegDurableFile *file;    /* from PAUSED on */
  EegDurableCounts counts; /* of the last one, once it is closed */
  EegDurableCounts before; /* of the parts before it */
  gboolean flushing;       /* no wait of the file's is to be begun */
  gboolean finished;       /* the same as in the state */
  guint64 checkpoints;     /* that were stored */
  guint64 checkpoint_id;   /* of the last of them */
  gchar *output;           /* file that this run goes on with, or NULL */
  guint64 output_size;     /* of it, then */
  gint bound_changed;      /* atomic: by a setting */

  GstEegStageCounters counters;
};

GST_DEBUG_CATEGORY_EXTERN (gst_eeg_file_sink_debug);

/* --- gsteegfilesink.c ---------------------------------------------------- */

/* To be cleared. */
struct settings gst_eeg_file_sink_copy_settings (GstEegFileSink *self);

void gst_eeg_file_sink_clear_settings (struct settings *settings);

/* transfer full */
gchar *gst_eeg_file_sink_get_sidecar (const struct settings *settings);

/* Whether the recording is cut into parts. */
gboolean gst_eeg_file_sink_has_parts (const struct settings *settings);

/* Of a file at @location, once; its error stays. */
void gst_eeg_file_sink_post_error (GstEegFileSink *self, const gchar *location,
    EegDurableResult result, int error);

/* The same of the file that is open. */
GstFlowReturn gst_eeg_file_sink_fail (GstEegFileSink *self,
    EegDurableResult result);

/* The same of what is no file's fault. FALSE, to be returned. */
gboolean gst_eeg_file_sink_post_refusal (GstEegFileSink *self, GQuark domain,
    gint code, const gchar *message, const gchar *reason);

/* The same of a file that is not to be written over. transfer full error;
 * FALSE */
gboolean gst_eeg_file_sink_refuse_files (GstEegFileSink *self, GError *error);

/* transfer full error; FALSE */
gboolean gst_eeg_file_sink_refuse_checkpoints (GstEegFileSink *self,
    GError *error);

/* FALSE */
gboolean gst_eeg_file_sink_refuse_to_go_on (GstEegFileSink *self,
    const gchar *reason);

/* transfer full file; open from here on */
void gst_eeg_file_sink_take_file (GstEegFileSink *self, EegDurableFile *file);

/* --- gsteegfilesink-checkpoints.c ---------------------------------------- */

gboolean gst_eeg_file_sink_open_with_checkpoints (GstEegFileSink *self,
    gboolean overwrite);

void gst_eeg_file_sink_clear_resume (GstEegFileSink *self);

/* Hands their states to @stages. FALSE after an error. */
gboolean gst_eeg_file_sink_restore (GstEegFileSink *self,
    const EegCheckpoint *checkpoint, GPtrArray *stages, gboolean at_end,
    GError **error);

/* The run is over: what no stage has taken by now must not be where a later
 * one begins. */
void gst_eeg_file_sink_forget_states (GstEegFileSink *self);

/* Whether stages before may read in a file what they wrote before this run. */
gboolean gst_eeg_file_sink_answer_output (GstEegFileSink *self,
    GstQuery *query);

/*
 * Finds the other recording sinks behind the tees before this one, which begin,
 * go on and end parts together. transfer full; NULL with @error set if one
 * cannot, or there is a sink of another kind.
 */
GPtrArray *gst_eeg_file_sink_find_others (GstEegFileSink *self, GError **error);

/* Says how it went to store a checkpoint of a sink. Any thread. */
void gst_eeg_file_sink_report (GObject *owner, const EegCheckpoint *checkpoint,
    EegCheckpointResult result);

/* The sidecar could not be written, with errno if the system refused; @code: if
 * that is not because the disk is full. FALSE */
gboolean gst_eeg_file_sink_post_store_error (GstEegFileSink *self,
    const gchar *message, gint code, EegCheckpointResult result, gint error);

/* transfer full; the one before anything is written. FALSE after an error. */
gboolean gst_eeg_file_sink_store_first (GstEegFileSink *self,
    EegDurableFile *file, EegCheckpoint *checkpoint);

/* A chunk that stops the pipeline each time must not do so for ever. FALSE
 * after an error. */
gboolean gst_eeg_file_sink_may_retry (GstEegFileSink *self,
    const EegCheckpoint *checkpoint);

/* A disk that is full is not the chunk's fault. */
void gst_eeg_file_sink_forgive (GstEegFileSink *self);

/* The stream begins: the source has found its input to be the right one, so
 * what is behind the checkpoint comes once more. FALSE after an error. */
gboolean gst_eeg_file_sink_cut_file (GstEegFileSink *self);

/* All bytes before the barrier were written. FALSE after an error. */
gboolean gst_eeg_file_sink_mark_barrier (GstEegFileSink *self,
    GstEegBarrier *barrier);

/* The same pipeline, run again, finds out that there is nothing to do but maybe
 * to give the file its name: so this is stored before it gets that. */
void gst_eeg_file_sink_mark_as_complete (GstEegFileSink *self);

/* --- gsteegfilesink-group.c ----------------------------------------------- */

/* A part that is on disk, and is to get its name. */
struct ended_part
{
  guint64 number;
  EegDurableFile *file;      /* NULL: there is not a byte in it */
  EegCheckpoint *checkpoint; /* NULL: none is stored */
  gboolean is_last;          /* of the recording */
  guint64 id;                /* of the last checkpoint, of an empty last one */
  guint64 first;             /* place of its first sample or byte */
  guint64 size;
};

/* How a recording in parts begins, or goes on. */
struct beginning
{
  gboolean goes_on;
  guint64 id; /* of the checkpoint that all sinks have, not live */
  guint8 recording[GST_EEG_PART_UUID_SIZE];
  GstEegPart part;     /* that a sink without a sidecar goes on with */
  guint64 last_number; /* of a part of any sink on disk, live */
  gint64 written;      /* when it was last, microseconds since 1970 */
};

/*
 * Joins the others behind the same tee, the first of which decides for all how
 * they begin. FALSE after an error.
 */
gboolean gst_eeg_file_sink_join (GstEegFileSink *self, GPtrArray *others,
    struct beginning *beginning);

/* It stops: what it handed over, and does not have its name yet, never gets
 * it. */
void gst_eeg_file_sink_leave (GstEegFileSink *self);

/* Whether @others are those that were there at the start. */
gboolean gst_eeg_file_sink_is_with (GstEegFileSink *self, GPtrArray *others);

/*
 * Hands over a part, transfer full. Where parts may have to be recorded once
 * more, it gets its name when all sinks have handed over theirs and stored the
 * checkpoint, else at once. FALSE after an error.
 */
gboolean gst_eeg_file_sink_hand_over (GstEegFileSink *self,
    struct ended_part *ended);

/* --- gsteegfilesink-parts.c ---------------------------------------------- */

gboolean gst_eeg_file_sink_open_with_parts (GstEegFileSink *self,
    const struct settings *settings);

void gst_eeg_file_sink_clear_parts (GstEegFileSink *self);

/* transfer full */
gchar *gst_eeg_file_sink_get_part_location (GstEegFileSink *self,
    guint64 number);

/* Has the part enough? Then it is to end at the next barrier. */
void gst_eeg_file_sink_request_part (GstEegFileSink *self, GstBuffer *buffer);

/* FALSE after an error: what was there at the start is not all any more, and
 * what came later knows nothing of parts. */
gboolean gst_eeg_file_sink_check_part_stages (GstEegFileSink *self);

/* All of the part was written; what comes goes to another file. FALSE after an
 * error. */
gboolean gst_eeg_file_sink_end_part (GstEegFileSink *self,
    GstEegBarrier *barrier);

/* All of the recording was written. FALSE after an error. */
gboolean gst_eeg_file_sink_finish_parts (GstEegFileSink *self);

/* What the label says may be more than was told: after a crash, the next part
 * has to know when the first one began. FALSE after an error. */
gboolean gst_eeg_file_sink_take_label (GstEegFileSink *self,
    const GstEegPart *label);

/* A part begins wherever the stream goes on; a muxer's begins at 0. A recording
 * goes on at its checkpoint. FALSE after an error. */
gboolean gst_eeg_file_sink_go_to (GstEegFileSink *self, guint64 position);

G_END_DECLS

#endif /* __GST_EEG_FILE_SINK_PRIVATE_H__ */
