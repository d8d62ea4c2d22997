/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only ways to write a translation table entry once the MMU is on. Each is
 * one 64-bit store: a walker never sees half an entry (Arm ARM B2.2.1).
 */
#ifndef HV_MM_PTE_STORE_H
#define HV_MM_PTE_STORE_H

#include "arch/barrier.h"
#include "core/panic.h"
#include <hvscope/pte.h>

/* Xen's: earlier accesses are complete before the store, the store before later ones. */
static inline void write_pte(lpae_t *p, lpae_t pte)
{
    dsb_sy();
    *(volatile lpae_t *)p = pte;
    dsb_sy();
}

/* The bare store: the caller owns the barriers. */
static inline void pte_store(lpae_t *p, lpae_t pte)
{
    *(volatile lpae_t *)p = pte;
}

/*
 * Change the reference count of a live entry, nothing else: software bits may
 * change without break-before-make (RWHZWS does not name them), and no TLB
 * holds them.
 */
static inline void pte_set_refs(lpae_t *p, lpae_t pte)
{
    CHECK(((*p ^ pte) & ~PTE_REFS_MASK) == 0, "count store would change 0x%lx to 0x%lx", *p, pte);
    *(volatile lpae_t *)p = pte;
}

#endif /* HV_MM_PTE_STORE_H */
