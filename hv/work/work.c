/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "work/work.h"
#include "arch/barrier.h"
#include "core/beacon.h"
#include "core/cmdline.h"
#include "core/console.h"
#include "core/pace.h"
#include "core/panic.h"
#include "core/printk.h"
#include "core/system.h"

/* Operations between two checks that counters, slots and work agree. */
#define CENSUS_INTERVAL 256

const struct workload *const workloads[] = {&work_copy};
const unsigned int nr_workloads = sizeof(workloads) / sizeof(workloads[0]);

static bool stopping;
static unsigned int nr_finished;

/*
 * Between two operations nothing is mapped, and three counts that are kept
 * apart say so: the slots, the work's own, maps less unmaps.
 */
static void census_check(void)
{
    const struct beacon_cpu *c = this_cpu(beacon_cpu);
    uint64_t refs = mapcache_refs(), held = this_cpu(pace_held);

    CHECK(refs == 0 && held == 0 && c->maps == c->unmaps,
          "slots hold %lu references, the work holds %lu, %lu maps, %lu unmaps", refs, held,
          c->maps, c->unmaps);
}

static void work_loop(const struct workload *work)
{
    struct beacon_cpu *c = this_cpu(beacon_cpu);

    while (!__atomic_load_n(&stopping, __ATOMIC_ACQUIRE)) {
        work->step();
        c->work++;
        if (c->work % CENSUS_INTERVAL == 0)
            census_check();
        if (smp_processor_id() == 0)
            console_poll();
    }
}

static void machine_finish(void)
{
    while (__atomic_load_n(&nr_finished, __ATOMIC_ACQUIRE) != cpus_online())
        cpu_relax();
    work_print_totals();
    printk("off: every map was given back\n");
    machine_off(BEACON_EXIT_OK);
}

void work_run(void)
{
    const struct workload *work = workloads[options.workload];

    while (__atomic_load_n(&system_state, __ATOMIC_ACQUIRE) != SYS_ACTIVE)
        cpu_relax();
    work->init();
    pace_start();
    work_loop(work);
    work->exit();
    census_check();
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
