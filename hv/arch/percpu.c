/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/percpu.h"
#include "core/string.h"
#include "mm/page_alloc.h"

unsigned long __per_cpu_offset[NR_CPUS];
unsigned long cpu_online_map;
DEFINE_PER_CPU(unsigned int, cpu_id);

void percpu_init_boot(void)
{
    for (unsigned int cpu = 1; cpu < NR_CPUS; cpu++)
        __per_cpu_offset[cpu] = PERCPU_INVALID;
    percpu_set_online();
}

bool percpu_init_secondary(unsigned int cpu)
{
    size_t bytes = __per_cpu_end - __per_cpu_start;
    char *area = alloc_xenheap_pages(order_from_bytes(bytes));

    if (!area)
        return false;
    memset(area, 0, bytes);
    __per_cpu_offset[cpu] = area - __per_cpu_start;
    per_cpu(cpu_id, cpu) = cpu;
    return true;
}

void percpu_set_online(void)
{
    __atomic_or_fetch(&cpu_online_map, 1ul << smp_processor_id(), __ATOMIC_RELEASE);
}

unsigned int cpus_online(void)
{
    unsigned long map = __atomic_load_n(&cpu_online_map, __ATOMIC_ACQUIRE);
    unsigned int n = 0;

    for (; map; map &= map - 1)
        n++;
    return n;
}
