/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLB maintenance. The caller owns the barriers around it. */
#ifndef HV_ARCH_TLB_H
#define HV_ARCH_TLB_H

#include "arch/barrier.h"
#include "arch/sysreg.h"
#include "core/trace_all.h"
#include <hvscope/addr.h>
#include <stdbool.h>

/* One TLBI instruction, recorded before it is issued. kind: TRACE_TLBI_KIND(). */
/* NOLINTBEGIN(bugprone-macro-parentheses): asm takes a string, and no parentheses */
#define TLB_OPERATION(instruction, kind, operand)                                                  \
    do {                                                                                           \
        uint64_t operand_ = (operand);                                                             \
                                                                                                   \
        if (trace_site(TRACE_SITE_ALL)) {                                                          \
            uint64_t flags_ = trace_tlbi(kind, operand_);                                          \
                                                                                                   \
            asm volatile(instruction : : "r"(operand_) : "memory");                                \
            trace_action_end(flags_);                                                              \
        } else {                                                                                   \
            asm volatile(instruction : : "r"(operand_) : "memory");                                \
        }                                                                                          \
    } while (0)
/* NOLINTEND(bugprone-macro-parentheses) */

/* Operand of the operations by VA: no ASID, no TTL hint. */
static inline uint64_t tlbi_operand(vaddr_t va)
{
    return (vaddr_x(va) >> PAGE_SHIFT) & ((UINT64_C(1) << 44) - 1);
}

/* TLBI VAE2: what this PE holds of va, any level. */
static ALWAYS_INLINE void tlb_flush_va_local(vaddr_t va)
{
    TLB_OPERATION("tlbi vae2, %0", TRACE_TLBI_KIND(VAE2, LOCAL), tlbi_operand(va));
}

/* TLBI VAE2IS: the same on every PE of the Inner Shareable domain. */
static ALWAYS_INLINE void tlb_flush_va(vaddr_t va)
{
    TLB_OPERATION("tlbi vae2is, %0", TRACE_TLBI_KIND(VAE2, INNER), tlbi_operand(va));
}

/* TLBI VALE2: what this PE holds of va as a block or page; not what it holds of tables. */
static ALWAYS_INLINE void tlb_flush_va_last_local(vaddr_t va)
{
    TLB_OPERATION("tlbi vale2, %0", TRACE_TLBI_KIND(VALE2, LOCAL), tlbi_operand(va));
}

/* FEAT_TLBIRANGE: are there range operations? Without it they are UNDEFINED. */
static inline bool tlb_has_range(void)
{
    return ID_AA64ISAR0_TLB(read_sysreg(id_aa64isar0_el1)) >= ID_AA64ISAR0_TLB_RANGE;
}

/*
 * TLBI RVALE2: blocks and pages of level `level` that this PE holds of the
 * (num + 1) << (5 * scale + 1) pages from va on. scale 0 to 3, num 0 to 31; va
 * aligned to a page of that level. Written as SYS: not every assembler has it.
 */
static ALWAYS_INLINE void tlb_flush_range_last_local(vaddr_t va, unsigned int scale,
                                                     unsigned int num, unsigned int level)
{
    TLB_OPERATION("sys #4, c8, c6, #5, %0", TRACE_TLBI_KIND(RVALE2, LOCAL),
                  TLBI_RANGE(vaddr_x(va) >> PAGE_SHIFT, scale, num, level));
}

/* TLBI ALLE2: everything of EL2 that this PE holds. */
static ALWAYS_INLINE void tlb_flush_all_local(void)
{
    TLB_OPERATION("tlbi alle2", TRACE_TLBI_KIND(ALLE2, LOCAL), 0);
}

/* TLBI IPAS2E1IS: stage 2 of one page of VTTBR_EL2's VMID, everywhere. */
static ALWAYS_INLINE void tlb_flush_ipa(uint64_t ipa)
{
    TLB_OPERATION("tlbi ipas2e1is, %0", TRACE_TLBI_KIND(IPAS2E1, INNER), ipa >> PAGE_SHIFT);
}

/* TLBI VMALLE1IS: all stage-1 and combined translations of VTTBR_EL2's VMID. */
static ALWAYS_INLINE void tlb_flush_guest_stage1(void)
{
    TLB_OPERATION("tlbi vmalle1is", TRACE_TLBI_KIND(VMALLE1, INNER), 0);
}

/* TLBI VMALLS12E1IS: everything of VTTBR_EL2's VMID. */
static ALWAYS_INLINE void tlb_flush_guest(void)
{
    TLB_OPERATION("tlbi vmalls12e1is", TRACE_TLBI_KIND(VMALLS12E1, INNER), 0);
}

#endif /* HV_ARCH_TLB_H */
