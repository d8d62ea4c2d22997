/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EL2's control registers, for a source that knows memory only: QEMU's gdb stub
 * is asked for them once. That halts the machine for some milliseconds, so it
 * is done only where a person named a profile that needs them, and is said.
 */
#ifndef VIEWER_SOURCE_ASKED_H
#define VIEWER_SOURCE_ASKED_H

#include "source/target.h"

/*
 * Ask the stub of the machine behind target, and let target->src answer for
 * these registers from now on. Only if nobody is attached to it, as QMP knows:
 * the stub has one client, and a second one would halt the machine when the
 * first leaves. 0, or -1 with f.
 */
int asked_learn(struct target *target, const struct target_spec *spec, struct failure *f);

/* Where a stub listens, by what query-chardev says of it: "disconnected:unix:gdb.sock,server=on".
 * False: somebody is attached, or it is no socket. cwd: what a path is relative to. */
bool asked_address(const char *filename, const char *cwd, char *address, size_t size);

#endif /* VIEWER_SOURCE_ASKED_H */
