/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables for tests of the checker, and events on them as words.
 *
 * Two CPUs, a root and an L1 each. Under them two L2 pages of its own a CPU
 * (at PRIVATE_VA, 1 GiB each) and one that both have (at SHARED_VA).
 *
 *   S0 Sa Sb Sc   store 0, block a, b, c     Sro Sxn Saf Swt Ssh Scont  a with RO, XN, AF 0,
 * another R             count only                                            AttrIndx, SH,
 * contiguous D... by type and domain: Dnsh (D), Dnshst (Dst), Dnshld (Dld), Dish, Dishst, Dishld,
 * Dsy; I  ISB T L A   VAE2, VALE2 of the slot, ALLE2; T+ another page of the block, Tn the next
 * block, Tp the page below; Tis, Lis, Ais broadcast; Gn  RVALE2 of n + 1 pairs of pages from the
 * slot on "1:" before a word: CPU1 does it.
 */
#ifndef TESTS_UNIT_BBM_WORLD_H
#define TESTS_UNIT_BBM_WORLD_H

#include "core/bbm.h"

#define WORLD_ROOT(cpu)       (UINT64_C(0x100000) + (cpu)*0x1000)
#define WORLD_L1(cpu)         (UINT64_C(0x200000) + (cpu)*0x1000)
#define WORLD_L2(cpu, second) (UINT64_C(0x300000) + ((cpu)*2 + (second)) * 0x1000)
#define WORLD_SHARED          UINT64_C(0x400000)
#define WORLD_L3              UINT64_C(0x500000)
#define PRIVATE_VA            UINT64_C(0x7f8000000000)
#define SHARED_VA             (PRIVATE_VA + (UINT64_C(2) << 30))

#define BLOCK_A (UINT64_C(0x80000000) | PTE_XEN_BLOCK)
#define BLOCK_B (UINT64_C(0x90000000) | PTE_XEN_BLOCK)
#define BLOCK_C (UINT64_C(0xa0000000) | PTE_XEN_BLOCK)

struct world {
    struct bbm *bbm;
    void *memory;
    uint64_t time;
    uint64_t table, va; /* of the slot that words are about: entry 5 */
    uint64_t entry[8][PT_ENTRIES];
    struct bbm_event last;
};

#define WORLD_INDEX 5

/* known: as in struct bbm_config; bbm_level: FEAT_BBM. The slot holds a. */
void world_make(struct world *w, unsigned int bbm_level, bool known, bool shared);
void world_free(struct world *w);

/* The entry of the slot, n entries further on. */
uint64_t *world_entry(struct world *w, unsigned int n);

/* One event; what it lacks (time, old) is filled in. */
void world_event(struct world *w, struct bbm_event e);

/* Words, separated by blanks. */
void world_do(struct world *w, const char *words);

#endif /* TESTS_UNIT_BBM_WORLD_H */
