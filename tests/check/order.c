/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The order of stages in real pipelines: the whole table of five kinds by five,
 * each cell with every element of these kinds, and longer lines. An element
 * that was not built is left out. */
#include <gst/check/gstcheck.h>
#include <gst/eeg/eeg.h>

#include <glib/gstdio.h>
#include <string.h>

static const struct
{
  const gchar *line;
  gboolean right;
} lines[] = {
  { "zstdenc", TRUE },
  { "aesgcmenc", TRUE },
  { "blake3sum ! zstdenc ! sha256sum ! aesgcmenc ! sha512sum ! identity",
      TRUE },
  { "identity ! zstdenc ! identity ! aesgcmenc ! identity", TRUE },
  { "zstdenc ! queue ! aesgcmenc ! queue ! blake3sum", TRUE },
  { "zstdenc ! zstddec ! zstdenc", TRUE },
  { "zstdenc ! aesgcmenc ! aesgcmdec ! zstddec ! zstdenc ! aesgcmenc", TRUE },
  { "chacha20poly1305enc ! chacha20poly1305dec ! aesgcmenc", TRUE },
  { "zstdenc name=first ! zstdenc name=second", FALSE },
  { "zstdenc name=first ! identity ! queue ! zstdenc name=second", FALSE },
  { "zstdenc name=first ! blake3sum ! zstdenc name=second", FALSE },
  { "aesgcmenc name=first ! zstdenc name=second", FALSE },
  { "aesgcmenc name=first ! queue ! zstdenc name=second", FALSE },
  { "aesgcmenc name=first ! aesgcmenc name=second", FALSE },
  { "zstdenc ! aesgcmenc name=first ! zstdenc name=second", FALSE },
  { "zstdenc name=first ! aesgcmenc ! aesgcmdec ! zstdenc name=second", FALSE },
  { "gzipenc name=first ! zstdenc name=second", FALSE },
  { "lz4enc name=first ! gzipenc name=second", FALSE },
  { "brotlienc name=first ! lz4enc name=second", FALSE },
  { "zstdenc name=first ! brotlienc name=second", FALSE },
  { "chacha20poly1305enc name=first ! aesgcmenc name=second", FALSE },
  { "aesgcmenc name=first ! chacha20poly1305enc name=second", FALSE },
  { "chacha20poly1305enc name=first ! gzipenc name=second", FALSE },
  { "gzipenc ! chacha20poly1305enc ! blake3sum", TRUE },
};

/* Behind a source of samples. */
static const struct
{
  const gchar *line;
  gboolean right;
} sample_lines[] = {
  { "eegpackenc ! aesgcmenc ! blake3sum", TRUE },
  { "eegpackenc ! eegpackdec ! edfmux ! zstdenc", TRUE },
  { "eegpackenc ! eegpackdec ! eegpackenc ! aesgcmenc", TRUE },
  { "eegpackenc ! aesgcmenc ! aesgcmdec ! eegpackdec", TRUE },
  { "eegpackenc name=first ! zstdenc name=second", FALSE },
  { "eegpackenc name=first ! queue ! blake3sum ! lz4enc name=second", FALSE },
  { "eegpackenc ! aesgcmenc name=first ! zstdenc name=second", FALSE },
};

typedef enum
{
  PASS_THROUGH,
  TRANSFORM,
  CHECKSUM,
  COMPRESSION,
  ENCRYPTION,
  N_KINDS
} Kind;

static const struct
{
  const gchar *name;
  Kind kind;
} members[] = {
  { "identity", PASS_THROUGH },
  { "queue", PASS_THROUGH },
  { "firfilter", TRANSFORM },
  { "eegselect", TRANSFORM },
  { "sha256sum", CHECKSUM },
  { "sha512sum", CHECKSUM },
  { "blake3sum", CHECKSUM },
  { "zstdenc", COMPRESSION },
  { "gzipenc", COMPRESSION },
  { "lz4enc", COMPRESSION },
  { "brotlienc", COMPRESSION },
  { "aesgcmenc", ENCRYPTION },
  { "chacha20poly1305enc", ENCRYPTION },
};

