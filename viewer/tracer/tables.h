/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which pages are tables of EL2's stage 1: what a CPU's root register points to,
 * and what a live table entry of such a page points to; a page that no entry and
 * no register points to any more is none. Each has a copy of its entries, so that
 * a store's old value is known after the store.
 *
 * Granule 4 KiB. Safe for several CPUs at a time.
 */
#ifndef HVSCOPE_TRACER_TABLES_H
#define HVSCOPE_TRACER_TABLES_H

#include <hvscope/trace_file.h>
#include <stdbool.h>
#include <stdint.h>

/* One entry that a store changed, or wrote again. */
struct table_store {
    uint64_t pa; /* of the entry */
    uint64_t old, new;
    unsigned int level;
};

#define TABLE_STORES_MAX 2 /* entries that one store of at most 16 bytes can reach */

/* After guest_ram_add(). The numbers of tables are kept in totals. False without memory. */
bool tables_init(struct trace_totals *totals);

/* CPU cpu walks from here on: tcr is TCR_EL2 or HTCR. */
void tables_set_root(unsigned int cpu, uint64_t root, uint64_t tcr, bool aarch32);

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
