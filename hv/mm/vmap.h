/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vmap area: mappings that every CPU sees, for as long as they are needed. */
#ifndef HV_MM_VMAP_H
#define HV_MM_VMAP_H

#include "mm/bootmem.h"

/* Map one frame in the vmap area, read-write. NULL when there is no room or memory. */
void *vmap_page(mfn_t mfn);

/* Map device registers at [pa, pa + bytes), for good. NULL as above. */
void *ioremap(paddr_t pa, uint64_t bytes);

/* Map a range of RAM in the vmap area, read-only, for good. NULL as above. */
const void *vmap_ram(struct region range);

/* Release what vmap_page() returned. */
void vunmap_page(const void *p);

/* The frame behind an address of the vmap area, which must be mapped. */
mfn_t vmap_to_mfn(const void *p);

#endif /* HV_MM_VMAP_H */
