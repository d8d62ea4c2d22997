/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tail of the CPUs' event rings, merged by time.
 */
#ifndef VIEWER_MODEL_EVENTS_H
#define VIEWER_MODEL_EVENTS_H

#include "model/mapcache.h"

#include <hvscope/trace.h>

#define EVENTS_KEPT  32768 /* newest ones, all CPUs together */
#define EVENTS_BATCH 8192  /* of one CPU, that one update takes */

struct event {
    unsigned int cpu;
    uint64_t seq;   /* of its CPU */
    uint64_t ticks; /* of the physical counter */
    enum trace_kind kind;
    uint64_t mfn;
    unsigned int slot;
    unsigned int refs; /* afterwards */
    unsigned int probe;
    bool hit;
    uint64_t caller; /* return address */
    uint64_t lost;   /* not 0: no event, so many were lost here */
};

/*
 * Reading one CPU's ring from a place on. Sequence numbers are the ring's own:
 * the number of records written before.
 */
struct ring_cursor {
    bool begun;
    uint64_t next; /* first record not read yet */
};

struct ring_batch {
    uint64_t first;              /* sequence number of record[0] */
    unsigned int nr;             /* records that are whole */
    uint64_t lost;               /* overwritten before they could be read, just before first */
    bool more;                   /* there are records that did not fit */
    uint64_t pending;            /* records in the ring when it was looked at */
    struct trace_record *record; /* room for max, the caller's */
    unsigned int max;
};

/*
 * Take over up to b->max records from the cursor on; a cursor that has not
 * begun begins at the oldest record that the ring still holds. False if the
 * ring cannot be right, or is not there.
 */
bool ring_read(const struct source *src, const struct machine *m, unsigned int cpu,
               const struct beacon_cpu *info, struct ring_cursor *cursor, struct ring_batch *b);

/* ns of the physical counter. */
uint64_t event_ns(const struct machine *m, uint64_t ticks);

struct event_log {
    struct ring_cursor cursor[BEACON_CPUS_MAX];
    uint64_t produced; /* records written since the log was begun */
    uint64_t lost;     /* of them, overwritten before they could be looked at */
    unsigned int nr;
    unsigned int first;           /* index of the oldest */
    struct trace_record *records; /* room to work in, kept; events_free() */
    struct event *batch;
    unsigned int fresh;              /* of the newest ones: those of the last update */
    struct event event[EVENTS_KEPT]; /* ascending by time from first on, round the end */
};

/*
 * Take over what came since the last call; the first time, all that the rings
 * hold. A ring that cannot be right is left out. A loss is an element of the
 * log (event.lost). False if memory is short.
 */
bool events_update(struct event_log *log, const struct source *src, const struct snapshot *snap);

/* Free what the log keeps, not the log. */
void events_free(struct event_log *log);

/* The i-th oldest event, i below nr. */
const struct event *event_at(const struct event_log *log, unsigned int i);

/* What a record says; false if it is none. */
bool event_decode(const struct trace_record *record, unsigned int cpu, struct event *e);

/* "map", "unmap", "bypass". */
const char *event_name(enum trace_kind kind);

/* For qsort(): by time, then CPU, then number. */
int event_compare(const void *a, const void *b);

#endif /* VIEWER_MODEL_EVENTS_H */
