/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A second opinion, in another style: it keeps no state of TLBs at all, only the
 * list of everything that happened. Whether a translation can still be held
 * is answered by looking through the list for the four events that take it away
 * from a CPU: a DSB that shows the store, a TLBI after it, a DSB after that.
 */
#include "bbm_reference.h"
#include <string.h>

static bool live(uint64_t d)
{
    return (d & 1) && !(d & 2) && (d >> 10 & 1);
}

/* Bits that must not change under a live translation: address, AttrIndx, SH, contiguous. */
static bool differs(uint64_t a, uint64_t b)
{
    const uint64_t bits = UINT64_C(0x0000ffffffe00000) | 0x1c | 0x300 | UINT64_C(1) << 52;

    return (a & bits) != (b & bits);
}

static bool forbids_more(uint64_t was, uint64_t is)
{
    return (is & ~was) >> 7 & 1 || (is & ~was) >> 54 & 1;
}

static bool shows_stores(unsigned int code)
{
    return (code & 3) != 1;
}

static bool whole(unsigned int code)
{
    return (code & 3) == 3;
}

static bool beyond_this_cpu(unsigned int code)
{
    return code >> 2 != 1;
}

static bool names_slot(const struct reference *r, const struct bbm_event *e, unsigned int slot)
{
    uint64_t from = r->va + slot * UINT64_C(0x200000), pages, at;

    if (e->op == TRACE_TLBI_ALLE2)
        return true;
    if (e->op == TRACE_TLBI_VAE2 || e->op == TRACE_TLBI_VALE2)
        return e->operand << 12 >= from && e->operand << 12 < from + 0x200000;
    if (e->op != TRACE_TLBI_RVAE2 && e->op != TRACE_TLBI_RVALE2)
        return false;
    pages = ((e->operand >> 39 & 31) + 1) * 2;
    for (unsigned int scale = e->operand >> 44 & 3; scale; scale--)
        pages *= 32;
    at = (e->operand & UINT64_C(0x1fffffffff)) << 12;
    return at < from + 0x200000 && from < at + pages * 4096;
}

/* Was the store of event s, by CPU by, shown to cpu before event t? s < 0: long ago. */
static bool shown(const struct reference *r, int s, unsigned int by, unsigned int cpu, int t)
{
    if (s < 0)
        return true;
    for (int i = s + 1; i < t; i++) {
        const struct bbm_event *e = &r->event[i];

        if (e->kind == BBM_BARRIER && e->code != TRACE_ISB && e->cpu == by &&
            shows_stores(e->code) && (cpu == by || beyond_this_cpu(e->code)))
            return true;
    }
    return false;
}

/* Is there a DSB that completes, on cpu, the TLBI of event t? */
static bool completed(const struct reference *r, int t, unsigned int cpu)
{
    for (int i = t + 1; i < r->nr; i++) {
        const struct bbm_event *e = &r->event[i];

        if (e->kind == BBM_BARRIER && e->code != TRACE_ISB && e->cpu == r->event[t].cpu &&
            whole(e->code) && (cpu == e->cpu || beyond_this_cpu(e->code)))
            return true;
    }
    return false;
}

/* Can cpu still hold what the slot had before event s? from: nothing before it counts. */
static bool held(const struct reference *r, unsigned int slot, int s, int from, unsigned int by,
                 unsigned int cpu)
{
    for (int t = from; t < r->nr; t++) {
        const struct bbm_event *e = &r->event[t];

        if (e->kind == BBM_TLBI && (e->cpu == cpu || e->scope != TRACE_SCOPE_LOCAL) &&
            names_slot(r, e, slot) && shown(r, s, by, cpu, t) && completed(r, t, cpu))
            return false;
    }
    return true;
}

static bool held_by_any(const struct reference *r, unsigned int slot, int s, int from,
                        unsigned int by)
{
    for (unsigned int cpu = 0; cpu < r->walkers; cpu++) {
        if (held(r, slot, s, from, by, cpu))
            return true;
    }
    return false;
}

