/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fake: an interrupt that is pending is taken when they are no longer masked. */
#ifndef HV_ARCH_IRQ_H
#define HV_ARCH_IRQ_H

#include "fake.h"

static inline uint64_t local_irq_save(void)
{
    return fake_irq_mask();
}

static inline void local_irq_restore(uint64_t flags)
{
    fake_irq_restore(flags);
}

#endif /* HV_ARCH_IRQ_H */
