/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_CHUNK_CODEC_H__
#define __GST_EEG_CHUNK_CODEC_H__

#include <gst/eeg/eeg-prelude.h>
#include <gst/eeg/gsteegstage.h>

G_BEGIN_DECLS

/*
 * How a subclass uses this base class; docs/design/chunk-engine.md has the
 * reasons.
 *
 * An encoder implements capacity(), bound() and process(). The base class
 * gathers capacity() bytes, however the input was split, calls prepare() on the
 * streaming thread and process() on any thread, and pushes the results in
 * order. begin() makes the header of a stream, finish() its trailer.
 * - frames (zstd, gzip, lz4): one job is one frame.
 * - cells of fixed size (Tink, age): capacity() is a batch of cells, cut() says
 *   how many bytes of an unfinished batch are whole cells (live input does not
 *   wait for the batch), hold_back keeps a full job until more input or the end
 *   is known, so that job->last can be set on the one job that ends the stream.
 *   The subclass counts its cells in prepare(), begin() restarts them under a
 *   new header with fresh randomness.
 * - one stream (brotli): sequential; process() runs in order, one at a time.
 *
 * A decoder implements parse() and process(), stream() or both. parse() runs on
 * the streaming thread and says what the next bytes are: a header to step over,
 * a unit that process() decodes on its own, on any thread, a unit that stream()
 * decodes in order, or damage.
 *
 * An element whose pads are not the two of the base class has no pad templates
 * `sink` or `src`. With request sink pads, it merges what comes in on them in
 * one thread at a time and hands on the result: events to
 * gst_eeg_chunk_codec_take_event(), what shall be one job to
 * gst_eeg_chunk_codec_take_job(); capacity() is not used. With sometimes source
 * pads, it implements push() and push_event(), and its pads' activation calls
 * gst_eeg_chunk_codec_close().
 *
 * process() is a pure function: it reads the job, its worker's context and what
 * start(), begin() or parse() made and nothing changes while jobs are out (take
 * a reference in prepare() to what a later begin() replaces). It takes no lock,
 * posts and pushes nothing.
 */

#define GST_TYPE_EEG_CHUNK_CODEC (gst_eeg_chunk_codec_get_type ())
GST_EEG_API
G_DECLARE_DERIVABLE_TYPE (GstEegChunkCodec, gst_eeg_chunk_codec, GST,
    EEG_CHUNK_CODEC, GstElement)

typedef struct _GstEegChunkPiece GstEegChunkPiece;
typedef struct _GstEegChunkJob GstEegChunkJob;
typedef struct _GstEegChunkUnit GstEegChunkUnit;
typedef struct _GstEegChunkLimits GstEegChunkLimits;

/**
 * GstEegChunkPiece:
 * @data: bytes that lie together
 * @size: their number
 *
 * A part of a job's input.
 */
struct _GstEegChunkPiece
{
  const guint8 *data;
  gsize size;
};

/**
 * GstEegChunkJob:
 * @data: input of the job; %NULL if it lies in several pieces
 * @size: bytes of the input; 0 only for the one job of an empty stream
 * @pieces: (array length=n_pieces): the input as it lies in memory, at least
 *     @size bytes
 * @n_pieces: number of pieces, 1 unless the class takes more
 * @offset: input bytes of the stream before this input
 * @pts: time stamp of the first input buffer in the job that had one
 * @duration: time that the job's input spans, if known
 * @last: the job ends its stream: encoders mark it final
 * @out: where process() writes
 * @out_capacity: bytes there: bound() of an encoder, the unit's @out_size of a
 *     decoder
 * @out_size: set by process(): bytes written. They are pushed also when it
 *     fails, so a failing decoder leaves here what it verified before
 * @elapsed: time that process() took
 * @values: for the subclass, from prepare() to emit(), all 0 at first
 * @user_data: for the subclass, %NULL at first
 * @user_free: frees @user_data when the job is over
 *
 * One piece of work and its result.
 */
struct _GstEegChunkJob
{
  const guint8 *data;
  gsize size;
  const GstEegChunkPiece *pieces;
  guint n_pieces;
  guint64 offset;
  GstClockTime pts;
  GstClockTime duration;
  gboolean last;

