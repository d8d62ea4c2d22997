/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading one CPU's ring from a place on: include/hvscope/trace.h.
 */
#ifndef VIEWER_MODEL_RING_H
#define VIEWER_MODEL_RING_H

#include "model/mapcache.h"

#include <hvscope/trace.h>

/* Records are numbered by how many were written before. */
struct ring_cursor {
    bool begun;
    uint64_t next; /* first record not read yet */
    /* What the numbers of events need: of the records before next. */
    uint64_t sides;
    uint64_t barriers; /* in BARRIERS records */
    uint64_t word;     /* barrier word of the last one; 0: not known */
    uint64_t seq;      /* of the next event, if nothing is lost */
    bool seq_known;    /* something was read before */
};

struct ring_batch {
    uint64_t first;              /* number of record[0] */
    unsigned int nr;             /* records that are whole; no group is cut in two */
    uint64_t lost;               /* records overwritten before they could be read, before first */
    bool more;                   /* there are records that did not fit */
    uint64_t pending;            /* records in the ring when it was looked at */
    struct trace_record *record; /* room for max, the caller's */
    unsigned int max;            /* more than TRACE_GROUP_MAX */
    bool newest;                 /* of more than max, the newest; the others count as lost */
};

/*
 * Take over up to b->max records from the cursor on; a cursor that has not
 * begun begins at the oldest record that the ring still holds. False if the
 * ring cannot be right, or is not there.
 */
bool ring_read(const struct source *src, const struct machine *m, unsigned int cpu,
               const struct beacon_cpu *info, struct ring_cursor *cursor, struct ring_batch *b);

static inline enum trace_kind record_kind(const struct trace_record *r)
{
    return (enum trace_kind)(r->head >> TRACE_KIND_SHIFT & TRACE_KIND_MASK);
}

/* The bits above the kind. */
static inline unsigned int record_more(const struct trace_record *r)
{
    return r->head >> TRACE_MORE_SHIFT & TRACE_MORE_MASK;
}

/* Has it no number of its own? */
static inline bool record_is_side(const struct trace_record *r)
{
    return record_kind(r) == TRACE_BARRIERS || record_kind(r) == TRACE_DETAIL;
}

/* Records at the oldest end that the producer may be writing over. */
uint64_t ring_margin(const struct machine *m);

#endif /* VIEWER_MODEL_RING_H */
