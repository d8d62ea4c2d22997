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
    if (__builtin_expect(trace_site(TRACE_SITE_CHECK), 0))
        return this_cpu(trace_word_checked);
    return trace_word;
}

static inline struct trace_record *trace_at(const struct beacon_cpu *c, uint64_t n)
{
    return (struct trace_record *)c->ring_va + n % TRACE_RING_ENTRIES;
}

static inline void trace_fill(struct trace_record *r, uint64_t stamp, uint64_t what,
                              uint64_t caller, uint64_t barriers)
{
    asm("" : "+r"(r)); /* one address, so that words are stored in pairs */
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

/* A record by itself, of this stamp. */
static inline void trace_put_stamped(uint64_t stamp, uint64_t what, uint64_t caller)
{
    uint64_t head = trace_cpu->ring_head, word = trace_word_now();

    trace_fill(trace_at(trace_cpu, head), stamp, what, caller, word);
    trace_publish(trace_cpu, head + 1);
}

static inline void trace_put(unsigned int kind_more, uint64_t what, uint64_t caller)
{
    trace_put_stamped(trace_stamp(kind_more), what, caller);
}

#endif /* HV_CORE_TRACE_PUT_H */
