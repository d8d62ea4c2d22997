/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workload "race": maps so short, and interrupts so many, that interrupts come
 * inside map_domain_page() and unmap_domain_page() all the time; each maps too.
 */
#include "arch/gic.h"
#include "arch/timer.h"
#include "work/pages.h"
#include "work/random.h"
#include "work/work.h"

#define OWN_PAGES 128
#define RACE_HZ   20000

static DEFINE_PER_CPU(struct pages, race_pages);

static void race_init(void)
{
    pages_make(&this_cpu(race_pages), OWN_PAGES, "race");
    if (gic_present())
        timer_set_tick(RACE_HZ);
}

static void race_step(void)
{
    const struct pages *own = &this_cpu(race_pages);
    uint64_t *page;
    mfn_t mfn;

    if (!own->nr)
        return;
    mfn = pages_pick(own);
    page = paced_map(mfn);
    if (page)
        pattern_probe(page, mfn, PAGES_SEED, random_next() % PATTERN_WORDS);
    paced_unmap(page);
}

static void race_exit(void)
{
    if (gic_present())
        timer_set_tick(TICK_HZ);
    pages_free(&this_cpu(race_pages));
}

const struct workload work_race = {
    .name = "race",
    .looks = "one slot in use, or two: an interrupt's map inside the life of another",
    .init = race_init,
    .step = race_step,
    .exit = race_exit,
};
