/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sample chain in its steady state: no heap allocation and no copy of a
 * buffer or memory for any buffer. Allocations are counted by the malloc()
 * below, which stands before that of the C library, with GLib's slices turned
 * off; copies by what core logs about them. Also a benchmark: the rows it
 * prints are the counts. */
#include <gst/base/gstbasesink.h>
#include <gst/base/gstpushsrc.h>
#include <gst/check/gstcheck.h>
#include <gst/eeg/eeg.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "../benchmarks/benchmark.h"
#include "edf-file.h"

#define CHANNELS 64
#define RATE 1000
#define FRAMES 256
#define SETTLE 200
#define COUNTED 1000
#define WINDOWS 10

/* ---- counting malloc ---- */

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)                       \
    && !defined(__SANITIZE_THREAD__)
#define COUNTS_MALLOC 1

extern void *__libc_malloc (size_t size);
extern void *__libc_calloc (size_t n, size_t size);
extern void *__libc_realloc (void *p, size_t size);
extern void *__libc_memalign (size_t alignment, size_t size);

/* seen by the libraries too */
#define EXPORTED __attribute__ ((visibility ("default")))

static guint64 n_allocations; /* atomic */

static void
count_allocation (void)
{
  __atomic_fetch_add (&n_allocations, 1, __ATOMIC_RELAXED);
}

EXPORTED void *
malloc (size_t size)
{
  count_allocation ();
  return __libc_malloc (size);
}

EXPORTED void *
calloc (size_t n, size_t size)
{
  count_allocation ();
  return __libc_calloc (n, size);
}

EXPORTED void *
realloc (void *p, size_t size)
{
  count_allocation ();
  return __libc_realloc (p, size);
}

EXPORTED void *
aligned_alloc (size_t alignment, size_t size)
{
  count_allocation ();
  return __libc_memalign (alignment, size);
}

EXPORTED int
posix_memalign (void **p, size_t alignment, size_t size)
{
  count_allocation ();
  *p = __libc_memalign (alignment, size);
  return *p != NULL ? 0 : ENOMEM;
}

static guint64
allocations (void)
{
  return __atomic_load_n (&n_allocations, __ATOMIC_RELAXED);
}
#else
#define COUNTS_MALLOC 0

static guint64
allocations (void)
{
  return 0;
}
#endif

/* ---- counting copies ---- */

static guint64 n_copies; /* atomic */

static void
count_copies (GstDebugCategory *category, GstDebugLevel level,
    const gchar *file, const gchar *function, gint line, GObject *object,
    GstDebugMessage *message, gpointer user_data)
{
  if (g_str_equal (gst_debug_category_get_name (category), "GST_PERFORMANCE"))
    __atomic_fetch_add (&n_copies, 1, __ATOMIC_RELAXED);
}

/* ---- a source of counts, from slabs ---- */

typedef struct
{
  GstPushSrc parent;
  GstBufferPool *pool;
  guint64 next;
} ChainSrc;
typedef GstPushSrcClass ChainSrcClass;

static GType chain_src_get_type (void);
G_DEFINE_TYPE (ChainSrc, chain_src, GST_TYPE_PUSH_SRC)

static GstStaticPadTemplate chain_src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (GST_EEG_RAW_CAPS_MAKE ("S32LE", "counts")));

static GstCaps *
chain_src_get_caps (GstBaseSrc *src, GstCaps *filter)
{
  GstEegChannel rows[CHANNELS];
  GstEegChannels *table;
  GstEegInfo info;
  GstCaps *caps;

  for (guint i = 0; i < CHANNELS; i++)
    rows[i] = (GstEegChannel){ .label = "C3",
      .type = GST_EEG_CHANNEL_TYPE_EEG,
      .unit = "uV",
      .physical_min = -187500,
      .physical_max = 187500,
      .digital_min = -8388608,
      .digital_max = 8388607 };
  table = gst_eeg_channels_new (rows, CHANNELS);
  gst_eeg_info_init (&info);
  gst_eeg_info_set (&info, GST_EEG_FORMAT_S32LE, GST_EEG_DOMAIN_COUNTS, RATE, 1,
      CHANNELS, table);
  caps = gst_eeg_info_to_caps (&info);
  gst_eeg_info_clear (&info);
  gst_eeg_channels_unref (table);
  return caps;
}

