/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An address space as ranges: hvscope.ranges/1. Neighbours that continue each
 * other in all respects are one range; slots and entries with different
 * software bits are never merged.
 */
#ifndef VIEWER_MODEL_RANGES_H
#define VIEWER_MODEL_RANGES_H

#include "model/ptwalk.h"

struct range {
    uint64_t va, size, pa;
    int level;
    unsigned int leaves;
    char perm[4];
    char type[MEMORY_TYPE_MAX];
    const char *share;
    unsigned int software;
    const char *region; /* its name; NULL: none of ours */
};

struct ranges {
    unsigned int nr, room;
    struct range *range;
    unsigned int tables; /* that were read */
    unsigned int faults; /* tables that could not be: outside RAM, or too large an address */
};

/*
 * All that root maps. 0, or -1 with f: a root that cannot be one, or tables
 * that lead round in circles (EXIT_NOT_UNDERSTOOD). ranges_free() the result.
 */
int ranges_read(const struct source *src, const struct machine *m, const struct regime *r,
                uint64_t root, struct ranges *list, struct failure *f);
void ranges_free(struct ranges *list);

/* The region of the image's layout that va lies in: "domheap", "image", …; or NULL. */
const char *region_name(const struct machine *m, uint64_t va);

#endif /* VIEWER_MODEL_RANGES_H */
