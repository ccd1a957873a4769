/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_INSPECTOR_H__
#define __GST_EEG_INSPECTOR_H__

#include <gst/eeg/eeg.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_INSPECTOR (gst_eeg_inspector_get_type ())
G_DECLARE_DERIVABLE_TYPE (GstEegInspector, gst_eeg_inspector, GST,
    EEG_INSPECTOR, GstEegFilter)

typedef struct
{
  GstClockTime window;
} GstEegInspectorSettings;

#define GST_EEG_INSPECTOR_DEFAULT_WINDOW GST_SECOND

/* What the elements of this plugin share: they look at windows of samples, pass
 * buffers on, and take hot settings in the same way.
 *
 * Their settings begin with GstEegInspectorSettings.
 *
 * state_magic: eight bytes that begin a saved state, the last one its version.
 * check: whether settings can be met in windows of so many frames; info is NULL
 *     before there are caps
 * Samples, on the streaming thread:
 * set_up: makes what the active settings ask for, for windows of so many frames
 * begin_run: a run of samples begins with this buffer, or goes on if that is
 * NULL;
 *     was_off if `enabled` was switched before it; may be NULL
 * get_margin: samples before a window on which what is found in it depends;
 * none
 *     if it is NULL
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
  gboolean (*check) (gconstpointer settings, const GstEegInfo *info,
      gsize window, GError **error);
  gboolean (*set_up) (GstEegInspector *self, const GstEegInfo *info,
      gsize window, GError **error);
  void (*begin_run) (GstEegInspector *self, GstBuffer *buffer, guint64 index,
      gboolean was_off);
  guint64 (*get_margin) (GstEegInspector *self);
  void (*start_window) (GstEegInspector *self, guint64 first);
  void (*add) (GstEegInspector *self, gconstpointer data, gsize frames);
  void (*end_window) (GstEegInspector *self, guint64 first, gsize frames,
      gboolean is_whole);
  GstFlowReturn (*finish) (GstEegInspector *self, GstBuffer **buffer,
      guint64 index, gsize frames);
};

G_END_DECLS

#endif /* __GST_EEG_INSPECTOR_H__ */
