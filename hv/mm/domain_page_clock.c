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
 *             algorithm, a word of states at a time. Hot slots become cold;
 *             cold ones that nobody holds are broken, a batch of them with one
 *             invalidation. A slot is made cold, and hot when its frame is
 *             found on the chain: what is used in one burst only goes first.
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

/* So many victims are enough: a range TLBI costs the same for many, others one each. */
#ifndef BATCH_RANGE /* tests/model: fewer */
#define BATCH_RANGE 16
#define BATCH_VA    8
#endif

/*
 * A range TLBI also takes what the TLB holds of the slots between the victims:
 * it is used where these are at least one in so many.
 */
#define RANGE_SPARSE 3

/* The lowest bit of each state in a word of them. */
#define EACH_STATE ((clock_states_t)-1 / UINT8_MAX)
_Static_assert(CLOCK_FREE == 0 && CLOCK_COLD == 1 && CLOCK_HOT == 2, "break_cold()");

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
    for (unsigned int i = 0; i < SLOTS; i++)
        c->free[i] = SLOTS - 1 - i; /* the last is taken first: slot 0 */
    for (unsigned int i = 0; i < CLOCK_HEADS; i++)
        c->head[i] = CLOCK_END;
    per_cpu(beacon_cpu, cpu)->clock_index = paddr_x(virt_to_paddr(c));
}

static inline lpae_t *slot_entry(const struct clock_index *c, unsigned int slot)
{
    return (lpae_t *)c->map + slot;
}

static inline uint64_t block_of(lpae_t pte)
{
    return (pte & PTE_ADDR_MASK) >> SLOT_SHIFT;
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
    unsigned int slot = c->head[clock_hash(block_of(want))];

    while (slot != CLOCK_END && refs_if_same(*slot_entry(c, slot), want) >= PTE_REFS_MAX) {
        slot = c->next[slot];
        ++*links;
    }
    return slot;
}

static inline void chain_link(struct clock_index *c, unsigned int slot, uint64_t block)
{
    uint16_t *head = &c->head[clock_hash(block)];

    c->block[slot] = (uint32_t)block;
    c->next[slot] = *head;
    *head = (uint16_t)slot;
}

static inline void chain_unlink(struct clock_index *c, unsigned int slot, uint64_t block)
{
    unsigned int at = SLOTS + clock_hash(block);

    while (c->link[at] != slot) {
        at = c->link[at];
        CHECK(at < SLOTS, "slot %u is not on the chain of block 0x%lx", slot, block);
    }
    c->link[at] = c->next[slot];
}

