/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_EEG_ALLOCATOR_H__
#define __GST_EEG_ALLOCATOR_H__

#include <gst/eeg/eeg-prelude.h>

G_BEGIN_DECLS

/**
 * GST_EEG_ALIGNMENT:
 *
 * Alignment of every slab in bytes: a cache line, and the widest vector.
 */
#define GST_EEG_ALIGNMENT 64

#define GST_TYPE_EEG_ALLOCATOR (gst_eeg_allocator_get_type ())
GST_EEG_API
G_DECLARE_FINAL_TYPE (GstEegAllocator, gst_eeg_allocator, GST, EEG_ALLOCATOR,
    GstAllocator)

GST_EEG_API
GstEegAllocator *gst_eeg_allocator_new (gsize slab_size, guint max_slabs);

GST_EEG_API
GstFlowReturn gst_eeg_allocator_acquire (GstEegAllocator *allocator, gsize size,
    gboolean wait, GstMemory **memory);

GST_EEG_API
void gst_eeg_allocator_set_flushing (GstEegAllocator *allocator,
    gboolean flushing);

GST_EEG_API
gsize gst_eeg_allocator_get_slab_size (GstEegAllocator *allocator);

GST_EEG_API
guint gst_eeg_allocator_get_max_slabs (GstEegAllocator *allocator);

GST_EEG_API
void gst_eeg_allocator_get_counts (GstEegAllocator *allocator, guint *allocated,
    guint *in_use, guint64 *reused);

GST_EEG_API
GstBufferPool *gst_eeg_buffer_pool_new (GstCaps *caps, gsize size,
    guint min_buffers, guint max_buffers);

GST_EEG_API
gboolean gst_eeg_allocation_propose (GstQuery *query, gsize size,
    guint min_buffers);

GST_EEG_API
gboolean gst_eeg_allocation_decide (GstQuery *query, gsize size,
    guint min_buffers);

G_END_DECLS

#endif /* __GST_EEG_ALLOCATOR_H__ */
