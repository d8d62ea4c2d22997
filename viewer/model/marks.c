/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/marks.h"

#include "model/profile.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_SECOND UINT64_C(1000000000)

struct marks *marks_new(unsigned int ncpu)
{
    struct marks *marks = calloc(1, sizeof(*marks) + ncpu * sizeof(marks->cpu[0]));

    if (marks)
        marks->ncpu = ncpu;
    return marks;
}

void marks_free(struct marks *marks)
{
    if (marks) {
        free(marks->base);
        free(marks->pinned);
    }
    free(marks);
}

static bool slot_differs(const struct cpu_snapshot *a, const struct cpu_snapshot *b,
                         unsigned int slot)
{
    return a->pte[slot] != b->pte[slot] || a->state[slot] != b->state[slot];
}

/* Each map and each unmap adds 2 to the generation; an odd one is half way. */
static uint64_t generation_operations(uint64_t from, uint64_t to)
{
    return (to - from + 1) / 2;
}

/* Maps and unmaps so far: its generation counts both, else whoever traces it. */
static uint64_t operations(const struct machine *m, const struct beacon_cpu *info)
{
    return m->profile->counted ? info->generation / 2 : info->maps + info->unmaps;
}

static void sample_rates(struct marks *marks, const struct snapshot *snap)
{
    uint64_t elapsed = snap->time - marks->rate_since;

    if (marks->rate_since && elapsed < NS_PER_SECOND)
        return;
    for (unsigned int i = 0; i < marks->ncpu; i++) {
        struct marks_cpu *m = &marks->cpu[i];
        uint64_t now = operations(&snap->machine, &snap->cpu[i].info), n = now - m->rate_base;

        m->rate =
            marks->rate_since ? (uint64_t)((double)n * (double)NS_PER_SECOND / (double)elapsed) : 0;
        m->rate_base = now;
    }
    marks->rate_since = snap->time;
}

static bool is_recent(const struct marks *marks, uint64_t at)
{
    return at && marks->now - at < MARK_LIVE_NS;
}

/* What is marked from now on: against the person's mark, by the last step, or lately. */
static void choose(const struct marks *marks, struct marks_cpu *m)
{
    bool stepped = marks->settled && marks->compared;

    if (!marks->pinned && !stepped && !is_recent(marks, m->newest)) {
        memset(m->marked, 0, m->nr_marked ? sizeof(m->marked) : 0);
        m->nr_marked = 0;
        return;
    }
    m->nr_marked = 0;
    for (unsigned int slot = 0; slot < SLOTS_MAX; slot++) {
        m->marked[slot] = marks->pinned ? m->apart[slot]
                          : stepped     ? m->stepped[slot]
                                        : is_recent(marks, m->changed_at[slot]);
        m->nr_marked += m->marked[slot];
    }
}

static void choose_all(struct marks *marks)
{
    for (unsigned int i = 0; i < marks->ncpu; i++)
        choose(marks, &marks->cpu[i]);
}

static void compare_pinned(struct marks *marks, const struct snapshot *snap)
{
    for (unsigned int i = 0; i < marks->ncpu; i++) {
        const struct cpu_snapshot *a = &marks->pinned->cpu[i], *b = &snap->cpu[i];

        for (unsigned int slot = 0; slot < SLOTS_MAX; slot++) {
            marks->cpu[i].apart[slot] = slot_differs(a, b, slot);
            if (marks->cpu[i].apart[slot])
                marks->cpu[i].was[slot] = a->pte[slot];
        }
    }
}

void marks_pin(struct marks *marks, const struct snapshot *snap)
{
    free(marks->pinned);
    marks->pinned = snap ? snapshot_new(snap->ncpu) : NULL;
    if (marks->pinned) {
        memcpy(marks->pinned, snap, sizeof(*snap) + snap->ncpu * sizeof(snap->cpu[0]));
        compare_pinned(marks, snap);
    }
    choose_all(marks);
}

void marks_sample(struct marks *marks, const struct snapshot *prev, const struct snapshot *snap)
{
    marks->now = snap->time;
    sample_rates(marks, snap);
    for (unsigned int i = 0; prev && i < marks->ncpu; i++) {
        const struct cpu_snapshot *a = &prev->cpu[i], *b = &snap->cpu[i];

        if (memcmp(a->pte, b->pte, sizeof(a->pte)) == 0 &&
            memcmp(a->state, b->state, sizeof(a->state)) == 0)
            continue;
        for (unsigned int slot = 0; slot < SLOTS_MAX; slot++) {
            if (slot_differs(a, b, slot)) {
                marks->cpu[i].changed_at[slot] = marks->cpu[i].newest = snap->time;
                marks->cpu[i].was[slot] = a->pte[slot];
            }
        }
    }
    if (marks->pinned)
        compare_pinned(marks, snap);
    choose_all(marks);
}

static void compare_stops(struct marks_cpu *m, const struct cpu_snapshot *a,
                          const struct cpu_snapshot *b)
{
    m->nr_stepped = 0;
    for (unsigned int slot = 0; slot < SLOTS_MAX; slot++) {
        m->stepped[slot] = slot_differs(a, b, slot);
        m->nr_stepped += m->stepped[slot];
        if (m->stepped[slot])
            m->was[slot] = a->pte[slot];
    }
    m->operations = generation_operations(a->info.generation, b->info.generation);
}

void marks_settle(struct marks *marks, const struct snapshot *snap)
{
    size_t size = sizeof(*snap) + snap->ncpu * sizeof(snap->cpu[0]);

    marks->settled = true;
    marks->settled_at = snap->time;
    marks->compared = marks->base != NULL;
    for (unsigned int i = 0; marks->base && i < marks->ncpu; i++)
        compare_stops(&marks->cpu[i], &marks->base->cpu[i], &snap->cpu[i]);
    if (!marks->base)
        marks->base = snapshot_new(snap->ncpu);
    if (marks->base)
        memcpy(marks->base, snap, size);
    choose_all(marks);
}

void marks_unsettle(struct marks *marks)
{
    marks->settled = false;
    choose_all(marks);
}

bool marks_fading(const struct marks *marks)
{
    if (marks->pinned || (marks->settled && marks->compared))
        return false;
    for (unsigned int cpu = 0; cpu < marks->ncpu; cpu++) {
        if (marks->cpu[cpu].nr_marked)
            return true;
    }
    return false;
}
