/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ghosts, the values that a TLB may still hold, and what is found because one
 * is in the way. For bbm.c only.
 */
#ifndef HV_CORE_BBM_GHOSTS_H
#define HV_CORE_BBM_GHOSTS_H

#include "core/bbm_tables.h"

static struct ghost *ghost_new(struct bbm *b, uint32_t page, unsigned int index)
{
    const struct page *p = &b->page[page];
    struct ghost *g = &b->ghost[b->free == NONE ? b->nr_used : b->free];

    if (b->free != NONE)
        b->free = g->next;
    else if (b->nr_used < b->config.ghosts)
        b->nr_used++;
    else
        return NULL;
    *g = (struct ghost){.page = page,
                        .index = (uint16_t)index,
                        .next = NONE,
                        .place = b->nr_live,
                        .level = (uint8_t)p->level,
                        .va = entry_va(p, index),
                        .finding = NONE,
                        .debt = p->holders};
    b->live[b->nr_live++] = (uint32_t)(g - b->ghost);
    return g;
}

static void list_remove(struct bbm *b, const struct ghost *g)
{
    uint32_t *at = &b->page[g->page].ghost[g->index];

    while (&b->ghost[*at] != g)
        at = &b->ghost[*at].next;
    *at = g->next;
}

static void ghost_free(struct bbm *b, struct ghost *g)
{
    uint32_t last = b->live[--b->nr_live];

    if (!g->cut)
        list_remove(b, g);
    b->live[g->place] = last;
    b->ghost[last].place = g->place;
    g->next = b->free;
    b->free = (uint32_t)(g - b->ghost);
}

/* Of an entry's list. NULL, counted, if there is no room: then nothing is said of it. */
static struct ghost *ghost_add(struct bbm *b, uint32_t page, unsigned int index,
                               const struct bbm_event *e)
{
    struct ghost *g = ghost_new(b, page, index);

    if (!g) {
        set_unknown(&b->page[page], index, true);
        b->totals.unjudged++;
        return NULL;
    }
    g->next = b->page[page].ghost[index];
    b->page[page].ghost[index] = (uint32_t)(g - b->ghost);
    g->old = e->old;
    g->by = (uint8_t)e->cpu;
    g->table = pte_is_table(e->old, g->level);
    return g;
}

/* Each live leaf below a table that was broken is broken with it. */
static void cut_below(struct bbm *b, uint64_t table, unsigned int level, uint64_t va, uint64_t debt,
                      unsigned int by)
{
    uint32_t n = page_find(b, table & PTE_ADDR_MASK, level, va);

    for (unsigned int i = 0; n != NONE && i < PT_ENTRIES; i++) {
        uint64_t value = b->page[n].value[i];
        struct ghost *g;

        if (!bbm_live(&b->config, value, level))
            continue;
        if (pte_is_table(value, level)) {
            cut_below(b, value, level + 1, entry_va(&b->page[n], i), debt, by);
            continue;
        }
        g = ghost_new(b, n, i);
        if (!g) {
            b->totals.unjudged++;
            return;
        }
        g->cut = true;
        g->old = value;
        g->by = (uint8_t)by;
        g->debt = debt;
    }
}

/* A table entry's old value goes: its children, and the tables' walkers. */
static void table_gone(struct bbm *b, const struct page *p, unsigned int index,
                       const struct bbm_event *e)
{
    if (pte_is_table(e->old, p->level) &&
        (e->old ^ e->new) & (PTE_ADDR_MASK | PTE_VALID | PTE_TABLE))
        cut_below(b, e->old, p->level + 1, entry_va(p, index), p->holders, e->cpu);
}

/* Findings. */

static bool may_be_reordered(const struct bbm *b, const struct page *p, const struct bbm_event *e)
{
    for (unsigned int k = 0; !b->config.ordered && k < b->config.ncpu; k++) {
        uint64_t time = b->cpu[k].time;
        uint64_t apart = time < e->time ? e->time - time : time - e->time;

        if (k != e->cpu && p->cpus & bit(k) && time && apart < NEAR_NS)
            return true;
    }
    return false;
}

static uint32_t finding_row(struct bbm *b, enum bbm_rule rule, enum bbm_tier tier,
                            const struct bbm_event *e)
{
    for (uint32_t i = 0; i < b->nr_findings; i++) {
        const struct bbm_finding *f = &b->finding[i];

        if (f->rule == rule && f->tier == tier && f->cpu == e->cpu && f->where == e->where)
            return i;
    }
    if (b->nr_findings == BBM_FINDINGS)
        return NONE;
    b->finding[b->nr_findings] =
        (struct bbm_finding){.rule = rule, .tier = tier, .cpu = e->cpu, .where = e->where};
    return b->nr_findings++;
}

