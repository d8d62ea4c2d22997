/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fake: invalidations reach the fake TLB of fake.h. */
#ifndef HV_ARCH_TLB_H
#define HV_ARCH_TLB_H

#include "arch/barrier.h"
#include <hvscope/addr.h>
#include <stdbool.h>

static inline void tlb_flush_va_local(vaddr_t va)
{
    fake_tlb_flush(vaddr_x(va));
}

static inline void tlb_flush_va(vaddr_t va)
{
    fake_tlb_flush(vaddr_x(va));
}

static inline void tlb_flush_va_last_local(vaddr_t va)
{
    fake_tlb_flush(vaddr_x(va));
}

static inline bool tlb_has_range(void)
{
    return fake_tlb_has_range;
}

static inline void tlb_flush_range_last_local(vaddr_t va, unsigned int scale, unsigned int num,
                                              unsigned int level)
{
    fake_tlb_flush_range(vaddr_x(va), scale, num, level);
}

static inline void tlb_flush_all_local(void)
{
    fake_tlb_flush_all();
}

static inline void tlb_flush_ipa(uint64_t ipa)
{
    (void)ipa;
    fake_note('P');
}

static inline void tlb_flush_guest_stage1(void)
{
    fake_note('V');
}

static inline void tlb_flush_guest(void)
{
    fake_note('G');
}

#endif /* HV_ARCH_TLB_H */
