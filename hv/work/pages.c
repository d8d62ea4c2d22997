/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "work/pages.h"
#include "core/printk.h"
#include "mm/page_alloc.h"
#include "work/random.h"

static void short_of_memory(const char *who)
{
    static bool said;

    if (!__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
        printk("workload %s: out of memory, goes on with less\n", who);
}

static bool page_make(mfn_t *mfn)
{
    uint64_t *page, irq;

    *mfn = alloc_domheap_page();
    if (mfn_x(*mfn) == mfn_x(INVALID_MFN))
        return false;
    page = short_map(*mfn, &irq);
    pattern_fill(page, *mfn, PAGES_SEED);
    short_unmap(page, irq);
    return true;
}

void pages_make(struct pages *set, unsigned int n, const char *who)
{
    set->nr = 0;
    set->mfn = alloc_xenheap_pages(0);
    while (set->mfn && set->nr < n && page_make(&set->mfn[set->nr]))
        set->nr++;
    if (set->nr < n)
        short_of_memory(who);
}

void pages_free(struct pages *set)
{
    while (set->nr)
        free_domheap_page(set->mfn[--set->nr]);
    if (set->mfn)
        free_xenheap_pages(set->mfn, 0);
    set->mfn = NULL;
}

mfn_t pages_pick(const struct pages *set)
{
    return set->mfn[random_next() % set->nr];
}

void pages_verify_one(mfn_t mfn)
{
    uint64_t *page = paced_map(mfn);

    if (page)
        pattern_verify(page, mfn, PAGES_SEED);
    paced_unmap(page);
}
