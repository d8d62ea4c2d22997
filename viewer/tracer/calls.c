/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tracer/calls.h"
#include "tracer/decode.h"
#include "tracer/guest.h"

#include <hvscope/mapcache.h>

#define DEPTH_MAX  16 /* open calls of one CPU: interrupts nest them */
#define SLOT_LEVEL 2

struct call {
    bool is_map;
    uint64_t argument; /* frame, or address */
    uint64_t caller;   /* return address */
    uint64_t sp;
    uint64_t broken; /* the valid entry that this call made invalid, if it did */
    bool recorded;
};

/* The youngest is the last. */
static struct stack {
    struct call call[DEPTH_MAX];
    unsigned int depth;
} stacks[GUEST_CPUS_MAX];

static struct calls_config config;
static struct trace_file *file;

void calls_init(const struct calls_config *c, struct trace_file *f)
{
    config = *c;
    file = f;
    file->totals.calls = c->map.nr && c->unmap.nr && c->domheap_entries;
    file->beacon.domheap_va = c->domheap_va;
    file->beacon.domheap_entries = c->domheap_entries ? c->domheap_entries : 1;
    file->beacon.domheap_size = c->domheap_entries * SLOT_SIZE;
}

static bool is_in(const struct call_site *site, uint64_t va)
{
    for (unsigned int i = 0; i < site->nr; i++) {
        if (va - site->part[i].va < site->part[i].size)
            return true;
    }
    return false;
}

static bool is_entry_of(const struct call_site *site, uint64_t va)
{
    return site->nr && va == site->part[0].va;
}

bool calls_is_entry(uint64_t va)
{
    return is_entry_of(&config.map, va) || is_entry_of(&config.unmap, va);
}

bool calls_is_inside(uint64_t va)
{
    return is_in(&config.map, va) || is_in(&config.unmap, va);
}

static bool in_domheap(uint64_t va)
{
    return va - config.domheap_va < config.domheap_entries * SLOT_SIZE;
}

void calls_enter(unsigned int cpu, uint64_t va)
{
    struct stack *s = &stacks[cpu];

    if (s->depth == DEPTH_MAX) {
        __atomic_add_fetch(&file->totals.open_calls, s->depth, __ATOMIC_RELAXED);
        s->depth = 0;
    }
    s->call[s->depth++] = (struct call){
        .is_map = is_entry_of(&config.map, va),
        .argument = guest_register(cpu, 0),
        .caller = guest_link_register(cpu),
        .sp = guest_stack_pointer(cpu),
    };
}

/* The slot that an entry of a table is on this CPU, or -1. */
static int slot_of(unsigned int cpu, uint64_t entry_pa)
{
    uint64_t pa, entry;
    const unsigned int page_slots = PT_ENTRIES;

    for (unsigned int first = 0; first < config.domheap_entries; first += page_slots) {
        uint64_t va = config.domheap_va + first * SLOT_SIZE;

        if (tables_walk(cpu, va, SLOT_LEVEL, &pa, &entry) &&
            entry_pa - pa < page_slots * sizeof(entry))
            return (int)(first + (entry_pa - pa) / sizeof(entry));
    }
    return -1;
}

static uint64_t what_of(uint64_t mfn, unsigned int slot, uint64_t entry)
{
    return (mfn & TRACE_MFN_MASK) | (uint64_t)slot << TRACE_SLOT_SHIFT |
           (uint64_t)pte_refs(entry) << TRACE_REFS_SHIFT;
}

static void record_map(unsigned int cpu, struct call *call, unsigned int slot, uint64_t old,
                       uint64_t entry)
{
    struct beacon_cpu *block = ring_cpu(cpu);
    unsigned int probe = mapcache_probe(_mfn(call->argument), slot, config.domheap_entries);
    bool hit = pte_with_refs(old, 0) == pte_with_refs(entry, 0);

    block->maps++;
    block->hits += hit;
    block->probes += probe;
    block->commandeers += !hit && pte_valid(old | call->broken);
    call->recorded = true;
    ring_event(cpu, TRACE_MAP, 0,
               what_of(call->argument, slot, entry) | (uint64_t)hit << TRACE_HIT_SHIFT |
                   (uint64_t)(probe & TRACE_PROBE_MASK) << TRACE_PROBE_SHIFT,
               call->caller);
}

static void record_unmap(unsigned int cpu, struct call *call, unsigned int slot, uint64_t old,
                         uint64_t entry)
{
    uint64_t page = call->argument >> PAGE_SHIFT & SLOT_MFN_MASK;

    ring_cpu(cpu)->unmaps++;
    call->recorded = true;
    ring_event(cpu, TRACE_UNMAP, 0, what_of(mfn_x(pte_mfn(old)) + page, slot, entry), call->caller);
}

/* Does this store give the frame of the map one reference more? */
static bool is_map_of(const struct call *call, const struct table_store *s)
{
    return pte_is_leaf(s->new, SLOT_LEVEL) && pte_refs(s->new) &&
           mfn_x(pte_mfn(s->new)) == (call->argument & ~SLOT_MFN_MASK & TRACE_MFN_MASK);
}

static void map_stored(unsigned int cpu, struct call *call, const struct table_store *s)
{
    int slot = slot_of(cpu, s->pa);

    if (slot < 0)
        return;
    if (is_map_of(call, s))
        record_map(cpu, call, (unsigned int)slot, s->old, s->new);
    else if (!pte_valid(s->new))
        call->broken = s->old;
}

static void unmap_stored(unsigned int cpu, struct call *call, const struct table_store *s)
{
    int slot = pte_refs(s->new) < pte_refs(s->old) ? slot_of(cpu, s->pa) : -1;

    if (slot >= 0)
        record_unmap(cpu, call, (unsigned int)slot, s->old, s->new);
}

void calls_store(unsigned int cpu, const struct table_store *s)
{
    struct stack *stack = &stacks[cpu];
    struct call *call = stack->depth ? &stack->call[stack->depth - 1] : NULL;

    if (!call || call->recorded || s->level != SLOT_LEVEL)
        return;
    if (call->is_map)
        map_stored(cpu, call, s);
    else
        unmap_stored(cpu, call, s);
}

/* A call that is over and wrote no slot: the directmap answered, or we missed it. */
static void record_rest(unsigned int cpu, const struct call *call, uint64_t result)
{
    if (call->is_map && !in_domheap(result)) {
        ring_cpu(cpu)->bypasses++;
        ring_event(cpu, TRACE_BYPASS, 0, call->argument & TRACE_MFN_MASK, call->caller);
    } else if (call->is_map || in_domheap(call->argument)) {
        __atomic_add_fetch(&file->totals.unmatched, 1, __ATOMIC_RELAXED);
    }
}

/*
 * Is this return the call's? The stack is then as it was at the entry. A part of the
 * functions may be called too, by them and by others: its SP is another one.
 */
static bool is_return_of(const struct call *call, uint64_t sp, int popped)
{
    return popped == DECODED_UNKNOWN ? call->sp >= sp : call->sp == sp + (uint64_t)popped;
}

/* Calls that are younger than the one that returns were left in another way. */
void calls_return(unsigned int cpu, int popped)
{
    struct stack *stack = &stacks[cpu];
    uint64_t sp = guest_stack_pointer(cpu);
    unsigned int at = stack->depth;

    while (at && !is_return_of(&stack->call[at - 1], sp, popped))
        at--;
    if (!at)
        return;
    stack->depth = at - 1;
    if (!stack->call[at - 1].recorded)
        record_rest(cpu, &stack->call[at - 1], guest_register(cpu, 0));
}
