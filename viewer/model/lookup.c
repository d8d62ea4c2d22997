/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/lookup.h"

#include "model/clock_lookup.h"
#include "model/profile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MFN_BITS 40 /* 52-bit physical addresses */

bool parse_number(const char *text, uint64_t *value)
{
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = hex ? text + 2 : text;

    if (!digits[0] ||
        strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") != strlen(digits))
        return false;
    errno = 0;
    *value = strtoull(digits, NULL, hex ? 16 : 10);
    return errno == 0;
}

const char *query_kind_name(enum query_kind kind)
{
    static const char *const names[] = {"mfn", "pa", "va"};

    return names[kind];
}

static bool in_ram(const struct machine *m, uint64_t pa)
{
    for (unsigned int i = 0; i < m->beacon.nr_banks; i++) {
        if (pa >= m->beacon.bank[i].base && pa - m->beacon.bank[i].base < m->beacon.bank[i].size)
            return true;
    }
    return false;
}

static enum query_kind guess_kind(const struct machine *m, uint64_t value)
{
    if (value >= m->beacon.domheap_va)
        return QUERY_VA;
    return in_ram(m, value) ? QUERY_PA : QUERY_MFN;
}

int query_parse(const struct machine *m, const char *text, struct query *q, struct failure *f)
{
    static const char *const prefix[] = {"mfn:", "pa:", "va:"};
    const char *number = text;
    int given = -1;

    for (int kind = 0; kind < 3; kind++) {
        if (strncmp(text, prefix[kind], strlen(prefix[kind])) == 0) {
            given = kind;
            number = text + strlen(prefix[kind]);
        }
    }
    if (!parse_number(number, &q->value))
        return failure_set(f, EXIT_USAGE,
                           "%s is no address: write mfn:0x84800, pa:0x84800000, va:0x7f8000000000, "
                           "or a number",
                           text);
    q->guessed = given < 0;
    q->kind = given >= 0 ? (enum query_kind)given : guess_kind(m, q->value);
    q->mfn = q->kind == QUERY_PA ? q->value >> PAGE_SHIFT : q->value;
    if (q->kind == QUERY_MFN && q->value >> MFN_BITS)
        return failure_set(f, EXIT_USAGE, "%s is too large for a frame number", text);
    return 0;
}

bool slot_maps(const struct cpu_snapshot *c, unsigned int slot, uint64_t mfn)
{
    lpae_t pte = c->pte[slot];

    return c->state[slot] != SLOT_UNREAD && pte_is_leaf(pte, 2) &&
           mfn_x(pte_mfn(pte)) >> SLOT_MFN_SHIFT == mfn >> SLOT_MFN_SHIFT;
}

/* In the order of domain_page_xen.c: a hit first, then a count of 0. */
static enum probe_why judge(const struct cpu_snapshot *c, unsigned int slot, uint64_t mfn)
{
    lpae_t pte = c->pte[slot];

    if (slot_maps(c, slot, mfn) && pte_refs(pte) < PTE_REFS_MAX)
        return PROBE_HIT;
    if (pte_refs(pte) == 0)
        return pte_valid(pte) ? PROBE_COMMANDEER : PROBE_TAKE;
    return slot_maps(c, slot, mfn) ? PROBE_SATURATED : PROBE_BUSY;
}

bool mfn_in_directmap(const struct machine *m, uint64_t mfn)
{
    const struct beacon *b = &m->beacon;
    uint64_t pa = mfn << PAGE_SHIFT;

    return b->directmap ? in_ram(m, pa)
                        : pa >= b->xenheap_pa && pa - b->xenheap_pa < b->xenheap_size;
}

/* The search of engines xen and bbm: forward from the home slot, one pass. */
static void search(const struct machine *m, const struct cpu_snapshot *c, struct explanation *e)
{
    unsigned int n = m->beacon.domheap_entries;

    e->verdict = VERDICT_FULL;
    for (unsigned int i = 0; i < n && e->verdict == VERDICT_FULL; i++) {
        struct probe *p = &e->probe[e->nr++];

        p->slot = e->slot = (e->home + i) % n;
        p->pte = c->pte[p->slot];
        p->why = judge(c, p->slot, e->mfn);
        if (p->why <= PROBE_COMMANDEER)
            e->verdict = (enum verdict)p->why;
    }
    e->refs = e->verdict == VERDICT_HIT ? pte_refs(c->pte[e->slot]) + 1 : 1;
}

bool explain_lookup(const struct machine *m, const struct cpu_snapshot *c, uint64_t mfn,
                    struct explanation *e)
{
    *e = (struct explanation){.mfn = mfn, .reserve = SLOTS_MAX};
    if (m->profile->counted && m->beacon.engine == BEACON_ENGINE_CLOCK)
        return clock_explain(m, c, e);
    e->has_home = true;
    e->home = mapcache_home(_mfn(mfn), m->beacon.domheap_entries);
    if (mfn_in_directmap(m, mfn))
        e->verdict = VERDICT_BYPASS;
    else
        search(m, c, e);
    return true;
}

const char *verdict_word(enum verdict verdict)
{
    static const char *const words[] = {"hit",    "take",   "commandeer", "full",
                                        "bypass", "remake", "flush",      "reclaim"};

    return words[verdict];
}
