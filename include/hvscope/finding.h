/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the break-before-make checker finds (hv/core/bbm.h), a row for each
 * rule, tier, CPU and call site. With check=on the beacon says where the
 * image's rows are; a row whose count is 0 says nothing (yet). The count is
 * written last, so a row that is read with one is whole; the numbers behind
 * "the longest" may still change.
 */
#ifndef HVSCOPE_FINDING_H
#define HVSCOPE_FINDING_H

#include <stdint.h>

#define BBM_FINDINGS 64 /* rows */

/* What is wrong. The first five: a live entry was overwritten. */
enum bbm_rule {
    BBM_OUTPUT_ADDRESS,
    BBM_MEMORY_TYPE,
    BBM_SHAREABILITY,
    BBM_CONTIGUOUS, /* FEAT_BBM level 1 excuses it */
    BBM_BLOCK_SIZE, /* level 2 does */
    BBM_UNBROKEN,   /* a new entry before the break of the old one was complete */
    BBM_OPERAND,    /* an UNPREDICTABLE operand of a range TLBI */
    BBM_CNP,        /* TTBR0_EL2.CnP is 1 on a root that others do not have */
    BBM_OWED,       /* note: permissions made stricter, and no TLBI followed */
    BBM_EARLY,      /* note: a new entry was used before any DSB */
    BBM_RULES
};

enum bbm_tier {
    BBM_VIOLATION = 1, /* several CPUs walk the table: RWHZWS asks for a break */
    BBM_HAZARD = 2,    /* one does: RFVQCK says what may happen */
    BBM_NOTE = 3,
};

/* What a break lacked when the new entry came. */
enum bbm_missing {
    BBM_NOTHING,
    BBM_NO_DSB,        /* between the break and the TLBI, or none at all */
    BBM_NO_TLBI,       /* that covers it */
    BBM_NOT_COMPLETED, /* the TLBI, by a DSB of its issuer */
    BBM_NOT_COVERED,   /* CPU missing_cpu, by a TLBI or its DSB */
};

struct bbm_finding {
    enum bbm_rule rule;
    enum bbm_tier tier;
    uint32_t cpu;
    uint32_t certain; /* 1: whatever the order of events of different CPUs was */
    uint64_t where;   /* PC; 0: not known */
    uint64_t count;
    /* Of the first one: */
    uint64_t va, pa, old, new;
    uint32_t level;
    enum bbm_missing missing;
    uint32_t missing_cpu;
    uint32_t reserved;
    /* The longest, from the store to the completed TLBI; closed: how many came to an end. */
    uint64_t closed;
    uint64_t window_events, window_ns, window_irqs;
};

_Static_assert(sizeof(struct bbm_finding) == 112, "shared with tools");

#endif /* HVSCOPE_FINDING_H */
