/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an event does to what is known: bbm_tables.h and bbm_ghosts.h have that,
 * and are part of this file.
 */
#include "core/bbm.h"
#include "core/bbm_ghosts.h"

/* Stores. */

/* Does the table at va map other memory than the block that it is in place of, or takes the place
 * of? FEAT_BBM excuses the change of size alone. */
static bool maps_otherwise(struct bbm *b, uint64_t table, unsigned int level, uint64_t va,
                           uint64_t block)
{
    uint32_t n = page_find(b, table & PTE_ADDR_MASK, level, va);

    for (unsigned int i = 0; n != NONE && i < PT_ENTRIES; i++) {
        uint64_t value = b->page[n].value[i];
        uint64_t pa = bbm_leaf_pa(block, level - 1) + ((uint64_t)i << pt_level_shift(level));

        if (!pte_is_table(value, level) && bbm_live(&b->config, value, level) &&
            bbm_leaf_pa(value, level) != pa)
            return true;
    }
    return false;
}

/* bbm_change(), and what only the tables can tell. */
static enum bbm_rule change_at(struct bbm *b, const struct page *p, unsigned int index,
                               const struct bbm_event *e)
{
    enum bbm_rule rule = bbm_change(&b->config, e->old, e->new, p->level);
    bool was = pte_is_table(e->old, p->level), is = pte_is_table(e->new, p->level);

    if (rule == BBM_NO_CHANGE && was != is &&
        maps_otherwise(b, was ? e->old : e->new, p->level + 1, entry_va(p, index),
                       was ? e->new : e->old))
        return BBM_OUTPUT_ADDRESS;
    return rule;
}

static void probes_drop(struct bbm *b, const struct page *p, unsigned int index)
{
    uint32_t n = p->ghost[index], next;

    for (; n != NONE; n = next) {
        next = b->ghost[n].next;
        if (b->ghost[n].probe)
            ghost_drop(b, &b->ghost[n]);
    }
}

static void store_break(struct bbm *b, uint32_t n, unsigned int index, const struct bbm_event *e)
{
    struct page *p = &b->page[n];
    bool was_live = bbm_live(&b->config, e->old, p->level), unknown = is_unknown(p, index);
    struct ghost *g = NULL;

    probes_drop(b, p, index);
    if (was_live || unknown)
        g = ghost_add(b, n, index, e);
    if (g) {
        g->any = !was_live;
        set_unknown(p, index, false);
    }
    table_gone(b, p, index, e);
}

/* Ghosts that the new value is no longer different from go; the first other one is returned. */
static struct ghost *ghosts_in_the_way(struct bbm *b, struct page *p, unsigned int index,
                                       const struct bbm_event *e)
{
    struct ghost *found = NULL;
    uint32_t n = p->ghost[index], next;

    for (; n != NONE; n = next) {
        struct ghost *g = &b->ghost[n];

        next = g->next;
        if (g->any || bbm_change(&b->config, g->old, e->new, p->level) != BBM_NO_CHANGE)
            found = found && g->any ? found : g; /* one that is known says more */
        else if (!bbm_stricter(g->old, e->new, p->level))
            ghost_drop(b, g);
    }
    return found;
}

/* Below a table entry that is made again: what the tables say there now, or is in the way. */
static struct ghost *cuts_in_the_way(struct bbm *b, const struct page *p, unsigned int index)
{
    uint64_t first = entry_va(p, index);
    uint64_t last = first + (UINT64_C(1) << pt_level_shift(p->level)) - 1;
    struct ghost *found = NULL;

    for (uint32_t i = b->nr_live; i-- > 0;) {
        struct ghost *g = &b->ghost[b->live[i]];
        const struct page *at = &b->page[g->page];
        bool back = at->cpus && at->value[g->index] == g->old;

        if (!g->cut || g->va < first || g->va > last || g->level <= p->level)
            continue;
        if (back)
            ghost_drop(b, g);
        else
            found = g;
    }
    return found;
}

/* A live value over one that is not. */
static void store_make(struct bbm *b, uint32_t n, unsigned int index, const struct bbm_event *e)
{
    struct page *p = &b->page[n];
    struct ghost *g = ghosts_in_the_way(b, p, index, e);

    if (!g)
        g = cuts_in_the_way(b, p, index);
    if (g && g->any)
        b->totals.unjudged++;
    else if (g)
        finding_at(b, BBM_UNBROKEN, p, index, g, e);
    if (b->nr_fresh < FRESH)
        b->fresh[b->nr_fresh++] = (struct fresh){n, (uint16_t)index, (uint8_t)e->cpu};
}

