/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The option pace=: how often a CPU maps and unmaps. The wait comes before
 * each call, so maps stay held and can be seen.
 */
#ifndef HV_CORE_PACE_H
#define HV_CORE_PACE_H

#include "arch/irq.h"
#include "mm/domain_page.h"

/* Maps of slots that this CPU's work holds: counted apart from the slots. */
DECLARE_PER_CPU(uint64_t, pace_held);

/* From here on this CPU is paced, or not. */
void pace_start(void);
void pace_stop(void);

/* Wait until this CPU's next call is due: calls that did not wait count too. */
void pace_wait(void);

/*
 * Inlined, so that the trace names the function that really maps. NULL if engine
 * "clock" has no slot left; unmapping that is nothing.
 */
static inline __attribute__((always_inline)) void *paced_map(mfn_t mfn)
{
    void *p;

    pace_wait();
    p = map_domain_page(mfn);
    this_cpu(pace_held) += domain_page_is_slot(p);
    return p;
}

static inline __attribute__((always_inline)) void paced_unmap(const void *p)
{
    pace_wait();
    unmap_domain_page(p);
    this_cpu(pace_held) -= domain_page_is_slot(p);
}

/*
 * A map for a moment, which no interrupt comes into: it may use the slots that
 * are kept for these, so it is never refused. Nothing is mapped inside it.
 */
static inline __attribute__((always_inline)) void *short_map(mfn_t mfn, uint64_t *irq)
{
    void *p;

    pace_wait();
    *irq = local_irq_save();
    mapcache_urgent_begin();
    p = map_domain_page(mfn);
    this_cpu(pace_held) += domain_page_is_slot(p);
    return p;
}

static inline __attribute__((always_inline)) void short_unmap(const void *p, uint64_t irq)
{
    unmap_domain_page(p);
    this_cpu(pace_held) -= domain_page_is_slot(p);
    mapcache_urgent_end();
    local_irq_restore(irq);
}

#endif /* HV_CORE_PACE_H */
