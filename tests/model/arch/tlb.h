/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The model's TLB maintenance: machine.h. All of it is of EL2, on this PE. */
#ifndef HV_ARCH_TLB_H
#define HV_ARCH_TLB_H

#include "arch/barrier.h"
#include <hvscope/addr.h>
#include <hvscope/pte.h>

#define PAGES_PER_BLOCK PT_ENTRIES
#define TLBI_RANGE_4K   (UINT64_C(1) << 46)

static inline void tlb_flush_va_local(vaddr_t va)
{
    machine_tlbi(vaddr_x(va), 1, TRACE_TLBI_VAE2, vaddr_x(va) >> PAGE_SHIFT);
}

static inline void tlb_flush_va_last_local(vaddr_t va)
{
    machine_tlbi(vaddr_x(va), 1, TRACE_TLBI_VALE2, vaddr_x(va) >> PAGE_SHIFT);
}

static inline bool tlb_has_range(void)
{
    return machine_has_range;
}

/* A level hint that is not that of the entries need not invalidate them. */
static inline void tlb_flush_range_last_local(vaddr_t va, unsigned int scale, unsigned int num,
                                              unsigned int level)
{
    uint64_t blocks = ((num + 1ul) << (5 * scale + 1)) / PAGES_PER_BLOCK;

    machine_tlbi(vaddr_x(va), level == 0 || level == 2 ? blocks : 0, TRACE_TLBI_RVALE2,
                 TLBI_RANGE_4K | (uint64_t)scale << 44 | (uint64_t)num << 39 |
                     (uint64_t)level << 37 | vaddr_x(va) >> PAGE_SHIFT);
}

#endif /* HV_ARCH_TLB_H */
