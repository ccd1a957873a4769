/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:gsteegallocator
 * @title: GstEegAllocator
 * @short_description: slabs of one size, aligned, bounded and counted
 *
 * A slab is a memory of fixed size, aligned to 64 bytes, that returns to a free
 * list when its last reference goes. Recycling happens at the #GstMemory, not
 * at the #GstBuffer: a #GstBufferPool discards a buffer of which a slice
 * outlives it, while here the slab comes back as soon as the last slice is
 * gone.
 *
 * Locking: the free list's lock is a leaf; nothing is called under it but
 * malloc and free.
 */
#include "gsteegallocator.h"

#include <stdlib.h>
#include <string.h>

#define GST_CAT_DEFAULT gst_eeg_allocator_debug
GST_DEBUG_CATEGORY_STATIC (GST_CAT_DEFAULT);

#define MEMORY_TYPE "eeg-slab"

typedef struct _EegSlab EegSlab;

struct _EegSlab
{
  GstMemory memory;
  guint8 *data;
  EegSlab *next; /* in the free list */
};

struct _GstEegAllocator
{
  GstAllocator parent;

  gsize slab_size; /* constant */
  guint max_slabs; /* constant; 0: no limit */

  GMutex lock;
  GCond available;
  EegSlab *free_list;
  guint allocated; /* slabs that exist */
  guint in_use;
  guint64 reused;
  gboolean flushing;
};

G_DEFINE_TYPE_WITH_CODE (GstEegAllocator, gst_eeg_allocator, GST_TYPE_ALLOCATOR,
    GST_DEBUG_CATEGORY_INIT (GST_CAT_DEFAULT, "eegallocator", 0,
        "EEG slab allocator"))

static gpointer
eeg_slab_map (GstMemory *memory, gsize maxsize, GstMapFlags flags)
{
  EegSlab *slab =
      (EegSlab *) (memory->parent != NULL ? memory->parent : memory);

  return slab->data;
}

static void
eeg_slab_unmap (GstMemory *memory)
{
}

static GstMemory *
eeg_slab_share (GstMemory *memory, gssize offset, gssize size)
{
  GstMemory *parent = memory->parent != NULL ? memory->parent : memory;
  EegSlab *view = g_new0 (EegSlab, 1);

  if (size == -1)
    size = memory->size - offset;
  gst_memory_init (GST_MEMORY_CAST (view),
      GST_MINI_OBJECT_FLAGS (parent) | GST_MINI_OBJECT_FLAG_LOCK_READONLY,
      memory->allocator, parent, memory->maxsize, memory->align,
      memory->offset + offset, size);
  return GST_MEMORY_CAST (view);
}

static void
eeg_slab_destroy (EegSlab *slab)
{
  free (slab->data);
  g_free (slab);
}

/* transfer full; takes a slab from the free list or makes one. NULL when the
 * bound is reached or memory is out. */
static EegSlab *
take_slab_locked (GstEegAllocator *self)
{
  EegSlab *slab = self->free_list;

  if (slab != NULL) {
    self->free_list = slab->next;
    self->reused++;
  } else {
    void *data;

    if (self->max_slabs != 0 && self->allocated >= self->max_slabs)
      return NULL;
    /* aligned_alloc wants a multiple of the alignment */
    data = aligned_alloc (GST_EEG_ALIGNMENT,
        (self->slab_size + GST_EEG_ALIGNMENT - 1)
            & ~(gsize) (GST_EEG_ALIGNMENT - 1));
    if (data == NULL)
      return NULL;
    slab = g_new0 (EegSlab, 1);
    slab->data = data;
    self->allocated++;
  }
  slab->next = NULL;
  self->in_use++;
  return slab;
}

static void
init_slab (GstEegAllocator *self, EegSlab *slab, GstMemoryFlags flags,
    gsize offset, gsize size)
{
  gst_memory_init (GST_MEMORY_CAST (slab), flags, GST_ALLOCATOR_CAST (self),
      NULL, self->slab_size, GST_EEG_ALIGNMENT - 1, offset, size);
}

