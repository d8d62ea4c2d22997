/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line: QEMU's -append, from /chosen/bootargs. */
#ifndef HV_CORE_CMDLINE_H
#define HV_CORE_CMDLINE_H

#include "core/fault.h"
#include "core/word.h"
#include "mm/bootmem.h"
#include <hvscope/clock.h>
#include <hvscope/trace.h>

#define PACE_MAX         100000000u
#define WORKLOAD_DEFAULT "guest,copy"

struct options {
    bool directmap;             /* directmap=on|off (off) */
    bool census;                /* census=on|off (off) */
    bool check;                 /* check=on|off (off) */
    enum trace_mode trace;      /* trace=off|api|all (api) */
    enum fault fault;           /* fault=NAME (none) */
    enum clock_policy mapcache; /* mapcache=lazy|zap|strict (lazy), engine clock only */
    uint16_t zap_limit;         /* zap-limit=N: owed TLBIs that bring the flush about (64) */
    uint64_t pace;              /* pace=N: maps and unmaps a second per CPU; 0: no wait (0) */
    struct word workload;       /* workload=NAME[,NAME...] (guest,copy): work/plan.h */
    unsigned int nr_mem;        /* mem=SIZE@PA[,...]: use only this RAM (all) */
    struct region mem[BEACON_BANKS_MAX];
};

extern struct options options;

/*
 * Read the options. One that is not known, or a value that it cannot have, is
 * named on the console and leaves the default. `line` must stay.
 */
void cmdline_parse(const char *line);

/* Print the options and the values they can have. */
void cmdline_help(void);

#endif /* HV_CORE_CMDLINE_H */
