/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The checker's own data, and what it knows of tables: which there are, what
 * they hold, who can walk to them. For bbm.c only: the three are one unit.
 */
#ifndef HV_CORE_BBM_TABLES_H
#define HV_CORE_BBM_TABLES_H

#include "core/bbm_rules.h"

#define NONE    UINT32_MAX
#define BUCKETS 1024
#define EVERY   (~UINT64_C(0))
#define NEAR_NS 1000 /* events of two CPUs closer than this may be in either order */
#define FRESH   64

/* A DSB that waits for loads and stores. */
#define DSB_FULL (TRACE_DSB_TYPE_LD | TRACE_DSB_TYPE_ST)

/* A table, as it is seen at one address. */
struct page {
    uint64_t pa, va;
    unsigned int level;
    uint32_t next;                     /* in its bucket */
    uint64_t cpus;                     /* can walk here */
    uint64_t holders;                  /* can, or could since their last completed TLBI ALL */
    uint64_t flushed;                  /* completed one since the entries became unknown */
    uint64_t unknown[PT_ENTRIES / 64]; /* bit n: what a TLB holds of entry n is not known */
    uint64_t value[PT_ENTRIES];
    uint32_t ghost[PT_ENTRIES]; /* the first of each entry */
};

/* A value that an entry had, and that a TLB may still hold. */
struct ghost {
    uint32_t page, next, place; /* next of the entry; place: in the list of all */
    uint16_t index;
    uint8_t level, by;
    bool any;   /* which value is not known */
    bool probe; /* nothing was stored: an unknown entry that a TLBI covers */
    bool cut;   /* below a table that was broken: of no entry's list */
    bool table;
    bool owed; /* the same translation, with permissions that it has no longer */
    uint64_t old, va;
    uint64_t seen;               /* CPUs to which the store is visible */
    uint64_t early;              /* CPUs for which a TLBI came before that */
    uint64_t debt;               /* CPUs that may hold it */
    uint64_t pending[BBM_CPUS];  /* of the debt, covered by a TLBI that this CPU's DSB completes */
    uint32_t finding;            /* whose window is open, or NONE */
    uint8_t overwriter;          /* the CPU that the window is counted on */
    uint64_t events, time, irqs; /* when it began */
};

struct cpu {
    uint64_t root;
    uint64_t events, irqs, time; /* time of the last event without a ticket */
    uint64_t all_pending;        /* CPUs that an ALL of this one covers, to be completed */
};

/* A new entry before its first DSB. */
struct fresh {
    uint32_t page;
    uint16_t index;
    uint8_t cpu;
};

struct bbm {
    struct bbm_config config;
    struct bbm_totals totals;
    uint32_t nr_pages, nr_live;
    uint32_t free, nr_used; /* first ghost that is free again; how many were ever used */
    uint32_t nr_findings, nr_fresh;
    bool may_be_unknown; /* some entries, or were */
    uint32_t bucket[BUCKETS];
    struct cpu cpu[BBM_CPUS];
    struct fresh fresh[FRESH];
    struct bbm_finding finding[BBM_FINDINGS];
    struct page *page;
    struct ghost *ghost;
    uint32_t *live;
};

static uint64_t bit(unsigned int cpu)
{
    return UINT64_C(1) << cpu;
}

static uint32_t *bucket_of(struct bbm *b, uint64_t pa)
{
    return &b->bucket[(pa >> PAGE_SHIFT) % BUCKETS];
}

static uint64_t entry_va(const struct page *p, unsigned int index)
{
    return p->va + ((uint64_t)index << pt_level_shift(p->level));
}

static bool is_unknown(const struct page *p, unsigned int index)
{
    return p->unknown[index / 64] >> (index % 64) & 1;
}

static void set_unknown(struct page *p, unsigned int index, bool unknown)
{
    p->unknown[index / 64] &= ~bit(index % 64);
    p->unknown[index / 64] |= (uint64_t)unknown << (index % 64);
}

