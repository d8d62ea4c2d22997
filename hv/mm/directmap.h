/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directmap: PA 0 is at DIRECTMAP_VIRT_START. With directmap=off only the
 * xenheap is in it, with directmap=on all RAM.
 */
#ifndef HV_MM_DIRECTMAP_H
#define HV_MM_DIRECTMAP_H

#include <hvscope/layout.h>
#include <hvscope/pte.h>
#include <stdbool.h>

/* Are all of these nr frames mapped there? */
bool arch_mfns_in_directmap(uint64_t mfn, uint64_t nr);

/* Directmap address of a frame that is in it. */
static inline void *mfn_to_virt(mfn_t mfn)
{
    return (void *)(DIRECTMAP_VIRT_START + paddr_x(mfn_to_paddr(mfn)));
}

/*
 * Map all RAM (on), or only the xenheap, nr frames from mfn. During early boot.
 * Without memory for tables, or RAM beyond the directmap's reach: panic.
 */
void directmap_init(bool on, mfn_t xenheap, uint64_t nr);

#endif /* HV_MM_DIRECTMAP_H */
