/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pmap: a few fixmap entries that reach any frame before there is a
 * mapcache. Boot CPU only; and the fixmap entry of the console.
 */
#ifndef HV_MM_PMAP_H
#define HV_MM_PMAP_H

#include <hvscope/layout.h>
#include <hvscope/pte.h>

#define NUM_FIX_PMAP 8 /* maps open at a time */
#define FIX_CONSOLE  0
#define FIX_PMAP     1 /* first of NUM_FIX_PMAP */

#define FIXMAP_ADDR(n) ((void *)(FIXMAP_VIRT_START + (uint64_t)(n)*PAGE_SIZE))

/* Map a frame, write-back. All NUM_FIX_PMAP taken is a BUG. */
void *pmap_map(mfn_t mfn);

/* Release what pmap_map() returned. */
void pmap_unmap(const void *p);

/* Map a page of device registers at a fixmap entry, for good. */
void *fixmap_map_device(unsigned int entry, paddr_t pa);

#endif /* HV_MM_PMAP_H */