  guint8 *out;
  gsize out_capacity;
  gsize out_size;

  GstClockTime elapsed;
  guint64 values[4];
  gpointer user_data;
  GDestroyNotify user_free;

  /*< private >*/
  gpointer _gst_reserved[GST_PADDING];
};

/**
 * GstEegChunkParse:
 * @GST_EEG_CHUNK_PARSE_MORE: more input is needed: @size bytes in all, if known
 * @GST_EEG_CHUNK_PARSE_SKIP: @size bytes carry no data; may be more than there
 *     is yet
 * @GST_EEG_CHUNK_PARSE_JOB: @size bytes become at most @out_size bytes, by
 *     process()
 * @GST_EEG_CHUNK_PARSE_STREAM: stream() takes over here
 * @GST_EEG_CHUNK_PARSE_LOST: @size bytes are damaged and @out_size bytes (0 if
 *     unknown) of the output are lost; only when salvaging
 * @GST_EEG_CHUNK_PARSE_ERROR: the error is set
 *
 * What parse() found.
 */
typedef enum
{
  GST_EEG_CHUNK_PARSE_MORE,
  GST_EEG_CHUNK_PARSE_SKIP,
  GST_EEG_CHUNK_PARSE_JOB,
  GST_EEG_CHUNK_PARSE_STREAM,
  GST_EEG_CHUNK_PARSE_LOST,
  GST_EEG_CHUNK_PARSE_ERROR
} GstEegChunkParse;

/**
 * GstEegChunkUnit:
 * @size: bytes of input, see #GstEegChunkParse
 * @out_size: bytes of output, see #GstEegChunkParse
 * @last: the job ends its stream
 *
 * The next unit of a decoder's input; all 0 before parse().
 */
struct _GstEegChunkUnit
{
  guint64 size;
  gsize out_size;
  gboolean last;

  /*< private >*/
  gpointer _gst_reserved[GST_PADDING];
};

/**
 * GstEegChunkStream:
 * @GST_EEG_CHUNK_STREAM_MORE: to be called again, with more input if all was
 *     consumed and the output was not full
 * @GST_EEG_CHUNK_STREAM_END: the unit is over; parse() comes next
 * @GST_EEG_CHUNK_STREAM_ERROR: the error is set
 *
 * What stream() says.
 */
typedef enum
{
  GST_EEG_CHUNK_STREAM_MORE,
  GST_EEG_CHUNK_STREAM_END,
  GST_EEG_CHUNK_STREAM_ERROR
} GstEegChunkStream;

/**
 * GstEegChunkLimits:
 * @max_input: most input bytes of a job
 * @max_output: most output bytes of a job
 * @context_bytes: memory of one worker's context
 * @extra_bytes: memory that the codec holds beside jobs and contexts
 *
 * What a codec with its settings can need.
 */
struct _GstEegChunkLimits
{
  gsize max_input;
  gsize max_output;
  gsize context_bytes;
  gsize extra_bytes;

  /*< private >*/
  gpointer _gst_reserved[GST_PADDING];
};

