/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshots of the last while, and the moments between them.
 *
 * A consistent reading of a CPU is the state after exactly the records below
 * its ring's head; from there the events lead to any moment in between. The
 * memory that it takes is bounded: the oldest snapshots go first.
 */
#ifndef VIEWER_MODEL_HISTORY_H
#define VIEWER_MODEL_HISTORY_H

#include "model/events.h"

#define HISTORY_BYTES (64u << 20)
#define HISTORY_MAX   4096 /* snapshots */

struct history {
    unsigned int nr, first; /* the ring: nr from first on */
    unsigned int room;      /* snapshots that HISTORY_BYTES are enough for */
    struct snapshot *snap[HISTORY_MAX];
};

/* Keep a copy; snapshots of another boot must not be mixed: history_clear() first. */
void history_add(struct history *h, const struct snapshot *snap);
void history_clear(struct history *h);

/* The i-th oldest, i below nr. */
const struct snapshot *history_at(const struct history *h, unsigned int i);

/* How many of the log's events had happened when snap was read. */
unsigned int history_events(const struct event_log *log, const struct snapshot *snap);

/*
 * The state after the log's first n events, into snap (of as many CPUs). A CPU
 * of which no snapshot leads there, or whose events were lost on the way, is
 * not consistent. False if there is no snapshot at all.
 */
bool history_state(const struct history *h, const struct event_log *log, unsigned int n,
                   struct snapshot *snap);

#endif /* VIEWER_MODEL_HISTORY_H */
