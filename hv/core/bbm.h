/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The break-before-make checker: is the order of stores, TLBIs and barriers one
 * after which no TLB can hold two translations of an address?
 *
 * It is told what happens, in order, and keeps for each table entry which
 * translations a TLB may still hold: the *ghosts* of values that were replaced.
 * A ghost has a debt, the CPUs that may hold it. A CPU's debt is paid by a TLBI
 * that covers the entry, issued after a DSB had made the store visible to that
 * CPU, and completed by a DSB of its issuer (RDDMVT, RYNJCP). EL2 stage 1 only.
 *
 * Freestanding: no allocation, no output, nothing of the image or the viewer.
 * Rule tags are those of the Arm ARM, D8.17.1.
 */
#ifndef HV_CORE_BBM_H
#define HV_CORE_BBM_H

#include <hvscope/finding.h>
#include <hvscope/trace.h>
#include <stdbool.h>
#include <stddef.h>

#define BBM_CPUS 64

enum bbm_kind {
    BBM_STORE,   /* of an entry: pa, old, new; ticket */
    BBM_TLBI,    /* op, scope, operand */
    BBM_BARRIER, /* code */
    BBM_TTBR,    /* operand: TTBR0_EL2 */
    BBM_IRQ,     /* an interrupt was taken */
    BBM_USE,     /* something is reached through operand, a VA */
};

struct bbm_event {
    enum bbm_kind kind;
    unsigned int cpu;
    uint64_t time;  /* ns */
    uint64_t where; /* PC; 0: not known */
    uint64_t pa, old, new;
    uint64_t ticket;
    uint64_t operand;
    enum trace_tlbi op;
    enum trace_scope scope;
    enum trace_barrier code;
    bool foreign; /* stage 2: passes, and is not judged */
};

struct bbm;

struct bbm_config {
    unsigned int ncpu;
    unsigned int level;      /* ID_AA64MMFR2_EL1.BBM */
    unsigned int root_level; /* of the tables that roots are: 0; arm32: 1 */
    bool ha;                 /* TCR_EL2.HA: AF = 0 does not fault */
    bool known;              /* at the start, no TLB holds anything but what the tables say */
    bool ordered;            /* events come in the order in which they happened, on all CPUs */
    size_t pages;            /* tables that there is room for */
    size_t ghosts;           /* values that a TLB may hold, at a time */
    /* Entries of the table at pa as they are now; false: not known. NULL: new tables are empty. */
    bool (*read)(void *context, uint64_t pa, uint64_t entry[PT_ENTRIES]);
    void (*found)(void *context, const struct bbm_finding *finding); /* each time; NULL: nobody */
    void *context;
};

/* Bytes that a checker needs. */
size_t bbm_size(const struct bbm_config *config);

/* Make one in such memory, 8-aligned. */
struct bbm *bbm_init(void *memory, const struct bbm_config *config);

/*
 * This CPU translates by the root at pa. Its tables are read by config.read, or
 * were given by bbm_table() before.
 */
void bbm_root(struct bbm *b, unsigned int cpu, uint64_t pa);

/* The table at pa, of this level, whose first entry translates va, has these entries. */
bool bbm_table(struct bbm *b, uint64_t pa, unsigned int level, uint64_t va,
               const uint64_t entry[PT_ENTRIES]);

/* The next event. */
void bbm_event(struct bbm *b, const struct bbm_event *e);

/* Events of this CPU were lost: what it can write is no longer known. */
void bbm_lost(struct bbm *b, unsigned int cpu, uint64_t lost);

/* Findings and notes, in one array; those with a count of 0 came to nothing. */
unsigned int bbm_nr_findings(const struct bbm *b);
const struct bbm_finding *bbm_finding(const struct bbm *b, unsigned int i);

struct bbm_totals {
    uint64_t events;   /* told, BBM_USE and BBM_IRQ not counted */
    uint64_t lost;     /* told to be lost */
    uint64_t unjudged; /* stores that could not be judged */
    uint64_t hazards, violations, notes;
    uint64_t others; /* findings that found no place of their own */
};
struct bbm_totals bbm_totals(const struct bbm *b);

/* "RFVQCK", "RWHZWS" ...; what is wrong, in words; "hazard", "violation", "note". */
const char *bbm_rule_tag(const struct bbm_finding *f);
const char *bbm_rule_text(enum bbm_rule rule);
const char *bbm_tier_name(enum bbm_tier tier);
const char *bbm_missing_text(enum bbm_missing missing);

#endif /* HV_CORE_BBM_H */
