/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that a picture is drawn from, besides what the person selected. Time is
 * part of it, so the same frame is always the same picture.
 */
#ifndef VIEWER_VIEW_FRAME_H
#define VIEWER_VIEW_FRAME_H

#include "model/events.h"
#include "model/marks.h"
#include "model/runstate.h"

#define NOTE_MAX 200

struct frame {
    const struct snapshot *snap;    /* NULL: nothing to show */
    const struct marks *marks;      /* NULL if snap is */
    const struct event_log *events; /* NULL if there are none */
    const char *target;             /* as the person named it */
    const char *waiting;            /* why snap is NULL: a sentence */
    enum run_word word;
    char note[NOTE_MAX];
    unsigned int hz;
};

/* CPUs and slots there are to select; 1 and the usual number without a snapshot. */
static inline unsigned int frame_ncpu(const struct frame *f)
{
    return f->snap ? f->snap->ncpu : 1;
}

static inline unsigned int frame_entries(const struct frame *f)
{
    return f->snap ? f->snap->machine.beacon.domheap_entries : SLOTS_MAX;
}

#endif /* VIEWER_VIEW_FRAME_H */