/* Values that were replaced and may be held, of one slot. */
static bool gone(const struct reference *r, unsigned int slot, const struct replaced *v)
{
    return !held_by_any(r, slot, v->event, v->event + 1, v->by);
}

static void replace(struct reference *r, unsigned int slot, const struct bbm_event *e, bool any)
{
    struct reference_slot *x = &r->slot[slot];

    x->was[x->nr++] = (struct replaced){.event = r->nr, .by = e->cpu, .value = e->old, .any = any};
}

/* What nobody can hold, and what the new value makes harmless, is dropped. */
static void sweep(struct reference *r, unsigned int slot, uint64_t new, bool is_live)
{
    struct reference_slot *x = &r->slot[slot];
    unsigned int nr = 0;

    for (unsigned int i = 0; i < x->nr; i++) {
        const struct replaced *v = &x->was[i];
        bool harmless =
            is_live && !v->any && !differs(v->value, new) && !forbids_more(v->value, new);

        if (!gone(r, slot, v) && !harmless)
            x->was[nr++] = *v;
    }
    x->nr = nr;
}

static void judge_make(struct reference *r, unsigned int slot, const struct bbm_event *e)
{
    const struct reference_slot *x = &r->slot[slot];
    bool any = false, other = false;

    for (unsigned int i = 0; i < x->nr; i++) {
        if (x->was[i].any)
            any = true;
        else if (differs(x->was[i].value, e->new))
            other = true;
    }
    if (other)
        r->findings++;
    else if (any)
        r->unjudged++;
}

static bool is_known(const struct reference *r, unsigned int slot)
{
    const struct reference_slot *x = &r->slot[slot];

    return x->known || !held_by_any(r, slot, -1, x->unknown_since, 0);
}

static void store(struct reference *r, unsigned int slot, const struct bbm_event *e)
{
    struct reference_slot *x = &r->slot[slot];
    bool was = live(e->old), is = live(e->new);

    x->known = is_known(r, slot);
    sweep(r, slot, e->new, is);
    if (!((e->old ^ e->new) & ~(UINT64_C(15) << 55)))
        return;
    if (!is) {
        if (was || !x->known)
            replace(r, slot, e, !was);
        x->known = true;
    } else if (was) {
        if (differs(e->old, e->new))
            r->findings++;
        if (differs(e->old, e->new) || forbids_more(e->old, e->new))
            replace(r, slot, e, false);
    } else if (!x->known) {
        r->unjudged++;
        x->known = true;
    } else {
        judge_make(r, slot, e);
    }
}

void reference_start(struct reference *r, uint64_t va, uint64_t table, unsigned int walkers,
                     bool known)
{
    memset(r, 0, sizeof(*r));
    r->va = va;
    r->table = table;
    r->walkers = walkers;
    for (unsigned int i = 0; i < REFERENCE_SLOTS; i++)
        r->slot[i].known = known;
}

void reference_event(struct reference *r, const struct bbm_event *e)
{
    uint64_t at = e->pa - r->table;

    if (e->kind == BBM_STORE && at < REFERENCE_SLOTS * 8)
        store(r, (unsigned int)(at / 8), e);
    r->event[r->nr++] = *e;
}

void reference_lost(struct reference *r)
{
    for (unsigned int i = 0; i < REFERENCE_SLOTS; i++) {
        r->slot[i].known = false;
        r->slot[i].nr = 0;
        r->slot[i].unknown_since = r->nr;
    }
}

unsigned int reference_owed(struct reference *r, unsigned int slot, uint64_t now)
{
    unsigned int n = 0;

    sweep(r, slot, now, false);
    for (unsigned int i = 0; i < r->slot[slot].nr; i++)
        n += !r->slot[slot].was[i].any;
    return n;
}
