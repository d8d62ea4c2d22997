/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/trace.h"
#include "arch/irq.h"
#include "core/census.h"
#include "core/cmdline.h"
#include "core/printk.h"
#include "core/string.h"
#include "core/trace_put.h"
#include "mm/domain_page.h"
#include "mm/page_alloc.h"
#include <hvscope/mapcache.h>

bool trace_init_cpu(unsigned int cpu)
{
    struct trace_record *ring;
    size_t bytes = TRACE_RING_ENTRIES * sizeof(*ring);
    struct beacon_cpu *c = per_cpu(beacon_cpu, cpu);

    if (!census_init_cpu(cpu))
        return false;
    beacon()->trace_mode = options.trace;
    if (options.trace == TRACE_OFF)
        return true;
    ring = alloc_xenheap_pages(order_from_bytes(bytes));
    if (!ring)
        return false;
    memset(ring, 0, bytes);
    c->ring = paddr_x(virt_to_paddr(ring));
    c->ring_entries = TRACE_RING_ENTRIES;
    c->ring_va = (uintptr_t)ring;
    c->slots_pa_offset = c->l2[0] - (uintptr_t)per_cpu(xen_dommap, cpu);
    return true;
}

static inline void record(enum trace_kind kind, uint64_t what, const void *caller)
{
    if (trace_site(TRACE_SITE_API))
        trace_put(kind, what, (uintptr_t)caller);
}

static uint64_t what_of(mfn_t mfn, unsigned int slot, unsigned int refs)
{
    return mfn_x(mfn) | (uint64_t)slot << TRACE_SLOT_SHIFT | (uint64_t)refs << TRACE_REFS_SHIFT;
}

/* The page that a map of mfn through this slot is at. */
static vaddr_t page_of(mfn_t mfn, unsigned int slot)
{
    return _vaddr(DOMHEAP_VIRT_START + slot * SLOT_SIZE +
                  ((mfn_x(mfn) & SLOT_MFN_MASK) << PAGE_SHIFT));
}

/* The change is complete: even again. */
static void trace_end(struct beacon_cpu *c)
{
    __atomic_store_n(&c->generation, c->generation + 1, __ATOMIC_RELEASE);
}

void trace_map(mfn_t mfn, unsigned int slot, unsigned int refs, bool hit, unsigned int probe,
               const void *caller)
{
    struct beacon_cpu *c = trace_cpu;

    c->maps++;
    c->hits += hit;
    c->probes += probe;
    record(TRACE_MAP,
           what_of(mfn, slot, refs) | (uint64_t)hit << TRACE_HIT_SHIFT |
               (uint64_t)probe << TRACE_PROBE_SHIFT,
           caller);
    census_map(page_of(mfn, slot), caller);
    trace_end(c);
    if (hit && trace_site(TRACE_SITE_CHECK))
        trace_use(vaddr_x(page_of(mfn, slot)));
    if (tracepoint_armed(~0u))
        tracepoint_changed(mfn, slot, refs, true);
}

void trace_unmap(mfn_t mfn, unsigned int slot, unsigned int refs, const void *caller)
{
    struct beacon_cpu *c = trace_cpu;

    c->unmaps++;
    if (trace_site(TRACE_SITE_CHECK))
        trace_use(vaddr_x(page_of(mfn, slot)));
    record(TRACE_UNMAP, what_of(mfn, slot, refs), caller);
    census_unmap(page_of(mfn, slot), caller);
    trace_end(c);
    if (tracepoint_armed(~0u))
        tracepoint_changed(mfn, slot, refs, false);
}

void trace_done(void)
{
    trace_end(trace_cpu);
}

void trace_bypass(mfn_t mfn, const void *caller)
{
    uint64_t irq = local_irq_save();
    struct beacon_cpu *c = trace_cpu;

    c->bypasses++;
    record(TRACE_BYPASS, what_of(mfn, 0, 0), caller);
    local_irq_restore(irq);
}

/* A map, an unmap or a bypass? */
static bool is_call(const struct trace_record *r)
{
    unsigned int kind = r->head >> TRACE_KIND_SHIFT & TRACE_KIND_MASK;

    return kind >= TRACE_MAP && kind <= TRACE_BYPASS;
}

void trace_print_last(unsigned int n)
{
    static const char *const name[] = {
        [TRACE_MAP] = "map", [TRACE_UNMAP] = "unmap", [TRACE_BYPASS] = "bypass"};
    const struct beacon_cpu *c = trace_cpu;
    uint64_t oldest = c->ring_head > TRACE_RING_ENTRIES ? c->ring_head - TRACE_RING_ENTRIES : 0;
    uint64_t at = c->ring_head;

    for (unsigned int found = 0; c->ring && at > oldest && found < n; at--)
        found += is_call(trace_at(c, at - 1));
    for (; c->ring && at < c->ring_head; at++) {
        const struct trace_record *r = trace_at(c, at);

        if (is_call(r))
            printk("CPU%u: event %lu: %s mfn 0x%lx slot %lu refs %lu by 0x%lx\n",
                   smp_processor_id(), at, name[r->head >> TRACE_KIND_SHIFT & TRACE_KIND_MASK],
                   r->what & TRACE_MFN_MASK, r->what >> TRACE_SLOT_SHIFT & TRACE_SLOT_MASK,
                   r->what >> TRACE_REFS_SHIFT & TRACE_REFS_MASK, r->caller);
    }
}
