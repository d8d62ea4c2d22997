/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What changed: in the last half second while the machine runs, between the
 * last two settled stops while it is halted.
 *
 * A debugger's step is a storm of stops and resumes. A stop is settled when
 * nothing has moved for a while (the caller decides that); only settled stops
 * are compared.
 */
#ifndef VIEWER_MODEL_MARKS_H
#define VIEWER_MODEL_MARKS_H

#include "model/mapcache.h"

#define MARK_LIVE_NS UINT64_C(500000000)

struct marks_cpu {
    uint64_t changed_at[SLOTS_MAX]; /* ns; 0: never seen to change */
    uint64_t newest;                /* of those */
    bool marked[SLOTS_MAX];         /* what is to be shown, of the three that follow */
    unsigned int nr_marked;
    bool apart[SLOTS_MAX];   /* differs from the person's mark */
    bool stepped[SLOTS_MAX]; /* differs between the last two settled stops */
    lpae_t was[SLOTS_MAX];   /* the entry before the change that is marked */
    unsigned int nr_stepped;
    uint64_t operations; /* maps and unmaps between them */
    uint64_t rate;       /* maps and unmaps a second, lately */
    uint64_t rate_base;  /* maps and unmaps when the present second began */
};

struct marks {
    unsigned int ncpu;
    uint64_t now; /* time of the newest snapshot */
    uint64_t rate_since;
    bool settled;  /* show the difference of stops, not the last half second */
    bool compared; /* there were two stops to compare */
    uint64_t settled_at;
    struct snapshot *pinned; /* the person's own mark: what differs from it is marked; NULL: none */
    struct snapshot *base;   /* the last settled stop; NULL before the first */
    struct marks_cpu cpu[];
};

/* For ncpu CPUs; NULL if out of memory. */
struct marks *marks_new(unsigned int ncpu);
void marks_free(struct marks *marks);

/* A new snapshot; prev is the one before it (NULL: none, nothing has changed). */
void marks_sample(struct marks *marks, const struct snapshot *prev, const struct snapshot *snap);

/* The machine is halted and quiet, and this is what it looks like. */
void marks_settle(struct marks *marks, const struct snapshot *snap);

/* It runs, or moves again. */
void marks_unsettle(struct marks *marks);

/* Compare with this snapshot from now on (a copy is kept); NULL: with the past again. */
void marks_pin(struct marks *marks, const struct snapshot *snap);

/* Is this slot to be marked? Asked for each slot of each picture, so it is a look-up. */
static inline bool marks_slot(const struct marks *marks, unsigned int cpu, unsigned int slot)
{
    return marks->cpu[cpu].marked[slot];
}

/* Does any mark end with time? Then the picture changes without new data. */
bool marks_fading(const struct marks *marks);

/* Slots of the CPU that are marked. */
static inline unsigned int marks_count(const struct marks *marks, unsigned int cpu)
{
    return marks->cpu[cpu].nr_marked;
}

#endif /* VIEWER_MODEL_MARKS_H */
