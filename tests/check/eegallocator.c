/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/check/gstcheck.h>
#include <gst/eeg/eeg.h>

GST_START_TEST (test_slabs_are_aligned_and_reused)
{
  GstEegAllocator *allocator = gst_eeg_allocator_new (1001, 0);
  guint allocated, in_use, i;
  guint64 reused;

  for (i = 0; i < 1000; i++) {
    GstMemory *memory =
        gst_allocator_alloc (GST_ALLOCATOR (allocator), i + 1, NULL);
    GstMapInfo map;

    fail_unless (memory != NULL);
    fail_unless (gst_memory_map (memory, &map, GST_MAP_WRITE));
    assert_equals_int (map.size, i + 1);
    fail_unless ((guintptr) map.data % GST_EEG_ALIGNMENT == 0);
    memset (map.data, i, map.size);
    gst_memory_unmap (memory, &map);
    gst_memory_unref (memory);
  }
  gst_eeg_allocator_get_counts (allocator, &allocated, &in_use, &reused);
  assert_equals_int (allocated, 1);
  assert_equals_int (in_use, 0);
  fail_unless_equals_uint64 (reused, 999);
  fail_unless (
      gst_allocator_alloc (GST_ALLOCATOR (allocator), 1002, NULL) == NULL);
  gst_object_unref (allocator);
}

GST_END_TEST;

GST_START_TEST (test_slab_returns_after_last_slice)
{
  GstEegAllocator *allocator = gst_eeg_allocator_new (64, 1);
  GstMemory *memory, *slice, *slice_of_slice;
  GstMapInfo map;
  guint in_use;

  fail_unless_equals_int (gst_eeg_allocator_acquire (allocator, 64, FALSE,
                              &memory),
      GST_FLOW_OK);
  fail_unless (gst_memory_map (memory, &map, GST_MAP_WRITE));
  map.data[20] = 42;
  gst_memory_unmap (memory, &map);
  slice = gst_memory_share (memory, 16, 32);
  slice_of_slice = gst_memory_share (slice, 4, -1);
  gst_memory_unref (memory);
  gst_memory_unref (slice);
  gst_eeg_allocator_get_counts (allocator, NULL, &in_use, NULL);
  assert_equals_int (in_use, 1);
  fail_unless (gst_memory_map (slice_of_slice, &map, GST_MAP_READ));
  assert_equals_int (map.size, 28);
  assert_equals_int (map.data[0], 42);
  gst_memory_unmap (slice_of_slice, &map);
  fail_unless_equals_int (gst_eeg_allocator_acquire (allocator, 64, FALSE,
                              &memory),
      GST_FLOW_EOS);
  gst_memory_unref (slice_of_slice);
  gst_eeg_allocator_get_counts (allocator, NULL, &in_use, NULL);
  assert_equals_int (in_use, 0);
  fail_unless_equals_int (gst_eeg_allocator_acquire (allocator, 64, FALSE,
                              &memory),
      GST_FLOW_OK);
  gst_memory_unref (memory);
  gst_object_unref (allocator);
}

GST_END_TEST;

static gpointer
acquire_thread (gpointer data)
{
  GstMemory *memory = NULL;
  GstFlowReturn ret = gst_eeg_allocator_acquire (data, 8, TRUE, &memory);

  if (memory != NULL)
    gst_memory_unref (memory);
  return GINT_TO_POINTER (ret);
}

GST_START_TEST (test_wait_ends)
{
  GstEegAllocator *allocator = gst_eeg_allocator_new (8, 1);
  GstMemory *memory;
  GThread *thread;

  fail_unless_equals_int (gst_eeg_allocator_acquire (allocator, 8, TRUE,
                              &memory),
      GST_FLOW_OK);
  thread = g_thread_new ("acquire", acquire_thread, allocator);
  gst_memory_unref (memory);
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (thread)),
      GST_FLOW_OK);

  fail_unless_equals_int (gst_eeg_allocator_acquire (allocator, 8, TRUE,
                              &memory),
      GST_FLOW_OK);
  thread = g_thread_new ("acquire", acquire_thread, allocator);
  gst_eeg_allocator_set_flushing (allocator, TRUE);
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (thread)),
      GST_FLOW_FLUSHING);
  gst_memory_unref (memory);
  gst_object_unref (allocator);
}

