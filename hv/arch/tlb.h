/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLB maintenance of EL2 stage 1. The caller owns the barriers around it. */
#ifndef HV_ARCH_TLB_H
#define HV_ARCH_TLB_H

#include "arch/barrier.h"
#include <hvscope/addr.h>

/* TLBI VAE2: what this PE holds of va, any level. */
static inline void tlb_flush_va_local(vaddr_t va)
{
    asm volatile("tlbi vae2, %0" : : "r"((vaddr_x(va) >> PAGE_SHIFT) & ((UINT64_C(1) << 44) - 1)));
}

/* TLBI VAE2IS: the same on every PE of the Inner Shareable domain. */
static inline void tlb_flush_va(vaddr_t va)
{
    asm volatile("tlbi vae2is, %0"
                 :
                 : "r"((vaddr_x(va) >> PAGE_SHIFT) & ((UINT64_C(1) << 44) - 1)));
}

/* TLBI ALLE2: everything of EL2 that this PE holds. */
static inline void tlb_flush_all_local(void)
{
    asm volatile("tlbi alle2");
}

/* TLBI IPAS2E1IS: stage 2 of one page of VTTBR_EL2's VMID, everywhere. */
static inline void tlb_flush_ipa(uint64_t ipa)
{
    asm volatile("tlbi ipas2e1is, %0" : : "r"(ipa >> PAGE_SHIFT));
}

/* TLBI VMALLE1IS: all stage-1 and combined translations of VTTBR_EL2's VMID. */
static inline void tlb_flush_guest_stage1(void)
{
    asm volatile("tlbi vmalle1is");
}

/* TLBI VMALLS12E1IS: everything of VTTBR_EL2's VMID. */
static inline void tlb_flush_guest(void)
{
    asm volatile("tlbi vmalls12e1is");
}

#endif /* HV_ARCH_TLB_H */