/* A slot that nothing translates, in the table or in the TLB. */
static void slot_put(struct clock_index *c, unsigned int slot)
{
    chain_unlink(c, slot, c->block[slot]);
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
        /* At most the 1024 slots.
         * NOLINTNEXTLINE(bugprone-implicit-widening-of-multiplication-result) */
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

/*
 * The TLBI of n broken slots, and the barriers around it (RDDMVT, RPSMWS). arc:
 * they lie among so many slots from first on; 0: too far apart for a range.
 */
static void batch_flush(struct clock_index *c, const uint16_t *slots, unsigned int n,
                        unsigned int first, unsigned int arc)
{
    dsb_nshst();
    if (__builtin_expect(mapcache_skip_tlbi, 0)) {
        /* a fault on purpose */
    } else if (c->range && arc > 1) {
        arc_flush(first, arc);
    } else {
        for (unsigned int i = 0; i < n; i++)
            tlb_flush_va_last_local(slot_va(slots[i], _mfn(0)));
    }
    dsb_nsh();
    c->reclaims++;
    c->reclaimed += n;
}

/* Of a word's slots, those whose count is not 0: the lowest bit of each. */
static inline clock_states_t held(const lpae_t *entries)
{
    clock_states_t refs = 0;

#pragma GCC unroll 8
    for (unsigned int i = 0; i < CLOCK_STATES_SLOTS; i++)
        refs |= (clock_states_t)pte_refs(entries[i]) << 8 * i;
    refs |= refs >> 2;
    return (refs | refs >> 1) & EACH_STATE;
}

/*
 * The hand comes by a word of states. Break those of its slots that are cold and
 * that nobody holds, and take them off their chains; their TLBI is still to
 * come. They are written to victims, whose end is returned. What is held counts
 * as found again: where most is held, it is not looked at each time.
 */
static inline uint16_t *break_cold(struct clock_index *c, unsigned int first, uint16_t *victims,
                                   mfn_t wanted)
{
    clock_states_t *word = &c->states[first / CLOCK_STATES_SLOTS], states = *word;
    clock_states_t cold = states & ~(states >> 1) & EACH_STATE;
    lpae_t *entries = slot_entry(c, first);

    states -= states >> 1 & ~states & EACH_STATE; /* hot: now cold */
    if (cold) {
        clock_states_t busy = held(entries) & cold;

        cold -= busy;
        states += busy; /* cold: now hot */
        states -= cold; /* cold: now free */
    }
    for (*word = states; cold; cold &= cold - 1) {
        unsigned long n = (unsigned long)__builtin_ctzll(cold) / 8;
        lpae_t pte = entries[n];

        pte_store(&entries[n], 0);
        trace_commandeer(first + n, pte, wanted);
        chain_unlink(c, first + n, block_of(pte));
        *victims++ = (uint16_t)(first + n);
    }
    return victims;
}

/*
 * Take idle slots from their frames, about a batch. One turn of the hand finds
 * all that are cold; if these are not more than the reserve, a second one finds
 * all others.
 *
 * The arc is counted in steps of the hand, not from the numbers of the first
 * and last victim: it may have gone past slot 0, or all the way round.
 */
static __attribute__((noinline)) void reclaim(struct clock_index *c, mfn_t wanted)
{
    uint16_t *victims = &c->free[c->nr_free], *to = victims;
    unsigned int start = c->hand, step = 0, from = 0, end = 0, n;
    const uint16_t *enough = victims + c->batch;

    if (c->state[c->last] == CLOCK_COLD) /* maps of the last slot leave no mark */
        c->state[c->last] = CLOCK_HOT;
    do {
        for (end += SLOTS; step < end && to < enough; step += CLOCK_STATES_SLOTS) {
            if (to == victims)
                from = step;
            to = break_cold(c, (start + step) % SLOTS, to, wanted);
        }
        n = (unsigned int)(to - victims);
    } while (c->nr_free + n <= CLOCK_RESERVE && end < 2 * SLOTS);
    c->hand = (start + step) % SLOTS;
    if (!n)
        return;
    batch_flush(c, victims, n, (start + from) % SLOTS,
                step - from <= RANGE_SPARSE * n ? step - from : 0);
    c->nr_free += n;
}

/* The TLBI of everything that is owed. */
static __attribute__((noinline)) void owed_flush(struct clock_index *c)
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
static inline unsigned int owed_find(const struct clock_index *c, uint64_t block)
{
    unsigned int slot = c->nr_owed ? c->head[clock_hash(block)] : CLOCK_END;

    while (slot != CLOCK_END && (c->state[slot] != CLOCK_OWED || c->block[slot] != block))
        slot = c->next[slot];
    return slot;
}

/* Free slots; false if there is none for the likes of the caller. */
static __attribute__((noinline)) bool slots_free(struct clock_index *c, mfn_t wanted)
{
    unsigned int keep = this_cpu(mapcache_urgent) ? 0 : CLOCK_RESERVE;

    if (c->nr_free <= keep && c->nr_owed)
        owed_flush(c);
    if (c->nr_free <= keep)
        reclaim(c, wanted);
    return c->nr_free > keep;
}

/*
 * A slot that may become valid for this block, on its chain; false if there is
 * none. The block's own owed slot may be made again at once, as whatever the
 * TLB holds of it is the same translation.
 */
static inline bool slot_take(struct clock_index *c, mfn_t mfn, unsigned int *slot)
{
    uint64_t block = mfn_x(mfn) >> SLOT_MFN_SHIFT;

    *slot = owed_find(c, block);
    if (*slot != CLOCK_END) {
        owed_remove(c, *slot);
        return true;
    }
    if (c->nr_free <= CLOCK_RESERVE && !slots_free(c, mfn))
        return false;
    *slot = c->free[--c->nr_free];
    chain_link(c, *slot, block);
    return true;
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
    if (!slot_take(c, mfn, &slot)) {
        c->refused++;
        trace_done();
        local_irq_restore(flags);
        mapcache_full(mfn);
        return NULL;
    }
    pte_store(slot_entry(c, slot), want + REFS_ONE);
    dsb_nshst();
    isb();
    c->last = (uint16_t)slot;
    c->state[slot] = CLOCK_COLD;
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
        c->last = (uint16_t)slot;
        c->state[slot] = CLOCK_HOT;
        pte = *slot_entry(c, slot);
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

/* Break a slot that nobody holds any more, with a policy that leaves nothing in the tables. */
static void slot_drop(struct clock_index *c, unsigned int slot)
{
    pte_store(slot_entry(c, slot), 0);
    if (c->policy == CLOCK_STRICT) {
        const uint16_t one = (uint16_t)slot;

        batch_flush(c, &one, 1, slot, 0);
        isb();
        slot_put(c, slot);
        return;
    }
    c->state[slot] = CLOCK_OWED;
    c->free[SLOTS - ++c->nr_owed] = (uint16_t)slot;
    if (c->nr_owed == c->zap_limit)
        owed_flush(c);
}

/* The frame behind an address of this slot. */
static inline mfn_t mfn_behind(lpae_t pte, const void *ptr)
{
    return mfn_add(pte_mfn(pte), ((uintptr_t)ptr >> PAGE_SHIFT) & SLOT_MFN_MASK);
}

/* The rest of unmap_domain_page(): more than the count changes. Interrupts are masked. */
static __attribute__((noinline)) MAPCACHE_TEXT void unmap_last(struct clock_index *c,
                                                               const void *ptr, unsigned int slot,
                                                               uint64_t flags, const void *caller)
{
    lpae_t pte = *slot_entry(c, slot);

    CHECK(pte_refs(pte), "unmap of %p: slot %u has count 0, entry 0x%lx", ptr, slot, pte);
    trace_begin();
    slot_drop(c, slot);
    trace_unmap(mfn_behind(pte, ptr), slot, 0, caller);
    local_irq_restore(flags);
}

MAPCACHE_TEXT void unmap_domain_page(const void *ptr)
{
    uint64_t offset = (uintptr_t)ptr - DOMHEAP_VIRT_START;
    unsigned int slot = offset >> SLOT_SHIFT;
    struct clock_index *c;
    uint64_t flags;
    lpae_t pte;

    /* NULL and directmap addresses included: map_domain_page() may not have mapped. */
    if (offset >= DOMHEAP_VIRT_SIZE)
        return;

    flags = local_irq_save();
    c = &this_cpu(clock_index);
    pte = *slot_entry(c, slot);
    if (__builtin_expect(pte_refs(pte) < c->keep, 0)) {
        unmap_last(c, ptr, slot, flags, __builtin_return_address(0));
        return;
    }

    trace_begin();
    pte -= REFS_ONE;
    pte_set_refs(slot_entry(c, slot), pte);
    trace_unmap(mfn_behind(pte, ptr), slot, pte_refs(pte), __builtin_return_address(0));
    local_irq_restore(flags);
}
