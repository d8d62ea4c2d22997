/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Barriers, each with one function (Arm ARM B2.3.12, D8.17). */
#ifndef HV_ARCH_BARRIER_H
#define HV_ARCH_BARRIER_H

static inline void dsb_sy(void)
{
    asm volatile("dsb sy" : : : "memory");
}

static inline void dsb_ish(void)
{
    asm volatile("dsb ish" : : : "memory");
}

static inline void dsb_nsh(void)
{
    asm volatile("dsb nsh" : : : "memory");
}

static inline void dsb_nshst(void)
{
    asm volatile("dsb nshst" : : : "memory");
}

static inline void isb(void)
{
    asm volatile("isb" : : : "memory");
}

static inline void cpu_relax(void)
{
    asm volatile("yield" : : : "memory");
}

#endif /* HV_ARCH_BARRIER_H */