/* A live value over a live one. */
static void store_over(struct bbm *b, uint32_t n, unsigned int index, const struct bbm_event *e)
{
    struct page *p = &b->page[n];
    enum bbm_rule rule = change_at(b, p, index, e);
    bool stricter = bbm_stricter(e->old, e->new, p->level);
    struct ghost *g = NULL;

    ghosts_in_the_way(b, p, index, e);
    if (rule != BBM_NO_CHANGE || stricter)
        g = ghost_add(b, n, index, e);
    if (g)
        g->owed = rule == BBM_NO_CHANGE;
    if (rule != BBM_NO_CHANGE)
        finding_at(b, rule, p, index, g, e);
    else if (g)
        finding_at(b, BBM_OWED, p, index, g, e);
    table_gone(b, p, index, e);
}

/* Nothing was known, and a live value comes over one that is not: it stays undecided. */
static void store_unjudged(struct bbm *b, struct page *p, unsigned int index)
{
    b->totals.unjudged++;
    probes_drop(b, p, index);
    set_unknown(p, index, false);
}

static void store_in(struct bbm *b, uint32_t n, unsigned int index, const struct bbm_event *e)
{
    struct page *p = &b->page[n];
    unsigned int level = p->level;
    bool is = bbm_live(&b->config, e->new, level), was = bbm_live(&b->config, e->old, level);

    if (!((e->old ^ e->new) & ~PTE_REFS_MASK))
        return;
    if (!is)
        store_break(b, n, index, e);
    else if (was)
        store_over(b, n, index, e);
    else if (is_unknown(p, index))
        store_unjudged(b, p, index);
    else
        store_make(b, n, index, e);
}

/* The tables as they are now; what was there before is the event's old. */
static bool store_value(struct bbm *b, unsigned int index, const struct bbm_event *e)
{
    uint64_t pa = e->pa & ~PAGE_MASK;
    bool tables = false;

    for (uint32_t n = page_alias(b, pa, NONE); n != NONE; n = page_alias(b, pa, n)) {
        unsigned int level = b->page[n].level;

        b->page[n].value[index] = e->new;
        tables |= pte_is_table(e->old, level) || pte_is_table(e->new, level);
    }
    return tables && (e->old ^ e->new) & ~PTE_REFS_MASK;
}

static void store(struct bbm *b, const struct bbm_event *e)
{
    unsigned int index = (e->pa & PAGE_MASK) / sizeof(lpae_t);
    uint64_t pa = e->pa & ~PAGE_MASK;

    if (store_value(b, index, e))
        reach(b);
    for (uint32_t n = page_alias(b, pa, NONE); n != NONE; n = page_alias(b, pa, n)) {
        if (b->page[n].holders)
            store_in(b, n, index, e);
    }
}

/* TLBIs and barriers. */

/* Of an unknown entry, what is not known becomes known when this TLBI is complete. */
static void probe_entry(struct bbm *b, uint32_t n, unsigned int index, const struct bbm_cover *c)
{
    struct page *p = &b->page[n];
    bool table = pte_is_table(p->value[index], p->level);
    struct ghost *g;

    if (!is_unknown(p, index) || p->ghost[index] != NONE ||
        !bbm_covers(c, entry_va(p, index), p->level, table))
        return;
    g = ghost_new(b, n, index);
    if (!g)
        return;
    g->probe = g->any = true;
    g->seen = EVERY;
    g->debt &= ~p->flushed;
    p->ghost[index] = (uint32_t)(g - b->ghost);
}

static void probe_unknown(struct bbm *b, const struct bbm_cover *c, uint64_t targets)
{
    for (uint32_t n = 0; n < b->nr_pages; n++) {
        const struct page *p = &b->page[n];
        unsigned int shift = pt_level_shift(p->level);
        uint64_t end = p->va + ((uint64_t)PT_ENTRIES << shift) - 1;
        uint64_t from = c->first > p->va ? c->first : p->va, to = c->last < end ? c->last : end;

        if (!(p->holders & targets) || from > to)
            continue;
        for (uint64_t i = (from - p->va) >> shift; i <= (to - p->va) >> shift; i++)
            probe_entry(b, n, (unsigned int)i, c);
    }
}

