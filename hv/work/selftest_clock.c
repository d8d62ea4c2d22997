/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Selftest of engine "clock". */
#include "core/beacon.h"
#include "core/cmdline.h"
#include "mm/page_alloc.h"
#include "work/pattern.h"
#include "work/selftest.h"
#include <hvscope/clock.h>

/* By contents: others have had the page's slot before it is looked at again. */
static bool reclaim(void)
{
    mfn_t mfn = page_new();
    uint64_t *p = map_domain_page(mfn);

    pattern_fill(p, mfn, 2);
    unmap_domain_page(p);
    for (unsigned int i = 0; i < 3 * SLOTS; i++)
        unmap_domain_page(map_domain_page(FRAME(i)));
    p = map_domain_page(mfn);
    pattern_verify(p, mfn, 2);
    unmap_domain_page(p);
    free_domheap_page(mfn);
    return true;
}

/* As many others as there is room for beside it: the frame is still where it was. */
static bool associative(void)
{
    const void *p = map_domain_page(FRAME(0)), *q;
    bool kept;

    unmap_domain_page(p);
    for (unsigned int i = 1; i < SLOTS - CLOCK_RESERVE; i++)
        unmap_domain_page(map_domain_page(FRAME(i * SLOTS)));
    q = map_domain_page(FRAME(0));
    kept = q == p;
    unmap_domain_page(q);
    return kept || options.mapcache != CLOCK_LAZY;
}

static unsigned int map_until_full(unsigned int from)
{
    unsigned int n = 0;

    while (map_domain_page(FRAME(from + n)))
        n++;
    return n;
}

/* Work is refused when the last slots are left; an interrupt gets these. */
static bool full(void)
{
    unsigned int work = map_until_full(0), irqs;

    mapcache_urgent_begin();
    irqs = map_until_full(SLOTS);
    mapcache_urgent_end();
    for (unsigned int slot = 0; slot < SLOTS; slot++)
        unmap_domain_page((char *)DOMHEAP_VIRT_START + slot * SLOT_SIZE);
    return work == SLOTS - CLOCK_RESERVE && irqs == CLOCK_RESERVE && mapcache_refs() == 0;
}

/* What the last unmap leaves in the table. */
static bool policy(void)
{
    const void *p = map_domain_page(FRAME(5)), *q = map_domain_page(FRAME(5));

    unmap_domain_page(q);
    if (!pte_valid(entry_of(p)))
        return false;
    unmap_domain_page(p);
    return pte_valid(entry_of(p)) == (options.mapcache == CLOCK_LAZY);
}

/* An owed slot is made again for its own frame only; a full list of them is flushed. */
static bool made_again(void)
{
    mfn_t mfn[2] = {page_new(), page_new()};
    uint64_t *p;

    for (unsigned int i = 0; i < 4 * options.zap_limit; i++) {
        p = map_domain_page(mfn[i / 2 % 2]);
        pattern_fill(p, mfn[i / 2 % 2], i);
        unmap_domain_page(p);
        p = map_domain_page(mfn[i / 2 % 2]);
        pattern_verify(p, mfn[i / 2 % 2], i);
        unmap_domain_page(p);
        unmap_domain_page(map_domain_page(FRAME(i)));
    }
    free_domheap_page(mfn[0]);
    free_domheap_page(mfn[1]);
    return mapcache_refs() == 0;
}

const struct check selftest_clock[] = {
    {"reclaim: the other frame is not seen any more", reclaim},
    {"any slot: a table of frames whose home would be one", associative},
    {"full: an error, and slots left for interrupts", full},
    {"policy: what the last unmap leaves", policy},
    {"made again after an unmap", made_again},
    {NULL, NULL},
};
