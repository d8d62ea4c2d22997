/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Engine "clock": compliant, and fast. include/hvscope/clock.h has its data.
 *
 * One rule is break-before-make: only a slot whose TLB entries are gone (its
 * entry was 0 when a TLBI of it completed), or an owed slot for its own frame,
 * becomes valid. Slots are found by a hash of the frame and given out from a
 * stack, so a frame can be in any slot, and a hit needs no barrier:
 *
 *   map       the slot of the map before, else the frame's chain: count + 1.
 *             Not there: a free slot is linked and made (store, DSB, ISB).
 *   unmap     count - 1. At 0 the translation stays, for the next map.
 *   reclaim   when no slot is free, a hand goes round as in the clock
 *             algorithm. Hot idle slots become cold, cold ones are broken, a
 *             batch of them with one invalidation.
 *
 * Everything runs with interrupts masked: an interrupt's map comes before or
 * after each of these, never between a break and its TLBI.
 */
#include "arch/irq.h"
#include "core/cmdline.h"
#include "core/trace.h"
#include "mm/bootmem.h"
#include "mm/directmap.h"
#include "mm/domain_page_slot.h"
#include "mm/pgtable.h"
#include <hvscope/clock.h>

#define SLOTS DOMHEAP_ENTRIES

/* One reclaim's victims: a range TLBI costs the same for many, others one each. */
#ifndef BATCH_RANGE /* tests/model: fewer */
#define BATCH_RANGE 16
#define BATCH_VA    8
#endif

/* One range operation: up to 32 units of 4 slots (SCALE 2), or of 128 (SCALE 3). */
#define RANGE_UNITS 32
#define SCALE2_UNIT 4
#define SCALE3_UNIT (SCALE2_UNIT * RANGE_UNITS)

#define REFS_ONE PTE_BIT(PTE_REFS_SHIFT)

const uint32_t mapcache_engine = BEACON_ENGINE_CLOCK;
const char mapcache_engine_name[] = "clock";

static DEFINE_PER_CPU(struct clock_index, clock_index);
static DEFINE_PER_CPU(unsigned int, urgent_depth);

void mapcache_engine_init(unsigned int cpu)
{
    struct clock_index *c = &per_cpu(clock_index, cpu);

    *c = (struct clock_index){
        .map = (uintptr_t)per_cpu(xen_dommap, cpu),
        .keep = options.mapcache == CLOCK_LAZY ? 1 : 2,
        .nr_free = SLOTS,
        .policy = options.mapcache,
        .zap_limit = options.zap_limit,
        .range = tlb_has_range(),
    };
    c->batch = c->range ? BATCH_RANGE : BATCH_VA;
    for (unsigned int i = 0; i < SLOTS; i++) {
        c->free[i] = SLOTS - 1 - i; /* the last is taken first: slot 0 */
        c->head[i] = CLOCK_END;
    }
    per_cpu(beacon_cpu, cpu)->clock_index = paddr_x(virt_to_paddr(c));
}

static inline lpae_t *slot_entry(const struct clock_index *c, unsigned int slot)
{
    return (lpae_t *)c->map + slot;
}

/*
 * The count of an entry that is want (whose count is 0) but for that; of any
 * other entry, a number above PTE_REFS_MAX. The difference has the count in its
 * top bits and 0 below if they agree: turned, one comparison asks both.
 */
static inline uint64_t refs_if_same(lpae_t pte, lpae_t want)
{
    uint64_t difference = pte - want;

    return difference >> PTE_REFS_SHIFT | difference << (64 - PTE_REFS_SHIFT);
}

/* The slot that maps want and has room for one more, or CLOCK_END. links: passed on the way. */
static inline unsigned int chain_find(const struct clock_index *c, lpae_t want, unsigned int *links)
{
    unsigned int slot = c->head[clock_hash((want & PTE_ADDR_MASK) >> SLOT_SHIFT)];

    while (slot != CLOCK_END && refs_if_same(*slot_entry(c, slot), want) >= PTE_REFS_MAX) {
        slot = c->next[slot];
        ++*links;
    }
    return slot;
}

