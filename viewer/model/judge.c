/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGES_SHARED 256
#define PAGES_CPU    8
#define GHOSTS       (1u << 16)
#define TCR_EL2_HA   (UINT64_C(1) << 21)

struct tables {
    const struct source *src;
    const struct machine *m;
};

static bool read_table(void *context, uint64_t pa, uint64_t entry[PT_ENTRIES])
{
    const struct tables *t = context;

    return machine_has_memory(t->m, pa, PAGE_SIZE) &&
           source_read_phys(t->src, pa, entry, PAGE_SIZE) == 0;
}

int judge_slot(const struct machine *m, uint64_t va)
{
    uint64_t slot = (va - m->beacon.domheap_va) >> SLOT_SHIFT;

    return va >= m->beacon.domheap_va && slot < m->beacon.domheap_entries ? (int)slot : -1;
}

static uint64_t page_of(const struct machine *m, const struct event *e)
{
    return slot_va(m, e->slot) + ((e->mfn & SLOT_MFN_MASK) << PAGE_SHIFT);
}

/* False: it is nothing to the checker. */
static bool to_checker(const struct machine *m, const struct event *e, struct bbm_event *to)
{
    *to = (struct bbm_event){.cpu = e->cpu, .time = event_ns(m, e->ticks), .where = e->caller};
    switch (e->kind) {
    case TRACE_PTE:
        to->kind = BBM_STORE;
        to->pa = e->pa;
        to->old = e->old;
        to->new = e->new;
        to->ticket = e->ticket;
        to->foreign = e->regime != TRACE_REGIME_EL2;
        return true;
    case TRACE_TLBI:
        to->kind = BBM_TLBI;
        to->op = (enum trace_tlbi)e->op;
        to->scope = (enum trace_scope)e->scope;
        to->operand = e->operand;
        return true;
    case EVENT_DSB:
    case EVENT_ISB:
        to->kind = BBM_BARRIER;
        to->code = (enum trace_barrier)e->code;
        return true;
    case TRACE_TTBR:
        to->kind = BBM_TTBR;
        to->operand = e->operand;
        return true;
    case TRACE_IRQ:
        to->kind = BBM_IRQ;
        return true;
    case TRACE_MAP:
    case TRACE_UNMAP:
        to->kind = BBM_USE;
        to->operand = page_of(m, e);
        return e->kind == TRACE_UNMAP || e->hit;
    default:
        return false;
    }
}

/* Two stores with tickets are in their order, whatever the clocks say of a few ns. */
static void order_tickets(struct event_list *list)
{
    for (size_t i = 1; i < list->nr; i++) {
        for (size_t at = i; at > 0; at--) {
            struct event *a = &list->event[at - 1], *b = &list->event[at], moved;

            if (b->lost || !b->ticket || b->kind != TRACE_PTE || a->kind != TRACE_PTE ||
                a->cpu == b->cpu || a->ticket <= b->ticket)
                break;
            moved = *a;
            *a = *b;
            *b = moved;
        }
    }
}

/* CPUs whose events are all here, that of their root too: before it they walk no tables. */
static uint64_t whole_streams(const struct event_list *list)
{
    uint64_t seen = 0, whole = 0, rooted = 0;

    for (size_t i = 0; i < list->nr; i++) {
        const struct event *e = &list->event[i];
        uint64_t cpu = UINT64_C(1) << e->cpu;

        if (e->lost)
            whole &= ~cpu;
        else if (!(seen & cpu) && e->seq == 0)
            whole |= cpu;
        if (!e->lost && e->kind == TRACE_TTBR)
            rooted |= cpu;
        seen |= cpu;
    }
    return whole & rooted;
}

static uint64_t cpus_on(const struct snapshot *snap)
{
    uint64_t on = 0;

    for (unsigned int i = 0; i < snap->ncpu; i++)
        on |= (uint64_t)snap->cpu[i].on << i;
    return on;
}

