/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The model has one CPU. */
#ifndef HV_ARCH_PERCPU_H
#define HV_ARCH_PERCPU_H

#include <hvscope/beacon.h>
#include <stdbool.h>

#define DEFINE_PER_CPU(type, name)  __typeof__(type) per_cpu__##name
#define DECLARE_PER_CPU(type, name) extern __typeof__(type) per_cpu__##name
#define per_cpu(name, cpu)          (*((void)(cpu), &per_cpu__##name))
#define this_cpu(name)              per_cpu__##name

static inline unsigned int smp_processor_id(void)
{
    return 0;
}

#endif /* HV_ARCH_PERCPU_H */
