/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The model's interrupts: machine.h. */
#ifndef HV_ARCH_IRQ_H
#define HV_ARCH_IRQ_H

#include "machine.h"

static inline uint64_t local_irq_save(void)
{
    return machine_irq_mask();
}

static inline void local_irq_restore(uint64_t flags)
{
    machine_irq_restore(flags);
}

#endif /* HV_ARCH_IRQ_H */
