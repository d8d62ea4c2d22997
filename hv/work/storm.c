/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workload "storm": random frames all over RAM, held as short as can be. Most
 * belong to others and are not touched; every fourth is one of its own.
 */
#include "mm/bootmem.h"
#include "work/pages.h"
#include "work/random.h"
#include "work/work.h"

#define OWN_PAGES 256

static DEFINE_PER_CPU(struct pages, storm_pages);

static void storm_init(void)
{
    pages_make(&this_cpu(storm_pages), OWN_PAGES, "storm");
}

static void storm_step(void)
{
    const struct pages *own = &this_cpu(storm_pages);

    if (own->nr && random_next() % 4 == 0)
        pages_verify_one(pages_pick(own));
    else
        paced_unmap(paced_map(ram_frame(random_next())));
}

static void storm_exit(void)
{
    pages_free(&this_cpu(storm_pages));
}

const struct workload work_storm = {
    .name = "storm",
    .looks = "all slots cached and overwritten all the time: the more RAM, the fewer hits",
    .init = storm_init,
    .step = storm_step,
    .exit = storm_exit,
};