static void chain_link(struct clock_index *c, unsigned int slot, uint64_t block)
{
    uint16_t *head = &c->head[clock_hash(block)];

    c->block[slot] = (uint32_t)block;
    c->next[slot] = *head;
    *head = (uint16_t)slot;
}

static void chain_unlink(struct clock_index *c, unsigned int slot)
{
    uint16_t *at = &c->head[clock_hash(c->block[slot])];

    while (*at != slot) {
        CHECK(*at < SLOTS, "slot %u is not on the chain of block 0x%x", slot, c->block[slot]);
        at = &c->next[*at];
    }
    *at = c->next[slot];
}

/* A slot that nothing translates, in the table or in the TLB. */
static void slot_put(struct clock_index *c, unsigned int slot)
{
    chain_unlink(c, slot);
    c->state[slot] = CLOCK_FREE;
    c->free[c->nr_free++] = (uint16_t)slot;
}

/* The range operations for slots first to first + n - 1, which do not wrap. */
static void arc_flush_ops(unsigned int first, unsigned int n)
{
    unsigned int units = n / SCALE3_UNIT, rest = n % SCALE3_UNIT;
    vaddr_t va = slot_va(first, _mfn(0));

    if (units) {
        tlb_flush_range_last_local(va, 3, units - 1, 2);
        va = _vaddr(vaddr_x(va) + units * SCALE3_UNIT * SLOT_SIZE);
    }
    if (rest)
        tlb_flush_range_last_local(va, 2, (rest - 1) / SCALE2_UNIT, 2);
}

/* Invalidate n slots from first on, counted as the hand goes: past the last one comes slot 0. */
static void arc_flush(unsigned int first, unsigned int n)
{
    unsigned int before_end = SLOTS - first;

    if (n <= before_end) {
        arc_flush_ops(first, n);
        return;
    }
    arc_flush_ops(first, before_end);
    arc_flush_ops(0, n - before_end);
}

/* The TLBI of n broken slots that lie in an arc, and the barriers around it (RDDMVT, RPSMWS). */
static void batch_flush(struct clock_index *c, const uint16_t *slots, unsigned int n,
                        unsigned int first, unsigned int arc)
{
    dsb_nshst();
    if (__builtin_expect(mapcache_skip_tlbi, 0)) {
        /* a fault on purpose */
    } else if (c->range && n > 1) {
        arc_flush(first, arc);
    } else {
        for (unsigned int i = 0; i < n; i++)
            tlb_flush_va_last_local(slot_va(slots[i], _mfn(0)));
    }
    dsb_nsh();
    c->reclaims++;
    c->reclaimed += n;
}

/*
 * Take idle slots from their frames, up to a batch. The hand passes a slot
 * twice at most: a hot one is cold after the first time.
 *
 * The arc is counted in steps of the hand, not from the numbers of the first
 * and last victim: it may have gone past slot 0, or all the way round.
 */
static void reclaim(struct clock_index *c, mfn_t wanted)
{
    uint16_t *victims = &c->free[c->nr_free];
    unsigned int n = 0, first = 0, from = 0, to = 0;

    if (c->state[c->last] == CLOCK_COLD) /* maps of the last slot leave no mark */
        c->state[c->last] = CLOCK_HOT;
    for (unsigned int step = 0; step < 2 * SLOTS && n < c->batch; step++) {
        unsigned int slot = c->hand;
        lpae_t pte = *slot_entry(c, slot);

        c->hand = (slot + 1) % SLOTS;
        if (!pte_valid(pte) || pte_refs(pte))
            continue;
        if (c->state[slot] == CLOCK_HOT) {
            c->state[slot] = CLOCK_COLD;
            continue;
        }
        pte_store(slot_entry(c, slot), 0);
        trace_commandeer(slot, pte, wanted);
        if (n == 0) {
            first = slot;
            from = step;
        }
        to = step;
        victims[n++] = (uint16_t)slot;
    }
    if (!n)
        return;
    batch_flush(c, victims, n, first, to - from < SLOTS ? to - from + 1 : SLOTS);
    for (unsigned int i = 0; i < n; i++)
        slot_put(c, victims[i]);
}

