/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workload "fill": N % of the slots are pinned with contiguous frames, which
 * belong to others and are not touched; on top of them pages are copied.
 */
#include "core/printk.h"
#include "mm/page_alloc.h"
#include "mm/pgtable.h"
#include "work/pages.h"
#include "work/random.h"
#include "work/work.h"

/* All of them: engine "clock" keeps a few, the others find no slot for anything else and panic. */
#define PERCENT_MAX 100
#define OWN_PAGES   64

struct fill_cpu {
    const void **pin; /* NULL: no memory for the list */
    unsigned int nr;
    struct pages own;
};

static DEFINE_PER_CPU(struct fill_cpu, fill_cpu);

static unsigned int pins_order(void)
{
    return order_from_bytes(DOMHEAP_ENTRIES * sizeof(void *));
}

/* Frame by frame of 2 MiB, as far as there is RAM; what the directmap has takes no slot. */
static void pin_slots(struct fill_cpu *f, unsigned int wanted)
{
    uint64_t blocks = ram_blocks();

    for (uint64_t block = 0; block < blocks && f->nr < wanted; block++) {
        const void *p = paced_map(ram_frame(block << SLOT_MFN_SHIFT));

        if (!p)
            break;
        work_keep(p);
        if (domain_page_is_slot(p))
            f->pin[f->nr++] = p;
    }
}

static void fill_init(void)
{
    struct fill_cpu *f = &this_cpu(fill_cpu);
    unsigned int wanted = DOMHEAP_ENTRIES * (unsigned int)work_argument() / 100;
    static bool said;

    pages_make(&f->own, OWN_PAGES, "fill");
    f->nr = 0;
    f->pin = alloc_xenheap_pages(pins_order());
    if (f->pin)
        pin_slots(f, wanted);
    if (f->nr < wanted && !__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
        printk("workload fill: %u slots are pinned, not %u: there are no more frames or slots\n",
               f->nr, wanted);
}

static void fill_step(void)
{
    const struct pages *own = &this_cpu(fill_cpu).own;
    mfn_t from_mfn, to_mfn;
    uint64_t *from, *to;

    if (!own->nr)
        return;
    from_mfn = pages_pick(own);
    to_mfn = pages_pick(own);
    from = paced_map(from_mfn);
    to = paced_map(to_mfn);
    if (from && to) {
        pattern_verify(from, from_mfn, PAGES_SEED);
        pattern_copy(to, to_mfn, from, from_mfn);
        pattern_verify(to, to_mfn, PAGES_SEED);
    }
    paced_unmap(from);
    paced_unmap(to);
}

static void fill_exit(void)
{
    struct fill_cpu *f = &this_cpu(fill_cpu);

    while (f->nr) {
        work_unkeep(f->pin[--f->nr]);
        paced_unmap(f->pin[f->nr]);
    }
    if (f->pin)
        free_xenheap_pages(f->pin, pins_order());
    pages_free(&f->own);
}

static bool fill_accepts(struct word argument, uint64_t *value)
{
    return word_number(argument, PERCENT_MAX, value);
}

const struct workload work_fill = {
    .name = "fill",
    .looks =
        "a solid block of N % of the slots at count 1; copies squeeze into the rest, far from home",
    .argument = "the percentage N, 0 to 100",
    .argument_needed = true,
    .accepts = fill_accepts,
    .init = fill_init,
    .step = fill_step,
    .exit = fill_exit,
};
