/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/check.h"

#include "model/profile.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAKS_MAX 64

static const struct {
    const char *name, *text;
    const char *note; /* what is the case if there are findings; NULL: something is wrong */
} rules[RULES] = {
    [RULE_BROKEN] = {"broken-slot", "every slot is free, cached, in use or saturated", NULL},
    [RULE_CHAIN] = {"chain", "root, L1 and L2 lead to all slots of every CPU", NULL},
    [RULE_SHARED_L2] = {"shared-l2", "no two CPUs share a page of slots", NULL},
    [RULE_SHARED_ROOT] = {"shared-table", "no two CPUs share a root or the L1 above slots", NULL},
    [RULE_HELD_TWICE] = {"same-l2-twice", "no CPU's two halves are the same page", NULL},
    [RULE_INDEX] = {"index", "engine clock: every slot's entry, chain and state byte agree", NULL},
    [RULE_DUPLICATE] = {"duplicate-frame", "no frame has two slots on one CPU",
                        "frames that have several slots on one CPU: legal"},
    [RULE_SATURATED] = {"saturated", "no count is at its limit of 15",
                        "slots with a count of 15: the next map takes another slot"},
    [RULE_LEAK] = {"held-long", "no reference is older than 5 s",
                   "references older than 5 s: forgotten?"},
    [RULE_VIOLATION] = {"violation", "no live entry was overwritten in a table of several CPUs",
                        NULL},
    [RULE_HAZARD] = {"hazard", "no live entry was overwritten in a table of one CPU", NULL},
    [RULE_OWED] = {"order", "no TLBI is owed, no entry was used before a DSB",
                   "TLBI owed, or an entry used before a DSB"},
};

bool rule_is_note(enum rule rule)
{
    return rules[rule].note != NULL;
}

const char *rule_name(enum rule rule)
{
    return rules[rule].name;
}

const char *rule_text(enum rule rule, unsigned int count)
{
    return count && rules[rule].note ? rules[rule].note : rules[rule].text;
}

bool rule_applies(enum rule rule, const struct machine *m)
{
    return rule != RULE_INDEX || m->beacon.engine == BEACON_ENGINE_CLOCK;
}

unsigned int findings_wrong(const struct findings *f)
{
    unsigned int n = 0;

    for (int rule = 0; rule < RULES; rule++)
        n += rules[rule].note ? 0 : f->count[rule];
    return n;
}

/* Its place in the list, what is wrong before what is only noted; NULL: there is no room. */
static struct finding *place(struct findings *f, enum rule rule)
{
    unsigned int at = f->nr;

    while (at > 0 && rules[f->finding[at - 1].rule].note && !rules[rule].note)
        at--;
    if (at == FINDINGS_MAX)
        return NULL;
    if (f->nr < FINDINGS_MAX)
        f->nr++;
    memmove(&f->finding[at + 1], &f->finding[at], (f->nr - at - 1) * sizeof(f->finding[0]));
    return &f->finding[at];
}

__attribute__((format(printf, 5, 6))) static struct finding *
add(struct findings *f, enum rule rule, unsigned int cpu, int slot, const char *format, ...)
{
    struct finding *n = place(f, rule);
    va_list args;

    f->count[rule]++;
    if (!n)
        return NULL;
    *n = (struct finding){.rule = rule, .cpu = cpu, .slot = slot};
    va_start(args, format);
    vsnprintf(n->text, sizeof(n->text), format, args);
    va_end(args);
    return n;
}

void findings_add(struct findings *f, enum rule rule, unsigned int cpu, int slot, uint64_t count,
                  uint64_t where, const char *text)
{
    struct finding *n = add(f, rule, cpu, slot, "%s", text);

    f->count[rule] += (unsigned int)count - 1;
    if (n)
        n->where = where;
}

static void check_slots(const struct machine *m, const struct cpu_snapshot *c, struct findings *f)
{
    for (unsigned int i = 0; i < m->beacon.domheap_entries; i++) {
        struct slot_info info;

        if (c->state[i] == SLOT_UNREAD)
            continue;
        f->entries++;
        info = slot_describe(m, i, c->pte[i]);
        if (info.state == SLOT_BROKEN)
            add(f, RULE_BROKEN, c->cpu, (int)i, "slot %u holds 0x%llx: %s", i,
                (unsigned long long)c->pte[i], info.fault);
    }
}

struct of_cpu {
    struct findings *f;
    unsigned int cpu;
};

static void index_found(void *context, const struct clock_fault *fault)
{
    const struct of_cpu *to = context;
    int slot = fault->slot == CLOCK_END ? -1 : (int)fault->slot;
    char text[112];

    clock_fault_text(fault, text, sizeof(text));
    add(to->f, RULE_INDEX, to->cpu, slot, "%s", text);
}

static void check_index(const struct machine *m, const struct cpu_snapshot *c, struct findings *f)
{
    struct of_cpu to = {f, c->cpu};

    if (c->index_status == INDEX_BAD)
        add(f, RULE_INDEX, c->cpu, -1, "0x%llx, where it should be, cannot be read",
            (unsigned long long)c->info.clock_index);
    else if (cpu_index_settled(m, c))
        clock_check(&c->index, c->pte, index_found, &to);
}

static void check_chain(const struct machine *m, const struct cpu_snapshot *c, struct findings *f)
{
    for (unsigned int i = 0; i < machine_l2_pages(m); i++) {
        if (!chain_l2(&c->chain, i))
            add(f, RULE_CHAIN, c->cpu, -1, "no table for slots %u-%u", i * PT_ENTRIES,
                (i + 1) * PT_ENTRIES - 1);
    }
    if (machine_l2_pages(m) > 1 && chain_l2(&c->chain, 0) &&
        chain_l2(&c->chain, 0) == chain_l2(&c->chain, 1))
        add(f, RULE_HELD_TWICE, c->cpu, -1, "slots 0-511 and 512-1023 are both at 0x%llx",
            (unsigned long long)chain_l2(&c->chain, 0));
}

