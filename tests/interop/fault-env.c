/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * To be preloaded, with fault-io.c: FAULT_IO="call:n:errno" lets the nth write,
 * datasync, fsync or rename fail with the number of an error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault-io.h"

static void __attribute__ ((constructor)) read_environment (void)
{
  static const char *const names[N_FAULT_IO_CALLS] = { "write", "datasync",
    "fsync", "rename" };
  const char *text = getenv ("FAULT_IO");
  char name[16];
  unsigned n;
  int error;

  if (text == NULL || sscanf (text, "%15[a-z]:%u:%d", name, &n, &error) != 3)
    return;
  for (unsigned i = 0; i < N_FAULT_IO_CALLS; i++) {
    if (strcmp (name, names[i]) == 0)
      fault_io_fail ((FaultIoCall) i, n, error);
  }
}
