/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only ways to write a translation table entry once the MMU is on. Each is
 * one 64-bit store: a walker never sees half an entry (Arm ARM B2.2.1). With
 * trace=all or check=on each is recorded before it is issued.
 */
#ifndef HV_MM_PTE_STORE_H
#define HV_MM_PTE_STORE_H

#include "arch/barrier.h"
#include "core/panic.h"
#include "core/trace_all.h"
#include <hvscope/pte.h>

/* The store itself. place: TRACE_PLACE(), what the record says of the table. */
static ALWAYS_INLINE void pte_store_at(lpae_t *p, lpae_t pte, unsigned int place)
{
    if (trace_site(TRACE_SITE_ALL))
        trace_pte_store(p, pte, place);
    else
        *(volatile lpae_t *)p = pte;
}

/* The bare store: the caller owns the barriers. */
static ALWAYS_INLINE void pte_store(lpae_t *p, lpae_t pte)
{
    pte_store_at(p, pte, TRACE_PLACE_EL2);
}

/* Xen's: earlier accesses are complete before the store, the store before later ones. */
static ALWAYS_INLINE void write_pte(lpae_t *p, lpae_t pte)
{
    dsb_sy();
    pte_store(p, pte);
    dsb_sy();
}

/* The same for an entry of a stage-2 table of this level. */
static ALWAYS_INLINE void write_s2_pte(lpae_t *p, lpae_t pte, unsigned int level)
{
    dsb_sy();
    pte_store_at(p, pte, TRACE_PLACE(S2, level));
    dsb_sy();
}

/*
 * Change the reference count of an entry, nothing else: software bits may
 * change without break-before-make (RWHZWS does not name them), and no TLB
 * holds them. Interrupts are masked.
 */
static ALWAYS_INLINE void pte_set_refs(lpae_t *p, lpae_t pte)
{
    CHECK(((*p ^ pte) & ~PTE_REFS_MASK) == 0, "count store would change 0x%lx to 0x%lx", *p, pte);
    if (trace_site(TRACE_SITE_ALL))
        trace_refs_store(p, pte);
    else
        *(volatile lpae_t *)p = pte;
}

#endif /* HV_MM_PTE_STORE_H */
