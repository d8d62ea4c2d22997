/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Workload "saturate": 40 maps of one frame at a time: 15 to a slot, so three slots. */
#include "work/pages.h"
#include "work/random.h"
#include "work/work.h"

#define OWN_PAGES 8
#define DEPTH     40

static DEFINE_PER_CPU(struct pages, saturate_pages);

static void saturate_init(void)
{
    pages_make(&this_cpu(saturate_pages), OWN_PAGES, "saturate");
}

static void maps_release(uint64_t *const *map, unsigned int n, bool oldest_first)
{
    for (unsigned int i = 0; i < n; i++)
        paced_unmap(map[oldest_first ? i : n - 1 - i]);
}

static void saturate_step(void)
{
    const struct pages *own = &this_cpu(saturate_pages);
    uint64_t *map[DEPTH];
    unsigned int n;
    mfn_t mfn;

    if (!own->nr)
        return;
    mfn = pages_pick(own);
    for (n = 0; n < DEPTH; n++) {
        map[n] = paced_map(mfn);
        if (!map[n])
            break;
        pattern_probe(map[n], mfn, PAGES_SEED, n);
    }
    if (n)
        pattern_verify(map[n - 1], mfn, PAGES_SEED);
    maps_release(map, n, random_next() % 2);
}

static void saturate_exit(void)
{
    pages_free(&this_cpu(saturate_pages));
}

const struct workload work_saturate = {
    .name = "saturate",
    .looks = "a slot counts up to 15 and is saturated, then the next one, then a third",
    .init = saturate_init,
    .step = saturate_step,
    .exit = saturate_exit,
};