static void tlbi(struct bbm *b, const struct bbm_event *e)
{
    uint64_t targets = e->scope == TRACE_SCOPE_LOCAL ? bit(e->cpu) : EVERY;
    struct bbm_cover c = bbm_cover(e->op, e->operand);

    if (c.bad)
        finding_plain(b, BBM_OPERAND, e);
    if (c.all)
        b->cpu[e->cpu].all_pending |= targets;
    else if (!c.bad && b->may_be_unknown)
        probe_unknown(b, &c, targets);
    for (uint32_t i = 0; i < b->nr_live; i++) {
        struct ghost *g = &b->ghost[b->live[i]];

        if (!bbm_covers(&c, g->va, g->level, g->table))
            continue;
        g->pending[e->cpu] |= targets & g->debt & g->seen;
        g->early |= targets & g->debt & ~g->seen;
    }
}

/* Every holder of these entries has flushed everything since they became unknown. */
static void page_known(struct bbm *b, struct page *p)
{
    uint64_t flushed = p->flushed;

    for (uint32_t i = b->nr_live; i-- > 0;) {
        struct ghost *g = &b->ghost[b->live[i]];

        if (g->probe && &b->page[g->page] == p)
            ghost_drop(b, g);
    }
    set_all_unknown(p, false);
    p->flushed = flushed;
}

/* These CPUs hold nothing any more but what they can walk to. */
static void all_completed(struct bbm *b, uint64_t cpus, uint64_t time)
{
    for (uint32_t i = b->nr_live; i-- > 0;) {
        struct ghost *g = &b->ghost[b->live[i]];

        if (!g->probe)
            continue;
        g->debt &= ~cpus;
        if (!g->debt)
            ghost_close(b, g, time);
    }
    for (uint32_t n = 0; n < b->nr_pages; n++) {
        struct page *p = &b->page[n];
        bool was_open = (p->flushed & p->holders) != p->holders;

        p->flushed |= cpus;
        if (was_open && (p->flushed & p->holders) == p->holders)
            page_known(b, p);
        p->holders &= ~cpus | p->cpus;
    }
}

/* What this CPU stored is seen, and what its TLBIs cover is gone, as far as the barrier reaches. */
static void dsb_ghosts(struct bbm *b, const struct bbm_event *e, unsigned int type, uint64_t cpus)
{
    for (uint32_t i = b->nr_live; i-- > 0;) {
        struct ghost *g = &b->ghost[b->live[i]];

        if (type != TRACE_DSB_TYPE_LD && g->by == e->cpu && !g->probe)
            g->seen |= cpus;
        if (type != DSB_FULL)
            continue;
        g->debt &= ~(g->pending[e->cpu] & cpus);
        g->pending[e->cpu] &= ~cpus;
        if (!g->debt)
            ghost_close(b, g, e->time);
    }
}

/* New entries of this CPU are not waited for any more. */
static void fresh_drop(struct bbm *b, unsigned int cpu)
{
    for (uint32_t i = b->nr_fresh; i-- > 0;) {
        if (b->fresh[i].cpu == cpu)
            b->fresh[i] = b->fresh[--b->nr_fresh];
    }
}

static void dsb(struct bbm *b, const struct bbm_event *e)
{
    unsigned int type = e->code & TRACE_DSB_TYPE_MASK;
    bool local = e->code >> TRACE_DSB_DOMAIN_SHIFT == TRACE_DSB_NSH >> TRACE_DSB_DOMAIN_SHIFT;
    uint64_t cpus = local ? bit(e->cpu) : EVERY, all = b->cpu[e->cpu].all_pending & cpus;

    dsb_ghosts(b, e, type, cpus);
    if (all && type == DSB_FULL) {
        b->cpu[e->cpu].all_pending &= ~cpus;
        all_completed(b, all, e->time);
    }
    if (type != TRACE_DSB_TYPE_LD)
        fresh_drop(b, e->cpu);
}

static void ttbr(struct bbm *b, const struct bbm_event *e)
{
    uint64_t root = e->operand & PTE_ADDR_MASK;
    bool others = false, shared = false;

    for (unsigned int k = 0; k < b->config.ncpu; k++) {
        others |= k != e->cpu && b->cpu[k].root;
        shared |= k != e->cpu && b->cpu[k].root == root;
    }
    if (e->operand & 1 && others && !shared)
        finding_plain(b, BBM_CNP, e);
    bbm_root(b, e->cpu, root);
}

