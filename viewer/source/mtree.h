/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where QEMU's RAM is: what its monitor prints for "info mtree -f".
 */
#ifndef VIEWER_SOURCE_MTREE_H
#define VIEWER_SOURCE_MTREE_H

#include <stdint.h>

#define MTREE_COMMAND  "info mtree -f"
#define MTREE_NAME_MAX 64

struct mtree_range {
    uint64_t base, size;
    char name[MTREE_NAME_MAX]; /* of the memory region: its backend's */
};

/* RAM in the flat view of system memory, up to max ranges of it; how many. */
unsigned int mtree_ram(const char *text, struct mtree_range *range, unsigned int max);

#endif /* VIEWER_SOURCE_MTREE_H */
