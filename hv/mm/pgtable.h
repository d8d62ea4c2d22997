/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Xen's own page tables: entries, tables, ranges. Names are Xen's. */
#ifndef HV_MM_PGTABLE_H
#define HV_MM_PGTABLE_H

#include "arch/percpu.h"
#include "mm/pte_store.h"
#include <hvscope/layout.h>
#include <stdbool.h>

/* This CPU's root (level 0). Slots other than 255 are the same on all CPUs. */
DECLARE_PER_CPU(lpae_t *, xen_pgtable);

/* PA that the image was loaded to. */
extern uint64_t image_pa;

/* Permissions and memory type for map_pages_to_xen(). */
#define PAGE_HYPERVISOR_RW     (PTE_XN | PTE_ATTR(MAIR_NORMAL))
#define PAGE_HYPERVISOR_RO     (PTE_XN | PTE_RO | PTE_ATTR(MAIR_NORMAL))
#define PAGE_HYPERVISOR_DEVICE (PTE_XN | PTE_ATTR(MAIR_DEVICE_nGnRE))

/* PA of something in the image, the xenheap or the directmap. */
paddr_t virt_to_paddr(const volatile void *p);

static inline mfn_t virt_to_mfn(const volatile void *p)
{
    return paddr_to_mfn(virt_to_paddr(p));
}

/* A block or page entry without bit 1: never executable, count 0. attr: MAIR index. */
static inline lpae_t mfn_to_xen_entry(mfn_t mfn, unsigned int attr)
{
    return paddr_x(mfn_to_paddr(mfn)) | (PTE_XEN_BLOCK & ~PTE_ATTR_MASK) | PTE_ATTR(attr);
}

/*
 * Allocate an empty table and link it to *entry, which must be invalid.
 * Returns 0, or -1 when there is no memory.
 */
int create_xen_table(lpae_t *entry);

/* Reach a table: by the pmap during early boot, by map_domain_page() later. */
lpae_t *xen_map_table(mfn_t mfn);
void xen_unmap_table(const lpae_t *table);

/*
 * Map nr frames from mfn at va, with the largest blocks that fit (1 GiB, 2 MiB,
 * 4 KiB). The range must not be mapped. flags: PAGE_HYPERVISOR_*.
 * Returns 0, or -1 when there is no memory for a table.
 */
int map_pages_to_xen(vaddr_t va, mfn_t mfn, uint64_t nr, lpae_t flags);

/* Make the tables of [va, va + bytes) down to level 3, mapping nothing. 0 or -1. */
int prepare_tables(vaddr_t va, uint64_t bytes);

/*
 * Map one frame where prepare_tables() was before. Takes no lock and allocates
 * nothing: the caller alone writes in this range.
 */
void map_prepared_page(vaddr_t va, mfn_t mfn, lpae_t flags);

/* Take one 4 KiB page out of the tables and of every TLB. */
void unmap_page_from_xen(vaddr_t va);

/* The walk of va in this CPU's tables: the last entry reached, and its level. */
lpae_t xen_walk(vaddr_t va, unsigned int *level);

#endif /* HV_MM_PGTABLE_H */
