/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One slot: what the engines ask of an entry and how they flush it. For domain_page_*.c only. */
#ifndef HV_MM_DOMAIN_PAGE_SLOT_H
#define HV_MM_DOMAIN_PAGE_SLOT_H

#include "arch/tlb.h"
#include "mm/domain_page.h"

/* The frame that the slot of mfn starts with. */
static inline mfn_t slot_mfn_of(mfn_t mfn)
{
    return _mfn(mfn_x(mfn) & ~SLOT_MFN_MASK);
}

/* Does this entry translate to the 2 MiB that start at frame slot_mfn? */
static inline bool slot_maps(lpae_t pte, mfn_t slot_mfn)
{
    return pte_valid(pte) && mfn_x(pte_mfn(pte)) == mfn_x(slot_mfn);
}

/* Where mfn is, if this slot maps it. */
static inline vaddr_t slot_va(unsigned int slot, mfn_t mfn)
{
    return _vaddr(DOMHEAP_VIRT_START + slot * SLOT_SIZE +
                  ((mfn_x(mfn) & SLOT_MFN_MASK) << PAGE_SHIFT));
}

/*
 * Invalidate what this PE's TLB holds of the slot at va, whichever of its pages
 * va names (RLGSCG). The caller owns the barriers.
 */
static inline void slot_flush(vaddr_t va)
{
    if (__builtin_expect(mapcache_skip_tlbi, 0))
        return;
    tlb_flush_va_local(va);
}

#endif /* HV_MM_DOMAIN_PAGE_SLOT_H */