/**
 * GstEegChunkCodecClass:
 * @parent_class: parent
 * @kind: what the element does, one of the four coding kinds
 * @media_type: media type of the coded side, as in the pad template
 * @hold_back: the last job must be known as such before it is made
 * @sequential: process() depends on the jobs before: in order, one at a time
 * @takes_pieces: an encoder's process() reads job->pieces, so that large input
 *     buffers are not copied together
 * @library: (nullable): name and version of the library whose output may be
 *     another one in another version
 * @can_resume: whether the element's output can be continued behind any chunk,
 *     by a new process that knows nothing but the number of bytes, and what
 *     @restore is given: not if chunks depend on each other or on time. Any
 *     state, any thread; %NULL: it never can
 * @resume: the stream goes on where a process before was, behind @input bytes,
 *     which became @output ones: finds out what more there is to know of them.
 *     Before anything that makes a sink write is sent; only with a source pad;
 *     optional, streaming thread. %FALSE with no error set: the element is
 *     being stopped
 * @save_input: what is needed beside the numbers of the base class to go on
 *     behind a barrier, as far as the thread that sends jobs knows it; on that
 *     thread, when all before the barrier was sent. No samples and no keys;
 *     with
 *     @save_output, below 96 KiB. Optional; of a decoder, %NULL with no error
 *     set if the next unit depends on what was parsed before: the barrier
 *     leaves behind that
 * @save_output: the same, as far as the side that pushes knows it; as @emit
 * @restore: takes both, before anything streams; %FALSE if they are not what
 *     was saved. With @save_input and @save_output, or none of them
 * @label: makes what carries the label of a part (one line of text) in the
 *     coded stream, and other decoders step over; %NULL if it will be in what
 *     is pushed next. Optional, as @emit
 * @begin_part: of an encoder that counts samples, not bytes: sets the first
 *     sample and the origin of a part; given is what is known of the first part
 *     of this run. On the thread that sends jobs; without it, an encoder with
 *     request sink pads makes no parts
 * @limits: what jobs can need with the current settings; any state, any thread
 * @start: READY to PAUSED: checks settings, makes what is needed; %FALSE with
 *     the error set to refuse
 * @stop: PAUSED to READY, no thread runs any more; also after a failed @start
 * @reset: a flush or a new stream drops all that was known; streaming thread,
 *     no jobs are out
 * @set_caps: input caps arrived, before their first data; streaming thread
 * @worker_new: makes a worker's context; on the thread that will use it
 * @worker_free: frees it
 * @latency: what an encoder adds to the latency; optional, any thread
 * @begin: a stream begins with its first data or its end: makes the header, if
 *     the format has one; streaming thread
 * @capacity: input bytes of the next job; streaming thread
 * @cut: how many of @size bytes, below capacity(), can leave as whole cells;
 *     optional, streaming thread
 * @bound: most output of a job of @size bytes
 * @parse: what the next input is. @data holds @size bytes, at @eos all that
 *     will come; it may then be called with none. Called again with the same
 *     bytes and more after %GST_EEG_CHUNK_PARSE_MORE. Streaming thread
 * @prepare: last look at a job before it leaves the streaming thread: takes
 *     a copy of the hot settings into the job, counts cells
 * @process: does the work, see the top of this file
 * @stream: decodes in order: up to @size bytes of @data into @out; sets
 *     @consumed and @produced; streaming thread, no jobs are out
 * @emit: a job's result is about to be pushed: in order, one at a time, no
 *     lock is held. May read the job, change or replace @buffer
 * @pushed: a job's result was pushed, with what it took: in order, as @emit
 * @push: takes the place of a source pad: pushes a job's result, %NULL if it is
 *     empty; (transfer full) of the buffer. In order, as @emit
 * @push_event: the same for events that are not the element's own
 * @finish: all jobs of a stream that is complete were pushed: makes the
 *     trailer, if the format has one; in order, as @emit
 *
 * Errors are set as they shall be posted, in the domains of #GstStreamError,
 * #GstResourceError, #GstLibraryError or #GstCoreError.
 */
struct _GstEegChunkCodecClass
{
  GstElementClass parent_class;

  GstEegStageKind kind;
  const gchar *media_type;
  gboolean hold_back;
  gboolean sequential;
  gboolean takes_pieces;
  const gchar *library;

  gboolean (*can_resume) (GstEegChunkCodec *codec, GError **error);
  gboolean (*resume) (GstEegChunkCodec *codec, guint64 input, guint64 output,
      GError **error);
  GBytes *(*save_input) (GstEegChunkCodec *codec, GError **error);
  GBytes *(*save_output) (GstEegChunkCodec *codec, GError **error);
  gboolean (*restore) (GstEegChunkCodec *codec, const guint8 *input,
      gsize input_size, const guint8 *output, gsize output_size);
  GstBuffer *(*label) (GstEegChunkCodec *codec, const gchar *text);
  void (*begin_part) (GstEegChunkCodec *codec, GstEegPart *part);
  void (*limits) (GstEegChunkCodec *codec, GstEegChunkLimits *limits);
  gboolean (*start) (GstEegChunkCodec *codec, GError **error);
  void (*stop) (GstEegChunkCodec *codec);
  void (*reset) (GstEegChunkCodec *codec);
  gboolean (
      *set_caps) (GstEegChunkCodec *codec, const GstCaps *caps, GError **error);
  GstClockTime (*latency) (GstEegChunkCodec *codec, gboolean live);

