/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ELF core that QEMU's dump-guest-memory writes: RAM by physical addresses,
 * and each CPU's general registers.
 */
#ifndef VIEWER_SOURCE_CORE_H
#define VIEWER_SOURCE_CORE_H

#include "source/failure.h"
#include "source/source.h"

/*
 * NULL and f on failure: EXIT_NO_TARGET if it cannot be opened, else
 * EXIT_NOT_UNDERSTOOD (no core, of another machine, truncated).
 */
struct source *core_open(const char *path, struct failure *f);

#endif /* VIEWER_SOURCE_CORE_H */
