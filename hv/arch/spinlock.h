/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Test-and-set locks. Not fair on purpose: where there are fewer host cores
 * than CPUs, a ticket lock is handed to CPUs that do not run just now.
 */
#ifndef HV_ARCH_SPINLOCK_H
#define HV_ARCH_SPINLOCK_H

#include "arch/barrier.h"
#include "arch/irq.h"
#include <stdbool.h>

typedef struct {
    uint32_t taken;
} spinlock_t;

static inline void spin_lock(spinlock_t *lock)
{
    while (__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE)) {
        while (__atomic_load_n(&lock->taken, __ATOMIC_RELAXED))
            cpu_relax();
    }
}

/* True if it was free and is taken now. */
static inline bool spin_trylock(spinlock_t *lock)
{
    return !__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE);
}

static inline void spin_unlock(spinlock_t *lock)
{
    __atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE);
}

static inline uint64_t spin_lock_irqsave(spinlock_t *lock)
{
    uint64_t flags = local_irq_save();

    spin_lock(lock);
    return flags;
}

static inline void spin_unlock_irqrestore(spinlock_t *lock, uint64_t flags)
{
    spin_unlock(lock);
    local_irq_restore(flags);
}

#endif /* HV_ARCH_SPINLOCK_H */
