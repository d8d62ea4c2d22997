/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "work/bench_events.h"
#include "core/panic.h"
#include "core/printk.h"
#include "core/trace_put.h"
#include "mm/domain_page.h"

#define NO_BLOCK UINT64_MAX

static struct {
    uint64_t head;      /* record that is read next */
    unsigned int codes; /* of the barrier word, counted already */
    uint64_t records;
    uint64_t stores;
    uint64_t tlbi[TRACE_TLBI_OPS];
    uint64_t barriers[TRACE_DSB_SY + 1];
    uint64_t tlb[DOMHEAP_ENTRIES]; /* block that a slot is translated to, or NO_BLOCK */
    uint64_t walks;
    uint64_t stale; /* accesses that reached another block than the map's */
    unsigned int linger_max;
} events;

void events_start(void)
{
    events.head = trace_cpu->ring_head;
    events.codes = trace_barrier_count(trace_word_now());
    for (unsigned int slot = 0; slot < DOMHEAP_ENTRIES; slot++)
        events.tlb[slot] = NO_BLOCK;
}

static void barriers_count(uint64_t word)
{
    unsigned int n = trace_barrier_count(word);

    for (; events.codes < n; events.codes++)
        events.barriers[trace_barrier_at(word, events.codes)]++;
}

/* What the slots that cover [va, va + bytes) had in the TLB is gone. */
static void tlb_drop(uint64_t va, uint64_t bytes)
{
    uint64_t first = (va - DOMHEAP_VIRT_START) >> SLOT_SHIFT;
    uint64_t end = (va + bytes - 1 - DOMHEAP_VIRT_START) >> SLOT_SHIFT;

    for (uint64_t slot = first; slot <= end && slot < DOMHEAP_ENTRIES; slot++)
        events.tlb[slot] = NO_BLOCK;
}

/* RVAE2, RVALE2: [36:0] page number, [43:39] NUM, [45:44] SCALE (Arm ARM C5.5). */
static void tlb_drop_range(uint64_t operand)
{
    uint64_t num = operand >> 39 & 31, scale = operand >> 44 & 3;

    tlb_drop((operand & ((UINT64_C(1) << 37) - 1)) << PAGE_SHIFT, ((num + 1) << (5 * scale + 1))
                                                                      << PAGE_SHIFT);
}

static void tlbi_count(const struct trace_record *r)
{
    unsigned int op = r->head >> TRACE_MORE_SHIFT & TRACE_TLBI_OP_MASK;

    CHECK(op < TRACE_TLBI_OPS, "operation %u", op);
    events.tlbi[op]++;
    if (op == TRACE_TLBI_ALLE2)
        tlb_drop(DOMHEAP_VIRT_START, DOMHEAP_VIRT_SIZE);
    else if (op == TRACE_TLBI_RVAE2 || op == TRACE_TLBI_RVALE2)
        tlb_drop_range(r->what);
    else if (op == TRACE_TLBI_VAE2 || op == TRACE_TLBI_VALE2)
        tlb_drop((r->what & ((UINT64_C(1) << 44) - 1)) << PAGE_SHIFT, PAGE_SIZE);
}

static void record_read(const struct trace_record *r)
{
    enum trace_kind kind = r->head >> TRACE_KIND_SHIFT & TRACE_KIND_MASK;

    events.records++;
    events.stores += kind == TRACE_PTE || kind == TRACE_REFS;
    if (kind == TRACE_TLBI)
        tlbi_count(r);
    if (kind != TRACE_PTE) /* its DETAIL has the word */
        barriers_count(r->barriers);
    if (kind == TRACE_BARRIERS)
        events.codes = 0;
}

void events_read(void)
{
    const struct beacon_cpu *c = trace_cpu;

    if (!c->ring)
        return;
    CHECK(c->ring_head - events.head <= TRACE_RING_ENTRIES, "%lu records in one call",
          c->ring_head - events.head);
    for (; events.head < c->ring_head; events.head++)
        record_read(trace_at(c, events.head));
    barriers_count(trace_word_now());
}

void events_access(unsigned int slot, mfn_t mfn)
{
    uint64_t block = mfn_x(mfn) >> SLOT_MFN_SHIFT;

    events.walks += events.tlb[slot] == NO_BLOCK;
    events.stale += events.tlb[slot] != NO_BLOCK && events.tlb[slot] != block;
    events.tlb[slot] = block;
}

void events_look(void)
{
    const lpae_t *map = this_cpu(xen_dommap);
    unsigned int n = 0;

    for (unsigned int slot = 0; slot < DOMHEAP_ENTRIES; slot++)
        n += events.tlb[slot] != NO_BLOCK && pte_refs(map[slot]) == 0;
    if (n > events.linger_max)
        events.linger_max = n;
}

/* The names are those of the counting plugin: viewer/tracer/count.c. */
void events_print(void)
{
    const uint64_t *t = events.tlbi, *b = events.barriers;

    if (!trace_cpu->ring)
        return;
    printk("bench: ring records=%lu tlbi_va=%lu tlbi_range=%lu tlbi_all=%lu tlbi_other=%lu "
           "entry_stores=%lu\n",
           events.records, t[TRACE_TLBI_VAE2] + t[TRACE_TLBI_VALE2],
           t[TRACE_TLBI_RVAE2] + t[TRACE_TLBI_RVALE2], t[TRACE_TLBI_ALLE2],
           t[TRACE_TLBI_IPAS2E1] + t[TRACE_TLBI_VMALLE1] + t[TRACE_TLBI_VMALLS12E1], events.stores);
    printk("bench: barriers dsb_sy=%lu dsb_nsh=%lu dsb_st=%lu dsb_ld=%lu isb=%lu\n",
           b[TRACE_DSB_SY] + b[TRACE_DSB_ISH] + b[TRACE_DSB_OSH], b[TRACE_DSB_NSH],
           b[TRACE_DSB_ST] + b[TRACE_DSB_ISHST] + b[TRACE_DSB_OSHST] + b[TRACE_DSB_NSHST],
           b[TRACE_DSB_LD] + b[TRACE_DSB_ISHLD] + b[TRACE_DSB_OSHLD] + b[TRACE_DSB_NSHLD],
           b[TRACE_ISB]);
    printk("bench: tlb walks=%lu stale=%lu linger=%u\n", events.walks, events.stale,
           events.linger_max);
}
