/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must hold of the tables at any moment, whatever the events were.
 */
#ifndef VIEWER_MODEL_CHECK_H
#define VIEWER_MODEL_CHECK_H

#include "model/activity.h"

#define FINDINGS_MAX 128
#define LEAK_NS      UINT64_C(5000000000) /* held longer than this is worth a note */

enum rule {
    RULE_BROKEN,      /* a slot that no lookup can have written */
    RULE_CHAIN,       /* the tables above the slots lead nowhere */
    RULE_SHARED_L2,   /* two CPUs have the same slots */
    RULE_SHARED_ROOT, /* two CPUs have the same root or level 1 table */
    RULE_HELD_TWICE,  /* one L2 page is both halves of a CPU's slots */
    RULE_INDEX,       /* engine clock: what it keeps of slots is not what they are */
    RULE_DUPLICATE,   /* a frame in several slots of a CPU: legal */
    RULE_SATURATED,   /* a count of 15: legal */
    RULE_LEAK,        /* held for long: perhaps forgotten */
    RULE_VIOLATION,   /* break-before-make, in a table that several CPUs walk */
    RULE_HAZARD,      /* the same, in a table of one CPU */
    RULE_OWED,        /* break-before-make: legal, and worth a look */
    RULES
};

struct finding {
    enum rule rule;
    unsigned int cpu;
    int slot;       /* -1: not one slot's */
    uint64_t where; /* PC, or return address; 0: not known */
    char text[128];
};

/* What is wrong stands before what is only noted. */
struct findings {
    unsigned int count[RULES]; /* all of them, also those not listed */
    unsigned int entries;      /* slots that were looked at */
    unsigned int nr;
    struct finding finding[FINDINGS_MAX];
};

/*
 * Add one that was found elsewhere: count times, text first. The text of the
 * first one is kept.
 */
void findings_add(struct findings *f, enum rule rule, unsigned int cpu, int slot, uint64_t count,
                  uint64_t where, const char *text);

/* activity may be NULL: then nothing is known of leaks. */
void check_snapshot(const struct snapshot *snap, const struct activity *activity,
                    struct findings *f);

/* A note is legal, or only suspicious; anything else is wrong. */
bool rule_is_note(enum rule rule);
const char *rule_name(enum rule rule); /* "broken-slot" */

/* What holds if there is no finding; of notes, what there is. */
const char *rule_text(enum rule rule, unsigned int count);

/* Is it asked of this machine? */
bool rule_applies(enum rule rule, const struct machine *m);
unsigned int findings_wrong(const struct findings *f);

#endif /* VIEWER_MODEL_CHECK_H */
