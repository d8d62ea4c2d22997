/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/tracepoint.h"

#define TRACEPOINT __attribute__((noinline, used))

/* The compiler must not see that these do nothing, or it leaves the calls out. */
TRACEPOINT void mapcache_hit(unsigned int slot, mfn_t mfn, unsigned int refs)
{
    asm volatile("" ::"r"(slot), "r"(mfn.mfn), "r"(refs) : "memory");
}

TRACEPOINT void mapcache_commandeer(unsigned int slot, lpae_t was, mfn_t now)
{
    asm volatile("" ::"r"(slot), "r"(was), "r"(now.mfn) : "memory");
}

TRACEPOINT void mapcache_saturate(unsigned int slot, mfn_t mfn)
{
    asm volatile("" ::"r"(slot), "r"(mfn.mfn) : "memory");
}

static bool filter_matches(const struct beacon *b, mfn_t mfn, unsigned int slot, unsigned int refs,
                           bool map)
{
    return (b->filter & BEACON_FILTER_SLOT && slot == b->filter_slot) ||
           (b->filter & BEACON_FILTER_MFN && mfn_x(mfn) == b->filter_mfn) ||
           (b->filter & BEACON_FILTER_REFS && map && refs >= b->filter_refs);
}

void tracepoint_changed(mfn_t mfn, unsigned int slot, unsigned int refs, bool map)
{
    const struct beacon *b = beacon();

    if (filter_matches(b, mfn, slot, refs, map))
        mapcache_hit(slot, mfn, refs);
    if (b->filter & BEACON_FILTER_SATURATE && map && refs == PTE_REFS_MAX)
        mapcache_saturate(slot, mfn);
}