static GstMemory *
gst_eeg_allocator_alloc (GstAllocator *allocator, gsize size,
    GstAllocationParams *params)
{
  GstEegAllocator *self = GST_EEG_ALLOCATOR (allocator);
  EegSlab *slab;

  if (params->prefix > self->slab_size || params->padding > self->slab_size
      || size > self->slab_size - params->prefix
      || params->padding > self->slab_size - params->prefix - size
      || params->align > GST_EEG_ALIGNMENT - 1) {
    GST_WARNING_OBJECT (self,
        "%" G_GSIZE_FORMAT " bytes, prefix %" G_GSIZE_FORMAT
        ", padding %" G_GSIZE_FORMAT ", align %" G_GSIZE_FORMAT
        " do not fit a slab of %" G_GSIZE_FORMAT " bytes",
        size, params->prefix, params->padding, params->align, self->slab_size);
    return NULL;
  }

  g_mutex_lock (&self->lock);
  slab = take_slab_locked (self);
  g_mutex_unlock (&self->lock);
  if (slab == NULL) {
    GST_WARNING_OBJECT (self, "all %u slabs are in use", self->max_slabs);
    return NULL;
  }

  init_slab (self, slab, params->flags, params->prefix, size);
  if (params->prefix > 0 && (params->flags & GST_MEMORY_FLAG_ZERO_PREFIXED))
    memset (slab->data, 0, params->prefix);
  if (params->padding > 0 && (params->flags & GST_MEMORY_FLAG_ZERO_PADDED))
    memset (slab->data + params->prefix + size, 0, params->padding);
  return GST_MEMORY_CAST (slab);
}

static void
gst_eeg_allocator_free (GstAllocator *allocator, GstMemory *memory)
{
  GstEegAllocator *self = GST_EEG_ALLOCATOR (allocator);
  EegSlab *slab = (EegSlab *) memory;

  if (memory->parent != NULL) {
    g_free (slab); /* a view; core unrefs the slab */
    return;
  }
  g_mutex_lock (&self->lock);
  slab->next = self->free_list;
  self->free_list = slab;
  self->in_use--;
  g_cond_signal (&self->available);
  g_mutex_unlock (&self->lock);
}

/**
 * gst_eeg_allocator_new:
 * @slab_size: bytes of each slab, above 0
 * @max_slabs: how many may exist, 0 for no limit
 *
 * Nothing is allocated before it is asked for.
 *
 * Returns: (transfer full): a new allocator
 */
GstEegAllocator *
gst_eeg_allocator_new (gsize slab_size, guint max_slabs)
{
  GstEegAllocator *self;

  g_return_val_if_fail (slab_size > 0 && slab_size <= G_MAXSSIZE / 2, NULL);

  self = g_object_new (GST_TYPE_EEG_ALLOCATOR, NULL);
  gst_object_ref_sink (self);
  self->slab_size = slab_size;
  self->max_slabs = max_slabs;
  return self;
}

/**
 * gst_eeg_allocator_acquire:
 * @allocator: an allocator
 * @size: bytes wanted, at most the slab size
 * @wait: whether to wait for a slab when all are in use
 * @memory: (out) (transfer full): the memory
 *
 * Returns: %GST_FLOW_OK; %GST_FLOW_EOS when all slabs are in use and @wait is
 *     %FALSE; %GST_FLOW_FLUSHING after gst_eeg_allocator_set_flushing();
 *     %GST_FLOW_ERROR when the system is out of memory
 */
GstFlowReturn
gst_eeg_allocator_acquire (GstEegAllocator *allocator, gsize size,
    gboolean wait, GstMemory **memory)
{
  GstFlowReturn ret = GST_FLOW_OK;
  EegSlab *slab = NULL;

  g_return_val_if_fail (GST_IS_EEG_ALLOCATOR (allocator), GST_FLOW_ERROR);
  g_return_val_if_fail (size <= allocator->slab_size, GST_FLOW_ERROR);
  g_return_val_if_fail (memory != NULL, GST_FLOW_ERROR);

  g_mutex_lock (&allocator->lock);
  while (ret == GST_FLOW_OK && slab == NULL) {
    if (allocator->flushing) {
      ret = GST_FLOW_FLUSHING;
    } else if ((slab = take_slab_locked (allocator)) == NULL) {
      if (allocator->max_slabs == 0
          || allocator->allocated < allocator->max_slabs)
        ret = GST_FLOW_ERROR;
      else if (wait)
        g_cond_wait (&allocator->available, &allocator->lock);
      else
        ret = GST_FLOW_EOS;
    }
  }
  g_mutex_unlock (&allocator->lock);

  if (slab != NULL) {
    init_slab (allocator, slab, 0, 0, size);
    *memory = GST_MEMORY_CAST (slab);
  }
  return ret;
}

