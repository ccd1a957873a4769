/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EEG_FAIL_POINT_H
#define EEG_FAIL_POINT_H

/*
 * Places between the steps that make a recording durable, where a test can let
 * the process die. Only the tests are built with EEG_FAIL_POINTS: elsewhere
 * these are nothing at all.
 */
#ifdef EEG_FAIL_POINTS

/* Kills the process if GSTEEG_FAIL_POINT is "name:n", at the nth time. */
void eeg_fail_point (const char *name);

#define EEG_FAIL_POINT(name) eeg_fail_point (name)

#else

#define EEG_FAIL_POINT(name) ((void) 0)

#endif

#endif
