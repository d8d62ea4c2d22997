/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions about frames: where is one mapped, and what would
 * map_domain_page() do with it now?
 */
#ifndef VIEWER_MODEL_LOOKUP_H
#define VIEWER_MODEL_LOOKUP_H

#include "model/mapcache.h"

/* What was asked for, and how it was read. */
enum query_kind { QUERY_MFN, QUERY_PA, QUERY_VA };

struct query {
    enum query_kind kind;
    bool guessed;   /* it was a number alone */
    uint64_t value; /* as it was given */
    uint64_t mfn;   /* what it comes to; for QUERY_VA only with the walk's answer */
    uint64_t pa;    /* likewise */
};

/*
 * "mfn:0x84800", "pa:…", "va:…"; a bare number from the domheap on is a VA,
 * inside RAM a PA, else an MFN. 0, or -1 with f (EXIT_USAGE).
 */
int query_parse(const struct machine *m, const char *text, struct query *q, struct failure *f);
const char *query_kind_name(enum query_kind kind);

/* A number and nothing else: decimal, or hexadecimal after 0x. */
bool parse_number(const char *text, uint64_t *value);

/* Does this slot map the 2 MiB that mfn lies in? */
bool slot_maps(const struct cpu_snapshot *c, unsigned int slot, uint64_t mfn);

/* Why the lookup went past a slot, or took it. */
enum probe_why {
    PROBE_HIT,        /* this frame, and room for one more */
    PROBE_TAKE,       /* count 0 and not valid */
    PROBE_COMMANDEER, /* count 0, valid: another frame's, or this one's */
    PROBE_SATURATED,  /* this frame, but the count is 15 */
    PROBE_BUSY,       /* another frame holds it */
};

struct probe {
    unsigned int slot;
    lpae_t pte;
    enum probe_why why;
};

struct explanation {
    uint64_t mfn;
    unsigned int home;
    unsigned int nr; /* slots looked at; the last decides */
    bool full;       /* none was to be had */
    bool bypass;     /* the directmap answers: no slot is looked at */
    struct probe probe[SLOTS_MAX];
    unsigned int further; /* slots further on that map the frame: not found */
    unsigned int first_further;
};

/* Replay the lookup of engine xen (or bbm: the same search) on one CPU's slots. */
void explain_lookup(const struct machine *m, const struct cpu_snapshot *c, uint64_t mfn,
                    struct explanation *e);

/* "hit", "take", "commandeer", "full", "bypass". */
const char *explain_verdict(const struct explanation *e);

/* "hit", "take", "commandeer", "saturated", "busy". */
const char *probe_word(enum probe_why why);

#endif /* VIEWER_MODEL_LOOKUP_H */
