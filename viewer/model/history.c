/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/history.h"

#include <stdlib.h>
#include <string.h>

static size_t snapshot_size(unsigned int ncpu)
{
    return sizeof(struct snapshot) + ncpu * sizeof(struct cpu_snapshot);
}

const struct snapshot *history_at(const struct history *h, unsigned int i)
{
    return h->snap[(h->first + i) % HISTORY_MAX];
}

/* The oldest one's memory is used again. */
void history_add(struct history *h, const struct snapshot *snap)
{
    size_t size = snapshot_size(snap->ncpu);
    struct snapshot *copy = NULL;

    h->room = HISTORY_BYTES / size < HISTORY_MAX ? HISTORY_BYTES / size : HISTORY_MAX;
    if (h->nr >= h->room) {
        copy = h->snap[h->first];
        h->snap[h->first] = NULL;
        h->first = (h->first + 1) % HISTORY_MAX;
        h->nr--;
    }
    if (!copy)
        copy = malloc(size);
    if (!copy)
        return;
    memcpy(copy, snap, size);
    h->snap[(h->first + h->nr++) % HISTORY_MAX] = copy;
}

void history_clear(struct history *h)
{
    for (unsigned int i = 0; i < h->nr; i++)
        free(h->snap[(h->first + i) % HISTORY_MAX]);
    h->nr = h->first = 0;
}

unsigned int history_events(const struct event_log *log, const struct snapshot *snap)
{
    unsigned int n = 0;

    for (unsigned int i = 0; i < log->nr; i++) {
        const struct event *e = event_at(log, i);

        if (e->cpu < snap->ncpu && e->record < snap->cpu[e->cpu].info.ring_head)
            n = i + 1;
    }
    return n;
}

/* The newest consistent reading of a CPU that is not behind the record number end. */
static const struct cpu_snapshot *base_of(const struct history *h, unsigned int cpu, uint64_t end)
{
    for (unsigned int i = h->nr; i > 0; i--) {
        const struct cpu_snapshot *c = &history_at(h, i - 1)->cpu[cpu];

        if (c->on && c->consistent && c->info.ring_head <= end)
            return c;
    }
    return NULL;
}

/* The first record of the CPU that has not happened yet; UINT64_MAX: all have. */
static uint64_t first_after(const struct event_log *log, unsigned int n, unsigned int cpu)
{
    for (unsigned int i = n; i < log->nr; i++) {
        if (event_at(log, i)->cpu == cpu)
            return event_at(log, i)->record;
    }
    return UINT64_MAX;
}

static void apply(struct snapshot *snap, const struct event *e)
{
    struct cpu_snapshot *c = &snap->cpu[e->cpu];
    lpae_t pte = c->pte[e->slot];

    if (e->kind == TRACE_MAP && !e->hit)
        pte = snap->machine.beacon.slot_attr | (e->mfn & ~SLOT_MFN_MASK) << PAGE_SHIFT;
    c->pte[e->slot] = pte_with_refs(pte, e->refs);
    c->index_status = INDEX_NONE; /* it changed too, and no record says how */
    c->info.generation += 2;
}

static void rebuild_cpu(const struct history *h, const struct event_log *log, unsigned int n,
                        struct snapshot *snap, unsigned int cpu)
{
    uint64_t end = first_after(log, n, cpu), next;
    const struct cpu_snapshot *base = base_of(h, cpu, end);
    struct cpu_snapshot *c = &snap->cpu[cpu];
    bool followed = false;

    if (!base) {
        c->consistent = false;
        return;
    }
    *c = *base;
    next = base->info.ring_head;
    for (unsigned int i = 0; i < n; i++) {
        const struct event *e = event_at(log, i);

        if (e->cpu != cpu)
            continue;
        if (e->record >= next) {
            if (e->lost || (!followed && e->record != next))
                c->consistent = false;
            if (event_has_slot(e))
                apply(snap, e);
            if (e->kind < TRACE_KINDS)
                next = e->record + (e->lost ? e->lost_records : 1);
        }
        followed = true; /* the log has what came before */
    }
    c->info.ring_head = next;
}

bool history_state(const struct history *h, const struct event_log *log, unsigned int n,
                   struct snapshot *snap)
{
    if (!h->nr)
        return false;
    memcpy(snap, history_at(h, h->nr - 1), snapshot_size(snap->ncpu));
    for (unsigned int cpu = 0; cpu < snap->ncpu; cpu++) {
        if (snap->cpu[cpu].on)
            rebuild_cpu(h, log, n, snap, cpu);
        snapshot_recount(snap, cpu);
    }
    return true;
}