/* The TLBI of everything that is owed. */
static void owed_flush(struct clock_index *c)
{
    const uint16_t *owed = &c->free[SLOTS - c->nr_owed];
    unsigned int n = c->nr_owed, least = SLOTS, most = 0;

    for (unsigned int i = 0; i < n; i++) {
        least = owed[i] < least ? owed[i] : least;
        most = owed[i] > most ? owed[i] : most;
    }
    batch_flush(c, owed, n, least, most - least + 1);
    c->nr_owed = 0;
    for (unsigned int i = 0; i < n; i++)
        slot_put(c, owed[i]); /* the stack grows towards these, at most up to the one just read */
}

/* Take a slot off the list of those that owe their TLBI. */
static void owed_remove(struct clock_index *c, unsigned int slot)
{
    uint16_t *owed = &c->free[SLOTS - c->nr_owed], *at = owed;

    while (*at != slot) {
        at++;
        CHECK(at < &c->free[SLOTS], "slot %u owes nothing", slot);
    }
    *at = owed[0];
    c->nr_owed--;
}

/* The slot that owes the TLBI of this block, or CLOCK_END. */
static unsigned int owed_find(const struct clock_index *c, uint64_t block)
{
    unsigned int slot = c->nr_owed ? c->head[clock_hash(block)] : CLOCK_END;

    while (slot != CLOCK_END && (c->state[slot] != CLOCK_OWED || c->block[slot] != block))
        slot = c->next[slot];
    return slot;
}

/* A free slot for mfn, on its chain; CLOCK_END if there is none for the likes of the caller. */
static unsigned int slot_take(struct clock_index *c, mfn_t mfn)
{
    unsigned int keep = this_cpu(mapcache_urgent) ? 0 : CLOCK_RESERVE, slot;

    if (c->nr_free <= keep && c->nr_owed)
        owed_flush(c);
    if (c->nr_free <= keep)
        reclaim(c, mfn);
    if (c->nr_free <= keep)
        return CLOCK_END;
    slot = c->free[--c->nr_free];
    chain_link(c, slot, mfn_x(mfn) >> SLOT_MFN_SHIFT);
    return slot;
}

/*
 * The frame is in no slot: make one. Its own owed slot may be made again at
 * once, as whatever the TLB holds of it is the same translation.
 */
static unsigned int slot_make(struct clock_index *c, mfn_t mfn, lpae_t want)
{
    unsigned int slot = owed_find(c, mfn_x(mfn) >> SLOT_MFN_SHIFT);

    if (slot != CLOCK_END)
        owed_remove(c, slot);
    else
        slot = slot_take(c, mfn);
    if (slot == CLOCK_END)
        return CLOCK_END;
    pte_store(slot_entry(c, slot), want + REFS_ONE);
    dsb_nshst();
    isb();
    return slot;
}

/* The rest of map_domain_page(): the frame is in no slot with room. Interrupts are masked. */
static __attribute__((noinline)) MAPCACHE_TEXT void *map_miss(struct clock_index *c, mfn_t mfn,
                                                              lpae_t want, unsigned int links,
                                                              uint64_t flags, const void *caller)
{
    unsigned int slot;

    if (arch_mfns_in_directmap(mfn_x(mfn), 1)) {
        local_irq_restore(flags);
        trace_bypass(mfn, caller);
        return mfn_to_virt(mfn);
    }
    trace_begin();
    slot = slot_make(c, mfn, want);
    if (slot == CLOCK_END) {
        c->refused++;
        trace_done();
        local_irq_restore(flags);
        mapcache_full(mfn);
        return NULL;
    }
    c->last = (uint16_t)slot;
    c->state[slot] = CLOCK_HOT;
    trace_map(mfn, slot, 1, false, links, caller);
    local_irq_restore(flags);
    return (void *)vaddr_x(slot_va(slot, mfn));
}

