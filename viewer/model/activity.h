/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the events say: who holds each slot, who maps most, which frames are
 * hot, how old and how warm a slot is.
 *
 * An unmap ends the youngest map of its page in its slot, as the image's own
 * census does. What happened before the first event that could be read, or
 * while events were lost, is not known, and shows as references that nobody is
 * known to hold.
 */
#ifndef VIEWER_MODEL_ACTIVITY_H
#define VIEWER_MODEL_ACTIVITY_H

#include "model/events.h"

#define HOLDERS_MAX 15
#define TALLY_ROOM  512
#define HEAT_S      5 /* a slot's heat: its maps in the last 5 to 10 s */

struct holder {
    uint64_t mfn;
    uint64_t caller;
    uint64_t ticks; /* of the map */
};

struct slot_activity {
    uint64_t last_map; /* ticks; 0: none seen */
    uint64_t window;   /* of 5 s that recent counts */
    uint32_t recent, before;
    uint8_t nr;
    struct holder holder[HOLDERS_MAX]; /* the oldest first */
};

/* Counts by key, as many as there is room for. */
struct tally {
    unsigned int nr;
    uint64_t others; /* of keys there was no room for */
    struct {
        uint64_t key, count;
    } row[TALLY_ROOM];
};

struct activity {
    unsigned int ncpu;
    uint64_t now; /* ticks of the newest event */
    uint64_t hz;
    uint64_t maps, hits;
    uint64_t lost[BEACON_CPUS_MAX];
    struct tally callers;                       /* maps by return address */
    struct tally frames;                        /* maps by 2 MiB frame: its first mfn */
    struct slot_activity *cpu[BEACON_CPUS_MAX]; /* SLOTS_MAX each; NULL: nothing seen */
};

struct activity *activity_new(unsigned int ncpu, uint64_t hz);
void activity_free(struct activity *a);

/* The next event of its CPU; e->lost: so many before it were lost. */
void activity_add(struct activity *a, const struct event *e);

/* What the last update of the log brought, losses and what it had no room for included. */
void activity_take(struct activity *a, const struct event_log *log);

/* Of one slot; NULL if nothing was seen of its CPU. */
const struct slot_activity *activity_slot(const struct activity *a, unsigned int cpu,
                                          unsigned int slot);

/* Maps in the last seconds. */
unsigned int activity_heat(const struct activity *a, const struct slot_activity *s);

/* ns from ticks until the newest event. */
uint64_t activity_age(const struct activity *a, uint64_t ticks);

/* Rows of the n largest counts, largest first; returns how many there are. */
unsigned int tally_top(const struct tally *t, unsigned int n, unsigned int *row);

/* A reference that has been held for at least min_ns. */
struct held {
    unsigned int cpu, slot;
    struct holder holder;
};

/* The longest held first, at most max of them. Returns how many. */
unsigned int activity_held(const struct activity *a, uint64_t min_ns, struct held *held,
                           unsigned int max);

#endif /* VIEWER_MODEL_ACTIVITY_H */
