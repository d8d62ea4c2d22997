/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/trace_all.h"
#include "arch/irq.h"
#include "arch/trace_spill.h"
#include "core/check.h"
#include "core/cmdline.h"
#include "core/printk.h"
#include "core/string.h"
#include "core/trace.h"
#include "core/trace_put.h"
#include "mm/boot_tables.h"
#include "mm/domain_page.h"
#include "mm/pgtable.h"
#include <hvscope/mapcache.h>
#include <stddef.h>

_Static_assert(offsetof(struct beacon_cpu, ring_head) == CPU_RING_HEAD &&
                   offsetof(struct beacon_cpu, ring_va) == CPU_RING_VA &&
                   offsetof(struct beacon_cpu, ring_sides) == CPU_RING_SIDES &&
                   CPU_RING_SIDES == CPU_RING_VA + 8 &&
                   offsetof(struct beacon_cpu, ring_barriers) == CPU_RING_BARRIERS &&
                   TRACE_SITE_CHECK == TRACE_SITE_CHECK_CLASS &&
                   TRACE_RING_ENTRIES == 1 << RING_ENTRIES_SHIFT &&
                   TRACE_BARRIERS == KIND_BARRIERS && TRACE_BARRIERS_MAX == WORD_BARRIERS &&
                   TRACE_BARRIERS_NONE == WORD_EMPTY,
               "trace_spill.S");

#define MORE(more) ((unsigned int)(more) << TRACE_MORE_BITS_AT)

DEFINE_PER_CPU(uint64_t, trace_word_checked);
bool trace_slots_shared;
static uint64_t tickets;

/* PA of an entry that is reached through a slot of this CPU, or the fixmap. */
static __attribute__((noinline)) uint64_t mapped_pa(uint64_t va)
{
    lpae_t pte;

    if (va - DOMHEAP_VIRT_START < DOMHEAP_VIRT_SIZE) {
        pte = this_cpu(xen_dommap)[(va - DOMHEAP_VIRT_START) >> SLOT_SHIFT];
        return (pte & PTE_ADDR_MASK) | (va & (SLOT_SIZE - 1));
    }
    if (va - FIXMAP_VIRT_START < FIXMAP_VIRT_SIZE) {
        pte = xen_fixmap[(va - FIXMAP_VIRT_START) >> PAGE_SHIFT];
        return (pte & PTE_ADDR_MASK) | (va & PAGE_MASK);
    }
    return paddr_x(virt_to_paddr((const void *)va));
}

/* PA of an entry. Those of slots are in the xenheap, or, the boot CPU's, in the image. */
static inline uint64_t entry_pa(const lpae_t *p)
{
    uint64_t va = (uintptr_t)p;

    if (va - DIRECTMAP_VIRT_START < DIRECTMAP_SIZE)
        return va - DIRECTMAP_VIRT_START;
    if (va - XEN_VIRT_START < XEN_VIRT_SIZE)
        return va - XEN_VIRT_START + image_pa;
    return mapped_pa(va);
}

/* Of an entry that other CPUs can walk to: all but the slots of a CPU are shared, or made by
 * another.
 */
static inline uint64_t ticket_next(void)
{
    return __atomic_add_fetch(&tickets, 1, __ATOMIC_RELAXED) & TRACE_TIME_MASK;
}

/* Is it an entry of this CPU's slots, and nobody else's? Then pa is where it is. */
static inline bool is_own_slot(uint64_t pa)
{
    return pa - trace_cpu->l2[0] < DOMHEAP_ENTRIES * sizeof(lpae_t) && !trace_slots_shared;
}

/* One side more is in the ring, published. */
static inline void side_done(struct beacon_cpu *c, uint64_t sides)
{
    __atomic_store_n(&c->ring_sides, sides, __ATOMIC_RELEASE);
}

static inline void put_pte(uint64_t stamp, uint64_t pa, lpae_t old, lpae_t pte, uint64_t ticket,
                           uint64_t pc)
{
    uint64_t head = trace_cpu->ring_head, sides = trace_cpu->ring_sides;

    trace_fill(trace_at(trace_cpu, head), stamp, pa, old, pte);
    trace_fill(trace_at(trace_cpu, head + 1), ticket | (uint64_t)TRACE_DETAIL << TRACE_KIND_SHIFT,
               pc, sides, trace_word_now());
    trace_publish(trace_cpu, head + 2);
    side_done(trace_cpu, sides + 1);
}

static inline void put_any_pte(const lpae_t *p, lpae_t pte, unsigned int place, uint64_t pc)
{
    uint64_t pa = (uintptr_t)p + trace_cpu->slots_pa_offset;
    bool own = is_own_slot(pa);
    uint64_t stamp = trace_stamp(TRACE_PTE | MORE(place));

    put_pte(stamp, own ? pa : entry_pa(p), *p, pte, own ? 0 : ticket_next(), pc);
}

/* With check=on, the ring may be there for maps only. */
static bool in_ring(void)
{
    return options.trace == TRACE_ALL;
}

