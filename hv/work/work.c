/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "work/work.h"
#include "arch/spinlock.h"
#include "core/beacon.h"
#include "core/census.h"
#include "core/check.h"
#include "core/cmdline.h"
#include "core/console.h"
#include "core/fault.h"
#include "core/pace.h"
#include "core/panic.h"
#include "core/printk.h"
#include "core/system.h"
#include "work/plan.h"
#include "work/random.h"

/* Operations between two checks that counters, slots and work agree. */
#define CHECK_INTERVAL 256

const struct workload *const workloads[] = {
    &work_idle,   &work_guest,    &work_scrub,  &work_copy,      &work_p2m,  &work_storm,
    &work_nest,   &work_saturate, &work_stride, &work_fill,      &work_leak, &work_race,
    &work_replay, &work_selftest, &work_bench,  &work_tracecost,
};
const unsigned int nr_workloads = sizeof(workloads) / sizeof(workloads[0]);

/* What a CPU does at present. */
struct work_cpu {
    uint64_t number; /* of the plan that this is of */
    unsigned int nr;
    unsigned int next; /* whose turn it is */
    struct plan_entry entry[PLAN_CPU_MAX];
    const struct plan_entry *running;
    uint64_t kept; /* maps that stay open from one operation to the next */
};

static DEFINE_PER_CPU(struct work_cpu, work_cpu);

static spinlock_t plan_lock;
static struct plan plan;
static uint64_t plan_number; /* grows whenever the plan changes */
static bool stopping;
static unsigned int nr_finished;

uint64_t work_argument(void)
{
    return this_cpu(work_cpu).running->argument;
}

void work_keep(const void *map)
{
    this_cpu(work_cpu).kept += domain_page_is_slot(map);
}

void work_unkeep(const void *map)
{
    this_cpu(work_cpu).kept -= domain_page_is_slot(map);
}

/* An interrupt between two of the reads would count for one of them only. */
void work_check(void)
{
    const struct beacon_cpu *c = this_cpu(beacon_cpu);
    uint64_t irq = local_irq_save();
    uint64_t refs = mapcache_refs(), held = this_cpu(pace_held);
    uint64_t kept = this_cpu(work_cpu).kept;

    if (refs != kept)
        census_print(smp_processor_id());
    CHECK(refs == kept && held == kept && c->maps - c->unmaps == kept,
          "slots hold %lu references, the work holds %lu and keeps %lu, %lu maps, %lu unmaps", refs,
          held, kept, c->maps, c->unmaps);
    census_check(refs);
    local_irq_restore(irq);
}

static void entry_run(const struct plan_entry *e, void (*function)(void))
{
    this_cpu(work_cpu).running = e;
    function();
}

/* Give back what the work took: at full speed, and the last to come is the first to go. */
static void work_end(void)
{
    struct work_cpu *w = &this_cpu(work_cpu);

    pace_stop();
    while (w->nr) {
        const struct plan_entry *e = &w->entry[--w->nr];

        entry_run(e, e->work->exit);
    }
    if (smp_processor_id() == 0)
        fault_end();
    work_check();
    CHECK(w->kept == 0, "%lu maps are still open", w->kept);
}

static void work_begin(void)
{
    struct work_cpu *w = &this_cpu(work_cpu);
    uint64_t irq = spin_lock_irqsave(&plan_lock);

    w->number = plan_number;
    w->nr = plan_for(&plan, smp_processor_id(), w->entry);
    w->next = 0;
    spin_unlock_irqrestore(&plan_lock, irq);
    for (unsigned int i = 0; i < w->nr; i++)
        entry_run(&w->entry[i], w->entry[i].work->init);
    work_check();
    pace_start();
}

/* One operation, of each workload in turn. A CPU without any is idle. */
static void work_step(void)
{
    struct work_cpu *w = &this_cpu(work_cpu);
    struct beacon_cpu *c = this_cpu(beacon_cpu);

    if (!w->nr) {
        work_idle.step();
        return;
    }
    entry_run(&w->entry[w->next], w->entry[w->next].work->step);
    w->next = (w->next + 1) % w->nr;
    c->work++;
    if (c->work % CHECK_INTERVAL == 0)
        work_check();
}

static void work_loop(void)
{
    while (!__atomic_load_n(&stopping, __ATOMIC_ACQUIRE)) {
        if (__atomic_load_n(&plan_number, __ATOMIC_ACQUIRE) != this_cpu(work_cpu).number) {
            work_end();
            work_begin();
        }
        work_step();
        if (smp_processor_id() == 0) {
            console_poll();
            fault_poll();
            check_poll();
        }
    }
}

static void machine_finish(void)
{
    while (__atomic_load_n(&nr_finished, __ATOMIC_ACQUIRE) != cpus_online())
        cpu_relax();
    work_print_totals();
    check_print_totals();
    printk("off: every map was given back\n");
    machine_off(BEACON_EXIT_OK);
}

void work_run(void)
{
    while (__atomic_load_n(&system_state, __ATOMIC_ACQUIRE) != SYS_ACTIVE)
        work_idle.step(); /* asleep: the boot CPU may need the host's core */
    random_init();
    if (smp_processor_id() == 0 && !work_load(options.workload))
        work_load(word_from(WORKLOAD_DEFAULT));
    work_loop();
    work_end();
    local_irq_save(); /* interrupts map too: from here on this CPU's counters are final */
    __atomic_fetch_add(&nr_finished, 1, __ATOMIC_ACQ_REL);
    if (smp_processor_id() == 0)
        machine_finish();
    for (;;)
        asm volatile("wfi");
}

void work_stop(void)
{
    __atomic_store_n(&stopping, true, __ATOMIC_RELEASE);
}

bool work_load(struct word text)
{
    static struct plan wanted; /* the boot CPU alone loads */
    char why[80];
    uint64_t irq;

    if (!plan_parse(text, beacon()->ncpu, &wanted, why, sizeof(why))) {
        printk("workload: %s\n", why);
        return false;
    }
    irq = spin_lock_irqsave(&plan_lock);
    plan = wanted;
    __atomic_store_n(&plan_number, plan_number + 1, __ATOMIC_RELEASE);
    spin_unlock_irqrestore(&plan_lock, irq);
    return true;
}

void work_print(void)
{
    for (unsigned int i = 0; i < plan.nr; i++) {
        const struct plan_entry *e = &plan.entry[i];

        if (e->cpu == PLAN_ALL)
            printk("CPUs that are not named: %s", e->work->name);
        else
            printk("CPU%d: %s", e->cpu, e->work->name);
        printk(e->work->accepts && e->argument ? ":%lu\n" : "\n", e->argument);
    }
    for (unsigned int i = 0; i < nr_workloads; i++) {
        const struct workload *w = workloads[i];

        printk("  %-8s %s%s%s%s\n", w->name, w->looks, w->argument ? " (argument: " : "",
               w->argument ? w->argument : "", w->argument ? ")" : "");
    }
}

void work_print_totals(void)
{
    const struct beacon_cpu *c;

    for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++) {
        if (!(cpu_online_map >> cpu & 1))
            continue;
        c = per_cpu(beacon_cpu, cpu);
        printk("CPU%u: %lu maps, %lu unmaps, %lu hits, %lu commandeers, %lu operations, "
               "%lu pages verified, %lu interrupts (%lu inside)\n",
               cpu, c->maps, c->unmaps, c->hits, c->commandeers, c->work, c->verified, c->irqs,
               c->irqs_inside);
    }
}
