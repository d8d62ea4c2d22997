/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Barriers, each with one function (Arm ARM B2.3.12, D8.17), recorded when they are complete. */
#ifndef HV_ARCH_BARRIER_H
#define HV_ARCH_BARRIER_H

#include "arch/trace_site.h"

static ALWAYS_INLINE void dsb_sy(void)
{
    TRACE_BARRIER("dsb sy", TRACE_DSB_SY);
}

static ALWAYS_INLINE void dsb_ish(void)
{
    TRACE_BARRIER("dsb ish", TRACE_DSB_ISH);
}

static ALWAYS_INLINE void dsb_ishst(void)
{
    TRACE_BARRIER("dsb ishst", TRACE_DSB_ISHST);
}

static ALWAYS_INLINE void dsb_nsh(void)
{
    TRACE_BARRIER("dsb nsh", TRACE_DSB_NSH);
}

static ALWAYS_INLINE void dsb_nshst(void)
{
    TRACE_BARRIER("dsb nshst", TRACE_DSB_NSHST);
}

static ALWAYS_INLINE void isb(void)
{
    TRACE_BARRIER("isb", TRACE_ISB);
}

static ALWAYS_INLINE void cpu_relax(void)
{
    asm volatile("yield" : : : "memory");
}

#endif /* HV_ARCH_BARRIER_H */