/*
 * The frame is looked for in the slots first: what is in the directmap never
 * has one, as a directmap is whole blocks and there before the first map.
 */
MAPCACHE_TEXT void *map_domain_page(mfn_t mfn)
{
    lpae_t want = mfn_to_xen_entry(slot_mfn_of(mfn), MAIR_NORMAL);
    unsigned int slot, links = 0;
    struct clock_index *c;
    uint64_t flags;
    lpae_t pte;

    flags = local_irq_save();
    c = &this_cpu(clock_index);
    slot = c->last;
    pte = *slot_entry(c, slot);
    if (refs_if_same(pte, want) >= PTE_REFS_MAX) {
        slot = chain_find(c, want, &links);
        if (slot == CLOCK_END)
            return map_miss(c, mfn, want, links, flags, __builtin_return_address(0));
        pte = *slot_entry(c, slot);
        c->last = (uint16_t)slot;
        c->state[slot] = CLOCK_HOT;
    }

    trace_begin();
    pte += REFS_ONE;
    pte_set_refs(slot_entry(c, slot), pte);
    trace_map(mfn, slot, pte_refs(pte), true, links, __builtin_return_address(0));
    local_irq_restore(flags);
    return (void *)vaddr_x(slot_va(slot, mfn));
}

void mapcache_urgent_begin(void)
{
    this_cpu(urgent_depth)++;
    this_cpu(mapcache_urgent) = true;
}

/* What was taken of the reserve is idle by now: free it, before others find their frames in it. */
void mapcache_urgent_end(void)
{
    struct clock_index *c = &this_cpu(clock_index);

    if (--this_cpu(urgent_depth))
        return;
    this_cpu(mapcache_urgent) = false;
    if (!c->map) /* before there are slots, nothing took one */
        return;
    if (c->nr_free >= CLOCK_RESERVE)
        return;
    trace_begin();
    if (c->nr_owed)
        owed_flush(c);
    if (c->nr_free < CLOCK_RESERVE)
        reclaim(c, INVALID_MFN);
    trace_done();
}

/* The last reference, with a policy that leaves nothing in the tables: break. */
static __attribute__((noinline)) void slot_drop(struct clock_index *c, unsigned int slot)
{
    pte_store(slot_entry(c, slot), 0);
    if (c->policy == CLOCK_STRICT) {
        const uint16_t one = (uint16_t)slot;

        batch_flush(c, &one, 1, slot, 1);
        isb();
        slot_put(c, slot);
        return;
    }
    c->state[slot] = CLOCK_OWED;
    c->free[SLOTS - ++c->nr_owed] = (uint16_t)slot;
    if (c->nr_owed == c->zap_limit)
        owed_flush(c);
}

MAPCACHE_TEXT void unmap_domain_page(const void *ptr)
{
    uint64_t offset = (uintptr_t)ptr - DOMHEAP_VIRT_START;
    unsigned int slot = offset >> SLOT_SHIFT, refs;
    struct clock_index *c;
    uint64_t flags;
    lpae_t pte;

    /* NULL and directmap addresses included: map_domain_page() may not have mapped. */
    if (offset >= DOMHEAP_VIRT_SIZE)
        return;

    flags = local_irq_save();
    c = &this_cpu(clock_index);
    trace_begin();

    pte = *slot_entry(c, slot);
    refs = pte_refs(pte);
    if (__builtin_expect(refs >= c->keep, 1)) {
        pte_set_refs(slot_entry(c, slot), pte - REFS_ONE);
    } else {
        CHECK(refs > 0, "unmap of %p: slot %u has count 0, entry 0x%lx", ptr, slot, pte);
        slot_drop(c, slot);
    }

    trace_unmap(mfn_add(pte_mfn(pte), (offset >> PAGE_SHIFT) & SLOT_MFN_MASK), slot, refs - 1,
                __builtin_return_address(0));
    local_irq_restore(flags);
}
