/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/smp.h"
#include "arch/boot.h"
#include "arch/cache.h"
#include "arch/gic.h"
#include "arch/percpu.h"
#include "arch/psci.h"
#include "arch/timer.h"
#include "core/check.h"
#include "core/fdt.h"
#include "core/main.h"
#include "core/printk.h"
#include "core/string.h"
#include "core/trace.h"
#include "mm/boot_tables.h"
#include "mm/domain_page.h"
#include "mm/page_alloc.h"

#define STACK_ORDER 3 /* 32 KiB */

unsigned int smp_count(const void *fdt)
{
    unsigned int n = 1;
    uint64_t mpidr;

    while (n < NR_CPUS && fdt_cpu(fdt, n, &mpidr))
        n++;
    return n;
}

/* A root with the shared slots of this CPU's, and the identity map for the start. */
static bool root_make(unsigned int cpu)
{
    lpae_t *root = alloc_xenheap_pages(0);

    if (!root)
        return false;
    memcpy(root, this_cpu(xen_pgtable), PAGE_SIZE);
    root[DOMHEAP_L0_INDEX] = 0;
    identity_map_insert(root);
    per_cpu(xen_pgtable, cpu) = root;
    return init_domheap_mappings(cpu);
}

/* Everything that a CPU needs before its first instruction; NULL without memory. */
static struct boot_cpu *boot_cpu_make(unsigned int cpu, uint64_t mpidr)
{
    struct boot_cpu *boot = alloc_xenheap_pages(0);
    char *stack = alloc_xenheap_pages(STACK_ORDER);

    if (!boot || !stack || !percpu_init_secondary(cpu))
        return NULL;
    beacon_cpu_init(cpu, mpidr);
    if (!root_make(cpu) || !trace_init_cpu(cpu))
        return NULL;
    check_cpu(cpu);
    boot_cpu_init(boot);
    boot->stack_pa = paddr_x(virt_to_paddr(stack)) + (PAGE_SIZE << STACK_ORDER);
    boot->stack_va = (uintptr_t)stack + (PAGE_SIZE << STACK_ORDER);
    boot->ttbr0 = paddr_x(virt_to_paddr(per_cpu(xen_pgtable, cpu)));
    boot->tpidr = __per_cpu_offset[cpu];
    boot->argument = cpu;
    boot->entry = (uintptr_t)secondary_main;
    return boot;
}

static void cpu_start(unsigned int cpu, uint64_t mpidr)
{
    struct boot_cpu *boot = boot_cpu_make(cpu, mpidr);
    uint64_t deadline = timer_now() + timer_frequency();
    int error;

    if (!boot) {
        printk("CPU%u: no memory to start it\n", cpu);
        return;
    }
    /* It reads these with its MMU and caches off. */
    dcache_clean(boot, sizeof(*boot));
    beacon_cpu_state(cpu, BEACON_CPU_MMU_OFF);
    error =
        psci_cpu_on(mpidr, paddr_x(virt_to_paddr(secondary_start)), paddr_x(virt_to_paddr(boot)));
    while (!error && timer_now() < deadline) {
        if (__atomic_load_n(&cpu_online_map, __ATOMIC_ACQUIRE) >> cpu & 1)
            return;
        cpu_relax();
    }
    beacon_cpu_state(cpu, BEACON_CPU_OFF);
    printk("CPU%u: PSCI CPU_ON of MPIDR 0x%lx: %s (%d)\n", cpu, mpidr,
           error ? "refused" : "it does not come up", error);
}

void smp_start(const void *fdt, unsigned int n)
{
    uint64_t mpidr;

    for (unsigned int cpu = 1; cpu < n && fdt_cpu(fdt, cpu, &mpidr); cpu++)
        cpu_start(cpu, mpidr);
}
