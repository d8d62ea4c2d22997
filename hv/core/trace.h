/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an engine reports: counters and, with trace=api, ring records
 * (include/hvscope/trace.h). Between trace_begin() and trace_map() or
 * trace_unmap() interrupts are masked: a change of a slot, its counters and
 * its record are one unit, and the beacon's generation is odd.
 */
#ifndef HV_CORE_TRACE_H
#define HV_CORE_TRACE_H

#include "arch/trace_site.h"
#include "core/beacon.h"
#include "core/tracepoint.h"
#include <hvscope/trace.h>

/* Give a CPU its ring and its census, if the command line wants them. False without memory. */
bool trace_init_cpu(unsigned int cpu);

/* Let the choke points record what the command line wants. The boot CPU's ring is there. */
void trace_start(void);

/*
 * This CPU's slots are about to change. Nothing but an SError or a debug
 * exception can come before the end, and their handlers must not map.
 */
static inline void trace_begin(void)
{
    struct beacon_cpu *c = trace_cpu;

    CHECK(c->generation % 2 == 0, "map or unmap inside another one");
    __atomic_store_n(&c->generation, c->generation + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

/* A slot's entry was overwritten for mfn. */
static inline void trace_commandeer(unsigned int slot, lpae_t was, mfn_t mfn)
{
    if (!pte_valid(was))
        return;
    trace_cpu->commandeers++;
    if (tracepoint_armed(BEACON_FILTER_COMMANDEER))
        mapcache_commandeer(slot, was, mfn);
}

/* A map is done. refs: the slot's count now; caller: return address of the call. */
void trace_map(mfn_t mfn, unsigned int slot, unsigned int refs, bool hit, unsigned int probe,
               const void *caller);

/* What was begun ends without a record: a refused map, a reclaim by itself. */
void trace_done(void);

/* An unmap is done. */
void trace_unmap(mfn_t mfn, unsigned int slot, unsigned int refs, const void *caller);

/* A map was answered from the directmap. */
void trace_bypass(mfn_t mfn, const void *caller);

/* Print the last n maps, unmaps and bypasses that this CPU's ring has. */
void trace_print_last(unsigned int n);

#endif /* HV_CORE_TRACE_H */
