/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The decoders as elements: the first byte of the input chooses which, and how
 * the rest is cut and treated. Output stays inside max-output-bytes; ciphers
 * give no more than they were given. */
#include <gst/check/gstharness.h>
#include <gst/gst.h>
#include <glib/gstdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_OUTPUT (1 << 20)

/* 32 bytes that serve as a key and as a passphrase. */
#define SECRET "0123456789abcdef0123456789abcdef"

static gchar *secret_file;

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);
int LLVMFuzzerInitialize (int *argc, char ***argv);

static void
remove_secret (void)
{
  g_unlink (secret_file);
}

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  gint fd;

  gst_init (argc, argv);
  fd = g_file_open_tmp ("fuzz-XXXXXX", &secret_file, NULL);
  if (fd < 0 || write (fd, SECRET, strlen (SECRET)) != (gssize) strlen (SECRET))
    abort ();
  close (fd);
  atexit (remove_secret);
  return 0;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const struct
  {
    const gchar *name, *caps, *settings;
  } decoders[] = {
    { "zstddec", "application/x-zstd", "max-output-bytes=1048576" },
    { "gzipdec", "application/x-gzip", "max-output-bytes=1048576" },
    { "lz4dec", "application/x-lz4", "max-output-bytes=1048576" },
    { "brotlidec", "application/x-brotli", "max-output-bytes=1048576" },
    { "aesgcmdec", "application/x-tink-aes-gcm-hkdf",
        "segment-size=64 key-file=" },
    { "chacha20poly1305dec", "application/x-age",
        "max-work-factor=4 passphrase-file=" },
  };
  guint decoder;
  gchar *launch;
  GstElementFactory *factory;
  GstSegment segment;
  GstBuffer *buffer;
  GstHarness *h;
  GstCaps *caps;
  gsize step, total = 0;

  if (size == 0)
    return 0;
  decoder = data[0] & 16 ? 4 + (data[0] & 1) : data[0] & 3;
  factory = gst_element_factory_find (decoders[decoder].name);
  if (factory == NULL)
    return 0;
  gst_object_unref (factory);
  launch = g_strdup_printf ("%s threads=1 salvage=%s %s%s",
      decoders[decoder].name, data[0] & 4 ? "true" : "false",
      decoders[decoder].settings, decoder >= 4 ? secret_file : "");
  step = data[0] & 8 ? 3 : 1 << 20;
  data++;
  size--;

  h = gst_harness_new_parse (launch);
  gst_harness_play (h);
  caps = gst_caps_from_string (decoders[decoder].caps);
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
  return 0;
}
