/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing records into this CPU's ring, interrupts masked: for trace*.c; and for readers in the
 * image. */
#ifndef HV_CORE_TRACE_PUT_H
#define HV_CORE_TRACE_PUT_H

#include "arch/percpu.h"
#include "arch/trace_site.h"
#include "core/trace_all.h"

/* The barrier word where barriers are not collected in trace_word: with check=on. */
DECLARE_PER_CPU(uint64_t, trace_word_checked);

/* The barrier word for a record. */
static inline uint64_t trace_word_now(void)
{
    return trace_site(TRACE_SITE_CHECK) ? this_cpu(trace_word_checked) : trace_word;
}

static inline struct trace_record *trace_at(const struct beacon_cpu *c, uint64_t n)
{
    return (struct trace_record *)c->ring_va + n % TRACE_RING_ENTRIES;
}

static inline void trace_fill(struct trace_record *r, uint64_t stamp, uint64_t what,
                              uint64_t caller, uint64_t barriers)
{
    r->head = stamp;
    r->what = what;
    r->caller = caller;
    r->barriers = barriers;
}

/* The records before head are whole: let readers have them. */
static inline void trace_publish(struct beacon_cpu *c, uint64_t head)
{
    __atomic_store_n(&c->ring_head, head, __ATOMIC_RELEASE);
}

/* A record by itself. */
static inline void trace_put(unsigned int kind_more, uint64_t what, uint64_t caller)
{
    struct beacon_cpu *c = trace_cpu;
    uint64_t head = c->ring_head;

    trace_fill(trace_at(c, head), trace_stamp(kind_more), what, caller, trace_word_now());
    trace_publish(c, head + 1);
}

#endif /* HV_CORE_TRACE_PUT_H */
