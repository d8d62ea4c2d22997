/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/activity.h"

#include <stdlib.h>
#include <string.h>

struct activity *activity_new(unsigned int ncpu, uint64_t hz)
{
    struct activity *a = calloc(1, sizeof(*a));

    if (a) {
        a->ncpu = ncpu;
        a->hz = hz ? hz : 1000000000;
    }
    return a;
}

void activity_free(struct activity *a)
{
    for (unsigned int i = 0; a && i < BEACON_CPUS_MAX; i++)
        free(a->cpu[i]);
    free(a);
}

static struct slot_activity *slot_of(struct activity *a, const struct event *e)
{
    if (e->cpu >= a->ncpu || e->slot >= SLOTS_MAX)
        return NULL;
    if (!a->cpu[e->cpu])
        a->cpu[e->cpu] = calloc(SLOTS_MAX, sizeof(*a->cpu[0]));
    return a->cpu[e->cpu] ? &a->cpu[e->cpu][e->slot] : NULL;
}

/* New keys push out nothing: what is frequent comes early. */
static void tally_add(struct tally *t, uint64_t key)
{
    for (unsigned int i = 0; i < t->nr; i++) {
        if (t->row[i].key == key) {
            t->row[i].count++;
            while (i > 0 && t->row[i - 1].count < t->row[i].count) {
                uint64_t k = t->row[i - 1].key, n = t->row[i - 1].count;

                t->row[i - 1] = t->row[i];
                t->row[i].key = k;
                t->row[i--].count = n;
            }
            return;
        }
    }
    if (t->nr == TALLY_ROOM) {
        t->others++;
        return;
    }
    t->row[t->nr].key = key;
    t->row[t->nr++].count = 1;
}

unsigned int tally_top(const struct tally *t, unsigned int n, unsigned int *row)
{
    unsigned int nr = t->nr < n ? t->nr : n;

    for (unsigned int i = 0; i < nr; i++)
        row[i] = i;
    return nr;
}

static void drop_holder(struct slot_activity *s, unsigned int i)
{
    memmove(&s->holder[i], &s->holder[i + 1], (s->nr - i - 1u) * sizeof(s->holder[0]));
    s->nr--;
}

/* More holders than the count allows: the oldest were released unseen. */
static void trim(struct slot_activity *s, unsigned int refs)
{
    while (s->nr > refs)
        drop_holder(s, 0);
}

static void warm(struct activity *a, struct slot_activity *s, uint64_t ticks)
{
    uint64_t window = ticks / (HEAT_S * a->hz);

    if (window != s->window) {
        s->before = window == s->window + 1 ? s->recent : 0;
        s->recent = 0;
        s->window = window;
    }
    s->recent++;
    s->last_map = ticks;
}

static void add_map(struct activity *a, struct slot_activity *s, const struct event *e)
{
    a->maps++;
    a->hits += e->hit;
    tally_add(&a->callers, e->caller);
    tally_add(&a->frames, e->mfn & ~SLOT_MFN_MASK);
    if (!s)
        return;
    warm(a, s, e->ticks);
    trim(s, e->refs ? e->refs - 1 : 0);
    if (s->nr < HOLDERS_MAX)
        s->holder[s->nr++] = (struct holder){e->mfn, e->caller, e->ticks};
}

static void add_unmap(struct slot_activity *s, const struct event *e)
{
    for (unsigned int i = s->nr; i > 0; i--) {
        if (s->holder[i - 1].mfn == e->mfn) {
            drop_holder(s, i - 1);
            break;
        }
    }
    trim(s, e->refs);
}

/* After a loss nobody is known to hold anything. */
static void forget(struct activity *a, unsigned int cpu, uint64_t lost)
{
    a->lost[cpu] += lost;
    for (unsigned int i = 0; a->cpu[cpu] && i < SLOTS_MAX; i++)
        a->cpu[cpu][i].nr = 0;
}

void activity_add(struct activity *a, const struct event *e)
{
    struct slot_activity *s;

    if (e->cpu >= a->ncpu)
        return;
    if (e->ticks > a->now)
        a->now = e->ticks;
    if (e->lost) {
        forget(a, e->cpu, e->lost);
        return;
    }
    s = event_has_slot(e) ? slot_of(a, e) : NULL;
    if (e->kind == TRACE_MAP)
        add_map(a, s, e);
    else if (e->kind == TRACE_UNMAP && s)
        add_unmap(s, e);
}

void activity_take(struct activity *a, const struct event_log *log)
{
    for (size_t i = 0; i < log->batch.nr; i++)
        activity_add(a, &log->batch.event[i]);
}

const struct slot_activity *activity_slot(const struct activity *a, unsigned int cpu,
                                          unsigned int slot)
{
    return a && cpu < a->ncpu && a->cpu[cpu] && slot < SLOTS_MAX ? &a->cpu[cpu][slot] : NULL;
}

unsigned int activity_heat(const struct activity *a, const struct slot_activity *s)
{
    uint64_t window = a->now / (HEAT_S * a->hz);

    if (window == s->window)
        return s->recent + s->before;
    return window == s->window + 1 ? s->recent : 0;
}

uint64_t activity_age(const struct activity *a, uint64_t ticks)
{
    uint64_t age = a->now > ticks ? a->now - ticks : 0;

    return (uint64_t)((unsigned __int128)age * 1000000000u / a->hz);
}

static void insert_held(struct held *held, unsigned int *nr, unsigned int max, const struct held *h)
{
    unsigned int at = *nr;

    while (at > 0 && held[at - 1].holder.ticks > h->holder.ticks)
        at--;
    if (at >= max)
        return;
    if (*nr < max)
        (*nr)++;
    memmove(&held[at + 1], &held[at], (*nr - at - 1) * sizeof(*held));
    held[at] = *h;
}

unsigned int activity_held(const struct activity *a, uint64_t min_ns, struct held *held,
                           unsigned int max)
{
    unsigned int nr = 0;

    for (unsigned int cpu = 0; cpu < a->ncpu; cpu++) {
        for (unsigned int slot = 0; a->cpu[cpu] && slot < SLOTS_MAX; slot++) {
            const struct slot_activity *s = &a->cpu[cpu][slot];

            for (unsigned int i = 0; i < s->nr; i++) {
                struct held h = {cpu, slot, s->holder[i]};

                if (activity_age(a, h.holder.ticks) >= min_ns)
                    insert_held(held, &nr, max, &h);
            }
        }
    }
    return nr;
}
