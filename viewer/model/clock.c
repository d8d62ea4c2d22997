/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/clock.h"

#include <stdio.h>
#include <string.h>

#define SLOTS      DOMHEAP_ENTRIES
#define NO_CHAIN   UINT16_MAX
#define BLOCK(pte) (mfn_x(pte_mfn(pte)) >> SLOT_MFN_SHIFT)

/* Lists of slots in the array free[]. */
enum place { PLACE_NONE, PLACE_FREE, PLACE_OWED };

struct inspection {
    const struct clock_index *c;
    const lpae_t *pte;
    clock_found *found;
    void *context;
    uint16_t chain[SLOTS]; /* that a slot was met on; NO_CHAIN */
    uint8_t place[SLOTS];
};

static void report(struct inspection *i, enum clock_fault_kind kind, unsigned int slot, uint64_t a,
                   uint64_t b)
{
    const struct clock_fault fault = {kind, slot, a, b};

    i->found(i->context, &fault);
}

static void check_whole(struct inspection *i)
{
    const struct clock_index *c = i->c;

    if (c->hand >= SLOTS || c->hand % CLOCK_STATES_SLOTS)
        report(i, CLOCK_BAD_HAND, CLOCK_END, c->hand, 0);
    if (c->last >= SLOTS)
        report(i, CLOCK_BAD_LAST, CLOCK_END, c->last, 0);
    if (c->nr_free + c->nr_owed > SLOTS)
        report(i, CLOCK_BAD_COUNTS, CLOCK_END, c->nr_free, c->nr_owed);
}

/* Where two chains meet they are one from there on: that is told once. */
static void check_chain(struct inspection *i, unsigned int chain)
{
    unsigned int before = CLOCK_END, slot = i->c->head[chain];

    for (; slot < SLOTS; before = slot, slot = i->c->next[slot]) {
        if (i->chain[slot] != NO_CHAIN) {
            report(i, i->chain[slot] == chain ? CLOCK_BAD_LOOP : CLOCK_BAD_CHAINS, slot,
                   i->chain[slot], chain);
            return;
        }
        i->chain[slot] = (uint16_t)chain;
        if (clock_hash(i->c->block[slot]) != chain)
            report(i, CLOCK_BAD_HASH, slot, i->c->block[slot], chain);
    }
    if (slot == CLOCK_END)
        return;
    if (before == CLOCK_END)
        report(i, CLOCK_BAD_HEAD, CLOCK_END, chain, slot);
    else
        report(i, CLOCK_BAD_NEXT, before, slot, 0);
}

static void check_list(struct inspection *i, unsigned int from, unsigned int to, enum place place)
{
    for (unsigned int at = from; at < to; at++) {
        unsigned int slot = i->c->free[at];

        if (slot >= SLOTS)
            report(i, CLOCK_BAD_FREE, CLOCK_END, at, slot);
        else if (i->place[slot] != PLACE_NONE)
            report(i, CLOCK_BAD_TWICE, slot, at, 0);
        else
            i->place[slot] = (uint8_t)place;
    }
}

/* With counts that cannot be, nobody knows where the lists end. */
static void check_lists(struct inspection *i)
{
    if (i->c->nr_free + i->c->nr_owed > SLOTS)
        return;
    check_list(i, 0, i->c->nr_free, PLACE_FREE);
    check_list(i, SLOTS - i->c->nr_owed, SLOTS, PLACE_OWED);
}

/* The table of clock.h, a row of it. */
static void check_slot(struct inspection *i, unsigned int slot)
{
    static const uint8_t places[] = {[CLOCK_FREE] = PLACE_FREE, [CLOCK_OWED] = PLACE_OWED};
    unsigned int state = i->c->state[slot];
    bool linked = i->chain[slot] != NO_CHAIN, used = state == CLOCK_COLD || state == CLOCK_HOT;
    lpae_t pte = i->pte[slot];

    if (state > CLOCK_OWED) {
        report(i, CLOCK_BAD_STATE, slot, state, 0);
        return;
    }
    if (used ? !pte_valid(pte) : pte != 0)
        report(i, CLOCK_BAD_ENTRY, slot, state, pte);
    else if (used && BLOCK(pte) != i->c->block[slot])
        report(i, CLOCK_BAD_BLOCK, slot, i->c->block[slot], pte);
    if (linked && state == CLOCK_FREE)
        report(i, CLOCK_BAD_LINKED, slot, i->chain[slot], 0);
    if (!linked && state != CLOCK_FREE)
        report(i, CLOCK_BAD_UNLINKED, slot, state, 0);
    if (i->place[slot] != places[state] && i->c->nr_free + i->c->nr_owed <= SLOTS)
        report(i, CLOCK_BAD_PLACE, slot, state, i->place[slot]);
}

