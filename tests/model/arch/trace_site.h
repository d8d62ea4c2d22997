/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every site is on: entry stores come to machine.c, which makes them. */
#ifndef HV_ARCH_TRACE_SITE_H
#define HV_ARCH_TRACE_SITE_H

#include "arch/percpu.h"
#include <hvscope/trace.h>

#define ALWAYS_INLINE inline __attribute__((always_inline))

DECLARE_PER_CPU(struct beacon_cpu *, beacon_cpu);

#define TRACE_SITE_API    0
#define TRACE_SITE_ALL    1
#define trace_site(class) ((class) == TRACE_SITE_ALL)
#define trace_cpu         this_cpu(beacon_cpu)

#endif /* HV_ARCH_TRACE_SITE_H */
