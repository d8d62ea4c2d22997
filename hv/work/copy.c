/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workload "copy": two made-up domains, and copies between their pages.
 *
 * A domain is known to a CPU by one page, its p2m: an array of frame numbers
 * and of the seed of what each frame holds. Reaching a page therefore takes
 * two maps, the p2m's and its own, and a copy holds four. Each CPU has a p2m
 * page of each domain for itself, so that CPUs wait for each other in the
 * allocator only; frames travel between them through it.
 *
 * A page's contents say which frame it is: a map that reaches another one, by a
 * wrong entry or a stale translation, does not verify.
 */
#include "core/beacon.h"
#include "core/pace.h"
#include "core/panic.h"
#include "mm/page_alloc.h"
#include "work/work.h"

#define NR_DOMAINS 2
#define NR_GFNS    255
#define WORDS      (PAGE_SIZE / sizeof(uint64_t))
#define SPREAD     UINT64_C(0x9e3779b97f4a7c15) /* 2^64 / golden ratio, odd */

struct p2m {
    uint64_t mfn[NR_GFNS];
    uint64_t seed[NR_GFNS];
    uint64_t self; /* frame number of this page */
    uint64_t pad;
};

_Static_assert(sizeof(struct p2m) == PAGE_SIZE, "a p2m is a page");

/* What a CPU knows without a map. */
struct copy_cpu {
    mfn_t p2m[NR_DOMAINS];
    uint64_t random;
};

static DEFINE_PER_CPU(struct copy_cpu, copy_cpu);

/* xorshift64*: every state but 0 is reached. */
static uint64_t random_next(void)
{
    uint64_t *x = &this_cpu(copy_cpu).random;

    *x ^= *x >> 12;
    *x ^= *x << 25;
    *x ^= *x >> 27;
    return *x * UINT64_C(0x2545f4914f6cdd1d);
}

/* Word i of a page in frame mfn whose contents are `seed`. */
static uint64_t pattern_word(mfn_t mfn, uint64_t seed, unsigned int i)
{
    return (mfn_x(mfn) + 1) * SPREAD ^ (seed + i * SPREAD);
}

static void pattern_fill(uint64_t *page, mfn_t mfn, uint64_t seed)
{
    for (unsigned int i = 0; i < WORDS; i++)
        page[i] = pattern_word(mfn, seed, i);
}

static void pattern_verify(const uint64_t *page, mfn_t mfn, uint64_t seed)
{
    for (unsigned int i = 0; i < WORDS; i++)
        CHECK(page[i] == pattern_word(mfn, seed, i),
              "pattern of mfn 0x%lx at %p: word %u is 0x%lx, not 0x%lx", mfn_x(mfn),
              (const void *)page, i, page[i], pattern_word(mfn, seed, i));
    this_cpu(beacon_cpu)->verified++;
}

static mfn_t page_new(void)
{
    mfn_t mfn = alloc_domheap_page();

    if (mfn_x(mfn) == mfn_x(INVALID_MFN))
        panic("workload copy: out of memory");
    return mfn;
}

static struct p2m *p2m_map(unsigned int domain)
{
    mfn_t mfn = this_cpu(copy_cpu).p2m[domain];
    struct p2m *p2m = paced_map(mfn);

    CHECK(p2m->self == mfn_x(mfn), "p2m of mfn 0x%lx at %p says 0x%lx", mfn_x(mfn), (void *)p2m,
          p2m->self);
    return p2m;
}

/* A new frame behind gfn, with contents of its own. */
static void gfn_populate(struct p2m *p2m, unsigned int gfn)
{
    mfn_t mfn = page_new();
    uint64_t seed = random_next();
    uint64_t *page = paced_map(mfn);

    pattern_fill(page, mfn, seed);
    p2m->mfn[gfn] = mfn_x(mfn);
    p2m->seed[gfn] = seed;
    paced_unmap(page);
}

static void domain_make(unsigned int domain)
{
    mfn_t mfn = page_new();
    struct p2m *p2m = paced_map(mfn);

    p2m->self = mfn_x(mfn);
    for (unsigned int gfn = 0; gfn < NR_GFNS; gfn++)
        gfn_populate(p2m, gfn);
    paced_unmap(p2m);
    this_cpu(copy_cpu).p2m[domain] = mfn;
}

static void copy_init(void)
{
    this_cpu(copy_cpu).random = SPREAD + smp_processor_id();
    for (unsigned int domain = 0; domain < NR_DOMAINS; domain++)
        domain_make(domain);
}

/* The contents move; the frame that a page says it is stays. */
static void page_copy(uint64_t *to, mfn_t to_mfn, const uint64_t *from, mfn_t from_mfn)
{
    uint64_t rekey = pattern_word(to_mfn, 0, 0) ^ pattern_word(from_mfn, 0, 0);

    for (unsigned int i = 0; i < WORDS; i++)
        to[i] = from[i] ^ rekey;
}

/* Give maps back, the youngest first, or now and then the oldest first. */
static void maps_release(void *const *maps, unsigned int n)
{
    bool oldest_first = random_next() % 4 == 0;

    for (unsigned int i = 0; i < n; i++)
        paced_unmap(maps[oldest_first ? i : n - 1 - i]);
}

static void copy_between(unsigned int from_domain, unsigned int to_domain)
{
    unsigned int from_gfn = random_next() % NR_GFNS, to_gfn = random_next() % NR_GFNS;
    struct p2m *from_p2m = p2m_map(from_domain);
    mfn_t from_mfn = _mfn(from_p2m->mfn[from_gfn]);
    uint64_t *from = paced_map(from_mfn);
    struct p2m *to_p2m = p2m_map(to_domain);
    mfn_t to_mfn = _mfn(to_p2m->mfn[to_gfn]);
    uint64_t *to = paced_map(to_mfn);
    void *maps[] = {from_p2m, from, to_p2m, to};

    pattern_verify(from, from_mfn, from_p2m->seed[from_gfn]);
    pattern_verify(to, to_mfn, to_p2m->seed[to_gfn]);
    page_copy(to, to_mfn, from, from_mfn);
    to_p2m->seed[to_gfn] = from_p2m->seed[from_gfn];
    maps_release(maps, sizeof(maps) / sizeof(maps[0]));
}

/* As a balloon does: a frame goes back to the allocator, another one comes. */
static void replace(unsigned int domain)
{
    unsigned int gfn = random_next() % NR_GFNS;
    struct p2m *p2m = p2m_map(domain);

    free_domheap_page(_mfn(p2m->mfn[gfn]));
    gfn_populate(p2m, gfn);
    paced_unmap(p2m);
}

static void copy_step(void)
{
    unsigned int domain = random_next() % NR_DOMAINS;

    if (random_next() % 4)
        copy_between(domain, !domain);
    else
        replace(domain);
}

static void copy_exit(void)
{
    for (unsigned int domain = 0; domain < NR_DOMAINS; domain++) {
        struct p2m *p2m = p2m_map(domain);

        for (unsigned int gfn = 0; gfn < NR_GFNS; gfn++)
            free_domheap_page(_mfn(p2m->mfn[gfn]));
        paced_unmap(p2m);
        free_domheap_page(this_cpu(copy_cpu).p2m[domain]);
    }
}

const struct workload work_copy = {
    .name = "copy",
    .looks = "up to four slots in use on each CPU, hundreds cached all over the table",
    .init = copy_init,
    .step = copy_step,
    .exit = copy_exit,
};
