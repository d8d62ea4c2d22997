/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workload "leak": now and then an unmap is forgotten. The map stays open and
 * in the census, at the address of the call in leak_one(); exit gives all back.
 */
#include "work/pages.h"
#include "work/random.h"
#include "work/work.h"
#include <stddef.h>

#define OWN_PAGES 64
#define LEAKS_MAX 32
#define LEAK_ODDS 64 /* one map in so many */

struct leak_cpu {
    struct pages own;
    const void *leaked[LEAKS_MAX];
    unsigned int nr;
};

static DEFINE_PER_CPU(struct leak_cpu, leak_cpu);

static void leak_init(void)
{
    struct leak_cpu *l = &this_cpu(leak_cpu);

    l->nr = 0;
    pages_make(&l->own, OWN_PAGES, "leak");
}

static __attribute__((noinline)) void leak_one(struct leak_cpu *l)
{
    const void *p = paced_map(pages_pick(&l->own));

    work_keep(p);
    l->leaked[l->nr] = p;
    l->nr += p != NULL;
}

static void leak_step(void)
{
    struct leak_cpu *l = &this_cpu(leak_cpu);

    if (!l->own.nr)
        return;
    if (l->nr < LEAKS_MAX && random_next() % LEAK_ODDS == 0)
        leak_one(l);
    else
        pages_verify_one(pages_pick(&l->own));
}

static void leak_exit(void)
{
    struct leak_cpu *l = &this_cpu(leak_cpu);

    while (l->nr) {
        work_unkeep(l->leaked[--l->nr]);
        paced_unmap(l->leaked[l->nr]);
    }
    pages_free(&l->own);
}

const struct workload work_leak = {
    .name = "leak",
    .looks = "slots in use that never go back, up to 32, one more now and then",
    .init = leak_init,
    .step = leak_step,
    .exit = leak_exit,
};
