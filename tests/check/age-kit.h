/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifndef __AGE_KIT_H__
#define __AGE_KIT_H__

#include <gst/check/gstcheck.h>
#include <string.h>
#include <zlib.h>

/* A file of age's test kit: header lines, an empty line, the file. */

typedef struct
{
  gchar *expect;
  gchar *payload;
  gchar *identities;
  gchar *passphrase;
  guint8 *file;
  gsize size;
} KitFile;

static inline gboolean
kit_inflate (KitFile *kit, const guint8 *data, gsize size)
{
  uLongf out_size = 32 << 20;

  kit->file = g_malloc (out_size);
  if (uncompress (kit->file, &out_size, data, size) != Z_OK)
    return FALSE;
  kit->size = out_size;
  return TRUE;
}

static inline gboolean
kit_load (KitFile *kit, const gchar *path)
{
  GString *identities = g_string_new (NULL);
  gboolean compressed = FALSE, ok;
  gchar *content;
  gsize size, position = 0;

  memset (kit, 0, sizeof *kit);
  fail_unless (g_file_get_contents (path, &content, &size, NULL));
  while (content[position] != '\n') {
    gchar *end = memchr (content + position, '\n', size - position);
    gchar *line = g_strndup (content + position, end - content - position);
    gchar **field = g_strsplit (line, ": ", 2);

    if (g_str_equal (field[0], "expect"))
      kit->expect = g_strdup (field[1]);
    else if (g_str_equal (field[0], "payload"))
      kit->payload = g_strdup (field[1]);
    else if (g_str_equal (field[0], "identity"))
      g_string_append_printf (identities, "%s\n", field[1]);
    else if (g_str_equal (field[0], "passphrase"))
      kit->passphrase = g_strdup (field[1]);
    else if (g_str_equal (field[0], "compressed"))
      compressed = TRUE;
    g_strfreev (field);
    g_free (line);
    position = end - content + 1;
  }
  position++;
  if (compressed) {
    ok = kit_inflate (kit, (guint8 *) content + position, size - position);
  } else {
    kit->size = size - position;
    kit->file = g_memdup2 (content + position, kit->size);
    ok = TRUE;
  }
  kit->identities = g_string_free (identities, FALSE);
  g_free (content);
  return ok;
}

static inline void
kit_clear (KitFile *kit)
{
  g_free (kit->expect);
  g_free (kit->payload);
  g_free (kit->identities);
  g_free (kit->passphrase);
  g_free (kit->file);
}

/* Runs @test for each file of the kit: those of GSTEEG_AGE_KIT, a folder, or
 * those among the shared vectors. */
static inline void
kit_run_all (void (*test) (const gchar *name, const KitFile *kit))
{
  const gchar *shared = g_getenv ("GSTEEG_SHARED_DIR"), *name;
  gchar *folder = g_strdup (g_getenv ("GSTEEG_AGE_KIT"));
  guint run = 0;
  GDir *dir;

  if (folder == NULL && shared == NULL) {
    g_print ("no folder with test vectors (option shared-dir)\n");
    return;
  }
  if (folder == NULL)
    folder = g_build_filename (shared, "vectors", "age", "testdata", NULL);
  dir = g_dir_open (folder, 0, NULL);
  fail_unless (dir != NULL, "%s", folder);
  while ((name = g_dir_read_name (dir)) != NULL) {
    gchar *path = g_build_filename (folder, name, NULL);
    KitFile kit;

    fail_unless (kit_load (&kit, path), "%s", name);
    test (name, &kit);
    kit_clear (&kit);
    g_free (path);
    run++;
  }
  g_print ("age: %u files of the test kit, 0 left out\n", run);
  fail_unless (run > 0);
  g_dir_close (dir);
  g_free (folder);
}

#endif
