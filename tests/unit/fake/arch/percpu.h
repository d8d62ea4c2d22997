/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fake: a per-CPU variable is an array; fake_cpu says whose turn it is. */
#ifndef HV_ARCH_PERCPU_H
#define HV_ARCH_PERCPU_H

#include "arch/sysreg.h"
#include <hvscope/beacon.h>
#include <stdbool.h>

#define NR_CPUS 4

#define DEFINE_PER_CPU(type, name)  __typeof__(type) per_cpu__##name[NR_CPUS]
#define DECLARE_PER_CPU(type, name) extern __typeof__(type) per_cpu__##name[NR_CPUS]
#define per_cpu(name, cpu)          (per_cpu__##name[cpu])
#define this_cpu(name)              (per_cpu__##name[fake_cpu])

static inline unsigned int smp_processor_id(void)
{
    return fake_cpu;
}

#endif /* HV_ARCH_PERCPU_H */
