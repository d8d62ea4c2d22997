/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From records to events: the barriers that records carry, the second halves of
 * pairs, and the numbers.
 */
#include "model/events.h"

#include <stdlib.h>
#include <string.h>

void event_list_free(struct event_list *list)
{
    free(list->event);
    *list = (struct event_list){0};
}

static struct event *list_add(struct event_list *list)
{
    if (list->nr == list->room) {
        size_t room = list->room ? 2 * list->room : 1024;
        struct event *grown = realloc(list->event, room * sizeof(*grown));

        if (!grown)
            return NULL;
        list->event = grown;
        list->room = room;
    }
    return &list->event[list->nr++];
}

bool event_list_add(struct event_list *list, const struct event *e)
{
    struct event *to = list_add(list);

    if (to)
        *to = *e;
    return to != NULL;
}

/* The level that the record says, or else that of the tables which the beacon names. */
static uint8_t level_of(const struct snapshot *snap, unsigned int more, uint64_t pa)
{
    uint64_t page = pa & ~PAGE_MASK;

    if (more & TRACE_LEVEL_KNOWN)
        return more & TRACE_LEVEL_MASK;
    for (unsigned int i = 0; i < snap->ncpu; i++) {
        const struct beacon_cpu *c = &snap->cpu[i].info;

        if (c->root == page)
            return 0;
        if (c->l1 == page)
            return 1;
        if (c->l2[0] == page || c->l2[1] == page)
            return 2;
    }
    return EVENT_NO_LEVEL;
}

static void decode_call(const struct trace_record *r, struct event *e)
{
    e->mfn = r->what & TRACE_MFN_MASK;
    e->slot = r->what >> TRACE_SLOT_SHIFT & TRACE_SLOT_MASK;
    e->refs = r->what >> TRACE_REFS_SHIFT & TRACE_REFS_MASK;
    e->probe = r->what >> TRACE_PROBE_SHIFT & TRACE_PROBE_MASK;
    e->hit = r->what >> TRACE_HIT_SHIFT & 1;
    e->caller = r->caller;
}

/* detail: of a PTE; NULL if there is none, as in a ring that was tampered with. */
static void decode_store(const struct trace_record *r, const struct trace_record *detail,
                         const struct snapshot *snap, struct event *e)
{
    unsigned int more = record_more(r);

    e->pa = r->what & (PTE_ADDR_MASK | PAGE_MASK) & ~UINT64_C(7);
    e->regime = more >> TRACE_REGIME_SHIFT & TRACE_REGIME_MASK;
    e->level = level_of(snap, more, e->pa);
    if (e->kind == TRACE_REFS) {
        e->new = r->caller;
        e->old = pte_with_refs(r->caller, more >> TRACE_OLD_REFS_SHIFT & TRACE_OLD_REFS_MASK);
        e->kind = TRACE_PTE;
    } else {
        e->old = r->caller;
        e->new = r->barriers;
        e->caller = detail ? detail->what : 0;
        e->ticket = detail ? detail->head & TRACE_TIME_MASK : 0;
    }
}

/* The bytes of a TEXT and of nr DETAILs behind it, printable. */
static void decode_text(const struct trace_record *r, unsigned int nr, struct event *e)
{
    size_t n = 0;

    for (unsigned int i = 0; i <= nr && n + TRACE_TEXT_BYTES <= EVENT_TEXT_MAX; i++) {
        memcpy(e->text + n, &r[i].what, 8);
        memcpy(e->text + n + 8, &r[i].caller, 8);
        n += TRACE_TEXT_BYTES;
    }
    e->text[n] = '\0';
    for (char *c = e->text; *c; c++)
        *c = *c >= ' ' && *c <= '~' ? *c : '?';
}

static unsigned int details_after(const struct ring_batch *b, unsigned int i)
{
    unsigned int n = 0;

    while (i + 1 + n < b->nr && record_kind(&b->record[i + 1 + n]) == TRACE_DETAIL)
        n++;
    return n;
}

/* What record i says; false if it is no event. */
static bool decode(const struct ring_batch *b, unsigned int i, const struct snapshot *snap,
                   struct event *e)
{
    const struct trace_record *r = &b->record[i];
    unsigned int details = details_after(b, i);

