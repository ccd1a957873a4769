/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FAULT_IO_H
#define FAULT_IO_H

#include <stddef.h>

/* System calls of the whole process, of plugins too, that fail or wait when a
 * test says so. Needs an executable that exports its symbols. */

typedef enum
{
  FAULT_IO_WRITE, /* pwritev() */
  FAULT_IO_DATASYNC,
  FAULT_IO_FSYNC,
  FAULT_IO_RENAME, /* renameat2() */
  N_FAULT_IO_CALLS
} FaultIoCall;

/* Nothing fails or waits; counts begin at 0. */
void fault_io_reset (void);

/* The @nth call from now on (1: the next one) fails with @error. */
void fault_io_fail (FaultIoCall call, unsigned nth, int error);

/* The @nth write from now on writes @size bytes at most. */
void fault_io_shorten_write (unsigned nth, size_t size);

/* Calls wait from now on until they are let go. */
void fault_io_hold (FaultIoCall call);
void fault_io_release (FaultIoCall call);

/* Waits until one of them does. */
void fault_io_wait_held (FaultIoCall call);

unsigned fault_io_count (FaultIoCall call);

#endif