static gboolean
chain_src_start (GstBaseSrc *base)
{
  ChainSrc *src = (ChainSrc *) base;

  src->pool = gst_eeg_buffer_pool_new (NULL, FRAMES * CHANNELS * 4, 0, 0);
  src->next = 0;
  return gst_buffer_pool_set_active (src->pool, TRUE);
}

static gboolean
chain_src_stop (GstBaseSrc *base)
{
  ChainSrc *src = (ChainSrc *) base;

  gst_buffer_pool_set_active (src->pool, FALSE);
  gst_clear_object (&src->pool);
  return TRUE;
}

static GstFlowReturn
chain_src_create (GstPushSrc *push, GstBuffer **buffer)
{
  ChainSrc *src = (ChainSrc *) push;
  GstFlowReturn ret = gst_buffer_pool_acquire_buffer (src->pool, buffer, NULL);
  GstMapInfo map;

  if (ret != GST_FLOW_OK)
    return ret;
  /* check allocates for each assertion */
  if (!gst_buffer_map (*buffer, &map, GST_MAP_WRITE))
    return GST_FLOW_ERROR;
  for (guint i = 0; i < FRAMES * CHANNELS; i++)
    ((gint32 *) map.data)[i] = (gint32) (src->next * 64 + i) % 100000;
  gst_buffer_unmap (*buffer, &map);
  GST_BUFFER_OFFSET (*buffer) = src->next;
  src->next += FRAMES;
  GST_BUFFER_OFFSET_END (*buffer) = src->next;
  GST_BUFFER_PTS (*buffer) =
      gst_util_uint64_scale (GST_BUFFER_OFFSET (*buffer), GST_SECOND, RATE);
  GST_BUFFER_DURATION (*buffer) = FRAMES * GST_SECOND / RATE;
  return GST_FLOW_OK;
}

static void
chain_src_class_init (ChainSrcClass *klass)
{
  gst_element_class_add_static_pad_template (GST_ELEMENT_CLASS (klass),
      &chain_src_template);
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass), "source",
      "Source", "Counts from slabs", "nobody");
  GST_BASE_SRC_CLASS (klass)->get_caps = chain_src_get_caps;
  GST_BASE_SRC_CLASS (klass)->start = chain_src_start;
  GST_BASE_SRC_CLASS (klass)->stop = chain_src_stop;
  klass->create = chain_src_create;
}

static void
chain_src_init (ChainSrc *src)
{
  gst_base_src_set_format (GST_BASE_SRC (src), GST_FORMAT_TIME);
}

/* ---- a sink that looks at the counters ---- */

/* Looks at windows of buffers, until one is clean: the pools may still grow
 * when the queue is fuller than ever before. */
typedef struct
{
  GstBaseSink parent;
  guint buffers, windows;
  guint64 allocations, copies; /* at the start of the window, then in it */
} ChainSink;
typedef GstBaseSinkClass ChainSinkClass;

static GType chain_sink_get_type (void);
G_DEFINE_TYPE (ChainSink, chain_sink, GST_TYPE_BASE_SINK)

static GstStaticPadTemplate chain_sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
        GST_STATIC_CAPS_ANY);

static GstFlowReturn
chain_sink_render (GstBaseSink *base, GstBuffer *buffer)
{
  ChainSink *sink = (ChainSink *) base;
  guint64 copies = __atomic_load_n (&n_copies, __ATOMIC_RELAXED);

  sink->buffers++;
  if (sink->buffers < SETTLE)
    return GST_FLOW_OK;
  if (sink->buffers == SETTLE + COUNTED) {
    guint64 allocated = allocations () - sink->allocations;

    sink->windows++;
    if (allocated == 0 || sink->windows == WINDOWS) {
      sink->allocations = allocated;
      sink->copies = copies - sink->copies;
      return GST_FLOW_EOS;
    }
    sink->buffers = SETTLE;
  }
  if (sink->buffers == SETTLE) {
    sink->allocations = allocations ();
    sink->copies = copies;
  }
  return GST_FLOW_OK;
}