/* An entry of this CPU that was made and never followed by a DSB is used. */
static void use(struct bbm *b, const struct bbm_event *e)
{
    for (uint32_t i = 0; i < b->nr_fresh; i++) {
        struct page *p = &b->page[b->fresh[i].page];
        unsigned int index = b->fresh[i].index;
        struct bbm_event at = *e;

        if (b->fresh[i].cpu != e->cpu || !bbm_live(&b->config, p->value[index], p->level) ||
            (e->operand - entry_va(p, index)) >> pt_level_shift(p->level))
            continue;
        at.pa = p->pa + index * sizeof(lpae_t);
        at.new = p->value[index];
        finding_at(b, BBM_EARLY, p, index, NULL, &at);
        b->fresh[i] = b->fresh[--b->nr_fresh];
        return;
    }
}

/* The interface. */

void bbm_event(struct bbm *b, const struct bbm_event *e)
{
    struct cpu *c = &b->cpu[e->cpu];

    if (e->kind == BBM_IRQ) {
        c->irqs++;
        return;
    }
    if (e->kind == BBM_USE) {
        use(b, e);
        return;
    }
    b->totals.events++;
    c->events++;
    if (e->kind == BBM_STORE && !e->foreign)
        store(b, e);
    else if (e->kind == BBM_TLBI && e->op <= TRACE_TLBI_RVALE2)
        tlbi(b, e);
    else if (e->kind == BBM_BARRIER && e->code != TRACE_ISB)
        dsb(b, e);
    else if (e->kind == BBM_TTBR)
        ttbr(b, e);
    if (!e->ticket)
        c->time = e->time;
}

void bbm_root(struct bbm *b, unsigned int cpu, uint64_t pa)
{
    b->cpu[cpu].root = pa;
    if (page_find(b, pa, b->config.root_level, 0) == NONE)
        page_add(b, pa, b->config.root_level, 0, NULL);
    reach(b);
}

bool bbm_table(struct bbm *b, uint64_t pa, unsigned int level, uint64_t va,
               const uint64_t entry[PT_ENTRIES])
{
    uint32_t n = page_find(b, pa, level, va);

    if (n == NONE)
        return page_add(b, pa, level, va, entry) != NONE;
    page_values(b, &b->page[n], entry);
    return true;
}

void bbm_lost(struct bbm *b, unsigned int cpu, uint64_t lost)
{
    b->totals.lost += lost;
    b->may_be_unknown = true;
    for (unsigned int k = 0; k < BBM_CPUS; k++)
        b->cpu[k].all_pending = 0;
    for (uint32_t i = b->nr_live; i-- > 0;) {
        struct ghost *g = &b->ghost[b->live[i]];

        if (b->page[g->page].holders & bit(cpu))
            ghost_drop(b, g);
    }
    for (uint32_t n = 0; n < b->nr_pages; n++) {
        if (b->page[n].holders & bit(cpu))
            set_all_unknown(&b->page[n], true);
    }
    fresh_drop(b, cpu);
}

size_t bbm_size(const struct bbm_config *config)
{
    return sizeof(struct bbm) + config->pages * sizeof(struct page) +
           config->ghosts * (sizeof(struct ghost) + sizeof(uint32_t));
}

struct bbm *bbm_init(void *memory, const struct bbm_config *config)
{
    struct bbm *b = memory;

    for (size_t i = 0; i < sizeof(*b) / sizeof(uint64_t); i++)
        ((uint64_t *)memory)[i] = 0;
    b->config = *config;
    b->may_be_unknown = !config->known;
    b->page = (struct page *)(b + 1);
    b->ghost = (struct ghost *)(b->page + config->pages);
    b->live = (uint32_t *)(b->ghost + config->ghosts);
    for (unsigned int i = 0; i < BUCKETS; i++)
        b->bucket[i] = NONE;
    b->free = NONE;
    return b;
}

unsigned int bbm_nr_findings(const struct bbm *b)
{
    return b->nr_findings;
}

const struct bbm_finding *bbm_finding(const struct bbm *b, unsigned int i)
{
    return &b->finding[i];
}

struct bbm_totals bbm_totals(const struct bbm *b)
{
    return b->totals;
}
