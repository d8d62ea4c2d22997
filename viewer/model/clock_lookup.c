/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lookup of engine clock, replayed: the slot of the map before, the chain
 * of the frame's block, its own owed slot, a free slot, and what is done to get
 * one. It runs on a copy of the index and of the entries, with the image's own
 * steps, so that it frees slots in the same order.
 */
#include "model/clock_lookup.h"

#include "model/profile.h"

#include <string.h>

#define SLOTS DOMHEAP_ENTRIES

struct replay {
    struct clock_index c;
    lpae_t pte[SLOTS];
    lpae_t want; /* the entry that maps the frame, with a count of 0 */
    struct explanation *e;
};

/* Numbers that the steps below rely on. */
static bool usable(const struct clock_index *c)
{
    return c->last < SLOTS && c->hand < SLOTS && c->nr_free + c->nr_owed <= SLOTS;
}

static bool step(struct replay *r, unsigned int slot, bool last)
{
    lpae_t pte = r->pte[slot];
    bool same = (pte & ~PTE_REFS_MASK) == r->want;
    struct probe *p = &r->e->probe[r->e->nr++];

    *p = (struct probe){.slot = slot, .pte = pte, .last = last};
    p->why = same && pte_refs(pte) < PTE_REFS_MAX ? PROBE_HIT
             : same                               ? PROBE_SATURATED
             : pte_valid(pte)                     ? PROBE_OTHER
                                                  : PROBE_INVALID;
    if (p->why != PROBE_HIT)
        return false;
    r->e->verdict = VERDICT_HIT;
    r->e->slot = slot;
    r->e->refs = pte_refs(pte) + 1;
    return true;
}

/* 1: found; 0: the chain ends; -1: it does not. */
static int walk_chain(struct replay *r)
{
    unsigned int slot = r->c.head[r->e->chain], n = 0;

    for (; slot < SLOTS; slot = r->c.next[slot]) {
        if (n++ == SLOTS)
            return -1;
        if (step(r, slot, false))
            return 1;
    }
    return slot == CLOCK_END ? 0 : -1;
}

/* The chain is known to end. */
static bool find_owed(struct replay *r, uint64_t block)
{
    for (unsigned int i = 1; r->c.nr_owed && i < r->e->nr; i++) { /* 0: of the map before */
        struct probe *p = &r->e->probe[i];

        if (r->c.state[p->slot] != CLOCK_OWED || r->c.block[p->slot] != block)
            continue;
        p->why = PROBE_REMAKE;
        r->e->verdict = VERDICT_REMAKE;
        r->e->slot = p->slot;
        return true;
    }
    return false;
}

static bool free_put(struct replay *r, unsigned int slot)
{
    if (slot >= SLOTS || r->c.nr_free >= SLOTS)
        return false;
    r->c.free[r->c.nr_free++] = (uint16_t)slot;
    return true;
}

static bool flush_owed(struct replay *r)
{
    struct explanation *e = r->e;

    e->verdict = VERDICT_FLUSH;
    for (unsigned int i = SLOTS - r->c.nr_owed; i < SLOTS; i++)
        e->flushed[e->nr_flushed++] = r->c.free[i];
    r->c.nr_owed = 0;
    for (unsigned int i = 0; i < e->nr_flushed; i++) {
        if (!free_put(r, e->flushed[i]))
            return false;
    }
    return true;
}

/* What the hand does to a slot. */
static void pass(struct replay *r, unsigned int slot)
{
    uint8_t *state = &r->c.state[slot];

    if (*state == CLOCK_HOT) {
        *state = CLOCK_COLD;
    } else if (*state == CLOCK_COLD && pte_refs(r->pte[slot])) {
        *state = CLOCK_HOT;
    } else if (*state == CLOCK_COLD) {
        *state = CLOCK_FREE;
        r->e->victim[r->e->nr_victims++] = (uint16_t)slot;
    }
}

/* By words of states. A second turn only if the first leaves no more than the reserve. */
static bool reclaim(struct replay *r)
{
    struct clock_index *c = &r->c;
    struct explanation *e = r->e;

    e->verdict = VERDICT_RECLAIM;
    if (c->state[c->last] == CLOCK_COLD)
        c->state[c->last] = CLOCK_HOT;
    for (unsigned int step = 0; step < 2 * SLOTS; step++) {
        if (step % CLOCK_STATES_SLOTS == 0 && e->nr_victims >= c->batch)
            break;
        if (step == SLOTS && c->nr_free + e->nr_victims > CLOCK_RESERVE)
            break;
        pass(r, (c->hand + step) % SLOTS);
    }
    for (unsigned int i = 0; i < e->nr_victims; i++) {
        if (!free_put(r, e->victim[i]))
            return false;
    }
    return true;
}

/* As a caller that is not an interrupt: some slots are not for it. */
static bool take(struct replay *r)
{
    struct clock_index *c = &r->c;

    r->e->verdict = VERDICT_TAKE;
    if (c->nr_free <= CLOCK_RESERVE && c->nr_owed && !flush_owed(r))
        return false;
    if (c->nr_free <= CLOCK_RESERVE && !reclaim(r))
        return false;
    if (c->nr_free <= CLOCK_RESERVE) {
        r->e->verdict = VERDICT_FULL;
        r->e->reserve = c->nr_free ? c->free[c->nr_free - 1] : SLOTS;
        return r->e->reserve <= SLOTS;
    }
    r->e->slot = c->free[c->nr_free - 1];
    return r->e->slot < SLOTS;
}

static bool replay(struct replay *r, const struct machine *m)
{
    struct explanation *e = r->e;
    int found;

    if (!usable(&r->c))
        return false;
    if (step(r, r->c.last, true))
        return true;
    found = walk_chain(r);
    if (found)
        return found > 0;
    if (mfn_in_directmap(m, e->mfn)) {
        e->verdict = VERDICT_BYPASS;
        return true;
    }
    e->refs = 1;
    return find_owed(r, e->mfn >> SLOT_MFN_SHIFT) || take(r);
}

bool clock_explain(const struct machine *m, const struct cpu_snapshot *c, struct explanation *e)
{
    uint64_t frame = e->mfn & ~SLOT_MFN_MASK;
    struct replay r = {.c = c->index, .want = frame << PAGE_SHIFT | m->beacon.slot_attr, .e = e};

    if (c->index_status != INDEX_READ)
        return false;
    memcpy(r.pte, c->pte, sizeof(r.pte));
    e->chain = clock_hash(e->mfn >> SLOT_MFN_SHIFT);
    return replay(&r, m);
}
