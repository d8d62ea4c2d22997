/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Data cache maintenance, for memory that a CPU reads before its MMU is on. */
#ifndef HV_ARCH_CACHE_H
#define HV_ARCH_CACHE_H

#include "arch/barrier.h"
#include "arch/sysreg.h"
#include <stddef.h>

/* Clean and invalidate [p, p + bytes) to the point of coherency. */
static inline void dcache_clean(const void *p, size_t bytes)
{
    uint64_t line = UINT64_C(4) << ((read_sysreg(ctr_el0) >> 16) & 15);
    uintptr_t end = (uintptr_t)p + bytes;

    for (uintptr_t a = (uintptr_t)p & ~(line - 1); a < end; a += line)
        asm volatile("dc civac, %0" : : "r"(a) : "memory");
    dsb_sy();
}

#endif /* HV_ARCH_CACHE_H */