/**
 * gst_eeg_allocator_set_flushing:
 * @allocator: an allocator
 * @flushing: whether to wake and refuse those who wait
 */
void
gst_eeg_allocator_set_flushing (GstEegAllocator *allocator, gboolean flushing)
{
  g_return_if_fail (GST_IS_EEG_ALLOCATOR (allocator));

  g_mutex_lock (&allocator->lock);
  allocator->flushing = flushing;
  g_cond_broadcast (&allocator->available);
  g_mutex_unlock (&allocator->lock);
}

/**
 * gst_eeg_allocator_get_slab_size:
 * @allocator: an allocator
 *
 * Returns: bytes of each slab
 */
gsize
gst_eeg_allocator_get_slab_size (GstEegAllocator *allocator)
{
  g_return_val_if_fail (GST_IS_EEG_ALLOCATOR (allocator), 0);

  return allocator->slab_size;
}

/**
 * gst_eeg_allocator_get_max_slabs:
 * @allocator: an allocator
 *
 * Returns: how many slabs may exist, 0 for no limit
 */
guint
gst_eeg_allocator_get_max_slabs (GstEegAllocator *allocator)
{
  g_return_val_if_fail (GST_IS_EEG_ALLOCATOR (allocator), 0);

  return allocator->max_slabs;
}

/**
 * gst_eeg_allocator_get_counts:
 * @allocator: an allocator
 * @allocated: (out) (optional): slabs that exist
 * @in_use: (out) (optional): slabs that are not in the free list
 * @reused: (out) (optional): how often a slab came from the free list
 */
void
gst_eeg_allocator_get_counts (GstEegAllocator *allocator, guint *allocated,
    guint *in_use, guint64 *reused)
{
  g_return_if_fail (GST_IS_EEG_ALLOCATOR (allocator));

  g_mutex_lock (&allocator->lock);
  if (allocated != NULL)
    *allocated = allocator->allocated;
  if (in_use != NULL)
    *in_use = allocator->in_use;
  if (reused != NULL)
    *reused = allocator->reused;
  g_mutex_unlock (&allocator->lock);
}

/**
 * gst_eeg_buffer_pool_new:
 * @caps: (nullable): caps of the buffers
 * @size: bytes of each buffer, above 0
 * @min_buffers: how many to make when it is activated
 * @max_buffers: how many may be out at once, 0 for no limit
 *
 * A plain buffer pool whose memory comes from a #GstEegAllocator of its own.
 *
 * Returns: (transfer full) (nullable): a configured, inactive pool
 */
GstBufferPool *
gst_eeg_buffer_pool_new (GstCaps *caps, gsize size, guint min_buffers,
    guint max_buffers)
{
  GstAllocationParams params = { 0, GST_EEG_ALIGNMENT - 1, 0, 0 };
  GstEegAllocator *allocator;
  GstBufferPool *pool;
  GstStructure *config;

  g_return_val_if_fail (size > 0 && size <= G_MAXUINT, NULL);

  pool = gst_buffer_pool_new ();
  allocator = gst_eeg_allocator_new (size, 0);
  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, caps, size, min_buffers,
      max_buffers);
  gst_buffer_pool_config_set_allocator (config, GST_ALLOCATOR_CAST (allocator),
      &params);
  gst_object_unref (allocator);
  if (!gst_buffer_pool_set_config (pool, config))
    gst_clear_object (&pool);
  return pool;
}

/**
 * gst_eeg_allocation_propose:
 * @query: an ALLOCATION query that an element of ours answers on its sink pad
 * @size: bytes of a buffer; 0 takes what the query suggests nothing about
 * @min_buffers: buffers that the element holds back
 *
 * Offers upstream a pool of slabs.
 *
 * Returns: whether a pool was offered
 */
