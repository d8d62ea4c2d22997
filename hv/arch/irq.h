/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Masking of interrupts on this CPU. */
#ifndef HV_ARCH_IRQ_H
#define HV_ARCH_IRQ_H

#include "arch/sysreg.h"

/* Mask interrupts; returns what local_irq_restore() takes. */
static inline uint64_t local_irq_save(void)
{
    uint64_t daif = read_sysreg(daif);

    asm volatile("msr daifset, #2" : : : "memory");
    return daif;
}

static inline void local_irq_enable(void)
{
    asm volatile("msr daifclr, #2" : : : "memory");
}

static inline void local_irq_restore(uint64_t daif)
{
    asm volatile("" : : : "memory");
    write_sysreg(daif, daif);
}

#endif /* HV_ARCH_IRQ_H */
