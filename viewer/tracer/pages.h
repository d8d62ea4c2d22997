/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pages that are tables, each with a copy of its entries. Only tables.c, which
 * has the lock that all of this needs (but page_at(), which needs none to be quick).
 */
#ifndef HVSCOPE_TRACER_PAGES_H
#define HVSCOPE_TRACER_PAGES_H

#include <hvscope/pte.h>
#include <hvscope/trace.h>
#include <hvscope/trace_file.h>
#include <stdbool.h>
#include <stdint.h>

struct table;

/* Where a walk begins: in one page, or at stage 2 in up to 16, one behind the other. */
#define ROOT_PAGES 16
struct root {
    uint64_t pa;              /* EL1's: an IPA, if there is a stage 2 */
    unsigned int level, bits; /* of the VA or IPA, that are translated; 0: there is no walk */
    struct table *page[ROOT_PAGES];
};

/*
 * The tables below one root. While no CPU's register points to it, it is kept only until
 * something is stored there: its pages may have become anything. EL2's are not kept.
 */
struct space {
    enum trace_regime regime;
    struct root root;
    struct space *stage2; /* what EL1's addresses go through; NULL: none */
    bool known;
    unsigned int cpus; /* whose register points to it */
    uint64_t used;     /* when one did last, as a number */
};

/* The space of all of EL2's roots: it is never forgotten. */
extern struct space el2_space;

struct table {
    uint64_t pa; /* of the page */
    struct space *space;
    unsigned int level;
    unsigned int first, end; /* entries of the page that are the table's; a root may have few */
    unsigned int refs;       /* entries and root registers that point here */
    struct table **next;     /* for each entry the table that it points to; NULL: all are NULL */
    uint64_t visit;          /* the last walk over tables that came here, as a number */
    struct table *next_free;
    lpae_t entry[PT_ENTRIES];
};

/* After guest_ram_add(). The numbers of tables are kept in totals. False without memory. */
bool pages_init(struct trace_totals *totals);

/* The table in whose page pa lies, NULL if it is none. */
struct table *page_at(uint64_t pa);

/* A root register points to these tables from now on, or does no more. */
void pages_get(struct space *space, struct root *root);
void pages_put(struct root *root);

/*
 * For pages.c, by tables.c, which knows all spaces: the table at pa; its space is one that a CPU
 * has, unless only tables that are being made or put have it. Spaces that no CPU has are
 * forgotten if it was theirs alone.
 */
struct table *table_in_use(uint64_t pa);

/* Is t below this root? */
bool pages_reach(const struct root *root, const struct table *t);

/* Entry `index` of a table becomes `new`: what it points to becomes a table, what it pointed
 * to may be none any more. */
void page_store(struct table *t, unsigned int index, lpae_t new);

/* The table in which the walk of va ends, at level `last` at the latest, and its entry and level
 * there; NULL if there is no such table. */
const struct table *pages_walk(const struct root *root, uint64_t va, unsigned int last,
                               unsigned int *index, unsigned int *level);

#endif /* HVSCOPE_TRACER_PAGES_H */
