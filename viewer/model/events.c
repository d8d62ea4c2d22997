/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/events.h"

#include <stdlib.h>
#include <string.h>

const struct event *event_at(const struct event_log *log, unsigned int i)
{
    return &log->event[(log->first + i) % EVENTS_KEPT];
}

/* At its place by time; nearly always that is the end. */
static void log_add(struct event_log *log, const struct event *e)
{
    unsigned int at;

    if (log->nr == EVENTS_KEPT) {
        log->first = (log->first + 1) % EVENTS_KEPT;
        log->nr--;
    }
    for (at = log->nr++; at > 0 && event_at(log, at - 1)->ticks > e->ticks; at--)
        log->event[(log->first + at) % EVENTS_KEPT] = *event_at(log, at - 1);
    log->event[(log->first + at) % EVENTS_KEPT] = *e;
}

uint64_t event_ns(const struct machine *m, uint64_t ticks)
{
    uint64_t hz = m->beacon.cntfrq;

    return hz ? (uint64_t)((unsigned __int128)ticks * 1000000000u / hz) : ticks;
}

/*
 * A CPU's new records as events behind those of the other CPUs. From a ring that holds
 * millions, the newest: CPUs whose events are of different times could not be put in order
 * as they come.
 */
static bool take_cpu(struct event_log *log, const struct source *src, const struct snapshot *snap,
                     unsigned int cpu)
{
    struct ring_batch b = {.record = log->records, .max = EVENTS_BATCH, .newest = true};
    bool begun = log->cursor[cpu].begun;

    if (!ring_read(src, &snap->machine, cpu, &snap->cpu[cpu].info, &log->cursor[cpu], &b))
        return true;
    if (begun) {
        log->produced += b.nr + b.lost;
        log->lost += b.lost;
    }
    return ring_events(&log->cursor[cpu], &b, snap, cpu, &log->batch);
}

int event_compare(const void *a, const void *b)
{
    const struct event *x = a, *y = b;

    if (x->ticks != y->ticks)
        return x->ticks < y->ticks ? -1 : 1;
    if (x->cpu != y->cpu)
        return x->cpu < y->cpu ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

bool events_update(struct event_log *log, const struct source *src, const struct snapshot *snap)
{
    struct event_list *batch = &log->batch;

    if (!log->records)
        log->records = malloc(EVENTS_BATCH * sizeof(*log->records));
    if (!log->records)
        return false;
    batch->nr = 0;
    for (unsigned int i = 0; i < snap->ncpu; i++) {
        if (!take_cpu(log, src, snap, i))
            return false;
    }
    if (batch->nr)
        qsort(batch->event, batch->nr, sizeof(*batch->event), event_compare);
    for (size_t i = 0; i < batch->nr; i++)
        log_add(log, &batch->event[i]);
    return true;
}

void events_free(struct event_log *log)
{
    if (!log)
        return;
    free(log->records);
    event_list_free(&log->batch);
    log->records = NULL;
}
