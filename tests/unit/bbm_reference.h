/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A naive model of the checker, for blocks of one table that one or two CPUs walk. */
#ifndef TESTS_UNIT_BBM_REFERENCE_H
#define TESTS_UNIT_BBM_REFERENCE_H

#include "core/bbm.h"

#define REFERENCE_SLOTS  8
#define REFERENCE_EVENTS 64

struct replaced {
    int event;
    unsigned int by;
    uint64_t value;
    bool any;
};

struct reference {
    uint64_t va, table;   /* of slot 0 */
    unsigned int walkers; /* CPUs 0 to walkers - 1 */
    struct reference_slot {
        struct replaced was[REFERENCE_EVENTS];
        unsigned int nr;
        bool known;
        int unknown_since;
    } slot[REFERENCE_SLOTS];
    struct bbm_event event[REFERENCE_EVENTS];
    int nr, lost_at;
    unsigned int findings, unjudged;
};

void reference_start(struct reference *r, uint64_t va, uint64_t table, unsigned int walkers,
                     bool known);
void reference_event(struct reference *r, const struct bbm_event *e);
void reference_lost(struct reference *r);

/* Values of a slot that may be held, other than what it has now. */
unsigned int reference_owed(struct reference *r, unsigned int slot, uint64_t now);

#endif /* TESTS_UNIT_BBM_REFERENCE_H */