    switch (e->kind) {
    case TRACE_MAP:
    case TRACE_UNMAP:
    case TRACE_BYPASS:
        decode_call(r, e);
        return true;
    case TRACE_PTE:
    case TRACE_REFS:
        decode_store(r, details ? r + 1 : NULL, snap, e);
        return true;
    case TRACE_TLBI:
        e->op = record_more(r) & TRACE_TLBI_OP_MASK;
        e->scope = record_more(r) >> TRACE_TLBI_SCOPE_SHIFT & TRACE_TLBI_SCOPE_MASK;
        break;
    case TRACE_TTBR:
    case TRACE_IRQ:
        break;
    case TRACE_TEXT:
        e->op = (uint8_t)record_more(r);
        decode_text(r, details, e);
        return true;
    default:
        return false;
    }
    e->operand = r->what;
    e->caller = r->caller;
    return true;
}

/* The barrier word of record i; one without a mark in its place has none. */
static uint64_t word_of(const struct ring_batch *b, unsigned int i)
{
    bool pair = record_kind(&b->record[i]) == TRACE_PTE;
    uint64_t word = 0;

    if (!pair)
        word = b->record[i].barriers;
    else if (details_after(b, i))
        word = b->record[i + 1].barriers;
    if (word >> trace_barrier_count(word) * TRACE_BARRIER_BITS != TRACE_BARRIER_MARK)
        return TRACE_BARRIERS_NONE;
    return word;
}

/* The barriers that came since the record before. */
static bool add_barriers(const struct ring_cursor *c, uint64_t word, const struct event *at,
                         struct event_list *list)
{
    unsigned int before = trace_barrier_count(c->word), now = trace_barrier_count(word);

    for (unsigned int n = before; n < now; n++) {
        struct event *e = list_add(list);

        if (!e)
            return false;
        *e = (struct event){.cpu = at->cpu,
                            .record = at->record,
                            .ticks = at->ticks,
                            .seq = c->seq + n - before,
                            .code = (uint8_t)trace_barrier_at(word, n)};
        e->kind = e->code == TRACE_ISB ? EVENT_ISB : EVENT_DSB;
    }
    return true;
}

/* The numbers that are missing between what was expected and seq. */
static bool add_lost(const struct ring_cursor *c, const struct ring_batch *b,
                     const struct event *at, uint64_t seq, struct event_list *list)
{
    struct event *e = list_add(list);

    if (!e)
        return false;
    *e = (struct event){.cpu = at->cpu,
                        .record = b->first - b->lost,
                        .ticks = at->ticks,
                        .seq = c->seq,
                        .lost = seq - c->seq,
                        .lost_records = b->lost};
    return true;
}

/* One record that is not a DETAIL. first: nothing is known of what came just before. */
static bool add_record(struct ring_cursor *c, const struct ring_batch *b, unsigned int i,
                       bool first, const struct snapshot *snap, unsigned int cpu,
                       struct event_list *list)
{
    const struct trace_record *r = &b->record[i];
    struct event e = {.cpu = (uint8_t)cpu,
                      .kind = (uint8_t)record_kind(r),
                      .record = b->first + i,
                      .ticks = r->head & TRACE_TIME_MASK};
    uint64_t word = word_of(b, i);

    e.seq = e.record - c->sides + c->barriers + trace_barrier_count(word);
    if (first) {
        if (c->seq_known && e.seq > c->seq && !add_lost(c, b, &e, e.seq, list))
            return false;
    } else if (!add_barriers(c, word, &e, list)) {
        return false;
    }
    c->word = word;
    c->seq = e.seq;
    c->seq_known = true;
    if (!record_is_side(r)) {
        struct event *to;

        c->seq++;
        if (!decode(b, i, snap, &e))
            return true;
        to = list_add(list);
        if (!to)
            return false;
        *to = e;
        return true;
    }
    c->barriers += trace_barrier_count(word);
    c->word = TRACE_BARRIERS_NONE;
    c->sides++;
    return true;
}

bool ring_events(struct ring_cursor *cursor, const struct ring_batch *b,
                 const struct snapshot *snap, unsigned int cpu, struct event_list *list)
{
    for (unsigned int i = 0; i < b->nr; i++) {
        bool first = !cursor->word;

        if (record_kind(&b->record[i]) == TRACE_DETAIL)
            cursor->sides++;
        else if (!add_record(cursor, b, i, first, snap, cpu, list))
            return false;
    }
    return true;
}
