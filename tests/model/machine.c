/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine.h"
#include "checker.h"
#include "core/beacon.h"
#include "core/cmdline.h"
#include "core/interrupt.h"
#include "core/trace.h"
#include "core/trace_all.h"
#include "mm/directmap.h"
#include "mm/domain_page.h"
#include "mm/pgtable.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct machine machine;
bool machine_has_range;
unsigned int machine_hazards;
const char *machine_violation;
int machine_irq_at = -1;
unsigned int machine_places;
void (*machine_irq_handler)(void);

static bool irq_masked;
static struct beacon_cpu block;

DEFINE_PER_CPU(lpae_t *, xen_dommap) = machine.slot;
DEFINE_PER_CPU(struct beacon_cpu *, beacon_cpu) = &block;
DEFINE_PER_CPU(bool, mapcache_urgent);
struct beacon_area beacon_area;
struct options options = {.zap_limit = 2};
bool mapcache_skip_tlbi;

static void set_add(struct set *set, uint32_t value)
{
    uint32_t at = 0;

    while (at < set->n && set->value[at] < value)
        at++;
    if ((at < set->n && set->value[at] == value) || set->n == SET_MAX)
        return;
    memmove(&set->value[at + 1], &set->value[at], (set->n - at) * sizeof(value));
    set->value[at] = value;
    set->n++;
}

static void set_make(struct set *set, uint32_t value)
{
    memset(set, 0, sizeof(*set));
    set_add(set, value);
}

/* Has it a live value other than this one? */
static bool set_has_other(const struct set *set, uint32_t value)
{
    for (uint32_t i = 0; i < set->n; i++) {
        if (set->value[i] && set->value[i] != value)
            return true;
    }
    return false;
}

/* The count is not part of a translation. */
static uint32_t value_of(lpae_t pte)
{
    return pte_valid(pte) ? 1 + (uint32_t)(mfn_x(pte_mfn(pte)) / PT_ENTRIES) : 0;
}

static void violation(const char *format, unsigned int slot)
{
    static char text[128];

    if (machine_violation)
        return;
    snprintf(text, sizeof(text), format, slot);
    machine_violation = text;
}

void machine_reset(void)
{
    memset(&machine, 0, sizeof(machine));
    for (unsigned int s = 0; s < DOMHEAP_ENTRIES; s++)
        set_make(&machine.walk[s], 0);
    memset(&block, 0, sizeof(block));
    machine_hazards = 0;
    machine_violation = NULL;
    machine_irq_at = -1;
    this_cpu(mapcache_urgent) = false;
    irq_masked = false;
}

/* An interrupt can come here. */
static void place(void)
{
    if (irq_masked || !machine_irq_handler)
        return;
    if (machine_irq_at != (int)machine_places++)
        return;
    irq_masked = true;
    mapcache_urgent_begin();
    machine_irq_handler();
    mapcache_urgent_end();
    irq_masked = false;
}

uint64_t machine_irq_mask(void)
{
    bool was = irq_masked;

    irq_masked = true; /* what could come here could come at the end of the call before */
    return was;
}

void machine_irq_restore(uint64_t flags)
{
    irq_masked = flags;
    place();
}

/* What the walker may read it may put into the TLB, at once. */
static void walk_add(unsigned int s, uint32_t value)
{
    set_add(&machine.walk[s], value);
    if (value)
        set_add(&machine.tlb[s], value);
    if (value && machine.flushing[s])
        set_add(&machine.late[s], value);
}

static void store(lpae_t *p, lpae_t pte)
{
    unsigned int s = (unsigned int)(p - machine.slot);
    uint32_t value = value_of(pte);

    place();
    if (value && set_has_other(&machine.tlb[s], value)) {
        machine_hazards++;
        if (mapcache_engine != BEACON_ENGINE_XEN)
            violation("slot %u is made while the TLB may hold another frame of it", s);
    }
    machine.fresh[s] = value && value_of(*p) != value;
    checker_store(s, *p, pte);
    *p = pte;
    walk_add(s, value);
    place();
}

void trace_pte_store(uint64_t *p, uint64_t pte, unsigned int where)
{
    (void)where;
    store(p, pte);
}

void trace_refs_store(uint64_t *p, uint64_t pte)
{
    bool fresh = machine.fresh[p - machine.slot];

    store(p, pte);
    machine.fresh[p - machine.slot] = fresh;
}