static uint64_t l1_of(const struct cpu_snapshot *c)
{
    return c->chain.nr && c->chain.entry[0].page < 0 && c->chain.entry[0].end == CHAIN_TABLE
               ? c->chain.entry[0].next
               : 0;
}

static void check_pair(const struct machine *m, const struct cpu_snapshot *a,
                       const struct cpu_snapshot *b, struct findings *f)
{
    if (a->info.root == b->info.root)
        add(f, RULE_SHARED_ROOT, b->cpu, -1, "root 0x%llx is CPU%u's too",
            (unsigned long long)b->info.root, a->cpu);
    else if (l1_of(a) && l1_of(a) == l1_of(b))
        add(f, RULE_SHARED_ROOT, b->cpu, -1, "L1 0x%llx is CPU%u's too",
            (unsigned long long)l1_of(b), a->cpu);
    for (unsigned int i = 0; i < machine_l2_pages(m); i++) {
        for (unsigned int j = 0; j < machine_l2_pages(m); j++) {
            uint64_t page = chain_l2(&b->chain, i);

            if (page && page == chain_l2(&a->chain, j))
                add(f, RULE_SHARED_L2, b->cpu, -1, "L2 0x%llx (slots %u-%u) is CPU%u's too",
                    (unsigned long long)page, i * PT_ENTRIES, (i + 1) * PT_ENTRIES - 1, a->cpu);
        }
    }
}

struct placed {
    uint64_t frame;
    unsigned int slot;
};

static int compare_placed(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;

    if (x->frame != y->frame)
        return x->frame < y->frame ? -1 : 1;
    return x->slot < y->slot ? -1 : x->slot > y->slot;
}

static void check_saturated(const struct cpu_snapshot *c, struct findings *f)
{
    for (unsigned int i = 0; i < SLOTS_MAX; i++) {
        if (c->state[i] == SLOT_SATURATED)
            add(f, RULE_SATURATED, c->cpu, (int)i, "slot %u, mfn 0x%llx", i,
                (unsigned long long)mfn_x(pte_mfn(c->pte[i])));
    }
}

static void check_duplicates(const struct cpu_snapshot *c, struct findings *f)
{
    struct placed placed[SLOTS_MAX];
    unsigned int nr = 0;

    for (unsigned int i = 0; i < SLOTS_MAX; i++) {
        if (c->state[i] == SLOT_CACHED || c->state[i] == SLOT_IN_USE ||
            c->state[i] == SLOT_SATURATED)
            placed[nr++] = (struct placed){mfn_x(pte_mfn(c->pte[i])), i};
    }
    qsort(placed, nr, sizeof(placed[0]), compare_placed);
    for (unsigned int i = 1; i < nr; i++) {
        if (placed[i].frame == placed[i - 1].frame)
            add(f, RULE_DUPLICATE, c->cpu, (int)placed[i].slot, "mfn 0x%llx has slots %u and %u",
                (unsigned long long)placed[i].frame, placed[i - 1].slot, placed[i].slot);
    }
}

static bool same_leak(const struct held *a, const struct held *b)
{
    return a->cpu == b->cpu && a->slot == b->slot && a->holder.mfn == b->holder.mfn &&
           a->holder.caller == b->holder.caller;
}

/* References of one page by one caller are one line: the oldest of them and how many there are. */
static void check_leaks(const struct activity *a, struct findings *f)
{
    struct held held[LEAKS_MAX];
    unsigned int nr = activity_held(a, LEAK_NS, held, LEAKS_MAX);

    for (unsigned int i = 0; i < nr; i++) {
        const struct held *h = &held[i];
        unsigned int before = 0, n = 1;
        char times[16] = "", text[112];

        while (before < i && !same_leak(&held[before], h))
            before++;
        if (before < i)
            continue;
        for (unsigned int j = i + 1; j < nr; j++)
            n += same_leak(&held[j], h);
        if (n > 1)
            snprintf(times, sizeof(times), " x%u", n);
        snprintf(text, sizeof(text), "slot %u, mfn 0x%llx%s, for %.1f s by 0x%llx", h->slot,
                 (unsigned long long)h->holder.mfn, times,
                 (double)activity_age(a, h->holder.ticks) / 1e9,
                 (unsigned long long)h->holder.caller);
        findings_add(f, RULE_LEAK, h->cpu, (int)h->slot, n, h->holder.caller, text);
    }
}

void check_snapshot(const struct snapshot *snap, const struct activity *activity,
                    struct findings *f)
{
    const struct machine *m = &snap->machine;

    *f = (struct findings){0};
    if (!m->profile->mapcache)
        return;
    for (unsigned int i = 0; i < snap->ncpu; i++) {
        if (!snap->cpu[i].on)
            continue;
        check_chain(m, &snap->cpu[i], f);
        for (unsigned int j = 0; j < i; j++) {
            if (snap->cpu[j].on)
                check_pair(m, &snap->cpu[j], &snap->cpu[i], f);
        }
        check_slots(m, &snap->cpu[i], f);
        check_index(m, &snap->cpu[i], f);
    }
    if (activity)
        check_leaks(activity, f);
    for (unsigned int i = 0; i < snap->ncpu; i++) {
        if (snap->cpu[i].on)
            check_saturated(&snap->cpu[i], f);
    }
    for (unsigned int i = 0; i < snap->ncpu; i++) {
        if (snap->cpu[i].on)
            check_duplicates(&snap->cpu[i], f);
    }
}
