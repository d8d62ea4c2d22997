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
    /* Engine clock: */
    PROBE_OTHER,   /* another frame's */
    PROBE_INVALID, /* nothing is mapped in it */
    PROBE_REMAKE,  /* this frame's, and its TLBI is owed */
};

struct probe {
    unsigned int slot;
    lpae_t pte;
    enum probe_why why;
    bool last; /* looked at because the map before was of it */
};

enum verdict {
    VERDICT_HIT,
    VERDICT_TAKE,       /* a free slot */
    VERDICT_COMMANDEER, /* overwritten */
    VERDICT_FULL,       /* none is to be had */
    VERDICT_BYPASS,     /* the directmap answers */
    /* Engine clock: */
    VERDICT_REMAKE,  /* the slot that owes the TLBI of this frame */
    VERDICT_FLUSH,   /* a slot that is free once the owed TLBIs are done */
    VERDICT_RECLAIM, /* a slot that is free once idle ones were broken */
};

struct explanation {
    uint64_t mfn;
    enum verdict verdict;
    unsigned int slot, refs; /* that it gets, and its count then; not if full or bypassed */
    bool has_home;           /* engines whose slot follows from the frame */
    unsigned int home;
    unsigned int chain; /* engine clock: of the frame's block */
    unsigned int nr;    /* slots looked at; with xen and bbm the last decides */
    struct probe probe[SLOTS_MAX + 1];
    unsigned int nr_flushed, nr_victims; /* engine clock: in the order in which they are freed */
    uint16_t flushed[SLOTS_MAX], victim[SLOTS_MAX];
    unsigned int reserve; /* engine clock, full: slot for a map of an interrupt; SLOTS_MAX: none */
};

/*
 * Replay the lookup of the machine's engine on one CPU's slots. False, with
 * engine clock only: its index cannot be read, or leads astray.
 */
bool explain_lookup(const struct machine *m, const struct cpu_snapshot *c, uint64_t mfn,
                    struct explanation *e);

/* Is a slot chosen? */
static inline bool explain_chosen(const struct explanation *e)
{
    return e->verdict != VERDICT_FULL && e->verdict != VERDICT_BYPASS;
}

/* "hit", "take", "commandeer", "full", "bypass", "remake", "flush", "reclaim". */
const char *verdict_word(enum verdict verdict);

/* Does the directmap answer for this frame? */
bool mfn_in_directmap(const struct machine *m, uint64_t mfn);

#endif /* VIEWER_MODEL_LOOKUP_H */