void clock_check(const struct clock_index *c, const lpae_t pte[SLOTS], clock_found *found,
                 void *context)
{
    struct inspection i = {.c = c, .pte = pte, .found = found, .context = context};

    memset(i.chain, 0xff, sizeof(i.chain));
    check_whole(&i);
    for (unsigned int chain = 0; chain < CLOCK_HEADS; chain++)
        check_chain(&i, chain);
    check_lists(&i);
    for (unsigned int slot = 0; slot < SLOTS; slot++)
        check_slot(&i, slot);
}

static const char *state_name(uint64_t state)
{
    static const char *const names[] = {"free", "cold", "hot", "owed"};

    return names[state % 4];
}

#define NUMBER(n) ((unsigned long long)(n))

/* Of the index, and of its lists. */
static void text_of_whole(const struct clock_fault *f, char *text, size_t size)
{
    unsigned long long a = NUMBER(f->a), b = NUMBER(f->b);

    switch (f->kind) {
    case CLOCK_BAD_HAND:
        if (a < SLOTS)
            snprintf(text, size, "the hand is at slot %llu: not the first of %u", a,
                     CLOCK_STATES_SLOTS);
        else
            snprintf(text, size, "the hand is at slot %llu: there is none such", a);
        break;
    case CLOCK_BAD_LAST:
        snprintf(text, size, "the slot mapped last is %llu: there is none such", a);
        break;
    case CLOCK_BAD_COUNTS:
        snprintf(text, size, "%llu slots are free and %llu owed: more than there are", a, b);
        break;
    case CLOCK_BAD_HEAD:
        snprintf(text, size, "chain %llu begins at slot %llu: there is none such", a, b);
        break;
    default:
        snprintf(text, size, "free[%llu] is slot %llu: there is none such", a, b);
    }
}

/* Of a slot's chains and lists. */
static void text_of_links(const struct clock_fault *f, char *text, size_t size)
{
    static const char *const places[] = {"on no list", "on the free stack", "among the owed"};
    unsigned long long a = NUMBER(f->a), b = NUMBER(f->b);

    switch (f->kind) {
    case CLOCK_BAD_NEXT:
        snprintf(text, size, "slot %u: slot %llu follows it: there is none such", f->slot, a);
        break;
    case CLOCK_BAD_LOOP:
        snprintf(text, size, "slot %u: chain %llu comes back to it", f->slot, b);
        break;
    case CLOCK_BAD_CHAINS:
        snprintf(text, size, "slot %u is on chain %llu and on chain %llu", f->slot, a, b);
        break;
    case CLOCK_BAD_HASH:
        snprintf(text, size, "slot %u of block 0x%llx is on chain %llu: its own is %u", f->slot, a,
                 b, clock_hash(f->a));
        break;
    case CLOCK_BAD_TWICE:
        snprintf(text, size, "slot %u is listed twice: free[%llu] is it too", f->slot, a);
        break;
    case CLOCK_BAD_LINKED:
        snprintf(text, size, "slot %u is free, and on chain %llu", f->slot, a);
        break;
    case CLOCK_BAD_UNLINKED:
        snprintf(text, size, "slot %u is %s, and on no chain", f->slot, state_name(f->a));
        break;
    default:
        snprintf(text, size, "slot %u is %s, and %s", f->slot, state_name(f->a), places[f->b % 3]);
    }
}

void clock_fault_text(const struct clock_fault *f, char *text, size_t size)
{
    unsigned long long a = NUMBER(f->a), b = NUMBER(f->b);

    if (f->slot == CLOCK_END)
        text_of_whole(f, text, size);
    else if (f->kind == CLOCK_BAD_STATE)
        snprintf(text, size, "slot %u: its state byte is %llu", f->slot, a);
    else if (f->kind == CLOCK_BAD_ENTRY)
        snprintf(text, size, "slot %u is %s, and its entry is 0x%llx", f->slot, state_name(a), b);
    else if (f->kind == CLOCK_BAD_BLOCK)
        snprintf(text, size, "slot %u is said to map block 0x%llx, and its entry is 0x%llx",
                 f->slot, a, b);
    else
        text_of_links(f, text, size);
}