typedef enum
{
  RIGHT,
  REFUSED,   /* by the rules of order: the message names both */
  NO_SAMPLES /* these bytes are no samples: the pads do not link */
} Verdict;

static const Verdict table[N_KINDS][N_KINDS] = {
  /* first, then second: pass-through, transform, checksum, compression,
     encryption */
  [PASS_THROUGH] = { RIGHT, RIGHT, RIGHT, RIGHT, RIGHT },
  [TRANSFORM] = { RIGHT, RIGHT, RIGHT, RIGHT, RIGHT },
  [CHECKSUM] = { RIGHT, RIGHT, RIGHT, RIGHT, RIGHT },
  [COMPRESSION] = { RIGHT, NO_SAMPLES, RIGHT, REFUSED, RIGHT },
  [ENCRYPTION] = { RIGHT, NO_SAMPLES, RIGHT, REFUSED, REFUSED },
};

static gchar *key_file, *passphrase_file;

static void
make_secrets (void)
{
  guint8 key[32];
  gint fd;
  gsize i;

  for (i = 0; i < sizeof key; i++)
    key[i] = g_random_int ();
  fd = g_file_open_tmp ("key-XXXXXX", &key_file, NULL);
  fail_unless (fd >= 0);
  g_close (fd, NULL);
  fail_unless (g_file_set_contents (key_file, (gchar *) key, sizeof key, NULL));
  fail_unless (g_chmod (key_file, 0600) == 0);
  fd = g_file_open_tmp ("pass-XXXXXX", &passphrase_file, NULL);
  fail_unless (fd >= 0);
  g_close (fd, NULL);
  fail_unless (
      g_file_set_contents (passphrase_file, "only for a test", -1, NULL));
  fail_unless (g_chmod (passphrase_file, 0600) == 0);
}

static void
remove_secrets (void)
{
  g_unlink (key_file);
  g_unlink (passphrase_file);
  g_clear_pointer (&key_file, g_free);
  g_clear_pointer (&passphrase_file, g_free);
}

/* Are all elements of the line there? */
static gboolean
is_available (const gchar *line)
{
  gchar **parts = g_strsplit (line, " ! ", -1);
  gboolean available = TRUE;
  gsize i;

  for (i = 0; parts[i] != NULL; i++) {
    gchar *name = g_strndup (parts[i], strcspn (parts[i], " "));
    GstElementFactory *factory = gst_element_factory_find (name);

    available = available && factory != NULL;
    gst_clear_object (&factory);
    g_free (name);
  }
  g_strfreev (parts);
  return available;
}

/* Ciphers get the secret that they ask for. */
static void
give_secrets (GstElement *pipeline)
{
  GstIterator *it = gst_bin_iterate_elements (GST_BIN (pipeline));
  GValue item = G_VALUE_INIT;

  while (gst_iterator_next (it, &item) == GST_ITERATOR_OK) {
    GObject *element = g_value_get_object (&item);
    GObjectClass *klass = G_OBJECT_GET_CLASS (element);

    if (g_object_class_find_property (klass, "key-file"))
      g_object_set (element, "key-file", key_file, NULL);
    if (g_object_class_find_property (klass, "passphrase-file"))
      g_object_set (element, "passphrase-file", passphrase_file, NULL);
    g_value_reset (&item);
  }
  g_value_unset (&item);
  gst_iterator_free (it);
}

