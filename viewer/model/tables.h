/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One table of a stage of translation, reached from its root by a path of indices.
 */
#ifndef VIEWER_MODEL_TABLES_H
#define VIEWER_MODEL_TABLES_H

#include "model/stage.h"

#define PATH_MAX_LEVELS 5

struct table_path {
    unsigned int nr;                     /* indices: 0 is the root */
    unsigned int index[PATH_MAX_LEVELS]; /* entry of each table on the way */
};

struct table_page {
    struct regime r;
    bool readable;   /* the rest is valid */
    const char *why; /* it is not: a few words */
    struct table_path path;
    uint64_t table[PATH_MAX_LEVELS + 1]; /* PA of each table on the way, this one last */
    lpae_t above;                        /* the entries of the path, or-ed */
    int level;
    uint64_t va; /* of its first entry */
    unsigned int entries;
    lpae_t pte[PT_ENTRIES];
};

/* Read it. A path that leads nowhere any more: not readable, and why. */
void table_read(struct table_memory *memory, const struct stage *stage,
                const struct table_path *path, struct table_page *page);

#endif /* VIEWER_MODEL_TABLES_H */
