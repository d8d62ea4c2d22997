/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mm/pmap.h"
#include "arch/tlb.h"
#include "mm/boot_tables.h"
#include "mm/pgtable.h"

void *pmap_map(mfn_t mfn)
{
    unsigned int entry = FIX_PMAP;

    while (entry < FIX_PMAP + NUM_FIX_PMAP && pte_valid(xen_fixmap[entry]))
        entry++;
    CHECK(entry < FIX_PMAP + NUM_FIX_PMAP, "%u maps open", NUM_FIX_PMAP);
    write_pte(&xen_fixmap[entry], mfn_to_xen_entry(mfn, MAIR_NORMAL) | PTE_TABLE);
    isb(); /* the entry was invalid and flushed: nothing to invalidate */
    return FIXMAP_ADDR(entry);
}

void pmap_unmap(const void *p)
{
    unsigned int entry = ((uintptr_t)p - FIXMAP_VIRT_START) >> PAGE_SHIFT;

    CHECK(entry - FIX_PMAP < NUM_FIX_PMAP && pte_valid(xen_fixmap[entry]), "%p is no pmap map", p);
    write_pte(&xen_fixmap[entry], 0);
    tlb_flush_va_local(_vaddr((uintptr_t)p));
    dsb_nsh();
    isb();
}

void *fixmap_map_device(unsigned int entry, paddr_t pa)
{
    write_pte(&xen_fixmap[entry],
              mfn_to_xen_entry(paddr_to_mfn(pa), MAIR_DEVICE_nGnRE) | PTE_TABLE);
    isb();
    return (char *)FIXMAP_ADDR(entry) + (paddr_x(pa) & PAGE_MASK);
}
