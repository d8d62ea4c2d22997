/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the CPUs do once they are up. */
#ifndef HV_WORK_WORK_H
#define HV_WORK_WORK_H

#include <hvscope/addr.h>
#include <stdbool.h>

struct workload {
    const char *name;
    const char *looks; /* what it should look like on the screen, in a sentence */

    /* Set up this CPU's part, at full speed. All CPUs are up; no map may stay open. */
    void (*init)(void);

    /* One operation: a few maps and their unmaps. No map may stay open. */
    void (*step)(void);

    /* Give back what init and step took. No map may stay open. */
    void (*exit)(void);
};

extern const struct workload *const workloads[];
extern const unsigned int nr_workloads;

extern const struct workload work_copy;

/* Run the workload of the command line on this CPU until work_stop(). */
_Noreturn void work_run(void);

/*
 * Ask every CPU to finish. Each checks that its counts are back to zero; the
 * boot CPU then prints the totals and powers off with status 0.
 */
void work_stop(void);

/* A line a CPU: maps, unmaps, hits, operations, pages checked. */
void work_print_totals(void);

#endif /* HV_WORK_WORK_H */
