/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the CPUs do once they are up. */
#ifndef HV_WORK_WORK_H
#define HV_WORK_WORK_H

#include "arch/percpu.h"
#include "core/word.h"
#include <hvscope/addr.h>
#include <stdbool.h>

struct workload {
    const char *name;
    const char *looks; /* what it should look like on the screen, in a sentence */

    /* What follows the name and a colon, for people; NULL: nothing may. */
    const char *argument;
    bool argument_needed; /* or else it may be left out, and is 0 */

    /* Is this an argument? It becomes a number, which work_argument() returns. */
    bool (*accepts)(struct word argument, uint64_t *value);

    /* Set up this CPU's part, at full speed. All CPUs are up. */
    void (*init)(void);

    /* One operation: a few maps and their unmaps. */
    void (*step)(void);

    /* Give back what init and step took. No map may stay open. */
    void (*exit)(void);
};

/* A map that init or step leaves open must be said so with work_keep(). */

extern const struct workload *const workloads[];
extern const unsigned int nr_workloads;

extern const struct workload work_bench, work_copy, work_fill, work_guest, work_idle, work_leak,
    work_nest, work_p2m, work_race, work_replay, work_saturate, work_scrub, work_selftest,
    work_storm, work_stride, work_tracecost;

/* Argument of the workload whose init, step or exit runs on this CPU. */
uint64_t work_argument(void);

/* A map stays open from one operation to the next, or does not any more. */
void work_keep(const void *map);
void work_unkeep(const void *map);

/* Do the work of the command line on this CPU until work_stop(). */
_Noreturn void work_run(void);

/*
 * Between two operations nothing is mapped but what was kept, and counts that
 * are kept apart say so: the slots, the work's own, maps less unmaps, and with
 * census=on the census. A difference panics.
 */
void work_check(void);

/*
 * Other work, as the option workload= has it. Each CPU ends what it does and
 * goes on with the new at its next operation. False: nothing changes, and the
 * mistake was named on the console.
 */
bool work_load(struct word text);

/* On the console: what each CPU does, and the workloads there are. */
void work_print(void);

/*
 * Ask every CPU to finish. Each checks that its counts are back to zero; the
 * boot CPU then prints the totals and powers off with status 0.
 */
void work_stop(void);

/* A line a CPU: maps, unmaps, hits, operations, pages checked. */
void work_print_totals(void);

#endif /* HV_WORK_WORK_H */