static bool judge_events(struct judgement *j, const struct source *src, const struct snapshot *snap,
                         struct event_list *list)
{
    struct tables tables = {src, &snap->machine};
    uint64_t whole = whole_streams(list);
    struct bbm_config config = {.ncpu = snap->ncpu,
                                .level = snap->machine.beacon.bbm_level,
                                .root_level = snap->machine.beacon.root_level,
                                .ha = snap->machine.beacon.tcr & TCR_EL2_HA,
                                .pages = PAGES_SHARED + PAGES_CPU * (size_t)snap->ncpu,
                                .ghosts = GHOSTS,
                                .known = whole && whole == cpus_on(snap),
                                .read = read_table,
                                .context = &tables};
    struct bbm_event e;

    j->memory = malloc(bbm_size(&config));
    if (!j->memory)
        return false;
    j->bbm = bbm_init(j->memory, &config);
    for (unsigned int i = 0; i < snap->ncpu; i++) {
        if (snap->cpu[i].on && !(whole >> i & 1))
            bbm_root(j->bbm, i, snap->cpu[i].info.root);
    }
    order_tickets(list);
    for (size_t i = 0; i < list->nr; i++) {
        if (list->event[i].lost)
            bbm_lost(j->bbm, list->event[i].cpu, list->event[i].lost);
        else if (to_checker(&snap->machine, &list->event[i], &e))
            bbm_event(j->bbm, &e);
    }
    j->events = list->nr;
    j->totals = bbm_totals(j->bbm);
    return true;
}

/* What the image wrote, as far as it can be so. */
static bool row_is_sane(const struct bbm_finding *f, unsigned int ncpu)
{
    return f->rule < BBM_RULES && f->tier >= BBM_VIOLATION && f->tier <= BBM_NOTE &&
           f->cpu < ncpu && f->missing <= BBM_NOT_COVERED && f->level <= PT_LEVEL_LAST &&
           f->certain <= 1;
}

static void read_rows(struct judgement *j, const struct source *src, const struct snapshot *snap)
{
    const struct beacon *b = &snap->machine.beacon;

    if (b->findings % 8 || b->finding_size != sizeof(j->image[0]))
        return;
    for (unsigned int i = 0; i < b->findings_max && i < BBM_FINDINGS; i++) {
        struct bbm_finding *row = &j->image[i];
        uint64_t pa = b->findings + i * sizeof(*row);

        if (!machine_has_memory(&snap->machine, pa, sizeof(*row)) ||
            source_read_phys(src, pa, row, sizeof(*row)) != 0 || !row_is_sane(row, snap->ncpu))
            *row = (struct bbm_finding){0};
    }
}

/* The counters are older than the rows, which are what is shown: a total is never below them. */
static void total_at_least(struct judgement *j, enum bbm_tier tier, uint64_t *total)
{
    uint64_t count = 0;

    for (unsigned int i = 0; i < BBM_FINDINGS; i++)
        count += j->image[i].tier == tier ? j->image[i].count : 0;
    *total = *total < count ? count : *total;
}

static void judge_image(struct judgement *j, const struct source *src, const struct snapshot *snap)
{
    for (unsigned int i = 0; i < snap->ncpu; i++) {
        struct beacon_cpu now = snap->cpu[i].info;

        machine_read_cpu(src, &snap->machine, i, &now);
        j->totals.events += now.checked;
        j->totals.hazards += now.hazards;
        j->totals.violations += now.violations;
        j->totals.notes += now.notes;
    }
    j->events = j->totals.events;
    read_rows(j, src, snap);
    total_at_least(j, BBM_HAZARD, &j->totals.hazards);
    total_at_least(j, BBM_VIOLATION, &j->totals.violations);
    total_at_least(j, BBM_NOTE, &j->totals.notes);
}

const struct bbm_finding *judgement_row(const struct judgement *j, unsigned int i)
{
    const struct bbm_finding *row = NULL;

    if (j->from == JUDGE_IMAGE)
        row = &j->image[i];
    else if (j->bbm && i < bbm_nr_findings(j->bbm))
        row = bbm_finding(j->bbm, i);
    return row && row->count ? row : NULL;
}

