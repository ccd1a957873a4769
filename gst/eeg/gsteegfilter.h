/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_FILTER_H__
#define __GST_EEG_FILTER_H__

#include <gst/base/gstbasetransform.h>
#include <gst/eeg/gsteeginfo.h>
#include <gst/eeg/gsteegstage.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_FILTER (gst_eeg_filter_get_type ())
GST_EEG_API
G_DECLARE_DERIVABLE_TYPE (GstEegFilter, gst_eeg_filter, GST, EEG_FILTER,
    GstBaseTransform)

/**
 * GstEegFilterClass:
 * @parent_class: parent
 * @kind: what the element does; %GST_EEG_STAGE_KIND_TRANSFORM by default
 * @in_place: process() may be given the same memory for input and output, if
 *     frames have the same size on both sides and no more come out than go in
 * @transform_info: fills in @out_info, which begins as a copy of @in_info, with
 *     what comes out for what comes in; also called by queries, from any
 *     thread. Without it the subclass answers transform_caps() itself, or both
 *     sides are equal. Only rate, channels and channel table may differ
 * @negotiate: takes over the settings that decide about the output's caps; what
 *     transform_info() says changes only here. Called before caps are
 *     negotiated, and before a buffer after gst_eeg_filter_renegotiate()
 * @set_info: caps were negotiated; makes what processing needs. Nothing is held
 *     any more: the samples of the old caps were drained
 * @reset: forgets all samples; a new run begins
 * @map_index: index of the first output sample of a run that begins with input
 *     sample @index; the same index by default
 * @bridge: a run begins at input sample @index, where the last one was drained
 *     @missing samples earlier: %TRUE if the filter goes on with what it
 *     remembers; by default, and where it gives %FALSE, it is reset
 * @update: called before each buffer, or piece of one: takes over settings that
 *     were changed
 * @get_piece: how many of the @n_frames next frames may be processed as one
 *     piece, at least 1; all by default. update() is called before the others
 * @get_ready: frames that process() will give for @n_frames more; @n_frames by
 *     default
 * @process: reads @n_in frames, writes the @n_out that get_ready() said
 * @drain: at the end of a run writes up to @max_frames of those still held and
 *     returns how many, 0 when all are out; nothing is held by default
 * @get_delay: frames of input that are held back, at the input's rate; 0 by
 *     default. Decides the latency that is reported
 * @get_memory: bytes that the filter holds beside buffers, with the current
 *     settings; any thread; 0 by default
 * @take_buffer: (transfer full): takes a whole buffer over, which begins with
 *     sample @index; for stages that cut buffers or only look at them, in place
 *     of @get_ready, @process and @drain. Errors are posted already, as by
 *     @give_buffer
 * @give_buffer: called after @take_buffer until there is no more: the next
 *     buffer to go out, of whole frames, or %NULL in @buffer; at the end of a
 *     run with @is_end, when what is held goes out too. Stamps and DISCONT are
 *     seen to by the caller; a buffer whose stamps are right stays untouched
 * @takes_part: whether the filter takes part in checkpoints: it keeps nothing,
 *     or implements the next three functions
 * @get_look_back: frames of input before an output, in its place, on which its
 *     bytes depend: an output so many frames behind a barrier needs nothing
 *     from before it; 0 by default, and where all is saved
 * @save: appends what @resume needs beside samples, when a barrier comes in;
 *     nothing by default
 * @resume: a run goes on with input sample @index, before which the barrier
 *     came in at which @save appended the data. @first is what map_index()
 *     would give
 * @whole_buffers: a barrier leaves between buffers that @give_buffer gives
 * @get_prefilter: (transfer full): what the filter does to channels of type
 *     EEG, EOG, EMG and ECG as EDF says it, for example "HP:0.1Hz LP:40Hz
 *     N:50Hz", or %NULL. It is put behind what the recording event says of
 *     these channels, each time it may have changed
 * @moves_channels: set_info() calls gst_eeg_filter_set_origins(), by which what
 *     the recording event says of channels goes with them
 * @parse_caps: what fixed caps of either side mean, where one of them is not
 *     `application/x-eeg-raw`; gst_eeg_info_from_caps() without it
 * @settings_size: bytes of the structure that holds what the properties say
 *     which were installed by gst_eeg_filter_class_install_setting(); 0 without
 * @copy_settings: copies one into another, which holds settings or only zeroes;
 *     needed where bytes are not enough
 * @clear_settings: frees what one holds; may be %NULL
 * @apply_settings: whether settings can be met for what comes in, or by
 *     themselves where @info is %NULL, before that is known; makes what they
 *     ask for and leaves it to be taken over. Called by the thread that set
 *     properties or starts the element, under the lock of the settings, see
 *     gst_eeg_filter_lock_settings(); nothing is posted then
 * @settings_renegotiate: caps or what set_info() makes depend on settings: a
 *     change that can be met is followed by gst_eeg_filter_renegotiate(), with
 *     which the settings become active
 *
 * All but @get_memory, @transform_info, @parse_caps and those about settings
 * are called on the streaming thread, without a lock. A function that returns
 * %FALSE sets the error as it shall be posted.
 */
