/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* EDFlib as an oracle: "read FILE" prints what it finds, "write FILE" writes a
 * file that our demuxer must read, "record FILE SECONDS close" or "kill"
 * records with a note each second and then closes the file or is killed. */

#include <edflib.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
read_file (const char *path)
{
  static struct edf_hdr_struct h;
  int i, handle = edfopen_file_readonly (path, &h, EDFLIB_READ_ALL_ANNOTATIONS);

  if (handle < 0) {
    fprintf (stderr, "EDFlib refuses %s: %d\n", path, h.filetype);
    return 1;
  }
  printf ("type %d signals %d records %lld duration %lld subsecond %lld\n",
      h.filetype, h.edfsignals, h.datarecords_in_file, h.datarecord_duration,
      h.starttime_subsecond);
  for (i = 0; i < h.edfsignals; i++) {
    int n = (int) h.signalparam[i].smp_in_file, k;
    int *samples = malloc (sizeof *samples * (size_t) (n + 1));
    long long sum = 0, weighted = 0;

    if (samples == NULL || edfread_digital_samples (handle, i, n, samples) != n)
      return 1;
    for (k = 0; k < n; k++) {
      sum += samples[k];
      weighted += (long long) samples[k] * (k % 1009);
    }
    printf ("signal %d '%s' n %d sum %lld weighted %lld\n", i,
        h.signalparam[i].label, n, sum, weighted);
    free (samples);
  }
  for (i = 0; i < h.annotations_in_file; i++) {
    struct edf_annotation_struct a;

    if (edf_get_annotation (handle, i, &a))
      return 1;
    printf ("annotation %lld '%s' '%s'\n", a.onset, a.duration, a.annotation);
  }
  edfclose_file (handle);
  return 0;
}

static int
write_file (const char *path)
{
  static const int rates[] = { 256, 32, 256 };
  static int buffer[256];
  int bdf = strstr (path, ".bdf") != NULL, i, k, r;
  int handle = edfopen_file_writeonly (path,
      bdf ? EDFLIB_FILETYPE_BDFPLUS : EDFLIB_FILETYPE_EDFPLUS, 3);

  if (handle < 0)
    return 1;
  for (i = 0; i < 3; i++) {
    edf_set_samplefrequency (handle, i, rates[i]);
    edf_set_physical_maximum (handle, i, 1000 + i);
    edf_set_physical_minimum (handle, i, -1000);
    edf_set_digital_maximum (handle, i, bdf ? 8388607 : 32767);
    edf_set_digital_minimum (handle, i, bdf ? -8388608 : -32768);
    edf_set_label (handle, i, i == 1 ? "Resp" : "EEG C3");
    edf_set_physical_dimension (handle, i, "uV");
    edf_set_prefilter (handle, i, "HP:0.1Hz");
  }
  edf_set_startdatetime (handle, 2023, 4, 5, 6, 7, 8);
  edf_set_subsecond_starttime (handle, 2500000);
  edf_set_patientname (handle, "Some Body");
  for (r = 0; r < 7; r++) {
    for (i = 0; i < 3; i++) {
      for (k = 0; k < rates[i]; k++)
        buffer[k] = (r * 1000 + k * 3 - i * 5000) * (bdf ? 100 : 1);
      if (edfwrite_digital_samples (handle, buffer))
        return 1;
    }
  }
  edfwrite_annotation_utf8 (handle, 15000, 20000, "first \xc3\xa9");
  edfwrite_annotation_utf8 (handle, 60001, -1, "second");
  return edfclose_file (handle) != 0;
}

/* One record a second with a note in each, as a recorder writes. */
static int
record_file (const char *path, int n, int close)
{
  static int buffer[250];
  int i, k, r,
      handle = edfopen_file_writeonly (path, EDFLIB_FILETYPE_BDFPLUS, 16);

  if (handle < 0)
    return 1;
  for (i = 0; i < 16; i++) {
    edf_set_samplefrequency (handle, i, 250);
    edf_set_physical_maximum (handle, i, 1000);
    edf_set_physical_minimum (handle, i, -1000);
    edf_set_digital_maximum (handle, i, 8388607);
    edf_set_digital_minimum (handle, i, -8388608);
    edf_set_label (handle, i, "EEG C3");
    edf_set_physical_dimension (handle, i, "uV");
  }
  for (r = 0; r < n; r++) {
    char note[32];

    for (i = 0; i < 16; i++) {
      for (k = 0; k < 250; k++)
        buffer[k] = r * 1000 + k * 3 - i * 5000;
      if (edfwrite_digital_samples (handle, buffer))
        return 1;
    }
    snprintf (note, sizeof note, "note %d", r);
    edfwrite_annotation_utf8 (handle, 10000LL * r, -1, note);
  }
  if (!close)
    kill (getpid (), SIGKILL);
  return edfclose_file (handle) != 0;
}

int
main (int argc, char **argv)
{
  if (argc == 5 && strcmp (argv[1], "record") == 0)
    return record_file (argv[2], atoi (argv[3]), strcmp (argv[4], "kill") != 0);
  if (argc == 3 && strcmp (argv[1], "read") == 0)
    return read_file (argv[2]);
  if (argc == 3 && strcmp (argv[1], "write") == 0)
    return write_file (argv[2]);
  return 2;
}
