/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/bbm.h"
#include "core/bbm_rules.h"

#define NONE    UINT32_MAX
#define BUCKETS 1024
#define EVERY   (~UINT64_C(0))
#define NEAR_NS 1000 /* events of two CPUs closer than this may be in either order */
#define FRESH   64

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
    uint32_t nr_pages, nr_live, free; /* live ghosts; the first free one */
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

/* Tables. */

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

/* Ghosts. */

static struct ghost *ghost_new(struct bbm *b, uint32_t page, unsigned int index)
{
    const struct page *p = &b->page[page];
    struct ghost *g = &b->ghost[b->free];

    if (b->free == NONE)
        return NULL;
    b->free = g->next;
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

/* Stores. */

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
        for (unsigned int k = 0; p->level == 0 && k < b->config.ncpu; k++)
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
    for (unsigned int level = 0; level < PT_LEVEL_LAST; level++) {
        for (uint32_t n = 0; n < b->nr_pages; n++) {
            if (b->page[n].level == level && b->page[n].cpus)
                reach_below(b, n);
        }
    }
    reach_done(b);
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

static void dsb(struct bbm *b, const struct bbm_event *e)
{
    unsigned int type = e->code & TRACE_DSB_TYPE_MASK, c = e->cpu;
    bool local = e->code >> TRACE_DSB_DOMAIN_SHIFT == TRACE_DSB_NSH >> TRACE_DSB_DOMAIN_SHIFT;
    uint64_t reach_of = local ? bit(c) : EVERY, all;

    for (uint32_t i = b->nr_live; i-- > 0;) {
        struct ghost *g = &b->ghost[b->live[i]];

        if (type != TRACE_DSB_TYPE_LD && g->by == c && !g->probe)
            g->seen |= reach_of;
        if (type != (TRACE_DSB_TYPE_LD | TRACE_DSB_TYPE_ST))
            continue;
        g->debt &= ~(g->pending[c] & reach_of);
        g->pending[c] &= ~reach_of;
        if (!g->debt)
            ghost_close(b, g, e->time);
    }
    all = b->cpu[c].all_pending & reach_of;
    if (all && type == (TRACE_DSB_TYPE_LD | TRACE_DSB_TYPE_ST)) {
        b->cpu[c].all_pending &= ~reach_of;
        all_completed(b, all, e->time);
    }
    for (uint32_t i = b->nr_fresh; type != TRACE_DSB_TYPE_LD && i-- > 0;) {
        if (b->fresh[i].cpu == c)
            b->fresh[i] = b->fresh[--b->nr_fresh];
    }
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
    if (page_find(b, pa, 0, 0) == NONE)
        page_add(b, pa, 0, 0, NULL);
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

void bbm_forget(struct bbm *b, uint64_t pa)
{
    unsigned int index = (pa & PAGE_MASK) / sizeof(lpae_t);

    for (uint32_t n = page_alias(b, pa & ~PAGE_MASK, NONE); n != NONE;
         n = page_alias(b, pa & ~PAGE_MASK, n)) {
        while (b->page[n].ghost[index] != NONE)
            ghost_drop(b, &b->ghost[b->page[n].ghost[index]]);
        set_unknown(&b->page[n], index, true);
    }
    b->may_be_unknown = true;
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
    for (uint32_t i = b->nr_fresh; i-- > 0;) {
        if (b->fresh[i].cpu == cpu)
            b->fresh[i] = b->fresh[--b->nr_fresh];
    }
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
    for (uint32_t i = 0; i < config->ghosts; i++)
        b->ghost[i].next = i + 1 < config->ghosts ? i + 1 : NONE;
    b->free = config->ghosts ? 0 : NONE;
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