gboolean
gst_eeg_allocation_propose (GstQuery *query, gsize size, guint min_buffers)
{
  GstBufferPool *pool = NULL;
  GstCaps *caps;
  gboolean need_pool;

  g_return_val_if_fail (GST_IS_QUERY (query), FALSE);

  gst_query_parse_allocation (query, &caps, &need_pool);
  if (caps == NULL || size == 0)
    return FALSE;
  if (need_pool) {
    pool = gst_eeg_buffer_pool_new (caps, size, min_buffers, 0);
    if (pool == NULL)
      return FALSE;
  }
  gst_query_add_allocation_pool (query, pool, size, min_buffers, 0);
  gst_clear_object (&pool);
  return TRUE;
}

/**
 * gst_eeg_allocation_decide:
 * @query: an ALLOCATION query that came back from downstream
 * @size: bytes of the buffers that the element makes, above 0
 * @min_buffers: buffers it needs at once
 *
 * Sets the first pool of @query to one that fits: the one that downstream
 * offered if it takes the size, else a pool of slabs. GstBaseTransform takes
 * its output from no pool unless this is done.
 *
 * Returns: whether @query now has a configured pool
 */
gboolean
gst_eeg_allocation_decide (GstQuery *query, gsize size, guint min_buffers)
{
  GstBufferPool *pool = NULL;
  GstCaps *caps;
  guint offered_size = 0, min = 0, max = 0;
  gboolean had_pool = FALSE;

  g_return_val_if_fail (GST_IS_QUERY (query), FALSE);
  g_return_val_if_fail (size > 0 && size <= G_MAXUINT, FALSE);

  gst_query_parse_allocation (query, &caps, NULL);
  if (gst_query_get_n_allocation_pools (query) > 0) {
    had_pool = TRUE;
    gst_query_parse_nth_allocation_pool (query, 0, &pool, &offered_size, &min,
        &max);
    min += min_buffers;
    /* a bounded foreign pool that is too small would stall the stream */
    if (pool != NULL && (offered_size < size || (max != 0 && max < min)))
      gst_clear_object (&pool);
  } else {
    min = min_buffers;
  }
  if (pool != NULL) {
    GstStructure *config = gst_buffer_pool_get_config (pool);

    gst_buffer_pool_config_set_params (config, caps, offered_size, min, max);
    if (!gst_buffer_pool_set_config (pool, config))
      gst_clear_object (&pool);
  }
  if (pool == NULL) {
    offered_size = size;
    max = 0;
    pool = gst_eeg_buffer_pool_new (caps, size, min, max);
    if (pool == NULL)
      return FALSE;
  }
  if (had_pool)
    gst_query_set_nth_allocation_pool (query, 0, pool, offered_size, min, max);
  else
    gst_query_add_allocation_pool (query, pool, offered_size, min, max);
  gst_object_unref (pool);
  return TRUE;
}

static void
gst_eeg_allocator_finalize (GObject *object)
{
  GstEegAllocator *self = GST_EEG_ALLOCATOR (object);

  /* every memory holds a reference, so all slabs are in the free list */
  while (self->free_list != NULL) {
    EegSlab *slab = self->free_list;

    self->free_list = slab->next;
    eeg_slab_destroy (slab);
  }
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->available);
  G_OBJECT_CLASS (gst_eeg_allocator_parent_class)->finalize (object);
}

static void
gst_eeg_allocator_class_init (GstEegAllocatorClass *klass)
{
  GstAllocatorClass *allocator_class = GST_ALLOCATOR_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = gst_eeg_allocator_finalize;
  allocator_class->alloc = gst_eeg_allocator_alloc;
  allocator_class->free = gst_eeg_allocator_free;
}

static void
gst_eeg_allocator_init (GstEegAllocator *self)
{
  GstAllocator *allocator = GST_ALLOCATOR_CAST (self);

  allocator->mem_type = MEMORY_TYPE;
  allocator->mem_map = eeg_slab_map;
  allocator->mem_unmap = eeg_slab_unmap;
  allocator->mem_share = eeg_slab_share;
  /* mem_copy: core's fallback, into system memory */
  g_mutex_init (&self->lock);
  g_cond_init (&self->available);
}
