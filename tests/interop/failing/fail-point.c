/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fail-point.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
eeg_fail_point (const char *name)
{
  static atomic_int passed;
  const char *wanted = getenv ("GSTEEG_FAIL_POINT");
  size_t n = strlen (name);

  if (wanted != NULL && strncmp (wanted, name, n) == 0 && wanted[n] == ':'
      && atomic_fetch_add (&passed, 1) + 1 == atoi (wanted + n + 1))
    kill (getpid (), SIGKILL);
}
