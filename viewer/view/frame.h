/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that a picture is drawn from, besides what the person selected. Time is
 * part of it, so the same frame is always the same picture.
 */
#ifndef VIEWER_VIEW_FRAME_H
#define VIEWER_VIEW_FRAME_H

#include "model/activity.h"
#include "model/check.h"
#include "model/marks.h"
#include "model/profile.h"
#include "model/ranges.h"
#include "model/runstate.h"
#include "model/series.h"
#include "model/tables.h"
#include "source/places.h"
#include "source/symbols.h"

#define NOTE_MAX 200

/* Whose tables the views Tables and Map show; the last two are the halves of EL1. */
enum shown_stage { SHOWN_EL2, SHOWN_S2, SHOWN_EL1, SHOWN_EL1_HIGH, SHOWN_STAGES };

static inline enum regime_name shown_regime(enum shown_stage shown)
{
    return shown == SHOWN_EL2 ? REGIME_EL2 : shown == SHOWN_S2 ? REGIME_S2 : REGIME_EL1;
}

struct frame {
    const struct snapshot *snap;     /* NULL: nothing to show */
    const struct marks *marks;       /* NULL if snap is */
    const struct event_log *events;  /* NULL if there are none */
    const struct activity *activity; /* NULL if there are none */
    const struct series *series;     /* NULL: nothing yet */
    const struct findings *findings; /* of this snapshot; NULL: nobody asked */
    const char *order;               /* what the findings know of stores and TLBIs */
    bool order_known;                /* that none escaped the verdict on them */
    enum shown_stage shown;          /* of the next two */
    const struct table_page *table;  /* that the Tables view shows; NULL: not asked, or stage_why */
    const struct ranges *ranges;     /* of the CPU in focus; NULL: likewise */
    bool live_table, live_ranges;    /* of a frozen picture: they are as it is now nevertheless */
    const char *stage_why;           /* there are no such tables; "" or NULL: nothing to say */
    const struct symbols *symbols;   /* NULL: none */
    const struct places *places;     /* where the CPUs of a halted machine stand; NULL: not known */
    unsigned int position;           /* in the history, from 1; 0: at its end, live */
    unsigned int positions;
    const char *target;  /* as the person named it */
    const char *waiting; /* why snap is NULL: a sentence */
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
    return f->snap && f->snap->machine.beacon.domheap_entries
               ? f->snap->machine.beacon.domheap_entries
               : SLOTS_MAX;
}

/* Why there are no slots to show, only tables; NULL: there are, or nothing is known yet. */
static inline const char *frame_no_slots(const struct frame *f)
{
    return f->snap && !f->snap->machine.profile->mapcache ? f->snap->machine.profile->missing
                                                          : NULL;
}

#endif /* VIEWER_VIEW_FRAME_H */