/* With check=on; the ways without it stay free of calls. */
static __attribute__((noinline)) void checked_store(lpae_t *p, lpae_t pte, unsigned int place,
                                                    uint64_t pc)
{
    struct bbm_event e = {.kind = BBM_STORE,
                          .where = pc,
                          .pa = entry_pa(p),
                          .old = *p,
                          .new = pte,
                          .foreign = (place >> TRACE_REGIME_SHIFT & TRACE_REGIME_MASK) !=
                                     TRACE_REGIME_EL2};
    uint64_t flags = local_irq_save();

    if (in_ring())
        put_any_pte(p, pte, place, pc);
    check_action(&e);
    *(volatile lpae_t *)p = pte;
    check_action_end();
    local_irq_restore(flags);
}

/* Not in this CPU's slots alone: its PA has to be found, and it takes a ticket. */
static __attribute__((noinline)) void shared_store(lpae_t *p, lpae_t pte, unsigned int place,
                                                   uint64_t pc)
{
    uint64_t flags = local_irq_save();

    put_any_pte(p, pte, place, pc);
    *(volatile lpae_t *)p = pte;
    local_irq_restore(flags);
}

void trace_pte_store(lpae_t *p, lpae_t pte, unsigned int place)
{
    uint64_t pc = (uintptr_t)__builtin_return_address(0), flags;
    uint64_t pa = (uintptr_t)p + trace_cpu->slots_pa_offset;

    if (trace_site(TRACE_SITE_CHECK)) {
        checked_store(p, pte, place, pc);
        return;
    }
    if (!is_own_slot(pa)) {
        shared_store(p, pte, place, pc);
        return;
    }
    flags = local_irq_save();
    put_pte(trace_stamp(TRACE_PTE | MORE(place)), pa, *p, pte, 0, pc);
    *(volatile lpae_t *)p = pte;
    local_irq_restore(flags);
}

static inline void put_refs(const lpae_t *p, lpae_t pte)
{
    uint64_t old = (*p & PTE_REFS_MASK)
                   << (TRACE_MORE_SHIFT + TRACE_OLD_REFS_SHIFT - PTE_REFS_SHIFT);

    trace_put_stamped(trace_stamp(TRACE_REFS | MORE(TRACE_PLACE_EL2)) | old,
                      (uintptr_t)p + trace_cpu->slots_pa_offset, pte);
}

static __attribute__((noinline)) void checked_refs(lpae_t *p, lpae_t pte, uint64_t pc)
{
    struct bbm_event e = {.kind = BBM_STORE, .where = pc, .pa = entry_pa(p), .old = *p, .new = pte};

    if (in_ring())
        put_refs(p, pte);
    check_action(&e);
    *(volatile lpae_t *)p = pte;
    check_action_end();
}

void trace_refs_store(lpae_t *p, lpae_t pte)
{
    if (trace_site(TRACE_SITE_CHECK)) {
        checked_refs(p, pte, (uintptr_t)__builtin_return_address(0));
        return;
    }
    put_refs(p, pte);
    *(volatile lpae_t *)p = pte;
}

static __attribute__((noinline)) uint64_t checked_tlbi(unsigned int kind_more, uint64_t operand,
                                                       uint64_t pc)
{
    unsigned int more = kind_more >> TRACE_MORE_BITS_AT;
    struct bbm_event e = {.kind = BBM_TLBI,
                          .where = pc,
                          .operand = operand,
                          .op = more & TRACE_TLBI_OP_MASK,
                          .scope = more >> TRACE_TLBI_SCOPE_SHIFT & TRACE_TLBI_SCOPE_MASK};
    uint64_t flags = local_irq_save();

    if (in_ring())
        trace_put(kind_more, operand, pc);
    check_action(&e);
    return flags;
}

uint64_t trace_tlbi(unsigned int kind_more, uint64_t operand)
{
    uint64_t pc = (uintptr_t)__builtin_return_address(0), flags;

    if (trace_site(TRACE_SITE_CHECK))
        return checked_tlbi(kind_more, operand, pc);
    flags = local_irq_save();
    trace_put(kind_more, operand, pc);
    return flags;
}

static __attribute__((noinline)) void checked_end(uint64_t flags)
{
    check_action_end();
    local_irq_restore(flags);
}

void trace_action_end(uint64_t flags)
{
    if (trace_site(TRACE_SITE_CHECK))
        checked_end(flags);
    else
        local_irq_restore(flags);
}

/* The barriers so far are in the ring; the word begins anew. */
static uint64_t spill(uint64_t word)
{
    struct beacon_cpu *c = trace_cpu;
    uint64_t head = c->ring_head, sides = c->ring_sides, barriers = c->ring_barriers;

    trace_fill(trace_at(c, head), trace_stamp(TRACE_BARRIERS), sides, barriers, word);
    trace_publish(c, head + 1);
    __atomic_store_n(&c->ring_barriers, barriers + trace_barrier_count(word), __ATOMIC_RELEASE);
    side_done(c, sides + 1);
    return TRACE_BARRIERS_NONE;
}

