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
#include "source/qmp.h"
#include "source/source.h"

/* NULL and f (EXIT_NO_TARGET) on failure. */
struct source *backends_open(const char *socket_path, struct failure *f);

/* A machine without shared RAM, through pmemsave; base: where its RAM begins. */
struct source *pmemsave_open(const char *socket_path, uint64_t base, uint64_t size,
                             struct failure *f);

/* Is it such a one; and its machine's status, asked through its own connection: QMP_DONE or
 * _REFUSED. */
bool source_is_pmemsave(const struct source *src);
enum qmp_result pmemsave_ask(struct source *src, struct qmp *qmp);

#endif /* VIEWER_SOURCE_BACKENDS_H */
