/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workload "p2m": tables of four levels, made a page at a time as
 * create_xen_table() makes them, walked with every level's map held as a
 * hypercall does, then the page that they lead to is copied.
 */
#include "core/pace.h"
#include "core/panic.h"
#include "core/string.h"
#include "mm/page_alloc.h"
#include "work/pages.h"
#include "work/random.h"
#include "work/work.h"
#include <hvscope/pte.h>
#include <stddef.h>

#define LEVELS 4
#define FANS   4 /* entries of each table that are used, log2: 2 */
#define GFNS   (FANS * FANS * FANS * FANS)
#define STRIDE (PT_ENTRIES / FANS) /* between two of them */

struct p2m_cpu {
    mfn_t root;
    struct pages buffer; /* a page that is copied to */
};

static DEFINE_PER_CPU(struct p2m_cpu, p2m_cpu);

/* A walk in hand: each level's table, the page last. */
struct walk {
    uint64_t *map[LEVELS + 1];
    unsigned int nr;
};

static unsigned int index_of(unsigned int gfn, unsigned int level)
{
    return gfn / (GFNS / FANS >> 2 * level) % FANS * STRIDE;
}

/* An empty table or a page with its pattern; 0 without memory. */
static uint64_t entry_new(unsigned int level)
{
    mfn_t mfn = alloc_domheap_page();
    uint64_t *page, irq;

    if (mfn_x(mfn) == mfn_x(INVALID_MFN))
        return 0;
    page = short_map(mfn, &irq);
    if (level == LEVELS - 1)
        pattern_fill(page, mfn, PAGES_SEED);
    else
        memset(page, 0, PAGE_SIZE);
    short_unmap(page, irq);
    return paddr_x(mfn_to_paddr(mfn)) | PTE_VALID;
}

/* Down to the page behind gfn, making what is missing. False: no memory for it, or no slot. */
static bool walk_down(struct walk *w, unsigned int gfn)
{
    w->map[0] = paced_map(this_cpu(p2m_cpu).root);
    w->nr = w->map[0] != NULL;
    for (unsigned int level = 0; w->nr && level < LEVELS; level++) {
        uint64_t *entry = &w->map[level][index_of(gfn, level)];

        if (!pte_valid(*entry))
            *entry = entry_new(level);
        if (!pte_valid(*entry))
            return false;
        w->map[w->nr] = paced_map(pte_mfn(*entry));
        if (!w->map[w->nr])
            return false;
        w->nr++;
    }
    return w->nr;
}

static void walk_release(struct walk *w)
{
    while (w->nr)
        paced_unmap(w->map[--w->nr]);
}

static mfn_t walk_page(const struct walk *w, unsigned int gfn)
{
    return pte_mfn(w->map[LEVELS - 1][index_of(gfn, LEVELS - 1)]);
}

static void page_copy_out(const struct walk *w, unsigned int gfn)
{
    mfn_t mfn = walk_page(w, gfn), to_mfn = pages_pick(&this_cpu(p2m_cpu).buffer);
    uint64_t *to = paced_map(to_mfn);

    pattern_verify(w->map[LEVELS], mfn, PAGES_SEED);
    if (to) {
        pattern_copy(to, to_mfn, w->map[LEVELS], mfn);
        pattern_verify(to, to_mfn, PAGES_SEED);
    }
    paced_unmap(to);
}

/* The guest gives the page back; the next walk that comes there makes another. */
static void page_drop(struct walk *w, unsigned int gfn)
{
    mfn_t mfn = walk_page(w, gfn);

    paced_unmap(w->map[--w->nr]);
    w->map[LEVELS - 1][index_of(gfn, LEVELS - 1)] = 0;
    free_domheap_page(mfn);
}

static void p2m_init(void)
{
    struct p2m_cpu *p = &this_cpu(p2m_cpu);

    p->root = pte_mfn(entry_new(0));
    pages_make(&p->buffer, 1, "p2m");
}

static bool usable(const struct p2m_cpu *p)
{
    return mfn_x(p->root) && p->buffer.nr;
}

static void p2m_step(void)
{
    /* A constant. NOLINTNEXTLINE(bugprone-implicit-widening-of-multiplication-result) */
    unsigned int gfn = random_next() % GFNS;
    struct walk w;

    if (!usable(&this_cpu(p2m_cpu)))
        return;
    if (walk_down(&w, gfn)) {
        if (random_next() % 8)
            page_copy_out(&w, gfn);
        else
            page_drop(&w, gfn);
    }
    walk_release(&w);
}

/* A table and all below it, read an entry at a time: that needs no slot for longer. */
static void table_free(mfn_t mfn, unsigned int level)
{
    for (unsigned int i = 0; level < LEVELS && i < PT_ENTRIES; i += STRIDE) {
        uint64_t irq, *table = short_map(mfn, &irq), entry = table[i];

        short_unmap(table, irq);
        if (pte_valid(entry))
            table_free(pte_mfn(entry), level + 1);
    }
    free_domheap_page(mfn);
}

static void p2m_exit(void)
{
    struct p2m_cpu *p = &this_cpu(p2m_cpu);

    if (mfn_x(p->root))
        table_free(p->root, 0);
    pages_free(&p->buffer);
}

const struct workload work_p2m = {
    .name = "p2m",
    .looks = "five to seven slots in use at a time, a few of them hot: the upper tables",
    .init = p2m_init,
    .step = p2m_step,
    .exit = p2m_exit,
};
