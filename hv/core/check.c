/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/check.h"
#include "arch/spinlock.h"
#include "arch/timer.h"
#include "arch/tlb.h"
#include "core/beacon.h"
#include "core/cmdline.h"
#include "core/printk.h"
#include "core/trace_all.h"
#include "mm/domain_page.h"
#include "mm/page_alloc.h"

/* Tables that the image has, beside those of each CPU; ghosts: a whole mapcache broken at once. */
#define PAGES_SHARED  96
#define PAGES_CPU     8
#define GHOSTS        (2 * DOMHEAP_ENTRIES)
#define NS_PER_SECOND UINT64_C(1000000000)

static struct bbm *bbm; /* NULL: nothing is told yet */
static spinlock_t lock;

static void event_of_text(const struct bbm_finding *f, char *text, size_t size)
{
    snprintk(text, size, "%s %s at 0x%lx: %s", bbm_tier_name(f->tier), bbm_rule_tag(f), f->where,
             f->rule == BBM_UNBROKEN ? bbm_missing_text(f->missing) : bbm_rule_text(f->rule));
}

/* The lock is held. */
static void finding(void *context, const struct bbm_finding *f)
{
    char text[96];

    (void)context;
    if (f->count != 1)
        return;
    event_of_text(f, text, sizeof(text));
    trace_text(TRACE_TEXT_FINDING, text);
    printk("check: CPU%u %s %s at 0x%lx: %s%s%s; va 0x%lx entry 0x%lx: 0x%lx -> 0x%lx\n", f->cpu,
           bbm_tier_name(f->tier), bbm_rule_tag(f), f->where, bbm_rule_text(f->rule),
           f->missing ? ": " : "", bbm_missing_text(f->missing), f->va, f->pa, f->old, f->new);
}

/* Entries of the tables of one walk, a level each: one CPU learns at a time. */
static lpae_t learned[PT_LEVEL_LAST + 1][PT_ENTRIES];

/* Other CPUs may be telling it events already. */
static void table_tell(struct bbm *b, uint64_t pa, unsigned int level, uint64_t va,
                       const lpae_t *entry)
{
    uint64_t flags = spin_lock_irqsave(&lock);
    bool room = bbm_table(b, pa, level, va, entry);

    spin_unlock_irqrestore(&lock, flags);
    if (!room)
        panic("the checker has no room for the tables");
}

static void root_tell(struct bbm *b, unsigned int cpu, uint64_t pa)
{
    uint64_t flags = spin_lock_irqsave(&lock);

    bbm_root(b, cpu, pa);
    spin_unlock_irqrestore(&lock, flags);
}

static void table_learn(struct bbm *b, paddr_t pa, unsigned int level, uint64_t va)
{
    const lpae_t *table = xen_map_table(paddr_to_mfn(pa));

    for (unsigned int i = 0; i < PT_ENTRIES; i++)
        learned[level][i] = table[i];
    xen_unmap_table(table);
    table_tell(b, paddr_x(pa), level, va, learned[level]);
    for (unsigned int i = 0; i < PT_ENTRIES; i++) {
        lpae_t pte = learned[level][i];

        if (pte_is_table(pte, level))
            table_learn(b, pte_paddr(pte), level + 1, va + ((uint64_t)i << pt_level_shift(level)));
    }
}

/* Maps were made to learn the tables: the slots are read last, in place. */
static void slots_learn(struct bbm *b, unsigned int cpu)
{
    lpae_t *map = per_cpu(xen_dommap, cpu);

    for (unsigned int i = 0; i < DOMHEAP_SECOND_PAGES; i++)
        table_tell(b, paddr_x(virt_to_paddr(map + (size_t)i * PT_ENTRIES)), 2,
                   DOMHEAP_VIRT_START + ((uint64_t)i << pt_level_shift(1)),
                   map + (size_t)i * PT_ENTRIES);
}

