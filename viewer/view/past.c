/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/past.h"

#include <stdlib.h>
#include <string.h>

void past_leave(struct past *p)
{
    free(p->snap);
    free(p->events);
    marks_free(p->marks);
    activity_free(p->activity);
    *p = (struct past){0};
}

/* The position of the next snapshot in that direction. */
static unsigned int leap_from(const struct history *h, const struct event_log *log,
                              unsigned int position, int direction)
{
    unsigned int best = direction < 0 ? 1 : log->nr;

    for (unsigned int i = 0; i < h->nr; i++) {
        unsigned int at = history_events(log, history_at(h, i));

        if (direction < 0 && at < position && at > best)
            best = at;
        if (direction > 0 && at > position) {
            best = at;
            break;
        }
    }
    return best;
}

static unsigned int target_of(const struct past *p, const struct history *h,
                              const struct event_log *log, int step, int leap)
{
    unsigned int from = p->position ? p->position : log->nr;
    int to;

    if (leap)
        return leap_from(h, log, from, leap);
    to = (int)from + step;
    return to < 1 ? 1 : to > (int)log->nr ? log->nr : (unsigned int)to;
}

static bool make_room(struct past *p, unsigned int ncpu)
{
    past_leave(p);
    p->snap = snapshot_new(ncpu);
    p->marks = marks_new(ncpu);
    p->events = malloc(sizeof(*p->events));
    return p->snap && p->marks && p->events;
}

/* What the last event changed is marked, as after a step in a debugger. */
static bool build(struct past *p, const struct history *h, const struct event_log *log)
{
    if (!history_state(h, log, p->position - 1, p->snap))
        return false;
    marks_settle(p->marks, p->snap);
    history_state(h, log, p->position, p->snap);
    marks_settle(p->marks, p->snap);
    memcpy(p->events, log, sizeof(*log));
    p->events->nr = p->position;
    p->activity = activity_new(p->snap->ncpu, p->snap->machine.beacon.cntfrq);
    for (unsigned int i = 0; p->activity && i < p->position; i++)
        activity_add(p->activity, event_at(log, i));
    return p->activity != NULL;
}

bool past_move(struct past *p, const struct history *h, const struct event_log *log, int step,
               int leap)
{
    unsigned int to;

    if (!h->nr || !log->nr)
        return false;
    to = target_of(p, h, log, step, leap);
    if (!make_room(p, history_at(h, 0)->ncpu))
        return false;
    p->position = to;
    if (build(p, h, log))
        return true;
    past_leave(p);
    return false;
}
