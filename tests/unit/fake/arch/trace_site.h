/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fake: a site is a condition. FAKE_TRACE_ALL, if a test defines it, says whether all is recorded.
 */
#ifndef HV_ARCH_TRACE_SITE_H
#define HV_ARCH_TRACE_SITE_H

#include "arch/percpu.h"
#include <hvscope/trace.h>

#ifndef FAKE_TRACE_ALL
#define FAKE_TRACE_ALL 0
#endif

DECLARE_PER_CPU(struct beacon_cpu *, beacon_cpu);

#define ALWAYS_INLINE inline __attribute__((always_inline))

#define TRACE_SITE_API   0
#define TRACE_SITE_ALL   1
#define TRACE_SITE_CHECK 2

#define trace_site(class)                                                                          \
    ((class) == TRACE_SITE_API ? this_cpu(beacon_cpu)->ring != 0                                   \
                               : (class) == TRACE_SITE_ALL && FAKE_TRACE_ALL)

#define trace_cpu this_cpu(beacon_cpu)
static uint64_t trace_word __attribute__((unused)) = TRACE_BARRIERS_NONE;
#define TRACE_WORD_CHECK UINT64_C(0)

static inline uint64_t trace_stamp(unsigned int kind_more)
{
    return (fake_counter() & TRACE_TIME_MASK) | (uint64_t)kind_more << TRACE_KIND_SHIFT;
}

static inline void trace_sites_enable(unsigned int classes)
{
    (void)classes;
}

#endif /* HV_ARCH_TRACE_SITE_H */