/* With check=on each barrier comes here, one at a time; its code goes into another word. */
void trace_barrier(unsigned int code)
{
    struct bbm_event e = {.kind = BBM_BARRIER, .code = (enum trace_barrier)code};
    uint64_t *word = &this_cpu(trace_word_checked), flags = local_irq_save();

    trace_word = TRACE_WORD_CHECK;
    if (in_ring())
        *word = *word << TRACE_BARRIER_BITS | code;
    if ((int64_t)*word < 0)
        *word = spill(*word);
    check_event(&e);
    local_irq_restore(flags);
}

/*
 * A full word would lose its mark. With check=on a barrier that was interrupted behind
 * its site's ADDS is told later.
 */
void trace_interrupt_entry(uint64_t *pc)
{
    unsigned int code;

    if (!trace_site(TRACE_SITE_ALL))
        return;
    code = trace_site_finish(pc);
    if (trace_site(TRACE_SITE_CHECK)) {
        trace_word = TRACE_WORD_CHECK;
        if (code != TRACE_CODE_NONE)
            trace_barrier(code);
        return;
    }
    if (code != TRACE_CODE_NONE)
        trace_word = trace_word << TRACE_BARRIER_BITS | code;
    if ((int64_t)trace_word < 0)
        trace_word = spill(trace_word);
}

void trace_interrupt(unsigned int number, uint64_t pc)
{
    if (!trace_site(TRACE_SITE_ALL))
        return;
    if (!trace_site(TRACE_SITE_CHECK) || in_ring())
        trace_put(TRACE_IRQ, number, pc);
    if (trace_site(TRACE_SITE_CHECK))
        check_event(&(struct bbm_event){.kind = BBM_IRQ});
}

void trace_ttbr(uint64_t ttbr)
{
    uint64_t flags = local_irq_save();

    if (trace_site(TRACE_SITE_ALL) && options.trace == TRACE_ALL)
        trace_put(TRACE_TTBR, ttbr, (uintptr_t)__builtin_return_address(0));
    if (trace_site(TRACE_SITE_CHECK))
        check_event(&(struct bbm_event){.kind = BBM_TTBR, .operand = ttbr});
    local_irq_restore(flags);
}

void trace_use(uint64_t va)
{
    check_event(&(struct bbm_event){.kind = BBM_USE, .operand = va});
}

void trace_cpu_begin(void)
{
    char text[TRACE_TEXT_BYTES];

    this_cpu(trace_word_checked) = TRACE_BARRIERS_NONE;
    if (trace_site(TRACE_SITE_CHECK))
        trace_word = TRACE_WORD_CHECK;
    trace_ttbr(read_sysreg(ttbr0_el2));
    snprintk(text, sizeof(text), "CPU%u starts", smp_processor_id());
    trace_text(TRACE_TEXT_BOOT, text);
}

/* Bytes at from on, as many words as text has; 0 behind its end. */
static uint64_t text_word(const char *text, size_t length, size_t from)
{
    uint64_t word = 0;

    for (size_t i = from; i < length && i < from + sizeof(word); i++)
        word |= (uint64_t)(unsigned char)text[i] << 8 * (i - from);
    return word;
}

void trace_text(enum trace_text type, const char *text)
{
    struct beacon_cpu *c = trace_cpu;
    size_t length = strlen(text), most = (size_t)TRACE_GROUP_MAX * TRACE_TEXT_BYTES;
    uint64_t flags = local_irq_save(), head = c->ring_head, n = 0;

    length = length < most ? length : most;
    if (!trace_site(TRACE_SITE_ALL) || !c->ring) {
        local_irq_restore(flags);
        return;
    }
    do {
        uint64_t stamp = n ? (uint64_t)(TRACE_DETAIL | MORE(TRACE_DETAIL_TEXT))
                                     << TRACE_KIND_SHIFT |
                                 (c->ring_sides + n - 1)
                           : trace_stamp(TRACE_TEXT | MORE(type));
        size_t at = n * TRACE_TEXT_BYTES;

        trace_fill(trace_at(c, head + n), stamp, text_word(text, length, at),
                   text_word(text, length, at + 8), trace_word_now());
    } while (++n * TRACE_TEXT_BYTES < length);
    trace_publish(c, head + n);
    side_done(c, c->ring_sides + n - 1);
    local_irq_restore(flags);
}

/* Sites of the checker first: the others ask them. */
void trace_start(void)
{
    uint64_t flags = local_irq_save();

    if (options.check) {
        trace_sites_enable(1u << TRACE_SITE_CHECK);
        this_cpu(trace_word_checked) = TRACE_BARRIERS_NONE;
        trace_word = TRACE_WORD_CHECK;
    }
    if (options.trace >= TRACE_API)
        trace_sites_enable(1u << TRACE_SITE_API);
    if (options.trace == TRACE_ALL || options.check)
        trace_sites_enable(1u << TRACE_SITE_ALL);
    if (options.check)
        check_start();
    trace_cpu_begin();
    local_irq_restore(flags);
}
