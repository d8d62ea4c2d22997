/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Per-CPU variables, as in Xen: symbol per_cpu__NAME is the boot CPU's copy,
 * CPU n's is __per_cpu_offset[n] bytes further. TPIDR_EL2 holds this CPU's
 * offset. The offset of a CPU that is not up is PERCPU_INVALID.
 */
#ifndef HV_ARCH_PERCPU_H
#define HV_ARCH_PERCPU_H

#include "arch/sysreg.h"
#include <hvscope/beacon.h>
#include <stdbool.h>

#define NR_CPUS BEACON_CPUS_MAX

#define DEFINE_PER_CPU(type, name)                                                                 \
    __attribute__((section(".bss.percpu"))) __typeof__(type) per_cpu__##name
#define DECLARE_PER_CPU(type, name) extern __typeof__(type) per_cpu__##name

/* The address is opaque to the compiler: it is not inside the named object. */
#define percpu_shift(ptr, offset)                                                                  \
    ({                                                                                             \
        uintptr_t p_ = (uintptr_t)(ptr);                                                           \
        asm("" : "+r"(p_));                                                                        \
        (__typeof__(ptr))(p_ + (offset));                                                          \
    })

#define per_cpu(name, cpu) (*percpu_shift(&per_cpu__##name, __per_cpu_offset[cpu]))
#define this_cpu(name)     (*percpu_shift(&per_cpu__##name, read_sysreg(tpidr_el2)))

extern char __per_cpu_start[], __per_cpu_end[];
extern unsigned long __per_cpu_offset[NR_CPUS];
extern unsigned long cpu_online_map; /* bit n: CPU n is up */
#define PERCPU_INVALID (-(unsigned long)__per_cpu_start)

DECLARE_PER_CPU(unsigned int, cpu_id);

static inline unsigned int smp_processor_id(void)
{
    return this_cpu(cpu_id);
}

/* Make the linked copy the boot CPU's, mark the other CPUs as not up. */
void percpu_init_boot(void);

/* Give a CPU its copy, zeroed. False if there is no memory. */
bool percpu_init_secondary(unsigned int cpu);

/* Mark this CPU as up. */
void percpu_set_online(void);

/* How many are. */
unsigned int cpus_online(void);

#endif /* HV_ARCH_PERCPU_H */
