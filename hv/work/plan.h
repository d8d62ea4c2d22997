/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who does what: NAME[:ARGUMENT] for every CPU, cpuN:NAME[:ARGUMENT] for one.
 * A CPU that is named does what is behind its name only; the others do what is
 * for every CPU.
 */
#ifndef HV_WORK_PLAN_H
#define HV_WORK_PLAN_H

#include "work/work.h"

#define PLAN_MAX     64
#define PLAN_CPU_MAX 16   /* workloads that one CPU can have */
#define PLAN_ALL     (-1) /* a CPU number: all that are not named */

struct plan_entry {
    const struct workload *work;
    uint64_t argument;
    int cpu;
};

struct plan {
    unsigned int nr;
    struct plan_entry entry[PLAN_MAX];
};

/*
 * Read a plan for CPUs 0 to ncpu - 1. False if it is none: `why` says what is
 * wrong with it, and *plan is undefined.
 */
bool plan_parse(struct word text, unsigned int ncpu, struct plan *plan, char *why, size_t size);

/* The entries for a CPU, in order; how many there are. */
unsigned int plan_for(const struct plan *plan, unsigned int cpu, struct plan_entry *mine);

#endif /* HV_WORK_PLAN_H */
