/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workload "copy": two made-up domains, and copies between their pages.
 *
 * A domain is known to a CPU by one page, its p2m: an array of frame numbers
 * and of the seed of what each frame holds. Reaching a page therefore takes
 * two maps, the p2m's and its own, and a copy holds four. Each CPU has a p2m
 * page of each domain for itself, so that CPUs wait for each other in the
 * allocator only; frames travel between them through it. Without memory a
 * domain has holes, until a replacement fills them.
 */
#include "core/pace.h"
#include "core/panic.h"
#include "core/printk.h"
#include "mm/page_alloc.h"
#include "work/pattern.h"
#include "work/random.h"
#include "work/work.h"
#include <stddef.h>

#define NR_DOMAINS 2
#define NR_GFNS    255

struct p2m {
    uint64_t mfn[NR_GFNS]; /* INVALID_MFN: a hole */
    uint64_t seed[NR_GFNS];
    uint64_t self; /* frame number of this page */
    uint64_t pad;
};

_Static_assert(sizeof(struct p2m) == PAGE_SIZE, "a p2m is a page");

/* What a CPU knows without a map. */
struct copy_cpu {
    mfn_t p2m[NR_DOMAINS]; /* INVALID_MFN: there was no memory for the domain */
};

static DEFINE_PER_CPU(struct copy_cpu, copy_cpu);

static bool is_hole(mfn_t mfn)
{
    return mfn_x(mfn) == mfn_x(INVALID_MFN);
}

static mfn_t page_new(void)
{
    static bool said;
    mfn_t mfn = alloc_domheap_page();

    if (is_hole(mfn) && !__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
        printk("workload copy: out of memory, goes on with less\n");
    return mfn;
}

/* NULL: there is no slot. */
static struct p2m *p2m_map(unsigned int domain)
{
    mfn_t mfn = this_cpu(copy_cpu).p2m[domain];
    struct p2m *p2m = paced_map(mfn);

    CHECK(!p2m || p2m->self == mfn_x(mfn), "p2m of mfn 0x%lx at %p says 0x%lx", mfn_x(mfn),
          (void *)p2m, p2m->self);
    return p2m;
}

/* A new frame behind gfn, with contents of its own. */
static void gfn_populate(struct p2m *p2m, unsigned int gfn)
{
    mfn_t mfn = page_new();
    uint64_t seed = random_next();
    uint64_t *page, irq;

    p2m->mfn[gfn] = mfn_x(mfn);
    p2m->seed[gfn] = seed;
    if (is_hole(mfn))
        return;
    page = short_map(mfn, &irq);
    pattern_fill(page, mfn, seed);
    short_unmap(page, irq);
}

static void domain_make(unsigned int domain)
{
    mfn_t mfn = page_new();
    struct p2m *p2m;

    this_cpu(copy_cpu).p2m[domain] = mfn;
    if (is_hole(mfn))
        return;
    p2m = paced_map(mfn);
    if (!p2m) {
        free_domheap_page(mfn);
        this_cpu(copy_cpu).p2m[domain] = INVALID_MFN;
        return;
    }
    p2m->self = mfn_x(mfn);
    for (unsigned int gfn = 0; gfn < NR_GFNS; gfn++)
        gfn_populate(p2m, gfn);
    paced_unmap(p2m);
}

static void copy_init(void)
{
    for (unsigned int domain = 0; domain < NR_DOMAINS; domain++)
        domain_make(domain);
}

/* Give maps back, the youngest first, or now and then the oldest first. */
static void maps_release(void *const *maps, unsigned int n)
{
    bool oldest_first = random_next() % 4 == 0;

    for (unsigned int i = 0; i < n; i++)
        paced_unmap(maps[oldest_first ? i : n - 1 - i]);
}

/* Map the page behind gfn. NULL if there is none, or no slot: unmapping that is nothing. */
static uint64_t *gfn_map(const struct p2m *p2m, unsigned int gfn)
{
    mfn_t mfn = _mfn(p2m->mfn[gfn]);

    return is_hole(mfn) ? NULL : paced_map(mfn);
}

static void gfn_copy(struct p2m *to_p2m, unsigned int to_gfn, uint64_t *to,
                     const struct p2m *from_p2m, unsigned int from_gfn, const uint64_t *from)
{
    mfn_t from_mfn = _mfn(from_p2m->mfn[from_gfn]), to_mfn = _mfn(to_p2m->mfn[to_gfn]);

    pattern_verify(from, from_mfn, from_p2m->seed[from_gfn]);
    pattern_verify(to, to_mfn, to_p2m->seed[to_gfn]);
    pattern_copy(to, to_mfn, from, from_mfn);
    to_p2m->seed[to_gfn] = from_p2m->seed[from_gfn];
}

static void copy_between(unsigned int from_domain, unsigned int to_domain)
{
    unsigned int from_gfn = random_next() % NR_GFNS, to_gfn = random_next() % NR_GFNS;
    struct p2m *from_p2m = p2m_map(from_domain);
    uint64_t *from = from_p2m ? gfn_map(from_p2m, from_gfn) : NULL;
    struct p2m *to_p2m = p2m_map(to_domain);
    uint64_t *to = to_p2m ? gfn_map(to_p2m, to_gfn) : NULL;
    void *maps[] = {from_p2m, from, to_p2m, to};

    if (from && to)
        gfn_copy(to_p2m, to_gfn, to, from_p2m, from_gfn, from);
    maps_release(maps, sizeof(maps) / sizeof(maps[0]));
}

/* As a balloon does: a frame goes back to the allocator, another one comes. */
static void replace(unsigned int domain)
{
    unsigned int gfn = random_next() % NR_GFNS;
    struct p2m *p2m = p2m_map(domain);

    if (!p2m)
        return;
    if (!is_hole(_mfn(p2m->mfn[gfn])))
        free_domheap_page(_mfn(p2m->mfn[gfn]));
    gfn_populate(p2m, gfn);
    paced_unmap(p2m);
}

static void copy_step(void)
{
    const struct copy_cpu *c = &this_cpu(copy_cpu);
    unsigned int domain = random_next() % NR_DOMAINS;

    if (is_hole(c->p2m[domain]))
        domain_make(domain);
    else if (!is_hole(c->p2m[!domain]) && random_next() % 4)
        copy_between(domain, !domain);
    else
        replace(domain);
}

static void domain_unmake(unsigned int domain)
{
    mfn_t mfn = this_cpu(copy_cpu).p2m[domain];

    for (unsigned int gfn = 0; gfn < NR_GFNS; gfn++) {
        uint64_t irq;
        const struct p2m *p2m = short_map(mfn, &irq);
        mfn_t page = _mfn(p2m->mfn[gfn]);

        short_unmap(p2m, irq);
        if (!is_hole(page))
            free_domheap_page(page);
    }
    free_domheap_page(mfn);
}

static void copy_exit(void)
{
    for (unsigned int domain = 0; domain < NR_DOMAINS; domain++) {
        if (!is_hole(this_cpu(copy_cpu).p2m[domain]))
            domain_unmake(domain);
    }
}

const struct workload work_copy = {
    .name = "copy",
    .looks = "up to four slots in use on each CPU, hundreds cached all over the table",
    .init = copy_init,
    .step = copy_step,
    .exit = copy_exit,
};