struct _GstEegFilterClass
{
  GstBaseTransformClass parent_class;

  GstEegStageKind kind;
  gboolean in_place;

  gboolean (*set_info) (GstEegFilter *filter, const GstEegInfo *in_info,
      const GstEegInfo *out_info, GError **error);
  void (*reset) (GstEegFilter *filter);
  guint64 (*map_index) (GstEegFilter *filter, guint64 index);
  void (*update) (GstEegFilter *filter);
  gsize (*get_ready) (GstEegFilter *filter, gsize n_frames);
  gboolean (*process) (GstEegFilter *filter, gconstpointer in, gsize n_in,
      gpointer out, gsize n_out, GError **error);
  gsize (*drain) (GstEegFilter *filter, gpointer out, gsize max_frames);
  gsize (*get_delay) (GstEegFilter *filter);
  gsize (*get_memory) (GstEegFilter *filter);
  gboolean (*transform_info) (GstEegFilter *filter, const GstEegInfo *in_info,
      GstEegInfo *out_info, GError **error);
  void (*negotiate) (GstEegFilter *filter);
  gboolean (*bridge) (GstEegFilter *filter, guint64 index, guint64 missing);
  gsize (*get_piece) (GstEegFilter *filter, gsize n_frames);
  GstFlowReturn (
      *take_buffer) (GstEegFilter *filter, GstBuffer *buffer, guint64 index);
  GstFlowReturn (
      *give_buffer) (GstEegFilter *filter, gboolean is_end, GstBuffer **buffer);
  gboolean (*parse_caps) (GstEegFilter *filter, const GstCaps *caps,
      GstEegInfo *info);
  gchar *(*get_prefilter) (GstEegFilter *filter);
  gboolean moves_channels;
  gboolean takes_part;
  gboolean whole_buffers;
  guint64 (*get_look_back) (GstEegFilter *filter);
  gboolean (*save) (GstEegFilter *filter, GByteArray *to, GError **error);
  gboolean (*resume) (GstEegFilter *filter, guint64 index, const guint8 *data,
      gsize size, guint64 *first, GError **error);

  gsize settings_size;
  gboolean settings_renegotiate;
  void (*copy_settings) (gpointer to, gconstpointer from);
  void (*clear_settings) (gpointer settings);
  gboolean (*apply_settings) (GstEegFilter *filter, gconstpointer settings,
      const GstEegInfo *info, GError **error);

  /*< private >*/
  gpointer _gst_reserved[GST_PADDING_LARGE];
};

GST_EEG_API
const GstEegInfo *gst_eeg_filter_get_in_info (GstEegFilter *filter);

GST_EEG_API
const GstEegInfo *gst_eeg_filter_get_out_info (GstEegFilter *filter);

GST_EEG_API
GstEegStageCounters *gst_eeg_filter_get_counters (GstEegFilter *filter);

GST_EEG_API
GstFlowReturn gst_eeg_filter_acquire_buffer (GstEegFilter *filter, gsize size,
    GstBuffer **buffer);

GST_EEG_API
void gst_eeg_filter_lose_buffer (GstEegFilter *filter, GstBuffer *buffer,
    const gchar *reason);

GST_EEG_API
void gst_eeg_filter_set_origins (GstEegFilter *filter, const guint *origins,
    guint n_channels);

GST_EEG_API
void gst_eeg_filter_renegotiate (GstEegFilter *filter);

GST_EEG_API
void gst_eeg_filter_add_marker (GstEegFilter *filter, guint64 sample,
    guint64 n_samples, const gchar *text);

GST_EEG_API
guint64 gst_eeg_filter_get_resumed (GstEegFilter *filter);

GST_EEG_API
void gst_eeg_filter_fail_barriers (GstEegFilter *filter, const gchar *reason);

GST_EEG_API
void gst_eeg_filter_class_install_enabled (GstEegFilterClass *klass,
    guint property_id);

GST_EEG_API
void gst_eeg_filter_set_enabled (GstEegFilter *filter, gboolean enabled);

GST_EEG_API
gboolean gst_eeg_filter_get_enabled (GstEegFilter *filter);

GST_EEG_API
void gst_eeg_filter_class_install_setting (GstEegFilterClass *klass,
    guint property_id, GParamSpec *pspec);

GST_EEG_API
void gst_eeg_filter_init_settings (GstEegFilter *filter,
    gconstpointer defaults);

GST_EEG_API
gpointer gst_eeg_filter_peek_settings (GstEegFilter *filter);

GST_EEG_API
void gst_eeg_filter_get_settings (GstEegFilter *filter, gpointer settings);

GST_EEG_API
void gst_eeg_filter_get_active_settings (GstEegFilter *filter,
    gpointer settings);

GST_EEG_API
gboolean gst_eeg_filter_apply_settings (GstEegFilter *filter, GError **error);

GST_EEG_API
void gst_eeg_filter_lock_settings (GstEegFilter *filter);

GST_EEG_API
void gst_eeg_filter_unlock_settings (GstEegFilter *filter);

G_END_DECLS

#endif /* __GST_EEG_FILTER_H__ */
