/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workload "stride": hot frames 2 GiB apart, which share their home slot. They
 * are used in turn, so each map throws out the frame that the next one wants.
 */
#include "core/printk.h"
#include "mm/page_alloc.h"
#include "work/pages.h"
#include "work/work.h"
#include <hvscope/mapcache.h>

#define HOT_FRAMES 8

/* From the boot CPU's home slot to the next CPU's. */
#define HOME_FIRST 256
#define HOME_STEP  8

struct stride_cpu {
    struct pages hot;
    unsigned int next;
};

static DEFINE_PER_CPU(struct stride_cpu, stride_cpu);

/* Any page of this 2 MiB block that is free. */
static bool page_of_block(uint64_t block, mfn_t *mfn)
{
    for (unsigned int page = 0; page <= SLOT_MFN_MASK; page++) {
        *mfn = _mfn((block << SLOT_MFN_SHIFT) + page);
        if (alloc_domheap_page_at(*mfn))
            return true;
    }
    return false;
}

static void hot_take(struct pages *hot, unsigned int home)
{
    uint64_t last = ram_span().end >> SLOT_SHIFT;

    for (uint64_t block = home; block < last && hot->nr < HOT_FRAMES; block += DOMHEAP_ENTRIES) {
        mfn_t mfn;
        uint64_t *page, irq;

        if (!page_of_block(block, &mfn))
            continue;
        page = short_map(mfn, &irq);
        pattern_fill(page, mfn, PAGES_SEED);
        short_unmap(page, irq);
        hot->mfn[hot->nr++] = mfn;
    }
}

static void stride_init(void)
{
    struct stride_cpu *s = &this_cpu(stride_cpu);
    unsigned int home = (HOME_FIRST + smp_processor_id() * HOME_STEP) % DOMHEAP_ENTRIES;
    static bool said;

    s->next = 0;
    pages_make(&s->hot, 0, "stride");
    if (s->hot.mfn)
        hot_take(&s->hot, home);
    if (s->hot.nr < HOT_FRAMES && !__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
        printk("workload stride: this RAM has %u frames 2 GiB apart, not %u\n", s->hot.nr,
               HOT_FRAMES);
}

static void stride_step(void)
{
    struct stride_cpu *s = &this_cpu(stride_cpu);

    if (s->hot.nr)
        pages_verify_one(s->hot.mfn[s->next++ % s->hot.nr]);
}

static void stride_exit(void)
{
    pages_free(&this_cpu(stride_cpu).hot);
}

const struct workload work_stride = {
    .name = "stride",
    .looks = "one slot has another frame after every map; nothing else moves, nothing hits",
    .init = stride_init,
    .step = stride_step,
    .exit = stride_exit,
};