static void
chain_sink_class_init (ChainSinkClass *klass)
{
  gst_element_class_add_static_pad_template (GST_ELEMENT_CLASS (klass),
      &chain_sink_template);
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass), "sink",
      "Sink", "Looks at counters", "nobody");
  klass->render = chain_sink_render;
}

static void
chain_sink_init (ChainSink *sink)
{
  gst_base_sink_set_sync (GST_BASE_SINK (sink), FALSE);
}

/* ---- the chain ---- */

static void
run_chain (const gchar *source, const gchar *line, guint64 *n_allocated,
    guint64 *n_copied)
{
  gchar *description =
      g_strdup_printf ("%s ! %s ! chainsink name=sink", source, line);
  GstElement *pipeline = gst_parse_launch (description, NULL);
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;
  ChainSink *sink =
      (ChainSink *) gst_bin_get_by_name (GST_BIN (pipeline), "sink");

  fail_unless (sink != NULL, "%s", description);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  fail_unless (sink->windows > 0);
  *n_allocated = sink->allocations;
  *n_copied = sink->copies;
  GST_INFO ("%s: %" G_GUINT64_FORMAT " allocations, %" G_GUINT64_FORMAT
            " copies",
      description, *n_allocated, *n_copied);
  gst_object_unref (sink);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
  g_free (description);
}

#define CHAIN                                                                  \
  "rawtovoltage ! firfilter mode=band-pass low=2 high=40 taps=101 ! "          \
  "queue max-size-buffers=8"

static void
check_line (const gchar *data, const gchar *packing, const gchar *source,
    const gchar *chain)
{
  struct bench_row row = { .data = data,
    .packing = packing,
    .threads = 2,
    .backend = "GstEegAllocator",
    .direction = BENCH_AT_MOST };
  guint64 allocated, copied;

  run_chain (source, chain, &allocated, &copied);
  row.name = "sample chain, heap allocations for a buffer";
  if (COUNTS_MALLOC)
    fail_unless (bench_report (&row, (gdouble) allocated / COUNTED, "count"));
  row.name = "sample chain, copies of buffers and memories for a buffer";
  fail_unless (bench_report (&row, (gdouble) copied / COUNTED, "count"));
}

static void
check_chain (const gchar *source)
{
  check_line (source, "S32LE to F32LE", source, CHAIN);
}

GST_START_TEST (test_chain)
{
  check_chain ("chainsrc");
}
GST_END_TEST;

GST_START_TEST (test_eegsrc)
{
  GstElementFactory *factory = gst_element_factory_find ("eegsrc");

  if (factory == NULL)
    return; /* the build is without it */
  gst_object_unref (factory);
  check_chain ("eegsrc channels=64 rate=1000/1");
}
GST_END_TEST;

/* The source alone, paced by the clock, and from a file in two formats. */
GST_START_TEST (test_eegsrc_alone)
{
  static const gchar *const formats[] = { "S16LE", "S32LE" };
  static const EdfFileSignal signal = { "C3", "", "uV", "-100", "100", "-1000",
    "1000", "", 50 };
  const EdfFile edf = { .records = "20",
    .duration = "1",
    .signals = &signal,
    .n_signals = 1 };
  GstElementFactory *factory = gst_element_factory_find ("eegsrc");
  GByteArray *bytes;
  gchar *path;
  guint i;

  if (factory == NULL)
    return;
  gst_object_unref (factory);
  check_line ("eegsrc", "S32LE", "eegsrc", "queue max-size-buffers=8");
  check_line ("eegsrc, live", "S32LE",
      "eegsrc is-live=true rate=20000/1 buffer-time=0",
      "queue max-size-buffers=8");

  bytes = edf_file_new (&edf);
  for (i = 0; i < 1000; i++)
    edf_file_sample (bytes, FALSE, i);
  close (g_file_open_tmp ("samplechain-XXXXXX.edf", &path, NULL));
  fail_unless (
      g_file_set_contents (path, (gchar *) bytes->data, bytes->len, NULL));
  for (i = 0; i < G_N_ELEMENTS (formats); i++) {
    gchar *line =
        g_strdup_printf ("eegsrc loop=true buffer-time=100000000 location=%s "
                         "format=%s",
            path, formats[i]);

    check_line ("eegsrc, EDF file", formats[i], line,
        "queue max-size-buffers=8");
    g_free (line);
  }
  unlink (path);
  g_free (path);
  g_byte_array_unref (bytes);
}
GST_END_TEST;