uint64_t judgement_others(const struct judgement *j, const struct snapshot *snap, unsigned int cpu,
                          enum bbm_tier tier)
{
    const struct beacon_cpu *c = &snap->cpu[cpu].info;
    uint64_t count = tier == BBM_VIOLATION ? c->violations
                     : tier == BBM_HAZARD  ? c->hazards
                                           : c->notes;

    for (unsigned int i = 0; i < BBM_FINDINGS; i++) {
        const struct bbm_finding *row = &j->image[i];

        if (row->cpu == cpu && row->tier == tier)
            count -= row->count < count ? row->count : count;
    }
    return j->from == JUDGE_IMAGE ? count : 0;
}

bool judge(struct judgement *j, const struct source *src, const struct snapshot *snap,
           struct event_list *list)
{
    *j = (struct judgement){.from = JUDGE_NOTHING};
    if (snap->machine.beacon.check) {
        j->from = JUDGE_IMAGE;
        judge_image(j, src, snap);
    } else if (snap->machine.beacon.trace_mode == TRACE_ALL && list) {
        j->from = JUDGE_EVENTS;
        return judge_events(j, src, snap, list);
    }
    return true;
}

static enum rule rule_of(enum bbm_tier tier)
{
    return tier == BBM_VIOLATION ? RULE_VIOLATION : tier == BBM_HAZARD ? RULE_HAZARD : RULE_OWED;
}

/* "window 4 events, 6.4 ms, 1 irqs"; no irqs are not mentioned. */
static void window_text(const struct bbm_finding *r, char *buf, size_t size)
{
    char irqs[32] = "";

    if (r->window_irqs)
        snprintf(irqs, sizeof(irqs), ", %" PRIu64 " irqs", r->window_irqs);
    if (!r->closed)
        snprintf(buf, size, "window not closed");
    else if (r->window_ns < 10000)
        snprintf(buf, size, "window %" PRIu64 " events, %" PRIu64 " ns%s", r->window_events,
                 r->window_ns, irqs);
    else
        snprintf(buf, size, "window %" PRIu64 " events, %.1f ms%s", r->window_events,
                 (double)r->window_ns / 1e6, irqs);
}

static void list_row(const struct bbm_finding *r, const struct machine *m, struct findings *f)
{
    char text[128], window[96];

    window_text(r, window, sizeof(window));
    snprintf(text, sizeof(text), "%s %" PRIu64 "x%s %s", bbm_rule_tag(r), r->count,
             r->certain ? "" : " possible", r->tier == BBM_NOTE ? bbm_rule_text(r->rule) : window);
    findings_add(f, rule_of(r->tier), r->cpu, judge_slot(m, r->va), r->count, r->where, text);
}

static void list_others(const struct judgement *j, const struct snapshot *snap, struct findings *f)
{
    for (unsigned int i = 0; i < snap->ncpu; i++) {
        for (enum bbm_tier tier = BBM_VIOLATION; tier <= BBM_NOTE; tier++) {
            uint64_t count = judgement_others(j, snap, i, tier);
            char text[64];

            snprintf(text, sizeof(text), "%" PRIu64 "x in other places", count);
            if (count)
                findings_add(f, rule_of(tier), i, -1, count, 0, text);
        }
    }
}

void judgement_list(const struct judgement *j, const struct snapshot *snap, struct findings *f)
{
    for (unsigned int i = 0; i < BBM_FINDINGS; i++) {
        const struct bbm_finding *row = judgement_row(j, i);

        if (row)
            list_row(row, &snap->machine, f);
    }
    list_others(j, snap, f);
}

void judgement_text(const struct judgement *j, char *text, size_t size)
{
    if (j->from == JUDGE_NOTHING)
        snprintf(text, size, "order: boot with trace=all or check=on");
    else if (judgement_incomplete(j))
        snprintf(text, size, "order: %" PRIu64 " events, %" PRIu64 " lost, %" PRIu64 " unjudged",
                 j->events, j->totals.lost, j->totals.unjudged);
    else
        snprintf(text, size, "order: %" PRIu64 " events%s", j->events,
                 j->from == JUDGE_IMAGE ? ", by the image" : "");
}

void judgement_free(struct judgement *j)
{
    free(j->memory);
    *j = (struct judgement){0};
}
