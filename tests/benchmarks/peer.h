/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The other side of benchmarks in Python: a program that does the work named in
 * a line of its standard input and prints the seconds that it took. */
#ifndef __GST_EEG_BENCHMARK_PEER_H__
#define __GST_EEG_BENCHMARK_PEER_H__

#include <glib.h>
#include <stdio.h>

typedef struct
{
  FILE *in, *out; /* NULL if it does not run */
} Peer;

/* Starts @script of this folder, on one thread. It is told the file of
 * interleaved F32 samples, and how many channels and Hz they have. */
static inline gboolean
peer_start (Peer *peer, const gchar *script, const gchar *samples,
    guint n_channels, guint rate)
{
  const gchar *source = g_getenv ("GSTEEG_SOURCE_DIR");
  const gchar *python = g_getenv ("GSTEEG_PYTHON");
  gchar *path = g_build_filename (source ? source : ".", "tests", "benchmarks",
      script, NULL);
  gchar *channels = g_strdup_printf ("%u", n_channels);
  gchar *rate_text = g_strdup_printf ("%u", rate);
  gchar *argv[] = { (gchar *) (python ? python : "/usr/bin/python3"), path,
    (gchar *) samples, channels, rate_text, NULL };
  gint in, out;
  gboolean ok;

  g_setenv ("OMP_NUM_THREADS", "1", TRUE);
  g_setenv ("OPENBLAS_NUM_THREADS", "1", TRUE);
  g_setenv ("MKL_NUM_THREADS", "1", TRUE);
  ok = g_spawn_async_with_pipes (NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL,
      NULL, &in, &out, NULL, NULL);
  peer->in = ok ? fdopen (in, "w") : NULL;
  peer->out = ok ? fdopen (out, "r") : NULL;
  g_free (path);
  g_free (channels);
  g_free (rate_text);
  return ok;
}

/* Seconds of @work, or a negative value if that is not possible there. */
static inline double
peer_run (Peer *peer, const gchar *work)
{
  gchar line[64];

  if (peer->in == NULL)
    return -1;
  fprintf (peer->in, "%s\n", work);
  fflush (peer->in);
  if (fgets (line, sizeof line, peer->out) == NULL)
    return -1;
  return g_ascii_strtod (line, NULL);
}

static inline void
peer_stop (Peer *peer)
{
  if (peer->in == NULL)
    return;
  fclose (peer->in);
  fclose (peer->out);
  peer->in = peer->out = NULL;
}

#endif /* __GST_EEG_BENCHMARK_PEER_H__ */
