/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where in the history the picture is: a moment after one of the events that
 * are kept, with all that follows from the events up to it.
 */
#ifndef VIEWER_VIEW_PAST_H
#define VIEWER_VIEW_PAST_H

#include "model/activity.h"
#include "model/history.h"
#include "model/marks.h"

struct past {
    unsigned int position; /* events that have happened; 0: not in the past */
    struct snapshot *snap;
    struct marks *marks;
    struct event_log *events;
    struct activity *activity;
};

/*
 * By that many events (step) and snapshots (leap), from the present at first.
 * False if there is no history to go through.
 */
bool past_move(struct past *p, const struct history *h, const struct event_log *log, int step,
               int leap);
void past_leave(struct past *p);

#endif /* VIEWER_VIEW_PAST_H */
