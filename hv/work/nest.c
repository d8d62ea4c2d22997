/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Workload "nest": up to 40 maps open at a time, released in random order. */
#include "work/pages.h"
#include "work/random.h"
#include "work/work.h"

#define OWN_PAGES 256
#define DEPTH_MAX 40

static DEFINE_PER_CPU(struct pages, nest_pages);

struct open_map {
    uint64_t *page;
    mfn_t mfn;
};

static void nest_init(void)
{
    pages_make(&this_cpu(nest_pages), OWN_PAGES, "nest");
}

static void release_random(struct open_map *open, unsigned int *nr)
{
    unsigned int i = random_next() % *nr;

    pattern_verify(open[i].page, open[i].mfn, PAGES_SEED);
    paced_unmap(open[i].page);
    open[i] = open[--*nr];
}

static void nest_step(void)
{
    const struct pages *own = &this_cpu(nest_pages);
    unsigned int depth = 1 + random_next() % DEPTH_MAX, nr = 0;
    struct open_map open[DEPTH_MAX];

    for (; own->nr && nr < depth; nr++) {
        open[nr].mfn = pages_pick(own);
        open[nr].page = paced_map(open[nr].mfn);
        if (!open[nr].page)
            break;
    }
    while (nr)
        release_random(open, &nr);
}

static void nest_exit(void)
{
    pages_free(&this_cpu(nest_pages));
}

const struct workload work_nest = {
    .name = "nest",
    .looks = "up to 40 slots in use, growing one by one and vanishing in no order",
    .init = nest_init,
    .step = nest_step,
    .exit = nest_exit,
};
