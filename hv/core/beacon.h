/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the image tells the tools: include/hvscope/beacon.h. */
#ifndef HV_CORE_BEACON_H
#define HV_CORE_BEACON_H

#include "arch/percpu.h"
#include "mm/pgtable.h"
#include <hvscope/beacon.h>

/* A page, then a block a CPU; each block on cache lines of its own. */
#define BEACON_CPU_STRIDE 320

struct beacon_area {
    union {
        struct beacon page;
        char page_bytes[PAGE_SIZE];
    };
    union {
        struct beacon_cpu block;
        char block_bytes[BEACON_CPU_STRIDE];
    } cpu[BEACON_CPUS_MAX];
};

extern struct beacon_area beacon_area;

/* The whole, for those who add to it. Inline: trace points ask on every map. */
static inline struct beacon *beacon(void)
{
    return &beacon_area.page;
}

/* This CPU's block; always valid, from the first instruction of hv_main(). */
DECLARE_PER_CPU(struct beacon_cpu *, beacon_cpu);

/* Point a CPU to its block. */
void beacon_cpu_init(unsigned int cpu, uint64_t mpidr);

/* Fill the page in, RAM banks included, and set its magic. seed: something that differs from boot
 * to boot. */
void beacon_publish(unsigned int ncpu, uint64_t seed);

/* State of the machine, and of a CPU. */
void beacon_set_state(enum beacon_state state);
void beacon_cpu_state(unsigned int cpu, enum beacon_cpu_state state);

/* The xenheap, once it is known. */
void beacon_heap(mfn_t xenheap, uint64_t xenheap_pages, bool directmap);

/* Where the tables of a CPU's slot 255 are. */
void beacon_cpu_tables(unsigned int cpu, const lpae_t *root, paddr_t l1, const lpae_t *slots);

/*
 * This CPU's registers of a guest change between these two. Odd before the first
 * of them does, even after the last: whoever halts the machine in between knows.
 */
void beacon_guest_begin(void);
void beacon_guest_end(void);

/* Say why, and with which status, the run ends. */
void beacon_panic(const char *message);
void beacon_exit(uint32_t status);

#endif /* HV_CORE_BEACON_H */
