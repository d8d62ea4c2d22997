/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workload "tracecost": what a choke point costs, and off. A line for each: how
 * many times, and the ticks that they took. Under -icount shift=0 a nanosecond is
 * an instruction, so the difference between trace=all and trace=off is what
 * recording costs, exactly. The loops are the same, whatever is recorded.
 */
#include "arch/irq.h"
#include "arch/tlb.h"
#include "core/panic.h"
#include "core/printk.h"
#include "mm/domain_page.h"
#include "mm/page_alloc.h"
#include "mm/pgtable.h"
#include "work/work.h"

#define TIMES 16384

static void *page; /* held, so its slot is in use */

static lpae_t *held_entry(void)
{
    return &this_cpu(xen_dommap)[((uintptr_t)page - DOMHEAP_VIRT_START) >> SLOT_SHIFT];
}

/* Barriers alone: each fifteenth fills the word, which is spilled. */
static void barrier(void)
{
    dsb_nsh();
}

static void synchronize(void)
{
    isb();
}

static void count_store(void)
{
    pte_set_refs(held_entry(), *held_entry());
}

static void entry_store(void)
{
    pte_store(held_entry(), *held_entry());
}

static void invalidate(void)
{
    tlb_flush_va_local(_vaddr((uintptr_t)page));
}

static void map_and_unmap(void)
{
    unmap_domain_page(map_domain_page(domain_page_map_to_mfn(page)));
}

static const struct {
    const char *name;
    void (*run)(void);
} choke_points[] = {
    {"dsb", barrier},       {"isb", synchronize}, {"count", count_store},
    {"entry", entry_store}, {"tlbi", invalidate}, {"map+unmap", map_and_unmap},
};

static void measure(const char *name, void (*run)(void))
{
    uint64_t irq = local_irq_save(), start = read_sysreg(cntpct_el0), ticks;

    for (unsigned int i = 0; i < TIMES; i++)
        run();
    ticks = read_sysreg(cntpct_el0) - start;
    local_irq_restore(irq);
    printk("tracecost: %s %u times, %lu ticks of %lu Hz\n", name, TIMES, ticks,
           read_sysreg(cntfrq_el0));
}

static void tracecost_step(void)
{
    if (smp_processor_id() != 0) {
        work_idle.step();
        return;
    }
    page = map_domain_page(alloc_domheap_page());
    for (unsigned int i = 0; i < sizeof(choke_points) / sizeof(choke_points[0]); i++)
        measure(choke_points[i].name, choke_points[i].run);
    machine_off(BEACON_EXIT_OK);
}

static void nothing(void)
{
}

const struct workload work_tracecost = {
    .name = "tracecost",
    .looks = "over at once: a line a choke point, what it costs with this trace=, then off",
    .init = nothing,
    .step = tracecost_step,
    .exit = nothing,
};
