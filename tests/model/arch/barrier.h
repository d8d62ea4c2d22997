/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The model's barriers: tlb.h. */
#ifndef HV_ARCH_BARRIER_H
#define HV_ARCH_BARRIER_H

#include "machine.h"

static inline void dsb_sy(void)
{
    machine_dsb(TRACE_DSB_SY);
}

static inline void dsb_ish(void)
{
    machine_dsb(TRACE_DSB_ISH);
}

static inline void dsb_ishst(void)
{
    machine_dsb(TRACE_DSB_ISHST);
}

static inline void dsb_nsh(void)
{
    machine_dsb(TRACE_DSB_NSH);
}

static inline void dsb_nshst(void)
{
    machine_dsb(TRACE_DSB_NSHST);
}

static inline void isb(void)
{
    machine_isb();
}

#endif /* HV_ARCH_BARRIER_H */