/* The stages beside the FIR filter, alone and one behind the other. The
 * decimator gives buffers of two sizes. */
GST_START_TEST (test_stages)
{
  static const gchar *const lines[] = {
    "rawtovoltage ! voltagetoraw",
    "rawtovoltage ! voltagetoraw ! application/x-eeg-raw,format=S24LE",
    "rawtovoltage ! iirfilter notch=50",
    "rawtovoltage ! eegreference relabel=false",
    "rawtovoltage ! eegreference bipolar=C3-C3",
    "eegselect channels=\"C*\" bad=C3 ! rawtovoltage",
    "eegselect drop=D* ! rawtovoltage ! eegdecimate rate=300/1",
    "rawtovoltage ! iirfilter low=1 ! eegreference ! eegdecimate rate=250/1",
  };

  GstElementFactory *factory;

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    check_line (lines[i], "S32LE to F32LE", "chainsrc", lines[i]);

  /* audio has fewer channels */
  factory = gst_element_factory_find ("eegsrc");
  if (factory != NULL) {
    check_line ("eegtoaudio ! audiotoeeg", "S32LE", "eegsrc channels=32",
        "eegtoaudio ! audiotoeeg");
    gst_object_unref (factory);
  }
}
GST_END_TEST;

/* With the input shared, other memory from a pool takes its place. */
GST_START_TEST (test_branch)
{
  check_chain ("chainsrc ! tee name=t ! queue ! fakesink async=false "
               "sync=false t.");
}
GST_END_TEST;

/* The counters do count. */
GST_START_TEST (test_counters)
{
  guint64 allocated = allocations ();
  guint64 copied = __atomic_load_n (&n_copies, __ATOMIC_RELAXED);
  GstMemory *memory, *copy;

  memory = gst_allocator_alloc (NULL, 10000, NULL);
  copy = gst_memory_copy (memory, 0, -1);
  if (COUNTS_MALLOC)
    fail_unless (allocations () >= allocated + 2);
  fail_unless (__atomic_load_n (&n_copies, __ATOMIC_RELAXED) > copied);
  gst_memory_unref (memory);
  gst_memory_unref (copy);
}
GST_END_TEST;

static Suite *
samplechain_suite (void)
{
  Suite *suite = suite_create ("samplechain");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_chain);
  tcase_add_test (tcase, test_eegsrc);
  tcase_add_test (tcase, test_eegsrc_alone);
  tcase_add_test (tcase, test_stages);
  tcase_add_test (tcase, test_branch);
  tcase_add_test (tcase, test_counters);
  return suite;
}

int
main (int argc, char **argv)
{
  SRunner *runner;
  int failed;

  /* GLib reads this when it starts */
  if (g_strcmp0 (g_getenv ("G_SLICE"), "always-malloc") != 0) {
    g_setenv ("G_SLICE", "always-malloc", TRUE);
    execv ("/proc/self/exe", argv);
  }
  gst_check_init (&argc, &argv);
  gst_debug_remove_log_function (gst_debug_log_default);
  gst_debug_add_log_function (count_copies, NULL, NULL);
  gst_debug_set_active (TRUE);
  gst_debug_set_default_threshold (GST_LEVEL_NONE);
  gst_debug_set_threshold_for_name ("GST_PERFORMANCE", GST_LEVEL_TRACE);
  gst_element_register (NULL, "chainsrc", GST_RANK_NONE, chain_src_get_type ());
  gst_element_register (NULL, "chainsink", GST_RANK_NONE,
      chain_sink_get_type ());
  runner = srunner_create (samplechain_suite ());
  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? 0 : 1;
}
