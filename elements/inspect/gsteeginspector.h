/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_INSPECTOR_H__
#define __GST_EEG_INSPECTOR_H__

#include <gst/eeg/eeg.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_INSPECTOR (gst_eeg_inspector_get_type ())
G_DECLARE_DERIVABLE_TYPE (GstEegInspector, gst_eeg_inspector, GST,
    EEG_INSPECTOR, GstEegFilter)

/* What the elements of this plugin share: they look at windows of samples, pass
 * buffers on, and take hot settings in the same way.
 *
 * state_magic: eight bytes that begin a saved state, the last one its version.
 * Settings; the first three are called with the object lock held:
 * keep: the settings as set become the good ones, or the other way round
 * take: the good settings become the active ones
 * check: whether the settings as set can be met; info is NULL before there are
 *     caps
 * Samples, on the streaming thread:
 * set_up: makes what the active settings ask for, for windows of so many frames
 * begin_run: a run of samples begins with this buffer; was_off if `enabled` was
 *     switched before it; may be NULL
 * start_window: a window begins with sample `first`
 * add: the next frames of the window
 * end_window: its last frame was added, frame `first` + frames - 1; is_whole if
 *     it was not cut off at its beginning
 * finish: all of a buffer was looked at; may take it (and leave NULL), replace
 *     it or fail with an error posted */
struct _GstEegInspectorClass
{
  GstEegFilterClass parent_class;

  guint8 state_magic[8];
  void (*keep) (GstEegInspector *self, gboolean as_set);
  void (*take) (GstEegInspector *self);
  gboolean (
      *check) (GstEegInspector *self, const GstEegInfo *info, GError **error);
  gboolean (*set_up) (GstEegInspector *self, const GstEegInfo *info,
      gsize window, GError **error);
  void (*begin_run) (GstEegInspector *self, GstBuffer *buffer, guint64 index,
      gboolean was_off);
  void (*start_window) (GstEegInspector *self, guint64 first);
  void (*add) (GstEegInspector *self, gconstpointer data, gsize frames);
  void (*end_window) (GstEegInspector *self, guint64 first, gsize frames,
      gboolean is_whole);
  GstFlowReturn (*finish) (GstEegInspector *self, GstBuffer **buffer,
      guint64 index, gsize frames);
};

/* Frames of a window, as it is in use or else as it was set. */
gboolean gst_eeg_inspector_find_window (GstEegInspector *self,
    const GstEegInfo *info, gboolean is_active, gsize *frames, GError **error);

G_END_DECLS

#endif /* __GST_EEG_INSPECTOR_H__ */
