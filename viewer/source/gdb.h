/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine through QEMU's gdb stub. Connecting halts it, and it stays halted
 * until the source is closed: that detaches, and the machine goes on, unless a
 * debugger had left it halted before. A signal that ends the program detaches
 * first.
 *
 * Memory is read in the stub's physical mode, which is global to QEMU and
 * outlives a connection: it is off again afterwards.
 */
#ifndef VIEWER_SOURCE_GDB_H
#define VIEWER_SOURCE_GDB_H

#include "source/failure.h"
#include "source/source.h"

#include <stdbool.h>

#define GDB_CPUS_MAX 512

/*
 * address: a Unix socket's path, or HOST:PORT (HOST may be left out: this one).
 * NULL and f (EXIT_NO_TARGET) on failure; the machine then runs on, unless it
 * was the connection that broke.
 */
struct source *gdb_open(const char *address, struct failure *f);

/* Is this source a gdb stub: is the machine halted because of us? */
bool source_is_gdb(const struct source *src);

/* Of such a source: was the machine halted before, and is left so when the source is closed? */
bool gdb_was_halted(const struct source *src);

/* It was halted before, as somebody else knows better than the stub: leave it so. */
void gdb_leave_halted(struct source *src);

#endif /* VIEWER_SOURCE_GDB_H */