GST_END_TEST;

/* F2 of the traps: a plain pool of system memory would lose its slabs here. */
GST_START_TEST (test_pool_recycles_under_slices)
{
  GstBufferPool *pool = gst_eeg_buffer_pool_new (NULL, 4096, 1, 0);
  GstAllocator *allocator = NULL;
  GstStructure *config;
  GQueue slices = G_QUEUE_INIT;
  guint allocated, i;

  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_get_allocator (config, &allocator, NULL);
  gst_object_ref (allocator);
  gst_structure_free (config);
  fail_unless (gst_buffer_pool_set_active (pool, TRUE));
  for (i = 0; i < 1000; i++) {
    GstBuffer *buffer = NULL;

    fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &buffer,
                                NULL),
        GST_FLOW_OK);
    g_queue_push_tail (&slices,
        gst_buffer_copy_region (buffer, GST_BUFFER_COPY_MEMORY, 10, 20));
    gst_buffer_unref (buffer);
    if (slices.length > 2)
      gst_buffer_unref (g_queue_pop_head (&slices));
  }
  gst_eeg_allocator_get_counts (GST_EEG_ALLOCATOR (allocator), &allocated, NULL,
      NULL);
  fail_unless (allocated <= 4, "%u slabs for 3 in flight", allocated);
  while (slices.length > 0)
    gst_buffer_unref (g_queue_pop_head (&slices));
  fail_unless (gst_buffer_pool_set_active (pool, FALSE));
  gst_object_unref (pool);
  gst_object_unref (allocator);
}

GST_END_TEST;

GST_START_TEST (test_allocation_helpers)
{
  GstCaps *caps = gst_caps_new_empty_simple ("application/x-eeg-raw");
  GstQuery *query = gst_query_new_allocation (caps, TRUE);
  GstBufferPool *pool = NULL, *decided = NULL;
  guint size, min, max;

  fail_unless (gst_eeg_allocation_propose (query, 1000, 2));
  gst_query_parse_nth_allocation_pool (query, 0, &pool, &size, &min, &max);
  fail_unless (pool != NULL);
  assert_equals_int (size, 1000);
  assert_equals_int (min, 2);

  /* what was proposed fits and is taken; a larger need makes a new pool */
  fail_unless (gst_eeg_allocation_decide (query, 1000, 1));
  gst_query_parse_nth_allocation_pool (query, 0, &decided, &size, &min, &max);
  fail_unless (decided == pool);
  assert_equals_int (min, 3);
  gst_object_unref (decided);
  fail_unless (gst_eeg_allocation_decide (query, 2000, 1));
  gst_query_parse_nth_allocation_pool (query, 0, &decided, &size, &min, &max);
  fail_unless (decided != NULL && decided != pool);
  assert_equals_int (size, 2000);
  gst_object_unref (decided);
  gst_object_unref (pool);
  gst_query_unref (query);

  query = gst_query_new_allocation (caps, TRUE);
  fail_unless (gst_eeg_allocation_decide (query, 10, 1));
  assert_equals_int (gst_query_get_n_allocation_pools (query), 1);
  gst_query_unref (query);
  gst_caps_unref (caps);
}

GST_END_TEST;

static Suite *
eegallocator_suite (void)
{
  Suite *s = suite_create ("eegallocator");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_slabs_are_aligned_and_reused);
  tcase_add_test (tc, test_slab_returns_after_last_slice);
  tcase_add_test (tc, test_wait_ends);
  tcase_add_test (tc, test_pool_recycles_under_slices);
  tcase_add_test (tc, test_allocation_helpers);
  return s;
}

GST_CHECK_MAIN (eegallocator);
