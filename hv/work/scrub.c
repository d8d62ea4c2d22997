/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workload "scrub": as when a domain is destroyed. Whole extents are taken,
 * written, and given back page by page; the allocator scrubs each by a map.
 */
#include "mm/page_alloc.h"
#include "work/pages.h"
#include "work/work.h"

/* The extent at hand: its pages that are this CPU's, and how far they are given back. */
struct scrub_cpu {
    struct pages taken;
    unsigned int next;
};

static DEFINE_PER_CPU(struct scrub_cpu, scrub_cpu);

/* All that is free of the extent in which the allocator has its next page. */
static void extent_take(struct pages *set)
{
    mfn_t mfn = alloc_domheap_page(), first = _mfn(mfn_x(mfn) & ~SLOT_MFN_MASK);

    set->nr = 0;
    if (mfn_x(mfn) == mfn_x(INVALID_MFN))
        return;
    for (unsigned int page = 0; page <= SLOT_MFN_MASK; page++) {
        mfn_t at = mfn_add(first, page);

        if (mfn_x(at) == mfn_x(mfn) || alloc_domheap_page_at(at))
            set->mfn[set->nr++] = at;
    }
}

static void page_write(mfn_t mfn)
{
    uint64_t *page = paced_map(mfn);

    if (page) {
        pattern_fill(page, mfn, PAGES_SEED);
        pattern_verify(page, mfn, PAGES_SEED);
    }
    paced_unmap(page);
}

static void scrub_init(void)
{
    struct scrub_cpu *s = &this_cpu(scrub_cpu);

    pages_make(&s->taken, 0, "scrub");
    s->next = 0;
}

static void scrub_step(void)
{
    struct scrub_cpu *s = &this_cpu(scrub_cpu);

    if (!s->taken.mfn)
        return;
    if (s->next == s->taken.nr) {
        extent_take(&s->taken);
        s->next = 0;
    } else {
        page_write(s->taken.mfn[s->next]);
        free_domheap_page(s->taken.mfn[s->next++]);
    }
}

static void scrub_exit(void)
{
    struct scrub_cpu *s = &this_cpu(scrub_cpu);

    while (s->next < s->taken.nr)
        free_domheap_page(s->taken.mfn[s->next++]);
    s->taken.nr = 0;
    pages_free(&s->taken);
}

const struct workload work_scrub = {
    .name = "scrub",
    .looks = "one slot in use, the same for a thousand maps, then another: nearly all maps hit",
    .init = scrub_init,
    .step = scrub_step,
    .exit = scrub_exit,
};
