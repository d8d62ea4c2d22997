/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The chain of tables above the slots: root, L1, the L2 pages.
 *
 * It is walked from the root register's value, entry by entry; the beacon's
 * own idea of where L1 and L2 are is not asked.
 */
#ifndef VIEWER_MODEL_WALK_H
#define VIEWER_MODEL_WALK_H

#include "model/machine.h"

#include <hvscope/pte.h>

#define CHAIN_MAX (1 + DOMHEAP_SECOND_PAGES) /* L0[255], L1[0], L1[1]; arm32: L1[2], L1[3] */

/* Where an entry of the chain leads to. */
enum chain_end {
    CHAIN_TABLE, /* to a table that can be read */
    CHAIN_INVALID,
    CHAIN_BLOCK,   /* valid, but no table */
    CHAIN_OUTSIDE, /* a table outside RAM */
};

struct chain_entry {
    unsigned int level;
    unsigned int index;
    int page;       /* it leads to slots 512 * page …; -1: to a table above them */
    uint64_t table; /* PA of the table that the entry is in */
    lpae_t pte;
    enum chain_end end;
    uint64_t next; /* PA of the next table; CHAIN_OUTSIDE: what the entry says */
};

struct chain {
    unsigned int nr; /* entries that could be read */
    struct chain_entry entry[CHAIN_MAX];
};

/* Walk from the root to the L2 pages. An unreadable root: an empty chain. */
void chain_read(const struct source *src, const struct machine *m, uint64_t root,
                struct chain *chain);

/* PA of the L2 page that holds slots 512 * n …, 0 if the chain ends before it. */
uint64_t chain_l2(const struct chain *chain, unsigned int n);

/* Level 2 pages that the machine's slots take: 1 or 2. */
unsigned int machine_l2_pages(const struct machine *m);

#endif /* VIEWER_MODEL_WALK_H */
