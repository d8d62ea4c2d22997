/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The break-before-make verdict on events that were read: the image's own
 * checker (hv/core/bbm.h), fed from the ring.
 */
#ifndef VIEWER_MODEL_JUDGE_H
#define VIEWER_MODEL_JUDGE_H

#include "core/bbm.h"
#include "model/check.h"

/* Why there is a verdict on the order of events, or none. */
enum judge_from {
    JUDGE_NOTHING, /* stores are not recorded */
    JUDGE_EVENTS,  /* the events that were read */
    JUDGE_IMAGE,   /* the image's own: it runs with check=on */
};

struct judgement {
    enum judge_from from;
    struct bbm *bbm; /* JUDGE_EVENTS; in memory */
    void *memory;
    struct bbm_finding image[BBM_FINDINGS]; /* JUDGE_IMAGE */
    struct bbm_totals totals;
    uint64_t events; /* that were looked at */
};

/*
 * Judge: what the image says of itself, or else the events of the list, which
 * are sorted by time and may be moved to where their tickets say. At the start
 * nothing is known of the TLBs. False if memory is short. judgement_free().
 */
bool judge(struct judgement *j, const struct source *src, const struct snapshot *snap,
           struct event_list *list);
void judgement_free(struct judgement *j);

/* Findings that count, notes not included. */
static inline uint64_t judgement_wrong(const struct judgement *j)
{
    return j->totals.hazards + j->totals.violations;
}

/* Was something not seen, or could it not be judged? */
static inline bool judgement_incomplete(const struct judgement *j)
{
    return j->from == JUDGE_NOTHING || j->totals.lost || j->totals.unjudged;
}

/* Row i of what was found, below BBM_FINDINGS; NULL: it says nothing. */
const struct bbm_finding *judgement_row(const struct judgement *j, unsigned int i);

/* Findings of this CPU that the image counts, and has no row for. */
uint64_t judgement_others(const struct judgement *j, const struct snapshot *snap, unsigned int cpu,
                          enum bbm_tier tier);

/* Its findings, as rows of a list; and the verdict in a few words. */
void judgement_list(const struct judgement *j, const struct snapshot *snap, struct findings *f);
void judgement_text(const struct judgement *j, char *text, size_t size);

/* Slot of an address; -1 if it is none's. */
int judge_slot(const struct machine *m, uint64_t va);

#endif /* VIEWER_MODEL_JUDGE_H */
