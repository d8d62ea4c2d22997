/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RAM found by asking QEMU: the files of its memory backends and where they
 * lie. Where RAM is not in shared files, QEMU is asked to save the ranges that
 * are read (pmemsave); the guest runs on meanwhile, so such readings are less
 * often consistent.
 */
#ifndef VIEWER_SOURCE_BACKENDS_H
#define VIEWER_SOURCE_BACKENDS_H

#include "source/failure.h"
#include "source/qmp_ask.h"
#include "source/source.h"

/* NULL and f (EXIT_NO_TARGET) on failure. */
struct source *backends_open(const char *socket_path, struct failure *f);

/*
 * A machine without shared RAM, through pmemsave; base: where its RAM begins. The source is shared
 * (source_take()), and taken at first: it takes over talk, which goes through socket_path.
 */
struct source *pmemsave_open(struct qmp_talk *talk, const char *socket_path, uint64_t base,
                             uint64_t size, struct failure *f);

#endif /* VIEWER_SOURCE_BACKENDS_H */