/* Runs it to its end or error. */
static void
expect (const gchar *launch, gboolean right)
{
  GstElement *pipeline;
  GstBus *bus;
  GstMessage *message;
  GError *error = NULL;

  pipeline = gst_parse_launch (launch, &error);
  fail_unless (pipeline != NULL && error == NULL, "%s: %s", launch,
      error ? error->message : "");
  give_secrets (pipeline);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND,
      GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  fail_unless (message != NULL, "%s hangs", launch);
  if (right) {
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
      gst_message_parse_error (message, &error, NULL);
    fail_unless (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS, "%s: %s",
        launch, error ? error->message : "");
  } else {
    fail_unless (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR,
        "%s was not refused", launch);
    gst_message_parse_error (message, &error, NULL);
    fail_unless (g_error_matches (error, GST_CORE_ERROR,
                     GST_CORE_ERROR_NEGOTIATION),
        "%s: %s", launch, error->message);
    fail_unless (strstr (error->message, "first") != NULL
            && strstr (error->message, "second") != NULL,
        "%s: one is not named: %s", launch, error->message);
    g_clear_error (&error);
  }
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
}

GST_START_TEST (test_order)
{
  gchar *launch;

  if (!is_available (lines[__i__].line))
    return;
  make_secrets ();
  launch = g_strdup_printf (
      "fakesrc num-buffers=3 sizetype=fixed sizemax=1000 filltype=pattern ! "
      "application/x-edf ! %s ! fakesink",
      lines[__i__].line);
  expect (launch, lines[__i__].right);
  g_free (launch);
  remove_secrets ();
}

GST_END_TEST;

GST_START_TEST (test_order_of_samples)
{
  gchar *launch;

  if (!is_available (sample_lines[__i__].line))
    return;
  make_secrets ();
  launch = g_strdup_printf ("eegsrc num-samples=3000 ! %s ! fakesink",
      sample_lines[__i__].line);
  expect (launch, sample_lines[__i__].right);
  g_free (launch);
  remove_secrets ();
}

GST_END_TEST;

/* One cell of the table, with all elements of its kinds. */
GST_START_TEST (test_cell)
{
  const Kind first = __i__ / N_KINDS, second = __i__ % N_KINDS;
  const Verdict verdict = table[first][second];
  gsize i, k;

  make_secrets ();
  for (i = 0; i < G_N_ELEMENTS (members); i++) {
    for (k = 0; k < G_N_ELEMENTS (members); k++) {
      gchar *pair, *launch;

      if (members[i].kind != first || members[k].kind != second)
        continue;
      pair = g_strdup_printf ("%s name=first%s ! %s name=second%s",
          members[i].name,
          strcmp (members[i].name, "chacha20poly1305enc") ? ""
                                                          : " work-factor=1",
          members[k].name,
          strcmp (members[k].name, "chacha20poly1305enc") ? ""
                                                          : " work-factor=1");
      launch = g_strdup_printf ("eegsrc driver=synthetic num-samples=1000 ! "
                                "rawtovoltage ! %s ! fakesink",
          pair);
      if (!is_available (pair)) {
        GST_INFO ("left out: %s", pair);
      } else if (verdict == NO_SAMPLES) {
        GError *error = NULL;
        GstElement *pipeline = gst_parse_launch_full (launch, NULL,
            GST_PARSE_FLAG_FATAL_ERRORS, &error);

        fail_unless (g_error_matches (error, GST_PARSE_ERROR,
                         GST_PARSE_ERROR_LINK),
            "%s could be linked", pair);
        g_error_free (error);
        gst_clear_object (&pipeline);
      } else {
        expect (launch, verdict == RIGHT);
      }
      g_free (launch);
      g_free (pair);
    }
  }
  remove_secrets ();
}

GST_END_TEST;

static Suite *
order_suite (void)
{
  Suite *s = suite_create ("order");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_order, 0, G_N_ELEMENTS (lines));
  tcase_add_loop_test (tc, test_order_of_samples, 0,
      G_N_ELEMENTS (sample_lines));
  tcase_add_loop_test (tc, test_cell, 0, N_KINDS * N_KINDS);
  return s;
}

GST_CHECK_MAIN (order);
