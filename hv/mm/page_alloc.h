/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page allocators, after bootmem has been handed over.
 *
 * xenheap: contiguous, always mapped (in the directmap). For stacks, roots,
 * slots, rings: what the hypervisor reaches without a map.
 *
 * domheap: everything else, a page at a time, reached by map_domain_page()
 * only. It scatters on purpose: neighbouring allocations come from different
 * 2 MiB extents all over RAM, as on a host that has been up for a while.
 * Packed allocations would share a handful of slots.
 */
#ifndef HV_MM_PAGE_ALLOC_H
#define HV_MM_PAGE_ALLOC_H

#include "mm/bootmem.h"
#include <hvscope/layout.h>
#include <stddef.h>

/*
 * The frametable: what is known of 2 MiB of the domheap. At
 * FRAMETABLE_VIRT_START, indexed by PA >> 21 from the first extent of RAM; a
 * page of it is mapped when an extent in it is first used.
 */
struct extent {
    uint64_t free[8]; /* bit n: page n is free */
    uint32_t nr_free;
    uint32_t opened; /* metadata is valid */
    uint64_t next;   /* index in the ring of extents with free pages */
    uint64_t prev;
    uint8_t owner[512]; /* of each page, for its user: 0 is nobody */
    uint8_t pad[1024 - 64 - 24 - 512];
};

_Static_assert(sizeof(struct extent) == 1024, "four to a page");

/* Order whose 2^order pages hold this many bytes. */
unsigned int order_from_bytes(size_t bytes);

/* Choose and carve the xenheap out of bootmem: its first frame, *nr its frames. */
mfn_t xenheap_carve(uint64_t *nr);

/* Let it be used; its frames must be in the directmap. */
void xenheap_init(mfn_t first, uint64_t nr);

/* 2^order contiguous pages, aligned to their size. Not zeroed. NULL if none. */
void *alloc_xenheap_pages(unsigned int order);
void free_xenheap_pages(void *p, unsigned int order);

/* Make the frametable's tables, from bootmem. */
void frametable_init(void);

/* Take over what bootmem has left. */
void domheap_init(void);

/* A page of the domheap, contents unspecified. INVALID_MFN if there is none. */
mfn_t alloc_domheap_page(void);

/* This very page. False if it is not free, or not of the domheap. */
bool alloc_domheap_page_at(mfn_t mfn);

/* Scrub a page and give it back. */
void free_domheap_page(mfn_t mfn);

/* Pages of the domheap: free, and in all. */
uint64_t domheap_free_pages(void);
uint64_t domheap_total_pages(void);

#endif /* HV_MM_PAGE_ALLOC_H */
