/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The decoders as elements: the first byte of the input chooses which, and how
 * the rest is cut and treated. Output stays inside max-output-bytes. */
#include <gst/check/gstharness.h>
#include <gst/gst.h>
#include <stdint.h>
#include <stdlib.h>

#define MAX_OUTPUT (1 << 20)

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);
int LLVMFuzzerInitialize (int *argc, char ***argv);

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  gst_init (argc, argv);
  return 0;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const gchar *const names[] = { "zstd", "gzip", "lz4", "brotli" };
  const gchar *name;
  gchar *launch, *caps_string;
  GstElementFactory *factory;
  GstSegment segment;
  GstBuffer *buffer;
  GstHarness *h;
  GstCaps *caps;
  gsize step, total = 0;

  if (size == 0)
    return 0;
  name = names[data[0] & 3];
  launch = g_strdup_printf ("%sdec", name);
  factory = gst_element_factory_find (launch);
  g_free (launch);
  if (factory == NULL)
    return 0;
  gst_object_unref (factory);
  launch = g_strdup_printf ("%sdec threads=1 max-output-bytes=%d salvage=%s",
      name, MAX_OUTPUT, data[0] & 4 ? "true" : "false");
  caps_string = g_strdup_printf ("application/x-%s", name);
  step = data[0] & 8 ? 3 : 1 << 20;
  data++;
  size--;

  h = gst_harness_new_parse (launch);
  gst_harness_play (h);
  caps = gst_caps_from_string (caps_string);
  gst_pad_push_event (h->srcpad, gst_event_new_caps (caps));
  gst_caps_unref (caps);
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_pad_push_event (h->srcpad, gst_event_new_segment (&segment));
  while (size > 0) {
    gsize n = MIN (step, size);

    if (gst_harness_push (h, gst_buffer_new_memdup (data, n)) != GST_FLOW_OK)
      break;
    data += n;
    size -= n;
  }
  gst_harness_push_event (h, gst_event_new_eos ());
  while ((buffer = gst_harness_try_pull (h)) != NULL) {
    total += gst_buffer_get_size (buffer);
    gst_buffer_unref (buffer);
  }
  if (total > MAX_OUTPUT)
    abort ();
  gst_harness_teardown (h);
  g_free (launch);
  g_free (caps_string);
  return 0;
}
