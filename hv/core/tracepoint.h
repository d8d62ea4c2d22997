/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Empty functions for a debugger to stop at. They are called only when the
 * filter in the beacon matches, so a breakpoint on them never stops in vain;
 * without a filter a map costs one load and one branch more. A full table is
 * mapcache_full() of mm/domain_page.h, which needs no filter.
 */
#ifndef HV_CORE_TRACEPOINT_H
#define HV_CORE_TRACEPOINT_H

#include "core/beacon.h"

/* This slot, this frame, or a count this high: a map or an unmap is done. */
void mapcache_hit(unsigned int slot, mfn_t mfn, unsigned int refs);

/*
 * This slot's entry was overwritten for now; was is the entry, and still a live translation. (The
 * frame alone would be a shift, of which GCC 12 tells debuggers nonsense.)
 */
void mapcache_commandeer(unsigned int slot, lpae_t was, mfn_t now);

/* This slot's count has become 15: the next map of its frame takes another slot. */
void mapcache_saturate(unsigned int slot, mfn_t mfn);

/* Is one of these BEACON_FILTER_* bits set? */
static inline bool tracepoint_armed(uint32_t bits)
{
    return __builtin_expect(__atomic_load_n(&beacon()->filter, __ATOMIC_RELAXED) & bits, 0);
}

/* A map or an unmap is done, and some filter is set: call what it matches. */
void tracepoint_changed(mfn_t mfn, unsigned int slot, unsigned int refs, bool map);

#endif /* HV_CORE_TRACEPOINT_H */
