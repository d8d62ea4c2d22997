/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mapcache: temporary maps of single frames, per CPU. Names are Xen's.
 *
 * An address returned here is valid on the CPU that called only: a context
 * that holds a map is never moved to another CPU. Callable with interrupts on
 * or off, and from interrupt handlers; not from SError or debug handlers.
 */
#ifndef HV_MM_DOMAIN_PAGE_H
#define HV_MM_DOMAIN_PAGE_H

#include "arch/percpu.h"
#include <hvscope/mapcache.h>

/* For map_domain_page() and unmap_domain_page(): an interrupt can tell that it came inside. */
#define MAPCACHE_TEXT __attribute__((section(".text.mapcache")))

/* The 1024 slots of a CPU: two contiguous level 2 pages. */
DECLARE_PER_CPU(lpae_t *, xen_dommap);
extern lpae_t cpu0_dommap[DOMHEAP_ENTRIES];

/* enum beacon_engine: which one is linked in. */
extern const uint32_t mapcache_engine;
extern const char mapcache_engine_name[];

/* What the engine keeps beside the slots of a CPU, as for slots that are all free. */
void mapcache_engine_init(unsigned int cpu);

/* No slot is left for mfn. Empty, for a debugger to stop at. */
void mapcache_full(mfn_t mfn);

/* The same, to engines to which it is the end: print what the slots hold, and panic. */
_Noreturn void mapcache_panic_full(const lpae_t *map, mfn_t mfn);

/*
 * Between these, maps may take the last slots of a table that is full
 * otherwise: those of an interrupt, and those that are given back before one can
 * come (short_map() of core/pace.h). They nest. Interrupts are masked, and what is mapped
 * in between is unmapped in between; CLOCK_RESERVE maps at a time are never refused.
 */
void mapcache_urgent_begin(void);
void mapcache_urgent_end(void);
DECLARE_PER_CPU(bool, mapcache_urgent);

/* Sum of the reference counts of a CPU's slots, and of this CPU's. */
uint64_t mapcache_refs_of(unsigned int cpu);
uint64_t mapcache_refs(void);

/* Make this CPU's slots free, as after boot, whatever they hold. No map may be used after it. */
void mapcache_clear(void);

/* Is this an address that map_domain_page() took from a slot? */
static inline bool domain_page_is_slot(const void *ptr)
{
    return (uintptr_t)ptr - DOMHEAP_VIRT_START < DOMHEAP_VIRT_SIZE;
}

/* A fault on purpose: maps leave the TLBI out. Not to be had where an engine is measured alone. */
#ifdef HV_BARE
#define mapcache_skip_tlbi false
#else
extern bool mapcache_skip_tlbi;
#endif

/* Build slot 255 of a CPU's root. False if there is no memory. */
bool init_domheap_mappings(unsigned int cpu);

/*
 * Map a frame. Each call takes a reference that one unmap_domain_page() gives
 * back, in any order. A frame that is in the directmap is answered from there.
 * All 1024 slots in use: BUG, as in Xen; engine "clock" returns NULL instead, to
 * what is no interrupt a few slots earlier.
 */
void *map_domain_page(mfn_t mfn);

/* Release a map. NULL and whatever is not of the domheap is ignored. */
void unmap_domain_page(const void *ptr);

/* The frame behind a pointer of the domheap, the directmap or the vmap area. */
mfn_t domain_page_map_to_mfn(const void *ptr);

/* A map that every CPU sees and that may outlive its context. NULL if none is left. */
void *map_domain_page_global(mfn_t mfn);
void unmap_domain_page_global(const void *ptr);

#endif /* HV_MM_DOMAIN_PAGE_H */