/* Level 3 tables of the frametable: one for each 2 MiB of it. */
static size_t frametable_tables(void)
{
    struct region span = ram_span();

    return ((span.end - span.start) >> SLOT_SHIFT) * sizeof(struct extent) >> SLOT_SHIFT;
}

static struct bbm *checker_make(void)
{
    struct bbm_config config = {
        .ncpu = beacon()->ncpu,
        .level = beacon()->bbm_level,
        .ha = read_sysreg(tcr_el2) & TCR_HA,
        .known = true,
        .ordered = true,
        .pages = PAGES_SHARED + PAGES_CPU * beacon()->ncpu + frametable_tables(),
        /* Two constants. NOLINTNEXTLINE(bugprone-implicit-widening-of-multiplication-result) */
        .ghosts = GHOSTS,
        .found = finding,
    };
    void *memory = alloc_xenheap_pages(order_from_bytes(bbm_size(&config)));

    if (!memory)
        panic("no memory for the checker: %lu bytes", bbm_size(&config));
    return bbm_init(memory, &config);
}

/* Where tools find its rows. */
static void findings_publish(struct bbm *b)
{
    beacon()->findings = paddr_x(virt_to_paddr(bbm_finding(b, 0)));
    beacon()->findings_max = BBM_FINDINGS;
    beacon()->finding_size = sizeof(struct bbm_finding);
    beacon()->check = 1;
}

void check_start(void)
{
    struct bbm *b = checker_make();
    paddr_t root = virt_to_paddr(this_cpu(xen_pgtable));
    uint64_t flags = local_irq_save();

    table_learn(b, root, 0, 0);
    slots_learn(b, 0);
    root_tell(b, 0, paddr_x(root));
    tlb_flush_all_local();
    dsb_nsh();
    isb();
    findings_publish(b);
    bbm = b;
    local_irq_restore(flags);
}

void check_cpu(unsigned int cpu)
{
    paddr_t root;

    if (!bbm)
        return;
    root = virt_to_paddr(per_cpu(xen_pgtable, cpu));
    table_learn(bbm, root, 0, 0);
    slots_learn(bbm, cpu);
    root_tell(bbm, cpu, paddr_x(root));
}

/* ns of the physical counter. */
static uint64_t now_ns(void)
{
    uint64_t ticks = read_sysreg(cntpct_el0), hz = timer_frequency();

    return ticks / hz * NS_PER_SECOND + ticks % hz * NS_PER_SECOND / hz;
}

void check_action(struct bbm_event *e)
{
    struct beacon_cpu *c = trace_cpu;
    struct bbm_totals before, after;

    spin_lock(&lock);
    if (!bbm)
        return;
    c->produced += e->kind != BBM_USE && e->kind != BBM_IRQ;
    e->cpu = smp_processor_id();
    e->time = now_ns();
    before = bbm_totals(bbm);
    bbm_event(bbm, e);
    after = bbm_totals(bbm);
    c->checked += after.events - before.events;
    c->hazards += after.hazards - before.hazards;
    c->violations += after.violations - before.violations;
    c->notes += after.notes - before.notes;
}

void check_action_end(void)
{
    spin_unlock(&lock);
}

void check_event(struct bbm_event *e)
{
    check_action(e);
    check_action_end();
}

void check_print_totals(void)
{
    struct bbm_totals t;

    if (!bbm)
        return;
    t = bbm_totals(bbm);
    printk("check: %lu events, %lu hazards, %lu violations, %lu notes, %lu not judged\n", t.events,
           t.hazards, t.violations, t.notes, t.unjudged);
}

void check_poll(void)
{
    static uint64_t due, said;
    struct bbm_totals t;

    if (!bbm || timer_now() < due)
        return;
    due = timer_now() + timer_frequency();
    t = bbm_totals(bbm);
    if (t.hazards + t.violations == said)
        return;
    said = t.hazards + t.violations;
    check_print_totals();
}
