/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An address space as ranges: hvscope.ranges/1. Neighbours that continue each
 * other in all respects are one range; slots and entries with different
 * software bits are never merged.
 */
#ifndef VIEWER_MODEL_RANGES_H
#define VIEWER_MODEL_RANGES_H

#include "model/stage.h"

struct range {
    uint64_t va, size, pa;
    int level;
    unsigned int leaves;
    struct attributes a;
    const char *region; /* its name; NULL: none that is known */
};

/* Entries that are not invalid, and translate nothing. */
struct range_fault {
    char why[FAULT_TEXT_MAX];
    unsigned int entries;
};

#define RANGE_FAULTS_MAX 8

struct ranges {
    unsigned int nr, room;
    struct range *range;
    unsigned int tables; /* that were read */
    unsigned int faults; /* kinds of them */
    struct range_fault fault[RANGE_FAULTS_MAX];
};

/*
 * Add all that a stage maps to list, which is zeroed before the first. regions:
 * whose names for them (NULL: none). 0, or -1 with f: a root that cannot be
 * one, or tables that lead round in circles (EXIT_NOT_UNDERSTOOD); the list is
 * then empty. ranges_free() it.
 */
int ranges_read(struct table_memory *memory, const struct stage *stage,
                const struct machine *regions, struct ranges *list, struct failure *f);
void ranges_free(struct ranges *list);

#endif /* VIEWER_MODEL_RANGES_H */
