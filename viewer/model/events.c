/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/events.h"

#include <stdlib.h>
#include <string.h>

#define RING_ENTRIES_MAX (UINT64_C(1) << 24)

const char *event_name(enum trace_kind kind)
{
    static const char *const names[] = {"", "map", "unmap", "bypass"};

    return names[kind <= TRACE_BYPASS ? kind : TRACE_NONE];
}

bool event_decode(const struct trace_record *record, unsigned int cpu, struct event *e)
{
    unsigned int kind = record->head >> TRACE_KIND_SHIFT & TRACE_KIND_MASK;

    if (kind < TRACE_MAP || kind > TRACE_BYPASS)
        return false;
    *e = (struct event){
        .cpu = cpu,
        .ticks = record->head & TRACE_TIME_MASK,
        .kind = kind,
        .mfn = record->what & TRACE_MFN_MASK,
        .slot = record->what >> TRACE_SLOT_SHIFT & TRACE_SLOT_MASK,
        .refs = record->what >> TRACE_REFS_SHIFT & TRACE_REFS_MASK,
        .probe = record->what >> TRACE_PROBE_SHIFT & TRACE_PROBE_MASK,
        .hit = record->what >> TRACE_HIT_SHIFT & 1,
        .caller = record->caller,
    };
    return true;
}

static bool ring_ok(const struct machine *m, const struct beacon_cpu *info)
{
    uint64_t n = info->ring_entries;

    return n >= 2 && n <= RING_ENTRIES_MAX && (n & (n - 1)) == 0 && info->ring % 8 == 0 &&
           machine_has_memory(m, info->ring, n * sizeof(struct trace_record));
}

/* The head as it is now; the one in the snapshot may be older than the records. */
static bool read_head(const struct source *src, const struct machine *m, unsigned int cpu,
                      uint64_t *head)
{
    uint64_t pa = m->pa + m->beacon.cpu_offset + (uint64_t)cpu * m->beacon.cpu_stride +
                  offsetof(struct beacon_cpu, ring_head);
    bool ok = source_read_u64(src, pa, head) == 0;

    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return ok;
}

/* Records [first, first + n) of the ring, in two pieces if they go round its end. */
static bool read_records(const struct source *src, const struct beacon_cpu *info, uint64_t first,
                         uint64_t n, struct trace_record *records)
{
    uint64_t at = first % info->ring_entries;
    uint64_t straight = info->ring_entries - at < n ? info->ring_entries - at : n;
    const size_t size = sizeof(*records);

    return source_read_phys(src, info->ring + at * size, records, straight * size) == 0 &&
           (straight == n ||
            source_read_phys(src, info->ring, records + straight, (n - straight) * size) == 0);
}

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

/* Where to begin, and what is lost of what came since the cursor's place. */
static uint64_t place_cursor(struct ring_cursor *cursor, uint64_t head, uint64_t entries,
                             uint64_t *lost)
{
    uint64_t oldest = head + 2 > entries ? head + 2 - entries : 0;

    *lost = 0;
    if (!cursor->begun || cursor->next > head)
        cursor->next = oldest;
    else if (cursor->next < oldest)
        *lost = oldest - cursor->next;
    cursor->begun = true;
    return cursor->next + *lost;
}

/* Records that the producer overwrote while they were copied are lost too. */
static void drop_overtaken(struct ring_batch *b, uint64_t entries, uint64_t after)
{
    uint64_t whole = after + 2 > entries ? after + 2 - entries : 0;
    uint64_t gone = whole > b->first ? whole - b->first : 0;

    if (gone > b->nr)
        gone = b->nr;
    memmove(b->record, b->record + gone, (b->nr - gone) * sizeof(*b->record));
    b->first += gone;
    b->lost += gone;
    b->nr -= gone;
}

bool ring_read(const struct source *src, const struct machine *m, unsigned int cpu,
               const struct beacon_cpu *info, struct ring_cursor *cursor, struct ring_batch *b)
{
    uint64_t head, after;

    if (!ring_ok(m, info) || !read_head(src, m, cpu, &head))
        return false;
    b->first = place_cursor(cursor, head, info->ring_entries, &b->lost);
    b->pending = head - b->first;
    b->more = b->pending > b->max;
    b->nr = b->more ? b->max : b->pending;
    if (!read_records(src, info, b->first, b->nr, b->record))
        return false;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (!read_head(src, m, cpu, &after))
        return false;
    drop_overtaken(b, info->ring_entries, after);
    cursor->next = b->first + b->nr;
    return true;
}

uint64_t event_ns(const struct machine *m, uint64_t ticks)
{
    uint64_t hz = m->beacon.cntfrq;

    return hz ? (uint64_t)((unsigned __int128)ticks * 1000000000u / hz) : ticks;
}

/* A CPU's new records as events behind those of the other CPUs. */
static void take_cpu(struct event_log *log, const struct source *src, const struct snapshot *snap,
                     unsigned int cpu, struct trace_record *records, struct event *events,
                     unsigned int *nr)
{
    struct ring_batch b = {.record = records, .max = EVENTS_BATCH};
    bool begun = log->cursor[cpu].begun;
    struct event e;

    if (!ring_read(src, &snap->machine, cpu, &snap->cpu[cpu].info, &log->cursor[cpu], &b))
        return;
    if (begun) {
        log->produced += b.nr + b.lost;
        log->lost += b.lost;
    }
    for (unsigned int i = 0; i < b.nr; i++) {
        if (!event_decode(&b.record[i], cpu, &e))
            continue;
        e.seq = b.first + i;
        if (b.lost && begun)
            events[(*nr)++] = (struct event){
                .cpu = cpu, .seq = b.first - b.lost, .ticks = e.ticks, .lost = b.lost};
        b.lost = 0;
        events[(*nr)++] = e;
    }
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

static bool make_room(struct event_log *log, unsigned int ncpu)
{
    if (!log->records)
        log->records = malloc(EVENTS_BATCH * sizeof(*log->records));
    if (!log->batch)
        log->batch = malloc((size_t)ncpu * (EVENTS_BATCH + 1) * sizeof(*log->batch));
    return log->records && log->batch;
}

bool events_update(struct event_log *log, const struct source *src, const struct snapshot *snap)
{
    unsigned int nr = 0;

    if (!make_room(log, snap->ncpu))
        return false;
    for (unsigned int i = 0; i < snap->ncpu; i++)
        take_cpu(log, src, snap, i, log->records, log->batch, &nr);
    if (nr)
        qsort(log->batch, nr, sizeof(*log->batch), event_compare);
    for (unsigned int i = 0; i < nr; i++)
        log_add(log, &log->batch[i]);
    log->fresh = nr < log->nr ? nr : log->nr;
    return true;
}

void events_free(struct event_log *log)
{
    if (!log)
        return;
    free(log->records);
    free(log->batch);
    log->records = NULL;
    log->batch = NULL;
}
