/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One walk of an address, table by table: hvscope.walk/1.
 */
#ifndef VIEWER_MODEL_PTWALK_H
#define VIEWER_MODEL_PTWALK_H

#include "model/attributes.h"
#include "model/machine.h"

#define WALK_STEPS_MAX 5
#define FAULT_TEXT_MAX 96

/*
 * Where tables are read: 0, or -1 with why ("table outside RAM"). The first
 * member of what knows how.
 */
struct table_memory {
    int (*read)(struct table_memory *memory, uint64_t pa, void *buf, size_t len,
                char why[FAULT_TEXT_MAX]);
};

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
    bool faults;
    int fault_level;
    char fault[FAULT_TEXT_MAX]; /* why it faults; if it does not, the rest is valid */
    uint64_t pa, size;
    lpae_t pte; /* the leaf */
    struct attributes a;
};

/* 0, or -1 with f if root cannot be one. A walk that faults is no failure. */
int walk_va(const struct regime *r, struct table_memory *memory, uint64_t root, uint64_t va,
            struct walk *w, struct failure *f);

/* Why a leaf (or an invalid or reserved entry) translates nothing; NULL if it does. */
const char *leaf_fault(const struct regime *r, enum pte_kind kind, lpae_t pte, uint64_t base);

/* The RAM that the target uses, read through a source. */
struct machine_memory {
    struct table_memory memory;
    const struct source *src;
    const struct machine *m;
};

struct machine_memory machine_memory(const struct source *src, const struct machine *m);

/* Memory as a guest sees it: through stage 2, then below. The last page is remembered. */
struct guest_memory {
    struct table_memory memory;
    struct table_memory *below;
    const struct regime *s2;
    uint64_t root;
    bool known;
    uint64_t page, pa;
};

struct guest_memory guest_memory(struct table_memory *below, const struct regime *s2,
                                 uint64_t root);

#endif /* VIEWER_MODEL_PTWALK_H */
