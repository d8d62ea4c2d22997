/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line: QEMU's -append, from /chosen/bootargs. */
#ifndef HV_CORE_CMDLINE_H
#define HV_CORE_CMDLINE_H

#include <hvscope/trace.h>
#include <stdbool.h>
#include <stdint.h>

struct options {
    bool directmap;        /* directmap=on|off (off) */
    enum trace_mode trace; /* trace=off|api (api) */
    uint64_t pace;         /* pace=N: maps and unmaps a second per CPU; 0: no wait (0) */
    unsigned int workload; /* workload=NAME (copy): index into workloads[], work/work.h */
};

extern struct options options;

/*
 * Read the options. One that is not known, or a value that it cannot have, is
 * named on the console and leaves the default.
 */
void cmdline_parse(const char *line);

#endif /* HV_CORE_CMDLINE_H */
