/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which pages are tables of EL2's stage 1, of the stage 2 that a CPU's VTTBR_EL2 points
 * to, and of EL1: what a root register points to, and what a live table entry of such a
 * page points to; a page that no entry and no register points to any more is none.
 * Each has a copy of its entries, so that a store's old value is known after the store.
 *
 * Granule 4 KiB. Safe for several CPUs at a time.
 */
#ifndef HVSCOPE_TRACER_TABLES_H
#define HVSCOPE_TRACER_TABLES_H

#include <hvscope/trace.h>
#include <hvscope/trace_file.h>
#include <stdbool.h>
#include <stdint.h>

/* One entry that a store changed, or wrote again. */
struct table_store {
    uint64_t pa; /* of the entry */
    uint64_t old, new;
    unsigned int level;
    enum trace_regime regime;
};

#define TABLE_STORES_MAX 2 /* entries that one store of at most 16 bytes can reach */

/* After guest_ram_add(). The numbers of tables are kept in totals. False without memory. */
bool tables_init(struct trace_totals *totals);

/* CPU cpu walks from here on: tcr is TCR_EL2 or HTCR. False, and it walks nowhere, if its T0SZ is
 * reserved. */
bool tables_set_root(unsigned int cpu, uint64_t root, uint64_t tcr, bool aarch32);

/*
 * CPU cpu's stage 2 begins at VTTBR_EL2, as VTCR_EL2 (AArch32: VTTBR, VTCR) says; a VTTBR_EL2
 * outside RAM is none. False if such a VTCR_EL2 is reserved: nothing is followed then.
 */
bool tables_set_stage2(unsigned int cpu, uint64_t vttbr, uint64_t vtcr, bool aarch32);

/* CPU cpu's EL1: TTBR0_EL1 and TTBR1_EL1, TCR_EL1 (AArch32: TTBCR), of 4 KiB pages. */
struct tables_el1 {
    uint64_t ttbr[2], tcr;
    bool has_stage2; /* its addresses are IPAs, of the stage 2 that the CPU has now */
    bool aarch32;
};
void tables_set_el1(unsigned int cpu, const struct tables_el1 *el1);

/* May a store to pa be one to an entry? Quick, and without a lock. */
bool tables_hold(uint64_t pa);

/*
 * A store of size bytes (1 to 16) was made at pa; value: its bytes, low ones
 * first. How many entries it reached, and for each what changed.
 */
unsigned int tables_store(uint64_t pa, unsigned int size, const uint64_t value[2],
                          struct table_store stores[TABLE_STORES_MAX]);

/*
 * PA of the entry that this CPU's walk of va reads in a table of this level, and
 * the entry. False if the walk ends before that.
 */
bool tables_walk(unsigned int cpu, uint64_t va, unsigned int level, uint64_t *pa, uint64_t *entry);

#endif /* HVSCOPE_TRACER_TABLES_H */
