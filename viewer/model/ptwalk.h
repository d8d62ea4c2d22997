/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One walk of a virtual address, table by table: hvscope.walk/1.
 */
#ifndef VIEWER_MODEL_PTWALK_H
#define VIEWER_MODEL_PTWALK_H

#include "model/regime.h"

#define WALK_STEPS_MAX 5

struct walk_step {
    int level;
    uint64_t table; /* PA */
    unsigned int index;
    lpae_t pte;
    enum pte_kind kind;
};

struct walk {
    uint64_t root, va;
    unsigned int nr;
    struct walk_step step[WALK_STEPS_MAX];
    const char *fault; /* why it faults; NULL: the rest below is valid */
    int fault_level;
    uint64_t pa, size;
    lpae_t pte; /* the leaf */
    char perm[4];
    char type[MEMORY_TYPE_MAX];
    const char *share;
};

/* Reads one entry; nonzero if pa is outside RAM. */
typedef int (*entry_reader)(void *memory, uint64_t pa, uint64_t *pte);

/* 0, or -1 with f if root cannot be one. A walk that faults is no failure. */
int walk_va(const struct regime *r, entry_reader read, void *memory, uint64_t root, uint64_t va,
            struct walk *w, struct failure *f);

/* For entry_reader: the RAM that the image uses, read through a source. */
struct machine_memory {
    const struct source *src;
    const struct machine *m;
};

int machine_read_entry(void *memory, uint64_t pa, uint64_t *pte);

#endif /* VIEWER_MODEL_PTWALK_H */