  gpointer (*worker_new) (GstEegChunkCodec *codec, GError **error);
  void (*worker_free) (GstEegChunkCodec *codec, gpointer worker);

  /* encoders */
  gboolean (
      *begin) (GstEegChunkCodec *codec, GstBuffer **header, GError **error);
  gsize (*capacity) (GstEegChunkCodec *codec);
  gsize (*cut) (GstEegChunkCodec *codec, gsize size);
  gsize (*bound) (GstEegChunkCodec *codec, gsize size);

  /* decoders */
  GstEegChunkParse (*parse) (GstEegChunkCodec *codec, const guint8 *data,
      gsize size, gboolean eos, GstEegChunkUnit *unit, GError **error);
  GstEegChunkStream (*stream) (GstEegChunkCodec *codec, const guint8 *data,
      gsize size, gsize *consumed, guint8 *out, gsize out_capacity,
      gsize *produced, GError **error);

  /* both */
  gboolean (
      *prepare) (GstEegChunkCodec *codec, GstEegChunkJob *job, GError **error);
  gboolean (*process) (GstEegChunkCodec *codec, gpointer worker,
      GstEegChunkJob *job, GError **error);
  gboolean (*emit) (GstEegChunkCodec *codec, GstEegChunkJob *job,
      GstBuffer **buffer, GError **error);
  void (*pushed) (GstEegChunkCodec *codec, const GstEegChunkJob *job);
  GstFlowReturn (*push) (GstEegChunkCodec *codec, const GstEegChunkJob *job,
      GstBuffer *buffer);
  gboolean (*push_event) (GstEegChunkCodec *codec, GstEvent *event);
  gboolean (
      *finish) (GstEegChunkCodec *codec, GstBuffer **trailer, GError **error);

  /*< private >*/
  gpointer _gst_reserved[GST_PADDING_LARGE];
};

GST_EEG_API
gboolean gst_eeg_chunk_job_is_cancelled (const GstEegChunkJob *job);

GST_EEG_API
gboolean gst_eeg_chunk_codec_take_event (GstEegChunkCodec *codec,
    GstEvent *event);

GST_EEG_API
GstFlowReturn gst_eeg_chunk_codec_begin (GstEegChunkCodec *codec);

GST_EEG_API
GstFlowReturn gst_eeg_chunk_codec_take_job (GstEegChunkCodec *codec,
    const GstEegChunkJob *job, GstBuffer *input);

GST_EEG_API
gboolean gst_eeg_chunk_codec_ends_part (GstEegChunkCodec *codec,
    GstEvent *event);

GST_EEG_API
guint64 gst_eeg_chunk_codec_get_n_parts (GstEegChunkCodec *codec);

GST_EEG_API
void gst_eeg_chunk_codec_close (GstEegChunkCodec *codec);

GST_EEG_API
GstFlowReturn gst_eeg_chunk_codec_get_flow (GstEegChunkCodec *codec);

GST_EEG_API
gboolean gst_eeg_chunk_codec_fail (GstEegChunkCodec *codec, GError *error);

GST_EEG_API
GstEegStageCounters *gst_eeg_chunk_codec_get_counters (GstEegChunkCodec *codec);

GST_EEG_API
guint gst_eeg_chunk_codec_get_threads (GstEegChunkCodec *codec);

GST_EEG_API
guint64 gst_eeg_chunk_codec_get_starved (GstEegChunkCodec *codec);

GST_EEG_API
void gst_eeg_chunk_codec_set_chunk_duration (GstEegChunkCodec *codec,
    GstClockTime duration);

GST_EEG_API
void gst_eeg_chunk_codec_set_salvage (GstEegChunkCodec *codec,
    gboolean salvage);

GST_EEG_API
gboolean gst_eeg_chunk_codec_get_salvage (GstEegChunkCodec *codec);

GST_EEG_API
void gst_eeg_chunk_codec_set_max_output_bytes (GstEegChunkCodec *codec,
    guint64 max_output_bytes);

G_END_DECLS

#endif /* __GST_EEG_CHUNK_CODEC_H__ */
