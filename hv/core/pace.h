/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The option pace=: how often a CPU maps and unmaps. The wait comes before
 * each call, so maps stay held and can be seen.
 */
#ifndef HV_CORE_PACE_H
#define HV_CORE_PACE_H

#include "mm/domain_page.h"

/* Maps of slots that this CPU's work holds: counted apart from the slots. */
DECLARE_PER_CPU(uint64_t, pace_held);

/* From here on this CPU is paced, or not. */
void pace_start(void);
void pace_stop(void);

/* Wait until this CPU's next call is due: calls that did not wait count too. */
void pace_wait(void);

/* Inlined, so that the trace names the function that really maps. */
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

#endif /* HV_CORE_PACE_H */