static void finding_count(struct bbm *b, enum bbm_tier tier, uint32_t row, bool certain)
{
    if (tier == BBM_NOTE)
        b->totals.notes++;
    else if (tier == BBM_HAZARD)
        b->totals.hazards++;
    else
        b->totals.violations++;
    if (row == NONE) {
        b->totals.others++;
        return;
    }
    b->finding[row].certain |= certain;
    __atomic_store_n(&b->finding[row].count, b->finding[row].count + 1, __ATOMIC_RELEASE);
    if (b->config.found)
        b->config.found(b->config.context, &b->finding[row]);
}

/* A finding that is not an entry's. */
static void finding_plain(struct bbm *b, enum bbm_rule rule, const struct bbm_event *e)
{
    uint32_t row = finding_row(b, rule, BBM_VIOLATION, e);

    if (row != NONE && !b->finding[row].count) {
        b->finding[row].va = e->operand;
        b->finding[row].pa = e->pa;
    }
    finding_count(b, BBM_VIOLATION, row, true);
}

static enum bbm_missing missing_of(const struct ghost *g, unsigned int cpu, unsigned int *other)
{
    uint64_t pending = 0;

    for (unsigned int k = 0; k < BBM_CPUS; k++)
        pending |= g->pending[k];
    *other = (unsigned int)__builtin_ctzll(g->debt);
    if (!(g->debt & bit(cpu)))
        return BBM_NOT_COVERED;
    if (g->pending[cpu] & bit(cpu) || (pending & g->debt) == g->debt)
        return BBM_NOT_COMPLETED;
    return g->seen & ~g->early & bit(cpu) ? BBM_NO_TLBI : BBM_NO_DSB;
}

/* A finding at an entry. g: the ghost that is in the way, whose window begins now; NULL: none. */
static void finding_at(struct bbm *b, enum bbm_rule rule, const struct page *p, unsigned int index,
                       struct ghost *g, const struct bbm_event *e)
{
    bool several = p->cpus & (p->cpus - 1), read_only = e->old & e->new &PTE_RO;
    enum bbm_tier tier = rule >= BBM_OWED ? BBM_NOTE : several ? BBM_VIOLATION : BBM_HAZARD;
    uint32_t row = finding_row(b, rule, tier, e);
    struct bbm_finding *f = row == NONE ? NULL : &b->finding[row];
    bool certain = !(several && may_be_reordered(b, p, e)) &&
                   !(rule == BBM_OUTPUT_ADDRESS && read_only && pte_is_leaf(e->new, p->level));

    if (f && !f->count) {
        f->va = entry_va(p, index);
        f->pa = e->pa;
        f->old = g ? g->old : e->old;
        f->new = e->new;
        f->level = p->level;
        if (g && rule == BBM_UNBROKEN)
            f->missing = missing_of(g, e->cpu, &f->missing_cpu);
    }
    if (g) {
        g->finding = row;
        g->overwriter = (uint8_t)e->cpu;
        g->events = b->cpu[e->cpu].events;
        g->irqs = b->cpu[e->cpu].irqs;
        g->time = e->time;
    }
    finding_count(b, tier, row, certain);
}

/* It does not matter any more, but nobody said so to the TLBs: its window stays open. */
static void ghost_drop(struct bbm *b, struct ghost *g)
{
    if (g->owed && g->finding != NONE) {
        b->finding[g->finding].count--;
        b->totals.notes--;
    }
    ghost_free(b, g);
}

static void window_close(struct bbm *b, const struct ghost *g, uint64_t time)
{
    struct bbm_finding *f = &b->finding[g->finding];
    const struct cpu *c = &b->cpu[g->overwriter];

    if (f->closed++ && time - g->time < f->window_ns)
        return;
    f->window_ns = time - g->time;
    f->window_events = c->events - g->events;
    f->window_irqs = c->irqs - g->irqs;
}

/* Nobody holds it any more. */
static void ghost_close(struct bbm *b, struct ghost *g, uint64_t time)
{
    if (g->probe)
        set_unknown(&b->page[g->page], g->index, false);
    if (g->finding != NONE && !g->owed)
        window_close(b, g, time);
    ghost_drop(b, g);
}

#endif /* HV_CORE_BBM_GHOSTS_H */
