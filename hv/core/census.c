/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/census.h"
#include "core/beacon.h"
#include "core/cmdline.h"
#include "core/panic.h"
#include "core/printk.h"
#include "mm/domain_page.h"
#include "mm/page_alloc.h"

/* Callers that census_print() tells apart, and its attempts at an unchanged census. */
#define CALLERS_MAX 24
#define ATTEMPTS    1000

struct live_map {
    uint64_t page; /* VA */
    uint64_t caller;
};

struct census {
    uint32_t nr;       /* listed, the oldest first */
    uint32_t overflow; /* live too, but not listed */
    struct live_map map[CENSUS_MAX];
};

/* Maps of one caller. */
struct tally {
    uint64_t caller;
    uint64_t page; /* of the youngest */
    uint64_t nr;
};

/* A CPU's census, added up. */
struct summary {
    struct tally tally[CALLERS_MAX];
    unsigned int nr;
    uint64_t others; /* maps of callers that found no place */
    uint64_t overflow;
    uint64_t total;
    uint64_t refs; /* the slots' counts */
};

static DEFINE_PER_CPU(struct census *, census); /* NULL: off */

bool census_init_cpu(unsigned int cpu)
{
    struct census *census;

    if (!options.census)
        return true;
    census = alloc_xenheap_pages(order_from_bytes(sizeof(*census)));
    if (!census)
        return false;
    census->nr = census->overflow = 0;
    per_cpu(census, cpu) = census;
    return true;
}

void census_map(vaddr_t va, const void *caller)
{
    struct census *c = this_cpu(census);

    if (!c)
        return;
    if (c->nr == CENSUS_MAX)
        c->overflow++;
    else
        c->map[c->nr++] = (struct live_map){vaddr_x(va) & ~PAGE_MASK, (uintptr_t)caller};
}

/* One that is not there may be one that found no place. */
void census_unmap(vaddr_t va, const void *caller)
{
    struct census *c = this_cpu(census);
    uint64_t page = vaddr_x(va) & ~PAGE_MASK;
    uint32_t i;

    if (!c)
        return;
    for (i = c->nr; i && c->map[i - 1].page != page;)
        i--;
    CHECK(i || c->overflow, "unmap of page 0x%lx, which nobody holds, by %p", page, caller);
    if (!i) {
        c->overflow--;
        return;
    }
    for (c->nr--; i <= c->nr; i++)
        c->map[i - 1] = c->map[i];
}

void census_check(uint64_t refs)
{
    const struct census *c = this_cpu(census);

    if (!c)
        return;
    CHECK(c->nr + c->overflow == refs, "the census has %u maps, the slots hold %lu references",
          c->nr + c->overflow, refs);
}

static void summary_add(struct summary *s, const struct live_map *map)
{
    unsigned int i = 0;

    while (i < s->nr && s->tally[i].caller != map->caller)
        i++;
    if (i == CALLERS_MAX) {
        s->others++;
        return;
    }
    if (i == s->nr)
        s->tally[s->nr++] = (struct tally){map->caller, 0, 0};
    s->tally[i].page = map->page;
    s->tally[i].nr++;
}

/* Another CPU may be at work meanwhile: what is read is bounded, and perhaps not one moment's. */
static void summary_read(unsigned int cpu, const struct census *c, struct summary *s)
{
    uint32_t nr = __atomic_load_n(&c->nr, __ATOMIC_RELAXED);

    *s = (struct summary){.overflow = c->overflow, .total = nr + c->overflow};
    for (uint32_t i = 0; i < nr && i < CENSUS_MAX; i++)
        summary_add(s, &c->map[i]);
    s->refs = mapcache_refs_of(cpu);
}

/* The generation is odd inside map and unmap: equal and even means nothing moved. */
static bool summary_settled(unsigned int cpu, const struct census *c, struct summary *s)
{
    const uint64_t *generation = &per_cpu(beacon_cpu, cpu)->generation;

    for (unsigned int i = 0; i < ATTEMPTS; i++) {
        uint64_t before = __atomic_load_n(generation, __ATOMIC_ACQUIRE);

        summary_read(cpu, c, s);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (before % 2 == 0 && __atomic_load_n(generation, __ATOMIC_RELAXED) == before)
            return true;
    }
    return false;
}

void census_print(unsigned int cpu)
{
    const struct census *c = per_cpu(census, cpu);
    struct summary s;
    bool settled;

    if (!c) {
        printk("CPU%u: no census: boot with census=on\n", cpu);
        return;
    }
    settled = summary_settled(cpu, c, &s);
    printk("CPU%u: %lu live maps, slots hold %lu references%s\n", cpu, s.total, s.refs,
           settled ? "" : " (changing while it was read)");
    for (unsigned int i = 0; i < s.nr; i++)
        printk("  %4lu by 0x%lx, the youngest at 0x%lx\n", s.tally[i].nr, s.tally[i].caller,
               s.tally[i].page);
    if (s.others)
        printk("  %4lu by other callers\n", s.others);
    if (s.overflow)
        printk("  %4lu that found no place in the census\n", s.overflow);
}