/* Stores are complete, for the walker too; a TLBI only with a barrier for loads as well (RPSMWS).
 */
void machine_dsb(enum trace_barrier code)
{
    unsigned int type = code & TRACE_DSB_TYPE_MASK;
    bool loads_too = type == (TRACE_DSB_TYPE_LD | TRACE_DSB_TYPE_ST);

    place();
    checker_barrier(code);
    for (unsigned int s = 0; s < DOMHEAP_ENTRIES; s++) {
        if (machine.flushing[s] && loads_too) {
            machine.tlb[s] = machine.late[s];
            machine.flushing[s] = false;
            memset(&machine.late[s], 0, sizeof(machine.late[s]));
        }
        set_make(&machine.walk[s], value_of(machine.slot[s]));
    }
    place();
}

/* Before the DSB it changes nothing: what a walk could not see yet may still fault. */
void machine_isb(void)
{
    place();
    for (unsigned int s = 0; s < DOMHEAP_ENTRIES; s++) {
        if (machine.walk[s].n == 1)
            machine.fresh[s] = false;
    }
    place();
}

/* Not complete, nor seen by walks that have begun, until a DSB. */
void machine_tlbi(uint64_t va, uint64_t blocks, enum trace_tlbi op, uint64_t operand)
{
    uint64_t first = (va - DOMHEAP_VIRT_START) / SLOT_SIZE;

    place();
    checker_tlbi(op, operand);
    for (uint64_t s = first; s < first + blocks && s < DOMHEAP_ENTRIES; s++) {
        machine.flushing[s] = true;
        memset(&machine.late[s], 0, sizeof(machine.late[s]));
        for (uint32_t i = 0; i < machine.walk[s].n; i++) {
            if (machine.walk[s].value[i])
                set_add(&machine.late[s], machine.walk[s].value[i]);
        }
    }
    place();
}

void machine_access(const void *p, mfn_t mfn)
{
    uint64_t offset = (uintptr_t)p - DOMHEAP_VIRT_START;
    unsigned int s = (unsigned int)(offset / SLOT_SIZE);
    uint32_t value = 1 + (uint32_t)(mfn_x(mfn) / PT_ENTRIES);

    if (s >= DOMHEAP_ENTRIES || offset % SLOT_SIZE / PAGE_SIZE != mfn_x(mfn) % PT_ENTRIES)
        violation("the address of slot %u is not that of the frame", s);
    else if (set_has_other(&machine.tlb[s], value) || set_has_other(&machine.walk[s], value))
        violation("an access through slot %u may reach another frame", s);
    else if (machine.walk[s].n != 1 || machine.walk[s].value[0] != value || machine.fresh[s])
        violation("an access through slot %u may fault", s);
}

unsigned int machine_lingering(void)
{
    unsigned int n = 0;

    for (unsigned int s = 0; s < DOMHEAP_ENTRIES; s++)
        n += !pte_valid(machine.slot[s]) && machine.tlb[s].n;
    return n;
}

/* What the image's other files would do. */

static void end(void)
{
    block.generation++;
}

void trace_map(mfn_t mfn, unsigned int slot, unsigned int refs, bool hit, unsigned int probe,
               const void *caller)
{
    (void)mfn, (void)slot, (void)refs, (void)hit, (void)probe, (void)caller;
    end();
}

void trace_unmap(mfn_t mfn, unsigned int slot, unsigned int refs, const void *caller)
{
    (void)mfn, (void)slot, (void)refs, (void)caller;
    end();
}

void trace_done(void)
{
    end();
}

void trace_bypass(mfn_t mfn, const void *caller)
{
    (void)mfn, (void)caller;
}

void mapcache_commandeer(unsigned int slot, lpae_t was, mfn_t now)
{
    (void)slot, (void)was, (void)now;
}

void mapcache_full(mfn_t mfn)
{
    (void)mfn;
}

bool arch_mfns_in_directmap(uint64_t mfn, uint64_t nr)
{
    (void)mfn, (void)nr;
    return false;
}

paddr_t virt_to_paddr(const volatile void *p)
{
    return _paddr((uintptr_t)p);
}

void mapcache_panic_full(const lpae_t *map, mfn_t mfn)
{
    (void)map;
    panic("no slot for mfn 0x%lx", mfn_x(mfn));
}

/* Ends the operation at hand; where explore.c asked for it, it is what must come. */
void panic(const char *format, ...)
{
    static char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    machine_panic(text);
}