static void set_all_unknown(struct page *p, bool unknown)
{
    for (unsigned int i = 0; i < PT_ENTRIES / 64; i++)
        p->unknown[i] = unknown ? EVERY : 0;
    p->flushed = 0;
}

/* The page of pa at va; NONE. */
static uint32_t page_find(struct bbm *b, uint64_t pa, unsigned int level, uint64_t va)
{
    uint32_t n = *bucket_of(b, pa);

    while (n != NONE && (b->page[n].pa != pa || b->page[n].level != level || b->page[n].va != va))
        n = b->page[n].next;
    return n;
}

/* The next page of pa behind n, or the first: a table may be seen at several addresses. */
static uint32_t page_alias(struct bbm *b, uint64_t pa, uint32_t n)
{
    n = n == NONE ? *bucket_of(b, pa) : b->page[n].next;
    while (n != NONE && b->page[n].pa != pa)
        n = b->page[n].next;
    return n;
}

/* What a table holds: entry, or else what is read, or else nothing. */
static void page_values(struct bbm *b, struct page *p, const uint64_t *entry)
{
    if (!entry && b->config.read && b->config.read(b->config.context, p->pa, p->value))
        return;
    for (unsigned int i = 0; i < PT_ENTRIES; i++)
        p->value[i] = entry ? entry[i] : 0;
}

/* A new page; NONE if there is no room. entry: its contents, NULL: they are read. */
static uint32_t page_add(struct bbm *b, uint64_t pa, unsigned int level, uint64_t va,
                         const uint64_t *entry)
{
    uint32_t n = b->nr_pages, alias = page_alias(b, pa, NONE);
    struct page *p = &b->page[n];

    if (n == b->config.pages)
        return NONE;
    b->nr_pages++;
    p->pa = pa;
    p->level = level;
    p->va = va;
    p->next = *bucket_of(b, pa);
    p->cpus = p->holders = 0;
    *bucket_of(b, pa) = n;
    for (unsigned int i = 0; i < PT_ENTRIES; i++)
        p->ghost[i] = NONE;
    set_all_unknown(p, !b->config.known);
    page_values(b, p, !entry && alias != NONE ? b->page[alias].value : entry);
    return n;
}

/* Who can walk to which table, now. */
static void reach_done(struct bbm *b)
{
    for (uint32_t n = 0; n < b->nr_pages; n++)
        b->page[n].holders |= b->page[n].cpus;
}

/* Roots first. */
static void reach_roots(struct bbm *b)
{
    for (uint32_t n = 0; n < b->nr_pages; n++) {
        struct page *p = &b->page[n];

        p->cpus = 0;
        for (unsigned int k = 0; p->level == b->config.root_level && k < b->config.ncpu; k++)
            p->cpus |= b->cpu[k].root == p->pa ? bit(k) : 0;
    }
}

static void reach_below(struct bbm *b, uint32_t n)
{
    const struct page *p = &b->page[n];

    for (unsigned int i = 0; i < PT_ENTRIES; i++) {
        uint64_t pa = p->value[i] & PTE_ADDR_MASK, va = entry_va(p, i);
        uint32_t child;

        if (!pte_is_table(p->value[i], p->level))
            continue;
        child = page_find(b, pa, p->level + 1, va);
        if (child == NONE)
            child = page_add(b, pa, p->level + 1, va, NULL);
        if (child != NONE)
            b->page[child].cpus |= p->cpus;
    }
}

static void reach(struct bbm *b)
{
    reach_roots(b);
    for (unsigned int level = b->config.root_level; level < PT_LEVEL_LAST; level++) {
        for (uint32_t n = 0; n < b->nr_pages; n++) {
            if (b->page[n].level == level && b->page[n].cpus)
                reach_below(b, n);
        }
    }
    reach_done(b);
}

#endif /* HV_CORE_BBM_TABLES_H */
