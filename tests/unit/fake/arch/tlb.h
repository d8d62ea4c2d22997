/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fake: invalidations reach the fake TLB of fake.h. */
#ifndef HV_ARCH_TLB_H
#define HV_ARCH_TLB_H

#include "arch/barrier.h"
#include <hvscope/addr.h>

static inline void tlb_flush_va_local(vaddr_t va)
{
    fake_tlb_flush(vaddr_x(va));
}

static inline void tlb_flush_va(vaddr_t va)
{
    fake_tlb_flush(vaddr_x(va));
}

#endif /* HV_ARCH_TLB_H */
